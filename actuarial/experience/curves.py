"""The completion curve: how much of a service month's cost is paid after so many months, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.experience.completion import Completed, completion_pattern
from actuarial.results import COLOURS, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def completion_curve(
    done: Completed, *, level: float = 0.95, paths: int = 10_000, seed: int = 2012
) -> pd.DataFrame:
    """Share of a service month's cost paid by the end of each lag, with the interval of a month to come.

    A month of the average first payment is developed lag by lag as :meth:`Completed.draws` does it: the factors' error and
    the month's own variation are both in the interval, and so is that the variation itself is an estimate (σ² over
    a chi-square of its degrees of freedom). The last lag holds all but the tail.

    Parameters
    ----------
    done : Completed
    level : float
        Of the interval.
    paths, seed : int
        Of the draws.

    Returns
    -------
    DataFrame
        ``lag``, ``share``, ``low``, ``high`` [fraction].

    Examples
    --------
    >>> from actuarial.experience.completion import Triangle, complete
    >>> cells = pd.DataFrame([[50.0, 40, 10], [60, 50, 12], [55, 42, 9], [52, 41, 11]], index=list("abcd"))
    >>> curve = completion_curve(complete(Triangle.from_incremental(cells)))
    >>> curve["share"].round(2).tolist(), bool((curve["low"] <= curve["share"]).all())
    ([0.5, 0.9, 1.0], True)
    """
    f, s2 = done.factors["factor"].to_numpy(), done.factors["sigma2"].to_numpy()
    volume = done.factors["volume"].to_numpy()
    tail = float(done.factors["cumulative"].iloc[-1] / f[-1]) if len(f) else 1.0
    generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
    error = np.sqrt(np.divide(s2, volume, out=np.zeros_like(s2), where=volume > 0))
    first = done.triangle.values[:, 0]
    start = float(np.nanmean(np.where(first > 0, first, np.nan)))
    steps: list[NDArray[np.float64]] = [np.full(paths, start)]
    links = np.isfinite(done.triangle.values).sum(axis=0)[1:]
    for j in range(len(f)):
        freedom = max(int(links[j]) - 1, 1)
        wider = freedom / generator.chisquare(freedom, paths)
        drawn = np.maximum(f[j] + error[j] * np.sqrt(wider) * generator.standard_normal(paths), 1e-9)
        expected, variance = steps[-1] * drawn, s2[j] * wider * steps[-1]
        random = (variance > 0) & (expected > 0)
        shape = np.divide(expected**2, variance, out=np.ones(paths), where=random)
        scale = np.divide(variance, expected, out=np.zeros(paths), where=random)
        steps.append(np.where(random, np.maximum(generator.standard_gamma(shape) * scale, 1e-9), expected))
    shares = np.array(steps) / (steps[-1] * tail)
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2], axis=1)
    centre = completion_pattern(f, tail)
    return pd.DataFrame(
        {
            "lag": range(len(centre)),
            "share": centre,
            "low": np.minimum(low, centre),
            "high": np.maximum(high, centre),
        }
    )


def plot_completion_curve(done: Completed, ax: Axes | None = None, lang: str | None = None) -> Axes:
    """The curve of :func:`completion_curve` with its 95% band."""
    curve = completion_curve(done)
    with figure_style():
        ax = ax or new_axes(7.0, 3.4)
        ax.fill_between(curve["lag"], 100 * curve["low"], 100 * curve["high"], color=COLOURS["lighter"],
                        label=text("chart.interval_95", lang))  # fmt: skip
        ax.plot(curve["lag"], 100 * curve["share"], color=COLOURS["main"], marker="o", markersize=4,
                label=text("chart.share_paid", lang))  # fmt: skip
        ax.set_xlabel(text("chart.lag", lang))
        ax.set_ylabel(text("chart.share_of_cost", lang))
        ax.set_xticks(curve["lag"])
        ax.legend(loc="lower right", fontsize=9)
    return ax
