"""Laws of a claim's cost fitted to a plan's own claims; answers with months seen and with an assumption range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import actuarial as act
from actuarial.fund.fitted import fitted_severities
from actuarial.fund.forecast import plan_cost
from actuarial.fund.scenarios import compare_scenarios
from actuarial.fund.sensitivity import tornado
from actuarial.plan import Patch
from tests.claim_plans import plan_of_claims


@pytest.fixture(scope="module")
def fitted_plan(tmp_path_factory: pytest.TempPathFactory) -> act.Plan:
    """Jieshou's plan with 4,000 synthetic members' claims, the law of inpatient claims fitted to them."""
    severity = {"inpatient": {"law": "fitted", "status": "assumed", "source": "test"}}
    return act.load_plan(plan_of_claims(tmp_path_factory.mktemp("fitted") / "plan", 4_000, severity=severity))


@pytest.mark.filterwarnings("ignore::actuarial.errors.ActuarialWarning")
def test_a_law_fitted_to_the_plans_claims(fitted_plan: act.Plan) -> None:
    """The simulator's inpatient law is the fit of the fund's payments, scaled to mean 1; the answers show the fit, once made."""
    fund = act.Fund(fitted_plan)
    fit = fund.severity_fits["inpatient"]
    claims = fitted_plan.claims
    assert claims is not None
    table = claims.table
    paid = table.loc[(table["category"] == "inpatient") & (table["fund_payment"] > 0), "fund_payment"]
    assert fit.observed.count == len(paid)
    again = act.fit_severity(paid.to_numpy())
    assert fit.law == again.law
    cost = plan_cost(fitted_plan)
    large = fund.setting(cost).large
    assert large is not None
    place = cost.categories.index("inpatient")
    assert large.laws[place].mean == pytest.approx(1.0)
    assert large.laws[place].quantile(0.9) * fit.law.mean == pytest.approx(float(fit.law.quantile(0.9)))
    assert fitted_severities(fitted_plan)["inpatient"] is fit
    answers = fund.answers(cost, paths=1000)
    told = answers.to_dict()["severity_fits"][0]
    assert (told["category"], told["law"], told["claims"]) == ("inpatient", fit.chosen.family.name, len(paid))
    for lang in ("zh", "en"):
        assert f"{len(paid):,}" in answers.summary(lang)


@pytest.mark.parametrize("months", [3, 9])
def test_answers_and_tornado_with_months_seen(jieshou: act.Plan, months: int) -> None:
    """They are those of the simulation given the months; what is seen narrows the tornado."""
    fund, cost = act.Fund(jieshou), plan_cost(jieshou)
    plain = fund.simulate(cost, paths=4000)
    seen = act.MonthlyActuals(claims=(1.05 * plain.claims.mean(axis=0)[:months]).tolist(), source="test")
    sim = fund.simulate(cost, paths=4000, observed=seen)
    found = fund.answers(cost, paths=4000, observed=seen)
    means = found.table.set_index("quantity")["value"]
    assert found.target.value == sim.premium_target().value
    assert found.to_dict()["observed_months"] == months
    assert means["expected_closing_balance"] == pytest.approx(sim.expected_closing_balance())
    assert means["months_payable"] == pytest.approx(sim.months_payable())
    assert str(months) in found.summary("zh")
    wide = tornado(fund, cost, paths=4000)
    narrow = tornado(fund, cost, paths=4000, observed=seen)
    assert narrow.centre == sim.premium_target().value
    reach = [t.table.set_index("assumption").loc["growth", ["low", "high"]] for t in (narrow, wide)]
    assert float(np.ptp(reach[0])) < float(np.ptp(reach[1]))


def test_the_assumption_range_holds_the_scenarios(
    jieshou: act.Plan, recwarn: pytest.WarningsRecorder
) -> None:
    """From the lowest to the highest target of the scenarios that count, around the answer's own."""
    fund, cost = act.Fund(jieshou), plan_cost(jieshou)
    scenarios = compare_scenarios(jieshou, paths=2000)
    found = fund.answers(cost, paths=2000, scenarios=scenarios)
    table = scenarios.table.set_index("id")["premium_target"]
    out = [s.id for s in jieshou.model.scenarios if not s.in_assumption_range]
    counted = table.drop(out) - table["plan"] + found.target.value
    assert found.assumption_range == pytest.approx((counted.min(), counted.max()))
    assert found.assumption_range is not None
    assert found.assumption_range[0] <= found.target.value <= found.assumption_range[1]
    assert f"{counted.max():.2f}" in found.summary("en")


def test_fitting_needs_claims(jieshou: act.Plan, simulate: Callable[..., act.Simulation]) -> None:
    """A plan of aggregates cannot have a fitted law: told by name."""
    spec = {"law": "fitted", "status": "assumed", "source": "test"}
    plan = jieshou.patched([Patch(path="process.severity", value={"inpatient": spec}, source="test")])
    with pytest.raises(act.InputError, match="fitted"):
        act.Fund(plan).setting(plan_cost(plan))
