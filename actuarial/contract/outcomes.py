r"""A sample of yearly outcomes, sorted once, on which any :class:`~actuarial.layers.Piecewise` is exact and quick.

With the outcomes sorted and their first two powers summed from below, the mean of :math:`F(x+s)` over the sample is a sum
over the segments of :math:`F` — two look-ups each — whatever the number of paths. So a hundred targets, a hundred savings or a
thousand curves cost as much as one pass over the paths.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import Fault, InputError
from actuarial.layers import Piecewise

Array = NDArray[np.float64]


def claims_of(claims: ArrayLike) -> Array:
    """Claims of simulated years, checked: shape (n,), or (n, 12) by month [yuan].

    Raises
    ------
    InputError
        If there is none, one is not a number, or the shape is neither (n,) nor (n, 12).

    Examples
    --------
    >>> claims_of(5).shape
    (1,)
    """
    paid = np.atleast_1d(np.asarray(claims, dtype=np.float64))
    if paid.ndim not in {1, 2} or (paid.ndim == 2 and paid.shape[1] != 12) or not paid.size:
        raise InputError([Fault("bargain.shape", params={"shape": "×".join(map(str, paid.shape)) or "0"})])
    if not np.isfinite(paid).all():
        raise InputError([Fault("contract.amount", params={"name": "claims", "value": "NaN"})])
    return paid


def year_of(claims: ArrayLike) -> Array:
    """Claims by path as yearly sums, shape (n,) [yuan].

    Raises
    ------
    InputError
        As :func:`claims_of`.
    """
    paid = claims_of(claims)
    return paid @ np.ones(12) if paid.ndim == 2 else paid


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Outcomes ``x = target − claims`` of simulated years [yuan].

    Parameters
    ----------
    x : array_like, shape (n,)
        Finite; any order.

    Raises
    ------
    ValueError
        If there is none, or one is not finite (the callers refuse these with words of their own).

    Examples
    --------
    >>> found = Outcomes([-2.0, 0.0, 1.0, 5.0])
    >>> found.mean(Piecewise([0.0], [0.0, 0.5]))
    0.75
    >>> found.mean(Piecewise([0.0], [0.0, 0.5]), shift=[0.0, 1.0]).tolist()
    [0.75, 1.125]
    """

    x: ArrayLike

    def __post_init__(self) -> None:
        given = np.sort(np.asarray(self.x, dtype=np.float64).ravel())
        if not given.size or not np.isfinite(given[[0, -1]]).all():
            raise ValueError("outcomes must be finite and at least one")
        object.__setattr__(self, "x", given)

    @classmethod
    def of_sorted(cls, x: Array) -> Outcomes:
        """Outcomes that are finite and ascending already."""
        found = cls.__new__(cls)
        object.__setattr__(found, "x", x)
        return found

    @property
    def sorted(self) -> Array:
        """The outcomes, ascending."""
        return self.x  # type: ignore[return-value]

    @property
    def n(self) -> int:
        """Number of paths."""
        return len(self.sorted)

    @cached_property
    def _centre(self) -> float:
        return float(self.sorted.mean())

    @cached_property
    def _sums(self) -> Array:
        """Sums of 1, u and u² from below, ``u = x − mean``; shape (3, n + 1)."""
        u = self.sorted - self._centre
        out = np.zeros((3, self.n + 1))
        out[0, 1:] = np.arange(1, self.n + 1)
        out[1, 1:], out[2, 1:] = np.cumsum(u), np.cumsum(u * u)
        return out

    def moments(self, curve: Piecewise, shift: ArrayLike = 0.0) -> tuple[Array, Array]:
        """Mean and standard deviation of ``curve(x + shift)``, for each shift.

        The sample's own moments, divided by n and by n − 1.
        """
        moved = np.atleast_1d(np.asarray(shift, dtype=np.float64))
        side = "right" if curve.closed == "right" else "left"  # how many lie in the segments below
        cut = np.searchsorted(self.sorted, np.array(curve.edges)[None, :] - moved[:, None], side=side)  # type: ignore[call-overload]
        ends = np.concatenate([np.zeros((len(moved), 1), int), cut, np.full((len(moved), 1), self.n)], axis=1)
        first = np.zeros(len(moved))
        second = np.zeros(len(moved))
        anchors, slopes = line_points(curve), np.array(curve.slopes)
        level = curve(anchors)
        for k, (low, high) in enumerate(pairwise(range(ends.shape[1]))):
            count, u1, u2 = self._sums[:, ends[:, high]] - self._sums[:, ends[:, low]]
            d = self._centre + moved - anchors[k]  # distance from the anchor is u + d
            s1 = u1 + count * d
            s2 = u2 + 2 * d * u1 + count * d * d
            first += count * level[k] + slopes[k] * s1
            second += count * level[k] ** 2 + 2 * level[k] * slopes[k] * s1 + slopes[k] ** 2 * s2
        mean = first / self.n
        spread = np.maximum(second / self.n - mean * mean, 0.0)
        return mean, np.sqrt(spread * self.n / max(self.n - 1, 1))

    def mean(self, curve: Piecewise, shift: ArrayLike = 0.0) -> float | Array:
        """Mean of ``curve(x + shift)``: one number for one shift, else an array."""
        found = self.moments(curve, shift)[0]
        return float(found[0]) if np.ndim(shift) == 0 else found

    def probability(self, low: float, high: float) -> float:
        """Share of paths with ``low < x ≤ high``."""
        a, b = np.searchsorted(self.sorted, [low, high], side="right")
        return float(b - a) / self.n

    def quantile(self, p: ArrayLike) -> Array:
        """Linear quantiles."""
        return np.quantile(self.sorted, np.asarray(p, dtype=np.float64))


def line_points(curve: Piecewise) -> Array:
    """A point strictly inside each segment, near the segment's own edge so that little is lost to rounding."""
    edges = curve.edges
    if not edges:
        return np.array([curve.anchor[0]])
    inner = [(a + b) / 2 for a, b in pairwise(edges)]
    step = max(1.0, abs(edges[0]), abs(edges[-1])) * 1e-3
    return np.array([edges[0] - step, *inner, edges[-1] + step])


def tail_count(n: int, share: float) -> tuple[int, float]:
    """Whole paths and the fraction of the next one that make up `share` of `n`.

    Examples
    --------
    >>> tail_count(50, 0.05)
    (2, 0.5)
    """
    exact = n * share
    whole = min(math.floor(exact + 1e-9), n)
    return whole, max(exact - whole, 0.0)
