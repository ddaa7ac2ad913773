"""What a document says, in one language: sections of sentences, tables and charts.

Page, workbook, Word file and PDF are made from this; no number is computed here that is not in the
:class:`~actuarial.pipeline.Answer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from actuarial.errors import Fault, InputError
from actuarial.pipeline import Answer
from actuarial.report import answer_sections as answering
from actuarial.report import bulletin
from actuarial.report import data_sections as proving
from actuarial.report import factor_sections as factors
from actuarial.report.blocks import Block, Chart, Section, finished
from actuarial.report.context import Context, plain
from actuarial.report.income_sections import income_section
from actuarial.report.opinion import opinion_section
from actuarial.results import Unit
from actuarial.safe import printable
from actuarial.texts import language, text

KINDS = ("actuarial", "bulletin")
"""What can be composed."""
UNSOURCED = {"opinion", "basis", "manifest"}
"""Sections whose tables hold no figure of the fund: blanks to fill in, hashes and versions."""


@dataclass(frozen=True)
class Content:
    """A document in one language.

    Parameters
    ----------
    lang, title, subtitle : str
    headline : tuple of (str, str)
        The few figures that stand first: name and value.
    sections : tuple of Section
    unit : Unit
    dated : str
        The valuation date, which every file takes as its time of writing.
    kind : {"actuarial", "bulletin", "statement"}
    """

    lang: str
    title: str
    subtitle: str
    headline: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    unit: Unit
    dated: str = "2000-01-01"
    kind: str = "actuarial"


def compose(answer: Answer, lang: str | None = None, *, kind: str = "actuarial") -> Content:
    """Compose a document from an answer.

    Parameters
    ----------
    answer : Answer
    lang : {"zh", "en"}, optional
    kind : {"actuarial", "bulletin"}
        The actuarial report, or the bulletin on how the fund runs.

    Raises
    ------
    InputError
        If `kind` is unknown.
    """
    k = Context(answer, language(lang))
    if kind not in KINDS:
        raise InputError([Fault("report_words.kind", params={"value": kind, "known": "、".join(KINDS)})])
    if kind == "bulletin":
        title, headline, found = bulletin.title(k), bulletin.headline(k), bulletin.sections(k)
    else:
        title, headline, found = k.t("report.title", year=k.year), _headline(k), _sections(k)
    subtitle = k.t("report.subtitle", name=k.plan.name(k.lang), date=k.plan.model.valuation_date)
    if k.plan.synthetic:
        title, subtitle = (
            f"{title} · {k.t('report.synthetic')}",
            f"{subtitle} · {k.t('report.synthetic_note')}",
        )
    done = {
        code: [finished(_untitled(s), "" if code in UNSOURCED else k.computed) for s in some]
        for code, some in found.items()
    }
    return Content(
        k.lang,
        printable(title),
        printable(subtitle),
        headline,
        numbered(done, k.lang),
        k.unit,
        k.plan.model.valuation_date,
        kind,
    )


def _headline(k: Context) -> tuple[tuple[str, str], ...]:
    risk = k.sim.deficit_probability()[k.a.target.criterion]
    return (
        (k.t("col.premium_target"), plain(max(k.a.target.value, 0.0), 1)),
        (k.t("col.standard"), plain(k.sim.standard, 0)),
        (k.t("col.present_risk"), plain(100 * risk, 1)),
        (k.t("label.indicator_payable_months"), plain(k.sim.months_payable(), 1)),
    )


def _sections(k: Context) -> dict[str, list[Section]]:
    """The actuarial report: the answer and what follows from it, then what it rests on, then the opinion."""
    return {
        "answer": [answering.answer_section(k)],
        "forecast": [answering.forecast_section(k)],
        "risk": [answering.risk_section(k)],
        "drivers": [answering.drivers_section(k)],
        "income": income_section(k),
        "scenarios": answering.scenarios_section(k),
        "contract": answering.contract_section(k),
        "budget": [answering.budget_section(k)],
        "data": [proving.data_section(k)],
        "base": [proving.base_section(k)],
        "policy": [factors.policy_section(k)],
        "growth": [factors.growth_section(k)],
        "assumptions": [proving.assumptions_section(k)],
        "opinion": [opinion_section(k)],
        "sources": [proving.sources_section(k)],
        "manifest": [proving.manifest_section(k)],
    }


def numbered(sections: Mapping[str, Iterable[Section]], lang: str) -> tuple[Section, ...]:
    """Sections with their codes, and with running numbers before their titles."""
    coded = [replace(s, code=code) for code, some in sections.items() for s in some]
    return tuple(replace(s, title=_number(n, lang) + s.title) for n, s in enumerate(coded, 1))


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
