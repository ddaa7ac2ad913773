"""What the report says, in one language: sections of sentences, tables and charts.

Both the page and the workbook are made from this; no number is computed here that is not in the
:class:`~actuarial.pipeline.Answer`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from actuarial.pipeline import Answer
from actuarial.report import answer_sections as answering
from actuarial.report import data_sections as proving
from actuarial.report.blocks import Block, Chart, Section
from actuarial.report.context import Context, plain
from actuarial.results import Unit
from actuarial.texts import language, text


@dataclass(frozen=True)
class Content:
    """The report in one language."""

    lang: str
    title: str
    subtitle: str
    headline: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    unit: Unit


def compose(answer: Answer, lang: str | None = None) -> Content:
    """Compose the report of an answer."""
    k = Context(answer, language(lang))
    risk = k.sim.deficit_probability()[answer.target.criterion]
    headline = (
        (k.t("col.premium_target"), plain(max(answer.target.value, 0.0), 1)),
        (k.t("col.standard"), plain(k.sim.standard, 0)),
        (k.t("col.present_risk"), plain(100 * risk, 1)),
        (k.t("label.indicator_payable_months"), plain(k.sim.months_payable(), 1)),
    )
    sections = {
        "answer": [answering.answer_section(k)],
        "forecast": [answering.forecast_section(k)],
        "risk": [answering.risk_section(k)],
        "drivers": [answering.drivers_section(k)],
        "contract": answering.contract_section(k),
        "scenarios": answering.scenarios_section(k),
        "budget": [answering.budget_section(k)],
        "data": [proving.data_section(k)],
        "assumptions": [proving.assumptions_section(k)],
        "sources": [proving.sources_section(k)],
        "manifest": [proving.manifest_section(k)],
    }
    coded = [replace(_untitled(s), code=code) for code, found in sections.items() for s in found]
    subtitle = k.t("report.subtitle", name=k.plan.name(k.lang), date=k.plan.model.valuation_date)
    title = k.t("report.title", year=k.year)
    if k.plan.synthetic:
        title, subtitle = (
            f"{title} · {k.t('report.synthetic')}",
            f"{subtitle} · {k.t('report.synthetic_note')}",
        )
    numbered = tuple(replace(s, title=_number(n, k.lang) + s.title) for n, s in enumerate(coded, 1))
    return Content(k.lang, title, subtitle, headline, numbered, k.unit)


def _number(n: int, lang: str) -> str:
    """Number of a section: 一、 … or 1. …"""
    if lang == "en":
        return f"{n}. "
    digits = text("label.digits", lang)
    return f"{'十' + (digits[n - 10] if n > 10 else '') if n >= 10 else digits[n]}、"


def _untitled(section: Section) -> Section:
    """A table right after a chart of the same title does not repeat it."""
    parts: list[Block | Chart] = []
    for part in section.parts:
        before = parts[-1] if parts else None
        if isinstance(part, Block) and isinstance(before, Chart) and before.title == part.title:
            part = replace(part, title="")
        parts.append(part)
    return replace(section, parts=tuple(parts))
