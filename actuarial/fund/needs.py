r"""What each path needs: the amount per head that keeps it out of a deficit, under every criterion.

The balance at the end of month :math:`m` is :math:`a_m+b_mp`. Where a rise is borne by one payer, or by a stated
split, only the difference to the present standard :math:`p_0` follows that payer's calendar,

.. math:: a_m+b_mp_0+b^{*}_m(p-p_0)\ge0 \iff p\ge p_0-\frac{a_m+b_mp_0}{b^{*}_m}.

Months payable at least :math:`k`, in the path's own spending :math:`S` of the year: :math:`a_{12}+b_{12}p\ge kS/12`. What a reserve or
an adjustment fund gives in a deficit ends it and pays no month ahead: it counts for :math:`k=0` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.fund.calendar import Financing
from actuarial.fund.income import Income
from actuarial.fund.kernel import accumulate
from actuarial.fund.paths import PathArrays, Setting
from actuarial.fund.reserve import Line, needed
from actuarial.fund.target import required_amount, required_by_month

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
    weights : ndarray, shape (payers,)
        Shares of the change by payer.
    """

    present: float
    slope: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None


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
    if s.income is not None:
        return Rise(financing.standard, np.zeros(12), weights)
    cumulative = weights @ financing.cumulative.loc[payers].to_numpy()
    receipts = np.diff(cumulative)
    receipts[0] += cumulative[0]
    return Rise(financing.standard, accumulate(s.heads * receipts, s.interest), weights)


def slope_of(s: Setting, arrays: PathArrays) -> NDArray[np.float64]:
    """``b``: shape (12,), or (n, 12) where heads or arrears differ between paths [yuan per yuan a head]."""
    if s.income is not None:
        return s.income.slope(_real(arrays)) * arrays.heads[:, None]
    if s.heads_sd == 0:
        return s.slope
    return s.slope * (arrays.heads / s.heads)[:, None]


def rise_slope(s: Setting, arrays: PathArrays, rise: Rise) -> NDArray[np.float64]:
    """``b`` of a change of the amount, shape (12,) or (n, 12)."""
    if s.income is not None:
        return s.income.slope(_real(arrays), rise.weights) * arrays.heads[:, None]
    if s.heads_sd == 0:
        return rise.slope
    return rise.slope * (arrays.heads / s.heads)[:, None]


def _real(arrays: PathArrays) -> NDArray[np.float64]:
    assert arrays.income is not None  # the setting has an income
    return arrays.income


def to_end(s: Setting) -> NDArray[np.float64]:
    """What a yuan paid out in each month weighs at the year's end, shape (12,)."""
    if s.income is not None:
        return s.income.bank.total(s.income.paying)[s.income.stub :, -1]
    return np.asarray((1 + s.interest) ** np.arange(11, -1, -1), dtype=np.float64)


def carried_of(s: Setting, arrays: PathArrays) -> NDArray[np.float64]:
    """What of the closing balance comes from before the planned year, shape (n,) [yuan]."""
    if arrays.carried is not None:
        return arrays.carried
    growth = 1 + s.interest
    return opening_of(s, arrays) * growth**12 + s.late_income * growth**11


def balances_of(s: Setting, arrays: PathArrays, premium: float) -> NDArray[np.float64]:
    """Balance at the end of each month of the planned year at an amount per head, shape (n, 12) [yuan].

    With a reserve this is the free money: after what is set aside, and with what a reserve that covers deficits gives. An adjustment
    fund's help comes at the year's end.
    """
    balance = free_of(s, arrays, premium)
    if s.income is not None and s.income.adjustment is not None:
        balance[:, -1] += given_of(s, arrays, balance[:, -1], premium)
    return balance


def free_of(s: Setting, arrays: PathArrays, premium: float) -> NDArray[np.float64]:
    """The same before an adjustment fund gives."""
    balance = arrays.at_zero + slope_of(s, arrays) * premium
    if s.income is None or s.income.reserve is None:
        return balance
    put = put_in_of(s, arrays, premium)
    balance = balance - put[:, None] * s.income.reserve.taken
    if s.income.reserve.drawn:
        held = s.income.reserve.held_after(put)
        balance = balance + np.minimum(np.maximum(-balance, 0.0), np.maximum(held, 0.0))
    return balance


def closing_of(s: Setting, arrays: PathArrays, premium: float) -> NDArray[np.float64]:
    """Balance at the year's end at an amount per head, shape (n,) [yuan]; see :func:`balances_of`."""
    if s.income is not None and s.income.bends:
        return balances_of(s, arrays, premium)[:, -1]
    slope = slope_of(s, arrays)
    found: NDArray[np.float64] = arrays.at_zero[:, -1] + slope[..., -1] * premium
    return found


def put_in_of(s: Setting, arrays: PathArrays, premium: float) -> NDArray[np.float64]:
    """What each path puts in its reserve at an amount per head, shape (n,) [yuan]."""
    if s.income is None or s.income.reserve is None:
        return np.zeros(len(arrays.heads))
    return s.income.reserve.put_in(arrays.heads, _surplus(s, arrays), premium)


def given_of(
    s: Setting, arrays: PathArrays, balance: NDArray[np.float64], premium: float
) -> NDArray[np.float64]:
    """What an adjustment fund gives for closing balances, shape (n,) [yuan]."""
    if s.income is None or s.income.adjustment is None:
        return np.zeros(len(arrays.heads))
    income = s.income.receipts(_real(arrays)) * arrays.heads * premium
    return s.income.adjustment.given(balance, income)


def _surplus(s: Setting, arrays: PathArrays) -> Line:
    """The year's own balance: constant and slope."""
    return arrays.at_zero[:, -1] - carried_of(s, arrays), slope_of(s, arrays)[..., -1]


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
    if s.income is not None and s.income.bends:
        return needs_by_month(s, arrays, criterion, months=months, rise=rise).max(axis=1)
    found = required_amount(*_lines(s, arrays, criterion, months, rise))
    return found if rise is None else rise.present + found


def _lines(
    s: Setting, arrays: PathArrays, criterion: str, months: float, rise: Rise | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Constants and slopes of the balances that a criterion looks at; in the change, where a rise is asked for."""
    a, b = arrays.at_zero, slope_of(s, arrays)
    if criterion != "any_month":
        a, b = a[:, -1:], b[..., -1:]
    if criterion == "current_year":
        a = a - carried_of(s, arrays)[:, None]
    if criterion == MONTHS:
        a = a - (months / 12 * spending_of(s, arrays))[:, None]
    if rise is None:
        return a, b
    extra = rise_slope(s, arrays, rise)
    return a + b * rise.present, extra if criterion == "any_month" else extra[..., -1:]


def needs_by_month(
    s: Setting, arrays: PathArrays, criterion: str, *, months: float = 0.0, rise: Rise | None = None
) -> NDArray[np.float64]:
    """The amount per head that each path needs by month, shape (n, 12), or (n, 1) for criteria on the year's end.

    The amount that keeps the path out of a deficit is the largest one. See :func:`need_of`.
    """
    a, b = _lines(s, arrays, criterion, months, rise)
    moved = (
        _bent(s, arrays, a, b, criterion, rise, helped=criterion != MONTHS or months == 0)
        if s.income is not None and s.income.bends
        else required_by_month(a, b)
    )
    return moved if rise is None else rise.present + moved


def _bent(
    s: Setting,
    arrays: PathArrays,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    criterion: str,
    rise: Rise | None,
    *,
    helped: bool,
) -> NDArray[np.float64]:
    """Needs with a reserve and an adjustment fund; `a`, `b` in the change where a rise is asked for.

    `helped`: whether what covers a deficit counts; it ends one, and pays no month ahead.
    """
    income = s.income
    assert income is not None
    present = 0.0 if rise is None else rise.present
    a, b = a.copy(), np.broadcast_to(b, a.shape).copy()
    fund, heads = income.adjustment, arrays.heads
    if helped and fund is not None and fund.covers == 1.0:
        each = income.receipts(_real(arrays)) * heads
        a[:, -1] += fund.limit(each * present)
        b[:, -1] += fund.limit(each if rise is None else heads * rise_receipts(income, arrays, rise))
    reserve = income.reserve
    if reserve is None or criterion == "current_year":
        return required_by_month(a, b)
    surplus = _surplus(s, arrays)
    one, two = reserve.lines(heads, surplus)
    if rise is not None:
        extra = rise_slope(s, arrays, rise)[..., -1]
        one, two = ((c + m * present, m) for c, m in (one, two))
        one = (one[0], reserve.rate * extra) if reserve.basis == "surplus" else one
    drawn = reserve.drawn and helped
    weight = reserve.taken - (reserve.growth if drawn else 0.0)
    held = reserve.held if drawn else np.zeros(12)
    if criterion != "any_month":
        weight, held = weight[-1:], held[-1:]
    return needed(a + held, b, weight, one, two)


def rise_receipts(income: Income, arrays: PathArrays, rise: Rise) -> NDArray[np.float64]:
    """Receipts of the year per head and yuan of a change, shape (n,)."""
    assert rise.weights is not None
    return income.receipts(_real(arrays), rise.weights)


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
    sums = _spent_so_far(s, arrays)
    if s.income is not None and s.income.bends:
        return _stress_bent(s, s.income, arrays, premium, criterion, sums)
    rest = arrays.at_zero + sums + slope_of(s, arrays) * premium
    if criterion != "any_month":
        rest, sums = rest[:, -1:], sums[:, -1:]
    if criterion == "current_year":
        rest = rest - carried_of(s, arrays)[:, None]
    return _breaks(rest, sums).min(axis=1)


def _breaks(rest: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiple of `sums` that uses up `rest`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(
            sums > 0, rest / np.where(sums > 0, sums, 1.0), np.where(rest < 0, -np.inf, np.inf)
        )
    return found


def _spent_so_far(s: Setting, arrays: PathArrays) -> NDArray[np.float64]:
    """The year's own claims up to the end of each month with what they cost in interest, shape (n, 12) [yuan]."""
    claims = arrays.claims
    if (
        s.risk is not None and s.risk.lag is not None
    ):  # what falls due of earlier years is no claim of this one
        due = s.risk.opening(arrays.base_total, s.cost.base.experience.paid, len(s.stub))
        claims = np.maximum(claims - due[:, :12], 0.0)
    if s.income is not None:
        stub = s.income.stub
        return claims @ s.income.bank.total(s.income.paying)[stub:, stub:]
    return accumulate(claims, s.interest)


def _stress_bent(
    s: Setting, income: Income, arrays: PathArrays, premium: float, criterion: str, sums: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The multiple with a reserve and an adjustment fund: what is put in falls as claims rise, so the same three lines decide."""
    rest = arrays.at_zero + sums + slope_of(s, arrays) * premium
    fund, reserve = income.adjustment, income.reserve
    if fund is not None and fund.covers == 1.0:
        rest[:, -1] += fund.limit(income.receipts(_real(arrays)) * arrays.heads * premium)
    if criterion == "current_year":
        return _breaks(rest[:, -1:] - carried_of(s, arrays)[:, None], sums[:, -1:])[:, 0]
    if reserve is None:
        at = _breaks(rest, sums)
    else:
        weight = reserve.taken - (reserve.growth if reserve.drawn else 0.0)
        rest = rest + (reserve.held if reserve.drawn else 0.0)
        one, two = (c + m * premium for c, m in reserve.lines(arrays.heads, _surplus(s, arrays)))
        falls = reserve.rate * sums[:, -1:] if reserve.basis == "surplus" else np.zeros_like(sums[:, -1:])
        first = _breaks(rest - weight * (one[:, None] + falls), sums - weight * falls)
        second = _breaks(rest - weight * two[:, None], sums)
        plain = _breaks(rest, sums)
        at = np.where(
            weight > 0, np.minimum(plain, np.maximum(first, second)),
            np.where(weight < 0, np.maximum(plain, np.minimum(first, second)), plain),
        )  # fmt: skip
    return (at if criterion == "any_month" else at[:, -1:]).min(axis=1)
