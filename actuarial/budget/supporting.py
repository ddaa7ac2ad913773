"""The supporting table of the form: what its amounts rest on; blank where the plan does not know.

The rows are those that bureaus hand in beside the form (from memory: no official copy of the table was at hand).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from actuarial.budget.phasing import category_line
from actuarial.fund import Simulation
from actuarial.tables import term_label
from actuarial.texts import text

NONE = float("nan")


def supporting_table(
    sim: Simulation, premium: float, last: dict[str, float], draft: dict[str, float]
) -> pd.DataFrame:
    """Indicators of last year and of the draft.

    Returns
    -------
    DataFrame
        ``code``, ``indicator`` (words), ``unit``, ``kind`` (of value), ``last``, ``draft`` (NaN where the plan has none).
    """
    fund, plan, base = sim.fund, sim.fund.plan, sim.cost.base
    heads_last, heads = float(plan.model.insured.count), float(sim.arrays.heads.mean())
    per_category = sim.cost.table.set_index("category")["next_year_per_capita"].to_numpy()
    rows: list[dict[str, Any]] = []

    def add(code: str, kind: str, before: float, after: float, item: str = "") -> None:
        rows.append({"code": code, "item": item, "kind": kind, "last": before, "draft": after})

    add("heads", "count", heads_last, heads)
    add("students", "count", NONE, NONE)
    rise = fund.financing.rise(premium).set_index("payer")
    for payer in rise.index:
        before, after = float(rise["per_capita"][payer]), float(rise["new_per_capita"][payer])
        add(
            f"{_standard(str(payer))}_standard",
            "yuan",
            before,
            after,
            str(payer),
        )
    add("assisted_persons", "count", _fact(plan, "assisted_persons"), NONE)
    for side, names in (("inpatient", ("inpatient",)), ("outpatient", ("outpatient",))):
        mask = np.array([category_line(c) in names for c in sim.cost.categories])
        visits = base.annual_visits[mask]
        known = not np.isnan(visits).any() and visits.sum() > 0
        rate = float(visits.sum()) if known else NONE
        add(f"{side}_visits", "count", rate * heads_last, rate * heads)
        if side == "inpatient":
            add("admission_rate", "percent", rate, rate)
        cost_last, cost = float(base.category_per_capita[mask].sum()), float(per_category[mask].sum())
        add(f"{side}_payment", "yuan", cost_last / rate if known else NONE, cost / rate if known else NONE)
    add("in_scope_ratio", "percent", NONE, NONE)
    add("effective_ratio", "percent", _ratio(plan), NONE)
    cii = plan.model.cii
    add("cii_premium", "yuan", cii.base_year_premium_per_capita.value if cii.base_year_premium_per_capita else NONE,
        cii.premium_per_capita.value if cii.premium_per_capita else NONE)  # fmt: skip
    add("payable_months", "number", _months(last), _months(draft))
    frame = pd.DataFrame(rows)
    frame.insert(1, "indicator", [_words(r["code"], r["item"]) for r in rows])
    return frame


def _standard(payer: str) -> str:
    """Whether a payer contributes or subsidises."""
    return {"individual": "individual", "employer": "contribution"}.get(payer, "subsidy")


def _months(lines: dict[str, float]) -> float:
    """Closing balance over a month's expenditure."""
    return (
        lines["closing_balance"] / (lines["expenditure_total"] / 12) if lines["expenditure_total"] else NONE
    )


def _ratio(plan: Any) -> float:
    """The printed mean effective ratio, or that of the facts."""
    if "reimbursement" in plan.tables:
        frame = plan.tables["reimbursement"].frame.set_index("level")["compensation_ratio"]
        if "mean" in frame:
            return float(frame["mean"])
    return _fact(plan, "actual_ratio_inpatient")


def _fact(plan: Any, name: str) -> float:
    if "facts" not in plan.tables:
        return NONE
    facts = plan.tables["facts"].frame.set_index("id")["value"]
    return float(facts[name]) if name in facts else NONE


def _words(code: str, item: str, lang: str | None = None) -> str:
    return text(f"budget_words.support_{code}", lang, item=term_label(item, lang) if item else "")


def in_language(frame: pd.DataFrame, lang: str) -> pd.DataFrame:
    """The table with its words in a language."""
    words = [_words(c, i, lang) for c, i in zip(frame["code"], frame["item"], strict=True)]
    return frame.assign(indicator=words)
