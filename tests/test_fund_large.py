"""Claims of pools of every size against an FFT: moments, high quantiles, tail means."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from actuarial.fund.large import plan_large, poisson_counts
from actuarial.fund.paths import CHUNK, claims_of
from actuarial.severity import Lognormal, Severity, SplicedPareto, compound_cumulants

SHARES = np.array([0.07, 0.06, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08, 0.09, 0.09, 0.13])
LIGHT: tuple[Severity, ...] = (Lognormal(1.0, 1.71), Lognormal(1.0, 1.52))
_TAIL = SplicedPareto(7.0, 1.0, 20_000.0, 0.01, 15_000.0, 0.3)
HEAVY: tuple[Severity, ...] = (_TAIL.scaled(1 / _TAIL.mean), Lognormal(1.0, 1.52))
COUNTS, MEAN = np.array([0.09, 1.6]), np.array([2700.0, 16.0])


def looked_at(counts: NDArray[np.float64], spread: Any, large: Any) -> Any:
    """What the drawing of claims looks at of a setting."""
    return SimpleNamespace(
        counts=counts,
        spread=spread,
        shares=SHARES,
        large=large,
        year=2014,
        fund=0,
        without=frozenset(),
        kept=None,
    )


def simulated(laws: tuple[Severity, ...], heads: float, dispersion: float, paths: int) -> NDArray[np.float64]:
    """Yearly totals of paths without systemic risk, by the simulator's own function."""
    cv = [1.71, 1.52]
    spread = compound_cumulants(1.0, 1.0, cv, dispersion)[1:]
    large = plan_large(
        laws, COUNTS * heads, MEAN, dispersion, SHARES.min(), spread if laws is LIGHT else None
    )
    s = looked_at(COUNTS, spread, large)
    parts = []
    for number, low in enumerate(range(0, paths, CHUNK)):
        rows = min(CHUNK, paths - low)
        per_capita = np.broadcast_to(COUNTS * MEAN, (rows, 2))
        parts.append(claims_of(s, 5, number, np.full(rows, heads), per_capita).sum(axis=1))
    return np.concatenate(parts)


def by_fft(laws: tuple[Severity, ...], heads: float, dispersion: float, log2: int = 20) -> tuple[Any, Any]:
    """Amounts and probabilities of the yearly total by the fast Fourier transform on 2^20 points."""
    n = 1 << log2
    mean = heads * float(COUNTS @ MEAN)
    sd = math.sqrt(sum(heads * c * m**2 * 9 for c, m in zip(COUNTS, MEAN, strict=True)))
    low, width = max(mean - 40 * sd, 0.0), min(mean, 40 * sd) + 45 * sd + 5e6
    step = width / n
    log_phi = np.zeros(n // 2 + 1, dtype=complex)
    for law, count, m in zip(laws, COUNTS * heads, MEAN, strict=True):
        # mass that keeps the mean of each cell: second differences of the limited expected value
        lev = law.limiteds(np.arange(n + 1) * step / m) * m / step
        first = np.diff(lev)
        mass = np.concatenate([[1 - first[0]], first[:-1] - first[1:]])
        phi = np.fft.rfft(mass)
        if dispersion > 1:
            log_phi -= count / (dispersion - 1) * np.log(1 - (dispersion - 1) * (phi - 1))
        else:
            log_phi += count * (phi - 1)
    p = np.maximum(np.fft.irfft(np.exp(log_phi), n), 0)
    first = int(low / step)  # the transform counts modulo its width: unwind it around the mean
    at = first + np.arange(n)
    return at * step, p[at % n]


def summary(x: Any, p: Any) -> dict[str, float]:
    """Mean, sd, skewness, quantiles and tail mean of a discrete law."""
    mean = float(p @ x)
    sd = math.sqrt(float(p @ (x - mean) ** 2))
    cdf = np.cumsum(p)
    q99, q995 = x[np.searchsorted(cdf, 0.99)], x[np.searchsorted(cdf, 0.995)]
    tail = x >= q99
    return {
        "mean": mean, "sd": sd, "skewness": float(p @ (x - mean) ** 3) / sd**3, "q99": q99, "q995": q995,
        "tvar": float(p[tail] @ x[tail]) / float(p[tail].sum()),
    }  # fmt: skip


@pytest.mark.parametrize("laws", [LIGHT, HEAVY], ids=["light", "heavy"])
@pytest.mark.parametrize("dispersion", [1.0, pytest.param(3.0, marks=pytest.mark.slow)])
@pytest.mark.parametrize("heads", [100, 500, 4_892, 18_558, 532_815, 10_000_000])
def test_totals_agree_with_the_transform(laws: tuple[Severity, ...], heads: float, dispersion: float) -> None:
    """Mean, sd, skewness, 99% and 99.5% quantile and TVaR lie within 4.5 simulation errors of the FFT's."""
    total = simulated(laws, heads, dispersion, 12 * CHUNK)
    x, p = by_fft(laws, heads, dispersion)
    assert p.sum() == pytest.approx(1.0, abs=1e-6)
    truth, n = summary(x, p), len(total)
    found = {
        "mean": total.mean(), "sd": total.std(), "q99": np.quantile(total, 0.99),
        "q995": np.quantile(total, 0.995),
    }  # fmt: skip
    found["tvar"] = total[total >= found["q99"]].mean()
    found["skewness"] = ((total - found["mean"]) ** 3).mean() / found["sd"] ** 3
    blocks = total[: 48 * (n // 48)].reshape(48, -1)

    def error(f: Any) -> float:
        return float(np.std([f(b) for b in blocks], ddof=1) / math.sqrt(48))

    errors = {
        "mean": error(np.mean), "sd": error(np.std), "q99": error(lambda b: np.quantile(b, 0.99)),
        "q995": error(lambda b: np.quantile(b, 0.995)),
        "tvar": error(lambda b: b[b >= np.quantile(b, 0.99)].mean()),
        "skewness": error(lambda b: ((b - b.mean()) ** 3).mean() / b.std() ** 3),
    }  # fmt: skip
    for name, value in found.items():
        if name == "skewness" and laws is HEAVY:
            continue  # a tail of shape 0.3 has no sixth moment: no sample says how far its skewness is
        step = x[1] - x[0] if name in ("q99", "q995", "tvar") else 0.0
        assert value == pytest.approx(truth[name], abs=4.5 * errors[name] + step), name


def test_poisson_numbers_are_poisson() -> None:
    """Inversion gives the Poisson law, also where the mean is beyond the summing of terms."""
    u = (np.arange(200_000) + 0.5) / 200_000
    for mean in (0.01, 3.0, 300.0, 900.0):
        found = poisson_counts(u, np.full(len(u), mean))
        assert found.mean() == pytest.approx(mean, rel=1e-3)
        assert found.var() == pytest.approx(mean, rel=2e-3)


def test_what_is_apart_falls_with_size() -> None:
    """Small pools draw every claim, large ones of light tails none; heavy tails are always apart."""
    spread = compound_cumulants(1.0, 1.0, [1.71, 1.52])[1:]
    sizes = [100, 1_000, 20_000, 100_000, 500_000, 10_000_000]
    light = [plan_large(LIGHT, COUNTS * n, MEAN, 1.0, 0.06, spread) for n in sizes]
    drawn = [0.0 if p is None else p.expected for p in light]
    assert light[0] is not None
    assert (light[0].share == 1).all()
    assert drawn[1:] == sorted(drawn[1:], reverse=True)
    assert light[-1] is None
    assert all(plan_large(HEAVY, COUNTS * n, MEAN, 1.0, 0.06, None) is not None for n in sizes)


def test_poisson_times_a_fixed_cost() -> None:
    """With costs that hardly vary a tiny pool's total is a Poisson number of them, nothing in between."""
    laws = (Lognormal(1.0, 1e-6), Lognormal(1.0, 1e-6))
    counts, mean = np.array([3.0, 0.0]), np.array([100.0, 0.0])
    large = plan_large(laws, counts, mean, 1.0, 0.06, None)
    s = looked_at(counts, None, large)
    per_capita = np.broadcast_to(counts * mean, (CHUNK, 2))
    total = claims_of(s, 1, 0, np.ones(CHUNK), per_capita).sum(axis=1) / 100
    assert np.abs(total - np.round(total)).max() < 1e-3
    for k in range(7):
        p = math.exp(-3) * 3**k / math.factorial(k)
        assert (np.round(total) == k).mean() == pytest.approx(p, abs=4 * math.sqrt(p / CHUNK))


def test_growth_redraws_no_large_claim() -> None:
    """Twice the cost per head gives exactly twice the claims, month by month, in a small pool too."""
    large = plan_large(HEAVY, COUNTS * 500, MEAN, 2.0, SHARES.min(), None)
    s = looked_at(COUNTS, None, large)
    one = np.broadcast_to(COUNTS * MEAN, (300, 2))
    a, b = (claims_of(s, 1, 0, np.full(300, 500.0), f * one) for f in (1.0, 2.0))
    np.testing.assert_allclose(b, 2 * a, rtol=1e-12)
