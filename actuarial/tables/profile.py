r"""How a year's money falls on its months.

The shares of the months are means over past full years of a year-to-date series. From them and
the year-to-year spread comes what a part of the year says about the whole: if months 1…k held
the share :math:`s_k` of the year on average, with standard deviation :math:`d_k` between years, the
year is the amount to date over a share drawn on the logit scale,

.. math:: S = \operatorname{expit}\left(\operatorname{logit}(s_k)+\frac{d}{s_k(1-s_k)}\,z\right),
          \qquad d^2 = d_k^2\,(1+1/n)\,\Bigl(\frac{t_{n-1,0.975}}{1.96}\Bigr)^2 + d_\text{place}^2

so that a share stays between 0 and 1. The Student factor widens the interval for a spread that is itself
estimated from :math:`n` years (2.2 times with three). ``d_place`` is what one place differs from the series'
places: a stated assumption. One or two years are shrunk to a reference, and :math:`d` is that of
:mod:`actuarial.tables.season`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import Fault, InputError
from actuarial.results import COLOURS, Result, Source, figure_style, new_axes
from actuarial.tables.season import SeasonalPrior, few, shrunk
from actuarial.tables.table import Table
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _month_days(year: int) -> NDArray[np.float64]:
    """Days of the months of a calendar year, shape (12,)."""
    return _year_days(pd.Period(year=year, month=1, freq="M"))


def _year_days(first: pd.Period) -> NDArray[np.float64]:
    """Days of twelve months from `first` on, shape (12,)."""
    return np.array([(first + i).days_in_month for i in range(12)], dtype=np.float64)


def difference_to_date(table: Table, column: str = "expenditure_to_date") -> pd.DataFrame:
    """Amounts by month from a year-to-date table; a gap gives one amount over its months.

    Parameters
    ----------
    table : Table
        Of kind ``monthly_history``.
    column : str
        ``expenditure_to_date`` or ``income_to_date``.

    Returns
    -------
    DataFrame
        ``year``, ``month``, ``months`` (1, or how many the amount covers), ``amount`` [yuan].

    Raises
    ------
    InputError
        If a year-to-date amount falls.

    Examples
    --------
    >>> from actuarial.samples import sample_path
    >>> from actuarial.tables import read_table
    >>> t = read_table(sample_path("national/monthly_medical_fund.csv"), "monthly_history")
    >>> found = difference_to_date(t)
    >>> len(found), round(float(found["amount"].iloc[1]) / 1e8, 4)
    (46, 437.8604)
    """
    frame = table.frame.dropna(subset=[column]).sort_values(["year", "month"])
    before = frame.groupby("year")[[column, "month"]].shift(1, fill_value=0)
    out = pd.DataFrame({"year": frame["year"], "month": frame["month"]})
    out["months"] = frame["month"] - before["month"]
    out["amount"] = frame[column] - before[column]
    falls = out.loc[out["amount"] < 0, "year"]
    if len(falls):
        raise InputError([Fault("table.falls", file=table.file, params={"year": int(falls.iloc[0])})])
    return out.reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class MonthlyProfile(Result):
    """Shares of a year's amount by month.

    Parameters
    ----------
    shares : ndarray, shape (12,)
        Mean share of each month; they sum to 1.
    years : DataFrame, shape (n, 12)
        The shares of each past year; empty for a stated profile.
    prior : SeasonalPrior or None
        What is unknown of it where it rests on one or two years.
    """

    shares: NDArray[np.float64]
    years: pd.DataFrame
    prior: SeasonalPrior | None = None

    @property
    def table(self) -> pd.DataFrame:
        """Month, share, cumulative share, its spread between years, and the sd of a year to come."""
        spread = [self.spread(k) for k in range(1, 13)]
        return pd.DataFrame(
            {
                "month": np.arange(1, 13),
                "share": self.shares,
                "cumulative_share": self.shares.cumsum(),
                "sd_between_years": spread,
                "sd_of_a_year": [self.year_sd(k) for k in range(1, 13)],
            }
        )

    @classmethod
    def even(cls) -> MonthlyProfile:
        """One twelfth a month: the named straight-line method, no seasons and no spread.

        Examples
        --------
        >>> round(MonthlyProfile.even().cumulative(10), 4)
        0.8333
        """
        source = Source("monthly_profile", "12/12", status="assumed")
        return cls(np.full(12, 1 / 12), pd.DataFrame(), sources=(source,))

    @classmethod
    def from_history(
        cls, table: Table, *, reference: MonthlyProfile | None = None, place_sd: float | None = None
    ) -> MonthlyProfile:
        """From a year-to-date table; only years with all twelve months are used.

        Parameters
        ----------
        table : Table
            Of kind ``monthly_history``.
        reference : MonthlyProfile, optional
            Another place's pattern, to which one or two years are shrunk; even shares if not given. Three years
            and more stand for themselves.
        place_sd : float, optional
            How much places differ from the reference (sd of the share); the distance of the national pattern
            from even shares if not given.

        Raises
        ------
        InputError
            If no year is whole or a year-to-date amount falls.
        """
        frame = table.frame.sort_values(["year", "month"])
        wide = frame.pivot_table(index="year", columns="month", values="expenditure_to_date")
        whole = wide.reindex(columns=range(1, 13)).dropna()
        whole = whole[whole[12] > 0]  # a year of nothing has no shares
        if whole.empty:
            raise InputError([Fault("table.no_whole_year", file=table.file)])
        steps = np.diff(np.column_stack([np.zeros(len(whole)), whole.to_numpy()]), axis=1)
        if (steps < 0).any():
            year = int(whole.index[np.argwhere(steps < 0)[0][0]])
            raise InputError([Fault("table.falls", file=table.file, params={"year": year})])
        shares = steps / steps.sum(axis=1, keepdims=True)
        years = pd.DataFrame(shares, index=whole.index, columns=range(1, 13))
        source = Source(
            "monthly_profile", table.file, f"{whole.index.min()}–{whole.index.max()}", status="derived"
        )
        return cls.from_years(years, reference=reference, place_sd=place_sd, sources=(source,))

    @classmethod
    def from_years(
        cls,
        years: pd.DataFrame,
        *,
        reference: MonthlyProfile | None = None,
        place_sd: float | None = None,
        sources: tuple[Source, ...] = (),
    ) -> MonthlyProfile:
        """From the monthly shares of whole years, (years, 12); the rest as in :meth:`from_history`.

        Examples
        --------
        >>> year = pd.DataFrame([[0.07] * 10 + [0.1, 0.2]], index=[2013], columns=range(1, 13))
        >>> one = MonthlyProfile.from_years(year)
        >>> round(one.cumulative(10), 4), round(one.prior.weight, 3)
        (0.7007, 0.994)
        """
        own = years.to_numpy(dtype=np.float64)
        if len(own) > 2:
            mean = own.mean(axis=0)
            return cls(mean / mean.sum(), years, sources=sources)
        past = np.empty((0, 12)) if reference is None else reference.years.to_numpy(dtype=np.float64)
        centre = None if reference is None else reference.shares
        shares, prior, source = shrunk(own, centre, past.reshape(-1, 12), place_sd)
        more = () if reference is None else reference.sources
        return cls(shares, years, prior, sources=(*sources, *more, source))

    def starting(self, month: int) -> MonthlyProfile:
        """The profile of years that start in `month` (1–12).

        The months keep their calendar shares; shares of a year that runs over two calendar years are not
        observed as such, so the spread between years is that of the calendar years' months.

        Examples
        --------
        >>> MonthlyProfile.even().starting(7).shares.sum().round(12)
        np.float64(1.0)
        """
        order = np.roll(np.arange(12), 1 - month)
        years = self.years
        if len(years):
            years = pd.DataFrame(years.to_numpy()[:, order], index=years.index, columns=range(1, 13))
        return MonthlyProfile(self.shares[order], years, self.prior, sources=self.sources)

    def by_days(self, first: pd.Period) -> MonthlyProfile:
        """The profile of the year that begins in month `first`, counted by days: a 29 February takes its day.

        A month's share is its share per day, times its days in that year, summing to 1 again. A profile of past years is
        taken to days in each of them, a stated one in a year of 365. Only the months of a year are told apart by days; the
        year's total is not.

        Parameters
        ----------
        first : Period
            First month of the year; the profile itself runs from January to December.

        Examples
        --------
        >>> even = MonthlyProfile.even()
        >>> [round(float(even.by_days(pd.Period(f"{y}-01", "M")).shares[1] * d), 9) for y, d in ((2015, 365), (2016, 366))]
        [28.0, 29.0]
        """
        days = _year_days(first)[np.newaxis]
        order = np.roll(np.arange(12), 1 - first.month)
        years = self.years
        if len(years):
            past = np.stack([_month_days(int(year)) for year in years.index])
            rows = (years.to_numpy(dtype=np.float64) / past)[:, order] * days
            years = pd.DataFrame(
                rows / rows.sum(axis=1, keepdims=True), index=years.index, columns=years.columns
            )
        if len(years) > 2:
            shares = years.to_numpy().mean(axis=0)
        else:  # a stated pattern, or one that is shrunk to another: per day of a common year
            per_day = np.full(12, 1.0) if np.ptp(self.shares) == 0 else self.shares / _month_days(2001)
            shares = per_day[order] * days[0]
        return MonthlyProfile(shares / shares.sum(), years, self.prior, sources=self.sources)

    def with_policy(self, factors: Sequence[float]) -> MonthlyProfile:
        """The pattern of a year in which policies start: each month's share × its factor, summing to 1 again.

        Parameters
        ----------
        factors : sequence of float
            Twelve, by month of the year: cost under the rules in force over cost under one set of rules (1, …, 1, 1.0674, …).

        Raises
        ------
        InputError
            If there are not twelve positive numbers.

        Examples
        --------
        >>> half = MonthlyProfile.even().with_policy([1.0] * 6 + [1.2] * 6)
        >>> round(half.cumulative(6), 6)
        0.454545
        """
        weights = np.asarray(list(factors), dtype=np.float64)
        if weights.shape != (12,) or not (np.isfinite(weights).all() and (weights > 0).all()):
            raise InputError([Fault("experience.policy_factors", params={"value": str(list(factors))[:80]})])
        years = self.years
        if len(years):
            rows = years.to_numpy(dtype=np.float64) * weights
            years = pd.DataFrame(
                rows / rows.sum(axis=1, keepdims=True), index=years.index, columns=years.columns
            )
        shares = self.shares * weights
        return MonthlyProfile(shares / shares.sum(), years, self.prior, sources=self.sources)

    def cumulative(self, months: int) -> float:
        """Mean share of the first `months` months."""
        return float(self.shares[:months].sum())

    def spread(self, months: int) -> float:
        """Standard deviation between years of the share of the first `months` months (0 under two years)."""
        if len(self.years) < 2 or months >= 12:
            return 0.0
        return float(self.years.iloc[:, :months].sum(axis=1).std(ddof=1))

    def year_sd(self, months: int) -> float:
        """Standard deviation of the share of a year to come, widened for the few years behind it; 0 if stated."""
        if self.prior is not None:
            return self.prior.sd(months)
        n = len(self.years)
        return self.spread(months) * np.sqrt(1 + 1 / n) * few(n - 1) if n > 1 else 0.0

    def share_draws(self, months: int, z: ArrayLike, place_sd: float = 0.0) -> NDArray[np.float64]:
        """The share of the first `months` months for standard normals `z`; exactly 1 for 12 months.

        Parameters
        ----------
        months : int
            From 1 to 12.
        z : array_like
            Standard normals.
        place_sd : float
            How much one place differs from the series, as standard deviation of the share.
        """
        normal = np.asarray(z, dtype=np.float64)
        if (months, place_sd) not in self._laws:  # one for many chunks of paths
            self._laws[months, place_sd] = self._law(months, place_sd)
        s, centre, slope = self._laws[months, place_sd]
        if not 0 < s < 1:
            return np.full_like(normal, s)
        return 1 / (1 + np.exp(-(centre + slope * normal)))

    @cached_property
    def _laws(self) -> dict[tuple[int, float], tuple[float, float, float]]:
        """Share, and centre and slope of its logit, by months and spread of places."""
        return {}

    def _law(self, months: int, place_sd: float) -> tuple[float, float, float]:
        s = self.cumulative(months)
        if months >= 12 or s >= 1:
            return 1.0, 0.0, 0.0
        if s <= 0:
            return 0.0, 0.0, 0.0
        sd = np.hypot(self.year_sd(months), place_sd)
        return s, float(np.log(s / (1 - s))), float(sd / (s * (1 - s)))

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Share of each month, its spread between years, and one twelfth to compare."""
        with figure_style():
            ax = ax or new_axes(7.0, 3.2)
            months = np.arange(1, 13)
            ax.bar(months, 100 * self.shares, color=COLOURS["main"], width=0.7)
            if len(self.years) > 1:
                spread = 100 * self.years.std(ddof=1).to_numpy()
                ax.errorbar(months, 100 * self.shares, yerr=spread, fmt="none", ecolor=COLOURS["accent"], capsize=3,
                            label=text("chart.between_years", lang))  # fmt: skip
            ax.axhline(
                100 / 12,
                color=COLOURS["ink"],
                linewidth=1,
                linestyle="--",
                label=text("chart.even_month", lang),
            )
            ax.set_xticks(months)
            ax.set_xlabel(text("chart.calendar_month", lang))
            ax.set_ylabel(text("chart.share_of_year", lang))
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        return ax
