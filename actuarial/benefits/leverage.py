"""What deductibles and ceilings make of growth: both sets of rules repriced at grown cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.benefits.repricing import RESIDENT_ROWS, Resident
from actuarial.benefits.schedule import BenefitSchedule
from actuarial.errors import Fault, InputError

Floats = NDArray[np.float64]


GRID = (-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Growth of cost at which leverage is repriced; between these it is interpolated, beyond them it stays."""


@dataclass(frozen=True, eq=False)
class Leverage:
    """Fund cost at grown cost over fund cost × growth, by category, on a grid of growth.

    Parameters
    ----------
    grid : ndarray (k,)
        Growth of cost per claim.
    old, new : DataFrame (k × categories)
        Cost under each set of rules at that growth over their cost at 0 and ``1 + growth``.
    total_old, total_new : ndarray (k,)
    """

    grid: Floats
    old: pd.DataFrame
    new: pd.DataFrame
    total_old: Floats
    total_new: Floats

    def multiplier(self, growth_factor: ArrayLike, category: str) -> Floats:
        """``L(g)`` of a category under the new rules, for growth factors ``1 + g``; 1 for an unknown category."""
        if category not in self.new:
            return np.ones_like(np.asarray(growth_factor, dtype=np.float64))
        x = np.log(np.asarray(growth_factor, dtype=np.float64))
        return np.exp(np.interp(x, np.log1p(self.grid), np.log(self.new[category].to_numpy())))


def find_leverage(
    claims: Any,
    before: tuple[BenefitSchedule, ...],
    after: tuple[BenefitSchedule, ...],
    accounts: Sequence[str],
    recode: Mapping[str, Mapping[str, str]],
) -> Leverage:
    """Both sets of rules repriced on the grid of growth."""
    if not isinstance(claims, Resident):
        raise InputError([Fault("benefits.leverage_in_memory", params={"limit": f"{RESIDENT_ROWS:,}"})])
    resident = claims.recoded(recode)
    categories = pd.Index([c[0] for c in resident.combos.known])
    tables, totals = [], []
    for schedules in (before, after):
        program = resident.program(schedules)
        mine = [n for n, a in enumerate(program.accounts) if a in accounts]
        rows = {}
        for g in GRID:
            sums, _ = (resident.scaled(1 + g) if g else resident).run(program)
            rows[g] = pd.Series(sums[:, mine].sum(axis=1), index=categories).groupby(level=0).sum() / (1 + g)
        frame = pd.DataFrame(rows).T.astype("float64")
        base = frame.loc[0.0].to_numpy(dtype=np.float64)
        tables.append(frame.div(np.where(base > 0, base, np.nan)).fillna(1.0).clip(lower=1e-9))
        totals.append((frame.sum(axis=1) / base.sum()).to_numpy(dtype=np.float64))
    return Leverage(np.array(GRID), tables[0], tables[1], totals[0], totals[1])
