"""Printed figures against each other: the reports' own identities, verdicts, safety, soundness."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from actuarial.errors import InputError
from actuarial.pipeline import Answer
from actuarial.tables import Reconciliation, reconcile

NAME = re.compile(r"\d{3}\.[a-z]\w*\.\w+")


def plain(name: str) -> str:
    """A fact's id as a name: ``000.jieshou.expenditure`` is ``f000_jieshou_expenditure``."""
    return "f" + name.replace(".", "_")


@pytest.fixture(scope="module")
def source(data: Callable[[str], Any]) -> dict[str, Any]:
    """Facts with quotes and checks of the five source documents."""
    return data("source_checks.json")


@pytest.fixture(scope="module")
def verdicts(source: dict[str, Any]) -> dict[str, tuple[dict[str, Any], Reconciliation]]:
    """Every check of the source documents, reconciled."""
    values = {plain(n): float(f["value"]) for n, f in source["facts"].items()}
    halves = {plain(n): float(f["half_width"]) for n, f in source["facts"].items()}
    found = {}
    for check in source["checks"]:
        expression = NAME.sub(lambda m: plain(m[0]), check["expression"])
        found[check["id"]] = (check, reconcile(expression, plain(check["printed"]), values, halves))
    return found


# --------------------------------------------------------------------------- the sources' own figures


def test_every_printed_identity_is_reproduced(verdicts: dict) -> None:
    """All 32 printed identities: same computed value, and held or open as checked by hand."""
    assert len(verdicts) == 32
    for check, found in verdicts.values():
        assert found.computed == pytest.approx(check["computed"], rel=1e-6), check["id"]
        assert (found.verdict != "open") is check["holds"], check["id"]


def test_verdicts_follow_the_printed_digits(verdicts: dict, source: dict) -> None:
    """Exact means within half the last printed digit of the result; the gap is computed less printed."""
    for check, found in verdicts.values():
        printed = source["facts"][check["printed"]]
        assert found.stated == printed["value"]
        assert found.gap == pytest.approx(found.computed - printed["value"])
        exact = abs(found.gap) <= printed["half_width"] * (1 + 1e-9) + 1e-9 * abs(found.stated)
        assert (found.verdict == "exact") is exact, check["id"]


def test_zhenjiang_direct_revenue_stays_open(verdicts: dict) -> None:
    """4.45亿 + 0.5625亿 against a printed 5.21亿: no rounding explains the 0.1975亿."""
    _, found = verdicts["C022"]
    assert found.verdict == "open"
    assert found.gap == -19_750_000


def test_jieshou_parts_agree_within_rounding_only(verdicts: dict) -> None:
    """Seven categories add up to 16446.75万, printed 16446.76万: explained by rounding, not exact."""
    _, found = verdicts["C004"]
    assert found.verdict == "within_rounding"
    assert found.gap == -100


def test_the_use_ratio_comes_out_over_the_rounded_fund_only() -> None:
    """57.71% is 16446.76 over the printed 2.85亿; over 2.20亿 + 6502万 it is 6.1e-5 too low."""
    values = {
        "spent": 164_467_600.0,
        "year": 220_000_000.0,
        "before": 65_020_000.0,
        "fund": 285_000_000.0,
        "ratio": 0.5771,
    }
    halves = {"spent": 50.0, "year": 500_000.0, "before": 5_000.0, "fund": 500_000.0, "ratio": 0.00005}
    rounded = reconcile("spent / fund", "ratio", values, halves)
    summed = reconcile("spent / (year + before)", "ratio", values, halves)
    assert (rounded.verdict, summed.verdict) == ("exact", "within_rounding")
    assert summed.gap == pytest.approx(-6.1e-5, abs=5e-7)
    exactly = reconcile("spent / (year + before)", "ratio", values, {"ratio": 0.00005})
    assert exactly.verdict == "open"


def test_plans_reconcile_as_their_documents_do(jieshou_run: Answer, anhui_run: Answer) -> None:
    """The plans' own identities: two of Jieshou's hold only within rounding, all of Anhui's are exact."""
    assert [r.verdict for r in jieshou_run.reconciliations] == [
        "exact", "exact", "within_rounding", "exact", "within_rounding", "exact",
    ]  # fmt: skip
    assert [r.verdict for r in anhui_run.reconciliations] == ["exact"] * 6


# --------------------------------------------------------------------------- what is refused

VALUES = {"a": 1.0, "b": 2.0, "zero": 0.0, "small": 0.3}
HALVES = {"small": 0.5}


@pytest.mark.parametrize(
    "expression",
    [
        "abs(a)", "__import__('os').system('true')", "a.real", "(1).__class__", "a ** b", "a // b", "a % b",
        "a @ b",
        "'a'", "'a' + 'b'", "f'{a}'", "b'a'", "[a]", "{a: b}", "(a, b)", "a[0]", "a < b", "a == b",
        "a and b", "not a",
        "lambda: a", "a if b else a", "[x for x in (a, b)]", "(x := a)", "~a", "a | b", "a << b", "1j",
        "None", "...",
        "*a", "a b", "a +", "", "a; b", "a = b", "import os", "+a", "a\0",
        "(" * 500 + "a" + ")" * 500, "a+" * 5000 + "a", "a+" * 300 + "a", "-" * 600 + "a",
    ],
)  # fmt: skip
def test_only_arithmetic_is_evaluated(expression: str) -> None:
    """Calls, attributes, powers, strings, comparisons and anything else but + - * / are refused."""
    with pytest.raises(InputError) as caught:
        reconcile(expression, "a", VALUES, {})
    assert [f.code for f in caught.value.faults] == ["plan.expression"]
    assert caught.value.message("zh") != caught.value.message("en")


@pytest.mark.parametrize(("expression", "printed"), [("a + nobody", "a"), ("a + b", "nobody")])
def test_unknown_names_are_refused(expression: str, printed: str) -> None:
    """A name that the facts lack is named, with those that there are."""
    with pytest.raises(InputError) as caught:
        reconcile(expression, printed, VALUES, {})
    (fault,) = caught.value.faults
    assert (fault.code, fault.params["name"]) == ("plan.unknown_fact", "nobody")
    assert "small" in fault.message("en")


@pytest.mark.parametrize(
    "expression", ["a / zero", "a / small", "a / (b - b)", "a / (small - a + 0.8)", "a / 0"]
)
def test_division_by_what_may_be_zero_is_refused(expression: str) -> None:
    """A divisor whose interval holds 0 gives no verdict."""
    with pytest.raises(InputError) as caught:
        reconcile(expression, "a", VALUES, HALVES)
    assert [f.code for f in caught.value.faults] == ["plan.division_by_zero"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + b * 3 - -2 / 4", 7.5),
        ("-(a - b)", 1.0),
        ("(a + b) * (a - b) / 2", -1.5),
        ("2 * 3", 6.0),
        ("1e2 / 8", 12.5),
    ],
)
def test_arithmetic_is_that_of_numbers(expression: str, value: float) -> None:
    """Order of operations, brackets, signs and plain numbers."""
    assert reconcile(expression, "a", VALUES, {}).computed == value


@pytest.mark.parametrize(
    ("expression", "low", "high"),
    [
        ("x + y", 13.0, 15.0), ("x - y", 5.0, 7.0), ("y - x", -7.0, -5.0), ("-x", -10.5, -9.5),
        ("x * y", 33.25, 47.25),
        ("x / y", 9.5 / 4.5, 10.5 / 3.5), ("x * -y", -47.25, -33.25), ("2 * x - y / 2", 16.75, 19.25),
        ("(x + y) * (x - y)", 65.0, 105.0), ("-x / (y - 8)", 9.5 / 4.5, 10.5 / 3.5),
    ],
)  # fmt: skip
def test_verdicts_turn_at_the_ends_of_the_interval(expression: str, low: float, high: float) -> None:
    """With x = 10 ± 0.5, y = 4 ± 0.5 rounding explains a result up to the ends and its own half digit."""
    halves = {"x": 0.5, "y": 0.5, "r": 0.25}

    def verdict(printed: float) -> str:
        return reconcile(expression, "r", {"x": 10.0, "y": 4.0, "r": printed}, halves).verdict

    assert [verdict(low - 0.2499), verdict(high + 0.2499)] == ["within_rounding"] * 2
    assert [verdict(low - 0.2501), verdict(high + 0.2501)] == ["open"] * 2
    point = reconcile(expression, "x", {"x": 10.0, "y": 4.0}, {}).computed
    assert [verdict(point - 0.2499), verdict(point + 0.2499)] == ["exact"] * 2
    assert [verdict(point - 0.2501), verdict(point + 0.2501)] == ["within_rounding"] * 2


# --------------------------------------------------------------------------- soundness

NAMES = ("a", "b", "c")


@st.composite
def true_identities(draw: Any) -> tuple[str, dict[str, float], dict[str, float]]:
    """An identity that holds between true values of which only rounded figures are printed."""
    true = {n: Fraction(draw(st.integers(-(10**7), 10**7)), 10**4) for n in NAMES}

    def tree(depth: int) -> tuple[str, Fraction]:
        if depth == 0 or draw(st.integers(0, 3)) == 0:
            leaf = draw(st.sampled_from([*NAMES, "2", "0.5"]))
            return leaf, true.get(leaf, Fraction(leaf if leaf not in true else 0))
        (left, x), (right, y) = tree(depth - 1), tree(depth - 1)
        sign = draw(st.sampled_from("+-*/"))
        assume(sign != "/" or y != 0)
        value = {"+": x + y, "-": x - y, "*": x * y, "/": x / (y or 1)}[sign]
        return f"({left} {sign} {right})", value

    expression, result = tree(3)
    assume(abs(result) < 10**12)
    exact = {**true, "printed": result}
    digits = {n: draw(st.integers(-1, 3)) for n in exact}
    values = {n: float(round(v, digits[n])) for n, v in exact.items()}
    halves = {n: 0.5 * 10.0 ** -digits[n] for n in exact}
    return expression, values, halves


@given(true_identities())
def test_rounding_alone_never_opens_a_true_identity(
    case: tuple[str, dict[str, float], dict[str, float]],
) -> None:
    """An identity of true values is never called open when all its figures are printed rounded."""
    expression, values, halves = case
    try:
        outcome = reconcile(expression, "printed", values, halves).verdict
    except InputError as error:
        outcome = error.code
    assert outcome in {"exact", "within_rounding", "plan.division_by_zero"}


@given(true_identities(), st.floats(1.01, 100))
def test_a_gap_that_only_the_result_could_explain_is_open(
    case: tuple[str, dict[str, float], dict[str, float]], times: float
) -> None:
    """With exact inputs, a printed result off by more than its half digit is open, by less is exact."""
    expression, values, halves = case
    exact = dict.fromkeys(NAMES, 0.0)
    try:
        point = reconcile(expression, "printed", values, exact).computed
    except InputError:
        return
    half = halves["printed"] * max(1.0, abs(point))
    for factor, verdict in ((times, "open"), (-times, "open"), (1 / times, "exact"), (-1 / times, "exact")):
        stated = {**values, "printed": point + factor * half}
        assert reconcile(expression, "printed", stated, {**exact, "printed": half}).verdict == verdict
