"""Parts of the report on the years ahead and on what is incurred and unpaid, where the plan states them."""

from __future__ import annotations

import pandas as pd

from actuarial.report.blocks import Block, Chart, block, chart, records
from actuarial.report.context import Context, plain


def years_parts(k: Context) -> tuple[Block | Chart, ...]:
    """Fan and table of the years that the plan's ``projection`` states."""
    found = k.a.projection
    if found is None:
        return ()
    title = k.t("report_years.title", years=len(found.frame))
    shown = found.frame.assign(
        year=found.frame["year"].astype(str),
        months_payable=found.frame["months_payable"].round(1),
        any_month=found.frame["deficit_any_month"],
        current_year=found.frame["deficit_current_year"],
    )
    columns = [
        k.col("year", label="projection_year"), k.col("premium", "yuan", "premium"),
        k.col("cost_per_capita", "yuan", "cost_per_capita_paid"), k.col("closing", "money", "closing_balance"),
        k.col("months_payable", "number", "months_payable"), k.col("current_year", "percent", "deficit_of_the_year"),
        k.col("any_month", "percent", "deficit_any_month"), k.col("ever", "percent", "deficit_ever"),
    ]  # fmt: skip
    rule = k.t(
        f"projection_words.rule_{found.rule}", alpha=f"{100 * found.alpha:g}",
        criterion=k.t(f"label.criterion_{found.criterion}"),
    )  # fmt: skip
    note = k.t("report_years.note", rule=rule)
    return (
        chart(title, found.plot(lang=k.lang), note),
        block(k.t("report_years.table"), columns, records(shown)),
    )


def liabilities_part(k: Context) -> tuple[Block, ...]:
    """Both balances by month where the plan states a payment lag."""
    sim = k.sim
    if sim.setting.risk is None or sim.setting.risk.lag is None:
        return ()
    first = k.plan.base_year + 12
    owed = sim.liabilities.mean(axis=0)
    table = pd.DataFrame(
        {
            "month": [str(first + m) for m in range(12)],
            "cash": sim.balances().mean(axis=0),
            "unpaid": owed[1:],
            "incurred": sim.balances(basis="incurred").mean(axis=0),
        }
    )
    columns = [
        k.col("month", label="projection_month"), k.col("cash", "money", "balance_cash"), k.col("unpaid", "money", "unpaid_claims"),
        k.col("incurred", "money", "balance_incurred"),
    ]  # fmt: skip
    note = k.t(
        "report_years.liabilities_note", opening=k.unit.show(float(owed[0])), premium=plain(sim.standard, 0)
    )
    return (block(k.t("report_years.liabilities"), columns, records(table), note=note),)
