"""Every term of a contract, and a change of it: dropped, shifted by a step, read otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from actuarial.contract.words import amount_in_words, party_in_words, ratio_in_words
from actuarial.law.contract_terms import Quality, ShareOf, choice_gaps, number_gaps
from actuarial.law.terms import Fixed
from actuarial.results import Unit
from actuarial.texts import LANGUAGES, pick, text

if TYPE_CHECKING:
    from actuarial.contract.terms import Contract
    from actuarial.law.contract_terms import Band, Sharing

SHARE_STEP = 0.05
"""By how much a share is shifted: five points, the step of the tables in the sources."""
AMOUNT_STEP = 0.10
"""By how much an edge, and a number that fills a gap, is shifted."""
TARGET_STEP = 0.01
"""By how much the target is shifted."""
KINDS = ("target", "share", "edge", "gap", "drop", "choice")


@dataclass(frozen=True)
class Variation:
    """One change of one term.

    Parameters
    ----------
    term : str
        Its place in the payload, ``gap:<name>``, or ``target``.
    kind : {"target", "share", "edge", "gap", "drop", "choice"}
    changes : dict
        For :meth:`Contract.changed`.
    readings : dict
        For :meth:`Contract.with_readings`.
    target : float
        Factor of the target.
    params : dict
        What the words need, ``{zh: …, en: …}``.
    """

    term: str
    kind: str
    changes: dict[str, Any] = field(default_factory=dict)
    readings: dict[str, Any] = field(default_factory=dict)
    target: float = 1.0
    params: dict[str, Any] = field(default_factory=dict)

    def words(self, lang: str | None = None) -> str:
        """The change in words."""
        filled = {k: pick(v, lang) if isinstance(v, dict) else v for k, v in self.params.items()}
        code = filled.pop("code", self.kind)
        return text(f"variation.{code}", lang, **filled)


def variations(contract: Contract, *, given: Collection[str] = ()) -> Iterator[Variation]:
    """All changes of single terms that can move the result of a year.

    Terms of cash within the year are not among them: they move money between months.

    Parameters
    ----------
    contract : Contract
    given : collection of str
        What the year brings: names of events, ``policy_loss``, ``excess``. Terms that wait for what is not given are left out.

    Examples
    --------
    >>> from actuarial.contract import load_contract
    >>> found = list(variations(load_contract("china/jiande/contract/cooperation@2012-01-01")))
    >>> found[1].term, found[1].words("en")
    ('sharing.0.bands.0.insurer', 'surplus or deficit up to 3 million yuan: insurer 45% → 50%')
    """
    step = f"{100 * TARGET_STEP:g}%"
    yield Variation("target", "target", target=1 + TARGET_STEP, params={"step": step})
    for t, sharing in enumerate(contract.terms.sharing):
        yield from _shares(contract, sharing, t)
        yield from _edges(contract, sharing, t)
        for key in ("gate", "requires"):
            if getattr(sharing, key) is not None:
                yield _drop(
                    f"sharing.{t}.{key}", f"drop_{key}", {"side": _both(f"contract_words.{sharing.side}")}
                )
    yield from _gaps(contract, given)
    yield from _rest(contract, given)


def _shares(contract: Contract, sharing: Sharing, t: int) -> Iterator[Variation]:
    party = contract.main_party
    for b, band in enumerate(sharing.bands):
        share = getattr(band, party)
        if not isinstance(share, Fixed):
            if isinstance(share, Quality):
                words = {lang: ratio_in_words(share, lang) for lang in LANGUAGES}
                told = {"band": _band(sharing, b), "party": _party(contract, party), "share": words}
                yield _drop(f"sharing.{t}.bands.{b}.{party}", "drop_share", told)
            continue
        others = sum(s.value for p, s in band.shares() if p != party and isinstance(s, Fixed))
        more = round(min(share.value + SHARE_STEP, 1.0 - others), 9)
        if more <= share.value:
            more = round(max(share.value - SHARE_STEP, 0.0), 9)
        params: dict[str, Any] = {"band": _band(sharing, b), "party": _party(contract, party),
                  "before": f"{100 * share.value:.10g}%", "after": f"{100 * more:.10g}%"}  # fmt: skip
        yield Variation(
            f"sharing.{t}.bands.{b}.{party}", "share", {f"sharing.{t}.bands.{b}.{party}": more}, params=params
        )
        if share.value:
            told = {k: params[k] for k in ("band", "party")} | {"share": params["before"]}
            yield _drop(f"sharing.{t}.bands.{b}.{party}", "drop_share", told)


def _edges(contract: Contract, sharing: Sharing, t: int) -> Iterator[Variation]:
    """Each edge a tenth further out, where it stays below the next of its kind."""
    for b, band in enumerate(sharing.bands):
        edge = band.up_to
        after: Any
        moved: Fixed | ShareOf
        if isinstance(edge, Fixed):
            after, moved = (
                round(edge.value * (1 + AMOUNT_STEP), 2),
                Fixed(round(edge.value * (1 + AMOUNT_STEP), 2)),
            )
        elif isinstance(edge, ShareOf) and isinstance(edge.share, Fixed):
            share = round(edge.share.value * (1 + AMOUNT_STEP), 9)
            after, moved = {"share_of": edge.base, "share": share}, ShareOf(edge.base, Fixed(share))
        else:
            continue
        if not _fits(moved, sharing.bands[b + 1]):
            continue
        params = {
            "side": _both(f"contract_words.{sharing.side}"),
            "before": _amount(edge),
            "after": _amount(moved),
        }
        yield Variation(
            f"sharing.{t}.bands.{b}.up_to", "edge", {f"sharing.{t}.bands.{b}.up_to": after}, params=params
        )


def _fits(edge: Fixed | ShareOf, following: Band) -> bool:
    """Whether a moved edge stays below the next one of its kind."""
    high = following.up_to
    if isinstance(edge, Fixed):
        return not isinstance(high, Fixed) or edge.value < high.value
    same = isinstance(high, ShareOf) and high.base == edge.base and isinstance(high.share, Fixed)
    return not same or edge.share.value < high.share.value  # type: ignore[union-attr]


def _gaps(contract: Contract, given: Collection[str]) -> Iterator[Variation]:
    """Numbers that fill gaps, shifted; choices, read otherwise."""
    envelope = contract.law.envelope
    for gap in number_gaps(contract.terms):
        read = envelope.readings.get(gap)
        if read is None or read.value is None:
            continue
        low, high = envelope.gaps[gap].range or (0.0, float("inf"))
        more = round(
            min(
                read.value
                + (AMOUNT_STEP * (high - low) if high < float("inf") else AMOUNT_STEP * read.value),
                high,
            ),
            9,
        )
        if more <= read.value:
            more = round(max(read.value - AMOUNT_STEP * (high - low), low), 9)
        params = {"what": envelope.gaps[gap].what, "before": f"{read.value:.10g}", "after": f"{more:.10g}"}
        if more != read.value:
            yield Variation(f"gap:{gap}", "gap", readings={gap: more}, params=params)
    cash = {c.gap for c in choice_gaps_of_cash(contract)}
    for choice in choice_gaps(contract.terms):
        read = envelope.readings.get(choice.gap)
        waits = choice.gap == getattr(getattr(contract.terms.policy_loss, "rule", None), "gap", None)
        if choice.gap in cash or read is None or (waits and "policy_loss" not in given):
            continue
        for name, words in envelope.gaps[choice.gap].choices.items():
            if name != read.choice:
                params = {"what": envelope.gaps[choice.gap].what, "after": words}
                yield Variation(f"gap:{choice.gap}", "choice", readings={choice.gap: name}, params=params)


def choice_gaps_of_cash(contract: Contract) -> tuple[Any, ...]:
    """Gaps of the words of cash and of counting heads, which no simulated year reads."""
    terms = contract.terms
    return choice_gaps(terms.model_copy(update={"sharing": [], "policy_loss": None, "pools": {}}))


def _rest(contract: Contract, given: Collection[str]) -> Iterator[Variation]:
    terms = contract.terms
    for key, what in (("expense", terms.expense), ("individual", terms.individual)):
        if what is not None and (key == "expense" or "excess" in given):
            yield _drop(key, f"drop_{key}", {"party": _party(contract, what.party)})
    for n, cap in enumerate(terms.caps):
        params = {
            "party": _party(contract, cap.party),
            "side": _both(f"contract_words.{cap.side}"),
            "amount": _amount(cap.amount),
        }
        yield _drop(f"caps.{n}", "drop_cap", params)
    for n, d in enumerate(terms.deductions):
        if d.id in given:
            yield _drop(f"deductions.{n}", "drop_deduction", {"event": d.event, "amount": _amount(d.amount)})
    for n, f in enumerate(terms.fees):
        yield _drop(f"fees.{n}", "drop_fee", {"what": f.what, "amount": _amount(f.amount)})


def _drop(place: str, code: str, params: dict[str, Any]) -> Variation:
    return Variation(place, "drop", {place: None}, params=params | {"code": code})


def _both(code: str) -> dict[str, str]:
    return {lang: text(code, lang) for lang in LANGUAGES}


def _amount(term: Any) -> dict[str, str]:
    return {lang: _words(term, lang) for lang in LANGUAGES}


def _words(term: Any, lang: str) -> str:
    """An amount as one says it at the table: 300 万元, 3 million yuan."""
    if not isinstance(term, Fixed):
        return amount_in_words(term, lang)
    money = Unit.of(lang)
    return text("variation.amount", lang, amount=f"{term.value / money.scale:,.10g}", unit=money.label)


def _party(contract: Contract, party: str) -> dict[str, str]:
    return {lang: party_in_words(contract.terms, party, lang) for lang in LANGUAGES}


def _band(sharing: Sharing, b: int) -> dict[str, str]:
    """A band's stretch in words: ``surplus between 3,000,000 yuan and 6,000,000 yuan``."""
    edges = [band.up_to for band in sharing.bands]
    found = {}
    for lang in LANGUAGES:
        low = _words(edges[b - 1], lang) if b else ""
        high = _words(edges[b], lang) if edges[b] is not None else ""
        if low and high:
            size = text("contract_words.between", lang, low=low, high=high)
        elif high:
            size = text("contract_words.up_to", lang, edge=high)
        else:
            size = (
                text("contract_words.beyond", lang, edge=low) if low else text("contract_words.whole", lang)
            )
        found[lang] = text(
            "variation.band", lang, side=text(f"contract_words.{sharing.side}", lang), size=size
        )
    return found
