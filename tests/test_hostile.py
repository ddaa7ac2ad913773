"""Text of others in every writer, and files of others in every reader: nothing is run, nothing hangs, all is said."""

from __future__ import annotations

import csv
import io
import re
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pandas as pd
import pypdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import actuarial as act
from actuarial.errors import InputError
from actuarial.law.strict_yaml import read_yaml
from actuarial.report.blocks import Block, Column, Section, finished
from actuarial.report.content import Content
from actuarial.report.page import render
from actuarial.report.pdf import write_pdf
from actuarial.report.word import write_word
from actuarial.results import Unit, write_frames
from actuarial.safe import formula_safe, printable, sheet_names
from actuarial.tables import read_claims, read_table
from actuarial.tables.grids import read_grid

HOSTILE = [
    "<script>alert(1)</script>", "#import \"x\": *", "#eval(\"1+1\")", "]]>", "<!--", "&lt;", "=1+1", "+1", "-1+cmd|' /C calc'!A0",
    "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "a\x00b", "\x0b\x1f", "\u202egnp.exe", "\ud800", "\ufffe", "$x^2$", "\\\\input{x}", "{{7*7}}",
    "{% raw %}", "http://evil.example/x", "'\"><svg onload=x>", "DDEAUTO c:\\\\calc", "＿", "*_`", "\u2028", "a" * 40_000,
]  # fmt: skip
WORDS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))


def document(words: list[str]) -> Content:
    """A document whose every place for words holds hostile ones."""
    n = len(words)
    at = [words[i % n] for i in range(8)]
    part = Block(
        at[0], (Column("a", at[1]), Column("b", at[2], "money")), ({"a": at[3], "b": 1e4},), at[4], at[5]
    )
    section = finished(Section(at[6], (at[7], at[0]), (part,), "x"), "source")
    return Content(
        "zh",
        printable(at[0]),
        printable(at[1]),
        ((printable(at[2]), "1"),),
        (section,),
        Unit.of("zh"),
        "2013-10-31",
    )


@given(st.lists(WORDS, min_size=1, max_size=8))
@example(HOSTILE[:8])
@example(HOSTILE[8:16])
@example(HOSTILE[16:24])
@example(HOSTILE[24:])
@example(["a" * 40_000])
@settings(max_examples=12)
def test_hostile_words_in_page_word_and_pdf(tmp_path: Path, words: list[str]) -> None:
    """Whatever stands in titles, headings, cells and notes, each file opens and has no tag, link or field of theirs."""
    content = document(words)
    page = render(content)
    assert not re.search(r"<(script|svg|img|iframe|b)\\b", page.split("</style>")[1])
    path = write_word(content, tmp_path / "a.docx")
    document_xml = docx.Document(str(path)).element
    fields = document_xml.xpath(".//w:instrText")
    assert fields == []
    assert all(not r.is_external for r in docx.Document(str(path)).part.rels.values())
    made = pypdf.PdfReader(str(write_pdf(content, tmp_path / "a.pdf")))
    actions = [a for p in made.pages for a in p.get("/Annots", []) if "/URI" in str(a.get_object())]  # type: ignore[union-attr]
    assert actions == []


@given(st.lists(WORDS, min_size=1, max_size=6))
@example(HOSTILE)
@example(["0" * 22 + "𐀀" * 5, "𠮷" * 40, "𠮷" * 20_000])
@settings(max_examples=40)
def test_hostile_words_in_workbooks(tmp_path: Path, words: list[str]) -> None:
    """As names of sheets, headings and cells: every cell is text, nothing is a formula or link, no name is refused."""
    frames = {
        f"{n}{w}" if n % 2 else w: pd.DataFrame({w.replace("\ud800", ""): [w, 1.5]})
        for n, w in enumerate(words)
    }
    book = openpyxl.load_workbook(write_frames(tmp_path / "a.xlsx", frames))
    assert len(book.sheetnames) == len(frames)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert cell.hyperlink is None
        assert len(sheet.title.encode("utf-16-le")) <= 2 * 31


@given(WORDS)
def test_no_cell_of_a_csv_is_a_formula(words: str) -> None:
    """After :func:`formula_safe` no cell begins with what a spreadsheet runs; other text comes back as it was."""
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow([formula_safe(words)])
    back = next(csv.reader(io.StringIO(stream.getvalue(), newline="")), [""])[0]
    assert back.lstrip(" ")[:1] not in tuple("=+-@＝＋－＠\t\r\n")
    if words and words[0].isalnum() and words == printable(words):
        assert back == words


@given(st.lists(st.text(max_size=50), min_size=1, max_size=12))
def test_names_of_sheets_never_meet(names: list[str]) -> None:
    """Cut and cleaned names stay apart, capitals not counting, and within Excel's limits."""
    made = sheet_names(names)
    assert len({m.casefold() for m in made}) == len(names)
    assert all(1 <= len(m) <= 31 and not set(m) & set("[]:*?/\\\\") for m in made)


# --------------------------------------------------------------------------- readers


def xlsx(folder: Path, extra: dict[str, bytes] | None = None) -> Path:
    """A proper small workbook, with members added."""
    path = folder / "book.xlsx"
    write_frames(path, {"a": pd.DataFrame({"类别": ["住院"], "人次": [3.0], "基金支付（元）": [10.0]})})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


def test_archive_that_lies_about_its_size(tmp_path: Path) -> None:
    """A member that declares one byte and unpacks to 200 MB is refused, with less than 20 MB held."""
    path = xlsx(tmp_path, {"xl/media/x.bin": b"0" * (200 << 20)})
    raw = bytearray(path.read_bytes())
    for found in re.finditer(re.escape(struct.pack("<I", 200 << 20)), bytes(raw)):
        raw[found.start() : found.start() + 4] = struct.pack("<I", 1)
    path.write_bytes(bytes(raw))
    tracemalloc.start()
    with pytest.raises(InputError) as refused:
        read_grid(path)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.faults[0].code == "file.bomb"
    assert held < 20 << 20


def test_proper_workbook_passes(tmp_path: Path) -> None:
    """What guards refuse bombs lets an ordinary workbook through."""
    assert read_grid(xlsx(tmp_path)).rows[1] == ["住院", 3.0, 10.0]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"a," * 1_000_000 + b"\n1\n", "file.too_many_cells"), (b"\n" * 5_000_000, "file.too_many_cells"),
     (b"a,b\n\x00,1\n", "file.nul"), (b"\x1f\x8b\x08\x00" + b"\x00" * 50, "file.nul"),
     (b'a,b\n"' + b"x" * 200_000, "file.damaged")],
    ids=["a million columns", "five million lines", "NUL", "gzip named csv", "quote never closed"],
)  # fmt: skip
def test_csv_that_is_no_table(tmp_path: Path, content: bytes, code: str) -> None:
    """Refused by counting, before lists are made of it: under 150 MB for each."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(InputError) as refused:
        read_table(path, "experience")
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.faults[0].code == code
    assert held < 150 << 20


@pytest.mark.parametrize("content", ["a: " + "[" * 100_000, "a: " + "{b: " * 50_000, "[" * 101])
def test_deep_yaml_is_refused_at_once(tmp_path: Path, content: str) -> None:
    """Ten thousand brackets kept the parser busy for half a minute; now nothing of it is parsed."""
    path = tmp_path / "p.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"depth"):
        read_yaml(path)


def test_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A table that is a link to a file outside the plan's folder is refused, as a path with .. and a URL are."""
    import shutil

    import yaml

    folder = tmp_path / "plan"
    shutil.copytree(act.sample_path("anhui_county"), folder)
    (tmp_path / "secret.csv").write_text("a\n", encoding="utf-8")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    data = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    for path in ("link.csv", "../secret.csv", "http://evil.example/x.csv", "file:///etc/passwd", "/etc/passwd", "sample:../x"):  # fmt: skip
        data["tables"]["payers"]["path"] = path
        (folder / "plan.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        with pytest.raises(InputError) as refused:
            _ = act.load_plan(folder).tables
        assert refused.value.faults[0].code in {"plan.path_outside", "file.no_sample"}, path


READERS: dict[str, Any] = {
    ".csv": [
        lambda p: read_table(p, "experience"),
        lambda p: read_table(p, "payers"),
        lambda p: read_table(p, "actual"),
        lambda p: read_claims(p, unit="yuan"),
        act.read_exposure,
        act.read_triangle,
    ],
    ".xlsx": [
        lambda p: read_table(p, "experience"),
        lambda p: read_claims(p, unit="yuan"),
        act.read_exposure,
    ],
    ".yaml": [read_yaml, act.load_plan, act.load_law, act.load_contract, act.load_schedule],
    ".parquet": [lambda p: read_claims(p, unit="yuan"), act.read_exposure],
}
KEPT = Path(__file__).parent / "data" / "fuzz"
"""What once broke a reader, or might: bytes that the test below found are put here."""


def answers_or_refuses(path: Path) -> None:
    """Every reader of such files gives an answer, or an error of ours in words."""
    for read in READERS[path.suffix]:
        try:
            read(path)
        except InputError as refused:
            if not refused.message("zh"):
                pytest.fail(repr(refused))


@pytest.mark.parametrize("name", sorted(p.name for p in KEPT.iterdir()))
@pytest.mark.filterwarnings("ignore::actuarial.errors.ActuarialWarning")
def test_kept_files_are_answered_or_refused(tmp_path: Path, name: str) -> None:
    """Each kept file, by every reader of its kind."""
    path = tmp_path / name
    path.write_bytes((KEPT / name).read_bytes())
    answers_or_refuses(path)


def seeds(ending: str, folder: Path) -> bytes:
    """A proper file to begin from."""
    if ending == ".xlsx":
        return xlsx(folder).read_bytes()
    if ending == ".yaml":
        return act.sample_path("anhui_county/plan.yaml").read_bytes()
    if ending == ".parquet":
        pd.DataFrame({"claim_id": ["1"], "member_id": ["a"]}).to_parquet(folder / "s.parquet")
        return (folder / "s.parquet").read_bytes()
    return "类别,人次,基金支付（万元）\n住院,42600,11528.21\n门诊,3,2\n".encode()


@pytest.mark.parametrize("ending", list(READERS))
@given(data=st.data())
@settings(max_examples=25)
def test_readers_answer_or_refuse(tmp_path: Path, ending: str, data: st.DataObject) -> None:
    """Bytes changed, cut, doubled or drawn at random: every reader answers or refuses in our words, and never falls over."""
    seed = seeds(ending, tmp_path)
    raw = bytearray(data.draw(st.sampled_from([seed, b""])) or data.draw(st.binary(max_size=400)))
    for _ in range(data.draw(st.integers(0, 6))):
        if not raw:
            break
        at = data.draw(st.integers(0, len(raw) - 1))
        way = data.draw(st.sampled_from(["set", "cut", "double", "insert"]))
        if way == "set":
            raw[at] = data.draw(st.integers(0, 255))
        elif way == "cut":
            del raw[at : at + data.draw(st.integers(1, 60))]
        elif way == "double":
            raw[at:at] = raw[at : at + 50]
        else:
            raw[at:at] = data.draw(st.sampled_from(HOSTILE[:-1])).encode("utf-8", "surrogatepass")
    path = tmp_path / f"fuzz{ending}"
    path.write_bytes(bytes(raw))
    answers_or_refuses(path)
