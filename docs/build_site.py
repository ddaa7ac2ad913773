"""Build the documentation site: ``python docs/build_site.py [FOLDER]``; ``build/site`` unless said.

Pages: the guides of this folder, the notebooks (run while building), the method (module docstrings, in the data's
order), the reference (every public name, by module). Any warning stops the build.
"""

from __future__ import annotations

import importlib
import inspect
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import actuarial

HERE = Path(__file__).parent
ROOT = HERE.parent
STAGES = (
    "layers", "severity", "tables", "experience", "benefits", "growth", "cost", "contract", "fund", "budget", "pipeline",
)  # fmt: skip
"""Where the method is written, in the order of the data's way."""


def modules(stage: str) -> list[str]:
    """Modules of a stage whose docstring holds a formula."""
    home = importlib.import_module(f"actuarial.{stage}")
    names = [home.__name__]
    if hasattr(home, "__path__"):
        folder = Path(home.__path__[0])
        names += [f"{home.__name__}.{p.stem}" for p in sorted(folder.glob("*.py")) if p.stem != "__init__"]
    return [n for n in names if ":math:" in (found := _doc(n)) or ".. math::" in found]


def _doc(name: str) -> str:
    return inspect.getdoc(importlib.import_module(name)) or ""


def method() -> str:
    """The page of formulas."""
    lines = [
        "# The method in formulas",
        "",
        "In the order of the data's way. Each part stands in the code that computes it.",
        "",
    ]
    for stage in STAGES:
        found = modules(stage)
        if found:
            lines += [f"## `{stage}`", ""]
        for name in found:
            options = ":no-members:\n:no-index:"
            lines += [f"### `{name}`", "", f"```{{eval-rst}}\n.. automodule:: {name}"]
            lines += [f"   {o}" for o in options.splitlines()] + ["```", ""]
    return "\n".join(lines)


def reference() -> dict[str, str]:
    """Pages of the public interface, one for each stage."""
    by_stage: dict[str, list[str]] = defaultdict(list)
    for name in actuarial.__all__:
        thing = getattr(actuarial, name)
        if callable(thing):
            by_stage[thing.__module__.split(".")[1]].append(name)
    pages = {}
    for stage, names in sorted(by_stage.items()):
        lines = [f"# {stage}", ""]
        for name in sorted(names, key=str.lower):
            thing = getattr(actuarial, name)
            kind = "autoclass" if inspect.isclass(thing) else "autofunction"
            lines += [
                f"## {name}",
                "",
                f"```{{eval-rst}}\n.. py:currentmodule:: actuarial\n\n.. {kind}:: {name}\n```",
                "",
            ]
        pages[f"{stage}.md"] = "\n".join(lines)
    listed = "\n".join(p.removesuffix(".md") for p in pages)
    pages["index.md"] = (
        "# Every public name\n\n`import actuarial as act`; all of these are `act.…`.\n\n"
        f"```{{toctree}}\n:maxdepth: 2\n\n{listed}\n```\n"
    )
    return pages


def prepare(source: Path) -> None:
    """Lay out the pages from which the site is built."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE / "site", source, ignore=shutil.ignore_patterns("__pycache__"))
    for page in sorted(HERE.glob("*.md")):
        shutil.copy(page, source / page.name)
    shutil.copytree(HERE / "decisions", source / "decisions")
    listed = "\n".join(p.stem for p in sorted((HERE / "decisions").glob("*.md")))
    (source / "decisions" / "index.md").write_text(
        f"# Decisions\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n", encoding="utf-8"
    )
    (source / "notebooks").mkdir()
    for book in sorted((ROOT / "notebooks").glob("*.ipynb")):
        shutil.copy(book, source / "notebooks" / book.name)
    (source / "method").mkdir()
    (source / "method" / "index.md").write_text(method(), encoding="utf-8")
    (source / "api").mkdir()
    for name, page in reference().items():
        (source / "api" / name).write_text(page, encoding="utf-8")


def build(target: Path) -> None:
    """Build the site into `target`; a warning is an error."""
    source = ROOT / "build" / "site-pages"
    prepare(source)
    sphinx = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-j", "2"]
    cache = ROOT / "build" / "site-cache"
    paths = {"PYTHONPATH": os.pathsep.join([str(source), str(ROOT)])}
    subprocess.run([*sphinx, "-d", str(cache), str(source), str(target)], check=True, env=os.environ | paths)
    print(target / "index.html")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site")
