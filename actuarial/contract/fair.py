r"""The fair target: where the insurer's expected result after its expenses is zero, or a stated margin.

A higher target raises the outcome of every path yuan for yuan, but edges that are a share of the target move too: the insurer's liability
in a bad year grows with them, so its expected result need not rise everywhere. The range of targets is therefore scanned first,
every change of sign is refined by bisection, and **all** roots are given, each with the direction in which the result passes it and its
simulation error (error of the mean over the slope there). Where the bands are undefined the function says so with NaN and no root is
sought across the hole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from actuarial.contract.measures import Figure
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
    """

    roots: tuple[Root, ...]
    scan: pd.DataFrame
    margin: float

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
                ax.plot(root.target / money.scale, self.margin / money.scale, "o", color=COLOURS["accent"])
            ax.set_xlabel(text("bargain_words.axis_target", lang, unit=money.label))
            ax.set_ylabel(text("bargain_words.axis_after", lang, unit=money.label))
            ax.xaxis.set_major_formatter(thousands)
            ax.yaxis.set_major_formatter(thousands)
        return ax


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
