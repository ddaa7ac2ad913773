r"""How cost grows after the planned year, on paths.

Deviations of log growth are an autoregression that begins with the planned year's own normal,

.. math:: \epsilon_1=z_1,\qquad \epsilon_y=\varphi\,\epsilon_{y-1}+\sqrt{1-\varphi^2}\,z_y,

so each year's has variance 1. Growth that an expert states has the same law every year given :math:`\epsilon_y`. Growth fitted to a
history has its own predictive :math:`Q_y` of the level :math:`y` years ahead (uncertain drift and damping are in it): the path is at
the quantile of its sum so far,

.. math:: L_y=Q_y\!\left(\frac{\sum_{i\le y}\epsilon_i}{\sqrt{y+2\sum_{k<y}(y-k)\varphi^k}}\right),

which keeps every year's distribution as fitted. Both are multiplied by :math:`(1+g_y)/(1+g_1)` where the plan states a long run:
:math:`g_y` fades to the growth of income plus an excess (:func:`actuarial.growth.drivers.long_run`).

Categories move together or by their correlation, as in the planned year.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from actuarial.cost import FACTORS, CostForecast
from actuarial.fund.paths import SYSTEMIC, normals
from actuarial.growth import GrowthFit
from actuarial.growth.drivers import long_run
from actuarial.growth.forecast import root_of
from actuarial.growth.predictive import Predictive
from actuarial.plan.risks import LongRun

Array = NDArray[np.float64]
COMMON = FACTORS.index("growth")


@dataclass(frozen=True, eq=False)
class Deviations:
    """Where a path's growth stands.

    Parameters
    ----------
    now : ndarray, shape (n, 1 + C)
        The year's deviation: what categories share, then their own.
    total : ndarray, same shape
        Sum of the years so far.
    level : ndarray, shape (n, C)
        Log level since the base year, for fitted growth.
    """

    now: Array
    total: Array
    level: Array


@dataclass(frozen=True, eq=False)
class LaterGrowth:
    """Growth of the years after the planned one.

    Parameters
    ----------
    cost : CostForecast
    years : int
        Years in all, the planned one included.
    autocorrelation : float
    long_run : LongRun or None
    """

    cost: CostForecast
    years: int
    autocorrelation: float
    long_run: LongRun | None

    @cached_property
    def fade(self) -> Array:
        """What the long run makes of each year's growth factor, shape (years,)."""
        if self.long_run is None:
            return np.ones(self.years)
        end = self.long_run
        growth = long_run(
            self.median, end.income_growth, years=self.years, excess=end.excess, from_year=end.from_year,
            half_life=end.half_life,
        )  # fmt: skip
        return np.asarray((1 + growth.to_numpy()) / (1 + self.median))

    @cached_property
    def median(self) -> float:
        """Median growth of the planned year, categories weighted by their base."""
        zero = self.cost.factors(np.zeros((1, self.cost.dimension)))[2][0]
        weights = self.cost.base.category_per_capita
        return float(np.average(np.broadcast_to(zero, weights.shape), weights=weights)) - 1

    def start(self, systemic: Array) -> Deviations:
        """After the planned year, from its systemic normals, shape (n, columns)."""
        columns = [COMMON, *range(len(FACTORS), self.cost.dimension)]
        now = np.ascontiguousarray(systemic[:, columns])
        return Deviations(now, now, self._levels(now, 1))

    def draw(self, seed: int, year: int, number: int, rows: int, *, fund: int = 0) -> Array:
        """Standard normals of a later year, shape (rows, 1 + C)."""
        columns = [COMMON, *range(len(FACTORS), self.cost.dimension)]
        return normals(seed, SYSTEMIC, columns, year, number, rows, fund=fund)

    def step(self, at: Deviations, z: Array, ahead: int) -> tuple[Deviations, Array]:
        """One year on.

        Parameters
        ----------
        at : Deviations
        z : ndarray, shape (n, 1 + C)
        ahead : int
            The year that is reached, counted from the base year: 2 after the planned one.

        Returns
        -------
        Deviations
        growth : ndarray, shape (n, C)
            Growth factor by category.
        """
        phi = self.autocorrelation
        now = phi * at.now + np.sqrt(1 - phi**2) * z
        total = at.total + now
        if isinstance(self.cost.growth, GrowthFit):
            level = self._levels(total, ahead)
            growth = np.exp(level - at.level)
        else:
            level = at.level
            growth = np.broadcast_to(self.cost.growth.factor(self._mixed(now)), level.shape)
        return Deviations(now, total, level), growth * self.fade[ahead - 1]

    def _mixed(self, deviations: Array) -> Array:
        """Normals by category, shape (n, C) or (n, 1) where they move together."""
        growth = self.cost.growth
        if isinstance(growth, GrowthFit) and not growth.single:
            return deviations[:, 1:] @ self._root.T
        rho = growth.correlation
        common = deviations[:, :1]
        return common if rho >= 1 else np.sqrt(rho) * common + np.sqrt(1 - rho) * deviations[:, 1:]

    def _levels(self, total: Array, ahead: int) -> Array:
        """Log level of fitted growth so many years ahead, shape (n, C); zeros for an expert's growth."""
        shape = (len(total), len(self.cost.categories))
        growth = self.cost.growth
        if not isinstance(growth, GrowthFit):
            return np.zeros(shape)
        score = self._mixed(total) / self.spread(ahead)
        parts = growth.forecast(ahead).parts
        if growth.single:
            return np.broadcast_to(parts[0].log_growth(score), shape).copy()
        ordered: list[Predictive] = [parts[k] for k in self._order]
        return np.stack([p.log_growth(score[:, i]) for i, p in enumerate(ordered)], axis=1)

    def spread(self, ahead: int) -> float:
        """Standard deviation of the sum of so many deviations.

        Examples
        --------
        >>> LaterGrowth(None, 1, 0.5, None).spread(2)
        1.7320508075688772
        """
        k = np.arange(1, ahead)
        return float(np.sqrt(ahead + 2 * ((ahead - k) * np.power(self.autocorrelation, k)).sum()))

    @cached_property
    def _order(self) -> list[int]:
        growth = self.cost.growth
        assert isinstance(growth, GrowthFit)
        names = [str(n) for n in growth.names]
        return [names.index(c) for c in self.cost.categories]

    @cached_property
    def _root(self) -> Array:
        growth = self.cost.growth
        assert isinstance(growth, GrowthFit)
        return root_of(growth.forecast(1).correlation[np.ix_(self._order, self._order)])

    def usual(self, ahead: int) -> Array:
        """Median growth factor of a later year by category, shape (C,)."""
        return np.asarray(self._usual[ahead - 2])

    @cached_property
    def _usual(self) -> Array:
        """Median growth of the later years by category, shape (years − 1, C)."""
        columns = np.zeros((1, 1 + len(self.cost.categories)))
        at, found = Deviations(columns, columns, self._levels(columns, 1)), []
        for ahead in range(2, self.years + 1):
            at, growth = self.step(at, columns, ahead)
            found.append(growth[0])
        return np.array(found)

    @cached_property
    def index(self) -> Array:
        """Median cost per head over that of the planned year, by year; shape (years,)."""
        weights = self.cost.table["next_year_per_capita"].to_numpy(dtype=np.float64)
        factors = np.vstack(
            [np.ones((1, len(weights))), np.cumprod(self._usual, axis=0).reshape(-1, len(weights))]
        )
        return np.asarray(factors @ weights / weights.sum())
