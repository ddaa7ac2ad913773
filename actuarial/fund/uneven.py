r"""Claims by month where categories do not share one pattern of months: shocks and dated policies.

With factors :math:`v_{cm}` on visits and :math:`u_{cm}` on the cost of a visit, month :math:`m` has the cumulants

.. math:: \kappa_{jm} = N s_m\sum_c \lambda_c v_{cm}\,\gamma_{jc}\,(x_c u_{cm})^j ,

and is drawn like the even year's (:mod:`actuarial.fund.process`, :mod:`actuarial.fund.large`), from the same streams: with all
factors 1 the claims are the same to rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actuarial.fund.kernel import MOST_SKEWED
from actuarial.fund.kernel import noise as series
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
)
from actuarial.fund.process import shifted_lognormal

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
    by_category = np.einsum("nc,ncm->nm", per_capita, visits * cost)
    return np.asarray(heads[:, None] * by_category * s.shares)


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
    scale = heads[:, None] * s.shares
    if s.large is None:
        weights = (s.counts * s.spread[0] * severity**2, s.counts * s.spread[1] * severity**3)
        second, third = (
            scale * np.einsum("nc,ncm->nm", w, visits * cost**k) for w, k in zip(weights, (2, 3), strict=True)
        )
        return _months(expected, second, third, noise), expected
    theta = frequency(
        s.large, normals(seed, FREQUENCY, range(len(s.counts)), s.year, number, rows, fund=s.fund)
    )
    counts, bulk = s.counts * theta, s.large.bulk
    first, second, third = (
        scale * np.einsum("nc,ncm->nm", counts * bulk[k - 1] * severity**k, visits * cost**k)
        for k in (1, 2, 3)
    )
    quiet = s.counts <= 0  # categories without visits have no noise
    first = first + scale * np.einsum("nc,ncm->nm", per_capita[:, quiet], (visits * cost)[:, quiet])
    claims = _months(first, second, third, noise)
    for c in np.flatnonzero(s.large.share * s.counts > 0).tolist():
        weight = np.broadcast_to(s.shares * visits[:, c], (rows, 12))
        mean = heads * counts[:, c] * s.large.share[c] * weight.sum(axis=1)
        count = poisson_counts(_stream(s, seed, LARGE_COUNT, c, number).random(CHUNK)[:rows], mean)
        claims += _one_by_one(s, s.large, c, count, severity[:, c, None] * cost[:, c], weight, seed, number)
    return claims, expected


def _months(first: Array, second: Array, third: Array, z: Array) -> Array:
    """Three moments a month, one normal each; never below zero."""
    skew = np.divide(third, second**1.5, out=np.zeros_like(third), where=second > 0)
    drawn = series(z, skew) if skew.max(initial=0.0) <= MOST_SKEWED else shifted_lognormal(z, skew)
    return np.maximum(first + np.sqrt(second) * drawn, 0.0)


def _stream(s: Setting, seed: int, component: int, column: int, number: int) -> np.random.Generator:
    key = (component, s.fund, column, s.year, number)
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))


def _one_by_one(
    s: Setting, large: LargeClaims, c: int, count: NDArray[np.int64], severity: Array, weight: Array, seed: int,
    number: int,
) -> Array:  # fmt: skip
    """Large claims of one category: each with its month by `weight`, and its size by that month's `severity`."""
    rows, most = len(count), int(count.max(initial=0))
    edges = np.cumsum(weight, axis=1)[:, :-1] / weight.sum(axis=1, keepdims=True)
    sizes, months = _stream(s, seed, LARGE_SIZE, c, number), _stream(s, seed, LARGE_MONTH, c, number)
    out = np.zeros((rows, 12))
    for j in range(most):
        u, v = sizes.random(CHUNK)[:rows], months.random(CHUNK)[:rows]
        has = np.flatnonzero(count > j)
        month = (v[has, None] >= edges[has]).sum(axis=1)
        amount = large.sizes[c](u[has]) * severity[has, month]
        out[has, month] += np.minimum(amount, np.finfo(np.float64).max)
    return out
