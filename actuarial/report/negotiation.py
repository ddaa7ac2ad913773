"""The negotiating sheet: one page A4 with the offers, the payoff, what the terms are worth, the fair target, cautions, what to ask for next."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from actuarial.contract import Evaluation
from actuarial.contract.comparison import CLEAR, Comparison, compare_offers
from actuarial.contract.fair import FairTarget, fair_target
from actuarial.contract.term_values import TermValues, value_of_terms
from actuarial.plan import Plan
from actuarial.report import FORMATS, ReportFiles, write_documents
from actuarial.report.blocks import Block, Column, Section, block, chart, finished
from actuarial.report.content import Content
from actuarial.results import Unit, figure_style, new_axes, shown
from actuarial.safe import printable
from actuarial.texts import language, text, use_language

if TYPE_CHECKING:
    from actuarial.contract.cautions import Caution

UNDATED = "2000-01-01"
"""What files take as their time of writing where no date is known; it is not shown."""
MOST_TERMS, MOST_CAUTIONS, MOST_ASKED = 5, 4, 2
MOST_DIFFERENCES = 3
"""What one page holds."""


def compose_sheet(
    comparison: Comparison, *, values: TermValues | None = None, fair: FairTarget | None = None, source: str = "",
    dated: str = "", synthetic: bool = False, lang: str | None = None,
) -> Content:  # fmt: skip
    """The sheet's content.

    Parameters
    ----------
    comparison : Comparison
    values : TermValues, optional
        Of the base offer.
    fair : FairTarget, optional
        Of the base offer.
    source : str
        What the simulated years rest on.
    dated : str
        ISO date that files take as their time of writing.
    synthetic : bool
        Whether the figures rest on synthetic data: the title says so.
    lang : {"zh", "en"}, optional
    """
    chosen = language(lang)
    with use_language(chosen):
        sheet = _Sheet(comparison, values, fair, chosen)
        sections = [sheet.offers(), sheet.payoff(), *sheet.terms(), *sheet.next(), *sheet.cautions()]
        base = comparison.evaluations[comparison.base]
        cited = "；" if chosen == "zh" else "; "
        said = cited.join(
            [source, *dict.fromkeys(s.document for s in base.sources)]
            if source
            else [s.document for s in base.sources]
        )
        title = text("negotiation.title", chosen, name=base.contract.law.name(chosen))
        if synthetic:
            title += f" · {text('report.synthetic', chosen)}"
        subtitle = " · ".join(w for w in (source, dated) if w)
        coded = tuple(
            replace(finished(s, said if n == 0 else ""), code="negotiation") for n, s in enumerate(sections)
        )
        return Content(
            chosen,
            printable(title),
            printable(subtitle),
            sheet.headline(),
            coded,
            sheet.unit,
            dated or UNDATED,
            "negotiation",
        )


def build_sheet(
    comparison: Comparison, folder: str | os.PathLike[str], *, values: TermValues | None = None, fair: FairTarget | None = None,
    source: str = "", formats: Iterable[str] = ("html", "xlsx"), dated: str = "", synthetic: bool = False,
    lang: str | None = None, name: str = "negotiation",
) -> ReportFiles:  # fmt: skip
    """Write the sheet as ``<name>_<lang>.<format>``; all files are written whole, or none.

    Parameters
    ----------
    comparison, values, fair, source, dated, synthetic, lang
        As for :func:`compose_sheet`.
    folder : path
        Made if it is not there.
    formats : iterable of str
        Of ``html``, ``xlsx``, ``docx``, ``pdf``.
    name : str
        Start of the files' names.

    Raises
    ------
    InputError
        If the folder cannot be written, or a format is unknown.
    """
    content = compose_sheet(
        comparison, values=values, fair=fair, source=source, dated=dated, synthetic=synthetic, lang=lang
    )
    return write_documents(content, folder, name=name, formats=formats)


def session_sheet(
    deals: Mapping[str, Evaluation], plan: Plan, *, lang: str | None = None, seed: int = 2012
) -> bytes:
    """The sheet as a workbook in memory, of offers that are evaluated already on the same paths (the what-if page's).

    Parameters
    ----------
    deals : mapping
        By name, the present terms first.
    plan : Plan
        That the years come from.
    lang : {"zh", "en"}, optional
    seed : int
        That was simulated with.
    """
    chosen = language(lang)
    comparison = compare_offers(deals)
    base = next(iter(deals.values()))
    heads = plan.model.insured.next_year
    with use_language(chosen):
        source = text(
            "bargain_cli.from_plan", name=plan.name(chosen), paths=f"{len(base.outcome):,}", seed=seed
        )
        values = value_of_terms(base.contract, claims=base.claims, target=base.target, heads=heads)
        fair = fair_target(base.contract, claims=base.claims, target=base.target, heads=heads)
        with tempfile.TemporaryDirectory() as folder:
            made = build_sheet(comparison, folder, values=values, fair=fair, source=source, formats=("xlsx",),
                               dated=plan.model.valuation_date, synthetic=plan.synthetic, lang=chosen)  # fmt: skip
            return made.workbook.read_bytes()


class _Sheet:
    """One comparison in one language."""

    def __init__(
        self, comparison: Comparison, values: TermValues | None, fair: FairTarget | None, lang: str
    ) -> None:
        self.c, self.v, self.f, self.lang = comparison, values, fair, lang
        self.unit = Unit.fine(lang)
        self.base = comparison.evaluations[comparison.base]

    def t(self, code: str, **params: object) -> str:
        return text(f"negotiation.{code}", self.lang, **{"party": self.c.party(self.lang), **params})

    def money(self, yuan: float, *, signed: bool = False) -> str:
        return shown(yuan, "signed_money" if signed else "money", self.unit)

    @property
    def costed(self) -> str:
        return self.t("after" if self.c.after_costs else "contractual")

    def headline(self) -> tuple[tuple[str, str], ...]:
        """Fair target, present target, and both sides under the base offer."""
        unit = self.unit.label
        mine, fund = (self.c.measures[self.c.base, s].expected.value for s in ("insurer", "fund"))
        found = [(self.t("head_target", unit=unit), self.money(self.base.target))]
        if self.f is not None:
            fair = self.money(self.f.value) if isfinite(self.f.value) else "—"
            found.insert(0, (self.t("head_fair", unit=unit), fair))
        found += [(self.t("head_insurer", unit=unit, costed=self.costed), self.money(mine, signed=True)),
                  (self.t("head_fund", unit=unit), self.money(fund, signed=True))]  # fmt: skip
        return tuple(found)

    def offers(self) -> Section:
        rows = []
        for o, e in self.c.evaluations.items():
            mine, fund = self.c.measures[o, "insurer"], self.c.measures[o, "fund"]
            row = {"offer": o, "target": e.target, "insurer": mine.expected.value, "loss": mine.loss_probability.value,
                   "insurer_tail": mine.tail_95.value, "fund": fund.expected.value, "fund_tail": fund.tail_95.value}  # fmt: skip
            if o != self.c.base:
                gap = self.c.changes[o, "fund"].expected
                row |= {"gap": gap.value, "error": gap.error}
            rows.append(row)
        kinds = {"offer": "text", "target": "money", "insurer": "signed_money", "loss": "percent", "insurer_tail": "signed_money",
                 "fund": "signed_money", "fund_tail": "signed_money", "gap": "signed_money", "error": "money"}  # fmt: skip
        columns = [Column(k, self.t(f"col_{k}", unit=self.unit.label), v) for k, v in kinds.items()]  # type: ignore[arg-type]
        note = self.t("offers_note", base=self.c.base, costed=self.costed, unit=self.unit.label)
        said = [
            self.c.verdict(o, self.lang) + self.t("stop") + self._differs(o)
            for o in self.c.evaluations
            if o != self.c.base
        ]
        return Section(self.t("offers"), tuple(said), (block("", columns, rows, note=note),))

    def _differs(self, offer: str) -> str:
        """What the offer says otherwise, within a line or two."""
        lines = list(self.c.differs(offer, self.lang))
        if not lines:
            return ""
        more = (
            self.t("and_more", number=len(lines) - MOST_DIFFERENCES) if len(lines) > MOST_DIFFERENCES else ""
        )
        joined = self.t("semicolon").join(lines[:MOST_DIFFERENCES])
        return self.t("differs", what=joined + more)

    def payoff(self) -> Section:
        with figure_style():
            axes = self.c.plot(new_axes(8.0, 2.8), self.lang)
        return Section(self.t("payoff"), (), (chart("", axes, self.t("payoff_note", base=self.c.base)),))

    def terms(self) -> list[Section]:
        if self.v is None:
            return []
        rows = [
            {"change": self.v.variations[int(str(at))].words(self.lang), "insurer": row["insurer"], "error": row["insurer_error"], "fund": row["fund"]}
            for at, row in self.v.largest(MOST_TERMS, kinds=("share", "edge", "gap", "choice")).iterrows()
        ]  # fmt: skip
        if not rows:
            return []
        kinds = {"change": "text", "insurer": "signed_money", "error": "money", "fund": "signed_money"}
        columns = [Column(k, self.t(f"term_{k}", unit=self.unit.label), v) for k, v in kinds.items()]  # type: ignore[arg-type]
        table: Block = block("", columns, rows, note=self.t("terms_note"))
        return [Section(self.t("terms"), (), (table,))]

    def next(self) -> list[Section]:
        """What to ask for next, from the fair target, the values and the incentive."""
        said = [*self._about_target(), *self._about_terms(), *self._about_incentive()]
        said.append(
            text("comparison.no_effort", self.lang, party=self.c.party(self.lang))
            if self.c.effort is None
            else self._effort()
        )
        return [Section(self.t("next"), tuple(said))]

    def _about_target(self) -> list[str]:
        if self.f is None or not isfinite(self.f.value):
            return [] if self.f is None else [self.f.summary(self.lang).splitlines()[0]]
        gap = self.base.target - self.f.value
        error = self.f.error if isfinite(self.f.error) else 0.0
        code = "target_even" if abs(gap) <= CLEAR * error else "target_above" if gap > 0 else "target_below"
        params = {"fair": self.unit.show(self.f.value), "error": self.unit.show(error), "gap": self.unit.show(abs(gap)),
                  "margin": self.unit.show(self.f.margin) if self.f.margin else self.t("zero")}  # fmt: skip
        line = self.t(code, **params)
        if self.v is not None:
            moved = self.v.frame[self.v.frame["kind"] == "target"]["insurer"]
            if len(moved) and isfinite(moved.iloc[0]):
                line += self.t("target_step", amount=self.unit.show(abs(float(moved.iloc[0]))))
        return [line]

    def _about_terms(self) -> list[str]:
        """The changes that move most money: to be asked for where the fund gains, to be paid for where it gives."""
        if self.v is None:
            return []
        found = []
        some = self.v.largest(MOST_ASKED, kinds=("share", "edge", "gap", "choice"))
        for at, row in some.iterrows():
            clear = abs(row["insurer"]) > CLEAR * (
                row["insurer_error"] if isfinite(row["insurer_error"]) else 0.0
            )
            if clear:
                words = self.v.variations[int(str(at))].words(self.lang)
                code = "ask" if row["fund"] > 0 else "resist"
                line = self.t(code, change=words, amount=self.unit.show(abs(float(row["insurer"]))))
                found.append(
                    line + (self.t("reverse") if row["kind"] == "share" and code == "resist" else "")
                )
        return found

    def _about_incentive(self) -> list[str]:
        rows = self.c.incentives.set_index("offer")
        none, keeps = (float(rows[k].to_dict()[self.c.base]) for k in ("no_incentive", "insurer_keeps"))
        line = self.t("keeps", share=f"{100 * keeps:.0f}%")
        return [line + (self.t("none_kept", probability=f"{100 * none:.1f}%") if none >= 0.0005 else "")]

    def _effort(self) -> str:
        assert self.c.effort is not None
        parts = [
            self.t("saved", offer=o, saving=self.unit.show(s.saving), insurer=self.money(s.insurer_gain, signed=True), fund=self.money(s.fund_gain, signed=True))
            for o, s in self.c.savings.items()
        ]  # fmt: skip
        lead = self.t("effort", first=self.unit.show(self.c.effort.first_percent))
        return lead + ("；" if self.lang == "zh" else "; ").join(parts)

    def cautions(self) -> list[Section]:
        """The gravest of all offers; those that several share are told once, with the offers they hold for."""
        holds: dict[str, list[str]] = {}
        first: dict[str, Caution] = {}
        for o, e in self.c.evaluations.items():
            for c in e.cautions:
                holds.setdefault(c.message(self.lang), []).append(o)
                first.setdefault(c.message(self.lang), c)
        order = ("serious", "notable", "note")
        told = sorted(holds, key=lambda m: (order.index(first[m].severity), -len(holds[m])))
        lines = []
        for message in told[:MOST_CAUTIONS]:
            whose = (
                ""
                if len(holds[message]) == len(self.c.evaluations)
                else self.t("only", offers=self.t("comma").join(holds[message]))
            )
            severity = text(f"caution.severity_{first[message].severity}", self.lang)
            lines.append(text("evaluation.caution", self.lang, severity=severity, words=whose + message))
        if len(told) > MOST_CAUTIONS:
            lines.append(self.t("more_cautions", number=len(told) - MOST_CAUTIONS))
        return [Section(self.t("cautions"), tuple(lines or [text("report_words.no_cautions", self.lang)]))]


__all__ = ["FORMATS", "build_sheet", "compose_sheet", "session_sheet"]
