"""Median times, for the scripts of this folder."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median_time(
    work: Callable[[], object], repeats: int = 7, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Median seconds of `repeats` runs, by the wall clock or another."""
    times = []
    for _ in range(repeats):
        start = clock()
        work()
        times.append(clock() - start)
    return statistics.median(times)
