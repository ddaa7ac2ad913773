"""What a severity is fitted to: single amounts, or bands with counts and, where given, sums.

Amounts are held in units of their own mean, so that one optimiser serves 100 and 100 million yuan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from actuarial.errors import Fault, InputError
from actuarial.severity.base import Array, Severity

FEWEST = 10
"""Fewest amounts that a law is fitted to."""
MANY = 20_000
"""From here on single amounts are rounded to 0.1% for the likelihood (its error is below 1e-7 a claim)."""


@dataclass(frozen=True, eq=False)
class Observed:
    """Checked observations, scaled by `unit`.

    Parameters
    ----------
    points, weights : ndarray
        Amounts and how often each was seen; for bands, their means (or middles) and counts.
    low, high : ndarray or None
        Edges of the bands; None for single amounts.
    means : ndarray
        Mean of each band; NaN where no sum was given.
    truncated_at : float
        Claims at or below are not seen.
    unit : float
        [yuan]
    """

    points: Array
    weights: Array
    low: Array | None
    high: Array | None
    means: Array
    truncated_at: float
    unit: float

    @property
    def count(self) -> float:
        """Claims seen."""
        return float(self.weights.sum())

    @property
    def information(self) -> float:
        """How many numbers the observations hold: bands that hold claims less one, and their means."""
        if self.low is None:
            return math.inf
        return float((self.weights > 0).sum() - 1 + np.isfinite(self.means).sum())

    @property
    def total(self) -> float:
        """Sum of all amounts [yuan]; NaN where a band's sum is missing."""
        known = self.points if self.low is None else self.means
        return float((np.where(self.weights > 0, known, 0.0) * self.weights).sum()) * self.unit

    @property
    def relative_error(self) -> float:
        """Standard error of the mean seen, relative to it; of bands, without what varies inside them."""
        mean = float(self.points @ self.weights) / self.count
        variance = float(self.weights @ (self.points - mean) ** 2) / self.count
        return math.sqrt(variance / self.count) / mean

    def excess_gap(self, law: Severity) -> float:
        """How far a law misses the cost above 0 and above high amounts, in units of what chance allows.

        The mean of ``(X − q)⁺`` is compared at 0 and at the 80, 90, 95 and 99% points (for bands: at all lower edges
        above which sums are known). Chance allows 2.5 standard errors, and never less than 2%. At most 1: the
        law reproduces the cost of every layer from there up. NaN where no sums are known.
        """
        if self.low is None:
            shares = self.weights.cumsum() / self.count
            at = np.minimum(np.searchsorted(shares, (0.8, 0.9, 0.95, 0.99)), len(shares) - 1)
            edges, inside = np.append(0.0, self.points[at]), np.zeros(len(self.points))
        else:
            assert self.high is not None
            known = np.logical_and.accumulate((np.isfinite(self.means) | (self.weights == 0))[::-1])[::-1]
            edges = self.low[known & (self.weights[::-1].cumsum()[::-1] >= FEWEST)]
            below, above = self.points - self.low, self.high - self.points
            spread = np.minimum((below + above) ** 2 / 12, below * above)
            inside = np.where(np.isinf(self.high), below**2, spread)
        seen = float(law.survivals(self.truncated_at))
        worst = math.nan if not len(edges) else 0.0
        for edge in edges:
            over = np.maximum(self.points - edge, 0.0)
            mean = float(self.weights @ over) / self.count
            second = float(self.weights @ (over**2 + inside)) / self.count
            fitted = (law.mean - law.limited(max(edge, self.truncated_at))) / seen
            fitted += max(self.truncated_at - edge, 0.0)
            allowed = max(2.5 * math.sqrt(max(second - mean**2, 0.0) / self.count), 0.02 * mean)
            worst = max(worst, abs(fitted - mean) / allowed) if allowed else worst
        return worst

    def survival(self) -> tuple[Array, Array]:
        """Points and the share of the seen above each (for bands: at their lower edges)."""
        if self.low is not None:
            above = self.weights[::-1].cumsum()[::-1] / self.count
            return self.low, above
        above = 1 - (self.weights.cumsum() - self.weights / 2) / self.count
        return self.points, above

    def log_likelihood(self, law: Severity, spread: Array | None) -> float:
        """Log-likelihood given that only what is above `truncated_at` is seen.

        `spread` is the standard deviation of a claim within each band, for the bands' means.
        """
        seen = float(law.survivals(self.truncated_at))
        if not seen > 0:
            return -math.inf
        if self.low is None or self.high is None:
            return float(self.weights @ law.log_density(self.points)) - self.count * math.log(seen)
        mass = law.partial(0, self.high) - law.partial(0, self.low)
        tail = law.survivals(self.low) - law.survivals(self.high)
        mass = np.maximum(np.where(tail < 0.5, tail, mass), 1e-300)
        value = float(self.weights @ np.log(mass / seen))
        use = np.isfinite(self.means) & (self.weights > 0)
        if spread is not None and use.any():
            inside = (law.partial(1, self.high) - law.partial(1, self.low)) / mass
            z = (self.means - inside)[use] / spread[use]
            value -= 0.5 * float(self.weights[use] @ (z * z)) + float(np.log(spread[use]).sum())
        return value

    def spreads(self, law: Severity) -> Array | None:
        """Standard deviation of a claim within each band; in an open band at most five mean excesses."""
        if self.low is None or self.high is None or not np.isfinite(self.means).any():
            return None
        mass = np.maximum(law.survivals(self.low) - law.survivals(self.high), 1e-300)
        mean = (law.partial(1, self.high) - law.partial(1, self.low)) / mass
        with np.errstate(invalid="ignore"):
            second = (law.partial(2, self.high) - law.partial(2, self.low)) / mass
        spread = np.sqrt(np.maximum(second - mean**2, 0.0))
        excess = np.maximum(np.where(np.isfinite(self.means), self.means, mean) - self.low, 1e-9)
        width = np.where(np.isinf(self.high), 5 * excess, (self.high - self.low) / 2)
        return np.clip(np.nan_to_num(spread, nan=np.inf), 1e-3 * width, width)


def from_amounts(amounts: ArrayLike, truncated_at: float) -> Observed:
    """Single amounts, checked.

    Raises
    ------
    InputError
        For amounts that are not finite, not above 0 and the truncation, too few or all equal.
    """
    x = np.sort(np.asarray(amounts, dtype=np.float64).ravel())
    bad = x[~(np.isfinite(x) & (x > max(truncated_at, 0.0)))]
    if bad.size:
        params = {"count": bad.size, "first": float(bad[0]), "above": truncated_at}
        raise InputError([Fault("severity.amounts", params=params)])
    if len(x) < FEWEST or x[0] == x[-1]:
        raise InputError([Fault("severity.too_few", params={"count": len(np.unique(x)), "fewest": FEWEST})])
    unit = float(x.mean())
    x = x / unit
    if len(x) > MANY:
        x = np.exp(np.round(np.log(x), 3))
    points, counts = np.unique(x, return_counts=True)
    gap = np.full(len(points), np.nan)
    return Observed(points, counts.astype(np.float64), None, None, gap, truncated_at / unit, unit)


def from_bands(
    frame: pd.DataFrame, truncated_at: float, *, count: str = "visits", where: str = ""
) -> Observed:
    """Bands, checked: ``band_from``, ``band_to`` (empty: open), a count, ``in_scope_cost`` where known.

    Raises
    ------
    InputError
        With every band that overlaps, is empty in itself, or whose mean lies outside it.
    """
    ordered = frame.sort_values("band_from", kind="stable")
    low = np.maximum(ordered["band_from"].to_numpy(np.float64), truncated_at)
    high = _column(ordered, "band_to")
    high = np.where(np.isnan(high), np.inf, high)
    counts = ordered[count].to_numpy(np.float64)
    sums = _column(ordered, "in_scope_cost")
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(counts > 0, sums / counts, np.nan)
    faults = [_band_fault(where, i, low, high, counts, sums, means) for i in range(len(low))]
    if any(faults):
        raise InputError([f for f in faults if f])
    if counts.sum() < FEWEST:
        params = {"count": int(counts.sum()), "fewest": FEWEST}
        raise InputError([Fault("severity.too_few", sheet=where or None, params=params)])
    means = np.clip(means, low, high)
    middle = np.where(np.isinf(high), 1.5 * low, (low + np.where(np.isinf(high), 0, high)) / 2)
    points = np.where(np.isfinite(means), means, middle)
    unit = float(counts @ points / counts.sum()) or 1.0
    return Observed(points / unit, counts, low / unit, high / unit, means / unit, truncated_at / unit, unit)


def _column(frame: pd.DataFrame, name: str) -> Array:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(np.float64, na_value=np.nan)


def _band_fault(
    where: str, i: int, low: Array, high: Array, counts: Array, sums: Array, means: Array
) -> Fault | None:
    band = f"{low[i]:,.10g}–{high[i]:,.10g}"
    params = {"band": band, "count": float(counts[i]), "sum": float(sums[i]), "mean": float(means[i])}
    previous = high[i - 1] if i else 0.0
    tolerance = 1e-6 * max(abs(means[i]), 1.0)
    code = None
    if not (np.isfinite(low[i]) and 0 <= low[i] < high[i]) or low[i] < previous:
        code = "severity.band_edges"
    elif not (np.isfinite(counts[i]) and counts[i] >= 0) or (counts[i] == 0 and sums[i] > 0):
        code = "severity.band_count"
    elif np.isfinite(means[i]) and not low[i] - tolerance <= means[i] <= high[i] + tolerance:
        code = "severity.band_mean"
    return Fault(code, sheet=where or None, params=params) if code else None
