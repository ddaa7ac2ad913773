r"""Who pays the fiscal subsidy: the central share by the rule of the year.

.. math:: \text{central} = C_{F} + s\,(T-F)

with :math:`T` the standard, :math:`F` the first part with its fixed central amount :math:`C_F`, and :math:`s` the share of the tier. The
rules are dated law files of the kind ``subsidy``; the latest that is in force on 1 January of the year counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.law import Law, list_laws, load_law
from actuarial.results import Result


@dataclass(frozen=True, eq=False)
class SubsidySplit(Result):
    """Central and local part of a subsidy per head.

    Parameters
    ----------
    year, tier : int
    standard, central : float
        [yuan/person/year]
    rule : str
        Id of the law file.
    """

    year: int
    tier: int
    standard: float
    central: float
    rule: str

    @property
    def local(self) -> float:
        """What province, city and county pay together [yuan/person/year]."""
        return self.standard - self.central

    @property
    def table(self) -> pd.DataFrame:
        """Payer, amount per head, share of the standard."""
        amounts = [self.central, self.local]
        shares = [a / self.standard if self.standard > 0 else math.nan for a in amounts]
        return pd.DataFrame({"payer": ["central", "local"], "per_capita": amounts, "share": shares})


def subsidy_split(year: int, standard: float, tier: int) -> SubsidySplit:
    """Central and local part of the fiscal subsidy of a year.

    Parameters
    ----------
    year : int
        Year whose standard it is.
    standard : float
        Fiscal subsidy in all [yuan/person/year].
    tier : int
        1 the west, 2 the centre; from 2019 also 3 to 5.

    Raises
    ------
    InputError
        If no rule covers the year, the rule has no such tier, or the standard is not finite or lies below the part that is fixed.

    Examples
    --------
    >>> subsidy_split(2017, 450, 1).central, subsidy_split(2021, 580, 2).central
    (324.0, 348.0)
    """
    law = _rule(year, tier)
    rule = law.payload
    if not (math.isfinite(standard) and standard >= rule.first):
        params = {"value": standard, "least": f"{rule.first:g}"}
        raise InputError([Fault("subsidy.standard", file=law.file, params=params)])
    central = rule.central_of_first + rule.central_share[tier] * (standard - rule.first)
    return SubsidySplit(year, tier, float(standard), central, law.id, sources=(law.source(),))


def marginal_central_share(year: int, tier: int) -> float:
    """Central share of each further yuan of the subsidy, by the rule of a year.

    Raises
    ------
    InputError
        If no rule covers the year, or the rule has no such tier.

    Examples
    --------
    >>> marginal_central_share(2017, 2)
    0.6
    """
    return float(_rule(year, tier).payload.central_share[tier])


def _rule(year: int, tier: int) -> Law:
    """The rule of a year; it has the tier."""
    rules = [i for i in list_laws("subsidy") if i.partition("@")[2] <= f"{year:04d}-01-01"]
    if not rules:
        known = "、".join(list_laws("subsidy"))
        raise InputError([Fault("subsidy.year", params={"year": year, "known": known})])
    law = load_law(max(rules, key=lambda i: i.partition("@")[2]), "subsidy")
    if tier not in law.payload.central_share:
        known = "、".join(map(str, law.payload.central_share))
        raise InputError([Fault("subsidy.tier", file=law.file, params={"tier": tier, "known": known})])
    return law
