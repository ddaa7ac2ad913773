"""Commands on data files: experience, completion, annualising."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from actuarial.cli.shared import common, help_text, money, print_json, say, sheets
from actuarial.safe import formula_safe
from actuarial.texts import text


@click.command(help=help_text("experience_help"))
@click.argument("file", type=click.Path())
@click.option("--exposure", type=click.Path(), default=None, help=help_text("exposure_help"))
@click.option(
    "--insured", type=click.FloatRange(0, min_open=True), default=None, help=help_text("insured_help")
)
@click.option(
    "--basis", type=click.Choice(["service", "payment"]), default="service", help=help_text("basis_help")
)
@click.option("--unit", default=None, help=help_text("unit_help"))
@click.option(
    "--pool-above", type=click.FloatRange(0, min_open=True), default=None, help=help_text("pool_help")
)
@click.option(
    "--pool-by", type=click.Choice(["claim", "member"]), default="claim", help=help_text("pool_by_help")
)
@click.option("--out", type=click.Path(), default=None, help=help_text("table_out_help"))
@sheets
@common
def experience(
    file: str, exposure: str | None, insured: float | None, basis: str, unit: str | None,
    pool_above: float | None, pool_by: str, sheet: Any, out: str | None, lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Frequency, severity and per-capita cost from a claim file."""
    from actuarial.experience.claims import experience_from_claims
    from actuarial.results import suppress_small_cells
    from actuarial.samples import says_synthetic
    from actuarial.tables import read_claims, read_exposure, term_label

    spells = read_exposure(exposure) if exposure else None
    claims = read_claims(file, unit=unit, sheet=sheet, exposure=spells)
    synthetic = says_synthetic(Path(file))
    study = experience_from_claims(claims, spells, insured, basis=basis,  # type: ignore[arg-type]
                                   pool_above=pool_above, pool_by=pool_by)  # type: ignore[arg-type]  # fmt: skip
    values = [c for c in study.frame.columns if c not in {"category", "persons"}]
    safe = suppress_small_cells(study.frame, "persons", values)
    rows = [{k: _none(v) for k, v in row.items()} for row in safe.to_dict("records")]
    if out:
        _write(out, safe)
    if as_json:
        print_json({"file": claims.file, "synthetic": synthetic, "claims": claims.rows, "months": study.months, "insured": study.insured,
                    "per_capita": float(study.frame["per_capita"].sum()), "categories": rows,
                    "notes": [n.message(lang) for n in claims.notes]})  # fmt: skip
        return
    say_synthetic(synthetic)
    click.echo(say("experience_line", file=claims.file, claims=f"{claims.rows:,}", months=study.months,
                   insured=f"{study.insured:,.0f}", per_capita=f"{study.frame['per_capita'].sum():,.2f}"))  # fmt: skip
    for row in safe.to_dict("records"):
        click.echo(say("experience_row", category=term_label(str(row["category"])), visits=_number(row["visits"], 0),
                       paid=_number(row["fund_payment"], 2), per_visit=_number(row["payment_per_visit"], 2),
                       per_capita=_number(row["per_capita"], 2)))  # fmt: skip
    for note in claims.notes:
        click.echo(say("check_note", note=note.message()))
    if out:
        click.echo(say("wrote", path=out))


@click.command(help=help_text("compare_help"), short_help=help_text("compare_short"))
@click.argument("file", type=click.Path())
@click.argument("later", type=click.Path(), required=False)
@click.option("--first", required=True, help=help_text("first_help"))
@click.option("--then", required=True, help=help_text("then_help"))
@click.option(
    "--months", type=click.IntRange(1, 12), default=12, show_default=True, help=help_text("months_help")
)
@click.option("--exposure", type=click.Path(), default=None, help=help_text("exposure_help"))
@click.option("--later-exposure", type=click.Path(), default=None, help=help_text("later_exposure_help"))
@click.option(
    "--insured",
    type=click.FloatRange(0, min_open=True),
    nargs=2,
    default=None,
    help=help_text("insured_two_help"),
)
@click.option(
    "--basis", type=click.Choice(["service", "payment"]), default="service", help=help_text("basis_help")
)
@click.option("--unit", default=None, help=help_text("unit_help"))
@click.option("--plot", type=click.Path(), default=None, help=help_text("compare_plot_help"))
@click.option("--out", type=click.Path(), default=None, help=help_text("table_out_help"))
@sheets
@common
def compare(
    file: str, later: str | None, first: str, then: str, months: int, exposure: str | None, later_exposure: str | None,
    insured: tuple[float, float] | None, basis: Any, unit: str | None, sheet: Any, plot: str | None, out: str | None,
    lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """What drove the change of per-capita cost between two periods of claims."""
    from actuarial.experience.claim_drivers import claim_cells, year_on_year
    from actuarial.results import figure_svg, write_text
    from actuarial.samples import says_synthetic
    from actuarial.tables import read_claims, read_exposure, term_label

    spells = read_exposure(exposure) if exposure else None
    claims = read_claims(file, unit=unit, sheet=sheet, exposure=spells)
    spells_after = read_exposure(later_exposure) if later_exposure else spells
    after = read_claims(later, unit=unit, sheet=sheet, exposure=spells_after) if later else claims
    heads = insured or (None, None)
    one = claim_cells(claims, spells, heads[0], first=first, months=months, basis=basis)
    two = claim_cells(after, spells_after, heads[1], first=then, months=months, basis=basis)
    parts = year_on_year(one, two)
    table, categories = parts.table, parts.by("category")
    synthetic = any(says_synthetic(Path(f)) for f in (file, later) if f)
    if out:
        _write(out, table)
    if plot:
        write_text(plot, figure_svg(parts.plot(lang=lang)))
    if as_json:
        rows = [
            [{k: _none(v) for k, v in row.items()} for row in f.to_dict("records")]
            for f in (table, categories)
        ]
        print_json({"file": claims.file, "later": after.file, "synthetic": synthetic, "before": parts.before,
                    "after": parts.after, "insured": [one.insured, two.insured], "drivers": rows[0],
                    "categories": rows[1]})  # fmt: skip
        return
    say_synthetic(synthetic)
    click.echo(say("compare_line", first=first, then=then, months=months, before=f"{parts.before:,.2f}", after=f"{parts.after:,.2f}",
                   change=f"{parts.after - parts.before:+,.2f}"))  # fmt: skip
    for row in table.to_dict("records"):
        click.echo(
            say("compare_row", driver=text(f"driver.{row['driver']}", lang), change=f"{row['change']:+,.2f}")
        )
    for row in categories.to_dict("records"):
        change = "—" if row["change"] != row["change"] else f"{row['change']:+,.2f}"
        click.echo(say("compare_category", category=term_label(str(row["category"]), lang), change=change))
    for path in (p for p in (out, plot) if p):
        click.echo(say("wrote", path=path))


@click.command(help=help_text("complete_help"))
@click.argument("file", type=click.Path())
@click.option("--unit", default=None, help=help_text("unit_help"))
@click.option("--until", default=None, help=help_text("until_help"))
@click.option(
    "--method",
    type=click.Choice(["auto", "chain_ladder", "cape_cod"]),
    default="auto",
    help=help_text("method_help"),
)
@click.option("--exposure", type=click.Path(), default=None, help=help_text("exposure_help"))
@click.option("--last", type=click.IntRange(1), default=None, help=help_text("last_help"))
@click.option("--tail", type=click.FloatRange(1), default=1.0, help=help_text("tail_help"))
@click.option("--insurers-rule", is_flag=True, help=help_text("insurers_rule_help"))
@click.option("--monthly", is_flag=True, help=help_text("monthly_help"))
@click.option("--to-date", is_flag=True, help=help_text("to_date_help"))
@click.option("--out", type=click.Path(), default=None, help=help_text("table_out_help"))
@sheets
@common
def complete(
    file: str, unit: str | None, until: str | None, method: str, exposure: str | None, last: int | None,
    tail: float, insurers_rule: bool, monthly: bool, to_date: bool, sheet: Any, out: str | None, lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """What is incurred and not yet paid, from a claim file."""
    import warnings

    from actuarial.errors import DataWarning
    from actuarial.experience.claims import claims_triangle
    from actuarial.experience.completion import complete as complete_triangle
    from actuarial.experience.triangle_tables import read_triangle
    from actuarial.samples import says_synthetic
    from actuarial.tables import read_claims, read_exposure

    spells = read_exposure(exposure) if exposure else None
    synthetic = says_synthetic(Path(file))
    if monthly or to_date:
        triangle = read_triangle(file, sheet=sheet, unit=unit, to_date=to_date).until(until).exposed(spells)
    else:
        claims = read_claims(file, unit=unit, sheet=sheet, exposure=spells)
        triangle = claims_triangle(claims, until=until, exposure=spells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the flags say the same
        done = complete_triangle(triangle, method=method, last=last,  # type: ignore[arg-type]
                                 tail=tail, insurers_rule=insurers_rule)  # fmt: skip
    low, high = done.interval()
    frame = done.frame.rename_axis("service_month").reset_index().astype({"service_month": str})
    if out:
        _write(out, frame)
    flags = [f.message(lang) for f in done.flags]
    if as_json:
        rows = [{k: _none(v) for k, v in row.items()} for row in frame.to_dict("records")]
        print_json({"file": Path(file).name, "synthetic": synthetic, "paid": float(done.frame["latest"].sum()), "ultimate": done.ultimate,
                    "ibnr": done.ibnr, "standard_error": done.total_se, "interval_95": [low, high],
                    "left_out_periods": done.left_out, "flags": flags, "months": rows})  # fmt: skip
        return
    say_synthetic(synthetic)
    for flag in flags:
        click.echo(say("warning", message=flag))
    click.echo(say("complete_line", paid=money(float(done.frame["latest"].sum())), ibnr=money(done.ibnr),
                   ultimate=money(done.ultimate), low=money(low), high=money(high)))  # fmt: skip
    if out:
        click.echo(say("wrote", path=out))


@click.command(help=help_text("annualise_help"))
@click.argument("file", type=click.Path())
@click.option("--history", type=click.Path(), default=None, help=help_text("history_help"))
@click.option("--reference", type=click.Path(), default=None, help=help_text("reference_help"))
@click.option("--unit", default=None, help=help_text("unit_help"))
@click.option("--place-sd", type=click.FloatRange(0, 0.5), default=0.0, help=help_text("place_sd_help"))
@click.option("--out", type=click.Path(), default=None, help=help_text("table_out_help"))
@sheets
@common
def annualise(
    file: str,
    history: str | None,
    reference: str | None,
    unit: str | None,
    place_sd: float,
    sheet: Any,
    out: str | None,
    lang: str | None,
    as_json: bool,
) -> None:
    """The whole of the last, unfinished year of a year-to-date table."""
    import numpy as np
    from scipy.special import ndtri

    from actuarial.errors import Fault, InputError
    from actuarial.experience.backtest import annualisation_backtest
    from actuarial.tables import MonthlyProfile, read_table

    table = read_table(file, "monthly_history", unit=unit, sheet=sheet)
    past = read_table(history, "monthly_history", unit=unit) if history else table
    frame = table.frame.sort_values(["year", "month"])
    year = int(frame["year"].max())
    last = frame[frame["year"] == year].iloc[-1]
    months, paid = int(last["month"]), float(last["expenditure_to_date"])
    if months == 12:
        raise InputError([Fault("experience.year_is_whole", file=table.file, params={"year": year})])
    profile = MonthlyProfile.from_history(past)
    if reference:  # the history is the place's own: what places differ goes into its weight
        pattern = MonthlyProfile.from_history(read_table(reference, "monthly_history", unit=unit))
        profile = MonthlyProfile.from_history(past, reference=pattern, place_sd=place_sd or None)
        place_sd = 0.0
    if profile.years.iloc[:, :months].to_numpy().sum() <= 0:
        raise InputError([Fault("experience.no_share", file=past.file, params={"months": months})])
    z = float(ndtri(0.975))
    low, high = (float(v) for v in paid / profile.share_draws(months, np.array([z, -z]), place_sd))
    share = profile.cumulative(months)
    found: dict[str, Any] = {"file": table.file, "year": year, "months": months, "paid": paid, "share": share,
                             "annual": paid / share, "interval_95": [low, high], "straight_line": paid / months * 12,
                             "years_of_history": [int(y) for y in profile.years.index],
                             "own_weight": profile.prior.weight if profile.prior else 1.0}  # fmt: skip
    if len(profile.years) >= 3:
        test = annualisation_backtest(past, [months]).table.iloc[0]
        found["backtest"] = {"mean_absolute_error": float(test["mean_absolute_error"]),
                             "straight_line_error": float(test["straight_line_error"]), "covered": float(test["covered"])}  # fmt: skip
    if out:
        _write(out, profile.table)
    if as_json:
        print_json(found)
        return
    click.echo(say("annualise_line", year=year, months=months, paid=money(paid), share=f"{100 * share:.2f}",
                   annual=money(paid / share), low=money(low), high=money(high), straight=money(paid / months * 12)))  # fmt: skip
    if profile.prior is not None:
        click.echo(
            say("annualise_short", years=len(profile.years), weight=f"{100 * profile.prior.weight:.0f}")
        )
    if "backtest" in found:
        click.echo(say("annualise_backtest", error=f"{100 * found['backtest']['mean_absolute_error']:.1f}",
                       straight=f"{100 * found['backtest']['straight_line_error']:.1f}"))  # fmt: skip
    if out:
        click.echo(say("wrote", path=out))


def check_claim_file(
    file: str,
    exposure: str | None,
    unit: str | None,
    marked: str | None,
    lang: str | None,
    *,
    as_json: bool,
    sheet: Any = None,
) -> None:
    """Every fault of a claim file at once; on request a copy with the cells marked.

    Raises
    ------
    InputError
        With the faults, after the marked copy is written.
    """
    from actuarial.errors import InputError
    from actuarial.tables import check_claims, read_exposure, write_marked_copy

    spells = read_exposure(exposure) if exposure else None
    faults, notes = check_claims(file, unit=unit, sheet=sheet, exposure=spells)
    if faults:
        if marked:
            write_marked_copy(file, faults, marked, lang=lang)
            click.echo(say("wrote", path=marked), err=True)
        raise InputError(faults)
    found = [n.message(lang) for n in notes]
    if as_json:
        print_json({"ok": True, "file": Path(file).name, "notes": found, "faults": []})
        return
    click.echo(say("check_claims_ok", file=Path(file).name))
    for note in found:
        click.echo(say("check_note", note=note))


def say_synthetic(synthetic: bool) -> None:
    """Before any figure of a synthetic file."""
    if synthetic:
        click.echo(text("answer.synthetic_line"))


def _write(out: str, frame: Any) -> None:
    """A table as CSV or workbook, by the ending; text stays text."""
    from actuarial.results import write_frames, write_text

    if Path(out).suffix.lower() == ".csv":
        write_text(out, frame.map(formula_safe).to_csv(index=False, lineterminator="\n"))
    else:
        write_frames(out, {text("label.result"): frame})


def _none(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value


def _number(value: Any, digits: int) -> str:
    return "—" if value is None or value != value else f"{value:,.{digits}f}"
