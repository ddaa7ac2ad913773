"""Next year's budget: the official form, provider budgets, indicators with their limits.

The draft takes its income from the payers' amounts, its spending from the **mean** of the
simulated year (a budget is an expectation; the risk stands in the premium target), and last year's
column from the base year as annualised. Amounts are in yuan here; the workbook shows 万元.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import yaml

from actuarial.errors import DataWarning, warn
from actuarial.fund import Simulation
from actuarial.law import list_laws, load_law
from actuarial.plan import Plan
from actuarial.results import Result, Source
from actuarial.tables import terms
from actuarial.texts import language


@cache
def budget_form() -> dict[str, Any]:
    """The official form: lines by side, in printed order."""
    return yaml.safe_load(files(__package__).joinpath("form.yaml").read_text(encoding="utf-8"))


def fill_form(values: dict[str, float]) -> dict[str, float]:
    """Complete entered lines with the form's sums and differences.

    Parameters
    ----------
    values : dict
        Entered lines; lines that are not given count as 0. Sums are computed, never taken.

    Examples
    --------
    >>> v = fill_form({"contributions": 28219, "subsidy": 49755, "interest": 525, "brought_forward": 36845,
    ...                "inpatient": 59585, "outpatient": 11380, "cii": 6907})
    >>> v["revenue_total"], v["closing_balance"], v["revenue_grand"] == v["expenditure_grand"]
    (78499.0, 37472.0, True)
    """
    lines = {**budget_form()["revenue"], **budget_form()["expenditure"]}
    filled = dict.fromkeys(lines, 0.0) | {
        k: v for k, v in values.items() if "sum" not in lines[k] and "minus" not in lines[k]
    }

    def value(name: str) -> float:
        line = lines[name]
        if "sum" in line:
            return sum(value(part) for part in line["sum"])
        if "minus" in line:
            first, second = line["minus"]
            return value(first) - value(second)
        return filled[name]

    return {name: value(name) for name in lines}


@dataclass(frozen=True, eq=False)
class BudgetDraft(Result):
    """The draft in the official form.

    Parameters
    ----------
    premium : float
        Amount per head that the draft rests on [yuan/person/year].
    last, draft : dict
        Amount of each line [yuan]: last year's expected execution, next year's draft.
    """

    premium: float
    last: dict[str, float]
    draft: dict[str, float]

    @property
    def table(self) -> pd.DataFrame:
        """Side, line, label, last year, draft [yuan], in printed order."""
        rows = [
            {
                "side": side,
                "line": name,
                "label": line[language()],
                "last": self.last[name],
                "draft": self.draft[name],
            }
            for side in ("revenue", "expenditure")
            for name, line in budget_form()[side].items()
        ]
        return pd.DataFrame(rows)


def budget_draft(sim: Simulation, premium: float | None = None) -> BudgetDraft:
    """Next year's budget at an amount per head, and last year's expected execution beside it.

    Parameters
    ----------
    sim : Simulation
    premium : float, optional
        All payers together; the present standard if not given [yuan/person/year].

    Notes
    -----
    Interest is what makes the mean balances close: the mean closing balance less the mean opening,
    income and spending.
    """
    fund, plan = sim.fund, sim.fund.plan
    p = sim.standard if premium is None else float(premium)
    rise = fund.financing.rise(p).set_index("payer")["new_per_capita"]
    received = fund.financing.cumulative[12]
    heads = float(sim.arrays.heads.mean())
    income = rise * received * heads
    individual = float(income.get("individual", 0.0))
    # the calendar's proportions are those of the present standard (see fund.calendar)
    scale = p * float(sim.setting.receipts.sum()) * heads / float(income.sum()) if income.sum() else 1.0
    own, subsidy = individual * scale, float(income.drop("individual", errors="ignore").sum()) * scale

    per_category = sim.cost.table.set_index("category")["next_year_per_capita"]
    spent = sim.claims.sum(axis=1).mean() * per_category / per_category.sum()
    draft = {
        "contributions": own,
        "subsidy": subsidy,
        "subsidy_standard": subsidy,
        "brought_forward": float(sim.opening.mean()),
        "cii": heads * float(sim.setting.premium_per_head.sum()),
        "other_revenue": sim.setting.late_income,
        **_by_form_line(spent),
    }
    closing = sim.expected_closing_balance(p)
    income_in_all = own + subsidy + draft["other_revenue"] + draft["brought_forward"]
    flows = income_in_all - draft["cii"] - draft["inpatient"] - draft["outpatient"]
    draft["interest"] = closing - flows
    return BudgetDraft(p, fill_form(_last_year(sim, plan)), fill_form(draft),
                       sources=(*sim.sources, Source("form", budget_form()["source"])))  # fmt: skip


def _by_form_line(by_category: pd.Series) -> dict[str, float]:
    """Spending by line of the form; categories that no word is known for count as outpatient."""
    lines = {"inpatient": 0.0, "outpatient": 0.0}
    unknown = [str(c) for c in by_category.index if str(c) not in terms()]
    if unknown:
        warn(DataWarning, "fund.unknown_category", categories="、".join(unknown))
    for category, amount in by_category.items():
        lines[terms().get(str(category), {}).get("form", "outpatient")] += float(amount)
    return lines


def _last_year(sim: Simulation, plan: Plan) -> dict[str, float]:
    """Base year: income due by the rest of the year, mean annualised spending."""
    arrears = sim.fund.arrears
    came_in = (
        "due" if len(sim.setting.stub) else "received"
    )  # what is outstanding arrives by the year's end, or after it
    frame = arrears.frame.set_index("payer")[came_in]
    total, opening = float(frame.sum()), plan.model.opening
    if "individual" in frame:
        own = float(frame["individual"])
    else:  # one sum for all payers: split by the present amounts
        weight = sim.fund.financing.payers.set_index("payer")["weight"]
        own = total * float(weight.get("individual", 0.0))
    spent = sim.arrays.base_total.mean() * pd.Series(
        sim.cost.base.category_per_capita / sim.cost.base.category_per_capita.sum(), index=sim.cost.categories
    )
    values = {
        "contributions": own,
        "subsidy": total - own,
        "subsidy_standard": total - own,
        "brought_forward": opening.free.value + (opening.prepaid.value if opening.prepaid else 0.0),
        "other_expenditure": opening.unpaid_claims.value if opening.unpaid_claims else 0.0,
        "cii": sim.fund.base_year_premium,
        **_by_form_line(spent),
    }
    flows = values["contributions"] + values["subsidy"] + values["brought_forward"] - float(spent.sum())
    values["interest"] = float(sim.opening.mean()) - flows + values["other_expenditure"] + values["cii"]
    return values


# --------------------------------------------------------------------------- providers, indicators


def provider_budgets(plan: Plan) -> pd.DataFrame | None:
    """Provider budgets, each as a share of the income of the year, with overspending where stated.

    Returns
    -------
    DataFrame or None
        ``provider``, ``budget``, ``overspend`` [yuan], ``share_of_income``; None without such a table.
    """
    if "providers" not in plan.tables:
        return None
    frame = plan.tables["providers"].frame[["provider", "budget"]].copy()
    over = plan.tables["providers"].frame.get("overspend")
    frame["overspend"] = np.nan if over is None else over
    income = plan.model.financing.base_year
    due = income.due.value if income else float(plan.tables["payers"].frame["due"].sum())
    frame["share_of_income"] = frame["budget"] / due
    return frame


def indicators(sim: Simulation, premium: float | None = None) -> pd.DataFrame:
    """Indicators of the planned year with the limits that law files set.

    Returns
    -------
    DataFrame
        ``indicator``, ``value``, ``limit``, ``within`` (None where there is no limit), ``law``, ``status``.
    """
    draft = budget_draft(sim, premium).draft
    income = draft["revenue_total"]
    values = {
        "fund_use_ratio": draft["expenditure_total"] / income,
        "current_balance_ratio": draft["current_balance"] / income,
        "cumulative_balance_ratio": draft["closing_balance"] / income,
        "payable_months": sim.months_payable(premium),
    }
    limits = {law.payload.indicator: law for law in map(load_law, list_laws("threshold"))}
    rows = []
    for name, value in values.items():
        law = limits.get(name)
        limit = law.payload.at_most if law else None
        rows.append(
            {
                "indicator": name,
                "value": value,
                "limit": np.nan if limit is None else limit,
                "within": None if limit is None else bool(value <= limit),
                "law": law.id if law else "",
                "status": law.envelope.status if law else "",
            }
        )
    return pd.DataFrame(rows)
