"""Drivers of change and breaks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.experience.breaks import find_breaks
from actuarial.experience.claim_drivers import year_on_year
from actuarial.experience.drivers import decompose, log_mean
from actuarial.samples import sample_path

FACTORS = ["share", "visits", "cost", "ratio"]
cell = st.fixed_dictionaries({f: st.one_of(st.just(0.0), st.floats(1e-3, 1e4)) for f in FACTORS})


@given(st.lists(cell, min_size=1, max_size=6), st.lists(cell, min_size=1, max_size=6))
def test_parts_sum_to_the_change(old: list[dict[str, float]], new: list[dict[str, float]]) -> None:
    """Drivers, entering and leaving sum to the change to 1e-9, whatever is zero and whichever cells come and go."""
    before = pd.DataFrame(old, index=range(len(old)))
    after = pd.DataFrame(new, index=range(1, 1 + len(new)))
    parts = decompose(before, after, FACTORS)
    scale = max(parts.before, parts.after, 1e-9)
    assert parts.table["change"].sum() == pytest.approx(parts.after - parts.before, abs=1e-9 * scale)


@given(st.lists(cell, min_size=1, max_size=5))
def test_no_change_no_drivers_and_time_reversal(old: list[dict[str, float]]) -> None:
    """Nothing changed gives nothing; swapping the years changes every sign."""
    before = pd.DataFrame(old)
    assert decompose(before, before, FACTORS).table["change"].abs().max() == 0
    after = before.assign(cost=before["cost"] * 1.3, visits=before["visits"] * 0.8)
    there, back = (
        decompose(before, after, FACTORS).table["change"],
        decompose(after, before, FACTORS).table["change"],
    )
    assert there.to_numpy() == pytest.approx(-back.to_numpy(), rel=1e-9, abs=1e-9)


def test_one_factor_takes_all() -> None:
    """Where only the price moves, the price is the whole change."""
    before = pd.DataFrame(
        {"share": [0.5, 0.5], "visits": [2.0, 3.0], "cost": [100.0, 50.0], "ratio": [0.6, 0.7]}
    )
    after = before.assign(cost=before["cost"] * 1.2366)
    parts = decompose(before, after, FACTORS).table.set_index("driver")["change"]
    assert parts["cost"] == pytest.approx(0.2366 * (0.5 * 2 * 100 * 0.6 + 0.5 * 3 * 50 * 0.7))
    assert parts.drop("cost").abs().max() < 1e-12


def test_entering_and_leaving_are_apart() -> None:
    """A new category and one that ended show with their whole value, and do not distort the others."""
    before = pd.DataFrame({"visits": [1.0, 2.0], "cost": [10.0, 5.0]}, index=["a", "gone"])
    after = pd.DataFrame({"visits": [1.0, 3.0], "cost": [12.0, 7.0]}, index=["a", "new"])
    parts = decompose(before, after, ["visits", "cost"]).table.set_index("driver")["change"]
    assert parts.to_dict() == pytest.approx({"visits": 0.0, "cost": 2.0, "entering": 21.0, "leaving": -10.0})


def test_negative_cells_are_refused() -> None:
    """A reversal that was not netted is told, with the side."""
    good = pd.DataFrame({"visits": [1.0], "cost": [1.0]})
    with pytest.raises(act.InputError) as error:
        decompose(good, good.assign(cost=-1.0), ["visits", "cost"])
    assert "after" in error.value.message("en")


def test_log_mean_limits() -> None:
    """The logarithmic mean is between its arguments, symmetric, and continuous where they meet."""
    a, b = np.array([2.0, 2.0 + 1e-12, 5.0]), np.array([2.0, 2.0, 1.0])
    mean = log_mean(a, b)
    assert mean == pytest.approx(log_mean(b, a))
    assert mean[1] == pytest.approx(2.0)
    assert 1 < mean[2] < 5


def test_mergers_are_found_in_participants() -> None:
    """Merging NCMS into the resident scheme shows in 2017 and is the only break of the resident scheme's participants."""
    people = pd.Series(
        [27155.7, 29629.4, 31450.9, 37688.5, 44860.0, 87358.7, 102777.8, 102482.7, 101676.0, 100865.9, 98349.1],
        index=range(2012, 2023), name="participants",
    )  # fmt: skip
    found = find_breaks(people)
    assert found[0].period == 2017
    assert 0.8 < found[0].size < 1.0
    for lang in act.LANGUAGES:
        assert "2017" in found[0].message(lang)


def test_steady_growth_has_no_break() -> None:
    """Cost per inpatient stay grew between 0 and 9% a year: nothing to report."""
    frame = pd.read_csv(sample_path("national/hospital_cost_per_visit_1990_2006.csv")).set_index("year")
    assert find_breaks(frame["cost_per_inpatient_stay_yuan"].loc[2000:].rename("cost")) == ()


@pytest.mark.parametrize("seed", range(20))
def test_break_found_at_its_place(seed: int) -> None:
    """A 40% step in noisy growth is found in its year, with its size."""
    rng = np.random.default_rng(seed)
    growth = rng.normal(0.08, 0.02, 11)
    growth[6] += np.log(1.4)
    series = pd.Series(np.exp(np.cumsum(np.append(5.0, growth))), index=range(2001, 2013), name="cost")
    found = find_breaks(series)
    assert found[0].period == 2008
    assert found[0].size == pytest.approx(0.4, abs=0.12)


def test_too_short_says_nothing() -> None:
    """Four points are too few to call one of them a break; a level of zero is refused."""
    assert find_breaks(pd.Series([1.0, 2.0, 30.0, 31.0], index=range(4))) == ()
    with pytest.raises(act.InputError):
        find_breaks(pd.Series([1.0, 0.0, 3.0, 4.0, 5.0], index=range(5), name="cost"))


def test_year_on_year_report() -> None:
    """Two years of a fund: the parts sum to the change of per-capita cost; different months are refused."""
    table = act.read_table(sample_path("anhui_county/experience.csv"), "experience")
    before = act.read_experience(table, 532_815, 5)
    later = before.frame.assign(
        visits_per_insured=before.frame["visits_per_insured"] * [1.1, 1.0, 0.9, 1.0],
        payment_per_visit=before.frame["payment_per_visit"] * 1.05,
    )
    after = type(before)(later, before.insured, 5)
    parts = year_on_year(before, after)
    grown = (later["visits_per_insured"] * later["payment_per_visit"]).sum()
    assert parts.table["change"].sum() == pytest.approx(grown - before.frame["per_capita"].sum())
    assert parts.plot(lang="zh").get_ylabel()
    with pytest.raises(act.InputError) as error:
        year_on_year(before, type(before)(later, before.insured, 6))
    assert "5 and 6 months" in error.value.message("en")
