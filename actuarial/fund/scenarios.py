"""Named sets of changes run side by side on the same random numbers, with the error of each difference.

Path i has the same normals under every scenario, so a difference is far better known than either figure. Its error comes from
independent groups of paths: the target is computed in each group under both, and the differences' spread gives the interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from actuarial.benefits import PolicyFactor, plan_policy
from actuarial.fund import Fund, Simulation
from actuarial.fund.chunks import Progress, part_of
from actuarial.fund.forecast import plan_cost
from actuarial.fund.target import premium_target
from actuarial.plan import Plan
from actuarial.results import COLOURS, Result, Source, figure_style
from actuarial.texts import pick, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUPS = 20
"""Independent groups of paths that the error of a difference is taken from."""


@dataclass(frozen=True, eq=False)
class Scenarios(Result):
    """Scenarios beside the plan itself.

    Parameters
    ----------
    frame : DataFrame
        By scenario (the plan first, id ``plan``): names, ``premium_target`` [yuan/person/year], ``standard``,
        ``deficit_probability`` at the present standard, ``closing`` balance at the plan's own standard [yuan], and the differences
        of the target and the probability from the plan's with ``…_low``, ``…_high`` (95% simulation interval).
    needs : dict of ndarray
        What each path needs, by scenario, sorted.
    present : float
        The plan's standard [yuan/person/year].
    alpha : float
    """

    frame: pd.DataFrame
    needs: dict[str, NDArray[np.float64]]
    present: float
    alpha: float

    @property
    def table(self) -> pd.DataFrame:
        """One row a scenario."""
        return self.frame.copy()

    def summary(self, lang: str | None = None) -> str:
        """A line a scenario."""
        lines = []
        for row in self.frame.to_dict("records"):
            words: dict[str, Any] = {
                "name": row[f"name_{_language(lang)}"],
                "target": f"{row['premium_target']:.1f}",
                "risk": f"{100 * row['deficit_probability']:.1f}",
                "standard": f"{row['standard']:g}",
                "change": _signed(row["difference"]),
                "low": _signed(row["difference_low"]),
                "high": _signed(row["difference_high"]),
            }
            code = "scenarios_words.plan_line" if row["id"] == "plan" else "scenarios_words.line"
            lines.append(text(code, lang, **words))
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Differences of the targets from the plan's, with their own error; the largest on top."""
        from actuarial.results import new_axes

        rows = self.frame[self.frame["id"] != "plan"].sort_values("difference", key=abs, kind="stable")
        with figure_style():
            ax = ax or new_axes(8.0, 1.2 + 0.42 * max(len(rows), 1))
            place = np.arange(len(rows))
            change = rows["difference"].to_numpy()
            colours = [COLOURS["bad"] if c > 0 else COLOURS["good"] for c in change]
            reach = np.stack([change - rows["difference_low"], rows["difference_high"] - change])
            ax.barh(place, change, color=colours, xerr=reach, error_kw={"elinewidth": 1, "capsize": 3})
            for y, c in zip(place, change, strict=True):
                ax.annotate(_signed(c), (c, y), xytext=(8 if c >= 0 else -8, 0), va="center",
                            ha="left" if c >= 0 else "right", textcoords="offset points", fontsize=9)  # fmt: skip
            ax.set_yticks(place, rows[f"name_{_language(lang)}"].tolist())
            ax.axvline(0, color=COLOURS["ink"], linewidth=1)
            ax.margins(x=0.18)
            ax.set_xlabel(text("scenarios_words.difference", lang))
        return ax

    def plot_small_multiples(self, lang: str | None = None) -> Axes:
        """A panel a scenario: its curve of risk over the amount against the plan's; returns the first panel's axes."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        rows = self.frame[self.frame["id"] != "plan"].to_dict("records") or self.frame.to_dict("records")
        with figure_style():
            across = min(3, len(rows))
            down = -(-len(rows) // across)
            figure = Figure(figsize=(8.0, 0.6 + 2.1 * down), layout="constrained")
            FigureCanvasAgg(figure)
            panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
            finite = np.concatenate([n[np.isfinite(n)] for n in self.needs.values()])
            low, high = (float(v) for v in np.quantile(finite, [0.001, 0.999]))
            x = np.linspace(low, high, 200)
            for panel, row in zip(panels.flat, rows, strict=False):
                for key, colour, width in (
                    ("plan", COLOURS["light"], 2.4),
                    (row["id"], COLOURS["main"], 1.6),
                ):
                    n = self.needs[key]
                    panel.plot(
                        x,
                        100 * (1 - np.searchsorted(n, x, side="right") / len(n)),
                        color=colour,
                        linewidth=width,
                    )
                panel.axhline(100 * self.alpha, color=COLOURS["accent"], linestyle="--", linewidth=0.8)
                panel.axvline(self.present, color=COLOURS["ink"], linestyle=":", linewidth=0.8)
                change = _signed(row["difference"])
                panel.set_title(row[f"name_{_language(lang)}"], fontsize=9)
                panel.annotate(text("scenarios_words.change", lang, change=change), (0.97, 0.92), ha="right", va="top",
                               xycoords="axes fraction", fontsize=8, color=COLOURS["accent"])  # fmt: skip
            for panel in panels.flat[len(rows) :]:
                panel.set_visible(False)
            figure.supxlabel(text("chart.premium", lang), fontsize=9)
            figure.supylabel(text("chart.deficit_probability", lang), fontsize=9)
        first: Axes = panels[0, 0]
        return first

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the keys are documented in ``docs/cli.md``."""
        rows = [
            {
                str(k): None if isinstance(v, float) and not abs(v) < float("inf") else v
                for k, v in row.items()
            }
            for row in self.frame.to_dict("records")
        ]
        return {"scenarios": rows, "present_standard": self.present, "accepted_probability": self.alpha}


def compare_scenarios(
    plan: Plan,
    *,
    paths: int = 100_000,
    seed: int = 2012,
    threads: int = 2,
    progress: Progress | None = None,
) -> Scenarios:
    """The plan and each of its scenarios on the same random numbers.

    Parameters
    ----------
    plan : Plan
    paths, seed, threads, progress
        See :meth:`actuarial.fund.Fund.simulate`.

    Examples
    --------
    >>> import actuarial as act
    >>> found = compare_scenarios(act.load_plan(act.sample_path("jieshou/plan.yaml")), paths=2000)
    >>> found.table["id"].tolist()[:3]
    ['plan', 'growth_low', 'growth_high']
    """
    policy = plan_policy(plan)
    own, count = plan.model.name, 1 + len(plan.model.scenarios)
    changed = [("plan", own, plan, "")]
    for scenario in plan.model.scenarios:
        source = "；".join(c.source for c in scenario.changes)
        changed.append((scenario.id, scenario.name, plan.patched(scenario.changes), source))
    rows: list[dict[str, Any]] = []
    needs: dict[str, NDArray[np.float64]] = {}
    first: tuple[NDArray[np.float64], float, float] | None = None
    for number, (key, name, one, source) in enumerate(changed):
        sim = _simulate(one, plan, policy, paths, seed, threads, part_of(progress, number, count))
        use, alpha = one.model.criterion.use, one.model.criterion.accepted_probability
        need = sim.needs[use]
        first = first or (need, alpha, sim.standard)
        row: dict[str, Any] = {"id": key, "name_zh": pick(name, "zh"), "name_en": pick(name, "en")}
        row |= {"premium_target": premium_target(need, alpha, use).value, "standard": sim.standard}
        row |= {"deficit_probability": float((need > sim.standard).mean())}
        row |= {"expected_closing_balance": sim.expected_closing_balance()}
        row |= _differences(need, alpha, sim.standard, *first)
        rows.append({**row, "source": source})
        needs[key] = np.sort(need)
    assert first is not None
    return Scenarios(pd.DataFrame(rows), needs, first[2], first[1], sources=_sources(plan))


def _simulate(
    one: Plan,
    plan: Plan,
    policy: PolicyFactor,
    paths: int,
    seed: int,
    threads: int,
    progress: Progress | None,
) -> Simulation:
    same = one.model.policy == plan.model.policy
    cost = plan_cost(one, policy=policy if same else None)
    return Fund(one).simulate(cost, paths=paths, seed=seed, threads=threads, progress=progress)


def _differences(
    need: NDArray[np.float64], alpha: float, standard: float,
    base: NDArray[np.float64], base_alpha: float, base_standard: float,
) -> dict[str, float]:  # fmt: skip
    """Differences of target and probability with their paired 95% intervals."""
    target = premium_target(need, alpha, "").value - premium_target(base, base_alpha, "").value
    risk = (need > standard).astype(float) - (base > base_standard)
    found = {"difference": target, "deficit_probability_difference": float(risk.mean())}
    size = len(need) // GROUPS
    if size * min(alpha, base_alpha) < 5:  # groups too small to have a tail
        spread = {"difference": np.inf, "deficit_probability_difference": np.inf}
    else:
        pairs = [
            premium_target(need[i : i + size], alpha, "").value
            - premium_target(base[i : i + size], base_alpha, "").value
            for i in range(0, GROUPS * size, size)
        ]
        t = float(stats.t.ppf(0.975, GROUPS - 1))
        spread = {
            "difference": t * float(np.std(pairs, ddof=1)) / np.sqrt(GROUPS)
            if np.isfinite(pairs).all()
            else np.inf,
            "deficit_probability_difference": 1.96 * float(risk.std()) / np.sqrt(len(risk)),
        }
    for key in tuple(found):
        found[f"{key}_low"], found[f"{key}_high"] = found[key] - spread[key], found[key] + spread[key]
    return found


def _sources(plan: Plan) -> tuple[Source, ...]:
    return tuple(
        Source(f"{s.id}: {c.path}", c.source, plan.file, "", c.status)
        for s in plan.model.scenarios
        for c in s.changes
    )


def _signed(value: float) -> str:
    """A difference to a tenth, with its sign; no sign where it is nothing."""
    rounded = round(float(value), 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def _language(lang: str | None) -> str:
    from actuarial.texts import language

    return language(lang)
