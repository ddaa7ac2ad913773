"""Many funds: cost by their number, memory, against a simple model in NumPy, and on Spark: ``python benchmarks/fleet.py``.

Seconds are of processor where one process does the work (other work on the machine then does not count), else of the clock.
Options: funds in each run (default 20 40 80); with ``--threads`` before them only the first table, on two threads, with seconds of the clock
(``--threads 28 280 2800`` takes five minutes).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

import numpy as np
from simulation import peak_mb

import actuarial as act
from actuarial.fund import kernel
from actuarial.fund.fleet import Fleet, Member
from actuarial.fund.paths import CHUNK

PATHS = 100_000
SPARK_FUNDS = 24


def fleet(funds: int) -> Fleet:
    """So many funds; each reads its plan and tables anew."""
    path = str(act.sample_path("jieshou/plan.yaml"))
    return Fleet([Member(f"county {n}", path) for n in range(funds)])


def simple_model(seed: int) -> float:
    """One fund as a first program has it: one factor of the year, twelve normal months, the need, the target."""
    g = np.random.Generator(np.random.SFC64(seed))
    needs = []
    receipts = np.cumsum([0.1, 0.35, 0.0, 0.1, 0.35, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1])
    for low in range(0, PATHS, CHUNK):
        n = min(CHUNK, PATHS - low)
        year = 365.0 * np.exp(0.05 * g.standard_normal(n))
        spent, worst = np.zeros(n), np.zeros(n)
        for m in range(12):
            spent += year / 12 * (1 + 0.01 * g.standard_normal(n))
            np.maximum(worst, (spent - 100.0) / receipts[m], out=worst)
        needs.append(worst)
    return float(np.sort(np.concatenate(needs))[int(0.95 * PATHS)])


def timed(engine: object, funds: int, workers: int = 2) -> float:
    """Seconds of the clock."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        fleet(funds).simulate(
            shared={"growth": 0.5}, paths=PATHS, workers=workers, engine=engine, folder=folder
        )
        return time.perf_counter() - start


def report(sizes: list[int]) -> None:
    """Print the tables."""
    kernel.prepare(10**9)
    timed("threads", 1, 1)
    print(
        "| funds, 100,000 paths each, one thread | processor seconds | a fund | peak memory | simple model, a fund | times |"
    )
    print("|---|---|---|---|---|---|")
    for funds in sizes:
        start = time.process_time()
        timed("threads", funds, 1)
        full = time.process_time() - start
        start = time.process_time()
        for n in range(funds):
            simple_model(n)
        simple = time.process_time() - start
        print(
            f"| {funds} | {full:.1f} | {1000 * full / funds:.0f} ms | {peak_mb():.0f} MB |"
            f" {1000 * simple / funds:.0f} ms | {full / simple:.1f} |",
            flush=True,
        )
    from actuarial.tables.engine import quiet_spark

    os.environ["PYSPARK_PYTHON"] = sys.executable
    with quiet_spark():
        from pyspark.sql import SparkSession

        session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    timed(session, 2)
    print("\n| two workers, seconds of the clock | processes | Spark local[2] | ratio |\n|---|---|---|---|")
    pairs = [(timed("processes", SPARK_FUNDS), timed(session, SPARK_FUNDS)) for _ in range(3)]
    processes, spark = (sorted(p[i] for p in pairs)[1] for i in (0, 1))
    print(f"| {SPARK_FUNDS} funds | {processes:.1f} | {spark:.1f} | {spark / processes:.2f} |")
    session.stop()


def on_threads(sizes: list[int]) -> None:
    """Print what so many funds take on two threads."""
    kernel.prepare(10**9)
    timed("threads", 1, 2)
    print("| funds | seconds of the clock | a fund: clock, processor | peak memory |\n|---|---|---|---|")
    for funds in sizes:
        start = time.process_time()
        clock = timed("threads", funds, 2)
        each, spent = 1000 * clock / funds, 1000 * (time.process_time() - start) / funds
        print(f"| {funds:,} | {clock:.1f} | {each:.0f} ms, {spent:.0f} ms | {peak_mb():.0f} MB |", flush=True)


if __name__ == "__main__" and sys.argv[1:2] == ["--threads"]:
    on_threads([int(a) for a in sys.argv[2:]])
elif __name__ == "__main__":
    report([int(a) for a in sys.argv[1:]] or [20, 40, 80])
