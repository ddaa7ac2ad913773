"""Opening a claim file or a frame: raw columns, their headings and units, and the way back to a line or cell.

CSV is read by DuckDB with every column as text, so that an 18-digit identifier stays text and dirt is
found, not guessed; other encodings than UTF-8 are rewritten to UTF-8 on the way. There is no limit on the
size of a CSV or Parquet file: it is streamed. Workbooks go through :mod:`actuarial.tables.grids` and its limits.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.tables.columns import fold, split_unit
from actuarial.tables.engine import Scratch, engine, lazy, numbered, quoted
from actuarial.tables.grids import Grid, Sheets, read_grids
from actuarial.texts import text

HEAD_ROWS = 20
CHUNK = 1 << 20


@dataclass(frozen=True)
class Part:
    """One of several sheets that were stacked: its first data row, its line before that, its own order of columns."""

    sheet: str
    first: int
    skip: int
    order: tuple[int | None, ...]


@dataclass
class Opened:
    """A source with its raw columns.

    Parameters
    ----------
    frame : LazyFrame
        The raw columns and ``row_``.
    names : list of str
        Names of the raw columns in `frame`.
    headings : list of list of str
        What stands above each column, one entry a line: an Excel or CSV file may have more than one.
    name : str
        For messages.
    form : {"csv", "excel", "rows", "unordered"}
        How places are said.
    parts : tuple of Part
        The sheets, where several are stacked.
    """

    frame: nw.LazyFrame[Any]
    names: list[str]
    name: str
    form: str
    headings: list[str] = field(default_factory=list)
    units: list[str | None] = field(default_factory=list)
    sheet: str | None = None
    path: Path | None = None
    skip: int = 0
    faults: list[Fault] = field(default_factory=list)
    scratch: Scratch | None = None
    delimiter: str = ","
    parts: tuple[Part, ...] = ()


def open_source(source: Any, sheet: Sheets, encoding: str | None, headings_of: Any) -> Opened:
    """Open a path or a frame.

    Parameters
    ----------
    source : path or frame
    sheet, encoding : str, optional
        Sheet of a workbook; encoding of a text file where it is neither UTF-8, UTF-16 nor GB18030 (``big5``).
    headings_of : callable
        Finds the headings in the first lines: ``rows -> (line after them, headings, units) or None``.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or the frame is of no supported kind.
    """
    if not isinstance(source, str | os.PathLike):
        return _open_frame(source)
    path = Path(source)
    if not path.is_file():
        raise InputError([Fault("file.not_found", file=path.name)])
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv", ".txt"}:
        return _open_csv(path, "\t" if suffix == ".tsv" else ",", encoding, headings_of)
    if suffix == ".parquet":
        return _open_parquet(path)
    if suffix in {".xlsx", ".xlsm", ".xls"}:
        return _open_excel(path, sheet, headings_of)
    raise InputError([Fault("file.type", file=path.name, params={"suffix": suffix or path.name})])


def _open_frame(source: Any) -> Opened:
    try:
        frame = nw.from_native(source)
    except TypeError as error:
        raise InputError([Fault("claims.frame_type", params={"type": type(source).__name__})]) from error
    if frame.implementation.is_pandas():
        source = _plain_pandas(source)
    spark = "pyspark" in frame.implementation.value
    names = [str(c) for c in frame.columns] if not frame.implementation.is_pandas() else list(source.columns)
    label = text("claim_words.frame", "en", engine=frame.implementation.value)
    return Opened(numbered(source), names, label, "unordered" if spark else "rows", headings=names)


def _plain_pandas(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy with texts as headings and objects (dates, mixed cells) as text; the user's frame stays as it is."""
    plain = frame.rename(columns=str).reset_index(drop=True)
    for name in [n for n, t in plain.dtypes.items() if pd.api.types.is_object_dtype(t)]:
        kind = pd.api.types.infer_dtype(plain[name], skipna=True)
        if kind not in {"boolean", "decimal"}:
            plain[name] = plain[name].map(_as_text, na_action="ignore").astype("string")
        elif kind == "decimal":
            plain[name] = plain[name].map(str, na_action="ignore").astype("string")
    return plain


def _open_parquet(path: Path) -> Opened:
    import duckdb

    try:
        relation = engine().sql(
            f"select * exclude (file_row_number), file_row_number + 1 as row_ "
            f"from read_parquet({quoted(path)}, file_row_number = true)"
        )
    except duckdb.Error as error:
        raise InputError([damaged(path.name, error)]) from error
    names = [c for c in relation.columns if c != "row_"]
    return Opened(lazy(relation), names, path.name, "rows", headings=names, path=path)


def damaged(name: str, error: Exception) -> Fault:
    """The fault of a file that its reader gave up on."""
    return Fault("file.damaged", file=name, params={"reason": str(error).splitlines()[0][:200]})


# --------------------------------------------------------------------------- workbooks


def _open_excel(path: Path, sheet: Sheets, headings_of: Any) -> Opened:
    grids = read_grids(path, sheet)
    found = [headings_of(g.rows[:HEAD_ROWS]) for g in grids]
    lost = [_no_heading(g.file, g.sheet, headings_of) for g, f in zip(grids, found, strict=True) if f is None]
    if lost:
        raise InputError(lost)
    if len(grids) > 1:
        return _open_sheets(path, grids, found, headings_of.known)
    grid, (skip, headings, units) = grids[0], found[0]
    names = [f"c{n}" for n in range(len(headings))]
    body = [[_as_text(c) for c in (*r, *[None] * len(names))[: len(names)]] for r in grid.rows[skip:]]
    opened = Opened(_text_frame(body, names), names, grid.file, "excel", headings, units, grid.sheet, path)
    opened.skip, opened.scratch = skip, Scratch()
    return opened


def _text_frame(body: list[list[str | None]], names: list[str]) -> nw.LazyFrame[Any]:
    frame = pd.DataFrame(body, columns=names, dtype="string").astype(object)
    frame["row_"] = range(1, len(frame) + 1)
    return lazy(engine().from_df(frame.where(frame.notna(), None)))


def _open_sheets(path: Path, grids: list[Grid], found: list[Any], known: Any) -> Opened:
    """Several sheets as one source: columns by heading, whatever their order; units must be the same."""
    keys = [_heading_keys(headings) for _, headings, _ in found]
    every = list(dict.fromkeys(k for own in keys for k in own))
    at = [tuple(own.get(k) for k in every) for own in keys]
    said = [{k: (found[n][1][i], found[n][2][i]) for k, i in own.items()} for n, own in enumerate(keys)]
    first = {k: next(n for n, own in enumerate(keys) if k in own) for k in every}
    faults = []
    for n, grid in enumerate(grids):
        lacking = [said[first[k]][k][0] for k in every if k not in keys[n] and k[0] in known]
        if lacking:
            faults.append(
                Fault("table.sheets_differ", grid.file, grid.sheet, params={"names": "、".join(lacking)})
            )
        for k in (k for k in keys[n] if k[0] in known):
            heading, unit = said[n][k]
            other = said[first[k]][k][1]
            if fold(unit or "") != fold(other or ""):
                params = {"unit": unit or "—", "first": other or "—", "other": str(grids[first[k]].sheet)}
                faults.append(
                    Fault("table.sheet_units", grid.file, grid.sheet, column=heading, params=params)
                )
    if faults:
        raise InputError(faults)
    body: list[list[str | None]] = []
    parts = []
    for grid, (skip, _, _), order in zip(grids, found, at, strict=True):
        parts.append(Part(str(grid.sheet), len(body) + 1, skip, order))
        body += [
            [_as_text(r[i]) if i is not None and i < len(r) else None for i in order]
            for r in grid.rows[skip:]
        ]
    names = [f"c{n}" for n in range(len(every))]
    headings, units = zip(*(said[first[k]][k] for k in every), strict=True)
    opened = Opened(
        _text_frame(body, names), names, path.name, "excel", list(headings), list(units), None, path
    )
    opened.parts, opened.scratch = tuple(parts), Scratch()
    return opened


def _heading_keys(headings: list[str]) -> dict[tuple[str, int], int]:
    """Place of each heading, by the folded heading and how often it was there before."""
    seen: dict[str, int] = {}
    places = {}
    for n, heading in enumerate(headings):
        key = fold(split_unit(heading)[0])
        if key:
            places[key, seen.get(key, 0)] = n
            seen[key] = seen.get(key, 0) + 1
    return places


def _no_heading(name: str, sheet: str | None, headings_of: Any) -> Fault:
    return Fault("table.no_heading", file=name, sheet=sheet, params={"wanted": headings_of.wanted})


def _as_text(value: Any) -> str | None:
    """A cell as text; whole numbers without decimals, but not those that a spreadsheet has rounded."""
    if value is None:
        return None
    if isinstance(value, float):
        return (
            str(int(value)) if value == value and abs(value) < 1e15 and value == int(value) else repr(value)
        )
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return str(value)


# --------------------------------------------------------------------------- text files


def _open_csv(path: Path, delimiter: str, encoding: str | None, headings_of: Any) -> Opened:
    import duckdb

    scratch = Scratch()
    plain = as_utf8(path, encoding, scratch)
    try:
        with plain.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            rows, lines = [], [0]
            for row in islice(reader, HEAD_ROWS):
                rows.append([c if c.strip() else None for c in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError([damaged(path.name, error)]) from error
    found = headings_of(rows)
    if found is None:
        raise InputError([_no_heading(path.name, None, headings_of)])
    after, headings, units = found
    names = [f"c{n}" for n in range(len(headings))]
    opened = Opened(lazy(pd.DataFrame()), names, path.name, "csv", headings, units, None, plain)
    opened.skip, opened.scratch, opened.delimiter = lines[after], scratch, delimiter
    shape = ", ".join(f"'{n}': 'VARCHAR'" for n in names)
    rejected = f"rejected_{scratch.path.name.replace('-', '_')}"
    stored = scratch.path / "text.parquet"
    try:
        engine().sql(
            f"select *, row_number() over () as row_ from read_csv({quoted(plain)}, auto_detect=false, "
            f"header=false, skip={opened.skip}, delim={quoted(delimiter)}, quote='\"', escape='\"', "
            f"columns={{{shape}}}, store_rejects=true, rejects_table='{rejected}', "
            f"rejects_scan='{rejected}_scan', rejects_limit=0)"
        ).write_parquet(str(stored))
        wrong = engine().sql(f"select line, error_type from {rejected} order by line").fetchall()
        for table in (rejected, f"{rejected}_scan"):
            engine().execute(f"drop table {table}")
    except duckdb.Error as error:
        raise InputError([damaged(path.name, error)]) from error
    opened.faults = _ragged(opened, wrong)
    opened.frame = lazy(engine().read_parquet(str(stored)))
    return opened


PLACES = 10_000
"""Places kept of each kind of fault, for the marked copy."""


def _ragged(opened: Opened, wrong: list[tuple[int, str]]) -> list[Fault]:
    """One fault for all lines with too many or too few cells."""
    if not wrong:
        return []
    lines = sorted({int(line) for line, _ in wrong})
    params = {"count": len(lines), "places": spoken("lines", lines), "marks": [(n, None) for n in lines]}
    return [Fault("claims.ragged", file=opened.name, params=params)]


def spoken(form: str, places: list[Any], shown: int = 5) -> dict[str, str]:
    """The first places in words, in both languages: `` (lines 3, 5, …)``.

    Examples
    --------
    >>> spoken("lines", [3, 5])["en"], spoken("lines", [])["en"]
    (' (lines 3, 5)', '')
    """
    if not places:
        return {"zh": "", "en": ""}
    words = {}
    for lang in ("zh", "en"):
        first = text("claim_words.comma", lang).join(str(p) for p in places[:shown])
        more = text("claim_words.more", lang) if len(places) > shown else ""
        words[lang] = text(f"claim_words.{form}", lang, places=first + more)
    return words


def as_utf8(path: Path, encoding: str | None, scratch: Scratch) -> Path:
    """The file itself if it is UTF-8, else a copy in UTF-8."""
    with path.open("rb") as stream:
        start = stream.read(4)
    wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    tried = [encoding] if encoding else ["utf-16"] if wide else ["utf-8", "gb18030"]
    for name in tried:
        copy = None if name == "utf-8" else scratch.path / "plain.csv"
        try:
            _decode(path, str(name), copy)
        except UnicodeError:
            continue
        except LookupError as error:
            raise InputError([damaged(path.name, error)]) from error
        return copy or path
    raise InputError([Fault("file.encoding", file=path.name)])


def _decode(path: Path, encoding: str, copy: Path | None) -> None:
    """Read the whole file strictly in one encoding; write it as UTF-8 where `copy` is given."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as stream, (copy or Path(os.devnull)).open("w", encoding="utf-8", newline="") as out:
        for block in _blocks(stream):
            words = decoder.decode(block, final=not block)
            if "\0" in words:
                raise InputError([Fault("file.nul", file=path.name)])
            if copy:
                out.write(words)


def _blocks(stream: Any) -> Iterator[bytes]:
    while block := stream.read(CHUNK):
        yield block
    yield b""


# --------------------------------------------------------------------------- places


def file_lines(opened: Opened, rows: list[int]) -> list[int]:
    """Lines of the file of data rows, counted as DuckDB counts them: blank and ragged lines are no rows."""
    wanted, lines, row = set(rows), {}, 0
    assert opened.path is not None
    with opened.path.open(encoding="utf-8-sig", newline="") as stream:
        for _ in range(opened.skip):
            next(stream)
        reader = csv.reader(stream, delimiter=opened.delimiter)
        before = 0
        for record in reader:
            if len(record) == len(opened.names):
                row += 1
                if row in wanted:
                    lines[row] = opened.skip + before + 1
            before = reader.line_num
            if len(lines) == len(wanted):
                break
    return [lines.get(r, r) for r in rows]


def place_words(opened: Opened, rows: list[int], column: int | None) -> tuple[dict[str, str], list[Any]]:
    """Places in words, and as (line of the file, column) for marking."""
    if opened.form == "unordered":
        return spoken("rows", []), []
    if opened.form == "csv":
        lines = file_lines(opened, rows)
        return spoken("lines", lines), [(n, column) for n in lines]
    if opened.form == "rows":
        return spoken("rows", rows), [(n, column) for n in rows]
    grid = Grid(opened.name, opened.sheet, [])
    if opened.parts:
        return _sheet_places(opened.parts, grid, rows, column)
    lines = [opened.skip + r for r in rows]
    marks = [(n, column) for n in lines]
    if column is None:
        return spoken("lines", lines), marks
    return spoken("cells", [grid.cell(n - 1, column) for n in lines]), marks


def _sheet_places(
    parts: tuple[Part, ...], grid: Grid, rows: list[int], column: int | None
) -> tuple[dict[str, str], list[Any]]:
    """Places in stacked sheets: ``1月!C6``, or the line of a sheet; marks with their sheet."""
    words, marks = [], []
    for row in rows:
        part = next(p for p in reversed(parts) if p.first <= row)
        line = part.skip + row - part.first + 1
        at = None if column is None else part.order[column]
        words.append(f"{part.sheet}!{line if at is None else grid.cell(line - 1, at)}")
        marks.append((line, at, part.sheet))
    return spoken("lines" if column is None else "cells", words), marks
