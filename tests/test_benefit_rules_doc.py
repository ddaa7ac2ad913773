"""docs/benefit_rules.md and its Chinese twin: every block is run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

import actuarial as act
from actuarial.benefits import load_schedule
from actuarial.cli import main
from actuarial.errors import InputError
from actuarial.law import load_law
from actuarial.samples import sample_path

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {"en": DOCS / "benefit_rules.md", "zh": DOCS / "benefit_rules.zh.md"}
SKELETON = {
    "id": "china/somewhere/resident/basic@2014-01-01", "kind": "benefit", "name": {"zh": "某县", "en": "county"},
    "source": {"document": "某号文件"}, "status": "draft", "place_status": "stated", "effective": "2014-01-01",
    "checked_on": "2013-11-25",
}  # fmt: skip


def blocks(lang: str) -> list[tuple[str, str]]:
    """Fenced blocks of a page as (info, content)."""
    found = re.findall(r"^```(.*?)\n(.*?)^```$", PAGES[lang].read_text(encoding="utf-8"), re.M | re.S)
    return [(info.strip(), content) for info, content in found]


def of_kind(lang: str, kind: str) -> list[str]:
    """Contents of the blocks with this info."""
    return [content for info, content in blocks(lang) if info == kind]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page beside the synthetic sample."""
    for info, content in blocks("en"):
        if info.startswith("yaml file "):
            (tmp_path / info.split()[-1]).write_text(content, encoding="utf-8")
    (tmp_path / "claims.csv").write_bytes(sample_path("synthetic/claims.csv").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_both_pages_have_the_same_blocks() -> None:
    """Chinese and English pages show the same files and commands; only what is printed differs."""
    en, zh = ([(i, c.replace(f'"{x}"', '""')) for i, c in blocks(x) if i != "text"] for x in ("en", "zh"))
    assert en == zh
    assert len(en) == 13


def test_files_and_commands_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files load; every command of the page ends with status 0 and says something."""
    for path in folder.glob("*.yaml"):
        assert load_schedule(path).id.endswith(path.stem)
    commands = [line[2:] for content in of_kind("en", "console") for line in content.splitlines()]
    assert len(commands) == 4
    for line in commands:
        program, *words = shlex.split(line)
        assert program == "actuarial"
        with pytest.raises(SystemExit) as stopped:
            main(words)
        out, _ = capsys.readouterr()
        assert stopped.value.code == 0, line
        assert out.strip(), line


@pytest.mark.filterwarnings("ignore::actuarial.errors.DataWarning")
def test_the_python_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The Python of the page runs as it stands and tells of the three changes."""
    (code,) = of_kind("en", "python")
    exec(compile(code, "page", "exec"), {})
    out = capsys.readouterr().out
    for said in ("80% → 85%", "65% → 70%", "60,000 → 100,000"):
        assert said in out


def test_every_term_block_loads(tmp_path: Path) -> None:
    """Rules, layers, gaps and payload of the page, put together, are one schedule that can be computed with."""
    (gaps,) = (yaml.safe_load(c) for c in of_kind("en", "yaml gaps"))
    (layers,) = (yaml.safe_load(c) for c in of_kind("en", "yaml layers"))
    (payload,) = (yaml.safe_load(c) for c in of_kind("en", "yaml payload"))
    made: dict[str, Any] = {
        **SKELETON,
        **gaps,
        "payload": {"scheme": "resident", **payload, "layers": layers},
    }
    for content in of_kind("en", "yaml rules"):
        made["payload"]["layers"].append(
            {
                "id": f"more{len(made['payload']['layers'])}",
                "bearer": "cii_fund",
                "rules": yaml.safe_load(content),
            }
        )
    path = tmp_path / "all.yaml"
    path.write_text(yaml.safe_dump(made, allow_unicode=True), encoding="utf-8")
    schedule = load_schedule(path)
    assert [layer.id for layer in schedule.layers] == ["account", "basic", "mutual_aid", "critical_illness", "assistance", "more5", "more6"]  # fmt: skip
    assert schedule.piecewise("assistance", group="poor")(1500.0) == 600.0


def test_every_term_stands_on_the_page() -> None:
    """Whatever key the schema of rules knows is explained on both pages."""
    from actuarial.law.benefit import BenefitPayload, Counted, Layer, Rule, Tilt

    keys = {k for m in (Rule, Tilt, Layer, Counted, BenefitPayload) for k in m.model_fields}
    for lang in PAGES:
        page = PAGES[lang].read_text(encoding="utf-8")
        assert {k for k in keys if not re.search(rf"\b{k}\b", page)} == set(), lang


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_error_messages_are_those_of_the_page(lang: str, folder: Path) -> None:
    """Each wrong line of the page, put into the file, gives the message that the page prints."""
    found = blocks(lang)
    wrong = [n for n, (info, _) in enumerate(found) if info.startswith("yaml wrong ")]
    assert len(wrong) == 3
    for n in wrong:
        path = folder / found[n][0].split()[-1]
        right, line = path.read_text(encoding="utf-8").splitlines(), found[n][1].rstrip("\n")
        start = re.split(r"[:{]", line)[0] + ": {" + re.split(r"\{", line)[1][:5]
        places = [k for k, old in enumerate(right) if old.startswith(start)]
        assert len(places) == 1, line
        path.write_text("\n".join([*right[: places[0]], line, *right[places[0] + 1 :]]), encoding="utf-8")
        with pytest.raises(InputError) as caught:
            load_law(path)
        assert caught.value.message(lang) == found[n + 1][1].strip()
        path.write_text("\n".join(right), encoding="utf-8")


def test_the_readme_points_to_the_pages() -> None:
    """Both readmes link the page in their language."""
    root = DOCS.parent
    assert "docs/benefit_rules.md" in (root / "README.md").read_text(encoding="utf-8")
    assert "docs/benefit_rules.zh.md" in (root / "README.zh.md").read_text(encoding="utf-8")
    assert act.diff_laws
