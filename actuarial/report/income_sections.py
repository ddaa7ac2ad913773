"""The section on income, accounts and reserves, and their assumptions; only where the plan states them."""

from __future__ import annotations

from collections.abc import Iterator

from actuarial.fund.income_views import account_table, late_money, reserve_table
from actuarial.law import load_law
from actuarial.report.blocks import Block, Chart, Section, block, chart, records
from actuarial.report.context import Context
from actuarial.tables import term_label


def income_section(k: Context) -> list[Section]:
    """What comes late, where the money lies, what is set aside, what personal accounts hold; none where nothing is stated."""
    if k.sim.setting.income is None:
        return []
    words: tuple[str, ...] = ()
    parts: list[Block | Chart] = []
    if k.a.accounts is not None:
        words = (k.a.accounts.summary(k.lang),)
        parts += _personal(k)
    parts += [*_late(k), *_accounts(k), *_reserve(k)]
    return [Section(k.t("income_words.title"), words, tuple(parts))] if parts else []


def _personal(k: Context) -> list[Block | Chart]:
    found = k.a.accounts
    assert found is not None
    title = k.t("income_words.personal")
    law = found.sources[0]
    source = f"{law.document} {law.locator}；{k.plan.file}: personal_accounts"
    money = ("pooled", "accounts", "borrowed", "borrowed_q95", "unfunded")
    columns = [k.col("month"), *(k.col(c, "money", f"account_{c}") for c in money),
               *(k.col(c, "percent") for c in ("borrowing_probability", "unfunded_probability"))]  # fmt: skip
    rows = records(found.table.assign(month=[str(m) for m in found.table["month"]]))
    note = k.t(
        "income_words.personal_note", year=k.year, credited=k.unit.show(float(found.credited.mean())),
        spent=k.unit.show(float(found.spent.mean())),
    )  # fmt: skip
    return [
        chart(title, found.plot(lang=k.lang), k.t("income_words.personal_chart"), source=source),
        block(k.t("income_words.personal_table"), columns, rows, source=source, note=note),
    ]


def _late(k: Context) -> list[Block]:
    frame = late_money(k.sim)
    if frame.empty:
        return []
    frame = frame.assign(payer=[term_label(str(p), k.lang) for p in frame["payer"]])
    columns = [
        k.col("payer"),
        *(k.col(c, "money", f"coming_{c}") for c in ("due", "late", "late_sd", "late_q95")),
    ]
    source = f"{k.plan.file}: financing.arrivals"
    return [
        block(
            k.t("income_words.late"),
            columns,
            frame,
            source=source,
            note=k.t("income_words.late_note", year=k.year),
        )
    ]


def _accounts(k: Context) -> list[Block]:
    model = k.plan.model
    if not model.accounts:
        return []
    frame = account_table(k.sim)
    total = {c: frame[c].sum() for c in ("opening", "interest", "closing")} | {"account": k.t("label.total")}
    names = {"revenue", "expenditure", "special"}
    frame = frame.assign(
        account=[k.t(f"income_words.account_{a}") if a in names else a for a in frame["account"]]
    )
    columns = [k.col("account"), k.col("rate", "percent", "account_rate"),
               *(k.col(c, "money", f"account_{c}") for c in ("opening", "interest", "closing"))]  # fmt: skip
    rows = [*records(frame), total]
    return [block(k.t("income_words.account_table"), columns, rows, source=f"{k.plan.file}: accounts",
                  note=k.t("income_words.account_note", year=k.year), total_rows=[len(rows) - 1])]  # fmt: skip


def _reserve(k: Context) -> list[Block]:
    frame = reserve_table(k.sim)
    if frame.empty:
        return []
    model = k.plan.model
    rules = [model.reserve.rule] if model.reserve else []
    rules += [model.adjustment.rule] if model.adjustment and model.adjustment.rule else []
    laws = [load_law(r) for r in rules]
    source = "；".join(f"{law.name(k.lang)}（{law.source().document}）" for law in laws) or k.plan.file
    rows = frame.assign(item=[k.t(f"income_words.{i}") for i in frame["item"]])
    columns = [k.col("item"), *(k.col(c, "money", f"reserve_{c}") for c in ("mean", "q05", "q95"))]
    return [block(k.t("income_words.reserve_table"), columns, rows, source=source)]


def income_assumptions(k: Context) -> Iterator[tuple[str, str, str, str]]:
    """Code, value, status and source of what the plan assumes on income and accounts."""
    m, t = k.plan.model, k.t
    f = m.financing
    for payer, w in f.wages.items():
        value = t("income_words.wage_value", payer=term_label(payer, k.lang), rate=f"{100 * w.rate:g}",
                  wage=f"{w.wage:,.0f}", share=f"{100 * w.share_of_insured:g}")  # fmt: skip
        yield "wage", value, w.status, w.source
    if f.subsidy is not None:
        value = t(
            "income_words.subsidy_value",
            standard=f"{f.subsidy.standard:g}",
            year=f.subsidy.year,
            tier=f.subsidy.tier,
        )
        yield "subsidy", value, f.subsidy.status, f.subsidy.source
    for payer, a in f.assistance.items():
        value = t("income_words.assistance_value", payer=term_label(payer, k.lang), persons=f"{a.persons:,.0f}",
                  part=f"{100 * a.part:g}", of=term_label(a.of, k.lang))  # fmt: skip
        yield "assistance", value, a.status, a.source
    for payer, s in f.arrivals.items():
        value = t("income_words.arrival_value", payer=term_label(payer, k.lang), mean=f"{100 * s.mean:g}",
                  sd=f"{100 * s.sd:g}", delay=f"{s.delay:g}", delay_sd=f"{s.delay_sd:g}",
                  owed=f"{100 * s.outstanding:g}", owed_sd=f"{100 * s.outstanding_sd:g}")  # fmt: skip
        yield "arrival", value, s.status, s.source
    for name, account in m.accounts.items():
        interest = account.interest_rate
        yield "account", f"{name} {100 * interest.value:g}%", interest.status, interest.source
    for move in m.moves.values():
        how = f"{100 * move.share:g}%" if move.share is not None else (
            k.unit.show(move.fill_to) if move.fill_to is not None else t("income_words.months", n=f"{move.fill_to_months:g}"))  # fmt: skip
        yield "move", f"{move.origin} → {move.to} {how}", move.status, move.source
    for transfer in m.transfers.values():
        value = f"{t(f'income_words.{transfer.kind}')} {k.unit.show(transfer.amount)}"
        yield "transfer", value, transfer.status, transfer.source
    if m.adjustment is not None:
        value = t("income_words.adjustment_value", rate=f"{100 * m.adjustment.rate:g}", covers=f"{100 * m.adjustment.covers:g}",
                  times=f"{m.adjustment.at_most_times:g}")  # fmt: skip
        yield "adjustment", value, m.adjustment.status, m.adjustment.source
    if (
        m.reserve is not None
        and k.sim.setting.income is not None
        and k.sim.setting.income.reserve is not None
    ):
        r = k.sim.setting.income.reserve
        value = t(f"income_words.reserve_{r.basis}", rate=f"{100 * r.rate:g}", ceiling=f"{100 * r.ceiling:g}")
        yield "reserve", value, m.reserve.status, m.reserve.source
        yield (
            "reserve_balance",
            k.unit.show(m.reserve.balance.value),
            m.reserve.balance.status,
            m.reserve.balance.source,
        )
    if m.personal_accounts is not None:
        p = m.personal_accounts
        yield "personal", load_law(p.rule).name(k.lang), p.status, p.source
        yield "personal_opening", k.unit.show(p.opening.value), p.opening.status, p.opening.source
        yield "personal_spent", k.unit.show(p.spent.value), p.spent.status, p.spent.source
        yield "personal_growth", f"{100 * p.growth.value:g}", p.growth.status, p.growth.source
        yield (
            "personal_interest",
            f"{100 * p.interest_rate.value:g}",
            p.interest_rate.status,
            p.interest_rate.source,
        )
