"""Sources of randomness switched off one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import actuarial as act
from actuarial.fund.shares import variance_shares
from actuarial.fund.switches import SOURCES
from actuarial.plan import Plan
from tests.conftest import cost_of, simulate_plan


@pytest.fixture
def plan(plan_with: Callable[..., Plan]) -> Plan:
    """Jieshou with heads uncertain by 4% and a policy factor by 3%."""
    return plan_with("jieshou", {"insured.next_year_sd": 0.04, "policy.sd": 0.03})


def test_each_source_off_takes_its_variance(plan: Plan) -> None:
    """The variance of claims falls by each source's Shapley share, and the shares of what is left name it no more."""
    whole = simulate_plan(plan, paths=60_000, threads=1)
    shares = variance_shares(whole).table.set_index("factor")["share"]
    total = whole.claims.sum(axis=1).var()
    for name in ("base", "policy", "growth", "enrolment"):
        less = simulate_plan(plan, paths=60_000, threads=1, without=(name,)).claims.sum(axis=1).var()
        assert shares[name] > 0.005
        assert 1 - less / total == pytest.approx(shares[name], abs=0.02), name
    calm = simulate_plan(plan, paths=60_000, threads=1, without=("process",))
    assert variance_shares(calm).single["process"] == pytest.approx(0, abs=1e-20)
    assert calm.claims.sum(axis=1).var() < total


def test_other_streams_do_not_move(plan: Plan) -> None:
    """With growth off, heads and the base year are the same bytes; with the base off, only it and claims change."""
    whole = simulate_plan(plan, paths=9000, threads=1)
    flat = simulate_plan(plan, paths=9000, threads=2, without=("growth",))
    assert whole.arrays.heads.tobytes() == flat.arrays.heads.tobytes()
    assert whole.arrays.base_total.tobytes() == flat.arrays.base_total.tobytes()
    assert not np.array_equal(whole.claims, flat.claims)
    sure = simulate_plan(plan, paths=9000, threads=1, without="base")
    assert np.ptp(sure.arrays.base_total) == 0
    assert whole.arrays.heads.tobytes() == sure.arrays.heads.tobytes()


@pytest.mark.parametrize("sample", ["jieshou", "anhui_county"])
def test_all_off_is_the_roll_forward_by_hand(sample: str) -> None:
    """Without any randomness every path is last year's cost times the median factors, rolled month by month in plain Python."""
    plan = act.load_plan(act.sample_path(f"{sample}/plan.yaml"))
    cost = cost_of(plan)
    run = act.Fund(plan).simulate(cost, paths=50, threads=1, without=SOURCES)
    s = run.setting
    total = cost.waterfall()["yuan_per_person"].sum()
    level = s.at_valuation
    rest = (
        cost.base.total * float(cost.base_factor(np.zeros((1, cost.dimension)))[0])
        - cost.base.experience.paid
    )
    for m, share in enumerate(s.stub):
        level += level * s.interest + s.stub_income[m] - rest * share - (s.unpaid if m == 0 else 0)
    if not len(s.stub):
        level -= s.unpaid
    for m in range(12):
        level += level * s.interest + s.heads * (s.receipts[m] * run.standard - s.premium_per_head[m])
        level -= s.heads * total * s.shares[m] - (s.late_income if m == 0 else 0)
        assert run.balances()[:, m] == pytest.approx(level, rel=1e-9)


def test_large_claims_are_switched_off_too(plan_with: Callable[..., Plan]) -> None:
    """In a town of 4,892 whose claims are drawn one by one, claims without their randomness are heads × cost × season."""
    plan = plan_with("jieshou", {"insured.next_year": 4892.0, "insured.next_year_sd": 0.02})
    run = simulate_plan(plan, paths=200, threads=1, without=("process",))
    assert run.setting.large is not None
    by_hand = (run.arrays.heads * run.arrays.cost_per_capita)[:, None] * run.setting.shares
    np.testing.assert_allclose(run.claims, by_hand, rtol=1e-12)
