"""The column dictionary, the kinds of table and the units."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

UNITS: dict[str, dict[str, float]] = {
    "money": {
        "元": 1.0, "千元": 1e3, "万元": 1e4, "百万元": 1e6, "亿元": 1e8, "萬元": 1e4, "億元": 1e8,
        "yuan": 1.0, "1,000 yuan": 1e3, "10k yuan": 1e4, "10,000 yuan": 1e4, "million yuan": 1e6,
        "100m yuan": 1e8, "100 million yuan": 1e8,
    },
    "money_per_person": {
        "元": 1.0, "元/人": 1.0, "元/人·年": 1.0, "元/人年": 1.0, "yuan": 1.0, "yuan/person": 1.0,
        "yuan/person/year": 1.0,
    },
    "count": {
        "人": 1.0, "人次": 1.0, "万人": 1e4, "万人次": 1e4, "亿人": 1e8, "persons": 1.0, "visits": 1.0,
        "person-times": 1.0, "10k persons": 1e4, "10k visits": 1e4, "100m persons": 1e8,
    },
    "ratio": {"%": 0.01, "％": 0.01, "比例": 1.0, "小数": 1.0, "fraction": 1.0, "ratio": 1.0, "percent": 0.01},
}  # fmt: skip
"""Factor to yuan, persons or fractions, by the unit as written."""


@dataclass(frozen=True)
class Column:
    """One entry of the column dictionary."""

    name: str
    zh: str
    en: str
    type: str
    aliases: tuple[str, ...]

    def spellings(self) -> set[str]:
        """All headings that mean this column, folded."""
        return {fold(s) for s in (self.name, self.zh, self.en, *self.aliases)}


@dataclass(frozen=True)
class Kind:
    """One kind of table: its columns, what must hold, and whether several sheets are summed by its key."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    key: tuple[str, ...]
    total: tuple[str, ...]
    whole: tuple[str, ...] = ()
    sums: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that such a table may have."""
        return self.required + self.optional


@cache
def columns() -> dict[str, Column]:
    """The column dictionary, by identifier.

    Examples
    --------
    >>> columns()["visits"].zh
    '受益人次'
    """
    return {
        name: Column(name, str(c["zh"]), str(c["en"]), str(c["type"]), tuple(map(str, c["aliases"])))
        for name, c in _yaml("columns.yaml").items()
    }


@cache
def kinds() -> dict[str, Kind]:
    """The kinds of table, by name.

    Examples
    --------
    >>> kinds()["providers"].required
    ('provider', 'budget')
    """
    return {
        name: Kind(
            name,
            tuple(k["required"]),
            tuple(k.get("optional", ())),
            (k["key"],) if isinstance(k["key"], str) else tuple(k["key"]),
            tuple(k.get("total", ())),
            tuple(k.get("whole", ())),
            bool(k.get("sums", False)),
        )
        for name, k in _yaml("kinds.yaml").items()
    }


def _yaml(name: str) -> dict[str, Any]:
    return yaml.safe_load(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def fold(heading: str) -> str:
    """A heading without width, case and spaces, for comparing.

    Examples
    --------
    >>> fold("Fund  Payment"), fold("基金 支付")
    ('fundpayment', '基金支付')
    """
    plain = "".join(c for c in unicodedata.normalize("NFKC", heading) if unicodedata.category(c) != "Cf")
    return re.sub(r"[\s_\-·]+", "", plain).casefold()


def split_unit(heading: str) -> tuple[str, str | None]:
    """Heading and unit of ``金额（万元）``; the unit is None where none is written.

    Examples
    --------
    >>> split_unit("金额（万元）"), split_unit("visits")
    (('金额', '万元'), ('visits', None))
    """
    match = re.fullmatch(
        r"\s*(.*?)\s*[(\[（【]\s*(?:单位[:：]\s*)?([^()\[\]（）【】]+?)\s*[)\]）】]\s*", heading
    )
    return (match[1], match[2]) if match else (heading.strip(), None)


def unit_factor(kind_of_column: str, unit: str) -> float | None:
    """Factor of `unit` for a type of column, or None if it is not one of its units.

    Examples
    --------
    >>> unit_factor("money", "万元"), unit_factor("money", "人")
    (10000.0, None)
    """
    table = {fold(k): v for k, v in UNITS.get(kind_of_column, {}).items()}
    return table.get(fold(unit))
