"""What provokes each error of settling a year by months; taken up by the error catalogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

import actuarial as act
from actuarial.cli.settle import settle
from actuarial.contract import State
from actuarial.contract.actual import read_year
from actuarial.contract.saved import earlier_claims, read_last, save_year
from actuarial.report.settle_template import write_template

Case = Callable[[Path], Any]
JIANDE = "china/jiande/contract/cooperation@2012-01-01"
DRG = "china/zhejiang/contract/drg_points@2020-01-01"
READ = {"later_instalments": "twelfth", "presettlement_base": "month"}


def deal(**changes: Any) -> act.Contract:
    """The contract of 2012 with terms changed."""
    return act.load_contract(JIANDE).changed(changes)


def months(rows: list[str], head: str = "月份,赔付支出（元）,参保人数", events: str = "") -> Case:
    """Reading a table of months, and one of events."""

    def work(folder: Path) -> Any:
        (folder / "m.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
        (folder / "e.csv").write_text(f"考评事项,次数\n{events}", encoding="utf-8")
        return read_year(deal(), folder / "m.csv", events=folder / "e.csv" if events else None)

    return work


def _file(path: Path, words: str) -> Path:
    path.write_text(words, encoding="utf-8")
    return path


def last(started: str | None, **ask: Any) -> Case:
    """Reading last year's file, from 2012-01 if it says, with 100 yuan of claims for this year."""

    def work(folder: Path) -> Any:
        read = {**READ, "late_claims": "next_year"}
        settled = deal().settle_months(target=2e8, claims=[1.6e7] * 12, late_claims=100.0, readings=read)
        path = save_year(
            settled, folder / "s.json", None if started is None else pd.Period(started, freq="M")
        )
        return read_last(path, **{"contract": JIANDE, **ask})

    return work


def command(*words: str, dated: bool = False) -> Case:
    """The command on a table of months, with options; its months dated 2012 or plain."""

    def work(folder: Path) -> Any:
        month = "2012-{:02d},1e7,400000" if dated else "{},1e7,400000"
        rows = "\n".join(month.format(m) for m in range(1, 13))
        (folder / "m.csv").write_text(f"月份,赔付支出（元）,参保人数\n{rows}", encoding="utf-8")
        (folder / "e.csv").write_text("考评事项,次数\ncomplaint,1", encoding="utf-8")
        given = [str(folder / w) if w.endswith(".csv") else w for w in words]
        return settle.main([JIANDE, "--months", str(folder / "m.csv"), *given], standalone_mode=False)

    return work


TWELVE = [f"{m},1000000,1000" for m in range(1, 13)]
FLAT = {"target": 2e8, "claims": [1.6e7] * 12, "readings": READ}
CASES: dict[str, list[Case]] = {
    "contract.not_stated": [
        lambda _: deal(**{"cash.late_claims": None}).settle_months(**FLAT, late_claims=1.0),
        lambda _: deal(**{"target.headcount": None}).settle_months(
            claims=[1.4e7] * 12, readings=READ, heads=[400_000] * 11 + [400_001]
        ),
        lambda _: deal(**{"cash.reward_above_reserve": None}).settle_months(**{**FLAT, "claims": [0.0] * 12}),
    ],
    "contract.heads": [lambda _: deal().settle_months(claims=[1e7] * 12, readings=READ, heads=[1.5] * 12)],
    "contract.owed": [
        lambda _: deal(cash=None).settle_months(target=2e8, claims=[1e7] * 12, opening=State(0, 0, 100))
    ],
    "contract.month_word": [months(["13月,1,1", *TWELVE[1:]]), months(["早春,1,1", *TWELVE[1:]])],
    "contract.month_rows": [
        months(TWELVE[:11]),
        months([f"2012-{m:02d},1,1" for m in range(1, 12)] + ["2013-02,1,1"]),
        months([*TWELVE[:11], "2012-12,1,1"]),
        months(["2012-01,1,1", *TWELVE[1:]]),
    ],
    "contract.heads_missing": [months([*TWELVE[:11], "12,1000000,"])],
    "contract.heads_zero": [months([*TWELVE[:11], "12,1000000,0"])],
    "contract.not_a_settlement": [
        lambda folder: read_last(_file(folder / "m.csv", "月份,赔付支出（元）\n1,2"), JIANDE),
        lambda folder: read_last(_file(folder / "plan.yaml", "kind: contract"), JIANDE),
    ],
    "contract.budget": [
        lambda _: act.load_contract(DRG).settle_points(
            pd.DataFrame({"provider": ["a"], "points": [1.0]}), budget=-5.0
        )
    ],
    "contract.template_points": [lambda folder: write_template(act.load_contract(DRG), folder / "t.xlsx")],
    "contract.template_exists": [lambda folder: write_template(deal(), _file(folder / "t.xlsx", "filled"))],
    "contract.event_unknown": [months(TWELVE, events="下雨,1")],
    "contract.event_times": [months(TWELVE, events="complaint,1.5")],
    "contract.other_contract": [last("2012-01", contract=DRG)],
    "contract.not_last_year": [last("2012-01", period=pd.Period("2014-01", freq="M"))],
    "contract.late_last_year": [lambda folder: earlier_claims(last(None)(folder))],
    "contract.twice": [command("--heads", "5"), command("--event", "complaint=1", "--events", "e.csv")],
    "contract.other_period": [command("--period", "2013-01", dated=True)],
    "contract.template_type": [lambda folder: write_template(deal(), folder / "t.csv")],
    "contract.no_points_rule": [
        lambda _: deal().settle_points(pd.DataFrame({"provider": ["a"], "points": [1.0]}), budget=1.0)
    ],
}
