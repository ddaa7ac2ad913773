"""The official form as a file: cell by cell, recalculated, its stages, a bureau's own template."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName

import actuarial as act
from actuarial.budget import OfficialForm, budget_draft, budget_form, fill_form, fill_template
from actuarial.budget.form import STAGES, form_lines, is_computed
from actuarial.errors import ModelWarning
from actuarial.fund import Fund
from actuarial.fund.forecast import plan_cost
from actuarial.pipeline import Answer
from actuarial.samples import sample_path

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
needs_office = pytest.mark.skipif(
    OFFICE is None, reason="LibreOffice is not installed: workbooks are not recalculated"
)
NAME = {"zh": "某县城乡居民基本医疗保险基金", "en": "fund of a county"}
TWELVE = (
    "revenue_total",
    "expenditure_total",
    "benefits",
    "current_balance",
    "closing_balance",
    "revenue_grand",
)


@pytest.fixture(scope="module")
def printed(data: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Lines of the county's printed form [万元]; the vaccine line has no identifier in the file."""
    rows = data("budget_form_2024.json")["lines"]
    return [{**r, "line": r["line"] or "subsidy_vaccine"} for r in rows]


@pytest.fixture(scope="module")
def county(printed: list[dict[str, Any]]) -> OfficialForm:
    """The county's 2024 form, from its entered lines."""
    lines = {**form_lines("revenue", {"subsidy_vaccine": 1.0}), **form_lines("expenditure")}
    columns = {
        ours: fill_form(
            {
                r["line"]: 1e4 * r[theirs]
                for r in printed
                if r[theirs] is not None and not is_computed(lines[r["line"]])
            }
        )
        for ours, theirs in (("last", "execution_2023"), ("draft", "budget_2024"))
    }
    return OfficialForm("draft", 2024, columns, NAME)


def cells(path: Path, *, values: bool) -> dict[str, dict[str, Any]]:
    """All filled cells by sheet."""
    book = openpyxl.load_workbook(path, data_only=values)
    return {s.title: {c.coordinate: c.value for row in s for c in row if c.value is not None} for s in book}


def recalculated(folder: Path, *paths: Path) -> list[dict[str, dict[str, Any]]]:
    """The workbooks' values after LibreOffice has computed every formula anew.

    The cached values are taken out first, so that what comes back was computed.
    """
    (folder / "in").mkdir(exist_ok=True)
    bare = [folder / "in" / p.name for p in paths]
    for path, copy in zip(paths, bare, strict=True):
        openpyxl.load_workbook(path).save(copy)  # formulas without values
    assert OFFICE is not None
    words = [
        OFFICE,
        f"-env:UserInstallation=file://{folder}/profile",
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        str(folder / "out"),
        *map(str, bare),
    ]
    subprocess.run(words, check=True, capture_output=True, timeout=180)
    return [cells(folder / "out" / p.name, values=True) for p in paths]


def test_the_county_form_cell_by_cell(
    county: OfficialForm, printed: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The file holds the printed title, unit, headings, every printed line and amount, and the twelve sums as formulas."""
    path = county.to_excel(tmp_path / "form.xlsx", "zh")
    shown, formulas = (next(iter(cells(path, values=v).values())) for v in (True, False))
    assert list(cells(path, values=True)) == ["城乡居民基本医疗保险基金收支预算表"]
    assert (shown["A1"], shown["F2"]) == ("城乡居民基本医疗保险基金收支预算表", "单位：万元")
    assert [shown[f"{c}3"] for c in "ABCDEF"] == ["项目", "2023年执行数", "2024年预算数"] * 2
    sums = 0
    for side, (label, last, draft) in (("revenue", "ABC"), ("expenditure", "DEF")):
        ours = [r for r in printed if r["line"] in county.lines(side)]
        for n, row in enumerate(ours):
            at = 4 + (14 if n == len(ours) - 1 else n)  # the grand totals stand in one row
            assert shown[f"{label}{at}"].strip().replace("：", ":") == row["zh"]
            for column, key in ((last, "execution_2023"), (draft, "budget_2024")):
                assert (shown.get(f"{column}{at}") or 0) == pytest.approx(row[key] or 0, abs=1e-9), (
                    row["line"],
                    key,
                )
                if row["line"] in TWELVE:
                    sums += 1
                    assert str(formulas[f"{column}{at}"]).startswith("=")
    assert sums == 12
    assert formulas["C17"] == "=E14"  # the opening is last year's closing balance, live


@needs_office
def test_the_county_form_recalculates(county: OfficialForm, tmp_path: Path) -> None:
    """LibreOffice computes the cached values of the county's form."""
    path = county.to_excel(tmp_path / "form.xlsx", "zh")
    _same(cells(path, values=True), *recalculated(tmp_path, path))


@needs_office
def test_the_draft_recalculates(answer: Answer, tmp_path: Path) -> None:
    """Form, supporting table, months and providers of both samples: LibreOffice computes the cached values."""
    paths = [answer.budget.to_excel(tmp_path / f"draft_{lang}.xlsx", lang) for lang in ("zh", "en")]
    for path, after in zip(paths, recalculated(tmp_path, *paths), strict=True):
        before = cells(path, values=True)
        assert len(before) == (4 if answer.providers is not None else 3)
        _same(before, after)


def _same(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> None:
    assert list(before) == list(after)
    numbers = 0
    for sheet, found in before.items():
        for at, value in found.items():
            if isinstance(value, int | float):
                numbers += 1
                assert after[sheet].get(at, 0.0) == pytest.approx(value, rel=1e-9, abs=1e-6), (sheet, at)
            else:
                assert (after[sheet].get(at) or "") == value, (sheet, at)
    assert numbers > 20


def test_the_months_sum_to_the_form(answer: Answer) -> None:
    """Over the months, every line of the budget by month is the draft's line; the balance ends at the closing balance."""
    draft, year = answer.budget.draft, answer.budget.phasing
    for line, amount in year.lines().items():
        assert amount == pytest.approx(draft[line], rel=1e-9, abs=1e-6), line
    assert {n for n in ("contributions", "inpatient", "interest") if draft[n]} <= set(year.lines())
    assert year.balances()[-1] == pytest.approx(draft["closing_balance"], rel=1e-9)
    assert year.start == answer.plan.base_year + 12
    by_month = answer.simulation.balances(answer.budget.premium).mean(axis=0)
    assert year.balances() == pytest.approx(by_month, abs=0.05 * draft["revenue_total"])


def test_payers_keep_their_calendar(anhui_run: Answer) -> None:
    """Anhui: the county pays in April, the centre 71.74% by May and the rest in December."""
    frame = anhui_run.budget.phasing.frame
    share = frame[frame["side"] == "revenue"].pivot(index="item", columns="month", values="amount")
    share = share.div(share.sum(axis=1), axis=0)
    assert share.loc["subsidy_county", 4] == pytest.approx(1.0)
    assert share.loc["subsidy_central", [5, 12]].tolist() == pytest.approx([0.717369, 1 - 0.717369])


def test_the_form_of_an_employee_fund(tmp_path: Path) -> None:
    """Its title says employees, its note that the lines are borrowed; the employer contributes and does not subsidise."""
    plan = act.load_plan(sample_path("employees/ruijin/plan.yaml"))
    with pytest.warns(ModelWarning):  # its table has no visits
        draft = budget_draft(Fund(plan).simulate(plan_cost(plan), paths=100))
    assert draft.form.title("zh") == "职工基本医疗保险基金收支预算表"
    assert "Employee" in draft.form.title("en")
    assert "职工医保表式" in draft.form.source_words("zh")
    named = draft.supporting.set_index("item")["indicator"]
    assert "缴费标准" in named["employer"]
    assert "财政补助" in named["subsidy_county"]


def test_the_supporting_table_says_what_the_plan_knows(anhui_run: Answer, jieshou_run: Answer) -> None:
    """Heads, standards by payer, printed ratios; blank where the plan has nothing; months payable as in the form."""
    anhui = anhui_run.budget.supporting.set_index(["code", "item"])
    assert anhui.loc[("heads", ""), "last"] == 532_815
    assert anhui.loc[("individual_standard", "individual"), "last"] == 20
    assert anhui.loc[("assisted_persons", ""), "last"] == 27_921
    assert anhui.loc[("effective_ratio", ""), "last"] == 0.41
    assert anhui.loc[("in_scope_ratio", "")][["last", "draft"]].isna().all()
    rise = anhui[anhui.index.get_level_values(0).str.endswith("standard")]["draft"].sum()
    assert rise == pytest.approx(anhui_run.budget.premium)
    jieshou = jieshou_run.budget.supporting.set_index("code")
    draft = jieshou_run.budget.draft
    assert jieshou.loc["payable_months", "draft"] == pytest.approx(
        draft["closing_balance"] / draft["expenditure_total"] * 12
    )
    assert jieshou.loc["effective_ratio", "last"] == 0.6077


def test_contributions_paid_by_assistance_stand_in_the_form(anhui_run: Answer) -> None:
    """Anhui's 55.842万 paid by medical assistance is an of-which line of last year, and no sum changes with it."""
    last = anhui_run.budget.last
    assert last["assisted"] == 558_420
    assert (
        last["revenue_subtotal"]
        == last["contributions"] + last["subsidy"] + last["interest"] + last["other_revenue"]
    )


def test_the_stages_of_a_year(county: OfficialForm, tmp_path: Path) -> None:
    """Adjusted budget: the adjustment is a formula; final accounts: the share of the budget, blank over nothing."""
    budget = county.columns["draft"]
    more = fill_form(
        {k: v for k, v in budget.items() if k not in ("inpatient",)}
        | {"inpatient": budget["inpatient"] + 1.5e7}
    )
    adjusted = OfficialForm("adjusted", 2024, {"budget": budget, "adjusted": more}, NAME)
    final = OfficialForm("final", 2024, {"budget": budget, "final": more}, NAME)
    assert adjusted.values("adjustment")["closing_balance"] == pytest.approx(-1.5e7)
    assert final.values("share")["inpatient"] == pytest.approx(1 + 1.5e7 / budget["inpatient"])
    paths = []
    for form in (adjusted, final):
        paths += [form.to_excel(tmp_path / f"{form.stage}_{lang}.xlsx", lang) for lang in ("zh", "en")]
        assert list(form.table.columns[3:]) == list(STAGES[form.stage])
        assert form.plot(lang="en").get_yticklabels()
    if OFFICE is not None:
        for path, after in zip(paths, recalculated(tmp_path, *paths), strict=True):
            _same(cells(path, values=True), after)


def test_the_same_bytes(county: OfficialForm, tmp_path: Path) -> None:
    """Writing twice gives the same bytes."""
    a, b = (county.to_excel(tmp_path / f"{n}.xlsx", "zh").read_bytes() for n in "ab")
    assert a == b


# --------------------------------------------------------------------------- a bureau's own template


def own_template(path: Path, unit: str = "元") -> Path:
    """A bureau's own form: other order of sheets, its own colours and widths, a formula, only some lines."""
    book = openpyxl.Workbook()
    book.active.title = "说明"  # type: ignore[union-attr]
    sheet = book.create_sheet("预算")
    sheet.append(["我县基金收支预算"])
    sheet.append([f"单位：{unit}"])
    sheet.append(["项  目", "上年执行", "本年预算", "项  目", "上年执行", "本年预算"])
    rows = [
        ("一、基本医疗保险费收入", "一、基本医疗保险待遇支出"),
        ("二、财政补贴收入", "其中：住院费用支出"),
        ("三、利息收入", "门诊费用支出"),
        ("八、本年收入合计", "二、大病保险支出"),
        ("九、上年结余", "七、本年支出合计"),
        ("总计", "总计"),
    ]
    for left, right in rows:
        sheet.append([left, None, None, right, None, None])
    sheet["C7"] = "=SUM(C4:C6)"
    sheet["C4"].fill = PatternFill("solid", fgColor="FFEE88")
    sheet["C4"].font = Font(name="仿宋", size=14, italic=True)
    sheet["C4"].number_format = "#,##0.0"
    sheet.column_dimensions["A"].width = 33
    sheet.print_area = "A1:F9"
    book.defined_names["closing_balance_draft"] = DefinedName("closing_balance_draft", attr_text="说明!$B$2")
    book.save(path)
    return path


def test_a_template_is_filled_and_its_formats_stay(county: OfficialForm, tmp_path: Path) -> None:
    """Amounts stand at headings and names in the template's unit; formulas, fonts, fills, widths stay; nothing else changes."""
    source = own_template(tmp_path / "own.xlsx")
    original = source.read_bytes()
    done = fill_template(source, county, tmp_path / "filled.xlsx")
    assert source.read_bytes() == original
    sheet = openpyxl.load_workbook(done.path)["预算"]
    draft, last = county.columns["draft"], county.columns["last"]
    assert (sheet["B4"].value, sheet["C4"].value) == (last["contributions"], draft["contributions"])
    assert (sheet["E5"].value, sheet["F5"].value) == (last["inpatient"], draft["inpatient"])
    assert (sheet["C9"].value, sheet["F9"].value) == (draft["revenue_grand"], draft["expenditure_grand"])
    assert sheet["C7"].value == "=SUM(C4:C6)"
    assert sheet["B7"].value == last["revenue_total"]
    assert openpyxl.load_workbook(done.path)["说明"]["B2"].value == draft["closing_balance"]
    assert (sheet["C4"].font.name, sheet["C4"].fill.fgColor.rgb, sheet["C4"].number_format) == (
        "仿宋",
        "00FFEE88",
        "#,##0.0",
    )
    assert sheet.column_dimensions["A"].width == 33
    assert sheet.print_area == "'预算'!$A$1:$F$9"
    assert set(done.frame["how"]) == {"name", "heading"}
    assert "assisted" in done.missing
    again = fill_template(source, county, tmp_path / "again.xlsx")
    assert again.path.read_bytes() == done.path.read_bytes()


def test_our_own_form_is_a_template(county: OfficialForm, tmp_path: Path) -> None:
    """The form that we write can be filled by other figures: every amount is replaced, every formula stays."""
    empty = OfficialForm(
        "draft", 2024, {c: fill_form({"subsidy_vaccine": 1.0}) for c in ("last", "draft")}, NAME
    )
    blank = empty.to_excel(tmp_path / "blank.xlsx", "zh")
    done = fill_template(blank, county, tmp_path / "filled.xlsx")
    before, after = (
        cells(county.to_excel(tmp_path / "f.xlsx", "zh"), values=False),
        cells(done.path, values=False),
    )
    for at, value in next(iter(before.values())).items():
        if isinstance(value, int | float):
            assert next(iter(after.values())).get(at, 0) == pytest.approx(value), at
    assert not done.missing


@needs_office
def test_a_filled_template_computes(county: OfficialForm, tmp_path: Path) -> None:
    """The template's own sum comes out of the filled amounts."""
    done = fill_template(own_template(tmp_path / "own.xlsx", "万元"), county, tmp_path / "filled.xlsx")
    shown = recalculated(tmp_path, done.path)[0]["预算"]
    assert shown["C7"] == pytest.approx(28219 + 49755 + 525)


def test_every_line_has_words_in_both_languages() -> None:
    """Occasional lines stand behind an existing line of the form and are named in both languages."""
    for line in budget_form()["occasional"].values():
        assert line["after"] in {**budget_form()["revenue"], **budget_form()["expenditure"]}
        assert line["zh"].strip()
        assert line["en"].strip()


def test_a_draft_needs_no_report_to_be_written(jieshou_run: Answer, tmp_path: Path) -> None:
    """`budget_draft(sim).to_excel` writes all four sheets in English, money in 10,000 yuan."""
    path = act.budget_draft(jieshou_run.simulation).to_excel(tmp_path / "d.xlsx", "en")
    found = cells(path, values=True)
    assert list(found) == ["Budget form", "Supporting indicators", "Budget by month", "Provider budgets"]
    assert found["Budget form"]["F2"] == "Unit: 10,000 yuan"
    assert found["Provider budgets"]["B7"] == pytest.approx(17_351)
