r"""The cash of a contract year, month by month: who pays whom, by the words of its cash rule.

With a premium (the plan of 2012): in month 1 the risk account pays an advance, the insurer the month's claims, the risk account the
rest of the first instalment. Later the insurer pays the claims, and the risk account pays not less than them. From a stated month the
balance of premium and claims is split for the time being. At the year's end the rest of the target is paid, the balance that was not
split goes back, and the true-up

.. math:: \text{true-up} = \text{annual result} - \text{provisional shares} - \text{deductions}

is paid from the reserve, or clawed back. A gap is asked for only where its choices give different entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeVar

from actuarial.contract.deal import Deal
from actuarial.contract.ledger import YEAR_END, Book
from actuarial.contract.money import share_cents
from actuarial.contract.readings import Reader
from actuarial.contract.split import Split
from actuarial.law.contract_terms import Cash
from actuarial.layers import to_cents

T = TypeVar("T")
BASES = ("month", "cumulative", "cumulative_with_first")
ABOVE = ("main_fund", "not_paid", "next_year")
LATE = ("this_year", "next_year")


@dataclass
class Paid:
    """What the twelve months moved [cents].

    Parameters
    ----------
    premium, borne : list of int
        Premium received and claims paid by the insurer, by month.
    provisional : list of int
        The insurer's share of what was split, by month.
    split : int
        Balance that was split.
    earlier : int
        Reward of last year that this year's reserve paid.
    reserve : int
        Reserve that is left for this year's reward.
    """

    premium: list[int] = field(default_factory=list)
    borne: list[int] = field(default_factory=list)
    provisional: list[int] = field(default_factory=list)
    split: int = 0
    earlier: int = 0
    reserve: int = 0


def matters(read: Reader, word: Any, outcomes: Mapping[str, T]) -> T:
    """The outcome under the word that the file states; an open gap is asked for only where outcomes differ."""
    values = list(outcomes.values())
    if all(v == values[0] for v in values):
        return values[0]
    return outcomes[read.word(word)]


def cents_target(read: Reader) -> int:
    """The target in cents."""
    assert read.basis is not None
    return int(to_cents(read.basis.target))


def cents_of(read: Reader, term: Any) -> int:
    """An amount of the terms in cents; 0 where there is none."""
    return 0 if term is None else int(to_cents(read.yuan(term)))


def months(read: Reader, cash: Cash, claims: list[int], book: Book, owed: int = 0) -> Paid:
    """Book twelve months of a contract that pays a premium.

    Parameters
    ----------
    read : Reader
        With the amounts that are known in month 1.
    cash : Cash
    claims : list of int
        By month [cents].
    book : Book
    owed : int
        Reward of last year that this year's reserve pays, as far as it goes [cents].
    """
    target, paid = cents_target(read), Paid()
    sides = dict.fromkeys(BASES, (0, 0))
    cumulated = dict.fromkeys(BASES, 0)
    reserve = cents_of(read, cash.reserve)
    paid.earlier, paid.reserve = min(owed, reserve), reserve - min(owed, reserve)
    book.pay(1, "main_fund", "reserve", reserve, "reserve")
    book.pay(1, "reserve", "insurer", paid.earlier, "owed_last_year")
    for month, claim in enumerate(claims, 1):
        unpaid = target - sum(paid.premium)
        borne = claim
        if claim > unpaid and cash.beyond_target is not None:
            borne = matters(
                read, cash.beyond_target, {"insurer_advances": claim, "risk_account_pays": unpaid}
            )
        advance, rest = _instalment(read, cash, target, unpaid, claim, month)
        book.pay(
            month, "risk_account", "insurer", advance, "advance" if cash.way == "premium" else "calendar"
        )
        book.pay(month, "insurer", "risk_account", borne, "claims")
        book.pay(month, "risk_account", "providers", borne, "to_providers")
        book.pay(month, "risk_account", "providers", claim - borne, "beyond_target")
        book.pay(month, "risk_account", "insurer", rest, "first" if month == 1 else "instalment")
        paid.premium.append(advance + rest)
        paid.borne.append(borne)
        _presettle(read, cash, month, paid, sides, cumulated, book)
    return paid


def _instalment(
    read: Reader, cash: Cash, target: int, unpaid: int, claim: int, month: int
) -> tuple[int, int]:
    """What is paid before the month's claims and what after them [cents]."""
    twelfth = share(target, Fraction(1, 12))
    if cash.way == "calendar":
        due = {
            "start_of_year": unpaid,
            "year_end": 0,
            "monthly_twelfths": unpaid if month == 12 else min(twelfth, unpaid),
        }
        return matters(read, cash.calendar, due), 0
    if month == 1:
        advance = min(cents_of(read, cash.advance), target)
        return advance, min(max(cents_of(read, cash.first) - advance, 0), target - advance)
    least = {
        "claims_only": claim,
        "twelfth": max(claim, twelfth),
        "equal_rest": max(claim, share(unpaid, Fraction(1, 13 - month))),
    }
    return 0, matters(read, cash.later, {k: min(v, unpaid) for k, v in least.items()})


def share(amount: int, ratio: Fraction) -> int:
    """A share of a positive amount in whole cents, half up."""
    return int(amount * ratio + Fraction(1, 2))


def _presettle(
    read: Reader, cash: Cash, month: int, paid: Paid, sides: dict[str, tuple[int, int]],
    cumulated: dict[str, int], book: Book,
) -> None:  # fmt: skip
    """Split the balance of premium and claims for the time being: the insurer keeps its share and passes on the rest.

    Only a balance above 0 is split; where it is cumulative and falls, what was split too much is taken back.
    """
    rule = cash.provisional
    if rule is None:
        return
    balance = paid.premium[-1] - paid.borne[-1]
    if month < rule.from_month:
        cumulated["cumulative_with_first"] += balance
        paid.provisional.append(0)
        return
    ratio = float(read.ratio(rule.insurer))
    before = dict(sides)
    kept = share_cents(max(balance, 0), ratio)
    sides["month"] = (sides["month"][0] + max(balance, 0), sides["month"][1] + kept)
    for base in BASES[1:]:
        cumulated[base] += balance
        whole = max(cumulated[base], 0)
        sides[base] = (whole, share_cents(whole, ratio))
    moves = {b: (sides[b][0] - before[b][0], sides[b][1] - before[b][1]) for b in BASES}
    split, mine = matters(read, rule.base, moves)
    paid.provisional.append(mine)
    paid.split += split
    book.pay(month, "insurer", "risk_account", split - mine, "presettlement")


def year_end(deal: Deal, cash: Cash, paid: Paid, book: Book) -> None:
    """Pay the rest of the target, and give back what was not split: the insurer is left with its provisional shares.

    Where the target was counted anew and is below what was paid, the insurer returns the difference.
    """
    rest = cents_target(deal.read) - sum(paid.premium)
    book.pay(YEAR_END, "risk_account", "insurer", rest, "rest_of_target")
    unsplit = sum(paid.premium) + rest - sum(paid.borne) - paid.split
    book.pay(YEAR_END, "insurer", "risk_account", unsplit, "unsplit_balance")


@dataclass(frozen=True)
class Final:
    """What the insurer is due at the end [cents].

    Parameters
    ----------
    result : int
        Annual result before deductions.
    provisional : int
        Shares that it already holds.
    above : int
        Reward above the reserve that it is not paid this year.
    owed : int
        Of that, what next year's reserve pays.
    deductions : int
    by_account : dict
        The true-up before deductions by the account that pays it (negative: that receives it).
    """

    result: int
    provisional: int
    above: int
    owed: int
    deductions: int
    by_account: dict[str, int]

    @property
    def true_up(self) -> int:
        """Annual result − provisional shares − deductions, less what is not paid above the reserve."""
        return self.result - self.provisional - self.above - self.deductions


def final(deal: Deal, cash: Cash, split: Split, paid: Paid) -> Final:
    """The true-up of a year and who pays it."""
    read, reserve, provisional = deal.read, paid.reserve, sum(paid.provisional)
    deducted = -int(split.part("insurer", "deductions")[0])
    result = int(split.insurer[0]) + deducted
    reward = int((split.part("insurer", "bands") + split.part("insurer", "cap"))[0])
    above, choice = max(reward - reserve, 0) if cash.reserve is not None else 0, "main_fund"
    if above:
        choice = read.stated(cash.reward_above_reserve, "cash.reward_above_reserve", ABOVE)
    withheld = 0 if choice == "main_fund" else above
    due = result - provisional - withheld
    if due < 0:
        by = {"risk_account": due}
    else:
        main = min(above - withheld, due)
        from_reserve = min(due - main, reserve)
        by = {"main_fund": due - from_reserve, "reserve": from_reserve}
    return Final(result, provisional, withheld, above if choice == "next_year" else 0, deducted, by)


RULES = {"main_fund": "reward_above_reserve", "reserve": "true_up", "risk_account": "claw_back"}


def true_up(found: Final, book: Book) -> None:
    """Book the true-up and the deductions."""
    for account, amount in found.by_account.items():
        book.pay(YEAR_END, account, "insurer", amount, RULES[account])
    book.pay(YEAR_END, "insurer", "risk_account", found.deductions, "deductions")
