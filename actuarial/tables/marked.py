"""A copy of a file with its faults marked: cells coloured, what is wrong as a comment, a sheet with the list.

The copy is written anew with XlsxWriter, values only, and is not an edit of the original: it works for CSV and
``.xls`` too, needs no further package, gives the same bytes each time, and text stays text (an 18-digit
identifier, a cell that begins with ``=``). openpyxl would keep the look of a sheet and lose its pictures and
charts without a word. Formulas become their stored values; the original is never touched.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actuarial.errors import Fault, InputError
from actuarial.results import new_workbook, write_cell
from actuarial.safe import sheet_name
from actuarial.tables.engine import Scratch
from actuarial.tables.grids import read_grid
from actuarial.tables.sources import as_utf8
from actuarial.texts import text

Marks = dict[tuple[str | None, int, int], list[str]]
COMMENT = 1000
"""Most characters of a comment."""


def write_marked_copy(
    path: str | os.PathLike[str],
    faults: Sequence[Fault],
    out: str | os.PathLike[str],
    *,
    lang: str | None = None,
    encoding: str | None = None,
) -> Path:
    """Write a workbook with the cells of `path` and its faults marked.

    Parameters
    ----------
    path : path
        The ``.xlsx``, ``.xls`` or ``.csv`` file that was checked.
    faults : sequence of Fault
        From :func:`actuarial.tables.check_claims` or an :class:`~actuarial.errors.InputError`.
    out : path
        The copy, ``.xlsx``.
    lang : str, optional
        Language of the comments.
    encoding : str, optional
        Of a text file, as in :func:`actuarial.tables.read_claims`.

    Raises
    ------
    InputError
        If no fault has a place, or the copy cannot be written.
    """
    source = Path(path)
    marks = _marks(faults, lang)
    if not marks:
        raise InputError([Fault("claims.nothing_to_mark", source.name)])
    sheets = _cells(source, encoding)
    with new_workbook(out) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})
        style = book.add_format({"bg_color": "#f6c7a9"})
        dated = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, (name, rows) in enumerate(sheets.items()):
            sheet = book.add_worksheet(sheet_name(name))
            here = {k[1:]: v for k, v in marks.items() if k[0] == name or (k[0] is None and number == 0)}
            _write_sheet(sheet, rows, here, style, dated)
        _write_list(book, faults, lang)
    return Path(out)


def _marks(faults: Sequence[Fault], lang: str | None) -> Marks:
    """Messages by sheet, row and column (from 0; column −1 is the whole row)."""
    marks: Marks = {}
    for fault in faults:
        message = text("claim_words.mark", lang, what=Fault(fault.code, params=fault.params).message(lang))
        places = [  # (line, column), and the sheet where several were stacked
            (sheet[0] if sheet else fault.sheet, line - 1, -1 if at is None else at)
            for line, at, *sheet in fault.params.get("marks", ())
        ]
        if fault.cell:
            sheet, _, cell = fault.cell.rpartition("!")
            places.append((sheet or fault.sheet, *_address(cell)))
        elif fault.line:
            places.append((fault.sheet, fault.line - 1, -1))
        for place in places:
            marks.setdefault(place, []).append(message)
    return marks


def _address(cell: str) -> tuple[int, int]:
    letters = cell.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(cell[len(letters) :]) - 1, column - 1


def _cells(path: Path, encoding: str | None) -> dict[str, list[list[Any]]]:
    """The cells of every sheet, at their own lines."""
    if path.suffix.lower() in {".xlsx", ".xlsm", ".xls"}:
        import python_calamine

        first = read_grid(path)  # with its limits, before anything is unpacked
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        return {
            name: first.rows
            if name == first.sheet
            else book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in book.sheet_names
        }
    rows: list[list[Any]] = []
    scratch = Scratch()
    with as_utf8(path, encoding, scratch).open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        before = 0
        for record in reader:
            rows += [[]] * (
                before - len(rows)
            )  # a cell of several lines keeps the lines below at their places
            rows.append(record)
            before = reader.line_num
    return {path.stem: rows}


def _write_sheet(
    sheet: Any, rows: list[list[Any]], marks: dict[tuple[int, int], list[str]], style: Any, dated: Any
) -> None:
    whole = {row for row, column in marks if column < 0}
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            hit = style if row in whole or (row, column) in marks else None
            if isinstance(value, dt.date) and hit is None:
                sheet.write_datetime(row, column, value, dated)
            else:
                write_cell(sheet, row, column, None if value == "" else value, hit)
    for (row, column), messages in marks.items():
        if column >= 0 and (row >= len(rows) or column >= len(rows[row]) or rows[row][column] in (None, "")):
            sheet.write_blank(row, column, None, style)
        said = "\n".join(dict.fromkeys(messages))[:COMMENT]
        sheet.write_comment(row, max(column, 0), said, {"author": "", "x_scale": 2, "y_scale": 1.5})


def _write_list(book: Any, faults: Sequence[Fault], lang: str | None) -> None:
    """A last sheet with every fault in words."""
    sheet = book.add_worksheet(sheet_name(text("claim_words.marks", lang)))
    for column, word in enumerate(("where", "what")):
        sheet.write_string(0, column, text(f"claim_words.{word}", lang))
    for row, fault in enumerate(faults, 1):
        sheet.write_string(row, 0, fault.where(lang))
        sheet.write_string(row, 1, Fault(fault.code, params=fault.params).message(lang))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 90)
