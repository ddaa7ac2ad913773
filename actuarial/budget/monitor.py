"""A year's execution: actual against budget, the year's end with its interval, what is outstanding, what drove it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.budget.actual import Actual
from actuarial.budget.form import OfficialForm, fill_form
from actuarial.budget.phasing import ALL, YearBudget, item_label, payer_line
from actuarial.budget.projection import Projection, project
from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.experience.drivers import Drivers, decompose
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands, write_frames
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLAIN_COLUMNS = {"item", "payer", "provider", "month", "progress", "age", "since_last"}
"""Columns of the tables that are not amounts of money."""
CLAIMS = ("benefits", "inpatient", "outpatient")
"""Lines of the form that hold claims."""


@dataclass(frozen=True, eq=False)
class Monitor(Result):
    """The execution of a year to date.

    Parameters
    ----------
    budget : YearBudget
    actual : Actual
    basis : {"cash", "incurred"}
        On which spending is compared.
    projection : Projection
        Claims of the whole year.
    providers : DataFrame or None
        ``provider``, ``budget``, ``budget_to_date``, ``actual_to_date``, ``stated_overspend`` [yuan], ``progress``.
    """

    budget: YearBudget
    actual: Actual
    basis: str
    projection: Projection
    providers: pd.DataFrame | None

    @property
    def months(self) -> int:
        """Months seen."""
        return self.actual.months

    @cached_property
    def items(self) -> pd.DataFrame:
        """``side``, ``line``, ``item``, ``budget_year``, ``budget_to_date``, ``actual_to_date``, ``variance`` [yuan], ``progress``."""
        keys = ["side", "line", "item"]
        frame = self.budget.frame
        year = frame.groupby(keys, sort=False)["amount"].sum().rename("budget_year")
        seen = frame[frame["month"] <= self.months].groupby(keys, sort=False)["amount"].sum()
        rows = self.actual.frame.assign(
            amount=np.where(
                self.actual.frame["side"] == "revenue",
                self.actual.frame["cash"],
                self.actual.frame[self.basis],
            )
        )
        spent = rows.groupby(keys, sort=False)["amount"].sum().rename("actual_to_date")
        table = pd.concat([year, seen.rename("budget_to_date"), spent], axis=1, sort=False).fillna(0.0)
        table["variance"] = table["actual_to_date"] - table["budget_to_date"]
        table["progress"] = table["actual_to_date"] / table["budget_year"].where(table["budget_year"] > 0)
        table = table.reset_index()
        claims = table["line"].isin(CLAIMS)
        if (
            (table["item"] == ALL) & claims
        ).any():  # a ceiling that is not split: categories have no budget of their own
            own = claims & (table["item"] == ALL)
            table.loc[own, "actual_to_date"] = float(table.loc[claims & ~own, "actual_to_date"].sum())
            table.loc[own, "variance"] = table.loc[own, "actual_to_date"] - table.loc[own, "budget_to_date"]
            table.loc[own, "progress"] = table.loc[own, "actual_to_date"] / table.loc[own, "budget_year"]
            table.loc[claims & ~own, ["budget_year", "budget_to_date", "variance"]] = np.nan
        order = table["side"].map({"revenue": 0, "expenditure": 1})
        return table.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)

    @property
    def table(self) -> pd.DataFrame:
        """Actual against budget by item."""
        return self.items.copy()

    def by(self, level: str) -> pd.DataFrame:
        """Actual spending by ``level``, ``provider`` or ``line``: cash, incurred [yuan], visits."""
        rows = self.actual.frame[
            (self.actual.frame["side"] == "expenditure") & (self.actual.frame[level] != "")
        ]
        return rows.groupby(level, sort=False)[["cash", "incurred", "visits"]].sum(min_count=1).reset_index()

    @cached_property
    def by_month(self) -> pd.DataFrame:
        """Budget and actual of income and spending by month seen, and the balance at its end [yuan].

        Where only amounts to date are known, months that they do not tell apart are NaN.
        """
        m = np.arange(1, 13)
        frame = pd.DataFrame({
            "month": [self.budget.start + int(k - 1) for k in m],
            "budget_income": self.budget.amounts("revenue"), "income": self.actual.amounts("revenue"),
            "budget_spending": self.budget.amounts("expenditure"),
            "spending": self.actual.amounts("expenditure", self.basis),
            "budget_balance": self.budget.balances(),
        })  # fmt: skip
        cash = self.actual.amounts("expenditure", "cash" if self.actual.has("cash") else self.basis)
        frame["balance"] = self.budget.opening + np.cumsum(frame["income"].to_numpy() - cash)
        if not self.actual.monthly:
            told = self.actual.frame.groupby("side")["month"].agg(set)
            both = np.ones(12, dtype=bool)
            for side, column in (("revenue", "income"), ("expenditure", "spending")):
                at_end = np.isin(m, list(told.get(side, set())))
                both &= at_end
                frame[column] = frame[column].where(at_end & np.r_[True, at_end[:-1]])
            frame["balance"] = frame["balance"].where(both)
        return frame.iloc[: self.months]

    # ------------------------------------------------------------------ the year's end

    @cached_property
    def outstanding(self) -> pd.DataFrame:
        """By payer: ``due_year``, ``due_to_date``, ``received``, ``overdue``, ``outstanding`` [yuan], ``age`` [months].

        Overdue is what the calendar lets arrive by now and did not; receipts settle the oldest instalment first, and the age
        is that of the oldest instalment not settled, 0 where nothing is overdue. ``since_last`` counts months since the
        calendar's last instalment: how long what is outstanding has been waiting where no date of payment is printed.
        """
        plan = self.budget.frame[
            self.budget.frame["line"].isin(["contributions", "subsidy", "revenue_subtotal"])
        ]
        got = self.actual.frame[self.actual.frame["side"] == "revenue"].groupby("item")["cash"].sum()
        rows: list[dict[str, Any]] = []
        for item, part in plan.groupby("item", sort=False):
            due = part.sort_values("month")["amount"].to_numpy()
            now, received = due[: self.months].sum(), float(got.get(item, 0.0))
            overdue = max(now - received, 0.0)
            overdue = overdue if overdue > 1e-6 * max(now, 1.0) else 0.0
            open_ = np.flatnonzero(np.cumsum(due[: self.months]) > received + 1e-6 * max(now, 1.0))
            last = np.flatnonzero(due[: self.months] > 0)
            rows.append({
                "payer": item, "due_year": due.sum(), "due_to_date": now, "received": received, "overdue": overdue,
                "outstanding": max(due.sum() - received, 0.0),
                "age": int(self.months - (open_[0] + 1)) if overdue > 0 and len(open_) else 0,
                "since_last": int(self.months - (last[-1] + 1)) if len(last) else self.months,
            })  # fmt: skip
        return pd.DataFrame(rows)

    @property
    def income(self) -> float:
        """Income of the year [yuan]: what payers gave and still owe, other income seen and to come.

        What a payer gave early is not expected again; what is outstanding is taken to arrive by the year's end.
        """
        payers = float((self.outstanding["received"] + self.outstanding["outstanding"]).sum())
        return payers + sum(self._other_income().values())

    def _other_income(self) -> dict[str, float]:
        """Income of the year that no payer owes, by line: seen, and the budget of the months to come [yuan]."""
        owed = set(self.outstanding["payer"])
        found: dict[str, float] = {}
        for frame, column, later in ((self.actual.frame, "cash", False), (self.budget.frame, "amount", True)):
            rows = frame[(frame["side"] == "revenue") & ~frame["item"].isin(owed)]
            rows = rows[rows["month"] > self.months] if later else rows
            for line, amount in rows.groupby("line")[column].sum().items():
                found[str(line)] = found.get(str(line), 0.0) + float(amount)
        return found

    @property
    def other_spending(self) -> float:
        """Spending other than claims: seen, and the budget of the months to come [yuan]."""
        seen = self.actual.amounts("expenditure", self.basis) - self.actual.amounts(
            "expenditure", self.basis, claims_only=True
        )
        planned = self.budget.amounts("expenditure") - self.budget.amounts("expenditure", claims_only=True)
        return float(seen.sum() + planned[self.months :].sum())

    @property
    def claims_budget(self) -> float:
        """Budget of claims of the year [yuan]."""
        return float(self.budget.amounts("expenditure", claims_only=True).sum())

    @property
    def overspending_probability(self) -> float:
        """Probability that claims of the year pass their budget."""
        return self.projection.over(self.claims_budget)

    def balance(self, level: float | None = None) -> float:
        """Result of the year (income less spending): its mean, or a quantile [yuan]."""
        claims = self.projection.mean if level is None else self.projection.quantile(1 - level)
        return self.income - claims - self.other_spending

    def deficit_probability(self, amount: float = 0.0) -> float:
        """Probability that spending of the year passes its income by more than an amount [yuan]."""
        return self.projection.over(self.income + amount - self.other_spending)

    @property
    def closing(self) -> float:
        """Expected balance at the year's end [yuan]."""
        return self.budget.opening + self.balance()

    # ------------------------------------------------------------------ why

    @cached_property
    def drivers(self) -> Drivers | None:
        """What drove the variance of claims to date, per insured: visits and payment per visit by category (LMDI).

        None where the budget or the actuals have no visits.
        """
        plan = self.budget.frame
        plan = (
            plan[plan["line"].isin(CLAIMS) & (plan["month"] <= self.months)]
            .groupby("item")[["amount", "visits"]]
            .sum(min_count=1)
        )
        rows = self.actual.frame[self.actual.frame["line"].isin(CLAIMS)].assign(
            amount=lambda f: f[self.basis]
        )
        seen = rows.groupby("item")[["amount", "visits"]].sum(min_count=1)
        if not len(plan) or not len(seen) or plan["visits"].isna().any() or seen["visits"].isna().any():
            return None
        cells = [
            pd.DataFrame(
                {"visits": f["visits"] / self.budget.heads, "payment_per_visit": f["amount"] / f["visits"]}
            )
            for f in (plan[plan["visits"] > 0], seen[seen["visits"] > 0])
        ]
        return decompose(cells[0], cells[1], ["visits", "payment_per_visit"])

    @cached_property
    def bridge(self) -> pd.DataFrame | None:
        """From incurred to cash by month: ``unpaid_before`` + ``incurred`` − ``paid`` = ``unpaid`` [yuan]; None without both bases."""
        if not (self.actual.has("cash") and self.actual.has("incurred")):
            return None
        incurred, paid = (self.actual.amounts("expenditure", b)[: self.months] for b in ("incurred", "cash"))
        unpaid = self.budget.unpaid + np.cumsum(incurred - paid)
        before = np.concatenate([[self.budget.unpaid], unpaid[:-1]])
        names = [self.budget.start + k for k in range(self.months)]
        return pd.DataFrame(
            {"month": names, "unpaid_before": before, "incurred": incurred, "paid": paid, "unpaid": unpaid}
        )

    # ------------------------------------------------------------------ forms and showing

    def form(self, stage: str) -> OfficialForm:
        """The adjusted budget of the running year, or the final accounts of the whole one.

        Raises
        ------
        InputError
            For final accounts of a year that is not over, or another stage.
        """
        if stage not in {"adjusted", "final"} or (stage == "final" and self.months < 12):
            raise InputError([Fault("budget.stage", params={"stage": stage, "months": self.months})])
        before = _on_form(self.budget.lines() | {"brought_forward": self.budget.opening})
        after = _on_form(self._year_lines(stage) | {"brought_forward": self.budget.opening})
        columns = {"budget": before, stage: after}
        return OfficialForm("final" if stage == "final" else "adjusted", self.budget.year, columns, self.budget.name,
                            sources=self.sources)  # fmt: skip

    def _year_lines(self, stage: str) -> dict[str, float]:
        """Lines of the year: as seen, or as seen and projected [yuan]."""
        lines = {str(k): float(v) for k, v in self.items.groupby("line")["actual_to_date"].sum().items()}
        if stage == "final":
            return lines
        spent = sum(lines.get(n, 0.0) for n in CLAIMS)
        rows = self.budget.frame[
            (self.budget.frame["month"] > self.months) & (self.budget.frame["side"] == "expenditure")
        ]
        for line, amount in rows.groupby("line")["amount"].sum().items():
            if str(line) not in CLAIMS:
                lines[str(line)] = lines.get(str(line), 0.0) + float(amount)
        for line in CLAIMS:
            if line in lines and spent:  # the projection, split as what was seen
                lines[line] *= self.projection.mean / spent
        lines |= self._other_income()
        for r in self.outstanding.to_dict("records"):
            line = payer_line(str(r["payer"])) if r["payer"] != ALL else "revenue_subtotal"
            lines[line] = lines.get(line, 0.0) + float(r["outstanding"])
        return lines

    def summary(self, lang: str | None = None) -> str:
        """The state of the year in a few lines."""
        unit, low_high = Unit.of(lang), self.projection.interval()
        spent, received = (
            self.actual.amounts("expenditure", self.basis).sum(),
            self.actual.amounts("revenue").sum(),
        )
        budget = self.budget.amounts("expenditure")
        return "\n".join([
            text("monitor.seen", lang, name=self.budget.name.get(lang or "zh", ""), year=self.budget.year, months=self.months,
                 received=unit.show(received), spent=unit.show(spent),
                 progress=f"{100 * spent / budget.sum():.1f}", expected=f"{100 * budget[: self.months].sum() / budget.sum():.1f}"),
            text("monitor.year_end", lang, mean=unit.show(self.projection.mean), low=unit.show(low_high[0]), high=unit.show(low_high[1]),
                 budget=unit.show(self.claims_budget), over=f"{100 * self.overspending_probability:.0f}"),
            text("monitor.balance", lang, balance=unit.show(self.balance()), low=unit.show(self.balance(0.025)),
                 high=unit.show(self.balance(0.975)), deficit=f"{100 * self.deficit_probability():.0f}"),
            text("monitor.outstanding", lang, outstanding=unit.show(float(self.outstanding["outstanding"].sum())),
                 overdue=unit.show(float(self.outstanding["overdue"].sum())), age=int(self.outstanding["age"].max())),
        ])  # fmt: skip

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write items, months, payers, bridge and providers as one workbook, in yuan; returns the path."""
        items = self.items.assign(item=[item_label(str(i), lang) for i in self.items["item"]])
        payers = self.outstanding.assign(payer=[item_label(str(i), lang) for i in self.outstanding["payer"]])
        frames = {"items": items.drop(columns=["side", "line"]), "months": self.by_month, "payers": payers,
                  "bridge": self.bridge, "providers": self.providers}  # fmt: skip
        named, yuan = {}, text("monitor.in_yuan", lang)
        for key, frame in frames.items():
            if frame is not None:
                named[text(f"monitor.sheet_{key}", lang)] = frame.rename(
                    columns=lambda c: text(f"monitor.col_{c}", lang) + ("" if c in PLAIN_COLUMNS else yuan)
                )
        return write_frames(path, named)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Cumulative spending against budget, and the year's end with its 80% and 95% intervals."""
        unit, m = Unit.of(lang), np.arange(1, 13)
        planned: NDArray[np.float64] = self.budget.amounts("expenditure", claims_only=True).cumsum()
        seen = self.actual.amounts("expenditure", self.basis, claims_only=True).cumsum()[: self.months]
        with figure_style():
            ax = ax or new_axes(8.4, 4.0)
            ax.plot(
                m, planned / unit.scale, color=COLOURS["light"], linewidth=2, label=text("monitor.plan", lang)
            )
            at = m[: self.months] if self.actual.monthly else m[self.months - 1 : self.months]
            line = seen if self.actual.monthly else seen[-1:]
            ax.plot(
                at,
                line / unit.scale,
                color=COLOURS["accent"],
                marker="o",
                linewidth=2,
                label=text("monitor.actual", lang),
            )
            if self.months < 12:
                for level, colour, label in (
                    (0.95, COLOURS["lighter"], "95%"),
                    (0.8, COLOURS["light"], "80%"),
                ):
                    low, high = self.projection.interval(level)
                    ax.fill_between(
                        [self.months, 12], [seen[-1] / unit.scale] * 2, [seen[-1] / unit.scale] * 2, alpha=0
                    )
                    ax.fill_between([self.months, 12], [seen[-1] / unit.scale, low / unit.scale],
                                    [seen[-1] / unit.scale, high / unit.scale], color=colour, alpha=0.7, linewidth=0, label=label)  # fmt: skip
                ax.plot([self.months, 12], [seen[-1] / unit.scale, self.projection.mean / unit.scale], color=COLOURS["accent"],
                        linestyle="--", label=text("monitor.projected", lang))  # fmt: skip
            ax.set_xticks(m)
            ax.set_xlabel(text("budget_words.month_of_year", lang))
            ax.set_ylabel(text("monitor.axis", lang, unit=unit.label))
            ax.yaxis.set_major_formatter(thousands)
            ax.set_ylim(bottom=0)
            ax.legend(loc="upper left", fontsize=9)
        return ax


def _on_form(lines: dict[str, float]) -> dict[str, float]:
    """Amounts on lines that can be entered: what is not split stands on the first line of its sum."""
    moved = {"benefits": "inpatient", "revenue_subtotal": "other_revenue"}
    out: dict[str, float] = {}
    for line, amount in lines.items():
        out[moved.get(line, line)] = out.get(moved.get(line, line), 0.0) + float(amount)
    return fill_form(out)


def monitor(
    budget: YearBudget, actual: Actual, *, basis: str = "cash", overspend: pd.DataFrame | None = None
) -> Monitor:
    """Compare a year's actuals with its budget.

    Parameters
    ----------
    budget : YearBudget
    actual : Actual
    basis : {"cash", "incurred"}
    overspend : DataFrame, optional
        ``provider``, ``overspend`` [yuan] as stated in a report, where the actuals have no providers.

    Raises
    ------
    InputError
        If the basis is not in the actuals.

    Warns
    -----
    ModelWarning
        If the months seen contradict the simulation, which is then set aside.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.budget import base_year_budget, plan_actual
    >>> plan = act.load_plan(act.sample_path("anhui_county/plan.yaml"))
    >>> m = monitor(base_year_budget(plan), plan_actual(plan))
    >>> m.outstanding.set_index("payer")["outstanding"].round(0).astype(int).to_dict()["subsidy_central"]
    6023600
    """
    if not actual.has(basis):
        raise InputError([Fault("budget.basis", params={"basis": basis})])
    seen = float(actual.amounts("expenditure", basis, claims_only=True).sum())
    found = project(budget, seen, actual.months)
    if budget.prior is not None and not found.prior_used and actual.months < 12:
        warn(ModelWarning, "budget.surprise", chance=f"{100 * found.surprise:.2g}")
    return Monitor(budget, actual, basis, found, _providers(budget, actual, basis, overspend),
                   sources=(*budget.sources, *actual.sources))  # fmt: skip


def _providers(
    budget: YearBudget, actual: Actual, basis: str, overspend: pd.DataFrame | None
) -> pd.DataFrame | None:
    if budget.providers is None:
        return None
    frame = budget.providers.reset_index(drop=True).copy()
    share = budget.profile.cumulative(actual.months) if actual.months < 12 else 1.0
    frame["budget_to_date"] = frame["budget"] * share
    rows = actual.frame[actual.frame["side"] == "expenditure"]
    spent = pd.concat(
        [rows.groupby("provider")[basis].sum(), rows[rows["provider"] == ""].groupby("level")[basis].sum()]
    )
    spent = spent.drop("", errors="ignore").groupby(level=0).sum()
    frame["actual_to_date"] = [float(spent.get(p, np.nan)) for p in frame["provider"]]
    stated = {} if overspend is None else overspend.set_index("provider")["overspend"].to_dict()
    frame["stated_overspend"] = [float(stated.get(p, np.nan)) for p in frame["provider"]]
    frame["progress"] = frame["actual_to_date"] / frame["budget"]
    return frame
