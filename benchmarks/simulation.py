"""The fund's simulation against NumPy, its raw generator and a plain loop, in one run: ``python benchmarks/simulation.py``.

Both sides of a ratio run in turn in this process on one thread, medians of several repeats in seconds of processor, so that other work
on the machine does not count; peak memory and fleets in processes of their own. The machine is noisy: read ratios, not seconds. Options: millions of paths whose peak memory is taken (default 1).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from run import PLAN, ours, textbook
from timing import median_time

import actuarial as act
from actuarial.fund.chunks import collect, need
from actuarial.fund.fleet import Fleet, Member
from actuarial.fund.forecast import plan_cost
from actuarial.fund.target import premium_target

PATHS = int(os.environ.get("BENCH_PATHS", "200000"))
LOOP_PATHS = 1000
processor_time = partial(median_time, clock=time.process_time)
FLEET_PATHS = 20_000


def peak_mb() -> float:
    """Peak memory of this process alone; what `getrusage` tells a child holds its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return float(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def target_only() -> float:
    """The package's model alone, one thread: draws, months, needs, target."""
    sim = act.Fund(PLAN).simulate(plan_cost(PLAN), paths=PATHS, threads=1)
    return sim.premium_target(0.05, criterion="any_month").value


def raw() -> None:
    """As many normals as the model draws a path (12 months and its systemic columns), in blocks that fit the cache."""
    generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(1)))
    room = np.empty(8192)
    setting = act.Fund(PLAN).setting(plan_cost(PLAN))
    columns = 12 + len(setting.columns) - len(setting.idle)
    for _ in range(columns * PATHS // len(room)):
        generator.standard_normal(out=room)


def plain_loop() -> list[float]:
    """The textbook model in plain Python, path by path and month by month; the need of each path."""
    draw = random.Random(1)
    heads, cv, interest = 647_000, 1.7, 0.0035 / 12
    mean = [229.0, 25.0, 38.0, 10.0, 6.0, 1.7, 17.0]
    visits = [0.0845, 1.745, 0.0105, 0.0155, 0.0029, 0.009, 0.0162]
    receipts = [0.1, 0.35, 0.0, 0.1, 0.35, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1]
    needs = []
    for _ in range(LOOP_PATHS):
        common = draw.gauss(0, 0.045)
        growth = [1.12 * np.exp(common + draw.gauss(0, 0.01)) for _ in mean]
        balance, slope, worst = 0.0, 0.0, 0.0
        for month in range(12):
            claims = 0.0
            for k, (cost, rate) in enumerate(zip(mean, visits, strict=True)):
                sd = (heads * rate * (cost / rate * growth[k]) ** 2 * (1 + cv**2)) ** 0.5
                claims += heads * cost * growth[k] / 12 + sd * (1 / 12) ** 0.5 * draw.gauss(0, 1)
            balance = balance * (1 + interest) - max(claims, 0.0)
            slope = slope * (1 + interest) + heads * receipts[month]
            worst = max(worst, -balance / slope)
        needs.append(worst)
    return needs


def chunked_run(paths: int) -> dict[str, float]:
    """By chunks, one number a path kept: seconds and peak memory of this process."""
    fund = act.Fund(PLAN)
    setting = fund.setting(plan_cost(PLAN))
    before = peak_mb()
    start = time.perf_counter()
    kept = collect(setting, [need("any_month")], paths=paths, seed=2012)
    value = premium_target(kept["any_month"], 0.05, "any_month").value
    seconds = time.perf_counter() - start
    peak = peak_mb()
    return {"seconds": seconds, "peak_mb": peak, "before_mb": before, "target": value}


def fleet_run(funds: int) -> dict[str, float]:
    """So many funds in the same worlds, one thread: seconds and peak memory of this process."""
    path = str(act.sample_path("jieshou/plan.yaml"))
    fleet = Fleet([Member(f"fund {n}", path) for n in range(funds)])
    start = time.perf_counter()
    found = fleet.simulate(shared={"growth": 0.5}, paths=FLEET_PATHS, workers=1)
    seconds = time.perf_counter() - start
    peak = peak_mb()
    return {"seconds": seconds, "peak_mb": peak, "any": found.any_deficit}


def fresh(kind: str, size: int) -> dict[str, float]:
    """One of the two in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, kind, str(size)], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def moves() -> None:
    """What a move on the what-if page takes, without its pictures."""
    from actuarial.app.session import Session

    session = Session(PLAN, paths=100_000)
    session.figures()
    steps = {
        "growth": lambda i: {"growth": 0.2 + i / 100},
        "what payers give": lambda i: {"amounts": tuple((p, v + i + 1) for p, v in session.origin.amounts)},
        "opening balance": lambda i: {"opening": 5e7 + 1e6 * i},
        "insured": lambda i: {"heads": 640_000.0 + i},
    }
    for name, step in steps.items():
        times = []
        for i in range(5):
            start = time.process_time()
            session.change(**step(i))
            found = session.figures()
            _ = found.risk, found.key, found.fan
            times.append(time.process_time() - start)
        taken = statistics.median(times)
        print(
            f"| a move of {name}, 100,000 paths, all figures | {taken:.3f} | goal 0.3 s | {taken / 0.3:.2f} |"
        )


def report(millions: list[float]) -> None:
    """Print the table."""
    print(f"cores {os.cpu_count()}, python {sys.version.split()[0]}, numpy {np.__version__}, paths {PATHS:,}")
    print("\n| what | seconds | against | ratio |\n|---|---|---|---|")
    whole, alone = (
        processor_time(lambda: ours(PATHS, 1), 3),
        processor_time(target_only, 3),
    )
    rivals = (
        ("textbook NumPy in chunks of 8,192", processor_time(lambda: textbook(PATHS, 1, chunk=8192), 3)),
        ("textbook NumPy, all draws at once", processor_time(lambda: textbook(PATHS, 1), 3)),
        (f"plain Python loop ({LOOP_PATHS:,} paths, scaled; no contract)",
         processor_time(plain_loop, 3) * PATHS / LOOP_PATHS),
    )  # fmt: skip
    for name, seconds in rivals:
        print(
            f"| simulate + target + contract, one thread | {whole:.2f} | {name}: {seconds:.2f} s | {seconds / whole:.2f}× |"
        )
    numbers = processor_time(raw, 5)
    moves()
    print(
        f"| simulate + target, one thread | {alone:.3f} | SFC64's normals alone, as many: {numbers:.3f} s | {alone / numbers:.2f}× their time |"
    )
    print(
        "\n| paths by chunks, two threads | seconds | peak memory | of it before the first path |\n|---|---|---|---|"
    )
    for size in millions:
        f = fresh("chunks", int(size * 1e6))
        print(f"| {size:g} million | {f['seconds']:.1f} | {f['peak_mb']:.0f} MB | {f['before_mb']:.0f} MB |")
    print(f"\n| funds ({FLEET_PATHS:,} paths each, one thread) | seconds | peak memory |\n|---|---|---|")
    times = {}
    for funds in (20, 40):
        f = fresh("fleet", funds)
        times[funds] = f["seconds"]
        print(f"| {funds} | {f['seconds']:.1f} | {f['peak_mb']:.0f} MB |")
    print(f"\ntwice the funds take {times[40] / times[20]:.2f} times as long")


if __name__ == "__main__":
    if sys.argv[1:2] in (["chunks"], ["fleet"]):
        print(json.dumps((chunked_run if sys.argv[1] == "chunks" else fleet_run)(int(sys.argv[2]))))
    else:
        report([float(a) for a in sys.argv[1:]] or [1.0])
