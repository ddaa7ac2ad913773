"""Sources of randomness that can be switched off, one by one, while every other stream stays as it is.

The names are those of :func:`actuarial.fund.shares.variance_shares`. A systemic source that is off has its normals set to 0, so its
factor stands at its median; the randomness of claims that is off leaves their expectation given the path.
"""

from __future__ import annotations

from collections.abc import Iterable

from actuarial.cost import FACTORS
from actuarial.errors import Fault, InputError

SOURCES = ("base", "completion", "policy", "growth", "enrolment", "process", "shocks", "providers", "arrears")
"""Names that ``without`` knows. Growth has its common column and one a category. Without shocks there are none; without
providers the fund pays the claims themselves."""
SHOCK, START, PROVIDER = 30, 31, 32
"""First part of the spawn key of what a plan adds: see :mod:`actuarial.fund.risk`."""


def checked(without: Iterable[str]) -> frozenset[str]:
    """The names as a set.

    Raises
    ------
    InputError
        If one is unknown.

    Examples
    --------
    >>> sorted(checked(("process", "base")))
    ['base', 'process']
    """
    names = (without,) if isinstance(without, str) else tuple(without)
    unknown = [n for n in names if n not in SOURCES]
    if unknown:
        params = {"value": "、".join(map(str, unknown)), "known": "、".join(SOURCES)}
        raise InputError([Fault("switches.unknown", params=params)])
    return frozenset(names)


def still(without: frozenset[str], dimension: int, columns: tuple[tuple[int, int], ...] = ()) -> list[int]:
    """Columns of the matrix of systemic normals that stand still.

    Parameters
    ----------
    without : frozenset of str
    dimension : int
        Columns of the cost forecast; enrolment has the next one.
    columns : tuple of (component, column)
        All columns; those of dated policies stand still with the policy factor.

    Examples
    --------
    >>> still(frozenset({"growth", "enrolment"}), 6)
    [2, 4, 5, 6]
    """
    found = [FACTORS.index(name) for name in FACTORS if name in without]
    if "growth" in without:
        found += range(len(FACTORS), dimension)
    if "enrolment" in without:
        found.append(dimension)
    if "policy" in without:
        found += [place for place, (component, _) in enumerate(columns) if component == START]
    return sorted(found)
