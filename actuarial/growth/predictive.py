"""One predictive distribution: an average of Student distributions, truncated at documented bounds.

Growth is held as a table from standard normal to log growth, which every question reads: quantiles, draws
and means agree with each other, and the factor rises with its normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit

Array = NDArray[np.float64]
_REACH = float(np.arcsinh(60 / 0.35))
_NODES = 0.35 * np.sinh(np.linspace(-_REACH, _REACH, 91))
"""Where the distribution is tabulated, in standard deviations: close by the centre, out to sixty."""
_MIDPOINTS = (np.arange(4000) + 0.5) / 4000
_LEAST = 1e-5
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
    def _table(self) -> tuple[Array, Array, Array]:
        """Standard normals, log growth there, and its exact slope: a monotone cubic runs between them."""
        centre = float(self.weight @ self.location)
        spread = float(np.sqrt(self.weight @ (self.scale**2 + (self.location - centre) ** 2)))
        x = centre + spread * _NODES
        x = np.concatenate([[self.low], x[(x > self.low) & (x < self.high)], [self.high]])
        # each tail is measured from its own side: nothing is lost far out
        left = int(np.searchsorted(x, centre))
        t = (x[:, None] - self.location) / self.scale
        below, above = stdtr(self.dof, t[:left]) @ self.weight, stdtr(self.dof, -t[left:]) @ self.weight
        kept = 1 - below[0] - above[-1]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            z = np.concatenate([ndtri((below - below[0]) / kept), -ndtri((above - above[-1]) / kept)])
            slope = np.exp(-0.5 * z * z) * kept / (np.sqrt(2 * np.pi) * (self._density(t) @ self.weight))
        good = np.isfinite(z) & np.isfinite(slope)
        z, x, slope = z[good], x[good], slope[good]
        rising = np.concatenate([[True], np.diff(z) > 1e-9])
        z, x, slope = z[rising], x[rising], slope[rising]
        secant = np.diff(x) / np.diff(z)
        most = 3 * np.minimum(np.append(secant, np.inf), np.insert(secant, 0, np.inf))
        return z, x, np.minimum(slope, most)

    def _density(self, t: Array) -> Array:
        n = self.dof
        constant = np.exp(gammaln((n + 1) / 2) - gammaln(n / 2)) / (np.sqrt(n * np.pi) * self.scale)
        return np.asarray(constant * (1 + t * t / n) ** (-(n + 1) / 2))

    def log_growth(self, z: ArrayLike) -> Array:
        """Log growth for standard normals `z`; rises with `z`, within the bounds."""
        z = np.asarray(z, dtype=np.float64)
        if not self.scale.all():
            return np.full_like(z, float(self.weight @ self.location))
        if len(self.weight) == 1:  # one Student law: exactly
            location, scale, dof = self.location[0], self.scale[0], self.dof[0]
            ends = (np.array([self.low, self.high]) - location) / scale
            below, upto = stdtr(dof, ends)
            return np.asarray(
                location + scale * np.clip(stdtrit(dof, below + (upto - below) * ndtr(z)), *ends)
            )
        nodes, x, slope = self._table
        inside = np.clip(z, nodes[0], nodes[-1])
        i = np.clip(np.searchsorted(nodes, inside, side="right") - 1, 0, len(nodes) - 2)
        width = nodes[i + 1] - nodes[i]
        u = (inside - nodes[i]) / width
        v = 1 - u
        cubic = x[i] * v * v * (1 + 2 * u) + x[i + 1] * u * u * (3 - 2 * u)
        cubic += width * u * v * (slope[i] * v - slope[i + 1] * u)
        return np.asarray(np.clip(cubic, self.low, self.high))

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
        density = float(self._density((x - self.location) / self.scale) @ self.weight)
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
