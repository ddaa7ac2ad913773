"""The envelope of every law file, the payloads by kind, and validation with line numbers."""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator

from actuarial.errors import Fault, InputError
from actuarial.law.base import Bilingual, Date, Finite, Fraction01, Id, Money, Status, Strict, Text
from actuarial.law.benefit import SCHEMES, BenefitPayload
from actuarial.law.contract_terms import ContractPayload
from actuarial.law.strict_yaml import Path_, line_of
from actuarial.texts import LANGUAGES, has_text, text


class Cited(Strict):
    """A document and the place in it."""

    document: str
    clause: str = ""
    quote: str = ""


class Gap(Strict):
    """Something that the text leaves open; to be filled by a reading before it is computed with.

    `choices` are the readings in words; `range` bounds a reading in numbers.
    """

    what: Bilingual
    choices: dict[str, Bilingual] = {}
    range: tuple[Finite, Finite] | None = Field(default=None, strict=False)


class Reading(Strict):
    """How a gap is read: one of its choices, or a number."""

    choice: str | None = None
    value: Finite | None = None
    status: Status = "assumed"
    source: Text

    @model_validator(mode="after")
    def _one_of_both(self) -> Reading:
        if (self.choice is None) == (self.value is None):
            raise ValueError("law.one_reading")
        return self

    def fits(self, gap: Gap) -> bool:
        """Whether the gap allows it."""
        if self.value is not None:
            return not gap.choices and (gap.range is None or gap.range[0] <= self.value <= gap.range[1])
        return self.choice in gap.choices if gap.choices else gap.range is None


class CostingPayload(Strict):
    """A printed per-capita calculation: base × policy coefficient × (1 + growth)."""

    base_per_capita: Money
    policy_effect_coefficient: Money
    in_scope_cost_growth: Finite
    round_intermediate_to: Money
    round_result_to: Money
    printed_intermediate: Money
    printed_result: Money


class Segment(Strict):
    """One segment of a benefit layer, above the deductible."""

    over: Money
    pay_ratio: Fraction01


class LayerPayload(Strict):
    """A layer on one yearly amount: deductible, rising segments, ceiling."""

    counted_cost: Bilingual
    deductible: Money
    segments: Annotated[list[Segment], Field(min_length=1)]
    ceiling: Money | None

    @model_validator(mode="after")
    def _segments_increase(self) -> LayerPayload:
        starts = [s.over for s in self.segments]
        if starts != sorted(set(starts)):
            raise ValueError("law.segments_increase")
        return self


class ThresholdPayload(Strict):
    """Limits on an indicator."""

    indicator: str
    at_most: Finite | None = None
    at_least: Finite | None = None


class SubsidyPayload(Strict):
    """Central share of a fiscal subsidy: a fixed amount of the first part, a share by tier of the rest [yuan/person/year]."""

    first: Money
    central_of_first: Money
    central_share: Annotated[dict[int, Fraction01], Field(min_length=1)]


class ReservePayload(Strict):
    """How a reserve fund is filled: shares of the year's financing or surplus, and its ceiling as a share of the financing."""

    rate_of_financing: Fraction01
    share_of_surplus: Fraction01
    ceiling_of_financing: Fraction01


class CreditingPayload(Strict):
    """What is credited to personal accounts: shares of contributions, and the factor by age.

    `age_factor`: range of the factor on the employer's part that a unit may set by age group. `employer_rate`, `employee_rate`:
    contributions as shares of wages.
    """

    employee_share: Fraction01
    employer_share: Fraction01
    age_factor: tuple[Money, Money] | None = Field(default=None, strict=False)
    employer_rate: Fraction01 | None = None
    employee_rate: Fraction01 | None = None


PAYLOADS: dict[str, type[Strict]] = {
    "benefit": BenefitPayload,
    "contract": ContractPayload,
    "costing": CostingPayload,
    "crediting": CreditingPayload,
    "layer": LayerPayload,
    "reserve": ReservePayload,
    "subsidy": SubsidyPayload,
    "threshold": ThresholdPayload,
}


class Envelope(Strict):
    """What every law file says about itself."""

    id: Id
    kind: Literal["benefit", "contract", "costing", "crediting", "layer", "reserve", "subsidy", "threshold"]
    name: Bilingual
    source: Cited
    status: Literal["enacted", "draft", "assumed"]
    place_status: Literal["stated", "inferred"]
    effective: Date
    checked_on: Date
    quotes: dict[str, str] = {}
    gaps: dict[str, Gap] = {}
    readings: dict[str, Reading] = {}
    payload: dict[str, Any]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Envelope:
        _, _, kind, rest = self.id.split("/")
        wanted = SCHEMES if self.kind == "benefit" else (self.kind,)
        if kind not in wanted or rest.partition("@")[2] != self.effective:
            raise ValueError("law.id_parts")
        if (
            self.kind == "benefit"
            and self.payload.get("scheme") in SCHEMES
            and self.payload["scheme"] != kind
        ):
            raise ValueError("law.id_parts")
        return self


Model = TypeVar("Model", bound=BaseModel)

_CODES = {
    "missing": "plan.missing_key",
    "extra_forbidden": "plan.unknown_key",
    "literal_error": "plan.choice",
    "finite_number": "plan.not_finite",
    "string_pattern_mismatch": "plan.pattern",
    "union_tag_invalid": "plan.choice",
    "union_tag_not_found": "plan.missing_key",
}


def validate(
    model: type[Model], data: dict[str, Any], lines: dict[Path_, int], file: str, at: Path_ = ()
) -> Model:
    """Validate data read by :func:`read_yaml`; pydantic's findings become faults with lines.

    Raises
    ------
    InputError
        With every fault.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = []
        for found in error.errors(include_url=False):
            place = at + tuple(p for p in found["loc"] if not _is_union_arm(p))
            faults.append(_fault(found, place, lines, file))
        unique = {(f.code, f.params["key"]): f for f in faults}
        known = _field_names(model)
        raise InputError([_with_near(f, known) for f in unique.values()]) from error


def _field_names(model: Any, seen: set[Any] | None = None) -> set[str]:
    """Keys that a schema knows anywhere."""
    seen = set() if seen is None else seen
    if isinstance(model, type) and issubclass(model, BaseModel) and model not in seen:
        seen.add(model)
        fields = model.model_fields
        return set(fields).union(*(_field_names(f.annotation, seen) for f in fields.values()))
    return set().union(*(_field_names(a, seen) for a in get_args(model)))


def _with_near(fault: Fault, known: set[str]) -> Fault:
    """For an unknown key, the known ones that look like it."""
    if fault.code != "plan.unknown_key":
        return fault
    near = difflib.get_close_matches(fault.params["key"].rpartition(".")[2], sorted(known), n=2, cutoff=0.6)
    said = {k: text("plan.near", k, names=", ".join(near)) if near else "" for k in LANGUAGES}
    return replace(fault, params={**fault.params, "near": said})


_ARMS = {
    "expert",
    "series",
    "stated",
    "simple",
    "repriced",
    "aggregates",
}  # discriminator values; no key has these names


def _is_union_arm(part: Any) -> bool:
    """Whether a part of pydantic's location names a member of a union, not a key of the file."""
    return isinstance(part, str) and (
        part in _ARMS or bool(re.search(r"[\[\]()]|^(function|model|constrained)-", part))
    )


def _fault(found: Any, place: Path_, lines: dict[Path_, int], file: str) -> Fault:
    key = ".".join(map(str, place)) or "(file)"
    context = found.get("ctx") or {}
    params: dict[str, Any] = {"key": key, "value": _short(found.get("input"))}
    code = _CODES.get(found["type"])
    if code == "plan.choice":
        params["expected"] = context.get("expected") or context.get("expected_tags", "")
    elif code == "plan.pattern":
        form = {"@": "label.form_law", "4": "label.form_date"}
        pattern = str(context.get("pattern", ""))
        named = next((name for mark, name in form.items() if mark in pattern), "label.form_name")
        params["expected"] = {lang: text(named, lang) for lang in LANGUAGES}
    elif code is None:
        bounds = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
        limits = [f"{sign} {context[b]}" for b, sign in bounds.items() if b in context]
        own = str(context.get("error", "")) if found["type"] == "value_error" else ""
        if has_text(own):
            code = own
        elif found.get("input") is None or found["type"] == "string_too_short":
            code = "plan.fill_in"
        else:
            kind = found["type"].removesuffix("_type").removesuffix("_parsing").removeprefix("model_")
            named = f"label.type_{kind}"
            words = {lang: text(named, lang) for lang in LANGUAGES} if has_text(named) else kind
            code, params["expected"] = "plan.value", "、".join(limits) or words
            if _as_percent(found.get("input")):
                code = "plan.value_percent"
    return Fault(code, file=file, line=line_of(lines, place), params=params)


def _as_percent(value: Any) -> bool:
    """Whether a share or rate that was refused looks as if it were written in percent."""
    if isinstance(value, str):
        return value.strip().endswith(("%", "％"))
    return isinstance(value, int | float) and 1 < abs(value) <= 100


def _short(value: Any) -> str:
    shown = str(value)
    return shown if len(shown) <= 60 else shown[:57] + "…"
