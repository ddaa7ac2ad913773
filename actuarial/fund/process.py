r"""Randomness of claims given what they cost on average: three moments, one normal a month.

A month's claims are a sum of compound counts over the categories, whose cumulants add. With
:math:`\kappa_1,\kappa_2,\kappa_3` of the year (:func:`actuarial.severity.compound_cumulants`) and :math:`s_m` the
month's share, the month has cumulants :math:`s_m\kappa_j`, and is drawn as a shifted lognormal with just
these three moments,

.. math:: X = s_m\kappa_1+\sqrt{s_m\kappa_2}\;\frac{e^{\sigma z-\sigma^2/2}-1}{\sqrt{e^{\sigma^2}-1}},\qquad
   (w+2)\sqrt{w-1}=\gamma,\; w=e^{\sigma^2},

whose cubic has the closed solution :math:`w=\sqrt[3]{q+r}+\sqrt[3]{q-r}-1` with :math:`q=1+\gamma^2/2`,
:math:`r=\gamma\sqrt{1+\gamma^2/4}`. One normal is consumed a month whatever the parameters, so that
moving growth redraws nothing. Months are independent given the yearly cost, as they are for a
Poisson stream.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_NEARLY_NORMAL = 1e-3


def shifted_lognormal(z: ArrayLike, skewness: ArrayLike) -> NDArray[np.float64]:
    """Standard normals to a distribution of mean 0, variance 1 and the given skewness (≥ 0).

    Below a skewness of 0.001 the Cornish–Fisher term stands for the closed form, which loses digits
    there; within five standard deviations the two differ by less than 3e-6.

    Examples
    --------
    >>> shifted_lognormal([0.0, 1.0], 0.0).tolist()
    [0.0, 1.0]
    """
    z = np.asarray(z, dtype=np.float64)
    g = np.asarray(skewness, dtype=np.float64)
    w = lognormal_width(np.maximum(g, _NEARLY_NORMAL))
    sigma2 = np.log(w)
    curved = np.expm1(np.sqrt(sigma2) * z - sigma2 / 2) / np.sqrt(w - 1)
    return np.where(g >= _NEARLY_NORMAL, curved, z + g / 6 * (z**2 - 1))


def lognormal_width(skewness: ArrayLike) -> NDArray[np.float64]:
    """``exp(σ²)`` of the lognormal with a skewness above 0.

    Examples
    --------
    >>> w = float(lognormal_width(1.0))
    >>> round((w + 2) * (w - 1) ** 0.5, 12)
    1.0
    """
    g = np.asarray(skewness, dtype=np.float64)
    q, r = 1 + g**2 / 2, g * np.sqrt(1 + g**2 / 4)
    big = np.cbrt(q + r)
    return np.asarray(big + 1 / big - 1)  # (q+r)(q-r) = 1
