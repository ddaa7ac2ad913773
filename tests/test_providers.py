"""Provider budgets: printed and computed, points, settlement."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actuarial.budget import allot_budgets, group_points, provider_budgets, settle_points, settle_providers
from actuarial.budget.providers import provider_rules, sharing
from actuarial.plan import Plan

LEVELS = ["township", "county_level", "outside"]


def jieshou_history(plan: Plan) -> pd.DataFrame:
    """A volume and mean cost that give the printed budgets at the printed effective ratios."""
    ratio = plan.tables["reimbursement"].frame.set_index("level")["compensation_ratio"].loc[LEVELS]
    budget = plan.tables["providers"].frame.set_index("provider")["budget"].loc[LEVELS]
    visits = np.array([20_000.0, 25_000.0, 8_000.0])
    return pd.DataFrame({"provider": LEVELS, "visits": visits, "mean_cost": budget.to_numpy() / ratio.to_numpy() / visits,
                         "ratio": ratio.to_numpy()})  # fmt: skip


def test_jieshou_as_printed(jieshou: Plan) -> None:
    """3,036, 9,315 and 5,000万 fit in 2.2亿 with 21.13% to spare for outpatient care and reserve; they come out whole."""
    found = allot_budgets(jieshou_history(jieshou), available=2.2e8)
    assert found.frame["budget"].tolist() == pytest.approx([30_360_000, 93_150_000, 50_000_000], abs=1)
    assert found.scale == 1.0
    assert found.within
    assert found.frame["share_of_available"].sum() == pytest.approx(173_510_000 / 2.2e8, rel=1e-6)
    assert provider_budgets(jieshou)["budget"].tolist() == [30_360_000, 93_150_000, 50_000_000]  # type: ignore[index]


def test_a_short_fund_cuts_all_alike(jieshou: Plan) -> None:
    """With a reserve of 5% and 5,000万 spent elsewhere nothing is cut; at 1.8亿 all are, by one factor."""
    history = jieshou_history(jieshou)
    enough = allot_budgets(history, available=2.36e8, reserve_share=0.05, other=5e7)
    assert enough.scale == 1.0
    short = allot_budgets(history, available=1.8e8, reserve_share=0.05, other=3e7)
    assert short.room == pytest.approx(1.8e8 * 0.95 - 3e7)
    assert short.scale == pytest.approx(short.room / 173_510_000)
    ratios = short.frame["budget"] / short.frame["claim"]
    assert ratios.max() - ratios.min() < 1e-6
    assert short.room - 3 <= short.frame["budget"].sum() <= short.room


def test_growth_and_case_mix(jieshou: Plan) -> None:
    """45% more admissions outside the area and a case mix 2% heavier make 5,000万 into 7,395万."""
    history = jieshou_history(jieshou).assign(visits_growth=[0, 0, 0.45], case_mix=[1, 1, 1.02])
    found = allot_budgets(history, available=2.2e8).frame.set_index("provider")["budget"]
    assert found["outside"] == pytest.approx(5e7 * 1.45 * 1.02, abs=1)
    assert found["township"] == pytest.approx(30_360_000, abs=1)


@given(
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1)), min_size=1, max_size=8),
    st.floats(1e3, 1e10),
    st.floats(0, 0.5),
)
def test_the_parts_never_pass_the_whole(
    rows: list[tuple[float, float, float]], available: float, reserve: float
) -> None:
    """Whatever the volumes, the budgets fit in what is left of the fund, and none passes its claim."""
    history = pd.DataFrame(rows, columns=["visits", "mean_cost", "ratio"])
    history["provider"] = [f"p{i}" for i in range(len(rows))]
    found = allot_budgets(history, available=available, reserve_share=reserve)
    assert found.within
    assert (found.frame["budget"] <= found.frame["claim"] + 1e-6).all()


def test_points_pay_out_the_budget_less_its_reserve() -> None:
    """Payments sum to 95% of the budget whatever the points; more points lower their value, not the sum."""
    points = pd.DataFrame({"provider": ["a", "b", "a"], "points": [100.0, 300.0, 50.0]})
    one = settle_points(points, budget=1e8)
    assert one.frame["payment"].sum() == pytest.approx(0.95e8)
    assert one.frame.set_index("provider").loc["a", "points"] == 150
    more = settle_points(points.assign(points=[200.0, 300.0, 50.0]), budget=1e8)
    assert more.point_value < one.point_value
    assert more.frame["payment"].sum() == pytest.approx(0.95e8)
    assert one.sources[0].status == "assumed"
    assert settle_points(points, budget=1e8, reserve_share=0.0).point_value == pytest.approx(1e8 / 450)


def test_group_points_are_costs_in_hundredths_of_the_mean() -> None:
    """Points × area mean / 100 is each provider's own cost: the cost coefficient undoes the group's averaging (Jinhua)."""
    cases = pd.DataFrame({
        "provider": ["a", "a", "b", "b"], "group": ["x", "y", "x", "y"], "cases": [80, 20, 50, 60],
        "mean_cost": [2000.0, 9000.0, 2600.0, 8000.0],
    })  # fmt: skip
    found = group_points(cases)
    cost = cases["cases"] * cases["mean_cost"]
    area = cost.sum() / cases["cases"].sum()
    assert (found["points"] * area / 100).to_numpy() == pytest.approx(cost.to_numpy())
    assert found.loc[0, "group_points"] == pytest.approx((80 * 2000 + 50 * 2600) / 130 / area * 100)


@pytest.mark.parametrize(
    ("rule", "over", "fund"),
    [
        ("quota_2008", 0.10, 1.05), ("quota_2008", 0.20, 1.10), ("quota_2008", 0.50, 1.10),
        ("quota_2008", -0.05, 0.965), ("quota_2008", -0.10, 0.93), ("quota_2008", -0.30, 0.73),
        ("shenzhen", 0.05, 1.03), ("shenzhen", 0.10, 1.055), ("shenzhen", 0.40, 1.055), ("shenzhen", -0.10, 0.90),
        ("saving_kept", 0.30, 1.0), ("saving_kept", -0.30, 1.0),
    ],
)  # fmt: skip
def test_sharing_as_stated(rule: str, over: float, fund: float) -> None:
    """50% up to 20% over and 30% of a saving up to 3% of the budget; Shenzhen 60% to 5%, 50% to 10%; saving kept."""
    assert 1e6 + sharing(rule, 1e6)(over * 1e6) == pytest.approx(fund * 1e6)


@given(st.sampled_from(sorted(provider_rules())), st.floats(1e3, 1e9), st.floats(0, 3))
def test_fund_and_provider_bear_the_whole(rule: str, quota: float, share: float) -> None:
    """What the fund pays and what the provider bears make the spending; neither side gains by more spending than itself."""
    year = pd.DataFrame({"provider": ["p"], "budget": [quota], "actual": [quota * share]})
    row = settle_providers(year, rule).frame.iloc[0]
    assert row["fund_pays"] + row["provider_bears"] == pytest.approx(row["actual"], rel=1e-9, abs=1e-6)
    assert row["monthly"] + row["at_settlement"] == pytest.approx(row["fund_pays"], rel=1e-9, abs=1e-6)
    dearer = settle_providers(year.assign(actual=quota * share + 0.1 * quota), rule).frame.iloc[0]
    assert row["fund_pays"] - 1e-6 <= dearer["fund_pays"] <= row["fund_pays"] + 0.1 * quota + 1e-6


def test_a_reward_falls_with_its_condition() -> None:
    """No reward where admissions pass 1.8% of outpatient visits; overspending is shared as before."""
    met, failed = (sharing("quota_2008", 1e6, indicators={"admissions_per_visit": r}) for r in (0.018, 0.019))
    assert met(-50_000.0) == -35_000
    assert failed(-50_000.0) == -50_000
    assert met(100_000.0) == failed(100_000.0) == 50_000


def test_shenzhen_pays_97_of_100_by_month() -> None:
    """97% of the budget is paid by month and the rest at settlement."""
    year = pd.DataFrame({"provider": ["p"], "budget": [1e6], "actual": [1.2e6]})
    row = settle_providers(year, "shenzhen").frame.iloc[0]
    assert (row["monthly"], row["at_settlement"]) == (970_000, pytest.approx(85_000))


def test_every_rule_has_source_and_status() -> None:
    """Rules are data: a source, a status, when it was checked, words in both languages."""
    for rule in provider_rules().values():
        law = rule.contract.law
        assert law.envelope.source.document
        assert law.envelope.status in {"enacted", "draft", "assumed"}
        assert law.envelope.checked_on
        assert {"zh", "en"} <= set(law.envelope.name)
