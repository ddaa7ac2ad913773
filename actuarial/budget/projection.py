r"""The year's spending, conditional on the months seen.

Where the budget was drawn from a simulated fund, its own paths are moved by what was seen
(:meth:`actuarial.fund.Simulation.claims_given`, the claims of ``Fund.simulate(observed=…)``): months seen are fixed, months to come are those of
the paths. Where only a ceiling is known there is no simulation, and the year is :math:`T=Y_k/S` with :math:`Y_k` spent in the first
:math:`k` months and :math:`S` their share of the year (logit-normal with the spread of the profile between years, between places and of
single claims). The same holds where the months seen lie in a tail of less than 1% of what the simulation expected: it is
set aside, and the result says so, for a wrong prior is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from actuarial.budget.phasing import YearBudget
from actuarial.fund import MonthlyActuals, Simulation
from actuarial.fund.categories import CONFLICT
from actuarial.fund.observed import Update, learned, season

NODES = 4001


@dataclass(frozen=True, eq=False)
class Projection:
    """Spending of the year as equally likely values.

    Parameters
    ----------
    totals : ndarray, shape (n,)
        Claims of the whole year, one a path [yuan].
    seen : float
        Spent so far [yuan].
    months : int
    surprise : float
        Two-sided tail probability of the months seen under the simulation; NaN without one.
    given : ndarray or None, shape (n, 12)
        Claims by month on the budget's paths given the months seen [yuan]; None where there are none, or they are set aside.
    """

    totals: NDArray[np.float64]
    seen: float
    months: int
    surprise: float = float("nan")
    given: NDArray[np.float64] | None = None

    @property
    def prior_used(self) -> bool:
        """Whether the projection rests on the budget's simulation."""
        return self.given is not None

    @property
    def rest(self) -> NDArray[np.float64]:
        """Claims of the months to come, shape (n,) [yuan]."""
        return self.totals - self.seen

    @property
    def mean(self) -> float:
        """Expected total [yuan]."""
        return float(self.totals.mean())

    def quantile(self, level: float) -> float:
        """A quantile of the total [yuan]."""
        return float(np.quantile(self.totals, level))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Central interval of the total [yuan]."""
        return self.quantile(0.5 - level / 2), self.quantile(0.5 + level / 2)

    def over(self, amount: float) -> float:
        """Probability that the total passes an amount."""
        return float((self.totals > amount).mean())


def share_law(year: YearBudget, months: int) -> tuple[float, float]:
    """Centre and spread, on the logit scale, of the share of the first `months` months."""
    s = year.profile.cumulative(months)
    sd = float(
        np.sqrt(year.profile.year_sd(months) ** 2 + year.place_sd**2 + year.process_sd[months - 1] ** 2)
    )
    return float(np.log(s / (1 - s))), max(sd / (s * (1 - s)), 1e-6)


def project(year: YearBudget, seen: ArrayLike, months: int) -> Projection:
    """Total claims of the year given those of the first months.

    Parameters
    ----------
    year : YearBudget
    seen : float or array_like
        Claims of the first `months` months, together or by month [yuan].
    months : int
        From 1 to 12.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.budget import base_year_budget
    >>> year = base_year_budget(act.load_plan(act.sample_path("anhui_county/plan.yaml")))
    >>> p = project(year, 20_779_000, 5)
    >>> round(p.quantile(0.5) / 20_779_000 * year.profile.cumulative(5), 3)
    1.0
    """
    by_month = np.atleast_1d(np.asarray(seen, dtype=np.float64))
    total = float(by_month.sum())
    if months >= 12 or total <= 0:
        return Projection(np.array([total]), total, months)
    if year.simulation is None:
        return Projection(_alone(year, total, months), total, months)
    sim = year.simulation
    shown = np.exp(lesson(sim, months).data[0])
    below = float((shown <= total).mean())
    surprise = 2 * min(below, 1 - below)
    if surprise < CONFLICT:
        return Projection(_alone(year, total, months), total, months, surprise)
    if (
        len(by_month) != months or (by_month < 0).any()
    ):  # a month that is not told, or that took back more than it paid
        by_month = total * sim.setting.shares[:months] / sim.setting.shares[:months].sum()
    given = sim.claims_given(MonthlyActuals(claims=by_month.tolist(), source="actual"))
    return Projection(given.sum(axis=1), total, months, surprise, given)


def _alone(year: YearBudget, seen: float, months: int) -> NDArray[np.float64]:
    """The year from the months seen and their share alone, in order of size."""
    centre, spread = share_law(year, months)
    z = ndtri((np.arange(NODES) + 0.5) / NODES)
    return np.sort(seen * (1 + np.exp(-(centre + spread * z))))


def lesson(sim: Simulation, months: int) -> Update:
    """What the first months tell of the year, on a simulation's own paths."""
    return learned(sim.setting, sim.arrays, months, season(sim.setting, months, sim.seed, sim.paths))


def rehearse(
    year: YearBudget, months: int, projection: Projection | None = None, *, years: int = 2000, nodes: int = 400,
    seed: int = 2012,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Years that might be, and what would be projected of each from its first months.

    Parameters
    ----------
    year : YearBudget
    months : int
        Months seen, 1 to 11.
    projection : Projection, optional
        Where the years are around what is projected now; else they are the budget's own simulated years.
    years, nodes, seed : int
        Years rehearsed, values of each projection.

    Returns
    -------
    totals : ndarray, shape (years,)
        What each year comes to [yuan].
    projected : ndarray, shape (years, nodes)
        Equally likely totals as they would be projected after `months` months [yuan].
    """
    sim = year.simulation
    if sim is None or (projection is not None and not projection.prior_used):
        assert projection is not None
        random = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(7, months))))
        centre, spread = share_law(year, months)
        totals = random.choice(projection.totals, years)
        seen = totals / (1 + np.exp(-(centre + spread * random.standard_normal(years))))
        z = ndtri((np.arange(nodes) + 0.5) / nodes)
        return totals, seen[:, None] * (1 + np.exp(-(centre + spread * z)))
    update, usual = lesson(sim, months), float(sim.setting.shares[:months].sum())
    count = min(years, sim.paths // 2 or 1)
    first = slice(0, count)
    then = slice(count, count + nodes) if sim.paths > count else first
    rest = sim.claims[:, months:].sum(axis=1) / (1 - usual)
    totals = np.exp(update.data[0, first]) + rest[first] * update.left(np.zeros(1), first)
    moved = update.gain[:, :, None] * (update.data[0, first][:, None] - update.data[0, then])[None, :, :]
    projected = np.exp(update.data[0, first])[:, None] + rest[then] * np.exp(moved[0]) * update.left(
        moved[1], then
    )
    return totals, projected
