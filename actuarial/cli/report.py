"""``actuarial report``: the actuarial report or the bulletin, in any of four formats."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actuarial.cli.shared import common, early_language, help_text, print_json, progress_bar, say, simulated
from actuarial.errors import Fault, InputError
from actuarial.texts import LANGUAGES, text, use_language

if TYPE_CHECKING:
    from actuarial.pipeline import Answer
    from actuarial.report import ReportFiles


def _help(code: str) -> str:
    return text(f"report_words.{code}", early_language(sys.argv[1:]))


FORMATS, KINDS = ("html", "xlsx", "docx", "pdf"), ("actuarial", "bulletin")


def _formats(_: Any, __: Any, value: str) -> tuple[str, ...]:
    """``html,docx`` as a tuple; what is not known is refused before anything is computed."""
    found = tuple(dict.fromkeys(w.strip().lower() for w in value.split(",") if w.strip()))
    for word in found or ("",):
        if word not in FORMATS:
            raise click.BadParameter(text("report_words.format", value=word, known="、".join(FORMATS)))
    return found


def formats(default: str) -> Callable[..., Any]:
    """``--format``, one or several."""
    return click.option(
        "--format", "formats", default=default, show_default=True, callback=_formats, help=_help("format_help")
    )  # fmt: skip


def refuse_file(out: str) -> None:
    """Say before the work, not after it, that the folder is a file or cannot be written."""
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        code = errno.ENOTDIR
    elif folder.is_dir() and not os.access(folder, os.W_OK):
        code = errno.EACCES
    else:
        return
    raise InputError([Fault("file.not_writable", file=out, params={"reason": os.strerror(code)})])


def written(files: ReportFiles) -> dict[str, str]:
    """The files by what they are, for ``--json``."""
    names = {"html": "report", "xlsx": "workbook", "docx": "word", "pdf": "pdf"}
    return {names[ending]: str(path) for ending, path in files.paths.items()}


def tell(files: ReportFiles) -> None:
    """A line for each file; the page last, as the one to open."""
    for ending, path in files.paths.items():
        if ending != "html":
            click.echo(say("wrote", path=path))
    if "html" in files.paths:
        click.echo(say("report_at", path=files.page))


@click.command(help=_help("report_help"))
@click.argument("plan", type=click.Path())
@click.option("--kind", type=click.Choice(KINDS), default="actuarial", show_default=True, help=_help("kind_help"))  # fmt: skip
@click.option("--both", is_flag=True, help=_help("both_help"))
@click.option("--out", type=click.Path(), default="reports", show_default=True, help=help_text("out_help"))
@formats("html,xlsx,docx,pdf")
@simulated
@common
def report(
    plan: str, kind: str, both: bool, out: str, formats: tuple[str, ...], paths: int, seed: int, threads: int,
    lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Write a document about a plan."""
    from actuarial.pipeline import run as run_plan
    from actuarial.plan import load_plan
    from actuarial.report import build_report

    refuse_file(out)
    loaded = load_plan(plan)
    with progress_bar(as_json) as progress:
        answer = run_plan(loaded, paths=paths, seed=seed, threads=threads, progress=progress)
    name = "report" if kind == "actuarial" else kind
    made: dict[str, dict[str, str]] = {}
    for chosen in LANGUAGES if both else (None,):
        with use_language(chosen or _language(lang)), progress_bar(as_json, "writing") as progress:
            files = build_report(answer, out, name=name, formats=formats, kind=kind, progress=progress)
        made[_language(chosen or lang)] = written(files)
        if not as_json:
            tell(files)
    if as_json:
        print_json({"plan": answer.plan.name(lang), "kind": kind, "files": made, "synthetic": answer.plan.synthetic,
                    "warnings": list(answer.warnings)})  # fmt: skip
        return
    _warn(answer)


def _language(lang: str | None) -> str:
    from actuarial.texts import language

    return language(lang)


def _warn(answer: Answer) -> None:
    for message in answer.warnings:
        click.echo(say("warning", message=message), err=True)
