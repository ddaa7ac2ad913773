"""Benefit rules: schedules, repricing, the policy factor, layers and the printed ``simple`` calculation.

The *policy factor* is what last year's claims would have cost under next year's rules over what
they cost under the old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actuarial.benefits.layer import load_benefit_layer
from actuarial.benefits.schedule import BenefitSchedule, load_schedule
from actuarial.benefits.simple import SimpleTarget, simple_target
from actuarial.benefits.stated import PolicyFactor, stated_policy_factor
from actuarial.law import load_law
from actuarial.plan import Plan, SimplePolicy

if TYPE_CHECKING:
    from actuarial.benefits.reprice import Repricing, Resident, reprice
    from actuarial.benefits.sorted_file import sort_claims

__all__ = [
    "BenefitSchedule", "PolicyFactor", "Repricing", "Resident", "SimpleTarget", "load_benefit_layer", "load_schedule",
    "plan_policy", "reprice", "simple_target", "sort_claims", "stated_policy_factor",
]  # fmt: skip

_LAZY = {"reprice": "reprice", "Repricing": "reprice", "Resident": "reprice", "sort_claims": "sorted_file"}


def __getattr__(name: str) -> Any:
    """Names that need the compiled kernel are loaded when first used."""
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f"actuarial.benefits.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'actuarial.benefits' has no attribute {name!r}")


def plan_policy(plan: Plan) -> PolicyFactor:
    """The policy factor that a plan asks for."""
    spec = plan.model.policy
    if isinstance(spec, SimplePolicy):
        law = load_law(spec.law, "costing")
        value = law.payload.policy_effect_coefficient
        return PolicyFactor(value, spec.sd, "simple", sources=(law.source("policy_effect_coefficient"),))
    return stated_policy_factor(spec.coefficient, spec.sd, source=plan.source("policy", spec))
