"""Claims as sorted integer columns for the kernel, from any engine, in batches.

Rows are sorted by member, day of settlement and claim number. Words become small integers: a **combo** is one set of
attributes that occurs. :class:`Combos` grows while batches come in, so that a stream of any length can be
coded without being looked at twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from actuarial.benefits.kernel import LARGEST, Rows
from actuarial.benefits.schedule import DEFAULTS
from actuarial.errors import Fault, InputError
from actuarial.law.terms import word_of
from actuarial.tables import ClaimsTable
from actuarial.tables.engine import is_duckdb, is_spark

CENTS = {
    "total": "total_cost_cents",
    "in_scope": "in_scope_cost_cents",
    "class_b": "class_b_cost_cents",
    "class_c": "class_c_cost_cents",
    "paid": "fund_payment_cents",
    "wage": "annual_wage_cents",
    "account": "personal_account_balance_cents",
    "mutual_aid": "mutual_aid_payment_cents",
}
"""Fields of :class:`Rows` and the columns of a claims table that fill them."""
WORDS = ("category", "level", "place", "group", "disease")
FLAGS = {1: "yes", 0: "no", -1: "unknown"}
BATCH = 1 << 19


@dataclass
class Combos:
    """The sets of attributes that have occurred, numbered as they came."""

    known: list[tuple[str, ...]] = field(default_factory=list)
    recode: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    _index: dict[tuple[str, ...], int] = field(default_factory=dict)

    def number(self, combo: tuple[str, ...]) -> int:
        """Number of a combo, its words mapped; a new one if it has not occurred."""
        combo = recoded(combo, self.recode)
        found = self._index.setdefault(combo, len(self._index))
        if found == len(self.known):
            self.known.append(combo)
        return found

    def coded(self, table: Any) -> NDArray[np.int32]:
        """Numbers of the combos of an Arrow table's rows."""
        parts: list[tuple[NDArray[np.int64], list[str]]] = []
        for name in DEFAULTS:
            codes, words = _words(table, name)
            parts.append((codes, words))
        sizes = [len(words) for _, words in parts]
        flat = np.zeros(table.num_rows, dtype=np.int64)
        for (codes, _), size in zip(parts, sizes, strict=True):
            if size > 1:
                flat = flat * size + codes
        present, inverse = _present(flat, int(np.prod([s for s in sizes if s > 1] or [1])))
        numbers = np.empty(len(present), dtype=np.int32)
        for n, value in enumerate(present.tolist()):
            words, rest = [], value
            for (_, vocabulary), size in reversed(list(zip(parts, sizes, strict=True))):
                words.append(vocabulary[rest % size if size > 1 else 0])
                rest = rest // size if size > 1 else rest
            numbers[n] = self.number(tuple(reversed(words)))
        return numbers[inverse]


def recoded(combo: tuple[str, ...], recode: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """A combo with its words mapped, by attribute.

    Examples
    --------
    >>> recoded(("inpatient", "outside", "in_area", "no", "general", ""), {"level": {"outside": "prefecture"}})[1]
    'prefecture'
    """
    return tuple(word_of(recode.get(k, {}).get(w, w)) for k, w in zip(DEFAULTS, combo, strict=True))


def _present(flat: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Values that occur, and the place of each row's value among them."""
    if size > 1 << 16:
        present, inverse = np.unique(flat, return_inverse=True)
        return present, inverse
    present = np.flatnonzero(np.bincount(flat, minlength=size))
    place = np.zeros(size, dtype=np.intp)
    place[present] = np.arange(len(present))
    return present, place[flat]


def _words(table: Any, name: str) -> tuple[NDArray[np.int64], list[str]]:
    """Codes and words of one attribute; its default where there is no such column."""
    have = table.column_names
    if name == "group" and "group" not in have and "poor" in have:
        return _flags(table["poor"], {1: "poor", 0: "general", -1: "general"})
    if name not in have:
        return np.zeros(table.num_rows, dtype=np.int64), [DEFAULTS[name]]
    if name == "referral":
        return _flags(table[name], FLAGS)
    column = table[name].combine_chunks()
    column = column if isinstance(column.type, pa.DictionaryType) else pc.dictionary_encode(column)
    column = pa.chunked_array([column]).combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    words = [str(w) if w is not None and w != "" else DEFAULTS[name] for w in column.dictionary.to_pylist()]
    codes = column.indices.fill_null(len(words)).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, [*words, DEFAULTS[name]]


def _flags(column: Any, words: dict[int, str]) -> tuple[NDArray[np.int64], list[str]]:
    values = pc.fill_null(column.combine_chunks(), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.where((values == 0) | (values == 1), values, 2), [words[0], words[1], words[-1]]


# --------------------------------------------------------------------------- reading


def needed(claims: ClaimsTable) -> list[str]:
    """Columns of a claims table that repricing uses."""
    wanted = [
        "member_id",
        "claim_id",
        "service_date_day",
        "service_date_month",
        *WORDS,
        "referral",
        "poor",
        *CENTS.values(),
    ]
    have = set(claims.lazy.columns)
    return [c for c in wanted if c in have]


def arrow_batches(claims: ClaimsTable) -> Iterator[Any]:
    """Sorted Arrow tables of a claims table; DuckDB streams them, other engines give one.

    Raises
    ------
    InputError
        For Spark, which has a way of its own (:mod:`actuarial.benefits.spark`).
    """
    columns = needed(claims)
    frame = claims.lazy.select(columns)
    keys = ["member_id", "service_date_day", "claim_id"]
    if is_spark(frame):
        raise InputError([Fault("benefits.spark", claims.file)])
    if is_duckdb(frame):
        relation = nw.to_native(frame).order(", ".join(keys))
        reader = relation.to_arrow_reader(BATCH)
        for batch in reader:
            yield pa.Table.from_batches([batch])
        return
    yield nw.from_native(frame.sort(keys).collect()).to_arrow()


def rows_of(table: Any, combos: Combos, last: str | None) -> tuple[Rows, str | None]:
    """One sorted Arrow table as kernel rows.

    Parameters
    ----------
    table : pyarrow.Table
    combos : Combos
        Grows.
    last : str or None
        Member of the row before.

    Returns
    -------
    (Rows, str)
        And the member of the last row.

    Raises
    ------
    InputError
        If an amount is negative or beyond 10 billion yuan.
    """
    members = table["member_id"].combine_chunks()
    members = members.chunk(0) if isinstance(members, pa.ChunkedArray) else members
    new = np.ones(len(members), dtype=np.uint8)
    if len(members):
        new[1:] = pc.not_equal(members.slice(1), members.slice(0, len(members) - 1)).to_numpy(
            zero_copy_only=False
        )
        new[0] = members[0].as_py() != last
        last = members[len(members) - 1].as_py()
    money = {field: _cents(table, name) for field, name in CENTS.items()}
    if not len(money["total"]):
        money["total"] = money["in_scope"]
    day, month = (_ints(table, f"service_date_{part}", np.int32) for part in ("day", "month"))
    return Rows(new, day, month, combos.coded(table), **money), last


def _ints(table: Any, name: str, dtype: Any) -> NDArray[Any]:
    return table[name].combine_chunks().to_numpy(zero_copy_only=False).astype(dtype, copy=False)


def _cents(table: Any, name: str) -> NDArray[np.int64]:
    if name not in table.column_names:
        return np.zeros(0, dtype=np.int64)
    column = pc.fill_null(table[name].combine_chunks(), 0)
    values = column.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    if len(values) and (int(values.min()) < 0 or int(values.max()) > LARGEST):
        worst = int(values.min()) if values.min() < 0 else int(values.max())
        raise InputError([Fault("benefits.amount", column=name, params={"value": f"{worst / 100:,.2f}"})])
    return np.ascontiguousarray(values)


def concatenate(parts: list[Rows]) -> Rows:
    """Batches as one."""
    if len(parts) == 1:
        return parts[0]
    return Rows._make(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def check_columns(rows: Rows, wanted: set[str], file: str) -> None:
    """Refuse claims that lack what the schedules count.

    Raises
    ------
    InputError
        With one fault for each column.
    """
    names = {"in_scope": "in_scope_cost", "total": "total_cost", "class_b": "class_b_cost", "class_c": "class_c_cost", "wage": "annual_wage", "paid": "fund_payment", "account": "personal_account_balance"}  # fmt: skip
    missing = [f for f in names if f in wanted and not len(getattr(rows, f))]
    if missing and len(rows.combo):
        from actuarial.tables.columns import columns

        raise InputError(
            Fault(
                "benefits.column",
                file,
                params={"name_zh": columns()[names[f]].zh, "name_en": columns()[names[f]].en},
            )
            for f in missing
        )
