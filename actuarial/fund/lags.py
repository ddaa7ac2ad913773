r"""Payment lag: claims incurred are paid in their own month and in the months after it.

With :math:`q_l` the share paid :math:`l` months after the month of service, a month's payments are

.. math:: P_m=\sum_{l\le m}q_l I_{m-l}+D_m,

:math:`D_m` being what falls due of claims of earlier years. What is unpaid at the end of a year falls due in the months after it, so

.. math:: \text{incurred} = \text{paid} + \text{closing liabilities} - \text{opening liabilities}

holds on every path. What is unpaid when the planned year begins is that of the base year's months under the pattern,
:math:`\lambda=\sum_k s_k\bigl(1-\sum_{l<12-k}q_l\bigr)` of the year (months :math:`k=0\dots11`), or the amount that the plan
states. Where the base year is on the paid basis its payments stand for its incurred claims in this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.cost import CostForecast
from actuarial.errors import Fault, InputError
from actuarial.experience.completion import completion_pattern
from actuarial.plan import Plan
from actuarial.plan.risks import MOST_LAGS

Array = NDArray[np.float64]
AHEAD = MOST_LAGS - 1
"""Months after a year in which its claims may still fall due."""


@dataclass(frozen=True, eq=False)
class PaymentLag:
    """When claims are paid.

    Parameters
    ----------
    pattern : ndarray, shape (at most 25,)
        Share paid by months after the month of service; sums to 1.
    base : ndarray, shape (24,)
        What is unpaid of the base year at its end, by the month in which it falls due, over the year's cost.
    incurred : bool
        Whether the base year is on the incurred basis: what is unpaid is then part of its cost.
    opening : float or None
        Unpaid when the planned year begins, where it is stated [yuan].

    Examples
    --------
    >>> lag = PaymentLag(np.array([0.5, 0.5]), np.zeros(24), True, None)
    >>> paid, due = lag.pay(np.full((1, 12), 10.0), np.zeros((1, 24)))
    >>> paid[0, :3].tolist(), due.sum()
    ([5.0, 10.0, 10.0], np.float64(5.0))
    """

    pattern: Array
    base: Array
    incurred: bool
    opening: float | None

    def pay(self, incurred: Array, due: Array) -> tuple[Array, Array]:
        """Payments of a year and what falls due after it.

        Parameters
        ----------
        incurred : ndarray, shape (n, 12)
        due : ndarray, shape (n, 24)
            Of earlier years, by month from the year's first [yuan].

        Returns
        -------
        paid : ndarray, shape (n, 12)
        due : ndarray, shape (n, 24)
        """
        whole = np.zeros((12 + AHEAD, len(incurred))).T  # a month's paths in one piece
        whole[:, :AHEAD] = due
        for lag, share in enumerate(self.pattern):
            whole[:, lag : lag + 12] += share * incurred
        return whole[:, :12], whole[:, 12:]

    def within(self, growth: float) -> Array:
        """What a yuan incurred in each month takes from the year's closing balance at a monthly growth factor, (12,)."""
        lags = np.arange(len(self.pattern))
        left = 11 - np.arange(12)[:, None] - lags
        return np.asarray(
            (self.pattern * np.where(left >= 0, growth ** np.maximum(left, 0), 0.0)).sum(axis=1)
        )

    def opening_due(self, base_total: Array, paid: float, stub: int) -> Array:
        """What falls due of the base year from the planned year's first month on, shape (n, 24) [yuan].

        Parameters
        ----------
        base_total : ndarray, shape (n,)
            Cost of the base year.
        paid : float
            Of it by the valuation date.
        stub : int
            Months between valuation date and year end.
        """
        total = float(self.base.sum())
        amount = base_total * total
        if self.opening is not None:
            amount = np.full_like(base_total, self.opening)
        elif self.incurred:
            left = np.maximum(base_total - paid, 0.0)
            amount = np.minimum(amount, left) if stub else left
        first = np.zeros(AHEAD)
        first[0] = 1.0
        return np.outer(self.base / total if total > 0 else first, amount).T


def unpaid_pattern(pattern: Array, shares: Array) -> Array:
    """What is unpaid of a year at its end by the month in which it falls due, over the year's cost; shape (24,).

    Examples
    --------
    >>> unpaid_pattern(np.array([0.2, 0.5, 0.3]), np.full(12, 1 / 12)).round(4)[:3].tolist()
    [0.0667, 0.025, 0.0]
    """
    due = np.zeros(12 + AHEAD)
    for lag, share in enumerate(pattern):
        due[lag : lag + 12] += share * shares
    return due[12:]


def plan_lag(plan: Plan, cost: CostForecast) -> PaymentLag | None:
    """The plan's payment lag, or None.

    Raises
    ------
    InputError
        If the run-off is asked for and the plan has no claims on the incurred basis, or it is longer than two years.
    """
    spec = plan.model.payment_lag
    if spec is None:
        return None
    completed = cost.base.completed
    if spec.pattern != "completion":
        pattern = np.array(spec.pattern)
    elif completed is None:
        raise InputError([Fault("risks.no_run_off", file=plan.file)])
    else:
        upto = completion_pattern(completed.factors["factor"].to_numpy())
        pattern = np.maximum(np.diff(upto, prepend=0.0), 0.0)
        if len(pattern) > MOST_LAGS:
            pattern = np.append(pattern[: MOST_LAGS - 1], pattern[MOST_LAGS - 1 :].sum())
    pattern = pattern / pattern.sum()
    shares = cost.base.profile.shares
    claims = plan.model.tables.get("claims")
    incurred = claims is not None and claims.basis == "incurred"
    opening = spec.opening.value if spec.opening else None
    return PaymentLag(pattern, unpaid_pattern(pattern, shares), incurred, opening)
