"""Faults that were found in the numerical core and mended: one test each."""

from __future__ import annotations

import math
import random
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml

import actuarial as act
from actuarial.budget import budget_draft
from actuarial.errors import InputError
from actuarial.fund.target import premium_target
from actuarial.layers import Piecewise, to_cents
from actuarial.tables import MonthlyProfile, parse_number, read_table, reconcile


def table(folder: Path, text: str, kind: str):
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, kind)


ANHUI_PAYERS = (
    "缴费主体,人均标准（元）,应到资金（万元）,已到资金（万元）\n个人,20,1065.63,1065.63\n"
    "县级财政,10,532.815,532.815\n省级财政,30,1598.445,1504\n中央财政,40,2131.26,{central}\n"
)


# ---- tables


def test_b01_empty_received_cell(plan_with):
    """A payer whose receipts are left empty is refused, or owes all: its money does not vanish."""
    plan = plan_with("anhui_county", tables={"payers": ANHUI_PAYERS.format(central="")})
    try:
        arrears = act.Fund(plan).arrears
    except InputError:
        return
    assert arrears.received + arrears.outstanding == pytest.approx(arrears.frame["due"].sum())


def test_b02_excel_percent_cells(tmp_path):
    """An Excel cell formatted as 81.70% (stored 0.817) under a heading with （%） is 81.7% or refused, not 0.817%."""
    book = openpyxl.Workbook()
    book.active.append(["级别", "补偿比（%）"])
    book.active.append(["乡镇", 0.817])
    book.active["B2"].number_format = "0.00%"
    book.save(tmp_path / "p.xlsx")
    try:
        found = read_table(tmp_path / "p.xlsx", "reimbursement").frame["compensation_ratio"].iloc[0]
    except InputError:
        return
    assert found == pytest.approx(0.817)


def test_b03_fraction_shares_within_rounding(tmp_path):
    """Three shares of 0.333 and a total of 1.000 differ by rounding only, as 33.3% and 100.0% do."""
    text = "缴费主体,人均标准（元）,增资分担比例\n个人,1,0.333\n中央,1,0.333\n省级,1,0.333\n合计,3,1.000\n"
    found = table(tmp_path, text, "payers")
    assert found.half_widths["share_of_rise"] == pytest.approx(0.0005)


def test_b04_total_printed_coarser_than_its_parts(tmp_path):
    """1.26 + 2.27 and a printed total of 3.5: within the total's own rounding."""
    found = table(tmp_path, "类别,基金支付（万元）\n甲,1.26\n乙,2.27\n合计,3.5\n", "experience")
    assert [n.code for n in found.notes] == ["table.total_rounding"]


def test_b05_second_total_row_is_checked(tmp_path):
    """A second, wrong total row is not dropped unchecked."""
    with pytest.raises(InputError):
        table(tmp_path, "类别,基金支付（万元）\n甲,1\n乙,2\n合计,3\n总计,99\n", "experience")


def test_b06_subtotals(tmp_path):
    """A subtotal is checked against the rows above it, the total against all parts."""
    found = table(tmp_path, "类别,基金支付（万元）\n甲,1\n乙,2\n小计,3\n丙,4\n合计,7\n", "experience")
    assert found.frame["fund_payment"].sum() == 70_000


def test_b07_total_row_in_a_calendar(tmp_path):
    """A total row in a table that has none is a fault, not a crash."""
    with pytest.raises(InputError):
        table(tmp_path, "缴费主体,月份,累计比例\n个人,1,1\n合计,,\n", "calendar")


def test_b08_amounts_that_overflow_with_their_unit(tmp_path):
    """1e305 万元 is refused like inf."""
    with pytest.raises(InputError):
        table(tmp_path, "类别,基金支付（万元）\n甲,1e305\n", "experience")


def test_b09_error_cells_of_prefixed_sheets(tmp_path):
    """Error cells are found in workbooks whose XML uses a namespace prefix (Open XML SDK)."""
    import re
    import zipfile

    book = openpyxl.Workbook()
    book.active.append(["类别", "受益人次", "基金支付（元）"])
    book.active.append(["甲", "#DIV/0!", 2])
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as a, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as b:
        for name in a.namelist():
            content = a.read(name)
            if name.endswith("sheet1.xml"):
                xml = re.sub(r"<(/?)([a-zA-Z])", r"<\1x:\2", content.decode()).replace("xmlns=", "xmlns:x=")
                content = xml.encode()
            b.writestr(name, content)
    with pytest.raises(InputError):
        read_table(tmp_path / "b.xlsx", "experience")


def test_b10_negative_in_brackets_with_a_sign():
    """(-5) is not plus five."""
    assert parse_number("(-5)")[0] in (None, -5.0)
    assert parse_number("5%%")[0] is None


def test_b11_a_folder_named_like_a_table(tmp_path):
    """A folder is refused by name."""
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(InputError):
        read_table(tmp_path / "x.csv", "experience")


def test_b12_duplicates_show_the_users_word(tmp_path):
    """The message shows the words in the table, not our identifier."""
    with pytest.raises(InputError) as caught:
        table(tmp_path, "类别,基金支付（元）\n住院补偿,1\n大病住院,2\n", "experience")
    assert "inpatient" not in caught.value.message("zh")


def test_b13_unit_row_in_brackets(tmp_path):
    """（单位：万元） above the heading is a unit row too."""
    assert (
        table(tmp_path, "（单位：万元）,\n类别,基金支付\n甲,1\n", "experience").frame["fund_payment"][0]
        == 1e4
    )


@pytest.mark.parametrize("rows", [[0] * 12, [5] * 12, [0, 0, 0, *range(1, 10)]])
def test_b14_profiles_without_money_in_some_months(tmp_path, rows):
    """Years of nothing are refused, months of nothing give a share of 0 or 1; never a numpy warning."""
    lines = [f"2014,{m},{v}" for m, v in enumerate(rows, 1)]
    try:
        profile = MonthlyProfile.from_history(
            table(tmp_path, "\n".join(["年份,月份,当年累计支出（亿元）", *lines]), "monthly_history")
        )
    except InputError:
        return
    assert np.isfinite(profile.share_draws(2, [0.0, 1.0])).all()


# ---- identities


@pytest.mark.parametrize("expression", ["1e999", "1e999 - 1e999", "True", "1" + "0" * 400])
def test_b15_numbers_that_are_none(expression):
    """Infinite, truth-valued and gigantic constants are refused (1e999 = a is 'exact' today)."""
    with pytest.raises(InputError):
        reconcile(expression, "a", {"a": 1.0}, {})


# ---- layers


def test_b16_half_cents_of_large_amounts():
    """67,108,932.945 yuan and above round half away from zero too."""
    generator = random.Random(1)
    for _ in range(2000):
        yuan = Decimal(2 * generator.randrange(10**10, 10**12) + 1) * Decimal("0.005")
        up = int((yuan * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        assert int(to_cents(float(yuan))) == up


def test_b17_jump_at_zero_closed_left():
    """E[F(X)] does not count a jump at 0 that F(0) already holds: F is 0 for x ≥ 0 here."""
    f = Piecewise([0], [0, 0], [5], closed="left")
    assert f.expected(lambda e: 1.0, lambda e: 1.0) == float(f(1.0)) == 0.0


@pytest.mark.parametrize("slope", [5.5, 10])
def test_b18_steep_slopes_do_not_wrap(slope):
    """A value beyond int64 raises, it does not come out negative."""
    with pytest.raises(OverflowError):
        Piecewise([0.0], [0, slope]).cents(np.array([2**61]))


@pytest.mark.parametrize("amount", [np.array([2**64 - 100], dtype=np.uint64), np.array([-(2**63)])])
def test_b19_wrapping_inputs(amount):
    """Unsigned amounts beyond int64 and the lowest int64 are refused."""
    with pytest.raises(OverflowError):
        Piecewise([], [1]).cents(amount)


def law(folder, name, change):
    content = yaml.safe_load(files("actuarial.law").joinpath(f"{name}.yaml").read_text(encoding="utf-8"))
    change(content["payload"])
    path = folder / "law.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("segments", "ceiling", "ok"),
    [
        ([(0.0, 0.5), (1000.0, 0.0)], 800.0, True),
        ([(0.0, 0.5), (0.0, 0.6)], None, False),
        ([(9.0, 0.5), (1.0, 0.6)], None, False),
    ],
)
def test_b20_layers_with_zero_or_unordered_segments(tmp_path, segments, ceiling, ok):
    """A last segment that pays nothing leaves a ceiling out of reach; unordered segments are faults of the file."""

    def change(p):
        p.update(segments=[{"over": o, "pay_ratio": r} for o, r in segments], ceiling=ceiling)

    path = law(tmp_path, "china/jieshou/layer/critical_illness@2013-10-23", change)
    if ok:
        assert float(act.load_benefit_layer(path)(1e6)) == 500.0
    else:
        with pytest.raises(InputError):
            act.load_benefit_layer(path)


# ---- growth


def test_b21_falling_series_have_finite_growth():
    """A series that falls 40% a year does not forecast an infinite factor."""
    try:
        found = act.fit_growth(pd.Series([100.0, 60, 36, 21.6], index=[1, 2, 3, 4]))
    except InputError:
        return
    assert np.isfinite(found.factor([-1.0, 0.0, 1.0])).all()


def test_b22_expert_growth_keeps_its_upper_bound():
    """Far normals stay within the documented bounds."""
    assert np.isfinite(act.expert_growth(-0.1, sd=0.03).factor([8.3, 9.0, 12.0])).all()


def test_b23_unknown_growth_models():
    """A model that does not exist is refused, not taken for a drift."""
    with pytest.raises(InputError):
        act.fit_growth(pd.Series([100.0, 110, 119], index=[1, 2, 3]), model="ETS")


# ---- contract


def test_b24_ten_percent_edge_rounds_half_up():
    """10% of 90,000,001.25 is 9,000,000.13 in cents (half away from zero), not 9,000,000.12."""
    assert (
        act.load_contract("china/jiande/contract/cooperation@2012-01-01").bands(90_000_001.25).edges[-1]
        == 9_000_000.13
    )


def test_b25_fixed_edge_after_a_share_edge(tmp_path):
    """A share-of-target edge that passes the fixed edge after it is a named fault."""

    def change(p):
        p["sharing"][0]["bands"] = [
            {"up_to": {"share_of": "target", "share": 0.05}, "insurer": 0.5}, {"up_to": 9e6, "insurer": 0.6}, {"insurer": 0},
        ]  # fmt: skip

    deal = act.load_contract(law(tmp_path, "china/jiande/contract/cooperation@2012-01-01", change))
    with pytest.raises(InputError):
        deal.bands(185.6e6)


def test_b26_amounts_beyond_cents():
    """Claims too large for cents are an input fault."""
    deal = act.load_contract("china/jiande/contract/cooperation@2012-01-01")
    with pytest.raises(InputError):
        deal.settle(target=1e9, claims=1e17)


# ---- fund


@pytest.mark.filterwarnings("ignore::actuarial.ModelWarning")
def test_b27_no_visits_at_all(plan_with, simulate):
    """Without any visits there is no process noise and no numpy warning."""
    rows = "category,fund payment (yuan)\ninpatient,115282100\noutpatient_pooling,49185400\n"
    sim = simulate(plan_with("jieshou", tables={"experience": rows}), paths=50, threads=1)
    assert np.isfinite(sim.claims).all()


@pytest.mark.parametrize("alpha", [1.0, 1.5, -0.5])
def test_b28_curve_refuses_impossible_levels(alpha):
    """The curve refuses what the target refuses (α = 1 gives the largest need today)."""
    with pytest.raises(InputError):
        premium_target([1.0, 2.0, 3.0, 4.0], 0.25, "closing").curve([alpha])


def test_b29_waterfall_without_an_answer(plan_with):
    """Where no amount is enough the waterfall has no NaN."""
    calendar = "缴费主体,月份,累计到位比例（%）\n个人,2,100\n县级财政,4,100\n省级财政,2,100\n中央财政,5,100\n"
    found = act.run(plan_with("anhui_county", {"scenarios": []}, {"calendar": calendar}), paths=500)
    assert math.isinf(found.target.value)
    assert not found.table["yuan_per_person"].isna().any()


def test_b30_arrears_at_the_years_end(plan_with, simulate):
    """A whole year observed with arrears: last year's interest line is not minus the arrears."""
    sim = simulate(plan_with("anhui_county", {"valuation_date": "2010-12-31"}), paths=50)
    assert budget_draft(sim).last["interest"] >= 0
