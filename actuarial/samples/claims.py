"""Synthetic claims of any number of members, in agreement with a place's printed totals.

There is no public Chinese claim file. This one is drawn at random, so that expected visits and payments
by category, and the ratio of fund payment to cost by level of hospital, are those that Jieshou printed
for ten months; the heavy tail of admission costs is that of the RAND Health Insurance Experiment. **No
row of it was observed**, and everything written from here says so.

Decisions
---------
* Totals are by **date of service**: a cash table at the end of the months is smaller, by what
  ``payment_date`` puts after it. Jieshou printed payments; that they equal ten months of service is an
  assumption.
* ``fund_payment = ratio × (in_scope_cost − deductible)``, not below 0, half up to the cent, with the
  parameters of ``claims.yaml``, so that a benefit schedule can reproduce it. With ``exact=True`` costs and
  payments are scaled by cell (category and level) and the ratio moves a little.
* ``total_cost = class A + class B + class C``; ``in_scope_cost = total_cost − class_c_cost``.
* ``age`` is that of the year's end, ``year − birth_year``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.results import Result, Source, atomic_path, write_text
from actuarial.samples.blocks import BLOCK, Claims, Request, all_claims, draw_members
from actuarial.samples.model import LEVELS, SEXES, load_model
from actuarial.tables import term_label
from actuarial.texts import text

CENTS = 100
STATUS = "synthetic"
MONEY = ("total_cost", "in_scope_cost", "class_b_cost", "class_c_cost", "fund_payment")
GROUPS = ("general", "poor")
Coded = tuple[NDArray[Any], list[str]]


@dataclass(frozen=True, eq=False)
class SyntheticClaims(Result):
    """Synthetic claims and the members that they belong to.

    Parameters
    ----------
    claims : DataFrame
        One row a claim, sorted by member, date and claim: ``claim_id``, ``member_id``,
        ``service_date``, ``payment_date``, ``category``, ``level``, ``provider``, ``total_cost``,
        ``in_scope_cost``, ``class_b_cost``, ``class_c_cost``, ``fund_payment`` [yuan, whole cents],
        ``age`` [years], ``sex``, ``poor``, ``referral``, ``status`` (always ``synthetic``).
    exposure : DataFrame
        One row a member: ``member_id``, ``enrolled_from``, ``enrolled_to`` (last day), ``birth_year``,
        ``age``, ``sex``, ``group``, ``status``.
    request : Request
        What was asked for.
    """

    claims: pd.DataFrame
    exposure: pd.DataFrame
    request: Request

    @property
    def label(self) -> str:
        """Says that the data are synthetic, in the language in force."""
        return label(self.request)

    @property
    def table(self) -> pd.DataFrame:
        """By category and level: drawn, and what the printed totals say for as many members and months.

        ``expected_visits`` and ``expected_payment`` [yuan] are the printed ones, scaled; ``ratio`` is
        fund payment over total cost.
        """
        cells, scale = self.request.model.cells, self.request.scale
        groups = self.claims.groupby(["category", "level"], observed=True)
        sums = groups[["total_cost", "in_scope_cost", "fund_payment"]].sum()
        table = pd.DataFrame({"category": [c.category for c in cells], "level": [c.level for c in cells]})
        index = pd.MultiIndex.from_frame(table)
        table["visits"] = groups.size().reindex(index, fill_value=0).to_numpy()
        for column in sums:
            table[column] = sums[column].reindex(index, fill_value=0.0).round(2).to_numpy()
        table["ratio"] = table["fund_payment"] / table["total_cost"].where(table["total_cost"] > 0)
        table["expected_visits"] = [c.visits * scale for c in cells]
        table["expected_payment"] = [c.payment * scale / CENTS for c in cells]
        table["status"] = STATUS
        return table

    def summary(self, lang: str | None = None) -> str:
        """The label and the table."""
        return f"{label(self.request, lang)}\n{self.table.to_string(index=False)}"

    def to_csv(self, folder: str | os.PathLike[str], lang: str = "zh") -> tuple[Path, Path]:
        """Write ``claims.csv`` and ``exposure.csv`` with headings in `lang`; returns the paths.

        The first line of each says that the data are synthetic and how they were made; so does the
        column of status in every row.
        """
        made = []
        for name, frame in (("claims", self.claims), ("exposure", self.exposure)):
            body = _worded(frame, lang).to_csv(index=False, lineterminator="\n", float_format="%.2f")
            first = note(self.request, lang).replace(",", ";")
            made.append(write_text(Path(folder) / f"{name}.csv", f"# {first}\n{body}"))
        return made[0], made[1]


def label(request: Request, lang: str | None = None) -> str:
    """The words that go with everything synthetic."""
    place = text(f"synthetic.place_{request.model.place}", lang)
    return text("synthetic.label", lang, place=place)


def note(request: Request, lang: str | None = None) -> str:
    """The label, and how the data were made."""
    params = {f: getattr(request, f) for f in ("members", "seed", "months", "year")}
    return text("synthetic.note", lang, label=label(request, lang), **params)


def synthetic_claims(
    members: int,
    *,
    seed: int = 2013,
    months: int = 10,
    year: int = 2013,
    place: str = "jieshou",
    exact: bool = False,
) -> SyntheticClaims:
    """Draw synthetic claims of the first months of a year.

    Parameters
    ----------
    members : int
        Persons insured, from 1; about 1.47 claims each in ten months. For more than fits in memory see
        :func:`write_synthetic_claims`.
    seed : int
        Same seed, same claims; fewer members (without `exact`) are the first of more.
    months : int
        Months of service from January, 1 to 12.
    year : int
        Calendar year.
    place : str
        Whose printed totals.
    exact : bool
        Make visits, cost and payment by category, and cost and payment by level, equal the printed
        ones × members ÷ insured × months ÷ months printed: payments to the cent.

    Raises
    ------
    InputError
        If a number is out of range, the place is not known, or there are too few members to be exact.

    Examples
    --------
    >>> made = synthetic_claims(1_000)
    >>> sorted(made.claims["status"].unique()), len(made.exposure)
    (['synthetic'], 1000)
    >>> made.table["visits"].sum() == len(made.claims)
    np.True_
    """
    request = make_request(members, seed, months, year, place, exact)
    blocks, first = [], 1
    for k, drawn in enumerate(all_claims(request)):
        blocks.append(_frame(_claim_columns(request, k, drawn, first)))
        first += len(drawn.cost)
    exposure = [_frame(_member_columns(request, k)) for k in request.blocks]
    return SyntheticClaims(
        pd.concat(blocks, ignore_index=True),
        pd.concat(exposure, ignore_index=True),
        request,
        sources=(Source("synthetic_claims", "claims.yaml", place, status=STATUS), *request.model.sources),
    )


def write_synthetic_claims(
    path: str | os.PathLike[str],
    members: int,
    *,
    seed: int = 2013,
    months: int = 10,
    year: int = 2013,
    place: str = "jieshou",
    exact: bool = False,
    exposure: str | os.PathLike[str] | None = None,
) -> Path:
    """Write the claims of :func:`synthetic_claims` to a Parquet file, block by block.

    Memory does not grow with `members`; the same arguments give the same bytes (with the same version
    of pyarrow). The file's metadata hold the note in both languages, and every row its status.

    Parameters
    ----------
    path : path
        File to write, whole or not at all.
    exposure : path, optional
        Where to write the members too.
    members, seed, months, year, place, exact
        See :func:`synthetic_claims`; `exact` draws the blocks three times.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    InputError
        As :func:`synthetic_claims`, or if a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_synthetic_claims(Path(folder) / "synthetic.parquet", 1_000)
    ...     bool((pd.read_parquet(file)["status"] == "synthetic").all())
    True
    """
    request = make_request(members, seed, months, year, place, exact)

    def claim_blocks() -> Iterator[dict[str, Any]]:
        first = 1
        for k, drawn in enumerate(all_claims(request)):
            yield _claim_columns(request, k, drawn, first)
            first += len(drawn.cost)

    _write_parquet(path, request, claim_blocks())
    if exposure is not None:
        _write_parquet(exposure, request, (_member_columns(request, k) for k in request.blocks))
    return Path(path)


def make_request(members: int, seed: int, months: int, year: int, place: str, exact: bool) -> Request:
    """Check what is asked for.

    Raises
    ------
    InputError
        With every number that is out of range, or if the place is not known.

    Examples
    --------
    >>> make_request(10, 1, 10, 2013, "jieshou", False).days
    304
    """
    ranges = {"members": (members, 1, 10**9), "seed": (seed, 0, 2**63 - 1), "months": (months, 1, 12),
              "year": (year, 1900, 2200)}  # fmt: skip
    faults = [
        Fault("samples.number", params={"name": name, "value": value, "least": least, "most": most})
        for name, (value, least, most) in ranges.items()
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most
    ]
    if faults:
        raise InputError(faults)
    return Request(load_model(place), int(members), int(seed), int(months), int(year), exact)


# --------------------------------------------------------------------------- columns


def _dates(request: Request, days: NDArray[Any]) -> NDArray[np.datetime64]:
    start = np.datetime64(f"{request.year}-01-01", "D")
    return (start + days.astype("timedelta64[D]")).astype("datetime64[ms]")


def _claim_columns(request: Request, block: int, drawn: Claims, first: int) -> dict[str, Any]:
    """Columns of a block of claims; words as (codes, words)."""
    cells = request.model.cells
    members = draw_members(request, block)
    at = drawn.member - block * BLOCK
    level = np.array([LEVELS.index(c.level) for c in cells], dtype=np.int8)
    sizes = [next(c.providers for c in cells if c.level == k) for k in LEVELS]
    names = [f"{k}_{i + 1:02d}" for k, size in zip(LEVELS, sizes, strict=True) for i in range(size)]
    before = np.cumsum([0, *sizes[:-1]])
    money = (drawn.cost, drawn.cost - drawn.class_c, drawn.class_b, drawn.class_c, drawn.payment)
    return {
        "claim_id": np.arange(first, first + len(at), dtype=np.int64),
        "member_id": drawn.member + 1,
        "service_date": _dates(request, drawn.day),
        "payment_date": _dates(request, drawn.day.astype(np.int64) + drawn.lag),
        "category": (drawn.category, [c.name for c in request.model.categories]),
        "level": (level[drawn.cell], list(LEVELS)),
        "provider": ((before[drawn.provider // 100] + drawn.provider % 100).astype(np.int16), names),
        **{name: cents / CENTS for name, cents in zip(MONEY, money, strict=True)},
        "age": members.age[at],
        "sex": (members.sex[at], list(SEXES)),
        "poor": members.poor[at],
        "referral": drawn.referral,
        "status": (np.zeros(len(at), dtype=np.int8), [STATUS]),
    }


def _member_columns(request: Request, block: int) -> dict[str, Any]:
    """Columns of a block of members."""
    count = min(BLOCK, request.members - block * BLOCK)
    m = draw_members(request, block)
    return {
        "member_id": np.arange(count, dtype=np.int64) + block * BLOCK + 1,
        "enrolled_from": _dates(request, m.first[:count]),
        "enrolled_to": _dates(request, m.last[:count]),
        "birth_year": (request.year - m.age[:count]).astype(np.int16),
        "age": m.age[:count],
        "sex": (m.sex[:count], list(SEXES)),
        "group": (m.poor[:count].astype(np.int8), list(GROUPS)),
        "status": (np.zeros(count, dtype=np.int8), [STATUS]),
    }


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(
        {k: pd.Categorical.from_codes(*v) if isinstance(v, tuple) else v for k, v in columns.items()}
    )


def _worded(frame: pd.DataFrame, lang: str) -> pd.DataFrame:
    """The frame with headings and words in `lang`, dates as text."""
    told = {}
    for name in frame.columns:
        column = frame[name]
        if name in {"category", "level"}:
            column = column.map({c: term_label(c, lang) for c in column.cat.categories})
        elif name == "provider":
            column = column.map({c: _provider(str(c), lang) for c in column.cat.categories})
        elif name in {"sex", "group", "status"}:
            column = column.map({c: text(f"synthetic.{c}", lang) for c in column.cat.categories})
        elif column.dtype == bool:
            column = column.map({True: text("label.yes", lang), False: text("label.no", lang)})
        elif column.dtype.kind == "M":
            column = column.dt.strftime("%Y-%m-%d")
        told[text(f"synthetic.head_{name}", lang)] = column
    return pd.DataFrame(told)


def _provider(name: str, lang: str) -> str:
    level, _, number = name.rpartition("_")
    return f"{term_label(level, lang)} {number}"


# --------------------------------------------------------------------------- Parquet


def _write_parquet(path: str | os.PathLike[str], request: Request, blocks: Iterator[dict[str, Any]]) -> None:
    """One row group a block; words as dictionaries; the note in the file's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    notes = {f"note_{lang}": note(request, lang) for lang in ("zh", "en")}
    metadata = {"status": STATUS, **notes}
    with atomic_path(path) as temporary:
        writer = None
        try:
            for columns in blocks:
                table = pa.table({k: _arrow(v) for k, v in columns.items()}).replace_schema_metadata(metadata)
                writer = writer or pq.ParquetWriter(temporary, table.schema, compression="zstd")
                writer.write_table(table)
        finally:
            if writer is not None:
                writer.close()


def _arrow(values: Any) -> Any:
    import pyarrow as pa

    if isinstance(values, tuple):
        return pa.DictionaryArray.from_arrays(pa.array(values[0]), pa.array(values[1], type=pa.string()))
    return pa.array(values)
