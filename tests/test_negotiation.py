"""Evaluation and bargaining bound together: closed forms, sums, errors of differences, refusals, cautions."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actuarial as act
from actuarial.contract.cautions import crossing_cautions
from actuarial.contract.measures import changes, measure
from actuarial.contract.variations import variations
from actuarial.contract.words import terms_in_words
from actuarial.errors import InputError
from actuarial.texts import LANGUAGES

JIANDE = "china/jiande/contract/cooperation@2012-01-01"
HAINAN = "china/hainan/contract/critical_illness@2014-01-01"
TARGET = 185_600_000.0
LAW = act.SimpleClaims(183e6, 0.05)
STAFF = act.Costs(people=14, cost_per_person=1e5)


@pytest.fixture(scope="module")
def plan() -> act.Contract:
    """The plan of 2012."""
    return act.load_contract(JIANDE)


@pytest.fixture(scope="module")
def year() -> np.ndarray:
    """20,000 simulated years."""
    return LAW.claims(20_000)


# --------------------------------------------------------------------------- evaluation


def test_evaluation_is_measured_once(plan: act.Contract, year: np.ndarray) -> None:
    """Every figure of the table is `measure` of the split's arrays, with its error; sides sum to the outcome."""
    found = plan.evaluate(target=TARGET, claims=year, costs=STAFF)
    np.testing.assert_allclose(found.insurer, plan.bands(TARGET)(TARGET - year), atol=1e-6)
    rows = found.table.set_index("party")
    assert rows.index.tolist() == ["insurer", "insurer_after_costs", "fund"]
    for party in rows.index:
        m = measure(found.result(party))
        assert rows.loc[party, "mean_of_worst_1pct_error"] == m.tail_99.error
        assert rows.loc[party, "mean_of_worst_5pct"] == m.tail_95.value
        assert (rows.loc[party, "expected"], rows.loc[party, "sd_error"]) == (m.expected.value, m.sd.error)
    assert rows.loc["insurer", "expected"] - rows.loc["insurer_after_costs", "expected"] == pytest.approx(
        1.4e6
    )
    np.testing.assert_allclose(found.insurer + found.fund, found.outcome, atol=1e-6)


def test_expected_results_agree_with_the_closed_form(plan: act.Contract) -> None:
    """Both sides' means, and the value of the target, lie within four errors of the lognormal closed form."""
    found = plan.evaluate(target=TARGET, claims=LAW.claims(100_000))
    exact = LAW.expected(plan.bands(TARGET), target=TARGET)
    insurer, fund = found.measures["insurer"].expected, found.measures["fund"].expected
    assert abs(insurer.value - exact) < 4 * insurer.error
    assert abs(fund.value - (TARGET - 183e6 - exact)) < 4 * fund.error
    more = LAW.expected(plan.bands(1.01 * TARGET), target=1.01 * TARGET) - exact
    values = act.value_of_terms(plan, claims=LAW.claims(100_000), target=TARGET).frame
    assert abs(values.loc[0, "insurer"] - more) < 4 * values.loc[0, "insurer_error"]


def test_no_uncertainty_at_all(plan: act.Contract) -> None:
    """Where all years are the same each figure is the settlement's, without error or chance."""
    claims = act.SimpleClaims(180e6, 0.0).claims(50, months=np.ones(12))
    found = plan.evaluate(target=TARGET, claims=claims)
    assert found.expected("insurer") == pytest.approx(
        plan.settle(target=TARGET, claims=180e6).insurer_result, abs=0.01
    )
    assert found.measures["insurer"].sd.value == pytest.approx(0, abs=1e-6)
    assert found.loss_probability("insurer") == 0
    assert found.payoff()["share_of_paths"].tolist() == [1.0]
    one = plan.evaluate(target=TARGET, claims=[190e6])
    assert math.isnan(one.measures["insurer"].expected.error)
    assert len(one.summary("zh").splitlines()) >= 3


def test_months_bring_cash_and_its_cost(plan: act.Contract) -> None:
    """With claims by month the need is told and money advanced costs; the yearly figures stay as they are."""
    months = LAW.claims(5_000, months=[2.0, *[1.0] * 11])
    found = plan.evaluate(target=TARGET, claims=months, costs=act.Costs(cash_rate=0.05))
    assert found.cash is not None
    assert found.cash.month == 1  # two thirteenths of the claims come in January
    need = (2 / 13 * months.sum(axis=1) - TARGET / 12).mean()
    assert found.cash.by_month[0] == pytest.approx(need, rel=1e-6)
    charged = found.insurer - found.insurer_after_costs
    np.testing.assert_allclose(charged, 0.05 * found.cash.average, rtol=1e-6)
    assert "worst_month" in {c.code for c in found.cautions}
    assert plan.evaluate(target=TARGET, claims=months.sum(axis=1)).table[
        "expected"
    ].tolist() == pytest.approx([found.expected("insurer"), found.expected("fund")])


def test_payoff_is_the_curve_over_the_distribution(plan: act.Contract, year: np.ndarray) -> None:
    """Weighted over its stretches the payoff gives the means back; it rises with the outcome."""
    found = plan.evaluate(target=TARGET, claims=year)
    rows = found.payoff()
    assert rows["share_of_paths"].sum() == pytest.approx(1)
    for side in ("insurer", "fund"):
        assert (rows[side] * rows["share_of_paths"]).sum() == pytest.approx(found.expected(side))
        assert (np.diff(rows[side]) >= -1e-6).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.integers(1, 6))
def test_conditional_tables_make_up_the_whole(values: list[int], groups: int) -> None:
    """Groups share out all paths; weighted, they give the means back; equal values stay together where each is a group."""
    claims = 180e6 + 1e6 * np.arange(len(values))
    found = act.load_contract(JIANDE).evaluate(target=TARGET, claims=claims)
    rows = found.conditional(values, groups=groups)
    assert rows["probability"].sum() == pytest.approx(1)
    assert len(rows) <= groups
    for side in ("insurer", "fund"):
        assert (rows[f"{side}_expected"] * rows["probability"]).sum() == pytest.approx(
            found.expected(side), abs=1e-3
        )
    assert (rows["low"] <= rows["high"]).all()
    words = found.conditional(np.where(np.array(values) > 15, "new", "old"))
    assert set(words["group"]) <= {"new", "old"}


def test_policy_caused_loss(year: np.ndarray) -> None:
    """Of claims that a change of policy causes the insurer bears its share of the deficit; a contract without a rule refuses."""
    terms = {"expense_rate": 0.05, "policy_share": 0.5}
    deal = act.load_contract(HAINAN).with_readings(terms)
    loss = np.full(len(year), 4e6)
    found = deal.evaluate(
        target=120e6, claims=year, policy_loss=loss
    )  # always a deficit of more than 4 million
    rows = found.policy_table.set_index("party")
    assert rows.loc["claims", "caused"] == pytest.approx(4e6)
    deep = year > 124e6
    assert deep.all()
    assert rows.loc["insurer", "caused"] == pytest.approx(-2e6)
    assert rows.loc["fund", "caused"] == pytest.approx(-2e6)
    assert deal.evaluate(target=120e6, claims=year).policy_table.empty
    with pytest.raises(InputError) as caught:
        act.load_contract(JIANDE).evaluate(target=TARGET, claims=year, policy_loss=loss)
    assert caught.value.code == "contract.gap_open"
    read = act.load_contract(JIANDE).evaluate(
        target=120e6, claims=year, policy_loss=loss, readings={"policy_change_within_year": "fund_bears"}
    )
    assert read.policy_table.set_index("party").loc["insurer", "caused"] == pytest.approx(0, abs=1e-6)


# --------------------------------------------------------------------------- offers


def test_same_paths_same_claims_one_gains_what_the_other_gives(plan: act.Contract, year: np.ndarray) -> None:
    """Differences of the two sides cancel, with other targets too, and their errors are far below those of either offer."""
    offers = {"A": plan, "B": plan.changed({"sharing.0.bands.0.insurer": 0.5}), "C": plan}
    found = act.compare_offers(offers, claims=year, target=TARGET, targets={"C": 180e6})
    for name in ("B", "C"):
        mine, fund = (found.changes[name, s].expected for s in ("insurer", "fund"))
        assert mine.value == pytest.approx(-fund.value)
        assert mine.error == pytest.approx(fund.error)
        assert mine.error < 0.2 * found.measures[name, "insurer"].expected.error
    assert [found.better_for(n) for n in ("B", "C")] == ["insurer", "fund"]
    direct = (
        plan.evaluate(target=180e6, claims=year).insurer - plan.evaluate(target=TARGET, claims=year).insurer
    )
    assert found.changes["C", "insurer"].expected.value == pytest.approx(direct.mean())
    assert found.result("C", "fund") == pytest.approx(TARGET - year - found.evaluation("C").insurer)


def test_the_same_offer_is_no_better(plan: act.Contract, year: np.ndarray) -> None:
    """An offer against itself: no difference, no error, and words that say so."""
    found = act.compare_offers({"A": plan, "A again": plan}, claims=year, target=TARGET, costs=STAFF)
    gap = found.changes["A again", "insurer"]
    assert (gap.expected.value, gap.expected.error, gap.tail_99.error) == (0, 0, 0)
    assert found.better_for("A again") == "same"
    assert "模拟误差之内" in found.summary("zh")


def test_evaluated_offers_are_taken_as_they_are(plan: act.Contract, year: np.ndarray) -> None:
    """Offers with claims of their own (another growth) are compared path by path; other numbers of paths are refused."""
    found = act.compare_offers(
        {
            "A": plan.evaluate(target=TARGET, claims=year),
            "B": plan.evaluate(target=TARGET, claims=1.01 * year),
        }
    )
    assert found.better_for("B") == "neither"
    with pytest.raises(InputError) as caught:
        act.compare_offers({"A": found.evaluation("A"), "B": plan.evaluate(target=TARGET, claims=year[:9])})
    assert caught.value.code == "bargain.offers"
    with pytest.raises(InputError) as caught:
        found.evaluation("Z")
    assert caught.value.code == "bargain.no_offer"


@pytest.mark.slow
def test_errors_of_differences_cover(plan: act.Contract) -> None:
    """Over 300 replications the stated errors of every difference are its spread."""
    other = plan.changed({"sharing.0.bands.1.insurer": 0.7, "sharing.0.bands.4.insurer": 0.3})
    names = ("expected", "sd", "loss_probability", "tail_95", "tail_99")
    seen: dict[str, list[tuple[float, float]]] = {n: [] for n in names}
    f, g = other.bands(1.01 * TARGET), plan.bands(TARGET)
    for seed in range(300):
        x = LAW.claims(4_000, seed=seed)
        gap = changes(f(1.01 * TARGET - x), g(TARGET - x))
        for n in names:
            seen[n].append((getattr(gap, n).value, getattr(gap, n).error))
    for n, pairs in seen.items():
        values, errors = np.array(pairs).T
        assert np.std(values) == pytest.approx(errors.mean(), rel=0.15), n


def test_effort_is_what_can_be_better_for_both(plan: act.Contract, year: np.ndarray) -> None:
    """With effort both sides gain by saving; without it the summary says that no change is better for both."""
    offers = {"A": plan, "B": plan.changed({"sharing.0.bands.4.insurer": 0.3})}
    with_it = act.compare_offers(offers, claims=year, target=TARGET, effort=act.Effort(500_000))
    assert (with_it.incentives[["insurer_gain", "fund_gain"]] > 0).all(axis=None)
    assert with_it.incentives["no_incentive"].tolist() == pytest.approx(
        [np.mean(np.abs(TARGET - year) > 18.56e6), 0.0]
    )
    plain = act.compare_offers(offers, claims=year, target=TARGET)
    assert len(plain.summary("en").splitlines()) == len(with_it.summary("en").splitlines()) + 1
    for lang in LANGUAGES:
        design = act.design_bands(year, target=TARGET, edges=[3e6, 18.56e6], beyond=0.0, step=0.25)
        assert design.summary(lang).splitlines()[-1].count("effort") == 1


# --------------------------------------------------------------------------- values of terms


def test_dropped_shares_sum_to_the_whole(plan: act.Contract, year: np.ndarray) -> None:
    """The plan is linear in its shares: what dropping each takes from the insurer sums to all it gets, and the fund gains it."""
    found = act.value_of_terms(plan, claims=year, target=TARGET)
    dropped = found.frame[found.frame["kind"] == "drop"]
    assert len(dropped) == 4
    assert dropped["insurer"].sum() == pytest.approx(-found.evaluation.expected("insurer"))
    assert (found.frame["insurer"] + found.frame["fund"]).abs().max() < 1e-3


def test_five_points_are_a_ninth_of_forty_five(plan: act.Contract, year: np.ndarray) -> None:
    """A shift of a share is worth its part of the share's whole value."""
    frame = act.value_of_terms(plan, claims=year, target=TARGET).frame
    first = frame[frame["term"] == "sharing.0.bands.0.insurer"].set_index("kind")["insurer"]
    assert first["share"] == pytest.approx(-first["drop"] / 9)


def test_every_contract_has_values(year: np.ndarray) -> None:
    """Every file that comes along lists its terms in words of both languages; what the year needs is asked for."""
    for name in act.list_laws("contract"):
        contract = act.load_contract(name)
        for v in variations(contract):
            for lang in LANGUAGES:
                assert "{" not in v.words(lang)
                assert "None" not in v.words(lang)
        assert terms_in_words(contract)


def test_changes_without_an_order_are_not_made_up(plan: act.Contract) -> None:
    """At a target of 91 million a first edge moved up would cross the tenth of the target: its value is left out, not guessed."""
    claims = act.SimpleClaims(90e6, 0.05).claims(500)
    frame = act.value_of_terms(plan, claims=claims, target=91e6).frame.set_index(["term", "kind"])
    assert math.isnan(frame.loc[("sharing.0.bands.2.up_to", "edge"), "insurer"])
    assert np.isfinite(frame.loc[("sharing.0.bands.0.up_to", "edge"), "insurer"])


# --------------------------------------------------------------------------- fair target


def test_fair_target_on_sums_is_that_on_paths(plan: act.Contract, year: np.ndarray) -> None:
    """The quick way by sorted sums and the full evaluation of every target give the same root; there the result is the margin."""
    quick = act.fair_target(plan, claims=year[:2_000], costs=STAFF, margin=2e5, target=TARGET, heads=400_000)
    full = act.fair_target(plan, claims=year[:2_000], costs=STAFF, margin=2e5, events={"report": 0})
    assert quick.value == pytest.approx(full.value, abs=1)
    at = plan.evaluate(target=quick.value, claims=year[:2_000], costs=STAFF)
    assert at.expected("insurer_after_costs") == pytest.approx(2e5, abs=2)
    assert f"{quick.value / 400_000:,.2f}" in quick.summary("en")
    assert len(quick.summary("zh").splitlines()) == 2


def test_targets_without_bands_are_said(plan: act.Contract) -> None:
    """Below 90 million the bands of 2012 have no order: the scan says so and seeks no root there."""
    found = act.fair_target(plan, claims=act.SimpleClaims(95e6, 0.05).claims(2_000), low=60e6, high=130e6)
    assert found.scan.loc[found.scan["target"] <= 90e6, "insurer_result"].isna().all()
    assert found.value == pytest.approx(95e6, rel=0.01)
    assert len(found.summary("en").splitlines()) == 2
    none = act.fair_target(plan, claims=[95e6, 96e6], margin=1e9)
    assert none.roots == ()
    assert "1,000,000.00" in none.summary("en")


def test_a_result_that_no_target_moves_has_no_fair_target() -> None:
    """Providers paid by points neither gain nor lose by the target: that is said, and no fair target is made up."""
    deal = act.load_contract("china/national/contract/dip_points@2021-01-01")
    found = act.fair_target(deal, claims=[95e6, 96e6, 97e6])
    assert math.isnan(found.value)
    for lang in LANGUAGES:
        assert "∞" not in found.summary(lang)
        assert len(found.summary(lang).splitlines()) == 1


def test_dearer_claims_ask_for_a_higher_target(plan: act.Contract, year: np.ndarray) -> None:
    """The fair target rises with claims, yuan for yuan as long as edges in yuan do not matter, and with costs and margin."""
    base = act.fair_target(plan, claims=year).value
    assert act.fair_target(plan, claims=1.05 * year).value > base
    assert act.fair_target(plan, claims=year, costs=STAFF).value > base
    assert act.fair_target(plan, claims=year, margin=1e5).value > base


# --------------------------------------------------------------------------- cautions


def test_crossing_bands_are_said_before_the_refusal(plan: act.Contract) -> None:
    """The caution needs no split: it is given near the crossing, at it, and with a reading that answers it."""
    assert [(c.code, c.severity) for c in crossing_cautions(plan, 90e6)] == [("bands_cross", "serious")]
    with pytest.raises(InputError):
        plan.evaluate(target=90e6, claims=[90e6])
    read = plan.with_readings({"empty_fourth_band": "zero_above_share"})
    found = read.evaluate(target=80e6, claims=[80e6, 81e6])
    assert {"bands_cross"} <= {c.code for c in found.cautions}
    assert [c.severity for c in found.cautions if c.code == "bands_cross"] == ["notable"]
    near = plan.evaluate(target=100e6, claims=[99e6, 101e6])
    assert "bands_near_crossing" in {c.code for c in near.cautions}
    for caution in (*crossing_cautions(plan, 90e6), *crossing_cautions(plan, 100e6)):
        for lang in LANGUAGES:
            assert "90.00" in caution.message(lang) or "9,000.00" in caution.message(lang)


def test_a_run_tells_the_cautions() -> None:
    """The plan's answer carries the cautions of its contract, in data and in both languages of the report."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = act.run(act.load_plan(act.sample_path("jieshou/plan.yaml")), paths=300)
    told = answer.to_dict()["contract_cautions"]
    assert told
    assert answer.contract is not None
    assert [c["code"] for c in told] == [c.code for c in answer.contract.cautions]


@settings(max_examples=20, deadline=None)
@given(st.floats(100e6, 300e6), st.floats(0.0, 0.3), st.integers(1, 60))
def test_whatever_the_year_the_sides_make_up_the_outcome(target: float, cv: float, n: int) -> None:
    """Any target, spread and number of paths: figures are finite or said to be unknown, sides sum, words have no holes."""
    found = act.load_contract(JIANDE).evaluate(
        target=target, claims=act.SimpleClaims(183e6, cv).claims(n), costs=STAFF
    )
    assert found.expected("insurer") + found.expected("fund") == pytest.approx(
        target - found.claims.mean(), abs=1
    )
    for lang in LANGUAGES:
        assert "{" not in found.summary(lang)
    assert np.isfinite(
        found.table[["expected", "sd", "loss_probability", "mean_of_worst_5pct"]].to_numpy()
    ).all()
