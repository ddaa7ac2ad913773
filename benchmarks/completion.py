"""Completion with error of a 48 × 48 triangle against chainladder, in one run (needs ``pip install chainladder``)."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
from timing import median_time

from actuarial.experience.completion import Triangle, complete

N = 48


def incremental() -> np.ndarray:
    """A whole 48 × 48 run-off with noise, months × lags."""
    rng = np.random.default_rng(1)
    pattern = np.exp(-0.35 * np.arange(N))
    level = 1e6 * np.exp(rng.normal(0, 0.05, N))
    return level[:, None] * pattern / pattern.sum() * np.exp(rng.normal(0, 0.08, (N, N)))


def main() -> None:
    """Print the ratio, and how far the answers are apart."""
    paid = incremental()
    index = pd.period_range("2010-01", periods=N, freq="M")
    ours = Triangle.from_incremental(pd.DataFrame(paid, index=index.astype(str)))
    done = complete(ours, leave_out=0, method="chain_ladder")
    fast = median_time(lambda: complete(ours, leave_out=0, method="chain_ladder"))
    print(f"ours: factors, ultimates, check of the latest months, Mack: {1000 * fast:.1f} ms")
    try:
        import chainladder as cl
    except ImportError:
        print("chainladder is not installed: no comparison")
        sys.exit(0)
    warnings.simplefilter("ignore")
    rows = [
        {"inc": index[i].to_timestamp(), "paid": index[i + j].to_timestamp(), "amt": paid[i, j]}
        for i in range(N)
        for j in range(N - i)
    ]
    triangle = cl.Triangle(
        pd.DataFrame(rows), origin="inc", development="paid", columns="amt", cumulative=False
    )
    triangle = triangle.incr_to_cum()

    def theirs() -> object:
        fitted = cl.Development(average="volume", sigma_interpolation="mack").fit_transform(triangle)
        return cl.MackChainladder().fit(fitted)

    model = theirs()
    slow = median_time(theirs)
    ibnr = float(np.nansum(model.ibnr_.values))
    error = float(np.asarray(model.total_mack_std_err_).ravel()[-1])
    print(f"chainladder: {1000 * slow:.1f} ms; ratio {slow / fast:.1f}")
    print(f"IBNR ours {done.ibnr:.6f} theirs {ibnr:.6f}; error ours {done.total_se:.3f} theirs {error:.3f}")


if __name__ == "__main__":
    main()
