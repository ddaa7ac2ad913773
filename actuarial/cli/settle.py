"""``actuarial contract settle``: one year by its figure, by its months, or by points; the statement to be signed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actuarial.cli import report as reports
from actuarial.cli.shared import common, help_text, print_json, say
from actuarial.errors import Fault, InputError
from actuarial.texts import text

if TYPE_CHECKING:
    import pandas as pd

    from actuarial.contract import Contract, YearSettlement
    from actuarial.contract.saved import LastYear

NUMBERS = ("target", "heads", "premium", "financing", "revenue", "claims", "late_claims", "policy_loss", "quality",
           "expenses", "excess", "budget")  # fmt: skip
"""Options that are amounts."""
UNUSED = {
    "claims": ("late_claims", "policy_loss", "quality", "expenses", "excess", "budget", "events", "event", "indicator",
               "last", "late_last_year", "period", "out"),
    "months": ("budget",),
    "points": ("target", "heads", "premium", "financing", "revenue", "late_claims", "policy_loss", "quality", "expenses",
               "excess", "events", "event", "indicator", "last", "late_last_year"),
}  # fmt: skip
"""Options that each way of settling does not use: refused, so that nothing is left out silently."""


def _help(code: str) -> str:
    return help_text(f"settle_{code}")


def _pairs(_: Any, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """``NAME=VALUE`` options."""
    found = {}
    for word in given:
        name, mark, value = word.partition("=")
        if not mark or not name.strip() or not value.strip():
            raise click.BadParameter(say("settle_pair", value=word), param=param)
        found[name.strip()] = value.strip()
    return found


def _numbers(command: Callable[..., Any]) -> Callable[..., Any]:
    for name in reversed(NUMBERS):
        option = click.option(f"--{name.replace('_', '-')}", type=float, default=None, help=_help(name))
        command = option(command)
    return command


@click.command(help=help_text("settle_help"), short_help=help_text("settle_short"))
@click.argument("reference", metavar="ID|FILE")
@_numbers
@click.option("--months", type=click.Path(), default=None, help=_help("months"))
@click.option("--events", type=click.Path(), default=None, help=_help("events"))
@click.option("--points", type=click.Path(), default=None, help=_help("points"))
@click.option("--sheet", default=None, help=_help("sheet"))
@click.option("--unit", default=None, help=help_text("unit_help"))
@click.option("--event", "event", multiple=True, callback=_pairs, help=_help("event"))
@click.option("--indicator", multiple=True, callback=_pairs, help=_help("indicator"))
@click.option("--reading", multiple=True, callback=_pairs, help=_help("reading"))
@click.option("--last", type=click.Path(), default=None, help=_help("last"))
@click.option(
    "--late-last-year", type=click.Choice(["add", "included"]), default=None, help=_help("late_last_year")
)
@click.option("--period", default=None, help=_help("period"))
@click.option("--fund-name", default=None, help=_help("fund_name"))
@click.option("--insurer-name", default=None, help=_help("insurer_name"))
@click.option("--template", type=click.Path(), default=None, help=_help("template"))
@click.option("--out", type=click.Path(), default=None, help=_help("out"))
@reports.formats("html,xlsx,docx,pdf")
@common
def settle(reference: str, lang: str | None, as_json: bool, **given: Any) -> None:
    """Settle one year."""
    from actuarial.contract import load_contract

    contract = load_contract(reference).with_readings({k: _value(v) for k, v in given["reading"].items()})
    if given["template"] is not None:
        _template(contract, given, as_json=as_json)
        return
    if given["out"] is not None:
        reports.refuse_file(given["out"])
    ways = [f"--{name}" for name in ("claims", "months", "points") if given[name] is not None]
    if len(ways) > 1:
        raise click.UsageError(say("settle_ways", names="、".join(ways)))
    if ways:
        _refuse_unused(given, ways[0])
    if (contract.terms.points is not None and not contract.terms.sharing) or given["points"] is not None:
        _by_points(contract, given, as_json=as_json)
    elif given["months"] is not None:
        _by_months(contract, given, as_json=as_json)
    else:
        _by_year(contract, given, as_json=as_json)


def _value(word: str) -> float | str:
    """A reading as a number, or the name of a choice."""
    try:
        return float(word)
    except ValueError:
        return word


def _needed(given: dict[str, Any], *names: str) -> None:
    missing = ["/".join(f"--{n.replace('_', '-')}" for n in either.split("|"))
               for either in names if all(given[n] is None for n in either.split("|"))]  # fmt: skip
    if missing:
        raise click.UsageError(say("settle_needed", names="、".join(missing)))


def _refuse_unused(given: dict[str, Any], way: str) -> None:
    """Options that would change nothing here."""
    unused = [f"--{n.replace('_', '-')}" for n in UNUSED[way[2:]] if given[n] not in (None, (), {})]
    if given["late_last_year"] is not None and given["last"] is None and "--late-last-year" not in unused:
        raise click.UsageError(say("settle_late_without_last"))
    if unused:
        raise click.UsageError(say("settle_unused", way=way, names="、".join(unused)))


def _period(word: str | None) -> pd.Period | None:
    import pandas as pd

    if word is None:
        return None
    try:
        found = pd.Period(word, freq="M")
    except ValueError:
        found = None
    if found is None or not (len(word) == 7 and 1950 <= found.year <= 2200):
        raise click.UsageError(say("settle_period_wrong", value=word))
    return found


def _start(given: dict[str, Any], dated: pd.Period | None) -> pd.Period | None:
    """The first month, from the option or the table; both must agree."""
    start = _period(given["period"])
    if start is not None and dated is not None and start != dated:
        params = {"period": str(start), "table": str(dated)}
        raise InputError([Fault("contract.other_period", file=given["months"], params=params)])
    return dated if start is None else start


def _names(given: dict[str, Any]) -> dict[str, str]:
    other = given["insurer_name"]
    named = {"fund": given["fund_name"], "insurer": other, "provider": other}
    return {k: v for k, v in named.items() if v}


def _template(contract: Contract, given: dict[str, Any], *, as_json: bool) -> None:
    from actuarial.report.settle_template import write_template

    path = write_template(contract, Path(given["template"]), _period(given["period"]))
    if as_json:
        print_json({"contract": contract.law.id, "template": str(path)})
    else:
        click.echo(say("wrote", path=path))


# --------------------------------------------------------------------------- the year's figure


def _by_year(contract: Contract, given: dict[str, Any], *, as_json: bool) -> None:
    """By the bands alone."""
    _needed(given, "target|heads", "claims")
    claims = given["claims"]
    settled = contract.settle(
        claims=claims, **{k: given[k] for k in ("target", "heads", "premium", "financing", "revenue")}
    )
    target = settled.target
    if as_json:
        print_json(settled.to_dict())
        return
    kind = say("settle_surplus" if settled.outcome >= 0 else "settle_deficit")
    click.echo(say("settle_line", target=_yuan(target), claims=_yuan(claims), kind=kind, outcome=_yuan(abs(settled.outcome))))  # fmt: skip
    for row in settled.table.to_dict("records"):
        if row["amount"]:
            high = _yuan(row["to"]) if row["to"] < float("inf") else say("above")
            click.echo(say("settle_band", low=_yuan(row["from"]), high=high, amount=_yuan(row["amount"]),
                           share=f"{100 * row['insurer_share']:g}", part=_yuan(row["insurer_part"])))  # fmt: skip
    rest = settled.insurer_result - settled.table["insurer_part"].sum()
    if abs(rest) >= 0.01:
        click.echo(say("settle_other_terms", amount=_yuan(rest)))
    click.echo(say("settle_result", insurer=_yuan(settled.insurer_result), fund=_yuan(settled.fund_result)))
    click.echo(say("settle_source", name=contract.law.name(), id=contract.law.id))


def _yuan(value: float) -> str:
    return f"{value:,.2f}".replace("-", "−")


# --------------------------------------------------------------------------- months


def _by_months(contract: Contract, given: dict[str, Any], *, as_json: bool) -> None:
    """By the months of a table: the ledger and the statement."""
    from actuarial.contract.actual import read_year
    from actuarial.contract.saved import earlier_claims, read_last, saved_data

    year = read_year(
        contract, given["months"], sheet=given["sheet"], unit=given["unit"], events=given["events"]
    )
    start = _start(given, year.start)
    last = None if given["last"] is None else read_last(given["last"], contract.law.id, start)
    settled = contract.settle_months(
        claims=year.claims, heads=_heads(given, year.heads), events=_counts(given, year.events),
        late_claims=_one(given, "late_claims", year.late_claims),
        policy_loss=_one(given, "policy_loss", year.policy_loss),
        target=given["target"], premium=given["premium"], financing=given["financing"], revenue=given["revenue"],
        quality=given["quality"], expenses=given["expenses"], excess=given["excess"],
        indicators={k: _number("--indicator", v) for k, v in given["indicator"].items()} or None,
        opening=None if last is None else last.opening,
        earlier_claims=0.0 if last is None else earlier_claims(last, given["late_last_year"]),
    )  # fmt: skip
    files = None
    if given["out"] is not None:
        from actuarial.report.statement import write_statement

        files = write_statement(
            settled, given["out"], formats=given["formats"], start=start, names=_names(given)
        )
    if as_json:
        made = (
            {}
            if files is None
            else reports.written(files) | {"saved": str(Path(given["out"]) / "settlement.json")}
        )
        print_json(saved_data(settled, start) | {"files": made})
        return
    _print(settled, start, last, _names(given))
    if files is not None:
        click.echo(say("wrote", path=Path(given["out"]) / "settlement.json"))
        reports.tell(files)


def _number(option: str, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise click.UsageError(say("settle_not_number", option=option, value=word)) from None


def _heads(given: dict[str, Any], by_month: tuple[float, ...] | None) -> Any:
    """Heads from the table or the option, not both."""
    if given["heads"] is not None and by_month is not None:
        raise InputError(
            [Fault("contract.twice", file=given["months"], params={"name": say("settle_twice_heads")})]
        )
    return given["heads"] if by_month is None else by_month


def _one(given: dict[str, Any], name: str, in_table: float) -> float:
    """An amount from the table or the option, not both."""
    if given[name] is not None and in_table:
        raise InputError(
            [Fault("contract.twice", file=given["months"], params={"name": f"--{name.replace('_', '-')}"})]
        )
    return in_table if given[name] is None else float(given[name])


def _counts(given: dict[str, Any], in_table: dict[str, int]) -> dict[str, int]:
    """Events from the table and the options; one that is in both is refused."""
    told = {}
    for name, word in given["event"].items():
        if name in in_table:
            raise InputError(
                [
                    Fault(
                        "contract.twice",
                        file=given["months"],
                        params={"name": say("settle_twice_event", name=name)},
                    )
                ]
            )
        if not word.isdigit():
            raise click.UsageError(say("settle_not_count", value=f"{name}={word}"))
        told[name] = int(word)
    return {**in_table, **told}


def _print(
    settled: YearSettlement, start: pd.Period | None, last: LastYear | None, names: dict[str, str]
) -> None:
    """The statement's first lines."""
    from actuarial.report.statement import opening_words

    if last is not None:
        click.echo(say("settle_last_read", file=last.file))
    for line in opening_words(settled, start=start, names=names):
        click.echo(line)
    law = settled.deal.contract.law
    click.echo(say("settle_source", name=law.name(), id=law.id))


# --------------------------------------------------------------------------- points


def _by_points(contract: Contract, given: dict[str, Any], *, as_json: bool) -> None:
    """By the points of providers."""
    from actuarial.contract.actual import read_points

    if given["points"] is None or given["budget"] is None:
        _needed(given, "points", "budget")
    frame = read_points(given["points"], sheet=given["sheet"], unit=given["unit"])
    settled = contract.settle_points(frame, budget=given["budget"])
    files = None
    if given["out"] is not None:
        from actuarial.report import write_documents
        from actuarial.report.statement import compose_points

        content = compose_points(settled, contract, start=_period(given["period"]), names=_names(given))
        files = write_documents(content, given["out"], name="settlement", formats=given["formats"])
    if as_json:
        print_json({"contract": contract.law.id, **settled.to_dict(), "files": {} if files is None else reports.written(files)})  # fmt: skip
        return
    click.echo(text("settle_words.points_line", budget=_yuan(settled.budget), reserve=_yuan(settled.reserve),
                    points=f"{settled.frame['points'].sum():,.10g}", value=f"{settled.point_value:,.6f}"))  # fmt: skip
    for row in settled.frame.to_dict("records"):
        click.echo(
            say("settle_provider", name=row["provider"], payment=_yuan(row["payment"]), due=_yuan(row["due"]))
        )
    click.echo(say("settle_source", name=contract.law.name(), id=contract.law.id))
    if files is not None:
        reports.tell(files)
