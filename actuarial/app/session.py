"""The what-if page without a page: what follows from its state, undo, offers, saving.

Every figure is computed by the library from the plan with the state's patches, so that the page, a saved scenario and
``actuarial run`` agree.
Nothing is computed again that did not change: standard normals, base year, policy factor, simulated paths and contract results
are kept by what they depend on.
"""

from __future__ import annotations

import json
import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from actuarial.app.state import State, Terms
from actuarial.benefits import plan_policy
from actuarial.contract import Evaluation
from actuarial.cost import cost_forecast
from actuarial.errors import ActuarialWarning, Fault, InputError
from actuarial.experience import AnnualBase, base_year
from actuarial.fund import CRITERIA, Fund, PremiumTarget, Simulation
from actuarial.fund.paths import with_balances
from actuarial.growth import growth_has_base, plan_growth
from actuarial.pipeline import evaluate_contract
from actuarial.plan import Patch, Plan
from actuarial.results import write_text
from actuarial.texts import LANGUAGES, text

MOST_OFFERS = 4
KEPT_RESULTS = 12


@dataclass(frozen=True, eq=False)
class Figures:
    """What follows from a state: results of the library, each as ``actuarial run`` would give it."""

    plan: Plan
    simulation: Simulation
    target: PremiumTarget
    contract: Evaluation | None
    sides: pd.DataFrame | None
    fan: pd.DataFrame
    warnings: tuple[ActuarialWarning, ...]

    @property
    def risk(self) -> float:
        """Probability of a deficit at what the payers give, under the plan's criterion."""
        needs = self.simulation.needs[self.target.criterion]
        return float((needs > self.simulation.standard).mean())

    @cached_property
    def key(self) -> dict[str, Any]:
        """The figures that offers are compared by; the names are those of :meth:`Answer.to_dict`."""
        sim, deal = self.simulation, self.contract
        sides = {} if self.sides is None else {r["party"]: r for r in self.sides.to_dict("records")}
        insurer, fund = sides.get(deal.party if deal else "", {}), sides.get("fund", {})
        return {
            "premium_target": self.target.value,
            "present_standard": sim.standard,
            "deficit_probability": self.risk,
            "expected_cost_per_capita": sim.expected_cost_per_capita(),
            "expected_closing_balance": sim.expected_closing_balance(),
            "months_payable": sim.months_payable(),
            "contract_target": deal.target if deal else None,
            "insurer_result": insurer.get("expected"),
            "insurer_loss_probability": insurer.get("loss_probability"),
            "insurer_worst": insurer.get("mean_of_worst_5pct"),
            "fund_result": fund.get("expected"),
            "fund_worst": fund.get("mean_of_worst_5pct"),
        }


@dataclass(frozen=True)
class Offer:
    """A state under a name."""

    name: str
    state: State
    key: dict[str, Any] = field(compare=False)


class _Memo:
    """The last few results by what they depend on, each with the warnings that it gave rise to."""

    def __init__(self, room: int = KEPT_RESULTS) -> None:
        self.room = room
        self.kept: OrderedDict[Any, Any] = OrderedDict()
        self.made: dict[str, int] = {}

    def get(self, kind: str, key: Any, make: Callable[[], Any]) -> Any:
        """The result of `make`, or the kept one; what it warned of is warned of again."""
        full = (kind, key)
        if full not in self.kept:
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always", ActuarialWarning)
                made = make()
            self.kept[full] = made, heard
            self.made[kind] = self.made.get(kind, 0) + 1
            same = [k for k in self.kept if k[0] == kind]
            if len(same) > self.room:
                del self.kept[same[0]]
        self.kept.move_to_end(full)
        found, heard = self.kept[full]
        for w in heard:
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
        return found


class Session:
    """One user's what-ifs on one plan.

    Parameters
    ----------
    plan : Plan
    paths, seed, threads : int
        As for :meth:`actuarial.fund.Fund.simulate`.

    Examples
    --------
    >>> import actuarial as act
    >>> session = Session(act.load_plan(act.sample_path("jieshou/plan.yaml")), paths=2000)
    >>> before = session.figures().target.value
    >>> session.change(growth=0.20)
    >>> session.figures().target.value > before, session.undo(), session.figures().target.value == before
    (True, True, True)
    """

    def __init__(self, plan: Plan, *, paths: int = 100_000, seed: int = 2012, threads: int = 2) -> None:
        self.plan, self.paths, self.seed, self.threads = plan, paths, seed, threads
        self.memo = _Memo()
        self.normals: dict[tuple[int, ...], Any] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ActuarialWarning)
            self.terms = Terms(plan)
        self.state = self.origin = self.terms.origin
        self.past: list[State] = []
        self.offers: list[Offer] = []
        self.level = False

    # ------------------------------------------------------------------ state

    def change(self, **moved: Any) -> None:
        """Move something; what was before can be undone to. Nothing changes if the figures cannot be computed.

        Raises
        ------
        InputError
            If the plan cannot take the values, or there are no figures for them.
        """
        if "contract" in moved and moved["contract"] != self.state.contract:
            moved.setdefault("bands", self.terms.bands_of(moved["contract"]))
        new = replace(self.state, **moved)
        if new == self.state:
            return
        self.figures(new)
        self.past.append(self.state)
        self.state = new

    def undo(self) -> bool:
        """Go back one step; whether there was one."""
        if not self.past:
            return False
        self.state = self.past.pop()
        return True

    def reset(self) -> None:
        """Go back to the plan; this too can be undone."""
        self.change(**asdict(self.origin) | {"amounts": self.origin.amounts, "bands": self.origin.bands})

    def pay_the_target(self) -> None:
        """Let the payers give the target, rounded up to the yuan, by their shares of a rise."""
        from math import ceil, isfinite

        found = self.figures()
        if not isfinite(found.target.value):
            return
        self.change(amounts=self.amounts_at(max(ceil(round(found.target.value, 6)), 0)))

    def amounts_at(self, total: float) -> tuple[tuple[str, float], ...]:
        """What each payer gives if all give `total` together: the step from the present is shared as the plan says [yuan/person/year]."""
        rise = self.figures().simulation.fund.financing.rise(total)
        amounts = [round(max(float(v), 0.0), 2) for v in rise["new_per_capita"]]
        largest = amounts.index(max(amounts))
        amounts[largest] = round(max(amounts[largest] + total - sum(amounts), 0.0), 2)  # what rounding left
        return tuple(zip((str(p) for p in rise["payer"]), amounts, strict=True))

    # ------------------------------------------------------------------ offers

    def pin(self, name: str = "") -> bool:
        """Keep the state as an offer; False when four are kept already."""
        if len(self.offers) >= MOST_OFFERS:
            return False
        taken = {o.name for o in self.offers}
        free = next(c for c in "ABCDE" if c not in taken)
        self.offers.append(Offer(name.strip()[:40] or free, self.state, self.figures().key))
        return True

    def unpin(self, number: int) -> None:
        """Drop an offer."""
        del self.offers[number]

    def recall(self, number: int) -> None:
        """Go back to an offer's state."""
        s = self.offers[number].state
        self.change(**{f: getattr(s, f) for f in State.__dataclass_fields__})

    def compared(self) -> list[Offer]:
        """The offers to show: each as it was pinned or, where `level` is set, all under the present assumptions.

        An offer's own terms are what payers give, the contract, its target and bands; the rest is assumed. On the level, offers
        differ by their terms alone.
        """
        if not self.level:
            return self.offers
        return [Offer(o.name, s, self.figures(s).key) for o in self.offers for s in (self._on_the_level(o),)]

    def _on_the_level(self, offer: Offer) -> State:
        own = ("amounts", "contract", "target", "bands")
        return replace(self.state, **{f: getattr(offer.state, f) for f in own})

    def deals(self, now: str) -> dict[str, Evaluation]:
        """The contract of the present state, by the name `now`, and of each offer that has one, all on the present paths."""
        states = {now: self.state}
        for o in self.offers:
            name = o.name if o.name not in states else f"{o.name} ({len(states)})"
            states[name] = self._on_the_level(o)
        found = {name: self.figures(s).contract for name, s in states.items()}
        return {name: deal for name, deal in found.items() if deal is not None}

    # ------------------------------------------------------------------ figures

    def patches(self) -> list[Patch]:
        """What the present state changes in the plan."""
        return self.terms.patches(self.state)

    def plan_of(self, state: State | None = None) -> Plan:
        """The plan with a state's changes (the present one's)."""
        return self.terms.plan_of(state or self.state)

    def figures(self, state: State | None = None) -> Figures:
        """Everything that follows from a state (the present one).

        Raises
        ------
        InputError
            As the library's own functions do.
        """
        s = state or self.state
        return self.memo.get("figures", s, lambda: self._figures(s))

    def _figures(self, s: State) -> Figures:
        get = self.memo.get
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", ActuarialWarning)
            plan = self.plan_of(s)
            sim = self._simulation(s, plan)
            target = sim.premium_target()
            terms = (self._path_key(s), s.contract, s.target, s.bands)
            deal: Evaluation | None = get("contract", terms, lambda: evaluate_contract(plan, sim))
            sides = None if deal is None else get("sides", terms, lambda: deal.table)
            fan = get("fan", (self._path_key(s), s.opening, s.amounts), sim.fan)
        ours = [w.message for w in heard if isinstance(w.message, ActuarialWarning)]
        said = tuple({str(w): w for w in ours}.values())
        return Figures(plan, sim, target, deal, sides, fan, said)

    def _path_key(self, s: State) -> tuple[Any, ...]:
        return (s.growth, s.growth_sd, s.policy, s.policy_factor, s.heads)

    def _simulation(self, s: State, plan: Plan) -> Simulation:
        """Claims are simulated when growth, policy or heads move, balances rolled when the opening does; payers and criterion only read."""
        first: Simulation = self.memo.get("paths", self._path_key(s), lambda: self._simulate(s, plan))
        if first.fund.plan is plan:
            return first
        fund = self._fund(s, plan)
        setting, arrays = fund.setting(first.cost), first.arrays
        moved = s.opening != first.fund.plan.model.opening.free.value or setting.income is not None
        if moved:
            key = (self._path_key(s), s.opening, s.amounts if setting.income is not None else ())
            arrays = self.memo.get("balances", key, lambda: with_balances(setting, arrays))
        fresh = replace(first, fund=fund, setting=setting, arrays=arrays)
        if (
            not moved
            and dict(s.amounts) == first.fund.financing.payers.set_index("payer")["per_capita"].to_dict()
        ):
            fresh.__dict__["needs"] = first.needs  # the same money: each path needs the same
        return fresh

    def _fund(self, s: State, plan: Plan) -> Fund:
        """The fund of a plan, with payers, calendar and arrears where they did not change."""
        fund = Fund(plan, kept=self.normals)
        fund.financing = self.memo.get("financing", s.amounts, lambda: fund.financing)
        fund.arrears = self.memo.get("arrears", "plan", lambda: fund.arrears)
        return fund

    def _simulate(self, s: State, plan: Plan) -> Simulation:
        base: AnnualBase = self.memo.get("base", "plan", lambda: base_year(self.plan))
        policy = self.memo.get("policy", (s.policy, s.policy_factor), lambda: plan_policy(plan))
        growth = self.memo.get("growth", (s.growth, s.growth_sd), lambda: plan_growth(plan))
        cost = cost_forecast(base, policy, growth, base_in_history=growth_has_base(plan, growth))
        return self._fund(s, plan).simulate(cost, paths=self.paths, seed=self.seed, threads=self.threads)

    # ------------------------------------------------------------------ saving

    def scenario_text(self, name: str = "") -> str:
        """The state as a scenario file: what ``actuarial run`` reads back to the same figures."""
        title = {lang: name.strip() or text("app.scenario_name", lang) for lang in LANGUAGES}
        content = {
            "schema_version": 1, "kind": "scenario", "name": title, "plan": self.plan.file,
            "changes": [p.model_dump() for p in self.patches()],
        }  # fmt: skip
        plain = json.loads(json.dumps(content))  # no aliases, no numpy
        return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=110)

    def save(self, name: str = "") -> Path:
        """Write the scenario beside the plan, under a new name that the page does not choose; returns the path.

        Raises
        ------
        InputError
            If the plan's folder cannot be written.
        """
        for number in range(1, 1000):
            path = self.plan.folder / f"scenario_{number}.yaml"
            if not path.exists():
                return write_text(path, self.scenario_text(name))
        raise InputError([Fault("file.not_writable", file=str(self.plan.folder), params={"reason": "1000"})])


__all__ = ["CRITERIA", "Figures", "Offer", "Session"]
