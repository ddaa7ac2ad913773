r"""Completion of what has been incurred and not yet paid: run-off triangles.

A triangle holds cumulative payments :math:`C_{i,j}` of service period :math:`i` by lag :math:`j`. In this order:

1. **Is the latest diagonal whole?** For each of the latest payment periods the paid increments are set against
   what the other diagonals lead to expect. Half-loaded, empty and doubled periods are found, said, and left out; a
   chain ladder that takes them as they are understates by a third and says nothing.
2. **Volume-weighted chain ladder** with Mack's error,

   .. math:: f_j=\frac{\sum_i C_{i,j+1}}{\sum_i C_{i,j}},\qquad
      \sigma_j^2=\frac{1}{n_j-1}\sum_i C_{i,j}\left(\frac{C_{i,j+1}}{C_{i,j}}-f_j\right)^2,

   the last :math:`\sigma^2` by Mack's rule :math:`\min(\sigma_{J-1}^4/\sigma_{J-2}^2,\sigma_{J-2}^2,\sigma_{J-1}^2)`.
3. **Bornhuetter–Ferguson** and **Cape Cod** on exposure for young periods, where the chain ladder multiplies noise:
   with :math:`q_i` the share developed, ultimate :math:`=C_i+(1-q_i)\,r\,E_i`, and Cape Cod's
   :math:`r=\sum C_i/\sum q_iE_i`.
4. **Draws** of ultimates: factors from their estimation error, then one period after the other with Mack's
   process variance (gamma), so that the draws are joint over service periods.

Sources: Mack, *ASTIN Bulletin* 23 (1993); Bornhuetter and Ferguson (1972); Bühlmann's Cape Cod as in Stanard (1985).
The insurers' rule (two methods, take the larger; at least 10% of paid with under three years of data) is
``insurers_rule=True``, off by default: a fund budget would stack margin on margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import DataWarning, Fault, InputError, warn
from actuarial.experience.triangle import Flag, Triangle, check_latest, period_label
from actuarial.results import COLOURS, Result, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Completed", "Triangle", "cash_incurred_bridge", "check_latest", "complete", "completion_pattern"]

Method = Literal["chain_ladder", "bornhuetter_ferguson", "cape_cod"]
YOUNG = 0.5
"""Share developed below which a service period is completed by Cape Cod where there is exposure."""


def _factors(
    values: NDArray[np.float64], last: int | None = None, excluded: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Volume-weighted factors, Mack's σ², and the volumes Σ C below each factor; all of length lags − 1."""
    low, high = values[:, :-1], values[:, 1:]
    use = np.isfinite(low) & np.isfinite(high) & (low > 0)
    if excluded is not None:
        use &= ~excluded
    if last is not None:
        newest_first = np.cumsum(use[::-1], axis=0)[::-1]
        use &= newest_first <= last
    base, top = np.where(use, low, 0.0), np.where(use, high, 0.0)
    volume, count = base.sum(axis=0), use.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        f = np.where(volume > 0, top.sum(axis=0) / volume, np.nan)
        deviation = np.where(use, low * (high / np.where(low > 0, low, 1.0) - f) ** 2, 0.0)
        sigma2 = np.where(count > 1, deviation.sum(axis=0) / np.maximum(count - 1, 1), np.nan)
    for j in range(len(sigma2)):  # Mack's rule where one pair is left
        if not np.isfinite(sigma2[j]) and np.isfinite(f[j]):
            if j >= 2 and sigma2[j - 2] > 0:
                sigma2[j] = min(sigma2[j - 1] ** 2 / sigma2[j - 2], sigma2[j - 2], sigma2[j - 1])
            else:
                sigma2[j] = sigma2[j - 1] if j >= 1 else 0.0
    return f, sigma2, volume


@dataclass(frozen=True, eq=False)
class Completed(Result):
    """Ultimates with their error.

    Parameters
    ----------
    triangle : Triangle
        What was completed: without the payment periods that were left out.
    flags : tuple of Flag
        What was found about the latest periods.
    left_out : int
        How many of the latest payment periods were left out.
    factors : DataFrame
        ``lag``, ``factor``, ``sigma2``, ``cumulative`` (to ultimate).
    frame : DataFrame
        By service period: ``latest`` (all that was paid, also in periods left out), ``developed``,
        ``method``, ``ultimate``, ``ibnr``, ``se`` (Mack) [yuan].
    total_se : float
        Mack's standard error of the total, with the correlation between service periods [yuan].
    """

    triangle: Triangle
    flags: tuple[Flag, ...]
    left_out: int
    factors: pd.DataFrame
    frame: pd.DataFrame
    total_se: float

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def ultimate(self) -> float:
        """All service periods [yuan]."""
        return float(self.frame["ultimate"].sum())

    @property
    def ibnr(self) -> float:
        """Incurred and not yet paid [yuan]."""
        return float(self.frame["ibnr"].sum())

    def draws(self, paths: int = 10_000, seed: int = 2012) -> NDArray[np.float64]:
        """Joint draws of ultimates by service period, (paths, periods) [yuan].

        Factors are drawn from their estimation error, then each period is developed lag by lag with
        Mack's process variance as gamma; periods completed on exposure keep the chain ladder's relative error.
        """
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
        f, s2 = self.factors["factor"].to_numpy(), self.factors["sigma2"].to_numpy()
        volume = self.factors["volume"].to_numpy()
        lags = len(f)
        error = np.sqrt(np.divide(s2, volume, out=np.zeros_like(s2), where=volume > 0))
        drawn = np.maximum(f + error * generator.standard_normal((paths, lags)), 1e-9)
        out = np.empty((paths, len(self.frame)))
        age, latest = self.triangle.age, self.triangle.latest
        centre = self.frame["ultimate"].to_numpy()
        for i in range(len(self.frame)):
            start = latest[i] if age[i] >= 0 and latest[i] > 0 else np.nan
            first = max(int(age[i]), 0)
            level = np.full(paths, start if np.isfinite(start) else centre[i] / np.prod(f[first:]))
            mean = float(level[0])
            if not np.isfinite(start) and lags:
                n = max(int(np.isfinite(self.triangle.values[:, 0]).sum()), 2)
                spread = self.first_spread * np.sqrt(1 + 1 / n)
                level *= np.exp(spread * generator.standard_t(n - 1, paths))
            for j in range(first, lags):
                mean *= f[j]
                expected = level * drawn[:, j]
                variance = s2[j] * np.maximum(level, 1e-9)
                random = (variance > 0) & (expected > 0)
                shape = np.divide(expected**2, variance, out=np.ones_like(expected), where=random)
                scale = np.divide(variance, expected, out=np.zeros_like(expected), where=random)
                level = np.where(random, generator.standard_gamma(shape) * scale, expected)
            out[:, i] = level * (centre[i] / mean if mean > 0 else 1.0)
        return out

    @property
    def first_spread(self) -> float:
        """Relative spread of the first lag's payments per exposure: what is not known of an unseen period."""
        first = self.triangle.values[:, 0]
        e = self.triangle.exposure
        rate = first / e.to_numpy(dtype=np.float64) if e is not None else first
        rate = rate[np.isfinite(rate) & (rate > 0)]
        return float(np.log(rate).std(ddof=1)) if len(rate) > 2 else 0.3

    def interval(self, level: float = 0.95, *, paths: int = 10_000, seed: int = 2012) -> tuple[float, float]:
        """Interval of the total ultimate by the draws [yuan]."""
        total = self.draws(paths, seed).sum(axis=1)
        low, high = np.quantile(total, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Paid and still expected by service period, with 95% intervals."""
        draws = self.draws(4_000)
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        with figure_style():
            ax = ax or new_axes()
            x = np.arange(len(self.frame))
            ax.bar(x, self.frame["latest"], color=COLOURS["main"], label=text("chart.paid", lang))
            ax.bar(
                x,
                self.frame["ibnr"],
                bottom=self.frame["latest"],
                color=COLOURS["light"],
                label=text("chart.ibnr", lang),
            )
            ax.vlines(x, low, high, color=COLOURS["accent"], linewidth=1.6)
            ax.set_xticks(x, [str(p) for p in self.frame.index], rotation=45, ha="right", fontsize=8)
            ax.set_ylabel(text("chart.yuan", lang))
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        return ax


def complete(
    triangle: Triangle,
    *,
    method: Method | Literal["auto"] = "auto",
    last: int | None = None,
    exclude: Sequence[tuple[object, int]] = (),
    tail: float = 1.0,
    expected_rate: float | None = None,
    leave_out: int | None = None,
    insurers_rule: bool = False,
) -> Completed:
    """Complete a triangle.

    Parameters
    ----------
    triangle : Triangle
    method : {"auto", "chain_ladder", "bornhuetter_ferguson", "cape_cod"}
        ``auto``: Cape Cod for periods less than half developed where there is exposure, else chain ladder.
    last : int, optional
        Use the last so many periods for each factor.
    exclude : sequence of (period, lag)
        Links to leave out by hand: from `lag` to the next of that service period.
    tail : float
        Factor beyond the last lag, at least 1.
    expected_rate : float, optional
        Ultimate per exposure for Bornhuetter–Ferguson [yuan].
    leave_out : int, optional
        How many of the latest payment periods to leave out; by default as many as the check flags.
    insurers_rule : bool
        Two methods, the larger; at least 10% of paid with fewer than 36 months (Health Insurance Management
        Measures 2019, article 49).

    Raises
    ------
    InputError
        If a method on exposure has none, Bornhuetter–Ferguson has no rate, or a factor cannot be formed.

    Warns
    -----
    DataWarning
        For each period that does not look whole.
    """
    flags = check_latest(triangle)
    for flag in flags:
        warn(DataWarning, f"completion.{flag.kind}", period=flag.period, ratio=f"{100 * flag.ratio:.0f}")
    skipped = (
        leave_out
        if leave_out is not None
        else max((f.back + 1 for f in flags if f.kind != "service_empty"), default=0)
    )
    used = triangle.without_latest(skipped) if skipped else triangle
    if any(f.kind == "service_empty" for f in flags):
        used = _blank_last_row(used)
    excluded = np.zeros((len(used.frame), used.values.shape[1] - 1), dtype=bool)
    for period, lag in exclude:
        excluded[used.frame.index.get_loc(period), lag] = True
    f, s2, volume = _factors(used.values, last, excluded)
    if not np.isfinite(f).any():
        raise InputError([Fault("completion.no_factor")])
    f = np.where(np.isfinite(f), f, 1.0)
    s2, volume = np.nan_to_num(s2), np.nan_to_num(volume)
    if tail < 1:
        raise InputError([Fault("completion.tail", params={"value": tail})])
    cumulative = np.asarray(np.cumprod(f[::-1])[::-1] * tail, dtype=np.float64)
    frame = _ultimates(triangle, used, cumulative, tail, method, expected_rate)
    if insurers_rule:
        frame = _larger(frame, triangle, used, cumulative, tail)
    se, total_se = _mack(used, frame, f, s2, volume)
    frame["se"] = se
    factors = pd.DataFrame(
        {"lag": range(len(f)), "factor": f, "sigma2": s2, "volume": volume, "cumulative": cumulative}
    )
    return Completed(used, flags, skipped, factors, frame, total_se, sources=triangle.sources)


def _blank_last_row(triangle: Triangle) -> Triangle:
    frame = triangle.frame.copy()
    frame.iloc[-1] = np.nan
    return Triangle(frame, triangle.exposure, sources=triangle.sources)


def _ultimates(
    triangle: Triangle, used: Triangle, cumulative: NDArray[np.float64], tail: float,
    method: str, expected_rate: float | None,
) -> pd.DataFrame:  # fmt: skip
    """Ultimate of each service period by the method that applies to it."""
    age, latest = used.age, used.latest
    to_go = np.append(cumulative, tail)[np.maximum(age, 0)]
    developed = np.where((age >= 0) & (latest > 0), 1 / to_go, 0.0)
    e = None if used.exposure is None else used.exposure.reindex(used.frame.index).to_numpy(dtype=np.float64)
    needs = method in {"bornhuetter_ferguson", "cape_cod"}
    if e is None and needs:
        raise InputError([Fault("completion.no_exposure", params={"method": method})])
    if method == "bornhuetter_ferguson" and expected_rate is None:
        raise InputError([Fault("completion.no_rate")])
    weight = np.ones(len(latest)) if e is None else e
    known = developed > 0
    rate = float(latest[known].sum() / (developed[known] * weight[known]).sum())
    if method == "bornhuetter_ferguson" and expected_rate is not None:
        rate = expected_rate
    ladder = latest * to_go
    on_exposure = latest + (1 - developed) * rate * weight
    if method == "chain_ladder":
        young = ~known
    elif needs:
        young = np.ones(len(latest), dtype=bool)
    else:
        young = (developed < YOUNG) if e is not None else ~known
    ultimate = np.where(young, on_exposure, ladder)
    name = method if needs else "cape_cod"
    paid = triangle.latest
    ultimate = np.maximum(ultimate, paid)
    return pd.DataFrame(
        {
            "latest": paid,
            "developed": developed,
            "method": np.where(young, name, "chain_ladder"),
            "ultimate": ultimate,
            "ibnr": ultimate - paid,
        },
        index=used.frame.index,
    )


def _larger(
    frame: pd.DataFrame, triangle: Triangle, used: Triangle, cumulative: NDArray[np.float64], tail: float
) -> pd.DataFrame:
    """Article 49: the larger of two methods in total, and not less than 10% of paid under three years."""
    if used.exposure is None:
        raise InputError([Fault("completion.no_exposure", params={"method": "insurers_rule"})])
    ladder = _ultimates(triangle, used, cumulative, tail, "chain_ladder", None)
    cape = _ultimates(triangle, used, cumulative, tail, "cape_cod", None)
    larger = max((ladder, cape), key=lambda f: float(f["ibnr"].sum())).copy()
    floor = 0.1 * float(larger["latest"].sum())
    if len(frame) < 36 and larger["ibnr"].sum() < floor:
        scale = floor / max(float(larger["ibnr"].sum()), 1e-9)
        larger["ibnr"] *= scale
        larger["ultimate"] = larger["latest"] + larger["ibnr"]
    return larger


def _mack(
    used: Triangle,
    frame: pd.DataFrame,
    f: NDArray[np.float64],
    s2: NDArray[np.float64],
    volume: NDArray[np.float64],
) -> tuple[NDArray[np.float64], float]:
    """Mack's standard errors by service period and in total, around the ultimates of the frame."""
    age = np.maximum(used.age, 0)
    ultimate = frame["ultimate"].to_numpy(dtype=np.float64)
    ratio = np.divide(s2, f**2)
    lags = len(f)
    later = np.append(np.cumprod(f[::-1])[::-1], 1.0)[:lags]
    to_go = np.arange(lags) >= age[:, None]  # lags that a period still has to pass
    level = np.maximum(ultimate[:, None] / later, 1e-9)
    weight = np.divide(1.0, volume, out=np.zeros(lags), where=volume > 0)
    mse = (np.where(to_go, ratio * (1 / level + weight), 0.0)).sum(axis=1) * ultimate**2
    open_ = np.where(to_go, ultimate[:, None], 0.0)
    together = (ratio * weight * (open_.sum(axis=0) ** 2 - (open_**2).sum(axis=0))).sum()
    total = mse.sum() + together
    return np.sqrt(mse), float(np.sqrt(total))


def cash_incurred_bridge(triangle: Triangle, completed: Completed | None = None) -> pd.DataFrame:
    """What was paid in each period, and what was incurred: opening unpaid + incurred − paid = closing unpaid.

    Parameters
    ----------
    triangle : Triangle
    completed : Completed, optional
        Computed when not given.

    Returns
    -------
    DataFrame
        ``opening_unpaid``, ``incurred``, ``paid``, ``closing_unpaid`` [yuan] by period; rolls exactly. Payment
        periods after the last of service have rows of their own, without anything incurred.
    """
    done = completed or complete(triangle)
    values = triangle.values
    steps = np.diff(np.column_stack([np.zeros(len(values)), values]), axis=1)
    diagonal = np.add.outer(np.arange(values.shape[0]), np.arange(values.shape[1]))
    n = max(len(values), int((triangle.age + np.arange(len(values))).max()) + 1)
    paid = np.array([np.nansum(np.where(diagonal == d, steps, 0.0)) for d in range(n)])
    incurred = np.append(done.frame["ultimate"].to_numpy(dtype=np.float64), np.zeros(n - len(values)))
    closing = np.cumsum(incurred - paid)
    opening = np.append(0.0, closing[:-1])
    return pd.DataFrame(
        {"opening_unpaid": opening, "incurred": incurred, "paid": paid, "closing_unpaid": closing},
        index=pd.Index([period_label(triangle, d) for d in range(n)])
        if n > len(values)
        else triangle.frame.index,
    )


def completion_pattern(factors: ArrayLike, tail: float = 1.0) -> NDArray[np.float64]:
    """Share of the ultimate paid by the end of each lag, from development factors.

    Examples
    --------
    >>> completion_pattern([2.0, 1.25]).tolist()
    [0.4, 0.8, 1.0]
    """
    f = np.asarray(factors, dtype=np.float64)
    return 1 / np.append(np.cumprod(f[::-1])[::-1] * tail, tail)
