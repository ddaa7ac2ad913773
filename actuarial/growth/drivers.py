r"""Where growth comes from, and where it goes in the long run.

* :func:`driver_growth`: growth = price × use × mix × ageing × policy, each with its own uncertainty.
* :func:`ageing_factor`: an age-cost curve over a population projection.
* :func:`income_growth`: an optional regression of cost growth on income (or prices), shrunk as short series need.
* :func:`long_run`: beyond three years growth fades to that of income plus a stated excess (Getzen's damping).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from actuarial.errors import Fault, InputError
from actuarial.growth.expert import ExpertGrowth, expert_growth
from actuarial.results import Result

Array = NDArray[np.float64]
DRIVERS = ("price", "use", "mix", "ageing", "policy")


@dataclass(frozen=True, eq=False)
class DriverGrowth(Result):
    """Growth as a product of drivers.

    Parameters
    ----------
    frame : DataFrame
        ``driver``, ``growth``, ``sd`` (points), ``log_growth``, ``share`` of the log growth.
    """

    frame: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def value(self) -> float:
        """Growth of all drivers together."""
        return float(np.expm1(self.frame["log_growth"].sum()))

    @property
    def sd(self) -> float:
        """Standard deviation of the product in points, the drivers independent."""
        relative = self.frame["sd"] / (1 + self.frame["growth"])
        return float((1 + self.value) * np.sqrt(np.prod(1 + relative**2) - 1))

    def expert(self, *, with_policy: bool = False, correlation: float = 1.0) -> ExpertGrowth:
        """The growth for a cost forecast: without policy, which the policy factor already counts, unless asked for."""
        kept = self if with_policy else DriverGrowth(self.frame[self.frame["driver"] != "policy"])
        return expert_growth(kept.value, sd=kept.sd, correlation=correlation)


def driver_growth(drivers: Mapping[str, float | tuple[float, float]]) -> DriverGrowth:
    """Growth from its drivers.

    Parameters
    ----------
    drivers : mapping
        From ``price``, ``use``, ``mix``, ``ageing``, ``policy`` to growth, or to growth and its sd in points.

    Raises
    ------
    InputError
        With an unknown driver, a growth of −100% or less, or a negative sd.

    Examples
    --------
    >>> found = driver_growth({"price": (0.04, 0.01), "use": (0.05, 0.02), "ageing": 0.006, "policy": 0.17})
    >>> round(found.value, 4), round(found.expert().value, 4)
    (0.2853, 0.0986)
    """
    rows, faults = [], []
    for name, given in drivers.items():
        growth, sd = _numbers(given)
        if name not in DRIVERS or not (growth > -1 and math.isfinite(growth) and 0 <= sd < math.inf):
            faults.append(
                Fault("growth.driver", params={"name": name, "value": given, "known": ", ".join(DRIVERS)})
            )
        else:
            rows.append((name, growth, sd, math.log1p(growth)))
    if faults or not rows:
        raise InputError(
            faults or [Fault("growth.driver", params={"name": "", "value": "", "known": ", ".join(DRIVERS)})]
        )
    frame = pd.DataFrame(rows, columns=["driver", "growth", "sd", "log_growth"])
    total = float(frame["log_growth"].sum())
    frame["share"] = frame["log_growth"] / total if total else 0.0
    return DriverGrowth(frame)


def _numbers(given: object) -> tuple[float, float]:
    """A growth and its sd; NaN where it is no such thing."""
    pair = given if isinstance(given, tuple | list) else (given, 0.0)
    try:
        growth, sd = (float(v) for v in pair)
    except (TypeError, ValueError):
        return math.nan, math.nan
    return growth, sd


def ageing_factor(curve: pd.Series, population: pd.DataFrame) -> pd.Series:
    """Factor on cost per head from a change of the age structure alone.

    Parameters
    ----------
    curve : Series
        Cost per person by age group [yuan/person/year]; only its shape matters.
    population : DataFrame
        Age groups × years: persons.

    Returns
    -------
    Series
        By year, cost per head over that of the first year.

    Raises
    ------
    InputError
        If an age group has no cost or is there twice, persons are negative or missing, or a year has neither persons nor cost.

    Examples
    --------
    >>> curve = pd.Series({"0-59": 300.0, "60+": 900.0})
    >>> ageing_factor(curve, pd.DataFrame({2012: [90, 10], 2013: [89, 11]}, index=curve.index)).round(4).tolist()
    [1.0, 1.0167]
    """
    twice = curve.index[curve.index.duplicated()].union(population.index[population.index.duplicated()])
    if len(twice) or population.empty:
        raise InputError([Fault("growth.age_groups", params={"groups": ", ".join(map(str, twice))})])
    cost = pd.to_numeric(curve.reindex(population.index), errors="coerce")
    persons = population.apply(pd.to_numeric, errors="coerce")
    good = np.isfinite(cost) & (cost >= 0) & (np.isfinite(persons) & (persons >= 0)).all(axis=1)
    if not good.all() or (persons.sum() <= 0).any() or (persons.mul(cost, axis=0).sum() <= 0).any():
        names = ", ".join(map(str, population.index[~good]))
        raise InputError([Fault("growth.age_groups", params={"groups": names})])
    population = persons
    per_head = population.mul(cost, axis=0).sum() / population.sum()
    return per_head / per_head.iloc[0]


@dataclass(frozen=True, eq=False)
class IncomeGrowth(Result):
    """A regression of cost growth on income growth.

    Parameters
    ----------
    elasticity, elasticity_sd : float
        Shrunk to the prior; and its posterior standard deviation.
    intercept : float
        Log growth at no income growth.
    location, scale, dof : float
        Student predictive of log growth at the stated income growth.
    years : int
        Growths behind it.
    """

    elasticity: float
    elasticity_sd: float
    intercept: float
    location: float
    scale: float
    dof: float
    years: int

    @property
    def table(self) -> pd.DataFrame:
        """One row."""
        names = ("elasticity", "elasticity_sd", "intercept", "location", "scale", "dof", "years")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def quantile(self, q: float) -> float:
        """Quantile of growth (not log)."""
        return float(np.expm1(self.location + self.scale * stdtrit(self.dof, q)))


def income_growth(
    cost: pd.Series,
    income: pd.Series,
    next_income_growth: float,
    *,
    prior_elasticity: float = 1.0,
    prior_sd: float = 0.5,
) -> IncomeGrowth:
    """Regress log growth of cost on log growth of income, with the elasticity shrunk to a prior.

    Conjugate: given the noise the elasticity has a normal prior of `prior_sd`, the intercept a flat one; the predictive is
    Student. With few years the elasticity stays near its prior, and the interval says so.

    Parameters
    ----------
    cost, income : Series
        Positive levels by year; growth is taken where both have consecutive years.
    next_income_growth : float
        Of the year that is forecast (0.06 is 6%).
    prior_elasticity, prior_sd : float
        An assumption of the user: cost that grows with income, give or take one half.

    Raises
    ------
    InputError
        With fewer than three growths in common, a level that is not positive, a year twice, or an option out of range.

    Examples
    --------
    >>> years = range(2005, 2012)
    >>> income = pd.Series([100.0, 108, 118, 127, 138, 151, 163], index=years)
    >>> found = income_growth(50 * (income / 100) ** 1.2, income, 0.06)
    >>> round(found.elasticity, 1), bool(found.quantile(0.1) < found.quantile(0.9))
    (1.2, True)
    """
    if not (next_income_growth > -1 and math.isfinite(next_income_growth)):
        raise InputError([_out_of_range("next_income_growth", next_income_growth, -1)])
    if not 0 < prior_sd < math.inf:
        raise InputError([_out_of_range("prior_sd", prior_sd, 0)])
    if cost.index.has_duplicates or income.index.has_duplicates:
        raise InputError([Fault("growth.year_twice")])
    both = pd.concat([cost, income], axis=1, keys=["cost", "income"]).astype("float64").sort_index()
    if both.empty:
        raise InputError([Fault("growth.too_short", params={"points": 0})])
    known = both.dropna()
    if not ((known > 0) & np.isfinite(known)).all().all():
        raise InputError([Fault("growth.not_positive")])
    logs = both.map(math.log).reindex(range(int(both.index[0]), int(both.index[-1]) + 1))
    growth = logs.diff().dropna()
    n = len(growth)
    if n < 3:
        raise InputError([Fault("growth.too_short", params={"points": n + 1})])
    x, y = growth["income"].to_numpy(), growth["cost"].to_numpy()
    residual_prior = y - prior_elasticity * x
    noise = max(float(residual_prior.var(ddof=1)), 1e-8)
    precision = float(((x - x.mean()) ** 2).sum()) / noise + 1 / prior_sd**2
    slope = (
        float(((x - x.mean()) * (y - y.mean())).sum()) / noise + prior_elasticity / prior_sd**2
    ) / precision
    intercept = float(y.mean() - slope * x.mean())
    left = y - intercept - slope * x
    noise = max(float((left**2).sum()) / (n - 1), 1e-8)
    ahead = math.log1p(next_income_growth)
    variance = noise * (1 + 1 / n) + (ahead - float(x.mean())) ** 2 / precision
    return IncomeGrowth(
        slope, precision**-0.5, intercept, intercept + slope * ahead, math.sqrt(variance), float(n - 1), n
    )


def long_run(
    next_growth: float,
    income_growth: float,
    *,
    years: int,
    excess: float = 0.0,
    from_year: int = 3,
    half_life: float = 3.0,
) -> pd.Series:
    """Growth by year that fades to that of income plus an excess.

    Until `from_year` growth is that of the short-run forecast; from then on its distance to the long run halves every
    `half_life` years, as long-run projections of health spending do, because cost cannot outgrow income for ever.

    Parameters
    ----------
    next_growth : float
        Short-run yearly growth (0.10 is 10%).
    income_growth, excess : float
        Long-run growth of income per head, and what health cost grows beyond it.
    years : int
        Years ahead, at least 1.
    from_year, half_life : int, float

    Raises
    ------
    InputError
        If a number is out of range.

    Examples
    --------
    >>> long_run(0.12, 0.05, years=9, excess=0.01).round(3).tolist()
    [0.12, 0.12, 0.12, 0.107, 0.097, 0.09, 0.083, 0.079, 0.075]
    """
    from_low = {"years": (years, 1), "from_year": (from_year, 0)}
    above = {
        "half_life": (half_life, 0), "next_growth": (next_growth, -1), "income_growth + excess": (income_growth + excess, -1),
    }  # fmt: skip
    faults = [_out_of_range(n, v, low) for n, (v, low) in from_low.items() if not low <= v < math.inf]
    faults += [_out_of_range(n, v, low) for n, (v, low) in above.items() if not low < v < math.inf]
    if faults:
        raise InputError(faults)
    ahead = np.arange(1, years + 1)
    fade = 0.5 ** (np.maximum(ahead - from_year, 0) / half_life)
    start, end = math.log1p(next_growth), math.log1p(income_growth + excess)
    return pd.Series(
        np.expm1(end + (start - end) * fade), index=pd.RangeIndex(1, years + 1, name="year_ahead")
    )


def _out_of_range(name: str, value: float, low: float) -> Fault:
    return Fault("growth.option", params={"name": name, "value": value, "low": low, "high": "…"})
