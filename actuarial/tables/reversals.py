"""Negative lines: each is matched to the claim that it takes back, and both are netted.

A negative line that names its original (``reversal_of``) takes its amount off that claim, in whole or in
part. One that names none must find a claim of the same member, category and service date with exactly the
opposite amounts; where there are several, the lowest claim numbers pair with each other, so that the order of
rows plays no part. What finds no original is a fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

from actuarial.tables.engine import gather, is_spark, look_up

KEYS = ["member_id", "category", "service_date_day"]
MONEY = [
    f"{name}_cents"
    for name in ("fund_payment", "total_cost", "in_scope_cost", "class_b_cost", "class_c_cost")
]


@dataclass(frozen=True)
class Reversals:
    """What matching found.

    Parameters
    ----------
    credits : DataFrame
        ``row_`` and ``claim_id`` of originals, the cents to take off each of their amounts (``off_…``, positive).
    unmatched : list of int
        ``row_`` of negative lines without an original.
    count, cents : int
        Lines matched, and their fund payments (a positive number).
    """

    credits: pd.DataFrame
    unmatched: list[int]
    count: int
    cents: int


def is_negative(frame: nw.LazyFrame[Any]) -> nw.Expr:
    """Whether any amount of a line is below 0."""
    return nw.any_horizontal(*(nw.col(c) < 0 for c in MONEY if c in frame.columns), ignore_nulls=True)


def match_reversals(frame: nw.LazyFrame[Any]) -> Reversals:
    """Match the negative lines of a normalised frame; see the module for the rule."""
    money = [c for c in MONEY if c in frame.columns]
    names = [c for c in frame.columns if c == "reversal_of"]
    use = ["row_", "claim_id", *KEYS, *money]
    minus = gather(frame.filter(is_negative(frame)).select(*use, *names))
    if minus.empty:
        return Reversals(pd.DataFrame(columns=["row_", "claim_id", *(f"off_{c}" for c in money)]), [], 0, 0)
    minus = minus.sort_values(["claim_id", "row_"], ignore_index=True)
    plus = frame.filter(~is_negative(frame)).select(*use)
    same = gather(plus.join(look_up(plus, minus[KEYS].drop_duplicates()), on=KEYS, how="semi"))
    by_name = pd.DataFrame(columns=use)
    if names and (minus["reversal_of"] != "").any():
        wanted = minus.loc[minus["reversal_of"] != "", ["reversal_of"]].drop_duplicates()
        by_name = gather(
            plus.join(look_up(plus, wanted), left_on=["claim_id"], right_on=["reversal_of"], how="semi")
        )
    pool = pd.concat([same, by_name]) if len(by_name) else same
    return _pair(minus, pool.drop_duplicates("row_").sort_values(["claim_id", "row_"]), money)


def _pair(minus: pd.DataFrame, pool: pd.DataFrame, money: list[str]) -> Reversals:
    """Pair in the order of claim numbers; an original gives no more than it has."""
    left = {r["claim_id"]: [int(r[c]) for c in money] for r in pool.to_dict("records")}
    rows = {r["claim_id"]: int(r["row_"]) for r in pool.to_dict("records")}
    whole: dict[tuple[Any, ...], list[str]] = {}
    for r in reversed(pool.to_dict("records")):
        whole.setdefault((*(r[k] for k in KEYS), *(int(r[c]) for c in money)), []).append(r["claim_id"])
    start = {k: list(v) for k, v in left.items()}
    unmatched, matched, cents = [], 0, 0
    lines = minus.to_dict("records")
    # named originals first: they are certain, and must not be taken by a look-alike
    for line in sorted(lines, key=lambda r: not r.get("reversal_of")):
        amounts = [-int(line[c]) for c in money]
        name = line.get("reversal_of") or None
        if name is None:
            fits = whole.get((*(line[k] for k in KEYS), *amounts), [])
            while fits and left[fits[-1]] != amounts:  # taken already
                fits.pop()
            name = fits.pop() if fits else None
        have = left.get(name) if name else None
        if have is None or min(amounts) < 0 or any(a > h for a, h in zip(amounts, have, strict=True)):
            unmatched.append(int(line["row_"]))
            continue
        left[str(name)] = [h - a for h, a in zip(have, amounts, strict=True)]
        matched, cents = matched + 1, cents + amounts[0]
    credit = [
        {
            "row_": rows[k],
            "claim_id": k,
            **{f"off_{c}": s - x for c, s, x in zip(money, start[k], v, strict=True)},
        }
        for k, v in sorted(left.items())
        if v != start[k]
    ]
    frame = pd.DataFrame(credit, columns=["row_", "claim_id", *(f"off_{c}" for c in money)])
    return Reversals(frame, sorted(unmatched), matched, cents)


def netted(frame: nw.LazyFrame[Any], reversals: Reversals) -> nw.LazyFrame[Any]:
    """The frame without its negative lines and without the claims that they took back whole."""
    money = [c for c in MONEY if c in frame.columns]
    names = frame.columns
    frame = frame.filter(~is_negative(frame))
    if reversals.credits.empty:
        return frame
    # by the number of the row, which is quicker; Spark may number anew, and joins by the claim's number
    key, other = ("claim_id", "row_") if is_spark(frame) else ("row_", "claim_id")
    frame = frame.join(look_up(frame, reversals.credits.drop(columns=other)), on=key, how="left")
    frame = frame.with_columns(**{f"off_{c}": nw.col(f"off_{c}").fill_null(0) for c in money})
    changed = nw.sum_horizontal(*(f"off_{c}" for c in money)) > 0
    frame = frame.with_columns(
        **{c: (nw.col(c) - nw.col(f"off_{c}")).cast(nw.Int64) for c in money},
        gone_=nw.when(changed).then(nw.lit(1)).otherwise(nw.lit(0)),
    )
    nothing = nw.sum_horizontal(*money) == 0
    return frame.filter((nw.col("gone_") == 0) | ~nothing).select(names)
