"""The main commands: run a plan, the demonstration, the premium target alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from actuarial.cli import report as reports
from actuarial.cli.precedent import calculation, print_calculation
from actuarial.cli.shared import common, help_text, print_json, progress_bar, say, simulated

if TYPE_CHECKING:
    from actuarial.pipeline import Answer


@click.command(help=help_text("run_help"))
@click.argument("plan", type=click.Path())
@click.option("--out", type=click.Path(), default="reports", show_default=True, help=help_text("out_help"))
@reports.formats("html,xlsx")
@simulated
@common
def run(
    plan: str,
    out: str,
    formats: tuple[str, ...],
    paths: int,
    seed: int,
    threads: int,
    lang: str | None,
    as_json: bool,
) -> None:
    """Run a plan and write its report."""
    answer, files = _run_and_write(plan, out, "report", paths, seed, threads, as_json, formats)
    if as_json:
        print_json(answer.to_dict() | reports.written(files))
        return
    _print_answer(answer)
    reports.tell(files)


@click.command(help=help_text("demo_help"))
@click.option("--out", type=click.Path(), default="reports", show_default=True, help=help_text("out_help"))
@simulated
@common
def demo(out: str, paths: int, seed: int, threads: int, lang: str | None, as_json: bool) -> None:
    """Run the whole job on the real samples."""
    from actuarial.samples import sample_path

    results: dict[str, Any] = {}
    pages = []
    for name in ("anhui_county", "jieshou"):
        answer, files = _run_and_write(
            str(sample_path(f"{name}/plan.yaml")), out, name, paths, seed, threads, as_json
        )
        results[name] = answer.to_dict() | {"report": str(files.page), "workbook": str(files.workbook)}
        pages.append(files)
        if not as_json:
            click.echo(f"\n{answer.plan.name()}")
            _print_answer(answer)
            click.echo(say("wrote", path=files.workbook))
            click.echo(say("report_at", path=files.page))
    printed = calculation("china/jiande/costing/per_capita@2012-01-01", 0.0)
    if as_json:
        print_json(results | {"calculation_2012": printed})
        return
    click.echo()
    print_calculation(printed)
    click.echo(say("report_at", path=pages[-1].page.resolve()))


@click.command(help=help_text("premium_help"))
@click.argument("plan", type=click.Path())
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=None,
    help=help_text("alpha_help"),
)
@click.option(
    "--criterion",
    type=click.Choice(["current_year", "closing", "any_month"]),
    default=None,
    help=help_text("criterion_help"),
)
@simulated
@common
def premium(
    plan: str, alpha: float | None, criterion: str | None, paths: int, seed: int, threads: int,
    lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Answer with the premium target only."""
    from actuarial.pipeline import run as run_plan
    from actuarial.plan import Patch, load_plan

    loaded = load_plan(plan)
    changes = {"accepted_probability": alpha, "use": criterion}
    patches = [
        Patch(path=f"criterion.{k}", value=v, source="command line")
        for k, v in changes.items()
        if v is not None
    ]
    if patches:
        if criterion is not None and "use" not in loaded.data["criterion"]:
            loaded.data["criterion"]["use"] = criterion
        loaded = loaded.patched(patches)
    with progress_bar(as_json) as progress:
        answer = run_plan(loaded, paths=paths, seed=seed, threads=threads, progress=progress)
    if as_json:
        print_json(answer.to_dict())
    else:
        _print_answer(answer)


def _run_and_write(
    plan: str,
    out: str,
    name: str,
    paths: int,
    seed: int,
    threads: int,
    quiet: bool,
    formats: tuple[str, ...] = ("html", "xlsx"),
) -> tuple[Answer, Any]:
    from actuarial.pipeline import run as run_plan
    from actuarial.plan import load_plan
    from actuarial.report import build_report

    loaded = load_plan(plan)
    reports.refuse_file(out)
    with progress_bar(quiet) as progress:
        answer = run_plan(loaded, paths=paths, seed=seed, threads=threads, progress=progress)
    return answer, build_report(answer, out, name=name, formats=formats)


def _print_answer(answer: Answer) -> None:
    click.echo(answer.summary())
    for message in answer.warnings:
        click.echo(say("warning", message=message), err=True)
