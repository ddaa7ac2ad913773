"""The report of a plan with everything stated: both balances, the years ahead, assumptions, drivers that add up."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

import actuarial as act
from actuarial.pipeline import Answer
from actuarial.plan import Plan
from actuarial.report import compose
from actuarial.report.blocks import Block
from tests.test_fund_lags import LAG, PROVIDERS
from tests.test_fund_projection import FADE
from tests.test_fund_shocks import FLU, RULE, changed


@pytest.fixture(scope="module")
def full(jieshou: Plan) -> Answer:
    """Jieshou with every part stated."""
    plan = changed(
        jieshou, shocks={"flu": FLU}, policy_starts={"reform": RULE}, payment_lag=LAG, providers=PROVIDERS,
        projection={**FADE, "years": 4, "premiums": "criterion"}, scenarios=[],
    )  # fmt: skip
    return act.run(plan, paths=500)


@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.slow)])
def test_every_part_is_told(full: Answer, lang: str) -> None:
    """Each stated part is a row of the assumptions with its source; the years and both balances are tables."""
    content = compose(full, lang)
    blocks = [p for s in content.sections for p in s.parts if isinstance(p, Block)]
    rows = [r for b in blocks for r in b.rows]
    items = {r.get("item") for r in rows}
    for code in ("shock", "policy_start", "providers", "payment_lag", "projection"):
        assert act.text(f"assume.{code}", lang) in items
    assert sum(str(r.get("year", "")) in {"2014", "2015", "2016", "2017"} for r in rows) == 4
    months = next(b for b in blocks if b.title == act.text("report_years.liabilities", lang))
    assert len(months.rows) == 12
    first = months.rows[0]
    assert first["cash"] - first["unpaid"] == pytest.approx(first["incurred"])
    words = str(content)
    for place in ("{", "KeyError", "nan"):
        assert place not in [r.get("value") for r in rows]
    assert words


def test_drivers_add_up(full: Answer) -> None:
    """The waterfall names policy, shocks and payment, and its steps sum to the target."""
    steps = full.table.set_index("step")["yuan_per_person"]
    assert {"policy_starts", "shocks", "payment"} <= set(steps.index)
    assert steps.sum() == pytest.approx(full.target.value)
    sim = full.simulation
    paid = float((sim.claims.sum(axis=1) / sim.arrays.heads).mean())
    upto = steps[["base", "policy", "growth", "interaction", "policy_starts", "shocks", "payment"]].sum()
    assert upto == pytest.approx(paid, rel=0.01)


@pytest.mark.slow
def test_the_workbook_holds_the_tables(full: Answer, tmp_path: Path) -> None:
    """The new tables and assumptions stand in the workbook's sheets."""
    files = act.build_report(full, tmp_path, lang="zh", name="full", formats=("xlsx",))
    book = openpyxl.load_workbook(files.workbook)
    cells = {c.value for sheet in book for row in sheet.iter_rows() for c in row}
    for title in (
        "两种口径的月末结余（期望值，按现行标准）",
        "逐年测算（金额为期望值）",
        "付款进度（当月、次月……付款比例）",
    ):
        assert title in cells
