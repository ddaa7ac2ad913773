"""Claim tables: every kind of dirt is found at its place, and every engine gives the same figures to the cent."""

from __future__ import annotations

import calendar
import csv as csv_module
import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actuarial.errors import Fault, InputError
from actuarial.experience.claim_drivers import claim_cells
from actuarial.experience.claims import experience_from_claims, monthly, run_off, spread
from actuarial.tables import (
    ClaimsTable,
    check_claims,
    new_salt,
    read_claims,
    read_exposure,
    write_marked_copy,
)
from actuarial.tables.normal import day_number
from tests.engines import to_spark

HEADINGS = "单据号,身份证号,就诊日期,支付日期,类别,总费用（元）,政策范围内费用（元）,基金支付（元）"
CATEGORIES = ("住院", "门诊统筹", "慢性病")


def claims_frame(rows: int, seed: int = 1) -> pd.DataFrame:
    """Clean claims of 2012 and 2013, money in yuan with cents."""
    rng = np.random.default_rng(seed)
    day = rng.integers(0, 700, rows)
    cents = rng.integers(1, 5_000_000, rows)
    service = pd.Timestamp("2012-01-01") + pd.to_timedelta(day, unit="D")
    return pd.DataFrame(
        {
            "claim_id": [f"C{n:07d}" for n in range(rows)],
            "member_id": [f"34120019700101{n:04d}" for n in rng.integers(0, max(rows // 3, 1), rows)],
            "service_date": service,
            "payment_date": service + pd.to_timedelta(rng.integers(0, 100, rows), unit="D"),
            "category": [CATEGORIES[n] for n in rng.integers(0, 3, rows)],
            "total_cost": (cents + rng.integers(0, 100_000, rows)) / 100,
            "fund_payment": cents / 100,
        }
    )


def to_parquet(frame: pd.DataFrame, folder: Path, name: str = "claims.parquet") -> Path:
    """The frame as a Parquet file."""
    duckdb.connect().from_df(frame).write_parquet(str(folder / name))
    return folder / name


def answers(claims: ClaimsTable) -> list[pd.DataFrame]:
    """Everything that is computed from claims, for comparing."""
    study = experience_from_claims(claims, insured=1000, months=12, first="2012-03", pool_above=20_000)
    cash = experience_from_claims(claims, insured=1000, months=12, first="2012-03", basis="payment")
    by_member = experience_from_claims(claims, insured=1, months=12, pool_above=60_000, pool_by="member")
    return [
        study.frame,
        cash.frame,
        by_member.frame,
        run_off(claims),
        run_off(claims, by="count"),
        monthly(claims),
    ]


def same(one: list[pd.DataFrame], other: list[pd.DataFrame]) -> None:
    """Equal to the last bit."""
    for a, b in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)


def faults_of(source: Any, **options: Any) -> dict[str, Fault]:
    """The faults by code, each of which must speak both languages and name no member."""
    with pytest.raises(InputError) as caught:
        read_claims(source, **options)
    for fault in caught.value.faults:
        for lang in ("zh", "en"):
            message = fault.message(lang)
            assert "{" not in message
            assert "3412" not in message, message
    return {f.code: f for f in caught.value.faults}


def small(**changes: list[Any]) -> pd.DataFrame:
    """Three clean claims of 2013, with columns replaced."""
    frame: dict[str, list[Any]] = {
        "claim_id": ["1", "2", "3"],
        "member_id": ["341200197001010011", "341200197001010012", "341200197001010011"],
        "service_date": ["2013-01-05", "2013-02-06", "2013-03-07"],
        "payment_date": ["2013-02-05", "2013-02-07", "2013-05-07"],
        "category": ["住院", "门诊统筹", "住院"],
        "total_cost": [300.0, 50.0, 80.0],
        "fund_payment": [200.0, 20.5, 30.25],
    }
    return pd.DataFrame({**frame, **changes})


# --------------------------------------------------------------------------- engines


def test_engines_agree_to_the_cent(tmp_path: Path) -> None:
    """pandas, Polars eager and lazy, a DuckDB relation, Parquet and CSV give the same figures to the last bit."""
    frame = claims_frame(3_000)
    want = answers(read_claims(frame, unit="yuan"))
    by_hand = frame[frame["service_date"].between("2012-03-01", "2013-02-28")]
    assert want[0]["fund_payment"].sum() == pytest.approx(by_hand["fund_payment"].sum(), abs=1e-6)
    frame.to_csv(tmp_path / "claims.csv", index=False)
    sources = [
        pl.DataFrame(frame.to_dict("list")),
        pl.DataFrame(frame.to_dict("list")).lazy(),
        duckdb.connect().from_df(frame),
        to_parquet(frame, tmp_path),
        tmp_path / "claims.csv",
        frame.convert_dtypes(),
        frame.astype({"service_date": str, "payment_date": str, "fund_payment": str}),
        frame.astype({"category": "category"}),
    ]
    for source in sources:
        same(want, answers(read_claims(source, unit="yuan")))


@pytest.mark.slow
def test_spark_agrees_to_the_cent(spark: Any) -> None:
    """PySpark gives the same figures as pandas, reversals, hashing and exposure included."""
    frame = claims_frame(400)
    back = frame.iloc[:3].assign(claim_id=["R1", "R2", "R3"])
    back[["total_cost", "fund_payment"]] *= -1
    frame = pd.concat([frame, back], ignore_index=True)
    members = pd.DataFrame({"member_id": frame["member_id"].unique(), "enrolled_from": "2012-01-01"})
    members["group"] = ["city" if n % 3 else "village" for n in range(len(members))]
    options: dict[str, Any] = {"unit": "yuan", "salt": "s"}
    spells = read_exposure(members, salt="s")
    want = read_claims(frame, exposure=spells, **options)
    exposure = read_exposure(to_spark(spark, members), salt="s")
    got = read_claims(to_spark(spark, frame), exposure=exposure, **options)
    assert got.rows == want.rows == 397
    same(answers(want), answers(got))
    cells = [claim_cells(c, e, first="2012-01").frame for c, e in ((want, spells), (got, exposure))]
    pd.testing.assert_frame_equal(*cells, check_exact=True)
    assert exposure.total_months("2012-01", 12) == len(members) * 12
    faults, _ = check_claims(to_spark(spark, small(fund_payment=["x", "1", "2"])), unit="yuan")
    assert [f.code for f in faults] == ["claims.not_a_number"]
    assert "1 cells" in faults[0].message("en")


@settings(max_examples=9)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["pandas", "polars", "duckdb"]))
def test_order_of_rows_plays_no_part(seed: int, engine: str) -> None:
    """Shuffled rows, with reversals among them, give the same bytes."""
    frame = claims_frame(60)
    twin = frame.iloc[[5]].assign(claim_id="X1")  # two claims that look alike: the lower number is netted
    back = frame.iloc[[5, 9]].assign(claim_id=["R1", "R2"])
    back[["total_cost", "fund_payment"]] *= -1
    frame = pd.concat([frame, twin, back], ignore_index=True)
    make: dict[str, Callable[[pd.DataFrame], Any]] = {
        "pandas": lambda f: f,
        "polars": lambda f: pl.DataFrame(f.to_dict("list")),
        "duckdb": lambda f: duckdb.from_df(f),
    }
    mixed = frame.sample(frac=1, random_state=np.random.default_rng(seed), ignore_index=True)
    want, got = (read_claims(make[engine](f), unit="yuan") for f in (frame, mixed))
    same(answers(want), answers(got))
    pd.testing.assert_frame_equal(want.table, got.table)


@settings(max_examples=20)
@given(st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=20))
def test_cents_come_back_exactly(cents: list[int]) -> None:
    """Any amount with two decimals becomes its cents, as number, as text and in 万元."""
    frame = pd.DataFrame({"cents": [abs(c) for c in cents]})
    base: dict[str, Any] = {
        "claim_id": [str(n) for n in range(len(cents))], "member_id": "m", "category": "住院",
        "service_date": "2013-01-01",
    }  # fmt: skip
    written = [f"{c // 100:,}.{c % 100:02d}" for c in frame["cents"]]
    wan = [f"{c // 10**6}.{c % 10**6:06d}" for c in frame["cents"]]
    for values, unit in ((frame["cents"] / 100, "元"), (written, "元"), (wan, "万元")):
        got = read_claims(
            pl.DataFrame({**base, "claim_id": base["claim_id"], "fund_payment": list(values)}), unit=unit
        )
        assert got.frame.collect().sort("claim_id")["fund_payment_cents"].to_list() == [
            int(c) for _, c in sorted(zip(base["claim_id"], frame["cents"], strict=True))
        ]


def test_half_cents_go_up_and_are_noted() -> None:
    """1.005 yuan is 1.01, whatever its binary neighbour, and the rounding is told."""
    claims = read_claims(small(fund_payment=[1.005, 2.675, 1.0]), unit="yuan")
    assert claims.table["fund_payment"].tolist() == [1.01, 2.68, 1.0]
    assert [n.code for n in claims.notes] == ["claim_words.fine"]


# --------------------------------------------------------------------------- dates, numbers, words


@given(st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31)))
def test_dates_in_every_spelling(day: dt.date) -> None:
    """A day and its month come back from text in five forms and from a date."""
    forms = [
        day.isoformat(), f"{day.year}/{day.month}/{day.day}", f"{day:%Y%m%d}" if day.year >= 1000 else "",
        f"{day.year}年{day.month}月{day.day}日", f"{day.year}.{day.month:02d}.{day.day:02d} 08:30:00",
    ]  # fmt: skip
    rows = len(forms)
    frame = pl.DataFrame(
        {"claim_id": [str(n) for n in range(rows)], "member_id": ["m"] * rows, "category": ["住院"] * rows,
         "service_date": forms, "payment_date": [day] * rows, "fund_payment": [1.0] * rows}
    )  # fmt: skip
    got = read_claims(frame, unit="yuan").frame.collect()
    for name in ("service_date", "payment_date"):
        assert set(got[f"{name}_day"]) == {day_number(day)}
        assert set(got[f"{name}_month"]) == {day.year * 12 + day.month - 1}


@pytest.mark.parametrize("year", [1900, 2000, 2012, 2013])
def test_29_february_only_where_there_is_one(year: int) -> None:
    """29 February is impossible in common years and centuries, and a date in leap years."""
    frame = small(service_date=[f"{year}-02-29"] * 3, payment_date=["2014-01-01"] * 3)
    found = [f.code for f in check_claims(frame, unit="yuan")[0]]
    assert found == ([] if calendar.isleap(year) else ["claims.impossible_date"])


def test_words_of_people_and_places() -> None:
    """Sex, yes/no, age and known words are normalised; what is not known is missing, and told."""
    extra = {"性别": ["男", "F", "未说明"], "贫困": ["是", "0", ""], "年龄": ["67", "999", "3.0"],
             "医院等级": ["乡镇卫生院", "某院", ""]}  # fmt: skip
    claims = read_claims(small().assign(**extra), unit="yuan")
    table = claims.table
    assert table["sex"].tolist() == ["male", "female", ""]
    assert table["poor"].tolist() == [1, 0, -1]
    assert table["age"].tolist() == [67, -1, 3]
    assert table["level"].tolist() == ["township", "某院", ""]
    assert [n.code for n in claims.notes] == ["claim_words.odd", "claim_words.odd"]
    assert "未说明" in claims.summary("zh")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"fund_payment": [np.nan, 1.0, 2.0]}, "claims.empty"),
        ({"fund_payment": [np.inf, 1.0, 2.0]}, "claims.not_finite"),
        ({"fund_payment": [1e15, 1.0, 2.0], "total_cost": [1e15, 50.0, 80.0]}, "claims.too_large"),
        ({"fund_payment": [-5.0, 1.0, 2.0]}, "claims.unmatched_reversal"),
        ({"fund_payment": [300.01, 1.0, 2.0]}, "claims.fund_over_total"),
        ({"member_id": [1.0, 2.0, 3.0]}, "claims.id_type"),
        ({"service_date": [2013.0, 2014.0, 2015.0]}, "claims.date_type"),
        ({"payment_date": ["2013-01-04", "2013-02-07", "2013-05-07"]}, "claims.payment_before_service"),
    ],
)
@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb"])
def test_dirt_in_frames(changes: dict[str, list[Any]], code: str, engine: str) -> None:
    """A frame's own dirt is found on each engine; a missing number in pandas is an empty cell."""
    frame = small(**changes)
    source = {"pandas": lambda: frame, "polars": lambda: pl.DataFrame(frame.to_dict("list")),
              "duckdb": lambda: duckdb.from_df(frame)}[engine]()  # fmt: skip
    found = set(faults_of(source, unit="yuan"))
    assert found == {"claims.not_finite" if engine == "polars" and code == "claims.empty" else code}


def test_frames_that_are_none_and_units_that_are_missing() -> None:
    """A list is no frame; money without a unit is refused, never guessed."""
    assert set(faults_of([1, 2])) == {"claims.frame_type"}
    assert set(faults_of(small())) == {"table.no_unit"}
    assert set(faults_of(small(), unit="两")) == {"table.unknown_unit"}
    assert set(faults_of(small().iloc[:0], unit="yuan")) == {"table.empty"}


def test_one_row_and_the_users_frame() -> None:
    """One claim is a table; the user's frame is left as it was."""
    frame = small().iloc[:1]
    before = frame.copy(deep=True)
    claims = read_claims(frame, unit="yuan")
    assert claims.rows == 1
    assert run_off(claims).shape == (1, 2)
    assert experience_from_claims(claims, insured=10).frame["per_capita"].tolist() == [20.0]
    pd.testing.assert_frame_equal(frame, before)


# --------------------------------------------------------------------------- thirty kinds of dirt

CLEAN = [
    ["A01", "341200197001010011", "2013-01-05", "2013-02-05", "住院", "300", "250", "200.00"],
    ["A02", "341200197001010012", "2013/2/6", "2013-02-07", "门诊统筹", "50.00", "45", "20.50"],
    ["A03", "341200197001010013", "20130307", "2013年5月7日", "住院", "1,280.00", "1000", "（0.00）"],
    ["A04", "341200197001010014", "2013-04-01", "", "慢性病", "９０", "80", "６０．５"],
]
DIRT: list[tuple[str, list[str]]] = [
    ("claims.not_a_number", ["B01", "m", "2013-01-05", "2013-02-05", "住院", "300000", "1", "12万"]),
    ("claims.not_a_number", ["B02", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "12%"]),
    ("claims.not_a_number", ["B03", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "1,2345"]),
    ("claims.not_a_number", ["B04", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "nan"]),
    ("claims.not_a_number", ["B05", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "inf"]),
    ("claims.not_a_number", ["B06", "m", "2013-01-05", "2013-02-05", "住院", "#DIV/0!", "1", "1"]),
    ("claims.not_a_number", ["B07", "m", "2013-01-05", "2013-02-05", "住院", "300", "¥5", "1"]),
    ("claims.not_a_number", ["B08", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "--5"]),
    ("claims.empty", ["B09", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", ""]),
    ("claims.empty", ["B10", "m", "", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.empty", ["", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.empty", ["B12", "", "2013-01-05", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.empty", ["B13", "m", "2013-01-05", "2013-02-05", "", "300", "1", "1"]),
    ("claims.too_large", ["B14", "m", "2013-01-05", "2013-02-05", "住院", "3e14", "1", "99999999999999"]),
    ("claims.impossible_date", ["B15", "m", "2013-02-29", "2013-03-05", "住院", "300", "1", "1"]),
    ("claims.impossible_date", ["B16", "m", "2013-13-01", "2014-03-05", "住院", "300", "1", "1"]),
    ("claims.bad_date", ["B17", "m", "去年", "2013-03-05", "住院", "300", "1", "1"]),
    ("claims.bad_date", ["B18", "m", "41334", "2013-03-05", "住院", "300", "1", "1"]),
    ("claims.bad_date", ["B19", "m", "13-03-05", "2013-03-05", "住院", "300", "1", "1"]),
    ("claims.bad_date", ["B20", "m", "2013-03-05", "5/3/2013", "住院", "300", "1", "1"]),
    ("claims.lost_id", ["B21", "3.41200E+17", "2013-01-05", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.duplicate_row", CLEAN[0]),
    ("claims.duplicate_id", ["A02", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.payment_before_service", ["B24", "m", "2013-03-05", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.outside_year", ["B25", "m", "2012-12-31", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.fund_over_total", ["B26", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "300.01"]),
    ("claims.scope_over_total", ["B27", "m", "2013-01-05", "2013-02-05", "住院", "300", "301", "1"]),
    ("claims.unmatched_reversal", ["B28", "m", "2013-01-05", "2013-02-05", "住院", "-7", "-7", "-7"]),
    ("claims.no_exposure", ["B29", "stranger", "2013-01-05", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.before_enrolment", ["B30", "late", "2013-01-05", "2013-02-05", "住院", "300", "1", "1"]),
    ("claims.after_leaving", ["B31", "gone", "2013-07-05", "2013-08-05", "住院", "300", "1", "1"]),
    ("claims.after_leaving", ["B32", "gap", "2013-04-05", "2013-08-05", "住院", "300", "1", "1"]),
    ("claims.total_row", ["合 计", "", "", "", "", "9999", "9999", "9999"]),
    ("claims.ragged", ["B34", "m", "2013-01-05"]),
    ("claims.ragged", ["B35", "m", "2013-01-05", "2013-02-05", "住院", "300", "1", "1", "surplus"]),
]
MEMBERS = pd.DataFrame(
    [(r[1], "2013-01-01", "") for r in CLEAN]
    + [("m", "2012-01-01", ""), ("late", "2013-02-01", ""), ("gone", "2013-01-01", "2013-06-30")]
    + [("gap", "2013-01-01", "2013-03-31"), ("gap", "2013-05-01", ""), ("3.41200E+17x", "2013-01-01", "")],
    columns=["身份证号", "参保日期", "退保日期"],
)


def written(rows: list[list[str]], headings: str = HEADINGS) -> str:
    """Rows as CSV text, below a title."""
    stream = io.StringIO()
    writer = csv_module.writer(stream, lineterminator="\n")
    writer.writerow(["2013年单据"])
    stream.write(headings + "\n")
    writer.writerows(rows)
    return stream.getvalue()


def test_thirty_kinds_of_dirt_are_all_reported_and_the_clean_file_passes(tmp_path: Path) -> None:
    """Each dirty line of a file is told at its line under its code; without the dirt the file is read."""
    path = tmp_path / "claims.csv"
    exposure = read_exposure(MEMBERS)
    assert len(DIRT) > 30
    lines: dict[str, set[int]] = {}
    rows = list(CLEAN)
    for code, row in DIRT:
        rows.append(row)
        lines.setdefault(code, set()).add(len(rows) + 2)
    path.write_text(written([*rows, [""] * 8], HEADINGS + ""), encoding="utf-8")
    faults, notes = check_claims(path, exposure=exposure, year=2013)
    found: dict[str, set[int]] = {}
    for fault in faults:
        found.setdefault(fault.code, set()).update(line for line, _ in fault.params["marks"])
    # the identifier that lost its digits is in no exposure table; the huge total cost stands beside a huge payment
    assert found.pop("claims.no_exposure") == lines.pop("claims.no_exposure") | lines["claims.lost_id"]
    assert lines["claims.not_a_number"] <= found["claims.not_a_number"]
    found["claims.not_a_number"] -= lines["claims.too_large"]
    assert found.pop("claims.empty") == lines.pop("claims.empty")
    assert found == lines
    assert {n.code for n in notes} == {"claim_words.blank", "claim_words.unpaid"}
    every = "\n".join(f.message("zh") for f in faults)
    assert "第7、8、9、10、11……" in every
    assert "12万" in every
    assert "3412" not in every
    path.write_text(written(CLEAN), encoding="utf-8")
    claims = read_claims(path, exposure=exposure, year=2013)
    assert claims.table["fund_payment"].tolist() == [200.0, 20.5, 0.0, 60.5]
    assert [n.code for n in claims.notes] == ["claim_words.unpaid"]


def test_headings_that_are_wrong_are_all_told(tmp_path: Path) -> None:
    """A missing column, one given twice, one without a unit and one not used are told together with the dirt."""
    path = tmp_path / "claims.csv"
    path.write_text(
        "单据号,类别,项目,基金支付,总费用（两）,颜色,就诊日期\n1,住院,住院,x,1,红,2013-02-30\n",
        encoding="utf-8",
    )
    faults, notes = check_claims(path)
    assert {f.code for f in faults} == {
        "table.missing_column", "table.twice", "table.no_unit", "table.unknown_unit", "claims.not_a_number",
        "claims.impossible_date",
    }  # fmt: skip
    assert "颜色" in notes[0].message("zh")


def test_accept_and_drop(tmp_path: Path) -> None:
    """Rows with a fault are kept or left out on request, with a note; unreadable cells are never kept."""
    frame = small(service_date=["2012-12-31", "2013-02-06", "2013-02-30"])
    assert set(faults_of(frame, unit="yuan", year=2013)) == {"claims.outside_year", "claims.impossible_date"}
    left = {"drop": ["claims.impossible_date"], "accept": ["claims.outside_year"]}
    claims = read_claims(frame, unit="yuan", year=2013, **left)
    assert claims.rows == 2
    assert [n.code for n in claims.notes] == ["claim_words.dropped", "claim_words.accepted"]
    assert "2012-12" not in claims.summary("en").splitlines()[1]
    assert set(faults_of(frame, unit="yuan", accept=["claims.impossible_date"])) == {"claims.impossible_date"}
    twice = pd.concat([frame.iloc[[1, 1]], frame.iloc[[1]].assign(fund_payment=1.0)])
    drop = ["claims.duplicate_row", "claims.duplicate_id"]
    assert read_claims(twice, unit="yuan", drop=drop).table["fund_payment"].tolist() == [20.5]


# --------------------------------------------------------------------------- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "big5"])
def test_encodings_and_long_identifiers(tmp_path: Path, encoding: str) -> None:
    """Chinese files in each encoding are read alike; an 18-digit identifier stays text."""
    path = tmp_path / "c.csv"
    words = written(CLEAN[:2]).replace("单据号", "claim number").replace("身份证号", "member")
    if encoding == "big5":
        path.write_bytes(
            "claim number,member,service date,類別,fund payment (yuan)\n1,341200197001010011,2013-01-05,住院,5\n".encode(
                "big5"
            )
        )
        assert read_claims(path, encoding="big5").table["member_id"].tolist() == ["341200197001010011"]
        return
    path.write_bytes(words.encode(encoding))
    claims = read_claims(path)
    assert claims.table["member_id"].tolist() == ["341200197001010011", "341200197001010012"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"a\0b", "file.nul"), (b"\xff\xff\xff\xff\n", "file.encoding"), (b"a,b\n1,2\n", "table.no_heading")],
)
def test_files_that_are_no_table(tmp_path: Path, content: bytes, code: str) -> None:
    """Files that cannot be read at all say why."""
    (tmp_path / "c.csv").write_bytes(content)
    assert set(faults_of(tmp_path / "c.csv")) == {code}
    assert [f.code for f in check_claims(tmp_path / "c.csv")[0]] == [code]
    (tmp_path / "c.parquet").write_bytes(content)
    assert set(faults_of(tmp_path / "c.parquet")) == {"file.damaged"}


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    """Blank lines, broken lines and cells of several lines do not shift the line that is named."""
    rows = '1,m,2013-01-05,住院,5\n\n2,m,2013\n3,"m\nn",2013-01-05,住院,5\n4,m,2013-01-05,住院,x\n'
    path = tmp_path / "c.csv"
    path.write_text("单据号,参保人编号,就诊日期,类别,基金支付（元）\n" + rows, encoding="utf-8")
    found = faults_of(path)
    assert found["claims.ragged"].params["marks"] == [(4, None)]
    assert found["claims.not_a_number"].params["marks"] == [(7, 4)]


def workbook(path: Path) -> Path:
    """A sheet with a title, a unit cell, headings in two lines with merged cells, dates and text identifiers."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "单据"
    sheet.append(["2013年单据表"])
    sheet.append(["单位：元"])
    sheet.append(["单据号", "身份证号", "就诊日期", "类别", "费用", None])
    sheet.append([None, None, None, None, "总费用", "基金支付"])
    sheet.merge_cells("E3:F3")
    sheet.append(["1", "341200197001010011", dt.datetime(2013, 1, 5), "住院", 300, 200.5])
    sheet.append([2, "341200197001010012", "2013-02-29", "门诊统筹", 50, "十元"])
    sheet.append([3, 341200197001010012, "2013-02-28", "门诊统筹", 50, 60])
    book.create_sheet("其他").append(["=1+1"])
    book.save(path)
    return path


def test_workbook_with_two_heading_lines_and_its_marked_copy(tmp_path: Path) -> None:
    """Cells of a workbook are named, and the marked copy colours and comments just these."""
    path = workbook(tmp_path / "单据.xlsx")
    faults, _ = check_claims(path, sheet="单据")
    assert {f.code: f.params["marks"] for f in faults} == {
        "claims.impossible_date": [(6, 2)], "claims.not_a_number": [(6, 5)], "claims.lost_id": [(7, 1)],
        "claims.fund_over_total": [(7, None)],
    }  # fmt: skip
    assert "（C6）" in next(f for f in faults if f.code == "claims.impossible_date").message("zh")
    for lang, word in (("zh", "核对"), ("en", "To check")):
        copy = write_marked_copy(path, faults, tmp_path / f"{lang}.xlsx", lang=lang)
        book = openpyxl.load_workbook(copy)
        sheet = book["单据"]
        marked = {c.coordinate for row in sheet.iter_rows() for c in row if c.fill.fgColor.rgb == "FFF6C7A9"}
        assert marked == {"C6", "F6", "B7", *(f"{c}7" for c in "ACDEF")}
        assert word in sheet["C6"].comment.text
        assert sheet["B5"].value == "341200197001010011"
        assert sheet["C5"].value == dt.datetime(2013, 1, 5)
        assert len(book.sheetnames) == 3
    again = write_marked_copy(path, faults, tmp_path / "again.xlsx", lang="en")
    assert again.read_bytes() == (tmp_path / "en.xlsx").read_bytes()


def test_marked_copy_of_a_csv_and_of_nothing(tmp_path: Path) -> None:
    """A CSV file gets a marked workbook at the same lines; without places there is nothing to mark."""
    path = tmp_path / "claims.csv"
    path.write_text(written([*CLEAN, DIRT[0][1], DIRT[-1][1]]), encoding="gb18030")
    faults, _ = check_claims(path)
    sheet = openpyxl.load_workbook(write_marked_copy(path, faults, tmp_path / "m.xlsx"))["claims"]
    assert sheet["H7"].comment is not None
    assert sheet["A8"].comment is not None
    assert sheet["B3"].value == "341200197001010011"
    with pytest.raises(InputError) as caught:
        write_marked_copy(path, [Fault("table.no_heading", params={"wanted": "x"})], tmp_path / "n.xlsx")
    assert caught.value.faults[0].code == "claims.nothing_to_mark"


# --------------------------------------------------------------------------- privacy


def test_salt_hashes_members_alike_on_every_engine(tmp_path: Path) -> None:
    """The same salt gives the same members in claims and exposure, another salt others; no number is left."""
    frame = small()
    members = pd.DataFrame({"member_id": frame["member_id"].unique(), "enrolled_from": "2013-01-01"})
    salt = new_salt()
    exposure = read_exposure(members, salt=salt)
    frame.to_csv(tmp_path / "c.csv", index=False)
    sources = [frame, pl.DataFrame(frame.to_dict("list")), duckdb.connect().from_df(frame),
               tmp_path / "c.csv", to_parquet(frame, tmp_path)]  # fmt: skip
    seen = {
        tuple(read_claims(s, unit="yuan", exposure=exposure, salt=salt).table["member_id"]) for s in sources
    }
    assert len(seen) == 1
    assert "3412" not in "".join(seen.pop())
    assert set(faults_of(frame, unit="yuan", exposure=exposure)) == {"claims.salt_differs"}
    assert set(faults_of(frame, unit="yuan", exposure=exposure, salt="other")) == {"claims.salt_differs"}
    assert set(faults_of(frame, unit="yuan", salt="")) == {"claims.salt"}
    one, other = (read_claims(frame, unit="yuan", salt=new_salt()).table["member_id"][0] for _ in range(2))
    assert one != other


# --------------------------------------------------------------------------- reversals


def lines(*rows: tuple[str, str, float], of: list[str] | None = None) -> pd.DataFrame:
    """Lines of one member on one day: number, category, payment."""
    frame = pd.DataFrame(rows, columns=["claim_id", "category", "fund_payment"])
    frame = frame.assign(member_id="m", service_date="2013-01-05")
    return frame.assign(reversal_of=of) if of else frame


@pytest.mark.parametrize(
    ("frame", "left"),
    [
        (lines(("1", "住院", 5.0), ("2", "住院", -5.0)), {}),
        (lines(("1", "住院", 5.0), ("1", "住院", -5.0), ("3", "住院", 1.0)), {"3": 1.0}),
        (lines(("1", "住院", 5.0), ("2", "住院", 5.0), ("3", "住院", -5.0)), {"2": 5.0}),
        (lines(("1", "住院", 5.0), ("2", "住院", 5.0), ("3", "住院", -5.0), of=["", "", "2"]), {"1": 5.0}),
        (lines(("1", "住院", 5.0), ("2", "住院", -2.0), ("3", "住院", -1.0), of=["", "1", "1"]), {"1": 2.0}),
        (
            lines(("1", "住院", 5.0), ("2", "门诊统筹", -5.0), ("3", "住院", 2.0), of=["", "1", ""]),
            {"3": 2.0},
        ),
    ],
)
@pytest.mark.parametrize("engine", ["pandas", "polars", "duckdb"])
def test_reversals_are_netted(frame: pd.DataFrame, left: dict[str, float], engine: str) -> None:
    """A negative line takes its original away, or the part that it names; the lowest numbers pair."""
    extra = lines(("Z", "慢性病", 9.0))
    frame = pd.concat([frame, extra], ignore_index=True).fillna(
        {"reversal_of": ""} if "reversal_of" in frame else {}
    )
    source = {"pandas": lambda: frame, "polars": lambda: pl.DataFrame(frame.to_dict("list")),
              "duckdb": lambda: duckdb.from_df(frame)}[engine]()  # fmt: skip
    claims = read_claims(source, unit="yuan")
    got = dict(zip(claims.table["claim_id"], claims.table["fund_payment"], strict=True))
    assert got == {**left, "Z": 9.0}
    assert "claim_words.reversals" in {n.code for n in claims.notes}


@pytest.mark.parametrize(
    "frame",
    [
        lines(("1", "住院", 5.0), ("2", "住院", -4.0)),
        lines(("1", "住院", 5.0), ("2", "门诊统筹", -5.0)),
        lines(("1", "住院", 5.0), ("2", "住院", -5.0), ("3", "住院", -5.0)),
        lines(("1", "住院", 5.0), ("2", "住院", -5.01), of=["", "1"]),
        lines(("1", "住院", 5.0), ("2", "住院", -5.0), of=["", "9"]),
    ],
)
def test_reversals_without_an_original_are_faults(frame: pd.DataFrame) -> None:
    """Another amount, another category, a second reversal, too much, or an unknown number: refused."""
    fault = faults_of(frame, unit="yuan")["claims.unmatched_reversal"]
    assert fault.params["count"] == 1


@settings(max_examples=20)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.data())
def test_net_total_is_the_sum_of_all_lines(amounts: list[int], data: Any) -> None:
    """Whatever is taken back whole, the netted total is the plain sum of the lines."""
    back = data.draw(st.lists(st.sampled_from(range(len(amounts))), unique=True, max_size=len(amounts) - 1))
    rows = [(f"C{n:02d}", "住院", float(a)) for n, a in enumerate(amounts)]
    rows += [(f"R{n:02d}", "住院", -float(amounts[n])) for n in back]
    claims = read_claims(lines(*rows), unit="yuan")
    assert claims.table["fund_payment"].sum() == sum(r[2] for r in rows)
    assert claims.rows == len(amounts) - len(back)


# --------------------------------------------------------------------------- exposure


def test_person_months_by_days() -> None:
    """A month counts by its days, 29 in February 2012 and 28 in 2013, by group and in all."""
    frame = pd.DataFrame(
        [("a", "2012-01-01", "", "居民"), ("b", "2012-02-15", "2012-02-29", "居民"),
         ("c", "2013-02-15", "2013-02-28", "职工"), ("d", "2012-02-29", "2012-02-29", "职工")],
        columns=["member_id", "enrolled_from", "enrolled_to", "人群"],
    )  # fmt: skip
    exposure = read_exposure(frame)
    months = exposure.person_months("2012-02", 13)["person_months"]
    assert months.iloc[0] == pytest.approx(1 + 15 / 29 + 1 / 29)
    assert months.iloc[1] == 1
    assert months.iloc[12] == pytest.approx(1.5)
    groups = exposure.person_months("2012-02", 1, by="group")
    assert groups.loc["2012-02"].to_dict() == pytest.approx({"居民": 44 / 29, "职工": 1 / 29})
    assert exposure.total_months("2012-02", 13) == pytest.approx(13 + 16 / 29 + 0.5)
    assert exposure.members == 4
    assert exposure.table["enrolled_to"].isna().sum() == 1


@settings(max_examples=8)
@given(
    st.lists(
        st.tuples(st.dates(dt.date(2011, 6, 1), dt.date(2013, 6, 1)), st.integers(0, 500)),
        min_size=1,
        max_size=8,
    )
)
def test_person_months_against_days_counted_one_by_one(spells: list[tuple[dt.date, int]]) -> None:
    """Person-months equal a walk over every day of every spell, on three engines."""
    frame = pd.DataFrame(
        {"member_id": [str(n) for n in range(len(spells))], "enrolled_from": [str(f) for f, _ in spells],
         "enrolled_to": [str(f + dt.timedelta(d)) for f, d in spells]}
    )  # fmt: skip
    want = np.zeros(12)
    for start, length in spells:
        for n in range(length + 1):
            day = start + dt.timedelta(n)
            if day.year == 2012:
                want[day.month - 1] += 1 / calendar.monthrange(2012, day.month)[1]
    for source in (frame, pl.DataFrame(frame.to_dict("list")), duckdb.from_df(frame)):
        got = read_exposure(source).person_months("2012-01", 12)["person_months"].to_numpy()
        np.testing.assert_allclose(got, want, atol=1e-9)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("a", "2013-02-01", "2013-01-31")], "claims.exposure_order"),
        ([("a", "2013-01-01", "2013-03-31"), ("a", "2013-03-31", "")], "claims.exposure_overlap"),
        ([("a", "2013-01-01", ""), ("a", "2013-03-31", "2013-04-30")], "claims.exposure_overlap"),
        ([("", "2013-01-01", "")], "claims.empty"),
        ([("a", "2013-02-29", "")], "claims.impossible_date"),
    ],
)
def test_exposure_faults(rows: list[tuple[str, str, str]], code: str) -> None:
    """Spells that end before they begin, overlap, or cannot be read are refused."""
    with pytest.raises(InputError) as caught:
        read_exposure(pd.DataFrame(rows, columns=["member_id", "enrolled_from", "enrolled_to"]))
    assert [f.code for f in caught.value.faults] == [code]


# --------------------------------------------------------------------------- experience, triangle, bridge


def test_experience_against_pandas_by_hand() -> None:
    """Payments, visits and per-capita cost by category equal a plain pandas group-by; months are as asked."""
    frame = claims_frame(500)
    claims = read_claims(frame, unit="yuan")
    study = experience_from_claims(claims, insured=250, months=10, first="2012-04")
    part = frame[frame["service_date"].between("2012-04-01", "2013-01-31")]
    hand = part.groupby("category")["fund_payment"].agg(["sum", "count"])
    got = study.frame.set_index("category")
    for zh, name in (
        ("住院", "inpatient"),
        ("门诊统筹", "outpatient_pooling"),
        ("慢性病", "chronic_outpatient"),
    ):
        assert got.loc[name, "fund_payment"] == pytest.approx(hand.loc[zh, "sum"], abs=1e-6)
        assert got.loc[name, "visits"] == hand.loc[zh, "count"]
        assert got.loc[name, "per_capita"] == pytest.approx(hand.loc[zh, "sum"] / 250)
    assert study.months == 10
    members = pd.DataFrame({"member_id": frame["member_id"].unique(), "enrolled_from": "2012-10-01"})
    exposed = experience_from_claims(claims, read_exposure(members), months=12, first="2012-04")
    assert exposed.insured == pytest.approx(len(members) / 2)


def test_large_claims_are_pooled_and_the_total_stays() -> None:
    """The excess above the threshold leaves its category and is spread over all, to the cent."""
    claims = read_claims(small(fund_payment=[200.0, 20.5, 30.25]), unit="yuan")
    plain = experience_from_claims(claims, insured=1).frame.set_index("category")["fund_payment"]
    pooled = experience_from_claims(claims, insured=1, pool_above=50.0).frame.set_index("category")
    assert pooled["fund_payment"].sum() == plain.sum() == 250.75
    assert pooled["large_excess"].to_dict() == {"inpatient": 150.0, "outpatient_pooling": 0.0}
    assert pooled.loc["outpatient_pooling", "fund_payment"] == pytest.approx(
        20.5 + 150 * 20.5 / 100.75, abs=0.01
    )


def test_large_members_are_pooled_over_all_their_claims() -> None:
    """A member whose claims pass the threshold only together gives up the excess, by category in proportion."""
    frame = small(fund_payment=[200.0, 20.5, 30.25], category=["住院", "住院", "门诊统筹"])
    claims = read_claims(frame, unit="yuan")  # one member: 200 inpatient and 30.25 outpatient
    none = experience_from_claims(claims, insured=1, pool_above=210.0).frame
    assert none["large_excess"].sum() == 0  # no single claim is above
    pooled = experience_from_claims(claims, insured=1, pool_above=210.0, pool_by="member").frame
    pooled = pooled.set_index("category")
    assert pooled["large_excess"].to_dict() == {"inpatient": 17.59, "outpatient_pooling": 2.66}
    assert pooled["fund_payment"].sum() == 250.75
    kept = (220.5 - 17.59, 30.25 - 2.66)
    assert pooled.loc["inpatient", "fund_payment"] == pytest.approx(
        kept[0] + 20.25 * kept[0] / sum(kept), abs=0.01
    )


def test_persons_are_counted_once_however_often_they_come() -> None:
    """Persons are different members by category, against pandas; six visits of two persons are a small cell."""
    frame = claims_frame(300)
    got = experience_from_claims(read_claims(frame, unit="yuan"), insured=1, months=12, first="2012-01")
    part = frame[frame["service_date"] < "2013-01-01"].groupby("category")["member_id"].nunique()
    got_persons = got.frame.set_index("category")["persons"]
    assert got_persons["inpatient"] == part["住院"]
    assert got_persons["chronic_outpatient"] == part["慢性病"]


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**12), min_size=1, max_size=9))
def test_spread_sums_exactly(amount: int, weights: list[int]) -> None:
    """Parts are whole cents, sum to the amount and are within a cent of proportion."""
    parts = spread(amount, weights)
    assert sum(parts) == amount
    whole = sum(weights)
    if whole:
        assert all(abs(p * whole - amount * w) <= whole for p, w in zip(parts, weights, strict=True))


def test_run_off_and_bridge_hold_the_same_money() -> None:
    """Triangle rows sum to paid by service month, its diagonals to the cash of each month; the bridge closes."""
    frame = claims_frame(800)
    frame.loc[::50, "payment_date"] = pd.NaT
    claims = read_claims(frame, unit="yuan")
    triangle, bridge = run_off(claims), monthly(claims)
    cash = {}
    for i, row in enumerate(triangle.to_numpy()):
        for lag, value in enumerate(row):
            if not np.isnan(value):
                key = triangle.index[i] + lag
                cash[key] = cash.get(key, 0.0) + value
    for month, paid in bridge["paid"].items():
        assert cash.get(month, 0.0) == pytest.approx(paid, abs=1e-6)
    closing = bridge["opening_unpaid"] + bridge["incurred"] - bridge["paid"] - bridge["closing_unpaid"]
    assert closing.abs().max() < 1e-6
    assert bridge["opening_unpaid"].iloc[0] == 0
    unpaid = frame.loc[frame["payment_date"].isna(), "fund_payment"].sum()
    assert bridge["closing_unpaid"].iloc[-1] == pytest.approx(unpaid, abs=1e-6)
    assert bridge["claims_incurred"].sum() == 800
    last = triangle.index[-1]
    assert np.isnan(triangle.loc[last].iloc[-1])
    cut = run_off(claims, until="2012-12")
    assert cut.index[-1] == pd.Period("2012-12")
    assert np.isnan(cut.iloc[-1, 1:]).all()
    parts = [
        run_off(claims, category=c).to_numpy()
        for c in ("inpatient", "outpatient_pooling", "chronic_outpatient")
    ]
    assert np.nansum([np.nansum(p) for p in parts]) == pytest.approx(np.nansum(triangle.to_numpy()), abs=1e-6)


@pytest.mark.parametrize(
    ("work", "code"),
    [
        (lambda c: experience_from_claims(c), "experience.no_insured"),
        (lambda c: experience_from_claims(c, insured=1, months=13), "claims.months"),
        (lambda c: experience_from_claims(c, insured=1, months=1, first="1999-01"), "claims.no_claims"),
        (lambda c: experience_from_claims(c, insured=1, pool_above=0), "claims.threshold"),
        (lambda c: experience_from_claims(c, insured=1, basis="payment"), "claims.no_payment_date"),
        (run_off, "claims.no_payment_date"),
        (monthly, "claims.no_payment_date"),
    ],
)
def test_what_cannot_be_computed_says_why(work: Callable[[ClaimsTable], Any], code: str) -> None:
    """Each refusal of the experience functions has its code."""
    claims = read_claims(small().drop(columns="payment_date"), unit="yuan")
    with pytest.raises(InputError) as caught:
        work(claims)
    assert caught.value.faults[0].code == code
