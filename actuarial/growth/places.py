"""Where columns stand: funds within cities within provinces, by the levels of their column index."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.growth.levels import History, aligned
from actuarial.growth.panel import Tree


def label_of(name: Any) -> str:
    """A column's name in words; the levels of a nested one are joined.

    Examples
    --------
    >>> label_of(("Anhui", "Fuyang", "Jieshou"))
    'Anhui / Fuyang / Jieshou'
    """
    return " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def labelled(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame under the labels of its columns."""
    return frame.set_axis([label_of(c) for c in frame.columns], axis=1)


def tree_of(columns: pd.Index) -> Tree:
    """The tree of groups: every level of the columns but the last, which is the fund."""
    return Tree.of([c[:-1] for c in columns]) if isinstance(columns, pd.MultiIndex) else Tree()


def full_name(name: Any, columns: pd.Index) -> Any:
    """The column meant: the whole path, or the fund's own name where it is unique; None where there is none such.

    Examples
    --------
    >>> columns = pd.MultiIndex.from_tuples([("north", "a"), ("south", "a"), ("south", "b")])
    >>> full_name("b", columns), full_name("a", columns), full_name(("north", "a"), columns)
    (('south', 'b'), None, ('north', 'a'))
    """
    if name in list(columns):
        return name
    if not isinstance(columns, pd.MultiIndex):
        return None
    found = [c for c in columns if c[-1] == name]
    return found[0] if len(found) == 1 else None


def placed(history: History, neighbours: pd.DataFrame) -> History:
    """The history with its columns placed among the levels of the neighbours'.

    Raises
    ------
    InputError
        If a column cannot be placed: the neighbours lie in groups and its own are unknown, or the levels differ.
    """
    own, theirs = history.on_level.columns, neighbours.columns
    if not len(theirs) or own.nlevels == theirs.nlevels:
        return history
    paths = []
    for name in own:
        if isinstance(theirs, pd.MultiIndex) and isinstance(name, tuple) and len(name) == theirs.nlevels:
            paths.append(name)
            continue
        path = full_name(name, theirs) if isinstance(theirs, pd.MultiIndex) else None
        if path is None:
            levels = " < ".join(str(n or i + 1) for i, n in reversed(list(enumerate(theirs.names))))
            raise InputError([Fault("growth.no_place", params={"name": label_of(name), "levels": levels})])
        paths.append(path)
    columns = pd.MultiIndex.from_tuples(paths, names=theirs.names)
    return History(
        history.raw.set_axis(columns, axis=1), history.on_level.set_axis(columns, axis=1), history.kind
    )


def joined(level: pd.DataFrame, neighbours: pd.DataFrame) -> pd.DataFrame:
    """Own columns and then the neighbours', every year of either."""
    if not len(neighbours.columns):
        return level
    years = range(min(level.index[0], neighbours.index[0]), max(level.index[-1], neighbours.index[-1]) + 1)
    return pd.concat([level.reindex(years), neighbours.reindex(years)], axis=1)


def exposures(
    weights: pd.Series | pd.DataFrame | None, level: pd.DataFrame, both: pd.DataFrame
) -> NDArray[np.float64] | None:
    """Exposure of own and neighbouring columns, laid out like `both`; infinite (without noise) where none is stated.

    A Series is that of the own columns; a frame must have them, and may have the neighbours'.

    Raises
    ------
    InputError
        If an exposure is missing or not positive where there is a level.
    """
    if weights is None:
        return None
    if isinstance(weights, pd.Series):
        frame = pd.DataFrame({i: weights for i in range(len(level.columns))})
        frame.columns = level.columns
    else:
        names = [full_name(c, both.columns) for c in weights.columns]
        frame = weights.loc[:, [n is not None for n in names]]
        frame = frame.set_axis(pd.Index([n for n in names if n is not None], tupleize_cols=False), axis=1)
    stated = [c in level.columns or c in list(frame.columns) for c in both.columns]
    frame = frame.set_axis([label_of(c) for c in frame.columns], axis=1)
    wide = np.full(both.shape, np.inf)
    own = aligned(frame, labelled(both.loc[:, stated]))
    assert own is not None
    wide[:, np.flatnonzero(stated)] = np.where(np.isfinite(own), own, np.inf)
    return wide
