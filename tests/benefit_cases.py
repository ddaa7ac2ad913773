"""What provokes each error and warning of benefit rules and of repricing under them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pyarrow as pa

from actuarial.benefits import UseAssumption, load_schedule, policy_factor, reprice, sort_claims
from actuarial.benefits.columns import Combos, arrow_batches, rows_of
from actuarial.benefits.repricing import as_schedules
from actuarial.law import load_law
from actuarial.tables import ClaimsTable, read_claims
from tests.wrong_laws import RIGHT, WRONG

Case = Callable[[Path], Any]
OLD, NEW = "china/jeminay/ncms/basic@2011-01-01", "china/jeminay/ncms/basic@2011-04-26"

PARTS = {
    "law.any_number", "plan.near", "benefits.repriced", "benefits.fit_line", "benefits.factor_line",
    "benefits.use_line", "benefits.change_line", "benefits.interaction", "benefits.account_line",
    *(f"benefits.account_{a}" for a in ("basic_fund", "cii_fund", "cii_insurer", "medical_assistance", "mutual_aid", "patient", "personal_account")),
}  # fmt: skip
"""Words within other messages and lines of summaries: nothing that is raised."""


def rules(folder: Path, *changes: tuple[str, str]) -> Path:
    """The right file with some text replaced."""
    content = RIGHT
    for old, new in changes:
        assert old in content, old
        content = content.replace(old, new, 1)
    path = folder / "rules.yaml"
    path.write_text(content, encoding="utf-8")
    return path


def loaded(*changes: tuple[str, str]) -> Case:
    """Loading the file with these changes."""
    return lambda folder: load_law(rules(folder, *changes))


def claims(**columns: Any) -> ClaimsTable:
    """Two claims, with columns replaced or (None) left out."""
    frame: dict[str, Any] = {
        "claim_id": ["1", "2"], "member_id": ["a", "b"], "category": ["住院", "住院"],
        "level": ["乡镇卫生院", "县级医院"], "service_date": ["2011-05-01", "2011-06-01"],
        "fund_payment": [640.0, 480.0], "in_scope_cost": [800.0, 800.0], "total_cost": [900.0, 900.0],
    }  # fmt: skip
    frame |= columns
    return read_claims(pd.DataFrame({k: v for k, v in frame.items() if v is not None}), unit="yuan")


def factor(table: ClaimsTable, old: Any = OLD, new: Any = NEW, **options: Any) -> Any:
    """A factor with a short bootstrap."""
    return policy_factor(table, old=old, new=new, replicates=50, **options)


def _negative(folder: Path) -> None:
    columns = {"member_id": ["a"], "claim_id": ["1"], "in_scope_cost_cents": [-1], "service_date_day": [1]}
    rows_of(pa.table(columns), Combos(), None)


def _spark(folder: Path) -> None:
    with patch("actuarial.benefits.columns.is_spark", return_value=True):
        next(arrow_batches(claims()))


def _new_use(folder: Path) -> None:
    more = rules(folder, ("        - when: {category: 住院}\n", "        - {when: {category: 住院分娩}, fixed: 300}\n        - when: {category: 住院}\n"))  # fmt: skip
    other = folder / "old.yaml"
    other.write_text(
        RIGHT.replace("2025-01-01", "2024-01-01").replace("2024-11-25", "2023-11-25"), encoding="utf-8"
    )
    factor(claims(), other, more)


def _streamed(folder: Path) -> None:
    factor(sort_claims(claims(), folder / "sorted.parquet"), leverage=True)


def _out(folder: Path) -> None:
    from actuarial.cli.rules import reprice as command

    command.main(["claims.csv", "--old", OLD, "--new", NEW, "--out", "x.pdf"], standalone_mode=False)


def _month_weights(folder: Path) -> None:
    from actuarial.benefits.factor import month_weighted_factor
    from actuarial.benefits.stated import stated_policy_factor

    month_weighted_factor(stated_policy_factor(1.1), full_from="2011-04-26", weights=[1.0] * 11)


def _option(name: str) -> Case:
    from actuarial.cli import rules as command

    return lambda folder: getattr(command, name)(("x",))


CASES: dict[str, list[Case]] = {}
for what in WRONG.values():
    if not what[3].startswith(("plan.", "file.")):
        CASES.setdefault(what[3], []).append(loaded((what[0], what[1])))

for code, case in {
    "law.repeat_by_claim": loaded(("        - accumulate: year\n", "        - accumulate: year\n          deductible_share_at_repeat: [1, 0.5]\n")),
    "law.earlier_layer": loaded(("counted: {of: own_in_scope}", "counted: {of: own_in_scope, without_deductible_of: [later]}")),
    "law.one_reading": loaded(("market: {value: 0.5,", "market: {value: 0.5, choice: falls,")),
    "law.share": loaded(("share: 6}", "share: 6倍}")),
    "law.segment_origin": loaded(("- accumulate: year", "- segment_origin: top")),
    "law.accumulators": loaded(("  scheme: resident\n", "  scheme: resident\n  transition: {accumulators: lost}\n")),
    "law.gap_choices": loaded(("- accumulate: year", "- accumulate: {gap: referral}")),
    "law.reading": lambda folder: load_schedule(rules(folder), readings={"market": 0.9}),
    "law.no_word": lambda folder: reprice(claims(level=["诊所", "诊所"]), OLD),
    "benefits.schedules": lambda folder: as_schedules([OLD, OLD]),
    "benefits.no_layer": lambda folder: load_schedule(OLD).piecewise("second"),
    "benefits.amount": _negative,
    "benefits.column": lambda folder: reprice(claims(in_scope_cost=None), OLD),
    "benefits.spark": _spark,
    "benefits.not_sorted_file": lambda folder: reprice(folder / "none.parquet", OLD),
    "benefits.uncovered": lambda folder: reprice(claims(category=["住院", "门诊统筹"]), OLD),
    "benefits.fit_differs": lambda folder: factor(claims(fund_payment=[1.0, 2.0])),
    "benefits.nothing_paid": lambda folder: factor(claims(fund_payment=[0.0, 0.0], in_scope_cost=[0.0, 0.0])),
    "benefits.month_weights": _month_weights,
    "benefits.elasticity": lambda folder: factor(claims(), elasticity=UseAssumption(0.5, "s")),
    "benefits.new_use": _new_use,
    "benefits.by": lambda folder: factor(claims()).by("colour"),
    "benefits.no_leverage": lambda folder: factor(claims()).at_growth(0.1),
    "benefits.leverage_in_memory": _streamed,
    "benefits.reading_option": _option("_readings"),
    "benefits.recode_option": _option("_recode"),
    "file.out_type": _out,
}.items():  # fmt: skip
    CASES.setdefault(code, []).append(case)
