r"""The funds' variances, which scatter around their group's, and the groups' around those above.

A fund's precision is gamma around its group's variance, :math:`\tau_i\sim\Gamma(\nu/2,\;u\,\nu/2)`; the variance
of the finest groups is gamma around the precision of the groups above, :math:`u\sim\Gamma(a,\;a q)`, theirs around
a variance again, and so on up to the panel's :math:`s^2`. Each update is then a gamma whose shape counts the children
and whose rate sums their means. Without groups :math:`u=s^2`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln

from actuarial.growth.kinds import Kinds
from actuarial.growth.panel import Tree

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gamma:
    """A gamma distribution, by arrays of shape and rate."""

    shape: Array
    rate: Array

    @property
    def mean(self) -> Array:
        """Its mean."""
        return self.shape / self.rate

    @property
    def mean_log(self) -> Array:
        """Mean of its logarithm."""
        return np.asarray(digamma(self.shape) - np.log(self.rate))

    def divergence(self, shape: Array | float, rate: Array | float) -> Array:
        """Kullback–Leibler divergence from the gamma of `shape` and `rate`."""
        return np.asarray(
            (self.shape - shape) * digamma(self.shape)
            - gammaln(self.shape)
            + gammaln(shape)
            + shape * (np.log(self.rate) - np.log(rate))
            + self.shape * (rate - self.rate) / self.rate
        )


@dataclass(frozen=True, eq=False)
class Variances:
    """Precisions of the funds, and by level (coarsest first) what the groups' scatter around.

    Parameters
    ----------
    tree : Tree
    floor : ndarray, shape (kinds,)
        The panel's variance.
    spread : ndarray, shape (kinds,)
    half : float
        Half the degrees of freedom of the funds' precisions.
    groups : tuple of Gamma
    """

    tree: Tree
    floor: Array
    spread: Array
    half: float
    groups: tuple[Gamma, ...]

    @classmethod
    def start(cls, tree: Tree, kinds: Kinds, dof: float) -> Variances:
        """Before the data: every group at the panel's."""
        floor = kinds.scale**2
        found = []
        for level, above in enumerate(tree.above):
            up = _top(len(tree.nodes) - level, floor)
            wide = np.ones((len(floor), len(above)))
            found.append(Gamma(kinds.spread[:, None] * wide, (kinds.spread * up)[:, None] * wide))
        return cls(tree, floor, kinds.spread, dof / 2, tuple(found))

    @property
    def around(self) -> Array:
        """The variance around which each fund's scatters, shape (kinds, funds) or (kinds, 1)."""
        return self.groups[-1].mean[:, self.tree.nodes[-1]] if self.groups else self.floor[:, None]

    def updated(self, precision: Array) -> Variances:
        """After the funds' mean precisions."""
        found = list(self.groups)
        child, own = precision, np.full(len(self.floor), self.half)
        for level in range(len(found) - 1, -1, -1):
            members = self.tree.children(level)
            shape = self.spread[:, None] + own[:, None] * members.sum(1)
            rate = self.spread[:, None] * self._above(level, found) + own[:, None] * (child @ members.T)
            found[level] = Gamma(shape, rate)
            child, own = found[level].mean, self.spread
        return Variances(self.tree, self.floor, self.spread, self.half, tuple(found))

    def _above(self, level: int, found: list[Gamma]) -> Array:
        if level == 0:
            return _top(len(found), self.floor)[:, None]
        return found[level - 1].mean[:, self.tree.above[level]]

    def evidence(self, funds: Gamma) -> Array:
        """What the variances add to the log evidence, shape (kinds,)."""
        found = -funds.divergence(self.half, self.half * self.around).sum(1)
        for level, gamma in enumerate(self.groups):
            up = self._above(level, list(self.groups))
            found = found - gamma.divergence(self.spread[:, None], self.spread[:, None] * up).sum(1)
            # the children's rate is a mean here, its logarithm is not that of the mean
            each = self.half if level == len(self.groups) - 1 else self.spread[:, None]
            children = self.tree.children(level).sum(1)
            found = found + (each * children * (gamma.mean_log - np.log(gamma.mean))).sum(1)
        return np.asarray(found)


def _top(levels: int, floor: Array) -> Array:
    """The panel's variance as the coarsest of so many levels sees it: the finest level is a variance."""
    return floor if levels % 2 == 0 else 1 / floor
