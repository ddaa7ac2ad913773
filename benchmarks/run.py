"""Speed as ratios, in one run: ``make bench``.

Every row is the median of several repeats of both sides, measured one after the other in this process
(start-up rows: in fresh processes). The machine is noisy: read ratios, not seconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import numpy as np
from timing import median_time

import actuarial as act
from actuarial.experience import base_year
from actuarial.fund.target import premium_target
from actuarial.pipeline import run

PATHS = int(os.environ.get("BENCH_PATHS", "500000"))


def textbook(paths: int, seed: int, *, chunk: int | None = None) -> tuple[float, float]:
    """The model as one would write it first: every draw of month × category at once, target by bisection.

    Returns the premium target at 5% and the insurer's mean result, so that nothing is optimised away.
    """
    generator = np.random.default_rng(seed)
    heads, premium, cv, interest = 647_000, 340.0, 1.7, 0.0035 / 12
    mean = np.array([229.0, 25.0, 38.0, 10.0, 6.0, 1.7, 17.0])
    visits = np.array([0.0845, 1.745, 0.0105, 0.0155, 0.0029, 0.009, 0.0162])
    share = np.full(12, 1 / 12)
    receipts = np.array([0.1, 0.35, 0.0, 0.1, 0.35, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1])
    parts = []
    for low in range(0, paths, chunk or paths):
        n = min(chunk or paths, paths - low)
        growth = 1.12 * np.exp(
            0.045 * generator.standard_normal((n, 1)) + 0.01 * generator.standard_normal((n, 7))
        )
        yearly = heads * mean * growth
        sd = np.sqrt(heads * visits * (mean / visits * growth) ** 2 * (1 + cv**2))
        noise = generator.standard_normal((n, 12, 7))
        claims = (yearly[:, None, :] * share[:, None] + sd[:, None, :] * np.sqrt(share)[:, None] * noise).sum(
            axis=2
        )
        parts.append(np.maximum(claims, 0.0))
    claims = np.concatenate(parts)

    def deficit(p: float) -> float:
        balance, bad = np.zeros(len(claims)), np.zeros(len(claims), dtype=bool)
        for m in range(12):
            balance = balance * (1 + interest) + heads * p * receipts[m] - claims[:, m]
            bad |= balance < 0
        return float(bad.mean())

    low_p, high_p = premium * 0.5, premium * 4
    while high_p - low_p > 0.01:
        middle = (low_p + high_p) / 2
        low_p, high_p = (middle, high_p) if deficit(middle) > 0.05 else (low_p, middle)
    outcome = heads * 366.0 - claims.sum(axis=1)
    bands = np.interp(outcome, [-23.7e6, -9e6, -6e6, -3e6, 0, 3e6, 6e6, 9e6, 23.7e6],
                      [-13.3e6, -4.5e6, -2.85e6, -1.35e6, 0, 1.35e6, 2.85e6, 4.5e6, 13.3e6])  # fmt: skip
    return high_p, float(bands.mean())


def ours(paths: int, threads: int) -> tuple[float, float]:
    """The same questions to the package, on Jieshou's plan with seven correlated categories."""
    cost = act.cost_forecast(
        base_year(PLAN), act.stated_policy_factor(1.0), act.expert_growth(0.12, sd=0.05, correlation=0.9)
    )
    sim = act.Fund(PLAN).simulate(cost, paths=paths, threads=threads)
    target = sim.premium_target(0.05, criterion="any_month").value
    deal = act.load_contract("china/jiande/contract/cooperation@2012-01-01")
    return target, deal.evaluate(target=236_974_797.1, claims=sim.claims).expected("insurer")


def fresh(words: list[str]) -> float:
    """Seconds of a fresh process."""
    return median_time(lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True), 7)


def main_job() -> None:
    """Loaded plan → page and workbook, 100,000 paths."""
    with tempfile.TemporaryDirectory() as folder:
        act.build_report(run(PLAN), folder, lang="zh")


def premium_only() -> float:
    """Loaded plan → premium target, 100,000 paths, without scenarios."""
    cost = act.cost_forecast(base_year(PLAN), act.stated_policy_factor(1.0), act.expert_growth(0.12, sd=0.05))
    return act.Fund(PLAN).simulate(cost, paths=100_000).premium_target().value


PLAN = act.load_plan(act.sample_path("jieshou/plan.yaml"))


def report() -> None:
    """Print the table."""
    _ = PLAN.tables
    print(
        f"cores {os.cpu_count()}, python {sys.version.split()[0]}, numpy {np.__version__}, paths {PATHS:,}\n"
    )
    one, two = median_time(lambda: ours(PATHS, 1), 3), median_time(lambda: ours(PATHS, 2), 3)
    book = median_time(lambda: textbook(PATHS, 1), 3)
    chunked = median_time(lambda: textbook(PATHS, 1, chunk=8192), 3)
    print("| what | seconds | against | ratio |\n|---|---|---|---|")
    print(
        f"| simulate + target + contract, one thread | {one:.2f} | textbook NumPy {book:.2f} s | {book / one:.1f}× |"
    )
    print(f"| the same, two threads | {two:.2f} | textbook NumPy {book:.2f} s | {book / two:.1f}× |")
    print(
        f"| the same, two threads | {two:.2f} | textbook NumPy in chunks {chunked:.2f} s | {chunked / two:.1f}× |"
    )
    needs = np.random.default_rng(1).normal(400, 20, 100_000)
    level = median_time(lambda: premium_target(needs, 0.05, "closing"), 9)
    levels = np.linspace(0.001, 0.5, 1000)
    values = median_time(lambda: premium_target(needs, 0.05, "closing").at(levels), 9)
    print(
        f"| premium–risk curve, 1,000 levels | {values:.4f} | one level {level:.4f} s | {values / level:.2f}× |"
    )
    single = median_time(premium_only, 5)
    print(f"| premium target from a loaded plan, 100,000 paths | {single:.2f} | goal 1 s | {single:.2f} |")
    job = median_time(main_job, 3)
    print(
        f"| main job: loaded plan → page + workbook, five scenarios and one more | {job:.2f} | goal 10 s | {job / 10:.2f} |"
    )
    bare = fresh(["-c", "pass"])
    print(
        f"| `actuarial --help` | {fresh(['-m', 'actuarial', '--help']):.3f} | bare interpreter {bare:.3f} s | goal 0.1 s |"
    )
    print(
        f"| `import actuarial` | {fresh(['-c', 'import actuarial']):.3f} | bare interpreter {bare:.3f} s | goal 1 s |"
    )


if __name__ == "__main__":
    report()
