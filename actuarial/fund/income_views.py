"""Income, accounts and reserves of a simulation as tables: what comes late, where the money lies, what is set aside."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.fund.income import Income
from actuarial.fund.needs import free_of, given_of, put_in_of
from actuarial.fund.paths import rest_of
from actuarial.fund.simulation import Simulation


def late_money(sim: Simulation, premium: float | None = None) -> pd.DataFrame:
    """What comes after the planned year, by payer.

    Parameters
    ----------
    sim : Simulation
    premium : float, optional
        The present standard unless given [yuan/person/year].

    Returns
    -------
    DataFrame
        ``payer``, ``due`` (mean), ``late`` (mean), ``late_sd``, ``late_q95`` [yuan]; empty where the plan states no arrears.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.forecast import plan_cost
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> late_money(act.Fund(plan).simulate(plan_cost(plan), paths=100)).empty
    True
    """
    income, real = sim.setting.income, sim.arrays.income
    columns = ["payer", "due", "late", "late_sd", "late_q95"]
    if income is None or real is None or not any(income.arrivals):
        return pd.DataFrame(columns=columns)
    p = sim.standard if premium is None else float(premium)
    due = p * sim.arrays.heads
    late = due[:, None] * income.late_share(real)
    return pd.DataFrame(
        {
            "payer": income.payers,
            "due": due.mean() * income.weights,
            "late": late.mean(axis=0),
            "late_sd": late.std(axis=0),
            "late_q95": np.quantile(late, 0.95, axis=0),
        }
    )[columns]


def account_flows(sim: Simulation, premium: float | None = None) -> NDArray[np.float64]:
    """Mean of what lands in each account in each month after the valuation date, shape (T, K) [yuan].

    Payments are negative; standing orders and interest are not among them.
    """
    income, arrays, s = _income(sim), sim.arrays, sim.setting
    real = arrays.income
    assert real is not None
    p = sim.standard if premium is None else float(premium)
    flows = income.flows + income.before
    for i, share in enumerate(income.weights * income.kept):
        come = (arrays.heads[:, None] * income.received(i, real)).mean(axis=0)
        come[: income.seen] = 0.0  # they are among the fixed flows
        flows[income.stub :, income.landing[i]] += p * share * come
    rest = float(rest_of(s, arrays.base_total, arrays.due).mean())
    flows[: income.stub, income.paying] -= rest * s.stub
    flows[income.stub :, income.paying] -= (
        arrays.claims.mean(axis=0) + arrays.heads.mean() * s.premium_per_head
    )
    for month, account, amount in income.owed_flows(real):
        flows[month, account] += amount.mean()
    return flows


def account_table(sim: Simulation, premium: float | None = None) -> pd.DataFrame:
    """Accounts with their mean balances and interest, at an amount per head.

    Before a reserve takes its part and an adjustment fund gives: these are settled at the year's end, outside the accounts.

    Parameters
    ----------
    sim : Simulation
        Of a plan that states its accounts, arrears or reserves.
    premium : float, optional
        The present standard unless given [yuan/person/year].

    Returns
    -------
    DataFrame
        ``account``, ``rate`` (yearly), ``opening`` (at the valuation date), ``interest`` (of the planned year), ``closing`` [yuan].
    """
    income = _income(sim)
    flows = account_flows(sim, premium)
    held = income.bank.balances(income.opening, flows)
    interest = income.bank.interest(income.opening, flows)[income.stub :]
    return pd.DataFrame(
        {
            "account": income.bank.names,
            "rate": 12 * income.bank.rates,
            "opening": income.opening,
            "interest": interest.sum(axis=0),
            "closing": held[-1],
        }
    )


def reserve_table(sim: Simulation, premium: float | None = None) -> pd.DataFrame:
    """The reserve and the adjustment fund over the planned year, at an amount per head.

    Returns
    -------
    DataFrame
        ``item``, ``mean``, ``q05``, ``q95`` [yuan]: ``reserve_opening``, ``reserve_put_in``, ``reserve_closing``, ``reserve_ceiling``;
        ``adjustment_paid``, ``adjustment_given``. Rows of what the plan does not have are left out.
    """
    income, arrays, s = _income(sim), sim.arrays, sim.setting
    p = sim.standard if premium is None else float(premium)
    rows: dict[str, NDArray[np.float64]] = {}
    if income.reserve is not None:
        put = put_in_of(s, arrays, p)
        rows |= {
            "reserve_opening": np.full(len(put), income.reserve.held[-1]),
            "reserve_put_in": put,
            "reserve_closing": income.reserve.held_after(put)[:, -1],
            "reserve_ceiling": income.reserve.ceiling * p * arrays.heads,
        }
    if income.adjustment is not None and arrays.income is not None:
        paid = income.adjustment.rate * income.receipts(arrays.income) * arrays.heads * p
        given = given_of(s, arrays, free_of(s, arrays, p)[:, -1], p)
        rows |= {"adjustment_paid": paid, "adjustment_given": given}
    return pd.DataFrame(
        [
            {"item": k, "mean": v.mean(), "q05": np.quantile(v, 0.05), "q95": np.quantile(v, 0.95)}
            for k, v in rows.items()
        ]
    )


def _income(sim: Simulation) -> Income:
    income = sim.setting.income
    if income is None:
        raise InputError([Fault("income.none", file=sim.fund.plan.file)])
    return income
