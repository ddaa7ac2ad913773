"""Targets at which a table's edges cross: an edge that is a share of the target meets one that is an amount."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from actuarial.law.contract_terms import ShareOf
from actuarial.law.terms import Fixed

if TYPE_CHECKING:
    from actuarial.contract.terms import Contract
    from actuarial.law.contract_terms import Sharing


@dataclass(frozen=True)
class Crossing:
    """Two neighbouring edges that meet.

    Parameters
    ----------
    fixed : float
        The edge that is an amount [yuan].
    share : float
        The edge that is a share of the target (fraction).
    target : float
        Where they meet [yuan]: at this target and below it the share's edge is no longer above the amount.
    answered : bool
        Whether the file says what then holds.
    """

    fixed: float
    share: float
    target: float
    answered: bool


def crossings(contract: Contract) -> tuple[Crossing, ...]:
    """Where the tables' edges meet, the highest target first.

    Examples
    --------
    >>> from actuarial.contract import load_contract
    >>> crossings(load_contract("china/jiande/contract/cooperation@2012-01-01"))
    (Crossing(fixed=9000000.0, share=0.1, target=90000000.0, answered=False),)
    """
    found = [c for sharing in contract.terms.sharing for c in _of(sharing, contract)]
    return tuple(sorted(found, key=lambda c: -c.target))


def _of(sharing: Sharing, contract: Contract) -> list[Crossing]:
    found = []
    for low, high in pairwise(band.up_to for band in sharing.bands):
        if not (isinstance(high, ShareOf) and isinstance(high.share, Fixed) and isinstance(low, Fixed)):
            continue
        if high.base == "target" and high.share.value > 0:
            rule = sharing.if_edges_cross
            gap = getattr(rule, "gap", None)
            answered = rule is not None and (gap is None or gap in contract.law.envelope.readings)
            found.append(
                Crossing(low.value, high.share.value, round(low.value / high.share.value, 2), answered)
            )
    return found
