"""What a plan may say of shock years, policies dated within the year, payment of claims and the years beyond the next.

All of it is optional: a plan that states none of it is simulated as if none of it existed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from actuarial.law.base import Bilingual, Date, Fraction01, Money, Status, Strict, Text
from actuarial.law.schema import Reading
from actuarial.plan.base import SourcedMoney

Month = Annotated[int, Field(ge=1, le=12)]
Growth = Annotated[float, Field(gt=-0.5, le=1, allow_inf_nan=False)]
MOST_LAGS = 25
"""Months over which claims may be paid: in their own month and up to two years after it."""


class ShockSpec(Strict):
    """An epidemic or another event that raises visits in some months of some years.

    `rate` is the probability of a year with it (`bernoulli`) or the mean number of events a year (`poisson`); `factor` and
    `factor_sd` are mean and standard deviation of visits in the months hit over what they would have been, lognormal.
    `months` count from the fund's first month; none: all twelve. No `categories`: all of them.
    """

    name: Bilingual
    law: Literal["bernoulli", "poisson"] = "bernoulli"
    rate: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
    factor: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
    factor_sd: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 0.0
    categories: list[str] = Field(default_factory=list)
    months: list[Month] = Field(default_factory=list)
    status: Status
    source: Text
    quote: str = ""

    @model_validator(mode="after")
    def _a_probability(self) -> ShockSpec:
        if self.law == "bernoulli" and self.rate > 1:
            raise ValueError("plan.shock_rate")
        return self


class PolicyStart(Strict):
    """A policy that starts within the planned year: cost of a visit from that day on over that before."""

    on: Date
    coefficient: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
    sd: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    categories: list[str] = Field(default_factory=list)
    status: Status
    source: Text
    quote: str = ""


class ProviderSpec(Strict):
    """How providers with budgets are paid: by a contract file that says who keeps savings and bears overspending.

    `budget: table` takes the budgets of the table ``providers``, `expected` splits the expected cost by them; both times
    `factor`. `share` is the share of the fund's claims under budgets, `deviation` the standard deviation of a provider's
    claims around its part of them.
    """

    rule: Text
    readings: dict[str, Reading] = Field(default_factory=dict)
    budget: Literal["table", "expected"] = "table"
    factor: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.0
    share: Fraction01 = 1.0
    deviation: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    status: Status
    source: Text
    quote: str = ""


class PaymentLagSpec(Strict):
    """When claims are paid: shares by months after the month of service, or ``completion`` for the plan's own run-off.

    `opening` is what is unpaid of the base year and before when the planned year begins.
    """

    pattern: Literal["completion"] | Annotated[list[Fraction01], Field(min_length=1, max_length=MOST_LAGS)]
    opening: SourcedMoney | None = None
    status: Status
    source: Text
    quote: str = ""

    @model_validator(mode="after")
    def _sums_to_one(self) -> PaymentLagSpec:
        if self.pattern != "completion" and abs(sum(self.pattern) - 1) > 1e-6:
            raise ValueError("plan.lag_pattern")
        return self


class LongRun(Strict):
    """Growth that fades to that of income plus an excess: see :func:`actuarial.growth.drivers.long_run`."""

    income_growth: Growth
    excess: Growth = 0.0
    from_year: Annotated[int, Field(ge=0, le=30)] = 3
    half_life: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)] = 3.0


class ProjectionSpec(Strict):
    """The years beyond the next.

    `autocorrelation` is that of the yearly deviations of log growth. `premiums` is an amount per head for each year, the last
    one standing for the years after, or the word `present`, `criterion` (set anew each autumn) or `announced` (fixed today).
    """

    years: Annotated[int, Field(ge=1, le=30)] = 10
    autocorrelation: Annotated[float, Field(ge=-0.95, le=0.95, allow_inf_nan=False)] = 0.0
    long_run: LongRun | None = None
    insured_growth: Growth = 0.0
    premiums: (
        Literal["present", "criterion", "announced"]
        | Annotated[list[Money], Field(min_length=1, max_length=30)]
    ) = "present"
    premium_growth: Growth = 0.0
    status: Status
    source: Text
    quote: str = ""
