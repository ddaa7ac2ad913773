"""The split of a year's outcome: who gets what, and why; and what goes on to the next year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.results import Result

if TYPE_CHECKING:
    from actuarial.contract.deal import Deal

CAUSES = ("individual", "policy_loss", "expense", "bands", "cap", "overflow", "deductions", "fees")
"""Why money moves, in the order of the steps."""


@dataclass(frozen=True)
class State:
    """Balances that one year hands to the next [yuan; in a settlement int64 cents].

    Parameters
    ----------
    reserve : float or array
        Risk reserve built from surpluses.
    carried : float or array
        Surplus (negative: overspending) carried forward.
    owed : float or array
        Reward that this year's reserve could not pay.
    """

    reserve: Any = 0.0
    carried: Any = 0.0
    owed: Any = 0.0


@dataclass(frozen=True, eq=False)
class Split(Result):
    """A year's outcome, or that of many paths, split among the parties by cause.

    Parameters
    ----------
    deal : Deal
    outcome : ndarray, shape (n,)
        Target − claims [yuan, float64; or cents, int64].
    parts : dict
        ``parts[cause][party]``, shape (n,). Over all causes and parties they sum to the outcome.
    state : State
        Balances after the year.
    """

    deal: Deal
    outcome: NDArray[Any]
    parts: dict[str, dict[str, NDArray[Any]]]
    state: State = field(default_factory=State)

    @property
    def causes(self) -> tuple[str, ...]:
        """Causes that moved money, in the order of the steps."""
        return tuple(c for c in CAUSES if c in self.parts)

    def part(self, party: str, cause: str) -> NDArray[Any]:
        """What `party` gets from `cause`; zeros where there is none."""
        found = self.parts.get(cause, {}).get(party)
        return np.zeros_like(self.outcome) if found is None else found

    def party(self, name: str) -> NDArray[Any]:
        """All that `name` gets (negative: bears), its carry-over not counted."""
        total = np.zeros_like(self.outcome)
        for cause in self.causes:
            total = total + self.part(name, cause)
        return total

    @property
    def insurer(self) -> NDArray[Any]:
        """The insurer's contractual result."""
        return self.party("insurer")

    @property
    def fund(self) -> NDArray[Any]:
        """The fund's part."""
        return self.party("fund")

    @property
    def provider(self) -> NDArray[Any]:
        """The providers' part."""
        return self.party("provider")

    def rows(self) -> Iterator[tuple[str, str, NDArray[Any]]]:
        """``(cause, party, amounts)`` of everything that moved."""
        for cause in self.causes:
            for party, amounts in self.parts[cause].items():
                yield cause, party, amounts

    @property
    def table(self) -> pd.DataFrame:
        """Mean by cause and party [as the amounts]."""
        rows = [{"cause": c, "party": p, "amount": float(a.mean())} for c, p, a in self.rows()]
        return pd.DataFrame(rows, columns=["cause", "party", "amount"])


@dataclass(frozen=True)
class LayerAmounts:
    """The outcome cut into the bands of the tables: layers are computed once, shares are applied to them.

    Parameters
    ----------
    amounts : ndarray, shape (K, n)
        Signed amount in each band [yuan]; they sum to the outcome.
    shares : dict
        By party, K shares.
    edges : list of (str, float, float)
        Side, lower and upper edge of each band [yuan]; the open band ends at infinity.
    """

    amounts: NDArray[np.float64]
    shares: dict[str, list[Any]]
    edges: list[tuple[str, float, float]]
