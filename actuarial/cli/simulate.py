"""Commands on the fund: simulate, scenarios, fleet."""

from __future__ import annotations

from typing import Any

import click

from actuarial.cli.growth import _write_plot
from actuarial.cli.shared import common, help_text, print_json, progress_bar, say, simulated

CRITERIA = ("current_year", "closing", "any_month", "months_payable", "expected_balance", "tvar")
FAN_PATHS = 200_000
"""Most paths whose months are kept one by one, for when trouble begins."""


def _shares(_: Any, __: Any, words: tuple[str, ...]) -> dict[str, float]:
    """``name=share`` pairs."""
    found = {}
    for word in words:
        name, equals, number = word.partition("=")
        try:
            found[name] = float(number) if equals else 1.0
        except ValueError as error:
            raise click.BadParameter(word) from error
    return found


def _premiums(_: Any, __: Any, words: str | None) -> str | list[float] | None:
    """A rule, or amounts by year."""
    if words is None or words in ("present", "criterion", "announced"):
        return words
    try:
        return [float(word) for word in words.split(",")]
    except ValueError as error:
        raise click.BadParameter(words) from error


@click.command(help=help_text("simulate_help"), short_help=help_text("simulate_short"))
@click.argument("plan", type=click.Path())
@click.option("--criterion", type=click.Choice(CRITERIA), default=None, help=help_text("sim_criterion_help"))
@click.option("--alpha", type=float, default=None, help=help_text("sim_alpha_help"))
@click.option("--months", type=float, default=None, help=help_text("sim_months_help"))
@click.option("--amount", type=float, default=0.0, help=help_text("sim_amount_help"))
@click.option("--split", multiple=True, callback=_shares, help=help_text("sim_split_help"))
@click.option(
    "--method", type=click.Choice(["auto", "plain"]), default="auto", help=help_text("sim_method_help")
)
@click.option("--years", type=click.IntRange(1, 30), default=None, help=help_text("sim_years_help"))
@click.option("--premiums", default=None, callback=_premiums, help=help_text("sim_premiums_help"))
@click.option("--plot", "plot", type=click.Path(), default=None, help=help_text("plot_help"))
@simulated
@common
def simulate(
    plan: str, criterion: str | None, alpha: float | None, months: float | None, amount: float,
    split: dict[str, float], method: str, years: int | None, premiums: str | list[float] | None, plot: str | None,
    paths: int, seed: int, threads: int, lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """The fund's answers, the growth that breaks it and when trouble begins; or its years."""
    import warnings

    from actuarial.errors import ActuarialWarning
    from actuarial.fund import Fund
    from actuarial.fund.forecast import plan_cost
    from actuarial.fund.needs import CRITERIA as DEFICITS
    from actuarial.fund.sensitivity import reverse_stress
    from actuarial.fund.trouble import trouble
    from actuarial.plan import load_plan

    loaded = load_plan(plan)
    fund, cost = Fund(loaded), plan_cost(loaded)
    if years is not None or premiums is not None:
        idle = {"--months": months is not None, "--amount": amount != 0.0, "--split": bool(split)}
        if any(idle.values()):
            names = ", ".join(name for name, given in idle.items() if given)
            raise click.UsageError(say("sim_years_alone", names=names))
        ahead = fund.project(
            cost, years=years, premiums=premiums, alpha=alpha, criterion=criterion, paths=paths, seed=seed,
            threads=threads,
        )  # fmt: skip
        if plot:
            _write_plot(ahead.plot(lang=lang), plot)
        if as_json:
            print_json({"plan": loaded.name("zh"), **ahead.to_dict(), "synthetic": loaded.synthetic})
            return
        click.echo(ahead.summary(lang))
        if plot:
            click.echo(say("wrote", path=plot))
        return
    found = fund.answers(
        cost, alpha, criterion=criterion, months=months, amount=amount, split=split or None,
        paths=paths, seed=seed, threads=threads, method=method,
    )  # fmt: skip
    use = found.criterion.name if found.criterion.name in DEFICITS else "closing"
    stress = reverse_stress(
        fund, cost, found.criterion.alpha, criterion=use, paths=paths, seed=seed, threads=threads
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ActuarialWarning)  # said already
        sim = fund.simulate(cost, paths=min(paths, FAN_PATHS), seed=seed, threads=threads)
        when = trouble(sim, alpha=found.criterion.alpha)
    if plot:
        _write_plot(found.plot(lang=lang), plot)
    if as_json:
        growth = stress.growth if abs(stress.growth) < float("inf") else None
        print_json({"plan": loaded.name("zh"), **found.to_dict(), "breaking_growth": growth,
                    "assumed_growth": stress.assumed, "trouble": when.to_dict(), "synthetic": loaded.synthetic})  # fmt: skip
        return
    click.echo(found.summary(lang))
    click.echo(stress.summary(lang))
    click.echo(when.summary(lang))
    if plot:
        click.echo(say("wrote", path=plot))


@click.command(help=help_text("scenarios_help"))
@click.argument("plan", type=click.Path())
@click.option("--plot", "plot", type=click.Path(), default=None, help=help_text("plot_help"))
@click.option("--out", type=click.Path(), default=None, help=help_text("table_out_help"))
@simulated
@common
def scenarios(
    plan: str, plot: str | None, out: str | None, paths: int, seed: int, threads: int, lang: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """The plan's scenarios side by side, with the error of their differences."""
    from actuarial.cli.data import _write
    from actuarial.fund.scenarios import compare_scenarios
    from actuarial.plan import load_plan

    found = compare_scenarios(load_plan(plan), paths=paths, seed=seed, threads=threads)
    if plot:
        _write_plot(found.plot_small_multiples(lang), plot)
    if out:
        _write(out, found.table)
    if as_json:
        print_json({**found.to_dict(), "paths": paths, "seed": seed})
        return
    click.echo(found.summary(lang))
    for path in (plot, out):
        if path:
            click.echo(say("wrote", path=path))


@click.command(help=help_text("fleet_help"), short_help=help_text("fleet_short"))
@click.argument("source", type=click.Path())
@click.option("--shared", multiple=True, callback=_shares, help=help_text("fleet_shared_help"))
@click.option("--rate", type=float, default=None, help=help_text("fleet_rate_help"))
@click.option("--keep", type=click.Path(), default=None, help=help_text("fleet_keep_help"))
@click.option("--engine", type=click.Choice(["threads", "processes"]), default="threads",
              help=help_text("fleet_engine_help"))  # fmt: skip
@click.option("--out", type=click.Path(), default=None, help=help_text("table_out_help"))
@simulated
@common
def fleet(
    source: str, shared: dict[str, float], rate: float | None, keep: str | None, engine: str, out: str | None,
    paths: int, seed: int, threads: int, lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Many funds in the same worlds, pooled where asked for."""
    from actuarial.cli.data import _write
    from actuarial.fund.fleet import Fleet
    from actuarial.fund.pooling import pool

    with progress_bar(as_json) as progress:
        found = Fleet(source).simulate(
            shared=shared,
            paths=paths,
            seed=seed,
            workers=threads,
            engine=engine,
            folder=keep,
            progress=progress,
        )
    pooled = pool(found, rate=rate) if rate is not None else None
    table = found.table if pooled is None else found.table.merge(pooled.table.drop(columns="pool"), on="fund")
    if out:
        _write(out, table)
    if as_json:
        rows = [_plain(row) for row in table.to_dict("records")]
        pools = [] if pooled is None else [_plain(row) for row in pooled.pools.to_dict("records")]
        print_json({"funds": rows, "pools": pools, "any_deficit": found.any_deficit, "shared": shared,
                    "paths": paths, "seed": seed})  # fmt: skip
        return
    click.echo(found.summary(lang))
    if pooled is not None:
        click.echo(pooled.summary(lang))
    if out:
        click.echo(say("wrote", path=out))


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(k): None if isinstance(v, float) and not abs(v) < float("inf") else v for k, v in row.items()}
