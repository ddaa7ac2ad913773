"""Tables and figures of a report, before any file format: typed columns, rows, sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from actuarial.results import Kind, Unit
from actuarial.texts import text


@dataclass(frozen=True)
class Column:
    """One column of a block: key of the rows, heading, kind of value."""

    key: str
    heading: str
    kind: Kind = "text"

    @property
    def numeric(self) -> bool:
        """Whether values are numbers, to be aligned right."""
        return self.kind != "text"


@dataclass(frozen=True)
class Block:
    """A table of the report."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    source: str = ""
    note: str = ""
    total_rows: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Chart:
    """A figure of the report, as SVG, with a sentence for who cannot see it."""

    title: str
    svg: str
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the report: paragraphs, then tables and figures in order."""

    title: str
    paragraphs: tuple[str, ...] = ()
    parts: tuple[Block | Chart, ...] = ()
    code: str = ""


def column(
    key: str, kind: Kind = "text", *, lang: str | None = None, unit: Unit | None = None, label: str = ""
) -> Column:
    """A column whose heading is ``col.<label or key>``."""
    return Column(key, text(f"col.{label or key}", lang, unit=unit.label if unit else ""), kind)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as dicts by column name."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def block(
    title: str,
    columns: Sequence[Column],
    frame: pd.DataFrame | Sequence[dict[str, Any]],
    *,
    source: str = "",
    note: str = "",
    total_rows: Sequence[int] = (),
) -> Block:
    """A block from a frame or from rows."""
    rows = records(frame) if isinstance(frame, pd.DataFrame) else frame
    kept = tuple({c.key: r.get(c.key) for c in columns} for r in rows)
    return Block(title, tuple(columns), kept, source, note, frozenset(total_rows))
