"""The what-if page without a browser: the same figures as the library, nothing computed twice, foreign requests refused."""

from __future__ import annotations

import io
import warnings
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest

import actuarial as act
from actuarial.app.session import Session
from actuarial.plan import Plan

PATHS = 3000
MOVES: list[dict[str, Any]] = [
    {},
    {"growth": 0.2},
    {"growth_sd": 0.08, "alpha": 0.1},
    {"heads": 600_000.0, "opening": 1e7},
    {"amounts": (("individual", 120.0), ("subsidy_central", 156.0), ("subsidy_local", 150.0))},
    {"policy": "stated", "policy_factor": 1.05, "criterion": "any_month"},
    {"target": 380.0, "bands": ((2e6, None, 0.3), (None, 0.05, 0.5), (None, None, 0.1))},
]


@pytest.mark.parametrize("move", MOVES)
def test_figures_are_the_librarys(jieshou: Plan, move: dict[str, Any]) -> None:
    """Whatever is moved, the page's figures are those of a run of the patched plan, to the cent."""
    session = Session(jieshou, paths=PATHS)
    session.figures()
    if move:
        session.change(**move)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, run = session.figures(), act.run(session.plan_of(), paths=PATHS)
    told = run.to_dict()
    for name in ("premium_target", "present_standard", "months_payable", "expected_closing_balance",
                 "expected_cost_per_capita", "contract_target", "insurer_result", "fund_result"):  # fmt: skip
        assert found.key[name] == pytest.approx(told[name], abs=0.005, rel=1e-12), name
    assert found.risk == told["deficit_probability"][told["criterion"]]


def test_nothing_is_computed_twice(jieshou: Plan) -> None:
    """Payers, probability and bands read the same paths anew; growth simulates again but draws no new normals."""
    session = Session(jieshou, paths=PATHS)
    session.figures()
    session.change(alpha=0.1)
    session.change(amounts=(("individual", 90.0), *session.state.amounts[1:]))
    session.change(target=350.0)
    assert session.memo.made["paths"] == 1
    drawn = {k: v.ctypes.data for k, v in session.normals.items()}
    session.change(growth=0.2)
    assert session.memo.made["paths"] == 2
    assert {k: v.ctypes.data for k, v in session.normals.items()} == drawn


def test_another_opening_balance_simulates_nothing(jieshou: Plan) -> None:
    """Only balances are rolled anew, to the bytes of a simulation from the start; claims and contract are read again."""
    session = Session(jieshou, paths=9000)
    before = session.figures()
    session.change(opening=1.0e8)
    after = session.figures()
    assert session.memo.made["paths"] == session.memo.made["contract"] == 1
    assert after.simulation.claims is before.simulation.claims
    again = Session(session.plan_of(), paths=9000).figures().simulation
    for name in ("at_zero", "stub_balance", "claims"):
        assert getattr(again.arrays, name).tobytes() == getattr(after.simulation.arrays, name).tobytes(), name
    session.change(opening=session.origin.opening)
    assert session.figures().target.value == before.target.value


def test_undo_reset_and_offers(jieshou: Plan) -> None:
    """Undo goes back step by step, reset to the plan, and there is room for four offers."""
    session = Session(jieshou, paths=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = session.figures().key
        session.change(growth=0.2)
        session.change(alpha=0.2)
        session.reset()
        assert session.figures().key == first
        assert session.undo()
        assert session.state.alpha == 0.2
        assert [session.pin() for _ in range(5)] == [True] * 4 + [False]
        session.reset()
        session.recall(0)
        assert (session.state.growth, session.state.alpha) == (0.2, 0.2)


def test_offers_on_the_level(jieshou: Plan) -> None:
    """On the level two offers of other growth but the same terms are the same; each is what its terms give at the present growth."""
    session = Session(jieshou, paths=500)
    session.change(growth=0.2, target=380.0)
    session.pin("a")
    session.change(growth=0.1)
    session.pin("b")
    a, b = session.compared()
    assert a.key["insurer_result"] < b.key["insurer_result"]
    session.level = True
    a, b = session.compared()
    assert a.key == b.key == session.figures().key
    session.change(target=390.0)
    assert session.compared()[0].key == a.key
    session.change(growth=0.15)
    assert session.compared()[0].key["premium_target"] == session.figures().key["premium_target"]
    session.level = False
    assert session.compared()[0].state.growth == 0.2


@pytest.mark.filterwarnings("ignore")
def test_negotiating_sheet_of_the_page(jieshou: Plan) -> None:
    """The sheet needs two sets of terms; its expected results are those of the contracts on the present paths."""
    page = pytest.importorskip("actuarial.app.page", reason="SKIPPED: the extra [app] is not installed")
    session = Session(jieshou, paths=PATHS)
    assert page.download(session, "sheet", "zh") is None
    session.change(target=380.0)
    session.pin("对方")
    session.change(growth=0.1, target=370.0)
    made = page.download(session, "sheet", "zh")
    assert made.name == "negotiation_zh.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(made.content))
    cells = [c.value for sheet in book for row in sheet.iter_rows() for c in row]
    deals = session.deals("当前")
    assert list(deals) == ["当前", "对方"]
    assert "对方" in cells
    wanted = deals["对方"].expected("insurer") / 1e4
    assert any(isinstance(v, float | int) and abs(v - wanted) < 0.01 for v in cells)


@pytest.mark.filterwarnings("ignore")
def test_component_fetches_nothing_from_outside(jieshou: Plan) -> None:
    """In a notebook the page's scripts come with it: Panel's default would ask content networks for them."""
    panel = pytest.importorskip("panel", reason="SKIPPED: the extra [app] is not installed")
    from actuarial.app import what_if

    made = what_if(jieshou, lang="en", paths=200)
    assert panel.config.inline
    assert "https://" not in made._esm


def test_warnings_are_said_in_the_language_of_the_page(plan_with: Any) -> None:
    """A warning of the base year stays when growth moves, and is said in the language in force."""
    from actuarial.app.view import notes

    session = Session(plan_with("jieshou", None, None, ("cii.base_year_premium_per_capita",)), paths=300)
    session.change(growth=0.2)
    session.change(growth=0.21)
    for lang in ("zh", "en"):
        assert escape(act.text("fund.cii_base_year", lang)) in notes(session, session.figures(), lang)


def test_saved_scenario_runs_to_the_same_figures(plan_with: Any) -> None:
    """What is saved lies beside the plan and ``load_plan`` reads it back to the same target."""
    plan = plan_with("jieshou")
    session = Session(plan, paths=PATHS)
    session.change(growth=0.1, target=360.0, bands=((1e6, None, 0.4), (None, None, 0.2)))
    session.change(amounts=(("individual", 100.0), *session.state.amounts[1:]))
    path = session.save("offer A")
    assert path.parent == Path(plan.folder)
    run = act.run(act.load_plan(path), paths=PATHS)
    assert run.target.value == session.figures().target.value
    assert run.contract is not None
    assert np.isclose(run.contract.expected("insurer"), session.figures().key["insurer_result"], atol=0.005)


def test_foreign_requests_are_refused(jieshou: Plan) -> None:
    """A foreign Host (DNS rebinding) or Origin is foreign on page and websocket; the server's private hook is there."""
    serve = pytest.importorskip("actuarial.app.serve", reason="SKIPPED: the extra [app] is not installed")
    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

    def refused(path: str, **headers: str) -> bool:
        request = HTTPServerRequest(
            start_line=RequestStartLine("GET", path, "HTTP/1.1"), headers=HTTPHeaders(headers)
        )
        return serve.Foreign(5006).match(request) is not None

    for path in ("/", "/ws", "/static/js/bokeh.min.js"):
        assert not refused(path, Host="127.0.0.1:5006")
        assert not refused(path, Host="localhost:5006", Origin="http://localhost:5006")
        assert refused(path, Host="evil.example:5006", Origin="http://evil.example:5006")
        assert refused(path, Host="127.0.0.1:5006", Origin="http://evil.example")
        assert refused(path, Host="127.0.0.1")
        assert refused(path, Host="")
    from bokeh.server.server import BaseServer

    assert "_tornado" in BaseServer.__init__.__code__.co_names
