"""The changes of the rules one by one: what can be applied alone, and what each does to the cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.benefits.loading import load_schedule
from actuarial.benefits.schedule import BenefitSchedule
from actuarial.errors import InputError
from actuarial.law.diff import Change, apply_changes, diff_laws
from actuarial.texts import text

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Step:
    """One change of the rules, or several that hold together only as one."""

    changes: tuple[Change, ...]

    def label(self, lang: str | None = None) -> str:
        """In words."""
        return text("claim_words.comma", lang).join(c.label(lang) for c in self.changes)


def rule_changes(old: BenefitSchedule, new: BenefitSchedule) -> tuple[Step, ...]:
    """What changes from one schedule to another and can alter a payment, change by change.

    Changes that the old schedule cannot take one by one (a rule that needs another) are one step, the last.
    """
    singles, together = [], []
    for change in diff_laws(old.law, new.law):
        if not change.pays or change.path[0] == "transition":
            continue
        try:
            load_schedule(BenefitSchedule(apply_changes(old.law, [change])))
            singles.append(Step((change,)))
        except InputError:
            together.append(change)
    return (*singles, *((Step(tuple(together)),) if together else ()))


def _with(before: tuple[BenefitSchedule, ...], steps: Sequence[Step]) -> tuple[BenefitSchedule, ...]:
    changes = [c for s in steps for c in s.changes]
    return (BenefitSchedule(apply_changes(before[0].law, changes)), *before[1:])


def each_alone(
    before: tuple[BenefitSchedule, ...], steps: Sequence[Step]
) -> list[tuple[BenefitSchedule, ...]]:
    """The old schedules with each step alone."""
    return [_with(before, [s]) for s in steps]


def in_order(before: tuple[BenefitSchedule, ...], steps: Sequence[Step]) -> list[tuple[BenefitSchedule, ...]]:
    """The old schedules with the first step, the first two, and so on."""
    return [_with(before, steps[: n + 1]) for n in range(len(steps))]


def change_effects(steps: Sequence[Step], paid: Floats, priced: Floats) -> pd.DataFrame:
    """Effects in yuan and as share of what was paid; they sum to the total with the interaction."""
    base = float(paid.sum())
    cost = [float(priced_at(paid, priced[0], p).sum()) for p in priced[1:]]
    total, alone, ordered = cost[0] - base, cost[1 : 1 + len(steps)], cost[1 + len(steps) :]
    rows: list[dict[str, Any]] = [
        {"change": s, "alone": a - base, "in_order": o - before}
        for s, a, o, before in zip(steps, alone, ordered, [base, *ordered][: len(steps)], strict=True)
    ]
    rest = {k: total - sum(r[k] for r in rows) for k in ("alone", "in_order")}
    frame = pd.DataFrame([*rows, {"change": "interaction", **rest}])
    for name in ("alone", "in_order"):
        frame[f"{name}_share"] = frame[name] / base
    return frame


def priced_at(paid: Floats, old: Floats, new: Floats) -> Floats:
    """What is paid under the new rules: paid × new over old; what the old rules do not explain stays as paid."""
    safe = np.where(old > 0, old, 1.0)
    return np.where(old > 0, paid * new / safe, paid + new)
