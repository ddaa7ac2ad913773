"""A checked table, and what its checks found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from actuarial.results import Result
from actuarial.texts import pick, text


@dataclass(frozen=True)
class Note:
    """Something that was checked and should be known; not an error.

    Parameters
    ----------
    code : str
        Code of its text.
    params : dict
        What the text needs.
    place : str
        Where.
    """

    code: str
    params: dict[str, Any] = field(default_factory=dict)
    place: str = ""

    def message(self, lang: str | None = None) -> str:
        """The sentence, after its place."""
        params = {k: pick(v, lang) if isinstance(v, dict) else v for k, v in self.params.items()}
        body = text(self.code, lang, **params)
        return f"{self.place}: {body}" if self.place else body


@dataclass(frozen=True, eq=False)
class Table(Result):
    """A checked table in yuan, persons and fractions.

    Parameters
    ----------
    frame : DataFrame
        One row a line, columns named by the dictionary.
    kind : str
        Kind of table.
    file : str
        Name of the file.
    cells : DataFrame
        Address of each value (same shape as `frame`), for the sources of figures.
    totals : dict
        The printed total of each column that had one.
    half_widths : dict
        Half of the last printed digit of each numeric column, in the normalised unit.
    notes : tuple of Note
        What the checks found and tolerated.
    """

    frame: pd.DataFrame
    kind: str
    file: str
    cells: pd.DataFrame
    totals: dict[str, float] = field(default_factory=dict)
    half_widths: dict[str, float] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()
