"""The negotiating sheet and the commands of bargaining, in both languages."""

from __future__ import annotations

import contextlib
import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import actuarial as act
from actuarial.app.page import download
from actuarial.app.session import Session
from actuarial.cli import main
from actuarial.contract.comparison import Comparison
from actuarial.report.negotiation import build_sheet, compose_sheet
from actuarial.texts import LANGUAGES
from tests.test_cli_simulate import DOCUMENTED, keys

JIANDE = "china/jiande/contract/cooperation@2012-01-01"
YEARS = ("--lognormal", "183e6,0.05", "--heads", "400000", "--paths", "2000")
STAFF = act.Costs(people=14, cost_per_person=1e5)


def said(*words: str) -> str:
    """What a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit) as stopped:
        main(["contract", *words])
    assert stopped.value.code == 0
    if "--json" not in words:
        assert "{" not in out.getvalue()
        assert "nan" not in out.getvalue()
    return out.getvalue()


def call(*words: str) -> Any:
    """A command's JSON object."""
    return json.loads(said(*words, "--json"))


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    """Offers, values and fair target of the plan of 2012."""
    plan = act.load_contract(JIANDE)
    claims = act.SimpleClaims(183e6, 0.05).claims(2_000)
    offers = {
        "现行": plan,
        "要价 <b>": plan.changed({"sharing.0.bands.0.insurer": 0.5}),
        "还价": plan.changed({"sharing.0.bands.4.insurer": 0.3}),
    }
    return {
        "comparison": act.compare_offers(
            offers, claims=claims, target=185.6e6, costs=STAFF, effort=act.Effort(5e5)
        ),
        "values": act.value_of_terms(plan, claims=claims, target=185.6e6, costs=STAFF),
        "fair": act.fair_target(plan, claims=claims, target=185.6e6, costs=STAFF, heads=400_000),
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_sheet_says_what_was_computed(parts: dict[str, Any], lang: str) -> None:
    """Offers, differences, values and fair target on the sheet are those of the results; every text is filled in."""
    content = compose_sheet(**parts, lang=lang, source="assumed")
    comparison: Comparison = parts["comparison"]
    tables = [p for s in content.sections for p in s.parts if hasattr(p, "rows")]
    rows = {r["offer"]: r for r in tables[0].rows}
    assert rows["还价"]["gap"] == comparison.changes["还价", "fund"].expected.value
    assert rows["现行"]["gap"] is None
    assert rows["要价 <b>"]["insurer"] == comparison.measures["要价 <b>", "insurer"].expected.value
    values = parts["values"]
    assert [r["insurer"] for r in tables[1].rows] == values.largest(
        5, kinds=("share", "edge", "gap", "choice")
    )["insurer"].tolist()
    words = " ".join([content.title, *(w for s in content.sections for w in (s.title, *s.paragraphs))])
    assert "{" not in words
    assert len(content.headline) == 4
    assert len(content.sections) == 5


def test_same_bytes_and_nothing_live(parts: dict[str, Any], tmp_path: Path) -> None:
    """Page and workbook are the same bytes each time; names of offers are text, not markup; nothing is fetched."""
    first = build_sheet(**parts, folder=tmp_path / "a", lang="zh", source="=1+1")
    again = build_sheet(**parts, folder=tmp_path / "b", lang="zh", source="=1+1")
    assert first.page.read_bytes() == again.page.read_bytes()
    assert first.workbook.read_bytes() == again.workbook.read_bytes()
    page = first.page.read_text(encoding="utf-8")
    assert "要价 &lt;b&gt;" in page
    assert "要价 <b>" not in page
    assert not re.search(r"(?:src|href)=[\"']https?:", page)


def test_word_and_pdf(parts: dict[str, Any], tmp_path: Path) -> None:
    """The same content as a Word file and a PDF."""
    made = build_sheet(**parts, folder=tmp_path, lang="en", formats=("docx", "pdf"))
    assert made.word.read_bytes()[:2] == b"PK"
    assert made.pdf.read_bytes()[:5] == b"%PDF-"


def test_without_values_and_fair_target(parts: dict[str, Any]) -> None:
    """Offers alone make a sheet too."""
    content = compose_sheet(parts["comparison"], lang="en")
    assert len(content.headline) == 3
    assert len(content.sections) == 4


def test_the_what_if_page_hands_it_out() -> None:
    """Nothing to compare gives no sheet; with a pinned offer it is a workbook of one sheet that can be read."""
    import python_calamine

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = Session(act.load_plan(act.sample_path("jieshou/plan.yaml")), paths=500)
        assert download(session, "sheet", "zh") is None
        session.pin("A")
        session.change(target=350.0)
        file = download(session, "sheet", "zh")
    assert file is not None
    assert file.name.endswith(".xlsx")
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.content))
    assert book.sheet_names == ["谈判表"]
    cells = {str(c) for row in book.get_sheet_by_index(0).to_python() for c in row}
    assert {"A", "当前"} <= cells


@pytest.mark.parametrize("lang", LANGUAGES)
def test_whoever_shares_is_called_by_name(lang: str) -> None:
    """A contract with providers says so on the sheet and in every summary: nobody is called an insurer."""
    deal = act.load_contract("usa/national/contract/mssp_basic_level_e@2019-07-01").with_readings(
        {"minimum_rate": 0.02, "sharing_rate": 0.5}
    )
    given: dict[str, Any] = {"target": 1e9, "revenue": 3e8, "indicators": {"quality_standard": 1.0}}
    claims = act.SimpleClaims(1e9, 0.04).claims(1_000)
    offers = act.compare_offers(
        {"A": deal, "B": deal.with_readings({"sharing_rate": 0.4})}, claims=claims, **given
    )
    values = act.value_of_terms(deal, claims=claims, **given)
    fair = act.fair_target(
        deal, claims=claims, low=9e8, high=1.1e9, revenue=3e8, indicators={"quality_standard": 1.0}
    )
    content = compose_sheet(offers, values=values, fair=fair, lang=lang)
    told = [
        offers.summary(lang),
        values.summary(lang),
        fair.summary(lang),
        offers.evaluation("A").summary(lang),
    ]
    told += [w for s in content.sections for w in (s.title, *s.paragraphs)] + [h for h, _ in content.headline]
    for words in told:
        assert "保险公司" not in words
        assert "insurer" not in words
    assert offers.better_for("B") == "fund"
    assert {"cliff"} <= {c.code for c in offers.evaluation("A").cautions}


# --------------------------------------------------------------------------- commands


def test_evaluate_command() -> None:
    """The figures are those of the functions; every key is documented; readable in both languages."""
    found = call("evaluate", JIANDE, *YEARS, "--people", "14", "--cost-per-person", "100000")
    claims = act.SimpleClaims(183e6, 0.05).claims(2_000)
    direct = act.load_contract(JIANDE).evaluate(heads=400_000, claims=claims, costs=STAFF)
    assert found["sides"]["insurer_after_costs"]["expected"]["value"] == pytest.approx(
        direct.expected("insurer_after_costs")
    )
    assert found["target"] == 185_600_000
    assert {k for k in keys(found) if f"`{k}`" not in DOCUMENTED} == set()
    for lang in LANGUAGES:
        assert len(said("evaluate", JIANDE, *YEARS, "--lang", lang).splitlines()) > 15


def test_evaluate_a_plan_with_a_change_of_policy(tmp_path: Path) -> None:
    """A plan gives years, months and growth; a change of policy is split by the contract's rule as read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plan = str(act.sample_path("jieshou/plan.yaml"))
        found = call(
            "evaluate",
            plan,
            "--paths",
            "600",
            "--policy-rise",
            "0.02",
            "--reading",
            "policy_change_within_year=fund_bears",
        )
    assert found["cash"]["tightest_month"] in range(1, 13)
    assert len(found["growth"]) == 5
    assert [r["party"] for r in found["policy"]] == ["claims", "insurer", "fund"]
    assert {k for k in keys(found) if f"`{k}`" not in DOCUMENTED} == set()


def test_compare_command(tmp_path: Path) -> None:
    """Offers as files and as changes; the sheet is written in the language asked for; every key is documented."""
    offer = "ours: sharing.0.bands.0.insurer=0.4, target=184000000"
    found = call(
        "compare",
        f"now={JIANDE}",
        *YEARS,
        "--offer",
        offer,
        "--effort",
        "500000",
        "--out",
        str(tmp_path),
        "--lang",
        "en",
    )
    assert (tmp_path / "negotiation_en.html").is_file()
    assert (tmp_path / "negotiation_en.xlsx").is_file()
    assert found["offers"]["ours"]["target"] == 184e6
    assert found["differences"]["ours"]["better_for"] == "fund"
    names = {"now", "ours"}
    assert {k for k in keys(found) - names if f"`{k}`" not in DOCUMENTED} == set()
    capped = (
        "capped: caps=[{party: insurer, side: surplus, amount: 3000000}], sharing.0.bands=[{insurer: 0.5}]"
    )
    both = call("compare", JIANDE, *YEARS, "--offer", capped)
    assert both["differences"]["capped"]["better_for"] == "fund"
    for lang in LANGUAGES:
        assert "ours" in said("compare", JIANDE, *YEARS, "--offer", offer, "--lang", lang)


def test_design_command() -> None:
    """Tables that meet the wishes; what falls short where none does; every key is documented."""
    wishes = (
        "--margin",
        "100000",
        "--fund-tail",
        "9000000",
        "--beyond",
        "0",
        "--step",
        "0.1",
        "--effort",
        "500000",
    )
    found = call("design", JIANDE, *YEARS, *wishes)
    assert found["found"] > 0
    assert found["edges"] == [3e6, 6e6, 9e6, 18.56e6]
    assert all(t["fund_tail"] >= -9e6 for t in found["tables"])
    plain = {re.sub(r"^(surplus|deficit)_\d$", r"\1_1", k.removesuffix("_error")) for k in keys(found)}
    assert {k for k in plain if f"`{k}`" not in DOCUMENTED} == set()
    for lang in LANGUAGES:
        assert said("design", JIANDE, *YEARS, *wishes, "--lang", lang)
        assert "effort" in said("design", JIANDE, *YEARS, "--step", "0.25", "--lang", lang)
    none = call("design", JIANDE, *YEARS, "--margin", "50000000", "--step", "0.25")
    assert none["found"] == 0
    assert none["closest"]["margin"] < 50e6


@pytest.mark.parametrize("words", [
    ("evaluate", JIANDE, "--target", "2e8"),
    ("evaluate", JIANDE, "--target", "2e8", "--lognormal", "1"),
    ("evaluate", JIANDE, "--target", "2e8", "--lognormal", "a,b"),
    ("compare", JIANDE, *YEARS, "--offer", "nothing"),
    ("compare", JIANDE, *YEARS, "--offer", "a:sharing.9.bands=1"),
    ("compare", JIANDE, *YEARS),
    ("evaluate", JIANDE, *YEARS, "--reading", "empty_fourth_band"),
])  # fmt: skip
def test_wrong_words_are_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be computed ends with a message and a status, never a traceback."""
    with pytest.raises(SystemExit) as stopped:
        main(["contract", *words, "--lang", "zh"])
    out, err = capsys.readouterr()
    assert stopped.value.code in {1, 2}
    assert "Traceback" not in out + err
    assert re.search("[一-龥]", err)


def test_a_long_sheet_is_scaled_to_one_page(parts: dict[str, Any]) -> None:
    """A short sheet prints at its size; one with many offers is scaled down, never up."""
    from actuarial.report.page import one_page

    short = compose_sheet(parts["comparison"], lang="zh")
    assert one_page(short) == 1.0
    plan = act.load_contract(JIANDE)
    claims = act.SimpleClaims(183e6, 0.05).claims(200)
    many = {
        f"offer {n} of a long negotiation": plan.changed({"sharing.0.bands.0.insurer": n / 20})
        for n in range(15)
    }
    long = compose_sheet(act.compare_offers(many, claims=claims, target=185.6e6), lang="en")
    assert one_page(long) < 0.9
