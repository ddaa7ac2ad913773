r"""Cumulants of compound sums, and the sigma of a stated median and standard deviation.

:func:`compound_cumulants` gives the first three cumulants of a Poisson (or overdispersed) sum.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
