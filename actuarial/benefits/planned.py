"""The policy factor that a plan asks for: stated, printed, repriced from claims, or from bands of cost."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actuarial.benefits.loading import load_schedules
from actuarial.benefits.schedule import BenefitSchedule
from actuarial.benefits.stated import PolicyFactor, stated_policy_factor
from actuarial.errors import InputError
from actuarial.law import load_law
from actuarial.law.terms import word_of
from actuarial.layers import Piecewise
from actuarial.plan import AggregatesPolicy, Plan, RepricedPolicy, SimplePolicy
from actuarial.tables import ClaimsTable, Table

if TYPE_CHECKING:
    from actuarial.benefits.repricing import Resident


def plan_policy(plan: Plan) -> PolicyFactor:
    """The policy factor that a plan asks for."""
    spec = plan.model.policy
    if isinstance(spec, SimplePolicy):
        law = load_law(spec.law, "costing")
        value = law.payload.policy_effect_coefficient
        return PolicyFactor(value, spec.sd, "simple", sources=(law.source("policy_effect_coefficient"),))
    if isinstance(spec, RepricedPolicy):
        return _joined(plan, spec, _repriced(plan, spec))
    if isinstance(spec, AggregatesPolicy):
        return _joined(plan, spec, _from_bands(plan, spec))
    return stated_policy_factor(spec.coefficient, spec.sd, source=plan.source("policy", spec))


def _joined(plan: Plan, spec: RepricedPolicy | AggregatesPolicy, found: PolicyFactor) -> PolicyFactor:
    """With what the plan adds: a further standard deviation in points, and its own source."""
    return replace(
        found, sd=math.hypot(found.sd, spec.sd), sources=(*found.sources, plan.source("policy", spec))
    )


def _rules(
    plan: Plan, spec: RepricedPolicy | AggregatesPolicy
) -> tuple[list[BenefitSchedule], BenefitSchedule]:
    """The plan's old schedules and its new one, gaps read as the plan says."""
    readings = {k: r.model_dump(exclude_none=True) for k, r in spec.readings.items()}
    old = [spec.old] if isinstance(spec.old, str) else spec.old
    *before, after = load_schedules([plan.rule_reference(r) for r in (*old, spec.new)], readings=readings)
    return before, after


def _repriced(plan: Plan, spec: RepricedPolicy) -> PolicyFactor:
    """The claims of the base year's observed months under the plan's old and new rules."""
    from actuarial.benefits.factor import policy_factor
    from actuarial.benefits.repricing import RESIDENT_ROWS, Resident
    from actuarial.benefits.use import UseAssumption

    assert plan.claims is not None  # the plan's own check sees to it
    claims: ClaimsTable | Resident = plan.claims
    if plan.claims.rows <= RESIDENT_ROWS:
        first = plan.base_year.year * 12 + plan.base_year.month - 1
        claims = Resident.of(plan.claims).between(first, first + plan.observed_months - 1)
    use = spec.elasticity
    old, new = _rules(plan, spec)
    return policy_factor(
        claims,
        old=old,
        new=new,
        recode=spec.recode,
        elasticity=UseAssumption(use.value, use.source, use.status) if use else None,
        leverage=spec.leverage and isinstance(claims, Resident),
    )


def _from_bands(plan: Plan, spec: AggregatesPolicy) -> PolicyFactor:
    from actuarial.benefits.aggregates import policy_factor_from_bands

    table = plan.tables["bands"]
    before, after = _rules(plan, spec)
    old, new = (band_rules(table, r, recode=spec.recode) for r in (before[0], after))
    return policy_factor_from_bands(table, old, new, per=spec.per)


def band_rules(
    table: Table, schedule: BenefitSchedule, *, recode: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str | tuple[str, str], Piecewise]:
    """What a schedule's main layer pays, by category and level of a table of bands.

    Deductible, ratios, segments and ceilings are applied to what a row of the table counts, a claim or a
    member-year; a yearly ceiling therefore acts on a single claim where the table counts claims.

    Raises
    ------
    InputError
        If the layer has no rule for a category and level, or does not know a word (all of them at once).
    """
    frame = table.frame
    categories = frame["category"].astype(str) if "category" in frame else [""] * len(frame)
    found: dict[str | tuple[str, str], Piecewise] = {}
    faults: dict[str, Any] = {}
    for category, level in dict.fromkeys(zip(categories, frame["level"].astype(str), strict=True)):
        kind, place = (
            word_of((recode or {}).get(k, {}).get(w, w))
            for k, w in (("category", category or "inpatient"), ("level", level))
        )
        try:
            found[(category, level)] = schedule.piecewise(schedule.main_layer, category=kind, level=place)
        except InputError as error:
            faults |= {f.message("en"): f for f in error.faults}
    if faults:
        raise InputError(faults.values())
    return found
