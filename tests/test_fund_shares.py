"""Shares of the variance of the planned year's claims, with enrolment and the randomness of claims."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

import actuarial as act
from actuarial.cost import shapley_product
from actuarial.fund.shares import variance_shares
from actuarial.plan import Plan
from tests.conftest import simulate_plan


@pytest.fixture
def simulation(plan_with: Callable[..., Plan]) -> act.Simulation:
    """The Jieshou plan with heads uncertain by 4%."""
    plan = plan_with("jieshou", {"insured.next_year_sd": 0.04})
    return simulate_plan(plan, paths=60_000, threads=1)


def test_shares_are_those_of_the_simulated_claims(simulation: act.Simulation) -> None:
    """They sum to 1, and the spread they split is that of the simulated claims over the expected heads."""
    shares = variance_shares(simulation)
    table = shares.table.set_index("factor")["share"]
    assert table.sum() == pytest.approx(1)
    simulated = simulation.claims.sum(axis=1) / simulation.arrays.heads.mean()
    assert shares.total_sd == pytest.approx(simulated.std(), rel=0.02)
    assert table["enrolment"] == pytest.approx(0.04**2 / shares.squares.sum(), rel=0.05)
    assert 0 < table["process"] < table["growth"]
    per_head = variance_shares(simulation, per_head=True)
    assert per_head.table.set_index("factor")["share"]["enrolment"] == 0
    own = simulation.claims.sum(axis=1) / simulation.arrays.heads
    assert per_head.total_sd == pytest.approx(own.std(), rel=0.02)


def test_the_randomness_of_claims_is_that_of_the_compound_sum(simulation: act.Simulation) -> None:
    """Its squared coefficient of variation is the second cumulant over heads and squared cost, by the closed form."""
    setting, cost = simulation.setting, simulation.cost
    z = np.zeros((1, cost.dimension))
    per_capita = cost.per_capita(z)[0]
    counts = setting.counts
    severity = np.divide(per_capita, counts, out=np.zeros_like(per_capita), where=counts > 0)
    variance = float((counts * setting.spread[0] * severity**2).sum()) / setting.heads
    found = variance_shares(simulation).single["process"]
    assert found == pytest.approx(variance / per_capita.sum() ** 2, rel=0.03)


def test_bars_in_words(simulation: act.Simulation) -> None:
    """The chart names every factor in both languages, and nothing is left of the whole without its only factor."""
    for lang, word in (("zh", "参保人数"), ("en", "enrolment")):
        names = [t.get_text() for t in variance_shares(simulation).plot(lang=lang).get_yticklabels()]
        assert word in names
        assert len(names) == 6
    lone = dataclasses.replace(
        variance_shares(simulation), squares=shapley_product({"growth": 0.01, "base": 0.0})
    )
    assert lone.table.set_index("factor").loc["growth", "sd_without"] == 0


def test_the_report_shows_what_would_narrow_the_answer(jieshou_run: act.Answer) -> None:
    """Page and workbook come from one section: a chart and a table, the largest share first, 100% in all."""
    from actuarial.report.blocks import Block, Chart
    from actuarial.report.content import compose

    for lang, word in (("zh", "费用增长"), ("en", "cost growth")):
        section = next(s for s in compose(jieshou_run, lang).sections if s.code == "drivers")
        assert sum(isinstance(p, Chart) for p in section.parts) == 2
        table = section.parts[-1]
        assert isinstance(table, Block)
        assert table.rows[0]["factor"] == word
        shares = [r["share"] for r in table.rows]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1)
