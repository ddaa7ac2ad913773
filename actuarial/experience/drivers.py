r"""What drove a change of per-capita cost: LMDI-I, parts that sum to the change.

Per-capita cost is a sum over cells (group × level × category …) of a product of factors, such as group share ×
visits per insured × share of visits × cost per visit × in-scope share × effective ratio. The additive
logarithmic-mean Divisia index gives factor :math:`k` the part

.. math:: D_k=\sum_c L(V^1_c,V^0_c)\,\ln\frac{x^1_{k,c}}{x^0_{k,c}},\qquad
          L(a,b)=\frac{a-b}{\ln a-\ln b},\; L(a,a)=a,

and :math:`\sum_k D_k=\sum_c(V^1_c-V^0_c)` without residue (Ang 2005). A cell that is not in both years has no
ratio to take: it is shown apart as *entering* or *leaving* with its whole value, which is the analytic limit.
Negative cells are refused: net reversals first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.experience import Experience
from actuarial.results import COLOURS, Result, figure_style, new_axes
from actuarial.texts import has_text, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Drivers(Result):
    """A change, split.

    Parameters
    ----------
    before, after : float
        The two values [yuan/person].
    frame : DataFrame
        One row a cell: the part of each factor, ``entering``, ``leaving`` [yuan/person].
    factors : tuple of str
    """

    before: float
    after: float
    frame: pd.DataFrame
    factors: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """``driver``, ``change`` [yuan/person], ``share`` of the change."""
        names = [*self.factors, "entering", "leaving"]
        change = self.frame[names].sum()
        total = self.after - self.before
        return pd.DataFrame(
            {
                "driver": names,
                "change": change.to_numpy(),
                "share": change.to_numpy() / total if total else np.nan,
            }
        )

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Waterfall from the earlier to the later value."""
        parts = self.table
        with figure_style():
            ax = ax or new_axes()
            level, names = self.before, [text("driver.before", lang)]
            ax.bar(0, level, color=COLOURS["main"], width=0.6)
            for i, (name, change) in enumerate(zip(parts["driver"], parts["change"], strict=True), 1):
                ax.bar(
                    i,
                    change,
                    bottom=level,
                    width=0.6,
                    color=COLOURS["accent"] if change >= 0 else COLOURS["good"],
                )
                level += change
                top = max(level, level - change)
                ax.annotate(f"{change:+,.1f}", (i, top), ha="center", va="bottom", fontsize=9)
                names.append(text(f"driver.{name}", lang) if has_text(f"driver.{name}") else name)
            ax.bar(len(names), level, color=COLOURS["ink"], width=0.6)
            ax.set_xticks(range(len(names) + 1), [*names, text("driver.after", lang)], fontsize=9)
            low = min(self.before, self.after) * 0.8
            ax.set_ylim(bottom=low)
            ax.set_ylabel(text("label.yuan_per_person", lang))
        return ax


def log_mean(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithmic mean; ``a`` where both are equal, 0 where one is 0.

    Examples
    --------
    >>> log_mean(np.array([2.0, 3.0, 0.0]), np.array([2.0, 1.0, 5.0])).round(4).tolist()
    [2.0, 1.8205, 0.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(a / b)
        mean = np.where(np.abs(ratio) > 1e-8, (a - b) / ratio, (a + b) / 2)
    return np.where((a > 0) & (b > 0), mean, 0.0)


def decompose(before: pd.DataFrame, after: pd.DataFrame, factors: Sequence[str]) -> Drivers:
    """Split the change of ``Σ Π factors`` between two years.

    Parameters
    ----------
    before, after : DataFrame
        Indexed by cell; each factor a column. Cells need not be the same.
    factors : sequence of str
        Columns whose product is the cell's value.

    Raises
    ------
    InputError
        For a negative or missing factor.

    Examples
    --------
    >>> old = pd.DataFrame({"visits": [0.06], "cost": [2500.0]}, index=["inpatient"])
    >>> new = pd.DataFrame({"visits": [0.07], "cost": [2600.0]}, index=["inpatient"])
    >>> parts = decompose(old, new, ["visits", "cost"])
    >>> parts.table["change"].round(2).tolist(), round(parts.after - parts.before, 2)
    ([25.51, 6.49, 0.0, 0.0], 32.0)
    """
    names = list(factors)
    cells = before.index.union(after.index, sort=False)
    old = before[names].reindex(cells).to_numpy(dtype=np.float64)
    new = after[names].reindex(cells).to_numpy(dtype=np.float64)
    for frame, place in ((before[names], "before"), (after[names], "after")):
        values = frame.to_numpy(dtype=np.float64)
        if not np.isfinite(values).all() or (values < 0).any():
            raise InputError([Fault("driver.bad_cell", params={"place": place})])
    old, new = np.nan_to_num(old), np.nan_to_num(new)
    v0, v1 = old.prod(axis=1), new.prod(axis=1)
    both = (v0 > 0) & (v1 > 0)
    weight = log_mean(v1, v0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(
            both[:, None], np.log(np.where(both[:, None], new, 1.0) / np.where(both[:, None], old, 1.0)), 0.0
        )
    parts = weight[:, None] * ratio
    frame = pd.DataFrame(parts, index=cells, columns=names)
    frame["entering"] = np.where((v0 == 0) & (v1 > 0), v1, 0.0)
    frame["leaving"] = np.where((v1 == 0) & (v0 > 0), -v0, 0.0)
    return Drivers(float(v0.sum()), float(v1.sum()), frame, tuple(names))


def year_on_year(before: Experience, after: Experience) -> Drivers:
    """Change of per-capita cost between two studies of the same months: visits per insured × payment per visit.

    Parameters
    ----------
    before, after : Experience
        Of as many months each; categories that have no visits in a table take part as entering or leaving.

    Raises
    ------
    InputError
        If the months differ, or a factor is negative.

    Examples
    --------
    >>> import actuarial as act
    >>> table = act.read_table(act.sample_path("jieshou/experience.csv"), "experience")
    >>> one, two = act.read_experience(table, 647_000, 10), act.read_experience(table, 600_000, 10)
    >>> year_on_year(one, two).table["change"].round(2).tolist()
    [19.91, 0.0, 0.0, 0.0]
    """
    if before.months != after.months:
        raise InputError([Fault("driver.months", params={"before": before.months, "after": after.months})])
    names = ["visits_per_insured", "payment_per_visit"]
    frames = [e.frame.set_index("category")[names].dropna() for e in (before, after)]
    return decompose(frames[0], frames[1], names)
