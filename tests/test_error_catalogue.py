"""Every error and warning is provoked, in both languages: the catalogue that grows with every change."""

from __future__ import annotations

import re
import string
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import actuarial as act
from actuarial.benefits import simple_target
from actuarial.benefits.loadings import Loading
from actuarial.cli.bargain_options import ALL as TOLD
from actuarial.cli.bargain_options import case_of
from actuarial.cli.growth import read_levels
from actuarial.contract.costs import Costs
from actuarial.contract.design import Wanted, design_bands
from actuarial.contract.effort import Effort
from actuarial.contract.outcomes import year_of
from actuarial.contract.simple import SimpleClaims
from actuarial.errors import ActuarialWarning, Fault
from actuarial.experience import base_year, read_experience
from actuarial.fund.subsidy import subsidy_split
from actuarial.growth import fit_growth
from actuarial.law import load_law, read_yaml
from actuarial.law.diff import Change, apply_changes, diff_laws
from actuarial.plan import Patch
from actuarial.samples import sample_path
from actuarial.samples.claims import synthetic_claims
from actuarial.severity import Lognormal, SplicedPareto
from actuarial.tables import (
    MonthlyProfile,
    read_claims,
    read_exposure,
    read_table,
    reconcile,
    write_marked_copy,
)
from actuarial.texts import catalogue, use_language
from tests.benefit_cases import CASES as BENEFIT_CASES
from tests.benefit_cases import PARTS
from tests.budget_cases import CASES as BUDGET_CASES
from tests.fund_cases import CASES as FUND_CASES
from tests.risk_cases import CASES as RISK_CASES
from tests.settle_cases import CASES as SETTLE_CASES

ERROR_FILES = (
    "answers",
    "fleet",
    "trouble",
    "subsidy",
    "income",
    "switches",
    "risks",
    "claims",
    "file",
    "table",
    "plan",
    "law",
    "experience",
    "benefits",
    "growth",
    "fund",
    "contract",
    "bargain",
    "contract_terms",
    "model",
    "samples",
    "severity",
    "bands",
    "pricing",
    "budget",
)
NOTES = {
    "table.total_rounding",
    "table.stacked",
    *PARTS,
}  # told as notes or within other messages, not raised
ENVIRONMENT = {"file.no_samples", "model.no_font", "growth.ets_failed"}  # provoked in tests of their own


COOPERATION = "china/jiande/contract/cooperation@2012-01-01"


def jiande() -> act.Contract:
    """The plan of 2012."""
    return act.load_contract(COOPERATION)


def told_case(reference: str, **told: Any) -> object:
    """What a bargaining command makes of its words."""
    empty = {**dict.fromkeys(TOLD), "reading": {}, "event": {}, "indicator": {}}
    return case_of((reference,), {**empty, **told}, paths=50, seed=1)


Case = Callable[[Path], Any]
CASES: dict[str, list[Case]] = {
    code: list(works)
    for code, works in {**BENEFIT_CASES, **BUDGET_CASES, **FUND_CASES, **RISK_CASES, **SETTLE_CASES}.items()
}


def case(code: str) -> Callable[[Case], Case]:
    """Register what provokes a code."""

    def keep(work: Case) -> Case:
        CASES.setdefault(code, []).append(work)
        return work

    return keep


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def table(kind: str, content: str | bytes, name: str = "t.csv", **options: Any) -> Case:
    """Reading a table with this content."""
    return lambda folder: read_table(write(folder, name, content), kind, **options)


EXPERIENCE = "类别,人次,金额（万元）\n住院,10,1.00\n门诊统筹,20,2.00\n"

for code, work in {
    "table.no_heading": table("experience", "a,b\n1,2\n"),
    "table.no_column_name": table("experience", "类别,金额（元）,\n住院,1,2\n"),
    "table.unknown_column": table("experience", "类别,金额（元）,颜色\n住院,1,红\n"),
    "table.missing_column": table("payers", "缴费主体,应到资金（元）\n个人,1\n"),
    "table.twice": table("experience", "类别,金额（元）,支出（元）\n住院,1,2\n"),
    "table.no_unit": table("experience", "类别,金额\n住院,1\n"),
    "table.two_units": table("experience", "类别,金额（元）\n住院,1\n", unit="万元"),
    "table.unknown_unit": table("experience", "类别,金额（两）\n住院,1\n"),
    "table.empty": table("experience", "类别,金额（元）\n"),
    "table.empty_cell": table("experience", "类别,金额（元）\n住院,\n"),
    "table.not_a_number": table("experience", "类别,金额（元）\n住院,12万\n"),
    "table.percent_in_money": table("experience", "类别,金额（元）\n住院,12%\n"),
    "table.no_ratio_unit": table("reimbursement", "级别,补偿比\n乡镇,81.7\n"),
    "table.over_one": table("calendar", "缴费主体,月份,累计比例（%）\n个人,1,120\n"),
    "table.not_a_year": table("history", "年份,参保人数,基金支出（元）\n20x3,1,1\n13,1,1\n"),
    "table.not_a_month": table("calendar", "缴费主体,月份,累计比例（%）\n个人,13,100\n"),
    "table.negative": table("experience", "类别,金额（元）\n住院,-30.0\n"),
    "table.duplicate": table("experience", "类别,金额（元）\n住院,1\n住院补偿,2\n"),
    "table.wrong_total": table("experience", EXPERIENCE + "合计,30,5.00\n"),
    "table.too_many_cells": table("experience", "类别,金额（元）\n住院,1,2\n"),
    "file.type": table("experience", "x", name="t.pdf"),
    "file.nul": table("experience", b"a\0b"),
    "file.encoding": table("experience", b"\xff\xff\xff\xff"),
    "file.damaged": table("experience", b"not a zip", name="t.xlsx"),
    "file.not_found": lambda folder: read_table(folder / "none.csv", "experience"),
    "file.yaml": lambda folder: read_yaml(write(folder, "p.yaml", "a: [1\n")),
    "file.yaml_mapping": lambda folder: read_yaml(write(folder, "p.yaml", "- 1\n")),
    "file.yaml_tag": lambda folder: read_yaml(write(folder, "p.yaml", "a: !!python/name:os.system x\n")),
    "file.yaml_alias": lambda folder: read_yaml(write(folder, "p.yaml", "a: &x [1]\nb: *x\n")),
    "file.yaml_twice": lambda folder: read_yaml(write(folder, "p.yaml", "a: 1\na: 2\n")),
    "file.no_sample": lambda folder: sample_path("no/such.csv"),
    "bargain.simple": lambda folder: SimpleClaims(-1.0, 0.1),
    "bargain.staff": lambda folder: Costs(people=14.0),
    "bargain.policy_rise": lambda folder: told_case(COOPERATION, lognormal=(1e8, 0.05), policy_rise=-2.0),
    "bargain.beyond": lambda folder: design_bands([1.0, 2.0], target=2.0, edges=[1.0], beyond=3.0),
    "bargain.cost": lambda folder: Costs(expenses=-1.0),
    "bargain.effort": lambda folder: Effort(0.0),
    "bargain.wanted": lambda folder: Wanted(loss_probability=1.5),
    "bargain.shape": lambda folder: year_of(np.ones((3, 11))),
    "bargain.edges": lambda folder: design_bands([1.0], target=1.0, edges=[2.0, 1.0]),
    "bargain.shares": lambda folder: design_bands([1.0], target=1.0, edges=[1.0], least=0.9, most=0.1),
    "bargain.near": lambda folder: design_bands([1.0], target=1.0, edges=[1.0], near=[0.5], step=0.5),
    "bargain.no_years": lambda folder: told_case(COOPERATION),
    "bargain.lognormal": lambda folder: told_case(COOPERATION, lognormal=(1e8,)),
    "bargain.plan_without_contract": lambda folder: told_case(str(sample_path("anhui_county/plan.yaml"))),
    "bargain.months_needed": lambda folder: jiande().evaluate(
        target=2e8, claims=[1e8], costs=Costs(cash_rate=0.04)
    ),
    "bargain.groups": lambda folder: jiande().evaluate(target=2e8, claims=[1e8]).conditional([1.0, 2.0]),
    "bargain.offers": lambda folder: act.compare_offers({"A": jiande()}, claims=[1e8], target=2e8),
    "bargain.no_offer": lambda folder: act.compare_offers(
        {"A": jiande()}, claims=[1e8], target=2e8, base="B"
    ),
    "bargain.range": lambda folder: act.fair_target(jiande(), claims=[1e8], low=2e8, high=1e8),
    "samples.number": lambda folder: synthetic_claims(0),
    "samples.place": lambda folder: synthetic_claims(1, place="nowhere"),
    "samples.too_few": lambda folder: synthetic_claims(5, exact=True),
    "law.unknown": lambda folder: load_law("china/nowhere/contract/x@2012-01-01"),
    "law.kind": lambda folder: load_law("china/jiande/costing/per_capita@2012-01-01", "contract"),
    "experience.policy_factors": lambda folder: MonthlyProfile.even().with_policy([1.0] * 11),
    "benefits.month_weights": lambda folder: act.month_weighted_factor(
        act.stated_policy_factor(1.1), full_from="2012-07-01", weights=[1.0]
    ),
    "benefits.factor": lambda folder: act.stated_policy_factor(-1.0),
    "growth.one_uncertainty": lambda folder: act.expert_growth(0.1),
    "growth.out_of_range": lambda folder: act.expert_growth(-2.0, sd=0.1),
    "growth.too_short": lambda folder: fit_growth(pd.Series([1.0, 2.0], index=[2001, 2002])),
    "growth.not_positive": lambda folder: fit_growth(pd.Series([1.0, 0.0, 2.0], index=[2001, 2002, 2003])),
    "growth.year_twice": lambda folder: fit_growth(pd.Series([1.0, 1.1, 1.2], index=[2001, 2001, 2003])),
    "growth.ets_gaps": lambda folder: fit_growth(
        pd.Series([1.0, 1.1, 1.2], index=[2001, 2002, 2004]), model="ets"
    ),
    "fund.alpha": lambda folder: act.Simulation.premium_target(small_run(), 1.0),
    "fund.criterion": lambda folder: small_run().premium_target(0.05, criterion="never"),
    "contract.target": lambda folder: contract().bands(0.0),
    "contract.amount": lambda folder: contract().settle(target=2e8, claims=float("nan")),
    "contract.bands_undefined": lambda folder: contract().settle(target=9e7, claims=8e7),
    "plan.expression": lambda folder: reconcile("__import__('os')", "a", {"a": 1.0}, {}),
    "plan.unknown_fact": lambda folder: reconcile("a + b", "a", {"a": 1.0}, {}),
    "plan.division_by_zero": lambda folder: reconcile("1 / a", "a", {"a": 0.001}, {"a": 0.01}),
}.items():
    case(code)(work)


def contract() -> act.Contract:
    """The contract of 2012."""
    return act.load_contract("china/jiande/contract/cooperation@2012-01-01")


def small_run() -> act.Simulation:
    """Jieshou on 100 paths."""
    plan = act.load_plan(sample_path("jieshou/plan.yaml"))

    cost = act.cost_forecast(base_year(plan), act.stated_policy_factor(1.0), act.expert_growth(0.1, sd=0.05))
    return act.Fund(plan).simulate(cost, paths=100)


def simulate(**options: Any) -> Case:
    """Simulating Jieshou with these options."""

    def work(folder: Path) -> Any:
        sim = small_run()
        return sim.fund.simulate(sim.cost, **{"paths": 10, **options})

    return work


case("fund.number")(simulate(paths=0))
case("fund.observed")(lambda folder: act.MonthlyActuals(claims=[float("nan")], source="s"))


@case("fund.observed_weighted")
def _observed_weighted(folder: Path) -> Any:
    from actuarial.fund.paths import Plain

    seen = act.MonthlyActuals(claims=[1.0], source="s")
    sim = small_run()
    return sim.fund.simulate(sim.cost, paths=10, sampler=Plain(weighted=True), observed=seen)


for code, asked in (("year", (1999, 20, 1)), ("tier", (2017, 450, 3)), ("standard", (2017, 100, 1))):
    case(f"subsidy.{code}")(lambda folder, asked=asked: subsidy_split(*asked))
case("switches.unknown")(simulate(paths=10, without=("base", "weather")))
case("model.one_path")(simulate(paths=1))


@case("file.too_large")
def _too_large(folder: Path) -> None:
    path = folder / "big.csv"
    with path.open("wb") as stream:
        stream.truncate(65 * 2**20)
    read_table(path, "experience")


@case("file.too_many_cells")
def _too_wide(folder: Path) -> None:
    read_table(write(folder, "wide.csv", ",".join("ab" * 600) + "\n"), "experience")


@case("file.bomb")
def _bomb(folder: Path) -> None:
    path = folder / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2**25)
    read_table(path, "experience")


def spoiled(folder: Path, member: str, content: bytes) -> None:
    """A workbook with one more member, read."""
    path = workbook(folder, "=1", 1)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, content)
    read_table(path, "experience")


@case("file.macros")
def _macros(folder: Path) -> None:
    spoiled(folder, "xl/vbaProject.bin", b"x")


@case("file.entities")
def _entities(folder: Path) -> None:
    spoiled(folder, "xl/extra.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>')


@case("file.other_book")
def _other_book(folder: Path) -> None:
    read_table(workbook(folder, "=[1]Sheet1!A1", 5), "experience")


def workbook(folder: Path, formula: str, value: Any) -> Path:
    """A sheet with one formula."""
    import xlsxwriter

    path = folder / "b.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("支出")
    sheet.write_row(0, 0, ["类别", "金额（元）"])
    sheet.write_string(1, 0, "住院")
    sheet.write_formula(1, 1, formula, None, value)
    book.close()
    return path


@case("table.error_cell")
def _error_cell(folder: Path) -> None:
    read_table(workbook(folder, "=1/0", "#DIV/0!"), "experience")


@case("table.uncached_formula")
def _uncached(folder: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["类别", "金额（元）"])
    sheet.append(["住院", "=1+1"])
    book.save(folder / "u.xlsx")
    read_table(folder / "u.xlsx", "experience")


@case("file.no_sheet")
def _no_sheet(folder: Path) -> None:
    read_table(workbook(folder, "=1+1", 2), "experience", sheet="没有")


@case("file.not_writable")
def _not_writable(folder: Path) -> None:
    write(folder, "file", "x")
    from actuarial.results import write_text

    write_text(folder / "file" / "below.txt", "x")


@case("file.folder_not_empty")
def _not_empty(folder: Path) -> None:
    from actuarial.report.starter import write_starter

    write(folder, "plan.yaml", "x")
    write_starter(folder, "zh")


def monthly(rows: list[tuple[int, int, float]]) -> str:
    """A year-to-date table."""
    return "年份,月份,当年累计支出（元）\n" + "".join(f"{y},{m},{v}\n" for y, m, v in rows)


@case("table.no_whole_year")
def _no_whole_year(folder: Path) -> None:
    path = write(folder, "m.csv", monthly([(2013, m, m) for m in range(1, 6)]))
    MonthlyProfile.from_history(read_table(path, "monthly_history"))


def two_sheets(second: list[list[Any]], *, kind: str = "claims", copies: int = 1) -> Case:
    """Reading a workbook whose second sheet is this."""

    def work(folder: Path) -> None:
        first = [
            ["单据号", "参保人编号", "就诊日期", "类别", "基金支付（元）"],
            ["1", "a", "2013-01-01", "住院", 1],
        ]
        if kind == "experience":
            first = second
        frames = {"甲": first, **{f"乙{n}": second for n in range(copies)}}
        path = folder / "b.xlsx"
        with pd.ExcelWriter(path, engine="xlsxwriter") as writer:
            for name, rows in frames.items():
                pd.DataFrame(rows).to_excel(writer, sheet_name=name, header=False, index=False)
        (read_claims(path, sheet="*") if kind == "claims" else read_table(path, kind, sheet="*"))

    return work


CASES["table.sheets_differ"] = [
    two_sheets([["单据号", "参保人编号", "就诊日期", "类别"], ["2", "a", "2013-01-01", "住院"]])
]
CASES["table.sheet_units"] = [
    two_sheets(
        [
            ["单据号", "参保人编号", "就诊日期", "类别", "基金支付（万元）"],
            ["2", "a", "2013-01-01", "住院", 1],
        ]
    )
]
CASES["table.sheets_to_date"] = [
    two_sheets([["类别", "金额（元）"], ["住院", 5], ["门诊统筹", 6]], kind="experience", copies=2)
]


@case("table.falls")
def _falls(folder: Path) -> None:
    path = write(folder, "m.csv", monthly([(2013, m, m if m != 5 else 1) for m in range(1, 13)]))
    MonthlyProfile.from_history(read_table(path, "monthly_history"))


@case("experience.no_insured")
def _no_insured(folder: Path) -> None:
    read_experience(read_table(write(folder, "e.csv", EXPERIENCE), "experience"), 0, 10)


@case("experience.no_visits")
def _no_visits(folder: Path) -> None:
    read_experience(
        read_table(write(folder, "e.csv", "类别,人次,金额（元）\n住院,0,5\n"), "experience"), 10, 10
    )


@case("experience.nothing_paid")
def _nothing_paid(folder: Path) -> None:
    read_experience(
        read_table(write(folder, "e.csv", "类别,人次,金额（元）\n住院,0,0\n"), "experience"), 10, 10
    )


# ------------------------------------------------------------------ laws of one's own


def law_with(law: str, change: Callable[[dict[str, Any]], None], use: Callable[[Path], Any]) -> Case:
    """A copy of a law file with a change."""

    def work(folder: Path) -> Any:
        source = Path(act.__file__).parent / "law" / f"{law}.yaml"
        data = yaml.safe_load(source.read_text(encoding="utf-8"))
        change(data)
        path = write(folder, "law.yaml", yaml.safe_dump(data, allow_unicode=True))
        return use(path)

    return work


CONTRACT = "china/jiande/contract/cooperation@2012-01-01"
COSTING = "china/jiande/costing/per_capita@2012-01-01"
LAYER = "china/jieshou/layer/critical_illness@2013-10-23"
JEMINAY = "china/jeminay/ncms/basic@2011-04-26"


def bands(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The table of bands of a contract."""
    return data["payload"]["sharing"][0]["bands"]


def term(path: str, value: Any, use: Callable[[Path], Any] = load_law) -> Case:
    """The contract with one place of its payload set."""

    def change(data: dict[str, Any]) -> None:
        at: Any = data["payload"]
        *parents, last = path.split(".")
        for part in parents:
            at = at[int(part) if isinstance(at, list) else part]
        at[int(last) if isinstance(at, list) else last] = value

    return law_with(CONTRACT, change, use)


def deal(**changes: Any) -> act.Contract:
    """The contract of 2012 with terms changed."""
    return contract().changed(changes)


EDGES = [{"up_to": 1e6, "insurer": 0.5}, {"up_to": 5e5, "insurer": 0.4}, {"insurer": 0}]
for _code, _work in {
    "contract_terms.amount": term("sharing.0.bands.0.up_to", "300万"),
    "contract_terms.ratio": term("sharing.0.bands.0.insurer", 45),
    "contract_terms.word": term("cash.later", "as_you_like"),
    "contract_terms.shares": term("sharing.0.bands.0.provider", 0.6),
    "contract_terms.gate": term("sharing.0.gate", {"at_least": 1, "above": 1}),
    "contract_terms.requires": term("sharing.0.requires", {"indicator": "a", "what": {"zh": "甲", "en": "a"}}),
    "contract_terms.last_band": law_with(CONTRACT, lambda d: bands(d)[-1].update(up_to=5e7), load_law),
    "contract_terms.edges_increase": term("sharing.0.bands", EDGES),
    "contract_terms.cash": law_with(CONTRACT, lambda d: d["payload"]["cash"].pop("first"), load_law),
    "contract_terms.twice": law_with(CONTRACT, lambda d: d["payload"]["sharing"].append({"side": "deficit", "bands": [{"insurer": 1}]}), load_law),
    "contract_terms.nothing_shared": law_with(CONTRACT, lambda d: d["payload"].pop("sharing"), load_law),
    "contract.gap_open": lambda folder: contract().for_year(heads=4e5).split([2e8], policy_loss=1e6),
    "contract.base_needed": lambda folder: contract().for_year(),
    "contract.indicator_needed": lambda folder: deal(**{"sharing.0.bands.0.insurer": {"quality": 0.5}}).bands(2e8),
    "contract.ratio": lambda folder: deal(**{"sharing.0.bands.0.insurer": {"quality": 0.5}}).for_year(heads=4e5).split([1e8], quality=2),
    "contract.unknown_event": lambda folder: contract().for_year(heads=4e5).split([1e8], events={"rain": 1}),
    "contract.no_policy_rule": lambda folder: deal(policy_loss=None).for_year(heads=4e5).split([1e8], policy_loss=1),
    "contract.expenses_needed": lambda folder: deal(expense={"amount": "actual"}).for_year(heads=4e5).split([1e8]),
    "contract.months": lambda folder: contract().settle_months(target=2e8, claims=[1e7] * 11),
    "contract.no_place": lambda folder: deal(**{"sharing.7.bands": []}),
}.items():  # fmt: skip
    case(_code)(_work)
case("law.id_parts")(law_with(CONTRACT, lambda d: d.update(effective="2013-01-01"), load_law))
case("law.bad_reading")(
    law_with(
        CONTRACT,
        lambda d: d.update(
            readings={"empty_fourth_band": {"choice": "x", "status": "assumed", "source": "s"}}
        ),
        load_law,
    )
)
case("law.gap")(law_with(LAYER, lambda d: d.update(readings={}), act.load_benefit_layer))
case("benefits.printed_differs")(
    law_with(COSTING, lambda d: d["payload"].update(printed_result=465.0), lambda p: simple_target(str(p)))
)
case("law.id_differs")(lambda folder: _wrong_name(folder))
case("law.diff_kinds")(lambda folder: diff_laws(load_law(CONTRACT), load_law(COSTING)))
case("law.no_place")(
    lambda folder: apply_changes(
        load_law(JEMINAY), [Change(("layers", "second", "pays"), "rules", "as_paid")]
    )
)


def _wrong_name(folder: Path) -> None:
    from unittest.mock import patch

    from actuarial import law

    other = law.load_law(COSTING)
    with (
        patch.object(law, "_from_file", return_value=other),
        patch.object(law, "list_laws", return_value=(CONTRACT,)),
    ):
        law._from_package.__wrapped__(CONTRACT)


# ------------------------------------------------------------------ plans


def plan_with(change: Callable[[dict[str, Any]], None], *, run: bool = False, **files: str) -> Case:
    """A copy of the Anhui county's plan with a change in the plan or its files."""

    def work(folder: Path) -> Any:
        source = sample_path("anhui_county/plan.yaml").parent
        for path in source.iterdir():
            write(folder, path.name, path.read_bytes())
        data = yaml.safe_load((source / "plan.yaml").read_text(encoding="utf-8"))
        change(data)
        write(folder, "plan.yaml", yaml.safe_dump(data, allow_unicode=True, sort_keys=False))
        for name, content in files.items():
            write(folder, f"{name}.csv", content)
        plan = act.load_plan(folder)
        return act.run(plan, paths=200) if run else plan.tables

    return work


def setting(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set one place of a plan."""

    def change(data: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for part in parents:
            data = data[part]
        data[last] = value

    return change


same: Callable[[dict[str, Any]], None] = lambda data: None  # noqa: E731
PAYERS = "缴费主体,人均标准（元）,应到资金（元）,已到资金（元）\n个人,{},1,1\n"
CALENDAR = "缴费主体,月份,累计到位比例（%）\n{},12,100\n"

SERIES = {
    "method": "series", "table": "history", "on_level": True, "pool": ["neighbour_a"], "status": "assumed", "source": "s",
}  # fmt: skip

for code, work in {
    "plan.schema_version": plan_with(setting("schema_version", 9)),
    "plan.missing_key": plan_with(lambda d: d.pop("growth")),
    "plan.unknown_key": plan_with(setting("colour", "red")),
    "plan.choice": plan_with(setting("cii.mode", "perhaps")),
    "plan.policy_claims": plan_with(
        setting("policy", {"method": "repriced", "old": JEMINAY, "new": JEMINAY, "source": "s"})
    ),
    "plan.not_finite": plan_with(setting("opening.free.value", float("nan"))),
    "plan.pattern": plan_with(setting("valuation_date", "May 2010")),
    "plan.value": plan_with(setting("insured.count", 0)),
    "plan.value_percent": plan_with(setting("criterion.accepted_probability", "5%")),
    "plan.fill_in": plan_with(setting("insured.count", None)),
    "plan.seasonal_table": plan_with(lambda d: d["annualise"].pop("table")),
    "plan.pool_places": plan_with(setting("growth", {**SERIES, "place": ["P", "C"]})),
    "plan.pool_twice": plan_with(setting("growth", {**SERIES, "pool": ["history"]})),
    "plan.contract_target": plan_with(
        setting("contract", {"law": CONTRACT, "target": "stated", "status": "assumed", "source": "s"})
    ),
    "plan.cii_price": plan_with(setting("cii", {"mode": "purchased"})),
    "plan.default_cv": plan_with(setting("process.severity_cv", {"inpatient": 1.0})),
    "plan.severity_law": plan_with(
        setting(
            "process.severity",
            {"inpatient": {"law": "gamma", "parameters": [0], "status": "assumed", "source": "s"}},
        )
    ),
    "plan.no_such_date": plan_with(setting("valuation_date", "2010-02-30")),
    "plan.fiscal_year": plan_with(setting("valuation_date", "2012-05-31")),
    "plan.valuation_date": plan_with(setting("valuation_date", "2010-05-30")),
    "plan.missing_table": plan_with(lambda d: d["tables"].pop("calendar")),
    "plan.unknown_table": plan_with(setting("tables.extra", {"path": "payers.csv"})),
    "plan.path_outside": plan_with(setting("tables.payers.path", "../payers.csv")),
    "plan.no_financing": plan_with(same, payers=PAYERS.format(0), calendar=CALENDAR.format("个人")),
    "plan.no_income": plan_with(
        same, payers="缴费主体,人均标准（元）\n个人,1\n", calendar=CALENDAR.format("个人")
    ),
    "plan.shares_of_rise": plan_with(
        same,
        payers="缴费主体,人均标准（元）,应到资金（元）,已到资金（元）,分担比例（%）\n个人,1,1,1,90\n",
        calendar=CALENDAR.format("个人"),
    ),
    "plan.calendar_payer": plan_with(same, calendar=CALENDAR.format("某某")),
    "plan.calendar_missing": plan_with(same, calendar=CALENDAR.format("个人")),
    "plan.calendar_falls": plan_with(
        same, payers=PAYERS.format(1), calendar="缴费主体,月份,累计到位比例（%）\n个人,1,50\n个人,2,40\n"
    ),
    "experience.short_season": plan_with(
        setting("tables.season.path", "season.csv"),
        run=True,
        season=monthly([(2013, m, m) for m in range(1, 13)]),
    ),
    "fund.few_claims": plan_with(same, run=True, experience="类别,人次,金额（元）\n住院,5,20000\n"),
    "fund.no_visits": plan_with(same, run=True, experience="类别,金额（元）\n住院,20000000\n"),
}.items():
    case(code)(work)


@case("table.percent_ambiguous")
def _percent_format(folder: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["级别", "补偿比（%）"])
    sheet.append(["乡镇", 0.817])
    book.save(folder / "p.xlsx")
    read_table(folder / "p.xlsx", "reimbursement")


@case("experience.months")
def _months(folder: Path) -> None:
    read_experience(read_table(write(folder, "e.csv", EXPERIENCE), "experience"), 10, 13)


case("experience.no_share")(
    plan_with(
        setting("tables.season.path", "season.csv"),
        run=True,
        season=monthly([(2013, m, max(m - 6, 0)) for m in range(1, 13)]),
    )
)


@case("experience.backtest_short")
def _backtest_short(folder: Path) -> None:
    from actuarial.experience.backtest import annualisation_backtest

    path = write(folder, "m.csv", monthly([(2013, m, m) for m in range(1, 13)]))
    annualisation_backtest(read_table(path, "monthly_history"))


@case("experience.year_is_whole")
def _whole_year(folder: Path) -> None:
    from actuarial.cli.data import annualise

    path = write(folder, "m.csv", monthly([(2013, m, m) for m in range(1, 13)]))
    annualise.main([str(path)], standalone_mode=False)


case("table.empty_key")(table("calendar", "缴费主体,月份,累计比例（%）\n个人,,100\n"))
case("file.password")(table("experience", b"\xd0\xcf\x11\xe0 rest", name="p.xlsx"))
case("plan.cv_category")(plan_with(setting("process.severity_cv", {"default": 1.0, "inpatiant": 9.0})))
case("fund.calendar_open")(
    plan_with(
        same, run=True, payers=PAYERS.format(100), calendar="缴费主体,月份,累计到位比例（%）\n个人,6,80\n"
    )
)
case("fund.due_differs")(
    plan_with(same, run=True, payers=PAYERS.format(100), calendar=CALENDAR.format("个人"))
)
case("fund.received_over")(
    plan_with(
        same,
        run=True,
        payers="缴费主体,人均标准（元）,应到资金（元）,已到资金（元）\n个人,100,53281500,60000000\n",
        calendar=CALENDAR.format("个人"),
    )
)
case("fund.unknown_category")(
    plan_with(same, run=True, experience="类别,人次,金额（元）\n特殊药品,5000,20000000\n")
)
case("fund.cii_base_year")(
    plan_with(
        setting("cii", {"mode": "purchased", "premium_per_capita": {"value": 17, "source": "s"}}), run=True
    )
)


@case("fund.few_tail_paths")
def _few_tail_paths(folder: Path) -> Any:
    return act.run(act.load_plan(sample_path("anhui_county/plan.yaml")), paths=50)


case("fund.budget_at_present")(plan_with(setting("opening.free.value", 9e9), run=True))
case("growth.model")(lambda folder: fit_growth(pd.Series([1.0, 1.1, 1.2], index=[1, 2, 3]), model="ETS"))
case("growth.beyond_bounds")(
    lambda folder: fit_growth(pd.Series([100.0, 60.0, 36.0, 21.6], index=[1, 2, 3, 4]), model="drift")
)
case("growth.short_for")(
    lambda folder: fit_growth(
        pd.Series([100.0, 108, 117, 125, 136, 147, 158], index=range(7)), model="structural"
    )
)
case("growth.raw_stated")(lambda folder: fit_growth(YEARS4, raw=True))
case("growth.raw_looks")(
    lambda folder: fit_growth(pd.Series([100.0, 126, 160, 202], index=[1, 2, 3, 4]), prior="oecd")
)
case("growth.truncated")(
    lambda folder: fit_growth(pd.Series([100.0, 130.0, 145.0, 200.0], index=[1, 2, 3, 4]), model="drift")
)
YEARS4 = pd.Series([100.0, 108.0, 117.0, 130.0], index=[2008, 2009, 2010, 2011])


def jieshou_cost(growth: Any) -> Any:
    """A cost forecast of the Jieshou plan with this growth."""
    plan = act.load_plan(sample_path("jieshou/plan.yaml"))
    return act.cost_forecast(base_year(plan), act.stated_policy_factor(1.0), growth)


GROWTH_CASES: dict[str, Case] = {
    "growth.too_short_for": lambda folder: fit_growth(YEARS4, model="sarimax"),
    "growth.months": lambda folder: fit_growth(
        pd.Series(1.0, index=pd.period_range("2013-01", periods=12, freq="M")), model="ets"
    ),
    "growth.column_twice": lambda folder: fit_growth(pd.concat([YEARS4, YEARS4], axis=1, keys=["a", "a"])),
    "growth.no_year": lambda folder: fit_growth(YEARS4.set_axis(["a", "b", "c", "d"])),
    "growth.on_level": lambda folder: fit_growth(YEARS4, on_level={2008: 1.1, 2009: 1.0, 2010: 1.0}),
    "growth.weights": lambda folder: fit_growth(YEARS4, weights=YEARS4.iloc[:2]),
    "growth.no_place": lambda folder: fit_growth(
        YEARS4.rename("new"), pool=pd.DataFrame({("a", "b"): YEARS4, ("a", "c"): YEARS4})
    ),
    "growth.pool_categories": lambda folder: fit_growth(
        YEARS4.to_frame("a").rename_axis(columns="category"), pool=YEARS4.rename("b")
    ),
    "growth.nested_categories": lambda folder: fit_growth(
        pd.DataFrame({("a", "b"): YEARS4, ("a", "c"): YEARS4}).rename_axis(columns=["fund", "category"])
    ),
    "growth.no_prior": lambda folder: fit_growth(YEARS4, prior="mine"),
    "growth.no_fund": lambda folder: fit_growth(YEARS4.to_frame("a")).fund("b"),
    "growth.horizon": lambda folder: fit_growth(YEARS4).forecast(0),
    "growth.breaks": lambda folder: fit_growth(YEARS4, breaks="mend"),
    "growth.option": lambda folder: fit_growth(YEARS4, last_year_sd=-0.1),
    "growth.credibility_weights": lambda folder: act.credibility(
        pd.DataFrame([[1.0, 2.0], [1.0, 1.0]]), pd.DataFrame([[1.0, -1.0], [1.0, 1.0]])
    ),
    "growth.credibility_method": lambda folder: act.credibility(pd.DataFrame([[1.0, 2.0]]), method="best"),  # type: ignore[arg-type]
    "growth.credibility_labels": lambda folder: act.credibility(
        pd.DataFrame([[1.0, 2], [2, 3]]), pd.DataFrame([[1.0, 1], [1, 1]], index=["a", "b"])
    ),
    "growth.credibility_few": lambda folder: act.credibility(pd.DataFrame([[1.0, 2.0]])),
    "growth.driver": lambda folder: act.driver_growth({"weather": 0.1}),
    "growth.age_groups": lambda folder: act.ageing_factor(
        pd.Series({"a": 1.0}), pd.DataFrame({2012: [1]}, index=["b"])
    ),
    "growth.choose_fund": lambda folder: jieshou_cost(fit_growth(YEARS4.to_frame("a"))),
    "growth.categories": lambda folder: jieshou_cost(
        fit_growth(pd.DataFrame({"a": YEARS4}).rename_axis(columns="category"))
    ),
    "growth.no_levels": lambda folder: read_levels(str(write(folder, "t.csv", "a\nb\n"))),
    "growth.combine": lambda folder: fit_growth(YEARS4).combine(
        act.expert_growth(0.1, sd=0.05), independent=False
    ),
    "growth.backtest_options": lambda folder: act.backtest(YEARS4, horizons=(0,)),
    "growth.backtest_short": lambda folder: act.backtest(YEARS4, points=4),
}
for _code, _work in GROWTH_CASES.items():
    case(_code)(_work)
case("law.segments_increase")(
    law_with(
        LAYER,
        lambda d: d["payload"].update(segments=[{"over": v, "pay_ratio": 0.5} for v in (9.0, 1.0)]),
        load_law,
    )
)
case("contract.edges_cross")(
    term(
        "sharing.0.bands",
        [{"up_to": {"share_of": "target", "share": 0.05}, "insurer": 0.5}, {"up_to": 9e6, "insurer": 0.6}, {"insurer": 0}],
        lambda path: act.load_contract(path).bands(185.6e6),
    )
)  # fmt: skip


@case("plan.patch")
def _patch(folder: Path) -> None:
    plan = act.load_plan(sample_path("anhui_county/plan.yaml"))
    plan.patched([Patch(path="growth.no_such_thing", value=1, source="s")])


def _scenario(folder: Path, plan: str, *changes: dict[str, Any]) -> Any:
    content = {"schema_version": 1, "kind": "scenario", "name": {"zh": "方案", "en": "offer"}, "plan": plan,
               "changes": [c | {"source": "s"} for c in changes]}  # fmt: skip
    return act.load_plan(write(folder, "s.yaml", yaml.safe_dump(content, allow_unicode=True)))


@case("plan.scenario_chain")
def _chain(folder: Path) -> None:
    inner = {
        "schema_version": 1,
        "kind": "scenario",
        "name": {"zh": "甲", "en": "a"},
        "plan": JIESHOU,
        "changes": [],
    }
    write(folder, "inner.yaml", yaml.safe_dump(inner, allow_unicode=True))
    _scenario(folder, "inner.yaml")


@case("plan.scenario_tables")
def _scenario_tables(folder: Path) -> None:
    _scenario(folder, JIESHOU, {"path": "tables.payers.path", "value": "/etc/passwd"})


@case("plan.amounts_payer")
def _amounts(folder: Path) -> None:
    plan = act.load_plan(sample_path("jieshou/plan.yaml"))
    assert plan.tables
    plan.patched([Patch(path="financing.amounts", value={"nobody": 1.0}, source="s")])


JIESHOU = "sample:jieshou/plan.yaml"


# ------------------------------------------------------------------ claims

CLAIMS = "单据号,参保人编号,就诊日期,支付日期,类别,总费用（元）,政策范围内费用（元）,基金支付（元）\n"
CLAIM = ("1", "m", "2013-03-05", "2013-04-05", "住院", "300", "250", "200")
MEMBERS = [("m", "2013-01-01", "2013-06-30")]


def one_claim(*rows: dict[int, str], **options: Any) -> Case:
    """Reading claims: each row is a clean one with cells replaced, the first if none is given."""
    lines = [",".join(changes.get(n, c) for n, c in enumerate(CLAIM)) for changes in rows or ({},)]
    return lambda folder: read_claims(write(folder, "c.csv", CLAIMS + "\n".join(lines) + "\n"), **options)


def claims_at(**changes: Any) -> pd.DataFrame:
    """One clean claim as a frame, in yuan, with columns replaced."""
    frame = {
        "claim_id": "1",
        "member_id": "m",
        "service_date": "2013-03-05",
        "category": "住院",
        "fund_payment": 2.0,
    }
    return pd.DataFrame({k: [v] for k, v in {**frame, **changes}.items()})


def claim_frame(**changes: Any) -> Case:
    """Reading a frame of one claim."""
    return lambda folder: read_claims(claims_at(**changes), unit="yuan")


def spells(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Spells of enrolment."""
    return pd.DataFrame(rows, columns=["member_id", "enrolled_from", "enrolled_to"])


def enrolled(changes: dict[int, str], **options: Any) -> Case:
    """Reading one claim against an exposure table."""
    return lambda folder: one_claim(changes, exposure=read_exposure(spells(*MEMBERS)), **options)(folder)


def study(**options: Any) -> Case:
    """Experience from one claim without a payment date."""
    from actuarial.experience.claims import experience_from_claims

    claims = {"insured": 10, **options}
    return lambda folder: experience_from_claims(read_claims(claims_at(), unit="yuan"), **claims)


for code, work in {
    "claims.frame_type": lambda folder: read_claims([1]),
    "claims.ragged": lambda folder: read_claims(write(folder, "c.csv", CLAIMS + "1,2\n")),
    "claims.empty": one_claim({7: ""}),
    "claims.not_a_number": one_claim({7: "12万"}),
    "claims.not_finite": claim_frame(fund_payment=float("inf")),
    "claims.too_large": one_claim({7: "99999999999999"}),
    "claims.bad_date": one_claim({2: "去年"}),
    "claims.impossible_date": one_claim({2: "2013-02-29"}),
    "claims.lost_id": one_claim({1: "3.412E+17"}),
    "claims.id_type": claim_frame(member_id=1.5),
    "claims.date_type": claim_frame(service_date=2013.5),
    "claims.total_row": one_claim({}, {0: "合计"}),
    "claims.payment_before_service": one_claim({3: "2013-03-04"}),
    "claims.outside_year": one_claim({}, year=2012),
    "claims.fund_over_total": one_claim({7: "301"}),
    "claims.scope_over_total": one_claim({6: "301"}),
    "claims.duplicate_row": one_claim({}, {}),
    "claims.duplicate_id": one_claim({}, {7: "1"}),
    "claims.unmatched_reversal": one_claim({7: "-1"}),
    "claims.no_exposure": enrolled({1: "x"}),
    "claims.before_enrolment": enrolled({2: "2012-12-31"}),
    "claims.after_leaving": enrolled({2: "2013-07-01", 3: ""}),
    "claims.exposure_order": lambda folder: read_exposure(spells(("m", "2013-02-01", "2013-01-01"))),
    "claims.exposure_overlap": lambda folder: read_exposure(spells(*MEMBERS, ("m", "2013-06-30", ""))),
    "claims.salt_differs": enrolled({}, salt="s"),
    "claims.salt": one_claim({}, salt=""),
    "claims.no_payment_date": study(basis="payment"),
    "claims.no_claims": study(first="2014-01", months=1),
    "claims.months": study(months=13),
    "claims.threshold": study(pool_above=-1.0),
    "claims.nothing_to_mark": lambda folder: write_marked_copy(folder / "c.csv", [], folder / "m.xlsx"),
}.items():
    case(code)(work)


# ------------------------------------------------------------------ the tests


# ------------------------------------------------------------------ severities, banded totals, layers


def bands_table(**columns: Any) -> pd.DataFrame:
    """Five bands of one level, as a lognormal fills them."""
    frame = pd.DataFrame(
        {
            "level": "township",
            "band_from": [0.0, 500, 1000, 2000, 5000],
            "band_to": [500.0, 1000, 2000, 5000, np.nan],
            "visits": [400.0, 300, 200, 80, 20],
            "in_scope_cost": [120e3, 210e3, 280e3, 240e3, 150e3],
        }
    )
    return frame.assign(**columns)


def from_bands(new: Any = None, old: Any = None, table: pd.DataFrame | None = None, **options: Any) -> Case:
    """A policy factor from these bands."""

    def work(folder: Path) -> Any:
        half = {"township": act.Piecewise([100.0], [0.0, 0.5])}
        frame = bands_table() if table is None else table
        return act.policy_factor_from_bands(
            frame, half if old is None else old, half if new is None else new, **options
        )

    return work


def fitted(**options: Any) -> Case:
    """Fitting a severity with these options."""
    return lambda folder: act.fit_severity(**options)


def priced(layer: Any = None, **options: Any) -> Case:
    """Pricing a layer with these options."""

    def work(folder: Path) -> Any:
        given = {"insured": 1000.0, "severity": Lognormal(8000, 2), "frequency": 0.1, **options}
        xs = act.Piecewise([10_000, 40_000], [0, 1, 0])
        return act.price_layer(xs if layer is None else layer, **given)

    return work


TWO_KINDS = np.concatenate([np.linspace(90, 110, 500), np.linspace(9e4, 1.1e5, 80)])

for code, work in {
    "severity.amounts": fitted(amounts=[1.0, 0.0, 2.0]),
    "severity.too_few": fitted(amounts=[1.0, 2.0]),
    "severity.too_few_bands": fitted(bands=bands_table().iloc[:2].drop(columns="in_scope_cost")),
    "severity.band_edges": fitted(bands=bands_table(band_to=[600.0, 1000, 2000, 5000, np.nan])),
    "severity.band_count": fitted(bands=bands_table(visits=[400.0, -1, 200, 80, 20])),
    "severity.band_mean": fitted(bands=bands_table(in_scope_cost=[12.0, 21, 28, 24, 15])),
    "severity.one_of": fitted(),
    "severity.family": fitted(amounts=np.arange(1.0, 50.0), family="normal"),
    "severity.cost_gap": fitted(amounts=TWO_KINDS, families=["lognormal"]),
    "severity.flat": lambda folder: _flat(),
    "severity.no_variance": lambda folder: _endless(),
    "bands.column": from_bands(table=bands_table().drop(columns="visits")),
    "bands.per": from_bands(per="year"),
    "bands.no_rule": from_bands(new={}),
    "bands.nothing_paid": from_bands(old={"township": act.Piecewise([], [0.0])}),
    "bands.outside": from_bands(
        new={"township": act.Piecewise([100.0, 990.0, 1000.0], [0.0, 0.5, 20.0, 0.5])},
        table=bands_table(
            band_from=[0.0, 500, 990, 1000, 5000],
            band_to=[500.0, 990, 1000, 5000, np.nan],
            visits=[400.0, 300, 0, 280, 20],
            in_scope_cost=[120e3, 210e3, 0, 520e3, 150e3],
        ),
        families=["lognormal"],
    ),
    "bands.effective": from_bands(table=bands_table(fund_payment=[1e4, 5e4, 8e4, 7e4, 5e4])),
    "bands.no_sums": from_bands(table=bands_table().drop(columns="in_scope_cost")),
    "pricing.amounts": priced(amounts=[1.0, -2.0]),
    "pricing.insured": priced(amounts=[1.0, 2.0], insured=1.0),
    "pricing.number": priced(trend=-2.0),
    "pricing.layer": priced(act.Piecewise([10_000.0], [0.5, -0.1])),
    "pricing.nothing": priced(severity=None),
    "pricing.frequency": priced(frequency=None),
    "pricing.premium": lambda folder: priced()(folder).affordable_deductible(0.0),
    "pricing.method": lambda folder: priced()(folder).premium_at(1000.0, "claims"),
    "pricing.no_loadings": priced(loadings="nowhere"),
    "pricing.loading": priced(loadings=[Loading("x", "premium", 1.0, act.Source("x", "y"))]),
    "pricing.no_claims": priced(amounts=[100.0, 200.0]),
    "pricing.not_fitted": priced(amounts=[2e4, 3e4], severity=None),
    "pricing.no_variance": priced(
        act.Piecewise([1e4], [0, 1]), severity=SplicedPareto(8, 1, 1e4, 0.1, 5e3, 0.6)
    ),
}.items():
    case(code)(work)


def _flat() -> Any:
    """Twelve amounts do not determine the five parameters of a mixture."""
    return act.fit_severity(Lognormal(100, 0.5).draw(12, seed=1), family="lognormal_mixture")


def _endless() -> Any:
    """Amounts with a Pareto tail of index 1.25 have a mean and no variance."""
    amounts = 100 * (1 - np.random.default_rng(5).random(20_000)) ** -0.8
    return act.fit_severity(amounts, family="spliced_pareto")


def all_codes() -> Iterator[str]:
    """Codes of every error and warning."""
    for name in ERROR_FILES:
        for key in catalogue(name):
            yield f"{name}.{key}"


def test_catalogue_is_complete() -> None:
    """Each code of the error files is provoked here, or named as one that a test of its own provokes."""
    codes = set(all_codes()) - NOTES - ENVIRONMENT
    assert codes - set(CASES) == set()
    assert set(CASES) - codes == set()


@pytest.mark.parametrize(("code", "work"), [(c, w) for c, works in sorted(CASES.items()) for w in works])
def test_provoked(code: str, work: Case, tmp_path: Path) -> None:
    """The code is what comes back, and its message is whole in both languages."""
    faults: list[Fault] = []
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as heard, use_language("en"):
        warnings.simplefilter("always")
        try:
            answer = work(tmp_path)
            messages += list(getattr(answer, "warnings", ()))
        except act.InputError as error:
            faults += error.faults
            messages.append(str(error))
    messages += [str(w.message) for w in heard if issubclass(w.category, ActuarialWarning)]
    if not faults:
        name, _, key = code.partition(".")
        start = (
            re.split(r"\{", catalogue(name)[key]["en"])[0] or catalogue(name)[key]["en"].rsplit("}", 1)[-1]
        )
        assert any(start in m for m in messages), (code, messages)
        return
    assert code in {f.code for f in faults}, [f.message("en") for f in faults]
    for fault in faults:
        for lang in ("zh", "en"):
            message = fault.message(lang)
            assert len(message) > 8
            name, _, key = fault.code.partition(".")
            places = {p for _, p, _, _ in string.Formatter().parse(catalogue(name)[key][lang]) if p}
            assert not any(f"{{{p}}}" in message for p in places), message  # all places are filled
            assert not re.search(r"\bNone\b", message), message
            # what is wrong, then the remedy or the way out
            assert re.search(r"[；;，,。]", message), message


def test_missing_samples_and_font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without samples, and one without the font, say so."""
    from actuarial import samples
    from actuarial.report import page

    monkeypatch.setattr(samples, "_HERE", tmp_path / "a" / "b" / "c")
    with pytest.raises(act.InputError) as error:
        samples.sample_path("jieshou/plan.yaml")
    assert error.value.faults[0].code == "file.no_samples"
    monkeypatch.setattr(page, "chinese_font", lambda: None)
    with pytest.warns(act.ModelWarning, match="zhplot"):
        assert page.font_subset.__wrapped__("界首") == ""


def test_ets_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exponential smoothing that does not converge is refused, with the way out."""
    from statsmodels.tsa import holtwinters

    class Broken:
        def __init__(self, *_: Any, **__: Any) -> None:
            self.resid = np.array([np.nan, np.nan])

        def fit(self) -> Broken:
            return self

        def forecast(self, _: int) -> list[float]:
            return [float("nan")]

    monkeypatch.setattr(holtwinters, "ExponentialSmoothing", Broken)
    with pytest.raises(act.InputError) as error:
        fit_growth(pd.Series([1.0, 1.1, 1.2, 1.4], index=[2001, 2002, 2003, 2004]), model="ets")
    assert error.value.faults[0].code == "growth.ets_failed"
    assert "drift" in error.value.message("en")
