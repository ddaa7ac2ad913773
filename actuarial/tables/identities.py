r"""Do the printed figures of a report agree with each other?

A figure printed as 57.71% stands for an interval of half its last digit either way. An identity
``expenditure / fund_total = use_ratio`` is

* ``exact``: the computed value rounds to the printed one;
* ``within_rounding``: only the rounding of the inputs can explain the difference (interval
  arithmetic over all half widths), and its size is said;
* ``open``: even that cannot; published tables like this exist, so it is a note, not a refusal.

Expressions hold names, numbers, ``+ - * /`` and brackets, nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from actuarial.errors import Fault, InputError

Interval = tuple[float, float]


@dataclass(frozen=True)
class Reconciliation:
    """Outcome of one identity.

    Parameters
    ----------
    expression, printed : str
        Left side, and the name of the printed figure.
    computed, stated : float
        Their values.
    gap : float
        ``computed − stated``.
    verdict : {"exact", "within_rounding", "open"}
    """

    expression: str
    printed: str
    computed: float
    stated: float
    gap: float
    verdict: Literal["exact", "within_rounding", "open"]


def reconcile(
    expression: str, printed: str, values: Mapping[str, float], half_widths: Mapping[str, float]
) -> Reconciliation:
    """Check ``expression = printed``.

    Raises
    ------
    InputError
        If the expression has anything but names, numbers and ``+ - * /``, or an unknown name.

    Examples
    --------
    >>> v = {"spent": 16446.76, "fund": 28502, "ratio": 0.5771}
    >>> h = {"spent": 0.005, "fund": 51, "ratio": 0.00005}
    >>> reconcile("spent / fund", "ratio", v, h).verdict
    'within_rounding'
    """
    tree = _parse(expression, values)
    point, low, high = _evaluate(tree, values, half_widths)
    stated, half = _lookup(printed, values), half_widths.get(printed, 0.0)
    gap = point - stated
    slack = 1e-9 * max(abs(stated), abs(point))
    if abs(gap) <= half + slack:
        verdict: Literal["exact", "within_rounding", "open"] = "exact"
    elif low - half - slack <= stated <= high + half + slack:
        verdict = "within_rounding"
    else:
        verdict = "open"
    return Reconciliation(expression, printed, point, stated, gap, verdict)


LONGEST = 500
"""Characters of an identity; a longer one could nest deeper than Python's own stack."""


def _parse(expression: str, values: Mapping[str, float]) -> ast.expr:
    if len(expression) > LONGEST:
        raise InputError([Fault("plan.expression", params={"expression": f"{expression[:40]}…"})])
    try:
        tree = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError([Fault("plan.expression", params={"expression": expression})]) from error
    allowed = (
        ast.BinOp,
        ast.Name,
        ast.Constant,
        ast.Add,
        ast.Sub,
        ast.Mult,
        ast.Div,
        ast.Load,
        ast.USub,
        ast.UnaryOp,
    )
    for node in ast.walk(tree):
        if not isinstance(node, allowed) or (
            isinstance(node, ast.Constant) and not _plain_number(node.value)
        ):
            raise InputError([Fault("plan.expression", params={"expression": expression})])
        if isinstance(node, ast.Name):
            _lookup(node.id, values)
    return tree


def _plain_number(value: object) -> bool:
    """A finite number that is no truth value and fits a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300


def _lookup(name: str, values: Mapping[str, float]) -> float:
    if name not in values:
        raise InputError(
            [Fault("plan.unknown_fact", params={"name": name, "known": "、".join(sorted(values))})]
        )
    return float(values[name])


def _evaluate(
    node: ast.expr, values: Mapping[str, float], half: Mapping[str, float]
) -> tuple[float, float, float]:
    """Point, low and high of an expression."""
    if isinstance(node, ast.Constant):
        number = float(node.value)  # type: ignore[arg-type]
        return number, number, number
    if isinstance(node, ast.Name):
        v, h = float(values[node.id]), half.get(node.id, 0.0)
        return v, v - h, v + h
    if isinstance(node, ast.UnaryOp):
        p, low, high = _evaluate(node.operand, values, half)
        return -p, -high, -low
    assert isinstance(node, ast.BinOp)
    p, pl, ph = _evaluate(node.left, values, half)
    q, ql, qh = _evaluate(node.right, values, half)
    if isinstance(node.op, ast.Add):
        return p + q, pl + ql, ph + qh
    if isinstance(node.op, ast.Sub):
        return p - q, pl - qh, ph - ql
    if isinstance(node.op, ast.Mult):
        ends = [a * b for a in (pl, ph) for b in (ql, qh)]
        return p * q, min(ends), max(ends)
    if ql <= 0 <= qh:
        raise InputError([Fault("plan.division_by_zero", params={"expression": ast.unparse(node)})])
    ends = [a / b for a in (pl, ph) for b in (ql, qh)]
    return p / q, min(ends), max(ends)
