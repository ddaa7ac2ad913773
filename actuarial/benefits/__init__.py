"""Benefit rules: schedules, repricing, the policy factor, layers and the printed ``simple`` calculation.

The *policy factor* is what last year's claims would have cost under next year's rules over what
they cost under the old.
"""

from __future__ import annotations

from actuarial.benefits.layer import load_benefit_layer
from actuarial.benefits.simple import SimpleTarget, simple_target
from actuarial.benefits.stated import PolicyFactor, stated_policy_factor
from actuarial.law import load_law
from actuarial.plan import Plan, SimplePolicy

__all__ = [
    "PolicyFactor",
    "SimpleTarget",
    "load_benefit_layer",
    "plan_policy",
    "simple_target",
    "stated_policy_factor",
]


def plan_policy(plan: Plan) -> PolicyFactor:
    """The policy factor that a plan asks for."""
    spec = plan.model.policy
    if isinstance(spec, SimplePolicy):
        law = load_law(spec.law, "costing")
        value = law.payload.policy_effect_coefficient
        return PolicyFactor(value, spec.sd, "simple", sources=(law.source("policy_effect_coefficient"),))
    return stated_policy_factor(spec.coefficient, spec.sd, source=plan.source("policy", spec))
