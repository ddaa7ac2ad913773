r"""Payment of providers by points (DRG, DIP): the value of a point is the budget less its reserve, over all points.

.. math:: v = \min\Bigl(\frac{B(1-\rho)}{\sum_j p_j},\,v_{\max}\Bigr), \qquad \text{payment}_i = v\,p_i

Volume inflates points, not spending. Payments are whole cents: what rounding leaves goes to the largest remainders, so that they sum to
the budget less its reserve exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actuarial.contract.money import share_cents
from actuarial.contract.readings import Reader, decimal
from actuarial.errors import Fault, InputError
from actuarial.layers import to_cents
from actuarial.results import Result, Source

if TYPE_CHECKING:
    from actuarial.contract.terms import Contract

MOST = 1e16
"""Largest budget [yuan]."""


@dataclass(frozen=True, eq=False)
class PointSettlement(Result):
    """A year under points.

    Parameters
    ----------
    frame : DataFrame
        ``provider``, ``points``, ``payment``, ``prepaid`` (within the year), ``due`` (payment − prepaid) [yuan].
    budget, reserve : float
        The area's budget, and what is kept of it for adjustment [yuan].
    left : float
        What a highest value of a point leaves with the fund [yuan].
    """

    frame: pd.DataFrame
    budget: float
    reserve: float
    left: float = 0.0

    @property
    def point_value(self) -> float:
        """Value of a point [yuan]."""
        return (self.budget - self.reserve - self.left) / float(self.frame["points"].sum())

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``, amounts in yuan."""
        return {"budget": self.budget, "reserve": self.reserve, "left": self.left, "point_value": self.point_value,
                "providers": self.frame.to_dict("records")}  # fmt: skip


def points_settled(
    points: pd.DataFrame, *, budget: float, reserve_share: float, value_at_most: float | None = None,
    sources: tuple[Source, ...] = (),
) -> PointSettlement:  # fmt: skip
    """Pay providers by points.

    Parameters
    ----------
    points : DataFrame
        ``provider``, ``points``, optional ``prepaid`` [yuan]; several rows a provider are added up.
    budget : float
        The area's budget [yuan].
    reserve_share : float
        Kept for adjustment, from 0 to below 1.
    value_at_most : float, optional
        Highest value of a point [yuan].

    Raises
    ------
    InputError
        If there are no points, or the budget is not positive.

    Examples
    --------
    >>> frame = pd.DataFrame({"provider": ["a", "b", "c"], "points": [1.0, 1.0, 1.0]})
    >>> points_settled(frame, budget=100.0, reserve_share=0.0).frame["payment"].tolist()
    [33.34, 33.33, 33.33]
    """
    frame = points.assign(prepaid=points.get("prepaid", 0.0))
    frame = frame.groupby("provider", sort=False)[["points", "prepaid"]].sum().reset_index()
    given = frame[["points", "prepaid"]].to_numpy(dtype=np.float64)
    total = float(frame["points"].sum())
    if not (
        np.isfinite(given).all()
        and (given >= 0).all()
        and total > 0
        and 0 < budget <= MOST
        and 0 <= reserve_share < 1
    ):
        raise InputError([Fault("budget.no_points")])
    whole = int(to_cents(budget))
    pot = whole - share_cents(whole, reserve_share)
    exact = [decimal(p) for p in frame["points"]]
    paid = pot
    if value_at_most is not None:
        paid = min(pot, int(decimal(value_at_most) * 100 * sum(exact) + Fraction(1, 2)))
    frame["payment"] = np.array(shared_out(paid, exact), dtype=np.float64) / 100
    frame["due"] = (to_cents(frame["payment"]) - to_cents(frame["prepaid"])) / 100
    frame = frame[["provider", "points", "payment", "prepaid", "due"]]
    return PointSettlement(frame, whole / 100, (whole - pot) / 100, (pot - paid) / 100, sources=sources)


def shared_out(cents: int, weights: Sequence[Fraction]) -> list[int]:
    """Whole cents in proportion to weights: rounded down, then one more for the largest remainders, the first of equals.

    Examples
    --------
    >>> shared_out(100, [Fraction(1), Fraction(1), Fraction(1)])
    [34, 33, 33]
    """
    total = sum(weights)
    parts = [cents * w / total for w in weights]
    found = [int(p) for p in parts]
    order = sorted(range(len(parts)), key=lambda i: (found[i] - parts[i], i))
    for i in order[: cents - sum(found)]:
        found[i] += 1
    return found


def settled_by_points(contract: Contract, points: pd.DataFrame, budget: float) -> PointSettlement:
    """Settle a year under a contract's terms of points; see :meth:`actuarial.contract.Contract.settle_points`."""
    terms = contract.terms.points
    if terms is None:
        raise InputError([Fault("contract.no_points_rule", file=contract.law.file)])
    if not 0 < budget <= MOST:
        raise InputError([Fault("contract.budget", params={"value": budget})])
    read = Reader(contract.law, contract.basis(target=budget))
    most = None if terms.point_value_at_most is None else read.yuan(terms.point_value_at_most)
    share = float(read.ratio(terms.reserve_share))
    return points_settled(
        points, budget=budget, reserve_share=share, value_at_most=most, sources=contract.sources
    )
