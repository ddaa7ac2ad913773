"""Back-test of annualising: predict past years from their first months, and count how often the interval held.

Each whole year is predicted from the monthly shares of the **other** years (leave one out), from its first k
months on. The interval is that of the method itself (:meth:`MonthlyProfile.share_draws`), without a
difference between places: the series is predicted by its own years.

With ``own_years`` of 1 or 2 each year is predicted from every choice of so many others, shrunk to even shares
(:mod:`actuarial.tables.season`): what a place would have had with so short a history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from actuarial.errors import Fault, InputError
from actuarial.results import Result
from actuarial.tables import MonthlyProfile, Table

Z95 = float(stats.norm.ppf(0.975))


@dataclass(frozen=True, eq=False)
class AnnualisationBacktest(Result):
    """Predictions of past years from their first months.

    Parameters
    ----------
    frame : DataFrame
        ``year``, ``months``, ``actual``, ``predicted``, ``low``, ``high`` [yuan], ``error`` (relative),
        ``straight_line_error``, ``covered``, ``learnt_from``.
    """

    frame: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """By number of months: mean absolute error, that of the straight line, coverage of the 95% interval."""
        grouped = self.frame.groupby("months")
        return pd.DataFrame(
            {
                "years": grouped["year"].nunique(),
                "mean_absolute_error": grouped["error"].apply(lambda e: float(e.abs().mean())),
                "straight_line_error": grouped["straight_line_error"].apply(lambda e: float(e.abs().mean())),
                "covered": grouped["covered"].mean(),
            }
        ).reset_index()


def annualisation_backtest(
    table: Table,
    months: Iterable[int] = range(3, 11),
    *,
    own_years: int | None = None,
    column: str = "expenditure_to_date",
) -> AnnualisationBacktest:
    """Predict each whole year of a year-to-date table from its first months, by the other years' shares.

    Parameters
    ----------
    table : Table
        Of kind ``monthly_history``.
    months : iterable of int
        How many months are known, each from 1 to 11.
    own_years : int, optional
        Years to learn from; all the others if not given.
    column : str
        ``expenditure_to_date`` or ``income_to_date``.

    Raises
    ------
    InputError
        With fewer than three whole years: one to predict and two to learn from.

    Examples
    --------
    >>> from actuarial.samples import sample_path
    >>> from actuarial.tables import read_table
    >>> series = read_table(sample_path("national/monthly_medical_fund.csv"), "monthly_history")
    >>> test = annualisation_backtest(series, [10])
    >>> bool(test.table["mean_absolute_error"][0] < 0.01)
    True
    """
    table = replace(table, frame=table.frame.assign(expenditure_to_date=table.frame[column]))
    whole = MonthlyProfile.from_history(table)
    if len(whole.years) < 3:
        raise InputError(
            [Fault("experience.backtest_short", file=table.file, params={"years": len(whole.years)})]
        )
    frame = table.frame.pivot_table(index="year", columns="month", values="expenditure_to_date")
    months, rows = list(months), []
    for year in whole.years.index:
        others = whole.years.drop(index=year)
        for chosen in combinations(others.index, own_years or len(others)):
            profile = MonthlyProfile.from_years(others.loc[list(chosen)])
            rows += [_prediction(profile, frame.loc[year], int(year), int(k)) for k in months]
    return AnnualisationBacktest(pd.DataFrame(rows), sources=table.sources)


def _prediction(profile: MonthlyProfile, year: pd.Series, name: int, k: int) -> dict[str, Any]:
    """One year to date predicted from its first k months."""
    actual, seen = float(year[12]), float(year[k])
    low, high = seen / profile.share_draws(k, np.array([Z95, -Z95]))
    predicted = seen / profile.cumulative(k)
    return {
        "year": name,
        "months": k,
        "learnt_from": "、".join(str(y) for y in profile.years.index),
        "actual": actual,
        "predicted": predicted,
        "low": low,
        "high": high,
        "error": predicted / actual - 1,
        "straight_line_error": seen / (k / 12) / actual - 1,
        "covered": bool(low <= actual <= high),
    }
