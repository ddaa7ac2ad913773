"""One year settled by its bands alone: both sides to the cent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from actuarial.results import Result

if TYPE_CHECKING:
    from actuarial.contract.deal import Deal
    from actuarial.contract.terms import Contract


@dataclass(frozen=True, eq=False)
class Settlement(Result):
    """One year, settled.

    Parameters
    ----------
    contract : Contract
    deal : Deal
        The contract with the year's amounts.
    target, claims, outcome : float
        ``outcome = target − claims`` [yuan].
    insurer_result, fund_result : float
        What each side gains (or, negative, bears); they sum to the outcome to the cent [yuan].
    """

    contract: Contract
    deal: Deal
    target: float
    claims: float
    outcome: float
    insurer_result: float
    fund_result: float

    @property
    def table(self) -> pd.DataFrame:
        """The outcome band by band: amount in the band, share, insurer's part [yuan]."""
        table = self.deal.surplus if self.outcome >= 0 else self.deal.deficit
        edges, bands = (table.edges, table.shares) if table is not None else ((), ({},))
        sign = 1.0 if self.outcome >= 0 else -1.0
        rows, low = [], 0.0
        for high, band in zip([*edges, float("inf")], bands, strict=True):
            inside = max(min(abs(self.outcome), high) - low, 0.0)
            mine = band.get(self.contract.main_party)
            share = 0.0 if mine is None else float(self.deal.read.ratio(mine))
            rows.append({"from": low, "to": high, "insurer_share": share,
                         "amount": sign * inside, "insurer_part": sign * inside * share})  # fmt: skip
            low = high
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, float | str]:
        """Plain data for ``--json``."""
        return {
            "contract": self.contract.law.id, "target": self.target, "claims": self.claims,
            "outcome": self.outcome, "insurer_result": self.insurer_result, "fund_result": self.fund_result,
        }  # fmt: skip
