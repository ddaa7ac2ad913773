"""The documented prior of growth: what other places' series say before the fund's own are looked at.

``prior.yaml`` holds named sets of numbers, each estimated on the panels that it names by one search (see
``docs/growth.md``), so that a set fitted on one panel can be judged on another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import yaml

from actuarial.errors import Fault, InputError
from actuarial.results import Source


@cache
def _content(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")))


@cache
def growth_bounds() -> tuple[float, float]:
    """Documented bounds of one year's log growth.

    Examples
    --------
    >>> low, high = growth_bounds()
    >>> low < 0 < high
    True
    """
    found = _content("bounds")
    return float(found["lower"]), float(found["upper"])


@cache
def raw_growth_limit() -> float:
    """Yearly log growth beyond which a series at constant policy is not believed.

    Examples
    --------
    >>> 0 < raw_growth_limit() < growth_bounds()[1]
    True
    """
    return float(_content("bounds")["raw_above"])


@dataclass(frozen=True)
class CommonKind:
    """How the growth that all funds share moves: long-run mean, persistence, size.

    Parameters
    ----------
    name : str
    persistence : float
        First-order autocorrelation of the common part around its mean.
    size : float
        Standard deviation of the common part over that of a fund's own yearly noise.
    mean_sd : float
        Standard deviation of the long-run mean around the prior mean [log points].
    weight : float
        Prior weight.
    """

    name: str
    persistence: float
    size: float
    mean_sd: float
    weight: float


@dataclass(frozen=True)
class OwnKind:
    """A fund's own departures from the common growth; variances over that of its yearly noise.

    Parameters
    ----------
    name : str
    lasting : float
        Variance of a difference in growth that lasts.
    drifting, persistence : float
        Variance and first-order autocorrelation of a difference that fades.
    level : float
        Variance of a passing error of the level, which the next year takes back.
    weight : float
        Prior weight.
    """

    name: str
    lasting: float
    drifting: float
    persistence: float
    level: float
    weight: float


@dataclass(frozen=True)
class TailKind:
    """Degrees of freedom of a year's noise, with its prior weight."""

    name: str
    dof: float
    weight: float


@dataclass(frozen=True)
class GroupKind:
    """What the funds of one group share beyond all funds; variances over that of the panel's yearly noise.

    Parameters
    ----------
    name : str
    lasting : float
        Variance of a difference in growth that lasts.
    drifting, persistence : float
        Variance and first-order autocorrelation of a difference that fades.
    spread : float
        Gamma shape of the groups' variances around the level above: the larger, the more alike.
    weight : float
        Prior weight.
    """

    name: str
    lasting: float
    drifting: float
    persistence: float
    spread: float
    weight: float


@dataclass(frozen=True)
class Prior:
    """Everything that is believed of growth before the data.

    Parameters
    ----------
    name : str
    mean : float
        Long-run log growth.
    variance_dof : float
        Degrees of freedom with which the funds' variances scatter around their panel's.
    scale, scale_log_sd : float
        Median of the panel's yearly noise [log points] and the standard deviation of its logarithm.
    width : float
        Factor on predictive standard deviations, estimated with the rest.
    tempering : float
        Power of the data in the weights of the kinds: below 1 shrinks them to the prior weights.
    scale_points, scale_worth, scale_reach : int, float, tuple of float
        Values of the panel's noise that are tried: so many, around the robust noise of the data shrunk to `scale` as if
        by so many growths, and as far as ``a + b / √growths`` in the logarithm.
    memory : int
        Years of growth that are used, counted back from the last.
    categories : float
        Correlation between categories' growth before data.
    categories_years : float
        Growth points that this correlation is worth.
    common, own, tails : tuple
        The kinds that are averaged.
    groups : tuple
        The kinds of groups, where funds lie in groups.
    source : Source
    """

    name: str
    mean: float
    variance_dof: float
    scale: float
    scale_log_sd: float
    width: float
    tempering: float
    scale_points: int
    scale_worth: float
    scale_reach: tuple[float, float]
    memory: int
    categories: float
    categories_years: float
    common: tuple[CommonKind, ...]
    own: tuple[OwnKind, ...]
    tails: tuple[TailKind, ...]
    groups: tuple[GroupKind, ...]
    source: Source = field(repr=False)

    def members(self, *, nested: bool) -> list[tuple[int, CommonKind, OwnKind, TailKind, GroupKind | None]]:
        """All combinations, in a fixed order; the first entry counts the values of the noise, the last is None without groups."""
        groups: tuple[GroupKind | None, ...] = self.groups if nested else (None,)
        return list(product(range(self.scale_points), self.common, self.own, self.tails, groups))


@cache
def load_prior(name: str = "default") -> Prior:
    """A documented prior by name.

    Parameters
    ----------
    name : str
        A set of ``prior.yaml``.

    Raises
    ------
    InputError
        If there is no such set.

    Examples
    --------
    >>> prior = load_prior()
    >>> 0 < prior.mean < 0.1, prior.source.status
    (True, 'derived')
    """
    sets = _content("prior")
    if name not in sets["sets"]:
        known = ", ".join(sets["sets"])
        raise InputError([Fault("growth.no_prior", params={"value": name, "known": known})])
    numbers = {**sets["common_to_all"], **sets["sets"][name]}
    source = Source(
        f"prior.{name}", "actuarial/growth/prior.yaml", quote=numbers.pop("source"), status="derived"
    )
    kinds: dict[str, Any] = {
        key: tuple(kind(**row) for row in numbers.pop(key))
        for key, kind in (
            ("common", CommonKind),
            ("own", OwnKind),
            ("tails", TailKind),
            ("groups", GroupKind),
        )
    }
    numbers["scale_reach"] = tuple(numbers["scale_reach"])
    return Prior(name=name, source=source, **numbers, **kinds)
