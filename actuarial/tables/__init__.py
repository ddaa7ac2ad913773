"""Tables in: column dictionary, reading, checking, units, identities, monthly profile."""

from actuarial.tables.cells import parse_number
from actuarial.tables.claims import ClaimsTable, check_claims, read_claims
from actuarial.tables.columns import columns, kinds, unit_factor
from actuarial.tables.exposure import ExposureTable, read_exposure
from actuarial.tables.identities import Reconciliation, reconcile
from actuarial.tables.intake import new_salt
from actuarial.tables.marked import write_marked_copy
from actuarial.tables.profile import MonthlyProfile, difference_to_date
from actuarial.tables.reading import read_table
from actuarial.tables.table import Note, Table
from actuarial.tables.terms import labels, term_id, term_label, terms

__all__ = [
    "ClaimsTable",
    "ExposureTable",
    "MonthlyProfile",
    "Note",
    "Reconciliation",
    "Table",
    "check_claims",
    "columns",
    "difference_to_date",
    "kinds",
    "labels",
    "new_salt",
    "parse_number",
    "read_claims",
    "read_exposure",
    "read_table",
    "reconcile",
    "term_id",
    "term_label",
    "terms",
    "unit_factor",
    "write_marked_copy",
]
