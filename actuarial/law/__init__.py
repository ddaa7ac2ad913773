"""Dated, sourced parameters of law and contract.

A law file is ``{country}/{place}/{kind}/{name}@{date in force}``; history is never overwritten: a
new version is a new file. What a text leaves open is a *gap*, named in the file; a *reading* with
its status fills it, and nothing is computed across an unfilled gap.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from actuarial.errors import Fault, InputError
from actuarial.law.schema import PAYLOADS, Envelope, Strict, validate
from actuarial.law.strict_yaml import line_of, read_yaml
from actuarial.results import Source
from actuarial.texts import pick

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

    def source(self, key: str = "") -> Source:
        """The source of the file, or of one of its quotes."""
        e = self.envelope
        quote = e.quotes.get(key, e.source.quote)
        return Source(key or e.kind, f"{e.source.document} ({e.id})", e.source.clause, quote, e.status)


def list_laws(kind: str | None = None) -> tuple[str, ...]:
    """Ids of the law files that come with the package.

    Examples
    --------
    >>> list_laws("contract")
    ('china/jiande/contract/cooperation@2012-01-01',)
    """
    root = files(__package__)
    found: list[str] = []
    for country in root.iterdir():
        if country.is_dir() and not country.name.startswith(("_", ".")):
            for place in country.iterdir():
                for folder in place.iterdir():
                    found += [
                        f"{country.name}/{place.name}/{folder.name}/{f.name[:-5]}"
                        for f in folder.iterdir()
                        if f.name.endswith(".yaml") and kind in (None, folder.name)
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
    law = _from_file(Path(name), Path(name).name) if name.endswith((".yaml", ".yml")) else _from_package(name)
    if kind is not None and law.envelope.kind != kind:
        params = {"id": law.id, "kind": law.envelope.kind, "wanted": kind}
        raise InputError([Fault("law.kind", file=law.file, params=params)])
    return law


@cache
def _from_package(name: str) -> Law:
    if name not in list_laws():
        raise InputError([Fault("law.unknown", params={"id": name, "known": "、".join(list_laws())})])
    with as_file(files(__package__).joinpath(f"{name}.yaml")) as path:
        law = _from_file(path, f"{name}.yaml")
    if law.id != name:
        raise InputError([Fault("law.id_differs", file=f"{name}.yaml", params={"id": law.id})])
    return law


def _from_file(path: Path, label: str) -> Law:
    data, lines = read_yaml(path, label)
    envelope = validate(Envelope, data, lines, label)
    payload: Strict = validate(PAYLOADS[envelope.kind], envelope.payload, lines, label, ("payload",))
    return Law(envelope, payload, label)
