"""Monthly shares from one or two years: shrunk, and honest about what so few years leave unknown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.cli import main
from actuarial.errors import DataWarning
from actuarial.experience import base_year
from actuarial.experience.backtest import annualisation_backtest
from actuarial.plan import Plan
from actuarial.samples import sample_path
from actuarial.tables import MonthlyProfile, Table, read_table
from actuarial.tables.season import BRIDGE, bridge_sd, national


@pytest.fixture(scope="module")
def series() -> Table:
    """The national series, three whole years."""
    return read_table(sample_path("national/monthly_medical_fund.csv"), "monthly_history")


def years_of(shares: np.ndarray) -> pd.DataFrame:
    """Shares as a profile holds them."""
    return pd.DataFrame(shares, index=range(2010, 2010 + len(shares)), columns=range(1, 13))


def test_the_parameters_are_those_of_the_national_series(series: Table) -> None:
    """Both coefficients of season.yaml are worked out anew from the published months, to their printed digits."""
    wide = series.frame.pivot_table(index="year", columns="month", values="expenditure_to_date")
    wide = wide.dropna().to_numpy()
    to_date = wide / wide[:, -1:]
    u = np.arange(1, 12) / 12
    between = np.sqrt((to_date[:, :-1].var(axis=0, ddof=1) / (u * (1 - u))).mean())
    distance = np.sqrt(((to_date[:, :-1].mean(axis=0) - u) ** 2 / (u * (1 - u))).mean())
    assert national()["between_years"]["value"] == pytest.approx(between, abs=5e-7)
    assert national()["even_distance"]["value"] == pytest.approx(distance, abs=5e-7)
    assert national()["between_years"]["freedom"] == len(wide) - 1


@pytest.mark.parametrize(("years", "predictions"), [(1, 48), (2, 24)])
def test_the_national_years_from_one_or_two_of_the_others(
    series: Table, years: int, predictions: int
) -> None:
    """Each year of 2013–2015 from one or two others, three to ten months known: the 95% interval held in 95% or more."""
    found = annualisation_backtest(series, own_years=years)
    assert len(found.frame) == predictions
    assert found.frame["covered"].mean() >= 0.95
    assert (found.table["mean_absolute_error"] < 0.03).all()
    assert (found.table["mean_absolute_error"] < found.table["straight_line_error"] / 3).all()


def test_a_series_that_the_parameters_have_not_seen(series: Table) -> None:
    """The fund's income by month, which no parameter rests on: the interval from a single year held in 95% or more."""
    found = annualisation_backtest(series, own_years=1, column="income_to_date")
    assert len(found.frame) == 48
    assert found.frame["covered"].mean() >= 0.95


@pytest.mark.parametrize("own", [1, 2])
@pytest.mark.parametrize("reference_given", [True, False])
def test_coverage_in_drawn_worlds(own: int, reference_given: bool) -> None:
    """Places and years drawn from the stated model, the spread unknown too: the interval holds in at least 94%.

    A reference's years say more of one coefficient for all months than their freedom counts, so that it is wide there.
    """
    rng = np.random.default_rng(7)
    place, known = 0.10, national()["between_years"]
    held = []

    def bridge(c: float, n: int) -> np.ndarray:
        steps = rng.normal(0, c / np.sqrt(12), (n, 12))
        return steps - steps.mean(axis=1, keepdims=True)

    for _ in range(700):
        between = known["value"] * np.sqrt(known["freedom"] / rng.chisquare(known["freedom"]))
        nation = 1 / 12 + bridge(0.05, 1)
        here = nation + bridge(place, 1)
        reference = MonthlyProfile.from_years(years_of(nation + bridge(between, 3)))
        years = here + bridge(between, own + 1)
        profile = MonthlyProfile.from_years(
            years_of(years[:own]),
            reference=reference if reference_given else None,
            place_sd=place * 0.4 if reference_given else None,
        )
        for k in (3, 6, 10):
            low, high = profile.share_draws(k, np.array([-1.96, 1.96]))
            held.append(low <= years[own, :k].sum() <= high)
    assert np.mean(held) >= 0.94
    assert reference_given or np.mean(held) <= 0.98


def test_weights_by_hand() -> None:
    """The credibility weight, the shares and the variance are the formulas of the module, worked out apart."""
    reference = MonthlyProfile.even()
    own = np.array([[0.06] * 11 + [0.34]])
    found = MonthlyProfile.from_years(years_of(own), reference=reference, place_sd=0.01)
    sigma2 = ((national()["between_years"]["value"] * BRIDGE) ** 2).mean()
    weight = 1e-4 / (1e-4 + sigma2)
    assert found.prior is not None
    assert found.prior.weight == pytest.approx(weight, rel=1e-12)
    assert found.cumulative(10) == pytest.approx(weight * 0.6 + (1 - weight) * 10 / 12, rel=1e-12)
    year = national()["between_years"]["value"] * BRIDGE[9] * 4.302652729696142 / 1.959963984540054
    expected = np.sqrt(year**2 * (1 + weight**2) + ((1 - weight) * 0.01) ** 2)
    assert found.year_sd(10) == pytest.approx(expected, rel=1e-9)


@given(
    st.lists(st.lists(st.floats(0, 1), min_size=12, max_size=12).filter(lambda v: sum(v) > 0.1), min_size=1, max_size=2),
    st.floats(0.001, 0.3),
)  # fmt: skip
def test_shrunk_shares_are_a_year(amounts: list[list[float]], place_sd: float) -> None:
    """Whatever one or two years look like, the shares are not negative, sum to 1 and lie between own and reference."""
    shares = np.array([np.array(a) / sum(a) for a in amounts])
    for reference in (None, MonthlyProfile.even()):
        found = MonthlyProfile.from_years(years_of(shares), reference=reference, place_sd=place_sd)
        assert (found.shares >= -1e-15).all()
        assert found.shares.sum() == pytest.approx(1)
        own, even = shares.mean(axis=0), np.full(12, 1 / 12)
        assert (found.shares <= np.maximum(own, even) + 1e-12).all()
        assert (found.shares >= np.minimum(own, even) - 1e-12).all()
        assert 0 < found.year_sd(6) < 10
        assert found.year_sd(12) == 0


def test_no_difference_between_places_means_the_reference(series: Table) -> None:
    """Where places are said not to differ, one own year counts little; where they differ much, it counts in full."""
    reference = MonthlyProfile.from_history(series)
    own = years_of(np.array([[0.05] * 11 + [0.45]]))
    same = MonthlyProfile.from_years(own, reference=reference, place_sd=1e-9)
    apart = MonthlyProfile.from_years(own, reference=reference, place_sd=0.5)
    assert same.cumulative(10) == pytest.approx(reference.cumulative(10), rel=0.16)
    assert same.prior is not None
    assert same.prior.weight == pytest.approx(0.25)  # one own year against the three of the reference
    assert apart.cumulative(10) == pytest.approx(0.5, rel=1e-3)
    three = MonthlyProfile.from_history(series, reference=MonthlyProfile.even())
    assert three.prior is None
    assert three.shares.tolist() == reference.shares.tolist()


def test_a_plan_with_its_own_year(plan_with: Callable[..., Plan]) -> None:
    """A plan whose own table has one year and names the national one as reference says so and is shrunk to it."""
    rows = ["年份,月份,当年累计支出（亿元）", *(f"2012,{m},{m * m}" for m in range(1, 13))]
    changes = {"annualise": {"profile": "seasonal", "table": "own_season", "reference": "season", "place_sd": 0.015, "source": "x"}}  # fmt: skip
    plan = plan_with("jieshou", changes, tables={"own_season": "\n".join(rows)})
    with pytest.warns(DataWarning, match=r"1.*%"):
        base = base_year(plan)
    assert base.profile.prior is not None
    weight = base.profile.prior.weight
    assert base.share == pytest.approx(weight * 100 / 144 + (1 - weight) * 0.778944, rel=1e-5)
    assert base.place_sd == 0
    low, high = base.interval()
    assert low < base.total < high


def test_the_command_with_one_year_and_a_reference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``annualise`` on one whole own year: the weight is told, the interval is there, and a reference moves it."""
    rows = [f"2012,{m},{m}" for m in range(1, 13)] + [f"2013,{m},{m}" for m in range(1, 7)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["年份,月份,当年累计支出（万元）", *rows]), encoding="utf-8")
    national_table = str(sample_path("national/monthly_medical_fund.csv"))
    answers = []
    for more in ([], ["--reference", national_table, "--place-sd", "0.01"]):
        with pytest.raises(SystemExit) as end:
            main(["annualise", str(path), "--json", *more])
        assert end.value.code == 0
        answers.append(json.loads(capsys.readouterr().out))
    alone, shrunk = answers
    assert alone["annual"] == pytest.approx(120_000)
    assert alone["interval_95"][0] < 120_000 < alone["interval_95"][1]
    assert 0.5 < shrunk["own_weight"] < alone["own_weight"] < 1
    assert shrunk["annual"] > alone["annual"]  # the nation pays less than half in its first half
    with pytest.raises(SystemExit):
        main(["annualise", str(path), "--lang", "en"])
    assert "1 whole year" in capsys.readouterr().out


def test_a_past_year_without_its_first_months_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the past year paid nothing in the months known, no year can be told from them, prior or not."""
    rows = [f"2012,{m},{max(m - 8, 0)}" for m in range(1, 13)] + [f"2013,{m},{m}" for m in range(1, 7)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["年份,月份,当年累计支出（万元）", *rows]), encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["annualise", str(path), "--lang", "en"])
    assert end.value.code == 2
    assert "no spending in the first 6 months" in capsys.readouterr().err


def test_bridge_needs_two_years_that_differ() -> None:
    """Equal years have no spread; the coefficient is that of the formula for two that differ."""
    even = np.full(12, 1 / 12)
    assert bridge_sd(np.array([even, even])) == 0
    moved = even.copy()
    moved[0] += 0.01
    moved[1] -= 0.01
    expected = np.sqrt((0.01**2 / 2 / (1 / 12 * 11 / 12)) / 11)
    assert bridge_sd(np.array([even, moved])) == pytest.approx(expected)


def test_act_has_the_backtest(series: Table) -> None:
    """The public back-test takes the number of own years."""
    assert act.annualisation_backtest(series, [6], own_years=1).table["years"].tolist() == [3]


def test_pictures(series: Table) -> None:
    """The profile draws in both languages, with years behind it and without."""
    for profile in (MonthlyProfile.from_history(series), MonthlyProfile.even()):
        for lang in act.LANGUAGES:
            assert profile.plot(lang=lang).get_ylabel()
