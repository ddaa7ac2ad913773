"""The schema of ``plan.yaml``: what a plan may say, and what each number needs beside it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from actuarial.law.base import Bilingual, Date, Finite, Fraction01, Id, Money, Status, Strict, Text
from actuarial.law.schema import Reading
from actuarial.plan.base import InterestRate, Sourced, SourcedMoney
from actuarial.plan.income import (
    AccountSpec,
    AdjustmentSpec,
    ArrivalSpec,
    AssistanceSpec,
    MoveSpec,
    PersonalAccountsSpec,
    ReserveSpec,
    SubsidySpec,
    TransferSpec,
    WageSpec,
)
from actuarial.plan.risks import PaymentLagSpec, PolicyStart, ProjectionSpec, ProviderSpec, ShockSpec

Criterion = Literal["any_month", "closing", "current_year"]
Key = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


class Insured(Strict):
    """Persons insured: counted, and expected next year."""

    count: Annotated[float, Field(gt=0, le=2e9, allow_inf_nan=False)]
    on: Date | None = None
    status: Status = "stated"
    source: Text
    quote: str = ""
    next_year: Annotated[float, Field(gt=0, le=2e9, allow_inf_nan=False)]
    next_year_status: Status
    next_year_source: str = ""
    next_year_sd: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.0


class TableSpec(Strict):
    """Where a table lies."""

    path: str
    sheet: str | list[str] | None = None
    unit: str | None = None
    basis: Literal["paid", "incurred"] | None = None


class Opening(Strict):
    """Money and debts at the start of the base year."""

    free: Sourced
    prepaid: SourcedMoney | None = None
    restricted: SourcedMoney | None = None
    unpaid_claims: SourcedMoney | None = None


class BaseYearIncome(Strict):
    """Income of the base year, where the table of payers does not give it."""

    due: SourcedMoney
    received: SourcedMoney


class Financing(Strict):
    """How money comes in."""

    base_year: BaseYearIncome | None = None
    remainder_month: Annotated[int, Field(ge=1, le=12)] = 12
    remainder_status: Status = "assumed"
    remainder_source: Text
    interest_rate: InterestRate
    amounts: dict[str, Money] = Field(
        default_factory=dict
    )  # by payer, in place of the table's [yuan/person/year]
    wages: dict[str, WageSpec] = Field(default_factory=dict)  # by payer, in place of an amount
    subsidy: SubsidySpec | None = None
    assistance: dict[str, AssistanceSpec] = Field(default_factory=dict)  # by who pays
    arrivals: dict[str, ArrivalSpec] = Field(default_factory=dict)  # by payer


class SimplePolicy(Strict):
    """A factor taken from a printed calculation."""

    method: Literal["simple"]
    law: Id
    sd: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0


class StatedPolicy(Strict):
    """A factor that the plan states."""

    method: Literal["stated"]
    coefficient: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
    sd: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    status: Status
    source: Text
    quote: str = ""


class RepricedPolicy(Strict):
    """A factor from the plan's claims, repriced under dated rules.

    `old` and `new` are law ids or YAML files beside the plan; several old ones are dated (a change within the year).
    """

    method: Literal["repriced"]
    old: Text | list[Text]
    new: Text
    readings: dict[str, Reading] = Field(default_factory=dict)
    recode: dict[str, dict[str, str]] = Field(default_factory=dict)
    leverage: bool = True
    elasticity: Sourced | None = None
    sd: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    status: Status = "derived"
    source: Text


class AggregatesPolicy(Strict):
    """A factor from totals by level and band of cost (the table ``bands``), under dated rules."""

    method: Literal["aggregates"]
    old: Text
    new: Text
    per: Literal["claim", "member_year"] = "claim"
    readings: dict[str, Reading] = Field(default_factory=dict)
    recode: dict[str, dict[str, str]] = Field(default_factory=dict)
    sd: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    status: Status = "derived"
    source: Text


class Uncertainty(Strict):
    """Uncertainty of an expert's value, in points (0.05 is five percentage points)."""

    kind: Literal["sd", "half_width_95"]
    value: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    status: Status = "assumed"
    source: str = ""


class ExpertGrowthSpec(Strict):
    """Growth by an expert's value."""

    method: Literal["expert"]
    value: Annotated[float, Field(gt=-1, le=5, allow_inf_nan=False)]
    uncertainty: Uncertainty
    correlation: Fraction01 = 1.0
    status: Status
    source: Text
    quote: str = ""


class Neighbour(Strict):
    """A fund that lends its experience: its table, and the groups it lies in, coarsest first."""

    table: str
    place: list[Text] = Field(default_factory=list, max_length=5)


class SeriesGrowthSpec(Strict):
    """Growth from the fund's own on-level yearly table, its neighbours' beside it.

    With `place` (province, city) the fund and its neighbours pool at each level: funds of one city share more.
    """

    method: Literal["series"]
    table: str
    on_level: Literal[True]
    model: Literal["pooled", "stacked", "drift", "ets", "sarimax", "structural"] = "pooled"
    place: list[Text] = Field(default_factory=list, max_length=5)
    pool: list[str | Neighbour] = Field(default_factory=list)
    policy_factors: dict[int, Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    breaks: Literal["step", "cut", "keep"] = "step"
    correlation: Fraction01 = 1.0
    status: Status
    source: Text

    @property
    def neighbours(self) -> list[Neighbour]:
        """The pool; a bare name lies in no group."""
        return [Neighbour(table=n) if isinstance(n, str) else n for n in self.pool]

    @model_validator(mode="after")
    def _places_fit_together(self) -> SeriesGrowthSpec:
        names = [self.table, *(n.table for n in self.neighbours)]
        if len(set(names)) < len(names):
            raise ValueError("plan.pool_twice")
        if any(len(n.place) != len(self.place) for n in self.neighbours) or (self.place and not self.pool):
            raise ValueError("plan.pool_places")
        return self


class Annualise(Strict):
    """How a part of a year becomes the year.

    With `reference`, `table` is the place's own history: one or two years of it are shrunk to the reference
    table's pattern, and `place_sd` says how much places differ from that. `by_days` counts the pattern by days, so that a
    leap year's February has its 29th. `policy_factors` are those of policies that
    start within the base year: twelve, by month, relative to the rules at its start.
    """

    profile: Literal["seasonal", "straight_line"]
    by_days: bool = False
    table: str | None = None
    reference: str | None = None
    policy_factors: (
        Annotated[
            list[Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]],
            Field(min_length=12, max_length=12),
        ]
        | None
    ) = None
    place_sd: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.0
    status: Status = "assumed"
    source: Text

    @model_validator(mode="after")
    def _seasonal_needs_a_table(self) -> Annualise:
        if self.profile == "seasonal" and self.table is None:
            raise ValueError("plan.seasonal_table")
        return self


class Band(Strict):
    """One band of the contract in place of the law's: upper edge as an amount or a share of the target; none: open."""

    up_to: Money | None = None
    up_to_share_of_target: Fraction01 | None = None
    insurer_share: Fraction01


class ContractSpec(Strict):
    """An insurer's contract, and its target."""

    law: str
    target: Literal["expected_cost", "stated"]
    per_capita_target: Money | None = None
    bands: list[Band] = Field(default_factory=list)  # in place of the law's
    status: Status
    source: Text

    @model_validator(mode="after")
    def _stated_needs_a_value(self) -> ContractSpec:
        if (self.target == "stated") != (self.per_capita_target is not None):
            raise ValueError("plan.contract_target")
        return self


class CriticalIllness(Strict):
    """Critical-illness cover: bought per head, or borne by the fund, or none."""

    mode: Literal["purchased", "none"]
    premium_per_capita: SourcedMoney | None = None
    month: Annotated[int, Field(ge=1, le=12)] = 1
    base_year_premium_per_capita: SourcedMoney | None = None
    terms: Id | None = None

    @model_validator(mode="after")
    def _purchased_has_a_price(self) -> CriticalIllness:
        if (self.mode == "purchased") != (self.premium_per_capita is not None):
            raise ValueError("plan.cii_price")
        return self


_LAW_PARAMETERS = {"lognormal": 2, "gamma": 1, "spliced_pareto": 6, "lognormal_mixture": 5, "fitted": 0}


class SeveritySpec(Strict):
    """Law of the cost of one claim [yuan]; its mean is that of the experience, its shape is kept.

    `parameters`: lognormal `mu, sigma`; gamma `cv`; spliced_pareto `mu, sigma, threshold, tail_share, beta, xi`;
    lognormal_mixture `mu, sigma, mu of the dear, sigma of the dear, share of the dear`; fitted: none, the law is fitted to the plan's
    claims.
    """

    law: Literal["lognormal", "gamma", "spliced_pareto", "lognormal_mixture", "fitted"]
    parameters: list[Finite] = Field(default_factory=list)
    status: Status
    source: Text

    @model_validator(mode="after")
    def _whole(self) -> SeveritySpec:
        p = self.parameters
        wrong = len(p) != _LAW_PARAMETERS[self.law]
        if not wrong and self.law == "spliced_pareto":
            wrong = not (p[1] > 0 and p[2] > 0 and 0 < p[3] < 1 and p[4] > 0 and p[5] < 1)
        elif not wrong and self.law == "lognormal_mixture":
            wrong = not (p[1] > 0 and p[3] > 0 and 0 < p[4] < 1)
        if wrong or (not wrong and self.law in ("lognormal", "gamma") and p[-1] <= 0):
            raise ValueError("plan.severity_law")
        return self


class Process(Strict):
    """Randomness of claims: cost of one claim, and counts."""

    severity_cv: dict[str, Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)]]
    severity: dict[str, SeveritySpec] = Field(default_factory=dict)
    dispersion: Annotated[float, Field(ge=1, le=1000, allow_inf_nan=False)] = 1.0
    status: Status
    source: Text

    @model_validator(mode="after")
    def _has_a_default(self) -> Process:
        if "default" not in self.severity_cv:
            raise ValueError("plan.default_cv")
        return self


class CriterionSpec(Strict):
    """When the fund counts as in deficit, and how often it may."""

    use: Criterion = "any_month"
    accepted_probability: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    source: Text
    quote: str = ""


class Patch(Strict):
    """One change of a plan: dotted path, new value, source."""

    path: str
    value: Any
    source: Text
    status: Status = "assumed"


class Scenario(Strict):
    """A named set of changes, run on the same random numbers."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    name: Bilingual
    changes: Annotated[list[Patch], Field(min_length=1)]
    in_assumption_range: bool = True


class ScenarioFile(Strict):
    """A file that names a plan and changes it: what the what-if page saves."""

    schema_version: Literal[1]
    kind: Literal["scenario"]
    name: Bilingual
    plan: Text
    changes: list[Patch]


class Identity(Strict):
    """An identity of printed figures to check."""

    expression: str
    printed: str
    label: Bilingual


class PlanModel(Strict):
    """The schema of ``plan.yaml``, version 1."""

    schema_version: Literal[1]
    kind: Literal["fund"]
    name: Bilingual
    fiscal_year_start: Date
    fiscal_year_status: Status = "stated"
    fiscal_year_source: str = ""
    valuation_date: Date
    insured: Insured
    tables: dict[str, TableSpec]
    opening: Opening
    financing: Financing
    annualise: Annualise
    policy: Annotated[
        StatedPolicy | SimplePolicy | RepricedPolicy | AggregatesPolicy, Field(discriminator="method")
    ]
    growth: Annotated[ExpertGrowthSpec | SeriesGrowthSpec, Field(discriminator="method")]
    process: Process
    cii: CriticalIllness
    criterion: CriterionSpec
    shocks: dict[Key, ShockSpec] = Field(default_factory=dict)
    policy_starts: dict[Key, PolicyStart] = Field(default_factory=dict)
    providers: ProviderSpec | None = None
    payment_lag: PaymentLagSpec | None = None
    projection: ProjectionSpec | None = None
    contract: ContractSpec | None = None
    accounts: dict[str, AccountSpec] = Field(default_factory=dict)
    moves: dict[str, MoveSpec] = Field(default_factory=dict)
    transfers: dict[str, TransferSpec] = Field(default_factory=dict)
    adjustment: AdjustmentSpec | None = None
    reserve: ReserveSpec | None = None
    personal_accounts: PersonalAccountsSpec | None = None
    identities: list[Identity] = Field(default_factory=list)
    scenarios: list[Scenario] = Field(default_factory=list)
    notes: list[Bilingual] = Field(default_factory=list)

    @model_validator(mode="after")
    def _dates(self) -> PlanModel:
        try:
            start, valued = (dt.date.fromisoformat(d) for d in (self.fiscal_year_start, self.valuation_date))
        except ValueError as error:
            raise ValueError("plan.no_such_date") from error
        if not 1949 <= start.year <= 2200:
            raise ValueError("plan.no_such_date")
        if start.day != 1 or not start <= valued < start.replace(year=start.year + 1):
            raise ValueError("plan.fiscal_year")
        if valued + dt.timedelta(days=1) != (valued + dt.timedelta(days=1)).replace(day=1):
            raise ValueError("plan.valuation_date")
        return self

    @model_validator(mode="after")
    def _starts_within_the_year(self) -> PlanModel:
        first = dt.date.fromisoformat(self.fiscal_year_start)
        low, high = first.replace(year=first.year + 1), first.replace(year=first.year + 2)
        for start in self.policy_starts.values():
            try:
                day = dt.date.fromisoformat(start.on)
            except ValueError as error:
                raise ValueError("plan.no_such_date") from error
            if not low <= day < high:
                raise ValueError("plan.policy_start")
        return self
