"""The documentation site builds without a warning, holds every public name, and fetches nothing from outside."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import actuarial as act
from actuarial.results import new_axes

ROOT = Path(__file__).parent.parent


def test_a_chart_shows_itself_in_a_notebook() -> None:
    """The axes that a result's plot returns are a picture as the last line of a cell."""
    axes = new_axes()
    axes.plot([1, 2])
    assert axes._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("myst_nb") is None, reason="needs the docs extra")
def test_the_site_builds_and_stays_at_home(tmp_path: Path) -> None:
    """No warning, every public name on a page, no script, style or picture from another host."""
    subprocess.run([sys.executable, "docs/build_site.py", str(tmp_path)], cwd=ROOT, check=True)
    pages = {p: p.read_text(encoding="utf-8") for p in tmp_path.rglob("*.html")}
    for page, html in pages.items():
        fetched = re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="((?:https?:)?//[^"]+)"', html)
        assert not fetched, f"{page.name} fetches {fetched}"
    reference = "".join(html for p, html in pages.items() if p.parent.name == "api")
    missing = [
        n
        for n in act.__all__
        if n[0].isalpha() and callable(getattr(act, n)) and f"actuarial.{n}" not in reference
    ]
    assert not missing
    books = [p for p in pages if p.parent.name == "notebooks"]
    assert len(books) == len(list((ROOT / "notebooks").glob("*.ipynb")))
    assert all("output" in pages[p] for p in books)
