"""Growth of short series: the hierarchy, its forecasts, breaks, exposure, categories, and what plans make of them."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

import actuarial as act
from actuarial.cost import shapley_product
from actuarial.errors import InputError
from actuarial.growth import growth_bounds, plan_growth
from actuarial.growth.expert import expert_growth
from actuarial.growth.fitted import shrunk_correlation
from actuarial.growth.hierarchy import posterior
from actuarial.growth.jumps import history_jumps
from actuarial.growth.predictive import Predictive
from actuarial.plan import Plan

PRIOR = act.load_prior()
OWN = pd.Series([262.0, 301, 333, 371], index=[2009, 2010, 2011, 2012])


def oecd() -> pd.DataFrame:
    """The OECD panel, year × country."""
    table = pd.read_csv(act.sample_path("international/oecd_health_expenditure_per_capita.csv"))
    return table.pivot(index="year", columns="country", values=table.columns[2]).rename_axis(columns="fund")


def simple_prior(**changes: object) -> act.Prior:
    """One kind only, tails close to normal: the model then has a closed form."""
    return dataclasses.replace(
        PRIOR, width=1.0, scale_points=1, scale_reach=(0.0, 0.0), scale_worth=1e12, variance_dof=1e9,
        common=(dataclasses.replace(PRIOR.common[1], size=1.2, mean_sd=0.03),),
        own=(dataclasses.replace(PRIOR.own[0], lasting=0.2, drifting=0.4, level=0.1),),
        tails=(dataclasses.replace(PRIOR.tails[0], dof=1e9),), **changes,
    )  # fmt: skip


def dense_forecast(levels: np.ndarray, prior: act.Prior, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the next year's growth since the last level, by one joint normal over all cells."""
    rows, funds = levels.shape
    (common,), (own,), size = prior.common, prior.own, rows
    far = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    shared = common.mean_sd**2 + (prior.scale * common.size) ** 2 * common.persistence**far
    alone = prior.scale**2 * (own.lasting + own.drifting * own.persistence**far + np.eye(size))
    growth = np.kron(np.ones((funds, funds)), shared) + np.kron(np.eye(funds), alone)  # fund-major cells
    error = prior.scale**2 * own.level * np.eye(funds * (rows + 1))
    step, ends_of, y, target, target_ends = [], [], [], [], []
    for i in range(funds):
        known = np.flatnonzero(np.isfinite(levels[:, i]))
        for a, b in itertools.pairwise(known):
            row, at = np.zeros(funds * size), np.zeros(funds * (rows + 1))
            row[i * size + a : i * size + b] = 1
            at[i * (rows + 1) + b], at[i * (rows + 1) + a] = 1, -1
            step.append(row), ends_of.append(at), y.append(levels[b, i] - levels[a, i])
        row, at = np.zeros(funds * size), np.zeros(funds * (rows + 1))
        row[i * size + known[-1] : i * size + rows] = 1
        at[i * (rows + 1) + rows], at[i * (rows + 1) + known[-1]] = 1, -1
        target.append(row), target_ends.append(at)
    h, d, t, e = map(np.array, (step, ends_of, target, target_ends))
    covariance = h @ growth @ h.T + d @ error @ d.T
    cross = t @ growth @ h.T + e @ error @ d.T
    gain = cross @ np.linalg.inv(covariance)
    mean = prior.mean * t.sum(1) + gain @ (np.array(y) - prior.mean * h.sum(1))
    return mean, np.diag(t @ growth @ t.T + e @ error @ e.T - gain @ cross.T)


@pytest.mark.parametrize(
    "missing", [[], [(2, 0)], [(0, 1), (1, 1), (4, 2)], [(1, 0), (2, 0), (3, 2), (4, 2)]]
)
def test_the_hierarchy_is_the_joint_normal_where_that_has_a_closed_form(
    missing: list[tuple[int, int]],
) -> None:
    """With known variances and normal noise the fast solution is that of one joint normal over all funds and years."""
    generator = np.random.default_rng(3)
    levels = np.cumsum(0.06 + 0.04 * generator.standard_normal((5, 3)), axis=0)
    for row, column in missing:
        levels[row, column] = np.nan
    prior = simple_prior()
    found = posterior(levels, prior)
    mean, variance = dense_forecast(levels, prior, np.arange(3))
    np.testing.assert_allclose(found.mean[0, :, 0], mean, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.scale[0, :, 0] ** 2, variance, rtol=1e-6)


def test_known_errors_of_levels_enter_as_their_variance() -> None:
    """A stated variance of each level gives the same answer as the same variance in the model's level error."""
    generator = np.random.default_rng(4)
    levels = np.cumsum(0.06 + 0.04 * generator.standard_normal((6, 2)), axis=0)
    without = dataclasses.replace(
        simple_prior(), own=(dataclasses.replace(simple_prior().own[0], level=0.0),)
    )
    stated = posterior(levels, without, level_variance=np.full(levels.shape, 0.1 * PRIOR.scale**2))
    inside = posterior(levels, simple_prior())
    np.testing.assert_allclose(stated.mean, inside.mean, rtol=1e-6)
    # what is stated as noise is not handed on: the next level's own error is missing
    np.testing.assert_allclose(inside.scale**2 - stated.scale**2, 0.1 * PRIOR.scale**2, rtol=1e-5)


def test_one_predictive_is_integrated_by_scipy() -> None:
    """Quantiles, CDF, density and CRPS of a mixture are those of numerical integration between the bounds."""
    part = Predictive.of(
        np.array([0.3, 0.7]), np.array([0.02, 0.10]), np.array([0.03, 0.05]), np.array([4.0, 9.0]), -0.3, 0.4
    )

    def density(x: float) -> float:
        return math.exp(part.log_density(x))

    assert integrate.quad(density, -0.3, 0.4)[0] == pytest.approx(1, abs=1e-7)
    for q in (0.001, 0.025, 0.2, 0.5, 0.8, 0.975, 0.999):
        x = float(part.quantile(q))
        assert integrate.quad(density, -0.3, x, limit=200)[0] == pytest.approx(q, rel=2e-4)
        assert float(part.cdf(x)[0]) == pytest.approx(q, rel=2e-4)
    grid = np.linspace(-0.3, 0.4, 20_001)
    crps = np.trapezoid((part.cdf(grid) - (grid >= 0.15)) ** 2, grid)
    assert part.crps(0.15) == pytest.approx(crps, rel=2e-3)
    mean = integrate.quad(lambda x: math.exp(x) * density(x), -0.3, 0.4)[0]
    assert part.factors.mean() == pytest.approx(mean, rel=1e-5)


def test_three_points_alone_are_wide_and_say_so() -> None:
    """Without neighbours three points get an interval wider than with thirty-one, and a note that names the prior."""
    panel = oecd().loc[2000:2002].dropna(axis=1)
    alone, together = act.fit_growth(panel["Korea"]), act.fit_growth(panel)

    def width(fit: act.GrowthFit) -> float:
        low, high = fit.fund("Korea").quantile([0.1, 0.9]) if not fit.single else fit.quantile([0.1, 0.9])
        return math.log(high / low)

    assert width(alone) > 1.1 * width(together)
    assert [n.code for n in alone.notes] == ["growth_words.note_prior"]
    assert "prior" in alone.summary("en")
    assert together.notes == ()


def test_short_series_beat_drift_and_their_intervals_hold() -> None:
    """On the last OECD years from six points: CRPS at least a tenth below drift, coverage in its clustered interval."""
    test = act.backtest(oecd().loc[1998:], points=6)
    table = test.table.set_index("model")
    assert table.loc["pooled", "crps_over_drift"] < 0.90
    for level, nominal in ((80, 0.80), (95, 0.95)):
        assert (
            table.loc["pooled", f"coverage_{level}_low"]
            <= nominal
            <= table.loc["pooled", f"coverage_{level}_high"]
        )
    assert table.loc["drift", "coverage_80"] < 0.75
    assert (
        table.loc["pooled", "interval_score_95"] < table[["interval_score_95"]].drop("pooled").min().iloc[0]
    )


def test_neighbours_lend_experience_and_are_not_forecast() -> None:
    """A series with its neighbours as pool gives what the panel gives for it, as a series."""
    panel = oecd().loc[2000:2005].dropna(axis=1).iloc[:, :9]
    name = panel.columns[4]
    pooled = act.fit_growth(panel[name], pool=panel).quantile([0.1, 0.5, 0.9])
    ordered = panel[[name, *panel.columns.drop(name)]]
    assert isinstance(pooled, pd.Series)
    np.testing.assert_allclose(pooled, act.fit_growth(ordered).quantile([0.1, 0.5, 0.9])[name], rtol=1e-9)


def test_neighbours_a_year_ahead_move_the_forecast() -> None:
    """Where the neighbours' next year is already known and was high, the fund's next year is expected higher."""
    panel = oecd().loc[2000:2005].dropna(axis=1).iloc[:, :12]
    high = panel.copy()
    high.loc[2006] = panel.loc[2005] * 1.15
    low = panel.copy()
    low.loc[2006] = panel.loc[2005] * 1.0
    own = panel.iloc[:, 0]
    medians = [act.fit_growth(own, pool=p.iloc[:, 1:]).forecast(1) for p in (high, low)]
    assert [m.year for m in medians] == [2006, 2006]
    assert medians[0].quantile(0.5).iloc[0] > 1.02 * medians[1].quantile(0.5).iloc[0]


@pytest.mark.filterwarnings(
    "ignore::actuarial.errors.ModelWarning"
)  # rough histories are cut at the bounds, and say so
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-0.1, 0.3), min_size=2, max_size=9),
    st.lists(st.booleans(), min_size=10, max_size=10),
    st.floats(1e-3, 1e6),
)
def test_laws_of_a_forecast(changes: list[float], holes: list[bool], unit: float) -> None:
    """Any history: quantiles rise, unit and order of years do not matter, horizon two is wider, draws repeat."""
    levels = unit * np.exp(np.concatenate([[0.0], np.cumsum(changes)]))
    history = pd.Series(levels, index=range(2000, 2000 + len(levels)))
    for place in range(1, len(history) - 1):
        if holes[place] and history.notna().sum() > 3:
            history.iloc[place] = np.nan
    fit = act.fit_growth(history)
    q = fit.forecast(1).quantile([0.025, 0.1, 0.5, 0.9, 0.975]).to_numpy()
    assert (np.diff(q) > 0).all()
    np.testing.assert_allclose(
        act.fit_growth(history[::-1] / unit).quantile([0.1, 0.9]) * unit, q[[1, 3]], rtol=1e-7
    )
    wide = fit.forecast(2).quantile([0.1, 0.9])
    assert math.log(wide.iloc[1] / wide.iloc[0]) > math.log(q[3] / q[1])
    assert (fit.simulate(50, 7) == fit.simulate(50, 7)).all()
    z = np.linspace(-7, 7, 200)
    assert (np.diff(fit.factor(z)) >= 0).all()
    low, high = fit.fitted.groups[0].yearly_bounds
    assert math.exp(low) * (1 - 1e-9) <= fit.factor(z).min()
    assert fit.factor(z).max() <= math.exp(high) * (1 + 1e-9)


def test_ragged_panels() -> None:
    """Late starts, early ends, a hole and a fund of one level: every fund gets a forecast of the same year."""
    panel = oecd().loc[1998:2005].dropna(axis=1).iloc[:, :6].copy()
    whole = act.fit_growth(panel).quantile([0.1, 0.9])
    panel.iloc[:4, 0] = np.nan
    panel.iloc[-2:, 1] = np.nan
    panel.iloc[3, 2] = np.nan
    panel.iloc[:-1, 3] = np.nan
    fit = act.fit_growth(panel)
    found = fit.forecast(1)
    assert found.year == 2006
    q = found.quantile([0.1, 0.9])
    assert q.notna().all().all()
    assert fit.gaps == (2001,)
    widths = np.log(q.iloc[1] / q.iloc[0]) / np.log(whole.iloc[1] / whole.iloc[0])
    assert widths.iloc[1] > 1.3  # three years ahead of its last level
    assert widths.iloc[3] > 1.0  # one level: neighbours only


def test_columns_without_a_level_are_left_out_and_named() -> None:
    """A window of a wider panel holds columns that had not begun: they get no forecast, the others the same as without."""
    panel = oecd().loc[1980:1985]
    assert panel["Estonia"].isna().all()
    fit = act.fit_growth(panel)
    assert "Estonia" not in fit.names
    assert fit.notes[0].code == "growth_words.note_silent"
    kept = panel.dropna(axis=1, how="all")
    pd.testing.assert_frame_equal(fit.quantile([0.1, 0.9]), act.fit_growth(kept).quantile([0.1, 0.9]))


@pytest.mark.parametrize("growth", [0.0, 0.08, 0.15])
def test_a_constant_series_is_followed_with_little_spread(growth: float) -> None:
    """Ten per cent a year, exactly: the median says so and the interval is narrow, but not a point."""
    fit = act.fit_growth(pd.Series(100 * (1 + growth) ** np.arange(8.0), index=range(2005, 2013)))
    low, middle, high = np.log(fit.quantile([0.1, 0.5, 0.9]) / fit.series.iloc[-1])
    assert middle == pytest.approx(math.log1p(growth), abs=0.006)
    assert 0.001 < high - low < 0.03


def test_factors_have_the_shape_of_their_normals() -> None:
    """A number gives a number, an array its own shape, under the hierarchy and under the models of one series."""
    for model in ("pooled", "drift"):
        fit = act.fit_growth(OWN, model=model)
        assert fit.factor(0.3).shape == ()
        assert fit.factor(np.zeros((3, 1))).shape == (3, 1)


def test_two_funds_and_thirty() -> None:
    """A panel of two and one of thirty work, and more neighbours do not make a fund's interval wider than alone."""
    panel = oecd().loc[2000:2007].dropna(axis=1)
    two, many = act.fit_growth(panel.iloc[:, :2]), act.fit_growth(panel.iloc[:, :30])
    assert two.quantile([0.5]).shape == (1, 2)
    assert many.quantile([0.5]).shape == (1, 30)
    drawn = many.simulate(4000, 3)
    growth = np.log(drawn / panel.loc[2007, drawn.columns])
    shared = growth.corr().to_numpy()[np.triu_indices(30, 1)].mean()
    stated = many.forecast(1).correlation[np.triu_indices(30, 1)].mean()
    assert shared == pytest.approx(stated, abs=0.02)
    assert stated > 0.02


def test_means_and_tail_means_are_stable_when_the_bounds_widen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds half as wide again move the mean by less than 0.2% and the 95% tail mean by less than 1%."""
    from actuarial.growth import fitted

    before = act.fit_growth(OWN).forecast(1)
    low, high = growth_bounds()
    monkeypatch.setattr(fitted, "growth_bounds", lambda: (1.5 * low, 1.5 * high))
    after = act.fit_growth(OWN).forecast(1)
    assert after.mean() == pytest.approx(before.mean(), rel=2e-3)
    assert after.tvar(0.95) == pytest.approx(before.tvar(0.95), rel=1e-2)
    assert 0 < before.parts[0].removed < 0.01


def test_on_level_growth_is_that_of_the_factors() -> None:
    """Raw growth of 20% of which 10% is policy: the fit sees the rest, and shows both."""
    factors = {2009: 1.1**3, 2010: 1.1**2, 2011: 1.1, 2012: 1.0}
    level = pd.Series(300 * 1.08 ** np.arange(4.0), index=range(2009, 2013))
    raw = level / pd.Series(factors)
    fit = act.fit_growth(raw, on_level=factors)
    np.testing.assert_allclose(
        fit.quantile([0.1, 0.9]), act.fit_growth(level).quantile([0.1, 0.9]), rtol=1e-12
    )
    assert fit.table["growth_per_year"].iloc[1:].tolist() == pytest.approx([0.08] * 3)
    assert fit.table["raw_growth_per_year"].iloc[1:].tolist() == pytest.approx([0.188] * 3)


def test_noise_of_few_people_is_not_handed_on() -> None:
    """A small fund's noise around a smooth trend is called noise: its forecast is as narrow as the trend allows."""
    generator = np.random.default_rng(11)
    people = np.repeat([[400.0, 2000.0, 50_000.0]], 8, axis=0)
    trend = np.log(300) + 0.07 * np.arange(8)[:, None] + np.zeros((1, 3))
    noisy = np.exp(trend + 2.5 / np.sqrt(people) * generator.standard_normal((8, 3)))
    frame = pd.DataFrame(noisy, index=range(2005, 2013), columns=["town", "county", "city"])
    exposure = pd.DataFrame(people, index=frame.index, columns=frame.columns)
    known = act.fit_growth(frame, weights=exposure, process_cv=2.5).forecast(1)
    blind = act.fit_growth(frame).forecast(1)
    q = known.quantile([0.1, 0.9]), blind.quantile([0.1, 0.9])
    town_known, town_blind = (math.log(x.loc[0.9, "town"] / x.loc[0.1, "town"]) for x in q)
    assert town_known < 0.8 * town_blind
    expected = math.exp(math.log(300) + 0.07 * 8)
    assert abs(known.quantile(0.5)["town"].iloc[0] / expected - 1) < abs(
        frame["town"].iloc[-1] * math.exp(0.07) / expected - 1
    )
    guessed = act.fit_growth(frame, weights=exposure)
    assert guessed.fitted.process_share() > 0.5
    assert "growth_words.note_process" in [n.code for n in guessed.notes]


def test_an_unfinished_last_year_counts_less() -> None:
    """A last level that is uncertain by 10% moves the forecast less than one that is exact."""
    jump = pd.Series([100.0, 107, 114, 122, 150], index=range(2008, 2013))
    exact, unsure = (act.fit_growth(jump, breaks="keep", last_year_sd=sd) for sd in (0.0, 0.10))
    assert unsure.quantile(0.5).iloc[0] < exact.quantile(0.5).iloc[0]
    assert unsure.sensitivity < exact.sensitivity


# --------------------------------------------------------------------------- breaks


def test_mergers_in_the_provinces_are_found() -> None:
    """Ningxia and Chongqing 2012, Shandong 2014 and Hebei 2016 are jumps; no province without one is named."""
    table = pd.read_csv(act.sample_path("national/province_fund_expenditure_2002_2016.csv"))
    panel = table.pivot(index="year", columns="province", values="fund_expenditure_10k_yuan").loc[2011:]
    found = {(b.series, b.period) for b in history_jumps(panel)}
    assert {("山东", 2014), ("河北", 2016), ("重庆", 2012)} <= found
    assert len(found) <= 5


def test_a_jump_is_left_out_cut_or_kept() -> None:
    """A doubling in 2010: left out or cut, next year grows as the other years; kept, the interval is wide."""
    levels = [100.0, 106, 113, 120, 250, 264, 281, 297]
    history = pd.Series(levels, index=range(2006, 2014))
    fits = {b: act.fit_growth(history, breaks=b) for b in ("step", "cut", "keep")}
    assert all([(j.period, round(j.size, 1)) for j in f.breaks] == [(2010, 1.0)] for f in fits.values())
    growth = {b: math.log(f.quantile(0.5).iloc[0] / 297) for b, f in fits.items()}
    assert growth["step"] == pytest.approx(0.058, abs=0.01)
    assert growth["cut"] == pytest.approx(0.055, abs=0.015)
    width = {b: math.log(f.quantile(0.975).iloc[0] / f.quantile(0.025).iloc[0]) for b, f in fits.items()}
    assert width["step"] < width["cut"] < width["keep"] * 1.5
    assert fits["cut"].table["year"].min() == 2010


# --------------------------------------------------------------------------- categories, expert, cost


def categories() -> pd.DataFrame:
    """National cost per outpatient visit and inpatient stay, 2002–2006."""
    table = pd.read_csv(act.sample_path("national/hospital_cost_per_visit_1990_2006.csv"), index_col="year")
    return (
        table.iloc[:, :2]
        .loc[2002:]
        .set_axis(["outpatient", "inpatient"], axis=1)
        .rename_axis(columns="category")
    )


def test_categories_are_fitted_alone_and_drawn_together() -> None:
    """Each category has the marginal of its own fit; the draws have the shrunken correlation."""
    frame = categories()
    fit = act.fit_growth(frame)
    alone = act.fit_growth(frame["inpatient"])
    np.testing.assert_allclose(fit.quantile([0.1, 0.9])["inpatient"], alone.quantile([0.1, 0.9]), rtol=1e-9)
    stated = fit.forecast(1).correlation[0, 1]
    growth = np.log(frame).diff().iloc[1:]
    sample = growth.corr().iloc[0, 1]
    assert stated == pytest.approx((4 * sample + 4 * 0.5) / 8)
    drawn = np.log(fit.simulate(20_000, 5))
    assert stats.spearmanr(drawn).statistic == pytest.approx(6 / np.pi * np.arcsin(stated / 2), abs=0.02)


def test_shrunken_correlations_are_a_correlation_matrix() -> None:
    """Pairs known in different years are made to fit together."""
    generator = np.random.default_rng(5)
    growth = generator.standard_normal((9, 5))
    growth[:5, 0], growth[4:, 1], growth[::2, 2] = np.nan, np.nan, np.nan
    found = shrunk_correlation(growth, PRIOR)
    np.testing.assert_allclose(np.diag(found), 1)
    assert np.linalg.eigvalsh(found).min() > 0
    assert (shrunk_correlation(growth[:2], PRIOR)[np.triu_indices(5, 1)] == PRIOR.categories).all()


def test_an_expert_is_combined_only_where_he_knows_something_else() -> None:
    """Precision weights in log growth; two equal opinions halve the variance; the same data are refused."""
    fit = act.fit_growth(OWN)
    part = np.log(fit.forecast(1).parts[0].factors)
    same = expert_growth(
        math.expm1(part.mean()),
        sd=math.exp(part.mean()) * math.sqrt(math.exp(part.var()) * math.expm1(part.var())),
    )
    both = fit.combine(same, independent=True)
    assert both.value == pytest.approx(same.value, rel=1e-9)
    assert both.sd == pytest.approx(same.sd / math.sqrt(2), rel=0.01)
    with pytest.raises(InputError, match="independent"):
        fit.combine(same, independent=False)


def test_shapley_shares_sum_and_follow_the_larger_variance(jieshou_cost: act.CostForecast) -> None:
    """The parts add up to the squared coefficient of variation of the product; the plan's own are close to its draws."""
    parts = shapley_product({"a": 0.01, "b": 0.04, "c": 0.0})
    assert parts.sum() == pytest.approx(1.01 * 1.04 - 1)
    assert parts["c"] == 0
    shares = jieshou_cost.variance_shares()
    drawn = jieshou_cost.draws(200_000).sum(axis=1)
    assert shares.total_sd == pytest.approx(drawn.std(), rel=0.02)
    assert shares.table["share"].sum() == pytest.approx(1)
    assert shares.plot().get_xlabel()


class _Levered(act.PolicyFactor):
    """A factor of which one category gets more than the others, and leverage."""

    def relative(self, category: str) -> float:
        return 1.6 if category == "inpatient" else 0.4

    def lever(self, growth_factor: np.ndarray, category: str) -> np.ndarray:
        return np.asarray(growth_factor) ** (1.5 if category == "inpatient" else 1.0)


@pytest.mark.parametrize("correlation", [1.0, 0.3])
def test_shares_know_relative_factors_and_leverage(jieshou: Plan, correlation: float) -> None:
    """Mean and spread of the shares are those of the draws also where categories differ and deductibles lever growth."""
    from actuarial.experience import base_year

    growth = act.expert_growth(0.12, sd=0.06, correlation=correlation)
    plain = act.cost_forecast(base_year(jieshou), act.stated_policy_factor(1.1, sd=0.02), growth)
    cost = act.cost_forecast(base_year(jieshou), _Levered(1.1, 0.02, "stated"), growth)
    shares, drawn = cost.variance_shares(), cost.draws(200_000).sum(axis=1)
    assert shares.mean == pytest.approx(drawn.mean(), rel=2e-3)
    assert shares.total_sd == pytest.approx(drawn.std(), rel=0.02)
    assert shares.single["growth"] > 3 * plain.variance_shares().single["growth"]


def test_shares_know_what_leverage_makes_of_a_shared_base(jieshou: Plan) -> None:
    """Growth that has seen an uncertain base year is levered with it: shares and means are those of the draws."""
    from actuarial.experience import base_year

    base, policy = dataclasses.replace(base_year(jieshou), completion_sd=0.05), _Levered(1.1, 0.02, "stated")
    fit = act.fit_growth(OWN)
    cost = act.cost_forecast(base, policy, fit, base_in_history=True)
    shares, drawn = cost.variance_shares(), cost.draws(200_000).sum(axis=1)
    assert cost.base_power > 1 + 1.3 * fit.sensitivity > 1.3
    assert shares.mean == pytest.approx(drawn.mean(), rel=2e-3)
    assert shares.total_sd == pytest.approx(drawn.std(), rel=0.01)
    assert cost.table["next_year_per_capita"].sum() == pytest.approx(drawn.mean(), rel=2e-3)
    assert act.cost_forecast(base, policy, fit).base_power == 1.0


@pytest.fixture
def jieshou_cost(jieshou: Plan) -> act.CostForecast:
    """The Jieshou plan's cost forecast."""
    from actuarial.benefits import plan_policy
    from actuarial.experience import base_year

    return act.cost_forecast(base_year(jieshou), plan_policy(jieshou), plan_growth(jieshou))


def test_the_base_years_error_is_counted_once(jieshou: Plan) -> None:
    """Growth fitted to a history that ends in the base year moves with the base's error by the fit's own sensitivity."""
    from actuarial.benefits import plan_policy
    from actuarial.experience import base_year

    fit = act.fit_growth(OWN)
    base, policy = base_year(jieshou), plan_policy(jieshou)
    apart = act.cost_forecast(base, policy, fit)
    shared = act.cost_forecast(base, policy, fit, base_in_history=True)
    z = np.zeros((2, shared.dimension))
    z[:, 0] = [-1.5, 1.5]
    base_factor, _, growth = shared.factors(z)
    assert np.log(growth[1, 0] / growth[0, 0]) == pytest.approx(
        fit.sensitivity * np.log(base_factor[1] / base_factor[0])
    )
    assert fit.sensitivity > 0  # growth persists: a higher base means faster growth
    assert np.ptp(apart.factors(z)[2]) == 0
    moved = OWN.copy()
    moved.iloc[-1] *= 1.001
    difference = act.fit_growth(moved).drift - fit.drift
    assert fit.sensitivity == pytest.approx(difference / math.log(1.001), abs=0.15)


def test_categories_go_through_the_cost_forecast(jieshou: Plan) -> None:
    """A fit with one column a category draws each category's growth by its own law."""
    from actuarial.benefits import plan_policy
    from actuarial.experience import base_year

    base = base_year(jieshou)
    names = base.experience.frame["category"].astype(str).tolist()
    history = pd.DataFrame(
        {n: 100 * np.cumprod([1, 1.03 + 0.02 * i, 1.05, 1.06 + 0.01 * i, 1.04]) for i, n in enumerate(names)},
        index=range(2008, 2013),
    ).rename_axis(columns="category")
    fit = act.fit_growth(history)
    cost = act.cost_forecast(base, plan_policy(jieshou), fit)
    z = np.random.default_rng(1).standard_normal((20_000, cost.dimension))
    growth = cost.factors(z)[2]
    for i, part in enumerate(fit.forecast(1).parts):
        assert np.median(growth[:, i]) == pytest.approx(math.exp(float(part.quantile(0.5))), abs=0.002)
    assert np.corrcoef(np.log(growth).T)[0, 1] == pytest.approx(fit.forecast(1).correlation[0, 1], abs=0.05)
    assert cost.mean_factors()[2] == pytest.approx(
        np.average(growth.mean(0), weights=base.category_per_capita), rel=1e-3
    )


def test_a_plans_series_takes_policy_factors_and_neighbours(plan_with: Callable[..., Plan]) -> None:
    """``policy_factors`` and ``pool`` of the plan are those of the function; a year without a factor counts as 1."""
    own = {2006: (50.0, 3000.0), 2007: (51.0, 3400.0), 2009: (53.0, 4300.0), 2010: (54.0, 4650.0)}
    other = {
        2006: (20.0, 1100.0),
        2007: (20.0, 1200.0),
        2008: (20.0, 1290.0),
        2009: (21.0, 1440.0),
        2010: (21.0, 1500.0),
    }
    tables = {
        name: "\n".join(
            ["年份,参保人数（万人）,基金支出（万元）", *(f"{y},{p},{m}" for y, (p, m) in rows.items())]
        )
        for name, rows in (("history", own), ("neighbour_county", other))
    }
    spec = {
        "method": "series", "table": "history", "on_level": True, "status": "assumed", "source": "test",
        "pool": ["neighbour_county"], "policy_factors": {2006: 1.1, 2007: 1.1},
    }  # fmt: skip
    found = plan_growth(plan_with("jieshou", {"growth": spec}, tables))
    levels, near = (pd.Series({y: m / p for y, (p, m) in rows.items()}) for rows in (own, other))
    expected = act.fit_growth(
        levels, pool=near.rename("county"), on_level={2006: 1.1, 2007: 1.1, 2009: 1.0, 2010: 1.0}
    )
    assert isinstance(found, act.GrowthFit)
    assert found.model == "pooled"
    np.testing.assert_allclose(found.quantile([0.1, 0.9]), expected.quantile([0.1, 0.9]), rtol=1e-12)


def test_a_plans_neighbours_lie_in_cities(plan_with: Callable[..., Plan]) -> None:
    """``place`` of the fund and of its neighbours gives the fit of columns with levels; a missing place is a fault."""
    generator = np.random.default_rng(8)
    names = ["history", "neighbour_a", "neighbour_b", "neighbour_c", "neighbour_d"]
    rates = [0.12, 0.13, 0.12, 0.03, 0.02]
    levels = pd.DataFrame(
        {n: 100 * np.exp(np.cumsum(r + 0.01 * generator.standard_normal(6))) for n, r in zip(names, rates, strict=True)},
        index=range(2006, 2012),
    )  # fmt: skip
    tables = {
        n: "\n".join(
            ["年份,参保人数（万人）,基金支出（万元）", *(f"{y},1,{v!r}" for y, v in levels[n].items())]
        )
        for n in names
    }
    places = {n: ["P", "x" if n in names[:3] else "y"] for n in names}
    spec = {
        "method": "series", "table": "history", "on_level": True, "status": "assumed", "source": "test",
        "place": places["history"], "pool": [{"table": n, "place": places[n]} for n in names[1:]],
    }  # fmt: skip
    found = plan_growth(plan_with("jieshou", {"growth": spec}, tables))
    paths = pd.MultiIndex.from_tuples([(*places[n], n) for n in names])
    nested = levels.set_axis(paths, axis=1)
    expected = act.fit_growth(nested.iloc[:, 0], pool=nested.iloc[:, 1:]).quantile([0.1, 0.5, 0.9])
    assert isinstance(found, act.GrowthFit)
    np.testing.assert_allclose(found.quantile([0.1, 0.5, 0.9]), expected, rtol=1e-5)
    assert "groups" in set(found.weights["part"])
    flat = act.fit_growth(levels["history"], pool=levels[names[1:]]).quantile(0.5)
    assert expected[0.5] > flat.iloc[0]  # its own city grows faster
    for wrong, code in (
        ({**spec, "place": ["P"]}, "plan.pool_places"),
        ({**spec, "pool": []}, "plan.pool_places"),
    ):
        with pytest.raises(InputError) as error:
            plan_with("jieshou", {"growth": wrong}, tables)
        assert [f.code for f in error.value.faults] == [code]


# --------------------------------------------------------------------------- models of one series, months, drivers


@pytest.mark.parametrize("model", ["sarimax", "structural", "ets"])
def test_models_of_statsmodels_follow_a_long_series(model: str) -> None:
    """On twenty years each model's median lies near the OECD series' own next year, with a positive spread."""
    series = oecd()["Japan"].loc[1990:2010].dropna()
    fit = act.fit_growth(series, model=model)
    low, middle, high = fit.quantile([0.1, 0.5, 0.9]) / series.iloc[-1]
    assert 0.98 < low < middle < high < 1.10
    assert len(fit.forecast(3).parts) == 1


def test_months_are_forecast_as_a_year() -> None:
    """The national monthly fund spending, differenced: the next twelve months' total grows between 5 and 25%."""
    table = pd.read_csv(act.sample_path("national/monthly_medical_fund.csv"))
    table["spent"] = (
        table.groupby("年份")["当年累计支出（亿元）"].diff().fillna(table["当年累计支出（亿元）"])
    )
    months = pd.PeriodIndex.from_fields(year=table["年份"], month=table["月份"], freq="M")
    series = pd.Series(table["spent"].to_numpy(), index=months).sort_index().loc[:"2015-12"]
    fit = act.fit_growth(series.where(series > 0).interpolate(), model="ets")
    middle = fit.quantile(0.5).iloc[0] / series.iloc[-12:].sum()
    assert 1.05 < middle < 1.25
    with pytest.raises(InputError, match="1"):
        fit.forecast(2)


def test_drivers_multiply_and_policy_is_not_counted_twice() -> None:
    """Price × use × mix × ageing; the sd is that of a product of independent factors, against draws."""
    found = act.driver_growth(
        {"price": (0.04, 0.02), "use": (0.05, 0.03), "policy": (0.1697, 0.02), "ageing": 0.006}
    )
    assert found.value == pytest.approx(1.04 * 1.05 * 1.1697 * 1.006 - 1)
    assert found.expert().value == pytest.approx(1.04 * 1.05 * 1.006 - 1)
    rng = np.random.default_rng(1)
    drawn = (1.04 + 0.02 * rng.standard_normal(200_000)) * (1.05 + 0.03 * rng.standard_normal(200_000))
    drawn *= (1.1697 + 0.02 * rng.standard_normal(200_000)) * 1.006
    assert found.sd == pytest.approx(drawn.std(), rel=0.01)
    assert found.table["share"].sum() == pytest.approx(1)


RISING = pd.Series(np.exp(0.05 * np.arange(6.0)), index=range(2000, 2006))


@pytest.mark.parametrize(
    "work",
    [
        lambda: act.driver_growth({}),
        lambda: act.driver_growth({"price": "much"}),  # type: ignore[dict-item]
        lambda: act.driver_growth({"price": (0.1, math.nan)}),
        lambda: act.ageing_factor(pd.Series(dtype=float), pd.DataFrame()),
        lambda: act.ageing_factor(pd.Series({"a": 1.0}), pd.DataFrame({2012: [0]}, index=["a"])),
        lambda: act.ageing_factor(pd.Series({"a": 0.0}), pd.DataFrame({2012: [5]}, index=["a"])),
        lambda: act.ageing_factor(pd.Series({"a": math.inf}), pd.DataFrame({2012: [5]}, index=["a"])),
        lambda: act.ageing_factor(
            pd.Series([1.0, 2.0], index=["a", "a"]), pd.DataFrame({2012: [5]}, index=["a"])
        ),
        lambda: act.income_growth(pd.Series(dtype=float), pd.Series(dtype=float), 0.05),
        lambda: act.income_growth(RISING, RISING, -1.0),
        lambda: act.income_growth(RISING, RISING, math.nan),
        lambda: act.income_growth(RISING, RISING, 0.05, prior_sd=0.0),
        lambda: act.income_growth(RISING.replace(1.0, math.inf), RISING, 0.05),
        lambda: act.income_growth(RISING.set_axis([0, 0, 1, 2, 3, 4]), RISING, 0.05),
        lambda: act.long_run(math.inf, 0.05, years=3),
        lambda: act.long_run(0.1, 0.05, years=3, half_life=0.0),
        lambda: act.long_run(0.1, -0.9, years=3, excess=-0.2),
    ],
)
def test_broken_drivers_are_refused(work: Callable[[], object]) -> None:
    """Nothing, words, holes, infinities, nobody, no cost, a group or year twice: a fault, never a number or a crash."""
    with pytest.raises(InputError):
        work()


def test_policy_alone_leaves_no_growth_of_cost() -> None:
    """Where policy is the only driver stated, the growth for the cost forecast is none, not an error."""
    expert = act.driver_growth({"policy": (0.17, 0.02)}).expert()
    assert (expert.value, expert.sd) == (0.0, 0.0)


def test_income_regression_shrinks_to_its_prior() -> None:
    """A diffuse prior gives least squares; a tight one gives the prior's elasticity."""
    rng = np.random.default_rng(2)
    income = pd.Series(
        100 * np.exp(np.cumsum(0.05 + 0.03 * rng.standard_normal(10))), index=range(2003, 2013)
    )
    cost = 50 * (income / 100) ** 0.7 * np.exp(0.01 * rng.standard_normal(10))
    x, y = (np.log(s).diff().dropna() for s in (income, cost))
    slope = stats.linregress(x, y).slope
    assert act.income_growth(cost, income, 0.05, prior_sd=100).elasticity == pytest.approx(slope, rel=1e-3)
    assert act.income_growth(cost, income, 0.05, prior_sd=1e-4).elasticity == pytest.approx(1.0, abs=1e-3)


# --------------------------------------------------------------------------- back-test


def test_backtest_scores_are_those_of_the_forecast() -> None:
    """One origin by hand: the score is that of the fit to the four years before it."""
    test = act.backtest(OWN, points=3)
    row = test.frame.query("model == 'pooled'").iloc[0]
    part = act.fit_growth(OWN.loc[:2011]).forecast(1).parts[0]
    x = math.log(371 / 333)
    assert (row["origin"], row["actual"]) == (2011, pytest.approx(x))
    assert row["crps"] == pytest.approx(part.crps(x))
    assert row["pit"] == pytest.approx(float(part.cdf(x)[0]))
    drift = test.frame.query("model == 'drift'").iloc[0]
    growth = np.log([301 / 262, 333 / 301])
    scale = growth.std(ddof=1) * math.sqrt(1.5)
    assert drift["log_score"] == pytest.approx(-stats.norm.logpdf(x, growth.mean(), scale))


def test_coverage_is_clustered_by_year() -> None:
    """Thirty neighbours that all miss in one of four years are not 120 trials: the interval is wide."""
    from actuarial.growth.backtest import coverage_interval

    frame = pd.DataFrame(
        {"origin": np.repeat([1, 2, 3, 4], 30), "covered_80": np.repeat([True, True, True, False], 30)}
    )
    low, high = coverage_interval(frame, 80)
    assert low < 0.1
    assert high == 1.0
    mixed = frame.assign(covered_80=np.tile([True, True, True, False], 30))
    assert coverage_interval(mixed, 80)[0] > 0.7


@pytest.mark.filterwarnings("ignore::actuarial.errors.ModelWarning")  # eight years are few for smoothing
def test_a_backtest_names_the_model_that_it_tests() -> None:
    """Rows, verdict and legend carry the model's name; a model that is also a peer keeps apart from it."""
    panel = oecd().loc[2004:2013].dropna(axis=1).iloc[:, :2]
    test = act.backtest(panel, points=8, model="ets")
    assert set(test.table["model"]) == {"fit_ets", "naive", "drift"}
    assert "drift" in test.verdict("en")
    legend = test.plot(lang="en").get_legend()
    assert legend is not None
    assert "this model: damped exponential smoothing" in [t.get_text() for t in legend.get_texts()]
    both = act.backtest(panel, points=8, model="drift")
    table = both.table.set_index("model")
    assert set(table.index) == {"fit_drift", "naive", "drift"}
    assert table.loc["fit_drift", "forecasts"] == table.loc["drift", "forecasts"]
    assert table.loc["fit_drift", "crps"] != table.loc["drift", "crps"]


def test_backtests_of_a_panel_with_peers_and_horizons() -> None:
    """Naive, drift, ETS and ARIMA on the same origins; horizons one and three; a verdict in both languages."""
    panel = oecd().loc[2004:2013].dropna(axis=1).iloc[:, :3]
    test = act.backtest(panel, points=6, horizons=(1, 3), peers=("naive", "drift", "ets", "arima"))
    assert set(test.table["model"]) == {"pooled", "naive", "drift", "ets", "arima"}
    one = test.table.query("horizon == 1").set_index("model")
    assert len(set(one["forecasts"])) == 1
    assert "drift" in test.verdict("en")
    assert test.plot().get_xlabel()
    assert np.isfinite(one[["crps", "mae", "interval_score_80"]]).all().all()


@pytest.mark.parametrize("lang", act.LANGUAGES)
def test_verdict_without_drift_beside_it(lang: str) -> None:
    """Where drift is not among the peers the sentence compares with nothing, and prints no figure that is none."""
    levels = pd.Series([100.0, 108, 113, 125, 131, 140, 152, 160], index=range(2001, 2009))
    alone = act.backtest(levels, points=4, peers=("naive",)).verdict(lang)
    beside = act.backtest(levels, points=4).verdict(lang)
    assert "nan" not in alone
    assert "CRPS" not in alone
    assert "CRPS" in beside
