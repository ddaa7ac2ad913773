"""One predictive distribution: an average of Student distributions, truncated at documented bounds.

Growth is held as a table from standard normal to log growth, which every question reads: quantiles, draws
and means agree with each other, and the factor rises with its normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit

Array = NDArray[np.float64]
_NODES = np.concatenate([np.linspace(-1, 1, 241) * 6.0, np.sinh(np.linspace(-1, 1, 162)) * 60 / np.sinh(1)])
_MIDPOINTS = (np.arange(4000) + 0.5) / 4000
_LEAST = 1e-7
"""Members of less weight are left out; they could not move a quantile by a visible amount."""


@dataclass(frozen=True, eq=False)
class Predictive:
    """Log growth of one fund over one horizon.

    Parameters
    ----------
    weight, location, scale, dof : ndarray, shape (kinds,)
        Of the Student members.
    low, high : float
        Bounds of the log growth; the mass beyond them is removed.
    """

    weight: Array
    location: Array
    scale: Array
    dof: Array
    low: float
    high: float

    @classmethod
    def of(
        cls, weight: Array, location: Array, scale: Array, dof: Array, low: float, high: float
    ) -> Predictive:
        """The same, without members that weigh nothing."""
        keep = weight > _LEAST * weight.max()
        return cls(weight[keep] / weight[keep].sum(), location[keep], scale[keep], dof[keep], low, high)

    def _tails(self, x: Array) -> tuple[Array, Array]:
        """Probability below and above, before truncation."""
        z = (x[:, None] - self.location) / self.scale
        return stdtr(self.dof, z) @ self.weight, stdtr(self.dof, -z) @ self.weight

    @property
    def removed(self) -> float:
        """Probability beyond the bounds."""
        if not self.scale.all():
            return 0.0
        below, above = self._tails(np.array([self.low, self.high]))
        return float(below[0] + above[1])

    @cached_property
    def _table(self) -> PchipInterpolator:
        """Log growth as a function of a standard normal."""
        centre = float(self.weight @ self.location)
        spread = float(np.sqrt(self.weight @ (self.scale**2 + (self.location - centre) ** 2)))
        x = np.unique(centre + spread * _NODES)
        x = np.concatenate([[self.low], x[(x > self.low) & (x < self.high)], [self.high]])
        below, above = self._tails(x)
        kept = 1 - below[0] - above[-1]
        # each tail is measured from its own side: nothing is lost far out
        lower, upper = (below - below[0]) / kept, (above - above[-1]) / kept
        with np.errstate(divide="ignore"):
            z = np.where(lower < 0.5, ndtri(np.clip(lower, 0, 1)), -ndtri(np.clip(upper, 0, 1)))
        good = np.isfinite(z)
        good[good] &= np.concatenate([[True], np.diff(z[good]) > 1e-12])
        return PchipInterpolator(z[good], x[good], extrapolate=False)

    def log_growth(self, z: ArrayLike) -> Array:
        """Log growth for standard normals `z`; rises with `z`, within the bounds."""
        z = np.asarray(z, dtype=np.float64)
        if not self.scale.all():
            return np.full_like(z, float(self.weight @ self.location))
        if len(self.weight) == 1:  # one Student law: exactly
            ends = (np.array([self.low, self.high]) - self.location) / self.scale
            below, upto = stdtr(self.dof, ends)
            t = np.clip(stdtrit(self.dof, below + (upto - below) * ndtr(z)), *ends)
            return np.asarray(self.location[0] + self.scale[0] * t)
        first, last = self._table.x[0], self._table.x[-1]
        return np.asarray(np.clip(self._table(np.clip(z, first, last)), self.low, self.high))

    def quantile(self, q: ArrayLike) -> Array:
        """Quantiles of log growth."""
        return self.log_growth(ndtri(np.asarray(q, dtype=np.float64)))

    def cdf(self, x: ArrayLike) -> Array:
        """Probability at or below `x`, after truncation."""
        x = np.atleast_1d(np.asarray(x, dtype=np.float64))
        if not self.scale.all():
            return np.asarray((x >= float(self.weight @ self.location)).astype(float))
        ends, _ = self._tails(np.array([self.low, self.high]))
        below, _ = self._tails(x)
        return np.asarray(np.clip((below - ends[0]) / (ends[1] - ends[0]), 0, 1))

    def log_density(self, x: float) -> float:
        """Log density at `x`, after truncation."""
        if not self.low <= x <= self.high:
            return -np.inf
        n, z = self.dof, (x - self.location) / self.scale
        each = gammaln((n + 1) / 2) - gammaln(n / 2) - 0.5 * np.log(n * np.pi) - np.log(self.scale)
        density = np.exp(each - (n + 1) / 2 * np.log1p(z * z / n)) @ self.weight
        return float(np.log(density) - np.log1p(-self.removed))

    @cached_property
    def factors(self) -> Array:
        """Growth factors at 4000 equal probabilities, for means, sd and tail means."""
        return np.exp(self.quantile(_MIDPOINTS))

    def crps(self, x: float) -> float:
        """Continuous ranked probability score of log growth `x`, from quantiles at 4000 levels."""
        q = np.log(self.factors)
        over = x - q
        return float(2 * np.mean(np.where(over >= 0, _MIDPOINTS, _MIDPOINTS - 1) * over))
