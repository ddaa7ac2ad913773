"""Tables of the monthly work summary, from a year's execution: typed columns with units, live formulas, sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from actuarial.budget.execution import CLAIMS
from actuarial.budget.phasing import ALL, item_label
from actuarial.budget.warning import WarningReport, rule_document, rule_name
from actuarial.report.blocks import Block, Column, block, records
from actuarial.results import Kind, Unit, suppress_small_cells
from actuarial.texts import has_text, text

RATIOS = {"progress", "false_alarm", "miss", "gap", "over", "probability", "visits_growth", "payment_growth"}
COUNTS = {"age", "since_last", "months", "visits"}
NAMES = {"item", "payer", "level", "provider"}
WORDS = {"month", "rule", "value", "grade", "threshold", "status", "document", "driver"}
RATIO_RULES = {"deficit_chance", "overspending", "use_rate", "ncms_current", "ncms_cumulative", "admissions", "provider"}  # fmt: skip
MONEY_RULES = {"deficit_300", "rolling_deficit"}
PROGRESS = 'IF({budget_year}=0,"",100*{actual_to_date}/{budget_year})'


class Tables:
    """The tables of one report in one language.

    Parameters
    ----------
    report : WarningReport
    lang : {"zh", "en"}
    """

    def __init__(self, report: WarningReport, lang: str) -> None:
        self.report, self.m, self.lang, self.unit = report, report.monitor, lang, Unit.of(lang)
        self.source = ("；" if lang == "zh" else "; ").join(
            dict.fromkeys(s.document for s in self.m.actual.sources)
        )

    def t(self, code: str, **params: Any) -> str:
        """A text of this report."""
        return text(f"monitor.{code}", self.lang, **params)

    @property
    def forecast_source(self) -> str:
        """Source of what is projected: the simulation given the months seen, or the months and their season alone."""
        sim = self.m.budget.simulation
        if sim is None or not self.m.projection.prior_used:
            return self.t("source_alone", source=self.source)
        return self.t("source_given", source=self.source, paths=f"{sim.paths:,}", seed=sim.seed)

    def frame(
        self, frame: pd.DataFrame, columns: Sequence[str], *, title: str = "", note: str = "", source: str | None = None,
        total: bool = False, formulas: dict[str, str] | None = None,
    ) -> Block:  # fmt: skip
        """A table with typed columns, words for names, and its source."""
        rows = records(frame)
        for row in rows:
            for key in NAMES & set(row):
                row[key] = row[key] if total and row is rows[-1] else self.label(str(row[key]))
        named = self.source if source is None else source
        last = [len(rows) - 1] if total else []
        return block(title, [self.column(c) for c in columns], rows, note=note, source=named, total_rows=last, formulas=formulas)  # fmt: skip

    def column(self, name: str) -> Column:
        """A column with its kind and its unit in the heading."""
        kind: Kind = "money"
        kind = "percent" if name in RATIOS else "count" if name in COUNTS else kind
        kind = "text" if name in NAMES | WORDS else "yuan" if name == "change" else kind
        tail = {"money": f" ({self.unit.label})", "percent": " (%)", "yuan": f" ({text('label.yuan_per_person', self.lang)})"}  # fmt: skip
        return Column(name, self.t(f"col_{name}") + tail.get(kind, ""), kind)

    def label(self, name: str) -> str:
        """Words of a payer, category, level or provider."""
        return item_label(name, self.lang)

    # ------------------------------------------------------------------ execution

    def items(self) -> list[Block]:
        """Income and spending by item, each with its sum."""
        columns = [
            "item",
            "budget_year",
            "budget_to_date",
            "actual_to_date",
            "variance",
            "progress",
            "year_end",
        ]
        formulas = {"variance": "{actual_to_date}-{budget_to_date}", "progress": PROGRESS}
        found = []
        for side in ("revenue", "expenditure"):
            rows = self._with_year_end(self.m.items[self.m.items["side"] == side])
            whole = rows["item"] == ALL
            if whole.any():  # a sum that is not split stands last, and its parts have no budget
                rows = pd.concat([rows.loc[~whole], rows.loc[whole]], ignore_index=True)
                rows["item"] = rows["item"].replace(ALL, text(f"budget_words.{side}_total", self.lang))
            else:
                sums = {c: float(rows[c].sum()) for c in columns if c not in {"item", "progress"}}
                sums["progress"] = (
                    sums["actual_to_date"] / sums["budget_year"] if sums["budget_year"] > 0 else np.nan
                )
                name = text(f"budget_words.{side}_total", self.lang)
                rows = pd.concat([rows, pd.DataFrame([{"item": name, **sums}])], ignore_index=True)
            title = text(f"budget_words.{side}", self.lang)
            made = self.frame(
                rows, columns, title=title, total=True, formulas=formulas, source=self.forecast_source
            )
            found.append(made)
        return found

    def _with_year_end(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What each item is expected to come to: claims as projected, the rest as seen and still planned or owed."""
        m, planned = self.m, self.m.budget.frame
        later = planned[planned["month"] > m.months].groupby("item")["amount"].sum()
        owed = m.outstanding.set_index("payer")["outstanding"]
        claims = m.outlook("item").set_index("item")["projected"]

        def end(r: Any) -> float:
            if r.line in CLAIMS:
                return m.projection.mean if r.item == ALL else float(claims.get(r.item, 0.0))
            return float(r.actual_to_date + (owed.get(r.item, 0.0) if r.item in owed.index else later.get(r.item, 0.0)))  # fmt: skip

        return rows.assign(year_end=[end(r) for r in rows.itertuples()])

    def months(self) -> Block | None:
        """Income, spending and balance by month; None where no month is told apart."""
        told = self.m.by_month
        if told["spending"].isna().all() and told["income"].isna().all():
            return None
        columns = [
            "month",
            "budget_income",
            "income",
            "budget_spending",
            "spending",
            "budget_balance",
            "balance",
        ]
        return self.frame(told.assign(month=told["month"].astype(str)), columns)

    def outlook(self, key: str) -> Block | None:
        """The year's end by category, level or provider, with its interval; None where the actuals do not tell it."""
        frame = self.m.outlook(key)
        if not len(frame):
            return None
        if key != "item":
            share = self.m.budget.profile.cumulative(self.m.months) if self.m.months < 12 else 1.0
            frame["budget_to_date"] = frame["budget_year"] * share
            amounts = ["actual_to_date", "projected", "low", "high", "over"]
            frame = suppress_small_cells(frame, "visits", amounts)
        wanted = [
            key,
            "visits",
            "budget_year",
            "budget_to_date",
            "actual_to_date",
            "projected",
            "low",
            "high",
            "over",
        ]
        columns = [c for c in wanted if c == key or (c in frame and frame[c].notna().any())]
        return self.frame(frame, columns, source=self.forecast_source)

    def providers(self) -> Block | None:
        """Providers that have a budget; levels that have one stand in the table of levels."""
        if self.m.providers is None:
            return None
        levels = set(self.m.outlook("level")["level"])
        budgeted = self.m.providers[~self.m.providers["provider"].isin(levels)]
        if not len(budgeted):
            return None
        wanted = ["provider", "budget", "budget_to_date", "visits", "actual_to_date", "stated_overspend", "progress", "projected", "low", "high", "over"]  # fmt: skip
        frame = suppress_small_cells(budgeted, "visits", ["actual_to_date", "progress", "projected", "low", "high", "over"])  # fmt: skip
        columns = [
            c for c in wanted if c in {"provider", "budget", "budget_to_date"} or frame[c].notna().any()
        ]
        formulas = {"progress": 'IF({budget}=0,"",100*{actual_to_date}/{budget})'}
        source = self.forecast_source if "projected" in columns else self.source
        return self.frame(frame, columns, formulas=formulas, source=source)

    def payers(self) -> Block:
        """Receipts by payer, what is outstanding and since when."""
        columns = [
            "payer",
            "due_year",
            "due_to_date",
            "received",
            "outstanding",
            "overdue",
            "age",
            "since_last",
        ]
        return self.frame(
            self.m.outstanding, columns, formulas={"outstanding": "MAX({due_year}-{received},0)"}
        )

    def bridge(self) -> Block | None:
        """From incurred to cash by month."""
        if self.m.bridge is None:
            return None
        frame = self.m.bridge.assign(month=self.m.bridge["month"].astype(str))
        columns = ["month", "unpaid_before", "incurred", "paid", "unpaid"]
        return self.frame(frame, columns, formulas={"unpaid": "{unpaid_before}+{incurred}-{paid}"})

    # ------------------------------------------------------------------ why

    def drivers(self) -> Block | None:
        """What drove the variance of claims to date, per insured and in all."""
        if self.m.drivers is None:
            return None
        frame = self.m.drivers.table
        frame = frame[(frame["change"] != 0) | frame["driver"].isin(["visits", "payment_per_visit"])].copy()
        frame["driver"] = [
            text(f"driver.{d}", self.lang) if has_text(f"driver.{d}") else d for d in frame["driver"]
        ]
        frame["variance"] = frame["change"] * self.m.budget.heads
        total = {"driver": text("label.total", self.lang), "change": frame["change"].sum(), "variance": frame["variance"].sum()}  # fmt: skip
        frame = pd.concat([frame, pd.DataFrame([total])], ignore_index=True)
        return self.frame(frame, ["driver", "change", "variance"], total=True)

    def stated_drivers(self) -> Block | None:
        """What drove overspending that a report states."""
        if self.m.stated_drivers is None:
            return None
        columns = ["provider", "budget", "stated_overspend", "visits_growth", "visits_part", "payment_growth", "payment_part"]  # fmt: skip
        formulas = {"payment_part": "{stated_overspend}-{visits_part}"}
        return self.frame(self.m.stated_drivers, columns, note=self.t("stated_note"), formulas=formulas)

    # ------------------------------------------------------------------ warning

    def value(self, rule: str, value: float) -> str:
        """A value as its rule counts it."""
        if value != value:
            return "—"
        if rule in MONEY_RULES:
            return self.unit.show(value)
        if rule in RATIO_RULES:
            return f"{100 * value:.1f}%".replace("-", "−")
        return self.t("value_months", value=f"{value:.1f}".replace("-", "−"))

    def named(self, rule: str, what: str) -> str:
        """A rule, and of what it speaks."""
        name = rule_name(rule, self.lang)
        return self.t("of_what", name=name, what=self.label(what)) if what else name

    def alarms(self) -> tuple[str, ...]:
        """One sentence an alarm, gravest first."""
        lines = []
        for r in self.report.alarms.to_dict("records"):
            chance = (
                ""
                if r["probability"] != r["probability"]
                else self.t("chance", p=f"{100 * r['probability']:.0f}")
            )
            errs = ""
            if r["false_alarm"] == r["false_alarm"] or r["miss"] == r["miss"]:
                shown = {k: "—" if r[k] != r[k] else f"{100 * r[k]:.0f}%" for k in ("false_alarm", "miss")}
                errs = self.t("errs", **shown)
            lines.append(self.t(
                "alarm_line", level=self.t(f"level_{r['level']}"), name=self.named(r["rule"], r["what"]),
                value=self.value(r["rule"], r["value"]), threshold=self.value(r["rule"], r["threshold"]), chance=chance, errs=errs,
            ))  # fmt: skip
        return tuple(lines) or (self.t("no_alarm"),)

    def rules(self) -> list[Block]:
        """All rules with value, level, threshold, probability and errors; and the documents that they rest on."""
        rows = [
            {**r, "rule": self.named(r["rule"], r["what"]), "value": self.value(r["rule"], r["value"]),
             "grade": self.t(f"level_{r['level']}" if r["value"] == r["value"] else "level_no_data"),
             "threshold": self.value(r["rule"], r["threshold"])}
            for r in records(self.report.frame)
        ]  # fmt: skip
        names = ["rule", "value", "grade", "threshold", "probability", "false_alarm", "miss"]
        once = self.report.frame.drop_duplicates("rule").to_dict("records")
        based = [
            {"rule": rule_name(r["rule"], self.lang), "status": text(f"label.status_{r['status']}", self.lang),
             "document": rule_document(r["rule"], self.lang)}
            for r in once
        ]  # fmt: skip
        return [
            block(
                self.t("all_rules"),
                [self.column(n) for n in names],
                rows,
                source=self.forecast_source,
                note=self.t("errs_note"),
            ),
            block(self.t("rule_documents"), [self.column(n) for n in ("rule", "status", "document")], based),
        ]

    def errors(self, errors: pd.DataFrame) -> Block:
        """False alarms and misses on the national series, for some months."""
        shown = errors[errors["months"].isin([3, 6, 9])]
        return self.frame(shown, ["months", "gap", "false_alarm", "miss"], source=self.t("source_national"))
