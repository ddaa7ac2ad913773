"""The report as one HTML file that loads nothing from outside and shows Chinese anywhere."""

from __future__ import annotations

import base64
import html
import io
import re
from functools import cache
from importlib.resources import files
from math import ceil
from pathlib import Path

from actuarial.errors import ModelWarning, warn
from actuarial.report.blocks import Chart
from actuarial.report.captions import to_be_filled
from actuarial.report.content import Content
from actuarial.results import chinese_font, shown, write_text
from actuarial.safe import width
from actuarial.texts import text


def render(content: Content) -> str:
    """The page as text."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(
        files(__package__).joinpath("templates", "report.html.j2").read_text(encoding="utf-8")
    )

    def page(font: str) -> str:
        return template.render(
            c=content,
            font=font,
            show=lambda value, kind: shown(value, kind, content.unit),
            source_line=lambda source: text("report.table_source", content.lang, source=source),
            signed=lambda part: content.kind == "statement" and to_be_filled(part),
            offline=text("report.printed_page", content.lang),
            scale=one_page(content) if content.kind == "negotiation" else 1.0,
        )

    plain = page("")
    return page(
        font_subset(
            "".join(sorted(set(html.unescape(re.sub(r"<style>.*?</style>", "", plain, flags=re.DOTALL)))))
        )
    )


def one_page(content: Content) -> float:
    """By how much the sheet is scaled down in print so that it stays on one page A4: 1 where it fits.

    Heights are those of the template's print style [px], a line of text taken as 145 half-characters.
    """
    high = 22.0 * ceil(width(content.title) / 78) + 85
    for section in content.sections:
        high += 32 + sum(13.5 * ceil(width(p) / 145) for p in section.paragraphs)
        for part in section.parts:
            high += 12 * ceil(width(part.note) / 145) + (24 if part.source else 6)
            if isinstance(part, Chart):
                high += 205
            else:
                high += 32 + sum(
                    16 * max(1, ceil(max(width(str(v)) for v in r.values()) / 60)) for r in part.rows
                )
    return round(min(1.0, 1090 / high), 2)


@cache
def font_subset(characters: str) -> str:
    """The Chinese font cut down to the characters used, as base64 WOFF; empty without the font."""
    font = chinese_font()
    if font is None:
        warn(ModelWarning, "model.no_font")
        return ""
    from fontTools import subset

    options = subset.Options(
        flavor="woff", layout_features=[], notdef_outline=True, hinting=False, recalc_timestamp=False
    )
    buffer = io.BytesIO()
    with subset.load_font(str(font), options, lazy=True) as loaded:
        cutter = subset.Subsetter(options)
        cutter.populate(text=characters)
        cutter.subset(loaded)
        loaded.flavor = "woff"
        loaded.save(buffer)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def write_page(content: Content, path: Path) -> Path:
    """Write the page, whole or not at all."""
    return write_text(path, render(content))
