"""What a plan may say of its income beyond payers and calendar, and of the accounts that hold its money.

Everything here is optional; what a plan leaves out is not modelled. Names (of payers, accounts, transfers) are keys, so that a
scenario can change one figure by its dotted path.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from actuarial.law.base import Fraction01, Id, Money, Status, Strict, Text
from actuarial.plan.base import InterestRate, Sourced, SourcedMoney

Month = Annotated[int, Field(ge=1, le=12)]
Spread = Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)]
Months = Annotated[float, Field(ge=0, le=24, allow_inf_nan=False)]


class Stated(Strict):
    """Several figures of one source."""

    status: Status
    source: Text
    quote: str = ""


class ArrivalSpec(Stated):
    """How late and how much of a payer's money comes.

    `mean`, `sd`: share of what the calendar promises that comes within the year (beta). `delay`, `delay_sd`: months by which the
    calendar is late (gamma). `outstanding`, `outstanding_sd`: share of what is owed of the base year that comes within the base
    year; the rest comes in `late_month` of the planned year.
    """

    mean: Fraction01 = 1.0
    sd: Spread = 0.0
    delay: Months = 0.0
    delay_sd: Months = 0.0
    outstanding: Fraction01 = 1.0
    outstanding_sd: Spread = 0.0
    late_month: Month = 1

    @model_validator(mode="after")
    def _can_be(self) -> ArrivalSpec:
        for mean, sd in ((self.mean, self.sd), (self.outstanding, self.outstanding_sd)):
            if sd > 0 and not sd**2 < mean * (1 - mean):
                raise ValueError("income.arrival_sd")
        if self.delay_sd > 0 and self.delay == 0:
            raise ValueError("income.delay_sd")
        return self


class SubsidySpec(Stated):
    """A fiscal subsidy in all, split by the rule of a year: the central payer by rule, the local ones what is left.

    `local`: shares of what is left, by payer. `share_of_rise`: the part of a change of the standard that is fiscal; of it the centre
    pays the tier's share. Without it the payers' own shares of a rise hold.
    """

    standard: Money
    year: Annotated[int, Field(ge=1949, le=2200)]
    tier: Annotated[int, Field(ge=1, le=9)]
    central: Text = "subsidy_central"
    local: Annotated[dict[str, Fraction01], Field(min_length=1)]
    share_of_rise: Fraction01 | None = None

    @model_validator(mode="after")
    def _shares_sum(self) -> SubsidySpec:
        if abs(sum(self.local.values()) - 1) > 1e-9 or self.central in self.local:
            raise ValueError("income.subsidy_local")
        return self


class WageSpec(Stated):
    """A contribution by wage: rate × yearly wage × share of the insured who pay it [per insured person]."""

    rate: Fraction01
    wage: Money
    share_of_insured: Fraction01 = 1.0


class AssistanceSpec(Stated):
    """Persons for whom somebody pays the individual contribution, wholly or in part; the key is who pays."""

    persons: Annotated[float, Field(ge=0, le=2e9, allow_inf_nan=False)]
    part: Fraction01 = 1.0
    of: Text = "individual"


class AccountSpec(Strict):
    """A bank account of the fund: its yearly rate, and its share of the cash at the valuation date."""

    interest_rate: InterestRate
    share: Fraction01 = 0.0
    receives: list[Text] = Field(default_factory=list)  # payers whose money lands here
    pays: bool = False  # claims and premiums are paid from here


class MoveSpec(Stated):
    """A standing order at the end of months: a share of one account to another, or what brings the other to an amount.

    `fill_to` is in yuan, `fill_to_months` in months of the base year's mean claims.
    """

    origin: Text
    to: Text
    share: Fraction01 | None = None
    fill_to: Money | None = None
    fill_to_months: Months | None = None
    months: list[Month] = Field(default_factory=list)  # all, where none is named

    @model_validator(mode="after")
    def _one_way(self) -> MoveSpec:
        if sum(v is not None for v in (self.share, self.fill_to, self.fill_to_months)) != 1:
            raise ValueError("income.move")
        return self


class TransferSpec(Stated):
    """Money from or to another level, or other income: yuan in a month of the planned year."""

    kind: Literal["from_above", "from_below", "to_below", "to_above", "other_revenue", "other_expenditure"]
    amount: Money
    month: Month
    account: str = ""


class AdjustmentSpec(Stated):
    """An adjustment fund at a higher level: what is paid in of receipts, and what it gives back in a deficit.

    `covers`: the part of a deficit at the year's end that it pays, at most `at_most_times` what the fund paid in during the year.
    `rule`: the law file that caps the rate.
    """

    rate: Fraction01
    covers: Fraction01 = 0.0
    at_most_times: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    rule: Id | None = None


class ReserveSpec(Stated):
    """A reserve fund apart from the free money, filled by a rule until it is a stated share of the year's financing.

    `basis`: a share of the year's financing, or of its surplus (`month` 12 then). `drawn`: whether it covers a deficit, so that the
    criterion counts it. `rate` and `ceiling` stand in for the rule's.
    """

    rule: Id
    basis: Literal["financing", "surplus"] = "financing"
    balance: SourcedMoney
    month: Month = 12
    drawn: bool = False
    interest_rate: InterestRate
    rate: Fraction01 | None = None
    ceiling: Fraction01 | None = None

    @model_validator(mode="after")
    def _surplus_at_the_end(self) -> ReserveSpec:
        if self.basis == "surplus" and self.month != 12:
            raise ValueError("income.reserve_month")
        return self


class PersonalAccountsSpec(Stated):
    """Personal accounts of an employee scheme, kept apart from the pooled fund.

    `rule`: the law file on crediting. `payers`: whose money counts as the employees' and whose as the employers'. `opening`: at the
    start of the base year. `spent`: from then to the valuation date. `growth`: of spending, a year. The tables of cost hold the
    pooled fund's payments alone.
    """

    rule: Id
    payers: Annotated[dict[str, Literal["employee", "employer", "pooled"]], Field(min_length=1)]
    opening: SourcedMoney
    spent: SourcedMoney
    growth: Sourced
    interest_rate: InterestRate
