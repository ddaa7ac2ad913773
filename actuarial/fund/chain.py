"""One year after another on the same paths: what a year leaves to the next, and the next year's claims and balances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actuarial.fund.chunks import each_chunk
from actuarial.fund.kernel import roll
from actuarial.fund.paths import ENROLMENT, PLAIN, PathArrays, Setting, claims_of, normals
from actuarial.fund.risk import Risk
from actuarial.fund.switches import still
from actuarial.fund.years import Deviations, LaterGrowth
from actuarial.plan.risks import ProjectionSpec
from actuarial.severity import log_sd

Array = NDArray[np.float64]


@dataclass(eq=False)
class State:
    """Where the paths stand at the end of a year."""

    closing: Array  # (n,)
    heads: Array  # (n,)
    per_capita: Array  # (n, C)
    growth: list[Deviations]  # by chunk
    due: Array  # (n, 24)
    ruined: NDArray[np.bool_]  # (n,)
    foreseen: Array  # (n,) cost per head of the year that the year before lets expect
    late: Array  # (n,) yuan of the year before that come in the first month


def after_planned(later: LaterGrowth, s: Setting, arrays: PathArrays, seed: int, threads: int) -> State:
    """The state after the planned year, its systemic normals drawn again."""
    paths, categories = len(arrays.heads), len(s.counts)
    due = np.zeros((paths, 24))
    state = State(
        np.empty(paths), arrays.heads, np.empty((paths, categories)), [], due, np.zeros(paths, dtype=bool),
        np.zeros(paths), np.zeros(paths),
    )  # fmt: skip
    found: dict[int, Deviations] = {}

    def work(number: int, low: int, high: int) -> None:
        z, _ = PLAIN.draw(s, seed, number, high - low)
        if s.without:
            z[:, still(s.without, s.cost.dimension, s.columns)] = 0.0
        per_capita = s.cost.per_capita(z[:, : s.cost.dimension])
        if s.risk is not None:
            owed = s.risk.opening(arrays.base_total[low:high], s.cost.base.experience.paid, len(s.stub))
            if s.risk.lag is not None:
                heads = arrays.heads[low:high]
                state.due[low:high] = s.risk.year(s, seed, number, heads, per_capita, z, owed).due
            per_capita = s.risk.in_force(s, z, per_capita)
        state.per_capita[low:high] = per_capita
        found[number] = later.start(z)

    each_chunk(paths, threads, work)
    state.growth = [found[n] for n in sorted(found)]
    return state


def next_year(
    later: LaterGrowth, s: Setting, state: State, spec: ProjectionSpec, year: int, seed: int, threads: int
) -> tuple[Setting, PathArrays]:  # fmt: skip
    """Setting and paths of a later year; the state's cost, heads and liabilities move on to it."""
    grown = later.index[year - 1] / later.index[year - 2]
    if s.risk is not None:
        grown *= s.risk.full_year(s)  # a policy that came within the planned year
    more = 1 + spec.insured_growth
    risk: Risk | None = s.risk.later(grown * more) if s.risk is not None else None
    s = replace(
        s, year=s.year + 1, heads=s.heads * more, premium_per_head=s.premium_per_head * grown, late_income=0.0,
        unpaid=0.0, stub=np.zeros(1), stub_income=np.zeros(1), kept=None, risk=risk,
    )  # fmt: skip
    paths = len(state.heads)
    arrays = PathArrays.empty(paths, 1)
    arrays.stub_balance[:, 0] = state.closing
    heads, usual = np.empty(paths), later.usual(year)
    found: dict[int, Deviations] = {}

    def work(number: int, low: int, high: int) -> None:
        rows = high - low
        z = later.draw(seed, s.year, number, rows, fund=s.fund)
        if "growth" in s.without:
            z[:] = 0.0
        found[number], growth = later.step(state.growth[number], z, year)
        state.foreseen[low:high] = state.per_capita[low:high] @ usual
        per_capita = state.per_capita[low:high] * growth
        mine = state.heads[low:high] * more
        if s.heads_sd > 0 and "enrolment" not in s.without:
            z_heads = normals(seed, ENROLMENT, [0], s.year, number, rows, fund=s.fund)[:, 0]
            mine = mine * np.exp(log_sd(1.0, s.heads_sd) * z_heads)
        if s.risk is None:
            claims = claims_of(s, seed, number, mine, per_capita)
        else:
            owed = state.due[low:high].copy()
            drawn = _risk_normals(s, seed, number, rows)
            done = s.risk.year(s, seed, number, mine, per_capita, drawn, owed)
            claims, state.due[low:high] = done.paid, done.due
        arrays.at_zero[low:high] = _rolled(s, state.closing[low:high], state.late[low:high], claims, mine)
        arrays.claims[low:high], heads[low:high] = claims, mine
        state.per_capita[low:high] = per_capita

    each_chunk(paths, threads, work)
    state.growth, state.heads = [found[n] for n in sorted(found)], heads
    arrays.heads = heads
    growth = 1 + s.interest
    arrays.carried = state.closing * growth**12 + state.late * growth**11
    return s, arrays


def _rolled(s: Setting, opening: Array, late: Array, claims: Array, heads: Array) -> Array:
    """Balances at an amount of 0 where `late` comes in the first month, one a path."""
    level = roll(opening, claims, heads, s.premium_per_head, s.interest, 0.0)
    return level + np.outer((1 + s.interest) ** np.arange(12), late).T if late.any() else level


def _risk_normals(s: Setting, seed: int, number: int, rows: int) -> Array:
    """The systemic matrix of a later year: only what a plan adds is drawn anew."""
    assert s.risk is not None
    z = np.zeros((rows, len(s.columns)))
    for place, (component, column) in enumerate(s.columns):
        if (component, column) in s.risk.columns:
            z[:, place] = normals(seed, component, [column], s.year, number, rows, fund=s.fund)[:, 0]
    return z


def foreseen_arrays(s: Setting, arrays: PathArrays, state: State) -> PathArrays:
    """The year as the year before lets expect it: claims at the median growth, without their randomness."""
    claims = (arrays.heads * state.foreseen)[:, None] * s.shares
    at_zero = _rolled(s, state.closing, state.late, claims, arrays.heads)
    return replace(arrays, claims=claims, at_zero=at_zero)
