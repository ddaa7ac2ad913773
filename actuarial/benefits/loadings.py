r"""Loadings of a layer's premium and printed financing: data with source and status.

.. math:: P = \frac{p\,(1+\sum a_i) + \sum k_j\,\text{sd}_j}{1-\sum e_i}

with shares :math:`e_i` of the premium itself, shares :math:`a_i` of the pure premium :math:`p` and multiples :math:`k_j` of
the standard deviation of next year's loss or of the estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from actuarial.errors import Fault, InputError
from actuarial.results import Source

Base = Literal["premium", "pure", "process_sd", "estimate_sd"]
BASES: tuple[Base, ...] = ("premium", "pure", "process_sd", "estimate_sd")


@dataclass(frozen=True)
class Loading:
    """One loading.

    Parameters
    ----------
    name : str or dict
        What it is for.
    base : {"premium", "pure", "process_sd", "estimate_sd"}
        What its share is taken of.
    share : float
        Fraction, or multiple of a standard deviation.
    source : Source
        Where it stands, and its status.
    """

    name: str | dict[str, str]
    base: Base
    share: float
    source: Source


@dataclass(frozen=True)
class Financing:
    """What a text prints for a layer: yuan a person, or a share of the financing standard."""

    key: str
    name: dict[str, str]
    yuan: float | None
    share: float | None
    source: Source

    def amount(self, standard: float | None) -> float | None:
        """[yuan/person/year]; None for a share where no standard is given."""
        if self.yuan is not None:
            return self.yuan
        return None if standard is None or self.share is None else self.share * standard


@cache
def printed_loadings() -> dict[str, tuple[Loading, ...]]:
    """Loadings that texts print, by place.

    Examples
    --------
    >>> [(x.base, x.share) for x in printed_loadings()["hainan"]]
    [('premium', 0.05)]
    """
    return {
        place: tuple(Loading(x["name"], x["base"], float(x["share"]), _source("loading", x)) for x in entries)
        for place, entries in _terms()["loadings"].items()
    }


@cache
def printed_financing() -> dict[str, Financing]:
    """Premiums and shares of financing that texts print, by place.

    Examples
    --------
    >>> printed_financing()["qinzhou"].amount(None), printed_financing()["henan"].amount(340.0)
    (33.0, 20.4)
    """
    return {
        key: Financing(key, x["name"], x.get("yuan"), x.get("share"), _source("layer_premium", x))
        for key, x in _terms()["financing"].items()
    }


def _terms() -> dict[str, Any]:
    return yaml.safe_load(files(__package__).joinpath("layer_terms.yaml").read_text(encoding="utf-8"))


def _source(what: str, entry: dict[str, Any]) -> Source:
    s = entry["source"]
    return Source(what, s["document"], s["clause"], s["quote"], entry["status"])


def take_loadings(loadings: str | Iterable[Loading]) -> tuple[Loading, ...]:
    """Loadings as given, or those printed for a place.

    Raises
    ------
    InputError
        For a place without printed loadings, an unknown base, a negative share, or shares of the premium that sum to 1.
    """
    if isinstance(loadings, str):
        if loadings not in printed_loadings():
            params = {"name": loadings, "known": ", ".join(printed_loadings())}
            raise InputError([Fault("pricing.no_loadings", params=params)])
        return printed_loadings()[loadings]
    taken = tuple(loadings)
    bad = [x for x in taken if x.base not in BASES or not 0 <= x.share < float("inf")]
    if bad or sum(x.share for x in taken if x.base == "premium") >= 1:
        shown = ", ".join(f"{x.base} {x.share}" for x in (bad or taken))
        raise InputError([Fault("pricing.loading", params={"loadings": shown, "bases": ", ".join(BASES)})])
    return taken


def loaded(pure: float, process_sd: float, estimate_sd: float, loadings: Iterable[Loading]) -> float:
    """The loaded premium [yuan/person/year].

    Examples
    --------
    >>> round(loaded(19.0, 0.0, 0.0, printed_loadings()["hainan"]), 6)
    20.0
    """
    bases = {"pure": pure, "process_sd": process_sd, "estimate_sd": estimate_sd}
    taken = list(loadings)
    extra = sum(x.share * bases[x.base] for x in taken if x.base != "premium" and x.share)
    return (pure + extra) / (1 - sum(x.share for x in taken if x.base == "premium"))
