r"""The fund, month by month: from the valuation date through the next year, on many paths.

Per path: systemic draws of cost, then monthly claims with their own randomness, income by calendar,
critical-illness premium, interest. With :math:`j` the monthly interest (one rate for both signs)

.. math:: A_m=(1+j)A_{m-1}-\text{claims}_m-\text{premiums}_m,\qquad
          b_m=(1+j)b_{m-1}+N\,w_m

the balance is :math:`A_m+b_m p` in the amount :math:`p` per head (:math:`N` heads, :math:`w_m` share of the
standard received in the month). :math:`A_0` is the balance at the end of the base year: what is
known at the valuation date, less the claims of the months not yet seen, drawn together with the
base of the forecast (one year's unseen months raise both).

Criteria: ``current_year`` (balance of the year's own money at its end, opening taken as 0),
``closing`` (balance at the year's end), ``any_month`` (balance below 0 in any month).

Random numbers: ``SeedSequence(seed, spawn_key=(component, fund, column, year, chunk))`` with chunks of
8,192 paths; one stream a column, so neither the number of threads nor another category moves a draw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from actuarial.cost import CostForecast
from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.fund.answers import FundAnswers, answer_fund
from actuarial.fund.calendar import Arrears, Financing, plan_arrears, plan_financing
from actuarial.fund.chunks import Progress, each_chunk
from actuarial.fund.criteria import Split
from actuarial.fund.fitted import fitted_severities
from actuarial.fund.needs import CRITERIA
from actuarial.fund.observed import MonthlyActuals, condition
from actuarial.fund.paths import PLAIN, Kept, PathArrays, Sampler, Setting, simulate_chunk
from actuarial.fund.planned_income import income_sources
from actuarial.fund.projection import Premiums, Projection, project_fund, projection_of
from actuarial.fund.risk import risk_sources
from actuarial.fund.setting import plan_setting
from actuarial.fund.simulation import Simulation, asked
from actuarial.fund.switches import checked
from actuarial.fund.target import PremiumTarget
from actuarial.plan import Plan
from actuarial.results import Source
from actuarial.severity import SeverityFit

if TYPE_CHECKING:
    from actuarial.fund.scenarios import Scenarios

__all__ = ["CRITERIA", "Arrears", "Financing", "Fund", "MonthlyActuals", "PremiumTarget", "Simulation"]


class Fund:
    """The fund of a plan.

    Parameters
    ----------
    plan : Plan
    kept : dict, optional
        Where standard normals are kept from one simulation to the next; what-ifs hand the same one to each fund.

    Examples
    --------
    >>> import actuarial as act
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> fund = act.Fund(plan)
    >>> fund.financing.standard
    340.0
    """

    def __init__(self, plan: Plan, *, kept: Kept | None = None) -> None:
        self.plan = plan
        self.kept = kept

    @cached_property
    def financing(self) -> Financing:
        """Payers and calendar of the year that is planned."""
        return plan_financing(self.plan)

    @cached_property
    def arrears(self) -> Arrears:
        """What payers owe at the valuation date."""
        return plan_arrears(self.plan)

    @cached_property
    def severity_fits(self) -> dict[str, SeverityFit]:
        """Laws of a claim's cost fitted to the plan's claims, by category; those that the plan wants fitted."""
        return fitted_severities(self.plan)

    @property
    def base_year_premium(self) -> float:
        """Critical-illness premium of the base year, paid after the valuation date [yuan]."""
        cii = self.plan.model.cii
        if cii.base_year_premium_per_capita is None:
            return 0.0
        return cii.base_year_premium_per_capita.value * self.plan.model.insured.count

    def answers(
        self,
        cost: CostForecast,
        alpha: float | None = None,
        *,
        criterion: str | None = None,
        months: float | None = None,
        amount: float = 0.0,
        split: Split = None,
        paths: int = 100_000,
        seed: int = 2012,
        threads: int = 2,
        method: str = "auto",
        progress: Progress | None = None,
        observed: MonthlyActuals | None = None,
        scenarios: Scenarios | None = None,
    ) -> FundAnswers:
        """Target, deficit probabilities and means, each by the design that serves it.

        Parameters
        ----------
        cost : CostForecast
        alpha, criterion, months, amount, split
            See :class:`actuarial.fund.criteria.Criterion`; alpha and criterion are the plan's unless given.
        paths, seed, threads, progress
            See :meth:`simulate`; ten million paths take some hundred megabytes.
        method : str
            ``auto``, or ``plain`` for independent paths in the tail.
        observed : MonthlyActuals, optional
            Months of the planned year that have been seen; see :meth:`simulate`.
        scenarios : Scenarios, optional
            From :func:`compare_scenarios`: the assumption range beside the target.

        Examples
        --------
        >>> import actuarial as act
        >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
        >>> from actuarial.fund.forecast import plan_cost
        >>> answers = act.Fund(plan).answers(plan_cost(plan), paths=20_000)
        >>> answers.target.method, answers.target.rounded(10)
        ('importance', 420.0)
        """
        chosen = asked(self.plan, alpha, criterion, months, amount, split)
        _check_numbers(paths, seed, threads)
        return answer_fund(
            self,
            cost,
            chosen,
            paths=paths,
            seed=seed,
            threads=threads,
            method=method,
            progress=progress,
            observed=observed,
            scenarios=scenarios,
        )

    def setting(self, cost: CostForecast) -> Setting:
        """What is the same on every path."""
        return plan_setting(
            self.plan,
            cost,
            self.financing,
            self.arrears,
            base_year_premium=self.base_year_premium,
            kept=self.kept,
        )

    def simulate(
        self,
        cost: CostForecast,
        *,
        paths: int = 100_000,
        seed: int = 2012,
        threads: int = 2,
        progress: Progress | None = None,
        sampler: Sampler = PLAIN,
        observed: MonthlyActuals | None = None,
        without: Iterable[str] = (),
    ) -> Simulation:
        """Simulate the months after the valuation date and the next year.

        Parameters
        ----------
        cost : CostForecast
        paths : int
            At least 1.
        seed : int
            Not negative; the same seed gives the same bytes at any number of threads.
        threads : int
            At least 1.
        progress : callable, optional
            Called with paths done and paths in all. An exception in it stops the run.
        sampler : Sampler
            Where the systemic normals come from; independent streams unless given.
        observed : MonthlyActuals, optional
            Months of the planned year that have been seen: they are fixed, and the months to come, the year's cost and the balances
            are drawn given them (:mod:`actuarial.fund.observed`). For paths without weights.
        without : iterable of str
            Sources of randomness to switch off, of :data:`actuarial.fund.switches.SOURCES`: a factor then stands at its median, claims
            at their expectation given the path; the other streams draw what they would have drawn.

        Raises
        ------
        InputError
            If a number is out of range, a source of randomness is unknown, or months seen come with a design that weights its paths.

        Examples
        --------
        A year that begins 10% dearer than expected is expected to end dearer:

        >>> import actuarial as act
        >>> from actuarial.experience import base_year
        >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
        >>> cost = act.cost_forecast(base_year(plan), act.stated_policy_factor(1.0), act.expert_growth(0.12, sd=0.05))
        >>> fund = act.Fund(plan)
        >>> plain = fund.simulate(cost, paths=2000)
        >>> seen = act.MonthlyActuals(claims=(1.1 * plain.claims.mean(axis=0)[:6]).tolist(), source="example")
        >>> given = fund.simulate(cost, paths=2000, observed=seen)
        >>> rise = given.claims.sum(axis=1).mean() / plain.claims.sum(axis=1).mean()
        >>> bool(1.05 < rise < 1.1), bool(given.claims.sum(axis=1).std() < plain.claims.sum(axis=1).std())
        (True, True)

        Warns
        -----
        ModelWarning
            If there is one path only, or so few claims a month that the severity law decides the answer.
        """
        _check_numbers(paths, seed, threads)
        if observed is not None and sampler.weighted:
            raise InputError([Fault("fund.observed_weighted")])
        if paths == 1:
            warn(ModelWarning, "model.one_path")
        cii = self.plan.model.cii
        if cii.mode == "purchased" and cii.base_year_premium_per_capita is None:
            warn(ModelWarning, "fund.cii_base_year")
        setting = replace(self.setting(cost), without=checked(without))
        expected = float((setting.counts * setting.heads).sum() * setting.shares.min())
        if 0 < expected < 30:
            warn(ModelWarning, "fund.few_claims", count=f"{expected:.1f}")
        out = PathArrays.room(setting, paths, weighted=sampler.weighted)

        def work(number: int, low: int, high: int) -> None:
            simulate_chunk(setting, seed, number, low, high, out, sampler)

        each_chunk(paths, threads, work, progress)
        sources = (*cost.sources, *self.sources())
        if observed is not None:
            setting, out = condition(setting, out, observed, seed=seed, standard=self.financing.standard)
            sources = (*sources, observed.as_source())
        return Simulation(self, cost, setting, out, paths, seed, observed, sources=sources)

    def project(
        self,
        cost: CostForecast,
        *,
        years: int | None = None,
        premiums: Premiums = None,
        autocorrelation: float | None = None,
        alpha: float | None = None,
        criterion: str | None = None,
        paths: int = 20_000,
        seed: int = 2012,
        threads: int = 2,
        without: Iterable[str] = (),
        progress: Progress | None = None,
    ) -> Projection:
        """The fund over several years, balances chained from year to year (:mod:`actuarial.fund.projection`).

        Parameters
        ----------
        cost : CostForecast
        years : int, optional
            The planned one included; what the plan's ``projection`` states, else 10.
        premiums : str or sequence of float, optional
            ``present``, ``criterion`` (set anew each autumn), ``announced`` (fixed today), or an amount for each year, the last standing for those after it [yuan/person/year].
        autocorrelation : float, optional
            Of the yearly deviations of log growth; the plan's, else 0.
        alpha, criterion
            For ``criterion``; the plan's unless given. One of :data:`CRITERIA`.
        paths, seed, threads, without
            See :meth:`simulate`; the planned year is that simulation.
        progress : callable, optional
            Called with years done and in all, times the paths.

        Raises
        ------
        InputError
            If a number is out of range, or no amount keeps a year's risk within what is accepted.

        Warns
        -----
        ModelWarning
            If growth above 0 goes on for more than three years without a stated long run.

        Examples
        --------
        >>> import actuarial as act
        >>> from actuarial.fund.forecast import plan_cost
        >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
        >>> found = act.Fund(plan).project(plan_cost(plan), years=3, premiums=[420, 470], paths=2000)
        >>> found.premiums
        [420.0, 470.0, 470.0]
        """
        spec = projection_of(self.plan, years=years, premiums=premiums, autocorrelation=autocorrelation)
        _check_numbers(paths, seed, threads)
        rule = self.plan.model.criterion
        level = rule.accepted_probability if alpha is None else alpha
        return project_fund(
            self, cost, spec, alpha=level, criterion=criterion or rule.use, paths=paths, seed=seed, threads=threads,
            without=without, progress=progress,
        )  # fmt: skip

    def sources(self) -> tuple[Source, ...]:
        """Where the fund's own figures come from."""
        plan, model = self.plan, self.plan.model
        found = [
            plan.source("insured", model.insured),
            plan.source("opening.free", model.opening.free),
            plan.source("financing.interest_rate", model.financing.interest_rate),
            plan.source("process", model.process),
        ]
        if model.cii.premium_per_capita is not None:
            found.append(plan.source("cii.premium_per_capita", model.cii.premium_per_capita))
        return (
            *found,
            *risk_sources(plan),
            *income_sources(plan),
            *self.financing.sources,
            *self.arrears.sources,
        )


def _check_numbers(paths: int, seed: int, threads: int) -> None:
    for name, value, least in (("paths", paths, 1), ("seed", seed, 0), ("threads", threads, 1)):
        if value < least:
            raise InputError([Fault("fund.number", params={"name": name, "value": value, "least": least})])
