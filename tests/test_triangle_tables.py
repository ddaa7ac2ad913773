"""Run-off triangles from tables of months: long and wide, of a month and to date, give what the claims give."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import actuarial as act
from actuarial.cli import main
from actuarial.experience.completion import cash_incurred_bridge, complete
from actuarial.experience.triangle_tables import month_of, read_triangle
from actuarial.texts import text


def write(folder: Path, content: str, name: str = "t.csv") -> Path:
    """A text file."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def claims() -> act.ClaimsTable:
    """Claims of ten months of service, paid up to four months later, the last payments after the last service."""
    rng = np.random.default_rng(1)
    rows = 4_000
    day = rng.integers(0, 300, rows)
    service = pd.Timestamp("2013-01-01") + pd.to_timedelta(day, unit="D")
    paid = service + pd.to_timedelta(rng.integers(0, 120, rows), unit="D")
    frame = pd.DataFrame({"claim_id": [str(i) for i in range(rows)], "member_id": "m", "category": "住院",
                          "service_date": service, "payment_date": paid.where(paid < "2013-12-31"),
                          "fund_payment": rng.integers(100, 10**6, rows) / 100})  # fmt: skip
    return act.read_claims(frame, unit="yuan")


def forms(triangle: act.Triangle) -> dict[str, tuple[str, dict[str, bool]]]:
    """The triangle written in every form that is read."""
    cum = triangle.frame
    inc = cum.diff(axis=1)
    inc[0] = cum[0]
    months = [str(p) for p in cum.index]
    last = int((triangle.age + np.arange(len(months))).max())
    pays = [str(cum.index[0] + k) for k in range(last + 1)]
    long, long_to_date, long_lag = ["就诊月份,支付月份,基金支付（元）"], ["service month,payment month,paid to date (yuan)"], ["就诊月份,间隔月数,基金支付（元）"]  # fmt: skip
    wide = ["单位：元", ",".join(["就诊月份", *pays, "合计"])]
    wide_lag = [",".join(["就诊月份（元）", *(str(k) for k in cum.columns)])]
    wide_to_date = list(wide_lag)
    for i, month in enumerate(months):
        seen = [
            (k, inc.iloc[i, k], cum.iloc[i, k]) for k in range(cum.shape[1]) if np.isfinite(cum.iloc[i, k])
        ]
        long += [f"{month},{pays[i + k]},{a:.2f}" for k, a, _ in seen]
        long_lag += [f"{month[:4]}年{int(month[5:])}月,{k},{a:.2f}" for k, a, _ in seen]
        long_to_date += [f"{month.replace('-', '')},{pays[i + k]},{c:.2f}" for k, _, c in seen]
        cells = [""] * i + [f"{a:.2f}" for _, a, _ in seen]
        wide.append(
            ",".join([month, *cells, *[""] * (len(pays) - len(cells)), f"{sum(a for _, a, _ in seen):.2f}"])
        )
        wide_lag.append(",".join([month, *(f"{a:.2f}" for _, a, _ in seen)]))
        wide_to_date.append(",".join([month, *(f"{c:.2f}" for _, _, c in seen)]))
    forms = {
        "long": long,
        "long lag": long_lag,
        "long to date": long_to_date,
        "wide": wide,
        "wide lag": wide_lag,
    }
    out = {k: ("\n".join(v) + "\n", {"to_date": False}) for k, v in forms.items()}
    return {**out, "wide to date": ("\n".join(wide_to_date) + "\n", {"to_date": True})}


@pytest.mark.parametrize("form", ["long", "long lag", "long to date", "wide", "wide lag", "wide to date"])
def test_every_form_gives_the_triangle_of_the_claims(
    claims: act.ClaimsTable, tmp_path: Path, form: str
) -> None:
    """What the claims give, written in each form and read back, is the same triangle and the same completion."""
    want = act.claims_triangle(claims)
    content, options = forms(want)[form]
    got = read_triangle(write(tmp_path, content), **options)
    pd.testing.assert_frame_equal(got.frame, want.frame, rtol=1e-12, check_names=False)
    assert complete(got).ultimate == pytest.approx(complete(want).ultimate, rel=1e-9)


def test_payments_after_the_last_service_month_count(claims: act.ClaimsTable) -> None:
    """A closed year whose payments go on: what was paid later is in the triangle, and the bridge goes on with it."""
    triangle = act.claims_triangle(claims)
    paid = claims.table.dropna(subset="payment_date")["fund_payment"].sum()
    assert triangle.latest.sum() == pytest.approx(paid, rel=1e-12)
    assert (
        int((triangle.age + np.arange(len(triangle.frame))).max()) == 11
    )  # December, two months after October
    square = act.claims_triangle(claims, until="2013-10")
    assert square.latest.sum() < paid
    pd.testing.assert_frame_equal(triangle.until("2013-10").frame, square.frame, check_names=False)
    bridge = cash_incurred_bridge(triangle)
    assert bridge.index[-1] == "2013-12"
    assert bridge["paid"].sum() == pytest.approx(paid)
    assert (bridge["opening_unpaid"] + bridge["incurred"] - bridge["paid"]).to_numpy() == pytest.approx(
        bridge["closing_unpaid"].to_numpy()
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 10**9)), min_size=1, max_size=30)
)
def test_money_is_kept_whatever_the_order(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[int, int, int]]
) -> None:
    """Any long table keeps its money, and reversed lines give the same triangle."""
    unique = {(s, lag): cents / 100 for s, lag, cents in cells}
    lines = [f"2013-{s + 1:02d},2013-{s + lag + 1:02d},{v:.2f}" for (s, lag), v in unique.items()]
    folder = tmp_path_factory.mktemp("t")
    one = read_triangle(write(folder, "\n".join(["就诊月份,支付月份,金额（元）", *lines])))
    two = read_triangle(write(folder, "\n".join(["就诊月份,支付月份,金额（元）", *lines[::-1]])))
    assert one.latest.sum() == pytest.approx(sum(unique.values()), abs=0.01)
    pd.testing.assert_frame_equal(one.frame, two.frame)


BAD = {
    "month": ("就诊月份,支付月份,金额（元）\n2013-13,2014-01,5\n", "completion.no_month", "A2"),
    "month 2013.1": ("就诊月份,支付月份,金额（元）\n2013.1,2014-01,5\n", "completion.no_month", "A2"),
    "before": ("就诊月份,支付月份,金额（元）\n2013-05,2013-04,5\n", "completion.paid_before", "C2"),
    "twice": (
        "就诊月份,支付月份,金额（元）\n2013-05,2013-05,5\n2013年5月,2013-05,6\n",
        "table.duplicate",
        "C3",
    ),
    "hole": (
        "就诊月份,支付月份,累计支付（元）\n2013-05,2013-05,5\n2013-05,2013-07,9\n",
        "completion.hole_at",
        None,
    ),
    "neither": ("就诊月份,间隔月数\n2013-05,1\n", "table.missing_column", None),
    "unit": ("就诊月份,2013-05,2013-06\n2013-05,1,2\n", "table.no_unit", "A1"),
    "unknown unit": ("就诊月份（斤）,2013-05,2013-06\n2013-05,1,2\n", "table.unknown_unit", "A1"),
    "word": ("就诊月份（元）,2013-05,2013-06\n2013-05,一,2\n", "table.not_a_number", "B2"),
    "row": ("就诊月份（元）,0,1\n五月,1,2\n", "completion.no_month", "A2"),
    "column": ("就诊月份（元）,0,1,第三月\n2013-05,1,2,3\n", "completion.no_month", "D1"),
    "wide before": ("就诊月份（元）,2013-05,2013-06\n2013-06,1,2\n", "completion.paid_before", "B2"),
    "total": ("就诊月份（元）,0,1,合计\n2013-05,1.00,2.00,9.00\n", "table.wrong_total", "D2"),
    "total row": ("就诊月份（元）,0,1\n2013-05,1.00,2.00\n合计,1.00,5.00\n", "table.wrong_total", "C3"),
    "nothing": ("就诊月份（元）,0,1\n2013-05,,\n", "completion.no_data", None),
}


@pytest.mark.parametrize("name", list(BAD))
def test_faults_at_their_cells(tmp_path: Path, name: str) -> None:
    """Each fault is told with its cell, in both languages."""
    content, code, cell = BAD[name]
    with pytest.raises(act.InputError) as error:
        read_triangle(write(tmp_path, content))
    fault = error.value.faults[0]
    assert (fault.code, fault.cell) == (code, cell)
    for lang in act.LANGUAGES:
        assert "{" not in fault.message(lang)


def test_two_units_and_a_unit_by_name(tmp_path: Path) -> None:
    """万元 from the heading or by name; two that differ are refused."""
    path = write(tmp_path, "就诊月份（万元）,0,1\n2013-05,1.5,2\n")
    assert read_triangle(path).latest.tolist() == [35_000]
    bare = write(tmp_path, "就诊月份,0,1\n2013-05,1.5,2\n", "b.csv")
    assert read_triangle(bare, unit="万元").latest.tolist() == [35_000]
    with pytest.raises(act.InputError) as error:
        read_triangle(path, unit="元")
    assert error.value.faults[0].code == "table.two_units"


@given(st.integers(1950, 2199), st.integers(1, 12))
def test_months_in_every_spelling(year: int, month: int) -> None:
    """2013-01, 2013/1, 201301, 2013年1月, 2013年1月份 and a date are the same month."""
    want = year * 12 + month - 1
    for word in (f"{year}-{month:02d}", f"{year}/{month}", f"{year}{month:02d}", f"{year}年{month}月", f"{year}年{month}月份",
                 f"{year}-{month:02d}-01", f"{year}-{month:02d}-01 00:00:00", float(f"{year}{month:02d}")):  # fmt: skip
        assert month_of(word) == want, word
    assert month_of(f"{year}.{month}") is None


def test_the_command_on_a_table(
    claims: act.ClaimsTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``complete --monthly`` gives what the function gives, and ``--until`` cuts it."""
    want = act.claims_triangle(claims)
    path = write(tmp_path, forms(want)["wide"][0])
    for until in (None, "2013-10"):
        words = ["complete", str(path), "--monthly", "--json", *(["--until", until] if until else [])]
        with pytest.raises(SystemExit) as end:
            main(words)
        assert end.value.code == 0
        found = json.loads(capsys.readouterr().out)
        assert found["ultimate"] == pytest.approx(complete(want.until(until)).ultimate, rel=1e-9)
    with pytest.raises(act.InputError):
        want.until("2012-01")
    assert text("completion.no_month", "en", value="x")
