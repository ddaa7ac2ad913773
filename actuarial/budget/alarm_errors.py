"""How often alarms err: on simulated years, and on the national monthly series."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.budget.monitor import Monitor
from actuarial.budget.phasing import YearBudget
from actuarial.budget.projection import rehearse
from actuarial.errors import Fault, InputError
from actuarial.tables import MonthlyProfile, Table

BY_PROBABILITY = {"deficit_probability", "overspending_probability"}
"""Indicators that are themselves probabilities: their alarm sounds at a chance, not at an expectation."""


def claims_limit(m: Monitor, indicator: str, threshold: float) -> tuple[float, bool] | None:
    """The claims of the year at which an indicator reaches its threshold [yuan], and whether more of them alarm; None for what is observed.

    Parameters
    ----------
    m : Monitor
    indicator : str
    threshold : float
        In the indicator's own unit.
    """
    room = m.income - m.other_spending  # claims at which the year breaks even
    limits = {
        "expected_deficit": (room + threshold, True),
        "deficit_probability": (room, True),
        "rolling_balance": (room - threshold, True),
        "overspending_probability": (m.claims_budget, True),
        "use_rate": (threshold * m.income - m.other_spending, True),
        "current_balance_ratio": (room - threshold * m.income, False),
        "cumulative_balance_ratio": (m.budget.opening + room - threshold * m.income, False),
        "payable_months": ((m.budget.opening + m.income) / (1 + threshold / 12) - m.other_spending, True),
    }
    return limits.get(indicator)


def alarm_errors(
    m: Monitor, rules: pd.DataFrame, *, years: int = 2000, seed: int = 2012
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False alarms and misses of rules on simulated years of which as many months were seen: a test of the method, not of the world.

    Parameters
    ----------
    m : Monitor
    rules : DataFrame
        ``indicator``, ``threshold``.
    years, seed : int

    Returns
    -------
    false_alarm, miss : ndarray
        Share of alarms in years that did not reach the threshold, and of silence in years that did; NaN for what is observed, and where
        no year or every year reaches it. The years are the budget's simulated ones, or, where only a ceiling is known, years
        around what is projected.
    """
    false, miss = np.full(len(rules), np.nan), np.full(len(rules), np.nan)
    if not 1 <= m.months <= 11 or len(m.projection.totals) < 2:
        return false, miss
    totals, projected = rehearse(m.budget, m.months, m.projection, years=years, seed=seed)
    mean = projected.mean(axis=1)
    for n, (indicator, threshold) in enumerate(zip(rules["indicator"], rules["threshold"], strict=True)):
        found = claims_limit(m, str(indicator), float(threshold))
        if found is None:
            continue
        limit, over = found
        event = (totals > limit) == over
        chance = ((projected > limit) == over).mean(axis=1)
        alarm = chance >= threshold if indicator in BY_PROBABILITY else (mean > limit) == over
        false[n], miss[n] = _rates(event, alarm)
    return false, miss


def _rates(event: NDArray[np.bool_], alarm: NDArray[np.bool_]) -> tuple[float, float]:
    """False alarms and misses; NaN where there is nothing to err on."""
    false = float(alarm[~event].mean()) if (~event).any() else float("nan")
    miss = float((~alarm[event]).mean()) if event.any() else float("nan")
    return false, miss


def simulated_errors(
    year: YearBudget,
    *,
    budget: float | None = None,
    levels: tuple[float, ...] = (0.2, 0.5, 0.8),
    years: int = 4000,
    seed: int = 2012,
) -> pd.DataFrame:
    """False alarms and misses of “claims pass the budget” on simulated years: an assessment of the method, not of the world.

    The years are those that the budget was drawn from, each with a season of its own; the alarm at level p sounds where the
    probability given the first k months is at least p.

    Returns
    -------
    DataFrame
        ``months``, ``level``, ``events`` (share of years over), ``false_alarm`` (alarm where the year held), ``miss`` (no alarm
        where it did not).

    Raises
    ------
    InputError
        Where the budget has no simulation behind it.
    """
    if year.simulation is None:
        raise InputError([Fault("budget.no_prior")])
    limit = float(year.amounts("expenditure", claims_only=True).sum()) if budget is None else budget
    rows = []
    for k in range(1, 12):
        totals, projected = rehearse(year, k, years=years, seed=seed)
        event, chance = totals > limit, (projected > limit).mean(axis=1)
        for p in levels:
            false, miss = _rates(event, chance >= p)
            rows.append(
                {"months": k, "level": p, "events": float(event.mean()), "false_alarm": false, "miss": miss}
            )
    return pd.DataFrame(rows)


def national_errors(
    table: Table, *, gaps: tuple[float, ...] = (0.01, 0.02, 0.03, 0.05), level: float = 0.5
) -> pd.DataFrame:
    """The same on real years: each whole year from its first months by the others' shares, against budgets that it passed or kept by a gap.

    Few years: three of them are no proof of a rate, and neighbouring months of a year are one trial.

    Returns
    -------
    DataFrame
        ``months``, ``gap``, ``years``, ``false_alarm`` (budget kept by the gap), ``miss`` (budget passed by it).
    """
    whole = MonthlyProfile.from_history(table)
    if len(whole.years) < 3:
        raise InputError(
            [Fault("experience.backtest_short", file=table.file, params={"years": len(whole.years)})]
        )
    frame = table.frame.pivot_table(index="year", columns="month", values="expenditure_to_date")
    normal = np.random.Generator(np.random.SFC64(0)).standard_normal(4000)
    rows = []
    for k in range(1, 12):
        for gap in gaps:
            false, miss = [], []
            for name in whole.years.index:
                others = MonthlyProfile.from_years(whole.years.drop(index=name))
                actual, seen = float(frame.loc[name, 12]), float(frame.loc[name, k])
                totals = seen / others.share_draws(k, normal)
                false.append((totals > actual * (1 + gap)).mean() >= level)
                miss.append((totals > actual / (1 + gap)).mean() < level)
            rows.append(
                {
                    "months": k,
                    "gap": gap,
                    "years": len(false),
                    "false_alarm": float(np.mean(false)),
                    "miss": float(np.mean(miss)),
                }
            )
    return pd.DataFrame(rows)
