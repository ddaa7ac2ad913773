"""The page: one Panel component that shows a session and answers what is moved on it."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import panel as pn
import param

from actuarial.app.session import CRITERIA, Session
from actuarial.app.state import Band
from actuarial.app.view import regions
from actuarial.errors import ActuarialError
from actuarial.plan import Plan
from actuarial.results import Unit
from actuarial.texts import language, text, use_language

_STATIC = files("actuarial.app").joinpath("static")


@dataclass(frozen=True)
class File:
    """Something to download."""

    name: str
    kind: str
    content: bytes


class WhatIf(pn.custom.JSComponent):
    """The what-if page of a plan, in a browser or in JupyterLab.

    Parameters
    ----------
    session : Session
    lang : {"zh", "en"}
    """

    lang = param.String(default="zh")
    first = param.Dict(default={})
    css = param.String(default="")

    _esm = _STATIC.joinpath("page.js").read_text(encoding="utf-8")

    def __init__(self, session: Session, lang: str | None = None, **params: Any) -> None:
        self.session = session
        self.shown = regions(session, language(lang))
        super().__init__(
            lang=language(lang), first=self.shown, css=_STATIC.joinpath("page.css").read_text("utf-8"),
            sizing_mode="stretch_width", **params,
        )  # fmt: skip

    def _handle_msg(self, data: Any) -> None:
        self._send_msg(self.handle(data))

    def handle(self, data: Any) -> dict[str, Any]:
        """The answer to a message of the page: the regions that changed, what to say, a file.

        Messages name a quantity and a value, or an action; none names a path.
        """
        said: str = ""
        file: File | None = None
        with use_language(self.lang):
            try:
                if "key" in data:
                    self._move(str(data["key"]), data.get("value"))
                else:
                    said, file = self._do(
                        str(data.get("do")), data.get("number"), str(data.get("name") or "")
                    )
            except ActuarialError as error:
                said = text("app.refused", self.lang, why=error.message(self.lang))
            fresh = regions(self.session, self.lang)
        changed = {k: v for k, v in fresh.items() if v != self.shown.get(k) or (said and k == "controls")}
        self.shown = fresh
        answer: dict[str, Any] = {"html": changed, "said": said, "lang": self.lang}
        if file is not None:
            coded = base64.b64encode(file.content).decode("ascii")
            answer["file"] = {"name": file.name, "type": file.kind, "base64": coded}
        return answer

    # ------------------------------------------------------------------ moves

    def _move(self, key: str, raw: Any) -> None:
        """One quantity to a new value, in the units that the page shows."""
        s, scale = self.session, Unit.of(self.lang).scale
        head, _, rest = key.partition(".")
        if key in {"policy", "contract"}:
            known = s.terms.policies() if key == "policy" else ("", *s.terms.contracts())
            if raw in known:
                s.change(**{key: raw})
        elif key == "criterion":
            s.change(criterion=raw if raw in CRITERIA else s.state.criterion)
        elif key == "target_rule":
            cost = s.figures().simulation.expected_cost_per_capita()
            s.change(target=round(cost, 2) if raw == "stated" else None)
        elif head == "band":
            s.change(bands=self._bands(rest, raw))
        elif head == "amount":
            amounts = list(s.state.amounts)
            n = int(rest)
            amounts[n] = (amounts[n][0], _number(raw))
            s.change(amounts=tuple(amounts))
        elif key in {"growth", "growth_sd", "alpha"}:
            s.change(**{key: round(_number(raw) / 100, 10)})
        elif key == "opening":
            s.change(opening=round(_number(raw) * scale, 2))
        elif key in {"heads", "policy_factor", "target"}:
            s.change(**{key: _number(raw)})

    def _bands(self, place: str, raw: Any) -> tuple[Band, ...]:
        row, column = (int(v) for v in place.split("."))
        bands = list(self.session.state.bands)
        edge, share, insurer = bands[row]
        empty = str(raw).strip() == ""
        if column == 0:
            edge, share = (None, share) if empty else (_number(raw) * Unit.of(self.lang).scale, None)
        elif column == 1:
            edge, share = (edge, None) if empty else (None, round(_number(raw) / 100, 10))
        else:
            insurer = round(_number(raw) / 100, 10)
        bands[row] = (edge, share, insurer)
        return tuple(bands)

    # ------------------------------------------------------------------ actions

    def _do(self, action: str, number: Any, name: str) -> tuple[str, File | None]:
        s = self.session
        t = lambda code, **k: text(f"app.{code}", self.lang, **k)  # noqa: E731
        if action == "language":
            self.lang = "en" if self.lang == "zh" else "zh"
        elif action == "undo":
            return (t("undone") if s.undo() else t("nothing_to_undo")), None
        elif action == "reset":
            s.reset()
            return t("was_reset"), None
        elif action == "pay":
            s.pay_the_target()
        elif action == "pin":
            return (t("pinned", name=s.offers[-1].name) if s.pin(name) else t("offers_full")), None
        elif action == "level":
            s.level = not s.level
            return t("leveled" if s.level else "unleveled"), None
        elif action in {"recall", "unpin"} and isinstance(number, int) and 0 <= number < len(s.offers):
            getattr(s, action)(number)
        elif action == "band_add":
            bands = s.state.bands
            edges = [b[0] for b in bands if b[0] is not None]
            upper = (edges[-1] if edges else 0.0) + 1e6
            s.change(bands=(*bands[:-1], (upper, None, bands[-1][2]), bands[-1]))
        elif action == "band_drop" and len(s.state.bands) > 1:
            s.change(bands=(*s.state.bands[:-2], s.state.bands[-1]))
        elif action == "save":
            return t("saved", path=s.save(name)), None
        elif action.startswith("download_"):
            file = download(s, action.removeprefix("download_"), self.lang, name)
            return (t("no_sheet"), None) if file is None else (t("downloaded", name=file.name), file)
        return "", None


def _number(raw: Any) -> float:
    """A number that was typed."""
    from math import isfinite

    try:
        value = float(str(raw).replace(",", "").replace("，", "").strip())
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ActuarialError("app.not_a_number", value=str(raw)[:40])
    return value


def download(session: Session, what: str, lang: str, name: str = "") -> File | None:
    """A file of what is on the page; None for what cannot be made."""
    if what == "scenario":
        return File("scenario.yaml", "application/yaml", session.scenario_text(name).encode("utf-8"))
    if what == "report":
        from actuarial.pipeline import run
        from actuarial.report import build_report

        answer = run(session.plan_of(), paths=session.paths, seed=session.seed, threads=session.threads)
        with tempfile.TemporaryDirectory() as folder:
            made = build_report(answer, folder, lang=lang)
            return File(made.page.name, "text/html", Path(made.page).read_bytes())
    if what == "snapshot":
        from actuarial.app.snapshot import snapshot

        return File(f"snapshot_{lang}.html", "text/html", snapshot(session, lang).encode("utf-8"))
    sheet = negotiating_sheet(session, lang)
    return None if sheet is None else File(f"negotiation_{lang}.xlsx", "application/octet-stream", sheet)


def negotiating_sheet(session: Session, lang: str) -> bytes | None:
    """The negotiating sheet of the present terms and the pinned offers, all on the present paths; None where there are none to compare."""
    from actuarial.report.negotiation import session_sheet

    deals = session.deals(text("app.now", lang))
    if session.figures().contract is None or len(deals) < 2:
        return None
    return session_sheet(deals, session.plan_of(), lang=lang, seed=session.seed)


def what_if(plan: Plan, *, lang: str | None = None, paths: int = 100_000, seed: int = 2012) -> WhatIf:
    """The what-if page of a plan as a component, to be shown in JupyterLab.

    Parameters
    ----------
    plan : Plan
    lang : {"zh", "en"}, optional
    paths, seed : int

    Examples
    --------
    >>> import actuarial as act
    >>> page = what_if(act.load_plan(act.sample_path("jieshou/plan.yaml")), lang="en", paths=500)
    >>> sorted(page.handle({"key": "alpha", "value": "10"})["html"])[:2]
    ['answer', 'chart-risk']
    """
    pn.extension(inline=True)  # nothing is fetched from outside
    with use_language(language(lang)):
        return WhatIf(Session(plan, paths=paths, seed=seed), lang)
