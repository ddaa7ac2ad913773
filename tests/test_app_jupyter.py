"""``act.what_if`` in a real JupyterLab: shown, moved, and nothing fetched from outside."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = Path(__file__).parent.parent / "build" / "screenshots"
CODE = """import warnings
warnings.simplefilter("ignore")
import actuarial as act
act.what_if(act.load_plan(act.sample_path("jieshou/plan.yaml")), lang="en", paths=2000)"""


def wait_for(url: str) -> None:
    """Until the server answers, two minutes at most."""
    for _ in range(120):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    pytest.fail(f"{url} does not answer")


@pytest.mark.slow
@pytest.mark.skipif(
    CHROMIUM is None, reason="SKIPPED: JupyterLab is looked at in Chromium, and there is none"
)
def test_what_if_in_jupyterlab(tmp_path: Path) -> None:
    """A cell with ``act.what_if(plan)`` shows the page, growth moves the answer, and no request leaves the machine."""
    pytest.importorskip("jupyterlab", reason="SKIPPED: JupyterLab is not installed (the extra [notebook])")
    pytest.importorskip("panel", reason="SKIPPED: the extra [app] is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="SKIPPED: playwright is not installed")
    import nbformat

    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, tmp_path / "page.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "run")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
               "--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={tmp_path}"]  # fmt: skip
    asked: list[str] = []
    with subprocess.Popen(
        command, env=os.environ | home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as lab, playwright.sync_playwright() as driver:  # fmt: skip
        try:
            own = f"http://127.0.0.1:{port}/"
            wait_for(own + "lab")
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.on("request", lambda r: asked.append(r.url))
            page.goto(own + "lab/tree/page.ipynb")
            page.locator(".jp-Notebook").wait_for(timeout=120_000)
            page.locator(".jp-CodeCell .cm-content").first.wait_for(timeout=60_000)
            page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=120_000)
            page.locator(".jp-CodeCell .cm-content").first.click()
            page.keyboard.press("Shift+Enter")
            root = page.locator("main.what-if")
            root.wait_for(timeout=240_000)
            figure = page.locator("[data-figure='premium_target']")
            before = figure.inner_text()
            page.locator("input[type=range][data-key='growth']").fill("16")
            playwright.expect(root).to_have_attribute("data-answered", "1", timeout=60_000)
            after = figure.inner_text()
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(PICTURES / "jupyterlab_en.png"))
            browser.close()
        finally:
            lab.terminate()
    assert float(after) > float(before) > 0
    local = (own, own.replace("http", "ws"), "blob:", "data:")
    assert [u for u in asked if not u.startswith(local)] == []
