"""Maximum likelihood of one family, with covariance and the delta method."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from actuarial.severity.base import Array, Severity
from actuarial.severity.families import Family
from actuarial.severity.observed import Observed

TAIL_QUANTILES = (0.80, 0.85, 0.90, 0.925, 0.95, 0.975)
"""Candidates for the threshold, for single amounts; for bands, their edges."""
FEWEST_IN_TAIL = 25.0
SPARE = 2
"""A law of more than two parameters needs this many numbers beyond its own, else nothing checks it."""
LOST = 1e12
"""Stands for a likelihood of zero."""
Prior = tuple[Array, Array]
"""Mean and precision of a normal penalty on the parameters."""


@dataclass(frozen=True, eq=False)
class LawFit:
    """One family, fitted.

    Parameters
    ----------
    family : Family
    theta : ndarray
        Unconstrained parameters, in units of `unit`.
    covariance : ndarray
        Of `theta`; from the inverse of the observed information.
    threshold : float
        Of the tail, in units of `unit`; NaN without one.
    unit : float
        [yuan]
    log_likelihood : float
    regular : bool
        Whether the information was positive definite; where not, a pseudo-inverse stands in.
    """

    family: Family
    theta: Array
    covariance: Array
    threshold: float
    unit: float
    log_likelihood: float
    regular: bool

    @property
    def law(self) -> Severity:
        """The fitted distribution [yuan]."""
        return self.law_at(self.theta)

    def law_at(self, theta: Array) -> Severity:
        """The family's distribution at other parameters [yuan]."""
        return self.family.law(theta, self.threshold).scaled(self.unit)

    @property
    def aic(self) -> float:
        """Akaike's criterion; the threshold counts as a parameter."""
        return 2 * self.family.size - 2 * self.log_likelihood

    def delta(self, function: Callable[[Severity], Array | float]) -> tuple[Array, Array]:
        """A function of the law with the covariance of its values, by the delta method.

        Returns
        -------
        value : ndarray, shape (m,)
        covariance : ndarray, shape (m, m)
        """
        value = np.atleast_1d(np.asarray(function(self.law), dtype=np.float64))
        steps = np.maximum(0.05 * np.sqrt(np.maximum(np.diag(self.covariance), 0.0)), 1e-6)
        columns = []
        for i, step in enumerate(steps):
            move = np.zeros(len(self.theta))
            move[i] = step
            up, down = (
                np.atleast_1d(np.asarray(function(self.law_at(self.theta + s * move)), dtype=np.float64))
                for s in (1, -1)
            )
            columns.append((up - down) / (2 * step))
        jacobian = np.stack(columns, axis=1)
        return value, jacobian @ self.covariance @ jacobian.T


def fit_family(
    family: Family, data: Observed, *, prior: Prior | None = None, threshold: float | None = None
) -> LawFit | None:
    """Fit one family; None where the observations hold too few numbers for it (two to spare beyond two parameters).

    Where the family has a threshold, the candidate of the highest likelihood is kept among those whose tail
    reproduces the cost above high amounts; by likelihood alone the body would choose it.
    """
    if prior is None and data.information < family.size + (SPARE if family.size > 2 else 0):
        return None
    found = []
    for u in _candidates(family, data, threshold):
        starts = _starts(family, data, u, prior)
        objective = _objective(family, data, u, prior, data.spreads(family.law(starts[0], u)))
        theta = min((minimise(objective, s) for s in starts), key=objective)
        gap = data.excess_gap(family.law(theta, u))
        found.append((gap if gap > 1 else 1.0, objective(theta), u, theta))  # NaN counts as 1: no sums
    if not found:
        return None
    *_, u, theta = min(found, key=lambda f: f[:2])
    return _finish(family, data, u, prior, theta)


def _candidates(family: Family, data: Observed, threshold: float | None) -> list[float]:
    if not family.needs_threshold:
        return [math.nan]
    return thresholds(data) if threshold is None else [threshold]


def thresholds(data: Observed) -> list[float]:
    """Where a tail may begin, in units of the mean."""
    if data.low is None:
        shares = data.weights.cumsum() / data.count
        candidates = data.points[np.minimum(np.searchsorted(shares, TAIL_QUANTILES), len(data.points) - 1)]
        good = [float(u) for u in candidates if data.weights[data.points > u].sum() >= FEWEST_IN_TAIL]
    else:
        good = []
        for u in data.low[1:]:
            over = (data.low >= u) & (data.weights > 0)
            under = (data.low < u) & (data.weights > 0)
            known = np.isfinite(data.means)
            enough = all(side.sum() - 1 + (side & known).sum() >= 2 for side in (over, under))
            share = data.weights[over].sum() / data.count
            if enough and 0.002 <= share <= 0.5 and data.weights[over].sum() >= FEWEST_IN_TAIL:
                good.append(float(u))
    return sorted({u for u in good if u > data.truncated_at})


def _starts(family: Family, data: Observed, threshold: float, prior: Prior | None) -> list[Array]:
    starts = family.start(data.points, data.weights, threshold)
    if prior is None:
        return starts
    free = np.setdiff1d(np.arange(len(prior[0])), family.shape)
    blended = prior[0].copy()
    blended[free] = starts[0][free]
    return [blended]


def _finish(
    family: Family, data: Observed, threshold: float, prior: Prior | None, theta: Array
) -> LawFit | None:
    """The bands' means join in, with the law's own spread inside the bands; then the covariance."""
    spread = data.spreads(family.law(theta, threshold))
    objective = _objective(family, data, threshold, prior, spread)
    for _ in range(0 if spread is None else 2):
        objective = _objective(family, data, threshold, prior, spread)
        theta = minimise(objective, theta)
        spread = data.spreads(family.law(theta, threshold))
    if not objective(theta) < LOST:
        return None
    covariance, regular = inverse(hessian(objective, theta))
    value = data.log_likelihood(family.law(theta, threshold), spread)
    return LawFit(family, theta, covariance, threshold, data.unit, value, regular)


def _objective(
    family: Family, data: Observed, threshold: float, prior: Prior | None, spread: Array | None
) -> Callable[[Array], float]:
    def negative(theta: Array) -> float:
        value = -data.log_likelihood(family.law(theta, threshold), spread)
        if prior is not None:
            gap = theta - prior[0]
            value += 0.5 * float(gap @ prior[1] @ gap)
        return value if math.isfinite(value) else LOST

    return negative


def minimise(objective: Callable[[Array], float], start: Array) -> Array:
    """A local minimum: quasi-Newton; where it stalls, simplex and quasi-Newton again."""
    from scipy.optimize import minimize

    fine = minimize(objective, start, method="BFGS", options={"gtol": 1e-3, "maxiter": 200})
    if fine.success or float(np.abs(fine.jac).max()) < 0.05:
        return fine.x
    rough = minimize(
        objective, fine.x, method="Nelder-Mead", options={"maxiter": 60 * len(start), "fatol": 1e-4}
    )
    again = minimize(objective, rough.x, method="BFGS", options={"gtol": 1e-3, "maxiter": 200})
    return again.x if again.fun <= rough.fun else rough.x


def hessian(objective: Callable[[Array], float], at: Array, step: float = 1e-3) -> Array:
    """Second central differences."""
    moves = step * np.eye(len(at))
    size = len(at)
    out = np.empty((size, size))
    centre = objective(at)
    for i in range(size):
        out[i, i] = (objective(at + moves[i]) - 2 * centre + objective(at - moves[i])) / step**2
        for j in range(i):
            plus = objective(at + moves[i] + moves[j]) + objective(at - moves[i] - moves[j])
            minus = objective(at + moves[i] - moves[j]) + objective(at - moves[i] + moves[j])
            out[i, j] = out[j, i] = (plus - minus) / (4 * step**2)
    return out


def inverse(information: Array) -> tuple[Array, bool]:
    """Covariance from the information, and whether that is positive definite."""
    try:
        values, vectors = np.linalg.eigh(information)
    except np.linalg.LinAlgError:
        return np.zeros_like(information), False
    good = values > 1e-8 * max(float(values.max()), 1e-8)
    inverted = np.where(good, 1 / np.where(good, values, 1.0), 0.0)
    return (vectors * inverted) @ vectors.T, bool(good.all())
