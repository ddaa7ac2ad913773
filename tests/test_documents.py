"""Word and PDF beside page and workbook: one content, whole, dated, aligned, sourced; the bulletin; the opinion's blanks."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pypdf
import pytest
from docx.oxml.ns import qn
from docx.shared import Cm

import actuarial as act
from actuarial.errors import InputError
from actuarial.pipeline import Answer
from actuarial.plan import Plan
from actuarial.report import FORMATS, compose
from actuarial.report.blocks import SOURCED, Block, Chart
from actuarial.report.captions import captioned
from actuarial.report.content import UNSOURCED
from actuarial.report.opinion import BLANK, SIGNED
from actuarial.results import shown
from actuarial.texts import text

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
CASES = [(kind, lang) for kind in ("actuarial", "bulletin") for lang in act.LANGUAGES]


@pytest.fixture(scope="module")
def written(jieshou_run: Answer, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    """Both kinds of document in both languages and all formats."""
    folder = tmp_path_factory.mktemp("documents")
    return {
        (kind, lang): act.build_report(jieshou_run, folder, lang=lang, name=kind, kind=kind, formats=FORMATS)
        for kind, lang in CASES
    }


def word_text(path: Path) -> str:
    """All words of a Word file: paragraphs and cells, zero-width spaces taken out."""
    document = docx.Document(str(path))
    cells = (c.text for t in document.tables for row in t._tbl.tr_lst for c in row_cells(row))
    return "\n".join([*(p.text for p in document.paragraphs), *cells]).replace("\u200b", "")


def row_cells(row: Any) -> list[Any]:
    """Cells of a row of a Word table, as paragraphs."""
    from docx.text.paragraph import Paragraph

    return [Paragraph(p, None) for cell in row.tc_lst for p in cell.p_lst]


def pdf_text(path: Path) -> str:
    """All words of a PDF without blanks and zero-width spaces (a line's break is a matter of width)."""
    reader = pypdf.PdfReader(str(path))
    return re.sub(r"\s|\u200b", "", "".join(page.extract_text() for page in reader.pages))


@pytest.mark.parametrize("case", CASES, ids="_".join)
def test_the_same_figures_in_every_format(
    written: dict[tuple[str, str], Any], case: tuple[str, str], jieshou_run: Answer
) -> None:
    """Every figure of every table stands in page, Word file and PDF exactly as the content has it."""
    kind, lang = case
    with act.use_language(lang):
        content = compose(jieshou_run, lang, kind=kind)
    files = written[case]
    page = re.sub(r"<[^>]+>", "\n", files.page.read_text(encoding="utf-8"))
    word, pdf = word_text(files.word), pdf_text(files.pdf)
    figures = {
        shown(row[c.key], c.kind, content.unit)
        for section in content.sections
        for part in section.parts
        if isinstance(part, Block)
        for row in part.rows
        for c in part.columns
        if c.numeric
    }
    assert len(figures) > (100 if kind == "actuarial" else 40)
    for figure in figures:
        assert f"\n{figure}\n" in page, figure
        assert f"\n{figure}\n" in f"\n{word}\n", figure
        assert figure in pdf, figure


@pytest.mark.parametrize("case", CASES, ids="_".join)
def test_word_file_is_built_of_words_own_parts(
    written: dict[tuple[str, str], Any], case: tuple[str, str], jieshou_run: Answer
) -> None:
    """Real headings, East Asian fonts, A4, headings that repeat, figures right-aligned, numbered pages, pictures with words."""
    kind, lang = case
    document = docx.Document(str(written[case].word))
    with act.use_language(lang):
        content = compose(jieshou_run, lang, kind=kind)
    headings = [p.text for p in document.paragraphs if p.style is not None and p.style.name == "Heading 1"]
    assert headings == [s.title for s in content.sections]
    fonts = document.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "SimSun"
    assert not any(name.endswith("Theme") for name in fonts.attrib)
    page = document.sections[0]
    assert (round(page.page_width / Cm(1), 1), round(page.page_height / Cm(1), 1)) == (21.0, 29.7)
    assert {"PAGE", "NUMPAGES"} <= set(page.footer._element.xpath("string(.)").split())
    blocks = [c.part for parts in captioned(content) for c in parts if isinstance(c.part, Block)]
    tables = document.tables[1:]  # the first holds the key figures
    assert len(tables) == len(blocks)
    for table, block in zip(tables, blocks, strict=True):
        first = table._tbl.tr_lst[0]
        assert first.trPr.find(qn("w:tblHeader")) is not None
        for at, column in enumerate(block.columns):
            aligned = [
                cell.p_lst[0].pPr.find(qn("w:jc")) for cell in (r.tc_lst[at] for r in table._tbl.tr_lst)
            ]
            assert all((a is not None and a.get(qn("w:val")) == "right") == column.numeric for a in aligned)
    charts = [c.part for parts in captioned(content) for c in parts if isinstance(c.part, Chart)]
    pictures = document.element.xpath(".//wp:docPr")
    assert [p.get("descr") for p in pictures] == [c.words for c in charts]
    assert all(len(c.words) > 10 for c in charts)


def test_pdf_is_tagged_and_whole(written: dict[tuple[str, str], Any], jieshou: Plan) -> None:
    """A4, tagged, in its language, fonts embedded, outline by section, the valuation date as its date."""
    for (kind, lang), files in written.items():
        reader = pypdf.PdfReader(str(files.pdf))
        box = reader.pages[0].mediabox
        assert (round(box.width), round(box.height)) == (595, 842)
        root: Any = reader.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert root["/Lang"].startswith(lang)
        assert reader.metadata is not None
        assert "2013" in str(reader.metadata.get("/CreationDate", reader.xmp_metadata and reader.xmp_metadata.xmp_create_date))  # fmt: skip
        assert len(reader.outline) == (5 if kind == "bulletin" else 15)
        embedded = re.findall(rb"/FontFile\d", b"".join(_objects(reader)))
        assert embedded
    assert jieshou.model.valuation_date == "2013-10-31"


def _objects(reader: pypdf.PdfReader) -> list[bytes]:
    """Every object of a PDF as bytes."""
    found = []
    for page in reader.pages:
        fonts: Any = page["/Resources"].get("/Font", {})  # type: ignore[union-attr]
        for font in fonts.values():
            for below in font.get_object().get("/DescendantFonts", []):
                found.append(" ".join(below.get_object()["/FontDescriptor"].get_object()).encode())
    return found


def test_same_bytes_at_any_number_of_threads(jieshou: Plan, tmp_path: Path) -> None:
    """Runs at one, two and four threads give the same four files, byte for byte; another seed gives others."""
    files = [
        act.build_report(act.run(jieshou, paths=9_000, seed=3, threads=n), tmp_path / str(n), formats=FORMATS)
        for n in (1, 2, 4)
    ]
    other = act.build_report(act.run(jieshou, paths=9_000, seed=4), tmp_path / "other", formats=FORMATS)
    for ending in FORMATS:
        assert len({f.paths[ending].read_bytes() for f in files}) == 1, ending
        assert other.paths[ending].read_bytes() != files[0].paths[ending].read_bytes(), ending
    with zipfile.ZipFile(files[0].word) as archive:
        assert {i.date_time[:3] for i in archive.infolist()} == {(2013, 10, 31)}
        assert b"2013-10-31T00:00:00Z" in archive.read("docProps/core.xml")


@pytest.mark.parametrize("case", CASES, ids="_".join)
def test_no_figure_without_unit_and_source(answer: Answer, case: tuple[str, str]) -> None:
    """Every table and chart names its source, and headings of money, yuan and shares carry their unit."""
    kind, lang = case
    with act.use_language(lang):
        content = compose(answer, lang, kind=kind)
    for section in content.sections:
        for part in section.parts:
            own = isinstance(part, Block) and SOURCED & {c.key for c in part.columns}
            assert part.source or own or section.code in UNSOURCED, (section.title, part.title)
            if isinstance(part, Chart):
                continue
            unit = re.compile(r"元|yuan|%")
            for column in part.columns:
                if column.kind in {"money", "signed_money", "yuan", "percent"}:
                    assert unit.search(column.heading) or unit.search(part.title), column.heading


@pytest.mark.parametrize("lang", act.LANGUAGES)
def test_opinion_leaves_blanks(jieshou_run: Answer, lang: str) -> None:
    """The opinion repeats the target and the range, and leaves every line of the signature blank."""
    with act.use_language(lang):
        content = compose(jieshou_run, lang)
    section = next(s for s in content.sections if s.code == "opinion")
    words = " ".join(section.paragraphs)
    assert f"{jieshou_run.target.value:,.2f}" in words
    assert f"{jieshou_run.assumption_range[0]:,.1f}" in words
    assert BLANK in words
    form = section.parts[0]
    assert isinstance(form, Block)
    assert [r["value"] for r in form.rows] == [BLANK] * len(SIGNED)


def huoshan(plan_with: Callable[..., Plan]) -> Plan:
    """A plan with what Huoshan County printed of its first quarter of 2025 (settled, deducted, insured, standard)."""
    facts = (
        "事实编号,数值,单位,舍入半宽,来源\naudit_deduction,461100,yuan,50,霍山县2025年一季度运行简报\n"
        "low_income_insured,24861,person,0.5,测试\nprevious_payment,60000000,yuan,50,测试\n"
        "in_county_payment,40000000,yuan,50,测试\n"
    )
    changes = {
        "fiscal_year_start": "2025-01-01", "valuation_date": "2025-03-31", "insured.count": 248_617, "insured.next_year": 248_617,
        "cii": {"mode": "none"},
    }  # fmt: skip
    tables = {
        "experience": "类别,人次,基金支付（万元）\n住院,20000,6000\n门诊统筹,60000,619.89\n",
        "payers": "缴费主体,人均标准（元）,应到资金（万元）,已到资金（万元）\n个人,400,9944.68,9944.68\n地方财政,670,16657.339,8000\n",
        "calendar": "缴费主体,月份,累计到位比例（%）\n个人,0,100\n地方财政,6,100\n",
        "facts": facts,
    }
    drop = ("identities", "scenarios", "tables.reimbursement", "tables.providers")
    return plan_with("jieshou", changes, tables, drop)


def test_bulletin_gives_huoshans_printed_figures(plan_with: Callable[..., Plan]) -> None:
    """The printed first quarter of 2025: 26,602.02万 due, 6,619.89 settled, 46.11 deducted, 6,573.78 spent, 24.71%."""
    content = compose(act.run(huoshan(plan_with), paths=300), "zh", kind="bulletin")
    words = " ".join(w for s in content.sections for w in s.paragraphs)
    assert content.title == "2025年第一季度基金运行简报"
    for printed in ("26,602.02 万元", "6,619.89 万元", "46.11 万元", "6,573.78 万元", "24.71%", "248,617"):
        assert printed in words, printed
    assert "24,861 人，占 10.00%" in words
    assert "同比 +10.33%" in words
    assert "现金口径" in words
    places = next(
        p for s in content.sections for p in s.parts if isinstance(p, Block) and p.title == "按就医地分"
    )
    assert [shown(r["share"], "percent", content.unit) for r in places.rows] == ["60.42"]
    assert "大病保险支付" in words.split("因此未列的项目")[1]
    assert "审核扣减" not in words.split("因此未列的项目")[1]
    assert "8,657.34 万元 筹资未到位" in words or "8,657.34 万元" in words


def test_bulletin_of_a_whole_year_expects_nothing(plan_with: Callable[..., Plan]) -> None:
    """After twelve months the year is told, not expected; warnings are in the document's language."""
    whole = act.run(plan_with("anhui_county", {"valuation_date": "2010-12-31"}), paths=100)
    for lang, told, expected in (
        ("zh", "全年支出 ", "全年支出预计"),
        ("en", "was 20.78 million", "is expected at 20.78"),
    ):
        words = " ".join(p for s in compose(whole, lang, kind="bulletin").sections for p in s.paragraphs)
        assert told in words
        assert expected not in words
        assert text("fund.budget_at_present", lang, standard="100") in words


def test_bulletin_shows_what_ran_over(jieshou_run: Answer) -> None:
    """Jieshou's 15 million beyond the budget outside the city stands under what needs attention."""
    content = compose(jieshou_run, "zh", kind="bulletin")
    attention = next(s for s in content.sections if s.code == "attention")
    assert "市外医院超预算 1,500.00 万元，为其预算的 30.0%。" in attention.paragraphs


def test_bulletin_hides_small_cells(plan_with: Callable[..., Plan]) -> None:
    """A kind of compensation with three visits shows neither visits nor money, in the bulletin too."""
    tables = {"experience": "类别,人次,基金支付（万元）\n大病住院,11332,1901.27\n慢性病,3,139.98\n"}
    plan = plan_with("anhui_county", {}, tables, ("identities",))
    content = compose(act.run(plan, paths=200), "zh", kind="bulletin")
    table = next(
        p for s in content.sections for p in s.parts if isinstance(p, Block) and p.title == "按补偿类型分"
    )
    row = next(r for r in table.rows if r["category"] == "慢性病门诊")
    assert {shown(row[c.key], c.kind, content.unit) for c in table.columns if c.numeric} == {"—"}


def test_unknown_kind_and_format_are_refused(anhui_run: Answer, tmp_path: Path) -> None:
    """A kind or a format that there is not is refused by name, and nothing is written."""
    with pytest.raises(InputError, match="memo"):
        act.build_report(anhui_run, tmp_path, kind="memo")
    with pytest.raises(InputError, match="exe"):
        act.build_report(anhui_run, tmp_path, formats=("html", "exe"))
    assert list(tmp_path.iterdir()) == []


def test_either_all_files_or_none(anhui_run: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If one of four formats fails, none of the others takes its name and nothing temporary stays."""

    def fail(*_: object) -> None:
        raise RuntimeError("no PDF today")

    monkeypatch.setattr("actuarial.report.pdf.write_pdf", fail)
    with pytest.raises(RuntimeError, match="no PDF"):
        act.build_report(anhui_run, tmp_path, formats=FORMATS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(OFFICE is None, reason="SKIPPED: LibreOffice is not installed")
@pytest.mark.parametrize("lang", act.LANGUAGES)
def test_office_lays_the_word_file_out(
    written: dict[tuple[str, str], Any], lang: str, tmp_path: Path
) -> None:
    """LibreOffice opens the Word file and lays out every section on numbered pages."""
    source = written["actuarial", lang].word
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    done = subprocess.run(
        [str(OFFICE), profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(source)],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    made = tmp_path / source.with_suffix(".pdf").name
    if not made.exists() and "could not be loaded" in done.stderr + done.stdout:
        pytest.skip("SKIPPED: LibreOffice Writer is not installed")
    words = pdf_text(made)
    pages = len(pypdf.PdfReader(str(made)).pages)
    assert 8 <= pages <= 18
    assert (f"第{pages}页共{pages}页" if lang == "zh" else f"page{pages}of{pages}") in words


def test_svg_is_one_picture_in_every_format(jieshou_run: Answer) -> None:
    """A figure's PNG is the same bytes twice and as wide as asked for."""
    content = compose(jieshou_run, "en", kind="bulletin")
    figure = next(p for s in content.sections for p in s.parts if isinstance(p, Chart))
    once, twice = figure.png(100), figure.png(100)
    assert once == twice
    from matplotlib import image

    assert image.imread(io.BytesIO(once)).shape[1] == 800
