"""The prior's kinds as arrays: every combination of common growth, own growth, tail, group and size of noise."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from actuarial.growth.panel import Panel
from actuarial.growth.prior import Prior

Array = NDArray[np.float64]


def autoregressive(persistence: float, size: int) -> Array:
    """Correlation of a first-order autoregression over so many years."""
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return np.power(persistence, distance) if persistence > 0 else np.eye(size)


@dataclass(frozen=True, eq=False)
class Kinds:
    """Combinations as arrays over `size` years, seen and to come; first axis the kind.

    Parameters
    ----------
    scale : ndarray, shape (kinds,)
        Standard deviation of the panel's yearly noise.
    common : ndarray, shape (kinds, size, size)
        Covariance of the growth that all share.
    inverse : ndarray, same shape
    own : ndarray, same shape
        Covariance of a fund's own part, over the fund's variance.
    level, dof : ndarray, shape (kinds,)
        Variance of the passing error over the fund's variance; degrees of freedom of the noise.
    group : ndarray, shape (kinds, size, size)
        Covariance of a group's part of growth.
    spread : ndarray, shape (kinds,)
        Gamma shape with which variances of groups scatter.
    log_weight : ndarray, shape (kinds,)
    """

    scale: Array
    common: Array
    inverse: Array
    own: Array
    level: Array
    dof: Array
    group: Array
    spread: Array
    log_weight: Array

    def only(self, keep: NDArray[np.int64]) -> Kinds:
        """Some of the kinds."""
        return Kinds(*(getattr(self, f.name)[keep] for f in fields(self)))

    @classmethod
    def of(cls, prior: Prior, size: int, scales: Array, *, nested: bool) -> Kinds:
        """All members of the prior, with `scales` as the values of the panel's noise."""
        members = [(float(scales[k]), c, o, t, r) for k, c, o, t, r in prior.members(nested=nested)]
        common = {c.name: autoregressive(c.persistence, size) for c in prior.common}
        own = {o.name: o.lasting + o.drifting * autoregressive(o.persistence, size) for o in prior.own}
        group = {r.name: r.lasting + r.drifting * autoregressive(r.persistence, size) for r in prior.groups}
        group["none"] = np.zeros((size, size))
        scale = np.array([s for s, *_ in members])
        belief = -0.5 * (np.log(scale / prior.scale) / prior.scale_log_sd) ** 2
        covariance = np.array([c.mean_sd**2 + (s * c.size) ** 2 * common[c.name] for s, c, *_ in members])
        return cls(
            scale,
            covariance,
            np.linalg.inv(covariance),
            np.array([own[o.name] for _, _, o, _, _ in members]),
            np.array([o.level for _, _, o, _, _ in members]),
            np.array([t.dof for _, _, _, t, _ in members]),
            np.array([s**2 * group[r.name if r else "none"] for s, _, _, _, r in members]),
            np.array([r.spread if r else 1.0 for *_, r in members]),
            belief
            + np.array(
                [
                    np.log(c.weight * o.weight * t.weight * (r.weight if r else 1.0))
                    for _, c, o, t, r in members
                ]
            ),
        )


def noise_scales(panel: Panel, prior: Prior) -> Array:
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
