"""What every term is worth to both sides: the year evaluated with the term changed, on the same paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from actuarial.contract.costs import Costs
from actuarial.contract.deal import Deal
from actuarial.contract.evaluation import Evaluation, evaluated
from actuarial.contract.measures import changes
from actuarial.contract.outcomes import claims_of
from actuarial.contract.terms import Contract
from actuarial.contract.variations import Variation, variations
from actuarial.contract.words import sharer_in_words
from actuarial.errors import InputError
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, shown, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNDEFINED = {"contract.bands_undefined", "contract.edges_cross"}
"""Refusals of a change under which the bands have no order."""


@dataclass(frozen=True, eq=False)
class TermValues(Result):
    """The value of every term.

    Parameters
    ----------
    evaluation : Evaluation
        The contract as it stands.
    variations : tuple of Variation
    frame : DataFrame
        One row a variation: ``term``, ``kind``, then what making the change brings: ``insurer``, ``insurer_error``, ``fund``,
        ``fund_error`` [yuan/year], ``insurer_loss_probability`` (its change) with error, ``insurer_tail`` (change of the mean of the worst
        5%) with error. `insurer` is after costs where they are stated. NaN where the changed bands have no order.
    """

    evaluation: Evaluation
    variations: tuple[Variation, ...]
    frame: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """:attr:`frame` with the change in words, in the language in force."""
        return self.in_words()

    def in_words(self, lang: str | None = None) -> pd.DataFrame:
        """:attr:`frame` with the change in words as its third column."""
        words = [v.words(lang) for v in self.variations]
        out = self.frame.copy()
        out.insert(2, "change", words)
        return out

    def largest(
        self, number: int = 5, *, kinds: tuple[str, ...] = ("share", "edge", "gap", "choice", "drop")
    ) -> pd.DataFrame:
        """The changes of these kinds that move most money between the sides, the largest first, with their place in `frame`."""
        some = self.frame[self.frame["kind"].isin(kinds) & self.frame["insurer"].notna()]
        return some.reindex(some["insurer"].abs().sort_values(ascending=False, kind="stable").index).head(
            number
        )

    def summary(self, lang: str | None = None) -> str:
        """The changes that move most money, in words."""
        money = Unit.fine(lang)
        party = sharer_in_words(self.evaluation.contract, lang)
        lines = [text("variation.head", lang)]
        for at, row in self.largest(8, kinds=tuple(self.frame["kind"].unique())).iterrows():
            lines.append(
                text("variation.line", lang, party=party, change=self.variations[int(str(at))].words(lang), unit=money.label,
                     insurer=shown(row["insurer"], "signed_money", money), error=shown(row["insurer_error"], "money", money),
                     fund=shown(row["fund"], "signed_money", money))
            )  # fmt: skip
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """What each change brings the insurer (and costs the fund), the largest on top; whiskers are two simulation errors."""
        money = Unit.fine(lang)
        rows = self.largest(10).iloc[::-1]
        party = sharer_in_words(self.evaluation.contract, lang)
        with figure_style():
            ax = ax or new_axes(8.0, 0.6 + 0.42 * max(len(rows), 3))
            x = rows["insurer"] / money.scale
            at = np.arange(len(rows))
            ax.barh(at, x, xerr=2 * rows["insurer_error"] / money.scale, color=COLOURS["light"], edgecolor=COLOURS["main"],
                    error_kw={"ecolor": COLOURS["ink"], "elinewidth": 1})  # fmt: skip
            ax.axvline(0, color=COLOURS["ink"], linewidth=0.8)
            ax.set_yticks(at, [self.variations[int(str(n))].words(lang) for n in rows.index], fontsize=8)
            ax.set_xlabel(
                text("variation.axis", lang, unit=money.label, party=party), x=1.0, ha="right"
            )  # the names leave it little room to the right
            ax.xaxis.set_major_formatter(thousands)
        return ax


def value_of_terms(
    contract: Contract, *, claims: ArrayLike, costs: Costs | None = None, policy_loss: ArrayLike | None = None,
    readings: Mapping[str, Any] | None = None, target: float | None = None, heads: float | None = None,
    premium: float | None = None, financing: float | None = None, revenue: float | None = None, **given: Any,
) -> TermValues:  # fmt: skip
    """What every term is worth to both sides.

    Each term is changed alone, the others as they stand: shares rise by five points, edges and gaps by a tenth, the target by 1%; shares,
    caps, gates, fees … are dropped. With the same claims, what one side gains the other gives; the fund's side is measured against
    the present target. Values of dropped shares sum to the whole where the contract is linear in its shares (no cap, gate or condition).

    Parameters
    ----------
    contract : Contract
    claims : array_like, shape (n,) or (n, 12)
        [yuan]
    costs, policy_loss, readings, target, heads, premium, financing, revenue, **given
        As for :meth:`Contract.evaluate`.

    Raises
    ------
    InputError
        As :meth:`Contract.evaluate` does for the contract as it stands.

    Examples
    --------
    >>> import actuarial as act
    >>> plan = act.load_contract("china/jiande/contract/cooperation@2012-01-01")
    >>> found = value_of_terms(plan, claims=act.SimpleClaims(183e6, 0.05).claims(20_000), target=185.6e6)
    >>> float((found.frame["insurer"] + found.frame["fund"]).abs().max() < 1)
    1.0
    """
    mine = contract.with_readings(readings or {})
    basis = mine.basis(target=target, heads=heads, premium=premium, financing=financing, revenue=revenue)
    paid = claims_of(claims)
    base = evaluated(Deal.of(mine, basis), paid, costs=costs, policy_loss=policy_loss, given=given)
    brings = {*(given.get("events") or {}), *(k for k in ("excess",) if given.get(k) is not None)}
    tried = tuple(variations(mine, given=brings | ({"policy_loss"} if policy_loss is not None else set())))
    rows: list[dict[str, Any]] = []
    for v in tried:
        other = mine.with_readings(v.readings).changed(v.changes) if v.changes or v.readings else mine
        amounts = basis if v.target == 1 else mine.basis(target=basis.target * v.target, heads=heads, premium=premium,
                                                          financing=financing, revenue=revenue)  # fmt: skip
        try:
            found = evaluated(
                Deal.of(other, amounts),
                paid,
                costs=costs,
                policy_loss=policy_loss,
                given=_still(other, given),
            )
        except InputError as error:
            if error.code not in UNDEFINED:
                raise
            rows.append({"term": v.term, "kind": v.kind})
            continue
        rows.append({"term": v.term, "kind": v.kind, **_gained(found, base)})
    frame = pd.DataFrame(rows, columns=["term", "kind", *_NAMES])
    return TermValues(base, tried, frame, sources=base.sources)


_NAMES = tuple(
    name + end
    for name in ("insurer", "fund", "insurer_loss_probability", "insurer_tail")
    for end in ("", "_error")
)


def _gained(found: Evaluation, base: Evaluation) -> dict[str, float]:
    """What the change brings each side; the fund's side against the present target."""
    mine = [e.insurer_after_costs if e.costs.stated else e.insurer for e in (found, base)]
    gap = changes(*mine)
    fund = changes(base.target - found.claims - found.insurer, base.fund).expected
    values = (gap.expected, fund, gap.loss_probability, gap.tail_95)
    flat = [x for f in values for x in (f.value, f.error)]
    return dict(zip(_NAMES, (0.0 if abs(x) < 1e-9 else x for x in flat), strict=True))


def _still(contract: Contract, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the changed contract can still be told: no events of a deduction that was dropped."""
    kept = dict(given)
    if kept.get("events"):
        known = {d.id for d in contract.terms.deductions}
        kept["events"] = {k: v for k, v in kept["events"].items() if k in known}
    return kept
