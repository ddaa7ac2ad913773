"""The words of risk-sharing contracts: one small vocabulary for sharing of an outcome, and for its cash.

The outcome of a year is target − claims. ``sharing`` cuts its size into bands and says who takes what share of each; what
nobody takes is the fund's. See ``docs/contracts.md``.

==================================================  ===================================================================
written as an amount                                meaning
==================================================  ===================================================================
``3000000``                                         3 million yuan
``{per_head: 2}``                                   2 yuan × counted heads
``{share_of: premium, share: 0.05}``                5% of the premium (target, premium, financing, revenue, target_per_head);
                                                    a share may be written as a fraction, ``1/12``
``{least: [a, b]}``, ``{most: [a, b]}``             the smaller, the larger
``{gap: profit_rate}``                              what the text leaves open; filled by a reading
==================================================  ===================================================================

A ratio is a number from 0 to 1, ``{gap: name}``, ``{quality: 0.75}`` (0.75 × the quality score), or
``{less_quality: 0.75, at_least: 0.4, at_most: 0.75}`` (1 − 0.75 × the score, within bounds).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from actuarial.law.base import Bilingual, Fraction01, Strict
from actuarial.law.terms import Fixed, Unread, gaps_of

BASES = ("target", "premium", "financing", "revenue", "target_per_head")
"""What an amount may be a share of."""
PARTIES = ("insurer", "provider", "fund", "reserve", "carried")
"""Who may take a share: three parties, and two balances that go on to the next year."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Party = Literal["insurer", "provider", "fund", "reserve", "carried"]


@dataclass(frozen=True)
class PerHead:
    """An amount for each counted head."""

    amount: AmountTerm


@dataclass(frozen=True)
class ShareOf:
    """A share of a named base."""

    base: str
    share: AmountTerm


@dataclass(frozen=True)
class Extreme:
    """The least or the most of several amounts."""

    which: Literal["least", "most"]
    parts: tuple[AmountTerm, ...]


@dataclass(frozen=True)
class Quality:
    """A ratio that moves with the quality score: `rate` × score, or 1 − `rate` × score within bounds."""

    rate: float
    less: bool = False
    at_least: float = 0.0
    at_most: float = 1.0


AmountTerm = Fixed | Unread | PerHead | ShareOf | Extreme
RatioTerm = Fixed | Unread | Quality


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number_or_gap(value: Any, most: float, code: str, digits: int = 9) -> Fixed | Unread:
    if isinstance(value, dict) and set(value) == {"gap"} and isinstance(value["gap"], str):
        return Unread(value["gap"])
    if _number(value) and 0 <= value <= most and round(value, digits) == value:
        return Fixed(float(value))
    raise ValueError(code)


def parse_amount(value: Any) -> AmountTerm:
    """An amount of a contract.

    Examples
    --------
    >>> parse_amount({"share_of": "target", "share": 0.1})
    ShareOf(base='target', share=Fixed(value=0.1))
    """
    if isinstance(value, Fixed | Unread | PerHead | ShareOf | Extreme):
        return value
    if not isinstance(value, dict) or set(value) == {"gap"}:
        return _number_or_gap(value, 1e15, "contract_terms.amount")
    if set(value) == {"per_head"}:
        return PerHead(_number_or_gap(value["per_head"], 1e9, "contract_terms.amount"))
    if set(value) == {"share_of", "share"} and value["share_of"] in BASES:
        share = value["share"]
        if isinstance(share, str) and re.fullmatch(r"[1-9]\d{0,3}/[1-9]\d{0,3}", share):
            return ShareOf(value["share_of"], Fixed(float(Fraction(share))))
        return ShareOf(value["share_of"], _number_or_gap(share, 1e3, "contract_terms.amount"))
    which = next(iter(value)) if len(value) == 1 else ""
    if which in {"least", "most"} and isinstance(value[which], list) and len(value[which]) > 1:
        parts = tuple(parse_amount(v) for v in value[which])
        return Extreme("least" if which == "least" else "most", parts)
    raise ValueError("contract_terms.amount")


def parse_ratio(value: Any) -> RatioTerm:
    """A share of a band.

    Examples
    --------
    >>> parse_ratio({"quality": 0.75})
    Quality(rate=0.75, less=False, at_least=0.0, at_most=1.0)
    """
    if isinstance(value, Fixed | Unread | Quality):
        return value
    if isinstance(value, dict) and ({"quality"} <= set(value) or {"less_quality"} <= set(value)):
        less = "less_quality" in value
        bounds = {k: value[k] for k in ("at_least", "at_most") if k in value}
        rate = value["less_quality" if less else "quality"]
        if (
            len(value) == 1 + len(bounds)
            and all(_number(v) and 0 <= v <= 1 for v in (rate, *bounds.values()))
            and bounds.get("at_least", 0) <= bounds.get("at_most", 1)
        ):
            return Quality(float(rate), less, **{k: float(v) for k, v in bounds.items()})
        raise ValueError("contract_terms.ratio")
    return _number_or_gap(value, 1.0, "contract_terms.ratio")


def _word(*names: str) -> Any:
    """One of these words, or ``{gap: name}``, which is read by the name of a choice."""

    def check(value: Any) -> Any:
        gap = isinstance(value, dict) and set(value) == {"gap"} and isinstance(value["gap"], str)
        if not gap and (not isinstance(value, str) or value not in names):
            raise ValueError("contract_terms.word")
        return Choice(value["gap"], names) if gap else value

    return BeforeValidator(check)


@dataclass(frozen=True)
class Choice:
    """A gap that is read by one of these names."""

    gap: str
    names: tuple[str, ...]


Amount = Annotated[Any, BeforeValidator(parse_amount)]
Ratio = Annotated[Any, BeforeValidator(parse_ratio)]

# what each word may be, and so what a reading of its gap may be
Crossing = Annotated[Any, _word("zero_above_fixed_edge", "zero_above_share")]
PolicyRule = Annotated[Any, _word("as_claims", "fund_bears", "shared")]
LaterRule = Annotated[Any, _word("claims_only", "twelfth", "equal_rest")]
BalanceBase = Annotated[Any, _word("month", "cumulative", "cumulative_with_first")]
BeyondTarget = Annotated[Any, _word("insurer_advances", "risk_account_pays")]
AboveReserve = Annotated[Any, _word("main_fund", "not_paid", "next_year")]
LateClaims = Annotated[Any, _word("this_year", "next_year")]
Headcount = Annotated[Any, _word("count_date", "average", "year_end")]
Calendar = Annotated[Any, _word("start_of_year", "monthly_twelfths", "year_end")]
Destination = Annotated[Any, _word("fund", "insurer", "provider", "carried", "reserve")]


class Target(Strict):
    """How the target is formed: an amount per head × heads, a share of a base, or stated outside the file.

    `counted` says in words which heads, on which date; `headcount` what follows when they change: the heads of the
    count month (the first of the contract year unless `count_month` names another), of all months on average, or of the last.
    """

    amount: Amount | None = None
    what: Bilingual = {}
    counted: Bilingual = {}
    headcount: Headcount | None = None
    count_month: Annotated[int, Field(ge=1, le=12)] = 1


class Band(Strict):
    """One band of a table: its upper edge (none: open), and what share of it each party takes; the rest is the fund's."""

    up_to: Amount | None = None
    insurer: Ratio = Fixed(0.0)
    provider: Ratio = Fixed(0.0)
    reserve: Ratio = Fixed(0.0)
    carried: Ratio = Fixed(0.0)

    @model_validator(mode="after")
    def _at_most_all(self) -> Band:
        if sum(r.value for _, r in self.shares() if isinstance(r, Fixed)) > 1 + 1e-12:
            raise ValueError("contract_terms.shares")
        return self

    def shares(self) -> Iterator[tuple[str, Any]]:
        """The parties that are named, with their shares."""
        for party in ("insurer", "provider", "reserve", "carried"):
            share = getattr(self, party)
            if share != Fixed(0.0):
                yield party, share


class Gate(Strict):
    """The table counts only from this size of the outcome on, and then from its first yuan."""

    at_least: Amount | None = None
    above: Amount | None = None

    @model_validator(mode="after")
    def _one(self) -> Gate:
        if (self.at_least is None) == (self.above is None):
            raise ValueError("contract_terms.gate")
        return self


class Requires(Strict):
    """A condition on an indicator of the year; where it fails the table pays nothing."""

    indicator: Name
    what: Bilingual
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one(self) -> Requires:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("contract_terms.requires")
        return self


class Sharing(Strict):
    """A table of marginal bands over the size of a surplus, a deficit, or both alike."""

    side: Literal["surplus", "deficit", "both"]
    upper_edge_included: bool = True
    bands: Annotated[list[Band], Field(min_length=1)]
    if_edges_cross: Crossing | None = None
    gate: Gate | None = None
    requires: Requires | None = None

    @model_validator(mode="after")
    def _last_is_open(self) -> Sharing:
        edges = [b.up_to is None for b in self.bands]
        if any(edges[:-1]) or not edges[-1]:
            raise ValueError("contract_terms.last_band")
        for kind in (lambda t: t.value if isinstance(t, Fixed) else None, _plain_share):
            known = [v for v in map(kind, (b.up_to for b in self.bands)) if v is not None]
            if known != sorted(set(known)):
                raise ValueError("contract_terms.edges_increase")
        return self


def _plain_share(term: Any) -> float | None:
    """The share of a share-of-target edge; edges over other bases are compared when amounts are known."""
    plain = isinstance(term, ShareOf) and term.base == "target" and isinstance(term.share, Fixed)
    return term.share.value if plain else None


class PolicyLoss(Strict):
    """What becomes of a loss caused by a change of policy within the year.

    ``as_claims``: like any other claims. ``fund_bears``: the fund's. ``shared``: by these shares, the rest the fund's. Of the
    deficit that it causes, or of all such claims.
    """

    rule: PolicyRule
    of: Literal["deficit", "claims"] = "deficit"
    insurer: Ratio = Fixed(0.0)
    provider: Ratio = Fixed(0.0)


class Expense(Strict):
    """An allowance that comes before the outcome is shared: agreed, or the actual cost up to a limit."""

    amount: Amount | Literal["actual"]
    at_most: Amount | None = None
    party: Literal["insurer", "provider"] = "insurer"


class Individual(Strict):
    """Cover of each person's yearly cost (stop-loss): what lies between two amounts, one party's share of it."""

    over: Amount
    up_to: Amount | None = None
    share: Ratio = Fixed(1.0)
    party: Literal["insurer", "provider"] = "insurer"


class Cap(Strict):
    """The most that a party may gain in a surplus, or bear in a deficit; what is beyond it is the fund's."""

    party: Literal["insurer", "provider"]
    side: Literal["surplus", "deficit"]
    amount: Amount


class Pool(Strict):
    """A balance that goes on to the next year: how high it may rise, how low it may fall, who takes what does not fit."""

    ceiling: Amount | None = None
    may_be_negative: bool = False
    overflow: Destination = "fund"


class Deduction(Strict):
    """An amount taken off the insurer (or provider) at settlement for each event."""

    id: Name
    event: Bilingual
    amount: Amount
    party: Literal["insurer", "provider"] = "insurer"


class Fee(Strict):
    """An amount that the fund pays whatever the outcome."""

    id: Name
    what: Bilingual
    amount: Amount
    to: Literal["insurer", "provider"] = "insurer"


class Warning_(Strict):
    """From which projected deficit a warning is due, and what has to be handed in."""

    deficit_at_least: Amount
    deliverable: Bilingual


class Provisional(Strict):
    """A split before the year's end of the balance of premium received and claims paid."""

    insurer: Ratio
    from_month: Annotated[int, Field(ge=1, le=12)]
    base: BalanceBase


class Cash(Strict):
    """Who pays whom, when.

    ``premium``: the contract's premium (its target) is paid to the insurer, who pays the claims. ``advance`` is paid at once,
    ``first`` is what is paid in month 1 in all; `later` how much in the months after. ``calendar``: by a fixed calendar.
    ``claims``: the fund pays providers a share of claims each month, the rest at settlement.
    """

    way: Literal["premium", "calendar", "claims"]
    reserve: Amount | None = None
    advance: Amount | None = None
    first: Amount | None = None
    later: LaterRule | None = None
    provisional: Provisional | None = None
    beyond_target: BeyondTarget | None = None
    reward_above_reserve: AboveReserve | None = None
    calendar: Calendar | None = None
    monthly_share: Ratio = Fixed(1.0)
    late_claims: LateClaims | None = None

    @model_validator(mode="after")
    def _whole(self) -> Cash:
        needed = {
            "premium": (self.first, self.later, self.beyond_target),
            "calendar": (self.calendar,),
            "claims": (),
        }
        if any(v is None for v in needed[self.way]):
            raise ValueError("contract_terms.cash")
        return self


class Points(Strict):
    """Payment of providers by points (DRG, DIP): value of a point = (budget − reserve) ÷ total points."""

    reserve_share: Ratio = Fixed(0.0)
    point_value_at_most: Amount | None = None


class ContractPayload(Strict):
    """Terms of a risk-sharing contract."""

    names: dict[Party, Bilingual] = {}
    target: Target = Target()
    sharing: list[Sharing] = []
    individual: Individual | None = None
    policy_loss: PolicyLoss | None = None
    expense: Expense | None = None
    caps: list[Cap] = []
    pools: dict[Literal["reserve", "carried"], Pool] = {}
    deductions: list[Deduction] = []
    fees: list[Fee] = []
    points: Points | None = None
    cash: Cash | None = None
    warning: Warning_ | None = None
    reports: list[Bilingual] = []
    years_at_least: Annotated[int, Field(ge=1, le=50)] | None = None
    limits: dict[Name, Fraction01] = {}
    not_computed: list[Bilingual] = []

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> ContractPayload:
        sides = [s for t in self.sharing for s in (("surplus", "deficit") if t.side == "both" else (t.side,))]
        ids = [d.id for d in self.deductions] + [f.id for f in self.fees]
        if len(set(sides)) != len(sides) or len(set(ids)) != len(ids):
            raise ValueError("contract_terms.twice")
        if not self.sharing and self.points is None:
            raise ValueError("contract_terms.nothing_shared")
        return self

    @property
    def parties(self) -> tuple[str, ...]:
        """Who takes part, in the order insurer, provider, fund, reserve, carried."""
        named = {"fund"} | {p for t in self.sharing for b in t.bands for p, _ in b.shares()}
        rest = (self.individual, self.expense, *self.caps, *self.deductions)
        named |= {x.party for x in rest if x is not None} | {f.to for f in self.fees}
        if self.policy_loss is not None:
            shares = {"insurer": self.policy_loss.insurer, "provider": self.policy_loss.provider}
            named |= {p for p, share in shares.items() if share != Fixed(0.0)}
        named |= {str(p.overflow) for p in self.pools.values() if not isinstance(p.overflow, Choice)}
        named |= {n for p in self.pools.values() if isinstance(p.overflow, Choice) for n in p.overflow.names}
        if self.points is not None:
            named.add("provider")
        return tuple(p for p in PARTIES if p in named)


def walk(value: Any) -> Iterator[Any]:
    """All terms below a payload."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from walk(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from walk(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, PerHead):
        yield from walk(value.amount)
    elif isinstance(value, ShareOf):
        yield value
        yield from walk(value.share)
    elif isinstance(value, Extreme):
        yield from walk(value.parts)
    else:
        yield value


def number_gaps(payload: ContractPayload) -> tuple[str, ...]:
    """The gaps that are read by a number, in the order of the file."""
    return tuple(dict.fromkeys(g for term in walk(payload) for g in gaps_of(term)))


def choice_gaps(payload: ContractPayload) -> tuple[Choice, ...]:
    """The gaps that are read by the name of a choice, with the names that their places understand."""
    return tuple(dict.fromkeys(term for term in walk(payload) if isinstance(term, Choice)))
