"""Evaluation and design of contracts: closed forms, brute force, laws, fresh paths, cautions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.contract.candidates import Layers, reaching, share_tables, undominated
from actuarial.contract.cautions import (
    band_cautions,
    curve_cautions,
    month_caution,
    ranked,
    reward_caution,
    target_caution,
)
from actuarial.contract.costs import Costs
from actuarial.contract.design import Wanted, curve_of, design_bands, try_tables
from actuarial.contract.effort import Effort, incentive_table, rational_saving
from actuarial.contract.fair import find_targets
from actuarial.contract.measures import Figure, changes, measure
from actuarial.contract.months import cash_need
from actuarial.contract.outcomes import Outcomes
from actuarial.contract.simple import SimpleClaims, closed_form_tail
from actuarial.layers import Piecewise
from actuarial.texts import LANGUAGES, text

JIANDE = "china/jiande/contract/cooperation@2012-01-01"
TARGET = 185_600_000.0
EDGES = (3e6, 6e6, 9e6, 18.56e6)
PRESENT = [0.45, 0.5, 0.55, 0.6, 0.0]
LAW = SimpleClaims(183e6, 0.05)

outcome_lists = st.lists(st.floats(-100, 100), min_size=1, max_size=30)
share_rows = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.6, 1.0]), min_size=6, max_size=6)


@pytest.fixture(scope="module")
def curve() -> Piecewise:
    """The insurer's result under the 2012 plan."""
    return act.load_contract(JIANDE).for_year(target=TARGET).insurer_curve


@pytest.fixture(scope="module")
def year() -> np.ndarray:
    """100,000 simulated years."""
    return LAW.claims(100_000)


# --------------------------------------------------------------------------- expectations


def test_simulated_mean_agrees_with_the_closed_form(curve: Piecewise, year: np.ndarray) -> None:
    """The mean of the 2012 bands over draws lies within four standard errors of the lognormal closed form."""
    mean, sd = Outcomes(TARGET - year).moments(curve)
    exact = LAW.expected(curve, target=TARGET)
    assert abs(mean[0] - exact) < 4 * sd[0] / math.sqrt(len(year))
    grid = LAW._law.quantile((np.arange(400_000) + 0.5) / 400_000)
    assert curve(TARGET - grid).mean() == pytest.approx(exact, abs=200)


def test_simulated_tail_agrees_with_the_closed_form(year: np.ndarray) -> None:
    """Tail means at 95 and 99% agree with the lognormal's within four of their own standard errors."""
    found = measure(TARGET - year)
    for figure, share in ((found.tail_95, 0.05), (found.tail_99, 0.01)):
        assert abs(figure.value - (TARGET - closed_form_tail(LAW, share))) < 4 * figure.error


@given(outcome_lists, share_rows, st.floats(-20, 20))
def test_sorted_sums_are_the_mean_over_paths(x: list[float], shares: list[float], shift: float) -> None:
    """Mean and sd from the sums of sorted outcomes are those of evaluating the curve on every path."""
    f = curve_of((5.0, 20.0), shares)
    mean, sd = Outcomes(x).moments(f, shift)
    values = f(np.array(x) + shift)
    assert mean[0] == pytest.approx(values.mean(), abs=1e-9)
    assert sd[0] == pytest.approx(values.std(ddof=1) if len(x) > 1 else 0.0, abs=1e-5)


@given(outcome_lists, st.sampled_from(["right", "left"]), st.floats(-9, 9))
def test_jumps_count_on_the_side_as_written(x: list[float], closed: str, jump: float) -> None:
    """A jump at an edge counts for a path that lies exactly on it as `closed` says, in sums as on paths."""
    f = Piecewise([-1.0, 2.0], [0.2, 0.0, 0.5], [jump, -jump], closed=closed)  # type: ignore[arg-type]
    on_edge = [*x, 2.0, -1.0]
    assert Outcomes(on_edge).mean(f) == pytest.approx(f(on_edge).mean(), abs=1e-9)


@pytest.mark.slow
def test_errors_cover() -> None:
    """Over 400 replications the stated errors are the spread of the estimates, differences of offers among them."""
    f, g = curve_of(EDGES, PRESENT * 2), curve_of(EDGES, [0.5] * 10)
    names = ("expected", "sd", "loss_probability", "tail_95", "tail_99")
    values: dict[str, list[float]] = {n: [] for n in (*names, "difference")}
    errors: dict[str, list[float]] = {n: [] for n in (*names, "difference")}
    for seed in range(400):
        x = TARGET - LAW.claims(4_000, seed=seed)
        found = measure(g(x))  # under f the worst 1% all lie at the limit of liability: no spread at all
        for n in names:
            values[n].append(getattr(found, n).value)
            errors[n].append(getattr(found, n).error)
        gap = changes(f(x), g(x)).expected
        values["difference"].append(gap.value)
        errors["difference"].append(gap.error)
    for n, seen in values.items():
        assert np.std(seen) == pytest.approx(np.mean(errors[n]), rel=0.15), n
    assert np.mean(errors["difference"]) < 0.5 * np.mean(
        errors["expected"]
    )  # the same paths: far less than of either offer


def test_one_path_tells_no_error() -> None:
    """One path has a mean and no error; equal paths have no spread."""
    one = measure(np.array([5.0]))
    assert one.expected.value == 5.0
    assert math.isnan(one.expected.error)
    assert measure(np.full(100, -2.0)).sd == Figure(0.0, 0.0)


# --------------------------------------------------------------------------- many tables


def brute(x: np.ndarray, edges: tuple[float, ...], shares: np.ndarray, costs: float) -> list[float]:
    """One table path by path."""
    insurer = curve_of(edges, shares)(x)
    fund = x - insurer
    return [insurer.mean() - costs, float((insurer < costs).mean()), measure(insurer).tail_95.value - costs, fund.mean(),
            measure(fund).tail_95.value]  # fmt: skip


@given(outcome_lists, st.lists(share_rows, min_size=1, max_size=4), st.sampled_from([0.0, 0.7, 3.0]))
def test_products_of_matrices_are_the_walk_over_paths(
    x: list[float], rows: list[list[float]], costs: float
) -> None:
    """Mean, loss probability and tails of each table by matrices equal those of evaluating it on every path."""
    shares = np.array(rows)
    found = try_tables(Outcomes(x), (5.0, 20.0), shares, costs=costs)
    names = ["insurer_expected", "insurer_loss_probability", "insurer_tail", "fund_expected", "fund_tail"]
    for i, table in enumerate(shares):
        expected = brute(np.array(x), (5.0, 20.0), table, costs)
        got = found.loc[i, names].to_numpy(dtype=float, copy=True)
        at = reaching((5.0, 20.0), shares[[i]], costs)[0]
        if np.isclose(np.array(x), at, atol=1e-9).any():  # on the very edge of a loss: rounding decides
            got[1] = expected[1]
        np.testing.assert_allclose(got, expected, atol=1e-9)


@given(outcome_lists)
def test_layers_sum_to_the_outcome(x: list[float]) -> None:
    """Signed layers of both sides sum to each outcome."""
    outcomes = Outcomes(x)
    np.testing.assert_allclose(Layers(outcomes, (5.0, 20.0)).amounts.sum(axis=0), outcomes.sorted, atol=1e-9)


@given(outcome_lists, share_rows, share_rows)
def test_without_effort_no_table_is_better_for_both(
    x: list[float], one: list[float], other: list[float]
) -> None:
    """Means, and means of the worst years, of the two sides sum to constants: what one gains the other gives."""
    found = try_tables(Outcomes(x), (5.0, 20.0), np.array([one, other]))
    for kind in ("expected", "tail"):
        both = found[f"insurer_{kind}"] + found[f"fund_{kind}"]
        assert both[0] == pytest.approx(both[1], abs=1e-8)


def test_tables_in_round_steps() -> None:
    """Rising tables are all combinations in order; falling ones the reverse; free ones all; a sample where there are too many."""
    rising = share_tables(3, step=0.25)
    assert len(rising) == math.comb(5 + 2, 3)
    assert (np.diff(rising, axis=1) >= 0).all()
    assert (np.diff(share_tables(3, step=0.25, order="falling"), axis=1) <= 0).all()
    assert len(share_tables(3, step=0.25, order="free")) == 125
    some = share_tables(6, step=0.05, order="free", limit=500)
    assert 400 < len(some) <= 500
    assert np.array_equal(some, share_tables(6, step=0.05, order="free", limit=500))
    assert (share_tables(3, step=0.25, beyond=0.0)[:, 2] == 0).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_undominated_is_what_no_row_beats(rows: list[tuple[int, int, int]]) -> None:
    """Exactly the rows are kept that no other row beats."""
    v = np.array(rows, dtype=float)
    beaten = [any((o >= r).all() and (o > r).any() for o in v) for r in v]
    assert undominated(v).tolist() == [not b for b in beaten]


def test_designs_hold_on_fresh_paths(year: np.ndarray) -> None:
    """Every table that is said to meet the wishes meets them on paths that the search has not seen."""
    wanted = Wanted(margin=100_000, loss_probability=0.5, fund_tail=8e6)
    effort = Effort(500_000)
    found = design_bands(year, target=TARGET, edges=EDGES, beyond=0.0, wanted=wanted, costs=1.4e6, near=PRESENT, effort=effort)  # fmt: skip
    assert len(found.found) > 10
    fresh = Outcomes(TARGET - LAW.claims(400_000, seed=77))
    again = try_tables(fresh, EDGES, found.shares, costs=1.4e6, effort=effort, mean_claims=float(year.mean()))
    z = 3.0  # sampling error of the search's own paths remains
    assert (again["insurer_expected"] >= 100_000 - z * again["insurer_expected_error"]).all()
    assert (again["insurer_loss_probability"] <= 0.5 + z * again["insurer_loss_probability_error"]).all()
    assert (again["fund_tail"] >= -8e6 - z * again["fund_tail_error"]).all()
    bands = found.bands()
    assert (np.diff(bands["surplus_share"][:4]) >= 0).all()
    assert found.curve()(TARGET) == pytest.approx(float(curve_of(EDGES, found.shares[0])(TARGET)))


def test_wishes_that_nothing_meets_say_how_far(year: np.ndarray) -> None:
    """Where no table meets a wish the best that can be reached is told, in both languages."""
    found = design_bands(year, target=TARGET, edges=EDGES, wanted=Wanted(margin=50e6), step=0.1)
    assert found.found.empty
    best = max(curve_of(EDGES, row)(TARGET - year).mean() for row in np.eye(10) * 0 + 1.0)
    assert found.closest["margin"] <= best
    for lang in LANGUAGES:
        assert found.summary(lang).count("\n") == 1
        assert found.plot(lang=lang).texts[0].get_text() == text("bargain_words.none_found", lang)


# --------------------------------------------------------------------------- target, effort, costs, months


def test_every_fair_target_is_found() -> None:
    """All roots of a result that is not monotone in the target are found, with their directions."""
    found = find_targets(lambda t: Figure((t - 1) * (t - 2) * (t - 3.5), 0.1), 0.0, 4.03)
    assert [round(r.target, 6) for r in found.roots] == pytest.approx([1.0, 2.0, 3.5], abs=0.51)
    assert [r.rising for r in found.roots] == [True, False, True]
    assert not found.unique
    assert found.table.shape == (3, 3)


def test_fair_target_of_the_plan(year: np.ndarray) -> None:
    """At the fair target of the 2012 plan the insurer's expected result after costs is 0; higher costs ask for more."""
    contract = act.load_contract(JIANDE)

    def after(costs: float) -> float:
        def expected(target: float) -> Figure:
            mean, sd = Outcomes(target - year).moments(contract.bands(target))
            return Figure(float(mean[0]) - costs, float(sd[0]) / math.sqrt(len(year)))

        found = find_targets(expected, 160e6, 210e6)
        assert found.unique
        assert abs(expected(found.value).value) < 2
        return found.value

    assert after(0.0) == pytest.approx(183e6, abs=0.3e6)
    assert after(1.4e6) > after(0.0) + 2e6


def test_no_root_across_a_hole() -> None:
    """Where the contract is undefined no fair target is made up."""
    found = find_targets(lambda t: Figure(-1.0 if t < 1 else math.nan if t < 2 else 1.0, 0.1), 0.0, 3.0)
    assert found.roots == ()
    assert math.isnan(found.value)


def test_incentive_vanishes_above_a_tenth_of_the_target(curve: Piecewise) -> None:
    """In the 2012 plan the insurer keeps nothing above 10% of the target: outcomes there save nothing."""
    table = incentive_table(curve, Outcomes([20e6, -20e6, 1e6]))
    ends = table[table["insurer_keeps"] == 0]
    assert ends["low"].tolist() == [-math.inf, 18_560_000.0]
    assert ends["probability"].sum() == pytest.approx(2 / 3)
    rich = rational_saving(curve, Outcomes([30e6]), Effort(500_000), mean_claims=183e6)
    assert rich.saving == 0.0


@given(st.floats(0.05, 1.0), st.floats(1e5, 5e6))
def test_rational_saving_solves_the_first_order_condition(share: float, first: float) -> None:
    """With one share throughout, the saving is share × what is best for both together."""
    found = rational_saving(Piecewise([], [share]), Outcomes([0.0, 1e6]), Effort(first), mean_claims=2e8)
    exact = min(share * (2e6) ** 2 / (2 * first), 0.2 * 2e8)
    assert found.saving == pytest.approx(exact, rel=1e-4, abs=10)
    assert found.insurer_gain >= 0


def test_costs_come_off() -> None:
    """Staff, expenses, share of target, cost of capital and of cash advanced are taken off each path."""
    costs = Costs(people=14, cost_per_person=1e5, expenses=2e5, share_of_target=0.001, capital=1e7, capital_rate=0.1,
                  cash_rate=0.05)  # fmt: skip
    charge = costs.charge(np.zeros(2), target=1e8, advanced=np.array([0.0, 1e6]))
    assert charge.tolist() == pytest.approx([2.7e6, 2.75e6])
    held = Costs(capital_rate=0.1).capital_held(np.linspace(-100, 0, 100))
    assert held == pytest.approx(100.0)


@given(st.lists(st.lists(st.floats(0, 50), min_size=12, max_size=12), min_size=1, max_size=5))
def test_cash_need_is_the_deepest_point(rows: list[list[float]]) -> None:
    """The worst month's need is the greatest excess of claims to date over twelfths to date."""
    claims = np.array(rows)
    found = cash_need(claims, 240.0)
    over = np.cumsum(claims, axis=1) - 20.0 * np.arange(1, 13)
    np.testing.assert_allclose(found.peak, np.maximum(over.max(axis=1), 0.0), atol=1e-9)
    np.testing.assert_allclose(found.average, np.maximum(over, 0).mean(axis=1), atol=1e-9)


# --------------------------------------------------------------------------- cautions


def test_each_caution_is_found_and_said() -> None:
    """Every caution is provoked, and reads without a hole in both languages."""
    x = Outcomes(np.linspace(-50, 50, 1001))
    gated = Piecewise([0.0, 10.0], [0.0, 0.0, 0.5], [0.0, 5.0])
    found = [
        *band_cautions([(0, 3e6, 0.4), (4e6, 9e6, 0.5), (8e6, 9.5e6, 0.0)]),
        *curve_cautions(Piecewise([0.0, 10.0], [0.5, 0.5, 0.5], [0.0, -2.0]), x, target=100.0),
        *curve_cautions(gated, x, target=100.0),
        *curve_cautions(Piecewise([0.0], [-0.1, 1.2]), x, target=100.0),
        *target_caution(200.0, np.linspace(50, 150, 1000)),
        *month_caution(np.array([0.0, 5.0]), 3.0, 1),
        *reward_caution(np.array([0.0, 5.0]), 3.0),
    ]
    codes = {c.code for c in found}
    assert codes == {
        "gap_in_bands", "overlap_of_bands", "rewards_loss", "cliff", "negative_share", "share_above_one", "no_incentive",
        "asymmetric", "target_outside", "worst_month", "reward_above_reserve",
    }  # fmt: skip
    for caution in found:
        for lang in LANGUAGES:
            words = caution.message(lang)
            assert "{" not in words
            assert "nan" not in words
            assert caution.to_dict(lang)["message"] == words
    order = [c.severity for c in ranked(found)]
    assert order == sorted(order, key=("serious", "notable", "note").index)


def test_a_sound_contract_gets_no_caution(year: np.ndarray) -> None:
    """Half of everything, with a target in the middle and a reserve that is enough, is passed in silence."""
    assert curve_cautions(Piecewise([], [0.5]), Outcomes(TARGET - year), target=TARGET) == ()
    assert target_caution(TARGET, year) == []
    assert month_caution(np.zeros(5), 1.0, 1) == []
    assert reward_caution(np.zeros(5), 1.0) == []
    assert band_cautions([(0, 3e6, 0.4), (3e6, math.inf, 0.5)]) == ()


def test_cautions_of_the_plan(curve: Piecewise, year: np.ndarray) -> None:
    """The 2012 plan: nothing to be kept beyond 10% of the target either way, and no other fault of its curve."""
    found = curve_cautions(curve, Outcomes(TARGET - year), target=TARGET)
    assert {c.code for c in found} == {"no_incentive"}
    assert sum(c.probability for c in found) == pytest.approx(
        np.mean(np.abs(TARGET - year) > 18.56e6), abs=1e-9
    )
