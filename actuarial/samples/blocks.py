r"""Drawing synthetic members and claims, block by block of members, in integers (days, cents).

Member :math:`i` has expected claims :math:`\lambda_c w_i` of category :math:`c`, with
:math:`w_i` = relative frequency of age and sex × gamma effect × enrolled share of the months.
A block draws a Poisson number of claims and gives each to a member with probability
:math:`w_i/\sum w`, which is the same as a Poisson number for each member; with exact totals the
printed number is first split among the blocks by one multinomial draw.

Random numbers are ``SeedSequence(seed, spawn_key=(component, 0, column, year, block))`` with blocks of
:data:`BLOCK` members, so that nothing depends on how many blocks are drawn, or in which order; a file
of fewer members is the beginning of a file of more.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from actuarial.errors import Fault, InputError
from actuarial.samples.model import LEVELS, Category, Floats, Model

Ints = NDArray[np.int64]
BLOCK = 65_536
"""Members drawn together; changing it changes every file."""
COMPONENT = 90
"""First part of the key of the random streams: the samples, which no simulator uses."""
SPLIT = 1_000
"""First column of the streams that split printed visits among blocks."""
PPM = 1_000_000


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be drawn: see :func:`actuarial.samples.claims.synthetic_claims`."""

    model: Model
    members: int
    seed: int
    months: int
    year: int
    exact: bool = False

    @cached_property
    def days(self) -> int:
        """Days in the months drawn."""
        end = datetime.date(self.year + self.months // 12, self.months % 12 + 1, 1)
        return (end - datetime.date(self.year, 1, 1)).days

    @cached_property
    def year_days(self) -> int:
        """Days in the year."""
        return (datetime.date(self.year + 1, 1, 1) - datetime.date(self.year, 1, 1)).days

    @property
    def blocks(self) -> range:
        """The blocks that hold the members."""
        return range(-(-self.members // BLOCK))

    @property
    def scale(self) -> float:
        """Members and months asked for, over those printed."""
        return self.members / self.model.insured * self.months / self.model.months

    def stream(self, column: int, block: int) -> np.random.Generator:
        """The random stream of one column in one block."""
        key = (COMPONENT, 0, column, self.year, block)
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(self.seed, spawn_key=key)))

    def frequency(self, category: Category) -> float:
        """Expected claims per member, over the member's weight."""
        m = self.model
        sexes = np.array([m.male_share, 1 - m.male_share])
        day = np.arange(self.year_days)
        stay = 1 - m.leaver_share + m.leaver_share * np.minimum(day + 1, self.days).mean() / self.days
        enrolled = np.full(len(m.age_probability), stay)
        enrolled[0] = np.maximum(self.days - day, 0).mean() / self.days
        weight = float(sexes @ category.rates @ (m.age_probability * enrolled))
        return category.visits / m.insured * self.months / m.months / weight


@dataclass(frozen=True, eq=False)
class Members:
    """One block of members; days count from 1 January, ``last`` is the last day enrolled."""

    age: NDArray[np.int16]
    sex: NDArray[np.int8]
    poor: NDArray[np.bool_]
    first: NDArray[np.int16]
    last: NDArray[np.int16]
    effects: dict[str, Floats]

    def weights(self, category: Category, days: int) -> Floats:
        """Relative frequency of each member."""
        overlap = np.maximum(np.minimum(self.last, days - 1) - self.first + 1, 0) / days
        rate = category.rates[self.sex, self.age] * overlap
        return rate * self.effects[category.effect] if category.effect in self.effects else rate


@dataclass(frozen=True, eq=False)
class Claims:
    """Claims of one block, sorted by member, day and category; money in cents."""

    member: Ints
    category: NDArray[np.int8]
    cell: NDArray[np.int8]
    day: NDArray[np.int16]
    lag: NDArray[np.int16]
    provider: NDArray[np.int16]
    referral: NDArray[np.bool_]
    share_b: Floats
    share_c: Floats
    cost: Ints
    class_c: Ints
    class_b: Ints
    payment: Ints


def draw_members(request: Request, block: int) -> Members:
    """The members of a block (always whole, so that fewer members are a beginning of more)."""
    m, rng = request.model, request.stream(0, block)
    u = rng.random((6, BLOCK))
    age = np.searchsorted(np.cumsum(m.age_probability)[:-1], u[0], side="right").astype(np.int16)
    born = age == 0
    leaves = ~born & (u[3] < m.leaver_share)
    day = np.floor(u[4] * request.year_days).astype(np.int16)
    effects = {}
    for name, variance in m.effects.items():
        effects[name] = rng.standard_gamma(1 / variance, BLOCK) * variance
    return Members(
        age, (u[1] >= m.male_share).astype(np.int8), u[2] < m.poor_share,
        np.where(born, day, 0).astype(np.int16),
        np.where(leaves, day, request.year_days - 1).astype(np.int16), effects,
    )  # fmt: skip


def _choose(rng: np.random.Generator, weights: Floats, count: int, once: bool) -> Ints:
    """Members of `count` claims, by weight; nobody twice where a category comes but once."""
    if once:
        able = np.flatnonzero(weights)
        keys = np.log(rng.random(len(weights)))[able] / weights[able]
        count = min(count, len(able))
        return np.sort(able[np.argpartition(-keys, count - 1)[:count]]) if count else able[:0]
    sums = np.cumsum(weights)
    if sums[-1] <= 0:
        return np.zeros(0, dtype=np.int64)
    found = np.searchsorted(sums, rng.random(count) * sums[-1], side="right")
    return np.minimum(found, len(weights) - 1).astype(np.int64)


def draw_claims(request: Request, block: int, counts: Ints | None = None) -> Claims:
    """The claims of a block, by the parameters; `counts` by category where they are given."""
    members = draw_members(request, block)
    left = request.members - block * BLOCK
    parts, first_cell = [], 0
    for n, category in enumerate(request.model.categories):
        rng = request.stream(n + 1, block)
        weights = members.weights(category, request.days)
        if counts is None:
            count = int(rng.poisson(request.frequency(category) * weights.sum()))
        else:
            weights[max(left, 0) :] = 0
            count = int(counts[n])
        who = _choose(rng, weights, count, category.once)
        parts.append(_draw_category(request, n, first_cell, rng, who, members))
        first_cell += len(category.cells)
    claims = Claims(*(np.concatenate([getattr(p, k) for p in parts]) for k in Claims.__dataclass_fields__))
    order = np.argsort((claims.member * 512 + claims.day) * 16 + claims.category, kind="stable")
    kept = order[claims.member[order] < left]
    claims = Claims(*(getattr(claims, k)[kept] for k in Claims.__dataclass_fields__))
    return settle(request.model, replace(claims, member=claims.member + block * BLOCK))


def _draw_category(
    request: Request, n: int, first_cell: int, rng: np.random.Generator, who: Ints, members: Members
) -> Claims:
    m = request.model
    category, count = m.categories[n], len(who)
    u, z = rng.random((6, count)), rng.standard_normal((2, count))
    shares = np.array([c.visits for c in category.cells])
    heavy = category.cv is None
    rho = m.level_correlation if heavy and len(shares) > 1 else 0.0
    score = rho * z[0] + math.sqrt(1 - rho**2) * z[1]
    cell = np.searchsorted(ndtri(np.cumsum(shares)[:-1] / shares.sum()), score)
    means = np.array([c.cost for c in category.cells]) / shares
    if category.cv is None:
        cost = m.tail.of_score(z[0]) * (means @ shares / shares.sum())
    else:
        sigma = math.sqrt(math.log1p(category.cv**2))
        cost = np.exp(sigma * z[0] - sigma**2 / 2) * means[cell]
    first, last = members.first[who], np.minimum(members.last[who], request.days - 1)
    day = (first + np.floor(u[0] * (last - first + 1))).astype(np.int16)
    lag = (
        rng.standard_gamma(m.lag_shape, count) * np.array([c.lag for c in category.cells])[cell] / m.lag_shape
    )
    level = np.array([LEVELS.index(c.level) for c in category.cells])[cell]
    sizes = np.array([c.providers for c in category.cells])[cell]
    none = np.zeros(count, dtype=np.int64)
    return Claims(
        who, np.full(count, n, dtype=np.int8), (cell + first_cell).astype(np.int8), day,
        np.minimum(lag, m.longest_lag).astype(np.int16),
        (level * 100 + np.floor(u[1] * sizes)).astype(np.int16),
        (level == LEVELS.index("outside")) & (u[2] < m.referral_share),
        2 * u[3] * np.array([c.class_b for c in category.cells])[cell],
        2 * u[4] * np.array([c.class_c for c in category.cells])[cell],
        np.maximum(np.floor(cost + 0.5), 1).astype(np.int64), none, none, none,
    )  # fmt: skip


def settle(model: Model, claims: Claims) -> Claims:
    """Item classes and fund payment from cost, by the rule of each cell, half up to the cent."""
    class_c = np.floor(claims.cost * claims.share_c + 0.5).astype(np.int64)
    class_b = np.floor((claims.cost - class_c) * claims.share_b + 0.5).astype(np.int64)
    ppm = np.array([round(c.ratio * PPM) for c in model.cells])[claims.cell]
    claims = replace(claims, class_c=class_c, class_b=class_b)
    return replace(claims, payment=(payable(model, claims) * ppm + PPM // 2) // PPM)


def payable(model: Model, claims: Claims) -> Ints:
    """Cost in scope above the deductible [cents]."""
    deductible = np.array([c.deductible for c in model.cells])[claims.cell]
    return np.asarray(np.maximum(claims.cost - claims.class_c - deductible, 0))


# --------------------------------------------------------------------------- exact totals


def all_claims(request: Request) -> Iterator[Claims]:
    """The claims of all blocks, in order of members; with exact totals if they are asked for."""
    if not request.exact:
        return (draw_claims(request, k) for k in request.blocks)
    counts = _split_counts(request)
    return _scaled(request, lambda: (draw_claims(request, k, counts[k]) for k in request.blocks))


def _split_counts(request: Request) -> Ints:
    """The printed visits, scaled, split among the blocks: shape (blocks, categories)."""
    categories = request.model.categories
    weights = np.empty((len(request.blocks), len(categories)))
    for k in request.blocks:
        members, left = draw_members(request, k), request.members - k * BLOCK
        weights[k] = [members.weights(c, request.days)[:left].sum() for c in categories]
    counts = np.empty(weights.shape, dtype=np.int64)
    for n, category in enumerate(categories):
        whole = math.floor(category.visits * request.scale + 0.5)
        if weights[:, n].sum() <= 0:
            _refuse(request, category.name, category.cells[0].level)
        share = weights[:, n] / weights[:, n].sum()
        counts[:, n] = request.stream(SPLIT + n, 0).multinomial(whole, share)
    return counts


def _refuse(request: Request, category: str, level: str) -> None:
    params = {"members": request.members, "category": category, "level": level}
    raise InputError([Fault("samples.too_few", params=params)])


def _scaled(request: Request, drawn: Callable[[], Iterable[Claims]]) -> Iterator[Claims]:
    """Claims whose cost and payment by cell sum to the printed totals, to the cent.

    Three passes over the same draws: sums of cost; sums of what is payable after costs are scaled;
    payments in proportion to it. Cents are spread by rounding the running total, which is exact and
    independent of blocks.
    """
    model, cells = request.model, request.model.cells
    cost_goal, pay_goal = (
        np.array([math.floor(v * request.scale + 0.5) for v in goal], dtype=np.int64)
        for goal in ([c.cost for c in cells], [c.payment for c in cells])
    )
    cost_sum, base_sum = np.zeros_like(cost_goal), np.zeros_like(cost_goal)
    for claims in drawn():
        cost_sum += _sums(claims.cell, claims.cost, len(cells))

    def rescaled() -> Iterator[Claims]:
        before = np.zeros_like(cost_sum)
        for claims in drawn():
            cost, before = spread(claims.cell, claims.cost, before, cost_sum, cost_goal)
            yield settle(model, replace(claims, cost=cost))

    for claims in rescaled():
        base_sum += _sums(claims.cell, payable(model, claims), len(cells))
    for cell, base, goal in zip(cells, base_sum, pay_goal, strict=True):
        if base < goal:
            _refuse(request, cell.category, cell.level)
    before = np.zeros_like(base_sum)
    for claims in rescaled():
        payment, before = spread(claims.cell, payable(model, claims), before, base_sum, pay_goal)
        yield replace(claims, payment=payment)


def _sums(cell: NDArray[np.int8], cents: Ints, cells: int) -> Ints:
    """Sums of cents by cell (whole numbers below 2**53, so exact)."""
    return np.bincount(cell, weights=cents, minlength=cells).astype(np.int64)


def spread(cell: NDArray[np.int8], values: Ints, before: Ints, total: Ints, goal: Ints) -> tuple[Ints, Ints]:
    """Shares of `goal` in proportion to `values` by cell, in whole cents, and the running sums after.

    Parameters
    ----------
    cell, values : ndarray, shape (n,)
        Cell of each claim, and what its share is proportional to.
    before, total, goal : ndarray, shape (cells,)
        Sum of values of earlier blocks, of all blocks, and the sum to be reached.

    Examples
    --------
    >>> one = np.zeros(3, dtype=np.int8)
    >>> spread(one, np.array([1, 1, 1]), np.array([0]), np.array([3]), np.array([100]))[0].tolist()
    [33, 34, 33]
    """
    shares, after = np.zeros_like(values), before.copy()
    for k in np.unique(cell):
        at = np.flatnonzero(cell == k)
        running = before[k] + np.concatenate([[0], np.cumsum(values[at])])
        shares[at] = np.diff(np.floor(goal[k] * (running / max(int(total[k]), 1)) + 0.5).astype(np.int64))
        after[k] = running[-1]
    return shares, after
