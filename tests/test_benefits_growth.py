"""The printed 2012 calculation, benefit layers, expert growth and growth fitted to short series."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

import actuarial as act
from actuarial.errors import InputError
from actuarial.growth import growth_bounds, plan_growth, raw_growth
from actuarial.plan import Plan
from actuarial.severity import log_sd

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(20)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def mean_sd(factor: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
    """Mean and standard deviation of a function of a standard normal, by Gauss–Hermite quadrature."""
    drawn = factor(NODES)
    mean = float(WEIGHTS @ drawn)
    return mean, math.sqrt(float(WEIGHTS @ (drawn - mean) ** 2))


# --------------------------------------------------------------------------- the printed calculation


def test_the_printed_calculation_of_2012() -> None:
    """321 × 1.1697 = 375.47 and × 1.2366 = 464 yuan, in all 44.65% (checks C032, C033, C034)."""
    target = act.simple_target()
    assert (target.intermediate, target.result) == (375.47, 464.0)
    assert target.total_growth == pytest.approx(0.44645102, abs=1e-8)
    assert target.table["value"].tolist() == [321.0, 1.1697, 375.47, 0.2366, 464.0]
    assert all(s.quote for s in target.sources)


def test_a_calculation_that_does_not_come_out_is_refused(tmp_path: Path) -> None:
    """A costing file whose own parameters do not give its printed result is refused."""
    content = law_file("china/jiande/costing/per_capita@2012-01-01")
    content["payload"]["printed_result"] = 465.0
    with pytest.raises(InputError) as caught:
        act.simple_target(write_law(tmp_path, content))
    (fault,) = caught.value.faults
    assert (fault.code, fault.params["computed"], fault.params["printed"]) == (
        "benefits.printed_differs",
        464.0,
        465.0,
    )


@pytest.mark.parametrize(
    "sds",
    [
        {"base_sd": 10.0},
        {"coefficient_sd": 0.03},
        {"growth_sd": 0.05},
        {"base_sd": 10.0, "coefficient_sd": 0.03, "growth_sd": 0.05},
    ],
)
def test_draws_of_the_calculation(sds: dict[str, float]) -> None:
    """The draws' median is the product before rounding, their sd that of a lognormal product."""
    draws = act.simple_target().draws(**sds, paths=200_000, seed=7)
    centre = 321 * 1.1697 * 1.2366
    values = {"base_sd": 321.0, "coefficient_sd": 1.1697, "growth_sd": 1.2366}
    s2 = sum(math.log(0.5 + 0.5 * math.sqrt(1 + 4 * (sd / values[k]) ** 2)) for k, sd in sds.items())
    sd = centre * math.sqrt(math.exp(s2) * (math.exp(s2) - 1))
    assert np.median(draws) == pytest.approx(centre, abs=6 * sd / math.sqrt(len(draws)))
    assert abs(np.median(draws) - 464) < 1
    assert draws.std() == pytest.approx(sd, rel=0.01)
    if len(sds) == 1:  # one factor: the product's sd is the stated sd times the other two
        ((name, stated),) = sds.items()
        assert sd == pytest.approx(stated * centre / values[name], rel=1e-9)


def test_draws_without_uncertainty_and_with_a_seed() -> None:
    """No uncertainty gives the product itself; a seed repeats its draws and another does not."""
    target = act.simple_target()
    assert np.unique(target.draws(paths=10)).tolist() == pytest.approx([464.3107770])
    assert (
        target.draws(growth_sd=0.05, paths=5, seed=1) == target.draws(growth_sd=0.05, paths=5, seed=1)
    ).all()
    assert (
        target.draws(growth_sd=0.05, paths=5, seed=1) != target.draws(growth_sd=0.05, paths=5, seed=2)
    ).all()


# --------------------------------------------------------------------------- policy factor


@pytest.mark.parametrize(("coefficient", "sd"), [(1.1697, 0.05), (1.0, 0.3), (0.8, 0.001), (1.2366, 0.0)])
def test_policy_factor_has_the_stated_median_and_sd(coefficient: float, sd: float) -> None:
    """The coefficient is the factor's median and the stated sd its standard deviation, exactly."""
    policy = act.stated_policy_factor(coefficient, sd)
    assert float(policy.factor(0.0)) == coefficient
    assert mean_sd(policy.factor)[1] == pytest.approx(sd, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("coefficient", "sd"), [(0, 0), (-1, 0), (math.inf, 0), (math.nan, 0), (1, -0.1), (1, math.nan)]
)
def test_impossible_policy_factors_are_refused(coefficient: float, sd: float) -> None:
    """A factor must be positive and its sd not negative."""
    with pytest.raises(InputError) as caught:
        act.stated_policy_factor(coefficient, sd)
    assert caught.value.code == "benefits.factor"


@given(st.floats(0.01, 10), st.floats(1e-4, 2))
def test_log_sd_inverts_the_lognormal_sd(median: float, sd: float) -> None:
    """The sigma found gives back the standard deviation asked for."""
    s2 = log_sd(median, sd) ** 2
    assert median * math.sqrt(math.exp(s2) * math.expm1(s2)) == pytest.approx(sd, rel=1e-6)


# --------------------------------------------------------------------------- layers


def law_file(name: str) -> dict[str, Any]:
    """The content of a law file of the package."""
    from importlib.resources import files

    return yaml.safe_load(files("actuarial.law").joinpath(f"{name}.yaml").read_text(encoding="utf-8"))


def write_law(folder: Path, content: dict[str, Any]) -> str:
    """Write a law file; returns its path."""
    path = folder / "law.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return str(path)


def layer_file(
    folder: Path, deductible: float, segments: list[dict[str, float]], ceiling: float | None, **more: Any
) -> str:
    """A law file of one benefit layer."""
    return write_law(
        folder,
        {
            "id": "china/test/layer/critical_illness@2013-01-01",
            "kind": "layer",
            "name": {"zh": "大病保险", "en": "critical illness"},
            "source": {"document": "test"},
            "status": "assumed",
            "place_status": "inferred",
            "effective": "2013-01-01",
            "checked_on": "2026-01-01",
            "payload": {
                "counted_cost": {"zh": "自付", "en": "own cost"},
                "deductible": deductible,
                "segments": segments,
                "ceiling": ceiling,
            },
            **more,
        },
    )


def test_published_layers_pay_what_the_texts_say(tmp_path: Path, data: Callable[[str], Any]) -> None:
    """Jieshou, Qinzhou, Shanghai, Zhenjiang and a published case: every vector, in yuan and in cents."""
    layers = data("benefit_layers.json")["layers"]
    assert len(layers) == 10
    for layer in layers:
        f = act.load_benefit_layer(
            layer_file(tmp_path, layer["deductible"], layer["segments"], layer["ceiling"])
        )
        for cost, payment in layer["vectors"]:
            assert float(f(cost)) == pytest.approx(payment, abs=1e-9), layer["name"]
            assert int(f.cents(round(cost * 100))) == round(payment * 100), layer["name"]


def test_the_jieshou_layer_of_the_package(data: Callable[[str], Any]) -> None:
    """The law file that comes with the package pays the Jieshou vectors, and has no ceiling."""
    f = act.load_benefit_layer("china/jieshou/layer/critical_illness@2013-10-23")
    (vectors,) = [x["vectors"] for x in data("benefit_layers.json")["layers"] if x["name"] == "jieshou"]
    assert [float(f(c)) for c, _ in vectors] == [p for _, p in vectors]
    assert float(f(1e9)) == 0.5 * (1e9 - 15_000)


def test_the_qinzhou_ceiling(tmp_path: Path, data: Callable[[str], Any]) -> None:
    """With its ceiling Qinzhou's layer stops at 500,000, from a cost of 646,000; without, it goes on."""
    layers = {x["name"]: x for x in data("benefit_layers.json")["layers"]}
    with_it, without = (
        act.load_benefit_layer(layer_file(tmp_path, x["deductible"], x["segments"], x["ceiling"]))
        for x in (layers["qinzhou_general"], layers["qinzhou_general_without_ceiling"])
    )
    assert [float(with_it(c)) for c in (645_999.0, 646_000.0, 646_001.0, 1e7)] == [
        499_999.2,
        500_000.0,
        500_000.0,
        500_000.0,
    ]
    assert float(without(646_001.0)) == pytest.approx(500_000.8)
    assert int(with_it.cents(10**12)) == 50_000_000


@given(
    st.integers(0, 20_000),
    st.lists(st.tuples(st.integers(1, 50_000), st.integers(1, 100)), min_size=1, max_size=4),
    st.integers(1, 40_000),
    st.lists(st.integers(0, 300_000), min_size=1, max_size=10),
)
def test_layers_equal_a_slow_walk(
    tmp_path_factory: pytest.TempPathFactory, deductible: int, segments: list, ceiling: int, costs: list[int]
) -> None:
    """A layer with rising segments and a ceiling equals paying each segment in turn, up to the ceiling."""
    over, rows = 0, []
    for width, ratio in segments:
        rows.append({"over": float(over), "pay_ratio": ratio / 100})
        over += width
    folder = tmp_path_factory.mktemp("law")
    f = act.load_benefit_layer(layer_file(folder, float(deductible), rows, float(ceiling)))
    for cost in costs:
        above, paid = cost - deductible, 0.0
        for n, row in enumerate(rows):
            top = rows[n + 1]["over"] if n + 1 < len(rows) else math.inf
            paid += max(min(above, top) - row["over"], 0.0) * row["pay_ratio"]
        assert float(f(cost)) == pytest.approx(min(paid, ceiling), rel=1e-9, abs=1e-6)


def test_a_gap_without_a_reading_is_not_computed_across(tmp_path: Path) -> None:
    """A layer whose text leaves something open is refused until a reading is stated, and says the choices."""
    content = law_file("china/jieshou/layer/critical_illness@2013-10-23")
    content["readings"] = {}
    with pytest.raises(InputError) as caught:
        act.load_benefit_layer(write_law(tmp_path, content))
    (fault,) = caught.value.faults
    assert (fault.code, fault.params["gap"]) == ("law.gap", "deductible_period")
    assert "admission" in fault.message("en")


def test_a_contract_is_no_layer() -> None:
    """A law of another kind is refused."""
    with pytest.raises(InputError) as caught:
        act.load_benefit_layer("china/jiande/contract/cooperation@2012-01-01")
    assert caught.value.code == "law.kind"


# --------------------------------------------------------------------------- expert growth


@pytest.mark.parametrize(("value", "sd"), [(0.12, 0.05), (0.2366, 0.05), (0.0716, 0.02), (-0.1, 0.03)])
def test_expert_growth_has_the_stated_median_and_sd(value: float, sd: float) -> None:
    """The value is the median, the sd in points the standard deviation; truncation hardly matters there."""
    growth = act.expert_growth(value, sd=sd)
    assert float(growth.factor(0.0)) == pytest.approx(1 + value, abs=1e-9)
    assert mean_sd(growth.factor)[1] == pytest.approx(sd, rel=1e-5)


def test_half_width_of_an_interval() -> None:
    """Half a 95% interval of 9.8 points is an sd of 5 points."""
    by_width, by_sd = act.expert_growth(0.2366, half_width_95=0.098), act.expert_growth(0.2366, sd=0.05)
    assert by_width.sd == pytest.approx(0.098 / 1.96)
    assert by_width.factor([-1.0, 2.0]).tolist() == by_sd.factor([-1.0, 2.0]).tolist()


@pytest.mark.parametrize(("value", "sd"), [(0.2366, 0.3), (0.0, 0.5), (-0.2, 0.2)])
def test_expert_growth_is_truncated_at_the_bounds(value: float, sd: float) -> None:
    """A wide uncertainty gives scipy's truncated normal of the log growth, within the bounds, rising in z."""
    low, high = growth_bounds()
    sigma, centre = log_sd(1 + value, sd), math.log1p(value)
    z = np.linspace(-6, 6, 41)
    expected = stats.truncnorm.ppf(
        special.ndtr(z), (low - centre) / sigma, (high - centre) / sigma, centre, sigma
    )
    found = np.log(act.expert_growth(value, sd=sd).factor(z))
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert ((found >= low) & (found <= high)).all()
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("value", [0.8, -0.5, 3.0])
def test_values_beyond_the_bounds_are_left_as_stated(value: float) -> None:
    """A stated growth outside the documented bounds is used as it is, not cut."""
    growth = act.expert_growth(value, sd=0.05)
    z = np.array([-2.0, 0.0, 2.0])
    np.testing.assert_allclose(
        growth.factor(z), (1 + value) * np.exp(log_sd(1 + value, 0.05) * z), rtol=1e-12
    )


def test_expert_growth_without_uncertainty() -> None:
    """With sd 0 the factor is the value on every path."""
    assert act.expert_growth(0.12, sd=0.0).factor([-3.0, 0.0, 9.0]).tolist() == [1.12] * 3


@pytest.mark.parametrize(
    ("value", "options", "code"),
    [
        (0.1, {}, "growth.one_uncertainty"),
        (0.1, {"sd": 0.1, "half_width_95": 0.1}, "growth.one_uncertainty"),
        (-1.0, {"sd": 0.1}, "growth.out_of_range"),
        (math.nan, {"sd": 0.1}, "growth.out_of_range"),
        (math.inf, {"sd": 0.1}, "growth.out_of_range"),
        (0.1, {"sd": -0.1}, "growth.out_of_range"),
        (0.1, {"sd": math.nan}, "growth.out_of_range"),
        (0.1, {"half_width_95": -0.2}, "growth.out_of_range"),
        (0.1, {"sd": 0.1, "correlation": 1.1}, "growth.out_of_range"),
        (0.1, {"sd": 0.1, "correlation": -0.1}, "growth.out_of_range"),
    ],
)
def test_impossible_expert_growth_is_refused(value: float, options: dict[str, float], code: str) -> None:
    """One uncertainty, a growth above -100% and numbers in range are asked for, in both languages."""
    with pytest.raises(InputError) as caught:
        act.expert_growth(value, **options)
    assert caught.value.code == code
    assert caught.value.message("zh") != caught.value.message("en")


def test_bounds_are_those_of_the_public_series() -> None:
    """The bounds are the smallest and largest yearly log change of the OECD series that comes along."""
    level: dict[str, dict[int, float]] = defaultdict(dict)
    with act.sample_path("international/oecd_health_expenditure_per_capita.csv").open(
        encoding="utf-8"
    ) as file:
        for row in csv.DictReader(file):
            level[row["country"]][int(row["year"])] = float(row["health_exp_per_capita_2010_intl_dollars"])
    changes = [math.log(v[y] / v[y - 1]) for v in level.values() for y in v if y - 1 in v]
    assert len(changes) == 1266
    assert growth_bounds() == pytest.approx((min(changes), max(changes)), abs=1e-6)


# --------------------------------------------------------------------------- fitted growth

SERIES = {
    "gapped": ([2004, 2005, 2008, 2009, 2011, 2015], [50.0, 57, 80, 83, 103, 140]),
    "three": ([2010, 2011, 2013], [300.0, 330, 402]),
    "yearly": ([2006, 2007, 2008, 2009, 2010, 2011, 2012], [100.0, 108, 121, 125, 140, 149, 166]),
    "falling": ([1, 2, 3, 4, 5], [100.0, 98, 95, 96, 90]),
}


def series(name: str) -> pd.Series:
    """One of the test series."""
    years, levels = SERIES[name]
    return pd.Series(levels, index=years)


@pytest.mark.parametrize("name", SERIES)
def test_drift_is_weighted_least_squares(name: str) -> None:
    """Drift, sigma and predictive scale are those of statsmodels' WLS with weights 1/years."""
    found = act.fit_growth(series(name), model="drift")
    years, levels = SERIES[name]
    steps = np.diff(np.array(years, dtype=float))
    model = sm.WLS(np.diff(np.log(levels)), steps[:, None], weights=1 / steps).fit()
    predicted = model.get_prediction(np.array([[1.0]]), weights=np.array([1.0]))
    assert found.drift == pytest.approx(float(model.params[0]), rel=1e-9)
    assert found.sigma == pytest.approx(math.sqrt(model.scale), rel=1e-9)
    assert found.scale == pytest.approx(float(predicted.se_obs[0]), rel=1e-9)
    assert found.dof == int(model.df_resid)
    assert found.years == years[-1] - years[0]
    assert found.gaps == tuple(y for y in range(years[0], years[-1]) if y not in years)


@pytest.mark.parametrize("name", SERIES)
def test_predictive_is_a_truncated_student_t(name: str) -> None:
    """Quantiles are those of scipy's t between the bounds, and the mass cut off is reported."""
    found = act.fit_growth(series(name), model="drift")
    low, high = growth_bounds()
    t = stats.t(found.dof, found.drift, found.scale)
    below, upto = t.cdf(low), t.cdf(high)
    assert found.removed == pytest.approx(below + t.sf(high), rel=1e-6, abs=1e-15)
    levels = [0.001, 0.025, 0.1, 0.5, 0.9, 0.975, 0.999]
    expected = SERIES[name][1][-1] * np.exp([t.ppf(below + (upto - below) * q) for q in levels])
    quantiles = found.quantile(levels)
    np.testing.assert_allclose(quantiles.to_numpy(), expected, rtol=1e-6)
    assert quantiles.name == SERIES[name][0][-1] + 1


def test_long_calm_series_have_plain_t_intervals() -> None:
    """Where the bounds are far away the 95% interval is drift ± t × scale."""
    years = np.arange(1990, 2021)
    levels = 100 * np.exp(np.cumsum(0.05 + 0.01 * np.sin(np.arange(31.0) * 2)))
    found = act.fit_growth(pd.Series(levels, index=years), model="drift")
    assert found.removed < 1e-12
    q = stats.t(29).ppf(0.975)
    low, high = found.quantile([0.025, 0.975]) / levels[-1]
    assert [math.log(low), math.log(high)] == pytest.approx(
        [found.drift - q * found.scale, found.drift + q * found.scale], rel=1e-9
    )


@pytest.mark.filterwarnings("ignore::actuarial.ModelWarning")
@given(
    st.lists(st.floats(-0.15, 0.25), min_size=2, max_size=8),
    st.lists(st.integers(1, 3), min_size=8, max_size=8),
    st.floats(-7.5, 7),
)
def test_growth_factors_rise_with_their_normal(changes: list[float], steps: list[int], z: float) -> None:
    """The factor never falls in z, keeps within the bounds and does not depend on the unit of the series."""
    years = 2000 + np.concatenate([[0], np.cumsum(steps[: len(changes)])])
    levels = 100 * np.exp(np.concatenate([[0.0], np.cumsum(changes)]))
    try:
        found = act.fit_growth(pd.Series(levels, index=years), model="drift")
    except act.InputError as error:  # a drift beyond the bounds is refused
        assert error.code == "growth.beyond_bounds"  # noqa: PT017
        return
    low, high = np.exp(growth_bounds())
    before, after = found.factor([z, z + 0.5])
    assert before <= after
    assert low * (1 - 1e-9) <= before
    assert after <= high * (1 + 1e-9)
    thousands = act.fit_growth(pd.Series(levels / 1000, index=years), model="drift")
    assert thousands.factor(z) == pytest.approx(before, rel=1e-6)


def test_order_of_the_rows_does_not_matter() -> None:
    """A series given in any order of years is the same series."""
    mixed = series("gapped").iloc[[3, 0, 5, 1, 4, 2]]
    assert act.fit_growth(mixed, model="drift").drift == act.fit_growth(series("gapped"), model="drift").drift
    assert (
        act.fit_growth(mixed).quantile(0.9).iloc[0] == act.fit_growth(series("gapped")).quantile(0.9).iloc[0]
    )


def test_constant_growth_has_no_spread() -> None:
    """A series that grows by exactly a tenth a year forecasts a tenth."""
    found = act.fit_growth(pd.Series([100.0, 110, 121, 133.1], index=[1, 2, 3, 4]), model="drift")
    np.testing.assert_allclose(found.factor([-5.0, 0.0, 5.0]), 1.1, rtol=1e-9)


def test_damped_trend_takes_its_centre_from_statsmodels() -> None:
    """With ets the next step is the damped trend's forecast of the log level; intervals stay Student's."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    levels = series("yearly")
    with pytest.warns(act.ModelWarning, match="12"):  # seven years are few for its intervals
        found = act.fit_growth(levels, model="ets")
    logs = np.log(levels.to_numpy())
    fit = ExponentialSmoothing(logs, trend="add", damped_trend=True, initialization_method="estimated").fit()
    assert found.drift == pytest.approx(float(fit.forecast(1)[0] - logs[-1]), abs=1e-6)
    assert (found.model, found.dof) == ("ets", 5)


@pytest.mark.parametrize(
    ("levels", "years", "options", "code"),
    [
        ([100.0, 110.0], [2010, 2011], {}, "growth.too_short"),
        ([], [], {}, "growth.too_short"),
        ([100.0, 0.0, 110.0], [2010, 2011, 2012], {}, "growth.not_positive"),
        ([100.0, -5.0, 110.0], [2010, 2011, 2012], {}, "growth.not_positive"),
        ([100.0, math.nan, 110.0], [2010, 2011, 2012], {}, "growth.too_short"),
        ([100.0, math.inf, 110.0], [2010, 2011, 2012], {}, "growth.not_positive"),
        ([100.0, 105.0, 110.0], [2010, 2011, 2011], {}, "growth.year_twice"),
        ([100.0, 105.0, 110.0], [2010, 2011, 2013], {"model": "ets"}, "growth.ets_gaps"),
    ],
)
def test_series_that_cannot_be_fitted(
    levels: list[float], years: list[int], options: dict[str, str], code: str
) -> None:
    """Too few points, levels that are not positive, a year twice and gaps under ets are refused by name."""
    with pytest.raises(InputError) as caught:
        act.fit_growth(pd.Series(levels, index=years, dtype=float), **options)
    assert caught.value.code == code
    assert caught.value.message("zh") != caught.value.message("en")


def test_raw_growth_is_shown_beside_its_funding(jieshou: Plan) -> None:
    """National NCMS spending grew 34% a year and its funding 31% (2005–2013); the missing 2012 is named."""
    raw = raw_growth(jieshou)
    assert raw is not None
    assert raw.spending_growth == pytest.approx((2909.2 / 8.02 / (61.8 / 1.79)) ** (1 / 8) - 1, rel=1e-9)
    assert raw.financing_growth == pytest.approx((370.6 / 42.1) ** (1 / 8) - 1, rel=1e-9)
    assert (round(raw.spending_growth, 2), round(raw.financing_growth, 2)) == (0.34, 0.31)
    assert raw.gaps == (2012,)
    last = raw.table.iloc[-1]
    assert last["per_capita"] == pytest.approx(2909.2 / 8.02)
    assert last["per_capita_growth"] == pytest.approx(
        math.sqrt(2909.2 / 8.02 / (1710.2 / 8.32)) - 1, rel=1e-9
    )
    assert math.isnan(raw.table["per_capita_growth"].iloc[0])


def test_a_plan_can_fit_its_own_series(plan_with: Callable[..., Plan]) -> None:
    """Growth by the plan's own yearly table is that of expenditure per participant, correlation as stated."""
    levels = {2006: (50.0, 3000.0), 2007: (51.0, 3400.0), 2009: (53.0, 4300.0), 2010: (54.0, 4650.0)}
    rows = [f"{year},{people},{money}" for year, (people, money) in levels.items()]
    table = "\n".join(["年份,参保人数（万人）,基金支出（万元）", *rows])
    spec = {
        "method": "series", "table": "history", "on_level": True, "correlation": 0.5, "model": "drift",
        "status": "assumed", "source": "test",
    }  # fmt: skip
    found = plan_growth(plan_with("jieshou", {"growth": spec}, {"history": table}))
    expected = act.fit_growth(pd.Series({y: m / p for y, (p, m) in levels.items()}), model="drift")
    assert isinstance(found, act.GrowthFit)
    assert (found.drift, found.scale) == pytest.approx((expected.drift, expected.scale), rel=1e-12)
    assert (found.gaps, found.correlation) == ((2008,), 0.5)
    assert found.sources[0].status == "assumed"


def test_plans_without_a_raw_history_have_none(plan_with: Callable[..., Plan]) -> None:
    """Raw growth is only shown where the plan names the table."""
    assert raw_growth(plan_with("jieshou", drop=("tables.raw_history",))) is None


def test_growth_tables_span_their_gaps() -> None:
    """Growth over a gap is shown per year of the gap."""
    table = act.fit_growth(series("three")).table
    assert table["growth_per_year"].iloc[1:].tolist() == pytest.approx([0.1, math.sqrt(402 / 330) - 1])
