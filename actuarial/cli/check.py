"""Commands before the first run: the starter to fill in, and the check of what was filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actuarial.cli import data
from actuarial.cli.shared import common, help_text, print_json, say, sheets
from actuarial.texts import language, text


@click.command(help=help_text("init_help"))
@click.argument("folder", type=click.Path())
@common
def init(folder: str, lang: str | None, as_json: bool) -> None:
    """Write an empty plan and Excel templates."""
    from actuarial.report.starter import write_starter

    written = write_starter(Path(folder), language(lang))
    if as_json:
        print_json({"folder": folder, "files": [str(p) for p in written]})
        return
    for path in written:
        click.echo(say("wrote", path=path))
    click.echo(say("init_done", folder=folder, workbook=written[-1].name))


@click.command(help=help_text("check_help"))
@click.argument("plan", type=click.Path())
@click.option("--exposure", type=click.Path(), default=None, help=help_text("exposure_help"))
@click.option("--unit", default=None, help=help_text("unit_help"))
@click.option("--marked", type=click.Path(), default=None, help=help_text("marked_help"))
@sheets
@common
def check(
    plan: str,
    exposure: str | None,
    unit: str | None,
    marked: str | None,
    sheet: Any,
    lang: str | None,
    as_json: bool,
) -> None:
    """Check a plan and its tables, or a claim file."""
    if Path(plan).suffix.lower() in {".csv", ".xlsx", ".xls", ".parquet"}:
        data.check_claim_file(plan, exposure, unit, marked, lang, as_json=as_json, sheet=sheet)
        return
    from actuarial.pipeline import reconcile_plan
    from actuarial.pipeline import run as run_plan
    from actuarial.plan import load_plan
    from actuarial.texts import pick

    loaded = load_plan(plan)
    tables = loaded.tables
    found = reconcile_plan(loaded)
    trial = run_plan(
        loaded, paths=256
    )  # scenarios, laws and contract are tried too: what check passes, run runs
    notes = [n.message(lang) for t in tables.values() for n in t.notes]
    notes += [w for w in trial.warnings if w != text("fund.few_tail_paths", lang, **_tail(loaded, 256))]
    checks: list[dict[str, Any]] = [
        {
            "label": pick(i.label, lang),
            "computed": r.computed,
            "stated": r.stated,
            "gap": r.gap,
            "verdict": r.verdict,
        }
        for i, r in zip(loaded.model.identities, found, strict=bool(found))
    ]
    if as_json:
        print_json(
            {
                "ok": True,
                "plan": loaded.name(lang),
                "tables": sorted(tables),
                "notes": notes,
                "reconciliations": checks,
                "faults": [],
            }
        )
        return
    click.echo(say("check_ok", name=loaded.name(lang), tables=len(tables)))
    for note in notes:
        click.echo(say("check_note", note=note))
    for row in checks:
        verdict = text(f"label.verdict_{row['verdict']}", lang)
        shown = {
            k: f"{row[k]:,.6g}" if abs(row[k]) < 1e6 else f"{row[k]:,.0f}"
            for k in ("computed", "stated", "gap")
        }
        click.echo(say("check_identity", label=row["label"], verdict=verdict, **shown))


def _tail(plan: Any, paths: int) -> dict[str, Any]:
    return {"paths": paths, "accepted": f"{100 * plan.model.criterion.accepted_probability:g}"}
