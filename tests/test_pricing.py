"""Prices of layers against closed forms, an independent aggregate-loss package, and claims themselves."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actuarial as act
from actuarial.benefits.layer_views import with_deductible
from actuarial.benefits.loadings import Loading, loaded, printed_financing, printed_loadings
from actuarial.benefits.pricing import LayerPrice, price_layer
from actuarial.errors import ModelWarning
from actuarial.layers import Piecewise
from actuarial.results import Source
from actuarial.severity import Gamma, Lognormal, LognormalMixture, Severity, SplicedPareto, fit_severity

XS = Piecewise([10_000, 40_000], [0, 1, 0])
RISING = Piecewise([10_000, 30_000, 60_000, 400_000], [0, 0.6, 0.7, 0.8, 0])
QINZHOU = Piecewise([6000, 26_000, 46_000, 66_000, 646_000], [0, 0.5, 0.6, 0.7, 0.8, 0])
"""Qinzhou's second layer; the ceiling of 500,000 is reached at 66,000 + (500,000 − 36,000)/0.8."""


# Independent answers: the package `aggregate` 0.30.1, `build(program, log2=16)`; attributes .agg_m, .agg_sd.
#   agg A 100 claims 30000 xs 10000 sev lognorm 8000 cv 2 ! poisson
#   agg B 100 claims 30000 xs 10000 sev gamma 8000 cv 1.5 ! poisson
#   agg C 100 claims 30000 xs 10000 sev 5000 * genpareto 0.3 ! poisson
#   agg D1 80 claims 30000 xs 10000 sev lognorm 4000 cv 1 ! poisson and
#   agg D2 20 claims 30000 xs 10000 sev lognorm 20000 cv 2 ! poisson: a mixture is the sum of both
# C in our terms: a spliced law whose tail begins at (nearly) 0.
ORACLE: list[tuple[Severity, float, float]] = [
    (Lognormal(8000, 2), 236175.46542312484, 69416.00630839886),
    (Gamma(8000, 1.5), 301728.6918284763, 77340.67543407534),
    (SplicedPareto(-20.0, 1.0, 1e-6, 1 - 1e-12, 5000.0, 0.3), 197465.17601815044, 59866.307235484586),
    (
        LognormalMixture(Lognormal(4000, 1), Lognormal(20_000, 2), 0.2),
        26616.326144695304 + 140537.119485165,
        math.hypot(17590.601325063846, 57227.469446141484),
    ),
]


def per_claim(law: Severity, layer: Piecewise = XS) -> pd.Series:
    """100 Poisson claims on one insured: the price is the whole expected loss."""
    return price_layer(layer, insured=1.0, severity=law, frequency=100.0, per="claim").table.iloc[0]


@pytest.mark.parametrize(("law", "mean", "sd"), ORACLE, ids=[x[0].name for x in ORACLE])
def test_layer_agrees_with_an_independent_package(law: Severity, mean: float, sd: float) -> None:
    """Mean and standard deviation of the layer's yearly loss, to nine digits."""
    row = per_claim(law)
    assert row["pure_premium"] == pytest.approx(mean, rel=1e-9)
    assert row["process_sd"] == pytest.approx(sd, rel=1e-9)


def test_rising_segments() -> None:
    """60, 70, 80% in three segments: 217,112.6 in closed form; `aggregate` on a grid of 4 yuan gives 217,128 ± 101,195.

    `build('agg E 100 claims 400000 xs 0 sev lognorm 8000 cv 2 occurrence ceded to 60% so 20000 xs 10000 and 70% so
    30000 xs 30000 and 80% so 340000 xs 60000 poisson', log2=20, bs=4)`: .est_m 217128.13, .est_sd 101195.23.
    """
    row = per_claim(Lognormal(8000, 2), RISING)
    assert row["pure_premium"] == pytest.approx(217_112.6, abs=0.05)
    assert row["pure_premium"] == pytest.approx(217_128.13, rel=1e-4)
    assert row["process_sd"] == pytest.approx(101_195.23, rel=1e-4)


@pytest.fixture(scope="module")
def rand() -> np.ndarray:
    """RAND: inpatient cost of 20,190 person-years, zeros included [dollars]; levels are foreign, shapes are real."""
    return pd.read_csv(act.sample_path("international/rand_hie.csv.gz"))["inpatient_cost_dollars"].to_numpy()


@pytest.fixture(scope="module")
def price(rand: np.ndarray) -> LayerPrice:
    """A layer of rising segments above 4,000 dollars."""
    layer = Piecewise([4000, 8000, 16_000, 60_000], [0, 0.5, 0.6, 0.7, 0])
    return price_layer(layer, amounts=rand, insured=len(rand), loadings="hainan", financing_standard=340.0)


def test_claims_and_fitted_agree_on_real_costs(price: LayerPrice, rand: np.ndarray) -> None:
    """By claims it is the sum over persons; the fitted price is within two errors; only it sees beyond the largest."""
    claims, fitted = (price.table.set_index("method").loc[m] for m in ("claims", "fitted"))
    assert claims["pure_premium"] == pytest.approx(price.layer(rand).sum() / len(rand))
    assert claims["se"] == pytest.approx(price.layer(rand).std() / math.sqrt(len(rand)), rel=1e-9)
    assert abs(fitted["pure_premium"] - claims["pure_premium"]) < 2 * claims["se"]
    assert claims["beyond_largest"] == 0
    assert 0 < fitted["beyond_largest"] < 0.1 * fitted["pure_premium"]
    assert claims["persons"] == (rand > 4000).sum()


def test_interval_by_claims_is_the_resampled_one(price: LayerPrice, rand: np.ndarray) -> None:
    """About 95% of the resampled means of whole persons lie in it; it is skewed; the seed decides it alone."""
    row = price.table.iloc[0]
    generator = np.random.default_rng(3)
    paid = price.layer(rand)
    means = np.array([generator.choice(paid, len(paid)).mean() for _ in range(1000)])
    assert 0.93 < ((row["low"] < means) & (means < row["high"])).mean() < 0.97
    assert row["high"] - row["pure_premium"] > row["pure_premium"] - row["low"]
    again = price_layer(price.layer, amounts=rand[::-1], insured=len(rand))
    assert again.table.iloc[0][["low", "high"]].tolist() == row[["low", "high"]].tolist()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_segments_sum_to_the_premium(data: st.DataObject) -> None:
    """Any rising layer with steps: its segments add up to the pure premium by both methods."""
    bends = sorted(data.draw(st.lists(st.integers(100, 50_000), min_size=1, max_size=5, unique=True)))
    slopes = data.draw(st.lists(st.floats(0, 1), min_size=len(bends), max_size=len(bends)))
    jumps = data.draw(st.lists(st.sampled_from([0.0, 0.0, 300.0]), min_size=len(bends), max_size=len(bends)))
    layer = Piecewise(bends, [0.0, *slopes], jumps)
    if not (slopes[0] or jumps[0]):
        return
    amounts = Lognormal(9000, 1.5).draw(200, seed=8)
    found = price_layer(
        layer, amounts=np.append(amounts, 1e5), insured=1000.0, severity=Lognormal(9000, 1.5), resamples=100
    )
    for method, total in zip(("claims", "fitted"), found.table["pure_premium"], strict=True):
        assert found.segments[method].sum() == pytest.approx(total, rel=1e-9, abs=1e-9)


def test_loadings() -> None:
    """5% of the premium, 10% of the pure premium, half an sd: P = (p(1.1) + sd/2)/0.95; printed ones have sources."""
    source = Source("x", "y", status="assumed")
    own = [
        Loading("a", "premium", 0.05, source),
        Loading("b", "pure", 0.1, source),
        Loading("c", "process_sd", 0.5, source),
    ]
    assert loaded(20.0, 4.0, 9.0, own) == pytest.approx((20 * 1.1 + 2) / 0.95)
    found = price_layer(XS, insured=1000.0, severity=Lognormal(8000, 2), frequency=0.2, loadings=own)
    row = found.table.iloc[0]
    assert row["loaded_premium"] == pytest.approx((row["pure_premium"] * 1.1 + row["process_sd"] / 2) / 0.95)
    for entries in printed_loadings().values():
        assert all(x.base == "premium" and x.source.document and x.source.status for x in entries)
    hainan = price_layer(XS, insured=1000.0, severity=Lognormal(8000, 2), frequency=0.2, loadings="hainan")
    assert hainan.table["loaded_premium"].iloc[0] == pytest.approx(
        hainan.table["pure_premium"].iloc[0] / 0.95
    )
    assert any("综合费率" in s.quote for s in hainan.sources)


def test_printed_financing_is_what_the_texts_say() -> None:
    """29, 25 and 33 yuan; 5, 6 and 2% of the financing standard, each with its words."""
    got = {k: (f.yuan, f.share) for k, f in printed_financing().items()}
    assert got == {
        "hainan_urban": (29.0, None), "hainan_ncms": (25.0, None), "qinzhou": (33.0, None),
        "hainan_guide": (None, 0.05), "henan": (None, 0.06), "shanghai": (None, 0.02),
    }  # fmt: skip
    for financing in printed_financing().values():
        digits = f"{financing.yuan:.0f}元" if financing.yuan else f"{financing.share:.0%}"
        assert digits in financing.source.quote


@pytest.mark.parametrize("method", ["claims", "fitted"])
def test_affordable_deductible_is_the_inverse(price: LayerPrice, method) -> None:
    """At the deductible found the loaded premium is the one asked for; it falls as the deductible rises."""
    for premium in (5.0, 12.0, 29.0):
        deductible, error = price.affordable_deductible(premium, method)
        assert price.premium_at(deductible, method) == pytest.approx(premium, rel=1e-6)
        assert error > 0
    prices = [price.premium_at(d, method) for d in np.linspace(0, 20_000, 21)]
    assert all(b < a for a, b in pairwise(prices))
    assert price.affordable_deductible(10 * prices[0], method) == (0.0, 0.0)
    start = price.premium_at(4000.0, method)
    assert price.affordable_deductible(start, method)[0] == pytest.approx(4000.0, abs=0.01)


def test_error_of_the_affordable_deductible() -> None:
    """Its stated error is the spread over 60 pools (within 35%)."""
    found, errors = [], []
    for seed in range(60):
        amounts = Lognormal(8000, 2).draw(2000, seed=seed)
        got = price_layer(
            XS,
            amounts=amounts,
            insured=20_000.0,
            severity=fit_severity(amounts, family="lognormal"),
            resamples=100,
        )
        deductible, error = got.affordable_deductible(150.0, "fitted")
        found.append(deductible)
        errors.append(error)
    assert np.std(found) == pytest.approx(np.mean(errors), rel=0.35)


def test_references_show_printed_premiums(price: LayerPrice) -> None:
    """Each printed premium with the deductible that it would pay for; shares need the financing standard."""
    frame = price.references("en").set_index("place")
    assert len(frame) == 6
    row = frame.loc["Qinzhou"]
    assert price.premium_at(row["fitted_deductible"]) == pytest.approx(33.0, rel=1e-6)
    assert row["claims_over"] == pytest.approx(price.table["loaded_premium"].iloc[0] / 33)
    assert frame.loc["Henan", "premium"] == pytest.approx(0.06 * 340)
    bare = price_layer(XS, insured=10.0, severity=Lognormal(8000, 2), frequency=0.1)
    assert len(bare.references()) == 3


def test_leverage() -> None:
    """21% on all costs is more in a layer, by the closed form; exactly 21% in a share of everything."""
    law = Lognormal(3000, 2.5)
    second = price_layer(Piecewise([8000.0], [0, 0.5]), insured=1e5, severity=law, frequency=0.1)
    row = second.leverage([0.21]).iloc[0]
    before, after = (m - x.limited(8000.0) for x, m in ((law, law.mean), (law.scaled(1.21), 1.21 * law.mean)))
    assert row["fitted_growth"] == pytest.approx(after / before - 1, rel=1e-9)
    assert row["fitted_growth"] > 0.30
    first = (
        price_layer(Piecewise([], [0.55]), insured=1e5, severity=law, frequency=0.1).leverage([0.21]).iloc[0]
    )
    assert first["fitted_leverage"] == pytest.approx(1.0)
    high = [
        price_layer(Piecewise([d], [0, 1.0]), insured=1e5, severity=law, frequency=0.1)
        .leverage([0.21])["fitted_growth"]
        .iloc[0]
        for d in (1000.0, 8000.0, 30_000.0)
    ]
    assert high == sorted(high)


def test_trend_prices_the_trended_costs(rand: np.ndarray, price: LayerPrice) -> None:
    """A price at 10% is that of amounts 10% larger, by both methods; leverage starts from the untrended ones."""
    trended = price_layer(price.layer, amounts=rand, insured=len(rand), trend=0.1)
    scaled = price_layer(price.layer, amounts=1.1 * rand, insured=len(rand))
    assert trended.table["pure_premium"].tolist() == pytest.approx(
        scaled.table["pure_premium"].tolist(), rel=1e-5
    )
    assert trended.table["se"].tolist() == pytest.approx(scaled.table["se"].tolist(), rel=1e-3)
    assert trended.leverage([0.1])["claims"].iloc[0] == pytest.approx(trended.table["pure_premium"].iloc[0])
    assert trended.segments["fitted"].sum() == pytest.approx(trended.table["pure_premium"].iloc[1])


def test_moving_a_deductible_moves_the_table() -> None:
    """Qinzhou's segments count from the deductible; the printed payments hold and move with it; a ceiling stays."""
    assert QINZHOU([6000.0, 26_000.0, 46_000.0, 1e7]).tolist() == pytest.approx(
        [0.0, 10_000.0, 22_000.0, 500_000.0]
    )
    moved = with_deductible(QINZHOU, 3000.0)
    x = np.array([0.0, 3000.0, 23_000.0, 43_000.0, 1e7])
    assert moved(x).tolist() == pytest.approx([0.0, 0.0, 10_000.0, 22_000.0, 500_000.0])
    assert with_deductible(QINZHOU, 6000.0)(x).tolist() == pytest.approx(QINZHOU(x).tolist())
    share = with_deductible(Piecewise([], [0.55]), 1000.0)
    assert share([0.0, 1000.0, 11_000.0]).tolist() == pytest.approx([0.0, 0.0, 5500.0])


def test_a_law_file_is_a_layer(rand: np.ndarray) -> None:
    """The id of a layer's law file gives what the layer itself gives, and names its source."""
    law = "china/jieshou/layer/critical_illness@2013-10-23"
    by_id = price_layer(law, amounts=10 * rand, insured=len(rand))
    by_hand = price_layer(act.load_benefit_layer(law), amounts=10 * rand, insured=len(rand))
    assert by_id.table.equals(by_hand.table)
    assert any("界首" in s.document for s in by_id.sources)


def test_no_claim_in_the_layer_is_said(rand: np.ndarray) -> None:
    """By claims the price is 0: a warning, and the fitted price beside it."""
    with pytest.warns(ModelWarning, match="只能参考拟合分布"):
        found = price_layer(Piecewise([1e6, 2e6], [0, 1, 0]), amounts=rand, insured=len(rand))
    claims, fitted = found.table["pure_premium"]
    assert claims == 0
    assert fitted > 0
    assert found.table["beyond_largest"].iloc[1] == pytest.approx(fitted)


def test_too_few_amounts_leave_the_claims() -> None:
    """Nine amounts: priced by claims alone, and said."""
    with pytest.warns(ModelWarning):
        found = price_layer(XS, amounts=np.full(9, 20_000.0), insured=100.0)
    assert found.table["method"].tolist() == ["claims"]
    assert found.table["pure_premium"].iloc[0] == pytest.approx(900.0)
    assert found.fit is None


def test_an_open_layer_on_a_tail_without_variance_is_said() -> None:
    """Pure premium finite, sd infinite: a warning; a loading by sd then has no finite premium."""
    law = SplicedPareto(8.0, 1.0, 10_000.0, 0.05, 9000.0, 0.6)
    with pytest.warns(ModelWarning, match="封顶"):
        found = price_layer(Piecewise([8000.0], [0, 0.5]), insured=1000.0, severity=law, frequency=0.1)
    assert math.isfinite(found.table["pure_premium"].iloc[0])
    assert math.isinf(found.table["process_sd"].iloc[0])


def test_counts_that_cluster_cost_certainty(rand: np.ndarray) -> None:
    """Per claim at dispersion 3 the error is larger, the price the same."""
    kwargs = {"amounts": rand[rand > 0], "insured": 20_190.0, "per": "claim", "severity": Lognormal(1100, 2)}
    one, three = (price_layer(Piecewise([500.0], [0, 0.8]), dispersion=d, **kwargs).table for d in (1.0, 3.0))  # type: ignore[arg-type]
    assert one["pure_premium"].tolist() == three["pure_premium"].tolist()
    assert (three["se"] > one["se"]).all()
    assert (three["process_sd"] > one["process_sd"]).all()


def test_small_cells_are_not_written(rand: np.ndarray, tmp_path: Path) -> None:
    """A segment that fewer than five persons reach is blank in the workbook, in what rests on claims."""
    layer = Piecewise([4000, 25_000, 100_000], [0, 0.5, 0.6, 0])
    found = price_layer(layer, amounts=rand, insured=len(rand), financing_standard=340.0)
    assert 0 < found.segments["claims_reach"].iloc[1] < 5
    sheets = pd.read_excel(found.to_excel(tmp_path / "p.xlsx"), sheet_name=None, engine="calamine")
    assert len(sheets) == 4
    written = sheets["分段"]
    assert pd.isna(written["claims"].iloc[1])
    assert pd.notna(written["claims"].iloc[0])
    assert pd.notna(written["fitted"].iloc[1])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_summary_and_chart(price: LayerPrice, lang: str) -> None:
    """Both methods in words, and a curve each against the deductible with the printed premiums that fit in."""
    assert act.text("pricing_words.claims", lang) in price.summary(lang)
    axes = price.plot(lang=lang)
    assert axes.get_xlabel() == act.text("pricing_words.deductible", lang)
    assert axes.texts


@pytest.mark.slow
def test_fitted_error_is_that_of_samples() -> None:
    """Over 200 pools the spread of the fitted price is its stated error (within 20%), and the price is unbiased."""
    true = 0.1 * Lognormal(8000, 2).expected(XS)
    prices, errors = [], []
    for seed in range(200):
        count = int(np.random.default_rng(seed).poisson(2000))
        amounts = Lognormal(8000, 2).draw(count, seed=seed)
        fit = fit_severity(amounts, family="lognormal")
        row = price_layer(XS, amounts=amounts, insured=20_000.0, severity=fit, resamples=100).table.iloc[1]
        prices.append(row["pure_premium"])
        errors.append(row["se"])
    assert np.std(prices) == pytest.approx(np.mean(errors), rel=0.2)
    assert np.mean(prices) == pytest.approx(true, abs=4 * np.std(prices) / math.sqrt(200))
