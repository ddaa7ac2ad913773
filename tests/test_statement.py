"""The settlement statement: every contract, both languages, four formats that say the same, next year's file, the command."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

import actuarial as act
from actuarial.cli import main
from actuarial.contract import Contract, YearSettlement
from actuarial.contract.actual import read_points, read_year
from actuarial.contract.saved import earlier_claims, read_last, save_year
from actuarial.report.blocks import Block
from actuarial.report.capitals import capitals
from actuarial.report.captions import cells
from actuarial.report.content import Content
from actuarial.report.settle_template import write_template
from actuarial.report.statement import compose_points, compose_statement, write_statement
from tests.test_contract_files import CONTRACTS, filled
from tests.test_settlement import JIANDE, READ

START = pd.Period("2012-01", freq="M")
CLAIMS = [13.2e6, 12.1e6, 14.9e6, 15.2e6, 14.8e6, 15.1e6, 15.6e6, 15.3e6, 14.9e6, 14.2e6, 15.8e6, 17.3e6]
HEADS = [400_000] * 6 + [400_600] * 6
FACTS = {
    "Guangzhou CII trial rules": "china/guangzhou/contract/critical_illness", "Guangdong draft 2013": "china/guangdong/contract/critical_illness",
    "Shandong (c.2017)": "china/shandong/contract/critical_illness", "a provincial NCMS CII rule": "china/unnamed_province/contract/ncms_critical_illness",
    "Taicang 2011-2014": "china/taicang/contract/critical_illness", "Dazhou tender 2020": "china/dazhou/contract/critical_illness",
    "Hefei tender": "china/hefei/contract/critical_illness", "Tianjin 2014 CII": "china/tianjin/contract/critical_illness",
    "national regulator rule": "china/national/contract/risk_adjustment", "provider rule (Taicang likely)": "china/taicang/contract/provider_quota",
    "Shenzhen": "china/shenzhen/contract/provider_overspend", "Zhejiang DRG points": "china/zhejiang/contract/drg_points",
    "Jinhua points": "china/jinhua/contract/drg_points", "DIP": "china/national/contract/dip_points",
    "Hainan": "china/hainan/contract/critical_illness", "Henan": "china/henan/contract/pilot", "Shanghai": "china/shanghai/contract/critical_illness",
    "Qinzhou": "china/qinzhou/contract/critical_illness", "national guideline 2012": "china/national/contract/guideline",
    "plan of 2012": "china/jiande/contract/cooperation",
}  # fmt: skip
"""The rules that the sources name, and their files."""


@pytest.fixture(scope="module")
def deal() -> Contract:
    """The 2012 cooperation contract."""
    return act.load_contract(JIANDE)


@pytest.fixture(scope="module")
def year(deal: Contract) -> YearSettlement:
    """A year with heads that change, events and late claims."""
    return deal.settle_months(
        claims=CLAIMS, heads=HEADS, readings={**READ, "headcount_change": "average"}, late_claims=312_345.67,
        events={"complaint": 2, "report": 1},
    )  # fmt: skip


def figures(content: Content) -> list[str]:
    """Every cell of every table, as shown."""
    blocks = [p for s in content.sections for p in s.parts if isinstance(p, Block)]
    return [c for b in blocks for row in cells(b, content) for c in row if c not in {"", "—"}]


# --------------------------------------------------------------------------- every contract


def test_every_rule_that_the_sources_name_has_a_file() -> None:
    """Each place of the facts, and the contracts of the documents, is a file."""
    named = {c.partition("@")[0] for c in CONTRACTS}
    assert set(FACTS.values()) <= named


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("level", [0.8, 1.2])
def test_every_contract_settles_and_says_so(name: str, level: float) -> None:
    """A surplus and a deficit year of every contract: accounts conserve, parties sum to the outcome, both statements are whole."""
    found = filled(name)
    if found.terms.points is not None:
        points = pd.DataFrame(
            {"provider": ["a", "b", "c"], "points": [1.0, 2.0, 4.0], "prepaid": [1e6, 0.0, 9e7]}
        )
        settled = found.settle_points(points, budget=1e8 * level)
        assert settled.frame["payment"].sum() == pytest.approx(settled.budget - settled.reserve, abs=1e-6)
        documents = [compose_points(settled, found, lang, start=START) for lang in ("zh", "en")]
    else:
        settled_year = found.settle_months(
            target=2e8, heads=[400_000] * 12, financing=2e8, revenue=3e8, claims=[2e8 * level / 12] * 12, quality=0.9, expenses=1e6,
            indicators={"quality_standard": 1.0, "admissions_per_visit": 0.01},
        )  # fmt: skip
        assert (settled_year.balances.sum(axis=1) == 0).all()
        split = settled_year.split
        assert sum(int(split.party(p)[0]) for p in settled_year.deal.parties) == int(split.outcome[0])
        documents = [compose_statement(settled_year, lang, start=START) for lang in ("zh", "en")]
    for content in documents:
        said = " ".join(
            [content.title, *(p for s in content.sections for p in s.paragraphs), *figures(content)]
        )
        assert "{" not in said
        assert not re.search(r"<[a-z_]+>", said)  # no gap stands by its name
        assert content.sections[-1].parts
    zh, en = ([f for f in figures(c) if re.fullmatch(r"[−\d,.]+", f)] for c in documents)
    assert zh == en


# --------------------------------------------------------------------------- the statement


def test_the_statement_says_what_the_ledger_says(year: YearSettlement) -> None:
    """The net amount is the change of the insurer's cash after December; true-up and deductions are those of the year."""
    content = compose_statement(year, "zh", start=START)
    insurer = year.balances["insurer"]
    net = int(insurer.iloc[-1]) - int(insurer.iloc[11])
    first = content.sections[0].paragraphs[0]
    assert f"{abs(net) / 100:,.2f}" in first
    assert capitals(abs(net)) in first
    assert net < 0
    assert first.index("乙方") < first.index("甲方")
    assert content.dated == "2012-12-31"
    assert f"{year.true_up_amount:,.2f}" in figures(content)
    months = content.sections[2].parts[0]
    assert isinstance(months, Block)
    assert months.rows[-1]["claims"] == sum(CLAIMS)
    assert months.rows[-1]["mine"] == year.provisional
    assert "185,739,200.00 元" in figures(content)
    assert any("各月人数的平均数" in f for f in figures(content))


def test_headings_of_amounts_have_a_unit(year: YearSettlement) -> None:
    """Every column of yuan says so, in both languages."""
    for lang, unit in (("zh", "（元）"), ("en", "(yuan)")):
        content = compose_statement(year, lang)
        heads = [c.heading for s in content.sections for p in s.parts if isinstance(p, Block) for c in p.columns if c.kind == "yuan"]  # fmt: skip
        assert len(heads) > 15
        assert all(unit in h for h in heads)


def test_four_formats_say_the_same(year: YearSettlement, tmp_path: Path) -> None:
    """Page, workbook, Word file and PDF hold every amount of the tables; twice written they are the same bytes."""
    import docx
    import pypdf

    every = ("html", "xlsx", "docx", "pdf")
    files = write_statement(year, tmp_path, lang="zh", formats=every, start=START).paths
    wanted = {
        f for f in figures(compose_statement(year, "zh", start=START)) if re.fullmatch(r"[−\d,]+\.\d\d", f)
    }
    assert len(wanted) > 60
    page = files["html"].read_text(encoding="utf-8")
    document = docx.Document(str(files["docx"]))
    word = {c.text.replace("\u200b", "") for t in document.tables for r in t.rows for c in r.cells}
    pdf = "".join(p.extract_text() for p in pypdf.PdfReader(files["pdf"]).pages).replace("\u200b", "")
    book = openpyxl.load_workbook(files["xlsx"], data_only=True)
    numbers = {f"{c.value:,.2f}".replace("-", "−") for s in book for r in s.iter_rows() for c in r if isinstance(c.value, int | float)}  # fmt: skip
    assert {w for w in wanted if w not in page} == set()
    assert wanted - word == set()
    assert {w for w in wanted if w not in pdf} == set()
    assert wanted - numbers == set()
    again = write_statement(year, tmp_path / "again", lang="zh", formats=every, start=START).paths
    assert all(files[k].read_bytes() == again[k].read_bytes() for k in every)


def test_a_hostile_name_stays_text(year: YearSettlement, tmp_path: Path) -> None:
    """A party called like markup, a formula or typst code is shown as it is called."""
    name = '<b>=1+1</b> #panic("x")'
    files = write_statement(
        year, tmp_path, lang="en", formats=("html", "xlsx", "pdf"), names={"fund": name}
    ).paths
    assert "<b>=1" not in files["html"].read_text(encoding="utf-8")
    values = [c.value for s in openpyxl.load_workbook(files["xlsx"]) for r in s.iter_rows() for c in r]
    assert name in values


@pytest.mark.parametrize(
    ("cents", "said"),
    [(0, "零元整"), (1, "壹分"), (10, "壹角整"), (100_005, "壹仟元零伍分"), (10_000_100, "壹拾万零壹元整"),
     (18_560_000_000, "壹亿捌仟伍佰陆拾万元整"), (10_000_000_100, "壹亿零壹元整"), (1_234_567_890, "壹仟贰佰叁拾肆万伍仟陆佰柒拾捌元玖角整")],
)  # fmt: skip
def test_capitals(cents: int, said: str) -> None:
    """Amounts in capital figures, as cheques write them."""
    assert capitals(cents) == said


# --------------------------------------------------------------------------- tables, last year, the command


def filled_template(deal: Contract, path: Path, lang: str = "zh", start: pd.Period | None = START) -> Path:
    """The template with the year filled in, as a bureau would."""
    write_template(deal, path, start, lang)
    book = openpyxl.load_workbook(path)
    sheet, events = book.worksheets[:2]
    for row, (claims, heads) in enumerate(zip(CLAIMS, HEADS, strict=True), 2):
        sheet.cell(row, 2, claims)
        sheet.cell(row, 3, heads)
    sheet.cell(7, 5, 312_345.67)
    events["B2"], events["B3"] = 2, 1
    book.save(path)
    return path


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_filled_template_is_read(deal: Contract, tmp_path: Path, lang: str) -> None:
    """What is filled into the template comes back, events too; its months are dated."""
    found = read_year(deal, filled_template(deal, tmp_path / "t.xlsx", lang))
    assert found.claims == tuple(CLAIMS)
    assert found.heads == tuple(map(float, HEADS))
    assert found.late_claims == 312_345.67
    assert found.events == {"complaint": 2, "report": 1}
    assert found.start == START


def test_months_in_ten_thousand_yuan_in_any_order(deal: Contract, tmp_path: Path) -> None:
    """English headings, a unit, a contract year from October, rows from last to first, a total row."""
    rows = [f"2013-{m:02d},{100 + m},{m / 10}" for m in range(9, 0, -1)] + [
        f"2012-{m},{m},0" for m in (12, 11, 10)
    ]
    total = sum(100 + m for m in range(1, 10)) + 33
    head = "month,claims (10k yuan),policy claims (10k yuan)"
    (tmp_path / "m.csv").write_text("\n".join([head, *rows, f"total,{total},4.5"]), encoding="utf-8")
    found = read_year(deal, tmp_path / "m.csv")
    assert found.claims[:4] == (1e5, 1.1e5, 1.2e5, 1.01e6)
    assert found.policy_loss == pytest.approx(45_000)
    assert str(found.start) == "2012-10"


def test_the_next_year_starts_from_the_file(deal: Contract, tmp_path: Path) -> None:
    """A reward above the reserve and late claims go into the file, and from it into the next year."""
    read = {**READ, "reward_above_reserve": "next_year", "late_claims": "next_year"}
    first = deal.settle_months(target=185_600_000, claims=[0] * 12, readings=read, late_claims=50.0)
    path = save_year(first, tmp_path / "settlement.json", START)
    last = read_last(path, deal.law.id, START + 12)
    assert (last.opening, last.claims) == (first.state, 50.0)
    assert (earlier_claims(last, "add"), earlier_claims(last, "included")) == (50.0, 0.0)
    content = compose_statement(
        deal.settle_months(target=185_600_000, claims=[1e6] * 12, readings=read, opening=last.opening, earlier_claims=50.0), "zh"
    )  # fmt: skip
    assert {"236,000.00 元", "50.00 元"} <= set(figures(content))


@pytest.mark.parametrize(
    "change",
    [{"kind": "other"}, {"next_year": {"reserve_cents": 0}}, {"period": "2012-13"}, {"surprise": 1}],
)
def test_a_broken_file_of_last_year_is_refused(
    deal: Contract, tmp_path: Path, change: dict[str, Any]
) -> None:
    """Another kind, a missing balance, a month that is none, an unknown key."""
    path = save_year(
        deal.settle_months(target=2e8, claims=[1.4e7] * 12, readings=READ), tmp_path / "s.json", START
    )
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(act.InputError):
        read_last(path, deal.law.id)


def called(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> tuple[str, str]:
    """What a command prints."""
    with pytest.raises(SystemExit) as stopped:
        main(["contract", "settle", *words])
    out, err = capsys.readouterr()
    assert stopped.value.code == status, err
    return out, err


READINGS = [w for k, v in {**READ, "headcount_change": "average"}.items() for w in ("--reading", f"{k}={v}")]


def test_the_command_settles_two_years(
    deal: Contract, year: YearSettlement, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Template, months, statement, next year; figures are those of the library."""
    path, out = filled_template(deal, tmp_path / "filled.xlsx"), tmp_path / "out"
    common = (JIANDE, "--months", str(path), *READINGS)
    told = json.loads(called(capsys, *common, "--out", str(out), "--format", "html", "--json")[0])
    assert told["settlement"]["true_up"] == year.true_up_amount
    assert told["settlement"]["readings"]["headcount_change"] == "average"
    assert sorted(p.name for p in out.iterdir()) == ["settlement.json", "settlement_zh.html"]
    _, err = called(capsys, *common, "--last", str(out / "settlement.json"), status=2)
    assert "2012-01" in err  # the months are those of last year themselves
    later = filled_template(deal, tmp_path / "later.xlsx", start=None)
    words = (
        JIANDE,
        "--months",
        str(later),
        *READINGS,
        "--last",
        str(out / "settlement.json"),
        "--lang",
        "en",
    )
    assert "party B (insurer) owes party A (fund)" in called(capsys, *words, "--period", "2013-01")[0]


def test_the_command_writes_the_template_and_points(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template; a settlement by points with its statement."""
    called(capsys, JIANDE, "--template", str(tmp_path / "t.xlsx"), "--lang", "en")
    assert openpyxl.load_workbook(tmp_path / "t.xlsx").sheetnames == ["Months", "Events", "How to fill in"]
    file = tmp_path / "points.csv"
    file.write_text(
        "医疗机构,点数,年度内已预付（万元）\n甲,9000,80\n乙,11000,100\n合计,20000,180\n", encoding="utf-8"
    )
    assert read_points(file)["prepaid"].tolist() == [800_000.0, 1_000_000.0]
    drg = "china/zhejiang/contract/drg_points@2020-01-01"
    words = (
        drg,
        "--points",
        str(file),
        "--budget",
        "2000000",
        "--out",
        str(tmp_path),
        "--format",
        "html,docx",
    )
    told = json.loads(called(capsys, *words, "--json")[0])
    assert [p["due"] for p in told["providers"]] == [55_000.0, 45_000.0]
    assert "855,000.00" in (tmp_path / "settlement_zh.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [("--target", "1e8"), ("--reading", "late_claims"), ("--event", "complaint=x", "--months", "m.csv", "--target", "2e8"),
     ("--months", "m.csv", "--period", "2012"), ("--months", "m.csv", "--heads", "5"), ("--months", "none.csv"), ("--months", "m.csv", "--claims", "5"), ("--months", "d.csv", "--period", "2013-01"),
     ("--months", "m.csv", "--reading", "late_claims=never"), ("--months", "m.csv", "--event", "complaint=1", "--event", "rain=1")],
)  # fmt: skip
def test_what_is_wrong_is_said(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each is refused with a sentence in both languages, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{m},1e7,400000" for m in range(1, 13))
    (tmp_path / "m.csv").write_text(f"月份,赔付支出（元）,参保人数\n{rows}\n", encoding="utf-8")
    (tmp_path / "d.csv").write_text(
        "月份,赔付支出（元）\n" + "\n".join(f"2012-{m:02d},1e7" for m in range(1, 13)), encoding="utf-8"
    )
    messages = [
        called(capsys, JIANDE, *words, "--lang", lang, "--out", "out", status=2)[1] for lang in ("zh", "en")
    ]
    assert messages[0] != messages[1]
    assert all(len(m) > 8 and "Traceback" not in m for m in messages)
    assert not (tmp_path / "out").exists()
