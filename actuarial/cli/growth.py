"""Commands on growth: fit and back-test."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actuarial.cli.shared import common, help_text, print_json, say

if TYPE_CHECKING:
    import pandas as pd


@click.command(help=help_text("growth_help"))
@click.argument("table", type=click.Path())
@click.option("--pool", type=click.Path(), default=None, help=help_text("growth_pool_help"))
@click.option("--on-level", "on_level", type=click.Path(), default=None, help=help_text("on_level_help"))
@click.option("--fund", default=None, help=help_text("fund_help"))
@click.option(
    "--columns-are", type=click.Choice(["fund", "category"]), default="fund", help=help_text("columns_help")
)
@click.option(
    "--model",
    type=click.Choice(["pooled", "stacked", "drift", "ets", "sarimax", "structural"]),
    default="pooled",
    help=help_text("growth_model_help"),
)
@click.option(
    "--breaks", type=click.Choice(["step", "cut", "keep"]), default="step", help=help_text("breaks_help")
)
@click.option("--raw/--held", "raw", default=None, help=help_text("raw_help"))
@click.option("--plot", "plot", type=click.Path(), default=None, help=help_text("plot_help"))
@common
def growth(
    table: str, pool: str | None, on_level: str | None, fund: str | None, columns_are: str, model: str, breaks: str,
    raw: bool | None, plot: str | None, lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Next year's growth from a table of yearly levels."""
    from actuarial.errors import ActuarialWarning
    from actuarial.growth import fit_growth

    frame = read_levels(table)
    series: Any = frame.iloc[:, 0] if frame.shape[1] == 1 else _named(frame, columns_are)
    factors = read_levels(on_level).iloc[:, 0] if on_level else None
    neighbours = read_levels(pool) if pool else None
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ActuarialWarning)
        fit = fit_growth(
            series, pool=neighbours, on_level=factors, model=model, breaks=breaks, raw=raw  # type: ignore[arg-type]
        )  # fmt: skip
    told = list(dict.fromkeys(str(w.message) for w in heard))
    if fund is not None:
        fit = fit.fund(fund)
    if plot:
        _write_plot(fit.plot(lang=lang), plot)
    if as_json:
        print_json({"file": Path(table).name, **fit.to_dict(), "warnings": told})
        return
    click.echo(fit.summary(lang))
    for message in told:
        click.echo(message, err=True)
    if plot:
        click.echo(say("wrote", path=plot))


def _named(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The frame with the last level of its columns named."""
    return frame.set_axis(frame.columns.set_names([*frame.columns.names[:-1], kind]), axis=1)


@click.command(help=help_text("backtest_help"))
@click.argument("table", type=click.Path())
@click.option("--points", type=click.IntRange(3), default=None, help=help_text("points_help"))
@click.option("--horizon", type=click.IntRange(1, 10), default=1, help=help_text("horizon_help"))
@click.option("--peers", default="naive,drift", help=help_text("peers_help"))
@click.option("--alone", is_flag=True, help=help_text("alone_help"))
@click.option("--plot", "plot", type=click.Path(), default=None, help=help_text("plot_help"))
@click.option("--out", type=click.Path(), default=None, help=help_text("table_out_help"))
@common
def backtest(
    table: str, points: int | None, horizon: int, peers: str, alone: bool, plot: str | None, out: str | None,
    lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Forecast each past year from the years before it."""
    from actuarial.cli.data import _write
    from actuarial.errors import ActuarialWarning
    from actuarial.growth.backtest import backtest as run_backtest

    frame = read_levels(table)
    series: Any = frame.iloc[:, 0] if frame.shape[1] == 1 else frame
    names = [p.strip() for p in peers.split(",") if p.strip()]
    names = names if "drift" in names else [*names, "drift"]
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ActuarialWarning)
        test = run_backtest(
            series, points=points, horizons=range(1, horizon + 1), peers=names, shared=not alone
        )
    for message in dict.fromkeys(str(w.message) for w in heard):
        click.echo(message, err=True)
    if plot:
        _write_plot(test.plot(lang=lang), plot)
    if out:
        _write(out, test.table)
    if as_json:
        rows = [{k: _finite(v) for k, v in row.items()} for row in test.table.to_dict("records")]
        print_json(
            {"file": Path(table).name, "points": points, "scores": rows, "verdict": test.verdict(lang)}
        )
        return
    click.echo(test.summary(lang))
    for path in (plot, out):
        if path:
            click.echo(say("wrote", path=path))


def read_levels(path: str) -> pd.DataFrame:
    """Levels by year from CSV or Excel: the first column the year, a column a fund; or year, fund, level in rows.

    Rows may name groups before the fund (year, province, city, fund, level): they become levels of the columns.

    A table with the columns of a fund's history (participants and expenditure) gives expenditure per participant.

    Raises
    ------
    InputError
        If the file is not there, or holds no numbers by year.
    """
    import pandas as pd

    from actuarial.errors import Fault, InputError
    from actuarial.tables import read_table

    file = Path(path)
    if not file.is_file():
        raise InputError([Fault("file.not_found", file=str(path))])
    try:
        history = read_table(path, "history").frame.set_index("year")
        level = history["fund_expenditure"] / history["participants"]
        return level.rename("per_capita").to_frame()
    except (InputError, KeyError):
        pass
    try:
        raw = pd.read_csv(file) if file.suffix.lower() == ".csv" else pd.read_excel(file, engine="calamine")
    except (ValueError, UnicodeDecodeError, OSError) as error:
        raise InputError([Fault("growth.no_levels", file=file.name)]) from error
    if raw.shape[1] < 2 or raw.empty:
        raise InputError([Fault("growth.no_levels", file=file.name)])
    year = raw.columns[0]
    text_columns = [c for c in raw.columns[1:] if not pd.api.types.is_numeric_dtype(raw[c])]
    numbers = [c for c in raw.columns[1:] if pd.api.types.is_numeric_dtype(raw[c])]
    if len(text_columns) >= 1 and len(numbers) == 1 and raw[year].duplicated().any():
        # several columns of names are levels: province, city, fund
        names: Any = text_columns if len(text_columns) > 1 else text_columns[0]
        if raw.duplicated([year, *text_columns]).any():
            raise InputError([Fault("growth.year_twice", file=file.name)])
        return raw.pivot(index=year, columns=names, values=numbers[0])
    if not numbers:
        raise InputError([Fault("growth.no_levels", file=file.name)])
    return raw.set_index(year)[numbers]


def _write_plot(axes: Any, path: str) -> None:
    """A chart as PNG or SVG, by the ending."""
    from actuarial.results import atomic_path, figure_style, figure_svg, write_text

    if Path(path).suffix.lower() == ".svg":
        write_text(path, figure_svg(axes))
        return
    with atomic_path(path) as temporary, figure_style():
        axes.get_figure(root=True).savefig(temporary, format="png", dpi=150, metadata={"Software": None})


def _finite(value: Any) -> Any:
    """None where there is no number (an outcome beyond the bounds has no log score)."""
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
