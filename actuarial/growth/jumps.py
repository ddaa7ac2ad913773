"""Jumps of a history: which growths are changes of scope rather than growth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from actuarial.experience.breaks import Break, find_breaks

_WORTH = 10
"""Growths that the panel's spread counts beside a column's own."""
_FUNDS = 8
"""With at least as many funds a jump is judged against the other funds' growth in the same year."""


def history_jumps(levels: pd.DataFrame, *, threshold: float = 6.0, least: float = 0.10) -> tuple[Break, ...]:
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
    growth = np.diff(np.log(levels.to_numpy(dtype=np.float64)), axis=0)
    there = np.isfinite(growth)
    years = there.any(axis=1)
    away = np.full_like(growth, np.nan)
    away[years] = growth[years] - np.nanmedian(growth[years], axis=1, keepdims=True)
    if not there.any():
        return ()
    pooled, count = float(np.nanmedian(np.abs(away))), there.sum(axis=0)
    own = np.full(growth.shape[1], pooled)
    own[count > 0] = np.nanmedian(np.abs(away[:, count > 0]), axis=0)
    # a column with few years has its own spread only in part
    spread = np.maximum((count * own + _WORTH * pooled) / (count + _WORTH), pooled)
    score = away / np.maximum(1.4826 * spread, 0.01)
    found = []
    for row, column in np.argwhere((np.abs(score) > threshold) & (np.abs(np.expm1(away)) >= least)):
        size = float(np.expm1(away[row, column]))
        found.append(
            Break(str(levels.columns[column]), levels.index[row + 1], size, float(score[row, column]))
        )
    return tuple(sorted(found, key=lambda b: -abs(b.size)))
