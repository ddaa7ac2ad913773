"""Every message and label by code, in Chinese and English.

A code is ``file.key``: ``table.missing_column`` is the entry ``missing_column`` of
``table.toml`` in this folder. Each entry has a ``zh`` and an ``en`` text with named
places in braces. No sentence that a user reads is written anywhere else.

The language is, in this order: the argument, what :func:`use_language` set, the
environment variable ``ACTUARIAL_LANG``, Chinese. It never follows the machine's locale,
so that one command gives the same bytes everywhere.
"""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("zh", "en")
_current: ContextVar[str | None] = ContextVar("actuarial_language", default=None)


def language(lang: str | None = None) -> str:
    """The language in force: ``zh`` or ``en``.

    Examples
    --------
    >>> language("en")
    'en'
    """
    chosen = lang or _current.get() or os.environ.get("ACTUARIAL_LANG") or "zh"
    return chosen if chosen in LANGUAGES else "zh"


@contextlib.contextmanager
def use_language(lang: str) -> Iterator[None]:
    """Within the block, texts are in `lang`.

    Examples
    --------
    >>> with use_language("en"):
    ...     text("label.yes")
    'yes'
    """
    token = _current.set(lang)
    try:
        yield
    finally:
        _current.reset(token)


@cache
def catalogue(name: str) -> dict[str, dict[str, str]]:
    """All entries of one file of texts, by key."""
    raw = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(raw)


def catalogues() -> tuple[str, ...]:
    """The names of all files of texts.

    Examples
    --------
    >>> "table" in catalogues()
    True
    """
    return tuple(sorted(p.name[:-5] for p in files(__package__).iterdir() if p.name.endswith(".toml")))


def text(code: str, lang: str | None = None, /, **params: Any) -> str:
    """The text of `code` in the language in force, with its places filled.

    Parameters
    ----------
    code : str
        ``file.key``.
    lang : str, optional
        ``zh`` or ``en``.
    **params
        Values of the named places.

    Raises
    ------
    KeyError
        If there is no such code: a fault of ours, found by the tests.

    Examples
    --------
    >>> text("label.total", "en")
    'Total'
    """
    name, _, key = code.partition(".")
    return catalogue(name)[key][language(lang)].format(**params)


def has_text(code: str) -> bool:
    """Whether `code` has a text.

    Examples
    --------
    >>> has_text("label.total"), has_text("label.nothing_of_the_kind")
    (True, False)
    """
    name, _, key = code.partition(".")
    return name in catalogues() and key in catalogue(name)


def pick(value: Any, lang: str | None = None) -> str:
    """The text of a value that data files carry as ``{zh: …, en: …}`` or as one string.

    Examples
    --------
    >>> pick({"zh": "界首市", "en": "Jieshou"}, "en")
    'Jieshou'
    >>> pick("Jieshou", "zh")
    'Jieshou'
    """
    if isinstance(value, dict):
        return str(value.get(language(lang)) or next(iter(value.values()), ""))
    return "" if value is None else str(value)
