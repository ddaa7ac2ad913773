"""What a plan adds to the year of a fund: shocks, dated policies, providers with budgets, payment lag; each only where stated.

A setting without any of them has no :class:`Risk`, and its paths are the bytes that they were without this module.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actuarial.cost import CostForecast
from actuarial.fund.lags import PaymentLag, plan_lag
from actuarial.fund.paths import PathArrays, Setting, claims_of
from actuarial.fund.providers import Providers, plan_providers, provider_rule
from actuarial.fund.shocks import Shock, Start, plan_shocks, plan_starts
from actuarial.fund.switches import PROVIDER, SHOCK, START
from actuarial.fund.uneven import uneven_claims
from actuarial.plan import Plan
from actuarial.results import Source

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Year:
    """Claims of one year on some paths.

    Parameters
    ----------
    paid, incurred : ndarray, shape (n, 12)
        What the fund pays and what it comes to owe in each month [yuan].
    expected, noise : ndarray, shape (n, 12)
        Claims given the systemic factors, before any rule of payment, and what their own randomness adds [yuan].
    due : ndarray, shape (n, 24)
        Unpaid at the year's end by the month in which it falls due [yuan].
    """

    paid: Array
    incurred: Array
    expected: Array
    noise: Array
    due: Array


@dataclass(frozen=True, eq=False)
class Risk:
    """What a plan adds to a fund's year.

    Parameters
    ----------
    shocks : tuple of Shock
    starts : tuple of Start
    providers : Providers or None
    lag : PaymentLag or None
    """

    shocks: tuple[Shock, ...]
    starts: tuple[Start, ...]
    providers: Providers | None
    lag: PaymentLag | None

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """Its systemic factors: component and column of the streams."""
        found = [(SHOCK, c) for c in range(2 * len(self.shocks))]
        found += [(START, c) for c, start in enumerate(self.starts) if start.sd > 0]
        if self.providers is not None and self.providers.deviation > 0:
            found += [(PROVIDER, c) for c in range(len(self.providers.names))]
        return tuple(found)

    def normals(self, s: Setting, systemic: Array) -> dict[tuple[int, int], Array]:
        """Its columns of a matrix of systemic normals."""
        return {key: systemic[:, place] for place, key in enumerate(s.columns) if key in self.columns}

    def factors(self, s: Setting, z: dict[tuple[int, int], Array], rows: int) -> tuple[Array, Array]:
        """Factors on visits and on the cost of a visit, each of shape (n, C, 12), or (1, C, 12) where all paths have the same."""
        shocks = self.shocks if "shocks" not in s.without else ()
        each = rows if any(start.sd > 0 for start in self.starts) else 1
        visits, cost = (np.ones((len(s.counts), 12, n)) for n in (rows if shocks else 1, each))
        for i, shock in enumerate(shocks):
            visits[np.ix_(shock.categories, shock.months)] *= shock.year(z[SHOCK, 2 * i], z[SHOCK, 2 * i + 1])
        for i, start in enumerate(self.starts):
            cost[start.categories] *= start.months(z.get((START, i), np.zeros(1))).T
        return visits.transpose(2, 0, 1), cost.transpose(2, 0, 1)  # a month's paths in one piece

    def policy_factors(self, category: str, categories: list[str]) -> Array:
        """Median factor of the planned year's dated policies by month for a category, shape (12,); 1 before they start.

        Parameters
        ----------
        category : str
        categories : list of str
            All of them, in the forecast's order.
        """
        mine = [start for start in self.starts if start.categories[categories.index(category)]]
        return np.asarray(np.prod([start.months(np.zeros(1))[0] for start in mine], axis=0) * np.ones(12))

    def annual(self, s: Setting, systemic: Array) -> Array:
        """What shocks and dated policies make of the year by category, shape (n, C)."""
        visits, cost = self.factors(s, self.normals(s, systemic), len(systemic))
        year = (visits * cost) @ s.shares
        return np.broadcast_to(year, (len(systemic), year.shape[1]))

    def year(
        self, s: Setting, seed: int, number: int, heads: Array, per_capita: Array, systemic: Array, due: Array
    ) -> Year:  # fmt: skip
        """Claims of a year, incurred and paid.

        Parameters
        ----------
        s : Setting
        seed, number : int
            Of the simulation and the chunk.
        heads : ndarray, shape (n,)
        per_capita : ndarray, shape (n, C)
            Systemic cost before shocks and dated policies [yuan/person/year].
        systemic : ndarray, shape (n, columns)
        due : ndarray, shape (n, 24)
            Of earlier years, by month [yuan].
        """
        z = self.normals(s, systemic)
        if self.shocks or self.starts:
            visits, cost = self.factors(s, z, len(heads))
            claims, expected = uneven_claims(s, seed, number, heads, per_capita, visits, cost)
        else:
            claims = claims_of(s, seed, number, heads, per_capita)
            expected = np.outer(s.shares, heads * per_capita.sum(axis=1)).T
        lagged, budgeted = claims, np.zeros((1, 12))
        if self.providers is not None and "providers" not in s.without:
            apart = [z[k] for k in sorted(z) if k[0] == PROVIDER]
            own = np.stack(apart, axis=1) if apart else np.empty((len(heads), 0))
            budgeted = self.providers.pay(claims.sum(axis=1), own, s.shares)
            lagged = (1 - self.providers.share) * claims
        paid, left = (
            (lagged, due) if self.lag is None else self.lag.pay(lagged, due)
        )  # without one nothing is due
        return Year(paid + budgeted, lagged + budgeted, expected, claims - expected, left)

    def steps(self, s: Setting, arrays: PathArrays) -> list[tuple[str, float]]:
        """What dated policies (at their medians), shocks and the payment of claims add to the expected cost [yuan/person/year]."""
        median = s.cost.per_capita(np.zeros((1, s.cost.dimension)))[0]
        dated, shocked = self._dated(s), np.ones((len(s.counts), 12))
        for shock in self.shocks if "shocks" not in s.without else ():
            shocked[np.ix_(shock.categories, shock.months)] *= shock.moments[0]
        plain = float(median.sum())
        policy = float((median @ dated) @ s.shares)
        found = [("policy_starts", policy - plain)] if self.starts else []
        if self.shocks:
            found.append(("shocks", float((median @ (dated * shocked)) @ s.shares) - policy))
        if (self.lag is not None or self.providers is not None) and arrays.noise is not None:
            drawn = arrays.heads * arrays.cost_per_capita + arrays.noise.sum(axis=1)
            found.append(("payment", float(((arrays.claims.sum(axis=1) - drawn) / arrays.heads).mean())))
        return found

    def _dated(self, s: Setting) -> Array:
        """What dated policies at their medians make of each month by category, shape (C, 12)."""
        dated = np.ones((len(s.counts), 12))
        for start in self.starts:
            dated[start.categories] *= start.months(np.zeros(1))
        return dated

    def full_year(self, s: Setting) -> float:
        """Median cost with all dated policies in force throughout, over that of the planned year."""
        z = np.zeros((1, len(s.columns)))
        median = s.cost.per_capita(z[:, : s.cost.dimension])
        whole = self.in_force(s, z, median).sum()
        return float(whole / (median[0] @ self._dated(s) @ s.shares))

    def in_force(self, s: Setting, systemic: Array, per_capita: Array) -> Array:
        """Cost by category with all dated policies in force for the whole year, shape (n, C) [yuan/person/year]."""
        z, found = self.normals(s, systemic), per_capita.copy()
        for i, start in enumerate(self.starts):
            found[:, start.categories] *= start.whole(z.get((START, i), np.zeros(len(found))))[:, None]
        return found

    def later(self, growth: float) -> Risk:
        """For a year after the planned one: dated policies are in force throughout, budgets have grown."""
        providers = self.providers.grown(growth) if self.providers is not None else None
        return replace(self, starts=(), providers=providers)

    def opening(self, base_total: Array, paid: float, stub: int) -> Array:
        """What falls due of the base year in the planned year and after it, shape (n, 24) [yuan]."""
        if self.lag is None:
            return np.zeros((24, len(base_total))).T
        return self.lag.opening_due(base_total, paid, stub)

    def write(
        self, s: Setting, seed: int, number: int, per_capita: Array, systemic: Array, out: PathArrays, low: int, high: int
    ) -> None:  # fmt: skip
        """The planned year's claims as paid into `out`, and what else there is to know of them."""
        heads = out.heads[low:high]
        due = self.opening(out.base_total[low:high], s.cost.base.experience.paid, len(s.stub))
        year = self.year(s, seed, number, heads, per_capita, systemic, due)
        out.claims[low:high] = year.paid
        out.cost_per_capita[low:high] = year.expected.sum(axis=1) / heads
        if out.incurred is not None and out.noise is not None and out.due is not None:
            out.incurred[low:high], out.noise[low:high] = year.incurred, year.noise
            out.due[low:high] = due.sum(axis=1)


def risk_sources(plan: Plan) -> tuple[Source, ...]:
    """Where a plan's shocks, dated policies, providers and payment lag come from; none where it states none."""
    model = plan.model
    found = []
    for part in ("shocks", "policy_starts"):
        parts = getattr(model, part).items()
        found += [replace(plan.source(f"{part}.{name}", spec), what=part) for name, spec in parts]
    if model.providers is not None:
        found += [
            plan.source("providers", model.providers),
            *provider_rule(plan, model.providers).contract.sources,
        ]
    if model.payment_lag is not None:
        found.append(plan.source("payment_lag", model.payment_lag))
    return tuple(found)


def plan_risk(plan: Plan, cost: CostForecast) -> Risk | None:
    """What the plan adds; None where it states nothing of the kind."""
    starts = plan_starts(plan, cost.categories)
    providers, lag = plan_providers(plan, cost, starts), plan_lag(plan, cost)
    if providers is not None and lag is not None:  # what is under budgets is settled within its year
        lag = replace(lag, base=(1 - providers.share) * lag.base)
    found = Risk(plan_shocks(plan, cost.categories), starts, providers, lag)
    named = found.shocks or found.starts or found.providers or found.lag
    return found if named else None
