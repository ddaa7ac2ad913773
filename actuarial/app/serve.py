"""Serving the page on 127.0.0.1: to this machine's own browser and nobody else.

A page of another site can make a browser ask a server on this machine (DNS rebinding gives that site's name our
address, and then Host equals Origin). So every request, page or websocket, must name this machine as its Host, and this page
as its Origin where it has one; all others get 403 before Bokeh sees them. For that the server's routing table is reached
through Bokeh's private ``_tornado``; a test pins it.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import jinja2
import panel as pn
from bokeh.server.server import Server
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule
from tornado.web import RequestHandler

from actuarial.app.page import WhatIf
from actuarial.app.session import Session
from actuarial.plan import Plan
from actuarial.texts import language, text, use_language

HOSTS = ("127.0.0.1", "localhost")
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: {ws}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class Foreign(Matcher):
    """Requests that do not come from this machine's own page."""

    def __init__(self, port: int) -> None:
        self.hosts = {f"{h}:{port}" for h in HOSTS}
        self.origins = {f"http://{h}" for h in self.hosts}

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Something where the request is foreign, None where it is ours."""
        origin = request.headers.get("Origin")
        ours = request.headers.get("Host", "").lower() in self.hosts
        if origin is not None:
            ours = ours and origin.lower() in self.origins
        return None if ours else {}


class Refusal(RequestHandler):
    """403, whatever is asked."""

    def prepare(self) -> None:
        """Refuse before any method is looked at."""
        self.set_status(403)
        self.finish()


def guard(server: Server, port: int) -> None:
    """Put the refusal before every other route, and the headers on every answer."""
    tornado = server._tornado
    tornado.default_router.rules.insert(0, Rule(Foreign(port), Refusal))
    ws = " ".join(f"ws://{h}:{port}" for h in HOSTS)
    headers = {
        "Content-Security-Policy": POLICY.format(ws=ws), "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }  # fmt: skip

    def with_headers(handler_class: type[RequestHandler]) -> None:
        given = handler_class.set_default_headers

        def set_default_headers(self: RequestHandler) -> None:
            given(self)
            if self.application is tornado:
                for name, value in headers.items():
                    self.set_header(name, value)

        handler_class.set_default_headers = set_default_headers  # type: ignore[method-assign]

    seen: set[type[RequestHandler]] = set()
    for rule in tornado.wildcard_router.rules:
        target = rule.target
        if isinstance(target, type) and issubclass(target, RequestHandler) and target not in seen:
            seen.add(target)
    for handler in seen:
        with_headers(handler)


def start(
    plan: Plan,
    *,
    port: int = 0,
    lang: str | None = None,
    paths: int = 100_000,
    seed: int = 2012,
    on_session: Callable[[WhatIf], None] | None = None,
) -> Server:
    """A server of the page on 127.0.0.1, made but not yet running its loop.

    Parameters
    ----------
    plan : Plan
    port : int
        0 for any that is free.
    lang : {"zh", "en"}, optional
    paths, seed : int
    on_session : callable, optional
        Called with each page that is opened.
    """
    chosen = language(lang)
    plan.tables  # noqa: B018 - faults are told before a browser is opened
    template = jinja2.Environment(autoescape=True).from_string(
        files("actuarial.app").joinpath("static", "page.html.j2").read_text("utf-8")
    )

    def page() -> Any:
        with use_language(chosen):
            shown = WhatIf(Session(plan, paths=paths, seed=seed), chosen)
        if on_session is not None:
            on_session(shown)
        made = pn.Template(template)
        made.add_panel("page", shown)
        made.add_variable("title", text("app.title", chosen))
        made.add_variable("lang", "zh-CN" if chosen == "zh" else "en")
        return made

    server = pn.serve(
        {"/": page}, port=port, address="127.0.0.1", show=False, start=False, threaded=False,
        title=text("app.title", chosen), websocket_origin=[f"{h}:{port}" for h in HOSTS] if port else "*",
    )  # fmt: skip
    real = int(server.port or port)
    if not port:
        server._tornado._websocket_origins = {f"{h}:{real}" for h in HOSTS}
    guard(server, real)
    return server


def run(server: Server, *, browser: bool = True) -> None:
    """Serve until interrupted."""
    server.start()
    if browser:
        webbrowser.open(address(server))
    server.run_until_shutdown()


def address(server: Server) -> str:
    """Where the page is."""
    return f"http://127.0.0.1:{server.port}/"
