"""Cash within the year on arrays of paths: what has to be found beyond the target's money, month by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CashNeed:
    """Money that claims take beyond what has come in, on each path.

    Parameters
    ----------
    peak : ndarray, shape (n,)
        The worst month's need [yuan].
    average : ndarray, shape (n,)
        Mean of the twelve month-ends' needs [yuan].
    by_month : ndarray, shape (12,)
        Mean need at each month's end [yuan].
    month : int
        The month (1 to 12) whose mean need is greatest.
    """

    peak: Array
    average: Array
    by_month: Array
    month: int


def cash_need(claims: Array, received: Array | float) -> CashNeed:
    """The need of the party that pays `claims` and gets `received`.

    Parameters
    ----------
    claims : ndarray, shape (n, 12)
        Cash claims by month [yuan].
    received : ndarray, shape (n, 12), or float
        Money by month; one number is a year's amount in even twelfths [yuan].

    Examples
    --------
    >>> claims = np.full((1, 12), 10.0)
    >>> claims[0, 0] = 40.0
    >>> found = cash_need(claims, 120.0)
    >>> found.peak.tolist(), found.month
    ([30.0], 1)
    """
    given = np.asarray(received, dtype=np.float64)
    came = np.broadcast_to(given / 12 if given.ndim == 0 else given, claims.shape)
    n = len(claims)
    position = np.zeros(n)
    peak, total, by_month = np.zeros(n), np.zeros(n), np.zeros(12)
    for m in range(12):
        position += claims[:, m]
        position -= came[:, m]
        need = np.maximum(position, 0.0)
        np.maximum(peak, need, out=peak)
        total += need
        by_month[m] = need.mean()
    return CashNeed(peak, total / 12, by_month, int(by_month.argmax()) + 1)
