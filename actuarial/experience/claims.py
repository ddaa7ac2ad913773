r"""Experience, run-off triangle and monthly bridge from claims, on whatever engine holds them.

Every sum is of int64 cents, so that pandas, Polars, DuckDB and Spark give the same figure to the cent, in any
order of rows; results are small pandas frames in yuan. Claims of a category in a month are cost by **service**
(incurred) unless payments are asked for by name.

The cash–incurred bridge holds in each month: opening unpaid + incurred − paid = closing unpaid. It counts what
the file holds: claims that have not come in yet are no part of it (completion adds them).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.experience import Experience
from actuarial.experience.triangle import Triangle
from actuarial.results import Source
from actuarial.tables import ClaimsTable, ExposureTable
from actuarial.tables.engine import gather
from actuarial.tables.intake import month_name, month_number

FUND = "fund_payment_cents"


def experience_from_claims(
    claims: ClaimsTable,
    exposure: ExposureTable | None = None,
    insured: float | None = None,
    months: int | None = None,
    *,
    first: str | None = None,
    basis: Literal["service", "payment"] = "service",
    pool_above: float | None = None,
    pool_by: Literal["claim", "member"] = "claim",
) -> Experience:
    """Payments, visits and persons by category over some months.

    Parameters
    ----------
    claims : ClaimsTable
    exposure : ExposureTable, optional
        The insured are then its person-months over the months, divided by their number.
    insured : float, optional
        Persons insured; goes before `exposure`.
    months : int, optional
        Number of months, 1 to 12; from the first to the last month of service if not given.
    first : str, optional
        First month, ``2013-01``; the first month of service if not given. Claims of other months are left out.
    basis : {"service", "payment"}
        Month of a claim: of service, or of payment (cash).
    pool_above : float, optional
        Threshold [yuan]: what is above it is taken out of its category and spread over all in
        proportion to the rest. The total stays the same to the cent.
    pool_by : {"claim", "member"}
        Whether the threshold is that of a claim, or of all that a member was paid in the months; a member's excess
        is taken out of the member's categories in proportion to what they paid.

    Returns
    -------
    Experience
        Its frame has ``persons`` (different members with a claim in the category), and ``large_excess`` [yuan]
        (what was taken out of the category) where claims are pooled.

    Raises
    ------
    InputError
        If nobody is insured, no claim falls in the months, the months are not 1 to 12, the threshold is not
        positive, or payments are asked for and there are no payment dates.

    Examples
    --------
    >>> from actuarial.tables import read_claims
    >>> frame = pd.DataFrame({"claim_id": ["1", "2", "3"], "member_id": ["a", "b", "a"],
    ...     "category": ["住院", "门诊统筹", "门诊统筹"], "service_date": ["2013-01-31", "2013-02-01", "2013-02-02"],
    ...     "fund_payment": [1200.50, 30.0, 20.0]})
    >>> study = experience_from_claims(read_claims(frame, unit="yuan"), insured=100)
    >>> study.frame[["category", "fund_payment", "visits"]].values.tolist()
    [['inpatient', 1200.5, 1.0], ['outpatient_pooling', 50.0, 2.0]]
    """
    start = month_number(first) if first else claims.months[0]
    length = months if months is not None else claims.months[1] - start + 1
    if not 1 <= length <= 12:
        raise InputError([Fault("claims.months", claims.file, params={"value": length})])
    if pool_above is not None and not pool_above > 0:
        raise InputError([Fault("claims.threshold", claims.file, params={"value": pool_above})])
    if basis == "payment":
        need_payments(claims)
    span = (month_name(start), month_name(start + length - 1))
    if insured is None and exposure is not None:
        insured = exposure.total_months(span[0], length) / length
    if insured is None or not insured > 0:
        raise InputError([Fault("experience.no_insured", claims.file, params={"value": insured or 0})])
    month = nw.col(f"{basis}_date_month")
    frame = claims.lazy.filter((month >= start) & (month <= start + length - 1))
    cells = _by_category(frame, pool_above if pool_by == "claim" else None)
    if pool_above is not None and len(cells):
        if pool_by == "member":
            cells["excess_"] = _member_excess(frame, cells["category"].tolist(), round(pool_above * 100))
        cells = _pooled(cells)
    cells = cells.drop(columns="excess_")
    if cells.empty:
        raise InputError([Fault("claims.no_claims", claims.file, params={"first": span[0], "last": span[1]})])
    source = Source("experience", claims.file, f"{span[0]}–{span[1]}, {basis}", status="derived")
    return Experience(_figures(cells, insured), float(insured), length, sources=(*claims.sources, source))


def _by_category(frame: nw.LazyFrame[Any], pool_above: float | None) -> pd.DataFrame:
    """Cents, excess above the threshold of a claim, visits and persons by category, by the categories' names."""
    above = nw.lit(0) if pool_above is None else nw.col(FUND) - round(pool_above * 100)
    excess = nw.when(above > 0).then(above).otherwise(nw.lit(0)).cast(nw.Int64)
    cells = frame.select("category", "member_id", FUND, excess_=excess).group_by("category")
    sums = cells.agg(
        nw.col(FUND).sum(), nw.col("excess_").sum(), visits=nw.len(), persons=nw.col("member_id").n_unique()
    )
    names = (FUND, "excess_", "visits", "persons")
    found = gather(sums.with_columns(*(nw.col(c).cast(nw.Int64) for c in names)))
    return found.sort_values("category", ignore_index=True)


def _member_excess(frame: nw.LazyFrame[Any], categories: list[str], threshold: int) -> list[int]:
    """What members were paid above the threshold together, in cents by category; exact and in any order of rows."""
    sums = frame.group_by("member_id").agg(nw.col(FUND).sum())
    large = sums.filter(nw.col(FUND) > threshold).select("member_id")
    cells = frame.join(large, on="member_id", how="semi").group_by("member_id", "category")
    found = gather(cells.agg(nw.col(FUND).sum()).with_columns(nw.col(FUND).cast(nw.Int64)))
    place = {c: n for n, c in enumerate(categories)}
    out = [0] * len(categories)
    for _, rows in found.sort_values(["member_id", "category"]).groupby("member_id"):
        cents = [int(c) for c in rows[FUND]]
        for category, part in zip(rows["category"], spread(sum(cents) - threshold, cents), strict=True):
            out[place[str(category)]] += part
    return out


def _pooled(cells: pd.DataFrame) -> pd.DataFrame:
    """The excess taken out of its category and spread over all in proportion to what is left."""
    kept = cells[FUND] - cells["excess_"]
    shared = kept + spread(int(cells["excess_"].sum()), kept.tolist())
    return cells.assign(**{FUND: shared, "large_excess": cells["excess_"] / 100})


def spread(amount: int, weights: list[int]) -> list[int]:
    """An amount of cents in proportion to weights, summing exactly: the largest remainders get the last cents.

    Examples
    --------
    >>> spread(100, [1, 1, 1]), spread(5, [0, 0])
    ([34, 33, 33], [3, 2])
    """
    weights = weights if sum(weights) > 0 else [1] * len(weights)
    whole = sum(weights)
    parts = [amount * w // whole for w in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for i in order[: amount - sum(parts)]:
        parts[i] += 1
    return parts


def _figures(cells: pd.DataFrame, insured: float) -> pd.DataFrame:
    """The columns of :class:`Experience` from cents and visits."""
    frame = pd.DataFrame({"category": cells["category"].astype(str), "fund_payment": cells[FUND] / 100})
    frame["visits"] = cells["visits"].astype("float64")
    frame["visits_per_insured"] = frame["visits"] / insured
    frame["payment_per_visit"] = frame["fund_payment"] / frame["visits"]
    frame["per_capita"] = frame["fund_payment"] / insured
    frame["persons"] = cells["persons"].astype("float64")
    if "large_excess" in cells:
        frame["large_excess"] = cells["large_excess"]
    return frame


def need_payments(claims: ClaimsTable) -> None:
    """Refuse claims without payment dates where these are needed."""
    if not claims.paid:
        raise InputError([Fault("claims.no_payment_date", claims.file)])


def run_off(
    claims: ClaimsTable,
    by: Literal["payment", "count"] = "payment",
    *,
    until: str | None = None,
    category: str | None = None,
) -> pd.DataFrame:
    """Incremental run-off triangle: month of service by months until payment.

    Parameters
    ----------
    claims : ClaimsTable
    by : {"payment", "count"}
        Fund payments [yuan] or number of claims.
    until : str, optional
        Last month of payment that counts; the last in the claims if not given.
    category : str, optional
        One category; all if not given.

    Returns
    -------
    DataFrame
        Index: every month of service (``Period[M]``). Columns: lag 0, 1, … [months]. Cells after `until` are
        NaN, cells without payments 0. A claim paid before its service (kept by `accept`) has lag 0.

    Raises
    ------
    InputError
        If there are no payment dates or nothing is paid.

    Examples
    --------
    >>> from actuarial.tables import read_claims
    >>> frame = pd.DataFrame({"claim_id": ["1", "2"], "member_id": ["a", "b"], "category": ["住院", "住院"],
    ...     "service_date": ["2013-01-31", "2013-02-01"], "payment_date": ["2013-02-05", "2013-02-06"],
    ...     "fund_payment": [1200.50, 30.0]})
    >>> run_off(read_claims(frame, unit="yuan")).values.tolist()
    [[0.0, 1200.5], [30.0, nan]]
    """
    need_payments(claims)
    service, pay = nw.col("service_date_month"), nw.col("payment_date_month")
    frame = claims.lazy.filter(pay >= 0)
    if category is not None:
        frame = frame.filter(nw.col("category") == category)
    if until is not None:
        frame = frame.filter(pay <= month_number(until))
    lag = nw.when(pay > service).then(pay - service).otherwise(nw.lit(0)).cast(nw.Int64)
    cells = frame.select("service_date_month", FUND, lag=lag).group_by("service_date_month", "lag")
    sums = cells.agg(nw.col(FUND).sum(), n_=nw.len())
    found = gather(sums.with_columns(nw.col(FUND).cast(nw.Int64), nw.col("n_").cast(nw.Int64)))
    if found.empty:
        raise InputError([Fault("claims.no_payment_date", claims.file)])
    rows, lags = found["service_date_month"].to_numpy(), found["lag"].to_numpy()
    last = month_number(until) if until else int((rows + lags).max())
    low, high = min(claims.months[0], int(rows.min())), max(int(rows.max()), min(claims.months[1], last))
    grid = np.zeros((high - low + 1, max(int(lags.max()), 0) + 1))
    grid[rows - low, lags] = found[FUND] / 100 if by == "payment" else found["n_"]
    future = np.add.outer(np.arange(low, high + 1), np.arange(grid.shape[1])) > last
    grid[future & (grid == 0)] = np.nan
    index = pd.period_range(month_name(low), month_name(high), freq="M", name="service_month")
    return pd.DataFrame(grid, index=index, columns=pd.RangeIndex(grid.shape[1], name="lag"))


def claims_triangle(
    claims: ClaimsTable, *, until: str | None = None, exposure: ExposureTable | None = None
) -> Triangle:
    """The run-off of :func:`run_off` as a triangle, with all payment months up to `until` and the numbers of claims.

    Parameters
    ----------
    claims : ClaimsTable
    until : str, optional
        Last month of payment that counts; the last in the claims if not given. It may lie after the last month of
        service: a closed year whose payments go on is no square.
    exposure : ExposureTable, optional
        For Cape Cod: person-months by month of service.

    Raises
    ------
    InputError
        If there are no payment dates or nothing is paid.

    Examples
    --------
    >>> from actuarial.tables import read_claims
    >>> frame = pd.DataFrame({"claim_id": ["1", "2"], "member_id": ["a", "b"], "category": ["住院", "住院"],
    ...     "service_date": ["2013-01-31", "2013-02-01"], "payment_date": ["2013-02-05", "2013-03-06"],
    ...     "fund_payment": [1200.50, 30.0]})
    >>> claims_triangle(read_claims(frame, unit="yuan")).frame.values.tolist()
    [[0.0, 1200.5], [0.0, 30.0]]
    """
    paid = run_off(claims, until=until)
    last = month_number(until) if until else _last_payment(claims)
    periods = last - month_number(str(paid.index[0])) + 1
    source = Source("run_off", claims.file, f"{paid.index[0]}–{month_name(last)}", status="derived")
    counts = Triangle.from_incremental(run_off(claims, "count", until=until), periods=periods)
    triangle = Triangle.from_incremental(paid, periods=periods, source=source)
    return replace(triangle, counts=counts).exposed(exposure)


def _last_payment(claims: ClaimsTable) -> int:
    """The last month in which a claim was paid; a payment before its service counts in the month of service."""
    pay, service = nw.col("payment_date_month"), nw.col("service_date_month")
    paid = claims.lazy.filter(pay >= 0)
    month = nw.when(pay > service).then(pay).otherwise(service)
    return int(gather(paid.select(last=month.max().cast(nw.Int64)))["last"].iloc[0])


def monthly(claims: ClaimsTable, *, opening_unpaid: float = 0.0) -> pd.DataFrame:
    """Cash–incurred bridge by month.

    Parameters
    ----------
    claims : ClaimsTable
    opening_unpaid : float
        Unpaid at the start of the first month for claims that are not in the file [yuan]; it stays in the
        balance, because their payments are not in the file either.

    Returns
    -------
    DataFrame
        Index: every month from the first to the last of service or payment (``Period[M]``). Columns [yuan]:
        ``opening_unpaid + incurred − paid = closing_unpaid``, exactly; ``claims_incurred``, ``claims_paid`` [claims].

    Raises
    ------
    InputError
        If there are no payment dates.

    Examples
    --------
    >>> from actuarial.tables import read_claims
    >>> frame = pd.DataFrame({"claim_id": ["1", "2"], "member_id": ["a", "b"], "category": ["住院", "住院"],
    ...     "service_date": ["2013-01-31", "2013-02-01"], "payment_date": ["2013-02-05", None],
    ...     "fund_payment": [1200.50, 30.0]})
    >>> monthly(read_claims(frame, unit="yuan"))[["incurred", "paid", "closing_unpaid"]].values.tolist()
    [[1200.5, 0.0, 1200.5], [30.0, 1200.5, 30.0]]
    """
    need_payments(claims)
    parts = {}
    for name in ("service", "payment"):
        key = f"{name}_date_month"
        sums = claims.lazy.filter(nw.col(key) >= 0).group_by(key).agg(nw.col(FUND).sum(), n_=nw.len())
        found = gather(sums.with_columns(nw.col(FUND).cast(nw.Int64), nw.col("n_").cast(nw.Int64)))
        parts[name] = found.set_index(key)
    every = [*parts["service"].index, *parts["payment"].index]
    months = range(min(every), max(every) + 1)
    incurred, paid = (parts[n][FUND].reindex(months, fill_value=0).to_numpy() for n in ("service", "payment"))
    closing = round(opening_unpaid * 100) + np.cumsum(incurred - paid)
    index = pd.period_range(month_name(months[0]), month_name(months[-1]), freq="M", name="month")
    return pd.DataFrame(
        {
            "opening_unpaid": (closing - incurred + paid) / 100,
            "incurred": incurred / 100,
            "paid": paid / 100,
            "closing_unpaid": closing / 100,
            "claims_incurred": parts["service"]["n_"].reindex(months, fill_value=0).to_numpy(),
            "claims_paid": parts["payment"]["n_"].reindex(months, fill_value=0).to_numpy(),
        },
        index=index,
    )
