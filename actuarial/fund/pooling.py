r"""Pooling funds at a city or province: an adjustment fund, equalisation of risk, and what pooling saves.

**Adjustment fund.** Each fund pays :math:`r` of its financing in; deficits at the year's end are covered in proportion until it is
empty, path by path: with :math:`D_f=(c_f-\text{paid})^-`, the share covered is :math:`\min(1,\sum\text{paid}/\sum D_f)`.

**Capital.** The amount that covers a closing deficit with probability :math:`1-\alpha`, of each fund and of all together; their
difference is what pooling saves.

**Equalisation** after Korea: funds whose members are older, or whose large claims are more frequent, receive from the others,

.. math:: T_f = H_f\,\theta\,\bigl[\bar c\,(s_f-\bar s) + \bar x\,(q_f-\bar q)\bigr],

with :math:`s_f` the mean relative cost of the fund's ages, :math:`q_f` its large claims per member, :math:`\bar x` their mean cost
above the threshold and :math:`\theta` the part that is equalised. Means are by members, so transfers sum to zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.fund.fleet import FleetResult, Member
from actuarial.fund.target import allowed
from actuarial.law import load_law
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RULE = "china/coal/threshold/adjustment_fund@1996-05-05"
"""The rule that caps the adjustment fund's rate."""


@dataclass(frozen=True, eq=False)
class Pooling(Result):
    """Funds with and without an adjustment fund, and the pools they make.

    Parameters
    ----------
    funds : DataFrame
        By fund: ``contribution``, ``expected_support``, ``expected_gain`` (support less contribution) [yuan], probability of a
        closing deficit ``before`` and ``after``, ``capital`` on its own [yuan].
    pools : DataFrame
        By pool: ``funds``, ``contribution``, ``any_before``, ``any_after`` (probability that some fund ends short),
        ``capital_alone``, ``capital_pooled``, ``capital_saved`` [yuan], ``expected_left`` of the adjustment fund [yuan].
    rate, alpha : float
    """

    funds: pd.DataFrame
    pools: pd.DataFrame
    rate: float
    alpha: float

    @property
    def table(self) -> pd.DataFrame:
        """One row a fund."""
        return self.funds.copy()

    def summary(self, lang: str | None = None) -> str:
        """A line a pool."""
        money = Unit.of(lang)
        lines = []
        for row in self.pools.to_dict("records"):
            words = {
                k: money.show(row[k])
                for k in ("contribution", "capital_alone", "capital_pooled", "capital_saved")
            }
            risks = {k: f"{100 * row[k]:.1f}" for k in ("any_before", "any_after")}
            lines.append(
                text(
                    "fleet_words.pool_line",
                    lang,
                    pool=row["pool"] or text("fleet_words.all", lang),
                    funds=row["funds"],
                    rate=f"{100 * self.rate:g}",
                    **words,
                    **risks,
                )
            )
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Who gains and who pays, on average (at most thirty funds)."""
        money = Unit.of(lang)
        rows = self.funds.sort_values("expected_gain")
        rows = rows if len(rows) <= 30 else pd.concat([rows.head(15), rows.tail(15)])
        with figure_style():
            ax = ax or new_axes(8.0, 1.2 + 0.3 * len(rows))
            gain = rows["expected_gain"] / money.scale
            ax.barh(
                rows["fund"].tolist(),
                gain,
                color=[COLOURS["good"] if g > 0 else COLOURS["bad"] for g in gain],
            )
            ax.axvline(0, color=COLOURS["ink"], linewidth=1)
            ax.set_xlabel(text("fleet_words.gain", lang, unit=money.label))
            ax.xaxis.set_major_formatter(thousands)
        return ax


def largest_rate() -> float:
    """The cap on the adjustment fund's rate, from the law file."""
    return float(load_law(RULE, "threshold").payload.at_most)


def pool(result: FleetResult, *, rate: float, alpha: float = 0.05) -> Pooling:
    """Pool a fleet's funds, each in its own pool, with an adjustment fund.

    Parameters
    ----------
    result : FleetResult
    rate : float
        Share of its financing that each fund pays in; at most the rule's cap.
    alpha : float
        Probability that capital may not be enough.

    Raises
    ------
    InputError
        If the rate is negative or above the cap, or alpha is not between 0 and 1.
    """
    cap = largest_rate()
    if not 0 <= rate <= cap:
        raise InputError([Fault("fleet.rate", params={"value": f"{rate:g}", "cap": f"{cap:g}"})])
    if not 0 < alpha < 1:
        raise InputError([Fault("fund.alpha", params={"value": alpha})])
    table = result.table.set_index("fund")
    rows: list[dict[str, object]] = []
    pools: list[dict[str, object]] = []
    for name in dict.fromkeys(m.pool for m in result.members):
        members = [m for m in result.members if m.pool == name]
        made = _one_pool(result, members, table["financing"] * rate, alpha)
        rows += made[0]
        pools.append({"pool": name, "funds": len(members), **made[1]})
    rule = load_law(RULE, "threshold").source()
    return Pooling(pd.DataFrame(rows), pd.DataFrame(pools), rate, alpha, sources=(*result.sources, rule))


def _one_pool(
    result: FleetResult, members: list[Member], paid: pd.Series, alpha: float
) -> tuple[list[dict[str, object]], dict[str, float]]:
    """Two passes over the funds' files: the pool's deficits by path, then what each fund gets of it."""
    n = result.paths
    missing, together = np.zeros(n), np.zeros(n)
    before, after = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    held = float(sum(paid[m.name] for m in members))
    for member in members:
        closing, _ = result.outcome(member)
        missing += np.maximum(float(paid[member.name]) - closing, 0.0)
        together += closing
        before |= closing < 0
    share = np.divide(held, missing, out=np.ones(n), where=missing > held)
    rows, alone = [], 0.0
    for member in members:
        closing, _ = result.outcome(member)
        own = closing - float(paid[member.name])
        support = share * np.maximum(-own, 0.0)
        short = (own < 0) & (share < 1)
        after |= short
        capital = _capital(closing, alpha)
        alone += capital
        rows.append(
            {
                "fund": member.name,
                "pool": member.pool,
                "contribution": float(paid[member.name]),
                "expected_support": float(support.mean()),
                "expected_gain": float(support.mean()) - float(paid[member.name]),
                "before": float((closing < 0).mean()),
                "after": float(short.mean()),
                "capital": capital,
            }
        )
    pooled = _capital(together, alpha)
    left = np.maximum(held - missing, 0.0).mean()
    return rows, {
        "contribution": held,
        "any_before": float(before.mean()),
        "any_after": float(after.mean()),
        "capital_alone": alone,
        "capital_pooled": pooled,
        "capital_saved": alone - pooled,
        "expected_left": float(left),
    }


def _capital(closing: NDArray[np.float64], alpha: float) -> float:
    """What covers the closing deficit on all but ⌊αn⌋ paths; 0 where no deficit is left [yuan]."""
    place = len(closing) - allowed(alpha, len(closing)) - 1
    return max(float(np.partition(-closing, place)[place]), 0.0)


@dataclass(frozen=True, eq=False)
class Equalisation(Result):
    """Transfers between funds by age and large claims.

    Parameters
    ----------
    frame : DataFrame
        By fund: ``persons``, ``age_index`` (1 is the average), ``large_claims_per_1000``, ``by_age``, ``by_large_claims``,
        ``transfer`` [yuan] and ``transfer_per_head``; negative pays.
    """

    frame: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """One row a fund."""
        return self.frame.copy()

    @property
    def gainers(self) -> list[str]:
        """Funds that receive."""
        return self.frame.loc[self.frame["transfer"] > 0, "fund"].tolist()


def equalise(
    ages: pd.DataFrame,
    relative_cost: pd.Series,
    large_claims: pd.DataFrame,
    *,
    cost_per_head: float,
    part: float = 1.0,
) -> Equalisation:
    """Transfers that take out differences of age structure and of the incidence of large claims.

    Parameters
    ----------
    ages : DataFrame
        ``fund``, ``age_group``, ``persons``.
    relative_cost : Series
        Cost of an age group relative to any common level, by ``age_group``.
    large_claims : DataFrame
        ``fund``, ``cases`` above the threshold, ``cost_above`` it in all [yuan].
    cost_per_head : float
        Mean cost of all members without what is above the threshold [yuan/person/year].
    part : float
        Part that is equalised, 0 to 1.

    Raises
    ------
    InputError
        If an age group has no relative cost, a fund has no members, or a number is out of range.

    Examples
    --------
    >>> ages = pd.DataFrame({"fund": ["a", "a", "b", "b"], "age_group": ["young", "old"] * 2, "persons": [80, 20, 50, 50]})
    >>> large = pd.DataFrame({"fund": ["a", "b"], "cases": [1, 3], "cost_above": [1e4, 3e4]})
    >>> found = equalise(ages, pd.Series({"young": 1.0, "old": 3.0}), large, cost_per_head=300.0)
    >>> found.gainers, abs(round(float(found.table["transfer"].sum()), 6))
    (['b'], 0.0)
    """
    unknown = sorted(set(ages["age_group"]) - set(relative_cost.index))
    persons = ages.groupby("fund", sort=False)["persons"].sum()
    outside = sorted(set(large_claims["fund"]) ^ set(persons.index))
    numbers = [cost_per_head, *persons, *ages["persons"], *relative_cost, *large_claims["cases"]]
    numbers += [*large_claims["cost_above"]]
    if unknown or outside or not 0 <= part <= 1 or not (np.array(numbers) >= 0).all() or (persons <= 0).any():
        words = "、".join(map(str, [*unknown, *outside])) or f"{part:g}"
        raise InputError([Fault("fleet.equalise", params={"value": words})])
    weight = ages["persons"] * ages["age_group"].map(relative_cost)
    index = weight.groupby(ages["fund"], sort=False).sum() / persons
    index = index / np.average(index, weights=persons)
    claims = large_claims.set_index("fund").reindex(persons.index)
    cases = claims["cases"] / persons
    mean_case = float(claims["cost_above"].sum() / max(float(claims["cases"].sum()), 1.0))
    by_age = part * persons * cost_per_head * (index - 1)
    by_large = part * persons * mean_case * (cases - np.average(cases, weights=persons))
    frame = pd.DataFrame(
        {
            "fund": persons.index,
            "persons": persons.to_numpy(),
            "age_index": index.to_numpy(),
            "large_claims_per_1000": 1000 * cases.to_numpy(),
            "by_age": by_age.to_numpy(),
            "by_large_claims": by_large.to_numpy(),
            "transfer": (by_age + by_large).to_numpy(),
            "transfer_per_head": ((by_age + by_large) / persons).to_numpy(),
        }
    )
    return Equalisation(frame)
