"""``fit_growth``: from a history of per-capita cost to the distribution of next year's level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.experience.breaks import Break
from actuarial.growth.fitted import Fitted, fit_columns, fit_pooled, fit_trends
from actuarial.growth.jumps import history_jumps
from actuarial.growth.levels import History, as_periods, read_history
from actuarial.growth.notes import cut_off, fit_notes, most_removed, percent
from actuarial.growth.places import exposures, joined, label_of, labelled, placed, tree_of
from actuarial.growth.prior import Prior, growth_bounds, load_prior
from actuarial.growth.result import GrowthFit
from actuarial.growth.trend import MODELS, Trend
from actuarial.results import Source
from actuarial.tables import Note

Array = NDArray[np.float64]
Breaks = Literal["step", "cut", "keep"]


def fit_growth(
    series: pd.Series | pd.DataFrame,
    *,
    pool: pd.DataFrame | pd.Series | None = None,
    on_level: pd.Series | Mapping[int, float] | None = None,
    weights: pd.Series | pd.DataFrame | None = None,
    prior: Prior | str | None = None,
    model: str = "pooled",
    breaks: Breaks = "step",
    process_cv: float | None = None,
    last_year_sd: float = 0.0,
    correlation: float = 1.0,
    source: Source | None = None,
) -> GrowthFit:
    """Fit growth to yearly per-capita cost at constant policy.

    Parameters
    ----------
    series : Series or DataFrame
        Positive levels [yuan/person/year] by year; NaN and absent years are gaps. A frame's columns pool when their
        level is named ``fund`` (or has no name) and are drawn jointly, each with its own growth, when it is named
        ``category``. Columns of several levels (``province``, ``city``, ``fund``) pool at each level: funds of one city
        share more than those of one province.
    pool : DataFrame or Series, optional
        Levels of neighbouring funds by year: they lend their experience and are not forecast. They may be a year ahead.
        With columns of several levels the series is placed by its name, a path like ``("Anhui", "Fuyang", "Jieshou")`` or
        the fund's own name if it is there once.
    on_level : Series or mapping, optional
        By year, the factor that brings that year's cost to the policy in force.
    weights : Series or DataFrame, optional
        Exposure [persons] of the levels: small funds and years are noisy. The noise of few people is taken out of what is
        forecast, because the simulator adds it. A frame may hold the neighbours' columns too; a neighbour without is taken
        as without such noise.
    prior : Prior or str, optional
        A documented prior (``default``), or one of your own.
    model : {"pooled", "drift", "ets", "sarimax", "structural"}
        ``pooled`` is the hierarchy of :mod:`actuarial.growth.hierarchy`; the others fit each column alone.
    breaks : {"step", "cut", "keep"}
        What to do with a jump of scope: leave that one growth out, drop the years before it, or keep it as growth.
    process_cv : float, optional
        Coefficient of variation of one person's yearly cost: the variance of a level is its square ÷ exposure. Without
        it the evidence chooses.
    last_year_sd : float
        Relative standard deviation of the last year's level (an annualised part year).
    correlation : float
        Between categories where one growth serves several, 0 to 1.
    source : Source, optional

    A column of a panel without any level in the years that are used is left out, and a note names it.

    Returns
    -------
    GrowthFit

    Raises
    ------
    InputError
        With fewer than three points and no neighbours, a level that is not positive, a year twice, an option out of
        range, or (models of one series) years missing or a drift beyond the documented bounds.

    Warns
    -----
    ModelWarning
        If truncation at the bounds removes more than 5% of the probability.

    Examples
    --------
    >>> import pandas as pd
    >>> own = pd.Series([262.0, 301, 333], index=[2009, 2010, 2011])
    >>> fit = fit_growth(own)
    >>> low, high = fit.forecast(1).quantile([0.1, 0.9])
    >>> bool(333 < low < 333 * 333 / 301 < high)
    True
    >>> len(fit.notes)  # three points and no neighbours: the answer says so
    1
    """
    _check_options(model, breaks, process_cv, last_year_sd, correlation)
    chosen = prior if isinstance(prior, Prior) else load_prior(prior or "default")
    monthly = _months(series) if model not in {"pooled", "drift"} else None
    if monthly is not None:
        seasons = fit_trends(monthly[0], model, chosen, months=True)
        series = monthly[1]
    history, silent = _living(read_history(series, on_level), chosen.memory)
    neighbours = read_history(_frame(pool)).on_level if pool is not None else pd.DataFrame()
    if history.kind == "category" and len(neighbours.columns):
        raise InputError([Fault("growth.pool_categories")])
    history = placed(history, neighbours)
    neighbours = neighbours.loc[:, [c not in history.on_level.columns for c in neighbours]]
    if monthly is None:
        _enough(history, neighbours, model)
    both = joined(history.on_level, neighbours)
    jumps = history_jumps(labelled(both))
    found = tuple(b for b in jumps if b.series in {label_of(c) for c in history.on_level})
    if breaks == "cut":
        history = _cut(history, found)
        both = joined(history.on_level, neighbours)
    if model != "pooled":
        columns = [history.on_level[c].dropna() for c in history.on_level]
        fitted = fit_trends(columns, model, chosen) if monthly is None else seasons
        _within_bounds(fitted.trends)
    else:
        wide = exposures(weights, history.on_level, both)
        steps = jumps if breaks == "step" else ()
        fitted = _pooled(history, both, steps, wide, process_cv, last_year_sd, chosen)
    sources = (*((source,) if source else ()), *((chosen.source,) if model == "pooled" else ()))
    fit = GrowthFit(
        history, neighbours, model, chosen, found, (), float(correlation), fitted, sources=sources
    )
    if (removed := most_removed(fit)) > 0.05:
        warn(ModelWarning, "growth.truncated", **cut_off(removed))
    left_out = [Note("growth_words.note_silent", {"names": ", ".join(silent)})] if silent else []
    return replace(fit, notes=(*left_out, *fit_notes(fit, breaks, weights is not None)))


def _check_options(
    model: str, breaks: str, process_cv: float | None, last_year_sd: float, correlation: float
) -> None:
    """Refuse options out of range, all at once."""
    faults = []
    if model not in MODELS:
        faults.append(Fault("growth.model", params={"value": model}))
    if breaks not in {"step", "cut", "keep"}:
        faults.append(Fault("growth.breaks", params={"value": breaks}))
    numbers = {
        "process_cv": (process_cv, 0.0, 1000.0),
        "last_year_sd": (last_year_sd, 0.0, 1.0),
        "correlation": (correlation, 0.0, 1.0),
    }
    for name, (value, low, high) in numbers.items():
        if value is not None and not low <= value <= high:
            faults.append(
                Fault("growth.option", params={"name": name, "value": value, "low": low, "high": high})
            )
    if faults:
        raise InputError(faults)


def _frame(pool: pd.DataFrame | pd.Series) -> pd.DataFrame:
    return pool.to_frame() if isinstance(pool, pd.Series) else pool


def _living(history: History, memory: int) -> tuple[History, list[str]]:
    """The history without the columns that have no level in the years that are used, and their names."""
    recent = history.on_level.iloc[-(memory + 1) :].notna().any()
    kept = recent[recent].index
    if history.kind == "one" or not len(kept) or len(kept) == len(recent):
        return history, []
    names = [label_of(c) for c in recent[~recent].index]
    return History(history.raw[kept], history.on_level[kept], history.kind), names


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
    counts = history.on_level.notna().sum()
    if len(counts) == 0 or (counts == 0).any():
        raise InputError([Fault("growth.too_short", params={"points": 0})])
    lone = (
        history.kind == "category"
        or model != "pooled"
        or history.on_level.shape[1] + neighbours.shape[1] == 1
    )
    if lone and counts.min() < 3:
        raise InputError([Fault("growth.too_short", params={"points": int(counts.min())})])
    steps = (counts - 1).sum() + (neighbours.notna().sum() - 1).clip(lower=0).sum()
    if steps < 2:
        raise InputError([Fault("growth.too_short", params={"points": int(steps) + 1})])


def _cut(history: History, found: tuple[Break, ...]) -> History:
    """The history without the years before each column's last jump, where three points remain."""
    raw, level = history.raw.copy(), history.on_level.copy()
    names: list[Any] = list(level)
    for name in names:
        years = [int(b.period) for b in found if b.series == label_of(name)]  # type: ignore[call-overload]
        if years and level.loc[max(years) :, name].notna().sum() >= 3:
            level.loc[level.index < max(years), name] = np.nan
            raw.loc[raw.index < max(years), name] = np.nan
    return History(raw, level, history.kind)


def _pooled(
    history: History, both: pd.DataFrame, found: tuple[Break, ...], exposure: Array | None,
    process_cv: float | None, last_year_sd: float, prior: Prior,
) -> Fitted:  # fmt: skip
    """The hierarchy over own columns and then neighbours, or one a category."""
    level = history.on_level
    names = [label_of(c) for c in both]
    jumps = np.zeros(both.shape, dtype=bool)
    for b in found:
        jumps[both.index.get_loc(b.period), names.index(b.series)] = True
    last = np.zeros(both.shape)
    ahead = int(both.index[-1] - level.index[-1])
    last[len(both) - 1 - ahead, : level.shape[1]] = last_year_sd**2
    logs = np.log(both.to_numpy(dtype=np.float64))
    if history.kind == "category":
        return fit_columns(logs, jumps, exposure, process_cv, last, prior)
    tree = tree_of(both.columns)
    return fit_pooled(logs, jumps, exposure, process_cv, last, level.shape[1], ahead, prior, tree)


def _within_bounds(trends: tuple[Trend, ...]) -> None:
    """A drift beyond the documented bounds is not extrapolated."""
    low, high = growth_bounds()
    for t in trends:
        centre = float(t.centre[0])
        removed = 0.0
        if t.scale[0] > 0:
            from scipy.special import stdtr

            below, above = ((low - centre) / t.scale[0], (high - centre) / t.scale[0])
            removed = float(stdtr(t.dof, below) + stdtr(t.dof, -above))
        if removed > 0.5 or not low < centre < high:
            raise InputError(
                [Fault("growth.beyond_bounds", params=percent(drift=centre, low=low, high=high))]
            )
