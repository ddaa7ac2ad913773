"""What a fit starts from: own columns and neighbours by year, months where they were handed in, jumps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.experience.breaks import Break
from actuarial.growth.jumps import history_jumps
from actuarial.growth.levels import History, as_periods, read_history
from actuarial.growth.places import joined, label_of, labelled, placed


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a fit starts from.

    Parameters
    ----------
    history : History
        Of the columns that are forecast.
    neighbours : DataFrame
        Levels of the columns that only lend their experience.
    months : tuple of Series
        The columns by month; empty where years were handed in.
    silent : tuple of str
        Columns left out because the years that are used hold no level of theirs.
    """

    history: History
    neighbours: pd.DataFrame
    months: tuple[pd.Series, ...] = ()
    silent: tuple[str, ...] = ()

    @cached_property
    def both(self) -> pd.DataFrame:
        """Own columns and then the neighbours', every year of either."""
        return joined(self.history.on_level, self.neighbours)

    @cached_property
    def jumps(self) -> tuple[Break, ...]:
        """Jumps of all columns."""
        return history_jumps(labelled(self.both))

    @property
    def own_jumps(self) -> tuple[Break, ...]:
        """Jumps of the columns that are forecast."""
        own = {label_of(c) for c in self.history.on_level}
        return tuple(b for b in self.jumps if b.series in own)

    def jumped(self, found: tuple[Break, ...]) -> NDArray[np.bool_]:
        """Where the jumps are, laid out like :attr:`both`."""
        names = [label_of(c) for c in self.both]
        out = np.zeros(self.both.shape, dtype=bool)
        for b in found:
            out[self.both.index.get_loc(b.period), names.index(b.series)] = True
        return out

    @property
    def ahead(self) -> int:
        """Years by which neighbours are further on."""
        return int(self.both.index[-1] - self.history.on_level.index[-1])

    def after_jumps(self) -> Inputs:
        """Without the years before each column's last jump, where three points remain."""
        raw, level = self.history.raw.copy(), self.history.on_level.copy()
        names: list[Any] = list(level)
        for name in names:
            years = [int(b.period) for b in self.own_jumps if b.series == label_of(name)]  # type: ignore[call-overload]
            if years and level.loc[max(years) :, name].notna().sum() >= 3:
                level.loc[level.index < max(years), name] = np.nan
                raw.loc[raw.index < max(years), name] = np.nan
        return replace(self, history=History(raw, level, self.history.kind))


def read_inputs(
    series: pd.Series | pd.DataFrame,
    pool: pd.DataFrame | pd.Series | None,
    on_level: pd.Series | Mapping[int, float] | None,
    *,
    model: str,
    memory: int,
) -> Inputs:
    """Check and lay out what a user hands in.

    Raises
    ------
    InputError
        As :func:`fit_growth` says.
    """
    months = None if model in {"pooled", "drift"} else _months(series)
    history = read_history(series if months is None else months[1], on_level)
    history, silent = _living(history, memory)
    neighbours = read_history(_frame(pool)).on_level if pool is not None else pd.DataFrame()
    if history.kind == "category" and len(neighbours.columns):
        raise InputError([Fault("growth.pool_categories")])
    history = placed(history, neighbours)
    neighbours = neighbours.loc[:, [c not in history.on_level.columns for c in neighbours]]
    if months is None:
        _enough(history, neighbours, model)
    return Inputs(history, neighbours, tuple(months[0]) if months else (), tuple(silent))


def _frame(pool: pd.DataFrame | pd.Series) -> pd.DataFrame:
    return pool.to_frame() if isinstance(pool, pd.Series) else pool


def _living(history: History, memory: int) -> tuple[History, list[str]]:
    """The history without the columns that have no level in the years that are used, and their names."""
    recent = np.asarray(history.on_level.iloc[-(memory + 1) :].notna().to_numpy().any(axis=0))
    if history.kind == "one" or not recent.any() or recent.all():
        return history, []
    names = [label_of(c) for c in history.on_level.columns[~recent]]
    return History(history.raw.loc[:, recent], history.on_level.loc[:, recent], history.kind), names


def _months(series: pd.Series | pd.DataFrame) -> tuple[list[pd.Series], pd.Series | pd.DataFrame] | None:
    """The columns by month, and their totals of twelve months counted back from the last; None without months."""
    frame = _frame(series)
    index: Any = frame.index
    if isinstance(index, pd.DatetimeIndex):
        index = as_periods(index)
    if not (isinstance(index, pd.PeriodIndex) and index.freqstr.startswith("M")):
        return None
    frame = frame.set_axis(index).sort_index()
    whole = frame.iloc[len(frame) % 12 :]
    years = whole.index[-1].year - np.arange(len(whole))[::-1] // 12
    totals = whole.groupby(years).sum(min_count=12)
    return [frame[c] for c in frame], totals.iloc[:, 0] if isinstance(series, pd.Series) else totals


def _enough(history: History, neighbours: pd.DataFrame, model: str) -> None:
    """Every column has a level, and there is growth enough to speak of."""
    counts = history.on_level.notna().to_numpy().sum(axis=0)
    if len(counts) == 0 or (counts == 0).any():
        raise InputError([Fault("growth.too_short", params={"points": 0})])
    lone = (
        history.kind == "category"
        or model not in {"pooled", "stacked"}
        or history.on_level.shape[1] + neighbours.shape[1] == 1
    )
    if lone and counts.min() < 3:
        raise InputError([Fault("growth.too_short", params={"points": int(counts.min())})])
    lent = neighbours.notna().to_numpy().sum(axis=0)
    steps = (counts - 1).sum() + np.maximum(lent - 1, 0).sum()
    if steps < 2:
        raise InputError([Fault("growth.too_short", params={"points": int(steps) + 1})])
