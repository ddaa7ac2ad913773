"""Paths by chunks, keeping only what is asked for: ten million paths in a few hundred megabytes.

A chunk is simulated into a room of its own, read, and written over by the next one of its thread. What is kept is one
number a path and question, so quantiles stay exact. The fan of the balance is counted in bins, whose width bounds its error.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.fund.kernel import prepare
from actuarial.fund.needs import (
    CRITERIA,
    MONTHS,
    Rise,
    balances_of,
    closing_of,
    need_of,
    opening_of,
    slope_of,
    spending_of,
    stress_of,
    to_end,
)
from actuarial.fund.paths import CHUNK, PLAIN, PathArrays, Sampler, Setting, simulate_chunk

Progress = Callable[[int, int], None]
Reader = Callable[[Setting, PathArrays], NDArray[np.float64]]
BINS = 65_536


@dataclass(frozen=True)
class Question:
    """One number to keep of each path: its name, and how it is read from a chunk.

    Parameters
    ----------
    name : str
    read : callable
        Takes the setting and a chunk's arrays; gives shape (rows,).
    """

    name: str
    read: Reader


def need(
    criterion: str, *, months: float = 0.0, rise: Rise | None = None, name: str | None = None
) -> Question:
    """The amount per head under a criterion; see :func:`actuarial.fund.needs.need_of`.

    Raises
    ------
    InputError
        For an unknown criterion.
    """
    if criterion not in (*CRITERIA, MONTHS):
        known = "、".join((*CRITERIA, MONTHS))
        raise InputError([Fault("fund.criterion", params={"value": criterion, "known": known})])
    return Question(name or criterion, lambda s, x: need_of(s, x, criterion, months=months, rise=rise))


def stress(premium: float, criterion: str) -> Question:
    """The multiple of claims that breaks a path; see :func:`actuarial.fund.needs.stress_of`."""
    return Question("stress", lambda s, x: stress_of(s, x, premium, criterion))


def _excess(s: Setting, x: PathArrays) -> NDArray[np.float64]:
    """Claims above their mean given the systemic cost, with interest to the year's end; its mean is 0 [yuan]."""
    weights = to_end(s)
    if x.noise is not None:
        lag = s.risk.lag if s.risk is not None else None
        return x.noise @ (weights if lag is None else lag.within(1 + s.interest))
    expected = (x.heads * x.cost_per_capita)[:, None] * s.shares
    return (x.claims - expected) @ weights


def closing_at(premium: float) -> Question:
    """The closing balance at an amount per head [yuan]."""
    return Question("closing_balance", lambda s, x: closing_of(s, x, premium))


AT_ZERO = Question("at_zero", lambda s, x: x.at_zero[:, -1])
"""Closing balance at an amount of 0 [yuan]."""
SLOPE = Question("slope", lambda s, x: np.broadcast_to(slope_of(s, x)[..., -1], x.heads.shape))
"""Closing balance per yuan of the amount."""
SPENDING = Question("spending", spending_of)
"""Spending of the planned year [yuan]."""
OPENING = Question("opening", opening_of)
"""Balance at the start of the planned year [yuan]."""
EXCESS = Question("excess", _excess)
"""Claims above their systemic mean, to the year's end [yuan]."""
CLAIMS_PER_HEAD = Question("claims_per_head", lambda s, x: x.claims.sum(axis=1) / x.heads)
"""Claims of the planned year per insured [yuan/person/year]."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was kept of the paths.

    Parameters
    ----------
    values : dict of ndarray, shape (n,)
        By question.
    weight : ndarray, shape (n,), or None
        Nominal density over that of the design.
    block : int
        Paths in a block that is independent of the others; 1 for plain paths.
    method : str
        ``plain``, ``importance`` or ``sobol``.
    paths, seed : int
    """

    values: Mapping[str, NDArray[np.float64]]
    weight: NDArray[np.float64] | None
    block: int
    method: str
    paths: int
    seed: int

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.values[name]


def part_of(progress: Progress | None, number: int, count: int) -> Progress | None:
    """Progress of the job `number` (from 0) of `count` equal ones, told as progress of all."""
    if progress is None:
        return None
    return lambda done, paths: progress(number * paths + done, count * paths)


def each_chunk(
    paths: int,
    threads: int,
    work: Callable[[int, int, int], None],
    progress: Progress | None = None,
) -> None:
    """Call ``work(number, low, high)`` for every chunk, in any order; an error or interruption stops the rest."""
    prepare(paths)
    chunks = [(i, lo, min(lo + CHUNK, paths)) for i, lo in enumerate(range(0, paths, CHUNK))]
    done, lock, stop = [0], threading.Lock(), threading.Event()

    def one(job: tuple[int, int, int]) -> None:
        if stop.is_set():
            return
        work(*job)
        with lock:
            done[0] += job[2] - job[1]
            if progress is not None:
                progress(done[0], paths)

    if threads == 1:
        for job in chunks:
            one(job)
        return
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(one, job) for job in chunks]
        try:
            for future in futures:
                future.result()
        except BaseException:
            stop.set()
            raise


def collect(
    s: Setting,
    questions: list[Question],
    *,
    paths: int,
    seed: int,
    threads: int = 1,
    sampler: Sampler = PLAIN,
    block: int = 1,
    method: str = "plain",
    progress: Progress | None = None,
    fan: Fan | None = None,
) -> Outcomes:
    """Simulate by chunks and keep the answers to some questions.

    Parameters
    ----------
    s : Setting
    questions : list of Question
    paths, seed, threads : int
        See :meth:`actuarial.fund.Fund.simulate`; the same bytes at any number of threads.
    sampler, block, method
        The design: see :mod:`actuarial.fund.sampling`.
    progress : callable, optional
        Called with paths done and in all.
    fan : Fan, optional
        Counts the balances by month on the way.
    """
    values = {q.name: np.empty(paths) for q in questions}
    weight = np.empty(paths) if sampler.weighted else None
    rooms, lock = threading.local(), threading.Lock()

    def work(number: int, low: int, high: int) -> None:
        rows = high - low
        room: PathArrays | None = getattr(rooms, "room", None)
        if room is None or len(room.heads) != rows:
            room = PathArrays.room(s, rows, weighted=sampler.weighted)
            rooms.room = room
        simulate_chunk(s, seed, number, 0, rows, room, sampler)
        for q in questions:
            values[q.name][low:high] = q.read(s, room)
        if weight is not None and room.weight is not None:
            weight[low:high] = room.weight
        if fan is not None:
            counted = fan.count(s, room)
            with lock:
                fan.counts += counted

    each_chunk(paths, threads, work, progress)
    return Outcomes(values, weight, block, method, paths, seed)


@dataclass
class Fan:
    """Counts of the balance by month in bins, for quantiles of any number of paths with a known error.

    Parameters
    ----------
    premium : float
        Amount per head [yuan/person/year].
    low, high : ndarray, shape (12,)
        Range of the bins of each month [yuan]; what lies outside is counted at the ends.
    """

    premium: float
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    counts: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = np.zeros((12, BINS + 2), dtype=np.int64)

    @property
    def width(self) -> NDArray[np.float64]:
        """Width of a bin by month: the bound of a quantile's error within the range [yuan]."""
        return (self.high - self.low) / BINS

    def count(self, s: Setting, x: PathArrays) -> NDArray[np.int64]:
        """The counts of a chunk."""
        balance = balances_of(s, x, self.premium)
        place = np.floor((balance - self.low) / self.width)
        inside = (np.clip(place, -1, BINS) + 1).astype(np.int64)
        return np.stack([np.bincount(inside[:, m], minlength=BINS + 2) for m in range(12)])

    def quantiles(self, levels: list[float]) -> pd.DataFrame:
        """Quantiles by month, with the bound of their error; infinite where one lies outside the bins [yuan]."""
        rows = []
        for m in range(12):
            sums = np.cumsum(self.counts[m])
            row: dict[str, float] = {"month": m + 1, "error": float(self.width[m])}
            for q in levels:
                place = int(np.searchsorted(sums, q * sums[-1], side="left"))
                centre = self.low[m] + (place - 0.5) * self.width[m]
                row[f"q{q:g}"] = -np.inf if place == 0 else np.inf if place == BINS + 1 else float(centre)
            rows.append(row)
        return pd.DataFrame(rows)


def fan_of(s: Setting, premium: float, seed: int) -> Fan:
    """A fan whose bins reach five times as far from the median as one chunk of paths did.

    A month in which the pilot's balances do not differ gets bins of a millionth of it.
    """
    pilot = PathArrays.room(s, CHUNK)
    simulate_chunk(s, seed, 0, 0, CHUNK, pilot)
    balance = balances_of(s, pilot, premium)
    middle = np.median(balance, axis=0)
    reach = 5 * np.abs(balance - middle).max(axis=0)
    reach = np.maximum(reach, 1e-6 * np.maximum(np.abs(middle), 1.0))
    return Fan(premium, middle - reach, middle + reach)
