"""docs/contracts.md, its Chinese twin, and the commands that show a contract."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import actuarial as act
from actuarial.cli import main
from actuarial.contract.words import terms_in_words
from actuarial.law import contract_terms
from actuarial.law.contract_terms import ContractPayload

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"en": DOCS / "contracts.md", "zh": DOCS / "contracts.zh.md"}
CONTRACTS = act.list_laws("contract")


def blocks(lang: str) -> dict[str, str]:
    """Fenced blocks of a page by their info."""
    found = re.findall(r"^```(.*?)\n(.*?)^```$", PAGES[lang].read_text(encoding="utf-8"), re.M | re.S)
    return {info.strip(): content for info, content in found}


def called(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints; it must end with status 0."""
    with pytest.raises(SystemExit) as stopped:
        main(list(words))
    out, err = capsys.readouterr()
    assert (stopped.value.code, err) == (0, "")
    return out


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the page."""
    for info in (i for i in blocks("en") if " file " in i):
        (tmp_path / info.split()[-1]).write_text(blocks("en")[info], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_both_pages_have_the_same_blocks() -> None:
    """Chinese and English pages show the same file, commands, code and output."""
    assert blocks("en") == blocks("zh")
    assert len(blocks("en")) == 9


def test_the_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The code prints what the page says; its commands say something."""
    exec(compile(blocks("en")["python"], "page", "exec"), {})
    assert capsys.readouterr().out.strip() == blocks("en")["text"].strip()
    exec(compile(blocks("en")["python bargaining"], "page", "exec"), {"act": act})
    assert capsys.readouterr().out.strip() == blocks("en")["text bargaining"].strip()
    lines = "".join(blocks("en")[info] for info in ("sh", "sh bargaining", "sh settle"))
    for line in lines.strip().splitlines():
        assert called(capsys, *line.split()[1:]).strip()
    assert (folder / "sheet" / "negotiation_zh.html").is_file()
    assert {p.name for p in (folder / "statement").iterdir()} == {"settlement.json", "settlement_zh.html"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_word_stands_on_the_page(lang: str) -> None:
    """Whatever key a contract's terms know is explained on both pages."""
    page = PAGES[lang].read_text(encoding="utf-8")
    assert {k for k in ContractPayload.model_fields if f"| `{k}` |" not in page} == set()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_fixed_word_stands_on_the_page(lang: str) -> None:
    """What a term may be stands on both pages, to which the refusal of another word points."""
    kinds = ("Crossing", "PolicyRule", "LaterRule", "BalanceBase", "BeyondTarget", "AboveReserve", "LateClaims",
             "Headcount", "Calendar", "Destination")  # fmt: skip
    page, mark = PAGES[lang].read_text(encoding="utf-8"), "、" if lang == "zh" else ", "
    for kind in kinds:
        names = TypeAdapter(getattr(contract_terms, kind)).validate_python({"gap": "x"}).names
        assert f"` | {mark.join(f'`{n}`' for n in names)} |" in page, kind


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_show_says_every_contract_in_words(name: str, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, source, each term and gap are printed; both languages say as many terms, and no place is left unfilled."""
    out = called(capsys, "contract", "show", name, "--lang", lang)
    told = json.loads(called(capsys, "contract", "show", name, "--lang", lang, "--json"))
    assert told[f"name_{lang}"] in out
    assert len(told["terms_zh"]) == len(told["terms_en"]) >= 2
    assert all(line in out for line in told[f"terms_{lang}"])
    assert all(gap[f"what_{lang}"] in out for gap in told["gaps"])
    assert all(f"<{g}>" in out or g in out for g in told["open_gaps"])
    assert "{" not in out.replace("{zh", "")


def test_list_names_every_contract(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a contract; in JSON the gaps still to be filled."""
    assert len(called(capsys, "contract", "list").splitlines()) == len(CONTRACTS)
    told = json.loads(called(capsys, "contract", "list", "--json"))["contracts"]
    assert tuple(c["id"] for c in told) == CONTRACTS
    (guangzhou,) = (c for c in told if "guangzhou" in c["id"])
    assert guangzhou["open_gaps"] == ["profit_rate", "loss_rate"]
    assert guangzhou["parties"] == ["insurer", "fund"]


def test_every_word_is_said() -> None:
    """Words that no file of the package uses are said too: expense, individual, pool, deduction, fee, quality, least."""
    what = {"zh": "项目", "en": "item"}
    found = act.load_contract("usa/national/contract/aca_risk_corridor@2014-01-01").changed(
        {
            "names": None,
            "sharing": [{"side": "both", "bands": [{"insurer": {"less_quality": 0.75, "at_least": 0.4}}]}],
            "individual": {"over": 100000, "share": 0.8},
            "policy_loss": {"rule": "shared", "insurer": 0.5},
            "expense": {"amount": "actual", "at_most": {"per_head": 5}},
            "caps": [{"party": "insurer", "side": "surplus", "amount": {"least": [1, {"per_head": 2}]}}],
            "pools": {"reserve": {"ceiling": 10}},
            "deductions": [{"id": "late", "event": what, "amount": 3}],
            "fees": [{"id": "fee", "what": what, "amount": 4}],
        }
    )
    assert terms_in_words(found, "en")[1:] == [
        "what a person costs from 100,000 yuan to no limit: insurer bears 80%",
        "deficit caused by policy: shared, insurer 50%",
        "expense first, to the insurer: actual expenses, at most 5 yuan a head",
        "surplus or deficit in whole: insurer 1 − 75% × the quality score (40% to 100%), fund the rest",
        "in a surplus the insurer gets at most the least of 1 yuan and 2 yuan a head",
        "balance of reserve: not below 0, ceiling 10 yuan, what does not fit to the fund",
        "taken off the insurer: item, 3 yuan",
        "paid to the insurer: item, 4 yuan",
    ]
