"""The numbers behind a fit: groups of columns that share experience, and what they say of the years ahead."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from actuarial.growth.hierarchy import Posterior, posterior
from actuarial.growth.panel import Tree
from actuarial.growth.places import tree_of
from actuarial.growth.predictive import Predictive
from actuarial.growth.prior import Prior, growth_bounds
from actuarial.growth.trend import Trend, fit_months, fit_trend

Array = NDArray[np.float64]
_PROCESS = ((0.0, 0.5), (0.3, 0.3), (1.0, 0.2))
"""Shares of the observed variance that are tried as noise of few people, with their prior weights."""
_MEDIAN_SQUARE = 0.4549
"""Median of the square of a standard normal: from a robust middle to a variance."""


@dataclass(frozen=True, eq=False)
class Group:
    """Columns that share experience, as arrays.

    Parameters
    ----------
    logs : ndarray, shape (years, columns)
        Log levels of the window.
    jumps : ndarray of bool, same shape
    variances : tuple of (ndarray, float)
        Candidates for the known variance of each log level, with prior weights; one of zeros where there is none.
    targets : tuple of int
        Columns that are forecast.
    ahead : int
        Years by which neighbours are further on.
    prior : Prior
    tree : Tree
        Groups of the columns.
    """

    logs: Array
    jumps: NDArray[np.bool_]
    variances: tuple[tuple[Array | None, float], ...]
    targets: tuple[int, ...]
    ahead: int
    prior: Prior
    tree: Tree = field(default_factory=Tree)

    def solve(self, horizons: int) -> tuple[Array, list[Posterior]]:
        """Weight of each candidate of the process variance, and the posterior under it."""
        found = [
            posterior(
                self.logs,
                self.prior,
                level_variance=v,
                jumps=self.jumps,
                tree=self.tree,
                horizons=horizons,
                ahead=self.ahead,
            )
            for v, _ in self.variances
        ]
        score = np.array(
            [logsumexp(p.evidence) + math.log(w) for p, (_, w) in zip(found, self.variances, strict=True)]
        )
        return np.exp(score - logsumexp(score)), found

    @cached_property
    def first(self) -> tuple[Array, list[Posterior]]:
        """One year ahead."""
        return self.solve(1)

    @cached_property
    def yearly_bounds(self) -> tuple[float, float]:
        """Bounds of one year's log growth: the documented ones, or half of them beyond what the group itself has seen."""
        low, high = growth_bounds()
        below, above = low / 2, high / 2
        for i in range(self.logs.shape[1]):
            known = np.flatnonzero(np.isfinite(self.logs[:, i]))
            growth = np.diff(self.logs[known, i]) / np.diff(known)
            growth = growth[~self.jumps[known[1:], i]]
            if len(growth):
                low = min(low, float(growth.min()) + below)
                high = max(high, float(growth.max()) + above)
        return low, high


@dataclass(frozen=True, eq=False)
class Fitted:
    """Groups, or trends of single series; and how the columns are correlated.

    Parameters
    ----------
    groups : tuple of Group
    trends : tuple of Trend
    correlation : ndarray or None
        Between categories; None where the common part of the growth says it.
    """

    groups: tuple[Group, ...] = ()
    trends: tuple[Trend, ...] = ()
    correlation: Array | None = None

    def ahead(self, h: int) -> tuple[tuple[Predictive, ...], Array]:
        """Log growth of each column until `h` years after the history, and the correlation of their normals."""
        parts: list[Predictive] = []
        blocks: list[Array] = []
        for trend in self.trends:
            low, high = growth_bounds()
            one, at = np.ones(1), slice(h - 1, h)
            dof = np.array([float(trend.dof)])
            parts.append(Predictive.of(one, trend.centre[at], trend.scale[at], dof, h * low, h * high))
            blocks.append(np.ones((1, 1)))
        for group in self.groups:
            odds, found = group.first if h == 1 else group.solve(h)
            weight = np.concatenate([o * p.weight for o, p in zip(odds, found, strict=True)])
            known = np.isfinite(group.logs)
            ends = len(known) - 1 - known[::-1].argmax(axis=0)
            for i in group.targets:
                location, scale, dof = (
                    np.concatenate([getattr(p, name)[:, i, h - 1] for p in found])
                    for name in ("mean", "scale", "dof")
                )
                span = len(known) - 1 - group.ahead + h - int(ends[i])
                low, high = (span * b for b in group.yearly_bounds)
                parts.append(Predictive.of(weight, location, scale, dof, low, high))
            shared = sum(o * p.covariance[h - 1] for o, p in zip(odds, found, strict=True))
            block = np.array(shared)[np.ix_(group.targets, group.targets)]
            np.fill_diagonal(block, 1.0)
            blocks.append(block)
        if self.correlation is not None:
            return tuple(parts), self.correlation
        return tuple(parts), block_diagonal(blocks)

    @property
    def furthest(self) -> int:
        """Most years ahead that can be asked for."""
        return min((len(t.centre) for t in self.trends), default=30)

    @cached_property
    def next_year(self) -> tuple[tuple[Predictive, ...], Array]:
        """One year ahead."""
        return self.ahead(1)

    def only(self, place: int) -> Fitted:
        """The same with one column to forecast."""
        if self.trends:
            return Fitted(trends=(self.trends[place],))
        at = 0
        for group in self.groups:
            if place < at + len(group.targets):
                return Fitted((replace(group, targets=(group.targets[place - at],)),))
            at += len(group.targets)
        raise IndexError(place)

    def _average(self, name: str) -> Array:
        found = []
        for group in self.groups:
            odds, posteriors = group.first
            value = np.array(sum(o * getattr(p, name) for o, p in zip(odds, posteriors, strict=True)))
            found.append(value[list(group.targets)])
        return np.concatenate(found) if found else np.array([])

    def noise(self) -> Array:
        """Standard deviation of one year's noise, by column."""
        return np.array([t.sigma for t in self.trends]) if self.trends else self._average("noise")

    def sensitivity(self) -> Array:
        """Derivative of mean log growth with respect to the last log level, by column."""
        if self.trends:
            return np.array([1 / t.years for t in self.trends])
        return self._average("sensitivity")

    def process_share(self) -> float:
        """Share of the process (noise of few people) in the weights of the candidates; 0 where none was tried."""
        if not self.groups:
            return 0.0
        odds, _ = self.groups[0].first
        return float(odds[1:].sum()) if len(odds) > 1 else 0.0

    def weight_table(self, prior: Prior) -> pd.DataFrame:
        """Weights of the kinds by part (common growth, own growth, tail), after and before the data."""
        rows = []
        nested = any(g.tree.nodes for g in self.groups)
        members: list[Any] = prior.members(nested=nested)
        parts: list[tuple[str, int, tuple[Any, ...]]] = [
            ("common", 1, prior.common),
            ("own", 2, prior.own),
            ("tails", 3, prior.tails),
        ]
        for part, position, kinds in [*parts, *([("groups", 4, prior.groups)] if nested else [])]:
            total = sum(k.weight for k in kinds)
            for kind in kinds:
                chosen = np.array([m[position].name == kind.name for m in members])
                shares = [
                    float(sum(o * p.weight[chosen[p.members]].sum() for o, p in zip(*g.first, strict=True)))
                    for g in self.groups
                ]
                if shares:
                    rows.append((part, kind.name, float(np.mean(shares)), kind.weight / total))
        return pd.DataFrame(rows, columns=["part", "kind", "weight", "prior_weight"])


def block_diagonal(blocks: list[Array]) -> Array:
    """Blocks on the diagonal of a matrix of zeros."""
    size = sum(len(b) for b in blocks)
    out, at = np.zeros((size, size)), 0
    for block in blocks:
        out[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return out


@dataclass(frozen=True, eq=False)
class Cells:
    """Columns that are fitted together, as arrays of years × columns; those that are forecast come first.

    Parameters
    ----------
    logs : ndarray
        Log levels, NaN where missing.
    jumps : ndarray of bool
    exposure : ndarray, optional
        Persons.
    last : ndarray
        Variance of levels of unfinished years.
    targets : int
        Columns that are forecast.
    ahead : int
        Years by which neighbours are further on.
    columns : Index
        Their names: levels of nested names are groups.
    apart : bool
        Categories: each column is fitted alone, and their growth is correlated.
    process_cv : float, optional
        See :func:`process_variances`.
    """

    logs: Array
    jumps: NDArray[np.bool_]
    exposure: Array | None
    last: Array
    targets: int
    ahead: int
    columns: pd.Index
    apart: bool
    process_cv: float | None

    def fit(self, prior: Prior) -> Fitted:
        """The hierarchy under a prior."""
        given = (self.logs, self.jumps, self.exposure, self.process_cv, self.last)
        if self.apart:
            return fit_columns(*given, prior)
        return fit_pooled(*given, self.targets, self.ahead, prior, tree_of(self.columns))

    def scored(self, row: int, *, own: bool) -> NDArray[np.int64]:
        """Columns (own ones only, if asked) of which growth in the year of that row is known and no jump."""
        known = np.isfinite(self.logs[row - 1]) & np.isfinite(self.logs[row]) & ~self.jumps[row]
        enough = np.isfinite(self.logs[:row]).sum(axis=0) >= 2
        found = np.flatnonzero(known & enough)
        return found[found < self.targets] if own else found

    def until(self, row: int, columns: NDArray[np.int64]) -> Cells:
        """What was known the year before that row; these columns are to be forecast, the others lend."""
        known = np.isfinite(self.logs[:row]).any(axis=0)
        rest = [] if self.apart else [i for i in np.flatnonzero(known) if i not in set(columns.tolist())]
        order = np.array([*columns, *rest], dtype=np.int64)
        at = np.ix_(np.arange(row), order)
        exposure = None if self.exposure is None else self.exposure[at]
        return Cells(
            self.logs[at], self.jumps[at], exposure, self.last[at], len(columns), 0, self.columns[order],
            self.apart, self.process_cv,
        )  # fmt: skip


def process_variances(
    logs: Array, exposure: Array | None, cv: float | None, last: Array
) -> tuple[tuple[Array | None, float], ...]:
    """Candidates for the variance of each log level that few people and an unfinished year explain.

    Parameters
    ----------
    logs, exposure : ndarray, shape (years, columns)
    cv : float, optional
        Coefficient of variation of one person's yearly cost: the variance is cv² ÷ exposure. Without it the shares in
        the module's ``_PROCESS`` of the observed variance are tried, and the evidence decides.
    last : ndarray, shape (years, columns)
        Variance of unfinished years.
    """
    if exposure is None:
        return ((last if last.any() else None, 1.0),)
    per_person = 1 / exposure
    if cv is not None:
        return ((cv**2 * per_person + last, 1.0),)
    change = np.diff(logs, axis=0)
    ends = per_person[1:] + per_person[:-1]
    seen = np.isfinite(change) & (ends > 0)
    centre = np.median(change[seen]) if seen.any() else 0.0
    unit = float(np.median((change[seen] - centre) ** 2 / ends[seen])) / _MEDIAN_SQUARE if seen.any() else 0.0
    if unit == 0:
        return ((last if last.any() else None, 1.0),)
    return tuple((share * unit * per_person + last, weight) for share, weight in _PROCESS)


def fit_pooled(
    logs: Array, jumps: NDArray[np.bool_], exposure: Array | None, cv: float | None, last: Array, targets: int,
    ahead: int, prior: Prior, tree: Tree | None = None,
) -> Fitted:  # fmt: skip
    """One group whose first columns are forecast; the window is the prior's memory."""
    rows = slice(max(0, len(logs) - 1 - prior.memory - ahead), None)
    logs, jumps, last = logs[rows], jumps[rows], last[rows]
    here = np.asarray(
        np.isfinite(logs).any(axis=0)
    )  # a neighbour that ended before the window has nothing to say
    here[:targets] = True
    logs, jumps, last = logs[:, here], jumps[:, here], last[:, here]
    variances = process_variances(logs, None if exposure is None else exposure[rows][:, here], cv, last)
    nested = tree.only(here) if tree is not None else Tree()
    return Fitted((Group(logs, jumps, variances, tuple(range(targets)), ahead, prior, nested),))


def fit_columns(
    logs: Array, jumps: NDArray[np.bool_], exposure: Array | None, cv: float | None, last: Array, prior: Prior
) -> Fitted:
    """A group of one for each column, with the columns' growth correlated."""
    groups: list[Group] = []
    for i in range(logs.shape[1]):
        at = slice(i, i + 1)
        own = None if exposure is None else exposure[:, at]
        groups += fit_pooled(logs[:, at], jumps[:, at], own, cv, last[:, at], 1, 0, prior).groups
    growth = np.where(jumps[1:], np.nan, np.diff(logs, axis=0))
    return Fitted(tuple(groups), correlation=shrunk_correlation(growth, prior))


def fit_trends(
    columns: list[pd.Series], model: str, prior: Prior, *, months: bool = False, horizons: int = 30
) -> Fitted:
    """A trend for each column; no correlation is claimed."""
    if months:
        return Fitted(trends=tuple(fit_months(c, model, prior) for c in columns))
    return Fitted(trends=tuple(fit_trend(c, model, horizons) for c in columns))


def shrunk_correlation(growth: Array, prior: Prior) -> Array:
    """Correlation of the columns' growth, shrunk to a constant.

    The sample correlation of columns with n growths in common counts n, the prior's constant correlation counts
    :attr:`Prior.categories_years`.

    Parameters
    ----------
    growth : ndarray, shape (years, columns)
        NaN where missing.

    Examples
    --------
    >>> from actuarial.growth.prior import load_prior
    >>> few = shrunk_correlation(np.array([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]), load_prior())
    >>> bool(load_prior().categories < few[0, 1] < 1)
    True
    """
    size = growth.shape[1]
    out = np.eye(size)
    for i in range(size):
        for j in range(i):
            both = np.isfinite(growth[:, i]) & np.isfinite(growth[:, j])
            x, y = growth[both, i], growth[both, j]
            spread = float(x.std() * y.std()) if both.sum() >= 3 else 0.0
            n, sample = (
                (int(both.sum()), float(np.mean((x - x.mean()) * (y - y.mean())) / spread))
                if spread > 1e-12
                else (0, 0.0)
            )
            out[i, j] = out[j, i] = (n * sample + prior.categories_years * prior.categories) / (
                n + prior.categories_years
            )
    values, vectors = np.linalg.eigh(out)
    if values.min() < 1e-6:  # pairs with different years may not fit together: nearest that does
        out = vectors @ np.diag(np.clip(values, 1e-6, None)) @ vectors.T
        out = out / np.sqrt(np.outer(np.diag(out), np.diag(out)))
    return out
