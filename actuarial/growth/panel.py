"""Log levels as steps, and the tree in which funds hang together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Panel:
    """Log levels as steps.

    Parameters
    ----------
    y : ndarray, shape (funds, T)
        Log growth of the step that ends in slot t; 0 where none does.
    years : ndarray, shape (funds, T, T)
        Which years a step spans (1 or 0).
    ends : ndarray, shape (funds, T, T + 1)
        +1 at the level that ends a step, -1 at the one that starts it.
    seen : ndarray of bool, shape (funds, T)
    last : ndarray of int, shape (funds,)
        Row of each fund's last level.
    """

    y: Array
    years: Array
    ends: Array
    seen: NDArray[np.bool_]
    last: Places

    @classmethod
    def of(cls, levels: Array, jumps: NDArray[np.bool_] | None = None) -> Panel:
        """From log levels, shape (T + 1, funds), NaN where missing; every fund has at least one.

        A step that ends at a jump is left out.

        Examples
        --------
        >>> Panel.of(np.array([[0.0], [np.nan], [0.2]])).years[0].tolist()
        [[0.0, 0.0], [1.0, 1.0]]
        """
        rows, funds = levels.shape
        there = np.isfinite(levels)
        if there.all() and (jumps is None or not jumps.any()):
            steps = np.broadcast_to(np.eye(rows - 1), (funds, rows - 1, rows - 1))
            one = np.eye(rows - 1, rows, 1) - np.eye(rows - 1, rows)
            ends = np.broadcast_to(one, (funds, rows - 1, rows))
            seen = np.ones((funds, rows - 1), dtype=bool)
            return cls(np.diff(levels, axis=0).T, steps, ends, seen, np.full(funds, rows - 1))
        y = np.zeros((funds, rows - 1))
        years, ends = np.zeros((funds, rows - 1, rows - 1)), np.zeros((funds, rows - 1, rows))
        for i in range(funds):
            known = np.flatnonzero(there[:, i])
            for start, end in itertools.pairwise(known):
                if jumps is not None and jumps[start + 1 : end + 1, i].any():
                    continue
                y[i, end - 1] = levels[end, i] - levels[start, i]
                years[i, end - 1, start:end] = 1
                ends[i, end - 1, [start, end]] = -1, 1
        last = rows - 1 - there[::-1].argmax(axis=0)
        return cls(y, years, ends, np.asarray(years.any(axis=2)), last)

    @property
    def plain(self) -> bool:
        """Whether every fund has a step in every year and none spans two."""
        return bool(self.seen.all())


@dataclass(frozen=True, eq=False)
class Tree:
    """Which funds share a part of growth: under the root of all, groups of groups, coarsest first.

    Parameters
    ----------
    nodes : tuple of ndarray of int, each of shape (funds,)
        By level, the group of each fund.
    above : tuple of ndarray of int
        By level, the group one level up of each group (0 for the coarsest: the root).
    """

    nodes: tuple[Places, ...] = ()
    above: tuple[Places, ...] = ()

    @classmethod
    def of(cls, levels: Sequence[Sequence[object]]) -> Tree:
        """From each fund's path of names, coarsest first, without the fund itself.

        A level that tells no two funds apart, or every fund from every other, is left out: it could not be learnt.
        Groups of the same name under different parents are different groups.

        Examples
        --------
        >>> tree = Tree.of([("north", "a"), ("north", "a"), ("north", "b"), ("south", "a")])
        >>> [n.tolist() for n in tree.nodes], [a.tolist() for a in tree.above]
        ([[0, 0, 0, 1], [0, 0, 1, 2]], [[0, 0], [0, 0, 1]])
        """
        nodes: list[Places] = []
        above: list[Places] = []
        count = 1
        for depth in range(1, 1 + min((len(path) for path in levels), default=0)):
            prefix = [tuple(path[:depth]) for path in levels]
            known = {name: place for place, name in enumerate(dict.fromkeys(prefix))}
            if not count < len(known) < len(levels):
                continue
            place = np.array([known[name] for name in prefix])
            first = np.array([prefix.index(name) for name in known])
            above.append(nodes[-1][first] if nodes else np.zeros(len(known), dtype=np.int64))
            nodes.append(place)
            count = len(known)
        return cls(tuple(nodes), tuple(above))

    def only(self, funds: NDArray[np.bool_]) -> Tree:
        """The tree of some of the funds."""
        return Tree.of(list(zip(*(n[funds].tolist() for n in self.nodes), strict=True)) if self.nodes else [])

    def children(self, level: int) -> Array:
        """Which child belongs to which group of a level (1 or 0): funds under the finest, groups under the others."""
        parents = self.nodes[level] if level == len(self.nodes) - 1 else self.above[level + 1]
        return np.asarray(np.arange(parents.max() + 1)[:, None] == parents, dtype=np.float64)
