"""What one layer of a schedule says of one kind of claim.

A **cell** is what one layer says of the claims with the same attributes (category, level, place, referral, group,
disease): a deductible, segments, ceilings, all in whole cents and millionths, so that every payment is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

from actuarial.layers import Piecewise

PPM = 1_000_000
"""Ratios are whole numbers of millionths."""


@dataclass(frozen=True)
class Money:
    """An amount: whole cents, and millionths of the member's yearly wage."""

    cents: int
    wage_ppm: int = 0

    def of(self, wage: int) -> int:
        """In cents, for a wage in cents; half up."""
        return self.cents + (self.wage_ppm * wage + PPM // 2) // PPM


@dataclass(frozen=True)
class Cell:
    """What one layer says of one kind of claim.

    Parameters
    ----------
    kind : str
        ``rules``, ``fixed``, ``as_paid``, ``balance``, ``mutual_aid`` or ``none`` (no rule fits).
    edges, ratios : tuple of int
        Starts of the segments [cents] and their ratios [millionths].
    from_zero : bool
        Whether the segments start at 0 and not above the deductible.
    deductible, fixed, claim_ceiling : Money or None
    repeat : tuple of int
        Share of the deductible at the first, second, … claim of the year [millionths]; the last goes on.
    accumulator : str
        Name of the running total of the year; empty where every claim stands by itself.
    ceilings : tuple of (str, Money)
        Yearly ceilings that count this claim.
    stop_loss : Money or None
    first_b, first_c : int
        Share of class B and class C cost that is not counted [millionths].
    less : Money or None
        Amount of each claim that is not counted.
    """

    kind: str
    edges: tuple[int, ...] = ()
    ratios: tuple[int, ...] = ()
    from_zero: bool = False
    deductible: Money = Money(0)
    fixed: Money | None = None
    claim_ceiling: Money | None = None
    repeat: tuple[int, ...] = ()
    accumulator: str = ""
    ceilings: tuple[tuple[str, Money], ...] = ()
    stop_loss: Money | None = None
    first_b: int = 0
    first_c: int = PPM
    less: Money | None = None


def piecewise_of(cell: Cell, wage: int = 0) -> Piecewise:
    """A cell within one accumulator as a function of the counted cost [yuan], ceilings included."""
    d = cell.deductible.of(wage) / 100
    start = 0.0 if cell.from_zero else d
    edges = [start + e / 100 for e in cell.edges]
    ratios = [r / PPM for r in cell.ratios]
    if cell.from_zero:
        kept = [
            (max(e, d), r)
            for e, r, nxt in zip(edges, ratios, [*edges[1:], float("inf")], strict=True)
            if nxt > d
        ]
        edges, ratios = [e for e, _ in kept], [r for _, r in kept]
    limits = [m.of(wage) / 100 for _, m in cell.ceilings]
    limits += (
        [cell.claim_ceiling.of(wage) / 100] if cell.claim_ceiling is not None and not cell.accumulator else []
    )
    return Piecewise(*capped(edges, [0.0, *ratios], min(limits, default=None)))


def capped(edges: list[float], slopes: list[float], ceiling: float | None) -> tuple[list[float], list[float]]:
    """Edges and slopes of a function that stops at `ceiling`."""
    if ceiling is None:
        return edges, slopes
    paid = 0.0
    for n, edge in enumerate(edges):
        nxt = edges[n + 1] if n + 1 < len(edges) else float("inf")
        slope = slopes[n + 1]
        reach = edge + (ceiling - paid) / slope if slope else float("inf")
        if reach <= nxt and reach < float("inf"):
            if reach <= edge:  # a ceiling of 0
                return edges[: n + 1], [*slopes[: n + 1], 0.0]
            return [*edges[: n + 1], reach], [*slopes[: n + 2], 0.0]
        paid += slope * (nxt - edge) if slope else 0.0
    return edges, slopes
