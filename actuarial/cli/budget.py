"""Commands on budget and execution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actuarial.cli.shared import _HELP_LANGUAGE, common, print_json, say, simulated
from actuarial.texts import language, text


def _help(code: str) -> str:
    return text(f"monitor.{code}", _HELP_LANGUAGE)


def _draft(loaded: Any, premium: float | None, paths: int, seed: int, threads: int) -> Any:
    """The draft at a premium, or at the rounded target."""
    from actuarial.budget import budget_draft
    from actuarial.pipeline import run

    answer = run(loaded, paths=paths, seed=seed, threads=threads)
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
    from actuarial.budget import fill_template
    from actuarial.plan import load_plan

    chosen = language(lang)
    draft = _draft(load_plan(plan), premium, paths, seed, threads)
    path = draft.to_excel(Path(out) / f"budget_{chosen}.xlsx", chosen)
    filled = fill_template(template, draft.form, Path(out) / Path(template).name) if template else None
    if as_json:
        print_json({
            "premium": draft.premium, "last": draft.last, "draft": draft.draft, "workbook": str(path),
            "filled": str(filled.path) if filled else None, "not_in_template": list(filled.missing) if filled else [],
        })  # fmt: skip
        return
    for written in (path, *([filled.path] if filled else [])):
        click.echo(say("wrote", path=written))


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
@simulated
@common
def monitor(
    plan: str, actual: str | None, sheet: str | None, basis: str, premium: float | None, out: str, paths: int, seed: int,
    threads: int, lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Execution of a year against its budget."""
    from actuarial.budget import (
        base_year_budget,
        national_errors,
        plan_actual,
        provider_budgets,
        read_actual,
        warnings_of,
    )
    from actuarial.budget import monitor as compare
    from actuarial.plan import load_plan
    from actuarial.report.monitoring import write_monitoring
    from actuarial.samples import sample_path
    from actuarial.tables import read_table

    chosen, loaded = language(lang), load_plan(plan)
    if actual is None:
        m = compare(
            base_year_budget(loaded), plan_actual(loaded), basis=basis, overspend=provider_budgets(loaded)
        )
    else:
        seen = read_actual(actual, loaded, sheet=sheet)
        m = compare(_draft(loaded, premium, paths, seed, threads).phasing, seen, basis=basis)
    report = warnings_of(m, admissions=_stated_growth(loaded) if actual is None else None)
    errors = national_errors(read_table(sample_path("national/monthly_medical_fund.csv"), "monthly_history"))
    page = write_monitoring(report, Path(out) / f"monitor_{chosen}.html", chosen, errors)
    book = m.to_excel(Path(out) / f"monitor_{chosen}.xlsx", chosen)
    form = None  # a ceiling that is not split by category has no place in the form
    if actual is not None:
        stage = "final" if m.months == 12 else "adjusted"
        form = m.form(stage).to_excel(Path(out) / f"monitor_form_{chosen}.xlsx", chosen)
    if as_json:
        print_json(
            _as_dict(m, report)
            | {"page": str(page), "workbook": str(book), "form": str(form) if form else None}
        )
        return
    click.echo(m.summary(chosen))
    for path in filter(None, (book, form, page)):
        click.echo(say("wrote", path=path))


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
        "alarms": [{k: _plain(v) for k, v in r.items()} for r in report.alarms.to_dict("records")],
    }  # fmt: skip


def _plain(value: Any) -> Any:
    """None for what JSON cannot hold."""
    if isinstance(value, str):
        return value
    number = float(value)
    return number if abs(number) < float("inf") else None
