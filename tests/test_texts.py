"""Texts: both languages, same places, no sentence in the code, no code without a text."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

import actuarial
from actuarial.texts import LANGUAGES, catalogue, catalogues, has_text, language, pick, text, use_language

PACKAGE = Path(actuarial.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))


def places(words: str) -> set[str]:
    """Names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


@pytest.mark.parametrize("name", catalogues())
def test_both_languages_and_same_places(name: str) -> None:
    """Every text exists in both languages and needs the same parameters (column names may be bilingual)."""
    for key, entry in catalogue(name).items():
        assert set(entry) == set(LANGUAGES), key
        zh, en = (places(entry[lang]) for lang in LANGUAGES)
        assert {re.sub("_(zh|en)$", "", p) for p in zh} == {re.sub("_(zh|en)$", "", p) for p in en}, (
            name,
            key,
        )
        assert entry["zh"].strip() or entry["en"].strip(), key


def literals(path: Path) -> list[tuple[int, str]]:
    """String literals of a module that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    attribute_docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docs | attribute_docs
    ]


def test_no_chinese_sentence_in_code() -> None:
    """Chinese words in code are units and totals of the table reader, nothing that a user is told."""
    allowed = {"columns.py", "cells.py", "reading.py", "starter.py", "claim_columns.py"}
    found = [
        f"{path.name}:{line} {value}"
        for path in SOURCES
        if path.name not in allowed
        for line, value in literals(path)
        if re.search(r"[\u4e00-\u9fff]{2,}", value)
    ]
    assert found == []


def test_every_code_in_code_has_a_text() -> None:
    """A fault, a warning or a label that names a code has its text."""

    def a_code(value: str) -> bool:
        """``file.key`` of one of our catalogues; not a file name, not a code completed at run time."""
        form = re.fullmatch(r"[a-z_]+\.[a-z_0-9]+", value)
        return bool(form) and value.split(".")[0] in catalogues() and not value.endswith((".yaml", "_"))

    missing = [
        f"{path.name}:{line} {value}"
        for path in SOURCES
        if path != PACKAGE / "__init__.py"  # it names modules
        for line, value in literals(path)
        if a_code(value) and not has_text(value)
    ]
    assert missing == [], missing


def test_language_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argument, block, environment, Chinese: in this order; the machine's locale plays no part."""
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("ACTUARIAL_LANG", raising=False)
    assert language() == "zh"
    monkeypatch.setenv("ACTUARIAL_LANG", "en")
    assert language() == "en"
    with use_language("zh"):
        assert language() == "zh"
        assert text("label.total", "en") == "Total"
    assert language("fr") == "zh"


def test_pick_takes_what_is_there() -> None:
    """A bilingual value in the language asked for, else whatever it has."""
    assert pick({"en": "only"}, "zh") == "only"
    assert pick(None) == ""
