"""Repricing per claim with a second layer: the kernel against Polars (streaming) and pandas, on the same sorted file.

``python benchmarks/repricing.py [million claims …]``. Claims are made here (numpy, seeded), sorted by the package and
written once; each side then reads the same file in a fresh process, pays every claim by the same rules and adds up. The
answers must agree to the cent. Whole-process times include starting Python and all imports. Resident: columns in memory.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

LEVELS = ("township", "county_level", "outside")
DEDUCTIBLE, RATIO, CEILING = (100, 300, 500), (0.90, 0.75, 0.60), 60_000
LAYER_DEDUCTIBLE, SEGMENTS = 8_000, ((0, 0.5), (20_000, 0.6), (50_000, 0.7))
REPEATS = 3


def schedule() -> Any:
    """The rules as a benefit schedule."""
    import yaml

    from actuarial.benefits import load_schedule

    by = {"by": "level"}
    payload = {
        "scheme": "ncms",
        "layers": [
            {
                "id": "basic", "bearer": "basic_fund",
                "rules": [{"deductible": by | dict(zip(LEVELS, DEDUCTIBLE, strict=True)), "ratio": by | dict(zip(LEVELS, RATIO, strict=True))}],
                "ceilings": [{"id": "year", "amount": CEILING}],
            },
            {
                "id": "second", "bearer": "cii_insurer", "counted": {"of": "own_in_scope"},
                "rules": [{"accumulate": "year", "deductible": LAYER_DEDUCTIBLE, "segments": [{"over": o, "ratio": r} for o, r in SEGMENTS]}],
            },
        ],
    }  # fmt: skip
    law = {
        "id": "china/bench/ncms/basic@2013-01-01", "kind": "benefit", "name": {"zh": "基准", "en": "benchmark"},
        "source": {"document": "benchmark"}, "status": "assumed", "place_status": "inferred",
        "effective": "2013-01-01", "checked_on": "2013-01-01", "payload": payload,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.yaml"
        path.write_text(yaml.safe_dump(law, allow_unicode=True), encoding="utf-8")
        return load_schedule(path)


def make(path: Path, rows: int, *, shuffled: bool) -> None:
    """A claims Parquet of one year, lognormal costs, about five claims a member."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(2013)
    member = np.sort(rng.integers(0, rows // 5, rows))
    order = rng.permutation(rows) if shuffled else np.arange(rows)
    writer = None
    for low in range(0, rows, 1_000_000):
        take = order[low : low + 1_000_000]
        n = len(take)
        cents = np.minimum(np.round(100 * np.exp(rng.normal(6.5, 1.5, n))), 5e8).astype(np.int64)
        table = pa.table(
            {
                "claim_id": pa.array(np.char.mod("%09d", take)),
                "member_id": pa.array(np.char.mod("%08d", member[take])),
                "service_date": (np.datetime64("2013-01-01") + rng.integers(0, 365, n)).astype(
                    "datetime64[ms]"
                ),
                "category": pa.array(["inpatient"] * n),
                "level": pa.array(np.array(LEVELS)[rng.integers(0, 3, n)]),
                "in_scope_cost": cents / 100,
                "fund_payment": cents // 200 / 100,
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def codes(path: Path) -> list[str]:
    """Level of each combo number in the sorted file."""
    import pyarrow.parquet as pq

    told = json.loads(pq.read_metadata(path).metadata[b"actuarial.sorted_claims"])
    return [c[1] for c in told["combos"]]


def by_package(path: Path) -> list[int]:
    """Streamed from the file."""
    from actuarial.benefits import reprice

    found = reprice(path, schedule())
    return [round(found.frame[n].sum() * 100) for n in ("basic", "second")]


def _terms(pl: Any, names: list[str]) -> Any:
    """The same rules in Polars' words, on columns member, combo, in_scope."""
    level = [LEVELS.index(n) for n in names]
    ded = pl.col("combo").replace_strict(
        {c: 100 * DEDUCTIBLE[v] for c, v in enumerate(level)}, return_dtype=pl.Int64
    )
    ratio = pl.col("combo").replace_strict(
        {c: round(1e6 * RATIO[v]) for c, v in enumerate(level)}, return_dtype=pl.Int64
    )
    return (((pl.col("in_scope") - ded).clip(lower_bound=0)) * ratio + 500_000) // 1_000_000


def _layer(pl: Any, cost: Any) -> Any:
    """The second layer's F in cents."""
    above = (cost - 100 * LAYER_DEDUCTIBLE).clip(lower_bound=0)
    total = pl.lit(0, dtype=pl.Int64)
    for n, (over, ratio) in enumerate(SEGMENTS):
        top = 100 * SEGMENTS[n + 1][0] if n + 1 < len(SEGMENTS) else 10**15
        total = total + (above.clip(upper_bound=top) - 100 * over).clip(lower_bound=0) * round(1e6 * ratio)
    return (total + 500_000) // 1_000_000


def polars_plan(lf: Any, names: list[str], *, order: list[str] | None = None) -> Any:
    """Lazy frame of the two sums: payments per claim by running totals over the member."""
    import polars as pl

    options: dict[str, Any] = {"order_by": order} if order else {}
    ceiling = 100 * CEILING
    lf = lf.with_columns(raw=_terms(pl, names))
    lf = lf.with_columns(run=pl.col("raw").cum_sum().over("member", **options))
    lf = lf.with_columns(
        basic=pl.col("run").clip(upper_bound=ceiling)
        - (pl.col("run") - pl.col("raw")).clip(upper_bound=ceiling)
    )
    lf = lf.with_columns(own=pl.col("in_scope") - pl.col("basic"))
    lf = lf.with_columns(total=pl.col("own").cum_sum().over("member", **options))
    lf = lf.with_columns(second=_layer(pl, pl.col("total")) - _layer(pl, pl.col("total") - pl.col("own")))
    return lf.select(pl.col("basic").sum(), pl.col("second").sum())


def by_polars(path: Path) -> list[int]:
    """Streamed from the same file; the rows are in order."""
    import polars as pl

    names = codes(path)
    done = polars_plan(pl.scan_parquet(path).select("member", "combo", "in_scope"), names)
    return [int(v) for v in done.collect(engine="streaming").row(0)]


def by_pandas(frame: Any, names: list[str]) -> list[int]:
    """Columns in memory, the same arithmetic."""
    level = np.array([LEVELS.index(n) for n in names])[frame["combo"].to_numpy()]
    cost = frame["in_scope"].to_numpy()
    ded, ratio = (
        np.array(v)[level] for v in ([100 * d for d in DEDUCTIBLE], [round(1e6 * r) for r in RATIO])
    )
    raw = (np.maximum(cost - ded, 0) * ratio + 500_000) // 1_000_000
    work = frame[["member"]].assign(raw=raw)
    run = work.groupby("member", sort=False)["raw"].cumsum().to_numpy()
    basic = np.minimum(run, 100 * CEILING) - np.minimum(run - raw, 100 * CEILING)
    work["own"] = cost - basic
    total = work.groupby("member", sort=False)["own"].cumsum().to_numpy()

    def curve(x: Any) -> Any:
        above = np.maximum(x - 100 * LAYER_DEDUCTIBLE, 0)
        out = np.zeros_like(above)
        for n, (over, share) in enumerate(SEGMENTS):
            top = 100 * SEGMENTS[n + 1][0] if n + 1 < len(SEGMENTS) else 10**15
            out += np.maximum(np.minimum(above, top) - 100 * over, 0) * round(1e6 * share)
        return (out + 500_000) // 1_000_000

    return [int(basic.sum()), int((curve(total) - curve(total - work["own"].to_numpy())).sum())]


def timed(work: Any, repeats: int = REPEATS) -> tuple[float, Any]:
    """Median seconds and the answer."""
    times, answer = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        answer = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), answer


def inside(path: Path) -> dict[str, Any]:
    """Both sides in one warm process: streamed, and on columns in memory."""
    import polars as pl

    from actuarial.benefits import Resident

    ours, answer = timed(lambda: by_package(path))
    theirs, other = timed(lambda: by_polars(path))
    resident = Resident.of(path)
    program = resident.program([schedule()])
    what_if, sums = timed(lambda: resident.run(program)[0], 7)
    one, _ = timed(lambda: resident.run(program, threads=1)[0], 7)
    names = codes(path)
    held = pl.read_parquet(path, columns=["member", "combo", "in_scope"])
    polars_held, third = timed(lambda: [int(v) for v in polars_plan(held.lazy(), names).collect().row(0)])
    frame = held.to_pandas() if len(held) <= 20_000_000 else None
    pandas_held, fourth = (
        timed(lambda: by_pandas(frame, names), 1) if frame is not None else (float("nan"), answer)
    )
    assert answer == other == third == fourth == [int(sums[:, 0].sum()), int(sums[:, 1].sum())]
    return {
        "inside": ours, "polars inside": theirs, "what-if, two threads": what_if, "what-if, one thread": one,
        "polars in memory": polars_held, "pandas in memory": pandas_held,
    }  # fmt: skip


def unsorted(raw: Path) -> dict[str, Any]:
    """From checked claims in no order: sort and walk, against Polars sorting and walking the same columns."""
    import polars as pl

    from actuarial.benefits import reprice
    from actuarial.tables import read_claims

    claims = read_claims(raw, unit="yuan")
    staged = claims.frame.project("member_id, claim_id, service_date_day, level, in_scope_cost_cents")
    folder = tempfile.TemporaryDirectory()
    plain = Path(folder.name) / "plain.parquet"
    staged.write_parquet(str(plain))
    start = time.perf_counter()
    found = reprice(claims, schedule())
    ours = time.perf_counter() - start
    number = {n: k for k, n in enumerate(LEVELS)}
    start = time.perf_counter()
    lf = pl.scan_parquet(plain).sort("member_id", "service_date_day", "claim_id")
    lf = lf.select(
        member="member_id",
        combo=pl.col("level").replace_strict(number, return_dtype=pl.Int32),
        in_scope="in_scope_cost_cents",
    )
    theirs_sum = polars_plan(lf, list(LEVELS)).collect(engine="streaming").row(0)
    theirs = time.perf_counter() - start
    assert [round(found.frame[n].sum() * 100) for n in ("basic", "second")] == [int(v) for v in theirs_sum]
    return {"unsorted": ours, "polars unsorted": theirs}


def child(name: str, path: str) -> None:
    """One side in this process; prints answer and peak memory."""
    work = {"package": by_package, "polars": by_polars, "inside": inside, "unsorted": unsorted}[name]
    answer = work(Path(path))
    status = Path("/proc/self/status").read_text(
        encoding="ascii"
    )  # not ru_maxrss: it starts from the parent's
    peak = int(next(x for x in status.splitlines() if x.startswith("VmHWM")).split()[1]) / 1024
    print(json.dumps({"answer": answer, "peak": peak}))


def process(name: str, path: Path) -> tuple[float, dict[str, Any]]:
    """A fresh process: seconds of wall time, and what it said."""
    start = time.perf_counter()
    run = subprocess.run(
        [sys.executable, __file__, "child", name, str(path)], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise RuntimeError(run.stderr)
    return time.perf_counter() - start, json.loads(run.stdout.splitlines()[-1])


def main(millions: list[float]) -> None:
    """All sizes."""
    from actuarial.benefits import sort_claims
    from actuarial.tables import read_claims

    for size in millions:
        with tempfile.TemporaryDirectory() as folder:
            raw, rows = Path(folder) / "raw.parquet", round(size * 1e6)
            make(raw, rows, shuffled=True)
            start = time.perf_counter()
            claims = read_claims(raw, unit="yuan")
            read = time.perf_counter() - start
            start = time.perf_counter()
            path = sort_claims(claims, Path(folder) / "sorted.parquet")
            sort = time.perf_counter() - start
            print(
                f"\n{size:g} million claims; read and checked {read:.1f} s, sorted and written {sort:.1f} s, {path.stat().st_size >> 20} MB"
            )
            process("package", path)  # the compiled kernel is cached
            sides: dict[str, list[float]] = {"package": [], "polars": []}
            said: dict[str, dict[str, Any]] = {}
            for _ in range(REPEATS):
                for name, times in sides.items():
                    seconds, said[name] = process(name, path)
                    times.append(seconds)
            assert said["package"]["answer"] == said["polars"]["answer"]
            ours, theirs = (statistics.median(sides[n]) for n in ("package", "polars"))
            print(
                f"whole process: package {ours:.2f} s, {said['package']['peak']:.0f} MB; Polars streaming {theirs:.2f} s, {said['polars']['peak']:.0f} MB: ratio {ours / theirs:.2f} (goal 0.40)"
            )
            if size > 20:
                continue
            found = process("inside", path)[1]["answer"]
            print(
                f"inside: {found['inside']:.2f} s against {found['polars inside']:.2f} s: ratio {found['inside'] / found['polars inside']:.2f} (goal 0.25)"
            )
            two, one = found["what-if, two threads"], found["what-if, one thread"]
            print(
                f"resident what-if: {1000 * two:.0f} ms (one thread {1000 * one:.0f} ms); Polars {found['polars in memory'] / two:.0f}× (goal 15×), pandas {found['pandas in memory'] / two:.0f}× (goal 40×)"
            )
            found = process("unsorted", raw)[1]["answer"]
            print(
                f"unsorted: {found['unsorted']:.1f} s against Polars {found['polars unsorted']:.1f} s: ratio {found['unsorted'] / found['polars unsorted']:.2f} (goal 1)"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], sys.argv[3])
    else:
        main([float(a) for a in sys.argv[1:]] or [10.0])
