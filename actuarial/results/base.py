"""Sources, the base of all results, and amounts as they are shown."""

from __future__ import annotations

import math
import os
from abc import abstractmethod
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from actuarial.results.writing import write_frames
from actuarial.texts import language, text


@dataclass(frozen=True)
class Source:
    """Where a figure comes from.

    Parameters
    ----------
    what : str
        What the figure is (a code or a short name).
    document : str
        File, law or publication.
    locator : str
        Table and cells, clause or page.
    quote : str
        The words of the source, where it is a text.
    status : str
        ``stated``, ``enacted``, ``draft``, ``derived`` or ``assumed``.

    Examples
    --------
    >>> Source("base", "plan.yaml", "321").status
    'stated'
    """

    what: str
    document: str
    locator: str = ""
    quote: str = ""
    status: str = "stated"


@dataclass(frozen=True, eq=False)
class Result:
    """Base of every result: frozen, with a tidy table and its sources."""

    sources: tuple[Source, ...] = field(default=(), kw_only=True)

    @property
    @abstractmethod
    def table(self) -> pd.DataFrame:
        """The result as a tidy frame with named columns."""

    def summary(self, lang: str | None = None) -> str:
        """A few lines of text."""
        return self.table.to_string()

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write :attr:`table` as a workbook of one sheet; returns the path."""
        return write_frames(path, {text("label.result", lang): self.table})

    def _repr_html_(self) -> str:
        return f"<pre>{_escape(self.summary())}</pre>{self.table.to_html(border=0)}"


def _escape(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --------------------------------------------------------------------------- figures as text

Kind = Literal["text", "money", "yuan", "percent", "count", "number", "signed_money"]
"""How a value is shown."""


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

    @classmethod
    def fine(cls, lang: str | None = None) -> Unit:
        """For amounts that a negotiation is about: 万元 in Chinese, thousand yuan in English.

        Examples
        --------
        >>> Unit.fine("en").show(1_023_600)
        '1,023.60 thousand yuan'
        """
        return cls.of("zh") if language(lang) == "zh" else cls(1e3, text("label.thousand", lang))

    def show(self, yuan: float) -> str:
        """An amount with its unit.

        Examples
        --------
        >>> Unit.of("zh").show(65_020_000)
        '6,502.00 万元'
        """
        return f"{shown(yuan, 'money', self)} {self.label}"


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
