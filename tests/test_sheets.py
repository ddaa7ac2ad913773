"""Several sheets of one workbook: stacked by request, faults at their sheet and cell, units and columns compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import actuarial as act
from actuarial.cli import main
from actuarial.tables import check_claims, read_claims, read_exposure, read_table, write_marked_copy

HEAD = ["单据号", "参保人编号", "就诊日期", "类别", "基金支付（元）"]


def book(folder: Path, sheets: dict[str, list[list[Any]]], name: str = "b.xlsx") -> Path:
    """A workbook with these sheets."""
    made = openpyxl.Workbook()
    made.remove(made.active)  # type: ignore[arg-type]
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    made.save(folder / name)
    return folder / name


def month(m: int, claims: int = 2, amount: float = 10.5) -> list[list[Any]]:
    """A sheet of claims of one month."""
    return [
        HEAD,
        *([f"{m}-{n}", f"p{n}", f"2013-{m:02d}-0{n + 1}", "住院", amount + n] for n in range(claims)),
    ]


def test_a_sheet_a_month(tmp_path: Path) -> None:
    """Twelve sheets, with an empty one between, are one table; the first alone where none is named."""
    sheets: dict[str, list[list[Any]]] = {f"{m}月": month(m) for m in range(1, 13)}
    path = book(tmp_path, {"1月": sheets.pop("1月"), "空": [], **sheets})
    assert read_claims(path).rows == 2
    whole = read_claims(path, sheet="*")
    assert whole.rows == 24
    assert whole.months == (2013 * 12, 2013 * 12 + 11)
    some = read_claims(path, sheet=["3月", "1月"])
    assert sorted(some.table["claim_id"]) == ["1-0", "1-1", "3-0", "3-1"]


def test_columns_by_heading_whatever_their_order(tmp_path: Path) -> None:
    """Title lines and another order of columns in a sheet are no matter; two heading lines neither."""
    turned = [["二月明细"], [], HEAD[::-1], *[r[::-1] for r in month(2)[1:]]]
    two = [
        ["单据号", "参保人编号", "就诊日期", "类别", "支付（元）"],
        [None, None, None, None, "基金支付"],
        *month(3)[1:],
    ]
    path = book(tmp_path, {"1月": month(1), "2月": turned, "3月": two})
    rows = read_claims(path, sheet="*").table.set_index("claim_id")
    assert rows["fund_payment"].to_dict() == {f"{m}-{n}": 10.5 + n for m in (1, 2, 3) for n in (0, 1)}


def test_faults_name_their_sheet_and_cell(tmp_path: Path) -> None:
    """Dirt in two sheets is told at both, with a claim number used in two sheets; the marked copy marks both sheets."""
    one, two = month(1), [["标题"], [HEAD[0], HEAD[4], HEAD[1], HEAD[2], HEAD[3]], *([r[0], r[4], *r[1:4]] for r in month(2)[1:])]  # fmt: skip
    one[2][4] = "十元"
    two[2][1] = "二十"
    two[3][0] = "1-0"
    path = book(tmp_path, {"1月": one, "2月": two})
    faults, _ = check_claims(path, sheet="*")
    said = {f.code: f.message("zh") for f in faults}
    assert "1月!E3" in said["claims.not_a_number"]
    assert "2月!B3" in said["claims.not_a_number"]
    assert "2月!A4" in said["claims.duplicate_id"]
    copy = openpyxl.load_workbook(write_marked_copy(path, faults, tmp_path / "m.xlsx", lang="zh"))
    assert copy["1月"]["E3"].comment is not None
    assert copy["2月"]["B3"].comment is not None
    assert copy["2月"]["E3"].comment is None


@pytest.mark.parametrize(
    ("second", "code", "words"),
    [
        ([[*HEAD[:3], HEAD[4]], ["2-0", "p", "2013-02-01", 3.0]], "table.sheets_differ", "类别"),
        (
            [[*HEAD[:4], "基金支付（万元）"], ["2-0", "p", "2013-02-01", "住院", 3.0]],
            "table.sheet_units",
            "万元",
        ),
        ([["封面"], ["本表由医保局填报"]], "table.no_heading", "2月"),
    ],
)
def test_sheets_that_do_not_go_together(
    tmp_path: Path, second: list[list[Any]], code: str, words: str
) -> None:
    """A sheet without a column, in another unit, or without headings is refused by name."""
    path = book(tmp_path, {"1月": month(1), "2月": second})
    faults, _ = check_claims(path, sheet="*")
    assert [f.code for f in faults] == [code]
    assert words in faults[0].message("zh")
    assert "2月" in faults[0].message("en")


def test_sheets_that_are_not_there_are_all_named(tmp_path: Path) -> None:
    """Two wrong names are two faults."""
    path = book(tmp_path, {"1月": month(1)})
    faults, _ = check_claims(path, sheet=["1月", "2月", "3月"])
    assert [f.code for f in faults] == ["file.no_sheet"] * 2


def table(*rows: tuple[str, int, float]) -> list[list[Any]]:
    """A sheet of aggregates."""
    return [["单位：万元"], ["类别", "人次", "金额"], *map(list, rows)]


def test_monthly_aggregates_are_summed_by_category(tmp_path: Path) -> None:
    """A sheet a month of payments: summed by category with both places, totals checked sheet by sheet."""
    path = book(
        tmp_path,
        {
            "1月": table(("住院", 10, 3.0), ("门诊统筹", 100, 2.0), ("合计", 110, 5.0)),
            "2月": table(("门诊统筹", 90, 1.5), ("住院", 12, 2.5), ("合计", 102, 4.0)),
            "3月": table(("住院", 8, 2.0), ("门诊统筹", 80, 1.0), ("生育", 1, 0.2)),
        },
    )
    found = read_table(path, "experience", sheet="*")
    rows = found.frame.set_index("category")
    assert rows["fund_payment"].to_dict() == pytest.approx(
        {"inpatient": 75_000, "outpatient_pooling": 45_000, "childbirth": 2_000}
    )
    assert rows["visits"].to_dict() == {"inpatient": 30, "outpatient_pooling": 270, "childbirth": 1}
    assert found.cells["fund_payment"].tolist()[0] == "1月!C3…3月!C3"
    assert "3" in found.notes[-1].message("en")
    study = act.read_experience(found, 1_000, 3)
    assert study.frame["per_capita"].sum() == pytest.approx(122)


def test_faults_of_aggregates_in_every_sheet(tmp_path: Path) -> None:
    """A wrong total in one sheet and a word in another are both told, each at its sheet."""
    path = book(
        tmp_path,
        {
            "1月": table(("住院", 10, 3.0), ("合计", 10, 9.0)),
            "2月": table(("住院", 12, "多"), ("门诊统筹", 5, 1.0)),  # type: ignore[arg-type]
        },
    )
    with pytest.raises(act.InputError) as error:
        read_table(path, "experience", sheet="*")
    assert [(f.code, f.sheet, f.cell) for f in error.value.faults] == [
        ("table.wrong_total", "1月", "C4"),
        ("table.not_a_number", "2月", "C3"),
    ]


def test_a_year_a_sheet(tmp_path: Path) -> None:
    """Year-to-date months in a sheet a year are stacked; a month that two sheets hold is refused with both places."""
    years = {
        str(y): [["年份", "月份", "当年累计支出（亿元）"], *([y, m, m] for m in range(1, 13))]
        for y in (2013, 2014, 2015)
    }
    path = book(tmp_path, years)
    assert len(read_table(path, "monthly_history", sheet="*").frame) == 36
    years["再"] = [*years["2013"][:1], [2013, 5, 5]]
    with pytest.raises(act.InputError) as error:
        read_table(book(tmp_path, years, "c.xlsx"), "monthly_history", sheet="*")
    fault = error.value.faults[0]
    assert (fault.code, fault.cell, fault.params["first"]) == ("table.duplicate", "再!A2", "2013!A6")


def test_amounts_to_date_are_suspected(tmp_path: Path) -> None:
    """Three sheets in which nothing ever falls look like amounts to date: added with a warning."""
    path = book(
        tmp_path, {f"{m}月": table(("住院", 10, 3.0 * m), ("门诊统筹", 9, 1.0 * m)) for m in (1, 2, 3)}
    )
    with pytest.warns(act.DataWarning, match="累计"):
        read_table(path, "experience", sheet="*")


def test_exposure_and_commands_take_sheets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Spells over two sheets; ``experience --sheet`` once, twice and ``*``; ``check`` tells the sheet."""
    spells = book(tmp_path, {"甲": [["参保人编号", "参保日期"], ["p0", "2013-01-01"]],
                             "乙": [["参保人编号", "参保日期"], ["p1", "2013-01-01"]]}, "e.xlsx")  # fmt: skip
    assert read_exposure(spells, sheet="*").members == 2
    path = book(tmp_path, {"1月": month(1, 9), "2月": month(2, 9)})
    for names, claims in ((["1月"], 9), (["1月", "2月"], 18), (["*"], 18)):
        words = [w for n in names for w in ("--sheet", n)]
        with pytest.raises(SystemExit):
            main(["experience", str(path), "--insured", "100", "--json", *words])
        assert json.loads(capsys.readouterr().out)["claims"] == claims
    wrong = book(tmp_path, {"1月": month(1), "2月": [HEAD, ["x", "p", "2013-02-30", "住院", 1.0]]}, "w.xlsx")
    with pytest.raises(SystemExit) as end:
        main(["check", str(wrong), "--sheet", "*"])
    assert end.value.code == 2
    assert "2月!C2" in capsys.readouterr().err


def test_a_plan_may_name_sheets(tmp_path: Path, plan_with: Any) -> None:
    """``sheet: [1月, 2月]`` in a plan stacks its experience."""
    plan = plan_with(
        "jieshou", {"tables.experience.sheet": ["1月", "2月"], "tables.experience.path": "b.xlsx"}
    )
    folder = plan.table_path("payers").parent
    book(folder, {"1月": table(("住院", 10, 3.0)), "2月": table(("住院", 12, 2.5), ("门诊统筹", 5, 1.0))})
    again = act.load_plan(folder / "plan.yaml")
    assert again.tables["experience"].frame["fund_payment"].tolist() == pytest.approx([55_000, 10_000])
