"""``actuarial licences``: the licences of this package and of everything it brings with it, from what is installed."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

import click

from actuarial.cli.shared import common, early_language, print_json
from actuarial.texts import text

ROOT = "fund-actuarial"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _licence(found: Distribution) -> str:
    """The licence expression, else the classifiers, else the first words of the field."""
    meta: Any = found.metadata
    stated = meta.get("License-Expression")
    if stated:
        return str(stated)
    listed = [
        c.rsplit("::", 1)[1].strip() for c in meta.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    named = [c for c in listed if c != "OSI Approved"]
    return "; ".join(named) or (str(meta.get("License") or "").strip().splitlines() or ["—"])[0][:60]


def licences(*, development: bool = False) -> list[dict[str, str]]:
    """Name, version and licence of each distribution that the package needs, itself first.

    Parameters
    ----------
    development : bool
        With what only developers need.

    Examples
    --------
    >>> licences()[0]["package"]
    'fund-actuarial'
    """
    left, out = {"dev", "docs"}, {}
    todo = [ROOT]
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop(0)).lower()
        if name in out:
            continue
        try:
            found = distribution(name)
        except PackageNotFoundError:  # an extra that is not installed
            continue
        out[name] = {"package": found.metadata["Name"], "version": found.version, "licence": _licence(found)}
        for line in found.requires or []:
            extra = re.search(r"extra == ['\"]([^'\"]+)", line)
            if extra and (name != ROOT or (extra[1] in left and not development)):
                continue
            start = _NAME.match(line)
            if start:
                todo.append(start[0])
    first, *rest = out.values()
    return [first, *sorted(rest, key=lambda r: r["package"].casefold())]


@click.command(name="licences", help=text("report_words.licences_help", early_language(sys.argv[1:])))
@click.option(
    "--development", is_flag=True, help=text("report_words.development_help", early_language(sys.argv[1:]))
)
@common
def command(development: bool, lang: str | None, as_json: bool) -> None:
    """List the licences."""
    rows = licences(development=development)
    if as_json:
        print_json({"licences": rows})
        return
    wide = max(len(r["package"]) for r in rows)
    for row in rows:
        click.echo(f"{row['package']:{wide}}  {row['version']:14}  {row['licence']}")
