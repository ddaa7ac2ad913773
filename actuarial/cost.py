r"""``CostForecast``: next year's per-capita cost as base × policy × growth, jointly drawn.

For category :math:`c` and one draw,

.. math:: C_c = B_c\,U(z_b)\;P(z_p)\;G\!\left(\sqrt{\rho}\,z_g+\sqrt{1-\rho}\,e_c\right)

with :math:`B_c` the annualised base, :math:`U` what the unseen months may add, :math:`P` the policy factor
and :math:`G` the growth factor, whose normals have correlation :math:`\rho` between categories. Systemic
risk only: the simulator adds the randomness of claims, here it would be counted twice.

Growth that was fitted to a history which ends in the base year has seen the base year's error: a base that is really
higher means that the last year grew faster, and the model expects part of that to be taken back or to go on. Such growth
is multiplied by :math:`U(z_b)^{\beta}` with the fit's own sensitivity :math:`\beta`, so that the error is counted once.

The draws enter as a **matrix of normals**, one column a factor in a fixed order, so that other
designs (quasi-random, importance sampling) can take their place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from actuarial.benefits import PolicyFactor
from actuarial.errors import Fault, InputError
from actuarial.experience import AnnualBase
from actuarial.growth import ExpertGrowth, GrowthFit
from actuarial.growth.curve import Curve
from actuarial.growth.forecast import root_of
from actuarial.growth.predictive import Predictive
from actuarial.results import COLOURS, Result, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FACTORS = ("base", "policy", "growth", "completion")
"""The common factors, in the order of the columns; one column a category follows."""
_NODES = 2001
_STEP = 0.02
"""Step of log growth over which leverage is measured."""


@dataclass(frozen=True, eq=False)
class CostForecast(Result):
    """Joint forecast of next year's per-capita cost by category.

    Parameters
    ----------
    base : AnnualBase
    policy : PolicyFactor
    growth : ExpertGrowth or GrowthFit
    shared_base : float
        Sensitivity of growth to the base year's error; 0 where the growth has not seen the base year.
    """

    base: AnnualBase
    policy: PolicyFactor
    growth: ExpertGrowth | GrowthFit
    shared_base: float = 0.0

    @property
    def categories(self) -> list[str]:
        """Categories, in the order of the columns."""
        return list(self._names)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.base.experience.frame["category"])

    @property
    def dimension(self) -> int:
        """Columns that the matrix of normals needs."""
        return len(FACTORS) + len(self._names)

    @cached_property
    def idle(self) -> frozenset[int]:
        """Columns that move nothing: factors that are known, categories that move together."""
        steps = (-3.0, -0.5, 0.0, 0.5, 3.0)
        z = np.concatenate([step * np.eye(self.dimension) for step in steps])
        found = np.column_stack([self.base_factor(z), self.per_capita(z)]).reshape(
            len(steps), self.dimension, -1
        )
        return frozenset(np.flatnonzero((found == found[0]).all(axis=(0, 2))).tolist())

    @cached_property
    def _relative(self) -> list[float]:
        return [self.policy.relative(c) for c in self.categories]

    def factors(
        self, z: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Base, policy and growth factors.

        Parameters
        ----------
        z : ndarray, shape (n, dimension)

        Returns
        -------
        base, policy : ndarray, shape (n,)
        growth : ndarray, shape (n, categories), or (n, 1) where all categories move together
        """
        base = self.base_factor(z)
        growth = self._growth(z)
        if self.shared_base:
            growth = growth * (base**self.shared_base)[:, None]
        return base, self.policy.factor(z[:, 1]), growth

    def _growth(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Growth factors by category, from the common column and the categories' own."""
        normal = np.stack(
            [self._normal(z, n) for n in range(1 if self._together else len(self.categories))], axis=1
        )
        if isinstance(self.growth, GrowthFit) and self._panel:
            parts = self.growth.forecast(1).parts
            return np.exp(
                np.stack([parts[k].log_growth(normal[:, i]) for i, k in enumerate(self._order)], axis=-1)
            )
        return self.growth.factor(normal)

    def base_factor(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """The base year over its median: unseen months, and claims not yet paid; shape (n,)."""
        return self.base.factor(z[:, 0]) * self.base.completion_factor(z[:, 3])

    def per_capita(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Next year's cost by category [yuan/person/year], shape (n, categories)."""
        base = self.base_factor(z)
        common = base * self.policy.factor(z[:, 1])
        shared = base**self.shared_base if self.shared_base else 1.0
        cost, growth = np.empty((len(self._names), len(z))), None
        for n, (category, each) in enumerate(zip(self._names, self.base.category_per_capita, strict=True)):
            if growth is None or not self._together:
                growth = self._curves[n](self._normal(z, n)) * shared
            np.multiply((each * self._relative[n]) * common, growth, out=cost[n])
            cost[n] *= self.policy.lever(growth, category)
        return cost.T

    @cached_property
    def _panel(self) -> bool:
        """Whether growth was fitted by category."""
        return isinstance(self.growth, GrowthFit) and not self.growth.single

    @cached_property
    def _together(self) -> bool:
        """Whether all categories grow alike on every path."""
        return not self._panel and self.growth.correlation >= 1

    @cached_property
    def _curves(self) -> list[Curve]:
        """Growth factor of each category as a function of its normal."""
        if isinstance(self.growth, GrowthFit) and self._panel:
            parts = self.growth.forecast(1).parts
            return [Curve(partial(_factor, parts[k])) for k in self._order]
        return [Curve(self.growth.factor)] * len(self._names)

    @cached_property
    def _order(self) -> list[int]:
        """Places of the categories in a fit by category."""
        names = [str(n) for n in self.growth.names] if isinstance(self.growth, GrowthFit) else []
        return [names.index(c) for c in self._names]

    @cached_property
    def _root(self) -> NDArray[np.float64]:
        """Root of the correlation of the categories' growth, where it was fitted."""
        assert isinstance(self.growth, GrowthFit)
        return root_of(self.growth.forecast(1).correlation[np.ix_(self._order, self._order)])

    def _normal(self, z: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        """The normal that moves the growth of a category, shape (n,)."""
        own = z[:, len(FACTORS) :]
        if self._panel:
            return sum((own[:, i] * r for i, r in enumerate(self._root[n]) if r), np.zeros(len(z)))
        rho = self.growth.correlation
        return z[:, 2] if rho >= 1 else np.sqrt(rho) * z[:, 2] + np.sqrt(1 - rho) * own[:, n]

    def draws(self, paths: int, seed: int = 2012) -> pd.DataFrame:
        """Draws of next year's cost by category, for looking at.

        Parameters
        ----------
        paths, seed : int
        """
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
        z = generator.standard_normal((paths, self.dimension))
        return pd.DataFrame(self.per_capita(z), columns=self.categories)

    @cached_property
    def base_power(self) -> float:
        """Power with which the base year's error enters next year's cost.

        1 where growth has not seen the base year; else 1 and what growth shares of it, times what deductibles and
        ceilings make of growth about its median (leverage is taken as a power there).
        """
        if not self.shared_base:
            return 1.0
        middle = self.growth.factor(np.zeros(1))
        low, high = (float(self._levered((middle * math.exp(step))[:, None])[0]) for step in (-_STEP, _STEP))
        return 1 + self.shared_base * math.log(high / low) / (2 * _STEP)

    def mean_factors(self) -> tuple[float, float, float]:
        """Means of the three factors (midpoint rule over 2001 equal probabilities)."""
        z = ndtri((np.arange(_NODES) + 0.5) / _NODES)
        power = self.base_power
        base = float((self.base.factor(z) ** power).mean())
        completion = float((self.base.completion_factor(z) ** power).mean())
        return base * completion, float(self.policy.factor(z).mean()), self._mean_growth(z)

    def _marginal_growth(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each category's growth factor for the same normals, shape (n, categories)."""
        if isinstance(self.growth, GrowthFit) and not self.growth.single:
            wide = np.repeat(z[:, None], len(self.growth.names), axis=1)
            names = [str(n) for n in self.growth.names]
            return self.growth.factor(wide)[:, [names.index(c) for c in self.categories]]
        return np.repeat(self.growth.factor(z)[:, None], len(self.categories), axis=1)

    def _mean_growth(self, z: NDArray[np.float64]) -> float:
        """Mean growth, weighted by the categories' base."""
        return float(np.average(self._marginal_growth(z).mean(axis=0), weights=self.base.category_per_capita))

    def variance_shares(self, *, paths: int = 20_000, seed: int = 2012) -> VarianceShares:
        """Shapley shares of the variance of next year's cost per head: what would narrow the answer most.

        The factors are independent, so the variance that a set of them explains is a product of second moments; a factor's
        share is its mean contribution over all orders, and the shares sum to the whole. Growth is that of the sum over
        categories, each weighted by its base under the new rules, with what deductibles and ceilings make of it. Where
        growth shares the base's error, that part is the base's: see :attr:`base_power`.

        Parameters
        ----------
        paths, seed : int
            For the total over correlated categories, which has no closed form.
        """
        z = ndtri((np.arange(_NODES) + 0.5) / _NODES)
        power = self.base_power
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
        growth = self._growth(generator.standard_normal((paths, self.dimension)))
        if growth.shape[1] == 1:
            growth = self.growth.factor(z)[:, None]
        moments = {
            "base": self.base.factor(z) ** power,
            "completion": self.base.completion_factor(z) ** power,
            "policy": self.policy.factor(z),
            "growth": self._levered(growth),
        }
        squares = {name: float(np.var(f) / np.mean(f) ** 2) for name, f in moments.items()}
        mean = self.base.per_capita * np.prod([float(f.mean()) for f in moments.values()])
        return VarianceShares(shapley_product(squares), float(mean), squares, sources=self.sources)

    def _levered(self, growth: NDArray[np.float64]) -> NDArray[np.float64]:
        """Growth of all categories together, relative policy factors and leverage in it; shape (n,)."""
        weights = self.base.category_per_capita
        total = np.zeros(len(growth))
        for n, category in enumerate(self.categories):
            own = growth[:, min(n, growth.shape[1] - 1)]
            total += weights[n] * self.policy.relative(category) * own * self.policy.lever(own, category)
        return total / weights.sum()

    def waterfall(self) -> pd.DataFrame:
        """From last year's cost to next year's, per person: policy, growth, their interaction, and leverage if known.

        The median of each factor is used; the steps add up to next year's cost at these medians exactly.
        """
        median = np.zeros(1)
        base, growth = self.base.category_per_capita, self._marginal_growth(median)[0]
        own = np.array([self.policy.relative(c) for c in self.categories])
        p = float(self.policy.factor(median)[0]) * own
        lever = np.array(
            [float(self.policy.lever(g, c)[0]) for g, c in zip(growth[:, None], self.categories, strict=True)]
        )
        steps = {
            "base": base,
            "policy": base * (p - 1),
            "growth": base * (growth - 1),
            "interaction": base * (p - 1) * (growth - 1),
        }
        if (lever != 1).any():
            steps["leverage"] = base * p * growth * (lever - 1)
        return pd.DataFrame(
            {"step": steps.keys(), "yuan_per_person": [float(s.sum()) for s in steps.values()]}
        )

    @property
    def table(self) -> pd.DataFrame:
        """Base and expected next year's cost by category [yuan/person/year]."""
        z = ndtri((np.arange(_NODES) + 0.5) / _NODES)
        growth = self._marginal_growth(z)
        levered = [
            float((growth[:, n] * self.policy.lever(growth[:, n], c)).mean()) * self.policy.relative(c)
            for n, c in enumerate(self.categories)
        ]
        base, policy, _ = self.mean_factors()
        own = self.base.category_per_capita
        return pd.DataFrame(
            {
                "category": self.categories,
                "base_per_capita": own,
                "next_year_per_capita": own * base * policy * np.array(levered),
            }
        )


def _factor(part: Predictive, z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(part.log_growth(z))


@dataclass(frozen=True, eq=False)
class VarianceShares(Result):
    """Which factor carries how much of the variance of next year's cost.

    Parameters
    ----------
    squares : Series
        By factor, its part of the squared coefficient of variation; they sum to that of the whole.
    mean : float
        Mean cost [yuan/person/year].
    single : dict
        By factor, its own squared coefficient of variation, the others still.
    """

    squares: pd.Series
    mean: float
    single: dict[str, float]

    @property
    def total_sd(self) -> float:
        """Standard deviation of next year's cost [yuan/person/year]."""
        return self.mean * float(np.sqrt(self.squares.sum()))

    @property
    def table(self) -> pd.DataFrame:
        """By factor: share of the variance, and the standard deviation [yuan/person/year] that would be left without it."""
        total = float(self.squares.sum())
        share = self.squares / total if total > 0 else self.squares * 0.0
        left = self.mean * np.sqrt(np.maximum(total - self.squares.to_numpy(), 0.0))
        return pd.DataFrame({"factor": self.squares.index, "share": share.to_numpy(), "sd_without": left})

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Shares as bars, the largest on top."""
        with figure_style():
            ax = ax or new_axes(8.0, 2.8)
            table = self.table.sort_values("share")
            names = [text(f"label.factor_{f}", lang) for f in table["factor"]]
            ax.barh(names, 100 * table["share"], color=COLOURS["main"])
            for place, share in enumerate(table["share"]):
                ax.annotate(
                    f"{100 * share:.0f}%".replace("-", "−"),
                    (100 * share, place),
                    xytext=(4 if share >= 0 else -4, 0),
                    textcoords="offset points",
                    va="center",
                    ha="left" if share >= 0 else "right",
                )
            low, high = float(table["share"].min()), float(table["share"].max())
            ax.set_xlim(100 * low - 25 if low < 0 else 0, 108 * max(1.0, high))
            ax.set_xlabel(text("label.variance_share", lang))
        return ax


def shapley_product(squares: dict[str, float]) -> pd.Series:
    """Shapley parts of the squared coefficient of variation of a product of independent factors.

    Examples
    --------
    >>> parts = shapley_product({"a": 0.01, "b": 0.04})
    >>> parts.round(4).tolist(), round(float(parts.sum()), 4)
    ([0.0102, 0.0402], 0.0504)
    """
    names = list(squares)
    n = len(names)
    parts = dict.fromkeys(names, 0.0)
    for size in range(n):
        weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
        for others in combinations(names, size):
            before = math.prod(1 + squares[o] for o in others)
            for name in names:
                if name not in others:
                    parts[name] += weight * before * squares[name]
    return pd.Series(parts)


def cost_forecast(
    base: AnnualBase, policy: PolicyFactor, growth: ExpertGrowth | GrowthFit, *, base_in_history: bool = False
) -> CostForecast:
    """Join base, policy factor and growth into one forecast.

    Parameters
    ----------
    base, policy, growth
    base_in_history : bool
        Whether the growth was fitted to a history that ends in the base year: then its error is shared.

    Raises
    ------
    InputError
        If growth is that of a panel of funds (choose one by ``.fund(name)``), or lacks one of the categories.

    Examples
    --------
    >>> import actuarial as act
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> from actuarial.experience import base_year
    >>> cost = cost_forecast(base_year(plan), act.stated_policy_factor(1.0), act.expert_growth(0.12, sd=0.05))
    >>> cost.dimension
    11
    """
    shared = 0.0
    if isinstance(growth, GrowthFit):
        names = {str(n) for n in growth.names}
        if growth.history.kind == "fund":
            raise InputError([Fault("growth.choose_fund", params={"names": ", ".join(sorted(names))})])
        lacking = [c for c in base.experience.frame["category"].astype(str) if c not in names]
        if not growth.single and lacking:
            raise InputError([Fault("growth.categories", params={"names": ", ".join(lacking)})])
        shared = growth.sensitivity if base_in_history and growth.single else 0.0
    return CostForecast(
        base, policy, growth, shared, sources=(*base.sources, *policy.sources, *growth.sources)
    )
