"""Reading tables: encodings, Excel, units, numbers, and every fault at its cell in both languages."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
import xlsxwriter
from hypothesis import example, given
from hypothesis import strategies as st

import actuarial as act
from actuarial.errors import Fault, InputError
from actuarial.tables import Table, grids, parse_number, read_table

GOOD = "类别,受益人次,基金支付（万元）\n住院补偿,42600,11528.21\n门诊统筹补偿,879400,1255.59\n"
Rows = list[list[Any]]


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    """Write a CSV file: text and encoding, or raw bytes."""

    def write(content: str | bytes, encoding: str = "utf-8", name: str = "表.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


@pytest.fixture
def xlsx(tmp_path: Path) -> Callable[..., Path]:
    """Write a workbook with openpyxl: rows by sheet."""

    def write(sheets: dict[str, Rows], name: str = "表.xlsx") -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        path = tmp_path / name
        book.save(path)
        return path

    return write


def faults_of(path: Path, kind: str = "experience", **options: Any) -> list[Fault]:
    """The faults that reading raises, each of which must speak both languages."""
    with pytest.raises(InputError) as caught:
        read_table(path, kind, **options)
    assert_bilingual(caught.value)
    return list(caught.value.faults)


def assert_bilingual(error: InputError) -> None:
    """Every fault says its place, its value and something different in each language."""
    for fault in error.faults:
        zh, en = fault.message("zh"), fault.message("en")
        assert zh != en
        for message in (zh, en):
            assert not re.search(r"\{[a-z_]{3,}\}", message)
            assert (fault.file or "") in message
            assert (fault.cell or "") in message
            assert (fault.column or "") in message
        assert any("一" <= c <= "鿿" for c in zh.removeprefix(fault.where("zh")))
        assert error.message("zh").count(zh) >= 1
        assert error.message("en").count(en) >= 1


def codes(faults: list[Fault]) -> list[tuple[str, str | None]]:
    """Code and cell of each fault."""
    return [(f.code, f.cell) for f in faults]


def values(table: Table, name: str) -> list[float]:
    """A column as a list."""
    return table.frame[name].tolist()


# --------------------------------------------------------------------------- numbers


@st.composite
def written_numbers(draw: Any) -> tuple[str, Decimal, bool, int]:
    """A number as people write it: its text, value, whether a percentage, decimals printed."""
    decimals = draw(st.integers(0, 6))
    digits = draw(st.integers(0, 10**12))
    value = Decimal(digits).scaleb(-decimals)
    shown = f"{value:,.{decimals}f}" if draw(st.booleans()) else f"{value:.{decimals}f}"
    sign = draw(st.sampled_from(["", "-", "+", "−", "("]))
    value = -value if sign in {"-", "−", "("} else value
    shown = f"({shown})" if sign == "(" else f"{sign}{shown}"
    percent = draw(st.booleans())
    shown += draw(st.sampled_from(["%", " %", "％"])) if percent else ""
    if draw(st.booleans()):
        wide = {ord(c): ord(c) - 0x20 + 0xFF00 for c in "0123456789.,()+-"}
        shown = shown.translate(wide)
    pad = draw(st.sampled_from(["", " ", "　", "\u00a0", "\t"]))
    return f"{pad}{shown}{pad}", value, percent, decimals


@given(written_numbers())
def test_numbers_come_back_as_written(number: tuple[str, Decimal, bool, int]) -> None:
    """Wide digits, separators, brackets, signs, percents and padding give the value and its decimals."""
    written, value, percent, decimals = number
    assert parse_number(written) == (float(value), percent, decimals)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(0.1 + 0.2)
@example(-0.0)
def test_stored_numbers_are_taken_as_they_are(number: float) -> None:
    """A number from a workbook keeps its value exactly."""
    value, percent, decimals = parse_number(number)
    assert (value, percent) == (number, False)
    assert decimals <= 10


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "十二", "12万", "1,200元", "¥5", "约30", "12,34", "1,2345", "1,,200", "(5", "5)", "--5", "1.2.3",
        "nan", "NaN", "inf", "-Infinity", "∞", "0x10", "1_000", "1e", "true", "#DIV/0!", "-", "%", "()",
        "2013年", "½",
    ],
)  # fmt: skip
def test_what_is_no_number_is_not_guessed(written: str) -> None:
    """Text, words for infinity, broken separators and units in the cell give no number."""
    assert parse_number(written)[0] is None


@pytest.mark.parametrize("stored", [True, False, float("nan"), float("inf"), -float("inf")])
def test_truth_values_and_infinities_are_no_numbers(stored: Any) -> None:
    """TRUE, NaN and infinities of a workbook are not numbers."""
    assert parse_number(stored)[0] is None


def test_decimals_of_stored_numbers_ignore_binary_noise() -> None:
    """0.1 + 0.2 counts as one decimal, whole floats as none."""
    assert [parse_number(v)[2] for v in (0.1 + 0.2, 42600.0, 42600, 1255.59)] == [1, 0, 0, 2]


# --------------------------------------------------------------------------- files that read well


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings_of_text_files(csv: Callable[..., Path], encoding: str) -> None:
    """UTF-8 with and without BOM, GB18030 and UTF-16 with BOM give the same table."""
    table = read_table(csv(GOOD, encoding), "experience")
    assert values(table, "category") == ["inpatient", "outpatient_pooling"]
    assert values(table, "fund_payment") == [115_282_100.0, 12_555_900.0]  # exact: 万元 in decimals
    assert values(table, "visits") == [42_600.0, 879_400.0]
    assert table.cells["fund_payment"].tolist() == ["C2", "C3"]
    assert table.half_widths["fund_payment"] == pytest.approx(50.0)
    assert table.frame.dtypes["fund_payment"] == np.float64


def test_workbooks_give_the_same_table(csv: Callable[..., Path], xlsx: Callable[..., Path]) -> None:
    """A workbook with numbers as numbers or as text reads like the text file, with the sheet in its name."""
    plain = read_table(csv(GOOD), "experience")
    rows = [
        ["类别", "受益人次", "基金支付（万元）"],
        ["住院补偿", 42600, 11528.21],
        ["门诊统筹补偿", "879,400", "1,255.59"],
    ]
    table = read_table(xlsx({"支出": rows}), "experience")
    assert table.frame.equals(plain.frame)
    assert table.file == "表.xlsx!支出"
    assert table.sources[0].document == "表.xlsx!支出"


def test_sheets_are_chosen_by_name(xlsx: Callable[..., Path]) -> None:
    """The first sheet is read unless another is named; a name that is not there lists those that are."""
    head = ["category", "fund payment (yuan)"]
    path = xlsx({"甲": [head, ["a", 1]], "乙": [head, ["b", 2]]})
    assert values(read_table(path, "experience"), "category") == ["a"]
    assert values(read_table(path, "experience", sheet="乙"), "category") == ["b"]
    (fault,) = faults_of(path, sheet="丙")
    assert fault.code == "file.no_sheet"
    assert "甲、乙" in fault.message("zh")


def test_stored_results_of_formulas_are_read(tmp_path: Path) -> None:
    """A formula with its stored result counts as the number that Excel shows."""
    path = tmp_path / "f.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("支出")
        sheet.write_row(0, 0, ["类别", "基金支付（万元）"])
        sheet.write_row(1, 0, ["住院", 10.5])
        sheet.write(2, 0, "门诊统筹")
        sheet.write_formula(2, 1, "=B2*2", None, 21.0)
    assert values(read_table(path, "experience"), "fund_payment") == [105_000.0, 210_000.0]


def test_long_digits_in_a_text_column_stay_text(xlsx: Callable[..., Path]) -> None:
    """An 18-digit code in a text column is not turned into a float."""
    rows = [["医疗机构", "预算额度（万元）"], ["340000199001011234", 1], [12345.0, 2]]
    table = read_table(xlsx({"s": rows}), "providers")
    assert values(table, "provider") == ["340000199001011234", "12345"]


def test_wide_digits_separators_brackets_and_blank_rows(csv: Callable[..., Path]) -> None:
    """Wide digits, thousands separators and blank lines are understood; addresses stay the file's."""
    content = '标题,,\n类别,受益人次,基金支付（元）\n\n住院,４２６００,"１，２００．５０"\n ,,\n慢性病,"42,600","1,200"\n'
    table = read_table(csv(content), "experience")
    assert values(table, "visits") == [42_600.0, 42_600.0]
    assert values(table, "fund_payment") == [1200.5, 1200.0]
    assert table.cells["fund_payment"].tolist() == ["C4", "C6"]


def test_negatives_in_brackets_are_negative(csv: Callable[..., Path]) -> None:
    """(1,200) is minus 1,200: allowed in a column of facts, refused in a column of money."""
    facts = read_table(csv('事实编号,数值,单位,舍入半宽\na,"(1,200)",元,0\n'), "facts")
    assert values(facts, "value") == [-1200.0]
    (fault,) = faults_of(csv('类别,基金支付（元）\n住院,"(1,200)"\n'))
    assert (fault.code, fault.cell) == ("table.negative", "B2")
    assert "(1,200)" in fault.message("zh")


def test_english_headings_in_any_case(csv: Callable[..., Path]) -> None:
    """English headings, identifiers and aliases are understood whatever their case, width and spaces."""
    content = "Category,ＶＩＳＩＴＳ,Fund  Payment (10k yuan)\ninpatient,1,2\n"
    table = read_table(csv(content), "experience")
    assert table.frame.columns.tolist() == ["category", "visits", "fund_payment"]
    assert values(table, "fund_payment") == [20_000.0]


def test_tables_of_the_samples_are_read_whole() -> None:
    """The Jieshou table gives the seven printed amounts, the cells they stand in and its note."""
    table = act.read_table(act.sample_path("jieshou/experience.csv"), "experience")
    assert sum(values(table, "fund_payment")) == 164_467_500.0
    assert sum(values(table, "visits")) == 949_222.0
    assert table.cells["fund_payment"].tolist() == [f"C{n}" for n in range(2, 9)]
    assert table.totals == {"fund_payment": 164_467_600.0}
    (note,) = table.notes
    assert note.code == "table.total_rounding"
    assert "0.01" in note.message("zh")
    assert "0.01" in note.message("en")
    assert note.message("zh") != note.message("en")


# --------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("元", 1),
        ("千元", 1e3),
        ("万元", 1e4),
        ("萬元", 1e4),
        ("百万元", 1e6),
        ("亿元", 1e8),
        ("yuan", 1),
        ("100m yuan", 1e8),
    ],
)
def test_units_of_money(csv: Callable[..., Path], unit: str, factor: float) -> None:
    """A unit in the heading, in the plan or in a row above the heading gives the same amounts in yuan."""
    expected = [float(Decimal("12.34") * Decimal(factor))]
    in_heading = read_table(csv(f"类别,基金支付（{unit}）\n住院,12.34\n"), "experience")
    in_plan = read_table(csv("类别,基金支付\n住院,12.34\n"), "experience", unit=unit)
    agreeing = read_table(csv(f"类别,基金支付[单位：{unit}]\n住院,12.34\n"), "experience", unit=unit)
    assert [values(t, "fund_payment") for t in (in_heading, in_plan, agreeing)] == [expected] * 3
    assert in_heading.half_widths["fund_payment"] == pytest.approx(0.005 * factor)


@pytest.mark.parametrize("label", ["单位：万元", "单位:万元", " 单位 ： 万元"])
def test_unit_row_above_the_heading(csv: Callable[..., Path], xlsx: Callable[..., Path], label: str) -> None:
    """A row “单位：万元” above the heading holds for the columns of money, not for persons."""
    content = f"界首市基金支出表,,\n,,{label}\n类别,受益人次,基金支付\n住院,5,12.34\n"
    rows = [["界首市基金支出表"], [None, None, label], ["类别", "受益人次", "基金支付"], ["住院", 5, 12.34]]
    for table in (read_table(csv(content), "experience"), read_table(xlsx({"s": rows}), "experience")):
        assert values(table, "fund_payment") == [123_400.0]
        assert values(table, "visits") == [5.0]
        assert table.cells["fund_payment"].tolist() == ["C4"]


def test_units_are_never_guessed(csv: Callable[..., Path]) -> None:
    """Money without a unit, with an unknown one, or with two that differ is refused at its heading."""
    bare, odd, wan = (
        "类别,基金支付\n住院,1\n",
        "类别,基金支付（美元）\n住院,1\n",
        "类别,基金支付（万元）\n住院,1\n",
    )
    assert codes(faults_of(csv(bare))) == [("table.no_unit", "B1")]
    assert codes(faults_of(csv(odd))) == [("table.unknown_unit", "B1")]
    assert codes(faults_of(csv(wan), unit="元")) == [("table.two_units", "B1")]
    assert codes(faults_of(csv("单位：元,\n类别,基金支付\n住院,1\n"), unit="万元")) == [
        ("table.two_units", "B2")
    ]
    assert values(read_table(csv(wan), "experience", unit="10k yuan"), "fund_payment") == [1e4]


def test_persons_have_units_too(csv: Callable[..., Path]) -> None:
    """万人 and 亿人 multiply; a unit of money on a count is refused."""
    assert values(
        read_table(csv("类别,受益人次（万人次）,基金支付（元）\n住院,4.26,1\n"), "experience"), "visits"
    ) == [42_600.0]
    (fault,) = faults_of(csv("类别,受益人次（万元）,基金支付（元）\n住院,4.26,1\n"))
    assert (fault.code, fault.cell, fault.params["unit"]) == ("table.unknown_unit", "B1", "万元")


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("补偿比", "81.70%"),
        ("补偿比（%）", "81.70"),
        ("补偿比（%）", "81.70%"),
        ("补偿比", "0.8170"),
        ("补偿比（小数）", "0.817"),
    ],
)
def test_ratios_in_percent_or_as_fractions(csv: Callable[..., Path], heading: str, cell: str) -> None:
    """A percent sign in the cell or in the heading divides by 100, a fraction stays."""
    table = read_table(csv(f"级别,{heading}\n乡镇,{cell}\n"), "reimbursement")
    assert values(table, "compensation_ratio") == [0.817]
    assert values(table, "level") == ["township"]


def test_ratios_above_one_need_their_sign(csv: Callable[..., Path]) -> None:
    """81.70 without any % is not guessed to be a percentage."""
    assert codes(faults_of(csv("级别,补偿比\n乡镇,81.70\n"), "reimbursement")) == [
        ("table.no_ratio_unit", "B2")
    ]


# --------------------------------------------------------------------------- totals


def test_a_right_total_is_checked_and_dropped(csv: Callable[..., Path]) -> None:
    """A total row that agrees leaves no note, is kept as printed, and is no category."""
    table = read_table(csv(GOOD + "合　计,922000,12783.80\n"), "experience")
    assert values(table, "category") == ["inpatient", "outpatient_pooling"]
    assert table.totals == {"fund_payment": 127_838_000.0, "visits": 922_000.0}
    assert table.notes == ()


@pytest.mark.parametrize("word", ["合计", "总计", "共计", "Total", "SUM", " 合 计 "])
@pytest.mark.parametrize(
    ("total", "verdict"),
    [("12783.81", "note"), ("12783.79", "note"), ("12783.82", "fault"), ("12700", "fault")],
)
def test_totals_within_and_beyond_rounding(
    csv: Callable[..., Path], word: str, total: str, verdict: str
) -> None:
    """Two parts and a total of two decimals may differ by 0.015; more is a fault at the total's cell."""
    path = csv(GOOD + f"{word},,{total}\n")
    if verdict == "note":
        table = read_table(path, "experience")
        assert [n.code for n in table.notes] == ["table.total_rounding"]
        assert len(table.frame) == 2
        return
    (fault,) = faults_of(path)
    assert (fault.code, fault.cell, fault.column) == ("table.wrong_total", "C4", "基金支付（万元）")
    assert {"stated": fault.params["stated"], "parts": fault.params["parts"]} == {
        "stated": total,
        "parts": "12783.8",
    }
    assert fault.params["unit"] == "万元"


@pytest.mark.parametrize(
    ("total", "agrees"), [("6.02", True), ("5.98", True), ("6.03", False), ("5.97", False)]
)
def test_rounding_of_parts_and_total_is_allowed_together(
    csv: Callable[..., Path], total: str, agrees: bool
) -> None:
    """Three parts and a total of two decimals may differ by 4 × 0.005 and no more."""
    path = csv(f"类别,基金支付（万元）\n甲,1.00\n乙,2.00\n丙,3.00\n合计,{total}\n")
    if agrees:
        assert [n.code for n in read_table(path, "experience").notes] == ["table.total_rounding"]
    else:
        assert codes(faults_of(path)) == [("table.wrong_total", "B5")]


def test_totals_without_a_figure_are_not_checked(csv: Callable[..., Path]) -> None:
    """An empty cell in the total row is no fault and no total."""
    table = read_table(csv(GOOD + "合计,,\n"), "experience")
    assert table.totals == {}
    assert len(table.frame) == 2


# --------------------------------------------------------------------------- single faults


@pytest.mark.parametrize(
    ("rows", "kind", "expected"),
    [
        ("类别,基金支付（元）,怪列\n住院,1,x\n", "experience", [("table.unknown_column", "C1")]),
        ("类别,受益人次\n住院,1\n", "experience", [("table.missing_column", None)]),
        ("类别,基金支付（元）,基金支出（元）\n住院,1,2\n", "experience", [("table.twice", "C1")]),
        ("类别,,基金支付（元）\n住院,3,1\n", "experience", [("table.no_column_name", "B1")]),
        ("甲,乙\n1,2\n", "experience", [("table.no_heading", None)]),
        ("", "experience", [("table.no_heading", None)]),
        ("类别,基金支付（元）\n", "experience", [("table.empty", None)]),
        ("类别,基金支付（元）\n,\n , \n", "experience", [("table.empty", None)]),
        ("类别,基金支付（元）\n住院,\n", "experience", [("table.empty_cell", "B2")]),
        ("类别,基金支付（元）\n,5\n", "experience", [("table.empty_key", "A2")]),
        ("类别,基金支付（元）\n住院,十二\n", "experience", [("table.not_a_number", "B2")]),
        ("类别,基金支付（元）\n住院,NaN\n", "experience", [("table.not_a_number", "B2")]),
        ("类别,基金支付（元）\n住院,inf\n", "experience", [("table.not_a_number", "B2")]),
        ("类别,基金支付（元）\n住院,1e999\n", "experience", [("table.not_a_number", "B2")]),
        ("类别,基金支付（元）\n住院,-30.0\n", "experience", [("table.negative", "B2")]),
        ("类别,基金支付（元）\n住院,30%\n", "experience", [("table.percent_in_money", "B2")]),
        ("类别,基金支付（元）\n住院,1\n慢性病,2\n住院补偿,3\n", "experience", [("table.duplicate", "A4")]),
        ("类别,基金支付（元）\n住院,1,2\n", "experience", [("table.too_many_cells", "C2")]),
        ("缴费主体,月份,累计比例\n个人,13,1\n", "calendar", [("table.not_a_month", "B2")]),
        ("缴费主体,月份,累计比例\n个人,1.5,1\n", "calendar", [("table.not_a_month", "B2")]),
        ("缴费主体,月份,累计比例\n个人,1,101%\n", "calendar", [("table.over_one", "C2")]),
        ("缴费主体,月份,累计比例\n个人,1,50%\n个人,1,60%\n", "calendar", [("table.duplicate", "A3")]),
        ("年份,参保人数,基金支出（元）\n201,1,1\n", "history", [("table.not_a_year", "A2")]),
        ("年份,参保人数,基金支出（元）\n2013,1,1\n2013,1,1\n", "history", [("table.duplicate", "A3")]),
    ],
)
def test_each_fault_is_found_at_its_cell(
    csv: Callable[..., Path], rows: str, kind: str, expected: list
) -> None:
    """One fault in one table is reported once, with its code, at its cell, in both languages."""
    faults = faults_of(csv(rows), kind)
    assert codes(faults) == expected
    assert {f.file for f in faults} == {"表.csv"}


def test_one_row_is_a_table(csv: Callable[..., Path]) -> None:
    """A single row is enough."""
    assert values(read_table(csv("类别,基金支付（元）\n住院,1\n"), "experience"), "fund_payment") == [1.0]


def test_duplicates_name_the_first_place(csv: Callable[..., Path]) -> None:
    """A duplicate says where the first one stands, and so does the next."""
    faults = faults_of(csv("类别,基金支付（元）\n甲,1\n乙,2\n甲,3\n甲,4\n"))
    assert codes(faults) == [("table.duplicate", "A4"), ("table.duplicate", "A5")]
    assert [f.params for f in faults] == [{"value": "甲", "first": "A2"}] * 2


def test_heading_row_must_be_near_the_top(csv: Callable[..., Path]) -> None:
    """A heading in line 20 is found, in line 21 it is not."""
    assert len(read_table(csv("说明\n" * 19 + GOOD), "experience").frame) == 2
    assert codes(faults_of(csv("说明\n" * 20 + GOOD))) == [("table.no_heading", None)]


# --------------------------------------------------------------------------- all faults at once

DIRTY: Rows = [
    ["类别", "受益人次", "基金支付（万元）", "医药总费用", "奇怪的列"],
    ["住院补偿", "100", "十二", "5", "x"],
    ["门诊统筹补偿", "-5", "30.5", "6", None],
    ["住院补偿", "20", None, "7", None],
    ["慢性病", "30", "1e999", "8", None],
    ["意外伤害", "10%", "5", "9", None],
    ["合计", "200", "50", "30", None],
]
DIRTY_FAULTS = {
    ("table.no_unit", "D1"),
    ("table.unknown_column", "E1"),
    ("table.not_a_number", "C2"),
    ("table.negative", "B3"),
    ("table.duplicate", "A4"),
    ("table.empty_cell", "C4"),
    ("table.not_a_number", "C5"),
    ("table.percent_in_money", "B6"),
    ("table.wrong_total", "D7"),
}


def test_all_faults_of_a_dirty_text_file_at_once(csv: Callable[..., Path]) -> None:
    """A dirty CSV names its ten faults together, each at its cell and in both languages."""
    lines = [",".join(c or "" for c in row) for row in DIRTY]
    lines[4] += ",多"
    faults = faults_of(csv("\n".join(lines)))
    assert len(faults) == len(DIRTY_FAULTS) + 1
    assert set(codes(faults)) == DIRTY_FAULTS | {("table.too_many_cells", "F5")}


def test_all_faults_of_a_dirty_workbook_at_once(xlsx: Callable[..., Path]) -> None:
    """The same workbook names its nine faults together, with sheet and cell."""
    faults = faults_of(xlsx({"封面": [["x"]], "收支表": DIRTY}), sheet="收支表")
    assert len(faults) == len(DIRTY_FAULTS)
    assert set(codes(faults)) == DIRTY_FAULTS
    assert {(f.file, f.sheet) for f in faults} == {("表.xlsx", "收支表")}
    negative = next(f for f in faults if f.code == "table.negative")
    assert negative.message("zh").startswith("表.xlsx!收支表!B3 “受益人次”")
    assert negative.message("en").startswith("表.xlsx!收支表!B3 ")


def test_faults_can_be_written_as_data(csv: Callable[..., Path]) -> None:
    """Faults go to plain data for --json with the same place and message."""
    for fault in faults_of(csv("\n".join(",".join(c or "" for c in row) for row in DIRTY))):
        plain = json.loads(json.dumps(fault.to_dict("en")))
        assert (plain["code"], plain["cell"], plain["message"]) == (
            fault.code,
            fault.cell,
            fault.message("en"),
        )


# --------------------------------------------------------------------------- files that are refused


def test_error_cells_and_formulas_without_results(xlsx: Callable[..., Path]) -> None:
    """Error values and formulas that were never calculated are named by cell, not read as holes."""
    rows = [
        ["类别", "受益人次", "基金支付（万元）"],
        ["住院", 5, "#DIV/0!"],
        ["慢性病", "#N/A", 3],
        ["门诊统筹", 5, "=C3*2"],
    ]
    faults = faults_of(xlsx({"封面": [["#REF!"]], "支出": rows}), sheet="支出")
    assert set(codes(faults)) == {
        ("table.error_cell", "C2"), ("table.error_cell", "B3"), ("table.uncached_formula", "C4"),
    }  # fmt: skip
    assert {f.sheet for f in faults} == {"支出"}
    assert any("#DIV/0!" in f.message("en") for f in faults)


def test_missing_files_and_other_types(tmp_path: Path, csv: Callable[..., Path]) -> None:
    """A file that is not there and a type that is not read say so."""
    assert codes(faults_of(tmp_path / "无.csv")) == [("file.not_found", None)]
    assert codes(faults_of(csv(GOOD, name="表.pdf"))) == [("file.type", None)]
    assert codes(faults_of(csv(GOOD, name="表"))) == [("file.type", None)]


def test_nul_bytes_and_unknown_encodings(csv: Callable[..., Path]) -> None:
    """NUL bytes and bytes that are neither UTF-8 nor GB18030 are refused."""
    assert codes(faults_of(csv(GOOD.encode() + b"\0"))) == [("file.nul", None)]
    assert codes(faults_of(csv("类别,金额（元）\n".encode() + b"\xff\xff,1\n"))) == [("file.encoding", None)]


def test_an_open_quote_is_damage(csv: Callable[..., Path]) -> None:
    """A quotation mark that is never closed does not swallow the rest of the file silently."""
    assert codes(faults_of(csv('类别,基金支付（元）\n"住院,1\n慢性病,2\n'))) == [("file.damaged", None)]


def test_damaged_workbooks(tmp_path: Path, xlsx: Callable[..., Path]) -> None:
    """Half a workbook, random bytes and a zip that is no workbook are damaged files."""
    whole = xlsx({"s": [["类别", "基金支付（元）"], ["住院", 1]]}).read_bytes()
    bad = tmp_path / "坏.xlsx"
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("hello.txt", "hello")
    for content in (
        whole[: len(whole) // 2],
        b"PK\x03\x04" + bytes(range(256)),
        b"not a zip",
        b"",
        other.getvalue(),
    ):
        bad.write_bytes(content)
        assert codes(faults_of(bad)) == [("file.damaged", None)]
    old = tmp_path / "坏.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0 not really")
    assert codes(faults_of(old)) == [("file.damaged", None)]


def test_zip_bombs_are_not_unpacked(tmp_path: Path) -> None:
    """A small archive that unpacks to very much is refused before it is unpacked."""
    bomb = tmp_path / "大.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (24 * 2**20))
    assert bomb.stat().st_size < 100_000
    (fault,) = faults_of(bomb)
    assert (fault.code, fault.params["size"]) == ("file.bomb", 24)


def test_limits_of_size(csv: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, columns and rows above the limits are refused."""
    assert codes(faults_of(csv(",".join(["x"] * 1001)))) == [("file.too_many_cells", None)]
    monkeypatch.setattr(grids, "MAX_ROWS", 2)
    assert codes(faults_of(csv(GOOD))) == [("file.too_many_cells", None)]
    monkeypatch.setattr(grids, "MAX_FILE_BYTES", 10)
    assert codes(faults_of(csv(GOOD))) == [("file.too_large", None)]


# --------------------------------------------------------------------------- anything at all


CELLS = st.one_of(
    st.sampled_from(
        [
            "住院",
            "合计",
            "类别",
            "基金支付（元）",
            "1,200",
            "(3)",
            "５",
            "2013",
            "",
            " ",
            "%",
            "1e5",
            "nan",
            '"',
            "=1+1",
        ]
    ),
    st.text(max_size=4),
)


@given(
    st.lists(st.lists(CELLS, max_size=5), max_size=6),
    st.sampled_from(["experience", "history", "payers", "facts"]),
)
def test_any_text_is_a_table_or_a_named_fault(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], kind: str
) -> None:
    """Whatever a CSV holds, reading gives a finite table or faults of ours, never another exception."""
    path = tmp_path_factory.mktemp("any") / "x.csv"
    head = {
        "experience": "类别,受益人次,基金支付（万元）",
        "history": "年份,参保人数,基金支出（亿元）",
        "payers": "缴费主体,人均标准（元）,应到资金（万元）",
        "facts": "事实编号,数值,单位,舍入半宽",
    }[kind]
    path.write_bytes("\n".join([head, *(",".join(r) for r in rows)]).encode("utf-8", "replace"))
    try:
        table = read_table(path, kind)
    except InputError as error:
        assert_bilingual(error)
        return
    numbers = table.frame.select_dtypes("number").to_numpy()
    assert np.isfinite(numbers[~np.isnan(numbers)]).all()


def test_merged_headings_in_two_rows(tmp_path: Path) -> None:
    """支出（万元） merged over 人次 and 金额, with a title and a date above, is read as two columns."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["某县收支表", None, None],
        ["类别", "支出（万元）", None],
        [None, "人次", "金额"],
        ["住院", 10, 1.5],
        ["门诊统筹", 20, 2.5],
        ["合计", 30, 4.0],
    ):
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("B2:C2")
    book.save(tmp_path / "m.xlsx")
    found = read_table(tmp_path / "m.xlsx", "experience")
    assert found.frame["fund_payment"].tolist() == [15_000.0, 25_000.0]
    assert found.frame["visits"].tolist() == [10.0, 20.0]
    assert found.cells["fund_payment"].tolist() == ["C4", "C5"]


def test_one_row_of_headings_stays_one(tmp_path: Path) -> None:
    """Words in the first row of data are not taken for a second row of headings."""
    path = tmp_path / "t.csv"
    path.write_text("类别,基金支付（元）,来源\n住院,,无\n门诊统筹,2,无\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_table(path, "experience")
    assert [(f.code, f.cell) for f in error.value.faults] == [("table.empty_cell", "B2")]
