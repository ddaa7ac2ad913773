"""What the engines have to be told apart for: collecting, small look-up frames, row numbers, DuckDB for files.

Everything else of the claim tables is Narwhals expressions over the frame that the user has.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import warnings
import weakref
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import narwhals.stable.v2 as nw
import pandas as pd

MEMORY_LIMIT = "700MB"
"""What DuckDB may hold when it reads our files; beyond that it spills to a temporary folder."""

_LOCK = threading.Lock()


class Scratch:
    """A folder for staged Parquet files that goes when nothing refers to it any more.

    Examples
    --------
    >>> s = Scratch()
    >>> s.path.is_dir()
    True
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="actuarial-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, str(self.path), ignore_errors=True)


@cache
def _engine() -> tuple[Any, Scratch]:
    import duckdb

    scratch = Scratch()
    config: dict[str, Any] = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(scratch.path / "spill"),
        "autoinstall_known_extensions": "false",
    }
    return duckdb.connect(":memory:", config=config), scratch


def engine() -> Any:
    """The DuckDB connection that reads files: one a process, offline, with bounded memory."""
    with _LOCK:
        return _engine()[0]


def quoted(path: Path | str) -> str:
    """A path as SQL text.

    Examples
    --------
    >>> quoted("it's.csv")
    "'it''s.csv'"
    """
    return "'" + str(path).replace("'", "''") + "'"


def is_spark(frame: nw.LazyFrame[Any]) -> bool:
    """Whether Spark works on the frame."""
    return "pyspark" in frame.implementation.value


def is_duckdb(frame: nw.LazyFrame[Any]) -> bool:
    """Whether DuckDB works on the frame."""
    return frame.implementation.is_duckdb()


def lazy(native: Any) -> nw.LazyFrame[Any]:
    """Any supported frame as a lazy Narwhals frame (pandas stays pandas and eager inside)."""
    return nw.from_native(native).lazy()


@contextlib.contextmanager
def quiet_spark() -> Iterator[None]:
    """Around Spark only: what PySpark says of pandas 3 is known and harmless here."""
    with warnings.catch_warnings():
        for said in ("PySpark does not yet fully support pandas", "The copy keyword is deprecated"):
            warnings.filterwarnings("ignore", message=said)
        yield


def gather(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """The rows as a pandas frame: for small results, whatever the engine.

    Examples
    --------
    >>> import pandas as pd
    >>> gather(lazy(pd.DataFrame({"a": [1]})))["a"].tolist()
    [1]
    """
    if is_spark(frame):
        with quiet_spark():
            return frame.collect(backend="pandas").to_pandas()
    if is_duckdb(frame):
        return frame.collect(backend="pandas").to_pandas()
    done = frame.collect()
    if done.implementation.is_polars():  # without pyarrow, which to_pandas() would need
        return pd.DataFrame(done.to_dict(as_series=False))
    rows = done.to_pandas().reset_index(drop=True)
    # a frame of nullable types gives nullable results; ours hold no nulls where they are whole numbers
    whole = [n for n, t in rows.dtypes.items() if str(t) == "Int64" and not rows[n].hasnans]
    return rows.astype(dict.fromkeys(whole, "int64"))


def look_up(frame: nw.LazyFrame[Any], rows: pd.DataFrame) -> nw.LazyFrame[Any]:
    """A small frame in the engine of `frame`, to be joined to it."""
    native = nw.to_native(frame)
    if is_duckdb(frame):
        # on the relation's own connection, whatever it is; DuckDB finds the local name `rows`
        return lazy(native.limit(0).query("actuarial_rows", "select * from rows"))
    if is_spark(frame):
        types = {"O": "string", "i": "long", "f": "double"}
        kinds = ["i" if pd.api.types.is_integer_dtype(t) else "O" for t in rows.dtypes]
        schema = ", ".join(f"`{c}` {types[k]}" for c, k in zip(rows.columns, kinds, strict=True))
        records = [
            tuple(int(v) if k == "i" else str(v) for v, k in zip(r, kinds, strict=True))
            for r in rows.itertuples(index=False, name=None)
        ]
        return lazy(native.sparkSession.createDataFrame(records, schema))
    if frame.implementation.is_polars():
        import polars as pl

        return lazy(pl.DataFrame({c: rows[c].tolist() for c in rows.columns}))
    return lazy(rows)


def numbered(native: Any) -> nw.LazyFrame[Any]:
    """The frame with its rows numbered from 1 in the column ``row_`` (on Spark: distinct numbers, no order)."""
    frame = nw.from_native(native)
    if isinstance(frame, nw.DataFrame):
        return frame.with_row_index("row_").with_columns(row_=nw.col("row_").cast(nw.Int64) + 1).lazy()
    if is_duckdb(frame):
        return lazy(native.project("*, row_number() over () as row_"))
    if is_spark(frame):
        from pyspark.sql import functions

        return lazy(native.withColumn("row_", functions.monotonically_increasing_id()))
    return lazy(native.with_row_index("row_")).with_columns(row_=nw.col("row_").cast(nw.Int64) + 1)


def staged(frame: nw.LazyFrame[Any], scratch: Scratch | None, name: str) -> nw.LazyFrame[Any]:
    """The frame worked out once: in Parquet for DuckDB (given `scratch`), in memory for Polars and pandas.

    On Spark a local checkpoint, which goes with the frame that holds it, and keeps the numbers of rows as they
    are. A user's DuckDB relation is staged on its own connection; where that may not read files it stays as it is, which is
    slow: every step then works out all steps before it.
    """
    if is_duckdb(frame) and scratch is not None:
        import duckdb

        path, native = scratch.path / f"{name}.parquet", nw.to_native(frame)
        with contextlib.suppress(duckdb.PermissionException):
            native.write_parquet(str(path), compression="zstd")
            return lazy(
                native.limit(0).query("actuarial_staged", f"select * from read_parquet({quoted(path)})")
            )
        return frame
    if is_spark(frame):
        return lazy(nw.to_native(frame).localCheckpoint())
    return frame if is_duckdb(frame) else frame.collect().lazy()


def total(frame: nw.LazyFrame[Any], names: Iterable[str]) -> dict[str, int]:
    """Exact sums of integer columns; 0 over no rows.

    Examples
    --------
    >>> import pandas as pd
    >>> total(lazy(pd.DataFrame({"a": [1, 2]})), ["a"])
    {'a': 3}
    """
    names = list(names)
    # cast: DuckDB sums int64 into 128 bits, which pandas would show as a rounded double
    sums = frame.select(**{n: nw.col(n).sum() for n in names}, rows_=nw.len())
    row = gather(sums.with_columns(**{n: nw.col(n).cast(nw.Int64) for n in names})).iloc[0]
    return {n: 0 if pd.isna(row[n]) else int(row[n]) for n in names}


def count(frame: nw.LazyFrame[Any]) -> int:
    """Number of rows."""
    return int(gather(frame.select(rows_=nw.len()))["rows_"].iloc[0])
