"""Exposure: who was insured from when to when, and person-months of it.

A month of which a member was insured on some days counts by its days: 14 of the 29 days of February 2012 are
14/29 of a person-month. Days are summed as integers, so that every engine gives the same figure.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from actuarial.errors import InputError
from actuarial.results import Result, Source
from actuarial.tables.checking import Checks
from actuarial.tables.claim_columns import HeadingFinder, cells_of, picked
from actuarial.tables.columns import kinds
from actuarial.tables.engine import Scratch, count, gather, lazy, look_up, staged
from actuarial.tables.grids import Sheets
from actuarial.tables.intake import fingerprint, prepared
from actuarial.tables.normal import NO_DAY, day_number, flag, worked_out
from actuarial.tables.sources import open_source
from actuarial.tables.table import Note

NO_END = day_number(dt.date(9999, 12, 31))
"""Last day of a spell that has not ended."""


@dataclass(frozen=True, eq=False)
class ExposureTable(Result):
    """Checked spells of enrolment.

    Parameters
    ----------
    frame : frame
        The user's kind of frame: ``member_id``, ``first_day``, ``last_day`` (days since 1970-01-01, both
        included), ``group`` where there is one.
    file : str
        Name of the source.
    members : int
        Number of different members.
    notes : tuple of Note
    salted : str
        Fingerprint of the salt.
    """

    frame: Any
    file: str
    members: int
    notes: tuple[Note, ...] = ()
    salted: str = ""
    scratch: Scratch | None = None

    @property
    def lazy(self) -> nw.LazyFrame[Any]:
        """The frame for Narwhals expressions."""
        return lazy(self.frame)

    @property
    def table(self) -> pd.DataFrame:
        """All spells as pandas, with dates (NaT where a spell has not ended)."""
        rows = gather(self.lazy.sort("member_id", "first_day"))
        open_end = rows["last_day"] == NO_END
        for name in ("first_day", "last_day"):
            days = rows[name].mask(open_end) if name == "last_day" else rows[name]
            rows[name] = pd.to_datetime(days.astype("float64"), unit="D")
        return rows.rename(columns={"first_day": "enrolled_from", "last_day": "enrolled_to"})

    def person_months(self, first: str, months: int, by: str | None = None) -> pd.DataFrame:
        """Person-months of each month.

        Parameters
        ----------
        first : str
            First month, ``2012-02``.
        months : int
            Number of months, 1 or more.
        by : {"group"}, optional
            Columns for each group instead of one for all.

        Returns
        -------
        DataFrame
            Index: the months. Columns: ``person_months`` or the groups [person-months].

        Examples
        --------
        >>> frame = pd.DataFrame({"member_id": ["a", "b"], "enrolled_from": ["2012-01-01", "2012-02-16"],
        ...                       "enrolled_to": ["", "2012-02-29"]})
        >>> read_exposure(frame).person_months("2012-02", 1)["person_months"].round(6).tolist()
        [1.482759]
        """
        periods = pd.period_range(first, periods=months, freq="M")
        days = self.person_days(periods, by)
        return pd.DataFrame(
            {g: [d / p.days_in_month for d, p in zip(row, periods, strict=True)] for g, row in days.items()},
            index=periods.rename("month"),
        )

    def total_months(self, first: str, months: int) -> float:
        """Person-months of all the months together [person-months], correctly rounded."""
        periods = pd.period_range(first, periods=months, freq="M")
        days = self.person_days(periods, None)["person_months"]
        return float(sum(Fraction(d, p.days_in_month) for d, p in zip(days, periods, strict=True)))

    def person_days(self, periods: pd.PeriodIndex, by: str | None) -> dict[str, list[int]]:
        """Person-days of each month, by group (``person_months`` where `by` is None): whole numbers."""
        ends = [
            (day_number(dt.date(p.year, p.month, 1)), calendar.monthrange(p.year, p.month)[1])
            for p in periods
        ]
        covered = {}
        for n, (start, length) in enumerate(ends):
            last = nw.min_horizontal(nw.col("last_day"), nw.lit(start + length - 1))
            span = last - nw.max_horizontal(nw.col("first_day"), nw.lit(start)) + 1
            covered[f"d{n}"] = nw.when(span > 0).then(span).otherwise(nw.lit(0)).cast(nw.Int64)
        names = list(covered)
        key = by or "all_"
        frame = self.lazy if by else self.lazy.with_columns(all_=nw.lit("person_months"))
        frame = frame.with_columns(**covered).group_by(key).agg(*(nw.col(n).sum() for n in names))
        frame = frame.with_columns(*(nw.col(n).cast(nw.Int64) for n in names)).sort(key)
        return {str(r[key]): [int(r[n]) for n in names] for r in gather(frame).to_dict("records")}


def read_exposure(
    source: Any,
    *,
    sheet: Sheets = None,
    salt: str | None = None,
    encoding: str | None = None,
) -> ExposureTable:
    """Read and check spells of enrolment.

    Parameters
    ----------
    source : path or frame
        As in :func:`actuarial.tables.read_claims`; one row a spell, with its first day and, where it has
        ended, its last.
    sheet, salt, encoding : optional
        As in :func:`actuarial.tables.read_claims`.

    Raises
    ------
    InputError
        With every fault: empty or unreadable cells, ends before beginnings, overlapping spells.

    Examples
    --------
    >>> read_exposure(pd.DataFrame({"member_id": ["a"], "enrolled_from": ["2013-01-01"]})).members
    1
    """
    kind = kinds()["exposure"]
    opened = open_source(source, sheet, encoding, HeadingFinder(kind))
    picks, faults, notes = picked(opened, kind, None)
    cells, more = cells_of(opened, kind, picks)
    checks = Checks(opened, picks, faults=[*faults, *more], notes=notes)
    if checks.faults:
        raise InputError(checks.faults)
    frame = prepared(opened, worked_out(opened.frame, list(cells.values())), salt, checks)
    if frame is None:
        raise InputError(checks.faults)
    last = nw.lit(NO_END)
    if "enrolled_to" in picks:
        frame = frame.drop("empty_enrolled_to")
        end = nw.col("enrolled_to_day")
        last = nw.when(end == NO_DAY).then(nw.lit(NO_END)).otherwise(end)
    frame = frame.with_columns(first_day=nw.col("enrolled_from_day"), last_day=last.cast(nw.Int64))
    frame = checks.flagged(frame, {"claims.exposure_order": flag(nw.col("last_day") < nw.col("first_day"))})
    checks.joined(frame, "claims.exposure_overlap", look_up(frame, _overlaps(frame)), "enrolled_from")
    if checks.faults:
        raise InputError(checks.faults)
    group = ["group"] if "group" in picks else []
    frame = staged(frame.select("member_id", "first_day", "last_day", *group), None, "exposure")
    return ExposureTable(
        nw.to_native(frame), opened.name, count(frame.select("member_id").unique()), tuple(checks.notes),
        fingerprint(salt), opened.scratch, sources=(Source("exposure", opened.name),),
    )  # fmt: skip


def _overlaps(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Rows of spells that begin before an earlier spell of the same member has ended."""
    frame = frame.filter((nw.col("member_id") != "") & (nw.col("first_day") != NO_DAY))
    several = frame.group_by("member_id").agg(n_=nw.len()).filter(nw.col("n_") > 1).select("member_id")
    rows = gather(
        frame.join(several, on="member_id", how="semi").select("row_", "member_id", "first_day", "last_day")
    )
    rows = rows.sort_values(["member_id", "first_day", "last_day", "row_"], ignore_index=True)
    until = rows.groupby("member_id")["last_day"].transform(lambda s: s.cummax().shift())
    return pd.DataFrame({"row_": rows.loc[rows["first_day"] <= until, "row_"].astype("int64")})


def check_enrolment(checks: Checks, frame: nw.LazyFrame[Any], exposure: ExposureTable) -> nw.LazyFrame[Any]:
    """Claims of members who are not in the exposure, before they enrolled, after they left or in a gap."""
    spells = joined_with(frame, exposure).select("member_id", "first_day", "last_day")
    ends = spells.group_by("member_id").agg(
        first_=nw.col("first_day").min(), last_=nw.col("last_day").max(), n_=nw.len()
    )
    use = frame.filter((nw.col("member_id") != "") & (nw.col("service_date_day") != NO_DAY))
    seen = use.select("row_", "member_id", "service_date_day").join(ends, on="member_id", how="left")
    day = nw.col("service_date_day")
    frame = checks.joined(frame, "claims.no_exposure", seen.filter(nw.col("n_").is_null()).select("row_"))
    known = seen.filter(~nw.col("n_").is_null())
    early = known.filter(day < nw.col("first_")).select("row_")
    frame = checks.joined(frame, "claims.before_enrolment", early, "service_date")
    late = known.filter(day > nw.col("last_")).select("row_")
    inside = known.filter((nw.col("n_") > 1) & (day >= nw.col("first_")) & (day <= nw.col("last_")))
    if count(inside.select("row_").head(1)):
        pairs = inside.select("row_", "member_id", "service_date_day").join(
            spells.select("member_id", "first_day", "last_day"), on="member_id", how="left"
        )
        covered = (
            pairs.filter((day >= nw.col("first_day")) & (day <= nw.col("last_day"))).select("row_").unique()
        )
        late = nw.concat([late, inside.join(covered, on="row_", how="anti").select("row_")])
    return checks.joined(frame, "claims.after_leaving", late, "service_date")


def joined_with(frame: nw.LazyFrame[Any], exposure: ExposureTable) -> nw.LazyFrame[Any]:
    """The spells as they can be joined to `frame`: as they are on the same engine, else brought over."""
    spells = exposure.lazy
    return spells if _together(frame, spells) else look_up(frame, gather(spells))


def _together(one: nw.LazyFrame[Any], other: nw.LazyFrame[Any]) -> bool:
    """Whether the two can be joined as they are: the same engine; two DuckDB relations may be of two connections."""
    return one.implementation == other.implementation and not one.implementation.is_duckdb()
