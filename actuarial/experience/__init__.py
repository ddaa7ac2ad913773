r"""Experience and its year: frequency, severity, per-capita cost; from part years to years.

Per-capita fund cost is, by category, ``visits per insured × payment per visit``; both are kept for
the months observed. A cash table is *annualised*, never completed: with :math:`Y_k` paid in the first
:math:`k` months and :math:`S` the share of the year that they hold (:mod:`actuarial.tables.profile`),

.. math:: Y = Y_k / S .

The mean of :math:`1/S` is above :math:`1/E[S]`; the draws carry this, the point figure is the median.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import DataWarning, Fault, InputError, warn
from actuarial.plan import Plan
from actuarial.results import Result, Source
from actuarial.tables import MonthlyProfile, Table


@dataclass(frozen=True, eq=False)
class Experience(Result):
    """What was paid in the months observed.

    Parameters
    ----------
    frame : DataFrame
        One row a category: ``category``, ``fund_payment`` [yuan], ``visits`` [person-times],
        ``visits_per_insured``, ``payment_per_visit`` [yuan], ``per_capita`` [yuan/person]. Visits
        are NaN where the table has none.
    insured : float
        Persons insured.
    months : int
        Months observed, 1 to 12.
    """

    frame: pd.DataFrame
    insured: float
    months: int

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def paid(self) -> float:
        """Paid by the fund in the months observed [yuan]."""
        return float(self.frame["fund_payment"].sum())

    def annualise(
        self, profile: MonthlyProfile, *, place_sd: float = 0.0, source: Source | None = None
    ) -> AnnualBase:
        """The whole year, by the months' shares of the year.

        Parameters
        ----------
        profile : MonthlyProfile
            How a year falls on its months.
        place_sd : float
            How much this place may differ from the profile's places (sd of the share).
        source : Source, optional
            Of the method.
        """
        sources = (*self.sources, *profile.sources, *((source,) if source else ()))
        return AnnualBase(self, profile, place_sd, sources=sources)


@dataclass(frozen=True, eq=False)
class AnnualBase(Result):
    """The base year as a whole, with what is not yet known of it.

    Parameters
    ----------
    experience : Experience
    profile : MonthlyProfile
    place_sd : float
        See :meth:`Experience.annualise`.
    """

    experience: Experience
    profile: MonthlyProfile
    place_sd: float

    @property
    def share(self) -> float:
        """Median share of the year in the months observed."""
        return self.profile.cumulative(self.experience.months)

    @property
    def total(self) -> float:
        """Median cost of the year [yuan]."""
        return self.experience.paid / self.share

    @property
    def per_capita(self) -> float:
        """Median cost of the year per insured [yuan/person/year]."""
        return self.total / self.experience.insured

    @property
    def category_per_capita(self) -> NDArray[np.float64]:
        """The same by category, in the table's order."""
        return self.experience.frame["per_capita"].to_numpy() / self.share

    @property
    def annual_visits(self) -> NDArray[np.float64]:
        """Visits of the year per insured, by category (NaN where not known)."""
        return self.experience.frame["visits_per_insured"].to_numpy() / self.share

    def factor(self, z: ArrayLike) -> NDArray[np.float64]:
        """The year over its median, for standard normals `z` (1 where the year is whole)."""
        return self.share / self.profile.share_draws(self.experience.months, z, self.place_sd)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Interval of the year's cost [yuan]."""
        from scipy.special import ndtri

        z = float(ndtri(0.5 + level / 2))
        low, high = self.factor(np.array([z, -z])) * self.total
        return float(low), float(high)

    @property
    def table(self) -> pd.DataFrame:
        """Observed and annualised cost by category."""
        frame = self.experience.table
        frame["annual_payment"] = frame["fund_payment"] / self.share
        frame["annual_per_capita"] = frame["per_capita"] / self.share
        return frame


def read_experience(table: Table, insured: float, months: int) -> Experience:
    """Experience from a checked table of aggregates.

    Parameters
    ----------
    table : Table
        Of kind ``experience``.
    insured : float
        Persons insured, above 0.
    months : int
        Months that the table covers, 1 to 12.

    Raises
    ------
    InputError
        If nobody is insured, nothing was paid, or a category has payments and no visits.

    Examples
    --------
    >>> from actuarial.samples import sample_path
    >>> from actuarial.tables import read_table
    >>> t = read_table(sample_path("jieshou/experience.csv"), "experience")
    >>> e = read_experience(t, 647_000, 10)
    >>> round(float(e.frame.set_index("category").loc["inpatient", "payment_per_visit"]), 2)
    2706.15
    """
    if not insured > 0:
        raise InputError([Fault("experience.no_insured", params={"value": insured})])
    if not 1 <= months <= 12:
        raise InputError([Fault("experience.months", params={"value": months})])
    frame = table.frame[["category", "fund_payment"]].copy()
    frame["visits"] = table.frame.get("visits", np.nan)
    faults = [
        Fault("experience.no_visits", file=table.file, cell=table.cells["visits"][i], params={"category": c})
        for i, (c, v, y) in enumerate(
            zip(frame["category"], frame["visits"], frame["fund_payment"], strict=True)
        )
        if v == 0 and y > 0
    ]
    if frame["fund_payment"].sum() <= 0:
        faults.append(Fault("experience.nothing_paid", file=table.file))
    if faults:
        raise InputError(faults)
    frame["visits_per_insured"] = frame["visits"] / insured
    frame["payment_per_visit"] = frame["fund_payment"] / frame["visits"].where(frame["visits"] > 0)
    frame["per_capita"] = frame["fund_payment"] / insured
    return Experience(frame, float(insured), months, sources=table.sources)


def base_year(plan: Plan) -> AnnualBase:
    """The plan's base year: its experience table, annualised as the plan says.

    Warns
    -----
    DataWarning
        If a seasonal method has fewer than three years behind it.
    """
    spec = plan.model.annualise
    study = read_experience(plan.tables["experience"], plan.model.insured.count, plan.observed_months)
    if spec.profile == "straight_line":
        profile = MonthlyProfile.even()
    else:
        profile = MonthlyProfile.from_history(plan.tables[str(spec.table)])
        if len(profile.years) < 3 and plan.observed_months < 12:
            warn(DataWarning, "experience.short_season", years=len(profile.years))
    profile = profile.starting(plan.base_year.month)
    if profile.cumulative(plan.observed_months) <= 0:
        table = plan.tables[str(spec.table)]
        raise InputError(
            [Fault("experience.no_share", file=table.file, params={"months": plan.observed_months})]
        )
    return study.annualise(profile, place_sd=spec.place_sd, source=plan.source("annualise", spec))
