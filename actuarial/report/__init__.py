"""Reports from an answer: one HTML page and one workbook, Chinese or English, from one content."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from actuarial.pipeline import Answer
from actuarial.report.content import compose
from actuarial.report.page import write_page
from actuarial.report.workbook import write_workbook
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
        If the folder cannot be written. Each file is written whole or not at all.
    """
    chosen = language(lang)
    with use_language(chosen):
        content = compose(answer, chosen)
        out = Path(folder)
        page = write_page(content, out / f"{name}_{chosen}.html")
        book = write_workbook(answer, content, out / f"{name}_{chosen}.xlsx")
    return ReportFiles(page, book)
