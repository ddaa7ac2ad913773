"""Page and workbook: whole, safe, the same bytes, and readable without a Chinese font or a network."""

from __future__ import annotations

import base64
import io
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import actuarial as act
from actuarial.pipeline import Answer
from actuarial.report import compose
from actuarial.report.blocks import Block, Chart
from actuarial.results import Unit, shown
from actuarial.samples import sample_path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")


@pytest.fixture(scope="module")
def written(
    jieshou_run: Answer, anhui_run: Answer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The reports of both funds in both languages."""
    folder = tmp_path_factory.mktemp("reports")
    return {
        f"{name}_{lang}": act.build_report(answer, folder, lang=lang, name=name)
        for name, answer in (("jieshou", jieshou_run), ("anhui", anhui_run))
        for lang in act.LANGUAGES
    }


NAMES = ("jieshou_zh", "jieshou_en", "anhui_zh", "anhui_en")


class Checker(HTMLParser):
    """Collects tags, attributes and text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in {"src", "href", "action", "xlink:href"} and value:
                self.links.append(value)
            if name.startswith("on"):
                self.links.append(f"{name}={value}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parsed(page: Path) -> Checker:
    """A page, read."""
    checker = Checker()
    checker.feed(page.read_text(encoding="utf-8"))
    return checker


@pytest.mark.parametrize("name", NAMES)
def test_page_loads_nothing(written: dict[str, Any], name: str) -> None:
    """No script, no link out, no event handler; a content policy that forbids all but inline style and data fonts."""
    page = written[name].page
    checker = parsed(page)
    assert not {"script", "iframe", "object", "embed", "link", "img", "form"} & set(checker.tags)
    assert all(link.startswith("#") for link in checker.links), checker.links
    content = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in content
    assert not re.search(r"url\((?!['\"]?(#|data:))", content)
    assert page.stat().st_size < 2_000_000


@pytest.mark.parametrize("name", NAMES)
def test_page_has_answer_charts_and_sources(written: dict[str, Any], name: str) -> None:
    """The answer comes first; the four charts, sources, assumptions and manifest are there."""
    checker = parsed(written[name].page)
    words = "".join(checker.words)
    lang = name[-2:]
    assert checker.tags.count("svg") >= 4
    order = [
        words.index(act.text(f"report.{c}", lang))
        for c in ("answer", "forecast", "risk", "drivers", "sources", "manifest")
    ]
    assert order == sorted(order)
    assert ("(yuan/person)" if lang == "en" else "（元/人）") in words
    for stamp in ("sha256 plan", "seed", "numpy"):
        assert stamp in words
    assert not re.search(r"\bnan\b|\bNone\b|<NA>", words)


@pytest.mark.parametrize("name", ["jieshou_zh", "anhui_zh"])
def test_font_holds_every_character(written: dict[str, Any], name: str) -> None:
    """The embedded font has each Chinese character of the page, so none is a box anywhere."""
    from fontTools.ttLib import TTFont

    content = written[name].page.read_text(encoding="utf-8")
    data = re.search(r"base64,([A-Za-z0-9+/=]+)\)", content)
    assert data is not None
    with TTFont(io.BytesIO(base64.b64decode(data[1]))) as font:
        have = set(font.getBestCmap())
    used = {ord(c) for c in "".join(parsed(written[name].page).words) if "\u4e00" <= c <= "\u9fff"}
    assert len(used) > 200
    assert used <= have


def test_same_bytes(tmp_path: Path) -> None:
    """Two runs with one seed, at one and two threads, give the same page and workbook, byte for byte."""
    plan = act.load_plan(sample_path("jieshou/plan.yaml"))
    files = [
        act.build_report(act.run(plan, paths=20_000, seed=7, threads=threads), tmp_path / str(n), lang="zh")
        for n, threads in enumerate((1, 2, 3))
    ]
    assert len({f.page.read_bytes() for f in files}) == 1
    assert len({f.workbook.read_bytes() for f in files}) == 1
    other = act.build_report(act.run(plan, paths=20_000, seed=8), tmp_path / "other", lang="zh")
    assert other.page.read_bytes() != files[0].page.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_figures_of_page_and_workbook_agree(
    written: dict[str, Any], name: str, jieshou_run: Answer, anhui_run: Answer
) -> None:
    """The target stands in page and workbook as the answer has it."""
    answer = jieshou_run if name.startswith("jieshou") else anhui_run
    value = f"{answer.target.value:,.2f}"
    assert value in "".join(parsed(written[name].page).words)
    book = openpyxl.load_workbook(written[name].workbook, data_only=True)
    cells = [c for sheet in book for row in sheet.iter_rows(values_only=True) for c in row]
    assert any(isinstance(c, float) and abs(c - answer.target.value) < 1e-9 for c in cells)
    assert not any(isinstance(c, str) and c.startswith("#") for c in cells)


@pytest.mark.parametrize("name", NAMES)
def test_budget_sheet_has_live_formulas(written: dict[str, Any], name: str) -> None:
    """Sums of the official form are formulas with their value stored, and both grand totals agree."""
    lang = name[-2:]
    sheet_title = act.text("report.sheet_budget", lang)
    live = openpyxl.load_workbook(written[name].workbook)[sheet_title]
    stored = openpyxl.load_workbook(written[name].workbook, data_only=True)[sheet_title]
    formulas = [
        c.coordinate
        for row in live.iter_rows()
        for c in row
        if isinstance(c.value, str) and c.value.startswith("=")
    ]
    assert len(formulas) == 2 * (3 + 6)
    assert all(isinstance(stored[c].value, int | float) for c in formulas)
    totals = [row for row in stored.iter_rows(values_only=True) if row[0] in {"总计", "Grand total"}]
    assert len(totals) == 1
    assert totals[0][1] == pytest.approx(totals[0][5])
    assert totals[0][2] == pytest.approx(totals[0][6])


@pytest.mark.skipif(OFFICE is None, reason="SKIPPED: LibreOffice is not installed")
def test_libreoffice_recalculates_to_the_same(written: dict[str, Any], tmp_path: Path) -> None:
    """LibreOffice opens the workbook, recalculates, and every number stays."""
    source = written["jieshou_zh"].workbook
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    subprocess.run(
        [str(OFFICE), profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path), str(source)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    before = openpyxl.load_workbook(source, data_only=True)
    after = openpyxl.load_workbook(tmp_path / source.name, data_only=True)
    assert before.sheetnames == after.sheetnames
    checked = 0
    for sheet in before:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, int | float):
                    assert after[sheet.title][cell.coordinate].value == pytest.approx(
                        cell.value, rel=1e-9, abs=1e-9
                    )
                    checked += 1
    assert checked > 300


@pytest.mark.skipif(CHROMIUM is None, reason="SKIPPED: Chromium is not installed")
@pytest.mark.parametrize("name", ["jieshou_zh", "anhui_en"])
def test_chromium_draws_the_page(written: dict[str, Any], name: str, tmp_path: Path) -> None:
    """A real browser draws the page with nothing from outside; the picture is not empty."""
    from matplotlib import image

    shot = tmp_path / "page.png"
    done = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
         f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1040,3000", f"--screenshot={shot}",
         written[name].page.as_uri()],
        check=True, capture_output=True, timeout=180, text=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    pixels = image.imread(shot)
    assert pixels.shape[:2] == (3000, 1040)
    dark = (pixels[..., :3].mean(axis=2) < 0.5).mean()
    assert 0.01 < dark < 0.4


def hostile_plan(folder: Path) -> act.Plan:
    """Jieshou with names that try to become markup, formulas and links."""
    import yaml

    shutil.copytree(sample_path("jieshou"), folder)
    data = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    data["name"] = {"zh": "<script>alert(1)</script>", "en": '=HYPERLINK("http://x")'}
    data["scenarios"] = [
        {"id": "evil", "name": {"zh": "=1+1", "en": "+cmd|' /C calc'!A0"},
         "changes": [{"path": "growth.value", "value": 0.1, "source": "@SUM(A1) <img src=x onerror=alert(1)>"}]}
    ]  # fmt: skip
    (folder / "plan.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    providers = "医疗机构,预算额度（万元）\n<b onclick=x>某院</b>,1\n=cmd(),2\n"
    (folder / "providers.csv").write_text(providers, encoding="utf-8")
    return act.load_plan(folder)


@pytest.mark.parametrize("lang", act.LANGUAGES)
def test_hostile_strings_stay_text(tmp_path: Path, lang: str) -> None:
    """Names like <script> and =cmd() are shown as they are: no tag, no formula, no link."""
    files = act.build_report(act.run(hostile_plan(tmp_path / "plan"), paths=200), tmp_path, lang=lang)
    checker = parsed(files.page)
    assert "script" not in checker.tags
    assert "b" not in [t for t, w in zip(checker.tags, checker.words, strict=False) if "某院" in w]
    assert all(link.startswith("#") for link in checker.links)
    book = openpyxl.load_workbook(files.workbook)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.data_type == "f":
                    assert re.fullmatch(
                        r"=(SUM\([A-Z]+\d+:[A-Z]+\d+\)|[A-Z]+\d+([+-][A-Z]+\d+)*)", cell.value
                    ), cell.value
                assert cell.hyperlink is None
    with zipfile.ZipFile(files.workbook) as archive:
        assert not any("externalLink" in n for n in archive.namelist())


def test_small_cells_are_blanked(tmp_path: Path) -> None:
    """A category with three visits shows neither its visits nor its payments; the total stands."""
    folder = tmp_path / "plan"
    shutil.copytree(sample_path("anhui_county"), folder)
    table = "类别,人次,金额（万元）\n大病住院,11332,1901.27\n慢性病,3,139.98\n"
    (folder / "experience.csv").write_text(table, encoding="utf-8")
    content = compose(act.run(act.load_plan(folder), paths=200), "zh")
    base = next(
        p
        for s in content.sections
        for p in s.parts
        if isinstance(p, Block) and p.title.startswith("上年费用")
    )
    row = next(r for r in base.rows if r["category"] == "慢性病门诊")
    assert all(
        shown(row[c], "count", content.unit) == "—" for c in ("visits", "fund_payment", "annual_payment")
    )


def test_infeasible_fund_is_said(tmp_path: Path) -> None:
    """Where nothing arrives in January and nothing is carried in, the report says no amount is enough."""
    folder = tmp_path / "plan"
    shutil.copytree(sample_path("anhui_county"), folder)
    calendar = "缴费主体,月份,累计到位比例（%）\n" + "".join(
        f"{p},6,100\n" for p in ("个人", "县级财政", "省级财政", "中央财政")
    )
    (folder / "calendar.csv").write_text(calendar, encoding="utf-8")
    answer = act.run(act.load_plan(folder), paths=500)
    assert answer.to_dict()["premium_target"] is None
    files = act.build_report(answer, tmp_path, lang="zh")
    assert "无论人均筹资标准定多高" in "".join(parsed(files.page).words)
    assert files.workbook.stat().st_size > 10_000


def test_charts_have_words_for_who_cannot_see(jieshou_run: Answer) -> None:
    """Every chart has a title and, but for the arrears, a sentence."""
    charts = [p for s in compose(jieshou_run, "en").sections for p in s.parts if isinstance(p, Chart)]
    assert len(charts) >= 6
    assert all(c.title for c in charts)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [(944_450, "money", "94.45"), (float("inf"), "yuan", "∞"), (None, "text", "—"), (-27_100, "signed_money", "−2.71"),
     (0.00005, "percent", "0.01"), (float("nan"), "count", "—"), (-0.004, "yuan", "0.00")],
)  # fmt: skip
def test_shown(value: Any, kind: Any, expected: str) -> None:
    """Figures are rounded half up, with a real minus and no negative zero."""
    assert shown(value, kind, Unit.of("zh")) == expected
