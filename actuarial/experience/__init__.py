r"""Experience and its year: frequency, severity, per-capita cost; from part years to years.

Per-capita fund cost is, by category, ``visits per insured × payment per visit``; both are kept for
the months observed. A cash table is *annualised*, never completed: with :math:`Y_k` paid in the first
:math:`k` months and :math:`S` the share of the year that they hold (:mod:`actuarial.tables.profile`),

.. math:: Y = Y_k / S .

The mean of :math:`1/S` is above :math:`1/E[S]`; the draws carry this, the point figure is the median.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import DataWarning, Fault, InputError, warn
from actuarial.plan import Plan
from actuarial.results import Result, Source
from actuarial.severity import log_sd
from actuarial.tables import MonthlyProfile, Table, labels

if TYPE_CHECKING:
    from actuarial.experience.completion import Completed


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

    @cached_property
    def paid(self) -> float:
        """Paid by the fund in the months observed [yuan]."""
        return float(self.frame["fund_payment"].sum())

    def annualise(
        self,
        profile: MonthlyProfile,
        *,
        place_sd: float = 0.0,
        policy_factors: Sequence[float] | None = None,
        source: Source | None = None,
    ) -> AnnualBase:
        """The whole year, by the months' shares of the year.

        Parameters
        ----------
        profile : MonthlyProfile
            How a year falls on its months.
        place_sd : float
            How much this place may differ from the profile's places (sd of the share).
        policy_factors : sequence of float, optional
            Of policies that start within the year: twelve, by month, relative to the rules at its start. The year then is
            that under the rules as they were month by month; a year to come keeps the profile's own pattern.
        source : Source, optional
            Of the method.

        Examples
        --------
        >>> from actuarial.samples import sample_path
        >>> from actuarial.tables import read_table
        >>> study = read_experience(read_table(sample_path("jieshou/experience.csv"), "experience"), 647_000, 10)
        >>> plain = study.annualise(MonthlyProfile.even())
        >>> dearer = study.annualise(MonthlyProfile.even(), policy_factors=[1.0] * 10 + [1.1] * 2)
        >>> round(dearer.total / plain.total, 4)
        1.0167
        """
        sources = (*self.sources, *profile.sources, *((source,) if source else ()))
        if policy_factors is None:
            return AnnualBase(self, profile, place_sd, sources=sources)
        return AnnualBase(
            self, profile.with_policy(policy_factors), place_sd, season=profile, sources=sources
        )


@dataclass(frozen=True, eq=False)
class AnnualBase(Result):
    """The base year as a whole, with what is not yet known of it.

    Parameters
    ----------
    experience : Experience
    profile : MonthlyProfile
    place_sd : float
        See :meth:`Experience.annualise`.
    completion : float
        Incurred over paid in the months observed; 1 for cash tables, which are never completed.
    completion_sd : float
        Standard deviation of `completion` relative to it.
    completed : Completed or None
        The completed run-off that `completion` comes from.
    season : MonthlyProfile or None
        The pattern without the policies that started within the year, where there were any.
    """

    experience: Experience
    profile: MonthlyProfile
    place_sd: float
    completion: float = 1.0
    completion_sd: float = 0.0
    completed: Completed | None = None
    season: MonthlyProfile | None = None

    @property
    def coming(self) -> MonthlyProfile:
        """How a year to come, under one set of rules, falls on its months."""
        return self.season or self.profile

    @cached_property
    def share(self) -> float:
        """Median share of the year in the months observed."""
        return self.profile.cumulative(self.experience.months)

    @cached_property
    def total(self) -> float:
        """Median cost of the year [yuan]."""
        return self.experience.paid * self.completion / self.share

    @property
    def per_capita(self) -> float:
        """Median cost of the year per insured [yuan/person/year]."""
        return self.total / self.experience.insured

    @cached_property
    def category_per_capita(self) -> NDArray[np.float64]:
        """The same by category, in the table's order."""
        found = self.experience.frame["per_capita"].to_numpy() * self.completion / self.share
        found.flags.writeable = False  # one array for all who ask
        return found

    @property
    def annual_visits(self) -> NDArray[np.float64]:
        """Visits of the year per insured, by category (NaN where not known)."""
        return self.experience.frame["visits_per_insured"].to_numpy() * self.completion / self.share

    def factor(self, z: ArrayLike) -> NDArray[np.float64]:
        """The year over its median, for standard normals `z` (1 where the year is whole)."""
        return self.share / self.profile.share_draws(self.experience.months, z, self.place_sd)

    def completion_factor(self, z: ArrayLike) -> NDArray[np.float64]:
        """Completion over its median, for standard normals `z`: lognormal with the stated relative sd."""
        return np.exp(log_sd(1.0, self.completion_sd) * np.asarray(z, dtype=np.float64))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Interval of the year's cost [yuan]."""
        from scipy.special import ndtri

        z = float(ndtri(0.5 + level / 2))
        share = np.log(self.factor(np.array([z, -z])))
        claims = np.log(self.completion_factor(np.array([-z, z])))
        low, high = self.total * np.exp(np.array([-1, 1]) * np.hypot(share, claims))
        return float(low), float(high)

    @property
    def table(self) -> pd.DataFrame:
        """Observed and annualised cost by category."""
        frame = self.experience.table
        frame["annual_payment"] = frame["fund_payment"] * self.completion / self.share
        frame["annual_per_capita"] = self.category_per_capita
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
        Fault(
            "experience.no_visits",
            file=table.file,
            cell=table.cells["visits"][i],
            params={"category": labels([str(c)])},
        )
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
    """The plan's base year: its experience table or claims, completed where incurred, annualised as the plan says.

    Warns
    -----
    DataWarning
        If a seasonal method has fewer than three years behind it.
    """
    spec = plan.model.annualise
    completed = None
    if plan.claims is not None:
        from actuarial.experience.incurred import study_claims

        study, completed = study_claims(plan)
    else:
        study = read_experience(plan.tables["experience"], plan.model.insured.count, plan.observed_months)
    profile, place_sd = _season(plan)
    season = None
    if spec.by_days:
        profile, season = profile.by_days(plan.base_year), profile.by_days(plan.base_year + 12)
    else:
        profile = profile.starting(plan.base_year.month)
    seen = profile.years.iloc[:, : plan.observed_months].to_numpy()
    if profile.cumulative(plan.observed_months) <= 0 or (seen.size and seen.sum() <= 0):
        table = plan.tables[str(spec.table)]
        raise InputError(
            [Fault("experience.no_share", file=table.file, params={"months": plan.observed_months})]
        )
    base = study.annualise(
        profile, place_sd=place_sd, policy_factors=spec.policy_factors, source=plan.source("annualise", spec)
    )
    if season is not None:  # the year to come has days of its own
        base = replace(base, season=season)
    return base if completed is None else completed.applied(base)


def _season(plan: Plan) -> tuple[MonthlyProfile, float]:
    """The months' shares that the plan asks for, and what the place may still differ from them."""
    spec = plan.model.annualise
    if spec.profile == "straight_line":
        return MonthlyProfile.even(), spec.place_sd
    table = plan.tables[str(spec.table)]
    if spec.reference is None:
        profile, place_sd = MonthlyProfile.from_history(table), spec.place_sd
    else:  # the place's own years: what it differs from the reference is in the profile
        reference = MonthlyProfile.from_history(plan.tables[spec.reference])
        profile = MonthlyProfile.from_history(table, reference=reference, place_sd=spec.place_sd or None)
        place_sd = 0.0
    if profile.prior is not None and plan.observed_months < 12:
        warn(DataWarning, "experience.short_season", stacklevel=4, years=len(profile.years),
             weight=f"{100 * profile.prior.weight:.0f}")  # fmt: skip
    return profile, place_sd
