"""Criteria, designs and chunks: brute force, exact laws, unbiasedness, coverage and efficiency by replication."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import actuarial as act
from actuarial.cost import CostForecast
from actuarial.errors import ModelWarning
from actuarial.fund.answers import cross_check, lognormal_tail
from actuarial.fund.chunks import Outcomes, collect, fan_of, need, stress
from actuarial.fund.criteria import ALL_CRITERIA, Criterion, probability, tvar_target
from actuarial.fund.needs import CRITERIA, need_of, rise_of, slope_of, spending_of, stress_of
from actuarial.fund.paths import PLAIN
from actuarial.fund.sampling import BLOCK, SOBOL, SOBOL_BLOCK, Pilot, cells, choose, run_pilot
from actuarial.fund.target import premium_target, round_up, weighted_target
from actuarial.plan import Plan

Simulate = Callable[..., act.Simulation]


@pytest.fixture(scope="module")
def runs(jieshou: Plan, anhui: Plan, simulate: Simulate) -> list[act.Simulation]:
    """Both sample plans, and Jieshou with heads that are not certain."""
    data = {**jieshou.data["insured"], "next_year_sd": 0.02}
    unsure = jieshou.patched([act.plan.Patch(path="insured", value=data, source="test")])
    return [simulate(p, paths=3000) for p in (jieshou, anhui, unsure)]


# --------------------------------------------------------------------------- criteria


@pytest.mark.parametrize("months", [0.0, 2.0, 6.5])
@pytest.mark.parametrize("alpha", [0.05, 0.3])
def test_months_payable_by_counting(runs: list[act.Simulation], months: float, alpha: float) -> None:
    """At the target at most α of the paths end below so many months of their own spending; a hair below it more do."""
    for sim in runs:
        target = sim.premium_target(alpha, criterion="months_payable", months=months)
        reserve = months / 12 * spending_of(sim.setting, sim.arrays)
        assert (sim.closing(target.value + 1e-6) < reserve).mean() <= alpha
        assert (sim.closing(target.value - 1e-6) < reserve).mean() > alpha


def test_no_months_is_the_closing_criterion(runs: list[act.Simulation]) -> None:
    """Zero months payable asks for what the closing criterion asks."""
    for sim in runs:
        none = sim.premium_target(0.1, criterion="months_payable", months=0.0)
        assert none.value == sim.premium_target(0.1, criterion="closing").value


@pytest.mark.parametrize("split", ["individual", {"individual": 0.25, "subsidy_provincial": 0.75}])
def test_a_rise_of_some_payers_by_rolling_it(anhui: Plan, simulate: Simulate, split: Any) -> None:
    """With a stated split, balances rolled month by month with the payers' own calendars are short on at most α."""
    sim = simulate(anhui, paths=2000)
    target = sim.premium_target(0.05, criterion="any_month", split=split)
    shares = {split: 1.0} if isinstance(split, str) else split
    financing, s = sim.fund.financing, sim.setting

    def short(premium: float) -> float:
        balance = sim.balances()
        extra = np.zeros(12)
        for payer, share in shares.items():
            level, before = 0.0, 0.0
            for m in range(12):
                upto = financing.cumulative.loc[payer, m + 1]
                level = level * (1 + s.interest) + s.heads * (premium - sim.standard) * share * (
                    upto - before
                )
                before = upto
                extra[m] += level
        return float(((balance + extra).min(axis=1) < 0).mean())

    assert short(target.value + 1e-6) <= 0.05 < short(target.value - 1e-6)


def test_present_proportions_are_a_split(anhui: Plan, simulate: Simulate) -> None:
    """A split in the present proportions gives the target without a split."""
    sim = simulate(anhui, paths=2000)
    payers = sim.fund.financing.payers
    split = dict(zip(payers["payer"], payers["weight"], strict=True))
    same = sim.premium_target(0.05, criterion="any_month", split=split)
    assert same.value == pytest.approx(sim.premium_target(0.05, criterion="any_month").value, rel=1e-12)


def test_a_rise_that_comes_too_late_helps_nobody(anhui: Plan, simulate: Simulate) -> None:
    """Months before the payer's money arrive cannot be mended by it: paths short there need infinity."""
    sim = simulate(anhui, paths=2000)
    cumulative = sim.fund.financing.cumulative
    late = str(cumulative.index[cumulative[1] == 0][0])
    needs = need_of(sim.setting, sim.arrays, "any_month", rise=rise_of(sim.setting, sim.fund.financing, late))
    assert np.isposinf(needs).mean() == pytest.approx((sim.balances()[:, 0] < 0).mean())


@pytest.mark.parametrize("amount", [0.0, -2e7, 3e7])
def test_expected_balance_is_the_mean(runs: list[act.Simulation], amount: float) -> None:
    """At the target the mean closing balance is the amount asked for, to the error of the randomness taken out."""
    for sim in runs:
        found = sim.premium_target(criterion="expected_balance", amount=amount)
        noise = sim.claims.std() * 12 / math.sqrt(sim.paths)
        assert sim.closing(found.value).mean() == pytest.approx(amount, abs=noise)
        assert found.measure(found.value) == pytest.approx(amount, abs=1.0)
        assert found.interval[0] < found.value < found.interval[1]


@pytest.mark.parametrize("alpha", [0.05, 0.2, 0.5])
def test_tvar_by_bisection(runs: list[act.Simulation], alpha: float) -> None:
    """The mean of the worst paths, sorted and averaged by hand, is the amount asked for at the target and more below it."""
    for sim in runs:
        k = round(alpha * sim.paths)

        def worst(premium: float, sim: act.Simulation = sim, k: int = k) -> float:
            return -float(np.sort(sim.closing(premium))[:k].mean())

        found = sim.premium_target(alpha, criterion="tvar", amount=1e6)
        low, high = 0.0, 1000.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if worst(middle) > 1e6 else (low, middle)
        assert found.value == pytest.approx(high, abs=1e-6)
        assert found.value > sim.premium_target(alpha, criterion="closing").value - 1e-9 or alpha > 0.4


def test_tvar_with_weights_is_that_of_copies() -> None:
    """Integer weights count as copies of the path."""
    rng = np.random.default_rng(3)
    a, b, w = rng.normal(-100, 30, 60), rng.uniform(0.5, 2, 60), rng.integers(1, 4, 60)
    weighted = Outcomes({"at_zero": a, "slope": b}, w / w.mean(), 1, "importance", 60, 0)
    copies = Outcomes(
        {"at_zero": np.repeat(a, w), "slope": np.repeat(b, w)}, None, 1, "plain", int(w.sum()), 0
    )
    assert tvar_target(weighted, 0.3).value == pytest.approx(tvar_target(copies, 0.3).value)


def test_targets_rise_with_what_is_asked(jieshou: Plan, simulate: Simulate) -> None:
    """Every criterion's target falls with α and with the opening balance, and rises with growth and with months."""
    more = [act.plan.Patch(path="opening.free.value", value=9e7, source="test")]
    faster = [act.plan.Patch(path="growth.value", value=0.15, source="test")]
    plain, rich, fast = (
        simulate(p, paths=2000) for p in (jieshou, jieshou.patched(more), jieshou.patched(faster))
    )
    for name in ALL_CRITERIA:
        options: dict[str, Any] = {"criterion": name} | ({"months": 3.0} if name == "months_payable" else {})
        at = [plain.premium_target(alpha, **options).value for alpha in (0.01, 0.05, 0.2, 0.5)]
        assert at == sorted(at, reverse=True)
        target = plain.premium_target(0.05, **options).value
        assert fast.premium_target(0.05, **options).value > target
        richer = rich.premium_target(0.05, **options).value
        assert richer == pytest.approx(target) if name == "current_year" else richer < target
    by_months = [plain.premium_target(0.05, criterion="months_payable", months=k).value for k in (0, 1, 3, 9)]
    assert by_months == sorted(by_months)


@given(st.floats(-1e6, 1e6), st.sampled_from([1.0, 5.0, 10.0]))
def test_rounding_goes_up_and_not_far(value: float, step: float) -> None:
    """The rounded target is a multiple of the step, not below the exact one and less than a step above."""
    rounded = round_up(value, step)
    assert rounded / step == round(rounded / step)
    assert -1e-7 * step <= rounded - value < step


# --------------------------------------------------------------------------- reverse stress


@pytest.mark.parametrize("criterion", CRITERIA)
def test_claims_times_the_breaking_multiple_break_the_path(
    runs: list[act.Simulation], criterion: str
) -> None:
    """Rolled with claims times its multiple a path is at zero at worst; with a thousandth more it is short."""
    for sim in runs:
        s = sim.setting
        factor = stress_of(s, sim.arrays, 330.0, criterion)

        def worst(scale: np.ndarray, sim: act.Simulation = sim) -> np.ndarray:
            own = criterion == "current_year"
            level = np.zeros(sim.paths) if own else sim.opening.copy()
            heads, lowest = sim.arrays.heads, np.full(sim.paths, np.inf)
            for m in range(12):
                late = sim.setting.late_income if m == 0 and not own else 0.0
                level = level * (1 + sim.setting.interest) + late
                level += heads * (330.0 * sim.setting.receipts[m] - sim.setting.premium_per_head[m])
                level -= scale * sim.claims[:, m]
                lowest = np.minimum(lowest, level) if criterion == "any_month" else level
            return lowest

        assert np.abs(worst(factor)).max() < 1e-6 * sim.setting.heads
        assert (worst(factor * 1.001) < 0).all()


# --------------------------------------------------------------------------- weights and designs


@given(
    st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(1, 4)), min_size=2, max_size=40), st.integers(1, 99)
)
def test_weighted_target_is_that_of_copies(pairs: list[tuple[float, int]], percent: int) -> None:
    """A weighted path counts like its copies (levels between two counts, where rounding cannot decide)."""
    needs, copies = np.array([p for p, _ in pairs]), np.array([c for _, c in pairs])
    total = int(copies.sum())
    alpha = (math.floor(percent / 100 * total) + 0.5) / total
    if not 0 < alpha < 1:
        return
    weighted = weighted_target(needs, copies * len(pairs) / total, alpha, "closing", block=1)
    assert weighted.value == premium_target(np.repeat(needs, copies), alpha, "closing").value
    assert weighted.at([alpha])[0] == weighted.value
    assert float(weighted.probability(weighted.value)) <= alpha < float(
        weighted.probability(weighted.value - 1e-9)
    ) or (needs.min() == weighted.value)


@pytest.mark.parametrize("centres", [[1.6], [0.0], [-2.5, 2.0], [5.0], [-9.0]])
def test_cells_keep_the_nominal_law(centres: list[float]) -> None:
    """Cells cover all probability, counts fill a block, no weight is above five, and the weights average one."""
    edges, counts = cells(centres, [0.2] * len(centres))
    width = np.diff(edges)
    weights = BLOCK * width / counts
    assert counts.sum() == BLOCK
    assert counts.min() >= 1
    assert edges[0] == 0
    assert edges[-1] == 1
    assert weights.max() <= 5 + 1e-9
    assert (weights * counts).sum() == pytest.approx(BLOCK)


def design(plan: Plan, cost: CostForecast, criterion: str = "any_month", seed: int = 5) -> Any:
    """Setting, sampler and block of the importance design for a target of 5%."""
    s = act.Fund(plan).setting(cost)
    pilot = run_pilot(s, [need(criterion)], seed)
    level = premium_target(pilot.outcomes[criterion], 0.05, criterion).value
    return s, choose(pilot, [(criterion, level)])


def test_importance_agrees_with_plain_paths(
    jieshou: Plan, anhui: Plan, cost: Callable[[Plan], CostForecast]
) -> None:
    """Targets and probabilities from weighted paths lie within five joint standard errors of 300,000 plain ones."""
    for plan in (jieshou, anhui):
        s, (sampler, block, name) = design(plan, cost(plan))
        assert name == "importance"
        plain = collect(s, [need("any_month")], paths=300_000, seed=77, threads=2)
        weighted = collect(
            s, [need("any_month")], paths=30_000, seed=78, sampler=sampler, block=block, method=name
        )
        assert weighted.weight is not None
        assert weighted.weight.mean() == pytest.approx(1.0, abs=0.02)
        one = premium_target(plain["any_month"], 0.05, "any_month")
        two = weighted_target(weighted["any_month"], weighted.weight, 0.05, "any_month", block=block)
        se = [np.diff(t.interval)[0] / 3.92 for t in (one, two)]
        assert abs(one.value - two.value) < 5 * math.hypot(*se)
        assert se[1] < se[0]  # with a tenth of the paths
        (p, ends), (q, _) = (
            probability(weighted, "any_month", one.value),
            probability(plain, "any_month", one.value),
        )
        assert abs(p - q) < 5 * math.hypot((ends[1] - ends[0]) / 3.92, math.sqrt(q / 300_000))


def test_same_bytes_at_any_number_of_threads(jieshou: Plan, cost: Callable[[Plan], CostForecast]) -> None:
    """Plain, importance and Sobol paths by chunks are the same bytes for one, two and five threads."""
    s, (sampler, block, name) = design(jieshou, cost(jieshou))
    for chosen, size, word in ((PLAIN, 1, "plain"), (sampler, block, name), (SOBOL, SOBOL_BLOCK, "sobol")):
        found = []
        for threads in (1, 2, 5):
            fan = fan_of(s, 340.0, 9)
            kept = collect(s, [need("any_month"), stress(340.0, "closing")], paths=20_011, seed=9,
                           threads=threads, sampler=chosen, block=size, method=word, fan=fan)  # fmt: skip
            weight = b"" if kept.weight is None else kept.weight.tobytes()
            found.append(
                (kept["any_month"].tobytes(), kept["stress"].tobytes(), weight, fan.counts.tobytes())
            )
        assert len(set(found)) == 1


def test_chunks_keep_what_the_simulation_has(jieshou: Plan, simulate: Simulate) -> None:
    """What is kept chunk by chunk is, to the byte, what the whole simulation gives."""
    sim = simulate(jieshou, paths=20_011, seed=3)
    kept = collect(sim.setting, [need(c) for c in CRITERIA], paths=20_011, seed=3, threads=2)
    for c in CRITERIA:
        assert kept[c].tobytes() == sim.needs[c].tobytes()


def test_fan_in_bins_is_as_near_as_it_says(jieshou: Plan, simulate: Simulate) -> None:
    """Quantiles from bins differ from sorted ones by at most half a bin, and a bin is below a ten-thousandth of the spread."""
    sim = simulate(jieshou, paths=20_000, seed=3)
    fan = fan_of(sim.setting, 340.0, 3)
    collect(sim.setting, [], paths=20_000, seed=3, fan=fan)
    table = fan.quantiles([0.025, 0.5, 0.975])
    assert fan.counts.sum() == 12 * 20_000
    for m in range(12):
        exact = np.quantile(sim.balances(340.0)[:, m], [0.025, 0.5, 0.975], method="inverted_cdf")
        error = np.abs(table.loc[m, ["q0.025", "q0.5", "q0.975"]].to_numpy(dtype=float) - exact)
        assert error.max() <= table.loc[m, "error"] / 2 * (1 + 1e-9)
    assert (fan.width[-1] / sim.balances(340.0)[:, -1].std()) < 2e-3


def test_sobol_blocks_are_normal(jieshou: Plan, cost: Callable[[Plan], CostForecast]) -> None:
    """A block of scrambled points has mean 0 and variance 1 in every column, a hundred times nearer than plain draws."""
    s = act.Fund(jieshou).setting(cost(jieshou))
    z, weight = SOBOL.draw(s, 4, 0, SOBOL_BLOCK)
    assert weight is None
    assert np.abs(z.mean(axis=0)).max() < 0.002
    assert np.abs(z.var(axis=0) - 1).max() < 0.02


def test_nothing_to_explain_leaves_plain_paths() -> None:
    """Where the systemic factors do not move the need, the program stays with plain paths and says so."""
    rng = np.random.default_rng(2)
    z, y = rng.normal(size=(2000, 4)), rng.normal(size=2000)
    for need_values, expected in (
        (y, "plain"),
        (np.full(2000, np.inf), "plain"),
        (y + 3 * z[:, 1], "importance"),
    ):
        pilot = Pilot(z, Outcomes({"closing": need_values}, None, 1, "plain", 2000, 0))
        assert choose(pilot, [("closing", 1.0)])[2] == expected


# --------------------------------------------------------------------------- answers and the cross-check


@pytest.mark.parametrize("shape", [0.05, 0.3, 0.6])
def test_lognormal_tail_is_exact_for_a_lognormal(shape: float) -> None:
    """Quantiles of a shifted lognormal, either way round, give its own tail back."""
    law = stats.lognorm(shape, loc=-50, scale=80)
    x = law.ppf((np.arange(2_000_000) + 0.5) / 2_000_000)
    for p in (0.01, 0.05, 0.5, 0.9):
        assert lognormal_tail(x, float(law.isf(p))) == pytest.approx(p, abs=5e-4)
        assert lognormal_tail(-x, -float(law.isf(p))) == pytest.approx(1 - p, abs=5e-4)


def test_a_strange_shape_is_told() -> None:
    """Two heaps of paths that no shifted lognormal follows are warned of."""
    heaps = np.concatenate([np.full(900, 300.0), np.full(100, 900.0)]) + np.random.default_rng(1).normal(
        size=1000
    )
    kept = Outcomes({"current_year": heaps, "closing": heaps}, None, 1, "sobol", 1000, 0)
    with pytest.warns(ModelWarning, match="0.5"):
        table = cross_check(kept, {"current_year": 0.1, "closing": 0.1}, 800.0)
    assert abs(table["shifted_lognormal"] - table["simulated"]).max() > 0.005


@pytest.mark.parametrize("name", ALL_CRITERIA)
def test_answers_by_design_agree_with_the_simulation(
    jieshou: Plan, cost: Callable[[Plan], CostForecast], simulate: Simulate, name: str
) -> None:
    """The program's answers, their design named, are those of plain paths within the errors of both."""
    options: dict[str, Any] = {"criterion": name} | ({"months": 2.0} if name == "months_payable" else {})
    answers = act.Fund(jieshou).answers(cost(jieshou), 0.05, paths=30_000, **options)
    sim = simulate(jieshou, paths=100_000, seed=8)
    plain = sim.premium_target(0.05, **options)
    half = [(t.interval[1] - t.interval[0]) / 3.92 for t in (answers.target, plain)]
    assert abs(answers.target.value - plain.value) < 5 * math.hypot(*half)
    assert answers.target.method == ("sobol" if name == "expected_balance" else "importance")
    for lang in ("zh", "en"):
        assert f"{answers.target.value:.2f}" in answers.summary(lang)
    table = answers.table.set_index(["quantity", "criterion"])
    for c in CRITERIA:
        row = table.loc[("deficit_probability", c)]
        exact = float(sim.deficit_probability()[c])
        error = (row["high"] - row["low"]) / 3.92 + math.sqrt(exact * (1 - exact) / 100_000)
        assert abs(row["value"] - exact) < 5 * error
    months = table.loc[("months_payable", "")]
    assert months["value"] == pytest.approx(sim.months_payable(), abs=0.02)
    assert (answers.check["shifted_lognormal"] - answers.check["simulated"]).abs().max() < 0.002
    assert answers.to_dict()["answers"][0]["quantity"] == "premium_target"


def test_criterion_words_and_refusals() -> None:
    """Every criterion has words; months are asked for exactly where they belong."""
    for name in ALL_CRITERIA:
        months = 3.0 if name == "months_payable" else None
        assert Criterion(name, 0.05, months).name == name
        with pytest.raises(act.InputError):
            Criterion(name, 0.05, None if months else 3.0)


# --------------------------------------------------------------------------- replication


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sample", "criterion"), [("jieshou", "current_year"), ("anhui_county", "any_month")]
)
def test_intervals_cover_and_importance_pays(
    jieshou: Plan, anhui: Plan, cost: Callable[[Plan], CostForecast], sample: str, criterion: str
) -> None:
    """Over 200 replications 95% intervals of plain and weighted targets cover, and weighted ones are 15 times as efficient."""
    plan = jieshou if sample == "jieshou" else anhui
    s = act.Fund(plan).setting(cost(plan))
    truth = premium_target(
        collect(s, [need(criterion)], paths=4_000_000, seed=99, threads=2)[criterion], 0.05, criterion
    ).value
    values: dict[str, list[float]] = {"plain": [], "importance": []}
    hits = {"plain": 0, "importance": 0, "probability": 0}
    for r in range(200):
        plain = premium_target(
            collect(s, [need(criterion)], paths=10_000, seed=r)[criterion], 0.05, criterion
        )
        _, (sampler, block, name) = design(plan, cost(plan), criterion, seed=r)
        kept = collect(s, [need(criterion)], paths=10_000, seed=r, sampler=sampler, block=block, method=name)
        assert kept.weight is not None
        weighted = weighted_target(kept[criterion], kept.weight, 0.05, criterion, block=block)
        for word, target in (("plain", plain), ("importance", weighted)):
            values[word].append(target.value)
            hits[word] += target.interval[0] <= truth <= target.interval[1]
        _, (low, high) = probability(kept, criterion, truth)
        hits["probability"] += low <= 0.05 <= high
    for word, hit in hits.items():
        assert stats.binomtest(hit, 200, 0.95).pvalue > 0.001, (word, hit)
    assert np.var(values["plain"]) > 15 * np.var(values["importance"])


def test_slopes_of_paths(runs: list[act.Simulation]) -> None:
    """The slope is one row where heads are certain, and in proportion to them where not."""
    certain, unsure = runs[0], runs[2]
    assert slope_of(certain.setting, certain.arrays).shape == (12,)
    slope = slope_of(unsure.setting, unsure.arrays)
    assert slope.shape == (3000, 12)
    assert slope[:, 11] / unsure.arrays.heads == pytest.approx(slope[0, 11] / unsure.arrays.heads[0])


@pytest.mark.parametrize("criterion", ALL_CRITERIA)
@pytest.mark.parametrize("lang", act.LANGUAGES)
def test_every_target_can_be_drawn(runs: list[act.Simulation], criterion: str, lang: str) -> None:
    """Under each criterion the target's chart has axes named in both languages."""
    target = runs[0].premium_target(
        0.05, criterion=criterion, months=2.0 if criterion == "months_payable" else None
    )
    axes = target.plot(lang=lang)
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    assert "{" not in axes.get_ylabel()
