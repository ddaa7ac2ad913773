"""The law commands: list, show, diff, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actuarial.cli import main
from actuarial.law import list_laws
from tests.wrong_laws import RIGHT

JEMINAY = ("china/jeminay/ncms/basic@2011-01-01", "china/jeminay/ncms/basic@2011-04-26")


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Status, output, errors of one command."""
    with pytest.raises(SystemExit) as stopped:
        main(list(words))
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """The JSON answer of one command."""
    status, out, err = call(capsys, "law", *words, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_list_names_what_is_open(capsys: pytest.CaptureFixture[str]) -> None:
    """Every law of a kind stands in the list, with the gaps that have to be filled."""
    found = {x["id"]: x for x in asked(capsys, "list", "--kind", "benefit")["laws"]}
    assert tuple(found) == list_laws("benefit")
    assert found["china/hainan/cii/critical_illness@2014-01-01"]["open_gaps"] == ["ratio"]
    assert found[JEMINAY[0]]["open_gaps"] == []
    assert found[JEMINAY[0]]["kind"] == "benefit"
    for lang, said in (("zh", "待填：ratio"), ("en", "to be filled: ratio")):
        status, out, _ = call(capsys, "law", "list", "--lang", lang)
        assert status == 0
        assert said in out
        assert len(out.splitlines()) == len(list_laws())


@pytest.mark.parametrize("law", list_laws())
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_show_tells_all_of_every_law(law: str, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, source, date, quotes, gaps of every law file are shown; no place of a text is left unfilled."""
    status, out, err = call(capsys, "law", "show", law, "--lang", lang)
    assert (status, err) == (0, "")
    found = asked(capsys, "show", law, "--lang", lang)
    for said in (law, found[f"name_{lang}"], found["effective"], found["source"]["document"]):
        assert said in out
    for quote in (found["source"]["quote"], *found["quotes"].values()):
        assert quote in out
    for gap in found["gaps"]:
        assert gap[f"what_{lang}"] in out
        if gap["reading"]:
            assert gap["reading"]["source"] in out
    assert found["rules"]
    for row in found["rules"]:
        for value in row.values():
            assert value in out


def test_show_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Qinzhou's segments, tilts and ceiling as a reader would say them, in both languages."""
    law = "china/qinzhou/cii/critical_illness@2017-01-01"
    zh, en = (call(capsys, "law", "show", law, "--lang", x)[1] for x in ("zh", "en"))
    assert "全年累计 6,000 以上，0 以上 50%；20,000 以上 60%；40,000 以上 70%；60,000 以上 80%" in zh
    assert "困难人员：起付线改为 3,000；+10 个百分点" in zh
    assert "全年最多 500,000" in zh
    assert "above 6,000 in the year, 50% from 0; 60% from 20,000; 70% from 40,000; 80% from 60,000" in en
    assert "poor: deductible 3,000 instead; +10 points" in en
    shanxi = call(capsys, "law", "show", "china/shanxi/employee/guideline@1999-01-01", "--lang", "en")[1]
    assert "at most 4 × average wage in the year" in shanxi
    assert "left open (gap ratio_retired)" in shanxi


def test_diff_of_jeminay(capsys: pytest.CaptureFixture[str]) -> None:
    """The four ratios and the ceiling, with old and new, in both languages and as JSON."""
    found = asked(capsys, "diff", *JEMINAY)
    assert (found["a"], found["b"]) == JEMINAY
    assert [(c["old"], c["new"]) for c in found["changes"][:5]] == [(0.8, 0.85), (0.6, 0.65), (0.5, 0.55), (0.4, 0.45), (25000, 50000)]  # fmt: skip
    assert found["changes"][0]["path"] == "layers.basic.rules.0.ratio.township"
    assert found["changes"][5]["old"] is None
    out = call(capsys, "law", "diff", *JEMINAY, "--lang", "en")[1]
    assert "ceiling year › amount: 25,000 → 50,000" in out
    assert "乡镇卫生院：80% → 85%" in call(capsys, "law", "diff", *JEMINAY, "--lang", "zh")[1]


def test_a_file_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`law show FILE` is how an officer checks a file: what is wrong is said with its line, status 2."""
    path = tmp_path / "basic@2025-01-01.yaml"
    path.write_text(RIGHT, encoding="utf-8")
    assert asked(capsys, "show", str(path))["id"] == "china/somewhere/resident/basic@2025-01-01"
    path.write_text(RIGHT.replace("0.85", "85"), encoding="utf-8")
    status, out, err = call(capsys, "law", "show", str(path), "--lang", "en")
    assert (status, out) == (2, "")
    assert "line 31" in err
    assert "such as 0.85" in err


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown law, and laws of two kinds, are refused with the way out."""
    assert call(capsys, "law", "show", "china/no/where/x@2000-01-01")[0] == 2
    status, _, err = call(
        capsys, "law", "diff", JEMINAY[0], "china/jiande/costing/per_capita@2012-01-01", "--lang", "en"
    )
    assert status == 2
    assert "costing" in err
    assert call(capsys, "law", "list", "--kind", "nothing")[0] == 2
