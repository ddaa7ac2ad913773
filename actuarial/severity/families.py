"""Families of laws as functions of unconstrained parameters, with starting values.

Amounts are in units of their mean here. ``shape`` names the parameters that do not move when all
amounts are multiplied: these are what levels of care may share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from actuarial.severity.base import Array, Severity
from actuarial.severity.laws import Gamma, Lognormal, LognormalMixture, SplicedPareto

XI_LOW, XI_HIGH = -0.5, 0.99
"""Range of the tail's shape: maximum likelihood is regular above -1/2; from 1 on there is no mean."""


@dataclass(frozen=True)
class Family:
    """One family: its parameters, how they make a law, where the search begins."""

    name: str
    parameters: tuple[str, ...]
    shape: tuple[int, ...]
    law: Callable[[Array, float], Severity]
    start: Callable[[Array, Array, float], list[Array]]
    needs_threshold: bool = False

    @property
    def size(self) -> int:
        """Parameters counted by AIC, the threshold among them."""
        return len(self.parameters) + self.needs_threshold


def _log_moments(x: Array, w: Array) -> tuple[float, float]:
    log_x = np.log(np.maximum(x, 1e-12))
    mu = float(w @ log_x / w.sum())
    return mu, max(math.sqrt(float(w @ (log_x - mu) ** 2 / w.sum())), 0.05)


def _exp(value: float, low: float = -6.0, high: float = 3.0) -> float:
    return math.exp(min(max(value, low), high))


def _lognormal(theta: Array, threshold: float) -> Severity:
    return Lognormal.of(min(max(theta[0], -30.0), 30.0), _exp(theta[1], high=1.8))


def _start_lognormal(x: Array, w: Array, threshold: float) -> list[Array]:
    mu, sigma = _log_moments(x, w)
    return [np.array([mu, math.log(sigma)])]


def _gamma(theta: Array, threshold: float) -> Severity:
    return Gamma(_exp(theta[0], -12, 12), _exp(theta[1]))


def _start_gamma(x: Array, w: Array, threshold: float) -> list[Array]:
    mean = float(w @ x / w.sum())
    cv = math.sqrt(float(w @ (x - mean) ** 2 / w.sum())) / mean
    return [np.array([math.log(mean), math.log(min(max(cv, 0.1), 5.0))])]


def _spliced(theta: Array, threshold: float) -> Severity:
    share = min(max(float(expit(theta[2])), 1e-9), 1 - 1e-9)
    xi = XI_LOW + (XI_HIGH - XI_LOW) * float(expit(theta[4]))
    mu = float(min(max(theta[0], math.log(threshold) - 15), math.log(threshold) + 10))
    return SplicedPareto(mu, _exp(theta[1], high=1.8), threshold, share, _exp(theta[3], -12, 12), xi)


def _start_spliced(x: Array, w: Array, threshold: float) -> list[Array]:
    tail = x > threshold
    body = ~tail if (w[~tail] > 0).any() else np.ones_like(tail)
    mu, sigma = _log_moments(x[body], w[body])
    share = min(max(float(w[tail].sum() / w.sum()), 1e-4), 0.9)
    excess = float(w[tail] @ (x[tail] - threshold) / w[tail].sum()) if w[tail].sum() else threshold / 2
    xi = 0.2
    first = [mu, math.log(sigma), float(logit(share)), math.log(max(excess * (1 - xi), 1e-6))]
    return [np.array([*first, float(logit((xi - XI_LOW) / (XI_HIGH - XI_LOW)))])]


def _mixture(theta: Array, threshold: float) -> Severity:
    share = min(max(float(expit(theta[4])), 1e-9), 1 - 1e-9)
    mu = float(min(max(theta[0], -30.0), 30.0))
    ordinary = Lognormal.of(mu, _exp(theta[1], high=1.8))
    return LognormalMixture(ordinary, Lognormal.of(mu + _exp(theta[2]), _exp(theta[3], high=1.8)), share)


def _start_mixture(x: Array, w: Array, threshold: float) -> list[Array]:
    mu, sigma = _log_moments(x, w)
    first = [mu - 0.5 * sigma, math.log(0.75 * sigma), math.log(1.2 * sigma), math.log(0.75 * sigma)]
    return [
        np.array([*first, -0.5]),
        np.array([mu - 0.1, math.log(sigma), math.log(2 * sigma), math.log(sigma), -3]),
    ]


FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        Family("lognormal", ("mu", "log_sigma"), (1,), _lognormal, _start_lognormal),
        Family("gamma", ("log_mean", "log_cv"), (1,), _gamma, _start_gamma),
        Family(
            "spliced_pareto",
            ("mu", "log_sigma", "logit_tail_share", "log_beta", "logit_xi"),
            (1, 4),
            _spliced,
            _start_spliced,
            needs_threshold=True,
        ),
        Family(
            "lognormal_mixture",
            ("mu", "log_sigma", "log_step", "log_sigma_dear", "logit_dear_share"),
            (1, 2, 3, 4),
            _mixture,
            _start_mixture,
        ),
    )
}
"""The families that are tried, by name."""
