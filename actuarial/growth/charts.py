"""The chart of a fit: history, neighbours, fan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from actuarial.growth.places import label_of
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
        _neighbours(ax, one.neighbours, level, lang)
        _fan(ax, one, level, min(h, one.fitted.furthest), lang)
        _history(ax, one, level, lang)
        if not fit.single:
            ax.set_title(label_of(one.names[0]), fontsize=10)
        ax.set_ylabel(text("growth_words.chart_level", lang))
        ax.set_xlabel(text("label.year", lang))
        ax.yaxis.set_major_formatter(thousands)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(loc="upper left")
    return ax


def _fan(ax: Axes, fit: GrowthFit, level: pd.Series, h: int, lang: str | None) -> None:
    """Intervals and median from the last level on."""
    found = [fit.forecast(n) for n in range(1, 1 + h)]
    start = float(level.iloc[-1])
    years = [int(level.index[-1]), *(f.year for f in found)]

    def line(q: float) -> list[float]:
        return [start, *(f.last[0] * float(np.exp(f.parts[0].quantile(q))) for f in found)]

    for low, high, shade in _SHADES:
        name = text("growth_words.chart_interval", lang, level=round(100 * (high - low)))
        ax.fill_between(years, line(low), line(high), color=COLOURS[shade], label=name, linewidth=0)
    ax.plot(years, line(0.5), color=COLOURS["accent"], label=text("chart.median", lang))


def _history(ax: Axes, fit: GrowthFit, level: pd.Series, lang: str | None) -> None:
    """Levels as given where they differ, levels at the policy in force, and jumps."""
    raw = fit.history.raw.iloc[:, 0].dropna()
    if not raw.equals(level):
        name = text("growth_words.chart_raw", lang)
        ax.plot(raw.index, raw, color=COLOURS["ink"], linestyle=":", label=name)
    called_raw = any(n.code.startswith("growth_words.note_raw") for n in fit.notes)
    name = text(f"growth_words.chart_{'raw' if called_raw else 'history'}", lang)
    ax.plot(level.index, level, marker="o", color=COLOURS["main"], label=name)
    once: str | None = text("growth_words.chart_jump", lang)
    for jump in fit.breaks:
        if jump.series == label_of(fit.names[0]):
            place = float(jump.period) - 0.5  # type: ignore[arg-type]
            ax.axvline(place, color=COLOURS["bad"], linestyle="--", linewidth=1, label=once)
            once = None


def _neighbours(ax: Axes, neighbours: pd.DataFrame, level: pd.Series, lang: str | None) -> None:
    name_once: str | None = text("growth_words.chart_neighbours", lang)
    top, bottom = 1.6 * float(level.max()), 0.4 * float(level.min())
    for name in list(neighbours.columns)[:_MOST]:
        other = neighbours[name].dropna()
        shared = other.index.intersection(level.index)
        if len(shared) == 0:
            continue
        other = other.loc[level.index[0] :] * float(level[shared[-1]] / other[shared[-1]])
        ax.plot(
            other.index,
            other.clip(bottom, top),
            color=COLOURS["grid"],
            linewidth=0.9,
            label=name_once,
            zorder=1,
        )
        name_once = None
