"""Every contract file of the package: loads, shows in both languages, splits any year with nothing lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import actuarial as act
from actuarial.contract import Contract
from actuarial.law import load_law
from actuarial.law.words import values_in_words

CONTRACTS = act.list_laws("contract")
NAMED = (
    "china/dazhou", "china/guangdong", "china/guangzhou", "china/hainan", "china/hefei", "china/henan",
    "china/jiande", "china/jinhua", "china/national", "china/qinzhou", "china/shandong", "china/shanghai", "china/shenzhen",
    "china/taicang", "china/tianjin", "china/unnamed_province", "china/zhejiang", "usa/national",
)  # fmt: skip


def filled(name: str, at: float = 0.5) -> Contract:
    """A contract with each gap read: its first choice, or the point of its range `at` of the way up."""
    found = act.load_contract(name)
    read: dict[str, Any] = {}
    for gap, said in found.law.envelope.gaps.items():
        if said.choices:
            read[gap] = next(iter(said.choices))
        elif said.range:
            low, high = said.range
            read[gap] = round(low + at * (high - low), 6)
    return found.with_readings(read)


def year(name: str, outcome: float, at: float = 0.5) -> Any:
    """The split of one outcome at a target of 200 million, with what any contract may ask for."""
    deal = filled(name, at).for_year(target=2e8, heads=400_000, financing=2e8, revenue=3e8)
    return deal.split(
        2e8 - outcome,
        quality=0.9,
        expenses=1e6,
        indicators={"quality_standard": 1.0, "admissions_per_visit": 0.01},
    )


def test_all_named_places_are_there() -> None:
    """Each place whose contract the sources name has a file."""
    assert {"/".join(n.split("/")[:2]) for n in CONTRACTS} == set(NAMED)
    assert "china/taicang/contract/provider_quota@2008-01-01" in CONTRACTS


@pytest.mark.parametrize("name", CONTRACTS)
def test_each_file_says_where_it_is_from(name: str) -> None:
    """Source, clause, names of both languages; a file with status enacted quotes or says what is not in the text."""
    e = load_law(name).envelope
    assert e.source.document
    assert e.source.clause
    assert e.status in {"enacted", "draft", "assumed"}
    if e.status == "enacted":
        assert e.source.quote or e.quotes or e.gaps
    if not e.source.quote and not e.quotes:
        assert e.gaps


@pytest.mark.parametrize("name", CONTRACTS)
def test_each_file_shows_in_both_languages(name: str) -> None:
    """The terms in words are as many in Chinese and in English, and none is empty."""
    zh, en = (values_in_words(load_law(name), lang) for lang in ("zh", "en"))
    assert [r["name"] for r in zh] == [r["name"] for r in en]
    assert all(r["value"] for r in (*zh, *en))


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("outcome", [3e7, 1e6, 0.0, -1e6, -3e7])
@pytest.mark.parametrize("at", [0.0, 0.5, 0.9])
def test_each_file_splits_any_year_and_loses_nothing(name: str, outcome: float, at: float) -> None:
    """Surplus, zero and deficit, gaps at their low, middle and high readings: the parties sum to the outcome."""
    split = year(name, outcome, at)
    parties = filled(name).for_year(target=2e8, heads=4e5, financing=2e8, revenue=3e8).parties
    total = sum(split.party(p) for p in parties)
    np.testing.assert_allclose(total, split.outcome, atol=1e-6)
    assert split.outcome[0] == pytest.approx(outcome)
    if outcome == 0.0 and "expense" not in split.causes:
        assert all(split.party(p)[0] == 0.0 for p in parties)


@pytest.mark.parametrize(
    ("name", "outcome", "party", "expected"),
    [
        # Guangzhou, profit and loss rate 50% here: all of a surplus of 30 million; half of a deficit of 30 million
        ("china/guangzhou/contract/critical_illness@2014-01-01", 3e7, "insurer", 3e7),
        ("china/guangzhou/contract/critical_illness@2014-01-01", -3e7, "insurer", -1.5e7),
        # Shandong: 2% of 200 million is 4 million, the rest carried; 4% is 8 million of a deficit, the rest carried
        ("china/shandong/contract/critical_illness@2017-01-01", 3e7, "insurer", 4e6),
        ("china/shandong/contract/critical_illness@2017-01-01", 3e7, "carried", 2.6e7),
        ("china/shandong/contract/critical_illness@2017-01-01", -3e7, "insurer", -8e6),
        ("china/shandong/contract/critical_illness@2017-01-01", -3e7, "carried", -2.2e7),
        # Guangdong, profit 2.5% (5 million), reserve up to 12.5% (25 million), the rest the fund's
        ("china/guangdong/contract/critical_illness@2013-01-01", 3e7, "insurer", 5e6),
        ("china/guangdong/contract/critical_illness@2013-01-01", 3e7, "reserve", 2e7),
        ("china/guangdong/contract/critical_illness@2013-01-01", 3e7, "fund", 5e6),
        # Taicang's providers: 30% of 30 million is 9, at most 3% of 200 million; half of a deficit within 20%
        ("china/taicang/contract/provider_quota@2008-01-01", 3e7, "provider", 6e6),
        ("china/taicang/contract/provider_quota@2008-01-01", 1e6, "provider", 3e5),
        ("china/taicang/contract/provider_quota@2008-01-01", -3e7, "provider", -1.5e7),
        # Part D 2008: 5% is 10, half of the next 10 is 5, 20% of the last 10 is 2 million
        ("usa/national/contract/part_d_corridor@2008-01-01", 3e7, "insurer", 1.7e7),
        ("usa/national/contract/part_d_corridor@2008-01-01", -3e7, "insurer", -1.7e7),
        # MSSP: minimum rate 6.1%, rate 25%: 7.5 of 30 million; nothing below 12.2 million; loss 30%, at most 4% of target
        ("usa/national/contract/mssp_basic_level_e@2019-07-01", 3e7, "provider", 7.5e6),
        ("usa/national/contract/mssp_basic_level_e@2019-07-01", 1e6, "provider", 0.0),
        ("usa/national/contract/mssp_basic_level_e@2019-07-01", -1.3e7, "provider", -3.9e6),
        ("usa/national/contract/mssp_basic_level_e@2019-07-01", -3e7, "provider", -8e6),
        # regulator's rule, costs 1 million, profit line 50%: all of the surplus; half of the deficit of 31 million less costs
        ("china/national/contract/risk_adjustment@2016-01-01", 3e7, "insurer", 3e7),
        ("china/national/contract/risk_adjustment@2016-01-01", -3e7, "insurer", 1e6 - 1.55e7),
        # Shanghai: 2.5% of 200 million
        ("china/shanghai/contract/critical_illness@2016-01-01", 3e7, "insurer", 5e6),
    ],
)  # fmt: skip
def test_a_year_by_hand(name: str, outcome: float, party: str, expected: float) -> None:
    """What a party gets of a year, worked by hand with gaps read at the middle of their range."""
    assert year(name, outcome).party(party)[0] == pytest.approx(expected)


def test_no_reward_where_the_guard_fails() -> None:
    """Taicang: 2% admissions over visits, above 1.8%, and a saving is the fund's; a deficit is shared all the same."""
    deal = act.load_contract("china/taicang/contract/provider_quota@2008-01-01").for_year(target=2e8)
    split = deal.split([1.9e8, 2.1e8], indicators={"admissions_per_visit": 0.02})
    np.testing.assert_allclose(split.provider, [0.0, -5e6])


def test_the_three_year_account_of_taicang() -> None:
    """Fees 310万 and 312万 of the sum of the printed items, claims 5,354万: the fund gets back the printed 753万."""
    paid = 5354 + 310 + 312 + 753
    found = act.load_contract("china/taicang/contract/critical_illness@2011-01-01").with_readings(
        {"service_fee": 310 / paid, "performance_fee": 312 / paid, "loss_share": 0.0}
    )
    split = found.for_year(target=paid * 1e4).split(5354e4)
    assert split.part("insurer", "expense")[0] == pytest.approx(310e4, abs=1)
    assert split.part("insurer", "bands")[0] == pytest.approx(312e4, abs=1)
    assert split.fund[0] == pytest.approx(753e4, abs=1)


def test_the_tender_of_dazhou() -> None:
    """66.6 yuan × 5,290,000 heads × 3 years is the printed 1,056,942,000 yuan."""
    found = act.load_contract("china/dazhou/contract/critical_illness@2020-01-01")
    assert 3 * found.basis(heads=5_290_000).target == pytest.approx(1_056_942_000, abs=0.5)


@pytest.mark.parametrize("costs", [1.03e7, 1.0300001e7, 1.08e7, 1.2e7, 9.7e6, 9.2e6, 8e6])
def test_the_statute_and_the_file_of_the_corridor_agree(costs: float) -> None:
    """42 U.S.C. 18062(b), coded from its four sentences, and the file give the same payment at a target of 10 million."""
    target = 1e7
    if costs > 1.08 * target:
        payment = 0.025 * target + 0.8 * (costs - 1.08 * target)
    elif costs > 1.03 * target:
        payment = 0.5 * (costs - 1.03 * target)
    elif costs < 0.92 * target:
        payment = -(0.025 * target + 0.8 * (0.92 * target - costs))
    elif costs < 0.97 * target:
        payment = -0.5 * (0.97 * target - costs)
    else:
        payment = 0.0
    deal = act.load_contract("usa/national/contract/aca_risk_corridor@2014-01-01").for_year(target=target)
    assert -deal.split(costs).fund[0] == pytest.approx(payment, abs=1e-6)
