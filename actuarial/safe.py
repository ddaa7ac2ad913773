"""Text that was written by others, made harmless for every kind of file.

Four dangers, each dealt with in one place: characters that no XML may hold or that turn the order of reading
(:func:`printable`), cells that a spreadsheet takes for a formula (:func:`formula_safe`), names that Excel refuses or that
meet after they were cut (:func:`sheet_names`), and cells longer than Excel holds (:func:`cell_text`). Markup is escaped by
the writers themselves: jinja2's autoescape, lxml, XlsxWriter, and typst's ``json()``, whose strings are never code.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

LONGEST_CELL = 32_767
"""UTF-16 units that an Excel cell holds; XlsxWriter drops a longer one silently."""
LONGEST_SHEET = 31
"""UTF-16 units of a sheet's name in Excel: a rare Chinese character (U+20000 and above) takes two."""
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufff0-\ufff8\ufffe\uffff]"
)
_FORMULA = "=+-@＝＋－＠"


def printable(words: str) -> str:
    r"""Text without characters that XML forbids or that turn its direction; each is shown as ``�``.

    Examples
    --------
    >>> printable("a\x00b\u202ec")
    'a�b�c'
    """
    return _HIDDEN.sub("\ufffd", words)


def formula_safe(value: Any) -> Any:
    r"""A cell of a text file that a spreadsheet will not take for a formula; what is no text stays as it is.

    An apostrophe is put before text whose first character, blanks aside, is ``=``, ``+``, ``-``, ``@`` (full-width ones too:
    Chinese and Japanese Excel read them), and before text that begins with a tab or a line end.

    Examples
    --------
    >>> formula_safe("=1+1"), formula_safe("\t@x"), formula_safe("a=b"), formula_safe(-3)
    ("'=1+1", "'\t@x", 'a=b', -3)
    """
    if not isinstance(value, str):
        return value
    words = printable(value)
    risky = words[:1] in {"\t", "\r", "\n"} or words.lstrip()[:1] in tuple(_FORMULA)
    return f"'{words}" if words and risky else words


def _cut(words: str, longest: int) -> str:
    """The beginning of a text that takes at most ``longest`` UTF-16 units, no character halved."""
    return words.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore")


def cell_text(words: str) -> str:
    """Text as a cell holds it: printable, and cut with a mark where it is longer than Excel allows.

    Examples
    --------
    >>> len(cell_text("x" * 40_000)), cell_text("x" * 40_000)[-1]
    (32767, '…')
    """
    clean = printable(words)
    return clean if _cut(clean, LONGEST_CELL) == clean else _cut(clean, LONGEST_CELL - 1) + "…"


def sheet_name(name: str) -> str:
    r"""A name that Excel accepts: at most 31 characters, none of ``[]:*?/\``, not ``History``.

    Examples
    --------
    >>> sheet_name("a/b:c"), sheet_name("'"), sheet_name("History"), len(sheet_name("𠮷" * 40))
    ('a b c', 'Sheet', 'History_', 15)
    """
    plain = "".join(" " if c in "[]:*?/\\\t\r\n" else c for c in printable(name))
    plain = _cut(plain, LONGEST_SHEET).strip("' ") or "Sheet"
    return f"{plain}_" if plain.casefold() == "history" else plain


def sheet_names(names: Iterable[str]) -> list[str]:
    """Names that Excel accepts beside each other: no two alike, capitals not counting.

    Examples
    --------
    >>> sheet_names(["a" * 40, "A" * 50, "b"])[1:]
    ['AAAAAAAAAAAAAAAAAAAAAAAAAAA (2)', 'b']
    """
    taken: set[str] = set()
    found = []
    for name in names:
        plain, n = sheet_name(name), 1
        while plain.casefold() in taken:
            n += 1
            tail = f" ({n})"
            plain = _cut(sheet_name(name), LONGEST_SHEET - len(tail)) + tail
        taken.add(plain.casefold())
        found.append(plain)
    return found


def width(words: str) -> int:
    """Width in half-characters: a Chinese character takes two.

    Examples
    --------
    >>> width("合计 ab")
    7
    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in words)
