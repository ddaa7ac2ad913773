"""Scenarios on common random numbers, the tornado, the growth that breaks the fund."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import actuarial as act
from actuarial.cost import CostForecast
from actuarial.fund.scenarios import compare_scenarios
from actuarial.fund.sensitivity import reverse_stress, tornado
from actuarial.pipeline import Answer
from actuarial.plan import Patch, Plan


def test_scenarios_are_those_of_the_whole_run(jieshou: Plan, jieshou_run: Answer) -> None:
    """Targets and probabilities side by side are, to the bit, those that the pipeline prints."""
    found = compare_scenarios(jieshou, paths=jieshou_run.simulation.paths)
    table = found.table.set_index("id")
    assert table.loc["plan", "premium_target"] == jieshou_run.target.value
    for row in jieshou_run.scenarios.to_dict("records"):
        assert table.loc[row["id"], "premium_target"] == row["premium_target"]
        assert table.loc[row["id"], "deficit_probability"] == row["deficit_probability"]
    for lang in ("zh", "en"):
        assert len(found.summary(lang).splitlines()) == len(table)
    assert found.to_dict()["scenarios"][0]["id"] == "plan"


def test_intervals_of_differences_hold_the_truth(jieshou: Plan) -> None:
    """Intervals of differences hold that of ten times the paths, and are far narrower than the targets' own."""
    few, many = (
        compare_scenarios(jieshou, paths=20_000, seed=1),
        compare_scenarios(jieshou, paths=200_000, seed=2),
    )
    truth = many.table.set_index("id")["difference"]
    for row in few.table.to_dict("records"):
        wider = 0.7 * (row["difference_high"] - row["difference_low"]) + 1e-9
        assert row["difference_low"] - wider <= truth[row["id"]] <= row["difference_high"] + wider
    half = few.table.set_index("id").loc["growth_low", ["difference_low", "difference_high"]]
    own = act.Fund(jieshou).answers(_cost(jieshou), paths=20_000, method="plain").target.interval
    assert half.iloc[1] - half.iloc[0] < (own[1] - own[0]) / 3


def _cost(plan: Plan) -> CostForecast:
    from actuarial.fund.forecast import plan_cost

    return plan_cost(plan)


def test_charts_name_every_scenario(jieshou: Plan) -> None:
    """Bars and panels carry the scenarios' names in both languages."""
    found = compare_scenarios(jieshou, paths=2000)
    for lang in ("zh", "en"):
        names = {s.name[lang] for s in jieshou.model.scenarios}
        assert {t.get_text() for t in found.plot(lang=lang).get_yticklabels()} == names
        figure = found.plot_small_multiples(lang).get_figure()
        assert figure is not None
        assert {a.get_title() for a in figure.axes} == names


@pytest.mark.parametrize("criterion", ["closing", "any_month", "current_year"])
def test_growth_that_breaks_the_fund_breaks_it(jieshou: Plan, criterion: str) -> None:
    """With the plan's growth set there, spread in proportion, the deficit probability at the premium is α."""
    found = reverse_stress(
        act.Fund(jieshou), _cost(jieshou), 0.05, premium=380.0, criterion=criterion, paths=40_000
    )
    factor = (1 + found.growth) / (1 + found.assumed)
    changes = [
        Patch(path="growth.value", value=1.12 * factor - 1, source="test"),
        Patch(path="growth.uncertainty.value", value=0.05 * factor, source="test"),
    ]
    plan = jieshou.patched(changes)
    sim = act.Fund(plan).simulate(_cost(plan), paths=40_000)
    assert float(sim.deficit_probability(380.0)[criterion]) == pytest.approx(0.05, abs=0.002)
    growth = found.table["growth"].to_numpy()
    assert (np.diff(growth) > 0).all()
    assert f"{100 * found.growth:.1f}".replace("-", "−") in found.summary("en")


def test_tornado_moves_one_thing_at_a_time(jieshou: Plan, cost: Callable[[Plan], CostForecast]) -> None:
    """Ends lie on both sides of the target; a plan without uncertainty of growth has no bar for it."""
    found = tornado(act.Fund(jieshou), cost(jieshou), paths=4000)
    assert set(found.table["assumption"]) == {"growth", "base"}
    assert (found.table["low"] < found.centre).all()
    assert (found.table["high"] > found.centre).all()
    still = jieshou.patched([Patch(path="growth.uncertainty.value", value=0.0, source="test")])
    assert tornado(act.Fund(still), cost(still), paths=4000).table["assumption"].tolist() == ["base"]
    beside = tornado(
        act.Fund(jieshou), cost(jieshou), scenarios=compare_scenarios(jieshou, paths=4000), paths=4000
    )
    assert {"growth_low", "cii_33"} <= set(beside.table["assumption"])
    assert len(beside.plot(lang="zh").get_yticks()) == len(beside.table)
