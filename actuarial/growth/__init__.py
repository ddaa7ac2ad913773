r"""Growth of per-capita cost at constant policy: next year's factor, with its uncertainty.

Two ways in this version.

**Expert value.** A growth :math:`v` with a standard deviation :math:`s` in points (or the half width of a
95% interval, :math:`s=w/1.96`): :math:`G=(1+v)e^{\sigma z}`, median :math:`1+v`, standard deviation :math:`s`.

**Series** (random walk with drift on log levels, gaps allowed). With log changes :math:`d_i` over
:math:`k_i` years,

.. math:: \hat\mu=\frac{\sum d_i}{\sum k_i},\quad
   \hat\sigma^2=\frac{1}{n-1}\sum\frac{(d_i-k_i\hat\mu)^2}{k_i},\quad
   g \sim \hat\mu+\hat\sigma\sqrt{1+1/\textstyle\sum k_i}\;t_{n-1},

the exact predictive of the Gaussian random walk (weighted least squares with weights :math:`1/k_i`).
It is truncated at documented bounds (``bounds.yaml``), because :math:`e^{t}` has no mean; the mass removed
is reported. With ``model="ets"`` the centre comes from statsmodels' damped additive trend on log levels.

Everybody who forecasts short series does the drift with normal intervals; those are too narrow for
three to eight points, which is why the Student factor and its degrees of freedom matter here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.plan import ExpertGrowthSpec, Plan
from actuarial.results import COLOURS, Result, Source, figure_style, new_axes
from actuarial.severity import log_sd
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@cache
def growth_bounds() -> tuple[float, float]:
    """Documented bounds of one year's log growth.

    Examples
    --------
    >>> low, high = growth_bounds()
    >>> low < 0 < high
    True
    """
    found = yaml.safe_load(files(__package__).joinpath("bounds.yaml").read_text(encoding="utf-8"))
    return float(found["lower"]), float(found["upper"])


@dataclass(frozen=True, eq=False)
class ExpertGrowth(Result):
    """Growth that somebody states.

    Parameters
    ----------
    value : float
        Median growth: 0.2366 is 23.66%.
    sd : float
        Standard deviation in points.
    correlation : float
        Between the categories' growth; 1 moves them together.
    """

    value: float
    sd: float
    correlation: float = 1.0

    def factor(self, z: ArrayLike) -> NDArray[np.float64]:
        """``1 + growth`` for standard normals `z`, truncated at the documented bounds."""
        sigma = log_sd(1 + self.value, self.sd)
        low, high = growth_bounds()
        centre = math.log1p(self.value)
        raw = np.asarray(z, dtype=np.float64)
        if sigma == 0:
            return np.full_like(raw, 1 + self.value)
        return np.exp(centre + sigma * _truncated(raw, (low - centre) / sigma, (high - centre) / sigma))

    @property
    def table(self) -> pd.DataFrame:
        """Value, sd, correlation."""
        return pd.DataFrame({"growth": [self.value], "sd": [self.sd], "correlation": [self.correlation]})


def _truncated(z: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """A standard normal truncated to ``[low, high]`` as a monotone function of a standard normal.

    Where the bounds lie outside ±8 this is the identity to machine precision. A centre that lies
    beyond its own bounds (a stated value outside the documented ones) is left as it is.
    """
    if not low < 0 < high or (low < -8 and high > 8):
        return z
    a, b = special.ndtr(low), special.ndtr(high)
    return np.clip(special.ndtri(a + (b - a) * special.ndtr(z)), low, high)


def expert_growth(
    value: float,
    *,
    sd: float | None = None,
    half_width_95: float | None = None,
    correlation: float = 1.0,
    source: Source | None = None,
) -> ExpertGrowth:
    """Growth by an expert's value and uncertainty, in points.

    Parameters
    ----------
    value : float
        0.2366 is 23.66%; above -1.
    sd, half_width_95 : float
        Exactly one: the standard deviation, or half the width of the 95% interval, in points.

    Raises
    ------
    InputError
        If neither or both uncertainties are given, or a number is out of range.

    Examples
    --------
    >>> expert_growth(0.2366, half_width_95=0.098).sd
    0.05
    """
    if (sd is None) == (half_width_95 is None):
        raise InputError([Fault("growth.one_uncertainty")])
    spread = float(sd) if sd is not None else round(float(half_width_95 or 0.0) / 1.96, 12)
    if not (value > -1 and math.isfinite(value) and 0 <= spread < math.inf and 0 <= correlation <= 1):
        raise InputError([Fault("growth.out_of_range", params={"value": value, "sd": spread})])
    return ExpertGrowth(float(value), spread, float(correlation), sources=(source,) if source else ())


@dataclass(frozen=True, eq=False)
class GrowthFit(Result):
    """Growth fitted to a yearly series.

    Parameters
    ----------
    series : Series
        Positive levels by year.
    drift, sigma : float
        Mean and standard deviation of one year's log growth.
    dof : int
        Degrees of freedom of the Student factor.
    years : float
        Years spanned: the sum of the steps.
    removed : float
        Probability beyond the bounds, removed by truncation.
    gaps : tuple of int
        Years missing inside the series; their growth is spread over the step.
    model : str
        ``drift`` or ``ets``.
    correlation : float
        Between categories' growth.
    """

    series: pd.Series
    drift: float
    sigma: float
    dof: int
    years: float
    removed: float
    gaps: tuple[int, ...]
    model: str
    correlation: float = 1.0

    @property
    def scale(self) -> float:
        """Scale of the Student predictive of one year's log growth."""
        return self.sigma * math.sqrt(1 + 1 / self.years)

    def factor(self, z: ArrayLike) -> NDArray[np.float64]:
        """``1 + growth`` of the next year for standard normals `z` (monotone in `z`)."""
        if self.scale == 0:
            return np.full_like(np.asarray(z, dtype=np.float64), math.exp(self.drift))
        low, high = ((b - self.drift) / self.scale for b in growth_bounds())
        a, b = special.stdtr(self.dof, low), special.stdtr(self.dof, high)
        u = a + (b - a) * special.ndtr(np.asarray(z, dtype=np.float64))
        return np.exp(self.drift + self.scale * np.clip(special.stdtrit(self.dof, u), low, high))

    def quantile(self, q: Sequence[float] | float) -> pd.Series:
        """Quantiles of next year's level.

        Examples
        --------
        >>> fit = fit_growth(pd.Series([100.0, 110, 119, 132], index=[2009, 2010, 2011, 2012]))
        >>> fit.quantile([0.025, 0.5, 0.975]).round(1).tolist()
        [136.0, 144.8, 154.1]
        """
        levels = np.atleast_1d(np.asarray(q, dtype=np.float64))
        values = float(self.series.iloc[-1]) * self.factor(special.ndtri(levels))
        return pd.Series(values, index=pd.Index(levels, name="quantile"), name=int(self.series.index[-1]) + 1)

    @property
    def table(self) -> pd.DataFrame:
        """Year, level, growth per year since the year before in the table."""
        level = self.series.to_numpy(dtype=np.float64)
        steps = np.diff(self.series.index.to_numpy(dtype=np.float64))
        yearly = np.exp(np.diff(np.log(level)) / steps) - 1
        return pd.DataFrame({"year": self.series.index, "level": level, "growth_per_year": [np.nan, *yearly]})

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """History and the next year's median, 80% and 95% intervals."""
        with figure_style():
            ax = ax or new_axes()
            year = int(self.series.index[-1]) + 1
            q = self.quantile([0.025, 0.1, 0.5, 0.9, 0.975]).to_numpy()
            ax.plot(self.series.index, self.series, marker="o", color=COLOURS["main"])
            ax.vlines(year, q[0], q[4], color=COLOURS["light"], linewidth=3)
            ax.vlines(year, q[1], q[3], color=COLOURS["main"], linewidth=6)
            ax.plot([year], [q[2]], marker="o", color=COLOURS["accent"])
            ax.set_ylabel(text("label.yuan_per_person", lang))
            ax.set_xlabel(text("label.year", lang))
        return ax


def fit_growth(
    series: pd.Series, *, model: str = "drift", correlation: float = 1.0, source: Source | None = None
) -> GrowthFit:
    """Fit growth to a series of yearly per-capita cost at constant policy.

    Parameters
    ----------
    series : Series
        Positive levels [yuan/person/year], indexed by year; at least three; years may be missing.
    model : {"drift", "ets"}
        Random walk with drift, or statsmodels' damped trend for the centre.

    Raises
    ------
    InputError
        With fewer than three points, a level that is not positive, a year twice, gaps under ``ets``, an unknown
        model, or a drift that the documented bounds leave no room for.

    Warns
    -----
    ModelWarning
        If truncation at the bounds removes more than 5% of the predictive probability.
    """
    if model not in {"drift", "ets"}:
        raise InputError([Fault("growth.model", params={"value": model})])
    levels = pd.Series(series, dtype="float64").sort_index()
    index = levels.index.to_numpy(dtype=np.float64)
    values = levels.to_numpy()
    if len(levels) < 3:
        raise InputError([Fault("growth.too_short", params={"points": len(levels)})])
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise InputError([Fault("growth.not_positive")])
    if (np.diff(index) <= 0).any():
        raise InputError([Fault("growth.year_twice")])
    d, k = np.diff(np.log(values)), np.diff(index)
    drift = float(d.sum() / k.sum())
    sigma = float(np.sqrt(((d - k * drift) ** 2 / k).sum() / (len(d) - 1)))
    gaps = tuple(int(y) for y in range(int(index[0]), int(index[-1])) if y not in set(index.astype(int)))
    if model == "ets":
        if gaps:
            raise InputError([Fault("growth.ets_gaps", params={"years": "、".join(map(str, gaps))})])
        drift, sigma = _ets(np.log(values))
    dof, years = len(d) - 1, float(k.sum())
    scale = sigma * math.sqrt(1 + 1 / years)
    low, high = growth_bounds()
    removed = 0.0
    if scale > 0:
        t = stats.t(dof)
        removed = float(t.cdf((low - drift) / scale) + t.sf((high - drift) / scale))
    if removed > 0.5 or not low < drift < high:
        raise InputError([Fault("growth.beyond_bounds", params=_percent(drift=drift, low=low, high=high))])
    if removed > 0.05:
        warn(ModelWarning, "growth.truncated", removed=f"{100 * removed:.0f}", **_percent(low=low, high=high))
    sources = (source,) if source else ()
    return GrowthFit(levels, drift, sigma, dof, years, removed, gaps, model, correlation, sources=sources)


def _percent(**logs: float) -> dict[str, Any]:
    """Log growth as percent, for messages."""
    return {name: f"{100 * math.expm1(value):.0f}" for name, value in logs.items()}


def _ets(log_levels: NDArray[np.float64]) -> tuple[float, float]:
    """Next step and residual sd of a damped additive trend (statsmodels)."""
    import warnings

    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence chatter; the fit is checked below
        fit: Any = ExponentialSmoothing(
            log_levels, trend="add", damped_trend=True, initialization_method="estimated"
        ).fit()
    step = float(fit.forecast(1)[0] - log_levels[-1])
    residual = np.asarray(fit.resid)[1:]
    if not (math.isfinite(step) and np.isfinite(residual).all()):
        raise InputError([Fault("growth.ets_failed")])
    return step, float(np.sqrt((residual**2).sum() / max(len(residual) - 1, 1)))


def plan_growth(plan: Plan) -> ExpertGrowth | GrowthFit:
    """The growth model that a plan asks for."""
    spec = plan.model.growth
    source = plan.source("growth", spec)
    if isinstance(spec, ExpertGrowthSpec):
        doubt = {spec.uncertainty.kind: spec.uncertainty.value}
        return expert_growth(spec.value, **doubt, correlation=spec.correlation, source=source)
    return fit_growth(
        per_capita_history(plan, spec.table), model=spec.model, correlation=spec.correlation, source=source
    )


def per_capita_history(plan: Plan, name: str) -> pd.Series:
    """Expenditure per participant by year, from a ``history`` table [yuan/person/year]."""
    frame = plan.tables[name].frame
    with np.errstate(divide="ignore", invalid="ignore"):
        level = frame["fund_expenditure"] / frame["participants"]
    return pd.Series(level.to_numpy(), index=frame["year"].to_numpy(), name="per_capita")


@dataclass(frozen=True, eq=False)
class RawGrowth(Result):
    """Raw growth of spending beside the growth of its funding: shown, never used.

    Parameters
    ----------
    frame : DataFrame
        ``year``, ``per_capita`` and ``financing`` [yuan/person], yearly growth of each.
    spending_growth, financing_growth : float
        Mean yearly growth over the whole span.
    gaps : tuple of int
        Missing years.
    """

    frame: pd.DataFrame
    spending_growth: float
    financing_growth: float
    gaps: tuple[int, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()


def raw_growth(plan: Plan) -> RawGrowth | None:
    """The plan's raw history, if it names one: spending and funding per head, growth of both."""
    if "raw_history" not in plan.tables:
        return None
    table = plan.tables["raw_history"]
    frame = table.frame.sort_values("year").reset_index(drop=True)
    level = per_capita_history(plan, "raw_history").sort_index()
    years = frame["year"].diff()
    present = set(frame["year"])
    gaps = tuple(y for y in range(min(present), max(present)) if y not in present)
    out = pd.DataFrame({"year": frame["year"], "per_capita": level.to_numpy()})
    out["financing"] = frame.get("financing_standard_per_capita", np.nan)
    for name in ("per_capita", "financing"):
        out[f"{name}_growth"] = (out[name] / out[name].shift(1)) ** (1 / years) - 1
    span = float(frame["year"].iloc[-1] - frame["year"].iloc[0])
    mean = {
        n: float((out[n].iloc[-1] / out[n].iloc[0]) ** (1 / span) - 1) for n in ("per_capita", "financing")
    }
    return RawGrowth(out, mean["per_capita"], mean["financing"], gaps, sources=table.sources)
