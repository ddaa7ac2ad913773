"""What changed from one law file to another, change by change, and a law with only some of the changes.

Both payloads are read as written, with the words of conditions and tables by their identifiers. Numbers, words and
dates that differ in the same place are one change each. Where the structure differs (a list of another length,
another kind of term, a rule with other conditions) the whole sub-tree is one change. Items with an ``id`` (layers,
ceilings) are matched by it, wherever they stand.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from actuarial.errors import Fault, InputError
from actuarial.law import Law, payload_of
from actuarial.law.schema import Reading
from actuarial.law.terms import ATTRIBUTES, OTHERWISE, word_of
from actuarial.law.words import conditions_in_words, number_in_words, word
from actuarial.texts import pick, text

Path_ = tuple[str | int, ...]
SILENT = ("scheme", "words", "changes", "not_computed")
"""Parts of a payload that say something and pay nothing."""
READINGS = "readings"


class _Absent:
    """There is nothing in this place; unlike ``null``, which a file may write."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __copy__(self) -> _Absent:
        return self

    def __deepcopy__(self, memo: Any) -> _Absent:
        return self

    def __reduce__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True)
class Change:
    """One difference between two laws.

    Parameters
    ----------
    path : tuple of str or int
        Place in the payload: keys, the ``id`` of an item that has one, else its number from 0. A path that begins with
        ``readings`` is a gap that both files name and read differently.
    old, new : Any
        The values as written; ``ABSENT`` where there is none.
    after : str or None
        Of an item that was added: the ``id`` of the one before it.
    when : mapping
        Conditions of the rule that the place belongs to.
    needs : mapping
        Gaps, readings, parameters and words of the new file that the new value names.
    """

    path: Path_
    old: Any
    new: Any
    after: str | None = None
    when: Mapping[str, Sequence[str]] = field(default_factory=dict, compare=False, repr=False)
    needs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def dotted(self) -> str:
        """The path with dots: ``layers.basic.rules.0.ratio.township``."""
        return ".".join(map(str, self.path))

    @property
    def pays(self) -> bool:
        """Whether the change can alter a payment by itself; words and remarks cannot.

        A parameter that appears or goes with the term that names it is not a change by itself either.
        """
        one_sided = self.old is ABSENT or self.new is ABSENT
        return self.path[0] not in SILENT and not (self.path[0] == "parameters" and one_sided)

    def label(self, lang: str | None = None) -> str:
        """The change in words: where, from what, to what.

        Examples
        --------
        >>> Change(("layers", "basic", "rules", 0, "ratio", "township"), 0.8, 0.85).label("en")
        'layer basic › rule 1 › ratio › township hospitals: 80% → 85%'
        """
        ratio = bool({"ratio", "pay_ratio", "insurer_share"} & {str(p) for p in self.path})
        return text(
            "law_lines.change",
            lang,
            place=_place(self.path, self.when, lang),
            old=_shown(self.old, lang, str(self.path[-1]), ratio=ratio),
            new=_shown(self.new, lang, str(self.path[-1]), ratio=ratio),
        )

    def to_dict(self, lang: str | None = None) -> dict[str, Any]:
        """The change as plain data (for ``--json``); absent values are null."""
        old, new = (None if v is ABSENT else v for v in (self.old, self.new))
        return {"path": self.dotted, "old": old, "new": new, "pays": self.pays, "label": self.label(lang)}


def diff_laws(a: Law, b: Law) -> tuple[Change, ...]:
    """What changed from `a` to `b`, in the order of `b`.

    ``apply_changes(a, diff_laws(a, b))`` pays what `b` pays.

    Raises
    ------
    InputError
        If they are laws of different kinds.

    Examples
    --------
    >>> from actuarial.law import load_law
    >>> old, new = (load_law(f"china/jeminay/ncms/basic@2011-{d}") for d in ("01-01", "04-26"))
    >>> [c.label("en") for c in diff_laws(old, new)][:2]
    ['layer basic › rule 1 (inpatient) › ratio › township hospitals: 80% → 85%', \
'layer basic › rule 1 (inpatient) › ratio › county-level hospitals: 60% → 65%']
    """
    if a.envelope.kind != b.envelope.kind:
        params = {"a": a.id, "b": b.id, "kind_a": a.envelope.kind, "kind_b": b.envelope.kind}
        raise InputError([Fault("law.diff_kinds", params=params)])
    old, new = (_normal(x.envelope.payload) for x in (a, b))
    found = [replace(c, needs=_needs(c.new, a, b)) for c in _differ(old, new, (), {})]
    return (*found, *_other_readings(a, b))


def apply_changes(law: Law, changes: Sequence[Change]) -> Law:
    """The law with these changes made in its payload, checked again; its id, date and source stay.

    Parameters
    ----------
    law : Law
        The one from which the changes start.
    changes : sequence of Change
        All or some of those that :func:`diff_laws` gave, in its order.

    Raises
    ------
    InputError
        If the law has no such place (``law.no_place``), or does not hold together with these changes alone.
    """
    envelope = law.envelope
    raw = _normal(envelope.payload)
    gaps, readings = dict(envelope.gaps), dict(envelope.readings)
    for change in changes:
        for name, gap in change.needs.get("gaps", {}).items():
            gaps.setdefault(name, gap)
        for name, reading in change.needs.get(READINGS, {}).items():
            readings.setdefault(name, reading)
        for part in ("parameters", "words"):
            for name, value in change.needs.get(part, {}).items():
                raw.setdefault(part, {}).setdefault(name, copy.deepcopy(value))
        if change.path[0] == READINGS:
            _read(readings, change)
        else:
            _make(raw, change, law.file)
    changed = envelope.model_copy(update={"payload": raw, "gaps": gaps, "readings": readings})
    return Law(changed, payload_of(changed, raw, {}, law.file), law.file)


# ------------------------------------------------------------------ comparing


def _normal(value: Any, key: str = "") -> Any:
    """A copy, in which words of conditions and tables are identifiers."""
    if isinstance(value, Mapping):
        if key == "when":
            return {k: [word_of(w) for w in (v if isinstance(v, list) else [v])] for k, v in value.items()}
        if value.get("by") in ATTRIBUTES:
            kept = ("by", OTHERWISE)
            return {k if k in kept else word_of(k): _normal(v) for k, v in value.items()}
        return {k: _normal(v, str(k)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(v) for v in value]
    return value


def _differ(a: Any, b: Any, at: Path_, when: Mapping[str, Any]) -> Iterator[Change]:
    if a == b and isinstance(a, bool) == isinstance(b, bool):
        return
    if isinstance(a, dict) and isinstance(b, dict) and _alike(a, b):
        when = b.get("when", when) if "when" in b else when
        for key in [*b, *(k for k in a if k not in b)]:
            yield from _differ(a.get(key, ABSENT), b.get(key, ABSENT), (*at, key), when)
    elif isinstance(a, list) and isinstance(b, list) and (ids := _ids(a, b)):
        yield from _by_id(a, b, ids, at, when)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for n, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _differ(x, y, (*at, n), when)
    else:
        yield Change(at, a, b, when=when)


def _alike(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two mappings are one thing with other values: the same kind of term, the same conditions."""
    marks, ways = ("by", "gap", "share_of", "when", "if_reading"), ("ratio", "segments", "fixed", "pays")
    return all(a.get(m) == b.get(m) for m in marks) and all((w in a) == (w in b) for w in ways)


def _ids(a: list[Any], b: list[Any]) -> tuple[list[str], list[str]] | None:
    """The ids of two lists in which every item has one of its own, those in common in the same order."""
    old, new = ([str(x["id"]) for x in items if isinstance(x, dict) and "id" in x] for items in (a, b))
    if (len(old), len(new)) != (len(a), len(b)) or not old + new:
        return None
    if len(set(old)) != len(old) or len(set(new)) != len(new):
        return None
    return (old, new) if [i for i in old if i in new] == [i for i in new if i in old] else None


def _by_id(
    a: list[Any], b: list[Any], ids: tuple[list[str], list[str]], at: Path_, when: Mapping[str, Any]
) -> Iterator[Change]:
    old, new = ids
    for n, name in enumerate(new):
        if name not in old:
            yield Change((*at, name), ABSENT, b[n], after=new[n - 1] if n else None, when=when)
        elif a[old.index(name)].get("when") != b[n].get("when"):
            yield Change((*at, name), a[old.index(name)], b[n], when=when)
        else:
            yield from _differ(a[old.index(name)], b[n], (*at, name), when)
    for n, name in enumerate(old):
        if name not in new:
            yield Change((*at, name), a[n], ABSENT, after=old[n - 1] if n else None, when=when)


def _needs(value: Any, a: Law, b: Law) -> dict[str, dict[str, Any]]:
    """What `value` names and `a` does not have."""
    own, other = a.envelope, b.envelope
    payload, new = own.payload, _normal(other.payload)
    named = set(_named(value))
    for name, term in (new.get("parameters") or {}).items():  # a parameter may be a gap itself
        named |= set(_named(term)) if name in named else set()
    found: dict[str, dict[str, Any]] = {
        "gaps": {k: v for k, v in other.gaps.items() if k in named and k not in own.gaps},
        READINGS: {k: v for k, v in other.readings.items() if k in named and k not in own.readings},
    }
    for part in ("parameters", "words"):
        known = payload.get(part) or {}
        found[part] = {k: v for k, v in (new.get(part) or {}).items() if k in named and k not in known}
    return {k: v for k, v in found.items() if v}


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _named(item)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, str):
        yield value


def _other_readings(a: Law, b: Law) -> Iterator[Change]:
    """Gaps that both files have and read differently."""
    for name in b.envelope.gaps:
        if name in a.envelope.gaps:
            old, new = (x.envelope.readings.get(name) for x in (a, b))
            said = [None if r is None else (r.choice, r.value) for r in (old, new)]
            if said[0] != said[1]:
                before, after = (ABSENT if r is None else r.model_dump(exclude_none=True) for r in (old, new))
                yield Change((READINGS, name), before, after)


# ------------------------------------------------------------------ making


def _read(readings: dict[str, Reading], change: Change) -> None:
    name = str(change.path[1])
    if change.new is ABSENT:
        readings.pop(name, None)
    else:
        readings[name] = Reading.model_validate(change.new)


def _make(raw: Any, change: Change, file: str) -> None:
    """One change, in place."""
    parent = raw
    for part in change.path[:-1]:
        found = _at(parent, part)
        if found is ABSENT and isinstance(parent, dict) and part == change.path[0]:
            found = parent.setdefault(part, {})  # a part of the payload that `needs` may have begun
        if found is ABSENT:
            raise InputError([Fault("law.no_place", file=file, params={"path": change.dotted})])
        parent = found
    last, new = change.path[-1], copy.deepcopy(change.new)
    if isinstance(parent, dict):
        if new is ABSENT:
            parent.pop(last, None)
        else:
            parent[last] = new
        return
    where = _index(parent, last)
    if where is not None and new is ABSENT:
        del parent[where]
    elif where is not None:
        parent[where] = new
    elif new is not ABSENT and isinstance(last, str):
        before = _index(parent, change.after) if change.after is not None else -1
        parent.insert(len(parent) if before is None else before + 1, new)
    else:
        raise InputError([Fault("law.no_place", file=file, params={"path": change.dotted})])


def _index(items: Any, part: str | int) -> int | None:
    if isinstance(part, int):
        return part if isinstance(items, list) and part < len(items) else None
    if not isinstance(items, list):
        return None
    return next((n for n, x in enumerate(items) if isinstance(x, dict) and x.get("id") == part), None)


def _at(parent: Any, part: str | int) -> Any:
    if isinstance(parent, dict):
        return parent.get(part, ABSENT)
    where = _index(parent, part)
    return ABSENT if where is None else parent[where]


# ------------------------------------------------------------------ words


def _place(path: Path_, when: Mapping[str, Sequence[str]], lang: str | None) -> str:
    words: list[str] = []
    for n, part in enumerate(path):
        before = path[n - 1] if n else ""
        if isinstance(part, int):
            number = text("law_lines.number", lang, name=word("rules" if before == "rules" else str(before), lang, one=True), number=part + 1)  # fmt: skip
            conditions = conditions_in_words(when, lang) if before == "rules" else ""
            words.append(text("law_lines.with_when", lang, name=number, when=conditions) if conditions else number)  # fmt: skip
        elif n + 1 < len(path) and isinstance(path[n + 1], int):
            continue
        elif before in ("layers", "ceilings"):
            words.append(f"{word(str(before), lang, one=True)} {part}")
        elif part in ("layers", "ceilings") and n + 1 < len(path):
            continue
        else:
            words.append(word(part, lang))
    return " › ".join(words)


def _shown(value: Any, lang: str | None, key: str = "", *, ratio: bool = False) -> str:
    if value is ABSENT:
        return text("law_lines.absent", lang)
    if isinstance(value, bool):
        return text("label.yes" if value else "label.no", lang)
    if isinstance(value, int | float):
        if key == "ratio_points":
            return text("law_lines.tilt_points", lang, points=f"{100 * value:+.10g}")
        return number_in_words(value, ratio=ratio and key not in ("over", "up_to"))
    if isinstance(value, dict):
        if set(value) <= {"zh", "en"}:
            return pick(value, lang)
        inner = (
            f"{word(str(k), lang)}: {v if k in ('gap', 'if_reading') else _shown(v, lang, str(k), ratio=ratio or k in ('ratio', 'pay_ratio'))}"
            for k, v in value.items()
        )
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(v, lang, key, ratio=ratio) for v in value) + "]"
    return "null" if value is None else word(str(value), lang)
