"""From a plan to its income on paths: accounts, standing orders, transfers, arrears, reserve and adjustment fund."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from actuarial.errors import Fault, InputError
from actuarial.fund.accounts import Banking, Move, banking
from actuarial.fund.arrivals import Arrival
from actuarial.fund.calendar import Arrears, Financing, stated_calendar
from actuarial.fund.income import Income
from actuarial.fund.personal import OWN_FIGURES, own_part
from actuarial.fund.reserve import Adjustment, Reserve
from actuarial.law import load_law
from actuarial.plan import Plan
from actuarial.plan.income import TransferSpec
from actuarial.results import Source
from actuarial.tables import labels

INCOMING = ("from_above", "from_below", "other_revenue")


def plan_income(
    plan: Plan, financing: Financing, arrears: Arrears, *, cash: float, unpaid: float, monthly_spending: float
) -> Income | None:
    """The income of a plan on paths; None where the plan states nothing beyond payers, amounts and calendar.

    Parameters
    ----------
    plan : Plan
    financing, arrears
        Income of the planned year, and what is owed of the base year.
    cash : float
        At the valuation date [yuan].
    unpaid : float
        Unpaid claims, due in the first month after it [yuan].
    monthly_spending : float
        Mean monthly claims of the base year [yuan].

    Raises
    ------
    InputError
        If accounts, payers or rates that the plan names do not fit together.
    """
    model = plan.model
    if not any((model.financing.arrivals, model.accounts, model.transfers, model.adjustment, model.reserve,
                model.personal_accounts)):  # fmt: skip
        if model.moves:
            raise InputError([Fault("income.moves", file=plan.file, line=plan.line("moves"))])
        return None
    faults = list(_faults(plan, arrears))
    if faults:
        raise InputError(faults)
    names = list(model.accounts) or ["fund"]
    payers = tuple(financing.payers["payer"].astype(str))
    bank = _bank(plan, names, monthly_spending)
    paying = next((i for i, a in enumerate(model.accounts.values()) if a.pays), 0)
    landing = tuple(_landing(plan, p) for p in payers)
    shares = np.array([a.share for a in model.accounts.values()] or [1.0])
    flows, before = np.zeros((bank.months, len(names))), np.zeros((bank.months, len(names)))
    stub = bank.months - 12
    for transfer in model.transfers.values():
        account = _account_of(transfer, names, paying)
        flows[stub + transfer.month - 1, account] += transfer.amount * (
            1 if transfer.kind in INCOMING else -1
        )
    if stub:
        before[0, paying] -= unpaid
        month = max(model.financing.remainder_month, plan.observed_months + 1) - plan.observed_months - 1
    else:
        month = 0
    arrivals = tuple(_arrival(plan, p) for p in payers)
    owed = []
    for payer, amount in own_part(plan, financing, arrears, "outstanding").items():
        known = dict(zip(payers, arrivals, strict=True)).get(str(payer))
        account = _landing(plan, str(payer))
        if known is not None and (known.spec.outstanding < 1 or known.spec.outstanding_sd > 0):
            owed.append((known, float(amount), account))
        else:
            before[month, account] += amount
    return Income(
        payers, financing.payers["weight"].to_numpy(), financing.own_share, stated_calendar(plan, payers).to_numpy(),
        arrivals, landing, bank, paying, shares * (cash if stub else cash - unpaid), flows, before, tuple(owed),
        month if stub else -1, _reserve(plan, bank, paying), _adjustment(plan),
    )  # fmt: skip


def income_sources(plan: Plan) -> tuple[Source, ...]:
    """Where the plan's figures on income, accounts and reserves come from; none where it states none."""
    model = plan.model
    many: dict[str, Mapping[str, Any]] = {
        "financing.wages": model.financing.wages, "financing.assistance": model.financing.assistance,
        "financing.arrivals": model.financing.arrivals, "moves": model.moves, "transfers": model.transfers,
        "accounts": {f"{n}.interest_rate": a.interest_rate for n, a in model.accounts.items()},
    }  # fmt: skip
    found = {f"{key}.{name}": entry for key, entries in many.items() for name, entry in entries.items()}
    one: dict[str, Any] = {
        "financing.subsidy": model.financing.subsidy,
        "adjustment": model.adjustment,
        "reserve": model.reserve,
    }
    if model.reserve is not None:
        one["reserve.balance"] = model.reserve.balance
    if model.personal_accounts is not None:
        own = model.personal_accounts
        one |= {"personal_accounts": own} | {f"personal_accounts.{k}": getattr(own, k) for k in OWN_FIGURES}
    found |= {key: entry for key, entry in one.items() if entry is not None}
    laws = [
        load_law(e.rule)
        for e in (model.adjustment, model.reserve, model.personal_accounts)
        if e is not None and e.rule
    ]
    return (*(plan.source(key, entry) for key, entry in found.items()), *(law.source() for law in laws))


def _bank(plan: Plan, names: list[str], monthly_spending: float) -> Banking:
    model, seen = plan.model, plan.observed_months
    months = [*range(seen + 1, 13), *range(1, 13)]
    rates = [a.interest_rate.value for a in model.accounts.values()] or [model.financing.interest_rate.value]
    moves = []
    for m in model.moves.values():
        fill = m.fill_to if m.fill_to_months is None else m.fill_to_months * monthly_spending
        moves.append(Move(names.index(m.origin), names.index(m.to), m.share or 0.0, fill, tuple(m.months)))
    return banking(names, rates, moves, months)


def _landing(plan: Plan, payer: str) -> int:
    """The account in which a payer's money lands: the one that names it, or the first."""
    named = [i for i, a in enumerate(plan.model.accounts.values()) if payer in a.receives]
    return named[0] if named else 0


def _account_of(transfer: TransferSpec, names: list[str], paying: int) -> int:
    if transfer.account:
        return names.index(transfer.account)
    return 0 if transfer.kind in INCOMING else paying


def _arrival(plan: Plan, payer: str) -> Arrival | None:
    spec = plan.model.financing.arrivals.get(payer)
    return None if spec is None else Arrival(payer, spec)


def _reserve(plan: Plan, bank: Banking, paying: int) -> Reserve | None:
    spec = plan.model.reserve
    if spec is None:
        return None
    rule = load_law(spec.rule, "reserve").payload
    stated = rule.rate_of_financing if spec.basis == "financing" else rule.share_of_surplus
    rate = stated if spec.rate is None else spec.rate
    ceiling = rule.ceiling_of_financing if spec.ceiling is None else spec.ceiling
    stub, month, growth = bank.months - 12, np.arange(12), 1 + spec.interest_rate.value / 12
    held = np.asarray(spec.balance.value * growth ** (stub + 1.0 + month), dtype=np.float64)
    after = month >= spec.month - 1
    grown = np.where(after, growth ** np.maximum(month - (spec.month - 1), 0), 0.0)
    taken = bank.total(paying)[stub + spec.month - 1, stub:]
    return Reserve(spec.basis, rate, ceiling, spec.month, held, grown, taken, spec.drawn)


def _adjustment(plan: Plan) -> Adjustment | None:
    spec = plan.model.adjustment
    return None if spec is None else Adjustment(spec.covers, spec.at_most_times, spec.rate)


def _faults(plan: Plan, arrears: Arrears) -> Iterator[Fault]:
    """What accounts, arrears and rates say that cannot be."""
    model = plan.model
    accounts = model.accounts
    if accounts:
        share, paying = sum(a.share for a in accounts.values()), sum(a.pays for a in accounts.values())
        if abs(share - 1) > 1e-9 or paying != 1:
            params = {"share": f"{100 * share:g}", "paying": paying}
            yield Fault("income.accounts", file=plan.file, line=plan.line("accounts"), params=params)
        landing = [p for a in accounts.values() for p in a.receives]
        twice = sorted({p for p in landing if landing.count(p) > 1})
        if twice:
            params = {"payers": labels(twice)}
            yield Fault("income.lands_twice", file=plan.file, line=plan.line("accounts"), params=params)
    named = {"moves": [n for m in model.moves.values() for n in (m.origin, m.to)],
             "transfers": [t.account for t in model.transfers.values() if t.account]}  # fmt: skip
    for key, names in named.items():
        strange = sorted(set(names) - set(accounts))
        if strange:
            params = {"key": key, "names": "、".join(strange), "known": "、".join(accounts) or "—"}
            yield Fault("income.account", file=plan.file, line=plan.line(key), params=params)
    owing = set(arrears.frame["payer"])
    for payer, spec in model.financing.arrivals.items():
        if (spec.outstanding < 1 or spec.outstanding_sd > 0) and payer not in owing:
            line = plan.line(f"financing.arrivals.{payer}")
            yield Fault("income.outstanding", file=plan.file, line=line, params={"payer": labels([payer])})
    if model.adjustment is not None and model.adjustment.rule is not None:
        law = load_law(model.adjustment.rule, "threshold")
        most = law.payload.at_most
        if most is not None and model.adjustment.rate > most:
            params = {"rate": f"{100 * model.adjustment.rate:g}", "most": f"{100 * most:g}", "rule": law.id}
            yield Fault("income.adjustment", file=plan.file, line=plan.line("adjustment.rate"), params=params)
    if model.reserve is not None:
        load_law(model.reserve.rule, "reserve")
