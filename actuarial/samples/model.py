r"""What the synthetic claims are drawn from: printed totals, and the parameters of ``claims.yaml``.

Inpatient totals by level follow from the printed ratios. With :math:`b_l` the printed budgets of the
hospitals within the area, their fund payments stand as :math:`b_l`, their costs as :math:`b_l/r_l`, so
their joint ratio is :math:`r_i=\sum b_l/\sum(b_l/r_l)`; the share of cost outside the area is then
:math:`(r_i-\bar r)/(r_i-r_o)`, which makes the mean ratio :math:`\bar r`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from actuarial.errors import Fault, InputError
from actuarial.results import Source
from actuarial.samples import sample_path
from actuarial.tables import Table, read_table

Floats = NDArray[np.float64]
LEVELS = ("township", "county_level", "outside")
SEXES = ("male", "female")


@dataclass(frozen=True)
class Tail:
    """Cost over its mean: lognormal body, generalized Pareto tail, the smallest cases cut off.

    Parameters
    ----------
    mu, sigma : float
        Of the log of the body.
    threshold, beta, xi, tail_share : float
        Where the tail begins, its scale and shape, and the share of cases in it.
    cut_share, mean : float
        Share of the smallest cases left out, and the mean of the rest.

    Examples
    --------
    >>> tail = Tail(mu=-0.57, sigma=0.9, threshold=2.9, beta=2.5, xi=0.27, tail_share=0.05, cut_share=0, mean=1)
    >>> round(float(tail.of_score(ndtri(np.array([0.95])))[0]), 6)
    2.9
    """

    mu: float
    sigma: float
    threshold: float
    beta: float
    xi: float
    tail_share: float
    cut_share: float
    mean: float

    def of_score(self, z: Floats) -> Floats:
        """Cost over the mean at standard normal scores `z`."""
        above = (1 - self.cut_share) * ndtr(-z)
        under = ndtr((math.log(self.threshold) - self.mu) / self.sigma)
        tail = np.minimum(above / self.tail_share, 1)
        body = np.minimum((1 - above) / (1 - self.tail_share), 1)
        value = np.where(
            above < self.tail_share,
            self.threshold + self.beta / self.xi * (tail**-self.xi - 1),
            np.exp(self.mu + self.sigma * ndtri(body * under)),
        )
        return np.asarray(value / self.mean)


@dataclass(frozen=True)
class Cell:
    """Claims of one category at one level of provider.

    Parameters
    ----------
    category, level : str
    visits : float
        Printed (or derived) visits.
    cost, payment : int
        Their cost and fund payment [cents]; the sum over a category's cells is the printed payment.
    ratio, deductible : float
        Payment is ``ratio × (cost in scope − deductible)``, the deductible in cents.
    class_b, class_c : float
        Mean shares of the item classes.
    lag : float
        Mean days to payment.
    providers : int
    """

    category: str
    level: str
    visits: float
    cost: int
    payment: int
    ratio: float
    deductible: int
    class_b: float
    class_c: float
    lag: float
    providers: int


@dataclass(frozen=True, eq=False)
class Category:
    """One printed category: how often, to whom, how costly."""

    name: str
    visits: int
    cells: tuple[Cell, ...]
    rates: Floats
    effect: str
    once: bool
    cv: float | None


@dataclass(frozen=True, eq=False)
class Model:
    """All that a draw needs; see the parameters of ``claims.yaml``."""

    place: str
    insured: int
    months: int
    categories: tuple[Category, ...]
    tail: Tail
    level_correlation: float
    age_probability: Floats
    male_share: float
    poor_share: float
    leaver_share: float
    referral_share: float
    effects: dict[str, float]
    lag_shape: float
    longest_lag: int
    sources: tuple[Source, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of all categories, in order."""
        return tuple(c for category in self.categories for c in category.cells)


def parameters() -> dict[str, Any]:
    """The content of ``claims.yaml``.

    Examples
    --------
    >>> parameters()["places"]["jieshou"]["months"]
    10
    """
    return yaml.safe_load(files(__package__).joinpath("claims.yaml").read_text(encoding="utf-8"))


@cache
def load_model(place: str = "jieshou") -> Model:
    """The model of a place.

    Raises
    ------
    InputError
        If no totals of the place are at hand.

    Examples
    --------
    >>> model = load_model()
    >>> sum(c.payment for c in model.cells if c.category == "inpatient")
    11528210000
    """
    p = parameters()
    if place not in p["places"]:
        known = "、".join(sorted(p["places"]))
        raise InputError([Fault("samples.place", params={"value": place, "known": known})])
    spec = p["places"][place]
    printed = {kind: read_table(sample_path(file), kind) for kind, file in spec["printed"].items()}
    facts = _by(printed["facts"], "id", "value")
    tail = {k: float(v) for k, v in p["severity_tail"].items() if k not in {"status", "source"}}
    shares = {k: float(p[k]["value"]) for k in ("male_share", "poor_share", "leaver_share", "referral_share")}
    return Model(
        place=place,
        insured=round(facts["insured_persons"]),
        months=int(spec["months"]),
        categories=_categories(p, printed, facts),
        tail=Tail(**tail),
        level_correlation=float(p["level_score_correlation"]["value"]),
        age_probability=_ages(p["age_shares"]["value"]),
        effects={k: float(v["value"]) for k, v in p["member_effects"].items()},
        lag_shape=float(p["lag"]["shape"]),
        longest_lag=int(p["lag"]["longest"]),
        sources=_sources(p, spec),
        **shares,
    )


def _by(table: Table, key: str, value: str) -> dict[str, float]:
    return {str(k): float(v) for k, v in zip(table.frame[key], table.frame[value], strict=True)}


def _ages(shares: list[list[float]]) -> Floats:
    """Probability of each age, even within the groups."""
    ages = np.zeros(round(max(below for _, below, _ in shares)))
    for first, below, share in shares:
        ages[round(first) : round(below)] = share / (below - first)
    return ages / ages.sum()


def _rates(p: dict[str, Any], profile: str) -> Floats:
    """Relative frequency by sex and age, shape (2, ages)."""
    ages = np.arange(len(_ages(p["age_shares"]["value"])))
    band = np.searchsorted(np.asarray(p["bands"]), ages, side="right") - 1
    return np.stack([np.asarray(p["profiles"][profile][sex], dtype=np.float64)[band] for sex in SEXES])


def _sources(p: dict[str, Any], spec: dict[str, Any]) -> tuple[Source, ...]:
    """Where every parameter comes from."""
    found = [Source("totals", "claims.yaml", "places", str(spec["source"]), str(spec["status"]))]
    for name, entry in p.items():
        if isinstance(entry, dict):
            parts = {name: entry} if "status" in entry else {f"{name}.{k}": v for k, v in entry.items()}
            found += [
                Source(k, "claims.yaml", k, str(v["source"]), str(v["status"]))
                for k, v in parts.items()
                if isinstance(v, dict) and "status" in v and name != "places"
            ]
    return tuple(found)


def _categories(
    p: dict[str, Any], printed: dict[str, Table], facts: dict[str, float]
) -> tuple[Category, ...]:
    visits = _by(printed["experience"], "category", "visits")
    paid = _by(printed["experience"], "category", "fund_payment")
    made = []
    for name, spec in p["categories"].items():
        payment = round(paid[name] * 100)
        if spec.get("cells"):
            cells = _outpatient_cells(name, spec, p["levels"], visits[name], payment, facts)
        else:
            cells = _inpatient_cells(name, p["levels"], visits[name], payment, printed)
        cv = None if spec["cv"] == "tail" else float(spec["cv"])
        made.append(
            Category(
                name, round(visits[name]), cells, _rates(p, spec["profile"]), str(spec["effect"]),
                bool(spec.get("once", False)), cv,
            )
        )  # fmt: skip
    return tuple(made)


def _inpatient_cells(
    name: str, levels: dict[str, Any], visits: float, payment: int, printed: dict[str, Table]
) -> tuple[Cell, ...]:
    """Cost and payment by level, from the printed ratios and budgets (see the module)."""
    ratio = _by(printed["reimbursement"], "level", "compensation_ratio")
    budget = _by(printed["providers"], "provider", "budget")
    within, outside = LEVELS[:2], LEVELS[2]
    costs = {k: budget[k] / ratio[k] for k in within}
    joint = sum(budget[k] for k in within) / sum(costs.values())
    total = payment / ratio["mean"]
    out = total * (joint - ratio["mean"]) / (joint - ratio[outside])
    pay = {k: round((total - out) * costs[k] / sum(costs.values()) * ratio[k]) for k in within}
    pay[outside] = payment - sum(pay.values())
    return tuple(
        _cell(name, k, levels[k], visits * levels[k]["visit_share"], round(pay[k] / ratio[k]), pay[k], levels)
        for k in LEVELS
    )


def _outpatient_cells(
    name: str,
    spec: dict[str, Any],
    levels: dict[str, Any],
    visits: float,
    payment: int,
    facts: dict[str, float],
) -> tuple[Cell, ...]:
    """Cells without a deductible: cost follows from payment, ratio and the share outside the catalogue."""
    found = spec["cells"]
    count = {k: sum(facts[f] for f in c.get("visits", ())) or 1.0 for k, c in found.items()}
    money = {k: sum(facts[f] for f in c.get("payments", ())) or 1.0 for k, c in found.items()}
    made, left = [], payment
    for n, (level, c) in enumerate(found.items(), 1):
        pay = left if n == len(found) else round(payment * money[level] / sum(money.values()))
        left -= pay
        cost = round(pay / (c["ratio"] * (1 - c["class_c"])))
        share = count[level] / sum(count.values())
        made.append(_cell(name, level, {"lag": spec["lag"], **c}, visits * share, cost, pay, levels))
    return tuple(made)


def _cell(
    name: str,
    level: str,
    spec: dict[str, Any],
    visits: float,
    cost: int,
    payment: int,
    levels: dict[str, Any],
) -> Cell:
    return Cell(
        name, level, visits, cost, payment, float(spec["ratio"]), round(100 * spec.get("deductible", 0)),
        float(spec["class_b"]), float(spec["class_c"]), float(spec["lag"]), int(levels[level]["providers"]),
    )  # fmt: skip
