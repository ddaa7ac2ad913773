"""docs/income.md and its Chinese twin: the same blocks, and each of them runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import actuarial as act
from actuarial.plan import Patch
from tests.conftest import simulate_plan

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {lang: DOCS / name for lang, name in (("en", "income.md"), ("zh", "income.zh.md"))}


def blocks(lang: str) -> list[dict[str, Any]]:
    """The YAML of a page."""
    found = re.findall(r"^```yaml\n(.*?)^```$", PAGES[lang].read_text(encoding="utf-8"), re.M | re.S)
    return [yaml.safe_load(b) for b in found]


def unsourced(value: Any) -> Any:
    """A block without its words."""
    if isinstance(value, dict):
        return {k: unsourced(v) for k, v in value.items() if k != "source"}
    return value


def test_both_pages_say_the_same() -> None:
    """The blocks of both languages differ in their sources only."""
    assert [unsourced(b) for b in blocks("en")] == [unsourced(b) for b in blocks("zh")]


@pytest.mark.parametrize("number", range(9))
def test_each_block_runs(number: int) -> None:
    """What a reader copies into a plan is accepted and simulated."""
    assert len(blocks("zh")) == 9
    plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    patches = [Patch(path=k, value=v, source="docs") for k, v in blocks("zh")[number].items()]
    sim = simulate_plan(plan.patched(patches), paths=10, threads=1)
    assert sim.balances().shape == (10, 12)
