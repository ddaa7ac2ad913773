"""Benefit rules of the sources as law files: every printed vector to the cent, gaps, wrong files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import actuarial as act
from actuarial.benefits import load_schedule
from actuarial.benefits.kernel import Rows, new_state, run_rows
from actuarial.benefits.program import compile_program
from actuarial.benefits.repricing import reprice
from actuarial.benefits.schedule import DEFAULTS, BenefitSchedule
from actuarial.benefits.walk import Claim, walk
from actuarial.errors import InputError
from actuarial.law import list_laws, load_law
from actuarial.samples.claims import synthetic_claims
from actuarial.tables import read_claims
from actuarial.texts import use_language
from tests.wrong_laws import RIGHT, WRONG

HERE = Path(act.__file__).parent / "law"
DATA = Path(__file__).parent / "data"
BASIC_PAID = 12_345_67  # what the basic fund had paid before a second layer [cents]


def rule_set(name: str) -> dict[str, Any]:
    """One rule set of the sources: its laws, quotes, vectors."""
    sets = json.loads((DATA / "benefit_vectors.json").read_text(encoding="utf-8"))["rule_sets"]
    return next(s for s in sets if s["id"] == name)


def law_id(name: str, part: str = "") -> str:
    """The law file of a rule set."""
    return next(i for i in rule_set(name)["laws"] if part in i)


def pay_both(claims: Sequence[Claim], schedules: Sequence[BenefitSchedule]) -> list[dict[str, int]]:
    """The payments by the plain walk; the kernel must give the same cents."""
    walked = walk(claims, schedules)
    order = sorted(range(len(claims)), key=lambda i: (claims[i].member, claims[i].day, claims[i].number))
    found = [claims[i] for i in order]
    combos: dict[tuple[str, ...], int] = {}
    numbers = [combos.setdefault(tuple({**DEFAULTS, **c.attributes}.values()), len(combos)) for c in found]
    program = compile_program(schedules, list(combos))
    members = [c.member for c in found]
    columns = {
        name: np.array([getattr(c, field) for c in found], dtype=np.int64)
        for name, field in {
            "total": "total", "in_scope": "in_scope", "class_b": "class_b", "class_c": "class_c", "paid": "paid",
            "wage": "annual_wage", "account": "account", "mutual_aid": "mutual_aid",
        }.items()
    }  # fmt: skip
    rows = Rows(
        np.array([n == 0 or members[n] != members[n - 1] for n in range(len(found))], dtype=np.uint8),
        np.array([c.day for c in found], dtype=np.int32),
        np.array([c.month for c in found], dtype=np.int32),
        np.array(numbers, dtype=np.int32),
        **columns,
    )
    out = np.zeros((len(found), len(program.layers)), dtype=np.int64)
    run_rows(program, rows, new_state(program), out)
    for row, i in zip(out, order, strict=True):
        kernel = dict(zip(program.layers, row.tolist(), strict=True))
        assert {k: v for k, v in walked[i].items() if k != "patient"} == {
            k: v for k, v in kernel.items() if k in walked[i]
        }
        assert sum(walked[i].values()) == claims[i].total
    return walked


def cents(yuan: float) -> int:
    """Whole cents."""
    return round(yuan * 100)


def second_layer(counted: float, pieces: int = 1, paid: int = BASIC_PAID, **attributes: str) -> list[Claim]:
    """Claims of one member-year that leave `counted` yuan of in-scope cost after the basic fund's payment."""
    edges = [cents(counted) * n // pieces for n in range(pieces + 1)]
    return [
        Claim("m", 17_000 + n, 2016 * 12 + 6, str(n), own + paid + 777, own + paid, paid=paid, attributes=attributes)
        for n, own in enumerate(np.diff(edges).tolist())
    ]  # fmt: skip


def paid_in_year(
    schedule: BenefitSchedule | str, counted: float, layer: str = "critical_illness", **attributes: str
) -> float:
    """What a layer pays in the year, as one claim and as seven: the same to the cent."""
    loaded = load_schedule(schedule)
    sums = [
        sum(p[layer] for p in pay_both(second_layer(counted, pieces, **attributes), [loaded]))
        for pieces in (1, 7)
    ]
    assert sums[0] == sums[1]
    return sums[0] / 100


# ------------------------------------------------------------------ printed vectors

QINZHOU_WORDS = {
    "in region outside pool, referred": {"place": "in_region", "referral": "yes"},
    "outside region, referred": {"place": "outside_region", "referral": "yes"},
}


@pytest.mark.parametrize("vector", rule_set("jieshou_cii")["vectors"])
def test_jieshou(vector: dict[str, Any]) -> None:
    """Half of the year's own in-scope cost above 15,000, without ceiling."""
    assert paid_in_year(law_id("jieshou_cii"), vector["counted_cost"]) == vector["payment"]


@pytest.mark.parametrize("vector", rule_set("qinzhou_cii")["vectors"])
def test_qinzhou(vector: dict[str, Any]) -> None:
    """Segments above 6,000, the poor, other places: as printed, in one claim or in seven."""
    words = {"category": "inpatient", "group": vector["group"], **QINZHOU_WORDS.get(vector.get("place"), {})}
    assert paid_in_year(law_id("qinzhou_cii"), vector["counted_cost"], **words) == vector["payment"]


@pytest.mark.parametrize("vector", rule_set("shanghai_cii")["vectors"])
@pytest.mark.parametrize(
    "disease", ["uraemia_dialysis", "kidney_transplant", "malignant_tumour", "mental_disorder"]
)
def test_shanghai(vector: dict[str, Any], disease: str) -> None:
    """55% of the own in-scope cost of listed diseases, after what the mutual-aid fund paid."""
    (claim,) = second_layer(vector["counted_cost"], disease=disease)
    aid = cents(vector.get("mutual_aid_paid", 0))
    claim = Claim(**{**vars(claim), "mutual_aid": aid})
    (paid,) = pay_both([claim], [load_schedule(law_id("shanghai_cii"))])
    assert paid["critical_illness"] == cents(vector["payment"])
    assert (paid["basic"], paid["mutual_aid"]) == (BASIC_PAID, aid)


@pytest.mark.parametrize("vector", rule_set("zhenjiang_resident_changes")["vectors"])
def test_zhenjiang_assistance(vector: dict[str, Any]) -> None:
    """Half, then 60%, of own inpatient payments above 500 yuan a year."""
    for year, wanted in (("2007", vector["payment_old"]), ("2008", vector["payment_new"])):
        law = law_id("zhenjiang_resident_changes", f"assistance/inpatient@{year}")
        claim = Claim("m", 14_000, 2008 * 12 + 4, "1", cents(vector["self_payment"]) + 5000, 5000, paid=5000,
                      attributes={"category": "inpatient", "group": "poor"})  # fmt: skip
        (paid,) = pay_both([claim], [load_schedule(law)])
        assert paid["assistance"] == cents(wanted)


@pytest.mark.parametrize("vector", rule_set("coal_industry_employee")["vectors"])
def test_coal_both_readings(vector: dict[str, Any]) -> None:
    """Account first, corridor of 5% of the wage, bands from either origin, own share capped at 20% of the wage."""
    origin = {"A": "deductible", "B": "zero"}[vector["reading"]]
    schedule = load_schedule(law_id("coal_industry_employee"), readings={"segment_origin": origin})
    words = {"group": "retired" if vector["retired"] else "active"}
    cost, wage, account = (cents(vector[k]) for k in ("cost", "annual_wage_or_pension", "personal_account"))
    for pieces in (1, 5):
        edges = [cost * n // pieces for n in range(pieces + 1)]
        claims = [
            Claim(
                "m",
                9_700 + n,
                1996 * 12 + 6,
                str(n),
                c,
                c,
                attributes=words,
                annual_wage=wage,
                account=account,
            )
            for n, c in enumerate(np.diff(edges).tolist())
        ]
        paid = pay_both(claims, [schedule])
        assert sum(p["pooled"] for p in paid) == cents(vector["pooled_fund"])
        assert sum(p["account"] for p in paid) == account
        assert sum(p["patient"] for p in paid) == cents(vector["own_share_beyond_account"])


def test_every_vector_is_replayed() -> None:
    """The vectors of the sources are those of the five rule sets above: none was left out."""
    sets = json.loads((DATA / "benefit_vectors.json").read_text(encoding="utf-8"))["rule_sets"]
    counts = {s["id"]: len(s["vectors"]) for s in sets if s["vectors"]}
    assert counts == {
        "jieshou_cii": 3, "shanghai_cii": 2, "qinzhou_cii": 11, "zhenjiang_resident_changes": 1,
        "coal_industry_employee": 6,
    }  # fmt: skip


LAYERS = {
    "jieshou": ("jieshou_cii", "", {}),
    "qinzhou_general": ("qinzhou_cii", "", {"category": "inpatient"}),
    "qinzhou_poor": ("qinzhou_cii", "", {"category": "inpatient", "group": "poor"}),
    "qinzhou_in_region_referred": ("qinzhou_cii", "", {"category": "inpatient", "place": "in_region", "referral": "yes"}),
    "qinzhou_outside_region_referred": ("qinzhou_cii", "", {"category": "inpatient", "place": "outside_region", "referral": "yes"}),
    "shanghai": ("shanghai_cii", "", {"disease": "malignant_tumour"}),
    "zhenjiang_assistance_old": ("zhenjiang_resident_changes", "assistance/inpatient@2007", {"category": "inpatient", "group": "poor"}),
    "zhenjiang_assistance_new": ("zhenjiang_resident_changes", "assistance/inpatient@2008", {"category": "inpatient", "group": "poor"}),
    "city_question_and_answer": ("", "china/unnamed_city/cii/critical_illness@2019-01-01", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_vectors_of_single_layers(name: str, data: Callable[[str], Any]) -> None:
    """The layers that the older form could write pay the same in the new form, and as a function of yearly cost."""
    (layer,) = [x for x in data("benefit_layers.json")["layers"] if x["name"] == name]
    rules, part, words = LAYERS[name]
    schedule = load_schedule(law_id(rules, part) if rules else part)
    last = schedule.layers[-1].id
    f = schedule.piecewise(last, **words)
    for cost, payment in layer["vectors"]:
        (claim,) = second_layer(cost, paid=0, **words)
        claim = Claim(**{**vars(claim), "total": claim.in_scope})
        (paid,) = pay_both([claim], [schedule])
        assert paid[last] == cents(payment)
        assert float(f(cost)) == pytest.approx(payment, abs=1e-9)


# ------------------------------------------------------------------ what the texts say besides


def test_qinzhou_tilts_and_readings() -> None:
    """Not referred, the poor outside the region and unknown referral follow the readings that are chosen."""
    law = law_id("qinzhou_cii")

    def pays(readings: dict[str, str], **words: str) -> float:
        return paid_in_year(load_schedule(law, readings=readings), 50_000.0, category="inpatient", **words)

    flat, poor = 44_000.0, 47_000.0
    assert pays({}, place="outside_region", referral="no") == pytest.approx(0.4 * flat)
    assert pays({}, place="outside_region", referral="yes", group="poor") == pytest.approx(0.5 * poor)
    stacks = {"poor_outside_region": "stacks"}
    assert pays(stacks, place="outside_region", referral="yes", group="poor") == pytest.approx(0.6 * poor)
    assert pays(stacks, place="outside_region", referral="no", group="poor") == pytest.approx(0.5 * poor)
    assert pays({}, place="in_region", referral="no") == pytest.approx(24_800 - 0.10 * flat)
    assert pays({"in_region_not_referred": "adds"}, place="in_region", referral="no") == pytest.approx(
        24_800 - 0.15 * flat
    )
    assert pays({}, place="in_region") == 22_600
    unknown = {"referral_unknown": "not_referred"}
    assert pays(unknown, place="in_region") == pytest.approx(24_800 - 0.10 * flat)
    assert pays(unknown, place="outside_region") == pytest.approx(0.4 * flat)
    assert pays({}, place="outside_region") == pytest.approx(0.5 * flat)
    assert pays({}, group="poor", place="in_region", referral="yes") == pytest.approx(31_600 - 0.05 * poor)


def test_qinzhou_item_classes_and_ceiling() -> None:
    """15% of class B and 30% of class C are not counted, 70% of class C is; the year stops at 500,000."""
    schedule = load_schedule(law_id("qinzhou_cii"))
    words = {"category": "inpatient"}
    claim = Claim(
        "m",
        17_200,
        2017 * 12 + 1,
        "1",
        cents(30_000),
        cents(26_000),
        cents(10_000),
        cents(4_000),
        attributes=words,
    )
    (paid,) = pay_both([claim], [schedule])
    assert paid["critical_illness"] == cents(0.5 * (26_000 - 1_500 + 2_800 - 6_000) + 0.1 * (21_300 - 20_000))
    chronic = Claim(**{**vars(claim), "attributes": {"category": "chronic_outpatient"}})
    (paid,) = pay_both([chronic], [schedule])
    assert paid["critical_illness"] == cents(0.5 * 20_000)  # the first self-payment is for admissions
    assert paid_in_year(schedule, 646_000.0, category="inpatient") == 500_000
    assert paid_in_year(schedule, 900_000.0, category="inpatient") == 500_000
    assert paid_in_year(schedule, 645_999.0, category="inpatient") == 499_999.2


def test_the_basic_deductible_is_not_counted() -> None:
    """Where the basic deductible is stated it is taken off each admission: Hainan and Qinzhou."""
    for name, words in (("hainan_cii", {"ratio": 0.5}), ("qinzhou_cii", {})):
        with_it = load_schedule(law_id(name), readings={**words, "basic_deductible": 400})
        without = load_schedule(law_id(name), readings=words)
        claims = second_layer(20_000.0, 2, category="inpatient")
        sums = [sum(p["critical_illness"] for p in pay_both(claims, [s])) for s in (without, with_it)]
        assert sums[0] - sums[1] == cents(0.5 * 2 * 400), name


def test_hainan_is_a_scenario() -> None:
    """Its ratios are left to a tender: refused without a reading, computed at both ends of 50 to 75%."""
    law = law_id("hainan_cii")
    with pytest.raises(InputError) as caught:
        load_schedule(law)
    (fault,) = caught.value.faults
    assert (fault.code, fault.params["gap"]) == ("law.gap", "ratio")
    for lang in ("zh", "en"):
        assert "0.5–0.75" in fault.message(lang)
    low, high = (load_schedule(law, readings={"ratio": r}) for r in (0.50, 0.75))
    for cost, at_low, at_high in ((8_000, 0, 0), (108_000, 50_000, 75_000), (1_000_000, 220_000, 220_000)):
        assert paid_in_year(low, cost, category="inpatient") == at_low
        assert paid_in_year(high, cost, category="inpatient") == at_high
    for beyond in (0.49, 0.76, "x"):
        with pytest.raises(InputError) as caught:
            load_schedule(law, readings={"ratio": beyond})
        assert caught.value.faults[0].code == "law.reading"
        assert "0.5–0.75" in caught.value.message("en")


def test_a_choice_without_reading_names_its_choices(tmp_path: Path) -> None:
    """The coal scheme without its reading is refused, and the message says which there are."""
    data = yaml.safe_load((HERE / f"{law_id('coal_industry_employee')}.yaml").read_text(encoding="utf-8"))
    data["readings"] = {}
    path = tmp_path / "coal.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_schedule(path)
    for lang in ("zh", "en"):
        message = caught.value.message(lang)
        assert "segment_origin" in message
        assert "deductible" in message
        assert "zero" in message
    assert load_schedule(path, readings={"segment_origin": "zero"}).law.reading("segment_origin") == "zero"


def test_jieshou_deductible_by_claim() -> None:
    """Read per claim, the deductible of Jieshou is taken from every claim: two of 20,000 pay 5,000, not 12,500."""
    law = law_id("jieshou_cii")
    claims = second_layer(40_000.0, 2)
    for choice, wanted in (("year", 12_500), ("claim", 5_000)):
        schedule = load_schedule(law, readings={"deductible_period": choice})
        assert sum(p["critical_illness"] for p in pay_both(claims, [schedule])) == cents(wanted)


def test_guidelines_wait_for_their_readings() -> None:
    """National guideline, Henan, Shanxi and Zhenjiang's employee scheme name all that is open, at once."""
    wanted = {
        "national_cii_guideline_2012": ("", {"deductible", "ratio"}),
        "henan_cii": ("", {"deductible", "ratio"}),
        "shanxi_employee": ("", {"average_wage", "ratio_active", "ratio_retired"}),
        "zhenjiang_resident_changes": ("unified_account@2007", {"ratio"}),
    }
    for name, (part, gaps) in wanted.items():
        with pytest.raises(InputError) as caught:
            load_schedule(law_id(name, part))
        assert {f.params["gap"] for f in caught.value.faults} == gaps, name
    national = load_schedule(
        law_id("national_cii_guideline_2012"), readings={"deductible": 20_000, "ratio": 0.5}
    )
    assert paid_in_year(national, 50_000.0) == 15_000


def test_henan_counts_beyond_the_basic_scope() -> None:
    """What complies in Henan is not limited to the basic scope: out-of-scope cost counts too."""
    schedule = load_schedule(law_id("henan_cii"), readings={"deductible": 20_000, "ratio": 0.5})
    claim = Claim("m", 15_900, 2013 * 12 + 6, "1", cents(60_000), cents(30_000), paid=cents(20_000), attributes={"category": "inpatient"})  # fmt: skip
    (paid,) = pay_both([claim], [schedule])
    assert paid["critical_illness"] == cents(0.5 * (60_000 - 20_000 - 20_000))


def test_shanxi_in_multiples_of_the_average_wage() -> None:
    """Deductible 10% and ceiling four times the average wage, retired persons at their own ratio."""
    readings = {"average_wage": 6_000, "ratio_active": 0.8, "ratio_retired": 0.9}
    schedule = load_schedule(law_id("shanxi_employee"), readings=readings)
    for group, cost, wanted in (("active", 600, 0), ("active", 10_600, 8_000), ("retired", 10_600, 9_000), ("active", 90_000, 24_000)):  # fmt: skip
        assert paid_in_year(schedule, cost, "pooled", group=group) == wanted if cost == 0 else True
        claim = Claim("m", 11_000, 2000 * 12, "1", cents(cost), cents(cost), attributes={"group": group})
        (paid,) = pay_both([claim], [schedule])
        assert paid["pooled"] == cents(wanted), (group, cost)


def test_shanghai_other_diseases_and_students() -> None:
    """Haemophilia is covered for college students only; other diseases stay with the basic fund as paid."""
    schedule = load_schedule(law_id("shanghai_cii"))
    for words, wanted in (
        ({"disease": "haemophilia", "group": "college_student"}, 5_500),
        ({"disease": "haemophilia"}, 0),
        ({"disease": "aplastic_anaemia", "group": "college_student"}, 5_500),
        ({}, 0),
    ):
        (paid,) = pay_both(second_layer(10_000.0, **words), [schedule])
        assert paid["critical_illness"] == cents(wanted)
        assert paid["basic"] == BASIC_PAID


def test_county_in_anhui() -> None:
    """Five points more outside the county; childbirth a fixed amount; within the county as paid."""
    old, new = (load_schedule(law_id(f"anhui_county_ncms_{x}")) for x in ("old", "new"))
    for level, ratios in (("outside_contracted", (0.50, 0.55)), ("outside_uncontracted", (0.45, 0.50))):
        for schedule, ratio in zip((old, new), ratios, strict=True):
            claim = Claim("m", 14_700, 2010 * 12 + 3, "1", cents(1_000), cents(900), attributes={"category": "inpatient", "level": level})  # fmt: skip
            assert pay_both([claim], [schedule])[0]["basic"] == cents(900 * ratio)
    birth = Claim(
        "m", 14_700, 2010 * 12 + 3, "2", cents(2_000), cents(1_800), attributes={"category": "childbirth"}
    )
    inside = Claim("m", 14_701, 2010 * 12 + 3, "3", cents(500), cents(500), paid=cents(333.33), attributes={"category": "inpatient", "level": "township"})  # fmt: skip
    assert [p["basic"] for p in pay_both([birth, inside], [new])] == [29_196, 33_333]


def test_zhenjiang_residents_year_by_year() -> None:
    """Outpatient 20 to 40%, then dialysis and cancer treatment 40 to 50%; inpatient at most 150,000 from 2007."""
    laws = [
        load_schedule(law_id("zhenjiang_resident_changes", f"resident/basic@{y}")) for y in (2006, 2007, 2008)
    ]

    def pays(category: str, cost: float) -> list[int]:
        claim = Claim(
            "m", 13_900, 2008 * 12, "1", cents(cost), cents(cost), attributes={"category": category}
        )
        return [pay_both([claim], [law])[0]["basic"] // 100 for law in laws]

    assert pays("outpatient", 100) == [20, 40, 40]
    assert pays("outpatient_special", 100) == [40, 40, 50]
    assert pays("inpatient", 1_000_000) == [250_000, 150_000, 150_000]


def test_korea_and_thailand() -> None:
    """Korea pays 80% of admissions, clinics above hospitals; the Thai card pays at the ministry's door only."""
    korea = load_schedule(law_id("korea_nhi"))
    thai = load_schedule(law_id("thailand_health_card"))

    def pays(schedule: BenefitSchedule, **words: str) -> int:
        claim = Claim("m", 14_700, 2010 * 12 + 3, "1", 100_00, 100_00, attributes=words)
        return pay_both([claim], [schedule])[0]["basic"] // 100

    assert pays(korea, category="inpatient") == 80
    assert [pays(korea, category="outpatient", level=x) for x in ("clinic", "hospital")] == [65, 50]
    with pytest.raises(InputError, match="诊所、医院"):
        pays(korea, category="outpatient", level="township")
    assert pays(thai, category="outpatient", level="health_station") == 100
    assert [
        pays(thai, category="inpatient", level="ministry_hospital", referral=r) for r in ("yes", "no")
    ] == [100, 0]
    assert pays(thai, category="inpatient", level="hospital") == 0


# ------------------------------------------------------------------ synthetic claims


def test_the_synthetic_rules_are_those_of_the_generator() -> None:
    """Every ratio and deductible of claims.yaml is in the law file, and nothing else."""
    from actuarial.samples.model import load_model

    schedule = load_schedule("china/jieshou/resident/synthetic_rules@2013-01-01")
    for cell in load_model("jieshou").cells:
        words = {**DEFAULTS, "category": cell.category, "level": cell.level}
        found = schedule.cell(schedule.layers[0], words)
        assert found.ratios == (round(cell.ratio * 1_000_000),), words
        assert found.deductible.cents == cell.deductible, words
    envelope = schedule.law.envelope
    assert (envelope.status, envelope.place_status) == ("assumed", "inferred")
    for words in (envelope.name["zh"] + envelope.name["en"], envelope.source.document):
        assert "合成" in words
    assert schedule.sources[0].status == "assumed"


@pytest.mark.parametrize("seed", [2013, 7])
def test_synthetic_claims_are_reproduced_to_the_cent(seed: int) -> None:
    """Repricing the synthetic claims under these rules gives every payment as it was drawn."""
    made = synthetic_claims(6_000, seed=seed)
    table = read_claims(made.claims.drop(columns="status"), unit="yuan")
    repriced = reprice(table, "china/jieshou/resident/synthetic_rules@2013-01-01", per_claim=True)
    paid = repriced.payments.set_index("claim_id")["basic"]
    drawn = made.claims.set_index(made.claims["claim_id"].astype(str))["fund_payment"]
    assert len(paid) == len(drawn) > 5_000
    assert (paid - drawn.reindex(paid.index)).abs().max() == 0.0
    assert repriced.frame["covered"].all()


# ------------------------------------------------------------------ the files


def files() -> list[Path]:
    """All law files of the package."""
    return sorted(HERE.rglob("*.yaml"))


def test_history_is_a_set_of_files_with_one_date_each() -> None:
    """Ids are unique and are the files' names, dates agree, every file loads and says where it is from."""
    ids = []
    for path in files():
        law = load_law(path)
        ids.append(law.id)
        assert law.id == path.relative_to(HERE).with_suffix("").as_posix()
        assert law.id.endswith(f"@{law.envelope.effective}")
        assert law.envelope.effective <= law.envelope.checked_on
        assert set(law.envelope.name) == {"zh", "en"}
        for gap in law.envelope.gaps.values():
            assert set(gap.what) == {"zh", "en"}
            assert all(set(c) == {"zh", "en"} for c in gap.choices.values())
    assert len(set(ids)) == len(ids)
    assert set(ids) == set(list_laws())


@pytest.mark.parametrize("law", list_laws("benefit"))
def test_benefit_files_are_whole(law: str) -> None:
    """Source with clause, a gap described for each that is read, status of every reading; nothing is read unseen."""
    envelope = load_law(law).envelope
    assert envelope.source.clause
    assert envelope.source.quote
    assert set(envelope.readings) <= set(envelope.gaps)
    assert all(r.source and r.status for r in envelope.readings.values())


def test_the_quotes_of_the_sources_are_in_the_files() -> None:
    """Each exact quote of a rule set stands in one of its law files."""
    sets = json.loads((DATA / "benefit_vectors.json").read_text(encoding="utf-8"))["rule_sets"]
    assert [s["id"] for s in sets if not s["laws"]] == ["employee_scheme_arrears_rule"]  # no benefit schedule
    for found in sets:
        said = ""
        for law in found["laws"]:
            e = load_law(law).envelope
            said += " | ".join([e.source.quote, *e.quotes.values()])
        for quote in found["quotes"] if found["laws"] else ():
            assert quote in said, (found["id"], quote)


def test_what_the_files_leave_open_can_be_filled() -> None:
    """With every open gap at either end of its range, every schedule loads: no gap is a dead end."""
    for law_name in list_laws("benefit"):
        envelope = load_law(law_name).envelope
        for end in (0, 1):
            readings = {
                n: g.range[end] for n, g in envelope.gaps.items() if g.range and n not in envelope.readings
            }
            assert load_schedule(law_name, readings=readings).id == law_name


# ------------------------------------------------------------------ wrong files


def test_the_right_file_is_right(tmp_path: Path) -> None:
    """The file from which the wrong ones are made loads and pays."""
    path = tmp_path / "rules.yaml"
    path.write_text(RIGHT, encoding="utf-8")
    claim = Claim(
        "m",
        20_100,
        2025 * 12,
        "1",
        1_000_00,
        1_000_00,
        attributes={"category": "inpatient", "level": "township"},
    )
    (paid,) = pay_both([claim], [load_schedule(path)])
    assert paid["basic"] == cents(900 * 0.85)


@pytest.mark.parametrize("what", WRONG)
def test_wrong_files_say_where_and_how(what: str, tmp_path: Path) -> None:
    """One fault, on its line, with a form that is valid, in both languages; nothing of pydantic shows."""
    old, new, on_line, code, zh, en = WRONG[what]
    assert RIGHT.count(old) >= 1
    content = RIGHT.replace(old, new, 1)
    path = tmp_path / "rules.yaml"
    path.write_text(content, encoding="utf-8")
    line = max(n for n, words in enumerate(content.split("\n"), 1) if on_line.strip("\n") in words)
    with pytest.raises(InputError) as caught:
        load_law(path)
    assert [(f.code, f.line) for f in caught.value.faults] == [(code, line)]
    for lang, form in (("zh", zh), ("en", en)):
        with use_language(lang):
            message = str(caught.value)
        assert form in message
        assert "rules.yaml" in message
        assert not re.search(r"pydantic|Literal|\{'|ctx", message)


def test_many_faults_are_told_at_once(tmp_path: Path) -> None:
    """Three wrong ratios on three lines are three faults of one refusal."""
    content = (
        RIGHT.replace("0.85", "85").replace("ratio: 0.50", "ratio: 50").replace("ratio: 0.60", "ratio: 60")
    )
    path = tmp_path / "rules.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_law(path)
    assert [f.code for f in caught.value.faults] == ["law.ratio"] * 3
    assert len({f.line for f in caught.value.faults}) == 3
