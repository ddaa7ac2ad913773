"""Benefit rules: schedules, repricing, the policy factor, layers and the printed ``simple`` calculation.

The *policy factor* is what last year's claims would have cost under next year's rules over what
they cost under the old.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actuarial.benefits.layer import load_benefit_layer
from actuarial.benefits.loading import load_schedule
from actuarial.benefits.planned import band_rules, plan_policy
from actuarial.benefits.schedule import BenefitSchedule
from actuarial.benefits.simple import SimpleTarget, simple_target
from actuarial.benefits.stated import PolicyFactor, stated_policy_factor

if TYPE_CHECKING:
    from actuarial.benefits.factor import RepricedFactor, month_weighted_factor, policy_factor
    from actuarial.benefits.fit import FitReport
    from actuarial.benefits.repricing import Repricing, Resident, reprice
    from actuarial.benefits.sorted_file import sort_claims
    from actuarial.benefits.use import UseAssumption

__all__ = [
    "BenefitSchedule", "FitReport", "PolicyFactor", "RepricedFactor", "Repricing", "Resident", "SimpleTarget",
    "UseAssumption", "band_rules", "load_benefit_layer", "load_schedule", "month_weighted_factor", "plan_policy", "policy_factor", "reprice", "simple_target",
    "sort_claims", "stated_policy_factor",
]  # fmt: skip

_LAZY = {
    "FitReport": "fit", "RepricedFactor": "factor", "Repricing": "repricing", "Resident": "repricing",
    "UseAssumption": "use", "month_weighted_factor": "factor", "policy_factor": "factor", "reprice": "repricing", "sort_claims": "sorted_file",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Names that need the compiled kernel are loaded when first used."""
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(f"actuarial.benefits.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'actuarial.benefits' has no attribute {name!r}")
