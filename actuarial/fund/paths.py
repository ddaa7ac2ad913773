"""One chunk of paths: systemic draws, the months not yet seen, claims, balances at a premium of 0.

Everything a path needs is in its chunk's own streams of random numbers, so chunks can be simulated in
any order and by any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from actuarial.cost import CostForecast
from actuarial.fund.process import monthly_claims
from actuarial.severity import log_sd

CHUNK = 8192
Kept = dict[tuple[int, ...], NDArray[np.float64]]
"""Standard normals by seed, component, year, chunk and columns, kept from one run to the next."""
SYSTEMIC, PROCESS, ENROLMENT = 0, 1, 2
"""First part of the spawn key: which kind of randomness."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What is the same on every path."""

    cost: CostForecast
    heads: float
    heads_sd: float
    shares: NDArray[np.float64]  # (12,) of the forecast year
    stub: NDArray[np.float64]  # (s,) of the months not yet seen, summing to 1
    stub_income: NDArray[np.float64]  # (s,) yuan
    at_valuation: float
    unpaid: float  # yuan to be paid in the first month after the valuation date
    late_income: float  # yuan of the base year that arrive after it, in month 1
    premium_per_head: NDArray[np.float64]  # (12,) critical illness
    interest: float
    receipts: NDArray[np.float64]  # (12,)
    counts: NDArray[np.float64]  # (C,) visits per insured and year
    spread: NDArray[np.float64]  # (2, C) second and third cumulant per visit, severity of mean 1
    year: int
    kept: Kept | None = None  # normals that are not drawn again

    @cached_property
    def slope(self) -> NDArray[np.float64]:
        """``b_m`` for the expected heads, (12,)."""
        b = np.empty(12)
        level = 0.0
        for m in range(12):
            level = level * (1 + self.interest) + self.heads * self.receipts[m]
            b[m] = level
        return b


@dataclass
class PathArrays:
    """Where the chunks write."""

    base_total: NDArray[np.float64]
    heads: NDArray[np.float64]
    cost_per_capita: NDArray[np.float64]  # systemic: before the randomness of claims
    stub_balance: NDArray[np.float64]
    claims: NDArray[np.float64]
    at_zero: NDArray[np.float64]

    @classmethod
    def empty(cls, paths: int, stub: int) -> PathArrays:
        """Room for so many paths and months not yet seen."""
        per_path = [np.empty(paths) for _ in range(3)]
        year = [np.empty((paths, 12)) for _ in range(2)]
        return cls(per_path[0], per_path[1], per_path[2], np.empty((paths, stub)), year[0], year[1])


def normals(
    seed: int, component: int, columns: Iterable[int], year: int, chunk: int, rows: int
) -> NDArray[np.float64]:
    """Standard normals of one chunk, one stream a column; shape (rows, columns)."""
    drawn = [
        np.random.Generator(
            np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(component, 0, column, year, chunk)))
        ).standard_normal(rows)
        for column in columns
    ]
    return np.stack(drawn, axis=1)


def kept_normals(
    kept: Kept | None, seed: int, component: int, columns: Iterable[int], year: int, chunk: int, rows: int
) -> NDArray[np.float64]:
    """:func:`normals`, drawn once: what is kept is taken again, so that a what-if redraws nothing."""
    chosen = tuple(columns)
    if kept is None:
        return normals(seed, component, chosen, year, chunk, rows)
    key = (seed, component, year, chunk, rows, *chosen)
    if key not in kept:
        kept[key] = normals(seed, component, chosen, year, chunk, rows)
    return kept[key]


def simulate_chunk(s: Setting, seed: int, number: int, low: int, high: int, out: PathArrays) -> None:
    """Simulate paths ``low…high−1`` and write them."""
    n, rows = s.cost, high - low
    z = kept_normals(s.kept, seed, SYSTEMIC, range(n.dimension), s.year, number, rows)
    per_capita = n.per_capita(z)
    heads = np.full(rows, s.heads)
    if s.heads_sd > 0:
        z_heads = kept_normals(s.kept, seed, ENROLMENT, [0], s.year, number, rows)[:, 0]
        heads *= np.exp(log_sd(1.0, s.heads_sd) * z_heads)

    base_total = n.base.total * n.base_factor(z)
    balance = np.full(rows, s.at_valuation)
    rest = base_total - n.base.experience.paid
    for m, share in enumerate(s.stub):
        balance = balance * (1 + s.interest) + s.stub_income[m] - rest * share
        balance -= s.unpaid if m == 0 else 0.0
        out.stub_balance[low:high, m] = balance

    k1 = heads * per_capita.sum(axis=1)
    severity = np.divide(per_capita, s.counts, out=np.zeros_like(per_capita), where=s.counts > 0)
    k2 = heads * ((s.counts * s.spread[0]) * severity**2).sum(axis=1)
    k3 = heads * ((s.counts * s.spread[1]) * severity**3).sum(axis=1)
    noise = kept_normals(s.kept, seed, PROCESS, range(12), s.year, number, rows)
    claims = monthly_claims(k1, k2, k3, s.shares, noise)

    level = balance - (s.unpaid if not len(s.stub) else 0.0)
    for m in range(12):
        level = level * (1 + s.interest) - claims[:, m] - heads * s.premium_per_head[m]
        level += s.late_income if m == 0 else 0.0
        out.at_zero[low:high, m] = level
    out.base_total[low:high], out.heads[low:high] = base_total, heads
    out.cost_per_capita[low:high] = per_capita.sum(axis=1)
    out.claims[low:high] = claims
