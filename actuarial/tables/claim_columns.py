"""Which raw column is which: headings in one or two lines, units beside or above them, faults of headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw

from actuarial.errors import Fault
from actuarial.tables.cells import UNIT_CELL
from actuarial.tables.columns import Column, Kind, columns, fold, split_unit, unit_factor
from actuarial.tables.engine import Scratch, is_duckdb
from actuarial.tables.normal import Cell, age_cell, date_cell, money_cell, text_cell, word_cell
from actuarial.tables.sources import Opened
from actuarial.tables.table import Note

IDENTIFIERS = {"claim_id", "member_id", "reversal_of"}


@dataclass(frozen=True)
class Pick:
    """One column of the source that is used."""

    name: str
    native: str
    at: int
    heading: str
    factor: float = 1.0


def spellings(kind: Kind) -> dict[str, Column]:
    """Columns of a kind of table by every folded heading."""
    return {s: columns()[name] for name in kind.columns for s in columns()[name].spellings()}


class HeadingFinder:
    """Finds the headings in the first lines of a file; two lines where the second splits merged cells.

    Examples
    --------
    >>> from actuarial.tables.columns import kinds
    >>> find = HeadingFinder(kinds()["exposure"])
    >>> find([["参保表", None], ["参保人编号", "参保日期"], ["1", "2013-01-01"]])
    (2, ['参保人编号', '参保日期'], [None, None])
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.known = spellings(kind)
        self.wanted = "、".join(f"{columns()[n].zh} / {columns()[n].en}" for n in kind.required)

    def __call__(self, rows: list[list[Any]]) -> tuple[int, list[str], list[str | None]] | None:
        """Number of lines up to the data, headings and units; None where no line has two known headings."""
        above: str | None = None
        for at, cells in enumerate(rows):
            if self._hits(cells) >= 2:
                below = rows[at + 1] if at + 1 < len(rows) else []
                if self._splits(cells, below):
                    return (at + 2, *self._two(cells, below, above))
                return (at + 1, *self._one(cells, above))
            for cell in cells:
                match = UNIT_CELL.match(str(cell)) if cell is not None else None
                above = match[1] if match else above
        return None

    def _hits(self, cells: list[Any]) -> int:
        return sum(fold(split_unit(str(c))[0]) in self.known for c in cells if c is not None)

    def _splits(self, cells: list[Any], below: list[Any]) -> bool:
        """Whether the line below holds headings too: words without digits, at least one known, some under a gap."""
        words = [str(c) for c in below if c is not None]
        gap = any(
            c is not None and (n >= len(cells) or cells[n] is None or str(c) != str(cells[n]))
            for n, c in enumerate(below)
        )
        return bool(words) and gap and self._hits(below) >= 1 and not any(re.search(r"\d", w) for w in words)

    def _one(self, cells: list[Any], above: str | None) -> tuple[list[str], list[str | None]]:
        parts = [split_unit(str(c)) if c is not None else ("", None) for c in cells]
        return [str(c).strip() if c is not None else "" for c in cells], [u or above for _, u in parts]

    def _two(
        self, cells: list[Any], below: list[Any], above: str | None
    ) -> tuple[list[str], list[str | None]]:
        width = max(len(cells), len(below))
        top, low = ([*r, *[None] * (width - len(r))] for r in (cells, below))
        headings, units, merged = [], [], ""
        for over, under in zip(top, low, strict=True):
            merged = str(over) if over is not None else merged
            heading, unit = split_unit(str(under)) if under is not None else split_unit(merged)
            headings.append(str(under if under is not None else over or "").strip() if heading else "")
            units.append(unit or split_unit(merged)[1] or above)
        return headings, units


def picked(opened: Opened, kind: Kind, unit: str | None) -> tuple[dict[str, Pick], list[Fault], list[Note]]:
    """The columns that are used, the faults of the headings, and what is not used."""
    known, picks, faults, unused = spellings(kind), {}, list(opened.faults), []
    above = opened.units or [split_unit(h)[1] for h in opened.headings]
    for at, (native, heading, stated) in enumerate(zip(opened.names, opened.headings, above, strict=True)):
        column = known.get(fold(split_unit(heading)[0])) or known.get(fold(heading))
        if column is None:
            if heading:
                unused.append(heading)
            continue
        if column.name in picks:
            faults.append(_fault("table.twice", opened, heading))
            continue
        factor = 1.0
        if column.type == "money":
            factor, fault = _factor(opened, heading, stated, unit)
            faults += fault
        picks[column.name] = Pick(column.name, native, at, heading, factor)
    for name in kind.required:
        if name not in picks:
            params = {"name_zh": columns()[name].zh, "name_en": columns()[name].en}
            faults.append(Fault("table.missing_column", file=opened.name, sheet=opened.sheet, params=params))
    note = [Note("claim_words.unused", {"names": "、".join(unused)}, opened.name)] if unused else []
    return picks, faults, note


def _fault(code: str, opened: Opened, column: str | None, /, **params: Any) -> Fault:
    return Fault(code, file=opened.name, sheet=opened.sheet, column=column, params=params)


def _factor(opened: Opened, heading: str, stated: str | None, given: str | None) -> tuple[float, list[Fault]]:
    """What one unit of a column of money is in yuan; the unit is never guessed."""
    used = stated or given
    if used is None:
        return 1.0, [_fault("table.no_unit", opened, heading)]
    factor = unit_factor("money", used)
    if factor is None:
        return 1.0, [_fault("table.unknown_unit", opened, heading, unit=used)]
    if stated and given and unit_factor("money", given) != factor:
        return factor, [_fault("table.two_units", opened, heading, heading=stated, plan=given)]
    return factor, []


def cells_of(opened: Opened, kind: Kind, picks: dict[str, Pick]) -> tuple[dict[str, Cell], list[Fault]]:
    """How each picked column is worked out, by the type that the source holds."""
    schema, faults, cells = opened.frame.collect_schema(), [], {}
    for name, pick in picks.items():
        held, wanted = schema[pick.native], columns()[name].type
        if held in (nw.Object, nw.Categorical, nw.Enum):
            held = nw.String()
        if wanted in {"date", "money"} and held == nw.String and is_duckdb(opened.frame):
            # DuckDB would take the text apart again at every step: 33 s for 4,400 rows, staged 1.3 s
            opened.scratch = opened.scratch or Scratch()
        if name in IDENTIFIERS and held.is_float():
            faults.append(_fault("claims.id_type", opened, pick.heading))
        if wanted == "money":
            cells[name] = money_cell(name, pick.native, held, pick.factor)
        elif wanted == "date":
            if held.is_float() or held == nw.Boolean:
                faults.append(_fault("claims.date_type", opened, pick.heading, type=str(held)))
            cells[name] = date_cell(name, pick.native, held)
        elif wanted == "age":
            cells[name] = age_cell(name, pick.native, held)
        elif wanted == "flag":
            cells[name] = word_cell(name, pick.native, held)
        else:
            required = name in kind.required
            cells[name] = text_cell(
                name, pick.native, held, required=required, identifier=name in IDENTIFIERS
            )
    return cells, faults
