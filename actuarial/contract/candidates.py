r"""Thousands of band tables at once: bands are linear in layer amounts, so the layers are computed once.

With edges :math:`0=e_0<e_1<\dots<e_K=\infty` the outcome of a path is the sum of :math:`2K` signed layers, :math:`L_k` of its surplus
and :math:`L_{K+k}` of its deficit. A table of shares :math:`c` gives the insurer :math:`c\cdot L` and the fund :math:`(1-c)\cdot L`. Shares
lie in [0, 1], so both are non-decreasing in the outcome; the worst 5% of paths are then the same for every table and both sides. Hence, exactly,

* mean: :math:`c\cdot E[L]`; variance: :math:`c^\top \operatorname{Cov}(L)\,c`;
* mean of the worst 5%: :math:`c\cdot E[L \mid \text{worst }5\%]`;
* probability of a loss: one look-up of the outcome at which :math:`c\cdot L` reaches the costs;
* with a saving of s on every path: the same with the layers of :math:`x+s`.

One product of matrices for all candidates; the paths are not touched again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actuarial.contract.outcomes import Outcomes, tail_count
from actuarial.layers import Piecewise

Array = NDArray[np.float64]

CANDIDATES = 61
"""Spawn key of the sample of tables drawn where there are too many to try all."""
TAIL = 0.05


def layer_curves(edges: Sequence[float]) -> list[Piecewise]:
    """The 2K signed layers as functions of the outcome: K of the surplus, then K of the deficit."""
    bounds = [0.0, *map(float, edges)]
    up = [Piecewise([low, high], [0, 1, 0]) for low, high in itertools.pairwise(bounds)]
    up.append(Piecewise([bounds[-1]], [0, 1]))
    down = [Piecewise([-high, -low], [0, 1, 0]) for low, high in itertools.pairwise(bounds)]
    down.append(Piecewise([-bounds[-1]], [1, 0]))
    return [*up, *down]


@dataclass(frozen=True, eq=False)
class Layers:
    """What is known of the layers of a sample of outcomes.

    Parameters
    ----------
    outcomes : Outcomes
    edges : tuple of float
        Above 0, ascending [yuan].

    Examples
    --------
    >>> layers = Layers(Outcomes([-4.0, 1.0, 6.0]), (2.0,))
    >>> layers.amounts.tolist()   # surplus up to 2, beyond; deficit up to 2, beyond
    [[0.0, 1.0, 2.0], [0.0, 0.0, 4.0], [-2.0, 0.0, 0.0], [-2.0, 0.0, 0.0]]
    """

    outcomes: Outcomes
    edges: tuple[float, ...]

    @property
    def amounts(self) -> Array:
        """The layers of each path, ascending outcomes; shape (2K, n) [yuan]."""
        x = self.outcomes.sorted
        bounds = np.array([0.0, *self.edges])
        widths = np.diff(np.append(bounds, np.inf))
        up = np.clip(x[None, :] - bounds[:, None], 0.0, widths[:, None])
        down = -np.clip(-x[None, :] - bounds[:, None], 0.0, widths[:, None])
        return np.concatenate([up, down]) + 0.0  # no negative zeros

    def means(self, shift: ArrayLike = 0.0) -> Array:
        """Means of the layers for each shift, shape (S, 2K)."""
        return _means(self.outcomes, self.edges, np.atleast_1d(shift))

    def tail_means(self, shift: ArrayLike = 0.0, share: float = TAIL) -> Array:
        """Means of the layers over the worst `share` of paths for each shift, shape (S, 2K)."""
        moved = np.atleast_1d(np.asarray(shift, dtype=np.float64))
        x = self.outcomes.sorted
        whole, part = tail_count(len(x), share)
        at = np.array([c(x[min(whole, len(x) - 1)] + moved) for c in layer_curves(self.edges)]).T
        if whole == 0:
            return at
        below = _means(Outcomes(x[:whole]), self.edges, moved)
        return (whole * below + part * at) / (whole + part)

    def spread(self) -> tuple[Array, Array]:
        """Covariance of the layers, and of their shortfalls below the 5% point over the share; both (2K, 2K)."""
        amounts = self.amounts
        n = amounts.shape[1]
        cov = np.atleast_2d(np.cov(amounts)) if n > 1 else np.full((len(amounts),) * 2, np.nan)
        whole, _ = tail_count(n, TAIL)
        short = (amounts[:, [min(whole, n - 1)]] - amounts[:, :whole]) / TAIL
        first = short.sum(axis=1, keepdims=True) / n
        return cov, short @ short.T / n - first @ first.T


def _means(outcomes: Outcomes, edges: Sequence[float], shift: Array) -> Array:
    return np.array([np.atleast_1d(outcomes.mean(c, shift)) for c in layer_curves(edges)]).T


def share_tables(
    bands: int,
    *,
    step: float,
    low: float = 0.0,
    high: float = 1.0,
    order: str = "rising",
    beyond: float | None = None,
    limit: int = 200_000,
    seed: int = 2012,
) -> Array:
    """Tables of shares in round steps, shape (m, bands), in order.

    Parameters
    ----------
    bands : int
        Number of bands, the open one among them.
    step : float
        Shares are multiples of this (0.05: five points).
    low, high : float
        Least and greatest share.
    order : {"rising", "falling", "free"}
        How shares go with the size of the outcome.
    beyond : float, optional
        The share of the open band, outside the order; without it that band is searched too.
    limit : int
        If there are more tables, so many of them are drawn at random with `seed`.

    Examples
    --------
    >>> share_tables(2, step=0.5).tolist()
    [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0], [0.5, 0.5], [0.5, 1.0], [1.0, 1.0]]
    """
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    levels = np.arange(first, last + 1)
    searched = bands if beyond is None else bands - 1
    free = order == "free"
    count = len(levels) ** searched if free else math.comb(len(levels) + searched - 1, searched)
    if count <= limit:
        each = levels.tolist()
        if free:
            made: list[tuple[int, ...]] = list(itertools.product(each, repeat=searched))
        else:
            made = list(itertools.combinations_with_replacement(each, searched))
        found = np.array(made, dtype=np.float64).reshape(-1, searched)
    else:
        stream = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(CANDIDATES,))))
        found = stream.choice(levels, size=(limit, searched)).astype(np.float64)
        found = np.unique(found if free else np.sort(found, axis=1), axis=0)
    if order == "falling":
        found = found[:, ::-1]
    shares = np.round(found * step, 10)
    if beyond is not None:
        shares = np.column_stack([shares, np.full(len(shares), float(beyond))])
    return shares


def reaching(edges: Sequence[float], shares: Array, level: ArrayLike) -> Array:
    """The least outcome at which each table gives the insurer at least `level`; shape (m,) [yuan].

    Minus infinity where every outcome does, infinity where none does.

    Examples
    --------
    >>> reaching((2.0,), np.array([[0.5, 1.0, 0.5, 0.0]]), [2.0]).tolist()
    [3.0]
    """
    bounds = np.array([0.0, *edges])
    widths = np.diff(bounds)
    k = len(bounds)
    up, down = shares[:, :k], shares[:, k:]
    above = np.cumsum(up[:, :-1] * widths, axis=1)
    below = -np.cumsum(down[:, :-1] * widths, axis=1)
    nodes = np.concatenate([-bounds[:0:-1], bounds])
    values = np.concatenate([below[:, ::-1], np.zeros((len(shares), 1)), above], axis=1)
    slopes = np.concatenate([down[:, ::-1], up], axis=1)  # slope before each node, and after the last
    wanted = np.broadcast_to(np.asarray(level, dtype=np.float64), (len(shares),))
    at = (values >= wanted[:, None]).argmax(axis=1)
    at = np.where((values >= wanted[:, None]).any(axis=1), at, len(nodes))
    row = np.arange(len(shares))
    start = np.clip(at, 1, len(nodes)) - 1
    slope = slopes[row, at]
    base, origin = values[row, start], nodes[start]
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = origin + (wanted - base) / slope
    first = at == 0  # already reached at the lowest node: go on below it
    flat = slope <= 0
    return np.where(flat, np.where(first, -np.inf, np.inf), inside)


def undominated(values: Array) -> NDArray[np.bool_]:
    """Which rows no other row beats: at least as good in every column and better in one. Higher is better.

    Equal rows are all kept.

    Examples
    --------
    >>> undominated(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0]])).tolist()
    [True, True, False]
    """
    order = np.lexsort(values.T[::-1])[::-1]  # a row can be beaten only by one that comes before it
    front = np.empty_like(values)
    count = 0
    out = np.zeros(len(values), dtype=bool)
    for i in order:
        row, found = values[i], front[:count]
        beaten = (found >= row).all(axis=1)
        if beaten.any() and (found[beaten] > row).any():
            continue
        out[i] = True
        front[count] = row
        count += 1
    return out
