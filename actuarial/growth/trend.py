r"""Models of one series that need no neighbours: drift, and statsmodels' for long and monthly series.

**drift**: random walk with drift on log levels, gaps allowed. With log changes :math:`d_i` over :math:`k_i` years

.. math:: \hat\mu=\frac{\sum d_i}{\sum k_i},\quad
   \hat\sigma^2=\frac{1}{n-1}\sum\frac{(d_i-k_i\hat\mu)^2}{k_i},\quad
   g_h \sim h\hat\mu+\hat\sigma\sqrt{h+h^2/\textstyle\sum k_i}\;t_{n-1},

the exact predictive of the Gaussian random walk. **ets**, **sarimax**, **structural** are statsmodels' damped
exponential smoothing, ARIMA(1,1,0) with drift and local linear trend with damping; on months they carry the season.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.growth.prior import Prior

Array = NDArray[np.float64]
STATSMODELS = ("ets", "sarimax", "structural")
MODELS = ("pooled", "stacked", "drift", *STATSMODELS)


@dataclass(frozen=True)
class Trend:
    """A fitted trend: log growth over h years has a Student law.

    Parameters
    ----------
    centre, scale : ndarray, shape (horizons,)
    dof : int
    drift, sigma : float
        Mean and standard deviation of one year's log growth.
    years : float
        Years spanned.
    errors : tuple of float
        Of months: of past forecasts of twelve months, one every six; NaN where one failed.
    """

    centre: Array
    scale: Array
    dof: int
    drift: float
    sigma: float
    years: float
    errors: tuple[float, ...] = ()


def fit_trend(levels: pd.Series, model: str, horizons: int) -> Trend:
    """Fit one of the models to positive levels by year.

    Raises
    ------
    InputError
        Under statsmodels' models if years are missing, there are too few points, or it does not converge.
    """
    index, logs = levels.index.to_numpy(dtype=np.float64), np.log(levels.to_numpy(dtype=np.float64))
    d, k = np.diff(logs), np.diff(index)
    h = np.arange(1, horizons + 1, dtype=np.float64)
    drift, years = float(d.sum() / k.sum()), float(k.sum())
    sigma = float(np.sqrt(((d - k * drift) ** 2 / k).sum() / (len(d) - 1)))
    sigma = sigma if sigma > 1e-12 else 0.0  # constant growth, but for rounding
    dof = len(d) - 1
    centre = h * drift
    if model != "drift":
        gaps = sorted(set(range(int(index[0]), int(index[-1]))) - set(index.astype(int)))
        if gaps:
            raise InputError([Fault("growth.ets_gaps", params={"years": "、".join(map(str, gaps))})])
        centre, residual = _statsmodels(logs, model, horizons)
        if not (np.isfinite(centre).all() and np.isfinite(residual).all()):
            raise InputError([Fault("growth.ets_failed")])
        drift, sigma = float(centre[0]), float(np.sqrt((residual**2).sum() / max(len(residual) - 1, 1)))
    return Trend(centre, sigma * np.sqrt(h + h**2 / years), dof, drift, sigma, years)


def _statsmodels(logs: Array, model: str, horizons: int) -> tuple[Array, Array]:
    """Forecast growth since the last point, and one-step residuals, of a statsmodels model."""
    need = {"ets": 3, "sarimax": 6, "structural": 6}[model]
    if len(logs) < need:
        raise InputError(
            [Fault("growth.too_short_for", params={"model": model, "points": len(logs), "need": need})]
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence chatter; what comes out is checked by the caller
        fit = _fitted(logs, model, season=0)
        forecast = np.asarray(fit.forecast(horizons), dtype=np.float64)
        residual = np.asarray(fit.resid, dtype=np.float64)[1 if model == "ets" else 2 :]
    return forecast - logs[-1], residual


def _fitted(logs: Array, model: str, *, season: int) -> Any:
    if model == "ets":
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        return ExponentialSmoothing(
            logs, trend="add", damped_trend=True, seasonal="add" if season else None,
            seasonal_periods=season or None, initialization_method="estimated",
        ).fit()  # fmt: skip
    if model == "sarimax":
        from statsmodels.tsa.statespace.sarimax import SARIMAX

        seasonal = (0, 1, 1, season) if season else (0, 0, 0, 0)
        order, trend = ((0, 1, 1), "n") if season else ((1, 1, 0), "c")
        return SARIMAX(logs, order=order, trend=trend, seasonal_order=seasonal).fit(disp=0)
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    options: dict[str, Any] = {"seasonal": season} if season else {}
    return UnobservedComponents(logs, level="local linear trend", **options).fit(disp=0)


def fit_months(months: pd.Series, model: str, prior: Prior) -> Trend:
    """Growth of the next twelve months' total over the last twelve, from a monthly series of at least 36 months.

    The spread is that of the model's own errors when it forecasts past years, one every six months, each from the
    months before it, shrunk to the prior's yearly noise as the variances of the hierarchy are; neighbouring errors
    overlap, so they count as half as many degrees of freedom.

    Raises
    ------
    InputError
        With fewer than 36 months, a missing month, or where statsmodels does not converge.
    """
    if len(months) < 36 or months.isna().any() or (months <= 0).any():
        raise InputError([Fault("growth.months", params={"months": int(months.notna().sum())})])
    logs = np.log(months.to_numpy(dtype=np.float64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = _fitted(logs, model, season=12)
        mean = np.asarray(fit.forecast(12), dtype=np.float64)
        residual = np.asarray(fit.resid, dtype=np.float64)[13:]
    if not (np.isfinite(mean).all() and np.isfinite(residual).all()):
        raise InputError([Fault("growth.ets_failed")])
    last = math.log(float(months.iloc[-12:].sum()))
    centre = float(np.log(np.exp(mean).sum())) - last
    # the spread of a year's total: each past year forecast one year ahead from the months before it
    past = [_yearly_error(logs, end, model) for end in past_ends(len(logs))]
    errors = [e for e in past if math.isfinite(e)]
    years = len(months) / 12
    count, worth = len(errors) / 2, prior.variance_dof
    mean_square = float(np.mean(np.square(errors))) if errors else 0.0
    sigma = math.sqrt((count * mean_square + worth * prior.scale**2) / (count + worth))
    dof = int(count + worth)
    return Trend(np.array([centre]), np.array([sigma]), dof, centre, sigma, years, tuple(past))


def past_ends(months: int) -> range:
    """Months known at the past forecasts of a year: from two years on, every six."""
    return range(24, months - 11, 6)


def _yearly_error(logs: Array, end: int, model: str) -> float:
    """Error of the total of the twelve months after the first `end`, forecast from these."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ahead = np.asarray(_fitted(logs[:end], model, season=12).forecast(12), dtype=np.float64)
    return float(np.log(np.exp(logs[end : end + 12]).sum() / np.exp(ahead).sum()))
