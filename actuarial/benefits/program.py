"""Schedules compiled to flat integer arrays: what the kernel walks.

A program holds one or several schedules in the order of their dates (a change within the year), for the kinds of claim
that occur (**combos** of attributes). Layers, accumulators and ceilings of the same name are one slot, so that
what has accumulated under the old rules goes on under the new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actuarial.benefits.schedule import DEFAULTS, NONE, PPM, BenefitSchedule, Cell, Money, accumulator_of
from actuarial.benefits.walk import OWN_ACCOUNT
from actuarial.errors import Fault, InputError

Ints = NDArray[np.int64]
KINDS = {"none": 0, "rules": 1, "fixed": 2, "as_paid": 3, "balance": 4, "mutual_aid": 5}
OF = {"in_scope": 0, "total": 1, "own_in_scope": 2, "own_total": 3}


class Tables(NamedTuple):
    """The arrays of a program; a cell is a row of those that begin with ``c_``."""

    switch_day: Ints  # (V,) first day of each version
    carried: Ints  # (V,)
    year_start: Ints  # (V,) month in which the benefit year begins, from 0
    order: Ints  # (V, L) slots in the order of payment, -1 at the end
    main: Ints  # (V,) slot of claims without a rule
    of: Ints  # (V, L)
    own_account: Ints  # (V, L) whether the patient's own account pays
    after_account: Ints  # (V, L) whether what the account paid is not counted
    without: Ints  # (V, L, L) whose deductible is not counted
    cell: Ints  # (V, L, combos)
    covered: Ints  # (V, combos)
    c_kind: Ints
    c_from_zero: Ints
    c_money: Ints  # (cells, 10): deductible, fixed, claim ceiling, stop-loss, not counted; cents and millionths of the wage
    c_has: Ints  # (cells, 2): claim ceiling, stop-loss
    c_acc: Ints  # accumulator, -1 for none
    c_first: Ints  # (cells, 2): class B, class C
    c_seg: Ints  # (cells, 2): first and number
    c_rep: Ints  # (cells, 2)
    c_ceil: Ints  # (cells, 2)
    edge: Ints
    ratio: Ints
    base: Ints  # millionths of a cent paid at each edge
    repeat: Ints
    ceil: Ints  # (n, 3): slot, cents, millionths of the wage


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
    def uncovered(self) -> list[tuple[str, ...]]:
        """Kinds of claim for which no version has a rule."""
        return [c for n, c in enumerate(self.combos) if not self.tables.covered[:, n].any()]


class _Build:
    """Collects cells; equal cells are one row."""

    def __init__(self) -> None:
        self.rows: dict[Cell, int] = {}
        self.acc: dict[str, int] = {}
        self.ceilings: dict[str, int] = {}
        self.parts: dict[str, list[list[int]]] = {
            n: [] for n in ("seg", "rep", "ceil", "money", "has", "first", "head")
        }
        self.edge: list[int] = []
        self.ratio: list[int] = []
        self.base: list[int] = []
        self.repeat: list[int] = []
        self.ceil: list[list[int]] = []

    def row(self, cell: Cell) -> int:
        if cell in self.rows:
            return self.rows[cell]
        self.rows[cell] = len(self.rows)
        acc = self.acc.setdefault(cell.accumulator, len(self.acc)) if cell.accumulator else NONE
        self.parts["head"].append([KINDS[cell.kind], int(cell.from_zero), acc])
        self.parts["seg"].append([len(self.edge), len(cell.edges)])
        paid = 0
        for n, (edge, ratio) in enumerate(zip(cell.edges, cell.ratios, strict=True)):
            paid += cell.ratios[n - 1] * (edge - cell.edges[n - 1]) if n else 0
            self.edge.append(edge)
            self.ratio.append(ratio)
            self.base.append(paid)
        self.parts["rep"].append([len(self.repeat), len(cell.repeat)])
        self.repeat += cell.repeat
        self.parts["ceil"].append([len(self.ceil), len(cell.ceilings)])
        for name, money in cell.ceilings:
            self.ceil.append(
                [self.ceilings.setdefault(name, len(self.ceilings)), money.cents, money.wage_ppm]
            )
        amounts = (cell.deductible, cell.fixed, cell.claim_ceiling, cell.stop_loss, cell.less)
        self.parts["money"].append([v for m in amounts for v in _pair(m)])
        self.parts["has"].append([int(cell.claim_ceiling is not None), int(cell.stop_loss is not None)])
        self.parts["first"].append([cell.first_b, cell.first_c])
        return self.rows[cell]


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
    t, wanted = program.tables, set()
    used = np.unique(t.cell)
    kinds = set(t.c_kind[used].tolist())
    paying = used[np.isin(t.c_kind[used], [KINDS["rules"], KINDS["fixed"]])]
    if len(paying):
        wanted |= {"total" if of % 2 else "in_scope" for of in np.unique(t.of[t.order >= 0]).tolist()}
        wanted |= {"class_b"} if t.c_first[paying, 0].any() else set()
        wanted |= {"class_c"} if (t.c_first[paying, 1] != PPM).any() else set()
    wage = t.c_money[used, 1::2].any() or t.ceil[:, 2].any()
    wanted |= {"wage"} if wage else set()
    wanted |= {"account"} if KINDS["balance"] in kinds else set()
    wanted |= {"paid"} if KINDS["as_paid"] in kinds or not t.covered.all() else set()
    return wanted


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
    order, of, own = np.full((v, n), NONE), np.zeros((v, n), dtype=np.int64), np.zeros((v, n), dtype=np.int64)
    without, cell = np.zeros((v, n, n), dtype=np.int64), np.zeros((v, n, max(c, 1)), dtype=np.int64)
    after = np.zeros((v, n), dtype=np.int64)
    covered = np.zeros((v, max(c, 1)), dtype=np.int64)
    for schedule in schedules:  # all names first, so that slots do not depend on the claims that occur
        for name in _accumulators(schedule):
            build.acc.setdefault(name, len(build.acc))
        for name in (f"{x.id}.{c.id}" for x in schedule.layers for c in x.ceilings):
            build.ceilings.setdefault(name, len(build.ceilings))
    build.row(Cell("none"))
    for i, schedule in enumerate(schedules):
        attributes = [dict(zip(DEFAULTS, combo, strict=True)) for combo in combos]
        _words_known(schedule, attributes)
        covered[i, :c] = [schedule.covers(a) for a in attributes]
        for k, layer in enumerate(schedule.layers):
            slot = names.index(layer.id)
            order[i, k] = slot
            of[i, slot] = OF[layer.counted.of]
            own[i, slot] = layer.bearer == OWN_ACCOUNT
            after[i, slot] = layer.counted.after_personal_account
            for other in layer.counted.without_deductible_of:
                without[i, slot, names.index(other)] = 1
            cell[i, slot, :c] = [build.row(schedule.cell(layer, a)) for a in attributes]
    p = {k: np.array(x, dtype=np.int64) for k, x in build.parts.items()}
    tables = Tables(
        switch_day=np.array([s.effective_day for s in schedules], dtype=np.int64),
        carried=np.array([s.carried for s in schedules], dtype=np.int64),
        year_start=np.array([s.payload.year_starts_in_month - 1 for s in schedules], dtype=np.int64),
        order=order.astype(np.int64),
        main=np.array([names.index(s.main_layer) for s in schedules], dtype=np.int64),
        of=of, own_account=own, after_account=after, without=without, cell=cell, covered=covered,
        c_kind=p["head"][:, 0].copy(), c_from_zero=p["head"][:, 1].copy(), c_money=p["money"], c_has=p["has"],
        c_acc=p["head"][:, 2].copy(), c_first=p["first"], c_seg=p["seg"], c_rep=p["rep"], c_ceil=p["ceil"],
        edge=np.array([*build.edge, 0], dtype=np.int64), ratio=np.array([*build.ratio, 0], dtype=np.int64),
        base=np.array([*build.base, 0], dtype=np.int64), repeat=np.array([*build.repeat, PPM], dtype=np.int64),
        ceil=np.array([*build.ceil, [0, 0, 0]], dtype=np.int64),
    )  # fmt: skip
    shape = (len(build.acc), len(build.ceilings))
    return Program(tuple(schedules), tuple(combos), tuple(names), tuple(slots.values()), shape, tables)
