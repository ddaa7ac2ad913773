"""Tables of a contract year: months, events, points of providers; and the workbook in which a bureau fills them in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from actuarial.contract.terms import Contract
from actuarial.errors import Fault, InputError
from actuarial.results import Source
from actuarial.tables import Table, read_table
from actuarial.tables.columns import fold
from actuarial.texts import LANGUAGES, pick, text

_DATED = re.compile(r"(\d{4})\D{1,2}(\d{1,2})(?:\D.*)?")
_PLAIN = re.compile(r"第?(\d{1,2})个?月?份?")


@dataclass(frozen=True)
class ActualYear:
    """What the tables of a contract year hold.

    Parameters
    ----------
    claims : tuple of float
        Of the twelve months [yuan].
    heads : tuple of float, optional
        Insured persons by month.
    policy_loss, late_claims : float
        Claims caused by a change of policy; claims after the cut-off [yuan].
    events : dict
        Number of events by the id of their deduction.
    start : Period, optional
        First month, where the table dates its months.
    sources : tuple of Source
    """

    claims: tuple[float, ...]
    heads: tuple[float, ...] | None = None
    policy_loss: float = 0.0
    late_claims: float = 0.0
    events: dict[str, int] = field(default_factory=dict)
    start: pd.Period | None = None
    sources: tuple[Source, ...] = ()


def read_year(
    contract: Contract, months: str | os.PathLike[str], *, sheet: str | None = None, unit: str | None = None,
    events: str | os.PathLike[str] | None = None,
) -> ActualYear:  # fmt: skip
    r"""Read the months of a contract year, and its events.

    Parameters
    ----------
    contract : Contract
    months : path
        A table of kind ``contract_months`` (CSV or Excel).
    sheet : str, optional
        Its sheet; the first if not given.
    unit : str, optional
        Unit of amounts where the headings state none.
    events : path, optional
        A table of kind ``contract_events``; if not given, the sheet of that name in the workbook of the months, where there is one.

    Raises
    ------
    InputError
        With every fault of the tables.

    Examples
    --------
    >>> import tempfile
    >>> from actuarial.contract import load_contract
    >>> deal = load_contract("china/jiande/contract/cooperation@2012-01-01")
    >>> rows = "\n".join(f"2012-{m:02d},1400,400000" for m in range(1, 13))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "months.csv"
    ...     _ = file.write_text("月份,赔付支出（万元）,参保人数\n" + rows, encoding="utf-8")
    ...     year = read_year(deal, file)
    >>> year.claims[0], year.heads[0], str(year.start)
    (14000000.0, 400000.0, '2012-01')
    """
    table = read_table(months, "contract_months", sheet=sheet, unit=unit)
    numbers, start = _months(table)
    frame = table.frame.set_index(pd.Index(numbers)).sort_index()
    return ActualYear(
        tuple(map(float, frame["contract_claims"])), _heads(table, frame), _sum(frame, "policy_claims"),
        _sum(frame, "late_claims"), _events(contract, Path(months), events), start, table.sources,
    )  # fmt: skip


def _months(table: Table) -> tuple[list[int], pd.Period | None]:
    """Number of each row's month within the contract year, and the first month where months are dated."""
    dates: list[pd.Period] = []
    numbers: list[int] = []
    faults = []
    for word, cell in zip(table.frame["contract_month"], table.cells["contract_month"], strict=True):
        dated, plain = _DATED.fullmatch(word), _PLAIN.fullmatch(word)
        if dated and 1 <= int(dated[2]) <= 12:
            dates.append(pd.Period(f"{dated[1]}-{int(dated[2]):02d}", freq="M"))
        elif plain and 1 <= int(plain[1]) <= 12:
            numbers.append(int(plain[1]))
        else:
            faults.append(Fault("contract.month_word", file=table.file, cell=cell, params={"value": word}))
    if faults:
        raise InputError(faults)
    first = min(dates) if dates else None
    mixed = first is not None and bool(numbers)
    numbers = numbers if first is None else [p.ordinal - first.ordinal + 1 for p in dates]
    if mixed or sorted(numbers) != list(range(1, 13)):
        read = "、".join(str(w) for w in table.frame["contract_month"])
        raise InputError(
            [Fault("contract.month_rows", file=table.file, params={"count": len(numbers), "read": read})]
        )
    return numbers, first


def _heads(table: Table, frame: pd.DataFrame) -> tuple[float, ...] | None:
    if "participants" not in frame or frame["participants"].isna().all():
        return None
    missing = [str(m) for m in frame.index[frame["participants"].isna()]]
    if missing:
        raise InputError(
            [Fault("contract.heads_missing", file=table.file, params={"months": "、".join(missing)})]
        )
    empty = [
        Fault("contract.heads_zero", file=table.file, cell=cell, params={"value": f"{n:g}"})
        for n, cell in zip(table.frame["participants"], table.cells["participants"], strict=True)
        if not n > 0
    ]
    if empty:
        raise InputError(empty)
    return tuple(map(float, frame["participants"]))


def _sum(frame: pd.DataFrame, name: str) -> float:
    return float(frame[name].fillna(0).round(2).sum()) if name in frame else 0.0


def _events(contract: Contract, months: Path, events: str | os.PathLike[str] | None) -> dict[str, int]:
    path, sheet = (
        (months, _events_sheet(months)) if events is None else (Path(events), _events_sheet(Path(events)))
    )
    if events is None and sheet is None:
        return {}
    table = read_table(path, "contract_events", sheet=sheet)
    words = {fold(w): d.id for d in contract.terms.deductions for w in (d.id, *d.event.values())}
    counts: dict[str, int] = {}
    faults = []
    for word, times, cell in zip(
        table.frame["event"], table.frame["times"], table.cells["event"], strict=True
    ):
        name = words.get(fold(word))
        if name is None or times != int(times):
            known = {
                lang: "；".join(f"{d.id}（{pick(d.event, lang)}）" for d in contract.terms.deductions)
                for lang in LANGUAGES
            }
            code = "contract.event_unknown" if name is None else "contract.event_times"
            faults.append(Fault(code, file=table.file, cell=cell, params={"value": word, "known": known, "times": f"{times:g}"}))  # fmt: skip
            continue
        counts[name] = counts.get(name, 0) + int(times)
    if faults:
        raise InputError(faults)
    return {name: n for name, n in counts.items() if n}


def _events_sheet(path: Path) -> str | None:
    """The sheet of events of a filled template; None where the file has none."""
    if path.suffix.lower() not in {".xlsx", ".xlsm", ".xls"} or not path.is_file():
        return None
    from actuarial.tables.grids import sheet_names

    wanted = {text("settle_words.sheet_events", lang) for lang in LANGUAGES}
    return next((name for name in sheet_names(path) if name in wanted), None)


def read_points(
    path: str | os.PathLike[str], *, sheet: str | None = None, unit: str | None = None
) -> pd.DataFrame:
    """Read providers' points: ``provider``, ``points``, ``prepaid`` [yuan] (0 where the table has none).

    Raises
    ------
    InputError
        With every fault of the table.
    """
    frame = read_table(path, "contract_points", sheet=sheet, unit=unit).frame
    prepaid: Any = frame["prepaid"].fillna(0.0) if "prepaid" in frame else 0.0
    return frame[["provider", "points"]].assign(prepaid=prepaid)
