"""From claim tables to next year's per-capita premium, the insurer's contract and the budget.

The names below are the public interface. They are loaded when first used, so that
``import actuarial`` stays fast.

Examples
--------
>>> import actuarial as act
>>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
>>> plan.name("en")
'Jieshou resident medical insurance fund'
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "read_claims": "tables",
    "read_exposure": "tables",
    "ClaimsTable": "tables",
    "ExposureTable": "tables",
    "check_claims": "tables.claims",
    "new_salt": "tables",
    "write_marked_copy": "tables.marked",
    "experience_from_claims": "experience.claims",
    "run_off": "experience.claims",
    "Triangle": "experience.completion",
    "claims_triangle": "experience.claims",
    "read_triangle": "experience.triangle_tables",
    "complete": "experience.completion",
    "decompose": "experience.drivers",
    "claim_cells": "experience.claim_drivers",
    "year_on_year": "experience.claim_drivers",
    "find_breaks": "experience.breaks",
    "synthetic_claims": "samples.claims",
    "annualisation_backtest": "experience.backtest",
    "ActuarialError": "errors",
    "ActuarialWarning": "errors",
    "DataWarning": "errors",
    "InputError": "errors",
    "ModelWarning": "errors",
    "Answer": "pipeline",
    "AnnualBase": "experience",
    "Contract": "contract",
    "CostForecast": "cost",
    "Experience": "experience",
    "ExpertGrowth": "growth",
    "Fund": "fund",
    "GrowthFit": "growth",
    "MonthlyProfile": "tables",
    "Piecewise": "layers",
    "Plan": "plan",
    "BenefitSchedule": "benefits",
    "FitReport": "benefits",
    "PolicyFactor": "benefits",
    "RepricedFactor": "benefits",
    "Repricing": "benefits",
    "UseAssumption": "benefits",
    "load_schedule": "benefits",
    "month_weighted_factor": "benefits",
    "policy_factor": "benefits",
    "reprice": "benefits",
    "sort_claims": "benefits",
    "MonthlyActuals": "fund",
    "Simulation": "fund",
    "Fleet": "fund.fleet",
    "compare_scenarios": "fund.scenarios",
    "equalise": "fund.pooling",
    "pool": "fund.pooling",
    "reverse_stress": "fund.sensitivity",
    "moving_target": "fund.moving",
    "tornado": "fund.sensitivity",
    "trouble": "fund.trouble",
    "category_costs": "fund.trouble",
    "Source": "results",
    "budget_draft": "budget",
    "build_report": "report",
    "cost_forecast": "cost",
    "expert_growth": "growth",
    "fit_growth": "growth",
    "diff_laws": "law.diff",
    "Forecast": "growth",
    "Prior": "growth",
    "load_prior": "growth",
    "backtest": "growth.backtest",
    "credibility": "growth.credibility",
    "driver_growth": "growth.drivers",
    "ageing_factor": "growth.drivers",
    "income_growth": "growth.drivers",
    "long_run": "growth.drivers",
    "Backtest": "growth.backtest",
    "list_laws": "law",
    "load_benefit_layer": "benefits",
    "load_contract": "contract",
    "Costs": "contract.costs",
    "Effort": "contract.effort",
    "SimpleClaims": "contract.simple",
    "Wanted": "contract.design",
    "compare_offers": "contract.comparison",
    "design_bands": "contract.design",
    "fair_target": "contract.fair",
    "value_of_terms": "contract.term_values",
    "load_law": "law",
    "load_plan": "plan",
    "read_experience": "experience",
    "read_table": "tables",
    "run": "pipeline",
    "what_if": "app",
    "sample_path": "samples",
    "fit_severity": "severity",
    "policy_factor_from_bands": "benefits.aggregates",
    "price_layer": "benefits.pricing",
    "simple_target": "benefits",
    "stated_policy_factor": "benefits",
    "LANGUAGES": "texts",
    "text": "texts",
    "use_language": "texts",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"actuarial.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'actuarial' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
