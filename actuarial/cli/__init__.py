"""The ``actuarial`` command: thin. It parses, calls and writes; heavy imports wait for the command.

Exit status: 0 an answer, 2 bad input or usage (message on standard error), 1 our fault,
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actuarial.cli import app as app_command
from actuarial.cli import budget, contracts, data, growth, law, licences, rules, simulate
from actuarial.cli import report as reports
from actuarial.cli.shared import common, early_language, help_text, print_json, say, sheets, simulated
from actuarial.errors import ActuarialError, InputError
from actuarial.texts import language, text, use_language

if TYPE_CHECKING:
    from actuarial.pipeline import Answer


@click.group(
    help=help_text("help"), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="fund-actuarial", prog_name="actuarial")
def cli() -> None:
    """Group of all commands."""


# --------------------------------------------------------------------------- commands


@cli.command(help=help_text("check_help"))
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


@cli.command(help=help_text("run_help"))
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


@cli.command(help=help_text("demo_help"))
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
    calculation = _calculation("china/jiande/costing/per_capita@2012-01-01", 0.0)
    if as_json:
        print_json(results | {"calculation_2012": calculation})
        return
    click.echo()
    _print_calculation(calculation)
    click.echo(say("report_at", path=pages[-1].page.resolve()))


@cli.command(help=help_text("premium_help"))
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
    with _progress(as_json) as progress:
        answer = run_plan(loaded, paths=paths, seed=seed, threads=threads, progress=progress)
    if as_json:
        print_json(answer.to_dict())
    else:
        _print_answer(answer)


@cli.group(help=help_text("contract_help"))
def contract() -> None:
    """Group of the contract commands."""


@contract.command(help=help_text("settle_help"))
@click.argument("reference", metavar="ID|FILE")
@click.option("--target", type=float, required=True, help=help_text("target_help"))
@click.option("--claims", type=float, required=True, help=help_text("claims_help"))
@common
def settle(reference: str, target: float, claims: float, lang: str | None, as_json: bool) -> None:
    """Settle one year."""
    from actuarial.contract import load_contract

    settled = load_contract(reference).settle(target=target, claims=claims)
    if as_json:
        print_json(settled.to_dict())
        return
    kind = say("settle_surplus" if settled.outcome >= 0 else "settle_deficit")
    click.echo(
        say(
            "settle_line",
            target=_yuan(target),
            claims=_yuan(claims),
            kind=kind,
            outcome=_yuan(abs(settled.outcome)),
        )
    )
    for row in settled.table.to_dict("records"):
        if row["amount"]:
            high = _yuan(row["to"]) if row["to"] < float("inf") else say("above")
            click.echo(say("settle_band", low=_yuan(row["from"]), high=high, amount=_yuan(row["amount"]),
                          share=f"{100 * row['insurer_share']:g}", part=_yuan(row["insurer_part"])))  # fmt: skip
    click.echo(say("settle_result", insurer=_yuan(settled.insurer_result), fund=_yuan(settled.fund_result)))
    law = settled.contract.law
    click.echo(say("settle_source", name=law.name(), id=law.id))


@cli.command(help=help_text("calculate_help"))
@click.argument("law_id", metavar="[ID]", default="china/jiande/costing/per_capita@2012-01-01")
@click.option("--growth-sd", type=click.FloatRange(0, 1), default=0.0, help=help_text("growth_sd_help"))
@common
def calculate(law_id: str, growth_sd: float, lang: str | None, as_json: bool) -> None:
    """Replay a printed per-capita calculation."""
    found = _calculation(law_id, growth_sd)
    if as_json:
        print_json(found)
    else:
        _print_calculation(found)


@cli.command(help=help_text("init_help"))
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


for command in (data.experience, data.compare, data.complete, data.annualise, rules.reprice, law.law):
    cli.add_command(command)
cli.add_command(app_command.app)
contract.add_command(contracts.list_)
contract.add_command(contracts.show)
cli.add_command(growth.growth)
cli.add_command(budget.budget)
cli.add_command(budget.monitor)
cli.add_command(growth.backtest)
for command in (simulate.simulate, simulate.scenarios, simulate.fleet):
    cli.add_command(command)
cli.add_command(reports.report)
cli.add_command(licences.command)

# --------------------------------------------------------------------------- helpers


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
    with _progress(quiet) as progress:
        answer = run_plan(loaded, paths=paths, seed=seed, threads=threads, progress=progress)
    return answer, build_report(answer, out, name=name, formats=formats)


class _progress:
    """A bar on a terminal; nothing in a pipe, in CI or beside JSON."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet or not sys.stderr.isatty()
        self.bar: Any = None

    def __enter__(self) -> Callable[[int, int], None] | None:
        if self.quiet:
            return None
        from tqdm import tqdm

        self.bar = tqdm(desc=say("progress"), unit="", unit_scale=True, leave=False)

        def show(done: int, total: int) -> None:
            self.bar.total = total
            self.bar.update(done - self.bar.n)

        return show

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()


def _tail(plan: Any, paths: int) -> dict[str, Any]:
    return {"paths": paths, "accepted": f"{100 * plan.model.criterion.accepted_probability:g}"}


def _yuan(value: float) -> str:
    return f"{value:,.2f}".replace("-", "−")


def _print_answer(answer: Answer) -> None:
    click.echo(answer.summary())
    for message in answer.warnings:
        click.echo(say("warning", message=message), err=True)


def _calculation(law_id: str, growth_sd: float) -> dict[str, Any]:
    import numpy as np

    from actuarial.benefits import simple_target

    t = simple_target(law_id)
    found: dict[str, Any] = {
        "law": t.law.id, "base_per_capita": t.base, "policy_effect_coefficient": t.coefficient,
        "on_new_rules": t.intermediate, "in_scope_cost_growth": t.growth, "per_capita_target": t.result,
        "total_growth": t.total_growth,
    }  # fmt: skip
    if not growth_sd <= 1:
        raise click.BadParameter(str(growth_sd), param_hint="--growth-sd")
    if growth_sd > 0:
        low, median, high = np.quantile(t.draws(growth_sd=growth_sd), [0.025, 0.5, 0.975])
        found |= {"growth_sd": growth_sd, "median": float(median), "interval_95": [float(low), float(high)]}
    return found


def _print_calculation(found: dict[str, Any]) -> None:
    click.echo(say("calc_line", base=f"{found['base_per_capita']:g}", coefficient=found["policy_effect_coefficient"],
                  intermediate=f"{found['on_new_rules']:.2f}", growth=f"{100 * found['in_scope_cost_growth']:.2f}",
                  result=f"{found['per_capita_target']:g}", total=f"{100 * found['total_growth']:.2f}"))  # fmt: skip
    if "median" in found:
        low, high = found["interval_95"]
        click.echo(
            say(
                "calc_draws",
                sd=f"{100 * found['growth_sd']:g}",
                median=f"{found['median']:.1f}",
                low=f"{low:.1f}",
                high=f"{high:.1f}",
            )
        )


def _usage_message(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        return text("cli_usage.no_option", value=error.option_name)
    if isinstance(error, click.MissingParameter):
        name = error.param.make_metavar(error.ctx) if error.param and error.ctx else error.param_hint
        return text(
            "cli_usage.missing", value=error.param.opts[0] if isinstance(error.param, click.Option) else name
        )
    if isinstance(error, click.BadParameter):
        name = error.param.opts[0] if error.param else ""
        return text("cli_usage.bad_value", name=name, detail=error.message.rstrip("."))
    if "No such command" in error.message:
        return text("cli_usage.no_command", value=error.message.split("'")[1] if "'" in error.message else "")
    return text("cli_usage.other", detail=error.message.rstrip("."))


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    words = sys.argv[1:] if args is None else args
    with use_language(early_language(words)):
        sys.exit(_run(words))


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
