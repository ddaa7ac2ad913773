"""Structural breaks in participants and cost: found and reported, never extrapolated.

A change of scope (a merger of schemes, a new benefit) shows as one yearly log change far from the others. With
8–20 points the median and the median absolute deviation of the other changes are what can be
trusted: a change is flagged when it lies more than `threshold` robust standard deviations from the median of the
**others** and moves the level by at least `least`. Both numbers are arguments, so that a user can see and move them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.plan import Plan
from actuarial.tables import Note, columns
from actuarial.texts import text


@dataclass(frozen=True)
class Break:
    """A jump between two points of a series.

    Parameters
    ----------
    series : str
        Name of the series.
    period : object
        First period after the jump.
    size : float
        Factor beyond what the other years lead to expect, minus 1.
    score : float
        Robust standard deviations from the others.
    """

    series: str
    period: object
    size: float
    score: float

    def message(self, lang: str | None = None) -> str:
        """The sentence."""
        return text(
            "breaks.found", lang, series=self.series, period=self.period, size=f"{100 * self.size:+.0f}"
        )


def find_breaks(series: pd.Series, *, threshold: float = 5.0, least: float = 0.10) -> tuple[Break, ...]:
    """Find jumps of a positive series.

    Parameters
    ----------
    series : Series
        Positive levels by year (gaps allowed: changes are taken per year).
    threshold : float
        Robust standard deviations.
    least : float
        Smallest jump worth a word (0.10 is 10%).

    Returns
    -------
    tuple of Break
        Largest first; empty with fewer than five points, where nothing can be said.

    Raises
    ------
    InputError
        If a level is not positive.

    Examples
    --------
    >>> people = [272, 296, 315, 377, 449, 874, 1028, 1025, 1017, 1009, 983.0]  # resident scheme, million
    >>> [(b.period, round(b.size, 2)) for b in find_breaks(pd.Series(people, index=range(2012, 2023)))]
    [(2017, 0.83)]
    """
    levels = series.astype("float64").dropna().sort_index()
    if (levels <= 0).any():
        raise InputError([Fault("breaks.not_positive", params={"series": str(series.name)})])
    if len(levels) < 5:
        return ()
    years = np.diff(levels.index.to_numpy(dtype=np.float64))
    change = np.diff(np.log(levels.to_numpy())) / years
    found = []
    for i in range(len(change)):
        others = np.delete(change, i)
        centre = float(np.median(others))
        spread = max(1.4826 * float(np.median(np.abs(others - centre))), 0.01)
        score, size = (change[i] - centre) / spread, float(np.expm1((change[i] - centre) * years[i]))
        if abs(score) > threshold and abs(size) >= least:
            found.append(Break(str(series.name), levels.index[i + 1], size, float(score)))
    return tuple(sorted(found, key=lambda b: -abs(b.size)))


def plan_breaks(plan: Plan) -> tuple[Note, ...]:
    """Jumps in the participants and the cost per head of a plan's yearly tables, as notes for the report."""
    notes = []
    for name in ("history", "raw_history"):
        if name not in plan.tables:
            continue
        table = plan.tables[name]
        frame = table.frame.set_index("year")
        series = {
            "participants": frame["participants"],
            "fund_expenditure": frame["fund_expenditure"]
            / frame["participants"].where(frame["participants"] > 0),
        }
        for column, values in series.items():
            if not (values.dropna() > 0).all():
                continue
            for found in find_breaks(values.rename(column)):
                label = {"zh": columns()[column].zh, "en": columns()[column].en}
                params = {"series": label, "period": found.period, "size": f"{100 * found.size:+.0f}"}
                notes.append(Note("breaks.found", params, table.file))
    return tuple(notes)
