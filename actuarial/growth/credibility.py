r"""Classical credibility for levels: Bühlmann–Straub, its iterative form, and the semiparametric Poisson case.

With ratios :math:`x_{ij}` of weight :math:`w_{ij}` in cell :math:`i`, cell mean :math:`\bar x_i`, cell weight
:math:`w_i` and total weight :math:`w`,

.. math::
   \hat s^2=\frac{\sum_{ij}w_{ij}(x_{ij}-\bar x_i)^2}{\sum_i (n_i-1)},\qquad
   \hat a=\frac{\sum_i w_i(\bar x_i-\bar x)^2-(r-1)\hat s^2}{w-\sum_i w_i^2/w},\qquad
   z_i=\frac{w_i\hat a}{w_i\hat a+\hat s^2}.

The collective mean is weighted by the credibilities. A between-variance that comes out negative is set to 0: the cells
cannot be told apart, and every premium is the weight-weighted mean. A cell without weight gets the collective mean.

References: Bühlmann and Gisler (2005), chapter 4; Loss Data Analytics, chapter 9 (17 and 18 of ``docs/references.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.results import Result

METHODS = ("unbiased", "iterative", "poisson")


@dataclass(frozen=True, eq=False)
class Credibility(Result):
    """Credibility premiums of cells.

    Parameters
    ----------
    frame : DataFrame
        By cell: ``weight``, ``own_mean``, ``credibility``, ``premium``.
    collective : float
        Mean that what is not credible goes to.
    within, between : float
        Variance within a cell (of one unit of weight) and between cells (0 where it came out negative).
    raw_between : float
        The estimate before it was set to 0.
    """

    frame: pd.DataFrame
    collective: float
    within: float
    between: float
    raw_between: float

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.rename_axis("cell").reset_index()

    @property
    def k(self) -> float:
        """Weight at which a cell's own mean counts one half; infinite where cells cannot be told apart."""
        return self.within / self.between if self.between > 0 else float("inf")


def credibility(
    ratios: pd.DataFrame,
    weights: pd.DataFrame | None = None,
    *,
    method: Literal["unbiased", "iterative", "poisson"] = "unbiased",
) -> Credibility:
    """Credibility premiums by Bühlmann–Straub.

    Parameters
    ----------
    ratios : DataFrame
        Cells × periods: cost per unit of weight; NaN where there is none.
    weights : DataFrame, optional
        Cells × periods: persons, say; 0 or NaN where the cell did not exist. Without it every ratio weighs 1.
    method : {"unbiased", "iterative", "poisson"}
        Estimator of the variance between cells: the unbiased one above, Bichsel and Straub's iterative one, or (for
        claim counts) the variance within taken as the mean.

    Raises
    ------
    InputError
        With fewer than two cells that have weight, no cell with two periods, a negative weight, a weight without a
        finite ratio, weights of other cells or periods, an unknown method, or a negative count under ``poisson``.

    Examples
    --------
    >>> found = credibility(pd.DataFrame([[0.0, 1, 0], [2, 1, 2]], index=["A", "B"]))
    >>> found.frame["premium"].round(4).tolist()
    [0.4167, 1.5833]
    """
    if method not in METHODS:
        raise InputError(
            [Fault("growth.credibility_method", params={"value": method, "known": ", ".join(METHODS)})]
        )
    x = ratios.apply(pd.to_numeric, errors="coerce").astype("float64")
    if (x.isna() & ratios.notna()).any().any():
        raise InputError([Fault("growth.credibility_weights")])
    if weights is not None and not (_same(weights.index, x.index) and _same(weights.columns, x.columns)):
        raise InputError([Fault("growth.credibility_labels")])
    w = (
        x.notna().astype("float64") if weights is None else weights.reindex_like(x).astype("float64")
    ).fillna(0.0)
    values, given = w.to_numpy(), x.to_numpy()
    if (values < 0).any() or np.isinf(values).any() or (~np.isfinite(given) & (values > 0)).any():
        raise InputError([Fault("growth.credibility_weights")])
    if method == "poisson" and (given[values > 0] < 0).any():
        raise InputError([Fault("growth.credibility_weights")])
    x = x.where(w > 0)
    cell = w.sum(axis=1)
    freedom = float(((w > 0).sum(axis=1) - 1).clip(lower=0).sum())
    cells = int((cell > 0).sum())
    if cells < 2 or (freedom == 0 and method != "poisson"):
        raise InputError([Fault("growth.credibility_few", params={"cells": cells})])
    mean = (x * w).sum(axis=1) / cell.where(cell > 0)
    total = float(cell.sum())
    overall = float((mean * cell).sum() / total)
    squares = float((w * x.sub(mean, axis=0) ** 2).sum().sum())
    within = overall if method == "poisson" else squares / freedom
    raw = (float((cell * (mean - overall) ** 2).sum()) - (cells - 1) * within) / (
        total - float((cell**2).sum()) / total
    )
    between = max(raw, 0.0)
    if method == "iterative" and between > 0:
        between = _iterated(cell, mean, within, between, cells)
    z = cell * between / (cell * between + within) if within > 0 or between > 0 else cell * 0.0
    collective = float((z * mean).sum() / z.sum()) if z.sum() > 0 else overall
    premium = z * mean.fillna(0.0) + (1 - z) * collective
    frame = pd.DataFrame({"weight": cell, "own_mean": mean, "credibility": z, "premium": premium})
    return Credibility(frame, collective, within, between, raw)


def _same(one: pd.Index, other: pd.Index) -> bool:
    """Whether labels are the same, in any order where none is there twice."""
    return one.equals(other) or (one.is_unique and other.is_unique and set(one) == set(other))


def _iterated(cell: pd.Series, mean: pd.Series, within: float, between: float, cells: int) -> float:
    """Bichsel and Straub's pseudo-estimator, the fixed point of a contraction; 0 where it shrinks away."""
    for _ in range(10_000):
        z = cell * between / (cell * between + within)
        centre = float((z * mean).sum() / z.sum())
        new = float((z * (mean - centre) ** 2).sum()) / (cells - 1)
        if new <= 1e-14 * between or abs(new - between) <= 1e-13 * between:
            return new if new > 1e-14 * between else 0.0
        between = new
    return between
