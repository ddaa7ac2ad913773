"""A snapshot of the what-if page: one HTML file with a grid of states, for those who have neither Python nor a network.

Growth, what the payers give together and the accepted probability move over fixed steps; every state was computed by the
library beforehand. The file asks for nothing: its policy allows its own script and style by their hashes and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.resources import files
from math import ceil, isfinite
from pathlib import Path
from typing import Any

from actuarial.app import pictures
from actuarial.app.session import Figures, Session
from actuarial.app.view import COMPARED, differs, sentences
from actuarial.results import COLOURS, Kind, Unit, shown, write_text
from actuarial.texts import LANGUAGES, language, text

GROWTH_STEPS = (-0.06, -0.04, -0.02, 0.0, 0.02, 0.04, 0.06)
ALPHAS = (0.01, 0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True, eq=False)
class Grid:
    """Figures over growth × amount × accepted probability, and which of them is the state that it was made from."""

    growth: tuple[float, ...]
    standards: tuple[float, ...]
    alpha: tuple[float, ...]
    start: tuple[int, int, int]
    figures: list[list[list[Figures]]] = field(repr=False)


def grid_of(session: Session) -> Grid:
    """The grid around the session's present state.

    Parameters
    ----------
    session : Session
    """
    own = session.state
    growth = tuple(sorted({round(own.growth + step, 6) for step in GROWTH_STEPS if own.growth + step > -0.9}))
    alpha = tuple(sorted({*ALPHAS, own.alpha}))
    amounts = _amounts(session, growth)
    figures = [
        [_by_alpha(session.figures(replace(own, growth=g, amounts=a)), alpha) for a in amounts]
        for g in growth
    ]
    start = growth.index(own.growth), amounts.index(own.amounts), alpha.index(own.alpha)
    standards = tuple(row[0].simulation.standard for row in figures[start[0]])
    return Grid(growth, standards, alpha, start, figures)


def _amounts(session: Session, growth: tuple[float, ...]) -> list[tuple[tuple[str, float], ...]]:
    """What each payer gives, from the least to the most that the grid asks about; the present amounts among them."""
    own = session.state
    present = session.figures().simulation.standard
    needs = [
        session.figures(replace(own, growth=g)).target.value for g in (growth[0], own.growth, growth[-1])
    ]
    known = [v for v in needs if isfinite(v) and v > 0] or [present]
    low, high = min(present, *known), max(present, *known)
    wanted = {float(v) for v in pictures.ticks(low, high + 0.02 * high, 5)} | {
        float(ceil(round(known[len(known) // 2], 6)))
    }
    made = {session.amounts_at(v): v for v in sorted(wanted) if v > 0 and abs(v - present) >= 1}
    return sorted([own.amounts, *made], key=lambda amounts: sum(v for _, v in amounts))


def _by_alpha(found: Figures, alpha: tuple[float, ...]) -> list[Figures]:
    return [replace(found, target=found.simulation.premium_target(a)) for a in alpha]


# --------------------------------------------------------------------------- the file


def snapshot(session: Session, lang: str | None = None, *, grid: Grid | None = None) -> str:
    """The snapshot as text: both languages, `lang` shown first.

    Parameters
    ----------
    session : Session
    lang : {"zh", "en"}, optional
    grid : Grid, optional
        One that was computed already.

    Examples
    --------
    >>> import actuarial as act
    >>> session = Session(act.load_plan(act.sample_path("jieshou/plan.yaml")), paths=200)
    >>> page = snapshot(session, "en")
    >>> "default-src &#39;none&#39;" in page, "http" in page.split("<script>")[1]
    (True, False)
    """
    import jinja2

    static = files("actuarial.app").joinpath("static")
    read = lambda name: static.joinpath(name).read_text(encoding="utf-8")  # noqa: E731
    first = language(lang)
    grid = grid or grid_of(session)
    css, script = read("snapshot.css"), read("snapshot.js")
    limits = _limits(grid)
    said = {one: _said(session, grid, one) for one in LANGUAGES}
    data = {
        "start": grid.start,
        "states": _each(grid, lambda f: "short" if f.target.value > f.simulation.standard else "enough"),
        "fans": [[pictures.fan_bands(cell[0].fan, limits) for cell in row] for row in grid.figures],
        **said,
    }
    order = (first, *(one for one in LANGUAGES if one != first))
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(read("snapshot.html.j2")).render(
        first=first, title=text("app.title", first), css=css, script=script, policy=_policy(css, script),
        pages=[_page(session, grid, limits, said[one], one) for one in order], data=_json(data),
        width=pictures.WIDTH, height=pictures.HEIGHT, ink=COLOURS["ink"],
    )  # fmt: skip


def write_snapshot(
    session: Session, path: str | Path, lang: str | None = None, *, grid: Grid | None = None
) -> Path:
    """Write the snapshot; returns the path.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    return write_text(path, snapshot(session, lang, grid=grid))


def _policy(css: str, script: str) -> str:
    """Its own style and script by their hashes, and nothing else."""
    style, code = (
        base64.b64encode(hashlib.sha256(part.encode("utf-8")).digest()).decode("ascii")
        for part in (css, script)
    )
    return f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{code}'; base-uri 'none'; form-action 'none'"


def _json(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    plain = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return plain.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _limits(grid: Grid) -> tuple[float, float]:
    """One range for every fan: then the picture moves and the axis does not."""
    ranges = [pictures.fan_range(cell[0].fan) for row in grid.figures for cell in row]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _rows(session: Session) -> list[tuple[str, Kind]]:
    """Figures of the table: those of the contract only where there is one."""
    key = session.figures().key
    return [(name, kind) for name, kind in COMPARED if name != "premium_target" and key[name] is not None]


def _each(grid: Grid, make: Callable[[Figures], Any]) -> list[list[list[Any]]]:
    return [[[make(f) for f in cell] for cell in row] for row in grid.figures]


def _said(session: Session, grid: Grid, lang: str) -> dict[str, Any]:
    """Words and figures of every state in one language; equal texts are kept once and named by number."""
    unit, pool = Unit.of(lang), dict[str, int]()

    def kept(words: str) -> int:
        return pool.setdefault(words, len(pool))

    def row(f: Figures) -> list[int]:
        return [kept(shown(f.key[name], kind, unit)) for name, kind in _rows(session)]

    found: dict[str, Any] = {
        "axes": [[f"{100 * v:g}%" for v in grid.growth], [shown(v, "yuan", unit) for v in grid.standards], [f"{100 * v:g}%" for v in grid.alpha]],
        "targets": _each(grid, lambda f: kept(shown(max(f.target.value, 0.0), "yuan", unit))),
        "words": _each(grid, lambda f: [kept(w) for w in sentences(f, lang)]),
        "rows": [[row(cell[0]) for cell in line] for line in grid.figures],
        "ends": [[kept(f"{text('app.fan', lang)}. {pictures.fan_sentence(cell[0].fan, lang)}") for cell in line] for line in grid.figures],
    }  # fmt: skip
    return found | {"pool": list(pool)}


def _page(
    session: Session, grid: Grid, limits: tuple[float, float], said: dict[str, Any], lang: str
) -> dict[str, Any]:
    """What stands still in one language."""
    t = lambda code, **k: text(f"app.{code}", lang, **k)  # noqa: E731
    unit, (g, p, _) = Unit.of(lang), grid.start
    labels = (t("growth"), t("k_present_standard"), t("alpha"))
    own = grid.figures[g][p][0]
    return {
        "lang": lang, "name": session.plan.name(lang), "other": t("other_language"), "noscript": t("snapshot_noscript"),
        "synthetic": t("synthetic") if session.plan.synthetic else "", "note": t("snapshot_note", differs=differs(session, lang)),
        "axes": [
            {"key": key, "label": label, "steps": steps, "start": start}
            for key, label, steps, start in zip(("growth", "standard", "alpha"), labels, said["axes"], grid.start, strict=True)
        ],
        "answer": t("answer"), "unit": text("label.yuan_per_person", lang), "fan": t("fan"), "figures": t("snapshot_figures"),
        "frame": pictures.fan_frame(own.fan, limits, lang),
        "rows": [{"name": name, "label": t(f"k_{name}", unit=unit.label)} for name, _ in _rows(session)],
        "glance": t("snapshot_glance"), "corner": t("snapshot_corner"), "warnings": [w.message(lang) for w in own.warnings],
        "grid": [
            {"label": label, "cells": [said["pool"][n] for n in line[p]]}
            for label, line in zip(said["axes"][0], said["targets"], strict=True)
        ],
        "foot": t("footer", paths=f"{session.paths:,}", seed=session.seed),
    }  # fmt: skip


__all__ = ["Grid", "grid_of", "snapshot", "write_snapshot"]
