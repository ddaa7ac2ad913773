r"""What comes off the insurer's contractual share: staff, expenses, capital, cash advanced.

.. math:: \text{after} = \text{contractual share incl. deductions and fees}
          - (\text{people} × \text{cost a person} + \text{expenses} + \text{rate} × \text{target})
          - r_c\,K - r_m\,A

with the capital :math:`K` (stated, or the loss in the worst 1% of years), its cost :math:`r_c` a year, the money :math:`A`
that the insurer has advanced on the average of the year, and what a year of it costs, :math:`r_m`. All are the user's to state:
the sources give a number of people (14 in the plan of 2012) and no cost.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from actuarial.contract.measures import measure
from actuarial.errors import Fault, InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Costs:
    """The insurer's own costs of one contract year.

    Parameters
    ----------
    people, cost_per_person : float
        Staff, and the yearly cost of one [yuan].
    expenses : float
        Other expenses [yuan/year].
    share_of_target : float
        Expenses that grow with the target (fraction).
    capital : float, optional
        Capital held against the contract [yuan]; without it, the mean loss of the worst 1% of years.
    capital_rate : float
        Cost of a yuan of capital for a year (fraction).
    cash_rate : float
        Cost of a yuan advanced for a year (fraction).
    source : str
        Who says so.

    Raises
    ------
    InputError
        If an amount is below 0, not a number, a rate is above 1, or one of staff and its cost is missing.

    Examples
    --------
    >>> Costs(people=14, cost_per_person=100_000).fixed(185_600_000)
    1400000.0
    """

    people: float = 0.0
    cost_per_person: float = 0.0
    expenses: float = 0.0
    share_of_target: float = 0.0
    capital: float | None = None
    capital_rate: float = 0.0
    cash_rate: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        rates = {"share_of_target", "capital_rate", "cash_rate"}
        faults = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "source" or value is None:
                continue
            if not 0 <= value <= (1 if field.name in rates else 1e15):
                faults.append(Fault("bargain.cost", params={"name": field.name, "value": value}))
        if bool(self.people) != bool(self.cost_per_person) and not faults:
            faults.append(Fault("bargain.staff"))
        if faults:
            raise InputError(faults)

    @property
    def stated(self) -> bool:
        """Whether there is any cost at all."""
        return any(getattr(self, f.name) for f in fields(self) if f.name not in {"source", "capital"})

    def fixed(self, target: float) -> float:
        """Staff and expenses [yuan/year]."""
        return float(self.people * self.cost_per_person + self.expenses + self.share_of_target * target)

    def capital_held(self, result: Array) -> float:
        """Capital against these results [yuan]."""
        if self.capital is not None:
            return float(self.capital)
        return max(-measure(result).tail_99.value, 0.0) if self.capital_rate else 0.0

    def charge(self, result: Array, *, target: float, advanced: Array | float = 0.0) -> Array:
        """What comes off each path's contractual result [yuan].

        Parameters
        ----------
        result : ndarray, shape (n,)
            The contractual share, after deductions.
        target : float
        advanced : ndarray, shape (n,), or float
            Money advanced on the average of the year [yuan].
        """
        whole = self.fixed(target) + self.capital_rate * self.capital_held(result)
        return np.broadcast_to(whole + self.cash_rate * np.asarray(advanced), result.shape)
