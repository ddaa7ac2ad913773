r"""A planned year of which some months have been seen: these are fixed, the rest is drawn given what they say.

A path has a year's cost :math:`T_i`, a share :math:`S_i` of the year in the months seen (seasons differ between years: see
:class:`~actuarial.tables.MonthlyProfile`) and, with its own randomness of claims, an amount :math:`Y_i` for these months. What is seen
is :math:`y`. In logarithms (the share on the logit scale) the paths are moved by Matheron's rule,

.. math:: x_i' = x_i + \operatorname{Cov}(x,\ln Y)\operatorname{Var}(\ln Y)^{-1}\,(\ln y-\ln Y_i),\qquad
          x=(\ln T,\ \operatorname{logit}S),

which draws from the conditional law where the logarithms are jointly normal, keeps every path and its random numbers, and never
degenerates, however narrow the evidence is. A base year whose total is known by now is a second observation: both years share
its error. The months to come keep their own randomness and are scaled by
:math:`\frac{T_i'}{T_i}\frac{1-S_i'}{1-s}`.

References
----------
A. G. Journel, C. J. Huijbregts, *Mining Geostatistics* (1978), conditioning by kriging of simulated fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from actuarial.errors import Fault, InputError
from actuarial.fund.income import Income
from actuarial.fund.kernel import accumulate
from actuarial.fund.paths import CHUNK, SEASON, PathArrays, Setting, normals, rest_of
from actuarial.results import Source


@dataclass(frozen=True, kw_only=True)
class MonthlyActuals:
    """What has been seen of the planned year.

    Parameters
    ----------
    claims : sequence of float
        Claims paid in each month seen, from the year's first month on, 1 to 12 of them [yuan]; not negative.
    income : sequence of float, optional
        Received from all payers in the same months, without what goes to personal accounts and an adjustment fund [yuan]. Then only the months to come depend on the amount per head, and what came
        late (planned receipts at the present standard less what came) is taken to arrive in the year's last month; what came early
        is taken off there.
    opening : float, optional
        Balance at the start of the planned year, where it is known by now [yuan].
    base_total : float, optional
        Claims of the whole base year, where they are known by now [yuan]; above 0.
    source : str
        Where the figures are from.

    Raises
    ------
    InputError
        If the months are not 1 to 12, lengths differ, or a number is not finite or negative.

    Examples
    --------
    >>> MonthlyActuals(claims=[1.8e7, 1.6e7], source="monthly statement").months
    2
    """

    claims: Sequence[float]
    income: Sequence[float] | None = None
    opening: float | None = None
    base_total: float | None = None
    source: str

    def __post_init__(self) -> None:
        income = self.claims if self.income is None else self.income
        single = [v for v in (self.opening, self.base_total) if v is not None]
        numbers = np.asarray([*self.claims, *income, *single], dtype=np.float64)
        amounts = np.asarray([*self.claims, *income], dtype=np.float64)
        wrong = not np.isfinite(numbers).all() or (amounts < 0).any()
        if (
            not 1 <= len(self.claims) <= 12
            or len(income) != len(self.claims)
            or wrong
            or not sum(self.claims) > 0
            or (self.base_total is not None and not self.base_total > 0)
        ):
            raise InputError(
                [Fault("fund.observed", params={"value": str([float(v) for v in numbers])[:120]})]
            )

    @property
    def months(self) -> int:
        """Months seen."""
        return len(self.claims)

    def as_source(self) -> Source:
        """The source, for results."""
        return Source("observed_months", self.source, f"1–{self.months}", status="stated")


def condition(
    s: Setting, arrays: PathArrays, seen: MonthlyActuals, *, seed: int, standard: float
) -> tuple[Setting, PathArrays]:
    """Paths of the planned year given its first months.

    Parameters
    ----------
    s : Setting
    arrays : PathArrays
        Unweighted paths.
    seen : MonthlyActuals
    seed : int
        That of the simulation.
    standard : float
        The present standard, for what came late [yuan/person/year].

    Returns
    -------
    Setting, PathArrays
        New ones; what was given is left as it is.
    """
    k = seen.months
    factor, claims = claims_given(s, arrays, seen, seed=seed)
    base = arrays.base_total if seen.base_total is None else np.full_like(arrays.base_total, seen.base_total)
    due = arrays.due
    if seen.base_total is not None and s.risk is not None:
        due = s.risk.opening(base, s.cost.base.experience.paid, len(s.stub)).sum(axis=1)
    moved = replace(
        arrays, base_total=base, cost_per_capita=arrays.cost_per_capita * factor, claims=claims, due=due
    )
    if s.income is not None:
        return _with_accounts(s, s.income, arrays, moved, seen, standard)
    stub, at_valuation = arrays.stub_balance.copy(), s.at_valuation
    if seen.base_total is not None:  # what the unseen months really cost
        stub += accumulate(_overpaid(s, arrays, moved)[:, None] * s.stub, s.interest)
    if seen.opening is not None:
        if stub.shape[1]:
            stub[:, -1] = seen.opening
        else:
            at_valuation = seen.opening + s.unpaid
    receipts, fixed = s.receipts, np.zeros(12)
    if seen.income is not None:
        fixed[:k] = seen.income
        fixed[-1] += standard * s.heads * receipts[:k].sum() - float(np.sum(seen.income)) if k < 12 else 0.0
        receipts = np.where(np.arange(12) < k, 0.0, receipts)
    new = replace(s, receipts=receipts, at_valuation=at_valuation)
    opening = stub[:, -1] if stub.shape[1] else np.full(len(claims), at_valuation - s.unpaid)
    # what is neither claims nor opening stays as it was on the path: premiums, transfers, late income
    other = flows_of(s, arrays)
    at_zero, level = np.empty_like(claims), opening
    for m in range(12):
        level = level * (1 + s.interest) - claims[:, m] + other[:, m] + fixed[m]
        at_zero[:, m] = level
    return new, replace(moved, stub_balance=stub, at_zero=at_zero)


def _with_accounts(
    s: Setting, income: Income, arrays: PathArrays, moved: PathArrays, seen: MonthlyActuals, standard: float
) -> tuple[Setting, PathArrays]:
    """Balances of a plan that states its accounts or arrears: what is known now, moved through the responses of its accounts."""
    k, stub, weigh = seen.months, income.stub, income.bank.total(income.paying)
    level = np.concatenate([arrays.stub_balance, arrays.at_zero], axis=1)
    carried, at_valuation, receipts, fixed = arrays.carried, s.at_valuation, s.receipts, np.zeros(12)
    assert carried is not None
    earlier, flows, before, opening = (
        np.zeros_like(level), income.flows.copy(), income.before.copy(), income.opening.copy(),
    )  # fmt: skip
    if seen.base_total is not None:
        earlier += (_overpaid(s, arrays, moved)[:, None] * s.stub) @ weigh[:stub]
    if seen.opening is not None:
        known = (level + earlier)[:, stub - 1] if stub else np.full(len(level), s.at_valuation - s.unpaid)
        row = weigh[stub - 1] if stub else income.bank.start[income.paying].sum(axis=1)
        earlier += (seen.opening - known)[:, None] * row
        at_valuation = s.at_valuation if stub else seen.opening + s.unpaid
        if stub:  # the accounts show means
            before[stub - 1, income.paying] += (seen.opening - known).mean()
        else:
            opening[income.paying] += (seen.opening - known).mean()
    level += earlier
    level[:, stub:] += (arrays.claims - moved.claims) @ weigh[stub:, stub:]
    if seen.income is not None:
        fixed[:k] = seen.income
        fixed[-1] += standard * s.heads * receipts[:k].sum() - float(np.sum(seen.income)) if k < 12 else 0.0
        level[:, stub:] += fixed @ income.bank.total(0)[stub:, stub:]
        flows[stub:, 0] += fixed
        receipts = np.where(np.arange(12) < k, 0.0, receipts)
    income = replace(
        income, flows=flows, before=before, opening=opening, seen=0 if seen.income is None else k
    )
    new = replace(s, receipts=receipts, at_valuation=at_valuation, income=income)
    return new, replace(
        moved, stub_balance=level[:, :stub], at_zero=level[:, stub:], carried=carried + earlier[:, -1]
    )


def _overpaid(s: Setting, arrays: PathArrays, moved: PathArrays) -> NDArray[np.float64]:
    """What the paths paid in the rest of the base year beyond what its known total leaves, shape (n,) [yuan]."""
    return rest_of(s, arrays.base_total, arrays.due) - rest_of(s, moved.base_total, moved.due)


def claims_given(
    s: Setting, arrays: PathArrays, seen: MonthlyActuals, *, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Claims of the year given its first months.

    Parameters
    ----------
    s, arrays, seen, seed
        See :func:`condition`.

    Returns
    -------
    factor : ndarray, shape (n,)
        What becomes of the year's systemic cost.
    claims : ndarray, shape (n, 12)
        Months seen as seen, the others given them [yuan].

    Raises
    ------
    InputError
        If providers are paid by quota: what they were paid follows from their budgets and tells nothing of claims.
    """
    k = seen.months
    if s.risk is not None and s.risk.providers is not None and "providers" not in s.without:
        raise InputError([Fault("risks.seen_quota")])
    factor, rest = _update(s, arrays, seen, season(s, k, seed, len(arrays.heads)))
    claims = arrays.claims * rest[:, None]
    claims[:, :k] = np.asarray(seen.claims, dtype=np.float64)
    return factor, claims


def flows_of(s: Setting, arrays: PathArrays) -> NDArray[np.float64]:
    """Flows of each month at an amount of 0 besides claims, shape (n, 12) [yuan]; from the balances themselves."""
    first = arrays.stub_balance[:, -1] if arrays.stub_balance.shape[1] else s.at_valuation - s.unpaid
    before = np.column_stack([np.broadcast_to(first, len(arrays.heads)), arrays.at_zero[:, :-1]])
    return arrays.at_zero - before * (1 + s.interest) + arrays.claims


def season(s: Setting, months: int, seed: int, paths: int) -> NDArray[np.float64]:
    """Share of the year in the months seen, one a path."""
    base = s.cost.base
    z = np.concatenate(
        [
            normals(seed, SEASON, [0], s.year, i, min(CHUNK, paths - low), fund=s.fund)[:, 0]
            for i, low in enumerate(range(0, paths, CHUNK))
        ]
    )
    return base.coming.share_draws(months, z, base.place_sd)


@dataclass(frozen=True, eq=False)
class Update:
    """How paths move when something is seen: Matheron's rule, learnt once for any number of observations.

    Parameters
    ----------
    data : ndarray, shape (d, n)
        Logarithm of what each path would have shown.
    state : ndarray, shape (m + 1, n)
        Logarithm of the year's cost (of each of m parts), and logit of the share of the months seen.
    """

    data: NDArray[np.float64]
    state: NDArray[np.float64]

    @cached_property
    def gain(self) -> NDArray[np.float64]:
        """``Cov(x, y) Var(y)⁻¹``, shape (m + 1, d)."""
        y, x = (a - a.mean(axis=1, keepdims=True) for a in (self.data, self.state))
        n = self.data.shape[1]
        found: NDArray[np.float64] = (x @ y.T / n) @ np.linalg.pinv(y @ y.T / n, rcond=1e-12, hermitian=True)
        return found

    def moves(self, seen: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each path's state moves, given the logarithms that were seen, shape (m + 1, n)."""
        return self.gain @ (seen[:, None] - self.data)

    def left(self, move: NDArray[np.float64], paths: slice = slice(None)) -> NDArray[np.float64]:
        """Share of the year that is left to come, given the move of its logit."""
        return 1 - expit(self.state[-1, paths] + move)


def learned(
    s: Setting, arrays: PathArrays, months: int, share: NDArray[np.float64], *, base_year: bool = False
) -> Update:
    """The update by the claims of the first months, and by the base year's total where it is known."""
    usual = float(s.shares[:months].sum())
    simulated = np.maximum(arrays.claims[:, :months].sum(axis=1), 1e-9) * (
        share / usual if usual > 0 else 1.0
    )
    data = [np.log(simulated), *([np.log(arrays.base_total)] if base_year else [])]
    cost = np.log(np.maximum(arrays.heads * arrays.cost_per_capita, 1e-9))
    return Update(np.stack(data), np.stack([cost, logit(np.clip(share, 1e-12, 1 - 1e-12))]))


def _update(
    s: Setting, arrays: PathArrays, seen: MonthlyActuals, share: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Factors on the year's cost, and on the claims of the months to come."""
    update = learned(s, arrays, seen.months, share, base_year=seen.base_total is not None)
    known = [float(np.sum(seen.claims)), *([] if seen.base_total is None else [seen.base_total])]
    moved = update.moves(np.log(np.array(known)))
    factor, usual = np.exp(moved[0]), float(s.shares[: seen.months].sum())
    return factor, factor * (update.left(moved[1]) / (1 - usual) if 1 - usual > 1e-9 else 1.0)
