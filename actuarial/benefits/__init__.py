"""Benefit rules: schedules, repricing, the policy factor, layers and the printed ``simple`` calculation.

The *policy factor* is what last year's claims would have cost under next year's rules over what
they cost under the old.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actuarial.benefits.layer import load_benefit_layer
from actuarial.benefits.schedule import BenefitSchedule, load_schedule
from actuarial.benefits.simple import SimpleTarget, simple_target
from actuarial.benefits.stated import PolicyFactor, stated_policy_factor
from actuarial.law import load_law
from actuarial.plan import Plan, RepricedPolicy, SimplePolicy
from actuarial.tables import ClaimsTable

if TYPE_CHECKING:
    from actuarial.benefits.factor import RepricedFactor, UseAssumption, month_weighted_factor, policy_factor
    from actuarial.benefits.fit import FitReport
    from actuarial.benefits.repricing import Repricing, Resident, reprice
    from actuarial.benefits.sorted_file import sort_claims

__all__ = [
    "BenefitSchedule", "FitReport", "PolicyFactor", "RepricedFactor", "Repricing", "Resident", "SimpleTarget",
    "UseAssumption", "load_benefit_layer", "load_schedule", "month_weighted_factor", "plan_policy", "policy_factor", "reprice", "simple_target",
    "sort_claims", "stated_policy_factor",
]  # fmt: skip

_LAZY = {
    "FitReport": "fit", "RepricedFactor": "factor", "Repricing": "repricing", "Resident": "repricing",
    "UseAssumption": "factor", "month_weighted_factor": "factor", "policy_factor": "factor", "reprice": "repricing", "sort_claims": "sorted_file",
}  # fmt: skip


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
    if isinstance(spec, RepricedPolicy):
        return _repriced(plan, spec)
    return stated_policy_factor(spec.coefficient, spec.sd, source=plan.source("policy", spec))


def _repriced(plan: Plan, spec: RepricedPolicy) -> PolicyFactor:
    """The claims of the base year's observed months under the plan's old and new rules."""
    from actuarial.benefits.factor import UseAssumption, policy_factor
    from actuarial.benefits.repricing import RESIDENT_ROWS, Resident

    assert plan.claims is not None  # the plan's own check sees to it
    readings = {k: r.model_dump(exclude_none=True) for k, r in spec.readings.items()}

    def rules(name: str) -> BenefitSchedule:
        law = load_law(plan.rule_reference(name), "benefit")
        return load_schedule(
            BenefitSchedule(law.with_readings({g: r for g, r in readings.items() if g in law.envelope.gaps}))
        )

    claims: ClaimsTable | Resident = plan.claims
    if plan.claims.rows <= RESIDENT_ROWS:
        first = plan.base_year.year * 12 + plan.base_year.month - 1
        claims = Resident.of(plan.claims).between(first, first + plan.observed_months - 1)
    use = spec.elasticity
    found = policy_factor(
        claims,
        old=[rules(r) for r in ([spec.old] if isinstance(spec.old, str) else spec.old)],
        new=rules(spec.new),
        recode=spec.recode,
        elasticity=UseAssumption(use.value, use.source, use.status) if use else None,
        leverage=spec.leverage and isinstance(claims, Resident),
    )
    return replace(
        found, sd=math.hypot(found.sd, spec.sd), sources=(*found.sources, plan.source("policy", spec))
    )
