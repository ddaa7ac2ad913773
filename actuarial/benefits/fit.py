"""Do the old rules reproduce what was paid? The first question of a repricing.

By category and level, and by band of a claim's cost: what the rules pay, what was paid, their ratio (the **calibration**
by which the policy factor is weighted, so that it rests on what was really paid), and the share of claims equal to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from actuarial.benefits.schedule import DEFAULTS
from actuarial.benefits.tally import BANDS, Tally
from actuarial.results import COLOURS, SMALL_CELL, Result, figure_style, new_axes
from actuarial.tables import term_label
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELLS = ["category", "level"]


@dataclass(frozen=True, eq=False)
class FitReport(Result):
    """The old rules against what was paid.

    Parameters
    ----------
    frame : DataFrame
        One row a category, level and band of a claim's total cost (``band_from`` [yuan]): ``claims``, ``persons``, ``by_rules``,
        ``paid`` [yuan], ``equal`` (claims equal to the cent), ``covered`` (whether the rules have a word on them).
    """

    frame: pd.DataFrame

    def _by(self, keys: list[str]) -> pd.DataFrame:
        groups = self.frame.groupby(keys, sort=True)
        sums = groups[["claims", "by_rules", "paid", "equal"]].sum().round(2)
        sums["persons"] = groups["persons"].max()  # at least so many: kinds of claim may share members
        sums = sums.reset_index()
        sums["calibration"] = sums["paid"] / sums["by_rules"].where(sums["by_rules"] > 0)
        sums["equal_share"] = sums["equal"] / sums["claims"].where(sums["claims"] > 0)
        return sums.drop(columns="equal")

    @property
    def table(self) -> pd.DataFrame:
        """By category and level: claims, yuan by the rules and as paid, calibration, share equal to the cent.

        Categories without a rule are left out: they stay as paid.
        """
        covered = self.frame[self.frame["covered"]]
        return FitReport(covered)._by(CELLS)

    @property
    def bands(self) -> pd.DataFrame:
        """The same by band of a claim's total cost."""
        return FitReport(self.frame[self.frame["covered"]])._by(["band_from"])

    @property
    def calibration(self) -> float:
        """Paid over by the rules, in all (1 where nothing is computed)."""
        covered = self.frame[self.frame["covered"]]
        rules = float(covered["by_rules"].sum())
        return float(covered["paid"].sum()) / rules if rules > 0 else 1.0

    @property
    def equal_share(self) -> float:
        """Share of the computed claims that the rules pay to the cent."""
        covered = self.frame[self.frame["covered"]]
        return float(covered["equal"].sum() / max(covered["claims"].sum(), 1))

    def summary(self, lang: str | None = None) -> str:
        """How well the rules reproduce the payments, in one line."""
        equal, ratio = f"{100 * self.equal_share:.1f}", f"{self.calibration:.4f}"
        return text("benefits.fit_line", lang, equal=equal, ratio=ratio)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Paid over by the rules, by category and level (bars) with 1 marked; cells of fewer than 5 claims left out."""
        table = self.table[self.table["persons"] >= SMALL_CELL]
        names = [
            f"{term_label(c, lang)} · {term_label(v, lang)}".strip(" ·") for c, v in table[CELLS].to_numpy()
        ]
        with figure_style():
            ax = ax or new_axes(7.5, 1.2 + 0.34 * max(len(table), 2))
            ratios = table["calibration"].to_numpy(dtype=np.float64)
            ax.barh(range(len(table)), ratios, color=COLOURS["light"])
            for n, value in enumerate(ratios):
                if np.isfinite(value):
                    ax.text(value, n, f" {value:.3f}", va="center", fontsize=9)
            ax.axvline(1.0, color=COLOURS["accent"], linewidth=1.2)
            ax.set_yticks(range(len(table)), names)
            ax.invert_yaxis()
            ax.set_xlim(0, max(1.25, float(np.nanmax(ratios, initial=1.0)) * 1.15))
            ax.set_xlabel(text("chart.paid_over_rules", lang))
            ax.grid(visible=False, axis="y")
        return ax


def fit_of(found: Tally) -> FitReport:
    """The fit report of a tally's first variant."""
    covered = found.programs[0].covered
    rows = []
    for n, combo in enumerate(found.combos):
        for b, low in enumerate(BANDS):
            if found.counts[n, b]:
                rows.append(
                    {
                        **dict(zip(DEFAULTS, combo, strict=True)), "band_from": low, "claims": int(found.counts[n, b]), "persons": int(found.band_persons[n, b]),
                        "by_rules": found.bands[0, n, b], "paid": found.bands[1, n, b],
                        "equal": int(found.equal[n, b]), "covered": bool(covered[n]),
                    }
                )  # fmt: skip
    columns = [*DEFAULTS, "band_from", "claims", "persons", "by_rules", "paid", "equal", "covered"]
    return FitReport(pd.DataFrame(rows, columns=columns), sources=found.sources)
