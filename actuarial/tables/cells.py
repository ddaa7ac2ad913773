"""What one cell of a table says: a number, a text, a total, a footnote."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from actuarial.tables.columns import fold

SUBTOTALS = {fold(t) for t in ("小计", "subtotal")}
TOTALS = SUBTOTALS | {fold(t) for t in ("合计", "总计", "共计", "total", "sum")}
MOST = 1e24
"""Largest amount or count that a table may hold."""
UNIT_CELL = re.compile(r"\s*单位\s*[:：]\s*(\S+)")


def is_footnote(cells: list[Any]) -> bool:
    """A line that holds one remark and nothing else: 注：…"""
    filled = [c for c in cells if c is not None]
    return len(filled) == 1 and bool(
        re.match(r"\s*(注|备注|说明|填表说明|[Nn]otes?)\s*\d*\s*[:：]", str(filled[0]))
    )


def as_text(value: Any) -> str:
    """A cell as text: a whole number without its point."""
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return unicodedata.normalize("NFC", str(value)).strip()


def plain(value: float) -> str:
    """A number as messages show it."""
    return f"{round(value, 6):.10g}"


def parse_number(value: Any) -> tuple[float | None, bool, int]:
    """A number from a cell: its value, whether it had a percent sign, its decimals.

    Full-width digits, thousands separators, spaces, ``(1,200)`` negatives and ``%`` are understood;
    anything else is not a number.

    Examples
    --------
    >>> parse_number("（１,２００.５０）"), parse_number("81.70%"), parse_number("12万")
    ((-1200.5, False, 2), (81.7, True, 2), (None, False, 0))
    """
    if isinstance(value, bool):
        return None, False, 0
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return None, False, 0
        digits = f"{value:.10f}".rstrip("0")
        return float(value), False, len(digits.partition(".")[2])
    s = unicodedata.normalize("NFKC", str(value)).strip().replace("−", "-").replace("﹪", "%")
    percent = s.endswith("%")
    s = s.removesuffix("%").strip()
    negative = s.startswith("(") and s.endswith(")")
    s = s[1:-1].strip() if negative else s
    if negative and s[:1] in {"+", "-"}:
        return None, False, 0
    if not re.fullmatch(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?([eE][+-]?\d{1,3})?|[+-]?\.\d+", s):
        return None, False, 0
    try:
        number = Decimal(s.replace(",", ""))
    except InvalidOperation:
        return None, False, 0
    exponent = number.as_tuple().exponent
    decimals = max(-exponent, 0) if isinstance(exponent, int) else 0
    return float(-number if negative else number), percent, decimals
