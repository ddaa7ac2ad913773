"""Dated, sourced parameters of law and contract.

A law file is ``{country}/{place}/{kind}/{name}@{date in force}``; history is never overwritten: a
new version is a new file. What a text leaves open is a *gap*, named in the file; a *reading* with
its status fills it, and nothing is computed across an unfilled gap.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from actuarial.errors import Fault, InputError
from actuarial.law.base import Strict
from actuarial.law.benefit import (
    SCHEMES,
    BenefitPayload,
    choice_places,
    payload_choices,
    payload_gaps,
    shares_of,
    tilt_choices,
    unknown_words,
)
from actuarial.law.contract_terms import ContractPayload, choice_gaps, number_gaps
from actuarial.law.schema import PAYLOADS, Envelope, Model, Reading, validate
from actuarial.law.strict_yaml import Path_, line_of, read_yaml
from actuarial.law.terms import WAGE
from actuarial.results import Source
from actuarial.tables.terms import terms
from actuarial.texts import LANGUAGES, has_text, pick, text

__all__ = ["Law", "line_of", "list_laws", "load_law", "read_yaml", "validate"]


@dataclass(frozen=True)
class Law:
    """One law file, checked.

    Parameters
    ----------
    envelope : Envelope
        Identity, source, status, gaps, readings.
    payload : Strict
        The parameters, by the schema of the kind.
    file : str
        Where it was read.
    """

    envelope: Envelope
    payload: Any
    file: str

    @property
    def id(self) -> str:
        """``{country}/{place}/{kind}/{name}@{date}``."""
        return self.envelope.id

    def name(self, lang: str | None = None) -> str:
        """Its name in `lang`."""
        return pick(self.envelope.name, lang)

    def reading(self, gap: str) -> str | None:
        """The choice that fills `gap`, or None."""
        found = self.envelope.readings.get(gap)
        return found.choice if found else None

    def with_readings(self, readings: Mapping[str, Any]) -> Law:
        """The law with gaps read as stated here; the file stays as it is.

        Parameters
        ----------
        readings : mapping
            By gap: a number, the name of a choice, or ``{value|choice, status, source}``. A bare number or choice
            counts as assumed.

        Raises
        ------
        InputError
            If there is no such gap, or the reading is none of its choices or beyond its range.
        """
        if not readings:
            return self
        made, faults = dict(self.envelope.readings), []
        for name, given in readings.items():
            gap = self.envelope.gaps.get(name)
            raw = given if isinstance(given, Mapping) else _bare(given)
            try:
                reading = Reading.model_validate(dict(raw))
            except ValueError:
                reading = None
            if gap is None or reading is None or not reading.fits(gap):
                params = {"gap": name, "value": str(given), "known": known_gaps(self.envelope)}
                faults.append(Fault("law.reading", file=self.file, params=params))
            else:
                made[name] = reading
        if faults:
            raise InputError(faults)
        return replace(self, envelope=self.envelope.model_copy(update={"readings": made}))

    def source(self, key: str = "") -> Source:
        """The source of the file, or of one of its quotes."""
        e = self.envelope
        quote = e.quotes.get(key, e.source.quote)
        return Source(key or e.kind, f"{e.source.document} ({e.id})", e.source.clause, quote, e.status)


def _bare(given: Any) -> dict[str, Any]:
    key = "choice" if isinstance(given, str) else "value"
    return {key: given if key == "choice" else float(given), "status": "assumed", "source": "-"}


def known_gaps(envelope: Envelope) -> dict[str, str]:
    """The gaps of a law with their choices or range, in words."""
    words = []
    for name, gap in envelope.gaps.items():
        bounds = f"{gap.range[0]:g}–{gap.range[1]:g}" if gap.range else ""
        allowed = "/".join(gap.choices) or bounds
        words.append(f"{name} ({allowed})" if allowed else name)
    return {"zh": "、".join(words), "en": ", ".join(words)}


def list_laws(kind: str | None = None) -> tuple[str, ...]:
    """Ids of the law files that come with the package.

    Examples
    --------
    >>> list_laws("contract")[0]
    'china/dazhou/contract/critical_illness@2020-01-01'
    """
    root = files(__package__)
    found: list[str] = []
    folders = SCHEMES if kind == "benefit" else (kind,)
    for country in root.iterdir():
        if country.is_dir() and not country.name.startswith(("_", ".")):
            for place in country.iterdir():
                for folder in place.iterdir():
                    found += [
                        f"{country.name}/{place.name}/{folder.name}/{f.name[:-5]}"
                        for f in folder.iterdir()
                        if f.name.endswith(".yaml") and (kind is None or folder.name in folders)
                    ]
    return tuple(sorted(found))


def load_law(id_or_file: str | os.PathLike[str], kind: str | None = None) -> Law:
    """Load a law by its id, or from a file of one's own.

    Parameters
    ----------
    id_or_file : str or path
        An id of :func:`list_laws`, or a path that ends in ``.yaml``.
    kind : str, optional
        Refuse any other kind.

    Raises
    ------
    InputError
        If there is none such, or the file has faults (all at once, with lines).

    Examples
    --------
    >>> load_law("china/jiande/costing/per_capita@2012-01-01").payload.base_per_capita
    321.0
    """
    name = os.fspath(id_or_file)
    if name.endswith((".yaml", ".yml")):
        law = _from_file(Path(name), Path(name).name)
    elif name in list_laws():
        law = _from_package(name)
    else:
        raise InputError([Fault("law.unknown", params={"id": name, "known": "、".join(list_laws(kind))})])
    if kind is not None and law.envelope.kind != kind:
        params = {"id": law.id, "kind": law.envelope.kind, "wanted": kind}
        raise InputError([Fault("law.kind", file=law.file, params=params)])
    return law


@cache
def _from_package(name: str) -> Law:
    with as_file(files(__package__).joinpath(f"{name}.yaml")) as path:
        law = _from_file(path, f"{name}.yaml")
    if law.id != name:
        raise InputError([Fault("law.id_differs", file=f"{name}.yaml", params={"id": law.id})])
    return law


def _from_file(path: Path, label: str) -> Law:
    data, lines = read_yaml(path, label)
    envelope = _validated(Envelope, data, lines, label)
    faults = _envelope_faults(envelope, lines, label)
    if faults:
        raise InputError(faults)
    return Law(envelope, payload_of(envelope, data, lines, label), label)


def payload_of(envelope: Envelope, data: Any, lines: dict[Path_, int], label: str) -> Strict:
    """The payload of an envelope by the schema of its kind; gaps and words that terms name are looked up.

    Raises
    ------
    InputError
        With every fault.
    """
    payload: Strict = _validated(PAYLOADS[envelope.kind], envelope.payload, lines, label, ("payload",))
    if isinstance(payload, BenefitPayload):
        faults = [
            *_gap_faults(envelope, payload, data, lines, label),
            *_choice_faults(envelope, payload, data, lines, label),
            *_word_faults(payload, data, lines, label),
        ]
        if faults:
            raise InputError(faults)
    if isinstance(payload, ContractPayload):
        places = [(c.gap, c.names) for c in choice_gaps(payload)]
        named = (*number_gaps(payload), *(gap for gap, _ in places))
        faults = [
            *_unknown_gaps(named, envelope, data, lines, label),
            *_bad_choices(places, envelope, lines, label),
        ]
        if faults:
            raise InputError(faults)
    return payload


def _validated(model: type[Model], data: Any, lines: dict[Path_, int], label: str, at: Path_ = ()) -> Model:
    """:func:`validate`, with an example of what is missing."""
    try:
        return validate(model, data, lines, label, at)
    except InputError as error:
        raise InputError([_with_example(f) for f in error.faults]) from error


def _with_example(fault: Fault) -> Fault:
    if fault.code != "plan.missing_key":
        return fault
    code = f"law_lines.form_{fault.params['key'].rpartition('.')[2]}"
    code = code if has_text(code) else "law_lines.form_other"
    params = {**fault.params, "form": {k: text(code, k) for k in LANGUAGES}}
    return replace(fault, code="law.missing_key", params=params)


def _envelope_faults(envelope: Envelope, lines: dict[Path_, int], label: str) -> list[Fault]:
    """Dates that no calendar has, ranges the wrong way round, readings that their gaps do not allow."""
    faults = []

    def add(code: str, at: Path_, **params: Any) -> None:
        faults.append(Fault(code, file=label, line=line_of(lines, at), params=params))

    for key in ("effective", "checked_on"):
        try:
            dt.date.fromisoformat(getattr(envelope, key))
        except ValueError:
            add("law.no_such_date", (key,), key=key, value=getattr(envelope, key))
    reversed_ = {n for n, g in envelope.gaps.items() if g.range and g.range[0] > g.range[1]}
    for name, gap in envelope.gaps.items():
        if name in reversed_ and gap.range:
            add("law.gap_range", ("gaps", name, "range"), low=gap.range[0], high=gap.range[1])
    for name, reading in envelope.readings.items():
        named = envelope.gaps.get(name)
        if name not in reversed_ and (named is None or not reading.fits(named)):
            said = reading.choice if reading.value is None else f"{reading.value:g}"
            add("law.bad_reading", ("readings", name), gap=name, value=said, known=known_gaps(envelope))
    return faults


def _gap_faults(
    envelope: Envelope, payload: BenefitPayload, data: Any, lines: dict[Path_, int], label: str
) -> list[Fault]:
    """Gaps and parameters that terms name and the file does not describe."""
    named = (*payload_gaps(payload), *payload_choices(payload))
    faults = _unknown_gaps(named, envelope, data, lines, label)
    known = "、".join([WAGE, *payload.parameters])
    return faults + [
        Fault(
            "law.unknown_parameter",
            file=label,
            line=_place(data, lines, p),
            params={"name": p, "known": known},
        )
        for p in shares_of(payload)
        if p != WAGE and p not in payload.parameters
    ]


def _unknown_gaps(
    named: Sequence[str], envelope: Envelope, data: Any, lines: dict[Path_, int], label: str
) -> list[Fault]:
    known = "、".join(envelope.gaps) or "-"
    return [
        Fault("law.unknown_gap", file=label, line=_place(data, lines, g), params={"gap": g, "known": known})
        for g in named
        if g not in envelope.gaps
    ]


def _choice_faults(
    envelope: Envelope, payload: BenefitPayload, data: Any, lines: dict[Path_, int], label: str
) -> list[Fault]:
    """Choices that no term understands, and readings on which a tilt waits in vain."""
    faults = _bad_choices(choice_places(payload), envelope, lines, label)
    for gap, choice in tilt_choices(payload):
        found = envelope.gaps.get(gap)
        if found is not None and choice not in found.choices:
            params = {"gap": gap, "choice": choice, "names": "、".join(found.choices) or "-"}
            faults.append(
                Fault("law.tilt_choice", file=label, line=_place(data, lines, choice), params=params)
            )
    return faults


def _bad_choices(
    places: Iterable[tuple[str, tuple[str, ...]]], envelope: Envelope, lines: dict[Path_, int], label: str
) -> list[Fault]:
    return [
        Fault(
            "law.gap_choices",
            file=label,
            line=line_of(lines, ("gaps", gap)),
            params={"gap": gap, "names": "、".join(names)},
        )
        for gap, names in places
        if gap in envelope.gaps and not set(envelope.gaps[gap].choices) <= set(names)
    ]


def _word_faults(payload: BenefitPayload, data: Any, lines: dict[Path_, int], label: str) -> list[Fault]:
    """Words that nobody knows, with the nearest that are known."""
    spelled = {s: name for name, t in terms().items() for s in (name, t["zh"], *t["aliases"])}
    faults = []
    for word in unknown_words(payload):
        near = difflib.get_close_matches(word, [*spelled, *payload.words], n=3, cutoff=0.4)
        params = {"word": word, "near": "、".join(near) or "-"}
        faults.append(Fault("law.unknown_word", file=label, line=_place(data, lines, word), params=params))
    return faults


def _place(data: Any, lines: dict[Path_, int], word: str, at: Path_ = ()) -> int | None:
    """Line of the first key or value that says `word`."""
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            if str(key) == word and isinstance(data, dict):
                return line_of(lines, (*at, key))
            found = _place(value, lines, word, (*at, key))
            if found is not None:
                return found
        return None
    return line_of(lines, at) if str(data) == word else None
