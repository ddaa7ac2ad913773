"""A plan's own forecast of next year's cost, for what simulates many plans."""

from __future__ import annotations

from actuarial.benefits import PolicyFactor, plan_policy
from actuarial.cost import CostForecast, cost_forecast
from actuarial.experience import base_year
from actuarial.growth import growth_has_base, plan_growth
from actuarial.plan import Plan


def plan_cost(plan: Plan, *, policy: PolicyFactor | None = None) -> CostForecast:
    """Base, policy factor and growth of a plan, joined.

    Parameters
    ----------
    plan : Plan
    policy : PolicyFactor, optional
        The policy factor, where it is known already (repricing takes a while).

    Examples
    --------
    >>> import actuarial as act
    >>> plan_cost(act.load_plan(act.sample_path("jieshou/plan.yaml"))).dimension
    11
    """
    growth = plan_growth(plan)
    factor = plan_policy(plan) if policy is None else policy
    return cost_forecast(base_year(plan), factor, growth, base_in_history=growth_has_base(plan, growth))
