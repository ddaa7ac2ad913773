"""Tables in: column dictionary, reading, checking, units, identities, monthly profile."""

from actuarial.tables.columns import columns, kinds, unit_factor
from actuarial.tables.identities import Reconciliation, reconcile
from actuarial.tables.profile import MonthlyProfile
from actuarial.tables.reading import Note, Table, parse_number, read_table
from actuarial.tables.terms import term_id, term_label, terms

__all__ = [
    "MonthlyProfile",
    "Note",
    "Reconciliation",
    "Table",
    "columns",
    "kinds",
    "parse_number",
    "read_table",
    "reconcile",
    "term_id",
    "term_label",
    "terms",
    "unit_factor",
]
