r"""What every loss distribution can do, from its partial moments.

With :math:`M_k(x)=E[X^k;X\le x]` for :math:`k=0,1,2` in closed form, the limited expected value is
:math:`E[\min(X,e)] = M_1(e)+e\,P(X>e)`, and both moments of any piecewise-linear payment follow
segment by segment:

.. math:: E[F(X)^j] = \sum_i \int_{(e_i,e_{i+1}]} (c_i+s_i x)^j\,dP(x),\qquad j=1,2.

Draws are by inversion of one uniform each, so that the same seed gives the same claims to two laws.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actuarial.layers import Piecewise

Array = NDArray[np.float64]


class Severity(ABC):
    """A distribution of one positive amount [yuan]."""

    name: ClassVar[str]

    if TYPE_CHECKING:

        @property
        def mean(self) -> float:
            """``E[X]`` [yuan]."""

    @abstractmethod
    def survivals(self, x: ArrayLike) -> Array:
        """``P(X > x)``, elementwise; 1 below 0, 0 at infinity."""

    @abstractmethod
    def partial(self, k: int, x: ArrayLike) -> Array:
        """``E[X^k; X ≤ x]`` for ``k`` = 0, 1, 2, elementwise; infinite where the moment is."""

    @abstractmethod
    def log_density(self, x: ArrayLike) -> Array:
        """Logarithm of the density at positive amounts."""

    @abstractmethod
    def quantile(self, p: ArrayLike) -> Array:
        """The amount that is exceeded with probability ``1 − p``; 0 at 0, infinite (or the end) at 1."""

    @abstractmethod
    def scaled(self, factor: float) -> Severity:
        """The law of ``factor × X``: costs after a trend."""

    def survival(self, edge: float) -> float:
        """``P(X > edge)``."""
        return float(self.survivals(edge))

    def cdf(self, edge: float) -> float:
        """``P(X ≤ edge)``."""
        return 1.0 - self.survival(edge)

    def limiteds(self, x: ArrayLike) -> Array:
        """``E[min(X, x)]``, elementwise; 0 at or below 0, the mean at infinity."""
        edge = np.maximum(np.asarray(x, dtype=np.float64), 0.0)
        with np.errstate(invalid="ignore"):
            value = self.partial(1, edge) + np.where(np.isinf(edge), 0.0, edge) * self.survivals(edge)
        return np.where(np.isinf(edge), self.mean, value)

    def limited(self, edge: float) -> float:
        """``E[min(X, edge)]``; the mean at infinity, 0 at or below 0."""
        return float(self.limiteds(edge))

    def excess(self, edge: float) -> float:
        """Mean excess ``E[X − edge | X > edge]``; NaN where nothing lies above."""
        over = self.survival(edge)
        return (self.mean - self.limited(edge)) / over if over > 0 else math.nan

    def expected(self, payment: Piecewise, *, above: float = 0.0, below: float = math.inf) -> float:
        """``E[F(X); above < X ≤ below]``, the whole expectation if no bounds are given.

        Examples
        --------
        >>> from actuarial.severity import Lognormal
        >>> layer = Piecewise([10_000, 40_000], [0, 1, 0])
        >>> round(100 * Lognormal(8000, 2).expected(layer), 6)
        236175.465423
        """
        return self._payment_moment(payment, 1, above, below)

    def second_moment(self, payment: Piecewise, *, below: float = math.inf) -> float:
        """``E[F(X)²; X ≤ below]``, for the variance of compound sums."""
        return self._payment_moment(payment, 2, 0.0, below)

    def _payment_moment(self, payment: Piecewise, power: int, above: float, below: float) -> float:
        inner = [e for e in payment.edges if above < e < below]
        points = [max(above, 0.0), *inner, below]
        total = 0.0
        for low, high in pairwise(points):
            at = (low + high) / 2 if math.isfinite(high) else low + 1.0
            slope = float(payment.slope_at(at))
            level = float(payment(at)) - slope * at
            weights = [level, slope] if power == 1 else [level**2, 2 * level * slope, slope**2]
            for k, weight in enumerate(weights):
                if weight:
                    total += weight * float(self.partial(k, high) - self.partial(k, low))
        return total

    def draw(self, size: int, *, seed: int = 2012, key: tuple[int, ...] = ()) -> Array:
        """Independent draws by inversion, the same for the same `seed` and `key`; shape (size,).

        Examples
        --------
        >>> from actuarial.severity import Lognormal
        >>> Lognormal(8000, 2).draw(3, seed=1).round(2).tolist() == Lognormal(8000, 2).draw(3, seed=1).round(2).tolist()
        True
        """
        return self.quantile(uniforms(size, seed, key))


def uniforms(size: int, seed: int, key: tuple[int, ...] = ()) -> Array:
    """Uniforms strictly between 0 and 1."""
    bits = np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key))
    whole = np.random.Generator(bits).integers(0, 2**52, size, dtype=np.int64)
    return np.asarray((whole + 0.5) * 2.0**-52, dtype=np.float64)
