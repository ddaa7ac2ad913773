r"""What banded totals allow by themselves, whatever the distribution inside the bands.

In a band :math:`[a,b]` with mean :math:`m`, the expectation of a piecewise-linear :math:`G` over all distributions with
that mean runs between its convex and its concave envelope at :math:`m`. For the policy factor
:math:`f=\sum n E F_{new}/\sum n E F_{old}` the largest value solves

.. math:: \sum_j n_j \sup E[F_{new}-fF_{old}] = 0,

which falls in :math:`f`. Where no edge of a rule lies inside a band both ends coincide: the totals then say all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from actuarial.layers import Piecewise
from actuarial.severity.base import Array
from actuarial.severity.observed import Observed

FAR = 1e6
"""An open band is looked at up to this many times its mean."""
Part = tuple[Observed, Piecewise, Piecewise]
"""A cell's bands, its old rule, its new rule."""


def vertices(data: Observed, j: int, rules: Sequence[Piecewise]) -> tuple[Array, list[Array]]:
    """Points of a band at which some rule bends or jumps (both sides), and the rules' values there [yuan]."""
    assert data.low is not None
    assert data.high is not None
    low, high = data.low[j] * data.unit, data.high[j] * data.unit
    if math.isinf(high):
        top = max([low, *(e for f in rules for e in f.edges)])
        mean = data.means[j] * data.unit if np.isfinite(data.means[j]) else low
        high = FAR * max(top, mean, 1.0)
    inner = sorted({e for f in rules for e in f.edges if low < e < high})
    points = [
        low,
        np.nextafter(low, np.inf),
        *(p for e in inner for p in (np.nextafter(e, -np.inf), e, np.nextafter(e, np.inf))),
        high,
    ]
    x = np.array(points)
    return x, [f(x) for f in rules]


def highest(x: Array, y: Array, mean: float) -> float:
    """Largest ``E[G]`` over distributions on the points with this mean; over all of them where it is NaN.

    Examples
    --------
    Half of the claims at each end gives more of a layer than all of them in the middle:

    >>> highest(np.array([0.0, 50.0, 100.0]), np.array([0.0, 0.0, 50.0]), 50.0)
    25.0
    """
    if math.isnan(mean):
        return float(y.max())
    mean = min(max(mean, x[0]), x[-1])
    left, right = x <= mean, x >= mean
    x0, y0, x1, y1 = x[left, None], y[left, None], x[None, right], y[None, right]
    width = x1 - x0
    with np.errstate(divide="ignore", invalid="ignore"):
        line = np.where(width > 0, y0 + (y1 - y0) * (mean - x0) / width, np.maximum(y0, y1))
    return float(line.max())


def factor_range(parts: Sequence[Part]) -> tuple[float, float]:
    """Smallest and largest policy factor that the bands allow; infinite where an open band has no sum."""
    bands = []
    for data, old, new in parts:
        for j in np.flatnonzero(data.weights > 0):
            x, (f_old, f_new) = vertices(data, int(j), (old, new))
            bands.append((data.weights[j], x, f_old, f_new, data.means[j] * data.unit))
    if any(math.isnan(m) and x[-1] >= FAR for _, x, *_, m in bands):
        return 0.0, math.inf

    def balance(factor: float, sign: float) -> float:
        return sum(n * highest(x, sign * (new - factor * old), m) for n, x, old, new, m in bands)

    return _root(lambda f: -balance(f, -1.0)), _root(lambda f: balance(f, 1.0))


def _root(falling: object) -> float:
    from scipy.optimize import brentq

    assert callable(falling)
    high = 1.0
    while falling(high) > 0 and high < 1e9:
        high *= 2
    if high >= 1e9:
        return math.inf
    return float(brentq(falling, 0.0, high, xtol=1e-12)) if falling(0.0) > 0 else 0.0
