"""Run-off triangles from tables of months, without claims: long or wide, payments of a month or to date.

*Long*: a line for each month of service and month of payment (or lag in months), with the payment of that month
(``基金支付``) or the payments to date (``累计支付``). *Wide*: a line for each month of service, a column for each month of
payment (``2013-01``, ``2013年1月``) or each lag (``0``, ``1``, ``第1月`` is refused: it may mean 0 or 1).

Decisions
---------
* Cells of payment months after the last one with a figure are not observed. Before that, a pair of months without a
  figure is no payment in a table of payments, and a hole, refused, in a table to date.
* A row or a column of totals is checked against what it adds up, and left out.
* Service months that the table skips have no payments; payment before service is a fault.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.experience.triangle import Triangle
from actuarial.results import Source
from actuarial.tables.cells import TOTALS, UNIT_CELL, parse_number
from actuarial.tables.columns import columns, fold, split_unit, unit_factor
from actuarial.tables.grids import Grid, Sheets, read_grids
from actuarial.tables.intake import month_name
from actuarial.tables.reading import read_table

_MONTH = re.compile(r"\s*(\d{4})[-/\u5e74]?(\d{1,2})(?:[-/]\d{1,2}(?: 00:00:00)?|\u6708\u4efd?)?\s*")
"""Digits with a hyphen, a slash or the Chinese characters of year and month between and behind them."""
HEAD_ROWS = 20


@dataclass
class _Cells:
    """What is read: month of service, month of payment, yuan, place."""

    file: str
    rows: list[tuple[int, int, float, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    to_date: bool = False


def read_triangle(
    path: str | os.PathLike[str],
    *,
    sheet: Sheets = None,
    unit: str | None = None,
    to_date: bool = False,
    exposure: pd.Series | None = None,
) -> Triangle:
    r"""A run-off triangle from a table of months; see the module for the two forms.

    Parameters
    ----------
    path : path
        ``.csv``, ``.xlsx`` or ``.xls``.
    sheet : str or sequence of str, optional
        Sheet of a workbook; several long ones are stacked, of wide ones one is read.
    unit : str, optional
        Unit of the money where neither heading nor a cell above states one.
    to_date : bool
        Whether a wide table holds payments to date; a long one says so by its heading.
    exposure : Series, optional
        Persons by month of service.

    Raises
    ------
    InputError
        With every fault: months that are none, payment before service, a pair of months twice, a hole in a
        table to date, a total that is not one.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "t.csv"
    ...     _ = file.write_text("就诊月份（元）,2013-01,2013-02\n2013-01,100,50\n2013-02,,80\n", encoding="utf-8")
    ...     read_triangle(file).frame.values.tolist()
    [[100.0, 150.0], [80.0, nan]]
    """
    grids = read_grids(Path(path), sheet)
    wide = _wide_head(grids[0])
    cells = _long(path, sheet, unit) if wide is None else _wide(grids[0], wide, unit, to_date)
    _twice(cells)
    if not cells.rows and not cells.faults:
        cells.faults.append(Fault("completion.no_data", cells.file))
    if cells.faults:
        raise InputError(cells.faults)
    return _triangle(cells, exposure)


def month_of(value: Any) -> int | None:
    """Number of a month (year × 12 + month − 1) from ``2013-01``, ``2013年1月``, ``201301`` or a date; None if it is none.

    Examples
    --------
    >>> month_of("2013年2月"), month_of(201302.0), month_of("2013.1"), month_of("2013-13")
    (24157, 24157, None, None)
    """
    if isinstance(value, float):
        value = int(value) if value == int(value) else "?"
    found = _MONTH.fullmatch(str(value))
    if found is None or not 1 <= int(found[2]) <= 12 or not 1949 <= int(found[1]) <= 2200:
        return None
    return int(found[1]) * 12 + int(found[2]) - 1


def _lag_of(value: Any) -> int | None:
    number = parse_number(value)[0]
    return int(number) if number is not None and number == int(number) and 0 <= number < 240 else None


def _wide_head(grid: Grid) -> tuple[int, int] | None:
    """Row and column of the heading of the service months, where months or lags stand beside it."""
    known = columns()["service_month"].spellings()
    for r, row in enumerate(grid.rows[:HEAD_ROWS]):
        for c, cell in enumerate(row):
            name = split_unit(re.split(r"[\\/]", str(cell))[0])[0] if cell is not None else ""
            if fold(name) in known or (cell is not None and fold(split_unit(str(cell))[0]) in known):
                beside = [v for v in row[c + 1 :] if v is not None]
                if len(beside) >= 2 and all(
                    month_of(v) is not None or _lag_of(v) is not None for v in beside[:2]
                ):
                    return r, c
    return None


def _long(path: str | os.PathLike[str], sheet: Sheets, unit: str | None) -> _Cells:
    table = read_table(path, "run_off", sheet=sheet, unit=unit)
    have, frame = set(table.frame.columns), table.frame
    cells = _Cells(table.file, to_date="paid_to_date" in have)
    money = "paid_to_date" if cells.to_date else "fund_payment"
    when = "payment_month" if "payment_month" in have else "lag"
    for name in (when, money):
        if name not in have or {"fund_payment", "paid_to_date"} <= have:
            params = {"name_zh": columns()[name].zh, "name_en": columns()[name].en}
            cells.faults.append(Fault("table.missing_column", table.file, params=params))
    if cells.faults:
        return cells
    for i, row in enumerate(frame.to_dict("records")):
        place = str(table.cells[money].iloc[i])
        service = month_of(row["service_month"])
        lag = _lag_of(row[when]) if when == "lag" else None
        paid = month_of(row[when]) if when == "payment_month" else None
        if paid is None and lag is not None and service is not None:
            paid = service + lag
        for value, found, column in (
            (row["service_month"], service, "service_month"),
            (row[when], paid, when),
        ):
            if found is None and not (column == "lag" and service is None):
                cells.faults.append(
                    Fault(
                        "completion.no_month",
                        table.file,
                        cell=str(table.cells[column].iloc[i]),
                        params={"value": value},
                    )
                )
        if service is not None and paid is not None and np.isfinite(row[money]):
            _take(cells, service, paid, float(row[money]), place, None)
    return cells


def _take(cells: _Cells, service: int, paid: int, amount: float, place: str, sheet: str | None) -> None:
    if paid < service:
        params = {"service": month_name(service), "paid": month_name(paid)}
        cells.faults.append(Fault("completion.paid_before", cells.file, sheet, place, params=params))
    else:
        cells.rows.append((service, paid, amount, place))


def _wide(grid: Grid, head: tuple[int, int], unit: str | None, to_date: bool) -> _Cells:
    cells = _Cells(grid.file, to_date=to_date)
    factor = _factor(cells, grid, head, unit)
    at: dict[int, tuple[bool, int]] = {}  # column → (is it a lag, month or lag)
    totals: list[int] = []
    for c, cell in enumerate(grid.rows[head[0]][head[1] + 1 :], head[1] + 1):
        if cell is None:
            continue
        month, lag = month_of(cell), _lag_of(cell)
        if month is not None:
            at[c] = (False, month)
        elif lag is not None:
            at[c] = (True, lag)
        elif fold(str(cell)) in TOTALS:
            totals.append(c)
        else:
            _no_month(cells, grid, head[0], c, cell)
    down: dict[int, list[float]] = {c: [] for c in (*at, *totals)}
    for r, row in enumerate(grid.rows[head[0] + 1 :], head[0] + 1):
        label = row[head[1]] if head[1] < len(row) else None
        if all(v is None for v in row):
            continue
        values = {c: _amount(cells, grid, r, c) for c in (*at, *totals)}
        if fold(str(label)) in TOTALS:
            for c, stated in values.items():
                _check(cells, grid, (r, c), stated, down[c])
            continue
        service = month_of(label)
        if service is None:
            _no_month(cells, grid, r, head[1], label)
            continue
        if not to_date:
            for c in totals:
                _check(cells, grid, (r, c), values[c], [v for k in at if (v := values[k]) is not None])
        for c, value in values.items():
            down[c] += [] if value is None else [value]
        for c, (is_lag, when) in at.items():
            if (value := values[c]) is not None:
                paid = service + when if is_lag else when
                _take(cells, service, paid, value * factor, grid.cell(r, c), grid.sheet)
    return cells


def _no_month(cells: _Cells, grid: Grid, row: int, column: int, value: Any) -> None:
    cells.faults.append(
        Fault(
            "completion.no_month",
            grid.file,
            grid.sheet,
            grid.cell(row, column),
            params={"value": value or "—"},
        )
    )


def _factor(cells: _Cells, grid: Grid, head: tuple[int, int], unit: str | None) -> float:
    stated = split_unit(str(grid.rows[head[0]][head[1]]))[1]
    for row in grid.rows[: head[0]]:
        for cell in row:
            match = UNIT_CELL.match(str(cell)) if cell is not None else None
            stated = stated or (match[1] if match else None)
    place: dict[str, Any] = {"file": grid.file, "sheet": grid.sheet, "cell": grid.cell(*head)}
    if not (stated or unit):
        cells.faults.append(Fault("table.no_unit", **place))
        return 1.0
    factor = unit_factor("money", stated or str(unit))
    if factor is None:
        cells.faults.append(Fault("table.unknown_unit", **place, params={"unit": stated or unit}))
    elif stated and unit and unit_factor("money", unit) != factor:
        cells.faults.append(Fault("table.two_units", **place, params={"heading": stated, "plan": unit}))
    return factor or 1.0


def _amount(cells: _Cells, grid: Grid, row: int, column: int) -> float | None:
    value = grid.rows[row][column] if column < len(grid.rows[row]) else None
    if value is None:
        return None
    number, percent, _ = parse_number(value)
    if number is None or percent:
        cells.faults.append(
            Fault(
                "table.not_a_number",
                grid.file,
                grid.sheet,
                grid.cell(row, column),
                params={"value": str(value)},
            )
        )
        return None
    return number


def _check(cells: _Cells, grid: Grid, at: tuple[int, int], stated: float | None, parts: list[float]) -> None:
    """A total against its parts, within half of the last digit that each of them prints."""
    if stated is None:
        return
    half = sum(0.5 * 10.0 ** -parse_number(v)[2] for v in (stated, *parts))
    if abs(stated - sum(parts)) > half * (1 + 1e-9):
        params = {
            "stated": f"{stated:.10g}",
            "parts": f"{sum(parts):.10g}",
            "gap": f"{stated - sum(parts):.10g}",
            "unit": "",
        }
        cells.faults.append(Fault("table.wrong_total", grid.file, grid.sheet, grid.cell(*at), params=params))


def _twice(cells: _Cells) -> None:
    seen: dict[tuple[int, int], str] = {}
    for service, paid, _, place in cells.rows:
        if (service, paid) in seen:
            value = f"{month_name(service)}、{month_name(paid)}"
            params = {"value": value, "first": seen[service, paid]}
            cells.faults.append(Fault("table.duplicate", cells.file, cell=place, params=params))
        seen.setdefault((service, paid), place)


def _triangle(cells: _Cells, exposure: pd.Series | None) -> Triangle:
    service, paid = (np.array([r[n] for r in cells.rows]) for n in (0, 1))
    amount = np.array([r[2] for r in cells.rows])
    first, last, latest = int(service.min()), int(service.max()), int(paid.max())
    grid = np.full((last - first + 1, int((paid - service).max()) + 1), np.nan)
    grid[service - first, paid - service] = amount
    seen = np.add.outer(np.arange(len(grid)), np.arange(grid.shape[1])) <= latest - first
    index = pd.period_range(month_name(first), month_name(last), freq="M", name="service_month")
    source = Source("run_off", cells.file)
    if not cells.to_date:
        frame = pd.DataFrame(np.where(seen, np.nan_to_num(grid), np.nan), index=index)
        return Triangle.from_incremental(frame, exposure=exposure, periods=latest - first + 1, source=source)
    holes = np.argwhere(seen & np.isnan(grid))
    if len(holes):
        faults = [
            Fault("completion.hole_at", cells.file,
                  params={"service": month_name(first + int(i)), "paid": month_name(first + int(i + j))})
            for i, j in holes
        ]  # fmt: skip
        raise InputError(faults)
    return Triangle.from_cumulative(pd.DataFrame(grid, index=index), exposure=exposure, source=source)
