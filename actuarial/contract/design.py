"""Inverse design: which band tables meet what both sides ask for, and which of them no other beats.

See :mod:`actuarial.contract.candidates` for the arithmetic. Without effort nothing is gained by one table over another but for the
chance of a loss: shares in [0, 1] make both sides move together, so means and worst-year means of the two sides sum to the same
constants whatever the table. What can be better for both is the saving that a table makes worth its while; so the frontier is drawn with
an effort model, which is an assumption and stated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from actuarial.contract.candidates import Layers, reaching, share_tables, undominated
from actuarial.contract.effort import Effort
from actuarial.contract.outcomes import Outcomes, year_of
from actuarial.errors import Fault, InputError
from actuarial.layers import Piecewise
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
SAVINGS = 81
"""Points of the search for each table's rational saving, from 0 to what is best for both together."""
MOST_EDGES = 12


@dataclass(frozen=True)
class Wanted:
    """What the two sides ask of a table; None asks nothing.

    Parameters
    ----------
    margin : float, optional
        Least expected result of the insurer after its costs [yuan].
    loss_probability : float, optional
        Greatest probability that the insurer loses after its costs.
    fund_tail : float, optional
        Greatest mean loss of the fund in the worst 5% of years [yuan].
    fund_expected : float, optional
        Least expected result of the fund [yuan].
    confidence : float
        Each is met with this one-sided confidence against simulation error.

    Raises
    ------
    InputError
        If a probability lies outside 0 and 1, or a number is not finite.
    """

    margin: float | None = None
    loss_probability: float | None = None
    fund_tail: float | None = None
    fund_expected: float | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        faults = []
        for name in ("margin", "loss_probability", "fund_tail", "fund_expected", "confidence"):
            value = getattr(self, name)
            if value is None:
                continue
            low, high = {"loss_probability": (0, 1), "confidence": (0.5, 0.9999)}.get(name, (-1e15, 1e15))
            if not low <= value <= high:
                faults.append(
                    Fault("bargain.wanted", params={"name": name, "value": value, "low": low, "high": high})
                )
        if faults:
            raise InputError(faults)

    @property
    def z(self) -> float:
        """Standard errors to stay clear of each limit."""
        return float(ndtri(self.confidence))


@dataclass(frozen=True, eq=False)
class Design(Result):
    """Band tables that meet the wishes.

    Parameters
    ----------
    found : DataFrame
        The tables that meet them, the nearest to the present one first (or the most equal split of the risk): ``insurer_expected``
        (after costs), ``insurer_loss_probability``, ``insurer_tail``, ``fund_expected``, ``fund_tail``, ``saving``, their
        errors, ``undominated`` (no other gives more to both in the mean), ``distance``.
    shares : ndarray, shape (len(found), 2K)
        Shares of the surplus bands, then of the deficit bands.
    edges : tuple of float
        [yuan]
    target : float
        [yuan]
    tried : int
        How many tables were tried.
    wanted : Wanted
    closest : dict
        For each wish, the best that any tried table reaches, whatever the other wishes.
    effort : Effort or None
        Without it no table is better than another for both sides, and all are on the frontier.
    """

    found: pd.DataFrame
    shares: Array
    edges: tuple[float, ...]
    target: float
    tried: int
    wanted: Wanted
    closest: dict[str, float] = field(default_factory=dict)
    effort: Effort | None = None

    @property
    def table(self) -> pd.DataFrame:
        """Each found table as one row: shares by band, then what both sides get."""
        k = len(self.edges) + 1
        names = [f"surplus_{n}" for n in range(1, k + 1)] + [f"deficit_{n}" for n in range(1, k + 1)]
        return pd.concat(
            [pd.DataFrame(self.shares, columns=names), self.found.reset_index(drop=True)], axis=1
        )

    @property
    def frontier(self) -> pd.DataFrame:
        """The rows of :attr:`table` that no other beats."""
        return self.table[self.found["undominated"].to_numpy()]

    def curve(self, number: int = 0) -> Piecewise:
        """The insurer's result as a function of the outcome under table `number`."""
        return curve_of(self.edges, self.shares[number])

    def bands(self, number: int = 0) -> pd.DataFrame:
        """Table `number` as a negotiator writes it: from, to [yuan], the insurer's share of surplus and deficit."""
        k = len(self.edges) + 1
        return pd.DataFrame(
            {
                "from": [0.0, *self.edges],
                "to": [*self.edges, math.inf],
                "surplus_share": self.shares[number, :k],
                "deficit_share": self.shares[number, k:],
            }
        )

    def summary(self, lang: str | None = None) -> str:
        """How many tables meet the wishes, and the first of them; what falls short where none does."""
        money = Unit.fine(lang)
        code = "design_found" if self.effort else "design_found_plain"
        lines = [text(f"bargain_words.{code}", lang, found=len(self.found), tried=self.tried,
                      undominated=int(self.found["undominated"].sum()))]  # fmt: skip
        if self.found.empty:
            lines += [
                text(f"bargain_words.closest_{name}", lang,
                     best=f"{100 * best:.1f}%" if name == "loss_probability" else money.show(best))
                for name, best in self.closest.items()
            ]  # fmt: skip
            return "\n".join(lines)
        for row in self.bands().to_dict("records"):
            to = money.show(row["to"]) if math.isfinite(row["to"]) else text("bargain_words.and_more", lang)
            lines.append(text("bargain_words.band_line", lang, low=money.show(row["from"]), high=to,
                              surplus=f"{100 * row['surplus_share']:g}", deficit=f"{100 * row['deficit_share']:g}"))  # fmt: skip
        best = self.found.iloc[0]
        lines.append(text("bargain_words.design_first", lang, insurer=money.show(best["insurer_expected"]),
                          loss=f"{100 * best['insurer_loss_probability']:.1f}", fund=money.show(best["fund_expected"]),
                          tail=money.show(best["fund_tail"])))  # fmt: skip
        if self.effort is None:
            return "\n".join([*lines, text("bargain_words.no_effort", lang)])
        source = self.effort.source or text("bargain_words.assumed", lang)
        lines.append(
            text(
                "bargain_words.with_effort", lang, first=money.show(self.effort.first_percent), source=source
            )
        )
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Both sides' expected results of every table found; with effort, those that no other beats for both."""
        money = Unit.of(lang)
        with figure_style():
            ax = ax or new_axes(7.2, 4.6)
            if self.found.empty:
                ax.text(0.5, 0.5, text("bargain_words.none_found", lang), ha="center", transform=ax.transAxes)
                ax.set_axis_off()
                return ax
            x, y = self.found["insurer_expected"] / money.scale, self.found["fund_expected"] / money.scale
            ax.scatter(
                x, y, s=9, color=COLOURS["light"], linewidths=0, label=text("bargain_words.found", lang)
            )
            if self.effort is not None:
                front = np.flatnonzero(self.found["undominated"].to_numpy())
                line = front[np.argsort(x.to_numpy()[front], kind="stable")]
                ax.plot(x.iloc[line], y.iloc[line], color=COLOURS["main"], linewidth=2, marker="o" if len(line) <= 40 else None, markersize=3.5,
                        label=text("bargain_words.frontier", lang))  # fmt: skip
            ax.scatter(x.iloc[:1], y.iloc[:1], s=90, facecolors="none", edgecolors=COLOURS["accent"],
                       linewidths=2, label=text("bargain_words.first", lang))  # fmt: skip
            ax.set_xlabel(text("bargain_words.axis_insurer_after", lang, unit=money.label))
            ax.set_ylabel(text("bargain_words.axis_fund", lang, unit=money.label))
            ax.xaxis.set_major_formatter(thousands)
            ax.yaxis.set_major_formatter(thousands)
            ax.legend(loc="best", fontsize=9)
        return ax


def curve_of(edges: Sequence[float], shares: ArrayLike) -> Piecewise:
    """Shares of surplus and deficit bands as a function of the outcome.

    Examples
    --------
    >>> curve_of((3.0,), [0.5, 0.2, 0.4, 0.0])([-10.0, 2.0, 5.0]).round(6).tolist()
    [-1.2, 1.0, 1.9]
    """
    c = np.asarray(shares, dtype=np.float64)
    k = len(edges) + 1
    up, down = c[:k], c[k:]
    return Piecewise([*(-e for e in reversed(edges)), 0.0, *edges], [*down[::-1].tolist(), *up.tolist()])


def try_tables(
    outcomes: Outcomes,
    edges: Sequence[float],
    shares: Array,
    *,
    costs: float = 0.0,
    effort: Effort | None = None,
    mean_claims: float = math.nan,
) -> pd.DataFrame:
    """What both sides get under each of many band tables, by products of matrices.

    Parameters
    ----------
    outcomes : Outcomes
    edges : sequence of float
        K − 1 edges above 0, ascending [yuan].
    shares : ndarray, shape (m, 2K)
        Shares in [0, 1]: K of the surplus, K of the deficit.
    costs : float
        What comes off the insurer's result on every path [yuan].
    effort : Effort, optional
        With it the insurer saves what is rational under each table (`mean_claims` is then needed).

    Returns
    -------
    DataFrame
        ``insurer_expected``, ``insurer_expected_error``, ``insurer_loss_probability``, ``insurer_loss_probability_error``,
        ``insurer_tail``, ``fund_expected``, ``fund_expected_error``, ``fund_tail``, ``fund_tail_error``, ``saving``; `insurer…` after
        costs and effort, tails are means of the worst 5% (losses negative). Errors are those without saving.

    Examples
    --------
    >>> try_tables(Outcomes([-4.0, 1.0, 6.0]), (2.0,), np.array([[0.5, 0.0, 0.5, 0.0]]))["insurer_expected"].round(6).tolist()
    [0.166667]
    """
    layers = Layers(outcomes, tuple(map(float, edges)))
    n = outcomes.n
    most = effort.together(mean_claims=mean_claims) if effort else 0.0  # shares are at most 1
    saved = np.linspace(0.0, most, SAVINGS if effort else 1)
    price = effort.costs(saved, mean_claims=mean_claims) if effort else np.zeros(1)
    means, tails = layers.means(saved), layers.tail_means(saved)
    best = (shares @ means.T - price).argmax(axis=1) if effort else np.zeros(len(shares), dtype=int)
    spent = costs + price[best]
    insurer = (shares * means[best]).sum(axis=1)
    tail = (shares * tails[best]).sum(axis=1)
    whole, whole_tail = means.sum(axis=1)[best], tails.sum(axis=1)[best]
    cov, short = layers.spread()
    limit = reaching(edges, shares, spent) - saved[best]
    p = np.searchsorted(outcomes.sorted, limit, side="left") / n
    rest = 1.0 - shares

    def error(c: Array, matrix: Array) -> Array:
        return np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", c, matrix, c, optimize=True), 0.0) / n)

    return pd.DataFrame(
        {
            "insurer_expected": insurer - spent,
            "insurer_expected_error": error(shares, cov),
            "insurer_loss_probability": p,
            "insurer_loss_probability_error": np.sqrt(p * (1 - p) / n),
            "insurer_tail": tail - spent,
            "fund_expected": whole - insurer,
            "fund_expected_error": error(rest, cov),
            "fund_tail": whole_tail - tail,
            "fund_tail_error": error(rest, short),
            "saving": saved[best],
        }
    )


def design_bands(
    claims: ArrayLike,
    *,
    target: float,
    edges: Sequence[float],
    wanted: Wanted | None = None,
    step: float = 0.05,
    least: float = 0.0,
    most: float = 1.0,
    order: Literal["rising", "falling", "free"] = "rising",
    beyond: float | None = None,
    symmetric: bool = True,
    near: Sequence[float] | None = None,
    costs: float = 0.0,
    effort: Effort | None = None,
    limit: int = 100_000,
    seed: int = 2012,
) -> Design:
    """Band tables in round numbers that meet the wishes of both sides.

    Parameters
    ----------
    claims : array_like, shape (n,) or (n, 12)
        Claims of the contract year [yuan].
    target : float
        [yuan]
    edges : sequence of float
        Upper edges of all bands but the open one [yuan].
    wanted : Wanted, optional
    step, least, most : float
        Shares are multiples of `step` from `least` to `most`.
    order : {"rising", "falling", "free"}
        How shares go with the size of the outcome.
    beyond : float, optional
        Share of the open band (0 in the plan of 2012); without it that band is searched too.
    symmetric : bool
        The same shares of surplus and deficit; else the two are searched apart.
    near : sequence of float, optional
        Present shares (K, or 2K); what is found is ordered by how little of it changes.
    costs : float
        The insurer's costs [yuan/year].
    effort : Effort, optional
    limit, seed : int
        Most tables tried; beyond it a sample drawn with `seed`.

    Raises
    ------
    InputError
        If edges do not increase, shares lie outside 0 and 1, or claims are not numbers.

    Examples
    --------
    >>> claims = np.linspace(90.0, 110.0, 1001)
    >>> found = design_bands(claims, target=101.0, edges=[5.0], wanted=Wanted(margin=0.1), step=0.1, beyond=0.0)
    >>> found.bands()["surplus_share"].tolist()
    [0.5, 0.0]
    """
    asked = wanted or Wanted()
    year = year_of(claims)
    _check(edges, step, least, most, target)
    if beyond is not None and not 0 <= beyond <= 1:
        raise InputError([Fault("bargain.beyond", params={"value": beyond})])
    sides = share_tables(len(edges) + 1, step=step, low=least, high=most, order=order, beyond=beyond,
                         limit=limit if symmetric else max(math.isqrt(limit), 1), seed=seed)  # fmt: skip
    if symmetric:
        shares = np.hstack([sides, sides])
    else:
        one, other = np.meshgrid(np.arange(len(sides)), np.arange(len(sides)), indexing="ij")
        shares = np.hstack([sides[one.ravel()], sides[other.ravel()]])
    outcomes = Outcomes(target - year)
    frame = try_tables(outcomes, edges, shares, costs=costs, effort=effort, mean_claims=float(year.mean()))
    closest = _closest(frame, asked)
    good = _meets(frame, asked)
    frame, kept = frame[good].reset_index(drop=True), shares[good]
    both = frame[["insurer_expected", "fund_expected"]].to_numpy()
    frame["undominated"] = undominated(both) if effort else True
    frame["distance"] = _distance(kept, near)
    by = np.lexsort((-frame["insurer_expected"], frame["distance"], ~frame["undominated"].astype(bool)))
    return Design(frame.iloc[by].reset_index(drop=True), kept[by], tuple(map(float, edges)), float(target),
                  len(shares), asked, closest, effort)  # fmt: skip


def _check(edges: Sequence[float], step: float, least: float, most: float, target: float) -> None:
    faults = []
    if (
        list(edges) != sorted({float(e) for e in edges})
        or not all(0 < e < math.inf for e in edges)
        or len(edges) > MOST_EDGES
    ):
        faults.append(
            Fault("bargain.edges", params={"edges": ", ".join(f"{e:g}" for e in edges), "most": MOST_EDGES})
        )
    if not (0 <= least <= most <= 1 and 0.001 <= step <= 1):
        faults.append(Fault("bargain.shares", params={"least": least, "most": most, "step": step}))
    if not 0 < target < math.inf:
        faults.append(Fault("contract.target", params={"value": target}))
    if faults:
        raise InputError(faults)


def _margins(frame: pd.DataFrame, asked: Wanted) -> dict[str, Array]:
    """By how much each wish is met, after `confidence`."""
    z = asked.z
    given = {
        "margin": frame["insurer_expected"] - z * frame["insurer_expected_error"],
        "loss_probability": -frame["insurer_loss_probability"] - z * frame["insurer_loss_probability_error"],
        "fund_tail": frame["fund_tail"] - z * frame["fund_tail_error"],
        "fund_expected": frame["fund_expected"] - z * frame["fund_expected_error"],
    }
    sign = {"loss_probability": -1.0, "fund_tail": -1.0}
    return {
        name: value.to_numpy() - sign.get(name, 1.0) * getattr(asked, name)
        for name, value in given.items()
        if getattr(asked, name) is not None
    }


def _meets(frame: pd.DataFrame, asked: Wanted) -> NDArray[np.bool_]:
    good = np.ones(len(frame), dtype=bool)
    for value in _margins(frame, asked).values():
        good &= value >= 0
    return good


def _closest(frame: pd.DataFrame, asked: Wanted) -> dict[str, float]:
    """The best that any table reaches on each wish alone, in the wish's own terms."""
    sign = {"loss_probability": -1.0, "fund_tail": -1.0}
    return {
        name: sign.get(name, 1.0) * (float(value.max()) + sign.get(name, 1.0) * getattr(asked, name))
        for name, value in _margins(frame, asked).items()
    }


def _distance(shares: Array, near: Sequence[float] | None) -> Array:
    """Sum of changed shares against the present table; without one, against an even split."""
    if near is None:
        return np.abs(shares - 0.5).sum(axis=1)
    present = np.asarray(near, dtype=np.float64)
    both = np.concatenate([present, present]) if len(present) * 2 == shares.shape[1] else present
    if both.shape[0] != shares.shape[1]:
        raise InputError(
            [Fault("bargain.near", params={"given": len(present), "bands": shares.shape[1] // 2})]
        )
    return np.abs(shares - both).sum(axis=1)
