"""The report as a workbook: live formulas where a bureau checks them, native charts, text that stays text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from actuarial.budget import budget_form, form_source
from actuarial.pipeline import Answer
from actuarial.report.blocks import Block
from actuarial.report.content import Content
from actuarial.report.sheets import letter
from actuarial.report.workbook_charts import NativeCharts
from actuarial.results import new_workbook

SHEETS = {
    "answer": "answer", "forecast": "fan", "risk": "curve", "drivers": "waterfall", "contract": "contract",
    "scenarios": "scenarios", "budget": "budget", "data": "base", "assumptions": "sources", "sources": "sources",
    "manifest": "manifest", "policy": "base", "growth": "base",
    "amounts": "statement", "parties": "statement", "months": "months", "result": "result", "terms": "terms",
    "readings": "readings", "signature": "statement", "ledger": "ledger",
    "letter": "summary", "measures": "summary", "year_end": "items", "errors": "warnings",
}  # fmt: skip
"""Sheet of each section of the report."""


def write_workbook(answer: Answer | None, content: Content, path: Path) -> Path:
    """Write the workbook, whole or not at all; the charts of the actuarial report are drawn from its answer.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    with new_workbook(path) as book:
        valued = pd.Timestamp(content.dated).to_pydatetime()
        book.set_properties({"title": content.title, "subject": content.subtitle, "created": valued})
        _Writer(book, answer, content).write()
    return path


class _Writer(NativeCharts):
    """One workbook being written."""

    def __init__(self, book: Any, answer: Answer | None, content: Content) -> None:
        super().__init__(book, content, SHEETS)
        self.a = answer

    def write(self) -> None:
        """Write every section, the form and native charts of the actuarial report."""
        for section in self.c.sections:
            code = self.open(section)
            if code == "budget":
                self.budget(self.sheets[code])
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
                self.drawn.add(code)
                if code in {"fan", "waterfall"}:
                    self.tall.add(code)
                draw(self.sheets[code])
            if code == "waterfall":
                self.shares(self.sheets[code], section)
        long = {"terms", "ledger"} if self.c.kind not in {"actuarial", "monitoring"} else set(self.sheets)
        self.finish(long - self.drawn)  # a picture is not cut in two

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
                            f"{letter(where[p][1] + offset)}{where[p][0] + 1}"
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
            end, 0, self.t("report.table_source", source=form_source(self.c.lang)), self.grey_line
        )
        self.rows["budget"] = end + 2
