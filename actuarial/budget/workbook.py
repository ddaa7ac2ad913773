"""The budget as a workbook: the official form as printed, supporting indicators, months, providers.

Sums, differences, the opening from last year's closing, months payable and all totals are live formulas whose
values are cached, so that a viewer that does not compute shows them too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from actuarial.budget.form import SIDES, STAGES, WAN, OfficialForm, is_computed, short_label
from actuarial.budget.phasing import YearBudget, item_label
from actuarial.budget.supporting import in_language
from actuarial.results import new_workbook, write_cell
from actuarial.safe import sheet_name, width
from actuarial.tables import term_label
from actuarial.texts import text

KIND_FORMATS = {
    "count": "#,##0_ ",
    "yuan": "#,##0.00_ ",
    "percent": "0.00%_ ",
    "number": "0.00_ ",
    "money": "#,##0.00_ ;-#,##0.00_ ",
    "change": "#,##0.00_ ;-#,##0.00_ ;",
}
"""Formats by kind of value, with room beside the rule; a change of nothing is not shown."""
HEAD_ROWS = 3
"""Rows above the first line of the form: title, unit, headings."""


def write_budget_book(
    path: str | os.PathLike[str],
    forms: Sequence[OfficialForm],
    *,
    phasing: YearBudget | None = None,
    supporting: pd.DataFrame | None = None,
    providers: pd.DataFrame | None = None,
    valued: str = "2000-01-01",
    lang: str = "zh",
    remark: str = "",
) -> Path:
    """Write one workbook; returns its path.

    Parameters
    ----------
    path : path
    forms : sequence of OfficialForm
        One sheet each, the first one first.
    phasing, supporting, providers : optional
        Further sheets.
    valued : str
        Date that is written as the file's own, for the same bytes each time.
    lang : {"zh", "en"}
    remark : str
        A sentence that has to stand under the forms.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    with new_workbook(path) as book:
        book.set_properties({"created": pd.Timestamp(valued).to_pydatetime(), "title": forms[0].title(lang)})
        writer = BudgetWriter(book, lang)
        places = [writer.form(f, remark) for f in forms]
        if supporting is not None:
            writer.supporting(in_language(supporting, lang), forms[0], places[0])
        if phasing is not None:
            writer.phasing(phasing, places[0] if forms[0].stage == "draft" else None)
        if providers is not None:
            writer.providers(providers)
    return Path(path)


class BudgetWriter:
    """One workbook being written.

    Parameters
    ----------
    book : xlsxwriter.Workbook
    lang : {"zh", "en"}
    """

    def __init__(self, book: Any, lang: str) -> None:
        self.book, self.lang = book, lang
        font = {"font_name": text("budget_words.font", lang), "font_size": 11, "valign": "vcenter"}
        self.base = font
        self.title = book.add_format({**font, "bold": True, "font_size": 16, "align": "center"})
        self.grey = book.add_format(
            {**font, "font_size": 9, "font_color": "#6A7782", "text_wrap": True, "valign": "top"}
        )
        self.plain = book.add_format(font)
        self.right = book.add_format({**font, "align": "right"})
        self.head = book.add_format({**font, "bold": True, "align": "center", "border": 1, "text_wrap": True})
        self.styles: dict[tuple[str, bool], Any] = {}

    def t(self, code: str, **params: Any) -> str:
        """A text in the workbook's language."""
        return text(f"budget_words.{code}", self.lang, **params)

    def style(self, kind: str, bold: bool = False) -> Any:
        """Bordered cell of a kind of value."""
        if (kind, bold) not in self.styles:
            more = {"text_wrap": True, "indent": 0} if kind == "text" else {"num_format": KIND_FORMATS[kind]}
            self.styles[kind, bold] = self.book.add_format({**self.base, **more, "border": 1, "bold": bold})
        return self.styles[kind, bold]

    def sheet(self, name: str, widths: Sequence[float], *, rows_high: float = 20) -> Any:
        """A new sheet, laid out for A4 across."""
        sheet = self.book.add_worksheet(sheet_name(name))
        for at, wide in enumerate(widths):
            sheet.set_column(at, at, wide)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.center_horizontally()
        sheet.hide_gridlines(2)
        sheet.set_default_row(rows_high)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.set_footer("&C&9" + text("report_words.page_of", self.lang, page="&P", pages="&N"))
        return sheet

    # ---------------------------------------------------------------- the form

    def form(self, form: OfficialForm, remark: str = "") -> dict[str, Any]:
        """Write one form; returns its sheet's name and the cell of each line and column."""
        columns = STAGES[form.stage]
        each = len(columns) + 1
        label = 40.0 if self.lang == "zh" else 46.0
        own = "_employees" if form.employees and form.stage == "draft" else ""
        name = sheet_name(self.t(f"sheet_{form.stage}{own}"))
        sheet = self.sheet(name, [label, *[16] * len(columns)] * 2)
        last = 2 * each - 1
        sheet.merge_range(0, 0, 0, last, "", self.title)
        sheet.write_string(0, 0, form.title(self.lang), self.title)
        sheet.set_row(0, 30)
        sheet.write_string(1, 0, self.t("compiled_by", name=form.name.get(self.lang, "")), self.plain)
        sheet.write_string(1, last, self.t("unit"), self.right)
        where: dict[tuple[str, str], tuple[int, int]] = {}
        high = max(len(form.lines(s)) for s in SIDES)
        for side, left in zip(SIDES, (0, each), strict=True):
            for at, heading in enumerate([self.t("item"), *(form.heading(c, self.lang) for c in columns)]):
                sheet.write_string(2, left + at, heading, self.head)
            names = list(form.lines(side))
            for n, line in enumerate(names):  # grand totals stand in one row, as in the printed form
                row = HEAD_ROWS + (high - 1 if n == len(names) - 1 else n)
                for at, column in enumerate(columns, 1):
                    where[line, column] = (row, left + at)
            for row in range(HEAD_ROWS + len(names) - 1, HEAD_ROWS + high - 1):
                for at in range(each):
                    sheet.write_blank(row, left + at, None, self.style("text" if at == 0 else "money"))
        sheet.set_row(2, 30)
        for side in SIDES:
            for line, spec in form.lines(side).items():
                self._line(sheet, form, line, spec, where)
        end = HEAD_ROWS + high
        self._notes(sheet, end, last, form, remark)
        sheet.freeze_panes(HEAD_ROWS, 1)
        sheet.repeat_rows(0, HEAD_ROWS - 1)
        return {"sheet": name, "where": where}

    def _notes(self, sheet: Any, row: int, last: int, form: OfficialForm, remark: str) -> None:
        for words in (
            form.source_words(self.lang),
            self.t(f"form_note_{form.stage}"),
            *((remark,) if remark else ()),
        ):
            sheet.merge_range(row, 0, row, last, "", self.grey)
            sheet.write_string(row, 0, words, self.grey)
            sheet.set_row(row, 16 * (1 + width(words) // 170))
            row += 1

    def _line(
        self,
        sheet: Any,
        form: OfficialForm,
        line: str,
        spec: dict[str, Any],
        where: dict[tuple[str, str], tuple[int, int]],
    ) -> None:
        columns = STAGES[form.stage]
        row, left = where[line, columns[0]]
        label, bold = spec[self.lang], is_computed(spec)
        indent = "\u3000" * (len(label) - len(label.lstrip()))
        sheet.write_string(row, left - 1, indent + label.strip(), self.style("text", bold))
        for column in columns:
            values = form.values(column)
            at, value = where[line, column], values.get(line, 0.0)
            if column in form.columns:
                self._amount(sheet, form, line, spec, column, where, value / WAN, bold)
            elif column == "adjustment":
                a, b = (cell(*where[line, c]) for c in ("adjusted", "budget"))
                sheet.write_formula(
                    *at, f"={a}-{b}", self.style("money" if bold else "change", bold), value / WAN
                )
            else:  # the share of the budget; blank where nothing was budgeted
                a, b = (cell(*where[line, c]) for c in ("final", "budget"))
                cached: Any = "" if value != value else value
                sheet.write_formula(*at, f'=IF({b}=0,"",{a}/{b})', self.style("percent", bold), cached)

    def _amount(
        self, sheet: Any, form: OfficialForm, line: str, spec: dict[str, Any], column: str,
        where: dict[tuple[str, str], tuple[int, int]], value: float, bold: bool,
    ) -> None:  # fmt: skip
        at, style = where[line, column], self.style("money", bold)
        if is_computed(spec):
            mark = "+" if "sum" in spec else "-"
            parts = [cell(*where[p, column]) for p in spec.get("sum", spec.get("minus", []))]
            sheet.write_formula(*at, "=" + mark.join(parts), style, value)
        elif line == "brought_forward" and column == "draft" and self._follows(form):
            sheet.write_formula(*at, f"={cell(*where['closing_balance', 'last'])}", style, value)
        elif any(form.columns[c].get(line) for c in form.columns):
            sheet.write_number(*at, value, style)
        else:
            sheet.write_blank(*at, None, style)

    @staticmethod
    def _follows(form: OfficialForm) -> bool:
        """Whether the draft's opening is last year's closing balance."""
        before, after = form.columns["last"]["closing_balance"], form.columns["draft"]["brought_forward"]
        return abs(before - after) <= 1e-9 * max(1.0, abs(before))

    # ---------------------------------------------------------------- what stands behind it

    def supporting(self, frame: pd.DataFrame, form: OfficialForm, place: dict[str, Any]) -> None:
        """The supporting table; months payable are computed from the form."""
        sheet = self.sheet(self.t("sheet_supporting"), [44, 14, 20, 20])
        sheet.merge_range(0, 0, 0, 3, "", self.title)
        sheet.write_string(0, 0, self.t("title_supporting"), self.title)
        sheet.set_row(0, 28)
        heads = [
            self.t("indicator"),
            self.t("unit_heading"),
            *(form.heading(c, self.lang) for c in STAGES[form.stage][:2]),
        ]
        for at, heading in enumerate(heads):
            sheet.write_string(1, at, heading, self.head)
        sheet.repeat_rows(0, 1)
        row = 2
        for record in frame.to_dict("records"):
            kind = str(record["kind"])
            sheet.write_string(row, 0, str(record["indicator"]), self.style("text"))
            unit = "visits" if str(record["code"]).endswith("_visits") else kind
            sheet.write_string(row, 1, self.t(f"support_unit_{unit}"), self.style("text"))
            for at, column in ((2, "last"), (3, "draft")):
                value = float(record[column])
                if record["code"] == "payable_months" and value == value:
                    refs = [f"'{place['sheet']}'!{cell(*place['where'][line, column])}"
                            for line in ("closing_balance", "expenditure_total")]  # fmt: skip
                    sheet.write_formula(row, at, f"={refs[0]}/({refs[1]}/12)", self.style(kind), value)
                else:
                    write_cell(sheet, row, at, value, self.style(kind))
            row += 1
        sheet.merge_range(row, 0, row, 3, "", self.grey)
        sheet.write_string(row, 0, self.t("supporting_note"), self.grey)
        sheet.set_row(row, 42)

    def phasing(self, year: YearBudget, form: dict[str, Any] | None) -> None:
        """Items by month with totals, the balance at the months' ends, and the check against the form."""
        sheet = self.sheet(self.t("sheet_phasing"), [34, *[11.5] * 12, 13.5])
        sheet.merge_range(0, 0, 0, 13, "", self.title)
        sheet.write_string(0, 0, self.t("title_phasing", year=year.year), self.title)
        sheet.set_row(0, 28)
        sheet.write_string(1, 0, self.t("compiled_by", name=year.name.get(self.lang, "")), self.plain)
        sheet.write_string(1, 13, self.t("unit"), self.right)
        months = [str(year.start + m) for m in range(12)]
        for at, heading in enumerate([self.t("item"), *months, self.t("whole_year")]):
            sheet.write_string(2, at, heading, self.head)
        sheet.repeat_rows(0, 2)
        sheet.freeze_panes(3, 1)
        table, row, totals = year.table, 3, {}
        for side in SIDES:
            first = row
            for record in table[table["side"] == side].to_dict("records"):
                row = self._months(sheet, row, "\u3000" + item_label(str(record["item"]), self.lang),
                                   [record[m] / WAN for m in range(1, 13)])  # fmt: skip
            sheet.write_string(row, 0, self.t(f"{side}_total"), self.style("text", bold=True))
            amounts = year.amounts(side) / WAN
            for at, value in enumerate([*amounts, amounts.sum()], 1):
                sheet.write_formula(
                    row,
                    at,
                    f"=SUM({cell(first, at)}:{cell(row - 1, at)})",
                    self.style("money", bold=True),
                    value,
                )
            totals[side] = row
            row += 1
        self._balance(sheet, row, totals, year)
        if form is not None:
            self._check(sheet, row + 2, totals, form)

    def _months(self, sheet: Any, row: int, label: str, values: list[float]) -> int:
        sheet.write_string(row, 0, label, self.style("text"))
        for at, value in enumerate(values, 1):
            sheet.write_number(row, at, value, self.style("money"))
        sheet.write_formula(
            row, 13, f"=SUM({cell(row, 1)}:{cell(row, 12)})", self.style("money"), sum(values)
        )
        return row + 1

    def _balance(self, sheet: Any, row: int, totals: dict[str, int], year: YearBudget) -> None:
        sheet.write_string(row, 0, self.t("opening"), self.style("text"))
        sheet.write_number(row, 1, year.opening / WAN, self.style("money"))
        sheet.write_string(row + 1, 0, self.t("balance_at_month_end"), self.style("text", bold=True))
        for at, value in enumerate(year.balances() / WAN, 1):
            before = cell(row, 1) if at == 1 else cell(row + 1, at - 1)
            flows = f"+{cell(totals['revenue'], at)}-{cell(totals['expenditure'], at)}"
            sheet.write_formula(row + 1, at, f"={before}{flows}", self.style("money", bold=True), value)

    def _check(self, sheet: Any, row: int, totals: dict[str, int], form: dict[str, Any]) -> None:
        """What the months differ from the form: nothing."""
        for side, line in (("revenue", "revenue_total"), ("expenditure", "expenditure_total")):
            ref = f"'{form['sheet']}'!{cell(*form['where'][line, 'draft'])}"
            sheet.write_string(row, 0, self.t(f"check_{side}"), self.grey)
            sheet.write_formula(row, 1, f"=ROUND({cell(totals[side], 13)}-{ref},4)", self.grey, 0)
            row += 1

    def providers(self, frame: pd.DataFrame) -> None:
        """Provider budgets with their sum and share."""
        sheet = self.sheet(self.t("sheet_providers"), [34, 18, 18, 18])
        sheet.merge_range(0, 0, 0, 3, "", self.title)
        sheet.write_string(0, 0, self.t("title_providers"), self.title)
        sheet.set_row(0, 28)
        sheet.write_string(1, 3, self.t("unit"), self.right)
        heads = ["provider", "provider_budget", "stated_overspend", "share_of_income"]
        for at, code in enumerate(heads):
            sheet.write_string(2, at, self.t(code), self.head)
        sheet.set_row(2, 32)
        sheet.repeat_rows(0, 2)
        for n, record in enumerate(frame.to_dict("records")):
            row = 3 + n
            sheet.write_string(row, 0, term_label(str(record["provider"]), self.lang), self.style("text"))
            for at, key in ((1, "budget"), (2, "overspend")):
                value = float(record[key])
                write_cell(sheet, row, at, value / WAN, self.style("money"))
            write_cell(sheet, row, 3, float(record["share_of_income"]), self.style("percent"))
        row = 3 + len(frame)
        sheet.write_string(row, 0, self.t("total"), self.style("text", bold=True))
        sums = (
            frame["budget"].sum() / WAN,
            float(np.nansum(frame["overspend"])) / WAN,
            frame["share_of_income"].sum(),
        )
        for at, (value, kind) in enumerate(zip(sums, ("money", "money", "percent"), strict=True), 1):
            sheet.write_formula(
                row, at, f"=SUM({cell(3, at)}:{cell(row - 1, at)})", self.style(kind, bold=True), value
            )
        sheet.merge_range(row + 1, 0, row + 1, 3, "", self.grey)
        within = "providers_within" if frame["share_of_income"].sum() <= 1 else "providers_over"
        sheet.write_string(row + 1, 0, self.t(within), self.grey)


def cell(row: int, column: int) -> str:
    """Address of a cell, counted from 0.

    Examples
    --------
    >>> cell(2, 27)
    'AB3'
    """
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


__all__ = ["BudgetWriter", "cell", "short_label", "write_budget_book"]
