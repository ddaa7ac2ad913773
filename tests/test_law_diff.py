"""What changed between two law files, and laws with some of the changes."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

import actuarial as act
from actuarial.errors import InputError
from actuarial.law import Law, list_laws, load_law
from actuarial.law.diff import ABSENT, Change, _normal, apply_changes, diff_laws

JEMINAY = ("china/jeminay/ncms/basic@2011-01-01", "china/jeminay/ncms/basic@2011-04-26")
HERE = Path(act.__file__).parent / "law"


def raw(law_id: str) -> dict[str, Any]:
    """A law file as data."""
    return yaml.safe_load((HERE / f"{law_id}.yaml").read_text(encoding="utf-8"))


def written(folder: Path, data: dict[str, Any]) -> Law:
    """A law from data."""
    path = folder / f"law{len(list(folder.iterdir()))}.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load_law(path)


def test_jeminay_has_five_changes_that_pay() -> None:
    """Four ratios and the ceiling, each by itself; the transition clause comes with the new file."""
    old, new = map(load_law, JEMINAY)
    changes = diff_laws(old, new)
    found = {c.dotted: (c.old, c.new) for c in changes}
    transition = found.pop("transition")
    assert transition[0] is ABSENT
    assert found == {
        "layers.basic.rules.0.ratio.township": (0.80, 0.85),
        "layers.basic.rules.0.ratio.county_level": (0.60, 0.65),
        "layers.basic.rules.0.ratio.prefecture": (0.50, 0.55),
        "layers.basic.rules.0.ratio.autonomous_region": (0.40, 0.45),
        "layers.basic.ceilings.year.amount": (25000, 50000),
    }
    one = apply_changes(old, changes[:1]).payload.layers[0].rules[0].ratio
    assert (one.table["township"].value, one.table["county_level"].value) == (0.85, 0.60)
    assert apply_changes(old, changes).payload == new.payload
    assert old.payload == load_law(JEMINAY[0]).payload  # the law itself stays


def test_the_gap_of_a_new_term_comes_with_its_reading() -> None:
    """A change that names a gap which the old file lacks brings the gap and how it is read."""
    old, new = map(load_law, JEMINAY)
    (change,) = [c for c in diff_laws(old, new) if c.path == ("transition",)]
    made = apply_changes(old, [change])
    assert made.reading("transition") == "carried"
    assert "transition" in made.envelope.gaps
    assert made.id == old.id


@pytest.mark.parametrize("kind", ["benefit", "contract", "layer", "costing", "subsidy", "threshold"])
def test_all_changes_together_are_the_other_law(kind: str) -> None:
    """For every ordered pair of laws of a kind: the old law with all changes is the new one."""
    laws = [load_law(i) for i in list_laws(kind)]
    for a in laws:
        assert diff_laws(a, a) == ()
        for b in laws:
            made = apply_changes(a, diff_laws(a, b))
            assert made.envelope.payload == _normal(b.envelope.payload), (a.id, b.id)
            assert made.payload == b.payload


def edit(data: dict[str, Any], rng: random.Random) -> None:
    """One random change of a benefit file that leaves it valid."""
    layers = data["payload"]["layers"]
    layer = rng.choice([x for x in layers if x.get("rules")])
    what = rng.randrange(6)
    if what == 0:
        layer.setdefault("ceilings", []).insert(0, {"id": f"c{rng.randrange(10**6)}", "amount": 9000})
    elif what == 1:
        layer["rules"].append({"when": {"level": "clinic"}, "ratio": 0.5})
    elif what == 2:
        rule = rng.choice(layer["rules"])
        for way in ("ratio", "segments", "fixed"):
            rule.pop(way, None)
        rule["segments"] = [{"over": 0, "ratio": rng.randrange(100) / 100}, {"over": 7000, "ratio": 0.9}]
    elif what == 3:
        rng.choice(layer["rules"])["claim_ceiling"] = rng.randrange(10**5)
    elif what == 4:
        layers.insert(0, {"id": f"l{rng.randrange(10**6)}", "bearer": "mutual_aid", "pays": "mutual_aid"})
    else:
        data["payload"].setdefault("parameters", {})["wage"] = 20000
        layer["stop_loss"] = [{"amount": {"share_of": "wage", "share": rng.randrange(9)}}]


@pytest.mark.parametrize("seed", range(30))
def test_random_edits_come_back(seed: int, tmp_path: Path) -> None:
    """Whatever was edited, the changes lead from either file to the other, and each that pays stands alone."""
    rng = random.Random(seed)
    before = raw(rng.choice(list_laws("benefit")))
    after = copy.deepcopy(before)
    for _ in range(rng.randint(1, 4)):
        edit(after, rng)
    a, b = written(tmp_path, before), written(tmp_path, after)
    assert apply_changes(a, diff_laws(a, b)).payload == b.payload
    assert apply_changes(b, diff_laws(b, a)).payload == a.payload
    changes = diff_laws(a, b)
    assert changes
    for change in changes:
        assert change.label("zh")
        assert change.label("en")
        if change.pays:
            assert apply_changes(a, [change]).payload != a.payload


def test_words_by_any_name_are_no_change(tmp_path: Path) -> None:
    """A word written in Chinese in one file and as identifier in the other is the same word."""
    data = raw(JEMINAY[0])
    rule = data["payload"]["layers"][0]["rules"][0]
    rule["when"] = {"category": ["inpatient"]}
    rule["ratio"] = {"by": "level", "township": 0.80, "county_level": 0.60, "地级": 0.50, "省级医院": 0.40}
    assert diff_laws(load_law(JEMINAY[0]), written(tmp_path, data)) == ()


def test_another_way_to_pay_is_one_change(tmp_path: Path) -> None:
    """A rule that paid by ratio and now by segments changes as a whole: half of it would be no rule."""
    data = raw(JEMINAY[0])
    rule = data["payload"]["layers"][0]["rules"][0]
    del rule["ratio"]
    rule["segments"] = [{"over": 0, "ratio": 0.5}]
    (change,) = diff_laws(load_law(JEMINAY[0]), written(tmp_path, data))
    assert change.path == ("layers", "basic", "rules", 0)


def test_another_reading_is_a_change(tmp_path: Path) -> None:
    """The same gap read otherwise changes what is paid, so it is listed and can be applied."""
    data = raw(JEMINAY[0])
    data["readings"]["deductible"]["value"] = 300
    a, b = load_law(JEMINAY[0]), written(tmp_path, data)
    (change,) = diff_laws(a, b)
    assert change.path == ("readings", "deductible")
    made = apply_changes(a, [change]).envelope.readings["deductible"]
    assert made.value == 300


def test_kinds_do_not_mix() -> None:
    """A contract and a costing cannot be compared, and the message says so."""
    a, b = load_law("china/jiande/contract/cooperation@2012-01-01"), load_law(JEMINAY[0])
    with pytest.raises(InputError, match="contract"):
        diff_laws(a, b)


def test_a_place_that_is_not_there_is_refused() -> None:
    """A change made for another law is not silently dropped."""
    for path in (("layers", "no", "ceilings", "year"), ("layers", "basic", "rules", 7, "ratio")):
        with pytest.raises(InputError) as caught:
            apply_changes(load_law(JEMINAY[0]), [Change(path, 1, 2)])
        assert caught.value.faults[0].code == "law.no_place"
