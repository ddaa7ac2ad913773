"""Run-off triangles, and whether their latest months are whole.

:func:`check_latest` compares what the latest payment months paid with what the months before lead to expect; it runs
before anything is completed (see :mod:`actuarial.experience.completion`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from actuarial.errors import Fault, InputError
from actuarial.results import COLOURS, Result, Source, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.tables import ExposureTable


@dataclass(frozen=True, eq=False)
class Triangle(Result):
    """A run-off triangle.

    Parameters
    ----------
    frame : DataFrame
        Cumulative payments [yuan], service periods × lags 0, 1, …; NaN where not yet observed.
    exposure : Series or None
        Persons (or person-months) by service period.
    counts : Triangle or None
        The same of numbers of claims, where they are known: whether the latest months are whole is seen from them.
    """

    frame: pd.DataFrame
    exposure: pd.Series | None = None
    counts: Triangle | None = None

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def values(self) -> NDArray[np.float64]:
        """Cumulative payments, (periods, lags)."""
        return self.frame.to_numpy(dtype=np.float64)

    @property
    def latest(self) -> NDArray[np.float64]:
        """Latest cumulative payment of each service period; 0 where nothing is observed."""
        filled = self.frame.ffill(axis=1).to_numpy(dtype=np.float64)[:, -1]
        return np.nan_to_num(filled)

    @property
    def age(self) -> NDArray[np.intp]:
        """Last observed lag of each service period; −1 where nothing is observed."""
        return np.isfinite(self.values).sum(axis=1) - 1

    @classmethod
    def from_incremental(
        cls,
        frame: pd.DataFrame,
        *,
        exposure: pd.Series | None = None,
        periods: int | None = None,
        source: Source | None = None,
    ) -> Triangle:
        """From payments by service period and lag, as a run-off of claims gives them.

        Parameters
        ----------
        frame : DataFrame
            Payments [yuan], service periods × lags.
        exposure : Series, optional
            Persons by service period.
        periods : int, optional
            Payment periods observed, counted from the first service period; cells beyond become NaN. As many as
            there are service periods if not given.

        Raises
        ------
        InputError
            For an empty table or a value that is not finite inside the observed part.
        """
        if frame.empty:
            raise InputError([Fault("completion.no_data")])
        n, m = frame.shape
        seen = np.add.outer(np.arange(n), np.arange(m)) < (n if periods is None else periods)
        amounts = frame.to_numpy(dtype=np.float64)
        if np.isinf(amounts[seen]).any():
            raise InputError([Fault("completion.not_finite")])
        cumulative = np.where(seen, np.nan_to_num(amounts).cumsum(axis=1), np.nan)
        out = pd.DataFrame(cumulative, index=frame.index, columns=range(m))
        return cls(out, exposure, sources=(source,) if source else ())

    @classmethod
    def from_cumulative(
        cls, frame: pd.DataFrame, *, exposure: pd.Series | None = None, source: Source | None = None
    ) -> Triangle:
        """From cumulative payments with NaN where not yet observed.

        Raises
        ------
        InputError
            For an empty table, or an observed cell behind a hole.
        """
        if frame.empty:
            raise InputError([Fault("completion.no_data")])
        values = frame.to_numpy(dtype=np.float64)
        known = np.isfinite(values)
        if (known[:, 1:] & ~known[:, :-1]).any():
            raise InputError([Fault("completion.hole")])
        out = pd.DataFrame(values, index=frame.index, columns=range(values.shape[1]))
        return cls(out, exposure, sources=(source,) if source else ())

    def without_latest(self, periods: int) -> Triangle:
        """As it was `periods` payment periods ago."""
        values = self.values.copy()
        age = self.age
        last = max(int((age + np.arange(len(age))).max()), 0)
        diagonal = np.add.outer(np.arange(values.shape[0]), np.arange(values.shape[1]))
        values[diagonal > last - periods] = np.nan
        frame = pd.DataFrame(values, index=self.frame.index, columns=self.frame.columns)
        return Triangle(frame, self.exposure, sources=self.sources)

    def until(self, month: str | None) -> Triangle:
        """As it was known at the end of a payment month, ``2013-10``; itself if none is given.

        Service months after it go too.
        """
        if month is None:
            return self
        last = pd.Period(month, freq="M")
        kept = self.frame[self.frame.index <= last]
        if kept.empty:
            raise InputError([Fault("completion.no_data")])
        values = kept.to_numpy(dtype=np.float64, copy=True)
        seen = (last - kept.index[0]).n
        values[np.add.outer(np.arange(len(kept)), np.arange(values.shape[1])) > seen] = np.nan
        frame = pd.DataFrame(values, index=kept.index, columns=kept.columns)
        counts = None if self.counts is None else self.counts.until(month)
        return Triangle(frame.loc[:, frame.notna().any()], self.exposure, counts, sources=self.sources)

    def exposed(self, spells: ExposureTable | None) -> Triangle:
        """With the person-months of each month of service as exposure."""
        if spells is None:
            return self
        persons = [spells.total_months(str(p), 1) for p in self.frame.index]
        return replace(self, exposure=pd.Series(persons, index=self.frame.index))

    def plot(self, ax: Axes | None = None, lang: str | None = None, *, flags: Sequence[Flag] = ()) -> Axes:
        """Heat map of the share of each service period's latest payments by lag; flagged periods are framed."""
        values = self.values
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.diff(np.column_stack([np.zeros(len(values)), values]), axis=1) / self.latest[:, None]
        with figure_style():
            ax = ax or new_axes(8.0, 0.9 + 0.28 * len(values))
            shown = ax.imshow(100 * share, aspect="auto", cmap="Blues", vmin=0)
            last = int((self.age + np.arange(len(values))).max())
            for flag in flags:
                for i in range(len(values)):
                    j = last - flag.back - i
                    if 0 <= j < values.shape[1]:
                        ax.plot([j - 0.45, j + 0.45, j + 0.45, j - 0.45, j - 0.45],
                                [i - 0.45, i - 0.45, i + 0.45, i + 0.45, i - 0.45], color=COLOURS["accent"], linewidth=1.3)  # fmt: skip
            ax.set_yticks(range(len(values)), [str(p) for p in self.frame.index], fontsize=8)
            ax.set_xlabel(text("chart.lag", lang))
            ax.grid(visible=False)
            ax.figure.colorbar(shown, ax=ax, label=text("chart.share_of_latest", lang))
        return ax


@dataclass(frozen=True)
class Flag:
    """A payment or service period that does not look whole.

    Parameters
    ----------
    kind : {"half_loaded", "empty", "doubled", "service_empty"}
    period : str
        The payment period (its place counted in service periods), or the service period.
    back : int
        0 is the latest.
    ratio : float
        Paid over expected.
    """

    kind: str
    period: str
    back: int
    ratio: float

    def message(self, lang: str | None = None) -> str:
        """The sentence."""
        return text(f"completion.{self.kind}", lang, period=self.period, ratio=f"{100 * self.ratio:.0f}")


THRESHOLD = 3.5
"""Robust standard deviations beyond which a payment period is flagged."""


def check_latest(triangle: Triangle, *, periods: int = 3) -> tuple[Flag, ...]:
    """Find payment periods among the latest that are half-loaded, empty or doubled.

    The increments of a payment period are compared with what the development factors and first
    payments of the **earlier** payment periods lead to expect. A period is flagged when it lies beyond 25%
    below or 40% above the expectation **and** beyond 3.5 robust standard deviations (widened by Student's factor for few) of the log
    ratios of the periods before; an empty latest service period is flagged by itself.

    Where the numbers of claims are known (``triangle.counts``) they are looked at in place of the money: a few large
    claims do not move them, so that half a month shows in a small pool too. No spread is then taken below that of
    counting (Poisson). Money is still looked at for what no number of claims shows: a period ten times
    too small or too large, as in another unit.

    Parameters
    ----------
    triangle : Triangle
        At least six payment periods; with fewer nothing can be said and nothing is.
    periods : int
        How many of the latest are looked at.
    """
    last = int((triangle.age + np.arange(len(triangle.age))).max())
    if last < 5:
        return ()
    found = _unlike(triangle, periods, counting=False)
    if triangle.counts is not None:
        money = [(back, r) for back, r in found.items() if not 0.1 <= r <= 10]
        found = dict([*money, *_unlike(triangle.counts, periods, counting=True).items()])
    flags = [
        Flag(
            "empty" if r < 0.02 else "half_loaded" if r < 1 else "doubled",
            period_label(triangle, last - back),
            back,
            r,
        )
        for back, r in sorted(found.items())
    ]
    paid = np.nan_to_num(triangle.values[-1]).max(initial=0.0)
    if paid == 0 and not any(f.kind == "empty" and f.back == 0 for f in flags):
        flags.append(Flag("service_empty", str(triangle.frame.index[-1]), 0, 0.0))
    return tuple(flags)


def _unlike(triangle: Triangle, periods: int, *, counting: bool) -> dict[int, float]:
    """The latest payment periods that are unlike those before: how far back, and what there is over what is expected."""
    last = int((triangle.age + np.arange(len(triangle.age))).max())
    seen = {back: _diagonal_ratio(triangle, back) for back in range(min(last - 3, periods + 12))}
    found = {}
    for back in range(periods):
        before = np.array([r for b, (r, _) in seen.items() if b > back and np.isfinite(r) and r > 0])
        ratio, expected = seen.get(back, (np.nan, 0.0))
        if len(before) < 3 or not np.isfinite(ratio):
            continue
        logs = np.log(before)
        centre = float(np.median(logs))
        least = max(0.03, expected**-0.5 if counting else 0.0)
        spread = max(1.4826 * float(np.median(np.abs(logs - centre))), least)
        relative = float(ratio / np.exp(centre))
        few = float(stdtrit(len(before) - 1, 0.975) / ndtri(0.975))  # the spread itself is an estimate
        if (relative < 0.75 or relative > 1.4) and abs(
            np.log(max(relative, 1e-9))
        ) > THRESHOLD * few * spread:
            found[back] = relative
    return found


def period_label(triangle: Triangle, diagonal: int) -> str:
    """Name of a payment period, counted from the first service period."""
    index = triangle.frame.index
    if diagonal < len(index):
        return str(index[diagonal])
    more = diagonal - len(index) + 1
    return str(index[-1] + more) if isinstance(index, pd.PeriodIndex) else f"+{more}"


def _diagonal_ratio(triangle: Triangle, back: int) -> tuple[float, float]:
    """Paid over expected of one payment period, and what is expected, from the periods before it."""
    values = triangle.values
    n, m = values.shape
    age = triangle.age
    day = int((age + np.arange(n)).max()) - back  # the payment period that is looked at
    when = np.add.outer(np.arange(n), np.arange(m))
    low, high = values[:, :-1], values[:, 1:]
    use = np.isfinite(high) & (when[:, 1:] < day) & (low > 0)
    volume = np.where(use, low, 0.0).sum(axis=0)
    factors = np.divide(
        np.where(use, high, 0.0).sum(axis=0), volume, out=np.full(m - 1, np.nan), where=volume > 0
    )
    lag = np.arange(max(day - n + 1, 1), min(day, m - 1) + 1)
    before, after, growth = values[day - lag, lag - 1], values[day - lag, lag], factors[lag - 1] - 1
    known = np.isfinite(before) & np.isfinite(after) & np.isfinite(growth)
    paid = float((after - before)[known].sum())
    expected = float((before * growth)[known].sum())
    first = values[: min(day, n), 0]
    first = first[np.isfinite(first)]
    if day < n and values[day, 0] > 0 and len(first) >= 2:  # an unseen service period is looked at by itself
        weight = 1.0
        if triangle.exposure is not None:
            e = triangle.exposure.to_numpy(dtype=np.float64)
            weight = e[day] / e[: len(first)].mean()
        paid += float(values[day, 0])
        expected += float(np.median(first[-6:])) * weight
    return (paid / expected if expected > 0 else np.nan), expected
