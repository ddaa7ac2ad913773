r"""The growth that funds share, up and down the tree of groups.

At the root stands the growth common to all, :math:`x_0`; a group adds its own part to that of the group above,
:math:`x_k=x_{k-1}+d_k` with :math:`d_k\sim N(0,D)`. Funds speak of the finest group they are in by an information
matrix :math:`\Lambda` and a pull :math:`\eta`. Going up, a group hands on what it knows with its own part
integrated out, :math:`(I+\Lambda D)^{-1}\Lambda` and :math:`(I+\Lambda D)^{-1}\eta`; going down,
:math:`x_k\,|\,x_{k-1}` is normal with covariance :math:`C=D(I+\Lambda D)^{-1}` and mean
:math:`C\eta+(I+D\Lambda)^{-1}x_{k-1}`. The cost is one small matrix a group. :math:`D` may be zero. Without groups only
the root is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.growth.kinds import Kinds
from actuarial.growth.panel import Tree

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shared:
    """What is known of the shared growth; first axis the kind, second the group (one without groups).

    Parameters
    ----------
    tree : Tree
    mean, covariance : ndarray, shape (kinds, groups, years), (kinds, groups, years, years)
        Of the finest groups.
    root : ndarray, shape (kinds, years, years)
        Covariance of the growth common to all.
    given : tuple of ndarray
        By level, the covariance of each group's growth given that of the group above.
    gain : tuple of ndarray
        By level, how each group follows the group above.
    evidence : ndarray, shape (kinds,)
        Its part of the log evidence.
    """

    tree: Tree
    mean: Array
    covariance: Array
    root: Array
    given: tuple[Array, ...]
    gain: tuple[Array, ...]
    evidence: Array

    def of_funds(self, values: Array) -> Array:
        """Values by fund from values by finest group (one for all without groups: it broadcasts)."""
        return values[:, self.tree.nodes[-1]] if self.tree.nodes else values

    def between(self, left: Array, weight: Array) -> Array:
        """Covariance between funds that the shared growth makes.

        Parameters
        ----------
        left : ndarray, shape (kinds, funds, years)
            What each fund asks of the shared growth.
        weight : ndarray, shape (kinds,)
        """
        funds = left.shape[1]
        total = np.zeros((funds, funds))
        for level in range(len(self.tree.nodes) - 1, -1, -1):
            place = self.tree.nodes[level]
            for node in range(int(place.max()) + 1):
                at = np.flatnonzero(place == node)
                part = left[:, at]
                total[np.ix_(at, at)] += _weighted(part @ self.given[level][:, node], part, weight)
            left = (left[:, :, None] @ self.gain[level][:, place])[:, :, 0]
        return total + _weighted(left @ self.root, left, weight)


def _weighted(a: Array, b: Array, weight: Array) -> Array:
    """Sum over kinds of ``weight · a bᵀ``, as one product."""
    wide = (a * weight[:, None, None]).transpose(1, 0, 2).reshape(a.shape[1], -1)
    return np.asarray(wide @ b.transpose(1, 0, 2).reshape(b.shape[1], -1).T)


def shared_growth(tree: Tree, kinds: Kinds, information: Array, pull: Array) -> Shared:
    """Solve for the shared growth.

    Parameters
    ----------
    tree : Tree
    kinds : Kinds
        Over the years seen and to come.
    information, pull : ndarray, shape (kinds, funds, T, T), (kinds, funds, T)
        What each fund says of its finest group in the years seen.
    """
    years, size = kinds.common.shape[-1], pull.shape[-1]
    upward: list[tuple[Array, Array, Array]] = []
    evidence = -0.5 * np.linalg.slogdet(kinds.common)[1]
    for level in range(len(tree.nodes) - 1, -1, -1):
        told, drawn = _gathered(tree.children(level), information, pull, years)
        inner = np.eye(years) + told @ kinds.group[:, None]
        kept = np.asarray(np.linalg.inv(inner), dtype=np.float64)
        evidence = evidence - 0.5 * np.linalg.slogdet(inner)[1].sum(1)
        upward.append((told, drawn, kept))
        information, pull = kept @ told, (kept @ drawn[..., None])[..., 0]
        size = years
    total = kinds.inverse.copy()
    total[:, :size, :size] += information.sum(1)
    right = np.zeros(kinds.common.shape[:2])
    right[:, :size] = pull.sum(1)
    root = np.asarray(np.linalg.inv(total), dtype=np.float64)
    mean = (root @ right[..., None])[..., 0]
    evidence = evidence - 0.5 * np.linalg.slogdet(total)[1]
    evidence = evidence - 0.5 * np.einsum("gs,gst,gt->g", mean, kinds.inverse, mean)
    at: Array = mean[:, None]
    around: Array = root[:, None]
    given: list[Array] = []
    gain: list[Array] = []
    for level, (told, drawn, kept) in enumerate(reversed(upward)):
        above = tree.above[level]
        own, follow = kinds.group[:, None] @ kept, kept.swapaxes(-1, -2)
        before = at[:, above]
        at = ((own @ drawn[..., None]) + follow @ before[..., None])[..., 0]
        around = own + follow @ around[:, above] @ kept
        departure = drawn - (told @ at[..., None])[..., 0]  # the group's part over its covariance
        evidence = evidence - 0.5 * ((at - before) * departure).sum((1, 2))
        given.append(np.asarray(own, dtype=np.float64))
        gain.append(np.asarray(follow, dtype=np.float64))
    return Shared(tree, at, around, root, tuple(given), tuple(gain), evidence)


def _gathered(children: Array, information: Array, pull: Array, years: int) -> tuple[Array, Array]:
    """Sums over each group's children, over all years (nothing is said of years to come)."""
    kinds, _, size = pull.shape
    told = np.zeros((kinds, len(children), years, years))
    drawn = np.zeros((kinds, len(children), years))
    told[:, :, :size, :size] = (children @ information.reshape(kinds, -1, size * size)).reshape(
        kinds, -1, size, size
    )
    drawn[:, :, :size] = children @ pull
    return told, drawn
