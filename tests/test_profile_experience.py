"""The months' shares of a year, experience figures, and part years made whole."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import actuarial as act
from actuarial.errors import DataWarning, InputError
from actuarial.experience import base_year
from actuarial.plan import Plan
from actuarial.tables import MonthlyProfile, Table, read_table


def season() -> Table:
    """The national monthly series."""
    return read_table(act.sample_path("national/monthly_medical_fund.csv"), "monthly_history")


@pytest.fixture(scope="module")
def national() -> MonthlyProfile:
    """The profile of the national series."""
    return MonthlyProfile.from_history(season())


@pytest.fixture(scope="module")
def by_hand() -> dict[int, list[float]]:
    """Shares of each month by whole year, worked out from the file without the package."""
    to_date: dict[int, dict[int, float]] = defaultdict(dict)
    with act.sample_path("national/monthly_medical_fund.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            to_date[int(row["年份"])][int(row["月份"])] = float(row["当年累计支出（亿元）"])
    shares = {}
    for year, months in to_date.items():
        if set(months) == set(range(1, 13)):
            level = [0.0, *(months[m] for m in range(1, 13))]
            shares[year] = [(b - a) / level[12] for a, b in pairwise(level)]
    return shares


def monthly(tmp_path: Path, rows: list[str]) -> Table:
    """A year-to-date table."""
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["年份,月份,当年累计支出（亿元）", *rows]), encoding="utf-8")
    return read_table(path, "monthly_history")


# --------------------------------------------------------------------------- profile


def test_profile_is_the_mean_of_whole_years(
    national: MonthlyProfile, by_hand: dict[int, list[float]]
) -> None:
    """Shares are means over 2013–2015, sum to 1, and the unfinished 2016 is left out."""
    assert national.years.index.tolist() == [2013, 2014, 2015] == sorted(by_hand)
    assert 2016 in season().frame["year"].to_numpy()
    np.testing.assert_allclose(national.shares, np.mean(list(by_hand.values()), axis=0), rtol=1e-12)
    assert national.shares.sum() == pytest.approx(1.0, abs=1e-15)
    assert (national.years.sum(axis=1) - 1).abs().max() < 1e-12


def test_ten_months_hold_less_than_ten_twelfths(
    national: MonthlyProfile, by_hand: dict[int, list[float]]
) -> None:
    """Ten months held 77.9% of the year on average, not 83.3%, with their spread between years."""
    ten = [sum(v[:10]) for v in by_hand.values()]
    assert national.cumulative(10) == pytest.approx(np.mean(ten), rel=1e-12)
    assert national.cumulative(10) == pytest.approx(0.7789, abs=5e-5)
    assert national.spread(10) == pytest.approx(np.std(ten, ddof=1), rel=1e-9)
    assert national.table["cumulative_share"].iloc[-1] == pytest.approx(1.0)


def test_straight_line_profile() -> None:
    """The even profile has a twelfth a month and no spread."""
    even = MonthlyProfile.even()
    assert even.cumulative(10) == pytest.approx(10 / 12)
    assert [even.spread(k) for k in (1, 6, 12)] == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(even.share_draws(5, [-3.0, 0.0, 3.0]), 5 / 12, rtol=1e-12)


@given(st.integers(1, 11), st.floats(-6, 6), st.floats(0, 0.1))
def test_share_draws_stay_between_nothing_and_all(months: int, z: float, place_sd: float) -> None:
    """A drawn share lies in (0, 1), rises with its normal and is the mean share at its median."""
    profile = MonthlyProfile.from_history(season())
    low, middle, high = profile.share_draws(months, [z - 0.5, 0.0, z + 0.5], place_sd)
    assert 0 < low < high < 1
    assert middle == pytest.approx(profile.cumulative(months), rel=1e-12)


@given(st.lists(st.floats(-8, 8), max_size=5), st.floats(0, 0.5))
def test_a_whole_year_is_whole(z: list[float], place_sd: float) -> None:
    """After twelve months the share is exactly 1, whatever is assumed of the place."""
    profile = MonthlyProfile.from_history(season())
    assert profile.share_draws(12, z, place_sd).tolist() == [1.0] * len(z)


def test_share_draws_have_the_stated_spread(national: MonthlyProfile) -> None:
    """On the logit scale the draws are normal, with year-to-year and place spread and n = 3 years."""
    z = np.array([-2.0, -1.0, 1.0, 2.0])
    s, n = national.cumulative(10), 3
    few = (
        4.302652729911275 / 1.959963984540054
    )  # Student t with 2 degrees of freedom over the normal, at 97.5%
    sd = np.sqrt(national.spread(10) ** 2 * (1 + 1 / n) * few**2 + 0.015**2) / (s * (1 - s))
    drawn = national.share_draws(10, z, 0.015)
    np.testing.assert_allclose(np.log(drawn / (1 - drawn)), np.log(s / (1 - s)) + sd * z, rtol=1e-10)


def test_profiles_that_cannot_be_made(tmp_path: Path) -> None:
    """No whole year, and a year-to-date amount that falls, are refused by name."""
    with pytest.raises(InputError) as caught:
        MonthlyProfile.from_history(monthly(tmp_path, [f"2015,{m},{m}" for m in range(1, 12)]))
    assert [f.code for f in caught.value.faults] == ["table.no_whole_year"]
    rows = [f"2014,{m},{m}" for m in range(1, 13)] + [f"2015,{m},{m if m != 7 else 5}" for m in range(1, 13)]
    with pytest.raises(InputError) as caught:
        MonthlyProfile.from_history(monthly(tmp_path, rows))
    (fault,) = caught.value.faults
    assert (fault.code, fault.params["year"]) == ("table.falls", 2015)
    assert "2015" in fault.message("zh")


# --------------------------------------------------------------------------- experience


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Any]:
    """Experience from rows of category, visits and amount in 万元."""

    def make(rows: list[str], insured: float = 1000.0, months: int = 10) -> Any:
        path = tmp_path / "e.csv"
        path.write_text("\n".join(["类别,受益人次,基金支付（万元）", *rows]), encoding="utf-8")
        return act.read_experience(read_table(path, "experience"), insured, months)

    return make


def test_jieshou_figures(jieshou: Plan) -> None:
    """Payment per admission and visit, admission rate, inpatient share (checks C007, C008, C012, C096)."""
    frame = base_year(jieshou).experience.frame.set_index("category")
    assert frame.loc["inpatient", "payment_per_visit"] == pytest.approx(2706.15258216, rel=1e-9)
    assert frame.loc["outpatient_pooling", "payment_per_visit"] == pytest.approx(14.27780305, rel=1e-8)
    assert frame.loc["inpatient", "visits_per_insured"] == pytest.approx(0.06584235, rel=1e-6)
    assert frame.loc["inpatient", "fund_payment"] / frame["fund_payment"].sum() == pytest.approx(
        0.7009411, abs=1e-6
    )
    assert len(frame) == 7


def test_anhui_figures(anhui: Plan) -> None:
    """Inpatient share of compensation and the five months' total of the Anhui county (checks C072, C097)."""
    found = base_year(anhui).experience
    frame = found.frame.set_index("category")
    assert found.paid == 20_779_000.0
    assert frame.loc["inpatient", "fund_payment"] / found.paid == pytest.approx(0.91499591, rel=1e-8)
    assert frame.loc["childbirth", "payment_per_visit"] == pytest.approx(247_000 / 846)
    assert (found.months, found.insured) == (5, 532_815.0)


def test_wusong_figures(study: Callable[..., Any]) -> None:
    """A small pool: mean inpatient compensation of 2,288.2 yuan and 118.25万 in all (checks C017, C019)."""
    found = study(
        ["大病住院,500,114.41", "慢性病,180,2.79", "孕产妇,30,1.05", "合计,710,118.25"], insured=4892
    )
    frame = found.frame.set_index("category")
    assert frame.loc["inpatient", "payment_per_visit"] == pytest.approx(2288.2)
    assert found.paid == 1_182_500.0


def test_frequency_times_severity_is_cost(jieshou: Plan) -> None:
    """In each category visits per insured × payment per visit is cost per insured; they add to the total."""
    found = base_year(jieshou).experience
    frame = found.table
    np.testing.assert_allclose(
        frame["visits_per_insured"] * frame["payment_per_visit"], frame["per_capita"], rtol=1e-12
    )
    assert frame["per_capita"].sum() * found.insured == pytest.approx(found.paid, rel=1e-12)
    frame["per_capita"] = 0.0
    assert found.frame["per_capita"].sum() > 0  # the table is a copy


def test_a_table_without_visits_is_used_without_frequencies(tmp_path: Path) -> None:
    """Without visits there are costs, and frequency is not invented."""
    path = tmp_path / "e.csv"
    path.write_text("类别,基金支付（元）\n住院,100\n慢性病,50\n", encoding="utf-8")
    found = act.read_experience(read_table(path, "experience"), 10, 12)
    assert found.frame["per_capita"].tolist() == [10.0, 5.0]
    assert found.frame[["visits_per_insured", "payment_per_visit"]].isna().all(axis=None)


@pytest.mark.parametrize("insured", [0, -1, float("nan")])
def test_nobody_insured_is_refused(study: Callable[..., Any], insured: float) -> None:
    """No insured, or not a number of them, is refused."""
    with pytest.raises(InputError) as caught:
        study(["住院,1,1"], insured=insured)
    assert caught.value.code == "experience.no_insured"


def test_payments_without_visits_and_without_payments(study: Callable[..., Any]) -> None:
    """Payments with 0 visits are refused at the cell of the visits; nothing paid at all is refused too."""
    with pytest.raises(InputError) as caught:
        study(["住院,1,1", "慢性病,0,3", "意外伤害,0,2"])
    assert [(f.code, f.cell) for f in caught.value.faults] == [
        ("experience.no_visits", "B3"),
        ("experience.no_visits", "B4"),
    ]
    with pytest.raises(InputError) as caught:
        study(["住院,1,0", "慢性病,0,0"])
    assert caught.value.code == "experience.nothing_paid"
    assert study(["住院,1,1", "慢性病,0,0"]).frame["payment_per_visit"].isna().tolist() == [False, True]


# --------------------------------------------------------------------------- the whole year


def test_straight_line_year_is_twelve_tenths(jieshou: Plan) -> None:
    """By straight line the year uses 89.71% of its revenue and leaves 5.33 months (checks C013, C014)."""
    found = base_year(jieshou).experience
    year = found.annualise(MonthlyProfile.even())
    assert year.total == pytest.approx(found.paid * 1.2, rel=1e-12)
    assert year.total / 220_000_000 == pytest.approx(0.897096, abs=2e-6)
    assert (285_020_000 - year.total) / (found.paid / 10) == pytest.approx(5.32985707, abs=5e-5)


def test_seasonal_year_is_the_paid_over_their_share(jieshou: Plan, by_hand: dict[int, list[float]]) -> None:
    """The seasonal year is ten months' payments over 77.9%, by category too, and above the straight line."""
    year = base_year(jieshou)
    share = float(np.mean([sum(v[:10]) for v in by_hand.values()]))
    assert year.total == pytest.approx(164_467_500 / share, rel=1e-9)
    assert year.category_per_capita.sum() == pytest.approx(year.per_capita, rel=1e-12)
    assert year.table["annual_payment"].sum() == pytest.approx(year.total, rel=1e-12)
    assert year.total > 164_467_500 * 1.2
    np.testing.assert_allclose(
        year.annual_visits, year.experience.frame["visits_per_insured"] / share, rtol=1e-12
    )


def test_what_is_not_seen_has_an_interval(jieshou: Plan) -> None:
    """The year's interval is that of the share's draws, and the factor's median is 1."""
    year = base_year(jieshou)
    low, high = year.interval(0.95)
    z = stats.norm.ppf(0.975)
    shares = year.profile.share_draws(10, [z, -z], jieshou.model.annualise.place_sd)
    assert [low, high] == pytest.approx((164_467_500 / shares).tolist(), rel=1e-9)
    assert low < year.total < high
    narrow = year.interval(0.8)
    assert low < narrow[0] < narrow[1] < high
    assert float(year.factor(0.0)) == pytest.approx(1.0, abs=1e-15)
    assert year.factor(np.linspace(-8, 8, 50)).min() > year.share  # the year is never less than what was paid


def test_a_whole_year_needs_no_annualising(jieshou: Plan) -> None:
    """With twelve months observed the year is what was paid, without an interval."""
    found = base_year(jieshou).experience
    whole = act.read_experience(jieshou.tables["experience"], 647_000, 12)
    year = whole.annualise(base_year(jieshou).profile, place_sd=0.3)
    assert year.total == pytest.approx(found.paid, rel=1e-12)
    assert year.interval() == pytest.approx((found.paid, found.paid), rel=1e-12)
    assert year.factor([-3.0, 3.0]).tolist() == pytest.approx([1.0, 1.0], abs=1e-15)


def test_years_may_begin_in_any_month(
    national: MonthlyProfile, by_hand: dict[int, list[float]], plan_with: Callable[..., Plan]
) -> None:
    """Ten months from July hold the shares of July to April; plans with such years are annualised by them."""
    mean = np.mean(list(by_hand.values()), axis=0)
    july = national.starting(7)
    np.testing.assert_allclose(july.shares, [*mean[6:], *mean[:6]], rtol=1e-12)
    assert july.cumulative(10) == pytest.approx(1 - mean[4] - mean[5], rel=1e-12)
    assert national.starting(1).shares.tolist() == national.shares.tolist()
    years = np.array([[*v[6:], *v[:6]] for v in by_hand.values()])
    assert july.spread(10) == pytest.approx(np.std(years[:, :10].sum(axis=1), ddof=1), rel=1e-9)
    plan = plan_with("jieshou", {"fiscal_year_start": "2013-07-01", "valuation_date": "2014-04-30"})
    assert base_year(plan).share == pytest.approx(1 - mean[4] - mean[5], rel=1e-12)


def test_one_year_of_season_warns(plan_with: Callable[..., Plan]) -> None:
    """A season from a single year is used, with a warning that its spread is not known."""
    rows = ["年份,月份,当年累计支出（亿元）", *(f"2015,{m},{m}" for m in range(1, 13))]
    plan = plan_with("jieshou", tables={"season": "\n".join(rows)})
    with pytest.warns(DataWarning, match="1"):
        year = base_year(plan)
    assert year.share == pytest.approx(10 / 12)
    assert year.profile.spread(10) == 0.0
