"""What every section of the report needs: one answer, one language, and how figures are written."""

from __future__ import annotations

from math import isfinite
from typing import Any

from actuarial.pipeline import Answer
from actuarial.report.blocks import Column, column
from actuarial.results import Kind, Unit
from actuarial.tables import Table
from actuarial.texts import text


class Context:
    """Short-hands for one answer and language.

    Parameters
    ----------
    answer : Answer
    lang : str
    """

    def __init__(self, answer: Answer, lang: str) -> None:
        self.a, self.lang, self.unit = answer, lang, Unit.of(lang)
        self.sim, self.plan = answer.simulation, answer.plan
        self.last = self.plan.base_year.year
        self.year = self.last + 1

    def t(self, code: str, **params: Any) -> str:
        """A text in the report's language."""
        return text(code, self.lang, **params)

    def col(self, key: str, kind: Kind = "text", label: str = "") -> Column:
        """A column whose heading is ``col.<label or key>``."""
        return column(key, kind, lang=self.lang, unit=self.unit, label=label)

    @property
    def computed(self) -> str:
        """Source of what this run computed: the plan, how many paths, the seed."""
        return self.t(
            "report_words.computed_source",
            file=self.plan.file,
            paths=f"{self.sim.paths:,}",
            seed=self.sim.seed,
        )

    def status(self, status: str) -> str:
        """The word for a status."""
        return self.t(f"label.status_{status}") if status else ""

    def cited(self, *names: str) -> str:
        """Source line of tables: files and cells."""
        found = [self.plan.tables[n] for n in names if n in self.plan.tables]
        return "；".join(f"{table.file} {cells_of(table)}" for table in found)


def cells_of(table: Table) -> str:
    """Range of cells of a table's values: ``A2:E8``."""
    if table.cells.empty:
        return ""
    return f"{table.cells.iloc[0].iloc[0]}:{table.cells.iloc[-1].iloc[-1]}"


def plain(value: float, decimals: int) -> str:
    """A figure within a sentence.

    Examples
    --------
    >>> plain(-2.71, 1), plain(float("inf"), 0)
    ('−2.7', '∞')
    """
    if not isfinite(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:,.{decimals}f}".replace("-", "−")
