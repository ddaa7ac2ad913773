"""Paths in groups by a factor: each different value, or groups of about equal size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actuarial.errors import Fault, InputError


def groups_of(values: ArrayLike, n: int, groups: int) -> Iterator[tuple[dict[str, Any], NDArray[Any]]]:
    """Rows that describe each group, with the paths in it.

    Parameters
    ----------
    values : array_like, shape (n,)
        Numbers or words.
    n : int
        Number of paths.
    groups : int
        Numbers with more than so many different values are cut at their quantiles, equal numbers kept together (so that there may
        be fewer groups, of unequal size).

    Raises
    ------
    InputError
        If there is not one value a path, one is not a number, or `groups` is not from 1 to 100.

    Examples
    --------
    >>> [(row["low"], row["high"], at.tolist()) for row, at in groups_of([4, 1, 3, 2], 4, 2)]
    [(1.0, 2.0, [1, 3]), (3.0, 4.0, [2, 0])]
    >>> [at.tolist() for _, at in groups_of([0, 0, 0, 1, 2, 3], 6, 2)]
    [[0, 1, 2], [3, 4, 5]]
    >>> [row["group"] for row, _ in groups_of(["new", "old", "new"], 3, 5)]
    ['new', 'old']
    """
    found = np.asarray(values)
    words = found.dtype.kind in "USO"
    if found.shape != (n,) or not 1 <= groups <= 100:
        params = {"given": "×".join(map(str, found.shape)) or "1", "paths": n, "groups": groups}
        raise InputError([Fault("bargain.groups", params=params)])
    if not words and not np.isfinite(found.astype(np.float64)).all():
        raise InputError([Fault("contract.amount", params={"name": "values", "value": "NaN"})])
    different = np.unique(found)
    if words or len(different) <= groups:
        for value in different:
            at = np.flatnonzero(found == value)
            low = high = math.nan if words else float(value)
            yield {"group": str(value), "low": low, "high": high, "probability": len(at) / n}, at
        return
    order = np.argsort(found, kind="stable")
    ascending = found[order]
    starts = {int(np.searchsorted(ascending, found[part[0]])) for part in np.array_split(order, groups)}
    for k, at in enumerate(np.split(order, sorted(starts)[1:]), 1):
        low, high = float(found[at[0]]), float(found[at[-1]])
        yield {"group": str(k), "low": low, "high": high, "probability": len(at) / n}, at
