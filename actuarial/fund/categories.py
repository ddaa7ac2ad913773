r"""The months to come by category, given what each category showed in the months seen.

The year as a whole is what :func:`~actuarial.fund.observed.condition` makes of it. Categories split what is to come: each has its
own cost on the path, moved by Matheron's rule given the categories' months, all with one share of the year; then on every path the
parts are scaled to the whole, so that they sum. A category whose part of the months seen lies in a tail of less than
:data:`CONFLICT` of what the paths expected goes on as it began: a wrong prior is worse than none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actuarial.fund.observed import Update, season
from actuarial.fund.paths import CHUNK, PLAIN
from actuarial.fund.simulation import Simulation
from actuarial.fund.switches import still

CONFLICT = 0.01
"""Two-sided tail probability of what was seen under which the simulation is set aside."""
_PARTS = 8
"""First part of the spawn key of the categories' own randomness of claims."""


def category_paths(sim: Simulation) -> NDArray[np.float64]:
    """Systemic cost of the planned year by category on each path, shape (n, C) [yuan].

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.forecast import plan_cost
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> sim = act.Fund(plan).simulate(plan_cost(plan), paths=500)
    >>> bool(np.allclose(category_paths(sim).sum(axis=1), sim.arrays.heads * sim.arrays.cost_per_capita))
    True
    """
    s, parts = sim.setting, []
    for number, low in enumerate(range(0, sim.paths, CHUNK)):
        z, _ = PLAIN.draw(s, sim.seed, number, min(CHUNK, sim.paths - low))
        if s.without:
            z = z.copy()
            z[:, still(s.without, s.cost.dimension, s.columns)] = 0.0
        each = s.cost.per_capita(z[:, : s.cost.dimension])
        parts.append(each if s.risk is None else each * s.risk.annual(s, z))
    return np.concatenate(parts) * sim.arrays.heads[:, None]


def rest_by_category(
    sim: Simulation, seen: NDArray[np.float64], months: int, rest: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Claims of the months to come by category, shape (n, C) [yuan].

    Parameters
    ----------
    sim : Simulation
        Of the whole year, nothing seen.
    seen : ndarray, shape (C,)
        Claims of the months seen by category [yuan]; NaN where a category was not reported.
    months : int
        Months seen, 1 to 11.
    rest : ndarray, shape (n,)
        Claims of the months to come on each path, to which the parts are scaled [yuan].
    """
    s, n, known = sim.setting, sim.paths, np.nan_to_num(seen)
    share, usual = season(s, months, sim.seed, n), float(s.shares[:months].sum())
    cost = np.maximum(category_paths(sim), 1e-9)
    before, after = (_noise(sim, part, k) for k, part in enumerate((usual, 1 - usual)))
    told = np.flatnonzero((known > 0) & (s.cost.base.category_per_capita > 0))
    shown = np.log(cost * share[:, None]) + before
    own = [c for c in told if not _contradicts(shown, known, told, int(c))]
    state = np.vstack([np.log(cost).T, np.log(share / (1 - share))])
    update = Update(shown[:, own].T, state)
    move = update.moves(np.log(known[own])) if own else np.zeros_like(state)
    left = update.left(move[-1])
    parts = np.exp(state[:-1] + move[:-1]).T * left[:, None] * np.exp(after)
    went_on = [c for c in range(len(known)) if c not in own and not np.isnan(seen[c])]
    parts[:, went_on] = known[went_on] * (left / (1 - left))[:, None] * np.exp(after[:, went_on])
    whole = parts.sum(axis=1, keepdims=True)
    return np.divide(parts, whole, out=np.zeros_like(parts), where=whole > 0) * rest[:, None]


def _contradicts(
    shown: NDArray[np.float64], known: NDArray[np.float64], told: NDArray[np.int64], category: int
) -> bool:
    """Whether a category's part of what was seen lies in a tail of what the paths expected."""
    expected = shown[:, category] - np.log(np.exp(shown[:, told]).sum(axis=1))
    below = float((expected <= np.log(known[category] / known[told].sum())).mean())
    return len(told) > 1 and 2 * min(below, 1 - below) < CONFLICT


def _noise(sim: Simulation, part: float, which: int) -> NDArray[np.float64]:
    """Logarithm of what single claims add to each category's part of a year, shape (n, C)."""
    s = sim.setting
    visits = s.counts * s.heads * max(part, 1e-9)
    sd = np.sqrt(np.divide(s.spread[0], visits, out=np.zeros_like(visits), where=visits > 0))
    if "process" in s.without:
        sd = np.zeros_like(sd)
    key = (_PARTS, s.fund, which, s.year)
    z = np.random.Generator(np.random.SFC64(np.random.SeedSequence(sim.seed, spawn_key=key))).standard_normal(
        (sim.paths, len(sd))
    )
    sd = np.sqrt(np.log1p(sd**2))
    return z * sd - sd**2 / 2
