"""Files whole or not at all, the same bytes each time; small cells blanked."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.safe import cell_text, sheet_names, width

SMALL_CELL = 5
"""Fewest persons a written cell may rest on (house rule on privacy)."""


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path`; renamed onto it when the block ends well, else removed.

    Raises
    ------
    InputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     with atomic_path(Path(d) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     [p.name for p in Path(d).iterdir()]
    ['a.txt']
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise InputError(
            [Fault("file.not_writable", file=str(target), params={"reason": error.strerror})]
        ) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as done:
            os.fsync(done.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    except Exception as error:
        cause = error if isinstance(error, OSError) else next(iter(error.args), None)
        if not isinstance(cause, OSError):  # XlsxWriter wraps what the disk said in an exception of its own
            raise
        reason = cause.strerror or str(cause)
        raise InputError([Fault("file.not_writable", file=str(target), params={"reason": reason})]) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_lock(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Within the block no other run writes its set of files into `folder`, so that two runs do not mix.

    A lock of the system on the folder itself: it leaves no file behind and ends with the process. Where the system has
    none (Windows) or the folder cannot be opened, the block runs without.
    """
    try:
        import fcntl

        Path(folder).mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_together(
    writers: Mapping[Path, Callable[[Path], object]], progress: Callable[[int, int], None] | None = None
) -> None:
    """Write a set of files: all take their names when all are written, or none does.

    Parameters
    ----------
    writers : mapping
        By path what writes the file, given a temporary path.
    progress : callable, optional
        Called with files written and files in all.

    Raises
    ------
    InputError
        If a folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_together({Path(d) / "a.txt": lambda p: p.write_text("a"), Path(d) / "b.txt": lambda p: p.write_text("b")})
    ...     sorted(p.name for p in Path(d).iterdir())
    ['a.txt', 'b.txt']
    """
    with contextlib.ExitStack() as whole:
        for folder in sorted({path.parent for path in writers}):
            whole.enter_context(folder_lock(folder))
        made = {path: whole.enter_context(atomic_path(path)) for path in writers}
        for done, (path, temporary) in enumerate(made.items(), 1):
            _write_as(path, temporary, writers[path])
            if progress is not None:
                progress(done, len(made))


def _write_as(path: Path, temporary: Path, write: Callable[[Path], object]) -> None:
    """Write to the temporary path; what goes wrong names the file that is meant."""
    try:
        write(temporary)
    except InputError as error:
        faults = [replace(f, file=str(path)) if f.file == str(temporary) else f for f in error.faults]
        raise InputError(faults) from error


@contextlib.contextmanager
def new_workbook(path: str | os.PathLike[str]) -> Iterator[Any]:
    """An XlsxWriter workbook, made in memory and written whole when the block ends well.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    import xlsxwriter

    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, WORKBOOK_OPTIONS)
    yield book
    book.close()
    with atomic_path(path) as temporary:
        temporary.write_bytes(made.getvalue())


def write_text(path: str | os.PathLike[str], content: str) -> Path:
    """Write `content` as UTF-8 with Unix line ends, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode("utf-8"))
    return Path(path)


def file_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, for the manifest."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write_frames(path: str | os.PathLike[str], frames: Mapping[str, pd.DataFrame]) -> Path:
    """Write frames as sheets of one workbook; text stays text, whatever it begins with.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    with new_workbook(path) as book:
        book.set_properties({"created": _EPOCH})
        amounts = book.add_format({"num_format": "#,##0.00"})
        for name, frame in zip(sheet_names(frames), frames.values(), strict=True):
            sheet = book.add_worksheet(name)
            flat = frame.reset_index() if frame.index.names != [None] else frame
            for column, heading in enumerate(flat.columns):
                sheet.write_string(0, column, cell_text(str(heading)))
                large = pd.api.types.is_float_dtype(flat[heading]) and flat[heading].abs().max() >= 1000
                for row, value in enumerate(flat[heading], 1):
                    write_cell(sheet, row, column, value, amounts if large else None)
                asked = [
                    f"{v:,.2f}" if large else str(v)[: 10 if isinstance(v, float) else 60]
                    for v in flat[heading]
                ]
                sheet.set_column(column, column, max(map(width, [str(heading), *asked])) + 2)
            sheet.set_landscape()
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
            sheet.freeze_panes(1, 0)
    return Path(path)


WORKBOOK_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
    "in_memory": True,
}
_EPOCH = pd.Timestamp("2000-01-01").to_pydatetime()


def write_cell(sheet: Any, row: int, column: int, value: Any, style: Any = None) -> None:
    """Write one value with its own type: never a formula, a link or an invalid number."""
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        sheet.write_string(row, column, "∞" if value > 0 else "-∞", style)
    elif isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "dtype")):
        sheet.write_string(row, column, cell_text(str(value)), style)
    else:
        sheet.write_number(row, column, float(value), style)


def suppress_small_cells(
    frame: pd.DataFrame, persons: str, values: Sequence[str], *, fewest: int = SMALL_CELL
) -> pd.DataFrame:
    """Blank `values` in the rows whose count in `persons` is from 1 to ``fewest - 1``.

    Returns a new frame; nothing of the caller's is changed.

    Examples
    --------
    >>> f = pd.DataFrame({"persons": [3, 9], "cost": [10.0, 20.0]})
    >>> suppress_small_cells(f, "persons", ["cost"])["cost"].tolist()
    [nan, 20.0]
    """
    small = frame[persons].between(1, fewest - 1)
    safe = frame.copy()
    for column in {persons, *values}:
        safe[column] = safe[column].astype("float64").mask(small)
    return safe
