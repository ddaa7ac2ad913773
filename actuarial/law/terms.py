"""Amounts and ratios as law files write them: numbers, gaps, shares of a wage, one value for each word.

==================================================  =========================================================
written                                             meaning
==================================================  =========================================================
``100``                                             100 yuan (or, where a ratio is asked for, a fraction)
``{gap: deductible}``                               what the text leaves open; filled by a reading
``{share_of: annual_wage, share: 0.05}``            5% of the member's yearly wage or pension
``{share_of: average_wage, share: 4}``              4 times the parameter ``average_wage`` of the schedule
``{by: level, township: 100, otherwise: 300}``      100 at township hospitals, else 300
==================================================  =========================================================

Words may be written in Chinese or by their identifier (``乡镇卫生院`` or ``township``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator

from actuarial.tables.terms import term_id

ATTRIBUTES = ("category", "level", "place", "referral", "group", "disease")
"""What a rule may depend on: attributes of a claim."""
WAGE = "annual_wage"
OTHERWISE = "otherwise"


@dataclass(frozen=True)
class Fixed:
    """A number."""

    value: float


@dataclass(frozen=True)
class Unread:
    """A gap of the text."""

    gap: str


@dataclass(frozen=True)
class Share:
    """A share of the member's yearly wage, or of a parameter of the schedule."""

    of: str
    share: Term


@dataclass(frozen=True)
class By:
    """One term for each word of an attribute."""

    key: str
    table: Mapping[str, Term]
    otherwise: Term | None


Term = Fixed | Unread | Share | By


def word_of(value: Any) -> str:
    """A word of a rule as its identifier; yes and no of YAML are words here.

    Examples
    --------
    >>> word_of("乡镇卫生院"), word_of(True)
    ('township', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    return term_id(str(value))


def _parse(value: Any, code: str, fits: Callable[[float], bool], deep: int = 0) -> Term:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not fits(float(value)):
            raise ValueError(code)
        return Fixed(float(value))
    if not isinstance(value, dict) or not value or deep > 4:
        raise ValueError(code)
    keys = set(value)
    if keys == {"gap"} and isinstance(value["gap"], str):
        return Unread(value["gap"])
    if keys == {"share_of", "share"} and isinstance(value["share_of"], str):
        return Share(value["share_of"], _parse(value["share"], "law.share", _share, deep + 1))
    if "by" in keys and value["by"] in ATTRIBUTES and len(keys) > 1:
        parsed = {
            word_of(k) if k != OTHERWISE else k: _parse(v, code, fits, deep + 1)
            for k, v in value.items()
            if k != "by"
        }
        if len(parsed) != len(keys) - 1:
            raise ValueError("law.same_word")
        return By(value["by"], {k: v for k, v in parsed.items() if k != OTHERWISE}, parsed.get(OTHERWISE))
    raise ValueError(code)


def _share(value: float) -> bool:
    return 0 <= value <= 100 and round(value, 6) == value


def _money(value: float) -> bool:
    return 0 <= value <= 1e10 and abs(value * 100 - round(value * 100)) < 1e-6


def _ratio(value: float) -> bool:
    return 0 <= value <= 1 and round(value, 6) == value


def parse_amount(value: Any) -> Term:
    """An amount of money [yuan, whole cents, at most 10 billion].

    Examples
    --------
    >>> parse_amount({"by": "level", "乡镇卫生院": 100, "otherwise": 300}).table
    {'township': Fixed(value=100.0)}
    """
    return value if isinstance(value, Fixed | Unread | Share | By) else _parse(value, "law.amount", _money)


def parse_ratio(value: Any) -> Term:
    """A ratio from 0 to 1, at most six decimals.

    Examples
    --------
    >>> parse_ratio(0.85)
    Fixed(value=0.85)
    """
    return value if isinstance(value, Fixed | Unread | Share | By) else _parse(value, "law.ratio", _ratio)


Amount = Annotated[Any, BeforeValidator(parse_amount)]
Ratio = Annotated[Any, BeforeValidator(parse_ratio)]


def gaps_of(term: Any) -> Iterator[str]:
    """The gaps that a term names."""
    if isinstance(term, Unread):
        yield term.gap
    elif isinstance(term, Share):
        yield from gaps_of(term.share)
    elif isinstance(term, By):
        for inner in (*term.table.values(), *((term.otherwise,) if term.otherwise else ())):
            yield from gaps_of(inner)


def words_of(term: Any) -> Iterator[tuple[str, str]]:
    """The words that a term names, as (attribute, word)."""
    if isinstance(term, Share):
        yield from words_of(term.share)
    elif isinstance(term, By):
        for word, inner in term.table.items():
            yield term.key, word
            yield from words_of(inner)
        yield from words_of(term.otherwise)
