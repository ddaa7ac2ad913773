"""YAML read strictly: no tags, no aliases, no key twice; every value knows its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from actuarial.errors import Fault, InputError

MAX_YAML_BYTES = 2 * 2**20
Path_ = tuple[str | int, ...]


class _Strict(yaml.SafeLoader):
    """SafeLoader without dates turned to objects; positions are kept by :func:`read_yaml`."""


_Strict.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(
    path: Path, name: str | None = None, found: list[Fault] | None = None
) -> tuple[dict[str, Any], dict[Path_, int]]:
    """Data of a YAML file, and the line of each key and item.

    Parameters
    ----------
    path : Path
    name : str, optional
        Name for messages; the file's own if not given.
    found : list, optional
        Where tags and repeated keys are noted; they are then read as plain values, so that the
        faults of the content can be told together with them.

    Returns
    -------
    (dict, dict)
        The mapping, and ``{("tables", "payers", "path"): 12, …}``.

    Raises
    ------
    InputError
        For a missing file, a syntax error, a tag, an alias, a key given twice, a file that is not a
        mapping.
    """
    label = name or path.name
    try:
        if path.stat().st_size > MAX_YAML_BYTES:
            params = {"size": path.stat().st_size >> 20, "limit": MAX_YAML_BYTES >> 20}
            raise InputError([Fault("file.too_large", file=label, params=params)])
        if not path.is_file():
            raise InputError([Fault("file.not_found", file=label)])
        content = _decoded(path.read_bytes(), label)
    except OSError as error:
        raise InputError([Fault("file.not_found", file=label)]) from error
    if _too_deep(content):
        raise InputError([Fault("file.yaml", file=label, params={"reason": "depth"})])
    try:
        faults = [
            Fault(
                "file.yaml_alias",
                file=label,
                line=(e.start_mark.line if e.start_mark else 0) + 1,
                params={"value": f"*{e.anchor}"},
            )
            for e in (
                yaml.parse(content, Loader=_Strict) if "*" in content else ()
            )  # no alias without a star
            if isinstance(e, yaml.AliasEvent)
        ]
        if faults:
            raise InputError(faults)
        root = yaml.compose(content, Loader=_Strict)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        reason = str(getattr(error, "problem", None) or type(error).__name__)
        raise InputError([Fault("file.yaml", file=label, line=line, params={"reason": reason})]) from error
    except RecursionError as error:
        raise InputError([Fault("file.yaml", file=label, params={"reason": "depth"})]) from error
    if not isinstance(root, yaml.MappingNode):
        raise InputError([Fault("file.yaml_mapping", file=label, line=1)])
    faults = []
    lines: dict[Path_, int] = {}
    _walk(root, (), lines, faults, label)
    if faults and found is None:
        raise InputError(faults)
    if found is not None:
        found += faults
    try:
        return _Strict("").construct_document(root), lines
    except (yaml.YAMLError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError([Fault("file.yaml", file=label, params={"reason": type(error).__name__})]) from error


def _decoded(raw: bytes, label: str) -> str:
    """Text in UTF-8 or GB18030 (what Chinese Windows writes), without characters that no text has."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError([Fault("file.encoding", file=label)])


MAX_DEPTH = 100
"""Brackets within brackets; the parser's time grows with the square of their depth (10,000 took half a minute)."""


def _too_deep(content: str) -> bool:
    """Whether brackets are opened deeper than any plan or law needs; counted before anything is parsed."""
    depth = 0
    for found in re.finditer(r"[\[\]{}]", content):
        depth = depth + 1 if found[0] in "[{" else max(depth - 1, 0)
        if depth > MAX_DEPTH:
            return True
    return False


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_KIND: dict[type, str] = {yaml.ScalarNode: "str", yaml.SequenceNode: "seq", yaml.MappingNode: "map"}
_PLAIN = {f"tag:yaml.org,2002:{t}" for t in ("map", "seq", "str", "int", "float", "bool", "null")}


def _walk(node: yaml.Node, at: Path_, lines: dict[Path_, int], faults: list[Fault], label: str) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    line = node.start_mark.line + 1
    odd = _UNPRINTABLE.search(node.value) if isinstance(node, yaml.ScalarNode) else None
    if odd is not None:
        faults.append(Fault("file.yaml", file=label, line=line, params={"reason": f"U+{ord(odd[0]):04X}"}))
        node.value = _UNPRINTABLE.sub("", node.value)
    if node.tag not in _PLAIN:
        faults.append(Fault("file.yaml_tag", file=label, line=line, params={"value": node.tag}))
        node.tag = f"tag:yaml.org,2002:{_KIND[type(node)]}"
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.tag not in _PLAIN or not isinstance(key, yaml.ScalarNode):
                faults.append(
                    Fault(
                        "file.yaml_tag", file=label, line=key.start_mark.line + 1, params={"value": key.tag}
                    )
                )
                raise InputError(faults)  # a key that is no plain word: nothing after it can be trusted
            if key.value in seen:
                faults.append(
                    Fault(
                        "file.yaml_twice",
                        file=label,
                        line=key.start_mark.line + 1,
                        params={"value": key.value},
                    )
                )
            seen.add(key.value)
            lines[(*at, key.value)] = key.start_mark.line + 1
            _walk(value, (*at, key.value), lines, faults, label)
    elif isinstance(node, yaml.SequenceNode):
        for n, item in enumerate(node.value):
            lines[(*at, n)] = item.start_mark.line + 1
            _walk(item, (*at, n), lines, faults, label)


def line_of(lines: dict[Path_, int], at: Path_) -> int | None:
    """Line of the nearest known ancestor of a place."""
    for end in range(len(at), -1, -1):
        if at[:end] in lines:
            return lines[at[:end]]
    return None
