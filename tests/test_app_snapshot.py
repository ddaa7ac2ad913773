"""The offline snapshot: its figures are the library's, it asks for nothing, and words of others stay words."""

from __future__ import annotations

import json
import re
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import actuarial as act
from actuarial.app.session import Session
from actuarial.app.snapshot import Grid, grid_of, snapshot, write_snapshot
from actuarial.cli import main
from actuarial.plan import Plan
from actuarial.results import Unit, shown

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATHS = 1000
PICTURES = Path(__file__).parent.parent / "build" / "screenshots"
NAME = "县 </script><script>alert(1)</script> & <b>"


@pytest.fixture(scope="module")
def session(jieshou: Plan) -> Session:
    """A what-if session that has moved from the plan."""
    made = Session(jieshou, paths=PATHS)
    made.change(alpha=0.07)
    return made


@pytest.fixture(scope="module")
def grid(session: Session) -> Grid:
    """The grid around it."""
    return grid_of(session)


def test_a_state_of_the_grid_is_a_run(session: Session, grid: Grid) -> None:
    """A corner of the grid has the target and the risk of ``run`` on the plan with the same changes."""
    assert grid.alpha[grid.start[2]] == 0.07
    found = grid.figures[0][-1][0]
    state = replace(
        session.state,
        growth=grid.growth[0],
        amounts=session.amounts_at(grid.standards[-1]),
        alpha=grid.alpha[0],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = act.run(session.plan_of(state), paths=PATHS)
    assert found.target.value == run.target.value
    assert found.key["deficit_probability"] == run.to_dict()["deficit_probability"]["current_year"]
    assert found.simulation.standard == pytest.approx(grid.standards[-1], abs=1e-9)


def test_amounts_add_up(session: Session) -> None:
    """What payers give together is the amount that was asked for, to the cent, whatever the shares."""
    for total in (333.33, 417.0, 1000.01):
        assert sum(v for _, v in session.amounts_at(total)) == pytest.approx(total, abs=1e-9)


def test_file_is_small_and_closed(plan_with: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """``app PLAN --snapshot FILE`` writes one file under 300 kB, the same twice, without address, handler or foreign tag."""
    plan = plan_with("jieshou", {"name": {"zh": NAME, "en": NAME}})
    file = tmp_path / "a.html"
    with pytest.raises(SystemExit) as end:
        main(["app", str(plan.folder / plan.file), "--snapshot", str(file), "--paths", "300", "--json"])
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out) == {"snapshot": str(file)}
    page = file.read_text(encoding="utf-8")
    assert page == snapshot(Session(plan, paths=300))
    assert len(page.encode("utf-8")) < 300_000
    assert not re.search(r"https?:|src=|href=|\son\w+=|@import|url\(", page)
    assert "alert(1)</script>" not in page
    assert page.count("<script") == 2


@pytest.mark.skipif(
    CHROMIUM is None, reason="SKIPPED: the snapshot is looked at in Chromium, and there is none"
)
def test_snapshot_in_a_browser_without_a_network(session: Session, grid: Grid, tmp_path: Path) -> None:
    """Opened from the disk, offline: sliders move by keyboard, every figure shown is the grid's, no error, no request."""
    playwright = pytest.importorskip("playwright.sync_api", reason="SKIPPED: playwright is not installed")
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = write_snapshot(session, tmp_path / "snapshot.html", "en", grid=grid)
    unit = Unit.of("en")
    said: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": 1024, "height": 768})
        page = context.new_page()
        page.on("console", lambda m: said.append(m.text))
        page.on("pageerror", lambda e: said.append(str(e)))
        page.on("request", lambda r: asked.append(r.url))
        page.goto(path.as_uri())
        main_ = page.locator("main:visible")

        def agrees(g: int, p: int, a: int) -> None:
            found = grid.figures[g][p][a]
            shown_ = {
                cell.get_attribute("data-figure"): cell.inner_text()
                for cell in main_.locator("[data-figure]").all()
            }
            assert shown_["premium_target"] == shown(found.target.value, "yuan", unit)
            assert shown_["deficit_probability"] == shown(found.risk, "percent", unit)
            assert shown_["insurer_result"] == shown(found.key["insurer_result"], "signed_money", unit)
            assert shown_["premium_target"] in main_.locator("[data-words]").inner_text()
            assert main_.locator("td.now").inner_text() == shown_["premium_target"]

        g, p, a = grid.start
        agrees(g, p, a)
        before = main_.locator("[data-fan]").inner_html()
        main_.locator("[data-axis='0']").press("ArrowRight")
        main_.locator("[data-axis='1']").press("End")
        main_.locator("[data-axis='2']").press("Home")
        agrees(g + 1, len(grid.standards) - 1, 0)
        assert main_.locator("[data-fan]").inner_html() != before
        page.screenshot(path=str(PICTURES / "snapshot_1024_en.png"), full_page=True)
        main_.locator("button").click()
        assert page.locator("main:visible").get_attribute("lang") == "zh-CN"
        assert page.locator("main:visible [data-axis='1']").input_value() == str(len(grid.standards) - 1)
        page.screenshot(path=str(PICTURES / "snapshot_1024_zh.png"), full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert said == []
    assert asked == [path.as_uri()]
    assert wide <= 1024


def test_no_amount_is_enough(session: Session, grid: Grid) -> None:
    """Where no amount helps the file says so in words, and has no infinity in its data."""
    none = replace(grid.figures[0][0][0].target, value=np.inf, needs=np.full(10, np.inf))
    hopeless = [[[replace(f, target=none) for f in cell] for cell in row] for row in grid.figures]
    page = snapshot(session, "zh", grid=replace(grid, figures=hopeless))
    assert "筹资再多也不能" in page
    assert "Infinity" not in page
