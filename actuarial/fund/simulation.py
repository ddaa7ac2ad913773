"""Paths of the fund, and the answers they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.cost import CostForecast
from actuarial.errors import Fault, InputError
from actuarial.fund.chunks import Outcomes
from actuarial.fund.criteria import BalanceTarget, Criterion, Split
from actuarial.fund.needs import (
    CRITERIA,
    Needs,
    balances_of,
    closing_of,
    needs_by_month,
    opening_of,
    spending_of,
)
from actuarial.fund.observed import MonthlyActuals, claims_given, condition
from actuarial.fund.paths import PathArrays, Setting
from actuarial.fund.quantiles import quantiles
from actuarial.fund.target import PremiumTarget, premium_target
from actuarial.plan import Plan
from actuarial.results import COLOURS, Result, Unit, figure_style, fill_fan, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.fund import Fund


def asked(
    plan: Plan, alpha: float | None, criterion: str | None, months: float | None, amount: float, split: Split
) -> Criterion:
    """What is asked for; alpha and criterion are the plan's unless given."""
    spec = plan.model.criterion
    level = spec.accepted_probability if alpha is None else alpha
    return Criterion(criterion or spec.use, level, months, amount, split)


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

    def given(self, observed: MonthlyActuals) -> Simulation:
        """The same paths once months of the planned year have been seen: what :meth:`Fund.simulate` gives with `observed`.

        Raises
        ------
        InputError
            If the paths carry weights, or months were seen already.
        """
        self._unseen()
        setting, arrays = condition(
            self.setting, self.arrays, observed, seed=self.seed, standard=self.standard
        )
        sources = (*self.sources, observed.as_source())
        return replace(self, setting=setting, arrays=arrays, observed=observed, sources=sources)

    def claims_given(self, observed: MonthlyActuals) -> NDArray[np.float64]:
        """Claims by month of :meth:`given` alone, shape (n, 12) [yuan]: rules of income may leave its balances open.

        Raises
        ------
        InputError
            If the paths carry weights, or months were seen already.
        """
        self._unseen()
        return claims_given(self.setting, self.arrays, observed, seed=self.seed)[1]

    def _unseen(self) -> None:
        """Refuse paths that cannot be moved by months seen."""
        if self.arrays.weight is not None:
            raise InputError([Fault("fund.observed_weighted")])
        if self.observed is not None:
            raise InputError([Fault("fund.observed_twice", params={"months": self.observed.months})])

    # ------------------------------------------------------------------ money

    @property
    def standard(self) -> float:
        """The present per-capita financing standard [yuan/person/year]."""
        return self.fund.financing.standard

    @property
    def claims(self) -> NDArray[np.float64]:
        """Claims of the planned year by month, as the fund pays them, shape (n, 12) [yuan]."""
        return self.arrays.claims

    @property
    def incurred(self) -> NDArray[np.float64]:
        """Claims of the planned year by month of service, shape (n, 12) [yuan]; those paid where the plan states no payment lag.

        Raises
        ------
        InputError
            If months have been seen: what was paid in them does not tell what was incurred.
        """
        if self.arrays.incurred is None:
            return self.arrays.claims
        if self.observed is not None:
            raise InputError([Fault("risks.seen")])
        return self.arrays.incurred

    @property
    def liabilities(self) -> NDArray[np.float64]:
        """Claims incurred and unpaid when the planned year begins and at the end of each month, shape (n, 13) [yuan].

        On every path incurred = paid + closing − opening liabilities. Debts that the plan states as ``opening.unpaid_claims`` are
        not among them: the opening balance is net of these.
        """
        opening = np.zeros(self.paths) if self.arrays.due is None else self.arrays.due
        change = np.cumsum(self.incurred - self.claims, axis=1)
        return np.column_stack([opening, opening[:, None] + change])

    @property
    def opening(self) -> NDArray[np.float64]:
        """Balance at the start of the planned year, shape (n,) [yuan]."""
        return opening_of(self.setting, self.arrays)

    def balances(
        self, premium: float | None = None, *, basis: Literal["cash", "incurred"] = "cash"
    ) -> NDArray[np.float64]:
        """Balance at the end of each month of the planned year at a premium, shape (n, 12) [yuan].

        Parameters
        ----------
        premium : float, optional
            The present standard unless given [yuan/person/year].
        basis : {"cash", "incurred"}
            Money in hand, or less what has been incurred and is unpaid.

        Raises
        ------
        InputError
            For another basis, or the incurred one after months that have been seen.
        """
        if basis not in ("cash", "incurred"):
            raise InputError([Fault("risks.basis", params={"value": basis})])
        p = self.standard if premium is None else float(premium)
        found = balances_of(self.setting, self.arrays, p)
        return found if basis == "cash" else found - self.liabilities[:, 1:]

    def closing(self, premium: float | None = None) -> NDArray[np.float64]:
        """Balance at the end of the planned year, shape (n,) [yuan]."""
        return closing_of(self.setting, self.arrays, self.standard if premium is None else float(premium))

    @cached_property
    def needs(self) -> Mapping[str, NDArray[np.float64]]:
        """The amount per head that each path needs, by criterion [yuan/person/year]; each worked out when it is asked for."""
        return Needs(self.setting, self.arrays)

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
        chosen = asked(self.fund.plan, alpha, criterion, months, amount, split)
        if chosen.name in CRITERIA and split is None:
            return premium_target(self.needs[chosen.name], chosen.alpha, chosen.name)
        questions = chosen.questions(self.setting, self.fund.financing)
        kept = {q.name: q.read(self.setting, self.arrays) for q in questions}
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
        need = needs_by_month(self.setting, self.arrays, "any_month")
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

        After policy, growth and their interaction come what dated policies, shocks, and the payment of claims (lag, settlement
        with providers) make of them, then the critical-illness premium, and what is credited to personal accounts or paid to an
        adjustment fund, where the plan states any; what opening balance, interest, timing and headcount take off or add (to the
        median need), and the margin
        for risk.
        """
        steps = self.cost.waterfall()
        cost = float(steps["yuan_per_person"].sum())
        cii = float(self.setting.premium_per_head.sum())
        median = order_median(self.needs[target.criterion])
        margin = target.value - median if np.isfinite(median) else 0.0
        within = [] if self.setting.risk is None else self.setting.risk.steps(self.setting, self.arrays)
        more = [*within, ("cii_premium", cii)]
        financing, away = self.fund.financing, 0.0
        if financing.kept is not None and np.isfinite(median):
            away = median * float(1 - financing.payers["weight"].to_numpy() @ financing.kept)
            more.append(("not_kept", away))
        known = sum(amount for _, amount in within)
        more += [("cash_position", median - cost - cii - known - away), ("risk_margin", margin)]
        return pd.concat([steps, pd.DataFrame(more, columns=["step", "yuan_per_person"])], ignore_index=True)

    def plot(self, ax: Axes | None = None, lang: str | None = None, *, premium: float | None = None) -> Axes:
        """Fan chart of the balance."""
        money = Unit.of(lang)
        scale, unit = money.scale, money.label
        fan = self.fan(premium)
        x = np.arange(len(fan))
        with figure_style():
            ax = ax or new_axes()
            fill_fan(ax, x, fan, scale)
            ax.plot(
                x, fan["q0.5"] / scale, color=COLOURS["main"], linewidth=2, label=text("chart.median", lang)
            )
            ax.axhline(0, color=COLOURS["bad"], linewidth=1.2)
            start = len(fan) - 13
            ax.axvline(start, color=COLOURS["ink"], linestyle=":", linewidth=1)
            bottom, top = ax.get_ylim()  # the words keep clear of the line at zero
            foot = top < 0.15 * (top - bottom)
            ax.annotate(text("chart.planned_year", lang), (start, 0 if foot else 1), xycoords=("data", "axes fraction"),
                        xytext=(4, 6 if foot else -12), textcoords="offset points", fontsize=9)  # fmt: skip
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
