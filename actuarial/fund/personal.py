r"""Personal accounts of an employee scheme, apart from the pooled fund; and what the pooled fund uses of their money.

Of each payer's money a part is credited to personal accounts: of the employees' all, of the employers' a share (law files of the kind
``crediting``). The rest is the pooled fund's, whose claims the simulator draws. Accounts have a ledger of their own,

.. math:: V_m=(1+j_V)V_{m-1}+\text{credited}_m-\text{spent}_m ,

and the two lie in one bank. Where the pooled balance :math:`B_m` is below 0, its bills were paid with account money:

.. math:: \text{borrowed}_m=\min(B_m^-,\,V_m^+),\qquad \text{unfunded}_m=B_m^--\text{borrowed}_m .

Rules keep both apart (分别核算，不得互相挤占): what is borrowed is reported as such, and never improves the pooled balance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.law import load_law
from actuarial.plan import Plan
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.fund.calendar import Arrears, Financing
    from actuarial.fund.income import Income
    from actuarial.fund.simulation import Simulation


OWN_FIGURES = ("opening", "spent", "growth", "interest_rate")
"""Figures of ``personal_accounts`` that have their own sources."""


@dataclass(frozen=True)
class Credit:
    """What a wage earner's contributions bring to the account and to the pooled fund [yuan/person/year]."""

    from_employee: float
    from_employer: float
    pooled: float

    @property
    def account(self) -> float:
        """Credited to the account in all."""
        return self.from_employee + self.from_employer


def account_credit(
    rule: str, wage: float, *, employer_rate: float | None = None, employee_rate: float | None = None,
    age_factor: float = 1.0,
) -> Credit:  # fmt: skip
    """Contributions of one person, split by a crediting rule.

    Parameters
    ----------
    rule : str
        Id of a law file of the kind ``crediting``.
    wage : float
        [yuan/year]
    employer_rate, employee_rate : float, optional
        Shares of the wage; the rule's unless given.
    age_factor : float
        On the employer's part that is credited; within the rule's range. What an age group gets more, the pooled fund gets less.

    Raises
    ------
    InputError
        If the factor is beyond the rule's range, or the rule names no rates and none are given.

    Examples
    --------
    >>> credit = account_credit("china/shanxi/crediting/guideline@1999-01-01", 10_000)
    >>> round(credit.account, 6), round(credit.pooled, 6)
    (380.0, 420.0)
    """
    law = load_law(rule, "crediting")
    p = law.payload
    rates = [p.employer_rate if employer_rate is None else employer_rate,
             p.employee_rate if employee_rate is None else employee_rate]  # fmt: skip
    low, high = p.age_factor or (0.0, 1 / p.employer_share if p.employer_share else np.inf)
    if None in rates or not low <= age_factor <= high:
        params = {"factor": f"{age_factor:g}", "low": f"{low:g}", "high": f"{high:g}"}
        raise InputError([Fault("income.age_factor", file=law.file, params=params)])
    employer, employee = (float(r or 0.0) * wage for r in rates)
    credited = employer * p.employer_share * age_factor
    own = employee * p.employee_share
    return Credit(own, credited, employer + employee - own - credited)


def credited_shares(plan: Plan, payers: Iterable[str]) -> NDArray[np.float64]:
    """Part of each payer's money that is credited to personal accounts, shape (payers,)."""
    spec, names = plan.model.personal_accounts, [str(p) for p in payers]
    if spec is None:
        return np.zeros(len(names))
    rule = load_law(spec.rule, "crediting").payload
    shares = {"employee": rule.employee_share, "employer": rule.employer_share, "pooled": 0.0}
    return np.array([shares[spec.payers.get(p, "pooled")] for p in names])


def kept_shares(plan: Plan, payers: Iterable[str]) -> NDArray[np.float64] | None:
    """Part of each payer's money that the fund itself keeps; None where that is all of it."""
    model = plan.model
    if model.personal_accounts is None and model.adjustment is None:
        return None
    rate = model.adjustment.rate if model.adjustment is not None else 0.0
    found: NDArray[np.float64] = (1 - credited_shares(plan, payers)) * (1 - rate)
    return found


def own_part(plan: Plan, financing: Financing, arrears: Arrears, column: str) -> pd.Series:
    """What of the base year's ``received`` or ``outstanding`` is the pooled fund's, by payer [yuan]."""
    amounts = arrears.frame.set_index("payer")[column]
    return amounts * (1 - _credited(plan, financing, amounts.index))


def _credited(plan: Plan, financing: Financing, payers: pd.Index) -> NDArray[np.float64]:
    """Credited shares of the rows of the base year's table; one sum for all payers has their mean."""
    known = credited_shares(plan, financing.payers["payer"])
    mean = float(financing.payers["weight"].to_numpy() @ known)
    by_payer = dict(zip(financing.payers["payer"], known, strict=True))
    return np.array([by_payer.get(p, mean) for p in payers])


@dataclass(frozen=True, eq=False)
class PersonalAccounts(Result):
    """Pooled fund and personal accounts by month, and what the one uses of the other.

    Parameters
    ----------
    months : PeriodIndex, length T + 1
        The valuation month first, then every month to the end of the planned year.
    pooled, accounts : ndarray, shape (n, T + 1)
        Balances at the end of each month [yuan].
    credited, spent : ndarray, shape (n,)
        Of the planned year [yuan].
    """

    months: pd.PeriodIndex
    pooled: NDArray[np.float64]
    accounts: NDArray[np.float64]
    credited: NDArray[np.float64]
    spent: NDArray[np.float64]

    @property
    def borrowed(self) -> NDArray[np.float64]:
        """Account money with which the pooled fund has paid its bills, shape (n, T + 1) [yuan]."""
        found: NDArray[np.float64] = np.minimum(np.maximum(-self.pooled, 0.0), np.maximum(self.accounts, 0.0))
        return found

    @property
    def unfunded(self) -> NDArray[np.float64]:
        """Bills that not even account money pays, shape (n, T + 1) [yuan]."""
        found: NDArray[np.float64] = np.maximum(-self.pooled, 0.0) - self.borrowed
        return found

    @property
    def table(self) -> pd.DataFrame:
        """By month: mean balances, account money used (mean and 95% quantile), bills left unpaid, probabilities [yuan]."""
        borrowed, unfunded = self.borrowed, self.unfunded
        return pd.DataFrame(
            {
                "month": self.months,
                "pooled": self.pooled.mean(axis=0),
                "accounts": self.accounts.mean(axis=0),
                "borrowed": borrowed.mean(axis=0),
                "borrowed_q95": np.quantile(borrowed, 0.95, axis=0),
                "unfunded": unfunded.mean(axis=0),
                "borrowing_probability": (borrowed > 0).mean(axis=0),
                "unfunded_probability": (unfunded > 0).mean(axis=0),
            }
        )

    def summary(self, lang: str | None = None) -> str:
        """Whether the pooled fund uses account money, now and at the end."""
        money, table = Unit.of(lang), self.table
        now, end = table.iloc[0], table.iloc[-1]
        code = "income_words.borrows" if now["borrowed"] > 0 else "income_words.apart"
        return text(
            code, lang, date=str(now["month"]), end=str(end["month"]), borrowed=money.show(now["borrowed"]),
            accounts=money.show(now["accounts"]), later=money.show(end["borrowed"]),
            risk=f"{100 * end['borrowing_probability']:.1f}", unfunded=f"{100 * end['unfunded_probability']:.1f}", gap=money.show(end["unfunded"]),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The ends of the table as plain data; the keys are documented in ``docs/cli.md``."""
        table = self.table
        return {
            when: {str(k): str(v) if k == "month" else float(v) for k, v in table.iloc[at].items()}
            for when, at in (("now", 0), ("end", -1))
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Mean balances of both, and the account money used."""
        money, table = Unit.of(lang), self.table
        with figure_style():
            ax = ax or new_axes()
            x = np.arange(len(table))
            for key, colour in (("pooled", COLOURS["main"]), ("accounts", COLOURS["good"])):
                ax.plot(
                    x,
                    table[key] / money.scale,
                    color=colour,
                    linewidth=2,
                    label=text(f"income_words.{key}", lang),
                )
            ax.bar(
                x,
                table["borrowed"] / money.scale,
                color=COLOURS["accent"],
                alpha=0.5,
                label=text("income_words.borrowed", lang),
            )
            ax.axhline(0, color=COLOURS["bad"], linewidth=1.2)
            ax.set_xticks(x, [str(m) for m in table["month"]], rotation=45, ha="right", fontsize=8)
            ax.set_ylabel(text("chart.balance", lang, unit=money.label))
            ax.yaxis.set_major_formatter(thousands)
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=9)
        return ax


def personal_accounts(sim: Simulation, premium: float | None = None) -> PersonalAccounts:
    """Personal accounts beside the pooled fund on the paths of a simulation.

    Parameters
    ----------
    sim : Simulation
        Of a plan with ``personal_accounts``.
    premium : float, optional
        What all payers give; the present standard unless given [yuan/person/year].

    Raises
    ------
    InputError
        If the plan has no personal accounts.

    Examples
    --------
    >>> import actuarial as act
    >>> answer = act.run(act.load_plan(act.sample_path("employees/ruijin/plan.yaml")), paths=500)
    >>> round(float(personal_accounts(answer.simulation).table["borrowed"].iloc[0]))
    10432940
    """
    plan, income, arrays = sim.fund.plan, sim.setting.income, sim.arrays
    spec = plan.model.personal_accounts
    if spec is None or income is None or arrays.income is None:
        raise InputError([Fault("income.no_personal", file=plan.file)])
    p = sim.standard if premium is None else float(premium)
    owing = sim.fund.arrears.frame.set_index("payer")
    credited = _credited(plan, sim.fund.financing, owing.index)
    at_valuation = spec.opening.value - spec.spent.value + float(owing["received"] @ credited)
    held, flows = (
        [np.full(len(arrays.heads), at_valuation)],
        _base_year(sim, income, owing["outstanding"] * credited),
    )
    inflow = p * arrays.heads[:, None] * _coming(income, credited_shares(plan, income.payers), arrays.income)
    monthly = spec.spent.value / plan.observed_months
    spent = monthly * (1 + spec.growth.value) * arrays.heads / plan.model.insured.count
    flows[:, : income.stub] -= monthly
    flows[:, income.stub :] += inflow - spent[:, None]
    for flow in flows.T:
        held.append(held[-1] * (1 + spec.interest_rate.value / 12) + flow)
    first = plan.base_year + plan.observed_months - 1
    months = pd.period_range(first, periods=income.stub + 13, freq="M")
    means = np.mean(held, axis=1)
    if means.min() < 0:
        worst, least = str(months[int(means.argmin())]), Unit.of().show(float(means.min()))
        warn(ModelWarning, "income.accounts_negative", month=worst, amount=least)
    before = np.full(len(arrays.heads), sim.setting.at_valuation)
    pooled = np.column_stack([before, arrays.stub_balance, sim.balances(p)])
    own = tuple(plan.source(f"personal_accounts.{k}", getattr(spec, k)) for k in OWN_FIGURES)
    sources = (load_law(spec.rule, "crediting").source(), *own)
    return PersonalAccounts(
        months, pooled, np.stack(held, axis=1), inflow.sum(axis=1), 12 * spent, sources=sources
    )


def _coming(income: Income, credited: NDArray[np.float64], real: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is credited in each month of the planned year per head and yuan of the standard, shape (n, 12) or (1, 12)."""
    total = np.zeros((1, 12))
    for i, share in enumerate(income.weights * credited):
        total = total + share * income.received(i, real)
    return total


def _base_year(sim: Simulation, income: Income, owed: pd.Series) -> NDArray[np.float64]:
    """When the accounts' part of what is owed of the base year comes, shape (n, T) [yuan]."""
    plan, real, stub = sim.fund.plan, sim.arrays.income, income.stub
    assert real is not None
    flows = np.zeros((len(real), stub + 12))
    for payer, amount in owed.items():
        late = stub + _late_month(plan, str(payer)) - 1
        if not stub:
            flows[:, late] += amount
            continue
        known = payer in income.payers
        due = income.values(income.payers.index(payer), "outstanding", real) if known else np.ones(1)
        flows[:, income.remainder] += amount * due
        flows[:, late] += amount * (1 - due)
    return flows


def _late_month(plan: Plan, payer: str) -> int:
    spec = plan.model.financing.arrivals.get(payer)
    return 1 if spec is None else spec.late_month
