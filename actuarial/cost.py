r"""``CostForecast``: next year's per-capita cost as base × policy × growth, jointly drawn.

For category :math:`c` and one draw,

.. math:: C_c = B_c\,U(z_b)\;P(z_p)\;G\!\left(\sqrt{\rho}\,z_g+\sqrt{1-\rho}\,e_c\right)

with :math:`B_c` the annualised base, :math:`U` what the unseen months may add, :math:`P` the policy factor
and :math:`G` the growth factor, whose normals have correlation :math:`\rho` between categories. Systemic
risk only: the simulator adds the randomness of claims, here it would be counted twice.

The draws enter as a **matrix of normals**, one column a factor in a fixed order, so that other
designs (quasi-random, importance sampling) can take their place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from actuarial.benefits import PolicyFactor
from actuarial.experience import AnnualBase
from actuarial.growth import ExpertGrowth, GrowthFit
from actuarial.results import Result

FACTORS = ("base", "policy", "growth", "completion")
"""The common factors, in the order of the columns; one column a category follows."""
_NODES = 2001


@dataclass(frozen=True, eq=False)
class CostForecast(Result):
    """Joint forecast of next year's per-capita cost by category.

    Parameters
    ----------
    base : AnnualBase
    policy : PolicyFactor
    growth : ExpertGrowth or GrowthFit
    """

    base: AnnualBase
    policy: PolicyFactor
    growth: ExpertGrowth | GrowthFit

    @property
    def categories(self) -> list[str]:
        """Categories, in the order of the columns."""
        return self.base.experience.frame["category"].tolist()

    @property
    def dimension(self) -> int:
        """Columns that the matrix of normals needs."""
        return len(FACTORS) + len(self.categories)

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
        rho = self.growth.correlation
        common = z[:, 2:3]
        if rho < 1:
            common = np.sqrt(rho) * common + np.sqrt(1 - rho) * z[:, len(FACTORS) :]
        return self.base_factor(z), self.policy.factor(z[:, 1]), self.growth.factor(common)

    def base_factor(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """The base year over its median: unseen months, and claims not yet paid; shape (n,)."""
        return self.base.factor(z[:, 0]) * self.base.completion_factor(z[:, 3])

    def per_capita(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Next year's cost by category [yuan/person/year], shape (n, categories)."""
        base, policy, growth = self.factors(z)
        cost = self.base.category_per_capita * ((base * policy)[:, None] * growth)
        for n, category in enumerate(self.categories):
            own = growth[:, min(n, growth.shape[1] - 1)]
            cost[:, n] *= self.policy.relative(category) * self.policy.lever(own, category)
        return cost

    def draws(self, paths: int, seed: int = 2012) -> pd.DataFrame:
        """Draws of next year's cost by category, for looking at.

        Parameters
        ----------
        paths, seed : int
        """
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
        z = generator.standard_normal((paths, self.dimension))
        return pd.DataFrame(self.per_capita(z), columns=self.categories)

    def mean_factors(self) -> tuple[float, float, float]:
        """Means of the three factors (midpoint rule over 2001 equal probabilities)."""
        z = ndtri((np.arange(_NODES) + 0.5) / _NODES)
        completion = float(self.base.completion_factor(z).mean())
        base, policy, growth = (
            float(f(z).mean()) for f in (self.base.factor, self.policy.factor, self.growth.factor)
        )
        return base * completion, policy, growth

    def _by_category(self) -> NDArray[np.float64]:
        """What a category's own policy factor and leverage make of the product of the means."""
        z = ndtri((np.arange(_NODES) + 0.5) / _NODES)
        growth = self.growth.factor(z)
        levers = [
            float((growth * self.policy.lever(growth, c)).mean() / growth.mean()) for c in self.categories
        ]
        return np.array([self.policy.relative(c) for c in self.categories]) * levers

    def waterfall(self) -> pd.DataFrame:
        """From last year's cost to next year's, per person: policy, growth, their interaction, and leverage if known.

        The median of each factor is used; the steps add up to next year's cost at these medians exactly.
        """
        median = np.zeros(1)
        base, growth = self.base.category_per_capita, self.growth.factor(median)
        p = float(self.policy.factor(median)[0]) * np.array(
            [self.policy.relative(c) for c in self.categories]
        )
        lever = np.array([float(self.policy.lever(growth, c)[0]) for c in self.categories])
        g = float(growth[0]) - 1
        steps = {
            "base": base,
            "policy": base * (p - 1),
            "growth": base * g,
            "interaction": base * (p - 1) * g,
        }
        if (lever != 1).any():
            steps["leverage"] = base * p * (1 + g) * (lever - 1)
        return pd.DataFrame(
            {"step": steps.keys(), "yuan_per_person": [float(s.sum()) for s in steps.values()]}
        )

    @property
    def table(self) -> pd.DataFrame:
        """Base and expected next year's cost by category [yuan/person/year]."""
        base = self.base.category_per_capita
        return pd.DataFrame(
            {
                "category": self.categories,
                "base_per_capita": base,
                "next_year_per_capita": base * np.prod(self.mean_factors()) * self._by_category(),
            }
        )


def cost_forecast(base: AnnualBase, policy: PolicyFactor, growth: ExpertGrowth | GrowthFit) -> CostForecast:
    """Join base, policy factor and growth into one forecast.

    Examples
    --------
    >>> import actuarial as act
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> from actuarial.experience import base_year
    >>> cost = cost_forecast(base_year(plan), act.stated_policy_factor(1.0), act.expert_growth(0.12, sd=0.05))
    >>> cost.dimension
    11
    """
    return CostForecast(base, policy, growth, sources=(*base.sources, *policy.sources, *growth.sources))
