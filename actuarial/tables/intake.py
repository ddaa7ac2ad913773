"""What all rows go through on the way in: hashing of members, staging, blank rows and rows of totals."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.tables.cells import TOTALS
from actuarial.tables.checking import Checks
from actuarial.tables.engine import Scratch, count, gather, look_up, staged, total
from actuarial.tables.normal import flag
from actuarial.tables.sources import Opened


def new_salt() -> str:
    """A salt for one run, from the system's source of randomness.

    Examples
    --------
    >>> len(new_salt())
    32
    """
    return secrets.token_hex(16)


def fingerprint(salt: str | None) -> str:
    """What tells two salts apart and does not give them away.

    Examples
    --------
    >>> fingerprint(None), fingerprint("a") == fingerprint("a"), fingerprint("a") == fingerprint("b")
    ('', True, False)
    """
    return "" if salt is None else hashed("", salt)[:16]


def hashed(member: str, salt: str) -> str:
    """Keyed BLAKE2b of an identifier, 128 bits.

    Raises
    ------
    InputError
        If the salt is empty.
    """
    if not salt:
        raise InputError([Fault("claims.salt")])
    key = salt.encode("utf-8")
    key = key if len(key) <= 64 else hashlib.blake2b(key).digest()
    return hashlib.blake2b(member.encode("utf-8"), key=key, digest_size=16).hexdigest()


LONGEST = 8
"""Most characters of a word that names a total, spaces included."""


def prepared(
    opened: Opened, frame: nw.LazyFrame[Any], salt: str | None, checks: Checks
) -> nw.LazyFrame[Any] | None:
    """Members hashed, the frame staged, blank rows and total rows found; None where nothing is left."""
    if salt is not None and "member_id" in frame.columns:
        members = gather(frame.select("member_id").unique())["member_id"].astype(str)
        pairs = {"member_id": list(members), "hashed_": [hashed(m, salt) if m else "" for m in members]}
        frame = frame.join(look_up(frame, pd.DataFrame(pairs)), on="member_id", how="left")
        frame = frame.with_columns(member_id=nw.col("hashed_").fill_null("")).drop("hashed_")
        opened.scratch = opened.scratch or (Scratch() if opened.path is not None else None)
    frame = staged(frame, opened.scratch, "cells")
    keys = [n for n in ("claim_id", "member_id", "category") if n in frame.columns]
    empties = [c for c in frame.columns if c.startswith("empty_")]
    sums = sorted({*TOTALS, *(t.upper() for t in TOTALS), *(t.title() for t in TOTALS)})
    # identifiers are long, so that few rows need the comparison; a category only where no claim is named
    short = {k: nw.col(k).str.len_chars() <= LONGEST for k in keys}
    if {"claim_id", "category"} <= set(keys):
        short["category"] = nw.col("claim_id") == ""
    words = {k: nw.when(short[k]).then(nw.col(k)).otherwise(nw.lit("")) for k in keys}
    is_total = [w.str.replace_all(" ", "", literal=True).is_in(sums) for w in words.values()]
    marked = frame.with_columns(
        blank_=flag(nw.sum_horizontal(*empties) == len(empties)),
        total_=flag(nw.any_horizontal(*is_total, ignore_nulls=True)) if keys else nw.lit(0),
    )
    found = total(marked, ["blank_", "total_"])
    if found["blank_"]:
        hits = marked.filter(nw.col("blank_") == 1).select("row_")
        checks.report("claim_words.blank", found["blank_"], hits, None)
    if found["total_"]:
        hits = marked.filter(nw.col("total_") == 1).select("row_")
        checks.report("claims.total_row", found["total_"], hits, keys[0])
    if found["blank_"] or found["total_"]:
        frame = marked.filter(nw.col("blank_") + nw.col("total_") == 0).drop("blank_", "total_")
    if not count(frame):
        checks.faults.append(Fault("table.empty", opened.name, opened.sheet))
        return None
    return frame


def month_number(month: str) -> int:
    """``2013-02`` as year × 12 + month − 1.

    Examples
    --------
    >>> month_number("2013-02")
    24157
    """
    period = pd.Period(month, freq="M")
    return period.year * 12 + period.month - 1


def month_name(number: int) -> str:
    """The inverse of :func:`month_number`."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
