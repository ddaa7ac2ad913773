"""Charts that belong to the report alone; the others are ``.plot()`` of the results."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes

from actuarial.experience import AnnualBase
from actuarial.fund import Arrears
from actuarial.growth import RawGrowth
from actuarial.results import COLOURS, Unit, figure_style, new_axes, thousands
from actuarial.tables import term_label
from actuarial.texts import text


def waterfall_chart(steps: pd.DataFrame, lang: str | None = None) -> Axes:
    """From last year's cost to the target, step by step [yuan/person/year]."""
    names = [text(f"label.step_{s}", lang) for s in steps["step"]]
    values = steps["yuan_per_person"].tolist()
    with figure_style():
        ax = new_axes(8.0, 4.4)
        if not all(map(math.isfinite, values)):
            ax.text(0.5, 0.5, text("label.infinite", lang), ha="center", transform=ax.transAxes)
            return ax
        level = 0.0
        for i, value in enumerate(values):
            first = i == 0
            colour = COLOURS["main"] if first else (COLOURS["accent"] if value >= 0 else COLOURS["good"])
            ax.bar(i, value, bottom=0 if first else level, color=colour, width=0.62)
            level += value
            top = max(level, level - value)
            label = (
                f"{value:,.1f}"
                if first
                else f"{value:+,.1f}".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")
            )
            ax.annotate(
                label,
                (i, top),
                ha="center",
                va="bottom",
                fontsize=9.5,
                xytext=(0, 2),
                textcoords="offset points",
            )
            ax.plot([i - 0.31, i + 1.31], [level, level], color=COLOURS["ink"], linewidth=0.7)
        last = len(values)
        ax.bar(last, level, color=COLOURS["ink"], width=0.62)
        ax.annotate(
            f"{level:,.1f}",
            (last, level),
            ha="center",
            va="bottom",
            fontsize=9.5,
            xytext=(0, 2),
            textcoords="offset points",
        )
        labels = [*names, text("label.step_target", lang)]
        ax.set_xticks(
            range(last + 1), [_wrap(n, 7 if last < 9 else 5) for n in labels], fontsize=9 if last < 9 else 8
        )
        ax.set_ylabel(text("label.yuan_per_person", lang))
        ax.grid(visible=False, axis="x")
        ax.margins(y=0.12)
    return ax


def _wrap(name: str, width: int = 7) -> str:
    """Break a label: at spaces, or in Chinese after `width` characters."""
    if name.isascii():
        return name.replace(" ", "\n")
    return "\n".join(name[i : i + width] for i in range(0, len(name), width))


def arrears_chart(arrears: Arrears, lang: str | None = None) -> Axes:
    """Received and outstanding by payer."""
    unit = Unit.of(lang)
    frame = arrears.frame
    with figure_style():
        ax = new_axes(8.0, 0.9 + 0.62 * len(frame))
        y = range(len(frame))
        received, outstanding = frame["received"] / unit.scale, frame["outstanding"] / unit.scale
        ax.barh(y, received, color=COLOURS["main"], label=text("chart.received", lang), height=0.6)
        ax.barh(
            y,
            outstanding,
            left=received,
            color=COLOURS["accent"],
            label=text("chart.outstanding", lang),
            height=0.6,
        )
        for i, (r, o) in enumerate(zip(received, outstanding, strict=True)):
            if o > 0:
                ax.annotate(
                    f"{o:,.2f}",
                    (r + o, i),
                    va="center",
                    xytext=(4, 0),
                    textcoords="offset points",
                    fontsize=9,
                )
        ax.set_yticks(list(y), [term_label(p, lang) for p in frame["payer"]])
        ax.invert_yaxis()
        ax.set_xlabel(text("chart.due_received", lang, unit=unit.label))
        ax.margins(x=0.12)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        ax.grid(visible=False, axis="y")
    return ax


def raw_growth_chart(raw: RawGrowth, lang: str | None = None) -> Axes:
    """Spending and funding per participant, on a log scale."""
    with figure_style():
        ax = new_axes(8.0, 3.6)
        frame = raw.frame
        ax.plot(
            frame["year"],
            frame["per_capita"],
            marker="o",
            color=COLOURS["main"],
            label=text("chart.raw_spending", lang),
        )
        ax.plot(
            frame["year"],
            frame["financing"],
            marker="s",
            color=COLOURS["accent"],
            label=text("chart.raw_financing", lang),
        )
        ax.set_yscale("log")
        ticks = [30, 50, 100, 200, 400]
        ax.set_yticks(ticks, [str(t) for t in ticks])
        ax.minorticks_off()
        ax.set_xticks(range(int(frame["year"].min()), int(frame["year"].max()) + 1))
        ax.set_ylabel(text("label.yuan_per_person", lang))
        ax.legend(loc="upper left")
    return ax


def execution_chart(base: AnnualBase, revenue: float, actual: float, lang: str | None = None) -> Axes:
    """Cumulative spending against the year's financing: even months, the usual pattern, what was paid, the year's end.

    Parameters
    ----------
    base : AnnualBase
        The year's pattern and its expected end.
    revenue, actual : float
        Financing due for the year; paid up to now, after deductions [yuan].
    """
    unit = Unit.of(lang)
    months = list(range(13))
    pattern = [base.profile.cumulative(m) if m else 0.0 for m in months]
    seen, (low, high) = base.experience.months, base.interval()
    with figure_style():
        ax = new_axes(8.0, 3.9)
        ax.plot(months, [revenue * m / 12 / unit.scale for m in months], color=COLOURS["light"], linestyle="--",
                linewidth=1.5, label=text("report_words.plan_even", lang))  # fmt: skip
        ax.plot(months, [revenue * p / unit.scale for p in pattern], color=COLOURS["main"], linewidth=2,
                label=text("report_words.plan_seasonal", lang))  # fmt: skip
        coming = [base.total * p / unit.scale for p in pattern]
        ax.plot(months[seen:], coming[seen:], color=COLOURS["accent"], linestyle=":", linewidth=1.8,
                label=text("report_words.projected", lang))  # fmt: skip
        if seen < 12:
            spread = [[(base.total - low) / unit.scale], [(high - base.total) / unit.scale]]
            ax.errorbar([12], [base.total / unit.scale], yerr=spread, color=COLOURS["accent"], capsize=5)
        ax.plot([0, seen], [0, actual / unit.scale], color=COLOURS["accent"], linewidth=1)
        ax.plot([seen], [actual / unit.scale], marker="o", markersize=8, color=COLOURS["accent"], linestyle="none",
                label=text("report_words.paid_so_far", lang))  # fmt: skip
        ax.annotate(thousands(round(actual / unit.scale, 2)), (seen, actual / unit.scale), xytext=(-6, 8),
                    textcoords="offset points", ha="right", color=COLOURS["accent"])  # fmt: skip
        ax.set_xticks(months)
        ax.set_xlabel(text("report_words.month_axis", lang))
        ax.set_ylabel(text("report_words.cumulative_axis", lang, unit=unit.label))
        ax.yaxis.set_major_formatter(thousands)
        ax.set_ylim(bottom=0)
        ax.legend(loc="upper left", fontsize=9)
    return ax
