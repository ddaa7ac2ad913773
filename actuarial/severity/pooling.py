r"""Severities of several levels of care at once: shapes drawn together as far as the data want it.

Each level is fitted by itself where its bands hold enough numbers. For each shape parameter the mean over levels and
the variance :math:`\tau^2` between them follow by the method of moments (DerSimonian and Laird 1986); the level is then
fitted again with a normal penalty around the mean of the **other** levels, of variance :math:`\tau^2` plus the error of that
mean, so that nothing is counted twice. A level with many claims keeps its own shape, one with few bands takes
that of the others; scales are always its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Literal, TypeVar

import numpy as np

from actuarial.severity.base import Array
from actuarial.severity.families import FAMILIES, Family
from actuarial.severity.likelihood import LawFit, Prior, fit_family
from actuarial.severity.observed import Observed

Cell = TypeVar("Cell", bound=Hashable)
Pooling = Literal["none", "partial"]


def fit_levels(
    data: Mapping[Cell, Observed], *, families: Iterable[str] = tuple(FAMILIES), pooling: Pooling = "partial"
) -> dict[str, dict[Cell, LawFit]]:
    """Fit every family to every level; a family that some level cannot bear is left out.

    Parameters
    ----------
    data : mapping of level to Observed
    families : iterable of str
    pooling : {"partial", "none"}

    Returns
    -------
    dict
        Family, then level.
    """
    found: dict[str, dict[Cell, LawFit]] = {}
    for name in families:
        family = FAMILIES[name]
        own = {cell: fit_family(family, seen) for cell, seen in data.items()}
        fits = own if pooling == "none" or len(data) == 1 else _pooled(family, data, own)
        whole = {cell: fit for cell, fit in fits.items() if fit is not None}
        if len(whole) == len(data):
            found[name] = whole
    return found


def _pooled(
    family: Family, data: Mapping[Cell, Observed], own: Mapping[Cell, LawFit | None]
) -> dict[Cell, LawFit | None]:
    good = {cell: fit for cell, fit in own.items() if fit is not None and fit.regular}
    between = _between(family, list(good.values()))
    free = len(family.parameters) - len(family.shape)
    fits: dict[Cell, LawFit | None] = {}
    for cell, seen in data.items():
        others = [fit for other, fit in good.items() if other != cell]
        if not others:
            fits[cell] = own[cell]
        elif seen.information < free:
            fits[cell] = None
        else:
            fits[cell] = fit_family(family, seen, prior=_prior(family, others, between))
    return fits


def _prior(family: Family, others: Sequence[LawFit], between: Array) -> Prior:
    """Mean and precision of a level's parameters, from the other levels; none for scales."""
    mean, precision = np.mean([f.theta for f in others], axis=0), np.zeros(len(family.parameters))
    for i in family.shape:
        values, errors = _shapes(others, i)
        w = 1 / (errors + between[i])
        mean[i] = float(w @ values / w.sum())
        precision[i] = 1 / (between[i] + 1 / w.sum())
    return mean, np.diag(precision)


def _between(family: Family, fits: Sequence[LawFit]) -> Array:
    """Variance of each shape between levels, by moments; 0 from a single level."""
    out = np.zeros(len(family.parameters))
    for i in family.shape if len(fits) > 1 else ():
        values, errors = _shapes(fits, i)
        w = 1 / errors
        spread = float(w @ (values - w @ values / w.sum()) ** 2) - (len(values) - 1)
        out[i] = max(spread / float(w.sum() - (w @ w) / w.sum()), 0.0)
    return out


def _shapes(fits: Sequence[LawFit], i: int) -> tuple[Array, Array]:
    values = np.array([f.theta[i] for f in fits])
    return values, np.maximum([f.covariance[i, i] for f in fits], 1e-8)
