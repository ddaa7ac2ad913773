"""A contract in words: one line for each term, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from actuarial.contract.readings import as_written
from actuarial.law.contract_terms import Choice, Extreme, PerHead, Quality, ShareOf
from actuarial.law.terms import Fixed, Unread
from actuarial.texts import pick, text

if TYPE_CHECKING:
    from actuarial.contract.terms import Contract
    from actuarial.law.contract_terms import ContractPayload, Sharing


def amount_in_words(term: Any, lang: str | None = None) -> str:
    """An amount as a reader would say it.

    Examples
    --------
    >>> from actuarial.law.contract_terms import parse_amount
    >>> amount_in_words(parse_amount({"share_of": "premium", "share": 0.05}), "en")
    '5% of the premium'
    """
    if isinstance(term, PerHead):
        return _say("per_head", lang, amount=amount_in_words(term.amount, lang))
    if isinstance(term, ShareOf):
        base = text(f"contract_words.base_{term.base}", lang)
        return _say("share_of", lang, base=base, share=ratio_in_words(term.share, lang))
    if isinstance(term, Extreme):
        parts = _say("or", lang).join(amount_in_words(p, lang) for p in term.parts)
        return _say(term.which, lang, parts=parts)
    if isinstance(term, Fixed):
        return _say("yuan", lang, amount=f"{term.value:,.10g}")
    return _gap(term, lang)


def ratio_in_words(term: Any, lang: str | None = None) -> str:
    """A share as a reader would say it.

    Examples
    --------
    >>> from actuarial.law.contract_terms import parse_ratio
    >>> ratio_in_words(parse_ratio({"gap": "policy_share"}), "en")
    '<policy_share>'
    """
    if isinstance(term, Quality):
        rate = f"{100 * term.rate:.10g}%"
        if not term.less:
            return _say("quality", lang, rate=rate)
        low, high = (f"{100 * x:.10g}%" for x in (term.at_least, term.at_most))
        return _say("less_quality", lang, rate=rate, low=low, high=high)
    if isinstance(term, Fixed):
        exact = as_written(term.value)
        plain = round(term.value, 9) == term.value
        return f"{100 * term.value:.10g}%" if plain else f"{exact.numerator}/{exact.denominator}"
    return _gap(term, lang)


def terms_in_words(contract: Contract, lang: str | None = None) -> list[str]:
    """The terms of a contract, a line each, in the order in which they are applied.

    A gap stands as its name in angle brackets.

    Examples
    --------
    >>> from actuarial.contract import load_contract
    >>> found = load_contract("china/guangzhou/contract/critical_illness@2014-01-01")
    >>> terms_in_words(found, "en")[3]
    'deficit up to <loss_rate> of the premium: insurer 50%, fund the rest'
    """
    from actuarial.contract.cash_words import duties_in_words  # it needs the words of amounts

    found = [line for part in (_before, _bands, _after) for line in part(contract, lang)]
    return [*found, *duties_in_words(contract.terms, lang), *_notes(contract, lang)]


def _say(code: str, lang: str | None, **params: Any) -> str:
    return text(f"contract_words.{code}", lang, **params)


def _gap(term: Any, lang: str | None) -> str:
    if isinstance(term, Unread | Choice):
        return f"<{term.gap}>"
    return _say(f"word_{term}", lang)


def _before(contract: Contract, lang: str | None) -> Iterator[str]:
    """Target, individual cover, policy loss, expense."""
    t = contract.terms
    parts = [amount_in_words(t.target.amount, lang)] if t.target.amount is not None else []
    parts += [pick(words, lang) for words in (t.target.what, t.target.counted) if words]
    if parts:
        yield _say("target", lang, what=_say("and", lang).join(parts))
    if t.individual is not None:
        i = t.individual
        high = _say("above", lang) if i.up_to is None else amount_in_words(i.up_to, lang)
        yield _say("individual", lang, party=_party(contract, i.party, lang), share=ratio_in_words(i.share, lang),
                   low=amount_in_words(i.over, lang), high=high)  # fmt: skip
    if t.policy_loss is not None:
        p = t.policy_loss
        mine = [(n, s) for n, s in (("insurer", p.insurer), ("provider", p.provider)) if s != Fixed(0.0)]
        shares = _say("and", lang).join(
            f"{_party(contract, n, lang)} {ratio_in_words(s, lang)}" for n, s in mine
        )
        yield _say(
            "policy", lang, of=_say(f"of_{p.of}", lang), rule=_gap(p.rule, lang), shares=shares
        ).rstrip()
    if t.expense is not None:
        said = (
            _say("actual", lang) if t.expense.amount == "actual" else amount_in_words(t.expense.amount, lang)
        )
        if t.expense.at_most is not None:
            said += _say("at_most", lang, amount=amount_in_words(t.expense.at_most, lang))
        yield _say("expense", lang, party=_party(contract, t.expense.party, lang), amount=said)


def _bands(contract: Contract, lang: str | None) -> Iterator[str]:
    """The tables, a line a band; gates and conditions above them."""
    for table in contract.terms.sharing:
        yield from _conditions(table, lang)
        before = None
        for band in table.bands:
            if band.up_to is not None:
                high = amount_in_words(band.up_to, lang)
                size = (
                    _say("between", lang, low=before, high=high) if before else _say("up_to", lang, edge=high)
                )
            else:
                size = _say("whole", lang) if before is None else _say("beyond", lang, edge=before)
            parts = [f"{_party(contract, p, lang)} {ratio_in_words(s, lang)}" for p, s in band.shares()]
            whole = sum(s.value for _, s in band.shares() if isinstance(s, Fixed)) >= 1
            if not whole:
                fund = _party(contract, "fund", lang)
                parts.append(_say("rest" if parts else "all", lang, party=fund))
            side = _say(table.side, lang)
            yield _say("band", lang, side=side, size=size, shares=_say("and", lang).join(parts))
            before = None if band.up_to is None else amount_in_words(band.up_to, lang)


def _conditions(table: Sharing, lang: str | None) -> Iterator[str]:
    side = _say(table.side, lang)
    if table.gate is not None:
        which = "at_least" if table.gate.at_least is not None else "above"
        amount = amount_in_words(getattr(table.gate, which), lang)
        yield _say(f"gate_{which}", lang, side=side, amount=amount)
    if table.requires is not None:
        yield _say("requires", lang, side=side, what=pick(table.requires.what, lang))


def _after(contract: Contract, lang: str | None) -> Iterator[str]:
    """Caps, pools, deductions, fees, and the shortest term."""
    t = contract.terms
    for c in t.caps:
        yield _say(f"cap_{c.side}", lang, party=_party(contract, c.party, lang),
                   amount=amount_in_words(c.amount, lang))  # fmt: skip
    for name, pool in t.pools.items():
        high = "-" if pool.ceiling is None else amount_in_words(pool.ceiling, lang)
        to = (
            f"<{pool.overflow.gap}>"
            if isinstance(pool.overflow, Choice)
            else _party(contract, pool.overflow, lang)
        )
        yield _say("pool_negative" if pool.may_be_negative else "pool", lang, pool=_party(contract, name, lang),
                   ceiling=high, party=to)  # fmt: skip
    for d in t.deductions:
        yield _say("deduction", lang, party=_party(contract, d.party, lang), event=pick(d.event, lang),
                   amount=amount_in_words(d.amount, lang))  # fmt: skip
    for f in t.fees:
        yield _say("fee", lang, party=_party(contract, f.to, lang), what=pick(f.what, lang),
                   amount=amount_in_words(f.amount, lang))  # fmt: skip
    if t.years_at_least is not None:
        yield _say("years", lang, years=t.years_at_least)


def _notes(contract: Contract, lang: str | None) -> Iterator[str]:
    """What is told but not computed."""
    for note in contract.terms.not_computed:
        yield _say("not_computed", lang, note=pick(note, lang))


def party_in_words(terms: ContractPayload, party: str, lang: str | None = None) -> str:
    """What a party is called: by the contract's own name, else by its part."""
    own = terms.names.get(party)  # type: ignore[call-overload]
    return pick(own, lang) if own else _say(f"party_{party}", lang)


def sharer_in_words(contract: Contract, lang: str | None = None) -> str:
    """Who shares with the fund, by the contract's own name for it.

    Examples
    --------
    >>> from actuarial.contract import load_contract
    >>> sharer_in_words(load_contract("usa/national/contract/mssp_basic_level_e@2019-07-01"), "en")
    'accountable care organisation'
    """
    return party_in_words(contract.terms, contract.main_party, lang)


def _party(contract: Contract, party: str, lang: str | None) -> str:
    return party_in_words(contract.terms, party, lang)
