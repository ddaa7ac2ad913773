"""The bulletin on how the fund runs: one page or two, each month, quarter or year.

Its order is that of a county's published quarterly bulletin: enrolment and financing; spending (settled, deducted on audit,
actual; progress against the year's financing, beside the share of the year that has gone); a table by kind of provider and one by
kind of compensation; then what the simulation adds: the year's end and its risk, and what needs attention.

What a plan's tables do not hold comes from its table of printed facts, by the ids of :data:`FACTS`; what is nowhere is left out
and named in the last section, never guessed.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from actuarial.experience.claim_drivers import claim_cells
from actuarial.report.blocks import Block, Chart, Section, block, chart, records
from actuarial.report.charts import execution_chart
from actuarial.report.context import Context, plain
from actuarial.report.data_sections import arrears_parts, provider_block, reimbursement_block
from actuarial.report.opinion import BLANK
from actuarial.results import suppress_small_cells
from actuarial.tables import term_label

FACTS = (
    "audit_deduction", "low_income_insured", "low_income_payment", "previous_payment", "previous_insured", "cii_payment",
    "accident_payment", "in_county_payment", "in_city_payment", "in_province_payment", "outside_province_payment", "primary_payment",
)  # fmt: skip
"""Ids of the facts that a bulletin can tell; amounts in yuan, persons in persons, of the months reported."""
PLACES = ("in_county_payment", "in_city_payment", "in_province_payment", "outside_province_payment", "primary_payment")  # fmt: skip
PERIODS = {1: "month", 3: "quarter", 6: "half", 9: "three_quarters", 12: "year"}


class Figures:
    """The bulletin's own sums, each from tables of the plan [yuan, persons].

    Parameters
    ----------
    k : Context

    Attributes
    ----------
    revenue : float
        Due for the year.
    settled, deducted, actual : float
        Paid in the months reported; taken back on audit; the difference.
    progress, time : float
        Actual over revenue; months gone over twelve.
    """

    def __init__(self, k: Context) -> None:
        self.k, self.months = k, k.plan.observed_months
        self.facts = self._facts()
        self.revenue = float(k.sim.fund.arrears.frame["due"].sum())
        self.settled = k.sim.cost.base.experience.paid
        self.deducted = self.facts.get("audit_deduction", 0.0)
        self.actual = self.settled - self.deducted
        self.progress = self.actual / self.revenue if self.revenue else float("nan")
        self.time = self.months / 12

    def _facts(self) -> dict[str, float]:
        if "facts" not in self.k.plan.tables:
            return {}
        frame = self.k.plan.tables["facts"].frame
        found = dict(zip(frame["id"].astype(str), frame["value"].astype(float), strict=True))
        return {name: found[name] for name in FACTS if name in found}

    def share(self, name: str, whole: float) -> float:
        """A fact as a share of a whole."""
        return self.facts[name] / whole if whole else float("nan")


def title(k: Context) -> str:
    """The bulletin's title, with its period."""
    months = k.plan.observed_months
    period = k.t(f"report_words.period_{PERIODS.get(months, 'months')}", months=months)
    return k.t("report_words.bulletin_title", year=k.last, period=period)


def headline(k: Context) -> tuple[tuple[str, str], ...]:
    """Spending, progress beside time, receipts, months payable."""
    f = Figures(k)
    arrears = k.sim.fund.arrears
    received = arrears.received / f.revenue if f.revenue else float("nan")
    return (
        (k.t("report_words.head_actual", unit=k.unit.label), plain(f.actual / k.unit.scale, 2)),
        (k.t("report_words.head_progress"), plain(100 * f.progress, 2)),
        (k.t("report_words.head_time"), plain(100 * f.time, 2)),
        (k.t("report_words.head_received"), plain(100 * received, 2)),
    )


def sections(k: Context) -> dict[str, list[Section]]:
    """The bulletin's sections by code."""
    f = Figures(k)
    return {
        "enrolment": [_enrolment(k, f)],
        "spending": [_spending(k, f)],
        "outlook": [_outlook(k)],
        "attention": _attention(k, f),
        "basis": [_basis(k, f)],
    }


def _enrolment(k: Context, f: Figures) -> Section:
    insured = k.plan.model.insured
    words = [
        k.t("report_words.enrolment", insured=plain(insured.count, 0), standard=plain(k.sim.standard, 2),
            revenue=k.unit.show(f.revenue), date=k.plan.model.valuation_date)
    ]  # fmt: skip
    if "low_income_insured" in f.facts:
        share = plain(100 * f.share("low_income_insured", insured.count), 2)
        words.append(
            k.t("report_words.low_income_insured", count=plain(f.facts["low_income_insured"], 0), share=share)
        )
    if "previous_insured" in f.facts:
        change = insured.count / f.facts["previous_insured"] - 1
        words.append(k.t("report_words.insured_change", change=_signed(100 * change)))
    return Section(k.t("report_words.enrolment_title"), tuple(words), tuple(arrears_parts(k)))


def _spending(k: Context, f: Figures) -> Section:
    words = [
        k.t(
            "report_words.settled_year" if f.months == 12 else "report_words.settled",
            months=f.months,
            settled=k.unit.show(f.settled),
        )
    ]
    if f.deducted:
        words.append(
            k.t("report_words.deducted", deducted=k.unit.show(f.deducted), actual=k.unit.show(f.actual))
        )
    words.append(
        k.t("report_words.progress", progress=plain(100 * f.progress, 2), time=plain(100 * f.time, 2),
            gap=_signed(100 * (f.progress - f.time)))
    )  # fmt: skip
    for name in ("cii_payment", "accident_payment", "low_income_payment"):
        if name in f.facts:
            share = plain(100 * f.share(name, f.settled), 2)
            words.append(k.t(f"report_words.{name}", amount=k.unit.show(f.facts[name]), share=share))
    if "previous_payment" in f.facts:
        change = f.settled / f.facts["previous_payment"] - 1 if f.facts["previous_payment"] else float("nan")
        words.append(k.t("report_words.year_on_year", before=k.unit.show(f.facts["previous_payment"]), change=_signed(100 * change)))  # fmt: skip
    base = k.sim.cost.base
    figure = chart(
        k.t("report_words.execution"),
        execution_chart(base, f.revenue, f.actual, k.lang),
        k.t("report_words.execution_note", share=plain(100 * base.share, 2)),
    )
    parts: list[Block | Chart] = [figure, *_by_place(k, f), *_by_level(k, f), _by_category(k, f)]
    return Section(k.t("report_words.spending_title"), tuple(words), tuple(parts))


def _by_place(k: Context, f: Figures) -> list[Block]:
    rows = [
        {"place": k.t(f"report_words.{p}"), "paid": f.facts[p], "share": f.share(p, f.settled)}
        for p in PLACES
        if p in f.facts
    ]
    columns = [k.col("place"), k.col("paid", "money"), k.col("share", "percent", "share_of_spending")]
    if not rows:
        return []
    return [block(k.t("report_words.by_place"), columns, rows, source=k.cited("facts"))]


def _by_level(k: Context, f: Figures) -> list[Block]:
    """Table 1: by kind of provider, from claims; without claims, the ratios that the plan has by level."""
    claims = k.plan.claims
    found: list[Block] = []
    if claims is not None and "level" in claims.lazy.collect_schema().names():
        basis = k.plan.model.tables["claims"].basis or "paid"
        cells = claim_cells(
            claims, insured=k.plan.model.insured.count, first=str(k.plan.base_year), months=f.months,
            basis="payment" if basis == "paid" else "service",
        )  # fmt: skip
        sums = cells.frame.groupby("level")[["visits", "persons", "fund"]].sum().reset_index()
        sums["share"] = sums["fund"] / sums["fund"].sum()
        sums["per_visit"] = sums["fund"] / sums["visits"]
        sums = suppress_small_cells(sums, "persons", ["visits", "fund", "share", "per_visit"])
        sums["level"] = [term_label(str(v), k.lang) for v in sums["level"]]
        columns = [k.col("level"), k.col("visits", "count"), k.col("fund", "money", "paid"), k.col("share", "percent", "share_of_spending"),
                   k.col("per_visit", "yuan")]  # fmt: skip
        found.append(block(k.t("report_words.by_level"), columns, sums, source=claims.file))
    if "reimbursement" in k.plan.tables:
        found.append(reimbursement_block(k))
    if k.a.providers is not None:
        found.append(provider_block(k))
    return found


def _by_category(k: Context, f: Figures) -> Block:
    """Table 2: by kind of compensation."""
    frame: pd.DataFrame = k.sim.cost.base.experience.table
    visits = frame["visits"].where(frame["visits"].notna(), np.inf)
    frame = frame.assign(
        persons=frame.get("persons", visits), share=frame["fund_payment"] / frame["fund_payment"].sum()
    )
    total = {"visits": frame["visits"].sum(), "fund_payment": frame["fund_payment"].sum(), "share": 1.0,
             "per_capita": frame["per_capita"].sum()}  # fmt: skip
    hidden = ["visits", "fund_payment", "payment_per_visit", "per_capita", "share"]
    frame = suppress_small_cells(frame, "persons", hidden)
    frame["category"] = [term_label(str(c), k.lang) for c in frame["category"]]
    rows = [*records(frame), {"category": k.t("label.total"), **total}]
    columns = [k.col("category"), k.col("visits", "count"), k.col("fund_payment", "money", "paid"),
               k.col("share", "percent", "share_of_spending"), k.col("payment_per_visit", "yuan", "per_visit"),
               k.col("per_capita", "yuan", "paid_per_capita")]  # fmt: skip
    source = k.cited("experience") or "；".join(s.document for s in k.sim.cost.base.sources[:1])
    return block(k.t("report_words.by_category"), columns, rows, source=source, total_rows=[len(rows) - 1])


def _outlook(k: Context) -> Section:
    """The year's end, and the risk of the year that follows."""
    base, sim = k.sim.cost.base, k.sim
    low, high = base.interval()
    over = "_over" if high - low < 1 else ""  # yuan: nothing is left to expect
    words = [k.t(f"report_words.outlook_year{over}", year=k.last, total=k.unit.show(base.total), low=k.unit.show(low), high=k.unit.show(high))]  # fmt: skip
    opening = sim.opening
    q = np.quantile(opening, [0.025, 0.975])
    over = "_over" if q[1] - q[0] < 1 else ""
    words.append(
        k.t(f"report_words.outlook_balance{over}", year=k.last, mean=k.unit.show(float(opening.mean())), low=k.unit.show(float(q[0])),
            high=k.unit.show(float(q[1])), risk=plain(100 * float((opening < 0).mean()), 1))
    )  # fmt: skip
    risk = sim.deficit_probability()[k.a.target.criterion]
    words.append(
        k.t("report_words.outlook_next", year=k.year, standard=plain(sim.standard, 0), risk=plain(100 * risk, 1),
            criterion=k.t(f"label.criterion_{k.a.target.criterion}"))
    )  # fmt: skip
    if isfinite(k.a.target.value) and k.a.target.value > 0:
        words.append(
            k.t("report_words.outlook_target", year=k.year, target=plain(k.a.target.value, 1), alpha=f"{100 * k.a.target.alpha:g}")
        )  # fmt: skip
    figure = chart(
        k.t("report_words.balance", year=k.year), sim.plot(lang=k.lang, premium=sim.standard), k.t("report.fan_note")
    )  # fmt: skip
    return Section(k.t("report_words.outlook_title"), tuple(words), (figure,))


def _attention(k: Context, f: Figures) -> list[Section]:
    """What somebody should act on: late money, spending ahead of time, providers over budget, what the run warned of."""
    words: list[str] = []
    arrears = k.sim.fund.arrears
    if arrears.outstanding > 0:
        words.append(k.t("report_words.attention_arrears", amount=k.unit.show(arrears.outstanding)))
    expected = k.sim.cost.base.share
    if f.progress > expected:
        words.append(k.t("report_words.attention_progress", progress=plain(100 * f.progress, 2), share=plain(100 * expected, 2)))  # fmt: skip
    if k.a.providers is not None:
        over: list[dict[str, Any]] = [
            r for r in records(k.a.providers) if r["overspend"] and r["overspend"] > 0
        ]
        for row in over:
            words.append(
                k.t("report_words.attention_provider", provider=term_label(str(row["provider"]), k.lang), amount=k.unit.show(row["overspend"]),
                    share=plain(100 * row["overspend"] / row["budget"], 1) if row["budget"] else "—")
            )  # fmt: skip
    words += k.a.warnings_in(k.lang)
    if not words:
        return []
    return [Section(k.t("report_words.attention_title"), tuple(words))]


def _basis(k: Context, f: Figures) -> Section:
    """How it was counted, what was not at hand, who answers for it."""
    spec = k.plan.model.tables.get("claims") or k.plan.model.tables.get("experience")
    basis = (spec.basis if spec else None) or "paid"
    words = [k.t(f"report_words.basis_{basis}"), *(n.message(k.lang) for n in k.a.notes)]
    missing = [k.t(f"report_words.fact_{name}") for name in FACTS if name not in f.facts]
    if missing:
        words.append(k.t("report_words.not_at_hand", names=("、" if k.lang == "zh" else "; ").join(missing)))
    rows = [
        {"item": k.t(f"report_words.sign_{who}"), "value": BLANK}
        for who in ("author", "reviewer", "signed_on")
    ]
    return Section(k.t("report_words.basis_title"), tuple(words), (block("", [k.col("item"), k.col("value", label="to_fill_in")], rows),))  # fmt: skip


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + plain(value, 2)
