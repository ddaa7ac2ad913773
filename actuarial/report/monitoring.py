"""The monthly work summary with the early-warning report, as a page ready to send; blanks where a person answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from actuarial.budget.monitor import Monitor
from actuarial.budget.phasing import ALL, item_label
from actuarial.budget.warning import WarningReport, rule_name
from actuarial.report.blocks import Block, Chart, Column, Section, block
from actuarial.report.content import Content
from actuarial.report.page import write_page
from actuarial.results import Kind, Unit, figure_svg
from actuarial.texts import has_text, language, text, use_language

MONEY = {"budget_year", "budget_to_date", "actual_to_date", "variance", "due_year", "due_to_date", "received", "overdue",
         "outstanding", "unpaid_before", "incurred", "paid", "unpaid", "budget", "stated_overspend"}  # fmt: skip
RATIOS = {"progress", "false_alarm", "miss", "gap"}
COUNTS = {"age", "since_last", "months"}
RATIO_RULES = {
    "deficit_chance",
    "overspending",
    "use_rate",
    "ncms_current",
    "ncms_cumulative",
    "admissions",
    "provider",
}
MONEY_RULES = {"deficit_300", "rolling_deficit"}


def compose_monitoring(report: WarningReport, lang: str | None = None, errors: Any = None) -> Content:
    """The page's content.

    Parameters
    ----------
    report : WarningReport
    lang : {"zh", "en"}, optional
    errors : DataFrame, optional
        Of :func:`actuarial.budget.national_errors`.
    """
    chosen = language(lang)
    m, unit = report.monitor, Unit.of(chosen)
    with use_language(chosen):
        parts: list[Block | Chart] = [Chart("", figure_svg(m.plot(lang=chosen)))]
        sections = [
            Section(t("summary", chosen), (t("duty", chosen), *m.summary(chosen).split("\n")), tuple(parts)),
            Section(t("warnings", chosen), _alarms(report, chosen, unit), (_rules(report, chosen, unit),)),
            Section(t("items", chosen), (), (_frame(m.items, ["item", "budget_year", "budget_to_date", "actual_to_date", "variance", "progress"], chosen, unit, m),)),
            Section(t("payers", chosen), (), (_frame(m.outstanding, ["payer", "due_year", "due_to_date", "received", "outstanding", "overdue", "age", "since_last"], chosen, unit, m),)),
        ]  # fmt: skip
        if m.providers is not None:
            columns = [
                "provider",
                "budget",
                "budget_to_date",
                "actual_to_date",
                "stated_overspend",
                "progress",
            ]
            sections.append(
                Section(t("providers", chosen), (), (_frame(m.providers, columns, chosen, unit, m),))
            )
        if m.drivers is not None:
            sections.append(
                Section(t("drivers", chosen), (t("drivers_note", chosen, parts=_driver_words(m, chosen)),))
            )
        if m.bridge is not None:
            bridge = m.bridge.assign(month=m.bridge["month"].astype(str))
            columns = ["month", "unpaid_before", "incurred", "paid", "unpaid"]
            sections.append(Section(t("bridge", chosen), (), (_frame(bridge, columns, chosen, unit, m),)))
        if errors is not None:
            shown = errors[errors["months"].isin([3, 6, 9, 11])]
            columns = ["months", "gap", "false_alarm", "miss"]
            sections.append(
                Section(
                    t("error_table", chosen, years=int(errors["years"].max())),
                    (),
                    (_frame(shown, columns, chosen, unit, m),),
                )
            )
        sections.append(
            Section(
                t("measures", chosen),
                (t("measures_text", chosen), t("measures_text", chosen), t("signature", chosen)),
            )
        )
    headline = (
        (t("col_progress", chosen), f"{100 * m.actual.amounts('expenditure', m.basis).sum() / max(m.budget.amounts('expenditure').sum(), 1e-9):.1f}%"),
        (rule_name("overspending", chosen), f"{100 * m.overspending_probability:.0f}%"),
        (rule_name("deficit_chance", chosen), f"{100 * m.deficit_probability():.0f}%"),
    )  # fmt: skip
    subtitle = t("subtitle", chosen, name=m.budget.name.get(chosen, ""), year=m.budget.year, months=m.months)
    return Content(chosen, t("title", chosen), subtitle, headline, tuple(sections), unit)


def write_monitoring(
    report: WarningReport, path: str | os.PathLike[str], lang: str | None = None, errors: Any = None
) -> Path:
    """Write the page, whole or not at all; returns its path.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    return write_page(compose_monitoring(report, lang, errors), Path(path))


def t(code: str, lang: str, **params: Any) -> str:
    """A text of this page."""
    return text(f"monitor.{code}", lang, **params)


def _frame(frame: Any, columns: list[str], lang: str, unit: Unit, m: Monitor) -> Block:
    """A table with typed columns, words for items, and its source."""
    rows = frame.to_dict("records")
    for row in rows:
        for key in {"item", "payer", "provider"} & set(row):
            total = row[key] == ALL and "side" in row
            row[key] = (
                text(f"budget_words.{row['side']}_total", lang) if total else item_label(str(row[key]), lang)
            )
    typed = []
    for c in columns:
        kind: Kind = (
            "money" if c in MONEY else "percent" if c in RATIOS else "count" if c in COUNTS else "text"
        )
        tail = f" ({unit.label})" if kind == "money" else " (%)" if kind == "percent" else ""
        typed.append(Column(c, t(f"col_{c}", lang) + tail, kind))
    source = "；".join(dict.fromkeys(s.document for s in m.actual.sources))
    return block("", typed, rows, source=source)


def _value(rule: str, value: float, unit: Unit) -> str:
    """A value as its rule counts it."""
    if value != value:
        return "—"
    if rule in MONEY_RULES:
        return unit.show(value)
    return f"{100 * value:.1f}%" if rule in RATIO_RULES else f"{value:.1f}"


def _alarms(report: WarningReport, lang: str, unit: Unit) -> tuple[str, ...]:
    """One sentence an alarm, gravest first."""
    lines = []
    for r in report.alarms.to_dict("records"):
        what = f"（{item_label(r['what'], lang)}）" if r["what"] else ""
        chance = (
            t("chance", lang, p=f"{100 * r['probability']:.0f}")
            if r["probability"] == r["probability"]
            else ""
        )
        lines.append(t("alarm_line", lang, level=t(f"level_{r['level']}", lang), name=rule_name(r["rule"], lang), what=what,
                       value=_value(r["rule"], r["value"], unit), threshold=_value(r["rule"], r["threshold"], unit), chance=chance))  # fmt: skip
    return tuple(lines) or (t("no_alarm", lang),)


def _rules(report: WarningReport, lang: str, unit: Unit) -> Block:
    """All rules with value, level, threshold, probability, status, document."""
    rows = [
        {"rule": rule_name(r["rule"], lang) + (f"（{item_label(r['what'], lang)}）" if r["what"] else ""),
         "value": _value(r["rule"], r["value"], unit), "level": t(f"level_{r['level']}" if r["value"] == r["value"] else "level_no_data", lang),
         "threshold": _value(r["rule"], r["threshold"], unit),
         "probability": "—" if r["probability"] != r["probability"] else f"{100 * r['probability']:.0f}%",
         "status": text(f"label.status_{r['status']}", lang), "document": r["document"]}
        for r in report.frame.to_dict("records")
    ]  # fmt: skip
    names = ["rule", "value", "level", "threshold", "probability", "status", "document"]
    return block(t("all_rules", lang), [Column(n, t(f"col_{n}", lang)) for n in names], rows)


def _driver_words(m: Monitor, lang: str) -> str:
    """Drivers with their parts [yuan/person]."""
    assert m.drivers is not None
    words = []
    for r in m.drivers.table.to_dict("records"):
        code = f"driver.{r['driver']}"
        name = text(code, lang) if has_text(code) else str(r["driver"])
        words.append(f"{name} {r['change']:+.2f} {text('label.yuan_per_person', lang)}".replace("-", "−"))
    return ("；" if lang == "zh" else "; ").join(words)
