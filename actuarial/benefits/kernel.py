"""The walk over members' claims, compiled: one kernel for frames, files, what-ifs and Spark.

It does in integer arithmetic what :mod:`actuarial.benefits.walk` does in plain Python, claim by claim in the
order of member, day and number, and carries its state from one batch to the next. Rows of different members
never meet, so members can be dealt to threads or partitions in any way and the cents are the same.
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actuarial.benefits.program import (
    ACC,
    AFTER_ACCOUNT,
    CAP,
    CAP_WAGE,
    CEILING,
    CEILINGS,
    DEDUCTIBLE,
    DEDUCTIBLE_WAGE,
    FIRST_B,
    FIRST_C,
    FIXED,
    FIXED_WAGE,
    FLAGS,
    FROM_ZERO,
    HAS_CAP,
    HAS_LESS,
    HAS_STOP,
    ITEM_B,
    ITEM_C,
    KIND,
    LESS,
    LESS_WAGE,
    OWN,
    OWN_ACCOUNT_PAYS,
    RATIO,
    REPEAT,
    REPEATS,
    SEGMENT,
    SEGMENTS,
    SLOT,
    STOP,
    STOP_WAGE,
    STRIDE,
    TOTAL,
    WAGE_DEDUCTIBLE,
    WITHOUT,
    Program,
)  # fmt: skip


def _cache_folder() -> None:
    """Let numba cache in a temporary folder where neither the package nor the home can be written."""
    here = Path(__file__).parent
    if "NUMBA_CACHE_DIR" in os.environ or os.access(here, os.W_OK) or os.access(Path.home(), os.W_OK):
        return
    os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir()) / "actuarial-numba")


_cache_folder()

from numba import njit  # noqa: E402  (after the cache folder is known)

Ints = NDArray[np.int64]
LARGEST = 10**12
"""Largest amount of a claim [cents]: beyond it millionths would overflow."""


class Rows(NamedTuple):
    """Claims as columns, sorted; a column that the claims do not have is empty."""

    new: NDArray[np.uint8]  # 1 where a member begins
    day: NDArray[np.int32]
    month: NDArray[np.int32]  # year × 12 + month − 1
    combo: NDArray[np.int32]
    total: Ints
    in_scope: Ints
    class_b: Ints
    class_c: Ints
    paid: Ints
    wage: Ints
    account: Ints
    mutual_aid: Ints


class State(NamedTuple):
    """What goes on from one batch to the next."""

    totals: Ints
    counts: Ints
    used: Ints
    own: Ints
    at: Ints  # account, version, benefit year, whether a member has begun


def new_state(program: Program) -> State:
    """An empty state."""
    acc, ceilings = program.slots
    a, b, c, d = (np.zeros(max(n, 1), dtype=np.int64) for n in (acc, acc, ceilings, len(program.layers)))
    return State(a, b, c, d, np.zeros(4, dtype=np.int64))


def cut(rows: Rows, low: int, high: int) -> Rows:
    """Rows from `low` up to `high`."""
    return Rows._make(a[low:high] if len(a) else a for a in rows)


def run_rows(
    program: Program, rows: Rows, state: State, out: Ints | None = None, sums: Ints | None = None
) -> None:
    """Walk rows; writes payments by layer and adds them up by kind of claim.

    Parameters
    ----------
    program : Program
    rows : Rows
    state : State
        Moved on in place.
    out : ndarray (rows, layers), optional
        Payments of each claim [cents]; of zeros.
    sums : ndarray (combos, layers + 2), optional
        Added to: payments by layer, the patient's part, number of claims.
    """
    paid = None if sums is None else np.zeros((len(sums), len(program.layers)), dtype=np.int64)
    walk_rows(program, rows, state, out, paid)
    if sums is not None and paid is not None:
        sums += with_patient(paid, totals_of(rows, len(sums)))


def walk_rows(program: Program, rows: Rows, state: State, out: Ints | None, paid: Ints | None) -> None:
    """The bare walk: payments of each claim, and added to `paid` (combos, layers), where they are not None."""
    nothing = np.zeros((0, 0), dtype=np.int64)
    _walk(rows, program.tables, state, nothing if out is None else out, nothing if paid is None else paid)


def totals_of(rows: Rows, combos: int) -> Ints:
    """Total cost and number of claims of each kind (combos, 2)."""
    out = np.zeros((combos, 2), dtype=np.int64)
    _add_totals(rows.combo, rows.total, out)
    return out


def with_patient(paid: Ints, totals: Ints) -> Ints:
    """Payments by kind of claim and layer, then the patient's part and the number of claims."""
    return np.column_stack([paid, totals[:, 0] - paid.sum(axis=1), totals[:, 1]])


jit = partial(njit, cache=True, nogil=True, error_model="numpy")
U = np.uint64  # unsigned indices: no check for negative ones


@jit()
def _millionths(amount: int) -> int:
    return np.int64(np.uint64(amount + 500_000) // U(1_000_000))  # type: ignore[return-value]


@jit()
def _raw(edge: Ints, ratio: Ints, base: Ints, first: Any, last: Any, z: int) -> int:
    """Millionths of a cent paid on the first `z` cents above the origin of the segments."""
    k = first
    while k < last and z > edge[k + U(1)]:
        k += U(1)
    return base[k] + ratio[k] * (z - edge[k])


@jit()
def _segmented(
    edge: Ints, ratio: Ints, base: Ints, first: Any, last: Any, from_zero: bool, d: int, cost: int
) -> int:
    """``F``: payment for a running total, in whole cents, half up."""
    if cost <= d:
        return 0
    if from_zero:
        return _millionths(
            _raw(edge, ratio, base, first, last, cost) - _raw(edge, ratio, base, first, last, d)
        )
    return _millionths(_raw(edge, ratio, base, first, last, cost - d))


@jit()
def _walk(rows: Any, t: Any, s: Any, out: Ints, sums: Ints) -> None:
    new, day, months, kinds_of = rows.new, rows.day, rows.month, rows.combo
    totals_of, scope, class_b, class_c, paid = (
        rows.total,
        rows.in_scope,
        rows.class_b,
        rows.class_c,
        rows.paid,
    )
    wages, accounts, aids = rows.wage, rows.account, rows.mutual_aid
    switch_day, carried, year_start, main, covered = t.switch_day, t.carried, t.year_start, t.main, t.covered
    length, code, without, repeat, ceil = t.length, t.code, t.without, t.repeat, t.ceil
    edge, ratio, base = t.edge, t.ratio, t.base
    totals, counts, used, owned, at = s.totals, s.counts, s.used, s.own, s.at
    n = kinds_of.shape[0]
    versions = switch_day.shape[0]
    combos = U(covered.shape[0] // versions)
    slots = owned.shape[0]
    has_b, has_c = class_b.shape[0] > 0, class_c.shape[0] > 0
    has_wage, has_account = wages.shape[0] > 0, accounts.shape[0] > 0
    has_aid, has_paid = aids.shape[0] > 0, paid.shape[0] > 0
    has_scope = scope.shape[0] > 0
    write, add = out.shape[0] > 0, sums.shape[0] > 0
    below = np.zeros(slots, dtype=np.int64)
    uses_below = without.any()
    low, high = np.int64(0), np.int64(-1)  # months of the benefit year at hand; empty at first
    if at[3]:
        low = at[2] * 12 + year_start[U(at[1])]
        high = low + 11
    for i in range(n):
        combo, total = U(kinds_of[i]), totals_of[i]
        v = U(0)
        for k in range(1, versions):
            if day[i] >= switch_day[k]:
                v = U(k)
        month = months[i]
        if new[i] or month < low or month > high or np.int64(v) != at[1]:
            year = (month - year_start[v]) // 12
            low = year * 12 + year_start[v]
            high = low + 11
            if new[i] or not at[3] or year != at[2]:
                for k in range(totals.shape[0]):
                    totals[k] = 0
                    counts[k] = 0
                for k in range(used.shape[0]):
                    used[k] = 0
                for k in range(slots):
                    owned[k] = 0
                at[0] = accounts[i] if has_account else 0
                at[2] = year
                at[3] = 1
            elif np.int64(v) != at[1] and not carried[v]:
                for k in range(totals.shape[0]):
                    totals[k] = 0
                    counts[k] = 0
                for k in range(used.shape[0]):
                    used[k] = 0
                for k in range(slots):
                    owned[k] = 0
            at[1] = np.int64(v)
        left = total
        if not covered[v * combos + combo]:
            amount = min(paid[i] if has_paid else 0, left)
            slot = U(main[v])
            if write:
                out[i, slot] = amount
            if add:
                sums[combo, slot] += amount
            continue
        cost = scope[i] if has_scope else total
        wage = wages[i] if has_wage else 0
        by_others = 0
        by_account = 0
        off = (v * combos + combo) * U(slots * STRIDE)
        for _ in range(length[v]):
            kind = code[off + U(KIND)]
            flags = code[off + U(FLAGS)]
            slot = U(code[off + U(SLOT)])
            if uses_below:
                below[slot] = 0
            if kind == 0:
                off += U(STRIDE)
                continue
            counted = left
            if kind == 1 or kind == 2:
                if flags & ~(OWN | FROM_ZERO | HAS_CAP | HAS_STOP | WAGE_DEDUCTIBLE | WITHOUT):
                    b = class_b[i] if has_b else 0
                    c = class_c[i] if has_c else 0
                    first_ = _millionths(code[off + U(FIRST_B)] * b) if flags & ITEM_B else 0
                    last_ = _millionths(code[off + U(FIRST_C)] * c) if flags & ITEM_C else c
                    counted = total - first_ - (last_ if flags & ITEM_C else 0)
                    if not flags & TOTAL:
                        counted = cost - first_ + c - last_
                    if flags & OWN:
                        counted -= by_others + (by_account if flags & AFTER_ACCOUNT else 0)
                    if flags & HAS_LESS:
                        counted -= code[off + U(LESS)] + _millionths(code[off + U(LESS_WAGE)] * wage)
                    counted = max(counted, 0)
                else:
                    counted = max(cost - by_others, 0) if flags & OWN else cost
                if flags & WITHOUT:
                    for j in range(slots):
                        if without[slot * U(slots) + U(j)]:
                            counted -= below[j]
                    counted = max(counted, 0)
                if kind == 2:
                    amount = code[off + U(FIXED)] + _millionths(code[off + U(FIXED_WAGE)] * wage)
                    amount = min(amount, counted)
                else:
                    d = code[off + U(DEDUCTIBLE)]
                    if flags & WAGE_DEDUCTIBLE:
                        d += _millionths(code[off + U(DEDUCTIBLE_WAGE)] * wage)
                    acc = code[off + U(ACC)]
                    before = 0
                    if acc >= 0:
                        repeats = code[off + U(REPEATS)]
                        if repeats:
                            m = min(counts[U(acc)], repeats - 1)
                            d = _millionths(d * repeat[U(code[off + U(REPEAT)] + m)])
                            counts[U(acc)] += 1
                        else:
                            before = totals[U(acc)]
                            totals[U(acc)] = before + counted
                    after = before + counted
                    if code[off + U(SEGMENTS)] == 1 and not flags & FROM_ZERO:
                        share = code[off + U(RATIO)]
                        amount = _millionths(share * max(after - d, 0))
                        if acc >= 0:
                            amount -= _millionths(share * max(before - d, 0))
                    else:
                        seg = U(code[off + U(SEGMENT)])
                        end = seg + U(code[off + U(SEGMENTS)] - 1)
                        from_zero = (flags & FROM_ZERO) != 0
                        amount = _segmented(edge, ratio, base, seg, end, from_zero, d, after)
                        if before > d:
                            amount -= _segmented(edge, ratio, base, seg, end, from_zero, d, before)
                    if flags & HAS_CAP:
                        cap = code[off + U(CAP)] + _millionths(code[off + U(CAP_WAGE)] * wage)
                        amount = min(amount, cap)
                    if uses_below:
                        below[slot] = min(after, d) - min(before, d)
            elif kind == 3:
                amount = min(paid[i] if has_paid else 0, left)
            elif kind == 5:
                amount = min(aids[i] if has_aid else 0, left)
            else:
                amount = min(at[0], left)
                at[0] -= amount
            if flags & HAS_STOP:
                limit = code[off + U(STOP)] + _millionths(code[off + U(STOP_WAGE)] * wage)
                own = owned[slot]
                owned[slot] = own + counted - amount
                amount += max(owned[slot] - limit, 0) - max(own - limit, 0)
            count = code[off + U(CEILINGS)]
            if count:
                first = code[off + U(CEILING)]
                for j in range(first, first + count):
                    limit = ceil[U(3 * j + 1)] + _millionths(ceil[U(3 * j + 2)] * wage)
                    amount = min(amount, max(limit - used[U(ceil[U(3 * j)])], 0))
                amount = min(amount, left)
                for j in range(first, first + count):
                    used[U(ceil[U(3 * j)])] += amount
            amount = min(amount, left)
            left -= amount
            if flags & OWN_ACCOUNT_PAYS:
                by_account += amount
            else:
                by_others += amount
            if write:
                out[i, slot] = amount
            if add:
                sums[combo, slot] += amount
            off += U(STRIDE)


@jit()
def _add_totals(combo: Any, total: Ints, out: Ints) -> None:
    for i in range(combo.shape[0]):
        c = U(combo[i])
        out[c, 0] += total[i]
        out[c, 1] += 1


@jit()
def count_members(ordinal: Ints, combo: Any, last: Ints, out: Ints) -> None:
    """Add the members that have claims of each combo; `last` holds each combo's latest member across batches."""
    for i in range(combo.shape[0]):
        c = U(combo[i])
        if last[c] != ordinal[i]:
            last[c] = ordinal[i]
            out[c] += 1
