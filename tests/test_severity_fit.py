"""Loss distributions against scipy and integrals; fits against closed forms, scipy and person-level data."""

from __future__ import annotations

import math
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import actuarial as act
from actuarial.errors import ModelWarning
from actuarial.layers import Piecewise
from actuarial.severity import Gamma, Lognormal, LognormalMixture, Severity, SplicedPareto, fit_severity
from actuarial.severity.families import FAMILIES
from actuarial.severity.likelihood import fit_family
from actuarial.severity.observed import from_amounts, from_bands
from actuarial.severity.pooling import fit_levels

LAWS: list[Severity] = [
    Lognormal(8000, 2),
    Gamma(8000, 0.4),
    Gamma(8000, 3.0),
    SplicedPareto(8.0, 1.2, 12_000.0, 0.08, 9000.0, 0.35),
    SplicedPareto(8.0, 1.2, 12_000.0, 0.08, 9000.0, 0.0),
    SplicedPareto(8.0, 1.2, 12_000.0, 0.08, 9000.0, -0.3),
    LognormalMixture(Lognormal(5000, 0.7), Lognormal(40_000, 1.5), 0.06),
]
AT = [50.0, 3000.0, 12_000.0, 15_000.0, 60_000.0]
EDGES = np.array([0, 50, 100, 200, 500, 1000, 2000, 5000, np.inf])


def pieces(x: Severity, low: float, high: float) -> list[float]:
    """Points between which the density is smooth."""
    inner = [v for v in (*np.geomspace(1e-8, 1e12, 60), 12_000.0) if low < v < high]
    return [low, *sorted(inner), high]


def integral(function, x: Severity, low: float, high: float) -> float:
    """Integral in pieces."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    total = 0.0
    for a, b in pairwise(pieces(x, low, high)):
        total += (
            (b - a)
            / 2
            * sum(w * function((a + b) / 2 + (b - a) / 2 * v) for v, w in zip(nodes, weights, strict=True))
        )
    return total


@pytest.mark.parametrize("x", LAWS, ids=lambda x: f"{x.name}-{getattr(x, 'xi', '')}")
@pytest.mark.parametrize("at", AT)
def test_closed_forms_equal_integrals(x: Severity, at: float) -> None:
    """Survival, partial moments, limited value and mean excess are integrals of the density."""

    def density(v: float) -> float:
        return float(np.exp(x.log_density(v)))

    end = 12_000.0 + 9000.0 / 0.3 if getattr(x, "xi", 1) < 0 else math.inf
    assert x.survival(at) == pytest.approx(integral(density, x, at, min(end, 1e12)), rel=2e-6, abs=1e-12)
    for k in (0, 1, 2):
        area = integral(lambda v, k=k: v**k * density(v), x, 1.0, at)
        assert float(x.partial(k, at) - x.partial(k, 1.0)) == pytest.approx(area, rel=1e-6)
    assert x.limited(at) == pytest.approx(integral(x.survival, x, 0.0, at), rel=1e-8)
    assert x.limited(math.inf) == pytest.approx(x.mean, rel=1e-12)
    if x.survival(at) > 1e-8:  # beyond, the difference of two means has no digits left
        over = integral(x.survival, x, at, min(end, 1e12))
        assert x.excess(at) == pytest.approx(over / x.survival(at), rel=1e-5)
    elif x.survival(at) == 0:
        assert math.isnan(x.excess(at))


@pytest.mark.parametrize("x", LAWS, ids=lambda x: f"{x.name}-{getattr(x, 'xi', '')}")
def test_quantile_is_the_inverse_and_draws_follow_it(x: Severity) -> None:
    """P(X ≤ quantile(p)) = p; draws have the law's mean and limited values, and repeat with their seed."""
    p = np.array([1e-6, 0.01, 0.3, 0.5, 0.9, 0.92, 0.95, 0.999, 1 - 1e-7])
    assert 1 - x.survivals(x.quantile(p)) == pytest.approx(p, rel=1e-9, abs=1e-12)
    sample = x.draw(40_000, seed=5)
    assert (sample > 0).all()
    assert sample.tobytes() == x.draw(40_000, seed=5).tobytes()
    assert sample.tobytes() != x.draw(40_000, seed=5, key=(1,)).tobytes()
    limited = np.minimum(sample, 20_000.0)
    assert limited.mean() == pytest.approx(x.limited(20_000.0), abs=5 * limited.std() / 200)


@pytest.mark.parametrize("x", LAWS, ids=lambda x: f"{x.name}-{getattr(x, 'xi', '')}")
def test_scaled_law_is_the_law_of_scaled_amounts(x: Severity) -> None:
    """Costs after a trend of 21%: survival and limited values move with the amounts."""
    trended = x.scaled(1.21)
    for at in AT:
        assert trended.survival(1.21 * at) == pytest.approx(x.survival(at), rel=1e-9)
        assert trended.limited(1.21 * at) == pytest.approx(1.21 * x.limited(at), rel=1e-9)


@given(
    st.floats(-0.4, 0.9),
    st.floats(0.01, 0.5),
    st.floats(0.3, 2.0),
    st.lists(st.floats(0, 1e6), min_size=2, max_size=6),
)
def test_spliced_limited_values_rise_to_the_mean(
    xi: float, share: float, sigma: float, edges: list[float]
) -> None:
    """For any tail shape E[min(X, e)] rises, is concave at most e and at most the mean; survival falls."""
    x = SplicedPareto(8.0, sigma, 12_000.0, share, 9000.0, xi)
    ordered = sorted(edges)
    values = [x.limited(e) for e in ordered]
    assert all(b >= a - 1e-9 * x.mean for a, b in pairwise(values))
    assert all(v <= min(e, x.mean) * (1 + 1e-9) + 1e-9 for v, e in zip(values, ordered, strict=True))
    assert all(b <= a + 1e-12 for a, b in pairwise([x.survival(e) for e in ordered]))


def test_shapes_near_zero_and_a_half_are_continuous() -> None:
    """The exponential limit and the removable singularity at 1/2 are met without a jump."""
    for xi, other, tolerance in ((1e-9, 0.0, 1e-7), (-1e-9, 0.0, 1e-7), (0.5, 0.5 + 1e-6, 1e-4)):
        a, b = (SplicedPareto(8.0, 1.2, 12_000.0, 0.08, 9000.0, v) for v in (xi, other))
        for at in AT:
            for k in (0, 1, 2):
                assert float(a.partial(k, at)) == pytest.approx(float(b.partial(k, at)), rel=tolerance)
    heavy = SplicedPareto(8.0, 1.2, 12_000.0, 0.08, 9000.0, 0.6)
    assert math.isinf(float(heavy.partial(2, math.inf)))
    assert math.isfinite(float(heavy.partial(1, math.inf)))


STEPS = Piecewise([1000.0, 9000.0, 30_000.0], [0.0, 0.5, 0.7, 0.0], [200.0, 0.0, 500.0])


@pytest.mark.parametrize("x", LAWS, ids=lambda x: f"{x.name}-{getattr(x, 'xi', '')}")
def test_payment_moments(x: Severity) -> None:
    """E[F] equals the layer's own evaluator and E[F²] the mean over a fine grid of quantiles; parts add up."""
    assert x.expected(STEPS) == pytest.approx(STEPS.expected(x.limited, x.survival), rel=1e-9)
    paid = STEPS(x.quantile((np.arange(200_000) + 0.5) / 200_000))
    assert x.expected(STEPS) == pytest.approx(paid.mean(), rel=1e-4)
    assert x.second_moment(STEPS) == pytest.approx((paid**2).mean(), rel=1e-4)
    parts = [x.expected(STEPS, above=a, below=b) for a, b in ((0, 500), (500, 20_000), (20_000, math.inf))]
    assert sum(parts) == pytest.approx(x.expected(STEPS), rel=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gamma(0, 1),
        lambda: Gamma(1, math.nan),
        lambda: SplicedPareto(0, 1, 1, 0.1, 1, 1.0),
        lambda: SplicedPareto(0, 1, 1, 1.0, 1, 0.2),
        lambda: SplicedPareto(0, -1, 1, 0.1, 1, 0.2),
        lambda: LognormalMixture(Lognormal(1, 1), Lognormal(2, 1), 0.0),
    ],
)
def test_impossible_laws_are_refused(make) -> None:
    """No mean, no share, no scale: refused when made."""
    with pytest.raises(ValueError, match="must"):
        make()


# ------------------------------------------------------------------ fits of single amounts


def rand_costs(name: str) -> np.ndarray:
    """Positive yearly costs of persons in the RAND experiment [dollars]."""
    file, column = {
        "inpatient": ("rand_hie.csv.gz", "inpatient_cost_dollars"),
        "medical": ("rand_hie_medical.csv.gz", "medical_cost_dollars"),
        "med_exp": ("med_exp.csv.gz", "medical_cost_dollars"),
    }[name]
    values = pd.read_csv(act.sample_path(f"international/{file}"))[column].to_numpy(np.float64)
    return values[values > 0]


def test_lognormal_fit_is_the_closed_form() -> None:
    """Mean and sd of the logs, with standard errors σ/√n and 1/√(2n)."""
    x = Lognormal(8000, 2).draw(3000, seed=11)
    fit = fit_severity(x, family="lognormal").chosen
    logs = np.log(x)
    law = fit.law
    assert isinstance(law, Lognormal)
    assert law.mu == pytest.approx(logs.mean(), abs=1e-5)
    assert law.sigma == pytest.approx(logs.std(), rel=1e-5)
    errors = np.sqrt(np.diag(fit.covariance))
    assert errors == pytest.approx([logs.std() / math.sqrt(3000), 1 / math.sqrt(6000)], rel=1e-3)
    scipy_value = stats.lognorm(logs.std(), scale=math.exp(logs.mean())).logpdf(x).sum()
    assert fit.log_likelihood - 3000 * math.log(x.mean()) == pytest.approx(scipy_value, abs=1e-3)


def test_gamma_and_tail_fits_equal_scipy() -> None:
    """The gamma's likelihood and the tail's parameters are those that scipy's own fits reach."""
    x = Gamma(500, 1.3).draw(2000, seed=3)
    a, _, scale = stats.gamma.fit(x, floc=0)
    law = fit_severity(x, family="gamma").law
    assert isinstance(law, Gamma)
    assert (law.shape, law.scale) == pytest.approx((a, scale), rel=1e-3)
    costs = rand_costs("inpatient")
    spliced = fit_severity(costs, family="spliced_pareto", threshold=3000.0).law
    assert isinstance(spliced, SplicedPareto)
    over = costs[costs > 3000.0] - 3000.0
    xi, _, beta = stats.genpareto.fit(over, floc=0)
    assert spliced.xi == pytest.approx(xi, abs=0.01)
    assert spliced.beta == pytest.approx(beta, rel=0.01)
    assert spliced.tail_share == pytest.approx(len(over) / len(costs), rel=1e-3)


def test_claims_below_a_deductible_are_allowed_for() -> None:
    """Claims below 3,000 unseen: the truncated likelihood finds the law, the plain one does not."""
    x = Lognormal(8000, 2).draw(20_000, seed=4)
    seen = x[x > 3000]
    fit = fit_severity(seen, truncated_at=3000.0, family="lognormal")
    value, covariance = fit.chosen.delta(lambda law: law.mean)
    assert value[0] == pytest.approx(8000, abs=3.5 * math.sqrt(covariance[0, 0]))
    assert fit.seen_share == pytest.approx(len(seen) / len(x), abs=0.03)
    blind = fit_severity(seen, family="lognormal")
    assert blind.law.mean > 10_000


@pytest.mark.parametrize("name", ["inpatient", "medical", "med_exp"])
def test_person_level_costs(name: str) -> None:
    """RAND: the law chosen reproduces the cost above every high amount; gamma does not, for all its exact mean."""
    costs = rand_costs(name)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        fit = fit_severity(costs)
    endless = not math.isfinite(float(fit.law.partial(2, math.inf)))
    assert [str(w.message) for w in heard] == ([act.text("severity.no_variance", law=act.text("severity_words.spliced_pareto"))] if endless else [])  # fmt: skip
    table = fit.table.set_index("family")
    assert fit.chosen.family.name == "spliced_pareto"
    assert table.loc["spliced_pareto", "layer_gap"] < 1
    assert table.loc["gamma", "layer_gap"] > 1.5
    assert abs(table.loc["gamma", "cost_gap"]) < 1e-4
    low, high = stats.bootstrap(
        (costs,), lambda v, axis: np.quantile(v, 0.99, axis=axis), n_resamples=200, method="percentile",
        random_state=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert 0.95 * low < fit.law.quantile(0.99) < 1.05 * high
    for edge in np.quantile(costs, [0.5, 0.9, 0.98]):
        limited = np.minimum(costs, edge)
        value, error = fit.expected(Piecewise([edge], [1.0, 0.0]))
        assert value == pytest.approx(
            limited.mean(), abs=4 * max(error, limited.std() / math.sqrt(len(costs)))
        )


def test_least_aic_alone_would_misprice() -> None:
    """On RAND's admissions the mixture wins AIC by 160 and misses the total by 12%: it is passed over, and seen."""
    fit = fit_severity(rand_costs("inpatient"))
    first = fit.table.iloc[0]
    assert first["family"] == "lognormal_mixture"
    assert first["layer_gap"] > 2
    assert first["cost_gap"] > 0.1
    assert not first["chosen"]
    for lang in ("zh", "en"):
        assert "1,823" in fit.summary(lang)


def test_where_no_law_fits_it_is_said() -> None:
    """Amounts of two kinds far apart: the nearest family is taken with a warning."""
    x = np.concatenate([Lognormal(100, 0.1).draw(2000, seed=1), Lognormal(1e5, 0.1).draw(300, seed=2)])
    with pytest.warns(ModelWarning):
        fit_severity(x, families=["lognormal", "gamma"])


@pytest.mark.parametrize("kind", ["survival", "mean_excess"])
@pytest.mark.parametrize("bands", [False, True])
def test_fit_plots(kind, bands: bool) -> None:
    """Both plots carry a line a family and the observed points, for amounts and for bands."""
    costs = rand_costs("inpatient")
    fit = (
        fit_severity(
            bands=banded(costs, np.append(EDGES[:-1], [10_000, 20_000, np.inf])), family="lognormal_mixture"
        )
        if bands
        else fit_severity(costs)
    )
    axes = fit.plot(kind=kind, lang="en")
    assert len(axes.get_lines()) == len(fit.fits) + 1
    assert axes.get_ylabel() == act.text(f"severity_words.{kind}", "en")


# ------------------------------------------------------------------ bands


def banded(x: np.ndarray, edges: np.ndarray = EDGES, *, sums: bool = True) -> pd.DataFrame:
    """Counts and sums by band."""
    at = np.digitize(x, edges[1:-1], right=True)
    frame = pd.DataFrame(
        {"band_from": edges[:-1], "band_to": np.where(np.isinf(edges[1:]), np.nan, edges[1:])}
    )
    frame["visits"] = np.bincount(at, minlength=len(frame)).astype(float)
    if sums:
        frame["in_scope_cost"] = np.bincount(at, weights=x, minlength=len(frame))
    return frame


@pytest.mark.parametrize("sums", [True, False])
def test_bands_give_what_amounts_give(sums: bool) -> None:
    """RAND's yearly costs in eight bands: limited values near those of the amounts themselves (with sums: within 2%)."""
    costs = rand_costs("medical")
    fit = fit_severity(
        bands=banded(costs, sums=sums), families=["lognormal", "spliced_pareto", "lognormal_mixture"]
    )
    tolerance = 0.02 if sums else 0.04
    for edge in (150.0, 800.0, 3000.0, 10_000.0):
        assert fit.law.limited(edge) == pytest.approx(np.minimum(costs, edge).mean(), rel=tolerance)
    if sums:
        assert fit.law.mean == pytest.approx(costs.mean(), rel=0.03)


def test_lognormal_bands_recover_the_law_with_its_error() -> None:
    """Counts alone, and counts with sums: within three standard errors; the sums make these smaller."""
    x = Lognormal(900, 1.5).draw(4000, seed=9)
    errors = []
    for sums in (False, True):
        fit = fit_severity(bands=banded(x, sums=sums), family="lognormal").chosen
        value, covariance = fit.delta(lambda law: law.mean)
        errors.append(math.sqrt(covariance[0, 0]))
        assert value[0] == pytest.approx(900, abs=3 * errors[-1])
    assert errors[1] < errors[0]


def test_band_of_nobody_and_truncated_bands() -> None:
    """An empty band tells that nobody is there; bands that begin at a deductible are truncated by it."""
    x = Lognormal(900, 1.5).draw(4000, seed=9)
    frame = banded(x)
    frame.loc[0, ["visits", "in_scope_cost"]] = 0.0
    forced = fit_severity(bands=frame, family="lognormal")
    truncated = fit_severity(bands=frame.iloc[1:], truncated_at=50.0, family="lognormal")
    true = Lognormal(900, 1.5)
    assert truncated.law.survival(50.0) == pytest.approx(true.survival(50.0), abs=0.01)
    assert forced.law.survival(50.0) > true.survival(50.0) + 0.003
    assert truncated.law.mean == pytest.approx(900, rel=0.12)


def test_units_do_not_matter() -> None:
    """The same costs in cents give the same law, a hundred times larger."""
    x = rand_costs("inpatient")
    a, b = fit_severity(x), fit_severity(100 * x)
    assert b.law.mean == pytest.approx(100 * a.law.mean, rel=1e-6)
    assert b.chosen.theta == pytest.approx(a.chosen.theta, abs=1e-4)


def test_many_amounts_are_thinned_harmlessly() -> None:
    """Above 20,000 amounts the likelihood uses amounts rounded to 0.1%: the estimate moves by less than 0.1 errors."""
    x = Lognormal(8000, 2).draw(30_000, seed=2)
    fit = fit_severity(x, family="lognormal").chosen
    law = fit.law
    assert isinstance(law, Lognormal)
    errors = np.sqrt(np.diag(fit.covariance))
    assert abs(law.mu - np.log(x).mean()) < 0.1 * errors[0]
    assert abs(math.log(law.sigma / np.log(x).std())) < 0.1 * errors[1]


def test_levels_share_their_shape_as_far_as_they_want() -> None:
    """A level of two bands has no shape of its own and takes that of the others; a rich odd level keeps its own."""
    wide = {
        n: banded(Lognormal(m, 1.5).draw(5000, seed=i), EDGES)
        for i, (n, m) in enumerate({"a": 300, "b": 900}.items())
    }
    odd = banded(Lognormal(600, 0.6).draw(5000, seed=7), EDGES)
    poor = pd.DataFrame({"band_from": [0, 500], "band_to": [500, np.nan], "visits": [300.0, 100.0]})
    data = {k: from_bands(f, 0.0) for k, f in {**wide, "odd": odd, "poor": poor}.items()}
    own = fit_levels(data, families=["lognormal"], pooling="none")
    assert own == {}
    partial = fit_levels(data, families=["lognormal"])["lognormal"]
    cv = {k: f.law.cv for k, f in partial.items()}  # type: ignore[attr-defined]
    assert cv["odd"] == pytest.approx(0.6, abs=0.05)
    assert cv["a"] == pytest.approx(1.5, abs=0.15)
    assert 0.6 < cv["poor"] < 1.6
    assert partial["poor"].covariance[1, 1] > 10 * partial["a"].covariance[1, 1]


def test_too_few_numbers_for_a_family_leave_it_out() -> None:
    """Three bands without sums hold two numbers: a lognormal, no mixture and no tail."""
    x = Lognormal(900, 1.5).draw(400, seed=9)
    frame = banded(x, np.array([0, 300, 1000, np.inf]), sums=False)
    assert {f.family.name for f in fit_severity(bands=frame).fits} == {"lognormal", "gamma"}
    assert fit_family(FAMILIES["spliced_pareto"], from_bands(frame, 0.0)) is None
    assert fit_family(FAMILIES["spliced_pareto"], from_amounts(x[:40], 0.0)) is None


@settings(max_examples=15, deadline=None)
@given(st.floats(0.3, 2.5), st.integers(0, 10**6))
def test_fit_never_loses_to_the_truth(cv: float, seed: int) -> None:
    """The likelihood at the estimate is at least that at the true parameters."""
    x = Lognormal(100, cv).draw(200, seed=seed)
    data = from_amounts(x, 0.0)
    fit = fit_family(FAMILIES["lognormal"], data)
    assert fit is not None
    assert fit.log_likelihood >= data.log_likelihood(Lognormal(100 / data.unit, cv), None) - 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True])
def test_errors_of_limited_values_cover(grouped: bool) -> None:
    """Of 300 samples, E[min(X, 2000)] ± 1.96 standard errors covers the truth between 91 and 98.5%."""
    layer, true, hits = Piecewise([2000.0], [1.0, 0.0]), Lognormal(900, 1.5), 0
    for seed in range(300):
        x = true.draw(400, seed=seed)
        data = from_bands(banded(x), 0.0) if grouped else from_amounts(x, 0.0)
        fit = fit_family(FAMILIES["lognormal"], data)
        assert fit is not None
        value, covariance = fit.delta(lambda law: law.expected(layer))
        hits += abs(value[0] - true.limited(2000.0)) < 1.96 * math.sqrt(covariance[0, 0])
    assert 0.91 <= hits / 300 <= 0.985
