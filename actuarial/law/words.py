"""Law files in words: what a reader of a bureau would say for keys, conditions, amounts and ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from actuarial.law.terms import By, Fixed, Share, Unread
from actuarial.tables.terms import term_label, terms
from actuarial.texts import has_text, pick, text

if TYPE_CHECKING:
    from actuarial.law import Law
    from actuarial.law.benefit import Layer, Rule

Words = Mapping[str, Mapping[str, str]]
"""A file's own words with their names in both languages."""


def word(name: str, lang: str | None = None, *, one: bool = False, own: Words | None = None) -> str:
    """A key or a word of a law file, as a reader would say it.

    Examples
    --------
    >>> word("deductible", "en"), word("township", "en"), word("somewhere", "en")
    ('deductible', 'township hospitals', 'somewhere')
    """
    if own and name in own:
        return pick(dict(own[name]), lang)
    code = f"law_words.{'one_' if one else ''}{name}"
    if has_text(code):
        return text(code, lang)
    return term_label(name, lang) if name in terms() else str(name)


def conditions_in_words(
    when: Mapping[str, Sequence[str]], lang: str | None = None, own: Words | None = None
) -> str:
    """Conditions as a reader would say them.

    Examples
    --------
    >>> conditions_in_words({"category": ["inpatient"], "referral": ["no"]}, "en")
    'inpatient, not referred'
    """
    mark = text("law_lines.or", lang)

    def said(key: str, name: str) -> str:
        code = f"law_words.{key}_{name}"
        return text(code, lang) if has_text(code) else word(name, lang, own=own)

    return text("law_lines.and", lang).join(
        mark.join(said(key, name) for name in names) for key, names in when.items()
    )


def number_in_words(value: float, *, ratio: bool) -> str:
    """A ratio in per cent, an amount with separators.

    Examples
    --------
    >>> number_in_words(0.85, ratio=True), number_in_words(25000, ratio=False)
    ('85%', '25,000')
    """
    return f"{100 * value:.10g}%" if ratio else f"{value:,.10g}"


def term_in_words(term: Any, law: Law, lang: str | None = None, *, ratio: bool = False) -> str:
    """An amount or ratio of a benefit schedule; of a gap how it is read, and with what status."""
    own = law.envelope.payload.get("words") or {}
    if isinstance(term, int | float):
        return number_in_words(float(term), ratio=ratio)
    if isinstance(term, Fixed):
        return number_in_words(term.value, ratio=ratio)
    if isinstance(term, Unread):
        return reading_in_words(term.gap, law, lang, ratio=ratio)
    if isinstance(term, Share):
        times = isinstance(term.share, Fixed) and term.share.value > 1
        of, share = word(term.of, lang, own=own), term_in_words(term.share, law, lang, ratio=not times)
        return text("law_lines.share_of", lang, of=of, share=share)
    if isinstance(term, By):
        parts = [(word(name, lang, own=own), inner) for name, inner in term.table.items()]
        parts += [(text("law_words.otherwise", lang), term.otherwise)] if term.otherwise is not None else []
        shown = (f"{name} {term_in_words(inner, law, lang, ratio=ratio)}" for name, inner in parts)
        return text("law_lines.and", lang).join(shown)
    return ""


def reading_in_words(gap: str, law: Law, lang: str | None = None, *, ratio: bool = False) -> str:
    """How a gap is read, or that it is open."""
    found = law.envelope.readings.get(gap)
    if found is None:
        return text("law_lines.open_gap", lang, gap=gap)
    if found.value is not None:
        said = number_in_words(found.value, ratio=ratio)
    else:
        said = pick(dict(law.envelope.gaps[gap].choices.get(str(found.choice), {})), lang) or str(
            found.choice
        )
    return text(
        "law_lines.read_gap", lang, gap=gap, said=said, status=text(f"law_words.{found.status}", lang)
    )


def rules_in_words(law: Law, lang: str | None = None) -> list[dict[str, str]]:
    """The rules of a benefit schedule, one row each, in the order in which they are tried.

    Returns
    -------
    list of dict
        ``layer``, ``bearer``, ``counted``, ``when``, ``pays`` in words.

    Examples
    --------
    >>> from actuarial.law import load_law
    >>> rules_in_words(load_law("china/zhenjiang/assistance/inpatient@2008-01-01"), "en")[1]["pays"]
    'above 500 in the year, 60%'
    """
    rows = []
    own = law.envelope.payload.get("words") or {}
    for layer in law.payload.layers:
        head = {
            "layer": layer.id,
            "bearer": text(f"benefits.account_{layer.bearer}", lang),
            "counted": _counted(layer, law, lang),
        }
        for when, pays in _lines(layer, law, lang):
            shown = conditions_in_words(when, lang, own) if when else text("law_lines.all", lang)
            rows.append({**head, "when": shown, "pays": pays})
    return rows


def values_in_words(law: Law, lang: str | None = None) -> list[dict[str, str]]:
    """The parameters of a law of any other kind, one row each: ``name``, ``value``.

    Examples
    --------
    >>> from actuarial.law import load_law
    >>> values_in_words(load_law("china/jiande/costing/per_capita@2012-01-01"), "en")[0]
    {'name': 'base_per_capita', 'value': '321'}
    """

    def leaves(value: Any, at: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping) and value and not set(value) <= {"zh", "en"}:
            for key, inner in value.items():
                yield from leaves(inner, f"{at}.{key}" if at else str(key))
        elif isinstance(value, list):
            for n, inner in enumerate(value, 1):
                yield from leaves(inner, f"{at}.{n}")
        elif isinstance(value, bool):
            yield at, text("label.yes" if value else "label.no", lang)
        elif isinstance(value, int | float):
            yield at, f"{value:,.10g}"
        else:
            yield at, pick(value, lang)

    return [{"name": name, "value": value} for name, value in leaves(law.envelope.payload, "")]


def _lines(layer: Layer, law: Law, lang: str | None) -> Iterator[tuple[Mapping[str, Sequence[str]], str]]:
    if layer.pays != "rules":
        yield {}, text(f"law_lines.pays_{layer.pays}", lang)
    for rule in layer.rules:
        yield rule.when, _rule(rule, law, lang)
    for tilt in layer.tilts:
        yield tilt.when, _tilt(tilt, law, lang)
    for ceiling in layer.ceilings:
        amount = term_in_words(ceiling.amount, law, lang)
        yield ceiling.when, text("law_lines.at_most", lang, amount=amount)
    for stop in layer.stop_loss:
        amount = term_in_words(stop.amount, law, lang)
        yield stop.when, text("law_lines.own_at_most", lang, amount=amount)


def _counted(layer: Layer, law: Law, lang: str | None) -> str:
    """What a layer counts; nothing to say where it pays by no rule."""
    if layer.pays != "rules":
        return ""
    c = layer.counted
    parts = [text(f"law_lines.of_{c.of}", lang)]
    for name, ratio in c.item_self_payment_first.items():
        share = term_in_words(ratio, law, lang, ratio=True)
        parts.append(text(f"law_lines.first_{name}", lang, share=share))
    if c.without_deductible_of:
        parts.append(text("law_lines.without_deductible", lang, layers=", ".join(c.without_deductible_of)))
    if c.less_per_claim is not None:
        parts.append(text("law_lines.less", lang, amount=term_in_words(c.less_per_claim, law, lang)))
    if c.after_personal_account:
        parts.append(text("law_lines.after_account", lang))
    return text("law_lines.list", lang).join(parts)


def _rule(rule: Rule, law: Law, lang: str | None) -> str:
    if rule.fixed is not None:
        return text("law_lines.fixed_line", lang, amount=term_in_words(rule.fixed, law, lang))
    if rule.ratio is not None:
        paid = term_in_words(rule.ratio, law, lang, ratio=True)
    else:
        shown = (
            text("law_lines.segment_line", lang, over=f"{s.over:,.10g}", ratio=term_in_words(s.ratio, law, lang, ratio=True))
            for s in rule.segments or []
        )  # fmt: skip
        paid = text("law_lines.list", lang).join(shown)
        origin = rule.segment_origin
        if isinstance(origin, dict):
            said = reading_in_words(origin["gap"], law, lang)
            paid = text("law_lines.origin", lang, paid=paid, origin=said)
        elif origin == "zero":
            paid = text("law_lines.origin", lang, paid=paid, origin="0")
    period = rule.accumulate
    if isinstance(period, dict):
        said = reading_in_words(period["gap"], law, lang)
        paid = text("law_lines.above_gap", lang, paid=paid, period=said, deductible=term_in_words(rule.deductible, law, lang))  # fmt: skip
    elif rule.deductible not in (0, Fixed(0.0)):
        amount = term_in_words(rule.deductible, law, lang)
        paid = text(f"law_lines.above_{period}", lang, paid=paid, deductible=amount)
    if rule.claim_ceiling is not None:
        amount = term_in_words(rule.claim_ceiling, law, lang)
        paid = text("law_lines.with_ceiling", lang, paid=paid, amount=amount)
    return paid


def _tilt(tilt: Any, law: Law, lang: str | None) -> str:
    parts = []
    if tilt.deductible is not None:
        parts.append(
            text("law_lines.tilt_deductible", lang, amount=term_in_words(tilt.deductible, law, lang))
        )
    if tilt.ratio is not None:
        parts.append(
            text("law_lines.tilt_ratio", lang, ratio=term_in_words(tilt.ratio, law, lang, ratio=True))
        )
    if tilt.ratio_points is not None:
        parts.append(text("law_lines.tilt_points", lang, points=f"{100 * tilt.ratio_points:+.10g}"))
    said = text("law_lines.list", lang).join(parts)
    if tilt.if_reading:
        waits = text("law_lines.and", lang).join(f"{g} = {c}" for g, c in tilt.if_reading.items())
        said = text("law_lines.if_read", lang, said=said, readings=waits)
    return said
