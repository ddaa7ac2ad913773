r"""The premium target as an order statistic, and the curve of risk over premium.

In a path the balance at the end of month :math:`m` is :math:`a_m+b_m p` in the amount :math:`p` that all payers
give per head. The path is safe when it never falls below zero, that is when

.. math:: p \ge R = \max_m\,(-a_m/b_m)\qquad (b_m>0),

and no :math:`p` helps where :math:`b_m=0` and :math:`a_m<0` (:math:`R=\infty`, counted and reported). So
:math:`P(\text{deficit at }p)=P(R>p)`, and the smallest :math:`p` with at most :math:`\alpha` of :math:`n` paths in
deficit is the order statistic :math:`R_{(n-\lfloor\alpha n\rfloor)}`: one sort answers for every :math:`\alpha`.

For independent paths the number of :math:`R` below the true quantile is binomial, which gives the
interval between two order statistics without any assumption; where the tail holds too few paths
there is no upper limit, and it is infinite.

Paths of a design that favours the tail carry weights. Then :math:`\hat P(R>p)=n^{-1}\sum w_i 1\{R_i>p\}` is inverted with
the weights as they are (not normalised), and the interval inverts :math:`\alpha\pm t\,s`, with :math:`s` the spread of
:math:`\hat P` at the answer between independent blocks of paths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from actuarial.errors import Fault, InputError
from actuarial.results import COLOURS, Result, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def allowed(alpha: float, paths: int) -> int:
    """How many of `paths` may be in deficit: ``⌊α·n⌋`` of the decimal number that α is written as.

    Examples
    --------
    >>> allowed(0.29, 100), int(0.29 * 100)
    (29, 28)
    """
    return int(Fraction(repr(float(alpha))) * paths)


def required_amount(a: NDArray[np.float64], b: ArrayLike) -> NDArray[np.float64]:
    """``max over columns of −a/b``; infinite where ``b = 0`` and ``a < 0``, no demand where ``a ≥ 0``.

    Parameters
    ----------
    a : ndarray, shape (n, m)
        Balance at a premium of 0 [yuan].
    b : array_like, shape (m,) or (n, m)
        Yuan of balance per yuan of premium; not negative.

    Examples
    --------
    >>> required_amount(np.array([[-1.0, -6.0], [-1.0, 2.0]]), [0.0, 3.0]).tolist()
    [inf, inf]
    >>> required_amount(np.array([[1.0, -6.0]]), [0.0, 3.0]).tolist()
    [2.0]
    """
    slope = np.asarray(b, dtype=np.float64)
    need = np.full(len(a), -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        for m in range(a.shape[1]):  # month by month: a month's paths lie in one piece
            x, y = a[:, m], slope[..., m]
            if y.ndim == 0 and y > 0:
                each = x / -y
            else:
                each = np.where(y > 0, x / -y, np.where(x < 0, np.inf, -np.inf))
            np.maximum(need, each, out=need)
    return need


def required_by_month(a: NDArray[np.float64], b: ArrayLike) -> NDArray[np.float64]:
    """The amount that keeps each month out of a deficit, shape (n, m); see :func:`required_amount`."""
    return np.stack(
        [required_amount(a[:, m : m + 1], np.asarray(b)[..., m : m + 1]) for m in range(a.shape[1])], axis=1
    )


def order_statistic(ordered: NDArray[np.float64], alpha: float) -> float:
    """Smallest amount at which at most ``⌊α·n⌋`` of the ordered needs are above it."""
    return float(ordered[len(ordered) - allowed(alpha, len(ordered)) - 1])


def order_interval(ordered: NDArray[np.float64], alpha: float, level: float = 0.95) -> tuple[float, float]:
    """Binomial interval of the ``1 − α`` quantile for independent paths.

    The lower end is ``-inf`` and the upper end ``inf`` where too few paths lie beyond.

    Examples
    --------
    >>> order_interval(np.arange(1.0, 11.0), 0.05)
    (8.0, inf)
    """
    n = len(ordered)
    tail = (1 - level) / 2
    low = int(stats.binom.ppf(tail, n, 1 - alpha))  # P(B < low) ≤ tail
    high = int(stats.binom.ppf(1 - tail, n, 1 - alpha)) + 1  # P(B ≥ high) ≤ tail
    return (
        float(ordered[low - 1]) if low >= 1 else -np.inf,
        float(ordered[high - 1]) if high <= n else np.inf,
    )


def _levels(alphas: ArrayLike) -> NDArray[np.float64]:
    """Accepted probabilities, each between 0 and 1."""
    levels = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    bad = levels[~((levels > 0) & (levels < 1))]
    if bad.size:
        raise InputError([Fault("fund.alpha", params={"value": float(bad[0])})])
    return levels


def tail_weights(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean weight beyond each place of ordered paths: the estimated ``P(R > needs[i])``; shape (n,)."""
    beyond = np.cumsum(ordered[::-1])[::-1]
    return np.append(beyond[1:], 0.0) / len(ordered)


def block_error(values: NDArray[np.float64], block: int) -> tuple[float, int]:
    """Standard error of the mean of `values` from independent blocks of paths, and degrees of freedom.

    A rest that does not fill a block is left out of the spread. Without two whole blocks nothing is known: infinite.

    Examples
    --------
    >>> block_error(np.array([1.0, 3.0, 5.0, 7.0]), 2)
    (2.0, 1)
    """
    whole = len(values) // block
    if whole < 2:
        return np.inf, 1
    means = values[: whole * block].reshape(whole, block).mean(axis=1)
    return float(means.std(ddof=1) / np.sqrt(whole)), whole - 1


@dataclass(frozen=True, eq=False)
class PremiumTarget(Result):
    """The per-capita amount that keeps the risk of a deficit within what is accepted.

    Parameters
    ----------
    value : float
        All payers together [yuan/person/year]; infinite where no amount helps.
    alpha : float
        Accepted probability of a deficit.
    criterion : str
        ``current_year``, ``closing`` or ``any_month``.
    interval : (float, float)
        95% simulation interval: the error of computing with so many paths, nothing else.
    infeasible : float
        Share of paths that no amount keeps from a deficit.
    needs : ndarray, shape (n,)
        The amount each path needs, in order.
    weights : ndarray, shape (n,), or None
        Weights in the same order; None where every path counts the same.
    method : str
        The design that the paths come from: ``plain``, ``importance`` or ``sobol``.
    """

    value: float
    alpha: float
    criterion: str
    interval: tuple[float, float]
    infeasible: float
    needs: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None
    method: str = "plain"

    @cached_property
    def _tail(self) -> NDArray[np.float64]:
        """``P(R > needs[i])`` of weighted paths."""
        assert self.weights is not None
        return tail_weights(self.weights)

    def rounded(self, step: float = 10.0) -> float:
        """The target rounded up to a multiple of `step` yuan, as bureaus set it; so the risk stays accepted.

        A target that is a multiple to within a millionth of a yuan is left there.

        Examples
        --------
        >>> premium_target([411.2, 415.0], 0.5, "closing").rounded(), premium_target([415.0], 0.5, "closing").rounded(5)
        (420.0, 415.0)
        """
        return round_up(self.value, step)

    def curve(self, alphas: Sequence[float] | NDArray[np.float64]) -> pd.DataFrame:
        """Targets for many accepted probabilities, with pointwise intervals (of plain paths only)."""
        if self.weights is not None:
            levels = _levels(alphas)
            none = np.full(len(levels), np.nan)
            columns = {"deficit_probability": levels, "premium": self.at(levels), "low": none, "high": none}
            return pd.DataFrame(columns)
        rows = []
        for alpha in _levels(alphas):
            low, high = order_interval(self.needs, float(alpha))
            rows.append((float(alpha), order_statistic(self.needs, float(alpha)), low, high))
        return pd.DataFrame(rows, columns=["deficit_probability", "premium", "low", "high"])

    def at(self, alphas: ArrayLike) -> NDArray[np.float64]:
        """Targets for many accepted probabilities, without intervals.

        Examples
        --------
        >>> premium_target([1.0, 2.0, 3.0, 4.0], 0.25, "closing").at([0.25, 0.5]).tolist()
        [3.0, 2.0]
        """
        n = len(self.needs)
        levels = _levels(alphas)
        if self.weights is not None:
            return self.needs[np.searchsorted(-self._tail, -levels, side="left")]
        may = np.floor(levels * n).astype(np.int64)
        close = np.abs(levels * n - np.round(levels * n)) < 1e-6  # only there can rounding err
        may[close] = [allowed(float(a), n) for a in levels[close]]
        return self.needs[n - may - 1]

    def probability(self, premium: ArrayLike) -> NDArray[np.float64]:
        """Probability of a deficit at each premium."""
        upto = np.searchsorted(self.needs, np.asarray(premium, dtype=np.float64), side="right")
        if self.weights is not None:
            share = np.append(self._tail[::-1], self.weights.mean())[::-1]
            return np.minimum(share[upto], 1.0)
        above = len(self.needs) - upto
        return above / len(self.needs)

    @property
    def table(self) -> pd.DataFrame:
        """The curve at usual levels of accepted probability."""
        return self.curve([0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.075, 0.05, 0.025, 0.01, 0.005])

    def plot(self, ax: Axes | None = None, lang: str | None = None, *, present: float | None = None) -> Axes:
        """Probability of a deficit against the amount per head."""
        with figure_style():
            ax = ax or new_axes()
            finite = self.needs[np.isfinite(self.needs)]
            if len(finite):
                low, high = np.quantile(finite, [0.0005, 0.9995])
                marks = [v for v in (self.value, present) if v is not None and np.isfinite(v)]
                low, high = min(low, *marks), max(high, *marks)
                margin = 0.03 * (high - low) or 1.0
                x = np.linspace(low - margin, high + margin, 400)
                ax.plot(x, 100 * self.probability(x), color=COLOURS["main"], linewidth=2.2)
            ax.axhline(100 * self.alpha, color=COLOURS["accent"], linestyle="--", linewidth=1)
            if np.isfinite(self.value):
                ax.plot([self.value], [100 * self.alpha], marker="o", color=COLOURS["accent"])
                note = text("chart.target_at", lang, value=f"{self.value:.1f}", alpha=f"{100 * self.alpha:g}")
                ax.annotate(note, (self.value, 100 * self.alpha), xytext=(8, 14), textcoords="offset points",
                            color=COLOURS["accent"])  # fmt: skip
            if present is not None:
                risk = 100 * float(self.probability(present))
                ax.plot([present], [risk], marker="s", color=COLOURS["ink"])
                note = text("chart.present_at", lang, value=f"{present:.1f}", risk=f"{risk:.1f}")
                left = risk > 50  # on the shoulder of the curve there is room on the left only
                if left and len(finite):
                    ax.set_xlim(left=min(low - margin, present - 0.34 * (high - low)))
                ax.annotate(
                    note, (present, risk), xytext=(-9, -20) if left else (9, 9), textcoords="offset points",
                    ha="right" if left else "left", color=COLOURS["ink"],
                )  # fmt: skip
            ax.set_xlabel(text("chart.premium", lang))
            ax.set_ylabel(text("chart.deficit_probability", lang))
            ax.set_ylim(-2, 104)
        return ax


def round_up(value: float, step: float) -> float:
    """The multiple of `step` at or above `value`; infinite stays infinite.

    Examples
    --------
    >>> round_up(415.3, 10), round_up(-3.0, 5), round_up(420.0000000001, 10)
    (420.0, 0.0, 420.0)
    """
    if not np.isfinite(value):
        return value
    return float(step * np.ceil(round(value / step, 9))) + 0.0


def weighted_target(
    needs: NDArray[np.float64],
    weights: NDArray[np.float64],
    alpha: float,
    criterion: str,
    *,
    block: int,
    method: str = "importance",
) -> PremiumTarget:
    """The target from weighted paths.

    Parameters
    ----------
    needs, weights : ndarray, shape (n,)
        In the order in which they were drawn: each `block` of them is independent of the others.
    alpha : float
        Accepted probability, between 0 and 1.
    criterion : str
        Name of the criterion, for the answer.
    block : int
        Paths in a block.
    method : str
        Name of the design, for the answer.

    Examples
    --------
    >>> weighted_target(np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4), 0.25, "closing", block=2).value
    3.0
    """
    if not 0 < alpha < 1:
        raise InputError([Fault("fund.alpha", params={"value": alpha})])
    order = np.argsort(needs, kind="stable")
    ordered, tail = needs[order], tail_weights(weights[order])

    def at(level: float) -> float:
        return float(ordered[np.searchsorted(-tail, -level, side="left")]) if level > 0 else np.inf

    value = at(alpha)
    error, free = block_error(weights * (needs > value), block)
    spread = float(stats.t.ppf(0.975, free)) * error
    low = at(alpha + spread) if alpha + spread < 1 else -np.inf
    infeasible = float((weights * np.isposinf(needs)).mean())
    return PremiumTarget(
        value, alpha, criterion, (low, at(alpha - spread)), infeasible, ordered, weights[order], method
    )


def premium_target(needs: ArrayLike, alpha: float, criterion: str) -> PremiumTarget:
    """The target from the amount that each path needs.

    Parameters
    ----------
    needs : array_like, shape (n,)
        See :func:`required_amount`.
    alpha : float
        Accepted probability, between 0 and 1.
    criterion : str
        Name of the criterion, for the answer.

    Raises
    ------
    InputError
        If alpha is not between 0 and 1.

    Examples
    --------
    >>> premium_target([1.0, 2.0, 3.0, 4.0], 0.25, "closing").value
    3.0
    """
    if not 0 < alpha < 1:
        raise InputError([Fault("fund.alpha", params={"value": alpha})])
    ordered = np.sort(np.asarray(needs, dtype=np.float64))
    return PremiumTarget(
        order_statistic(ordered, alpha),
        alpha,
        criterion,
        order_interval(ordered, alpha),
        float(np.isposinf(ordered).mean()),
        ordered,
    )
