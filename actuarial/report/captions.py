"""Tables and figures of a document with their numbers, and widths of columns: what Word and PDF need beside the content."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actuarial.report.blocks import Block, Chart, Section
from actuarial.report.content import Content
from actuarial.report.opinion import BLANK
from actuarial.results import shown
from actuarial.safe import width
from actuarial.texts import text

_NUMBER = re.compile(r"^(?:[\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341]+、|\d+\. )")


@dataclass(frozen=True)
class Captioned:
    """A table or figure with its caption: ``表3 基金余额``."""

    part: Block | Chart
    caption: str


def captioned(content: Content) -> list[list[Captioned]]:
    """The parts of each section with running numbers, tables and figures apart."""
    tables = figures = 0
    found: list[list[Captioned]] = []
    for section in content.sections:
        here = []
        for part in section.parts:
            if isinstance(part, Chart):
                figures += 1
                label = text("report_words.figure_n", content.lang, n=figures)
            else:
                tables += 1
                label = text("report_words.table_n", content.lang, n=tables)
            here.append(Captioned(part, f"{label}  {part.title or bare_title(section.title)}"))
        found.append(here)
    return found


def bare_title(title: str) -> str:
    """A section's title without its number.

    Examples
    --------
    >>> bare_title("十二、数据来源"), bare_title("3. Sources")
    ('数据来源', 'Sources')
    """
    return _NUMBER.sub("", title)


def cells(part: Block, content: Content) -> list[list[str]]:
    """The cells of a table as text, row by row; long words may break."""
    return [[breakable(shown(row[c.key], c.kind, content.unit)) for c in part.columns] for row in part.rows]


_LONG = re.compile(r"[!-~]{13,}")


def breakable(words: str) -> str:
    r"""Text whose long words (paths, identifiers, hashes) may be broken across lines, at zero-width spaces.

    Examples
    --------
    >>> breakable("financing.interest_rate").split("\u200b"), breakable("short")
    (['financing.', 'interest_', 'rate'], 'short')
    >>> breakable("185,600,000.00")
    '185,600,000.00'
    """

    def cut(found: re.Match[str]) -> str:
        if re.fullmatch(r"[\d,.]+", found[0]):
            return found[0]  # a figure is never broken
        pieces = re.sub(r"([._/@:=&?-])(?=.)", "\\1\u200b", found[0])
        return re.sub(r"([0-9A-Za-z]{16})(?=[0-9A-Za-z])", "\\1\u200b", pieces)

    return _LONG.sub(cut, words)


def to_be_filled(part: Block) -> bool:
    """Whether a table is a form with blanks to write on."""
    return any(str(v).startswith(BLANK[:3]) for row in part.rows for v in row.values())


WIDE = {"statement": 7, "monitoring": 7}
"""Columns from which a table is set smaller, by kind of document; 9 in the others."""
SHORT = {"statement": 18}
"""Rows up to which a table is kept on one page, likewise; 12 in the others."""


def is_wide(part: Block, content: Content) -> bool:
    """Whether a table is set smaller."""
    return len(part.columns) > WIDE.get(content.kind, 9)


def is_short(part: Block, content: Content) -> bool:
    """Whether a table is kept on one page."""
    return len(part.rows) <= SHORT.get(content.kind, 12)


def is_signed(section: Section, content: Content) -> bool:
    """Whether a section is the form of signatures of a statement, which is kept on one page with its words."""
    return content.kind == "statement" and any(
        isinstance(p, Block) and to_be_filled(p) for p in section.parts
    )


def shares(part: Block, words: list[list[str]]) -> list[float]:
    """Share of the width that each column takes: as wide as its words ask, within bounds.

    A column of figures is as wide as its longest figure (figures are not broken); a column of text grows with the root of its
    longest cell, so that a long quotation does not starve the others.
    """
    weights = []
    for at, column in enumerate(part.columns):
        longest = max((width(r[at].replace("\u200b", "")) for r in words), default=0)
        if column.numeric:
            word = max(map(width, column.heading.split(" ")))
            weights.append(max(longest + 2, min(width(column.heading) / 2, 12), min(word, 14) + 2))
        else:
            said = [column.heading, *(r[at] for r in words)]
            word = max(width(w) for cell in said for w in re.split("[ \u200b]", cell))
            weights.append(
                max(min(longest, 10 + longest**0.72), min(width(column.heading), 12), min(word, 10) + 2, 6)
            )
    whole = sum(weights)
    least = 0.075 if len(weights) <= 9 else 0.0
    raised = [max(w / whole, least) for w in weights]
    return [w / sum(raised) for w in raised]
