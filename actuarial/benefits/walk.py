"""The slow, plain walk over a member's claims: it defines what a schedule pays.

Each layer in turn maps ``(claim, state of the member-year)`` to ``(payment, state)``; everything else (the kernel,
Spark, totals) must give the same cents. Claims are walked in the order of their day of settlement, then of their
number; a new benefit year, or another member, begins with an empty state.

Within one accumulator, with ``C`` the running total including the counted cost ``x``, a claim is paid
``F(C) − F(C − x)`` where **F is what is rounded** (half up, whole cents), so that a year's payments sum to ``F`` of the
year's cost however it is cut into claims. In order, a layer's payment is: segments or fixed amount; claim ceiling;
stop-loss; yearly ceilings; never more than what is left of the claim.

A claim for which no layer has a rule is **not covered**: it stays as it was paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from actuarial.benefits.cell import PPM, Cell
from actuarial.benefits.schedule import DEFAULTS, BenefitSchedule

OWN_ACCOUNT = "personal_account"


@dataclass(frozen=True)
class Claim:
    """One claim, amounts in whole cents.

    Parameters
    ----------
    member : str
    day : int
        Day of settlement, days since 1970-01-01.
    month : int
        Its month, ``year × 12 + month − 1``.
    number : str
        Orders claims of one day.
    total, in_scope, class_b, class_c, paid : int
        Total cost, in-scope cost, class B and C cost, what the fund actually paid [cents].
    attributes : dict
        Category, level, place, referral, group, disease.
    annual_wage, account, mutual_aid : int
        Of the member: yearly wage, balance of the personal account at the year's start; paid by mutual aid [cents].
    """

    member: str
    day: int
    month: int
    number: str
    total: int
    in_scope: int
    class_b: int = 0
    class_c: int = 0
    paid: int = 0
    attributes: dict[str, str] = field(default_factory=dict)
    annual_wage: int = 0
    account: int = 0
    mutual_aid: int = 0


@dataclass
class State:
    """What has accumulated in the member-year."""

    totals: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # counted cost
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # claims with a deductible
    used: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # of yearly ceilings
    own: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # own share before stop-loss
    account: int = 0
    version: int = 0


def walk(claims: Sequence[Claim], schedules: Sequence[BenefitSchedule]) -> list[dict[str, int]]:
    """What each layer pays of each claim.

    Parameters
    ----------
    claims : sequence of Claim
        In any order.
    schedules : sequence of BenefitSchedule
        In the order of their dates; the first holds for everything before the second is in force.

    Returns
    -------
    list of dict
        For each claim in the order given: cents by layer id, and ``patient``; they sum to its total cost.
    """
    out: list[dict[str, int]] = [{}] * len(claims)
    order = sorted(range(len(claims)), key=lambda i: (claims[i].member, claims[i].day, claims[i].number))
    at: tuple[str, int] | None = None
    state = State()
    for i in order:
        claim = claims[i]
        version = sum(s.effective_day <= claim.day for s in schedules[1:])
        schedule = schedules[version]
        year = (claim.month - (schedule.payload.year_starts_in_month - 1)) // 12
        if (claim.member, year) != at:
            at, state = (claim.member, year), State(account=claim.account, version=version)
        if version != state.version:
            if not schedule.carried:
                state = State(account=state.account)
            state.version = version
        out[i] = pay(claim, schedule, state)
    return out


def pay(claim: Claim, schedule: BenefitSchedule, state: State) -> dict[str, int]:
    """One claim: cents by layer, the rest to the patient; `state` is moved on."""
    attributes = {**DEFAULTS, **claim.attributes}
    cells = {layer.id: schedule.cell(layer, attributes) for layer in schedule.layers}
    left = claim.total
    paid: dict[str, int] = {}
    if not schedule.covers(attributes):
        first = min(claim.paid, left)  # not covered: as it was paid
        paid = dict.fromkeys(cells, 0) | {schedule.main_layer: first}
        return paid | {"patient": left - first}
    by_others = by_account = 0  # paid by earlier layers, and of that from the patient's own account
    deductibles: dict[str, int] = {}
    for layer in schedule.layers:
        cell = cells[layer.id]
        if cell.kind == "as_paid":
            amount, counted = min(claim.paid, left), left
        elif cell.kind == "mutual_aid":
            amount, counted = min(claim.mutual_aid, left), left
        elif cell.kind == "balance":
            amount, counted = min(state.account, left), left
            state.account -= amount
        elif cell.kind == "none":
            amount, counted = 0, 0
        else:
            before = by_others + (by_account if layer.counted.after_personal_account else 0)
            counted = _counted(claim, cell, layer.counted.of, before)
            counted = max(
                counted - sum(deductibles.get(n, 0) for n in layer.counted.without_deductible_of), 0
            )
            amount, deductibles[layer.id] = _by_rule(counted, cell, claim, state)
        if cell.stop_loss is not None:
            amount += _stop_loss(layer.id, counted - amount, cell.stop_loss.of(claim.annual_wage), state)
        for name, ceiling in cell.ceilings:
            amount = min(amount, max(ceiling.of(claim.annual_wage) - state.used[name], 0))
        amount = min(amount, left)
        for name, _ in cell.ceilings:
            state.used[name] += amount
        paid[layer.id] = amount
        left -= amount
        by_others += amount if layer.bearer != OWN_ACCOUNT else 0
        by_account += amount if layer.bearer == OWN_ACCOUNT else 0
    return paid | {"patient": left}


def _counted(claim: Claim, cell: Cell, of: str, before: int) -> int:
    """The counted cost of a layer; of an own cost what was paid before is taken off."""
    first = _millionths(cell.first_b * claim.class_b)
    if of.endswith("total"):
        first += _millionths(cell.first_c * claim.class_c) if cell.first_c != PPM else 0
        cost = claim.total - first
    else:
        cost = claim.in_scope - first + claim.class_c - _millionths(cell.first_c * claim.class_c)
    cost -= before if of.startswith("own") else 0
    return max(cost - (cell.less.of(claim.annual_wage) if cell.less else 0), 0)


def _by_rule(counted: int, cell: Cell, claim: Claim, state: State) -> tuple[int, int]:
    """Payment by segments or fixed amount, and the part of the counted cost below the deductible."""
    if cell.fixed is not None:
        return min(cell.fixed.of(claim.annual_wage), counted), 0
    d = cell.deductible.of(claim.annual_wage)
    before = 0
    if cell.repeat:
        n = state.counts[cell.accumulator]
        d = _millionths(d * cell.repeat[min(n, len(cell.repeat) - 1)])
        state.counts[cell.accumulator] += 1
    elif cell.accumulator:
        before = state.totals[cell.accumulator]
        state.totals[cell.accumulator] += counted
    after = before + counted
    amount = _curve(cell, d, after) - _curve(cell, d, before)
    if cell.claim_ceiling is not None:
        amount = min(amount, cell.claim_ceiling.of(claim.annual_wage))
    return amount, min(after, d) - min(before, d)


def _curve(cell: Cell, deductible: int, cost: int) -> int:
    """``F``: payment for a running total, in whole cents, half up."""
    if cost <= deductible:
        return 0
    low, high = (deductible, cost) if cell.from_zero else (0, cost - deductible)
    total = 0
    for n, (edge, ratio) in enumerate(zip(cell.edges, cell.ratios, strict=True)):
        top = cell.edges[n + 1] if n + 1 < len(cell.edges) else high
        total += ratio * max(min(high, top) - max(low, edge), 0)
    return _millionths(total)


def _stop_loss(name: str, own: int, limit: int, state: State) -> int:
    """What the own share of the year passes the limit by, newly with this claim."""
    before = state.own[name]
    state.own[name] += own
    return max(before + own - limit, 0) - max(before - limit, 0)


def _millionths(amount: int) -> int:
    """Millionths of a cent to cents, half up."""
    return (amount + PPM // 2) // PPM
