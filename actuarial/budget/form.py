"""The official form: its lines in printed order, its sums, and the three stages of a year's budget.

A line is entered, or it is a sum or a difference of others; sums are computed, never taken. Amounts are in
yuan; the printed form shows 万元 (10,000 yuan) in whatever language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import yaml

from actuarial.errors import Fault, InputError
from actuarial.results import COLOURS, Result, figure_style, new_axes, thousands
from actuarial.texts import language, pick, text

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes

SIDES = ("revenue", "expenditure")
WAN = 1e4
"""Unit of the printed form [yuan]."""
Stage = Literal["draft", "adjusted", "final"]
STAGES: dict[str, tuple[str, ...]] = {
    "draft": ("last", "draft"),
    "adjusted": ("budget", "adjustment", "adjusted"),
    "final": ("budget", "final", "share"),
}
"""Columns of each stage: next year's draft, the adjustment during the year, the final accounts."""


@cache
def budget_form() -> dict[str, Any]:
    """The official form: lines by side, in printed order."""
    return yaml.safe_load(files(__package__).joinpath("form.yaml").read_text(encoding="utf-8"))


def form_source(lang: str | None = None) -> str:
    """Where the form's lines and their order are from.

    Examples
    --------
    >>> form_source("en")[:24]
    "a county's 2024 revenue "
    """
    return pick(budget_form()["source"], lang)


def form_lines(side: str, *columns: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Lines of one side in printed order, with the occasional ones that any of `columns` fills.

    Examples
    --------
    >>> list(form_lines("revenue"))[4:6], "subsidy_vaccine" in form_lines("revenue", {"subsidy_vaccine": 408.0})
    (['subsidy', 'subsidy_standard'], True)
    """
    lines: dict[str, dict[str, Any]] = {}
    more = {n: v for n, v in budget_form()["occasional"].items() if any(c.get(n) for c in columns)}
    for name, line in budget_form()[side].items():
        lines[name] = line
        lines |= {n: v for n, v in more.items() if v["after"] == name}
    return lines


def is_computed(line: Mapping[str, Any]) -> bool:
    """Whether a line is a sum or a difference of others."""
    return "sum" in line or "minus" in line


def fill_form(values: Mapping[str, float]) -> dict[str, float]:
    """Complete entered lines with the form's sums and differences.

    Parameters
    ----------
    values : mapping
        Entered lines; lines that are not given count as 0. Sums are computed, never taken.

    Raises
    ------
    InputError
        For a line that the form does not have.

    Examples
    --------
    >>> v = fill_form({"contributions": 28219, "subsidy": 49755, "interest": 525, "brought_forward": 36845,
    ...                "inpatient": 59585, "outpatient": 11380, "cii": 6907})
    >>> v["revenue_total"], v["closing_balance"], v["revenue_grand"] == v["expenditure_grand"]
    (78499.0, 37472.0, True)
    """
    lines = {**form_lines("revenue", values), **form_lines("expenditure", values)}
    unknown = [n for n in values if n not in lines and n not in budget_form()["occasional"]]
    if unknown:
        raise InputError([Fault("budget.unknown_line", params={"line": n}) for n in unknown])
    filled = dict.fromkeys(lines, 0.0) | {
        k: float(v) for k, v in values.items() if k in lines and not is_computed(lines[k])
    }

    def value(name: str) -> float:
        line = lines[name]
        if "sum" in line:
            return sum(value(part) for part in line["sum"])
        if "minus" in line:
            first, second = line["minus"]
            return value(first) - value(second)
        return filled[name]

    return {name: value(name) for name in lines}


@dataclass(frozen=True, eq=False)
class OfficialForm(Result):
    """One filled form.

    Parameters
    ----------
    stage : {"draft", "adjusted", "final"}
    year : int
        The year that is budgeted.
    columns : dict
        By column of the stage, amounts of the lines [yuan]. What the stage computes (the adjustment, the
        share of the budget) is not handed in.
    name : dict
        The fund's name by language.
    employees : bool
        Whether the fund is that of an employee scheme, which borrows the residents' form under a title of its own.
    """

    stage: Stage
    year: int
    columns: dict[str, dict[str, float]]
    name: dict[str, str]
    employees: bool = False

    def heading(self, column: str, lang: str | None = None) -> str:
        """Heading of a column as printed: ``2023年执行数``."""
        return text(f"budget_words.form_{column}", lang, year=self.year, last=self.year - 1)

    def title(self, lang: str | None = None) -> str:
        """Title of the form as printed."""
        who = "employees" if self.employees else "residents"
        return text(f"budget_words.title_{self.stage}", lang, scheme=text(f"budget_words.scheme_{who}", lang))

    def source_words(self, lang: str | None = None) -> str:
        """Whose form it is, and what to compare it with before it is handed in."""
        code = "form_source_employees" if self.employees else "form_source"
        return text(f"budget_words.{code}", lang, source=form_source(lang))

    def lines(self, side: str) -> dict[str, dict[str, Any]]:
        """Lines of one side, occasional ones where they hold something."""
        return form_lines(side, *self.columns.values())

    def values(self, column: str) -> dict[str, float]:
        """Amounts of a column, those that the stage computes too [yuan; the share as a fraction]."""
        if column in self.columns:
            return self.columns[column]
        names = [n for side in SIDES for n in self.lines(side)]
        if column == "adjustment":
            before, after = self.columns["budget"], self.columns["adjusted"]
            return {n: after.get(n, 0.0) - before.get(n, 0.0) for n in names}
        before, after = self.columns["budget"], self.columns["final"]
        return {n: after.get(n, 0.0) / before[n] if before.get(n) else float("nan") for n in names}

    @property
    def table(self) -> pd.DataFrame:
        """``side``, ``line``, ``label`` and the columns of the stage, in printed order."""
        rows = [
            {"side": side, "line": name, "label": line[language()]}
            | {c: self.values(c).get(name, 0.0) for c in STAGES[self.stage]}
            for side in SIDES
            for name, line in self.lines(side).items()
        ]
        return pd.DataFrame(rows)

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write the form as printed, with live formulas whose values are cached; returns the path.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        from actuarial.budget.workbook import write_budget_book

        return write_budget_book(path, [self], lang=language(lang))

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """The main lines of both amounts beside each other [万元]."""
        first, second = STAGES[self.stage][0], [c for c in STAGES[self.stage] if c in self.columns][-1]
        shown = ["contributions", "subsidy", "revenue_total", "inpatient", "outpatient", "cii",
                 "expenditure_total", "closing_balance"]  # fmt: skip
        lines = {**form_lines("revenue"), **form_lines("expenditure")}
        with figure_style():
            ax = ax or new_axes(8.4, 4.4)
            for at, (column, colour) in enumerate(((first, COLOURS["light"]), (second, COLOURS["main"]))):
                values = [self.columns[column].get(n, 0.0) / WAN for n in shown]
                y = [i + 0.2 * (2 * at - 1) for i in range(len(shown))]
                ax.barh(y, values, height=0.38, color=colour, label=self.heading(column, lang))
            ax.set_yticks(range(len(shown)), [short_label(lines[n], lang) for n in shown])
            ax.invert_yaxis()
            ax.xaxis.set_major_formatter(thousands)
            ax.set_xlabel(text("budget_words.unit", lang))
            ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, fontsize=9)
        return ax


def short_label(line: Mapping[str, Any], lang: str | None = None) -> str:
    """A line's words without its number and without “of which”.

    Examples
    --------
    >>> short_label(budget_form()["revenue"]["interest"], "zh"), short_label(budget_form()["expenditure"]["inpatient"], "en")
    ('利息收入', 'inpatient')
    """
    label = str(line[language(lang)]).strip()
    for mark in text("budget_words.numbering", lang).split("|"):
        before, found, after = label.partition(mark)
        if found and len(before) <= 5:
            label = after
    return label.strip()
