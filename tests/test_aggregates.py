"""The policy factor from banded totals, against the same rules applied to every claim."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actuarial as act
from actuarial.benefits.aggregates import BandsFactor, policy_factor_from_bands
from actuarial.benefits.attainable import factor_range, highest
from actuarial.errors import ModelWarning
from actuarial.experience import base_year
from actuarial.layers import Piecewise
from actuarial.severity import Lognormal
from actuarial.severity.observed import from_bands

EDGES = np.array([0, 500, 2000, 5000, 10_000, 20_000, 50_000, np.inf])
Rules = Mapping[str, Piecewise]


def rule(deductible: float, ratio: float, ceiling: float) -> Piecewise:
    """A ratio above a deductible, up to a ceiling."""
    return Piecewise([deductible, deductible + ceiling / ratio], [0, ratio, 0])


OLD = {
    "township": rule(100, 0.80, 25e3),
    "county_level": rule(300, 0.60, 25e3),
    "outside": rule(500, 0.45, 25e3),
}
RATIOS = {
    "township": rule(100, 0.85, 50e3),
    "county_level": rule(300, 0.65, 50e3),
    "outside": rule(500, 0.50, 50e3),
}
DEDUCTIBLES = {
    "township": rule(50, 0.85, 50e3),
    "county_level": rule(200, 0.65, 50e3),
    "outside": rule(1000, 0.50, 30e3),
}


def banded(
    claims: pd.DataFrame, *, edges: np.ndarray = EDGES, old: Rules | None = None, sums: bool = True
) -> pd.DataFrame:
    """Totals by level and band of in-scope cost."""
    at = np.digitize(claims["in_scope_cost"], edges[1:-1], right=True)
    frame = claims.assign(band=at, count=1.0)
    if old is not None:
        frame["fund_payment"] = paid(claims, old)
    columns = ["count", *(["in_scope_cost"] if sums else []), *(["fund_payment"] if old is not None else [])]
    table = frame.groupby(["level", "band"], observed=True)[columns].sum().reset_index()
    upper = edges[table["band"] + 1]
    return table.assign(
        band_from=edges[table["band"]], band_to=np.where(np.isinf(upper), np.nan, upper)
    ).rename(columns={"count": "visits"})


def paid(claims: pd.DataFrame, rules: Rules) -> pd.Series:
    """Each claim under the rules of its level."""
    parts = [
        pd.Series(rules[str(level)](part["in_scope_cost"].to_numpy()), part.index)
        for level, part in claims.groupby("level", observed=True)
    ]
    return pd.concat(parts).reindex(claims.index)


@pytest.fixture(scope="module")
def claims() -> pd.DataFrame:
    """Synthetic admissions of 40,000 members."""
    frame = act.synthetic_claims(40_000, seed=1).claims
    return frame[frame["category"] == "inpatient"][["level", "in_scope_cost"]].reset_index(drop=True)


@pytest.fixture(scope="module")
def answer(claims: pd.DataFrame) -> BandsFactor:
    """The factor of higher ratios and ceilings."""
    return policy_factor_from_bands(banded(claims, old=OLD), OLD, RATIOS)


@pytest.mark.parametrize("new", [RATIOS, DEDUCTIBLES], ids=["ratios", "deductibles"])
def test_factor_agrees_with_every_claim(claims: pd.DataFrame, new: Rules) -> None:
    """From bands with their sums: within two of its sd of the claim-level factor, within 0.003, and in the range."""
    truth = paid(claims, new).sum() / paid(claims, OLD).sum()
    found = policy_factor_from_bands(banded(claims), OLD, new)
    assert abs(found.coefficient - truth) < 2 * found.sd
    assert abs(found.coefficient - truth) < 0.003
    assert found.attainable[0] <= truth <= found.attainable[1]
    assert found.sd < 0.01


@pytest.mark.parametrize("new", [RATIOS, DEDUCTIBLES], ids=["ratios", "deductibles"])
def test_counts_alone_say_little_of_the_tail(claims: pd.DataFrame, new: Rules) -> None:
    """Without sums the factor is within 0.01, the range is open above, and a warning says that the error is not whole."""
    truth = paid(claims, new).sum() / paid(claims, OLD).sum()
    with pytest.warns(ModelWarning, match="费用合计"):
        found = policy_factor_from_bands(banded(claims, sums=False), OLD, new)
    assert abs(found.coefficient - truth) < 0.01
    assert math.isinf(found.attainable[1])


def test_levels_agree_with_every_claim(claims: pd.DataFrame, answer: BandsFactor) -> None:
    """Each level's factor is within two errors of its claims, and within what the bands allow."""
    rows = answer.table.set_index("level")
    for level, part in claims.groupby("level", observed=True):
        row = rows.loc[str(level)]
        truth = paid(part, RATIOS).sum() / paid(part, OLD).sum()
        assert abs(row["factor"] - truth) < 2 * row["se"] + 1e-4
        assert row["low"] - 1e-9 <= truth <= row["high"] + 1e-9
    assert rows.loc["total", "new_cost"] == pytest.approx(rows["new_cost"].iloc[:-1].sum())
    assert rows.loc["total", "factor"] == pytest.approx(
        rows.loc["total", "new_cost"] / rows.loc["total", "old_cost"]
    )


def test_bands_at_the_edges_of_the_rules_say_all(claims: pd.DataFrame) -> None:
    """Where every bend of both rules is an edge of the bands, the range is one point: the claims' own factor."""
    bends = {e for r in (OLD, RATIOS) for f in r.values() for e in f.edges}
    edges = np.array([0.0, *sorted(bends), np.inf])
    truth = paid(claims, RATIOS).sum() / paid(claims, OLD).sum()
    data = {
        str(k): from_bands(g, 0.0) for k, g in banded(claims, edges=edges).groupby("level", observed=True)
    }
    low, high = factor_range([(d, OLD[k], RATIOS[k]) for k, d in data.items()])
    assert (low, high) == pytest.approx((truth, truth), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_range_always_holds_the_claims_own_factor(data: st.DataObject) -> None:
    """Whatever the claims, the bands and two rules with steps: the claim-level factor lies in the attainable range."""
    amounts = np.array(data.draw(st.lists(st.floats(1.0, 9000.0), min_size=10, max_size=40)))
    cuts = sorted(set(data.draw(st.lists(st.floats(10.0, 8000.0), max_size=4))))
    edges = np.array([0.0, *cuts, np.inf])

    def drawn() -> Piecewise:
        bends = sorted(data.draw(st.lists(st.integers(0, 8000), min_size=1, max_size=4, unique=True)))
        slopes = data.draw(st.lists(st.integers(0, 100), min_size=len(bends) + 1, max_size=len(bends) + 1))
        jumps = data.draw(
            st.lists(st.sampled_from([0.0, 0.0, 50.0]), min_size=len(bends), max_size=len(bends))
        )
        return Piecewise(bends, [0.1, *(s / 100 for s in slopes[1:])], jumps)

    old, new = drawn(), drawn()
    if not old(amounts).sum() > 0:
        return
    table = banded(pd.DataFrame({"level": "a", "in_scope_cost": amounts}), edges=edges)
    low, high = factor_range([(from_bands(table, 0.0), old, new)])
    truth = new(amounts).sum() / old(amounts).sum()
    assert low - 1e-5 * truth <= truth <= high + 1e-5 * truth


def test_envelope_is_attained() -> None:
    """The largest expectation of a layer with a given mean is that of two points; the smallest that of one."""
    x = np.array([0.0, 60.0, 100.0])
    layer = np.array([0.0, 0.0, 40.0])
    assert highest(x, layer, 60.0) == pytest.approx(0.6 * 40)
    assert -highest(x, -layer, 60.0) == pytest.approx(0.0)
    assert highest(x, layer, math.nan) == 40.0


def test_nothing_changed_is_one(claims: pd.DataFrame) -> None:
    """The same rules before and after: 1, without any error."""
    found = policy_factor_from_bands(banded(claims), OLD, OLD, families=["lognormal"])
    assert found.coefficient == pytest.approx(1.0, abs=1e-9)
    assert found.sd < 1e-9
    assert found.attainable == pytest.approx((1.0, 1.0), abs=1e-6)


def test_payments_calibrate_the_levels(claims: pd.DataFrame) -> None:
    """Outside hospitals were paid 80% of the rules: said, and they weigh as much less in the total."""
    table = banded(claims, old=OLD)
    table.loc[table["level"] == "outside", "fund_payment"] *= 0.8
    with pytest.warns(ModelWarning, match="0\\.79"):
        found = policy_factor_from_bands(table, OLD, RATIOS)
    assert found.calibrated
    ratios = found.cells.set_index("level")["effective_ratio"]
    assert ratios["outside"] == pytest.approx(0.8, abs=0.02)
    assert ratios["township"] == pytest.approx(1.0, abs=0.02)
    old, new = (
        claims.assign(paid=paid(claims, r)).groupby("level", observed=True)["paid"].sum()
        for r in (OLD, RATIOS)
    )
    weight = pd.Series({"township": 1.0, "county_level": 1.0, "outside": 0.8})
    assert found.coefficient == pytest.approx((weight * new).sum() / (weight * old).sum(), abs=2 * found.sd)
    assert "0.79" in found.summary("zh")
    assert found.fit_check["paid"].sum() == pytest.approx(table["fund_payment"].sum())
    free = policy_factor_from_bands(
        banded(claims, old=OLD), OLD, RATIOS, calibrate=False, families=["lognormal"]
    )
    assert not free.calibrated


def test_fit_check_sums_to_the_level(answer: BandsFactor) -> None:
    """By band, expected payments are within 12% of paid ones wherever 30 claims lie, and sum to within 1%."""
    check = answer.fit_check
    assert check["expected"].sum() == pytest.approx(check["paid"].sum(), rel=0.01)
    many = check[check["count"] >= 30]
    assert len(many) >= 10
    assert (many["ratio"] - 1).abs().max() < 0.12


def test_a_rule_may_depend_on_the_category() -> None:
    """Keys (category, level) come before level; categories do not lend each other their shapes."""
    rows = []
    for category, mean, seed in (("inpatient", 6000.0, 1), ("outpatient_pooling", 200.0, 2)):
        x = Lognormal(mean, 1.2).draw(3000, seed=seed)
        table = banded(
            pd.DataFrame({"level": "township", "in_scope_cost": x}), edges=EDGES if mean > 1e3 else EDGES / 20
        )
        rows.append(table.assign(category=category))
    table = pd.concat(rows, ignore_index=True)
    flat = {"township": Piecewise([], [0.5])}
    new = {("inpatient", "township"): Piecewise([], [0.6]), "township": Piecewise([], [0.5])}
    found = policy_factor_from_bands(table, flat, new)
    factors = found.cells.set_index("category")["factor"]
    assert factors["inpatient"] == pytest.approx(1.2)
    assert factors["outpatient_pooling"] == pytest.approx(1.0)


def test_claims_below_the_old_deductible_come_back() -> None:
    """Claims below 300 were never filed; with a deductible of 100 they would be: their cost is added by the law.

    A gamma that knows nothing of this gives a factor that the bands exclude: their end is taken, and said.
    """
    x = Lognormal(900, 1.3).draw(60_000, seed=3)
    old, new = {"a": Piecewise([300.0], [0, 0.6])}, {"a": Piecewise([100.0], [0, 0.6])}
    truth = new["a"](x).sum() / old["a"](x).sum()
    edges = np.array([300.0, 500, 1000, 2000, 5000, np.inf])
    table = banded(pd.DataFrame({"level": "a", "in_scope_cost": x[x > 300]}), edges=edges)
    found = policy_factor_from_bands(
        table, old, new, truncated_at={"a": 300.0}, families=["lognormal", "gamma"]
    )
    assert abs(found.coefficient - truth) < 2 * found.sd
    with pytest.warns(ModelWarning, match="允许的范围"):
        blind = policy_factor_from_bands(table, old, new, families=["gamma"])
    assert abs(blind.coefficient - truth) > 2 * abs(found.coefficient - truth)
    assert found.attainable == (0.0, math.inf)
    assert min(abs(blind.coefficient - e) for e in blind.attainable) < 1e-12


def test_member_years_count_persons(tmp_path: Path) -> None:
    """A second layer on the year's total, from a file in 万元 with 人数; visits are then not asked for."""
    x = Lognormal(6000, 1.8).draw(20_000, seed=5)
    edges = np.array([0, 2000, 5000, 15_000, 50_000, np.inf])
    table = banded(pd.DataFrame({"level": "all", "in_scope_cost": x}), edges=edges)
    lines = ["级别,费用段下限（万元）,费用段上限（万元）,人数,可报费用（万元）"]
    for r in table.itertuples():
        upper = "" if math.isnan(r.band_to) else r.band_to / 1e4
        lines.append(f"全部,{r.band_from / 1e4},{upper},{r.visits:.0f},{r.in_scope_cost / 1e4:.4f}")
    path = tmp_path / "bands.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    read = act.read_table(path, "bands")
    old, new = ({"全部": Piecewise([d], [0, 0.5])} for d in (15_000.0, 10_000.0))
    found = policy_factor_from_bands(read, old, new, per="member_year")
    truth = new["全部"](x).sum() / old["全部"](x).sum()
    assert abs(found.coefficient - truth) < 2 * found.sd
    assert found.sources
    with pytest.raises(act.InputError):
        policy_factor_from_bands(read, old, new)


def test_factor_enters_the_forecast(answer: BandsFactor) -> None:
    """It is a PolicyFactor: its draws have its median and sd, and the cost forecast takes it."""
    assert isinstance(answer, act.PolicyFactor)
    assert answer.method == "aggregates"
    z = np.random.default_rng(1).standard_normal(200_000)
    assert np.median(answer.factor(z)) == pytest.approx(answer.coefficient, rel=1e-3)
    assert answer.factor(z).std() == pytest.approx(answer.sd, rel=0.02)
    plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    cost = act.cost_forecast(base_year(plan), answer, act.expert_growth(0.12, sd=0.05))
    flat = act.cost_forecast(base_year(plan), act.stated_policy_factor(1.0), act.expert_growth(0.12, sd=0.05))
    ratio = cost.table["next_year_per_capita"].sum() / flat.table["next_year_per_capita"].sum()
    assert ratio == pytest.approx(answer.coefficient, rel=1e-3)


def test_uncertainties_join(answer: BandsFactor) -> None:
    """The sd joins sampling and the spread between distributions that the bands do not exclude."""
    assert answer.sd == pytest.approx(math.hypot(answer.sampling_sd, answer.model_sd))
    spread = answer.spread
    assert spread["chosen"].sum() == 1
    assert spread.loc[spread["chosen"], "plausible"].all()
    assert answer.model_sd > 0
    low, high = answer.attainable
    assert low < answer.coefficient < high


def test_chart_and_workbook(answer: BandsFactor, tmp_path: Path) -> None:
    """A row a level and one for the total, named in the reader's language; the table is written."""
    names = [t.get_text() for t in answer.plot(lang="zh").get_yticklabels()]
    assert names[-1] == "合计"
    assert "乡镇卫生院" in names
    answer.to_excel(tmp_path / "f.xlsx")
    assert len(pd.read_excel(tmp_path / "f.xlsx", engine="calamine")) == 4


def test_one_level_two_bands_leans_on_the_others(claims: pd.DataFrame) -> None:
    """A level known by two bands only gets an answer from the shapes of the others; without them there is none."""
    whole = banded(claims)
    part = claims[claims["level"] == "outside"]
    coarse = banded(part, edges=np.array([0.0, 8000.0, np.inf]), sums=False)
    table = pd.concat([whole[whole["level"] != "outside"], coarse], ignore_index=True)
    with pytest.warns(ModelWarning, match="费用合计"):
        found = policy_factor_from_bands(table, OLD, RATIOS)
    truth = paid(claims, RATIOS).sum() / paid(claims, OLD).sum()
    assert abs(found.coefficient - truth) < 0.01
    with pytest.raises(act.InputError):
        policy_factor_from_bands(table, OLD, RATIOS, pooling="none")


@pytest.mark.slow
def test_sampling_error_is_that_of_samples() -> None:
    """Over 150 samples of 1,500 claims the stated error is right for what is asked of it.

    It covers both the factor of the population and that of the year's own claims; it is not below the larger of the two
    errors by more than 15%, nor half as much again.
    """
    old, new = {"a": rule(300, 0.6, 25e3)}, {"a": rule(200, 0.65, 50e3)}
    values, errors, own = [], [], []
    for seed in range(150):
        x = Lognormal(6000, 1.6).draw(1500, seed=seed)
        table = banded(pd.DataFrame({"level": "a", "in_scope_cost": x}), sums=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)
            found = policy_factor_from_bands(table, old, new, families=["lognormal"])
        values.append(found.coefficient)
        own.append(new["a"](x).sum() / old["a"](x).sum())
        errors.append(found.sampling_sd)
    larger = max(np.std(values), np.std(np.array(values) - own))
    assert 0.85 * larger < np.mean(errors) < 1.5 * larger
    true = [Lognormal(6000, 1.6).expected(r["a"]) for r in (new, old)]
    assert np.mean(values) == pytest.approx(true[0] / true[1], abs=4 * np.std(values) / math.sqrt(150))
