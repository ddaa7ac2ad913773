r"""Benefit rules: the policy factor, the printed ``simple`` calculation, second layers.

The *policy factor* is what last year's claims would have cost under next year's rules over what
they cost under the old. In this version it is stated, or taken from a printed calculation:

.. math:: 321 \times 1.1697 = 375.47,\qquad 375.47 \times (1+0.2366) = 464 \text{ yuan.}

The factor's uncertainty is a standard deviation :math:`s` in its own points, drawn lognormal with the
stated value as median: :math:`P = p\,e^{\tau z}` with :math:`\tau=\sqrt{\ln(\tfrac12+\tfrac12\sqrt{1+4s^2/p^2})}`,
for which the standard deviation of :math:`P` is exactly :math:`s`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import Fault, InputError
from actuarial.law import Law, load_law
from actuarial.layers import Piecewise
from actuarial.plan import Plan, SimplePolicy
from actuarial.results import Result, Source
from actuarial.severity import log_sd


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
        ``stated`` or ``simple``.
    """

    coefficient: float
    sd: float
    method: str

    def factor(self, z: ArrayLike) -> NDArray[np.float64]:
        """The factor for standard normals `z`."""
        sigma = log_sd(self.coefficient, self.sd)
        return self.coefficient * np.exp(sigma * np.asarray(z, dtype=np.float64))

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


def plan_policy(plan: Plan) -> PolicyFactor:
    """The policy factor that a plan asks for."""
    spec = plan.model.policy
    if isinstance(spec, SimplePolicy):
        law = load_law(spec.law, "costing")
        value = law.payload.policy_effect_coefficient
        return PolicyFactor(value, spec.sd, "simple", sources=(law.source("policy_effect_coefficient"),))
    return stated_policy_factor(spec.coefficient, spec.sd, source=plan.source("policy", spec))


# --------------------------------------------------------------------------- the printed calculation


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


# --------------------------------------------------------------------------- layers


def load_benefit_layer(law_id: str) -> Piecewise:
    """A second layer (critical illness) as a function of the year's counted cost.

    Raises
    ------
    InputError
        If there is no such law, or a gap that matters has no reading.

    Examples
    --------
    >>> f = load_benefit_layer("china/jieshou/layer/critical_illness@2013-10-23")
    >>> f([15_000.0, 20_000.0, 115_000.0]).tolist()
    [0.0, 2500.0, 50000.0]
    """
    law = load_law(law_id, "layer")
    for gap in law.envelope.gaps:
        if law.envelope.gaps[gap].choices and law.reading(gap) is None:
            raise InputError([_unread(law, gap)])
    terms = law.payload
    edges = [terms.deductible + s.over for s in terms.segments]
    slopes = [0.0, *(s.pay_ratio for s in terms.segments)]
    if terms.ceiling is not None:
        paid, last = 0.0, edges[0]
        for edge, slope, nxt in zip(edges, slopes[1:], [*edges[1:], math.inf], strict=True):
            last = edge + (terms.ceiling - paid) / slope if slope else math.inf
            if last <= nxt:
                break
            paid += slope * (nxt - edge)
        if math.isfinite(last):  # else the ceiling is never reached
            keep = [e for e in edges if e < last]
            edges, slopes = [*keep, last], [*slopes[: len(keep) + 1], 0.0]
    return Piecewise(edges, slopes)


def _unread(law: Law, gap: str) -> Fault:
    found = law.envelope.gaps[gap]
    params = {"gap": gap, "what": found.what, "choices": "、".join(found.choices)}
    return Fault("law.gap", file=law.file, params=params)
