"""A year settled month by month: the ledger, the true-up, the insurer's cash need."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from actuarial.contract import cash as rules
from actuarial.contract.deal import Deal
from actuarial.contract.ledger import (
    ACCOUNTS,
    SUPPLEMENT,
    YEAR_END,
    Book,
    Entry,
    balances_frame,
    ledger_frame,
    lowest,
)
from actuarial.contract.money import share_cents
from actuarial.contract.readings import Reader
from actuarial.contract.split import Split, State
from actuarial.contract.year import HEADCOUNTS, MOST, Year, counted
from actuarial.errors import Fault, InputError
from actuarial.law.contract_terms import Cash, Choice
from actuarial.results import Result, write_frames
from actuarial.texts import text

if TYPE_CHECKING:
    from actuarial.contract.terms import Contract

OTHERS = {"provider": "providers", "reserve": "reserve", "carried": "carried"}
"""Account of each other party of the terms."""


@dataclass(frozen=True, eq=False)
class YearSettlement(Result):
    """A contract year, settled month by month. Frames hold int64 cents; properties named as amounts are yuan.

    Parameters
    ----------
    deal : Deal
    year : Year
        What happened.
    split : Split
        The annual split that was settled, with the late claims if they belong to this year.
    entries : tuple of Entry
    end : Final or None
        What the insurer was due; None where it takes no part in the cash.
    paid : Paid or None
        What the months moved; None likewise.
    planned_target : int
        The target by which instalments were paid [cents]; it differs from the target where heads were counted anew.
    carried_claims : int
        Late claims that belong to the next year [cents].
    """

    deal: Deal
    year: Year
    split: Split
    entries: tuple[Entry, ...]
    end: rules.Final | None
    paid: rules.Paid | None
    planned_target: int
    carried_claims: int = 0

    @property
    def claims(self) -> tuple[int, ...]:
        """Claims of the twelve months [cents]."""
        return self.year.claims

    @property
    def late_claims(self) -> int:
        """Claims after the cut-off [cents]."""
        return self.year.late_claims

    @property
    def opening(self) -> dict[str, int]:
        """Balances with which the accounts start [cents]."""
        return {name: int(getattr(self.year.opening, name)) for name in ("reserve", "carried")}

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
        """Balance of every account (opening + received − paid) at the end of each month [cents]."""
        return balances_frame(self.entries, self.months, self.opening)

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
        unpaid = int(self.year.opening.owed) - (self.paid.earlier if self.paid else 0)
        return State(_one(s.reserve), _one(s.carried), unpaid + (self.end.owed if self.end else 0))

    def _reading(self, gap: str) -> str | float | None:
        """How a gap that was reached is read."""
        found = self.deal.contract.law.envelope.readings[gap]
        return found.choice if found.choice is not None else found.value

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write ledger, balances, cash need and true-up as sheets, in yuan."""
        frames = {"ledger": self.ledger, "balances": self.balances.reset_index(), "cash_need": self.cash_need, "true_up": self.true_up}  # fmt: skip
        return write_frames(
            path, {text(f"ledger_words.{n}", lang): in_words(f, lang) for n, f in frames.items()}
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``, amounts in yuan."""
        month, worst = self.worst_cash_need
        heads = self.deal.basis.heads
        return {
            "contract": self.deal.contract.law.id, "counted_heads": None if heads is None else float(heads),
            "planned_target": self.planned_target / 100, "months": [c / 100 for c in self.claims],
            "heads": None if self.year.heads is None else list(self.year.heads), "events": dict(self.year.events),
            "readings": {g: self._reading(g) for g in sorted(self.deal.asked)},
            "target": self.deal.basis.target, "claims": sum(self.claims) / 100,
            "late_claims": self.late_claims / 100, "carried_claims": self.carried_claims / 100,
            "outcome": int(self.split.outcome[0]) / 100, "insurer_result": self.insurer_result,
            "provisional": self.provisional, "true_up": self.true_up_amount, "owed": float(self.state.owed) / 100,
            "worst_month": month, "worst_cash_need": worst, "ledger": [vars(e) | {"amount": e.amount / 100} for e in self.entries],
        }  # fmt: skip


def _one(cents: Any) -> int:
    return int(np.atleast_1d(cents)[0])


def in_words(frame: pd.DataFrame, lang: str | None = None) -> pd.DataFrame:
    """A frame of a settlement with headings and codes in words, amounts in yuan."""
    shown = frame.copy()
    for name in shown.columns:
        if name == "month":
            shown[name] = [period(int(m), lang) for m in shown[name]]
        elif name in ACCOUNTS:
            shown[name] = shown[name] / 100
        elif name in {"debit", "credit"}:
            shown[name] = [text(f"ledger_words.{v}", lang) for v in shown[name]]
        elif name in {"rule", "item"}:
            shown[name] = [text(f"ledger_words.{name}_{v}", lang) for v in shown[name]]
        else:
            shown[name] = shown[name] / 100
    return shown.rename(columns={c: heading(c, lang) for c in shown.columns})


def heading(name: str, lang: str | None = None) -> str:
    """A column's heading with its unit.

    Examples
    --------
    >>> heading("insurer", "en"), heading("amount", "zh")
    ('insurer (yuan)', '金额（元）')
    """
    said = text(f"ledger_words.{name}", lang)
    return text("ledger_words.in_yuan", lang, what=said) if name in ACCOUNTS else said


def period(month: int, lang: str | None = None) -> str:
    """The name of a period: a month, the year's end, after the cut-off."""
    names = {YEAR_END: "year_end", SUPPLEMENT: "supplement"}
    return text(f"ledger_words.{names[month]}", lang) if month in names else str(month)


def settled(contract: Contract, year: Year, amounts: Mapping[str, float | None]) -> YearSettlement:
    """Settle a year; see :meth:`actuarial.contract.Contract.settle_months`.

    Where heads change within the year, the target is counted by the reading of the file; where it has none, all ways of counting are
    tried, and it is asked for if they give different entries.
    """
    target = contract.terms.target
    if year.heads is None:
        return _settled(contract, year, amounts, amounts.get("heads"), amounts.get("heads"), ())
    heads = year.heads

    def by(rule: str, asked: tuple[str, ...] = ()) -> YearSettlement:
        return _settled(contract, year, amounts, heads[0], counted(heads, rule, target.count_month), asked)

    if not year.heads_change:
        return by("count_date")
    reader = Reader(contract.law)
    unread = (
        isinstance(target.headcount, Choice) and target.headcount.gap not in contract.law.envelope.readings
    )
    if target.headcount is not None and not unread:
        rule = reader.word(target.headcount)
        return by(rule, tuple(reader.asked))
    first, *rest = (by(rule) for rule in HEADCOUNTS)
    if all(other.entries == first.entries for other in rest):
        return first
    return by(reader.stated(target.headcount, "target.headcount", HEADCOUNTS))


def _settled(
    contract: Contract, year: Year, amounts: Mapping[str, float | None], known: Any, heads: Any,
    asked: tuple[str, ...],
) -> YearSettlement:  # fmt: skip
    """Settle with the heads that are `known` when instalments are paid, and those that the target is counted by."""
    deal = Deal.of(contract, contract.basis(**{**amounts, "heads": heads}))
    planned = Reader(contract.law, contract.basis(**{**amounts, "heads": known}), deal.asked)
    deal.asked.update(asked)
    for basis in (deal.basis, planned.basis):
        assert basis is not None
        if not basis.target <= MOST:
            raise InputError([Fault("contract.amount", params={"name": "target", "value": basis.target})])

    def annual(all_claims: int) -> Split:
        outcome = rules.cents_target(deal.read) - all_claims
        return deal.cents(
            [outcome], events=year.events, policy_loss=year.policy_loss, state=year.opening, **year.given
        )

    opening = {name: int(getattr(year.opening, name)) for name in ("reserve", "carried")}
    book, cash = Book.opened(**opening), contract.terms.cash or Cash(way="claims")
    end: rules.Final | None = None
    paid: rules.Paid | None = None
    by_months = cash.way != "claims" and "insurer" in deal.parties
    if year.opening.owed and not (by_months and cash.reserve is not None):
        raise InputError(
            [Fault("contract.owed", file=contract.law.file, params={"amount": int(year.opening.owed) / 100})]
        )
    if by_months:
        split, end, paid, carried = _with_premium(deal, planned, cash, year, annual, book)
    else:
        split, carried = _at_year_end(deal, cash, year, annual, book)
    return YearSettlement(deal, year, split, tuple(book.entries), end, paid, rules.cents_target(planned), carried,
                          sources=contract.sources)  # fmt: skip


def _late(deal: Deal, cash: Cash, late: int) -> int:
    """How much of the late claims belongs to this year [cents]."""
    if not late:
        return 0
    return late if deal.read.stated(cash.late_claims, "cash.late_claims", rules.LATE) == "this_year" else 0


def _others(split: Split, month: int, before: Split | None, book: Book) -> None:
    """What other parties get or bear at the year's end."""
    for party, account in OTHERS.items():
        if party in split.deal.parties:
            was = 0 if before is None else int(before.party(party)[0])
            book.pay(month, "main_fund", account, int(split.party(party)[0]) - was, "annual_share")


def _with_premium(
    deal: Deal, planned: Reader, cash: Cash, year: Year, annual: Any, book: Book
) -> tuple[Split, rules.Final, rules.Paid, int]:
    paid = rules.months(planned, cash, list(year.claims), book, int(year.opening.owed))
    rules.year_end(deal, cash, paid, book)
    split = annual(sum(year.claims))
    end = rules.final(deal, cash, split, paid)
    rules.true_up(end, book)
    _others(split, YEAR_END, None, book)
    book.pay(YEAR_END, "risk_account", "main_fund", book.balance["risk_account"], "close")
    this_year = _late(deal, cash, year.late_claims)
    if this_year:
        first, was = split, end
        split = annual(sum(year.claims) + this_year)
        end = rules.final(deal, cash, split, paid)
        book.pay(SUPPLEMENT, "risk_account", "providers", this_year, "late_claims")
        for account in rules.RULES:
            change = end.by_account.get(account, 0) - was.by_account.get(account, 0)
            book.pay(SUPPLEMENT, account, "insurer", change, "late_true_up")
        _others(split, SUPPLEMENT, first, book)
        book.pay(SUPPLEMENT, "risk_account", "main_fund", book.balance["risk_account"], "close")
    return split, end, paid, year.late_claims - this_year


def _at_year_end(deal: Deal, cash: Cash, year: Year, annual: Any, book: Book) -> tuple[Split, int]:
    """The fund pays claims (or the stated share of them) month by month; shares are settled at the year's end."""
    ratio, held = float(deal.read.ratio(cash.monthly_share)), 0
    for month, claim in enumerate(year.claims, 1):
        now = share_cents(claim, ratio)
        held += claim - now
        book.pay(month, "main_fund", "providers", now, "to_providers")
    book.pay(YEAR_END, "main_fund", "providers", held, "held_back")
    this_year = _late(deal, cash, year.late_claims)
    split = annual(sum(year.claims) + this_year)
    book.pay(SUPPLEMENT, "main_fund", "providers", this_year, "late_claims")
    when = SUPPLEMENT if this_year else YEAR_END
    if "insurer" in deal.parties:
        book.pay(when, "main_fund", "insurer", int(split.insurer[0]), "annual_share")
    _others(split, when, None, book)
    return split, year.late_claims - this_year
