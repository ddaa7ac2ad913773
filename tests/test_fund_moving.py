"""The premium target beside a contract whose target moves with the amount: against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.fund.forecast import plan_cost
from actuarial.fund.moving import moving_target, short_stretches

WHOLE = st.integers(-6, 6).map(float)


@st.composite
def crooked(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges, slopes and levels of a few paths, each piecewise linear with jumps, rising in the end."""
    paths, edges = draw(st.integers(1, 5)), draw(st.integers(0, 4))
    each = st.lists(WHOLE, min_size=edges, max_size=edges).map(sorted)
    at = np.array(draw(st.lists(each, min_size=paths, max_size=paths))).reshape(paths, edges)
    rows = st.lists(WHOLE, min_size=edges + 1, max_size=edges + 1)
    slope = np.array(draw(st.lists(rows, min_size=paths, max_size=paths)))
    slope[:, -1] = np.abs(slope[:, -1])
    level = np.array(draw(st.lists(rows, min_size=paths, max_size=paths)))
    return at, slope, level


@given(crooked(), st.integers(0, 5))
def test_the_scan_is_brute_force(made: tuple[np.ndarray, np.ndarray, np.ndarray], most: int) -> None:
    """The answer is that of looking at every amount where anything can change, and between and beyond them."""
    edges, slope, level = made
    rows = np.arange(len(edges))

    def balance(p: np.ndarray) -> np.ndarray:
        piece = (p[:, None] > edges).sum(axis=1)
        return level[rows, piece] + slope[rows, piece] * p

    found = short_stretches(balance, edges)
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = -level / slope
    changes = np.unique(np.concatenate([edges.ravel(), roots[np.isfinite(roots)], [-100.0, 100.0]]))
    between = (changes[1:] + changes[:-1]) / 2
    count = np.array([(balance(np.full(len(edges), p)) < 0).sum() for p in between])
    beyond_all = int((balance(np.full(len(edges), 1e6)) < 0).sum())
    over = np.flatnonzero(count > most)
    if beyond_all > most:
        assert found.beyond(most) == np.inf
    elif len(over) and over[-1] > 0:
        assert found.beyond(most) == pytest.approx(changes[over[-1] + 1], abs=1e-9)
    for p, short in zip(between, count, strict=True):
        if np.abs(changes - p).min() > 1e-6:
            assert found.probability(float(p)) * len(edges) == pytest.approx(short)


@pytest.mark.parametrize("criterion", ["closing", "current_year", "any_month"])
@pytest.mark.parametrize("moves", [0.0, 1.0, 3.0])
def test_a_contract_by_brute_force(jieshou: act.Plan, criterion: str, moves: float) -> None:
    """On a grid of amounts, each with its own evaluation of the contract, nothing beyond the answer breaks the criterion."""
    sim = act.Fund(jieshou).simulate(plan_cost(jieshou), paths=600)
    deal = act.load_contract("china/jiande/contract/cooperation@2012-01-01")
    if moves == 3.0:  # the insurer takes more of a surplus than the income brings
        deal = deal.changed({"sharing.0.bands": [{"insurer": 0.6, "up_to": 3e7}, {"insurer": 0.05}]})
    found = moving_target(sim, deal, per_capita=370.0, moves=moves, criterion=criterion, alpha=0.1)
    heads, claims = sim.setting.heads, sim.claims.sum(axis=1)
    least = sim.standard - 300 / max(moves, 1.0)  # where the contract's target is still 70 yuan a head
    grid = np.arange(max(found.value - 60.5, least), found.value + 160, 1.0)
    share = []
    for p in grid:
        target = (370.0 + moves * (p - sim.standard)) * heads
        insurer = deal.evaluate(target=target, claims=claims).insurer
        balances = sim.balances(float(p))
        balances[:, -1] -= insurer
        if criterion == "current_year":
            grown = 1 + sim.setting.interest
            balances[:, -1] -= sim.opening * grown**12 + sim.setting.late_income * grown**11
        short = balances.min(axis=1) < 0 if criterion == "any_month" else balances[:, -1] < 0
        share.append(short.mean())
        assert found.stretches.probability(float(p)) == pytest.approx(short.mean(), abs=1 / 600)
    over = grid[np.array(share) > 0.1]
    assert found.value - 1 - 1e-6 <= over[-1] < found.value
    assert (found.returning > 0) == (moves == 3.0)
    assert found.interval[0] <= found.value <= found.interval[1]


def test_without_sharing_it_is_the_premium_target(jieshou: act.Plan) -> None:
    """A contract that shares nothing leaves the order statistic; a path that is short whatever is raised is found."""
    sim = act.Fund(jieshou).simulate(plan_cost(jieshou), paths=900)
    deal = act.load_contract("china/jiande/contract/cooperation@2012-01-01")
    nothing = deal.changed({"sharing.0.bands": [{"insurer": 0.0}]})
    for criterion in ("closing", "any_month", "current_year"):
        found = moving_target(sim, nothing, per_capita=370.0, moves=2.0, criterion=criterion)
        assert found.value == pytest.approx(found.without, rel=1e-12)
        assert found.without == sim.premium_target(criterion=criterion).value
        assert found.interval == pytest.approx(sim.premium_target(criterion=criterion).interval)
    greedy = deal.changed({"sharing.0.bands": [{"insurer": 0.9}]})
    assert moving_target(sim, greedy, per_capita=370.0, moves=4.0, criterion="closing").value == np.inf
    assert found.table["deficit_probability"].between(0, 1).all()
