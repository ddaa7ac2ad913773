"""The monthly work summary with the early-warning report, ready to send: page, workbook, Word file and PDF from one content.

Blanks stand where a person answers: to whom, by whom, which measures.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from actuarial.budget.monitor import Monitor
from actuarial.budget.warning import WarningReport, rule_name
from actuarial.report import write_documents
from actuarial.report.blocks import Block, Chart, Section, chart, finished
from actuarial.report.content import Content, numbered
from actuarial.report.monitor_tables import Tables
from actuarial.report.page import write_page
from actuarial.safe import printable
from actuarial.texts import language, use_language

if TYPE_CHECKING:
    from actuarial.fund.chunks import Progress


def compose_monitoring(
    report: WarningReport, lang: str | None = None, errors: pd.DataFrame | None = None
) -> Content:
    """The report's content.

    Parameters
    ----------
    report : WarningReport
    lang : {"zh", "en"}, optional
    errors : DataFrame, optional
        Of :func:`actuarial.budget.national_errors`.
    """
    chosen, m = language(lang), report.monitor
    with use_language(chosen):
        k = Tables(report, chosen)
        done = {code: [finished(s, k.source)] for code, s in _sections(k, errors)}
    name = m.budget.name.get(chosen, "")
    subtitle = k.t(
        "subtitle" if m.months > 1 else "subtitle_one", name=name, year=m.budget.year, months=m.months
    )
    return Content(
        chosen, k.t("title"), printable(subtitle), _headline(k), numbered(done, chosen), k.unit,
        str((m.budget.start + m.months - 1).end_time.date()), "monitoring",
    )  # fmt: skip


def _headline(k: Tables) -> tuple[tuple[str, str], ...]:
    m = k.m
    spent, budget = m.actual.amounts("expenditure", m.basis).sum(), m.budget.amounts("expenditure").sum()
    return (
        (k.t("head_progress"), f"{100 * spent / max(budget, 1e-9):.1f}%"),
        (k.t("head_balance", unit=k.unit.label), f"{m.balance() / k.unit.scale:,.2f}".replace("-", "−")),
        (rule_name("overspending", k.lang), f"{100 * m.overspending_probability:.0f}%"),
        (rule_name("deficit_chance", k.lang), f"{100 * m.deficit_probability():.0f}%"),
    )


def _sections(k: Tables, errors: pd.DataFrame | None) -> list[tuple[str, Section]]:
    """The sections by code, those that the actuals tell."""
    m = k.m
    figure = chart(k.t("figure"), m.plot(lang=k.lang), k.t("figure_note"), source=k.forecast_source)
    due = k.t("letter_date", date=f"{m.budget.start + m.months}")
    found: list[tuple[str, str, tuple[str, ...], list[Block | Chart | None]]] = [
        ("letter", "letter", (k.t("addressee"), due, k.t("duty")), []),
        ("summary", "summary", tuple(m.summary(k.lang).split("\n")), [figure]),
        ("warnings", "warnings", k.alarms(), [*k.rules()]),
        ("items", "items", (), [*k.items()]),
        ("year_end", "year_end_title", (k.t("year_end_note"),), [k.outlook("item")]),
        ("months", "months_title", (), [k.months()]),
        ("payers", "payers", (), [k.payers()]),
        ("levels", "levels", (), [k.outlook("level")]),
        ("providers", "providers", (), [k.providers(), k.outlook("provider")]),
        ("drivers", "drivers", _driver_words(m, k), [k.drivers(), k.stated_drivers()]),
        ("bridge", "bridge", (), [k.bridge()]),
        ("errors", "error_title", (k.t("error_note", years=0 if errors is None else int(errors["years"].max())),),
         [None if errors is None else k.errors(errors)]),
        ("measures", "measures", (k.t("measures_text"), k.t("measures_text"), k.t("next_month"), k.t("next_month"), k.t("signature")), []),
    ]  # fmt: skip
    kept = []
    for code, title, words, parts in found:
        there = tuple(p for p in parts if p is not None)
        if there or not parts:
            kept.append((code, Section(k.t(title), words, there)))
    return kept


def _driver_words(m: Monitor, k: Tables) -> tuple[str, ...]:
    """What the drivers say, in sentences."""
    words = []
    if m.drivers is not None:
        words.append(k.t("drivers_note"))
    for r in [] if m.stated_drivers is None else m.stated_drivers.to_dict("records"):
        words.append(k.t(
            "stated_line", provider=k.label(r["provider"]), over=k.unit.show(r["stated_overspend"]), budget=k.unit.show(r["budget"]),
            share=f"{100 * r['stated_overspend'] / r['budget']:.0f}", growth=f"{100 * r['visits_growth']:.0f}",
            visits=k.unit.show(r["visits_part"]), payment=k.unit.show(r["payment_part"]), change=f"{100 * r['payment_growth']:.1f}".replace("-", "−"),
        ))  # fmt: skip
    return tuple(words)


def write_monitoring(
    report: WarningReport,
    path: str | os.PathLike[str],
    lang: str | None = None,
    errors: pd.DataFrame | None = None,
) -> Path:
    """Write the page, whole or not at all; returns its path.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    return write_page(compose_monitoring(report, lang, errors), Path(path))


def write_monitoring_files(
    report: WarningReport, folder: str | os.PathLike[str], lang: str | None = None, errors: pd.DataFrame | None = None, *,
    formats: Iterable[str] = ("html", "xlsx", "docx", "pdf"), form: Path | None = None, progress: Progress | None = None,
) -> dict[str, Path]:  # fmt: skip
    """Write ``monitor_<lang>.<format>`` in each format, all or none; returns the paths by format.

    Parameters
    ----------
    report, lang, errors
        See :func:`compose_monitoring`.
    folder : path
    formats : iterable of str
        Of ``html``, ``xlsx``, ``docx``, ``pdf``.
    form : Path, optional
        Where the official form goes: the adjusted budget of a running year, the final accounts of a whole one.
    progress : callable, optional
        Called with files written and files in all.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    chosen = language(lang)
    content = compose_monitoring(report, chosen, errors)
    more: dict[Path, Callable[[Path], object]] = {}
    if form is not None:
        stage = report.monitor.form("final" if report.monitor.months == 12 else "adjusted")
        more[form] = partial(stage.to_excel, lang=chosen)
    return write_documents(
        content, folder, name="monitor", formats=formats, more=more, progress=progress
    ).paths
