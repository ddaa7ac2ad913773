"""Fixtures of the tests: sample plans, one run each, plans with changes, and data files."""

from __future__ import annotations

import copy
import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, settings

import actuarial as act
from actuarial.benefits import plan_policy
from actuarial.cost import CostForecast
from actuarial.experience import base_year
from actuarial.fund import Simulation
from actuarial.growth import plan_growth
from actuarial.pipeline import Answer
from actuarial.plan import Plan

settings.register_profile(
    "core", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("core")

DATA = Path(__file__).parent / "data"
PATHS = 20_000


@pytest.fixture(scope="session")
def data() -> Callable[[str], Any]:
    """Read a JSON file of ``tests/data``."""
    return lambda name: json.loads((DATA / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def jieshou() -> Plan:
    """Jieshou's plan: ten published months, critical-illness premium, a contract."""
    return act.load_plan(act.sample_path("jieshou/plan.yaml"))


@pytest.fixture(scope="session")
def anhui() -> Plan:
    """The Anhui county's plan: five months, payers with arrears."""
    return act.load_plan(act.sample_path("anhui_county/plan.yaml"))


def cost_of(plan: Plan) -> CostForecast:
    """The cost forecast that a plan asks for."""
    return act.cost_forecast(base_year(plan), plan_policy(plan), plan_growth(plan))


def simulate_plan(plan: Plan, **options: Any) -> Simulation:
    """Simulate a plan's fund on its own cost forecast."""
    return act.Fund(plan).simulate(cost_of(plan), **options)


@pytest.fixture(scope="session")
def simulate() -> Callable[..., Simulation]:
    """``simulate(plan, paths=…, seed=…, threads=…)``: the plan's fund on its own forecast."""
    return simulate_plan


@pytest.fixture(scope="session")
def cost() -> Callable[[Plan], CostForecast]:
    """``cost(plan)``: the cost forecast that a plan asks for."""
    return cost_of


@pytest.fixture(scope="session")
def jieshou_run(jieshou: Plan) -> Answer:
    """The whole way for Jieshou, 20,000 paths."""
    return act.run(jieshou, paths=PATHS)


@pytest.fixture(scope="session")
def anhui_run(anhui: Plan) -> Answer:
    """The whole way for the Anhui county, 20,000 paths."""
    return act.run(anhui, paths=PATHS)


@pytest.fixture(scope="session", params=["jieshou", "anhui_county"])
def answer(request: pytest.FixtureRequest) -> Answer:
    """Each of the two runs in turn."""
    return request.getfixturevalue("jieshou_run" if request.param == "jieshou" else "anhui_run")


def changed_plan(
    folder: Path,
    sample: str,
    changes: Mapping[str, Any] | None = None,
    tables: Mapping[str, str] | None = None,
    drop: tuple[str, ...] = (),
) -> Plan:
    """A copy of a sample plan in `folder`: values set by dotted path, tables replaced by CSV text."""
    source = act.sample_path(f"{sample}/plan.yaml")
    for file in source.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    content = yaml.safe_load(source.read_text(encoding="utf-8"))
    for path in drop:
        *parents, last = path.split(".")
        place = content
        for part in parents:
            place = place[part]
        del place[last]
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = content
        for part in parents:
            place = place[part]
        place[last] = copy.deepcopy(value)
    for name, text in (tables or {}).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        content["tables"][name] = {"path": f"{name}.csv"}
    (folder / "plan.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return act.load_plan(folder / "plan.yaml")


@pytest.fixture
def plan_with(tmp_path: Path) -> Callable[..., Plan]:
    """``plan_with(sample, changes, tables, drop)``: a changed copy of a sample plan."""
    count = iter(range(100))

    def make(sample: str, *args: Any, **kwargs: Any) -> Plan:
        folder = tmp_path / f"plan{next(count)}"
        folder.mkdir()
        return changed_plan(folder, sample, *args, **kwargs)

    return make


@pytest.fixture(scope="session")
def spark() -> Any:
    """A small Spark session, or a visible skip."""
    pytest.importorskip("pyspark", reason="SKIPPED: pyspark is not installed")
    if shutil.which("java") is None:
        pytest.skip("SKIPPED: Spark needs Java, and there is none")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        from pyspark.sql import SparkSession

        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.log.level", "OFF")
        session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
        yield session
        session.stop()
