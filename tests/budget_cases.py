"""What provokes each error of budget, monitoring and early warning; taken up by the error catalogue."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from actuarial.budget import (
    OfficialForm,
    allot_budgets,
    base_year_budget,
    fill_form,
    fill_template,
    load_rules,
    monitor,
    plan_actual,
    read_actual,
    settle_points,
    simulated_errors,
)
from actuarial.budget.providers import sharing
from actuarial.fund import Fund
from actuarial.fund.forecast import plan_cost
from actuarial.plan import Plan, load_plan
from actuarial.samples import sample_path

Case = Callable[[Path], Any]
FORM = OfficialForm("draft", 2024, {c: fill_form({"interest": 1.0}) for c in ("last", "draft")}, {})
HISTORY = pd.DataFrame({"provider": ["a"], "visits": [10.0], "mean_cost": [100.0], "ratio": [0.5]})


def template(name: str, *, part: str | None = None, words: str = "") -> Case:
    """Filling a template of this name, with a further part in its archive."""

    def work(folder: Path) -> Any:
        path = folder / name
        book = openpyxl.Workbook()
        book.active.append([words])  # type: ignore[union-attr]
        book.save(path.with_suffix(".xlsx"))
        if part:
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr(part, b"x")
        if path.suffix != ".xlsx":
            path.write_bytes(b"x")
        return fill_template(path, FORM, folder / "out.xlsx")

    return work


def anhui(payers: str, work: Callable[[Plan], Any]) -> Case:
    """Something done with the Anhui plan under another table of payers."""

    def run(folder: Path) -> Any:
        source = sample_path("anhui_county/plan.yaml").parent
        for file in source.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        (folder / "payers.csv").write_text(payers, encoding="utf-8")
        (folder / "calendar.csv").write_text(
            "缴费主体,月份,累计到位比例（%）\n个人,2,100\n", encoding="utf-8"
        )
        return work(load_plan(folder / "plan.yaml"))

    return run


def actual(content: str) -> Case:
    """Reading actuals of the Anhui plan with this content."""

    def work(folder: Path) -> Any:
        path = folder / "a.csv"
        path.write_text(content, encoding="utf-8")
        return read_actual(path, load_plan(sample_path("anhui_county/plan.yaml")))

    return work


def base(**options: Any) -> Any:
    """The Anhui county's own five months against what was due."""
    plan = load_plan(sample_path("anhui_county/plan.yaml"))
    return monitor(base_year_budget(plan), plan_actual(plan), **options)


def surprised() -> Any:
    """A budget whose simulation expected a tenth of what was spent."""
    plan = load_plan(sample_path("anhui_county/plan.yaml"))
    sim = Fund(plan).simulate(plan_cost(plan), paths=100)
    sim = replace(sim, arrays=replace(sim.arrays, claims=sim.claims / 10))
    return monitor(replace(base_year_budget(plan), simulation=sim), plan_actual(plan))


CASES: dict[str, list[Case]] = {
    "budget.unknown_line": [lambda folder: fill_form({"incomes": 1.0})],
    "budget.nothing_due": [
        anhui("缴费主体,人均标准（元）,应到资金（元）,已到资金（元）\n个人,100,0,0\n", base_year_budget)
    ],
    "budget.allot_columns": [lambda folder: allot_budgets(HISTORY.drop(columns="ratio"), available=1e6)],
    "budget.allot_value": [
        lambda folder: allot_budgets(HISTORY.assign(visits=-1.0), available=1e6),
        lambda folder: allot_budgets(HISTORY.assign(cost_growth=float("nan")), available=1e6),
    ],
    "budget.nothing_left": [
        lambda folder: allot_budgets(HISTORY, available=1e6, other=1e6),
        lambda folder: allot_budgets(HISTORY, available=1e6, reserve_share=1.0),
    ],
    "budget.no_points": [
        lambda folder: settle_points(pd.DataFrame({"provider": ["a"], "points": [0.0]}), budget=1.0),
    ],
    "budget.sharing": [lambda folder: sharing("nobody", 1.0), lambda folder: sharing("shenzhen", 0.0)],
    "budget.template_type": [template("t.xls"), template("t.txt")],
    "budget.template_same": [lambda folder: fill_template(folder / "t.xlsx", FORM, folder / "t.xlsx")],
    "budget.template_drawings": [template("t.xlsx", part="xl/drawings/drawing1.xml")],
    "budget.unknown_item": [actual("月份,项目,收付金额（元）\n1,某某,5\n")],
    "budget.item_twice": [actual("月份,项目,收付金额（元）\n1,住院,5\n1,大病住院,6\n")],
    "budget.no_amounts": [
        actual("月份,项目,人次\n1,住院,5\n"),
        actual("月份,项目,收付金额（元）\n1,住院,\n"),
    ],
    "budget.actual_falls": [actual("月份,项目,当年累计收付（元）\n1,住院,5\n2,住院,4\n")],
    "budget.basis": [lambda folder: base(basis="incurred")],
    "budget.stage": [lambda folder: base().form("final"), lambda folder: base().form("draft")],
    "budget.rule": [
        lambda folder: load_rules({"weather": {"red": 1.0}}),
        lambda folder: load_rules({"admissions": {"blue": 1.0}}),
    ],
    "budget.no_prior": [lambda folder: simulated_errors(base().budget)],
    "budget.surprise": [lambda folder: surprised()],
    "budget.template_empty": [template("t.xlsx", words="预算")],
}
