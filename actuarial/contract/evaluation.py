"""A contract over simulated years: what both sides get, with errors, worst month, conditional tables, cautions.

All figures are those of :mod:`~actuarial.contract.measures` on the arrays that :class:`~actuarial.contract.deal.Deal` splits;
``insurer`` is whoever shares with the fund (the providers, where no insurer does), and the fund's side is what that party does not
get of target − claims, balances that it holds for later years among it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.contract.cautions import Caution, evaluation_cautions
from actuarial.contract.costs import Costs
from actuarial.contract.effort import incentive_table
from actuarial.contract.grouping import groups_of
from actuarial.contract.measures import Measures, changes, measure
from actuarial.contract.months import CashNeed, cash_need
from actuarial.contract.outcomes import Outcomes, claims_of
from actuarial.errors import Fault, InputError
from actuarial.layers import Piecewise
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, shown, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.contract.deal import Deal
    from actuarial.contract.terms import Contract

Array = NDArray[np.float64]
COLUMNS = {
    "expected": "expected", "sd": "sd", "loss_probability": "loss_probability", "tail_95": "mean_of_worst_5pct",
    "tail_99": "mean_of_worst_1pct",
}  # fmt: skip
"""Names of the measures in tables."""


@dataclass(frozen=True, eq=False)
class Evaluation(Result):
    """A contract over simulated years.

    Parameters
    ----------
    contract : Contract
    target : float
        [yuan]
    outcome, insurer : ndarray, shape (n,)
        Outcome and the contractual share of the party that shares with the fund, on each path [yuan].
    deal : Deal
        The contract with the year's amounts.
    costs : Costs
        The insurer's own.
    months : ndarray, shape (n, 12), or None
        Claims by month, where they are known [yuan].
    given : dict
        What the year brings beside its claims: ``events``, ``quality``, ``indicators``, ``expenses``, ``excess``, ``state``.
    policy_loss : ndarray, shape (n,), or None
        Claims that a change of policy within the year caused [yuan].
    """

    contract: Contract
    target: float
    outcome: Array
    insurer: Array
    deal: Deal
    costs: Costs = field(default_factory=Costs)
    months: Array | None = None
    given: dict[str, Any] = field(default_factory=dict)
    policy_loss: Array | None = None

    # ------------------------------------------------------------------ both sides, path by path

    @property
    def party(self) -> str:
        """Who shares with the fund: ``insurer``, or ``provider``."""
        return self.contract.main_party

    @property
    def claims(self) -> Array:
        """Claims of the year on each path [yuan]."""
        return self.target - self.outcome

    @property
    def fund(self) -> Array:
        """The fund's part of the outcome [yuan]."""
        return self.outcome - self.insurer

    @cached_property
    def insurer_after_costs(self) -> Array:
        """The insurer's result after staff, expenses, capital and cash advanced [yuan]."""
        advanced = self.cash.average if self.cash is not None else 0.0
        return self.insurer - self.costs.charge(self.insurer, target=self.target, advanced=advanced)

    def result(self, party: str) -> Array:
        """Results of ``insurer`` (or ``provider``), ``insurer_after_costs`` or ``fund`` on each path [yuan]."""
        if party == "fund":
            return self.fund
        return self.insurer_after_costs if party.endswith("_after_costs") else self.insurer

    @property
    def parties(self) -> tuple[str, ...]:
        """Rows of :attr:`table`: with costs, the insurer's result after them too."""
        after = (f"{self.party}_after_costs",) if self.costs.stated else ()
        return (self.party, *after, "fund")

    # ------------------------------------------------------------------ measures

    @cached_property
    def measures(self) -> dict[str, Measures]:
        """Measures of each of :attr:`parties`."""
        return {p: measure(self.result(p)) for p in self.parties}

    def expected(self, party: str) -> float:
        """Mean result of ``insurer``, ``insurer_after_costs`` or ``fund`` [yuan]."""
        return float(self.result(party).mean())

    def loss_probability(self, party: str) -> float:
        """Probability that ``insurer``, ``insurer_after_costs`` or ``fund`` loses."""
        return float((self.result(party) < 0).mean())

    @property
    def table(self) -> pd.DataFrame:
        """Both sides: mean, sd, probability of a loss, means of the worst 5% and 1%, each with its error [yuan]."""
        return pd.DataFrame([{"party": p, **measures_row(m)} for p, m in self.measures.items()])

    @cached_property
    def outcomes(self) -> Outcomes:
        """The outcomes, sorted."""
        return Outcomes(self.outcome)

    @cached_property
    def curve(self) -> Piecewise:
        """The insurer's result over the outcome, in a year of median quality, indicators and expenses."""
        quality, expenses = (
            None if self.given.get(k) is None else _median(self.given[k]) for k in ("quality", "expenses")
        )
        indicators = {k: _median(v) for k, v in (self.given.get("indicators") or {}).items()}
        return self.deal.curve(self.party, quality=quality, indicators=indicators, expenses=expenses)

    def payoff(self, bins: int = 40) -> pd.DataFrame:
        """The payoff over the outcome's distribution.

        Returns
        -------
        DataFrame
            ``low``, ``high`` of the outcome, ``share_of_paths``, and the mean result of ``insurer`` and ``fund`` there [yuan]; only
            stretches in which paths end.
        """
        low, high = float(self.outcome.min()), float(self.outcome.max())
        cuts = np.linspace(low, high, bins + 1) if high > low else np.array([low, low])
        at = np.clip(np.searchsorted(cuts, self.outcome, side="right") - 1, 0, len(cuts) - 2)
        count = np.bincount(at, minlength=len(cuts) - 1)
        seen = count > 0
        with np.errstate(invalid="ignore"):
            insurer, fund = (
                np.bincount(at, v, minlength=len(count))[seen] / count[seen]
                for v in (self.insurer, self.fund)
            )
        return pd.DataFrame({"low": cuts[:-1][seen], "high": cuts[1:][seen], "share_of_paths": count[seen] / len(at),
                             "insurer": insurer, "fund": fund})  # fmt: skip

    @property
    def incentive(self) -> pd.DataFrame:
        """What the insurer keeps of one more yuan saved, segment by segment, with the probability of ending there."""
        return incentive_table(self.curve, self.outcomes)

    # ------------------------------------------------------------------ months, conditions, policy

    @cached_property
    def cash(self) -> CashNeed | None:
        """What claims ask for beyond even twelfths of the target, month by month; None without claims by month."""
        return None if self.months is None else cash_need(self.months, self.target)

    @property
    def reserve(self) -> float | None:
        """The contract's risk reserve [yuan]; None where it states none."""
        terms = self.contract.terms.cash
        return None if terms is None or terms.reserve is None else self.deal.read.yuan(terms.reserve)

    def conditional(self, values: ArrayLike, *, groups: int = 5) -> pd.DataFrame:
        """Both sides' results where a factor is low, middling or high.

        Parameters
        ----------
        values : array_like, shape (n,)
            Growth, policy, number of events … of each path; numbers, or words.
        groups : int
            Numbers with more than so many different values are cut into so many groups of about equal size, equal numbers together.

        Returns
        -------
        DataFrame
            One row a group: ``group``, ``low``, ``high`` (NaN for words), ``probability``, then ``insurer_expected``,
            ``insurer_expected_error``, ``insurer_loss_probability``, ``fund_expected``, ``fund_expected_error`` [yuan]; `insurer…` after
            costs where they are stated.

        Raises
        ------
        InputError
            If there is not one value a path, one is not a number, or `groups` is not from 1 to 100.
        """
        insurer = self.result(self.parties[-2])
        rows = []
        for row, at in groups_of(values, len(self.outcome), groups):
            one, other = measure(insurer[at]), measure(self.fund[at])
            rows.append(row | {
                "insurer_expected": one.expected.value, "insurer_expected_error": one.expected.error,
                "insurer_loss_probability": one.loss_probability.value,
                "fund_expected": other.expected.value, "fund_expected_error": other.expected.error,
            })  # fmt: skip
        return pd.DataFrame(rows)

    @property
    def policy_table(self) -> pd.DataFrame:
        """What the change of policy costs: each side's mean with it and without it [yuan].

        The change causes ``claims under actual rules − the same claims under the rules of the target``; without it the year is
        split anew. Rows ``claims``, the insurer, the fund; empty where none was given.
        """
        columns = ["party", "expected", "without", "caused", "caused_error"]
        if self.policy_loss is None:
            return pd.DataFrame(columns=columns)
        before = self.deal.split(self.claims - self.policy_loss, **self.given)
        insurer = before.party(self.party)
        pairs = {"claims": (self.claims, self.claims - self.policy_loss), self.party: (self.insurer, insurer),
                 "fund": (self.fund, before.outcome - insurer)}  # fmt: skip
        rows = []
        for name, (now, without) in pairs.items():
            gap = changes(now, without).expected
            rows.append([name, float(now.mean()), float(without.mean()), gap.value, gap.error])
        return pd.DataFrame(rows, columns=columns)

    # ------------------------------------------------------------------ what to know before signing

    @cached_property
    def cautions(self) -> tuple[Caution, ...]:
        """What both sides should know before they sign, the gravest first."""
        return evaluation_cautions(self)

    def summary(self, lang: str | None = None) -> str:
        """Both sides in words, the worst month, and the cautions."""
        money = Unit.fine(lang)
        lines = [
            text("evaluation.target", lang, target=money.show(self.target), paths=f"{len(self.outcome):,}")
        ]
        for p, m in self.measures.items():
            lines.append(
                text("evaluation.side", lang, party=text(f"label.party_{p}", lang), unit=money.label,
                     expected=shown(m.expected.value, "signed_money", money), error=shown(m.expected.error, "money", money),
                     sd=money.show(m.sd.value), loss=shown(m.loss_probability.value, "percent", money),
                     tail95=shown(m.tail_95.value, "signed_money", money), tail99=shown(m.tail_99.value, "signed_money", money))
            )  # fmt: skip
        if self.cash is not None:
            need = float(np.quantile(self.cash.peak, 0.95))
            lines.append(text("evaluation.cash", lang, month=self.cash.month, need=money.show(need)))
        lines += [
            text("evaluation.caution", lang, severity=text(f"caution.severity_{c.severity}", lang), words=c.message(lang))
            for c in self.cautions
        ]  # fmt: skip
        return "\n".join(lines)

    def to_dict(self, lang: str | None = None) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "contract": self.contract.law.id, "target": self.target, "paths": len(self.outcome),
            "sides": {p: {COLUMNS[n]: getattr(m, n).to_dict() for n in COLUMNS} for p, m in self.measures.items()},
            "cash": None if self.cash is None else {
                "tightest_month": self.cash.month, "need_by_month": self.cash.by_month.tolist(),
                "peak_mean": float(self.cash.peak.mean()), "peak_one_in_twenty": float(np.quantile(self.cash.peak, 0.95)),
            },
            "incentive": [
                {k: (v if np.isfinite(v) else None) for k, v in row.items()} for row in self.incentive.to_dict("records")
            ],
            "policy": self.policy_table.to_dict("records"),
            "cautions": [c.to_dict(lang) for c in self.cautions],
        }  # fmt: skip

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Payoff to the insurer over the distribution of the outcome."""
        money = Unit.of(lang)
        scale, unit = money.scale, money.label
        with figure_style():
            ax = ax or new_axes()
            low, high = np.quantile(self.outcome, [0.001, 0.999])
            edge = max(abs(low), abs(high), 1.05 * max(self.curve.edges, default=0.0))
            draw_outcomes(ax, self.outcome, edge, lang)
            line = ax.twinx()
            x = np.linspace(-edge, edge, 801)
            line.plot(x / scale, self.curve(x) / scale, color=COLOURS["accent"], linewidth=2)
            line.axhline(0, color=COLOURS["ink"], linewidth=0.8)
            line.axvline(0, color=COLOURS["ink"], linewidth=0.8)
            name = "chart.insurer_result" if self.party == "insurer" else "evaluation.provider_result"
            line.set_ylabel(text(name, lang, unit=unit), color=COLOURS["accent"])
            line.spines["right"].set_visible(True)
            line.grid(visible=False)
            line.yaxis.set_major_formatter(thousands)
        return ax


def evaluated(
    deal: Deal, claims: ArrayLike, *, costs: Costs | None = None, policy_loss: ArrayLike | None = None,
    given: Mapping[str, Any] | None = None,
) -> Evaluation:  # fmt: skip
    """Evaluate a deal on arrays of paths; see :meth:`actuarial.contract.Contract.evaluate`.

    Raises
    ------
    InputError
        If claims have another shape or are not numbers, cash costs something and no months are given, or the split is refused.
    """
    paid = claims_of(claims)
    own = costs or Costs()
    if own.cash_rate and paid.ndim == 1:
        raise InputError([Fault("bargain.months_needed", params={"rate": f"{100 * own.cash_rate:g}%"})])
    kept = {k: v for k, v in (given or {}).items() if v is not None}
    split = deal.split(paid, policy_loss=policy_loss, **kept)
    loss = None
    if policy_loss is not None:
        loss = np.broadcast_to(np.asarray(policy_loss, dtype=np.float64), split.outcome.shape)
    sources = (deal.contract.law.source("bands"),)
    return Evaluation(deal.contract, float(deal.basis.target), split.outcome, split.party(deal.contract.main_party), deal, own,
                      paid if paid.ndim == 2 else None, kept, loss, sources=sources)  # fmt: skip


def measures_row(found: Measures) -> dict[str, float]:
    """Measures and their errors by the names that tables use."""
    row = found.row()
    return {new + end: row[old + end] for old, new in COLUMNS.items() for end in ("", "_error")}


def draw_outcomes(ax: Axes, outcome: Array, edge: float, lang: str | None, unit: Unit | None = None) -> None:
    """The outcome's distribution as bars, from −edge to edge [yuan]."""
    money = unit or Unit.of(lang)
    counts, bins = np.histogram(outcome, bins=60, range=(-edge, edge))
    ax.bar(bins[:-1] / money.scale, counts / len(outcome) * 100, width=np.diff(bins) / money.scale, align="edge",
           color=COLOURS["lighter"], edgecolor=COLOURS["light"], linewidth=0.4)  # fmt: skip
    ax.set_ylabel(text("chart.share_of_paths", lang))
    ax.set_xlabel(text("chart.outcome", lang, unit=money.label))
    ax.set_xlim(-edge / money.scale, edge / money.scale)
    ax.xaxis.set_major_formatter(thousands)
    ax.grid(visible=False)


def _median(value: Any) -> float:
    return float(np.median(np.asarray(value, dtype=np.float64)))
