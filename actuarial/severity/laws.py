r"""Lognormal, gamma, lognormal body with generalised Pareto tail, mixture of two lognormals.

All have closed partial moments :math:`E[X^k;X\le x]` (Klugman, Panjer, Willmot, *Loss Models*, appendix A).
For the generalised Pareto excess :math:`Y` with survival :math:`S(y)=(1+\xi y/\beta)^{-1/\xi}`

.. math:: I_1=\int_0^y S = \frac{\beta-(\beta+\xi y)S(y)}{1-\xi},\qquad
          I_2=\int_0^y tS(t)\,dt = \frac{\beta I_1-y(\beta+\xi y)S(y)}{1-2\xi},

both of which pass to the exponential at :math:`\xi=0` without a special case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainc, gammaincc, gammaincinv, gammaln, ndtr, ndtri

from actuarial.severity.base import Array, Severity

_LOG_ROOT_2PI = 0.5 * math.log(2 * math.pi)


def _log(x: ArrayLike) -> Array:
    """Logarithm; minus infinity at and below 0."""
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(np.asarray(x, dtype=np.float64), 0.0))


def _normal_z(x: ArrayLike, mu: float, sigma: float) -> Array:
    return (_log(x) - mu) / sigma


@dataclass(frozen=True)
class Lognormal(Severity):
    """Cost of one claim, lognormal.

    Parameters
    ----------
    mean : float
        [yuan/claim], above 0.
    cv : float
        Coefficient of variation, above 0.

    Examples
    --------
    The layer 30,000 excess of 10,000 of Poisson(100) claims (mean 8,000, cv 2):

    >>> x = Lognormal(8000, 2)
    >>> round(100 * (x.limited(40_000) - x.limited(10_000)), 6)
    236175.465423
    """

    name: ClassVar[str] = "lognormal"
    mean: float
    cv: float

    def __post_init__(self) -> None:
        _positive("mean and cv", self.mean, self.cv)

    @classmethod
    def of(cls, mu: float, sigma: float) -> Lognormal:
        """From mean and standard deviation of the logarithm."""
        return cls(math.exp(mu + sigma**2 / 2), math.sqrt(math.expm1(sigma**2)))

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return math.sqrt(math.log1p(self.cv**2))

    @property
    def mu(self) -> float:
        """Mean of the logarithm."""
        return math.log(self.mean) - self.sigma**2 / 2

    def moment(self, k: int) -> float:
        """``E[X^k]``."""
        return math.exp(k * self.mu + k * k * self.sigma**2 / 2)

    def limited(self, edge: float) -> float:
        """``E[min(X, edge)]``; the mean at infinity, 0 at or below 0."""
        if edge <= 0:
            return 0.0
        if math.isinf(edge):
            return self.mean
        z = (math.log(edge) - self.mu) / self.sigma
        return float(self.mean * ndtr(z - self.sigma) + edge * ndtr(-z))

    def survivals(self, x: ArrayLike) -> Array:
        """``P(X > x)``."""
        return np.asarray(ndtr(-_normal_z(x, self.mu, self.sigma)))

    def partial(self, k: int, x: ArrayLike) -> Array:
        """``E[X^k; X ≤ x]``."""
        return np.asarray(self.moment(k) * ndtr(_normal_z(x, self.mu, self.sigma) - k * self.sigma))

    def log_density(self, x: ArrayLike) -> Array:
        """Logarithm of the density."""
        log_x = _log(x)
        z = (log_x - self.mu) / self.sigma
        return -0.5 * z * z - _LOG_ROOT_2PI - math.log(self.sigma) - log_x

    def quantile(self, p: ArrayLike) -> Array:
        """Inverse of the distribution function."""
        return np.exp(self.mu + self.sigma * np.asarray(ndtri(p)))

    def scaled(self, factor: float) -> Lognormal:
        """The law of ``factor × X``."""
        return Lognormal(self.mean * factor, self.cv)


@dataclass(frozen=True)
class Gamma(Severity):
    """Cost of one claim, gamma.

    Parameters
    ----------
    mean : float
        [yuan/claim], above 0.
    cv : float
        Coefficient of variation, above 0; 1 is the exponential.

    Examples
    --------
    >>> round(Gamma(100.0, 1.0).limited(100.0), 6)   # 100 (1 − 1/e)
    63.212056
    """

    name: ClassVar[str] = "gamma"
    mean: float
    cv: float

    def __post_init__(self) -> None:
        _positive("mean and cv", self.mean, self.cv)

    @property
    def shape(self) -> float:
        """``1/cv²``."""
        return self.cv**-2

    @property
    def scale(self) -> float:
        """``mean × cv²`` [yuan]."""
        return self.mean * self.cv**2

    def survivals(self, x: ArrayLike) -> Array:
        """``P(X > x)``."""
        return np.asarray(gammaincc(self.shape, np.maximum(np.asarray(x, np.float64), 0.0) / self.scale))

    def partial(self, k: int, x: ArrayLike) -> Array:
        """``E[X^k; X ≤ x]``."""
        moment = self.scale**k * math.prod(self.shape + i for i in range(k))
        return moment * np.asarray(
            gammainc(self.shape + k, np.maximum(np.asarray(x, np.float64), 0.0) / self.scale)
        )

    def log_density(self, x: ArrayLike) -> Array:
        """Logarithm of the density."""
        y = np.asarray(x, dtype=np.float64) / self.scale
        return (self.shape - 1) * _log(y) - y - float(gammaln(self.shape)) - math.log(self.scale)

    def quantile(self, p: ArrayLike) -> Array:
        """Inverse of the distribution function."""
        return self.scale * np.asarray(gammaincinv(self.shape, p))

    def scaled(self, factor: float) -> Gamma:
        """The law of ``factor × X``."""
        return Gamma(self.mean * factor, self.cv)


@dataclass(frozen=True)
class SplicedPareto(Severity):
    """Lognormal body up to a threshold, generalised Pareto tail above it.

    Parameters
    ----------
    mu, sigma : float
        Of the logarithm of the body, before it is cut at the threshold.
    threshold : float
        Where the tail begins [yuan].
    tail_share : float
        Probability of the tail, between 0 and 1.
    beta, xi : float
        Scale [yuan] and shape of the tail; ``xi < 1``, else there is no mean.

    Examples
    --------
    An exponential tail (``xi = 0``) adds ``beta`` to the threshold in the mean:

    >>> x = SplicedPareto(0.0, 1.0, 5.0, 0.1, 3.0, 0.0)
    >>> round(x.excess(5.0), 9), round(x.survival(8.0) / 0.1, 6)
    (3.0, 0.367879)
    """

    name: ClassVar[str] = "spliced_pareto"
    mu: float
    sigma: float
    threshold: float
    tail_share: float
    beta: float
    xi: float

    def __post_init__(self) -> None:
        _positive("sigma, threshold and beta", self.sigma, self.threshold, self.beta)
        if not (0 < self.tail_share < 1 and self.xi < 1 and math.isfinite(self.mu + self.xi)):
            raise ValueError("tail_share must lie between 0 and 1, xi below 1 and mu be finite")

    @property
    def _body(self) -> Lognormal:
        return Lognormal.of(self.mu, self.sigma)

    @property
    def _kept(self) -> float:
        """Probability of the uncut body below the threshold."""
        return float(ndtr((math.log(self.threshold) - self.mu) / self.sigma))

    @property
    def mean(self) -> float:
        """``E[X]``."""
        body = float(self._body.partial(1, self.threshold)) / self._kept
        return (1 - self.tail_share) * body + self.tail_share * (self.threshold + self.beta / (1 - self.xi))

    def _tail_survival(self, y: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.xi == 0:
                return np.exp(-y / self.beta)
            width = np.maximum(self.xi * y / self.beta, -1.0)
            return np.exp(-np.log1p(width) / self.xi)

    def survivals(self, x: ArrayLike) -> Array:
        """``P(X > x)``."""
        at = np.asarray(x, dtype=np.float64)
        body = ndtr(_normal_z(np.minimum(at, self.threshold), self.mu, self.sigma)) / self._kept
        tail = self._tail_survival(np.maximum(at - self.threshold, 0.0))
        return np.where(at <= self.threshold, 1 - (1 - self.tail_share) * body, self.tail_share * tail)

    def partial(self, k: int, x: ArrayLike) -> Array:
        """``E[X^k; X ≤ x]``; the second is infinite at infinity from ``xi = 1/2`` on."""
        at = np.asarray(x, dtype=np.float64)
        body = (1 - self.tail_share) / self._kept * self._body.partial(k, np.minimum(at, self.threshold))
        y = np.maximum(at - self.threshold, 0.0)
        return body + self.tail_share * self._tail_partial(k, y)

    def _tail_partial(self, k: int, y: Array) -> Array:
        """``E[(u + Y)^k; Y ≤ y]``."""
        u, b, xi = self.threshold, self.beta, self.xi
        if k == 2 and abs(xi - 0.5) < 1e-6:  # a removable singularity
            return replace(self, xi=0.5 + 2e-6)._tail_partial(2, y)
        s = self._tail_survival(y)
        open_end = np.isinf(y)
        finite = np.where(open_end, 0.0, y)
        first = np.where(open_end, b, b - (b + xi * finite) * s) / (1 - xi)
        mean = first - finite * s
        if k == 0:
            return 1 - s
        if k == 1:
            return u * (1 - s) + mean
        second = (b * first - finite * (b + xi * finite) * s) / (1 - 2 * xi)
        second = np.where(open_end & (xi >= 0.5), np.inf, second)
        return u * u * (1 - s) + 2 * u * mean + 2 * second - finite**2 * s

    def log_density(self, x: ArrayLike) -> Array:
        """Logarithm of the density; minus infinity beyond the end of a bounded tail."""
        at = np.asarray(x, dtype=np.float64)
        low = np.minimum(at, self.threshold)
        body = math.log1p(-self.tail_share) - math.log(max(self._kept, 1e-300)) + self._body.log_density(low)
        y = np.maximum(at - self.threshold, 0.0)
        with np.errstate(divide="ignore"):
            width = np.log1p(np.maximum(self.xi * y / self.beta, -1.0))
        power = y / self.beta if self.xi == 0 else (1 + 1 / self.xi) * width
        tail = math.log(self.tail_share) - math.log(self.beta) - power
        return np.where(at <= self.threshold, body, np.where(np.isfinite(width), tail, -np.inf))

    def quantile(self, p: ArrayLike) -> Array:
        """Inverse of the distribution function."""
        q = np.asarray(p, dtype=np.float64)
        share = 1 - self.tail_share
        body = np.exp(self.mu + self.sigma * np.asarray(ndtri(np.minimum(q / share, 1.0) * self._kept)))
        with np.errstate(divide="ignore"):
            log_s = np.log(np.clip((1 - q) / self.tail_share, 0.0, 1.0))
        y = -log_s * self.beta if self.xi == 0 else self.beta / self.xi * np.expm1(-self.xi * log_s)
        return np.where(q <= share, np.minimum(body, self.threshold), self.threshold + y)

    def scaled(self, factor: float) -> SplicedPareto:
        """The law of ``factor × X``."""
        return SplicedPareto(
            self.mu + math.log(factor), self.sigma, self.threshold * factor, self.tail_share,
            self.beta * factor, self.xi,
        )  # fmt: skip


@dataclass(frozen=True)
class LognormalMixture(Severity):
    """One of two lognormals: ordinary cases, and a share of dear ones.

    Parameters
    ----------
    ordinary, dear : Lognormal
    dear_share : float
        Between 0 and 1.

    Examples
    --------
    >>> LognormalMixture(Lognormal(100, 1), Lognormal(1000, 1), 0.1).mean
    190.0
    """

    name: ClassVar[str] = "lognormal_mixture"
    ordinary: Lognormal
    dear: Lognormal
    dear_share: float

    def __post_init__(self) -> None:
        if not 0 < self.dear_share < 1:
            raise ValueError("dear_share must lie between 0 and 1")

    def _mix(self, a: Array, b: Array) -> Array:
        return (1 - self.dear_share) * a + self.dear_share * b

    @property
    def mean(self) -> float:
        """``E[X]``."""
        return (1 - self.dear_share) * self.ordinary.mean + self.dear_share * self.dear.mean

    def survivals(self, x: ArrayLike) -> Array:
        """``P(X > x)``."""
        return self._mix(self.ordinary.survivals(x), self.dear.survivals(x))

    def partial(self, k: int, x: ArrayLike) -> Array:
        """``E[X^k; X ≤ x]``."""
        return self._mix(self.ordinary.partial(k, x), self.dear.partial(k, x))

    def log_density(self, x: ArrayLike) -> Array:
        """Logarithm of the density."""
        return np.logaddexp(
            math.log1p(-self.dear_share) + self.ordinary.log_density(x),
            math.log(self.dear_share) + self.dear.log_density(x),
        )

    def quantile(self, p: ArrayLike) -> Array:
        """Inverse of the distribution function, by bisection in the logarithm to the last digit."""
        q = np.asarray(p, dtype=np.float64)
        sides = np.stack([self.ordinary.quantile(q), self.dear.quantile(q)])
        low, high = _log(sides.min(axis=0)), _log(sides.max(axis=0))
        for _ in range(64):
            with np.errstate(invalid="ignore"):
                middle = np.where(low == high, low, (low + high) / 2)
            above = self.survivals(np.exp(middle)) > 1 - q
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.exp(high)

    def scaled(self, factor: float) -> LognormalMixture:
        """The law of ``factor × X``."""
        return LognormalMixture(self.ordinary.scaled(factor), self.dear.scaled(factor), self.dear_share)


def _positive(what: str, *values: float) -> None:
    if not (all(v > 0 for v in values) and math.isfinite(math.prod(values))):
        raise ValueError(f"{what} must be positive and finite")
