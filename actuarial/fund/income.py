r"""Income and accounts on paths: arrears that differ between paths, accounts with their own rates, transfers, reserves.

With the responses of :mod:`actuarial.fund.accounts`, :math:`G_{km}` of the paying account, :math:`R^{a}_{km}` of the account in which a payer's money lands,

.. math:: A_m = A^0_m-\sum_k G_{km}\,\text{out}_k,\qquad
          b_m = H\sum_i w_i \sum_k R^{a(i)}_{km}\,\bigl(C_i'(k)-C_i'(k-1)\bigr)

where :math:`A^0` holds the cash at the valuation date, what is owed of the base year and stated transfers. A plan that states none of this has
no :class:`Income`, and its paths are those of :mod:`actuarial.fund.paths`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.fund.accounts import Banking
from actuarial.fund.arrivals import Arrival, late_calendar, steps
from actuarial.fund.reserve import Adjustment, Reserve


@dataclass(frozen=True, eq=False)
class Income:
    """What is the same on every path.

    Parameters
    ----------
    payers : tuple of str
    weights : ndarray, shape (P,)
        Share of the standard that each payer gives.
    kept : ndarray, shape (P,)
        Part of it that reaches the fund's own money; the rest goes to personal accounts and the adjustment fund.
    calendar : ndarray, shape (P, 13)
        As stated, before arrears.
    arrivals : tuple of Arrival or None
    landing : tuple of int
        Account in which each payer's money lands.
    bank : Banking
        Over the months not yet seen and the planned year, T = S + 12.
    paying : int
        Account from which claims and premiums are paid.
    opening : ndarray, shape (K,)
        Cash at the valuation date, less unpaid claims that are due [yuan].
    flows, before : ndarray, shape (T, K)
        Fixed flows of the planned year and of what came before it (arrears of the base year among them) [yuan].
    owed : tuple of (arrival, yuan, account)
        Parts of the base year's arrears that are uncertain.
    remainder : int
        Month of T in which arrears of the base year are due; −1 where the base year is over.
    reserve, adjustment
    seen : int
        Months of the planned year whose receipts are known: they do not depend on the amount per head.
    """

    payers: tuple[str, ...]
    weights: NDArray[np.float64]
    kept: NDArray[np.float64]
    calendar: NDArray[np.float64]
    arrivals: tuple[Arrival | None, ...]
    landing: tuple[int, ...]
    bank: Banking
    paying: int
    opening: NDArray[np.float64]
    flows: NDArray[np.float64]
    before: NDArray[np.float64]
    owed: tuple[tuple[Arrival, float, int], ...] = ()
    remainder: int = -1
    reserve: Reserve | None = None
    adjustment: Adjustment | None = None
    seen: int = 0

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """Streams of arrears, in the order of payers."""
        return tuple(c for a in self.arrivals if a is not None for c in a.columns)

    @property
    def bends(self) -> bool:
        """Whether the balance is not a straight line in the amount per head: a reserve, or an adjustment fund that gives."""
        return self.reserve is not None or (self.adjustment is not None and self.adjustment.covers > 0)

    @property
    def stub(self) -> int:
        """Months not yet seen of the base year."""
        return self.bank.months - 12

    def realised(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each stream of arrears turns out to be, shape (n, columns)."""
        found, at = np.empty_like(z), 0
        for arrival in self.arrivals:
            for kind in arrival.random if arrival is not None else ():
                assert arrival is not None
                found[:, at] = arrival.value(kind, z[:, at])
                at += 1
        return found

    def values(self, payer: int, kind: str, real: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share, delay or outstanding share of a payer, shape (n,), or (1,) where it is the same on all paths."""
        at = 0
        for i, arrival in enumerate(self.arrivals):
            for k in arrival.random if arrival is not None else ():
                if (i, k) == (payer, kind):
                    return real[:, at]
                at += 1
        own = self.arrivals[payer]
        if own is None:
            return np.array([0.0 if kind == "delay" else 1.0])
        return own.value(kind)

    def received(self, payer: int, real: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of a payer's amount that comes in each month, shape (n, 12) or (1, 12)."""
        share, delay = self.values(payer, "share", real), self.values(payer, "delay", real)
        return steps(late_calendar(self.calendar[payer], share, delay))

    def late_share(self, real: NDArray[np.float64]) -> NDArray[np.float64]:
        """Part of the standard, by payer, that comes after the planned year, shape (n, P)."""
        parts = [1 - self.received(i, real).sum(axis=1) for i in range(len(self.payers))]
        return np.stack([np.broadcast_to(p, len(real)) for p in parts], axis=1) * self.weights

    def slope(
        self, real: NDArray[np.float64], weights: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Balance at the end of each month per head and per yuan of the standard, shape (n, 12) or (1, 12).

        Parameters
        ----------
        real : ndarray, shape (n, columns)
        weights : ndarray, shape (P,), optional
            Shares of a change by payer; those of the standard unless given.
        """
        shares = self.weights if weights is None else weights
        total = np.zeros((1, 12))
        for i, share in enumerate(shares * self.kept):
            response = self.bank.total(self.landing[i])[self.stub :, self.stub :]
            come = self.received(i, real)
            come[:, : self.seen] = 0.0
            total = total + share * (come @ response)
        return total

    def receipts(
        self, real: NDArray[np.float64], weights: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Receipts of the year per head and yuan of the standard before the adjustment fund takes its part, shape (n,)."""
        rate = self.adjustment.rate if self.adjustment is not None else 0.0
        shares = (
            (self.weights if weights is None else weights) * self.kept / (1 - rate)
            if rate < 1
            else 0 * self.kept
        )
        total = np.zeros(len(real))
        for i, share in enumerate(shares):
            total = total + share * self.received(i, real).sum(axis=1)
        return total

    def owed_flows(self, real: NDArray[np.float64]) -> list[tuple[int, int, NDArray[np.float64]]]:
        """Uncertain arrears of the base year: month, account, amount by path [yuan]."""
        found = []
        for arrival, amount, account in self.owed:
            late = self.stub + arrival.spec.late_month - 1
            if self.remainder < 0:
                found.append((late, account, np.array([amount])))
                continue
            share = self.values(self.payers.index(arrival.payer), "outstanding", real)
            found += [(self.remainder, account, amount * share), (late, account, amount * (1 - share))]
        return found

    def roll(
        self, real: NDArray[np.float64], out: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Balances at an amount of 0, and what of the closing one comes from before the planned year.

        Parameters
        ----------
        real : ndarray, shape (n, columns)
        out : ndarray, shape (n, T)
            Claims and premiums by month [yuan].

        Returns
        -------
        (ndarray of shape (n, T), ndarray of shape (n,))
            [yuan]
        """
        weigh = self.bank.total(self.paying)
        earlier = self.bank.balances(self.opening, self.before).sum(axis=1) - self.bank.moved.sum(axis=1)
        own = self.bank.balances(np.zeros_like(self.opening), self.flows).sum(axis=1)
        level = earlier + own - out @ weigh
        carried = earlier[-1] - out[:, : self.stub] @ weigh[: self.stub, -1]
        for month, account, amount in self.owed_flows(real):
            row = self.bank.total(account)[month]
            level = level + amount[:, None] * row
            carried = carried + amount * row[-1]
        return level, carried
