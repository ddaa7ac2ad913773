r"""What each path needs: the amount per head that keeps it out of a deficit, under every criterion.

The balance at the end of month :math:`m` is :math:`a_m+b_mp`. Where a rise is borne by one payer, or by a stated
split, only the difference to the present standard :math:`p_0` follows that payer's calendar,

.. math:: a_m+b_mp_0+b^{*}_m(p-p_0)\ge0 \iff p\ge p_0-\frac{a_m+b_mp_0}{b^{*}_m}.

Months payable at least :math:`k`, in the path's own spending :math:`S` of the year: :math:`a_{12}+b_{12}p\ge kS/12`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.fund.calendar import Financing
from actuarial.fund.paths import PathArrays, Setting
from actuarial.fund.target import required_amount

CRITERIA = ("current_year", "closing", "any_month")
MONTHS = "months_payable"


@dataclass(frozen=True, eq=False)
class Rise:
    """How a change of the amount comes in, where it is not in the present proportions.

    Parameters
    ----------
    present : float
        The present standard [yuan/person/year].
    slope : ndarray, shape (12,)
        Yuan of balance at the end of each month per yuan of the change, for the expected heads.
    """

    present: float
    slope: NDArray[np.float64]


def rise_of(s: Setting, financing: Financing, split: Mapping[str, float] | str) -> Rise:
    """The rise that one payer bears, or several in stated shares.

    Parameters
    ----------
    s : Setting
    financing : Financing
    split : str or mapping
        A payer, or shares by payer that sum to 1.

    Raises
    ------
    InputError
        For an unknown payer, a negative share, or shares that do not sum to 1.
    """
    shares = {split: 1.0} if isinstance(split, str) else dict(split)
    payers = [str(p) for p in financing.payers["payer"]]
    wrong = sorted(set(shares) - set(payers))
    total = float(sum(shares.values()))
    if wrong or min(shares.values(), default=-1.0) < 0 or not abs(total - 1) < 1e-6:
        params = {"value": "、".join(f"{k}: {v:g}" for k, v in shares.items()), "known": "、".join(payers)}
        raise InputError([Fault("answers.split", params=params)])
    weights = np.array([shares.get(p, 0.0) for p in payers])
    cumulative = weights @ financing.cumulative.loc[payers].to_numpy()
    receipts = np.diff(cumulative)
    receipts[0] += cumulative[0]
    slope, level = np.empty(12), 0.0
    for m in range(12):
        level = level * (1 + s.interest) + s.heads * receipts[m]
        slope[m] = level
    return Rise(financing.standard, slope)


def slope_of(s: Setting, arrays: PathArrays) -> NDArray[np.float64]:
    """``b``: shape (12,), or (n, 12) where heads differ between paths [yuan per yuan a head]."""
    if s.heads_sd == 0:
        return s.slope
    return s.slope * (arrays.heads / s.heads)[:, None]


def opening_of(s: Setting, arrays: PathArrays) -> NDArray[np.float64]:
    """Balance at the start of the planned year, shape (n,) [yuan]."""
    if arrays.stub_balance.shape[1]:
        return arrays.stub_balance[:, -1]
    return np.full(len(arrays.heads), s.at_valuation - s.unpaid)


def spending_of(s: Setting, arrays: PathArrays) -> NDArray[np.float64]:
    """Claims and critical-illness premiums of the planned year, shape (n,) [yuan]."""
    return arrays.claims.sum(axis=1) + arrays.heads * s.premium_per_head.sum()


def need_of(
    s: Setting, arrays: PathArrays, criterion: str, *, months: float = 0.0, rise: Rise | None = None
) -> NDArray[np.float64]:
    """The amount per head that each path needs, shape (n,) [yuan/person/year].

    Parameters
    ----------
    s : Setting
    arrays : PathArrays
    criterion : str
        ``current_year``, ``closing``, ``any_month`` or ``months_payable``.
    months : float
        Months of spending that the closing balance must reach, for ``months_payable``.
    rise : Rise, optional
        How a change of the amount comes in.
    """
    a, b = arrays.at_zero, slope_of(s, arrays)
    if criterion != "any_month":
        a, b = a[:, -1:], b[..., -1:]
    if criterion == "current_year":
        growth = 1 + s.interest
        a = a - (opening_of(s, arrays) * growth**12 + s.late_income * growth**11)[:, None]
    if criterion == MONTHS:
        a = a - (months / 12 * spending_of(s, arrays))[:, None]
    if rise is None:
        return required_amount(a, b)
    extra = rise.slope if criterion == "any_month" else rise.slope[-1:]
    if s.heads_sd > 0:
        extra = extra * (arrays.heads / s.heads)[:, None]
    return rise.present + required_amount(a + b * rise.present, extra)


class Needs(Mapping[str, NDArray[np.float64]]):
    """What each path needs, by criterion; one that nobody asks for is not worked out."""

    def __init__(self, setting: Setting, arrays: PathArrays) -> None:
        self.setting, self.arrays = setting, arrays
        self.known: dict[str, NDArray[np.float64]] = {}

    def __getitem__(self, criterion: str) -> NDArray[np.float64]:
        if criterion not in CRITERIA:
            raise KeyError(criterion)
        if criterion not in self.known:
            self.known[criterion] = need_of(self.setting, self.arrays, criterion)
        return self.known[criterion]

    def __iter__(self) -> Iterator[str]:
        return iter(CRITERIA)

    def __len__(self) -> int:
        return len(CRITERIA)


def stress_of(s: Setting, arrays: PathArrays, premium: float, criterion: str) -> NDArray[np.float64]:
    """The multiple of the planned year's claims at which each path falls into a deficit, shape (n,).

    Claims given the systemic cost scale with it, so the balance is ``c − λ·claims so far``, both with interest. A path that is
    short without any claims breaks at 0 or below; one without claims never does.
    """
    growth = 1 + s.interest
    spent, sums = np.zeros(len(arrays.heads)), np.empty_like(arrays.claims)
    for m in range(arrays.claims.shape[1]):
        spent = spent * growth + arrays.claims[:, m]
        sums[:, m] = spent
    rest = arrays.at_zero + sums + slope_of(s, arrays) * premium
    if criterion != "any_month":
        rest, sums = rest[:, -1:], sums[:, -1:]
    if criterion == "current_year":
        rest = rest - (opening_of(s, arrays) * growth**12 + s.late_income * growth**11)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.where(sums > 0, rest / np.where(sums > 0, sums, 1.0), np.where(rest < 0, -np.inf, np.inf))
    return at.min(axis=1)
