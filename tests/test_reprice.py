"""Repricing: the kernel against the plain walk, conservation, order, engines, files, what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actuarial.benefits.kernel import Rows, new_state, run_rows
from actuarial.benefits.program import compile_program
from actuarial.benefits.repricing import Resident, reprice
from actuarial.benefits.schedule import DEFAULTS, BenefitSchedule
from actuarial.benefits.walk import Claim, walk
from actuarial.errors import DataWarning, InputError
from tests.schedules import claims, payloads, schedule_of, table_of


def rows_by_hand(found: list[Claim]) -> tuple[Rows, list[int], list[tuple[str, ...]]]:
    """Kernel rows made from claims without the package's own reading."""
    order = sorted(range(len(found)), key=lambda i: (found[i].member, found[i].day, found[i].number))
    sorted_ = [found[i] for i in order]
    combos = list(dict.fromkeys(tuple(c.attributes.get(k, d) for k, d in DEFAULTS.items()) for c in sorted_))

    def ints(name: str, kind: Any = np.int64) -> Any:
        return np.array([getattr(c, name) for c in sorted_], dtype=kind)

    new = [n == 0 or c.member != sorted_[n - 1].member for n, c in enumerate(sorted_)]
    combo = [combos.index(tuple(c.attributes.get(k, d) for k, d in DEFAULTS.items())) for c in sorted_]
    rows = Rows(
        np.array(new, dtype=np.uint8), ints("day", np.int32), ints("month", np.int32), np.array(combo, dtype=np.int32),
        ints("total"), ints("in_scope"), ints("class_b"), ints("class_c"), ints("paid"), ints("annual_wage"),
        ints("account"), ints("mutual_aid"),
    )  # fmt: skip
    return rows, order, combos


def kernel(found: list[Claim], schedules: list[BenefitSchedule], batch: int = 10**9) -> list[dict[str, int]]:
    """What the kernel pays, in the order of `found`, fed in batches of so many rows."""
    rows, order, combos = rows_by_hand(found)
    program = compile_program(schedules, combos)
    state = new_state(program)
    out = np.zeros((len(found), len(program.layers)), dtype=np.int64)
    for low in range(0, len(found), batch):
        part = Rows._make(a[low : low + batch] for a in rows)
        run_rows(program, part, state, out[low : low + batch])
    answer: list[dict[str, int]] = [{}] * len(found)
    for place, i in enumerate(order):
        paid = dict(zip(program.layers, out[place].tolist(), strict=True))
        answer[i] = {**paid, "patient": found[i].total - sum(paid.values())}
    return answer


def same(one: list[dict[str, int]], other: list[dict[str, int]]) -> None:
    """Assert equal payments; a layer that a version does not have pays nothing."""
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert {k: v for k, v in a.items() if v} == {k: v for k, v in b.items() if v}


@given(payloads(), claims())
@settings(max_examples=250)
def test_the_kernel_pays_what_the_plain_walk_pays(payload: dict[str, Any], found: list[Claim]) -> None:
    """Random schedules and claims: the same cents, layer by layer, claim by claim."""
    schedule = schedule_of(payload)
    same(kernel(found, [schedule]), walk(found, [schedule]))


@given(payloads(), payloads(), claims(), st.integers(15_300, 15_800), st.integers(1, 5))
@settings(max_examples=150)
def test_a_change_within_the_year_and_batches(
    old: dict[str, Any], new: dict[str, Any], found: list[Claim], day: int, batch: int
) -> None:
    """Two dated schedules, accumulators carried or reset, fed in batches of any size: still the walk's cents."""
    date = pd.Timestamp(day, unit="D").date().isoformat()
    new["year_starts_in_month"] = old["year_starts_in_month"]
    both = [schedule_of(old, "2010-01-01"), schedule_of(new, date)]
    same(kernel(found, both, batch), walk(found, both))


@given(payloads(), claims())
def test_every_cent_lands_with_one_party(payload: dict[str, Any], found: list[Claim]) -> None:
    """Payments are not negative, sum to the claim with the patient's part, and keep within yearly ceilings."""
    schedule = schedule_of(payload)
    paid = walk(found, [schedule])
    for claim, parts in zip(found, paid, strict=True):
        assert min(parts.values()) >= 0
        assert sum(parts.values()) == claim.total
    for layer in schedule.layers:
        for ceiling in layer.ceilings:
            used: dict[Any, int] = {}
            for claim, parts in zip(found, paid, strict=True):
                cell = schedule.cell(layer, {**DEFAULTS, **claim.attributes})
                limits = dict(cell.ceilings)
                if f"{layer.id}.{ceiling.id}" in limits and schedule.covers({**DEFAULTS, **claim.attributes}):
                    year = (claim.month - schedule.payload.year_starts_in_month + 1) // 12
                    key = (claim.member, year)
                    used[key] = used.get(key, 0) + parts[layer.id]
                    assert used[key] <= limits[f"{layer.id}.{ceiling.id}"].of(claim.annual_wage)


@given(payloads(), claims(), st.randoms())
@settings(max_examples=12)
def test_from_a_table_in_any_order_of_rows(payload: dict[str, Any], found: list[Claim], rng: Any) -> None:
    """A shuffled table of the claims gives the walk's cents: by claim, and added up, on one thread and on two."""
    schedule = schedule_of(payload)
    shuffled = list(found)
    rng.shuffle(shuffled)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        answers = [reprice(table_of(shuffled), schedule, per_claim=True, threads=t) for t in (1, 2)]
    expected = {c.number: p for c, p in zip(found, walk(found, [schedule]), strict=True)}
    for answer in answers:
        assert answer.payments is not None
        for row in answer.payments.to_dict("records"):
            wanted = expected[row["claim_id"]]
            assert {k: round(v * 100) for k, v in row.items() if k != "claim_id"} == wanted
        for name in (*answer.layers, "patient"):
            assert round(answer.frame[name].sum() * 100) == sum(p[name] for p in expected.values())
    assert answers[0].frame.equals(answers[1].frame)


def simple(ratio: Any = 0.7, **rule: Any) -> dict[str, Any]:
    """A schedule of one rule."""
    return {"layers": [{"id": "basic", "bearer": "basic_fund", "rules": [{"ratio": ratio, **rule}]}]}


@given(claims(), st.data())
def test_monotone_and_free_of_order_where_the_schedule_implies_it(found: list[Claim], data: Any) -> None:
    """One rule for all claims: more cost never pays less; without year-long state the order of claims plays no part."""
    ratio = data.draw(st.integers(0, 100)) / 100
    plain = schedule_of(simple(ratio, deductible=data.draw(st.integers(0, 300))))
    year = schedule_of(simple(ratio, deductible=data.draw(st.integers(0, 300)), accumulate="year"))
    more = [Claim(**{**c.__dict__, "in_scope": c.in_scope + 500, "total": c.total + 500}) for c in found]
    for schedule in (plain, year):
        before, after = (sum(p["basic"] for p in walk(x, [schedule])) for x in (found, more))
        assert after >= before
    assert plain.order_free
    assert not year.order_free
    turned = [Claim(**{**c.__dict__, "number": f"{999 - int(c.number)}"}) for c in found]
    assert [p["basic"] for p in walk(turned, [plain])] == [p["basic"] for p in walk(found, [plain])]


def test_a_year_is_paid_the_same_however_it_is_cut_into_claims() -> None:
    """With a year's accumulator the sum of payments is F of the year's cost: a thousand cents, one by one, at 70%."""
    schedule = schedule_of(simple(0.7, accumulate="year", deductible=1))
    cents = [Claim("m", 15_400, 24_150, f"{n:04d}", 1, 1) for n in range(1000)]
    whole = [Claim("m", 15_400, 24_150, "1", 1000, 1000)]
    assert sum(p["basic"] for p in walk(cents, [schedule])) == 630
    assert walk(whole, [schedule])[0]["basic"] == 630


def test_reversals_are_taken_out_before_the_walk() -> None:
    """A reversed claim leaves no trace in the year's accumulator: the next claim pays as if it had not been."""
    rows = [
        ("1", "m", "2012-03-01", 800.0, ""),
        ("2", "m", "2012-03-02", -800.0, "1"),
        ("3", "m", "2012-05-01", 900.0, ""),
    ]
    from actuarial.tables import read_claims

    frame = pd.DataFrame(
        rows, columns=["claim_id", "member_id", "service_date", "in_scope_cost", "reversal_of"]
    )
    frame["fund_payment"], frame["category"] = frame["in_scope_cost"], "inpatient"
    schedule = schedule_of(simple(0.5, accumulate="year", deductible=500))
    answer = reprice(read_claims(frame, unit="yuan"), schedule)
    assert answer.paid_by("basic_fund") == 200.0


def test_claims_without_a_rule_stay_as_they_were_paid() -> None:
    """A category that no rule names keeps its payment, and a warning says how many and which."""
    schedule = schedule_of(simple(0.5, when={"category": "inpatient"}))
    found = [
        Claim("m", 15_400, 24_150, "1", 1000, 1000, paid=123, attributes={"category": "outpatient_pooling"}),
        Claim("m", 15_400, 24_150, "2", 1000, 1000, paid=9, attributes={"category": "inpatient"}),
    ]
    filled = [
        Claim(**{**c.__dict__, "attributes": {**DEFAULTS, "level": "township", **c.attributes}})
        for c in found
    ]
    with pytest.warns(DataWarning, match="门诊统筹"):
        answer = reprice(table_of(filled), schedule)
    assert answer.paid_by("basic_fund") == 1.23 + 5.0


@pytest.mark.parametrize("missing", ["in_scope_cost", "class_b_cost", "annual_wage"])
def test_a_column_that_the_rules_count_must_be_there(missing: str) -> None:
    """Claims without a column that the schedule counts are refused, and the message names it."""
    layer = {
        "id": "basic", "bearer": "basic_fund",
        "counted": {"of": "in_scope", "item_self_payment_first": {"class_b": 0.15}},
        "rules": [{"ratio": 0.5, "deductible": {"share_of": "annual_wage", "share": 0.05}}],
    }  # fmt: skip
    frame = table_of([Claim("m", 15_400, 24_150, "1", 1000, 1000, attributes={**DEFAULTS, "category": "inpatient", "level": "township"})]).frame  # fmt: skip
    table = table_of([Claim("m", 15_400, 24_150, "1", 1000, 1000, attributes={**DEFAULTS, "category": "inpatient", "level": "township"})])  # fmt: skip
    from dataclasses import replace

    with pytest.raises(InputError) as caught:
        reprice(
            replace(table, frame=frame.drop(columns=f"{missing}_cents")), schedule_of({"layers": [layer]})
        )
    assert [f.code for f in caught.value.faults] == ["benefits.column"]


def test_resident_claims_are_cut_where_members_begin() -> None:
    """Threads get whole members, whatever their number; no claims at all give an empty answer."""
    found = [Claim(f"m{n // 3}", 15_400, 24_150, f"{n:03d}", 1000, 1000, attributes={**DEFAULTS, "category": "inpatient", "level": "township"}) for n in range(20)]  # fmt: skip
    resident = Resident.of(table_of(found))
    for parts in (1, 2, 3, 50):
        cuts = resident.cuts(parts)
        assert cuts[0] == 0
        assert cuts[-1] == 20
        assert all(c in {*resident.borders.tolist(), 20} for c in cuts)
