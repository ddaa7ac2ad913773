"""Yearly claims from a mean and a coefficient of variation, where no simulation is at hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import Fault, InputError
from actuarial.layers import Piecewise
from actuarial.severity import Lognormal
from actuarial.severity.base import uniforms

SIMPLE_CLAIMS = 60
"""Spawn key of these draws: no other component of the program uses it."""


@dataclass(frozen=True)
class SimpleClaims:
    """Claims of the contract year: lognormal with a stated mean and coefficient of variation.

    Parameters
    ----------
    mean : float
        Above 0 [yuan].
    cv : float
        Standard deviation over mean, from 0 (no uncertainty at all) to 10.

    Raises
    ------
    InputError
        If the mean is not above 0, or the coefficient of variation lies outside 0 and 10.

    Examples
    --------
    >>> simple = SimpleClaims(180_000_000, 0.08)
    >>> round(simple.expected(Piecewise([0.0], [0.0, 1.0]), target=180_000_000))  # E of the surplus
    5734085
    """

    mean: float
    cv: float

    def __post_init__(self) -> None:
        faults = [
            Fault("bargain.simple", params={"name": name, "value": value})
            for name, value, good in (
                ("mean", self.mean, 0 < self.mean < 1e15),
                ("cv", self.cv, 0 <= self.cv <= 10),
            )
            if not good
        ]
        if faults:
            raise InputError(faults)

    def claims(
        self, paths: int = 100_000, *, seed: int = 2012, months: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Independent draws of the year's claims, shape (paths,); with `months` (12 shares) shape (paths, 12).

        A year is split by the shares; months then move together with the year and have no noise of their own.
        """
        year = (
            self._law.quantile(uniforms(paths, seed, (SIMPLE_CLAIMS,)))
            if self.cv
            else np.full(paths, self.mean)
        )
        if months is None:
            return year
        shares = np.asarray(months, dtype=np.float64)
        return year[:, None] * (shares / shares.sum())[None, :]

    def expected(self, curve: Piecewise, *, target: float) -> float:
        """``E[curve(target − claims)]`` in closed form [yuan]."""
        if not self.cv:
            return float(curve(target - self.mean))
        return self._law.expected(mirrored(curve, target))

    @property
    def _law(self) -> Lognormal:
        return Lognormal(self.mean, self.cv)


def mirrored(curve: Piecewise, target: float) -> Piecewise:
    """The same payment as a function of claims: ``C ↦ curve(target − C)``.

    Examples
    --------
    >>> mirrored(Piecewise([0.0], [0.0, 0.5]), 10.0)([4.0, 12.0]).tolist()
    [3.0, 0.0]
    """
    edges = [target - e for e in reversed(curve.edges)]
    slopes = [-s for s in reversed(curve.slopes)]
    jumps = [-j for j in reversed(curve.jumps)]
    at, level = curve.anchor
    return Piecewise(
        edges, slopes, jumps, "left" if curve.closed == "right" else "right", (target - at, level)
    )


def closed_form_tail(law: SimpleClaims, share: float) -> float:
    """Mean of the dearest `share` of years [yuan]; the check of simulated tails.

    Examples
    --------
    >>> closed_form_tail(SimpleClaims(100.0, 0.0), 0.05)
    100.0
    """
    if not law.cv:
        return law.mean
    found = law._law
    edge = float(found.quantile(1 - share))
    return (found.mean - float(found.partial(1, edge))) / share if math.isfinite(edge) else math.inf
