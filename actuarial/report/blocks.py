"""Tables and figures of a report, before any file format: typed columns, rows, sources."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from actuarial.results import Kind, Unit, figure_style, figure_svg
from actuarial.safe import printable
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    """A table of the report.

    `formulas` are those that a workbook keeps alive, by column: ``{other}`` is the cell of the column `other` in the same row.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    source: str = ""
    note: str = ""
    total_rows: frozenset[int] = field(default_factory=frozenset)
    formulas: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """A figure of the report, as SVG, with a sentence for who cannot see it.

    `axes` are kept for the formats that take no SVG (Word): see :meth:`png`.
    """

    title: str
    svg: str
    note: str = ""
    source: str = ""
    axes: Axes | None = field(default=None, compare=False, repr=False)

    @property
    def words(self) -> str:
        """What the figure shows, for who cannot see it."""
        return f"{self.title}。{self.note}" if not self.title.isascii() else f"{self.title}. {self.note}"

    def png(self, dots: int = 200) -> bytes:
        """The figure as PNG, the same bytes each time; empty where there are no axes."""
        if self.axes is None:
            return b""
        figure = self.axes.get_figure(root=True)
        assert figure is not None
        buffer = io.BytesIO()
        with figure_style():
            figure.savefig(buffer, format="png", dpi=dots, metadata={"Software": None})
        return buffer.getvalue()


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
    formulas: Mapping[str, str] | None = None,
) -> Block:
    """A block from a frame or from rows."""
    rows = records(frame) if isinstance(frame, pd.DataFrame) else frame
    kept = tuple({c.key: r.get(c.key) for c in columns} for r in rows)
    return Block(title, tuple(columns), kept, source, note, frozenset(total_rows), formulas or {})


def chart(title: str, axes: Axes, note: str = "", *, source: str = "") -> Chart:
    """A figure from the axes that it was drawn on."""
    return Chart(title, figure_svg(axes), note, source, axes)


SOURCED = {"source", "document", "law"}
"""Columns that give each row its own source."""


def finished(section: Section, source: str) -> Section:
    """A section ready to be written: text that every format can hold, and `source` where none was named."""
    parts: list[Block | Chart] = []
    for part in section.parts:
        if isinstance(part, Chart):
            parts.append(
                replace(
                    part,
                    title=printable(part.title),
                    note=printable(part.note),
                    source=printable(part.source or source),
                )
            )
            continue
        own = bool(SOURCED & {c.key for c in part.columns})
        rows = tuple(
            {k: printable(v) if isinstance(v, str) else v for k, v in row.items()} for row in part.rows
        )
        named = printable(part.source or ("" if own else source))
        heads = tuple(replace(c, heading=printable(c.heading)) for c in part.columns)
        parts.append(
            replace(
                part,
                title=printable(part.title),
                note=printable(part.note),
                rows=rows,
                columns=heads,
                source=named,
            )
        )
    words = tuple(map(printable, section.paragraphs))
    return replace(section, title=printable(section.title), paragraphs=words, parts=tuple(parts))
