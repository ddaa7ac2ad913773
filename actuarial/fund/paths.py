"""One chunk of paths: systemic draws, the months not yet seen, claims, balances at a premium of 0.

Everything a path needs is in its chunk's own streams of random numbers, so chunks can be simulated in
any order and by any number of threads.

The systemic factors enter as one matrix of standard normals (:attr:`Setting.columns` names them), made by
a :class:`Sampler`: plain streams, one a column, unless another design takes their place. A
design that does not draw from the nominal law gives each path a weight. The randomness of claims is not part of the
matrix.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from actuarial.cost import CostForecast
from actuarial.fund.arrivals import ARREARS
from actuarial.fund.income import Income
from actuarial.fund.kernel import accumulate, moments, months, per_cost, roll
from actuarial.fund.large import LargeClaims, frequency, large_claims, poisson_counts
from actuarial.fund.switches import still
from actuarial.severity import log_sd

if TYPE_CHECKING:
    from actuarial.fund.risk import Risk

CHUNK = 8192
Kept = dict[tuple[int, ...], NDArray[np.float64]]
"""Standard normals by seed, component, fund, year, chunk, rows and columns, kept from one run to the next."""
SYSTEMIC, PROCESS, ENROLMENT, SEASON = 0, 1, 2, 3
FREQUENCY, LARGE_COUNT, LARGE_SIZE, LARGE_MONTH = 4, 5, 6, 7
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
    large: LargeClaims | None = None  # claims drawn one by one
    fund: int = 0  # key of its own streams, where many funds are simulated
    kept: Kept | None = None  # normals that are not drawn again
    without: frozenset[str] = frozenset()  # sources of randomness that are off
    risk: Risk | None = None  # shocks, dated policies, providers with budgets, payment lag
    income: Income | None = None  # arrears, accounts, transfers, reserves; None where the plan states none

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """The systemic factors: component and column of the stream of each column of the matrix."""
        own = (*((SYSTEMIC, c) for c in range(self.cost.dimension)), (ENROLMENT, 0))
        risk = () if self.risk is None else self.risk.columns
        arrears = () if self.income is None else self.income.columns
        return (*own, *risk, *arrears)

    @property
    def open_share(self) -> float:
        """Part of the standard that the calendar leaves open at the year's end."""
        left = 1 - float(self.receipts.sum())
        return left if left > 1e-9 else 0.0

    @property
    def arrears_columns(self) -> list[int]:
        """Columns of the matrix that arrears have."""
        return [n for n, (part, _) in enumerate(self.columns) if part == ARREARS]

    @cached_property
    def idle(self) -> frozenset[int]:
        """Columns that move nothing: they are not drawn."""
        still_heads = {ENROLMENT} if self.heads_sd == 0 else set()
        return frozenset(
            i
            for i, (part, column) in enumerate(self.columns)
            if part in still_heads or (part == SYSTEMIC and column in self.cost.idle)
        )

    @cached_property
    def slope(self) -> NDArray[np.float64]:
        """``b_m`` for the expected heads, (12,)."""
        return accumulate(self.heads * self.receipts, self.interest)


@dataclass
class PathArrays:
    """Where the chunks write."""

    base_total: NDArray[np.float64]
    heads: NDArray[np.float64]
    cost_per_capita: NDArray[np.float64]  # systemic: before the randomness of claims
    stub_balance: NDArray[np.float64]
    claims: NDArray[np.float64]
    at_zero: NDArray[np.float64]
    weight: NDArray[np.float64] | None = (
        None  # nominal density over that of the design; None where they are the same
    )
    incurred: NDArray[np.float64] | None = None  # where a plan tells it from what is paid
    noise: NDArray[np.float64] | None = None  # randomness of claims by month, before any rule of payment
    due: NDArray[np.float64] | None = None  # unpaid of earlier years when the planned year begins
    income: NDArray[np.float64] | None = None  # what each stream of arrears turned out to be
    carried: NDArray[np.float64] | None = (
        None  # of the closing balance, what comes from before the planned year
    )

    @classmethod
    def empty(cls, paths: int, stub: int, *, weighted: bool = False, risk: bool = False) -> PathArrays:
        """Room for so many paths and months not yet seen; with `risk` also for what a plan adds."""
        per_path = [np.empty(paths) for _ in range(3)]
        year = [np.empty((12, paths)).T for _ in range(2)]  # a month's paths in one piece
        weight = np.empty(paths) if weighted else None
        more = [np.empty((12, paths)).T, np.empty((12, paths)).T, np.empty(paths)] if risk else [None] * 3
        return cls(
            per_path[0], per_path[1], per_path[2], np.empty((stub, paths)).T, year[0], year[1], weight, *more
        )

    @classmethod
    def room(cls, s: Setting, paths: int, *, weighted: bool = False) -> PathArrays:
        """Room for so many paths of a setting."""
        found = cls.empty(paths, len(s.stub), weighted=weighted, risk=s.risk is not None)
        if s.income is not None:
            found.income, found.carried = np.empty((paths, len(s.income.columns))), np.empty(paths)
        return found


class Sampler(Protocol):
    """A design: where the systemic normals of a chunk come from."""

    @property
    def weighted(self) -> bool:
        """Whether its paths carry weights."""

    def draw(
        self, s: Setting, seed: int, number: int, rows: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Normals of a chunk, shape (rows, ``len(s.columns)``), and weights, shape (rows,), or None.

        A function of its arguments alone, so that chunks can be drawn in any order.
        """


@dataclass(frozen=True)
class Plain:
    """Independent streams, one a column."""

    weighted: bool = False

    def draw(self, s: Setting, seed: int, number: int, rows: int) -> tuple[NDArray[np.float64], None]:
        """See :class:`Sampler`."""
        z = np.zeros((len(s.columns), rows))
        for i, (part, column) in enumerate(s.columns):
            if i not in s.idle:
                z[i] = kept_normals(s, seed, part, [column], number, rows)[:, 0]
        return z.T, None


PLAIN = Plain()


def normals(
    seed: int, component: int, columns: Iterable[int], year: int, chunk: int, rows: int, *, fund: int = 0
) -> NDArray[np.float64]:
    """Standard normals of one chunk, one stream a column; shape (rows, columns), a column in one piece."""
    chosen = tuple(columns)
    z = np.empty((len(chosen), rows))
    for column, room in zip(chosen, z, strict=True):
        key = np.random.SeedSequence(seed, spawn_key=(component, fund, column, year, chunk))
        np.random.Generator(np.random.SFC64(key)).standard_normal(out=room)
    return z.T


def stream(s: Setting, seed: int, component: int, column: int, chunk: int) -> np.random.Generator:
    """A fund's own stream of one chunk."""
    key = np.random.SeedSequence(seed, spawn_key=(component, s.fund, column, s.year, chunk))
    return np.random.Generator(np.random.SFC64(key))


def kept_normals(
    s: Setting, seed: int, component: int, columns: Iterable[int], chunk: int, rows: int
) -> NDArray[np.float64]:
    """:func:`normals`, drawn once: what is kept is taken again, so that a what-if redraws nothing."""
    chosen = tuple(columns)
    key = (seed, component, s.fund, s.year, chunk, rows, *chosen)
    if s.kept is None:
        return normals(seed, component, chosen, s.year, chunk, rows, fund=s.fund)
    if key not in s.kept:
        s.kept[key] = normals(seed, component, chosen, s.year, chunk, rows, fund=s.fund)
    return s.kept[key]


def simulate_chunk(
    s: Setting, seed: int, number: int, low: int, high: int, out: PathArrays, sampler: Sampler = PLAIN
) -> None:
    """Simulate paths ``low…high−1`` and write them."""
    n, rows = s.cost, high - low
    systemic, weight = sampler.draw(s, seed, number, rows)
    if weight is not None and out.weight is not None:
        out.weight[low:high] = weight
    if s.without:
        systemic = systemic.copy(order="K")
        systemic[:, still(s.without, n.dimension, s.columns)] = 0.0
    z = systemic[:, : n.dimension]
    per_capita = n.per_capita(z)
    heads = np.full(rows, s.heads)
    if s.heads_sd > 0:
        heads *= np.exp(log_sd(1.0, s.heads_sd) * systemic[:, n.dimension])

    out.base_total[low:high], out.heads[low:high] = n.base.total * n.base_factor(z), heads
    out.cost_per_capita[low:high] = per_capita.sum(axis=1)
    if s.risk is None:
        out.claims[low:high] = claims_of(s, seed, number, heads, per_capita)
    else:
        s.risk.write(s, seed, number, per_capita, systemic, out, low, high)
    if s.income is not None and out.income is not None:
        chosen = systemic[:, s.arrears_columns]
        out.income[low:high] = s.income.realised(np.zeros_like(chosen) if "arrears" in s.without else chosen)
    write_balances(s, low, high, out)


def write_balances(s: Setting, low: int, high: int, out: PathArrays) -> None:
    """Balances at an amount of 0 from what paths ``low…high−1`` cost."""
    balance = np.full(high - low, s.at_valuation)
    rest = rest_of(s, out.base_total[low:high], None if out.due is None else out.due[low:high])
    if s.income is not None and out.income is not None and out.carried is not None:
        premiums = out.heads[low:high, None] * s.premium_per_head
        spent = np.concatenate([rest[:, None] * s.stub, out.claims[low:high] + premiums], axis=1)
        level, out.carried[low:high] = s.income.roll(out.income[low:high], spent)
        out.stub_balance[low:high], out.at_zero[low:high] = level[:, : len(s.stub)], level[:, len(s.stub) :]
        return
    for m, share in enumerate(s.stub):
        balance = balance * (1 + s.interest) + s.stub_income[m] - rest * share
        balance -= s.unpaid if m == 0 else 0.0
        out.stub_balance[low:high, m] = balance
    opening = balance - (s.unpaid if not len(s.stub) else 0.0)
    claims, heads = out.claims[low:high], out.heads[low:high]
    out.at_zero[low:high] = roll(opening, claims, heads, s.premium_per_head, s.interest, s.late_income)


def rest_of(
    s: Setting, base_total: NDArray[np.float64], due: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """What of the base year is paid between the valuation date and its end, shape (n,) [yuan].

    Of a base year on the incurred basis all but what is `due` after it; a stated amount due may be more than is unpaid.
    """
    rest = base_total - s.cost.base.experience.paid
    if due is None or s.risk is None or s.risk.lag is None or not s.risk.lag.incurred:
        return rest
    return np.maximum(rest - due, np.minimum(rest, 0.0))


def with_balances(s: Setting, arrays: PathArrays) -> PathArrays:
    """The same claims under another opening balance, other income or interest: the bytes of a new simulation, without one."""
    fresh = replace(
        arrays, stub_balance=np.empty_like(arrays.stub_balance), at_zero=np.empty_like(arrays.at_zero),
        carried=None if arrays.carried is None else np.empty_like(arrays.carried),
    )  # fmt: skip
    for low in range(0, len(arrays.heads), CHUNK):
        write_balances(s, low, min(low + CHUNK, len(arrays.heads)), fresh)
    return fresh


def claims_of(
    s: Setting, seed: int, number: int, heads: NDArray[np.float64], per_capita: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Claims by month given each path's heads and cost per head by category, shape (rows, 12) [yuan]."""
    rows = len(heads)
    if "process" in s.without:
        return (heads * per_capita.sum(axis=1))[:, None] * s.shares
    noise = kept_normals(s, seed, PROCESS, range(12), number, rows)
    if s.large is None:
        cumulants = np.vstack([np.ones(len(s.counts)), s.spread])
        return months(*moments(heads, per_capita, per_cost(cumulants, s.counts)), s.shares, noise)
    theta = frequency(
        s.large, normals(seed, FREQUENCY, range(len(s.counts)), s.year, number, rows, fund=s.fund)
    )
    weights = per_cost(s.large.bulk, s.counts)
    claims = months(*moments(heads, per_capita, weights, theta), s.shares, noise)

    for c in np.flatnonzero(s.large.share * s.counts > 0).tolist():
        mean = heads * theta[:, c] * (s.counts[c] * s.large.share[c])
        count = poisson_counts(stream(s, seed, LARGE_COUNT, c, number).random(CHUNK)[:rows], mean)
        claims += large_claims(
            s.large,
            c,
            count,
            per_capita[:, c] / s.counts[c],
            s.shares,
            stream(s, seed, LARGE_SIZE, c, number),
            stream(s, seed, LARGE_MONTH, c, number),
            CHUNK,
        )
    return claims
