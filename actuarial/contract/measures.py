r"""What a party's results over simulated years come to: mean, spread, chance of a loss, worst years — each with its error.

A result is what a party gains; a loss is negative. ``tail_95`` is the mean of the worst 5% of results (TVaR 95% of the loss, with
its sign turned), ``tail_99`` of the worst 1%; the path on the boundary counts by its fraction. Errors are one standard error of
simulating with so many independent paths: :math:`s/\sqrt n`, binomial, and for a tail mean of share :math:`a` at the quantile
:math:`q` the standard deviation of :math:`(q-X)^+ / a` over :math:`\sqrt n`; for the standard deviation the delta method
with the fourth moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.contract.outcomes import tail_count

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """A number and its simulation standard error (NaN where one path tells nothing)."""

    value: float
    error: float

    def to_dict(self) -> dict[str, float | None]:
        """Plain data; None where there is no error to tell."""
        return {"value": self.value, "error": self.error if math.isfinite(self.error) else None}


@dataclass(frozen=True)
class Measures:
    """One party's results.

    Parameters
    ----------
    expected, sd, tail_95, tail_99 : Figure
        [yuan]
    loss_probability : Figure
        P(result < 0).
    """

    expected: Figure
    sd: Figure
    loss_probability: Figure
    tail_95: Figure
    tail_99: Figure

    def row(self) -> dict[str, float]:
        """Values and errors as one row: ``expected``, ``expected_error`` and so on."""
        out: dict[str, float] = {}
        for name in ("expected", "sd", "loss_probability", "tail_95", "tail_99"):
            figure: Figure = getattr(self, name)
            out[name], out[f"{name}_error"] = figure.value, figure.error
        return out


def measure(result: Array) -> Measures:
    """Measure one party's results.

    Parameters
    ----------
    result : ndarray, shape (n,)
        [yuan]

    Examples
    --------
    >>> found = measure(np.array([-3.0, 1.0, 2.0, 4.0]))
    >>> found.expected.value, found.loss_probability.value, found.tail_95.value
    (1.0, 0.25, -3.0)
    """
    n = len(result)
    mean = float(result.mean())
    centred = result - mean
    squares = centred * centred
    variance = float(squares.sum()) / (n - 1) if n > 1 else 0.0
    sd = math.sqrt(variance)
    fourth = float((squares * squares).mean())
    sd_error = math.sqrt(max(fourth - variance**2, 0.0) / n) / (2 * sd) if sd > 0 and n > 1 else _none(n)
    p = float((result < 0).mean())
    worst = np.partition(result, min(max(math.ceil(n * 0.05), 1), n) - 1)[: max(math.ceil(n * 0.05), 1)]
    worst.sort()
    return Measures(
        Figure(mean, sd / math.sqrt(n) if n > 1 else math.nan),
        Figure(sd, sd_error),
        Figure(p, math.sqrt(p * (1 - p) / n)),
        _tail(worst, n, 0.05),
        _tail(worst, n, 0.01),
    )


def _none(n: int) -> float:
    return 0.0 if n > 1 else math.nan


def _tail(worst: Array, n: int, share: float) -> Figure:
    """Mean of the worst `share`, from the sorted worst results."""
    whole, part = tail_count(n, share)
    if whole == 0:
        return Figure(float(worst[0]), math.nan)
    at = float(worst[min(whole, len(worst) - 1)])
    value = (float(worst[:whole].sum()) + part * at) / (whole + part)
    short = at - worst[:whole]
    second = float((short * short).sum()) / n
    first = float(short.sum()) / n
    return Figure(value, math.sqrt(max(second - first * first, 0.0) / n) / share)


def changes(one: Array, other: Array) -> Measures:
    """Measures of `one` less those of `other` on the same paths, with the errors of the differences themselves.

    What paths share falls out: the error is that of the mean difference of the two measures' influence functions.

    Parameters
    ----------
    one, other : ndarray, shape (n,)
        Results of the same party on the same paths [yuan].

    Examples
    --------
    >>> found = changes(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]))
    >>> found.expected, found.sd
    (Figure(value=1.0, error=0.0), Figure(value=0.0, error=0.0))
    """
    a, b = measure(one), measure(other)
    gaps = {}
    for name, influence in _influences(one, a).items():
        gap = influence - _influences(other, b)[name]
        error = float(gap.std(ddof=1)) / math.sqrt(len(gap)) if len(gap) > 1 else math.nan
        gaps[name] = Figure(getattr(a, name).value - getattr(b, name).value, error)
    return Measures(**gaps)


def _influences(result: Array, found: Measures) -> dict[str, Array]:
    """What each path contributes to each measure, about zero."""
    mean, sd = found.expected.value, found.sd.value
    centred = result - mean
    out: dict[str, Array] = {
        "expected": centred,
        "sd": (centred * centred - sd * sd) / (2 * sd) if sd > 0 else np.zeros_like(result),
        "loss_probability": (result < 0).astype(np.float64) - found.loss_probability.value,
    }
    for name, share in (("tail_95", 0.05), ("tail_99", 0.01)):
        whole, _ = tail_count(len(result), share)
        at = np.partition(result, min(whole, len(result) - 1))[min(whole, len(result) - 1)]
        out[name] = -np.maximum(at - result, 0.0) / share
    return out
