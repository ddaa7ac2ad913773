"""The months of a chunk: compiled loops and NumPy give the same bytes, and both the closed form's law."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import actuarial as act
from actuarial.fund import kernel, sizes
from actuarial.fund.large import plan_large
from actuarial.fund.paths import claims_of
from actuarial.fund.process import shifted_lognormal
from actuarial.growth import curve
from actuarial.severity import Gamma, Lognormal, Severity, SplicedPareto

N = 500


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it to go on without the compiled loops."""
    kernel.prepare(10 * kernel.WORTH_IMPORT)

    def off() -> None:
        monkeypatch.setattr(kernel, "_loops", {})
        monkeypatch.setattr(curve, "_loop", [])
        monkeypatch.setattr(sizes, "_loops", {})
        monkeypatch.setattr(kernel, "_asked", -(10**9))

    return off


def moments_of(seed: int, skew: float = 0.25) -> tuple[np.ndarray, ...]:
    """Moments of some paths, and normals of twelve months."""
    g = np.random.default_rng(seed)
    return (
        g.uniform(1e6, 2e7, N), g.uniform(1e4, 3e6, N), g.uniform(0, skew, N), g.dirichlet(np.full(12, 8.0)),
        g.standard_normal((12, N)).T,
    )  # fmt: skip


def test_the_compiled_loops_are_numpy_to_the_bit(interpreted: Callable[[], None]) -> None:
    """Claims, balances and growth by table agree to the last bit."""
    k1, sd, skewness, shares, z = moments_of(1)
    table = curve.Curve(lambda z: np.exp(0.3 * z))
    far = np.concatenate([z.ravel(), [-50.0, -10.0, 0.0, 10.0, 50.0]])

    def all_three() -> list[bytes]:
        claims = kernel.months(k1, sd, skewness, shares, z)
        balance = kernel.roll(k1, claims, k1 / 30, shares, 0.0003, 5e5)
        return [claims.tobytes(), balance.tobytes(), table(far).tobytes()]

    compiled = all_three()
    assert kernel._loops
    interpreted()
    assert all_three() == compiled


def test_a_run_does_not_depend_on_how_it_was_reckoned(
    jieshou: act.Plan, simulate: Callable[..., act.Simulation], interpreted: Callable[[], None]
) -> None:
    """Paths and needs of a plan are the same bytes with and without the compiled loops, on one thread and on four."""
    first = simulate(jieshou, paths=20_000, threads=4)
    interpreted()
    second = simulate(jieshou, paths=20_000, threads=1)
    assert first.claims.tobytes() == second.claims.tobytes()
    assert first.needs["any_month"].tobytes() == second.needs["any_month"].tobytes()


@given(st.floats(0, 1), arrays(np.float64, 20, elements=st.floats(-9, 9)))
@settings(max_examples=200)
def test_the_series_are_the_closed_form(skewness: float, z: np.ndarray) -> None:
    """To 1e-12 where the closed form keeps its digits; to its own error of 3e-6 where it stands for the limit."""
    found, stated = kernel.noise(z, skewness), shifted_lognormal(z, skewness)
    near = skewness >= 1e-3
    np.testing.assert_allclose(found, stated, rtol=1e-9, atol=1e-11 if near else 2e-5)


def test_long_double_agrees() -> None:
    """Against the root and the exponential in 80 bits the series err by a few units of the last place."""
    if np.finfo(np.longdouble).eps > 1e-18:
        pytest.skip("no wider floating point here")
    g = np.linspace(1e-6, 1, 400)[:, None]
    z = np.linspace(-7, 7, 141)
    u, wide = g.astype(np.longdouble) / 3, g.astype(np.longdouble)
    for _ in range(60):
        u = (2 * u**3 + wide) / (3 * u * u + 3)
    s2 = np.log1p(u * u)
    truth = np.expm1(np.sqrt(s2) * z - s2 / 2) / u
    assert np.abs((kernel.noise(z, g) - truth) / np.maximum(1, np.abs(truth))).max() < 5e-15


def test_strong_skewness_takes_the_closed_form() -> None:
    """Beyond the reach of the series the months are the closed form's."""
    k1, sd, skewness, shares, z = moments_of(2, skew=5.0)
    found = kernel.months(k1, sd, skewness, shares, z)
    root = np.sqrt(shares)
    stated = k1[:, None] * shares + sd[:, None] * root * shifted_lognormal(z, skewness[:, None] / root)
    np.testing.assert_allclose(found, np.maximum(stated, 0), rtol=1e-12)


def test_columns_that_move_nothing_are_not_drawn(
    jieshou: act.Plan, simulate: Callable[..., act.Simulation]
) -> None:
    """Known factors and categories that move together are idle; the columns that count are not."""
    sim = simulate(jieshou, paths=10)
    z = np.random.default_rng(1).standard_normal((200, sim.cost.dimension))
    still = z.copy()
    still[:, list(sim.cost.idle)] = 0.0
    assert sim.cost.per_capita(z).tobytes() == sim.cost.per_capita(still).tobytes()
    assert {0, 2}.isdisjoint(sim.cost.idle)
    assert sim.cost.dimension in sim.setting.idle


def test_growth_by_table_is_growth(jieshou: act.Plan) -> None:
    """Costs by table are those of the factors themselves to 3e-9 (a fitted law is itself a table with kinks), with truncation that binds and for fitted growth."""
    from actuarial.experience import base_year

    fitted = act.fit_growth(pd.Series([100.0, 109, 118, 133, 140, 161], index=range(2007, 2013)))
    base = base_year(jieshou)
    for growth in (
        act.expert_growth(0.2, sd=0.3, correlation=0.4),
        act.expert_growth(0.12, sd=0.05),
        fitted,
    ):
        cost = act.cost_forecast(base, act.stated_policy_factor(1.1, sd=0.05), growth)
        z = np.clip(np.random.default_rng(2).standard_normal((4000, cost.dimension)), -4.5, 4.5)
        own, policy, factor = cost.factors(z)
        stated = base.category_per_capita * (own * policy)[:, None] * factor
        np.testing.assert_allclose(cost.per_capita(z), stated, rtol=3e-9)


@pytest.mark.parametrize(
    "law", [Lognormal(1.0, 1.7), Gamma(1.0, 0.6), SplicedPareto(7.0, 1.0, 2e4, 0.01, 15e3, 0.3)]
)
@pytest.mark.parametrize("share", [1.0, 1e-3])
def test_sizes_by_table_are_the_law(law: Severity, share: float) -> None:
    """From the smallest uniform to the largest the table is the inverse distribution, save in the cell of a kink."""
    u = np.concatenate(
        [10.0 ** -np.arange(1, 9), 1 - 10.0 ** -np.arange(1, 9), np.linspace(0.001, 0.999, 5001)]
    )
    stated = law.quantile(1 - share * (1 - u))
    off = np.abs(sizes.Sizes(law, share)(u) / stated - 1)
    assert (off > 1e-6).sum() <= 2 * isinstance(law, SplicedPareto)
    assert off.max() < 1e-3
    ends = sizes.Sizes(law, share)(np.array([0.0, np.nextafter(1.0, 0.0)]))
    assert np.isfinite(ends).all()
    assert ends[0] >= 0


def test_single_claims_are_the_same_compiled(interpreted: Callable[[], None]) -> None:
    """A small pool's claims, drawn one by one with counts that vary more than Poisson's, agree to the last bit."""
    counts, shares = np.array([0.09, 1.6]), np.full(12, 1 / 12)
    tail = SplicedPareto(7.0, 1.0, 2e4, 0.01, 15e3, 0.3)
    laws = (tail.scaled(1 / tail.mean), Lognormal(1.0, 1.5))
    large = plan_large(laws, counts * 900, np.array([2700.0, 16.0]), 3.0, 1 / 12, None)
    s: Any = SimpleNamespace(counts=counts, spread=None, shares=shares, large=large, year=2014, fund=0,
                        without=frozenset(), kept=None)  # fmt: skip
    each = np.broadcast_to(counts * [2700.0, 16.0], (600, 2))
    compiled = claims_of(s, 3, 0, np.full(600, 900.0), each).tobytes()
    interpreted()
    assert claims_of(s, 3, 0, np.full(600, 900.0), each).tobytes() == compiled
