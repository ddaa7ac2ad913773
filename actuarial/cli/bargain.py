"""Commands of bargaining: a contract over simulated years, offers side by side, band tables that meet both sides' wishes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import click

from actuarial.cli import report as reports
from actuarial.cli.bargain_options import case_of, help_of, numbers, variants, years
from actuarial.cli.shared import common, print_json, show_table, simulated
from actuarial.texts import language, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from actuarial.cli.bargain_options import Case
    from actuarial.contract import Contract
    from actuarial.contract.fair import FairTarget
    from actuarial.results import Kind, Unit


def say(code: str, **params: Any) -> str:
    """A line of these commands."""
    return text(f"bargain_cli.{code}", **params)


def _fair(case: Case, contract: Contract, margin: float, target: float) -> FairTarget:
    """The fair target of one contract on the case's years."""
    from actuarial.contract.fair import fair_target

    fixed = {k: v for k, v in case.amounts.items() if k != "target"}
    return fair_target(
        contract, claims=case.claims, costs=case.costs, margin=margin, target=target, **fixed, **case.given
    )


@click.command(help=help_of("evaluate"), short_help=help_of("evaluate_short"))
@click.argument("reference", metavar="PLAN|ID|FILE")
@years
@click.option("--margin", type=float, default=0.0, show_default=True, help=help_of("margin_help"))
@simulated
@common
def evaluate(
    reference: str,
    margin: float,
    paths: int,
    seed: int,
    threads: int,
    lang: str | None,
    as_json: bool,
    **told: Any,
) -> None:
    """Both sides' results of one contract, the value of its terms, its fair target, its cautions."""
    from actuarial.contract.term_values import value_of_terms
    from actuarial.contract.words import sharer_in_words

    case = case_of((reference,), told, paths=paths, seed=seed, threads=threads)
    found = case.first.evaluate(claims=case.claims, costs=case.costs, **case.amounts, **case.given)
    values = value_of_terms(case.first, claims=case.claims, costs=case.costs, **case.amounts, **case.given)
    fair = _fair(case, case.first, margin, found.target)
    growth = None if case.growth is None else found.conditional(case.growth)
    if as_json:
        print_json(found.to_dict() | {
            "growth": None if growth is None else plain(growth), "terms": plain(values.in_words(language(lang))),
            "fair_target": {"roots": plain(fair.table), "margin": margin}, "seed": seed,
        })  # fmt: skip
        return
    unit, party = unit_of(lang), sharer_in_words(case.first)
    click.echo(say("head", name=case.first.law.name(), target=unit.show(found.target), source=case.source))
    rows = found.table.assign(party=[text(f"label.party_{p}") for p in found.table["party"]])
    show(rows, {"party": "text", "expected": "signed_money", "expected_error": "money", "sd": "money", "loss_probability": "percent",
                "mean_of_worst_5pct": "signed_money", "mean_of_worst_1pct": "signed_money"}, unit, party)  # fmt: skip
    if found.cash is not None:
        click.echo()
        click.echo(next(line for line in found.summary().splitlines()[len(found.measures) + 1 :]))
    if growth is not None:
        click.echo("\n" + say("by_growth"))
        show(growth, {"low": "percent", "high": "percent", "probability": "percent", "insurer_expected": "signed_money",
                      "insurer_loss_probability": "percent", "fund_expected": "signed_money"}, unit, party)  # fmt: skip
    if not found.policy_table.empty:
        click.echo("\n" + say("by_policy"))
        policy = found.policy_table.assign(
            party=[text(f"label.party_{p}") for p in found.policy_table["party"]]
        )
        show(policy, {"party": "text", "expected": "signed_money", "without": "signed_money", "caused": "signed_money", "caused_error": "money"}, unit, party)  # fmt: skip
    click.echo("\n" + values.summary())
    click.echo("\n" + fair.summary())
    tell_cautions(found.cautions)


@click.command(help=help_of("compare"))
@click.argument("references", metavar="PLAN|ID|FILE…", nargs=-1, required=True)
@years
@click.option("--offer", "offers", multiple=True, metavar="NAME:PLACE=VALUE,…", help=help_of("offer_help"))
@click.option("--effort", type=float, default=None, help=help_of("effort_help"))
@click.option("--margin", type=float, default=0.0, show_default=True, help=help_of("margin_help"))
@click.option("--out", type=click.Path(), default=None, help=help_of("out_help"))
@reports.formats("html,xlsx")
@simulated
@common
def compare(
    references: tuple[str, ...], offers: tuple[str, ...], effort: float | None, margin: float, out: str | None,
    formats: tuple[str, ...], paths: int, seed: int, threads: int, lang: str | None, as_json: bool, **told: Any,
) -> None:  # fmt: skip
    """Offers side by side on the same paths; with --out, the negotiating sheet."""
    from actuarial.contract.comparison import compare_offers
    from actuarial.contract.effort import Effort

    if out is not None:
        reports.refuse_file(out)
    case = case_of(references, told, paths=paths, seed=seed, threads=threads)
    more, targets = variants(offers, case.first)
    found = compare_offers(
        {**case.contracts, **more}, claims=case.claims, targets=targets, costs=case.costs,
        effort=None if effort is None else Effort(effort), **case.amounts, **case.given,
    )  # fmt: skip
    files = None if out is None else _sheet(case, found, out, formats, margin)
    if as_json:
        print_json(found.to_dict() | {"seed": seed} | ({} if files is None else reports.written(files)))
        return
    unit, party = unit_of(lang), found.party()
    click.echo(say("source", source=case.source))
    side = "after" if found.after_costs else "contractual"
    for name, words in (("insurer", say(f"side_insurer_{side}", party=party)), ("fund", say("side_fund"))):
        rows = found.table[found.table["side"] == name]
        click.echo("\n" + words)
        show(rows, {"offer": "text", "target": "money", "expected": "signed_money", "expected_error": "money", "loss_probability": "percent",
                    "mean_of_worst_5pct": "signed_money"}, unit, party)  # fmt: skip
    click.echo()
    for o in found.evaluations:
        if o != found.base:
            click.echo(found.verdict(o))
    click.echo("\n" + say("incentives"))
    kinds: dict[str, Kind] = {"offer": "text", "insurer_keeps": "percent", "no_incentive": "percent"}
    if effort is not None:
        kinds |= {
            "saving": "money",
            "cost": "money",
            "insurer_gain": "signed_money",
            "fund_gain": "signed_money",
        }
    show(found.incentives, kinds, unit, party)
    if effort is None:
        click.echo("\n" + text("comparison.no_effort", party=found.party()))
    for o, e in found.evaluations.items():
        tell_cautions(e.cautions, o)
    if files is not None:
        reports.tell(files)


def _sheet(case: Case, found: Any, out: str, formats: tuple[str, ...], margin: float) -> Any:
    from actuarial.contract.term_values import value_of_terms
    from actuarial.report.negotiation import build_sheet

    base = found.evaluations[found.base]
    values = value_of_terms(base.contract, claims=case.claims, costs=case.costs, **case.amounts, **case.given)
    fair = _fair(case, base.contract, margin, base.target)
    dated = case.simulation.fund.plan.model.valuation_date if case.simulation else ""
    synthetic = case.simulation is not None and case.simulation.fund.plan.synthetic
    return build_sheet(
        found,
        out,
        values=values,
        fair=fair,
        source=case.source,
        formats=formats,
        dated=dated,
        synthetic=synthetic,
    )


@click.command(help=help_of("design"))
@click.argument("reference", metavar="PLAN|ID|FILE")
@years
@click.option("--edges", default=None, callback=numbers, help=help_of("edges_help"))
@click.option("--margin", type=float, default=None, help=help_of("wish_margin_help"))
@click.option("--insurer-loss", type=float, default=None, help=help_of("wish_loss_help"))
@click.option("--fund-tail", type=float, default=None, help=help_of("wish_tail_help"))
@click.option("--fund-expected", type=float, default=None, help=help_of("wish_fund_help"))
@click.option("--step", type=float, default=0.05, show_default=True, help=help_of("step_help"))
@click.option("--least", type=float, default=0.0, show_default=True, help=help_of("least_help"))
@click.option("--most", type=float, default=1.0, show_default=True, help=help_of("most_help"))
@click.option(
    "--order",
    type=click.Choice(["rising", "falling", "free"]),
    default="rising",
    show_default=True,
    help=help_of("order_help"),
)
@click.option("--beyond", type=float, default=None, help=help_of("beyond_help"))
@click.option("--apart", is_flag=True, help=help_of("apart_help"))
@click.option("--effort", type=float, default=None, help=help_of("effort_help"))
@click.option("--top", type=click.IntRange(1, 1000), default=5, show_default=True, help=help_of("top_help"))
@simulated
@common
def design(
    reference: str, edges: tuple[float, ...] | None, margin: float | None, insurer_loss: float | None, fund_tail: float | None,
    fund_expected: float | None, step: float, least: float, most: float, order: Literal["rising", "falling", "free"],
    beyond: float | None, apart: bool, effort: float | None, top: int, paths: int, seed: int, threads: int,
    lang: str | None, as_json: bool, **told: Any,
) -> None:  # fmt: skip
    """Band tables in round numbers that meet what both sides ask for, the nearest to the present one first."""
    from actuarial.contract.design import Wanted, design_bands
    from actuarial.contract.effort import Effort
    from actuarial.contract.words import sharer_in_words

    case = case_of((reference,), told, paths=paths, seed=seed, threads=threads)
    present = case.first.evaluate(claims=case.claims, costs=case.costs, **case.amounts, **case.given)
    curve = present.curve
    own = [e for e in curve.edges if e > 0]
    chosen = list(edges or own)
    middles = [
        (a + b) / 2 for a, b in zip([0.0, *chosen], [*chosen, 2 * chosen[-1] if chosen else 1.0], strict=True)
    ]
    near = [*(float(curve.slope_at(m)) for m in middles), *(float(curve.slope_at(-m)) for m in middles)]
    charge = present.insurer - present.insurer_after_costs
    found = design_bands(
        case.claims, target=present.target, edges=chosen, step=step, least=least, most=most, order=order, beyond=beyond,
        symmetric=not apart, near=near, costs=float(charge.mean()), effort=None if effort is None else Effort(effort),
        wanted=Wanted(margin, insurer_loss, fund_tail, fund_expected), seed=seed,
    )  # fmt: skip
    if as_json:
        print_json({"contract": case.first.law.id, "target": present.target, "edges": chosen, "tried": found.tried,
                    "found": len(found.found), "tables": plain(found.table.head(top)), "closest": found.closest,
                    "effort": effort, "costs": float(charge.mean()), "seed": seed})  # fmt: skip
        return
    click.echo(
        say("head", name=case.first.law.name(), target=unit_of(lang).show(present.target), source=case.source)
    )
    click.echo(found.summary())
    if len(found.found) > 1:
        click.echo("\n" + say("next_tables"))
        k = len(chosen) + 1
        rows = found.table.head(top).assign(
            shares=[
                " ".join(f"{100 * s:g}" for s in row[: 2 * k if apart else k]) for row in found.shares[:top]
            ]
        )
        show(rows, {"shares": "text", "insurer_expected": "signed_money", "insurer_loss_probability": "percent",
                    "fund_expected": "signed_money", "fund_tail": "signed_money", "saving": "money"}, unit_of(lang), sharer_in_words(case.first))  # fmt: skip


# --------------------------------------------------------------------------- showing


def unit_of(lang: str | None) -> Unit:
    """The unit of these commands."""
    from actuarial.results import Unit

    return Unit.fine(lang)


def show(frame: pd.DataFrame, kinds: Mapping[str, Kind], unit: Unit, party: str) -> None:
    """Columns of a frame as an aligned table; amounts in the unit named in the headings; `party` shares with the fund."""
    from actuarial.results import shown

    heads = [
        say(f"col_{name}", unit=unit.label, party=party) + (" %" if kind == "percent" else "")
        for name, kind in kinds.items()
    ]
    cells = [[shown(row[n], k, unit) for n, k in kinds.items()] for row in frame.to_dict("records")]
    for line in show_table(heads, cells, [k == "text" for k in kinds.values()]):
        click.echo(line)


def tell_cautions(cautions: Any, offer: str = "") -> None:
    """Cautions, a line each."""
    if cautions:
        click.echo("\n" + (say("cautions_of", offer=offer) if offer else say("cautions")))
    for c in cautions:
        click.echo(
            "  "
            + text("evaluation.caution", severity=text(f"caution.severity_{c.severity}"), words=c.message())
        )


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for ``--json``: no NaN, no numpy."""
    rows = []
    for row in frame.to_dict("records"):
        rows.append({
            str(k): (None if isinstance(v, float) and not math.isfinite(v) else v.item() if hasattr(v, "item") else v)
            for k, v in row.items()
        })  # fmt: skip
    return rows
