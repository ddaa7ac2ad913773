r"""Bank accounts of a fund: each with its own rate, and standing orders between them.

With balances :math:`x` by account, monthly rates :math:`j` and what lands in a month :math:`f`, a month is

.. math:: x_m = M_m\,\bigl[(1+j)\circ x_{m-1} + f_m\bigr] + c_m

where :math:`M_m, c_m` are the month's standing orders, one after the other. They move money and make none: the columns of :math:`M_m`
sum to 1, :math:`c_m` to 0. All of it is linear, so a balance is the sum of responses to single yuans: :attr:`Banking.response`. The
fund's balance stays linear in the amount per head, and its inversion exact, however many accounts there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Move:
    """A standing order: `share` of one account to another, or what brings the other to `fill_to` [yuan].

    `months`: those of the year in which it is carried out; none means all.
    """

    origin: int
    to: int
    share: float = 0.0
    fill_to: float | None = None
    months: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Banking:
    """Responses of the balances of K accounts over T months to one yuan.

    Parameters
    ----------
    names : tuple of str
    rates : ndarray, shape (K,)
        A month.
    response : ndarray, shape (T, K, T, K)
        ``response[k, a, m, b]``: balance of account `b` at the end of month `m` from one yuan that lands in `a` in month `k`.
    start : ndarray, shape (K, T, K)
        The same from one yuan in `a` before the first month.
    moved : ndarray, shape (T, K)
        Balances from the fixed amounts of standing orders alone; they sum to their interest.

    Examples
    --------
    >>> bank = banking(["one"], [0.12], [], [1, 2, 3])
    >>> bank.start[0, :, 0].round(6).tolist(), bank.response[1, 0, :, 0].round(6).tolist()
    ([1.01, 1.0201, 1.030301], [0.0, 1.0, 1.01])
    """

    names: tuple[str, ...]
    rates: NDArray[np.float64]
    response: NDArray[np.float64]
    start: NDArray[np.float64]
    moved: NDArray[np.float64]

    @property
    def months(self) -> int:
        """How many months there are."""
        return self.response.shape[0]

    def total(self, account: int) -> NDArray[np.float64]:
        """Balance of all accounts at the end of a month (columns) from one yuan that lands in `account` in a month (rows)."""
        return self.response[:, account].sum(axis=2)

    def balances(self, opening: NDArray[np.float64], flows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Balances by month and account, shape (T, K) [yuan].

        Parameters
        ----------
        opening : ndarray, shape (K,)
        flows : ndarray, shape (T, K)
        """
        own = np.einsum("ka,kamb->mb", flows, self.response)
        return np.einsum("a,amb->mb", opening, self.start) + own + self.moved

    def interest(self, opening: NDArray[np.float64], flows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Interest by month and account, shape (T, K) [yuan]; a negative balance pays it."""
        held = self.balances(opening, flows)
        return np.vstack([opening, held[:-1]]) * self.rates


def banking(
    names: Sequence[str], yearly_rates: Sequence[float], moves: Sequence[Move], months: Sequence[int]
) -> Banking:
    """Responses of accounts over a run of months.

    Parameters
    ----------
    names : sequence of str, length K
    yearly_rates : sequence of float
        Fractions; a twelfth of them counts a month.
    moves : sequence of Move
        In the order in which they are carried out.
    months : sequence of int, length T
        Of the year, 1 to 12.
    """
    rates = np.asarray(yearly_rates, dtype=np.float64) / 12
    count, last = len(names), len(months)
    orders = [_orders(count, [m for m in moves if not m.months or month in m.months]) for month in months]
    response = np.zeros((last, count, last, count))
    start, moved, level = np.zeros((count, last, count)), np.zeros((last, count)), np.zeros(count)
    held = np.eye(count)
    for k, (shift, fixed) in enumerate(orders):
        level = shift @ ((1 + rates) * level) + fixed
        moved[k] = level
        held = held * (1 + rates) @ shift.T
        start[:, k] = held
        landed = shift.T.copy()
        response[k, :, k] = landed
        for m in range(k + 1, last):
            landed = landed * (1 + rates) @ orders[m][0].T
            response[k, :, m] = landed
    return Banking(tuple(names), rates, response, start, moved)


def _orders(count: int, moves: Sequence[Move]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix and constant of a month's standing orders."""
    matrix, fixed = np.eye(count), np.zeros(count)
    for move in moves:
        step, amount = np.eye(count), np.zeros(count)
        if move.fill_to is None:
            step[move.origin, move.origin] -= move.share
            step[move.to, move.origin] += move.share
        else:  # the other gives or takes what is missing
            step[move.to, move.to] -= 1.0
            step[move.origin, move.to] += 1.0
            amount[move.to] += move.fill_to
            amount[move.origin] -= move.fill_to
        matrix, fixed = step @ matrix, step @ fixed + amount
    return matrix, fixed
