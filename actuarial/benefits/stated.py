r"""The policy factor as somebody states it, with its uncertainty.

The factor's uncertainty is a standard deviation :math:`s` in its own points, drawn lognormal with the
stated value as median: :math:`P = p\,e^{\tau z}` with :math:`\tau=\sqrt{\ln(\tfrac12+\tfrac12\sqrt{1+4s^2/p^2})}`,
for which the standard deviation of :math:`P` is exactly :math:`s`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import Fault, InputError
from actuarial.results import Result, Source
from actuarial.severity.compound import log_sd


@dataclass(frozen=True, eq=False)
class PolicyFactor(Result):
    """Cost under the new rules over cost under the old.

    Parameters
    ----------
    coefficient : float
        Median, such as 1.1697.
    sd : float
        Standard deviation, in the coefficient's own points.
    method : str
        ``stated``, ``simple``, ``repriced`` or ``aggregates``.
    """

    coefficient: float
    sd: float
    method: str

    def factor(self, z: ArrayLike) -> NDArray[np.float64]:
        """The factor for standard normals `z`."""
        sigma = log_sd(self.coefficient, self.sd)
        return self.coefficient * np.exp(sigma * np.asarray(z, dtype=np.float64))

    def relative(self, category: str) -> float:
        """A category's factor over the factor of all: 1 where one factor holds for all."""
        return 1.0

    def lever(self, growth_factor: NDArray[np.float64], category: str) -> NDArray[np.float64]:
        """What deductibles and ceilings make of growth, beyond the growth itself: 1 where it is not known."""
        return np.ones(1)

    @property
    def table(self) -> pd.DataFrame:
        """Method, coefficient, sd."""
        return pd.DataFrame({"method": [self.method], "coefficient": [self.coefficient], "sd": [self.sd]})


def stated_policy_factor(
    coefficient: float, sd: float = 0.0, *, source: Source | None = None
) -> PolicyFactor:
    """A policy factor that somebody states.

    Raises
    ------
    InputError
        If the coefficient is not positive or the sd negative.

    Examples
    --------
    >>> float(stated_policy_factor(1.1697).factor(0.0))
    1.1697
    """
    if not (coefficient > 0 and math.isfinite(coefficient) and 0 <= sd < math.inf):
        raise InputError([Fault("benefits.factor", params={"coefficient": coefficient, "sd": sd})])
    return PolicyFactor(float(coefficient), float(sd), "stated", sources=(source,) if source else ())
