"""Commands on law files: which there are, what one says, what changed between two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from actuarial.cli.shared import Commands, common, help_text, print_json, say
from actuarial.texts import LANGUAGES, pick, text

if TYPE_CHECKING:
    from actuarial.law import Law

KINDS = ("benefit", "contract", "costing", "layer", "subsidy", "threshold")


@click.group(cls=Commands, help=help_text("law_help"))
def law() -> None:
    """Group of the law commands."""


@law.command("list", help=help_text("law_list_help"))
@click.option("--kind", type=click.Choice(KINDS), default=None, help=help_text("law_kind_help"))
@common
def list_(kind: str | None, lang: str | None, as_json: bool) -> None:
    """The law files that come with the package."""
    from actuarial.law import list_laws, load_law

    laws = [load_law(name) for name in list_laws(kind)]
    if as_json:
        print_json({"laws": [_head(x) | {"open_gaps": _open(x)} for x in laws]})
        return
    for x in laws:
        status = text(f"law_words.{x.envelope.status}")
        line = say("law_line", id=x.id, name=x.name(lang), status=status)
        click.echo(line + (say("law_open", gaps=", ".join(_open(x))) if _open(x) else ""))


@law.command(help=help_text("law_show_help"))
@click.argument("reference", metavar="ID|FILE")
@common
def show(reference: str, lang: str | None, as_json: bool) -> None:
    """One law file: where it is from, its rules, its gaps and how they are read."""
    from actuarial.law import load_law

    found = load_law(reference)
    e = found.envelope
    if as_json:
        rules = _rules(found, lang)
        more = {"source": e.source.model_dump(), "quotes": e.quotes, "gaps": [_gap(found, g) for g in e.gaps],
                "open_gaps": _open(found), "rules": rules, "payload": e.payload}  # fmt: skip
        print_json(_head(found) | more)
        return
    click.echo(say("law_title", name=found.name(lang), id=found.id))
    status, place = text(f"law_words.{e.status}"), text(f"law_words.{e.place_status}")
    click.echo(say("law_status", status=status, place=place, effective=e.effective, checked=e.checked_on))
    click.echo(say("law_source", document=e.source.document, clause=e.source.clause or "-"))
    for quote in dict.fromkeys(q for q in (e.source.quote, *e.quotes.values()) if q):
        click.echo(say("law_quote", quote=quote))
    click.echo(say("law_rules"))
    _print_rules(_rules(found, lang))
    if e.gaps:
        click.echo(say("law_gaps"))
    for name in e.gaps:
        gap = _gap(found, name)
        click.echo(say("law_gap", name=name, what=pick(e.gaps[name].what, lang), reading=_reading(found, name, lang),
                       allowed=say("law_allowed", allowed=gap["allowed"]) if gap["allowed"] else ""))  # fmt: skip
    for note in (*getattr(found.payload, "changes", ()), *getattr(found.payload, "not_computed", ())):
        click.echo(say("check_note", note=pick(note, lang)))


@law.command(help=help_text("law_diff_help"))
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@common
def diff(old: str, new: str, lang: str | None, as_json: bool) -> None:
    """What changed from one law file to another."""
    from actuarial.law import load_law
    from actuarial.law.diff import diff_laws

    a, b = load_law(old), load_law(new)
    changes = diff_laws(a, b)
    if as_json:
        print_json({"a": a.id, "b": b.id, "changes": [c.to_dict(lang) for c in changes]})
        return
    click.echo(say("law_diff_title", a=a.id, b=b.id, count=len(changes)))
    for change in changes:
        mark = "" if change.pays else say("law_diff_silent")
        click.echo(f"  {change.label(lang)}{mark}")


def _print_rules(rows: list[dict[str, str]]) -> None:
    """Rules under a line for each layer; other parameters line by line."""
    layer = ""
    for row in rows:
        if "layer" not in row:
            click.echo(say("law_value", **row))
            continue
        if row["layer"] != layer:
            layer = row["layer"]
            counted = say("law_counted", counted=row["counted"]) if row["counted"] else ""
            click.echo(say("law_layer", layer=layer, bearer=row["bearer"], counted=counted))
        click.echo(say("law_rule", when=row["when"], pays=row["pays"]))


def _head(found: Law) -> dict[str, Any]:
    e = found.envelope
    names = {f"name_{k}": pick(e.name, k) for k in LANGUAGES}
    return {"id": e.id, "kind": e.kind, **names, "status": e.status, "place_status": e.place_status,
            "effective": e.effective, "checked_on": e.checked_on}  # fmt: skip


def _named(found: Law) -> tuple[str, ...]:
    """Gaps on which the terms depend."""
    from actuarial.law.benefit import BenefitPayload, payload_choices, payload_gaps

    if not isinstance(found.payload, BenefitPayload):
        return tuple(n for n, g in found.envelope.gaps.items() if g.choices)
    return (*payload_gaps(found.payload), *payload_choices(found.payload))


def _open(found: Law) -> list[str]:
    return [g for g in _named(found) if g not in found.envelope.readings]


def _gap(found: Law, name: str) -> dict[str, Any]:
    e = found.envelope
    gap, reading = e.gaps[name], e.readings.get(name)
    allowed = ", ".join(gap.choices) or (f"{gap.range[0]:g}–{gap.range[1]:g}" if gap.range else "")
    said = None if reading is None else reading.model_dump(exclude_none=True)
    what = {f"what_{k}": pick(gap.what, k) for k in LANGUAGES}
    return {"name": name, **what, "allowed": allowed, "terms_depend": name in _named(found), "reading": said}


def _reading(found: Law, name: str, lang: str | None) -> str:
    reading = found.envelope.readings.get(name)
    if reading is not None:
        said = reading.choice or f"{reading.value:g}"
        status = text(f"law_words.{reading.status}", lang)
        return say("law_reading", said=said, status=status, source=reading.source)
    return say("law_gap_open") if name in _named(found) else say("law_gap_told")


def _rules(found: Law, lang: str | None) -> list[dict[str, str]]:
    from actuarial.law.words import rules_in_words, values_in_words

    return rules_in_words(found, lang) if found.envelope.kind == "benefit" else values_in_words(found, lang)
