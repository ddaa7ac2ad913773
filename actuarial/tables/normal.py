"""Cells of claim tables as integers and words: Narwhals expressions, the same on every engine.

Money becomes int64 cents (half up), a date the number of its day since 1970-01-01 and of its month
since year 0 (``year × 12 + month − 1``): integer arithmetic gives the same answer everywhere. Beside each
value stand flags (0/1) of what is wrong with the cell, so that dirt is counted, not guessed away. No column
holds nulls: a missing date is :data:`NO_DAY`, a missing number −1, a missing word the empty text.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import narwhals.stable.v2 as nw
import yaml

NO_DAY = -1_000_000
"""Day number of a date that is not given."""
FIRST_YEAR, LAST_YEAR = 1900, 2200
SPACES = " \t\r\n\v\f\u3000\u00a0\ufeff'"
NUMBER = r"^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?$|^[+-]?\.\d+$"
LARGEST_CENTS = 10**15
"""Amounts above this (10 million million yuan) are no claim."""
_HALF_UP = 0.5 + 1e-6  # the binary neighbour of a printed half must not fall below it
_WIDE = {chr(0xFF10 + n): str(n) for n in range(10)} | {
    "．": ".", "，": ",", "－": "-", "−": "-", "（": "(", "）": ")", "／": "/", "％": "%", "＋": "+", "：": ":",
}  # fmt: skip
_WIDE_PATTERN = "[" + "".join(_WIDE) + "]"

Steps = list[dict[str, nw.Expr]]


@dataclass
class Cell:
    """How one column is worked out: steps of named expressions, and the names to keep."""

    steps: Steps
    keep: list[str]
    flags: list[str] = field(default_factory=list)


def day_number(date: dt.date) -> int:
    """Days since 1970-01-01.

    Examples
    --------
    >>> day_number(dt.date(2012, 2, 29))
    15399
    """
    return (date - dt.date(1970, 1, 1)).days


@cache
def words() -> dict[str, dict[str, list[str]]]:
    """Words of the yes/no columns and of sex, by meaning."""
    return yaml.safe_load(files(__package__).joinpath("claim_words.yaml").read_text(encoding="utf-8"))


def flag(condition: nw.Expr) -> nw.Expr:
    """1 where the condition holds, else 0 (also where it is null)."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def _tidy(native: str) -> nw.Expr:
    """Text without outer spaces; full-width digits and signs made plain."""
    text = nw.col(native).cast(nw.String).fill_null("").str.strip_chars(SPACES)
    plain = text
    for wide, narrow in _WIDE.items():
        plain = plain.str.replace_all(wide, narrow, literal=True)
    return nw.when(text.str.contains(_WIDE_PATTERN)).then(plain).otherwise(text)


def text_cell(name: str, native: str, dtype: Any, *, required: bool, identifier: bool = False) -> Cell:
    """A word or an identifier; identifiers that a spreadsheet has rounded are flagged."""
    plain = nw.col(native).cast(nw.String).fill_null("")
    cell = Cell([{name: plain if dtype.is_integer() else plain.str.strip_chars(SPACES)}], [name])
    if name == "claim_id" and dtype.is_integer():  # numbers are compared faster than their texts
        cell.steps[0]["key_claim_id"] = nw.col(native).cast(nw.Int64).fill_null(-1)
        cell.keep.append("key_claim_id")
    last: dict[str, nw.Expr] = {}
    if required:
        last[f"empty_{name}"] = flag(nw.col(name) == "")
    if identifier and dtype == nw.String:
        # the cheap question first: engines that take it row by row need the expression for few rows
        power = nw.col(name).str.contains("E", literal=True) | nw.col(name).str.contains("e", literal=True)
        lost = nw.when(power).then(nw.col(name)).otherwise(nw.lit(""))
        last[f"lost_{name}"] = flag(lost.str.contains(r"^\d(?:\.\d+)?[eE]\+?\d+$"))
    cell.steps.append(last)
    cell.flags += list(last)
    return cell


def money_cell(name: str, native: str, dtype: Any, factor: float) -> Cell:
    """An amount in int64 cents; `factor` is what one unit is in yuan."""
    scale = factor * 100
    value, bad = f"v_{name}", f"bad_{name}"
    if dtype == nw.String:
        raw = f"raw_{name}"
        number = nw.col(raw)
        bracket = number.str.contains(r"^\(.+\)$")
        signed = nw.when(bracket).then(nw.concat_str(nw.lit("-"), number.str.strip_chars("()")))
        steps: Steps = [
            {raw: _tidy(native)},
            {f"s_{name}": signed.otherwise(number)},
            {
                bad: flag(~nw.col(f"s_{name}").str.contains(NUMBER)) * flag(nw.col(raw) != ""),
                f"empty_{name}": flag(nw.col(raw) == ""),
            },
            {value: _number(nw.col(f"s_{name}"), nw.col(bad) + nw.col(f"empty_{name}"))},
            {raw: nw.when(nw.col(bad) == 1).then(number).otherwise(nw.lit(""))},
        ]
        keep = [f"{name}_cents", raw]
    else:
        given = nw.col(native).cast(nw.Float64)
        steps = [
            {value: given, bad: flag(~given.is_finite()) * flag(~given.is_null())},
            {
                f"empty_{name}": flag(nw.col(value).is_null()),
                value: nw.when(nw.col(bad) == 0).then(nw.col(value)).otherwise(nw.lit(0.0)).fill_null(0.0),
            },
        ]
        keep = [f"{name}_cents"]
    cents = f"{name}_cents"
    exact = nw.col(value).abs() * scale
    steps += [
        {f"huge_{name}": flag(exact > LARGEST_CENTS)},
        {f"m_{name}": nw.when(nw.col(f"huge_{name}") == 0).then(exact).otherwise(nw.lit(0.0))},
        {cents: (nw.col(f"m_{name}") + _HALF_UP).floor().cast(nw.Int64)},
        {f"fine_{name}": flag((nw.col(f"m_{name}") - nw.col(cents)).abs() > 1e-3)},
        {cents: nw.when(nw.col(value) < 0).then(-nw.col(cents)).otherwise(nw.col(cents))},
    ]
    return Cell(steps, keep, [f"{f}_{name}" for f in ("empty", "bad", "huge", "fine")])


def _number(text: nw.Expr, wrong: nw.Expr) -> nw.Expr:
    safe = nw.when(wrong == 0).then(text).otherwise(nw.lit("0"))
    return safe.str.replace_all(",", "", literal=True).cast(nw.Float64)


def date_cell(name: str, native: str, dtype: Any) -> Cell:
    """A date as ``{name}_day`` and ``{name}_month``; impossible dates are told from unreadable ones."""
    y, m, d, raw = (f"{p}_{name}" for p in ("y", "m", "d", "raw"))
    if dtype in (nw.Date, nw.Datetime):
        date = nw.col(native)
        steps: Steps = [
            {
                y: date.dt.year().fill_null(1970).cast(nw.Int64),
                m: date.dt.month().fill_null(1).cast(nw.Int64),
                d: date.dt.day().fill_null(1).cast(nw.Int64),
                f"empty_{name}": flag(date.is_null()),
                f"bad_{name}": nw.lit(0).cast(nw.Int64),
            },
        ]
        keep = []
    else:
        steps, keep = _date_text(name, native), [raw]
    steps += _calendar(name)
    flags = [f"{f}_{name}" for f in ("empty", "bad", "impossible")]
    return Cell(steps, [f"{name}_day", f"{name}_month", *keep], flags)


def _date_text(name: str, native: str) -> Steps:
    """Year, month and day of ``2013-02-28``, ``2013/2/28``, ``2013.2.28``, ``20130228`` and the Chinese form."""
    raw, iso, t = nw.col(f"raw_{name}"), nw.col(f"iso_{name}"), nw.col(f"t_{name}")
    eight = t.str.contains(r"^\d{8}$")
    parts = [t.str.slice(0, 4), nw.lit("-"), t.str.slice(4, 2), nw.lit("-"), t.str.slice(6, 2)]
    numbers = nw.when(nw.col(f"bad_{name}") + nw.col(f"empty_{name}") == 0).then(iso)
    return [
        {f"raw_{name}": _tidy(native)},
        {f"t_{name}": raw.str.replace_all(r"[ T]+\d{1,2}:\d{2}.*$", "").str.replace_all("日$", "")},
        {f"t_{name}": t.str.replace_all("[./]|年|月", "-")},
        {f"iso_{name}": nw.when(eight).then(nw.concat_str(*parts)).otherwise(t)},
        {
            f"empty_{name}": flag(raw == ""),
            f"bad_{name}": flag(~iso.str.contains(r"^\d{4}-\d{1,2}-\d{1,2}$")) * flag(raw != ""),
        },
        {f"iso_{name}": numbers.otherwise(nw.lit("1970-1-1"))},
        {
            f"y_{name}": iso.str.slice(0, 4).cast(nw.Int64),
            f"m_{name}": iso.str.replace_all(r"^\d{4}-", "").str.replace_all(r"-\d+$", "").cast(nw.Int64),
            f"d_{name}": iso.str.replace_all(r"^\d{4}-\d+-", "").cast(nw.Int64),
        },
    ]


def _calendar(name: str) -> Steps:
    """From year, month and day: what is impossible, the number of the day and of the month."""
    y, m, d = (nw.col(f"{p}_{name}") for p in "ymd")
    bad, empty, impossible = (nw.col(f"{p}_{name}") for p in ("bad", "empty", "impossible"))
    leap = flag(y % 4 == 0) - flag(y % 100 == 0) + flag(y % 400 == 0)
    longest = nw.when(m == 2).then(28 + leap).otherwise(31 - flag(m.is_in([4, 6, 9, 11])))
    off = flag((y < FIRST_YEAR) | (y > LAST_YEAR))
    shift = flag(m <= 2)
    yy = nw.col(f"y_{name}") + 4800 - nw.col(f"j_{name}")
    mm = nw.col(f"m_{name}") + 12 * nw.col(f"j_{name}") - 3
    julian = d + (153 * mm + 2) // 5 + 365 * yy + yy // 4 - yy // 100 + yy // 400 - 32045
    wrong = bad + empty + impossible
    dated = nw.when(nw.col(f"wrong_{name}") == 0)
    steps: Steps = [
        {f"bad_{name}": nw.when(bad == 0).then(off).otherwise(bad)},
        {f"impossible_{name}": flag((m < 1) | (m > 12) | (d < 1) | (d > longest)) * flag(bad == 0)},
        {f"wrong_{name}": wrong},
        {f"m_{name}": dated.then(m).otherwise(nw.lit(1))},
        {f"j_{name}": shift},
        {
            f"{name}_day": dated.then(julian - 2440588).otherwise(nw.lit(NO_DAY)).cast(nw.Int64),
            f"{name}_month": dated.then(y * 12 + m - 1).otherwise(nw.lit(-1)).cast(nw.Int64),
        },
    ]
    return steps


def age_cell(name: str, native: str, dtype: Any) -> Cell:
    """Whole years from 0 to 120, else −1 and a flag."""
    if dtype == nw.String:
        steps: Steps = [
            {f"t_{name}": _tidy(native), f"raw_{name}": _tidy(native)},
            {f"ok_{name}": flag(nw.col(f"t_{name}").str.contains(r"^\d{1,3}(?:\.0*)?$"))},
            {name: _number(nw.col(f"t_{name}"), 1 - nw.col(f"ok_{name}"))},
            {name: nw.when(nw.col(f"ok_{name}") == 1).then(nw.col(name)).otherwise(nw.lit(-1.0))},
        ]
        given = nw.col(f"t_{name}") != ""
    else:
        number = nw.col(native).cast(nw.Float64)
        steps = [{name: nw.when(number.is_finite()).then(number).otherwise(nw.lit(-1.0)).fill_null(-1.0)}]
        given = ~nw.col(native).is_null()
    fits = (nw.col(name) >= 0) & (nw.col(name) <= 120)
    steps += [
        {f"odd_{name}": flag(~fits) * flag(given)},
        {name: nw.when(fits).then(nw.col(name)).otherwise(nw.lit(-1.0)).floor().cast(nw.Int64)},
    ]
    return Cell(steps, [name, *([f"raw_{name}"] if dtype == nw.String else [])], [f"odd_{name}"])


def word_cell(name: str, native: str, dtype: Any) -> Cell:
    """A yes/no column as 1, 0 or −1 (not known); sex as ``male``, ``female`` or the empty text."""
    if dtype == nw.Boolean:
        value = nw.when(nw.col(native)).then(nw.lit(1)).otherwise(nw.lit(0))
        known = nw.when(nw.col(native).is_null()).then(nw.lit(-1)).otherwise(value).cast(nw.Int64)
        return Cell([{name: known, f"odd_{name}": nw.lit(0).cast(nw.Int64)}], [name], [f"odd_{name}"])
    meanings = words()["sex" if name == "sex" else "flag"]
    text = nw.col(f"t_{name}")
    values: dict[str, Any] = {k: k for k in meanings} if name == "sex" else {"no": 0, "yes": 1}
    expr = nw.lit("" if name == "sex" else -1)
    for meaning, spellings in meanings.items():
        expr = nw.when(text.is_in(spellings)).then(nw.lit(values[meaning])).otherwise(expr)
    every = [s for spellings in meanings.values() for s in spellings]
    return Cell(
        [
            {f"t_{name}": _tidy(native).str.to_lowercase(), f"raw_{name}": _tidy(native)},
            {
                name: expr if name == "sex" else expr.cast(nw.Int64),
                f"odd_{name}": flag(~text.is_in([*every, ""])),
            },
        ],
        [name, f"raw_{name}"],
        [f"odd_{name}"],
    )


def worked_out(frame: nw.LazyFrame[Any], cells: list[Cell]) -> nw.LazyFrame[Any]:
    """The frame with every cell's steps taken, one `with_columns` a step for all columns together."""
    for step in range(max(len(c.steps) for c in cells)):
        now = {k: v for c in cells if step < len(c.steps) for k, v in c.steps[step].items()}
        if now:
            frame = frame.with_columns(**now)
    return frame.select("row_", *(k for c in cells for k in [*c.keep, *c.flags]))
