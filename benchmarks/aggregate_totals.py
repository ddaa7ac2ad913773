"""Yearly totals of pools by the package ``aggregate``, stored: run in an environment of its own.

``python -m venv .venv-peers && .venv-peers/bin/pip install aggregate && .venv-peers/bin/python benchmarks/aggregate_totals.py``

Its fast Fourier transform is the second, independent answer that the simulator's totals are held against
(`tests/test_fund_aggregate.py`). `mean_error` and `sd_error` are what the transform itself errs by against the closed moments.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

PER_HEAD = 0.09  # claims a member and year
SEVERITY = {  # mean, cv and weight of each lognormal part [yuan/claim]
    "light": [(2700.0, 1.71, 1.0)],
    "heavy": [(2000.0, 1.2, 0.99), (60_000.0, 1.5, 0.01)],
}
GRID = {500: (21, 4.0), 4_892: (21, 5.0), 18_558: (21, 10.0), 532_815: (22, 40.0), 10_000_000: (24, 160.0)}
"""By members: log2 of the points and their distance [yuan]."""
OUT = Path(__file__).parent.parent / "tests" / "data" / "aggregate_totals.csv"


def main() -> None:
    """Every pool, severity and dispersion; write the answers."""
    import aggregate

    rows = []
    for kind, parts in SEVERITY.items():
        means, cvs, weights = (" ".join(f"{v!r}" for v in column) for column in zip(*parts, strict=True))
        mean = sum(m * w for m, _, w in parts)
        square = sum(w * m * m * (1 + c * c) for m, c, w in parts)
        for heads, (log2, step) in GRID.items():
            count = heads * PER_HEAD
            for dispersion in (1.0, 3.0):
                mixed = (
                    "poisson" if dispersion == 1 else f"mixed gamma {math.sqrt((dispersion - 1) / count)!r}"
                )
                severity = f"lognorm [{means}] cv [{cvs}] wts [{weights}]"
                name = f"{kind}{heads}D{dispersion:g}"
                made = aggregate.build(f"agg {name} {count!r} claims sev {severity} {mixed}", update=False)
                made.update(log2=log2, bs=step, padding=1)
                sd = math.sqrt(count * square + (dispersion - 1) * count * mean**2)
                rows.append(
                    {
                        "severity": kind, "members": heads, "dispersion": dispersion, "log2": log2, "step": step,
                        "mean": made.est_m, "sd": made.est_sd, "skewness": made.est_skew, "q99": made.q(0.99),
                        "q995": made.q(0.995), "tvar99": made.tvar(0.99),
                        "mean_error": made.est_m / (count * mean) - 1, "sd_error": made.est_sd / sd - 1,
                    }
                )  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.insert(0, "version", f"aggregate {aggregate.__version__}")
    frame.to_csv(OUT, index=False, float_format="%.10g", lineterminator="\n")


if __name__ == "__main__":
    main()
