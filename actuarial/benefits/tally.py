"""Claims under several schedules at once, added up by kind of claim and by random group of members.

The groups carry the sampling error: the bootstrap redraws them with replacement. Up to :data:`GROUPS` members each is
a group by itself; beyond, members are dealt to that many groups by a hash of their place in the order of members,
which is the same on every engine. The variance of a sum over members is estimated without bias either way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actuarial.benefits.columns import Combos, check_columns
from actuarial.benefits.kernel import Rows, count_members, new_state, run_rows
from actuarial.benefits.program import Program, compile_program, wanted_columns
from actuarial.benefits.repricing import RESIDENT_ROWS, Resident, batches
from actuarial.benefits.schedule import PATIENT, BenefitSchedule
from actuarial.errors import Fault, InputError
from actuarial.results import Source
from actuarial.tables import ClaimsTable

Floats = NDArray[np.float64]
GROUPS = 2000
BANDS = (0, 1_000, 5_000, 10_000, 30_000, 60_000, 100_000)
"""Lower edges of the bands of a claim's total cost in fit reports [yuan]."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over claims [yuan].

    Parameters
    ----------
    combos : tuple of tuple of str
        Kinds of claim.
    programs : tuple of Program
        One for each variant.
    fund : ndarray (variants, groups, combos)
        Borne by the chosen accounts.
    own : ndarray (variants, combos)
        The patient's part.
    paid : ndarray (groups, combos)
        What was actually paid by the fund.
    cost : ndarray (combos,)
        Total cost.
    claims : ndarray (combos,)
    persons : ndarray (combos,)
        Members with claims of each kind.
    bands : ndarray (2, combos, bands)
        Under the first variant, and as paid, by band of the claim's total cost.
    band_persons : ndarray (combos, bands)
        Members with claims of each kind and band.
    equal : ndarray (combos, bands)
        Claims that the first variant pays to the cent as they were paid.
    counts : ndarray (combos, bands)
    months : ndarray (variants, months)
        Borne by the chosen accounts, by month of service from `first_month`.
    first_month : int
    members : int
    """

    combos: tuple[tuple[str, ...], ...]
    programs: tuple[Program, ...]
    fund: Floats
    own: Floats
    paid: Floats
    cost: Floats
    claims: Floats
    persons: NDArray[np.int64]
    bands: Floats
    band_persons: NDArray[np.int64]
    equal: Floats
    counts: Floats
    months: Floats
    first_month: int
    members: int
    sources: tuple[Source, ...]


def _group(ordinal: NDArray[np.int64], members: int | None) -> NDArray[np.int64]:
    """Group of each member by its place in the order."""
    if members is not None and members <= GROUPS:
        return ordinal
    z = ordinal.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) % np.uint64(GROUPS)).astype(np.int64)


def chunks(
    claims: ClaimsTable | Resident | Any, recode: Mapping[str, Mapping[str, str]]
) -> tuple[Any, Combos, int | None, int]:
    """Batches of rows, their combos, the number of members where it is known, and of rows."""
    if isinstance(claims, ClaimsTable) and claims.rows <= RESIDENT_ROWS:
        claims = Resident.of(claims)
    if isinstance(claims, Resident):
        resident = claims.recoded(recode)
        n = len(resident.rows.combo)
        return [(resident.rows, n, resident.sources)], resident.combos, int(resident.rows.new.sum()), n
    combos = Combos(recode=recode)
    return batches(claims, combos), combos, None, int(getattr(claims, "rows", 0))


def tally(
    claims: Any,
    variants: Sequence[tuple[BenefitSchedule, ...]],
    accounts: Sequence[str],
    *,
    recode: Mapping[str, Mapping[str, str]] | None = None,
) -> Tally:
    """Add claims up under each variant.

    Parameters
    ----------
    claims : ClaimsTable, Resident or path of a sorted file
    variants : sequence of tuples of BenefitSchedule
    accounts : sequence of str
        Whose payments count as the fund's.
    recode : mapping, optional
        See :func:`actuarial.benefits.repricing.reprice`.

    Raises
    ------
    InputError
        If there are no claims, or they lack a column or a word.
    """
    stream, combos, members, _ = chunks(claims, recode or {})
    work = _Sums(variants, set(accounts), members)
    sources: tuple[Source, ...] = ()
    for rows, _n, found in stream:
        sources = found
        work.add(rows, combos, str(getattr(claims, "file", claims)))
    if not work.programs:
        raise InputError([Fault("table.empty")])
    return work.done(combos, sources)


class _Sums:
    """Running sums in cents; they grow when new kinds of claim come in."""

    def __init__(
        self, variants: Sequence[tuple[BenefitSchedule, ...]], accounts: set[str], members: int | None
    ) -> None:
        self.variants, self.accounts, self.members = variants, accounts, members
        self.groups = members if members is not None and members <= GROUPS else GROUPS
        self.programs: list[Program] = []
        self.states: list[Any] = []
        self.seen = 0
        self.first_month: int | None = None
        self.shape = 0
        v, g = len(variants), self.groups
        self.fund, self.own = np.zeros((v, g, 0)), np.zeros((v, 0))
        self.paid, self.cost, self.claims = np.zeros((g, 0)), np.zeros(0), np.zeros(0)
        self.persons, self.last = (np.zeros(0, dtype=np.int64) for _ in range(2))
        self.band_persons, self.band_last = (np.zeros((0, len(BANDS)), dtype=np.int64) for _ in range(2))
        self.bands, self.equal = np.zeros((2, 0, len(BANDS))), np.zeros((0, len(BANDS)))
        self.counts = np.zeros((0, len(BANDS)))
        self.months = np.zeros((v, 600))

    def add(self, rows: Rows, combos: Combos, file: str) -> None:
        """One batch under every variant."""
        if len(combos.known) > self.shape or not self.programs:
            self._grow(combos, rows, file)
        c = self.shape
        ordinal = self.seen + np.cumsum(rows.new, dtype=np.int64) - 1
        self.seen = int(ordinal[-1]) + 1 if len(ordinal) else self.seen
        cell = _group(ordinal, self.members) * c + rows.combo
        if self.first_month is None and len(rows.month):
            self.first_month = (
                int(rows.month.min()) - 240
            )  # room for claims of earlier months in later batches
        month = np.clip(rows.month - (self.first_month or 0), 0, self.months.shape[1] - 1)
        paid = rows.paid if len(rows.paid) else np.zeros(len(rows.combo), dtype=np.int64)
        band = np.searchsorted(np.array(BANDS[1:]) * 100, rows.total, side="right")
        spot = rows.combo.astype(np.int64) * len(BANDS) + band
        size = c * len(BANDS)
        for v, program in enumerate(self.programs):
            out = np.zeros((len(rows.combo), len(program.layers)), dtype=np.int64)
            run_rows(program, rows, self.states[v], out)
            mine = [n for n, a in enumerate(program.accounts) if a in self.accounts]
            fund = out[:, mine].sum(axis=1)
            self.fund[v] += np.bincount(cell, fund, self.groups * c).reshape(self.groups, c)
            self.months[v] += np.bincount(month, fund, self.months.shape[1])
            self.own[v] += np.bincount(rows.combo, rows.total - out.sum(axis=1), c)
            if v == 0:
                self.bands[0] += np.bincount(spot, fund, size).reshape(c, -1)
                self.bands[1] += np.bincount(spot, paid, size).reshape(c, -1)
                self.equal += np.bincount(spot, fund == paid, size).reshape(c, -1)
                self.counts += np.bincount(spot, minlength=size).reshape(c, -1)
        self.paid += np.bincount(cell, paid, self.groups * c).reshape(self.groups, c)
        self.cost += np.bincount(rows.combo, rows.total, c)
        self.claims += np.bincount(rows.combo, minlength=c)
        count_members(ordinal + 1, rows.combo, self.last, self.persons)
        count_members(ordinal + 1, spot, self.band_last.reshape(-1), self.band_persons.reshape(-1))

    def _grow(self, combos: Combos, rows: Rows, file: str) -> None:
        more = len(combos.known) - self.shape
        self.programs = [compile_program(s, combos.known) for s in self.variants]
        for program in self.programs:
            check_columns(rows, wanted_columns(program), file)
        self.states = self.states or [new_state(p) for p in self.programs]
        for name, axis in (("fund", 2), ("own", 1), ("paid", 1), ("cost", 0), ("claims", 0), ("persons", 0), ("last", 0), ("band_persons", 0), ("band_last", 0), ("bands", 1), ("equal", 0), ("counts", 0)):  # fmt: skip
            old = getattr(self, name)
            pad = [(0, more if k == axis else 0) for k in range(old.ndim)]
            setattr(self, name, np.pad(old, pad))
        self.shape = len(combos.known)

    def done(self, combos: Combos, sources: tuple[Source, ...]) -> Tally:
        """In yuan; months without claims at the ends left out."""
        used = np.flatnonzero(self.months.any(axis=0))
        low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
        return Tally(
            tuple(combos.known), tuple(self.programs), self.fund / 100, self.own / 100, self.paid / 100,
            self.cost / 100, self.claims, self.persons, self.bands / 100, self.band_persons, self.equal, self.counts,
            self.months[:, low:high] / 100, (self.first_month or 0) + low, self.seen, sources,
        )  # fmt: skip


__all__ = ["BANDS", "GROUPS", "PATIENT", "Tally", "tally"]
