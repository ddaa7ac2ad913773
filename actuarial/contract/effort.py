r"""What the insurer would save if it followed the contract: effort, and where the incentive ends.

The insurer may save :math:`s` yuan of claims on every path at the cost

.. math:: c(s) = c_1\,\Bigl(\frac{s}{1\%\ \text{of mean claims}}\Bigr)^2 ,

one stated parameter: what saving the first percent costs. It chooses the :math:`s` that makes
:math:`E[F(x+s)] - c(s)` greatest. The marginal incentive at an outcome is the slope :math:`F'(x)`: what it keeps of the next yuan saved.
Both parties' best together would be the :math:`s` at which :math:`c'(s)=1`. The quadratic is the usual one of the theory of incentives; its
parameter is an assumption wherever it is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from actuarial.contract.outcomes import Outcomes
from actuarial.errors import Fault, InputError
from actuarial.layers import Piecewise

STEPS = 400
"""Points of the first search for the best saving; the best is then refined within its neighbours."""
MOST_SAVED = 0.20
"""No more than this share of mean claims is searched: beyond it a quadratic says nothing."""


@dataclass(frozen=True)
class Effort:
    """How dear it is to save claims.

    Parameters
    ----------
    first_percent : float
        Cost of saving 1% of mean claims [yuan], above 0. Saving s percent costs s² times as much.
    source : str
        Who says so; an assumption unless measured.

    Examples
    --------
    >>> Effort(500_000).cost(4_000_000, mean_claims=200_000_000)
    2000000.0
    """

    first_percent: float
    source: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.first_percent < math.inf:
            raise InputError([Fault("bargain.effort", params={"value": self.first_percent})])

    def cost(self, saving: float, *, mean_claims: float) -> float:
        """Cost of saving `saving` a year [yuan]."""
        return float(self.first_percent * (saving / (0.01 * mean_claims)) ** 2)

    def costs(self, saving: np.ndarray, *, mean_claims: float) -> np.ndarray:
        """The same for an array of savings."""
        return self.first_percent * (saving / (0.01 * mean_claims)) ** 2

    def together(self, *, mean_claims: float) -> float:
        """The saving that is best for both sides together, where the last yuan saved costs a yuan [yuan]."""
        return min((0.01 * mean_claims) ** 2 / (2 * self.first_percent), MOST_SAVED * mean_claims)


@dataclass(frozen=True)
class Saving:
    """What the insurer rationally saves.

    Parameters
    ----------
    saving, cost : float
        Saving a year and what it costs the insurer [yuan].
    insurer_gain, fund_gain : float
        Change of each side's expected result, the insurer's after the cost of saving [yuan].
    incentive : float
        What the insurer keeps of the next yuan saved, on average over the paths, without any saving.
    together : float
        The saving that would be best for both sides together [yuan].
    at_limit : bool
        Whether the search ended at its limit of a fifth of mean claims.
    """

    saving: float
    cost: float
    insurer_gain: float
    fund_gain: float
    incentive: float
    together: float
    at_limit: bool


def rational_saving(curve: Piecewise, outcomes: Outcomes, effort: Effort, *, mean_claims: float) -> Saving:
    """The saving that makes the insurer's expected result, less the cost of saving, greatest.

    Parameters
    ----------
    curve : Piecewise
        The insurer's result as a function of the outcome.
    outcomes : Outcomes
    effort : Effort
    mean_claims : float
        [yuan], above 0.

    Examples
    --------
    Half of every yuan: half of the saving that would be best together.

    >>> half = rational_saving(Piecewise([], [0.5]), Outcomes([0.0]), Effort(500_000), mean_claims=2e8)
    >>> round(half.saving), round(half.together)
    (2000000, 4000000)
    """
    limit = MOST_SAVED * mean_claims

    def worth(saving: np.ndarray) -> np.ndarray:
        gain = np.asarray(outcomes.mean(curve, saving))
        return gain - effort.costs(saving, mean_claims=mean_claims)

    low, high = 0.0, limit
    best = 0.0
    for _ in range(3):  # each pass narrows the grid around its best point
        grid = np.linspace(low, high, STEPS + 1)
        best = float(grid[int(np.argmax(worth(grid)))])
        width = (high - low) / STEPS
        low, high = max(best - width, 0.0), min(best + width, limit)
    start, end = np.asarray(outcomes.mean(curve, [0.0, best]))
    cost = effort.cost(best, mean_claims=mean_claims)
    return Saving(best, cost, float(end - start - cost), float(best - (end - start)), mean_slope(curve, outcomes),
                  effort.together(mean_claims=mean_claims), best >= limit * (1 - 1e-9))  # fmt: skip


def mean_slope(curve: Piecewise, outcomes: Outcomes) -> float:
    """What the insurer keeps of one more yuan saved, on average over the paths (jumps apart)."""
    return float(sum(s * m for s, m in zip(curve.slopes, masses(curve, outcomes), strict=True)))


def masses(curve: Piecewise, outcomes: Outcomes) -> list[float]:
    """Share of paths within each segment of the curve."""
    side = "right" if curve.closed == "right" else "left"
    cut = np.searchsorted(outcomes.sorted, np.array(curve.edges), side=side)  # type: ignore[call-overload]
    return [float(b - a) / outcomes.n for a, b in pairwise([0, *cut.tolist(), outcomes.n])]


def incentive_table(curve: Piecewise, outcomes: Outcomes) -> pd.DataFrame:
    """The marginal incentive segment by segment of the outcome.

    Returns
    -------
    DataFrame
        ``low``, ``high`` [yuan], ``insurer_keeps`` (of one more yuan saved), ``jump_at_low`` [yuan], ``probability``.

    Examples
    --------
    >>> incentive_table(Piecewise([0.0, 5.0], [0.0, 0.5, 0.0]), Outcomes([-1.0, 2.0, 3.0, 9.0]))["probability"].tolist()
    [0.25, 0.5, 0.25]
    """
    ends = [-math.inf, *curve.edges, math.inf]
    return pd.DataFrame(
        {
            "low": ends[:-1],
            "high": ends[1:],
            "insurer_keeps": list(curve.slopes),
            "jump_at_low": [0.0, *curve.jumps],
            "probability": masses(curve, outcomes),
        }
    )
