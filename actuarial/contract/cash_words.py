"""The cash rule, points, duties and limits of a contract in words: a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actuarial.contract.words import amount_in_words, party_in_words, ratio_in_words
from actuarial.law.contract_terms import Cash, Choice, ContractPayload
from actuarial.law.terms import Fixed
from actuarial.texts import has_text, pick, text


def duties_in_words(terms: ContractPayload, lang: str | None = None) -> Iterator[str]:
    """Heads, cash, points, warning, reports and limits of a contract.

    Examples
    --------
    >>> from actuarial.contract import load_contract
    >>> found = load_contract("china/jiande/contract/cooperation@2012-01-01")
    >>> list(duties_in_words(found.terms, "en"))[2]
    "month 1: 1,000,000 yuan to the insurer in advance; with the rest after the month's claims, 1/12 of the target in all"
    """
    if terms.target.headcount is not None:
        yield _say("heads_change", lang, rule=_word("headcount", terms.target.headcount, lang))
    if terms.cash is not None:
        yield from _cash(terms, terms.cash, lang)
    if terms.points is not None:
        p = terms.points
        yield _say("points", lang, share=ratio_in_words(p.reserve_share, lang))
        if p.point_value_at_most is not None:
            yield _say("point_most", lang, amount=amount_in_words(p.point_value_at_most, lang))
    if terms.warning is not None:
        w = terms.warning
        yield _say("warning", lang, amount=amount_in_words(w.deficit_at_least, lang), what=pick(w.deliverable, lang))  # fmt: skip
    for report in terms.reports:
        yield _say("report", lang, what=pick(report, lang))
    for name, limit in terms.limits.items():
        said = _say(f"limit_{name}", lang) if has_text(f"contract_words.limit_{name}") else name
        yield _say("limit", lang, name=said, share=f"{100 * limit:.10g}%")


def _cash(terms: ContractPayload, cash: Cash, lang: str | None) -> Iterator[str]:
    insurer = party_in_words(terms, "insurer", lang)
    if cash.way == "claims":
        code = "claims_whole" if cash.monthly_share == Fixed(1.0) else "claims_share"
        yield _say(code, lang, share=ratio_in_words(cash.monthly_share, lang))
    if cash.reserve is not None:
        yield _say("set_aside", lang, amount=amount_in_words(cash.reserve, lang))
    if cash.way == "calendar":
        yield _say("by_calendar", lang, party=insurer, when=_word("calendar", cash.calendar, lang))
    if cash.way == "premium":
        first = amount_in_words(cash.first, lang)
        advance = _say("in_advance", lang, amount=amount_in_words(cash.advance, lang), party=insurer) if cash.advance else ""  # fmt: skip
        yield _say("first_month", lang, advance=advance, amount=first)
        yield _say("months_after", lang, party=insurer, rule=_word("later", cash.later, lang))
    if cash.provisional is not None:
        p = cash.provisional
        yield _say("provisional", lang, month=p.from_month, party=insurer, share=ratio_in_words(p.insurer, lang),
                   base=_word("base", p.base, lang))  # fmt: skip
    for name in ("beyond_target", "reward_above_reserve", "late_claims"):
        value = getattr(cash, name)
        if value is not None:
            yield _say(f"{name}_line", lang, rule=_word(name, value, lang))


def _word(field: str, value: Any, lang: str | None) -> str:
    return f"<{value.gap}>" if isinstance(value, Choice) else _say(f"{field}_{value}", lang)


def _say(code: str, lang: str | None, **params: Any) -> str:
    return text(f"contract_words.{code}", lang, **params)
