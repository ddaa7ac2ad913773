"""Fleets in the same worlds: engines agree, what is finished is kept, pooling adds up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import actuarial as act
from actuarial.fund import fleet as fleet_module
from actuarial.fund.fleet import Fleet, FleetResult, Member
from actuarial.fund.pooling import largest_rate

ROOT = act.sample_path("jieshou/plan.yaml").parent


def members(count: int, plan: str = "plan.yaml") -> list[Member]:
    """Jieshou under other names, with other opening balances, in two pools."""
    return [
        Member(f"county{i}", str(ROOT / plan), "east" if i % 2 else "west", (("opening.free.value", 4e7 - 5e6 * i, "test"),))
        for i in range(count)
    ]  # fmt: skip


def content(result: FleetResult) -> list[bytes]:
    """All that a result holds, by fund."""
    found = [b"".join(x.tobytes() for x in result.outcome(m)) for m in result.members]
    return [*found, result.table.to_csv().encode()]


def test_threads_processes_and_one_worker_agree(tmp_path: Path) -> None:
    """One worker, threads and processes give the same bytes, in any order of funds."""
    made = members(4)
    one = Fleet(made).simulate(shared={"growth": 0.5}, paths=9000, workers=1, folder=tmp_path / "a")
    two = Fleet(made).simulate(shared={"growth": 0.5}, paths=9000, workers=3, folder=tmp_path / "b")
    far = Fleet(made).simulate(shared={"growth": 0.5}, paths=9000, engine="processes", folder=tmp_path / "c")
    assert content(one) == content(two) == content(far)
    turned = Fleet(made[::-1]).simulate(shared={"growth": 0.5}, paths=9000)
    assert content(turned)[:4][::-1] == content(one)[:4]
    assert turned.any_deficit == one.any_deficit


@pytest.mark.slow
def test_spark_agrees(spark: Any, tmp_path: Path) -> None:
    """Spark's workers give the same bytes as one thread."""
    made = members(3)
    one = Fleet(made).simulate(shared={"growth": 0.5}, paths=2000, workers=1, folder=tmp_path / "a")
    far = Fleet(made).simulate(shared={"growth": 0.5}, paths=2000, engine=spark, folder=tmp_path / "b")
    assert content(one) == content(far)


@pytest.mark.parametrize("rho", [0.0, 0.6, 1.0])
def test_growth_is_as_correlated_as_stated(rho: float) -> None:
    """With everything shared but growth certain to dominate, closing balances correlate in order with the stated figure."""
    made = [Member(n, str(ROOT / "plan.yaml")) for n in ("a", "b")]
    result = Fleet(made).simulate(shared={"growth": rho, "base": rho}, paths=20_000)
    a, b = (result.outcome(m)[0] for m in result.members)
    systemic = 0.98  # the rest is the randomness of claims
    assert np.corrcoef(a, b)[0, 1] == pytest.approx(rho * systemic, abs=0.03)


def test_a_fund_alone_is_distributed_as_in_the_fleet(
    jieshou: act.Plan, simulate: Callable[..., act.Simulation]
) -> None:
    """The mixture of common and own streams leaves each fund its own law."""
    made = Fleet([Member("a", str(ROOT / "plan.yaml"))]).simulate(
        shared={"growth": 0.4, "base": 0.7}, paths=60_000
    )
    sim = simulate(jieshou, paths=60_000)
    closing = made.outcome(made.members[0])[0]
    assert closing.mean() == pytest.approx(sim.closing().mean(), abs=5 * closing.std() / 200)
    assert closing.std() == pytest.approx(sim.closing().std(), rel=0.02)


def test_work_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an interruption finished funds are kept and only the rest is simulated; other options start anew."""
    made, run = members(4), fleet_module.collect
    calls: list[int] = []

    def count(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return run(*args, **kwargs)

    monkeypatch.setattr(fleet_module, "collect", count)

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    options: dict[str, Any] = {"shared": {"growth": 0.5}, "paths": 500, "workers": 1, "folder": tmp_path}
    with pytest.raises(KeyboardInterrupt):
        Fleet(made).simulate(**options, progress=stop)
    assert len(calls) == 2
    whole = Fleet(made).simulate(**options)
    assert len(calls) == 4
    assert content(whole) == content(Fleet(made).simulate(**{**options, "folder": tmp_path / "new"}))
    calls.clear()
    Fleet(made).simulate(**options, seed=7)
    assert len(calls) == 4


def test_a_torn_file_is_made_again(tmp_path: Path) -> None:
    """A file cut short does not count as finished; nothing temporary is left behind."""
    made = members(1)
    first = Fleet(made).simulate(shared={}, paths=500, folder=tmp_path)
    before = content(first)
    file = next(tmp_path.glob("*.npz"))
    file.write_bytes(file.read_bytes()[:300])
    assert content(Fleet(made).simulate(shared={}, paths=500, folder=tmp_path)) == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_table_of_plans(tmp_path: Path) -> None:
    """A table names plans beside it, pools, and changes of single places."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for file in ROOT.iterdir():
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    rows = "fund,plan,pool,opening.free.value,source\n甲,a,市,1000000,决算\n乙,b,市,,\n"
    (tmp_path / "fleet.csv").write_text(rows, encoding="utf-8")
    fleet = act.Fleet(tmp_path / "fleet.csv")
    assert [(m.name, m.pool) for m in fleet.members] == [("甲", "市"), ("乙", "市")]
    plans = [m.plan().model.opening.free.value for m in fleet.members]
    assert plans == [1_000_000, 65_020_000]
    table = fleet.simulate(shared={}, paths=500).table
    assert table["expected_closing_balance"].diff().iloc[1] == pytest.approx(64_020_000, rel=0.1)
    assert [m.name for m in act.Fleet(tmp_path).members] == ["a", "b"]


def test_pooling_by_hand() -> None:
    """Path by path, an adjustment fund pays what is in it, in proportion to deficits; figures as reckoned one by one."""
    result = Fleet(members(4)).simulate(shared={"growth": 0.3}, paths=2000)
    pooled = act.pool(result, rate=0.03, alpha=0.1)
    funds = pooled.table.set_index("fund")
    for name in ("east", "west"):
        mine = [m for m in result.members if m.pool == name]
        closing = np.stack([result.outcome(m)[0] for m in mine])
        paid = 0.03 * result.table.set_index("fund").loc[[m.name for m in mine], "financing"].to_numpy()
        short = np.maximum(paid[:, None] - closing, 0)
        share = np.minimum(1, paid.sum() / np.maximum(short.sum(axis=0), 1e-9))
        support = short * share
        assert (support.sum(axis=0) <= paid.sum() * (1 + 1e-12)).all()
        for i, m in enumerate(mine):
            assert funds.loc[m.name, "expected_support"] == pytest.approx(support[i].mean())
            left_short = closing[i] - paid[i] + support[i] < -1e-6
            assert funds.loc[m.name, "after"] == pytest.approx(left_short.mean())
        row = pooled.pools.set_index("pool").loc[name]
        alone = sum(max(np.sort(-c)[2000 - 200 - 1], 0) for c in closing)
        assert row["capital_alone"] == pytest.approx(alone)
        assert row["capital_pooled"] == pytest.approx(max(np.sort(-closing.sum(axis=0))[2000 - 200 - 1], 0))
        assert row["capital_saved"] >= 0
    assert len(pooled.summary("zh").splitlines()) == 2
    assert largest_rate() == 0.05


def test_no_rate_changes_nothing() -> None:
    """Without contributions nobody gets anything and risks stay."""
    pooled = act.pool(Fleet(members(2)).simulate(shared={}, paths=1000), rate=0.0)
    assert (pooled.funds["before"] == pooled.funds["after"]).all()
    assert (pooled.funds["expected_gain"] == 0).all()


@given(
    st.lists(
        st.tuples(st.integers(1, 9999), st.integers(0, 9999), st.integers(0, 50)), min_size=2, max_size=8
    ),
    st.floats(0, 1),
)
def test_equalisation_sums_to_zero(funds: list[tuple[int, int, int]], part: float) -> None:
    """Transfers sum to zero; a fund older than the average, with more large claims than it, receives."""
    names = [f"f{i}" for i in range(len(funds))]
    ages = pd.DataFrame(
        {"fund": names * 2, "age_group": ["old"] * len(names) + ["young"] * len(names),
         "persons": [f[0] for f in funds] + [f[1] for f in funds]}
    )  # fmt: skip
    large = pd.DataFrame(
        {"fund": names, "cases": [f[2] for f in funds], "cost_above": [1e4 * f[2] for f in funds]}
    )
    found = act.equalise(
        ages, pd.Series({"old": 3.0, "young": 1.0}), large, cost_per_head=320.0, part=part
    ).table
    scale = 320.0 * float(found["persons"].sum()) + 1.0  # transfers are differences of amounts of this size
    assert abs(float(found["transfer"].sum())) < 1e-9 * scale
    assert abs(float(found["by_age"].sum())) < 1e-9 * scale
    total = float(found["persons"].sum())
    mean = 1000 * float(large["cases"].sum()) / total
    above = (found["age_index"] > 1 + 1e-9) & (found["large_claims_per_1000"] > mean * (1 + 1e-9))
    assert (found.loc[above, "transfer"] >= 0).all()
