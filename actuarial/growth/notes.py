"""What should be known of a fit: notes beside the answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from actuarial.growth.places import label_of
from actuarial.growth.prior import growth_bounds, raw_growth_limit
from actuarial.tables import Note
from actuarial.texts import LANGUAGES, text

if TYPE_CHECKING:
    from actuarial.growth.result import GrowthFit


def percent(**logs: float) -> dict[str, Any]:
    """Log growth as percent, for messages."""
    return {name: f"{100 * math.expm1(value):.0f}" for name, value in logs.items()}


def cut_off(removed: float) -> dict[str, Any]:
    """What truncation removed, for messages."""
    low, high = growth_bounds()
    return {"removed": f"{100 * removed:.0f}", **percent(low=low, high=high)}


def most_removed(fit: GrowthFit) -> float:
    """Largest probability, over the columns, that truncation removed."""
    return float(np.max(np.atleast_1d(np.asarray(fit.removed))))


def implausible(fit: GrowthFit) -> list[Any]:
    """Columns whose median yearly growth, jumps apart, passes what any country of the OECD saw over three years.

    The years that are used count; a column with fewer than two growths says nothing.
    """
    level = fit.history.on_level
    logs, years = np.log(level.to_numpy(dtype=np.float64)), level.index.to_numpy(dtype=np.float64)
    window = slice(-(fit.prior.memory + 1), None)
    jumps = {(b.series, b.period) for b in fit.breaks}
    found = []
    for name, column in zip(fit.names, logs[window].T, strict=True):
        known = np.flatnonzero(np.isfinite(column))
        at = years[window][known]
        growth = np.diff(column[known]) / np.diff(at)
        if jumps:
            growth = growth[[(label_of(name), year) not in jumps for year in at[1:]]]
        if len(growth) >= 2 and np.median(growth) > raw_growth_limit():
            found.append(name)
    return found


def called(fit: GrowthFit, names: tuple[str, ...]) -> dict[str, str]:
    """Columns as messages name them, by language: a series without a name is "this series"."""
    nameless = fit.single and isinstance(fit.names[0], int)
    if nameless:
        return {lang: text("growth_words.this_series", lang) for lang in LANGUAGES}
    return dict.fromkeys(LANGUAGES, ", ".join(names))


def raw_limit() -> dict[str, Any]:
    """The growth beyond which a series looks raw, for messages."""
    return percent(limit=raw_growth_limit())


def fit_notes(
    fit: GrowthFit,
    breaks: str,
    *,
    weighted: bool,
    silent: tuple[str, ...],
    raw: tuple[str, ...],
    stated: bool,
) -> tuple[Note, ...]:
    """The notes of a fit, in the order of its making.

    Parameters
    ----------
    fit : GrowthFit
    breaks : str
    weighted : bool
        Whether exposures were stated.
    silent, raw : tuple of str
        Columns left out; columns called raw.
    stated : bool
        Whether it was the user who called them raw.
    """
    notes = [Note("growth_words.note_silent", {"names": ", ".join(silent)})] if silent else []
    if raw:
        code = "growth_words.note_raw" if stated else "growth_words.note_raw_looks"
        notes.append(Note(code, {"names": called(fit, raw), **raw_limit()}))
    points = int(fit.history.on_level.notna().sum().min())
    pooled = fit.model in {"pooled", "stacked"}
    alone = pooled and len(fit.neighbours.columns) == 0 and (fit.single or fit.history.kind == "category")
    if alone and points <= 4:
        notes.append(Note("growth_words.note_prior", {"points": points, "prior": fit.prior.name}))
    if fit.gaps:
        notes.append(Note("growth_words.note_gaps", {"years": ", ".join(map(str, fit.gaps))}))
    for b in fit.breaks:
        size = f"{100 * b.size:+.0f}"
        notes.append(
            Note("breaks.found", {"series": called(fit, (b.series,)), "period": b.period, "size": size})
        )
    if fit.breaks and (pooled or breaks == "cut"):
        notes.append(Note(f"growth_words.note_break_{breaks}"))
    share = fit.fitted.process_share()
    if weighted and share >= 0.005:
        notes.append(Note("growth_words.note_process", {"share": f"{100 * share:.0f}"}))
    if pooled and len(fit.history.on_level) - 1 > fit.prior.memory:
        notes.append(Note("growth_words.note_memory", {"years": fit.prior.memory + 1}))
    return tuple(notes)
