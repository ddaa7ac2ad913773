r"""Shock years and dated policies: factors on the claims of some categories in some months.

**Shock.** In a year :math:`N` events occur, Bernoulli or Poisson with the stated rate, and each raises visits by an independent
lognormal factor of mean :math:`f` and standard deviation :math:`s`. Their product takes one normal whatever :math:`N` is,

.. math:: F=\exp(N\mu+\sqrt N\,\sigma z),\qquad \sigma^2=\ln(1+s^2/f^2),\quad \mu=\ln f-\sigma^2/2,

with the moments (:math:`q=f^2+s^2`)

.. math:: \text{Bernoulli: } E F=1+r(f-1),\ E F^2=1+r(q-1);\qquad
          \text{Poisson: } E F=e^{r(f-1)},\ E F^2=e^{r(q-1)}.

A shock takes two columns of the systemic normals, occurrence and size; occurrence is their upper tail, so the designs of
:mod:`actuarial.fund.sampling` reach it, with exact weights.

**Dated policy.** From its day on the cost of a visit is multiplied by a lognormal factor with the stated median and standard
deviation; the month in which it starts takes it for the days in force.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from actuarial.errors import Fault, InputError
from actuarial.fund.large import poisson_counts
from actuarial.plan import Plan
from actuarial.severity import log_sd
from actuarial.tables import labels, term_id

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shock:
    """An event that raises visits.

    Parameters
    ----------
    name : str
        Its key in the plan; funds that name the same one can share it.
    poisson : bool
        Whether several may come in a year.
    rate, factor, factor_sd : float
        See :class:`actuarial.plan.risks.ShockSpec`.
    categories : ndarray of bool, shape (C,)
    months : ndarray of bool, shape (12,)

    Examples
    --------
    >>> flu = Shock("flu", False, 0.1, 1.3, 0.0, np.ones(1, bool), np.ones(12, bool))
    >>> flu.year(np.array([0.0, 2.0]), np.zeros(2)).round(6).tolist()
    [1.0, 1.3]
    >>> [round(m, 6) for m in flu.moments]
    [1.03, 1.069]
    """

    name: str
    poisson: bool
    rate: float
    factor: float
    factor_sd: float
    categories: NDArray[np.bool_]
    months: NDArray[np.bool_]

    def events(self, z: ArrayLike) -> NDArray[np.int64]:
        """Events of the year for standard normals; more of them for larger ones."""
        above = ndtr(-np.asarray(z, dtype=np.float64))
        if self.poisson:
            return poisson_counts(1 - np.maximum(above, 1e-15), np.full(above.shape, self.rate))
        return (above <= self.rate).astype(np.int64)

    def year(self, z_event: ArrayLike, z_size: ArrayLike) -> Array:
        """Factor on the visits of the months hit, one a path; exactly 1 without an event."""
        n = self.events(z_event)
        variance = np.log1p((self.factor_sd / self.factor) ** 2)
        z = np.asarray(z_size, dtype=np.float64)
        return np.asarray(
            np.exp(n * (np.log(self.factor) - variance / 2) + np.sqrt(n) * np.sqrt(variance) * z)
        )

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and mean square of the factor."""
        first, second = self.factor - 1, self.factor**2 + self.factor_sd**2 - 1
        if self.poisson:
            return float(np.exp(self.rate * first)), float(np.exp(self.rate * second))
        return 1 + self.rate * first, 1 + self.rate * second


@dataclass(frozen=True, eq=False)
class Start:
    """A policy that starts within the planned year.

    Parameters
    ----------
    name : str
    coefficient, sd : float
        Median and standard deviation of the factor on the cost of a visit.
    in_force : ndarray, shape (12,)
        Share of each month in which it is in force.
    categories : ndarray of bool, shape (C,)
    """

    name: str
    coefficient: float
    sd: float
    in_force: Array
    categories: NDArray[np.bool_]

    def whole(self, z: ArrayLike) -> Array:
        """The factor where it is fully in force, for standard normals."""
        return np.asarray(self.coefficient * np.exp(log_sd(self.coefficient, self.sd) * np.asarray(z)))

    def months(self, z: ArrayLike) -> Array:
        """Factor by month, shape (n, 12)."""
        return 1 + (self.whole(z)[..., None] - 1) * self.in_force


def days_in_force(on: dt.date, first: pd.Period) -> Array:
    """Share of each of twelve months in which what starts on a day is in force.

    Examples
    --------
    >>> days_in_force(dt.date(2014, 4, 16), pd.Period("2014-01", "M")).tolist()
    [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    days = np.array([calendar.monthrange(p.year, p.month)[1] for p in (first + i for i in range(12))])
    starts = [dt.date(p.year, p.month, 1) for p in (first + i for i in range(12))]
    before = np.array([(on - start).days for start in starts])
    return np.asarray(1 - np.clip(before, 0, days) / days)


def plan_shocks(plan: Plan, categories: list[str]) -> tuple[Shock, ...]:
    """The plan's shocks, in the order of their names.

    Raises
    ------
    InputError
        If one names a category that the experience does not have.
    """
    found = []
    for name, spec in sorted(plan.model.shocks.items()):
        mine = _mask(plan, "shocks", name, spec.categories, categories)
        months = np.isin(np.arange(1, 13), spec.months) if spec.months else np.ones(12, dtype=bool)
        found.append(Shock(name, spec.law == "poisson", spec.rate, spec.factor, spec.factor_sd, mine, months))
    return tuple(found)


def plan_starts(plan: Plan, categories: list[str]) -> tuple[Start, ...]:
    """The plan's dated policies, in the order of their names.

    Raises
    ------
    InputError
        If one names a category that the experience does not have.
    """
    found = []
    for name, spec in sorted(plan.model.policy_starts.items()):
        mine = _mask(plan, "policy_starts", name, spec.categories, categories)
        force = days_in_force(dt.date.fromisoformat(spec.on), plan.base_year + 12)
        found.append(Start(name, spec.coefficient, spec.sd, force, mine))
    return tuple(found)


def _mask(plan: Plan, part: str, name: str, stated: list[str], categories: list[str]) -> NDArray[np.bool_]:
    """Which categories are meant: all where none is named."""
    wanted = [term_id(c) for c in stated]
    strange = sorted(set(wanted) - set(categories))
    if strange:
        params = {"key": f"{part}.{name}", "name": labels(strange), "known": labels(categories)}
        raise InputError([Fault("risks.category", file=plan.file, params=params)])
    return np.isin(categories, wanted) if stated else np.ones(len(categories), dtype=bool)
