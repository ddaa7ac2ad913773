"""A made-up county from the empty starter to budget and monitor."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from actuarial.cli import main
from actuarial.texts import text

MONEY = {
    "支出": [(52_000, 21_800), (310_000, 3_450), (4_100, 1_860)],
    "筹资": [(400, 12_480, 12_480), (420, 13_104, 13_104), (150, 4_680, 4_000), (100, 3_120, 3_120)],
}


def call(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    """Run a command; its JSON."""
    with pytest.raises(SystemExit) as end:
        main([*words, "--json"])
    out = capsys.readouterr()
    assert end.value.code in (0, None), out.err
    return json.loads(out.out)


def test_from_init_to_monitor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """init → fill → check → run → budget → monitor on the sheets that init wrote (figures made up)."""
    folder = tmp_path / "county"
    call(capsys, "init", str(folder))
    book_path = folder / text("starter.workbook", "zh")
    book = openpyxl.load_workbook(book_path)
    for row, (visits, paid) in enumerate(MONEY["支出"], 2):
        book["支出"].cell(row, 2, visits), book["支出"].cell(row, 3, paid)
    for row, values in enumerate(MONEY["筹资"], 2):
        for at, value in enumerate((*values, 25), 2):
            book["筹资"].cell(row, at, value)
    for row in range(2, 6):
        book["到账"].cell(row, 2, 2), book["到账"].cell(row, 3, 100)
    for row in range(2, 9):
        book["执行"].cell(row, 2, 1), book["执行"].cell(row, 5, 1_000)
    book.save(book_path)
    plan = folder / "plan.yaml"
    words = (
        plan.read_text(encoding="utf-8")
        .replace("source: 请填写", "source: 虚构")
        .replace("请填写基金名称", "虚构县")
    )
    for mark, value in (("  count:", 312_000), ("  next_year:", 312_000), ("    value:  ", 60_000_000)):
        words = words.replace(mark, f"{mark} {value}", 1)
    words = words.replace("remainder_source: 请填写", "remainder_source: 虚构").replace(
        "next_year_source: 请填写", "next_year_source: 虚构"
    )
    lines = []
    for line in words.splitlines():
        if line.strip().startswith("value:") and "请填写" in line:
            line = (
                line.replace("value:", "value: 0.0035" if "年利率" in line else "value: 0.08", 1)
                if "结余" not in line
                else line
            )
        lines.append(line)
    plan.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert call(capsys, "check", str(plan))["ok"]
    out = str(tmp_path / "out")
    assert call(capsys, "run", str(plan), "--out", out, "--paths", "1000")["premium_target"] > 0
    assert Path(call(capsys, "budget", str(plan), "--out", out, "--paths", "1000")["workbook"]).is_file()
    found = call(
        capsys,
        "monitor",
        str(plan),
        "--actual",
        str(book_path),
        "--sheet",
        "执行",
        "--out",
        out,
        "--paths",
        "1000",
    )
    assert found["months"] == 1
    assert Path(found["page"]).is_file()
