r"""The premium target beside a contract whose own target moves with the amount per head.

At the year's end the fund keeps :math:`a+bp-I(T(p)-C,\,T(p))`: what the insurer earns is paid, what it loses comes in. With
:math:`T(p)=T_0+\tau(p-p_0)N` an amount that rises can make a safe path unsafe: a band shares more than the income gains, or a gate opens.
The balance is linear in :math:`p` between the breakpoints where the outcome :math:`T(p)-C` passes an edge of the bands (edges are
amounts or shares of the target, so each is passed at one :math:`p`). On every path all stretches are looked at and those below 0 kept;
the answer is the smallest amount beyond which never more than :math:`\lfloor\alpha n\rfloor` paths are short:

.. math:: \inf\{p : \#\{i : g_i(q)<0\}\le\lfloor\alpha n\rfloor\ \text{for all } q\ge p\}.

Where each path is short below one amount and safe above it, that is the order statistic of these amounts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from actuarial.contract import Contract
from actuarial.errors import Fault, InputError
from actuarial.fund.needs import CRITERIA, carried_of, slope_of
from actuarial.fund.target import allowed, order_statistic, required_amount, round_up
from actuarial.results import COLOURS, Result, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.fund import Simulation

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stretches:
    """Where paths are short: open stretches of the amount, disjoint on each path.

    Parameters
    ----------
    path : ndarray of int, shape (k,)
    low, high : ndarray, shape (k,)
        May be infinite.
    paths : int
    """

    path: NDArray[np.int64]
    low: Array
    high: Array
    paths: int

    def beyond(self, most: int) -> float:
        """Smallest amount beyond which never more than `most` paths are short; infinite either way where there is none."""
        short = int(np.isposinf(self.high).sum())
        if short > most:
            return np.inf
        ends, starts = self.high[np.isfinite(self.high)], self.low[np.isfinite(self.low)]
        at = np.concatenate([ends, starts])
        step = np.concatenate([np.ones(len(ends)), -np.ones(len(starts))])
        order = np.argsort(-at, kind="stable")
        at, count = at[order], short + np.cumsum(step[order])
        last = np.append(at[1:] != at[:-1], True)  # all that happens at one amount, together
        over = np.flatnonzero(last & (count > most))
        return float(at[over[0]]) if len(over) else -np.inf

    def probability(self, amount: float) -> float:
        """Share of paths that are short at an amount."""
        return float(((self.low < amount) & (amount < self.high)).sum() / self.paths)

    @property
    def returning(self) -> float:
        """Share of paths that are short again above an amount at which they are safe."""
        joined = np.bincount(self.path, minlength=self.paths)
        return float((joined > 1).mean() + ((joined == 1) & self._alone_above()).mean())

    def _alone_above(self) -> NDArray[np.bool_]:
        """Paths whose one stretch does not begin at the bottom."""
        above = np.zeros(self.paths, dtype=bool)
        above[self.path[np.isfinite(self.low)]] = True
        return above


def short_stretches(balance: Callable[[Array], Array], breakpoints: Array) -> Stretches:
    """All stretches of the amount on which a path's balance is below 0.

    Parameters
    ----------
    balance : callable
        Takes amounts, shape (n,), one a path; gives balances. Linear between a path's breakpoints; may jump at them.
    breakpoints : ndarray, shape (n, k)
        In any order; infinite ones do not count.

    Examples
    --------
    >>> found = short_stretches(lambda p: np.where(p < 3, p - 1, p - 5), np.array([[3.0]]))
    >>> found.low.tolist(), found.high.tolist(), found.beyond(0)
    ([-inf, 3.0], [1.0, 5.0], 5.0)
    """
    edges = np.sort(np.where(np.isfinite(breakpoints), breakpoints, np.inf), axis=1)
    n = len(edges)
    edges = np.column_stack([np.full(n, -np.inf), edges, np.full(n, np.inf)])
    parts: list[tuple[NDArray[np.int64], Array, Array]] = []
    for low, high in zip(edges.T[:-1], edges.T[1:], strict=True):
        wide = high > low
        left, right = _inside(low, high)
        at, other = balance(np.where(wide, left, 0.0)), balance(np.where(wide, right, 1.0))
        slope = (other - at) / np.where(wide, right - left, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.where(slope != 0, left - at / slope, np.nan)
        first = np.where(slope < 0, np.maximum(root, low), low)  # falling: short above the root
        last = np.where(slope > 0, np.minimum(root, high), high)
        short = wide & np.where(slope == 0, at < 0, first < last)
        i = np.flatnonzero(short)
        parts.append((i, first[i], last[i]))
    path, first, last = zip(*parts, strict=True)
    return _joined(np.concatenate(path), np.concatenate(first), np.concatenate(last), n)


def _inside(low: Array, high: Array) -> tuple[Array, Array]:
    """Two places within each stretch."""
    with np.errstate(invalid="ignore"):
        third = (high - low) / 3
        step = np.where(np.isfinite(third), third, 1.0 + 0.01 * np.abs(np.where(np.isfinite(low), low, high)))
    step = np.where(np.isfinite(step), step, 1.0)
    left = np.where(np.isfinite(low), low + step, np.where(np.isfinite(high), high - 2 * step, 0.0))
    return left, left + step


def _joined(path: NDArray[np.int64], low: Array, high: Array, paths: int) -> Stretches:
    """Stretches that touch, made one."""
    order = np.lexsort((low, path))
    path, low, high = path[order], low[order], high[order]
    near = 1e-12 * np.maximum(np.abs(np.where(np.isfinite(low), low, 0.0)), 1.0)
    new = np.ones(len(path), dtype=bool)
    new[1:] = (path[1:] != path[:-1]) | (low[1:] > high[:-1] + near[1:])
    start = np.flatnonzero(new)
    end = np.append(start[1:], len(path)) - 1 if len(path) else start
    return Stretches(path[start], low[start], high[end], paths)


@dataclass(frozen=True, eq=False)
class MovingTarget(Result):
    """The amount per head beside a contract whose target moves with it.

    Parameters
    ----------
    value : float
        [yuan/person/year]
    interval : (float, float)
        95% simulation interval: the same question for the binomial range of the number of short paths.
    alpha : float
    criterion : str
    moves : float
        Yuan of the contract's target per yuan of the amount.
    returning : float
        Share of paths that are short again above an amount at which they are safe; 0 where the path could be inverted.
    without : float
        The target without the contract.
    stretches : Stretches
    """

    value: float
    interval: tuple[float, float]
    alpha: float
    criterion: str
    moves: float
    returning: float
    without: float
    stretches: Stretches

    def rounded(self, step: float = 10.0) -> float:
        """Rounded up to a multiple of `step` yuan."""
        return round_up(self.value, step)

    @property
    def table(self) -> pd.DataFrame:
        """Probability of a deficit around the answer, in steps of 5 yuan."""
        centre = round_up(self.value, 5) if np.isfinite(self.value) else round_up(self.without, 5)
        at = (centre if np.isfinite(centre) else 0.0) + 5.0 * np.arange(-8, 9)
        found = [self.stretches.probability(float(p)) for p in at]
        return pd.DataFrame({"premium": at, "deficit_probability": found})

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Probability of a deficit against the amount per head."""
        table = self.table
        with figure_style():
            ax = ax or new_axes()
            ax.plot(
                table["premium"], 100 * table["deficit_probability"], color=COLOURS["main"], linewidth=2.2
            )
            ax.axhline(100 * self.alpha, color=COLOURS["accent"], linestyle="--", linewidth=1)
            ax.plot([self.value], [100 * self.alpha], marker="o", color=COLOURS["accent"])
            ax.set_xlabel(text("chart.premium", lang))
            ax.set_ylabel(text("chart.deficit_probability", lang))
        return ax


def moving_target(
    sim: Simulation, contract: Contract, *, per_capita: float, moves: float, alpha: float | None = None,
    criterion: str | None = None,
) -> MovingTarget:  # fmt: skip
    """The smallest amount beyond which the criterion always holds, the contract's result paid at the year's end.

    Parameters
    ----------
    sim : Simulation
        Paths without weights.
    contract : Contract
    per_capita : float
        The contract's target at the present standard [yuan/person/year].
    moves : float
        By how many yuan the contract's target rises with one yuan of the amount; not negative.
    alpha, criterion
        The plan's unless given; one of the three criteria of a deficit.

    Raises
    ------
    InputError
        For another criterion, an alpha outside (0, 1), a negative `moves`, paths with weights, or bands that are not the same at
        every target.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.forecast import plan_cost
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> sim = act.Fund(plan).simulate(plan_cost(plan), paths=2000)
    >>> deal = act.load_contract("china/jiande/contract/cooperation@2012-01-01")
    >>> found = moving_target(sim, deal, per_capita=366.0, moves=1.0, criterion="closing")
    >>> found.returning, bool(found.value < found.without)   # in the tail the insurer shares the loss
    (0.0, True)
    """
    spec = sim.fund.plan.model.criterion
    use, level = criterion or spec.use, spec.accepted_probability if alpha is None else float(alpha)
    _check(sim, use, level, moves)
    s, claims = sim.setting, sim.claims.sum(axis=1)
    a, b = sim.arrays.at_zero, np.broadcast_to(slope_of(s, sim.arrays), sim.arrays.at_zero.shape)
    end, rise = a[:, -1], b[:, -1]
    if use == "current_year":
        end = end - carried_of(s, sim.arrays)
    before = required_amount(a[:, :-1], b[:, :-1]) if use == "any_month" else np.full(len(a), -np.inf)
    bands = Bands.of(contract, per_capita * s.heads)
    start = (per_capita - moves * sim.standard) * s.heads  # of the target at an amount of 0
    gain = moves * s.heads

    def balance(p: Array) -> Array:
        target = start + gain * p
        return np.asarray(end + rise * p - bands.insurer(target - claims, target))

    found = short_stretches(balance, bands.passed(start, gain, claims))
    found = _short_before(found, before)
    n = sim.paths
    few = stats.binom.ppf([0.025, 0.975], n, 1 - level).astype(int)
    ends = (found.beyond(n - int(few[0])), found.beyond(n - int(few[1]) - 1) if few[1] < n else np.inf)
    without = order_statistic(np.sort(sim.needs[use]), level)
    return MovingTarget(
        found.beyond(allowed(level, n)), ends, level, use, moves, found.returning, without, found,
        sources=(*sim.sources, *contract.sources),
    )  # fmt: skip


def _check(sim: Simulation, use: str, level: float, moves: float) -> None:
    if use not in CRITERIA:
        raise InputError([Fault("fund.criterion", params={"value": use, "known": "、".join(CRITERIA)})])
    if not 0 < level < 1:
        raise InputError([Fault("fund.alpha", params={"value": level})])
    if not (0 <= moves < np.inf):
        raise InputError([Fault("fund.number", params={"name": "moves", "value": moves, "least": 0})])
    if sim.arrays.weight is not None:
        raise InputError([Fault("trouble.weighted")])
    if sim.setting.income is not None and sim.setting.income.bends:
        raise InputError([Fault("income.balance_criterion", params={"value": "moving_target"})])


def _short_before(found: Stretches, before: Array) -> Stretches:
    """The same, and short below what earlier months need."""
    low = np.maximum(found.low, before[found.path])
    kept = low < found.high
    whole = np.flatnonzero(before > -np.inf)
    return _joined(
        np.concatenate([found.path[kept], whole]),
        np.concatenate([low[kept], np.full(len(whole), -np.inf)]),
        np.concatenate([found.high[kept], before[whole]]),
        found.paths,
    )


@dataclass(frozen=True, eq=False)
class Bands:
    """The insurer's result over outcome and target: edges and jumps are an amount plus a share of the target.

    Parameters
    ----------
    edges, jumps : ndarray, shape (2, k)
        Amount, and share of the target.
    slopes : ndarray, shape (k + 1,)
    """

    edges: Array
    jumps: Array
    slopes: Array

    @classmethod
    def of(cls, contract: Contract, target: float) -> Bands:
        """From the contract at three targets, of which the third has to agree."""
        curves = [contract.bands(target * f) for f in (1.0, 2.0, 1.5)]
        if len({(len(c.edges), c.slopes) for c in curves}) > 1:
            raise InputError([Fault("fund.moving_bands", file=contract.law.file)])

        def parts(values: list[tuple[float, ...]]) -> Array:
            one, two, middle = (np.asarray(v, dtype=np.float64) for v in values)
            share = (two - one) / target
            if not np.allclose(one + share * target / 2, middle, rtol=1e-9, atol=0.02):
                raise InputError([Fault("fund.moving_bands", file=contract.law.file)])
            return np.stack([one - share * target, share])

        edges = parts([tuple(c.edges) for c in curves])
        jumps = parts([tuple(c.jumps) or (0.0,) * len(c.edges) for c in curves])
        return cls(edges, jumps, np.asarray(curves[0].slopes, dtype=np.float64))

    def insurer(self, outcome: Array, target: Array) -> Array:
        """What the insurer earns [yuan]; nothing at an outcome of 0."""
        value = self.slopes[0] * outcome
        for (amount, share), (jump, part), step in zip(
            self.edges.T, self.jumps.T, np.diff(self.slopes), strict=True
        ):
            edge = amount + share * target
            value = value + step * (np.maximum(outcome - edge, 0) - np.maximum(-edge, 0))
            value = value + (jump + part * target) * ((outcome > edge) * 1.0 - (edge < 0))
        return np.asarray(value)

    def passed(self, start: float, gain: float, claims: Array) -> Array:
        """Amounts at which the outcome of each path passes each edge, shape (n, k + 1); infinite where it never does."""
        columns = []
        for amount, share in self.edges.T:
            speed = gain * (1 - share)
            at = amount + claims - (1 - share) * start
            columns.append(at / speed if speed != 0 else np.full_like(claims, np.inf))
        return np.stack(columns, axis=1) if columns else np.empty((len(claims), 0))


__all__ = ["MovingTarget", "Stretches", "moving_target", "short_stretches"]
