"""Exceptions and warnings of our own: each carries codes and parameters, never sentences.

The sentences are in :mod:`actuarial.texts`. A refusal of input collects **every** fault
before it is raised.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from actuarial.texts import pick, text


@dataclass(frozen=True)
class Fault:
    """One thing wrong with one input, and where.

    Parameters
    ----------
    code : str
        Code of its text, such as ``table.missing_column``.
    file, sheet, cell, column : str, optional
        Where: the file's name as the user gave it, the sheet, the cell (``C6``) or line
        (``line 7`` is written by the text), the column's heading.
    line : int, optional
        Line of a text file.
    params : dict
        What the text needs; a value ``{zh: …, en: …}`` is given in the language of the message.

    Examples
    --------
    >>> fault = Fault("table.negative", file="a.xlsx", sheet="支出", cell="C6", column="金额", params={"value": "-3"})
    >>> print(fault.message("en"))
    a.xlsx!支出!C6 "金额": must not be negative (read '-3'); correct the figure, or net the reversal first
    """

    code: str
    file: str | None = None
    sheet: str | None = None
    cell: str | None = None
    line: int | None = None
    column: str | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def where(self, lang: str | None = None) -> str:
        """The place, as ``file!sheet!cell “column”``."""
        line = text("label.line", lang, line=self.line) if self.line else None
        place = "!".join(p for p in (self.file, self.sheet, self.cell, line) if p)
        column = text("label.quoted", lang, word=self.column) if self.column else ""
        return f"{place} {column}".strip()

    def message(self, lang: str | None = None) -> str:
        """Place, what is wrong, and the remedy, in one line."""
        where = self.where(lang)
        params = {k: pick(v, lang) if isinstance(v, dict) else v for k, v in self.params.items()}
        return (f"{where}: " if where else "") + text(self.code, lang, **params)

    def to_dict(self, lang: str | None = None) -> dict[str, Any]:
        """The fault as plain data (for ``--json``)."""
        return {
            "code": self.code,
            "file": self.file,
            "sheet": self.sheet,
            "cell": self.cell,
            "line": self.line,
            "column": self.column,
            "message": self.message(lang),
        }


class ActuarialError(Exception):
    """Base of all errors that this package raises on purpose.

    Parameters
    ----------
    code : str
        Code of the text.
    **params
        What the text needs.
    """

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code
        self.params = params
        super().__init__(code)

    def message(self, lang: str | None = None) -> str:
        """The sentence, in `lang`."""
        return text(self.code, lang, **self.params)

    def __str__(self) -> str:
        return self.message()


class InputError(ActuarialError):
    """Input that cannot be used; holds all its faults.

    Parameters
    ----------
    faults : iterable of Fault
        At least one.

    Attributes
    ----------
    faults : tuple of Fault

    Examples
    --------
    >>> InputError([Fault("file.not_found", file="x.csv")]).message("en")
    'x.csv: no such file; check the path (it is read from the folder of the plan)'
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults[0].code)

    def message(self, lang: str | None = None) -> str:
        """All faults, one a line, after a line with their number when there are several."""
        lines = [f.message(lang) for f in self.faults]
        if len(lines) == 1:
            return lines[0]
        return "\n".join(
            [text("label.faults", lang, count=len(lines)), *(f"  {n}. {m}" for n, m in enumerate(lines, 1))]
        )


class ActuarialWarning(UserWarning):
    """Base of all warnings of this package; those of :func:`warn` can be said in either language.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as heard:
    ...     warnings.simplefilter("always")
    ...     _ = warn(ModelWarning, "model.one_path")
    >>> heard[0].message.message("zh") == text("model.one_path", "zh")
    True
    """

    code: str = ""
    params: Mapping[str, Any] = MappingProxyType({})

    def message(self, lang: str | None = None) -> str:
        """The sentence, in `lang`."""
        return text(self.code, lang, **self.params) if self.code else str(self)


class DataWarning(ActuarialWarning):
    """The data can be used, but something about them should be known."""


class ModelWarning(ActuarialWarning):
    """The answer can be given, but not everything about it can be trusted."""


def warn(category: type[ActuarialWarning], code: str, *, stacklevel: int = 3, **params: Any) -> str:
    """Issue a warning by code; returns its text, for the report's notes.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", ModelWarning)
    ...     message = warn(ModelWarning, "model.one_path")
    >>> message == text("model.one_path")
    True
    """
    message = text(code, **params)
    warning = category(message)
    warning.code, warning.params = code, params
    warnings.warn(warning, stacklevel=stacklevel)
    return message
