"""The risk-sharing contract: published vectors, the undefined bands, both sides to the cent."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.contract import Contract
from actuarial.errors import InputError

JIANDE = "china/jiande/contract/cooperation@2012-01-01"
FIXED = [(3_000_000, 45), (6_000_000, 50), (9_000_000, 55)]
targets = st.integers(9_000_001_000, 10**12).map(lambda cents: cents / 100)


@pytest.fixture(scope="module")
def deal() -> Contract:
    """The 2012 cooperation contract."""
    return act.load_contract(JIANDE)


@pytest.fixture(scope="module")
def vectors(data: Callable[[str], Any]) -> list[dict[str, float]]:
    """The published test vectors."""
    return data("contract_vectors.json")["vectors"]


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Contract]:
    """The contract from a copy of its file that states how the undefined bands are read."""

    def load(choice: str) -> Contract:
        content = yaml.safe_load(
            files("actuarial.law").joinpath(f"{JIANDE}.yaml").read_text(encoding="utf-8")
        )
        content["readings"] = {"empty_fourth_band": {"choice": choice, "status": "assumed", "source": "test"}}
        path = tmp_path_factory.mktemp("contract") / "mine.yaml"
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return act.load_contract(path)

    return load


def in_turn(outcome: int, bands: list[tuple[Fraction, int]]) -> int:
    """The insurer's part of an outcome in cents, band after band: (upper edge in yuan, percent)."""
    left, low, parts = Fraction(abs(outcome)), Fraction(0), Fraction(0)
    for high, percent in bands:
        width = min(left, high * 100 - low)
        parts += width * Fraction(percent, 100)
        left -= width
        low = high * 100
    cents = math.floor(parts + Fraction(1, 2))
    return cents if outcome >= 0 else -cents


def edge(found: Contract, target: float) -> Fraction:
    """The contract's upper edge, which must be ten percent of the target to half a cent."""
    top = Fraction(repr(found.bands(target).edges[-1]))
    assert abs(top - Fraction(repr(float(target))) / 10) <= Fraction(1, 200)
    return top


# --------------------------------------------------------------------------- published figures


def test_every_published_vector_settles(deal: Contract, vectors: list[dict[str, float]]) -> None:
    """All twelve outcomes at a target of 18,560万 settle to the published amounts, both sides to the cent."""
    assert len(vectors) == 12
    for v in vectors:
        found = deal.settle(target=v["total_premium"], claims=v["total_premium"] - v["outcome"])
        assert (found.outcome, found.insurer_result) == (v["outcome"], v["insurer"])
        assert found.fund_result == v["outcome"] - v["insurer"]
        assert found.table["insurer_part"].sum() == pytest.approx(v["insurer"])
        assert found.table["amount"].sum() == pytest.approx(v["outcome"])


def test_every_published_vector_evaluates(deal: Contract, vectors: list[dict[str, float]]) -> None:
    """The same outcomes as simulated paths give the same amounts in floats, and in whole cents."""
    target = vectors[0]["total_premium"]
    outcomes = np.array([v["outcome"] for v in vectors], dtype=float)
    expected = [v["insurer"] for v in vectors]
    found = deal.evaluate(target=target, claims=target - outcomes)
    assert found.outcome.tolist() == outcomes.tolist()
    np.testing.assert_allclose(found.insurer, expected, rtol=1e-12)
    np.testing.assert_allclose(found.fund, outcomes - expected, rtol=1e-12)
    cents = deal.bands(target).cents((outcomes * 100).astype(np.int64))
    assert cents.tolist() == [round(e * 100) for e in expected]


def test_the_bands_as_written(deal: Contract) -> None:
    """The table of the law file is 45, 50, 55, 60 and 0 percent with edges 300, 600, 900万 and 10%."""
    table = deal.table
    assert table["insurer_share"].tolist() == [0.45, 0.5, 0.55, 0.6, 0.0]
    assert table["up_to"].tolist()[:3] == [3e6, 6e6, 9e6]
    assert table["up_to_share_of_target"].tolist()[3] == 0.1
    f = deal.bands(185_600_000)
    assert f.slope_at([3_000_000.0, 3_000_000.01, 9_000_000.0, 18_560_000.0, 18_560_000.01]).tolist() == [
        0.45, 0.5, 0.55, 0.6, 0.0,
    ]  # fmt: skip


def test_the_full_reward_is_above_the_reserve(deal: Contract) -> None:
    """At 464 yuan × 400,000 heads the most that can be won is 1,023.6万, above the reserve of 1,000万."""
    best = deal.settle(target=464.0 * 400_000, claims=0).insurer_result
    assert best == 10_236_000.0
    assert best > deal.law.payload.cash.reserve.value


# --------------------------------------------------------------------------- where the text is silent


@pytest.mark.parametrize("target", [90_000_000, 89_999_999.99, 45_000_000, 1.0])
def test_low_targets_are_not_computed(deal: Contract, target: float) -> None:
    """At 9,000万 and below settle and evaluate refuse, and name the gap and its choices."""
    for ask in (deal.settle, deal.evaluate):
        with pytest.raises(InputError) as caught:
            ask(target=target, claims=0.5 * target)
        (fault,) = caught.value.faults
        assert (fault.code, fault.params["gap"]) == ("contract.bands_undefined", "empty_fourth_band")
        for language in ("zh", "en"):
            message = fault.message(language)
            assert "empty_fourth_band" in message
            assert "zero_above_fixed_edge" in message
            assert "zero_above_share" in message
            assert "{" not in message
        assert fault.message("zh") != fault.message("en")


@pytest.mark.parametrize("target", [90_000_001, 90_000_010.0, 90_100_000.0])
def test_targets_just_above_are_computed(deal: Contract, target: float) -> None:
    """Just above 9,000万 the 60% band is narrow but there, and the whole table applies."""
    bands = [*((Fraction(e), s) for e, s in FIXED), (edge(deal, target), 60)]
    for outcome in (-target / 5, -9_000_000, 9_000_000, 9_000_000.07, target / 10, target / 5):
        cents = round(outcome * 100)
        found = deal.settle(target=target, claims=target - outcome)
        assert round(found.insurer_result * 100) == in_turn(cents, bands)
    assert deal.bands(target).edges[-1] == pytest.approx(target / 10)


@given(st.integers(1_000_00, 9_000_000_000), st.integers(-12_000_000_00, 12_000_000_00))
def test_reading_zero_above_the_fixed_edge(
    reading: Callable[[str], Contract], cents: int, outcome: int
) -> None:
    """Read so that 0% begins at 900万, low targets pay the three fixed bands whole."""
    target = cents / 100
    f = reading_once(reading, "zero_above_fixed_edge").bands(target)
    assert int(f.cents(np.array([outcome]))[0]) == in_turn(outcome, [(Fraction(e), s) for e, s in FIXED])


@given(st.integers(1_000_00, 9_000_000_000), st.integers(-12_000_000_00, 12_000_000_00))
def test_reading_zero_above_the_share(reading: Callable[[str], Contract], cents: int, outcome: int) -> None:
    """Read so that 0% begins at 10% of the target, bands beyond it fall away."""
    target = cents / 100
    found = reading_once(reading, "zero_above_share")
    top = edge(found, target)
    bands = [(min(Fraction(e), top), s) for e, s in FIXED]
    assert int(found.bands(target).cents(np.array([outcome]))[0]) == in_turn(outcome, bands)


_LOADED: dict[str, Contract] = {}


def reading_once(load: Callable[[str], Contract], choice: str) -> Contract:
    """A reading, loaded once."""
    if choice not in _LOADED:
        _LOADED[choice] = load(choice)
    return _LOADED[choice]


@pytest.mark.parametrize("choice", ["zero_above_fixed_edge", "zero_above_share"])
def test_readings_change_nothing_above(
    reading: Callable[[str], Contract], deal: Contract, choice: str
) -> None:
    """Where the text is clear a reading changes nothing."""
    other = reading_once(reading, choice)
    x = np.arange(-30_000_000, 30_000_001, 250_000.0)
    assert (other.bands(185_600_000)(x) == deal.bands(185_600_000)(x)).all()


def test_a_reading_that_the_file_does_not_offer_is_refused(reading: Callable[[str], Contract]) -> None:
    """A reading must be one of the choices that the gap names."""
    with pytest.raises(InputError):
        reading("whatever_suits")


# --------------------------------------------------------------------------- properties


@given(targets, st.floats(0, 2))
def test_both_sides_sum_to_the_outcome(target: float, used: float) -> None:
    """Insurer and fund together get the outcome, to the cent, and as the slow walk over the bands says."""
    deal = act.load_contract(JIANDE)
    claims = round(target * used, 2)
    found = deal.settle(target=target, claims=claims)
    outcome = round(target * 100) - round(claims * 100)
    insurer, fund = round(found.insurer_result * 100), round(found.fund_result * 100)
    assert insurer + fund == outcome == round(found.outcome * 100)
    assert insurer == in_turn(outcome, [*((Fraction(e), s) for e, s in FIXED), (edge(deal, target), 60)])


@given(targets, st.lists(st.integers(0, 10**12), min_size=2, max_size=10))
def test_surplus_and_deficit_are_treated_alike(target: float, cents: list[int]) -> None:
    """A deficit costs what the same surplus earns; more outcome never earns less, nor more than 60% of it."""
    f = act.load_contract(JIANDE).bands(target)
    x = np.array(sorted(cents), dtype=np.int64)
    up = f.cents(x)
    assert (f.cents(-x) == -up).all()
    assert (np.diff(up) >= 0).all()
    assert (np.diff(up) <= 0.6 * np.diff(x) + 1).all()
    slopes = f.slope_at(np.concatenate([-x, x]) / 100)
    assert ((slopes >= 0) & (slopes <= 0.6)).all()
    assert f.cents(np.array([0])).tolist() == [0]


def test_months_are_added_up(deal: Contract) -> None:
    """Twelve monthly columns evaluate like their yearly sums."""
    generator = np.random.default_rng(5)
    monthly = generator.gamma(20, 185_600_000 / 12 / 20, (500, 12))
    by_month = deal.evaluate(target=185_600_000, claims=monthly)
    by_year = deal.evaluate(target=185_600_000, claims=monthly.sum(axis=1))
    assert (by_month.insurer == by_year.insurer).all()
    assert by_month.table.equals(by_year.table)
    np.testing.assert_allclose(by_month.insurer + by_month.fund, by_month.outcome, rtol=0, atol=1e-6)


def test_the_table_of_both_sides(deal: Contract) -> None:
    """Expected result, sd, chance of a loss and mean of the worst twentieth are those of the paths."""
    generator = np.random.default_rng(6)
    claims = 185_600_000 + generator.normal(0, 8_000_000, 2000)
    found = deal.evaluate(target=185_600_000, claims=claims)
    insurer = np.array(
        [deal.settle(target=185_600_000, claims=float(c)).insurer_result for c in claims[:200]]
    )
    np.testing.assert_allclose(found.insurer[:200], insurer, atol=0.02)
    rows = found.table.set_index("party")
    for party, result in (("insurer", found.insurer), ("fund", found.fund)):
        assert rows.loc[party, "expected"] == pytest.approx(result.mean())
        assert rows.loc[party, "sd"] == pytest.approx(np.std(result, ddof=1))
        assert rows.loc[party, "loss_probability"] == np.count_nonzero(result < 0) / 2000
        assert rows.loc[party, "mean_of_worst_5pct"] == pytest.approx(np.mean(sorted(result)[:100]))


# --------------------------------------------------------------------------- refusals and files


@pytest.mark.parametrize(
    ("target", "claims"), [(-1, 0), (math.nan, 0), (math.inf, 0), (2e8, -1), (2e8, math.nan), (2e8, math.inf)]
)
def test_impossible_amounts_are_refused(deal: Contract, target: float, claims: float) -> None:
    """Amounts must be finite and not negative."""
    with pytest.raises(InputError) as caught:
        deal.settle(target=target, claims=claims)
    assert caught.value.code == "contract.amount"


@pytest.mark.parametrize("target", [0, -1, math.nan, math.inf])
def test_impossible_targets_are_refused(deal: Contract, target: float) -> None:
    """A target must be positive and finite."""
    with pytest.raises(InputError) as caught:
        deal.evaluate(target=target, claims=[1.0])
    assert caught.value.code == "contract.target"


def test_every_contract_that_comes_along_loads() -> None:
    """Each contract of the package loads and has its source; how it splits is in test_contract_files.py."""
    assert JIANDE in act.list_laws("contract")
    for name in act.list_laws("contract"):
        found = act.load_contract(name)
        assert found.law.id == name
        assert found.sources[0].document
        assert len(found.table) >= 1 or found.terms.points is not None


def test_a_law_of_another_kind_is_no_contract(tmp_path: Path) -> None:
    """A costing file, a name that is not there and a file that is not there are refused."""
    for name, code in (
        ("china/jiande/costing/per_capita@2012-01-01", "law.kind"),
        ("china/nowhere/contract/none@2012-01-01", "law.unknown"),
        (str(tmp_path / "none.yaml"), "file.not_found"),
    ):
        with pytest.raises(InputError) as caught:
            act.load_contract(name)
        assert caught.value.code == code


def test_policy_loss_is_shared_before_the_bands() -> None:
    """Of a deficit of 1,000万, 600万 of it policy-caused and shared by halves, the insurer bears 300 + 400万."""
    terms = {"expense_rate": 0.05, "policy_share": 0.5}
    found = act.load_contract("china/hainan/contract/critical_illness@2014-01-01").with_readings(terms)
    split = found.for_year(target=1e8).split([9e7, 1.1e8], policy_loss=6e6)
    np.testing.assert_allclose(split.insurer, [5e6, -7e6])
    np.testing.assert_allclose(split.insurer + split.fund, split.outcome)


@pytest.mark.parametrize(
    ("costs", "payment"), [(8.8e6, -570_000), (9.3e6, -200_000), (1e7, 0), (1.04e7, 50_000)]
)
def test_the_published_corridor(costs: float, payment: float) -> None:
    """42 USC 18062(b): the worked payments to (and charges on) a plan at a target of 10 million."""
    deal = act.load_contract("usa/national/contract/aca_risk_corridor@2014-01-01").for_year(target=1e7)
    assert deal.split(costs).fund[0] == pytest.approx(-payment)
    assert deal.cents([round((1e7 - costs) * 100)]).fund[0] == -payment * 100
