"""The walk over members' claims, compiled: one kernel for frames, files, what-ifs and Spark.

It does in integer arithmetic what :mod:`actuarial.benefits.walk` does in plain Python, claim by claim in the
order of member, day and number, and carries its state from one batch to the next. Rows of different members
never meet, so members can be dealt to threads or partitions in any way and the cents are the same.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actuarial.benefits.program import Program
from actuarial.benefits.schedule import PPM


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
        Payments of each claim [cents].
    sums : ndarray (combos, layers + 2), optional
        Added to: payments by layer, the patient's part, number of claims.
    """
    nothing = np.zeros((0, 0), dtype=np.int64)
    _walk(rows, program.tables, state, nothing if out is None else out, nothing if sums is None else sums)


@njit(cache=True, nogil=True, inline="always")
def _millionths(amount: int) -> int:
    return (amount + 500_000) // 1_000_000


@njit(cache=True, nogil=True, inline="always")
def _raw(edge: Ints, ratio: Ints, base: Ints, first: int, count: int, z: int) -> int:
    """Millionths of a cent paid on the first `z` cents above the origin of the segments."""
    k = first
    last = first + count - 1
    while k < last and z > edge[k + 1]:
        k += 1
    return base[k] + ratio[k] * (z - edge[k])


@njit(cache=True, nogil=True, inline="always")
def _curve(t: Any, c: int, d: int, cost: int) -> int:
    if cost <= d:
        return 0
    first, count = t.c_seg[c, 0], t.c_seg[c, 1]
    if t.c_from_zero[c]:
        amount = _raw(t.edge, t.ratio, t.base, first, count, cost) - _raw(
            t.edge, t.ratio, t.base, first, count, d
        )
    else:
        amount = _raw(t.edge, t.ratio, t.base, first, count, cost - d)
    return _millionths(amount)


@njit(cache=True, nogil=True)
def _walk(rows: Any, t: Any, s: Any, out: Ints, sums: Ints) -> None:
    n = rows.combo.shape[0]
    versions = t.switch_day.shape[0]
    slots = t.order.shape[1]
    has_b, has_c = rows.class_b.shape[0] > 0, rows.class_c.shape[0] > 0
    has_wage, has_account = rows.wage.shape[0] > 0, rows.account.shape[0] > 0
    has_aid, has_paid = rows.mutual_aid.shape[0] > 0, rows.paid.shape[0] > 0
    has_scope = rows.in_scope.shape[0] > 0
    write, add = out.shape[0] > 0, sums.shape[0] > 0
    below = np.zeros(slots, dtype=np.int64)
    for i in range(n):
        day, combo, total = rows.day[i], rows.combo[i], rows.total[i]
        v = 0
        for k in range(1, versions):
            if day >= t.switch_day[k]:
                v = k
        year = (rows.month[i] - t.year_start[v]) // 12
        if rows.new[i] or not s.at[3] or year != s.at[2]:
            s.totals[:] = 0
            s.counts[:] = 0
            s.used[:] = 0
            s.own[:] = 0
            s.at[0] = rows.account[i] if has_account else 0
            s.at[1] = v
            s.at[2] = year
            s.at[3] = 1
        if v != s.at[1]:
            if not t.carried[v]:
                s.totals[:] = 0
                s.counts[:] = 0
                s.used[:] = 0
                s.own[:] = 0
            s.at[1] = v
        left = total
        if not t.covered[v, combo]:
            amount = min(rows.paid[i] if has_paid else 0, left)
            slot = t.main[v]
            if write:
                out[i, slot] = amount
            if add:
                sums[combo, slot] += amount
                sums[combo, slots] += left - amount
                sums[combo, slots + 1] += 1
            continue
        in_scope = rows.in_scope[i] if has_scope else total
        b = rows.class_b[i] if has_b else 0
        cc = rows.class_c[i] if has_c else 0
        wage = rows.wage[i] if has_wage else 0
        by_others = 0
        by_account = 0
        for k in range(slots):
            slot = t.order[v, k]
            if slot < 0:
                break
            c = t.cell[v, slot, combo]
            kind = t.c_kind[c]
            below[slot] = 0
            if kind == 0:
                continue
            counted = left
            if kind == 3:
                amount = min(rows.paid[i] if has_paid else 0, left)
            elif kind == 5:
                amount = min(rows.mutual_aid[i] if has_aid else 0, left)
            elif kind == 4:
                amount = min(s.at[0], left)
                s.at[0] -= amount
            else:
                of = t.of[v, slot]
                first = _millionths(t.c_first[c, 0] * b) if t.c_first[c, 0] else 0
                if of == 1 or of == 3:
                    if t.c_first[c, 1] != PPM:
                        first += _millionths(t.c_first[c, 1] * cc)
                    counted = total - first
                else:
                    counted = in_scope - first
                    if t.c_first[c, 1] != PPM:
                        counted += cc - _millionths(t.c_first[c, 1] * cc)
                if of >= 2:
                    counted -= by_others
                    if t.after_account[v, slot]:
                        counted -= by_account
                counted -= t.c_money[c, 8]
                if t.c_money[c, 9]:
                    counted -= _millionths(t.c_money[c, 9] * wage)
                counted = max(counted, 0)
                for j in range(slots):
                    if t.without[v, slot, j]:
                        counted -= below[j]
                counted = max(counted, 0)
                if kind == 2:
                    amount = min(t.c_money[c, 2] + _millionths(t.c_money[c, 3] * wage), counted)
                else:
                    d = t.c_money[c, 0]
                    if t.c_money[c, 1]:
                        d += _millionths(t.c_money[c, 1] * wage)
                    before = 0
                    acc = t.c_acc[c]
                    repeats = t.c_rep[c, 1]
                    if repeats:
                        m = min(s.counts[acc], repeats - 1)
                        d = _millionths(d * t.repeat[t.c_rep[c, 0] + m])
                        s.counts[acc] += 1
                    elif acc >= 0:
                        before = s.totals[acc]
                        s.totals[acc] += counted
                    after = before + counted
                    amount = _curve(t, c, d, after)
                    if before:
                        amount -= _curve(t, c, d, before)
                    if t.c_has[c, 0]:
                        amount = min(amount, t.c_money[c, 4] + _millionths(t.c_money[c, 5] * wage))
                    below[slot] = min(after, d) - min(before, d)
            if t.c_has[c, 1]:
                limit = t.c_money[c, 6] + _millionths(t.c_money[c, 7] * wage)
                own = s.own[slot]
                s.own[slot] = own + counted - amount
                amount += max(s.own[slot] - limit, 0) - max(own - limit, 0)
            first, count = t.c_ceil[c, 0], t.c_ceil[c, 1]
            for j in range(first, first + count):
                limit = t.ceil[j, 1] + _millionths(t.ceil[j, 2] * wage)
                amount = min(amount, max(limit - s.used[t.ceil[j, 0]], 0))
            amount = min(amount, left)
            for j in range(first, first + count):
                s.used[t.ceil[j, 0]] += amount
            left -= amount
            if t.own_account[v, slot]:
                by_account += amount
            else:
                by_others += amount
            if write:
                out[i, slot] = amount
            if add:
                sums[combo, slot] += amount
        if add:
            sums[combo, slots] += left
            sums[combo, slots + 1] += 1


@njit(cache=True, nogil=True)
def count_members(ordinal: Ints, combo: Any, last: Ints, out: Ints) -> None:
    """Add the members that have claims of each combo; `last` holds each combo's latest member across batches."""
    for i in range(combo.shape[0]):
        c = combo[i]
        if last[c] != ordinal[i]:
            last[c] = ordinal[i]
            out[c] += 1
