"""The data's way on one page: from a plan's tables to the answer.

Who reads only :func:`run` knows where everything is.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from actuarial.benefits import PolicyFactor, SimpleTarget, plan_policy, simple_target
from actuarial.budget import BudgetDraft, budget_draft, indicators, provider_budgets
from actuarial.contract import Contract, Evaluation, load_contract
from actuarial.cost import cost_forecast
from actuarial.errors import ActuarialWarning, ModelWarning, warn
from actuarial.experience import base_year
from actuarial.experience.breaks import plan_breaks
from actuarial.fund import CRITERIA, Fund, PremiumTarget, Simulation
from actuarial.fund import Progress as ProgressCallback
from actuarial.fund.chunks import part_of
from actuarial.fund.forecast import plan_cost
from actuarial.fund.personal import PersonalAccounts, personal_accounts
from actuarial.fund.projection import Projection
from actuarial.growth import RawGrowth, growth_has_base, plan_growth, raw_growth
from actuarial.plan import Plan
from actuarial.plan.schema import Band
from actuarial.results import Result, Source, Unit
from actuarial.tables import Note, Reconciliation, reconcile
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


YEAR_PATHS = 20_000
"""Paths of a projection within a run: it answers for years, not for a yuan."""


@dataclass(frozen=True, eq=False)
class Answer(Result):
    """Everything that one run says.

    Parameters
    ----------
    plan : Plan
    simulation : Simulation
    target : PremiumTarget
        Under the plan's criterion and accepted probability.
    targets : dict
        The same for every criterion.
    scenarios : DataFrame
        Target and deficit probability under each named set of changes, same random numbers.
    assumption_range : (float, float)
        Lowest and highest target among the scenarios that count, and the plan itself.
    contract : Evaluation or None
        The insurer's contract over the simulated years.
    budget : BudgetDraft
        At the target, rounded up to the yuan.
    indicators : DataFrame
    providers : DataFrame or None
    reconciliations : tuple of Reconciliation
    notes : tuple of Note
        What the table checks tolerated.
    warnings : tuple of str
        Warnings of ours that were issued on the way.
    raw : RawGrowth or None
        Raw growth, shown beside the growth that was used.
    precedent : SimpleTarget
        The printed calculation of 2012.
    projection : Projection or None
        The years that the plan's ``projection`` states.
    accounts : PersonalAccounts or None
        Personal accounts of an employee scheme, and what the pooled fund uses of them.
    """

    plan: Plan
    simulation: Simulation
    target: PremiumTarget
    targets: dict[str, PremiumTarget]
    scenarios: pd.DataFrame
    assumption_range: tuple[float, float]
    contract: Evaluation | None
    budget: BudgetDraft
    indicators: pd.DataFrame
    providers: pd.DataFrame | None
    reconciliations: tuple[Reconciliation, ...]
    notes: tuple[Note, ...]
    warnings: tuple[str, ...]
    raw: RawGrowth | None
    precedent: SimpleTarget
    projection: Projection | None = None
    accounts: PersonalAccounts | None = None
    heard: tuple[ActuarialWarning, ...] = ()

    def warnings_in(self, lang: str | None = None) -> tuple[str, ...]:
        """What was warned of, in a language: a document may be written in another one than the run spoke."""
        return tuple(dict.fromkeys(w.message(lang) for w in self.heard))

    @property
    def table(self) -> pd.DataFrame:
        """The waterfall from last year's cost to the target [yuan/person/year]."""
        return self.simulation.waterfall(self.target)

    def summary(self, lang: str | None = None) -> str:
        """The answer in a few lines."""
        sim, target, money = self.simulation, self.target, Unit.of(lang)
        risk = sim.deficit_probability()
        lines = [text("answer.synthetic_line", lang)] if self.plan.synthetic else []
        lines += [
            text(
                "answer.none_needed_line" if target.value <= 0 else "answer.premium_line",
                lang,
                year=self.plan.base_year.year + 1,
                value=_words(target.value, 2, lang),
                criterion=text(f"label.criterion_{target.criterion}", lang),
                alpha=f"{100 * target.alpha:g}",
            ),
            text(
                "answer.interval_line" if len(self.scenarios) else "answer.interval_alone",
                lang,
                low=_words(target.interval[0], 2, lang, "label.too_few_paths"),
                high=_words(target.interval[1], 2, lang, "label.too_few_paths"),
                range_low=_words(self.assumption_range[0], 1, lang),
                range_high=_words(self.assumption_range[1], 1, lang),
            ),
            text(
                "answer.present_line",
                lang,
                present=f"{sim.standard:g}",
                current=f"{100 * risk['current_year']:.1f}",
                closing=f"{100 * risk['closing']:.1f}",
                any=f"{100 * risk['any_month']:.1f}",
                balance=money.show(sim.expected_closing_balance()),
                months=_words(sim.months_payable(), 1, lang),
            ),
        ]
        if self.contract is not None:
            sides = {party: money.show(self.contract.expected(party)) for party in ("insurer", "fund")}
            lines.append(text("answer.contract_line", lang, target=money.show(self.contract.target), **sides))
        if self.accounts is not None:
            lines.append(self.accounts.summary(lang))
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Probability of a deficit over the amount per head, with target and present standard."""
        return self.target.plot(ax, lang, present=self.simulation.standard)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data; the keys are documented in ``docs/cli.md``."""
        sim, deal = self.simulation, self.contract
        more = {"personal_accounts": self.accounts.to_dict()} if self.accounts is not None else {}
        return {
            "plan": self.plan.name("zh"),
            "premium_target": _finite(self.target.value),
            "criterion": self.target.criterion,
            "accepted_probability": self.target.alpha,
            "simulation_interval": [_finite(v) for v in self.target.interval],
            "assumption_range": [_finite(v) for v in self.assumption_range],
            "infeasible_share": self.target.infeasible,
            "premium_target_by_criterion": {c: _finite(t.value) for c, t in self.targets.items()},
            "present_standard": sim.standard,
            "deficit_probability": sim.deficit_probability().to_dict(),
            "deficit_probability_at_target": sim.deficit_probability(self.budget.premium).to_dict(),
            "budget_premium": self.budget.premium,
            "base_per_capita": sim.cost.base.per_capita,
            "expected_cost_per_capita": sim.expected_cost_per_capita(),
            "expected_opening_balance": float(sim.opening.mean()),
            "expected_closing_balance": sim.expected_closing_balance(),
            "months_payable": sim.months_payable(),
            "contract_target": deal.target if deal else None,
            "insurer_result": deal.expected("insurer") if deal else None,
            "fund_result": deal.expected("fund") if deal else None,
            "insurer_loss_probability": deal.loss_probability("insurer") if deal else None,
            "contract_cautions": [c.to_dict() for c in deal.cautions] if deal else [],
            "scenarios": [
                {k: _finite(v) if isinstance(v, float) else v for k, v in row.items()}
                for row in self.scenarios.to_dict("records")
            ],
            "synthetic": self.plan.synthetic,
            "warnings": list(self.warnings),
            "paths": sim.paths,
            "seed": sim.seed,
            **more,
        }


def run(
    plan: Plan,
    *,
    paths: int = 100_000,
    seed: int = 2012,
    threads: int = 2,
    progress: ProgressCallback | None = None,
) -> Answer:
    """From the plan's tables to next year's premium target, contract result and budget.

    Parameters
    ----------
    plan : Plan
    paths, seed, threads : int
        See :meth:`actuarial.fund.Fund.simulate`.
    progress : callable, optional
        Called with paths done and in all, over the plan and its scenarios together.

    Raises
    ------
    InputError
        With every fault of plan and tables.
    """
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ActuarialWarning)
        tables = plan.tables  # checked tables
        checks = reconcile_plan(plan)  # do the printed figures agree?
        base = base_year(plan)  # experience → annualised base
        policy = plan_policy(plan)  # policy factor
        growth = plan_growth(plan)  # growth model
        cost = cost_forecast(
            base, policy, growth, base_in_history=growth_has_base(plan, growth)
        )  # joint systemic draws
        count = 1 + len(plan.model.scenarios)
        sim = Fund(plan).simulate(
            cost, paths=paths, seed=seed, threads=threads, progress=part_of(progress, 0, count)
        )  # month by month
        if paths * plan.model.criterion.accepted_probability < 10:
            accepted = f"{100 * plan.model.criterion.accepted_probability:g}"
            warn(ModelWarning, "fund.few_tail_paths", paths=paths, accepted=accepted)
        targets = {c: sim.premium_target(criterion=c) for c in CRITERIA}
        target = targets[plan.model.criterion.use]
        scenarios = run_scenarios(
            plan, paths, seed, threads, progress, policy=policy
        )  # the same under other assumptions
        deal = evaluate_contract(plan, sim)  # the insurer's contract
        years = project_plan(plan, sim, threads)  # the years beyond the next, where the plan states them
        apart = personal_accounts(sim) if plan.model.personal_accounts is not None else None
        premium = _round_up(target.value, sim.standard)
        if not 0 < target.value < float("inf"):
            warn(ModelWarning, "fund.budget_at_present", standard=f"{sim.standard:g}")
        budget = budget_draft(sim, premium)  # next year's budget
        limits = indicators(sim, premium)  # indicators with their limits
    ours = [w for w in heard if issubclass(w.category, ActuarialWarning)]  # told in the answer
    for w in heard:
        if w not in ours:
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    said = tuple(dict.fromkeys(str(w.message) for w in ours))
    counted = [target.value, *scenarios.loc[scenarios["in_assumption_range"], "premium_target"]]
    return Answer(
        plan, sim, target, targets, scenarios, (min(counted), max(counted)), deal, budget,
        limits, provider_budgets(plan), checks,
        (*plan_breaks(plan), *(n for t in tables.values() for n in t.notes), *(plan.claims.notes if plan.claims else ())), said, raw_growth(plan), simple_target(), years, apart,
        heard=tuple(w.message for w in ours if isinstance(w.message, ActuarialWarning)),
        sources=_unique(sim.sources),
    )  # fmt: skip


def run_scenarios(
    plan: Plan,
    paths: int,
    seed: int,
    threads: int,
    progress: ProgressCallback | None = None,
    *,
    policy: PolicyFactor | None = None,
) -> pd.DataFrame:
    """Target and deficit probability of each scenario on the plan's own random numbers.

    `policy` is the plan's own factor, for the scenarios that leave it as it is.
    """
    rows = []
    count = 1 + len(plan.model.scenarios)
    for number, scenario in enumerate(plan.model.scenarios, 1):
        changed = plan.patched(scenario.changes)
        same = changed.model.policy == plan.model.policy
        cost = plan_cost(changed, policy=policy if same else None)
        sim = Fund(changed).simulate(
            cost, paths=paths, seed=seed, threads=threads, progress=part_of(progress, number, count)
        )
        use = changed.model.criterion.use
        rows.append(
            {
                "id": scenario.id,
                "name_zh": scenario.name.get("zh", ""),
                "name_en": scenario.name.get("en", ""),
                "premium_target": sim.premium_target().value,
                "standard": sim.standard,
                "deficit_probability": float(sim.deficit_probability()[use]),
                "in_assumption_range": scenario.in_assumption_range,
                "source": "；".join(c.source for c in scenario.changes),
            }
        )
    columns = [
        "id",
        "name_zh",
        "name_en",
        "premium_target",
        "standard",
        "deficit_probability",
        "in_assumption_range",
        "source",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"in_assumption_range": bool, "premium_target": float})


def project_plan(plan: Plan, sim: Simulation, threads: int = 2) -> Projection | None:
    """The years that the plan states, on at most 20,000 paths; None where it states none."""
    if plan.model.projection is None:
        return None
    return sim.fund.project(sim.cost, paths=min(sim.paths, YEAR_PATHS), seed=sim.seed, threads=threads)


def reconcile_plan(plan: Plan) -> tuple[Reconciliation, ...]:
    """Check the plan's identities of printed figures."""
    if "facts" not in plan.tables:
        return ()
    facts = plan.tables["facts"].frame.set_index("id")
    values = dict(zip(facts.index.astype(str), facts["value"], strict=True))
    halves = dict(zip(facts.index.astype(str), facts["rounding_half_width"], strict=True))
    return tuple(reconcile(i.expression, i.printed, values, halves) for i in plan.model.identities)


def evaluate_contract(plan: Plan, sim: Simulation) -> Evaluation | None:
    """The plan's contract over the simulated years; target by the plan's rule × expected heads."""
    spec = plan.model.contract
    if spec is None:
        return None
    per_capita = sim.expected_cost_per_capita() if spec.target == "expected_cost" else spec.per_capita_target
    assert per_capita is not None  # the schema sees to it
    reference = plan.contract_reference()
    assert reference is not None
    deal = with_bands(load_contract(reference), spec.bands)
    return deal.evaluate(target=round(per_capita * plan.model.insured.next_year, 2), claims=sim.claims)


def with_bands(contract: Contract, bands: Sequence[Band]) -> Contract:
    """The contract with other bands in its first table; the contract itself where there are none.

    Raises
    ------
    InputError
        If the bands do not increase, or the last one is not open.
    """
    if not bands:
        return contract
    written = []
    for band in bands:
        edge: Any = band.up_to
        if band.up_to_share_of_target is not None:
            edge = {"share_of": "target", "share": band.up_to_share_of_target}
        written.append({"insurer": band.insurer_share} | ({} if edge is None else {"up_to": edge}))
    return contract.changed({"sharing.0.bands": written})


def _round_up(target: float, present: float) -> float:
    """The whole yuan at or above the target; the present standard where no amount helps."""
    from math import ceil, isfinite

    return float(ceil(round(target, 6))) if isfinite(target) and target > 0 else present


def _words(value: float, digits: int, lang: str | None, unknown: str = "label.infinite") -> str:
    """A figure within a sentence; words where there is none."""
    if abs(value) == float("inf"):
        return text(unknown, lang)
    return f"{value:,.{digits}f}".replace("-", "−")


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None


def _unique(sources: tuple[Source, ...]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(sources))
