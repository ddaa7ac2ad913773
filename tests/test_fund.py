"""The fund's paths and the premium target: brute force, closed forms, identities month by month."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

import actuarial as act
from actuarial.cost import CostForecast
from actuarial.errors import InputError, ModelWarning
from actuarial.fund import CRITERIA, Simulation
from actuarial.fund.kernel import months
from actuarial.fund.paths import CHUNK
from actuarial.fund.process import shifted_lognormal
from actuarial.fund.target import allowed, order_interval, order_statistic, premium_target, required_amount
from actuarial.pipeline import Answer
from actuarial.plan import Plan

# --------------------------------------------------------------------------- the target on its own


def smallest_safe(a: list[list[int]], b: list[int], alpha: Fraction) -> float:
    """Smallest p with at most α of the paths below zero in some month, by trying every candidate exactly."""
    candidates = sorted({Fraction(-x, y) for row in a for x, y in zip(row, b, strict=True) if y > 0})
    for p in candidates:
        short = sum(any(x + y * p < 0 for x, y in zip(row, b, strict=True)) for row in a)
        if short <= alpha * len(a):
            return float(p)
    return math.inf


@given(st.data(), st.integers(1, 12), st.integers(1, 4))
def test_target_equals_brute_force(data: st.DataObject, paths: int, months: int) -> None:
    """The order statistic is the smallest amount that keeps all but α of the paths out of a deficit."""
    a = data.draw(
        st.lists(
            st.lists(st.integers(-9, 9), min_size=months, max_size=months), min_size=paths, max_size=paths
        )
    )
    b = sorted(data.draw(st.lists(st.integers(0, 3), min_size=months, max_size=months)))
    alpha = data.draw(st.integers(1, 99))
    needs = required_amount(np.array(a, dtype=float), np.array(b, dtype=float))
    value = premium_target(needs, alpha / 100, "any_month").value
    expected = smallest_safe(a, b, Fraction(alpha, 100))
    if math.isinf(value):  # no candidate helps: every p is needed, or none at all
        hopeless = sum(any(x < 0 and y == 0 for x, y in zip(row, b, strict=True)) for row in a)
        assert (hopeless > Fraction(alpha, 100) * paths) == (value > 0)
        assert value < 0 or math.isinf(expected)
        return
    assert value == pytest.approx(expected)


def test_paths_that_no_amount_helps() -> None:
    """A path short before any money comes needs infinity; it is counted, and decides only within α."""
    a = np.array([[-1.0, 5.0], [1.0, -6.0], [2.0, -3.0], [0.0, -9.0]])
    needs = required_amount(a, np.array([0.0, 3.0]))
    assert needs.tolist() == [math.inf, 2.0, 1.0, 3.0]
    target = premium_target(needs, 0.25, "any_month")
    assert (target.value, target.infeasible) == (3.0, 0.25)
    assert premium_target(needs, 0.2, "any_month").value == math.inf
    assert target.probability([0.0, 1.0, 2.5, 3.0, 1e9]).tolist() == [1.0, 0.75, 0.5, 0.25, 0.25]


def test_slopes_by_path() -> None:
    """Slopes may differ by path as well as by month."""
    a, b = np.array([[-2.0, -6.0], [-2.0, -6.0]]), np.array([[1.0, 2.0], [2.0, 4.0]])
    assert required_amount(a, b).tolist() == [3.0, 1.5]


@given(st.integers(1, 999), st.sampled_from([10, 100, 1000, 20_000, 100_000]))
def test_allowed_deficits_are_counted_in_decimals(thousandths: int, paths: int) -> None:
    """⌊α·n⌋ is that of the decimal α, not of its binary neighbour: 0.29 of 100 is 29."""
    assert allowed(thousandths / 1000, paths) == thousandths * paths // 1000


@pytest.mark.parametrize("alpha", [0.29, 0.57, 0.58, 0.07, 0.14, 0.28, 0.55, 0.01, 0.99])
def test_alpha_of_a_hundred_paths(alpha: float) -> None:
    """With needs 1…100 exactly α·100 paths lie above the target, for the αs that floats get wrong too."""
    target = premium_target(np.random.default_rng(1).permutation(np.arange(1.0, 101)), alpha, "closing")
    assert target.value == 100 - round(alpha * 100)
    assert float(target.probability(target.value)) == pytest.approx(alpha)
    assert float(target.probability(target.value - 1e-9)) > alpha


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(0.001, 0.999))
def test_no_more_than_alpha_are_short_at_the_target(needs: list[float], alpha: float) -> None:
    """At the target at most α of the paths are short, just below it more are; with few paths too."""
    target = premium_target(needs, alpha, "closing")
    assert sum(r > target.value for r in needs) <= alpha * len(needs)
    below = np.nextafter(target.value, -np.inf)
    assert sum(r > below for r in needs) > math.floor(Fraction(repr(alpha)) * len(needs))


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60),
    st.lists(st.integers(1, 999), min_size=1, max_size=20),
)
def test_many_levels_at_once_are_each_levels_target(needs: list[float], thousandths: list[int]) -> None:
    """Targets for many levels at once, without intervals, are those of each level alone."""
    levels = [n / 1000 for n in thousandths]
    found = premium_target(needs, 0.05, "closing").at(levels)
    assert found.tolist() == [premium_target(needs, a, "closing").value for a in levels]


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 2.0, math.nan])
def test_impossible_levels_are_refused(alpha: float) -> None:
    """The accepted probability lies strictly between 0 and 1."""
    with pytest.raises(InputError) as caught:
        premium_target([1.0, 2.0], alpha, "closing")
    assert caught.value.code == "fund.alpha"


def below(n: int, p: Fraction) -> list[Fraction]:
    """P(B < k) for k from 0 to n, B binomial, exactly."""
    single = (math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(n))
    return [Fraction(0), *accumulate(single)]


@pytest.mark.parametrize("n", [10, 73, 300])
@pytest.mark.parametrize("alpha", [Fraction(1, 20), Fraction(1, 4), Fraction(1, 2), Fraction(1, 100)])
def test_interval_is_the_exact_binomial_one(n: int, alpha: Fraction) -> None:
    """The ends are the tightest order statistics with at most 2.5% beyond each, infinite where none is."""
    low, high = order_interval(np.arange(1.0, n + 1), float(alpha))
    tail, less = Fraction(25, 1000), below(n, 1 - alpha)
    lower = max((k for k in range(1, n + 1) if less[k] <= tail), default=None)
    upper = min((k for k in range(1, n + 1) if 1 - less[k] <= tail), default=None)
    assert low == (-math.inf if lower is None else lower)
    assert high == (math.inf if upper is None else upper)


def test_interval_covers_as_often_as_it_says() -> None:
    """Over 4,000 samples of 300 the interval holds the true quantile as often as the binomial law says."""
    samples = np.sort(np.random.default_rng(11).exponential(size=(4000, 300)), axis=1)
    truth = -math.log(0.1)  # upper tenth of the exponential
    ends = [order_interval(row, 0.1) for row in samples]
    covered = np.mean([low <= truth <= high for low, high in ends])
    first = order_interval(np.arange(1.0, 301), 0.1)
    law = stats.binom(300, 0.9)
    exact = law.cdf(first[1] - 1) - law.cdf(first[0] - 1)
    assert exact >= 0.95
    assert covered == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 4000))


def test_the_curve_is_the_targets_of_each_level(jieshou_run: Answer) -> None:
    """Each point of the curve is its level's target and interval, falling as more risk is accepted."""
    target = jieshou_run.target
    levels = [0.5, 0.2, 0.05, 0.01]
    curve = target.curve(levels)
    for level, row in zip(levels, curve.itertuples(), strict=True):
        alone = premium_target(target.needs, level, target.criterion)
        assert (row.premium, row.low, row.high) == (alone.value, *alone.interval)
        assert row.low <= row.premium <= row.high
    assert curve["premium"].is_monotonic_increasing


# --------------------------------------------------------------------------- process risk


@pytest.mark.parametrize("skewness", [0.0005, 0.00099, 0.00101, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0])
def test_shifted_lognormal_has_its_three_moments(skewness: float) -> None:
    """Mean 0, variance 1 and the skewness asked for, by numeric integration."""

    def moment(k: int) -> float:
        area = 0.0
        for low in range(-12, 14):
            area += integrate.quad(
                lambda z: float(shifted_lognormal(z, skewness)) ** k * stats.norm.pdf(z), low, low + 1
            )[0]
        return area

    assert moment(1) == pytest.approx(0.0, abs=1e-7)
    assert moment(2) == pytest.approx(1.0, abs=1e-6)
    assert moment(3) == pytest.approx(skewness, rel=2e-5, abs=1e-6)


def test_shifted_lognormal_is_continuous_at_the_switch() -> None:
    """Where the closed form gives way to its expansion they differ by less than 3e-6; both increase."""
    z = np.linspace(-5, 5, 201)
    expansion, closed = shifted_lognormal(z, 0.001 * (1 - 1e-12)), shifted_lognormal(z, 0.001)
    assert 0 < np.abs(closed - expansion).max() < 3e-6
    assert (np.diff(expansion) > 0).all()
    assert (np.diff(closed) > 0).all()


@given(st.floats(0, 8), st.floats(-8, 8))
def test_shifted_lognormal_rises_in_its_normal(skewness: float, z: float) -> None:
    """A higher normal never gives lower claims."""
    low, high = shifted_lognormal([z, z + 0.01], skewness)
    assert low < high


def test_monthly_claims_have_the_stated_cumulants() -> None:
    """Each month has its share of the year's three cumulants, by 100,000 evenly spread normals."""
    n, shares = 100_000, np.array([0.04, 0.06, 0.08, 0.1, 0.12, 0.1, 0.08, 0.06, 0.09, 0.09, 0.09, 0.09])
    k1, k2, k3 = 1e6, 4e9, 3e13
    z = np.repeat(special.ndtri((np.arange(n) + 0.5) / n)[:, None], 12, axis=1)
    found = months(*(np.full(n, k) for k in (k1, k2**0.5, k3 / k2**1.5)), shares, z)
    centred = found - found.mean(axis=0)
    np.testing.assert_allclose(found.mean(axis=0), k1 * shares, rtol=1e-5)
    np.testing.assert_allclose((centred**2).mean(axis=0), k2 * shares, rtol=1e-3)
    np.testing.assert_allclose((centred**3).mean(axis=0), k3 * shares, rtol=2e-2)


def test_claims_are_never_negative() -> None:
    """However few claims are expected, a month costs nothing at the least."""
    z = np.random.default_rng(3).standard_normal((2000, 12))
    n = len(z)
    found = months(np.full(n, 10.0), np.full(n, 2e2), np.full(n, 0.125), np.full(12, 1 / 12), z)
    assert found.min() == 0.0


# --------------------------------------------------------------------------- balances of the plans


def by_hand(plan: Plan, sim: Simulation, premium: float, path: int) -> tuple[float, list[float], list[float]]:
    """Opening, monthly balances and the year's own money of one path, by hand from the plan's figures."""
    model, tables = plan.model, plan.tables
    monthly = 1 + model.financing.interest_rate.value / 12
    seen = plan.observed_months
    paid = float(tables["experience"].frame["fund_payment"].sum())
    payers = tables["payers"].frame
    income = model.financing.base_year
    due = income.due.value if income else payers["due"].sum()
    received = income.received.value if income else payers["received"].sum()
    season = sim.cost.base.profile.shares
    balance = model.opening.free.value + received - paid
    rest = float(sim.arrays.base_total[path]) - paid
    for month in range(seen + 1, 13):
        balance *= monthly
        balance -= rest * season[month - 1] / season[seen:].sum()
        if month == max(model.financing.remainder_month, seen + 1):
            balance += due - received
    opening = balance
    standard = payers["per_capita"].sum()
    calendar = {(r.payer, r.month): r.cumulative_share for r in tables["calendar"].frame.itertuples()}
    heads = float(sim.arrays.heads[path])
    balances, own, own_money = [], 0.0, []
    arrived = {payer: calendar.get((payer, 0), 0.0) for payer in payers["payer"]}
    first = dict(arrived)
    for month in range(1, 13):
        share = 0.0
        for payer, amount in zip(payers["payer"], payers["per_capita"], strict=True):
            now = calendar.get((payer, month), arrived[payer])
            share += (now - arrived[payer] + (first[payer] if month == 1 else 0.0)) * amount / standard
            arrived[payer] = now
        flow = heads * premium * share - float(sim.claims[path, month - 1])
        if model.cii.premium_per_capita is not None and month == model.cii.month:
            flow -= heads * model.cii.premium_per_capita.value
        balance, own = balance * monthly + flow, own * monthly + flow
        balances.append(balance)
        own_money.append(own)
    return opening, balances, own_money


@pytest.mark.parametrize("premium", [None, 300.0, 0.0, 1000.0])
def test_balances_roll_forward(answer: Answer, premium: float | None) -> None:
    """Opening, every month's balance and the closing follow from claims, receipts, interest and premiums."""
    sim = answer.simulation
    p = sim.standard if premium is None else premium
    balances, closing = sim.balances(premium), sim.closing(premium)
    for path in (0, 1, 777, CHUNK, sim.paths - 1):
        opening, months, _ = by_hand(answer.plan, sim, p, path)
        scale = max(abs(opening), *map(abs, months), p * float(sim.arrays.heads[path]))
        assert float(sim.opening[path]) == pytest.approx(opening, abs=1e-9 * scale)
        assert balances[path].tolist() == pytest.approx(months, abs=1e-9 * scale)
        assert float(closing[path]) == pytest.approx(months[-1], abs=1e-9 * scale)


def test_deficits_from_needs_are_those_of_the_balances(answer: Answer) -> None:
    """Under each criterion the share of paths whose need is above p is the share that is short at p."""
    sim = answer.simulation
    year = (1 + sim.setting.interest) ** 12
    for p in np.concatenate([np.linspace(50, 600, 45), [answer.target.value, sim.standard, 0.0]]):
        balances = sim.balances(p)
        own = balances[:, -1] - sim.opening * year
        shares = sim.deficit_probability(p)
        assert shares["any_month"] == pytest.approx((balances < 0).any(axis=1).mean(), abs=1.5 / sim.paths)
        assert shares["closing"] == pytest.approx((balances[:, -1] < 0).mean(), abs=1.5 / sim.paths)
        assert shares["current_year"] == pytest.approx((own < 0).mean(), abs=1.5 / sim.paths)


def test_the_years_own_money_is_counted_from_nothing(jieshou: Plan, jieshou_run: Answer) -> None:
    """Current year: the balance that the year's own flows leave when the opening is taken as 0."""
    sim, p = jieshou_run.simulation, 380.0
    needs = sim.needs["current_year"]
    for path in range(40):
        *_, own = by_hand(jieshou, sim, p, path)
        assert (own[-1] < 0) == (needs[path] > p)


@pytest.mark.parametrize("criterion", CRITERIA)
@pytest.mark.parametrize("alpha", [0.05, 0.29])
def test_target_equals_bisection_on_the_balances(answer: Answer, criterion: str, alpha: float) -> None:
    """Bisecting p on simulated balances, with loops over paths and months, finds the same target."""
    sim, count = answer.simulation, 120
    plan = answer.plan
    at_zero = [by_hand(plan, sim, 0.0, path) for path in range(count)]
    at_one = [by_hand(plan, sim, 1.0, path) for path in range(count)]

    def short(p: float) -> int:
        total = 0
        for zero, one in zip(at_zero, at_one, strict=True):
            kind = 2 if criterion == "current_year" else 1
            level = [a + p * (b - a) for a, b in zip(zero[kind], one[kind], strict=True)]
            total += any(v < 0 for v in (level if criterion == "any_month" else level[-1:]))
        return total

    low, high = -1000.0, 5000.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (
            (low, middle) if short(middle) <= math.floor(Fraction(repr(alpha)) * count) else (middle, high)
        )
    found = premium_target(sim.needs[criterion][:count], alpha, criterion).value
    assert found == pytest.approx(high, abs=1e-4)


def test_targets_of_a_run_come_from_its_needs(answer: Answer) -> None:
    """The plan's criterion and α decide; the other criteria stand beside it, from the same paths."""
    sim, spec = answer.simulation, answer.plan.model.criterion
    assert (answer.target.criterion, answer.target.alpha) == (spec.use, spec.accepted_probability)
    for criterion, target in answer.targets.items():
        assert target.value == order_statistic(np.sort(sim.needs[criterion]), spec.accepted_probability)
        assert sim.deficit_probability(target.value)[criterion] <= spec.accepted_probability
        low, high = target.interval
        assert low < target.value < high
    assert sim.premium_target(0.2).value == premium_target(sim.needs[spec.use], 0.2, spec.use).value
    with pytest.raises(InputError) as caught:
        sim.premium_target(criterion="sometimes")
    assert caught.value.code == "fund.criterion"


def test_any_month_asks_for_most(answer: Answer) -> None:
    """A fund that is never short is not short at the end: any month needs at least what closing needs."""
    needs = answer.simulation.needs
    assert (needs["any_month"] >= needs["closing"]).all()


def test_the_waterfall_adds_up(answer: Answer) -> None:
    """From last year's cost the steps lead exactly to the target, and the scenarios' range holds it."""
    steps = answer.table.set_index("step")["yuan_per_person"]
    assert steps.sum() == pytest.approx(answer.target.value, rel=1e-12)
    assert steps["base"] == pytest.approx(answer.simulation.cost.base.per_capita)
    assert answer.assumption_range[0] <= answer.target.value <= answer.assumption_range[1]
    assert len(answer.scenarios) == len(answer.plan.model.scenarios)


def test_the_fan_is_the_balances_quantiles(answer: Answer) -> None:
    """The fan begins with the known balance and ends with the quantiles of the closing balance."""
    sim = answer.simulation
    fan = sim.fan()
    assert len(fan) == 1 + (12 - answer.plan.observed_months) + 12
    assert fan.filter(like="q").iloc[0].nunique() == 1
    assert fan["q0.5"].iloc[-1] == pytest.approx(np.median(sim.closing()))
    assert fan["mean"].iloc[-1] == pytest.approx(sim.expected_closing_balance())


def test_months_payable(answer: Answer) -> None:
    """Months payable are the mean closing balance over the mean monthly spending, premiums included."""
    sim = answer.simulation
    cii = answer.plan.model.cii.premium_per_capita
    spending = sim.claims.sum(axis=1).mean() + sim.arrays.heads.mean() * (cii.value if cii else 0.0)
    assert sim.months_payable(500.0) == pytest.approx(sim.closing(500.0).mean() / (spending / 12), rel=1e-12)


# --------------------------------------------------------------------------- calendar and arrears


def test_receipts_of_a_year_are_whole(answer: Answer) -> None:
    """The shares received by month sum to 1 and none is negative."""
    receipts = answer.simulation.fund.financing.receipts
    assert receipts.shape == (12,)
    assert receipts.sum() == pytest.approx(1.0, abs=1e-4)  # Anhui's printed shares have four decimals
    assert (receipts >= 0).all()


def test_anhui_receipts_by_date(anhui: Plan) -> None:
    """Of 100 yuan: 15 by January, 48.2 by February, 58.2 by April, 86.9 by May, the rest in December."""
    receipts = act.Fund(anhui).financing.receipts
    assert receipts.cumsum()[[0, 1, 3, 4, 10, 11]].tolist() == pytest.approx(
        [0.15, 0.4822742, 0.5822742, 0.8692218, 0.8692218, 1.0], abs=1e-6
    )


def test_anhui_arrears_by_payer(anhui: Plan) -> None:
    """The province owes 94.445万, the centre 602.36万; 86.92% has been received (checks C063–C065)."""
    arrears = act.Fund(anhui).arrears
    owed = arrears.frame.set_index("payer")["outstanding"]
    assert owed.to_dict() == {
        "individual": 0.0, "subsidy_county": 0.0, "subsidy_provincial": 944_450.0,
        "subsidy_central": 6_023_600.0,
    }  # fmt: skip
    assert arrears.outstanding == 6_968_050.0
    assert arrears.received / arrears.frame["due"].sum() == pytest.approx(0.86922196, rel=1e-7)
    assert arrears.frame.set_index("payer").loc["subsidy_central", "receipt_rate"] == pytest.approx(
        0.71736907, rel=1e-7
    )


def test_a_rise_is_shared_as_stated(jieshou: Plan) -> None:
    """The step from 340 to 410 is split by the stated shares, for a fall too, and adds up."""
    financing = act.Fund(jieshou).financing
    assert financing.standard == 340.0
    rise = financing.rise(410.0).set_index("payer")
    assert rise["new_per_capita"].sum() == pytest.approx(410.0)
    assert rise.loc["individual", "rise"] == pytest.approx(70 * 0.4286)
    assert financing.rise(300.0)["rise"].sum() == pytest.approx(-40.0)


def test_nothing_received_in_january(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """With nothing in hand and nothing coming in January no amount helps: infinite, and counted."""
    calendar = "缴费主体,月份,累计到位比例（%）\n个人,2,100\n县级财政,4,100\n省级财政,2,100\n中央财政,5,100\n"
    plan = plan_with("anhui_county", tables={"calendar": calendar})
    sim = simulate(plan, paths=2000)
    assert sim.fund.financing.receipts[0] == 0.0
    short = (sim.opening * (1 + 0.0036 / 12) - sim.claims[:, 0] < 0).mean()
    target = sim.premium_target(0.05, criterion="any_month")
    assert target.value == math.inf
    assert target.infeasible == short > 0.5
    assert sim.deficit_probability(1e9)["any_month"] == short
    assert math.isfinite(sim.premium_target(0.05, criterion="closing").value)
    assert short < 1
    assert math.isfinite(sim.premium_target((1 + short) / 2, criterion="any_month").value)


# --------------------------------------------------------------------------- random numbers


def same(a: Simulation, b: Simulation, rows: int | None = None) -> bool:
    """Whether two runs have the same bytes in everything that is drawn."""
    names = ("base_total", "heads", "cost_per_capita", "stub_balance", "claims", "at_zero")
    return all(np.array_equal(getattr(a.arrays, n)[:rows], getattr(b.arrays, n)[:rows]) for n in names)


def test_threads_and_repeats_give_the_same_bytes(jieshou: Plan, simulate: Callable[..., Simulation]) -> None:
    """One, two or three threads, and the same seed again, give the same bytes; another seed does not."""
    one = simulate(jieshou, paths=20_000, threads=1)
    assert all(same(one, simulate(jieshou, paths=20_000, threads=n)) for n in (1, 2, 3))
    other = simulate(jieshou, paths=20_000, seed=2013)
    assert not (one.claims == other.claims).any()


def test_more_paths_go_on_where_fewer_ended(
    jieshou_run: Answer, jieshou: Plan, simulate: Callable[..., Simulation]
) -> None:
    """The first 8,192 paths of 20,000 are the run of 8,192, and the first 10,000 that of 10,000."""
    for paths in (CHUNK, 10_000, 5):
        assert same(jieshou_run.simulation, simulate(jieshou, paths=paths), paths)


def test_growth_redraws_nothing(plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]) -> None:
    """Another growth scales every path's twelve months by that path's cost alone: process noise stays."""
    one = simulate(plan_with("jieshou"), paths=3000)
    two = simulate(plan_with("jieshou", {"growth.value": 0.2, "growth.uncertainty.value": 0.1}), paths=3000)
    scale = two.arrays.cost_per_capita / one.arrays.cost_per_capita
    assert scale.std() > 0.01
    np.testing.assert_allclose(two.claims, one.claims * scale[:, None], rtol=1e-9)
    assert (one.arrays.base_total == two.arrays.base_total).all()
    assert (one.opening == two.opening).all()


def test_headcount_is_drawn_apart(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """Uncertain enrolment has the stated sd, leaves cost per head as it was, and moves income with it."""
    one = simulate(plan_with("jieshou"), paths=20_000)
    two = simulate(plan_with("jieshou", {"insured.next_year_sd": 0.03}), paths=20_000)
    heads = two.arrays.heads
    assert (one.arrays.heads == 647_000).all()
    assert np.median(heads) == pytest.approx(647_000, rel=0.002)
    assert heads.std() / 647_000 == pytest.approx(0.03, rel=0.05)
    assert (one.arrays.cost_per_capita == two.arrays.cost_per_capita).all()
    income = (two.closing(341.0) - two.closing(340.0)) / (one.closing(341.0) - one.closing(340.0))
    np.testing.assert_allclose(income, heads / 647_000, rtol=1e-6)


def test_one_draw_of_the_unseen_months_serves_both_years(jieshou_run: Answer) -> None:
    """The unseen months lower the opening and raise the forecast by the same draw."""
    sim = jieshou_run.simulation
    cost, base = sim.arrays.cost_per_capita, sim.arrays.base_total
    assert np.corrcoef(base, sim.opening)[0, 1] < -0.999999
    assert np.corrcoef(base, cost)[0, 1] > 0.2


def test_categories_can_grow_apart(
    plan_with: Callable[..., Plan], cost: Callable[[Plan], CostForecast], simulate: Callable[..., Simulation]
) -> None:
    """With growth correlated 0.3 the categories' factors have that correlation, and the total varies less."""
    together, apart = plan_with("jieshou"), plan_with("jieshou", {"growth.correlation": 0.3})
    z = np.random.default_rng(9).standard_normal((50_000, cost(apart).dimension))
    growth = np.log(cost(apart).factors(z)[2])
    assert cost(together).factors(z)[2].shape == (50_000, 1)
    found = np.corrcoef(growth.T)
    assert found[np.triu_indices(7, 1)] == pytest.approx([0.3] * 21, abs=0.03)
    spread = [simulate(p, paths=5000).arrays.cost_per_capita.std() for p in (together, apart)]
    assert spread[1] < spread[0]


# --------------------------------------------------------------------------- closed forms, monotonicity


def calm_plan(plan_with: Callable[..., Plan], **changes: Any) -> Plan:
    """Jieshou without any risk: no spreads, countless tiny claims, straight line."""
    rows = "inpatient,1.15E8,4.26E20\noutpatient_pooling,4.91675E7,8.794E22\n"
    settings = {
        "growth.uncertainty.value": 0.0,
        "annualise.place_sd": 0.0,
        "annualise.profile": "straight_line",
        "process.severity_cv": {"default": 0.001},
        "scenarios": [],
        "identities": [],
        **{k.replace("__", "."): v for k, v in changes.items()},
    }
    return plan_with("jieshou", settings, {"experience": "category,fund payment (yuan),visits\n" + rows})


def test_without_risk_the_target_is_arithmetic(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """No risk at all: the target is what pencil and paper give, under each criterion."""
    sim = simulate(calm_plan(plan_with), paths=200)
    paid, heads, j = 164_167_500.0, 647_000.0, 1 + 0.0035 / 12
    month = paid / 10  # straight line: the year is 12/10 of ten months
    claims = month * 1.12
    opening = ((65_020_000 + 220_000_000 - paid) * j - month) * j - month
    individual, central, local = 60 / 340, 156 / 340, 124 / 340
    received = np.zeros(12)
    received[0] = individual * 0.8
    received[1] = individual * 0.2 + local * 0.7057
    received[3] = local * 0.25
    received[4] = central * 0.7174
    received[11] = local * 0.0443 + central * 0.2826
    growth = j ** np.arange(11, -1, -1)
    spent = claims * growth.sum() + 17 * heads * growth[0]
    per_yuan = heads * (received * growth).sum()
    current = spent / per_yuan
    closing = (spent - opening * j**12) / per_yuan
    needs, level, slope = [], opening, 0.0
    for m in range(12):
        level = level * j - claims - (17 * heads if m == 0 else 0.0)
        slope = slope * j + heads * received[m]
        needs.append(-level / slope)
    expected = {"current_year": current, "closing": closing, "any_month": max(needs)}
    for criterion, value in expected.items():
        for alpha in (0.01, 0.5):
            assert sim.premium_target(alpha, criterion=criterion).value == pytest.approx(value, rel=1e-7)
    assert sim.opening == pytest.approx(np.full(200, opening), rel=1e-9)
    assert sim.claims == pytest.approx(np.full((200, 12), claims), rel=1e-7)
    assert sim.deficit_probability(current * 1.0001)["current_year"] == 0.0
    assert sim.deficit_probability(current * 0.9999)["current_year"] == 1.0


def test_policy_and_growth_multiply(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """The printed coefficient 1.1697 and growth 23.66% raise last year's cost by 44.65%, step by step."""
    simple = {"method": "simple", "law": "china/jiande/costing/per_capita@2012-01-01"}
    plan = calm_plan(plan_with, policy=simple, growth__value=0.2366)
    sim = simulate(plan, paths=50)
    base = 164_167_500 * 1.2 / 647_000
    assert sim.expected_cost_per_capita() == pytest.approx(base * 1.1697 * 1.2366, rel=1e-7)
    steps = sim.cost.waterfall().set_index("step")["yuan_per_person"]
    assert steps.to_dict() == pytest.approx(
        {
            "base": base,
            "policy": base * 0.1697,
            "growth": base * 0.2366,
            "interaction": base * 0.1697 * 0.2366,
        }
    )


def test_target_falls_with_accepted_risk(answer: Answer) -> None:
    """The more risk is accepted the lower the target, under every criterion."""
    for criterion in CRITERIA:
        targets = [
            answer.simulation.premium_target(a, criterion=criterion).value
            for a in (0.01, 0.05, 0.1, 0.3, 0.6)
        ]
        assert all(a > b for a, b in pairwise(targets))


def test_target_falls_with_the_opening_balance(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """More in hand lowers what closing and any month need, with interest; the current year not at all."""
    sims = [
        simulate(plan_with("anhui_county", {"opening.free.value": v}), paths=3000)
        for v in (0, 5_000_000, 20_000_000)
    ]
    for criterion in CRITERIA:
        found = [s.premium_target(criterion=criterion).value for s in sims]
        if criterion == "current_year":
            assert found == pytest.approx([found[0]] * 3, rel=1e-9)
        else:
            assert found[0] > found[1] > found[2]
    slope = sims[0].closing(1.0)[0] - sims[0].closing(0.0)[0]
    closing = [s.premium_target(criterion="closing").value for s in sims]
    assert closing[0] - closing[1] == pytest.approx(5e6 * (1 + 0.0036 / 12) ** 19 / slope, rel=1e-6)


def test_target_rises_with_growth(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """Higher growth on the same random numbers raises the target under every criterion."""
    sims = [
        simulate(plan_with("jieshou", {"growth.value": v}), paths=3000) for v in (0.0, 0.0716, 0.12, 0.2366)
    ]
    for criterion in CRITERIA:
        found = [s.premium_target(criterion=criterion).value for s in sims]
        assert found == sorted(found)
        assert found[0] < found[-1]


def test_debts_of_earlier_years_are_paid_first(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """Unpaid claims of earlier years leave the fund in the first unseen month, interest forgone."""
    debt = {"value": 3_000_000, "status": "assumed", "source": "test"}
    with_debt = simulate(plan_with("jieshou", {"opening.unpaid_claims": debt}), paths=100)
    without = simulate(plan_with("jieshou"), paths=100)
    np.testing.assert_allclose(without.opening - with_debt.opening, 3_000_000 * (1 + 0.0035 / 12), rtol=1e-9)
    prepaid = simulate(plan_with("jieshou", {"opening.prepaid": debt}), paths=100)
    np.testing.assert_allclose(
        prepaid.opening - without.opening, 3_000_000 * (1 + 0.0035 / 12) ** 2, rtol=1e-9
    )


def test_systemic_forecast_matches_its_draws(jieshou: Plan, cost: Callable[[Plan], CostForecast]) -> None:
    """The forecast's expected cost by category is the mean of its draws."""
    forecast = cost(jieshou)
    drawn = forecast.draws(100_000, seed=4)
    table = forecast.table.set_index("category")["next_year_per_capita"]
    for name, value in drawn.mean().items():
        assert value == pytest.approx(table[name], abs=5 * drawn[name].std() / math.sqrt(len(drawn)))


def test_claims_have_the_forecasts_mean_and_more_spread(jieshou_run: Answer) -> None:
    """Simulated claims per head average to the systemic cost of the same paths and vary around it."""
    sim = jieshou_run.simulation
    per_head = sim.claims.sum(axis=1) / sim.arrays.heads
    noise = per_head / sim.arrays.cost_per_capita - 1
    assert abs(noise.mean()) < 5 * noise.std() / math.sqrt(sim.paths)
    visits, severity = sim.setting.counts, sim.cost.base.category_per_capita
    cvs = np.array([1.71, 1.52, 1.52, 0.5, 1.52, 0.5, 1.52])
    k2 = (severity**2 / visits * (1 + cvs**2)).sum() / 647_000
    assert noise.std() == pytest.approx(math.sqrt(k2) / severity.sum(), rel=0.03)


def test_claims_follow_the_season(jieshou_run: Answer) -> None:
    """Each month has its share of the year's claims on average: December most, January least."""
    sim = jieshou_run.simulation
    by_month = sim.claims.mean(axis=0)
    shares = sim.cost.base.profile.shares
    np.testing.assert_allclose(by_month / by_month.sum(), shares, rtol=0.002)
    assert (by_month.argmax(), by_month.argmin()) == (11, 0)


def test_claims_follow_the_season_of_the_fiscal_year(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """With a fiscal year from July the planned year's sixth month is December, and balances still roll."""
    plan = plan_with("jieshou", {"fiscal_year_start": "2013-07-01", "valuation_date": "2014-04-30"})
    sim = simulate(plan, paths=2000)
    assert sim.claims.mean(axis=0).argmax() == 5
    opening, balances, _ = by_hand(plan, sim, 340.0, 3)
    assert float(sim.opening[3]) == pytest.approx(opening, rel=1e-9)
    assert sim.balances(340.0)[3].tolist() == pytest.approx(balances, rel=1e-9)


def test_process_noise_is_apart_from_all_else(jieshou_run: Answer) -> None:
    """A month's noise has nothing to do with the year's cost, the unseen months or another month's noise."""
    sim = jieshou_run.simulation
    noise = sim.claims / sim.arrays.cost_per_capita[:, None]
    everything = np.column_stack([noise, sim.arrays.cost_per_capita, sim.arrays.base_total])
    found = np.corrcoef(everything.T)
    off = found[np.triu_indices(14, 1)][:-1]  # but cost and base themselves
    assert np.abs(off).max() < 5 / math.sqrt(sim.paths)


def test_a_small_pool_has_the_moments_of_its_claims(
    plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]
) -> None:
    """Forty claims a month: mean, variance, third cumulant are those of a Poisson sum of lognormals."""
    calm = {
        "growth.uncertainty.value": 0.0, "annualise.place_sd": 0.0, "annualise.profile": "straight_line",
        "insured.count": 4892, "insured.next_year": 4892, "identities": [], "scenarios": [],
    }  # fmt: skip
    rows = "category,visits,fund payment (yuan)\ninpatient,400,915280\n"
    sim = simulate(plan_with("jieshou", calm, {"experience": rows}), paths=40_000)
    claims = sim.claims.ravel()
    count, mean, w = 40.0, 2288.2 * 1.12, 1 + 1.71**2
    assert claims.mean() == pytest.approx(count * mean, rel=0.002)
    assert claims.var() == pytest.approx(count * mean**2 * w, rel=0.01)
    assert ((claims - claims.mean()) ** 3).mean() == pytest.approx(count * mean**3 * w**3, rel=0.06)


# --------------------------------------------------------------------------- running


def test_progress_reaches_the_total(jieshou: Plan, simulate: Callable[..., Simulation]) -> None:
    """Progress rises to the number of paths, whatever the threads."""
    for threads in (1, 3):
        seen: list[tuple[int, int]] = []
        simulate(
            jieshou,
            paths=20_000,
            threads=threads,
            progress=lambda done, total, seen=seen: seen.append((done, total)),
        )
        assert [t for _, t in seen] == [20_000] * 3
        assert [d for d, _ in seen] == sorted(d for d, _ in seen)
        assert seen[-1][0] == 20_000


@pytest.mark.parametrize("threads", [1, 2])
def test_an_exception_in_progress_stops_the_run(
    jieshou: Plan, simulate: Callable[..., Simulation], threads: int
) -> None:
    """What the callback raises comes out, and the remaining chunks are not worked on."""
    calls = []

    def stop(done: int, total: int) -> None:
        calls.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(jieshou, paths=40 * CHUNK, threads=threads, progress=stop)
    assert 1 <= len(calls) <= 10


def test_progress_of_a_whole_run(plan_with: Callable[..., Plan]) -> None:
    """A run counts its scenarios too, and ends at their total."""
    plan = plan_with("anhui_county")
    seen: list[tuple[int, int]] = []
    act.run(plan, paths=500, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3000, 3000)
    assert seen == sorted(seen)


@pytest.mark.parametrize(("name", "value"), [("paths", 0), ("paths", -5), ("seed", -1), ("threads", 0)])
def test_impossible_numbers_are_refused(
    jieshou: Plan, simulate: Callable[..., Simulation], name: str, value: int
) -> None:
    """At least one path and one thread, and a seed that is not negative."""
    with pytest.raises(InputError) as caught:
        simulate(jieshou, **{name: value})
    (fault,) = caught.value.faults
    assert (fault.code, fault.params["name"]) == ("fund.number", name)


def test_one_path_warns(jieshou: Plan, simulate: Callable[..., Simulation]) -> None:
    """A single path gives an answer, with a warning that it has no probability."""
    with pytest.warns(ModelWarning):
        sim = simulate(jieshou, paths=1)
    target = sim.premium_target()
    assert target.interval == (-math.inf, math.inf)
    assert target.value == sim.needs["current_year"][0]


def test_few_claims_warn(plan_with: Callable[..., Plan], simulate: Callable[..., Simulation]) -> None:
    """A fund with some twenty claims a month says that three moments mean little there."""
    rows = "category,visits,fund payment (yuan)\ninpatient,200,400000\n"
    with pytest.warns(ModelWarning, match=r"\d"):
        sim = simulate(plan_with("jieshou", tables={"experience": rows}), paths=50)
    assert (sim.claims >= 0).all()


def test_a_run_heeds_its_seed(plan_with: Callable[..., Plan]) -> None:
    """A whole run repeats with its seed: target, scenarios and budget; another seed differs."""
    plan = plan_with("jieshou")
    a, b, c = act.run(plan, paths=500), act.run(plan, paths=500, threads=1), act.run(plan, paths=500, seed=1)
    assert a.to_dict() == b.to_dict()
    assert a.target.value != c.target.value
    assert a.scenarios.equals(b.scenarios)
