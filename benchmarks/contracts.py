"""Contracts over simulated years: any contract on 100,000 paths × 12 months, a thousand band tables, offers, against plain loops.

``python benchmarks/contracts.py``. Medians of repeats in one process; the plain loops run on fewer paths and are scaled. The machine is noisy:
read ratios, not seconds.
"""

from __future__ import annotations

import os
import statistics
import sys

import numpy as np
from timing import median_time

import actuarial as act
from actuarial.contract.candidates import share_tables
from actuarial.contract.design import curve_of, try_tables
from actuarial.contract.measures import measure
from actuarial.contract.outcomes import Outcomes
from actuarial.errors import InputError

PATHS = int(os.environ.get("BENCH_PATHS", "100000"))
JIANDE = "china/jiande/contract/cooperation@2012-01-01"
TARGET, HEADS = 185_600_000.0, 400_000.0
EDGES = (3e6, 6e6, 9e6, 18.56e6)
SLOW = 2_000
"""Paths of the plain loops."""


def plain_year(months: list[list[float]], edges: list[float], shares: list[float]) -> tuple[float, float]:
    """The insurer's mean and loss probability, path by path, band by band."""
    total, losses = 0.0, 0
    for row in months:
        outcome = TARGET - sum(row)
        size, low, result = abs(outcome), 0.0, 0.0
        for high, share in zip([*edges, float("inf")], shares, strict=True):
            result += share * max(min(size, high) - low, 0.0)
            low = high
        result = result if outcome >= 0 else -result
        total += result
        losses += result < 0
    return total / len(months), losses / len(months)


def readings_of(contract: act.Contract) -> dict[str, object]:
    """A reading of every gap: the first choice, the middle of the range."""
    found: dict[str, object] = {}
    for name, gap in contract.law.envelope.gaps.items():
        if gap.choices:
            found[name] = next(iter(gap.choices))
        elif gap.range is not None:
            found[name] = round(sum(gap.range) / 2, 4)
    return found


def every_contract(months: np.ndarray) -> list[tuple[str, float]]:
    """Seconds to evaluate each contract of the package that simulated years alone can evaluate."""
    found = []
    for name in act.list_laws("contract"):
        contract = act.load_contract(name)
        given = {
            "quality": 0.9,
            "indicators": {"quality_standard": 1.0, "admissions_per_visit": 1.0, "quality": 0.9},
            "expenses": 5e6,
        }

        def work(contract: act.Contract = contract, given: dict[str, object] = given) -> object:
            some = contract.evaluate(claims=months, target=TARGET, heads=HEADS, premium=TARGET, financing=2 * TARGET,
                                     revenue=2 * TARGET, readings=readings_of(contract), **given)  # fmt: skip
            return some.measures

        try:
            work()
        except InputError as error:
            print(f"  {name}: not evaluated ({error.code})")
            continue
        found.append((name, median_time(work, 5)))
    return found


def main() -> None:
    """Print the figures."""
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, numpy {np.__version__}, {PATHS:,} paths")
    months = act.SimpleClaims(183e6, 0.05).claims(PATHS, months=np.ones(12))
    plan = act.load_contract(JIANDE)

    seconds = every_contract(months)
    slowest = max(seconds, key=lambda pair: pair[1])
    print(f"any of {len(seconds)} contracts × 12 months, measures with errors: median "
          f"{statistics.median(s for _, s in seconds):.3f} s, slowest {slowest[1]:.3f} s ({slowest[0]}); goal 0.1 s")  # fmt: skip

    ours = median_time(lambda: plan.evaluate(claims=months, target=TARGET).measures)
    rows = months[:SLOW].tolist()
    loop = median_time(lambda: plain_year(rows, list(EDGES), [0.45, 0.5, 0.55, 0.6, 0.0]), 5) * PATHS / SLOW
    print(
        f"plan of 2012: {ours:.3f} s; plain loop, mean and loss probability alone ({SLOW} paths, scaled) {loop:.2f} s: {loop / ours:.0f}×"
    )
    full = median_time(
        lambda: plan.evaluate(
            claims=months, target=TARGET, costs=act.Costs(people=14, cost_per_person=1e5)
        ).summary("en"),
        3,
    )
    print(f"the same with costs, cash by month and all cautions: {full:.3f} s")

    year = months.sum(axis=1)
    tables = share_tables(5, step=0.05, beyond=0.0)[:1000]
    shares = np.hstack([tables, tables])
    at_once = median_time(lambda: try_tables(Outcomes(TARGET - year), EDGES, shares, costs=1.4e6), 5)
    effort = act.Effort(500_000)
    with_effort = median_time(
        lambda: try_tables(
            Outcomes(TARGET - year), EDGES, shares, costs=1.4e6, effort=effort, mean_claims=float(year.mean())
        ),
        3,
    )
    few = shares[:20]

    def one_by_one() -> None:
        for row in few:
            insurer = curve_of(EDGES, row)(TARGET - year)
            measure(insurer - 1.4e6)
            measure(TARGET - year - insurer)

    each = median_time(one_by_one, 3) * len(shares) / len(few)
    print(f"{len(shares):,} band tables: {at_once:.2f} s at once ({with_effort:.2f} s with effort); one by one on all paths (20, scaled) "
          f"{each:.1f} s: {each / at_once:.0f}×")  # fmt: skip

    other = plan.changed({"sharing.0.bands.0.insurer": 0.5})
    offers = median_time(
        lambda: (
            act.compare_offers({"a": plan, "b": other, "c": plan}, claims=year, target=TARGET).differences
        ),
        3,
    )
    values = median_time(lambda: act.value_of_terms(plan, claims=year, target=TARGET), 3)
    fair = median_time(lambda: act.fair_target(plan, claims=year), 3)
    print(
        f"three offers with errors of differences {offers:.2f} s; value of 14 terms {values:.2f} s; fair target {fair:.2f} s"
    )


if __name__ == "__main__":
    main()
