"""Completion against published triangles, chainladder's numbers, and the silent faults that it must not have."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.experience.completion import (
    Triangle,
    cash_incurred_bridge,
    check_latest,
    complete,
    completion_pattern,
)
from actuarial.experience.curves import completion_curve, plot_completion_curve

# Taylor and Ashe (1983), the triangle of Mack (1993), table 1; published reserve 18,680,856 and error 2,447,095
TAYLOR_ASHE = """
357848 1124788 1735330 2218270 2745596 3319994 3466336 3606286 3833515 3901463
352118 1236139 2170033 3353322 3799067 4120063 4647867 4914039 5339085
290507 1292306 2218525 3235179 3985995 4132918 4628910 4909315
310608 1418858 2195047 3757447 4029929 4381982 4588268
443160 1136350 2128333 2897821 3402672 3873311
396132 1333217 2180715 2985752 3691712
440832 1288463 2419861 3483130
359480 1421128 2864498
376686 1363294
344014
"""
MACK_SE = [0, 75535, 121699, 133549, 261406, 411010, 558317, 875328, 971258, 1363155]
WUTHRICH_MERZ_FACTORS = [
    1.492536,
    1.07776,
    1.022873,
    1.014841,
    1.006974,
    1.005146,
    1.00108,
    1.001047,
    1.001421,
]


def triangle(words: str) -> Triangle:
    """Cumulative triangle from text."""
    rows = [list(map(float, line.split())) for line in words.strip().splitlines()]
    values = np.full((len(rows), len(rows[0])), np.nan)
    for i, row in enumerate(rows):
        values[i, : len(row)] = row
    return Triangle.from_cumulative(pd.DataFrame(values, index=range(2001, 2001 + len(rows))))


def test_mack_published() -> None:
    """Reserve and standard errors of Mack's own example, by year and in total."""
    done = complete(triangle(TAYLOR_ASHE), leave_out=0)
    assert done.ibnr == pytest.approx(18_680_856, abs=1)
    assert done.total_se == pytest.approx(2_447_095, abs=1)
    assert done.frame["se"].round().tolist() == MACK_SE


def test_plain_chain_ladder_to_1e9() -> None:
    """Factors and ultimates equal a plain loop over the triangle to 1e-9."""
    t = triangle(TAYLOR_ASHE)
    v = t.values
    n = len(v)
    factors = [
        sum(v[i][j + 1] for i in range(n - j - 1)) / sum(v[i][j] for i in range(n - j - 1))
        for j in range(n - 1)
    ]
    done = complete(t, leave_out=0)
    assert done.factors["factor"].to_numpy() == pytest.approx(factors, rel=1e-12)
    for i in range(n):
        level = v[i][n - i - 1]
        for j in range(n - i - 1, n - 1):
            level *= factors[j]
        assert done.frame["ultimate"].iloc[i] == pytest.approx(level, rel=1e-9)


def test_wuthrich_merz_published() -> None:
    """Factors, ultimates and the total reserve of 6,047 thousand of the published triangle."""
    from pathlib import Path

    path = Path(__file__).parent / "data" / "triangle_wuthrich_merz.csv"
    done = complete(Triangle.from_cumulative(pd.read_csv(path, sep=";", header=None, comment="#")))
    assert done.flags == ()
    assert done.factors["factor"].round(6).tolist() == WUTHRICH_MERZ_FACTORS
    assert done.ibnr == pytest.approx(6_047_064, abs=1)
    ultimates = [11148124, 10663318, 10662008, 9758606, 9872218, 10092247, 9568143, 8705378, 8691971, 9626383]
    assert done.frame["ultimate"].to_numpy() == pytest.approx(ultimates, abs=1)


def test_draws_have_macks_error() -> None:
    """The joint draws have the point estimate as mean and Mack's total error as standard deviation."""
    done = complete(triangle(TAYLOR_ASHE), leave_out=0)
    total = done.draws(40_000, seed=1).sum(axis=1)
    assert total.mean() == pytest.approx(done.ultimate, rel=0.003)
    assert total.std() == pytest.approx(done.total_se, rel=0.03)
    assert (done.draws(100, seed=5) == done.draws(100, seed=5)).all()


def monthly(seed: int = 1, months: int = 24) -> pd.DataFrame:
    """A whole run-off by month of service and lag: 45, 30, 12, 6, 4, 2, 1% with noise."""
    rng = np.random.default_rng(seed)
    pattern = np.array([0.45, 0.30, 0.12, 0.06, 0.04, 0.02, 0.01])
    level = 1e6 * np.exp(rng.normal(0, 0.05, months))
    paid = level[:, None] * pattern * np.exp(rng.normal(0, 0.08, (months, 7)))
    index = pd.period_range("2012-01", periods=months, freq="M").astype(str)
    return pd.DataFrame(np.round(paid, 2), index=index)


DIAGONAL = np.add.outer(np.arange(24), np.arange(7))


def harmed(paid: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The run-off with its latest payment month, or its latest service month, not whole."""
    values = paid.to_numpy().copy()
    if "half" in kind:
        values[DIAGONAL == 23] *= 0.5
    if "empty" in kind:
        values[DIAGONAL == 23] = 0.0
    if "double" in kind:
        values[DIAGONAL == 23] *= 2.0
    if "service" in kind:
        values[-1] = 0.0
    return pd.DataFrame(values, index=paid.index)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("half", "half_loaded"),
        ("empty", "empty"),
        ("double", "doubled"),
        ("service", "service_empty"),
        ("half and service", "half_loaded"),
    ],
)
def test_latest_month_not_whole(kind: str, code: str) -> None:
    """Half-loaded, empty, doubled: found and said every time; the whole-data answer lies within the 95% interval."""
    within = 0
    for seed in range(20):
        whole = complete(Triangle.from_incremental(monthly(seed)))
        with pytest.warns(act.DataWarning, match="2013-12"):
            done = complete(Triangle.from_incremental(harmed(monthly(seed), kind)))
        assert code in {f.kind for f in done.flags}
        low, high = done.interval(paths=4000)
        within += low <= whole.ultimate <= high
        assert done.ultimate == pytest.approx(whole.ultimate, rel=0.03)
    assert within >= 17  # 95% of 20 is 19; 16 or fewer happen once in four hundred times


def test_what_silence_would_cost() -> None:
    """Taken as it is, the half-loaded month would take a third and more off the amount still to be paid."""
    whole = complete(Triangle.from_incremental(monthly()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", act.DataWarning)
        naive = complete(
            Triangle.from_incremental(harmed(monthly(), "half")), leave_out=0, method="chain_ladder"
        )
    assert naive.ibnr < 0.7 * whole.ibnr


def test_no_false_alarm() -> None:
    """On two hundred whole run-offs the check stays silent in at least 97 of 100."""
    alarms = sum(bool(check_latest(Triangle.from_incremental(monthly(seed)))) for seed in range(200))
    assert alarms <= 6


def test_exposure_methods() -> None:
    """Cape Cod recovers a constant rate; Bornhuetter–Ferguson takes the rate it is given for what is not developed."""
    paid = pd.DataFrame(np.outer(np.full(12, 1000.0), [0.5, 0.3, 0.2]), index=range(12))
    exposure = pd.Series(10.0, index=range(12))
    t = Triangle.from_incremental(paid, exposure=exposure)
    cape = complete(t, method="cape_cod")
    assert cape.frame["ultimate"].tolist() == pytest.approx([1000.0] * 12)
    bf = complete(t, method="bornhuetter_ferguson", expected_rate=200.0)
    assert bf.frame["ultimate"].iloc[-1] == pytest.approx(500 + 0.5 * 2000)
    assert bf.frame["ultimate"].iloc[0] == pytest.approx(1000)
    slow = paid * np.array([0.4, 1.0, 2.5])
    auto = complete(Triangle.from_incremental(slow, exposure=exposure))
    assert auto.frame["method"].tolist()[-1] == "cape_cod"
    assert auto.frame["method"].tolist()[0] == "chain_ladder"


def test_exclusions_last_and_tail() -> None:
    """A link excluded by hand, factors from the last periods, and a tail act as a plain calculation says."""
    t = triangle(TAYLOR_ASHE)
    v = t.values
    without = complete(t, leave_out=0, exclude=[(2001, 0)])
    assert without.factors["factor"][0] == pytest.approx(v[1:9, 1].sum() / v[1:9, 0].sum())
    last = complete(t, leave_out=0, last=3)
    assert last.factors["factor"][0] == pytest.approx(v[6:9, 1].sum() / v[6:9, 0].sum())
    tail = complete(t, leave_out=0, tail=1.05)
    assert tail.frame["ultimate"].iloc[0] == pytest.approx(v[0, 9] * 1.05)


def test_insurers_rule() -> None:
    """Article 49: the larger of two methods, and never less than 10% of paid with under three years; off by default."""
    paid = monthly()
    exposure = pd.Series(1000.0, index=paid.index)
    t = Triangle.from_incremental(paid, exposure=exposure)
    plain = [complete(t, method=m).ibnr for m in ("chain_ladder", "cape_cod")]
    ruled = complete(t, insurers_rule=True)
    assert ruled.ibnr == pytest.approx(max(*plain, 0.1 * t.latest.sum()))
    assert ruled.ibnr > complete(t).ibnr


def test_bridge_rolls() -> None:
    """Opening unpaid + incurred − paid = closing unpaid in every month, and the last is what is still unpaid."""
    t = Triangle.from_incremental(monthly())
    done = complete(t)
    bridge = cash_incurred_bridge(t, done)
    rolled = bridge["opening_unpaid"] + bridge["incurred"] - bridge["paid"]
    assert rolled.to_numpy() == pytest.approx(bridge["closing_unpaid"].to_numpy(), rel=1e-12)
    assert bridge["closing_unpaid"].iloc[-1] == pytest.approx(done.ibnr)


@pytest.mark.filterwarnings("ignore::actuarial.DataWarning")
@given(
    st.lists(st.floats(1e3, 1e7), min_size=4, max_size=12),
    st.lists(st.floats(0.05, 1.0), min_size=2, max_size=4),
    st.floats(0.1, 100.0),
)
def test_exact_pattern_is_completed_exactly(levels: list[float], weights: list[float], scale: float) -> None:
    """Where every period develops alike the ultimates are exact, and scaling the money scales the answer."""
    pattern = np.array(weights) / sum(weights)
    if len(levels) <= len(pattern):
        return
    t = Triangle.from_incremental(pd.DataFrame(np.outer(levels, pattern)))
    done = complete(t, leave_out=0, method="chain_ladder")
    assert done.frame["ultimate"].to_numpy() == pytest.approx(levels, rel=1e-9)
    larger = complete(
        Triangle.from_incremental(pd.DataFrame(np.outer(levels, pattern) * scale)),
        leave_out=0,
        method="chain_ladder",
    )
    assert larger.ultimate == pytest.approx(done.ultimate * scale, rel=1e-9)


def test_pattern() -> None:
    """Shares paid by lag from factors end at one."""
    assert completion_pattern([2.0, 1.25]).tolist() == [0.4, 0.8, 1.0]


@pytest.mark.parametrize(
    ("work", "code"),
    [
        (lambda: Triangle.from_incremental(pd.DataFrame()), "no_data"),
        (lambda: Triangle.from_cumulative(pd.DataFrame()), "no_data"),
        (lambda: Triangle.from_incremental(pd.DataFrame([[np.inf, 1.0], [1.0, 1.0]])), "not_finite"),
        (lambda: Triangle.from_cumulative(pd.DataFrame([[np.nan, 1.0]])), "hole"),
        (lambda: complete(Triangle.from_cumulative(pd.DataFrame([[1.0]]))), "no_factor"),
        (lambda: complete(triangle(TAYLOR_ASHE), method="cape_cod"), "no_exposure"),
        (lambda: complete(triangle(TAYLOR_ASHE), leave_out=0, tail=0.9), "tail"),
        (
            lambda: complete(
                Triangle.from_incremental(monthly(), exposure=pd.Series(1.0, index=monthly().index)),
                method="bornhuetter_ferguson",
            ),
            "no_rate",
        ),
    ],
)
def test_refusals(work: object, code: str) -> None:
    """What cannot be completed is refused with a reason and a remedy."""
    with pytest.raises(act.InputError) as error:
        work()  # type: ignore[operator]
    assert error.value.faults[0].code == f"completion.{code}"
    assert error.value.message("en")


def test_pictures() -> None:
    """Heat map with the flagged month framed, and the bars with intervals, draw in both languages."""
    with pytest.warns(act.DataWarning):
        done = complete(Triangle.from_incremental(harmed(monthly(), "half")))
    for lang in act.LANGUAGES:
        assert done.triangle.plot(lang=lang, flags=done.flags).get_xlabel()
        assert done.plot(lang=lang).get_ylabel()


# --------------------------------------------------------------------------- small pools: numbers of claims


def small_pool(seed: int, harm: str, members: int = 3_000) -> tuple[Triangle, Triangle]:
    """Ten months of a small pool's synthetic claims, whole and harmed, with the numbers of claims."""
    frame = act.synthetic_claims(members, seed=seed).claims.dropna(subset="payment_date")
    latest = frame["payment_date"].dt.to_period("M") == pd.Period("2013-10", freq="M")
    rng = np.random.default_rng(seed)
    keep = {
        "half": ~latest | (rng.random(len(frame)) < 0.5),
        "cut": ~latest | (frame["payment_date"].dt.day <= 15),
        "service": frame["service_date"].dt.to_period("M") != pd.Period("2013-10", freq="M"),
        "none": np.ones(len(frame), dtype=bool),
    }[harm]
    whole, part = (_pool_triangle(f) for f in (frame, frame[keep]))
    return whole, part


def _pool_triangle(frame: pd.DataFrame) -> Triangle:
    service, paid = (frame[f"{n}_date"].dt.to_period("M") for n in ("service", "payment"))
    index = pd.period_range("2013-01", "2013-10", freq="M")
    use = paid <= index[-1]
    row = (service[use].astype("int64") - index[0].ordinal).to_numpy()
    lag = (paid[use].astype("int64") - service[use].astype("int64")).to_numpy()
    grids = np.zeros((2, 10, 10))
    np.add.at(grids[0], (row, lag), frame.loc[use, "fund_payment"].to_numpy())
    np.add.at(grids[1], (row, lag), 1)
    money, counts = (Triangle.from_incremental(pd.DataFrame(g, index=index)) for g in grids)
    return Triangle(money.frame, counts=counts)


@pytest.mark.parametrize("harm", ["half", "cut"])
def test_half_a_month_of_a_small_pool_shows_in_the_numbers_of_claims(harm: str) -> None:
    """3,000 members: half of the latest payments is found in 11 of 12 files by the numbers, in at most 6 by the money."""
    pools = [small_pool(seed, harm)[1] for seed in range(12)]
    by_number = [
        any(f.kind == "half_loaded" and f.period == "2013-10" for f in check_latest(p)) for p in pools
    ]
    by_money = [bool(check_latest(Triangle(p.frame))) for p in pools]
    assert sum(by_number) >= 11
    assert sum(by_money) <= 6


def test_whole_months_of_a_small_pool_raise_no_alarm() -> None:
    """Twelve whole small pools: not one alarm by the numbers of claims."""
    assert [check_latest(small_pool(seed, "none")[0]) for seed in range(12)] == [()] * 12


@pytest.mark.parametrize("harm", ["half", "service"])
def test_a_small_pool_harmed_stays_within_its_interval(harm: str) -> None:
    """Half of the latest payments gone, then all service of the latest month: said, and the whole-data answer lies within
    the 95% interval in at least 10 of 12 files."""
    within = 0
    for seed in range(12):
        whole, part = small_pool(seed, harm, 8_000)
        want = complete(whole, leave_out=0).ultimate
        with pytest.warns(act.DataWarning, match="2013-10"):
            done = complete(part)
        low, high = done.interval()
        within += low <= want <= high
    assert within >= 10


def test_a_month_in_another_unit_shows_in_the_money() -> None:
    """The latest month's amounts in 万元 while its claims are all there: flagged by the money."""
    whole, _ = small_pool(1, "none", 8_000)
    cells = whole.values.copy()
    steps = np.diff(np.column_stack([np.zeros(10), cells]), axis=1)
    last = np.add.outer(np.arange(10), np.arange(10)) == 9
    steps[last] /= 10_000
    frame = pd.DataFrame(steps, index=whole.frame.index)
    wrong = Triangle(Triangle.from_incremental(frame).frame, counts=whole.counts)
    assert [f.period for f in check_latest(wrong)] == ["2013-10"]
    assert check_latest(whole) == ()


def test_completion_curve_covers_the_months() -> None:
    """The curve ends at all (less the tail), and months to come lie in its 95% band (92% over 60 run-offs; here twelve)."""
    inside = []
    for seed in range(12):
        paid = monthly(seed, 36)
        curve = completion_curve(complete(Triangle.from_incremental(paid.iloc[:24])))
        later = paid.iloc[24:].to_numpy()
        shares = (later.cumsum(axis=1) / later.sum(axis=1, keepdims=True))[:, :-1]
        low, high = curve["low"].to_numpy()[:-1], curve["high"].to_numpy()[:-1]
        inside.append(((shares >= low) & (shares <= high)).mean())
        assert curve["share"].iloc[-1] == pytest.approx(1)
    assert 0.88 <= np.mean(inside) <= 0.99
    done = complete(Triangle.from_incremental(monthly()), tail=1.05)
    assert completion_curve(done)["share"].iloc[-1] == pytest.approx(1 / 1.05)
    for lang in act.LANGUAGES:
        assert plot_completion_curve(done, lang=lang).get_ylabel()
