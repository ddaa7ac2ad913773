"""Charts of Excel's own in the report's workbook, each beside the figures that it draws."""

from __future__ import annotations

from typing import Any

from actuarial.report.blocks import Block, Section
from actuarial.report.sheets import ContentSheets
from actuarial.results import COLOURS, write_cell
from actuarial.safe import sheet_name


class NativeCharts(ContentSheets):
    """Sheets with charts of an answer."""

    a: Any

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
            [self.t("col.step"), *(self.t(f"report.steps_{c}") for c in ("below", "rise", "fall"))],
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
