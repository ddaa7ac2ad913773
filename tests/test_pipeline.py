"""The main job on the two real funds: its answers against the source facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import actuarial as act
from actuarial.experience import base_year
from actuarial.pipeline import Answer, reconcile_plan
from actuarial.plan import Plan
from actuarial.samples import sample_path
from tests.claim_plans import plan_of_claims


def test_jieshou_facts(jieshou: Plan) -> None:
    """Insured, revenue, balance carried in, payments and visits are the printed ones."""
    tables, model = jieshou.tables, jieshou.model
    assert model.insured.count == 647_000
    assert model.opening.free.value == 65_020_000
    assert model.financing.base_year is not None
    assert model.financing.base_year.due.value == 220_000_000
    paid = tables["experience"].frame.set_index("category")
    assert paid["fund_payment"].to_dict() == {
        "inpatient": 115_282_100.0, "outpatient_pooling": 12_555_900.0, "chronic_outpatient": 19_206_500.0,
        "childbirth": 5_035_100.0, "accident": 2_994_300.0, "other_rabies": 876_900.0,
        "single_disease_payment": 8_516_700.0,
    }  # fmt: skip
    assert paid["visits"].sum() == 949_222
    ratios = tables["reimbursement"].frame.set_index("level")["compensation_ratio"]
    assert ratios.to_dict() == pytest.approx(
        {"township": 0.817, "county_level": 0.7036, "outside": 0.471, "mean": 0.6077}
    )
    assert tables["providers"].frame["budget"].sum() == 173_510_000
    assert (
        float(act.load_benefit_layer("china/jieshou/layer/critical_illness@2013-10-23")(20_000.0)) == 2500.0
    )


def test_jieshou_identities(jieshou: Plan) -> None:
    """74.76% agrees; 57.71% only with the rounded 2.85亿; the parts are 0.01万 short."""
    found = reconcile_plan(jieshou)
    by_label = {i.label["zh"]: r for i, r in zip(jieshou.model.identities, found, strict=True)}
    assert by_label["支出占当年筹资的比例"].verdict == "exact"
    assert by_label["支出占累计基金（印刷值2.85亿元）的比例"].verdict == "exact"
    summed = by_label["支出占累计基金（2.20亿元＋6502万元）的比例"]
    assert summed.verdict == "within_rounding"
    assert round(summed.computed, 4) == 0.5770
    assert summed.gap == pytest.approx(-6.12e-5, abs=1e-7)
    assert by_label["七类支出之和"].gap == -100.0
    assert [n.params["gap"] for n in jieshou.tables["experience"].notes] == ["0.01"]


def test_jieshou_answer(jieshou_run: Answer) -> None:
    """Every question of the main job has its answer, and the answers hang together."""
    a, sim = jieshou_run, jieshou_run.simulation
    found = a.to_dict()
    assert found["criterion"] == "current_year"
    assert 326 < found["base_per_capita"] < 327
    assert found["base_per_capita"] == pytest.approx(164_467_500 / sim.cost.base.share / 647_000)
    assert a.target.interval[0] < a.target.value < a.target.interval[1]
    assert a.assumption_range[0] <= a.target.value <= a.assumption_range[1]
    assert a.target.value == pytest.approx(415.4, abs=1.5)
    assert set(found["deficit_probability"]) == {"current_year", "closing", "any_month"}
    assert found["deficit_probability_at_target"]["current_year"] <= 0.05
    assert found["insurer_result"] + found["fund_result"] == pytest.approx(
        found["contract_target"] - sim.claims.sum(axis=1).mean(), abs=0.01
    )
    assert found["contract_target"] == pytest.approx(sim.expected_cost_per_capita() * 647_000, abs=0.01)
    rise = sim.fund.financing.rise(a.target.value)
    assert rise["rise"].sum() == pytest.approx(a.target.value - 340)
    assert a.table["yuan_per_person"].sum() == pytest.approx(a.target.value)
    json.dumps(found, allow_nan=False)


def test_raw_growth_is_shown_not_used(jieshou_run: Answer) -> None:
    """The raw NCMS series grew 34% a year and its funding 31%; 2012 is missing and said; growth used is 12%."""
    raw = jieshou_run.raw
    assert raw is not None
    assert (round(raw.spending_growth, 2), round(raw.financing_growth, 2)) == (0.34, 0.31)
    assert raw.gaps == (2012,)
    assert float(jieshou_run.simulation.cost.growth.factor(np.zeros(1))[0]) == pytest.approx(1.12)


def test_breaks_are_reported(jieshou_run: Answer) -> None:
    """The roll-out of NCMS shows as jumps of participants in 2006 and 2007, and is said in both languages."""
    found = [n for n in jieshou_run.notes if n.code == "breaks.found"]
    assert {n.params["period"] for n in found} >= {2006, 2007}
    assert "参保人数在2006年" in found[0].message("zh") or "参保人数在2007年" in found[0].message("zh")
    assert "insured persons jumps" in found[0].message("en")


def test_growth_scenario_value_follows_from_its_data() -> None:
    """7.16% is the yearly growth of cost per inpatient stay 2000–2006 in the shipped series."""
    import pandas as pd

    frame = pd.read_csv(sample_path("national/hospital_cost_per_visit_1990_2006.csv")).set_index("year")
    stay = frame["cost_per_inpatient_stay_yuan"]
    assert round((stay[2006] / stay[2000]) ** (1 / 6) - 1, 4) == 0.0716


def test_growth_bounds_follow_from_their_data() -> None:
    """The bounds of growth are the extremes of the shipped OECD panel's one-year changes."""
    import pandas as pd

    from actuarial.growth import growth_bounds

    frame = pd.read_csv(sample_path("international/oecd_health_expenditure_per_capita.csv"))
    frame = frame.sort_values(["country", "year"])
    level = frame.groupby("country")["health_exp_per_capita_2010_intl_dollars"]
    growth = level.transform(lambda s: np.log(s).diff())[frame.groupby("country")["year"].diff() == 1]
    assert (round(growth.min(), 6), round(growth.max(), 6)) == growth_bounds()
    assert len(growth) == 1266


def test_anhui_calendar_and_arrears(anhui_run: Answer) -> None:
    """5,328.15万 due, 87% in by end of May; arrears 94.445万 (province) and 602.36万 (centre)."""
    fund = anhui_run.simulation.fund
    arrears = fund.arrears.frame.set_index("payer")
    assert arrears["due"].sum() == pytest.approx(53_281_500)
    assert fund.arrears.received == pytest.approx(46_313_450)
    assert round(fund.arrears.received / arrears["due"].sum(), 2) == 0.87
    assert arrears.loc["subsidy_provincial", "outstanding"] == pytest.approx(944_450)
    assert arrears.loc["subsidy_central", "outstanding"] == pytest.approx(6_023_600)
    assert fund.financing.payers["per_capita"].tolist() == [20, 10, 30, 40]
    by_month = fund.financing.cumulative.loc["subsidy_central"]
    assert by_month[4] == 0
    assert by_month[5] == pytest.approx(1528.9 / 2131.26, abs=1e-6)
    assert anhui_run.simulation.setting.at_valuation == pytest.approx(46_313_450 - 20_779_000)


def test_anhui_timing_drives_the_target(anhui_run: Answer) -> None:
    """November, before the arrears arrive, decides more often than December; so any month asks most."""
    targets = {c: t.value for c, t in anhui_run.targets.items()}
    assert targets["any_month"] > targets["closing"] > targets["current_year"]
    months = anhui_run.simulation.deciding_months(anhui_run.target)
    assert months.sum() == pytest.approx(1)
    assert months.index[0] != 12


def test_scenarios_use_the_same_random_numbers(jieshou_run: Answer) -> None:
    """A dearer critical-illness premium moves the target by its difference and nothing else."""
    row = jieshou_run.scenarios.set_index("id").loc["cii_33"]
    # 16 yuan more in January, with a year of interest at 0.35%
    assert row["premium_target"] - jieshou_run.target.value == pytest.approx(16 * 1.0035, abs=0.05)


def test_answer_of_the_whole_year(tmp_path: Path) -> None:
    """A base year observed to its end leaves nothing to annualise: the base is exact on every path."""
    import shutil

    import yaml

    shutil.copytree(sample_path("jieshou"), tmp_path / "plan")
    file = tmp_path / "plan" / "plan.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["valuation_date"] = "2013-12-31"
    data["scenarios"] = []
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    answer = act.run(act.load_plan(file), paths=500)
    assert answer.simulation.arrays.base_total.tolist() == [164_467_500.0] * 500
    assert answer.simulation.opening.std() == 0
    assert answer.scenarios.empty
    assert answer.assumption_range == (answer.target.value, answer.target.value)


def test_fiscal_year_from_july(tmp_path: Path) -> None:
    """A year that starts in July takes July's share first: ten months seen leave May and June."""
    import shutil

    import yaml

    shutil.copytree(sample_path("jieshou"), tmp_path / "plan")
    file = tmp_path / "plan" / "plan.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data |= {"fiscal_year_start": "2012-07-01", "valuation_date": "2013-04-30", "scenarios": []}
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    plan = act.load_plan(file)
    answer = act.run(plan, paths=500)
    calendar = act.MonthlyProfile.from_history(plan.tables["season"]).shares
    base = answer.simulation.cost.base
    assert base.share == pytest.approx(1 - calendar[4] - calendar[5])
    assert answer.simulation.setting.shares[0] == calendar[6]
    months = answer.simulation.fan()["month"]
    assert (str(months.iloc[0]), str(months.iloc[-1])) == ("2013-04", "2014-06")


@pytest.fixture
def claims_plan(tmp_path: Path) -> Path:
    """Jieshou's plan with 20,000 synthetic members' claims in place of the printed aggregates."""
    return plan_of_claims(tmp_path / "plan", 20_000)


def test_claims_in_place_of_aggregates(claims_plan: Path) -> None:
    """A plan may name claims: they are completed, and the error of completion widens the base."""
    plan = act.load_plan(claims_plan)
    answer = act.run(plan, paths=2000)
    base = answer.simulation.cost.base
    assert base.completed is not None
    assert 1.05 < base.completion < 1.25
    assert base.completion_sd > 0
    # the generator's expected totals are Jieshou's ten months by service date: 326.4 yuan a year
    assert base.per_capita == pytest.approx(326.4, rel=0.10)
    low, high = base.interval()
    bare = type(base)(base.experience, base.profile, base.place_sd, base.completion)
    assert high - low > bare.interval()[1] - bare.interval()[0]
    assert answer.simulation.arrays.base_total.std() > 0
    assert answer.to_dict()["synthetic"] is True
    assert answer.summary("en").startswith("[SYNTHETIC DATA]")
    assert "SYNTHETIC" in act_compose(answer).title
    words = [p.title for s in act_compose(answer).sections for p in s.parts]
    assert any("run-off" in w for w in words)


def act_compose(answer: Answer):  # type: ignore[no-untyped-def]
    """The English content of a report."""
    from actuarial.report import compose

    return compose(answer, "en")


def test_cash_claims_are_never_completed(claims_plan: Path) -> None:
    """With basis paid the same file is counted by month of payment, and nothing is added."""
    claims_plan.write_text(
        claims_plan.read_text(encoding="utf-8").replace("basis: incurred", "basis: paid"), encoding="utf-8"
    )
    base = act.run(act.load_plan(claims_plan), paths=200).simulation.cost.base
    assert (base.completion, base.completion_sd, base.completed) == (1.0, 0.0, None)


def test_faults_of_claims_come_with_the_others(claims_plan: Path) -> None:
    """A dirty claim file and a dirty table of payers are told together."""
    claims = claims_plan.parent / "claims.csv"
    lines = claims.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].replace("2013-", "2013-13-", 1)
    claims.write_text("\n".join(lines), encoding="utf-8")
    (claims_plan.parent / "payers.csv").write_text("缴费主体,人均标准（元）\n个人,-1\n", encoding="utf-8")
    with pytest.raises(act.InputError) as error:
        _ = act.load_plan(claims_plan).tables
    codes = {f.code for f in error.value.faults}
    assert "table.negative" in codes
    assert any(c.startswith("claims.") for c in codes), codes


def test_a_policy_that_starts_within_the_year(plan_with: Any, simulate: Any) -> None:
    """Monthly factors weight the year's pattern: the base rises by hand arithmetic, the year to come keeps its season."""
    straight = {"annualise.profile": "straight_line"}
    plain = base_year(plan_with("jieshou", straight, drop=("annualise.table",)))
    factors = [1.0] * 10 + [1.2, 1.2]
    changed = plan_with(
        "jieshou", {**straight, "annualise.policy_factors": factors}, drop=("annualise.table",)
    )
    dearer = base_year(changed)
    assert dearer.total / plain.total == pytest.approx((10 + 2 * 1.2) / 12)
    assert dearer.coming.shares.tolist() == pytest.approx([1 / 12] * 12)
    sim = simulate(changed, paths=500)
    assert sim.setting.shares.tolist() == pytest.approx([1 / 12] * 12)
    assert float(sim.setting.stub.sum()) == pytest.approx(1.0)
