"""A double-entry ledger in whole cents: every entry debits the account that receives and credits the account that pays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

ACCOUNTS = ("main_fund", "risk_account", "reserve", "insurer", "providers", "carried")
"""Accounts in the order in which they are shown; ``providers`` stands for those who receive claims, members too."""
YEAR_END, SUPPLEMENT = 13, 14
"""Periods after the twelve months: the settlement, and what is settled after the cut-off."""


@dataclass(frozen=True)
class Entry:
    """One entry: `debit` receives `amount` from `credit` under `rule`.

    Parameters
    ----------
    month : int
        1 to 12; 13 is the year's end, 14 what follows the cut-off.
    debit, credit : str
        Accounts.
    amount : int
        Above 0 [cents].
    rule : str
        Name of the rule of the contract; its words are ``ledger_words.rule_<name>``.
    """

    month: int
    debit: str
    credit: str
    amount: int
    rule: str


@dataclass
class Book:
    """Entries being written, with the running balance of every account (received − paid) in cents.

    Examples
    --------
    >>> book = Book()
    >>> book.pay(1, "risk_account", "insurer", 100_00, "advance")
    >>> book.balance["insurer"], book.balance["main_fund"], [e.rule for e in book.entries]
    (10000, -10000, ['funding', 'advance'])
    """

    entries: list[Entry] = field(default_factory=list)
    balance: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ACCOUNTS, 0))

    @classmethod
    def opened(cls, **opening: int) -> Book:
        """A book whose accounts start with these balances."""
        book = cls()
        book.balance.update(opening)
        return book

    def pay(self, month: int, payer: str, payee: str, amount: int, rule: str) -> None:
        """Book a payment; a negative one goes the other way, nothing is booked for 0.

        The risk account holds no money of its own: what it is short of comes from the main fund first.
        """
        if amount < 0:
            payer, payee, amount = payee, payer, -amount
        if amount == 0:
            return
        short = amount - self.balance[payer]
        if payer == "risk_account" and short > 0:
            self.pay(month, "main_fund", "risk_account", short, "funding")
        self.balance[payer] -= amount
        self.balance[payee] += amount
        self.entries.append(Entry(month, payee, payer, amount, rule))


def ledger_frame(entries: Iterable[Entry]) -> pd.DataFrame:
    """Entries as a frame: month, debit, credit, amount [int64 cents], rule."""
    rows = [(e.month, e.debit, e.credit, e.amount, e.rule) for e in entries]
    frame = pd.DataFrame(rows, columns=["month", "debit", "credit", "amount", "rule"])
    return frame.astype({"month": np.int64, "amount": np.int64})


def balances_frame(
    entries: Iterable[Entry], months: int, opening: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Balance of every account at the end of each month, shape (months, accounts) [int64 cents]."""
    flows = np.zeros((months, len(ACCOUNTS)), dtype=np.int64)
    for e in entries:
        flows[e.month - 1, ACCOUNTS.index(e.debit)] += e.amount
        flows[e.month - 1, ACCOUNTS.index(e.credit)] -= e.amount
    index = pd.RangeIndex(1, months + 1, name="month")
    start = np.array([(opening or {}).get(a, 0) for a in ACCOUNTS], dtype=np.int64)
    return pd.DataFrame(start + flows.cumsum(axis=0), index=index, columns=list(ACCOUNTS))


def lowest(entries: Iterable[Entry], account: str, months: int) -> tuple[list[int], list[int]]:
    """Balance of an account at the end of each month, and the lowest that it falls to within the month [cents]."""
    ends, lows, now = [0] * months, [0] * months, 0
    by_month: dict[int, list[Entry]] = {}
    for e in entries:
        by_month.setdefault(e.month, []).append(e)
    for m in range(1, months + 1):
        low = now
        for e in by_month.get(m, []):
            now += e.amount * ((e.debit == account) - (e.credit == account))
            low = min(low, now)
        ends[m - 1], lows[m - 1] = now, low
    return ends, lows
