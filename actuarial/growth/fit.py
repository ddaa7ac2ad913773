"""``fit_growth``: from a history of per-capita cost to the distribution of next year's level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.experience.breaks import Break
from actuarial.growth.fitted import Cells, Fitted, fit_trends
from actuarial.growth.inputs import Inputs, read_inputs
from actuarial.growth.notes import called, cut_off, fit_notes, implausible, most_removed, percent, raw_limit
from actuarial.growth.places import exposures, label_of
from actuarial.growth.prior import Prior, growth_bounds, load_prior
from actuarial.growth.result import GrowthFit
from actuarial.growth.stacking import LONG, fit_stacked, stack_months
from actuarial.growth.trend import MODELS, STATSMODELS, Trend
from actuarial.results import Source
from actuarial.texts import language

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
    raw: bool | None = None,
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
    model : {"pooled", "stacked", "drift", "ets", "sarimax", "structural"}
        ``pooled`` is the hierarchy of :mod:`actuarial.growth.hierarchy`, its kinds averaged by evidence; ``stacked`` weighs
        them, and on long or monthly series statsmodels' models, by past forecasts (:mod:`actuarial.growth.stacking`); the
        others fit each column alone.
    breaks : {"step", "cut", "keep"}
        What to do with a jump of scope: leave that one growth out, drop the years before it, or keep it as growth.
    process_cv : float, optional
        Coefficient of variation of one person's yearly cost: the variance of a level is its square ÷ exposure. Without
        it the evidence chooses.
    last_year_sd : float
        Relative standard deviation of the last year's level (an annualised part year).
    correlation : float
        Between categories where one growth serves several, 0 to 1.
    raw : bool, optional
        Whether benefits changed over these years and the levels are as they were spent. True: the fit warns that its growth
        holds policy, unless `on_level` takes it out. False: policy was the same, and nothing is asked. Left out, a
        column that grew faster than any country of the OECD over three years is called raw.
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
        If truncation at the bounds removes more than 5% of the probability, a column is raw or looks like it, or one of
        statsmodels' models is asked for with fewer than twelve years: its intervals are too narrow there.

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
    data = read_inputs(series, pool, on_level, model=model, memory=chosen.memory)
    found, jumps = data.own_jumps, data.jumps
    if breaks == "cut":
        data = data.after_jumps()
    cells = _cells(data, () if breaks == "keep" else jumps, weights, process_cv, last_year_sd)
    fitted = _fitted(model, data, cells, chosen)
    told = (chosen.source,) if model in {"pooled", "stacked"} else ()
    fit = GrowthFit(
        data.history, data.neighbours, model, chosen, found, (), float(correlation), fitted,
        sources=(*((source,) if source else ()), *told),
    )  # fmt: skip
    called_raw = _warned(fit, raw, held=on_level is not None, months=bool(data.months))
    notes = fit_notes(
        fit, breaks, weighted=weights is not None, silent=data.silent, raw=called_raw, stated=raw is True
    )
    return replace(fit, notes=notes)


def _fitted(model: str, data: Inputs, cells: Cells, prior: Prior) -> Fitted:
    """The model asked for, on what was handed in."""
    if model == "pooled":
        return cells.fit(prior)
    if model == "stacked":
        level = data.history.on_level
        return stack_months(data.months, prior) if data.months else fit_stacked(cells, level, prior)
    if data.months:
        fitted = fit_trends(list(data.months), model, prior, months=True)
    else:
        fitted = fit_trends([data.history.on_level[c].dropna() for c in data.history.on_level], model, prior)
    _within_bounds(fitted.trends)
    return fitted


def _cells(
    data: Inputs, jumps: tuple[Break, ...], weights: pd.Series | pd.DataFrame | None,
    process_cv: float | None, last_year_sd: float,
) -> Cells:  # fmt: skip
    """Own columns and neighbours as arrays."""
    both, own = data.both, data.history.on_level
    last = np.zeros(both.shape)
    last[len(both) - 1 - data.ahead, : own.shape[1]] = last_year_sd**2
    return Cells(
        np.log(both.to_numpy(dtype=np.float64)), data.jumped(jumps), exposures(weights, own, both), last,
        own.shape[1], data.ahead, both.columns, data.history.kind == "category", process_cv,
    )  # fmt: skip


def _warned(fit: GrowthFit, raw: bool | None, *, held: bool, months: bool) -> tuple[str, ...]:
    """Warn of what cannot be trusted; the columns that are called raw.

    Parameters
    ----------
    fit : GrowthFit
    raw : bool, optional
        What the user says.
    held : bool
        Whether factors by year bring the levels to one policy.
    months : bool
        Whether months were fitted.
    """
    if (removed := most_removed(fit)) > 0.05:
        warn(ModelWarning, "growth.truncated", stacklevel=4, **cut_off(removed))
    points = int(fit.history.on_level.notna().sum().min())
    if fit.model in STATSMODELS and points < LONG and not months:
        warn(ModelWarning, "growth.short_for", stacklevel=4, model=fit.model, points=points, need=LONG)
    if held or raw is False:
        return ()
    names = fit.names if raw else implausible(fit)
    labels = tuple(label_of(n) for n in names)
    if labels:
        code = "growth.raw_stated" if raw else "growth.raw_looks"
        warn(ModelWarning, code, stacklevel=4, names=called(fit, labels)[language()], **raw_limit())
    return labels


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
