"""Filling a bureau's own form: named cells or headings, and nothing else is touched.

A cell is found in one of two ways:

* **by name**: a defined name ``line_column`` (``contributions_draft``, ``subsidy_last``), or the line alone where
  there is one column to fill;
* **by heading**: a row whose first text is a line of the form (numbering and spaces do not count), under a heading
  that says the column (…执行数, …预算数, …调整数, …决算数; “budget”, “execution”, “adjusted”, “final”).

Formulas stay formulas: a sum in the template keeps its formula and is computed when the file is opened. Formats,
widths, print settings and other sheets stay as they are. Drawings and macros are beyond the library that rewrites
the file, so a template that holds them is refused, not damaged.
"""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from actuarial.budget.form import SIDES, STAGES, WAN, OfficialForm, form_lines
from actuarial.errors import Fault, InputError
from actuarial.results import Result, atomic_path
from actuarial.tables.columns import fold, unit_factor
from actuarial.texts import LANGUAGES, text

HEADING_ROWS = 15
"""Rows of a sheet in which headings are looked for."""


@dataclass(frozen=True, eq=False)
class FilledTemplate(Result):
    """What was written where.

    Parameters
    ----------
    path : Path
    frame : DataFrame
        ``sheet``, ``cell``, ``line``, ``column``, ``value`` (in the template's unit), ``how`` (name or heading).
    missing : tuple of str
        Lines that hold an amount and for which the template has no cell.
    """

    path: Path
    frame: pd.DataFrame
    missing: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()


def fill_template(
    template: str | os.PathLike[str], form: OfficialForm, out: str | os.PathLike[str]
) -> FilledTemplate:
    """Fill a bureau's own workbook with a form's amounts.

    Parameters
    ----------
    template : path
        An ``.xlsx`` file; it is not changed.
    form : OfficialForm
    out : path
        Where the filled copy goes.

    Raises
    ------
    InputError
        If the template cannot be read, holds drawings or macros, or has no cell for any line.
    """
    import openpyxl

    source = Path(template)
    check_template(source, out)
    try:
        book = openpyxl.load_workbook(source)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        params = {"reason": str(error).splitlines()[0][:200] if str(error) else type(error).__name__}
        raise InputError([Fault("file.damaged", file=source.name, params=params)]) from error
    found = {**_by_heading(book, form), **_by_name(book, form)}
    if not found:
        params = {"columns": "、".join(form.heading(c) for c in STAGES[form.stage])}
        raise InputError([Fault("budget.template_empty", file=source.name, params=params)])
    stated = {s.title: _unit(s) for s in book.worksheets}
    elsewhere = next((u for u in stated.values() if u), WAN)
    units = {name: unit or elsewhere for name, unit in stated.items()}
    rows = []
    for (line, column), (sheet, address, how) in found.items():
        place = book[sheet][address]
        if isinstance(place.value, str) and place.value.startswith("="):
            continue  # the bureau's own formula
        value = form.values(column).get(line, 0.0)
        scale = 1.0 if column == "share" else units[sheet]
        if value != value or (value == 0.0 and place.value is None):
            continue
        place.value = round(value / scale, 6)
        rows.append(
            {
                "sheet": sheet,
                "cell": address,
                "line": line,
                "column": column,
                "value": place.value,
                "how": how,
            }
        )
    book.calculation.fullCalcOnLoad = True
    with atomic_path(out) as temporary:
        book.save(temporary)
        _same_bytes(temporary)
    lines = {line for line, _ in found}
    missing = tuple(
        n for side in SIDES for n in form.lines(side)
        if n not in lines and any(form.columns[c].get(n) for c in form.columns)
    )  # fmt: skip
    frame = pd.DataFrame(rows, columns=["sheet", "cell", "line", "column", "value", "how"])
    return FilledTemplate(Path(out), frame, missing, sources=form.sources)


def check_template(template: str | os.PathLike[str], out: str | os.PathLike[str]) -> None:
    """Check that there is a file, that it is a workbook, that rewriting would lose nothing, and that the copy does not replace it.

    Parameters
    ----------
    template : path
    out : path
        Where the filled copy goes.

    Raises
    ------
    InputError
        If one of these does not hold.
    """
    path = Path(template)
    if path.resolve() == Path(out).resolve():
        raise InputError([Fault("budget.template_same", file=str(path))])
    if not path.is_file():
        raise InputError([Fault("file.not_found", file=str(path))])
    if path.suffix.lower() != ".xlsx" or not zipfile.is_zipfile(path):
        raise InputError([Fault("budget.template_type", file=path.name)])
    with zipfile.ZipFile(path) as archive:
        if sum(i.file_size for i in archive.infolist()) > 200_000_000:
            raise InputError([Fault("budget.template_type", file=path.name)])
        lost = sorted({n.split("/")[1] for n in archive.namelist()
                       if re.match(r"xl/(drawings|charts|media|vbaProject|embeddings|activeX|pivotTables)", n)})  # fmt: skip
    if lost:
        raise InputError(
            [Fault("budget.template_drawings", file=path.name, params={"parts": "、".join(lost)})]
        )


def _by_name(book: Any, form: OfficialForm) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Cells that a defined name gives to a line and column."""
    lines = {n for side in SIDES for n in form.lines(side)}
    columns = STAGES[form.stage]
    wanted = {fold(f"{n}_{c}"): (n, c) for n in lines for c in columns}
    wanted |= {fold(n): (n, columns[-1] if form.stage != "final" else "final") for n in lines}
    found = {}
    scopes = [book.defined_names, *(book[s].defined_names for s in book.sheetnames)]
    for scope in scopes:
        for name, defined in scope.items():
            key = wanted.get(fold(name))
            for sheet, address in defined.destinations if key else ():
                if sheet in book.sheetnames and ":" not in address:
                    found[key] = (sheet, address.replace("$", ""), "name")
    return found  # type: ignore[return-value]


def _by_heading(book: Any, form: OfficialForm) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Cells at the crossing of a line's row and a column's heading."""
    from openpyxl.utils import get_column_letter

    found: dict[tuple[str, str], tuple[str, str, str]] = {}
    labels = {side: _labels(form, side) for side in SIDES}
    for sheet in book.worksheets:
        heads = _headings(sheet, form)
        for row in sheet.iter_rows():
            for place in row:
                words = bare(place.value) if isinstance(place.value, str) else ""
                side = next(
                    (s for s in SIDES if words in labels[s] and _on_side(sheet, place, s, labels, heads)),
                    None,
                )
                if side is None:
                    continue
                after = [c for c in sorted(heads) if c > place.column]
                for column in after[: len(STAGES[form.stage])]:
                    key = (labels[side][words], heads[column])
                    address = f"{get_column_letter(column)}{place.row}"
                    found.setdefault(key, (sheet.title, address, "heading"))
    return found


def _on_side(
    sheet: Any, place: Any, side: str, labels: dict[str, dict[str, str]], heads: dict[int, str]
) -> bool:
    """Lines of both sides (总计) belong to the side whose lines stand in the same column."""
    if not heads:
        return False
    words = bare(place.value)
    if not all(words in found for found in labels.values()):
        return True
    column = [bare(c.value) for c in sheet[place.column_letter] if isinstance(c.value, str)]
    hits = {s: sum(w in labels[s] for w in column) for s in SIDES}
    return side == max(SIDES, key=lambda s: hits[s])


def _labels(form: OfficialForm, side: str) -> dict[str, str]:
    lines = {**form_lines(side), **form.lines(side)}
    return {bare(spec[lang]): name for name, spec in lines.items() for lang in LANGUAGES}


def _headings(sheet: Any, form: OfficialForm) -> dict[int, str]:
    """Column of the form by column of the sheet, from the heading row with most of them."""
    best: dict[int, str] = {}
    for row in sheet.iter_rows(max_row=HEADING_ROWS):
        here = {}
        for place in row:
            if isinstance(place.value, str):
                column = _column_of(place.value, form)
                if column is not None:
                    here[place.column] = column
        if len(here) > len(best):
            best = here
    return best


def _column_of(heading: str, form: OfficialForm) -> str | None:
    """Which column of the stage a heading means."""
    words = fold(heading)
    for column in STAGES[form.stage]:
        if words in {fold(form.heading(column, lang)) for lang in LANGUAGES}:
            return column
    for column in reversed(STAGES[form.stage]):
        for mark in text(f"budget_words.marks_{column}", "zh").split("|"):
            if fold(mark) in words and len(words) <= 24:
                return column
    return None


def bare(label: str) -> str:
    """A line's words without numbering, “of which”, punctuation and width.

    Examples
    --------
    >>> bare("  其中：住院费用支出") == bare("住院费用支出"), bare("Ⅲ. Interest") == bare("III. Interest")
    (True, True)
    """
    words = fold(label)
    for mark in text("budget_words.numbering", "zh").split("|") + text("budget_words.numbering", "en").split(
        "|"
    ):
        before, found, after = words.partition(fold(mark))
        if found and len(before) <= 5:
            words = after
    return re.sub(r"[\W_]+", "", words)


def _unit(sheet: Any) -> float | None:
    """Unit that the sheet states (单位：万元), or None."""
    mark = text("budget_words.unit_mark", "zh")
    for row in sheet.iter_rows(max_row=HEADING_ROWS):
        for place in row:
            match = re.search(rf"(?:{mark})\s*[:：]\s*([^)）\]】]+)", str(place.value or ""))
            factor = unit_factor("money", match[1].strip()) if match else None
            if factor is not None:
                return factor
    return None


def _same_bytes(path: Path) -> None:
    """Rewrite the archive without the time of day, so that the same content has the same bytes."""
    with zipfile.ZipFile(path) as archive:
        parts = [(i, archive.read(i)) for i in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in sorted(parts, key=lambda p: p[0].filename != "[Content_Types].xml"):
            fresh = zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0))
            fresh.compress_type = zipfile.ZIP_DEFLATED
            if info.filename == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", content)
            archive.writestr(fresh, content)
