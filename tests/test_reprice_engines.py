"""Repricing gives the same cents from pandas, Polars, DuckDB, files and Spark, streamed or held in memory."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

import actuarial as act
from actuarial.benefits import repricing
from actuarial.benefits.sorted_file import is_sorted_file
from actuarial.errors import DataWarning, InputError
from actuarial.tables.engine import gather, lazy
from tests.engines import to_spark

QINZHOU = "china/qinzhou/cii/critical_illness@2017-01-01"
RULES = "china/jieshou/resident/synthetic_rules@2013-01-01"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Synthetic claims of 3,000 members, shuffled."""
    found = act.synthetic_claims(3000).claims.sample(frac=1, random_state=1).reset_index(drop=True)
    return found.astype({c: str for c in ("service_date", "payment_date")}).drop(columns="status")


def answer(source: Any, rules: str = RULES) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sums by kind of claim, and payments by claim."""
    claims = act.read_claims(source, unit="yuan")
    found = act.reprice(claims, rules, per_claim=True)
    assert found.payments is not None
    return found.frame, found.payments.sort_values("claim_id", ignore_index=True)


@pytest.mark.parametrize("rules", [RULES, QINZHOU])
def test_engines_agree_to_the_cent(frame: pd.DataFrame, tmp_path: Path, rules: str) -> None:
    """pandas, Polars, a DuckDB relation, Parquet and CSV: the same sums and the same payment of every claim."""
    want = answer(frame, rules)
    connection = duckdb.connect()
    connection.from_df(frame).write_parquet(str(tmp_path / "claims.parquet"))
    frame.to_csv(tmp_path / "claims.csv", index=False)
    sources: list[Any] = [
        pl.from_pandas(frame), connection.from_df(frame), tmp_path / "claims.parquet", tmp_path / "claims.csv",
    ]  # fmt: skip
    for source in sources:
        got = answer(source, rules)
        for a, b in zip(want, got, strict=True):
            pd.testing.assert_frame_equal(a, b, check_dtype=False, check_exact=True)


def test_streaming_is_the_same_as_memory(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches of 97 rows, from the claims or from a sorted file, state goes across batches: the same sums."""
    claims = act.read_claims(frame, unit="yuan")
    want = act.reprice(claims, RULES).frame
    connection = duckdb.connect()
    connection.from_df(frame).write_parquet(str(tmp_path / "claims.parquet"))
    staged = act.read_claims(tmp_path / "claims.parquet", unit="yuan")
    monkeypatch.setattr(repricing, "RESIDENT_ROWS", 10)
    monkeypatch.setattr("actuarial.benefits.columns.BATCH", 97)
    monkeypatch.setattr("actuarial.benefits.sorted_file.BATCH", 97)
    path = act.sort_claims(staged, tmp_path / "sorted.parquet")
    seen: list[tuple[int, int]] = []
    for source in (staged, path):
        got = act.reprice(source, RULES, progress=lambda done, rows: seen.append((done, rows)))
        pd.testing.assert_frame_equal(want, got.frame, check_exact=True)
    assert seen[-1] == (len(frame), len(frame))
    assert len(seen) > 10


def test_what_is_no_sorted_file_is_refused(frame: pd.DataFrame, tmp_path: Path) -> None:
    """A Parquet that sort_claims did not write is refused by name; and told apart without being read."""
    path = tmp_path / "x.parquet"
    frame.to_parquet(path)
    assert not is_sorted_file(path)
    assert not is_sorted_file(tmp_path / "none.parquet")
    with pytest.raises(InputError) as caught:
        act.reprice(path, RULES)
    assert caught.value.code == "benefits.not_sorted_file"


@pytest.mark.slow
def test_spark_reprices_to_the_cent(spark: Any, frame: pd.DataFrame) -> None:
    """The same kernel inside Spark: sums and single payments equal pandas', for one schedule and for two dated ones."""
    want = act.read_claims(frame, unit="yuan")
    got = act.read_claims(to_spark(spark, frame), unit="yuan")
    for rules in (RULES, QINZHOU):
        one, two = act.reprice(want, rules, per_claim=True), act.reprice(got, rules, per_claim=True)
        pd.testing.assert_frame_equal(one.frame, two.frame, check_dtype=False, check_exact=True)
        assert one.payments is not None
        paid = gather(lazy(two.payments)).sort_values("claim_id", ignore_index=True)
        expected = one.payments.sort_values("claim_id", ignore_index=True)
        assert paid["claim_id"].tolist() == expected["claim_id"].tolist()
        for name in expected.columns[1:]:
            assert (paid[name] / 100).tolist() == expected[name].tolist()
