"""A document's content as sheets: sections, sentences, tables and pictures, text that stays text.

What any document needs; what one kind of document adds (the official form, native charts) stands with it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from actuarial.report.blocks import Block, Chart, Section
from actuarial.report.captions import to_be_filled
from actuarial.report.content import Content
from actuarial.results import COLOURS, DECIMALS, scaled, write_cell
from actuarial.safe import cell_text, sheet_name, width
from actuarial.texts import has_text, text


class ContentSheets:
    """The sheets of one workbook being written.

    Parameters
    ----------
    book : xlsxwriter.Workbook
    content : Content
    together : mapping, optional
        Sheet of a section, by their codes, where it is not its own.
    """

    def __init__(self, book: Any, content: Content, together: Mapping[str, str] | None = None) -> None:
        self.book, self.c, self.together = book, content, together or {}
        base = {
            "font_name": "Microsoft YaHei" if content.lang == "zh" else "Calibri",
            "font_size": 10,
            "valign": "top",
        }
        self.formats: dict[tuple[str, bool], Any] = {}
        for kind in ("text", "money", "signed_money", "yuan", "percent", "count", "number"):
            digits = DECIMALS.get(kind, 0)
            number = (
                {} if kind == "text" else {"num_format": "#,##0" + ("." + "0" * digits if digits else "")}
            )
            if kind == "number":
                number = {"num_format": "General"}
            for total in (False, True):
                extra = {"bold": True, "top": 1, "bg_color": "#F4F7F9"} if total else {}
                wrap = {"text_wrap": True, "indent": 1} if kind == "text" else {}
                self.formats[kind, total] = book.add_format(
                    {**base, **number, **extra, **wrap, "bottom": 1, "bottom_color": "#D9DEE3"}
                )
        self.head = book.add_format(
            {**base, "bold": True, "bg_color": "#E3EBF1", "bottom": 1, "text_wrap": True}
        )
        self.head_right = book.add_format(
            {**base, "bold": True, "bg_color": "#E3EBF1", "bottom": 1, "text_wrap": True, "align": "right"}
        )
        self.title = book.add_format({**base, "bold": True, "font_size": 15})
        self.h2 = book.add_format({**base, "bold": True, "font_size": 12, "font_color": COLOURS["main"]})
        self.para = book.add_format({**base, "text_wrap": True})
        self.grey = book.add_format({**base, "font_color": "#6A7782", "font_size": 9, "text_wrap": True})
        self.narrow = content.kind == "negotiation"  # all on one page A4
        self.most_text, self.most_head, self.least_figure = (38, 12, 11) if self.narrow else (46, 17, 14)
        self.line = 105 if self.narrow else 100
        self.grey_line = book.add_format({"font_color": "#6A7782", "font_size": 9})
        self.sheets: dict[str, Any] = {}
        self.rows: dict[str, int] = {}
        self.widths: dict[str, dict[int, int]] = {}
        self.heads: dict[str, list[int]] = {}
        self.drawn: set[str] = set()
        self.tall: set[str] = set()  # charts below each other: one page upright

    def t(self, code: str, **params: Any) -> str:
        """A text in the document's language."""
        return text(code, self.c.lang, **params)

    def open(self, section: Section) -> str:
        """Start a section on its sheet with its sentences; returns the sheet's code."""
        code = self.together.get(section.code, section.code)
        sheet, row = self.sheet(code, section.title)
        for paragraph in section.paragraphs:
            row = self.paragraph(sheet, row, paragraph)
        self.rows[code] = row + 1
        return code

    def finish(self, long: set[str]) -> None:
        """Widths of columns, and every sheet laid out for A4 as wide as the page; those that are not `long` stand on one page."""
        pages = text("report_words.page_of", self.c.lang, page="&P", pages="&N")
        for code, sheet in self.sheets.items():
            for column, wide in self.widths[code].items():
                sheet.set_column(column, column, wide)
            if self.c.kind == "negotiation":
                sheet.set_margins(0.4, 0.4, 0.5, 0.5)
            elif code not in self.tall:
                sheet.set_landscape()
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0 if code in long else 1)
            sheet.hide_gridlines(2)
            sheet.set_footer(f"&C&9{pages}")
            if len(self.heads[code]) == 1:
                sheet.repeat_rows(self.heads[code][0])

    def sheet_title(self, code: str) -> str:
        """The name of a sheet."""
        own = ("monitor",) if self.c.kind == "monitoring" else ()
        found = next(w for w in (*own, "report", "report_words") if has_text(f"{w}.sheet_{code}"))
        return sheet_name(self.t(f"{found}.sheet_{code}"))

    def sheet(self, code: str, title: str) -> tuple[Any, int]:
        """The sheet of a section, and the next free row."""
        if code in self.sheets:
            row = self.rows[code] + 1
            self.sheets[code].write_string(row, 0, title, self.h2)
            return self.sheets[code], row + 1
        sheet = self.book.add_worksheet(self.sheet_title(code))
        self.sheets[code], self.widths[code], self.heads[code] = (
            sheet,
            {0: 8 if self.c.kind == "statement" else 26},
            [],
        )
        row = 0
        if not self.rows:
            sheet.set_row(0, 24)
            sheet.write_string(0, 0, self.c.title, self.title)
            sheet.write_string(1, 0, self.c.subtitle, self.grey_line)
            row = 3
        sheet.write_string(row, 0, title, self.h2)
        return sheet, row + 1

    def paragraph(self, sheet: Any, row: int, words: str) -> int:
        """Write a sentence across the sheet; returns the next row."""
        sheet.merge_range(row, 0, row, 7, "", self.para)
        sheet.write_string(row, 0, cell_text(words), self.para)
        sheet.set_row(row, 15 * (1 + width(words) // self.line))
        return row + 1

    def block(self, code: str, part: Block, row: int) -> int:
        """Write a table; returns the next free row, one line below."""
        sheet, widths = self.sheets[code], self.widths[code]
        if part.title:
            sheet.write_string(row, 0, part.title, self.h2)
            row += 1
        if part.note:
            row = self.paragraph(sheet, row, part.note)
        self.heads[code].append(row)
        for at, column in enumerate(part.columns):
            widths[at] = max(widths.get(at, 0), min(width(column.heading) + 3, self.most_head))
            heading = unit_below(column.heading) if width(column.heading) + 3 > widths[at] else column.heading
            sheet.write_string(row, at, heading, self.head_right if column.numeric else self.head)
        if any(width(c.heading) + 3 > widths[at] for at, c in enumerate(part.columns)):
            sheet.set_row(row, 44 if self.narrow else 30)
        first = row + 1
        last_is_sum = part.total_rows == frozenset({len(part.rows) - 1}) and len(part.rows) > 1
        for n, record in enumerate(part.rows):
            row = first + n
            total, lines = n in part.total_rows, 1
            for at, column in enumerate(part.columns):
                value = scaled(record[column.key], column.kind, self.c.unit)
                style = self.formats[column.kind, total]
                if (
                    last_is_sum
                    and total
                    and column.kind in {"money", "yuan", "count"}
                    and value is not None
                    and abs(value) != float("inf")
                ):
                    cells = f"{letter(at)}{first + 1}:{letter(at)}{first + n}"
                    sheet.write_formula(row, at, f"=SUM({cells})", style, value)
                elif (formula := self._formula(part, record, column.key, row)) is not None:
                    sheet.write_formula(row, at, formula, style, value)
                else:
                    write_cell(sheet, row, at, value, style)
                if column.kind == "text":
                    lines = max(lines, 1 + (width(str(value or "")) + 1) // self.most_text)
                    widths[at] = max(widths.get(at, 0), min(width(str(value or "")) + 2, self.most_text))
                else:
                    widths[at] = max(widths.get(at, 0), self.least_figure)
            if lines > 1 or to_be_filled(part):
                sheet.set_row(row, max(14 * lines, 32 if to_be_filled(part) else 0))
        row += 1
        if part.source:
            sheet.write_string(row, 0, self.t("report.table_source", source=part.source), self.grey_line)
            row += 1
        return row + 1

    def _formula(self, part: Block, record: dict[str, Any], key: str, row: int) -> str | None:
        """The live formula of a cell, where all that it needs is there."""
        if key not in part.formulas or scaled(record[key], "number", self.c.unit) is None:
            return None
        named = re.findall(r"\{(\w+)\}", part.formulas[key])
        if any(scaled(record[n], "number", self.c.unit) is None for n in named):
            return None
        at = {c.key: f"{letter(n)}{row + 1}" for n, c in enumerate(part.columns)}
        return "=" + part.formulas[key].format(**at)

    def pictures(self, code: str, section: Section) -> None:
        """The figures of a section as pictures with their sources, for who has the workbook only."""
        sheet = self.sheets[code]
        for part in section.parts:
            if not isinstance(part, Chart) or part.axes is None:
                continue
            self.drawn.add(code)
            sheet.write_string(self.rows[code], 0, part.title, self.h2)
            options = {
                "image_data": io.BytesIO(part.png(110)),
                "description": cell_text(part.words)[:255],
                "object_position": 2,
            }
            sheet.insert_image(self.rows[code] + 1, 0, "figure.png", options)
            self.rows[code] += 1 + self.picture_rows(part)
            if part.source:
                source = self.t("report.table_source", source=part.source)
                sheet.write_string(self.rows[code], 0, source, self.grey_line)
            self.rows[code] += 2

    @staticmethod
    def picture_rows(part: Chart) -> int:
        """Rows of 15 points that a picture takes, at the size that it was drawn."""
        assert part.axes is not None
        figure = part.axes.get_figure(root=True)
        assert figure is not None
        return int(figure.get_size_inches()[1] * 72 * 110 / 96 / 15) + 2


def unit_below(heading: str) -> str:
    r"""A heading with its unit on a line of its own, so that no line break falls within the unit.

    Examples
    --------
    >>> unit_below("保险公司每年（万元）"), unit_below("insurer a year (thousand yuan)"), unit_below("月份")
    ('保险公司每年\n（万元）', 'insurer a year\n(thousand yuan)', '月份')
    """
    return re.sub(r" ?([（(][^（(]*[)）])$", r"\n\1", heading)


def letter(column: int) -> str:
    """Letters of a column, counted from 0.

    Examples
    --------
    >>> letter(27)
    'AB'
    """
    return chr(65 + column) if column < 26 else chr(64 + column // 26) + chr(65 + column % 26)
