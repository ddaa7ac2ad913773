"""From a plan and a forecast of cost to what is the same on every path."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from actuarial.cost import CostForecast
from actuarial.errors import ModelWarning, warn
from actuarial.fund.calendar import Arrears, Financing
from actuarial.fund.fitted import fitted_severities
from actuarial.fund.large import plan_large
from actuarial.fund.paths import Kept, Setting
from actuarial.fund.personal import own_part
from actuarial.fund.planned_income import plan_income
from actuarial.fund.risk import plan_risk
from actuarial.plan import Plan
from actuarial.plan.schema import Process
from actuarial.severity import (
    Gamma,
    Lognormal,
    LognormalMixture,
    Severity,
    SeverityFit,
    SplicedPareto,
    compound_cumulants,
)
from actuarial.tables import term_label


def plan_setting(
    plan: Plan, cost: CostForecast, financing: Financing, arrears: Arrears, *, base_year_premium: float = 0.0,
    kept: Kept | None = None,
) -> Setting:  # fmt: skip
    """What is the same on every path of a plan's fund.

    Parameters
    ----------
    plan : Plan
    cost : CostForecast
    financing, arrears
        Income of the planned year, and what is owed of the base year.
    base_year_premium : float
        Critical-illness premium of the base year, paid after the valuation date [yuan].
    kept : dict, optional
        Where standard normals are kept from one run to the next.
    """
    model, seen = plan.model, plan.observed_months
    profile = cost.base.profile.shares
    stub = profile[seen:] / profile[seen:].sum() if seen < 12 else np.empty(0)
    income = np.zeros(12 - seen)
    own = (
        own_part(plan, financing, arrears, "outstanding").sum()
        if model.personal_accounts
        else arrears.outstanding
    )
    if seen < 12:
        income[max(model.financing.remainder_month, seen + 1) - seen - 1] = own
    opening = model.opening
    prepaid = opening.prepaid.value if opening.prepaid else 0.0
    cii = np.zeros(12)
    if model.cii.premium_per_capita is not None:
        cii[model.cii.month - 1] = model.cii.premium_per_capita.value
    cvs = model.process.severity_cv
    cv = [cvs.get(c, cvs["default"]) for c in cost.categories]
    visits = cost.base.annual_visits
    if np.isnan(visits).any():
        missing = "、".join(
            term_label(c) for c, v in zip(cost.categories, visits, strict=True) if np.isnan(v)
        )
        warn(ModelWarning, "fund.no_visits", categories=missing)
    counts = np.nan_to_num(visits)
    spread = compound_cumulants(1.0, 1.0, cv, model.process.dispersion)[1:]
    laws, known = severity_laws(model.process, cost.categories, cv, fitted_severities(plan))
    shares = cost.base.coming.shares
    mean = np.divide(cost.base.category_per_capita, counts, out=np.zeros_like(counts), where=counts > 0)
    large = plan_large(
        laws, counts * model.insured.next_year, mean, model.process.dispersion, float(shares.min()),
        spread if known else None,
    )  # fmt: skip
    received = (
        own_part(plan, financing, arrears, "received").sum() if model.personal_accounts else arrears.received
    )
    cash = opening.free.value + prepaid + received - cost.base.experience.paid
    unpaid = (opening.unpaid_claims.value if opening.unpaid_claims else 0.0) + base_year_premium
    return Setting(
        cost=cost,
        heads=model.insured.next_year,
        heads_sd=model.insured.next_year_sd,
        shares=shares,
        stub=stub,
        stub_income=income,
        at_valuation=cash,
        late_income=own if seen == 12 else 0.0,
        unpaid=unpaid,
        premium_per_head=cii,
        interest=model.financing.interest_rate.value / 12,
        receipts=financing.receipts,
        counts=counts,
        spread=spread,
        large=large,
        year=plan.base_year.year + 1,
        kept=kept,
        risk=plan_risk(plan, cost),
        income=plan_income(
            plan, financing, arrears, cash=cash, unpaid=unpaid, monthly_spending=cost.base.total / 12
        ),
    )


def severity_laws(
    process: Process, categories: list[str], cv: list[float], fits: Mapping[str, SeverityFit] | None = None
) -> tuple[tuple[Severity, ...], bool]:
    """Laws of a claim's cost over its mean, and whether all are lognormal with a stated coefficient of variation."""
    kinds: dict[str, Callable[..., Severity]] = {
        "lognormal": Lognormal.of, "gamma": lambda cv: Gamma(1.0, cv), "spliced_pareto": SplicedPareto,
        "lognormal_mixture": lambda m1, s1, m2, s2, share: LognormalMixture(
            Lognormal.of(m1, s1), Lognormal.of(m2, s2), share),
    }  # fmt: skip
    laws: list[Severity] = []
    for category, spread in zip(categories, cv, strict=True):
        spec = process.severity.get(category)
        if spec is None:
            law: Severity = Lognormal(1.0, spread)
        elif spec.law == "fitted":
            law = (fits or {})[category].law
        else:
            law = kinds[spec.law](*spec.parameters)
        laws.append(law.scaled(1 / law.mean))
    return tuple(laws), not any(c in process.severity for c in categories)
