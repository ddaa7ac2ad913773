r"""The months of a chunk: random claims given their moments, and balances; compiled for large runs.

The shifted lognormal of :mod:`actuarial.fund.process` is reckoned without a cube root, a logarithm or an exponential of a library. Its
width :math:`u=\sqrt{w-1}` solves :math:`u^3+3u=\gamma`: two Newton steps from the series of the root. With
:math:`L=\ln(1+u^2)/u^2` and :math:`x=\sigma z-\sigma^2/2`, :math:`\sigma=u\sqrt L`,

.. math:: \frac{e^x-1}{u}=\Bigl(\sqrt L\,z-\tfrac u2L\Bigr)\,\frac{e^x-1}{x},

which passes to :math:`z` at :math:`\gamma=0` without a special case. Every step is an addition, multiplication, division or square root, whose
results IEEE 754 fixes: the compiled loop and NumPy give the same bytes, on every processor. So it does not matter which of them runs:
NumPy does small runs, for which loading the compiler would take longer than the work.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actuarial.fund import sizes
from actuarial.fund.process import shifted_lognormal

Array = NDArray[np.float64]
MOST_SKEWED = 1.0
"""Largest skewness of a month that the series serve (to 2e-15); beyond it the closed form is used."""
WORTH, WORTH_IMPORT = 30_000, 150_000
"""Paths asked for so far from which on the compiled loops are loaded: where numba is there already, and where it is not."""

_loading = threading.Lock()
_asked = 0
_noise: Any = None  # compiled
_loops: dict[str, Any] = {}  # compiled, once they are loaded; they change no result


def prepare(paths: int) -> None:
    """Count paths that are asked for; load the compiled loops once there were enough of them."""
    global _noise, _asked
    with _loading:
        _asked += paths
        if not _loops and _asked >= (WORTH if "numba" in sys.modules else WORTH_IMPORT):
            from actuarial.benefits.kernel import jit
            from actuarial.growth import curve

            _noise = jit(noise, inline="always")  # else the loop is not vectorised
            for module in (curve, sizes):
                module.use_compiled(jit)
            _loops.update(months=jit(_months), roll=jit(_roll))


def noise(z: Any, skewness: Any) -> Any:
    """Standard normals to a shifted lognormal of mean 0, variance 1 and skewness from 0 to :data:`MOST_SKEWED`.

    Examples
    --------
    >>> noise(np.array([0.5, 2.0]), 0.0).tolist()
    [0.5, 2.0]
    """
    g = skewness
    h = g * g
    u = g * (1 / 3 - h * (1 / 81 - h * (1 / 729)))
    v = u * u
    u = (2 * u * v + g) / (3 * (v + 1))
    v = u * u
    u = (2 * u * v + g) / (3 * (v + 1))
    v = u * u
    t = 1 / (2 + v)
    s = v * t
    s = s * s
    log = 2 * t * (1 + s * (1 / 3 + s * (1 / 5 + s * (1 / 7 + s * (1 / 9 + s * (1 / 11 + s * (1 / 13)))))))
    w = np.sqrt(log) * z - 0.5 * u * log
    y = 0.125 * (u * w)  # an eighth of the exponent: three doublings bring it back
    p = 1 / 39916800 + y * (1 / 479001600 + y * (1 / 6227020800))
    p = 1 / 40320 + y * (1 / 362880 + y * (1 / 3628800 + y * p))
    p = 1 + y * (1 / 2 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120 + y * (1 / 720 + y * (1 / 5040 + y * p))))))
    e = y * p
    f = e * (2 + e)
    k = f * (2 + f)
    return w * p * (1 + 0.5 * e) * (1 + 0.5 * f) * (1 + 0.5 * k)


def _months(k1: Array, sd: Array, skewness: Array, shares: Array, roots: Array, z: Array, out: Array) -> None:
    for m in range(out.shape[0]):
        share, root, wider = shares[m], roots[m], 1 / roots[m]
        for i in range(out.shape[1]):
            out[m, i] = max(k1[i] * share + sd[i] * root * _noise(z[m, i], skewness[i] * wider), 0.0)


def _roll(
    opening: Array, claims: Array, heads: Array, premium: Array, growth: float, late: float, out: Array
) -> None:
    for i in range(out.shape[1]):
        out[0, i] = opening[i] * growth - claims[0, i] - heads[i] * premium[0] + late
    for m in range(1, out.shape[0]):
        for i in range(out.shape[1]):
            out[m, i] = out[m - 1, i] * growth - claims[m, i] - heads[i] * premium[m]


def months(k1: Array, sd: Array, skewness: Array, shares: Array, z: Array) -> Array:
    """Claims of a chunk by month.

    Parameters
    ----------
    k1, sd, skewness : ndarray, shape (n,)
        Of the year's claims on each path.
    shares : ndarray, shape (12,)
    z : ndarray, shape (n, 12)
        Standard normals, a month's in one piece (the transpose of a C array).

    Returns
    -------
    ndarray, shape (n, 12)
        [yuan], a month's in one piece.
    """
    out = np.empty((len(shares), len(k1)))
    roots = np.sqrt(np.maximum(shares, 1e-12))
    rows = np.ascontiguousarray(z.T)
    if not skewness.max(initial=0.0) <= MOST_SKEWED * roots.min():
        for m, (share, root) in enumerate(zip(shares, roots, strict=True)):
            out[m] = np.maximum(k1 * share + sd * root * shifted_lognormal(rows[m], skewness / root), 0.0)
        return out.T
    if _loops:
        _loops["months"](k1, sd, skewness, shares, roots, rows, out)
        return out.T
    for m, (share, root) in enumerate(zip(shares, roots, strict=True)):
        out[m] = np.maximum(k1 * share + sd * root * noise(rows[m], skewness * (1 / root)), 0.0)
    return out.T


def roll(opening: Array, claims: Array, heads: Array, premium: Array, interest: float, late: float) -> Array:
    """Balance at the end of each month at an amount of 0.

    Parameters
    ----------
    opening : ndarray, shape (n,)
        [yuan]
    claims : ndarray, shape (n, 12)
    heads : ndarray, shape (n,)
    premium : ndarray, shape (12,)
        Critical-illness premium per head and month.
    interest : float
        Of a month.
    late : float
        Comes in in the first month [yuan].
    """
    rows = np.ascontiguousarray(claims.T)
    out = np.empty_like(rows)
    growth = 1 + interest
    if _loops:
        _loops["roll"](opening, rows, heads, premium, growth, late, out)
        return out.T
    level = opening
    for m, paid in enumerate(rows):
        level = level * growth - paid - heads * premium[m]
        if m == 0:
            level = level + late
        out[m] = level
    return out.T


def accumulate(flows: Array, interest: float) -> Array:
    """Balance at the end of each month from flows of the months alone, along the last axis.

    Examples
    --------
    >>> accumulate(np.array([100.0, 0.0, 50.0]), 0.1).round(6).tolist()
    [100.0, 110.0, 171.0]
    """
    out = np.empty_like(flows)
    level: Any = 0.0
    for m in range(flows.shape[-1]):
        level = level * (1 + interest) + flows[..., m]
        out[..., m] = level
    return out


def moments(
    heads: Array, per_capita: Array, weights: Array, theta: Array | None = None
) -> tuple[Array, Array, Array]:
    """Mean, standard deviation and skewness of each path's claims of the year.

    Parameters
    ----------
    heads : ndarray, shape (n,)
    per_capita : ndarray, shape (n, C)
        [yuan/person/year]
    weights : ndarray, shape (3, C)
        First three cumulants per head over the first three powers of the cost per head.
    theta : ndarray, shape (n, C), optional
        Factors of the year on the number of claims.
    """
    k1, k2, k3 = (np.zeros(len(heads)) for _ in range(3))
    for c, (first, second, third) in enumerate(weights.T):
        x = per_capita[:, c]
        y = x if theta is None else x * theta[:, c]
        k1 += first * y
        if second > 0:
            y = y * x
            k2 += second * y
            k3 += third * (y * x)
    k2 *= heads
    sd = np.sqrt(k2)
    return heads * k1, sd, np.divide(heads * k3, k2 * sd, out=np.zeros_like(k3), where=k2 > 0)


def per_cost(cumulants: Array, counts: Array) -> Array:
    """Weights for :func:`moments` from cumulants per claim of mean cost 1 and claims per head, shape (3, C).

    A category without claims counted costs what it costs, without randomness.

    Examples
    --------
    >>> per_cost(np.array([[1.0, 1.0], [2.0, 2.0], [8.0, 8.0]]), np.array([0.5, 0.0])).tolist()
    [[1.0, 1.0], [4.0, 0.0], [32.0, 0.0]]
    """
    live = counts > 0
    safe = np.where(live, counts, 1.0)
    out = np.where(live, cumulants / safe ** np.arange(3)[:, None], 0.0)
    out[0, ~live] = 1.0
    return np.asarray(out)
