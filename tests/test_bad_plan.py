"""A plan with many faults: all told at once, with file, place and remedy, and nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

import actuarial as act
from actuarial.cli import main
from actuarial.samples import sample_path

BROKEN = {
    "growth_tag": ("  value: 0.12\n", "  value: !!python/object/apply:os.system ['true']\n"),
    "nan_opening": ("    value: 65020000\n", "    value: .nan\n"),
    "zero_insured": ("  count: 647000\n", "  count: 0\n"),
    "missing_table": ("  calendar: {path: calendar.csv}\n", ""),
    "no_file": ("{path: providers.csv}", "{path: nowhere.csv}"),
}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Jieshou's plan and tables with eleven faults."""
    folder = tmp_path / "plan"
    folder.mkdir()
    for path in sample_path("jieshou/plan.yaml").parent.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    plan = (folder / "plan.yaml").read_text(encoding="utf-8")
    for old, new in BROKEN.values():
        assert old in plan
        plan = plan.replace(old, new, 1)
    (folder / "plan.yaml").write_text(plan, encoding="utf-8")
    (folder / "experience.csv").write_text(
        "类别,受益人次,基金支付,颜色\n住院,426O0,11528.21,红\n慢性病,5287,-30.0,蓝\n", encoding="utf-8"
    )
    (folder / "payers.csv").write_text(
        "缴费主体,人均标准（元）,应到资金（万元）,已到资金（万元）\n个人,60,3882,3882\n中央财政,156,10093,10093\n合计,216,15000,13975\n",
        encoding="utf-8",
    )
    return folder


EXPECTED = {
    ("file.yaml_tag", "plan.yaml"),
    ("plan.not_finite", "plan.yaml"),
    ("plan.value", "plan.yaml"),
    ("plan.missing_table", "plan.yaml"),
    ("file.not_found", "nowhere.csv"),
    ("table.no_unit", "experience.csv"),
    ("table.unknown_column", "experience.csv"),
    ("table.not_a_number", "experience.csv"),
    ("table.negative", "experience.csv"),
    ("table.wrong_total", "payers.csv"),
}


def test_all_faults_at_once(broken: Path) -> None:
    """Every fault of plan and tables is in one refusal, each with its place."""
    with pytest.raises(act.InputError) as error:
        act.load_plan(broken)
    found = {(f.code, f.file) for f in error.value.faults}
    assert found >= EXPECTED, EXPECTED - found
    cells = {f.code: f.cell for f in error.value.faults if f.cell}
    assert cells["table.not_a_number"] == "B2"
    assert cells["table.negative"] == "C3"
    assert cells["table.wrong_total"] == "C4"
    lines = {f.code: f.line for f in error.value.faults if f.file == "plan.yaml"}
    plan = (broken / "plan.yaml").read_text(encoding="utf-8").splitlines()
    assert "!!python" in plan[lines["file.yaml_tag"] - 1]
    assert ".nan" in plan[lines["plan.not_finite"] - 1]


@pytest.mark.parametrize(("lang", "word"), [("zh", "金额不得为负"), ("en", "must not be negative")])
def test_command_refuses(
    broken: Path, tmp_path: Path, lang: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`run` exits with 2 and the messages, in the language chosen, without a traceback, and writes nothing."""
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as end:
        main(["run", str(broken), "--out", str(out), "--lang", lang])
    assert end.value.code == 2
    shown = capsys.readouterr()
    assert word in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert not out.exists()


def test_negative_is_told_as_documented(broken: Path) -> None:
    """The message has the form that the design gives as its example."""
    with pytest.raises(act.InputError) as error:
        act.load_plan(broken)
    negative = next(f for f in error.value.faults if f.code == "table.negative")
    assert negative.message("zh").startswith("experience.csv!C3 “基金支付”: 金额不得为负（读到 -30.0）")


def test_input_is_left_as_it_was(broken: Path) -> None:
    """Reading changes no file."""
    before = {p.name: p.read_bytes() for p in broken.iterdir()}
    with pytest.raises(act.InputError):
        act.load_plan(broken)
    assert {p.name: p.read_bytes() for p in broken.iterdir()} == before
