"""What the commands share: language, options, printing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from actuarial.texts import LANGUAGES, language, text


def early_language(words: list[str]) -> str:
    """The language asked for on the command line, so that help too is in it."""
    for n, word in enumerate(words):
        value = word.partition("=")[2] if word.startswith("--lang=") else ""
        if word == "--lang" and n + 1 < len(words):
            value = words[n + 1]
        if value in LANGUAGES:
            return value
    return language()


_HELP_LANGUAGE = early_language(sys.argv[1:])


def help_text(code: str) -> str:
    """A help text; these are read when the commands are loaded."""
    return text(f"cli.{code}", _HELP_LANGUAGE)


def say(code: str, **params: Any) -> str:
    """A line of output, in the language in force."""
    return text(f"cli.{code}", **params)


class Commands(click.Group):
    """A group that lists its commands with their help lines whole: none ends in dots."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list; a command's short help stands for its help."""
        found = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, (c.short_help or c.help or "").rstrip("。.")) for name, c in found])


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--lang`` and ``--json``, which every command takes."""
    command = click.option("--json", "as_json", is_flag=True, help=help_text("json_help"))(command)
    return click.option("--lang", type=click.Choice(LANGUAGES), default=None, help=help_text("lang_help"))(
        command
    )


def sheets(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--sheet``, as often as there are sheets; ``*`` for all."""
    return click.option("--sheet", multiple=True, callback=_sheets, help=help_text("sheet_help"))(command)


def _sheets(_: Any, __: Any, named: tuple[str, ...]) -> str | list[str] | None:
    return None if not named else "*" if "*" in named else named[0] if len(named) == 1 else list(named)


def simulated(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of commands that simulate."""
    for name, kind, default, code in (
        ("--threads", click.IntRange(1, 64), 2, "threads_help"),
        ("--seed", click.IntRange(0), 2012, "seed_help"),
        ("--paths", click.IntRange(1, 10_000_000), 100_000, "paths_help"),
    ):
        command = click.option(name, type=kind, default=default, show_default=True, help=help_text(code))(
            command
        )
    return command


def on_terminal() -> bool:
    """Whether somebody sees what is written to standard error as it is written."""
    return sys.stderr.isatty()


class progress_bar:
    """A bar on a terminal; nothing in a pipe, in CI or beside JSON.

    Parameters
    ----------
    quiet : bool
        Whether nothing is to be shown at all.
    words : str
        Code of what is being done.
    """

    def __init__(self, quiet: bool, words: str = "progress") -> None:
        self.quiet, self.words = quiet or not on_terminal(), words
        self.bar: Any = None

    def __enter__(self) -> Callable[[int, int], None] | None:
        """The function to call with what is done and what there is in all."""
        if self.quiet:
            return None
        from tqdm import tqdm

        self.bar = tqdm(desc=say(self.words), unit="", unit_scale=True, leave=False)

        def show(done: int, total: int) -> None:
            self.bar.total = total
            self.bar.update(done - self.bar.n)

        return show

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()


def print_json(value: dict[str, Any]) -> None:
    """One JSON object; never NaN or infinity."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def money(value: float) -> str:
    """An amount with its unit."""
    from actuarial.results import Unit

    return Unit.of().show(value)


def show_table(heads: list[str], rows: list[list[str]], left: list[bool]) -> list[str]:
    """Lines of an aligned table; Chinese characters count as two.

    Examples
    --------
    >>> show_table(["名称", "x"], [["a", "1"], ["结余", "20"]], [True, False])
    ['名称   x', 'a      1', '结余  20']
    """
    from actuarial.safe import width

    widths = [max(map(width, column)) for column in zip(heads, *rows, strict=True)]
    lines = []
    for row in (heads, *rows):
        cells = []
        for word, wide, to_left in zip(row, widths, left, strict=True):
            gap = " " * (wide - width(word))
            cells.append(word + gap if to_left else gap + word)
        lines.append("  ".join(cells).rstrip())
    return lines
