"""``Forecast``: the distribution of levels some years ahead, jointly over funds or categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.growth.places import label_of
from actuarial.growth.predictive import Predictive
from actuarial.results import Result

Array = NDArray[np.float64]
QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


@dataclass(frozen=True, eq=False)
class Forecast(Result):
    """Distribution of the level `horizon` years after the last year of the history.

    Parameters
    ----------
    names : tuple
        Funds or categories, in order.
    single : bool
        Whether a single series was fitted: answers are then Series, else frames.
    year : int
    last : ndarray
        Last level of each column.
    parts : tuple of Predictive
        Log growth since that level.
    correlation : ndarray, shape (columns, columns)
        Between the columns' normals.
    levels : tuple
        Names of the columns' levels.
    """

    names: tuple[Any, ...]
    single: bool
    year: int
    last: Array
    parts: tuple[Predictive, ...]
    correlation: Array
    levels: tuple[Any, ...] = (None,)

    @property
    def index(self) -> pd.Index:
        """The names as the columns of an answer."""
        if len(self.levels) > 1:
            return pd.MultiIndex.from_tuples(self.names, names=self.levels)
        return pd.Index(self.names)

    def quantile(self, q: Sequence[float] | float) -> pd.Series | pd.DataFrame:
        """Quantiles of the level: a Series by quantile, or a frame quantile × column for a panel."""
        levels = np.atleast_1d(np.asarray(q, dtype=np.float64))
        index = pd.Index(levels, name="quantile")
        values = np.column_stack(
            [b * np.exp(p.quantile(levels)) for b, p in zip(self.last, self.parts, strict=True)]
        )
        if self.single:
            return pd.Series(values[:, 0], index=index, name=self.year)
        return pd.DataFrame(values, index=index, columns=self.index)

    def cdf(self, level: float | Sequence[float]) -> float | pd.Series:
        """Probability that the level is at or below `level` (one number, or one a column)."""
        at = np.broadcast_to(np.log(np.asarray(level, dtype=np.float64) / self.last), self.last.shape)
        found = [float(p.cdf(x)[0]) for p, x in zip(self.parts, at, strict=True)]
        return found[0] if self.single else pd.Series(found, index=self.index)

    def mean(self) -> float | pd.Series:
        """Mean level."""
        return self._each([b * float(p.factors.mean()) for b, p in zip(self.last, self.parts, strict=True)])

    def sd(self) -> float | pd.Series:
        """Standard deviation of the level."""
        return self._each([b * float(p.factors.std()) for b, p in zip(self.last, self.parts, strict=True)])

    def tvar(self, q: float) -> float | pd.Series:
        """Mean level beyond the quantile `q` (tail value at risk)."""
        found = []
        for b, p in zip(self.last, self.parts, strict=True):
            tail = q + (1 - q) * (np.arange(2000) + 0.5) / 2000
            found.append(b * float(np.exp(p.quantile(tail)).mean()))
        return self._each(found)

    def _each(self, values: list[float]) -> float | pd.Series:
        return values[0] if self.single else pd.Series(values, index=self.index)

    def simulate(self, n: int, seed: int = 2012) -> pd.Series | pd.DataFrame:
        """Joint draws of the level.

        Parameters
        ----------
        n, seed : int
            The same give the same draws.
        """
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(self.year,))))
        z = generator.standard_normal((n, len(self.parts))) @ root_of(self.correlation).T
        drawn = np.column_stack(
            [
                b * np.exp(p.log_growth(z[:, i]))
                for i, (b, p) in enumerate(zip(self.last, self.parts, strict=True))
            ]
        )
        return pd.Series(drawn[:, 0]) if self.single else pd.DataFrame(drawn, columns=self.index)

    @property
    def table(self) -> pd.DataFrame:
        """Mean, sd and quantiles of the level by column."""
        quantiles = pd.DataFrame(self.quantile(QUANTILES)).T
        quantiles.columns = [f"q{100 * q:g}" for q in QUANTILES]
        quantiles.insert(0, "mean", np.atleast_1d(np.asarray(self.mean())))
        quantiles.insert(1, "sd", np.atleast_1d(np.asarray(self.sd())))
        quantiles.insert(0, "column", [label_of(n) for n in self.names])
        quantiles.insert(1, "year", self.year)
        return quantiles.reset_index(drop=True)


def root_of(correlation: Array) -> Array:
    """A matrix whose product with its transpose is the correlation (nearest, where rounding made it indefinite)."""
    values, vectors = np.linalg.eigh((correlation + correlation.T) / 2)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True)))
