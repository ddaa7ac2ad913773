"""Yearly totals of pools of every size against the package ``aggregate``, whose answers are stored (benchmarks/aggregate_totals.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from test_fund_large import SHARES, looked_at

from actuarial.fund.large import plan_large
from actuarial.fund.paths import CHUNK, claims_of
from actuarial.severity import Lognormal, LognormalMixture, Severity
from actuarial.severity import compound_cumulants as cumulants

STORED = pd.read_csv(Path(__file__).parent / "data" / "aggregate_totals.csv")
LAWS: dict[str, Severity] = {
    "light": Lognormal(2700.0, 1.71),
    "heavy": LognormalMixture(Lognormal(2000.0, 1.2), Lognormal(60_000.0, 1.5), 0.01),
}
PER_HEAD = 0.09
BLOCKS = 48
MEASURES: dict[str, Any] = {
    "mean": np.mean,
    "sd": np.std,
    "skewness": lambda x: ((x - x.mean()) ** 3).mean() / x.std() ** 3,
    "q99": lambda x: np.quantile(x, 0.99),
    "q995": lambda x: np.quantile(x, 0.995),
    "tvar99": lambda x: x[x >= np.quantile(x, 0.99)].mean(),
}


def simulated(kind: str, members: int, dispersion: float, paths: int) -> NDArray[np.float64]:
    """Yearly totals by the simulator's own drawing of claims, without systemic risk."""
    law = LAWS[kind]
    counts, mean = np.array([PER_HEAD]), np.array([law.mean])
    light = isinstance(law, Lognormal)
    spread = cumulants(1.0, 1.0, [law.cv], dispersion)[1:] if isinstance(law, Lognormal) else None
    large = plan_large(
        (law.scaled(1 / law.mean),), counts * members, mean, dispersion, SHARES.min(), spread if light else None
    )  # fmt: skip
    s = looked_at(counts, spread, large)
    parts = []
    for number in range(paths // CHUNK):
        each = np.broadcast_to(counts * mean, (CHUNK, 1))
        parts.append(claims_of(s, 11, number, np.full(CHUNK, float(members)), each).sum(axis=1))
    return np.concatenate(parts)


def rows() -> list[Any]:
    """One case a stored row; the larger dispersion and the pools with most single claims by make test-all."""
    found = []
    for row in STORED.to_dict("records"):
        slow = row["dispersion"] > 1 or (row["severity"] == "heavy" and row["members"] < 100_000)
        name = f"{row['severity']}-{row['members']}-{row['dispersion']:g}"
        found.append(pytest.param(row, id=name, marks=[pytest.mark.slow] if slow else []))
    return found


@pytest.mark.parametrize("row", rows())
def test_totals_agree_with_aggregate(row: dict[str, Any]) -> None:
    """Mean, sd, skewness, 99% and 99.5% quantile and TVaR lie within 4.5 simulation errors of the stored answers.

    Beside them only what the transform errs by itself (its step, and its stated relative errors of mean and sd) and, where a month is
    three moments, one part in a thousand of the spread.
    """
    total = simulated(row["severity"], int(row["members"]), row["dispersion"], 12 * CHUNK)
    blocks = total.reshape(BLOCKS, -1)
    for name, measure in MEASURES.items():
        if name == "skewness" and row["severity"] == "heavy":
            continue  # the dear claims' sixth moment is so large that no sample says how far its skewness is
        error = float(np.std([measure(b) for b in blocks], ddof=1) / np.sqrt(BLOCKS))
        own = abs(row["mean_error"]) * row["mean"] + abs(row["sd_error"]) * row["sd"] + row["step"]
        own = own if name != "skewness" else 2e-3
        if name not in ("mean", "skewness"):
            own += 1e-3 * row["sd"]
        assert measure(total) == pytest.approx(row[name], abs=4.5 * error + own), name


def test_the_stored_answers_are_the_closed_moments() -> None:
    """The transform's mean and sd are those of the compound law to a tenth of a per cent."""
    assert STORED["mean_error"].abs().max() < 1e-3
    assert STORED["sd_error"].abs().max() < 2e-3
    assert len(STORED) == 20
