r"""Provider budgets from the prior year, scaled to the fund that there is.

With :math:`n` admissions of the prior year, mean cost :math:`c`, effective ratio :math:`r`, growth :math:`g` and
case-mix index change :math:`m`, a provider's claim on the fund is

.. math:: q_i = n_i(1+g^n_i)\,c_i(1+g^c_i)\,m_i\,r_i,\qquad
          B_i=\Bigl\lfloor q_i\min\Bigl(1,\frac{A(1-\rho)-O}{\sum_j q_j}\Bigr)\Bigr\rfloor

with :math:`A` the available fund, :math:`\rho` the reserve and :math:`O` what the fund spends elsewhere: the parts never pass the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, thousands
from actuarial.tables import term_label
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Allotment(Result):
    """Budgets by provider.

    Parameters
    ----------
    frame : DataFrame
        ``provider``, ``claim`` (volume × cost × ratio), ``budget`` [yuan], ``share_of_available``.
    available, reserve, other : float
        The fund, what is kept back, what is spent elsewhere [yuan].
    """

    frame: pd.DataFrame
    available: float
    reserve: float
    other: float

    @property
    def table(self) -> pd.DataFrame:
        """A copy of the frame."""
        return self.frame.copy()

    @property
    def scale(self) -> float:
        """Budget over claim of all providers; 1 where the fund is enough."""
        claimed = float(self.frame["claim"].sum())
        return min(1.0, self.room / claimed) if claimed > 0 else 1.0

    @property
    def room(self) -> float:
        """What providers may be given in all [yuan]."""
        return self.available - self.reserve - self.other

    @property
    def within(self) -> bool:
        """Whether the parts do not exceed the whole."""
        return float(self.frame["budget"].sum()) <= self.room + 1e-6

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Claim and budget by provider."""
        unit, y = Unit.of(lang), np.arange(len(self.frame))
        with figure_style():
            ax = ax or new_axes(8.0, 1.2 + 0.5 * len(self.frame))
            ax.barh(y - 0.2, self.frame["claim"] / unit.scale, height=0.38, color=COLOURS["light"],
                    label=text("budget_words.claim", lang))  # fmt: skip
            ax.barh(y + 0.2, self.frame["budget"] / unit.scale, height=0.38, color=COLOURS["main"],
                    label=text("budget_words.provider_budget", lang))  # fmt: skip
            ax.set_yticks(y, [term_label(str(p), lang) for p in self.frame["provider"]])
            ax.invert_yaxis()
            ax.xaxis.set_major_formatter(thousands)
            ax.set_xlabel(unit.label)
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        return ax


def allot_budgets(
    history: pd.DataFrame, *, available: float, reserve_share: float = 0.0, other: float = 0.0
) -> Allotment:
    """Budgets from the prior year's volume, mean cost and effective ratio, scaled to the fund where it is short.

    Parameters
    ----------
    history : DataFrame
        ``provider``, ``visits`` [person-times], ``mean_cost`` [yuan], ``ratio``; optional ``visits_growth``,
        ``cost_growth`` (fractions, 0 if not given) and ``case_mix`` (1 if not given).
    available : float
        The fund [yuan].
    reserve_share : float
        Kept back for the end of the year, from 0 to below 1.
    other : float
        What the fund spends elsewhere (outpatient, premiums) [yuan].

    Raises
    ------
    InputError
        If a column is missing, a value is negative or not a number, or nothing is left for providers.

    Examples
    --------
    >>> h = pd.DataFrame({"provider": ["township", "county_level"], "visits": [20000, 25000], "mean_cost": [1000.0, 4000.0],
    ...                   "ratio": [0.8, 0.7]})
    >>> allot_budgets(h, available=1e8).frame["budget"].tolist()
    [16000000.0, 70000000.0]
    >>> short = allot_budgets(h, available=8e7, reserve_share=0.05)
    >>> short.within, round(short.scale, 4)
    (True, 0.8837)
    """
    columns = {"visits_growth": 0.0, "cost_growth": 0.0, "case_mix": 1.0}
    missing = [c for c in ("provider", "visits", "mean_cost", "ratio") if c not in history.columns]
    if missing:
        raise InputError([Fault("budget.allot_columns", params={"names": "、".join(missing)})])
    frame = history.reset_index(drop=True).assign(**{c: v for c, v in columns.items() if c not in history})
    numbers = frame[["visits", "mean_cost", "ratio", "case_mix"]].to_numpy(dtype=np.float64)
    growth = 1 + frame[["visits_growth", "cost_growth"]].to_numpy(dtype=np.float64)
    bad = ~(np.isfinite(numbers) & (numbers >= 0)).all(axis=1) | ~(np.isfinite(growth) & (growth >= 0)).all(
        axis=1
    )
    if bad.any():
        names = "、".join(frame.loc[bad, "provider"].astype(str))
        raise InputError([Fault("budget.allot_value", params={"names": names})])
    room = available * (1 - reserve_share) - other
    if not (0 <= reserve_share < 1 and room > 0):
        raise InputError([Fault("budget.nothing_left", params={"room": Unit.of().show(room)})])
    claim = numbers.prod(axis=1) * growth.prod(axis=1)
    scale = room / claim.sum() if claim.sum() > room else 1.0
    budget = np.floor(np.round(claim * scale, 6))  # whole yuan, downwards: the parts cannot pass the whole
    out = pd.DataFrame({"provider": frame["provider"], "claim": claim, "budget": budget})
    out["share_of_available"] = out["budget"] / available
    return Allotment(out, float(available), float(available * reserve_share), float(other))
