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
cost is that of one small matrix a fund, never of one large matrix. The kinds are then averaged by their
evidence (a lower bound of the log marginal likelihood, the sum of one-step-ahead log scores) times their
prior weights. References 13 and 14 of ``docs/references.md``.

Everything is an array whose first axis is the kind, so that all kinds are solved at once.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, logsumexp

from actuarial.growth.prior import Prior

Array = NDArray[np.float64]
_STEPS = (2, 2)
"""Variational steps for all kinds, then for those that are left; a fifth moves no quantile by a hundredth of its spread."""
_LEAST = 9.0
"""Kinds whose log evidence is this far below the best after the first steps are left out: they weigh a ten-thousandth."""


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
    last: NDArray[np.int64]

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
        y = np.zeros((funds, rows - 1))
        years, ends = np.zeros((funds, rows - 1, rows - 1)), np.zeros((funds, rows - 1, rows))
        there = np.isfinite(levels)
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


def _autoregressive(persistence: float, size: int) -> Array:
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return np.power(persistence, distance) if persistence > 0 else np.eye(size)


@dataclass(frozen=True, eq=False)
class _Kinds:
    """The prior's combinations as arrays over `size` years, seen and to come."""

    scale: Array
    common: Array
    own: Array
    level: Array
    dof: Array
    log_weight: Array

    def only(self, keep: NDArray[np.int64]) -> _Kinds:
        """Some of the kinds."""
        return _Kinds(*(getattr(self, f.name)[keep] for f in fields(self)))

    @classmethod
    def of(cls, prior: Prior, size: int, scales: Array) -> _Kinds:
        members = [(float(scales[k]), c, o, t) for k, c, o, t in prior.members]
        common = {c.name: _autoregressive(c.persistence, size) for c in prior.common}
        own = {o.name: o.lasting + o.drifting * _autoregressive(o.persistence, size) for o in prior.own}
        scale = np.array([s for s, _, _, _ in members])
        belief = -0.5 * (np.log(scale / prior.scale) / prior.scale_log_sd) ** 2
        return cls(
            scale,
            np.array([c.mean_sd**2 + (s * c.size) ** 2 * common[c.name] for s, c, _, _ in members]),
            np.array([own[o.name] for _, _, o, _ in members]),
            np.array([o.level for _, _, o, _ in members]),
            np.array([t.dof for _, _, _, t in members]),
            belief + np.array([np.log(c.weight * o.weight * t.weight) for _, c, o, t in members]),
        )


def _scales(panel: Panel, prior: Prior) -> Array:
    """Values of the panel's noise to try, around what the data say by the median absolute deviation."""
    growth = np.where(panel.seen, panel.y / np.maximum(panel.years.sum(2), 1), np.nan)
    count = int(panel.seen.sum())
    free = max(count - 1, 1)
    centre: Array | float
    if count == 0:
        return np.asarray(
            prior.scale * np.exp(np.linspace(-1, 1, prior.scale_points) * sum(prior.scale_reach))
        )
    if len(growth) >= 3:  # departures from the median of each year
        there = panel.seen.any(axis=0)
        centre = np.full(growth.shape[1], prior.mean)
        centre[there] = np.nanmedian(growth[:, there], axis=0)
        free = max(count - int(there.sum()), 1)
    else:
        centre = float(np.nanmedian(growth))
    away = np.abs(growth - centre)[panel.seen]
    noise = max(1.4826 * float(np.median(away)) * np.sqrt(count / free), 1e-4)
    middle = (free * np.log(noise) + prior.scale_worth * np.log(prior.scale)) / (free + prior.scale_worth)
    reach = prior.scale_reach[0] + prior.scale_reach[1] / np.sqrt(free)
    return np.asarray(np.exp(middle + reach * np.linspace(-1, 1, prior.scale_points)))


@dataclass(frozen=True, eq=False)
class _Solved:
    """State of the last variational step."""

    inverse: Array  # of the funds' unit covariances (kinds, funds, T, T)
    shared: Array  # covariance of the common part (kinds, years, years)
    common: Array  # its mean (kinds, years)
    residual: Array  # (kinds, funds, T)
    precision: Array  # E[1/sigma_i^2] (kinds, funds)
    shape: Array  # of its gamma (funds,)
    weights: Array  # of the growths (kinds, funds, T)
    evidence: Array  # (kinds,)


def posterior(
    levels: Array,
    prior: Prior,
    *,
    level_variance: Array | None = None,
    jumps: NDArray[np.bool_] | None = None,
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
    horizons : int
        Years forecast.
    ahead : int
        Rows at the end that lie after the year from which horizons count (neighbours that are further on).
    """
    panel = Panel.of(levels, jumps)
    kinds = _Kinds.of(prior, panel.y.shape[1] + horizons, _scales(panel, prior))
    known = None
    if level_variance is not None:
        variance = np.nan_to_num(level_variance).T[:, None, :]
        known = (panel.ends * variance) @ panel.ends.transpose(0, 2, 1), variance[:, 0, :]
    certain = None if known is None else known[0]
    start = (
        1 / kinds.scale[:, None] ** 2 * np.ones(len(panel.y)),
        np.ones((len(kinds.scale), *panel.y.shape)),
    )
    solved = _solve(panel, kinds, prior, certain, start, _STEPS[0])
    score = prior.tempering * solved.evidence + kinds.log_weight
    keep = np.flatnonzero(score > score.max() - _LEAST)
    kinds = kinds.only(keep)
    solved = _solve(panel, kinds, prior, certain, (solved.precision[keep], solved.weights[keep]), _STEPS[1])
    score = prior.tempering * solved.evidence + kinds.log_weight
    weight = np.exp(score - logsumexp(score))
    return _predict(
        panel, kinds, prior, solved, weight, keep, horizons, ahead, None if known is None else known[1]
    )


def _solve(
    panel: Panel,
    kinds: _Kinds,
    prior: Prior,
    known: Array | None,
    start: tuple[Array, Array],
    steps_taken: int,
) -> _Solved:
    """Variational steps for all kinds at once, from a start of precisions and weights of the growths."""
    size = panel.y.shape[1]
    steps, spans = panel.years, panel.years.sum(axis=2)
    spans = np.where(panel.seen, spans, 1.0)
    y = panel.y - prior.mean * panel.years.sum(axis=2)
    back = steps.transpose(0, 2, 1)
    fixed = steps @ kinds.own[:, None, :size, :size] @ back
    fixed += kinds.level[:, None, None, None] * (panel.ends @ panel.ends.transpose(0, 2, 1))
    ahead = np.linalg.inv(kinds.common)
    nu, floor = kinds.dof[:, None, None], kinds.scale[:, None] ** 2
    precision, weights = start
    diagonal = np.arange(size)
    for _ in range(steps_taken):
        noise = np.where(panel.seen, spans / weights, 1.0)
        unit = fixed.copy()
        unit[..., diagonal, diagonal] += noise
        whole = unit if known is None else unit + precision[..., None, None] * known
        inverse = np.linalg.inv(whole)
        pulled = back @ inverse
        informed = pulled @ steps
        total = ahead.copy()
        total[:, :size, :size] += np.einsum("gn,gnst->gst", precision, informed)
        right = np.zeros(ahead.shape[:2])
        right[:, :size] = np.einsum("gn,gns->gs", precision, (pulled @ y[..., None])[..., 0])
        shared = np.linalg.inv(total)
        common = (shared @ right[..., None])[..., 0]
        residual = y - (steps @ common[:, None, :size, None])[..., 0]
        scaled = (inverse @ residual[..., None])[..., 0]
        seen = shared[:, None, :size, :size]
        spread = inverse @ (steps @ seen @ back) @ inverse
        if known is None:
            squares = (residual * scaled).sum(-1) + (informed * seen).sum((-1, -2))
            counted = panel.seen.sum(1) + np.zeros_like(squares)
        else:  # only the systemic part of a residual speaks of the fund's own variance
            kept = inverse @ unit
            squares = np.einsum("gnt,gntu,gnu->gn", scaled, unit, scaled) + (spread * unit).sum((-1, -2))
            squares += (size - np.einsum("gntt->gn", kept)) / precision
            counted = panel.seen.sum(1) + np.zeros_like(squares)
        shape = (prior.variance_dof + counted) / 2
        rate = (prior.variance_dof * floor + squares) / 2
        precision = shape / rate
        square = precision[..., None] * (scaled**2 + spread[..., diagonal, diagonal]) * noise**2
        square = (square + noise - noise**2 * inverse[..., diagonal, diagonal]) / spans
        gamma_shape, gamma_rate = (nu + 1) / 2, (nu + square) / 2
        weights = np.where(panel.seen, gamma_shape / gamma_rate, 1.0)
    evidence = -0.5 * (precision * (residual * scaled).sum(-1)).sum(1)
    evidence -= 0.5 * np.einsum("gs,gst,gt->g", common, ahead, common)
    evidence -= 0.5 * (np.linalg.slogdet(kinds.common)[1] + np.linalg.slogdet(total)[1])
    evidence -= 0.5 * np.linalg.slogdet(whole)[1].sum(1)
    evidence += _hidden_evidence(panel, kinds, prior, (shape, rate), (gamma_shape, gamma_rate))
    return _Solved(
        np.asarray(inverse, dtype=np.float64), shared, common, residual, precision, shape, weights, evidence
    )


def _hidden_evidence(
    panel: Panel, kinds: _Kinds, prior: Prior, variances: tuple[Array, Array], tails: tuple[Array, Array]
) -> Array:
    """What the funds' variances and the years' tails add to the evidence bound (gammas given by shape and rate)."""
    shape, rate = variances
    floor = kinds.scale[:, None] ** 2
    log_precision = digamma(shape) - np.log(rate)
    found = (0.5 * panel.seen.sum(1) * log_precision).sum(1)
    found -= _gamma_divergence(shape, rate, prior.variance_dof / 2, prior.variance_dof * floor / 2).sum(1)
    tail_shape, tail_rate = tails
    half = kinds.dof[:, None, None] / 2
    each = 0.5 * (digamma(tail_shape) - np.log(tail_rate) - np.log(tail_shape / tail_rate))
    each = each - _gamma_divergence(tail_shape, tail_rate, half, half)
    return np.asarray(found + np.where(panel.seen, each, 0.0).sum((1, 2)))


def _gamma_divergence(shape: Array, rate: Array, shape0: Array | float, rate0: Array | float) -> Array:
    """Kullback–Leibler divergence of a gamma from another."""
    return np.asarray(
        (shape - shape0) * digamma(shape)
        - gammaln(shape)
        + gammaln(shape0)
        + shape0 * (np.log(rate) - np.log(rate0))
        + shape * (rate0 - rate) / rate
    )


def _predict(
    panel: Panel, kinds: _Kinds, prior: Prior, solved: _Solved, weight: Array, members: NDArray[np.int64], horizons: int, ahead: int,
    known: Array | None,
) -> Posterior:  # fmt: skip
    """Growth since each fund's last level: Student location, scale, dof for every kind and horizon."""
    funds, size = panel.y.shape
    inverse, precision = solved.inverse, solved.precision
    mean, scale, dof, shared = [], [], [], []
    sensitivity = np.zeros(funds)
    row = np.arange(funds)
    for h in range(1, horizons + 1):
        year = np.arange(size + horizons)[None]
        wanted = ((year >= panel.last[:, None]) & (year < size - ahead + h)).astype(float)
        span = wanted.sum(1)
        own = (kinds.own[:, None] @ wanted[..., None])[..., 0]
        cross = (panel.years @ own[..., :size, None])[..., 0]
        last = panel.ends[row, :, panel.last]
        cross = cross - kinds.level[:, None, None] * last
        variance = (own * wanted).sum(-1) + 2 * kinds.level[:, None] + span
        error: Array = np.zeros(funds)
        if known is not None:
            error = known[row, panel.last]
            cross = cross - precision[..., None] * error[:, None] * last
            error = error * precision
        gain = (inverse @ cross[..., None])[..., 0]
        left = np.broadcast_to(wanted, (len(weight), *wanted.shape)).copy()
        left[..., :size] -= (panel.years.transpose(0, 2, 1) @ gain[..., None])[..., 0]
        through = left @ solved.shared
        centre = (
            prior.mean * span
            + (wanted * solved.common[:, None, :]).sum(-1)
            + (gain * solved.residual).sum(-1)
        )
        own_part = variance + error - (gain * cross).sum(-1)
        total = (through * left).sum(-1) + own_part / precision
        total = np.maximum(total, 1e-30)
        noise_share = span / (precision * total)
        own_share = own_part / (precision * total)
        degrees = 1 / (
            noise_share**2 / kinds.dof[:, None] / np.maximum(span, 1) + own_share**2 / (2 * solved.shape)
        )
        mean.append(centre)
        scale.append(prior.width * np.sqrt(total))
        dof.append(degrees)
        spread = np.sqrt(weight @ (total + (centre - weight @ centre) ** 2))
        joint = np.einsum("g,gns,gms->nm", weight, through, left)
        joint += np.einsum("g,gn,gm->nm", weight, centre - weight @ centre, centre - weight @ centre)
        shared.append(joint / np.outer(spread, spread))
        if h == 1:
            # a higher last level raises the last step: it acts directly, and through the common part
            slot = np.maximum(panel.last - 1, 0)
            pulled = (panel.years.transpose(0, 2, 1) @ inverse)[:, row, :, slot]  # (funds, kinds, T)
            moved = (through[..., :size] * pulled.transpose(1, 0, 2)).sum(-1) * precision
            ending = panel.seen[row, slot]
            sensitivity = np.where(ending, weight @ (gain[:, row, slot] + moved), 0.0)
    return Posterior(
        members,
        weight, np.stack(mean, -1), np.stack(scale, -1), np.stack(dof, -1), np.stack(shared), sensitivity,
        solved.evidence + kinds.log_weight, 1 / np.sqrt(weight @ precision), np.einsum("g,gnt->nt", weight, solved.weights),
    )  # fmt: skip
