"""Early warning: dated rules, what each says of the year, the probability behind it, and how often such alarms err."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import yaml

from actuarial.budget.monitor import Monitor
from actuarial.budget.phasing import YearBudget
from actuarial.budget.projection import share_law, weights_given
from actuarial.errors import Fault, InputError
from actuarial.results import Result, Source
from actuarial.tables import MonthlyProfile, Table
from actuarial.texts import pick

LEVELS = ("yellow", "orange", "red")


@dataclass(frozen=True)
class Rule:
    """One rule of early warning.

    Parameters
    ----------
    id, indicator : str
    when : {"at_least", "above", "below"}
    levels : dict
        Threshold by level (yellow, orange, red), those that the rule has.
    document, status : str
    name : dict
        By language.
    """

    id: str
    indicator: str
    when: str
    levels: dict[str, float]
    document: str
    status: str
    name: dict[str, str]

    def level(self, value: float) -> str:
        """The highest level that a value reaches; empty for none.

        Examples
        --------
        >>> load_rules()[0].level(3_000_000.0), load_rules()[0].level(2_999_999.0)
        ('red', '')
        """
        if value != value:
            return ""
        test = {"at_least": value.__ge__, "above": value.__gt__, "below": value.__lt__}[self.when]
        return next(
            (name for name in reversed(LEVELS) if name in self.levels and test(self.levels[name])), ""
        )


@cache
def _raw() -> list[dict[str, Any]]:
    return yaml.safe_load(files(__package__).joinpath("rules.yaml").read_text(encoding="utf-8"))["rules"]


def load_rules(levels: dict[str, dict[str, float]] | None = None) -> tuple[Rule, ...]:
    """The rules; `levels` replaces the levels of some by id, and they become ``assumed``.

    Raises
    ------
    InputError
        For an unknown rule or level.

    Examples
    --------
    >>> load_rules({"admissions": {"red": 0.3}})[8].levels
    {'red': 0.3}
    """
    changed = levels or {}
    known = {r["id"] for r in _raw()}
    wrong = [n for n, found in changed.items() if n not in known or not set(found) <= set(LEVELS)]
    if wrong:
        raise InputError(
            [Fault("budget.rule", params={"rule": n, "known": "、".join(sorted(known))}) for n in wrong]
        )
    return tuple(
        Rule(r["id"], r["indicator"], r["when"], {k: float(v) for k, v in changed.get(r["id"], r["levels"]).items()},
             r["document"], "assumed" if r["id"] in changed else r["status"], r["name"])
        for r in _raw()
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class WarningReport(Result):
    """What the rules say of a year.

    Parameters
    ----------
    monitor : Monitor
    frame : DataFrame
        ``rule``, ``what`` (of what it speaks), ``value``, ``level``, ``threshold``, ``probability`` (that the year's end passes
        the threshold; NaN for what is observed), ``status``, ``document``.
    """

    monitor: Monitor
    frame: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def alarms(self) -> pd.DataFrame:
        """The rules that speak, gravest first."""
        found = self.frame[self.frame["level"] != ""]
        return found.iloc[np.argsort([-LEVELS.index(v) for v in found["level"]], kind="stable")]


def warnings_of(
    m: Monitor, *, rules: tuple[Rule, ...] | None = None, admissions: dict[str, float] | None = None
) -> WarningReport:
    """Apply the rules to a year.

    Parameters
    ----------
    m : Monitor
    rules : tuple of Rule, optional
        See :func:`load_rules`.
    admissions : dict, optional
        Growth of admissions by place, as a report states it; else admissions against the budget's are used.
    """
    rows = []
    values = _indicators(m, admissions)
    for rule in rules or load_rules():
        for what, value in values[rule.indicator].items():
            level = rule.level(value)
            first = rule.levels[level] if level else next(iter(rule.levels.values()))
            rows.append({
                "rule": rule.id, "what": what, "value": value, "level": level, "threshold": first,
                "probability": _probability(m, rule.indicator, first), "status": rule.status, "document": rule.document,
            })  # fmt: skip
    sources = tuple(Source(r.id, r.document, status=r.status) for r in rules or load_rules())
    return WarningReport(m, pd.DataFrame(rows), sources=(*m.sources, *sources))


def _indicators(m: Monitor, admissions: dict[str, float] | None) -> dict[str, dict[str, float]]:
    """Values by indicator and what they are of."""
    income, spending = m.income, m.projection.mean + m.other_spending
    over: dict[str, float] = {}
    if m.providers is not None:
        for r in m.providers.to_dict("records"):
            stated = r["stated_overspend"] / r["budget"]
            now = r["actual_to_date"] / r["budget_to_date"] - 1 if r["budget_to_date"] > 0 else np.nan
            over[str(r["provider"])] = float(stated if stated == stated else now)
    grown = admissions or {}
    if not grown and m.drivers is not None:
        visits = m.budget.frame[
            (m.budget.frame["line"] == "inpatient") & (m.budget.frame["month"] <= m.months)
        ]["visits"].sum()
        seen = m.actual.frame[m.actual.frame["line"] == "inpatient"]["visits"].sum()
        grown = {"inpatient": float(seen / visits - 1)} if visits > 0 else {}
    return {
        "expected_deficit": {"": -m.balance()},
        "deficit_probability": {"": m.deficit_probability()},
        "overspending_probability": {"": m.overspending_probability},
        "use_rate": {"": spending / income if income > 0 else np.inf},
        "current_balance_ratio": {"": m.balance() / income if income > 0 else -np.inf},
        "cumulative_balance_ratio": {"": m.closing / income if income > 0 else -np.inf},
        "payable_months": {"": m.closing / (spending / 12) if spending > 0 else np.inf},
        "rolling_balance": {"": m.balance()},
        "admission_growth": grown,
        "provider_over": over,
        "arrears_age": {str(r["payer"]): float(r["age"]) for r in m.outstanding.to_dict("records")},
    }


def _probability(m: Monitor, indicator: str, threshold: float) -> float:
    """Probability that the year's end passes the threshold; NaN for what is observed, not forecast."""
    room = m.income - m.other_spending  # claims at which the year breaks even
    if indicator == "expected_deficit":
        return m.deficit_probability(threshold)
    if indicator in {"deficit_probability", "rolling_balance"}:
        return m.deficit_probability()
    if indicator == "overspending_probability":
        return m.overspending_probability
    if indicator == "use_rate":
        return m.projection.over(threshold * m.income - m.other_spending)
    if indicator == "current_balance_ratio":
        return max(1 - m.projection.over(room - threshold * m.income), 0.0)
    if indicator == "cumulative_balance_ratio":
        return max(1 - m.projection.over(m.budget.opening + room - threshold * m.income), 0.0)
    if indicator == "payable_months":  # closing < threshold × spending / 12
        claims = (m.budget.opening + m.income) / (1 + threshold / 12) - m.other_spending
        return m.projection.over(claims)
    return float("nan")


# --------------------------------------------------------------------------- how often alarms err


def simulated_errors(
    year: YearBudget,
    *,
    budget: float | None = None,
    levels: tuple[float, ...] = (0.2, 0.5, 0.8),
    years: int = 4000,
    seed: int = 2012,
) -> pd.DataFrame:
    """False alarms and misses of “claims pass the budget” on simulated years: an assessment of the method, not of the world.

    Each simulated year has a total of the prior and a share of the months drawn from the profile's spread; the alarm at level
    p sounds where the probability given the first k months is at least p.

    Returns
    -------
    DataFrame
        ``months``, ``level``, ``events`` (share of years over), ``false_alarm`` (alarm where the year held), ``miss`` (no alarm
        where it did not).

    Raises
    ------
    InputError
        Where the budget has no simulation behind it.
    """
    if year.prior is None:
        raise InputError([Fault("budget.no_prior")])
    limit = float(year.amounts("expenditure", claims_only=True).sum()) if budget is None else budget
    random = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(7, 0))))
    grid = np.quantile(year.prior, (np.arange(400) + 0.5) / 400)
    totals = random.choice(year.prior, years)
    event, rows = totals > limit, []
    for k in range(1, 12):
        centre, spread = share_law(year, k)
        seen = totals / (1 + np.exp(-(centre + spread * random.standard_normal(years))))
        chance = weights_given(grid, seen, centre, spread) @ (grid > limit)
        for p in levels:
            alarm = chance >= p
            rows.append({
                "months": k, "level": p, "events": float(event.mean()),
                "false_alarm": float(alarm[~event].mean()) if (~event).any() else np.nan,
                "miss": float((~alarm[event]).mean()) if event.any() else np.nan,
            })  # fmt: skip
    return pd.DataFrame(rows)


def national_errors(
    table: Table, *, gaps: tuple[float, ...] = (0.01, 0.02, 0.03, 0.05), level: float = 0.5
) -> pd.DataFrame:
    """The same on real years: each whole year from its first months by the others' shares, against budgets that it passed or kept by a gap.

    Few years: three of them are no proof of a rate, and neighbouring months of a year are one trial.

    Returns
    -------
    DataFrame
        ``months``, ``gap``, ``years``, ``false_alarm`` (budget kept by the gap), ``miss`` (budget passed by it).
    """
    whole = MonthlyProfile.from_history(table)
    if len(whole.years) < 3:
        raise InputError(
            [Fault("experience.backtest_short", file=table.file, params={"years": len(whole.years)})]
        )
    frame = table.frame.pivot_table(index="year", columns="month", values="expenditure_to_date")
    normal = np.random.Generator(np.random.SFC64(0)).standard_normal(4000)
    rows = []
    for k in range(1, 12):
        for gap in gaps:
            false, miss = [], []
            for name in whole.years.index:
                others = MonthlyProfile.from_years(whole.years.drop(index=name))
                actual, seen = float(frame.loc[name, 12]), float(frame.loc[name, k])
                totals = seen / others.share_draws(k, normal)
                false.append((totals > actual * (1 + gap)).mean() >= level)
                miss.append((totals > actual / (1 + gap)).mean() < level)
            rows.append(
                {
                    "months": k,
                    "gap": gap,
                    "years": len(false),
                    "false_alarm": float(np.mean(false)),
                    "miss": float(np.mean(miss)),
                }
            )
    return pd.DataFrame(rows)


def rule_name(rule: str, lang: str | None = None) -> str:
    """Words of a rule."""
    return pick(next(r["name"] for r in _raw() if r["id"] == rule), lang)
