"""The settlement statement of a contract year: what both parties sign, with its proof behind it.

One content for page, workbook, Word file and PDF. Nothing is computed here that is not in the settled year.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from actuarial.contract import YearSettlement
from actuarial.contract.points import PointSettlement
from actuarial.contract.saved import save_year
from actuarial.contract.terms import Contract
from actuarial.contract.words import party_in_words, terms_in_words
from actuarial.errors import InputError
from actuarial.report import ReportFiles, write_documents
from actuarial.report import statement_tables as tables
from actuarial.report.blocks import Block, Chart, Section, block, finished, records
from actuarial.report.capitals import capitals
from actuarial.report.content import Content, numbered
from actuarial.report.opinion import BLANK
from actuarial.report.statement_tables import Pages, Words
from actuarial.results import Unit
from actuarial.safe import printable
from actuarial.texts import language, pick, text, use_language

SIGNED = ("unit_seal", "head", "handler", "date")
"""Lines of the table of signatures."""
SAVED = "settlement.json"
UNITS_APART = 100
"""Claims so many times the target, or so small a part of it, read like a wrong unit: halfway, in ratios, to the 10,000 between yuan and 万元."""
"""File that next year's settlement reads."""


def compose_statement(
    settled: YearSettlement, lang: str | None = None, *, start: pd.Period | None = None,
    names: Mapping[str, str] | None = None,
) -> Content:  # fmt: skip
    """Compose the statement of a settled year.

    Parameters
    ----------
    settled : YearSettlement
    lang : {"zh", "en"}, optional
    start : Period, optional
        First month of the contract year; without it the period is a blank to be filled in.
    names : mapping, optional
        What the parties are called: ``fund``, ``insurer``, ``provider``.
    """
    chosen = language(lang)
    k = Pages(settled, chosen, start)
    with use_language(chosen):
        sections = {
            "amounts": _amounts(k, names or {}), "parties": _parties(k, names or {}), "months": _months(k), "result": _result(k),
            "readings": _readings(k), "signature": _signature(k, *(_name(k, names or {}, p) for p in ("fund", k.own))), "terms": _terms(k), "ledger": _ledger(k),
        }  # fmt: skip
        source = k.t("computed", contract=settled.deal.contract.law.id)
        headline = (
            (k.t("in_yuan", what=k.t("outcome_surplus" if settled.split.outcome[0] >= 0 else "outcome_deficit")), _plain(abs(int(settled.split.outcome[0])))),
            (k.t("in_yuan", what=k.t("own_result", party=k.party)), _plain(int(settled.split.party(k.own)[0]))),
            (k.t("in_yuan", what=k.t("net_short", payer=_payer(k))), _plain(abs(k.net()))),
        )  # fmt: skip
    return _document(settled.deal.contract, k, sections, headline, source, start)


def opening_words(
    settled: YearSettlement,
    *,
    start: pd.Period | None = None,
    lang: str | None = None,
    names: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """The sentences with which the statement opens: what is due, and the year's result."""
    k = Pages(settled, language(lang), start)
    return (*_amounts(k, names or {}).paragraphs, *_months(k).paragraphs)


def write_statement(
    settled: YearSettlement, folder: str | os.PathLike[str], *, lang: str | None = None, formats: Iterable[str] = ("html", "xlsx"),
    start: pd.Period | None = None, names: Mapping[str, str] | None = None, name: str = "settlement",
) -> ReportFiles:  # fmt: skip
    """Write the statement as ``<name>_<lang>.<format>``, and ``settlement.json`` for next year.

    Raises
    ------
    InputError
        If the folder cannot be written, or a format is unknown.
    """
    content = compose_statement(settled, lang, start=start, names=names)
    files = write_documents(content, folder, name=name, formats=formats)
    save_year(settled, Path(folder) / SAVED, start)
    return files


def _document(
    contract: Contract, k: Words, sections: Mapping[str, Section], headline: tuple[tuple[str, str], ...], source: str,
    start: pd.Period | None,
) -> Content:  # fmt: skip
    law = contract.law
    title = k.t("title", name=law.name(k.lang))
    span = _span(k, start)
    dated = law.envelope.effective if start is None else str((start + 11).end_time.date())
    return Content(k.lang, printable(title), printable(k.t("subtitle", period=span)), headline,
                   numbered({c: [finished(s, source)] for c, s in sections.items()}, k.lang), Unit.of(k.lang), dated, "statement")  # fmt: skip


def _span(k: Words, start: pd.Period | None) -> str:
    return k.t("period_blank") if start is None else k.t("period", first=str(start), last=str(start + 11))


def _plain(cents: int) -> str:
    return f"{cents / 100:,.2f}".replace("-", "−")


def _payer(k: Pages) -> str:
    return k.party if k.net() < 0 else k.called("fund")


def _amount(k: Words, cents: int) -> str:
    """An amount in figures, and in capitals where the language has them."""
    said = _plain(cents)
    return (
        f"{said}{k.t('yuan_capitals', capitals=capitals(cents))}"
        if k.lang == "zh"
        else f"{said} {k.t('yuan')}"
    )


def _amounts(k: Pages, names: Mapping[str, str]) -> Section:
    """Who pays whom how much; the outcome and its parts."""
    s, net = k.s, k.net()
    outcome, own = int(s.split.outcome[0]), int(s.split.party(k.own)[0])
    other = k.party
    a, b = k.t("party_a", name=_name(k, names, "fund")), k.t("party_b", name=_name(k, names, k.own))
    words = [k.t("nothing_due")] if net == 0 else [
        k.t("pays", payer=b if net < 0 else a, payee=a if net < 0 else b, amount=_amount(k, abs(net)))
    ]  # fmt: skip
    words.append(k.t("result_line", target=_plain(round(s.deal.basis.target * 100)), claims=_plain(sum(s.claims) + s.late_claims - s.carried_claims),
                     kind=k.t("outcome_surplus" if outcome >= 0 else "outcome_deficit"), outcome=_plain(abs(outcome)), party=other,
                     verb=k.t("gets" if own >= 0 else "bears"), own=_plain(abs(own))))  # fmt: skip
    words += _notices(k)
    return Section(k.t("amounts"), tuple(words), (tables.due_table(k),))


def _notices(k: Pages) -> list[str]:
    """What the reader must know beside the amount: status of the text, what goes on to the next year."""
    s, e = k.s, k.s.deal.contract.law.envelope
    words = []
    if e.status != "enacted":
        words.append(k.t("not_enacted", status=text(f"law_words.{e.status}", k.lang)))
    ratio = sum(s.claims) / max(round(s.deal.basis.target * 100), 1)
    if sum(s.claims) and not 1 / UNITS_APART < ratio < UNITS_APART:
        words.append(k.t("units_apart", ratio=f"{ratio:,.0f}" if ratio > 1 else f"1/{1 / ratio:,.0f}"))
    state = s.state
    for name, value in (("reserve", state.reserve), ("carried", state.carried), ("owed", state.owed), ("claims", s.carried_claims)):  # fmt: skip
        if int(value):
            words.append(k.t(f"next_{name}", amount=_plain(int(value))))
    return words


def _parties(k: Pages, names: Mapping[str, str]) -> Section:
    """Parties, contract, period, target and what last year left."""
    s, law = k.s, k.s.deal.contract.law
    e, terms = law.envelope, s.deal.contract.terms
    rows = [("party_a", _name(k, names, "fund")), ("party_b", _name(k, names, k.own)), ("contract", f"{law.name(k.lang)} ({e.id})"),
            ("document", e.source.document), ("clause", e.source.clause or "—"), ("effective", e.effective),
            ("span", _span(k, k.start)), ("target", f"{_plain(round(s.deal.basis.target * 100))} {k.t('yuan')}")]  # fmt: skip
    if terms.target.amount is not None and not _by_rule(k):
        rows.append(("target_rule", k.t("target_given")))
    elif terms.target.what:
        rows.append(("target_rule", pick(terms.target.what, k.lang)))
    if terms.target.counted:
        rows.append(("counted", pick(terms.target.counted, k.lang)))
    if s.deal.basis.heads is not None:
        rows.append(("heads", f"{float(s.deal.basis.heads):,.4f}".rstrip("0").rstrip(".")))
    if s.paid is not None and s.planned_target != round(s.deal.basis.target * 100):
        rows.append(("planned", f"{_plain(s.planned_target)} {k.t('yuan')}"))
    opening = s.year.opening
    before = {"last_reserve": opening.reserve, "last_carried": opening.carried, "last_owed": opening.owed, "last_claims": s.year.earlier_claims}  # fmt: skip
    rows += [(code, f"{_plain(int(v))} {k.t('yuan')}") for code, v in before.items() if int(v)]
    shown = [{"item": k.t(f"row_{code}"), "value": value} for code, value in rows]
    return Section(k.t("parties"), (), (block("", [k.col("item"), k.col("value")], shown),))


def _by_rule(k: Pages) -> bool:
    """Whether the target is what the rule of the contract gives for these heads."""
    basis = k.s.deal.basis
    given = {n: getattr(basis, n) for n in ("heads", "premium", "financing", "revenue")}
    try:
        return k.s.deal.contract.basis(**given).target == basis.target
    except InputError:  # the rule needs what was not given
        return False


def _name(k: Pages, names: Mapping[str, str], party: str) -> str:
    return names.get(party) or k.called(party)


def _months(k: Pages) -> Section:
    """Months and balances; what came late; where the insurer had to advance most."""
    s, words = k.s, []
    month, need = s.worst_cash_need
    if k.other == "insurer" and s.paid is not None:
        words.append(k.t("worst", month=k.month(month), amount=_plain(round(need * 100))) if need else k.t("no_need"))  # fmt: skip
    for code, cents in (
        ("earlier", s.year.earlier_claims),
        ("late", 0 if s.carried_claims else s.late_claims),
        ("policy", s.year.policy_loss),
    ):
        if cents:
            words.append(k.t(f"months_{code}", amount=_plain(cents)))
    return Section(k.t("months"), tuple(words), (tables.months_table(k), tables.balances_table(k)))


def _result(k: Pages) -> Section:
    """The annual result by band and by cause, deductions, true-up."""
    found = (
        tables.bands_table(k),
        tables.causes_table(k),
        tables.deductions_table(k),
        tables.true_up_table(k),
    )
    return Section(k.t("result"), (), tuple(b for b in found if b is not None))


def _terms(k: Pages) -> Section:
    """The terms in words, then the words of the text."""
    contract = k.s.deal.contract
    e = contract.law.envelope
    source = f"{e.source.document} {e.source.clause}".strip()
    rows = _term_rows(k, contract)
    parts: list[Block | Chart] = [block(k.t("terms_title"), [k.col("number", "count"), k.col("term")], rows, source=source)]  # fmt: skip
    quotes = list(dict.fromkeys(q for q in (e.source.quote, *e.quotes.values()) if q))
    if quotes:
        shown = [{"number": n, "quote": q} for n, q in enumerate(quotes, 1)]
        parts.append(
            block(k.t("quotes_title"), [k.col("number", "count"), k.col("quote")], shown, source=source)
        )
    return Section(k.t("terms"), (), tuple(parts))


def _term_rows(k: Words, contract: Contract) -> list[dict[str, Any]]:
    """The terms in words; what was left open stands as it is read."""
    rows = []
    for number, line in enumerate(terms_in_words(contract, k.lang), 1):
        for name in contract.law.envelope.gaps:
            if f"<{name}>" in line:
                said = _reading(contract, name, k.lang)
                line = line.replace(f"<{name}>", k.t("read_as", reading=said) if said else k.t("unread"))
        rows.append({"number": number, "term": line})
    return rows


def _reading(contract: Contract, gap: str, lang: str) -> str:
    """How a gap is read, in words; empty where it is not."""
    envelope = contract.law.envelope
    reading, choices = envelope.readings.get(gap), envelope.gaps[gap].choices
    if reading is None:
        return ""
    if reading.choice is not None:
        return pick(choices[reading.choice], lang)
    spread = envelope.gaps[gap].range
    share = spread is not None and spread[1] <= 1
    return f"{100 * reading.value:.10g}%" if share and reading.value is not None else f"{reading.value:.10g}"


def _readings(k: Pages) -> Section:
    """How open points were read; which were not needed; what the text leaves to the bookkeeper."""
    law, asked = k.s.deal.contract.law, k.s.deal.asked
    applied, rest = [], []
    for name, gap in law.envelope.gaps.items():
        reading = law.envelope.readings.get(name)
        if name in asked and reading is not None:
            status = text(f"label.status_{reading.status}", k.lang)
            said = _reading(k.s.deal.contract, name, k.lang)
            applied.append({"gap": pick(gap.what, k.lang), "reading": said, "status": status})
        else:
            rest.append({"gap": pick(gap.what, k.lang)})
    parts: list[Block | Chart] = []
    words = [k.t("readings_agreed")] if applied else [k.t("no_readings")]
    if k.s.paid is not None:
        words.append(k.t("bookkeeping"))
    if applied:
        parts.append(block(k.t("applied_title"), [k.col(c) for c in ("gap", "reading", "status")], applied))
    if rest:
        parts.append(block(k.t("open_title"), [k.col("gap")], rest))
    return Section(k.t("readings"), tuple(words), tuple(parts))


def _signature(k: Words, first: str, second: str) -> Section:
    """Blanks for both parties."""
    rows = [{"item": k.t(f"sign_{code}"), "a": BLANK, "b": BLANK} for code in SIGNED]
    columns = [
        k.col("item"),
        k.col("a", said=k.t("sign_a", name=first)),
        k.col("b", said=k.t("sign_b", name=second)),
    ]
    return Section(k.t("signature"), (k.t("signed_words"),), (block(k.t("sign_title"), columns, rows),))


def _ledger(k: Pages) -> Section:
    last = k.s.balances.iloc[-1]
    words = [k.t("ledger_words"), k.t("closing_reserve", amount=_plain(int(last["reserve"])))] if int(last["reserve"]) and k.s.paid is not None else [k.t("ledger_words")]  # fmt: skip
    return Section(k.t("ledger"), tuple(words), (tables.ledger_table(k),))


# --------------------------------------------------------------------------- points


def compose_points(
    settled: PointSettlement, contract: Contract, lang: str | None = None, *, start: pd.Period | None = None,
    names: Mapping[str, str] | None = None,
) -> Content:  # fmt: skip
    """Compose the statement of a year settled by points.

    Parameters
    ----------
    settled : PointSettlement
    contract : Contract
    lang, start, names
        As for :func:`compose_statement`.
    """
    chosen = language(lang)
    k = Words(chosen)
    called = {
        p: (names or {}).get(p) or party_in_words(contract.terms, p, chosen) for p in ("fund", "provider")
    }
    e = contract.law.envelope
    with use_language(chosen):
        frame = settled.frame
        total: dict[str, Any] = {"provider": text("label.total", chosen), **{c: float(frame[c].sum()) for c in ("points", "payment", "prepaid", "due")}}  # fmt: skip
        columns = [k.col("provider"), k.col("points", "number"), *(k.col(c, "yuan") for c in ("payment", "prepaid", "due"))]  # fmt: skip
        words = [k.t("points_line", budget=_plain(round(settled.budget * 100)), reserve=_plain(round(settled.reserve * 100)),
                     points=f"{total['points']:,.10g}", value=f"{settled.point_value:,.6f}")]  # fmt: skip
        if settled.left:
            words.append(k.t("points_left", amount=_plain(round(settled.left * 100))))
        if e.status != "enacted":
            words.append(k.t("not_enacted", status=text(f"law_words.{e.status}", chosen)))
        paid = block(k.t("points_title"), columns, [*records(frame), total], total_rows=[len(frame)])
        terms = _term_rows(k, contract)
        source = f"{e.source.document} {e.source.clause}".strip()
        said = block(k.t("terms_title"), [k.col("number", "count"), k.col("term")], terms, source=source)
        sections = {"amounts": Section(k.t("amounts"), tuple(words), (paid,)),
                    "signature": _signature(k, called["fund"], called["provider"]),
                    "terms": Section(k.t("terms"), (), (said,))}  # fmt: skip
        headline = ((k.t("point_value"), f"{settled.point_value:,.4f}"), (k.t("in_yuan", what=k.t("col_due")), _plain(round(total["due"] * 100))))  # fmt: skip
        source = k.t("computed", contract=e.id)
    return _document(contract, k, sections, headline, source, start)
