"""Sections 1–7 of the report: the answer, the charts, the contract, other assumptions, the budget."""

from __future__ import annotations

from math import isfinite

import numpy as np

from actuarial.budget import budget_form, form_source
from actuarial.fund.shares import variance_shares
from actuarial.law import load_law
from actuarial.report.blocks import Block, Chart, Section, block, chart, records
from actuarial.report.charts import waterfall_chart
from actuarial.report.context import Context, plain
from actuarial.report.years_section import liabilities_part, years_parts
from actuarial.tables import term_label


def answer_section(k: Context) -> Section:
    """The target, what else could be assumed, what happens at the present standard."""
    a, sim = k.a, k.sim
    criterion = k.t(f"label.criterion_{a.target.criterion}")
    alpha = f"{100 * a.target.alpha:g}"
    risk = sim.deficit_probability()
    out = []
    if a.target.value <= 0:
        out.append(
            k.t(
                "report.answer_not_needed",
                year=k.year,
                criterion=criterion,
                standard=plain(a.budget.premium, 0),
            )
        )
    elif isfinite(a.target.value):
        out.append(k.t("report.answer_target", year=k.year, target=plain(a.target.value, 2), criterion=criterion,
                          alpha=alpha, rounded=plain(a.budget.premium, 0)))  # fmt: skip
    else:
        out.append(
            k.t(
                "report.answer_infinite",
                criterion=criterion,
                alpha=alpha,
                share=f"{100 * a.target.infeasible:.1f}",
            )
        )
    low, high = a.target.interval
    code = "report.answer_intervals" if len(a.scenarios) else "report.answer_interval_alone"
    out.append(k.t(code, low=plain(low, 2), high=plain(high, 2),
                      range_low=plain(a.assumption_range[0], 1), range_high=plain(a.assumption_range[1], 1)))  # fmt: skip
    out.append(k.t("report.answer_present", present=plain(sim.standard, 0), year=k.year,
                      current=f"{100 * risk['current_year']:.1f}", closing=f"{100 * risk['closing']:.1f}",
                      any=f"{100 * risk['any_month']:.1f}", balance=k.unit.show(sim.expected_closing_balance()),
                      months=_months(k)))  # fmt: skip
    cii = float(sim.setting.premium_per_head.sum())
    besides = k.t("report.answer_cii", cii=plain(cii, 1)) if cii else ""
    out.append(k.t("report.answer_cost", last=k.last, year=k.year, base=plain(sim.cost.base.per_capita, 1),
                      cost=plain(sim.expected_cost_per_capita(), 1), besides=besides))  # fmt: skip
    at_target = sim.deficit_probability(a.budget.premium)
    for other, risk_there in at_target.items():
        if other != a.target.criterion and risk_there > a.target.alpha and isfinite(a.target.value):
            out.append(
                k.t("report.answer_other", premium=plain(a.budget.premium, 0), risk=plain(100 * risk_there, 1),
                    other=k.t(f"label.criterion_{other}"), alpha=alpha)
            )  # fmt: skip
    if a.target.criterion == "any_month":
        share = sim.deciding_months(a.target).head(3)
        stop = "、" if k.lang == "zh" else ", "
        words = stop.join(
            f"{k.t('report.months_word', n=m)} {100 * s:.0f}%" for m, s in share.items() if s >= 0.005
        )
        out.append(k.t("report.answer_month", months=words))
    if a.contract is not None:
        out.append(k.t("report.answer_contract", name=a.contract.contract.law.name(k.lang),
                          target=k.unit.show(a.contract.target), insurer=k.unit.show(a.contract.expected("insurer")),
                          loss=plain(100 * a.contract.loss_probability("insurer"), 1),
                          fund=k.unit.show(a.contract.expected("fund"))))  # fmt: skip
    parts = [_criteria(k)]
    if isfinite(a.target.value) and a.target.value > 0:
        parts.insert(0, _rise(k))
    return Section(k.t("report.answer"), tuple(out), tuple(parts))


def _rise(k: Context) -> Block:
    frame = k.sim.fund.financing.rise(k.a.target.value)
    heads = k.plan.model.insured.next_year
    frame["total_amount"] = frame["new_per_capita"] * heads
    frame["payer"] = [term_label(p, k.lang) for p in frame["payer"]]
    total = {"payer": k.t("label.total")} | {c: frame[c].sum() for c in frame.columns if c != "payer"}
    rows = [*records(frame), total]
    columns = [k.col("payer"), *(k.col(c, "yuan") for c in ("per_capita", "rise", "new_per_capita")),
               k.col("total_amount", "money")]  # fmt: skip
    note = k.t("report.rise_note", present=plain(k.sim.standard, 0), target=plain(k.a.target.value, 2))
    return block(
        k.t("report.rise"),
        columns,
        rows,
        source=k.cited("payers"),
        note=note,
        total_rows=[len(rows) - 1],
    )


def _criteria(k: Context) -> Block:
    present, at_target = (
        k.sim.deficit_probability(),
        k.sim.deficit_probability(k.a.budget.premium),
    )
    rows = [
        {
            "criterion": k.t(f"label.criterion_{c}") + (" ★" if c == k.a.target.criterion else ""),
            "premium_target": t.value, "simulation_low": t.interval[0], "simulation_high": t.interval[1],
            "present_risk": present[c], "target_risk": at_target[c], "infeasible": t.infeasible,
        }
        for c, t in k.a.targets.items()
    ]  # fmt: skip
    columns = [k.col("criterion"), *(k.col(c, "yuan") for c in ("premium_target", "simulation_low", "simulation_high")),
               *(k.col(c, "percent") for c in ("present_risk", "target_risk", "infeasible"))]  # fmt: skip
    return block(k.t("report.criteria"), columns, rows)


def forecast_section(k: Context) -> Section:
    """Fan charts of the balance."""
    parts: list[Block | Chart] = []
    for code, premium in (
        ("forecast_present", k.sim.standard),
        ("forecast_target", k.a.budget.premium),
    ):
        title = k.t(f"report.{code}", premium=plain(premium, 0))
        parts.append(chart(title, k.sim.plot(lang=k.lang, premium=premium), k.t("report.fan_note")))
    return Section(k.t("report.forecast"), (), (*parts, *liabilities_part(k), *years_parts(k)))


def risk_section(k: Context) -> Section:
    """The curve of risk over premium."""
    axes = k.a.target.plot(lang=k.lang, present=k.sim.standard)
    figure = chart(k.t("report.risk"), axes, k.t("report.risk_note"))
    columns = [k.col("deficit_probability", "percent", "probability"), k.col("premium", "yuan"),
               k.col("low", "yuan"), k.col("high", "yuan")]  # fmt: skip
    return Section(k.t("report.risk"), (), (figure, block("", columns, k.a.target.table)))


def drivers_section(k: Context) -> Section:
    """From last year's cost to the target."""
    steps = k.a.table
    figure = chart(k.t("report.drivers"), waterfall_chart(steps, k.lang), k.t("report.drivers_note"))
    shown = steps.assign(step=[k.t(f"label.step_{s}") for s in steps["step"]])
    total = {"step": k.t("label.step_target"), "yuan_per_person": steps["yuan_per_person"].sum()}
    rows = [*records(shown), total]
    table = block("", [k.col("step"), k.col("yuan_per_person", "yuan")], rows, total_rows=[len(rows) - 1])
    return Section(k.t("report.drivers"), (), (figure, table, *_shares(k)))


def _shares(k: Context) -> tuple[Block | Chart, ...]:
    """What would narrow the answer most: the factors' shares of the variance of cost, the largest first."""
    found = variance_shares(k.sim)
    if found.total_sd == 0:
        return ()
    shown = found.table.sort_values("share", ascending=False, kind="stable")
    rows = records(shown.assign(factor=[k.t(f"label.factor_{f}") for f in shown["factor"]]))
    note = k.t("report_shares.reading", factor=rows[0]["factor"])
    if (found.table["share"] < 0).any():
        note += k.t("report_shares.negative")
    title, sd = k.t("report_shares.title"), plain(found.total_sd, 1)
    columns = [k.col("factor", label="variance_factor"), k.col("share", "percent", "variance_share"), k.col("sd_without", "yuan")]  # fmt: skip
    return (
        chart(
            title,
            found.plot(lang=k.lang),
            k.t("report_shares.note_arrears" if "arrears" in found.squares else "report_shares.note", sd=sd),
        ),
        block(
            k.t("report_shares.table"),
            columns,
            rows,
            note=note,
        ),
    )


def contract_section(k: Context) -> list[Section]:
    """The insurer's share, if the plan names a contract."""
    deal = k.a.contract
    if deal is None:
        return []
    figure = chart(k.t("report.contract"), deal.plot(lang=k.lang), k.t("report.contract_note"))
    sides = deal.table.assign(party=[k.t(f"label.party_{p}") for p in deal.table["party"]])
    columns = [k.col("party"), k.col("expected", "signed_money"), k.col("sd", "money"),
               k.col("loss_probability", "percent"), k.col("mean_of_worst_5pct", "signed_money", "tail")]  # fmt: skip
    bands = deal.contract.bands(deal.target)
    edges = [e for e in bands.edges if e > 0]
    rows = [
        {
            "from": lo,
            "to": hi,
            "insurer_share": float(bands.slope_at((lo + hi) / 2 if np.isfinite(hi) else lo + 1)),
        }
        for lo, hi in zip([0.0, *edges], [*edges, float("inf")], strict=True)
    ]
    law = deal.contract.law
    cited = f"{law.source('bands').document} {law.source('bands').locator}；{law.source('bands').quote}"
    table = block(
        "",
        [k.col("from", "money"), k.col("to", "money"), k.col("insurer_share", "percent")],
        rows,
        source=cited,
    )
    said = tuple(
        k.t("evaluation.caution", severity=k.t(f"caution.severity_{c.severity}"), words=c.message(k.lang))
        for c in deal.cautions
    )
    lead = (k.t("report_words.cautions_lead"), *said) if said else (k.t("report_words.no_cautions"),)
    return [Section(k.t("report.contract"), lead, (figure, block("", columns, sides), table))]


def scenarios_section(k: Context) -> list[Section]:
    """Other assumptions, if the plan names any."""
    frame = k.a.scenarios
    if frame.empty:
        return []
    rows = frame.assign(
        scenario=frame[f"name_{k.lang}"],
        difference=frame["premium_target"] - k.a.target.value if isfinite(k.a.target.value) else np.nan,
        in_range=[k.t("label.yes" if v else "label.no") for v in frame["in_assumption_range"]],
    )
    columns = [k.col("scenario"), *(k.col(c, "yuan") for c in ("premium_target", "difference", "standard")),
               k.col("deficit_probability", "percent"), k.col("in_range"), k.col("source")]  # fmt: skip
    note = k.t("report.scenarios_note")
    return [Section(k.t("report.scenarios"), (note,), (block("", columns, rows),))]


def budget_section(k: Context) -> Section:
    """The official form and the indicators."""
    draft = k.a.budget
    lines = {n: v for side in ("revenue", "expenditure") for n, v in budget_form()[side].items()}
    entered = {n for n, v in lines.items() if "sum" in v or "minus" in v or draft.last[n] or draft.draft[n]}
    rows = [
        {"line": _indent(v[k.lang])}
        | ({"last": draft.last[n], "draft": draft.draft[n]} if n in entered else {})
        for n, v in lines.items()
    ]
    totals = [i for i, v in enumerate(lines.values()) if "sum" in v or "minus" in v]
    columns = [k.col("line"), k.col("last", "money"), k.col("draft", "money")]
    form = block(k.t("report.budget"), columns, rows, source=form_source(k.lang), total_rows=totals)
    limits = [
        {
            "indicator": k.t(f"label.indicator_{r['indicator']}"),
            "value": f"{r['value']:.2f}"
            if r["indicator"] == "payable_months"
            else f"{100 * r['value']:.1f}%",
            "limit": "—" if np.isnan(r["limit"]) else f"{100 * r['limit']:g}%",
            "verdict": "—" if r["within"] is None else k.t("label.within" if r["within"] else "label.over"),
            "law": f"{load_law(r['law']).name(k.lang)} · {k.status(r['status'])}" if r["law"] else "—",
        }
        for r in records(k.a.indicators)
    ]
    checks = block(
        k.t("report_words.indicators"),
        [
            k.col("indicator"),
            k.col("value"),
            k.col("limit"),
            k.col("verdict"),
            k.col("law"),
        ],
        limits,
    )
    note = k.t("report.budget_note", premium=plain(draft.premium, 0), unit=k.unit.label)
    form_words = (draft.form.source_words(k.lang),) if draft.form.employees else ()
    caution = (words,) if (words := draft.caution(k.lang)) else ()
    return Section(k.t("report.budget"), (note, *caution, *form_words), (form, checks))


def _indent(label: str) -> str:
    """Leading spaces of the form as wide ones."""
    return "\u3000" * ((len(label) - len(label.lstrip(" "))) // 2) * 2 + label.strip()


def _months(k: Context) -> str:
    """Months payable within a sentence; words where the balance is below zero."""
    months = k.sim.months_payable()
    return k.t("report.not_payable") if months < 0 else k.t("report.payable", months=plain(months, 1))
