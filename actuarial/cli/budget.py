"""Commands on budget and execution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actuarial.cli.report import formats, refuse_file
from actuarial.cli.shared import _HELP_LANGUAGE, common, print_json, progress_bar, say, simulated
from actuarial.texts import language, text


def _help(code: str) -> str:
    return text(f"monitor.{code}", _HELP_LANGUAGE)


def _draft(loaded: Any, premium: float | None, paths: int, seed: int, threads: int, *, quiet: bool) -> Any:
    """The draft at a premium, or at the rounded target."""
    from actuarial.budget import budget_draft
    from actuarial.pipeline import run

    with progress_bar(quiet) as progress:
        answer = run(loaded, paths=paths, seed=seed, threads=threads, progress=progress)
    return answer.budget if premium is None else budget_draft(answer.simulation, premium)


@click.command(help=_help("budget_help"))
@click.argument("plan", type=click.Path())
@click.option("--out", type=click.Path(), default="reports", show_default=True)
@click.option("--premium", type=click.FloatRange(0), default=None, help=_help("premium_help"))
@click.option("--template", type=click.Path(), default=None, help=_help("template_help"))
@simulated
@common
def budget(
    plan: str, out: str, premium: float | None, template: str | None, paths: int, seed: int, threads: int,
    lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Next year's budget."""
    from actuarial.budget import check_template, fill_template
    from actuarial.plan import load_plan
    from actuarial.results import write_together

    refuse_file(out)
    if template:
        check_template(template, Path(out) / Path(template).name)
    chosen, loaded = language(lang), load_plan(plan)
    draft = _draft(loaded, premium, paths, seed, threads, quiet=as_json)
    path = Path(out) / f"budget_{chosen}.xlsx"
    missing: list[str] = []
    writers: dict[Path, Any] = {path: lambda to: draft.to_excel(to, chosen)}
    if template:
        writers[Path(out) / Path(template).name] = lambda to: missing.extend(
            fill_template(template, draft.form, to).missing
        )
    with progress_bar(as_json, "writing") as progress:
        write_together(writers, progress)
    if caution := draft.caution(chosen):
        again = text("monitor.draw_up_again", chosen, standard=f"{draft.simulation.standard:g}")
        click.echo(say("warning", message=f"{caution} {again}"), err=True)
    if as_json:
        print_json({
            "premium": draft.premium, "present_standard": draft.simulation.standard, "last": draft.last, "draft": draft.draft, "workbook": str(path),
            "filled": str([*writers][1]) if template else None, "not_in_template": missing,
        })  # fmt: skip
        return
    for written in writers:
        click.echo(say("wrote", path=written))
    for line in missing:
        click.echo(say("warning", message=text("monitor.not_in_template", name=item_name(line))), err=True)


def item_name(line: str) -> str:
    """Words of a line of the form."""
    from actuarial.budget.phasing import item_label

    return item_label(line)


@click.command(help=_help("monitor_help"))
@click.argument("plan", type=click.Path())
@click.option("--actual", type=click.Path(), default=None, help=_help("actual_help"))
@click.option("--sheet", default=None, help=_help("sheet_help"))
@click.option(
    "--basis",
    type=click.Choice(["cash", "incurred"]),
    default="cash",
    show_default=True,
    help=_help("basis_help"),
)
@click.option("--premium", type=click.FloatRange(0), default=None, help=_help("premium_help"))
@click.option("--out", type=click.Path(), default="reports", show_default=True)
@formats("html,xlsx,docx,pdf")
@simulated
@common
def monitor(
    plan: str, actual: str | None, sheet: str | None, basis: str, premium: float | None, out: str, formats: tuple[str, ...],
    paths: int, seed: int, threads: int, lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Execution of a year against its budget."""
    from actuarial.budget import monitor as compare
    from actuarial.budget import national_errors, read_actual, warnings_of
    from actuarial.plan import load_plan
    from actuarial.report.monitoring import write_monitoring_files
    from actuarial.samples import sample_path
    from actuarial.tables import read_table

    refuse_file(out)
    chosen, loaded = language(lang), load_plan(plan)
    if actual is None:
        m = _base_year(loaded, basis)
    else:
        seen = read_actual(actual, loaded, sheet=sheet)
        draft = _draft(loaded, premium, paths, seed, threads, quiet=as_json)
        m = compare(draft.phasing, seen, basis=basis)
    report = warnings_of(m)
    errors = national_errors(read_table(sample_path("national/monthly_medical_fund.csv"), "monthly_history"))
    form = None  # a ceiling that is not split by category has no place in the form
    if actual is not None:
        form = Path(out) / f"monitor_form_{chosen}.xlsx"
    with progress_bar(as_json, "writing") as progress:
        files = write_monitoring_files(
            report, out, chosen, errors, formats=formats, form=form, progress=progress
        )
    if as_json:
        names = {"html": "page", "xlsx": "workbook", "docx": "word", "pdf": "pdf"}
        written = {names[e]: str(files[e]) if e in files else None for e in names}
        print_json(_as_dict(m, report) | written | {"form": str(form) if form else None})
        return
    click.echo(m.summary(chosen))
    for path in (*(files[e] for e in files if e != "html"), *([form] if form else [])):
        click.echo(say("wrote", path=path))
    if "html" in files:
        click.echo(say("report_at", path=files["html"]))


def _base_year(plan: Any, basis: str) -> Any:
    """The plan's own base year against the income that bounds it, with what its tables state of providers."""
    from actuarial.budget import base_year_budget, plan_actual, provider_budgets
    from actuarial.budget import monitor as compare

    year, seen = base_year_budget(plan), plan_actual(plan)
    return compare(year, seen, basis=basis, overspend=provider_budgets(plan), admissions=_stated_growth(plan))


def _stated_growth(plan: Any) -> dict[str, float] | None:
    """Growth of admissions outside the area as the plan's facts state it."""
    if "facts" not in plan.tables:
        return None
    facts = plan.tables["facts"].frame.set_index("id")["value"]
    return (
        {"outside": float(facts["admission_growth_outside"])} if "admission_growth_outside" in facts else None
    )


def _as_dict(m: Any, report: Any) -> dict[str, Any]:
    """The monitor as plain data; the keys are documented in ``docs/cli.md``."""
    low, high = m.projection.interval()
    return {
        "months": m.months, "year": m.budget.year, "basis": m.basis, "claims_projected": m.projection.mean,
        "claims_interval": [low, high], "claims_budget": m.claims_budget, "overspending_probability": m.overspending_probability,
        "expected_result": m.balance(), "deficit_probability": m.deficit_probability(), "expected_closing_balance": m.closing,
        "outstanding": [{k: _plain(v) for k, v in r.items()} for r in m.outstanding.to_dict("records")],
        "year_end": {
            key: [{k: _plain(v) for k, v in r.items()} for r in m.outlook(key).to_dict("records")]
            for key in ("item", "level", "provider")
        },
        "alarms": [{k: _plain(v) for k, v in r.items()} for r in report.alarms.to_dict("records")],
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """None for what JSON cannot hold."""
    if isinstance(value, str):
        return value
    number = float(value)
    return number if abs(number) < float("inf") else None
