"""The chart of a fit: history, neighbours, fan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from actuarial.results import COLOURS, figure_style, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.growth.result import GrowthFit

_SHADES = ((0.025, 0.975, "lighter"), (0.1, 0.9, "light"))
_MOST = 40
"""Neighbours drawn at most; more would be a grey wall."""


def growth_chart(fit: GrowthFit, ax: Axes | None, lang: str | None, h: int) -> Axes:
    """History in colour, neighbours in grey at the same last level, and the fan of the next `h` years.

    Of a panel the first column is shown; :meth:`GrowthFit.fund` chooses another.
    """
    one = fit if fit.single else fit.fund(fit.names[0]) if fit.history.kind == "fund" else fit
    with figure_style():
        from matplotlib.ticker import MaxNLocator

        ax = ax or new_axes()
        level = one.history.on_level.iloc[:, 0].dropna()
        raw = one.history.raw.iloc[:, 0].dropna()
        _neighbours(ax, one.neighbours, level, lang)
        horizons = range(1, 1 + min(h, 1 if one.trend and len(one.trend[0].centre) == 1 else h))
        found = [one.forecast(n) for n in horizons]
        years = [int(level.index[-1]), *(f.year for f in found)]
        for low, high, shade in _SHADES:
            lows = [
                float(level.iloc[-1]),
                *(f.last[0] * float(np.exp(f.parts[0].quantile(low))) for f in found),
            ]
            highs = [
                float(level.iloc[-1]),
                *(f.last[0] * float(np.exp(f.parts[0].quantile(high))) for f in found),
            ]
            label = text("growth_words.chart_interval", lang, level=round(100 * (high - low)))
            ax.fill_between(years, lows, highs, color=COLOURS[shade], label=label, linewidth=0)
        middle = [
            float(level.iloc[-1]),
            *(f.last[0] * float(np.exp(f.parts[0].quantile(0.5))) for f in found),
        ]
        ax.plot(years, middle, color=COLOURS["accent"], label=text("chart.median", lang))
        if not raw.equals(level):
            ax.plot(
                raw.index,
                raw,
                color=COLOURS["ink"],
                linestyle=":",
                label=text("growth_words.chart_raw", lang),
            )
        ax.plot(
            level.index,
            level,
            marker="o",
            color=COLOURS["main"],
            label=text("growth_words.chart_history", lang),
        )
        for jump in one.breaks:
            if jump.series == str(one.names[0]):
                ax.axvline(float(jump.period) - 0.5, color=COLOURS["bad"], linestyle="--", linewidth=1)  # type: ignore[arg-type]
        ax.set_ylabel(text("label.yuan_per_person", lang))
        ax.set_xlabel(text("label.year", lang))
        ax.yaxis.set_major_formatter(thousands)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(loc="upper left")
    return ax


def _neighbours(ax: Axes, neighbours: pd.DataFrame, level: pd.Series, lang: str | None) -> None:
    label: str | None = text("growth_words.chart_neighbours", lang)
    top, bottom = 1.6 * float(level.max()), 0.4 * float(level.min())
    for name in list(neighbours.columns)[:_MOST]:
        other = neighbours[name].dropna()
        shared = other.index.intersection(level.index)
        if len(shared) == 0:
            continue
        other = other.loc[level.index[0] :] * float(level[shared[-1]] / other[shared[-1]])
        ax.plot(
            other.index, other.clip(bottom, top), color=COLOURS["grid"], linewidth=0.9, label=label, zorder=1
        )
        label = None
