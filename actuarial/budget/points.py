"""A year under points (DRG, DIP): the value of a point is (budget − reserve) / all points, so that volume inflates points, not spending."""

from __future__ import annotations

import pandas as pd

from actuarial.budget.providers import provider_data
from actuarial.contract import load_contract
from actuarial.contract.points import PointSettlement, points_settled
from actuarial.errors import Fault, InputError


def group_points(cases: pd.DataFrame) -> pd.DataFrame:
    """Points by provider from its cases: group mean over area mean × 100, × the provider's cost coefficient (Jinhua).

    Parameters
    ----------
    cases : DataFrame
        ``provider``, ``group``, ``cases``, ``mean_cost`` [yuan].

    Returns
    -------
    DataFrame
        ``provider``, ``group``, ``cases``, ``group_points``, ``coefficient``, ``points``.

    Examples
    --------
    >>> c = pd.DataFrame({"provider": ["a", "b"], "group": ["x", "x"], "cases": [100, 100], "mean_cost": [900.0, 1100.0]})
    >>> group_points(c)["points"].round(6).tolist()
    [9000.0, 11000.0]
    """
    frame = cases.copy()
    frame["cost"] = frame["cases"] * frame["mean_cost"]
    if not (
        frame["cases"].sum() > 0
        and frame["cost"].sum() > 0
        and (frame[["cases", "mean_cost"]] >= 0).all(axis=None)
    ):
        raise InputError([Fault("budget.no_points")])
    area = frame["cost"].sum() / frame["cases"].sum()
    sums = frame.groupby("group")[["cost", "cases"]].transform("sum")
    mean = sums["cost"] / sums["cases"]
    frame["group_points"] = mean / area * provider_data()["points"]["group"]["value"]
    frame["coefficient"] = frame["mean_cost"] / mean.where(mean > 0, 1.0)
    frame["points"] = frame["cases"] * frame["group_points"] * frame["coefficient"]
    return frame.drop(columns=["cost", "mean_cost"])


def settle_points(
    points: pd.DataFrame, *, budget: float, reserve_share: float | None = None
) -> PointSettlement:
    """Pay providers by points: value of a point = (budget − reserve) / all points.

    Parameters
    ----------
    points : DataFrame
        ``provider``, ``points``; several rows a provider are added up.
    budget : float
        The area's budget [yuan].
    reserve_share : float, optional
        Kept for adjustment; Zhejiang's 5% if not given.

    Raises
    ------
    InputError
        If there are no points, or the budget is not positive.

    Examples
    --------
    >>> s = settle_points(pd.DataFrame({"provider": ["a", "b"], "points": [9000.0, 11000.0]}), budget=2_000_000)
    >>> s.point_value, s.frame["payment"].tolist()
    (95.0, [855000.0, 1045000.0])
    """
    stated = load_contract(provider_data()["points"]["law"])
    assert stated.terms.points is not None
    share = stated.terms.points.reserve_share.value if reserve_share is None else reserve_share
    return points_settled(points, budget=budget, reserve_share=share, sources=stated.sources)
