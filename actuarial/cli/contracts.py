"""Commands on contract files: which there are, and what one says in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from actuarial.cli.shared import common, help_text, print_json
from actuarial.texts import LANGUAGES, pick, text

if TYPE_CHECKING:
    from actuarial.contract import Contract

Row = dict[str, Any]


def say(code: str, **params: Any) -> str:
    """A line of these commands, in the language in force."""
    return text(f"contract_cli.{code}", **params)


@click.command("list", help=help_text("contract_list_help"))
@common
def list_(lang: str | None, as_json: bool) -> None:
    """The contract files that come with the package."""
    from actuarial.contract import load_contract
    from actuarial.law import list_laws

    found = [load_contract(name) for name in list_laws("contract")]
    if as_json:
        print_json({"contracts": [_head(c) for c in found]})
        return
    for c in found:
        head = _head(c)
        gaps = say("open", gaps=", ".join(head["open_gaps"])) if head["open_gaps"] else ""
        status = text(f"law_words.{head['status']}")
        click.echo(say("line", id=head["id"], name=c.law.name(lang), status=status) + gaps)


@click.command("show", help=help_text("contract_show_help"))
@click.argument("reference", metavar="ID|FILE")
@common
def show(reference: str, lang: str | None, as_json: bool) -> None:
    """One contract in words: source, terms, what is left open and how it is read."""
    from actuarial.contract import load_contract
    from actuarial.contract.words import terms_in_words

    found = load_contract(reference)
    e = found.law.envelope
    if as_json:
        words = {f"terms_{x}": terms_in_words(found, x) for x in LANGUAGES}
        print_json(_head(found) | {"source": e.source.model_dump(), "quotes": e.quotes, **words,
                                   "gaps": [_gap(found, g) for g in e.gaps], "payload": e.payload})  # fmt: skip
        return
    click.echo(text("cli.law_title", name=found.law.name(lang), id=e.id))
    status, place = text(f"law_words.{e.status}"), text(f"law_words.{e.place_status}")
    click.echo(
        text("cli.law_status", status=status, place=place, effective=e.effective, checked=e.checked_on)
    )
    click.echo(text("cli.law_source", document=e.source.document, clause=e.source.clause or "-"))
    for quote in dict.fromkeys(q for q in (e.source.quote, *e.quotes.values()) if q):
        click.echo(text("cli.law_quote", quote=quote))
    for line in terms_in_words(found, lang):
        click.echo(f"  {line}")
    if e.gaps:
        click.echo(text("cli.law_gaps"))
    for name in e.gaps:
        gap = _gap(found, name)
        allowed = say("allowed", allowed=gap["allowed"]) if gap["allowed"] else ""
        reading = say("read", value=gap["reading"]) if gap["reading"] else ""
        click.echo(say("gap", name=name, what=pick(e.gaps[name].what, lang)) + allowed + reading)


def _named(found: Contract) -> tuple[str, ...]:
    """Gaps that a term names."""
    from actuarial.law.contract_terms import choice_gaps, number_gaps

    return (*number_gaps(found.terms), *(c.gap for c in choice_gaps(found.terms)))


def _head(found: Contract) -> Row:
    e = found.law.envelope
    names = {f"name_{k}": pick(e.name, k) for k in LANGUAGES}
    return {"id": e.id, **names, "status": e.status, "place_status": e.place_status, "effective": e.effective,
            "checked_on": e.checked_on, "parties": list(found.terms.parties),
            "open_gaps": [g for g in _named(found) if g not in e.readings]}  # fmt: skip


def _gap(found: Contract, name: str) -> Row:
    gap, reading = found.law.envelope.gaps[name], found.law.envelope.readings.get(name)
    allowed = ", ".join(gap.choices) or (f"{gap.range[0]:g}–{gap.range[1]:g}" if gap.range else "")
    said = None if reading is None else reading.choice or f"{reading.value:g}"
    what = {f"what_{k}": pick(gap.what, k) for k in LANGUAGES}
    return {"name": name, **what, "allowed": allowed, "terms_depend": name in _named(found), "reading": said}
