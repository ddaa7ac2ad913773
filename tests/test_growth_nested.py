"""Funds within cities within provinces: the tree against one joint normal, and what it lends."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import actuarial as act
from actuarial.cli import cli
from actuarial.errors import InputError, ModelWarning
from actuarial.growth.hierarchy import posterior
from actuarial.growth.panel import Tree
from actuarial.growth.prior import GroupKind

PRIOR = act.load_prior()
PATHS = [("a", "p"), ("a", "p"), ("a", "q"), ("b", "p"), ("b", "p"), ("b", "r")]


def normal_prior(**changes: object) -> act.Prior:
    """One kind only, variances known and noise normal: one joint normal over all cells."""
    return dataclasses.replace(
        PRIOR, width=1.0, scale_points=1, scale_reach=(0.0, 0.0), scale_worth=1e12, variance_dof=1e7,
        common=(dataclasses.replace(PRIOR.common[1], size=1.2, mean_sd=0.03),),
        own=(dataclasses.replace(PRIOR.own[0], lasting=0.2, drifting=0.4, level=0.1),),
        tails=(dataclasses.replace(PRIOR.tails[0], dof=1e9),),
        groups=(GroupKind("one", 0.3, 0.5, 0.6, 1e11, 1.0),), **changes,
    )  # fmt: skip


def dense(
    levels: np.ndarray, prior: act.Prior, nested: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and covariance of next year's growth and the log evidence, by one joint normal over all cells.

    ``nested`` holds, for each level of groups, which funds are together (funds × funds).
    """
    (common,), (own,), (group,) = prior.common, prior.own, prior.groups
    rows, funds = levels.shape
    far = np.abs(np.subtract.outer(np.arange(rows), np.arange(rows)))
    unit = prior.scale**2
    growth = np.kron(
        np.ones((funds, funds)), common.mean_sd**2 + unit * common.size**2 * common.persistence**far
    )
    growth += np.kron(
        np.eye(funds), unit * (own.lasting + own.drifting * own.persistence**far + np.eye(rows))
    )
    for together in nested:
        growth += np.kron(together, unit * (group.lasting + group.drifting * group.persistence**far))
    error = unit * own.level * np.eye(funds * (rows + 1))
    found: dict[str, list[np.ndarray]] = {"step": [], "ends": [], "target": [], "target_ends": []}
    y = []

    def cell(fund: int, start: int, end: int, kind: str, ends: str) -> None:
        spans, at = np.zeros(funds * rows), np.zeros(funds * (rows + 1))
        spans[fund * rows + start : fund * rows + end] = 1
        at[fund * (rows + 1) + end], at[fund * (rows + 1) + start] = 1, -1
        found[kind].append(spans), found[ends].append(at)

    for i in range(funds):
        known = np.flatnonzero(np.isfinite(levels[:, i]))
        for a, b in itertools.pairwise(known):
            cell(i, a, b, "step", "ends")
            y.append(levels[b, i] - levels[a, i])
        cell(i, known[-1], rows, "target", "target_ends")
    h, d, t, e = (np.array(found[k]) for k in ("step", "ends", "target", "target_ends"))
    covariance = h @ growth @ h.T + d @ error @ d.T
    cross = t @ growth @ h.T + e @ error @ d.T
    gain = cross @ np.linalg.inv(covariance)
    rest = np.array(y) - prior.mean * h.sum(1)
    evidence = -0.5 * rest @ np.linalg.solve(covariance, rest) - 0.5 * np.linalg.slogdet(covariance)[1]
    return prior.mean * t.sum(1) + gain @ rest, t @ growth @ t.T + e @ error @ e.T - gain @ cross.T, evidence


def together(depth: int) -> np.ndarray:
    """Which of the paths agree down to a depth."""
    return np.array([[x[:depth] == y[:depth] for y in PATHS] for x in PATHS], dtype=float)


def ragged() -> np.ndarray:
    """Six funds' log levels with a gap, a late start and an early end."""
    generator = np.random.default_rng(1)
    levels = np.cumsum(0.06 + 0.04 * generator.standard_normal((5, 6)), axis=0)
    levels[2, 1] = levels[0, 3] = levels[4, 4] = np.nan
    return levels


@pytest.mark.parametrize("depth", [1, 2])
def test_the_tree_is_the_joint_normal(depth: int) -> None:
    """Means, variances and covariances between funds are those of one joint normal, with one level of groups and two."""
    prior, levels = normal_prior(), ragged()
    found = posterior(levels, prior, tree=Tree.of([p[:depth] for p in PATHS]))
    mean, covariance, _ = dense(levels, prior, [together(d + 1) for d in range(depth)])
    np.testing.assert_allclose(found.mean[0, :, 0], mean, rtol=1e-6)
    np.testing.assert_allclose(found.scale[0, :, 0] ** 2, np.diag(covariance), rtol=2e-6)
    correlation = covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    apart = ~np.eye(6, dtype=bool)
    np.testing.assert_allclose(found.covariance[0][apart], correlation[apart], rtol=1e-5, atol=1e-7)


def test_the_evidence_of_groups_is_that_of_the_joint_normal() -> None:
    """How much better groups explain the data than none: the difference of two log densities."""
    prior, levels = normal_prior(), ragged()
    levels[:, :3] += 0.08 * np.arange(5)[:, None]  # the first province grows faster
    with_groups = posterior(levels, prior, tree=Tree.of([p[:1] for p in PATHS])).evidence[0]
    without = posterior(levels, prior).evidence[0]
    expected = dense(levels, prior, [together(1)])[2] - dense(levels, prior, [])[2]
    assert with_groups - without == pytest.approx(expected, abs=0.02)
    assert expected > 0.5


def counties(cities: tuple[float, ...] = (0.0, 0.06, -0.04, 0.03), seed: int = 1) -> pd.DataFrame:
    """Two provinces, two cities each, three counties a city, whose growth differs by city."""
    generator = np.random.default_rng(seed)
    columns = pd.MultiIndex.from_tuples(
        [(p, p + c, f"{p}{c}{k}") for p in "AB" for c in "xy" for k in range(3)],
        names=["province", "city", "fund"],
    )
    growth = 0.07 + np.repeat(cities, 3) + 0.02 * generator.standard_normal((6, 12))
    return pd.DataFrame(300 * np.exp(np.cumsum(growth, axis=0)), index=range(2006, 2012), columns=columns)


def test_one_level_of_columns_gives_what_it_gave() -> None:
    """A level that tells no two funds apart, or every fund from every other, changes nothing."""
    frame = counties()
    flat = frame.droplevel(["province", "city"], axis=1)
    idle = pd.concat({"country": flat}, axis=1)
    alone = flat.set_axis(pd.MultiIndex.from_tuples([(f"town {c}", c) for c in flat]), axis=1)
    q = act.fit_growth(flat).quantile([0.1, 0.5, 0.9]).to_numpy()
    for same in (idle, alone):
        np.testing.assert_array_equal(act.fit_growth(same).quantile([0.1, 0.5, 0.9]).to_numpy(), q)


def test_cities_lend_more_than_strangers() -> None:
    """Where growth differs by city, knowing the cities forecasts better: twelve worlds, mean CRPS lower by a tenth."""
    scores = []
    for seed in range(12):
        generator = np.random.default_rng(100 + seed)
        cities = tuple(0.05 * generator.standard_normal(4))
        frame = counties(cities, seed)
        nested, flat = (
            act.fit_growth(f, raw=False).forecast(1).parts for f in (frame, frame.droplevel([0, 1], axis=1))
        )
        actual = 0.07 + np.repeat(cities, 3) + 0.02 * generator.standard_normal(12)
        scores.append([np.mean([p.crps(x) for p, x in zip(s, actual, strict=True)]) for s in (nested, flat)])
    ours, theirs = np.mean(scores, axis=0)
    assert ours < 0.9 * theirs


def test_variances_pool_by_group() -> None:
    """A county of a restless province gets a wider interval than its own calm years alone would give it."""
    generator = np.random.default_rng(5)
    columns = pd.MultiIndex.from_tuples([(p, f"{p}{k}") for p in ("calm", "wild") for k in range(8)])
    sd = np.repeat([0.01, 0.08], 8)
    sd[8] = 0.01  # a county that happened to be calm, in a wild province
    growth = 0.07 + sd * generator.standard_normal((5, 16))
    frame = pd.DataFrame(300 * np.exp(np.cumsum(growth, axis=0)), index=range(2006, 2011), columns=columns)
    widths = {}
    for name, levels in (("nested", frame), ("flat", frame.droplevel(0, axis=1))):
        q = np.log(act.fit_growth(levels).quantile([0.1, 0.9]).to_numpy())
        widths[name] = (q[1] - q[0])[8] / (q[1] - q[0])[:8].mean()
    assert widths["nested"] > 1.1 * widths["flat"]


def test_a_fund_finds_its_place_among_its_neighbours() -> None:
    """By its path, or by its own name where that is there once, a series gets what the panel gives it."""
    frame = counties()
    path = ("A", "Ay", "Ay1")
    expected = act.fit_growth(frame).fund("Ay1").quantile([0.1, 0.5, 0.9])
    for name in (path, "Ay1"):
        found = act.fit_growth(frame[path].rename(name), pool=frame)
        np.testing.assert_allclose(found.quantile([0.1, 0.5, 0.9]), expected, rtol=1e-9)
        assert found.names == (path,)
    new = frame[path].rename(("B", "Bx", "new"))
    assert act.fit_growth(new, pool=frame).quantile(0.5).iloc[0] < expected[0.5]  # a slower city than its own
    with pytest.raises(InputError, match="new") as error:
        act.fit_growth(new.rename("new"), pool=frame)
    assert error.value.faults[0].code == "growth.no_place"


def test_answers_keep_the_levels() -> None:
    """Quantiles, draws, table and summary of a nested panel speak of provinces and cities."""
    fit = act.fit_growth(counties())
    assert fit.forecast(1).quantile([0.5]).columns.names == ["province", "city", "fund"]
    assert list(fit.table.columns[:4]) == ["province", "city", "fund", "year"]
    assert "A / Ax / Ax0" in fit.summary("en")
    assert fit.weights.query("part == 'groups'")["weight"].sum() == pytest.approx(1)
    assert fit.simulate(5).shape == (5, 12)
    same_city = fit.forecast(1).correlation[0, 1]
    assert same_city > fit.forecast(1).correlation[0, 11]
    test = act.backtest(counties(), points=4)
    assert len(test.frame.query("model == 'pooled'")) == 24


def test_exposure_of_neighbours_counts() -> None:
    """A noisy small neighbour sways the fund less once its few people are known; without its column, as before."""
    frame = counties().droplevel([0, 1], axis=1).iloc[:, :4]
    own = frame.iloc[:, 0]
    pool = frame.iloc[:, 1:].copy()
    pool.iloc[-1] *= 1.12  # the neighbours' last year looks high
    people = pd.DataFrame(50_000.0, index=frame.index, columns=frame.columns)
    few = people.copy()
    few.iloc[:, 1:] = 300.0
    blind, known = (
        act.fit_growth(own, pool=pool, weights=w, process_cv=2.5).quantile(0.5).iloc[0] for w in (people, few)
    )
    assert known < blind
    only_own = act.fit_growth(own, pool=pool, weights=people.iloc[:, :1], process_cv=2.5)
    series = act.fit_growth(own, pool=pool, weights=people.iloc[:, 0], process_cv=2.5)
    assert only_own.quantile(0.5).iloc[0] == series.quantile(0.5).iloc[0]
    guessed = act.fit_growth(
        own, pool=pool, weights=people.iloc[:, 0]
    )  # the variance is found with neighbours unknown
    assert np.isfinite(guessed.quantile([0.1, 0.9])).all()
    holed = few.copy()
    holed.iloc[2, 2] = np.nan
    with pytest.raises(InputError, match=str(frame.columns[2])):
        act.fit_growth(own, pool=pool, weights=holed)


def test_the_share_of_process_is_a_share_of_the_variance() -> None:
    """White noise of the levels whose variance is one over exposure: the candidate of share 1 has that size."""
    from actuarial.growth.fitted import process_variances

    generator = np.random.default_rng(9)
    people = np.full((12, 5000), 400.0)
    logs = 2.5 / np.sqrt(people) * generator.standard_normal(people.shape)
    found = process_variances(logs, people, None, np.zeros(people.shape))
    assert found[-1][0] is not None
    assert float(found[-1][0][0, 0]) == pytest.approx(2.5**2 / 400, rel=0.03)


def test_much_truncated_is_a_warning() -> None:
    """Three points that swing by half: more than 5% of the answer lies beyond the bounds, and a warning says so."""
    wild = pd.Series([100.0, 148.0, 102.0, 149.0], index=range(2009, 2013))
    narrow = dataclasses.replace(PRIOR, scale=0.5, scale_worth=1e6)
    with pytest.warns(ModelWarning, match="%"):
        fit = act.fit_growth(wild, prior=narrow)
    assert fit.removed > 0.05
    assert math.isfinite(fit.forecast(1).mean())


def test_the_command_reads_rows_with_groups(tmp_path: Path) -> None:
    """Year, province, city, fund, level in rows: the columns between are levels; a row twice is refused."""
    frame = counties()
    rows = frame.T.reset_index().melt(["province", "city", "fund"], var_name="year", value_name="level")
    rows = rows[["year", "province", "city", "fund", "level"]]
    file = tmp_path / "levels.csv"
    rows.to_csv(file, index=False)
    done = CliRunner().invoke(cli, ["growth", str(file), "--fund", "Ay1", "--json"])
    assert done.exit_code == 0, done.output
    growth = json.loads(done.output)["growth"]
    expected = act.fit_growth(frame).fund("Ay1").forecast(1)
    assert growth["median"] == pytest.approx(float(np.expm1(expected.parts[0].quantile(0.5))), rel=1e-6)
    pd.concat([rows, rows.iloc[:1]]).to_csv(file, index=False)
    assert CliRunner().invoke(cli, ["growth", str(file)]).exit_code != 0
