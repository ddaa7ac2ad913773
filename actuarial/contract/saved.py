"""A settlement kept for next year: one JSON file, written beside the statement and read when the next year is settled."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from actuarial.contract.settlement import YearSettlement
from actuarial.contract.split import State
from actuarial.errors import Fault, InputError
from actuarial.law import read_yaml
from actuarial.law.base import Id, Strict
from actuarial.law.schema import validate
from actuarial.results import write_text

Cents = Annotated[int, Field(ge=-(10**18), le=10**18)]
NotNegative = Annotated[int, Field(ge=0, le=10**18)]


class NextYear(Strict):
    """What goes on to the next year, in cents."""

    reserve_cents: NotNegative
    carried_cents: Cents
    owed_cents: NotNegative
    claims_cents: NotNegative


class SavedSettlement(Strict):
    """The file."""

    kind: Literal["contract_settlement"]
    schema_version: Literal[1]
    contract: Id
    period: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")] | None
    next_year: NextYear
    settlement: dict[str, Any]


@dataclass(frozen=True)
class LastYear:
    """What last year's file hands on.

    Parameters
    ----------
    opening : State
        Balances and unpaid reward [cents].
    claims : float
        Late claims that belong to this year [yuan].
    contract : str
    period : Period or None
        First month of last year.
    file : str
    """

    opening: State
    claims: float
    contract: str
    period: pd.Period | None
    file: str


def saved_data(settled: YearSettlement, period: pd.Period | None = None) -> dict[str, Any]:
    """The content of the file."""
    state = settled.state
    kept = {"reserve_cents": int(state.reserve), "carried_cents": int(state.carried), "owed_cents": int(state.owed),
            "claims_cents": settled.carried_claims}  # fmt: skip
    return {
        "kind": "contract_settlement", "schema_version": 1, "contract": settled.deal.contract.law.id,
        "period": None if period is None else str(period), "next_year": kept, "settlement": settled.to_dict(),
    }  # fmt: skip


def save_year(settled: YearSettlement, path: str | os.PathLike[str], period: pd.Period | None = None) -> Path:
    """Write the file, whole or not at all.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    data = saved_data(settled, period)
    return write_text(path, json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def read_last(path: str | os.PathLike[str], contract: str, period: pd.Period | None = None) -> LastYear:
    """Read last year's file for the settlement of this year.

    Parameters
    ----------
    path : path
    contract : str
        Id of this year's contract: of the same place and name, of any date.
    period : Period, optional
        First month of this year; the file's must be twelve months earlier, where both are known.

    Raises
    ------
    InputError
        If the file has faults, is of another contract or not of the year before.
    """
    file = Path(path)
    try:
        data, lines = read_yaml(file)
    except InputError as error:
        if error.code == "file.not_found":
            raise
        data = {}
    if data.get("kind") != "contract_settlement":
        raise InputError([Fault("contract.not_a_settlement", file=file.name)])
    found = validate(SavedSettlement, data, lines, file.name)
    if found.contract.partition("@")[0] != contract.partition("@")[0]:
        params = {"last": found.contract, "now": contract}
        raise InputError([Fault("contract.other_contract", file=file.name, params=params)])
    last = None if found.period is None else pd.Period(found.period, freq="M")
    if last is not None and period is not None and (period - last).n != 12:
        params = {"last": str(last), "now": str(period)}
        raise InputError([Fault("contract.not_last_year", file=file.name, params=params)])
    kept = found.next_year
    state = State(kept.reserve_cents, kept.carried_cents, kept.owed_cents)
    return LastYear(state, kept.claims_cents / 100, found.contract, last, file.name)


def earlier_claims(last: LastYear, way: str | None = None) -> float:
    """Claims of last year to be added to this year's months [yuan].

    Parameters
    ----------
    last : LastYear
    way : {"add", "included"}, optional
        Whether this year's months hold them already.

    Raises
    ------
    InputError
        If there are such claims and it is not said.
    """
    if last.claims and way is None:
        params = {"amount": f"{last.claims:,.2f}"}
        raise InputError([Fault("contract.late_last_year", file=last.file, params=params)])
    return last.claims if way == "add" else 0.0
