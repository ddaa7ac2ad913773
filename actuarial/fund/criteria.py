r"""The premium target under every criterion, from what was kept of the paths.

``current_year``, ``closing``, ``any_month``, ``months_payable``: order statistics of what each path needs
(:mod:`actuarial.fund.target`). ``expected_balance``: the mean closing balance reaches an amount,

.. math:: p = \frac{x-\bar a}{\bar b},

where the randomness of claims is taken out by its known mean. ``tvar``: the mean of the worst :math:`\alpha` of closing
shortfalls :math:`L=-(a+bp)` is at most :math:`x`; with weights,

.. math:: T(p)=c+\frac1{n\alpha}\sum_i w_i\,(L_i-c)^+,\qquad \frac{dT}{dp}=-\frac1{n\alpha}\sum_{L_i>c}w_ib_i,

convex and piecewise linear in :math:`p`, so Newton's steps end at the solution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from actuarial.errors import Fault, InputError
from actuarial.fund.calendar import Financing
from actuarial.fund.chunks import AT_ZERO, EXCESS, SLOPE, Outcomes, Question, need
from actuarial.fund.needs import CRITERIA, MONTHS, rise_of
from actuarial.fund.paths import Setting
from actuarial.fund.target import PremiumTarget, block_error, premium_target, round_up, weighted_target
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BALANCE_CRITERIA = ("expected_balance", "tvar")
ALL_CRITERIA = (*CRITERIA, MONTHS, *BALANCE_CRITERIA)
Split = str | Mapping[str, float] | None


@dataclass(frozen=True)
class Criterion:
    """What a premium target has to achieve.

    Parameters
    ----------
    name : str
        One of :data:`ALL_CRITERIA`.
    alpha : float
        Accepted probability, or the tail that ``tvar`` averages; not used by ``expected_balance``.
    months : float
        Months of the path's own mean spending that the closing balance must reach, for ``months_payable``.
    amount : float
        What the mean closing balance must reach, for ``expected_balance``; what the mean shortfall of the tail may be,
        for ``tvar`` [yuan].
    split : str or mapping, optional
        The payer that bears a change, or shares by payer; the present proportions unless given.

    Raises
    ------
    InputError
        For an unknown name, a level outside (0, 1), or months that are missing or negative.

    Examples
    --------
    >>> Criterion("months_payable", 0.05, months=6).question
    'months_payable'
    """

    name: str
    alpha: float
    months: float | None = None
    amount: float = 0.0
    split: Split = None

    def __post_init__(self) -> None:
        if self.name not in ALL_CRITERIA:
            known = "、".join(ALL_CRITERIA)
            raise InputError([Fault("fund.criterion", params={"value": self.name, "known": known})])
        if not 0 < self.alpha < 1:
            raise InputError([Fault("fund.alpha", params={"value": self.alpha})])
        if (self.name == MONTHS) != (self.months is not None) or not (self.months or 0) >= 0:
            raise InputError(
                [Fault("answers.months", params={"value": "—" if self.months is None else self.months})]
            )
        if not np.isfinite(self.amount):
            raise InputError([Fault("answers.amount", params={"value": self.amount})])
        if self.split is not None and self.name in BALANCE_CRITERIA:
            raise InputError([Fault("answers.split_balance", params={"value": self.name})])

    @property
    def question(self) -> str:
        """The name under which its needs are kept."""
        return self.name if self.split is None else f"{self.name} split"

    def questions(self, s: Setting, financing: Financing) -> list[Question]:
        """What has to be kept of the paths."""
        if self.name in BALANCE_CRITERIA:
            if s.income is not None and s.income.bends:
                raise InputError([Fault("income.balance_criterion", params={"value": self.name})])
            return [AT_ZERO, SLOPE, EXCESS, need("closing")]
        rise = None if self.split is None else rise_of(s, financing, self.split)
        return [need(self.name, months=self.months or 0.0, rise=rise, name=self.question)]

    def target(self, kept: Outcomes) -> PremiumTarget | BalanceTarget:
        """The target from the paths."""
        if self.name == "expected_balance":
            return expected_balance_target(kept, self.amount)
        if self.name == "tvar":
            return tvar_target(kept, self.alpha, self.amount)
        needs = kept[self.question]
        if kept.weight is None:
            return premium_target(needs, self.alpha, self.name)
        return weighted_target(
            needs, kept.weight, self.alpha, self.name, block=kept.block, method=kept.method
        )


@dataclass(frozen=True, eq=False)
class BalanceTarget(Result):
    """The amount at which the closing balance has a given mean, or its worst part does.

    Parameters
    ----------
    value : float
        [yuan/person/year]
    criterion : str
        ``expected_balance`` or ``tvar``.
    alpha : float or None
        The tail that is averaged.
    amount : float
        What is asked of the balance or the shortfall [yuan].
    interval : (float, float)
        95% simulation interval.
    method : str
    at_zero, slope : ndarray, shape (n,)
        Closing balance ``at_zero + slope·p`` [yuan].
    weights : ndarray, shape (n,)
    """

    value: float
    criterion: str
    alpha: float | None
    amount: float
    interval: tuple[float, float]
    method: str
    at_zero: NDArray[np.float64]
    slope: NDArray[np.float64]
    weights: NDArray[np.float64]

    def rounded(self, step: float = 10.0) -> float:
        """Rounded up to a multiple of `step` yuan."""
        return round_up(self.value, step)

    def measure(self, premium: float) -> float:
        """The mean closing balance, or the mean of the worst shortfalls, at an amount [yuan]."""
        if self.alpha is None:
            return float(np.average(self.at_zero + self.slope * premium, weights=self.weights))
        return _tvar(self.at_zero, self.slope, self.weights, self.alpha, premium)[0]

    @property
    def table(self) -> pd.DataFrame:
        """The measure around the answer, in steps of 5 yuan [yuan]."""
        centre = round_up(self.value, 5) if np.isfinite(self.value) else 0.0
        premiums = centre + 5.0 * np.arange(-6, 7)
        return pd.DataFrame({"premium": premiums, self.criterion: [self.measure(p) for p in premiums]})

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """The measure against the amount per head."""
        money, table = Unit.of(lang), self.table
        with figure_style():
            ax = ax or new_axes()
            ax.plot(table["premium"], table[self.criterion] / money.scale, color=COLOURS["main"], linewidth=2)
            ax.axhline(self.amount / money.scale, color=COLOURS["accent"], linestyle="--", linewidth=1)
            ax.plot([self.value], [self.amount / money.scale], marker="o", color=COLOURS["accent"])
            ax.annotate(f"{self.value:.1f}", (self.value, self.amount / money.scale), xytext=(8, 10),
                        textcoords="offset points", color=COLOURS["accent"])  # fmt: skip
            ax.set_xlabel(text("chart.premium", lang))
            ax.set_ylabel(text(f"answers_words.axis_{self.criterion}", lang, unit=money.label))
            ax.yaxis.set_major_formatter(thousands)
        return ax


def expected_balance_target(kept: Outcomes, amount: float = 0.0) -> BalanceTarget:
    """The amount at which the mean closing balance reaches `amount` yuan; infinite where no money comes in.

    Examples
    --------
    >>> values = {"at_zero": np.array([-30.0, -50.0]), "slope": np.array([1.0, 1.0]), "excess": np.zeros(2)}
    >>> expected_balance_target(Outcomes(values, None, 1, "plain", 2, 0), 10.0).value
    50.0
    """
    a, b = kept["at_zero"] + kept["excess"], kept["slope"]
    w = np.ones(len(a)) if kept.weight is None else kept.weight
    slope = float((w * b).mean())
    if slope <= 0:
        reached = float((w * a).mean()) >= amount
        ends = (-np.inf, -np.inf) if reached else (np.inf, np.inf)
        return BalanceTarget(ends[0], "expected_balance", None, amount, ends, kept.method, a, b, w)
    value = (amount - float((w * a).mean())) / slope
    if not np.isfinite(value):
        value = np.inf
    error, free = _error(w * (a + b * value - amount), kept.block)
    half = float(stats.t.ppf(0.975, free)) * error / slope
    return BalanceTarget(
        value, "expected_balance", None, amount, (value - half, value + half), kept.method, a, b, w
    )


def tvar_target(kept: Outcomes, alpha: float, amount: float = 0.0) -> BalanceTarget:
    """The amount at which the worst `alpha` of closing shortfalls average `amount` yuan.

    Examples
    --------
    >>> a = np.array([-10.0, -20.0, -30.0, -50.0])
    >>> values = {"at_zero": a, "slope": np.ones(4)}
    >>> tvar_target(Outcomes(values, None, 1, "plain", 4, 0), 0.5).value
    40.0
    """
    a, b = kept["at_zero"], kept["slope"]
    w = np.ones(len(a)) if kept.weight is None else kept.weight
    value = 0.0
    for _ in range(100):
        level, slope, _ = _tvar_parts(a, b, w, alpha, value)
        if slope >= 0:
            ends = (-np.inf, -np.inf) if level <= amount else (np.inf, np.inf)
            return BalanceTarget(ends[0], "tvar", alpha, amount, ends, kept.method, a, b, w)
        step = (level - amount) / -slope
        value += step
        if abs(step) <= 1e-10 * max(abs(value), 1.0):
            break
    level, slope, parts = _tvar_parts(a, b, w, alpha, value)
    error, free = _error(parts, kept.block)
    half = float(stats.t.ppf(0.975, free)) * error / -slope
    return BalanceTarget(value, "tvar", alpha, amount, (value - half, value + half), kept.method, a, b, w)


def _tvar(
    a: NDArray[np.float64], b: NDArray[np.float64], w: NDArray[np.float64], alpha: float, p: float
) -> tuple[float, float]:
    level, slope, _ = _tvar_parts(a, b, w, alpha, p)
    return level, slope


def _tvar_parts(
    a: NDArray[np.float64], b: NDArray[np.float64], w: NDArray[np.float64], alpha: float, p: float
) -> tuple[float, float, NDArray[np.float64]]:
    """Mean of the worst part at `p`, its slope in `p`, and each path's part in it."""
    loss = -(a + b * p)
    order = np.argsort(-loss, kind="stable")
    upto = np.cumsum(w[order]) / len(loss)
    last = min(int(np.searchsorted(upto, alpha * (1 - 1e-12), side="left")), len(loss) - 1)
    at = loss[order[last]]
    beyond = order[:last]
    parts = at + w * np.maximum(loss - at, 0.0) / alpha
    rest = alpha - (float(upto[last - 1]) if last else 0.0)  # of the path at the edge only a part counts
    slope = -(float((w[beyond] * b[beyond]).sum()) / len(loss) + rest * float(b[order[last]])) / alpha
    return float(parts.mean()), slope, parts


def _error(values: NDArray[np.float64], block: int) -> tuple[float, int]:
    """Standard error of the mean, and degrees of freedom."""
    if block > 1:
        return block_error(values, block)
    n = len(values)
    return (float(values.std(ddof=1) / np.sqrt(n)), n - 1) if n > 1 else (np.inf, 1)


def probability(kept: Outcomes, name: str, premium: float) -> tuple[float, tuple[float, float]]:
    """P(a path needs more than `premium`) and its 95% simulation interval.

    Plain paths: Clopper and Pearson. Weighted ones: the spread between blocks; where no path is short (or none is safe), the limit
    that the nominal part of the design allows.
    """
    short = kept[name] > premium
    n = len(short)
    if kept.weight is None:
        hits = int(short.sum())
        low = float(stats.beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
        high = float(stats.beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
        return hits / n, (low, high)
    from actuarial.fund.sampling import NOMINAL_SHARE

    few = min(float(np.log(40.0) / (NOMINAL_SHARE * n)), 1.0)
    if not short.any():
        return 0.0, (0.0, few)
    if short.all():
        return 1.0, (1.0 - few, 1.0)
    parts = kept.weight * short
    value = min(float(parts.mean()), 1.0)
    error, free = block_error(parts, kept.block)
    half = float(stats.t.ppf(0.975, free)) * error
    return value, (max(value - half, 0.0), min(value + half, 1.0))
