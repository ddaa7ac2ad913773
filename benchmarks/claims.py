"""Claims → experience and run-off triangle: DuckDB through the package against pandas written by hand.

``python benchmarks/claims.py [million rows …]``: the data are made here (numpy, seeded, Parquet in a temporary
folder). Each side runs in a fresh process, one after the other, so that its peak memory is its own.
The pandas side only adds up; the package also checks every cell, duplicates and reversals.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

BLOCK = 1_000_000


def make(path: Path, rows: int) -> None:
    """Synthetic claims of two years, with cents, 0 to 4 months until payment, 1 in 1,000 reversed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(2013)
    words = np.array(["inpatient", "outpatient_pooling", "chronic_outpatient", "childbirth"])
    writer = None
    for first in range(0, rows, BLOCK):
        n = min(BLOCK, rows - first)
        day = np.datetime64("2012-01-01") + rng.integers(0, 731, n)
        cents = rng.integers(100, 2_000_000, n)
        member, category = rng.integers(0, rows // 8, n), words[rng.integers(0, 4, n)]
        back = np.arange(0, n - 1, 1000)  # each line after these takes the line before back
        for column in (day, member, category, cents):
            column[back + 1] = column[back]
        cents[back + 1] = -cents[back]
        pay = day + rng.integers(0, 120, n)
        columns = {
            "claim_id": np.arange(first, first + n), "member_id": member,
            "service_date": day.astype("datetime64[ms]"),
            "payment_date": pay.astype("datetime64[ms]"), "category": category, "fund_payment": cents / 100,
        }  # fmt: skip
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def by_package(path: Path) -> list[float]:
    """Read, check, experience by category of 2013, triangle."""
    from actuarial.experience.claims import experience_from_claims, run_off
    from actuarial.tables import read_claims

    start = time.perf_counter()
    claims = read_claims(path, unit="yuan")
    read = time.perf_counter() - start
    study = experience_from_claims(claims, insured=1e6, months=12, first="2013-01")
    triangle = run_off(claims)
    return [read, time.perf_counter() - start, study.paid, float(np.nansum(triangle.to_numpy()))]


def by_pandas(path: Path) -> list[float]:
    """The same two tables as one would write them, without a check: reversals just add up."""
    import pandas as pd

    start = time.perf_counter()
    frame = pd.read_parquet(path)
    read = time.perf_counter() - start
    service, pay = frame["service_date"].dt, frame["payment_date"].dt
    month = service.year * 12 + service.month - 1
    lag = pay.year * 12 + pay.month - 1 - month
    part = frame[service.year == 2013]
    study = part.groupby("category")["fund_payment"].agg(["sum", "count"])
    cells = frame["fund_payment"].groupby([month, lag]).sum().unstack()
    return [read, time.perf_counter() - start, float(study["sum"].sum()), float(np.nansum(cells.to_numpy()))]


def side(name: str, path: Path) -> dict[str, float]:
    """One side in a fresh process: seconds, peak memory, figures."""
    command = [sys.executable, __file__, name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.returncode}
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Both sides at each size."""
    if len(sys.argv) == 3 and sys.argv[1] in {"package", "pandas"}:
        read, seconds, paid, run = {"package": by_package, "pandas": by_pandas}[sys.argv[1]](
            Path(sys.argv[2])
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"read": read, "seconds": seconds, "peak_mb": peak, "paid": paid, "run_off": run}))
        return
    for millions in [float(a) for a in sys.argv[1:]] or [10.0]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "claims.parquet"
            make(path, int(millions * 1e6))
            size = path.stat().st_size / 2**20
            ours, theirs = side("package", path), side("pandas", path)
        print(f"{millions:g}M claims, Parquet of {size:.0f} MB")
        for name, found in (("package (DuckDB, checked)", ours), ("pandas by hand", theirs)):
            print(f"  {name:28}", {k: round(v, 2) for k, v in found.items()})
        if "seconds" in ours and "seconds" in theirs:
            checked, summed = ours["seconds"], ours["seconds"] - ours["read"]
            print(f"  time, package with its checks / pandas: {checked / theirs['seconds']:.2f}")
            print(
                f"  time, experience and triangle only / pandas with reading: {summed / theirs['seconds']:.2f}"
            )
            print(f"  peak memory, package / pandas: {ours['peak_mb'] / theirs['peak_mb']:.2f}")
            print(
                f"  figures differ by {abs(ours['paid'] - theirs['paid']):.2f} and {abs(ours['run_off'] - theirs['run_off']):.2f} yuan"
            )


if __name__ == "__main__":
    main()
