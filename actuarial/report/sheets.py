"""A document's content as sheets: sections, sentences, tables and pictures, text that stays text.

What any document needs; what one kind of document adds (the official form, native charts) stands with it.
"""

from __future__ import annotations

import io
from math import ceil
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
    """

    def __init__(self, book: Any, content: Content) -> None:
        self.book, self.c = book, content
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
        narrow = content.kind == "negotiation"  # all on one page A4
        self.most_text, self.most_head, self.least_figure = (38, 12, 11) if narrow else (46, 24, 14)
        self.line = 105 if narrow else 100
        self.grey_line = book.add_format({"font_color": "#6A7782", "font_size": 9})
        self.sheets: dict[str, Any] = {}
        self.rows: dict[str, int] = {}
        self.widths: dict[str, dict[int, int]] = {}

    def t(self, code: str, **params: Any) -> str:
        """A text in the document's language."""
        return text(code, self.c.lang, **params)

    def sheet_title(self, code: str) -> str:
        """The name of a sheet."""
        words = "report" if has_text(f"report.sheet_{code}") else "report_words"
        return sheet_name(self.t(f"{words}.sheet_{code}"))

    def sheet(self, code: str, title: str) -> tuple[Any, int]:
        """The sheet of a section, and the next free row."""
        if code in self.sheets:
            row = self.rows[code] + 1
            self.sheets[code].write_string(row, 0, title, self.h2)
            return self.sheets[code], row + 1
        sheet = self.book.add_worksheet(self.sheet_title(code))
        self.sheets[code], self.widths[code] = sheet, {0: 8 if self.c.kind == "statement" else 26}
        row = 0
        if not self.rows:
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
        for at, column in enumerate(part.columns):
            sheet.write_string(row, at, column.heading, self.head_right if column.numeric else self.head)
            widths[at] = max(widths.get(at, 0), min(width(column.heading) + 3, self.most_head))
        if any(width(c.heading) + 3 > widths[at] for at, c in enumerate(part.columns)):
            sheet.set_row(row, 30)
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

    def pictures(self, code: str, section: Section) -> None:
        """The figures of a section as pictures, for who has the workbook only."""
        for part in section.parts:
            if not isinstance(part, Chart) or part.axes is None:
                continue
            picture = io.BytesIO(part.png(110))
            options = {
                "image_data": picture,
                "description": cell_text(part.words)[:255],
                "object_position": 2,
            }
            self.sheets[code].insert_image(self.rows[code], 0, "figure.png", options)
            figure = part.axes.get_figure(root=True)
            assert figure is not None
            self.rows[code] += ceil(figure.get_figheight() * 110 / 20)  # rows of 20 pixels


def letter(column: int) -> str:
    """Letters of a column, counted from 0.

    Examples
    --------
    >>> letter(27)
    'AB'
    """
    return chr(65 + column) if column < 26 else chr(64 + column // 26) + chr(65 + column % 26)
