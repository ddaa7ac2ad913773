"""A year settled by months: an independent slow ledger written from the text, conservation, published vectors, edges."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction as F
from pathlib import Path
from typing import Any

import pytest

import actuarial as act
from actuarial.contract import Contract, State
from actuarial.contract.settlement import YearSettlement
from actuarial.errors import InputError

JIANDE = "china/jiande/contract/cooperation@2012-01-01"
READ = {
    "later_instalments": "twelfth", "presettlement_base": "cumulative", "claims_beyond_target": "insurer_advances",
    "reward_above_reserve": "main_fund", "late_claims": "this_year", "empty_fourth_band": "zero_above_share",
    "headcount_change": "count_date",
}  # fmt: skip
CHOICES = {
    "later_instalments": ("claims_only", "twelfth", "equal_rest"),
    "presettlement_base": ("month", "cumulative", "cumulative_with_first"),
    "claims_beyond_target": ("insurer_advances", "risk_account_pays"),
    "reward_above_reserve": ("main_fund", "not_paid", "next_year"),
    "late_claims": ("this_year", "next_year"),
    "headcount_change": ("count_date", "average", "year_end"),
}


@pytest.fixture(scope="module")
def deal() -> Contract:
    """The 2012 cooperation contract."""
    return act.load_contract(JIANDE)


# --------------------------------------------------------------------------- the slow ledger


def half_up(x: F) -> int:
    """To whole cents, half away from zero."""
    return int(abs(x) + F(1, 2)) * (1 if x >= 0 else -1)


def band_result(target: int, claims: int) -> int:
    """The insurer's part of target − claims in cents, band after band: 45, 50, 55, 60% and nothing above 10% of the target."""
    size, total, low = F(abs(target - claims)), F(0), F(0)
    tenth = F(half_up(F(target, 10)))
    for high, percent in ((F(3 * 10**8), 45), (F(6 * 10**8), 50), (F(9 * 10**8), 55), (tenth, 60)):
        high = min(high, tenth)
        if high > low:
            total += (min(size, high) - low if size > low else 0) * F(percent, 100)
            low = high
    return half_up(total) * (1 if target >= claims else -1)


def counted_targets(by_month: list[int], rule: str) -> tuple[int, int, F]:
    """464 yuan × heads in cents: as known in month 1, as settled, and the heads that settle it."""
    settled = {"count_date": F(by_month[0]), "average": F(sum(by_month)) / 12, "year_end": F(by_month[11])}[
        rule
    ]
    return 46400 * by_month[0], half_up(46400 * settled), settled


def slow(target: int, claims: list[int], read: dict[str, str], *, complaints: int, heads: int, reports: int, late: int,
         by_month: list[int] | None = None, owed: int = 0, earlier: int = 0) -> tuple[dict[tuple[int, str], int], dict[str, int]]:  # fmt: skip
    """Net cash of every account by (period, account), and the figures of the settlement, from the words of the plan."""
    settled, persons = target, F(heads)
    if by_month is not None:
        target, settled, persons = counted_targets(by_month, read["headcount_change"])
    claims = [claims[0] + earlier, *claims[1:]]
    flow: dict[tuple[int, str], int] = defaultdict(int)
    pot = 0

    def transfer(period: int, payer: str, payee: str, cents: int) -> None:
        nonlocal pot
        if cents < 0:
            payer, payee, cents = payee, payer, -cents
        if payer == "risk_account":
            need = max(cents - pot, 0)  # the fund fills the account as far as it must
            flow[period, "main_fund"] -= need
            flow[period, "risk_account"] += need
            pot += need - cents
        elif payee == "risk_account":
            pot += cents
        flow[period, payer] -= cents
        flow[period, payee] += cents

    transfer(1, "main_fund", "reserve", 10**9)
    from_last = min(owed, 10**9)
    transfer(1, "reserve", "insurer", from_last)
    fund_of_year = 10**9 - from_last
    got: list[int] = []
    out: list[int] = []
    balances: list[F] = []
    held_total = 0
    halves: list[tuple[F, int]] = [(F(0), 0)]
    for m in range(1, 13):
        c, open_ = claims[m - 1], target - sum(got)
        mine = min(c, open_) if read["claims_beyond_target"] == "risk_account_pays" else c
        if m == 1:
            early = min(10**8, target)
            transfer(1, "risk_account", "insurer", early)
            pay = max(min(half_up(F(target, 12)), target), early)
        else:
            early = 0
            more = {
                "claims_only": 0,
                "twelfth": half_up(F(target, 12)),
                "equal_rest": half_up(F(open_, 13 - m)),
            }
            pay = min(max(c, more[read["later_instalments"]]), open_)
        transfer(m, "insurer", "risk_account", mine)
        transfer(m, "risk_account", "providers", mine)
        transfer(m, "risk_account", "providers", c - mine)
        transfer(m, "risk_account", "insurer", pay - early)
        got.append(pay)
        out.append(mine)
        balances.append(F(pay - mine))
        if m == 1:
            continue
        if read["presettlement_base"] == "month":
            new = max(balances[-1], F(0))
            all_, own = halves[-1][0] + new, halves[-1][1] + half_up(new * F(2, 5))
        else:
            first = 0 if read["presettlement_base"] == "cumulative_with_first" else 1
            all_ = max(sum(balances[first:], F(0)), F(0))
            own = half_up(all_ * F(2, 5))
        to_account = (all_ - own) - (halves[-1][0] - halves[-1][1])
        transfer(m, "insurer", "risk_account", int(to_account))
        halves.append((all_, own))
    held_total = halves[-1][1]
    transfer(13, "risk_account", "insurer", settled - sum(got))
    transfer(13, "insurer", "risk_account", settled - sum(out) - int(halves[-1][0]))
    deductions = complaints * half_up(settled / persons / 10) + reports * half_up(F(settled, 10000))

    def end(total: int) -> dict[str, int]:
        r = band_result(settled, total)
        over = max(r - fund_of_year, 0)
        paid_over = over if read["reward_above_reserve"] == "main_fund" else 0
        due = r - held_total - (over - paid_over)
        fund_part = min(paid_over, due) if due > 0 else 0
        return {"result": r, "due": due, "fund": fund_part, "reserve": max(due, 0) - fund_part, "back": min(due, 0),
                "owed": (over if read["reward_above_reserve"] == "next_year" else 0) + owed - from_last}  # fmt: skip

    a = end(sum(claims))
    transfer(13, "main_fund", "insurer", a["fund"])
    transfer(13, "reserve", "insurer", a["reserve"])
    transfer(13, "risk_account", "insurer", a["back"])
    transfer(13, "insurer", "risk_account", deductions)
    transfer(13, "risk_account", "main_fund", pot)
    if late and read["late_claims"] == "this_year":
        b = end(sum(claims) + late)
        transfer(14, "risk_account", "providers", late)
        transfer(14, "main_fund", "insurer", b["fund"] - a["fund"])
        transfer(14, "reserve", "insurer", b["reserve"] - a["reserve"])
        transfer(14, "risk_account", "insurer", b["back"] - a["back"])
        transfer(14, "risk_account", "main_fund", pot)
        a = b
    return flow, {**a, "provisional": held_total, "true_up": a["due"] - deductions, "deductions": deductions}


def drawn(rng: random.Random) -> tuple[int, list[int], dict[str, str], dict[str, Any]]:
    """A random target, months, readings, events and remainder of last year; claims from none to far above the target."""
    target = rng.choice(
        [rng.randint(10**3, 10**6), rng.randint(10**8, 10**10), rng.randint(10**10, 3 * 10**10)]
    )
    start = target // 46400 + 1
    by_month = [rng.randint(max(start * 9 // 10, 1), start * 11 // 10 + 1) for _ in range(12)]
    level = rng.choice([0.0, 0.3, 0.85, 0.95, 1.0, 1.05, 1.2, 3.0])
    claims = [int(target / 12 * level * rng.choice([0, 1, 1, 1, rng.uniform(0, 3)])) for _ in range(12)]
    read = {**READ, **{gap: rng.choice(names) for gap, names in CHOICES.items()}}
    more = {"complaints": rng.randint(0, 3), "heads": rng.randint(1, 500_000), "reports": rng.randint(0, 2),
            "late": rng.choice([0, 0, rng.randint(1, target)]), "by_month": rng.choice([None, by_month]),
            "owed": rng.choice([0, 0, rng.randint(1, 2 * 10**9)]), "earlier": rng.choice([0, rng.randint(1, target)])}  # fmt: skip
    return target, claims, read, more


def settle(
    deal: Contract, target: int, claims: list[int], read: dict[str, str], more: dict[str, Any]
) -> YearSettlement:
    """The program's settlement of the same year."""
    by_month = more["by_month"]
    basis = {"heads": by_month} if by_month is not None else {"target": target / 100, "heads": more["heads"]}
    return deal.settle_months(
        **basis, claims=[c / 100 for c in claims], readings=read, late_claims=more["late"] / 100,
        events={"complaint": more["complaints"], "report": more["reports"]}, opening=State(owed=more["owed"]),
        earlier_claims=more["earlier"] / 100,
    )  # fmt: skip


def agree(deal: Contract, seed: int, count: int) -> None:
    """Both ledgers move the same net cents in every period and account, and every entry conserves."""
    rng = random.Random(seed)
    for _ in range(count):
        target, claims, read, more = drawn(rng)
        found = settle(deal, target, claims, read, more)
        flow, figures = slow(target, claims, read, **more)
        mine: dict[tuple[int, str], int] = defaultdict(int)
        for e in found.entries:
            assert e.amount > 0
            assert e.debit != e.credit
            mine[e.month, e.debit] += e.amount
            mine[e.month, e.credit] -= e.amount
        case = (target, claims, read, more)
        assert {k: v for k, v in mine.items() if v} == {k: v for k, v in flow.items() if v}, case
        assert found.end is not None
        assert (found.end.result, found.end.provisional, found.end.true_up, found.state.owed) == (
            figures["result"], figures["provisional"], figures["true_up"], figures["owed"],
        ), case  # fmt: skip
        conserves(found)


def conserves(found: YearSettlement) -> None:
    """Every month sums to zero over accounts; the insurer ends with its annual result; providers have all claims."""
    assert (found.balances.sum(axis=1) == 0).all()
    assert (found.balances["risk_account"] >= 0).all()
    assert (found.balances["reserve"] >= 0).all()
    last = found.balances.iloc[-1]
    assert last["risk_account"] == 0
    assert found.end is not None
    assert found.paid is not None
    assert last["insurer"] == int(found.split.insurer[0]) - found.end.above + found.paid.earlier
    assert last["providers"] == sum(found.claims) + found.late_claims - found.carried_claims
    steps = found.true_up["amount"]
    assert steps[:-1].sum() == steps.iloc[-1]


def test_an_independent_ledger_agrees(deal: Contract) -> None:
    """A slow ledger of dicts and fractions, written from the text, moves the same cents on 150 random years."""
    agree(deal, 20120101, 150)


@pytest.mark.slow
def test_an_independent_ledger_agrees_on_a_thousand_years(deal: Contract) -> None:
    """The same on a thousand other years."""
    agree(deal, 7, 1000)


# --------------------------------------------------------------------------- published figures


def test_the_published_vectors_through_months(deal: Contract, data: Callable[[str], Any]) -> None:
    """The twelve published outcomes come out of twelve months as the insurer's cash, whatever the readings of the cash rule."""
    vectors = data("contract_vectors.json")["vectors"]
    assert len(vectors) == 12
    cash = itertools.cycle(itertools.product(*(CHOICES[g] for g in list(CHOICES)[:3])))
    for v in vectors:
        total = v["total_premium"] - v["outcome"]
        claims = [round(total / 12)] * 11
        claims.append(total - sum(claims))
        read = {**READ, **dict(zip(list(CHOICES)[:3], next(cash), strict=True))}
        found = deal.settle_months(target=v["total_premium"], claims=claims, readings=read)
        assert found.insurer_result == v["insurer"]
        assert found.balances["insurer"].iloc[-1] == round(100 * v["insurer"])
        conserves(found)


def test_the_first_month_as_the_text_says(deal: Contract) -> None:
    """Month 1: 100万 from the risk account, the claims, then the rest of a twelfth of 18,560万; nothing is split yet."""
    found = deal.settle_months(target=185_600_000, claims=[15e6] * 12, readings=READ)
    first = found.ledger.query("month == 1 and rule != 'funding'")
    assert first[["debit", "credit", "amount", "rule"]].to_numpy().tolist() == [
        ["reserve", "main_fund", 1_000_000_000, "reserve"],
        ["insurer", "risk_account", 100_000_000, "advance"],
        ["risk_account", "insurer", 1_500_000_000, "claims"],
        ["providers", "risk_account", 1_500_000_000, "to_providers"],
        ["insurer", "risk_account", 1_446_666_667, "first"],
    ]
    second = found.ledger.query("month == 2 and rule == 'presettlement'")
    assert second["amount"].tolist() == [28_000_000]  # 60% of 46.666667万, the balance of the month
    assert found.cash_need["need"].iloc[0] == 1_400_000_000


# --------------------------------------------------------------------------- edges


@pytest.mark.parametrize("level", [0.0, 4.0])
def test_no_claims_and_claims_far_above_the_target(deal: Contract, level: float) -> None:
    """Without claims the full reward of 1,023.6万 is paid, 23.6万 beyond the reserve; far above it is the mirror image."""
    found = deal.settle_months(target=185_600_000, claims=[185_600_000 / 12 * level] * 12, readings=READ)
    assert found.insurer_result == (10_236_000.0 if level == 0 else -10_236_000.0)
    conserves(found)
    assert (found.worst_cash_need[1] == 0) == (level == 0)


def test_a_reward_above_the_reserve_follows_the_reading(deal: Contract) -> None:
    """Above 1,000万: paid by the fund, not paid, or owed by next year's reserve; the ledger says which."""
    paid, owed = {}, {}
    for choice in CHOICES["reward_above_reserve"]:
        found = deal.settle_months(
            target=185_600_000, claims=[0] * 12, readings={**READ, "reward_above_reserve": choice}
        )
        paid[choice], owed[choice] = int(found.balances["insurer"].iloc[-1]), int(found.state.owed)
    assert paid == {"main_fund": 1_023_600_000, "not_paid": 1_000_000_000, "next_year": 1_000_000_000}
    assert owed == {"main_fund": 0, "not_paid": 0, "next_year": 23_600_000}


GAPS = {
    "later_instalments": {"claims": [14e6] * 12},
    "presettlement_base": {"claims": [14e6] * 12},
    "claims_beyond_target": {"claims": [40e6] * 12},
    "reward_above_reserve": {"claims": [0] * 12},
    "late_claims": {"claims": [14e6] * 12, "late_claims": 1.0},
    "headcount_change": {"claims": [14e6] * 12, "heads": [400_000] * 11 + [400_001], "target": None},
}


@pytest.mark.parametrize("gap", GAPS)
def test_an_open_gap_that_matters_is_asked_for(deal: Contract, gap: str) -> None:
    """Each open point of the cash rule is refused by name where an entry depends on it."""
    read = {k: v for k, v in READ.items() if k != gap}
    with pytest.raises(InputError) as caught:
        deal.settle_months(**{"target": 185_600_000, "readings": read, **GAPS[gap]})
    assert [(f.code, f.params["gap"]) for f in caught.value.faults] == [("contract.gap_open", gap)]


def test_an_open_gap_that_does_not_matter_is_not(deal: Contract) -> None:
    """Where every later instalment equals the claims, under all readings, the later rule needs no word; a smaller one would."""
    read = {"presettlement_base": "month"}
    found = deal.settle_months(
        target=185_600_000, claims=[15.4e6, *[16e6] * 10, 10_133_333.33], readings=read
    )
    conserves(found)
    with pytest.raises(InputError):
        deal.settle_months(target=185_600_000, claims=[15.4e6, *[16e6] * 10, 9e6], readings=read)


def test_only_twelve_whole_amounts_are_settled(deal: Contract) -> None:
    """Eleven months, a negative and a missing amount are refused."""
    for claims in ([1.0] * 11, [[1.0] * 12], [-1.0, *[1.0] * 11], [float("nan"), *[1.0] * 11]):
        with pytest.raises(InputError):
            deal.settle_months(target=185_600_000, claims=claims, readings=READ)


def test_a_contract_without_a_cash_rule_settles_at_the_year_end(deal: Contract) -> None:
    """Without the rule the fund pays claims monthly and one entry at the year's end is the insurer's share."""
    found = deal.changed({"cash": None}).settle_months(target=185_600_000, claims=[14_466_667] * 12)
    ends = found.ledger.query("month == 13")
    assert ends[["debit", "credit", "rule"]].to_numpy().tolist() == [["insurer", "main_fund", "annual_share"]]
    assert ends["amount"].iloc[0] == round(100 * found.insurer_result)
    assert (found.balances.sum(axis=1) == 0).all()


def test_a_share_of_claims_is_held_back_to_the_year_end() -> None:
    """Where 97% of claims is paid monthly, 3% follows at the year's end, less what the provider bears."""
    shenzhen = act.load_contract("china/shenzhen/contract/provider_overspend@2000-01-01")
    found = shenzhen.settle_months(target=1200.0, claims=[104.0] * 12, readings={"saving": 0.0})
    assert found.ledger["amount"].tolist() == [10088] * 12 + [3744, 1920]
    assert found.balances["providers"].iloc[-1] == 124800 - 1920


def test_the_ledger_is_written_in_both_languages(deal: Contract, tmp_path: Path) -> None:
    """The workbook has four sheets, and its amounts are yuan."""
    from python_calamine import CalamineWorkbook

    found = deal.settle_months(target=185_600_000, claims=[14e6] * 12, readings=READ)
    for lang, name in (("zh", "分录"), ("en", "Ledger")):
        book = CalamineWorkbook.from_path(str(found.to_excel(tmp_path / f"{lang}.xlsx", lang)))
        rows = book.get_sheet_by_name(name).to_python()
        assert len(book.sheet_names) == 4
        assert len(rows) == len(found.entries) + 1
        heads = book.get_sheet_by_name({"zh": "账户余额", "en": "Balances"}[lang]).to_python()[0]
        assert all({"zh": "（元）", "en": "(yuan)"}[lang] in h for h in heads[1:])
        assert sum(r[3] for r in rows[1:]) == pytest.approx(sum(e.amount for e in found.entries) / 100)
