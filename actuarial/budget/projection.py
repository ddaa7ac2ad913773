r"""The year's spending, conditional on the months seen.

With :math:`Y_k` spent in the first :math:`k` months, :math:`S` their share of the year (logit-normal with the spread of
the profile between years, between places and of single claims) and :math:`T_1,\dots,T_n` the simulated totals,

.. math:: w_i\propto f_S(Y_k/T_i)/T_i ,

Bayes' rule with the simulation as prior; a total that is below what was spent has no weight. Where only a ceiling is known
there is no prior, and :math:`T=Y_k/S`. Where the months seen lie in a tail of less than 1% of what the simulation
expected, the simulation is set aside, and the result says so: a wrong prior is worse than none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from actuarial.budget.phasing import YearBudget

NODES = 4001
CONFLICT = 0.01
"""Two-sided tail probability of the months seen under which the simulation is set aside."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Spending of the year as weighted values.

    Parameters
    ----------
    values, weights : ndarray
        Sorted totals [yuan]; weights sum to 1.
    seen : float
        Spent so far [yuan].
    months : int
    surprise : float
        Two-sided tail probability of the months seen under the simulation; NaN without one.
    prior_used : bool
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    seen: float
    months: int
    surprise: float
    prior_used: bool

    @property
    def mean(self) -> float:
        """Expected total [yuan]."""
        return float(self.values @ self.weights)

    def quantile(self, level: float) -> float:
        """A quantile of the total [yuan]."""
        at = int(np.searchsorted(np.cumsum(self.weights), level * (1 - 1e-12)))
        return float(self.values[min(at, len(self.values) - 1)])

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Central interval of the total [yuan]."""
        return self.quantile(0.5 - level / 2), self.quantile(0.5 + level / 2)

    def over(self, amount: float) -> float:
        """Probability that the total passes an amount."""
        return float(self.weights[self.values > amount].sum())


def share_law(year: YearBudget, months: int) -> tuple[float, float]:
    """Centre and spread, on the logit scale, of the share of the first `months` months."""
    s = year.profile.cumulative(months)
    sd = float(
        np.sqrt(year.profile.year_sd(months) ** 2 + year.place_sd**2 + year.process_sd[months - 1] ** 2)
    )
    return float(np.log(s / (1 - s))), max(sd / (s * (1 - s)), 1e-6)


def weights_given(
    totals: NDArray[np.float64], seen: ArrayLike, centre: float, spread: float
) -> NDArray[np.float64]:
    """Weight of each total given what was seen; one row for each value of `seen`."""
    share = np.atleast_1d(np.asarray(seen, dtype=np.float64))[:, None] / totals[None, :]
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    z = (np.log(safe / (1 - safe)) - centre) / spread
    log = np.where(inside, -0.5 * z * z - np.log1p(-safe), -np.inf)  # f_S(Y/T)/T up to a factor without T
    top = log.max(axis=1, keepdims=True)
    weight = np.exp(log - np.where(np.isfinite(top), top, 0.0))
    sums = weight.sum(axis=1, keepdims=True)
    return np.divide(weight, sums, out=np.zeros_like(weight), where=sums > 0)


def project(year: YearBudget, seen: float, months: int) -> Projection:
    """Total claims of the year given those of the first months.

    Parameters
    ----------
    year : YearBudget
    seen : float
        Claims of the first `months` months [yuan].
    months : int
        From 1 to 12.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.budget import base_year_budget
    >>> year = base_year_budget(act.load_plan(act.sample_path("anhui_county/plan.yaml")))
    >>> p = project(year, 20_779_000, 5)
    >>> round(p.quantile(0.5) / 20_779_000 * year.profile.cumulative(5), 3)
    1.0
    """
    if months >= 12 or seen <= 0:
        return Projection(np.array([seen]), np.ones(1), seen, months, float("nan"), False)
    centre, spread = share_law(year, months)
    z = ndtri((np.arange(NODES) + 0.5) / NODES)
    free = np.sort(seen * (1 + np.exp(-(centre + spread * z))))
    even = np.full(NODES, 1 / NODES)
    if year.prior is None:
        return Projection(free, even, seen, months, float("nan"), False)
    totals = np.sort(year.prior[year.prior > 0])
    share = np.clip(seen / totals, 1e-12, 1 - 1e-12)
    below = float(ndtr((np.log(share / (1 - share)) - centre) / spread).mean())  # P(Y ≤ seen)
    surprise = 2 * min(below, 1 - below)
    weight = weights_given(totals, seen, centre, spread)[0]
    if surprise < CONFLICT or not weight.sum() > 0:
        return Projection(free, even, seen, months, surprise, False)
    return Projection(totals, weight, seen, months, surprise, True)
