"""A year of which some months have been seen: fixed months, conditional rest, balances that roll."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.errors import InputError
from actuarial.fund import Simulation
from actuarial.fund.categories import category_paths, rest_by_category
from actuarial.fund.observed import flows_of, season
from actuarial.plan import Plan


@pytest.fixture(scope="module")
def plain(jieshou: Plan, simulate: Callable[..., Simulation]) -> Simulation:
    """Jieshou without anything seen, 60,000 paths."""
    return simulate(jieshou, paths=60_000)


def seen_months(sim: Simulation, months: int, factor: float, **more: object) -> act.MonthlyActuals:
    """Actual months that are a multiple of what was expected."""
    claims = factor * sim.claims.mean(axis=0)[:months]
    return act.MonthlyActuals(claims=claims.tolist(), source="test", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("months", "factor"), [(1, 1.1), (3, 0.95), (6, 1.05), (9, 1.0)])
def test_rest_of_the_year_agrees_with_weighted_paths(plain: Simulation, months: int, factor: float) -> None:
    """Mean and sd of the year's end equal those of unconditional paths weighted by their likelihood."""
    seen = seen_months(plain, months, factor)
    given_seen = plain.fund.simulate(plain.cost, paths=60_000, observed=seen)
    found = given_seen.claims.sum(axis=1)
    share = season(plain.setting, months, plain.seed, plain.paths)
    usual = plain.setting.shares[:months].sum()
    expected = plain.arrays.heads * plain.arrays.cost_per_capita * share
    target = float(np.sum(seen.claims))
    noise = (
        plain.claims[:, :months].sum(axis=1) / (plain.arrays.heads * plain.arrays.cost_per_capita * usual)
    ).std()
    width = max(noise, 0.004)  # a kernel no narrower than this keeps enough weighted paths
    weights = np.exp(-0.5 * ((np.log(target) - np.log(expected)) / width) ** 2)
    weights /= weights.sum()
    rest = plain.claims[:, months:].sum(axis=1) * (1 - share) / (1 - usual)
    mean = target + weights @ rest
    sd = np.sqrt(weights @ (target + rest - mean) ** 2)
    effective = 1 / (weights**2).sum()
    assert effective > 1500
    assert found.mean() == pytest.approx(mean, abs=5 * sd / np.sqrt(effective) + 0.002 * mean)
    assert found.std() == pytest.approx(sd, rel=0.12)


def test_months_seen_are_fixed(plain: Simulation) -> None:
    """Months seen are the same on every path, the others are not; the year narrows as months are seen."""
    spread = []
    for months in (1, 4, 8, 11):
        seen = seen_months(plain, months, 1.02)
        sim = plain.fund.simulate(plain.cost, paths=8000, observed=seen)
        assert (sim.claims[:, :months] == np.asarray(seen.claims)).all()
        assert (sim.claims[:, months:].std(axis=0) > 0).all()
        spread.append(sim.claims.sum(axis=1).std())
    assert spread == sorted(spread, reverse=True)


def test_a_year_wholly_seen_has_no_risk(plain: Simulation) -> None:
    """Twelve months, income and opening seen: one balance, that of pencil and paper."""
    claims, income = [1e7] * 12, [1.2e7] * 12
    seen = act.MonthlyActuals(claims=claims, income=income, opening=5e7, source="test")
    sim = plain.fund.simulate(plain.cost, paths=500, observed=seen)
    j = 1 + plain.setting.interest
    level = 5e7
    for month in range(12):
        level = level * j + 2e6 - (17 * 647_000 if month == 0 else 0.0)
        np.testing.assert_allclose(sim.balances()[:, month], level, rtol=1e-9)
    assert sim.closing(1e6) == pytest.approx(sim.closing(0.0))  # nothing is left for the amount to move


def test_income_that_came_late_comes_at_the_end(plain: Simulation) -> None:
    """With the planned receipts seen the closing balance is as without; what came short comes in December."""
    sim = plain.fund.simulate(plain.cost, paths=300, observed=seen_months(plain, 3, 1.0))
    planned = plain.setting.receipts[:3] * plain.setting.heads * plain.standard
    same = plain.fund.simulate(
        plain.cost, paths=300, observed=seen_months(plain, 3, 1.0, income=planned.tolist())
    )
    np.testing.assert_allclose(same.balances(), sim.balances(), rtol=1e-9, atol=1.0)
    short = plain.fund.simulate(
        plain.cost, paths=300, observed=seen_months(plain, 3, 1.0, income=(planned * 0.9).tolist())
    )
    gap = (sim.balances() - short.balances())[0]
    assert gap[2] == pytest.approx(0.1 * planned.sum(), rel=0.01)
    assert abs(gap[11]) < 0.004 * gap[2]  # only the interest is lost


def test_a_known_base_year_takes_its_error_out(plain: Simulation) -> None:
    """Once the base year is known, next year is narrower, and a dear base year makes it dearer."""
    total = float(np.median(plain.arrays.base_total))
    low, high = (
        plain.fund.simulate(
            plain.cost, paths=20_000, observed=seen_months(plain, 1, 1.0, base_total=f * total)
        )
        for f in (0.98, 1.02)
    )
    without = plain.fund.simulate(plain.cost, paths=20_000, observed=seen_months(plain, 1, 1.0))
    assert np.ptp(low.arrays.base_total) == 0
    assert np.ptp(low.opening) < 1.0  # the unseen months' claims are known, and with them the opening
    assert low.opening[0] - high.opening[0] == pytest.approx(0.04 * total, rel=1e-3)
    assert low.claims.sum(axis=1).mean() < high.claims.sum(axis=1).mean()
    assert low.claims.sum(axis=1).std() < without.claims.sum(axis=1).std()


@given(st.integers(1, 12), st.floats(0.5, 2.0), st.floats(-1e8, 1e8))
def test_balances_roll_with_months_seen(
    plain: Simulation, months: int, factor: float, opening: float
) -> None:
    """Whatever was seen: each balance is the last one with interest, claims, receipts and premiums."""
    seen = seen_months(plain, months, factor, opening=opening)
    sim = plain.fund.simulate(plain.cost, paths=20, observed=seen)
    balances, before = sim.balances(), np.full(20, opening)
    j, heads = 1 + sim.setting.interest, sim.arrays.heads
    for m in range(12):
        flow = heads * (sim.standard * sim.setting.receipts[m] - sim.setting.premium_per_head[m])
        now = before * j + flow - sim.claims[:, m] + (sim.setting.late_income if m == 0 else 0.0)
        np.testing.assert_allclose(balances[:, m], now, rtol=1e-9, atol=1e-9 * abs(opening) + 0.05)
        before = balances[:, m]


def test_other_flows_come_from_the_balances(plain: Simulation) -> None:
    """What moves balances besides claims is the critical-illness premium in month 1 and nothing else."""
    flows = flows_of(plain.setting, plain.arrays)
    np.testing.assert_allclose(flows[:, 0], -17 * 647_000, rtol=1e-6)
    np.testing.assert_allclose(flows[:, 1:], 0.0, atol=1.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": []},
        {"claims": [1.0] * 13},
        {"claims": [-1.0]},
        {"claims": [0.0, 0.0]},
        {"claims": [float("inf")]},
        {"claims": [1.0], "income": [1.0, 2.0]},
        {"claims": [1.0], "opening": float("nan")},
        {"claims": [1.0], "base_total": 0.0},
    ],
)
def test_impossible_months_are_refused(wrong: dict[str, object]) -> None:
    """No months, too many, negative or endless amounts, lengths that differ: one error says so."""
    with pytest.raises(InputError) as caught:
        act.MonthlyActuals(**wrong, source="s")  # type: ignore[arg-type]
    assert caught.value.code == "fund.observed"


def test_paths_that_have_seen_months_are_those_of_a_fresh_run(plain: Simulation) -> None:
    """`given` moves the paths that there are; a fresh run with the same months has the same bytes."""
    seen = seen_months(plain, 4, 1.05)
    moved, fresh = plain.given(seen), plain.fund.simulate(plain.cost, paths=60_000, observed=seen)
    assert np.array_equal(moved.claims, fresh.claims)
    assert np.array_equal(moved.balances(), fresh.balances())
    assert moved.sources == fresh.sources
    assert plain.observed is None


def test_categories_sum_to_the_year_and_follow_their_own_months(plain: Simulation) -> None:
    """Parts sum to the whole on every path; a category that began 10% dearer than the others ends dearer."""
    expected = category_paths(plain).mean(axis=0) * plain.setting.shares[:6].sum()
    assert category_paths(plain).sum(axis=1) == pytest.approx(
        plain.arrays.heads * plain.arrays.cost_per_capita
    )
    dearer = expected.copy()
    dearer[1] *= 1.1
    parts = {}
    for name, seen in (("same", expected), ("dearer", dearer)):
        given_seen = plain.given(act.MonthlyActuals(claims=[seen.sum() / 6] * 6, source="test"))
        rest = given_seen.claims[:, 6:].sum(axis=1)
        parts[name] = rest_by_category(plain, seen, 6, rest)
        np.testing.assert_allclose(parts[name].sum(axis=1), rest, rtol=1e-9)
    share = parts["same"].mean(axis=0) / expected
    assert share / share.mean() == pytest.approx(np.ones(len(share)), abs=0.02)
    told = parts["dearer"].mean(axis=0) / parts["same"].mean(axis=0)
    assert told[1] > np.delete(told, 1).max()
    unlisted = expected.copy()
    unlisted[2] = np.nan
    assert rest_by_category(plain, unlisted, 6, rest)[:, 2].mean() > 0  # not reported is not nothing
    unlisted[2] = 0.0
    assert rest_by_category(plain, unlisted, 6, rest)[:, 2].max() == 0  # nothing seen goes on as nothing
