"""The monthly work summary as documents: four formats from one content, live formulas, all files or none, nothing reused."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import actuarial as act
from actuarial.budget import (
    Monitor,
    base_year_budget,
    monitor,
    plan_actual,
    provider_budgets,
    read_actual,
    warnings_of,
)
from actuarial.budget.alarm_errors import alarm_errors
from actuarial.cli import main
from actuarial.pipeline import Answer
from actuarial.plan import Plan
from actuarial.report import build_report
from actuarial.report.blocks import Block, Chart
from actuarial.report.monitoring import compose_monitoring, write_monitoring_files
from actuarial.results import write_together
from actuarial.samples import sample_path

LEVELS = {"township": ("甲镇卫生院", 0.2), "county_level": ("市医院", 0.5), "outside": ("省医院", 0.3)}


@pytest.fixture(scope="module")
def actual(jieshou_run: Answer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven months as budgeted, inpatients by level and provider; outside the area 20% dearer by admissions alone."""
    rows = ["月份,项目,级别,医疗机构,收付金额（元）,发生金额（元）,人次"]
    frame = jieshou_run.budget.phasing.frame
    for r in frame[(frame["month"] <= 7) & (frame["amount"] > 0)].to_dict("records"):
        parts = LEVELS.items() if r["item"] == "inpatient" else [("", ("", 1.0))]
        for level, (provider, share) in parts:
            more = 1.2 if level == "outside" else 1.0
            visits = "" if r["visits"] != r["visits"] else round(r["visits"] * share * more)
            cash = r["amount"] * share * more
            incurred = cash * 1.02 if r["side"] == "expenditure" else ""
            rows.append(f"{r['month']},{r['item']},{level},{provider},{cash},{incurred},{visits}")
    path = tmp_path_factory.mktemp("actual") / "a.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def watched(jieshou_run: Answer, actual: Path) -> Monitor:
    """The year after seven months."""
    return monitor(jieshou_run.budget.phasing, read_actual(actual, jieshou_run.plan))


# --------------------------------------------------------------------------- the year's end by part


def test_parts_sum_to_the_year(watched: Monitor) -> None:
    """By category, level and provider the expected year ends sum to what they are parts of; each interval holds its mean."""
    assert watched.outlook("item")["projected"].sum() == pytest.approx(watched.projection.mean, rel=1e-9)
    inpatient = watched.outlook("item").set_index("item").loc["inpatient"]
    for key in ("level", "provider"):
        found = watched.outlook(key)
        assert found["projected"].sum() == pytest.approx(inpatient["projected"], rel=1e-9)
        assert ((found["low"] < found["projected"]) & (found["projected"] < found["high"])).all()
        assert (found["low"] >= found["actual_to_date"]).all()


def test_a_level_that_overspends_is_told(watched: Monitor) -> None:
    """Outside the area 20% over its part: its year ends above that of the same part without the rise."""
    found = watched.outlook("level").set_index("level")
    ratio = found["projected"] / found["actual_to_date"]
    assert ratio["outside"] == pytest.approx(ratio["township"], rel=0.02)
    assert watched.providers is not None
    budgeted = watched.providers.set_index("provider")
    assert budgeted.loc["outside", "projected"] == found.loc["outside", "projected"]
    assert budgeted.loc["outside", "over"] == pytest.approx(found.loc["outside", "over"])


def test_a_small_cell_is_not_printed(jieshou_run: Answer, actual: Path, tmp_path: Path) -> None:
    """A provider seen for three visits has no amount in any document."""
    rows = actual.read_text(encoding="utf-8").rstrip("\n")
    (tmp_path / "a.csv").write_text(rows + "\n7,inpatient,outside,小诊所,12345,12345,3\n", encoding="utf-8")
    m = monitor(jieshou_run.budget.phasing, read_actual(tmp_path / "a.csv", jieshou_run.plan))
    content = compose_monitoring(warnings_of(m), "zh")
    rows_of = [r for s in content.sections for p in s.parts if isinstance(p, Block) for r in p.rows]
    small = next(r for r in rows_of if r.get("provider") == "小诊所")
    assert all(v != v or isinstance(v, str) for v in small.values())


def test_alarms_carry_their_errors(watched: Monitor) -> None:
    """Every forecast rule has rates of error between 0 and 1; at seven months alarms are right more often than not."""
    frame = warnings_of(watched).frame
    forecast = frame[frame["probability"].notna()]
    assert frame.loc[frame["probability"].isna(), ["false_alarm", "miss"]].isna().all(axis=None)
    rates = forecast[["false_alarm", "miss"]].melt()["value"].dropna()
    assert rates.between(0, 1).all()
    over = forecast.set_index("rule").loc["overspending"]
    assert over["false_alarm"] < 0.5
    sure = pd.DataFrame({"indicator": ["overspending_probability"] * 2, "threshold": [0.0, 1.1]})
    false, miss = alarm_errors(watched, sure)
    assert (false[0], miss[1]) == (1.0, 1.0)  # always alarmed, never alarmed
    assert (miss[0], false[1]) == (0.0, 0.0)


def test_jieshous_overspending_outside_is_split(jieshou: Plan) -> None:
    """1,500万 over 5,000万 with 45% more admissions: 2,124万 by admissions, −624万 by payment; in both languages."""
    m = monitor(
        base_year_budget(jieshou),
        plan_actual(jieshou),
        overspend=provider_budgets(jieshou),
        admissions={"outside": 0.45},
    )
    assert m.stated_drivers is not None
    row = m.stated_drivers.iloc[0]
    weight = 1.5e7 / np.log(6.5 / 5)
    assert row["visits_part"] == pytest.approx(weight * np.log(1.45))
    assert row["visits_part"] + row["payment_part"] == pytest.approx(1.5e7)
    for lang, words in (
        ("zh", ("1,500.00", "45%", "2,124.32", "−624.32")),
        ("en", ("15.00", "45%", "21.24", "−6.24")),
    ):
        said = [
            p
            for s in compose_monitoring(warnings_of(m), lang).sections
            if s.code == "drivers"
            for p in s.paragraphs
        ]
        assert any(all(w in p for w in words) for p in said), said


def test_words_for_what_is_owed(jieshou: Plan, anhui: Plan) -> None:
    """All received; outstanding but not overdue: neither says “overdue 0.00, for up to 0 months”."""
    full, owed = (monitor(base_year_budget(p), plan_actual(p)).summary("zh") for p in (jieshou, anhui))
    assert "全部到位" in full
    assert "均未逾期" in owed
    assert "最长0个月" not in full + owed


# --------------------------------------------------------------------------- documents


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_part_has_unit_and_source(watched: Monitor, lang: str) -> None:
    """No table of figures and no chart without a source; money and shares name their unit; there is room to sign."""
    content = compose_monitoring(warnings_of(watched), lang)
    for section in content.sections:
        for part in section.parts:
            if isinstance(part, Chart):
                assert part.source
                assert part.title
                continue
            assert part.source or {"document"} & {c.key for c in part.columns}, section.title
            for c in part.columns:
                unit = {"money": content.unit.label, "percent": "%"}.get(c.kind, "")
                assert unit in c.heading, c.heading
    blanks = [p for s in content.sections if s.code in {"letter", "measures"} for p in s.paragraphs]
    assert sum("____" in p for p in blanks) >= 6


@pytest.fixture(scope="module")
def written(watched: Monitor, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The four files in Chinese, and the form."""
    folder = tmp_path_factory.mktemp("written")
    files = write_monitoring_files(warnings_of(watched), folder, "zh", form=folder / "form.xlsx")
    return files | {"form": folder / "form.xlsx"}


def test_four_formats_say_the_same(written: dict[str, Path], watched: Monitor) -> None:
    """The expected year end stands in page, workbook and Word file alike; the PDF is one."""
    shown = f"{watched.projection.mean / 1e4:,.2f}"
    assert shown in written["html"].read_text(encoding="utf-8")
    with zipfile.ZipFile(written["docx"]) as archive:
        assert shown in archive.read("word/document.xml").decode("utf-8")
    book = openpyxl.load_workbook(written["xlsx"])
    assert any(shown in str(c.value) for s in book for row in s.iter_rows() for c in row)
    assert written["pdf"].read_bytes()[:5] == b"%PDF-"


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_libreoffice_computes_the_same(written: dict[str, Path], tmp_path: Path) -> None:
    """Stripped of their cached values, the workbook and the form compute to the same in LibreOffice."""
    for name in ("xlsx", "form"):
        cached = openpyxl.load_workbook(written[name], data_only=True)
        bare = openpyxl.load_workbook(written[name])  # openpyxl writes formulas without values
        formulas = [(s.title, c.coordinate) for s in bare for row in s for c in row if c.data_type == "f"]
        assert len(formulas) > 20
        (tmp_path / name).mkdir()
        bare.save(tmp_path / f"{name}.xlsx")
        command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "xlsx",
                   "--outdir", str(tmp_path / name), str(tmp_path / f"{name}.xlsx")]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        computed = openpyxl.load_workbook(tmp_path / name / f"{name}.xlsx", data_only=True)
        for sheet, cell in formulas:
            expected, found = cached[sheet][cell].value, computed[sheet][cell].value
            assert (found or 0) == pytest.approx(expected or 0, abs=1e-6), (name, sheet, cell)


def test_sheets_are_laid_out_for_paper(written: dict[str, Path]) -> None:
    """A4 across, as wide as the page, pages numbered, headings repeated where a sheet holds one table."""
    for name in ("xlsx", "form"):
        for sheet in openpyxl.load_workbook(written[name]):
            assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
            assert sheet.page_setup.fitToWidth in (1, None)
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            assert "&P" in str(sheet.oddFooter.center.text)
    assert openpyxl.load_workbook(written["form"]).worksheets[0].print_title_rows == "$1:$3"


# --------------------------------------------------------------------------- interruption, and nothing reused


def interrupted(done: int, total: int) -> None:
    """As by Ctrl-C after the first file."""
    raise KeyboardInterrupt


def test_an_interrupted_run_leaves_what_was_there(
    watched: Monitor, jieshou_run: Answer, tmp_path: Path
) -> None:
    """Interrupted between two files: no half-written file, no new one; what was there stays as it was."""
    for name in ("monitor_zh.xlsx", "report_zh.xlsx"):
        (tmp_path / name).write_text("old", encoding="utf-8")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt):
        write_monitoring_files(
            warnings_of(watched), tmp_path, "zh", formats=("xlsx", "docx"), progress=interrupted
        )
    with pytest.raises(KeyboardInterrupt):
        build_report(jieshou_run, tmp_path, lang="zh", formats=("xlsx", "docx"), progress=interrupted)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Bars as on a terminal; their words are noted, and a bar named in the list interrupts."""
    stops: list[str] = []

    class Bar:
        def __init__(self, **options: Any) -> None:
            self.words, self.n, self.total = options["desc"], 0, 0
            seen.append(self.words)

        def update(self, n: int) -> None:
            if self.words in stops:
                raise KeyboardInterrupt

        def close(self) -> None:
            pass

    seen: list[str] = []
    monkeypatch.setattr("tqdm.tqdm", Bar)
    monkeypatch.setattr("actuarial.cli.shared.on_terminal", lambda: True)
    yield stops
    assert seen


@pytest.mark.parametrize("stage", ["模拟", "写文件"])
@pytest.mark.parametrize("command", ["budget", "monitor", "report"])
def test_commands_can_be_interrupted(
    command: str,
    stage: str,
    actual: Path,
    tmp_path: Path,
    bars: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ctrl-C in the simulation or between files: status 130, said in a word, nothing left behind; the next run is whole."""
    plan, out = str(sample_path("jieshou/plan.yaml")), tmp_path / "out"
    words = [command, plan, "--out", str(out), "--paths", "500", "--lang", "zh"]
    words += ["--actual", str(actual)] if command == "monitor" else []
    words += ["--format", "xlsx"] if command != "budget" else []
    bars.append(stage)
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 130
    assert "中断" in capsys.readouterr().err
    assert not out.exists() or not [p for p in out.iterdir() if p.is_file()]


def test_a_second_run_reuses_nothing(jieshou_run: Answer, actual: Path, tmp_path: Path) -> None:
    """Same inputs, same bytes, though the files of the first run were spoilt; other inputs, other figures."""
    plan, year = jieshou_run.plan, jieshou_run.budget.phasing

    def run(path: Path) -> dict[str, bytes]:
        report = warnings_of(monitor(year, read_actual(path, plan)))
        files = write_monitoring_files(report, tmp_path, "zh", formats=("xlsx", "docx"))
        return {k: p.read_bytes() for k, p in files.items()}

    first = run(actual)
    for path in tmp_path.iterdir():
        path.write_bytes(b"spoilt")
    assert run(actual) == first
    dearer = tmp_path / "b.csv"
    dearer.write_text(
        actual.read_text(encoding="utf-8") + "7,chronic_outpatient,township,x,1000000,1000000,50\n",
        encoding="utf-8",
    )
    assert run(dearer)["xlsx"] != first["xlsx"]


def test_files_together_or_not_at_all(tmp_path: Path) -> None:
    """A writer that fails takes the whole set with it."""

    def fails(path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise act.errors.InputError([act.errors.Fault("budget.no_points")])

    with pytest.raises(act.errors.InputError):
        write_together({tmp_path / "a": lambda p: p.write_text("a"), tmp_path / "b": fails})
    assert list(tmp_path.iterdir()) == []
