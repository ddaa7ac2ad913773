"""Income beyond payers and calendar: arrears, accounts, transfers, reserves; conservation laws, closed forms, a slow oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import actuarial as act
from actuarial.fund.accounts import Move, banking
from actuarial.fund.arrivals import Arrival, late_calendar
from actuarial.fund.chunks import closing_at, collect, fan_of, need
from actuarial.fund.fleet import Shared
from actuarial.fund.income_views import account_flows, account_table, late_money, reserve_table
from actuarial.fund.needs import (
    CRITERIA,
    balances_of,
    carried_of,
    free_of,
    need_of,
    slope_of,
    spending_of,
    stress_of,
)
from actuarial.fund.paths import with_balances
from actuarial.fund.payers import payer_amounts
from actuarial.fund.reserve import Reserve, needed
from actuarial.fund.shares import variance_shares
from actuarial.fund.simulation import Simulation
from actuarial.plan import Patch, Plan
from actuarial.plan.income import ArrivalSpec
from tests.conftest import cost_of, simulate_plan

ASSUMED = {"status": "assumed", "source": "test"}
LATE = {"subsidy_central": {"mean": 0.9, "sd": 0.06, "delay": 1.0, "delay_sd": 0.5, **ASSUMED},
        "subsidy_local": {"mean": 0.8, "sd": 0.1, **ASSUMED}}  # fmt: skip


def rate(value: float) -> dict[str, Any]:
    """A yearly rate."""
    return {"value": value, **ASSUMED}


ACCOUNTS = {
    "revenue": {"interest_rate": rate(0.0035), "receives": ["individual"]},
    "special": {"interest_rate": rate(0.03), "share": 1.0, "receives": ["subsidy_central", "subsidy_local"]},
    "expenditure": {"interest_rate": rate(0.001), "pays": True},
}
MOVES = {
    "sweep": {"origin": "revenue", "to": "special", "share": 1.0, **ASSUMED},
    "fund": {"origin": "special", "to": "expenditure", "fill_to_months": 2.0, **ASSUMED},
}
RESERVE = {
    "rule": "china/national/reserve/ncms_risk_fund@2004-01-01",
    "balance": rate(1.9e7),
    "interest_rate": rate(0.02),
    **ASSUMED,
}
ADJUSTMENT = {
    "rate": 0.05,
    "covers": 1.0,
    "at_most_times": 2.0,
    "rule": "china/coal/threshold/adjustment_fund@1996-05-05",
    **ASSUMED,
}


def changed(plan: Plan, changes: dict[str, Any]) -> Plan:
    """The plan with these changes."""
    return plan.patched(Patch(path=p, value=v, source="test") for p, v in changes.items())


EVERYTHING = {"financing.arrivals": LATE, "accounts": ACCOUNTS, "moves": MOVES, "reserve": RESERVE, "adjustment": ADJUSTMENT,
              "transfers": {"grant": {"kind": "from_above", "amount": 3e6, "month": 7, **ASSUMED}}}  # fmt: skip


@pytest.fixture(scope="module")
def whole() -> Simulation:
    """Jieshou with everything stated, 400 paths."""
    plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    return simulate_plan(changed(plan, {**EVERYTHING, "insured.next_year_sd": 0.02}), paths=400, threads=1)


# ------------------------------------------------------------------------------------------------ accounts


@st.composite
def banks(draw: st.DrawFn) -> tuple[list[float], list[Move], list[int]]:
    """Rates, standing orders and months of some accounts."""
    count = draw(st.integers(1, 4))
    account = st.integers(0, count - 1)
    rates = draw(st.lists(st.floats(-0.05, 0.2), min_size=count, max_size=count))
    share, fill = st.floats(0, 1), st.none() | st.floats(0, 1e6)
    moves = draw(
        st.lists(st.builds(Move, account, account, share, fill, st.just(()) | st.just((3, 6))), max_size=4)
    )
    return (
        rates,
        [m for m in moves if m.origin != m.to],
        draw(st.lists(st.integers(1, 12), min_size=1, max_size=14)),
    )


@given(banks(), st.integers(0, 2**31))
def test_accounts_roll_and_conserve(bank: tuple[list[float], list[Move], list[int]], seed: int) -> None:
    """Balances equal a plain walk account by account; what is there is what was, what came, and the interest, to 1e-9."""
    rates, moves, months = bank
    made = banking([str(i) for i in range(len(rates))], rates, moves, months)
    rng = np.random.default_rng(seed)
    opening, flows = rng.normal(0, 1e6, len(rates)), rng.normal(0, 1e6, (len(months), len(rates)))
    held, interest = opening.copy(), np.zeros(len(months))
    for m, month in enumerate(months):
        earned = held * np.array(rates) / 12
        interest[m] = earned.sum()
        held = held + earned + flows[m]
        for move in moves:
            if not move.months or month in move.months:
                amount = (
                    move.share * held[move.origin] if move.fill_to is None else move.fill_to - held[move.to]
                )
                held[move.origin] -= amount
                held[move.to] += amount
        np.testing.assert_allclose(made.balances(opening, flows)[m], held, rtol=1e-9, atol=1e-2)
    ends = made.balances(opening, flows).sum(axis=1)
    np.testing.assert_allclose(made.interest(opening, flows).sum(axis=1), interest, rtol=1e-9, atol=1e-3)
    scale = np.abs(opening).sum() + np.abs(flows).sum() + 1e7
    assert np.abs(np.diff(ends, prepend=opening.sum()) - flows.sum(axis=1) - interest).max() <= 1e-9 * scale


def test_interest_by_account_in_closed_form() -> None:
    """Without orders each account is a geometric sum at its own rate; swept at once, all earns the other's rate."""
    alone = banking(["a", "b"], [0.12, 0.24], [], range(1, 13))
    held = alone.balances(np.array([100.0, 0.0]), np.repeat([[0.0, 10.0]], 12, axis=0))
    assert held[-1] == pytest.approx([100 * 1.01**12, 10 * (1.02**12 - 1) / 0.02], rel=1e-12)
    swept = banking(["a", "b"], [0.12, 0.24], [Move(0, 1, 1.0)], range(1, 13))
    landed = swept.balances(np.zeros(2), np.repeat([[10.0, 0.0]], 12, axis=0))
    assert landed[-1] == pytest.approx([0.0, 10 * (1.02**12 - 1) / 0.02], rel=1e-12)


# ------------------------------------------------------------------------------------------------ arrears


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.9))
def test_share_that_arrives_has_its_stated_mean_and_sd(mean: float, part: float) -> None:
    """Quantiles over an even grid have the mean and sd that the plan states."""
    sd = part * np.sqrt(mean * (1 - mean)) * 0.7
    arrival = Arrival("x", ArrivalSpec(mean=mean, sd=float(min(sd, 0.5)), status="assumed", source="t"))
    drawn = arrival.value("share", stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000))
    assert drawn.mean() == pytest.approx(mean, abs=1e-3)
    assert drawn.std() == pytest.approx(min(sd, 0.5), rel=0.02)


@given(st.lists(st.floats(0, 1), min_size=13, max_size=13), st.floats(0, 1), st.floats(0, 30))
def test_what_is_late_never_comes_early(raw: list[float], share: float, delay: float) -> None:
    """A later and smaller calendar lies nowhere above the stated one, rises, and what is missing at the end is left for the next year."""
    calendar = np.sort(np.array(raw))
    come = late_calendar(calendar, np.array([share]), np.array([delay]))[0]
    assert (come <= calendar[1:] + 1e-12).all()
    assert (np.diff(come) >= -1e-12).all()
    if share == 1 and delay == 0:
        assert np.array_equal(come, calendar[1:])


def test_late_money_is_what_did_not_come(whole: Simulation) -> None:
    """Received in the year and late together are what is due, path by path and payer by payer."""
    income, real = whole.setting.income, whole.arrays.income
    assert income is not None
    assert real is not None
    come = np.stack([np.broadcast_to(income.received(i, real).sum(axis=1), 400) for i in range(3)], axis=1)
    assert income.late_share(real) + come * income.weights == pytest.approx(
        np.broadcast_to(income.weights, (400, 3))
    )
    table = late_money(whole).set_index("payer")
    local = whole.standard * whole.arrays.heads.mean() * income.weights[2]
    assert table.loc["subsidy_local", "late"] == pytest.approx(0.2 * local, rel=0.05)
    assert table.loc["individual", "late"] == pytest.approx(0, abs=1e-6)


def test_expected_calendar_is_that_of_the_paths(jieshou: Plan) -> None:
    """The calendar of the report is the mean of the paths' calendars."""
    sim = simulate_plan(changed(jieshou, {"financing.arrivals": LATE}), paths=8000, threads=1)
    income, real = sim.setting.income, sim.arrays.income
    assert income is not None
    assert real is not None
    for i, payer in enumerate(income.payers):
        mean = income.received(i, real).mean(axis=0).cumsum()
        assert mean == pytest.approx(sim.fund.financing.cumulative.loc[payer].to_numpy()[1:], abs=0.01)


def test_arrears_switch_and_streams(jieshou: Plan) -> None:
    """Arrears leave claims and heads the same bytes; switched off, every path has the median; their share of variance shows."""
    late = changed(jieshou, {"financing.arrivals": LATE})
    plain, some = (simulate_plan(p, paths=3000, threads=1) for p in (jieshou, late))
    assert plain.claims.tobytes() == some.claims.tobytes()
    assert plain.arrays.heads.tobytes() == some.arrays.heads.tobytes()
    off = simulate_plan(late, paths=200, threads=1, without=("arrears",))
    assert off.arrays.income is not None
    assert np.ptp(off.arrays.income, axis=0).max() == 0
    assert some.arrays.income is not None
    shares = variance_shares(some).table.set_index("factor")["share"]
    received = (
        some.standard * some.arrays.heads * slope_of(some.setting, some.arrays)[:, -1] / some.arrays.heads
    )
    whole = received.var() + some.claims.sum(axis=1).var()
    assert shares["arrears"] == pytest.approx(received.var() / whole, rel=0.1)
    assert shares.sum() == pytest.approx(1)
    assert "arrears" not in variance_shares(plain).table["factor"].tolist()


def test_tornado_names_arrears(jieshou: Plan) -> None:
    """Where arrears are uncertain a bar shows the target with them at their medians: a switch of the whole run."""
    plan = changed(jieshou, {"financing.arrivals": LATE})
    found = act.tornado(act.Fund(plan), cost_of(plan), paths=500).table.set_index("assumption").loc["arrears"]
    still = simulate_plan(plan, paths=500, without=("arrears",)).premium_target().value
    assert np.nanmax(found[["low", "high"]].to_numpy(dtype=float)) == pytest.approx(still)


def test_base_year_arrears_that_stay_out_come_the_year_after(anhui: Plan) -> None:
    """What the centre owes comes within the base year by its share, and the rest in the stated month of the planned year."""
    spec = {"subsidy_central": {"outstanding": 0.6, "outstanding_sd": 0.2, "late_month": 4, **ASSUMED}}
    plain = simulate_plan(anhui, paths=600, threads=1)
    late = simulate_plan(
        changed(anhui, {"financing.arrivals": spec, "financing.interest_rate.value": 0.0}),
        paths=600,
        threads=1,
    )
    base = simulate_plan(changed(anhui, {"financing.interest_rate.value": 0.0}), paths=600, threads=1)
    gap = base.arrays.at_zero - late.arrays.at_zero
    owed = anhui.tables["payers"].frame.set_index("payer").eval("due - received")["subsidy_central"]
    assert gap[:, 0].mean() == pytest.approx(0.4 * owed, rel=0.05)
    assert gap[:, 3:] == pytest.approx(np.zeros((600, 9)), abs=1e-3)
    assert plain.arrays.heads.tobytes() == late.arrays.heads.tobytes()


# ------------------------------------------------------------------------------------------------ balances and needs


def test_one_account_is_the_plain_fund(anhui: Plan, jieshou: Plan) -> None:
    """A fund whose one account has the plan's rate has the plain balances and needs, within 1e-9 (with and without unseen months)."""
    year_over = changed(anhui, {"valuation_date": "2010-12-31", "annualise.profile": "straight_line"})
    for plan in (jieshou, anhui, year_over):
        one = {
            "only": {
                "interest_rate": rate(plan.model.financing.interest_rate.value),
                "share": 1.0,
                "pays": True,
            }
        }
        plain = simulate_plan(changed(plan, {"insured.next_year_sd": 0.03}), paths=200, threads=1)
        same = simulate_plan(
            changed(plan, {"insured.next_year_sd": 0.03, "accounts": one}), paths=200, threads=1
        )
        np.testing.assert_allclose(same.balances(), plain.balances(), rtol=1e-9, atol=1e-3)
        np.testing.assert_allclose(same.opening, plain.opening, rtol=1e-9, atol=1e-3)
        for c in CRITERIA:
            np.testing.assert_allclose(same.needs[c], plain.needs[c], rtol=1e-9)
            np.testing.assert_allclose(stress_of(same.setting, same.arrays, 400.0, c),
                                       stress_of(plain.setting, plain.arrays, 400.0, c), rtol=1e-9)  # fmt: skip


def walk(sim: Simulation, path: int, premium: float) -> tuple[np.ndarray, np.ndarray]:
    """One path in plain Python: free money and the reserve by month."""
    s, x, plan = sim.setting, sim.arrays, sim.fund.plan
    income = s.income
    assert income is not None
    assert x.income is not None
    names, real, model = list(income.bank.names), x.income[path : path + 1], plan.model
    heads, held = x.heads[path], dict(zip(names, income.opening, strict=True))
    stub, rest, free = income.stub, x.base_total[path] - s.cost.base.experience.paid, []
    reserve = model.reserve.balance.value if model.reserve else 0.0
    kept, growth = [], 1 + (model.reserve.interest_rate.value / 12 if model.reserve else 0.0)
    for t in range(income.bank.months):
        own = t - stub
        for n, j in zip(names, income.bank.rates, strict=True):
            held[n] *= 1 + j
        for n, flow in zip(names, income.before[t] + income.flows[t], strict=True):
            held[n] += flow
        if own < 0:
            held[names[income.paying]] -= rest * s.stub[t]
        else:
            for i, w in enumerate(income.weights * income.kept):
                held[names[income.landing[i]]] += heads * premium * w * income.received(i, real)[0, own]
            held[names[income.paying]] -= x.claims[path, own] + heads * s.premium_per_head[own]
        for move in model.moves.values():
            fill = (move.fill_to_months or 0) * s.cost.base.total / 12
            amount = held[move.origin] * move.share if move.share is not None else fill - held[move.to]
            held[move.origin] -= amount
            held[move.to] += amount
        reserve *= growth
        free.append(sum(held.values()))
        kept.append(reserve)
    if model.reserve:
        financing = heads * premium
        put = max(0.0, min(0.03 * financing, 0.10 * financing - reserve))
        free[-1] -= put
        kept[-1] += put
    return np.array(free[stub:]), np.array(kept[stub:])


def test_every_yuan_by_a_plain_walk(whole: Simulation) -> None:
    """With accounts, arrears, transfers, adjustment fund and reserve, each path is what a walk in plain Python gives, within 1e-9."""
    income = whole.setting.income
    assert income is not None
    assert income.reserve is not None
    free = free_of(whole.setting, whole.arrays, 500.0)
    for path in range(0, 400, 57):
        slow, kept = walk(whole, path, 500.0)
        np.testing.assert_allclose(free[path], slow, rtol=1e-9)
        put = income.reserve.put_in(whole.arrays.heads, (np.zeros(400), np.zeros(400)), 500.0)
        np.testing.assert_allclose(income.reserve.held_after(put)[path], kept, rtol=1e-9)


def test_mean_accounts_are_the_mean_balance(whole: Simulation) -> None:
    """The accounts of the report sum to the mean balance before the reserve; every yuan landed in one of them."""
    table = account_table(whole)
    linear = whole.arrays.at_zero + slope_of(whole.setting, whole.arrays) * whole.standard
    assert table["closing"].sum() == pytest.approx(linear[:, -1].mean(), rel=1e-9)
    income, flows = whole.setting.income, account_flows(whole)
    assert income is not None
    later = income.bank.interest(income.opening, flows).sum() + flows.sum() + income.opening.sum()
    assert later == pytest.approx(table["closing"].sum(), rel=1e-9)
    assert table.loc[table["account"] == "expenditure", "closing"].item() == pytest.approx(
        2 * whole.cost.base.total / 12
    )


CASES = {
    "arrears": {"financing.arrivals": LATE},
    "reserve": {"reserve": RESERVE, "opening.free.value": 3e7},
    "early reserve": {"reserve": {**RESERVE, "month": 6, "balance": rate(2.1e7)}},
    "surplus": {"reserve": {**RESERVE, "basis": "surplus"}, "opening.free.value": -2e7},
    "drawn": {"reserve": {**RESERVE, "drawn": True, "month": 3}, "accounts": ACCOUNTS, "moves": MOVES},
    "adjustment": {"adjustment": ADJUSTMENT},
    "part": {"adjustment": {**ADJUSTMENT, "covers": 0.5}, "reserve": RESERVE},
    "all": EVERYTHING,
}


@pytest.mark.parametrize("case", CASES)
def test_needs_are_where_paths_turn(case: str, jieshou: Plan) -> None:
    """Just above its need no path is short in any later amount, just below it is: under every criterion, by the balances themselves."""
    sim = simulate_plan(changed(jieshou, {**CASES[case], "insured.next_year_sd": 0.05}), paths=150, threads=1)
    s, x = sim.setting, sim.arrays
    assert s.income is not None

    def short(criterion: str, premium: float) -> np.ndarray:
        balance = balances_of(s, x, premium)
        if s.income.reserve is not None and criterion == "current_year":  # setting aside is no spending
            balance = x.at_zero + slope_of(s, x) * premium
        if criterion == "current_year":
            own = balance[:, -1] - carried_of(s, x)
            fund = s.income.adjustment
            if fund is not None:
                plain = (x.at_zero + slope_of(s, x) * premium)[:, -1] - carried_of(s, x)
                own = plain + fund.given(plain, s.income.receipts(x.income) * x.heads * premium)
            return own < -1e-3
        if criterion == "months_payable":
            return balance[:, -1] - spending_of(s, x) / 6 < -1e-3
        return (balance < -1e-3).any(axis=1) if criterion == "any_month" else balance[:, -1] < -1e-3

    for criterion in (*CRITERIA, "months_payable"):
        needs = need_of(s, x, criterion, months=2.0)
        assert np.isfinite(needs).all()
        for path in range(0, 150, 10):
            for more in (0.01, 1.0, 60.0, 900.0):
                assert not short(criterion, needs[path] + more)[path], (criterion, path, more)
            assert short(criterion, needs[path] - 0.01)[path], (criterion, path)


@given(st.data())
def test_needed_equals_a_fine_scan(data: st.DataObject) -> None:
    """The formula of the reserve equals a scan over every breakpoint of the bent line."""
    number = st.integers(-20, 20)
    a, b = data.draw(number), data.draw(st.integers(4, 9))
    lines = [(float(data.draw(number)), float(data.draw(st.integers(0, 3)))) for _ in range(2)]
    weight = data.draw(st.sampled_from([-1.0, -0.5, 0.5, 1.0]))
    found = float(needed(np.array([[a]], dtype=float), np.array([[b]], dtype=float), np.array([weight]),
                         *[(np.array([c]), np.array([m])) for c, m in lines])[0, 0])  # fmt: skip

    def value(p: float) -> float:
        return a + b * p - weight * max(0.0, min(c + m * p for c, m in lines))

    assert value(found) == pytest.approx(0, abs=1e-9)
    assert all(value(found + d) > -1e-9 for d in np.linspace(0, 60, 241))
    assert all(value(found - d) < 1e-9 for d in (1e-3, 1, 7, 50))


@given(
    st.floats(0, 500),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(1, 12),
    st.floats(0, 1e5),
    st.floats(0, 0.1),
)
def test_reserve_stays_below_its_ceiling(
    premium: float, rate_: float, ceiling: float, month: int, before: float, interest: float
) -> None:
    """At the year's end the reserve is at most its ceiling, unless it began above it; it never falls."""
    grown = (1 + interest / 12) ** np.arange(1.0, 13.0)
    put_at = np.where(
        np.arange(12) >= month - 1, (1 + interest / 12) ** np.maximum(np.arange(12) - month + 1, 0), 0.0
    )
    rule = Reserve("financing", rate_, ceiling, month, before * grown, put_at, put_at, False)
    heads = np.array([900.0, 1000.0])
    put = rule.put_in(heads, (heads, heads), premium)
    most = np.maximum(ceiling * premium * heads, before * grown[-1])
    assert (rule.held_after(put)[:, -1] <= most * (1 + 1e-12) + 1e-9).all()
    assert (put >= 0).all()


def test_chunks_fan_and_fleet_see_the_same(jieshou: Plan) -> None:
    """Path by path, chunk by chunk at any number of threads, in the fan and with shared streams: one answer."""
    plan = changed(jieshou, EVERYTHING)
    sim = simulate_plan(plan, paths=9000, threads=2)
    kept = collect(sim.setting, [need("closing"), closing_at(sim.standard)], paths=9000, seed=2012, threads=1)
    assert kept["closing"].tobytes() == sim.needs["closing"].tobytes()
    assert kept["closing_balance"].tobytes() == sim.closing().tobytes()
    fan = fan_of(sim.setting, sim.standard, 7)
    fan.counts += fan.count(sim.setting, sim.arrays)
    spread = fan.quantiles([0.5])
    middle = np.quantile(sim.balances()[:, 5], 0.5, method="inverted_cdf")
    assert spread["q0.5"].iloc[5] == pytest.approx(middle, abs=2 * spread["error"].iloc[5])
    z, _ = Shared((("arrears", 1.0),)).draw(sim.setting, 1, 0, 50)
    other, _ = Shared((("arrears", 1.0),)).draw(act.Fund(plan).setting(sim.cost), 1, 0, 50)
    assert np.array_equal(z[:, sim.setting.arrears_columns], other[:, sim.setting.arrears_columns])


def test_answers_by_importance_sampling_agree(jieshou: Plan) -> None:
    """The designed answers of a plan with everything agree with plain paths within their intervals."""
    plan = changed(jieshou, {**EVERYTHING, "criterion.use": "closing"})
    fund = act.Fund(plan)
    sim = simulate_plan(plan, paths=20_000, threads=2)
    found = fund.answers(sim.cost, paths=20_000)
    plain = sim.premium_target()
    assert found.target.interval[0] - 2 < plain.value < found.target.interval[1] + 2
    row = found.table.query("quantity == 'expected_closing_balance'").iloc[0]
    assert row["value"] == pytest.approx(
        sim.expected_closing_balance(), abs=4 * sim.closing().std() / np.sqrt(20_000)
    )


def test_a_split_rise_follows_its_payers_arrears(jieshou: Plan) -> None:
    """A rise that the late payer bears has to be larger than one that the punctual payer bears."""
    sim = simulate_plan(changed(jieshou, {"financing.arrivals": LATE}), paths=3000, threads=1)
    own, local = (
        sim.premium_target(0.05, criterion="closing", split=p).value for p in ("individual", "subsidy_local")
    )
    assert local - sim.standard > 1.15 * (own - sim.standard) > 0


# ------------------------------------------------------------------------------------------------ who pays


def test_subsidy_by_rule_and_who_pays_a_rise(jieshou: Plan) -> None:
    """The centre's 2013 amount is the rule's; of a fiscal rise it pays the tier's 60%."""
    spec = {
        "standard": 320.0,
        "year": 2014,
        "tier": 2,
        "local": {"subsidy_local": 1.0},
        "share_of_rise": 0.5,
        **ASSUMED,
    }
    frame = payer_amounts(changed(jieshou, {"financing.subsidy": spec})).set_index("payer")
    assert frame["per_capita"].to_dict() == {
        "individual": 60.0,
        "subsidy_central": 180.0,
        "subsidy_local": 140.0,
    }
    assert frame["share_of_rise"].round(9).to_dict() == {
        "individual": 0.5,
        "subsidy_central": 0.3,
        "subsidy_local": 0.2,
    }


def test_the_poors_contributions_of_the_anhui_county(plan_with: Callable[..., Plan]) -> None:
    """27,921 assisted persons at 20 yuan are the printed 55.842 (10k yuan), and the standard stays 100 yuan."""
    extra = "医疗救助,0,0,0,0,derived,example,\n"
    source = act.sample_path("anhui_county/payers.csv").read_text(encoding="utf-8")
    rows = source.replace("合计,", extra + "合计,")
    calendar = (
        act.sample_path("anhui_county/calendar.csv").read_text(encoding="utf-8")
        + "医疗救助,2,100,assumed,example,\n"
    )
    plan = plan_with("anhui_county", {"financing.assistance": {"medical_assistance": {"persons": 27921.0, **ASSUMED}}},
                     {"payers": rows, "calendar": calendar})  # fmt: skip
    frame = payer_amounts(plan).set_index("payer")["per_capita"]
    assert frame["medical_assistance"] * 532815 == pytest.approx(558420)
    assert frame["individual"] * 532815 == pytest.approx(10_656_300 - 558_420)
    assert frame.sum() == pytest.approx(100)
    draft = act.budget_draft(simulate_plan(plan, paths=100, threads=1)).draft
    assert draft["assisted"] == pytest.approx(558420)
    assert draft["contributions"] == pytest.approx(10_656_300)


@given(st.floats(0, 647_000), st.floats(0, 1), st.floats(0, 0.99))
def test_assistance_conserves(persons: float, part: float, second: float) -> None:
    """Whoever pays for the poor, the standard and the sum of shares of a rise stay, and nobody pays a negative amount."""
    plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    spec = {"subsidy_local": {"persons": persons, "part": part, **ASSUMED},
            "subsidy_central": {"persons": second * (647_000 - persons), **ASSUMED}}  # fmt: skip
    frame = payer_amounts(changed(plan, {"financing.assistance": spec}))
    assert frame["per_capita"].sum() == pytest.approx(340)
    assert frame["share_of_rise"].sum() == pytest.approx(1)
    assert (frame["per_capita"] >= -1e-9).all()


def test_reserve_of_a_plan(whole: Simulation) -> None:
    """The plan's reserve is filled by 3% of the financing up to 10%; the adjustment fund takes 5% of receipts."""
    table = reserve_table(whole).set_index("item")["mean"]
    financing = whole.standard * whole.arrays.heads
    assert table["reserve_ceiling"] == pytest.approx(0.1 * financing.mean())
    room = np.maximum(0, np.minimum(0.03 * financing, 0.1 * financing - table["reserve_opening"]))
    assert table["reserve_put_in"] == pytest.approx(room.mean(), rel=1e-9)
    assert table["reserve_closing"] == pytest.approx(table["reserve_opening"] + table["reserve_put_in"])
    assert 0.7 * 0.05 * financing.mean() < table["adjustment_paid"] < 0.05 * financing.mean()


def test_transfers_reach_the_form(jieshou: Plan) -> None:
    """Grants and transfers stand in their own lines of the budget, and interest stays what it was."""
    kinds = {
        "from_above": 3e6,
        "from_below": 1e6,
        "to_below": 2e6,
        "to_above": 5e5,
        "other_revenue": 4e5,
        "other_expenditure": 3e5,
    }
    transfers = {k: {"kind": k, "amount": v, "month": 12, **ASSUMED} for k, v in kinds.items()}
    plain, moved = (
        act.budget_draft(simulate_plan(p, paths=300, threads=1))
        for p in (jieshou, changed(jieshou, {"transfers": transfers}))
    )
    for line, amount in kinds.items():
        assert moved.draft[line] - plain.draft[line] == pytest.approx(amount, abs=1e-3), line
    assert moved.draft["interest"] == pytest.approx(plain.draft["interest"], abs=1e-2)
    assert moved.draft["closing_balance"] - plain.draft["closing_balance"] == pytest.approx(1.6e6, abs=1e-2)


@pytest.mark.parametrize("sample", ["jieshou", "anhui_county"])
def test_months_seen_with_one_account_are_the_plain_ones(sample: str) -> None:
    """Claims, receipts, opening and base year that are known move a one-account fund as they move the plain one, within 1e-9."""
    plan = act.load_plan(act.sample_path(f"{sample}/plan.yaml"))
    one = {
        "only": {"interest_rate": rate(plan.model.financing.interest_rate.value), "share": 1.0, "pays": True}
    }
    plain = simulate_plan(plan, paths=100, threads=1)
    claims = (1.1 * plain.claims.mean(axis=0)[:4]).tolist()
    for more in (
        {},
        {"income": [3e7, 1e6, 0.0, 2e6], "opening": 5e7, "base_total": 1.02 * plain.arrays.base_total.mean()},
    ):
        seen = act.MonthlyActuals(claims=claims, source="test", **more)
        here, there = (
            simulate_plan(p, paths=100, threads=1, observed=seen)
            for p in (plan, changed(plan, {"accounts": one}))
        )
        np.testing.assert_allclose(there.balances(), here.balances(), rtol=1e-9, atol=1e-2)
        for c in CRITERIA:
            np.testing.assert_allclose(there.needs[c], here.needs[c], rtol=1e-8)


def test_months_seen_with_everything_stated(whole: Simulation) -> None:
    """Months seen fix their claims and receipts, whatever the amount per head; later months follow it as before."""
    plan = whole.fund.plan
    seen = act.MonthlyActuals(claims=[2e7, 2.1e7], income=[4e7, 1e7], opening=6e7, source="test")
    sim = simulate_plan(plan, paths=50, threads=1, observed=seen)
    low, high = (sim.arrays.at_zero + slope_of(sim.setting, sim.arrays) * p for p in (300.0, 600.0))
    assert low[:, :2].tobytes() == high[:, :2].tobytes()
    assert (high[:, 2:] >= low[:, 2:]).all()
    assert (high[:, -1] > low[:, -1]).all()
    assert sim.opening == pytest.approx(np.full(50, 6e7))
    premium = sim.arrays.heads * sim.setting.premium_per_head[0]
    assert low[:, 0] == pytest.approx(6e7 + 4e7 - 2e7 - premium, abs=3e5)  # a month's interest


@pytest.mark.parametrize("sample", ["jieshou", "anhui_county"])
def test_accounts_after_months_seen(sample: str) -> None:
    """Accounts sum to the mean balance too once months, the opening balance and the base year are known."""
    plan = changed(act.load_plan(act.sample_path(f"{sample}/plan.yaml")), {
        "accounts": {"one": {"interest_rate": rate(0.03), "share": 0.4}, "two": {**ACCOUNTS["expenditure"], "share": 0.6}},
    })  # fmt: skip
    sim = simulate_plan(plan, paths=100)
    seen = act.MonthlyActuals(
        claims=(1.05 * sim.claims.mean(axis=0)[:4]).tolist(), income=[3e7, 2e7, 2e7, 2e7], source="test",
        base_total=1.02 * float(sim.arrays.base_total.mean()), opening=float(sim.opening.mean()) + 1e7,
    )  # fmt: skip
    then = sim.given(seen)
    assert account_table(then)["closing"].sum() == pytest.approx(then.closing().mean(), abs=1.0)
    assert account_table(then)["closing"].sum() != pytest.approx(sim.closing().mean(), abs=1e5)


def test_every_figure_has_its_source(whole: Simulation) -> None:
    """What the plan states of its income stands among the sources, each with its place in the file."""
    what = {s.what for s in whole.sources}
    wanted = {"financing.arrivals.subsidy_local", "accounts.special.interest_rate", "moves.fund", "transfers.grant",
              "adjustment", "reserve", "reserve.balance"}  # fmt: skip
    assert wanted <= what
    assert any("ncms_risk_fund" in s.document for s in whole.sources)


def test_balances_anew_without_a_new_simulation(whole: Simulation) -> None:
    """The what-if page rolls balances anew from the same draws: the bytes of the simulation."""
    fresh = with_balances(whole.setting, whole.arrays)
    assert fresh.at_zero.tobytes() == whole.arrays.at_zero.tobytes()
    assert fresh.carried is not None
    assert whole.arrays.carried is not None
    assert fresh.carried.tobytes() == whole.arrays.carried.tobytes()
