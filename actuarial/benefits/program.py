"""Schedules compiled to flat integer arrays: what the kernel walks.

A program holds one or several schedules in the order of their dates (a change within the year), for the kinds of claim
that occur (**combos** of attributes). Layers, accumulators and ceilings of the same name are one slot, so that
what has accumulated under the old rules goes on under the new.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actuarial.benefits.cell import PPM, Cell, Money
from actuarial.benefits.schedule import DEFAULTS, NONE, BenefitSchedule, accumulator_of
from actuarial.benefits.walk import OWN_ACCOUNT
from actuarial.errors import Fault, InputError
from actuarial.law.benefit import Layer

Ints = NDArray[np.int64]
KINDS = {"none": 0, "rules": 1, "fixed": 2, "as_paid": 3, "balance": 4, "mutual_aid": 5}

# Fields of one instruction: what one layer does with one kind of claim.
(
    FLAGS, KIND, SLOT, ACC, DEDUCTIBLE, DEDUCTIBLE_WAGE, FIXED, FIXED_WAGE, CAP, CAP_WAGE, STOP, STOP_WAGE, LESS, LESS_WAGE,
    FIRST_B, FIRST_C, SEGMENT, SEGMENTS, REPEAT, REPEATS, CEILING, CEILINGS, EDGE, RATIO,
) = range(24)  # fmt: skip
STRIDE = 24
# What an instruction needs beyond the common case, one bit each.
TOTAL, OWN, AFTER_ACCOUNT, ITEM_B, ITEM_C, HAS_LESS, WITHOUT, FROM_ZERO, HAS_CAP, HAS_STOP, WAGE_DEDUCTIBLE, OWN_ACCOUNT_PAYS = (
    1 << n for n in range(12)
)  # fmt: skip


class Tables(NamedTuple):
    """The arrays of a program."""

    switch_day: Ints  # (V,) first day of each version
    carried: Ints  # (V,)
    year_start: Ints  # (V,) month in which the benefit year begins, from 0
    main: Ints  # (V,) slot of claims without a rule
    covered: Ints  # (V × combos,)
    length: Ints  # (V,) number of layers
    code: Ints  # (V × combos × L × STRIDE,) instructions in the order of payment
    without: Ints  # (L × L,) whose deductible is not counted, of all versions
    edge: Ints
    ratio: Ints
    base: Ints  # millionths of a cent paid at each edge
    repeat: Ints
    ceil: Ints  # (3n,): slot, cents, millionths of the wage


@dataclass(frozen=True, eq=False)
class Program:
    """Compiled schedules.

    Parameters
    ----------
    schedules : tuple of BenefitSchedule
    combos : tuple of tuple of str
        Attributes of each kind of claim, in the order of ``DEFAULTS``.
    layers : tuple of str
        Slots: ids of all layers.
    accounts : tuple of str
        Who bears each.
    slots : (int, int)
        Number of accumulators and of ceilings.
    tables : Tables
    """

    schedules: tuple[BenefitSchedule, ...]
    combos: tuple[tuple[str, ...], ...]
    layers: tuple[str, ...]
    accounts: tuple[str, ...]
    slots: tuple[int, int]
    tables: Tables

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Whether some version has a rule, by kind of claim."""
        shape = (len(self.tables.switch_day), max(len(self.combos), 1))
        return (self.tables.covered.reshape(shape).sum(axis=0) > 0)[: len(self.combos)]

    @property
    def uncovered(self) -> list[tuple[str, ...]]:
        """Kinds of claim for which no version has a rule."""
        return [c for c, known in zip(self.combos, self.covered, strict=True) if not known]

    @property
    def instructions(self) -> Ints:
        """The instructions, one a row."""
        return self.tables.code.reshape(-1, STRIDE)


class _Build:
    """Collects segments, ceilings and names while instructions are made."""

    def __init__(self) -> None:
        self.acc: dict[str, int] = {}
        self.ceilings: dict[str, int] = {}
        self.edge: list[int] = []
        self.ratio: list[int] = []
        self.base: list[int] = []
        self.repeat: list[int] = []
        self.ceil: list[int] = []

    def instruction(self, cell: Cell, layer: Layer, slot: int) -> list[int]:
        """One instruction; see the names of the fields."""
        row = [0] * STRIDE
        row[KIND], row[SLOT] = KINDS[cell.kind], slot
        row[ACC] = self.acc[cell.accumulator] if cell.accumulator else NONE
        amounts = (cell.deductible, cell.fixed, cell.claim_ceiling, cell.stop_loss, cell.less)
        row[DEDUCTIBLE : LESS_WAGE + 1] = [v for m in amounts for v in _pair(m)]
        row[FIRST_B], row[FIRST_C] = cell.first_b, cell.first_c
        row[SEGMENT], row[SEGMENTS] = len(self.edge), len(cell.edges)
        row[EDGE], row[RATIO] = (cell.edges[0], cell.ratios[0]) if cell.edges else (0, 0)
        paid = 0
        for n, (edge, ratio) in enumerate(zip(cell.edges, cell.ratios, strict=True)):
            paid += cell.ratios[n - 1] * (edge - cell.edges[n - 1]) if n else 0
            self.edge.append(edge)
            self.ratio.append(ratio)
            self.base.append(paid)
        row[REPEAT], row[REPEATS] = len(self.repeat), len(cell.repeat)
        self.repeat += cell.repeat
        row[CEILING], row[CEILINGS] = len(self.ceil) // 3, len(cell.ceilings)
        for name, money in cell.ceilings:
            self.ceil += [self.ceilings[name], money.cents, money.wage_ppm]
        needs = {
            TOTAL: layer.counted.of.endswith("total"), OWN: layer.counted.of.startswith("own"),
            AFTER_ACCOUNT: layer.counted.after_personal_account, ITEM_B: cell.first_b > 0, ITEM_C: cell.first_c != PPM,
            HAS_LESS: cell.less is not None, WITHOUT: bool(layer.counted.without_deductible_of),
            FROM_ZERO: cell.from_zero, HAS_CAP: cell.claim_ceiling is not None, HAS_STOP: cell.stop_loss is not None,
            WAGE_DEDUCTIBLE: cell.deductible.wage_ppm > 0, OWN_ACCOUNT_PAYS: layer.bearer == OWN_ACCOUNT,
        }  # fmt: skip
        row[FLAGS] = sum(bit for bit, need in needs.items() if need)
        return row


def _pair(money: Money | None) -> tuple[int, int]:
    return (money.cents, money.wage_ppm) if money else (0, 0)


def _words_known(schedule: BenefitSchedule, attributes: Sequence[dict[str, str]]) -> None:
    """Refuse claims with words that the terms do not know: all of them at once."""
    faults: dict[tuple[str, str], Fault] = {}
    for combo in attributes:
        for layer in schedule.layers:
            try:
                schedule.cell(layer, combo)
            except InputError as error:
                faults |= {(f.params["attribute"], f.params["word"]["en"]): f for f in error.faults}
    if faults:
        raise InputError(faults.values())


def _accumulators(schedule: BenefitSchedule) -> list[str]:
    return [accumulator_of(x.id, n, r) for x in schedule.layers for n, r in enumerate(x.rules)]


def wanted_columns(program: Program) -> set[str]:
    """Fields of the kernel's rows that a program reads, among those that not every table has."""
    rows, wanted = program.instructions, set()
    paying = rows[np.isin(rows[:, KIND], [KINDS["rules"], KINDS["fixed"]])]
    if len(paying):
        wanted |= {"total" if t else "in_scope" for t in np.unique(paying[:, FLAGS] & TOTAL)}
        wanted |= {"class_b"} if paying[:, FIRST_B].any() else set()
        wanted |= {"class_c"} if (paying[:, FIRST_C] != PPM).any() else set()
    wage = [DEDUCTIBLE_WAGE, FIXED_WAGE, CAP_WAGE, STOP_WAGE, LESS_WAGE]
    wanted |= {"wage"} if rows[:, wage].any() or program.tables.ceil[2::3].any() else set()
    wanted |= {"account"} if (rows[:, KIND] == KINDS["balance"]).any() else set()
    as_paid = (rows[:, KIND] == KINDS["as_paid"]).any() or len(program.uncovered) > 0
    return wanted | ({"paid"} if as_paid or not program.tables.covered.all() else set())


def compile_program(schedules: Sequence[BenefitSchedule], combos: Sequence[tuple[str, ...]]) -> Program:
    """Compile schedules for the kinds of claim that occur.

    Parameters
    ----------
    schedules : sequence of BenefitSchedule
        In the order of their dates.
    combos : sequence of tuple of str
        Attributes in the order of ``DEFAULTS``.

    Raises
    ------
    InputError
        If a term depends on a word that the claims do not have.
    """
    slots: dict[str, str] = {}
    for schedule in schedules:
        for layer in schedule.layers:
            slots.setdefault(layer.id, layer.bearer)
    names = list(slots)
    v, n, c = len(schedules), len(names), len(combos)
    build = _Build()
    code = np.zeros((v, max(c, 1), n, STRIDE), dtype=np.int64)
    without = np.zeros((n, n), dtype=np.int64)
    covered = np.ones((v, max(c, 1)), dtype=np.int64)
    for schedule in schedules:  # all names first, so that slots do not depend on the claims that occur
        for name in _accumulators(schedule):
            build.acc.setdefault(name, len(build.acc))
        for name in (f"{x.id}.{c.id}" for x in schedule.layers for c in x.ceilings):
            build.ceilings.setdefault(name, len(build.ceilings))
    for i, schedule in enumerate(schedules):
        attributes = [dict(zip(DEFAULTS, combo, strict=True)) for combo in combos]
        _words_known(schedule, attributes)
        covered[i, :c] = [schedule.covers(a) for a in attributes]
        for k, layer in enumerate(schedule.layers):
            slot = names.index(layer.id)
            for other in layer.counted.without_deductible_of:
                without[slot, names.index(other)] = 1
            for m, combo in enumerate(attributes):
                code[i, m, k] = build.instruction(schedule.cell(layer, combo), layer, slot)
    tables = Tables(
        switch_day=_ints(s.effective_day for s in schedules),
        carried=_ints(s.carried for s in schedules),
        year_start=_ints(s.payload.year_starts_in_month - 1 for s in schedules),
        main=_ints(names.index(s.main_layer) for s in schedules),
        covered=covered.reshape(-1), length=_ints(len(s.layers) for s in schedules), code=code.reshape(-1),
        without=without.reshape(-1), edge=_ints([*build.edge, 0]), ratio=_ints([*build.ratio, 0]),
        base=_ints([*build.base, 0]), repeat=_ints([*build.repeat, PPM]), ceil=_ints([*build.ceil, 0, 0, 0]),
    )  # fmt: skip
    shape = (len(build.acc), len(build.ceilings))
    return Program(tuple(schedules), tuple(combos), tuple(names), tuple(slots.values()), shape, tables)


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)
