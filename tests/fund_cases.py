"""What provokes the errors and warnings of designs, scenarios and fleets, by code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import actuarial as act
from actuarial.experience import base_year
from actuarial.fund.answers import cross_check
from actuarial.fund.chunks import Outcomes
from actuarial.samples import sample_path

Case = Callable[[Path], Any]


def run(paths: int = 100) -> act.Simulation:
    """Jieshou on few paths."""
    plan = act.load_plan(sample_path("jieshou/plan.yaml"))
    cost = act.cost_forecast(base_year(plan), act.stated_policy_factor(1.0), act.expert_growth(0.1, sd=0.05))
    return act.Fund(plan).simulate(cost, paths=paths)


def target(**options: Any) -> Case:
    """A target under these options."""
    return lambda folder: run().premium_target(0.05, **options)


HEAPS = Outcomes(
    {c: np.repeat([1.0, 9.0], [9, 1]) for c in ("current_year", "closing")}, None, 1, "sobol", 10, 0
)

CASES: dict[str, list[Case]] = {
    "answers.split": [target(split={"nobody": 1.0}), target(split={"individual": 0.4})],
    "answers.split_balance": [target(criterion="tvar", split="individual")],
    "answers.months": [target(criterion="months_payable"), target(criterion="closing", months=2.0)],
    "answers.amount": [target(criterion="tvar", amount=float("nan"))],
    "answers.far": [lambda folder: cross_check(HEAPS, {"current_year": 0.3, "closing": 0.3}, 8.0)],
}
