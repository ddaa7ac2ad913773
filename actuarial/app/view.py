"""The page in words and HTML: fragments by region, so that only what changed is sent."""

from __future__ import annotations

from html import escape
from typing import Any

from actuarial.app import pictures
from actuarial.app.session import CRITERIA, MOST_OFFERS, Figures, Session
from actuarial.app.state import State
from actuarial.results import Kind, Unit, shown
from actuarial.tables import term_label
from actuarial.texts import text

COMPARED: tuple[tuple[str, Kind], ...] = (
    ("premium_target", "yuan"), ("present_standard", "yuan"), ("deficit_probability", "percent"),
    ("expected_cost_per_capita", "yuan"), ("expected_closing_balance", "money"), ("months_payable", "yuan"),
    ("contract_target", "money"), ("insurer_result", "signed_money"), ("insurer_loss_probability", "percent"),
    ("insurer_worst", "signed_money"), ("fund_result", "signed_money"), ("fund_worst", "signed_money"),
)  # fmt: skip


def regions(session: Session, lang: str) -> dict[str, str]:
    """Every region of the page by its id."""
    found = session.figures()
    return {
        "head": head(session, lang), "controls": controls(session, lang), "answer": answer(session, found, lang),
        **charts(found, lang), "sides": sides(found, lang), "offers": offers(session, lang),
        "notes": notes(session, found, lang),
    }  # fmt: skip


def charts(found: Figures, lang: str) -> dict[str, str]:
    """The four charts by region."""
    drawn = {
        "fan": pictures.fan(found.fan, lang),
        "risk": pictures.risk_curve(found.target, found.simulation.standard, lang),
        "waterfall": pictures.waterfall(found.simulation, found.target, lang),
        "payoff": pictures.payoff(found.contract, lang) if found.contract else "",
    }
    return {
        f"chart-{k}": f"<h2>{escape(text(f'app.{k}', lang))}</h2>{svg}" if svg else ""
        for k, svg in drawn.items()
    }


def plain(value: float) -> str:
    """A number for a field: no thousands, no needless digits."""
    return f"{value:.10g}"


def field(
    key: str,
    label: str,
    value: float,
    low: float,
    high: float,
    step: float,
) -> str:
    """A slider and a number field of one quantity; both have the label as their name."""
    name = escape(label, quote=True)
    low, high = min(low, value), max(high, value)
    return (
        f'<div class="field"><label for="n-{key}">{escape(label)}</label>'
        f'<input type="range" aria-label="{name}" data-key="{key}" min="{plain(low)}" max="{plain(high)}" step="{plain(step)}" value="{plain(value)}">'
        f'<input type="number" id="n-{key}" data-key="{key}" step="any" value="{plain(value)}"></div>'
    )


def choice(key: str, label: str, options: dict[str, str], value: str) -> str:
    """A drop-down list."""
    inner = "".join(
        f'<option value="{escape(k, quote=True)}"{" selected" if k == value else ""}>{escape(v)}</option>'
        for k, v in options.items()
    )
    return f'<div class="field"><label for="n-{key}">{escape(label)}</label><select id="n-{key}" data-key="{key}">{inner}</select></div>'


def button(
    do: str,
    label: str,
    *,
    number: int | None = None,
    spoken: str = "",
    off: bool = False,
    wait: str = "",
    pressed: bool | None = None,
) -> str:
    """A button that sends an action; `wait` is said at once where the answer takes long, `pressed` is of one that stays in."""
    extra = f' data-number="{number}"' if number is not None else ""
    extra += f' aria-label="{escape(spoken, quote=True)}"' if spoken else ""
    extra += f' data-wait="{escape(wait, quote=True)}"' if wait else ""
    extra += f' aria-pressed="{str(pressed).lower()}"' if pressed is not None else ""
    return f'<button type="button" data-do="{do}"{extra}{" disabled" if off else ""}>{escape(label)}</button>'


def head(session: Session, lang: str) -> str:
    """Title, undo and reset, language."""
    t = lambda code: text(f"app.{code}", lang)  # noqa: E731
    synthetic = f'<p class="warn">{escape(t("synthetic"))}</p>' if session.plan.synthetic else ""
    return (
        f'<a class="skip" href="#answer" data-do="skip">{escape(t("skip"))}</a><h1>{escape(session.plan.name(lang))}</h1>'
        f'<p class="bar">{button("undo", t("undo"), off=not session.past)}'
        f"{button('reset', t('reset'), off=session.state == session.origin)}"
        f'<button type="button" data-do="language" lang="{"en" if lang == "zh" else "zh"}">{t("other_language")}</button></p>{synthetic}'
    )


def controls(session: Session, lang: str) -> str:
    """Everything that can be moved."""
    s, o, unit = session.state, session.origin, Unit.of(lang)
    t = lambda code, **k: text(f"app.{code}", lang, **k)  # noqa: E731
    base = dict(o.amounts)
    top = max(1.0, sum(base.values()))
    payers = "".join(
        field(f"amount.{n}", term_label(p, lang), v, 0, max(3 * base[p], 0.5 * top), 1)
        for n, (p, v) in enumerate(s.amounts)
    )
    policies = {
        p: t("policy_plan") if p == "plan" else t("policy_stated") if p == "stated" else p
        for p in session.terms.policies()
    }
    factor = (
        field("policy_factor", t("policy_factor"), s.policy_factor, 0.7, 1.4, 0.005)
        if s.policy == "stated"
        else ""
    )
    heads, opening = o.heads, abs(o.opening) or o.heads * top * 0.3
    parts = [
        f"<h2>{escape(t('controls'))}</h2>",
        f"<fieldset><legend>{escape(t('payers'))}</legend>{payers}"
        f'<p class="bar"><span>{escape(t("total"))} {sum(v for _, v in s.amounts):,.2f}</span>{button("pay", t("pay"))}</p></fieldset>',
        field("growth", t("growth"), 100 * s.growth, -10, 40, 0.25),
        field("growth_sd", t("growth_sd"), 100 * s.growth_sd, 0, 15, 0.25),
        choice("policy", t("policy"), policies, s.policy),
        factor,
        field("heads", t("heads"), s.heads, round(0.7 * heads), round(1.3 * heads), max(round(heads / 1000), 1)),
        field("opening", t("opening", unit=unit.label), s.opening / unit.scale, -0.5 * opening / unit.scale, 2 * opening / unit.scale, 10 / unit.scale * 1e4),
        field("alpha", t("alpha"), 100 * s.alpha, 0.5, 50, 0.5),
        choice("criterion", t("criterion"), {c: text(f"label.criterion_{c}", lang) for c in CRITERIA}, s.criterion),
        _contract(session, lang),
    ]  # fmt: skip
    return "".join(parts)


def _contract(session: Session, lang: str) -> str:
    from actuarial.law import load_law

    s = session.state
    t = lambda code, **k: text(f"app.{code}", lang, **k)  # noqa: E731
    names = {"": t("none")}
    for law in session.terms.contracts():
        names[law] = law if law.endswith((".yaml", ".yml")) else load_law(law, "contract").name(lang)
    out = choice("contract", t("contract"), names, s.contract)
    if not s.contract:
        return f"<fieldset><legend>{escape(t('contract'))}</legend>{out}</fieldset>"
    rule = {"expected": t("target_expected"), "stated": t("target_stated")}
    out += choice("target_rule", t("target_rule"), rule, "expected" if s.target is None else "stated")
    if s.target is not None:
        cost = session.figures().simulation.expected_cost_per_capita()
        out += field("target", t("target"), s.target, round(0.7 * cost), round(1.3 * cost), 1)
    return f"<fieldset><legend>{escape(t('contract'))}</legend>{out}{_bands(s, lang)}</fieldset>"


def _bands(s: State, lang: str) -> str:
    unit = Unit.of(lang)
    t = lambda code, **k: text(f"app.{code}", lang, **k)  # noqa: E731
    columns = (t("band_edge", unit=unit.label), t("band_share_of_target"), t("band_insurer"))
    rows = ""
    for n, (edge, share, insurer) in enumerate(s.bands):
        last = n == len(s.bands) - 1
        values = (
            None if edge is None else edge / unit.scale,
            None if share is None else 100 * share,
            100 * insurer,
        )
        cells = "".join(
            f'<td><input type="number" step="any" data-key="band.{n}.{c}" aria-label="{escape(t("band_n", n=n + 1) + " " + name, quote=True)}" value="{"" if v is None else plain(v)}"></td>'
            for c, (name, v) in enumerate(zip(columns, values, strict=True))
            if not (last and c < 2)
        )
        open_end = f'<td colspan="2">{escape(t("band_open"))}</td>' if last else ""
        rows += f"<tr>{open_end}{cells}</tr>"
    heads = "".join(f'<th scope="col">{escape(c)}</th>' for c in columns)
    return (
        f'<table class="bands"><caption>{escape(t("bands"))}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="bar">{button("band_add", t("band_add"))}{button("band_drop", t("band_drop"), off=len(s.bands) < 2)}</p>'
    )


def sentences(found: Figures, lang: str) -> list[str]:
    """The answer in words."""
    target, sim = found.target, found.simulation
    common = {
        "year": found.plan.base_year.year + 1,
        "criterion": text(f"label.criterion_{target.criterion}", lang),
        "alpha": f"{100 * target.alpha:g}",
    }
    code = (
        "answer_infinite"
        if target.value == float("inf")
        else "answer_none"
        if target.value <= 0
        else "answer_line"
    )
    out = [text(f"app.{code}", lang, value=f"{target.value:,.2f}", **common)]
    gap, risk = target.value - sim.standard, f"{100 * found.key['deficit_probability']:.1f}"
    out.append(
        text(
            "app.gap_short" if gap > 0 else "app.gap_enough", lang, standard=f"{sim.standard:,.2f}",
            gap=shown(abs(gap), "yuan", Unit.of(lang)), risk=risk,
        )
    )  # fmt: skip
    if found.contract is not None:
        unit, key = Unit.of(lang), found.key
        out.append(
            text(
                "app.deal_line", lang, target=unit.show(key["contract_target"]), insurer=unit.show(key["insurer_result"]),
                loss=f"{100 * key['insurer_loss_probability']:.1f}", fund=unit.show(key["fund_result"]),
            )
        )  # fmt: skip
    return out


def differs(session: Session, lang: str) -> str:
    """What was moved away from the plan, in words."""
    changed = [p.path for p in session.patches()]
    names = {
        "financing.amounts": "payers", "growth": "growth", "policy": "policy", "insured.next_year": "heads",
        "opening.free.value": "opening", "criterion.accepted_probability": "alpha", "criterion.use": "criterion", "contract": "contract",
    }  # fmt: skip
    unit = Unit.of(lang).label
    what = [text(f"app.{names[p]}", lang, unit=unit) for p in changed]
    return text("app.changed", lang, what="; ".join(what)) if what else text("app.unchanged", lang)


def answer(session: Session, found: Figures, lang: str) -> str:
    """Headline, sentences, and what differs from the plan."""
    target, sim = found.target, found.simulation
    low, high = (shown(v, "yuan", Unit.of(lang)) for v in target.interval)
    said = sentences(found, lang)
    gap = target.value - sim.standard
    state = "short" if gap > 0 else "enough"
    figure = shown(max(target.value, 0.0), "yuan", Unit.of(lang))
    return (
        f'<h2 id="answer" tabindex="-1">{escape(text("app.answer", lang))}</h2>'
        f'<p class="big {state}"><strong data-figure="premium_target">{figure}</strong> '
        f"<span>{escape(text('label.yuan_per_person', lang))} · {escape(text('app.interval', lang, low=low, high=high))}</span></p>"
        + "".join(f"<p>{escape(w)}</p>" for w in said)
        + f'<p class="small">{escape(differs(session, lang))}</p>'
    )


def sides(found: Figures, lang: str) -> str:
    """Both sides' results under the contract."""
    if found.sides is None:
        return ""
    unit = Unit.of(lang)
    kinds: dict[str, Kind] = {
        "expected": "signed_money", "sd": "money", "loss_probability": "percent", "mean_of_worst_5pct": "signed_money",
    }  # fmt: skip
    heads = "".join(
        f'<th scope="col">{escape(text(f"app.{k}", lang) + ("" if v == "percent" else f" ({unit.label})"))}</th>'
        for k, v in kinds.items()
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(text("app." + r["party"], lang))}</th>'
        + "".join(f"<td>{shown(r[k], v, unit)}</td>" for k, v in kinds.items())
        + "</tr>"
        for r in found.sides.to_dict("records")
    )
    return (
        f"<h2>{escape(text('app.sides', lang))}</h2>"
        f'<table><thead><tr><th scope="col">{escape(text("app.party", lang))}</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def offers(session: Session, lang: str) -> str:
    """Pinned offers and the present state, side by side."""
    t = lambda code, **k: text(f"app.{code}", lang, **k)  # noqa: E731
    unit = Unit.of(lang)
    full, pinned = len(session.offers) >= MOST_OFFERS, session.compared()
    level = button("level", t("level"), off=not pinned, pressed=session.level)
    form = (
        f'<p class="bar"><label for="offer-name">{escape(t("offer_name"))}</label><input type="text" id="offer-name" maxlength="40" size="12">'
        f"{button('pin', t('pin'), off=full)}{level}{button('save', t('save'))}{button('download_scenario', t('download_scenario'))}"
        f"{button('download_report', t('download_report'), wait=t('working'))}"
        f"{button('download_snapshot', t('download_snapshot'), wait=t('working'))}"
        f"{button('download_sheet', t('download_sheet'), wait=t('working'))}"
        "</p>"
    )
    columns: list[tuple[str, dict[str, Any], str]] = [(t("now"), session.figures().key, "")]
    for n, o in enumerate(pinned):
        buttons = button("recall", t("recall"), number=n, spoken=f"{t('recall')} {o.name}")
        buttons += button("unpin", t("unpin"), number=n, spoken=f"{t('unpin')} {o.name}")
        columns.append((o.name, o.key, buttons))
    heads = "".join(f'<th scope="col">{escape(name)} {buttons}</th>' for name, _, buttons in columns)
    states = [session.state, *(o.state for o in pinned)]
    rows = "".join(
        f'<tr class="terms"><th scope="row">{escape(label)}</th>{"".join(f"<td>{escape(v)}</td>" for v in values)}</tr>'
        for label, values in _terms(states, lang)
    )
    for name, kind in COMPARED:
        label = escape(text(f"app.k_{name}", lang, unit=unit.label))
        cells = "".join(
            f'<td data-figure="{name}.{n}">{shown(k[name], kind, unit)}</td>'
            for n, (_, k, _b) in enumerate(columns)
        )
        rows += f'<tr><th scope="row">{label}</th>{cells}</tr>'
    none = "" if session.offers else f'<p class="small">{escape(t("no_offers"))}</p>'
    full_note = f'<p class="small">{escape(t("offers_full"))}</p>' if full else ""
    return (
        f"<h2>{escape(t('compare'))}</h2>{form}{none}{full_note}"
        f'<div class="wide"><table><thead><tr><th scope="col">{escape(t("item"))}</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _terms(states: list[State], lang: str) -> list[tuple[str, list[str]]]:
    """What each offer says, before what follows from it."""
    t = lambda code, **k: text(f"app.{code}", lang, **k)  # noqa: E731
    rows = [
        (
            t("growth"),
            [t("growth_words", growth=f"{100 * s.growth:g}", sd=f"{100 * s.growth_sd:g}") for s in states],
        )
    ]
    if any(s.contract for s in states):
        given = [
            "—" if not s.contract else t("target_expected") if s.target is None else f"{s.target:,.2f}"
            for s in states
        ]
        rows.append((t("target"), given))
        rows.append((t("bands_insurer"), [_band_words(s, lang) for s in states]))
    return rows


def _band_words(s: State, lang: str) -> str:
    """Sharing bands in one line."""
    t, unit = (lambda code, **k: text(f"app.{code}", lang, **k)), Unit.of(lang)
    words = []
    for edge, part, insurer in s.bands:
        share = f"{100 * insurer:g}"
        if edge is not None:
            words.append(t("band_to", edge=f"{edge / unit.scale:,.10g} {unit.label}", share=share))
        elif part is not None:
            words.append(t("band_to_share", edge=f"{100 * part:g}", share=share))
        else:
            words.append(t("band_above" if words else "band_all", share=share))
    return "\n".join(words) or "—"


def notes(session: Session, found: Figures, lang: str) -> str:
    """Warnings, and what the figures rest on."""
    told = "".join(f"<li>{escape(w.message(lang))}</li>" for w in found.warnings)
    foot = text("app.footer", lang, paths=f"{session.paths:,}", seed=session.seed)
    return (f"<ul>{told}</ul>" if told else "") + f'<p class="small">{escape(foot)}</p>'


__all__ = ["charts", "regions", "sentences"]
