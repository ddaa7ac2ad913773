r"""The fair target: where the insurer's expected result after its expenses is zero, or a stated margin.

A higher target raises the outcome of every path yuan for yuan, but edges that are a share of the target move too: the insurer's liability
in a bad year grows with them, so its expected result need not rise everywhere. The range of targets is therefore scanned first,
every change of sign is refined by bisection, and **all** roots are given, each with the direction in which the result passes it and its
simulation error (error of the mean over the slope there). Where the bands are undefined the function says so with NaN and no root is
sought across the hole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from actuarial.contract.costs import Costs
from actuarial.contract.deal import Deal
from actuarial.contract.evaluation import evaluated
from actuarial.contract.measures import Figure, measure
from actuarial.contract.outcomes import Outcomes, claims_of, year_of
from actuarial.contract.terms import Contract
from actuarial.contract.words import sharer_in_words
from actuarial.errors import Fault, InputError
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCAN = 60
"""Intervals of the first scan."""
HALVINGS = 40
"""Bisection steps: the bracket shrinks below a yuan for any target below 1e12."""


@dataclass(frozen=True)
class Root:
    """One target at which the insurer's expected result is the margin asked for.

    Parameters
    ----------
    target, error : float
        [yuan]; the error is one simulation standard error, infinite where the result is flat.
    rising : bool
        Whether a higher target means a better result for the insurer there.
    """

    target: float
    error: float
    rising: bool


@dataclass(frozen=True, eq=False)
class FairTarget(Result):
    """Targets at which the contract is fair.

    Parameters
    ----------
    roots : tuple of Root
        Ascending; empty if no target in the range is fair.
    scan : DataFrame
        ``target``, ``insurer_result`` (after expenses) and its ``error`` [yuan]; NaN where undefined.
    margin : float
        Expected result after expenses that was asked for [yuan].
    present : float
        The target as it stands, where there is one [yuan].
    heads : float
        Counted heads, where they are known.
    contract : Contract or None
        Whose terms they are.
    """

    roots: tuple[Root, ...]
    scan: pd.DataFrame
    margin: float
    present: float = math.nan
    heads: float = math.nan
    contract: Contract | None = None

    @property
    def value(self) -> float:
        """The lowest fair target at which the result is rising; NaN if there is none."""
        return next((r.target for r in self.roots if r.rising), math.nan)

    @property
    def error(self) -> float:
        """Simulation standard error of :attr:`value`."""
        return next((r.error for r in self.roots if r.rising), math.nan)

    @property
    def unique(self) -> bool:
        """Whether there is exactly one."""
        return len(self.roots) == 1

    @property
    def table(self) -> pd.DataFrame:
        """The roots: target, error [yuan], whether the result rises there."""
        return pd.DataFrame(
            [{"target": r.target, "error": r.error, "rising": r.rising} for r in self.roots],
            columns=["target", "error", "rising"],
        )

    def party(self, lang: str | None = None) -> str:
        """Who shares with the fund, in words."""
        if self.contract is None:
            return text("contract_words.party_insurer", lang)
        return sharer_in_words(self.contract, lang)

    def summary(self, lang: str | None = None) -> str:
        """The fair targets in words, beside the present one."""
        money = Unit.fine(lang)
        margin = money.show(self.margin)
        low, high = (money.show(float(self.scan["target"].iloc[n])) for n in (0, -1))
        lines = []
        for root in self.roots:
            if not math.isfinite(root.error):
                flat = money.show(root.target)
                lines.append(
                    text("bargain_words.fair_flat", lang, target=flat, margin=margin, party=self.party(lang))
                )
                continue
            code = "fair_root" if root.rising else "fair_root_falling"
            error = money.show(root.error)
            line = text(
                f"bargain_words.{code}",
                lang,
                target=money.show(root.target),
                error=error,
                margin=margin,
                party=self.party(lang),
            )
            if math.isfinite(self.heads) and self.heads > 0:
                line += text("bargain_words.fair_per_head", lang, amount=f"{root.target / self.heads:,.2f}")
            lines.append(line)
        if not self.roots:
            lines.append(text("bargain_words.fair_none", lang, low=low, high=high, margin=margin))
        if math.isfinite(self.value) and math.isfinite(self.present):
            gap = self.present - self.value
            code = "fair_above" if gap >= 0 else "fair_below"
            lines.append(
                text(
                    f"bargain_words.{code}", lang, present=money.show(self.present), gap=money.show(abs(gap))
                )
            )
        if self.scan["insurer_result"].isna().any():
            known = self.scan.loc[self.scan["insurer_result"].notna(), "target"]
            least = money.show(float(known.min())) if len(known) else "∞"
            lines.append(text("bargain_words.fair_undefined", lang, least=least))
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """The insurer's expected result over the target."""
        money = Unit.of(lang)
        with figure_style():
            ax = ax or new_axes()
            x, y, e = (self.scan[c].to_numpy() / money.scale for c in ("target", "insurer_result", "error"))
            ax.plot(x, y, color=COLOURS["main"], linewidth=2)
            ax.fill_between(x, y - 2 * e, y + 2 * e, color=COLOURS["lighter"])
            ax.axhline(self.margin / money.scale, color=COLOURS["ink"], linewidth=0.8)
            for root in self.roots:
                at = root.target / money.scale
                ax.plot(at, self.margin / money.scale, "o", color=COLOURS["accent"])
                ax.annotate(text("bargain_words.fair_at", lang, target=f"{at:,.0f}"), (at, self.margin / money.scale),
                            xytext=(8, -14), textcoords="offset points", fontsize=9, color=COLOURS["accent"])  # fmt: skip
            if math.isfinite(self.present):
                at = self.present / money.scale
                ax.axvline(at, color=COLOURS["ink"], linestyle=":", linewidth=1)
                ax.annotate(text("bargain_words.fair_present", lang, target=f"{at:,.0f}"), (at, 1.0),
                            xycoords=("data", "axes fraction"), xytext=(4, -11), textcoords="offset points", fontsize=9)  # fmt: skip
            ax.set_xlabel(text("bargain_words.axis_target", lang, unit=money.label))
            ax.set_ylabel(text("bargain_words.axis_after", lang, unit=money.label, party=self.party(lang)))
            ax.xaxis.set_major_formatter(thousands)
            ax.yaxis.set_major_formatter(thousands)
        return ax


def fair_target(
    contract: Contract, *, claims: ArrayLike, margin: float = 0.0, costs: Costs | None = None, low: float | None = None,
    high: float | None = None, target: float | None = None, readings: Mapping[str, Any] | None = None,
    heads: float | None = None, premium: float | None = None, financing: float | None = None, revenue: float | None = None,
    policy_loss: ArrayLike | None = None, **given: Any,
) -> FairTarget:  # fmt: skip
    """The targets at which the insurer's expected result after its costs is `margin`.

    Parameters
    ----------
    contract : Contract
    claims : array_like, shape (n,) or (n, 12)
        Claims of the contract year [yuan].
    margin : float
        Expected result after costs that is fair [yuan/year].
    costs : Costs, optional
        The insurer's own; none: the contractual result.
    low, high : float, optional
        Range searched [yuan]; from a fifth below the least of the simulated years to a quarter above the dearest.
    target : float, optional
        The present target, to be told beside the fair one [yuan].
    readings, heads, premium, financing, revenue, policy_loss, **given
        As for :meth:`Contract.evaluate`.

    Raises
    ------
    InputError
        If the range is none, or as :meth:`Contract.evaluate` does. Targets at which the bands have no order are not refused: no
        root is sought there.

    Examples
    --------
    >>> import actuarial as act
    >>> plan = act.load_contract("china/jiande/contract/cooperation@2012-01-01")
    >>> claims = act.SimpleClaims(183e6, 0.05).claims(20_000)
    >>> staff = act.Costs(people=14, cost_per_person=100_000)
    >>> [round(fair_target(plan, claims=claims, costs=c).value / 1e6, 1) for c in (None, staff)]
    [183.0, 185.7]
    """
    mine, own, year = contract.with_readings(readings or {}), costs or Costs(), year_of(claims)
    paid = claims_of(claims)
    least = 0.8 * float(year.min()) if low is None else float(low)
    most = 1.25 * float(year.max()) if high is None else float(high)
    if not 0 < least < most < math.inf:
        raise InputError([Fault("bargain.range", params={"low": f"{least:,.0f}", "high": f"{most:,.0f}"})])
    if not abs(margin) <= 1e15:
        raise InputError(
            [Fault("bargain.wanted", params={"name": "margin", "value": margin, "low": -1e15, "high": 1e15})]
        )
    kept = {k: v for k, v in given.items() if v is not None}
    plain = not kept and policy_loss is None and not (mine.terms.pools or mine.terms.fees or own.cash_rate)
    quick = plain and (not own.capital_rate or own.capital is not None)
    n = len(year)

    def expected(at: float) -> Figure:
        basis = mine.basis(target=at, heads=heads, premium=premium, financing=financing, revenue=revenue)
        try:
            deal = Deal.of(mine, basis)
        except InputError as error:
            if error.code == "contract.bands_undefined":
                return Figure(math.nan, math.nan)
            raise
        if quick:
            mean, sd = Outcomes.of_sorted(at - dearest_first).moments(deal.curve(mine.main_party))
            charge = own.fixed(at) + own.capital_rate * (own.capital or 0.0)
            return Figure(float(mean[0]) - charge, float(sd[0]) / math.sqrt(n) if n > 1 else math.nan)
        found = evaluated(deal, paid, costs=own, policy_loss=policy_loss, given=kept)
        return measure(found.insurer_after_costs).expected

    dearest_first = np.sort(year)[::-1]
    found = find_targets(expected, least, most, margin=margin)
    nothing = math.nan if target is None else float(target)
    return replace(found, present=nothing, heads=math.nan if heads is None else float(heads), contract=mine,
                   sources=(mine.law.source("bands"),))  # fmt: skip


def find_targets(
    expected: Callable[[float], Figure], low: float, high: float, *, margin: float = 0.0, points: int = SCAN
) -> FairTarget:
    """All targets between two bounds at which an expected result is `margin`.

    Parameters
    ----------
    expected : callable
        Target [yuan] to the insurer's expected result; a value of NaN where the contract is undefined.
    low, high : float
        Range searched [yuan].
    margin : float
        [yuan]

    Examples
    --------
    >>> found = find_targets(lambda t: Figure(t - 100.0, 1.0), 50.0, 150.0)
    >>> round(found.value, 6), found.unique
    (100.0, True)
    """
    targets = np.linspace(low, high, points + 1)
    figures = [expected(float(t)) for t in targets]
    gaps = np.array([f.value - margin for f in figures])
    roots: list[Root] = []
    for k, (a, b) in enumerate(pairwise(gaps)):
        if gaps[k] == 0 and (k == 0 or gaps[k - 1] != 0):
            roots.append(_root(expected, float(targets[k]), margin, (high - low) / points))
        elif math.isfinite(a) and math.isfinite(b) and a * b < 0:
            found = _bisect(expected, float(targets[k]), float(targets[k + 1]), a, margin)
            roots.append(_root(expected, found, margin, (high - low) / points))
    if gaps[-1] == 0 and (len(gaps) < 2 or gaps[-2] != 0):
        roots.append(_root(expected, float(targets[-1]), margin, (high - low) / points))
    scan = pd.DataFrame(
        {
            "target": targets,
            "insurer_result": [f.value for f in figures],
            "error": [f.error for f in figures],
        }
    )
    return FairTarget(tuple(roots), scan, margin)


def _bisect(
    expected: Callable[[float], Figure], low: float, high: float, at_low: float, margin: float
) -> float:
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        value = expected(middle).value - margin
        if not math.isfinite(value) or value == 0 or high - low < 0.5:
            return middle
        if (value < 0) == (at_low < 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _root(expected: Callable[[float], Figure], at: float, margin: float, width: float) -> Root:
    """The root with its direction and error, from a slope over a small step."""
    step = width * 0.05
    below, above = expected(at - step).value, expected(at + step).value
    slope = (above - below) / (2 * step)
    error = expected(at).error
    return Root(at, abs(error / slope) if slope else math.inf, slope > 0)
