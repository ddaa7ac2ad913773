"""What provokes the errors and warnings of designs, scenarios and fleets, by code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import actuarial as act
from actuarial.experience import base_year
from actuarial.fund.answers import cross_check
from actuarial.fund.chunks import Outcomes
from actuarial.fund.fleet import Fleet
from actuarial.fund.income_views import account_table
from actuarial.fund.moving import Bands
from actuarial.fund.personal import account_credit, personal_accounts
from actuarial.fund.pooling import equalise, pool
from actuarial.fund.shares import variance_shares
from actuarial.fund.trouble import category_costs, trouble
from actuarial.layers import Piecewise
from actuarial.plan import Patch
from actuarial.samples import sample_path
from tests.conftest import simulate_plan

Case = Callable[[Path], Any]


def run(paths: int = 100) -> act.Simulation:
    """Jieshou on few paths."""
    plan = act.load_plan(sample_path("jieshou/plan.yaml"))
    cost = act.cost_forecast(base_year(plan), act.stated_policy_factor(1.0), act.expert_growth(0.1, sd=0.05))
    return act.Fund(plan).simulate(cost, paths=paths)


def weighted() -> act.Simulation:
    """The same, its paths with weights."""
    sim = run()
    return replace(sim, arrays=replace(sim.arrays, weight=np.ones(sim.paths)))


def seen() -> act.Simulation:
    """The same after a month that has been seen."""
    sim = run()
    return sim.fund.simulate(
        sim.cost, paths=100, observed=act.MonthlyActuals(claims=[2.0e7], source="example")
    )


def target(**options: Any) -> Case:
    """A target under these options."""
    return lambda folder: run().premium_target(0.05, **options)


HEAPS = Outcomes(
    {c: np.repeat([1.0, 9.0], [9, 1]) for c in ("current_year", "closing")}, None, 1, "sobol", 10, 0
)


def fleet(**options: Any) -> Case:
    """A fleet of the two samples under these options."""

    def work(folder: Path) -> Any:
        members = Fleet(sample_path("jieshou/plan.yaml").parent.parent)
        return members.simulate(**{"shared": {}, "paths": 10, **options})

    return work


def without_claims(folder: Path) -> Any:
    """A law to be fitted in a plan of aggregates."""
    plan = act.load_plan(sample_path("jieshou/plan.yaml"))
    spec = {"law": "fitted", "status": "assumed", "source": "example"}
    changed = plan.patched([Patch(path="process.severity", value={"inpatient": spec}, source="example")])
    return act.Fund(changed).severity_fits


class Crooked:
    """Bands whose number hangs on the target."""

    law = act.load_contract("china/jiande/contract/cooperation@2012-01-01").law

    def bands(self, target: float) -> Piecewise:
        """One band, or two for a large target."""
        return Piecewise([1e6, 2e6][: 1 + (target > 3e8)], [0.5, 0.4, 0.3][: 2 + (target > 3e8)])


def crooked(folder: Path) -> Any:
    """A contract whose bands do not move with its target in a fixed way."""
    return Bands.of(Crooked(), 2e8)  # type: ignore[arg-type]


def table(text: str) -> Case:
    """A fleet from a table."""

    def work(folder: Path) -> Fleet:
        (folder / "fleet.csv").write_text(text, encoding="utf-8")
        return Fleet(folder / "fleet.csv")

    return work


AGES = pd.DataFrame({"fund": ["a", "b"], "age_group": ["old", "young"], "persons": [5, 5]})
LARGE = pd.DataFrame({"fund": ["a", "b"], "cases": [1, 3], "cost_above": [1e4, 3e4]})

ASSUMED = {"status": "assumed", "source": "test"}
RATE = {"value": 0.01, **ASSUMED}
ONE_ACCOUNT = {"a": {"interest_rate": RATE, "share": 1.0, "pays": True}}
RESERVE = {
    "rule": "china/national/reserve/ncms_risk_fund@2004-01-01",
    "balance": RATE,
    "interest_rate": RATE,
    **ASSUMED,
}


def stated(sample: str, **changes: Any) -> Case:
    """Simulating a sample with these changes; ``__`` in a name is a dot."""

    def work(folder: Path) -> Any:
        plan = act.load_plan(sample_path(f"{sample}/plan.yaml"))
        patches = [Patch(path=k.replace("__", "."), value=v, source="t") for k, v in changes.items()]
        return simulate_plan(plan.patched(patches), paths=20, threads=1)

    return work


def arrives(**figures: float) -> Case:
    """A payer's arrears of these figures."""
    return stated("jieshou", financing__arrivals={"individual": {**figures, **ASSUMED}})


def moved(**spec: Any) -> Case:
    """A standing order between accounts."""
    return stated("jieshou", accounts=ONE_ACCOUNT, moves={"m": {"origin": "a", "to": "a", **spec, **ASSUMED}})


INCOME_CASES: dict[str, list[Case]] = {
    "income.arrival_sd": [arrives(mean=0.9, sd=0.4), arrives(outstanding=0.5, outstanding_sd=0.5)],
    "income.delay_sd": [arrives(delay_sd=1.0)],
    "income.subsidy_local": [
        stated(
            "jieshou",
            financing__subsidy={
                "standard": 280.0,
                "year": 2013,
                "tier": 2,
                "local": {"subsidy_local": 0.9},
                **ASSUMED,
            },
        )
    ],
    "income.move": [moved(), moved(share=0.5, fill_to=1.0)],
    "income.moves": [stated("jieshou", moves={"m": {"origin": "a", "to": "b", "share": 1.0, **ASSUMED}})],
    "income.reserve_month": [stated("jieshou", reserve={**RESERVE, "basis": "surplus", "month": 6})],
    "income.payer": [
        stated("jieshou", financing__assistance={"medical_assistance": {"persons": 1.0, **ASSUMED}}),
        stated("jieshou", financing__arrivals={"nobody": {"mean": 0.9, **ASSUMED}}),
    ],
    "income.assisted": [
        stated("jieshou", financing__assistance={"subsidy_local": {"persons": 1e6, **ASSUMED}}),
        stated("jieshou", financing__assistance={"individual": {"persons": 1.0, **ASSUMED}}),
    ],
    "income.accounts": [
        stated("jieshou", accounts={"a": {"interest_rate": RATE, "share": 0.5, "pays": True}}),
        stated("jieshou", accounts={"a": {"interest_rate": RATE, "share": 1.0}}),
    ],
    "income.lands_twice": [
        stated(
            "jieshou",
            accounts={
                k: {"interest_rate": RATE, "share": 0.5, "pays": k == "a", "receives": ["individual"]}
                for k in "ab"
            },
        )
    ],
    "income.account": [
        stated(
            "jieshou", accounts=ONE_ACCOUNT, moves={"m": {"origin": "a", "to": "z", "share": 1.0, **ASSUMED}}
        ),
        stated(
            "jieshou",
            transfers={"t": {"kind": "to_above", "amount": 1.0, "month": 1, "account": "z", **ASSUMED}},
        ),
    ],
    "income.outstanding": [arrives(outstanding=0.5)],
    "income.adjustment": [
        stated(
            "jieshou",
            adjustment={"rate": 0.06, "rule": "china/coal/threshold/adjustment_fund@1996-05-05", **ASSUMED},
        )
    ],
    "income.age_factor": [
        lambda folder: account_credit("china/coal/crediting/guideline@1996-05-05", 1.0, age_factor=1.4)
    ],
    "income.no_personal": [lambda folder: personal_accounts(run())],
    "income.none": [lambda folder: account_table(run())],
    "income.balance_criterion": [
        lambda folder: stated("jieshou", reserve=RESERVE)(folder).premium_target(criterion="expected_balance")
    ],
    "income.projection": [
        lambda folder: (sim := stated("jieshou", reserve=RESERVE)(folder)).fund.project(
            sim.cost, years=2, paths=20
        )
    ],
    "income.accounts_negative": [
        lambda folder: personal_accounts(
            stated("employees/ruijin", personal_accounts__growth={"value": 2.0, **ASSUMED})(folder)
        )
    ],
}

CASES: dict[str, list[Case]] = {
    **INCOME_CASES,
    "fund.observed_twice": [lambda folder: seen().given(act.MonthlyActuals(claims=[2.0e7], source="again"))],
    "fund.severity_claims": [without_claims],
    "fund.moving_bands": [crooked],
    "answers.split": [target(split={"nobody": 1.0}), target(split={"individual": 0.4})],
    "answers.split_balance": [target(criterion="tvar", split="individual")],
    "answers.months": [target(criterion="months_payable"), target(criterion="closing", months=2.0)],
    "answers.amount": [target(criterion="tvar", amount=float("nan"))],
    "trouble.alpha": [lambda folder: trouble(run(), alpha=1.0)],
    "trouble.weighted": [lambda folder: trouble(weighted()), lambda folder: variance_shares(weighted())],
    "fund.shares_seen": [lambda folder: variance_shares(seen())],
    "trouble.seen": [lambda folder: category_costs(seen())],
    "fleet.no_plans": [lambda folder: Fleet(folder)],
    "fleet.twice": [table("fund,plan\na,p.yaml\na,q.yaml\n")],
    "fleet.columns": [table("fund,file\na,p.yaml\n"), table("")],
    "fleet.shared": [fleet(shared={"weather": 0.5}), fleet(shared={"growth": 1.5})],
    "fleet.engine": [fleet(engine="abacus")],
    "fleet.rate": [lambda folder: pool(fleet()(folder), rate=0.2)],
    "fleet.equalise": [
        lambda folder: equalise(AGES, pd.Series({"old": 1.0}), LARGE, cost_per_head=1.0),
        lambda folder: equalise(AGES, pd.Series({"old": 1.0, "young": 1.0}), LARGE, cost_per_head=-1.0),
    ],
    "answers.far": [lambda folder: cross_check(HEAPS, {"current_year": 0.3, "closing": 0.3}, 8.0)],
}
