r"""What moves the target: a tornado of the assumptions, and the growth that breaks the fund.

**Tornado.** An uncertain factor is moved to its 10% and its 90% point (its column of normals shifted by ∓1.2816, spread
kept) on the same random numbers; a scenario of the plan that stands for another reading of one assumption is one bar with its source.

**Reverse stress.** Claims scale with growth, so each path breaks at its own multiple :math:`\lambda` of claims; the
largest multiple with at most :math:`\lfloor\alpha n\rfloor` broken paths is an order statistic, and growth there is
:math:`(1+g)\lambda-1`. Where benefits have deductibles and ceilings (leverage), the multiple is that of the fund's cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.cost import FACTORS, CostForecast
from actuarial.errors import Fault, InputError
from actuarial.fund import Fund
from actuarial.fund.chunks import collect, need, stress
from actuarial.fund.needs import CRITERIA
from actuarial.fund.observed import MonthlyActuals
from actuarial.fund.paths import PLAIN, Setting
from actuarial.fund.scenarios import Scenarios
from actuarial.fund.target import allowed, premium_target
from actuarial.results import COLOURS, Result, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TENTH = 1.2815515655446004
"""The 90% point of a standard normal."""


@dataclass(frozen=True, eq=False)
class Shifted:
    """Plain streams with some columns moved, the same for every path.

    Parameters
    ----------
    columns : tuple of int
    by : float
        Standard deviations.
    """

    columns: tuple[int, ...]
    by: float
    weighted: bool = False

    def draw(self, s: Setting, seed: int, number: int, rows: int) -> tuple[NDArray[np.float64], None]:
        """See :class:`actuarial.fund.paths.Sampler`."""
        z, _ = PLAIN.draw(s, seed, number, rows)
        z[:, list(self.columns)] += self.by
        return z, None


@dataclass(frozen=True, eq=False)
class Tornado(Result):
    """Targets under each assumption's low and high value.

    Parameters
    ----------
    frame : DataFrame
        ``assumption``, ``name_zh``, ``name_en``, ``low``, ``high`` (targets) and ``source``; largest range first.
        A bar with one end only has NaN at the other.
    centre : float
        The plan's target [yuan/person/year].
    """

    frame: pd.DataFrame
    centre: float

    @property
    def table(self) -> pd.DataFrame:
        """One row an assumption."""
        return self.frame.copy()

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Bars from low to high around the plan's target."""
        from actuarial.texts import language

        rows = self.frame.iloc[::-1]
        with figure_style():
            ax = ax or new_axes(8.0, 1.2 + 0.42 * max(len(rows), 1))
            for y, (low, high) in enumerate(zip(rows["low"], rows["high"], strict=True)):
                for end, colour in ((low, COLOURS["light"]), (high, COLOURS["main"])):
                    if np.isfinite(end):
                        ax.barh(y, end - self.centre, left=self.centre, color=colour, height=0.62)
                        side = 1 if end >= self.centre else -1
                        ax.annotate(f"{end:.0f}", (end, y), xytext=(4 * side, 0), textcoords="offset points",
                                    ha="left" if side > 0 else "right", va="center", fontsize=9)  # fmt: skip
            ax.axvline(self.centre, color=COLOURS["ink"], linewidth=1)
            ax.set_yticks(range(len(rows)), rows[f"name_{language(lang)}"].tolist())
            ax.margins(x=0.12)
            ax.set_xlabel(text("chart.premium", lang))
        return ax


def tornado(
    fund: Fund,
    cost: CostForecast,
    alpha: float | None = None,
    *,
    criterion: str | None = None,
    scenarios: Scenarios | None = None,
    observed: MonthlyActuals | None = None,
    paths: int = 20_000,
    seed: int = 2012,
    threads: int = 2,
) -> Tornado:
    """How the target moves with each assumption.

    Parameters
    ----------
    fund, cost
    alpha, criterion
        The plan's unless given.
    scenarios : Scenarios, optional
        Those of the plan: each becomes a bar with its source.
    observed : MonthlyActuals, optional
        Months of the planned year that have been seen: the paths of each bar are drawn given them.
    paths, seed, threads : int

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.forecast import plan_cost
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> tornado(act.Fund(plan), plan_cost(plan), paths=2000).table["assumption"].tolist()
    ['growth', 'base']
    """
    spec = fund.plan.model.criterion
    use, level = criterion or spec.use, spec.accepted_probability if alpha is None else alpha
    s = fund.setting(cost)

    def at(columns: tuple[int, ...], by: float, without: frozenset[str] = frozenset()) -> float:
        moved = Shifted(columns, by)
        if observed is not None:
            sim = fund.simulate(
                cost,
                paths=paths,
                seed=seed,
                threads=threads,
                sampler=moved,
                observed=observed,
                without=without,
            )
            return sim.premium_target(level, criterion=use).value
        here = replace(s, without=without)
        kept = collect(here, [need(use)], paths=paths, seed=seed, threads=threads, sampler=moved)
        return premium_target(kept[use], level, use).value

    centre = at((), 0.0)
    own = tuple(range(len(FACTORS), cost.dimension))
    factors = {name: (n, *own) if name == "growth" else (n,) for n, name in enumerate(FACTORS)}
    factors["enrolment"] = (cost.dimension,)
    rows = []
    for name, columns in factors.items():
        low, high = at(columns, -TENTH), at(columns, TENTH)
        if low != high or low != centre:
            names = {f"name_{lang}": text(f"scenarios_words.factor_{name}", lang) for lang in ("zh", "en")}
            rows.append(
                {"assumption": name, **names, "low": min(low, high), "high": max(low, high), "source": ""}
            )
    there = {
        "shocks": s.risk is not None and bool(s.risk.shocks),
        "providers": s.risk is not None and s.risk.providers is not None,
        "arrears": bool(s.arrears_columns),
    }
    for name in (k for k, stated in there.items() if stated):
        end = at((), 0.0, frozenset({name}))
        names = {f"name_{lang}": text(f"scenarios_words.without_{name}", lang) for lang in ("zh", "en")}
        rows.append({"assumption": name, **names, **_one_end(end, centre), "source": ""})
    if scenarios is not None:
        table = scenarios.table
        base = float(table.loc[table["id"] == "plan", "premium_target"].iloc[0])
        for row in table[table["id"] != "plan"].to_dict("records"):
            end = centre + float(row["premium_target"]) - base
            if abs(end - centre) < 0.05:  # another standard, say: the target is what it was
                continue
            names = {str(k): row[k] for k in ("name_zh", "name_en")}
            rows.append({"assumption": row["id"], **names, **_one_end(end, centre), "source": row["source"]})
    frame = pd.DataFrame(rows, columns=["assumption", "name_zh", "name_en", "low", "high", "source"])
    reach = frame[["low", "high"]].fillna(centre).sub(centre).abs().max(axis=1)
    order = reach.sort_values(ascending=False, kind="stable").index
    return Tornado(frame.loc[order].reset_index(drop=True), centre, sources=cost.sources)


def _one_end(end: float, centre: float) -> dict[str, float]:
    """A bar that reaches to one side."""
    return {"low": end, "high": np.nan} if end < centre else {"low": np.nan, "high": end}


@dataclass(frozen=True, eq=False)
class ReverseStress(Result):
    """The growth at which the fund breaks with an accepted probability.

    Parameters
    ----------
    growth : float
        Median growth of cost there, as a fraction; minus one or less where it breaks without growth.
    assumed : float
        Median growth that the plan assumes.
    multiple : float
        Of the plan's claims.
    premium, alpha : float
    criterion : str
    multiples : ndarray, shape (n,)
        At which each path breaks, in order.
    """

    growth: float
    assumed: float
    multiple: float
    premium: float
    alpha: float
    criterion: str
    multiples: NDArray[np.float64]

    @property
    def table(self) -> pd.DataFrame:
        """Growth at which the fund breaks, for usual levels."""
        levels = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5]
        found = [breaking_multiple(self.multiples, a) for a in levels]
        growth = [(1 + self.assumed) * m - 1 for m in found]
        return pd.DataFrame({"deficit_probability": levels, "multiple": found, "growth": growth})

    def summary(self, lang: str | None = None) -> str:
        """One sentence."""
        code = "stress_line" if self.growth > -1 else "stress_always"  # costs cannot fall by more than all
        return text(
            f"scenarios_words.{code}", lang, premium=f"{self.premium:g}", alpha=f"{100 * self.alpha:g}",
            growth=f"{100 * self.growth:.1f}".replace("-", "−"), assumed=f"{100 * self.assumed:.1f}".replace("-", "−"),
            criterion=text(f"label.criterion_{self.criterion}", lang),
        )  # fmt: skip


def breaking_multiple(ordered: NDArray[np.float64], alpha: float) -> float:
    """Largest multiple below which at most ``⌊α·n⌋`` of the ordered paths break.

    Examples
    --------
    >>> breaking_multiple(np.array([0.9, 1.0, 1.1, 1.2]), 0.25)
    1.0
    """
    return float(ordered[allowed(alpha, len(ordered))])


def reverse_stress(
    fund: Fund,
    cost: CostForecast,
    alpha: float | None = None,
    *,
    premium: float | None = None,
    criterion: str | None = None,
    paths: int = 100_000,
    seed: int = 2012,
    threads: int = 2,
) -> ReverseStress:
    """What growth breaks the fund at a premium (the present standard) with probability alpha.

    Raises
    ------
    InputError
        For a criterion that is not about a deficit.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.forecast import plan_cost
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> round(reverse_stress(act.Fund(plan), plan_cost(plan), criterion="closing", paths=20_000).growth, 2)
    0.2
    """
    spec = fund.plan.model.criterion
    use, level = criterion or spec.use, spec.accepted_probability if alpha is None else alpha
    if use not in CRITERIA:
        raise InputError([Fault("fund.criterion", params={"value": use, "known": "、".join(CRITERIA)})])
    if not 0 < level < 1:
        raise InputError([Fault("fund.alpha", params={"value": level})])
    at = fund.financing.standard if premium is None else float(premium)
    kept = collect(fund.setting(cost), [stress(at, use)], paths=paths, seed=seed, threads=threads)
    ordered = np.sort(kept["stress"])
    multiple = breaking_multiple(ordered, level)
    weights = cost.base.category_per_capita
    growth = cost.factors(np.zeros((1, cost.dimension)))[2]
    assumed = float(np.average(np.broadcast_to(growth[0], weights.shape), weights=weights)) - 1
    return ReverseStress(
        (1 + assumed) * multiple - 1, assumed, multiple, at, level, use, ordered, sources=cost.sources
    )
