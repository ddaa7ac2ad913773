"""Light SVG charts: the same figures as the results' own ``plot`` methods, drawn in a millisecond instead of half a second.

Every chart is an image with a name and a sentence for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.contract import Evaluation
from actuarial.fund import PremiumTarget, Simulation
from actuarial.results import COLOURS, Unit, shown, thousands
from actuarial.texts import text

WIDTH, HEIGHT = 520, 300
LEFT, RIGHT, TOP, BOTTOM = 62, 26, 26, 40
HALO = {
    "paint_order": "stroke",
    "stroke": "#fff",
    "stroke_width": "3",
}  # words that lie on a line stay readable
Scale = Callable[[float], float]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values from low to high.

    Examples
    --------
    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not (np.isfinite(low) and np.isfinite(high) and high > low):
        return [low]
    raw = (high - low) / about
    size = 10.0 ** np.floor(np.log10(raw))
    step = next(float(m * size) for m in (1, 2, 5, 10) if m * size >= raw * (1 - 1e-9))
    first = np.ceil(low / step - 1e-9)
    return [round(float(k * step), 10) + 0.0 for k in np.arange(first, np.floor(high / step + 1e-9) + 1)]


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    span = (high - low) or 1.0
    return lambda v: start + (v - low) / span * (end - start)


def _line(points: Sequence[tuple[float, float]], colour: str, width: float = 2.0) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _area(points: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{path}" fill="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str = "middle", **more: str) -> str:
    extra = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{escape(words)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str = COLOURS["grid"], width: float = 1) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def _svg(name: str, sentence: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(f"{name}. {sentence}", quote=True)}">'
        f'<g font-size="11" fill="{COLOURS["ink"]}">{"".join(parts)}</g></svg>'
    )


def _y_axis(y: Scale, low: float, high: float, left: float = LEFT) -> list[str]:
    out = []
    for v in ticks(low, high):
        out.append(_rule(left, y(v), WIDTH - RIGHT, y(v)))
        out.append(_text(left - 6, y(v) + 4, thousands(v), "end"))
    return out


def _titles(y_title: str, x_title: str = "", fill: str = COLOURS["ink"]) -> list[str]:
    """What stands on the axes: above the vertical one, below the horizontal one."""
    below = [_text(WIDTH - RIGHT, HEIGHT - 6, x_title, "end")] if x_title else []
    return [_text(6, 13, y_title, "start", fill=fill), *below]


def _quantiles(found: pd.DataFrame) -> NDArray[np.float64]:
    return found[[c for c in found.columns if c.startswith("q")]].to_numpy()


def fan_range(found: pd.DataFrame) -> tuple[float, float]:
    """Lowest and highest balance that a fan shows, zero within [yuan]."""
    values = _quantiles(found)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    return low, high + 0.05 * (high - low)


def _fan_scales(months: int, limits: tuple[float, float]) -> tuple[Scale, Scale]:
    return _scale(0, months - 1, LEFT, WIDTH - RIGHT), _scale(*limits, HEIGHT - BOTTOM, TOP)


def fan_frame(found: pd.DataFrame, limits: tuple[float, float], lang: str) -> str:
    """Axes of a fan: all of it but the bands."""
    unit = Unit.of(lang)
    x, y = _fan_scales(len(found), limits)
    parts = _y_axis(lambda v: y(v * unit.scale), *(v / unit.scale for v in limits))
    for i, period in enumerate(found["month"]):
        if i % 3 == (len(found) - 1) % 3:
            parts.append(_text(x(i), HEIGHT - 22, f"{period.year}-{period.month:02d}"))
    title = f"{text('chart.balance', lang, unit=unit.label)} · {text('chart.bands', lang)}"
    return "".join([*parts, *_titles(title)])


def fan_bands(found: pd.DataFrame, limits: tuple[float, float]) -> str:
    """Median, 50%, 80% and 95% of the paths, month by month; the same in every language."""
    values = _quantiles(found)
    x, y = _fan_scales(len(found), limits)
    parts = []
    for a, b, colour in ((0, 6, COLOURS["lighter"]), (1, 5, COLOURS["light"]), (2, 4, COLOURS["middle"])):
        up = [(x(i), y(v)) for i, v in enumerate(values[:, b])]
        down = [(x(i), y(v)) for i, v in enumerate(values[:, a])]
        parts.append(_area([*up, *reversed(down)], colour))
    parts.append(_line([(x(i), y(v)) for i, v in enumerate(values[:, 3])], COLOURS["main"]))
    parts.append(_rule(LEFT, y(0), WIDTH - RIGHT, y(0), COLOURS["bad"], 1.4))
    return "".join(parts)


def fan_sentence(found: pd.DataFrame, lang: str) -> str:
    """The end of a fan in words."""
    unit = Unit.of(lang)
    low, middle, high = (shown(float(v), "money", unit) for v in _quantiles(found)[-1, [0, 3, 6]])
    return f"{found['month'].iloc[-1]}: {middle} ({low} – {high}) {unit.label}"


def fan(found: pd.DataFrame, lang: str) -> str:
    """The balance by month: median, 50%, 80% and 95% of the paths."""
    limits = fan_range(found)
    return _svg(
        text("app.fan", lang), fan_sentence(found, lang),
        [fan_frame(found, limits, lang), fan_bands(found, limits)],
    )  # fmt: skip


def risk_curve(target: PremiumTarget, present: float, lang: str) -> str:
    """Probability of a deficit over the amount per head, with the target and what the payers give."""
    finite = target.needs[np.isfinite(target.needs)]
    if not len(finite):
        return _svg(text("app.risk", lang), text("label.infinite", lang), [])
    n = len(finite)
    marks = [v for v in (target.value, present) if np.isfinite(v)]
    low, high = min(float(finite[n // 1000]), *marks), max(float(finite[n - 1 - n // 1000]), *marks)
    margin = 0.05 * (high - low) or 1.0
    low, high = low - margin, high + margin
    x, y = _scale(low, high, LEFT, WIDTH - RIGHT), _scale(0, 100, HEIGHT - BOTTOM, TOP)
    amounts = np.linspace(low, high, 160)
    chance = 100 * target.probability(amounts)
    parts = [*_y_axis(y, 0, 100), *(_text(x(v), HEIGHT - 22, thousands(v)) for v in ticks(low, high))]
    parts.append(_line([(x(a), y(c)) for a, c in zip(amounts, chance, strict=True)], COLOURS["main"], 2.4))
    parts.append(_rule(LEFT, y(100 * target.alpha), WIDTH - RIGHT, y(100 * target.alpha), COLOURS["accent"]))
    said = []
    if np.isfinite(target.value):
        cx, cy = x(target.value), y(100 * target.alpha)
        parts.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="5" fill="{COLOURS["accent"]}"/>')
        said.append(
            text("chart.target_at", lang, value=f"{target.value:.1f}", alpha=f"{100 * target.alpha:g}")
        )
        parts.append(_text(cx, cy - 10, said[-1], _side(cx), fill="#9a4211", **HALO))
    share = 100 * float(target.probability(present))
    px, py = x(present), y(share)
    parts.append(f'<rect x="{px - 4:.1f}" y="{py - 4:.1f}" width="8" height="8" fill="{COLOURS["ink"]}"/>')
    said.append(text("chart.present_at", lang, value=f"{present:.1f}", risk=f"{share:.1f}"))
    parts.append(
        _text(px, min(max(py + (18 if share > 50 else -22), 24), HEIGHT - 60), said[-1], _side(px), **HALO)
    )
    parts += _titles(text("chart.deficit_probability", lang), text("chart.premium", lang))
    return _svg(text("app.risk", lang), "; ".join(said), parts)


def _side(x: float) -> str:
    return "start" if x < WIDTH * 0.35 else "end" if x > WIDTH * 0.65 else "middle"


def waterfall(sim: Simulation, target: PremiumTarget, lang: str) -> str:
    """From last year's cost to the target, in steps that add up."""
    steps = sim.waterfall(target)
    values = steps["yuan_per_person"].to_numpy()
    names = [text(f"label.step_{s}", lang) for s in steps["step"]]
    if not np.isfinite(values).all():
        return _svg(text("app.waterfall", lang), text("label.infinite", lang), [])
    ends = np.cumsum(values)
    low, high = min(0.0, float(ends.min())), max(0.0, float(ends.max()))
    row = (HEIGHT - 24) / (len(values) + 1)
    left = 150
    x = _scale(low, high * 1.12 or 1.0, left, WIDTH - 46)
    parts, start = [], 0.0
    said = []
    for i, (name, value) in enumerate(
        zip([*names, text("label.step_target", lang)], [*values, ends[-1]], strict=True)
    ):
        total = i in (0, len(values))
        a, b = (0.0, float(value)) if total else (start, start + float(value))
        colour = COLOURS["ink"] if i == len(values) else COLOURS["main"] if i == 0 else (
            COLOURS["accent"] if value >= 0 else COLOURS["good"])  # fmt: skip
        top = 10 + i * row
        parts.append(
            f'<rect x="{min(x(a), x(b)):.1f}" y="{top:.1f}" width="{max(abs(x(b) - x(a)), 1):.1f}" height="{row * 0.66:.1f}" fill="{colour}"/>'
        )
        label = f"{value:,.1f}" if total else f"{value:+,.1f}"
        label = label.replace("-", "−")
        parts += [
            _text(left - 8, top + row * 0.5, name, "end"),
            _text(max(x(a), x(b)) + 5, top + row * 0.5, label, "start"),
        ]
        said.append(f"{name} {label}")
        start = b
    return _svg(text("app.waterfall", lang), "; ".join(said), parts)


def payoff(deal: Evaluation, lang: str) -> str:
    """The insurer's result as a function of the outcome, over the outcome's distribution."""
    unit = Unit.of(lang)
    curve = deal.contract.bands(deal.target)
    low, high = np.quantile(deal.outcome[:20_000], [0.001, 0.999])  # where the picture ends, nothing else
    edge = 1.05 * max(abs(low), abs(high), *(abs(e) for e in curve.edges))
    counts, bins = np.histogram(deal.outcome, bins=48, range=(-edge, edge))
    share = counts / len(deal.outcome)
    grid = np.linspace(-edge, edge, 121)
    result = curve(grid)
    most = max(float(np.abs(result).max()), 1.0)
    x = _scale(-edge, edge, LEFT, WIDTH - RIGHT)
    y = _scale(-most, most, HEIGHT - BOTTOM, TOP)
    h = _scale(0, float(share.max()) * 1.1 or 1.0, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<rect x="{x(b):.1f}" y="{h(s):.1f}" width="{x(bins[1]) - x(bins[0]) - 1:.1f}" '
        f'height="{HEIGHT - BOTTOM - h(s):.1f}" fill="{COLOURS["lighter"]}" stroke="{COLOURS["light"]}" stroke-width="0.5"/>'
        for b, s in zip(bins[:-1], share, strict=True)
        if s > 0
    ]
    parts += [_text(LEFT - 6, y(v * unit.scale) + 4, thousands(v), "end", fill="#9a4211")
              for v in ticks(-most / unit.scale, most / unit.scale)]  # fmt: skip
    parts += [
        _text(x(v * unit.scale), HEIGHT - 22, thousands(v))
        for v in ticks(-edge / unit.scale, edge / unit.scale)
    ]
    parts += [
        _rule(x(0), TOP, x(0), HEIGHT - BOTTOM, COLOURS["ink"]),
        _rule(LEFT, y(0), WIDTH - RIGHT, y(0), COLOURS["ink"]),
    ]
    parts.append(_line([(x(a), y(b)) for a, b in zip(grid, result, strict=True)], COLOURS["accent"], 2.4))
    parts += _titles(
        text("chart.insurer_result", lang, unit=unit.label),
        text("chart.outcome", lang, unit=unit.label),
        "#9a4211",
    )
    said = f"{shown(deal.expected('insurer'), 'signed_money', unit)} {unit.label}"
    return _svg(text("app.payoff", lang), f"{text('app.expected', lang)} {said}", parts)
