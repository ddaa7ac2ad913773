r"""Providers with budgets: the fund pays by quota, and a year's saving or overspending is shared at its end.

Of the fund's claims the share :math:`\varphi` is under budgets :math:`B_i`; provider :math:`i` has claims

.. math:: A_i=\varphi\,I\,\frac{B_ie^{\tau z_i}}{\sum_jB_je^{\tau z_j}}

of the year's :math:`I`, and the fund pays :math:`B_i+f_i(A_i-B_i)` with :math:`f_i` from a contract file
(:meth:`actuarial.contract.provider.ProviderRule.sharing`). During the year the rule's monthly share of the budget flows by the season,
what is left is paid in the last month, as :func:`actuarial.budget.settle_providers` does it. Claims under budgets are settled
within the year: a payment lag is that of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actuarial.contract import load_contract
from actuarial.contract.provider import ProviderRule
from actuarial.cost import CostForecast
from actuarial.errors import Fault, InputError
from actuarial.fund.shocks import Start
from actuarial.layers import Piecewise
from actuarial.plan import Plan
from actuarial.plan.risks import ProviderSpec
from actuarial.severity import log_sd

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Providers:
    """Budgets and the rule of sharing.

    Parameters
    ----------
    rule : ProviderRule
    names : tuple of str
    budgets : ndarray, shape (P,)
        [yuan/year]
    share : float
        Of the fund's claims, under budgets.
    deviation : float
        Standard deviation of a provider's claims around its part.
    """

    rule: ProviderRule
    names: tuple[str, ...]
    budgets: Array
    share: float
    deviation: float

    @property
    def curves(self) -> list[Piecewise]:
        """What the fund pays each provider beyond its budget, over spending beyond it."""
        return [self.rule.sharing(b) for b in self.budgets.tolist()]

    def actual(self, claims: Array, z: Array) -> Array:
        """Claims by provider, shape (n, P) [yuan].

        Parameters
        ----------
        claims : ndarray, shape (n,)
            Of the year [yuan].
        z : ndarray, shape (n, P), or (n, 0) where providers do not deviate.
        """
        weight = self.budgets * (np.exp(log_sd(1.0, self.deviation) * z) if z.shape[1] else np.ones((1, 1)))
        return self.share * claims[:, None] * weight / weight.sum(axis=1, keepdims=True)

    def pay(self, claims: Array, z: Array, season: Array) -> Array:
        """What the fund pays for claims under budgets by month, shape (n, 12) [yuan].

        Parameters
        ----------
        claims, z
            See :meth:`actual`.
        season : ndarray, shape (12,)
            Shares of the months.
        """
        actual = self.actual(claims, z)
        by_month, year = np.zeros(len(claims)), np.zeros(len(claims))
        for i, (budget, curve) in enumerate(zip(self.budgets.tolist(), self.curves, strict=True)):
            pays = np.maximum(budget + curve(actual[:, i] - budget), 0.0)
            by_month += np.minimum(budget * self.rule.monthly, pays)
            year += pays
        paid = np.outer(season, by_month).T
        paid[:, -1] += year - by_month
        return paid

    def grown(self, factor: float) -> Providers:
        """The same with budgets that have grown."""
        return replace(self, budgets=self.budgets * factor)


def provider_rule(plan: Plan, spec: ProviderSpec) -> ProviderRule:
    """The rule that a plan names, its gaps read as the plan says."""
    readings = {k: r.model_dump(exclude_none=True) for k, r in spec.readings.items()}
    return ProviderRule(load_contract(plan.rule_reference(spec.rule)).with_readings(readings))


def plan_providers(plan: Plan, cost: CostForecast, starts: tuple[Start, ...]) -> Providers | None:
    """The plan's providers, or None.

    Raises
    ------
    InputError
        If budgets are to be taken from a table that the plan does not have, or none is above 0.
    """
    spec = plan.model.providers
    if spec is None:
        return None
    rule = provider_rule(plan, spec)
    table = plan.tables.get("providers")
    if table is None and spec.budget == "table":
        raise InputError([Fault("risks.no_budgets", file=plan.file)])
    names: tuple[str, ...] = ("all",)
    budgets = np.ones(1)
    if table is not None:
        names = tuple(str(p) for p in table.frame["provider"])
        budgets = table.frame["budget"].to_numpy(dtype=np.float64)
    live = budgets > 0
    if not live.any():
        raise InputError([Fault("risks.no_budgets", file=plan.file)])
    budgets, names = budgets[live], tuple(n for n, ok in zip(names, live, strict=True) if ok)
    if spec.budget == "expected":
        by_category = cost.per_capita(np.zeros((1, cost.dimension)))[0]
        for start in starts:
            dated = float(start.months(np.zeros(1))[0] @ cost.base.coming.shares)
            by_category = np.where(start.categories, by_category * dated, by_category)
        total = plan.model.insured.next_year * float(by_category.sum())
        budgets = budgets / budgets.sum() * spec.share * total
    return Providers(rule, names, budgets * spec.factor, spec.share, spec.deviation)
