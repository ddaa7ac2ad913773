"""When money comes in: payers, amounts, and the share received by the end of each month.

A calendar row says what share of a payer's yearly amount has arrived by the end of a month; month 0
is money collected before the year begins (it is held for the year and counts from its first day).
What the last row leaves open stays outstanding at the year's end. The split among payers keeps its
proportions when the amount per head changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import DataWarning, ModelWarning, warn
from actuarial.fund.arrivals import Arrival
from actuarial.fund.payers import payer_amounts, plan_subsidy
from actuarial.fund.personal import kept_shares
from actuarial.plan import Plan
from actuarial.results import Result, Source, Unit
from actuarial.tables import term_label


@dataclass(frozen=True, eq=False)
class Financing(Result):
    """Income of the year that is planned, per head and by month.

    Parameters
    ----------
    payers : DataFrame
        ``payer``, ``per_capita`` [yuan/person/year], ``weight`` (share of the standard),
        ``share_of_rise``.
    cumulative : DataFrame, shape (payers, 13)
        Share of each payer's amount received by the end of month 0…12; expected, where it is uncertain.
    kept : ndarray, shape (payers,), optional
        Part of each payer's money that the fund itself keeps: not credited to personal accounts, not paid to an adjustment fund.
    """

    payers: pd.DataFrame
    cumulative: pd.DataFrame
    kept: NDArray[np.float64] | None = None

    @property
    def own_share(self) -> NDArray[np.float64]:
        """Part of each payer's money that the fund itself keeps, shape (payers,)."""
        return np.ones(len(self.payers)) if self.kept is None else self.kept

    @property
    def standard(self) -> float:
        """What all payers give [yuan/person/year]."""
        return float(self.payers["per_capita"].sum())

    @property
    def receipts(self) -> NDArray[np.float64]:
        """Share of the standard received in each month; month 0 counts in month 1. Shape (12,)."""
        weights = self.payers["weight"].to_numpy()
        total = (weights if self.kept is None else weights * self.kept) @ self.cumulative.to_numpy()
        steps = np.diff(total)
        steps[0] += total[0]
        return steps

    @property
    def table(self) -> pd.DataFrame:
        """Payers, and the share of each received by the end of each month."""
        return self.payers.merge(self.cumulative.reset_index(), on="payer")

    def rise(self, target: float) -> pd.DataFrame:
        """Who pays the step from the present standard to a target [yuan/person/year].

        The stated shares of a rise are used, for a fall too; without them the present proportions.
        """
        frame = self.payers[["payer", "per_capita"]].copy()
        frame["rise"] = (target - self.standard) * self.payers["share_of_rise"]
        frame["new_per_capita"] = frame["per_capita"] + frame["rise"]
        return frame


@dataclass(frozen=True, eq=False)
class Arrears(Result):
    """What payers owe of the base year at the valuation date.

    Parameters
    ----------
    frame : DataFrame
        ``payer``, ``due``, ``received``, ``outstanding`` [yuan], ``receipt_rate``.
    """

    frame: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def received(self) -> float:
        """Received up to the valuation date [yuan]."""
        return float(self.frame["received"].sum())

    @property
    def outstanding(self) -> float:
        """Due and not received [yuan]."""
        return float(self.frame["outstanding"].sum())


def plan_financing(plan: Plan) -> Financing:
    """Payers and calendar of a plan."""
    table, model = plan.tables["payers"], plan.model
    payers = payer_amounts(plan)
    payers.insert(2, "weight", payers["per_capita"] / payers["per_capita"].sum())
    wide = stated_calendar(plan, payers["payer"])
    for payer, share in wide[12].items():
        if share < 1 - 1e-9:
            warn(ModelWarning, "fund.calendar_open", payer=term_label(str(payer)), share=f"{100 * share:.1f}")
    for payer, spec in model.financing.arrivals.items():
        wide.loc[payer] = Arrival(payer, spec).expected(wide.loc[payer].to_numpy())
    kept = kept_shares(plan, payers["payer"])
    return Financing(
        payers, wide, kept, sources=(*table.sources, *plan.tables["calendar"].sources, *_rule(plan))
    )


def stated_calendar(plan: Plan, payers: Iterable[str]) -> pd.DataFrame:
    """Share of each payer's amount that should have come by the end of month 0…12, as the plan's table states it."""
    wide = plan.tables["calendar"].frame.pivot(index="payer", columns="month", values="cumulative_share")
    return wide.reindex(index=pd.Index(payers, name="payer"), columns=range(13)).ffill(axis=1).fillna(0.0)


def _rule(plan: Plan) -> tuple[Source, ...]:
    split = plan_subsidy(plan)
    return () if split is None else split.sources


def plan_arrears(plan: Plan) -> Arrears:
    """Income due and received in the base year, by payer where the table says."""
    table = plan.tables["payers"]
    if {"due", "received"} <= set(table.frame.columns):
        frame = table.frame[["payer", "due", "received"]].copy()
        sources = table.sources
        _compare(table.frame, plan.model.insured.count)
    else:
        income = plan.model.financing.base_year
        assert income is not None  # checked when the tables were read
        frame = pd.DataFrame(
            {"payer": ["all"], "due": [income.due.value], "received": [income.received.value]}
        )
        sources = (plan.source("financing.base_year.due", income.due),)
    frame["outstanding"] = frame["due"] - frame["received"]
    frame["receipt_rate"] = frame["received"] / frame["due"].where(frame["due"] > 0)
    return Arrears(frame, sources=sources)


def _compare(payers: pd.DataFrame, insured: float) -> None:
    """Say where what is due is not amount × heads, or more came in than was due."""
    money = Unit.of()
    for row in payers.to_dict("records"):
        expected, due, received = row["per_capita"] * insured, row["due"], row["received"]
        payer = term_label(str(row["payer"]))
        if abs(due - expected) > 0.05 * max(due, expected):
            warn(
                DataWarning,
                "fund.due_differs",
                payer=payer,
                due=money.show(due),
                expected=money.show(expected),
            )
        if received > due * (1 + 1e-9):
            warn(
                DataWarning,
                "fund.received_over",
                payer=payer,
                due=money.show(due),
                received=money.show(received),
            )
