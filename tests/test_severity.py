"""Severity and compound sums against scipy's own numbers and a sum over counts."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from actuarial.severity import Lognormal, compound_cumulants

CASES = [(8000.0, 2.0), (14.28, 1.52), (2706.15, 0.05), (100.0, 5.0)]


def law(x: Lognormal) -> stats.rv_continuous:
    """scipy's lognormal with the same mean and cv, from its own parameters."""
    s = math.sqrt(math.log(1 + x.cv**2))
    return stats.lognorm(s=s, scale=x.mean / math.sqrt(1 + x.cv**2))


@pytest.mark.parametrize(("mean", "cv"), CASES)
def test_moments_equal_scipy(mean: float, cv: float) -> None:
    """First four moments, and the mean and cv asked for, agree with scipy."""
    x = Lognormal(mean, cv)
    for k in (1, 2, 3, 4):
        assert x.moment(k) == pytest.approx(law(x).moment(k), rel=1e-10)
    assert x.moment(1) == pytest.approx(mean, rel=1e-12)
    assert math.sqrt(x.moment(2) / mean**2 - 1) == pytest.approx(cv, rel=1e-9)


@pytest.mark.parametrize(("mean", "cv"), CASES)
@pytest.mark.parametrize("at", [0.01, 0.3, 1.0, 4.0, 50.0])
def test_limited_values_equal_integrals(mean: float, cv: float, at: float) -> None:
    """E[min(X, e)] is the integral of the survival function, which is scipy's."""
    x, edge = Lognormal(mean, cv), at * mean
    points = np.quantile(np.linspace(0, edge, 101), np.linspace(0, 1, 21))
    area = sum(integrate.quad(law(x).sf, a, b)[0] for a, b in pairwise(points))
    assert x.limited(edge) == pytest.approx(area, rel=1e-7)
    assert x.survival(edge) == pytest.approx(law(x).sf(edge), rel=1e-9, abs=1e-300)


@given(st.floats(0.05, 5), st.lists(st.floats(0, 1e6), min_size=2, max_size=6))
def test_limited_values_rise_to_the_mean(cv: float, edges: list[float]) -> None:
    """E[min(X, e)] rises with e, is never above e or the mean, and reaches the mean at infinity."""
    x = Lognormal(8000, cv)
    values = [x.limited(e) for e in sorted(edges)]
    assert all(b >= a - 1e-9 * x.mean for a, b in pairwise(values))
    assert all(v <= min(e, x.mean) * (1 + 1e-12) + 1e-12 for v, e in zip(values, sorted(edges), strict=True))
    assert [x.limited(0.0), x.limited(-5.0), x.limited(math.inf)] == [0.0, 0.0, 8000.0]
    assert [x.survival(0.0), x.survival(-5.0)] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("mean", "cv"), [(0, 1), (-1, 1), (1, 0), (1, -2), (math.inf, 1), (math.nan, 1), (1, math.nan)]
)
def test_impossible_severities_are_refused(mean: float, cv: float) -> None:
    """Mean and cv must be positive and finite."""
    with pytest.raises(ValueError, match="positive"):
        Lognormal(mean, cv)


def by_counts(pmf: np.ndarray, mean: float, cv: float) -> list[float]:
    """First three cumulants of the sum, by conditioning on every number of claims."""
    x = law(Lognormal(mean, cv))
    m, v, skew = x.stats(moments="mvs")
    third = float(skew) * float(v) ** 1.5
    n = np.arange(len(pmf), dtype=float)
    first = n * m  # raw moments of n claims, from their cumulants
    second = n * v + first**2
    cubed = n * third + 3 * first * n * v + first**3
    e1, e2, e3 = (float(pmf @ r) for r in (first, second, cubed))
    return [e1, e2 - e1**2, e3 - 3 * e1 * e2 + 2 * e1**3]


@pytest.mark.parametrize(("mean", "cv"), CASES)
@pytest.mark.parametrize("count", [0.7, 12.0, 300.0])
def test_poisson_sums(mean: float, cv: float, count: float) -> None:
    """At dispersion 1 the cumulants are those of a Poisson sum, found by conditioning on the count."""
    pmf = stats.poisson(count).pmf(np.arange(2000))
    assert compound_cumulants(count, mean, cv).tolist() == pytest.approx(by_counts(pmf, mean, cv), rel=1e-7)


@pytest.mark.parametrize("dispersion", [1.5, 4.0, 10.0])
@pytest.mark.parametrize(("mean", "cv"), CASES[:3])
def test_negative_binomial_sums(mean: float, cv: float, dispersion: float) -> None:
    """Above dispersion 1 the cumulants are those of a negative binomial sum with that variance."""
    count, p = 40.0, 1 / dispersion
    counts = stats.nbinom(count * p / (1 - p), p)
    assert counts.stats() == pytest.approx((count, count * dispersion))
    pmf = counts.pmf(np.arange(4000))
    got = compound_cumulants(count, mean, cv, dispersion).tolist()
    assert got == pytest.approx(by_counts(pmf, mean, cv), rel=1e-7)


def test_sums_agree_with_direct_simulation() -> None:
    """Mean, variance and third cumulant of 200,000 simulated sums lie within their sampling error."""
    generator = np.random.default_rng(20120101)
    x = Lognormal(100, 0.8)
    counts = generator.poisson(30, 200_000)
    claims = np.exp(generator.normal(x.mu, x.sigma, counts.sum()))
    ends = np.cumsum(counts)
    total = np.concatenate([[0.0], np.cumsum(claims)])
    sums = total[ends] - total[ends - counts]
    k1, k2, k3 = compound_cumulants(30, 100, 0.8)
    assert sums.mean() == pytest.approx(k1, abs=5 * np.sqrt(k2 / len(sums)))
    assert sums.var() == pytest.approx(k2, rel=0.02)
    assert ((sums - sums.mean()) ** 3).mean() == pytest.approx(k3, rel=0.1)


def test_nothing_expected_costs_nothing() -> None:
    """Where no claim is expected all cumulants are 0, and arrays broadcast."""
    found = compound_cumulants([0.0, 10.0], 5.0, 1.0, [[1.0], [2.0]])
    assert found.shape == (3, 2, 2)
    assert (found[:, :, 0] == 0).all()
    assert (found[:, :, 1] > 0).all()
