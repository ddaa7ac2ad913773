"""What provokes the errors and warnings of shocks, dated policies, providers, payment lag and projections, by code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import actuarial as act
from actuarial.fund.forecast import plan_cost
from actuarial.plan import Patch, Plan
from actuarial.samples import sample_path

Case = Callable[[Path], Any]
STATED = {"status": "assumed", "source": "s"}
SHOCK = {"name": {"zh": "流感", "en": "flu"}, "rate": 0.1, "factor": 1.2, **STATED}
PROVIDERS = {"rule": "china/taicang/contract/provider_quota@2008-01-01", **STATED}


def plan_of(sample: str = "jieshou", **parts: Any) -> Plan:
    """A sample plan with whole parts stated."""
    plan = act.load_plan(sample_path(f"{sample}/plan.yaml"))
    return plan.patched([Patch(path=k, value=v, source="s") for k, v in parts.items()])


def stated(sample: str = "jieshou", **parts: Any) -> Case:
    """Stating these parts."""
    return lambda folder: plan_of(sample, **parts)


def simulated(sample: str = "jieshou", **parts: Any) -> Case:
    """Simulating a plan that states these parts."""

    def work(folder: Path) -> Any:
        plan = plan_of(sample, **parts)
        return act.Fund(plan).simulate(plan_cost(plan), paths=10)

    return work


def projected(**options: Any) -> Case:
    """Jieshou's years under these options."""

    def work(folder: Path) -> Any:
        plan = plan_of()
        return act.Fund(plan).project(plan_cost(plan), **{"paths": 10, **options})

    return work


def _seen(folder: Path) -> Any:
    plan = plan_of(payment_lag={"pattern": [0.5, 0.5], **STATED})
    seen = act.MonthlyActuals(claims=[2.0e7], source="s")
    return act.Fund(plan).simulate(plan_cost(plan), paths=10, observed=seen).liabilities


def _seen_quota(folder: Path) -> Any:
    plan = plan_of(providers={**PROVIDERS, "budget": "expected"})
    seen = act.MonthlyActuals(claims=[2.0e7], source="s")
    return act.Fund(plan).simulate(plan_cost(plan), paths=10, observed=seen)


def _no_amount(folder: Path) -> Any:
    """Nothing comes in before May, and the fund begins with a debt."""
    plan = plan_of("anhui_county", opening={"free": {"value": -9e8, "source": "s"}})
    source = sample_path("anhui_county/plan.yaml").parent
    for path in source.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    calendar = (source / "calendar.csv").read_text(encoding="utf-8-sig").splitlines()
    payers = dict.fromkeys(line.split(",")[0] for line in calendar[1:])
    rows = [calendar[0], *(f"{p},12,100" + "," * (calendar[0].count(",") - 2) for p in payers)]
    (folder / "calendar.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    late = act.load_plan(folder).patched([Patch(path="opening", value=plan.data["opening"], source="s")])
    return act.Fund(late).project(
        plan_cost(late), years=2, premiums="criterion", criterion="any_month", paths=10
    )


CASES: dict[str, list[Case]] = {
    "plan.shock_rate": [stated(shocks={"flu": {**SHOCK, "rate": 1.5}})],
    "plan.policy_start": [stated(policy_starts={"p": {"on": "2013-07-01", "coefficient": 1.1, **STATED}})],
    "plan.lag_pattern": [stated(payment_lag={"pattern": [0.5, 0.4], **STATED})],
    "risks.category": [
        simulated(shocks={"flu": {**SHOCK, "categories": ["astrology"]}}),
        simulated(
            policy_starts={"p": {"on": "2014-07-01", "coefficient": 1.1, "categories": ["x"], **STATED}}
        ),
    ],
    "risks.no_run_off": [simulated(payment_lag={"pattern": "completion", **STATED})],
    "risks.no_budgets": [simulated("anhui_county", providers=PROVIDERS)],
    "risks.seen": [_seen],
    "risks.seen_quota": [_seen_quota],
    "risks.basis": [lambda folder: simulated()(folder).balances(basis="accrual")],
    "risks.projection": [projected(years=31), projected(premiums=[])],
    "risks.no_amount": [_no_amount],
    "risks.no_fade": [projected(years=5)],
}
