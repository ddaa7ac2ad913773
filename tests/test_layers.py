"""Piecewise functions against a slow walk in fractions, and against published layer prices."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from actuarial.layers import Piecewise, to_cents
from actuarial.severity import Lognormal

# --------------------------------------------------------------------------- the oracle


def exact(value: float) -> Fraction:
    """The decimal number as written."""
    return Fraction(repr(float(value)))


def walk(f: Piecewise, amount: Fraction) -> Fraction:
    """``F(amount)`` by walking from the anchor, segment by segment, in exact fractions."""
    edges, slopes = [exact(e) for e in f.edges], [exact(s) for s in f.slopes]
    start, level = exact(f.anchor[0]), exact(f.anchor[1])

    def passed(edge: Fraction, x: Fraction) -> bool:
        return edge < x if f.closed == "right" else edge <= x

    low, high = min(start, amount), max(start, amount)
    stops = [low, *[e for e in edges if low < e < high], high]
    area = Fraction(0)
    for left, right in pairwise(stops):
        middle = (left + right) / 2
        area += slopes[sum(e < middle for e in edges)] * (right - left)
    jumps = Fraction(0)
    for edge, jump in zip(edges, f.jumps, strict=True):
        jumps += exact(jump) * (passed(edge, amount) - passed(edge, start))
    return level + (area if amount >= start else -area) + jumps


def half_away(value: Fraction) -> int:
    """Whole number nearest to a fraction, halves away from zero."""
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole


def thousandths(limit: int) -> st.SearchStrategy[float]:
    """Numbers with three decimals."""
    return st.integers(-limit, limit).map(lambda n: n / 1000)


@st.composite
def functions(draw: Any) -> Piecewise:
    """Any piecewise-linear function with up to six edges, on or off whole cents."""
    edges = sorted(draw(st.sets(st.integers(-3_000_000, 3_000_000), max_size=6)))
    count = len(edges)
    slopes = draw(st.lists(thousandths(2000), min_size=count + 1, max_size=count + 1))
    jumps = draw(st.one_of(st.just([]), st.lists(thousandths(500_000), min_size=count, max_size=count)))
    closed = draw(st.sampled_from(["right", "left"]))
    at = draw(
        st.one_of(st.just(0.0), thousandths(3_000_000), st.sampled_from([e / 1000 for e in edges] or [0.0]))
    )
    return Piecewise([e / 1000 for e in edges], slopes, jumps, closed, (at, draw(thousandths(1_000_000))))


def amounts_around(f: Piecewise, more: list[int]) -> np.ndarray:
    """Whole cents: given ones, each edge and its neighbours, the anchor."""
    near = [round(e * 100) + d for e in (*f.edges, f.anchor[0]) for d in (-1, 0, 1)]
    return np.array([*more, *near], dtype=np.int64)


# --------------------------------------------------------------------------- evaluators


@given(functions(), st.lists(st.integers(-500_000, 500_000), min_size=1, max_size=20))
def test_cents_equal_the_slow_walk(f: Piecewise, more: list[int]) -> None:
    """Whole cents agree with the walk in fractions, rounded half away from zero, at edges too."""
    x = amounts_around(f, more)
    assert f.cents(x).tolist() == [half_away(walk(f, Fraction(int(v), 100)) * 100) for v in x]


@given(functions(), st.lists(thousandths(5_000_000), min_size=1, max_size=20))
def test_floats_equal_the_slow_walk(f: Piecewise, more: list[float]) -> None:
    """The float evaluator agrees with the walk in fractions, on edges and beside them."""
    x = np.array([*more, *f.edges, f.anchor[0]])
    expected = np.array([float(walk(f, exact(v))) for v in x])
    np.testing.assert_allclose(f(x), expected, rtol=1e-12, atol=1e-8)


@given(functions(), st.lists(st.integers(-500_000, 500_000), min_size=1, max_size=20))
def test_both_evaluators_agree_to_half_a_cent(f: Piecewise, more: list[int]) -> None:
    """Cents and floats of the same amounts differ by rounding only."""
    x = amounts_around(f, more)
    assert (np.abs(f.cents(x) / 100 - f(x / 100)) <= 0.005 + 1e-7).all()


@given(functions())
def test_anchor_is_met(f: Piecewise) -> None:
    """The function goes through its anchor, also when the anchor is an edge that jumps."""
    assert float(f(f.anchor[0])) == pytest.approx(f.anchor[1], abs=1e-8)


@given(
    st.integers(-(2**61), 2**61),
    st.integers(-1000, 1000).map(lambda n: n / 1000),
    st.integers(-10_000, 10_000).map(lambda n: n / 100),
)
def test_cents_hold_up_to_the_limit(amount: int, slope: float, level: float) -> None:
    """Amounts up to 2**61 cents are exact, without overflow."""
    f = Piecewise([0.0], [slope, 0.5], anchor=(0.0, level))
    assert int(f.cents(np.array([amount]))[0]) == half_away(walk(f, Fraction(amount, 100)) * 100)


@pytest.mark.parametrize("slope", [0.123456789012, 1e-7, 0.333333333333333])
def test_cents_are_exact_for_slopes_with_many_decimals(slope: float) -> None:
    """Slopes too fine for the fast path go the exact way and give the same rule."""
    f = Piecewise([-50.0, 100.0, 200.5], [slope, 0.0, slope, 1 - slope])
    x = np.array(
        [0, 10_000, 10_001, 20_049, 20_050, 20_051, 123_456_789_012, -5, -5_001, -98_765_432_101],
        dtype=np.int64,
    )
    assert f.cents(x).tolist() == [half_away(walk(f, Fraction(int(v), 100)) * 100) for v in x]


@pytest.mark.parametrize("share", [0.45, 0.7, 0.5, 0.05])
def test_exact_ties_round_away_from_zero(share: float) -> None:
    """Half cents of a decimal share go away from zero, on both sides of it."""
    x = np.arange(-3000, 3001)
    expected = [int((Decimal(str(share)) * int(v)).quantize(Decimal(1), rounding=ROUND_HALF_UP)) for v in x]
    assert Piecewise([], [share]).cents(x).tolist() == expected
    ties = [v for v in x if (Decimal(str(share)) * int(v)) % 1 in (Decimal("0.5"), Decimal("-0.5"))]
    assert len(ties) >= 100  # the rule is really put to the test


@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=5, unique=True).map(sorted),
    st.lists(st.integers(0, 100), min_size=6, max_size=6),
    st.lists(st.integers(0, 2 * 10**9), min_size=1, max_size=20),
)
def test_a_symmetric_table_is_symmetric_to_the_cent(
    edges: list[int], shares: list[int], cents: list[int]
) -> None:
    """A table that is the same both ways gives exactly opposite results, in cents and in floats."""
    e = [v / 100 for v in edges]
    s = [v / 100 for v in shares[: len(e) + 1]]
    f = Piecewise([-v for v in reversed(e)] + e, [*reversed(s), *s[1:]])
    x = np.array([*cents, *edges])
    assert (f.cents(-x) == -f.cents(x)).all()
    np.testing.assert_allclose(f(-x / 100), -f(x / 100), rtol=1e-12, atol=1e-6)


def test_edges_belong_where_the_text_says() -> None:
    """Upper edge included: the lower segment without the jump; otherwise the upper segment and its jump."""
    right = Piecewise([300.0], [0.45, 0.5], [10.0], closed="right")
    left = Piecewise([300.0], [0.45, 0.5], [10.0], closed="left")
    assert right.segment([299.99, 300.0, 300.01]).tolist() == [0, 0, 1]
    assert left.segment([299.99, 300.0, 300.01]).tolist() == [0, 1, 1]
    assert right.slope_at([300.0, 300.01]).tolist() == [0.45, 0.5]
    assert left.slope_at(300.0) == 0.5
    assert [float(right(300.0)), float(left(300.0))] == [135.0, 145.0]
    assert [int(right.cents(30_000)), int(left.cents(30_000))] == [13_500, 14_500]
    assert [int(right.cents(30_001)), int(left.cents(29_999))] == [14_501, 13_500]


def test_without_edges_it_is_a_line() -> None:
    """No edges: one line through the anchor, in both evaluators."""
    f = Piecewise([], [0.7], anchor=(100.0, 5.0))
    assert f([0.0, 100.0, 200.0]).tolist() == pytest.approx([-65.0, 5.0, 75.0])
    assert f.cents(np.array([0, 10_000, 20_000])).tolist() == [-6500, 500, 7500]


def test_shapes_and_missing_values_are_kept() -> None:
    """NaN stays NaN, empty stays empty and the shape of the input is kept."""
    f = Piecewise([0, 300, 900], [0, 0.5, 0.6, 0])
    assert np.isnan(f(np.nan))
    assert f(np.zeros((2, 3))).shape == (2, 3)
    assert f.cents(np.zeros((2, 3), dtype=np.int64)).shape == (2, 3)
    assert f([]).shape == (0,)
    assert f.cents(np.array([], dtype=np.int64)).shape == (0,)


# --------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("amount", [2**61 + 1, -(2**61) - 1, 2**62])
def test_amounts_beyond_the_limit_are_refused(amount: int) -> None:
    """Beyond 2**61 cents there is an error, never a wrapped number."""
    with pytest.raises(OverflowError):
        Piecewise([0.0], [0.0, 0.5]).cents(np.array([amount]))


def test_floats_are_no_cents() -> None:
    """Floats are refused by the evaluator of whole cents."""
    with pytest.raises(TypeError):
        Piecewise([0.0], [0.0, 0.5]).cents(np.array([1.0]))


@pytest.mark.parametrize(
    ("edges", "slopes", "jumps", "anchor"),
    [
        ([2, 1], [0, 0, 0], (), (0, 0)),
        ([1, 1], [0, 0, 0], (), (0, 0)),
        ([1], [0], (), (0, 0)),
        ([1], [0, 0], [1, 2], (0, 0)),
        ([float("nan")], [0, 0], (), (0, 0)),
        ([1], [0, float("inf")], (), (0, 0)),
        ([1], [0, 0], [float("nan")], (0, 0)),
        ([1], [0, 0], (), (0, float("inf"))),
    ],
)
def test_what_is_no_function_is_refused(edges: list, slopes: list, jumps: list, anchor: tuple) -> None:
    """Edges that do not increase, lengths that do not fit and numbers that are not finite are refused."""
    with pytest.raises(ValueError, match=r"edges"):
        Piecewise(edges, slopes, jumps, anchor=anchor)


# --------------------------------------------------------------------------- expected values


@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=4, unique=True).map(sorted),
    st.lists(st.integers(-100, 100), min_size=5, max_size=5),
    st.lists(st.integers(-50, 50), min_size=4, max_size=4),
    st.floats(0.3, 3),
)
def test_expected_value_equals_numeric_integration(edges: list, slopes: list, jumps: list, cv: float) -> None:
    """E[F(X)] from limited values agrees with integrating F over the lognormal density."""
    e = [v * 250.0 for v in edges]
    f = Piecewise(
        e, [v / 100 for v in slopes[: len(e) + 1]], [v * 10.0 for v in jumps[: len(e)]], anchor=(0.0, 7.0)
    )
    x = Lognormal(8000, cv)
    law = stats.lognorm(s=x.sigma, scale=np.exp(x.mu))
    stops = [0.0, *e, *law.isf([1e-2, 1e-4, 1e-7, 1e-10, 1e-14])]
    total = 0.0
    for low, high in pairwise(sorted(stops)):
        total += integrate.quad(lambda v: float(f(v)) * law.pdf(v), low, high, limit=200)[0]
    assert f.expected(x.limited, x.survival) == pytest.approx(total, rel=1e-5, abs=1e-3)


def test_published_layer_prices() -> None:
    """The closed-form answers for 30,000 xs 10,000 and for rising segments (ORACLES.md, Poisson(100))."""
    x = Lognormal(8000, 2)
    assert 100 * Piecewise([10_000, 40_000], [0, 1, 0]).expected(x.limited) == pytest.approx(
        236_175.465423, abs=5e-7
    )
    rising = Piecewise([10_000, 30_000, 60_000, 400_000], [0, 0.6, 0.7, 0.8, 0])
    assert 100 * rising.expected(x.limited) == pytest.approx(217_112.6, abs=0.05)


def test_expected_value_with_negative_edges_counts_what_is_above_zero() -> None:
    """Edges below zero do not matter for an amount that is never negative."""
    x = Lognormal(100, 1)
    f = Piecewise([-50, 80], [0.3, 0.5, 0.0])
    assert f.expected(x.limited) == pytest.approx(0.5 * x.limited(80))


def test_jumps_need_a_survival_function() -> None:
    """Expected values over jumps are refused without the survival function, and right with it."""
    x = Lognormal(100, 1)
    f = Piecewise([80], [0.0, 0.0], [30.0])
    with pytest.raises(ValueError, match="survival"):
        f.expected(x.limited)
    assert f.expected(x.limited, x.survival) == pytest.approx(30 * x.survival(80))


# --------------------------------------------------------------------------- yuan to cents


@given(st.integers(-(2**46), 2**46))
def test_whole_cents_survive_yuan(cents: int) -> None:
    """Any whole number of cents comes back from yuan."""
    assert int(to_cents(cents / 100)) == cents


@given(st.integers(0, 6 * 10**9).map(lambda n: Decimal(2 * n + 1) * Decimal("0.005")))
def test_half_cents_go_away_from_zero(yuan: Decimal) -> None:
    """An amount up to 60 million yuan written with half a cent rounds away from zero, with either sign."""
    up = int((yuan * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert to_cents([float(yuan), -float(yuan)]).tolist() == [up, -up]


@pytest.mark.parametrize("yuan", [float("nan"), float("inf"), -float("inf"), 2.0**61])
def test_what_cannot_be_cents_is_refused(yuan: float) -> None:
    """NaN, infinities and amounts beyond the limit have no cents."""
    with pytest.raises(ValueError, match="cents"):
        to_cents([1.0, yuan])
