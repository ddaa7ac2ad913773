"""Reports from an answer: one HTML page and one workbook, Chinese or English, from one content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from actuarial.pipeline import Answer
from actuarial.report.content import compose
from actuarial.report.page import write_page
from actuarial.report.workbook import write_workbook
from actuarial.results import atomic_path
from actuarial.texts import language, use_language


@dataclass(frozen=True)
class ReportFiles:
    """What was written."""

    page: Path
    workbook: Path


def build_report(
    answer: Answer, folder: str | os.PathLike[str], *, lang: str | None = None, name: str = "report"
) -> ReportFiles:
    """Write the report of an answer as ``<name>_<lang>.html`` and ``.xlsx``.

    Parameters
    ----------
    answer : Answer
    folder : path
        Made if it is not there.
    lang : {"zh", "en"}, optional
    name : str
        Start of the files' names.

    Returns
    -------
    ReportFiles

    Raises
    ------
    InputError
        If the folder cannot be written. Both files are written whole, or neither.
    """
    chosen = language(lang)
    with use_language(chosen):
        content = compose(answer, chosen)
        page, book = (Path(folder) / f"{name}_{chosen}.{ending}" for ending in ("html", "xlsx"))
        with (
            atomic_path(page) as page_made,
            atomic_path(book) as book_made,
        ):  # both take their names, or neither
            write_page(content, page_made)
            write_workbook(answer, content, book_made)
    return ReportFiles(page, book)
