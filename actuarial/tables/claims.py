"""Claim tables: one row a claim, read from a file or from the frame that the user has, checked and normalised.

The work is Narwhals expressions over the source itself: pandas, Polars, a DuckDB relation, a PySpark frame;
files are read by DuckDB. What comes out is a frame of the same kind with one name and one unit for everything:

=================================  ==========================================================================
``claim_id``, ``member_id``        text; members hashed where a salt is given
``service_date_day``, ``…_month``  days since 1970-01-01; year × 12 + month − 1
``payment_date_day``, ``…_month``  the same; ``NO_DAY`` and −1 where the claim is not paid
``category``, ``level``            identifiers of known words, else the word
``fund_payment_cents``, …          int64 cents: exact sums on every engine
``age``, ``sex``, ``poor``, …      −1 or the empty text where not known
=================================  ==========================================================================

Decisions
---------
* Every fault is found before anything is refused, each with its number and first places; a member identifier
  is never part of a message.
* Negative lines are netted first (:mod:`actuarial.tables.reversals`).
* `accept` keeps rows with a fault, `drop` leaves them out; both are told as notes, with their number.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.results import Result, Source
from actuarial.tables.checking import Checks
from actuarial.tables.claim_columns import HeadingFinder, Pick, cells_of, picked
from actuarial.tables.columns import kinds
from actuarial.tables.engine import Scratch, count, gather, lazy, look_up, staged, total
from actuarial.tables.exposure import ExposureTable, check_enrolment
from actuarial.tables.grids import Sheets
from actuarial.tables.intake import fingerprint, month_number, prepared
from actuarial.tables.normal import NO_DAY, flag, worked_out
from actuarial.tables.reversals import is_negative, match_reversals, netted
from actuarial.tables.sources import Opened, damaged, open_source
from actuarial.tables.table import Note
from actuarial.tables.terms import term_id

Year = int | tuple[str, str]


@dataclass(frozen=True, eq=False)
class ClaimsTable(Result):
    """Checked claims.

    Parameters
    ----------
    frame : frame
        The user's kind of frame with the columns named in :mod:`actuarial.tables.claims`.
    file : str
        Name of the source.
    rows : int
        Number of claims, reversals netted.
    notes : tuple of Note
        What was found and tolerated.
    months : tuple of int
        First and last month of service, as ``year × 12 + month − 1``.
    paid : bool
        Whether there are payment dates.
    salted : str
        Fingerprint of the salt, empty where members are not hashed.
    """

    frame: Any
    file: str
    rows: int
    notes: tuple[Note, ...]
    months: tuple[int, int]
    paid: bool
    salted: str = ""
    scratch: Scratch | None = None

    @property
    def lazy(self) -> nw.LazyFrame[Any]:
        """The frame for Narwhals expressions."""
        return lazy(self.frame)

    @property
    def table(self) -> pd.DataFrame:
        """All claims as pandas: dates, and money in yuan; brings every row into memory."""
        rows = gather(self.lazy.sort("service_date_day", "claim_id"))
        out: dict[str, Any] = {}
        for name in rows.columns:
            if name.endswith("_day"):
                days = rows[name].where(rows[name] != NO_DAY)
                out[name.removesuffix("_day")] = pd.to_datetime(days.astype("float64"), unit="D")
            elif name.endswith("_cents"):
                out[name.removesuffix("_cents")] = rows[name] / 100
            elif not name.endswith("_month"):
                out[name] = rows[name]
        return pd.DataFrame(out)

    def summary(self, lang: str | None = None) -> str:
        """Source, number of claims, and the notes."""
        return "\n".join([f"{self.file}: {self.rows:,}", *(n.message(lang) for n in self.notes)])

    def _repr_html_(self) -> str:
        return f"<pre>{self.summary().replace('&', '&amp;').replace('<', '&lt;')}</pre>"


def read_claims(
    source: Any,
    *,
    unit: str | None = None,
    sheet: Sheets = None,
    year: Year | None = None,
    exposure: ExposureTable | None = None,
    salt: str | None = None,
    encoding: str | None = None,
    accept: Collection[str] = (),
    drop: Collection[str] = (),
) -> ClaimsTable:
    """Read and check claims.

    Parameters
    ----------
    source : path or frame
        ``.csv`` (UTF-8, GB18030), ``.xlsx``, ``.xls``, ``.parquet``; pandas, Polars, a DuckDB relation, PySpark.
    unit : str, optional
        Unit of the columns of money whose heading states none: ``元``, ``万元``, ``yuan``. Never guessed.
    sheet : str or sequence of str, optional
        Sheet of a workbook; the first if not given. Several, or ``"*"`` for all that are not empty, are stacked.
    year : int or (str, str), optional
        Year of service, or its first and last month (``("2012-07", "2013-06")``); claims outside are faults.
    exposure : ExposureTable, optional
        Who was insured when; claims without it are faults. Both need the same `salt`.
    salt : str, optional
        Members are hashed with it on the way in (keyed BLAKE2b); see :func:`new_salt`.
    encoding : str, optional
        Of a text file that is neither UTF-8, UTF-16 nor GB18030, such as ``big5``.
    accept, drop : collection of str
        Codes of faults (``claims.outside_year``) whose rows are kept, or left out, with a note.
        Cells that cannot be read can be left out, not kept.

    Raises
    ------
    InputError
        With every fault.

    Examples
    --------
    >>> frame = pd.DataFrame({"claim_id": ["1", "2"], "member_id": ["a", "b"], "category": ["住院", "门诊统筹"],
    ...     "service_date": ["2013-01-31", "2013年2月1日"], "基金支付（元）": ["1,200.50", "30"]})
    >>> claims = read_claims(frame)
    >>> claims.table[["category", "fund_payment"]].values.tolist()
    [['inpatient', 1200.5], ['outpatient_pooling', 30.0]]
    """
    table, faults = _read(source, unit, sheet, year, exposure, salt, encoding, accept, drop)
    if faults:
        raise InputError(faults)
    assert table is not None
    return table


def check_claims(source: Any, **options: Any) -> tuple[list[Fault], list[Note]]:
    """What :func:`read_claims` would refuse and note, without raising; takes the same options.

    Examples
    --------
    >>> faults, notes = check_claims(pd.DataFrame({"claim_id": ["1"], "member_id": ["a"]}))
    >>> [f.code for f in faults]
    ['table.missing_column', 'table.missing_column', 'table.missing_column']
    """
    given = {"unit": None, "sheet": None, "year": None, "exposure": None, "salt": None, "encoding": None,
             "accept": (), "drop": (), **options}  # fmt: skip
    notes: list[Note] = []
    try:
        table, faults = _read(source, **given, notes=notes)
    except InputError as error:  # no such file, no heading: nothing more can be looked at
        return list(error.faults), notes
    return faults, list(table.notes) if table else notes


def _read(source: Any, *rest: Any, **options: Any) -> tuple[ClaimsTable | None, list[Fault]]:
    """:func:`_read_source`, where a file that its engine gives up on half way is refused in our words."""
    import duckdb

    try:
        return _read_source(source, *rest, **options)
    except duckdb.Error as error:
        if not isinstance(source, str | os.PathLike):
            raise
        raise InputError([damaged(Path(source).name, error)]) from error


def _read_source(
    source: Any,
    unit: str | None,
    sheet: Sheets,
    year: Year | None,
    exposure: ExposureTable | None,
    salt: str | None,
    encoding: str | None,
    accept: Collection[str],
    drop: Collection[str],
    notes: list[Note] | None = None,
) -> tuple[ClaimsTable | None, list[Fault]]:
    kind = kinds()["claims"]
    opened = open_source(source, sheet, encoding, HeadingFinder(kind))
    picks, faults, unused = picked(opened, kind, unit)
    cells, more = cells_of(opened, kind, picks)
    checks = Checks(opened, picks, accept, drop, [*faults, *more], unused)
    if notes is not None:
        checks.notes = notes
        notes += unused
    if exposure is not None and exposure.salted != fingerprint(salt):
        checks.faults.append(Fault("claims.salt_differs", opened.name))
        exposure = None
    if not cells or more:
        return None, checks.faults
    frame = prepared(opened, worked_out(opened.frame, list(cells.values())), salt, checks)
    if frame is None:
        return None, checks.faults
    frame = _row_checks(checks, frame, year)
    if set(kind.required) <= set(picks):
        frame = _duplicates(checks, frame)
        frame = _net(checks, frame)
        if exposure is not None:
            frame = check_enrolment(checks, frame, exposure)
    if checks.faults:
        return None, checks.faults
    return _table(opened, frame, picks, salt, checks), []


def _table(
    opened: Opened, frame: nw.LazyFrame[Any], picks: dict[str, Pick], salt: str | None, checks: Checks
) -> ClaimsTable:
    if "payment_date" not in picks:
        frame = frame.with_columns(payment_date_day=nw.lit(NO_DAY), payment_date_month=nw.lit(-1))
    outward = [c for c in frame.columns if c.partition("_")[0] not in INWARD and c != "reversal_of"]
    frame = staged(_identified(frame.select(outward)), None, "claims")
    ends = gather(
        frame.select(
            n=nw.len(), low=nw.col("service_date_month").min(), high=nw.col("service_date_month").max()
        )
    ).iloc[0]
    if not int(ends["n"]):
        raise InputError([Fault("table.empty", opened.name, opened.sheet)])
    return ClaimsTable(
        nw.to_native(frame), opened.name, int(ends["n"]), tuple(checks.notes),
        (int(ends["low"]), int(ends["high"])), "payment_date" in picks, fingerprint(salt), opened.scratch,
        sources=(Source("claims", opened.name),),
    )  # fmt: skip


INWARD = {"row", "raw", "key", "empty", "bad", "huge", "fine", "impossible", "lost", "odd"}


def _identified(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Words of category, level, place, group and disease replaced by their identifiers."""
    for name in (c for c in ("category", "level", "place", "group", "disease") if c in frame.columns):
        words = [str(w) for w in gather(frame.select(name).unique())[name]]
        expr = nw.col(name)
        for word in sorted(w for w in words if term_id(w) != w):
            expr = nw.when(nw.col(name) == word).then(nw.lit(term_id(word))).otherwise(expr)
        frame = frame.with_columns(**{name: expr})
    return frame


# --------------------------------------------------------------------------- checks


def _row_checks(checks: Checks, frame: nw.LazyFrame[Any], year: Year | None) -> nw.LazyFrame[Any]:
    """Everything that one row shows by itself."""
    have, tests = set(frame.columns), {}
    col = nw.col
    service, pay = col("service_date_day"), col("payment_date_day")
    if "empty_payment_date" in have:
        unpaid = total(frame, ["empty_payment_date"])["empty_payment_date"]
        if unpaid:
            hits = frame.filter(col("empty_payment_date") == 1).select("row_")
            checks.report("claim_words.unpaid", unpaid, hits, "payment_date")
        frame = frame.drop("empty_payment_date")
        tests["claims.payment_before_service"] = flag((pay < service) & (pay != NO_DAY) & (service != NO_DAY))
    if year is not None and "service_date_month" in have:
        first, last = (f"{year}-01", f"{year}-12") if isinstance(year, int) else year
        checks.limits = {"first": first, "last": last}
        month = col("service_date_month")
        outside = (month < month_number(first)) | (month > month_number(last))
        tests["claims.outside_year"] = flag(outside & (month != -1))
    fund, whole, scope = (col(f"{n}_cents") for n in ("fund_payment", "total_cost", "in_scope_cost"))
    known = (col("bad_total_cost") + col("empty_total_cost") == 0) & (whole >= 0)
    if {"fund_payment_cents", "total_cost_cents"} <= have:
        tests["claims.fund_over_total"] = flag((fund > whole) & known)
    if {"in_scope_cost_cents", "total_cost_cents"} <= have:
        tests["claims.scope_over_total"] = flag((scope > whole) & known)
    return checks.flagged(frame, tests)


def _duplicates(checks: Checks, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Rows that repeat another, and claim numbers used twice; a reversal may bear its original's number."""
    frame_ = frame.with_columns(minus_=flag(is_negative(frame)))
    keys = ["claim_id", "minus_"]
    quick = ["key_claim_id" if "key_claim_id" in frame.columns else "claim_id", "minus_"]
    twice = frame_.group_by(*quick).agg(n_=nw.len())
    twice = staged(twice.filter(nw.col("n_") > 1).select(*quick), None, "twice")
    if not count(twice):
        return frame
    content = [c for c in frame_.columns if c.partition("_")[0] not in INWARD]
    rows = frame_.join(twice, on=quick, how="semi").filter(nw.col("claim_id") != "")
    rows = staged(rows.select("row_", *content), None, "rows")
    first = rows.group_by(*content).agg(first_=nw.col("row_").min(), n_=nw.len())
    firsts = first.select(row_=nw.col("first_"))
    copies = rows.join(firsts, on="row_", how="anti").select("row_")
    kept = rows.join(firsts, on="row_", how="semi")
    lowest = kept.group_by(*keys).agg(first_=nw.col("row_").min()).select(row_=nw.col("first_"))
    frame = checks.joined(frame, "claims.duplicate_row", copies)
    others = kept.join(lowest, on="row_", how="anti").select("row_")
    return checks.joined(frame, "claims.duplicate_id", others, "claim_id")


def _net(checks: Checks, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Net the negative lines; those without an original are faults."""
    found = match_reversals(frame)
    if not found.count and not found.unmatched:
        return frame
    if found.unmatched:
        rows = look_up(frame, pd.DataFrame({"row_": found.unmatched}))
        frame = checks.joined(frame, "claims.unmatched_reversal", rows, "fund_payment")
    if found.count:
        params = {"count": found.count, "amount": f"{found.cents / 100:,.2f}"}
        checks.notes.append(Note("claim_words.reversals", params, checks.opened.name))
    return frame if checks.faults else netted(frame, found)
