r"""The year's end by category, level and provider: parts of the projected year that sum to it on every path.

What is to come is split by category as the simulated fund expects, given what each category showed
(:func:`~actuarial.fund.categories.rest_by_category`), or as the categories began where there is no simulation. Within a category levels and
providers go on as they began; single claims of those visits that were seen widen each part:
a part with :math:`n` visits and the severity's second cumulant :math:`\kappa` gets a relative variance of :math:`\kappa/n` for the months
seen and again for the months to come. Parts that report no visits have no such width of their own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.budget.actual import Actual
from actuarial.budget.execution import CLAIMS
from actuarial.budget.phasing import YearBudget
from actuarial.budget.projection import Projection
from actuarial.fund.categories import rest_by_category

KEYS = ("item", "level", "provider")
"""By what the year's end can be told."""
_STREAM = 9


def outlook(year: YearBudget, actual: Actual, basis: str, projection: Projection, key: str) -> pd.DataFrame:
    """Claims of the whole year by category, level or provider.

    Parameters
    ----------
    year : YearBudget
    actual : Actual
    basis : {"cash", "incurred"}
    projection : Projection
    key : {"item", "level", "provider"}

    Returns
    -------
    DataFrame
        The key, ``visits`` [person-times; NaN where unknown], ``actual_to_date``, ``projected`` (mean), ``low``, ``high`` (95% interval), ``budget_year`` [yuan; NaN where there is
        none], ``over`` (probability that the budget is passed; NaN where there is none). What carries no name in `key` is left
        out, but takes its part of the whole.
    """
    cells, rest = _cells(year, actual, basis, projection)
    budgets = _budgets(year, key)
    rows = []
    for name in dict.fromkeys(cells[key]):
        chosen = (cells[key] == name).to_numpy()
        if name == "" or not chosen.any():
            continue
        seen = float(cells.loc[chosen, "amount"].sum())
        total = seen + rest[:, chosen].sum(axis=1)
        low, high = np.quantile(total, [0.025, 0.975])
        budget = budgets.get(name, float("nan"))
        rows.append({
            key: name, "visits": float(cells.loc[chosen, "visits"].sum(min_count=1)), "actual_to_date": seen, "projected": float(total.mean()), "low": float(low), "high": float(high),
            "budget_year": budget, "over": float((total > budget).mean()) if budget == budget else float("nan"),
        })  # fmt: skip
    columns = [key, "visits", "actual_to_date", "projected", "low", "high", "budget_year", "over"]
    return pd.DataFrame(rows, columns=columns)


def _budgets(year: YearBudget, key: str) -> dict[str, float]:
    """Budget of the year by name: categories from the budget, levels and providers from the table of providers [yuan]."""
    if key == "item":
        rows = year.frame[year.frame["line"].isin(CLAIMS)]
        return {str(k): float(v) for k, v in rows.groupby("item")["amount"].sum().items()}
    if year.providers is None:
        return {}
    return {str(p): float(b) for p, b in year.providers[["provider", "budget"]].itertuples(index=False)}


def _cells(
    year: YearBudget, actual: Actual, basis: str, projection: Projection
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Category × level × provider with what was seen, and what is to come of each on every path, shape (n, cells) [yuan]."""
    rows = actual.frame[actual.frame["line"].isin(CLAIMS)].assign(amount=lambda f: f[basis])
    cells = rows.groupby(list(KEYS), sort=False)[["amount", "visits"]].sum(min_count=1).reset_index()
    cells["amount"] = cells["amount"].fillna(0.0).clip(lower=0.0)
    n = len(projection.totals)
    if projection.months >= 12 or not cells["amount"].sum() > 0:
        return cells, np.zeros((n, len(cells)))
    categories = list(dict.fromkeys(cells["item"]))
    rest, out = _by_category(year, cells, categories, projection), np.zeros((n, len(cells)))
    for c, category in enumerate(categories):
        at = np.flatnonzero((cells["item"] == category).to_numpy())
        amount = cells["amount"].to_numpy()[at]
        if not amount.sum() > 0:
            amount = np.ones(len(at))
        weight = amount * np.exp(_noise(year, cells.iloc[at], category, projection, c))
        out[:, at] = rest[:, [c]] * weight / weight.sum(axis=1, keepdims=True)
    return cells, out


def _by_category(
    year: YearBudget, cells: pd.DataFrame, categories: list[str], projection: Projection
) -> NDArray[np.float64]:
    """What is to come of each category on every path, shape (n, categories) [yuan]."""
    seen = cells.groupby("item")["amount"].sum()
    sim = year.simulation
    if sim is not None and projection.prior_used and set(categories) == set(sim.cost.categories):
        order = sim.cost.categories
        found = rest_by_category(sim, seen[order].to_numpy(), projection.months, projection.rest)
        return found[:, [order.index(c) for c in categories]]
    share: NDArray[np.float64] = (seen[categories] / seen.sum()).to_numpy()
    return projection.rest[:, None] * share


def _noise(
    year: YearBudget, cells: pd.DataFrame, category: str, projection: Projection, number: int
) -> NDArray[np.float64]:
    """Logarithm of what single claims add to the parts of a category, shape (n, parts)."""
    shape, sim = (len(projection.totals), len(cells)), year.simulation
    if sim is None or category not in sim.cost.categories or len(cells) == 1:
        return np.zeros(shape)
    spread = float(sim.setting.spread[0][sim.cost.categories.index(category)])
    visits = cells["visits"].fillna(0.0).to_numpy()
    share = min(max(year.profile.cumulative(projection.months), 1e-6), 1 - 1e-6)
    each = np.divide(spread, visits, out=np.zeros_like(visits), where=visits > 0)
    sd = np.sqrt(np.log1p(each + each * share / (1 - share)))
    key = np.random.SeedSequence(sim.seed, spawn_key=(_STREAM, number))
    z = np.random.Generator(np.random.SFC64(key)).standard_normal(shape)
    return z * sd - sd**2 / 2
