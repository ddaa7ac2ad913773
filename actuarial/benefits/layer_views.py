r"""A layer's cost per person seen two ways: by the claims that were, and by a fitted distribution.

Per person, with :math:`\lambda` amounts a person and payment :math:`F(X)`: pure premium :math:`\lambda E[F]`; variance of
the loss of one person :math:`\lambda E[F^2]` for a Poisson count, with :math:`+(\delta-1)\lambda E[F]^2` at dispersion
:math:`\delta`, and :math:`-(\lambda E[F])^2` where a person has one amount a year at most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from actuarial.layers import Piecewise
from actuarial.severity import Severity, SeverityFit
from actuarial.severity.base import Array

Per = Literal["member_year", "claim"]
BLOCK = 4_000_000
LARGEST_BOOTSTRAP = 20_000
"""Above so many payments the resampled mean is normal for every purpose and is not resampled."""
Z95 = 1.959963984540054
"""97.5% quantile of the standard normal."""


@dataclass(frozen=True)
class View:
    """What both views know: the persons behind the data, what an amount is, dispersion of the counts."""

    insured: float
    per: Per
    dispersion: float

    def variance(self, first: float, second: float, frequency: float) -> float:
        """Variance of one person's loss from λE[F], λE[F²] and λ."""
        if self.per == "member_year":
            return second - first**2
        return second + (self.dispersion - 1) * first**2 / frequency if frequency else 0.0


@dataclass(frozen=True)
class ByClaims(View):
    """Amounts above 0, as they were [yuan]."""

    amounts: Array

    name = "claims"

    def scaled(self, factor: float) -> ByClaims:
        """The same after a trend."""
        return replace(self, amounts=self.amounts * factor)

    def pure(self, layer: Piecewise) -> float:
        """Pure premium [yuan/person/year]."""
        return math.fsum(layer(self.amounts)) / self.insured

    def person_variance(self, layer: Piecewise) -> float:
        """Variance of one person's loss [yuan²]."""
        paid = layer(self.amounts)
        first, second = math.fsum(paid) / self.insured, math.fsum(paid**2) / self.insured
        return max(self.variance(first, second, len(paid) / self.insured), 0.0)

    def error(self, layer: Piecewise) -> float:
        """Standard error of the pure premium [yuan/person/year]."""
        return math.sqrt(self.person_variance(layer) / self.insured)

    def interval(self, layer: Piecewise, *, seed: int, resamples: int) -> tuple[float, float]:
        """95% percentile interval from Poisson resampling of the payments."""
        paid = layer(self.amounts)
        paid = paid[paid != 0]
        centre = self.pure(layer)
        if len(paid) > LARGEST_BOOTSTRAP or not len(paid):
            half = Z95 * self.error(layer)
            return max(centre - half, 0.0), centre + half
        bits = np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(41,)))
        generator = np.random.Generator(bits)
        rows = max(BLOCK // len(paid), 1)
        means = [
            generator.poisson(1.0, (min(rows, resamples - start), len(paid))) @ paid
            for start in range(0, resamples, rows)
        ]
        low, high = np.quantile(np.concatenate(means) / self.insured, [0.025, 0.975])
        return float(low), float(high)

    def reach(self, edge: float) -> float:
        """Amounts a person that exceed an edge."""
        return float((self.amounts > edge).sum()) / self.insured

    def limited(self, edge: float) -> float:
        """λE[min(X, edge)] [yuan/person/year]."""
        return math.fsum(np.minimum(self.amounts, edge)) / self.insured

    def beyond(self, layer: Piecewise, largest: float) -> float:
        """What claims above the largest one seen cost: nothing, by the claims themselves."""
        return 0.0


@dataclass(frozen=True)
class ByLaw(View):
    """A distribution and the number of amounts a person [1/person/year]; the fit, where there is one."""

    law: Severity
    frequency: float
    fit: SeverityFit | None = None
    trend: float = 1.0

    name = "fitted"

    def scaled(self, factor: float) -> ByLaw:
        """The same after a trend."""
        return replace(self, law=self.law.scaled(factor), trend=self.trend * factor)

    def pure(self, layer: Piecewise) -> float:
        """Pure premium [yuan/person/year]."""
        return self.frequency * self.law.expected(layer)

    def person_variance(self, layer: Piecewise) -> float:
        """Variance of one person's loss [yuan²]; infinite where an unlimited layer meets a tail without variance."""
        second = self.frequency * self.law.second_moment(layer)
        return max(self.variance(self.pure(layer), second, self.frequency), 0.0)

    def error(self, layer: Piecewise) -> float:
        """Standard error: covariance of the fit, and the count as it was seen on `insured` persons."""
        mean = self.pure(layer)
        counted = mean**2 * self.dispersion / (self.frequency * self.insured) if self.frequency else 0.0
        if self.fit is None:
            return math.sqrt(counted)
        data = self.fit.observed
        d = data.truncated_at * data.unit
        seen_frequency = self.frequency * self.fit.law.survival(d)

        def pure_at(law: Severity) -> float:
            return seen_frequency * law.scaled(self.trend).expected(layer) / law.survival(d)

        _, covariance = self.fit.chosen.delta(pure_at)
        return math.sqrt(counted + max(float(covariance[0, 0]), 0.0))

    def interval(self, layer: Piecewise, *, seed: int, resamples: int) -> tuple[float, float]:
        """95% interval, lognormal with this standard error."""
        mean = self.pure(layer)
        if not mean > 0:
            return mean, mean
        half = Z95 * self.error(layer) / mean
        return mean * math.exp(-half), mean * math.exp(half)

    def reach(self, edge: float) -> float:
        """Amounts a person that exceed an edge."""
        return self.frequency * self.law.survival(edge)

    def limited(self, edge: float) -> float:
        """λE[min(X, edge)] [yuan/person/year]."""
        return self.frequency * self.law.limited(edge)

    def beyond(self, layer: Piecewise, largest: float) -> float:
        """What amounts cost the layer above the payment of the largest one seen [yuan/person/year]."""
        over = self.law.expected(layer, above=largest) - float(layer(largest)) * self.law.survival(largest)
        return self.frequency * max(over, 0.0)


AnyView = ByClaims | ByLaw


def segment_costs(layer: Piecewise, views: Sequence[AnyView]) -> list[dict[str, float]]:
    """Loss cost of each segment that pays, by each view; with the jump at its lower edge. They sum to the pure premium."""
    points = [0.0, *(e for e in layer.edges if e > 0), math.inf]
    jumps = dict(zip(layer.edges, layer.jumps, strict=True))
    rows = []
    for low, high in pairwise(points):
        slope = float(layer.slope_at(low + 1.0 if math.isinf(high) else (low + high) / 2))
        jump = jumps.get(low, 0.0)
        if not slope and not jump:
            continue
        row = {"over": low, "up_to": high, "pay_ratio": slope}
        for view in views:
            below = view.limited(low) if low else 0.0
            row[view.name] = slope * (view.limited(high) - below) + jump * view.reach(low)
            row[f"{view.name}_reach"] = view.reach(low) * view.insured
        rows.append(row)
    return rows


def deductible_of(layer: Piecewise) -> float:
    """Where a layer begins to pay: its first edge, or 0."""
    return float(layer.edges[0]) if layer.edges and layer.slopes[0] == 0 else 0.0


def with_deductible(layer: Piecewise, deductible: float) -> Piecewise:
    """The layer moved to another deductible: segments and ceiling count from it, as in the sources' tables.

    Examples
    --------
    >>> f = with_deductible(Piecewise([8000, 28_000], [0, 0.5, 0]), 10_000.0)
    >>> f([10_000.0, 20_000.0, 90_000.0]).tolist()
    [0.0, 5000.0, 10000.0]
    """
    start = deductible_of(layer)
    edges = [deductible] + [e - start + deductible for e in layer.edges if e > start]
    first = len(layer.edges) - (len(edges) - 1)
    jump = dict(zip(layer.edges, layer.jumps, strict=True)).get(start, 0.0)
    return Piecewise(
        edges,
        [0.0, *layer.slopes[first:]],
        [jump, *layer.jumps[first:]],
        layer.closed,
        (deductible - 1.0, 0.0),
    )
