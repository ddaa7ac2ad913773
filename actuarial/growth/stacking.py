r"""Stacking: members weighted by how their past forecasts did, shrunk to equal weights.

Members are the hierarchy's kinds of common growth, each a hierarchy of its own, and on long series statsmodels' models.
At every past year each member forecasts the next from what was known then. The mixture
:math:`F=\sum_k w_k F_k` has a continuous ranked probability score that is quadratic in its weights,

.. math:: \mathrm{CRPS}(w)=w^\top Q w,\qquad Q_{kl}=\int (F_k-H)(F_l-H)\,dx,

:math:`H` the step at what came. Averaged over a year's columns and then over the :math:`T` years, and divided by the
members' mean score :math:`s`, the weights minimise

.. math:: \frac1T\sum_t \frac{w^\top Q_t w}{s}+\frac{\kappa}{T}\,\lVert w-\tfrac1K\rVert^2

on the simplex. Years are the trials, because the columns of one year share its shocks. Reference 15 of
``docs/references.md`` for the score, 23 for stacking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from actuarial.errors import InputError
from actuarial.growth.fitted import Cells, Fitted, fit_pooled, fit_trends
from actuarial.growth.predictive import Predictive
from actuarial.growth.prior import Prior
from actuarial.growth.trend import STATSMODELS, past_ends

Array = NDArray[np.float64]
LONG = 12
"""Points from which statsmodels' models are members."""
_FIRST = 8
"""Points of the first past forecast where they are."""
SHRINKAGE = 0.3
"""What equal weights count, in years of forecasts."""
_FAR = 0.02 * np.sinh(np.linspace(0, 5, 76))
_GRID = np.concatenate([-_FAR[::-1], _FAR])
"""Log growth at which distributions are compared, around what came: 0 stands there twice, before and after the step."""
_CAME = np.arange(len(_GRID)) >= len(_FAR)
_WIDTH = (np.diff(_GRID, prepend=_GRID[0]) + np.diff(_GRID, append=_GRID[-1])) / 2
_STEPS = 2000


@dataclass(frozen=True, eq=False)
class Stacked(Fitted):
    """Several fits as one.

    Parameters
    ----------
    members : tuple of (str, Fitted)
    shares : ndarray, shape (members,)
        Weights; they sum to 1.
    origins : int
        Past years whose forecasts the weights rest on.
    """

    members: tuple[tuple[str, Fitted], ...] = ()
    shares: Array | None = None
    origins: int = 0

    @property
    def weights(self) -> Array:
        """The members' weights."""
        assert self.shares is not None
        return self.shares

    def ahead(self, h: int) -> tuple[tuple[Predictive, ...], Array]:
        """Mixtures of the members' distributions by column, and the mean of the correlations that members state."""
        found = [member.ahead(h) for _, member in self.members]
        columns = zip(*(parts for parts, _ in found), strict=True)
        parts = tuple(mixed(self.weights, column) for column in columns)
        stated = np.array([bool(member.groups) for _, member in self.members])
        share = self.weights * stated if (self.weights @ stated) > 0 else self.weights
        return parts, np.asarray(np.tensordot(share / share.sum(), np.array([c for _, c in found]), 1))

    @property
    def furthest(self) -> int:
        """Most years ahead that every member can be asked for."""
        return min(member.furthest for _, member in self.members)

    def only(self, place: int) -> Stacked:
        """The same with one column to forecast."""
        return replace(self, members=tuple((name, member.only(place)) for name, member in self.members))

    def noise(self) -> Array:
        """Standard deviation of one year's noise, by column."""
        return np.asarray(sum(w * m.noise() for w, (_, m) in zip(self.weights, self.members, strict=True)))

    def sensitivity(self) -> Array:
        """Derivative of mean log growth with respect to the last log level, by column (the weights held)."""
        return np.asarray(
            sum(w * m.sensitivity() for w, (_, m) in zip(self.weights, self.members, strict=True))
        )

    def process_share(self) -> float:
        """Share of the process, as the members see it."""
        return float(sum(w * m.process_share() for w, (_, m) in zip(self.weights, self.members, strict=True)))

    def weight_table(self, prior: Prior) -> pd.DataFrame:
        """Weights of the members, and the equal weights that they were shrunk to."""
        names = [name for name, _ in self.members]
        return pd.DataFrame(
            {"part": "member", "kind": names, "weight": self.weights, "prior_weight": 1 / len(names)}
        )


def mixed(weights: Array, parts: Sequence[Predictive]) -> Predictive:
    """One distribution of several, each with its weight; bounds are the widest of them."""
    weight = np.concatenate([w * p.weight for w, p in zip(weights, parts, strict=True)])
    location, scale, dof = (
        np.concatenate([getattr(p, name) for p in parts]) for name in ("location", "scale", "dof")
    )
    low, high = min(p.low for p in parts), max(p.high for p in parts)
    return Predictive.of(weight, location, scale, dof, low, high)


def products(cdfs: Array) -> Array:
    """``Q`` of the members, averaged over columns.

    Parameters
    ----------
    cdfs : ndarray, shape (members, columns, points)
        Distribution functions on the grid around what came.

    Returns
    -------
    ndarray, shape (members, members)
    """
    away = cdfs - _CAME
    return np.asarray(np.einsum("kcg,lcg,g->kl", away, away, _WIDTH, optimize=True) / cdfs.shape[1])


def stack_weights(scores: Array, shrinkage: float = SHRINKAGE) -> Array:
    """Weights from the members' past scores.

    Parameters
    ----------
    scores : ndarray, shape (years, members, members)
        ``Q`` of each past year; its diagonal is the members' own CRPS.
    shrinkage : float
        What equal weights count, in years.

    Returns
    -------
    ndarray, shape (members,)

    Examples
    --------
    >>> good_and_bad = np.array([[[1.0, 1.0], [1.0, 3.0]]] * 9)
    >>> stack_weights(good_and_bad, 0.0).round(6).tolist(), stack_weights(good_and_bad[:0]).tolist()
    ([1.0, 0.0], [0.5, 0.5])
    >>> bool(0.5 < stack_weights(good_and_bad, 9.0)[0] < 1)
    True
    """
    years, members = scores.shape[0], scores.shape[1]
    equal = np.full(members, 1 / members)
    if years == 0:
        return equal
    mean = scores.mean(axis=0)
    mean = mean / max(float(np.trace(mean)) / members, 1e-300)
    pull = shrinkage / years
    curvature = mean + pull * np.eye(members)
    step, w = 1 / float(np.linalg.eigvalsh(curvature)[-1]), equal
    for _ in range(_STEPS):  # projected gradient: a convex problem of a few numbers
        new = _on_simplex(w - step * (curvature @ w - pull * equal))
        if np.abs(new - w).max() < 1e-10:
            break
        w = new
    return w


def _on_simplex(v: Array) -> Array:
    """Nearest weights that are not negative and sum to 1."""
    down = np.sort(v)[::-1]
    excess = (np.cumsum(down) - 1) / np.arange(1, len(v) + 1)
    kept = int(np.flatnonzero(down > excess)[-1])
    return np.maximum(v - excess[kept], 0.0)


def fit_stacked(cells: Cells, levels: pd.DataFrame, prior: Prior) -> Stacked:
    """Members on the whole history, weighted by their forecasts of its years.

    Parameters
    ----------
    cells : Cells
    levels : DataFrame
        Of the columns that are forecast.
    prior : Prior
    """
    kinds = {kind.name: replace(prior, common=(kind,)) for kind in prior.common}
    trends = _long_models(cells, levels, prior)
    own = bool(trends)
    rows = len(cells.logs) - cells.ahead
    first = min(next(iter(trends.values()))) if own else max(2, rows - prior.memory)
    scores = []
    for row in range(first, rows):
        scored = cells.scored(row, own=own)
        if not len(scored):
            continue
        past = cells.until(row, scored)
        came = cells.logs[row, scored] - cells.logs[row - 1, scored]
        found = [past.fit(kind) for kind in kinds.values()]
        found += [Fitted(trends=tuple(fits[row].trends[i] for i in scored)) for fits in trends.values()]
        scores.append(products(_cdfs(found, came)))
    members = [(name, cells.fit(kind)) for name, kind in kinds.items()]
    members += [(name, fits[rows]) for name, fits in trends.items()]
    weights = stack_weights(np.array(scores).reshape(-1, len(members), len(members)))
    return Stacked(members=tuple(members), shares=weights, origins=len(scores))


def _cdfs(fits: list[Fitted], came: Array) -> Array:
    """Distribution functions of next year's growth on the grid around what came, (members, columns, points)."""
    return np.array(
        [[part.cdf(x + _GRID) for part, x in zip(fit.next_year[0], came, strict=True)] for fit in fits]
    )


def _long_models(cells: Cells, levels: pd.DataFrame, prior: Prior) -> dict[str, dict[int, Fitted]]:
    """Statsmodels' models by number of years known, where every column is long and whole.

    They are no members where exposures are stated (they would carry the noise of few people, which is not handed on),
    nor one that does not converge in one of the years.
    """
    start = len(cells.logs) - cells.ahead - len(levels)
    whole = levels.notna().to_numpy().all() and not cells.jumps[:, : cells.targets].any()
    if len(levels) < LONG or not whole or cells.exposure is not None or cells.last.any():
        return {}
    found: dict[str, dict[int, Fitted]] = {}
    first = max(_FIRST, len(levels) - prior.memory)
    for name in STATSMODELS:
        try:
            found[name] = {
                start + points: fit_trends([levels[c].iloc[:points] for c in levels], name, prior)
                for points in range(first, len(levels) + 1)
            }
        except InputError:
            continue
    return found


def stack_months(months: Sequence[pd.Series], prior: Prior) -> Stacked:
    """Statsmodels' models of months and the hierarchy of the years' totals, weighted by forecasts every six months.

    The past distributions of statsmodels' models have the spread that their errors give in the end.
    """
    members = [(name, fit_trends(list(months), name, prior, months=True)) for name in STATSMODELS]
    ends = past_ends(len(months[0]))
    scores = []
    for place, end in enumerate(ends):
        cdfs = [
            [stdtr(t.dof, (_GRID + t.errors[place]) / t.scale[0]) for t in fit.trends] for _, fit in members
        ]
        came = [float(np.log(m.iloc[end : end + 12].sum() / m.iloc[end - 12 : end].sum())) for m in months]
        cdfs.append(list(_cdfs([totals_fit([m.iloc[:end] for m in months], prior)], np.array(came))[0]))
        scores.append(products(np.array(cdfs)))
    members.append(("totals", totals_fit(list(months), prior)))
    kept = [q for q in scores if np.isfinite(q).all()]
    weights = stack_weights(np.array(kept).reshape(-1, len(members), len(members)))
    return Stacked(members=tuple(members), shares=weights, origins=len(kept))


def totals_fit(months: Sequence[pd.Series], prior: Prior) -> Fitted:
    """The hierarchy over the columns' totals of twelve months, counted back from the last."""
    logs = np.column_stack(
        [np.log(m.to_numpy(dtype=np.float64)[len(m) % 12 :].reshape(-1, 12).sum(axis=1)) for m in months]
    )
    return fit_pooled(
        logs, np.zeros(logs.shape, dtype=bool), None, None, np.zeros(logs.shape), logs.shape[1], 0, prior
    )
