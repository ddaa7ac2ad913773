"""Synthetic claims: in agreement with what is printed, reproducible, and labelled in everything written."""

from __future__ import annotations

import datetime
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from scipy.special import ndtr, ndtri

import actuarial as act
from actuarial.samples import blocks, sample_path
from actuarial.samples.claims import SyntheticClaims, make_request, synthetic_claims, write_synthetic_claims
from actuarial.samples.model import LEVELS, load_model, parameters
from actuarial.tables import read_table

MEMBERS = 20_000
INSURED = 647_000
PRINTED_RATIO = {"township": 0.8170, "county_level": 0.7036, "outside": 0.4710}


@pytest.fixture(scope="module")
def made() -> SyntheticClaims:
    """Claims of 20,000 members."""
    return synthetic_claims(MEMBERS)


@pytest.fixture(scope="module")
def whole() -> SyntheticClaims:
    """Claims of all 647,000 insured, by the parameters."""
    return synthetic_claims(INSURED)


@pytest.fixture(scope="module")
def exact() -> SyntheticClaims:
    """Claims of all 647,000 insured, scaled to the printed totals."""
    return synthetic_claims(INSURED, exact=True)


def printed() -> pd.DataFrame:
    """Jieshou's ten months."""
    return read_table(sample_path("jieshou/experience.csv"), "experience").frame.set_index("category")


def cents(frame: pd.DataFrame, column: str) -> pd.Series:
    """A column of money in whole cents."""
    return (frame[column] * 100).round().astype("int64")


def scores() -> tuple[np.ndarray, np.ndarray]:
    """Points and weights of a standard normal."""
    z = np.linspace(-8, 8, 100_001)
    w = np.exp(-z * z / 2)
    return z, w / w.sum()


# ----------------------------------------------------------------- totals


def test_totals_at_20_000_members(made: SyntheticClaims) -> None:
    """Visits and payments by category lie within four standard errors (over members) of the printed ones."""
    totals = printed()
    for category, sums in made.claims.groupby("category", observed=True):
        for column, goal in (("visits", "visits"), ("fund_payment", "fund_payment")):
            values = (
                sums.groupby("member_id").size()
                if column == "visits"
                else sums.groupby("member_id")[column].sum()
            )
            error = np.sqrt((values**2).sum())  # of a sum over members, most of them 0
            expected = totals.loc[category, goal] * MEMBERS / INSURED
            assert abs(values.sum() - expected) < 4 * error, (category, column)


def test_frequency_is_not_biased() -> None:
    """Over 20 seeds the mean number of visits of each category is the printed one, within four errors."""
    counts = []
    for seed in range(20):
        request = make_request(blocks.BLOCK, seed, 10, 2013, "jieshou", False)
        counts.append(np.bincount(blocks.draw_claims(request, 0).category, minlength=7))
    goal = np.array([c.visits for c in load_model().categories]) * blocks.BLOCK / INSURED
    error = np.std(counts, axis=0, ddof=1) / np.sqrt(len(counts))
    assert (np.abs(np.mean(counts, axis=0) - goal) < 4 * error).all()


def test_whole_fund_is_near_what_is_printed(whole: SyntheticClaims) -> None:
    """At full size, without scaling, total payment is within 2% and each ratio within half a point."""
    table = whole.table
    assert table["fund_payment"].sum() == pytest.approx(164_467_500, rel=0.02)
    ward = table[table["category"] == "inpatient"].set_index("level")
    for level, ratio in PRINTED_RATIO.items():
        assert ward.loc[level, "ratio"] == pytest.approx(ratio, abs=0.005)
    assert ward["fund_payment"].sum() / ward["total_cost"].sum() == pytest.approx(0.6077, abs=0.01)


def test_exact_totals_are_the_printed_ones(exact: SyntheticClaims) -> None:
    """With ``exact`` visits are equal, payments equal to the cent, ratios equal as printed."""
    totals = printed()
    groups = exact.claims.groupby("category", observed=True)
    assert groups.size().to_dict() == totals["visits"].astype(int).to_dict()
    paid = cents(exact.claims, "fund_payment").groupby(exact.claims["category"], observed=True).sum()
    assert paid.to_dict() == (totals["fund_payment"] * 100).round().astype("int64").to_dict()
    ward = exact.table[exact.table["category"] == "inpatient"].set_index("level")
    for level, ratio in PRINTED_RATIO.items():
        assert round(ward.loc[level, "ratio"], 4) == ratio
    assert round(ward["fund_payment"].sum() / ward["total_cost"].sum(), 4) == 0.6077


def test_exact_totals_scale_with_members_and_months() -> None:
    """Half the insured and five of the months give a quarter of the printed visits and payments."""
    small = synthetic_claims(INSURED // 2, months=5, exact=True)
    assert len(small.claims) == pytest.approx(949_222 / 4, abs=4)
    ward = small.claims[small.claims["category"] == "inpatient"]
    assert cents(ward, "fund_payment").sum() == pytest.approx(11_528_210_000 / 4, abs=3)
    assert (small.claims["fund_payment"] <= small.claims["in_scope_cost"]).all()
    assert small.claims["service_date"].max() <= pd.Timestamp(2013, 5, 31)


# ----------------------------------------------------------------- single claims


def test_parts_of_a_claim(made: SyntheticClaims) -> None:
    """Scope is cost less class C, class B lies within it, payment follows the rule of the cell to the cent."""
    claims = made.claims
    total, scope, b, c, paid = (cents(claims, k) for k in
                                ("total_cost", "in_scope_cost", "class_b_cost", "class_c_cost", "fund_payment"))  # fmt: skip
    for column in (total, scope, b, c, paid):
        assert (column >= 0).all()
    assert (scope + c == total).all()
    assert (b <= scope).all()
    assert (paid <= scope).all()
    for cell in load_model().cells:
        at = (claims["category"] == cell.category) & (claims["level"] == cell.level)
        ppm = round(cell.ratio * 1_000_000)
        rule = ((scope[at] - cell.deductible).clip(lower=0) * ppm + 500_000) // 1_000_000
        assert (paid[at] == rule).all()
    assert (paid == 0).mean() < 1e-3  # nearly every visit is a beneficiary's


def test_money_is_whole_cents(made: SyntheticClaims) -> None:
    """Every amount is the float nearest to its cents."""
    for column in ("total_cost", "in_scope_cost", "class_b_cost", "class_c_cost", "fund_payment"):
        assert (made.claims[column] == cents(made.claims, column) / 100).all()


def test_dates(made: SyntheticClaims) -> None:
    """Services fall within the ten months and the member's enrolment; payment never before, with a lag by level."""
    claims = made.claims.merge(
        made.exposure, on="member_id", validate="many_to_one", suffixes=("", "_member")
    )
    assert claims["service_date"].between("2013-01-01", "2013-10-31").all()
    assert (claims["service_date"] >= claims["enrolled_from"]).all()
    assert (claims["service_date"] <= claims["enrolled_to"]).all()
    assert made.exposure["enrolled_from"].dt.year.eq(2013).all()
    assert made.exposure["enrolled_to"].dt.year.eq(2013).all()
    assert (made.exposure["enrolled_from"] <= made.exposure["enrolled_to"]).all()
    lag = (claims["payment_date"] - claims["service_date"]).dt.days
    assert lag.between(0, 365).all()
    ward = claims["category"] == "inpatient"
    means = lag[ward].groupby(claims.loc[ward, "level"], observed=True).mean()
    assert means["outside"] > 2 * means["township"] > 20
    assert (claims["age"] == claims["age_member"]).all()
    assert (claims["sex"] == claims["sex_member"]).all()
    assert (claims["poor"] == (claims["group"] == "poor")).all()
    assert (claims["age"] == 2013 - claims["birth_year"]).all()


def test_who_claims(whole: SyntheticClaims) -> None:
    """Only women of 15–44 give birth, once; referrals are of claims outside; admissions repeat, more at 65+."""
    claims, exposure = whole.claims, whole.exposure
    births = claims[claims["category"] == "childbirth"]
    assert (births["sex"] == "female").all()
    assert births["age"].between(15, 44).all()
    assert births["member_id"].is_unique
    assert set(claims.loc[claims["referral"], "level"].unique()) == {"outside"}
    ward = claims[claims["category"] == "inpatient"]
    times = ward["member_id"].value_counts().reindex(exposure["member_id"], fill_value=0)
    assert times.var() / times.mean() > 1.15  # a Poisson count of equal members has 1
    old = exposure["age"].ge(65).mean()
    assert ward["age"].ge(65).mean() > 1.8 * old


def test_leap_year_and_last_month() -> None:
    """Twelve months of a leap year have 366 days, and December is reached."""
    made = synthetic_claims(3_000, year=2012, months=12)
    assert made.request.days == made.request.year_days == 366
    assert made.claims["service_date"].max() > pd.Timestamp(2012, 12, 24)
    assert made.claims["service_date"].max() < pd.Timestamp(2013, 1, 1)


# ----------------------------------------------------------------- calibration


@pytest.fixture(scope="module")
def rand() -> pd.DataFrame:
    """Person-years of the RAND Health Insurance Experiment."""
    with gzip.open(sample_path("international/rand_hie.csv.gz"), "rt", encoding="utf-8") as file:
        return pd.read_csv(file)


def test_tail_parameters_are_the_fit(rand: pd.DataFrame) -> None:
    """Refitting the person-level data gives the recorded body and tail, and the recorded sample moments."""
    cost = rand.loc[rand["inpatient_cost_dollars"] > 0, "inpatient_cost_dollars"]
    assert len(cost) == 1823
    assert cost.std() / cost.mean() == pytest.approx(1.714, abs=0.001)
    assert stats.skew(cost) == pytest.approx(8.51, abs=0.01)
    u = np.quantile(cost, 0.95)
    xi, _, beta = stats.genpareto.fit(cost[cost > u] - u, floc=0)
    body = np.log(cost[cost <= u])

    def loss(p: np.ndarray) -> float:
        return -float((stats.norm.logpdf(body, *p) - stats.norm.logcdf(np.log(u), *p)).sum())

    mu, sigma = optimize.minimize(loss, [6.5, 1.0], method="Nelder-Mead").x
    tail = load_model().tail
    assert (tail.xi, tail.sigma) == pytest.approx((xi, sigma), abs=0.002)
    scale = u / tail.threshold
    assert tail.beta * scale == pytest.approx(beta, rel=0.002)
    assert tail.mu + np.log(scale) == pytest.approx(mu, abs=0.002)


def test_tail_moments() -> None:
    """Cost over mean has mean 1, cv 1.74 and 99% quantile 7.91, as ``claims.yaml`` says."""
    z, w = scores()
    y = load_model().tail.of_score(z)
    assert w @ y == pytest.approx(1, abs=1e-5)
    assert np.sqrt(w @ y**2 - 1) == pytest.approx(1.741, abs=0.001)
    assert load_model().tail.of_score(ndtri(np.array([0.99])))[0] == pytest.approx(7.91, abs=0.01)
    assert (np.diff(y[np.abs(z) < 5]) > 0).all()


def test_tail_of_the_claims(whole: SyntheticClaims, rand: pd.DataFrame) -> None:
    """Admissions drawn have the 99% quantile of the RAND costs over the mean, and nearly their cv."""
    cost = whole.claims.loc[whole.claims["category"] == "inpatient", "total_cost"]
    real = rand.loc[rand["inpatient_cost_dollars"] > 0, "inpatient_cost_dollars"]
    assert cost.quantile(0.99) / cost.mean() == pytest.approx(real.quantile(0.99) / real.mean(), rel=0.06)
    assert cost.std() / cost.mean() == pytest.approx(real.std() / real.mean(), rel=0.1)


def test_levels_and_ratios_by_integration() -> None:
    """Integrating the model, without drawing, gives the printed ratios, the cost shares and 9.25 times the mean."""
    model = load_model()
    cells = {c.level: c for c in model.cells if c.category == "inpatient"}
    shares = np.array([cells[k].visits for k in LEVELS])
    shares = shares / shares.sum()
    z, w = scores()
    rho = model.level_correlation
    edges = [ndtr((ndtri(s) - rho * z) / np.sqrt(1 - rho**2)) for s in np.cumsum(shares)[:-1]]
    chance = np.diff([np.zeros_like(z), *edges, np.ones_like(z)], axis=0)
    cost = (
        model.tail.of_score(z) * sum(c.cost for c in cells.values()) / sum(c.visits for c in cells.values())
    )
    nodes, weights = np.polynomial.legendre.leggauss(30)
    means = []
    for level, p in zip(LEVELS, chance, strict=True):
        cell = cells[level]
        paid = sum(
            v / 2 * (p * w) @ np.maximum((1 - cell.class_c * (1 + x)) * cost - cell.deductible, 0)
            for x, v in zip(nodes, weights, strict=True)
        )
        assert cell.ratio * paid / ((p * w) @ cost) == pytest.approx(PRINTED_RATIO[level], abs=1e-5)
        goal = cell.cost / sum(c.cost for c in cells.values())
        assert (p * w) @ cost / (w @ cost) == pytest.approx(goal, abs=1e-5)
        means.append((p * w) @ cost / (p @ w))
    assert means[2] / means[0] == pytest.approx(9.25, abs=0.001)
    assert sum(c.payment for c in cells.values()) == 11_528_210_000


def test_member_effects_are_those_of_the_data(rand: pd.DataFrame) -> None:
    """Variances of the gamma effects, by moments within age band and sex, are the recorded ones."""
    early = rand[rand["year"] <= 3]
    band = pd.cut(early["age"], [-1, 4, 14, 24, 34, 44, 54, 64])
    for column, name in (("admissions", "inpatient"), ("physician_visits", "outpatient")):
        mean = early.groupby([band, "female"], observed=True)[column].transform("mean")
        variance = ((early[column] - mean) ** 2 - mean).sum() / (mean**2).sum()
        assert load_model().effects[name] == pytest.approx(variance, abs=0.02)


def test_every_parameter_has_source_and_status(made: SyntheticClaims) -> None:
    """Each entry of the parameters says where it comes from and how far it can be trusted."""
    for name, entry in parameters().items():
        if name in {"bands", "levels", "categories"}:  # said by levels_meaning and categories_meaning
            continue
        for part in [entry] if "status" in entry else entry.values():
            assert part["status"] in {"stated", "derived", "assumed"}, name
            assert part["source"], name
    assert {s.status for s in made.sources} == {"synthetic", "stated", "derived", "assumed"}
    assert all(s.document for s in made.sources)


# ----------------------------------------------------------------- reproducibility


def test_same_seed_same_claims(made: SyntheticClaims) -> None:
    """The same seed gives the same frames, another seed others."""
    pd.testing.assert_frame_equal(made.claims, synthetic_claims(MEMBERS).claims)
    pd.testing.assert_frame_equal(made.exposure, synthetic_claims(MEMBERS).exposure)
    assert (
        not made.claims["total_cost"]
        .head(100)
        .equals(synthetic_claims(MEMBERS, seed=1).claims["total_cost"].head(100))
    )


def test_fewer_members_are_the_first_of_more() -> None:
    """What a member claims does not depend on how many members follow, within a block or past its end."""
    many = synthetic_claims(blocks.BLOCK + 500)
    few = synthetic_claims(700)
    first = many.claims[many.claims["member_id"] <= 700].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, few.claims)
    beyond = many.claims[many.claims["member_id"] > blocks.BLOCK]
    assert len(beyond) > 300
    assert many.claims["claim_id"].is_unique
    order = many.claims[["member_id", "service_date", "claim_id"]]
    assert order.equals(order.sort_values(["member_id", "service_date", "claim_id"]))


def test_blocks_in_any_order() -> None:
    """A block drawn alone is the block drawn in turn."""
    request = make_request(3 * blocks.BLOCK, 7, 10, 2013, "jieshou", False)
    alone = blocks.draw_claims(request, 2)
    *_, last = blocks.all_claims(request)
    assert np.array_equal(alone.cost, last.cost)
    assert np.array_equal(alone.member, last.member)


def test_spread_does_not_depend_on_chunks() -> None:
    """Cents spread over the whole or over pieces are the same, and sum to the goal."""
    rng = np.random.Generator(np.random.SFC64(1))
    cell, values = rng.integers(0, 3, 1000).astype(np.int8), rng.integers(0, 10**6, 1000)
    total = np.array([values[cell == k].sum() for k in range(3)])
    goal = np.array([12_345, 10**9 + 7, 0])
    whole, _ = blocks.spread(cell, values, np.zeros(3, dtype=np.int64), total, goal)
    before, pieces = np.zeros(3, dtype=np.int64), []
    for part in np.array_split(np.arange(1000), 7):
        piece, before = blocks.spread(cell[part], values[part], before, total, goal)
        pieces.append(piece)
    assert np.array_equal(np.concatenate(pieces), whole)
    assert [int(whole[cell == k].sum()) for k in range(3)] == goal.tolist()
    assert (whole >= 0).all()


@pytest.mark.parametrize("is_exact", [False, True])
def test_parquet_is_the_frame(tmp_path: Path, is_exact: bool) -> None:
    """The file streamed in blocks holds the frames, twice the same bytes, and says that it is synthetic."""
    import pyarrow.parquet as pq

    members = blocks.BLOCK + 500
    files = [tmp_path / f"{n}.parquet" for n in range(2)]
    write_synthetic_claims(files[0], members, exact=is_exact, exposure=tmp_path / "members.parquet")
    write_synthetic_claims(files[1], members, exact=is_exact)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert {p.name for p in tmp_path.iterdir()} == {"0.parquet", "1.parquet", "members.parquet"}
    made = synthetic_claims(members, exact=is_exact)
    pd.testing.assert_frame_equal(
        pd.read_parquet(files[0]), made.claims, check_dtype=False, check_categorical=False
    )
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "members.parquet"),
        made.exposure,
        check_dtype=False,
        check_categorical=False,
    )
    for file in (files[0], tmp_path / "members.parquet"):
        metadata = pq.read_schema(file).metadata
        assert metadata[b"status"] == b"synthetic"
        assert "模拟数据" in metadata[b"note_zh"].decode()
    assert pq.ParquetFile(files[0]).num_row_groups == 2


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When drawing fails half way, the old file stays and no temporary file is left."""
    target = tmp_path / "synthetic.parquet"
    target.write_text("old")

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("actuarial.samples.claims._claim_columns", broken)
    with pytest.raises(RuntimeError):
        write_synthetic_claims(target, 10)
    assert [p.name for p in tmp_path.iterdir()] == ["synthetic.parquet"]
    assert target.read_text() == "old"


# ----------------------------------------------------------------- labels, sample, faults


def test_everything_says_synthetic(made: SyntheticClaims, tmp_path: Path) -> None:
    """Label, summary, table, both frames, page and both languages of CSV say that nothing was observed."""
    assert "模拟数据" in made.label
    with act.use_language("en"):
        assert "SYNTHETIC" in made.label
    assert made.summary("en").startswith("SYNTHETIC")
    assert "模拟数据" in made._repr_html_()
    for frame in (made.table, made.claims, made.exposure):
        assert (frame["status"] == "synthetic").all()
    for lang, word, heading in (
        ("zh", "模拟数据", "基金支付（元）"),
        ("en", "SYNTHETIC", "fund_payment (yuan)"),
    ):
        claims, members = synthetic_claims(100).to_csv(tmp_path / lang, lang)
        assert heading in claims.read_text(encoding="utf-8").splitlines()[1]
        for file in (claims, members):
            first, _, *rows = file.read_text(encoding="utf-8").splitlines()
            assert word in first
            assert "," not in first
            assert all(row.endswith(word.lower()) for row in rows)


def test_committed_sample_is_what_the_code_draws(tmp_path: Path) -> None:
    """The files of ``data_samples/synthetic`` are made again, byte for byte."""
    for file in synthetic_claims(1363).to_csv(tmp_path):
        kept = sample_path(f"synthetic/{file.name}")
        assert file.read_bytes() == kept.read_bytes()
    claims = pd.read_csv(sample_path("synthetic/claims.csv"), skiprows=1)
    assert 1900 < len(claims) < 2100
    assert set(claims["状态"]) == {"模拟数据"}


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda: synthetic_claims(0), "samples.number"),
        (lambda: synthetic_claims(10, months=13), "samples.number"),
        (lambda: synthetic_claims(10, seed=-1), "samples.number"),
        (lambda: synthetic_claims(10, year=13), "samples.number"),
        (lambda: synthetic_claims(10, place="nowhere"), "samples.place"),
        (lambda: synthetic_claims(5, exact=True), "samples.too_few"),
    ],
)
def test_refusals(ask: Callable[[], object], code: str) -> None:
    """Numbers out of range, unknown places and too few members for exact totals are refused by code."""
    with pytest.raises(act.InputError) as error:
        ask()
    assert [f.code for f in error.value.faults] == [code]


def test_days_of_any_months() -> None:
    """Days of the first months agree with the calendar."""
    for year in (2012, 2013):
        for months in range(1, 13):
            end = datetime.date(year + months // 12, months % 12 + 1, 1)
            days = make_request(1, 0, months, year, "jieshou", False).days
            assert days == (end - datetime.date(year, 1, 1)).days
    assert make_request(1, 0, 2, 2012, "jieshou", False).days == 60
