"""Each word of a contract by hand, and the law that every step keeps: the parties sum to the outcome."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.contract import Contract, Deal, State

BASE = act.load_contract("usa/national/contract/aca_risk_corridor@2014-01-01")
TARGET = 1e8
ALL = {"side": "both", "bands": [{"insurer": 0.5}]}
WHAT = {"zh": "项目", "en": "item"}


def contract(**terms: Any) -> Contract:
    """The base file with these terms in place of its own."""
    return BASE.changed({"sharing": [ALL], **terms})


def deal(**terms: Any) -> Deal:
    """Its deal at a target of 100 million and 200,000 heads."""
    return contract(**terms).for_year(target=TARGET, heads=200_000)


def got(found: Deal, outcome: float, party: str = "insurer", **more: Any) -> float:
    """What a party gets of one outcome."""
    return float(found.split(TARGET - outcome, **more).party(party)[0])


# --------------------------------------------------------------------------- words by hand


def test_a_gate_counts_from_the_first_yuan() -> None:
    """At least 2 million, then half of all of it: 0 below, 1 million at the gate; above: 0 at the gate itself."""
    included = deal(sharing=[{**ALL, "gate": {"at_least": 2_000_000}}])
    beyond = deal(sharing=[{**ALL, "gate": {"above": 2_000_000}}])
    assert [got(included, x) for x in (1_999_999, 2_000_000, -2_000_000)] == [0, 1_000_000, -1_000_000]
    assert [got(beyond, x) for x in (2_000_000, 2_000_002)] == [0, 1_000_001]


def test_a_cap_leaves_the_rest_to_the_fund() -> None:
    """Half of 10 million is 5, at most 3: the insurer 3, the fund 7; of a deficit at most 1, the fund bears 9."""
    found = deal(
        caps=[
            {"party": "insurer", "side": "surplus", "amount": {"share_of": "target", "share": 0.03}},
            {"party": "insurer", "side": "deficit", "amount": 1_000_000},
        ]
    )
    assert (got(found, 1e7), got(found, 1e7, "fund")) == (3e6, 7e6)
    assert (got(found, -1e7), got(found, -1e7, "fund")) == (-1e6, -9e6)
    assert float(found.split(9e7).part("insurer", "cap")[0]) == -2e6


def test_the_expense_allowance_comes_first() -> None:
    """Allowance 2 million: of a surplus of 10 the insurer has 2 + half of 8; of 1 it has 2 less half of 1."""
    found = deal(expense={"amount": 2_000_000})
    assert (got(found, 1e7), got(found, 1e6)) == (6e6, 1.5e6)
    actual = deal(expense={"amount": "actual", "at_most": {"per_head": 5}})
    assert got(actual, 1e7, expenses=400_000.0) == 400_000 + 4_800_000
    assert got(actual, 1e7, expenses=3e6) == 1e6 + 4.5e6  # at most 5 × 200,000


def test_the_reserve_fills_to_its_ceiling_and_the_rest_overflows() -> None:
    """Reserve takes 80% of 10 million, 6 there, ceiling 10: it takes 4, 4 overflow to the fund, whose own share is 2."""
    found = deal(
        sharing=[{"side": "both", "bands": [{"reserve": 0.8}]}],
        pools={"reserve": {"ceiling": 10_000_000, "overflow": "fund"}},
    )
    split = found.split(9e7, state=State(reserve=6e6))
    assert (split.party("reserve")[0], split.fund[0], split.state.reserve[0]) == (4e6, 6e6, 1e7)
    assert split.part("fund", "overflow")[0] == 4e6


def test_the_reserve_does_not_fall_below_zero() -> None:
    """Reserve bears 80% of a deficit of 10 million and has 6: it gives 6, the fund bears 2 + 2."""
    found = deal(sharing=[{"side": "both", "bands": [{"reserve": 0.8}]}], pools={"reserve": {}})
    split = found.split(1.1e8, state=State(reserve=6e6))
    assert (split.party("reserve")[0], split.fund[0], split.state.reserve[0]) == (-6e6, -4e6, 0.0)


def test_overspending_carried_is_offset_next_year() -> None:
    """Shandong: a deficit of 10% carries 6 of 10 million; a surplus of 5% next year brings the balance to −3."""
    found = act.load_contract("china/shandong/contract/critical_illness@2017-01-01").for_year(target=TARGET)
    first = found.split(1.1e8)
    second = found.split(9.5e7, state=first.state)
    assert (first.state.carried[0], second.state.carried[0]) == (-6e6, -3e6)
    assert (first.insurer[0], second.insurer[0]) == (-4e6, 2e6)


def test_deductions_and_fees_move_money_to_and_from_the_fund() -> None:
    """3 complaints at 10% of 500 yuan and a fee of 2 yuan a head: half of 10 million, less 150, plus 400,000."""
    found = deal(
        deductions=[
            {"id": "complaint", "event": WHAT, "amount": {"share_of": "target_per_head", "share": 0.1}}
        ],
        fees=[{"id": "service", "what": WHAT, "amount": {"per_head": 2}}],
    )
    split = found.split(9e7, events={"complaint": 3})
    assert split.insurer[0] == 5e6 - 150 + 400_000
    assert split.fund[0] == 5e6 + 150 - 400_000
    assert split.causes == ("bands", "deductions", "fees")


def test_a_loss_from_policy_is_taken_out_first() -> None:
    """Deficit 10 million, 6 from policy: the fund's whole 6 and half of 4; shared 25%: 1.5 + half of 4; as claims: 5."""
    rules: list[tuple[dict[str, Any], float]] = [
        ({"rule": "fund_bears"}, -2e6),
        ({"rule": "shared", "insurer": 0.25}, -3.5e6),
        ({"rule": "as_claims"}, -5e6),
    ]
    for rule, expected in rules:
        assert got(deal(policy_loss=rule), -1e7, policy_loss=6e6) == expected
    of_claims = deal(policy_loss={"rule": "fund_bears", "of": "claims"})
    assert got(of_claims, -1e7, policy_loss=1.2e7) == 1e6  # the outcome without it is a surplus of 2 million


def test_persons_beyond_their_attachment_are_one_partys() -> None:
    """Over 100,000 up to 300,000, the insurer 80%: costs of 90,000, 200,000 and 500,000 pass 0 + 80,000 + 160,000."""
    found = deal(individual={"over": 100_000, "up_to": 300_000, "share": 0.8})
    excess = found.individual_cover([90_000.0, 200_000.0, 500_000.0])
    assert excess == 240_000.0
    assert got(found, -1e6, excess=excess) == -240_000 - 380_000  # half of the deficit that is left


def test_shares_that_move_with_quality() -> None:
    """75% × 0.8 of a surplus; 1 − 0.75 × 0.4 = 70% of a deficit, at least 40%, at most 75%."""
    found = deal(
        sharing=[
            {"side": "surplus", "bands": [{"insurer": {"quality": 0.75}}]},
            {
                "side": "deficit",
                "bands": [{"insurer": {"less_quality": 0.75, "at_least": 0.4, "at_most": 0.75}}],
            },
        ]
    )
    assert got(found, 1e7, quality=0.8) == pytest.approx(6e6)
    assert [got(found, -1e7, quality=q) for q in (0.4, 1.0, 0.1)] == pytest.approx([-7e6, -4e6, -7.5e6])


def test_the_least_and_the_most_of_amounts() -> None:
    """The least of 8 million and 3% of the target is 3 million; the most is 8 million."""
    two = [8_000_000, {"share_of": "target", "share": 0.03}]
    for word, cap in (("least", 3e6), ("most", 8e6)):
        assert got(deal(caps=[{"party": "insurer", "side": "surplus", "amount": {word: two}}]), 4e7) == cap


# --------------------------------------------------------------------------- nothing is lost

shares = st.lists(st.integers(0, 25), min_size=4, max_size=4).map(
    lambda v: {p: x / 100 for p, x in zip(("insurer", "provider", "reserve", "carried"), v, strict=True)}
)
amounts = st.integers(0, 2_000_000_000).map(lambda c: c / 100)
destination = st.sampled_from(["fund", "insurer", "provider"])


@st.composite
def tables(draw: st.DrawFn, side: str) -> dict[str, Any]:
    """A table of one to four bands, with or without a gate."""
    edges = sorted(draw(st.sets(st.integers(1, 3_000_000_000), max_size=3)))
    bands = [{"up_to": e / 100, **draw(shares)} for e in edges] + [draw(shares)]
    gate = draw(st.sampled_from([None, "at_least", "above"]))
    return {"side": side, "bands": bands} | ({"gate": {gate: draw(amounts)}} if gate else {})


@st.composite
def term_sets(draw: st.DrawFn) -> dict[str, Any]:
    """Terms with any of the words."""
    party = st.sampled_from(["insurer", "provider"])
    rule = st.sampled_from(["as_claims", "fund_bears", "shared"])
    pool = st.fixed_dictionaries(
        {"may_be_negative": st.booleans(), "overflow": destination}, optional={"ceiling": amounts}
    )
    return {
        "sharing": [draw(tables("surplus")), draw(tables("deficit"))],
        "individual": {"over": 100_000, "party": draw(party)},
        "policy_loss": {
            "rule": draw(rule),
            "of": draw(st.sampled_from(["deficit", "claims"])),
            "insurer": 0.3,
        },
        "expense": {"amount": draw(amounts), "at_most": draw(amounts), "party": draw(party)},
        "caps": [
            {"party": draw(party), "side": side, "amount": draw(amounts)} for side in ("surplus", "deficit")
        ],
        "pools": {"reserve": draw(pool), "carried": draw(pool)},
        "deductions": [{"id": "late", "event": WHAT, "amount": draw(amounts), "party": draw(party)}],
        "fees": [{"id": "fee", "what": WHAT, "amount": draw(amounts), "to": draw(party)}],
    }


@given(
    terms=term_sets(),
    outcomes=st.lists(st.integers(-5_000_000_000, 5_000_000_000), min_size=1, max_size=5),
    late=st.integers(0, 5),
    loss=st.integers(-(10**9), 10**9),
    excess=st.integers(0, 10**9),
    before=st.tuples(st.integers(0, 10**9), st.integers(-(10**9), 10**9)),
)  # fmt: skip
def test_every_step_only_moves_money(
    terms: dict[str, Any], outcomes: list[int], late: int, loss: int, excess: int, before: tuple[int, int]
) -> None:
    """Any terms, any year: in cents the parties sum to the outcome exactly; caps, overflow, deductions, fees to nothing."""
    found = deal(**terms)
    split = found.cents(
        np.array(outcomes),
        events={"late": late},
        policy_loss=loss,
        excess=excess,
        state=State(reserve=before[0], carried=before[1]),
    )
    np.testing.assert_array_equal(sum(split.party(p) for p in found.parties), split.outcome)
    for cause in ("cap", "overflow", "deductions", "fees"):
        np.testing.assert_array_equal(sum(split.part(p, cause) for p in found.parties), 0 * split.outcome)
    for name, start in (("reserve", before[0]), ("carried", before[1])):
        if name in found.parties:
            np.testing.assert_array_equal(getattr(split.state, name), start + split.party(name))
    yuan = found.split(
        TARGET - np.array(outcomes) / 100,
        events={"late": late},
        policy_loss=loss / 100,
        excess=excess / 100,
        state=State(reserve=before[0] / 100, carried=before[1] / 100),
    )
    np.testing.assert_allclose(sum(yuan.party(p) for p in found.parties), yuan.outcome, atol=1e-6)
