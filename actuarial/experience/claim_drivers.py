r"""Drivers of change straight from claims and exposure.

Over some months, with insured :math:`E_g` of population group :math:`g` (person-months over months), visits
:math:`N`, cost :math:`T`, in-scope cost :math:`S` and fund payment :math:`P` of the cell group × level × category,

.. math:: \frac{P}{E}=\sum_{g,c}\underbrace{\frac{E_g}{E}}_{\text{group share}}
   \underbrace{\frac{N_g}{E_g}}_{\text{visits per insured}}\underbrace{\frac{N_{gc}}{N_g}}_{\text{share of visits}}
   \underbrace{\frac{T_{gc}}{N_{gc}}}_{\text{cost per visit}}\underbrace{\frac{S_{gc}}{T_{gc}}}_{\text{in-scope share}}
   \underbrace{\frac{P_{gc}}{S_{gc}}}_{\text{effective ratio}},

so that the mix of the population and the mix of visits are told apart. Sums are of whole cents and days, the same on
every engine. :func:`year_on_year` splits the change between two such tables, of one file or of two, by LMDI-I.

Decisions
---------
* A claim's group is that of its member's spell on the day of service. A claim without one has no insured to be
  divided by: it is a fault, with the remedy.
* What the claims do not hold is left out of the product: without in-scope cost the ratio is of the whole cost, without
  any cost only the payment per visit is there.
* A cell without any in-scope cost (a fixed grant) has the ratio of its whole cost, in both periods, and one without
  any cost the payment per visit: nothing is divided by zero and the parts still sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.experience import Experience
from actuarial.experience.claims import FUND, need_payments
from actuarial.experience.drivers import Drivers, decompose
from actuarial.results import Result, Source, suppress_small_cells
from actuarial.tables import ClaimsTable, ExposureTable
from actuarial.tables.engine import count, gather
from actuarial.tables.exposure import joined_with
from actuarial.tables.intake import month_name, month_number

CELL = ["group", "level", "category"]
MONEY = {"total": "total_cost_cents", "in_scope": "in_scope_cost_cents", "fund": FUND}
CHAIN = ["group_share", "visits_per_insured", "share_of_visits"]


@dataclass(frozen=True, eq=False)
class ClaimCells(Result):
    """What a period's claims come to by group, level and category.

    Parameters
    ----------
    frame : DataFrame
        Indexed by ``group``, ``level``, ``category`` (``all`` where the data have none): ``visits``, ``persons``,
        ``total``, ``in_scope``, ``fund`` [yuan] (those that the claims hold), ``insured`` of the group.
    insured : float
        All persons insured.
    months : int
    """

    frame: pd.DataFrame
    insured: float
    months: int

    @property
    def money(self) -> tuple[str, ...]:
        """Which of ``total``, ``in_scope`` and ``fund`` the claims hold."""
        return tuple(m for m in MONEY if m in self.frame.columns)

    @property
    def table(self) -> pd.DataFrame:
        """The cells with their factors; cells of fewer than five persons are blank."""
        frame = self.frame.join(cell_factors(self, _bases(self, self))).reset_index()
        return suppress_small_cells(
            frame, "persons", [c for c in frame.columns if c not in (*CELL, "insured")]
        )


def claim_cells(
    claims: ClaimsTable,
    exposure: ExposureTable | None = None,
    insured: float | None = None,
    *,
    first: str,
    months: int = 12,
    basis: Literal["service", "payment"] = "service",
) -> ClaimCells:
    """Visits, persons and money of some months by group, level and category.

    Parameters
    ----------
    claims : ClaimsTable
    exposure : ExposureTable, optional
        The insured, by group where it has groups.
    insured : float, optional
        Persons insured where there is no exposure; all are then one group.
    first : str
        First month, ``2013-01``.
    months : int
        1 to 12.
    basis : {"service", "payment"}
        Month of a claim.

    Raises
    ------
    InputError
        If nobody is insured, no claim falls in the months, a claim's member is in no group on its day, the months
        are not 1 to 12, or payments are asked for and there are no payment dates.

    Examples
    --------
    >>> from actuarial.tables import read_claims
    >>> frame = pd.DataFrame({"claim_id": ["1", "2"], "member_id": ["a", "b"], "category": ["住院", "住院"],
    ...     "service_date": ["2013-01-31", "2014-01-01"], "total_cost": [1000.0, 1200.0], "fund_payment": [600.0, 780.0]})
    >>> claims = read_claims(frame, unit="yuan")
    >>> old, new = (claim_cells(claims, insured=100, first=f"{y}-01", months=2) for y in (2013, 2014))
    >>> year_on_year(old, new).table[["driver", "change"]].round(3).values.tolist()[3:5]
    [['cost_per_visit', 1.251], ['compensation_ratio', 0.549]]
    """
    start = month_number(first)
    if not 1 <= months <= 12:
        raise InputError([Fault("claims.months", claims.file, params={"value": months})])
    if basis == "payment":
        need_payments(claims)
    month = nw.col(f"{basis}_date_month")
    frame = claims.lazy.filter((month >= start) & (month <= start + months - 1))
    groups, everyone = _insured(claims, exposure, insured, first, months)
    frame = _grouped(claims, frame, exposure)
    have = set(frame.columns)
    absent = {c: nw.lit("all") for c in CELL if c not in have}
    frame = frame.with_columns(**absent) if absent else frame
    money = {m: c for m, c in MONEY.items() if c in have}
    sums = frame.group_by(*CELL).agg(
        *(nw.col(c).sum() for c in money.values()), visits=nw.len(), persons=nw.col("member_id").n_unique()
    )
    whole = [*money.values(), "visits", "persons"]
    cells = gather(sums.with_columns(*(nw.col(c).cast(nw.Int64) for c in whole)))
    span = {"first": first, "last": month_name(start + months - 1)}
    if cells.empty:
        raise InputError([Fault("claims.no_claims", claims.file, params=span)])
    cells = cells.astype(dict.fromkeys(CELL, "object")).set_index(CELL).sort_index()
    out = pd.DataFrame({m: cells[c] / 100 for m, c in money.items()})
    out = cells[["visits", "persons"]].astype("float64").join(out)
    out["insured"] = [groups.get(str(g), 0.0) for g in out.index.get_level_values("group")]
    empty = out.loc[out["insured"] <= 0, "visits"].sum()
    if empty:  # paid in these months for a group that nobody is in any more
        raise InputError([Fault("driver.no_group", claims.file, params={"count": int(empty)})])
    source = Source("experience", claims.file, f"{span['first']}–{span['last']}, {basis}", status="derived")
    return ClaimCells(out, everyone, months, sources=(*claims.sources, source))


def _insured(
    claims: ClaimsTable, exposure: ExposureTable | None, insured: float | None, first: str, months: int
) -> tuple[dict[str, float], float]:
    """Insured persons by group and in all: person-months over months, each correctly rounded."""
    if exposure is None:
        if insured is None or not insured > 0:
            raise InputError([Fault("experience.no_insured", claims.file, params={"value": insured or 0})])
        return {"all": float(insured)}, float(insured)
    periods = pd.period_range(first, periods=months, freq="M")
    by = "group" if "group" in exposure.lazy.collect_schema().names() else None
    exact = {
        g: sum((Fraction(d, p.days_in_month) for d, p in zip(days, periods, strict=True)), Fraction())
        / months
        for g, days in exposure.person_days(periods, by).items()
    }
    everyone = float(sum(exact.values(), Fraction()))
    if not everyone > 0:
        raise InputError([Fault("experience.no_insured", exposure.file, params={"value": 0})])
    return {g if by else "all": float(v) for g, v in exact.items()}, everyone


def _grouped(
    claims: ClaimsTable, frame: nw.LazyFrame[Any], exposure: ExposureTable | None
) -> nw.LazyFrame[Any]:
    """The claims with their member's group on the day of service, where the exposure has groups."""
    if exposure is None or "group" not in exposure.lazy.collect_schema().names():
        return frame
    spells = joined_with(frame, exposure).select("member_id", "first_day", "last_day", "group")
    day = nw.col("service_date_day")
    found = frame.join(spells, on="member_id", how="left")
    found = found.filter((day >= nw.col("first_day")) & (day <= nw.col("last_day")))
    lost = count(frame) - count(found)
    if lost:
        raise InputError([Fault("driver.no_group", claims.file, params={"count": lost})])
    return found


def _bases(before: ClaimCells, after: ClaimCells) -> pd.DataFrame:
    """By cell, whether its in-scope cost and its whole cost can be divided by in both periods."""
    cells = before.frame.index.union(after.frame.index)
    out = pd.DataFrame(index=cells)
    for name in ("total", "in_scope"):
        sides = [c.frame[name].reindex(cells, fill_value=np.inf) for c in (before, after) if name in c.money]
        out[name] = np.logical_and.reduce([s.to_numpy() > 0 for s in sides]) if len(sides) == 2 else False
    return out


def factor_names(before: ClaimCells, after: ClaimCells) -> list[str]:
    """The factors that both periods' claims can be taken apart by."""
    both = set(before.money) & set(after.money)
    if "total" not in both:
        return [*CHAIN, "payment_per_visit"]
    return [
        *CHAIN,
        "cost_per_visit",
        *(["in_scope_share"] if "in_scope" in both else []),
        "compensation_ratio",
    ]


def cell_factors(cells: ClaimCells, bases: pd.DataFrame) -> pd.DataFrame:
    """The factors of each cell; their product is its fund payment per insured."""
    f, ok = cells.frame, bases.reindex(cells.frame.index)
    whole, scope = ok["total"].to_numpy(), (ok["total"] & ok["in_scope"]).to_numpy()
    group = f["visits"].groupby(level="group").transform("sum")
    paid, visits = f["fund"].to_numpy(), f["visits"].to_numpy()
    cost = np.where(whole, f["total"], paid) if "total" in f else paid
    within = np.where(scope, f["in_scope"], cost) if "in_scope" in f else cost
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(within > 0, paid / within, 0.0)
        share = np.where(cost > 0, within / cost, 1.0)
    return pd.DataFrame(
        {
            "group_share": f["insured"] / cells.insured,
            "visits_per_insured": group / f["insured"],
            "share_of_visits": visits / group,
            "cost_per_visit": cost / visits,
            "payment_per_visit": paid / visits,
            "in_scope_share": share,
            "compensation_ratio": ratio,
        },
        index=f.index,
    )


def year_on_year(before: Experience | ClaimCells, after: Experience | ClaimCells) -> Drivers:
    """Change of per-capita cost between two periods of as many months.

    Parameters
    ----------
    before, after : Experience or ClaimCells
        Two studies split into visits per insured × payment per visit; two tables of cells from claims into the factors of
        :mod:`actuarial.experience.claim_drivers`.

    Raises
    ------
    InputError
        If the months differ, a factor is negative, or one is a study and the other a table of cells.

    Examples
    --------
    >>> import actuarial as act
    >>> table = act.read_table(act.sample_path("jieshou/experience.csv"), "experience")
    >>> one, two = act.read_experience(table, 647_000, 10), act.read_experience(table, 600_000, 10)
    >>> year_on_year(one, two).table["change"].round(2).tolist()
    [19.91, 0.0, 0.0, 0.0]
    """
    if before.months != after.months:
        raise InputError([Fault("driver.months", params={"before": before.months, "after": after.months})])
    if isinstance(before, Experience) and isinstance(after, Experience):
        names = ["visits_per_insured", "payment_per_visit"]
        frames = [e.frame.set_index("category")[names].dropna() for e in (before, after)]
        return decompose(frames[0], frames[1], names)
    if isinstance(before, Experience) or isinstance(after, Experience):
        raise InputError([Fault("driver.two_kinds")])
    bases, names = _bases(before, after), factor_names(before, after)
    sides = [cell_factors(c, bases)[names] for c in (before, after)]
    parts = decompose(sides[0], sides[1], names)
    persons = [c.frame["persons"].reindex(parts.frame.index) for c in (before, after)]
    fewest = pd.concat(persons, axis=1).min(axis=1)
    return Drivers(
        parts.before,
        parts.after,
        parts.frame,
        parts.factors,
        fewest,
        sources=(*before.sources, *after.sources),
    )
