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

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.cost import CostForecast
from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.fund.answers import FundAnswers, answer_fund
from actuarial.fund.calendar import Arrears, Financing, plan_arrears, plan_financing
from actuarial.fund.chunks import Outcomes, Progress, each_chunk
from actuarial.fund.criteria import BalanceTarget, Criterion, Split
from actuarial.fund.large import plan_large
from actuarial.fund.needs import CRITERIA, need_of, opening_of, slope_of, spending_of
from actuarial.fund.observed import MonthlyActuals, condition
from actuarial.fund.paths import PLAIN, Kept, PathArrays, Sampler, Setting, simulate_chunk
from actuarial.fund.quantiles import quantiles
from actuarial.fund.switches import checked
from actuarial.fund.target import PremiumTarget, premium_target
from actuarial.plan import Plan
from actuarial.plan.schema import Process
from actuarial.results import COLOURS, Result, Source, Unit, figure_style, new_axes, thousands
from actuarial.severity import Gamma, Lognormal, LognormalMixture, Severity, SplicedPareto, compound_cumulants
from actuarial.tables import term_label
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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

        Examples
        --------
        >>> import actuarial as act
        >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
        >>> from actuarial.fund.forecast import plan_cost
        >>> answers = act.Fund(plan).answers(plan_cost(plan), paths=20_000)
        >>> answers.target.method, answers.target.rounded(10)
        ('importance', 420.0)
        """
        chosen = _asked(self.plan, alpha, criterion, months, amount, split)
        _check_numbers(paths, seed, threads)
        return answer_fund(
            self, cost, chosen, paths=paths, seed=seed, threads=threads, method=method, progress=progress
        )

    def setting(self, cost: CostForecast) -> Setting:
        """What is the same on every path."""
        model, seen = self.plan.model, self.plan.observed_months
        profile = cost.base.profile.shares
        stub = profile[seen:] / profile[seen:].sum() if seen < 12 else np.empty(0)
        income = np.zeros(12 - seen)
        if seen < 12:
            income[max(model.financing.remainder_month, seen + 1) - seen - 1] = self.arrears.outstanding
        opening = model.opening
        prepaid = opening.prepaid.value if opening.prepaid else 0.0
        cii = np.zeros(12)
        if model.cii.premium_per_capita is not None:
            cii[model.cii.month - 1] = model.cii.premium_per_capita.value
        cvs = model.process.severity_cv
        cv = [cvs.get(c, cvs["default"]) for c in cost.categories]
        visits = cost.base.annual_visits
        if np.isnan(visits).any():
            missing = "、".join(
                term_label(c) for c, v in zip(cost.categories, visits, strict=True) if np.isnan(v)
            )
            warn(ModelWarning, "fund.no_visits", categories=missing)
        counts = np.nan_to_num(visits)
        spread = compound_cumulants(1.0, 1.0, cv, model.process.dispersion)[1:]
        laws, known = severity_laws(model.process, cost.categories, cv)
        shares = cost.base.coming.shares
        mean = np.divide(cost.base.category_per_capita, counts, out=np.zeros_like(counts), where=counts > 0)
        large = plan_large(
            laws, counts * model.insured.next_year, mean, model.process.dispersion, float(shares.min()),
            spread if known else None,
        )  # fmt: skip
        return Setting(
            cost=cost,
            heads=model.insured.next_year,
            heads_sd=model.insured.next_year_sd,
            shares=shares,
            stub=stub,
            stub_income=income,
            at_valuation=opening.free.value + prepaid + self.arrears.received - cost.base.experience.paid,
            late_income=self.arrears.outstanding if seen == 12 else 0.0,
            unpaid=(opening.unpaid_claims.value if opening.unpaid_claims else 0.0) + self.base_year_premium,
            premium_per_head=cii,
            interest=model.financing.interest_rate.value / 12,
            receipts=self.financing.receipts,
            counts=counts,
            spread=spread,
            large=large,
            year=self.plan.base_year.year + 1,
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
        out = PathArrays.empty(paths, len(setting.stub), weighted=sampler.weighted)

        def work(number: int, low: int, high: int) -> None:
            simulate_chunk(setting, seed, number, low, high, out, sampler)

        each_chunk(paths, threads, work, progress)
        sources = (*cost.sources, *self.sources())
        if observed is not None:
            setting, out = condition(setting, out, observed, seed=seed, standard=self.financing.standard)
            sources = (*sources, observed.as_source())
        return Simulation(self, cost, setting, out, paths, seed, observed, sources=sources)

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
        return (*found, *self.financing.sources, *self.arrears.sources)


def _check_numbers(paths: int, seed: int, threads: int) -> None:
    for name, value, least in (("paths", paths, 1), ("seed", seed, 0), ("threads", threads, 1)):
        if value < least:
            raise InputError([Fault("fund.number", params={"name": name, "value": value, "least": least})])


def _asked(
    plan: Plan, alpha: float | None, criterion: str | None, months: float | None, amount: float, split: Split
) -> Criterion:
    """What is asked for; alpha and criterion are the plan's unless given."""
    spec = plan.model.criterion
    level = spec.accepted_probability if alpha is None else alpha
    return Criterion(criterion or spec.use, level, months, amount, split)


def severity_laws(
    process: Process, categories: list[str], cv: list[float]
) -> tuple[tuple[Severity, ...], bool]:
    """Laws of a claim's cost over its mean, and whether all are lognormal with a stated coefficient of variation."""
    kinds: dict[str, Callable[..., Severity]] = {
        "lognormal": Lognormal.of, "gamma": lambda cv: Gamma(1.0, cv), "spliced_pareto": SplicedPareto,
        "lognormal_mixture": lambda m1, s1, m2, s2, share: LognormalMixture(
            Lognormal.of(m1, s1), Lognormal.of(m2, s2), share),
    }  # fmt: skip
    laws: list[Severity] = []
    for category, spread in zip(categories, cv, strict=True):
        spec = process.severity.get(category)
        law = Lognormal(1.0, spread) if spec is None else kinds[spec.law](*spec.parameters)
        laws.append(law.scaled(1 / law.mean))
    return tuple(laws), not any(c in process.severity for c in categories)


@dataclass(frozen=True, eq=False)
class Simulation(Result):
    """Paths of the fund, and the answers they give.

    Parameters
    ----------
    fund : Fund
    cost : CostForecast
    setting : object
        What is the same on every path.
    arrays : object
        What differs: per path the base year's total, heads, next year's systemic cost per head, the
        balance in the months not yet seen, claims by month, balance by month at a premium of 0.
    paths, seed : int
    observed : MonthlyActuals or None
        Months of the planned year that were seen, and are the same on every path.
    """

    fund: Fund
    cost: CostForecast
    setting: Setting
    arrays: PathArrays
    paths: int
    seed: int
    observed: MonthlyActuals | None = None

    # ------------------------------------------------------------------ money

    @property
    def standard(self) -> float:
        """The present per-capita financing standard [yuan/person/year]."""
        return self.fund.financing.standard

    @property
    def claims(self) -> NDArray[np.float64]:
        """Claims of the planned year by month, shape (n, 12) [yuan]."""
        return self.arrays.claims

    @property
    def opening(self) -> NDArray[np.float64]:
        """Balance at the start of the planned year, shape (n,) [yuan]."""
        return opening_of(self.setting, self.arrays)

    def _slope(self) -> NDArray[np.float64]:
        """``b``: shape (12,) or (n, 12)."""
        return slope_of(self.setting, self.arrays)

    def balances(self, premium: float | None = None) -> NDArray[np.float64]:
        """Balance at the end of each month of the planned year at a premium, shape (n, 12) [yuan]."""
        p = self.standard if premium is None else float(premium)
        return self.arrays.at_zero + self._slope() * p

    def closing(self, premium: float | None = None) -> NDArray[np.float64]:
        """Balance at the end of the planned year, shape (n,) [yuan]."""
        p = self.standard if premium is None else float(premium)
        slope = self._slope()
        return self.arrays.at_zero[:, -1] + slope[..., -1] * p

    @cached_property
    def needs(self) -> dict[str, NDArray[np.float64]]:
        """The amount per head that each path needs, by criterion [yuan/person/year]."""
        return {c: need_of(self.setting, self.arrays, c) for c in CRITERIA}

    # ------------------------------------------------------------------ answers

    def deficit_probability(self, premium: float | None = None) -> pd.Series:
        """Probability of a deficit under each criterion, at a premium (the present standard)."""
        p = self.standard if premium is None else float(premium)
        return pd.Series({c: float((self.needs[c] > p).mean()) for c in CRITERIA}, name="deficit_probability")

    @overload
    def premium_target(  # type: ignore[overload-overlap]  # the two names are special
        self,
        alpha: float | None = None,
        *,
        criterion: Literal["expected_balance", "tvar"],
        amount: float = 0.0,
    ) -> BalanceTarget: ...
    @overload
    def premium_target(
        self,
        alpha: float | None = None,
        *,
        criterion: str | None = None,
        months: float | None = None,
        split: Split = None,
    ) -> PremiumTarget: ...
    def premium_target(
        self,
        alpha: float | None = None,
        *,
        criterion: str | None = None,
        months: float | None = None,
        amount: float = 0.0,
        split: Split = None,
    ) -> PremiumTarget | BalanceTarget:
        """The premium target; alpha and criterion are the plan's unless given.

        Parameters
        ----------
        alpha, criterion, months, amount, split
            See :class:`actuarial.fund.criteria.Criterion`.

        Raises
        ------
        InputError
            For an unknown criterion, an alpha outside (0, 1), months that are missing, or a split that names no payer.
        """
        chosen = _asked(self.fund.plan, alpha, criterion, months, amount, split)
        if chosen.name in CRITERIA and split is None:
            return premium_target(self.needs[chosen.name], chosen.alpha, chosen.name)
        asked = chosen.questions(self.setting, self.fund.financing)
        kept = {q.name: q.read(self.setting, self.arrays) for q in asked}
        return chosen.target(Outcomes(kept, None, 1, "plain", self.paths, self.seed))

    def expected_closing_balance(self, premium: float | None = None) -> float:
        """Mean balance at the end of the planned year [yuan]."""
        return float(self.closing(premium).mean())

    def deciding_months(self, target: PremiumTarget) -> pd.Series:
        """Which months decide a target: of the paths that need as much or more, the share that each sets.

        Largest share first; month 12 alone for criteria that look at the year's end.
        """
        if target.criterion != "any_month":
            return pd.Series({12: 1.0}, name="share")
        a, b = self.arrays.at_zero, np.broadcast_to(self._slope(), self.arrays.at_zero.shape)
        need = np.where(b > 0, -a / np.where(b > 0, b, 1.0), np.where(a < 0, np.inf, -np.inf))
        beyond = need[need.max(axis=1) >= target.value]
        share = pd.Series(beyond.argmax(axis=1) + 1).value_counts(normalize=True)
        return share.rename("share").sort_index().sort_values(ascending=False, kind="stable")

    def months_payable(self, premium: float | None = None) -> float:
        """Mean closing balance over the mean monthly spending of the planned year [months].

        Spending is claims and critical-illness premiums. A negative balance gives negative months.
        """
        spending = spending_of(self.setting, self.arrays)
        return float(self.expected_closing_balance(premium) / (spending.mean() / 12))

    def expected_cost_per_capita(self) -> float:
        """Mean claims of the planned year per insured [yuan/person/year]."""
        return float((self.claims.sum(axis=1) / self.arrays.heads).mean())

    # ------------------------------------------------------------------ showing

    def fan(self, premium: float | None = None) -> pd.DataFrame:
        """Quantiles of the balance at the end of each month, from the valuation date on [yuan]."""
        base = self.fund.plan.base_year
        first = base + self.fund.plan.observed_months - 1
        columns = [
            np.full(self.paths, self.setting.at_valuation),
            *self.arrays.stub_balance.T,
            *self.balances(premium).T,
        ]
        levels = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]
        rows = [
            {
                "month": first + i,
                "mean": float(c.mean()),
                **dict(zip((f"q{q:g}" for q in levels), quantiles(c, levels), strict=True)),
            }
            for i, c in enumerate(columns)
        ]
        return pd.DataFrame(rows)

    @property
    def table(self) -> pd.DataFrame:
        """The fan of the balance at the present standard."""
        return self.fan()

    def waterfall(self, target: PremiumTarget) -> pd.DataFrame:
        """From last year's cost per head to the target, in steps that add up exactly.

        After policy, growth and their interaction come the critical-illness premium, what opening
        balance, interest, timing and headcount take off or add (to the median need), and the margin
        for risk.
        """
        steps = self.cost.waterfall()
        cost = float(steps["yuan_per_person"].sum())
        cii = float(self.setting.premium_per_head.sum())
        median = order_median(self.needs[target.criterion])
        margin = target.value - median if np.isfinite(median) else 0.0
        more = [
            ("cii_premium", cii),
            ("cash_position", median - cost - cii),
            ("risk_margin", margin),
        ]
        return pd.concat([steps, pd.DataFrame(more, columns=["step", "yuan_per_person"])], ignore_index=True)

    def plot(self, ax: Axes | None = None, lang: str | None = None, *, premium: float | None = None) -> Axes:
        """Fan chart of the balance."""
        money = Unit.of(lang)
        scale, unit = money.scale, money.label
        fan = self.fan(premium)
        x = np.arange(len(fan))
        with figure_style():
            ax = ax or new_axes()
            for low, high, colour, name in (
                ("q0.025", "q0.975", COLOURS["lighter"], "95%"),
                ("q0.1", "q0.9", COLOURS["light"], "80%"),
                ("q0.25", "q0.75", "#6ea6c9", "50%"),
            ):
                ax.fill_between(x, fan[low] / scale, fan[high] / scale, color=colour, linewidth=0, label=name)
            ax.plot(
                x, fan["q0.5"] / scale, color=COLOURS["main"], linewidth=2, label=text("chart.median", lang)
            )
            ax.axhline(0, color=COLOURS["bad"], linewidth=1.2)
            start = len(fan) - 13
            ax.axvline(start, color=COLOURS["ink"], linestyle=":", linewidth=1)
            ax.annotate(text("chart.planned_year", lang), (start, 1), xycoords=("data", "axes fraction"),
                        xytext=(4, -12), textcoords="offset points", fontsize=9)  # fmt: skip
            ax.set_xticks(
                x, [f"{p.year}-{p.month:02d}" for p in fan["month"]], rotation=45, ha="right", fontsize=8
            )
            ax.set_ylabel(text("chart.balance", lang, unit=unit))
            ax.yaxis.set_major_formatter(thousands)
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=9)
        return ax


def order_median(needs: NDArray[np.float64]) -> float:
    """Median that stays finite when some paths need an infinite amount."""
    return float(np.sort(needs)[(len(needs) - 1) // 2])
