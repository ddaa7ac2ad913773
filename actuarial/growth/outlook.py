"""What a solved hierarchy says of the years ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actuarial.growth.kinds import Kinds
from actuarial.growth.panel import Panel
from actuarial.growth.prior import Prior
from actuarial.growth.shared import Shared
from actuarial.growth.variances import Gamma

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outlook:
    """A solved hierarchy; first axis the kind.

    Parameters
    ----------
    panel : Panel
    kinds : Kinds
    precision : Gamma
        Of the funds, (kinds, funds).
    inverse : ndarray, shape (kinds, funds, T, T)
        Of the funds' covariances over their variances.
    shared : Shared
    residual : ndarray, shape (kinds, funds, T)
    weight : ndarray, shape (kinds,)
    error : ndarray, shape (funds, T + 1), optional
        Known variance of the levels' errors.
    """

    panel: Panel
    kinds: Kinds
    precision: Gamma
    inverse: Array
    shared: Shared
    residual: Array
    weight: Array
    error: Array | None

    def own_part(self, wanted: Array, span: Array) -> tuple[Array, Array]:
        """Of the years wanted: variance of a fund's own part over its variance, and how it follows the steps."""
        kinds, panel = self.kinds, self.panel
        row = np.arange(len(panel.y))
        own = (kinds.own[:, None] @ wanted[..., None])[..., 0]
        last = panel.ends[row, :, panel.last]
        cross = (panel.years @ own[..., : panel.y.shape[1], None])[..., 0]
        cross = cross - kinds.level[:, None, None] * last
        variance = (own * wanted).sum(-1) + 2 * kinds.level[:, None] + span
        if self.error is not None:
            error = self.precision.mean * self.error[row, panel.last]
            cross = cross - error[..., None] * last
            variance = variance + error
        gain = (self.inverse @ cross[..., None])[..., 0]
        return np.asarray(variance - (gain * cross).sum(-1)), gain

    def sensitivity(self, gain: Array, through: Array) -> Array:
        """Derivative of the mean by the last log level, shape (funds,).

        A higher level raises the last step, which acts directly and through the shared growth.
        """
        panel = self.panel
        row, slot = np.arange(len(panel.y)), np.maximum(panel.last - 1, 0)
        pulled = (panel.years.transpose(0, 2, 1) @ self.inverse)[:, row, :, slot]  # (funds, kinds, T)
        moved = (through[..., : panel.y.shape[1]] * pulled.transpose(1, 0, 2)).sum(-1) * self.precision.mean
        return np.where(panel.seen[row, slot], self.weight @ (gain[:, row, slot] + moved), 0.0)


def outlook(
    view: Outlook, prior: Prior, horizons: int, ahead: int
) -> tuple[Array, Array, Array, Array, Array]:
    """Growth since each fund's last level.

    Returns
    -------
    mean, scale, dof : ndarray, shape (kinds, funds, horizons)
        Student location, scale and degrees of freedom.
    covariance : ndarray, shape (horizons, funds, funds)
        That funds share, over the product of their standard deviations.
    sensitivity : ndarray, shape (funds,)
        Of the first horizon.
    """
    panel, size = view.panel, view.panel.y.shape[1]
    weight, precision = view.weight, view.precision
    common = view.shared.of_funds(view.shared.mean)
    around = view.shared.of_funds(view.shared.covariance)
    year = np.arange(size + horizons)[None]
    found: list[tuple[Array, ...]] = []
    sensitivity = np.zeros(len(panel.y))
    for h in range(1, horizons + 1):
        wanted = ((year >= panel.last[:, None]) & (year < size - ahead + h)).astype(float)
        span = wanted.sum(1)
        own, gain = view.own_part(wanted, span)
        left = np.broadcast_to(wanted, (len(weight), *wanted.shape)).copy()
        left[..., :size] -= (panel.years.transpose(0, 2, 1) @ gain[..., None])[..., 0]
        through = (left[:, :, None] @ around)[:, :, 0] if view.shared.tree.nodes else left @ around[:, 0]
        centre = prior.mean * span + (wanted * common).sum(-1) + (gain * view.residual).sum(-1)
        total = np.maximum((through * left).sum(-1) + own / precision.mean, 1e-30)
        noise_share, own_share = span / (precision.mean * total), own / (precision.mean * total)
        tail = noise_share**2 / view.kinds.dof[:, None] / np.maximum(span, 1)
        dof = 1 / (tail + own_share**2 / (2 * precision.shape))
        away = centre - weight @ centre
        spread = np.sqrt(weight @ (total + away**2))
        joint = view.shared.between(left, weight) + (away * weight[:, None]).T @ away
        found.append((centre, prior.width * np.sqrt(total), dof, joint / np.outer(spread, spread)))
        if h == 1:
            sensitivity = view.sensitivity(gain, through)
    mean, scale, freedom, covariance = zip(*found, strict=True)
    return np.stack(mean, -1), np.stack(scale, -1), np.stack(freedom, -1), np.stack(covariance), sensitivity
