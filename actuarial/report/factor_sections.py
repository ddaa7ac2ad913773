"""Sections on the two factors between last year's cost and next year's: policy and growth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from actuarial.benefits.factor import RepricedFactor
from actuarial.growth import GrowthFit
from actuarial.report.blocks import Block, Chart, Section, block, chart, records
from actuarial.report.charts import raw_growth_chart
from actuarial.report.context import Context
from actuarial.report.data_sections import precedent_block
from actuarial.results import shown, suppress_small_cells
from actuarial.tables import term_label

BAND = 1.959963984540054
"""Standard normal at 97.5%."""


def policy_section(k: Context) -> Section:
    """The policy factor with its error; where claims were repriced, what moved it and whether the old rules fit."""
    factor = k.sim.cost.policy
    low, high = factor.interval() if isinstance(factor, RepricedFactor) else factor.factor([-BAND, BAND])
    stated = factor.sources[-1] if factor.sources else None
    cited = f"{stated.document} {stated.locator}".strip() if stated else ""
    rows = [
        {"item": k.t("report_words.policy_method"), "value": k.t(f"report_words.policy_{factor.method}")},
        {"item": k.t("assume.policy"), "value": shown(factor.coefficient, "number", k.unit)},
        {"item": k.t("report_words.sd_points"), "value": shown(factor.sd, "number", k.unit)},
        {
            "item": k.t("report_words.interval_95"),
            "value": k.t("report_words.span", low=f"{float(low):.4f}", high=f"{float(high):.4f}"),
        },
        {"item": k.t("col.status"), "value": k.status(stated.status) if stated else ""},
    ]
    parts: list[Block | Chart] = [block("", [k.col("item"), k.col("value")], rows, source=cited)]
    if isinstance(factor, RepricedFactor):
        parts += _repriced(k, factor)
    parts += precedent_block(k)
    return Section(k.t("report_words.policy_title"), (k.t("report_words.policy_note"),), tuple(parts))


def _repriced(k: Context, factor: RepricedFactor) -> list[Block | Chart]:
    cells = factor.by("category", "level")
    if "persons" in cells:
        cells = suppress_small_cells(cells, "persons", ["claims", "paid", "new", "factor"])
    cells = cells.assign(
        category=[term_label(str(c), k.lang) for c in cells["category"]],
        level=[term_label(str(c), k.lang) for c in cells["level"]],
    )
    columns = [k.col("category"), k.col("level"), k.col("claims", "count"), k.col("paid", "money"), k.col("new", "money", "new_rules"),
               k.col("factor", "number", "policy_factor")]  # fmt: skip
    figure = chart(
        k.t("report_words.policy_changes"), factor.plot(lang=k.lang), k.t("report_words.policy_changes_note")
    )
    return [figure, block(k.t("report_words.policy_cells"), columns, cells)]


def growth_section(k: Context) -> Section:
    """The growth that was used, its spread, and why raw growth was not."""
    growth = k.sim.cost.growth
    z = np.array([-BAND, -1.2815515655446004, 0.0, 1.2815515655446004, BAND])
    quantiles = 100 * (growth.factor(z) - 1) if not isinstance(growth, GrowthFit) or growth.single else None
    rows: list[dict[str, Any]] = []
    if quantiles is not None:
        rows = [
            {
                "growth_used": k.t("report_words.growth_all"),
                **dict(zip(("q025", "q10", "q50", "q90", "q975"), quantiles / 100, strict=True)),
            }
        ]
    else:
        assert isinstance(growth, GrowthFit)
        forecast = growth.forecast(1)
        frame = pd.DataFrame(forecast.quantile([0.025, 0.1, 0.5, 0.9, 0.975]))
        for n, name in enumerate(forecast.names):
            column = frame.iloc[:, n].to_numpy() / forecast.last[n] - 1
            rows.append(
                {
                    "growth_used": term_label(str(name), k.lang),
                    **dict(zip(("q025", "q10", "q50", "q90", "q975"), column, strict=True)),
                }
            )
    columns = [k.col("growth_used"), *(k.col(q, "percent") for q in ("q025", "q10", "q50", "q90", "q975"))]
    spec = k.plan.model.growth
    words = [
        k.t(
            "report_words.growth_note",
            method=k.t(f"report_words.growth_{spec.method}"),
            status=k.status(spec.status),
        )
    ]
    parts: list[Block | Chart] = [block("", columns, rows, source=f"{spec.source}；{k.plan.file}: growth")]
    if isinstance(growth, GrowthFit):
        history = growth.history.on_level
        table = history.reset_index()
        table.columns = ["year", *(term_label(str(c), k.lang) for c in history.columns)]
        from actuarial.report.blocks import Column

        heads = [k.col("year"), *(Column(str(c), f"{c} ({k.t('label.yuan_per_person')})", "yuan") for c in table.columns[1:])]  # fmt: skip
        table["year"] = [str(int(y)) for y in table["year"]]
        parts.append(block(k.t("report_words.growth_history"), heads, records(table), source=k.cited(getattr(spec, "table", ""))))  # fmt: skip
        words += [n.message(k.lang) for n in growth.notes]
    return Section(k.t("report_words.growth_title"), tuple(words), (*parts, *raw_parts(k)))


def raw_parts(k: Context) -> list[Block | Chart]:
    """Raw growth of past spending beside its financing, and why it is not used."""
    raw = k.a.raw
    if raw is None:
        return []
    years = raw.frame["year"]
    gaps = k.t("report.raw_gap", years="、".join(map(str, raw.gaps))) if raw.gaps else ""
    note = k.t("report.raw_note", **{"from": int(years.iloc[0])}, to=int(years.iloc[-1]), gaps=gaps,
                  spending=f"{100 * raw.spending_growth:.0f}", financing=f"{100 * raw.financing_growth:.0f}")  # fmt: skip
    columns = [k.col("year"), k.col("per_capita", "yuan", "spending"), k.col("financing", "yuan"),
               k.col("per_capita_growth", "percent", "spending_growth"), k.col("financing_growth", "percent")]  # fmt: skip
    rows = raw.frame.assign(year=[str(int(y)) for y in years])
    cited = k.cited("raw_history")
    table = block(k.t("report.raw"), columns, rows, source=cited, note=note)
    return [
        chart(
            k.t("report.raw"), raw_growth_chart(raw, k.lang), k.t("report_words.raw_chart_note"), source=cited
        ),
        table,
    ]
