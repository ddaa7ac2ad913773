"""A year's execution: published months, a simulated year, projection, bridge, drivers, early warning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import actuarial as act
from actuarial.budget import (
    Monitor,
    base_year_budget,
    load_rules,
    monitor,
    national_errors,
    plan_actual,
    provider_budgets,
    read_actual,
    simulated_errors,
    warnings_of,
)
from actuarial.budget.projection import project, rehearse
from actuarial.pipeline import Answer
from actuarial.plan import Plan
from actuarial.report.monitoring import compose_monitoring, write_monitoring
from actuarial.samples import sample_path
from actuarial.tables import read_table


@pytest.fixture(scope="module")
def anhui_seen(anhui: Plan) -> Monitor:
    """Five months of the Anhui county."""
    return monitor(base_year_budget(anhui), plan_actual(anhui))


@pytest.fixture(scope="module")
def jieshou_seen(jieshou: Plan) -> Monitor:
    """Ten months of Jieshou, with the overspending as reported."""
    return monitor(base_year_budget(jieshou), plan_actual(jieshou), overspend=provider_budgets(jieshou))


def write_actual(
    path: Path, answer: Answer, months: int, *, factor: float = 1.0, visits: float = 1.0, late: float = 1.0
) -> Path:
    """Actuals as budgeted: spending × factor, visits × visits, the centre's receipts × late; incurred 10% above cash."""
    frame = answer.budget.phasing.frame
    frame = frame[(frame["month"] <= months) & (frame["amount"] > 0)]
    rows = ["月份,项目,收付金额（元）,发生金额（元）,人次"]
    for r in frame.to_dict("records"):
        spending = r["side"] == "expenditure"
        scale = (
            factor
            if r["line"] in ("inpatient", "outpatient")
            else late
            if r["item"] == "subsidy_central"
            else 1.0
        )
        cash, count = r["amount"] * scale, r["visits"] * visits if r["visits"] == r["visits"] else ""
        rows.append(f"{r['month']},{r['item']},{cash},{cash * 1.1 if spending else ''},{count}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def watched(answer: Answer, folder: Path, months: int, **options: float) -> Monitor:
    """A year as budgeted but for the options."""
    return monitor(
        answer.budget.phasing,
        read_actual(write_actual(folder / "a.csv", answer, months, **options), answer.plan),
    )  # type: ignore[arg-type]


# --------------------------------------------------------------------------- published months


def test_anhui_as_published(anhui_seen: Monitor) -> None:
    """5,328.15万 due, 4,631.345万 in, 2,077.9万 spent; the province owes 94.445万 and the centre 602.36万, as printed."""
    payers = anhui_seen.outstanding.set_index("payer")
    assert payers["due_year"].sum() == pytest.approx(53_281_500)
    assert payers["received"].sum() == pytest.approx(46_313_450)
    assert payers.loc["subsidy_provincial", "outstanding"] == pytest.approx(944_450)
    assert payers.loc["subsidy_central", "outstanding"] == pytest.approx(6_023_600)
    assert (
        payers["overdue"].sum() == 0
    )  # the calendar is what arrived: no date of payment is printed for the rest
    assert payers.loc["subsidy_provincial", "since_last"] == 3
    total = anhui_seen.items.set_index("item").loc["all"]
    assert total["actual_to_date"] == pytest.approx(20_779_000)
    assert total["progress"] == pytest.approx(0.38998, abs=1e-5)
    assert anhui_seen.projection.quantile(0.5) == pytest.approx(
        20_779_000 / anhui_seen.budget.profile.cumulative(5), rel=1e-3
    )


def test_jieshou_as_published(jieshou_seen: Monitor) -> None:
    """74.76% of the year's income spent in ten months; 1,500万 over outside the area is 30% of 5,000万; +45% admissions."""
    total = jieshou_seen.items[
        (jieshou_seen.items["item"] == "all") & (jieshou_seen.items["side"] == "expenditure")
    ].iloc[0]
    assert total["progress"] == pytest.approx(0.7476, abs=5e-5)
    report = warnings_of(jieshou_seen, admissions={"outside": 0.45}).frame.set_index(["rule", "what"])
    assert report.loc[("provider", "outside"), "value"] == pytest.approx(0.30)
    assert report.loc[("provider", "outside"), "level"] == "red"
    assert report.loc[("admissions", "outside"), ["value", "level"]].tolist() == [0.45, "red"]
    assert jieshou_seen.income == pytest.approx(2.2e8)  # what came early is not expected again


# --------------------------------------------------------------------------- a year as budgeted, and not


def test_a_year_as_budgeted(answer: Answer, tmp_path: Path) -> None:
    """Where the months are as budgeted there is no variance, nothing overdue, and the year ends near its budget."""
    m = watched(answer, tmp_path, 6)
    assert m.items.set_index("item")["variance"].drop("interest").abs().max() < 1.0
    assert m.outstanding["overdue"].sum() == 0
    assert m.projection.prior_used
    assert m.projection.mean == pytest.approx(m.claims_budget, rel=0.02)
    assert m.drivers is not None
    assert m.drivers.table["change"].abs().max() < 1e-6
    low, high = m.projection.interval()
    assert low < m.claims_budget < high


def test_more_months_narrow_the_year(answer: Answer, tmp_path: Path) -> None:
    """The interval shrinks with every quarter; a whole year leaves nothing open; final accounts are the actuals."""
    widths = []
    for k in (3, 6, 9, 12):
        m = watched(answer, tmp_path, k)
        low, high = m.projection.interval()
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0
    assert m.overspending_probability == 0
    form = m.form("final")
    assert form.columns["final"]["inpatient"] == pytest.approx(answer.budget.draft["inpatient"], rel=1e-9)
    assert form.columns["budget"]["closing_balance"] == pytest.approx(
        answer.budget.draft["closing_balance"], rel=1e-9
    )


def test_dearer_months_are_seen_and_explained(answer: Answer, tmp_path: Path) -> None:
    """Spending 6% up by visits alone: LMDI puts all of it on visits, the year and the chance of overspending rise."""
    m, same = (watched(answer, tmp_path, 8, factor=f, visits=f) for f in (1.06, 1.0))
    assert m.drivers is not None
    parts = m.drivers.table.set_index("driver")["change"]
    assert parts["visits"] == pytest.approx(m.drivers.after - m.drivers.before, rel=1e-9)
    assert abs(parts["payment_per_visit"]) < 1e-6
    assert m.projection.mean > same.projection.mean
    assert m.overspending_probability > same.overspending_probability
    assert m.form("adjusted").columns["adjusted"]["benefits"] == pytest.approx(m.projection.mean, rel=1e-9)


def test_a_shock_sets_the_simulation_aside(jieshou_run: Answer, tmp_path: Path) -> None:
    """At twice the budget the months contradict the simulation: said, and the year rests on the months alone."""
    path = write_actual(tmp_path / "a.csv", jieshou_run, 6, factor=2.0)
    with pytest.warns(act.ModelWarning):
        m = monitor(jieshou_run.budget.phasing, read_actual(path, jieshou_run.plan))
    assert not m.projection.prior_used
    assert m.projection.mean == pytest.approx(2 * m.claims_budget, rel=0.02)


def test_the_bridge_closes(anhui_run: Answer, tmp_path: Path) -> None:
    """Unpaid before + incurred − paid = unpaid, month by month; the basis chosen is what is compared."""
    path = write_actual(tmp_path / "a.csv", anhui_run, 5)
    seen = read_actual(path, anhui_run.plan)
    m = monitor(replace(anhui_run.budget.phasing, unpaid=1_000_000.0), seen, basis="incurred")
    bridge = m.bridge
    assert bridge is not None
    assert (bridge["unpaid_before"] + bridge["incurred"] - bridge["paid"]).to_numpy() == pytest.approx(
        bridge["unpaid"].to_numpy()
    )
    assert bridge["unpaid"].iloc[-1] == pytest.approx(1_000_000 + 0.1 * seen.amounts("expenditure").sum())
    assert m.items.set_index("item").loc["inpatient", "variance"] > 0


def test_arrears_have_an_age(anhui_run: Answer, tmp_path: Path) -> None:
    """The centre's May instalment came to 60% only: at the end of August 40% is overdue for three months."""
    m = watched(anhui_run, tmp_path, 8, late=0.6)
    row = m.outstanding.set_index("payer").loc["subsidy_central"]
    assert row["overdue"] == pytest.approx(0.4 * row["due_to_date"])
    assert row["age"] == 3
    assert (
        warnings_of(m).frame.set_index(["rule", "what"]).loc[("arrears", "subsidy_central"), "level"]
        == "orange"
    )


def test_amounts_to_date_are_differenced(anhui: Plan, tmp_path: Path) -> None:
    """The same year by month and to date gives the same amounts; month 0 counts in month 1."""
    (tmp_path / "m.csv").write_text(
        "月份,项目,收付金额（元）\n0,个人,100\n1,住院,5\n2,住院,7\n", encoding="utf-8"
    )
    (tmp_path / "d.csv").write_text(
        "月份,项目,当年累计收付（元）\n0,个人,100\n1,住院,5\n2,住院,12\n", encoding="utf-8"
    )
    a, b = (read_actual(tmp_path / f, anhui) for f in ("m.csv", "d.csv"))
    for side in ("revenue", "expenditure"):
        assert a.amounts(side).tolist() == b.amounts(side).tolist()
    assert a.amounts("revenue")[0] == 100


# --------------------------------------------------------------------------- projection and alarms


def test_the_projection_is_the_simulators(jieshou_run: Answer) -> None:
    """The year's end is that of `Fund.simulate` with the same months observed, path by path."""
    year = jieshou_run.budget.phasing
    sim = jieshou_run.simulation
    seen = 1.03 * sim.claims.mean(axis=0)[:6]
    found = project(year, seen, 6)
    fresh = sim.fund.simulate(
        sim.cost,
        paths=sim.paths,
        seed=sim.seed,
        observed=act.MonthlyActuals(claims=seen.tolist(), source="t"),
    )
    np.testing.assert_allclose(found.totals, fresh.claims.sum(axis=1), rtol=1e-12)
    assert found.mean == pytest.approx(project(year, float(seen.sum()), 6).mean, rel=1e-9)  # months add up


def test_the_projection_agrees_with_years_that_began_alike(jieshou_run: Answer) -> None:
    """Against rejection: simulated years whose first months come within 1% of what was seen have the projected mean and spread."""
    year = jieshou_run.budget.phasing
    totals, projected = rehearse(year, 6, years=9000, nodes=1000)
    target = float(np.median(projected.mean(axis=1)))
    near = np.abs(projected.mean(axis=1) / target - 1) < 0.003
    assert near.sum() > 200
    error = totals[near].std() / np.sqrt(near.sum())
    assert projected[near].mean() == pytest.approx(totals[near].mean(), abs=4 * error)
    assert projected[near].std(axis=1).mean() == pytest.approx(totals[near].std(), rel=0.15)


def test_intervals_hold_on_simulated_years(jieshou_run: Answer) -> None:
    """Of 2,000 simulated years seen for six months, the 80% interval holds the year in about 80%."""
    totals, projected = rehearse(jieshou_run.budget.phasing, 6)
    low, high = np.quantile(projected, [0.1, 0.9], axis=1)
    assert 0.77 <= np.mean((low <= totals) & (totals <= high)) <= 0.83


def test_alarms_err_less_with_more_months(jieshou_run: Answer) -> None:
    """False alarms plus misses fall from March to November; a stricter level has fewer false alarms and more misses."""
    found = simulated_errors(jieshou_run.budget.phasing).set_index(["months", "level"])
    errors = found["false_alarm"] + found["miss"]
    assert errors[11, 0.5] < errors[6, 0.5] < errors[1, 0.5] + 0.05
    assert found.loc[(6, 0.8), "false_alarm"] <= found.loc[(6, 0.2), "false_alarm"]
    assert found.loc[(6, 0.8), "miss"] >= found.loc[(6, 0.2), "miss"]


def test_alarms_on_the_national_series() -> None:
    """Three real years: with nine months seen a gap of 3% is told rightly in each, a gap of 1% not always before."""
    table = read_table(sample_path("national/monthly_medical_fund.csv"), "monthly_history")
    found = national_errors(table).set_index(["months", "gap"])
    assert found["years"].eq(3).all()
    assert found.loc[(9, 0.03), ["false_alarm", "miss"]].tolist() == [0.0, 0.0]
    assert found.loc[(slice(1, 6), 0.01), ["false_alarm", "miss"]].to_numpy().sum() > 0


def test_rules_speak_at_their_levels(anhui_seen: Monitor) -> None:
    """Anhui's expected deficit of 383万 is above 300万: red, with its probability; levels can be set and are then assumed."""
    found = warnings_of(anhui_seen)
    first = found.alarms.iloc[0]
    assert (first["rule"], first["level"]) == ("deficit_300", "red")
    assert first["value"] == pytest.approx(-anhui_seen.balance())
    assert first["probability"] == anhui_seen.deficit_probability(3e6)
    assert found.frame["probability"].min() >= 0
    softer = warnings_of(anhui_seen, rules=load_rules({"deficit_300": {"red": 1e9}})).frame.set_index("rule")
    assert softer.loc["deficit_300", ["level", "status"]].tolist() == ["", "assumed"]


def test_every_rule_has_document_status_and_words() -> None:
    """Rules are data: a document, a status, words in both languages, levels in order of gravity."""
    for rule in load_rules():
        assert rule.document
        assert rule.status in {"stated", "assumed"}
        assert {"zh", "en"} <= set(rule.name)
        values = list(rule.levels.values())
        assert values == sorted(values, reverse=rule.when == "below")


# --------------------------------------------------------------------------- what is handed in


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_says_it_all(jieshou_seen: Monitor, lang: str, tmp_path: Path) -> None:
    """Summary, alarms with thresholds, all rules with their documents, and blanks for the person who answers."""
    table = read_table(sample_path("national/monthly_medical_fund.csv"), "monthly_history")
    report = warnings_of(jieshou_seen, admissions={"outside": 0.45})
    content = compose_monitoring(report, lang, national_errors(table))
    words = [p for s in content.sections for p in s.paragraphs]
    assert any("45.0%" in p for p in words)
    assert any("____" in p for p in words)
    page = write_monitoring(report, tmp_path / "p.html", lang).read_text(encoding="utf-8")
    assert "http://" not in page.split("</style>")[1].replace("http://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")
    assert jieshou_seen.to_excel(tmp_path / "m.xlsx", lang).is_file()


def test_a_hostile_provider_is_text(jieshou_seen: Monitor, tmp_path: Path) -> None:
    """A provider called <script> is shown, not run; =1+1 is no formula."""
    assert jieshou_seen.providers is not None
    hostile = jieshou_seen.providers.assign(provider=["<script>alert(1)</script>", "=1+1", "@x"])
    m = replace(jieshou_seen, providers=hostile)
    page = write_monitoring(warnings_of(m), tmp_path / "p.html", "zh").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    import openpyxl

    book = openpyxl.load_workbook(m.to_excel(tmp_path / "m.xlsx", "zh"))
    assert not any(c.data_type == "f" for s in book for row in s for c in row)


def test_commands(jieshou_run: Answer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`budget` and `monitor` write their files; JSON names them; every key stands in docs/cli.md."""
    from actuarial.cli import main

    plan = str(sample_path("jieshou/plan.yaml"))
    actual = str(write_actual(tmp_path / "a.csv", jieshou_run, 4))
    documented = (Path(__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")
    for words in (
        ["budget", plan],
        ["monitor", plan],
        ["monitor", plan, "--actual", actual, "--premium", str(jieshou_run.budget.premium)],
    ):
        with pytest.raises(SystemExit) as end:
            main(
                [
                    *words,
                    "--out",
                    str(tmp_path),
                    "--json",
                    *([] if words[0] == "monitor" and len(words) == 2 else ["--paths", "2000"]),
                ]
            )
        found = json.loads(capsys.readouterr().out)
        assert end.value.code in (0, None)
        for key in ("workbook", "page", "form"):
            assert found.get(key) is None or Path(found[key]).is_file()
        assert all(f"`{key}`" in documented for key in found), set(found)
    assert found["months"] == 4
    assert found["form"]


def test_tables_by_level_and_provider(anhui: Plan, tmp_path: Path) -> None:
    """Actuals by level and provider are added up by each."""
    content = "月份,项目,级别,医疗机构,收付金额（元）,人次\n1,住院,乡镇,甲院,100,1\n1,住院,县级医院,乙院,300,2\n2,住院,乡镇,甲院,50,1\n"
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    m = monitor(base_year_budget(anhui), read_actual(tmp_path / "a.csv", anhui))
    assert m.by("provider").set_index("provider")["cash"].to_dict() == {"甲院": 150, "乙院": 300}
    assert m.by("level")["cash"].sum() == 450
    assert isinstance(m.by_month, pd.DataFrame)


def test_months_that_a_total_does_not_tell_apart_are_blank(anhui: Plan) -> None:
    """Five months known as one sum: no month shows a nought as if it had been observed; the balance at their end stands."""
    months = monitor(base_year_budget(anhui), plan_actual(anhui)).by_month
    assert months[["income", "spending"]].isna().all().all()
    assert months["balance"].isna().tolist() == [True] * 4 + [False]
    assert months["balance"].iloc[-1] == pytest.approx(25_534_450)
