"""A table of bands with its amounts known, and the piecewise-linear curve of a party over the outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actuarial.contract.readings import Reader, decimal
from actuarial.errors import Fault, InputError
from actuarial.law.contract_terms import Choice, Gate, Requires, Sharing
from actuarial.law.terms import Fixed
from actuarial.layers import Piecewise
from actuarial.results import Unit
from actuarial.texts import LANGUAGES

BandShares = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """One side of the outcome, cut into bands of known amounts.

    Parameters
    ----------
    edges : tuple of float
        Upper edges of all bands but the last [yuan].
    shares : tuple of dict
        One a band: terms of the parties' shares.
    closed : {"right", "left"}
        ``right``: an edge belongs to the band that ends at it.
    gate : float
        Size of the outcome from which the table counts [yuan].
    gate_included : bool
    requires : Requires or None
    """

    edges: tuple[float, ...]
    shares: tuple[BandShares, ...]
    closed: str = "right"
    gate: float = 0.0
    gate_included: bool = True
    requires: Requires | None = None

    @property
    def parties(self) -> tuple[str, ...]:
        """Who takes a share of any band."""
        return tuple(dict.fromkeys(p for band in self.shares for p in band))

    def layers(self, size: NDArray[np.float64]) -> NDArray[np.float64]:
        """The amount of each size in each band, shape (K, n) [yuan]."""
        lower = (0.0, *self.edges)
        upper = (*self.edges, np.inf)
        return np.stack([np.clip(size, a, b) - a for a, b in zip(lower, upper, strict=True)])

    def slopes(self, party: str, read: Callable[[Any], float]) -> list[float]:
        """The party's share in each band."""
        return [read(band[party]) if party in band else 0.0 for band in self.shares]

    def opens(self, size: NDArray[Any], gate: Any) -> NDArray[np.bool_]:
        """Where the gate is passed."""
        return size >= gate if self.gate_included else size > gate


def compiled(sharing: Sharing, read: Reader) -> Table:
    """A table with amounts for the year's basis.

    Raises
    ------
    InputError
        If edges cross and no reading says what then.
    """
    edges: list[float] = []
    shares: list[BandShares] = []
    for band in sharing.bands:
        mine = dict(band.shares())
        if band.up_to is None:
            shares.append(mine)
            continue
        edge = read.yuan(band.up_to)
        if edge == 0 and not edges:
            continue  # a first band of no width (an agreed rate of 0)
        if edge <= (edges[-1] if edges else 0.0):
            edges, shares = _crossed(sharing, edges, shares, edge, read, plain=isinstance(band.up_to, Fixed))
            continue
        edges.append(edge)
        shares.append(mine)
    gate, included = _gate(sharing.gate, read)
    closed = "right" if sharing.upper_edge_included else "left"
    return Table(tuple(edges), tuple(shares), closed, gate, included, sharing.requires)


def _gate(gate: Gate | None, read: Reader) -> tuple[float, bool]:
    if gate is None:
        return 0.0, True
    return (read.yuan(gate.at_least), True) if gate.at_least is not None else (read.yuan(gate.above), False)


def _crossed(
    sharing: Sharing, edges: list[float], shares: list[BandShares], edge: float, read: Reader, *, plain: bool
) -> tuple[list[float], list[BandShares]]:
    """What to do with an edge that is not above the one before it: only what the file reads."""
    target = read.basis.target if read.basis else 0.0
    before = edges[-1] if edges else 0.0
    rule = sharing.if_edges_cross
    if rule is None or plain or not edges:
        params: dict[str, Any] = {"edge": _both(edge), "before": _both(before), "target": _both(target)}
        raise InputError([Fault("contract.edges_cross", file=read.law.file, params=params)])
    try:
        choice = read.word(rule)
    except InputError as error:
        assert isinstance(rule, Choice)
        told = error.faults[0].params
        params = {"target": _both(target), "edge": _both(edge), "fixed": _both(before),
                  "what": told["what"], "choices": told["choices"], "gap": rule.gap}  # fmt: skip
        raise InputError([Fault("contract.bands_undefined", file=read.law.file, params=params)]) from error
    if choice == "zero_above_fixed_edge":
        return edges, shares
    kept = [e for e in edges if e < edge]
    return [*kept, edge], shares[: len(kept) + 1]


def _both(yuan: float) -> dict[str, str]:
    """An amount in each language's unit, for messages."""
    return {lang: Unit.of(lang).show(yuan) for lang in LANGUAGES}


# ------------------------------------------------------------------ curves


@dataclass(frozen=True)
class Ray:
    """A party's result on one side, over the size of the outcome: breakpoints ``(size, jump, slope after)`` from 0."""

    points: tuple[tuple[Fraction, Fraction, Fraction], ...]


def ray(edges: Sequence[float], slopes: Sequence[float], gate: float = 0.0, cap: float | None = None) -> Ray:
    """Marginal bands with a gate (nothing below it, then from the first yuan) and a cap, exactly."""
    starts = [Fraction(0), *map(decimal, edges)]
    shares = list(map(decimal, slopes))
    at, top = decimal(gate), None if cap is None else decimal(cap)

    def raw(size: Fraction) -> Fraction:
        ends = [*starts[1:], None]
        return sum(
            (s * (min(size, e) if e is not None else size) - s * a)
            for a, e, s in zip(starts, ends, shares, strict=True)
            if size > a
        ) or Fraction(0)

    points: list[tuple[Fraction, Fraction, Fraction]] = []
    value = Fraction(0)
    marks = sorted({at, *(s for s in starts if s > at)}) if at > 0 else starts
    for n, mark in enumerate(marks):
        slope = shares[sum(1 for s in starts if s <= mark) - 1]
        level = raw(mark)
        if top is not None and level >= top:
            points.append((mark, top - value, Fraction(0)))
            value = top
            break
        points.append((mark, level - value, slope))
        nxt = marks[n + 1] if n + 1 < len(marks) else None
        value = raw(nxt) if nxt is not None else level
        if top is not None and slope > 0 and (nxt is None or value > top):
            points.append((mark + (top - level) / slope, Fraction(0), Fraction(0)))
            break
    return Ray(tuple(points))


def joined(
    up: Ray, down: Ray, shift: float, level: float, *, closed: str, mirrored_differs: bool = False
) -> Piecewise:
    """One curve over the outcome: `up` above `shift`, `down` mirrored below it; the value at `shift` is `level`.

    Where an edge of the lower side belongs to the other segment than `closed` says, it is moved by the smallest float.
    """
    found: list[tuple[float, Fraction, Fraction, Fraction]] = []  # edge, jump, slope before, slope after
    at = decimal(shift)
    before = down.points[0][2] if down.points[0][0] == 0 else Fraction(0)
    lower = [(p, j, s) for p, j, s in down.points if p > 0]
    for n, (size, jump, slope) in enumerate(lower):
        inner = lower[n - 1][2] if n else before
        edge = float(at - size)
        if mirrored_differs and jump:
            edge = float(np.nextafter(edge, np.inf if closed == "left" else -np.inf))
        found.append((edge, jump, slope, inner))
    found.reverse()
    first_up = up.points[0][2] if up.points[0][0] == 0 else Fraction(0)
    found.append((shift, Fraction(0), before, first_up))
    inner = first_up
    for size, jump, slope in ((p, j, s) for p, j, s in up.points if p > 0):
        found.append((float(at + size), jump, inner, slope))
        inner = slope
    kept = [f for f in found if f[1] or f[2] != f[3]]
    if not kept:
        return Piecewise([], [float(first_up)], closed="right", anchor=(shift, level))
    slopes = [float(kept[0][2]), *(float(f[3]) for f in kept)]
    return Piecewise(
        [f[0] for f in kept], slopes, [float(f[1]) for f in kept],
        closed="left" if closed == "left" else "right", anchor=(shift, level),
    )  # fmt: skip
