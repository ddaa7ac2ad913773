"""Actual against budget: by item, by month, by payer; what drove the difference; the bridge from incurred to cash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from actuarial.budget.actual import Actual
from actuarial.budget.phasing import ALL, YearBudget
from actuarial.experience.drivers import Drivers, decompose

CLAIMS = ("benefits", "inpatient", "outpatient")
"""Lines of the form that hold claims."""


def by_item(budget: YearBudget, actual: Actual, basis: str) -> pd.DataFrame:
    """``side``, ``line``, ``item``, ``budget_year``, ``budget_to_date``, ``actual_to_date``, ``variance`` [yuan], ``progress``."""
    keys = ["side", "line", "item"]
    frame = budget.frame
    year = frame.groupby(keys, sort=False)["amount"].sum().rename("budget_year")
    seen = frame[frame["month"] <= actual.months].groupby(keys, sort=False)["amount"].sum()
    rows = actual.frame.assign(
        amount=np.where(
            actual.frame["side"] == "revenue",
            actual.frame["cash"],
            actual.frame[basis],
        )
    )
    spent = rows.groupby(keys, sort=False)["amount"].sum().rename("actual_to_date")
    table = pd.concat([year, seen.rename("budget_to_date"), spent], axis=1, sort=False).fillna(0.0)
    table["variance"] = table["actual_to_date"] - table["budget_to_date"]
    table["progress"] = table["actual_to_date"] / table["budget_year"].where(table["budget_year"] > 0)
    table = table.reset_index()
    claims = table["line"].isin(CLAIMS)
    if (
        (table["item"] == ALL) & claims
    ).any():  # a ceiling that is not split: categories have no budget of their own
        own = claims & (table["item"] == ALL)
        table.loc[own, "actual_to_date"] = float(table.loc[claims & ~own, "actual_to_date"].sum())
        table.loc[own, "variance"] = table.loc[own, "actual_to_date"] - table.loc[own, "budget_to_date"]
        table.loc[own, "progress"] = table.loc[own, "actual_to_date"] / table.loc[own, "budget_year"]
        table.loc[claims & ~own, ["budget_year", "budget_to_date", "variance"]] = np.nan
    order = table["side"].map({"revenue": 0, "expenditure": 1})
    return table.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def by_month(budget: YearBudget, actual: Actual, basis: str) -> pd.DataFrame:
    """Budget and actual of income and spending by month seen, and the balance at its end [yuan].

    Where only amounts to date are known, months that they do not tell apart are NaN.
    """
    m = np.arange(1, 13)
    frame = pd.DataFrame({
        "month": [budget.start + int(k - 1) for k in m],
        "budget_income": budget.amounts("revenue"), "income": actual.amounts("revenue"),
        "budget_spending": budget.amounts("expenditure"),
        "spending": actual.amounts("expenditure", basis),
        "budget_balance": budget.balances(),
    })  # fmt: skip
    cash = actual.amounts("expenditure", "cash" if actual.has("cash") else basis)
    frame["balance"] = budget.opening + np.cumsum(frame["income"].to_numpy() - cash)
    if not actual.monthly:
        told = actual.frame.groupby("side")["month"].agg(set)
        both = np.ones(12, dtype=bool)
        for side, column in (("revenue", "income"), ("expenditure", "spending")):
            at_end = np.isin(m, list(told.get(side, set())))
            both &= at_end
            frame[column] = frame[column].where(at_end & np.r_[True, at_end[:-1]])
        frame["balance"] = frame["balance"].where(both)
    return frame.iloc[: actual.months]


def outstanding(budget: YearBudget, actual: Actual) -> pd.DataFrame:
    """By payer: ``due_year``, ``due_to_date``, ``received``, ``overdue``, ``outstanding`` [yuan], ``age`` [months].

    Overdue is what the calendar lets arrive by now and did not; receipts settle the oldest instalment first, and the age
    is that of the oldest instalment not settled, 0 where nothing is overdue. ``since_last`` counts months since the
    calendar's last instalment: how long what is outstanding has been waiting where no date of payment is printed.
    """
    plan = budget.frame[budget.frame["line"].isin(["contributions", "subsidy", "revenue_subtotal"])]
    got = actual.frame[actual.frame["side"] == "revenue"].groupby("item")["cash"].sum()
    rows: list[dict[str, Any]] = []
    for item, part in plan.groupby("item", sort=False):
        due = part.sort_values("month")["amount"].to_numpy()
        now, received = due[: actual.months].sum(), float(got.get(item, 0.0))
        overdue = max(now - received, 0.0)
        overdue = overdue if overdue > 1e-6 * max(now, 1.0) else 0.0
        open_ = np.flatnonzero(np.cumsum(due[: actual.months]) > received + 1e-6 * max(now, 1.0))
        last = np.flatnonzero(due[: actual.months] > 0)
        rows.append({
            "payer": item, "due_year": due.sum(), "due_to_date": now, "received": received, "overdue": overdue,
            "outstanding": max(due.sum() - received, 0.0),
            "age": int(actual.months - (open_[0] + 1)) if overdue > 0 and len(open_) else 0,
            "since_last": int(actual.months - (last[-1] + 1)) if len(last) else actual.months,
        })  # fmt: skip
    return pd.DataFrame(rows)


def variance_drivers(budget: YearBudget, actual: Actual, basis: str) -> Drivers | None:
    """What drove the variance of claims to date, per insured: visits and payment per visit by category (LMDI).

    None where the budget or the actuals have no visits.
    """
    plan = budget.frame
    plan = (
        plan[plan["line"].isin(CLAIMS) & (plan["month"] <= actual.months)]
        .groupby("item")[["amount", "visits"]]
        .sum(min_count=1)
    )
    rows = actual.frame[actual.frame["line"].isin(CLAIMS)].assign(amount=lambda f: f[basis])
    seen = rows.groupby("item")[["amount", "visits"]].sum(min_count=1)
    if not len(plan) or not len(seen) or plan["visits"].isna().any() or seen["visits"].isna().any():
        return None
    cells = [
        pd.DataFrame({"visits": f["visits"] / budget.heads, "payment_per_visit": f["amount"] / f["visits"]})
        for f in (plan[plan["visits"] > 0], seen[seen["visits"] > 0])
    ]
    return decompose(cells[0], cells[1], ["visits", "payment_per_visit"])


def cash_bridge(budget: YearBudget, actual: Actual) -> pd.DataFrame | None:
    """From incurred to cash by month: ``unpaid_before`` + ``incurred`` − ``paid`` = ``unpaid`` [yuan]; None without both bases."""
    if not (actual.has("cash") and actual.has("incurred")):
        return None
    incurred, paid = (actual.amounts("expenditure", b)[: actual.months] for b in ("incurred", "cash"))
    unpaid = budget.unpaid + np.cumsum(incurred - paid)
    before = np.concatenate([[budget.unpaid], unpaid[:-1]])
    names = [budget.start + k for k in range(actual.months)]
    return pd.DataFrame(
        {"month": names, "unpaid_before": before, "incurred": incurred, "paid": paid, "unpaid": unpaid}
    )


def overspend_drivers(providers: pd.DataFrame, admissions: Mapping[str, float]) -> pd.DataFrame | None:
    r"""What drove overspending that is stated for a provider, split by LMDI into admissions and payment per admission.

    The budget is taken to hold last year's volume, as provider budgets are set (prior volume × mean cost × ratio); then spending over
    budget is the product of the growth of admissions and of payment per admission.

    Parameters
    ----------
    providers : DataFrame
        ``provider``, ``budget``, ``stated_overspend`` [yuan].
    admissions : mapping
        Growth of admissions by provider [fraction].

    Returns
    -------
    DataFrame or None
        ``provider``, ``budget``, ``stated_overspend``, ``visits_part``, ``payment_part`` [yuan], ``visits_growth``, ``payment_growth``
        [fraction]; None where no provider has both.

    Examples
    --------
    1,500万 over 5,000万 with 45% more admissions: those alone would have cost 2,124万 more, and each cost 10% less.

    >>> seen = pd.DataFrame({"provider": ["outside"], "budget": [5e7], "stated_overspend": [1.5e7]})
    >>> overspend_drivers(seen, {"outside": 0.45}).iloc[0, 3:].astype(float).round(2).tolist()
    [21243187.82, -6243187.82, 0.45, -0.1]
    """
    rows = []
    for r in providers.to_dict("records"):
        growth, over, budget = (
            admissions.get(str(r["provider"])),
            float(r["stated_overspend"]),
            float(r["budget"]),
        )
        if growth is None or not (growth > -1 and budget > 0 and budget + over > 0):
            continue
        after = budget + over
        cells = [pd.DataFrame({"visits": [v], "payment_per_visit": [p]}) for v, p in ((1.0, budget), (1.0 + growth, after / (1.0 + growth)))]  # fmt: skip
        part = decompose(cells[0], cells[1], ["visits", "payment_per_visit"]).table.set_index("driver")[
            "change"
        ]
        rows.append({
            "provider": str(r["provider"]), "budget": budget, "stated_overspend": over, "visits_part": float(part["visits"]),
            "payment_part": float(part["payment_per_visit"]), "visits_growth": growth,
            "payment_growth": after / budget / (1.0 + growth) - 1.0,
        })  # fmt: skip
    return pd.DataFrame(rows) if rows else None
