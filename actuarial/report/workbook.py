"""The report as a workbook: live formulas where a bureau checks them, native charts, text that stays text."""

from __future__ import annotations

import io
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd

from actuarial.budget import budget_form
from actuarial.pipeline import Answer
from actuarial.report.blocks import Block, Chart, Section
from actuarial.report.captions import to_be_filled
from actuarial.report.content import Content
from actuarial.results import COLOURS, DECIMALS, WORKBOOK_OPTIONS, atomic_path, scaled, write_cell
from actuarial.safe import cell_text, sheet_name, width
from actuarial.texts import has_text, text

SHEETS = {
    "answer": "answer", "forecast": "fan", "risk": "curve", "drivers": "waterfall", "contract": "contract",
    "scenarios": "scenarios", "budget": "budget", "data": "base", "assumptions": "sources", "sources": "sources",
    "manifest": "manifest", "policy": "base", "growth": "base",
    "amounts": "statement", "parties": "statement", "months": "months", "result": "result", "terms": "terms",
    "readings": "readings", "signature": "statement", "ledger": "ledger",
}  # fmt: skip
"""Sheet of each section of the report."""


def write_workbook(answer: Answer | None, content: Content, path: Path) -> Path:
    """Write the workbook, whole or not at all; the charts of the actuarial report are drawn from its answer.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    import xlsxwriter

    with atomic_path(path) as temporary:
        book = xlsxwriter.Workbook(str(temporary), WORKBOOK_OPTIONS)
        valued = pd.Timestamp(content.dated).to_pydatetime()
        book.set_properties({"title": content.title, "subject": content.subtitle, "created": valued})
        _Writer(book, answer, content).write()
        book.close()
    return path


class _Writer:
    """One workbook being written."""

    def __init__(self, book: Any, answer: Answer | None, content: Content) -> None:
        self.book, self.c = book, content
        self.a: Any = answer
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
        self.sheets: dict[str, Any] = {}
        self.rows: dict[str, int] = {}
        self.widths: dict[str, dict[int, int]] = {}

    def t(self, code: str, **params: Any) -> str:
        return text(code, self.c.lang, **params)

    def write(self) -> None:
        for section in self.c.sections:
            code = SHEETS.get(section.code, section.code)
            sheet, row = self.sheet(code, section.title)
            for paragraph in section.paragraphs:
                row = self.paragraph(sheet, row, paragraph)
            self.rows[code] = row + 1
            if code == "budget":
                self.budget(sheet)
                parts = [p for p in section.parts if isinstance(p, Block)][1:]
            else:
                parts = [p for p in section.parts if isinstance(p, Block)]
            for part in parts:
                self.rows[code] = self.block(code, part, self.rows[code])
            if self.c.kind != "actuarial":
                self.pictures(code, section)
                continue
            draw = {
                "fan": self.fan,
                "curve": self.curve,
                "waterfall": self.waterfall,
                "contract": self.payoff,
            }.get(code)
            if draw is not None:
                draw(self.sheets[code])
            if code == "waterfall":
                self.shares(self.sheets[code], section)
        for code, sheet in self.sheets.items():
            for column, wide in self.widths[code].items():
                sheet.set_column(column, column, wide)
            if self.c.kind == "negotiation":
                sheet.set_margins(0.4, 0.4, 0.5, 0.5)
            else:
                sheet.set_landscape()
            sheet.set_paper(9)
            long = self.c.kind == "actuarial" or code in {"terms", "ledger"}
            sheet.fit_to_pages(1, 0 if long else 1)  # a picture is not cut in two
            sheet.hide_gridlines(2)

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
                    cells = f"{_letter(at)}{first + 1}:{_letter(at)}{first + n}"
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

    @property
    def grey_line(self) -> Any:
        if not hasattr(self, "_grey_line"):
            self._grey_line = self.book.add_format({"font_color": "#6A7782", "font_size": 9})
        return self._grey_line

    # ---------------------------------------------------------------- official form

    def budget(self, sheet: Any) -> None:
        """The official form: revenue left, expenditure right, sums as live formulas."""
        draft, unit = self.a.budget, self.c.unit
        start = self.rows["budget"]
        where: dict[str, tuple[int, int]] = {}
        for side, left in (("revenue", 0), ("expenditure", 4)):
            names = list(budget_form()[side])
            last = max(len(budget_form()[s]) for s in ("revenue", "expenditure")) - 1
            for n, name in enumerate(names):  # grand totals stand in one row, as in the printed form
                where[name] = (start + 1 + (last if n == len(names) - 1 else n), left)
        sheet.set_row(start, 30)  # headings may need two lines
        for left in (0, 4):
            headings = [
                self.t("col.line"),
                self.t("col.last", unit=unit.label),
                self.t("col.draft", unit=unit.label),
            ]
            for at, heading in enumerate(headings):
                sheet.write_string(start, left + at, heading, self.head_right if at else self.head)
        for side in ("revenue", "expenditure"):
            for name, line in budget_form()[side].items():
                row, left = where[name]
                bold = "sum" in line or "minus" in line
                label = line[self.c.lang]
                sheet.write_string(
                    row,
                    left,
                    "\u3000" * (len(label) - len(label.lstrip())) + label.strip(),
                    self.formats["text", bold],
                )
                for at, values in ((left + 1, draft.last), (left + 2, draft.draft)):
                    style, value = self.formats["money", bold], values[name] / unit.scale
                    if bold:
                        offset = at - left
                        refs = [
                            f"{_letter(where[p][1] + offset)}{where[p][0] + 1}"
                            for p in line.get("sum", line.get("minus", []))
                        ]
                        sheet.write_formula(
                            row, at, "=" + ("+" if "sum" in line else "-").join(refs), style, value
                        )
                    elif draft.last[name] or draft.draft[name]:
                        sheet.write_number(row, at, value, style)
                    else:
                        sheet.write_blank(row, at, None, style)
        self.widths["budget"] |= {0: 36, 1: 22, 2: 22, 3: 3, 4: 36, 5: 22, 6: 22}
        end = max(r for r, _ in where.values()) + 1
        sheet.write_string(
            end, 0, self.t("report.table_source", source=budget_form()["source"]), self.grey_line
        )
        self.rows["budget"] = end + 2

    # ---------------------------------------------------------------- native charts

    def _frame(
        self, sheet: Any, code: str, headings: list[str], columns: list[list[Any]], formats: list[str]
    ) -> int:
        """Write chart data; returns its first row."""
        row = self.rows[code]
        for at, (heading, values, kind) in enumerate(zip(headings, columns, formats, strict=True)):
            sheet.write_string(row, at, heading, self.head)
            for n, value in enumerate(values):
                write_cell(sheet, row + 1 + n, at, value, self.formats[kind, False])
            self.widths[code][at] = max(self.widths[code].get(at, 0), 14)
        self.rows[code] = row + len(columns[0]) + 2
        return row + 1

    def _chart(self, kind: str, title: str, x: str, y: str, **more: Any) -> Any:
        chart = self.book.add_chart({"type": kind, **more})
        font = {"name": "Microsoft YaHei" if self.c.lang == "zh" else "Calibri", "size": 9}
        chart.set_title({"name": title, "name_font": {**font, "size": 12}})
        chart.set_x_axis({"name": x, "name_font": font, "num_font": font, "label_position": "low"})
        chart.set_y_axis(
            {
                "name": y,
                "name_font": font,
                "num_font": font,
                "major_gridlines": {"visible": True, "line": {"color": "#D9DEE3"}},
            }
        )
        chart.set_legend({"position": "bottom", "font": font})
        chart.set_size({"width": 860, "height": 380})
        return chart

    def fan(self, sheet: Any) -> None:
        """Quantiles of the balance at the present standard and at the rounded target."""
        name = sheet_name(self.t("report.sheet_fan"))
        for code, premium in (
            ("forecast_present", self.a.simulation.standard),
            ("forecast_target", self.a.budget.premium),
        ):
            fan = self.a.simulation.fan(premium)
            title = self.t(f"report.{code}", premium=f"{premium:,.0f}")
            sheet.write_string(self.rows["fan"], 0, title, self.h2)
            self.rows["fan"] += 1
            levels = ["q0.025", "q0.1", "q0.5", "q0.9", "q0.975", "mean"]
            heads = [self.t("col.month"), "2.5%", "10%", "50%", "90%", "97.5%", self.t("col.mean")]
            columns = [
                [str(m) for m in fan["month"]],
                *[(fan[q] / self.c.unit.scale).tolist() for q in levels],
            ]
            first = self._frame(sheet, "fan", heads, columns, ["text", *["money"] * 6])
            chart = self._chart("line", title, "", self.t("chart.balance", unit=self.c.unit.label))
            colours = ["#9CC3DD", "#6EA6C9", "#1F5F8B", "#6EA6C9", "#9CC3DD"]
            for at, colour in enumerate(colours, 1):
                chart.add_series({
                    "name": heads[at], "categories": [name, first, 0, first + len(fan) - 1, 0],
                    "values": [name, first, at, first + len(fan) - 1, at],
                    "line": {"color": colour, "width": 2.25 if at == 3 else 1.25},
                })  # fmt: skip
            sheet.insert_chart(self.rows["fan"], 0, chart)
            self.rows["fan"] += 21

    def curve(self, sheet: Any) -> None:
        """Probability of a deficit over the amount per head."""
        name = sheet_name(self.t("report.sheet_curve"))
        target = self.a.target
        alphas = [0.995, 0.975, 0.95, *[a / 100 for a in range(90, 4, -5)], 0.04, 0.03, 0.02, 0.01, 0.005]
        frame = target.curve(alphas)
        frame = frame[frame["premium"].abs() < float("inf")]
        heads = [self.t("col.premium"), self.t("col.probability")]
        first = self._frame(
            sheet,
            "curve",
            heads,
            [frame["premium"].tolist(), (100 * frame["deficit_probability"]).tolist()],
            ["yuan", "yuan"],
        )
        chart = self._chart("scatter", self.t("report.risk"), heads[0], heads[1], subtype="smooth")
        chart.add_series({
            "name": heads[1], "categories": [name, first, 0, first + len(frame) - 1, 0],
            "values": [name, first, 1, first + len(frame) - 1, 1], "line": {"color": COLOURS["main"], "width": 2.25},
        })  # fmt: skip
        chart.set_legend({"none": True})
        if len(frame):
            low, high = frame["premium"].min(), frame["premium"].max()
            chart.set_x_axis(
                {"name": heads[0], "min": float(int(low // 10) * 10), "max": float(int(high // 10 + 1) * 10)}
            )
        chart.set_y_axis(
            {
                "name": heads[1],
                "min": 0,
                "max": 100,
                "major_gridlines": {"visible": True, "line": {"color": "#D9DEE3"}},
            }
        )
        sheet.insert_chart(4, 6, chart)

    def waterfall(self, sheet: Any) -> None:
        """Steps from last year's cost to the target, as floating columns."""
        steps = self.a.table
        if steps["yuan_per_person"].abs().max() == float("inf"):
            return
        name = sheet_name(self.t("report.sheet_waterfall"))
        labels, low, up, down, level = [], [], [], [], 0.0
        for n, (step, value) in enumerate(zip(steps["step"], steps["yuan_per_person"], strict=True)):
            labels.append(self.t(f"label.step_{step}"))
            low.append(0.0 if n == 0 else min(level, level + value))
            up.append(max(value, 0.0))
            down.append(max(-value, 0.0))
            level += value
        labels.append(self.t("label.step_target"))
        low, up, down = [*low, 0.0], [*up, level], [*down, 0.0]
        first = self._frame(
            sheet,
            "waterfall",
            [self.t("col.step"), "", "+", "−"],
            [labels, low, up, down],
            ["text", "yuan", "yuan", "yuan"],
        )
        chart = self._chart(
            "column", self.t("report.drivers"), "", self.t("label.yuan_per_person"), subtype="stacked"
        )
        for at, fill in (
            (1, {"none": True}),
            (2, {"color": COLOURS["accent"]}),
            (3, {"color": COLOURS["good"]}),
        ):
            points = [
                {"fill": {"color": COLOURS["main"]}},
                *[None] * (len(labels) - 2),
                {"fill": {"color": COLOURS["ink"]}},
            ]
            chart.add_series({
                "categories": [name, first, 0, first + len(labels) - 1, 0], "values": [name, first, at, first + len(labels) - 1, at],
                "fill": fill, "gap": 60, **({"points": points} if at == 2 else {}),
            })  # fmt: skip
        chart.set_legend({"none": True})
        sheet.insert_chart(self.rows["waterfall"], 0, chart)

    def shares(self, sheet: Any, section: Section) -> None:
        """Shares of the variance as bars, the largest on top."""
        found = [p for p in section.parts if isinstance(p, Block) and p.columns[0].key == "factor"]
        if not found:
            return
        self.rows["waterfall"] += 21
        heads, rows = [c.heading for c in found[0].columns[:2]], found[0].rows
        columns = [[r["factor"] for r in rows], [100 * r["share"] for r in rows]]
        first = self._frame(sheet, "waterfall", heads, columns, ["text", "percent"])
        name, last = sheet_name(self.t("report.sheet_waterfall")), first + len(rows) - 1
        chart = self._chart("bar", self.t("report_shares.title"), "", "")
        chart.add_series({
            "name": heads[1], "categories": [name, first, 0, last, 0], "values": [name, first, 1, last, 1],
            "fill": {"color": COLOURS["main"]}, "gap": 60, "data_labels": {"value": True, "num_format": "0"},
        })  # fmt: skip
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True})
        chart.set_x_axis({"min": 0, "num_format": "0"})
        sheet.insert_chart(self.rows["waterfall"], 0, chart)

    def payoff(self, sheet: Any) -> None:
        """The insurer's result over the outcome."""
        deal = self.a.contract
        if deal is None:
            return
        name = sheet_name(self.t("report.sheet_contract"))
        bands = deal.contract.bands(deal.target)
        edge = bands.edges[-1] * 1.25
        xs = sorted({-edge, *bands.edges, 0.0, edge})
        unit = self.c.unit
        heads = [self.t("chart.outcome", unit=unit.label), self.t("chart.insurer_result", unit=unit.label)]
        first = self._frame(
            sheet,
            "contract",
            heads,
            [[x / unit.scale for x in xs], [float(bands(x)) / unit.scale for x in xs]],
            ["money", "money"],
        )
        chart = self._chart(
            "scatter", self.t("report.contract"), heads[0], heads[1], subtype="straight_with_markers"
        )
        chart.add_series({
            "name": heads[1], "categories": [name, first, 0, first + len(xs) - 1, 0], "values": [name, first, 1, first + len(xs) - 1, 1],
            "line": {"color": COLOURS["accent"], "width": 2.25}, "marker": {"type": "circle", "size": 5},
        })  # fmt: skip
        chart.set_legend({"none": True})
        sheet.insert_chart(self.rows["contract"], 0, chart)


def _letter(column: int) -> str:
    return chr(65 + column) if column < 26 else chr(64 + column // 26) + chr(65 + column % 26)
