r"""Risk-sharing contracts: terms compiled to :class:`~actuarial.layers.Piecewise`, settled, evaluated.

The outcome of a year is :math:`x` = contract target − claims; positive is a surplus and the insurer's
reward, negative a deficit and its liability. Marginal bands run over :math:`|x|`, upper edges included,
the same both ways: with edges 300, 600, 900 (万元) and 10% of the target, shares 45, 50, 55, 60, 0%,

.. math:: F(x)=\operatorname{sgn}(x)\sum_k s_k\,\bigl(\min(|x|,e_k)-e_{k-1}\bigr)^+ .

If 10% of the target is not above 900万 (target ≤ 9,000万) the order of the edges is not defined by the
text: nothing is computed unless the file states a reading.

Settlement is in whole cents; evaluation is on float64 arrays of paths.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import Fault, InputError
from actuarial.law import Law, load_law
from actuarial.layers import Piecewise, to_cents
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.texts import LANGUAGES, pick, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP = "empty_fourth_band"
MOST = 1e16
"""Largest amount that is settled [yuan]; beyond it cents do not fit."""


@dataclass(frozen=True, eq=False)
class Contract(Result):
    """A contract loaded from its law file.

    Parameters
    ----------
    law : Law
        Of kind ``contract``.
    """

    law: Law

    @property
    def table(self) -> pd.DataFrame:
        """The bands as written: upper edge as an amount or a share of the target, insurer's share."""
        rows = [
            {
                "up_to": b.up_to if b.up_to is not None else np.nan,
                "up_to_share_of_target": b.up_to_share_of_target
                if b.up_to_share_of_target is not None
                else np.nan,
                "insurer_share": b.insurer_share,
            }
            for b in self.law.payload.bands.table
        ]
        return pd.DataFrame(rows)

    def bands(self, target: float) -> Piecewise:
        """The insurer's result as a function of the outcome, for one target.

        Parameters
        ----------
        target : float
            Contract target, above 0 [yuan].

        Raises
        ------
        InputError
            If the target is not positive, or so low that the bands are undefined and the file states
            no reading.

        Examples
        --------
        >>> f = load_contract("china/jiande/contract/cooperation@2012-01-01").bands(185_600_000)
        >>> f([1_500_000, 20_000_000, -2_000_000]).tolist()
        [675000.0, 10236000.0, -900000.0]
        """
        if not (target > 0 and np.isfinite(target)):
            raise InputError([Fault("contract.target", params={"value": target})])
        written = self.law.payload.bands
        edges: list[float] = []
        shares: list[float] = []
        for band in written.table:
            edge = band.up_to
            if band.up_to_share_of_target is not None:
                exact = Decimal(repr(band.up_to_share_of_target)) * Decimal(repr(float(target)))
                edge = float(exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))
                if edges and edge <= edges[-1]:
                    edges, shares = self._crossed(edges, shares, edge, target)
                    continue
            elif edge is not None and edges and edge <= edges[-1]:
                params = {"edge": _both(edge), "before": _both(edges[-1]), "target": _both(target)}
                raise InputError([Fault("contract.edges_cross", file=self.law.file, params=params)])
            if edge is not None:
                edges.append(edge)
            shares.append(band.insurer_share)
        closed = "right" if written.upper_edge_included else "left"
        both = [-e for e in reversed(edges)] + edges
        slopes = list(reversed(shares)) + shares[1:]
        return Piecewise(both, slopes, closed=closed)  # type: ignore[arg-type]

    def _crossed(
        self, edges: list[float], shares: list[float], edge: float, target: float
    ) -> tuple[list[float], list[float]]:
        """What to do with a share-of-target edge below a fixed edge: only what the file reads."""
        choice = self.law.reading(GAP)
        if choice == "zero_above_fixed_edge":
            return edges, shares
        if choice == "zero_above_share":
            kept = [e for e in edges if e < edge]
            return [*kept, edge], shares[: len(kept) + 1]
        gap = self.law.envelope.gaps.get(GAP)
        what = gap.what if gap else ""
        named = gap.choices.items() if gap else ()
        choices = {
            lang: mark.join(f"{name}: {pick(words, lang)}" for name, words in named)
            for lang, mark in (("zh", "；"), ("en", "; "))
        }
        params = {
            "target": _both(target), "edge": _both(edge), "fixed": _both(edges[-1]),
            "what": what, "choices": choices, "gap": GAP,
        }  # fmt: skip
        raise InputError([Fault("contract.bands_undefined", file=self.law.file, params=params)])

    def settle(self, *, target: float, claims: float) -> Settlement:
        """Settle one year by its bands, in whole cents.

        Parameters
        ----------
        target, claims : float
            Contract target and the year's cash claims [yuan].

        Raises
        ------
        InputError
            If an amount is negative or not a number, or the bands are undefined.

        Examples
        --------
        >>> deal = load_contract("china/jiande/contract/cooperation@2012-01-01")
        >>> deal.settle(target=185_600_000, claims=187_600_000).insurer_result
        -900000.0
        """
        for name, value in (("target", target), ("claims", claims)):
            if not 0 <= value <= MOST:
                raise InputError([Fault("contract.amount", params={"name": name, "value": value})])
        outcome = int(to_cents(target)) - int(to_cents(claims))
        insurer = int(self.bands(target).cents(np.array([outcome]))[0])
        return Settlement(self, target, claims, outcome / 100, insurer / 100, (outcome - insurer) / 100,
                          sources=(self.law.source("bands"), self.law.source("band_rule")))  # fmt: skip

    def evaluate(self, *, target: float, claims: ArrayLike) -> Evaluation:
        """Both sides' results over simulated years.

        Parameters
        ----------
        target : float
            Contract target [yuan].
        claims : array_like, shape (n,) or (n, 12)
            Cash claims of the contract year, or by month [yuan].
        """
        paid = np.asarray(claims, dtype=np.float64)
        year = paid.sum(axis=1) if paid.ndim == 2 else paid
        if not np.isfinite(year).all():
            raise InputError([Fault("contract.amount", params={"name": "claims", "value": "NaN"})])
        return Evaluation(self, float(target), target - year, self.bands(target)(target - year),
                          sources=(self.law.source("bands"),))  # fmt: skip


def _both(yuan: float) -> dict[str, str]:
    """An amount in each language's unit, for messages."""
    return {lang: Unit.of(lang).show(yuan) for lang in LANGUAGES}


@dataclass(frozen=True, eq=False)
class Settlement(Result):
    """One year, settled.

    Parameters
    ----------
    contract : Contract
    target, claims, outcome : float
        ``outcome = target − claims`` [yuan].
    insurer_result, fund_result : float
        What each side gains (or, negative, bears); they sum to the outcome to the cent [yuan].
    """

    contract: Contract
    target: float
    claims: float
    outcome: float
    insurer_result: float
    fund_result: float

    @property
    def table(self) -> pd.DataFrame:
        """The outcome band by band: amount in the band, share, insurer's part [yuan]."""
        f = self.contract.bands(self.target)
        edges = [e for e in f.edges if e > 0]
        sign = 1.0 if self.outcome >= 0 else -1.0
        rows, low = [], 0.0
        for high in [*edges, float("inf")]:
            inside = max(min(abs(self.outcome), high) - low, 0.0)
            share = float(f.slope_at((low + high) / 2 if np.isfinite(high) else low + 1))
            rows.append({"from": low, "to": high, "insurer_share": share,
                         "amount": sign * inside, "insurer_part": sign * inside * share})  # fmt: skip
            low = high
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, float | str]:
        """Plain data for ``--json``."""
        return {
            "contract": self.contract.law.id, "target": self.target, "claims": self.claims,
            "outcome": self.outcome, "insurer_result": self.insurer_result, "fund_result": self.fund_result,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evaluation(Result):
    """A contract over simulated years.

    Parameters
    ----------
    contract : Contract
    target : float
        [yuan]
    outcome, insurer : ndarray, shape (n,)
        Outcome and the insurer's contractual share of each path [yuan].
    """

    contract: Contract
    target: float
    outcome: NDArray[np.float64]
    insurer: NDArray[np.float64]

    @property
    def fund(self) -> NDArray[np.float64]:
        """The fund's part of the outcome [yuan]."""
        return self.outcome - self.insurer

    def expected(self, party: str) -> float:
        """Mean result of ``insurer`` or ``fund`` [yuan]."""
        return float((self.insurer if party == "insurer" else self.fund).mean())

    def loss_probability(self, party: str) -> float:
        """Probability that ``insurer`` or ``fund`` loses."""
        return float(((self.insurer if party == "insurer" else self.fund) < 0).mean())

    @property
    def table(self) -> pd.DataFrame:
        """Mean, sd, probability of loss and mean of the worst 5% for both sides [yuan]."""
        rows = []
        for party, result in (("insurer", self.insurer), ("fund", self.fund)):
            worst = np.sort(result)[: max(len(result) // 20, 1)]
            rows.append(
                {
                    "party": party,
                    "expected": self.expected(party),
                    "sd": float(result.std(ddof=1)) if len(result) > 1 else 0.0,
                    "loss_probability": self.loss_probability(party),
                    "mean_of_worst_5pct": float(worst.mean()),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Payoff to the insurer over the distribution of the outcome."""
        money = Unit.of(lang)
        scale, unit = money.scale, money.label
        with figure_style():
            ax = ax or new_axes()
            low, high = np.quantile(self.outcome, [0.001, 0.999])
            edge = max(abs(low), abs(high), 1.05 * self.contract.bands(self.target).edges[-1])
            counts, bins = np.histogram(self.outcome, bins=60, range=(-edge, edge))
            ax.bar(bins[:-1] / scale, counts / len(self.outcome) * 100, width=np.diff(bins) / scale, align="edge",
                   color=COLOURS["lighter"], edgecolor=COLOURS["light"], linewidth=0.4)  # fmt: skip
            ax.set_ylabel(text("chart.share_of_paths", lang))
            ax.set_xlabel(text("chart.outcome", lang, unit=unit))
            ax.set_xlim(-edge / scale, edge / scale)
            ax.xaxis.set_major_formatter(thousands)
            ax.grid(visible=False)
            line = ax.twinx()
            x = np.linspace(-edge, edge, 801)
            line.plot(
                x / scale, self.contract.bands(self.target)(x) / scale, color=COLOURS["accent"], linewidth=2
            )
            line.axhline(0, color=COLOURS["ink"], linewidth=0.8)
            line.axvline(0, color=COLOURS["ink"], linewidth=0.8)
            line.set_ylabel(text("chart.insurer_result", lang, unit=unit), color=COLOURS["accent"])
            line.spines["right"].set_visible(True)
            line.grid(visible=False)
            line.yaxis.set_major_formatter(thousands)
        return ax


def load_contract(id_or_file: str | os.PathLike[str]) -> Contract:
    """Load a contract by id or from a file.

    Raises
    ------
    InputError
        If there is none such, the file has faults, or it is of another kind.
    """
    law = load_law(id_or_file, "contract")
    return Contract(law, sources=(law.source(),))
