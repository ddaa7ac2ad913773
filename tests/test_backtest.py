"""Annualising past years of the national series from their first months."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.experience.backtest import annualisation_backtest
from actuarial.samples import sample_path
from actuarial.tables import Table, difference_to_date, read_table


@pytest.fixture(scope="module")
def series() -> Table:
    """The national series of 2013–2016; 2016 lacks two months."""
    return read_table(sample_path("national/monthly_medical_fund.csv"), "monthly_history")


def test_beats_the_straight_line(series: Table) -> None:
    """From any number of months the seasonal method errs by at most 2.5%, the straight line by 6 to 18%."""
    found = annualisation_backtest(series).table
    assert found["months"].tolist() == list(range(3, 11))
    assert (found["mean_absolute_error"] < 0.025).all()
    assert (found["straight_line_error"] > 0.06).all()
    assert found["mean_absolute_error"].iloc[-1] < 0.01


def test_coverage(series: Table) -> None:
    """The 95% interval held in at least 20 of 24 predictions (three years, so not 24 independent ones)."""
    frame = annualisation_backtest(series).frame
    assert set(frame["year"]) == {2013, 2014, 2015}
    assert frame["covered"].sum() >= 20
    assert (frame["low"] < frame["predicted"]).all()
    assert (frame["predicted"] < frame["high"]).all()


def test_one_year_by_hand(series: Table) -> None:
    """2015 from ten months: its ten months over the mean ten-month share of 2013 and 2014, shrunk a little to even."""
    frame = annualisation_backtest(series, [10]).frame.set_index("year")
    share = (5263.1173 / 6801.0502 + 6276.8366 / 8009.4619) / 2
    assert frame.loc[2015, "predicted"] == pytest.approx(7247.8446e8 / share, rel=3e-4)
    assert share < 7247.8446e8 / frame.loc[2015, "predicted"] < share + 0.01 * (10 / 12 - share)


def test_two_years_are_too_few(tmp_path: Path) -> None:
    """One year to predict and two to learn from are needed."""
    rows = [f"{y},{m},{m}" for y in (2013, 2014) for m in range(1, 13)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["年份,月份,当年累计支出（亿元）", *rows]), encoding="utf-8")
    with pytest.raises(act.InputError) as error:
        annualisation_backtest(read_table(path, "monthly_history"))
    assert error.value.faults[0].code == "experience.backtest_short"


@given(
    st.lists(st.integers(0, 10**9), min_size=12, max_size=12),
    st.sets(st.integers(1, 12), min_size=1, max_size=12),
)
def test_differencing_adds_up_over_gaps(monthly: list[int], kept: set[int]) -> None:
    """Whatever months a year-to-date table lacks, the differences sum to its last figure and cover its months."""
    to_date = np.cumsum(monthly)
    rows = [f"2014,{m},{to_date[m - 1]}" for m in sorted(kept)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.csv"
        path.write_text("\n".join(["年份,月份,当年累计支出（元）", *rows]), encoding="utf-8")
        found = difference_to_date(read_table(path, "monthly_history"))
    assert found["amount"].sum() == to_date[max(kept) - 1]
    assert found["months"].sum() == max(kept)
    whole = found[found["months"] == 1]
    assert all(row.amount == monthly[int(row.month) - 1] for row in whole.itertuples())
