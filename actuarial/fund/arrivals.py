r"""How late, and how much of it, a payer's money comes.

The calendar :math:`C(m)` says what share of the yearly amount should have come by the end of month :math:`m`. On a path

.. math:: C'(m) = X\,C(m-D),\qquad X\sim\text{Beta},\quad D\sim\text{Gamma},

with :math:`C` linear between the ends of months and 0 before month 0. What has not come by month 12, :math:`1-C'(12)`, goes to the next
year: it is not lost, and it is not counted in this one.

Draws are quantiles of standard normals, one stream a payer and kind, whose key hangs on the payer's name.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaincinv, ndtr

from actuarial.plan.income import ArrivalSpec

ARREARS = 21
"""First part of the spawn key of arrears."""
KINDS = ("share", "delay", "outstanding")
_NODES = 2048


@dataclass(frozen=True)
class Arrival:
    """The distribution of one payer's arrears; see :class:`actuarial.plan.income.ArrivalSpec`."""

    payer: str
    spec: ArrivalSpec

    @property
    def random(self) -> tuple[str, ...]:
        """The kinds that are drawn."""
        spreads = (self.spec.sd, self.spec.delay_sd, self.spec.outstanding_sd)
        return tuple(k for k, sd in zip(KINDS, spreads, strict=True) if sd > 0)

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """Component and column of the stream of each kind that is drawn."""
        return tuple((ARREARS, zlib.crc32(f"{self.payer} {kind}".encode())) for kind in self.random)

    def value(self, kind: str, z: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Values of a kind on paths with these normals; the stated one, shape (1,), where it is not drawn.

        Examples
        --------
        >>> spec = ArrivalSpec(mean=0.9, sd=0.05, status="assumed", source="example")
        >>> share = Arrival("subsidy_county", spec).value("share", np.array([-1.0, 0.0, 1.0]))
        >>> share.round(3).tolist()
        [0.851, 0.908, 0.949]
        """
        mean, sd = {
            "share": (self.spec.mean, self.spec.sd),
            "delay": (self.spec.delay, self.spec.delay_sd),
            "outstanding": (self.spec.outstanding, self.spec.outstanding_sd),
        }[kind]
        if z is None or sd == 0:
            return np.array([mean])
        return gamma_quantile(mean, sd, z) if kind == "delay" else beta_quantile(mean, sd, z)

    def expected(self, calendar: NDArray[np.float64]) -> NDArray[np.float64]:
        """Expected share of the amount that has come by the end of month 0…12, shape (13,)."""
        z = _middles() if "delay" in self.random else None
        late = late_calendar(calendar, np.ones(1), self.value("delay", z))
        first = (
            float(calendar[0]) if self.spec.delay == 0 else 0.0
        )  # what is late is not there before the year
        return self.spec.mean * np.concatenate([[first], late.mean(axis=0)])


def beta_quantile(mean: float, sd: float, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of a beta with this mean and sd at standard normals."""
    size = mean * (1 - mean) / sd**2 - 1
    found: NDArray[np.float64] = betaincinv(mean * size, (1 - mean) * size, ndtr(z))
    return found


def gamma_quantile(mean: float, sd: float, z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles of a gamma with this mean and sd at standard normals."""
    shape = (mean / sd) ** 2
    found: NDArray[np.float64] = gammaincinv(shape, ndtr(z)) * mean / shape
    return found


def late_calendar(
    calendar: NDArray[np.float64], share: NDArray[np.float64], delay: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cumulative share that has come by the end of months 1…12, shape (n, 12).

    Parameters
    ----------
    calendar : ndarray, shape (13,)
        By the end of month 0…12.
    share, delay : ndarray, shape (n,) or (1,)
        Part that comes at all; months of delay.

    Examples
    --------
    >>> half = np.concatenate([[0.0], np.repeat([0.5, 1.0], 6)])
    >>> late_calendar(half, np.ones(1), np.array([1.0]))[0, [0, 1, 6, 7]].tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    at = np.arange(1.0, 13.0) - delay[:, None]
    come = np.interp(at, np.arange(13.0), calendar, left=0.0)
    return share[:, None] * come


def steps(cumulative: NDArray[np.float64]) -> NDArray[np.float64]:
    """What comes in each month, from what has come by its end; along the last axis."""
    return np.diff(cumulative, axis=-1, prepend=0.0)


def _middles() -> NDArray[np.float64]:
    from scipy.special import ndtri

    found: NDArray[np.float64] = ndtri((np.arange(_NODES) + 0.5) / _NODES)
    return found
