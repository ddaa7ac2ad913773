"""Terms to amounts: what a contract writes, with its gaps read, in yuan.

A gap is asked for when a calculation reaches it, and refused by name and choices if nobody has read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from actuarial.errors import Fault, InputError
from actuarial.law import Law
from actuarial.law.contract_terms import Choice, Extreme, PerHead, Quality, ShareOf
from actuarial.law.terms import Fixed, Unread
from actuarial.texts import LANGUAGES, pick, text


@dataclass(frozen=True)
class Basis:
    """The amounts of one year to which the terms refer.

    Parameters
    ----------
    target : float
        Contract target, above 0 [yuan].
    heads : float or Fraction, optional
        Counted heads; a mean of months is kept exact.
    premium, financing, revenue : float, optional
        What shares are taken of [yuan]; the premium is the target unless stated.

    Examples
    --------
    >>> Basis(target=464.0 * 400_000, heads=400_000).amount("target_per_head")
    464.0
    """

    target: float
    heads: float | Fraction | None = None
    premium: float | None = None
    financing: float | None = None
    revenue: float | None = None

    def __post_init__(self) -> None:
        if not (self.target > 0 and np.isfinite(self.target)):
            raise InputError([Fault("contract.target", params={"value": self.target})])
        for name in ("heads", "premium", "financing", "revenue"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1e16:
                raise InputError([Fault("contract.amount", params={"name": name, "value": value})])

    def amount(self, name: str) -> float | Fraction | None:
        """The base called `name` [yuan], or None where it is not known."""
        if name == "target_per_head":
            return self.target / float(self.heads) if self.heads else None
        if name == "premium" and self.premium is None:
            return self.target
        found = getattr(self, name)
        return found if found is None or isinstance(found, Fraction) else float(found)


@dataclass(frozen=True)
class Reader:
    """Reads terms of one law: numbers, gaps, words.

    Parameters
    ----------
    law : Law
    basis : Basis, optional
        Needed for amounts.
    """

    law: Law
    basis: Basis | None = None
    asked: set[str] = field(default_factory=set, compare=False, repr=False)

    def word(self, value: Any) -> str:
        """A word, or the choice that reads its gap."""
        if not isinstance(value, Choice):
            return str(value)
        found = self.law.envelope.readings.get(value.gap)
        if found is None or found.choice is None:
            raise self.open_gap(value.gap)
        self.asked.add(value.gap)
        return found.choice

    def number(self, term: Any) -> float:
        """A number, or the one that reads its gap."""
        if isinstance(term, Fixed):
            return term.value
        assert isinstance(term, Unread)
        found = self.law.envelope.readings.get(term.gap)
        if found is None or found.value is None:
            raise self.open_gap(term.gap)
        self.asked.add(term.gap)
        return found.value

    def yuan(self, term: Any) -> float:
        """An amount in yuan, rounded half up to whole cents.

        Raises
        ------
        InputError
            If a gap is open, or a base that the amount refers to is not known.
        """
        exact = self._exact(term) * 100
        return int(exact + Fraction(1, 2)) / 100

    def _exact(self, term: Any) -> Fraction:
        if isinstance(term, PerHead):
            return decimal(self.number(term.amount)) * decimal(self._base("heads"))
        if isinstance(term, ShareOf):
            share = as_written(self.number(term.share))
            if term.base == "target_per_head":
                return share * decimal(self._base("target")) / decimal(self._base("heads"))
            return share * decimal(self._base(term.base))
        if isinstance(term, Extreme):
            parts = [self._exact(part) for part in term.parts]
            return min(parts) if term.which == "least" else max(parts)
        return decimal(self.number(term))

    def _base(self, name: str) -> float | Fraction:
        found = None if self.basis is None else self.basis.amount(name)
        if found is None or (name == "heads" and not found):
            raise InputError([Fault("contract.base_needed", file=self.law.file, params={"base": name})])
        return found

    def ratio(self, term: Any, quality: Any = None) -> Any:
        """A share: a float, or an array where it moves with an array of quality scores.

        Raises
        ------
        InputError
            If it moves with a quality score and there is none, or the score is not between 0 and 1.
        """
        if not isinstance(term, Quality):
            return self.number(term)
        if quality is None:
            params = {"indicator": "quality"}
            raise InputError([Fault("contract.indicator_needed", file=self.law.file, params=params)])
        score = np.asarray(quality, dtype=np.float64)
        if not ((score >= 0) & (score <= 1)).all():
            params = {"name": "quality", "value": _first(score, (score >= 0) & (score <= 1))}
            raise InputError([Fault("contract.ratio", file=self.law.file, params=params)])
        share = np.clip(1 - term.rate * score, term.at_least, term.at_most) if term.less else np.clip(term.rate * score, term.at_least, term.at_most)  # fmt: skip
        return float(share) if share.ndim == 0 else share

    def stated(self, value: Any, place: str, names: tuple[str, ...]) -> str:
        """The word at `place` of the terms; refused where the file says nothing there.

        Raises
        ------
        InputError
            If there is no word, or its gap is open.
        """
        if value is None:
            said = {
                x: {n: text(f"contract_words.{place.rpartition('.')[2]}_{n}", x) for n in names}
                for x in LANGUAGES
            }
            params = {"place": place, "choices": {x: joined_choices(said[x], x) for x in LANGUAGES}}
            raise InputError([Fault("contract.not_stated", file=self.law.file, params=params)])
        return self.word(value)

    def open_gap(self, gap: str) -> InputError:
        """The refusal of a gap that nobody has read: what it is, and its choices."""
        found = self.law.envelope.gaps.get(gap)
        params = {"gap": gap, "what": found.what if found else "", "choices": choices_of(self.law, gap)}
        return InputError([Fault("contract.gap_open", file=self.law.file, params=params)])


def choices_of(law: Law, gap: str) -> dict[str, str]:
    """The readings of a gap in words: its choices, or the range of its numbers."""
    found = law.envelope.gaps.get(gap)
    if found is None:
        return dict.fromkeys(LANGUAGES, "")
    if found.choices:
        return {
            lang: joined_choices({name: pick(words, lang) for name, words in found.choices.items()}, lang)
            for lang in LANGUAGES
        }
    low, high = found.range or (None, None)
    return dict.fromkeys(LANGUAGES, f"{low:g}–{high:g}" if low is not None else "…")


def joined_choices(choices: Mapping[str, str], lang: str) -> str:
    """Choices with what they mean, in one line.

    Examples
    --------
    >>> joined_choices({"twelfth": "one twelfth", "equal_rest": "what is left"}, "en")
    'twelfth: one twelfth; equal_rest: what is left'
    """
    mark, end = {"zh": ("：", "；"), "en": (": ", "; ")}[lang]
    return end.join(f"{name}{mark}{words}" for name, words in choices.items())


def decimal(value: float | Fraction) -> Fraction:
    """The decimal number that the text of `value` says; a fraction stays as it is."""
    return value if isinstance(value, Fraction) else Fraction(repr(float(value)))


def as_written(value: float) -> Fraction:
    """The share that a file wrote: a decimal of at most nine digits, or a fraction such as ``1/12``, exactly.

    Examples
    --------
    >>> as_written(1 / 12), as_written(0.0001)
    (Fraction(1, 12), Fraction(1, 10000))
    """
    near = Fraction(value).limit_denominator(9999)
    plain = round(value, 9) == value
    return near if not plain and float(near) == value else decimal(value)


def _first(values: Any, good: Any) -> str:
    return str(np.atleast_1d(values)[~np.atleast_1d(good)][0])
