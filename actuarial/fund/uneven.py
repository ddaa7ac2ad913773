r"""Claims by month where categories do not share one pattern of months: shocks and dated policies.

With factors :math:`v_{cm}` on visits and :math:`u_{cm}` on the cost of a visit, month :math:`m` has the cumulants

.. math:: \kappa_{jm} = N s_m\sum_c \lambda_c v_{cm}\,\gamma_{jc}\,(x_c u_{cm})^j ,

and is drawn like the even year's (:mod:`actuarial.fund.process`, :mod:`actuarial.fund.large`), from the same streams: with all
factors 1 the claims are the same to rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actuarial.fund.kernel import months
from actuarial.fund.large import LargeClaims, frequency, poisson_counts
from actuarial.fund.paths import (
    CHUNK,
    FREQUENCY,
    LARGE_COUNT,
    LARGE_MONTH,
    LARGE_SIZE,
    PROCESS,
    Setting,
    kept_normals,
    normals,
    stream,
)

Array = NDArray[np.float64]


def expected_claims(s: Setting, heads: Array, per_capita: Array, visits: Array, cost: Array) -> Array:
    """Expectation of a month's claims given the path, shape (n, 12) [yuan].

    Parameters
    ----------
    s : Setting
    heads : ndarray, shape (n,)
    per_capita : ndarray, shape (n, C)
        Before the factors [yuan/person/year].
    visits, cost : ndarray, shape (n, C, 12) or (1, C, 12)
        Factors.
    """
    return np.asarray(np.outer(s.shares, heads).T * over_categories(per_capita, visits * cost))


def over_categories(weights: Array, factors: Array) -> Array:
    """Sums of ``weights · factors`` over categories by month, shape (n, 12).

    Parameters
    ----------
    weights : ndarray, shape (n, C)
    factors : ndarray, shape (n, C, 12) or (1, C, 12)
    """
    total = np.zeros((12, len(weights)))
    for c in range(weights.shape[1]):
        total += weights[:, c] * factors[:, c].T
    return total.T


def uneven_claims(
    s: Setting, seed: int, number: int, heads: Array, per_capita: Array, visits: Array, cost: Array
) -> tuple[Array, Array]:
    """Claims by month given each path's heads, cost by category and factors, and their expectation, shape (n, 12) each [yuan].

    Parameters
    ----------
    s, heads, per_capita, visits, cost
        See :func:`expected_claims`.
    seed, number : int
        Of the simulation, and of the chunk.
    """
    expected = expected_claims(s, heads, per_capita, visits, cost)
    if "process" in s.without:
        return expected, expected
    rows = len(heads)
    severity = np.divide(per_capita, s.counts, out=np.zeros_like(per_capita), where=s.counts > 0)
    noise = kept_normals(s, seed, PROCESS, range(12), number, rows)
    scale = np.outer(s.shares, heads).T
    power = visits * cost
    dearer = power if (cost == 1).all() else power * cost
    powers = [power, dearer, dearer if dearer is power else dearer * cost]
    square = severity * severity
    if s.large is None:
        weights = (s.counts * s.spread[0] * square, s.counts * s.spread[1] * (square * severity))
        second, third = (
            scale * over_categories(w, factors) for w, factors in zip(weights, powers[1:], strict=True)
        )
        return _months(expected, second, third, noise), expected
    theta = frequency(
        s.large, normals(seed, FREQUENCY, range(len(s.counts)), s.year, number, rows, fund=s.fund)
    )
    counts, bulk = s.counts * theta, s.large.bulk
    first, second, third = (
        scale * over_categories(counts * bulk[k] * x, powers[k])
        for k, x in enumerate((severity, square, square * severity))
    )
    quiet = s.counts <= 0  # categories without visits have no noise
    first = first + scale * over_categories(per_capita[:, quiet], power[:, quiet])
    claims = _months(first, second, third, noise)
    for c in np.flatnonzero(s.large.share * s.counts > 0).tolist():
        weight = np.broadcast_to(s.shares * visits[:, c], (rows, 12))
        mean = heads * counts[:, c] * s.large.share[c] * weight.sum(axis=1)
        count = poisson_counts(stream(s, seed, LARGE_COUNT, c, number).random(CHUNK)[:rows], mean)
        claims += _one_by_one(s, s.large, c, count, severity[:, c, None] * cost[:, c], weight, seed, number)
    return claims, expected


def _months(first: Array, second: Array, third: Array, z: Array) -> Array:
    """Three moments a month, one normal each; never below zero."""
    skew = np.divide(third, second * np.sqrt(second), out=np.zeros_like(third), where=second > 0)
    spread, one = np.sqrt(second), np.ones(1)
    out = np.empty((12, len(first)))
    for m in range(12):
        out[m] = months(first[:, m], spread[:, m], skew[:, m], one, z[:, m : m + 1])[:, 0]
    return out.T


def _one_by_one(
    s: Setting, large: LargeClaims, c: int, count: NDArray[np.int64], severity: Array, weight: Array, seed: int,
    number: int,
) -> Array:  # fmt: skip
    """Large claims of one category: each with its month by `weight`, and its size by that month's `severity`."""
    rows, most = len(count), int(count.max(initial=0))
    edges = np.cumsum(weight, axis=1)[:, :-1] / weight.sum(axis=1, keepdims=True)
    sizes, places = stream(s, seed, LARGE_SIZE, c, number), stream(s, seed, LARGE_MONTH, c, number)
    out = np.zeros((rows, 12))
    for j in range(most):
        u, v = sizes.random(CHUNK)[:rows], places.random(CHUNK)[:rows]
        has = np.flatnonzero(count > j)
        month = (v[has, None] >= edges[has]).sum(axis=1)
        amount = large.sizes[c](u[has]) * severity[has, month]
        out[has, month] += np.minimum(amount, np.finfo(np.float64).max)
    return out
