"""Commands on the fund: their figures are those of the functions, and every key is documented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import actuarial as act
from actuarial.cli import cli

PLAN = str(act.sample_path("jieshou/plan.yaml"))
DOCUMENTED = (Path(__file__).parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")


def call(*words: str) -> Any:
    """A command's JSON object."""
    done = CliRunner().invoke(cli, [*words, "--json", "--paths", "2000"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def keys(value: Any) -> set[str]:
    """All keys of an object, inner ones too."""
    if isinstance(value, list):
        return set().union(*map(keys, value)) if value else set()
    return set(value).union(*map(keys, value.values())) if isinstance(value, dict) else set()


def test_years(tmp_path: Path) -> None:
    """Years at stated amounts, with the fan; every key is documented, and the figures are the function's."""
    chart = tmp_path / "c.png"
    with pytest.warns(act.ModelWarning):
        found = call("simulate", PLAN, "--years", "4", "--premiums", "420,470", "--plot", str(chart))
    assert [row["premium"] for row in found["years"]] == [420, 470, 470, 470]
    assert found["premium_rule"] == "given"
    assert chart.read_bytes().startswith(b"\x89PNG")
    missing = {k for k in keys(found) if f"`{k}`" not in DOCUMENTED}
    assert not missing
    wrong = CliRunner().invoke(cli, ["simulate", PLAN, "--premiums", "much"])
    assert wrong.exit_code == 2
    idle = CliRunner().invoke(cli, ["simulate", PLAN, "--years", "3", "--months", "2"])
    assert idle.exit_code == 2
    assert "--months" in idle.output


def test_simulate(tmp_path: Path) -> None:
    """The target under months payable for one payer, with its chart; every key stands in the documents."""
    chart = tmp_path / "c.png"
    found = call(
        "simulate",
        PLAN,
        "--criterion",
        "months_payable",
        "--months",
        "2",
        "--split",
        "individual",
        "--plot",
        str(chart),
    )
    assert found["premium_target"] <= found["rounded_to_5"] <= found["rounded_to_10"]
    assert chart.stat().st_size > 5000
    assert all(f"`{k}`" in DOCUMENTED or k in DOCUMENTED for k in keys(found))
    for lang in ("zh", "en"):
        done = CliRunner().invoke(
            cli, ["simulate", PLAN, "--paths", "2000", "--lang", lang], catch_exceptions=False
        )
        assert done.exit_code == 0
        assert "340" in done.stdout


def test_scenarios(tmp_path: Path) -> None:
    """Scenarios with their differences, table and panels."""
    table, chart = tmp_path / "t.csv", tmp_path / "c.svg"
    found = call("scenarios", PLAN, "--out", str(table), "--plot", str(chart))
    assert found["scenarios"][0]["difference"] == 0
    assert "growth_high" in table.read_text(encoding="utf-8-sig")
    assert chart.read_text(encoding="utf-8").startswith("<svg")
    assert all(k in DOCUMENTED or k.endswith(("_low", "_high")) for k in keys(found))


def test_fleet(tmp_path: Path) -> None:
    """Both samples pooled; results are kept and give the same answer again."""
    words = (
        "fleet",
        str(Path(PLAN).parents[1]),
        "--shared",
        "growth=0.5",
        "--rate",
        "0.03",
        "--keep",
        str(tmp_path),
    )
    found = call(*words)
    assert found == call(*words)
    assert {f["fund"] for f in found["funds"]} == {"jieshou", "anhui_county"}
    assert found["pools"][0]["funds"] == 2
    assert all(k in DOCUMENTED or k.endswith(("_low", "_high")) for k in keys(found) - {"growth"})


@pytest.mark.parametrize(
    "words", [["simulate", PLAN, "--split", "individual=x"], ["fleet", PLAN, "--shared", "rain=1"]]
)
def test_bad_words_are_refused(words: list[str]) -> None:
    """A share that is no number, or an unknown factor, is refused in a sentence."""
    from actuarial.cli import main

    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
