"""Tables and figures of a report, before any file format: typed columns, rows, sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import pandas as pd

from actuarial.texts import language, text

Kind = Literal["text", "money", "yuan", "percent", "count", "number", "signed_money"]


@dataclass(frozen=True)
class Unit:
    """How large amounts are shown: 万元 in Chinese, million yuan in English."""

    scale: float
    label: str

    @classmethod
    def of(cls, lang: str | None = None) -> Unit:
        """The unit of a language.

        Examples
        --------
        >>> Unit.of("zh").scale
        10000.0
        """
        return (
            cls(1e4, text("label.wan", lang))
            if language(lang) == "zh"
            else cls(1e6, text("label.million", lang))
        )

    def show(self, yuan: float) -> str:
        """An amount with its unit.

        Examples
        --------
        >>> Unit.of("zh").show(65_020_000)
        '6,502.00 万元'
        """
        return f"{shown(yuan, 'money', self)} {self.label}"


@dataclass(frozen=True)
class Column:
    """One column of a block: key of the rows, heading, kind of value."""

    key: str
    heading: str
    kind: Kind = "text"

    @property
    def numeric(self) -> bool:
        """Whether values are numbers, to be aligned right."""
        return self.kind != "text"


@dataclass(frozen=True)
class Block:
    """A table of the report."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]
    source: str = ""
    note: str = ""
    total_rows: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Chart:
    """A figure of the report, as SVG, with a sentence for who cannot see it."""

    title: str
    svg: str
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the report: paragraphs, then tables and figures in order."""

    title: str
    paragraphs: tuple[str, ...] = ()
    parts: tuple[Block | Chart, ...] = ()


def column(
    key: str, kind: Kind = "text", *, lang: str | None = None, unit: Unit | None = None, label: str = ""
) -> Column:
    """A column whose heading is ``col.<label or key>``."""
    return Column(key, text(f"col.{label or key}", lang, unit=unit.label if unit else ""), kind)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as dicts by column name."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def block(
    title: str,
    columns: Sequence[Column],
    frame: pd.DataFrame | Sequence[dict[str, Any]],
    *,
    source: str = "",
    note: str = "",
    total_rows: Sequence[int] = (),
) -> Block:
    """A block from a frame or from rows."""
    rows = records(frame) if isinstance(frame, pd.DataFrame) else frame
    kept = tuple({c.key: r.get(c.key) for c in columns} for r in rows)
    return Block(title, tuple(columns), kept, source, note, frozenset(total_rows))


DECIMALS: dict[str, int] = {"money": 2, "signed_money": 2, "yuan": 2, "percent": 2, "count": 0, "number": 4}


def scaled(value: Any, kind: Kind, unit: Unit) -> Any:
    """A value as it is shown: money in the unit, fractions in percent; None for what is not there."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    if kind == "text":
        return str(value)
    number = float(value)
    if kind in {"money", "signed_money"}:
        return number / unit.scale
    return number * 100 if kind == "percent" else number


def shown(value: Any, kind: Kind, unit: Unit) -> str:
    """A value as text: ``1,234.50``, ``—`` for nothing, ``∞`` for what no amount reaches."""
    number = scaled(value, kind, unit)
    if number is None:
        return "—"
    if kind == "text":
        return str(number)
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-DECIMALS[kind]), rounding=ROUND_HALF_UP)
    plain = f"{abs(rounded):,.{DECIMALS[kind]}f}"
    if kind == "number":
        plain = plain.rstrip("0").rstrip(".")
    sign = "−" if rounded < 0 else ("+" if kind == "signed_money" and rounded > 0 else "")
    return sign + plain
