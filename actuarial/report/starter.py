"""What ``actuarial init`` writes: a plan to fill in and a workbook with the right headings."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from actuarial.errors import Fault, InputError
from actuarial.results import new_workbook, write_text
from actuarial.tables import columns, term_label
from actuarial.texts import text

SHEETS: dict[str, tuple[tuple[tuple[str, str], ...], tuple[str, ...]]] = {
    "experience": (
        (("category", ""), ("visits", ""), ("fund_payment", "money"), ("source", "")),
        ("inpatient", "outpatient_pooling", "chronic_outpatient"),
    ),
    "payers": (
        (("payer", ""), ("per_capita", "person"), ("due", "money"), ("received", "money"), ("share_of_rise", "%"), ("source", "")),
        ("individual", "subsidy_central", "subsidy_provincial", "subsidy_county"),
    ),
    "calendar": (
        (("payer", ""), ("month", ""), ("cumulative_share", "%"), ("source", "")),
        ("individual", "subsidy_central", "subsidy_provincial", "subsidy_county"),
    ),
    "providers": (
        (("provider", ""), ("budget", "money"), ("source", "")),
        ("township", "county_level", "outside"),
    ),
    "actual": (
        (("category", ""), ("month", ""), ("level", ""), ("provider", ""), ("cash", "money"), ("incurred", "money"), ("visits", ""), ("source", "")),
        ("individual", "subsidy_central", "subsidy_provincial", "subsidy_county", "inpatient", "outpatient_pooling", "chronic_outpatient"),
    ),
}  # fmt: skip
"""Columns with their unit, and the first words, of each sheet."""


def write_starter(folder: Path, lang: str) -> list[Path]:
    """Write ``plan.yaml`` and the workbook; nothing that is there is overwritten.

    Raises
    ------
    InputError
        If one of the files is there already, or the folder cannot be written.
    """
    plan, book = folder / "plan.yaml", folder / text("starter.workbook", lang)
    there = [p.name for p in (plan, book) if p.exists()]
    if there:
        raise InputError(
            [Fault("file.folder_not_empty", file=str(folder), params={"names": "、".join(there)})]
        )
    template = files(__package__).joinpath("templates", f"plan_{lang}.yaml").read_text(encoding="utf-8")
    _write_workbook(book, lang)
    write_text(plan, template)
    return [plan, book]


def _write_workbook(path: Path, lang: str) -> None:
    import datetime as dt

    units = {"": "", "money": ("万元", "10k yuan"), "person": ("元", "yuan"), "%": ("%", "%")}
    with new_workbook(path) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})
        head = book.add_format({"bold": True, "bg_color": "#E3EBF1", "bottom": 1, "text_wrap": True})
        cell = book.add_format({"bottom": 1, "bottom_color": "#D9DEE3"})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        for name, (heads, words) in SHEETS.items():
            sheet = book.add_worksheet(text(f"starter.sheet_{name}", lang))
            for at, (column, unit) in enumerate(heads):
                heading = getattr(columns()[column], lang)
                words_of_unit = units[unit][0 if lang == "zh" else 1] if unit else ""
                bracket = f"（{words_of_unit}）" if lang == "zh" else f" ({words_of_unit})"
                sheet.write_string(0, at, heading + (bracket if unit else ""), head)
                sheet.set_column(at, at, 20 if at else 24)
            for row, word in enumerate(words, 1):
                sheet.write_string(row, 0, term_label(word, lang), cell)
                for at in range(1, len(heads)):
                    sheet.write_blank(row, at, None, cell)
            sheet.freeze_panes(1, 1)
        guide = book.add_worksheet(text("starter.sheet_guide", lang))
        guide.set_column(0, 0, 100)
        for row in range(7):
            guide.write_string(row, 0, text(f"starter.guide_{row + 1}", lang), wrap)
