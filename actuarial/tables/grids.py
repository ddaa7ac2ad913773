"""Raw cells of CSV and Excel files, within limits of size; nothing is interpreted here.

Encodings are tried in the order BOM, UTF-8 strict, GB18030 strict. Excel is read by
python-calamine; error cells and formulas without a stored value, which it shows as empty, are
found in the sheet's XML and refused: they must not become holes.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from actuarial.errors import Fault, InputError

MAX_FILE_BYTES = 64 * 2**20
MAX_UNPACKED_BYTES = 512 * 2**20
MAX_RATIO = 200
MAX_COLUMNS = 1_000
MAX_MEMBERS = 10_000
MAX_CELLS = 10_000_000
MAX_ROWS = 2_000_000


@dataclass(frozen=True)
class Grid:
    """The cells of one sheet.

    Parameters
    ----------
    file : str
        Name for messages.
    sheet : str or None
        Sheet, for Excel.
    rows : list of list
        Text, numbers or None.
    """

    file: str
    sheet: str | None
    rows: list[list[Any]]

    def cell(self, row: int, column: int) -> str:
        """Address of a cell: ``C6``."""
        letters, n = "", column + 1
        while n:
            n, rest = divmod(n - 1, 26)
            letters = chr(65 + rest) + letters
        return f"{letters}{row + 1}"


def read_grid(path: Path, sheet: str | None = None) -> Grid:
    """Read the cells of a ``.csv``, ``.xlsx`` or ``.xls`` file.

    Raises
    ------
    InputError
        If the file is missing, of another type, too large, damaged, or has error cells.
    """
    name = path.name
    if path.exists() and not path.is_file():
        raise InputError([Fault("file.not_found", file=name)])
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError([Fault("file.not_found", file=name)]) from error
    if size > MAX_FILE_BYTES:
        raise InputError(
            [Fault("file.too_large", file=name, params={"size": size >> 20, "limit": MAX_FILE_BYTES >> 20})]
        )
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv", ".txt"}:
        return _limited(_read_csv(path, "\t" if suffix == ".tsv" else ","))
    if suffix in {".xlsx", ".xlsm", ".xls"}:
        return _limited(_read_excel(path, sheet))
    raise InputError([Fault("file.type", file=name, params={"suffix": suffix or name})])


Sheets = str | Sequence[str] | None
"""A sheet, several, all (``"*"``), or the first where none is named."""


def read_grids(path: Path, sheet: Sheets = None) -> list[Grid]:
    """The cells of one sheet or several, in the order asked for; ``"*"`` is every sheet that is not empty.

    Raises
    ------
    InputError
        As :func:`read_grid`, with the faults of every sheet.
    """
    if path.suffix.lower() not in {".xlsx", ".xlsm", ".xls"} or sheet is None:
        return [read_grid(path, None)]
    names = sheet_names(path) if sheet == "*" else [sheet] if isinstance(sheet, str) else list(sheet)
    grids: list[Grid] = []
    faults: list[Fault] = []
    for name in dict.fromkeys(names):
        try:
            grids.append(read_grid(path, name))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    filled = [g for g in grids if any(c is not None for row in g.rows for c in row)]
    return filled or grids[:1] if sheet == "*" else grids


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook, in their order.

    Raises
    ------
    InputError
        As :func:`read_grid`.
    """
    import python_calamine

    read_grid(path)  # with its limits and refusals, before anything else is opened
    return python_calamine.CalamineWorkbook.from_path(str(path)).sheet_names


def _limited(grid: Grid) -> Grid:
    widest = max((len(r) for r in grid.rows), default=0)
    if widest > MAX_COLUMNS or len(grid.rows) > MAX_ROWS:
        params = {"rows": len(grid.rows), "columns": widest, "max_rows": MAX_ROWS, "max_columns": MAX_COLUMNS}
        raise InputError([Fault("file.too_many_cells", file=grid.file, sheet=grid.sheet, params=params)])
    return grid


def _read_csv(path: Path, delimiter: str) -> Grid:
    raw = path.read_bytes()
    if b"\0" in raw and not raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError([Fault("file.nul", file=path.name)])
    encodings = ["utf-8-sig", "gb18030"]
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            content = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InputError([Fault("file.encoding", file=path.name)])
    delimiter = _delimiter(content, delimiter)
    _bounded(path.name, content, delimiter)
    try:
        rows = [
            [c if c.strip() else None for c in row]
            for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        raise InputError([Fault("file.damaged", file=path.name, params={"reason": str(error)})]) from error
    return Grid(path.name, None, rows)


def _bounded(name: str, content: str, delimiter: str) -> None:
    """Refuse by counting, before lists are made of it: a line end costs one byte, its row sixty."""
    lines = content.count("\n") + content.count("\r")
    widest = max((line.count(delimiter) for line in content.split("\n", 100)[:100]), default=0)
    if lines > 2 * MAX_ROWS or widest > 50 * MAX_COLUMNS or content.count(delimiter) > MAX_CELLS:
        params = {"rows": lines, "columns": widest + 1, "max_rows": MAX_ROWS, "max_columns": MAX_COLUMNS}
        raise InputError([Fault("file.too_many_cells", file=name, params=params)])


def _delimiter(content: str, usual: str) -> str:
    """The usual delimiter, or the semicolon or tab that the first lines use in its place."""
    head = "\n".join(content.splitlines()[:5])
    if usual in head:
        return usual
    return max((usual, ";", "\t"), key=head.count)


def _read_excel(path: Path, sheet: str | None) -> Grid:
    import python_calamine

    with path.open("rb") as stream:
        compound = stream.read(4) == b"\xd0\xcf\x11\xe0"  # OLE: an old .xls, or a workbook behind a password
    if compound and path.suffix.lower() != ".xls":
        raise InputError([Fault("file.password", file=path.name)])
    if path.suffix.lower() != ".xls":
        _check_archive(path)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        chosen = sheet or names[0]
        if chosen not in names:
            params = {"sheet": chosen, "sheets": "、".join(names)}
            raise InputError([Fault("file.no_sheet", file=path.name, params=params)])
        cells = book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, zipfile.BadZipFile, IndexError, OSError) as error:
        raise InputError([Fault("file.damaged", file=path.name, params={"reason": str(error)})]) from error
    if path.suffix.lower() != ".xls":
        _refuse_holes(path, chosen, names.index(chosen))
    rows = [[None if c == "" or (isinstance(c, str) and not c.strip()) else c for c in row] for row in cells]
    return Grid(path.name, chosen, rows)


def _check_archive(path: Path) -> None:
    """Refuse archives that unpack to too much, by what they declare and by what really comes out; and macros and entities."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unpacked = sum(i.file_size for i in members)
            if unpacked <= MAX_UNPACKED_BYTES and len(members) <= MAX_MEMBERS:
                _refuse_active(path, archive)
            honest = unpacked > MAX_UNPACKED_BYTES or _declared_is_true(path, members)
            if len(members) > MAX_MEMBERS or not honest:
                unpacked = max(unpacked, MAX_UNPACKED_BYTES + 1)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise InputError([Fault("file.damaged", file=path.name, params={"reason": str(error)})]) from error
    packed = max(path.stat().st_size, 1)
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > 2**20 * 16 and unpacked / packed > MAX_RATIO):
        raise InputError(
            [
                Fault(
                    "file.bomb",
                    file=path.name,
                    params={"size": unpacked >> 20, "limit": MAX_UNPACKED_BYTES >> 20},
                )
            ]
        )


def _declared_is_true(path: Path, members: list[zipfile.ZipInfo]) -> bool:
    """Whether every member unpacks to what the archive says of it, without holding what comes out."""
    with path.open("rb") as stream:
        for info in members:
            stream.seek(info.header_offset)
            header = stream.read(30)
            if len(header) < 30:
                return False
            stream.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
            if info.compress_type != zipfile.ZIP_DEFLATED:
                if info.compress_size != info.file_size:
                    return False
                continue
            if not _unpacks_to(stream, info.compress_size, info.file_size):
                return False
    return True


def _unpacks_to(stream: BinaryIO, packed: int, declared: int) -> bool:
    unpacker, out = zlib.decompressobj(-15), 0
    while packed > 0 and not unpacker.eof:
        block = stream.read(min(packed, 1 << 16))
        if not block:
            return False
        packed -= len(block)
        while block and not unpacker.eof:
            out += len(unpacker.decompress(block, 1 << 20))
            block = unpacker.unconsumed_tail
            if out > declared:
                return False
    return out == declared


_ENTITY = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def _refuse_active(path: Path, archive: zipfile.ZipFile) -> None:
    """Macros, and XML that declares entities: no table needs either."""
    names = archive.namelist()
    if any(n.casefold().endswith("vbaproject.bin") for n in names):
        raise InputError([Fault("file.macros", file=path.name)])
    for name in names:
        if name.endswith((".xml", ".rels")):
            with archive.open(name) as member:
                if _ENTITY.search(member.read(4096)):
                    raise InputError([Fault("file.entities", file=path.name, params={"member": name})])


_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_OTHER_BOOK = re.compile(rb"<(?:\w+:)?f(?: [^>]*)?>[^<]*\[\d+\]")
_REF = re.compile(rb'\br="([A-Z]+\d+)"')


def _refuse_holes(path: Path, sheet: str, index: int) -> None:
    """Find error cells and formulas without a stored value in the sheet's XML."""
    with zipfile.ZipFile(path) as archive:
        member = _sheet_member(archive, index)
        if member is None:
            return
        xml = archive.read(member)
    faults = []
    for attributes, body in _CELL.findall(xml):
        reference = _REF.search(attributes)
        where = reference[1].decode() if reference else ""
        if b't="e"' in attributes:
            value = re.search(rb"<(?:\w+:)?v>(.*?)</", body)
            params = {"value": value[1].decode("ascii", "replace") if value else "#"}
            faults.append(Fault("table.error_cell", file=path.name, sheet=sheet, cell=where, params=params))
        elif (
            re.search(rb"<(?:\w+:)?f[ />]", body)
            and not re.search(rb"<(?:\w+:)?v(?: [^>]*)?>.+?</", body)
            and b't="str"' not in attributes
        ):
            faults.append(Fault("table.uncached_formula", file=path.name, sheet=sheet, cell=where))
        elif _OTHER_BOOK.search(body):
            faults.append(Fault("file.other_book", file=path.name, sheet=sheet, cell=where))
    if faults:
        raise InputError(faults)


def _sheet_member(archive: zipfile.ZipFile, index: int) -> str | None:
    """Path in the archive of the sheet at `index` of the workbook."""
    names = set(archive.namelist())
    try:
        book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
        links = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    except KeyError:
        return None
    ids = re.findall(r"<(?:\w+:)?sheet\b[^>]*?\br:id=\"([^\"]+)\"", book)
    if index >= len(ids):
        return None
    for relation in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", links):
        if f'Id="{ids[index]}"' in relation:
            target = re.search(r'Target="([^"]+)"', relation)
            if target:
                member = target[1].lstrip("/")
                member = member if member.startswith("xl/") else f"xl/{member}"
                return member if member in names else None
    return None
