"""A year's execution: actual against budget, the year's end with its interval, what is outstanding, what drove it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.budget.actual import Actual
from actuarial.budget.execution import (
    CLAIMS,
    by_item,
    by_month,
    cash_bridge,
    outstanding,
    overspend_drivers,
    variance_drivers,
)
from actuarial.budget.form import OfficialForm, fill_form
from actuarial.budget.outlook import outlook
from actuarial.budget.phasing import ALL, YearBudget, item_label, payer_line
from actuarial.budget.projection import Projection, project
from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.experience.drivers import Drivers
from actuarial.fund.categories import CONFLICT
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands, write_frames
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLAIN_COLUMNS = {
    "item",
    "payer",
    "level",
    "provider",
    "month",
    "progress",
    "age",
    "since_last",
    "visits",
    "over",
}
"""Columns of the tables that are not amounts of money."""


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
        ``provider``, ``budget``, ``budget_to_date``, ``visits``, ``actual_to_date``, ``projected``, ``low``, ``high``, ``stated_overspend``
        [yuan], ``over`` (probability), ``progress``.
    admissions : mapping
        Growth of admissions by provider, as a report states it [fraction].
    """

    budget: YearBudget
    actual: Actual
    basis: str
    projection: Projection
    providers: pd.DataFrame | None
    admissions: Mapping[str, float] = field(default_factory=dict)

    @property
    def months(self) -> int:
        """Months seen."""
        return self.actual.months

    @cached_property
    def items(self) -> pd.DataFrame:
        """Actual against budget by item; see :func:`~actuarial.budget.execution.by_item`."""
        return by_item(self.budget, self.actual, self.basis)

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
        """By month seen; see :func:`~actuarial.budget.execution.by_month`."""
        return by_month(self.budget, self.actual, self.basis)

    # ------------------------------------------------------------------ the year's end

    @cached_property
    def outstanding(self) -> pd.DataFrame:
        """What payers owe, with its age; see :func:`~actuarial.budget.execution.outstanding`."""
        return outstanding(self.budget, self.actual)

    def outlook(self, key: str) -> pd.DataFrame:
        """The year's end by ``item``, ``level`` or ``provider``; see :func:`~actuarial.budget.outlook.outlook`."""
        if key not in self._outlooks:
            self._outlooks[key] = outlook(self.budget, self.actual, self.basis, self.projection, key)
        return self._outlooks[key].copy()

    @cached_property
    def _outlooks(self) -> dict[str, pd.DataFrame]:
        """What was asked for before."""
        return {}

    @cached_property
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

    @cached_property
    def other_spending(self) -> float:
        """Spending other than claims: seen, and the budget of the months to come [yuan]."""
        seen = self.actual.amounts("expenditure", self.basis) - self.actual.amounts(
            "expenditure", self.basis, claims_only=True
        )
        planned = self.budget.amounts("expenditure") - self.budget.amounts("expenditure", claims_only=True)
        return float(seen.sum() + planned[self.months :].sum())

    @cached_property
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
        """What drove the variance of claims to date; see :func:`~actuarial.budget.execution.variance_drivers`."""
        return variance_drivers(self.budget, self.actual, self.basis)

    @cached_property
    def stated_drivers(self) -> pd.DataFrame | None:
        """What drove the overspending that a report states; see :func:`~actuarial.budget.execution.overspend_drivers`."""
        return None if self.providers is None else overspend_drivers(self.providers, self.admissions)

    @cached_property
    def bridge(self) -> pd.DataFrame | None:
        """From incurred to cash by month; see :func:`~actuarial.budget.execution.cash_bridge`."""
        return cash_bridge(self.budget, self.actual)

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
                            employees=self.budget.employees, sources=self.sources)  # fmt: skip

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
        whole, seen = self.months == 12, "seen_year" if self.months == 12 else "seen"
        result = "balance_year" if whole else "balance"
        return "\n".join([
            text(f"monitor.{seen}", lang, name=self.budget.name.get(lang or "zh", ""), year=self.budget.year, months=self.months,
                 received=unit.show(received), spent=unit.show(spent),
                 progress=f"{100 * spent / budget.sum():.1f}", expected=f"{100 * budget[: self.months].sum() / budget.sum():.1f}"),
            text("monitor.year_over" if whole else "monitor.year_end", lang, mean=unit.show(self.projection.mean), low=unit.show(low_high[0]), high=unit.show(low_high[1]),
                 budget=unit.show(self.claims_budget), over=f"{100 * self.overspending_probability:.0f}"),
            text(f"monitor.{result}", lang, balance=unit.show(self.balance()), low=unit.show(self.balance(0.025)),
                 high=unit.show(self.balance(0.975)), deficit=f"{100 * self.deficit_probability():.0f}"),
            _owed(self.outstanding, unit, lang),
        ])  # fmt: skip

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write items, months, payers, bridge and providers as one workbook, in yuan; returns the path."""
        items = self.items.assign(item=[item_label(str(i), lang) for i in self.items["item"]])
        payers = self.outstanding.assign(payer=[item_label(str(i), lang) for i in self.outstanding["payer"]])
        frames = {"items": items.drop(columns=["side", "line"]), "months": self.by_month, "payers": payers,
                  "bridge": self.bridge, "year_end": self.outlook("item"), "levels": self.outlook("level"), "providers": self.providers}  # fmt: skip
        named, yuan = {}, text("monitor.in_yuan", lang)
        for key, frame in frames.items():
            if frame is not None and len(frame):
                named[text(f"monitor.sheet_{key}", lang)] = frame.rename(
                    columns=lambda c: text(f"monitor.col_{c}", lang) + ("" if c in PLAIN_COLUMNS else yuan)
                )
        return write_frames(path, named)

    def _bands(self, ax: Axes, seen: float, unit: Unit, lang: str | None) -> None:
        """The months to come: by month where the simulation tells them, else straight to the year's end."""
        given = self.projection.given
        if given is None:
            x, paths = np.array([self.months, 12]), np.column_stack([np.full_like(self.projection.totals, seen), self.projection.totals])  # fmt: skip
        else:
            x = np.arange(self.months, 13)
            paths = np.column_stack([np.full(len(given), seen), seen + given[:, self.months :].cumsum(axis=1)])  # fmt: skip
        paths = paths / unit.scale
        for low, high, colour, label in (
            (0.025, 0.975, COLOURS["lighter"], "95%"),
            (0.1, 0.9, COLOURS["light"], "80%"),
        ):
            edges = np.quantile(paths, [low, high], axis=0)
            ax.fill_between(x, edges[0], edges[1], color=colour, alpha=0.7, linewidth=0, label=label)
        ax.plot(x, paths.mean(axis=0), color=COLOURS["accent"], linestyle="--", label=text("monitor.projected", lang))  # fmt: skip

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
                self._bands(ax, seen[-1], unit, lang)
            ax.set_xticks(m)
            ax.set_xlabel(text("budget_words.month_of_year", lang))
            ax.set_ylabel(text("monitor.axis", lang, unit=unit.label))
            ax.yaxis.set_major_formatter(thousands)
            ax.set_ylim(bottom=0)
            ax.legend(loc="upper left", fontsize=9)
        return ax


def _owed(payers: pd.DataFrame, unit: Unit, lang: str | None) -> str:
    """What is still to come in, and what of it is overdue, since when."""
    owed, overdue = float(payers["outstanding"].sum()), float(payers["overdue"].sum())
    code = "outstanding" if overdue > 0 else "not_overdue" if owed > 0 else "all_received"
    waiting = payers.loc[payers["outstanding"] > 0, "since_last"]
    return text(f"monitor.{code}", lang, outstanding=unit.show(owed), overdue=unit.show(overdue),
                age=int(payers["age"].max()), waiting=int(waiting.max()) if len(waiting) else 0)  # fmt: skip


def _on_form(lines: dict[str, float]) -> dict[str, float]:
    """Amounts on lines that can be entered: what is not split stands on the first line of its sum."""
    moved = {"benefits": "inpatient", "revenue_subtotal": "other_revenue"}
    out: dict[str, float] = {}
    for line, amount in lines.items():
        out[moved.get(line, line)] = out.get(moved.get(line, line), 0.0) + float(amount)
    out.setdefault("subsidy_standard", out.get("subsidy", 0.0))
    return fill_form(out)


def monitor(
    budget: YearBudget, actual: Actual, *, basis: str = "cash", overspend: pd.DataFrame | None = None,
    admissions: Mapping[str, float] | None = None,
) -> Monitor:  # fmt: skip
    """Compare a year's actuals with its budget.

    Parameters
    ----------
    budget : YearBudget
    actual : Actual
    basis : {"cash", "incurred"}
    overspend : DataFrame, optional
        ``provider``, ``overspend`` [yuan] as stated in a report, where the actuals have no providers.
    admissions : mapping, optional
        Growth of admissions by provider as stated in a report [fraction].

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
    seen = actual.amounts("expenditure", basis, claims_only=True)[: actual.months]
    found = project(budget, seen, actual.months)
    if found.surprise < CONFLICT:
        warn(ModelWarning, "budget.surprise", chance=f"{100 * found.surprise:.2g}")
    sources = (*budget.sources, *actual.sources)
    m = Monitor(budget, actual, basis, found, None, admissions or {}, sources=sources)
    return replace(m, providers=_providers(m, overspend))


def _providers(m: Monitor, overspend: pd.DataFrame | None) -> pd.DataFrame | None:
    """Providers with a budget; one that is a level in the actuals is that level, where no provider has its name."""
    if m.budget.providers is None:
        return None
    frame = m.budget.providers.reset_index(drop=True).copy()
    share = m.budget.profile.cumulative(m.months) if m.months < 12 else 1.0
    frame["budget_to_date"] = frame["budget"] * share
    found = pd.concat([m.outlook(k).rename(columns={k: "provider"}) for k in ("provider", "level")])
    found = found.drop_duplicates("provider").set_index("provider")
    for column in ("visits", "actual_to_date", "projected", "low", "high", "over"):
        frame[column] = found[column].reindex(frame["provider"]).to_numpy()
    stated = {} if overspend is None else overspend.set_index("provider")["overspend"].to_dict()
    frame["stated_overspend"] = [float(stated.get(p, np.nan)) for p in frame["provider"]]
    frame["progress"] = frame["actual_to_date"] / frame["budget"].where(frame["budget"] > 0)
    return frame
