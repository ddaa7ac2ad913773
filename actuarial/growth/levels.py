"""What a user hands in as a history, checked and laid out by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError

Kind = Literal["one", "fund", "category"]


@dataclass(frozen=True, eq=False)
class History:
    """Levels by year.

    Parameters
    ----------
    raw : DataFrame
        As given: years × columns, every year between the first and the last, NaN where missing.
    on_level : DataFrame
        The same at the policy in force.
    kind : {"one", "fund", "category"}
        A single series, neighbours that pool, or categories that correlate.
    """

    raw: pd.DataFrame
    on_level: pd.DataFrame
    kind: Kind

    @property
    def gaps(self) -> tuple[int, ...]:
        """Years missing inside any column."""
        there = self.on_level.notna().to_numpy()
        before = np.logical_or.accumulate(there)
        after = np.logical_or.accumulate(there[::-1])[::-1]
        inside = before & after & ~there
        return tuple(int(y) for y in self.on_level.index[inside.any(axis=1)])


def read_history(
    series: pd.Series | pd.DataFrame, on_level: pd.Series | Mapping[int, float] | None = None
) -> History:
    """Check and lay out a history.

    Parameters
    ----------
    series : Series or DataFrame
        Positive levels by year; NaN is a missing year. Monthly periods are summed to whole years.
    on_level : Series or mapping, optional
        By year, the factor that brings that year's cost to the policy in force.

    Raises
    ------
    InputError
        If a level is not positive, a year is given twice or is no year, a column is named twice, or a factor is
        missing or not positive.

    Examples
    --------
    >>> read_history(pd.Series([100.0, 121.0], index=[2010, 2012])).gaps
    (2011,)
    """
    frame = series.to_frame() if isinstance(series, pd.Series) else series
    kind: Kind = "one"
    if isinstance(series, pd.DataFrame):
        kind = "category" if series.columns.names[-1] == "category" else "fund"
        if kind == "category" and series.columns.nlevels > 1:
            raise InputError([Fault("growth.nested_categories")])
        if not series.columns.is_unique:
            twice = series.columns[series.columns.duplicated()]
            raise InputError([Fault("growth.column_twice", params={"name": str(twice[0])})])
    frame = whole_years(frame)
    if all(pd.api.types.is_numeric_dtype(t) for t in frame.dtypes):
        values = frame.astype("float64")
    else:
        values = frame.apply(pd.to_numeric, errors="coerce").astype("float64")
    array = values.to_numpy()
    if ((np.isnan(array) & frame.notna().to_numpy()) | np.isinf(array) | (array <= 0)).any():
        raise InputError([Fault("growth.not_positive")])
    values = values.sort_index()
    known = values.index[values.notna().any(axis=1)]
    if len(known):
        values = values.reindex(range(int(known[0]), int(known[-1]) + 1))
    values.index.name = "year"
    level = values if on_level is None else values.mul(_factors(values, on_level), axis=0)
    return History(values, level, kind)


def whole_years(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame indexed by whole numbers of years; months are summed where a year has all twelve."""
    index = frame.index
    if isinstance(index, pd.DatetimeIndex):
        index = as_periods(index)
    if isinstance(index, pd.PeriodIndex):
        if index.freqstr.startswith("M"):
            years = index.year.rename("year")
            return frame.groupby(years).sum(min_count=12).dropna(how="all")
        index = pd.Index(index.year)
    years_ = pd.to_numeric(pd.Series(index, dtype=object), errors="coerce")
    if years_.isna().any() or bool((years_ != years_.round()).any()):
        raise InputError([Fault("growth.no_year", params={"value": str(index[int(years_.isna().argmax())])})])
    if years_.duplicated().any():
        raise InputError([Fault("growth.year_twice")])
    return frame.set_axis(pd.Index(years_.astype(int), name="year"))


def as_periods(index: pd.DatetimeIndex) -> pd.PeriodIndex:
    """Dates as months where they follow each other within 31 days, else as years."""
    gaps = index.sort_values().to_series().diff().dropna()
    monthly = len(gaps) > 0 and gaps.median() <= pd.Timedelta(days=31)
    return index.to_period("M" if monthly else "Y")


def _factors(values: pd.DataFrame, on_level: pd.Series | Mapping[int, float]) -> pd.Series:
    factors = pd.Series(on_level, dtype="float64").reindex(values.index)
    needed = values.notna().any(axis=1)
    bad = [int(y) for y in values.index[needed & ~(factors > 0)]]
    if bad:
        raise InputError([Fault("growth.on_level", params={"years": ", ".join(map(str, bad))})])
    return factors.fillna(1.0)


def aligned(
    weights: pd.Series | pd.DataFrame | None, like: pd.DataFrame, code: str = "growth.weights"
) -> NDArray[np.float64] | None:
    """Exposure laid out like the levels; NaN where there is no level.

    Raises
    ------
    InputError
        If an exposure is missing or not positive where there is a level.
    """
    if weights is None:
        return None
    frame: Any = weights
    if isinstance(weights, pd.Series):
        frame = pd.DataFrame(dict.fromkeys(like.columns, weights))
    frame = whole_years(frame).astype("float64").reindex(index=like.index, columns=like.columns)
    bad = like.notna() & ~((frame > 0) & np.isfinite(frame))
    if bad.to_numpy().any():
        year, column = next((y, c) for y in like.index for c in like.columns if bad.loc[y, c])
        raise InputError([Fault(code, params={"year": int(year), "name": str(column)})])
    return np.asarray(frame.where(like.notna()).to_numpy())
