"""What a contract year brought: claims and heads by month, events, what came late, what last year left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from actuarial.contract.split import State
from actuarial.errors import Fault, InputError
from actuarial.layers import to_cents

MOST = 1e16
"""Largest amount that is settled [yuan]."""
HEADCOUNTS = ("count_date", "average", "year_end")
"""What the target may go by when heads change within the year."""


@dataclass(frozen=True)
class Year:
    """A contract year as it happened, in cents and persons.

    Parameters
    ----------
    claims : tuple of int
        Cash claims of the twelve months, with `earlier_claims` in the first [cents].
    heads : tuple of int, optional
        Insured persons by month.
    events : mapping
        Number of events by the id of their deduction.
    late_claims : int
        Claims that came after the cut-off [cents].
    policy_loss : int
        Claims caused by a change of policy within the year [cents].
    earlier_claims : int
        Late claims of last year that belong to this year and are not in its months [cents].
    opening : State
        What last year left [cents].
    given : mapping
        ``quality``, ``indicators``, ``expenses``, ``excess``.
    """

    claims: tuple[int, ...]
    heads: tuple[int, ...] | None = None
    events: Mapping[str, int] = field(default_factory=dict)
    late_claims: int = 0
    policy_loss: int = 0
    earlier_claims: int = 0
    opening: State = field(default_factory=State)
    given: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, claims: ArrayLike, *, heads: Sequence[float] | None, events: Mapping[str, int] | None, late_claims: float,
        policy_loss: float, earlier_claims: float, opening: State | None, given: Mapping[str, Any],
    ) -> Year:  # fmt: skip
        """A year from amounts in yuan, checked.

        Raises
        ------
        InputError
            If there are not twelve months, or an amount is negative, not a number or too large.
        """
        paid = np.asarray(claims, dtype=np.float64)
        if paid.shape != (12,):
            raise InputError([Fault("contract.months", params={"count": paid.size})])
        amounts = [("claims", c) for c in paid] + [
            ("late_claims", late_claims),
            ("earlier_claims", earlier_claims),
        ]
        for name, value in (*amounts, ("policy_loss", abs(policy_loss))):
            if not 0 <= value <= MOST:
                raise InputError([Fault("contract.amount", params={"name": name, "value": float(value)})])
        months = [int(c) for c in to_cents(paid)]
        earlier = int(to_cents(earlier_claims))
        told = {
            k: int(to_cents(v)) if k in {"expenses", "excess"} and v is not None else v
            for k, v in given.items()
        }
        return cls((months[0] + earlier, *months[1:]), _whole_heads(heads), dict(events or {}), int(to_cents(late_claims)),
                   int(to_cents(policy_loss)), earlier, opening or State(), told)  # fmt: skip

    @property
    def heads_change(self) -> bool:
        """Whether the number of insured persons changes within the year."""
        return self.heads is not None and len(set(self.heads)) > 1


def _whole_heads(heads: Sequence[float] | None) -> tuple[int, ...] | None:
    if heads is None:
        return None
    found = [float(h) for h in heads]
    if len(found) != 12:
        raise InputError([Fault("contract.months", params={"count": len(found)})])
    for value in found:
        if not (0 <= value <= MOST and value == int(value)):
            raise InputError([Fault("contract.heads", params={"value": f"{value:.12g}"})])
    return tuple(int(h) for h in found)


def counted(heads: Sequence[int], rule: str, count_month: int = 1) -> Fraction:
    """The heads that the target goes by; a mean is not rounded.

    Parameters
    ----------
    heads : sequence of int
        By month.
    rule : str
        One of :data:`HEADCOUNTS`.
    count_month : int
        Month of the contract year that ``count_date`` means.

    Examples
    --------
    >>> heads = [400_000] * 6 + [400_010] * 6
    >>> [str(counted(heads, rule)) for rule in HEADCOUNTS]
    ['400000', '400005', '400010']
    """
    if rule == "average":
        return Fraction(sum(heads), len(heads))
    return Fraction(heads[-1] if rule == "year_end" else heads[count_month - 1])
