"""Cash within the year on arrays of paths: what has to be found beyond the target's money, month by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
BLOCK = 4096
"""Paths that are worked on at a time, so that they stay in the cache."""


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
    peak, average, by_month = np.empty(n), np.empty(n), np.zeros(12)
    for low in range(0, n, BLOCK):
        part = slice(low, low + BLOCK)
        short = np.ascontiguousarray((claims[part] - came[part]).T)
        np.cumsum(short, axis=0, out=short)
        np.maximum(short, 0.0, out=short)
        peak[part], average[part] = short.max(axis=0), short.mean(axis=0)
        by_month += short.sum(axis=1)
    by_month /= n
    return CashNeed(peak, average, by_month, int(by_month.argmax()) + 1)
