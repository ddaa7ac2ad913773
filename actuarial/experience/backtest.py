"""Back-test of annualising: predict past years from their first months, and count how often the interval held.

Each whole year is predicted from the monthly shares of the **other** years (leave one out), from its first k
months on. The interval is that of the method itself (:meth:`MonthlyProfile.share_draws`), without a
difference between places: the series is predicted by its own years.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
        ``straight_line_error``, ``covered``.
    """

    frame: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """By number of months: mean absolute error, that of the straight line, coverage of the 95% interval."""
        grouped = self.frame.groupby("months")
        return pd.DataFrame(
            {
                "years": grouped.size(),
                "mean_absolute_error": grouped["error"].apply(lambda e: float(e.abs().mean())),
                "straight_line_error": grouped["straight_line_error"].apply(lambda e: float(e.abs().mean())),
                "covered": grouped["covered"].mean(),
            }
        ).reset_index()


def annualisation_backtest(table: Table, months: Iterable[int] = range(3, 11)) -> AnnualisationBacktest:
    """Predict each whole year of a year-to-date table from its first months, by the other years' shares.

    Parameters
    ----------
    table : Table
        Of kind ``monthly_history``.
    months : iterable of int
        How many months are known, each from 1 to 11.

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
    whole = MonthlyProfile.from_history(table)
    if len(whole.years) < 3:
        raise InputError(
            [Fault("experience.backtest_short", file=table.file, params={"years": len(whole.years)})]
        )
    frame = table.frame.pivot_table(index="year", columns="month", values="expenditure_to_date")
    rows = []
    for year in whole.years.index:
        others = whole.years.drop(index=year)
        mean = others.to_numpy().mean(axis=0)
        profile = MonthlyProfile(mean / mean.sum(), others)
        actual = float(frame.loc[year, 12])
        for k in months:
            seen = float(frame.loc[year, k])
            low, high = seen / profile.share_draws(k, np.array([Z95, -Z95]))
            predicted = seen / profile.cumulative(k)
            rows.append(
                {
                    "year": int(year),
                    "months": int(k),
                    "actual": actual,
                    "predicted": predicted,
                    "low": low,
                    "high": high,
                    "error": predicted / actual - 1,
                    "straight_line_error": seen / (k / 12) / actual - 1,
                    "covered": bool(low <= actual <= high),
                }
            )
    return AnnualisationBacktest(pd.DataFrame(rows), sources=table.sources)
