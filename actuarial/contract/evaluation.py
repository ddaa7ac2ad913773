"""A contract over simulated years: both sides' results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.contract.terms import Contract


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
            edge = max(abs(low), abs(high), 1.05 * max(self.contract.bands(self.target).edges, default=0.0))
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
