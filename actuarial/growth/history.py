"""A plan's growth: its expert value or its yearly tables, and the raw growth shown beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from actuarial.growth.expert import ExpertGrowth, expert_growth
from actuarial.growth.fit import fit_growth
from actuarial.growth.result import GrowthFit
from actuarial.plan import ExpertGrowthSpec, Plan
from actuarial.results import Result


def plan_growth(plan: Plan) -> ExpertGrowth | GrowthFit:
    """The growth model that a plan asks for."""
    spec = plan.model.growth
    source = plan.source("growth", spec)
    if isinstance(spec, ExpertGrowthSpec):
        doubt = {spec.uncertainty.kind: spec.uncertainty.value}
        return expert_growth(spec.value, **doubt, correlation=spec.correlation, source=source)
    own = per_capita_history(plan, spec.table)
    if spec.place:
        own = own.rename((*spec.place, spec.table))
    pool = [
        per_capita_history(plan, n.table).rename((*n.place, n.table) if n.place else n.table)
        for n in spec.neighbours
    ]
    return fit_growth(
        own, pool=pd.concat(pool, axis=1) if pool else None,
        on_level=_every_year(plan, spec.table, spec.policy_factors), model=spec.model, breaks=spec.breaks,
        correlation=spec.correlation, source=source,
    )  # fmt: skip


def _every_year(plan: Plan, table: str, factors: dict[int, float]) -> dict[int, float] | None:
    """The stated policy factors; a year without one is at the policy in force."""
    if not factors:
        return None
    return {int(y): factors.get(int(y), 1.0) for y in plan.tables[table].frame["year"]}


def growth_has_base(plan: Plan, growth: ExpertGrowth | GrowthFit) -> bool:
    """Whether the growth was fitted to a history that ends in the plan's base year."""
    return isinstance(growth, GrowthFit) and growth.last_year == plan.base_year.year


def per_capita_history(plan: Plan, name: str) -> pd.Series:
    """Expenditure per participant by year, from a ``history`` table [yuan/person/year]."""
    frame = plan.tables[name].frame
    with np.errstate(divide="ignore", invalid="ignore"):
        level = frame["fund_expenditure"] / frame["participants"]
    return pd.Series(level.to_numpy(), index=frame["year"].to_numpy(), name="per_capita")


@dataclass(frozen=True, eq=False)
class RawGrowth(Result):
    """Raw growth of spending beside the growth of its funding: shown, never used.

    Parameters
    ----------
    frame : DataFrame
        ``year``, ``per_capita`` and ``financing`` [yuan/person], yearly growth of each.
    spending_growth, financing_growth : float
        Mean yearly growth over the whole span.
    gaps : tuple of int
        Missing years.
    """

    frame: pd.DataFrame
    spending_growth: float
    financing_growth: float
    gaps: tuple[int, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()


def raw_growth(plan: Plan) -> RawGrowth | None:
    """The plan's raw history, if it names one: spending and funding per head, growth of both."""
    if "raw_history" not in plan.tables:
        return None
    table = plan.tables["raw_history"]
    frame = table.frame.sort_values("year").reset_index(drop=True)
    level = per_capita_history(plan, "raw_history").sort_index()
    years = frame["year"].diff()
    present = set(frame["year"])
    gaps = tuple(y for y in range(min(present), max(present)) if y not in present)
    out = pd.DataFrame({"year": frame["year"], "per_capita": level.to_numpy()})
    out["financing"] = frame.get("financing_standard_per_capita", np.nan)
    for name in ("per_capita", "financing"):
        out[f"{name}_growth"] = (out[name] / out[name].shift(1)) ** (1 / years) - 1
    span = float(frame["year"].iloc[-1] - frame["year"].iloc[0])
    mean = {
        n: float((out[n].iloc[-1] / out[n].iloc[0]) ** (1 / span) - 1) for n in ("per_capita", "financing")
    }
    return RawGrowth(out, mean["per_capita"], mean["financing"], gaps, sources=table.sources)
