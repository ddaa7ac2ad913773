r"""Monthly shares from one or two years of a place's own: shrunk to a reference, with what that leaves unknown.

A place's cumulative share :math:`m_k` of the first :math:`k` months is taken as normal around the reference's,
with standard deviation :math:`\tau_k` between places; a year's share as normal around :math:`m_k` with
:math:`\sigma_k` between years. With the mean :math:`\bar s_k` of :math:`n` own years the profile is

.. math:: \hat s_k = w\,\bar s_k+(1-w)\,r_k,\qquad
          w=\frac{n\,\overline{\tau^2}}{n\,\overline{\tau^2}+\overline{\sigma^2}},

one weight for all months, so that the shares stay a year's (Bühlmann's credibility, averaged over the months),
and the share of the year to come differs from it with variance

.. math:: (1-w)^2\left(\tau_k^2+\sigma_k^2/n_r\right)+\sigma_k^2\left(1+w^2/n\right)f^2 .

:math:`\sigma_k=c\sqrt{u(1-u)}`, :math:`u=k/12`, a bridge: nothing is unknown at the ends of the year. :math:`c` is
pooled from the reference's years and the own ones by their degrees of freedom :math:`\nu`, and
:math:`f=t_{\nu,0.975}/1.96` widens it because few years say how much years differ. Where no reference is
given it is even shares, and :math:`\tau_k` the distance at which the national pattern lies from them
(``season.yaml``, derived from the national series of 2013–2015): a place has some season, and nothing says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from actuarial.results import Source

_U = np.arange(1, 12) / 12
BRIDGE = np.sqrt(_U * (1 - _U))
"""Shape over k = 1…11 of what is unknown of the share of the first k months."""


@cache
def national() -> dict[str, Any]:
    """The derived parameters of the national series, with their source."""
    return yaml.safe_load(files(__package__).joinpath("season.yaml").read_text(encoding="utf-8"))


def few(freedom: int) -> float:
    """How much a 95% interval widens because its spread is estimated with so many degrees of freedom.

    Examples
    --------
    >>> round(few(2), 2), round(few(1000), 2)
    (2.2, 1.0)
    """
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(freedom, 0.975) / ndtri(0.975))


def bridge_sd(shares: NDArray[np.float64]) -> float:
    """Coefficient of the bridge from the shares of two or more years, (years, 12).

    Examples
    --------
    >>> bridge_sd(np.full((2, 12), 1 / 12))
    0.0
    """
    spread = shares.cumsum(axis=1)[:, :-1].var(axis=0, ddof=1)
    return float(np.sqrt((spread / BRIDGE**2).mean()))


@dataclass(frozen=True)
class SeasonalPrior:
    """What is unknown of a profile that rests on one or two years of its own.

    Parameters
    ----------
    years : int
        Own years, 1 or 2.
    weight : float
        Of the own years; the rest is the reference's.
    between : float
        Coefficient of the spread between years.
    freedom : int
        Its degrees of freedom.
    place : ndarray, shape (11,)
        Standard deviation between places of the share of the first k months, with the reference's own error.
    """

    years: int
    weight: float
    between: float
    freedom: int
    place: NDArray[np.float64]

    def sd(self, months: int) -> float:
        """Standard deviation, widened, of the share of the first `months` months of a year; 0 for the whole year."""
        if not 1 <= months <= 11:
            return 0.0
        year = self.between * BRIDGE[months - 1] * few(self.freedom)
        own = year**2 * (1 + self.weight**2 / self.years)
        return float(np.sqrt(own + ((1 - self.weight) * self.place[months - 1]) ** 2))


def shrunk(
    own: NDArray[np.float64],
    reference: NDArray[np.float64] | None,
    reference_years: NDArray[np.float64],
    place_sd: float | None,
) -> tuple[NDArray[np.float64], SeasonalPrior, Source]:
    """Shares of one or two own years, shrunk.

    Parameters
    ----------
    own : ndarray, shape (1 or 2, 12)
    reference : ndarray, shape (12,), optional
        Shares of the reference; even ones if not given.
    reference_years : ndarray, shape (n, 12)
        The reference's years; without two of them the national spread is used.
    place_sd : float, optional
        Standard deviation between places [share]; the distance of the national pattern from even shares if
        not given.

    Examples
    --------
    >>> year = np.array([[0.07] * 10 + [0.1, 0.2]])
    >>> shares, prior, _ = shrunk(year, None, np.empty((0, 12)), None)
    >>> round(prior.weight, 3), round(float(shares.sum()), 12), round(prior.sd(10), 3)
    (0.994, 1.0, 0.01)
    """
    known, n = national(), len(own)
    between, freedom = known["between_years"]["value"], known["between_years"]["freedom"]
    if len(reference_years) >= 2:
        between, freedom = bridge_sd(reference_years), len(reference_years) - 1
    if n > 1:
        pooled = freedom * between**2 + (n - 1) * bridge_sd(own) ** 2
        freedom += n - 1
        between = float(np.sqrt(pooled / freedom))
    place = np.full(11, place_sd) if place_sd is not None else known["even_distance"]["value"] * BRIDGE
    if len(reference_years):
        place = np.hypot(place, between * BRIDGE / np.sqrt(len(reference_years)))
    tau, sigma = float((place**2).mean()), float(((between * BRIDGE) ** 2).mean())
    weight = n * tau / (n * tau + sigma) if tau + sigma > 0 else 1.0
    centre = np.full(12, 1 / 12) if reference is None else reference
    shares = weight * own.mean(axis=0) + (1 - weight) * centre
    source = Source("seasonal_prior", str(known["source"]), status=str(known["status"]))
    return shares / shares.sum(), SeasonalPrior(n, weight, between, freedom, place), source
