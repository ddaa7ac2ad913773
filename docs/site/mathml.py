"""Formulas as MathML, made when the site is built: no script, nothing fetched, readable aloud."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def _one(latex: str, *, block: bool) -> str:
    return convert(latex.strip(), display="block" if block else "inline")


def inline(self: Any, node: nodes.math) -> None:
    """A formula within a line."""
    self.body.append(_one(node.astext(), block=False))
    raise nodes.SkipNode


def display(self: Any, node: nodes.math_block) -> None:
    """A formula of its own; lines that end with two backslashes stand below each other."""
    latex = node.astext()
    if r"\\" in latex and r"\begin" not in latex:
        latex = rf"\begin{{aligned}}{latex}\end{{aligned}}"
    self.body.append(f'<div class="math">{_one(latex, block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer with Sphinx."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
