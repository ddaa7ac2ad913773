"""What a year has seen so far: receipts by payer, spending by category, level and provider, cash and incurred.

One table: month, item (payer, category or a line of the form), level, provider, and amounts of the month or of the
year to date (which are differenced). Month 0 is what was collected before the year and counts in month 1.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from actuarial.budget.form import SIDES, form_lines, is_computed, short_label
from actuarial.budget.phasing import ALL, category_line, payer_line
from actuarial.errors import Fault, InputError
from actuarial.plan import Plan
from actuarial.results import Result
from actuarial.tables import Table, read_table, terms
from actuarial.tables.columns import fold
from actuarial.texts import LANGUAGES

CELL = ["item", "level", "provider"]


@dataclass(frozen=True, eq=False)
class Actual(Result):
    """Amounts by month and item.

    Parameters
    ----------
    frame : DataFrame
        ``side``, ``line``, ``item``, ``level``, ``provider`` ("" where none), ``month`` 1–12, ``cash``, ``incurred``
        [yuan; NaN where not given], ``visits``.
    months : int
        Months seen.
    monthly : bool
        Whether every month seen has its own amounts (not one amount to date).
    """

    frame: pd.DataFrame
    months: int
    monthly: bool

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    def amounts(self, side: str, basis: str = "cash", *, claims_only: bool = False) -> np.ndarray:
        """Amounts of one side by month, shape (12,) [yuan]; receipts are always cash."""
        rows = self.frame[self.frame["side"] == side]
        if claims_only:
            rows = rows[rows["line"].isin(["benefits", "inpatient", "outpatient"])]
        column = "cash" if side == "revenue" else basis
        return rows.groupby("month")[column].sum().reindex(range(1, 13), fill_value=0.0).to_numpy()

    def has(self, basis: str) -> bool:
        """Whether spending is given on a basis."""
        rows = self.frame[self.frame["side"] == "expenditure"]
        return len(rows) > 0 and bool(rows[basis].notna().all())


def read_actual(
    path: str | os.PathLike[str], plan: Plan, *, sheet: Any = None, unit: str | None = None
) -> Actual:
    """Read and check a file of actuals.

    Parameters
    ----------
    path : path
        CSV or Excel with the columns month and item, and at least one column of amounts.
    plan : Plan
        Whose payers and categories are known.
    sheet, unit : optional
        See :func:`actuarial.tables.read_table`.

    Raises
    ------
    InputError
        With every fault: unknown items, items twice, no amounts, amounts to date that fall.
    """
    table = read_table(path, "actual", sheet=sheet, unit=unit)
    frame = table.frame.copy()
    for column in ("level", "provider"):
        frame[column] = frame[column].fillna("").astype(str) if column in frame else ""
    words = _known(plan)
    frame["item"] = [words.get(fold(str(c)), "") for c in frame["category"]]
    faults = [
        Fault("budget.unknown_item", file=table.file, cell=table.cells["category"][i],
              params={"value": str(frame["category"][i])})
        for i in frame.index[frame["item"] == ""]
    ]  # fmt: skip
    faults += [
        Fault("budget.item_twice", file=table.file, cell=table.cells["category"][i],
              params={"value": str(frame["category"][i]), "month": int(frame["month"][i])})
        for i in frame.index[frame.duplicated(["month", *CELL]) & (frame["item"] != "")]
    ]  # fmt: skip
    given = [c for c in ("cash", "incurred", "cash_to_date", "incurred_to_date") if c in frame]
    if not given or frame[given].isna().all(axis=1).any():
        faults.append(Fault("budget.no_amounts", file=table.file))
    if faults:
        raise InputError(faults)
    return _actual(frame, table, plan)


def _known(plan: Plan) -> dict[str, str]:
    """Every spelling of an item, folded."""
    payers = plan.tables["payers"].frame["payer"].astype(str)
    own = set(payers)
    if "experience" in plan.tables:
        own |= set(plan.tables["experience"].frame["category"].astype(str))
    names = own | {n for n, t in terms().items() if "form" in t or n.startswith(("subsidy_", "individual"))}
    words = {fold(n): n for n in names}
    for name in names & set(terms()):
        term = terms()[name]
        words |= {fold(str(s)): name for s in (term["zh"], term["en"], *term["aliases"])}
    for side in SIDES:
        for line, spec in form_lines(side).items():
            if (
                not is_computed(spec)
                and line not in {"brought_forward", "contributions", "subsidy"}
                and "of" not in spec
            ):
                words |= {fold(line): line, **{fold(short_label(spec, lang)): line for lang in LANGUAGES}}
    return words


def _side(item: str, payers: Iterable[str]) -> tuple[str, str]:
    """Side and line of an item."""
    if item in set(payers) or item.startswith("subsidy_") or item == "individual":
        return "revenue", payer_line(item)
    for side in SIDES:
        if item in form_lines(side) and item not in terms():
            return side, item
    return "expenditure", category_line(item)


def _actual(frame: pd.DataFrame, table: Table, plan: Plan) -> Actual:
    """Difference amounts to date, and put every item on its side and line."""
    monthly = not {"cash_to_date", "incurred_to_date"} & set(frame.columns)
    frame = frame.assign(month=frame["month"].clip(lower=1)).sort_values("month", kind="stable")
    numbers = [c for c in ("cash", "incurred", "visits") if c in frame or f"{c}_to_date" in frame]
    if not monthly:
        for column in numbers:
            to_date = f"{column}_to_date" if f"{column}_to_date" in frame else column
            frame[column] = frame[to_date] - frame.groupby(CELL)[to_date].shift(1, fill_value=0.0)
            if (frame[column] < 0).any():
                bad = frame.index[frame[column] < 0][0]
                params = {"value": str(frame["category"][bad])}
                raise InputError([Fault("budget.actual_falls", file=table.file, params=params)])
    for column in ("cash", "incurred", "visits"):
        if column not in frame:
            frame[column] = np.nan
    placed = [_side(i, plan.tables["payers"].frame["payer"].astype(str)) for i in frame["item"]]
    frame["side"], frame["line"] = [p[0] for p in placed], [p[1] for p in placed]
    cells = frame.groupby(["side", "line", *CELL, "month"], sort=False)
    out = cells[["cash", "incurred", "visits"]].sum(min_count=1).reset_index()
    months = int(out["month"].max())
    seen = out.loc[out["side"] == "expenditure", "month"].nunique()
    return Actual(out, months, monthly and seen == months, sources=table.sources)


def plan_actual(plan: Plan) -> Actual:
    """The base year's own figures as actuals: what the plan's tables hold to the valuation date.

    Examples
    --------
    >>> import actuarial as act
    >>> seen = plan_actual(act.load_plan(act.sample_path("anhui_county/plan.yaml")))
    >>> seen.months, round(float(seen.amounts("expenditure").sum()) / 1e4, 2), seen.monthly
    (5, 2077.9, False)
    """
    from actuarial.experience import base_year
    from actuarial.fund.calendar import plan_arrears

    months, study = plan.observed_months, base_year(plan).experience.frame
    rows: list[dict[str, Any]] = [
        {"side": "revenue", "line": payer_line(str(p)) if p != ALL else "revenue_subtotal", "item": str(p), "level": "",
         "provider": "", "month": months, "cash": float(r), "incurred": np.nan, "visits": np.nan}
        for p, r in plan_arrears(plan).frame[["payer", "received"]].itertuples(index=False)
    ]  # fmt: skip
    rows += [
        {"side": "expenditure", "line": category_line(str(c)), "item": str(c), "level": "", "provider": "",
         "month": months, "cash": float(y), "incurred": np.nan, "visits": float(v)}
        for c, y, v in study[["category", "fund_payment", "visits"]].itertuples(index=False)
    ]  # fmt: skip
    sources = plan.tables["experience"].sources if "experience" in plan.tables else ()
    return Actual(pd.DataFrame(rows), months, months == 1, sources=sources)
