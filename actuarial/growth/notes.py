"""What should be known of a fit: notes beside the answer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from actuarial.growth.prior import growth_bounds
from actuarial.tables import Note

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


def fit_notes(fit: GrowthFit, breaks: str, weighted: bool) -> tuple[Note, ...]:
    """The notes of a fit, in the order of its making."""
    notes = []
    points = int(fit.history.on_level.notna().sum().min())
    pooled = fit.model == "pooled"
    alone = pooled and len(fit.neighbours.columns) == 0 and (fit.single or fit.history.kind == "category")
    if alone and points <= 4:
        notes.append(Note("growth_words.note_prior", {"points": points, "prior": fit.prior.name}))
    if fit.gaps:
        notes.append(Note("growth_words.note_gaps", {"years": ", ".join(map(str, fit.gaps))}))
    for b in fit.breaks:
        size = f"{100 * b.size:+.0f}"
        notes.append(Note("breaks.found", {"series": b.series, "period": b.period, "size": size}))
    if fit.breaks and (pooled or breaks == "cut"):
        notes.append(Note(f"growth_words.note_break_{breaks}"))
    share = fit.fitted.process_share()
    if weighted and share >= 0.005:
        notes.append(Note("growth_words.note_process", {"share": f"{100 * share:.0f}"}))
    if pooled and len(fit.history.on_level) - 1 > fit.prior.memory:
        notes.append(Note("growth_words.note_memory", {"years": fit.prior.memory + 1}))
    return tuple(notes)
