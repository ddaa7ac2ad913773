r"""The printed ``simple`` calculation, replayed with its rounding and with stated uncertainties.

.. math:: 321 \times 1.1697 = 375.47,\qquad 375.47 \times (1+0.2366) = 464 \text{ yuan.}
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.law import Law, load_law
from actuarial.results import Result
from actuarial.severity.compound import log_sd


@dataclass(frozen=True, eq=False)
class SimpleTarget(Result):
    """A printed per-capita calculation, replayed.

    Parameters
    ----------
    base, coefficient, growth : float
        The three inputs [yuan/person, ratio, fraction].
    intermediate, result : float
        ``base × coefficient`` and ``× (1 + growth)``, rounded as printed [yuan/person].
    law : Law
        Where they stand.
    """

    base: float
    coefficient: float
    growth: float
    intermediate: float
    result: float
    law: Law

    @property
    def total_growth(self) -> float:
        """Growth from the base to the result before rounding: 44.65% for 2012."""
        return self.coefficient * (1 + self.growth) - 1

    @property
    def table(self) -> pd.DataFrame:
        """The steps, as printed."""
        return pd.DataFrame(
            {
                "step": [
                    "base_per_capita",
                    "policy_effect_coefficient",
                    "on_new_rules",
                    "in_scope_cost_growth",
                    "target",
                ],
                "value": [self.base, self.coefficient, self.intermediate, self.growth, self.result],
            }
        )

    def draws(
        self, *, base_sd: float = 0.0, coefficient_sd: float = 0.0, growth_sd: float = 0.0,
        paths: int = 100_000, seed: int = 2012,
    ) -> NDArray[np.float64]:  # fmt: skip
        """The product with stated uncertainties, not rounded [yuan/person].

        Parameters
        ----------
        base_sd : float
            [yuan/person]
        coefficient_sd, growth_sd : float
            In points: 0.05 is five percentage points.
        paths, seed : int

        Examples
        --------
        >>> t = simple_target("china/jiande/costing/per_capita@2012-01-01")
        >>> round(float(np.median(t.draws(growth_sd=0.05))))
        464
        """
        z = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed))).standard_normal((3, paths))
        parts = ((self.base, base_sd), (self.coefficient, coefficient_sd), (1 + self.growth, growth_sd))
        product = np.ones(paths)
        for (median, sd), normal in zip(parts, z, strict=True):
            product *= median * np.exp(log_sd(median, sd) * normal)
        return product


def simple_target(law_id: str = "china/jiande/costing/per_capita@2012-01-01") -> SimpleTarget:
    """Replay a printed per-capita calculation, rounding where the text rounds.

    Raises
    ------
    InputError
        If the law file's own printed figures do not come out.

    Examples
    --------
    >>> t = simple_target()
    >>> t.intermediate, t.result, round(t.total_growth, 4)
    (375.47, 464.0, 0.4465)
    """
    law = load_law(law_id, "costing")
    p = law.payload
    intermediate = _round(p.base_per_capita * p.policy_effect_coefficient, p.round_intermediate_to)
    result = _round(intermediate * (1 + p.in_scope_cost_growth), p.round_result_to)
    if (intermediate, result) != (p.printed_intermediate, p.printed_result):
        params = {"computed": result, "printed": p.printed_result}
        raise InputError([Fault("benefits.printed_differs", file=law.file, params=params)])
    keys = ("base_per_capita", "policy_effect_coefficient", "in_scope_cost_growth", "printed_result")
    return SimpleTarget(
        p.base_per_capita, p.policy_effect_coefficient, p.in_scope_cost_growth, intermediate, result, law,
        sources=tuple(law.source(k) for k in keys),
    )  # fmt: skip


def _round(value: float, step: float) -> float:
    exact = Decimal(repr(round(value, 9)))
    return (
        float(exact.quantize(Decimal(repr(step)).normalize(), rounding=ROUND_HALF_UP))
        if step < 1
        else float(
            (exact / Decimal(repr(step))).quantize(Decimal(1), rounding=ROUND_HALF_UP) * Decimal(repr(step))
        )
    )
