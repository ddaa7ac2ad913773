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
from actuarial.fund.pooling import equalise, pool
from actuarial.fund.trouble import category_costs, trouble
from actuarial.samples import sample_path

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


def table(text: str) -> Case:
    """A fleet from a table."""

    def work(folder: Path) -> Fleet:
        (folder / "fleet.csv").write_text(text, encoding="utf-8")
        return Fleet(folder / "fleet.csv")

    return work


AGES = pd.DataFrame({"fund": ["a", "b"], "age_group": ["old", "young"], "persons": [5, 5]})
LARGE = pd.DataFrame({"fund": ["a", "b"], "cases": [1, 3], "cost_above": [1e4, 3e4]})

CASES: dict[str, list[Case]] = {
    "answers.split": [target(split={"nobody": 1.0}), target(split={"individual": 0.4})],
    "answers.split_balance": [target(criterion="tvar", split="individual")],
    "answers.months": [target(criterion="months_payable"), target(criterion="closing", months=2.0)],
    "answers.amount": [target(criterion="tvar", amount=float("nan"))],
    "trouble.alpha": [lambda folder: trouble(run(), alpha=1.0)],
    "trouble.weighted": [lambda folder: trouble(weighted())],
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
