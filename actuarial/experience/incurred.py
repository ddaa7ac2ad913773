"""A plan's claims as its base year: cash as paid, or by month of service and completed.

With ``basis: paid`` the payments of the base year are counted by month of payment and never completed. With
``basis: incurred`` claims are counted by month of service; what is not yet paid is completed from their run-off
triangle, and the error of the completion goes on with the base.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from actuarial.experience import AnnualBase, Experience
from actuarial.experience.claims import claims_triangle, experience_from_claims
from actuarial.experience.completion import Completed, complete
from actuarial.plan import Plan


@dataclass(frozen=True)
class BaseCompletion:
    """What completion says of the base year's months of service.

    Parameters
    ----------
    completed : Completed
    factor : float
        Incurred over paid.
    relative_sd : float
        Standard error of what is incurred, relative to it.
    """

    completed: Completed
    factor: float
    relative_sd: float

    def applied(self, base: AnnualBase) -> AnnualBase:
        """The base with its completion."""
        return replace(
            base,
            completion=self.factor,
            completion_sd=self.relative_sd,
            completed=self.completed,
            sources=(*base.sources, *self.completed.sources),
        )


def study_claims(plan: Plan) -> tuple[Experience, BaseCompletion | None]:
    """Experience of the months observed, and their completion where claims are counted by service.

    Raises
    ------
    InputError
        If no claim falls in the base year's months.
    """
    claims = plan.claims
    assert claims is not None
    basis = plan.model.tables["claims"].basis or "paid"
    first = str(plan.base_year)
    study = experience_from_claims(
        claims,
        insured=plan.model.insured.count,
        months=plan.observed_months,
        first=first,
        basis="payment" if basis == "paid" else "service",
    )
    if basis == "paid":
        return study, None
    valued = str(plan.base_year + plan.observed_months - 1)
    triangle = claims_triangle(claims, until=valued)
    done = complete(triangle)
    months = [p for p in done.frame.index if plan.base_year <= p < plan.base_year + plan.observed_months]
    own = done.frame.loc[months]
    paid, ultimate = float(own["latest"].sum()), float(own["ultimate"].sum())
    # payments after the valuation date are in the file too where it was drawn later; they are not used
    study = replace(study, frame=_scaled(study, paid / study.paid))
    error = done.total_se if len(own) == len(done.frame) else float((own["se"] ** 2).sum() ** 0.5)
    return study, BaseCompletion(done, ultimate / paid, error / ultimate)


def _scaled(study: Experience, factor: float) -> pd.DataFrame:
    """The study's money and visits as known at the valuation date."""
    frame = study.frame.copy()
    for name in ("fund_payment", "visits", "visits_per_insured", "per_capita"):
        frame[name] = frame[name] * factor
    return frame
