"""Sections on the data, the base year, the assumptions; sources and manifest."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd

from actuarial import __version__
from actuarial.growth import ExpertGrowth
from actuarial.pipeline import Answer
from actuarial.plan import ExpertGrowthSpec
from actuarial.report.blocks import Block, Chart, Column, Section, block, chart, records
from actuarial.report.charts import arrears_chart
from actuarial.report.context import Context, cells_of
from actuarial.report.income_sections import income_assumptions
from actuarial.results import Kind, Unit, shown, suppress_small_cells
from actuarial.tables import Table, term_label
from actuarial.texts import has_text, pick, text


def data_section(k: Context) -> Section:
    """What the tables say: receipts, providers, ratios, and whether printed figures agree."""
    parts: list[Block | Chart] = [*arrears_parts(k), _calendar(k)]
    if k.a.providers is not None:
        parts.append(provider_block(k))
    if "reimbursement" in k.plan.tables:
        parts.append(reimbursement_block(k))
    if k.a.reconciliations:
        parts.append(_reconciliation(k))
    return Section(k.t("report.data"), tuple(n.message(k.lang) for n in k.a.notes), tuple(parts))


def base_section(k: Context) -> Section:
    """Last year's cost, made whole."""
    return Section(k.t("report_words.base_title"), (), (_base(k), *_completion(k)))


def provider_block(k: Context) -> Block:
    """Provider budgets and what was spent beyond them."""
    assert k.a.providers is not None
    frame = k.a.providers.assign(provider=[term_label(p, k.lang) for p in k.a.providers["provider"]])
    columns = [k.col("provider"), k.col("budget", "money"), k.col("overspend", "money"), k.col("share_of_income", "percent")]  # fmt: skip
    total = {c: frame[c].sum() for c in ("budget", "overspend", "share_of_income")}
    rows = [*records(frame), {"provider": k.t("label.total"), **total}]
    return block(k.t("report.providers"), columns, rows, source=k.cited("providers"), total_rows=[len(rows) - 1])  # fmt: skip


def reimbursement_block(k: Context) -> Block:
    """Effective ratios by level."""
    frame = k.plan.tables["reimbursement"].frame
    rows = [
        {"level": term_label(lv, k.lang), "ratio": r}
        for lv, r in zip(frame["level"], frame["compensation_ratio"], strict=True)
    ]
    columns = [k.col("level"), k.col("ratio", "percent")]
    return block(k.t("report.reimbursement"), columns, rows, source=k.cited("reimbursement"))


def _base(k: Context) -> Block:
    base, cost = k.sim.cost.base, k.sim.cost
    frame = base.table
    visits = frame["visits"].where(frame["visits"].notna(), np.inf)
    persons = frame.get("persons", visits)  # claims know the persons; a printed table only its visits
    frame = frame.assign(persons=persons, next_per_capita=cost.table["next_year_per_capita"])
    frame = suppress_small_cells(
        frame, "persons", ["visits", "fund_payment", "payment_per_visit", "annual_payment"]
    )
    frame["category"] = [term_label(c, k.lang) for c in frame["category"]]
    sums = {
        k: frame[k].sum(min_count=1)  # nothing known adds up to nothing known
        for k in ("visits", "fund_payment", "annual_payment", "annual_per_capita", "next_per_capita")
    }
    rows = [*records(frame), {"category": k.t("label.total"), **sums}]
    columns = [k.col("category"), k.col("visits", "count"), k.col("fund_payment", "money", "paid"),
               k.col("payment_per_visit", "yuan", "per_visit"), k.col("annual_payment", "money", "annual"),
               k.col("annual_per_capita", "yuan"), k.col("next_per_capita", "yuan")]  # fmt: skip
    low, high = base.interval()
    months = base.experience.months
    note = k.t("report.base_note", months=months, share=f"{100 * base.share:.2f}", low=k.unit.show(low),
                  high=k.unit.show(high), method=k.t(f"report.method_{k.plan.model.annualise.profile}"))  # fmt: skip
    return block(k.t("report.base", months=months), columns, rows, source=k.cited("experience", "season") or "；".join(s.document for s in base.sources[:1]), note=note,
                 total_rows=[len(rows) - 1])  # fmt: skip


def _completion(k: Context) -> list[Block | Chart]:
    """The run-off behind the base, where claims are counted by month of service."""
    done = k.sim.cost.base.completed
    if done is None:
        return []
    title = k.t("report.completion")
    figure = chart(title, done.triangle.plot(lang=k.lang, flags=done.flags), k.t("report.completion_note"))
    frame = done.frame.assign(period=[str(p) for p in done.frame.index])
    total = {c: frame[c].sum() for c in ("latest", "ultimate", "ibnr")} | {
        "period": k.t("label.total"),
        "se": done.total_se,
    }
    rows = [*records(frame), total]
    columns = [k.col("period"), k.col("latest", "money"), k.col("developed", "percent"), k.col("ultimate", "money"),
               k.col("ibnr", "money"), k.col("se", "money")]  # fmt: skip
    return [figure, block(title, columns, rows, total_rows=[len(rows) - 1])]


def arrears_parts(k: Context) -> list[Block | Chart]:
    """What each payer owed, gave and still owes: a chart where there are several, and the table."""
    arrears = k.sim.fund.arrears
    named = [k.t("label.all") if p == "all" else term_label(p, k.lang) for p in arrears.frame["payer"]]
    frame = arrears.frame.assign(payer=named)
    total = {k: frame[k].sum() for k in ("due", "received", "outstanding")}
    total["receipt_rate"] = total["received"] / total["due"] if total["due"] else np.nan
    rows = records(frame)
    if len(frame) > 1:
        rows.append({"payer": k.t("label.total"), **total})
    columns = [
        k.col("payer"),
        *(k.col(c, "money") for c in ("due", "received", "outstanding")),
        k.col("receipt_rate", "percent"),
    ]
    note = k.t("report.arrears_note", date=k.plan.model.valuation_date, due=k.unit.show(total["due"]),
                  received=k.unit.show(total["received"]), rate=f"{100 * total['receipt_rate']:.2f}",
                  outstanding=k.unit.show(total["outstanding"]))  # fmt: skip
    by_payer = len(frame) > 1
    source = (
        k.cited("payers") if by_payer else "；".join(f"{s.document} {s.locator}" for s in arrears.sources)
    )
    table = block(k.t("report.arrears"), columns, rows, source=source, note=note,
                  total_rows=[len(rows) - 1] if by_payer else [])  # fmt: skip
    if not by_payer:
        return [table]
    return [chart(k.t("report.arrears"), arrears_chart(arrears, k.lang), note, source=source), table]


def _calendar(k: Context) -> Block:
    wide = k.sim.fund.financing.cumulative
    rows = [
        {"payer": term_label(str(p), k.lang)} | {str(m): wide.loc[p, m] for m in range(13)}
        for p in wide.index
    ]
    columns = [k.col("payer"), *(Column(str(m), str(m), "percent") for m in range(13))]
    return block(k.t("report.calendar"), columns, rows, source=k.cited("calendar"))


def _reconciliation(k: Context) -> Block:
    labels = [pick(i.label, k.lang) for i in k.plan.model.identities]
    facts = k.plan.tables["facts"].frame.set_index("id")
    rows = []
    for label, r in zip(labels, k.a.reconciliations, strict=True):
        show = _fact_format(str(facts.loc[r.printed, "unit"]), k.unit)
        rows.append({"identity": label, "computed": show(r.computed), "stated": show(r.stated), "gap": show(r.gap, signed=True),
                     "verdict": k.t(f"label.verdict_{r.verdict}")})  # fmt: skip
    columns = [k.col(c) for c in ("identity", "computed", "stated", "gap", "verdict")]
    return block(k.t("report.reconciliation"), columns, rows, source=k.cited("facts"))


def _leans_on_2012(k: Context) -> bool:
    """Whether the plan uses the contract or the calculation of 2012."""
    model = k.plan.model
    named = [model.contract.law if model.contract else "", getattr(model.policy, "law", "")]
    return any(
        name.startswith(k.a.precedent.law.id.split("/contract/")[0].rsplit("/", 2)[0]) for name in named
    )


def precedent_block(k: Context) -> list[Block]:
    """The printed calculation of 2012, where the plan leans on it."""
    if not _leans_on_2012(k):
        return []
    p = k.a.precedent
    source = p.law.source("printed_result")
    names: dict[str, Kind] = {"base_per_capita": "yuan", "policy_effect_coefficient": "number", "on_new_rules": "yuan",
             "in_scope_cost_growth": "percent", "target": "yuan"}  # fmt: skip
    shown_as = {
        step: shown(v, names[step], k.unit) for step, v in zip(p.table["step"], p.table["value"], strict=True)
    }
    shown_as["total_growth"] = shown(p.total_growth, "percent", k.unit)
    rows = [{"item": k.t(f"label.precedent_{step}"), "value": value} for step, value in shown_as.items()]
    cited = f"{source.document}；{source.locator}；{source.quote}"
    columns = [k.col("item"), k.col("value")]
    note = k.t("report.precedent_note")
    return [block(k.t("report.precedent"), columns, rows, source=cited, note=note)]


def assumptions_section(k: Context) -> Section:
    """Every assumption with its value, status and source."""
    rows = [
        {"item": k.t(f"assume.{code}"), "value": value, "status": k.status(status), "source": source}
        for code, value, status, source in _assumptions(k)
    ]
    columns = [k.col("item"), k.col("value"), k.col("status"), k.col("source")]
    notes = tuple(pick(n, k.lang) for n in k.plan.model.notes) + k.a.warnings_in(k.lang)
    return Section(k.t("report.assumptions"), notes, (block("", columns, rows),))


def _assumptions(k: Context) -> Iterator[tuple[str, str, str, str]]:
    """Code, value, status and source of each assumption."""
    m, cost = k.plan.model, k.sim.cost
    insured, opening, interest = m.insured, m.opening, m.financing.interest_rate
    yield "fiscal_year", m.fiscal_year_start, m.fiscal_year_status, m.fiscal_year_source
    yield (
        "insured",
        f"{insured.next_year:,.0f}",
        insured.next_year_status,
        insured.next_year_source or insured.source,
    )
    yield "opening", k.unit.show(opening.free.value), opening.free.status, opening.free.source
    if opening.unpaid_claims is not None:
        unpaid = opening.unpaid_claims
        yield "opening_unpaid", k.unit.show(unpaid.value), unpaid.status, unpaid.source
    yield "annualise", f"{100 * m.annualise.place_sd:g}", m.annualise.status, m.annualise.source
    policy = cost.policy
    for stated in policy.sources[:1]:
        yield "policy", f"{policy.coefficient:g} ± {policy.sd:g}", stated.status, stated.document
    yield from _growth_assumptions(k)
    words = {c: "*" if c == "default" else term_label(c, k.lang) for c in m.process.severity_cv}
    cvs = "；".join(f"{words[c]} {v:g}" for c, v in m.process.severity_cv.items())
    yield "severity", cvs, m.process.status, m.process.source
    yield "interest", f"{100 * interest.value:g}", interest.status, interest.source
    if k.sim.fund.arrears.outstanding > 0:
        f = m.financing
        yield "remainder", str(f.remainder_month), f.remainder_status, f.remainder_source
    if m.cii.premium_per_capita is not None:
        premium = m.cii.premium_per_capita
        yield "cii", f"{premium.value:g}", premium.status, premium.source
    yield from _risk_assumptions(k)
    if m.contract is not None and k.a.contract is not None:
        yield "contract", k.unit.show(k.a.contract.target), m.contract.status, m.contract.source
    yield from income_assumptions(k)
    use = k.t(f"label.criterion_{m.criterion.use}")
    yield "criterion", f"{use}，{100 * m.criterion.accepted_probability:g}%", "assumed", m.criterion.source
    calendar = k.plan.tables["calendar"].frame
    stated_all = "status" in calendar and not calendar["status"].eq("assumed").any()
    yield "calendar", str(len(calendar)), "stated" if stated_all else "assumed", k.cited("calendar")


def _risk_assumptions(k: Context) -> Iterator[tuple[str, str, str, str]]:
    """Shocks, dated policies, providers with budgets and payment lag, where the plan states them."""
    m, mark = k.plan.model, "、" if k.lang == "zh" else ", "

    def where(categories: list[str]) -> str:
        return mark.join(term_label(c, k.lang) for c in categories) or k.t("assume.all_categories")

    for shock in m.shocks.values():
        months = mark.join(map(str, shock.months)) or "1–12"
        words = {"name": pick(shock.name, k.lang), "rate": f"{shock.rate:g}", "factor": f"{shock.factor:g}",
                 "sd": f"{shock.factor_sd:g}", "months": months, "where": where(shock.categories)}  # fmt: skip
        yield "shock", k.t(f"assume.shock_{shock.law}", **words), shock.status, shock.source
    for start in m.policy_starts.values():
        words = {
            "on": start.on,
            "value": f"{start.coefficient:g}",
            "sd": f"{start.sd:g}",
            "where": where(start.categories),
        }
        yield "policy_start", k.t("assume.policy_start_value", **words), start.status, start.source
    if (
        m.providers is not None
        and k.sim.setting.risk is not None
        and k.sim.setting.risk.providers is not None
    ):
        found = k.sim.setting.risk.providers
        words = {
            "rule": found.rule.name,
            "budgets": k.unit.show(float(found.budgets.sum())),
            "share": f"{100 * found.share:g}",
        }
        yield "providers", k.t("assume.providers_value", **words), m.providers.status, m.providers.source
    if m.payment_lag is not None and k.sim.setting.risk is not None and k.sim.setting.risk.lag is not None:
        pattern = k.sim.setting.risk.lag.pattern
        shown = mark.join(f"{100 * p:.3g}%" for p in pattern[:6]) + ("…" if len(pattern) > 6 else "")
        yield "payment_lag", shown, m.payment_lag.status, m.payment_lag.source
    if m.projection is not None:
        spec, end = m.projection, m.projection.long_run
        run = "—" if end is None else f"{100 * (end.income_growth + end.excess):g}%"
        words = {
            "years": str(spec.years),
            "phi": f"{spec.autocorrelation:g}",
            "run": run,
            "heads": f"{100 * spec.insured_growth:g}",
        }
        yield "projection", k.t("assume.projection_value", **words), spec.status, spec.source


def _growth_assumptions(k: Context) -> Iterator[tuple[str, str, str, str]]:
    """The growth that was used, by expert's value or fitted."""
    spec, growth = k.plan.model.growth, k.sim.cost.growth
    if isinstance(spec, ExpertGrowthSpec) and isinstance(growth, ExpertGrowth):
        quote = f"：{spec.quote}" if spec.quote else ""
        yield "growth", f"{100 * spec.value:g}", spec.status, spec.source + quote
        yield "growth_sd", f"{100 * growth.sd:g}", spec.uncertainty.status, spec.uncertainty.source
    else:
        median = float(growth.factor(np.zeros(1))[0]) - 1
        yield "growth", f"{100 * median:.2f}", spec.status, spec.source
    yield "correlation", f"{spec.correlation:g}", "assumed", ""


def sources_section(k: Context) -> Section:
    """Files and documents behind the figures."""
    rows = [
        {
            "what": s.what,
            "document": s.document,
            "locator": s.locator,
            "quote": s.quote,
            "status": k.status(s.status),
        }
        for s in (
            *k.a.sources,
            *(k.a.contract.sources if k.a.contract else ()),
            *(k.a.precedent.sources if _leans_on_2012(k) else ()),
        )
    ]
    table_rows = [
        {
            "what": name,
            "document": table.file,
            "locator": cells_of(table),
            "quote": "；".join(_origins(table)),
            "status": k.status("stated"),
        }
        for name, table in k.plan.tables.items()
    ]
    columns = [k.col(c) for c in ("what", "document", "locator", "quote", "status")]
    told = {r["document"] for r in table_rows}
    rows = [r for r in rows if r["locator"] or r["quote"] or r["document"] not in told]
    unique = list({tuple(r.values()): r for r in [*table_rows, *rows]}.values())
    for row in unique:
        row["what"] = _what(row["what"], k.lang)
    return Section(k.t("report.sources"), (), (block("", columns, unique),))


def _what(name: str, lang: str) -> str:
    """The word for what a source is of; the identifier where there is none (a neighbour's table, a bureau's own)."""
    code = f"report_words.what_{name.replace('.', '_')}"
    return text(code, lang) if has_text(code) else name


def manifest_section(k: Context) -> Section:
    """What a second run needs."""
    rows = [{"item": name, "value": value} for name, value in manifest(k.a).items()]
    return Section(k.t("report.manifest"), (), (block("", [k.col("item"), k.col("value")], rows),))


def manifest(answer: Answer) -> dict[str, str]:
    """Hashes, versions and seed: what a second run needs to give the same bytes."""
    found = {"actuarial": __version__, "python": platform.python_version()}
    for package in ("numpy", "pandas", "scipy", "matplotlib"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # pragma: no cover
            continue
    found |= {"paths": str(answer.simulation.paths), "seed": str(answer.simulation.seed)}
    return found | {f"sha256 {name}": digest for name, digest in answer.plan.hashes().items()}


def _origins(table: Table) -> list[str]:
    """Distinct documents that a table's rows cite."""
    if "source" not in table.frame:
        return []
    return [str(s) for s in pd.unique(table.frame["source"].dropna())][:4]


def _fact_format(unit: str, money: Unit) -> Callable[..., str]:
    """How a printed figure of some unit is shown."""

    def show(value: float, *, signed: bool = False) -> str:
        sign = "+" if signed and value > 0 else ""
        if unit == "ratio":
            return f"{sign}{100 * value:.3f}%".replace("-", "−")
        if unit == "yuan":
            amount = f"{sign}{value / money.scale:,.4f}".rstrip("0").rstrip(".")
            return f"{amount} {money.label}".replace("-", "−")
        return f"{sign}{value:,.0f}".replace("-", "−")

    return show
