r"""The factor of banded cells and its standard error, for one family of laws.

With :math:`G=F^{new}-rF^{old}` and :math:`r` the ratio, the error of :math:`r` is :math:`\sqrt{V}/(nE[F^{old}])`, where :math:`V` is the
larger of :math:`n^2 d'Cd + nE[G]^2` (fit and Poisson count) and :math:`nE[G^2]` (a year's own claims).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from actuarial.benefits.attainable import factor_range
from actuarial.errors import Fault, InputError
from actuarial.layers import Piecewise
from actuarial.severity.base import Severity
from actuarial.severity.likelihood import LawFit
from actuarial.severity.observed import Observed

Cell = tuple[str, str]
"""Category (empty where none is given) and level."""


@dataclass(frozen=True)
class Rules:
    """The rules of one cell and what was seen of it."""

    data: Observed
    old: Piecewise
    new: Piecewise
    paid: float
    """Fund payments [yuan]; NaN where unknown."""


def payments(rules: Rules, law: Severity) -> np.ndarray:
    """Old and new payment per claim **seen**: unseen ones are added by the law [yuan]."""
    seen = law.survival(rules.data.truncated_at * rules.data.unit)
    return np.array([law.expected(rules.old), law.expected(rules.new)]) / seen


def total(cells: Mapping[Cell, Rules], fits: Mapping[Cell, LawFit], calibrated: bool) -> tuple[float, float]:
    """The factor, and its standard error.

    The error is the larger of two: that of the fit with Poisson counts (delta method), which is about the population,
    and that of the year's own claims around it. It so holds for both readings of the factor.
    """
    parts = []
    for cell, rules in cells.items():
        value, covariance = fits[cell].delta(partial(payments, rules))
        parts.append((rules, fits[cell].law, value, covariance))
    if not all(v.min() > 0 for *_, v, _ in parts):
        raise InputError([Fault("bands.nothing_paid")])
    old, new = (np.array([r.data.count * v[i] for r, _, v, _ in parts]) for i in (0, 1))
    weights = np.array([r.paid for r, *_ in parts]) if calibrated else old
    weights = weights / weights.sum()
    factor = float(weights @ (new / old))
    variance = 0.0
    for weight, cost, (rules, law, value, covariance) in zip(weights, old, parts, strict=True):
        # calibrated, a level's payments are known and only its own ratio is not
        ratio = float(value[1] / value[0]) if calibrated else factor
        direction, n = np.array([-ratio, 1.0]), rules.data.count
        of_fit = n * n * float(direction @ covariance @ direction) + n * float(direction @ value) ** 2
        variance += (weight / cost) ** 2 * max(of_fit, own_variance(rules, law, ratio))
        variance += weight**2 / n * (value[1] / value[0] - factor) ** 2 if calibrated else 0.0
    return factor, math.sqrt(max(variance, 0.0))


def own_variance(rules: Rules, law: Severity, ratio: float) -> float:
    """Variance of ``Σ F_new − ratio × Σ F_old`` over a Poisson number of claims [yuan²].

    Up to the claim that one such year in ten exceeds: a tail without variance would else say nothing.
    """
    n = rules.data.count
    seen = law.survival(rules.data.truncated_at * rules.data.unit)
    largest = float(law.quantile(1 - 0.1 / (n / seen)))
    edges = sorted({*rules.old.edges, *rules.new.edges})
    ends = np.array([-np.inf, *edges, np.inf])
    inside = [_between(a, b) for a, b in pairwise(ends)]
    slopes = [float(rules.new.slope_at(x) - ratio * rules.old.slope_at(x)) for x in inside]
    jumps = [_jump(rules.new, e) - ratio * _jump(rules.old, e) for e in edges]
    at_zero = float(rules.new(0.0) - ratio * rules.old(0.0))
    difference = Piecewise(edges, slopes, jumps, anchor=(0.0, at_zero))
    return n / seen * law.second_moment(difference, below=largest)


def _between(low: float, high: float) -> float:
    if math.isinf(low) and math.isinf(high):
        return 0.0
    return low + 1.0 if math.isinf(high) else high - 1.0 if math.isinf(low) else (low + high) / 2


def _jump(rule: Piecewise, edge: float) -> float:
    return dict(zip(rule.edges, rule.jumps, strict=True)).get(edge, 0.0)


def bounds(cells: Mapping[Cell, Rules], calibrated: bool) -> tuple[float, float]:
    """Smallest and largest factor that the bands allow; open where claims are truncated."""
    if any(c.data.truncated_at > 0 for c in cells.values()):
        return 0.0, math.inf  # what is not seen is not bounded
    parts = [(c.data, c.old, c.new) for c in cells.values()]
    if not calibrated:
        return factor_range(parts)
    paid = np.array([c.paid for c in cells.values()])
    ends = np.array([factor_range([p]) for p in parts])
    low, high = (paid @ ends / paid.sum()).tolist()
    return low, high
