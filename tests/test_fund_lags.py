"""Payment lag and providers with budgets: conservation on every path, closed forms, both balances."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actuarial as act
from actuarial.budget import settle_providers
from actuarial.fund.chunks import EXCESS, collect
from actuarial.fund.lags import PaymentLag, unpaid_pattern
from actuarial.fund.needs import stress_of
from actuarial.fund.observed import condition
from actuarial.fund.paths import PathArrays, rest_of, simulate_chunk
from actuarial.fund.sampling import SOBOL, SOBOL_BLOCK
from actuarial.fund.switches import SOURCES
from actuarial.plan import Patch, Plan
from tests.claim_plans import plan_of_claims
from tests.conftest import cost_of, simulate_plan
from tests.test_fund_shocks import FLU, RULE, changed

LAG = {"pattern": [0.5, 0.3, 0.15, 0.05], "status": "assumed", "source": "test"}
QUOTA = "china/taicang/contract/provider_quota@2008-01-01"
PROVIDERS = {"rule": QUOTA, "budget": "expected", "share": 0.8, "status": "assumed", "source": "test"}
patterns = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=25).filter(lambda p: sum(p) > 0.1)


def rolled(run: act.Simulation, premium: float) -> np.ndarray:
    """Balances rolled month by month in plain Python from opening, payments and receipts, shape (n, 12)."""
    s, arrays = run.setting, run.arrays
    out = np.empty((run.paths, 12))
    for i in range(run.paths):
        level = float(run.opening[i])
        for m in range(12):
            level += level * s.interest - float(arrays.claims[i, m])
            level += float(arrays.heads[i]) * (s.receipts[m] * premium - s.premium_per_head[m])
            level += s.late_income if m == 0 else 0.0
            out[i, m] = level
    return out


@given(
    patterns,
    st.lists(st.floats(0, 1e8), min_size=12, max_size=12),
    st.lists(st.floats(0, 1e8), min_size=24, max_size=24),
)
def test_nothing_is_lost(pattern: list[float], incurred: list[float], due: list[float]) -> None:
    """Incurred + opening liabilities = paid + closing liabilities, over two years, for any pattern."""
    share = np.array(pattern) / sum(pattern)
    lag = PaymentLag(share, np.zeros(24), True, None)
    amount, owed = np.array([incurred]), np.array([due])
    paid, left = lag.pay(amount, owed)
    assert paid.sum() + left.sum() == pytest.approx(amount.sum() + owed.sum(), rel=1e-12, abs=1e-6)
    assert (paid >= 0).all()
    assert (left >= 0).all()
    again, rest = lag.pay(amount, left)
    assert again.sum() + rest.sum() == pytest.approx(amount.sum() + left.sum(), rel=1e-12, abs=1e-6)


@settings(max_examples=12)
@given(
    patterns, st.floats(0, 0.6), st.floats(0.3, 1), st.booleans(), st.sampled_from(["jieshou", "anhui_county"]),
    st.floats(100, 900),
)  # fmt: skip
def test_balances_roll_on_every_path(
    pattern: list[float], rate: float, share: float, poisson: bool, sample: str, premium: float
) -> None:
    """With shocks, a dated policy, providers and a lag on: cash rolls within 1e-9, incurred = paid + change of liabilities."""
    plan = act.load_plan(act.sample_path(f"{sample}/plan.yaml"))
    year = plan.base_year.year + 1
    lag = [float(p) / sum(pattern) for p in pattern]
    lag[-1] = 1 - sum(lag[:-1]) if 0 <= 1 - sum(lag[:-1]) <= 1 else lag[-1]
    plan = changed(
        plan, shocks={"flu": {**FLU, "rate": rate, "law": "poisson" if poisson else "bernoulli"}},
        policy_starts={"reform": {**RULE, "on": f"{year}-05-11"}}, payment_lag={**LAG, "pattern": lag},
        providers={**PROVIDERS, "share": share, "deviation": 0.1},
    )  # fmt: skip
    run = simulate_plan(plan, paths=30, threads=1)
    scale = run.claims.sum(axis=1).max()
    np.testing.assert_allclose(run.balances(premium), rolled(run, premium), rtol=1e-9, atol=1e-9 * scale)
    owed = run.liabilities
    change = owed[:, 1:] - owed[:, :-1]
    np.testing.assert_allclose(run.incurred, run.claims + change, rtol=1e-9, atol=1e-9 * scale)
    assert (owed > -1e-9 * scale).all()
    incurred = run.balances(premium, basis="incurred")
    np.testing.assert_allclose(incurred, run.balances(premium) - owed[:, 1:], rtol=1e-12)
    assert (run.claims >= 0).all()


def test_a_lag_of_nothing_is_the_plain_answer(jieshou: Plan) -> None:
    """Paid in the month of service: the plain bytes of claims, no liabilities, both balances the same."""
    run = simulate_plan(changed(jieshou, payment_lag={**LAG, "pattern": [1.0]}), paths=3000)
    plain = simulate_plan(jieshou, paths=3000)
    assert run.claims.tobytes() == plain.claims.tobytes()
    assert run.balances().tobytes() == plain.balances().tobytes()
    assert not run.liabilities.any()
    assert not plain.liabilities.any()
    assert plain.incurred is plain.claims


def test_payments_of_a_sure_year(jieshou: Plan) -> None:
    """Without randomness: payments are the pattern over the base year's and the planned year's months, by hand."""
    run = simulate_plan(changed(jieshou, payment_lag=LAG), paths=2, without=SOURCES)
    base = run.arrays.base_total[0] * run.cost.base.profile.shares
    months = [*base, *run.incurred[0]]
    by_hand = [sum(q * months[12 + m - lag] for lag, q in enumerate(LAG["pattern"])) for m in range(12)]  # type: ignore[arg-type]
    np.testing.assert_allclose(run.claims[0], by_hand, rtol=1e-12)
    opening = base[11] * 0.5 + base[10] * 0.2 + base[9] * 0.05
    assert run.liabilities[0, 0] == pytest.approx(opening, rel=1e-12)


def test_unpaid_of_an_even_year() -> None:
    """With claims even over months the unpaid at the year's end are a month's claims times the mean delay."""
    pattern = np.array([0.2, 0.5, 0.2, 0.1])
    delay = float(pattern @ np.arange(4))
    assert unpaid_pattern(pattern, np.full(12, 1 / 12)).sum() == pytest.approx(delay / 12)


@pytest.mark.slow
def test_claims_on_the_incurred_basis_pay_by_their_own_run_off(tmp_path: Path) -> None:
    """Where the base year is incurred, what is unpaid at its end is not paid before: cash begins higher by just that amount."""
    plain = act.load_plan(plan_of_claims(tmp_path / "plan", 4000))
    lagged = changed(plain, payment_lag={**LAG, "pattern": "completion"})
    cost = cost_of(plain)
    with_lag, without = (act.Fund(p).simulate(cost, paths=300, seed=1, threads=1) for p in (lagged, plain))
    lag = with_lag.setting.risk.lag  # type: ignore[union-attr]
    assert lag is not None
    assert lag.incurred
    assert lag.pattern.sum() == pytest.approx(1)
    owed = with_lag.liabilities[:, 0]
    assert (owed > 0).all()
    np.testing.assert_allclose(with_lag.opening - without.opening, owed, rtol=2e-3)
    paid_by_then = with_lag.arrays.base_total - owed
    assert (paid_by_then >= cost.base.experience.paid - 1e-6).all()


def test_what_is_unpaid_of_the_base_year() -> None:
    """By the pattern; on the incurred basis not more than is unpaid already, and all of that where the year is over."""
    pattern = np.array([0.4, 0.4, 0.2])
    base = unpaid_pattern(pattern, np.full(12, 1 / 12))
    total = np.array([1200.0, 1000.0])
    cash, incurred = (PaymentLag(pattern, base, basis, None) for basis in (False, True))
    assert cash.opening_due(total, 990.0, 2).sum(axis=1).tolist() == pytest.approx([80, 1000 / 15])
    assert incurred.opening_due(total, 990.0, 2).sum(axis=1).tolist() == pytest.approx([80, 10])
    assert incurred.opening_due(total, 990.0, 0).sum(axis=1).tolist() == pytest.approx([210, 10])
    at_once = PaymentLag(np.ones(1), np.zeros(24), True, None)
    assert at_once.opening_due(total, 990.0, 0)[:, 0].tolist() == pytest.approx([210, 10])


@pytest.mark.parametrize("accounts", [False, True])
def test_a_known_base_year_on_the_incurred_basis(accounts: bool, jieshou: Plan) -> None:
    """A base year that turned out dearer is paid before its end but for what is due after it; never less than nothing."""
    more = (
        {
            "transfers": {
                "t": {"kind": "from_above", "amount": 0.0, "month": 1, "status": "assumed", "source": "test"}
            }
        }
        if accounts
        else {}
    )
    plan = changed(jieshou, payment_lag=LAG, **more)
    fund = act.Fund(plan)
    cost = cost_of(plan)
    setting = fund.setting(cost)
    lag = replace(setting.risk.lag, incurred=True)  # type: ignore[union-attr, type-var]
    s = replace(setting, risk=replace(setting.risk, lag=lag), interest=0.0)  # type: ignore[type-var]
    arrays = PathArrays.room(s, 20)
    simulate_chunk(s, 1, 0, 0, 20, arrays)
    dearer = 1.2 * float(arrays.base_total.max())
    seen = act.MonthlyActuals(claims=[2.0e7], base_total=dearer, source="test")
    _, found = condition(s, arrays, seen, seed=1, standard=fund.financing.standard)
    whole = dearer - float(lag.opening_due(np.array([dearer]), cost.base.experience.paid, len(s.stub)).sum())
    before = arrays.base_total - arrays.due  # type: ignore[operator]
    change = arrays.stub_balance[:, -1] - found.stub_balance[:, -1]
    assert change == pytest.approx(whole - before, rel=2e-3)  # accounts keep their own interest
    much = replace(lag, opening=dearer)
    capped = replace(s, risk=replace(s.risk, lag=much))  # type: ignore[type-var]
    assert rest_of(capped, arrays.base_total, np.full(20, dearer)) == pytest.approx(0.0)


def test_reverse_stress_leaves_earlier_years_alone(jieshou: Plan) -> None:
    """At the multiple found the fund just breaks if the year's own claims are multiplied and what was due before is not."""
    plan = changed(jieshou, payment_lag=LAG)
    sim = simulate_plan(plan, paths=20)
    s, x = sim.setting, sim.arrays
    found = stress_of(s, x, 420.0, "closing")
    due = s.risk.opening(x.base_total, s.cost.base.experience.paid, len(s.stub))[:, :12]  # type: ignore[union-attr]
    more = (found - 1)[:, None] * (x.claims - due)
    closing = sim.closing(420.0) - (more * (1 + s.interest) ** np.arange(11, -1, -1)).sum(axis=1)
    assert closing == pytest.approx(0.0, abs=1.0)


def test_opening_liabilities_as_stated(jieshou: Plan) -> None:
    """A stated amount takes the place of the derived one, spread by the pattern."""
    opening = {"value": 3.0e7, "status": "stated", "source": "test"}
    run = simulate_plan(changed(jieshou, payment_lag={**LAG, "opening": opening}), paths=50)
    assert run.liabilities[:, 0] == pytest.approx(3.0e7)


@given(st.floats(0, 0.2))
@settings(max_examples=8)
def test_the_randomness_taken_out_of_means_has_mean_zero(rate: float) -> None:
    """What Sobol means take out (claims above their expectation) has mean 0 within five errors, all features on."""
    plan = changed(
        act.load_plan(act.sample_path("jieshou/plan.yaml")), shocks={"flu": {**FLU, "rate": rate}}, payment_lag=LAG,
        policy_starts={"reform": RULE}, providers=PROVIDERS,
    )  # fmt: skip
    s = act.Fund(plan).setting(cost_of(plan))
    kept = collect(s, [EXCESS], paths=8192, seed=4, sampler=SOBOL, block=SOBOL_BLOCK)["excess"]
    assert abs(kept.mean()) < 5 * kept.std() / np.sqrt(len(kept))
    assert kept.std() > 0


def test_settlement_is_that_of_the_budget(jieshou: Plan) -> None:
    """Path by path the fund pays providers what settle_providers says of the same claims; months flow by quota."""
    plan = changed(
        jieshou, providers={**PROVIDERS, "share": 1.0, "budget": "table", "factor": 1.3, "deviation": 0.2}
    )
    run = simulate_plan(plan, paths=40, threads=1)
    providers = run.setting.risk.providers  # type: ignore[union-attr]
    assert providers is not None
    assert providers.budgets.sum() == pytest.approx(1.3 * 173_510_000)
    raw = run.arrays.heads * run.arrays.cost_per_capita + run.arrays.noise.sum(axis=1)  # type: ignore[union-attr]
    z = np.zeros((40, 3))
    paid = providers.pay(raw, z, run.setting.shares)
    for i in range(5):
        frame = {
            "provider": providers.names,
            "budget": providers.budgets,
            "actual": providers.actual(raw, z)[i],
        }
        settled = settle_providers(pd.DataFrame(frame), "quota_2008").frame
        assert paid[i].sum() == pytest.approx(settled["fund_pays"].sum(), rel=1e-12)
        assert paid[i, :11].sum() == pytest.approx(
            settled["monthly"].sum() * run.setting.shares[:11].sum(), rel=1e-12
        )
    assert np.ptp(run.claims[:, :11].sum(axis=1)) < np.ptp(run.claims.sum(axis=1)) + 1


def test_sharing_takes_risk_off(jieshou: Plan) -> None:
    """Where providers bear half of what is above and keep a part of what is below, what the fund pays varies less."""
    plan = changed(jieshou, providers=PROVIDERS)
    shared, own = (simulate_plan(plan, paths=4000, without=w) for w in ((), ("providers",)))
    assert shared.claims.sum(axis=1).std() < 0.8 * own.claims.sum(axis=1).std()
    plain = simulate_plan(jieshou, paths=4000)
    np.testing.assert_allclose(own.claims, plain.claims, rtol=1e-12)


def test_parts_can_be_taken_away_by_a_scenario(jieshou: Plan) -> None:
    """A patch that states nothing again gives the plain bytes; one of a number inside moves it."""
    plan = changed(jieshou, payment_lag=LAG, providers=PROVIDERS, shocks={"flu": FLU})
    none = changed(plan, payment_lag=None, providers=None, shocks={})
    assert (
        simulate_plan(none, paths=500).balances().tobytes()
        == simulate_plan(jieshou, paths=500).balances().tobytes()
    )
    more = plan.patched([Patch(path="shocks.flu.factor", value=2.0, source="test")])
    assert more.model.shocks["flu"].factor == 2.0
