"""From raw cells to a checked table; every fault is collected before anything is refused."""

from __future__ import annotations

import math
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.results import Source
from actuarial.tables.cells import (
    MOST,
    SUBTOTALS,
    TOTALS,
    as_text,
    is_footnote,
    parse_number,
    plain,
)
from actuarial.tables.columns import Column, Kind, columns, fold, kinds, split_unit, unit_factor
from actuarial.tables.grids import Grid, Sheets, read_grids
from actuarial.tables.stacking import stacked
from actuarial.tables.table import Note, Table
from actuarial.tables.terms import TERM_COLUMNS, term_id

NUMERIC = {"money", "money_per_person", "count", "ratio", "number", "year", "month"}


def read_table(
    path: str | os.PathLike[str],
    kind: str,
    *,
    sheet: Sheets = None,
    unit: str | None = None,
) -> Table:
    """Read and check one table, or several sheets of one kind as one table.

    Parameters
    ----------
    path : path
        ``.csv`` (UTF-8, GB18030) or ``.xlsx``/``.xls``.
    kind : str
        One of :func:`actuarial.tables.kinds`.
    sheet : str or sequence of str, optional
        Sheet of a workbook; the first if not given. Several, or ``"*"`` for all that are not empty, are stacked:
        tables of experience hold amounts of their own months and are summed by category, in others a key may
        be there only once.
    unit : str, optional
        Unit of the money columns whose heading states none: ``元``, ``万元``, ``亿元``.

    Raises
    ------
    InputError
        With every fault of the table, of every sheet.

    Warns
    -----
    DataWarning
        If summed sheets look like amounts to date.

    Examples
    --------
    >>> from actuarial.samples import sample_path
    >>> t = read_table(sample_path("jieshou/experience.csv"), "experience")
    >>> float(t.frame["fund_payment"].sum())
    164467500.0
    """
    spec = kinds()[kind]
    tables: list[Table] = []
    faults: list[Fault] = []
    for grid in read_grids(Path(path), sheet):
        try:
            tables.append(_Reader(grid, spec, unit).read())
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    if len(tables) == 1:
        return tables[0]
    return stacked(tables, spec)


class _Reader:
    """State of reading one table; lives for one call."""

    def __init__(self, grid: Grid, spec: Kind, unit: str | None) -> None:
        self.grid, self.spec, self.unit = grid, spec, unit
        self.faults: list[Fault] = []
        self.notes: list[Note] = []
        self.factors: dict[str, float | None] = {}
        self.columns_at: dict[int, Column] = {}
        self.heading_at: dict[int, str] = {}
        self.decimals: dict[str, int] = {}
        self.halves: list[dict[str, float]] = []
        self.words: dict[str, str] = {}
        self.scales: dict[str, float] = {}

    def fault(self, code: str, row: int | None = None, at: int | None = None, **params: Any) -> None:
        cell = self.grid.cell(row, at or 0) if row is not None else None
        heading = self.heading_at.get(at) if at is not None else None
        self.faults.append(
            Fault(code, file=self.grid.file, sheet=self.grid.sheet, cell=cell, column=heading, params=params)
        )

    def read(self) -> Table:
        head = self._headings()
        if head is None:
            raise InputError(self.faults)
        records, addresses = self._rows(head)
        totals = self._split_totals(records, addresses)
        self._keys(records, addresses)
        if not records and not self.faults:
            self.fault("table.empty")
        if self.faults:
            raise InputError(self.faults)
        names = [c.name for c in self.columns_at.values()]
        frame = pd.DataFrame({n: [r.get(n) for r in records] for n in names})
        for name in names:
            kind = columns()[name].type
            if kind in {"year", "month"}:
                frame[name] = frame[name].astype("int64")
            elif kind in NUMERIC:
                frame[name] = frame[name].astype("float64")
        cells = pd.DataFrame({n: [a.get(n, "") for a in addresses] for n in names})
        label = self.grid.file + (f"!{self.grid.sheet}" if self.grid.sheet else "")
        return Table(
            frame,
            self.spec.name,
            label,
            cells,
            {k: v for k, v in totals.items() if v is not None},
            {n: self._half_width(n) for n in self.decimals},
            tuple(self.notes),
            sources=(Source(self.spec.name, label),),
        )

    # -------------------------------------------------------------- headings

    def _headings(self) -> int | None:
        """Find the headings, map their columns, and return their (last) row.

        A row is taken that names two known columns; where the row below it splits merged headings
        (支出 over 人次 and 金额), both are read as one.
        """
        unit_above: str | None = None
        for row, cells in enumerate(self.grid.rows[:20]):
            two = self._two_rows(row)
            one_hits, two_hits = self._known(cells), self._known(two) if two else 0
            if two is not None and 1 <= one_hits < two_hits >= min(2, len(self.spec.required)):
                self._map(row + 1, two, unit_above)
                return row + 1
            if one_hits >= min(2, len(self.spec.required)):
                self._map(row, cells, unit_above)
                return row
            for c in cells:
                match = (
                    re.search(r"(?:单位|[Uu]nit)\s*[:：]\s*([^)）\]】]+)", str(c)) if c is not None else None
                )
                unit_above = match[1].strip() if match else unit_above
        wanted = "、".join(f"{columns()[n].zh} / {columns()[n].en}" for n in self.spec.required)
        self.fault("table.no_heading", wanted=wanted)
        return None

    def _allowed(self) -> dict[str, Column]:
        return {s: columns()[name] for name in self.spec.columns for s in columns()[name].spellings()}

    def _known(self, cells: list[Any]) -> int:
        """How many different columns a row of headings names."""
        allowed = self._allowed()
        found = (allowed.get(fold(split_unit(str(c))[0])) for c in cells if c is not None)
        return len({c.name for c in found if c is not None})

    def _two_rows(self, row: int) -> list[Any] | None:
        """The headings of a row and the one below it as one row; None where the one below holds figures."""
        if row + 1 >= min(len(self.grid.rows), 20):
            return None
        over, under = self.grid.rows[row], self.grid.rows[row + 1]
        if not any(c is not None for c in under) or any(
            parse_number(c)[0] is not None for c in under if c is not None
        ):
            return None
        allowed = self._allowed()
        joined: list[Any] = []
        merged: Any = None
        for at in range(max(len(over), len(under))):
            top = over[at] if at < len(over) else None
            low = under[at] if at < len(under) else None
            merged = top if top is not None else merged
            if low is None:
                joined.append(top)
                continue
            column = allowed.get(fold(split_unit(str(low))[0]))
            unit = split_unit(str(merged))[1] if merged is not None else None
            bare = split_unit(str(low))[1] is None
            takes = column is not None and column.type == "money" and bare and unit
            joined.append(f"{low}（{unit}）" if takes else low)
        return joined

    def _map(self, row: int, headings: list[Any], unit_above: str | None) -> None:
        allowed = self._allowed()
        for at, raw in enumerate(headings):
            if raw is None:
                if any(at < len(r) and r[at] is not None for r in self.grid.rows[row + 1 :]):
                    self.fault("table.no_column_name", row, at)
                continue
            self.heading_at[at] = str(raw).strip()
            heading, unit = split_unit(str(raw))
            column = allowed.get(fold(heading)) or allowed.get(fold(str(raw)))
            if column is None:
                known = {
                    "zh": "、".join(columns()[n].zh for n in self.spec.columns),
                    "en": ", ".join(columns()[n].en for n in self.spec.columns),
                }
                self.fault("table.unknown_column", row, at, known=known)
            elif column.name in {c.name for c in self.columns_at.values()}:
                self.fault("table.twice", row, at)
            else:
                self.columns_at[at] = column
                self.factors[column.name] = self._factor(column, unit, unit_above, row, at)
        have = {c.name for c in self.columns_at.values()}
        for name in self.spec.required:
            if name not in have:
                self.fault("table.missing_column", name_zh=columns()[name].zh, name_en=columns()[name].en)

    def _factor(self, column: Column, unit: str | None, above: str | None, row: int, at: int) -> float | None:
        if column.type == "money":
            unit, stated = unit or above or self.unit, unit or above
            if unit is None:
                self.fault("table.no_unit", row, at)
                return None
            if stated and self.unit and unit_factor("money", stated) != unit_factor("money", self.unit):
                self.fault("table.two_units", row, at, heading=stated, plan=self.unit)
        if column.type in {"money_per_person", "ratio", "count"} and unit is None:
            return None if column.type == "ratio" else 1.0
        if column.type not in {"money", "money_per_person", "count", "ratio"} or unit is None:
            return 1.0
        factor = unit_factor(column.type, unit)
        if factor is None:
            self.fault("table.unknown_unit", row, at, unit=unit)
        return factor

    # -------------------------------------------------------------- cells

    def _rows(self, head: int) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
        records, addresses = [], []
        width = max(len(self.grid.rows[head]), max(self.heading_at, default=0) + 1)
        for row in range(head + 1, len(self.grid.rows)):
            cells = self.grid.rows[row]
            if all(c is None for c in cells) or is_footnote(cells):
                continue
            if any(c is not None for c in cells[width:]):
                self.fault("table.too_many_cells", row, width)
            key = cells[self._key_at()] if self._key_at() < len(cells) else None
            is_total = bool(self.spec.total) and fold(str(key or "")) in TOTALS
            record: dict[str, Any] = {}
            address: dict[str, str] = {}
            self.halves.append({})
            for at, column in self.columns_at.items():
                value = cells[at] if at < len(cells) else None
                record[column.name] = self._value(value, column, row, at, is_total=is_total)
                address[column.name] = self.grid.cell(row, at)
                self.words[address[column.name]] = str(value).strip()
            records.append(record)
            addresses.append(address)
        self._ambiguous_percent(head)
        return records, addresses

    def _ambiguous_percent(self, head: int) -> None:
        """A workbook's cells shown as 81.70% are stored as 0.817: under a heading with % that cannot be told apart."""
        if self.grid.sheet is None:
            return
        for at, column in self.columns_at.items():
            if column.type == "ratio" and self.factors.get(column.name) == 0.01:
                found = [
                    r[at]
                    for r in self.grid.rows[head + 1 :]
                    if at < len(r) and isinstance(r[at], float | int)
                ]
                if found and max(map(abs, found)) <= 1 and any(found):
                    self.fault("table.percent_ambiguous", head, at)

    def _key_at(self) -> int:
        return next((at for at, c in self.columns_at.items() if c.name == self.spec.key[0]), 0)

    def _value(self, value: Any, column: Column, row: int, at: int, *, is_total: bool) -> Any:
        if value is None:
            if column.name in self.spec.required + self.spec.whole and not is_total:
                money = column.type in {"money", "money_per_person", "count"}
                self.fault("table.empty_cell" if money else "table.empty_key", row, at)
            return None
        if column.type in {"text", "date", "age", "flag"}:
            word = as_text(value)
            return term_id(word) if column.name in TERM_COLUMNS else word
        number, percent, decimals = parse_number(value)
        if number is None or not math.isfinite(number):
            self.fault("table.not_a_number", row, at, value=str(value))
            return None
        factor = self.factors.get(column.name)
        if column.type == "ratio" and percent:
            factor = 0.01
        elif column.type == "ratio" and factor is None:
            if abs(number) > 1:
                self.fault("table.no_ratio_unit", row, at, value=str(value))
                return None
            factor = 1.0
        elif percent:
            self.fault("table.percent_in_money", row, at, value=str(value))
            return None
        if column.type in {"year", "month"}:
            return self._calendar_number(number, column, row, at, value)
        if not is_total:
            self.decimals[column.name] = max(self.decimals.get(column.name, 0), decimals)
        if number < 0 and column.type != "number":
            self.fault("table.negative", row, at, value=str(value))
        if column.name == "cumulative_share" and number * (factor or 1.0) > 1:
            self.fault("table.over_one", row, at, value=str(value))
        # exact in decimal: 1255.59 万元 is 12555900 yuan, not its binary neighbour
        used = 1.0 if factor is None else factor
        self.scales[column.name] = used
        self.halves[-1][column.name] = 0.5 * 10.0**-decimals * used
        product = float(Decimal(repr(number)) * Decimal(repr(used)))
        if not abs(product) <= MOST:
            self.fault("table.not_a_number", row, at, value=str(value))
            return None
        return product

    def _calendar_number(self, number: float, column: Column, row: int, at: int, value: Any) -> int | None:
        low, high = (1949, 2200) if column.type == "year" else (0, 12)
        if number != int(number) or not low <= number <= high:
            self.fault(f"table.not_a_{column.type}", row, at, value=str(value))
            return None
        return int(number)

    def _half_width(self, name: str) -> float:
        """Half of the last digit printed in a column's parts, in the normalised unit."""
        return 0.5 * 10.0 ** -self.decimals[name] * self.scales[name]

    # -------------------------------------------------------------- what must hold

    def _split_totals(
        self, records: list[dict[str, Any]], addresses: list[dict[str, str]]
    ) -> dict[str, float | None]:
        """Check total and subtotal rows against the rows they add up, and take them out."""
        if not self.spec.total:
            return {}
        key = self.spec.key[0]
        stated: dict[str, float | None] = {}
        parts: list[int] = []
        since: list[int] = []
        totals: list[int] = []
        for i, record in enumerate(records):
            word = fold(str(record.get(key) or ""))
            if word not in TOTALS:
                parts.append(i)
                since.append(i)
                continue
            totals.append(i)
            self._check_total(records, addresses, i, since if word in SUBTOTALS else parts)
            since = []
            if word not in SUBTOTALS:
                stated = {n: record.get(n) for n in self.spec.total}
        for i in reversed(totals):
            del records[i], addresses[i]
        return stated

    def _check_total(
        self, records: list[dict[str, Any]], addresses: list[dict[str, str]], at: int, parts: list[int]
    ) -> None:
        for name in self.spec.total:
            stated, values = records[at].get(name), [records[i].get(name) for i in parts]
            if stated is None or not values or any(v is None for v in values):
                continue
            summed = float(sum(Decimal(repr(v)) for v in values))
            gap = stated - summed
            tolerance = self._half_width(name) * len(values) + self.halves[at][name]
            column = next(a for a, c in self.columns_at.items() if c.name == name)
            heading, scale = self.heading_at[column], self.scales[name]
            shown = {
                "stated": plain(stated / scale), "parts": plain(summed / scale),
                "gap": plain(gap / scale), "unit": self._unit_name(heading),
            }  # fmt: skip
            if abs(gap) > tolerance * (1 + 1e-9):
                self.faults.append(
                    Fault("table.wrong_total", file=self.grid.file, sheet=self.grid.sheet,
                          cell=addresses[at][name], column=heading, params=shown)
                )  # fmt: skip
            elif abs(gap) > 1e-9 * max(1.0, abs(stated)):
                self.notes.append(Note("table.total_rounding", shown, f"{self.grid.file} “{heading}”"))

    def _unit_name(self, heading: str) -> str:
        return split_unit(heading)[1] or self.unit or ""

    def _keys(self, records: list[dict[str, Any]], addresses: list[dict[str, str]]) -> None:
        seen: dict[tuple[Any, ...], str] = {}
        for record, address in zip(records, addresses, strict=True):
            key = tuple(record.get(k) for k in self.spec.key)
            if None in key:
                continue
            if key in seen:
                at = next(a for a, c in self.columns_at.items() if c.name == self.spec.key[0])
                self.faults.append(
                    Fault("table.duplicate", file=self.grid.file, sheet=self.grid.sheet,
                          cell=address[self.spec.key[0]], column=self.heading_at.get(at),
                          params={"value": "、".join(self.words[address[k]] for k in self.spec.key), "first": seen[key]})
                )  # fmt: skip
            seen.setdefault(key, address[self.spec.key[0]])
