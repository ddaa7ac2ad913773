"""Laws of a year settled by months: nothing is lost, scale does not matter, more claims never give the insurer more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actuarial as act
from actuarial.contract import Contract, State, YearSettlement
from tests.test_settlement import CHOICES, JIANDE, READ, conserves

DEAL = act.load_contract(JIANDE)
CORRIDOR = act.load_contract("usa/national/contract/aca_risk_corridor@2014-01-01")
SHARES_ONLY = {
    "way": "premium", "reserve": {"share_of": "target", "share": 0.05}, "advance": {"share_of": "target", "share": 0.01},
    "first": {"share_of": "target", "share": "1/12"}, "later": "twelfth", "beyond_target": "insurer_advances",
    "provisional": {"insurer": 0.4, "from_month": 2, "base": "cumulative"}, "reward_above_reserve": "next_year",
    "late_claims": "this_year",
}  # fmt: skip
"""A cash rule whose amounts are all shares of the target."""
SHANDONG = "china/shandong/contract/critical_illness@2017-01-01"

cents = st.integers(0, 4_000_000_000)
months = st.lists(cents, min_size=12, max_size=12)
heads = st.lists(st.integers(200_000, 600_000), min_size=12, max_size=12)
readings = st.fixed_dictionaries({gap: st.sampled_from(names) for gap, names in CHOICES.items()})


def settled(deal: Contract, claims: list[int], **more: Any) -> YearSettlement:
    """A year from claims in cents."""
    return deal.settle_months(claims=[c / 100 for c in claims], **more)


@settings(max_examples=40)
@given(months, heads, readings, st.integers(0, 3), cents, cents, cents)
def test_every_account_and_the_whole_conserve(
    claims: list[int],
    persons: list[int],
    read: dict[str, str],
    events: int,
    late: int,
    owed: int,
    earlier: int,
) -> None:
    """Heads by month, last year's reward and claims, late claims, any readings: every month sums to zero over the accounts."""
    found = settled(
        DEAL, claims, heads=persons, readings={**READ, **read}, events={"complaint": events, "report": events},
        late_claims=late / 100, opening=State(owed=owed), earlier_claims=earlier / 100,
    )  # fmt: skip
    conserves(found)
    for account in found.balances.columns:
        moved = sum(e.amount * ((e.debit == account) - (e.credit == account)) for e in found.entries)
        assert moved == int(found.balances[account].iloc[-1])


@settings(max_examples=40)
@given(months, st.integers(-5_000_000_000, 5_000_000_000))
def test_a_balance_carried_forward_is_kept(claims: list[int], before: int) -> None:
    """Shandong: the carried account starts with last year's balance and ends with what goes on; the rest sums to its change."""
    found = settled(
        act.load_contract(SHANDONG), claims, target=200_000_000, opening=State(carried=before), readings={}
    )
    last = found.balances.iloc[-1]
    assert int(last["carried"]) == int(found.state.carried)
    assert int(last.sum()) == before
    assert int(last["carried"]) - before == int(found.split.party("carried")[0])


@settings(max_examples=40)
@given(st.lists(st.integers(0, 4000), min_size=12, max_size=12), st.integers(2, 9), st.integers(0, 3000))
def test_scale_does_not_matter(claims: list[int], times: int, late: int) -> None:
    """Where every amount is a share, target and claims × k give every entry × k (amounts that need no rounding)."""
    deal = CORRIDOR.changed({"cash": SHARES_ONLY})
    one, more = (
        settled(
            deal,
            [c * 1_000_000 * k for c in claims],
            target=12 * 13_860_000 * k,
            late_claims=late * 10_000 * k,
        )
        for k in (1, times)
    )
    assert one.end is not None
    assert more.end is not None
    assert (more.end.result, more.end.owed) == (one.end.result * times, one.end.owed * times)
    assert tuple(replace(e, amount=e.amount * times) for e in one.entries) == more.entries


@settings(max_examples=40)
@given(months, st.integers(0, 11), st.integers(1, 2_000_000_000), readings)
def test_more_claims_never_give_more(claims: list[int], month: int, extra: int, read: dict[str, str]) -> None:
    """The terms promise it: one more claim in any month leaves the insurer and the fund no better off."""
    assert DEAL.for_year(heads=400_000).monotone == {"insurer": True, "fund": True}
    worse = [c + (extra if m == month else 0) for m, c in enumerate(claims)]
    few, many = (settled(DEAL, c, heads=400_000, readings={**READ, **read}) for c in (claims, worse))
    assert many.insurer_result <= few.insurer_result
    assert int(many.split.fund[0]) <= int(few.split.fund[0]) + 1  # the insurer's cent is rounded
    assert (
        many.balances["insurer"].iloc[-1] <= few.balances["insurer"].iloc[-1]
        or read["reward_above_reserve"] != "main_fund"
    )


@pytest.mark.parametrize("rule", CHOICES["headcount_change"])
def test_the_target_is_counted_anew(rule: str) -> None:
    """400,000 heads, 401,200 in the last quarter: 400,000, on average 400,300, or 401,200 × 464 yuan; instalments by the first."""
    persons = [400_000] * 9 + [401_200] * 3
    found = DEAL.settle_months(claims=[14e6] * 12, heads=persons, readings={**READ, "headcount_change": rule})
    expected = {"count_date": 185_600_000, "average": 185_739_200, "year_end": 186_156_800}[rule]
    assert found.deal.basis.target == expected
    assert found.planned_target == 18_560_000_000
    assert found.paid is not None
    assert found.paid.premium[0] == 1_546_666_667
    rest = found.ledger.query("rule == 'rest_of_target'")["amount"].sum()
    assert rest == round(expected * 100) - sum(found.paid.premium)
    assert "headcount_change" in found.deal.asked


def test_a_count_month_that_is_stated() -> None:
    """Dazhou counts at 30 June: the sixth month's heads, whatever the others."""
    dazhou = act.load_contract("china/dazhou/contract/critical_illness@2020-01-01")
    persons = [1000 * m for m in range(1, 13)]
    found = dazhou.settle_months(claims=[1e4] * 12, heads=persons, readings={"surplus_share": 0.5})
    assert found.deal.basis.target == pytest.approx(66.6 * 6000)
    assert found.insurer_result == pytest.approx(
        (66.6 * 6000 - 12e4) / 2
    )  # who bears a loss is not asked for


def test_a_later_count_month_is_not_known_in_month_1() -> None:
    """Instalments go by the first month's heads; the sixth month's give the target at the year's end."""
    later = DEAL.changed({"target.headcount": "count_date", "target.count_month": 6})
    found = later.settle_months(claims=[14e6] * 12, heads=[400_000] * 3 + [401_200] * 9, readings=READ)
    assert (found.planned_target, found.deal.basis.target) == (18_560_000_000, 186_156_800.0)
    conserves(found)


def test_heads_are_not_asked_for_where_they_do_not_matter() -> None:
    """With a stated target and no complaint, no entry depends on heads; with one complaint the reading is asked for."""
    persons = [400_000] * 11 + [500_000]
    read = {k: v for k, v in READ.items() if k != "headcount_change"}
    common = {"target": 185_600_000, "claims": [14e6] * 12, "heads": persons, "readings": read}
    conserves(DEAL.settle_months(**common))  # type: ignore[arg-type]
    with pytest.raises(act.InputError) as caught:
        DEAL.settle_months(**common, events={"complaint": 1})  # type: ignore[arg-type]
    assert caught.value.faults[0].params["gap"] == "headcount_change"


def test_policy_loss_is_asked_for_only_in_a_deficit() -> None:
    """The plan's rule is on the deficit that policy causes: in a surplus its open reading does not matter."""
    read = {k: v for k, v in READ.items() if k != "policy_change_within_year"}
    few = DEAL.settle_months(target=2e8, claims=[14e6] * 12, policy_loss=1e6, readings=read)
    conserves(few)
    with pytest.raises(act.InputError) as caught:
        DEAL.settle_months(target=2e8, claims=[17e6] * 12, policy_loss=1e6, readings=read)
    assert caught.value.faults[0].params["gap"] == "policy_change_within_year"
    borne = DEAL.settle_months(
        target=2e8,
        claims=[17e6] * 12,
        policy_loss=1e6,
        readings={**read, "policy_change_within_year": "fund_bears"},
    )
    assert borne.insurer_result == -1_350_000 - 0  # 45% of 3 of the 4 million: the fund bears 1


def test_last_years_reward_is_paid_from_this_years_reserve() -> None:
    """23.6万 owed by last year come out of the 1,000万 in month 1; a full reward of 1,023.6万 then leaves 47.2万 owed."""
    read = {**READ, "reward_above_reserve": "next_year"}
    first = DEAL.settle_months(target=185_600_000, claims=[0] * 12, readings=read)
    second = DEAL.settle_months(target=185_600_000, claims=[0] * 12, readings=read, opening=first.state)
    paid = second.ledger.query("rule == 'owed_last_year'")
    assert paid[["month", "debit", "credit", "amount"]].to_numpy().tolist() == [
        [1, "insurer", "reserve", 23_600_000]
    ]
    assert (int(first.state.owed), int(second.state.owed)) == (23_600_000, 47_200_000)
    conserves(second)
