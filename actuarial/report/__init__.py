"""Documents from an answer: page, workbook, Word file and PDF, Chinese or English, all from one content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actuarial.errors import Fault, InputError
from actuarial.pipeline import Answer
from actuarial.report.content import KINDS, Content, compose
from actuarial.report.page import write_page
from actuarial.report.workbook import write_workbook
from actuarial.results import write_together
from actuarial.texts import language, use_language

FORMATS = ("html", "xlsx", "docx", "pdf")
"""Formats that can be written, by the ending of their files."""


@dataclass(frozen=True)
class ReportFiles:
    """What was written.

    Parameters
    ----------
    paths : dict
        Path of each file by its ending.
    """

    paths: dict[str, Path]

    @property
    def page(self) -> Path:
        """The HTML page."""
        return self.paths["html"]

    @property
    def workbook(self) -> Path:
        """The Excel workbook."""
        return self.paths["xlsx"]

    @property
    def word(self) -> Path:
        """The Word file."""
        return self.paths["docx"]

    @property
    def pdf(self) -> Path:
        """The PDF."""
        return self.paths["pdf"]


def build_report(
    answer: Answer,
    folder: str | os.PathLike[str],
    *,
    lang: str | None = None,
    name: str = "report",
    formats: Iterable[str] = ("html", "xlsx"),
    kind: str = "actuarial",
    progress: Callable[[int, int], None] | None = None,
) -> ReportFiles:
    """Write a document about an answer as ``<name>_<lang>.<format>``.

    Parameters
    ----------
    answer : Answer
    folder : path
        Made if it is not there.
    lang : {"zh", "en"}, optional
    name : str
        Start of the files' names.
    formats : iterable of str
        Of ``html``, ``xlsx``, ``docx``, ``pdf``.
    kind : {"actuarial", "bulletin"}
        The actuarial report, or the bulletin on how the fund runs.
    progress : callable, optional
        Called with files written and files in all.

    Returns
    -------
    ReportFiles

    Raises
    ------
    InputError
        If the folder cannot be written, or a format or kind is unknown. All files are written whole, or none.
    """
    chosen = language(lang)
    with use_language(chosen):
        content = compose(answer, chosen, kind=kind)
    return write_documents(content, folder, name=name, formats=formats, answer=answer, progress=progress)


def write_documents(
    content: Content, folder: str | os.PathLike[str], *, name: str, formats: Iterable[str], answer: Answer | None = None,
    more: Mapping[Path, Callable[[Path], object]] | None = None, progress: Callable[[int, int], None] | None = None,
) -> ReportFiles:  # fmt: skip
    """Write a content as ``<name>_<lang>.<format>`` in any of the formats.

    Parameters
    ----------
    content : Content
    folder : path
        Made if it is not there.
    name : str
        Start of the files' names.
    formats : iterable of str
        Of ``html``, ``xlsx``, ``docx``, ``pdf``.
    answer : Answer, optional
        What the workbook of the actuarial report draws its charts from.
    more : mapping, optional
        Further files of the same set, each with what writes it.
    progress : callable, optional
        Called with files written and files in all.

    Raises
    ------
    InputError
        If the folder cannot be written, or a format is unknown. All files are written whole, or none.
    """
    wanted = tuple(dict.fromkeys(formats))
    for value in wanted:
        if value not in FORMATS:
            params = {"value": value, "known": "、".join(FORMATS)}
            raise InputError([Fault("report_words.format", params=params)])
    writers = _writers(answer, content)
    paths = {ending: Path(folder) / f"{name}_{content.lang}.{ending}" for ending in wanted}
    with use_language(content.lang):
        write_together({path: writers[ending] for ending, path in paths.items()} | dict(more or {}), progress)
    return ReportFiles(paths)


def _writers(answer: Answer | None, content: Content) -> dict[str, Callable[[Path], object]]:
    """How each format is written; Word and PDF load their libraries when they are asked for."""

    def word(path: Path) -> Path:
        from actuarial.report.word import write_word

        return write_word(content, path)

    def pdf(path: Path) -> Path:
        from actuarial.report.pdf import write_pdf

        return write_pdf(content, path)

    return {
        "html": lambda path: write_page(content, path),
        "xlsx": lambda path: write_workbook(answer, content, path),
        "docx": word,
        "pdf": pdf,
    }


__all__ = ["FORMATS", "KINDS", "ReportFiles", "build_report", "compose", "write_documents"]
