"""Who pays what: amounts by wage, subsidies by the rule of a year, the poor's contributions paid by assistance.

The plan's table says the amounts; what its ``financing`` says in words takes their place, in this order: wages, the subsidy by
rule, assistance, stated amounts (which are final). Assistance moves a part of the individual amount to who pays it: the sum stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.fund.subsidy import SubsidySplit, marginal_central_share, subsidy_split
from actuarial.plan import Plan
from actuarial.tables import labels


def payer_amounts(plan: Plan) -> pd.DataFrame:
    """Payers with their amounts and their shares of a rise.

    Returns
    -------
    DataFrame
        ``payer``, ``per_capita`` [yuan/person/year], ``share_of_rise``; shares sum to 1.

    Raises
    ------
    InputError
        If a payer that the plan names is not in its table, or assistance is for more persons than there are.

    Examples
    --------
    >>> import actuarial as act
    >>> payer_amounts(act.load_plan(act.sample_path("jieshou/plan.yaml")))["per_capita"].tolist()
    [60.0, 156.0, 124.0]
    """
    table, spec = plan.tables["payers"], plan.model.financing
    frame = table.frame[["payer", "per_capita"]].copy()
    faults = list(_unknown(plan, frame["payer"].tolist()))
    if faults:
        raise InputError(faults)
    amount = frame.set_index("payer")["per_capita"].astype(float)
    for payer, wage in spec.wages.items():
        amount[payer] = wage.rate * wage.wage * wage.share_of_insured
    split = plan_subsidy(plan)
    if split is not None and spec.subsidy is not None:
        amount[spec.subsidy.central] = split.central
        for payer, share in spec.subsidy.local.items():
            amount[payer] = split.local * share
    rise = _rise(plan, amount)
    for series in (amount, rise):
        whole = series.copy()
        for name, assisted in spec.assistance.items():
            moved = whole[assisted.of] * assisted.part * assisted.persons / plan.model.insured.next_year
            series[assisted.of] -= moved
            series[name] += moved
    for payer, stated in spec.amounts.items():
        amount[payer] = stated
    if plan.tables["payers"].frame.get("share_of_rise") is None and spec.subsidy is None:
        rise = amount / amount.sum()
    frame["per_capita"], frame["share_of_rise"] = amount.to_numpy(), rise.to_numpy()
    return frame


def plan_subsidy(plan: Plan) -> SubsidySplit | None:
    """The plan's subsidy, split by the rule of its year; None where it has no rule."""
    spec = plan.model.financing.subsidy
    return None if spec is None else subsidy_split(spec.year, spec.standard, spec.tier)


def _rise(plan: Plan, amount: pd.Series) -> pd.Series:
    """Who pays a change of the standard, before assistance."""
    stated, spec = plan.tables["payers"].frame.get("share_of_rise"), plan.model.financing.subsidy
    shares = (
        amount / amount.sum()
        if stated is None
        else pd.Series((stated / stated.sum()).to_numpy(), amount.index)
    )
    if spec is None or spec.share_of_rise is None:
        return shares
    fiscal = [spec.central, *spec.local]
    others = shares.drop(fiscal)
    rest = others if others.sum() > 0 else amount.drop(fiscal)
    shares = shares.astype(float)
    shares[rest.index] = (1 - spec.share_of_rise) * rest / rest.sum() if rest.sum() > 0 else 0.0
    central = marginal_central_share(spec.year, spec.tier)
    shares[spec.central] = spec.share_of_rise * central
    for payer, share in spec.local.items():
        shares[payer] = spec.share_of_rise * (1 - central) * share
    return shares / shares.sum()


def _unknown(plan: Plan, payers: list[str]) -> Iterator[Fault]:
    """Payers that the table does not have; more assisted persons than insured ones."""
    spec, model = plan.model.financing, plan.model
    named = {
        "financing.wages": list(spec.wages),
        "financing.arrivals": list(spec.arrivals),
        "financing.assistance": [*spec.assistance, *(a.of for a in spec.assistance.values())],
        "financing.subsidy": [spec.subsidy.central, *spec.subsidy.local] if spec.subsidy else [],
        "personal_accounts.payers": list(model.personal_accounts.payers) if model.personal_accounts else [],
        "accounts": [p for a in model.accounts.values() for p in a.receives],
    }
    for key, names in named.items():
        strange = sorted(set(names) - set(payers))
        if strange:
            params = {"key": key, "payers": labels(strange), "known": labels(payers)}
            yield Fault("income.payer", file=plan.file, line=plan.line(key), params=params)
    for of in {a.of for a in spec.assistance.values()}:
        same = [a for a in spec.assistance.values() if a.of == of]
        persons = sum(a.persons for a in same)
        itself = of in spec.assistance
        if persons > model.insured.next_year or itself:
            params = {
                "persons": f"{persons:,.0f}",
                "insured": f"{model.insured.next_year:,.0f}",
                "payer": labels([of]),
            }
            yield Fault(
                "income.assisted", file=plan.file, line=plan.line("financing.assistance"), params=params
            )
