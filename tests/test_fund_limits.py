"""Closed forms of degenerate funds, and absurd sizes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import stats

import actuarial as act
from actuarial.experience import base_year
from actuarial.plan import Patch, Plan

EVERYTHING = ("base", "completion", "policy", "growth", "enrolment", "process")


def run(plan: Plan, growth: float = 0.12, sd: float = 0.05, paths: int = 3000, **more: Any) -> act.Simulation:
    """The plan's fund under a stated growth, warnings put aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cost = act.cost_forecast(
            base_year(plan), act.stated_policy_factor(1.0), act.expert_growth(growth, sd=sd)
        )
        return act.Fund(plan).simulate(cost, paths=paths, **more)


def changed(plan: Plan, **changes: Any) -> Plan:
    """The plan with changes; ``__`` in a name is a dot."""
    return plan.patched(
        [Patch(path=k.replace("__", "."), value=v, source="test") for k, v in changes.items()]
    )


def test_without_any_risk_the_target_is_arithmetic(jieshou: Plan) -> None:
    """All switched off, every path is the plan's own arithmetic: one need at every probability, and the balance rolls by hand."""
    sim = run(jieshou, without=EVERYTHING)
    s = sim.setting
    assert np.ptp(sim.claims, axis=0).max() == 0
    level = s.at_valuation
    rest = sim.cost.base.total - sim.cost.base.experience.paid
    for m, share in enumerate(s.stub):
        level = level * (1 + s.interest) + s.stub_income[m] - rest * share - (s.unpaid if m == 0 else 0.0)
    yearly = s.heads * float(sim.cost.base.category_per_capita.sum()) * 1.12
    slope, need = 0.0, -np.inf
    for m in range(12):
        level = level * (1 + s.interest) - yearly * s.shares[m] - s.heads * s.premium_per_head[m]
        slope = slope * (1 + s.interest) + s.heads * s.receipts[m]
        need = max(need, -level / slope)
    for alpha in (1e-6, 0.05, 0.999):
        assert sim.premium_target(alpha, criterion="any_month").value == pytest.approx(need, rel=1e-9)


def test_with_normal_risk_the_target_is_a_normal_quantile(jieshou: Plan) -> None:
    """With the randomness of claims alone, nearly normal in a city, the year's need is its mean plus a normal quantile of its spread."""
    sim = run(jieshou, paths=60_000, without=tuple(f for f in EVERYTHING if f != "process"))
    s = sim.setting
    growth = (1 + s.interest) ** np.arange(11, -1, -1)
    each = sim.cost.base.category_per_capita * 1.12
    k2 = s.heads * float(
        (
            s.counts
            * s.spread[0]
            * np.divide(each, s.counts, out=np.zeros_like(each), where=s.counts > 0) ** 2
        ).sum()
    )
    mean = float(
        s.heads * each.sum() * (s.shares * growth).sum() + (s.heads * s.premium_per_head * growth).sum()
    )
    sd = float(np.sqrt(k2 * (s.shares * growth**2).sum()))
    for alpha in (0.5, 0.25, 0.05, 0.01):
        stated = (mean + stats.norm.isf(alpha) * sd) / s.slope[-1]
        low, high = sim.premium_target(alpha, criterion="current_year").interval
        room = 0.02 * sd / s.slope[-1]  # the skewness that is left
        assert low - room <= stated <= high + room


@pytest.mark.parametrize("growth", [-0.99, -0.5, 5.0])
def test_absurd_growth_rolls_and_orders(jieshou: Plan, growth: float) -> None:
    """Costs nearly gone or sixfold: balances are finite and roll, and the target follows the cost."""
    sim = run(jieshou, growth=growth, sd=0.05 * (1 + growth))
    usual = run(jieshou)
    assert np.isfinite(sim.arrays.at_zero).all()
    assert (sim.claims >= 0).all()
    targets = [x.premium_target(0.05, criterion="current_year").value for x in (sim, usual)]
    assert (targets[0] > targets[1]) == (growth > 0.12)
    ratio = sim.claims.mean() / usual.claims.mean()
    assert ratio == pytest.approx((1 + growth) / 1.12, rel=0.02)


@pytest.mark.parametrize("heads", [0, 1, 1e9])
def test_any_number_of_insured(jieshou: Plan, heads: float) -> None:
    """Nobody costs nothing and needs nothing of the year's own; one person and a billion have the same mean cost per head."""
    if heads == 0:
        with pytest.raises(act.InputError):
            changed(jieshou, insured__next_year=0)
        return
    sim = run(changed(jieshou, insured__next_year=heads), paths=20_000)
    per_head = sim.claims.sum(axis=1) / heads
    error = 5 * per_head.std() / np.sqrt(len(per_head))
    systemic = float(sim.arrays.cost_per_capita.mean())
    assert per_head.mean() == pytest.approx(systemic, abs=error)
    assert np.isfinite(sim.premium_target(0.05, criterion="current_year").value)


@pytest.mark.parametrize("alpha", [1e-6, 0.999])
def test_ends_of_alpha_and_one_path(jieshou: Plan, alpha: float) -> None:
    """Nearly no risk takes the worst path, nearly all the best; of one path it is always that one."""
    sim = run(jieshou, paths=500)
    needs = np.sort(sim.needs["any_month"])
    target = sim.premium_target(alpha, criterion="any_month")
    assert target.value == (needs[-1] if alpha < 0.5 else needs[0])
    assert (target.interval[1] == np.inf) == (alpha < 0.5)
    one = run(jieshou, paths=1)
    assert one.premium_target(alpha, criterion="any_month").value == one.needs["any_month"][0]


def test_balances_of_ten_trillion_keep_their_cents(jieshou: Plan) -> None:
    """An opening of 10¹³ yuan: flows are conserved to 1e-9 of the balance, no path is short."""
    sim = run(changed(jieshou, opening__free__value=1e13), paths=200)
    s, growth = sim.setting, 1 + sim.setting.interest
    before = np.column_stack([sim.opening, sim.arrays.at_zero[:, :-1]])
    rolled = before * growth - sim.claims - sim.arrays.heads[:, None] * s.premium_per_head
    rolled[:, 0] += s.late_income
    np.testing.assert_allclose(sim.arrays.at_zero, rolled, rtol=1e-9)
    assert sim.deficit_probability()["any_month"] == 0
