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
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.results import COLOURS, Result, figure_style, new_axes, suppress_small_cells
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
    persons : Series or None
        By cell, the fewer persons of the two years, where they are known.
    """

    before: float
    after: float
    frame: pd.DataFrame
    factors: tuple[str, ...]
    persons: pd.Series | None = None

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

    def by(self, level: str) -> pd.DataFrame:
        """The parts by one level of the cells (``category``): each factor, ``entering``, ``leaving``, ``change`` [yuan/person].

        Rows that rest on fewer than five persons in a year are blank.

        Examples
        --------
        >>> index = pd.MultiIndex.from_tuples([("city", "a"), ("city", "b")], names=["group", "category"])
        >>> old = pd.DataFrame({"visits": [1.0, 2.0], "cost": [10.0, 5.0]}, index=index)
        >>> decompose(old, old.assign(cost=[12.0, 5.0]), ["visits", "cost"]).by("category")["change"].tolist()
        [2.0, 0.0]
        """
        names = [*self.factors, "entering", "leaving"]
        rows = self.frame[names].groupby(level=level).sum()
        rows["change"] = rows[names].sum(axis=1)
        if self.persons is not None:  # the largest cell: no fewer persons than that have a part in the row
            rows["persons"] = self.persons.groupby(level=level).max()
            rows = suppress_small_cells(rows, "persons", [*names, "change"])
        return rows.reset_index()

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
            rotated: dict[str, Any] = {"rotation": 20, "ha": "right"} if len(names) > 6 else {}
            ax.set_xticks(range(len(names) + 1), [*names, text("driver.after", lang)], fontsize=9, **rotated)
            low = min(self.before, self.after) * 0.8
            highest = max(self.before, float((self.before + parts["change"].cumsum()).max()))
            ax.set_ylim(low, highest + 0.08 * (highest - low) if highest > low else None)
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
