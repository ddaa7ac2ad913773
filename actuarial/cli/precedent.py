"""The command that replays a printed per-capita calculation."""

from __future__ import annotations

from typing import Any

import click

from actuarial.cli.shared import common, help_text, print_json, say


@click.command(help=help_text("calculate_help"))
@click.argument("law_id", metavar="[ID]", default="china/jiande/costing/per_capita@2012-01-01")
@click.option("--growth-sd", type=click.FloatRange(0, 1), default=0.0, help=help_text("growth_sd_help"))
@common
def calculate(law_id: str, growth_sd: float, lang: str | None, as_json: bool) -> None:
    """Replay a printed per-capita calculation."""
    found = calculation(law_id, growth_sd)
    if as_json:
        print_json(found)
    else:
        print_calculation(found)


def calculation(law_id: str, growth_sd: float) -> dict[str, Any]:
    """The printed calculation; with its quantiles where growth has a standard deviation."""
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


def print_calculation(found: dict[str, Any]) -> None:
    """Say it in a line or two."""
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
