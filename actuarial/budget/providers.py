r"""Provider budgets: what each was given, what volume × cost × ratio would give, and how a year is settled.

With :math:`n` admissions of the prior year, mean cost :math:`c`, effective ratio :math:`r`, growth :math:`g` and
case-mix index change :math:`m`, a provider's claim on the fund is

.. math:: q_i = n_i(1+g^n_i)\,c_i(1+g^c_i)\,m_i\,r_i,\qquad
          B_i=\Bigl\lfloor q_i\min\Bigl(1,\frac{A(1-\rho)-O}{\sum_j q_j}\Bigr)\Bigr\rfloor

with :math:`A` the available fund, :math:`\rho` the reserve and :math:`O` what the fund spends elsewhere: the
parts never pass the whole. Under points (DRG, DIP) the value of a point is (budget − reserve) / all points, so that
volume inflates points, not spending.
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
from actuarial.contract.points import PointSettlement, points_settled
from actuarial.contract.provider import ProviderRule
from actuarial.errors import Fault, InputError
from actuarial.layers import Piecewise
from actuarial.plan import Plan
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.tables import term_label
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@cache
def provider_rules() -> dict[str, ProviderRule]:
    """Rules of settlement with providers, by id.

    Examples
    --------
    >>> provider_rules()["quota_2008"].contract.law.envelope.status
    'assumed'
    """
    rules = _data()["rules"].items()
    return {
        name: ProviderRule(load_contract(r["law"]).with_readings(r.get("readings", {}))) for name, r in rules
    }


@cache
def _data() -> dict[str, Any]:
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


# --------------------------------------------------------------------------- allotment


@dataclass(frozen=True, eq=False)
class Allotment(Result):
    """Budgets by provider.

    Parameters
    ----------
    frame : DataFrame
        ``provider``, ``claim`` (volume × cost × ratio), ``budget`` [yuan], ``share_of_available``.
    available, reserve, other : float
        The fund, what is kept back, what is spent elsewhere [yuan].
    """

    frame: pd.DataFrame
    available: float
    reserve: float
    other: float

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def scale(self) -> float:
        """Budget over claim of all providers; 1 where the fund is enough."""
        claimed = float(self.frame["claim"].sum())
        return min(1.0, self.room / claimed) if claimed > 0 else 1.0

    @property
    def room(self) -> float:
        """What providers may be given in all [yuan]."""
        return self.available - self.reserve - self.other

    @property
    def within(self) -> bool:
        """Whether the parts do not exceed the whole."""
        return float(self.frame["budget"].sum()) <= self.room + 1e-6

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Claim and budget by provider."""
        unit, y = Unit.of(lang), np.arange(len(self.frame))
        with figure_style():
            ax = ax or new_axes(8.0, 1.2 + 0.5 * len(self.frame))
            ax.barh(y - 0.2, self.frame["claim"] / unit.scale, height=0.38, color=COLOURS["light"],
                    label=text("budget_words.claim", lang))  # fmt: skip
            ax.barh(y + 0.2, self.frame["budget"] / unit.scale, height=0.38, color=COLOURS["main"],
                    label=text("budget_words.provider_budget", lang))  # fmt: skip
            ax.set_yticks(y, [term_label(str(p), lang) for p in self.frame["provider"]])
            ax.invert_yaxis()
            ax.xaxis.set_major_formatter(thousands)
            ax.set_xlabel(unit.label)
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        return ax


def allot_budgets(
    history: pd.DataFrame, *, available: float, reserve_share: float = 0.0, other: float = 0.0
) -> Allotment:
    """Budgets from the prior year's volume, mean cost and effective ratio, scaled to the fund where it is short.

    Parameters
    ----------
    history : DataFrame
        ``provider``, ``visits`` [person-times], ``mean_cost`` [yuan], ``ratio``; optional ``visits_growth``,
        ``cost_growth`` (fractions, 0 if not given) and ``case_mix`` (1 if not given).
    available : float
        The fund [yuan].
    reserve_share : float
        Kept back for the end of the year, from 0 to below 1.
    other : float
        What the fund spends elsewhere (outpatient, premiums) [yuan].

    Raises
    ------
    InputError
        If a column is missing, a value is negative or not a number, or nothing is left for providers.

    Examples
    --------
    >>> h = pd.DataFrame({"provider": ["township", "county_level"], "visits": [20000, 25000], "mean_cost": [1000.0, 4000.0],
    ...                   "ratio": [0.8, 0.7]})
    >>> allot_budgets(h, available=1e8).frame["budget"].tolist()
    [16000000.0, 70000000.0]
    >>> short = allot_budgets(h, available=8e7, reserve_share=0.05)
    >>> short.within, round(short.scale, 4)
    (True, 0.8837)
    """
    columns = {"visits_growth": 0.0, "cost_growth": 0.0, "case_mix": 1.0}
    missing = [c for c in ("provider", "visits", "mean_cost", "ratio") if c not in history.columns]
    if missing:
        raise InputError([Fault("budget.allot_columns", params={"names": "、".join(missing)})])
    frame = history.reset_index(drop=True).assign(**{c: v for c, v in columns.items() if c not in history})
    numbers = frame[["visits", "mean_cost", "ratio", "case_mix"]].to_numpy(dtype=np.float64)
    growth = 1 + frame[["visits_growth", "cost_growth"]].to_numpy(dtype=np.float64)
    bad = ~(np.isfinite(numbers) & (numbers >= 0)).all(axis=1) | ~(np.isfinite(growth) & (growth >= 0)).all(
        axis=1
    )
    if bad.any():
        names = "、".join(frame.loc[bad, "provider"].astype(str))
        raise InputError([Fault("budget.allot_value", params={"names": names})])
    room = available * (1 - reserve_share) - other
    if not (0 <= reserve_share < 1 and room > 0):
        raise InputError([Fault("budget.nothing_left", params={"room": Unit.of().show(room)})])
    claim = numbers.prod(axis=1) * growth.prod(axis=1)
    scale = room / claim.sum() if claim.sum() > room else 1.0
    budget = np.floor(np.round(claim * scale, 6))  # whole yuan, downwards: the parts cannot pass the whole
    out = pd.DataFrame({"provider": frame["provider"], "claim": claim, "budget": budget})
    out["share_of_available"] = out["budget"] / available
    return Allotment(out, float(available), float(available * reserve_share), float(other))


# --------------------------------------------------------------------------- points


def group_points(cases: pd.DataFrame) -> pd.DataFrame:
    """Points by provider from its cases: group mean over area mean × 100, × the provider's cost coefficient (Jinhua).

    Parameters
    ----------
    cases : DataFrame
        ``provider``, ``group``, ``cases``, ``mean_cost`` [yuan].

    Returns
    -------
    DataFrame
        ``provider``, ``group``, ``cases``, ``group_points``, ``coefficient``, ``points``.

    Examples
    --------
    >>> c = pd.DataFrame({"provider": ["a", "b"], "group": ["x", "x"], "cases": [100, 100], "mean_cost": [900.0, 1100.0]})
    >>> group_points(c)["points"].round(6).tolist()
    [9000.0, 11000.0]
    """
    frame = cases.copy()
    frame["cost"] = frame["cases"] * frame["mean_cost"]
    if not (
        frame["cases"].sum() > 0
        and frame["cost"].sum() > 0
        and (frame[["cases", "mean_cost"]] >= 0).all(axis=None)
    ):
        raise InputError([Fault("budget.no_points")])
    area = frame["cost"].sum() / frame["cases"].sum()
    sums = frame.groupby("group")[["cost", "cases"]].transform("sum")
    mean = sums["cost"] / sums["cases"]
    frame["group_points"] = mean / area * _data()["points"]["group"]["value"]
    frame["coefficient"] = frame["mean_cost"] / mean.where(mean > 0, 1.0)
    frame["points"] = frame["cases"] * frame["group_points"] * frame["coefficient"]
    return frame.drop(columns=["cost", "mean_cost"])


def settle_points(
    points: pd.DataFrame, *, budget: float, reserve_share: float | None = None
) -> PointSettlement:
    """Pay providers by points: value of a point = (budget − reserve) / all points.

    Parameters
    ----------
    points : DataFrame
        ``provider``, ``points``; several rows a provider are added up.
    budget : float
        The area's budget [yuan].
    reserve_share : float, optional
        Kept for adjustment; Zhejiang's 5% if not given.

    Raises
    ------
    InputError
        If there are no points, or the budget is not positive.

    Examples
    --------
    >>> s = settle_points(pd.DataFrame({"provider": ["a", "b"], "points": [9000.0, 11000.0]}), budget=2_000_000)
    >>> s.point_value, s.frame["payment"].tolist()
    (95.0, [855000.0, 1045000.0])
    """
    stated = load_contract(_data()["points"]["law"])
    assert stated.terms.points is not None
    share = stated.terms.points.reserve_share.value if reserve_share is None else reserve_share
    return points_settled(points, budget=budget, reserve_share=share, sources=stated.sources)


# --------------------------------------------------------------------------- sharing


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
