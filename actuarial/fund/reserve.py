r"""A reserve fund that is filled by a rule, and an adjustment fund that gives back in a deficit.

On a path the free balance at the end of month :math:`m` is :math:`a_m+b_mp` before both. The reserve takes in its month

.. math:: c(p)=\max\bigl(0,\ \min(\ell_1(p),\ \ell_2(p))\bigr),\qquad
          \ell_2=(\kappa F(p)-R_0)/q,\qquad \ell_1=\rho F(p)\ \text{or}\ \sigma S(p)

with :math:`F=Hp` the year's financing of :math:`H` heads, :math:`S` the year's surplus, :math:`\kappa` the ceiling, :math:`R_0` what is
there with its interest at the year's end, and :math:`q` the interest on what is put in until then. Both lines rise in :math:`p`, so with :math:`g_m` what a
yuan taken in that month weighs at the end of month :math:`m`

.. math:: a_m+b_mp-g_m\,c(p)\ge0 \iff p\ge\max\bigl(r_0,\ \min(r_1,r_2)\bigr),

:math:`r_i` the roots of :math:`a_m+b_mp` less :math:`0,\ g_m\ell_1,\ g_m\ell_2`: no search is needed. A reserve that covers deficits
is counted with the free money; the same argument holds with the signs of :math:`g` (see :func:`needed`).

The adjustment fund gives at the year's end :math:`\min(\theta\,d,\ k\,r\,I(p))` of a deficit :math:`d`, at most :math:`k` times what was paid in; a part
:math:`\theta<1` never takes a path out of a deficit, the whole does for deficits up to that limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.fund.target import required_amount

Line = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Constant and slope in the amount per head, shape (n,) each."""


@dataclass(frozen=True, eq=False)
class Reserve:
    """The rule of a reserve fund.

    Parameters
    ----------
    basis : {"financing", "surplus"}
    rate, ceiling : float
        Shares of the basis, and of the year's financing.
    month : int
        1 to 12.
    held : ndarray, shape (12,)
        What was there before, with interest, at the end of each month [yuan].
    growth : ndarray, shape (12,)
        Of a yuan put in, to the end of each month; 0 before its month.
    taken : ndarray, shape (12,)
        What a yuan taken from the free money weighs in it at the end of each month.
    drawn : bool
    """

    basis: str
    rate: float
    ceiling: float
    month: int
    held: NDArray[np.float64]
    growth: NDArray[np.float64]
    taken: NDArray[np.float64]
    drawn: bool

    def lines(self, heads: NDArray[np.float64], surplus: Line) -> tuple[Line, Line]:
        """The two lines whose smaller one, if positive, is put in."""
        q = self.growth[-1]
        room = (np.full_like(heads, -self.held[-1] / q), self.ceiling * heads / q)
        if self.basis == "financing":
            return (np.zeros_like(heads), self.rate * heads), room
        return (self.rate * surplus[0], self.rate * surplus[1]), room

    def put_in(self, heads: NDArray[np.float64], surplus: Line, premium: float) -> NDArray[np.float64]:
        """What each path puts in at an amount per head, shape (n,) [yuan].

        Examples
        --------
        >>> rule = Reserve("financing", 0.03, 0.10, 12, np.full(12, 800.0), np.eye(12)[-1], np.eye(12)[-1], False)
        >>> none = (np.zeros(1), np.zeros(1))
        >>> rule.put_in(np.array([100.0]), none, 100.0).tolist()  # 3% of 10,000 would pass 10%: it stops there
        [200.0]
        """
        one, two = self.lines(heads, surplus)
        least: NDArray[np.float64] = np.minimum(one[0] + one[1] * premium, two[0] + two[1] * premium)
        return np.maximum(least, 0.0)

    def held_after(self, put: NDArray[np.float64]) -> NDArray[np.float64]:
        """The reserve at the end of each month, shape (n, 12) [yuan]."""
        return self.held + put[:, None] * self.growth


@dataclass(frozen=True, eq=False)
class Adjustment:
    """What an adjustment fund gives back: the part of a deficit, and how often the contribution at most."""

    covers: float
    at_most_times: float
    rate: float

    def limit(self, income: NDArray[np.float64]) -> NDArray[np.float64]:
        """The most that it gives, for receipts before the contribution [yuan]."""
        return self.at_most_times * self.rate * income

    def given(self, balance: NDArray[np.float64], income: NDArray[np.float64]) -> NDArray[np.float64]:
        """What it gives for a closing balance [yuan].

        Examples
        --------
        >>> Adjustment(1.0, 2.0, 0.05).given(np.array([-30.0, -300.0, 5.0]), np.full(3, 1000.0)).tolist()
        [30.0, 100.0, 0.0]
        """
        found: NDArray[np.float64] = np.minimum(self.covers * np.maximum(-balance, 0.0), self.limit(income))
        return found


def needed(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    weight: NDArray[np.float64],
    one: Line,
    two: Line,
) -> NDArray[np.float64]:
    """Smallest amount from which ``a + b·p − weight·max(0, min(one, two))`` is not negative, by month, shape (n, M).

    Parameters
    ----------
    a, b : ndarray, shape (n, M)
    weight : ndarray, shape (M,)
        0 where nothing has been taken yet; below 0 where what is put in counts for more than what is taken.
    one, two : (constant, slope)

    Examples
    --------
    >>> line = (np.zeros(1), np.array([0.5]))
    >>> needed(np.array([[-4.0]]), np.array([[1.0]]), np.ones(1), line, line).tolist()
    [[8.0]]
    """
    found = np.empty(a.shape)
    for m in range(a.shape[1]):
        plain = required_amount(a[:, m : m + 1], b[:, m : m + 1])
        g = weight[m]
        if g == 0:
            found[:, m] = plain
            continue
        first, second = (_from(a[:, m] - g * c, b[:, m] - g * s) for c, s in (one, two))
        if g > 0:
            found[:, m] = np.maximum(plain, np.minimum(first, second))
        else:
            found[:, m] = np.minimum(plain, np.maximum(first, second))
    return found


def _from(constant: NDArray[np.float64], slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Amount from which a line is never negative again; infinite where it falls."""
    return np.where(slope < 0, np.inf, required_amount(constant[:, None], slope[:, None]))
