"""The workbook in which a bureau fills in a contract year: months, events, and how to fill them in."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from actuarial.contract.terms import Contract
from actuarial.errors import Fault, InputError
from actuarial.law import list_laws
from actuarial.results import new_workbook
from actuarial.tables import columns
from actuarial.texts import language, pick, text

MONTHS = (("contract_month", ""), ("contract_claims", "money"), ("participants", "count"), ("policy_claims", "money"), ("late_claims", "money"))  # fmt: skip
EVENTS = (("event", ""), ("times", ""))
UNITS = {
    "money": {"zh": "（元）", "en": " (yuan)"},
    "count": {"zh": "（人）", "en": " (persons)"},
    "": {"zh": "", "en": ""},
}


def write_template(
    contract: Contract, path: Path, start: pd.Period | None = None, lang: str | None = None
) -> Path:
    """Write the workbook for a contract; its months dated where the first is known.

    Raises
    ------
    InputError
        If the contract pays by points alone, the file is not ``.xlsx``, is there already (it may have been filled in), or cannot be written.
    """
    if path.suffix.lower() != ".xlsx":
        raise InputError(
            [Fault("contract.template_type", file=str(path), params={"suffix": path.suffix or path.name})]
        )
    if contract.terms.points is not None and not contract.terms.sharing:
        raise InputError([Fault("contract.template_points", file=contract.law.file)])
    if path.exists():
        raise InputError([Fault("contract.template_exists", file=str(path))])
    chosen = language(lang)
    reference = contract.law.id if contract.law.id in list_laws("contract") else contract.law.file
    with new_workbook(path) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})
        head = book.add_format(
            {"bold": True, "bg_color": "#E3EBF1", "bottom": 1, "text_wrap": True, "valign": "top"}
        )
        cell = book.add_format({"bottom": 1, "bottom_color": "#D9DEE3", "num_format": "#,##0.00"})
        whole = book.add_format({"bottom": 1, "bottom_color": "#D9DEE3", "num_format": "#,##0"})
        words = book.add_format({"bottom": 1, "bottom_color": "#D9DEE3", "text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(text("settle_words.sheet_months", chosen))
        for at, (name, unit) in enumerate(MONTHS):
            sheet.write_string(0, at, getattr(columns()[name], chosen) + UNITS[unit][chosen], head)
            sheet.set_column(at, at, 22)
            for row in range(1, 13):
                sheet.write_blank(row, at, None, whole if unit == "count" else cell)
        for row in range(1, 13):
            sheet.write_string(row, 0, str(row) if start is None else str(start + (row - 1)), words)
        sheet.freeze_panes(1, 1)
        _prepare(sheet)
        if contract.terms.deductions:
            events = book.add_worksheet(text("settle_words.sheet_events", chosen))
            for at, (name, _) in enumerate(EVENTS):
                events.write_string(0, at, getattr(columns()[name], chosen), head)
                events.set_column(at, at, 70 if at == 0 else 12)
            for row, deduction in enumerate(contract.terms.deductions, 1):
                events.write_string(row, 0, pick(deduction.event, chosen), words)
                events.write_number(row, 1, 0, whole)
            _prepare(events)
        guide = book.add_worksheet(text("settle_words.sheet_guide", chosen))
        guide.set_column(0, 0, 100)
        for row in range(5):
            guide.write_string(row, 0, text(f"settle_words.guide_{row + 1}", chosen, name=contract.law.name(chosen), id=contract.law.id, reference=reference), words)  # fmt: skip
        _prepare(guide)
    return path


def _prepare(sheet: object) -> None:
    sheet.set_landscape()  # type: ignore[attr-defined]
    sheet.set_paper(9)  # type: ignore[attr-defined]
    sheet.fit_to_pages(1, 0)  # type: ignore[attr-defined]
