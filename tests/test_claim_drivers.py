"""Drivers of change straight from claims and exposure: they sum to the change on every engine, and say what moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actuarial as act
from actuarial.cli import main
from actuarial.experience.claim_drivers import ClaimCells, claim_cells, year_on_year
from actuarial.tables import read_claims, read_exposure

GROUPS = ("在职", "退休", "学生")


def people(n: int = 60) -> pd.DataFrame:
    """Members of three groups, insured through 2012 and 2013; one in ten joins in 2013."""
    return pd.DataFrame(
        {
            "member_id": [f"m{i}" for i in range(n)],
            "enrolled_from": ["2013-01-01" if i % 10 == 9 else "2012-01-01" for i in range(n)],
            "人群": [GROUPS[i % 3] for i in range(n)],
        }
    )


def claims(rows: int = 500, seed: int = 3, members: int = 60) -> pd.DataFrame:
    """Claims of 2012 and 2013 with levels and every kind of cost."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, members, rows)
    day = np.where(who % 10 == 9, rng.integers(366, 731, rows), rng.integers(0, 731, rows))
    whole = rng.integers(100, 500_000, rows)
    scope = (whole * rng.uniform(0.7, 1, rows)).astype(int)
    return pd.DataFrame(
        {
            "claim_id": [f"c{i}" for i in range(rows)],
            "member_id": [f"m{i}" for i in who],
            "service_date": (pd.Timestamp("2012-01-01") + pd.to_timedelta(day, unit="D")).strftime(
                "%Y-%m-%d"
            ),
            "category": [("住院", "门诊统筹", "慢性病")[i] for i in rng.integers(0, 3, rows)],
            "level": [("一级", "三级")[i] for i in rng.integers(0, 2, rows)],
            "total_cost": whole / 100,
            "in_scope_cost": scope / 100,
            "fund_payment": (scope * 7 // 10) / 100,
        }
    )


def both(frame: Any, exposure: Any, **options: Any) -> tuple[ClaimCells, ClaimCells]:
    """The cells of 2012 and of 2013."""
    spells = read_exposure(exposure)
    read = read_claims(frame, unit="yuan", exposure=spells)
    one, two = (claim_cells(read, spells, first=f"{y}-01", **options) for y in (2012, 2013))
    return one, two


def test_parts_sum_to_the_change_of_pandas_by_hand() -> None:
    """Six factors, entering and leaving sum to the change of paid over person-years, worked out with plain pandas."""
    frame, exposure = claims(), people()
    one, two = both(frame, exposure)
    parts = year_on_year(one, two)
    year = pd.to_datetime(frame["service_date"]).dt.year
    paid = frame.groupby(year)["fund_payment"].sum()
    assert (one.insured, two.insured) == (54, 60)
    assert parts.before == pytest.approx(paid[2012] / 54, rel=1e-12)
    assert parts.after == pytest.approx(paid[2013] / 60, rel=1e-12)
    assert parts.table["change"].sum() == pytest.approx(paid[2013] / 60 - paid[2012] / 54, abs=1e-9)
    assert parts.factors == (
        "group_share", "visits_per_insured", "share_of_visits", "cost_per_visit", "in_scope_share", "compensation_ratio",
    )  # fmt: skip
    assert parts.by("category")["change"].sum() == pytest.approx(parts.after - parts.before, abs=1e-9)
    cells = one.frame.groupby("group")
    assert cells["insured"].first().sum() == pytest.approx(54)
    assert one.frame["visits"].sum() == (year == 2012).sum()


def test_population_mix_and_visit_mix_are_told_apart() -> None:
    """Only the groups' sizes change: all is population mix. Only the levels' shares change: all is mix of visits."""
    exposure = pd.DataFrame(
        {
            "member_id": [f"m{i}" for i in range(30)],
            "enrolled_from": "2012-01-01",
            "enrolled_to": ["2012-12-31" if i < 5 else "" for i in range(30)],
            "人群": ["退休" if i < 10 else "在职" for i in range(30)],
        }
    )
    joins = pd.DataFrame({"member_id": [f"n{i}" for i in range(5)], "enrolled_from": "2013-01-01",
                          "enrolled_to": "", "人群": "在职"})  # fmt: skip
    rows: list[tuple[str, str, float]] = []
    for year, members in ((2012, exposure), (2013, pd.concat([exposure.iloc[5:], joins]))):
        for m, g in zip(members["member_id"], members["人群"], strict=True):
            rows += [(m, f"{year}-05-01", 900.0 if g == "退休" else 100.0)]
    frame = pd.DataFrame(rows, columns=["member_id", "service_date", "total_cost"])
    frame = frame.assign(claim_id=range(len(frame)), category="住院", fund_payment=frame["total_cost"] / 2)
    frame["claim_id"] = frame["claim_id"].astype(str)
    parts = year_on_year(*both(frame, pd.concat([exposure, joins]))).table.set_index("driver")["change"]
    assert parts["group_share"] == pytest.approx(parts.sum())
    assert parts.drop("group_share").abs().max() < 1e-9

    levels = [("2012-05-01", "一级")] * 8 + [("2012-05-01", "三级")] * 2 + [("2013-05-01", "一级")] * 5 + [("2013-05-01", "三级")] * 5  # fmt: skip
    moved = pd.DataFrame(levels, columns=["service_date", "level"]).assign(category="住院", member_id="m")
    moved["total_cost"] = np.where(moved["level"] == "三级", 1000.0, 200.0)
    moved = moved.assign(claim_id=[str(i) for i in range(20)], fund_payment=moved["total_cost"] * 0.6)
    read = read_claims(moved, unit="yuan")
    one, two = (claim_cells(read, insured=50, first=f"{y}-01") for y in (2012, 2013))
    parts = year_on_year(one, two).table.set_index("driver")["change"]
    assert parts["share_of_visits"] == pytest.approx(0.6 * (5 * 800 - 2 * 800) / 50)
    assert parts.drop("share_of_visits").abs().max() < 1e-9


def test_engines_and_orders_of_rows_agree_to_the_bit(tmp_path: Path) -> None:
    """pandas, shuffled pandas, Polars, DuckDB, Parquet and CSV, with groups from a file: the same parts to the last bit."""
    frame, exposure = claims(), people()
    want = year_on_year(*both(frame, exposure)).frame
    duckdb.connect().from_df(frame).write_parquet(str(tmp_path / "c.parquet"))
    frame.to_csv(tmp_path / "c.csv", index=False)
    exposure.to_csv(tmp_path / "e.csv", index=False)
    for source in (
        frame.sample(frac=1, random_state=1),
        pl.DataFrame(frame.to_dict("list")),
        duckdb.connect().from_df(frame),
        tmp_path / "c.parquet",
        tmp_path / "c.csv",
    ):
        for members in (exposure, tmp_path / "e.csv"):
            got = year_on_year(*both(source, members)).frame
            pd.testing.assert_frame_equal(want, got, check_exact=True)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_claims_sum_exactly(data: st.DataObject) -> None:
    """Whatever claims there are (free of scope, cost or payment; cells that come and go), the parts sum to the change."""
    row = st.tuples(
        st.sampled_from([2012, 2013]), st.sampled_from(["住院", "门诊统筹", "生育"]), st.integers(0, 4),
        st.integers(0, 10**7), st.integers(0, 10), st.integers(0, 10),
    )  # fmt: skip
    rows = [
        (2012, "住院", 0, 100, 5, 5),
        (2013, "住院", 0, 100, 5, 5),
        *data.draw(st.lists(row, max_size=25)),
    ]
    frame = pd.DataFrame(
        [
            {"claim_id": str(n), "member_id": f"m{m}", "service_date": f"{y}-03-01", "category": c,
             "total_cost": t / 100, "in_scope_cost": t * s // 10 / 100, "fund_payment": t * f // 10 / 100}
            for n, (y, c, m, t, s, f) in enumerate(rows)
        ]
    )  # fmt: skip
    read = read_claims(frame, unit="yuan")
    one, two = (claim_cells(read, insured=h, first=f"{y}-01") for y, h in ((2012, 10), (2013, 12)))
    parts = year_on_year(one, two)
    per_head = [frame.loc[frame["service_date"].str.startswith(str(y)), "fund_payment"].sum() / h for y, h in ((2012, 10), (2013, 12))]  # fmt: skip
    scale = max(*per_head, 1e-9)
    assert parts.before == pytest.approx(per_head[0], abs=1e-9 * scale)
    assert parts.after == pytest.approx(per_head[1], abs=1e-9 * scale)
    assert parts.table["change"].sum() == pytest.approx(per_head[1] - per_head[0], abs=1e-9 * scale)


@pytest.mark.parametrize(
    ("without", "last"),
    [
        ([], ["cost_per_visit", "in_scope_share", "compensation_ratio"]),
        (["in_scope_cost"], ["cost_per_visit", "compensation_ratio"]),
        (["in_scope_cost", "total_cost"], ["payment_per_visit"]),
        (["total_cost"], ["payment_per_visit"]),
    ],
)
def test_factors_are_those_that_the_claims_hold(without: list[str], last: list[str]) -> None:
    """Columns that are not there leave the product; the sum stays the change."""
    one, two = both(claims().drop(columns=without), people())
    parts = year_on_year(one, two)
    assert list(parts.factors[3:]) == last
    assert parts.table["change"].sum() == pytest.approx(parts.after - parts.before, abs=1e-9)


def test_two_files_and_a_new_category() -> None:
    """Two files of two years; a category that begins and one that ends are shown with their whole value."""
    frame = claims()
    early, late = frame[frame["service_date"] < "2013"], frame[frame["service_date"] >= "2013"]
    late = late.assign(category=late["category"].replace({"慢性病": "生育"}))
    one = claim_cells(read_claims(early, unit="yuan"), insured=54, first="2012-01")
    two = claim_cells(read_claims(late, unit="yuan"), insured=60, first="2013-01")
    parts = year_on_year(one, two)
    drivers = parts.table.set_index("driver")["change"]
    gone = early.loc[early["category"] == "慢性病", "fund_payment"].sum() / 54
    new = late.loc[late["category"] == "生育", "fund_payment"].sum() / 60
    assert drivers["leaving"] == pytest.approx(-gone)
    assert drivers["entering"] == pytest.approx(new)
    assert drivers.sum() == pytest.approx(parts.after - parts.before)
    assert parts.plot(lang="zh").get_ylabel()


def test_refusals() -> None:
    """Different months, a study against cells, nobody insured, no claims, and members in no group: each says why."""
    frame, exposure = claims(), people()
    spells = read_exposure(exposure)
    read = read_claims(frame, unit="yuan", exposure=spells)
    cells = claim_cells(read, spells, first="2012-01")
    study = act.experience_from_claims(read, insured=10, months=12, first="2012-01")
    short = read_exposure(exposure.assign(enrolled_from="2013-06-01"))
    cases = [
        (lambda: year_on_year(cells, claim_cells(read, spells, first="2013-01", months=6)), "driver.months"),
        (lambda: year_on_year(study, cells), "driver.two_kinds"),
        (lambda: claim_cells(read, first="2012-01"), "experience.no_insured"),
        (lambda: claim_cells(read, insured=5, first="2015-01"), "claims.no_claims"),
        (lambda: claim_cells(read, insured=5, first="2012-01", months=13), "claims.months"),
        (lambda: claim_cells(read, insured=5, first="2012-01", basis="payment"), "claims.no_payment_date"),
        (lambda: claim_cells(read, short, first="2013-01"), "driver.no_group"),
    ]
    for work, code in cases:
        with pytest.raises(act.InputError) as error:
            work()
        assert error.value.faults[0].code == code
        for lang in act.LANGUAGES:
            assert "{" not in error.value.message(lang)


def test_small_cells_are_blank_in_what_is_written() -> None:
    """A cell of four persons with forty visits is blank in the tables; one of five is not."""
    rows = [(f"m{i % 4}", "住院") for i in range(40)] + [(f"m{i}", "门诊统筹") for i in range(5)]
    frame = pd.DataFrame(
        [{"claim_id": f"{y}-{n}", "member_id": m, "category": c, "service_date": f"{y}-02-01",
          "fund_payment": 10.0 + y - 2012} for y in (2012, 2013) for n, (m, c) in enumerate(rows)]
    )  # fmt: skip
    read = read_claims(frame, unit="yuan")
    one, two = (claim_cells(read, insured=50, first=f"{y}-01") for y in (2012, 2013))
    table = one.table.set_index("category")
    assert np.isnan(table.loc["inpatient", "visits"])
    assert table.loc["outpatient_pooling", "visits"] == 5
    shown = year_on_year(one, two).by("category").set_index("category")
    assert np.isnan(shown.loc["inpatient", "change"])
    assert shown.loc["outpatient_pooling", "change"] == pytest.approx(0.1)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``compare`` says the parts in both languages, as JSON, and draws the waterfall."""
    claims().to_csv(tmp_path / "c.csv", index=False)
    people().to_csv(tmp_path / "e.csv", index=False)
    words = ["compare", str(tmp_path / "c.csv"), "--exposure", str(tmp_path / "e.csv"), "--unit", "yuan", "--first", "2012-01",
             "--then", "2013-01"]  # fmt: skip
    for more, expected in (([], "次均费用"), (["--lang", "en"], "cost per visit"), (["--json"], '"drivers"')):
        with pytest.raises(SystemExit) as end:
            main([*words, *more, "--plot", str(tmp_path / "w.svg"), "--out", str(tmp_path / "d.csv")])
        out = capsys.readouterr().out
        assert end.value.code == 0
        assert expected in out
    found = json.loads(out)
    assert sum(r["change"] for r in found["drivers"]) == pytest.approx(found["after"] - found["before"])
    assert "<svg" in (tmp_path / "w.svg").read_text(encoding="utf-8")
    assert (tmp_path / "d.csv").read_text(encoding="utf-8").startswith("driver,change,share")
