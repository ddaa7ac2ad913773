"""The same kernel inside Spark: members are kept together, sorted within their partition, and walked batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa

from actuarial.benefits.columns import FLAGS, Combos, check_columns, needed, recoded, rows_of
from actuarial.benefits.kernel import Rows, new_state, run_rows
from actuarial.benefits.program import Program, compile_program, wanted_columns
from actuarial.benefits.repricing import Repricing, frame_of, warn_uncovered
from actuarial.benefits.schedule import DEFAULTS, BenefitSchedule
from actuarial.results import Source
from actuarial.tables import ClaimsTable
from actuarial.tables.engine import gather, is_spark, lazy, quiet_spark

KEYS = ("member_id", "service_date_day", "claim_id")


def is_spark_table(claims: ClaimsTable) -> bool:
    """Whether Spark holds the claims."""
    return is_spark(claims.lazy)


def reprice_spark(
    claims: ClaimsTable,
    schedules: tuple[BenefitSchedule, ...],
    *,
    recode: Mapping[str, Mapping[str, str]] | None = None,
    per_claim: bool = False,
) -> Repricing:
    """Reprice claims that Spark holds; ``payments`` is a Spark frame where asked for, in cents.

    See :func:`actuarial.benefits.repricing.reprice`.
    """
    names, recode = needed(claims), recode or {}
    mapped = [recoded(c, recode) for c in _combos(claims, names)]
    program = compile_program(schedules, list(dict.fromkeys(mapped)))
    lacking = Rows._make(np.zeros(int(f in {*_have(names), "combo"}), dtype=np.int64) for f in Rows._fields)
    check_columns(lacking, wanted_columns(program), claims.file)
    native = nw.to_native(claims.lazy.select(names))
    laid = native.repartition("member_id").sortWithinPartitions(*KEYS)
    sums_schema = "combo long, " + ", ".join(f"s{n} long" for n in range(len(program.layers) + 2))
    with quiet_spark():
        rows = gather(lazy(laid.mapInArrow(_adding(program, recode), sums_schema)))
    sums = np.zeros((len(program.combos), len(program.layers) + 2), dtype=np.int64)
    for record in rows.to_numpy(dtype=np.int64):
        sums[record[0]] += record[1:]
    warn_uncovered(program, sums[:, -1])
    payments = None
    if per_claim:
        columns = ", ".join(f"`{x}` long" for x in (*program.layers, "patient"))
        with quiet_spark():
            payments = laid.mapInArrow(_paying(program, recode), f"claim_id string, {columns}")
    sources: tuple[Source, ...] = (*claims.sources, *(x for s in schedules for x in s.sources))
    return Repricing(frame_of(program, sums), schedules, payments, sources=sources)


def _have(names: list[str]) -> set[str]:
    from actuarial.benefits.columns import CENTS

    money = {f for f, n in CENTS.items() if n in names}
    return money | {"total"} if "in_scope" in money else money


def _combos(claims: ClaimsTable, names: list[str]) -> list[tuple[str, ...]]:
    """All sets of attributes, by one pass of Spark."""
    words = [n for n in (*DEFAULTS, "poor") if n in names]
    found = gather(claims.lazy.select(words).unique()) if words else None
    if found is None:
        return [tuple(DEFAULTS.values())]
    out = set()
    for record in found.to_dict("records"):
        made = dict(DEFAULTS)
        for name in DEFAULTS:
            if name == "referral" and name in record:
                made[name] = FLAGS[int(record[name])]
            elif record.get(name):
                made[name] = str(record[name])
        if "group" not in record and record.get("poor") == 1:
            made["group"] = "poor"
        out.add(tuple(made.values()))
    return sorted(out)


def _walker(program: Program) -> tuple[Any, tuple[tuple[str, ...], ...], tuple[int, int], int]:
    """What the workers need, without the law files."""
    return program.tables, program.combos, program.slots, len(program.layers)


def _adding(
    program: Program, recode: Mapping[str, Mapping[str, str]]
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    tables, combos, slots, layers = _walker(program)

    def work(batches: Iterator[Any]) -> Iterator[Any]:
        part = Program((), combos, ("",) * layers, (), slots, tables)
        state, known, last = new_state(part), Combos(recode=recode), None
        for combo in combos:
            known.number(combo)
        sums = np.zeros((len(combos), layers + 2), dtype=np.int64)
        for batch in batches:
            rows, last = rows_of(pa.Table.from_batches([batch]), known, last)
            run_rows(part, rows, state, None, sums)
        columns = {"combo": np.arange(len(combos)), **{f"s{n}": sums[:, n] for n in range(layers + 2)}}
        yield pa.RecordBatch.from_pydict({k: pa.array(v) for k, v in columns.items()})

    return work


def _paying(
    program: Program, recode: Mapping[str, Mapping[str, str]]
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    tables, combos, slots, layers = _walker(program)
    names = program.layers

    def work(batches: Iterator[Any]) -> Iterator[Any]:
        part = Program((), combos, ("",) * layers, (), slots, tables)
        state, known, last = new_state(part), Combos(recode=recode), None
        for combo in combos:
            known.number(combo)
        for batch in batches:
            rows, last = rows_of(pa.Table.from_batches([batch]), known, last)
            out = np.zeros((len(rows.combo), layers), dtype=np.int64)
            run_rows(part, rows, state, out)
            columns = {name: pa.array(out[:, n]) for n, name in enumerate(names)}
            patient = pa.array(rows.total - out.sum(axis=1))
            ids = batch.column(batch.schema.get_field_index("claim_id"))
            yield pa.RecordBatch.from_pydict({"claim_id": ids, **columns, "patient": patient})

    return work


__all__ = ["is_spark_table", "reprice_spark"]
