r"""Designs that need fewer paths: importance sampling with stratification for the tail, Sobol points for means.

**Importance.** A pilot of plain paths tells the unit vector :math:`u` along which the need rises, and for each
threshold where on :math:`t=u\cdot z` the paths near it lie. The axis of :math:`t` is cut into cells of probability
:math:`\pi_j`, fine ones where being short or not is undecided; of each block of 512 paths cell :math:`j` gets

.. math:: n_j \ge \max(1,\;\omega_0\,512\,\pi_j),\qquad w_j=512\,\pi_j/n_j,

the rest in proportion to :math:`\pi_j\sqrt{P_j(1-P_j)}` (Neyman), :math:`P_j` by the pilot. Within a cell the :math:`n_j` paths are
spread evenly over its probability. A cell in which all paths or none are short adds nothing to the error. Across :math:`u` the
normals are plain.

**Sobol.** Scrambled points, blocks of 2,048, each with its own scramble, through the inverse normal.

Both are made from a chunk's own streams: the same bytes in any order. The randomness of claims is not part of the design.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from actuarial.fund.chunks import Outcomes, Question, collect
from actuarial.fund.paths import CHUNK, PLAIN, Sampler, Setting, stream

BLOCK, SOBOL_BLOCK = 512, 2048
COARSE = 16
"""Cells of equal probability that the axis is cut into at least."""
STRATA, SCRAMBLE, PILOT = 8, 9, 10
"""First parts of the spawn keys of these designs."""
NOMINAL_SHARE = 0.2
"""Part of the paths that follow the nominal law: weights are at most 5 whatever the thresholds."""
WIDER = 1.5
"""How much wider than the undecided region its component is: it also has to cover what the pilot does not see."""
NEAREST = 256
LEAST_EXPLAINED = 0.3
"""Share of the need's variance that one direction has to explain for importance sampling to be chosen."""


@dataclass(frozen=True, eq=False)
class Importance:
    """Stratified draws along one direction, most of them where being short is undecided.

    Parameters
    ----------
    direction : ndarray, shape (columns,)
        Unit vector.
    edges : ndarray, shape (cells + 1,)
        Of the cells, as probabilities from 0 to 1.
    counts : ndarray, shape (cells,)
        Paths of each cell in a block; each at least 1, in all :data:`BLOCK`.
    """

    direction: NDArray[np.float64]
    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    weighted: bool = True

    def draw(
        self, s: Setting, seed: int, number: int, rows: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """See :class:`actuarial.fund.paths.Sampler`."""
        z, _ = PLAIN.draw(s, seed, number, rows)
        t, weight = self.along(stream(s, seed, STRATA, 0, number), rows)
        z += (t - z @ self.direction)[:, None] * self.direction
        return z, weight

    def along(
        self, generator: np.random.Generator, rows: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places along the direction and their weights, block by block; shape (rows,) each.

        Paths that do not fill a block are spread evenly over the nominal law.
        """
        whole, rest = rows // BLOCK, rows % BLOCK
        width = np.diff(self.edges)
        cell = np.repeat(np.arange(len(width)), self.counts)
        inside = np.arange(BLOCK) - np.repeat(np.cumsum(self.counts) - self.counts, self.counts)
        step = (width / self.counts)[cell]
        low, weight = self.edges[cell] + inside * step, step * BLOCK
        low = np.concatenate([np.tile(low, whole), np.arange(rest) / max(rest, 1)])
        step = np.concatenate([np.tile(step, whole), np.full(rest, 1 / max(rest, 1))])
        u = low + generator.random(rows) * step
        return ndtri(np.clip(u, 1e-16, 1 - 1e-16)), np.concatenate([np.tile(weight, whole), np.ones(rest)])


def cells(centres: list[float], scales: list[float]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Cells and paths in each for thresholds whose undecided regions have these centres and spreads (on t).

    Examples
    --------
    >>> edges, counts = cells([1.6], [0.2])
    >>> int(counts.sum()) == BLOCK, bool((np.diff(edges) > 0).all()), int(counts.min())
    (True, True, 1)
    """
    grid = [np.linspace(c - 4 * s, c + 4 * s, 17) for c, s in zip(centres, scales, strict=True)]
    edges = np.concatenate([[0.0, 1.0], np.arange(1, COARSE) / COARSE, ndtr(np.concatenate(grid))])
    edges = np.unique(edges)
    edges = edges[np.concatenate([[True], np.diff(edges) > 1e-12])]
    edges[-1] = 1.0
    width = np.diff(edges)
    middle = ndtri((edges[1:] + edges[:-1]) / 2)
    doubt = np.zeros(len(width))
    for c, s in zip(centres, scales, strict=True):
        p = ndtr((middle - c) / s)
        doubt += np.sqrt(p * (1 - p)) / len(centres)
    least = np.maximum(np.ceil(NOMINAL_SHARE * BLOCK * width), 1)
    share = width * (doubt + 1e-9)  # never nothing: a threshold may lie beyond every cell
    free = BLOCK - least.sum()
    wanted = least + free * share / share.sum()
    counts = np.floor(wanted).astype(np.int64)
    order = np.argsort(counts - wanted, kind="stable")
    counts[order[: BLOCK - counts.sum()]] += 1
    return edges, counts


@dataclass(frozen=True)
class Sobol:
    """Scrambled Sobol points in the systemic factors."""

    weighted: bool = False

    def draw(self, s: Setting, seed: int, number: int, rows: int) -> tuple[NDArray[np.float64], None]:
        """See :class:`actuarial.fund.paths.Sampler`."""
        generator, width = stream(s, seed, SCRAMBLE, 0, number), len(s.columns)
        blocks = []
        for _ in range(-(-rows // SOBOL_BLOCK)):
            points = qmc.Sobol(width, scramble=True, seed=generator)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # on numbers of points: blocks are whole
                blocks.append(points.random(SOBOL_BLOCK))
        u = np.concatenate(blocks)[:rows]
        return ndtri(np.clip(u, 2.0**-33, 1 - 2.0**-33)), None


SOBOL = Sobol()


@lru_cache(maxsize=64)
def _pilot_key(seed: int) -> int:
    """A seed for pilots, so that no path of the answer has been seen by its design."""
    words = np.random.SeedSequence(seed, spawn_key=(PILOT,)).generate_state(2, np.uint64)
    return int(words[0])


@dataclass(frozen=True, eq=False)
class Pilot:
    """A few plain paths with their systemic normals, from which a design is made.

    Parameters
    ----------
    normals : ndarray, shape (n, columns)
    outcomes : Outcomes
    """

    normals: NDArray[np.float64]
    outcomes: Outcomes

    def explained(self, name: str) -> float:
        """Share of a question's variance that is linear in the normals (0 where it does not vary)."""
        y = self.outcomes[name]
        used = np.isfinite(y)
        if used.sum() < 100 or y[used].std() == 0:
            return 0.0
        return float(1 - _fit(self.normals[used], y[used])[1].var() / y[used].var())

    def design(self, thresholds: list[tuple[str, float]]) -> Importance | None:
        """The design for some thresholds; None where one direction explains too little.

        Parameters
        ----------
        thresholds : list of (question, value)
            The first question gives the direction.
        """
        first = thresholds[0][0]
        if self.explained(first) < LEAST_EXPLAINED:
            return None
        y = self.outcomes[first]
        used = np.isfinite(y)
        slopes, _ = _fit(self.normals[used], y[used])
        direction = slopes / np.linalg.norm(slopes)
        t = self.normals @ direction
        centres: list[float] = []
        scales: list[float] = []
        for name, value in thresholds:
            distance = np.abs(np.where(np.isfinite(self.outcomes[name]), self.outcomes[name], np.inf) - value)
            near = t[np.argsort(distance, kind="stable")[:NEAREST]]
            centre, scale = float(near.mean()), max(WIDER * float(near.std()), 0.02)
            if all(abs(centre - c) > scale / 2 for c in centres):
                centres.append(centre)
                scales.append(scale)
        return Importance(direction, *cells(centres, scales))


def _fit(z: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least squares of `y` on the normals: slopes and residuals. Slopes within noise of zero are set to zero."""
    centred = y - y.mean()
    slopes, *_ = np.linalg.lstsq(z - z.mean(axis=0), centred, rcond=None)
    residual = centred - (z - z.mean(axis=0)) @ slopes
    noise = residual.std() / np.sqrt(len(y))
    slopes = np.where(np.abs(slopes) > 3 * noise, slopes, 0.0)
    if not slopes.any():
        slopes = np.ptp(z, axis=0).astype(bool).astype(float)  # columns that are not drawn stay out
    if not slopes.any():
        slopes = np.ones(z.shape[1])
    return slopes, residual


def run_pilot(s: Setting, questions: list[Question], seed: int) -> Pilot:
    """One chunk of plain paths, of a seed of its own."""
    key = _pilot_key(seed)
    normals, _ = PLAIN.draw(s, key, 0, CHUNK)
    return Pilot(normals, collect(s, questions, paths=CHUNK, seed=key))


def choose(pilot: Pilot, thresholds: list[tuple[str, float]]) -> tuple[Sampler, int, str]:
    """The design for thresholds of the tail: sampler, paths in a block, and its name."""
    design = pilot.design(thresholds)
    return (PLAIN, 1, "plain") if design is None else (design, BLOCK, "importance")


__all__ = ["BLOCK", "SOBOL", "SOBOL_BLOCK", "Importance", "Pilot", "Sobol", "choose", "run_pilot"]
