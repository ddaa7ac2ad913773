"""Numbers of a plan, each with its source and status."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from actuarial.law.base import Finite, Money, Status, Strict, Text


class Sourced(Strict):
    """A number with its source and status."""

    value: Finite
    status: Status = "stated"
    source: Text
    quote: str = ""


class SourcedMoney(Sourced):
    """An amount, not negative [yuan]."""

    value: Money


class InterestRate(Sourced):
    """A yearly rate, as a fraction."""

    value: Annotated[float, Field(ge=-0.1, le=0.5, allow_inf_nan=False)]
