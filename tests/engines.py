"""Frames of other engines, for tests."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd


def to_spark(spark: Any, frame: pd.DataFrame) -> Any:
    """A Spark frame of the same rows."""
    plain = frame.copy()
    for name in plain:
        if pd.api.types.is_datetime64_any_dtype(plain[name]):
            plain[name] = plain[name].dt.strftime("%Y-%m-%d")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return spark.createDataFrame(plain.astype(object).to_dict("records"))
