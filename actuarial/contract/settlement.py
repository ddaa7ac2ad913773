"""A year settled month by month: the ledger, the true-up, the insurer's cash need."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from actuarial.contract import cash as rules
from actuarial.contract.ledger import (
    SUPPLEMENT,
    YEAR_END,
    Book,
    Entry,
    balances_frame,
    ledger_frame,
    lowest,
)
from actuarial.contract.money import share_cents
from actuarial.contract.split import Split, State
from actuarial.errors import Fault, InputError
from actuarial.law.contract_terms import Cash
from actuarial.layers import to_cents
from actuarial.results import Result, write_frames
from actuarial.texts import text

if TYPE_CHECKING:
    from actuarial.contract.deal import Deal

MOST = 1e16
"""Largest amount that is settled [yuan]."""
OTHERS = {"provider": "providers", "reserve": "reserve", "carried": "carried"}
"""Account of each other party of the terms."""


@dataclass(frozen=True, eq=False)
class YearSettlement(Result):
    """A contract year, settled month by month. Frames hold int64 cents; properties named as amounts are yuan.

    Parameters
    ----------
    deal : Deal
    claims : tuple of int
        Of the twelve months [cents].
    late_claims : int
        Claims after the cut-off [cents].
    split : Split
        The annual split that was settled, with the late claims if they belong to this year.
    entries : tuple of Entry
    end : Final or None
        What the insurer was due; None where it takes no part in the cash.
    carried_claims : int
        Late claims that belong to the next year [cents].
    """

    deal: Deal
    claims: tuple[int, ...]
    late_claims: int
    split: Split
    entries: tuple[Entry, ...]
    end: rules.Final | None
    carried_claims: int = 0

    @property
    def ledger(self) -> pd.DataFrame:
        """Every entry: month (13: year end, 14: after the cut-off), debit, credit, amount [cents], rule."""
        return ledger_frame(self.entries)

    table = ledger

    @property
    def months(self) -> int:
        """Periods that hold entries: 13, or 14 with late claims."""
        return SUPPLEMENT if self.late_claims else YEAR_END

    @property
    def balances(self) -> pd.DataFrame:
        """Balance of every account (received − paid since the start) at the end of each month [cents]."""
        return balances_frame(self.entries, self.months)

    @property
    def cash_need(self) -> pd.DataFrame:
        """The insurer's cash by month: balance at its end, lowest within it, and what it must advance [cents].

        ``need`` is how far the balance falls below zero within the month, in the order of the entries.
        """
        ends, lows = lowest(self.entries, "insurer", self.months)
        frame = pd.DataFrame({"month": np.arange(1, self.months + 1), "balance": ends, "lowest": lows})
        return frame.assign(need=(-frame["lowest"]).clip(lower=0)).astype(np.int64)

    @property
    def worst_cash_need(self) -> tuple[int, float]:
        """The month in which the insurer must advance most, and how much [yuan]; the first of several."""
        need = self.cash_need
        at = int(need["need"].to_numpy().argmax())
        return at + 1, int(need["need"].iloc[at]) / 100

    @property
    def true_up(self) -> pd.DataFrame:
        """How the true-up comes about: item, amount [cents]. Items before the last sum to it."""
        e = self.end
        if e is None:
            return pd.DataFrame({"item": [], "amount": []}).astype({"amount": np.int64})
        rows = {"annual_result": e.result, "provisional": -e.provisional, "above_reserve": -e.above,
                "deductions": -e.deductions, "true_up": e.true_up}  # fmt: skip
        return pd.DataFrame({"item": list(rows), "amount": np.array(list(rows.values()), dtype=np.int64)})

    @property
    def true_up_amount(self) -> float:
        """The true-up [yuan]; below 0 the insurer pays back."""
        return self.end.true_up / 100 if self.end else 0.0

    @property
    def provisional(self) -> float:
        """Provisional shares of the insurer [yuan]."""
        return self.end.provisional / 100 if self.end else 0.0

    @property
    def insurer_result(self) -> float:
        """The insurer's annual result by the bands, after deductions [yuan]."""
        return int(self.split.insurer[0]) / 100

    @property
    def state(self) -> State:
        """What goes on to the next year [cents]."""
        s = self.split.state
        return State(s.reserve, s.carried, self.end.owed if self.end else 0)

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write ledger, balances, cash need and true-up as sheets, in yuan."""
        frames = {"ledger": self.ledger, "balances": self.balances.reset_index(), "cash_need": self.cash_need, "true_up": self.true_up}  # fmt: skip
        return write_frames(
            path, {text(f"ledger_words.{n}", lang): in_words(f, lang) for n, f in frames.items()}
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``, amounts in yuan."""
        month, worst = self.worst_cash_need
        return {
            "contract": self.deal.contract.law.id, "target": self.deal.basis.target, "claims": sum(self.claims) / 100,
            "late_claims": self.late_claims / 100, "carried_claims": self.carried_claims / 100,
            "outcome": int(self.split.outcome[0]) / 100, "insurer_result": self.insurer_result,
            "provisional": self.provisional, "true_up": self.true_up_amount, "owed": float(self.state.owed) / 100,
            "worst_month": month, "worst_cash_need": worst, "ledger": [vars(e) | {"amount": e.amount / 100} for e in self.entries],
        }  # fmt: skip


def in_words(frame: pd.DataFrame, lang: str | None = None) -> pd.DataFrame:
    """A frame of a settlement with headings and codes in words, amounts in yuan."""
    shown = frame.copy()
    for name in shown.columns:
        if name == "month":
            shown[name] = [period(int(m), lang) for m in shown[name]]
        elif name in {"debit", "credit"}:
            shown[name] = [text(f"ledger_words.{v}", lang) for v in shown[name]]
        elif name in {"rule", "item"}:
            shown[name] = [text(f"ledger_words.{name}_{v}", lang) for v in shown[name]]
        else:
            shown[name] = shown[name] / 100
    return shown.rename(columns={c: text(f"ledger_words.{c}", lang) for c in shown.columns})


def period(month: int, lang: str | None = None) -> str:
    """The name of a period: a month, the year's end, after the cut-off."""
    names = {YEAR_END: "year_end", SUPPLEMENT: "supplement"}
    return text(f"ledger_words.{names[month]}", lang) if month in names else str(month)


def settled_by_months(
    deal: Deal, claims: ArrayLike, events: Mapping[str, int] | None, late: float, policy_loss: float,
    given: Mapping[str, Any],
) -> YearSettlement:  # fmt: skip
    """Settle a year; see :meth:`actuarial.contract.Contract.settle_months`."""
    paid = np.asarray(claims, dtype=np.float64)
    if paid.shape != (12,):
        raise InputError([Fault("contract.months", params={"count": paid.size})])
    for name, value in (*(("claims", c) for c in paid), ("late_claims", late), ("target", deal.basis.target)):
        if not 0 <= value <= MOST:
            raise InputError([Fault("contract.amount", params={"name": name, "value": float(value)})])
    months, after = [int(c) for c in to_cents(paid)], int(to_cents(late))
    told: dict[str, Any] = {
        k: int(to_cents(v)) if k in {"expenses", "excess"} and v is not None else v for k, v in given.items()
    }
    told["policy_loss"] = int(to_cents(policy_loss))

    def annual(all_claims: int) -> Split:
        return deal.cents([int(to_cents(deal.basis.target)) - all_claims], events=events, **told)

    book, cash = Book(), deal.contract.terms.cash or Cash(way="claims")
    by_months = cash.way != "claims" and "insurer" in deal.parties
    walk = _with_premium if by_months else _at_year_end
    split, end, carried = walk(deal, cash, months, after, annual, book)
    return YearSettlement(deal, tuple(months), after, split, tuple(book.entries), end, carried,
                          sources=deal.contract.sources)  # fmt: skip


def _late(deal: Deal, cash: Cash, late: int) -> int:
    """How much of the late claims belongs to this year [cents]."""
    return late if late and deal.read.word(cash.late_claims) == "this_year" else 0


def _others(split: Split, month: int, before: Split | None, book: Book) -> None:
    """What other parties get or bear at the year's end."""
    for party, account in OTHERS.items():
        if party in split.deal.parties:
            was = 0 if before is None else int(before.party(party)[0])
            book.pay(month, "main_fund", account, int(split.party(party)[0]) - was, "annual_share")


def _with_premium(
    deal: Deal, cash: Cash, months: list[int], late: int, annual: Any, book: Book
) -> tuple[Split, rules.Final, int]:
    paid = rules.months(deal, cash, months, book)
    rules.year_end(deal, cash, paid, book)
    split, mine = annual(sum(months)), sum(paid.provisional)
    end = rules.final(deal, cash, split, mine)
    rules.true_up(end, book)
    _others(split, YEAR_END, None, book)
    book.pay(YEAR_END, "risk_account", "main_fund", book.balance["risk_account"], "close")
    this_year = _late(deal, cash, late)
    if this_year:
        first, was = split, end
        split = annual(sum(months) + this_year)
        end = rules.final(deal, cash, split, mine)
        book.pay(SUPPLEMENT, "risk_account", "providers", this_year, "late_claims")
        for account in rules.RULES:
            change = end.by_account.get(account, 0) - was.by_account.get(account, 0)
            book.pay(SUPPLEMENT, account, "insurer", change, "late_true_up")
        _others(split, SUPPLEMENT, first, book)
        book.pay(SUPPLEMENT, "risk_account", "main_fund", book.balance["risk_account"], "close")
    return split, end, late - this_year


def _at_year_end(
    deal: Deal, cash: Cash, months: list[int], late: int, annual: Any, book: Book
) -> tuple[Split, None, int]:
    """The fund pays claims (or the stated share of them) month by month; shares are settled at the year's end."""
    ratio, held = float(deal.read.ratio(cash.monthly_share)), 0
    for month, claim in enumerate(months, 1):
        now = share_cents(claim, ratio)
        held += claim - now
        book.pay(month, "main_fund", "providers", now, "to_providers")
    book.pay(YEAR_END, "main_fund", "providers", held, "held_back")
    this_year = _late(deal, cash, late)
    split = annual(sum(months) + this_year)
    book.pay(SUPPLEMENT, "main_fund", "providers", this_year, "late_claims")
    when = SUPPLEMENT if this_year else YEAR_END
    if "insurer" in deal.parties:
        book.pay(when, "main_fund", "insurer", int(split.insurer[0]), "annual_share")
    _others(split, when, None, book)
    return split, None, late - this_year
