"""Indicators of the planned year with the limits that law files set."""

from __future__ import annotations

import numpy as np
import pandas as pd

from actuarial.budget.draft import budget_draft
from actuarial.fund import Simulation
from actuarial.law import list_laws, load_law


def indicators(sim: Simulation, premium: float | None = None) -> pd.DataFrame:
    """Indicators of the planned year with the limits that law files set.

    Returns
    -------
    DataFrame
        ``indicator``, ``value``, ``limit``, ``within`` (None where there is no limit), ``law``, ``status``.
    """
    draft = budget_draft(sim, premium).draft
    income = draft["revenue_total"]
    values = {
        "fund_use_ratio": draft["expenditure_total"] / income,
        "current_balance_ratio": draft["current_balance"] / income,
        "cumulative_balance_ratio": draft["closing_balance"] / income,
        "payable_months": sim.months_payable(premium),
    }
    limits = {law.payload.indicator: law for law in map(load_law, list_laws("threshold"))}
    rows = []
    for name, value in values.items():
        law = limits.get(name)
        limit = law.payload.at_most if law else None
        rows.append(
            {
                "indicator": name,
                "value": value,
                "limit": np.nan if limit is None else limit,
                "within": None if limit is None else bool(value <= limit),
                "law": law.id if law else "",
                "status": law.envelope.status if law else "",
            }
        )
    return pd.DataFrame(rows)
