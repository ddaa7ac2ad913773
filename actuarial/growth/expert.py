"""Growth that somebody states, with an uncertainty in points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from actuarial.errors import Fault, InputError
from actuarial.growth.prior import growth_bounds
from actuarial.results import Result, Source
from actuarial.severity import log_sd


@dataclass(frozen=True, eq=False)
class ExpertGrowth(Result):
    """Growth that somebody states.

    Parameters
    ----------
    value : float
        Median growth: 0.2366 is 23.66%.
    sd : float
        Standard deviation in points.
    correlation : float
        Between the categories' growth; 1 moves them together.
    """

    value: float
    sd: float
    correlation: float = 1.0

    def factor(self, z: ArrayLike) -> NDArray[np.float64]:
        """``1 + growth`` for standard normals `z`, truncated at the documented bounds."""
        sigma = log_sd(1 + self.value, self.sd)
        low, high = growth_bounds()
        centre = math.log1p(self.value)
        raw = np.asarray(z, dtype=np.float64)
        if sigma == 0:
            return np.full_like(raw, 1 + self.value)
        return np.exp(centre + sigma * _truncated(raw, (low - centre) / sigma, (high - centre) / sigma))

    @property
    def table(self) -> pd.DataFrame:
        """Value, sd, correlation."""
        return pd.DataFrame({"growth": [self.value], "sd": [self.sd], "correlation": [self.correlation]})


def _truncated(z: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """A standard normal truncated to ``[low, high]`` as a monotone function of a standard normal.

    Where the bounds lie outside ±8 this is the identity to machine precision. A centre that lies
    beyond its own bounds (a stated value outside the documented ones) is left as it is.
    """
    if not low < 0 < high or (low < -8 and high > 8):
        return z
    a, b = special.ndtr(low), special.ndtr(high)
    return np.clip(special.ndtri(a + (b - a) * special.ndtr(z)), low, high)


def expert_growth(
    value: float,
    *,
    sd: float | None = None,
    half_width_95: float | None = None,
    correlation: float = 1.0,
    source: Source | None = None,
) -> ExpertGrowth:
    """Growth by an expert's value and uncertainty, in points.

    Parameters
    ----------
    value : float
        0.2366 is 23.66%; above -1.
    sd, half_width_95 : float
        Exactly one: the standard deviation, or half the width of the 95% interval, in points.

    Raises
    ------
    InputError
        If neither or both uncertainties are given, or a number is out of range.

    Examples
    --------
    >>> expert_growth(0.2366, half_width_95=0.098).sd
    0.05
    """
    if (sd is None) == (half_width_95 is None):
        raise InputError([Fault("growth.one_uncertainty")])
    spread = float(sd) if sd is not None else round(float(half_width_95 or 0.0) / 1.96, 12)
    if not (value > -1 and math.isfinite(value) and 0 <= spread < math.inf and 0 <= correlation <= 1):
        raise InputError([Fault("growth.out_of_range", params={"value": value, "sd": spread})])
    return ExpertGrowth(float(value), spread, float(correlation), sources=(source,) if source else ())
