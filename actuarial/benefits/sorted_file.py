"""A claim file sorted once: what repricing streams, whatever its size.

One Parquet file, sorted by member, day and claim number, with integers only beside the claim number: the member as a
running number, the combo of attributes as a number whose words stand in the file's metadata, amounts in cents. Columns
that the claims do not have are not there. It is made from checked claims and needs no further check; nothing else is kept on disk.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from actuarial.benefits.columns import BATCH, CENTS, Combos, arrow_batches, rows_of
from actuarial.benefits.kernel import Rows
from actuarial.errors import Fault, InputError
from actuarial.results import Source, atomic_path
from actuarial.tables import ClaimsTable

VERSION = "1"
KEY = "actuarial.sorted_claims"


def sort_claims(claims: ClaimsTable, path: str | os.PathLike[str]) -> Path:
    """Write claims as one sorted Parquet file.

    Parameters
    ----------
    claims : ClaimsTable
    path : path
        A file that ends in ``.parquet``; or a folder, and the file is then named by its content and the version of the form.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the folder cannot be written, or an amount is beyond 10 billion yuan.
    """
    target = Path(path)
    folder = target if target.suffix != ".parquet" else None
    target = (folder / f"{Path(claims.file).stem}.parquet") if folder else target
    combos, last, member = Combos(), None, 0
    digest = hashlib.sha256()
    with atomic_path(target) as temporary:
        writer = None
        for table in arrow_batches(claims):
            rows, last = rows_of(table, combos, last)
            numbers = member + np.cumsum(rows.new, dtype=np.int64)
            member = int(numbers[-1]) if len(numbers) else member
            out = _table(rows, numbers, table["claim_id"])
            for column in out.columns:
                for chunk in column.chunks:
                    for buffer in chunk.buffers():
                        digest.update(buffer if buffer is not None else b"")
            writer = writer or pq.ParquetWriter(temporary, out.schema, compression="zstd")
            writer.write_table(out)
        if writer is None:
            raise InputError([Fault("table.empty", claims.file)])
        told = {"version": VERSION, "combos": combos.known, "file": claims.file, "rows": claims.rows}
        writer.add_key_value_metadata({KEY: json.dumps(told, ensure_ascii=False)})
        writer.close()
    if folder:
        named = target.with_name(f"{target.stem}.{digest.hexdigest()[:12]}.v{VERSION}.parquet")
        target.replace(named)
        target = named
    return target


def _table(rows: Rows, members: Any, ids: Any) -> pa.Table:
    columns: dict[str, Any] = {
        "member": pa.array(members),
        "day": pa.array(rows.day),
        "month": pa.array(rows.month),
        "combo": pa.array(rows.combo),
    }
    columns |= {name: pa.array(getattr(rows, name)) for name in CENTS if len(getattr(rows, name))}
    return pa.table({**columns, "claim_id": ids.cast(pa.string())})


def is_sorted_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a file made by :func:`sort_claims`."""
    try:
        return Path(path).suffix == ".parquet" and KEY.encode() in (pq.read_metadata(path).metadata or {})
    except (OSError, pa.ArrowInvalid):
        return False


def sorted_batches(
    path: str | os.PathLike[str], combos: Combos
) -> Iterator[tuple[Rows, int, tuple[Source, ...]]]:
    """Kernel rows of a sorted file, a row group at a time; memory does not grow with the file.

    Raises
    ------
    InputError
        If the path is no file made by :func:`sort_claims`.
    """
    if not is_sorted_file(path):
        raise InputError([Fault("benefits.not_sorted_file", file=Path(path).name)])
    file = pq.ParquetFile(path, pre_buffer=False)  # else it holds the whole file
    told = json.loads(file.metadata.metadata[KEY.encode()])
    if told["version"] != VERSION:
        raise InputError([Fault("benefits.not_sorted_file", file=Path(path).name)])
    for combo in told["combos"]:
        combos.number(tuple(combo))
    names = [n for n in file.schema_arrow.names if n != "claim_id"]
    last = 0
    sources = (Source("claims", told["file"]),)
    for batch in file.iter_batches(BATCH, columns=names):
        members = _numpy(batch, "member")
        new = np.empty(len(members), dtype=np.uint8)
        new[1:] = members[1:] != members[:-1]
        new[:1] = members[:1] != last
        last = int(members[-1]) if len(members) else last
        money = {n: _numpy(batch, n) if n in names else np.zeros(0, dtype=np.int64) for n in CENTS}
        rows = Rows(new, _numpy(batch, "day"), _numpy(batch, "month"), _numpy(batch, "combo"), **money)
        yield rows, int(told["rows"]), sources


def claim_numbers(path: str | os.PathLike[str]) -> Any:
    """The claim numbers of a sorted file, in the order of its rows."""
    return pq.read_table(path, columns=["claim_id"])["claim_id"].to_pandas()


def _numpy(batch: Any, name: str) -> Any:
    return batch.column(name).to_numpy(zero_copy_only=False)
