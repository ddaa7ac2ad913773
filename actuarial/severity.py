r"""Loss distributions: moments and limited expected values in closed form.

The lognormal with mean :math:`m` and coefficient of variation :math:`c` has
:math:`\sigma^2=\ln(1+c^2)`, :math:`\mu=\ln m-\sigma^2/2` and

.. math:: E[\min(X,e)] = m\,\Phi\!\left(\frac{\ln e-\mu-\sigma^2}{\sigma}\right)
          + e\left(1-\Phi\!\left(\frac{\ln e-\mu}{\sigma}\right)\right)

(Klugman, Panjer, Willmot, *Loss Models*, appendix A). :func:`compound_cumulants` gives the first
three cumulants of a Poisson (or overdispersed) sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr


@dataclass(frozen=True)
class Lognormal:
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

    mean: float
    cv: float

    def __post_init__(self) -> None:
        if not (self.mean > 0 and self.cv > 0 and math.isfinite(self.mean * self.cv)):
            raise ValueError("mean and cv must be positive and finite")

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

    def survival(self, edge: float) -> float:
        """``P(X > edge)``."""
        return 1.0 if edge <= 0 else float(ndtr(-(math.log(edge) - self.mu) / self.sigma))


def log_sd(median: float, sd: float) -> float:
    """Sigma of the lognormal with this median and this standard deviation (both above 0, or sd 0).

    Examples
    --------
    >>> s = log_sd(1.2366, 0.05)
    >>> round(1.2366 * math.sqrt(math.exp(s**2) * (math.exp(s**2) - 1)), 12)
    0.05
    """
    return math.sqrt(math.log(0.5 + 0.5 * math.sqrt(1 + 4 * (sd / median) ** 2)))


def compound_cumulants(
    counts: ArrayLike, mean: ArrayLike, cv: ArrayLike, dispersion: ArrayLike = 1.0
) -> NDArray[np.float64]:
    r"""Mean, variance and third cumulant of sums of lognormal claims.

    Counts have mean `counts` and variance ``dispersion × counts``. At dispersion 1 they are Poisson
    and the cumulants are :math:`\lambda E[X^k]`; above 1 negative binomial, whose cumulants follow
    by compounding.

    Parameters
    ----------
    counts : array_like
        Expected claims.
    mean, cv : array_like
        Severity [yuan/claim] and its coefficient of variation.
    dispersion : array_like
        Variance over mean of the count, at least 1.

    Returns
    -------
    ndarray, shape (3, …)
        Zero where no claim is expected.

    Examples
    --------
    >>> compound_cumulants(100, 10.0, 1.0)[:2].tolist()
    [1000.0, 20000.0]
    """
    n, m, c, d = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (counts, mean, cv, dispersion))
    )
    w = 1 + c**2
    m2, m3 = m**2 * w, m**3 * w**3
    var = m2 - m**2
    third = m3 - 3 * m * m2 + 2 * m**3
    k2 = n * d  # cumulants of the negative binomial count
    k3 = n * d * (2 * d - 1)
    return np.stack([n * m, n * var + k2 * m**2, n * third + 3 * k2 * m * var + k3 * m**3])
