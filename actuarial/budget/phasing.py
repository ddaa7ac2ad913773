r"""The budget by month: each payer by its calendar, each category by the months' shares of a year.

For the planned year the annual amounts are the draft's; month :math:`m` gets

* of a payer's amount the share that the calendar lets arrive in :math:`m` (month 0 in month 1),
* of a category's amount the mean simulated share of :math:`m` (:class:`~actuarial.tables.MonthlyProfile`),
* the critical-illness premium and what comes late in the months of the plan,
* of the interest the share of :math:`m` in the sum of the mean balances at the months' starts.

For a base year in progress, where no spending budget was printed, spending is bounded by the income of the year
(以收定支), phased by the same shares: status ``assumed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.budget.form import form_lines, short_label
from actuarial.errors import Fault, InputError
from actuarial.experience import base_year
from actuarial.fund import Simulation
from actuarial.fund.calendar import plan_arrears, plan_financing
from actuarial.plan import Plan
from actuarial.results import COLOURS, Result, Source, Unit, figure_style, new_axes, thousands, write_frames
from actuarial.tables import MonthlyProfile, term_label, terms
from actuarial.texts import language, text

if TYPE_CHECKING:
    import os

    from matplotlib.axes import Axes

ALL = "all"
"""The item of income or spending that is not split."""


@dataclass(frozen=True, eq=False)
class YearBudget(Result):
    """A year's budget by month.

    Parameters
    ----------
    frame : DataFrame
        ``side``, ``line`` (of the form), ``item`` (payer, category or the line itself), ``month`` 1–12, ``amount``
        [yuan], ``visits`` [person-times; NaN where unknown].
    start : Period
        First month of the year.
    opening : float
        Balance at its start [yuan].
    unpaid : float
        Claims of earlier years unpaid at its start [yuan].
    heads : float
        Expected persons insured.
    profile : MonthlyProfile
        How spending falls on the months.
    place_sd : float
        How much this place may differ from it (sd of the share).
    simulation : Simulation or None
        The paths that the budget was drawn from; None where only a ceiling is known.
    providers : DataFrame or None
        ``provider``, ``budget`` [yuan].
    name : dict
        The fund's name by language.
    """

    frame: pd.DataFrame
    start: pd.Period
    opening: float
    unpaid: float
    heads: float
    profile: MonthlyProfile
    place_sd: float
    simulation: Simulation | None
    providers: pd.DataFrame | None
    name: dict[str, str]

    @property
    def employees(self) -> bool:
        """Whether the fund is that of an employee scheme: one with personal accounts."""
        sim = self.simulation
        return sim is not None and sim.fund.plan.model.personal_accounts is not None

    @property
    def year(self) -> int:
        """The year."""
        return int(self.start.year)

    @cached_property
    def process_sd(self) -> NDArray[np.float64]:
        """Spread of the share of the first months that single claims cause, shape (12,)."""
        if self.simulation is None:
            return np.zeros(12)
        claims = self.simulation.claims
        spread: NDArray[np.float64] = (claims.cumsum(axis=1) / claims.sum(axis=1, keepdims=True)).std(axis=0)
        return spread

    @property
    def table(self) -> pd.DataFrame:
        """Line and item by month, with the year [yuan]."""
        wide = self.frame.pivot_table(
            index=["side", "line", "item"], columns="month", values="amount", aggfunc="sum", sort=False
        )
        wide.columns = [int(c) for c in wide.columns]
        return wide.assign(year=wide.sum(axis=1)).reset_index()

    def amounts(self, side: str, *, claims_only: bool = False) -> NDArray[np.float64]:
        """Amount of one side by month, shape (12,) [yuan]; `claims_only` leaves premiums and other lines out."""
        rows = self.frame[self.frame["side"] == side]
        if claims_only:
            rows = rows[rows["line"].isin(["benefits", "inpatient", "outpatient"])]
        by_month = rows.groupby("month")["amount"].sum()
        return by_month.reindex(range(1, 13), fill_value=0.0).to_numpy()

    def balances(self) -> NDArray[np.float64]:
        """Budgeted balance at the end of each month, shape (12,) [yuan]."""
        flows = self.amounts("revenue") - self.amounts("expenditure")
        return self.opening + np.cumsum(flows)

    def lines(self) -> dict[str, float]:
        """Annual amount of each line that the budget fills [yuan]."""
        found = self.frame.groupby("line")["amount"].sum()
        return {str(k): float(v) for k, v in found.items()}

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write the months as a workbook; returns the path."""
        frame = self.table
        frame["item"] = [item_label(str(i), lang) for i in frame["item"]]
        return write_frames(
            path, {text("budget_words.sheet_phasing", lang): frame.drop(columns=["side", "line"])}
        )

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Budgeted income and spending by month, and the balance at the months' ends."""
        unit, months = Unit.of(lang), np.arange(1, 13)
        with figure_style():
            ax = ax or new_axes(8.4, 3.8)
            for at, (side, colour) in enumerate(
                (("revenue", COLOURS["light"]), ("expenditure", COLOURS["accent"]))
            ):
                ax.bar(months + 0.4 * at - 0.2, self.amounts(side) / unit.scale, width=0.38, color=colour,
                       label=text(f"budget_words.{side}", lang))  # fmt: skip
            ax.plot(months, self.balances() / unit.scale, color=COLOURS["main"], marker="o", markersize=3.5,
                    label=text("budget_words.balance_at_month_end", lang))  # fmt: skip
            ax.set_xticks(months)
            ax.set_xlabel(text("budget_words.month_of_year", lang))
            ax.set_ylabel(unit.label)
            ax.yaxis.set_major_formatter(thousands)
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=9)
        return ax


def item_label(item: str, lang: str | None = None) -> str:
    """Words of a payer, a category or a line.

    Examples
    --------
    >>> item_label("subsidy_central", "en"), item_label("interest", "zh"), item_label("all", "en")
    ('central government', '利息收入', 'all')
    """
    if item == ALL:
        return text("budget_words.all", lang)
    lines = {**form_lines("revenue"), **form_lines("expenditure")}
    if item in lines and item not in terms():
        return short_label(lines[item], lang)
    return term_label(item, language(lang))


PARTS_OF_CONTRIBUTIONS = {"medical_assistance": "assisted", "collective": "collective"}
"""Payers that the form shows as a part of contribution revenue, and their lines."""
CONTRIBUTORS = ("individual", "employer", *PARTS_OF_CONTRIBUTIONS)
"""Payers whose money is contribution revenue; all others give subsidies."""


def payer_line(payer: str) -> str:
    """Line of the form of a payer."""
    return "contributions" if payer in CONTRIBUTORS else "subsidy"


def category_line(category: str) -> str:
    """Line of the form of a category of spending."""
    return str(terms().get(category, {}).get("form", "outpatient"))


def planned_year(sim: Simulation, premium: float, draft: dict[str, float]) -> YearBudget:
    """The draft by month.

    Parameters
    ----------
    sim : Simulation
    premium : float
        Amount per head of the draft [yuan/person/year].
    draft : dict
        Its lines [yuan].

    Notes
    -----
    The amounts of the lines sum over the months to the draft's. A payer keeps its own calendar where the amount per
    head changes; the simulator keeps the calendar of all payers together, so that balances within the year may differ
    by the little that payers' shares of a rise differ from their shares of the standard.
    """
    fund = sim.fund
    rows: list[dict[str, Any]] = []
    arrivals = np.diff(fund.financing.cumulative.to_numpy(), axis=1)
    arrivals[:, 0] += fund.financing.cumulative.to_numpy()[:, 0]
    rise = fund.financing.rise(premium).set_index("payer")["new_per_capita"]
    expected = {str(p): float(rise[p] * a.sum()) for p, a in zip(rise.index, arrivals, strict=True)}
    for payer, steps in zip(expected, arrivals, strict=True):
        line = payer_line(payer)
        whole = sum(v for p, v in expected.items() if payer_line(p) == line)
        amount = draft[line] * expected[payer] / whole if whole else 0.0
        rows += _months("revenue", line, payer, amount * steps / steps.sum() if steps.sum() else steps * 0.0)
    cost = sim.cost
    shares = sim.claims.mean(axis=0) / sim.claims.mean(axis=0).sum()
    per_category = cost.table.set_index("category")["next_year_per_capita"]
    total, heads = draft["inpatient"] + draft["outpatient"], float(sim.arrays.heads.mean())
    for category, visits in zip(cost.categories, cost.base.annual_visits, strict=True):
        amount = total * float(per_category[category] / per_category.sum()) * shares
        rows += _months("expenditure", category_line(category), category, amount, visits * heads * shares)
    premiums = sim.setting.premium_per_head
    if premiums.sum() > 0:
        rows += _months("expenditure", "cii", "cii", draft["cii"] * premiums / premiums.sum())
    first = np.eye(12)[0]
    if draft["other_revenue"]:
        rows += _months("revenue", "other_revenue", "other_revenue", draft["other_revenue"] * first)
    starts = np.concatenate([[sim.opening.mean()], sim.balances(premium).mean(axis=0)[:-1]])
    weights = starts / starts.sum() if starts.sum() else np.full(12, 1 / 12)
    rows += _months("revenue", "interest", "interest", draft["interest"] * weights)
    plan = fund.plan
    providers = plan.tables["providers"].frame[["provider", "budget"]] if "providers" in plan.tables else None
    return YearBudget(
        pd.DataFrame(rows), plan.base_year + 12, float(sim.opening.mean()), 0.0, heads, cost.base.coming,
        cost.base.place_sd, sim, providers, _names(plan), sources=sim.sources,
    )  # fmt: skip


def base_year_budget(plan: Plan) -> YearBudget:
    """The base year while it runs: income due by payer and calendar; spending bounded by that income (以收定支).

    Parameters
    ----------
    plan : Plan

    Raises
    ------
    InputError
        If nothing is due in the base year.

    Examples
    --------
    >>> import actuarial as act
    >>> year = base_year_budget(act.load_plan(act.sample_path("anhui_county/plan.yaml")))
    >>> round(float(year.amounts("expenditure").sum()) / 1e4, 2)
    5328.15
    """
    financing, arrears = plan_financing(plan), plan_arrears(plan)
    rows: list[dict[str, Any]] = []
    due = arrears.frame.set_index("payer")["due"]
    if not due.sum() > 0:
        raise InputError([Fault("budget.nothing_due", file=plan.file)])
    table = financing.cumulative.to_numpy()
    steps = np.diff(table, axis=1)
    steps[:, 0] += table[:, 0]
    by_payer = dict(zip(financing.cumulative.index.astype(str), steps, strict=True))
    for payer, amount in due.items():
        if payer in by_payer:
            rows += _months(
                "revenue", payer_line(str(payer)), str(payer), float(amount) * by_payer[str(payer)]
            )
        else:  # one sum for all payers
            rows += _months("revenue", "revenue_subtotal", ALL, float(amount) * financing.receipts)
    base = base_year(plan)
    rows += _months("expenditure", "benefits", ALL, float(due.sum()) * base.profile.shares)
    opening = plan.model.opening
    providers = plan.tables["providers"].frame[["provider", "budget"]] if "providers" in plan.tables else None
    source = Source("spending_ceiling", text("budget_words.ceiling_source"), status="assumed")
    return YearBudget(
        pd.DataFrame(rows), plan.base_year, opening.free.value + (opening.prepaid.value if opening.prepaid else 0.0),
        opening.unpaid_claims.value if opening.unpaid_claims else 0.0, plan.model.insured.count, base.profile,
        base.place_sd, None, providers, _names(plan), sources=(*arrears.sources, *financing.sources, source),
    )  # fmt: skip


def _months(
    side: str, line: str, item: str, amounts: NDArray[np.float64], visits: NDArray[np.float64] | None = None
) -> list[dict[str, Any]]:
    """Twelve rows of one item."""
    counts = np.full(12, np.nan) if visits is None else visits
    return [
        {"side": side, "line": line, "item": item, "month": m, "amount": float(a), "visits": float(v)}
        for m, (a, v) in enumerate(zip(amounts, counts, strict=True), 1)
    ]


def _names(plan: Plan) -> dict[str, str]:
    return {lang: plan.name(lang) for lang in ("zh", "en")}
