"""The command line: answers, JSON with documented keys, exit statuses, both languages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import click
import openpyxl
import pytest

from actuarial.cli import cli, main
from actuarial.samples import sample_path
from actuarial.texts import text

DOCS = Path(__file__).parent.parent / "docs"
JIESHOU = str(sample_path("jieshou/plan.yaml").parent)
ANHUI = str(sample_path("anhui_county/plan.yaml").parent)
CONTRACT = "china/jiande/contract/cooperation@2012-01-01"


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the command in this process: status, output, error output."""
    with pytest.raises(SystemExit) as end:
        main(list(words))
    shown = capsys.readouterr()
    return int(end.value.code or 0), shown.out, shown.err


def commands(group: click.Group, before: str = "") -> dict[str, click.Command]:
    """All commands by their full name."""
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= commands(command, f"{before}{name} ")
        else:
            found[before + name] = command
    return found


@pytest.mark.parametrize("name", sorted(commands(cli)))
def test_every_command_takes_json_and_lang_and_is_documented(name: str) -> None:
    """Each command has --json, --lang and a help text, and stands in docs/cli.md."""
    command = commands(cli)[name]
    options = {o for p in command.params for o in p.opts}
    assert {"--json", "--lang"} <= options
    assert command.help
    assert f"`actuarial {name}" in (DOCS / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_lists_of_commands_give_every_help_line_whole(lang: str) -> None:
    """No line of a list of commands ends in dots, and none says nothing, in either language."""
    for words in ([], ["contract"], ["law"]):
        shown = subprocess.run(
            [sys.executable, "-m", "actuarial", *words, "--help"],
            capture_output=True, text=True, encoding="utf-8", env={**os.environ, "ACTUARIAL_LANG": lang}, check=True,
        ).stdout  # fmt: skip
        listed = shown.split("Commands:")[1]
        assert "..." not in listed
        assert not re.search(r"^  [a-z]+ *$", listed, re.MULTILINE)


def test_our_warnings_are_words_without_a_place_in_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning of our own on standard error is one sentence; what others warn of stays as it is."""
    from actuarial.cli import _plain_warnings
    from actuarial.errors import ModelWarning

    with _plain_warnings():
        ours = warnings.formatwarning("某事", ModelWarning, "file.py", 7)
        other = warnings.formatwarning("else", UserWarning, "file.py", 7)
    assert ours == text("cli.warning", message="某事") + "\n"
    assert "file.py:7" in other


def test_a_draft_below_the_present_standard_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nobody lowers the standard in silence: on standard error and under the form; at the standard nothing is said."""
    for premium, said in (("90", True), ("100", False)):
        status, _, err = call(
            capsys, "budget", ANHUI, "--premium", premium, "--paths", "200", "--out", str(tmp_path)
        )
        assert status == 0
        words = text("budget_words.below_standard", premium="90", standard="100")
        assert (words in err) is said
        book = openpyxl.load_workbook(tmp_path / "budget_zh.xlsx")
        below = [c.value for row in book.worksheets[0].iter_rows() for c in row]
        assert (words in below) is said


def test_premium_json_keys_are_documented(capsys: pytest.CaptureFixture[str]) -> None:
    """`premium --json` prints one object whose keys are those of the documentation."""
    status, out, _ = call(capsys, "premium", ANHUI, "--paths", "2000", "--json")
    found = json.loads(out)
    assert status == 0
    section = (
        (DOCS / "cli.md").read_text(encoding="utf-8").split("## Keys of `run --json`")[1].split("## Other")[0]
    )
    documented = {
        k for row in re.findall(r"^\| (`.*?) \|", section, re.M) for k in re.findall(r"`(\w+)`", row)
    }
    assert set(found) == documented - {"report", "workbook", "word", "pdf", "personal_accounts"}


def test_premium_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Another accepted probability and criterion change the question, not the paths."""
    base = json.loads(call(capsys, "premium", ANHUI, "--paths", "2000", "--json")[1])
    more = json.loads(
        call(
            capsys, "premium", ANHUI, "--paths", "2000", "--json", "--alpha", "0.2", "--criterion", "closing"
        )[1]
    )
    assert more["criterion"] == "closing"
    assert more["accepted_probability"] == 0.2
    assert more["premium_target"] < base["premium_target_by_criterion"]["closing"]
    assert more["deficit_probability"] == base["deficit_probability"]


def test_run_writes_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run` ends with the path of a report that exists; the JSON form names both files."""
    status, out, err = call(capsys, "run", ANHUI, "--out", str(tmp_path), "--paths", "500", "--lang", "en")
    assert (status, err) == (0, "")
    last = out.strip().splitlines()[-1]
    page = Path(last.removeprefix("report: "))
    assert page.is_file()
    assert page.name == "report_en.html"
    found = json.loads(call(capsys, "run", ANHUI, "--out", str(tmp_path), "--paths", "500", "--json")[1])
    assert Path(found["report"]).is_file()
    assert Path(found["workbook"]).is_file()


def test_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`demo` runs both funds and the calculation of 2012, and ends with a report's path."""
    status, out, _ = call(capsys, "demo", "--out", str(tmp_path), "--paths", "500")
    assert status == 0
    assert "321 × 1.1697 ＝ 375.47 元；× (1＋23.66%) ＝ 464 元/人；合计增长 44.65%" in out
    assert Path(out.strip().splitlines()[-1].removeprefix("报告：")).is_file()
    assert {p.name for p in tmp_path.iterdir()} == {
        f"{n}_zh.{s}" for n in ("jieshou", "anhui_county") for s in ("html", "xlsx")
    }
    found = json.loads(call(capsys, "demo", "--out", str(tmp_path), "--paths", "500", "--json")[1])
    assert set(found) == {"jieshou", "anhui_county", "calculation_2012"}


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    """`check` passes on the samples and tells the notes: 0.01万 short, 57.71% within rounding only."""
    status, out, _ = call(capsys, "check", JIESHOU)
    assert status == 0
    assert "相差0.01万元" in out
    assert "仅在四舍五入范围内相符" in out
    found = json.loads(call(capsys, "check", JIESHOU, "--json")[1])
    assert found["ok"] is True
    assert len(found["reconciliations"]) == 6


def test_bad_input_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the faults come as data too, and the status stays 2."""
    status, out, err = call(capsys, "check", str(tmp_path / "none.yaml"), "--json", "--lang", "en")
    assert status == 2
    found = json.loads(out)
    assert found["ok"] is False
    assert found["faults"][0]["code"] == "file.not_found"
    assert "no such file" in err


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        ((), 0, "6,300,000.00"),
        (("--lang", "en"), 0, "insurer 6,300,000.00"),
    ],
)
def test_settle(
    words: tuple[str, ...], status: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """1,200万 of surplus at a target of 18,560万 reward the insurer with 630万, band by band."""
    got, out, _ = call(
        capsys, "contract", "settle", CONTRACT, "--target", "185600000", "--claims", "173600000", *words
    )
    assert got == status
    assert expected in out


@pytest.mark.parametrize("target", ["90000000", "50000000"])
def test_settle_refuses_low_target(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """At 9,000万 and below the bands are undefined: exit 2, the reason and the way out, no traceback."""
    status, out, err = call(capsys, "contract", "settle", CONTRACT, "--target", target, "--claims", "1")
    assert (status, out) == (2, "")
    assert "分段顺序没有定义" in err
    assert "readings" in err
    assert "Traceback" not in err


def test_settle_own_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy of the contract with a reading settles what the shipped file must refuse."""
    import actuarial

    law = Path(actuarial.__file__).parent / "law" / f"{CONTRACT}.yaml"
    reading = (
        "readings:\n  empty_fourth_band: {choice: zero_above_fixed_edge, status: assumed, source: test}\n"
    )
    own = tmp_path / "own.yaml"
    own.write_text(law.read_text(encoding="utf-8").replace("readings: {}\n", reading), encoding="utf-8")
    status, out, _ = call(
        capsys, "contract", "settle", str(own), "--target", "90000000", "--claims", "70000000", "--json"
    )
    assert status == 0
    assert json.loads(out)["insurer_result"] == 4_500_000.0


def test_calculate(capsys: pytest.CaptureFixture[str]) -> None:
    """321 × 1.1697 × 1.2366 = 464; with an sd of growth the median stays near 464."""
    found = json.loads(call(capsys, "calculate", "--growth-sd", "0.05", "--json")[1])
    assert (found["on_new_rules"], found["per_capita_target"]) == (375.47, 464.0)
    assert round(found["total_growth"], 4) == 0.4465
    assert abs(found["median"] - 464.3) < 0.5
    assert found["interval_95"][0] < 464 < found["interval_95"][1]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["chek"], "没有“chek”这个命令"),
        (["run"], "缺少“PLAN”"),
        (["run", JIESHOU, "--pahts", "5"], "没有“--pahts”这个选项"),
        (["run", JIESHOU, "--paths", "many"], "“--paths”的值不对"),
        (["premium", JIESHOU, "--alpha", "1"], "“--alpha”的值不对"),
        (["run", JIESHOU, "--lang", "fr"], "“--lang”的值不对"),
    ],
)
def test_usage_errors(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command is told in the user's language, with status 2."""
    status, out, err = call(capsys, *words)
    assert (status, out) == (2, "")
    assert expected in err


def test_our_fault_and_interruption(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An internal error is 1 with a sentence; Ctrl-C is 130; neither shows a traceback."""
    from actuarial import plan

    def raising(error: BaseException) -> Any:
        def work(*_: Any) -> None:
            raise error

        return work

    monkeypatch.setattr(plan, "load_plan", raising(ZeroDivisionError()))
    status, _, err = call(capsys, "check", JIESHOU)
    assert status == 1
    assert "ZeroDivisionError" in err
    monkeypatch.setattr(plan, "load_plan", raising(KeyboardInterrupt()))
    assert call(capsys, "check", JIESHOU)[0] == 130


def test_unwritable_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An output folder that is a file is bad input: told, and nothing is left behind."""
    (tmp_path / "out").write_text("x")
    status, _, err = call(capsys, "run", ANHUI, "--out", str(tmp_path / "out"), "--paths", "100")
    assert status == 2
    assert "无法写入" in err
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def fresh(*words: str, lang: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    env = {k: v for k, v in os.environ.items() if k != "ACTUARIAL_LANG"} | (
        {"ACTUARIAL_LANG": lang} if lang else {}
    )
    return subprocess.run(
        [sys.executable, "-m", "actuarial", *words],
        capture_output=True,
        text=True,
        env=env,
        check=False,
        encoding="utf-8",
    )


def test_help_speaks_both_languages() -> None:
    """Help is Chinese by default, English by option or environment."""
    assert "检查计划" in fresh("--help").stdout
    assert "check a plan" in fresh("--help", lang="en").stdout
    assert "number of simulated paths" in fresh("run", "--help", "--lang", "en").stdout


def test_help_imports_nothing_heavy() -> None:
    """`--help` loads neither numpy nor pandas nor matplotlib."""
    code = (
        "import sys; sys.argv=['actuarial','--help']\n"
        "from actuarial.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({'numpy','pandas','scipy','matplotlib','yaml','pydantic'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip().splitlines()[-1] == "[]"


def test_init_then_check_then_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The starter names all that is to be filled in; filled with a new county's figures it runs."""
    import openpyxl

    for lang, book, sheets in (
        ("zh", "基金数据.xlsx", ("支出", "筹资", "到账")),
        ("en", "fund_data.xlsx", ("Spending", "Payers", "Calendar")),
    ):
        folder = tmp_path / lang
        status, out, _ = call(capsys, "init", str(folder), "--lang", lang)
        assert status == 0
        assert book in out
        status, _, err = call(capsys, "check", str(folder), "--lang", lang)
        assert status == 2
        assert "insured.count" in err
        assert f"{book}!{sheets[0]}!C2" in err
        assert call(capsys, "init", str(folder))[0] == 2  # nothing is overwritten

        filled = openpyxl.load_workbook(folder / book)
        spending, payers, calendar = (filled[s] for s in sheets)
        for row, (visits, paid) in enumerate([(61_000, 26_000), (900_000, 3_200), (9_100, 3_500)], 2):
            spending.cell(row, 2, visits)
            spending.cell(row, 3, paid)
        for row, (amount, due, got, share) in enumerate(
            [
                (400, 16_000, 16_000, 40),
                (400, 16_000, 12_000, 36),
                (150, 6_000, 6_000, 16),
                (120, 4_800, 3_000, 8),
            ],
            2,
        ):
            for column, value in enumerate((amount, due, got, share), 2):
                payers.cell(row, column, value)
        for row, (month, share) in enumerate([(0, 100), (5, 100), (6, 100), (9, 100)], 2):
            calendar.cell(row, 2, month)
            calendar.cell(row, 3, share)
        filled.save(folder / book)
        plan = (folder / "plan.yaml").read_text(encoding="utf-8")
        for key, value in (("count:", 400_000), ("next_year:", 401_000), ("    value:", 52_000_000)):
            plan = re.sub(rf"^(\s*{key.strip()})( +#.*)?$", rf"\g<1> {value}", plan, count=1, flags=re.M)
        plan = re.sub(r"^(\s*value:)( +#.*)$", r"\g<1> 0.0035", plan, count=1, flags=re.M)
        plan = re.sub(r"^(\s*value:)( +#.*)$", r"\g<1> 0.08", plan, count=1, flags=re.M)
        for mark in ("请填写", "FILL IN"):  # the sources, too, are to be filled in: check says so
            plan = plan.replace(mark, "a source")
        (folder / "plan.yaml").write_text(plan, encoding="utf-8")
        status, out, err = call(capsys, "check", str(folder), "--lang", lang)
        assert (status, err) == (0, "")
        status, out, err = call(
            capsys, "run", str(folder), "--out", str(tmp_path / "out"), "--paths", "500", "--lang", lang
        )
        assert (status, err) == (0, "")


SYNTHETIC = sample_path("synthetic/claims.csv").parent


def test_experience_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A claim file becomes figures by category; cells of fewer than five visits are blank in all that is written."""
    words = ["experience", str(SYNTHETIC / "claims.csv"), "--exposure", str(SYNTHETIC / "exposure.csv")]
    status, out, _ = call(capsys, *words, "--lang", "en", "--out", str(tmp_path / "t.csv"))
    assert status == 0
    assert out.startswith("[SYNTHETIC DATA]")
    assert "1,985 claims, 10 months" in out
    found = json.loads(call(capsys, *words, "--json")[1])
    rows = {r["category"]: r for r in found["categories"]}
    assert rows["accident"]["visits"] is None
    assert rows["accident"]["fund_payment"] is None
    assert rows["inpatient"]["visits"] >= 5
    assert "accident,,," in (tmp_path / "t.csv").read_text(encoding="utf-8")


def test_warnings_are_told_once_and_plainly(tmp_path: Path) -> None:
    """In a process of its own, warnings come as notes of the answer, never as Python's raw lines."""
    import shutil

    shutil.copytree(ANHUI, tmp_path / "plan")
    table = "类别,人次,金额（万元）\n特殊药品,11332,1901.27\n"
    (tmp_path / "plan" / "experience.csv").write_text(table, encoding="utf-8")
    done = fresh("check", str(tmp_path / "plan"))
    assert done.returncode == 0
    assert "特殊药品" in done.stdout
    assert done.stderr == ""


def test_check_of_a_claim_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A claim file is checked like a plan; its faults come with a marked copy where asked for."""
    good = str(SYNTHETIC / "claims.csv")
    status, out, _ = call(capsys, "check", good, "--exposure", str(SYNTHETIC / "exposure.csv"))
    assert status == 0
    assert "检查通过" in out
    dirty = tmp_path / "claims.csv"
    lines = (SYNTHETIC / "claims.csv").read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].replace("2013-", "2013-13-", 1)
    dirty.write_text("\n".join(lines), encoding="utf-8")
    status, _, err = call(
        capsys, "check", str(dirty), "--marked", str(tmp_path / "marked.xlsx"), "--lang", "en"
    )
    assert status == 2
    assert "2013-13-" in err
    assert (tmp_path / "marked.xlsx").stat().st_size > 1000


def test_complete_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not yet paid at the end of October, with its interval; the table as a workbook."""
    words = ["complete", str(SYNTHETIC / "claims.csv"), "--until", "2013-10"]
    status, out, _ = call(capsys, *words, "--out", str(tmp_path / "t.xlsx"))
    assert status == 0
    assert out.startswith("【模拟数据】")
    assert "已发生未付" in out
    found = json.loads(call(capsys, *words, "--json")[1])
    assert found["ultimate"] == pytest.approx(found["paid"] + found["ibnr"])
    assert found["interval_95"][0] < found["ultimate"] < found["interval_95"][1]
    assert len(found["months"]) == 10
    assert (tmp_path / "t.xlsx").stat().st_size > 1000


def test_annualise_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The national fund of 2016 from its ten months, with the back-test; a whole year is refused."""
    table = str(sample_path("national/monthly_medical_fund.csv"))
    found = json.loads(call(capsys, "annualise", table, "--json")[1])
    assert (found["year"], found["months"]) == (2016, 10)
    assert found["annual"] == pytest.approx(8172.9516e8 / found["share"])
    assert found["backtest"]["mean_absolute_error"] < 0.01
    assert "回测" in call(capsys, "annualise", table)[1]


def test_annualise_refuses_a_whole_year(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table that ends in December has nothing to annualise."""
    rows = [f"{y},{m},{m}" for y in (2013, 2014) for m in range(1, 13)]
    path = tmp_path / "m.csv"
    path.write_text("\n".join(["年份,月份,当年累计支出（亿元）", *rows]), encoding="utf-8")
    status, _, err = call(capsys, "annualise", str(path))
    assert status == 2
    assert "2014年已有12个月" in err


PROVINCES = str(sample_path("national/province_fund_expenditure_2002_2016.csv"))


def test_growth_json_has_the_documented_keys(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Growth of a fund with neighbours and on-level factors; a chart; every key stands in docs/cli.md."""
    own = tmp_path / "own.csv"
    own.write_text("year,cost\n2009,250\n2010,281\n2011,300\n2012,333\n", encoding="utf-8")
    pool = tmp_path / "pool.csv"
    pool.write_text("year,a,b\n2009,200,210\n2010,215,230\n2011,236,246\n2012,250,270\n", encoding="utf-8")
    factors = tmp_path / "factors.csv"
    factors.write_text("year,factor\n2009,1.1\n2010,1.1\n2011,1.0\n2012,1.0\n", encoding="utf-8")
    chart = tmp_path / "g.svg"
    words = [
        "growth",
        str(own),
        "--pool",
        str(pool),
        "--on-level",
        str(factors),
        "--plot",
        str(chart),
        "--json",
    ]
    status, shown, _ = call(capsys, *words)
    found = json.loads(shown)
    assert status == 0
    assert {"mean", "median", "sd", "interval_80", "interval_95", "quantiles"} <= set(found["growth"])
    documented = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in documented for key in [*found, *found["growth"]])
    assert found["growth"]["interval_95"][0] < found["growth"]["interval_80"][0] < found["growth"]["median"]
    assert found["history"][1]["growth_per_year"] == pytest.approx(281 / 250 - 1)
    assert found["history"][2]["growth_per_year"] == pytest.approx(300 / (1.1 * 281) - 1)
    assert chart.read_text(encoding="utf-8").startswith("<svg")


def test_growth_and_backtest_in_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A table of rows (year, name, level) is laid out; one fund is shown; the back-test gives a verdict; no table is refused."""
    table = tmp_path / "long.csv"
    rows = Path(PROVINCES).read_text(encoding="utf-8").splitlines()
    late = [r.split(",")[:3] for r in rows[1:] if r.split(",")[1] >= "2011"]
    table.write_text("\n".join(["year,name,level", *(f"{y},{p},{v}" for p, y, v in late)]), encoding="utf-8")
    status, shown, _ = call(capsys, "growth", str(table), "--fund", "安徽", "--lang", "en")
    assert (status, "median growth" in shown, "2017" in shown) == (0, True, True)
    out = tmp_path / "scores.csv"
    status, shown, _ = call(
        capsys, "backtest", str(table), "--points", "4", "--lang", "en", "--out", str(out)
    )
    assert (status, "random walk with drift" in shown, out.is_file()) == (0, True, True)
    status, _, error = call(capsys, "growth", str(tmp_path / "none.csv"), "--lang", "en")
    assert (status, "no such file" in error) == (2, True)
