"""The what-if page in a real headless Chromium: moved, edited, switched, saved, compared, as a negotiator would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import actuarial as act

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATHS = 20_000
PICTURES = Path(__file__).parent.parent / "build" / "screenshots"
PAGE = "main.what-if"
SERVE = """
import sys
import actuarial as act
from actuarial.app.serve import address, run, start
server = start(act.load_plan(sys.argv[1]), port=0, lang="zh", paths=int(sys.argv[2]))
print(address(server), flush=True)
run(server, browser=False)
"""

ACTIVE = (
    "() => { let e = document.activeElement; while (e.shadowRoot) e = e.shadowRoot.activeElement; return e; }"
)
# Every element with words of its own whose contrast to its ground is under 4.5 (WCAG 2 AA); disabled buttons are exempt there.
CONTRAST = """() => {
  const light = (c) => [0, 1, 2].map((i) => c[i] / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const read = (s) => s.match(/[0-9.]+/g).map(Number);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = read(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
  const find = (top) => { const m = top.querySelector("main.what-if"); if (m) return m; for (const e of top.querySelectorAll("*")) { const f = e.shadowRoot && find(e.shadowRoot); if (f) return f; } };
  const faint = [];
  for (const e of find(document).querySelectorAll("*")) {
    if (e.disabled || e.closest("svg") && e.tagName !== "text" || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(read(e.tagName === "text" ? style.fill : style.color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${e.tagName} ${e.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


@pytest.fixture
def address(plan_with: Any) -> Iterator[tuple[str, Path]]:
    """A served copy of Jieshou's plan: its address and folder."""
    pytest.importorskip("panel", reason="SKIPPED: the extra [app] is not installed")
    plan = plan_with("jieshou")
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(plan.folder / plan.file), str(PATHS)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        yield next(line.strip() for line in lines if line.startswith("http")), plan.folder
        process.kill()  # it keeps nothing that could be lost


def status(url: str, **headers: str) -> int:
    """HTTP status of a request with these headers."""
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_server_refuses_strangers(address: tuple[str, Path]) -> None:
    """Page, scripts and websocket answer 403 to a foreign Host (DNS rebinding) or Origin."""
    url, _ = address
    own = url.rstrip("/")
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec_WebSocket_Key": "eA==",
        "Sec_WebSocket_Version": "13",
    }
    assert status(url) == 200
    for path in ("", "ws", "static/js/bokeh.min.js", "nothing"):
        assert status(url + path, Host="evil.example") == 403
        assert status(url + path, Host="evil.example:80", Origin="http://evil.example:80", **upgrade) == 403
        assert status(url + path, Origin="http://evil.example") == 403
    assert status(url, Origin=own) == 200


@pytest.mark.skipif(CHROMIUM is None, reason="SKIPPED: the what-if page needs Chromium, and there is none")
def test_a_negotiation_in_the_browser(address: tuple[str, Path]) -> None:
    """Three offers and a compromise by the page's own means; its figures are those of a run of what it saved."""
    playwright = pytest.importorskip("playwright.sync_api", reason="SKIPPED: playwright is not installed")
    url, folder = address
    PICTURES.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda e: said.append(str(e)))
        page.on("request", lambda r: asked.append(r.url))
        page.goto(url)
        root = page.locator(PAGE)
        root.wait_for(timeout=20_000)

        def settled(before: str | None) -> None:
            playwright.expect(root).not_to_have_attribute("data-answered", before or "", timeout=20_000)
            playwright.expect(root).not_to_have_attribute("aria-busy", "true", timeout=20_000)

        def fill(key: str, value: str, kind: str = "number") -> None:
            before = root.get_attribute("data-answered")
            box = page.locator(f"input[type={kind}][data-key='{key}']")
            box.fill(value)
            if kind == "number":
                box.press("Tab")
            settled(before)

        def press(do: str) -> None:
            before = root.get_attribute("data-answered")
            page.locator(f"button[data-do='{do}']").first.click()
            settled(before)

        before = root.get_attribute("data-answered")
        page.locator("button[data-do=language]").click()
        settled(before)
        playwright.expect(page.locator("h1")).to_contain_text("Jieshou")
        for growth, share in (("8", "40"), ("16", "50"), ("12", "45")):  # insurer, bureau, compromise
            fill("growth", growth, "range")
            fill("band.0.2", share)
            press("pin")
        fill("amount.0", "110")
        press("undo")
        playwright.expect(page.locator("input[type=number][data-key='amount.0']")).to_have_value("60")
        fill("amount.0", "100")
        fill("alpha", "10")
        fill("growth", "11.5")
        press("save")
        shown = page.locator("[data-figure='premium_target.0']").inner_text()
        insurer = page.locator("[data-figure='insurer_result.0']").inner_text()
        assert (
            page.locator("[data-figure='premium_target.3']").count() == 1
        )  # three offers beside the present one
        press("level")
        level = [page.locator(f"[data-figure='premium_target.{n}']").inner_text() for n in range(1, 4)]
        assert (
            len(set(level)) == 1
        )  # the same growth for all: what is left of the difference is the offers' own
        press("level")
        page.screenshot(path=str(PICTURES / "what_if_1280_en.png"), full_page=True)
        page.set_viewport_size({"width": 1024, "height": 768})
        press("language")
        page.screenshot(path=str(PICTURES / "what_if_1024_zh.png"), full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        unnamed = page.locator("input:not([aria-label]):not([id])").count()
        # by keyboard alone: the way past the controls, a slider, a button; the focus stays where it was when regions are drawn anew
        page.locator("a.skip").focus()
        page.keyboard.press("Enter")
        assert page.evaluate(f"({ACTIVE})().id") == "answer"
        before = root.get_attribute("data-answered")
        page.locator("input[type=range][data-key='alpha']").focus()
        page.keyboard.press("ArrowRight")
        settled(before)
        assert page.evaluate(f"({ACTIVE})().dataset.key") == "alpha"
        assert page.evaluate(f"getComputedStyle(({ACTIVE})()).outlineStyle") == "solid"
        faint = page.evaluate(f"({CONTRAST})()")
        with page.expect_download(timeout=120_000) as taken:
            page.locator("button[data-do=download_report]").click()
        report = Path(taken.value.path()).read_text(encoding="utf-8")
        name = taken.value.suggested_filename
        told = page.locator("[data-figure='premium_target.0']").inner_text()
        browser.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = act.run(act.load_plan(folder / "scenario_1.yaml"), paths=PATHS)
    assert shown == f"{run.target.value:,.2f}"
    assert run.contract is not None
    assert float(insurer.replace("−", "-")) == pytest.approx(
        run.contract.expected("insurer") / 1e6, abs=0.00501
    )
    assert said == []
    assert [u for u in asked if not u.startswith((url, url.replace("http", "ws"), "blob:", "data:"))] == []
    assert wide <= 1024
    assert unnamed == 0
    assert faint == []
    assert name == "report_zh.html"
    assert told in report
