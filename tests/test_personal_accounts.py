"""Personal accounts: crediting by rule, Ruijin's borrowing, and the coal and Shanxi schemes on their printed figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import actuarial as act
from actuarial.errors import InputError
from actuarial.fund.payers import payer_amounts
from actuarial.fund.personal import account_credit, personal_accounts
from actuarial.pipeline import Answer
from actuarial.plan import Patch, Plan
from tests.conftest import simulate_plan

pytestmark = pytest.mark.filterwarnings(
    "ignore:统筹基金支付没有人次"
)  # not printed: the sample says so itself

COAL, SHANXI = "china/coal/crediting/guideline@1996-05-05", "china/shanxi/crediting/guideline@1999-01-01"
ASSUMED = {"status": "assumed", "source": "test"}


@pytest.fixture(scope="module")
def ruijin() -> Plan:
    """The sample."""
    return act.load_plan(act.sample_path("employees/ruijin/plan.yaml"))


@pytest.fixture(scope="module")
def run(ruijin: Plan) -> Answer:
    """The whole way, 2,000 paths."""
    return act.run(ruijin, paths=2000, threads=1)


def changed(plan: Plan, **changes: Any) -> Plan:
    """The plan with these changes; ``__`` in a name is a dot."""
    return plan.patched(Patch(path=k.replace("__", "."), value=v, source="test") for k, v in changes.items())


def test_printed_shares_of_wages() -> None:
    """Shanxi: 3.8% of wages to accounts and 4.2% pooled; coal at its caps: 4.5% to accounts."""
    shanxi, coal = account_credit(SHANXI, 100.0), account_credit(COAL, 100.0)
    assert (shanxi.account, shanxi.pooled) == (pytest.approx(3.8), pytest.approx(4.2))
    assert (coal.account, coal.pooled) == (pytest.approx(4.5), pytest.approx(3.5))


@pytest.mark.parametrize("factor", [0.65, 1.0, 1.35])
def test_age_factor_moves_money_and_makes_none(factor: float) -> None:
    """What an age group is credited more, the pooled fund gets less; beyond 65% to 135% is refused."""
    credit = account_credit(COAL, 20_000, age_factor=factor)
    assert credit.account + credit.pooled == pytest.approx(0.08 * 20_000)
    assert credit.from_employer == pytest.approx(0.07 * 0.5 * factor * 20_000)
    with pytest.raises(InputError):
        account_credit(COAL, 20_000, age_factor=factor + 0.71)


def test_ruijin_borrows_from_accounts(run: Answer, ruijin: Plan) -> None:
    """At the valuation date the pooled fund is short by spending less its own income, and that is account money."""
    found = run.accounts
    assert found is not None
    pooled_in = 0.7 * (800 + 156.3 + 623.28)
    assert found.pooled[:, 0] == pytest.approx(np.full(2000, (pooled_in - 2149) * 1e4))
    assert found.borrowed[:, 0] == pytest.approx(np.full(2000, (2149 - pooled_in) * 1e4))
    cash = 1157 + 2027 - 3184  # what was there, came, went
    assert found.pooled[0, 0] + found.accounts[0, 0] == pytest.approx(cash * 1e4, abs=1)
    assert "占用个人账户资金" in run.summary("zh")
    assert "uses" in run.summary("en")
    assert run.to_dict()["personal_accounts"]["now"]["borrowed"] == pytest.approx(1043.294e4, rel=1e-4)
    assert all(abs(r.gap) < 1 for r in run.reconciliations)


def test_cash_of_both_is_what_came_and_went(run: Answer) -> None:
    """Pooled and account money together: opening, all receipts, all spending and both interests, on every path within 1e-9."""
    found, sim = run.accounts, run.simulation
    assert found is not None
    j = 0.0035 / 12
    both = found.pooled + found.accounts
    flows = np.diff(both, axis=1) - both[:, :-1] * j  # both earn one rate here
    due = sim.standard * sim.arrays.heads
    spent = (sim.arrays.base_total - 2149e4) + sim.claims.sum(axis=1) + 1035e4 / 11 + found.spent
    assert flows.sum(axis=1) == pytest.approx(due + 56.66e4 - spent, rel=1e-9, abs=1e-2)
    assert (found.borrowed >= 0).all()
    assert (found.unfunded >= 0).all()
    assert found.borrowed - np.maximum(-found.pooled, 0) + found.unfunded == pytest.approx(0 * both)


def test_borrowing_never_improves_the_pooled_balance(ruijin: Plan) -> None:
    """More account money changes what is borrowed, and neither the pooled balances nor the target."""
    plain, rich = (
        simulate_plan(p, paths=200, threads=1)
        for p in (ruijin, changed(ruijin, personal_accounts__opening__value=9e7))
    )
    assert plain.balances().tobytes() == rich.balances().tobytes()
    assert plain.needs["current_year"].tobytes() == rich.needs["current_year"].tobytes()
    more, less = personal_accounts(rich), personal_accounts(plain)
    assert (more.unfunded == 0).all()
    assert more.borrowed.sum() > less.borrowed.sum()


@pytest.mark.parametrize(
    ("rule", "rates", "account", "pooled"),
    [(SHANXI, (0.06, 0.02), 0.038, 0.042), (COAL, (0.07, 0.01), 0.045, 0.035)],
)
def test_coal_and_shanxi_schemes_run(
    ruijin: Plan, rule: str, rates: tuple[float, float], account: float, pooled: float
) -> None:
    """Contributions by wage at the printed rates run the whole way; accounts and pooled fund get the printed shares of wages."""
    wage = 30_000.0
    plan = changed(
        ruijin, personal_accounts__rule=rule, personal_accounts__payers={"individual": "employee", "employer": "employer"},
        financing__wages={"employer": {"rate": rates[0], "wage": wage, **ASSUMED}, "individual": {"rate": rates[1], "wage": wage, **ASSUMED},
                          "subsidy_county": {"rate": 0.0, "wage": wage, **ASSUMED}, "subsidy_provincial": {"rate": 0.0, "wage": wage, **ASSUMED}},
    )  # fmt: skip
    amounts = payer_amounts(plan).set_index("payer")["per_capita"]
    assert amounts.sum() == pytest.approx(wage * sum(rates))
    sim = simulate_plan(plan, paths=100, threads=1)
    assert personal_accounts(sim).credited == pytest.approx(np.full(100, 20_000 * wage * account))
    assert sim.fund.financing.receipts.sum() * sim.standard == pytest.approx(wage * pooled)


def test_account_interest_in_closed_form(ruijin: Plan) -> None:
    """Without credits and spending, accounts grow by their own rate and the pooled fund by its own."""
    quiet = changed(
        ruijin, personal_accounts__interest_rate__value=0.12, personal_accounts__spent__value=0.0,
        personal_accounts__payers={"individual": "pooled"},
    )  # fmt: skip
    found = personal_accounts(simulate_plan(quiet, paths=20, threads=1))
    assert found.accounts[0] == pytest.approx(1157e4 * 1.01 ** np.arange(14))


def test_local_match_that_comes_late(ruijin: Plan) -> None:
    """Arrears of the local match cost accounts and pooled fund in the rule's proportion."""
    late = {"subsidy_county": {"mean": 0.5, **ASSUMED}}
    plain, short = (
        simulate_plan(p, paths=50, threads=1) for p in (ruijin, changed(ruijin, financing__arrivals=late))
    )
    gap = personal_accounts(plain).credited - personal_accounts(short).credited
    assert gap == pytest.approx(np.full(50, 0.3 * 0.5 * 8e6))
    assert plain.closing() - short.closing() == pytest.approx(np.full(50, 0.7 * 0.5 * 8e6), rel=1e-3)
