"""Next year's budget, the year's execution, early warning.

* :mod:`~actuarial.budget.form`: the official form and its three stages (draft, adjusted, final accounts);
* :mod:`~actuarial.budget.draft`: the draft, filled from the simulated fund;
* :mod:`~actuarial.budget.phasing`: the budget by month;
* :mod:`~actuarial.budget.providers`, :mod:`~actuarial.budget.allotment`, :mod:`~actuarial.budget.points`: provider budgets,
  stated or from volumes, points, settlement;
* :mod:`~actuarial.budget.indicators`: indicators with their limits;
* :mod:`~actuarial.budget.actual`, :mod:`~actuarial.budget.execution`, :mod:`~actuarial.budget.monitor`: what a year has seen, against its budget;
* :mod:`~actuarial.budget.projection`, :mod:`~actuarial.budget.outlook`: the year's end, given the months seen, and its parts;
* :mod:`~actuarial.budget.warning`, :mod:`~actuarial.budget.alarm_errors`: rules of early warning, and how often they err.
"""

from actuarial.budget.actual import Actual, plan_actual, read_actual
from actuarial.budget.alarm_errors import national_errors, simulated_errors
from actuarial.budget.allotment import allot_budgets
from actuarial.budget.draft import BudgetDraft, budget_draft
from actuarial.budget.form import OfficialForm, budget_form, fill_form, form_source
from actuarial.budget.indicators import indicators
from actuarial.budget.monitor import Monitor, monitor
from actuarial.budget.phasing import YearBudget, base_year_budget
from actuarial.budget.points import group_points, settle_points
from actuarial.budget.providers import provider_budgets, settle_providers
from actuarial.budget.template import check_template, fill_template
from actuarial.budget.warning import WarningReport, load_rules, warnings_of

__all__ = [
    "Actual",
    "BudgetDraft",
    "Monitor",
    "OfficialForm",
    "WarningReport",
    "YearBudget",
    "allot_budgets",
    "base_year_budget",
    "budget_draft",
    "budget_form",
    "check_template",
    "fill_form",
    "fill_template",
    "form_source",
    "group_points",
    "indicators",
    "load_rules",
    "monitor",
    "national_errors",
    "plan_actual",
    "provider_budgets",
    "read_actual",
    "settle_points",
    "settle_providers",
    "simulated_errors",
    "warnings_of",
]
