"""Credibility against published answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import actuarial as act


@pytest.fixture
def hachemeister(data: Callable[[str], Any]) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Ratios, weights and published answers."""
    found = data("hachemeister.json")
    return pd.DataFrame(found["ratios"]), pd.DataFrame(found["weights"]), found["published"]


@pytest.mark.parametrize("method", ["unbiased", "iterative"])
def test_hachemeister(hachemeister: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]], method: str) -> None:
    """Five states, twelve quarters: variances, collective mean and premiums as published (R package actuar)."""
    ratios, weights, published = hachemeister
    found = act.credibility(ratios, weights, method=method)  # type: ignore[arg-type]
    expected = published[method]
    assert found.within == pytest.approx(139_120_025.93, abs=0.01)
    assert found.between == pytest.approx(expected["between_variance"], abs=0.05)
    assert found.collective == pytest.approx(expected["collective"], abs=0.001)
    np.testing.assert_allclose(found.frame["premium"], expected["premiums"], atol=0.001)
    # not the exposure-weighted mean, which puts state 4 at 1492
    assert abs(found.frame["premium"].iloc[3] - 1492) > 20


def test_nonparametric_and_poisson_cases() -> None:
    """Loss Data Analytics 9.6.1 and 9.6.4: the same counts under the two estimators of the variance within."""
    counts = pd.DataFrame([[0.0, 1, 0], [2, 1, 2]], index=["A", "B"])
    plain, poisson = act.credibility(counts), act.credibility(counts, method="poisson")
    assert (plain.within, plain.between, plain.k) == pytest.approx((1 / 3, 7 / 9, 3 / 7))
    assert plain.frame["premium"].tolist() == pytest.approx([0.4166667, 1.5833333])
    assert (poisson.within, poisson.between, poisson.k) == pytest.approx((1, 5 / 9, 1.8))
    assert poisson.frame["premium"].tolist() == pytest.approx([0.5833333, 1.4166667])


def test_cells_that_cannot_be_told_apart() -> None:
    """A between-variance that comes out negative is 0: all get the weighted mean, and the estimate is shown."""
    ratios = pd.DataFrame([[1.0, 3.0], [3.0, 1.0], [2.2, 1.8]])
    weights = pd.DataFrame([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0]])
    found = act.credibility(ratios, weights)
    assert found.raw_between < 0
    assert (found.between, found.k) == (0.0, float("inf"))
    overall = float((ratios * weights).to_numpy().sum() / weights.to_numpy().sum())
    assert found.frame["premium"].tolist() == pytest.approx([overall] * 3)
    assert act.credibility(ratios, weights, method="iterative").between == 0.0


def test_a_cell_without_weight(hachemeister: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]) -> None:
    """A cell of no exposure changes nothing for the others and gets the collective mean."""
    ratios, weights, _ = hachemeister
    before = act.credibility(ratios, weights)
    ratios.loc["new"], weights.loc["new"] = np.nan, 0.0
    after = act.credibility(ratios, weights)
    np.testing.assert_allclose(after.frame["premium"].iloc[:5], before.frame["premium"])
    assert after.frame.loc["new", "premium"] == pytest.approx(before.collective)
    assert after.frame.loc["new", "credibility"] == 0


def test_two_thousand_policies() -> None:
    """Loss Data Analytics 9.6.5: claims of 2,000 policies over five years, Poisson, to the printed digits."""
    counts = np.repeat(np.arange(6), [923, 682, 249, 70, 51, 25])
    found = act.credibility(
        pd.DataFrame(counts[:, None] / 5), pd.DataFrame(np.full((2000, 1), 5.0)), method="poisson"
    )
    assert found.within == pytest.approx(0.1719, abs=5e-5)
    assert found.between == pytest.approx(0.0111, abs=5e-5)
    assert found.k == pytest.approx(15.49, rel=0.003)  # printed from rounded variances
    z = float(found.frame["credibility"].iloc[0])
    assert z == pytest.approx(0.244, abs=6e-4)
    # three claims in five years, around the collective mean
    assert z * 0.6 + (1 - z) * found.within == pytest.approx(0.2764, abs=6e-4)


@pytest.mark.parametrize(
    ("ratios", "weights", "method"),
    [
        (pd.DataFrame(), None, "unbiased"),
        (pd.DataFrame([[1.0, 2.0]]), None, "unbiased"),
        (pd.DataFrame(np.full((2, 2), np.nan)), None, "unbiased"),
        (pd.DataFrame([[1.0, np.inf], [2, 3]]), None, "unbiased"),
        (pd.DataFrame([["one", 2.0], [2.0, 3.0]]), None, "unbiased"),
        (pd.DataFrame([[-1.0, 1], [2, 3]]), None, "poisson"),
        (pd.DataFrame([[1.0, 1], [2, 3]]), pd.DataFrame([[1.0, -1], [1, 1]]), "unbiased"),
        (pd.DataFrame([[1.0, 1], [2, 3]]), pd.DataFrame([[0.0, 0], [0, 0]]), "unbiased"),
        (pd.DataFrame([[1.0, 1], [2, 3]]), pd.DataFrame([[1.0, 1], [1, 1]], index=["a", "b"]), "unbiased"),
    ],
)
def test_broken_cells_are_refused(ratios: pd.DataFrame, weights: pd.DataFrame | None, method: str) -> None:
    """Nothing, one fund, holes, infinities, words, negatives, no exposure, other labels: a fault, never a number."""
    with pytest.raises(act.InputError):
        act.credibility(ratios, weights, method=method)  # type: ignore[arg-type]


def test_equal_cells() -> None:
    """Equal values everywhere: nothing to tell apart; equal within and different between: each its own."""
    same = act.credibility(pd.DataFrame([[3.0, 3.0], [3.0, 3.0]]))
    assert same.frame["premium"].tolist() == [3.0, 3.0]
    assert (same.within, same.between) == (0.0, 0.0)
    apart = act.credibility(pd.DataFrame([[1.0, 1.0], [2.0, 2.0]]))
    assert apart.frame["credibility"].tolist() == [1.0, 1.0]
    assert apart.frame["premium"].tolist() == [1.0, 2.0]
