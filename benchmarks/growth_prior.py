"""How the numbers of ``actuarial/growth/prior.yaml`` were found: coordinate search on past one-year forecasts.

``python benchmarks/growth_prior.py oecd`` (or ``states``, or both): starts from the default set, moves one number at a time
by the stated factor, keeps what raises the mean log score plus half the log CRPS of past forecasts from 4 and 8 points, all
funds together. One round of it takes some minutes; the results were rounded by hand. The default set came from such a search over both
panels in which the provinces weighed 6%.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
from growth_panels import panels

import actuarial as act
from actuarial.growth.hierarchy import posterior
from actuarial.growth.predictive import Predictive
from actuarial.growth.prior import Prior

MOVES = [
    ("width", 1.05), ("mean", 1.4), ("variance_dof", 1.5), ("common.1.size", 1.5), ("common.2.size", 1.5),
    ("common.0.mean_sd", 1.6), ("common.1.mean_sd", 1.6), ("common.2.mean_sd", 1.6), ("own.0.drifting", 1.5),
    ("own.0.lasting", 1.8), ("own.1.level", 2.0), ("tails.0.dof", 1.3), ("common.0.weight", 2.0), ("own.1.weight", 3.0),
]  # fmt: skip


def windows(names: list[str], every: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    """Log levels of 4 and 8 years, and next year's growth, for every third origin."""
    found = []
    for name in names:
        logs = np.log(panels()[name])
        for points in (4, 8):
            for origin in list(logs.index)[points - 1 : -1 : every]:
                part = logs.loc[origin - points + 1 : origin + 1].dropna(axis=1)
                if len(part) == points + 1 and part.shape[1] > 1:
                    x = part.to_numpy()
                    found.append((x[:-1], x[-1] - x[-2]))
    return found


def moved(prior: Prior, place: str, factor: float) -> Prior:
    """The prior with one number multiplied."""
    name, *rest = place.split(".")
    value = getattr(prior, name)
    if not rest:
        return dataclasses.replace(prior, **{name: value * factor})
    kinds = list(value)
    kind = kinds[int(rest[0])]
    kinds[int(rest[0])] = dataclasses.replace(kind, **{rest[1]: getattr(kind, rest[1]) * factor})
    return dataclasses.replace(prior, **{name: tuple(kinds)})


def loss(prior: Prior, data: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Mean of log CRPS less half the log score; lower is better."""
    crps, scores = [], []
    for levels, actual in data:
        found = posterior(levels, prior)
        for i, x in enumerate(actual):
            part = Predictive.of(
                found.weight, *(a[:, i, 0] for a in (found.mean, found.scale, found.dof)), -2.0, 2.0
            )
            crps.append(part.crps(float(x)))
            scores.append(part.log_density(float(x)))
    return float(np.log(np.mean(crps)) - 0.5 * np.mean(scores))


def main() -> None:
    """Search and print."""
    data = windows(sys.argv[1:] or ["oecd", "states"])
    prior = act.load_prior()
    best = loss(prior, data)
    print("start", round(best, 4), flush=True)
    for place, factor in MOVES:
        for step in (factor, 1 / factor):
            while (value := loss(trial := moved(prior, place, step), data)) < best - 3e-4:
                prior, best = trial, value
                print(place, f"× {step:.3g}", round(best, 4), flush=True)
    print(prior)


if __name__ == "__main__":
    main()
