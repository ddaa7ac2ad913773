"""Provider budgets as a plan states them, and how a year is settled with providers.

Savings and overspending are shared by contract files; budgets from volumes are in :mod:`~actuarial.budget.allotment`, points in
:mod:`~actuarial.budget.points`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from actuarial.contract import load_contract
from actuarial.contract.provider import ProviderRule
from actuarial.errors import Fault, InputError
from actuarial.layers import Piecewise
from actuarial.plan import Plan
from actuarial.results import Result

if TYPE_CHECKING:
    pass


@cache
def provider_rules() -> dict[str, ProviderRule]:
    """Rules of settlement with providers, by id.

    Examples
    --------
    >>> provider_rules()["quota_2008"].contract.law.envelope.status
    'assumed'
    """
    rules = provider_data()["rules"].items()
    return {
        name: ProviderRule(load_contract(r["law"]).with_readings(r.get("readings", {}))) for name, r in rules
    }


@cache
def provider_data() -> dict[str, Any]:
    """Rules of settlement and of points, with their sources, as data."""
    return yaml.safe_load(files(__package__).joinpath("providers.yaml").read_text(encoding="utf-8"))


def provider_budgets(plan: Plan) -> pd.DataFrame | None:
    """Provider budgets, each as a share of the income of the year, with overspending where stated.

    Returns
    -------
    DataFrame or None
        ``provider``, ``budget``, ``overspend`` [yuan], ``share_of_income``; None without such a table.
    """
    if "providers" not in plan.tables:
        return None
    frame = plan.tables["providers"].frame[["provider", "budget"]].copy()
    over = plan.tables["providers"].frame.get("overspend")
    frame["overspend"] = np.nan if over is None else over
    income = plan.model.financing.base_year
    due = income.due.value if income else float(plan.tables["payers"].frame["due"].sum())
    frame["share_of_income"] = frame["budget"] / due
    return frame


def sharing(rule: str, quota: float, *, indicators: Mapping[str, float] | None = None) -> Piecewise:
    """What the fund pays less the budget, as a function of spending less the budget [yuan].

    Parameters
    ----------
    rule : str
        Of :func:`provider_rules`.
    quota : float
        The provider's budget [yuan].
    indicators : mapping, optional
        What a rule's conditions look at (``admissions_per_visit``); a condition that is not told of counts as met.

    Raises
    ------
    InputError
        For an unknown rule or a budget that is not positive.

    Examples
    --------
    Half of what is above, up to 20% of the budget; of a saving 30% is kept, at most 3% of the budget:

    >>> f = sharing("quota_2008", 1_000_000)
    >>> [float(f(x)) for x in (300_000.0, 100_000.0, -50_000.0, -200_000.0)]
    [100000.0, 50000.0, -35000.0, -170000.0]
    """
    rules = provider_rules()
    if rule not in rules or not quota > 0:
        raise InputError(
            [Fault("budget.sharing", params={"rule": rule, "known": "、".join(rules), "quota": quota})]
        )
    return rules[rule].sharing(quota, indicators)


@dataclass(frozen=True, eq=False)
class ProviderSettlement(Result):
    """A year settled with providers.

    Parameters
    ----------
    frame : DataFrame
        ``provider``, ``budget``, ``actual``, ``outcome`` (actual − budget), ``fund_pays``, ``provider_bears``
        (negative: the provider keeps), ``monthly`` (paid during the year), ``at_settlement`` [yuan].
    rule : str
    """

    frame: pd.DataFrame
    rule: str

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def title(self) -> str:
        """The rule in words."""
        return provider_rules()[self.rule].name


def settle_providers(frame: pd.DataFrame, rule: str) -> ProviderSettlement:
    """Settle a year with each provider under a rule of sharing.

    Parameters
    ----------
    frame : DataFrame
        ``provider``, ``budget``, ``actual`` [yuan].
    rule : str
        Of :func:`provider_rules`.

    Examples
    --------
    >>> year = pd.DataFrame({"provider": ["a"], "budget": [1_000_000.0], "actual": [1_080_000.0]})
    >>> settle_providers(year, "shenzhen").frame[["fund_pays", "provider_bears"]].iloc[0].tolist()
    [1045000.0, 35000.0]
    """
    found = provider_rules().get(rule)
    out = (
        frame[["provider", "budget", "actual"]]
        .reset_index(drop=True)
        .astype({"budget": float, "actual": float})
    )
    out["outcome"] = out["actual"] - out["budget"]
    more = [float(sharing(rule, q)(x)) for q, x in zip(out["budget"], out["outcome"], strict=True)]
    out["fund_pays"] = out["budget"] + np.array(more)
    out["provider_bears"] = out["actual"] - out["fund_pays"]
    monthly = found.monthly if found is not None else 1.0
    out["monthly"] = np.minimum(out["budget"] * monthly, out["fund_pays"])
    out["at_settlement"] = out["fund_pays"] - out["monthly"]
    return ProviderSettlement(out, rule, sources=found.contract.sources if found is not None else ())
