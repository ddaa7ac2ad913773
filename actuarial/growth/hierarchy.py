r"""The model of growth: a hierarchy over funds and years, solved in closed form for each of a few kinds.

For fund :math:`i` and year :math:`t` the yearly log growth of the level is

.. math:: g_{it} = M + c_t + m_i + a_{it} + e_{it} + v_{it} - v_{i,t-1},

a long-run mean :math:`M`, a common part :math:`c` (first-order autoregressive), a lasting difference
:math:`m_i`, a fading one :math:`a_i` (autoregressive), the year's noise :math:`e` (Student) and a passing
error of the level :math:`v`. The variances of :math:`m,a,e,v` are multiples of the fund's own
:math:`\sigma_i^2`, which scatters around the panel's :math:`s^2` as an inverse gamma; a step over several
years is the sum of its years. Levels known with an error of their own (claims of few people, a year not
yet complete) add that variance to :math:`v`.

Given a *kind* (the multiples, :math:`s`, the tail), the common part and the variances are found by a few
steps of variational Bayes, each one linear algebra: funds are independent given the common part, so the
cost is that of one small matrix a fund, never of one large matrix. Where funds lie in groups (county < city < province)
each group adds a part of its own to the common growth, and the funds' variances scatter around their group's: ``shared``
and ``variances``. The kinds are then averaged by their
evidence (a lower bound of the log marginal likelihood, the sum of one-step-ahead log scores) times their
prior weights. References 13 and 14 of ``docs/references.md``.

Everything is an array whose first axis is the kind, so that all kinds are solved at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from actuarial.growth.kinds import Kinds, noise_scales
from actuarial.growth.outlook import Outlook, outlook
from actuarial.growth.panel import Panel, Tree
from actuarial.growth.prior import Prior
from actuarial.growth.shared import Shared, shared_growth
from actuarial.growth.variances import Gamma, Variances

Array = NDArray[np.float64]
_STEPS = (2, 2)
"""Variational steps for all kinds, then for those that are left; a fifth moves no quantile by a hundredth of its spread."""
_LEAST = 9.0
"""Kinds whose log evidence is this far below the best after the first steps are left out: they weigh a ten-thousandth."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known after the data; first axis the kind.

    Parameters
    ----------
    members : ndarray of int, shape (kinds,)
        Which of the prior's members the kinds are; the others weigh next to nothing.
    weight : ndarray, shape (kinds,)
        Sums to 1.
    mean, scale, dof : ndarray, shape (kinds, funds, horizons)
        Student location, scale and degrees of freedom of log growth since each fund's last level.
    covariance : ndarray, shape (horizons, funds, funds)
        Covariance that funds share through the common part, over the product of their standard deviations.
    sensitivity : ndarray, shape (funds,)
        Derivative of the mean log growth of the first horizon with respect to the last log level.
    evidence : ndarray, shape (kinds,)
        Log evidence and log prior weight.
    noise : ndarray, shape (funds,)
        Standard deviation of each fund's yearly noise.
    outlying : ndarray, shape (funds, T)
        Weight that each growth kept: far below 1 for a year that the noise's tail explains.
    """

    members: NDArray[np.int64]
    weight: Array
    mean: Array
    scale: Array
    dof: Array
    covariance: Array
    sensitivity: Array
    evidence: Array
    noise: Array
    outlying: Array


@dataclass(frozen=True, eq=False)
class _State:
    """Where the variational steps have got to; first axis the kind."""

    precision: Gamma  # of the funds (kinds, funds)
    weights: Gamma  # of the growths (kinds, funds, T)
    variances: Variances
    whole: Array  # the funds' covariances over their variance (kinds, funds, T, T)
    inverse: Array
    shared: Shared
    residual: Array  # (kinds, funds, T)
    scaled: Array  # inverse times residual

    def only(self, keep: NDArray[np.int64]) -> tuple[Array, Array]:
        """Mean precisions and weights of some kinds: where the next steps start."""
        return self.precision.mean[keep], self.weights.mean[keep]


def posterior(
    levels: Array,
    prior: Prior,
    *,
    level_variance: Array | None = None,
    jumps: NDArray[np.bool_] | None = None,
    tree: Tree | None = None,
    horizons: int = 1,
    ahead: int = 0,
) -> Posterior:
    """Fit all kinds and average them.

    Parameters
    ----------
    levels : ndarray, shape (T + 1, funds)
        Log levels by year, NaN where missing; the first and the last row are the window's ends.
    prior : Prior
    level_variance : ndarray, shape (T + 1, funds), optional
        Known variance of the error of each log level: claims of few people, a year not complete.
    jumps : ndarray of bool, shape (T + 1, funds), optional
        Levels that a change of scope separates from the ones before: the step that ends there is not growth.
    tree : Tree, optional
        Groups of the funds.
    horizons : int
        Years forecast.
    ahead : int
        Rows at the end that lie after the year from which horizons count (neighbours that are further on).
    """
    panel, tree = Panel.of(levels, jumps), tree or Tree()
    kinds = Kinds.of(prior, panel.y.shape[1] + horizons, noise_scales(panel, prior), nested=bool(tree.nodes))
    known, error = None, None
    if level_variance is not None:
        variance = np.nan_to_num(level_variance).T[:, None, :]
        known, error = (panel.ends * variance) @ panel.ends.transpose(0, 2, 1), variance[:, 0, :]
    start = (
        1 / kinds.scale[:, None] ** 2 * np.ones(len(panel.y)),
        np.ones((len(kinds.scale), *panel.y.shape)),
    )
    work = _Work(panel, tree, prior, known)
    state = work.steps(kinds, start, _STEPS[0])
    score = prior.tempering * work.evidence(kinds, state) + kinds.log_weight
    keep = np.flatnonzero(score > score.max() - _LEAST)
    kinds = kinds.only(keep)
    state = work.steps(kinds, state.only(keep), _STEPS[1])
    evidence = work.evidence(kinds, state)
    score = prior.tempering * evidence + kinds.log_weight
    weight = np.exp(score - logsumexp(score))
    view = Outlook(panel, kinds, state.precision, state.inverse, state.shared, state.residual, weight, error)
    mean, scale, dof, covariance, sensitivity = outlook(view, prior, horizons, ahead)
    return Posterior(
        keep, weight, mean, scale, dof, covariance, sensitivity, evidence + kinds.log_weight,
        1 / np.sqrt(weight @ state.precision.mean), np.einsum("g,gnt->nt", weight, state.weights.mean),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Work:
    """One panel's variational steps, for all kinds at once."""

    panel: Panel
    tree: Tree
    prior: Prior
    known: Array | None  # covariance of the steps' known errors (funds, T, T)

    def steps(self, kinds: Kinds, start: tuple[Array, Array], count: int) -> _State:
        """So many steps, from a start of precisions and weights of the growths."""
        panel, size = self.panel, self.panel.y.shape[1]
        spans = np.where(panel.seen, panel.years.sum(axis=2), 1.0)
        own = kinds.own[:, None, :size, :size]
        fixed = (
            np.repeat(own, len(panel.y), axis=1) if panel.plain else panel.years @ own @ _turned(panel.years)
        )
        fixed = fixed + kinds.level[:, None, None, None] * (panel.ends @ _turned(panel.ends))
        variances = Variances.start(self.tree, kinds, self.prior.variance_dof)
        precision, weights = start
        state = None
        for _ in range(count):
            state = self._step(kinds, fixed, spans, precision, weights, variances)
            precision, weights, variances = state.precision.mean, state.weights.mean, state.variances
        assert state is not None
        return state

    def _step(
        self, kinds: Kinds, fixed: Array, spans: Array, precision: Array, weights: Array, variances: Variances
    ) -> _State:
        panel, size = self.panel, self.panel.y.shape[1]
        noise = np.where(panel.seen, spans / weights, 1.0)
        unit = fixed.copy()
        diagonal = np.arange(size)
        unit[..., diagonal, diagonal] += noise
        whole = unit if self.known is None else unit + precision[..., None, None] * self.known
        inverse = np.asarray(np.linalg.inv(whole), dtype=np.float64)
        y = panel.y - self.prior.mean * panel.years.sum(axis=2)
        pulled = inverse if panel.plain else _turned(panel.years) @ inverse
        informed = pulled if panel.plain else pulled @ panel.years
        pull = precision[..., None] * (pulled @ y[..., None])[..., 0]
        shared = shared_growth(self.tree, kinds, precision[..., None, None] * informed, pull)
        common = shared.of_funds(shared.mean)[..., :size]
        residual = y - (common if panel.plain else (panel.years @ common[..., None])[..., 0])
        scaled = (inverse @ residual[..., None])[..., 0]
        around = shared.of_funds(shared.covariance)[..., :size, :size]
        if not panel.plain:
            around = panel.years @ around @ _turned(panel.years)
        doubt = inverse @ around
        squares = self._squares(unit, inverse, doubt, residual, scaled, precision)
        shape = (self.prior.variance_dof + panel.seen.sum(1) + np.zeros_like(squares)) / 2
        found = Gamma(shape, self.prior.variance_dof * variances.around / 2 + squares / 2)
        spread = (doubt * inverse).sum(-1)  # diagonal of inverse · around · inverse
        square = found.mean[..., None] * (scaled**2 + spread) * noise**2
        square = (square + noise - noise**2 * inverse[..., diagonal, diagonal]) / spans
        dof = kinds.dof[:, None, None]
        tails = Gamma(np.where(panel.seen, (dof + 1) / 2, 1.0), np.where(panel.seen, (dof + square) / 2, 1.0))
        return _State(found, tails, variances.updated(found.mean), whole, inverse, shared, residual, scaled)

    def _squares(
        self, unit: Array, inverse: Array, doubt: Array, residual: Array, scaled: Array, precision: Array
    ) -> Array:
        """Expected squares of the funds' departures, over the variances they would have (kinds, funds)."""
        if self.known is None:
            return np.asarray((residual * scaled).sum(-1) + np.einsum("gntt->gn", doubt))
        # only the systemic part of a residual speaks of the fund's own variance
        kept = inverse @ unit
        squares = np.einsum("gnt,gntu,gnu->gn", scaled, unit, scaled)
        squares += (doubt * kept.swapaxes(-1, -2)).sum((-1, -2))
        return np.asarray(squares + (unit.shape[-1] - np.einsum("gntt->gn", kept)) / precision)

    def evidence(self, kinds: Kinds, state: _State) -> Array:
        """A lower bound of the log evidence of each kind."""
        seen = self.panel.seen
        found = state.shared.evidence - 0.5 * (
            state.precision.mean * (state.residual * state.scaled).sum(-1)
        ).sum(1)
        found = found - 0.5 * np.linalg.slogdet(state.whole)[1].sum(1)
        found = found + (0.5 * seen.sum(1) * state.precision.mean_log).sum(1)
        found = found + state.variances.evidence(state.precision)
        half = kinds.dof[:, None, None] / 2
        each = 0.5 * (state.weights.mean_log - np.log(state.weights.mean))
        each = each - state.weights.divergence(half, half)
        return np.asarray(found + np.where(seen, each, 0.0).sum((1, 2)))


def _turned(matrices: Array) -> Array:
    return matrices.swapaxes(-1, -2)
