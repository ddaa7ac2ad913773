r"""A fund over several years: balances that chain, with a path of premiums given or set by the criterion.

The planned year is that of :meth:`actuarial.fund.Fund.simulate`, path by path. In each later year cost grows
(:mod:`actuarial.fund.years`), heads grow as stated with the planned year's spread, claims have their own randomness and shocks
come anew; a policy dated within the planned year is in force throughout. Calendar of receipts, interest and season stay; the
critical-illness premium and providers' budgets grow with the median cost, what is unpaid at a year's end is paid in the next, and
what the calendar leaves open of a year's income comes in the first month of the next.

Two rules set each year's amount so that the plan's criterion holds in it. ``announced``: one amount for all paths, fixed today, the
smallest whole yuan given the amounts of the years before. ``criterion``: set anew each autumn, path by path, knowing the balance
and last year's cost :math:`c`: what the year needs if cost grows as its median, :math:`\hat R`, and a margin of :math:`c` times the order
statistic of :math:`(R-\hat R)/c` over the paths, so that over all paths the share :math:`\alpha` is short.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from actuarial.cost import CostForecast
from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.fund.chain import State, after_planned, foreseen_arrays, next_year
from actuarial.fund.chunks import Progress
from actuarial.fund.needs import CRITERIA, need_of, opening_of, slope_of, spending_of
from actuarial.fund.paths import PathArrays, Setting
from actuarial.fund.target import premium_target
from actuarial.fund.years import LaterGrowth
from actuarial.plan import Plan
from actuarial.plan.risks import ProjectionSpec
from actuarial.results import COLOURS, Result, Unit, figure_style, fill_fan, new_axes, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.fund import Fund

Array = NDArray[np.float64]
LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
LONG = 3
"""Years from which growth that does not fade is told."""
Premiums = str | Sequence[float] | None


@dataclass(frozen=True, eq=False)
class Projection(Result):
    """A fund's years.

    Parameters
    ----------
    frame : DataFrame
        One row a year: ``year_ahead``, ``year``, ``insured`` [persons], ``premium`` (mean, with ``premium_low`` and ``premium_high``, 95%
        of the paths) and ``cost_per_capita`` (mean claims paid per insured) [yuan/person/year], ``income`` (with interest), ``spending``, ``closing`` [yuan] (means), ``deficit_current_year``,
        ``deficit_closing``, ``deficit_any_month`` (probabilities of the year), ``ever`` (below 0 in any month so far), ``months_payable``,
        ``q0.025`` … ``q0.975`` of the closing balance, ``unpaid`` (mean claims incurred and unpaid at the year's end) [yuan].
    closing : ndarray, shape (n, years)
        Balance at the end of each year [yuan].
    opening : ndarray, shape (n,)
        When the planned year begins [yuan].
    rule : str
        ``given``, ``present``, ``criterion`` or ``announced``.
    criterion : str
    alpha : float
        Accepted probability, where the criterion sets the amounts.
    paths, seed : int
    """

    frame: pd.DataFrame
    closing: Array
    opening: Array
    rule: str
    criterion: str
    alpha: float
    paths: int
    seed: int

    @property
    def table(self) -> pd.DataFrame:
        """One row a year."""
        return self.frame.copy()

    @property
    def premiums(self) -> list[float]:
        """The amount per head of each year [yuan/person/year]."""
        return [float(p) for p in self.frame["premium"]]

    def summary(self, lang: str | None = None) -> str:
        """The years in a few lines."""
        money, last = Unit.of(lang), self.frame.iloc[-1]
        rule = text(
            f"projection_words.rule_{self.rule}", lang, alpha=f"{100 * self.alpha:g}",
            criterion=text(f"label.criterion_{self.criterion}", lang),
        )  # fmt: skip
        lines = [text("projection_words.head", lang, years=len(self.frame), rule=rule)]
        for row in self.frame.to_dict("records"):
            words = {k: f"{100 * row[k]:.1f}" for k in ("deficit_current_year", "deficit_any_month", "ever")}
            months = f"{row['months_payable']:.1f}".replace("-", "−")
            lines.append(
                text(
                    "projection_words.line", lang, year=row["year"], premium=f"{row['premium']:,.0f}",
                    cost=f"{row['cost_per_capita']:,.0f}", closing=money.show(row["closing"]), months=months,
                    current=words["deficit_current_year"], any=words["deficit_any_month"], ever=words["ever"],
                )
            )  # fmt: skip
        first = self.frame.loc[self.frame["ever"] > 0.5, "year"]
        code = "half" if len(first) else "never_half"
        said = {"year": first.iloc[0] if len(first) else last["year"], "ever": f"{100 * last['ever']:.1f}"}
        return "\n".join([*lines, text(f"projection_words.{code}", lang, **said)])

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the keys are documented in ``docs/cli.md``."""
        return {
            "years": self.frame.to_dict("records"),
            "premium_rule": self.rule,
            "criterion": self.criterion,
            "accepted_probability": self.alpha,
            "paths": self.paths,
            "seed": self.seed,
        }

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Fan of the closing balance over the years."""
        money, x = Unit.of(lang), np.arange(len(self.frame) + 1)
        start = np.quantile(self.opening, LEVELS)
        fan = pd.DataFrame(
            {f"q{q:g}": [s, *self.frame[f"q{q:g}"]] for q, s in zip(LEVELS, start, strict=True)}
        )
        fan = fan / money.scale
        with figure_style():
            ax = ax or new_axes()
            fill_fan(ax, x, fan)
            ax.plot(x, fan["q0.5"], color=COLOURS["main"], linewidth=2, marker="o", markersize=4,
                    label=text("chart.median", lang))  # fmt: skip
            ax.axhline(0, color=COLOURS["bad"], linewidth=1.2)
            ax.set_xticks(x, [text("projection_words.opening", lang), *map(str, self.frame["year"])])
            ax.set_ylabel(text("chart.balance", lang, unit=money.label))
            ax.yaxis.set_major_formatter(thousands)
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=9)
        return ax

    def plot_premiums(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Amount per head and cost per head by year."""
        x = np.arange(len(self.frame))
        with figure_style():
            ax = ax or new_axes()
            ax.bar(x, self.frame["premium"], width=0.6, color=COLOURS["light"],
                   label=text("projection_words.premium", lang))  # fmt: skip
            if (self.frame["premium_high"] > self.frame["premium_low"]).any():
                ax.vlines(x, self.frame["premium_low"], self.frame["premium_high"], color=COLOURS["main"],
                          label=text("projection_words.premium_range", lang))  # fmt: skip
            ax.plot(x, self.frame["cost_per_capita"], color=COLOURS["accent"], linewidth=2, marker="o",
                    label=text("projection_words.cost", lang))  # fmt: skip
            ax.set_xticks(x, [str(y) for y in self.frame["year"]])
            ax.set_ylabel(text("projection_words.axis_per_head", lang))
            ax.yaxis.set_major_formatter(thousands)
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=9)
        return ax


def projection_of(
    plan: Plan, *, years: int | None = None, premiums: Premiums = None, autocorrelation: float | None = None
) -> ProjectionSpec:
    """What the plan states of the years to come, with what is asked for in its place.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    spec = plan.model.projection
    stated: dict[str, Any] = {"status": "assumed", "source": "—"} if spec is None else spec.model_dump()
    if years is not None:
        stated["years"] = years
    if autocorrelation is not None:
        stated["autocorrelation"] = float(autocorrelation)
    if premiums is not None:
        stated["premiums"] = premiums if isinstance(premiums, str) else [float(p) for p in premiums]
    try:
        return ProjectionSpec.model_validate(stated)
    except ValidationError as error:
        found = [(".".join(map(str, e["loc"][:1])), e["input"]) for e in error.errors()]
        faults = {k: Fault("risks.projection", params={"name": k, "value": str(v)[:60]}) for k, v in found}
        raise InputError(list(faults.values())) from error


def project_fund(
    fund: Fund, cost: CostForecast, spec: ProjectionSpec, *, alpha: float, criterion: str, paths: int, seed: int,
    threads: int, without: Iterable[str] = (), progress: Progress | None = None,
) -> Projection:  # fmt: skip
    """A fund over the years that `spec` states; see :meth:`actuarial.fund.Fund.project`."""
    if criterion not in CRITERIA:
        raise InputError([Fault("fund.criterion", params={"value": criterion, "known": "、".join(CRITERIA)})])
    later = LaterGrowth(cost, spec.years, spec.autocorrelation, spec.long_run)
    if spec.long_run is None and spec.years > LONG and later.median > 0:
        warn(ModelWarning, "risks.no_fade", growth=f"{100 * later.median:.1f}", years=spec.years)
    sim = fund.simulate(cost, paths=paths, seed=seed, threads=threads, without=without)
    s, arrays = sim.setting, sim.arrays
    if s.income is not None:
        raise InputError([Fault("income.projection")])
    stated = _stated(spec, sim.standard)
    opening = opening_of(s, arrays).copy()
    state = after_planned(later, s, arrays, seed, threads)
    rows, closings = [], []
    for year in range(1, spec.years + 1):
        if year > 1:
            s, arrays = next_year(later, s, state, spec, year, seed, threads)
        needs = {c: need_of(s, arrays, c) for c in CRITERIA}
        p = stated[year - 1] if stated else _amount(spec, year, s, arrays, state, needs, criterion, alpha)
        before = opening_of(s, arrays)
        state.closing = arrays.at_zero[:, -1] + slope_of(s, arrays)[..., -1] * p
        state.late = arrays.heads * p * s.open_share
        state.ruined |= needs["any_month"] > p
        rows.append(_row(fund.plan.base_year + 12 * year, year, p, s, arrays, needs, before, state))
        closings.append(state.closing)
        if progress is not None:
            progress(year * paths, spec.years * paths)
    rule = spec.premiums if isinstance(spec.premiums, str) else "given"
    return Projection(
        pd.DataFrame(rows),
        np.stack(closings, axis=1),
        opening,
        rule,
        criterion,
        alpha,
        paths,
        seed,
        sources=sim.sources,
    )


def _stated(spec: ProjectionSpec, present: float) -> list[float]:
    """The stated amount of each year; empty where the criterion sets them."""
    if spec.premiums in ("criterion", "announced"):
        return []
    if spec.premiums == "present":
        return [present * (1 + spec.premium_growth) ** y for y in range(spec.years)]
    given = [float(p) for p in spec.premiums]
    return [*given, *[given[-1]] * (spec.years - len(given))][: spec.years]


def _amount(
    spec: ProjectionSpec, year: int, s: Setting, arrays: PathArrays, state: State, needs: dict[str, Array], criterion: str,
    alpha: float,
) -> float | Array:  # fmt: skip
    """The year's amount under the criterion, in whole yuan and not below 0: one for all, or one a path.

    Raises
    ------
    InputError
        If no amount keeps the year's risk within what is accepted.
    """
    need = needs[criterion]
    foreseen, scale = np.zeros(1), np.ones(1)
    if spec.premiums == "criterion" and year > 1:
        expected = foreseen_arrays(s, arrays, state)
        foreseen, scale = need_of(s, expected, criterion), state.foreseen
        foreseen = np.where(np.isfinite(foreseen), foreseen, need_of(s, expected, "closing"))
    margin = premium_target((need - foreseen) / scale, alpha, criterion).value
    if not np.isfinite(margin):
        raise InputError([Fault("risks.no_amount")])
    amount = np.maximum(np.ceil(np.round(foreseen + scale * margin, 6)), 0.0)
    return float(amount[0]) if len(amount) == 1 else amount


def _row(
    month: pd.Period, ahead: int, premium: float | Array, s: Setting, arrays: PathArrays, needs: dict[str, Array], before: Array,
    state: State,
) -> dict[str, Any]:  # fmt: skip
    """What is told of a year."""
    spending, closing = spending_of(s, arrays), state.closing
    row: dict[str, Any] = {
        "year_ahead": ahead,
        "year": str(month.year) if month.month == 1 else f"{month.year}/{(month.year + 1) % 100:02d}",
        "insured": float(arrays.heads.mean()),
        "premium": float(np.mean(premium)),
        "premium_low": float(np.quantile(premium, LEVELS[0])),
        "premium_high": float(np.quantile(premium, LEVELS[-1])),
        "cost_per_capita": float((arrays.claims.sum(axis=1) / arrays.heads).mean()),
        "income": float((closing - before + spending).mean()),
        "spending": float(spending.mean()),
        "closing": float(closing.mean()),
    }
    row |= {f"deficit_{c}": float((needs[c] > premium).mean()) for c in CRITERIA}
    row |= {
        "ever": float(state.ruined.mean()),
        "months_payable": float(12 * closing.mean() / spending.mean()),
    }
    row |= dict(zip((f"q{q:g}" for q in LEVELS), np.quantile(closing, LEVELS).tolist(), strict=True))
    row["unpaid"] = float(state.due.sum(axis=1).mean())
    return row
