"""Next year's budget: the official form's sums, a draft that closes, providers, indicators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import actuarial as act
from actuarial.budget import budget_form, fill_form, indicators, provider_budgets
from actuarial.fund import Simulation
from actuarial.pipeline import Answer
from actuarial.plan import Plan

SUMS = {
    "revenue": "revenue_subtotal", "revenue in all": "revenue_total", "revenue and balance": "revenue_grand",
    "benefits": "benefits", "expenditure": "expenditure_subtotal", "expenditure in all": "expenditure_total",
    "balance of the year": "current_balance", "closing balance": "closing_balance",
    "expenditure and balance": "expenditure_grand",
}  # fmt: skip
PRINTED_CHECKS = (
    "revenue_total",
    "expenditure_total",
    "benefits",
    "current_balance",
    "closing_balance",
    "revenue_grand",
)


@pytest.fixture(scope="module")
def county(data: Callable[[str], Any]) -> dict[str, dict[str, float | None]]:
    """The county's 2024 form: both columns by line [万元]."""
    lines = data("budget_form_2024.json")["lines"]
    return {
        column: {row["line"]: row[column] for row in lines if row["line"]}
        for column in ("execution_2023", "budget_2024")
    }


def of(line: str) -> bool:
    """Whether a line of the form is computed from others."""
    entry = {**budget_form()["revenue"], **budget_form()["expenditure"]}[line]
    return "sum" in entry or "minus" in entry


@pytest.mark.parametrize("column", ["execution_2023", "budget_2024"])
def test_the_official_form_adds_up_as_printed(county: dict, column: str) -> None:
    """From the entered lines of the county's form every printed sum comes out, in both columns."""
    printed = county[column]
    filled = fill_form({k: float(v) for k, v in printed.items() if v is not None and not of(k)})
    for line in (*SUMS.values(), *PRINTED_CHECKS):
        assert filled[line] == printed[line], line
    assert filled["revenue_grand"] == filled["expenditure_grand"]
    for line, value in printed.items():  # a line left empty in print is 0
        assert filled[line] == (value or 0.0)


def test_last_years_close_is_next_years_opening(county: dict) -> None:
    """The 2023 closing balance as computed is what the 2024 column brings forward: 36,845万."""
    last = fill_form(
        {k: float(v) for k, v in county["execution_2023"].items() if v is not None and not of(k)}
    )
    assert last["closing_balance"] == county["budget_2024"]["brought_forward"] == 36_845


def test_the_form_has_its_lines_in_printed_order(data: Callable[[str], Any]) -> None:
    """Our form holds the printed lines in order, same words (but for 2023's vaccine subsidy)."""
    printed = [row for row in data("budget_form_2024.json")["lines"] if row["line"]]
    ours = {**budget_form()["revenue"], **budget_form()["expenditure"]}
    assert [row["line"] for row in printed] == list(ours)
    for row in printed:
        assert ours[row["line"]]["zh"].replace("：", ":").strip() == row["zh"]
        assert ours[row["line"]]["en"].strip()


def test_sums_are_computed_never_taken() -> None:
    """A sum that is handed in is ignored, a line that is not handed in is 0."""
    filled = fill_form(
        {"contributions": 10.0, "revenue_total": 99.0, "inpatient": 4.0, "closing_balance": 1.0}
    )
    assert (filled["revenue_total"], filled["closing_balance"], filled["subsidy"]) == (10.0, 6.0, 0.0)
    assert all(v == 0.0 for v in fill_form({}).values())


# --------------------------------------------------------------------------- the draft


@pytest.mark.parametrize("premium", [None, 300.0, 420.0, 0.0])
def test_the_draft_closes(answer: Answer, premium: float | None) -> None:
    """Grand totals agree, the closing line is the mean simulated closing and the opening the mean opening."""
    sim = answer.simulation
    draft = act.budget_draft(sim, premium)
    p = sim.standard if premium is None else premium
    assert draft.premium == p
    scale = abs(draft.draft["revenue_grand"]) + abs(draft.draft["expenditure_grand"])
    for column in (draft.last, draft.draft):
        assert column["revenue_grand"] == pytest.approx(column["expenditure_grand"], abs=1e-12 * scale)
    assert draft.draft["closing_balance"] == pytest.approx(sim.closing(p).mean(), abs=1e-10 * scale)
    assert draft.draft["brought_forward"] == pytest.approx(sim.opening.mean(), rel=1e-12)
    assert draft.last["closing_balance"] == pytest.approx(sim.opening.mean(), abs=1e-10 * scale)


def test_income_and_spending_of_the_draft(answer: Answer) -> None:
    """Income is heads × amount × receipts, benefits the mean claims, premiums are bought for all."""
    sim, draft = answer.simulation, answer.budget.draft
    heads, p = sim.arrays.heads.mean(), answer.budget.premium
    receipts = sim.fund.financing.receipts.sum()
    assert draft["contributions"] + draft["subsidy"] == pytest.approx(heads * p * receipts, rel=1e-12)
    assert draft["benefits"] == pytest.approx(sim.claims.sum(axis=1).mean(), rel=1e-12)
    cii = answer.plan.model.cii.premium_per_capita
    assert draft["cii"] == pytest.approx(heads * (cii.value if cii else 0.0))
    assert min(draft["inpatient"], draft["outpatient"]) > 0


def test_interest_is_that_of_the_mean_balances(answer: Answer) -> None:
    """The interest line is one twelfth of the rate on the mean balance at the start of each month."""
    sim, draft = answer.simulation, answer.budget
    start = np.concatenate([[sim.opening.mean()], sim.balances(draft.premium).mean(axis=0)[:-1]])
    assert draft.draft["interest"] == pytest.approx(start.sum() * sim.setting.interest, rel=1e-6, abs=1.0)


def test_last_years_column_is_the_base_year(jieshou_run: Answer, anhui_run: Answer) -> None:
    """Last year: income due, mean annualised spending, the balance brought forward as stated."""
    for run, due, before in ((jieshou_run, 220_000_000, 65_020_000), (anhui_run, 53_281_500, 0)):
        last = run.budget.last
        assert last["contributions"] + last["subsidy"] == pytest.approx(due)
        assert last["brought_forward"] == before
        assert last["benefits"] == pytest.approx(run.simulation.arrays.base_total.mean())
    assert anhui_run.budget.last["contributions"] == 10_656_300


def test_the_budget_rests_on_the_target_rounded_up(answer: Answer) -> None:
    """The run's budget uses the whole yuan at or above the target, at a risk within what is accepted."""
    premium = answer.budget.premium
    assert premium == int(premium)
    assert 0 <= premium - answer.target.value < 1
    risk = answer.simulation.deficit_probability(premium)[answer.target.criterion]
    assert risk <= answer.target.alpha


def test_the_draft_as_a_table(jieshou_run: Answer) -> None:
    """The table lists every line of the form by side, in order, with both columns."""
    table = jieshou_run.budget.table
    assert table["line"].tolist() == [*budget_form()["revenue"], *budget_form()["expenditure"]]
    assert table.set_index("line")["draft"].to_dict() == jieshou_run.budget.draft


def test_categories_go_to_the_lines_of_the_form(jieshou_run: Answer) -> None:
    """Jieshou's inpatient, childbirth, accident and single-disease payments are the form's inpatient line."""
    frame = jieshou_run.simulation.cost.base.experience.frame.set_index("category")["fund_payment"]
    inpatient = frame[["inpatient", "childbirth", "accident", "single_disease_payment"]].sum() / frame.sum()
    for column in (jieshou_run.budget.draft, jieshou_run.budget.last):
        assert column["inpatient"] / column["benefits"] == pytest.approx(inpatient, rel=1e-9)


# --------------------------------------------------------------------------- providers and indicators


def test_provider_budgets_of_jieshou(jieshou: Plan, jieshou_run: Answer) -> None:
    """3,036 + 9,315 + 5,000 = 17,351万, 78.87% of the fund, 1,500万 overspent (checks C009, C010)."""
    found = provider_budgets(jieshou)
    assert found is not None
    assert found["budget"].tolist() == [30_360_000, 93_150_000, 50_000_000]
    assert found["budget"].sum() == 173_510_000
    assert found["share_of_income"].sum() == pytest.approx(0.78868182, rel=1e-7)
    assert found["overspend"].dropna().tolist() == [15_000_000]
    assert jieshou_run.providers is not None
    assert jieshou_run.providers.equals(found)


def test_plans_without_providers_have_none(anhui: Plan) -> None:
    """Without a table of providers there are no provider budgets."""
    assert provider_budgets(anhui) is None


def test_indicators_and_their_limits(answer: Answer) -> None:
    """Ratios of the draft, each against the limit of its law file, and months payable without one."""
    sim, draft = answer.simulation, answer.budget.draft
    table = indicators(sim, answer.budget.premium).set_index("indicator")
    income = draft["revenue_total"]
    assert table.loc["fund_use_ratio", "value"] == pytest.approx(draft["expenditure_total"] / income)
    assert table.loc["current_balance_ratio", "value"] == pytest.approx(draft["current_balance"] / income)
    assert table.loc["cumulative_balance_ratio", "value"] == pytest.approx(draft["closing_balance"] / income)
    assert table.loc["payable_months", "value"] == pytest.approx(sim.months_payable(answer.budget.premium))
    assert table["limit"].to_dict() == pytest.approx(
        {
            "fund_use_ratio": np.nan,
            "current_balance_ratio": 0.15,
            "cumulative_balance_ratio": 0.25,
            "payable_months": np.nan,
        },
        nan_ok=True,
    )
    for name in ("current_balance_ratio", "cumulative_balance_ratio"):
        assert table.loc[name, "within"] == (table.loc[name, "value"] <= table.loc[name, "limit"])
        assert table.loc[name, "law"].startswith("china/national/threshold/")
        assert table.loc[name, "status"] == "assumed"
    assert table.loc["payable_months", "within"] is None


@pytest.mark.parametrize(("premium", "within"), [(330.0, True), (600.0, False)])
def test_a_rich_budget_breaks_the_ceilings(jieshou_run: Answer, premium: float, within: bool) -> None:
    """At 600 yuan Jieshou would keep more than the ceiling allows, at 330 it would not."""
    table = indicators(jieshou_run.simulation, premium).set_index("indicator")
    assert table.loc["current_balance_ratio", "within"] is within


def test_uncertain_heads_keep_the_draft_closed(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """With uncertain enrolment, debts and prepayments the draft still closes on the mean balance."""
    money = {"value": 2_000_000, "status": "assumed", "source": "test"}
    changes = {"insured.next_year_sd": 0.05, "opening.unpaid_claims": money, "opening.prepaid": money}
    sim = simulate(plan_with("anhui_county", changes), paths=3000)
    draft = act.budget_draft(sim, 150.0)
    assert draft.draft["closing_balance"] == pytest.approx(sim.closing(150.0).mean(), rel=1e-9)
    assert draft.last["closing_balance"] == pytest.approx(sim.opening.mean(), rel=1e-9)
    assert draft.last["other_expenditure"] == 2_000_000
    assert draft.draft["revenue_grand"] == pytest.approx(draft.draft["expenditure_grand"], rel=1e-12)
