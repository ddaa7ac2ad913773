"""Random benefit schedules and claims, for the tests of repricing."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import strategies as st

from actuarial.benefits.loading import load_schedule
from actuarial.benefits.schedule import BenefitSchedule
from actuarial.benefits.walk import Claim
from actuarial.law import Law
from actuarial.law.benefit import BenefitPayload
from actuarial.law.schema import Envelope
from actuarial.tables import ClaimsTable, read_claims

CATEGORIES = ("inpatient", "outpatient_pooling")
LEVELS = ("township", "county_level")
GROUPS = ("general", "poor")


def schedule_of(payload: dict[str, Any], date: str = "2012-01-01") -> BenefitSchedule:
    """A schedule from the payload of a law file."""
    scheme = payload.get("scheme", "ncms")
    envelope = {
        "id": f"china/test/{scheme}/basic@{date}", "kind": "benefit", "name": {"zh": "测试", "en": "test"},
        "source": {"document": "test"}, "status": "assumed", "place_status": "inferred", "effective": date,
        "checked_on": date, "payload": {"scheme": scheme, **payload},
    }  # fmt: skip
    law = Law(
        Envelope.model_validate(envelope), BenefitPayload.model_validate(envelope["payload"]), "test.yaml"
    )
    return load_schedule(BenefitSchedule(law))


amounts = st.integers(0, 60_000).map(lambda c: c / 100)
ratios = st.integers(0, 100).map(lambda p: p / 100)
by_level = st.fixed_dictionaries({"township": ratios, "otherwise": ratios}).map(
    lambda d: {"by": "level", **d}
)
wage_share = st.integers(0, 50).map(lambda p: {"share_of": "annual_wage", "share": p / 100})
money = st.one_of(amounts, wage_share)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "category": st.sampled_from(CATEGORIES),
        "level": st.sampled_from(LEVELS),
        "group": st.sampled_from(GROUPS),
        "referral": st.booleans(),
    },
)


@st.composite
def segments(draw: Any) -> list[dict[str, Any]]:
    """Segments from 0 up."""
    starts = sorted({0, *draw(st.lists(st.integers(1, 900), max_size=3))})
    return [{"over": s, "ratio": draw(st.one_of(ratios, by_level))} for s in starts]


@st.composite
def rules(draw: Any) -> dict[str, Any]:
    """One rule of any form."""
    rule: dict[str, Any] = {"when": draw(conditions)}
    form = draw(st.sampled_from(["ratio", "segments", "fixed"]))
    rule[form] = draw({"ratio": st.one_of(ratios, by_level), "segments": segments(), "fixed": money}[form])
    rule["accumulate"] = draw(st.sampled_from(["claim", "year"]))
    if form != "fixed":
        rule["deductible"] = draw(money)
        rule["segment_origin"] = draw(st.sampled_from(["deductible", "zero"]))
        if rule["accumulate"] == "claim" and draw(st.booleans()):
            rule["deductible_share_at_repeat"] = draw(st.lists(ratios, min_size=1, max_size=3))
        if rule["accumulate"] == "year" and draw(st.booleans()):
            rule["accumulator"] = "shared"
    if draw(st.booleans()):
        rule["claim_ceiling"] = draw(money)
    return rule


tilts = st.fixed_dictionaries(
    {"when": conditions.filter(bool), "ratio_points": st.integers(-40, 40).map(lambda p: p / 100)},
    optional={"deductible": money, "ratio": ratios},
)


@st.composite
def layers(draw: Any, name: str, bearer: str, first: bool) -> dict[str, Any]:
    """One layer with rules, tilts, ceilings, stop-loss."""
    of = st.sampled_from(["in_scope", "total"] if first else ["own_in_scope", "own_total", "in_scope"])
    counted: dict[str, Any] = {"of": draw(of), "after_personal_account": draw(st.booleans())}
    if draw(st.booleans()):
        counted["item_self_payment_first"] = {"class_b": draw(ratios), "class_c": draw(ratios)}
    if draw(st.booleans()):
        counted["less_per_claim"] = draw(money)
    if not first and draw(st.booleans()):
        counted["without_deductible_of"] = ["basic"]
    ceilings = draw(st.lists(st.tuples(conditions, money), max_size=2))
    return {
        "id": name,
        "bearer": bearer,
        "counted": counted,
        "rules": draw(st.lists(rules(), min_size=1, max_size=3)),
        "tilts": draw(st.lists(tilts, max_size=2)),
        "ceilings": [{"id": f"c{n}", "when": w, "amount": a} for n, (w, a) in enumerate(ceilings)],
        "stop_loss": draw(st.lists(money.map(lambda m: {"amount": m}), max_size=1)),
    }


@st.composite
def payloads(draw: Any) -> dict[str, Any]:
    """A schedule: perhaps account and mutual aid, a basic layer (or as paid), perhaps a second."""
    made: list[dict[str, Any]] = []
    if draw(st.booleans()):
        made.append({"id": "account", "bearer": "personal_account", "pays": "balance"})
    if draw(st.booleans()):
        made.append({"id": "aid", "bearer": "mutual_aid", "pays": "mutual_aid"})
    if draw(st.integers(0, 3)):
        made.append(draw(layers("basic", "basic_fund", True)))
    else:
        made.append({"id": "basic", "bearer": "basic_fund", "pays": "as_paid"})
    if draw(st.booleans()):
        made.append(draw(layers("second", "cii_insurer", False)))
    return {
        "layers": made,
        "year_starts_in_month": draw(st.sampled_from([1, 4])),
        "transition": {"accumulators": draw(st.sampled_from(["carried", "reset"]))},
    }


@st.composite
def claims(draw: Any) -> list[Claim]:
    """A few claims of a few members over two years, with whole cents of every kind."""
    out = []
    for number in range(draw(st.integers(1, 12))):
        member = draw(st.integers(0, 2))
        day = draw(st.integers(15_200, 15_900))
        date = pd.Timestamp(day, unit="D")
        a, b, c = (draw(st.integers(0, 90_000)) for _ in range(3))
        out.append(
            Claim(
                f"m{member}", day, date.year * 12 + date.month - 1, f"{number:03d}", a + b + c, a + b, b, c,
                draw(st.integers(0, a + b)),
                {
                    "category": draw(st.sampled_from(CATEGORIES)), "level": draw(st.sampled_from(LEVELS)),
                    "group": draw(st.sampled_from(GROUPS)), "referral": draw(st.sampled_from(["yes", "no", "unknown"])),
                    "place": "in_area", "disease": "",
                },
                100_000 * (member + 1), 20_000 * member, draw(st.integers(0, 5_000)),
            )
        )  # fmt: skip
    return out


def table_of(found: list[Claim]) -> ClaimsTable:
    """The same claims as a checked table."""
    flags = {"yes": "是", "no": "否", "unknown": ""}
    rows = [
        {
            "claim_id": c.number, "member_id": c.member, "service_date": pd.Timestamp(c.day, unit="D").date().isoformat(),
            "category": c.attributes["category"], "level": c.attributes["level"], "group": c.attributes["group"],
            "referral": flags[c.attributes["referral"]], "total_cost": c.total / 100, "in_scope_cost": c.in_scope / 100,
            "class_b_cost": c.class_b / 100, "class_c_cost": c.class_c / 100, "fund_payment": c.paid / 100,
            "annual_wage": c.annual_wage / 100, "personal_account_balance": c.account / 100,
            "mutual_aid_payment": c.mutual_aid / 100,
        }
        for c in found
    ]  # fmt: skip
    return read_claims(pd.DataFrame(rows), unit="yuan")
