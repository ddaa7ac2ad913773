r"""Large claims apart: drawn one by one, so that small pools and heavy tails are right.

With a common threshold :math:`T` in yuan a category's claims above it are a Poisson number (given the year's frequency
:math:`\Theta`), each from the tail of its severity and in a month by the season; claims up to :math:`T` keep three moments
(:mod:`actuarial.fund.process`), those of the severity cut at :math:`T`. :math:`T` is the highest at which the moments are enough:
the skewness of the leanest month's remainder is at most :data:`SKEWNESS`. In a pool of a million nothing has to be apart for light
tails; in a small one nearly every claim is, and up to :data:`MOST` expected claims a year all are: the simulation is then exact.

Counts with variance over mean :math:`D>1` are Poisson given a gamma factor of the year and category with mean 1 and variance
:math:`(D-1)/\lambda`, which makes the year's count negative binomial.

Consumption is fixed: claim :math:`j` of a path has the same uniforms whatever the counts are, and growth moves no count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainccinv, gammaincinv, ndtr
from scipy.stats import poisson

from actuarial.fund.sizes import Sizes, add_claims, month_guide, sum_terms
from actuarial.growth.curve import Curve
from actuarial.severity import Severity

SKEWNESS = 0.25
"""Largest skewness of a month that three moments stand for; the tests compare with an FFT at all sizes."""
MOST = 300.0
"""Most claims expected a year that are drawn one by one."""
_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 150.0)

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LargeClaims:
    """What is drawn one by one, by category.

    Parameters
    ----------
    laws : tuple of Severity
        Cost of a claim over its mean.
    share : ndarray, shape (C,)
        Share of claims above the threshold; 1 where all are drawn.
    bulk : ndarray, shape (3, C)
        ``E[Y^k; Y up to the threshold]``.
    mixing : ndarray, shape (C,)
        Variance of the year's gamma factor.
    expected : float
        Claims a year that are drawn.
    """

    laws: tuple[Severity, ...]
    share: Array
    bulk: Array
    mixing: Array
    expected: float

    @cached_property
    def sizes(self) -> list[Sizes]:
        """Amounts of each category's claims as a table."""
        return [Sizes(law, share) for law, share in zip(self.laws, self.share.tolist(), strict=True)]

    @cached_property
    def gammas(self) -> list[Curve | None]:
        """The year's factor of each category for a normal; None where counts are Poisson."""
        return [Curve(partial(_gamma, v)) if v > 0 else None for v in self.mixing.tolist()]


def _gamma(variance: float, z: Array) -> Array:
    shape = 1 / variance
    return np.asarray(variance * np.where(z > 0, gammainccinv(shape, ndtr(-z)), gammaincinv(shape, ndtr(z))))


def truncated(law: Severity, edge: float) -> Array:
    """``E[Y^k; Y ≤ edge]`` for k = 1, 2, 3; the third by integrating ``3x²(S(x) − S(edge))``.

    Examples
    --------
    >>> from actuarial.severity import Gamma
    >>> truncated(Gamma(1.0, 1.0), 60.0).round(6).tolist()   # the exponential: k!
    [1.0, 2.0, 6.0]
    """
    if edge <= 0:
        return np.zeros(3)
    u = np.linspace(np.log(edge) - 16, np.log(edge), 20_001)
    x = np.exp(u)
    y = 3 * x**3 * (law.survivals(x) - law.survival(edge))
    weights = np.ones(len(u))
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    third = float(weights @ y) * (u[1] - u[0]) / 3
    return np.array([float(law.partial(1, edge)), float(law.partial(2, edge)), third])


def plan_large(
    laws: tuple[Severity, ...],
    counts: Array,
    mean: Array,
    dispersion: float,
    month: float,
    plain: Array | None,
) -> LargeClaims | None:
    """What has to be apart, or None where three moments of all claims are enough.

    Parameters
    ----------
    laws : tuple of Severity
        Cost of a claim over its mean.
    counts : ndarray, shape (C,)
        Claims expected in the year.
    mean : ndarray, shape (C,)
        Mean cost of a claim in the base year [yuan]: growth does not move the threshold.
    dispersion : float
        Variance over mean of the counts.
    month : float
        Share of the leanest month.
    plain : ndarray, shape (2, C), or None
        Second and third cumulant per claim where they are known; None for laws without a third moment.
    """
    live = (counts > 0) & (mean > 0)
    total = float(counts[live].sum())
    if not live.any():
        return None
    if (
        plain is not None
        and _skewness(counts * mean**2 * plain[0], counts * mean**3 * plain[1], month) <= SKEWNESS
    ):
        return None
    mixing = np.divide(dispersion - 1, counts, out=np.zeros_like(counts), where=live)
    if total <= MOST:
        return LargeClaims(laws, live.astype(float), np.zeros((3, len(laws))), mixing, total)
    for wanted in (*_STEPS, MOST):
        edge = _threshold(laws, counts, mean, live, wanted)
        cuts = [edge / m if ok else 0.0 for m, ok in zip(mean, live, strict=True)]
        bulk = np.stack([truncated(law, c) for law, c in zip(laws, cuts, strict=True)], axis=1)
        if _skewness(counts * mean**2 * bulk[1], counts * mean**3 * bulk[2], month) <= SKEWNESS:
            break
    share = np.array([law.survival(c) if ok else 0.0 for law, c, ok in zip(laws, cuts, live, strict=True)])
    return LargeClaims(laws, share, bulk, mixing, wanted)


def _skewness(k2: Array, k3: Array, month: float) -> float:
    return float(k3.sum() / k2.sum() ** 1.5 / np.sqrt(max(month, 1e-3))) if k2.sum() > 0 else 0.0


def _threshold(
    laws: tuple[Severity, ...], counts: Array, mean: Array, live: NDArray[np.bool_], wanted: float
) -> float:
    """Yuan above which so many claims are expected, by bisection in the logarithm."""
    low, high = np.log(mean[live].min()) - 20, np.log(mean[live].max()) + 30
    for _ in range(80):
        middle = (low + high) / 2
        at = np.exp(middle)
        over = sum(
            n * law.survival(at / m) for law, n, m, ok in zip(laws, counts, mean, live, strict=True) if ok
        )
        low, high = (middle, high) if over > wanted else (low, middle)
    return float(np.exp(high))


def frequency(large: LargeClaims, z: Array) -> Array:
    """The year's gamma factors for standard normals, shape (rows, C); 1 where counts are Poisson."""
    theta = np.ones_like(z)
    for c, curve in enumerate(large.gammas):
        if curve is not None:
            theta[:, c] = np.maximum(curve(z[:, c]), 0.0)
    return theta


def poisson_counts(u: Array, mean: Array) -> NDArray[np.int64]:
    """Poisson numbers by inversion of one uniform each.

    Examples
    --------
    >>> poisson_counts(np.array([0.1, 0.5, 0.99]), np.array([1.0, 1.0, 1.0])).tolist()
    [0, 1, 4]
    """
    out = np.zeros(len(u), dtype=np.int64)
    big = mean > 600
    if big.any():
        out[big] = poisson.ppf(u[big], mean[big]).astype(np.int64)
    at = np.flatnonzero(~big)
    out[at] = sum_terms(u[at], np.exp(-mean[at]), mean[at])
    return out


def large_claims(
    large: LargeClaims, c: int, count: NDArray[np.int64], severity: Array, shares: Array,
    sizes: np.random.Generator, months: np.random.Generator, width: int,
) -> Array:  # fmt: skip
    """Claims by month of one category that are drawn one by one, shape (rows, 12) [yuan].

    Parameters
    ----------
    large : LargeClaims
    c : int
        Category.
    count : ndarray, shape (rows,)
    severity : ndarray, shape (rows,)
        Mean cost of a claim on each path [yuan].
    shares : ndarray, shape (12,)
    sizes, months : Generator
        Uniforms, a row of `width` for each further claim of the paths.
    width : int
        Paths of a whole chunk.
    """
    rows, most, out = len(count), int(count.max(initial=0)), np.zeros((len(count), len(shares)))
    guide, severity = month_guide(shares), np.ascontiguousarray(severity)
    for j in range(most):
        u, v = sizes.random(width)[:rows], months.random(width)[:rows]
        add_claims(large.sizes[c], u, v, j, count, severity, guide, out)
    return out
