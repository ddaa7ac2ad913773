"""Assumptions on use: a response to the patient's own share, and benefits of which there are no claims yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.benefits.schedule import BenefitSchedule
from actuarial.benefits.tally import Tally
from actuarial.benefits.walk import Claim, walk
from actuarial.errors import Fault, InputError
from actuarial.results import Source
from actuarial.tables import labels

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UseAssumption:
    """An assumption on use: an elasticity, or the use of a new benefit.

    Parameters
    ----------
    value : float
        Elasticity of visits to the patient's own share (not positive), or claims a year of the new benefit.
    source : str
    status : str
    cost_per_claim : float
        In-scope cost of a claim of the new benefit [yuan].
    level : str
        Where it is used.
    """

    value: float
    source: str
    status: str = "assumed"
    cost_per_claim: float = 0.0
    level: str = ""


def use_response(found: Tally, elasticity: UseAssumption | None) -> Floats:
    """Visits under the new rules over visits under the old, by kind of claim."""
    if elasticity is None:
        return np.ones(len(found.combos))
    if not (np.isfinite(elasticity.value) and elasticity.value <= 0):
        raise InputError([Fault("benefits.elasticity", params={"value": elasticity.value})])
    old, new = found.own[0], found.own[1]
    both = (old > 0) & (new > 0)
    return np.where(both, (np.where(both, new, 1.0) / np.where(both, old, 1.0)) ** elasticity.value, 1.0)


def added_cost(
    old: BenefitSchedule,
    new: BenefitSchedule,
    found: Tally,
    stated: Mapping[str, UseAssumption],
    accounts: Sequence[str],
) -> float:
    """Cost of categories that only the new rules know and of which there are no claims [yuan]."""
    seen = {c[0] for c, n in zip(found.combos, found.claims, strict=True) if n}
    fresh = [c for c in new.categories if c not in old.categories and c not in seen]
    missing = [c for c in fresh if c not in stated]
    if missing:
        raise InputError([Fault("benefits.new_use", params={"categories": labels(missing)})])
    cost = 0.0
    for category in fresh:
        use = stated[category]
        cents = round(use.cost_per_claim * 100)
        claim = Claim(
            "", new.effective_day, 0, "", cents, cents, attributes={"category": category, "level": use.level}
        )
        paid = walk([claim], [new])[0]
        cost += use.value * sum(paid[x.id] for x in new.layers if x.bearer in accounts) / 100
    return cost


def use_sources(elasticity: UseAssumption | None, new_use: Mapping[str, UseAssumption]) -> tuple[Source, ...]:
    """The assumptions as sources, with their status."""
    named = ([("elasticity", elasticity)] if elasticity else []) + list(new_use.items())
    return tuple(Source(n, u.source, "", f"{u.value:g}", u.status) for n, u in named)
