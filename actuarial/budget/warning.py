"""Early warning: dated rules, what each says of the year, the probability behind it, and how often such alarms err."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import yaml

from actuarial.budget.alarm_errors import alarm_errors, claims_limit
from actuarial.budget.monitor import Monitor
from actuarial.errors import Fault, InputError
from actuarial.results import Result, Source
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
    document, name : dict
        By language.
    status : str
    """

    id: str
    indicator: str
    when: str
    levels: dict[str, float]
    document: dict[str, str]
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
        the threshold; NaN for what is observed), ``false_alarm``, ``miss`` (of such an alarm after as many months, on simulated
        years), ``status``, ``document``.
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
        Growth of admissions by place, as a report states it; the monitor's own if not given, and without those admissions
        against the budget's.
    """
    rows = []
    values = _indicators(m, admissions)
    for rule in rules or load_rules():
        for what, value in values[rule.indicator].items():
            level = rule.level(value)
            first = rule.levels[level] if level else next(iter(rule.levels.values()))
            rows.append({
                "rule": rule.id, "indicator": rule.indicator, "what": what, "value": value, "level": level, "threshold": first,
                "probability": _probability(m, rule.indicator, first), "status": rule.status, "document": pick(rule.document),
            })  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["false_alarm"], frame["miss"] = alarm_errors(m, frame)
    sources = tuple(Source(r.id, pick(r.document), status=r.status) for r in rules or load_rules())
    return WarningReport(m, frame.drop(columns="indicator"), sources=(*m.sources, *sources))


def _indicators(m: Monitor, admissions: dict[str, float] | None) -> dict[str, dict[str, float]]:
    """Values by indicator and what they are of."""
    income, spending = m.income, m.projection.mean + m.other_spending
    over: dict[str, float] = {}
    if m.providers is not None:
        for r in m.providers.to_dict("records"):
            stated = r["stated_overspend"] / r["budget"]
            now = r["actual_to_date"] / r["budget_to_date"] - 1 if r["budget_to_date"] > 0 else np.nan
            over[str(r["provider"])] = float(stated if stated == stated else now)
    grown = dict(m.admissions if admissions is None else admissions)
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
    found = claims_limit(m, indicator, threshold)
    if found is None:
        return float("nan")
    limit, over = found
    chance = m.projection.over(limit)
    return chance if over else max(1 - chance, 0.0)


def rule_name(rule: str, lang: str | None = None) -> str:
    """Words of a rule."""
    return pick(next(r["name"] for r in _raw() if r["id"] == rule), lang)


def rule_document(rule: str, lang: str | None = None) -> str:
    """The document that a rule rests on."""
    return pick(next(r["document"] for r in _raw() if r["id"] == rule), lang)
