"""A document as a PDF: typst sets it from data, with the package's own fonts and nothing of the machine's.

The template is ours and fixed; the content goes in as JSON, whose strings typst never reads as code. Fonts of the system are ignored, and
the figures come as SVG files beside the template, so that the same content gives the same bytes on every machine.
"""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from actuarial.errors import ModelWarning, warn
from actuarial.report.blocks import Chart
from actuarial.report.captions import captioned, cells, is_short, is_signed, is_wide, shares, to_be_filled
from actuarial.report.content import Content
from actuarial.results import atomic_path, chinese_font
from actuarial.texts import text


def write_pdf(content: Content, path: Path) -> Path:
    """Write the PDF, whole or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written.

    Warns
    -----
    ModelWarning
        If there is no Chinese font.
    """
    moment = datetime.fromisoformat(content.dated).replace(tzinfo=UTC)
    with atomic_path(path) as temporary:
        made = _set(content, format="pdf", timestamp=int(moment.timestamp()), pdf_standards=["ua-1"])
        temporary.write_bytes(made)
    return path


def page_pictures(content: Content, dots: float = 72.0) -> list[bytes]:
    """The pages of the same document as PNG files, the same bytes each time.

    Parameters
    ----------
    content : Content
    dots : float
        Per inch.
    """
    made = _set(content, format="png", ppi=dots)
    return list(made) if isinstance(made, list) else [made]


def _set(content: Content, **options: Any) -> Any:
    """What typst makes of a content."""
    import typst

    with tempfile.TemporaryDirectory(prefix="actuarial-") as folder:
        root = Path(folder)
        (root / "content.json").write_text(
            json.dumps(_data(content, root), ensure_ascii=False), encoding="utf-8"
        )
        template = files(__package__).joinpath("templates", "layout.typ").read_text(encoding="utf-8")
        (root / "layout.typ").write_text(template, encoding="utf-8")
        return typst.compile(
            str(root / "layout.typ"), root=str(root), font_paths=_fonts(), ignore_system_fonts=True, **options
        )


def _fonts() -> list[str]:
    """Folders of the two fonts: Chinese from its package, Latin from matplotlib's."""
    import matplotlib as mpl

    latin = Path(mpl.get_data_path()) / "fonts" / "ttf"
    font = chinese_font()
    if font is None:
        warn(ModelWarning, "report_words.no_font")
        return [str(latin)]
    return [str(font.parent), str(latin)]


def _data(content: Content, folder: Path) -> dict[str, Any]:
    """What the template reads; figures are written to `folder`."""
    sections = []
    number = 0
    for section, parts in zip(content.sections, captioned(content), strict=True):
        made = []
        for item in parts:
            part = item.part
            source = text("report.table_source", content.lang, source=part.source) if part.source else ""
            common: dict[str, Any] = {"caption": item.caption, "note": part.note, "source": source}
            if isinstance(part, Chart):
                number += 1
                (folder / f"figure{number}.svg").write_text(part.svg, encoding="utf-8")
                made.append({**common, "figure": f"figure{number}.svg", "alt": part.words})
                continue
            words = cells(part, content)
            made.append(
                {
                    **common,
                    "heads": [c.heading for c in part.columns],
                    "numeric": [c.numeric for c in part.columns],
                    "shares": shares(part, words),
                    "rows": words,
                    "totals": sorted(part.total_rows),
                    "form": to_be_filled(part),
                    "wide": is_wide(part, content),
                    "short": is_short(part, content),
                }
            )
        sections.append(
            {
                "title": section.title or "—",
                "paragraphs": list(section.paragraphs),
                "parts": made,
                "whole": is_signed(section, content),
            }
        )
    day = datetime.fromisoformat(content.dated)
    return {
        "lang": content.lang, "title": content.title or "—", "subtitle": content.subtitle, "kind": content.kind,
        "headline": [list(pair) for pair in content.headline], "sections": sections,
        "date": [day.year, day.month, day.day], "contents": text("report_words.contents", content.lang),
        "page_of": text("report_words.page_of", content.lang, page="{page}", pages="{pages}"),
    }  # fmt: skip
