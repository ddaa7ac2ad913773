"""The tables of a settlement statement, from a settled year: every amount in yuan, from whole cents."""

from __future__ import annotations

from typing import Any

import pandas as pd

from actuarial.contract import YearSettlement
from actuarial.contract.ledger import ACCOUNTS, YEAR_END, Entry
from actuarial.contract.settlement import heading, period
from actuarial.contract.words import party_in_words
from actuarial.report.blocks import Block, Column, block
from actuarial.results import Kind
from actuarial.texts import pick, text

FUND_SIDE = ("main_fund", "risk_account", "reserve", "carried")
"""Accounts of the party that owns the fund."""


class Words:
    """Texts and columns of a statement in one language.

    Parameters
    ----------
    lang : str
    """

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def t(self, code: str, **params: Any) -> str:
        """A text of the statement."""
        return text(f"settle_words.{code}", self.lang, **params)

    def word(self, code: str) -> str:
        """A word of the ledger."""
        return text(f"ledger_words.{code}", self.lang)

    def col(self, key: str, kind: Kind = "text", said: str = "") -> Column:
        """A column; amounts say their unit."""
        name = said or self.t(f"col_{key}")
        return Column(key, self.t("in_yuan", what=name) if kind == "yuan" else name, kind)


class Pages(Words):
    """Short-hands for one settlement and language.

    Parameters
    ----------
    settled : YearSettlement
    lang : str
    start : Period or None
        First month of the contract year.
    """

    def __init__(self, settled: YearSettlement, lang: str, start: pd.Period | None) -> None:
        super().__init__(lang)
        self.s, self.start = settled, start
        self.other = "insurer" if "insurer" in settled.deal.parties else "providers"
        self.own = "insurer" if self.other == "insurer" else "provider"
        self.party = self.called(self.own)

    def called(self, party: str) -> str:
        """What the contract calls a party."""
        return party_in_words(self.s.deal.contract.terms, party, self.lang)

    def month(self, number: int) -> str:
        """The name of a period of the ledger."""
        if number < YEAR_END and self.start is not None:
            return str(self.start + (number - 1))
        return self.t("month_n", n=number) if number < YEAR_END else period(number, self.lang)

    def final(self) -> list[Entry]:
        """Entries after the twelve months in which the other party pays or receives."""
        return [e for e in self.s.entries if e.month >= YEAR_END and self.other in {e.debit, e.credit}
                and {e.debit, e.credit} & set(FUND_SIDE)]  # fmt: skip

    def net(self) -> int:
        """What these come to for the other party [cents]; below 0 it pays."""
        return sum(e.amount if e.debit == self.other else -e.amount for e in self.final())

    def moved(self, rule: str, month: int, payee: str) -> int:
        """What `payee` received under a rule in a month, less what it paid back [cents]."""
        found = (e for e in self.s.entries if e.rule == rule and e.month == month)
        return sum(e.amount * ((e.debit == payee) - (e.credit == payee)) for e in found)


def yuan(cents: int) -> float:
    """Cents as yuan, to be shown."""
    return int(cents) / 100


def due_table(k: Pages) -> Block:
    """What is paid between the two parties at settlement, and its sum."""
    rows = [
        {"item": k.word(f"rule_{e.rule}"), "when": k.month(e.month), "payer": k.word(e.credit), "payee": k.word(e.debit),
         "signed": yuan(e.amount if e.debit == k.other else -e.amount)}
        for e in k.final()
    ]  # fmt: skip
    rows.append({"item": k.t("net"), "when": "", "payer": "", "payee": "", "signed": yuan(k.net())})
    columns = [*(k.col(c) for c in ("item", "when", "payer", "payee")), k.col("signed", "yuan", k.t("col_signed", party=k.party))]  # fmt: skip
    return block(k.t("due_title"), columns, rows, total_rows=[len(rows) - 1])


def months_table(k: Pages) -> Block:
    """The twelve months: heads, claims, and what was paid."""
    s, rows = k.s, []
    for m in range(1, 13):
        row: dict[str, Any] = {"month": k.month(m), "claims": yuan(s.claims[m - 1])}
        if s.year.heads is not None:
            row["heads"] = s.year.heads[m - 1]
        if s.paid is not None:
            paid, account = s.paid, k.moved("presettlement", m, "risk_account")
            mine = paid.provisional[m - 1] if paid.provisional else 0
            row |= {"premium": yuan(paid.premium[m - 1]), "borne": yuan(paid.borne[m - 1]),
                    "balance": yuan(paid.premium[m - 1] - paid.borne[m - 1]), "mine": yuan(mine), "account": yuan(account)}  # fmt: skip
        else:
            row["paid_out"] = yuan(k.moved("to_providers", m, "providers"))
        rows.append(row)
    amounts: list[str] = [
        c for c in ("claims", "premium", "borne", "balance", "mine", "account", "paid_out") if c in rows[0]
    ]
    total: dict[str, Any] = {c: round(sum(r[c] for r in rows), 2) for c in amounts}
    rows.append({"month": text("label.total", k.lang), "heads": None, **total})
    heads = [k.col("heads", "count")] if s.year.heads is not None else []
    columns = [k.col("month"), *heads, *(k.col(c, "yuan") for c in amounts)]
    return block(k.t("months_title"), columns, rows, total_rows=[12])


def balances_table(k: Pages) -> Block:
    """Balances of the accounts that moved, at each month's end; the opening balances first."""
    frame = k.s.balances
    opening = {a: k.s.opening.get(a, 0) for a in ACCOUNTS}
    moved = [a for a in ACCOUNTS if opening[a] or (frame[a] != 0).any()]
    first = {"month": k.t("opening"), **{a: yuan(opening[a]) for a in moved}}
    rows = [{"month": k.month(int(str(m))), **{a: yuan(row[a]) for a in moved}} for m, row in zip(frame.index, frame.to_dict("records"), strict=True)]  # fmt: skip
    columns = [k.col("month"), *(Column(a, heading(a, k.lang), "yuan") for a in moved)]
    return block(k.t("balances_title"), columns, [first, *rows] if any(opening.values()) else rows)


def bands_table(k: Pages) -> Block | None:
    """The outcome in the bands of its side: edges, amount, share, what comes of it."""
    split, deal = k.s.split, k.s.deal
    table = deal.surplus if int(split.outcome[0]) >= 0 else deal.deficit
    party = k.own
    shared = sum(int(split.part(p, "bands")[0]) for p in deal.parties)
    if table is None or not shared:
        return None
    sign, low, rows = 1 if shared > 0 else -1, 0.0, []
    for high, band in zip([*table.edges, float("inf")], table.shares, strict=True):
        inside = max(min(abs(shared) / 100, high) - low, 0.0)
        share = float(deal.read.ratio(band[party], k.s.year.given.get("quality"))) if party in band else 0.0
        said = k.t("band_beyond", low=f"{low:,.2f}") if high == float("inf") else k.t("band", low=f"{low:,.2f}", high=f"{high:,.2f}")  # fmt: skip
        rows.append({"band": said, "share": share, "amount": sign * inside, "part": sign * inside * share})  # fmt: skip
        low = high
    total = {"band": text("label.total", k.lang), "share": None, "amount": yuan(shared), "part": yuan(int(split.part(party, "bands")[0]))}  # fmt: skip
    own = k.t("col_part", party=k.party)
    columns = [k.col("band"), k.col("share", "percent"), k.col("amount", "yuan"), k.col("part", "yuan", own)]  # fmt: skip
    return block(k.t("bands_title"), columns, [*rows, total], total_rows=[len(rows)])


def causes_table(k: Pages) -> Block:
    """The outcome among the parties, cause by cause."""
    split = k.s.split
    rows = [
        {"cause": k.t(f"cause_{c}"), **{p: yuan(split.part(p, c)[0]) for p in split.deal.parties}} for c in split.causes
    ]  # fmt: skip
    rows.append({"cause": text("label.total", k.lang), **{p: yuan(split.party(p)[0]) for p in split.deal.parties}})  # fmt: skip
    columns = [k.col("cause"), *(k.col(p, "yuan", k.called(p)) for p in split.deal.parties)]  # fmt: skip
    return block(k.t("causes_title"), columns, rows, total_rows=[len(rows) - 1])


def true_up_table(k: Pages) -> Block | None:
    """How the true-up comes about."""
    frame = k.s.true_up
    if frame.empty:
        return None
    rows = [
        {"item": k.word(f"item_{r['item']}"), "amount": yuan(r["amount"])} for r in frame.to_dict("records")
    ]
    return block(
        k.t("true_up_title"), [k.col("item"), k.col("amount", "yuan")], rows, total_rows=[len(rows) - 1]
    )


def deductions_table(k: Pages) -> Block | None:
    """Events, how often, how much each."""
    terms, read = k.s.deal.contract.terms.deductions, k.s.deal.read
    rows: list[dict[str, Any]] = []
    for d in terms:
        times = int(k.s.year.events.get(d.id, 0))
        each = read.yuan(d.amount) if times else None
        rows.append({"event": pick(d.event, k.lang), "times": times, "each": each, "amount": round(times * each, 2) if each is not None else 0.0})  # fmt: skip
    if not rows:
        return None
    rows.append({"event": text("label.total", k.lang), "times": sum(r["times"] for r in rows), "each": None,
                 "amount": round(sum(r["amount"] for r in rows), 2)})  # fmt: skip
    columns = [k.col("event"), k.col("times", "count"), k.col("each", "yuan"), k.col("amount", "yuan")]
    return block(k.t("deductions_title"), columns, rows, total_rows=[len(rows) - 1])


def ledger_table(k: Pages) -> Block:
    """Every entry of the ledger."""
    rows = [
        {"number": n, "month": k.month(e.month), "debit": k.word(e.debit), "credit": k.word(e.credit), "amount": yuan(e.amount),
         "rule": k.word(f"rule_{e.rule}")}
        for n, e in enumerate(k.s.entries, 1)
    ]  # fmt: skip
    columns = [k.col("number", "count"), k.col("month"), k.col("debit"), k.col("credit"), k.col("amount", "yuan"), k.col("rule")]  # fmt: skip
    return block(k.t("ledger_title"), columns, rows)
