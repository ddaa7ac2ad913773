"""The schema of benefit schedules: layers in the order in which they pay, rules, tilts, ceilings.

A schedule is a list of **layers**. Each pays a part of what the layers before it left to the patient, and names
the account that bears it. Within a layer the first **rule** whose conditions fit a claim applies; **tilts** that fit
change it (a lower deductible for the poor, ten points less without referral). See ``docs/benefit_rules.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from actuarial.law.base import Bilingual, Fraction01, Strict
from actuarial.law.terms import ATTRIBUTES, Amount, By, Ratio, Share, gaps_of, word_of, words_of
from actuarial.tables.terms import terms

SCHEMES = ("ncms", "resident", "employee", "cii", "assistance", "nhi", "health_card")
"""What the third part of the id of a benefit schedule may be."""

Account = Literal[
    "basic_fund", "personal_account", "cii_insurer", "cii_fund", "medical_assistance", "mutual_aid"
]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _one_of(code: str, *names: str) -> Any:
    """One of these words, or ``{gap: name}``, which is read by the name of a choice."""

    def check(value: Any) -> Any:
        gap = isinstance(value, dict) and set(value) == {"gap"} and isinstance(value["gap"], str)
        if not gap and (not isinstance(value, str) or value not in names):
            raise ValueError(code)
        return value

    return BeforeValidator(check)


Period = Annotated[Any, _one_of("law.accumulate", "claim", "year")]
Origin = Annotated[Any, _one_of("law.segment_origin", "deductible", "zero")]
Carried = Annotated[Any, _one_of("law.accumulators", "carried", "reset")]


def _conditions(value: Any) -> Any:
    """``{level: township}`` and ``{level: [乡镇卫生院, 县级医院]}`` as lists of identifiers."""
    if not isinstance(value, dict) or any(k not in ATTRIBUTES for k in value):
        raise ValueError("law.when")
    listed = {k: v if isinstance(v, list | tuple) else [v] for k, v in value.items()}
    if any(not v or any(isinstance(w, dict | list) or w is None for w in v) for v in listed.values()):
        raise ValueError("law.when")
    return {k: tuple(word_of(w) for w in v) for k, v in listed.items()}


When = Annotated[dict[str, tuple[str, ...]], BeforeValidator(_conditions)]


class RuleSegment(Strict):
    """One segment: from an amount on, this ratio."""

    over: Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)]
    ratio: Ratio


class Rule(Strict):
    """What a layer pays for the claims that fit `when`.

    Exactly one of `ratio`, `segments` and `fixed`. The deductible and the segments run over the claim, or over the year's
    running total (``accumulate: year``); `segment_origin` says whether the segments start above the deductible.
    """

    when: When = {}
    accumulate: Period = "claim"
    accumulator: Name | None = None
    deductible: Amount = 0
    deductible_share_at_repeat: Annotated[list[Fraction01], Field(min_length=1)] | None = None
    ratio: Ratio | None = None
    segments: Annotated[list[RuleSegment], Field(min_length=1)] | None = None
    segment_origin: Origin = "deductible"
    fixed: Amount | None = None
    claim_ceiling: Amount | None = None

    @model_validator(mode="after")
    def _pays_one_way(self) -> Rule:
        if sum(x is not None for x in (self.ratio, self.segments, self.fixed)) != 1:
            raise ValueError("law.one_way")
        if self.segments is not None:
            starts = [s.over for s in self.segments]
            if starts != sorted(set(starts)) or starts[0] != 0:
                raise ValueError("law.rule_segments")
        if self.accumulate != "claim" and self.deductible_share_at_repeat is not None:
            raise ValueError("law.repeat_by_claim")
        return self


class Tilt(Strict):
    """A change for claims that fit `when`: all that fit apply, in order; `if_reading` only where gaps are read so."""

    when: When
    if_reading: dict[Name, str] = {}
    deductible: Amount | None = None
    ratio: Ratio | None = None
    ratio_points: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Tilt:
        if (self.deductible, self.ratio, self.ratio_points) == (None, None, None) or not self.when:
            raise ValueError("law.empty_tilt")
        return self


class Ceiling(Strict):
    """The most that a layer pays in the year for the claims that fit `when`."""

    id: Name
    when: When = {}
    amount: Amount


class StopLoss(Strict):
    """Beyond this own share in the year the layer pays all."""

    when: When = {}
    amount: Amount


class Counted(Strict):
    """What a layer counts.

    `of` is the claim's total or in-scope cost, or what the layers before left of it (``own_…``; the personal account
    is the patient's, unless ``after_personal_account``). Of the item classes the first part is the patient's: ``{class_b: 0.15}``; class C is not in scope
    unless a part of it is counted here. `less_per_claim` is an amount of each claim that is not counted.
    """

    of: Literal["total", "in_scope", "own_total", "own_in_scope"] = "in_scope"
    item_self_payment_first: dict[Literal["class_b", "class_c"], Ratio] = {}
    without_deductible_of: list[Name] = []
    less_per_claim: Amount | None = None
    after_personal_account: bool = False


class Layer(Strict):
    """One payer in turn."""

    id: Name
    bearer: Account
    pays: Literal["rules", "as_paid", "balance", "mutual_aid"] = "rules"
    counted: Counted = Counted()
    rules: list[Rule] = []
    tilts: list[Tilt] = []
    ceilings: list[Ceiling] = []
    stop_loss: list[StopLoss] = []

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Layer:
        if (self.pays == "rules") != bool(self.rules):
            raise ValueError("law.rules_needed")
        if len({c.id for c in self.ceilings}) != len(self.ceilings):
            raise ValueError("law.twice")
        return self


class Transition(Strict):
    """What happens to the year's accumulators when this schedule takes the place of another within a year."""

    accumulators: Carried
    clause: str = ""


class BenefitPayload(Strict):
    """Terms of a benefit schedule."""

    scheme: Literal["ncms", "resident", "employee", "cii", "assistance", "nhi", "health_card"]
    year_starts_in_month: Annotated[int, Field(ge=1, le=12)] = 1
    parameters: dict[Name, Amount] = {}
    words: dict[Name, Bilingual] = {}
    layers: Annotated[list[Layer], Field(min_length=1)]
    transition: Transition = Transition(accumulators="carried")
    changes: list[Bilingual] = []
    not_computed: list[Bilingual] = []

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> BenefitPayload:
        names = [layer.id for layer in self.layers]
        if len(set(names)) != len(names):
            raise ValueError("law.twice")
        for n, layer in enumerate(self.layers):
            if any(other not in names[:n] for other in layer.counted.without_deductible_of):
                raise ValueError("law.earlier_layer")
        return self


@dataclass(frozen=True)
class Chosen:
    """A gap that is read by the name of a choice."""

    gap: str


def _walk(value: Any) -> Iterator[Any]:
    """All terms and conditions below a model."""
    if isinstance(value, Tilt) and value.if_reading:
        yield from (Chosen(gap) for gap in value.if_reading)
        yield from _walk(value.model_copy(update={"if_reading": {}}))
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item)
    elif isinstance(value, dict) and set(value) == {"gap"}:
        yield Chosen(value["gap"])
    elif isinstance(value, dict):
        for item in value.values():
            yield from _walk(item)
    else:
        yield value


def payload_gaps(payload: BenefitPayload) -> tuple[str, ...]:
    """The gaps that are read by a number, in the order of the file."""
    return tuple(dict.fromkeys(g for term in _walk(payload) for g in gaps_of(term)))


def payload_choices(payload: BenefitPayload) -> tuple[str, ...]:
    """The gaps that are read by the name of a choice."""
    return tuple(dict.fromkeys(term.gap for term in _walk(payload) if isinstance(term, Chosen)))


def choice_places(payload: BenefitPayload) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The gaps that are read by the name of a choice, each with the names that its place understands."""

    def asked(value: Any, *names: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        if isinstance(value, dict) and "gap" in value:
            yield value["gap"], names

    for layer in payload.layers:
        for rule in layer.rules:
            yield from asked(rule.accumulate, "claim", "year")
            yield from asked(rule.segment_origin, "deductible", "zero")
    yield from asked(payload.transition.accumulators, "carried", "reset")


def tilt_choices(payload: BenefitPayload) -> Iterator[tuple[str, str]]:
    """The readings on which tilts depend, as (gap, choice)."""
    for layer in payload.layers:
        for tilt in layer.tilts:
            yield from tilt.if_reading.items()


def shares_of(payload: BenefitPayload) -> tuple[str, ...]:
    """What terms take a share of: the wage, parameters."""

    def inner(term: Any) -> Iterator[str]:
        if isinstance(term, Share):
            yield term.of
            yield from inner(term.share)
        elif isinstance(term, By):
            for t in (*term.table.values(), term.otherwise):
                yield from inner(t)

    return tuple(dict.fromkeys(name for term in _walk(payload) for name in inner(term)))


def unknown_words(payload: BenefitPayload) -> tuple[str, ...]:
    """Words of rules that are neither known terms nor declared under ``words``."""
    known = set(terms()) | set(payload.words) | {"yes", "no", "unknown"}
    return tuple(dict.fromkeys(word for _, word in named_words(payload) if word not in known))


def named_words(payload: BenefitPayload) -> Iterator[tuple[str, str]]:
    """The words that conditions and terms name, as (attribute, word)."""
    for term in _walk(payload.layers):
        yield from words_of(term)
    for layer in payload.layers:
        whens = [x.when for x in layer.rules] + [x.when for x in layer.tilts]
        whens += [x.when for x in layer.ceilings] + [x.when for x in layer.stop_loss]
        yield from ((k, w) for when in whens for k, words in when.items() for w in words)
