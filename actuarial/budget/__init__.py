"""Next year's budget, the year's execution, early warning.

* :mod:`~actuarial.budget.form`: the official form and its three stages (draft, adjusted, final accounts);
* :mod:`~actuarial.budget.draft`: the draft, filled from the simulated fund;
* :mod:`~actuarial.budget.phasing`: the budget by month;
* :mod:`~actuarial.budget.providers`: provider budgets, points, settlement;
* :mod:`~actuarial.budget.indicators`: indicators with their limits.
"""

from actuarial.budget.draft import BudgetDraft, budget_draft
from actuarial.budget.form import OfficialForm, budget_form, fill_form
from actuarial.budget.indicators import indicators
from actuarial.budget.phasing import YearBudget, base_year_budget
from actuarial.budget.providers import (
    allot_budgets,
    group_points,
    provider_budgets,
    settle_points,
    settle_providers,
)
from actuarial.budget.template import fill_template

__all__ = [
    "BudgetDraft",
    "OfficialForm",
    "YearBudget",
    "allot_budgets",
    "base_year_budget",
    "budget_draft",
    "budget_form",
    "fill_form",
    "fill_template",
    "group_points",
    "indicators",
    "provider_budgets",
    "settle_points",
    "settle_providers",
]
