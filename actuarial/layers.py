r"""``Piecewise``: the one piecewise-linear thing.

Benefit segments, second layers, contract bands, corridors, provider rules and layer prices are
all functions of one amount that are linear between edges, may jump at an edge, and say on which
side an edge belongs. They compile to this class, which evaluates them

* on ``float64`` arrays (simulated paths),
* on ``int64`` cents, exactly, rounding the **value** half away from zero (ledgers, claims), and
* in expectation, from limited expected values :math:`E[\min(X, e)]` (prices of layers).

With edges :math:`e_1<\dots<e_n`, slopes :math:`s_0,\dots,s_n` and jumps :math:`j_1,\dots,j_n`

.. math:: F(x) = F(a) + \int_a^x s(u)\,du + \sum_{i:\,a<e_i\prec x} j_i - \sum_{i:\,x\prec e_i\le a} j_i

where :math:`e \prec x` is :math:`e<x` when upper edges are included (``closed="right"``) and
:math:`e\le x` otherwise. ``(a, F(a))`` is the anchor, ``(0, 0)`` unless stated.

Rounding away from zero keeps a table that is the same both ways symmetric to the cent.
The statutory precedent for marginal bands is the tax schedule; the same compilation of rates is
found in tax-benefit microsimulation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

_SAFE = 2**61


@dataclass(frozen=True)
class Piecewise:
    """A piecewise-linear function of an amount.

    Parameters
    ----------
    edges : sequence of float
        Strictly increasing [yuan].
    slopes : sequence of float
        One more than edges: before the first edge, between, after the last [yuan/yuan].
    jumps : sequence of float, optional
        One an edge: what is added on passing it upwards [yuan].
    closed : {"right", "left"}
        ``right``: an edge belongs to the segment that ends at it (300万 included).
    anchor : (float, float)
        A point ``(a, F(a))``.

    Raises
    ------
    ValueError
        If edges do not increase, lengths do not fit or a number is not finite.

    Examples
    --------
    Half of the first 300, then 60%; beyond 900 nothing more:

    >>> f = Piecewise(edges=[0, 300, 900], slopes=[0, 0.5, 0.6, 0])
    >>> f(np.array([-5.0, 300.0, 900.0, 2000.0])).tolist()
    [0.0, 150.0, 510.0, 510.0]
    >>> int(f.cents(30_001))   # 300.01 yuan: 150.00 + 0.6 × 0.01 = 150.006
    15001
    """

    edges: Sequence[float]
    slopes: Sequence[float]
    jumps: Sequence[float] = ()
    closed: Literal["right", "left"] = "right"
    anchor: tuple[float, float] = (0.0, 0.0)
    _edge: NDArray[np.float64] = field(init=False, repr=False, compare=False)
    _value: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        edges, slopes = tuple(map(float, self.edges)), tuple(map(float, self.slopes))
        jumps = tuple(map(float, self.jumps)) or (0.0,) * len(edges)
        numbers = np.array([*edges, *slopes, *jumps, *self.anchor])
        if len(slopes) != len(edges) + 1 or len(jumps) != len(edges):
            raise ValueError(f"{len(edges)} edges need {len(edges) + 1} slopes and {len(edges)} jumps")
        if not np.isfinite(numbers).all() or any(b <= a for a, b in pairwise(edges)):
            raise ValueError("edges must increase and all numbers be finite")
        for name, value in (("edges", edges), ("slopes", slopes), ("jumps", jumps)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_edge", np.array(edges))
        object.__setattr__(self, "_value", np.array([float(v) for v in self._exact_values()]))

    # ------------------------------------------------------------------ exact skeleton

    def _exact_values(self) -> list[Fraction]:
        """``F`` at each edge as approached from below, exactly."""
        edges = [_fraction(e) for e in self.edges]
        slopes = [_fraction(s) for s in self.slopes]
        jumps = [_fraction(j) for j in self.jumps]
        values: list[Fraction] = []
        for k, edge in enumerate(edges):
            previous = values[-1] + jumps[k - 1] + slopes[k] * (edge - edges[k - 1]) if k else Fraction(0)
            values.append(previous)
        at, level = _fraction(self.anchor[0]), _fraction(self.anchor[1])
        if not values:
            return values
        k = self._segment_exact(at)
        raw = self._raw(at, k, edges, slopes, jumps, values)
        return [v + level - raw for v in values]

    def _segment_exact(self, x: Fraction) -> int:
        passed = [e < x if self.closed == "right" else e <= x for e in map(_fraction, self.edges)]
        return sum(passed)

    @staticmethod
    def _raw(
        x: Fraction,
        k: int,
        edges: list[Fraction],
        slopes: list[Fraction],
        jumps: list[Fraction],
        values: list[Fraction],
    ) -> Fraction:
        if k == 0:
            return values[0] + slopes[0] * (x - edges[0])
        return values[k - 1] + jumps[k - 1] + slopes[k] * (x - edges[k - 1])

    # ------------------------------------------------------------------ evaluators

    def segment(self, x: ArrayLike) -> NDArray[np.intp]:
        """Index of the segment that holds each amount (0 is below the first edge)."""
        side: Literal["left", "right"] = "left" if self.closed == "right" else "right"
        return np.searchsorted(self._edge, np.asarray(x, dtype=np.float64), side=side)

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """``F(x)`` on float64 [yuan]; NaN stays NaN."""
        amount = np.asarray(x, dtype=np.float64)
        if not len(self._edge):
            return self.anchor[1] + self.slopes[0] * (amount - self.anchor[0])
        k = self.segment(amount)
        low = np.maximum(k - 1, 0)
        base = self._value[low] + np.where(k > 0, np.array(self.jumps)[low], 0.0)
        return base + np.array(self.slopes)[k] * (amount - self._edge[low])

    def slope_at(self, x: ArrayLike) -> NDArray[np.float64]:
        """The marginal share at each amount."""
        return np.array(self.slopes)[self.segment(x)]

    def cents(self, x: ArrayLike) -> NDArray[np.int64]:
        """``F`` on int64 cents, exact, rounded half away from zero.

        Raises
        ------
        OverflowError
            If an amount is beyond 2**61 cents.
        """
        amount = np.asarray(x)
        if amount.dtype.kind not in "iu":
            raise TypeError("cents takes integers; use the call for floats")
        if amount.size and not -_SAFE <= int(amount.min()) <= int(amount.max()) <= _SAFE:
            raise OverflowError("amount beyond 2**61 cents")
        amount = amount.astype(np.int64)
        edges = [_fraction(e) * 100 for e in self.edges]
        slopes = [_fraction(s) for s in self.slopes]
        jumps = [_fraction(j) * 100 for j in self.jumps]
        values = [v * 100 for v in self._exact_values()]
        out = np.empty(amount.shape, dtype=np.int64)
        which = self._segments_of_cents(amount, edges)
        for k in np.unique(which):
            mask = which == k
            if edges:
                start = edges[k - 1] if k else edges[0]
                base = values[k - 1] + jumps[k - 1] if k else values[0]
            else:
                start, base = _fraction(self.anchor[0]) * 100, _fraction(self.anchor[1]) * 100
            out[mask] = _line_cents(amount[mask], base - slopes[k] * start, slopes[k])
        return out

    def _segments_of_cents(self, amount: NDArray[np.int64], edges: list[Fraction]) -> NDArray[np.intp]:
        """Segments of whole cents, exact also where an edge is not a whole cent."""
        if self.closed == "right":  # e < x  ⇔  floor(e) < x
            return np.searchsorted(
                np.array([e.__floor__() for e in edges], dtype=np.int64), amount, side="left"
            )
        return np.searchsorted(np.array([e.__ceil__() for e in edges], dtype=np.int64), amount, side="right")

    def expected(
        self, limited: Callable[[float], float], survival: Callable[[float], float] | None = None
    ) -> float:
        """``E[F(X)]`` for an amount ``X ≥ 0`` from its limited expected values.

        Parameters
        ----------
        limited : callable
            ``e ↦ E[min(X, e)]``; ``limited(inf)`` is the mean.
        survival : callable, optional
            ``e ↦ P(X > e)``; needed where there are jumps.

        Raises
        ------
        ValueError
            If there are jumps and no survival function.
        """
        points = [0.0, *[e for e in self.edges if e > 0], float("inf")]
        total = float(self(0.0))
        for low, high in pairwise(points):
            inside = (low + high) / 2 if np.isfinite(high) else low + 1
            slope = float(self.slope_at(inside))
            if slope:
                total += slope * (limited(high) - (limited(low) if low else 0.0))
        for edge, jump in zip(self.edges, self.jumps, strict=True):
            if jump and (
                edge > 0 or (edge == 0 and self.closed == "right")
            ):  # F(0) holds a jump that is passed at 0
                if survival is None:
                    raise ValueError("jumps need a survival function")
                total += jump * survival(edge)
        return total


def _fraction(value: float) -> Fraction:
    """The decimal number that the text of `value` says (0.45 is 45/100, not its binary neighbour)."""
    return Fraction(repr(float(value)))


def _line_cents(x: NDArray[np.int64], intercept: Fraction, slope: Fraction) -> NDArray[np.int64]:
    """``intercept + slope·x`` in whole cents, half away from zero, without overflow."""
    divisor = np.lcm.reduce([intercept.denominator, slope.denominator], dtype=object)
    a, s, d = int(intercept * divisor), int(slope * divisor), int(divisor)
    largest = max(abs(int(x.min())), abs(int(x.max())))
    if abs(a) + abs(s) * d < _SAFE and abs(s) < 2**31 and d < 2**30 and abs(s) * largest < _SAFE * d:
        whole, rest = np.divmod(x, d)  # s·x/d = s·whole + s·rest/d, both in range
        numerator = s * rest + a
        low = s * whole + np.floor_divide(numerator, d)
        twice = 2 * np.mod(numerator, d)
        up = (twice > d) | ((twice == d) & (low >= 0))
        return low + up
    exact = [Fraction(int(v) * s + a, d) for v in x]
    return np.array([_half_away(v) for v in exact], dtype=np.int64)


def _half_away(value: Fraction) -> int:
    whole, rest = divmod(abs(value.numerator), value.denominator)
    magnitude = whole + (2 * rest >= value.denominator)
    return magnitude if value >= 0 else -magnitude


def to_cents(yuan: ArrayLike) -> NDArray[np.int64]:
    """Yuan to whole cents, half away from zero: the one place where money is rounded.

    Raises
    ------
    ValueError
        For NaN, infinities and amounts beyond 2**61 cents.

    Examples
    --------
    >>> to_cents([0.005, -0.005, 1.234]).tolist()
    [1, -1, 123]
    """
    amount = np.asarray(yuan, dtype=np.float64)
    if not np.isfinite(amount).all() or (amount.size and np.abs(amount).max() > _SAFE / 100):
        raise ValueError("cannot be written in cents")
    scaled = np.abs(amount) * 100
    # half a cent as written may lie a few units of the last place below in binary
    up = np.floor(scaled + 0.5 + np.minimum(4 * np.spacing(scaled), 0.01))
    return (np.sign(amount) * up).astype(np.int64)
