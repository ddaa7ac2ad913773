"""When trouble begins, how bad the worst years are, the limits, and cost by category."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.budget import indicators
from actuarial.fund import Simulation
from actuarial.fund.trouble import category_costs, trouble, worst
from actuarial.plan import Plan

Simulate = Callable[..., Simulation]
PATHS = 3000


@pytest.fixture(scope="module", params=["jieshou", "anhui"])
def sim(request: pytest.FixtureRequest, simulate: Simulate) -> Simulation:
    """Either sample on few paths."""
    plan: Plan = request.getfixturevalue(request.param)
    return simulate(plan, paths=PATHS)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.0, 1.1, 3.0])
def test_first_month_by_looking_at_each_path(sim: Simulation, factor: float) -> None:
    """The distribution of the first month is what counting month by month, path by path, gives."""
    p = factor * sim.standard
    found, count, short = trouble(sim, p), [0] * 12, 0
    for path in sim.balances(p).tolist():
        for month, balance in enumerate(path):
            if balance < 0:
                count[month] += 1
                short += 1
                break
    assert found.months["first"].tolist() == [c / PATHS for c in count]
    assert found.probability == pytest.approx(short / PATHS)
    assert found.probability == pytest.approx(float(sim.deficit_probability(p)["any_month"]))
    assert found.likeliest_month == (1 + int(np.argmax(count)) if short else None)
    closing = float(sim.deficit_probability(p)["closing"])
    assert found.months["short"].iloc[-1] == pytest.approx(closing)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60),
    st.integers(1, 99),
)
def test_tail_mean_is_the_integral_of_quantiles(values: list[float], percent: int) -> None:
    """Tail mean equals that of the lowest part when each value is repeated a hundred times; it never passes the value at risk."""
    var, tvar = worst(np.array(values), percent / 100)
    many = sorted(v for v in values for _ in range(100))[: percent * len(values)]
    assert tvar == pytest.approx(sum(many) / len(many), rel=1e-9, abs=1e-6)
    assert tvar <= var + 1e-6
    assert sum(v < var for v in values) <= percent * len(values) / 100


def test_tails_look_the_right_way(sim: Simulation) -> None:
    """Balances are worst when low, claims when high; the amount at risk falls to 0 at the target that keeps the year's end."""
    tail = trouble(sim, alpha=0.05).tail.set_index("quantity")
    assert tail.loc["closing_balance", "tvar"] < tail.loc["closing_balance", "var"]
    assert tail.loc["closing_balance", "var"] < tail.loc["closing_balance", "mean"]
    assert tail.loc["claims", "mean"] < tail.loc["claims", "var"] < tail.loc["claims", "tvar"]
    target = sim.premium_target(0.05, criterion="closing").value
    at = trouble(sim, target, alpha=0.05).tail.set_index("quantity").loc["closing_balance", "var"]
    assert abs(at) < 1e-6 * sim.setting.heads * target


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_indicators_are_those_of_the_budget(sim: Simulation, factor: float) -> None:
    """Values and limits agree with the draft's; the probability beyond a limit is counted over paths."""
    p = factor * sim.standard
    ours = trouble(sim, p).indicators.set_index("indicator")
    draft = indicators(sim, p).set_index("indicator")
    for name in draft.index:
        assert ours.loc[name, "value"] == pytest.approx(draft.loc[name, "value"], rel=1e-9)
        assert ours.loc[name, "law"] == draft.loc[name, "law"]
    row = ours.loc["cumulative_balance_ratio"]
    assert row["limit"] == 0.25
    assert row["document"]
    closing, spent = sim.closing(p), sim.claims.sum(axis=1)
    spent = spent + sim.arrays.heads * sim.setting.premium_per_head.sum()
    over = sum(c > 0.25 * (c - o + x) for c, o, x in zip(closing, sim.opening, spent, strict=True))
    assert row["beyond"] == pytest.approx(over / PATHS)


def test_cost_by_category_is_that_of_the_paths(sim: Simulation) -> None:
    """The categories redrawn add up to the paths' own systemic cost, and the spread of all to that of simulated claims."""
    found = category_costs(sim).set_index("category")
    each, whole = found.drop("all"), found.loc["all"]
    own = sim.arrays.heads * sim.arrays.cost_per_capita
    assert whole["expected"] == pytest.approx(own.mean(), rel=1e-12)
    assert whole["systemic_sd"] == pytest.approx(own.std(), rel=1e-9)
    assert each["expected"].sum() == pytest.approx(whole["expected"], rel=1e-12)
    noise = sim.claims.sum(axis=1) - own
    assert whole["random_sd"] == pytest.approx(noise.std(), rel=0.08)
    assert (each["low"] <= each["expected"]).all()
    assert (each["expected"] <= each["high"]).all()


def test_one_sentence_and_a_chart(sim: Simulation) -> None:
    """The summary names the amount in both languages, and where nothing happens no month is named."""
    for lang in ("zh", "en"):
        said = trouble(sim).summary(lang)
        assert f"{sim.standard:g}" in said
        assert len(said.splitlines()) == 3
    calm = trouble(sim, 5 * sim.standard)
    assert "no path is below 0" in calm.summary("en")
    assert "没有" in calm.summary("zh")
    assert calm.plot().get_ylim()[1] == 1.0
    assert act.trouble is trouble


def test_a_fund_short_without_claims_is_told_so(
    anhui: Plan, cost: Callable[[Plan], act.CostForecast]
) -> None:
    """Where month 1 is short before any claim, no growth below −100% is named as what breaks the fund."""
    found = act.reverse_stress(act.Fund(anhui), cost(anhui), criterion="any_month", paths=2000)
    assert found.growth < -1
    assert "even without any claims" in found.summary("en")
    assert f"{100 * found.growth:.1f}" not in found.summary("zh")
    later = act.reverse_stress(act.Fund(anhui), cost(anhui), criterion="closing", paths=2000)
    assert later.growth > -1
    assert "even without" not in later.summary("en")
