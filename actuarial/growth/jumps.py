"""Jumps of a history: which growths are changes of scope rather than growth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from actuarial.experience.breaks import Break, find_breaks

_FUNDS = 8
"""With at least as many funds a jump is judged against the other funds' growth in the same year."""


def history_jumps(levels: pd.DataFrame, *, threshold: float = 5.0, least: float = 0.10) -> tuple[Break, ...]:
    """Jumps of one series, or of funds against each other.

    One to seven columns are judged each by its own other years (:func:`actuarial.find_breaks`, from five points).
    Eight funds or more are judged by the growth of the others in the same year: a merger of two schemes in one
    province stands out even with three years of data, and a good year of all is no jump.

    Parameters
    ----------
    levels : DataFrame
        Positive levels, years × columns, NaN where missing.
    threshold : float
        Robust standard deviations.
    least : float
        Smallest jump that counts (0.10 is 10%).

    Returns
    -------
    tuple of Break
        Largest first.

    Examples
    --------
    >>> years = range(2012, 2017)
    >>> calm = {f"fund {i}": 100 * 1.08 ** np.arange(5.0) * (1 + 0.004 * i) for i in range(9)}
    >>> calm["merged"] = np.array([100, 108, 117, 220, 238.0])
    >>> [(b.series, b.period, round(b.size, 2)) for b in history_jumps(pd.DataFrame(calm, index=years))]
    [('merged', 2015, 0.74)]
    """
    if levels.shape[1] < _FUNDS:
        found = [
            b for name in levels for b in find_breaks(levels[name].dropna(), threshold=threshold, least=least)
        ]
        return tuple(sorted(found, key=lambda b: -abs(b.size)))
    logs = levels.map(np.log)
    growth = logs.diff()
    centre = growth.median(axis=1)
    away = growth.sub(centre, axis=0)
    spread: Any = np.maximum(
        1.4826 * away.abs().median(axis=0), 1.4826 * float(np.nanmedian(away.abs().to_numpy()))
    )
    found = []
    for name, column in away.items():
        for year, value in column.dropna().items():
            score, size = float(value / max(spread[name], 0.01)), float(np.expm1(value))
            if abs(score) > threshold and abs(size) >= least:
                found.append(Break(str(name), year, size, score))
    return tuple(sorted(found, key=lambda b: -abs(b.size)))
