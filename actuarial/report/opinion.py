"""The opinion: what a signatory would put their name to, with blanks for what only they can say."""

from __future__ import annotations

from math import isfinite

from actuarial.report.blocks import Section, block
from actuarial.report.context import Context, plain

BLANK = "＿＿＿＿＿＿＿＿＿＿"
SIGNED = ("conclusion", "signatory", "qualification", "employer", "reviewer", "signed_on")


def opinion_section(k: Context) -> Section:
    """Scope, reliance on data, assumptions, result, limits; then the blanks.

    Nothing is said for the signatory: the paragraphs repeat what the report shows, and what is a judgement is blank.
    """
    a = k.a
    open_gaps = sum(r.verdict not in {"exact", "within_rounding"} for r in a.reconciliations)
    assumed = sum(s.status in {"assumed", "inferred"} for s in a.sources)
    words = [
        k.t(
            "report_words.opinion_scope",
            name=k.plan.name(k.lang),
            year=k.year,
            date=k.plan.model.valuation_date,
        ),
        k.t("report_words.opinion_data", blank=BLANK, checked=len(a.reconciliations), open=open_gaps),
        k.t("report_words.opinion_assumptions", count=assumed),
    ]
    if k.plan.synthetic:
        words.append(k.t("report_words.opinion_synthetic"))
    if isfinite(a.target.value) and a.target.value > 0:
        low, high = a.assumption_range
        words.append(
            k.t("report_words.opinion_result" if len(a.scenarios) else "report_words.opinion_result_alone", year=k.year, target=plain(a.target.value, 2), alpha=f"{100 * a.target.alpha:g}",
                criterion=k.t(f"label.criterion_{a.target.criterion}"), low=plain(low, 1), high=plain(high, 1))
        )  # fmt: skip
    else:
        words.append(
            k.t(
                "report_words.opinion_no_result",
                criterion=k.t(f"label.criterion_{a.target.criterion}"),
                year=k.year,
            )
        )
    words += [k.t("report_words.opinion_limits"), k.t("report_words.opinion_draft")]
    rows = [{"item": k.t(f"report_words.sign_{code}"), "value": BLANK} for code in SIGNED]
    return Section(
        k.t("report_words.opinion"),
        tuple(words),
        (block(k.t("report_words.sign"), [k.col("item"), k.col("value", label="to_fill_in")], rows),),
    )
