"""Words of tables and their identifiers: one thing has one name, whatever a table calls it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from actuarial.tables.columns import fold
from actuarial.texts import language

TERM_COLUMNS = {"category", "payer", "level", "provider"}
"""Columns whose words are looked up."""


@cache
def terms() -> dict[str, dict[str, Any]]:
    """All known words, by identifier."""
    return yaml.safe_load(files(__package__).joinpath("terms.yaml").read_text(encoding="utf-8"))


@cache
def _spellings() -> dict[str, str]:
    return {fold(s): name for name, t in terms().items() for s in (name, t["zh"], t["en"], *t["aliases"])}


def term_id(word: str) -> str:
    """Identifier of a word, or the word itself where it is not known.

    Examples
    --------
    >>> term_id("住院补偿"), term_id("某某")
    ('inpatient', '某某')
    """
    return _spellings().get(fold(word), word)


def labels(names: Iterable[str]) -> dict[str, str]:
    """Labels of identifiers in each language, joined, for messages.

    Examples
    --------
    >>> labels(["individual", "subsidy_central"])["en"]
    'individual, central government'
    """
    found = list(names)
    return {
        lang: mark.join(term_label(n, lang) for n in found) for lang, mark in (("zh", "、"), ("en", ", "))
    }


def term_label(name: str, lang: str | None = None) -> str:
    """Label of an identifier in `lang`, or the word itself.

    Examples
    --------
    >>> term_label("inpatient", "zh"), term_label("某某", "en")
    ('住院', '某某')
    """
    found = terms().get(name)
    return str(found[language(lang)]) if found else name
