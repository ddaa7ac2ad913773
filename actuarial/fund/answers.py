r"""The fund's answers with the design that serves each: importance sampling for the tail, Sobol for means.

Beside the simulated probability of a deficit at the year's end stands a shifted lognormal with the need's first three moments,

.. math:: P(R>p)\approx\bar\Phi\!\left(\frac{\ln(1+y\sqrt{w-1})+\sigma^2/2}{\sigma}\right),\quad y=\frac{p-\mu}{s},

mirrored for negative skewness. Where the two differ by more than half a percentage point a warning says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special, stats

from actuarial.cost import CostForecast
from actuarial.errors import ModelWarning, warn
from actuarial.fund.chunks import (
    AT_ZERO,
    CLAIMS_PER_HEAD,
    EXCESS,
    OPENING,
    SLOPE,
    SPENDING,
    Outcomes,
    Progress,
    Question,
    closing_at,
    collect,
    need,
)
from actuarial.fund.criteria import BALANCE_CRITERIA, BalanceTarget, Criterion, probability
from actuarial.fund.needs import CRITERIA
from actuarial.fund.observed import MonthlyActuals
from actuarial.fund.paths import CHUNK, PLAIN, Sampler, Setting
from actuarial.fund.process import lognormal_width
from actuarial.fund.sampling import SOBOL, SOBOL_BLOCK, Pilot, choose, run_pilot
from actuarial.fund.target import PremiumTarget, block_error
from actuarial.results import Result, Unit
from actuarial.severity import SeverityFit
from actuarial.tables import term_label
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from actuarial.fund import Fund
    from actuarial.fund.scenarios import Scenarios

MEANS = 4 * CHUNK
"""Scrambled points for means: more would only refine what is exact to a thousandth of a yuan already."""
MEAN_QUESTIONS = [
    AT_ZERO, SLOPE, SPENDING, EXCESS, CLAIMS_PER_HEAD, OPENING, need("closing"), need("current_year"),
]  # fmt: skip
FAR = 0.005
"""Difference of the cross-check from which on a warning is issued (half a percentage point)."""


@dataclass(frozen=True, eq=False)
class FundAnswers(Result):
    """Target, probabilities of a deficit and means, each with its error and its design.

    Parameters
    ----------
    frame : DataFrame
        ``quantity``, ``criterion``, ``value``, ``low``, ``high`` (95% simulation interval), ``method``.
    target : PremiumTarget or BalanceTarget
    criterion : Criterion
    standard : float
        The present standard [yuan/person/year].
    check : DataFrame
        By criterion at the year's end: ``simulated``, ``shifted_lognormal`` probability of a deficit.
    paths, seed : int
    assumption_range : (float, float) or None
        Lowest and highest target of the plan and its scenarios, where these were given [yuan/person/year].
    observed : MonthlyActuals or None
        Months of the planned year that were seen.
    severities : mapping of SeverityFit
        Laws of a claim's cost that were fitted to the plan's claims, by category.
    """

    frame: pd.DataFrame
    target: PremiumTarget | BalanceTarget
    criterion: Criterion
    standard: float
    check: pd.DataFrame
    paths: int
    seed: int
    assumption_range: tuple[float, float] | None = None
    observed: MonthlyActuals | None = None
    severities: Mapping[str, SeverityFit] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """The answers."""
        return self.frame.copy()

    def summary(self, lang: str | None = None) -> str:
        """The answers in a few lines."""
        lines = [self._target_line(lang)]
        if self.assumption_range is not None:
            low, high = (_end(v, lang) for v in self.assumption_range)
            lines.append(text("answers_words.range_line", lang, low=low, high=high))
        if self.observed is not None:
            lines.append(text("answers_words.seen_line", lang, months=self.observed.months))
        for row in self.frame.to_dict("records"):
            if row["quantity"] == "deficit_probability":
                words = {k: f"{100 * row[k]:.2f}" for k in ("value", "low", "high")}
                words["criterion"] = text(f"label.criterion_{row['criterion']}", lang)
                words["method"] = text(f"answers_words.method_{row['method']}", lang)
                lines.append(text("answers_words.deficit_line", lang, standard=f"{self.standard:g}", **words))
        for row in self.check.to_dict("records"):
            words = {k: f"{100 * row[k]:.2f}" for k in ("shifted_lognormal", "simulated")}
            words["criterion"] = text(f"label.criterion_{row['criterion']}", lang)
            lines.append(text("answers_words.check_line", lang, **words))
        means, money = self.frame.set_index("quantity")["value"], Unit.of(lang)
        means_method = self.frame["method"].iloc[-1]
        words = {
            "closing": money.show(float(means["expected_closing_balance"])),
            "opening": money.show(float(means["expected_opening_balance"])),
            "cost": f"{float(means['expected_cost_per_capita']):.2f}",
            "months": f"{float(means['months_payable']):.2f}".replace("-", "−"),
            "method": text(f"answers_words.method_{means_method}", lang),
        }
        lines.append(text("answers_words.means_line", lang, **words))
        return "\n".join([*lines, *(severity_line(c, fit, lang) for c, fit in self.severities.items())])

    def _target_line(self, lang: str | None) -> str:
        target = self.target
        if not np.isfinite(target.value):
            return text("answers_words.no_amount" if target.value > 0 else "answers_words.none_needed", lang)
        words = {
            "value": f"{target.value:.2f}",
            "low": _end(target.interval[0], lang),
            "high": _end(target.interval[1], lang),
            "five": f"{target.rounded(5):g}",
            "ten": f"{target.rounded(10):g}",
            "criterion": criterion_words(self.criterion, lang),
            "method": text(f"answers_words.method_{target.method}", lang),
        }
        return text("answers_words.target_line", lang, **words)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """The target's curve with the present standard."""
        if isinstance(self.target, PremiumTarget):
            return self.target.plot(ax, lang, present=self.standard)
        return self.target.plot(ax, lang)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the keys are documented in ``docs/cli.md``."""
        target = self.target
        return {
            "premium_target": _finite(target.value),
            "rounded_to_5": _finite(target.rounded(5)),
            "rounded_to_10": _finite(target.rounded(10)),
            "simulation_interval": [_finite(v) for v in target.interval],
            "criterion": self.criterion.name,
            "accepted_probability": self.criterion.alpha,
            "months": self.criterion.months,
            "amount": self.criterion.amount,
            "method": target.method,
            "present_standard": self.standard,
            "answers": _records(self.frame),
            "cross_check": _records(self.check),
            "assumption_range": None
            if self.assumption_range is None
            else [_finite(v) for v in self.assumption_range],
            "observed_months": 0 if self.observed is None else self.observed.months,
            "severity_fits": [_fit_record(c, fit) for c, fit in self.severities.items()],
            "paths": self.paths,
            "seed": self.seed,
        }


def severity_line(category: str, fit: SeverityFit, lang: str | None = None) -> str:
    """Which law was fitted to a category's claims, and how well."""
    row = _fit_record(category, fit)
    tail = "" if row["xi"] is None else text(
        "answers_words.severity_tail", lang, xi=f"{row['xi']:.2f}", threshold=f"{row['threshold']:,.0f}"
    )  # fmt: skip
    return text(
        "answers_words.severity_line", lang, category=term_label(category, lang),
        law=text(f"severity_words.{row['law']}", lang), count=f"{row['claims']:,.0f}", tail=tail,
        gap=f"{100 * row['cost_gap']:+.1f}".replace("-", "−"),
    )  # fmt: skip


def _fit_record(category: str, fit: SeverityFit) -> dict[str, Any]:
    rows = fit.table
    row = rows[rows["chosen"]].iloc[0].to_dict()
    found = {k: _known(row[k]) for k in ("threshold", "xi", "mean", "cost_gap", "layer_gap")}
    return {"category": category, "law": row["family"], "claims": float(fit.observed.count), **found}


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def criterion_words(criterion: Criterion, lang: str | None = None) -> str:
    """A criterion with its numbers, as a phrase."""
    return text(
        f"answers_words.criterion_{criterion.name}", lang, alpha=f"{100 * criterion.alpha:g}",
        sure=f"{100 - 100 * criterion.alpha:g}", months=f"{criterion.months or 0:g}",
        amount=Unit.of(lang).show(criterion.amount),
    )  # fmt: skip


def answer_fund(
    fund: Fund,
    cost: CostForecast,
    criterion: Criterion,
    *,
    paths: int = 100_000,
    seed: int = 2012,
    threads: int = 2,
    method: str = "auto",
    progress: Progress | None = None,
    observed: MonthlyActuals | None = None,
    scenarios: Scenarios | None = None,
) -> FundAnswers:
    """Target under a criterion, deficit probabilities at the present standard, and means.

    Parameters
    ----------
    fund : Fund
    cost : CostForecast
    criterion : Criterion
    paths, seed, threads : int
        See :meth:`actuarial.fund.Fund.simulate`.
    method : str
        ``auto`` chooses importance sampling for the tail where the systemic factors explain the need; ``plain`` does not.
    progress : callable, optional
    observed : MonthlyActuals, optional
        Months of the planned year that have been seen: plain paths given them answer everything.
    scenarios : Scenarios, optional
        Those of the plan: their targets give the assumption range, each as far from this target as from the plan's.

    Warns
    -----
    ModelWarning
        If the shifted lognormal differs from the simulated figure by more than half a point.
    """
    s = fund.setting(cost)
    standard = fund.financing.standard
    asked = _distinct([*(need(c) for c in CRITERIA), *criterion.questions(s, fund.financing)])
    if observed is not None:
        tail, means = _seen_paths(fund, cost, criterion, asked, observed, paths, seed, threads, progress)
        name = "plain"
    else:
        sampler: Sampler = PLAIN
        block, name = 1, "plain"
        if method != "plain":
            pilot = run_pilot(s, asked, seed)
            sampler, block, name = choose(pilot, _thresholds(pilot, criterion, standard))
        tail = collect(
            s, asked, paths=paths, seed=seed, threads=threads,
            sampler=sampler, block=block, method=name, progress=progress,
        )  # fmt: skip
        means = _mean_paths(s, paths, seed, threads, standard)
    target = criterion.target(means if criterion.name == "expected_balance" else tail)
    rows = [("premium_target", criterion.name, target.value, *target.interval, target.method)]
    rows += [
        ("deficit_probability", c, p, *ends, name)
        for c in CRITERIA
        for p, ends in [probability(tail, c, standard)]
    ]
    rows += _mean_rows(means, standard)
    frame = pd.DataFrame(rows, columns=["quantity", "criterion", "value", "low", "high", "method"])
    check = cross_check(means, {c: probability(tail, c, standard)[0] for c in CRITERIA}, standard)
    return FundAnswers(
        frame, target, criterion, standard, check, paths, seed,
        _assumption_range(fund, target.value, scenarios), observed, fund.severity_fits,
        sources=(*cost.sources, *fund.sources(), *((observed.as_source(),) if observed else ())),
    )  # fmt: skip


def _assumption_range(fund: Fund, value: float, scenarios: Scenarios | None) -> tuple[float, float] | None:
    """Lowest and highest target of the plan and its scenarios, moved by the difference of their designs."""
    if scenarios is None:
        return None
    table = scenarios.table
    others = {s.id for s in fund.plan.model.scenarios if not s.in_assumption_range}
    kept = table.loc[~table["id"].isin(others), "premium_target"].to_numpy()
    base = float(table.loc[table["id"] == "plan", "premium_target"].iloc[0])
    if not np.isfinite(base) or not np.isfinite(value):
        return float(min(value, kept.min())), float(max(value, kept.max()))
    return float(value + kept.min() - base), float(value + kept.max() - base)


def _seen_paths(
    fund: Fund, cost: CostForecast, criterion: Criterion, asked: list[Question], observed: MonthlyActuals,
    paths: int, seed: int, threads: int, progress: Progress | None,
) -> tuple[Outcomes, Outcomes]:  # fmt: skip
    """Answers of plain paths given the months seen, for the tail and for means (whose noise is not known to be 0 in mean)."""
    sim = fund.simulate(cost, paths=paths, seed=seed, threads=threads, progress=progress, observed=observed)
    s, arrays = sim.setting, sim.arrays
    questions = _distinct(
        [
            *asked,
            *criterion.questions(s, fund.financing),
            *_mean_questions(s, fund.financing.standard),
        ]
    )
    values = {q.name: q.read(s, arrays) for q in questions if q is not EXCESS}
    values[EXCESS.name] = np.zeros(paths)
    kept = Outcomes(values, None, 1, "plain", paths, seed)
    return kept, kept


def cross_check(means: Outcomes, simulated: dict[str, float], premium: float) -> pd.DataFrame:
    """Shifted lognormal beside the simulated probability, for what is decided at the year's end.

    Warns
    -----
    ModelWarning
        If they differ by more than half a percentage point.
    """
    rows = []
    for c in ("current_year", "closing"):
        y = means[c]
        beside = lognormal_tail(y[np.isfinite(y)], premium) if np.isfinite(y).any() else float("nan")
        rows.append({"criterion": c, "simulated": simulated[c], "shifted_lognormal": beside})
        if abs(beside - simulated[c]) > FAR:
            warn(
                ModelWarning, "answers.far", criterion=text(f"label.criterion_{c}"),
                lognormal=f"{100 * beside:.2f}", simulated=f"{100 * simulated[c]:.2f}",
            )  # fmt: skip
    return pd.DataFrame(rows)


def lognormal_tail(values: Any, threshold: float) -> float:
    """P(X > threshold) of a shifted lognormal with the mean, sd and skewness of some values.

    Examples
    --------
    >>> round(lognormal_tail(np.linspace(-1, 1, 1001), 0.0), 3)
    0.5
    """
    x = np.asarray(values, dtype=np.float64)
    mean, sd = float(x.mean()), float(x.std())
    if sd <= 1e-12 * max(abs(mean), 1.0):
        return float(mean > threshold)
    skew, y = float(stats.skew(x)), (threshold - mean) / sd
    if abs(skew) < 1e-3:
        return float(special.ndtr(-y))
    w, y = float(lognormal_width(abs(skew))), y * np.sign(skew)
    inside = 1 + y * np.sqrt(w - 1)
    sigma = np.sqrt(np.log(w))
    beyond = 1.0 if inside <= 0 else float(special.ndtr(-(np.log(inside) + sigma**2 / 2) / sigma))
    return beyond if skew > 0 else 1 - beyond


def _thresholds(pilot: Pilot, criterion: Criterion, standard: float) -> list[tuple[str, float]]:
    """What is undecided: the need at the accepted probability first, then the present standard."""
    name = "closing" if criterion.name in BALANCE_CRITERIA else criterion.question
    level = float(np.quantile(pilot.outcomes[name], 1 - criterion.alpha, method="inverted_cdf"))
    found = [(name, level)] if np.isfinite(level) else []
    for c in CRITERIA:
        y = pilot.outcomes[c]
        if 0 < float((y > standard).mean()) < 1:
            found.append((c, standard))
    return found or [(name, standard)]


def _mean_questions(s: Setting, standard: float) -> list[Question]:
    """What means are read from; the closing balance itself where it is not linear in the amount."""
    bends = s.income is not None and s.income.bends
    return [*MEAN_QUESTIONS, closing_at(standard)] if bends else MEAN_QUESTIONS


def _mean_paths(s: Setting, paths: int, seed: int, threads: int, standard: float) -> Outcomes:
    few = min(MEANS, max(-(-paths // SOBOL_BLOCK), 2) * SOBOL_BLOCK)
    return collect(
        s,
        _mean_questions(s, standard),
        paths=few,
        seed=seed,
        threads=threads,
        sampler=SOBOL,
        block=SOBOL_BLOCK,
        method="sobol",
    )


def _mean_rows(means: Outcomes, standard: float) -> list[tuple[Any, ...]]:
    """Means with the interval of their independent scrambles; the randomness of claims taken out by its known mean."""
    closing = means["at_zero"] + means["excess"] + means["slope"] * standard
    if "closing_balance" in means.values:  # with a reserve or an adjustment fund no straight line
        closing = means["closing_balance"] + means["excess"]
    spending = means["spending"] - means["excess"]
    months = 12 * closing.mean() / spending.mean()
    ratio = 12 * (closing - months / 12 * spending) / spending.mean()
    found = {
        "expected_closing_balance": (closing, None),
        "expected_opening_balance": (means["opening"], None),
        "expected_cost_per_capita": (means["claims_per_head"], None),
        "months_payable": (ratio, months),
    }
    rows = []
    for name, (values, centre) in found.items():
        error, free = block_error(values, means.block)
        value = float(values.mean() if centre is None else centre)
        half = float(stats.t.ppf(0.975, free)) * error
        rows.append((name, "", value, value - half, value + half, means.method))
    return rows


def _distinct(asked: list[Any]) -> list[Any]:
    return list({q.name: q for q in asked}.values())


def _end(value: float, lang: str | None) -> str:
    return f"{value:.2f}" if np.isfinite(value) else text("label.too_few_paths", lang)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _finite(v) for k, v in row.items()} for row in frame.to_dict("records")]
