"""Several sheets of one workbook as one table: stacked, checked against each other, summed where that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from actuarial.errors import DataWarning, Fault, InputError, warn
from actuarial.results import Source
from actuarial.tables.columns import Kind, columns
from actuarial.tables.table import Note, Table


def stacked(tables: Sequence[Table], spec: Kind) -> Table:
    """Tables of one kind, one a sheet, as one.

    Parameters
    ----------
    tables : sequence of Table
        Two or more, of one file.
    spec : Kind

    Raises
    ------
    InputError
        If a sheet lacks a column that another has, or a key is there twice where sheets are not summed.
    """
    names, file = [t.file.partition("!")[2] for t in tables], tables[0].file.partition("!")[0]
    every = list(dict.fromkeys(c for t in tables for c in t.frame.columns))
    faults = [
        Fault("table.sheets_differ", file, name, params={"names": _labels(lacking)})
        for name, t in zip(names, tables, strict=True)
        if (lacking := [c for c in every if c not in t.frame.columns and columns()[c].type != "text"])
    ]
    if faults:
        raise InputError(faults)
    frame = pd.concat([t.frame.reindex(columns=every) for t in tables], ignore_index=True)
    cells = pd.concat(
        [
            t.cells.reindex(columns=every, fill_value="").map(lambda c, n=name: f"{n}!{c}" if c else "")
            for name, t in zip(names, tables, strict=True)
        ],
        ignore_index=True,
    )
    shared = set.intersection(*(set(t.totals) for t in tables))
    totals = {c: sum(t.totals[c] for t in tables) for c in sorted(shared)}
    halves = {c: max(t.half_widths.get(c, 0.0) for t in tables) for t in tables for c in t.half_widths}
    notes = [n for t in tables for n in t.notes]
    notes.append(Note("table.stacked", {"count": len(tables), "names": "、".join(names)}, file))
    if spec.sums:
        _warn_to_date(tables, spec, file)
        frame, cells = _summed(frame, cells, spec)
    else:
        _once(frame, cells, spec, file)
    source = Source(spec.name, file, "、".join(names))
    return Table(frame, spec.name, file, cells, totals, halves, tuple(notes), sources=(source,))


def _labels(names: Sequence[str]) -> dict[str, str]:
    return {
        "zh": "、".join(columns()[n].zh for n in names),
        "en": ", ".join(columns()[n].en for n in names),
    }


def _once(frame: pd.DataFrame, cells: pd.DataFrame, spec: Kind, file: str) -> None:
    """A key that two sheets hold is a fault."""
    key, faults = list(spec.key), []
    for at in frame.index[frame.duplicated(key)]:
        row = frame.loc[at, key]
        first = frame.index[(frame[key] == row).all(axis=1)][0]
        params = {"value": "、".join(str(v) for v in row), "first": cells.loc[first, key[0]]}
        faults.append(Fault("table.duplicate", file, cell=cells.loc[at, key[0]], params=params))
    if faults:
        raise InputError(faults)


def _summed(frame: pd.DataFrame, cells: pd.DataFrame, spec: Kind) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Amounts summed by key, in the order in which keys are first met; a column with a gap stays a gap."""
    key = list(spec.key)
    ways: Any = {c: _sum if frame[c].dtype.kind == "f" else "first" for c in frame.columns if c not in key}
    grouped = frame.groupby(key, sort=False)
    places = cells.groupby([frame[k] for k in key], sort=False)
    spans = places.agg(_span)
    return grouped.agg(ways).reset_index()[list(frame.columns)], spans.reset_index(drop=True)


def _span(places: pd.Series) -> str:
    """The first and the last place of what was summed."""
    return str(places.iloc[0]) if len(places) == 1 else f"{places.iloc[0]}…{places.iloc[-1]}"


def _sum(values: pd.Series) -> float:
    return float(values.sum(skipna=False))


def _warn_to_date(tables: Sequence[Table], spec: Kind, file: str) -> None:
    """Three sheets or more in which no amount ever falls look like amounts to date, which must not be summed."""
    if len(tables) < 3:
        return
    wide = pd.concat([t.frame.set_index(list(spec.key))[spec.total[0]] for t in tables], axis=1)
    if (
        len(wide) > 1
        and not wide.isna().any(axis=None)
        and (wide.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    ):
        warn(DataWarning, "table.sheets_to_date", stacklevel=5, file=file)
