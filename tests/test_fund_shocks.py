"""Shock years, dated policies and months by days: closed forms, switches, designs, fleets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import actuarial as act
from actuarial.experience import base_year
from actuarial.fund.categories import category_paths
from actuarial.fund.chunks import collect, need
from actuarial.fund.fleet import Fleet, Member
from actuarial.fund.forecast import plan_cost
from actuarial.fund.paths import claims_of
from actuarial.fund.risk import Risk
from actuarial.fund.sampling import SOBOL, SOBOL_BLOCK, choose, run_pilot
from actuarial.fund.shares import variance_shares
from actuarial.fund.shocks import Shock, days_in_force
from actuarial.fund.switches import SOURCES
from actuarial.fund.target import premium_target, weighted_target
from actuarial.fund.trouble import category_costs
from actuarial.fund.uneven import uneven_claims
from actuarial.plan import Patch, Plan
from actuarial.tables import MonthlyProfile
from tests.conftest import cost_of, simulate_plan

FLU = {
    "name": {"zh": "流感", "en": "influenza"}, "rate": 0.25, "factor": 1.3, "factor_sd": 0.1, "months": [1, 2, 12],
    "status": "assumed", "source": "test",
}  # fmt: skip
RULE = {"on": "2014-07-01", "coefficient": 1.1, "sd": 0.02, "status": "assumed", "source": "test"}
CALM = [s for s in SOURCES if s != "shocks"]


def changed(plan: Plan, **parts: Any) -> Plan:
    """The plan with whole parts stated."""
    return plan.patched([Patch(path=k, value=v, source="test") for k, v in parts.items()])


@pytest.mark.parametrize(
    ("poisson", "rate", "factor", "sd"),
    [(False, 0.1, 1.3, 0.2), (False, 1.0, 0.8, 0.1), (True, 0.3, 1.2, 0.1), (True, 2.5, 1.1, 0.0)],
)
def test_moments_of_a_shock(poisson: bool, rate: float, factor: float, sd: float) -> None:
    """Mean and mean square of 400,000 drawn factors lie within five standard errors of the closed forms."""
    shock = Shock("x", poisson, rate, factor, sd, np.ones(1, bool), np.ones(12, bool))
    z = np.random.default_rng(5).standard_normal((2, 400_000))
    year = shock.year(z[0], z[1])
    assert ((shock.events(z[0]) == 0) <= (year == 1)).all()
    for power, moment in zip((1, 2), shock.moments, strict=True):
        error = (year**power).std() / np.sqrt(len(year))
        assert (year**power).mean() == pytest.approx(moment, abs=5 * error + 1e-12)


def test_a_rate_of_nothing_and_of_always() -> None:
    """At rate 0 no normal brings a shock; at rate 1 every one does."""
    z = np.array([-9.0, 0.0, 9.0])
    for rate, expected in ((0.0, [0, 0, 0]), (1.0, [1, 1, 1])):
        shock = Shock("x", False, rate, 2.0, 0.0, np.ones(1, bool), np.ones(12, bool))
        assert shock.events(z).tolist() == expected
    none = Shock("x", True, 0.0, 2.0, 0.0, np.ones(1, bool), np.ones(12, bool))
    assert none.events(z).tolist() == [0, 0, 0]


def test_shock_years_of_a_fund(jieshou: Plan) -> None:
    """With all else off, claims of hit months are the plain ones times the factor, with the closed moments over paths."""
    plan = changed(jieshou, shocks={"flu": {**FLU, "categories": ["inpatient"]}})
    run = simulate_plan(plan, paths=30_000, threads=1, without=CALM)
    still = run.claims[:, 2:11]
    assert np.ptp(still, axis=0).max() == 0
    s = run.setting
    per_capita = s.cost.per_capita(np.zeros((1, s.cost.dimension)))[0]
    mine = per_capita[s.cost.categories.index("inpatient")] / per_capita.sum()
    factor = 1 + (run.claims[:, 0] / (s.heads * per_capita.sum() * s.shares[0]) - 1) / mine
    first, second = 1 + 0.25 * 0.3, 1 + 0.25 * (1.3**2 + 0.1**2 - 1)
    error = factor.std() / np.sqrt(len(factor))
    assert factor.mean() == pytest.approx(first, abs=5 * error)
    assert (factor**2).mean() == pytest.approx(second, abs=15 * error)
    assert (np.abs(factor - 1) < 1e-9).mean() == pytest.approx(0.75, abs=0.02)
    spread = run.claims.sum(axis=1).std() / run.claims.sum(axis=1).mean()
    assert np.sqrt(variance_shares(run).single["shocks"]) == pytest.approx(spread, rel=0.03)


def test_off_is_the_plain_answer(jieshou: Plan) -> None:
    """A plan that states nothing, one whose shocks are switched off, and its other streams: the same figures."""
    plain = simulate_plan(jieshou, paths=9000, threads=2)
    assert plain.setting.risk is None
    assert plain.arrays.noise is None
    flu = changed(jieshou, shocks={"flu": FLU})
    off = simulate_plan(flu, paths=9000, threads=1, without=("shocks",))
    np.testing.assert_allclose(off.claims, plain.claims, rtol=1e-11)
    assert off.arrays.base_total.tobytes() == plain.arrays.base_total.tobytes()
    on = simulate_plan(flu, paths=9000, threads=1)
    hit = (on.claims[:, 3:11] - plain.claims[:, 3:11]) / plain.claims[:, 3:11]
    assert np.abs(hit).max() < 1e-11  # months that are not hit: not a draw has moved
    gone = flu.patched([Patch(path="shocks", value={}, source="test")])
    assert simulate_plan(gone, paths=9000, threads=1).claims.tobytes() == plain.claims.tobytes()


@pytest.mark.parametrize("heads", [647_000.0, 4892.0])
def test_even_factors_are_the_even_year(plan_with: Callable[..., Plan], heads: float) -> None:
    """With all factors 1 the uneven year draws the even year's claims, also where claims are drawn one by one."""
    plan = plan_with("jieshou", {"insured.next_year": heads})
    s = act.Fund(plan).setting(cost_of(plan))
    assert (s.large is None) == (heads > 1e5)
    many = np.full(800, heads)
    cost = np.tile(s.cost.base.category_per_capita, (800, 1))
    ones = np.ones((800, len(s.counts), 12))
    found, _ = uneven_claims(s, 7, 0, many, cost, ones, ones)
    np.testing.assert_allclose(found, claims_of(s, 7, 0, many, cost), rtol=1e-9)


def test_large_claims_follow_the_shock(plan_with: Callable[..., Plan]) -> None:
    """In a town of 4,892 with claims one by one, visits × 2 in two months doubles their mean and variance; cost × 2 takes four times."""
    plan = plan_with("jieshou", {"insured.next_year": 4892.0})
    s = act.Fund(plan).setting(cost_of(plan))
    many, cost = np.full(4096, 4892.0), np.tile(s.cost.base.category_per_capita, (4096, 1))
    ones = np.ones((4096, len(s.counts), 12))
    twice = ones.copy()
    twice[:, :, :2] = 2.0
    plain, visits, dearer = (
        uneven_claims(s, 3, 0, many, cost, v, u)[0] for v, u in ((ones, ones), (twice, ones), (ones, twice))
    )
    for found, power in ((visits, 1), (dearer, 2)):
        assert found[:, :2].mean() / plain[:, :2].mean() == pytest.approx(2, rel=0.01)
        assert found[:, :2].sum(axis=1).var() / plain[:, :2].sum(axis=1).var() == pytest.approx(
            2**power, rel=0.1
        )
        assert found[:, 2:].mean() == pytest.approx(plain[:, 2:].mean(), rel=0.01)


def test_designs_reach_the_shock(jieshou: Plan) -> None:
    """Importance sampling and Sobol points agree with plain paths on probabilities and means, weights and all."""
    plan = changed(jieshou, shocks={"flu": {**FLU, "rate": 0.05, "factor": 1.6}})
    s = act.Fund(plan).setting(plan_cost(plan))
    pilot = run_pilot(s, [need("closing")], 2012)
    sampler, block, name = choose(pilot, [("closing", float(np.quantile(pilot.outcomes["closing"], 0.95)))])
    assert name == "importance"
    tail = collect(s, [need("closing")], paths=40_960, seed=1, sampler=sampler, block=block, method=name)
    plain = premium_target(collect(s, [need("closing")], paths=81_920, seed=2)["closing"], 0.05, "closing")
    found = weighted_target(tail["closing"], tail.weight, 0.05, "closing", block=block)
    low, high = found.interval
    assert (
        low - (plain.interval[1] - plain.interval[0])
        < plain.value
        < high + (plain.interval[1] - plain.interval[0])
    )
    assert tail.weight.mean() == pytest.approx(1, abs=0.01)
    points = collect(
        s, [need("closing")], paths=32_768, seed=3, sampler=SOBOL, block=SOBOL_BLOCK, method="sobol"
    )
    assert points["closing"].mean() == pytest.approx(plain.needs.mean(), rel=2e-3)
    with pytest.warns(act.ModelWarning, match="对数正态"):  # a mixture is no lognormal, and that is said
        answers = act.Fund(plan).answers(plan_cost(plan), criterion="closing", paths=20_000)
    assert answers.target.value == pytest.approx(plain.value, rel=0.01)


def test_funds_share_an_epidemic(jieshou: Plan, tmp_path: Any) -> None:
    """With a correlation of 1 the funds that name the same event have it in the same worlds; with 0 they do not."""
    path = str(act.sample_path("jieshou/plan.yaml"))
    change = (("shocks", {"flu": {**FLU, "factor": 3.0, "months": [], "factor_sd": 0.0}}, "test"),)
    fleet = Fleet([Member("a", path, changes=change), Member("b", path, changes=change)])
    joint = []
    for rho in (1.0, 0.0):
        done = fleet.simulate(shared={"shocks": rho}, paths=4000, workers=1)
        closings = np.stack([done.outcome(m)[0] for m in done.members])
        joint.append(np.corrcoef(closings)[0, 1])
    assert joint[0] > 0.9
    assert abs(joint[1]) < 0.1


def test_a_policy_that_starts_within_the_year(jieshou: Plan) -> None:
    """The months' expected claims are the base year's rule for policies: the profile × its factors (annualise.policy_factors)."""
    plan = changed(jieshou, policy_starts={"reform": {**RULE, "sd": 0.0}})
    sure, plain = (simulate_plan(p, paths=2, threads=1, without=SOURCES).claims[0] for p in (plan, jieshou))
    factors = [1.0] * 6 + [1.1] * 6
    np.testing.assert_allclose(sure, plain * factors, rtol=1e-12)
    season = base_year(jieshou).coming.with_policy(factors)
    np.testing.assert_allclose(sure / sure.sum(), season.shares, rtol=1e-12)
    risk = act.Fund(plan).setting(plan_cost(plan)).risk
    assert isinstance(risk, Risk)
    assert risk.policy_factors("inpatient", plan_cost(plan).categories).tolist() == pytest.approx(factors)


def test_uncertainty_of_a_dated_policy_is_the_policys(jieshou: Plan) -> None:
    """Its spread is lognormal with the stated sd, counts as policy in the shares, and goes with the policy's switch."""
    plan = changed(jieshou, policy_starts={"reform": {**RULE, "on": "2014-01-01", "sd": 0.05}})
    others = [s for s in SOURCES if s != "policy"]
    run = simulate_plan(plan, paths=20_000, threads=1, without=others)
    factor = run.claims.sum(axis=1) / (simulate_plan(jieshou, paths=2, without=SOURCES).claims[0].sum())
    assert np.median(factor) == pytest.approx(1.1, rel=2e-3)
    assert factor.std() == pytest.approx(0.05, rel=0.02)
    assert np.sqrt(variance_shares(run).single["policy"]) == pytest.approx(
        factor.std() / factor.mean(), rel=0.03
    )
    assert np.ptp(simulate_plan(plan, paths=50, without=SOURCES).claims.sum(axis=1)) == 0


def test_days_in_force() -> None:
    """A policy of the 16th of a month of 30 days holds for half of it; before the year it holds throughout."""
    first = pd.Period("2014-04", "M")
    assert days_in_force(dt.date(2014, 4, 16), first)[0] == 0.5
    assert days_in_force(dt.date(2014, 1, 1), first).tolist() == [1.0] * 12
    assert days_in_force(dt.date(2015, 3, 31), first)[-1] == pytest.approx(1 / 31)


def test_shares_sum_with_everything_on(jieshou: Plan) -> None:
    """Shapley shares of a plan with shocks, a dated policy and providers sum to 1, and the total is the simulated spread."""
    plan = changed(
        jieshou, shocks={"flu": FLU}, policy_starts={"reform": {**RULE, "sd": 0.03}},
        providers={"rule": "china/taicang/contract/provider_quota@2008-01-01", "budget": "expected", "share": 0.8,
                   "status": "assumed", "source": "test"},
    )  # fmt: skip
    run = simulate_plan(plan, paths=30_000, threads=2)
    found = variance_shares(run)
    table = found.table.set_index("factor")
    assert table["share"].sum() == pytest.approx(1, abs=1e-12)
    assert table.loc["shocks", "share"] > 0.05
    assert table.loc["providers", "share"] < 0
    assert found.total_sd == pytest.approx(run.incurred.sum(axis=1).std() / run.setting.heads, rel=0.03)
    for lang in ("zh", "en"):
        assert found.plot(lang=lang).get_xlim()[0] < 0


def test_category_costs_know_the_shock(jieshou: Plan) -> None:
    """Expected cost of the category that is hit rises by the closed form, the others' stay."""
    before = category_costs(simulate_plan(jieshou, paths=20_000)).set_index("category")["expected"]
    flu = {**FLU, "categories": ["inpatient"], "months": []}
    after = category_costs(simulate_plan(changed(jieshou, shocks={"flu": flu}), paths=20_000)).set_index(
        "category"
    )
    rise = after["expected"] / before
    assert rise["inpatient"] == pytest.approx(1.075, rel=0.005)
    assert rise.drop(["inpatient", "all"]).to_numpy() == pytest.approx(1.0, abs=1e-12)


def test_months_seen_with_a_shock(jieshou: Plan) -> None:
    """Given the expected first half year, a plan with a shock in December keeps the rest it expects."""
    plan = changed(
        jieshou, shocks={"flu": {**FLU, "rate": 1.0, "factor_sd": 0.0, "months": [12], "factor": 1.5}}
    )
    plain = simulate_plan(plan, paths=4000)
    seen = act.MonthlyActuals(claims=plain.claims.mean(axis=0)[:6].tolist(), source="test")
    then = act.Fund(plan).simulate(plan_cost(plan), paths=4000, observed=seen)
    assert then.claims[:, 6:].mean(axis=0) == pytest.approx(plain.claims[:, 6:].mean(axis=0), rel=0.01)
    with pytest.raises(act.InputError):
        _ = then.incurred


def test_categories_follow_the_switches(jieshou: Plan) -> None:
    """With the policy factor off a dated policy stands at its median in the categories too."""
    sim = simulate_plan(
        changed(jieshou, policy_starts={"reform": {**RULE, "sd": 0.1}}), paths=50, without=("policy",)
    )
    assert category_paths(sim).sum(axis=1) == pytest.approx(sim.arrays.heads * sim.arrays.cost_per_capita)


def test_tornado_names_the_shock(jieshou: Plan) -> None:
    """What the target would be without shocks is a bar to the left, with that target."""
    plan = changed(jieshou, shocks={"flu": FLU})
    found = act.tornado(act.Fund(plan), plan_cost(plan), paths=3000).table.set_index("assumption")
    plain = simulate_plan(jieshou, paths=3000).premium_target().value
    assert found.loc["shocks", "low"] == pytest.approx(plain, rel=1e-9)
    assert np.isnan(found.loc["shocks", "high"])


# --------------------------------------------------------------------------- days and fiscal years


def test_a_leap_year_has_its_day(jieshou: Plan) -> None:
    """By days, February of a planned leap year gains one day in 29 on the common year's, the other months' ratios stay."""
    seasons = {}
    for start in ("2014", "2015"):
        plan = jieshou.patched([
            Patch(path=p, value=v, source="test") for p, v in (
                ("annualise.by_days", True), ("fiscal_year_start", f"{start}-01-01"), ("valuation_date", f"{start}-10-31"),
            )
        ])  # fmt: skip
        seasons[start] = base_year(plan)
    leap, common = seasons["2015"].coming.shares, seasons["2014"].coming.shares
    odds = (leap / leap[0]) / (common / common[0])
    assert odds == pytest.approx([1, 29 / 28] + [1] * 10, rel=1e-4)
    assert seasons["2015"].profile.shares == pytest.approx(seasons["2014"].profile.shares, rel=1e-12)
    assert leap.sum() == pytest.approx(1)


def test_profile_by_days_of_an_even_year() -> None:
    """One twelfth a month counted by days is days over days of the year, from April on too."""
    found = MonthlyProfile.even().by_days(pd.Period("2015-04", "M")).shares * 366
    assert found == pytest.approx([30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29, 31])


def test_a_year_that_starts_in_april(jieshou: Plan) -> None:
    """A fund year from April: the same season by calendar month, labels of the fan, and a policy dated 1 October in month 7."""
    plan = jieshou.patched([
        Patch(path=p, value=v, source="test") for p, v in (
            ("fiscal_year_start", "2013-04-01"), ("valuation_date", "2014-01-31"),
            ("policy_starts", {"reform": {**RULE, "on": "2014-10-01"}}),
        )
    ])  # fmt: skip
    run = simulate_plan(plan, paths=500)
    by_calendar = np.roll(run.cost.base.coming.shares, 3)
    assert by_calendar == pytest.approx(base_year(jieshou).coming.shares, rel=1e-12)
    assert str(run.fan()["month"].iloc[-1]) == "2015-03"
    assert run.setting.risk is not None
    assert run.setting.risk.policy_factors("inpatient", run.cost.categories).tolist() == pytest.approx(
        [1.0] * 6 + [1.1] * 6
    )
    answer = act.run(plan, paths=500)
    assert answer.target.value > 0
