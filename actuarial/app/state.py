"""What can be moved on the page, and what it changes in the plan.

A :class:`State` holds what can be moved. :class:`Terms` reads the first one from a plan, says what there is to choose
among, and turns what differs from the plan into :class:`~actuarial.plan.Patch` es.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from actuarial.benefits import plan_policy
from actuarial.contract import Contract, load_contract
from actuarial.fund import Fund
from actuarial.growth import plan_growth
from actuarial.law import list_laws
from actuarial.plan import AggregatesPolicy, ExpertGrowthSpec, Patch, Plan, RepricedPolicy, SimplePolicy
from actuarial.texts import text

Band = tuple[float | None, float | None, float]
"""Upper edge [yuan], or as a share of the target, or open; the insurer's share."""


@dataclass(frozen=True)
class State:
    """Everything that can be moved on the page.

    Parameters
    ----------
    amounts : tuple of (payer, amount)
        [yuan/person/year]
    growth, growth_sd : float
        Median growth and its standard deviation, as fractions.
    policy : str
        ``plan`` (as the plan says), ``stated`` (by `policy_factor`), or the new benefit rules.
    policy_factor : float
    heads, opening, alpha : float
        Insured next year; free opening balance [yuan]; accepted probability.
    criterion : str
    contract : str
        Law id or file of the plan; empty for none.
    target : float or None
        Contract target per head [yuan/person/year]; None for the expected cost.
    bands : tuple of Band
    """

    amounts: tuple[tuple[str, float], ...]
    growth: float
    growth_sd: float
    policy: str
    policy_factor: float
    heads: float
    opening: float
    alpha: float
    criterion: str
    contract: str
    target: float | None
    bands: tuple[Band, ...]


class Terms:
    """What a plan lets the page move.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.origin = self._origin()

    def _origin(self) -> State:
        model, growth = self.plan.model, plan_growth(self.plan)
        centre, spread = float(growth.factor(np.zeros(1)).ravel()[0]) - 1, getattr(growth, "sd", None)
        if spread is None:  # a fitted growth: half the distance of its 16th and 84th percentile
            low, high = growth.factor(np.array([-1.0, 1.0])).ravel()[[0, -1]]
            spread = float(high - low) / 2
        if isinstance(model.growth, ExpertGrowthSpec):
            centre = model.growth.value
        factor = float(plan_policy(self.plan).factor(np.zeros(1))[0])
        financing = Fund(self.plan).financing.payers
        spec = model.contract
        return State(
            amounts=tuple(
                (str(p), float(v)) for p, v in zip(financing["payer"], financing["per_capita"], strict=True)
            ),
            growth=round(centre, 6),
            growth_sd=round(float(spread), 6),
            policy="plan",
            policy_factor=round(factor, 6),
            heads=model.insured.next_year,
            opening=model.opening.free.value,
            alpha=model.criterion.accepted_probability,
            criterion=model.criterion.use,
            contract=spec.law if spec else "",
            target=spec.per_capita_target if spec and spec.target == "stated" else None,
            bands=tuple((b.up_to, b.up_to_share_of_target, b.insurer_share) for b in spec.bands)
            if spec and spec.bands
            else self.bands_of(spec.law if spec else ""),
        )

    def bands_of(self, contract: str) -> tuple[Band, ...]:
        """The bands that a contract has in its law; none for none."""
        if not contract:
            return ()
        own = contract.endswith((".yaml", ".yml"))
        reference = self.plan.contract_reference() if own else contract
        deal = load_contract(reference or contract)
        if not _one_table(deal):
            return ()
        table = deal.table
        blank = table.astype(object).where(table.notna(), None)
        return tuple(
            (r["up_to"], r["up_to_share_of_target"], r["insurer_share"]) for r in blank.to_dict("records")
        )

    def contracts(self) -> tuple[str, ...]:
        """Contracts to choose among: the plan's own, and those of the law files."""
        own = [self.origin.contract] if self.origin.contract else []
        return tuple(dict.fromkeys([*own, *_editable()]))

    def policies(self) -> tuple[str, ...]:
        """Policies to choose among: the plan's, a stated factor, and rules of the place that claims can be repriced to."""
        spec = self.plan.model.policy
        if not isinstance(spec, RepricedPolicy | AggregatesPolicy):
            return ("plan", "stated")
        old = [spec.old] if isinstance(spec.old, str) else spec.old
        place = spec.new.rsplit("/", 1)[0]
        beside = [law for law in list_laws("benefit") if law.rsplit("/", 1)[0] == place]
        return ("plan", "stated", *dict.fromkeys(r for r in (*old, *beside) if r != spec.new))

    def patches(self, s: State) -> list[Patch]:
        """What a state changes in the plan."""
        o = self.origin
        found: list[tuple[str, Any]] = []
        if s.amounts != o.amounts:
            found.append(("financing.amounts", dict(s.amounts)))
        if (s.growth, s.growth_sd) != (o.growth, o.growth_sd):
            found.append(("growth", self._growth_value(s)))
        if (s.policy, s.policy_factor) != (o.policy, o.policy_factor):
            found.append(("policy", self._policy_value(s)))
        for path, name in (
            ("insured.next_year", "heads"),
            ("opening.free.value", "opening"),
            ("criterion.accepted_probability", "alpha"),
            ("criterion.use", "criterion"),
        ):
            if getattr(s, name) != getattr(o, name):
                found.append((path, getattr(s, name)))
        if (s.contract, s.target, s.bands) != (o.contract, o.target, o.bands):
            found.append(("contract", self._contract_value(s)))
        return [Patch(path=p, value=v, source=text("app.source"), status="assumed") for p, v in found]

    def plan_of(self, s: State) -> Plan:
        """The plan with a state's changes."""
        changes = self.patches(s)
        return self.plan.patched(changes) if changes else self.plan

    def _growth_value(self, s: State) -> dict[str, Any]:
        spec, source = self.plan.model.growth, text("app.source")
        doubt = {"kind": "sd", "value": s.growth_sd, "status": "assumed", "source": source}
        correlation = getattr(spec, "correlation", 1.0)
        return {
            "method": "expert", "value": s.growth, "uncertainty": doubt, "correlation": correlation,
            "status": "assumed", "source": source,
        }  # fmt: skip

    def _policy_value(self, s: State) -> dict[str, Any]:
        if s.policy == "plan":
            return dict(self.plan.data["policy"])
        if s.policy != "stated":
            return dict(self.plan.data["policy"]) | {"new": s.policy}
        spec = self.plan.model.policy
        sd = 0.0 if isinstance(spec, SimplePolicy) else spec.sd
        return {
            "method": "stated", "coefficient": s.policy_factor, "sd": sd, "status": "assumed",
            "source": text("app.source"),
        }  # fmt: skip

    def _contract_value(self, s: State) -> dict[str, Any] | None:
        if not s.contract:
            return None
        value: dict[str, Any] = {
            "law": s.contract, "target": "expected_cost" if s.target is None else "stated",
            "per_capita_target": s.target, "status": "assumed", "source": text("app.source"),
        }  # fmt: skip
        if s.bands != self.bands_of(s.contract):
            value["bands"] = [
                {"up_to": e, "up_to_share_of_target": r, "insurer_share": share} for e, r, share in s.bands
            ]
        return value


def _one_table(contract: Contract) -> bool:
    """Whether all that the contract shares is one table of marginal bands, the same both ways, all in figures."""
    sharing = contract.terms.sharing
    if len(sharing) != 1 or sharing[0].side != "both" or set(contract.terms.parties) != {"insurer", "fund"}:
        return False
    table = contract.table
    edges = table[["up_to", "up_to_share_of_target"]].notna().any(axis=1)
    return bool(edges.iloc[:-1].all() and table["insurer_share"].notna().all())


@cache
def _editable() -> tuple[str, ...]:
    """Contracts of the law files whose bands can be moved on the page."""
    return tuple(c for c in list_laws("contract") if _one_table(load_contract(c)))
