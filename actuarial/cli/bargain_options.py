"""Options of the bargaining commands, and what they say: the contract, the simulated years, the year's amounts."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actuarial.cli.shared import early_language
from actuarial.texts import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from actuarial.contract import Contract
    from actuarial.contract.costs import Costs
    from actuarial.fund import Simulation

COSTS = ("people", "cost_per_person", "expenses", "share_of_target", "capital", "capital_rate", "cash_rate")
AMOUNTS = ("target", "heads", "premium", "financing", "revenue")
PAIRS = ("reading", "event", "indicator")
ALL = (*COSTS, *AMOUNTS, *PAIRS, "plan", "lognormal", "quality", "policy_rise")


def help_of(code: str) -> str:
    """A help text of these commands, in the language asked for."""
    return text(f"bargain_cli.{code}", early_language(sys.argv[1:]))


def pairs(_: Any, __: Any, words: tuple[str, ...]) -> dict[str, Any]:
    """``name=value`` pairs; numbers as numbers."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(text("bargain_cli.pair", word=word))
        found[name.strip()] = number_or_word(value.strip())
    return found


def number_or_word(value: str) -> Any:
    """A number, or the word as it stands."""
    try:
        return float(value.replace(",", ""))
    except ValueError:
        return value


def numbers(_: Any, __: Any, word: str | None) -> tuple[float, ...] | None:
    """Numbers between commas."""
    if word is None:
        return None
    try:
        return tuple(float(w) for w in word.replace("，", ",").split(","))
    except ValueError as error:
        raise click.BadParameter(text("bargain_cli.numbers", word=word)) from error


def years(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say which years, which amounts and which costs; they arrive as ``**told``."""
    for name in reversed(COSTS):
        command = click.option(
            f"--{name.replace('_', '-')}", name, type=float, default=None, help=help_of(f"{name}_help")
        )(command)
    command = click.option("--policy-rise", type=float, default=None, help=help_of("policy_rise_help"))(
        command
    )
    command = click.option("--quality", type=float, default=None, help=help_of("quality_help"))(command)
    for name in reversed(PAIRS):
        command = click.option(f"--{name}", multiple=True, callback=pairs, help=help_of(f"{name}_help"))(
            command
        )
    for name in reversed(AMOUNTS):
        command = click.option(f"--{name}", type=float, default=None, help=help_of(f"{name}_help"))(command)
    command = click.option(
        "--lognormal", default=None, callback=numbers, metavar="MEAN,CV", help=help_of("lognormal_help")
    )(command)
    return click.option("--plan", type=click.Path(), default=None, help=help_of("plan_help"))(command)


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """What a command works on.

    Parameters
    ----------
    contracts : dict
        By name, in the order of the command line.
    claims : ndarray
        [yuan]
    amounts, given : dict
        For :meth:`Contract.evaluate`.
    costs : Costs
    simulation : Simulation or None
        The plan's, where there is one.
    """

    contracts: dict[str, Contract]
    claims: NDArray[Any]
    amounts: dict[str, Any]
    given: dict[str, Any]
    costs: Costs
    simulation: Simulation | None

    @property
    def first(self) -> Contract:
        """The first contract."""
        return next(iter(self.contracts.values()))

    @property
    def growth(self) -> NDArray[Any] | None:
        """Growth of systemic cost per head on each path over the base year; None without a plan."""
        if self.simulation is None:
            return None
        base = self.simulation.cost.base.per_capita
        return self.simulation.arrays.cost_per_capita / base - 1

    @property
    def source(self) -> str:
        """What the years rest on, in words."""
        if self.simulation is not None:
            plan = self.simulation.fund.plan
            return text(
                "bargain_cli.from_plan",
                name=plan.name(),
                paths=f"{len(self.claims):,}",
                seed=self.simulation.seed,
            )
        return text("bargain_cli.from_lognormal", paths=f"{len(self.claims):,}")


def case_of(
    references: tuple[str, ...], told: dict[str, Any], *, paths: int, seed: int, threads: int = 2
) -> Case:
    """The case that the command line describes.

    Raises
    ------
    InputError
        If there are no years, a plan has no contract, or a file has faults.
    """
    import numpy as np

    from actuarial.contract import load_contract
    from actuarial.contract.costs import Costs
    from actuarial.contract.simple import SimpleClaims
    from actuarial.errors import Fault, InputError

    plan = told["plan"]
    plans = [r for r in references if _is_plan(r)]
    if plan is None and plans:
        plan = plans[0]
    simulation, of_plan, target = (None, None, None) if plan is None else _of_plan(plan, paths, seed, threads)
    insured = None if simulation is None else simulation.fund.plan.model.insured.next_year
    contracts: dict[str, Contract] = {}
    alone = len(references) == 1
    for reference in references:
        if reference in plans:
            if of_plan is None:
                raise InputError([Fault("bargain.plan_without_contract", file=str(reference))])
            label, equals, found = "", "", of_plan
        else:
            label, equals, rest = reference.partition("=")
            found = load_contract(rest if equals else reference)
        name = label if equals else text("bargain_cli.present") if alone else found.law.name()
        contracts[name if name not in contracts else f"{name} {len(contracts) + 1}"] = found
    contracts = _read(contracts, told["reading"])
    if simulation is not None:
        claims = simulation.claims
    elif told["lognormal"] is not None:
        if len(told["lognormal"]) != 2:
            raise InputError([Fault("bargain.lognormal", params={"given": len(told["lognormal"])})])
        claims = SimpleClaims(*told["lognormal"]).claims(paths, seed=seed)
    else:
        raise InputError([Fault("bargain.no_years")])
    amounts = {k: told[k] for k in AMOUNTS}
    if amounts["target"] is None and amounts["heads"] is None:
        amounts["target"] = target
    if amounts["heads"] is None and amounts["target"] is not None:
        amounts["heads"] = insured
    given: dict[str, Any] = {
        "quality": told["quality"],
        "indicators": told["indicator"] or None,
        "events": told["event"] or None,
    }
    rise = told["policy_rise"]
    if rise is not None and not -1 < rise <= 10:
        raise InputError([Fault("bargain.policy_rise", params={"value": rise})])
    if rise:
        year = claims.sum(axis=1) if claims.ndim == 2 else claims
        given["policy_loss"] = year * told["policy_rise"]
        claims = claims * (1 + told["policy_rise"])
    costs = Costs(**{k: told[k] for k in COSTS if told[k] is not None})
    return Case(
        contracts,
        np.asarray(claims),
        amounts,
        {k: v for k, v in given.items() if v is not None},
        costs,
        simulation,
    )


def _read(contracts: dict[str, Contract], readings: dict[str, Any]) -> dict[str, Contract]:
    """Each reading goes to the contracts that have its gap; one that none has is refused by the first."""
    known = {gap for c in contracts.values() for gap in c.law.envelope.gaps}
    return {
        name: c.with_readings(
            {k: v for k, v in readings.items() if k in c.law.envelope.gaps or k not in known}
        )
        for name, c in contracts.items()
    }


def _is_plan(reference: str) -> bool:
    """Whether a reference is a plan (or scenario) rather than a contract."""
    from actuarial.law import read_yaml

    path = Path(reference)
    if path.is_dir():
        return (path / "plan.yaml").is_file()
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        return False
    data, _ = read_yaml(path, found=[])
    return "schema_version" in data


def _of_plan(
    plan: str, paths: int, seed: int, threads: int
) -> tuple[Simulation, Contract | None, float | None]:
    """The plan's simulated years, its contract and the target by its rule."""
    from actuarial.fund import Fund
    from actuarial.fund.forecast import plan_cost
    from actuarial.pipeline import evaluate_contract
    from actuarial.plan import load_plan

    loaded = load_plan(plan)
    simulation = Fund(loaded).simulate(plan_cost(loaded), paths=paths, seed=seed, threads=threads)
    deal = evaluate_contract(loaded, simulation)
    return simulation, deal.contract if deal else None, deal.target if deal else None


def variants(words: tuple[str, ...], base: Contract) -> tuple[dict[str, Contract], dict[str, float]]:
    """Offers as changes of a contract: ``NAME: place=value, target=value``; contracts and targets by name.

    Raises
    ------
    click.BadParameter
        If there is no name or no change, or a value cannot be read.
    """
    contracts: dict[str, Contract] = {}
    targets: dict[str, float] = {}
    for word in words:
        name, colon, rest = word.replace("：", ":").partition(":")
        parts = parts_of(rest)
        if name.strip() in contracts:
            raise click.BadParameter(text("bargain_cli.offer_twice", name=name.strip()), param_hint="--offer")
        if not colon or not name.strip() or not parts:
            raise click.BadParameter(text("bargain_cli.offer", word=word), param_hint="--offer")
        changes = dict(_change(part, word) for part in parts)
        if "target" in changes:
            try:
                targets[name.strip()] = float(changes.pop("target"))
            except (TypeError, ValueError) as error:
                raise click.BadParameter(
                    text("bargain_cli.offer", word=word), param_hint="--offer"
                ) from error
        contracts[name.strip()] = base.changed(changes) if changes else base
    return contracts, targets


def parts_of(words: str) -> list[str]:
    """Text cut at its commas, those within brackets apart.

    Examples
    --------
    >>> parts_of("a=1, b=[{c: 2, d: 3}]，e=4")
    ['a=1', 'b=[{c: 2, d: 3}]', 'e=4']
    """
    found, depth = [""], 0
    for character in words:
        depth += (character in "[{") - (character in "]}")
        if character in ",，" and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [f.strip() for f in found if f.strip()]


def _change(part: str, word: str) -> tuple[str, Any]:
    """``place=value``; the value as a contract file would write it."""
    import yaml

    place, equals, value = part.partition("=")
    try:
        found = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise click.BadParameter(text("bargain_cli.offer", word=word), param_hint="--offer") from error
    if not equals or not place.strip():
        raise click.BadParameter(text("bargain_cli.offer", word=word), param_hint="--offer")
    return place.strip(), found
