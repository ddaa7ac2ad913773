"""How fast the what-if page answers, from input to redrawn page in headless Chromium: ``python benchmarks/page.py``.

Jieshou's plan, 100,000 paths; milliseconds as the page itself counts them.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys

from playwright.sync_api import expect, sync_playwright

import actuarial as act

SERVE = """
import sys
import actuarial as act
from actuarial.app.serve import address, run, start
server = start(act.load_plan(sys.argv[1]), port=0, lang="zh", paths=100_000)
print(address(server), flush=True)
run(server, browser=False)
"""
MOVES = {
    "growth": ("range", [10, 14, *(8 + 0.5 * i for i in range(20))]),
    "amount.0": ("number", [61 + i for i in range(12)]),
    "alpha": ("number", [2, 3, 4, 6, 7, 8, 9, 10]),
    "band.0.2": ("number", [40, 41, 42, 43, 44, 46]),
}


def measure(url: str) -> None:
    """Move each input in turn and print what it took."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        root = page.locator("main.what-if")
        root.wait_for(timeout=60_000)
        page.wait_for_timeout(3_000)  # compiled loops and the first pictures
        print("| what moves | median ms | least | most | moves |\n|---|---|---|---|---|")
        for key, (kind, values) in MOVES.items():
            took = []
            for value in values:
                before = root.get_attribute("data-answered")
                box = page.locator(f"input[type={kind}][data-key='{key}']")
                box.fill(f"{value:g}")
                if kind == "number":
                    box.press("Tab")
                expect(root).not_to_have_attribute("data-answered", before or "", timeout=20_000)
                expect(root).not_to_have_attribute("aria-busy", "true", timeout=20_000)
                took.append(int(root.get_attribute("data-milliseconds") or 0))
                page.wait_for_timeout(250)
            print(f"| {key} | {statistics.median(took):.0f} | {min(took)} | {max(took)} | {len(took)} |")
        browser.close()


if __name__ == "__main__":
    plan = str(act.sample_path("jieshou/plan.yaml"))
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVE, plan], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            measure(next(s.strip() for s in iter(server.stdout.readline, "") if s.startswith("http")))
        finally:
            server.kill()
