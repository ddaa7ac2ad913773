"""``GrowthFit``: growth fitted to a history, and everything that can be asked of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import Fault, InputError
from actuarial.experience.breaks import Break
from actuarial.growth.expert import ExpertGrowth
from actuarial.growth.fitted import Fitted
from actuarial.growth.forecast import Forecast
from actuarial.growth.levels import History
from actuarial.growth.places import full_name, label_of
from actuarial.growth.prior import Prior
from actuarial.growth.trend import Trend
from actuarial.results import Result
from actuarial.severity import log_sd
from actuarial.tables import Note

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GrowthFit(Result):
    """Growth fitted to a history.

    Parameters
    ----------
    history : History
        Levels as given and at the policy in force; of the fund or funds that are forecast.
    neighbours : DataFrame
        Levels of the funds that only lend their experience.
    model : str
    prior : Prior
    breaks : tuple of Break
    notes : tuple of Note
        What should be known of the answer.
    correlation : float
        Between the categories' growth where one growth serves several categories.
    fitted : Fitted
        The numbers behind the answer.
    """

    history: History
    neighbours: pd.DataFrame
    model: str
    prior: Prior
    breaks: tuple[Break, ...]
    notes: tuple[Note, ...]
    correlation: float
    fitted: Fitted = field(repr=False)

    @property
    def names(self) -> tuple[Any, ...]:
        """Columns that are forecast."""
        return tuple(self.history.on_level.columns)

    @property
    def single(self) -> bool:
        """Whether a single series was fitted."""
        return self.history.kind == "one"

    @property
    def series(self) -> pd.Series | pd.DataFrame:
        """The levels that were fitted, at the policy in force."""
        frame = self.history.on_level
        return frame.iloc[:, 0].dropna() if self.single else frame

    @property
    def gaps(self) -> tuple[int, ...]:
        """Years missing inside the history; their growth is spread over the step."""
        return self.history.gaps

    @property
    def last_year(self) -> int:
        """Last year of the history."""
        return int(self.history.on_level.index[-1])

    def forecast(self, h: int = 1) -> Forecast:
        """The level `h` years after the last year of the history.

        Raises
        ------
        InputError
            If `h` is not from 1 to 30 (1 for a fit to months).

        Examples
        --------
        >>> from actuarial.growth import fit_growth
        >>> fit = fit_growth(pd.Series([100.0, 110, 119, 132], index=[2009, 2010, 2011, 2012]))
        >>> levels = fit.forecast(1).quantile([0.1, 0.5, 0.9])
        >>> bool(132 < levels[0.5] < levels[0.9])
        True
        """
        if not (isinstance(h, int | np.integer) and 1 <= h <= self.fitted.furthest):
            raise InputError([Fault("growth.horizon", params={"value": h, "most": self.fitted.furthest})])
        parts, correlation = self.fitted.next_year if h == 1 else self.fitted.ahead(int(h))
        levels = self.history.on_level.to_numpy(dtype=np.float64)
        ends = len(levels) - 1 - np.isfinite(levels)[::-1].argmax(axis=0)
        last = levels[ends, np.arange(levels.shape[1])]
        return Forecast(
            self.names,
            self.single,
            self.last_year + h,
            last,
            parts,
            correlation,
            tuple(self.history.on_level.columns.names),
            sources=self.sources,
        )

    @cached_property
    def _following(self) -> Forecast:
        return self.forecast(1)

    def quantile(self, q: Sequence[float] | float) -> pd.Series | pd.DataFrame:
        """Quantiles of next year's level; see :meth:`Forecast.quantile`."""
        return self._following.quantile(q)

    def simulate(self, n: int, seed: int = 2012, *, h: int = 1) -> pd.Series | pd.DataFrame:
        """Joint draws of the level; see :meth:`Forecast.simulate`."""
        return self.forecast(h).simulate(n, seed)

    def factor(self, z: ArrayLike) -> Array:
        """``1 + growth`` of the next year for standard normals `z` (rises with `z`).

        One column: any shape. Several: the last axis of `z` is the column.
        """
        z = np.asarray(z, dtype=np.float64)
        if self.single:
            return np.exp(self._following.parts[0].log_growth(z))
        return np.exp(
            np.stack([p.log_growth(z[..., i]) for i, p in enumerate(self._following.parts)], axis=-1)
        )

    def fund(self, name: Any) -> GrowthFit:
        """One column of a panel as a fit of its own: its neighbours' experience stays in it.

        Of nested columns the whole path, or the fund's own name where it is there once.

        Raises
        ------
        InputError
            If there is no such column.
        """
        path = full_name(name, self.history.on_level.columns)
        if path is None:
            known = ", ".join(map(label_of, self.names))
            raise InputError([Fault("growth.no_fund", params={"name": label_of(name), "known": known})])
        place = self.names.index(path)
        at = np.arange(len(self.names)) == place
        one = History(self.history.raw.loc[:, at], self.history.on_level.loc[:, at], "one")
        others = self.history.on_level.loc[:, ~at]
        return replace(
            self,
            history=one,
            neighbours=pd.concat([others, self.neighbours], axis=1),
            fitted=self.fitted.only(place),
        )

    def combine(self, expert: ExpertGrowth, *, independent: bool) -> ExpertGrowth:
        """Average with an expert's value by precision (of log growth): only where the expert has not used these data.

        Parameters
        ----------
        expert : ExpertGrowth
        independent : bool
            Whether the expert's value rests on something else; False is refused, because the data would count twice.

        Raises
        ------
        InputError
            If the two are not independent, or several columns were fitted.

        Examples
        --------
        >>> from actuarial.growth import fit_growth
        >>> fit = fit_growth(pd.Series([100.0, 110, 119, 132], index=[2009, 2010, 2011, 2012]))
        >>> from actuarial.growth import expert_growth
        >>> both = fit.combine(expert_growth(0.05, sd=0.02), independent=True)
        >>> bool(0.05 < both.value < fit.forecast(1).quantile(0.5).iloc[0] / 132 - 1)
        True
        """
        if not independent or not self.single:
            raise InputError([Fault("growth.combine")])
        part = self._following.parts[0]
        log = np.log(part.factors)
        centre, variance = float(log.mean()), float(log.var())
        stated, doubt = math.log1p(expert.value), log_sd(1 + expert.value, expert.sd) ** 2
        weight = variance / (variance + doubt) if variance + doubt > 0 else 1.0
        value, spread = math.expm1(weight * stated + (1 - weight) * centre), weight * doubt
        sd = (1 + value) * math.sqrt(math.exp(spread) * math.expm1(spread))
        return ExpertGrowth(value, sd, expert.correlation, sources=(*expert.sources, *self.sources))

    @property
    def trend(self) -> tuple[Trend, ...]:
        """Of the models of one series; empty for ``pooled``."""
        return self.fitted.trends

    @property
    def removed(self) -> float | pd.Series:
        """Probability beyond the documented bounds, removed by truncation."""
        return self._following._each([p.removed for p in self._following.parts])

    @property
    def drift(self) -> float:
        """Mean log growth of the next year (of the first column)."""
        if self.trend:
            return self.trend[0].drift
        part = self._following.parts[0]
        return float(part.weight @ part.location)

    @property
    def sigma(self) -> float:
        """Standard deviation of one year's noise in log growth (of the first column)."""
        return self.trend[0].sigma if self.trend else float(self.fitted.noise()[0])

    @property
    def scale(self) -> float:
        """Scale of the predictive of one year's log growth (of the first column)."""
        part = self._following.parts[0]
        mean = part.weight @ part.location
        return float(np.sqrt(part.weight @ (part.scale**2 + (part.location - mean) ** 2)))

    @property
    def dof(self) -> float:
        """Degrees of freedom of the predictive (of the first column; averaged over the kinds)."""
        part = self._following.parts[0]
        return float(part.weight @ part.dof)

    @property
    def years(self) -> float:
        """Years spanned by the first column."""
        known = self.history.on_level.iloc[:, 0].dropna().index
        return float(known[-1] - known[0])

    @property
    def weights(self) -> pd.DataFrame:
        """How much each kind of growth weighs in the average, and what it weighed before the data."""
        return self.fitted.weight_table(self.prior)

    @property
    def sensitivity(self) -> float:
        """How far the mean log growth moves with the last log level: negative where a high year is taken back."""
        return float(self.fitted.sensitivity()[0])

    @property
    def table(self) -> pd.DataFrame:
        """Year, level, and growth per year since the year before in the table: raw, and at the policy in force."""
        parts = []
        for name in self.names:
            raw, level = self.history.raw[name].dropna(), self.history.on_level[name].dropna()
            part = pd.DataFrame(
                {"year": level.index, "level": level.to_numpy(), "growth_per_year": yearly(level)}
            )
            if not raw.equals(level):
                part.insert(1, "raw_level", raw.to_numpy())
                part["raw_growth_per_year"] = yearly(raw)
            if not self.single:
                levels = self.history.on_level.columns.names
                for i, value in enumerate(name if isinstance(name, tuple) else (name,)):
                    last = i == len(levels) - 1
                    part.insert(i, self.history.kind if last else levels[i] or f"level_{i + 1}", value)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def summary(self, lang: str | None = None) -> str:
        """Next year's level, its intervals, what carried the answer, and what should be known of it."""
        from actuarial.growth.words import fit_summary

        return fit_summary(self, lang)

    def plot(self, ax: Axes | None = None, lang: str | None = None, *, h: int = 3) -> Axes:
        """History, the fan of the next `h` years, neighbours in grey (scaled to the same last level)."""
        from actuarial.growth.charts import growth_chart

        return growth_chart(self, ax, lang, h)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data; the keys are documented in ``docs/cli.md``."""
        from actuarial.growth.words import fit_dict

        return fit_dict(self)


def yearly(level: pd.Series) -> list[float]:
    """Growth per year since the year before in the series; NaN first."""
    steps = np.diff(level.index.to_numpy(dtype=np.float64))
    return [math.nan, *np.expm1(np.diff(np.log(level.to_numpy())) / steps)]
