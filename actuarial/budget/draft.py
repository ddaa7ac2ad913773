"""Next year's draft: filled from the simulated fund, last year's expected execution beside it.

The draft takes its income from the payers' amounts, its spending from the **mean** of the simulated year (a
budget is an expectation; the risk stands in the premium target), and last year's column from the base year as
annualised. Amounts are in yuan here; the form shows 万元.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from actuarial.budget.form import OfficialForm, budget_form, fill_form, form_source
from actuarial.budget.phasing import CONTRIBUTORS, PARTS_OF_CONTRIBUTIONS, YearBudget, planned_year
from actuarial.budget.providers import provider_budgets
from actuarial.budget.supporting import supporting_table
from actuarial.errors import DataWarning, warn
from actuarial.fund import Simulation
from actuarial.fund.income_views import reserve_table
from actuarial.fund.personal import own_part
from actuarial.plan import Plan
from actuarial.results import Result, Source
from actuarial.tables import terms
from actuarial.texts import language, text

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class BudgetDraft(Result):
    """The draft in the official form.

    Parameters
    ----------
    premium : float
        Amount per head that the draft rests on [yuan/person/year].
    last, draft : dict
        Amount of each line [yuan]: last year's expected execution, next year's draft.
    simulation : Simulation
        What it was filled from.
    """

    premium: float
    last: dict[str, float]
    draft: dict[str, float]
    simulation: Simulation = field(repr=False)

    @cached_property
    def form(self) -> OfficialForm:
        """The draft as the official form."""
        plan = self.simulation.fund.plan
        return OfficialForm(
            "draft", plan.base_year.year + 1, {"last": self.last, "draft": self.draft},
            {lang: plan.name(lang) for lang in ("zh", "en")}, employees=plan.model.personal_accounts is not None,
            sources=self.sources,
        )  # fmt: skip

    @property
    def table(self) -> pd.DataFrame:
        """Side, line, label, last year, draft [yuan], in printed order."""
        return self.form.table

    @cached_property
    def phasing(self) -> YearBudget:
        """The draft by month and item."""
        return planned_year(self.simulation, self.premium, self.draft)

    @cached_property
    def supporting(self) -> pd.DataFrame:
        """The supporting table of indicators: what the amounts rest on; see :func:`supporting_table`."""
        return supporting_table(self.simulation, self.premium, self.last, self.draft)

    def caution(self, lang: str | None = None) -> str | None:
        """What to say where the draft rests on less than the present standard: nobody lowers it in silence."""
        standard = self.simulation.standard
        if self.premium >= standard:
            return None
        return text(
            "budget_words.below_standard", lang, premium=f"{self.premium:g}", standard=f"{standard:g}"
        )

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write the official form, the supporting indicators, the months and the providers as one workbook.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        from actuarial.budget.workbook import write_budget_book

        return write_budget_book(
            path, [self.form], phasing=self.phasing, supporting=self.supporting,
            providers=provider_budgets(self.simulation.fund.plan), valued=self.simulation.fund.plan.model.valuation_date,
            lang=language(lang), remark=self.caution(lang) or "",
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Main lines of last year and of the draft."""
        return self.form.plot(ax, lang)


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
    paid_by_insured = [p for p in income.index if p in CONTRIBUTORS]
    individual = float(income[paid_by_insured].sum())
    # the calendar's proportions are those of the present standard (see fund.calendar)
    scale = p * float(sim.setting.receipts.sum()) * heads / float(income.sum()) if income.sum() else 1.0
    own, subsidy = individual * scale, float(income.drop(paid_by_insured).sum()) * scale

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
        **_other_lines(sim, p),
    }
    for payer, line in PARTS_OF_CONTRIBUTIONS.items():
        if payer in income:
            draft[line] = float(income[payer]) * scale
    closing = sim.expected_closing_balance(p)
    income_in_all = own + subsidy + draft["other_revenue"] + draft["brought_forward"]
    income_in_all += draft.get("from_above", 0.0) + draft.get("from_below", 0.0)
    flows = income_in_all - draft["cii"] - draft["inpatient"] - draft["outpatient"]
    flows -= sum(draft.get(k, 0.0) for k in ("other_expenditure", "to_below", "to_above"))
    draft["interest"] = closing - flows
    return BudgetDraft(p, fill_form(_last_year(sim, plan)), fill_form(draft), sim,
                       sources=(*sim.sources, Source("form", form_source())))  # fmt: skip


def _other_lines(sim: Simulation, premium: float) -> dict[str, float]:
    """Transfers, what an adjustment fund takes and gives, and the mean of what is put in a reserve (it stays in the fund)."""
    income = sim.setting.income
    if income is None:
        return {}
    found: dict[str, float] = {}
    for transfer in sim.fund.plan.model.transfers.values():
        found[transfer.kind] = found.get(transfer.kind, 0.0) + transfer.amount
    if "other_revenue" in found:
        found["other_revenue"] += sim.setting.late_income
    rows = reserve_table(sim, premium)
    means = rows.set_index("item")["mean"].to_dict() if len(rows) else {}
    if income.adjustment is not None:
        found["to_above"] = found.get("to_above", 0.0) + means["adjustment_paid"]
        found["from_above"] = found.get("from_above", 0.0) + means["adjustment_given"]
    return found


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
    frame = own_part(plan, sim.fund.financing, arrears, came_in)
    total, opening = float(frame.sum()), plan.model.opening
    by_payer = [p for p in frame.index if p in CONTRIBUTORS]
    if by_payer:
        own = float(frame[by_payer].sum())
    else:  # one sum for all payers: split by the present amounts
        weight = sim.fund.financing.payers.set_index("payer")["weight"]
        own = total * float(weight[[p for p in weight.index if p in CONTRIBUTORS]].sum())
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
        **_stated_lines(plan),
    }
    flows = values["contributions"] + values["subsidy"] + values["brought_forward"] - float(spent.sum())
    values["interest"] = float(sim.opening.mean()) - flows + values["other_expenditure"] + values["cii"]
    return values


def _stated_lines(plan: Plan) -> dict[str, float]:
    """Parts of the base year's lines that the plan's facts state (contributions paid by medical assistance)."""
    if "facts" not in plan.tables:
        return {}
    facts = plan.tables["facts"].frame.set_index("id")["value"]
    return {line: float(facts[fact]) for line, fact in budget_form()["facts"].items() if fact in facts}
