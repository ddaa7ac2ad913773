"""Repricing: claims under a schedule, to the cent, split by who bears them.

:func:`reprice` takes claims from any engine, or a file made by :func:`sort_claims`; :class:`Resident` keeps sorted
columns in memory for what-ifs, where one run of ten million claims takes a fraction of a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.benefits.columns import Combos, arrow_batches, check_columns, concatenate, recoded, rows_of
from actuarial.benefits.kernel import (
    Rows,
    cut,
    new_state,
    run_rows,
    totals_of,
    walk_rows,
    with_patient,
)  # fmt: skip
from actuarial.benefits.loading import load_schedule
from actuarial.benefits.program import Program, compile_program, wanted_columns
from actuarial.benefits.schedule import DEFAULTS, PATIENT, BenefitSchedule
from actuarial.errors import DataWarning, Fault, InputError, warn
from actuarial.results import Result, Source
from actuarial.tables import ClaimsTable, labels, term_label
from actuarial.texts import text

Ints = NDArray[np.int64]
Schedules = str | os.PathLike[str] | BenefitSchedule | Sequence[Any]
Progress = Callable[[int, int], None]


def as_schedules(given: Schedules) -> tuple[BenefitSchedule, ...]:
    """One or several schedules, in the order of their dates.

    Raises
    ------
    InputError
        If there is none, or two are in force from the same day.
    """
    listed = [given] if isinstance(given, str | os.PathLike | BenefitSchedule) else list(given)
    loaded = sorted((load_schedule(s) for s in listed), key=lambda s: s.effective_day)
    days = [s.effective_day for s in loaded]
    if not loaded or len(set(days)) != len(days):
        raise InputError(
            [Fault("benefits.schedules", params={"ids": "、".join(s.id for s in loaded) or "-"})]
        )
    return tuple(loaded)


@dataclass(frozen=True, eq=False)
class Repricing(Result):
    """What a schedule pays.

    Parameters
    ----------
    frame : DataFrame
        One row a kind of claim: category, level, place, referral, group, disease, ``claims``, ``covered``, then
        yuan by layer and ``patient``.
    schedules : tuple of BenefitSchedule
    payments : DataFrame or None
        One row a claim, where asked for: ``claim_id``, yuan by layer, ``patient``.
    """

    frame: pd.DataFrame
    schedules: tuple[BenefitSchedule, ...]
    payments: pd.DataFrame | None = None

    @property
    def layers(self) -> dict[str, str]:
        """Layers and who bears them."""
        return {x.id: x.bearer for s in self.schedules for x in s.layers}

    @property
    def table(self) -> pd.DataFrame:
        """By category and level: claims, yuan by bearing account, and the patient's part."""
        keys = ["category", "level"]
        sums = self.frame.groupby(keys, sort=True)[["claims", *self.layers, PATIENT]].sum()
        out = sums[["claims"]].copy()
        for account in dict.fromkeys(self.layers.values()):
            names = [n for n, a in self.layers.items() if a == account]
            out[account] = sums[names].sum(axis=1)
        out[PATIENT] = sums[PATIENT]
        return out.reset_index()

    def paid_by(self, *accounts: str) -> float:
        """Yuan borne by these accounts (``patient`` is one)."""
        names = [n for n, a in self.layers.items() if a in accounts]
        return float(self.frame[[*names, *([PATIENT] if PATIENT in accounts else [])]].to_numpy().sum())

    def summary(self, lang: str | None = None) -> str:
        """The schedule, and yuan by account."""
        table = self.table
        lines = [text("benefits.repriced", lang, name=s.law.name(lang), id=s.id) for s in self.schedules]
        for account in [*dict.fromkeys(self.layers.values()), PATIENT]:
            name = text(f"benefits.account_{account}", lang)
            lines.append(
                text("benefits.account_line", lang, account=name, amount=f"{table[account].sum():,.2f}")
            )
        return "\n".join(lines)


@dataclass(eq=False)
class Resident:
    """Claims in memory, sorted, as columns: for what-ifs.

    Parameters
    ----------
    rows : Rows
    combos : Combos
    claim_ids : ndarray or None
        In the order of the rows.
    file : str
    sources : tuple of Source
    """

    rows: Rows
    combos: Combos
    file: str = ""
    claim_ids: Any = None
    sources: tuple[Source, ...] = ()

    @classmethod
    def of(cls, claims: ClaimsTable | str | os.PathLike[str], *, claim_ids: bool = False) -> Resident:
        """The claims of a table, or of a file made by :func:`sort_claims`."""
        combos, last = Combos(), None
        if not isinstance(claims, ClaimsTable):
            from actuarial.benefits.sorted_file import claim_numbers, sorted_batches

            found = list(sorted_batches(claims, combos))
            numbers = claim_numbers(claims) if claim_ids else None
            name = Path(claims).name
            return cls(concatenate([r for r, _, _ in found]), combos, name, numbers, found[0][2])
        parts, ids = [], []
        for table in arrow_batches(claims):
            rows, last = rows_of(table, combos, last)
            parts.append(rows)
            if claim_ids:
                ids.append(table["claim_id"].to_pandas())
        names = pd.concat(ids, ignore_index=True) if ids else None
        return cls(concatenate(parts), combos, claims.file, names, claims.sources)

    @property
    def borders(self) -> NDArray[np.intp]:
        """Rows at which members begin."""
        return np.flatnonzero(self.rows.new)

    def between(self, first: int, last: int) -> Resident:
        """The claims of some months of service (``year × 12 + month − 1``, both included)."""
        keep = (self.rows.month >= first) & (self.rows.month <= last)
        if keep.all():
            return self
        member = np.cumsum(self.rows.new)[keep]
        kept = Rows._make(a[keep] if len(a) else a for a in self.rows)
        new = np.diff(member, prepend=0).astype(bool).astype(np.uint8)
        ids = None if self.claim_ids is None else self.claim_ids[keep]
        return Resident(kept._replace(new=new), self.combos, self.file, ids, self.sources)

    def scaled(self, factor: float) -> Resident:
        """All costs × `factor`, half up to the cent; what was paid, wages and accounts stay."""

        def grown(x: Ints) -> Ints:
            return np.floor(x * factor + 0.5).astype(np.int64)

        r = self.rows
        rows = r._replace(total=grown(r.total), in_scope=grown(r.in_scope), class_b=grown(r.class_b), class_c=grown(r.class_c), paid=grown(r.paid))  # fmt: skip
        return Resident(rows, self.combos, self.file, self.claim_ids, self.sources)

    def recoded(self, recode: Mapping[str, Mapping[str, str]]) -> Resident:
        """The claims with words mapped, by attribute: ``{"level": {"outside": "prefecture"}}``."""
        if not recode:
            return self
        combos = Combos()
        numbers = [combos.number(recoded(combo, recode)) for combo in self.combos.known]
        rows = self.rows._replace(combo=np.array(numbers, dtype=np.int32)[self.rows.combo])
        return Resident(rows, combos, self.file, self.claim_ids, self.sources)

    def program(self, schedules: Sequence[BenefitSchedule]) -> Program:
        """The schedules compiled for these claims; refuses claims that lack a column."""
        program = compile_program(schedules, self.combos.known)
        check_columns(self.rows, wanted_columns(program), self.file)
        return program

    def run(self, program: Program, *, threads: int = 2, per_claim: bool = False) -> tuple[Ints, Ints | None]:
        """Sums by kind of claim (combos, layers + 2), and payments by claim (rows, layers) where asked for."""
        n, shape = len(self.rows.combo), (len(self.combos.known), len(program.layers))
        out = np.zeros((n, shape[1]), dtype=np.int64) if per_claim else None
        cuts = self.cuts(threads)

        def work(low: int, high: int) -> Ints:
            paid = np.zeros(shape, dtype=np.int64)
            part = None if out is None else out[low:high]
            walk_rows(program, cut(self.rows, low, high), new_state(program), part, paid)
            return paid

        if len(cuts) <= 2:
            return with_patient(work(0, n), self.totals), out
        with ThreadPoolExecutor(threads) as pool:
            paid = np.sum(list(pool.map(work, cuts[:-1], cuts[1:])), axis=0)
        return with_patient(paid, self.totals), out

    @cached_property
    def totals(self) -> Ints:
        """Total cost and number of claims of each kind."""
        return totals_of(self.rows, len(self.combos.known))

    def cuts(self, parts: int) -> list[int]:
        """Rows at which the claims can be cut into about equal parts: where a member begins."""
        n, starts = len(self.rows.combo), self.borders
        wanted = (
            [
                starts[min(int(np.searchsorted(starts, n * k // parts)), len(starts) - 1)]
                for k in range(1, parts)
            ]
            if n
            else []
        )
        return sorted({0, *(int(c) for c in wanted), n})


def reprice(
    claims: ClaimsTable | Resident | str | os.PathLike[str],
    schedule: Schedules,
    *,
    recode: Mapping[str, Mapping[str, str]] | None = None,
    per_claim: bool = False,
    threads: int = 2,
    progress: Progress | None = None,
) -> Repricing:
    """Reprice claims under a schedule.

    Parameters
    ----------
    claims : ClaimsTable, Resident or path
        Checked claims on any engine (a path: a file made by :func:`sort_claims`). They need the costs that the schedule
        counts: ``in_scope_cost``, ``total_cost``, item classes, wage, account.
    schedule : id, path, BenefitSchedule, or several
        Several are dated: a claim is paid by the last one in force on its day of service.
    recode : mapping, optional
        Words of the claims as the schedule calls them, by attribute: ``{"level": {"outside": "prefecture"}}``.
    per_claim : bool
        Also give the payments of every claim (in memory).
    threads : int
        The answer does not depend on it.
    progress : callable, optional
        Called with rows done and rows in all.

    Returns
    -------
    Repricing

    Raises
    ------
    InputError
        If the claims lack a column, a term depends on a word they do not have, or a gap is not read.

    Warns
    -----
    DataWarning
        If there are claims for which the schedule has no rule: they stay as they were paid.

    Examples
    --------
    >>> from actuarial.tables import read_claims
    >>> frame = pd.DataFrame({"claim_id": ["1"], "member_id": ["a"], "category": ["住院"], "level": ["乡镇卫生院"],
    ...     "service_date": ["2011-05-01"], "fund_payment": [640.0], "in_scope_cost": [1000.0], "total_cost": [1100.0]})
    >>> claims = read_claims(frame, unit="yuan")
    >>> found = reprice(claims, "china/jeminay/ncms/basic@2011-04-26")
    >>> found.paid_by("basic_fund"), found.paid_by("patient")
    (850.0, 250.0)
    """
    schedules = as_schedules(schedule)
    if isinstance(claims, Resident):
        resident = claims
    elif per_claim and not isinstance(claims, ClaimsTable):
        resident = Resident.of(claims, claim_ids=True)
    elif isinstance(claims, ClaimsTable) and (per_claim or not _large(claims)):
        from actuarial.benefits.spark import is_spark_table, reprice_spark

        if is_spark_table(claims):
            return reprice_spark(claims, schedules, recode=recode or {}, per_claim=per_claim)
        resident = Resident.of(claims, claim_ids=per_claim)
    else:
        return _streamed(claims, schedules, recode or {}, progress)
    resident = resident.recoded(recode or {})
    program = resident.program(schedules)
    sums, out = resident.run(program, threads=threads, per_claim=per_claim)
    warn_uncovered(program, sums[:, -1])
    if progress is not None:
        progress(len(resident.rows.combo), len(resident.rows.combo))
    payments = None if out is None else _payments(resident, program, out)
    return Repricing(
        frame_of(program, sums), schedules, payments, sources=(*resident.sources, *_sources(schedules))
    )


RESIDENT_ROWS = 4_000_000
"""Claims up to this number are held in memory (about 100 bytes each); more are streamed."""


def _large(claims: ClaimsTable) -> bool:
    from actuarial.benefits.spark import is_spark_table

    return claims.rows > RESIDENT_ROWS and not is_spark_table(claims)


def _streamed(
    claims: Any,
    schedules: tuple[BenefitSchedule, ...],
    recode: Mapping[str, Mapping[str, str]],
    progress: Progress | None,
) -> Repricing:
    """Batch by batch, the state carried across."""
    combos, program, state = Combos(recode=recode), None, None
    sums = np.zeros((0, 0), dtype=np.int64)
    done = 0
    sources: tuple[Source, ...] = ()
    for rows, rows_in_all, found in ahead(batches(claims, combos)):
        sources = found
        if program is None or len(program.combos) < len(combos.known):
            program = compile_program(schedules, combos.known)
            check_columns(rows, wanted_columns(program), str(getattr(claims, "file", claims)))
            grown = np.zeros((len(combos.known), len(program.layers) + 2), dtype=np.int64)
            grown[: len(sums)] = sums if len(sums) else 0
            sums, state = grown, state or new_state(program)
        assert state is not None
        run_rows(program, rows, state, None, sums)
        done += len(rows.combo)
        if progress is not None:
            progress(done, rows_in_all)
    assert program is not None
    warn_uncovered(program, sums[:, -1])
    return Repricing(frame_of(program, sums), schedules, sources=(*sources, *_sources(schedules)))


def batches(claims: Any, combos: Combos) -> Iterator[tuple[Rows, int, tuple[Source, ...]]]:
    """Kernel rows of claims of any size, with the number of rows in all."""
    if isinstance(claims, ClaimsTable):
        last = None
        for table in arrow_batches(claims):
            rows, last = rows_of(table, combos, last)
            yield rows, claims.rows, claims.sources
    else:
        from actuarial.benefits.sorted_file import sorted_batches

        yield from sorted_batches(claims, combos)


def ahead(items: Iterator[Any]) -> Iterator[Any]:
    """The same items; the next is read in a thread while the one at hand is worked on."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item


def warn_uncovered(program: Program, claims: Any) -> None:
    """Say which categories no rule covers, given the number of claims of each kind."""
    missing = [c for c in program.uncovered if claims[program.combos.index(c)]]
    if missing:
        names = sorted({c[0] for c in missing})
        count = sum(int(claims[program.combos.index(c)]) for c in missing)
        warn(
            DataWarning,
            "benefits.uncovered",
            count=f"{count:,}",
            categories="、".join(term_label(n) for n in names),
        )


def frame_of(program: Program, sums: Ints) -> pd.DataFrame:
    """Sums by kind of claim as a frame in yuan, kinds in the order of their words."""
    frame = pd.DataFrame(list(program.combos), columns=list(DEFAULTS))
    frame["claims"] = sums[:, -1]
    frame["covered"] = program.covered
    for n, name in enumerate((*program.layers, PATIENT)):
        frame[name] = sums[:, n] / 100
    return frame.sort_values(list(DEFAULTS), ignore_index=True)


def _payments(resident: Resident, program: Program, out: Ints) -> pd.DataFrame:
    frame = pd.DataFrame({"claim_id": resident.claim_ids})
    for n, name in enumerate(program.layers):
        frame[name] = out[:, n] / 100
    frame[PATIENT] = (resident.rows.total - out.sum(axis=1)) / 100
    return frame


def _sources(schedules: Sequence[BenefitSchedule]) -> tuple[Source, ...]:
    return tuple(s for schedule in schedules for s in schedule.sources)


__all__ = ["PATIENT", "Repricing", "Resident", "as_schedules", "labels", "reprice"]
