"""Laws of a claim's cost that a plan wants fitted to its own claims."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import narwhals as nw

from actuarial.errors import Fault, InputError
from actuarial.severity import SeverityFit, fit_severity
from actuarial.tables import term_label
from actuarial.tables.engine import gather

if TYPE_CHECKING:
    from actuarial.plan import Plan
    from actuarial.tables import ClaimsTable

_FITS: WeakKeyDictionary[ClaimsTable, dict[str, SeverityFit]] = WeakKeyDictionary()
"""Fits by claims and category: what-ifs and scenarios share their plan's claims."""


def fitted_severities(plan: Plan) -> dict[str, SeverityFit]:
    """Fits for the categories whose law of a claim's cost is ``fitted``, from what the fund paid on the plan's claims.

    Parameters
    ----------
    plan : Plan

    Raises
    ------
    InputError
        If the plan has no claims, or too few of a category for any law.
    """
    wanted = [c for c, spec in plan.model.process.severity.items() if spec.law == "fitted"]
    if not wanted:
        return {}
    claims = plan.claims
    if claims is None:
        params = {"names": "、".join(term_label(c) for c in wanted)}
        raise InputError([Fault("fund.severity_claims", file=plan.file, params=params)])
    known = _FITS.setdefault(claims, {})
    for category in wanted:
        if category not in known:
            known[category] = _fit(claims, category)
    return {c: known[c] for c in wanted}


def _fit(claims: ClaimsTable, category: str) -> SeverityFit:
    rows = claims.lazy.filter(nw.col("category") == category, nw.col("fund_payment_cents") > 0)
    return fit_severity(gather(rows.select("fund_payment_cents"))["fund_payment_cents"].to_numpy() / 100)
