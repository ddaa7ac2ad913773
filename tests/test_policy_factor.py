"""The policy factor: against a closed form, its parts, its error, growth, use, new benefits, and the pipeline."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings

import actuarial as act
from actuarial.benefits import plan_policy
from actuarial.benefits.loading import load_schedule
from actuarial.benefits.repricing import Resident
from actuarial.benefits.tally import tally
from actuarial.benefits.walk import walk
from actuarial.errors import DataWarning, InputError
from tests.schedules import claims, payloads, schedule_of, table_of

JEMINAY = ("china/jeminay/ncms/basic@2011-01-01", "china/jeminay/ncms/basic@2011-04-26")
WORDS = {"level": {"outside": "prefecture"}}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Warnings on claims without a rule and on fit are looked at where they are the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


@pytest.fixture(scope="module")
def synthetic() -> act.ClaimsTable:
    """20,000 synthetic members."""
    return act.read_claims(act.synthetic_claims(20_000).claims, unit="yuan")


def rule(ratio: Any, **more: Any) -> dict[str, Any]:
    """A schedule of one rule for all claims."""
    layer = {"id": "basic", "bearer": "basic_fund", "rules": [{"ratio": ratio, **more}]}
    return {"layers": [layer]}


@given(payloads(), payloads(), claims())
@settings(max_examples=12)
def test_the_factor_is_the_ratio_of_two_walks(old: dict[str, Any], new: dict[str, Any], found: list) -> None:
    """Where the old rules reproduce what was paid, the factor is the fund's cost of two plain walks, new over old."""
    one, two = schedule_of(old), schedule_of(new)
    fund = [s.bearer == "basic_fund" for s in one.layers]
    first = [sum(p[x.id] for x, f in zip(one.layers, fund, strict=True) if f) for p in walk(found, [one])]
    second = [sum(p[x.id] for x in two.layers if x.bearer == "basic_fund") for p in walk(found, [two])]
    paid = [type(c)(**{**c.__dict__, "paid": a}) for c, a in zip(found, first, strict=True)]
    # claims that a schedule does not cover stay as they were paid, so walk again with what was paid
    first = [sum(p[x.id] for x in one.layers if x.bearer == "basic_fund") for p in walk(paid, [one])]
    second = [sum(p[x.id] for x in two.layers if x.bearer == "basic_fund") for p in walk(paid, [two])]
    if sum(first) == 0 or any(a == 0 and b for a, b in zip(first, second, strict=True)):
        return
    sums = tally(table_of(paid), [(one,), (two,)], ("basic_fund",))
    assert round(float(sums.fund[0].sum()) * 100) == sum(first)
    assert round(float(sums.fund[1].sum()) * 100) == sum(second)


def test_jeminay_by_hand(synthetic: act.ClaimsTable) -> None:
    """The Jeminay change on claims without ceilings: the factor by ratio arithmetic alone, level by level."""
    found = act.policy_factor(synthetic, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS)
    cells = found.by("category", "level").set_index(["category", "level"])
    # below the ceiling 80→85 is 85/80; ceilings bind at the prefecture's hospitals
    assert cells.loc[("inpatient", "township"), "factor"] == pytest.approx(85 / 80, abs=0.004)
    assert cells.loc[("inpatient", "county_level"), "factor"] == pytest.approx(65 / 60, abs=0.004)
    assert cells.loc[("inpatient", "prefecture"), "factor"] > 55 / 50
    assert cells.loc[("outpatient_pooling", "township"), "factor"] == 1.0
    weights = cells.iloc[:-1]
    assert found.coefficient == pytest.approx(float(weights["new"].sum() / weights["paid"].sum()), rel=1e-9)
    assert found.interval()[0] < found.coefficient < found.interval()[1]


def test_changes_one_by_one_sum_to_the_whole(synthetic: act.ClaimsTable) -> None:
    """Alone-effects and the interaction, and the steps in order, each sum to the factor's distance from 1."""
    found = act.policy_factor(synthetic, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS)
    assert len(found.changes) == 6  # four ratios, the ceiling, the interaction
    for name in ("alone_share", "in_order_share"):
        assert float(found.changes[name].sum()) == pytest.approx(found.coefficient - 1, abs=1e-12)
    assert found.changes["in_order"].iloc[-1] == pytest.approx(0, abs=1e-6)
    labels = [c.label("en") for c in found.changes["change"].iloc[:-1]]
    assert labels[0].endswith("township hospitals: 80% → 85%")
    assert labels[-1].endswith("25,000 → 50,000")


@pytest.mark.slow
def test_the_bootstrap_error_is_that_of_fresh_samples() -> None:
    """The standard error agrees with the spread of factors of 30 independent samples (one ratio of three is raised)."""
    old = schedule_of(rule({"by": "level", "township": 0.5, "otherwise": 0.5}))
    new = schedule_of(rule({"by": "level", "township": 0.8, "otherwise": 0.5}), "2014-01-01")
    factors, errors = [], []
    for seed in range(30):
        table = act.read_claims(act.synthetic_claims(1500, seed=seed).claims, unit="yuan")
        found = act.policy_factor(table, old=old, new=new, replicates=200)
        factors.append(found.coefficient)
        errors.append(found.sd)
    assert np.mean(errors) == pytest.approx(np.std(factors, ddof=1), rel=0.35)


def test_trend_first_levers_a_deductible(synthetic: act.ClaimsTable) -> None:
    """A second layer grows faster than cost; policy × growth × leverage × interaction is the whole, repriced directly."""
    old, new = schedule_of(rule(0.5, deductible=3000)), schedule_of(rule(0.6, deductible=3000), "2013-01-01")
    found = act.policy_factor(synthetic, old=old, new=new, leverage=True)
    steps = found.at_growth(0.2).set_index("step")["factor"]
    resident = Resident.of(synthetic)
    grown = act.reprice(resident.scaled(1.2), new).paid_by("basic_fund")
    base = act.reprice(resident, new).paid_by("basic_fund")
    assert steps["total"] / steps["policy"] == pytest.approx(grown / base, rel=1e-9)
    assert steps["leverage"] > 1.05
    assert steps["interaction"] == pytest.approx(1, abs=1e-3)


def test_the_example_of_leverage() -> None:
    """Growth of 21% in cost is far more in a layer above a high deductible (design: 57% in a second layer)."""
    frame = pd.DataFrame(
        {
            "claim_id": [str(n) for n in range(2000)], "member_id": [str(n) for n in range(2000)],
            "service_date": "2012-06-01", "category": "inpatient", "level": "county_level", "fund_payment": 0.0,
            "in_scope_cost": np.round(np.exp(np.linspace(6, 10.3, 2000)), 2),
        }
    )  # fmt: skip
    layer = schedule_of(rule(0.5, deductible=15000))
    table = Resident.of(act.read_claims(frame, unit="yuan"))
    before, after = (act.reprice(x, layer).paid_by("basic_fund") for x in (table, table.scaled(1.21)))
    assert after / before > 1.35


def test_a_change_within_the_year_uses_both_rules_by_date() -> None:
    """Jeminay 2011: old rules until 25 April, new from the 26th; next year's factor is smaller than the full change."""
    s = act.synthetic_claims(8000, year=2011)
    table = act.read_claims(s.claims, unit="yuan")
    full = act.policy_factor(table, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS)
    dated = act.policy_factor(table, old=list(JEMINAY), new=JEMINAY[1], recode=WORDS)
    assert 1 < dated.coefficient < full.coefficient
    assert dated.by_month["2011-06":"2011-10"].to_numpy() == pytest.approx(1.0, abs=0.02)  # type: ignore[misc]
    assert (dated.by_month["2011-01":"2011-03"] > 1.03).all()  # type: ignore[misc]


def test_month_weights_are_the_labelled_fallback() -> None:
    """A claim of the same cost each month, a ratio of 50% then 60% from July: month weights and dates agree exactly."""
    from actuarial.benefits.walk import Claim

    days = [(pd.Timestamp(2013, m, 15) - pd.Timestamp(1970, 1, 1)).days for m in range(1, 13)]
    base = {"category": "inpatient", "level": "county_level", "place": "in_area", "referral": "unknown", "group": "general", "disease": ""}  # fmt: skip
    found = [
        Claim(
            "m", d, 2013 * 12 + n, str(n), 100_000, 100_000, paid=50_000 if n < 6 else 60_000, attributes=base
        )
        for n, d in enumerate(days)
    ]
    old, new = schedule_of(rule(0.5)), schedule_of(rule(0.6), "2013-07-01")
    dated = act.policy_factor(table_of(found), old=[old, new], new=new)
    weights = act.month_weighted_factor(act.stated_policy_factor(1.2, 0.1), full_from="2013-07-01")
    assert dated.coefficient == pytest.approx(12 * 0.6 / (6 * 0.5 + 6 * 0.6))
    assert weights.coefficient == pytest.approx(dated.coefficient)
    assert weights.method == "month_weights"
    assert 0 < weights.sd < 0.1


def test_use_responds_only_where_it_is_said(synthetic: act.ClaimsTable) -> None:
    """An elasticity of −0.2 raises the factor by the fall of the patient's share to that power; it is said apart."""
    use = act.UseAssumption(-0.2, "RAND, test")
    plain = act.policy_factor(synthetic, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS)
    more = act.policy_factor(synthetic, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS, elasticity=use)
    assert more.static == pytest.approx(plain.coefficient)
    assert more.coefficient > plain.coefficient
    row = more.cells[(more.cells["category"] == "inpatient") & (more.cells["level"] == "township")].iloc[0]
    assert 1 < row["use"] < 1.1
    assert any(s.status == "assumed" and s.what == "elasticity" for s in more.sources)
    with pytest.raises(InputError) as caught:
        act.policy_factor(
            synthetic, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS, elasticity=act.UseAssumption(0.2, "x")
        )
    assert caught.value.code == "benefits.elasticity"


def test_a_new_benefit_needs_its_use() -> None:
    """A category that only the new rules know, without claims, is refused until its use is stated, then added."""
    found = [c for c in _few() if c.attributes["category"] == "inpatient"]
    old = schedule_of(rule(0.5, when={"category": "inpatient"}))
    payload = rule(0.5, when={"category": "inpatient"})
    payload["layers"][0]["rules"].append({"ratio": 0.4, "when": {"category": "childbirth"}})
    new = schedule_of(payload, "2013-01-01")
    with pytest.raises(InputError) as caught:
        act.policy_factor(table_of(found), old=old, new=new)
    assert caught.value.code == "benefits.new_use"
    paid = sum(c.paid for c in found) / 100
    stated = {"childbirth": act.UseAssumption(10, "test", cost_per_claim=1000.0)}
    answer = act.policy_factor(table_of(found), old=old, new=new, new_use=stated)
    assert answer.coefficient == pytest.approx(1 + 10 * 400 / paid)


def _few() -> list:
    from actuarial.benefits.walk import Claim

    base = {
        "level": "county_level",
        "place": "in_area",
        "referral": "unknown",
        "group": "general",
        "disease": "",
    }
    return [
        Claim(f"m{n}", 15_400 + n, 24_150, str(n), 100_000 * (n + 1), 100_000 * (n + 1), paid=50_000 * (n + 1),
              attributes={"category": "inpatient", **base})
        for n in range(6)
    ]  # fmt: skip


def test_the_fit_report_says_what_the_rules_explain() -> None:
    """Rules that reproduce every payment: calibration 1, all equal; half of them wrong: said, by level and by band."""
    found = _few()
    right = act.policy_factor(
        table_of(found), old=schedule_of(rule(0.5)), new=schedule_of(rule(0.6), "2013-01-01")
    )
    assert right.fit.equal_share == 1.0
    assert right.fit.calibration == 1.0
    assert right.coefficient == pytest.approx(1.2)
    with pytest.warns(DataWarning, match="1.2500"):
        wrong = act.policy_factor(
            table_of(found), old=schedule_of(rule(0.4)), new=schedule_of(rule(0.6), "2013-01-01")
        )
    assert wrong.fit.equal_share == 0.0
    assert wrong.fit.bands["claims"].sum() == 6
    assert wrong.coefficient == pytest.approx(1.5)


def test_only_the_chosen_funds_accounts_count() -> None:
    """A bought critical-illness layer is the insurer's; a self-insured one is the fund's."""
    payload = rule(0.5)
    payload["layers"].append(
        {
            "id": "second",
            "bearer": "cii_insurer",
            "counted": {"of": "own_in_scope"},
            "rules": [{"ratio": 0.5}],
        }
    )
    old, new = schedule_of(rule(0.5)), schedule_of(payload, "2013-01-01")
    found = table_of(_few())
    assert act.policy_factor(found, old=old, new=new).coefficient == pytest.approx(1.0)
    own = act.policy_factor(found, old=old, new=new, accounts=("basic_fund", "cii_insurer"))
    assert own.coefficient == pytest.approx(1.5)


def test_nothing_paid_has_no_factor() -> None:
    """Claims of which nothing was or would be paid are refused."""
    found = [type(c)(**{**c.__dict__, "paid": 0}) for c in _few()]
    with pytest.raises(InputError) as caught:
        act.policy_factor(table_of(found), old=schedule_of(rule(0)), new=schedule_of(rule(0.5), "2013-01-01"))
    assert caught.value.code == "benefits.nothing_paid"


def test_a_sorted_file_gives_the_same_factor(synthetic: act.ClaimsTable, tmp_path: Path) -> None:
    """Streamed from a sorted file or held in memory: the same factor, cells and changes; the file is named by its content."""
    path = act.sort_claims(synthetic, tmp_path)
    assert path == act.sort_claims(synthetic, tmp_path)
    one = act.policy_factor(synthetic, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS)
    two = act.policy_factor(path, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS)
    assert one.coefficient == pytest.approx(two.coefficient, rel=1e-12)
    assert one.cells["claims"].sum() == two.cells["claims"].sum()
    assert one.sd == pytest.approx(two.sd, rel=0.2)  # the same members, dealt to groups
    payments = [act.reprice(x, JEMINAY[1], recode=WORDS, per_claim=True).payments for x in (synthetic, path)]
    assert payments[0].equals(payments[1])  # type: ignore[union-attr]


def test_the_pipeline_reprices(tmp_path: Path) -> None:
    """A plan with claims may name old and new rules; the factor, by category and with leverage, reaches the forecast."""
    folder = tmp_path / "plan"
    folder.mkdir()
    source = act.sample_path("jieshou/plan.yaml")
    for file in source.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    act.synthetic_claims(3000).to_csv(folder)
    rules = yaml.safe_load(Path(str(_law_file(JEMINAY[1]))).read_text(encoding="utf-8"))
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules, allow_unicode=True), encoding="utf-8")
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    content["tables"]["claims"] = {"path": "claims.csv", "basis": "incurred"}
    content["tables"].pop("experience", None)
    content["insured"]["count"] = 3000
    content["insured"]["next_year"] = 3000
    content["scenarios"] = []
    content.pop("contract")
    content["identities"] = []
    content["policy"] = {
        "method": "repriced", "old": JEMINAY[0], "new": "rules.yaml", "recode": WORDS, "source": "test",
        "readings": {"deductible": {"value": 100, "source": "test"}},
    }  # fmt: skip
    (folder / "plan.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    plan = act.load_plan(folder)
    answer = act.run(plan, paths=2000)
    cost = answer.simulation.cost
    assert cost.policy.method == "repriced"
    assert 1.02 < cost.policy.coefficient < 1.15
    steps = cost.waterfall().set_index("step")["yuan_per_person"]
    median = float(cost.per_capita(np.zeros((1, cost.dimension))).sum())
    assert float(steps.sum()) == pytest.approx(median, rel=1e-9)
    assert "leverage" in steps
    inpatient = cost.categories.index("inpatient")
    assert cost.policy.relative("inpatient") > 1 > cost.policy.relative("outpatient_pooling")
    assert inpatient >= 0


def test_a_plan_with_bands_of_cost(tmp_path: Path, synthetic: act.ClaimsTable) -> None:
    """Totals by level and band in place of claims: the plan's factor agrees with the claims' own within its error."""
    claims = synthetic.table
    claims = claims[claims["category"] == "inpatient"]
    edges = [0, 1000, 3000, 10_000, 30_000, 1e9]
    claims["band"] = pd.cut(claims["in_scope_cost"], edges, right=False, labels=False)
    cells = claims.groupby(["level", "band"])[["in_scope_cost", "fund_payment"]].agg(["size", "sum"])
    rows = ["类别,医疗机构级别,费用段下限（元）,费用段上限（元）,人次,政策范围内费用（元）"]
    for (level, band), row in cells.iterrows():
        top = "" if band == 4 else f"{edges[int(band) + 1]:g}"
        rows.append(f"住院,{level},{edges[int(band)]:g},{top},{row.iloc[0]:g},{row.iloc[1]:.2f}")
    folder = tmp_path / "plan"
    folder.mkdir()
    source = act.sample_path("jieshou/plan.yaml")
    for file in source.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "bands.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    content["tables"]["bands"] = {"path": "bands.csv"}
    content["policy"] = {
        "method": "aggregates",
        "old": JEMINAY[0],
        "new": JEMINAY[1],
        "recode": WORDS,
        "source": "test",
    }
    (folder / "plan.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        factor = plan_policy(act.load_plan(folder))
    inpatient = act.policy_factor(synthetic, old=JEMINAY[0], new=JEMINAY[1], recode=WORDS).by("category")
    # not calibrated to payments here: compare with the ratio of the rules themselves
    direct = [
        act.reprice(synthetic, j, recode=WORDS).frame.query("category == 'inpatient'")["basic"].sum()
        for j in JEMINAY
    ]
    assert factor.method == "aggregates"
    assert factor.coefficient == pytest.approx(direct[1] / direct[0], abs=4 * factor.sd)
    assert abs(factor.coefficient - direct[1] / direct[0]) < 0.02
    assert len(inpatient) > 1


def _law_file(name: str) -> Path:
    from importlib.resources import files

    return Path(str(files("actuarial.law").joinpath(f"{name}.yaml")))


def test_a_plan_without_claims_cannot_reprice(plan_with: Any) -> None:
    """Repricing needs claims, and rules that exist: both are told at once."""
    policy = {
        "method": "repriced",
        "old": JEMINAY[0],
        "new": "china/nowhere/ncms/x@2012-01-01",
        "source": "test",
    }
    plan = plan_with("jieshou", {"policy": policy})
    with pytest.raises(InputError) as caught:
        _ = plan.tables
    assert {f.code for f in caught.value.faults} == {"plan.policy_claims", "law.unknown"}


def test_the_command_refuses_gaps_without_a_reading(capsys: pytest.CaptureFixture[str]) -> None:
    """Hainan's ratio is a range: refused with its bounds until read; a reading that no rule knows is refused too."""
    from actuarial.cli import main

    hainan = "china/hainan/cii/critical_illness@2014-01-01"
    base = [
        "reprice",
        str(act.sample_path("synthetic/claims.csv")),
        "--old",
        hainan,
        "--new",
        hainan,
        "--lang",
        "en",
    ]
    assert _status(main, base) == 2
    assert "0.5–0.75" in capsys.readouterr().err
    assert _status(main, [*base, "--reading", "ratios=0.6"]) == 2
    assert '"ratios" cannot be read' in capsys.readouterr().err
    assert _status(main, [*base, "--reading", "ratio=0.6"]) == 0
    assert "policy factor 1.0000" in capsys.readouterr().out


def test_the_workbook_is_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--out x.xlsx` has four sheets with Chinese headings and words; a cell of few persons is blank; a wrong ending is refused."""
    import openpyxl

    from actuarial.cli import main

    out = tmp_path / "factor.xlsx"
    words = [
        "reprice",
        str(act.sample_path("synthetic/claims.csv")),
        "--old",
        JEMINAY[0],
        "--new",
        JEMINAY[1],
    ]
    words += ["--recode", "level:市外医院=地级医院", "--lang", "zh"]
    assert _status(main, [*words, "--out", str(out)]) == 0
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["政策影响系数", "各项调整", "原办法复现", "按费用段"]
    rows = list(book["政策影响系数"].values)
    assert rows[0][:3] == ("类别", "医疗机构级别", "单据数")
    assert rows[-1][0] == "合计"
    accident = next(r for r in rows if r[0] == "意外伤害")
    assert accident[2:] == (None,) * len(accident[2:])
    capsys.readouterr()
    assert _status(main, [*words, "--out", str(tmp_path / "x.pdf")]) == 2
    assert ".xlsx" in capsys.readouterr().err


def _status(main: Any, words: list[str]) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(stop.value.code or 0)


def test_the_same_rules_are_a_factor_of_one(synthetic: act.ClaimsTable) -> None:
    """Old and new the same: exactly 1, without error, nothing but an interaction of 0; the chart can be drawn."""
    own = "china/jieshou/resident/synthetic_rules@2013-01-01"
    found = act.policy_factor(synthetic, old=own, new=own)
    assert (found.coefficient, found.sd) == pytest.approx((1.0, 0.0), abs=1e-12)
    assert found.fit.equal_share == 1.0
    assert found.changes["alone"].tolist() == pytest.approx([0.0], abs=1e-6)
    assert found.plot() is not None


def test_readings_at_call_time(tmp_path: Path) -> None:
    """A reading given by hand goes before the file's, and is among the sources as assumed."""
    schedule = load_schedule(JEMINAY[0], readings={"deductible": 300})
    assert float(schedule.piecewise("basic", category="inpatient", level="township")(1300.0)) == 800.0
    assert any(s.what == "deductible" and s.status == "assumed" for s in schedule.sources)
