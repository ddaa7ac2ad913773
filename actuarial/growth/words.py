"""A fit in words, and as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from actuarial.growth.places import label_of
from actuarial.texts import text

if TYPE_CHECKING:
    from actuarial.growth.result import GrowthFit

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)


def fit_summary(fit: GrowthFit, lang: str | None = None) -> str:
    """Next year's growth and level by column, the weights, the notes."""
    forecast = fit.forecast(1)
    lines = [
        text(
            "growth_words.summary_model",
            lang,
            model=text(f"growth_words.model_{fit.model}", lang),
            year=forecast.year,
        )
    ]
    for name, last, part in zip(fit.names, forecast.last, forecast.parts, strict=True):
        low95, low80, median, high80, high95 = 100 * np.expm1(part.quantile([0.025, 0.1, 0.5, 0.9, 0.975]))
        lines.append(
            text(
                "growth_words.summary_line", lang, name="" if fit.single else f"{label_of(name)} ", last=f"{last:,.2f}",
                level=f"{last * (1 + median / 100):,.2f}", median=f"{median:.1f}", low80=f"{low80:.1f}",
                high80=f"{high80:.1f}", low95=f"{low95:.1f}", high95=f"{high95:.1f}",
            )
        )  # fmt: skip
    if fit.model in {"pooled", "stacked"}:
        shown = fit.weights
        for group, code in (
            ("common", "growth_words.summary_weights"),
            ("groups", "growth_words.summary_groups"),
            ("member", "growth_words.summary_members"),
        ):
            rows = shown[shown["part"] == group]
            kinds = [
                f"{text(f'growth_words.kind_{kind}', lang)} {100 * weight:.0f}%"
                for kind, weight in zip(rows["kind"], rows["weight"], strict=True)
            ]
            if kinds:
                lines.append(text(code, lang, kinds=text("growth_words.between", lang).join(kinds)))
    lines += [note.message(lang) for note in fit.notes]
    return "\n".join(lines)


def fit_dict(fit: GrowthFit) -> dict[str, Any]:
    """Plain data of a fit; one entry a column, and the first column's under ``growth``."""
    forecast = fit.forecast(1)
    columns = {}
    for name, last, part in zip(fit.names, forecast.last, forecast.parts, strict=True):
        growth = part.factors - 1
        q = np.expm1(part.quantile(LEVELS))
        found = dict(zip(LEVELS, q.tolist(), strict=True))
        columns[label_of(name)] = {
            "mean": float(growth.mean()),
            "median": found[0.5],
            "sd": float(growth.std()),
            "interval_80": [found[0.1], found[0.9]],
            "interval_95": [found[0.025], found[0.975]],
            "quantiles": {f"{level:g}": value for level, value in found.items()},
            "last_level": float(last),
            "next_level": float(last * (1 + found[0.5])),
            "removed": part.removed,
        }
    return {
        "year": forecast.year,
        "growth": next(iter(columns.values())),
        "by_column": None if fit.single else columns,
        "method": fit.model,
        "prior": fit.prior.name if fit.model in {"pooled", "stacked"} else None,
        "weights": [{k: v for k, v in row.items()} for row in fit.weights.to_dict("records")],
        "breaks": [
            {"series": b.series, "period": int(b.period), "size": b.size, "score": b.score}  # type: ignore[call-overload]
            for b in fit.breaks
        ],
        "history": [{k: _plain(v) for k, v in row.items()} for row in fit.table.to_dict("records")],
        "notes": [note.message() for note in fit.notes],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value != value:
        return None
    return value.item() if hasattr(value, "item") else value
