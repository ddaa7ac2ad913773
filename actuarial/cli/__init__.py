"""The ``actuarial`` command: thin. It parses, calls and writes; heavy imports wait for the command.

Exit status: 0 an answer, 2 bad input or usage (message on standard error), 1 our fault,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from actuarial.cli import app as app_command
from actuarial.cli import (
    bargain,
    budget,
    check,
    contracts,
    data,
    growth,
    law,
    licences,
    precedent,
    rules,
    run,
    settle,
    simulate,
)
from actuarial.cli import report as reports
from actuarial.cli.shared import Commands, early_language, help_text, print_json, say
from actuarial.errors import ActuarialError, ActuarialWarning, InputError
from actuarial.texts import text, use_language


@click.group(
    cls=Commands,
    help=help_text("help"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="fund-actuarial", prog_name="actuarial")
def cli() -> None:
    """Group of all commands."""


@cli.group(cls=Commands, help=help_text("contract_help"))
def contract() -> None:
    """Group of the contract commands."""


for command in (
    check.init, check.check, run.run, run.demo, run.premium, reports.report, app_command.app,
    simulate.simulate, simulate.scenarios, simulate.fleet, budget.budget, budget.monitor,
    data.experience, data.compare, data.complete, data.annualise, growth.growth, growth.backtest,
    rules.reprice, law.law, precedent.calculate, licences.command,
):  # fmt: skip
    cli.add_command(command)
for command in (
    contracts.list_, contracts.show, settle.settle, bargain.evaluate, bargain.compare, bargain.design,
):  # fmt: skip
    contract.add_command(command)


def _usage_message(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return text("cli_usage.no_option", value=error.option_name)
    if isinstance(error, click.MissingParameter):
        name = error.param.make_metavar(error.ctx) if error.param and error.ctx else error.param_hint
        return text(
            "cli_usage.missing", value=error.param.opts[0] if isinstance(error.param, click.Option) else name
        )
    if isinstance(error, click.BadParameter):
        name = error.param.opts[0] if error.param else str(error.param_hint or "")
        return text("cli_usage.bad_value", name=name, detail=error.message.rstrip("."))
    if "No such command" in error.message:
        return text("cli_usage.no_command", value=error.message.split("'")[1] if "'" in error.message else "")
    return text("cli_usage.other", detail=error.message.rstrip("."))


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    words = sys.argv[1:] if args is None else args
    with use_language(early_language(words)), _plain_warnings():
        sys.exit(_run(words))


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Our own warnings as a line of words, not as a place in the program."""
    usual = warnings.formatwarning

    def line(message: Any, category: type[Warning], *place: Any, **more: Any) -> str:
        if issubclass(category, ActuarialWarning):
            return say("warning", message=message) + "\n"
        return usual(message, category, *place, **more)

    warnings.formatwarning = line
    try:
        yield
    finally:
        warnings.formatwarning = usual


def _run(words: list[str]) -> int:
    try:
        result = cli.main(args=words, prog_name="actuarial", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        message = _usage_message(error)
        if "--json" in words:
            print_json({"ok": False, "faults": [{"code": "usage", "message": message}]})
        click.echo(message, err=True)
        return 2
    except InputError as error:
        if "--json" in words:
            print_json({"ok": False, "faults": [f.to_dict() for f in error.faults]})
        click.echo(error.message(), err=True)
        return 2
    except ActuarialError as error:
        click.echo(error.message(), err=True)
        return 2
    except ModuleNotFoundError as error:
        if error.name in {"jinja2", "xlsxwriter", "openpyxl", "fontTools", "docx", "typst"}:
            click.echo(say("missing_report", name=error.name), err=True)
            return 2
        return _our_fault(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo(say("interrupted"), err=True)
        return 130
    except Exception as error:
        return _our_fault(error)


def _our_fault(error: Exception) -> int:
    if os.environ.get("ACTUARIAL_DEBUG"):
        raise error
    click.echo(say("our_fault", kind=type(error).__name__), err=True)
    return 1
