"""Stacking by past forecasts, and histories that are called raw."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.optimize import minimize

import actuarial as act
from actuarial.cli import cli
from actuarial.errors import InputError, ModelWarning
from actuarial.growth import load_prior
from actuarial.growth.predictive import Predictive
from actuarial.growth.prior import raw_growth_limit
from actuarial.growth.stacking import _GRID, Stacked, mixed, products, stack_weights

OWN = pd.Series([262.0, 301, 333, 371, 402], index=range(2008, 2013))


def oecd() -> pd.DataFrame:
    """The OECD panel, year × country."""
    table = pd.read_csv(act.sample_path("international/oecd_health_expenditure_per_capita.csv"))
    return table.pivot(index="year", columns="country", values=table.columns[2]).rename_axis(columns="fund")


def ncms() -> pd.Series:
    """National spending per participant 2005–2013, raw, 2012 missing."""
    table = pd.read_csv(act.sample_path("national/ncms_national.csv")).set_index("年份")
    return table["基金支出（亿元）"] / table["参合人数（亿人）"]


def student(centre: float, scale: float) -> Predictive:
    """One Student law within wide bounds."""
    return Predictive(np.ones(1), np.array([centre]), np.array([scale]), np.array([5.0]), -2.0, 2.0)


# --------------------------------------------------------------------------- weights


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 7), st.floats(0.01, 20))
def test_weights_are_the_best_on_the_simplex(seed: int, members: int, years: int, shrinkage: float) -> None:
    """Against a general solver: not negative, summing to 1, and no worse by the stated objective."""
    generator = np.random.default_rng(seed)
    roots = generator.standard_normal((years, members, 3)) * generator.uniform(0.1, 3, members)[:, None]
    scores = roots @ roots.transpose(0, 2, 1)
    mean = scores.mean(0) / (np.trace(scores.mean(0)) / members)

    def loss(w: np.ndarray) -> float:
        return float(w @ mean @ w + shrinkage / years * ((w - 1 / members) ** 2).sum())

    found = stack_weights(scores, shrinkage)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    other = minimize(
        loss, np.full(members, 1 / members), method="SLSQP", bounds=[(0, 1)] * members,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, options={"ftol": 1e-12},
    )  # fmt: skip
    assert loss(found) <= loss(np.clip(other.x, 0, None)) + 1e-6
    np.testing.assert_allclose(stack_weights(scores * 7.0, shrinkage), found, atol=1e-6)  # no unit


def test_the_quadratic_form_is_the_score_of_the_mixture() -> None:
    """w'Qw is the CRPS of the mixed distribution, by numerical integration and by its own method."""
    parts = [student(0.02, 0.03), student(0.08, 0.02), student(0.0, 0.06)]
    weights, came = np.array([0.5, 0.3, 0.2]), 0.05
    q = products(np.array([[p.cdf(came + _GRID)] for p in parts]))
    both = mixed(weights, parts)
    direct = integrate.quad(
        lambda x: float((weights @ [p.cdf(x)[0] for p in parts] - (x >= came)) ** 2), -1.5, 1.5,
        points=[came], limit=400,
    )[0]  # fmt: skip
    assert weights @ q @ weights == pytest.approx(direct, rel=2e-3)
    assert both.crps(came) == pytest.approx(direct, rel=2e-3)


# --------------------------------------------------------------------------- fits


def test_a_stack_is_the_mixture_of_its_members() -> None:
    """Each member is the hierarchy under one kind of common growth; the answer mixes their distributions."""
    fit = act.fit_growth(OWN, model="stacked")
    assert isinstance(fit.fitted, Stacked)
    table = fit.weights
    assert table["part"].unique().tolist() == ["member"]
    assert table["kind"].tolist() == [k.name for k in load_prior().common]
    assert table["weight"].sum() == pytest.approx(1)
    assert fit.fitted.origins == 3  # 2010, 2011, 2012, each from the years before
    x = np.log(1.09)
    parts = [m.next_year[0][0] for _, m in fit.fitted.members]
    expected = sum(w * float(p.cdf(x)[0]) for w, p in zip(table["weight"], parts, strict=True))
    assert float(fit.forecast(1).parts[0].cdf(x)[0]) == pytest.approx(expected, abs=2e-4)
    pooled = act.fit_growth(OWN)
    np.testing.assert_allclose(fit.quantile([0.1, 0.5, 0.9]), pooled.quantile([0.1, 0.5, 0.9]), rtol=0.02)


def test_the_member_that_forecast_well_weighs_more() -> None:
    """Growth around one mean with independent noise: the kind that says so outweighs the one that moves all together."""
    generator = np.random.default_rng(5)
    growth = 0.05 + 0.01 * generator.standard_normal((9, 12))
    frame = pd.DataFrame(np.exp(np.cumsum(growth, axis=0)), index=range(2000, 2009))
    fit = act.fit_growth(frame, model="stacked")
    weight = fit.weights.set_index("kind")["weight"]
    assert weight["steady"] > 1.3 / len(weight)
    assert weight["drifting_strong"] < 1 / len(weight)


def test_a_stack_answers_what_a_fit_answers() -> None:
    """A panel with a pool, one fund of it, three years ahead, draws, words, plain data; the same twice."""
    panel = oecd().loc[2001:2006].dropna(axis=1).iloc[:, :7]
    fit = act.fit_growth(panel.iloc[:, :3], pool=panel.iloc[:, 3:], model="stacked")
    again = act.fit_growth(panel.iloc[:, :3], pool=panel.iloc[:, 3:], model="stacked")
    pd.testing.assert_frame_equal(fit.quantile([0.1, 0.9]), again.quantile([0.1, 0.9]))
    one = fit.fund(panel.columns[1])
    np.testing.assert_allclose(one.quantile([0.1, 0.9]), fit.quantile([0.1, 0.9]).iloc[:, 1], rtol=1e-9)
    widths = [np.log(one.forecast(h).quantile([0.1, 0.9])).diff().iloc[1] for h in (1, 2, 3)]
    assert widths[0] < widths[1] < widths[2]
    assert fit.simulate(10, 1).shape == (10, 3)
    assert np.linalg.eigvalsh(fit.forecast(1).correlation).min() > 0
    for lang in act.LANGUAGES:
        assert act.text("growth_words.model_stacked", lang) in fit.summary(lang)
    assert fit.to_dict()["weights"][0]["part"] == "member"
    assert np.isfinite([fit.drift, fit.sigma, fit.sensitivity]).all()


def test_stacks_of_rough_histories() -> None:
    """Groups, categories, late starts, holes, one level, neighbours that began earlier and are a year ahead: an answer each."""
    panel = oecd().loc[1999:2006].dropna(axis=1).iloc[:, :6]
    paths = pd.MultiIndex.from_tuples([("north" if i < 3 else "south", c) for i, c in enumerate(panel)])
    nested = panel.set_axis(paths, axis=1)
    ragged = panel.copy()
    ragged.iloc[:4, 0], ragged.iloc[3, 1], ragged.iloc[:-1, 2], ragged.iloc[-2:, 3] = (np.nan,) * 4
    for frame in (nested, ragged, panel.iloc[:, :2].rename_axis(columns="category")):
        q = act.fit_growth(frame, model="stacked").quantile([0.1, 0.5, 0.9])
        assert q.notna().all().all()
        assert (np.diff(q, axis=0) > 0).all()
    ahead = act.fit_growth(panel.iloc[2:7, 0], pool=panel.iloc[:, 1:], model="stacked")
    assert ahead.forecast(1).year == 2006
    assert ahead.fitted.origins > 2  # type: ignore[attr-defined]


@pytest.mark.slow
def test_long_whole_series_take_statsmodels_in() -> None:
    """From twelve whole years the three models are members; a gap, an exposure or eleven years keep them out."""
    long = oecd()["Japan"].loc[1999:2010].dropna()
    fit = act.fit_growth(long, model="stacked")
    assert {"ets", "sarimax", "structural"} <= set(fit.weights["kind"])
    assert fit.forecast(3).quantile(0.5).iloc[0] > long.iloc[-1]
    earlier = oecd().loc[1994:2010, ["Canada", "France"]]  # neighbours began five years before
    assert "ets" in set(act.fit_growth(long, pool=earlier, model="stacked").weights["kind"])
    people = pd.Series(5e5, index=long.index)
    for series, weights in ((long.iloc[1:], None), (long.drop(2004), None), (long, people)):
        short = act.fit_growth(series, weights=weights, model="stacked")
        assert "ets" not in set(short.weights["kind"])


@pytest.mark.slow
def test_months_are_stacked_with_their_yearly_totals() -> None:
    """The national monthly spending: three models and the hierarchy of the totals, weights from one past year."""
    table = pd.read_csv(act.sample_path("national/monthly_medical_fund.csv"))
    spent = table.groupby("年份")["当年累计支出（亿元）"].diff().fillna(table["当年累计支出（亿元）"])
    index = pd.PeriodIndex.from_fields(year=table["年份"], month=table["月份"], freq="M")
    series = pd.Series(spent.to_numpy(), index=index).sort_index().loc[:"2015-12"]
    fit = act.fit_growth(series.where(series > 0).interpolate(), model="stacked")
    assert fit.weights["kind"].tolist() == ["ets", "sarimax", "structural", "totals"]
    assert fit.fitted.origins == 1  # type: ignore[attr-defined]
    assert 1.03 < fit.quantile(0.5).iloc[0] / fit.forecast(1).last[0] < 1.25
    with pytest.raises(InputError):
        fit.forecast(2)


# --------------------------------------------------------------------------- raw histories


def test_the_national_scheme_is_called_raw() -> None:
    """NCMS spending grew with its benefits: from four points on a warning in words, and a note beside the answer."""
    history = ncms()
    for years in (4, 6, 8):
        with pytest.warns(ModelWarning, match="on_level"):
            fit = act.fit_growth(history.iloc[:years])
        assert "growth_words.note_raw_looks" in [n.code for n in fit.notes]


def test_what_is_known_to_be_held_is_not_called_raw() -> None:
    """Factors by year, or the user's word, end the warning; the user's word also begins it."""
    history = ncms().iloc[:6]
    factors = {y: 1.3 ** (2010 - y) for y in history.index}
    assert act.fit_growth(history, on_level=factors).notes == act.fit_growth(OWN).notes
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*截去")  # what the bounds cut off is another matter
        act.fit_growth(history, raw=False)
    with pytest.warns(ModelWarning, match="on_level"):
        act.fit_growth(OWN.rename("own"), raw=True).summary("en")


def test_false_alarms_are_few() -> None:
    """The limit is the fastest three years of the OECD; four to eight points of it and of the US states never pass it."""
    logs = np.log(oecd().reindex(range(1970, 2017)))
    assert raw_growth_limit() == pytest.approx(float(((logs - logs.shift(3)) / 3).max().max()), abs=1e-6)
    states = pd.read_csv(act.sample_path("international/us_states_health_expenditure_1991_2014.csv"))
    wide = states.pivot(index="year", columns="state", values="health_expenditure_million_usd").astype(float)
    for growth in (logs.diff(), np.log(wide).diff()):
        for points in (4, 6, 8):
            assert float(growth.rolling(points - 1).median().max().max()) < raw_growth_limit()


def test_one_wild_year_is_not_a_raw_history() -> None:
    """A single year of 60% among calm ones is a jump or noise; the median does not see it."""
    series = pd.Series([100.0, 104, 108, 173, 180, 188], index=range(2005, 2011))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "growth_words.note_raw_looks" not in [n.code for n in act.fit_growth(series).notes]


@pytest.mark.parametrize(("flag", "raw"), [("--raw", True), ("--held", False)])
def test_the_command_says_raw(tmp_path: Path, flag: str, raw: bool) -> None:
    """``--raw`` and ``--held`` are the user's word; the note is in the plain data."""
    path = tmp_path / "levels.csv"
    OWN.rename("own").rename_axis("year").to_csv(path)
    result = CliRunner().invoke(cli, ["growth", str(path), flag, "--model", "stacked", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["method"] == "stacked"
    assert bool(found["notes"]) == bool(found["warnings"]) == raw
    keys = {"mean", "median", "sd", "interval_80", "interval_95", "quantiles"}
    assert keys <= set(found["growth"])
    assert {"method", "weights", "breaks", "notes"} <= set(found)
