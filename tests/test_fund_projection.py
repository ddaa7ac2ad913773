"""A fund over several years: closed forms, chained balances, premium rules, same bytes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import actuarial as act
from actuarial.fund.projection import Projection
from actuarial.fund.switches import SOURCES
from actuarial.fund.years import LaterGrowth
from actuarial.growth.drivers import long_run
from actuarial.plan import Patch, Plan
from actuarial.plan.risks import LongRun
from actuarial.severity import log_sd
from tests.conftest import cost_of, simulate_plan
from tests.test_fund_lags import LAG, PROVIDERS
from tests.test_fund_shocks import FLU, RULE, changed

FADE = {"long_run": {"income_growth": 0.05, "excess": 0.01}, "status": "assumed", "source": "test"}


def project(plan: Plan, **options: Any) -> Projection:
    """The plan's years, warnings on endless growth aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", act.ModelWarning)
        return act.Fund(plan).project(cost_of(plan), **options)


@pytest.mark.parametrize("phi", [0.0, 0.6, -0.5])
def test_variance_of_autoregressive_growth(jieshou: Plan, phi: float) -> None:
    """With growth alone uncertain, ln cost after y years has the autoregression's variance of sums, σ²·(y + 2Σ(y−k)φᵏ)."""
    others = [s for s in SOURCES if s != "growth"]
    plan = jieshou.patched([Patch(path="growth.uncertainty.value", value=0.03, source="test")])
    found = project(plan, years=6, autocorrelation=phi, premiums=[0.0], paths=30_000, without=others)
    s = act.Fund(plan).setting(cost_of(plan))
    spending = -(
        found.closing - (1 + s.interest) ** 12 * np.column_stack([found.opening, found.closing[:, :-1]])
    )
    growth = np.log(spending - 17 * s.heads * 1.12 ** np.arange(6) * (1 + s.interest) ** 11)
    sigma = log_sd(1.12, 0.03)
    later = LaterGrowth(cost_of(plan), 6, phi, None)
    for year in range(1, 7):
        assert growth[:, year - 1].std() == pytest.approx(sigma * later.spread(year), rel=0.02), year


def test_the_planned_year_is_the_simulation(jieshou: Plan) -> None:
    """Year one has the bytes of the simulation, whatever is asked of the later ones; threads change nothing."""
    sim = simulate_plan(jieshou, paths=9000)
    one, two = (project(jieshou, years=4, paths=9000, threads=t) for t in (1, 2))
    assert one.closing[:, 0].tobytes() == sim.closing().tobytes()
    assert one.closing.tobytes() == two.closing.tobytes()
    assert one.frame.loc[0, "deficit_any_month"] == sim.deficit_probability()["any_month"]
    short = project(jieshou, years=2, paths=9000)
    assert short.closing.tobytes() == np.ascontiguousarray(one.closing[:, :2]).tobytes()


def test_without_risk_the_years_roll_by_hand(jieshou: Plan) -> None:
    """All sources off: cost grows by the fading growth, heads as stated, the balance month by month in plain Python."""
    plan = changed(jieshou, projection={**FADE, "insured_growth": -0.01, "years": 5})
    found = project(plan, premiums=[400, 450, 500], paths=3, without=SOURCES)
    assert found.premiums == [400, 450, 500, 500, 500]
    run = simulate_plan(plan, paths=2, without=SOURCES)
    s, cost = run.setting, run.cost
    growth = long_run(0.12, 0.05, years=5, excess=0.01)
    level, amount, cii, heads = (
        float(run.opening[0]),
        cost.waterfall()["yuan_per_person"].sum(),
        17.0,
        s.heads,
    )
    for year in range(5):
        if year:
            amount, cii, heads = amount * (1 + growth[year + 1]), cii * (1 + growth[year + 1]), heads * 0.99
        for m in range(12):
            income = s.receipts[m] * found.premiums[year] - (cii if m == 0 else 0)
            level += level * s.interest + heads * (income - amount * s.shares[m])
        assert found.closing[:, year] == pytest.approx(level, rel=1e-9), year
        row = found.frame.iloc[year]
        assert row["cost_per_capita"] == pytest.approx(amount)
        assert row["insured"] == pytest.approx(heads)


def test_what_the_calendar_leaves_open_comes_next_year(
    jieshou: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tenth of each year's income open at its end, all money still comes: a tenth a year later, in the first month."""
    stated = act.fund.calendar.stated_calendar
    monkeypatch.setattr(act.fund.calendar, "stated_calendar", lambda *a: 0.9 * stated(*a))
    fund, cost = act.Fund(jieshou), cost_of(jieshou)
    with pytest.warns(act.ModelWarning, match="90"):
        assert fund.financing.standard > 0
    found = fund.project(cost, years=3, premiums=[400, 450, 500], paths=2, without=SOURCES)
    s, row = fund.setting(cost), found.frame
    assert s.receipts.sum() == pytest.approx(0.9)
    level = found.closing[0, 0]
    for year in (1, 2):
        heads, premium = row.loc[year, "insured"], found.premiums
        cii = (row.loc[year, "spending"] / heads - row.loc[year, "cost_per_capita"]) * heads
        for m in range(12):
            level += level * s.interest + s.receipts[m] * premium[year] * heads
            level -= heads * row.loc[year, "cost_per_capita"] * s.shares[m]
            level += (0.1 * premium[year - 1] * row.loc[year - 1, "insured"] - cii) if m == 0 else 0.0
        assert found.closing[0, year] == pytest.approx(level, rel=1e-9)
        own = row.loc[year, "income"] - (0.1 * premium[year - 1] + 0.9 * premium[year]) * heads
        assert abs(own) < 0.03 * row.loc[year, "income"]  # interest


def test_budgets_follow_a_policy_that_came_within_the_year(jieshou: Plan) -> None:
    """With budgets as expected and no randomness providers are paid their claims, in the year after a policy of December too."""
    late = {"p": {"on": "2014-12-01", "coefficient": 1.5, "status": "assumed", "source": "test"}}
    costs = [
        project(
            changed(jieshou, policy_starts=late, **more),
            years=3,
            premiums=[600.0],
            paths=2,
            without=[s for s in SOURCES if s != "providers"],
        ).frame["cost_per_capita"]
        for more in ({}, {"providers": {**PROVIDERS, "budget": "expected"}})
    ]
    assert costs[1].tolist() == pytest.approx(costs[0].tolist())


def test_liabilities_chain_from_year_to_year(jieshou: Plan) -> None:
    """Without risk, payments of all years and what is left are what was owed at first and what came to be owed."""
    plan = changed(jieshou, payment_lag={**LAG, "pattern": [0.3, 0.2, 0.2] + [0.02] * 15}, projection=FADE)
    found = project(plan, years=4, paths=2, without=SOURCES)
    run = simulate_plan(plan, paths=2, without=SOURCES)
    growth = long_run(0.12, 0.05, years=4, excess=0.01)
    incurred = run.incurred[0].sum() * np.cumprod([1, *(1 + growth.to_numpy()[1:])])
    paid = found.frame["cost_per_capita"].to_numpy() * found.frame["insured"].to_numpy()
    assert run.liabilities[0, 0] + incurred.sum() == pytest.approx(
        paid.sum() + found.frame["unpaid"].iloc[-1], rel=1e-9
    )
    assert found.frame["unpaid"].iloc[0] == pytest.approx(run.liabilities[0, -1])


def test_fitted_growth_keeps_its_forecasts(jieshou: Plan) -> None:
    """Each year's level under a fitted growth has the fit's own distribution of so many years ahead."""
    fit = act.fit_growth(pd.Series([100.0, 112, 121, 140, 150, 168], index=range(2008, 2014)))
    cost = act.cost_forecast(cost_of(jieshou).base, act.stated_policy_factor(1.0), fit)
    later = LaterGrowth(cost, 5, 0.4, None)
    z = np.random.default_rng(1).standard_normal((30_000, cost.dimension))
    at, level = later.start(z), np.exp(later.start(z).level[:, 0])
    for year in range(2, 6):
        draw = later.draw(2012, 2000 + year, 0, 30_000)
        at, growth = later.step(at, draw, year)
        level = level * growth[:, 0]
        wanted = fit.forecast(year).quantile([0.1, 0.5, 0.9]).to_numpy() / 168
        assert np.quantile(level, [0.1, 0.5, 0.9]) == pytest.approx(wanted, rel=0.015), year


def test_categories_keep_their_correlation(jieshou: Plan) -> None:
    """With a correlation of one half between categories' growth, that of later years is one half too."""
    plan = jieshou.patched([Patch(path="growth.correlation", value=0.5, source="test")])
    cost = cost_of(plan)
    later = LaterGrowth(cost, 3, 0.3, None)
    at = later.start(np.random.default_rng(2).standard_normal((40_000, cost.dimension)))
    _, growth = later.step(at, later.draw(1, 5, 0, 40_000), 2)
    found = np.corrcoef(np.log(growth), rowvar=False)
    assert found[np.triu_indices(len(found), 1)] == pytest.approx(0.5, abs=0.03)


def test_growth_fades_to_the_long_run(jieshou: Plan) -> None:
    """The median path of cost is the long run's own product, and without one it is the plain power."""
    cost, end = cost_of(jieshou), LongRun(income_growth=0.05, excess=0.01)
    growth = long_run(0.12, 0.05, years=8, excess=0.01).to_numpy()
    assert LaterGrowth(cost, 8, 0.0, end).index == pytest.approx(np.cumprod([1, *(1 + growth[1:])]))
    assert LaterGrowth(cost, 8, 0.0, None).index == pytest.approx(1.12 ** np.arange(8))


@pytest.mark.parametrize("criterion", ["current_year", "closing", "any_month"])
@pytest.mark.parametrize("rule", ["criterion", "announced"])
def test_premiums_set_by_the_criterion(jieshou: Plan, criterion: str, rule: str) -> None:
    """In every year the risk is within what is accepted, and a yuan and a half less would not be enough (announced)."""
    found = project(jieshou, years=4, premiums=rule, criterion=criterion, alpha=0.1, paths=4000)
    risk = found.frame[f"deficit_{criterion}"]
    assert (risk <= 0.1).all()
    assert (risk > 0.06).all()
    first = simulate_plan(jieshou, paths=4000).premium_target(0.1, criterion=criterion)
    assert found.premiums[0] == np.ceil(first.value)
    spread = found.frame["premium_high"] - found.frame["premium_low"]
    assert (spread[1:] > 20).all() if rule == "criterion" else (spread == 0).all()


def test_setting_anew_needs_less_than_announcing(jieshou: Plan) -> None:
    """Knowing last year's cost each autumn the amounts are lower on average than amounts fixed today for all years."""
    anew, today = (
        project(jieshou, years=5, premiums=r, paths=4000).frame for r in ("criterion", "announced")
    )
    assert (anew["premium"][2:] < today["premium"][2:]).all()


def test_everything_together(jieshou: Plan) -> None:
    """With all features on the years run, ruin only grows, and each can be switched off."""
    plan = changed(
        jieshou, shocks={"flu": FLU}, policy_starts={"reform": RULE}, payment_lag=LAG,
        providers={**PROVIDERS, "deviation": 0.1}, projection={**FADE, "autocorrelation": 0.3, "premiums": "criterion"},
    )  # fmt: skip
    plan = plan.patched([Patch(path="insured.next_year_sd", value=0.02, source="test")])
    found = project(plan, years=4, paths=3000)
    assert found.frame["ever"].is_monotonic_increasing
    assert (found.frame["unpaid"] > 0).all()
    calm = project(plan, years=4, paths=50, without=SOURCES)
    assert np.ptp(calm.closing, axis=0).max() <= 1e-6
    for off in ("growth", "shocks", "process", "enrolment", "providers", "policy"):
        less = project(plan, years=3, paths=400, premiums="present", without=(off,))
        assert less.closing[:, 2].std() != found.closing[:, 2].std()


def test_words_pictures_and_warning(jieshou: Plan) -> None:
    """Summary, charts and JSON in both languages; endless growth is said; a year from April is labelled by two years."""
    with pytest.warns(act.ModelWarning, match="12.0%"):
        found = act.Fund(jieshou).project(cost_of(jieshou), years=4, premiums="criterion", paths=500)
    for lang, word in (("zh", "人均标准"), ("en", "yuan a person")):
        assert word in found.summary(lang)
        assert len(found.plot(lang=lang).get_xticklabels()) == 5
        assert found.plot_premiums(lang=lang).get_ylabel()
    assert found.to_dict()["years"][0]["year"] == "2014"
    changes = {"fiscal_year_start": "2013-04-01", "valuation_date": "2014-01-31"}
    april = jieshou.patched([Patch(path=k, value=v, source="test") for k, v in changes.items()])
    assert project(april, years=2, paths=200).frame["year"].tolist() == ["2014/15", "2015/16"]


@pytest.mark.parametrize(
    "asked", [{"years": 0}, {"premiums": []}, {"autocorrelation": 1.0}, {"premiums": [-1.0]}]
)
def test_what_cannot_be_asked(jieshou: Plan, asked: dict[str, Any]) -> None:
    """Numbers out of range are refused in the plan's words."""
    with pytest.raises(act.InputError, match="projection"):
        project(jieshou, paths=10, **asked)
