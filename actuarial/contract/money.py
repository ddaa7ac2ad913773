"""Two kinds of arithmetic for the same steps: float64 yuan for paths, int64 cents for settlements."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actuarial.contract.readings import decimal
from actuarial.contract.tables import Table
from actuarial.layers import Piecewise, to_cents


class Money(Protocol):
    """Amounts, shares and bands in one unit."""

    def amount(self, yuan: float) -> Any:
        """A constant of the terms."""
        ...

    def given(self, value: Any) -> NDArray[Any]:
        """What the caller gave, in this unit."""
        ...

    def share(self, amount: NDArray[Any], ratio: Any) -> NDArray[Any]:
        """A share of an amount."""
        ...

    def times(self, yuan: float, count: Any) -> Any:
        """A constant of the terms × a number of events."""
        ...

    def bands(self, table: Table, size: NDArray[Any], read: Callable[[Any], Any]) -> dict[str, NDArray[Any]]:
        """What each party takes of a table's bands."""
        ...


class Yuan:
    """float64 yuan."""

    def amount(self, yuan: float) -> float:
        """A constant of the terms."""
        return yuan

    def given(self, value: Any) -> NDArray[np.float64]:
        """What the caller gave."""
        return np.asarray(value, dtype=np.float64)

    def share(self, amount: NDArray[np.float64], ratio: Any) -> NDArray[np.float64]:
        """A share of an amount."""
        return amount * ratio

    def times(self, yuan: float, count: Any) -> Any:
        """A constant × a number of events."""
        return yuan * np.asarray(count, dtype=np.float64)

    def bands(self, table: Table, size: NDArray[np.float64], read: Callable[[Any], Any]) -> dict[str, Any]:
        """What each party takes: layers × shares."""
        layers = table.layers(size)
        found: dict[str, Any] = {}
        for party in table.parties:
            total = np.zeros_like(size)
            for amount, band in zip(layers, table.shares, strict=True):
                if party in band:
                    total = total + read(band[party]) * amount
            found[party] = total
        return found


class Cents:
    """int64 cents; shares and bands are rounded half away from zero, exactly."""

    def amount(self, yuan: float) -> int:
        """A constant of the terms in cents."""
        return int(to_cents(yuan))

    def given(self, value: Any) -> NDArray[np.int64]:
        """What the caller gave, already cents."""
        return np.asarray(value, dtype=np.int64)

    def share(self, amount: NDArray[np.int64], ratio: Any) -> NDArray[np.int64]:
        """A share of an amount."""
        return Piecewise([], [float(ratio)]).cents(amount)

    def times(self, yuan: float, count: Any) -> int:
        """A constant × a number of events."""
        return int(Fraction(self.amount(yuan)) * int(count))

    def bands(self, table: Table, size: NDArray[np.int64], read: Callable[[Any], Any]) -> dict[str, Any]:
        """What each party takes: its marginal bands, exact."""
        found = {}
        for party in table.parties:
            slopes = table.slopes(party, lambda term: float(read(term)))
            f = Piecewise(table.edges, slopes) if table.edges else Piecewise([], slopes)
            found[party] = f.cents(size)
        return found


def share_cents(amount: int, ratio: float) -> int:
    """A share of an amount in whole cents, half away from zero.

    Examples
    --------
    >>> share_cents(5, 0.5), share_cents(-5, 0.5)
    (3, -3)
    """
    exact = decimal(ratio) * amount
    whole = int(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole
