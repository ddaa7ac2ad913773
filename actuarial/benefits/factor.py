r"""The policy factor from claims: last year's claims under next year's rules over the same claims under the old.

With :math:`o_c, n_c` what the fund bears of the claims of kind :math:`c` under the old and the new rules, and :math:`p_c` what
it really paid,

.. math:: P = \frac{\sum_c p_c\, n_c/o_c}{\sum_c p_c},

which is :math:`\sum n/\sum o` where the old rules reproduce what was paid (the fit report says so). Claims without
a rule stay as paid on both sides.

* **Error**: bootstrap over members (:mod:`actuarial.benefits.tally`), the calibration redrawn with them.
* **By change**: every change alone, and in the order given, each change's step; the alone-effects and one
  *interaction* sum to the total, and so do the steps.
* **Trend first**: deductibles and ceilings lever growth. With cost grown by :math:`g`,
  :math:`N(g)/o = P\,(1+g)\,L(g)`; the leverage :math:`L` is repriced on a grid of :math:`g` and goes on into the cost forecast.
* **Use**: an elasticity :math:`\epsilon` of visits to the patient's own share multiplies :math:`n_c` by
  :math:`(s^{new}_c/s^{old}_c)^\epsilon`; it is never applied unless stated.

Who else: microsimulation of tax and benefits (OpenFisca, PolicyEngine) reprices households; insurers' on-level
factors do the same by rate change. Neither walks accumulators of a member-year through a change within the year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.benefits.fit import FitReport, fit_of
from actuarial.benefits.leverage import Leverage, find_leverage
from actuarial.benefits.repricing import RESIDENT_ROWS, Resident, as_schedules, warn_uncovered
from actuarial.benefits.schedule import DEFAULTS, BenefitSchedule
from actuarial.benefits.stated import PolicyFactor
from actuarial.benefits.steps import Step, change_effects, each_alone, in_order, priced_at, rule_changes
from actuarial.benefits.tally import tally
from actuarial.benefits.use import UseAssumption, added_cost, use_response, use_sources
from actuarial.errors import DataWarning, Fault, InputError, warn
from actuarial.results import COLOURS, figure_style, new_axes
from actuarial.tables import ClaimsTable
from actuarial.tables.intake import month_name
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
FUND_ACCOUNTS = ("basic_fund", "cii_fund")
"""Accounts whose payments are the fund's; a bought critical-illness layer is not."""
REPLICATES = 1000
BY_CHANCE = 0.01
"""Relative difference of payments and rules beyond which the calibration is said aloud."""


@dataclass(frozen=True, eq=False)
class RepricedFactor(PolicyFactor):
    """A policy factor from repriced claims.

    Parameters
    ----------
    cells : DataFrame
        One row a kind of claim: its attributes, ``claims``, ``paid``, ``by_rules`` (the old), ``new`` [yuan], ``factor``, ``use``.
    changes : DataFrame
        One row a change of the rules: ``change``, ``alone`` and ``in_order`` [yuan a year of the claims], the same as
        share of the old cost; a last row ``interaction``.
    fit : FitReport
    replicates : ndarray
        Bootstrap draws of the factor.
    draws : dict
        Bootstrap draws of ``paid`` and ``new`` by kind of claim, (replicates, kinds).
    by_month : Series
        New over old by month of service.
    leverage : Leverage or None
    static : float
        The factor without the response of use.
    """

    cells: pd.DataFrame = field(kw_only=True)
    changes: pd.DataFrame = field(kw_only=True)
    fit: FitReport = field(kw_only=True)
    replicates: Floats = field(kw_only=True)
    draws: dict[str, Floats] = field(kw_only=True)
    by_month: pd.Series = field(kw_only=True)
    leverage: Leverage | None = field(kw_only=True, default=None)
    static: float = field(kw_only=True, default=1.0)
    schedules: tuple[tuple[BenefitSchedule, ...], tuple[BenefitSchedule, ...]] = field(
        kw_only=True, default=((), ())
    )

    def relative(self, category: str) -> float:
        """A category's factor over the factor of all claims (1 for a category without claims)."""
        rows = self.cells[self.cells["category"] == category]
        paid = float(rows["paid"].sum())
        return float(rows["new"].sum()) / paid / self.coefficient if paid > 0 else 1.0

    def lever(self, growth_factor: Floats, category: str) -> Floats:
        """Leverage of a category under the new rules, for growth factors ``1 + g``; 1 where it was not repriced."""
        if self.leverage is None:
            return np.ones(1)
        return self.leverage.multiplier(growth_factor, category)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Bootstrap interval of the factor (percentiles)."""
        low, high = np.quantile(self.replicates, [0.5 - level / 2, 0.5 + level / 2])
        return float(low), float(high)

    @property
    def table(self) -> pd.DataFrame:
        """By category and level, then in all: claims, yuan paid, at the old and new rules, factor and its standard error."""
        return self.by("category", "level")

    def by(self, *keys: str) -> pd.DataFrame:
        """The factor by some attributes (``category``, ``level``, ``group``, …), with standard errors."""
        known = list(DEFAULTS)
        if not keys or any(k not in known for k in keys):
            raise InputError(
                [Fault("benefits.by", params={"keys": "、".join(keys) or "-", "known": "、".join(known)})]
            )
        cells = self.cells.copy()
        grouped = cells.groupby(list(keys), sort=True)
        sums = grouped[["claims", "paid", "by_rules", "new"]].sum().round(2)
        sums.insert(
            1, "persons", grouped["persons"].max()
        )  # at least so many: kinds of claim may share members
        sums = sums.reset_index()
        sums["factor"] = sums["new"] / sums["paid"].where(sums["paid"] > 0)
        groups = [tuple(r) for r in sums[list(keys)].to_numpy()]
        sums["se"] = [self._se(dict(zip(keys, g, strict=True))) for g in groups]
        total: dict[str, Any] = {k: text("label.total") if n == 0 else "" for n, k in enumerate(keys)}
        total |= {c: round(cells[c].sum(), 2) for c in ("claims", "paid", "by_rules", "new")}
        total |= {"persons": int(cells["persons"].max())}
        total |= {"factor": self.coefficient, "se": self.sd}
        return pd.concat([sums, pd.DataFrame([total])], ignore_index=True)

    def _se(self, chosen: Mapping[str, str]) -> float:
        """Bootstrap standard error of the factor of some kinds of claim."""
        mine = np.ones(len(self.cells), dtype=bool)
        for key, word in chosen.items():
            mine &= (self.cells[key] == word).to_numpy()
        paid, new = (self.draws[n][:, mine].sum(axis=1) for n in ("paid", "new"))
        good = paid > 0
        return round(float((new[good] / paid[good]).std(ddof=1)), 12) if good.sum() > 1 else float("nan")

    def at_growth(self, growth: float) -> pd.DataFrame:
        """From the old rules at last year's cost to the new rules at grown cost: factors that multiply to the total.

        Parameters
        ----------
        growth : float
            Growth of cost per claim: 0.2366 is 23.66%.

        Returns
        -------
        DataFrame
            ``policy``; ``growth``; ``leverage`` (what the old rules make of growth beyond it); ``interaction`` (what the
            new rules make of it beyond that); ``total``, their product.

        Raises
        ------
        InputError
            If the factor was made without leverage.
        """
        if self.leverage is None:
            raise InputError([Fault("benefits.no_leverage")])
        x, grid = np.log1p(growth), np.log1p(self.leverage.grid)
        old, new = (
            float(np.exp(np.interp(x, grid, np.log(t))))
            for t in (self.leverage.total_old, self.leverage.total_new)
        )
        steps = {"policy": self.coefficient, "growth": 1 + growth, "leverage": old, "interaction": new / old}
        steps["total"] = float(np.prod(list(steps.values())))
        return pd.DataFrame({"step": steps.keys(), "factor": steps.values()})

    def summary(self, lang: str | None = None) -> str:
        """Factor, error, fit and the largest change, in a few lines."""
        low, high = self.interval()
        lines = [
            text("benefits.factor_line", lang, factor=f"{self.coefficient:.4f}", sd=f"{self.sd:.4f}", low=f"{low:.4f}", high=f"{high:.4f}"),
            self.fit.summary(lang),
        ]  # fmt: skip
        if abs(self.static - self.coefficient) > 1e-12:
            lines.append(text("benefits.use_line", lang, static=f"{self.static:.4f}"))
        for row in self.changes.to_dict("records"):
            share = f"{100 * row['alone_share']:+.2f}"
            lines.append(text("benefits.change_line", lang, change=_label(row["change"], lang), share=share))
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Waterfall from the old cost to the new by change of the rules [% of the old cost]."""
        rows = self.changes
        steps = [100.0, *(100 * rows["alone_share"]), 100 * float(self._total_ratio())]
        names = [
            text("chart.old_rules", lang),
            *(_label(c, lang) for c in rows["change"]),
            text("chart.new_rules", lang),
        ]
        with figure_style():
            ax = ax or new_axes(8.5, 1.4 + 0.36 * len(names))
            level = 100.0
            for n, step in enumerate(steps):
                if n in (0, len(steps) - 1):
                    ax.barh(n, step, color=COLOURS["main"])
                    ax.text(step, n, f" {step:.2f}", va="center", fontsize=9)
                    continue
                ax.barh(n, step, left=level, color=COLOURS["accent"] if step >= 0 else COLOURS["light"])
                ax.text(max(level, level + step), n, f" {step:+.2f}", va="center", fontsize=9)
                level += step
            ends = [100.0, level, 100 * self._total_ratio()]
            pad = max(max(ends) - min(ends), 1.0)
            ax.set_xlim(max(min(ends) - 0.6 * pad, 0), max(ends) + 0.5 * pad)
            ax.set_yticks(range(len(names)), names, fontsize=9)
            ax.invert_yaxis()
            ax.set_xlabel(text("chart.share_of_old_cost", lang))
            ax.grid(visible=False, axis="y")
        return ax

    def _total_ratio(self) -> float:
        return float(1 + self.changes["alone_share"].sum())


def _label(change: Any, lang: str | None) -> str:
    return change.label(lang) if isinstance(change, Step) else text(f"benefits.{change}", lang)


def policy_factor(
    claims: ClaimsTable | Resident | Any,
    *,
    old: Any,
    new: Any,
    accounts: Sequence[str] = FUND_ACCOUNTS,
    recode: Mapping[str, Mapping[str, str]] | None = None,
    elasticity: UseAssumption | None = None,
    new_use: Mapping[str, UseAssumption] | None = None,
    leverage: bool = False,
    replicates: int = REPLICATES,
    seed: int = 2012,
) -> RepricedFactor:
    """The policy factor from claims.

    Parameters
    ----------
    claims : ClaimsTable, Resident or path of a sorted file
    old : id, path, BenefitSchedule, or several
        Rules under which the claims were paid; several are dated by their day in force.
    new : the same
        Rules of the year to come, for the whole year.
    accounts : sequence of str
        Whose payments count: the chosen fund's. Where critical-illness cover is bought the fund pays its premium, not its claims.
    recode : mapping, optional
        Words of the claims as the schedules call them: ``{"level": {"outside": "prefecture"}}``.
    elasticity : UseAssumption, optional
        Response of visits to the patient's own share; none unless stated.
    new_use : mapping, optional
        Use of categories that only the new rules know and of which there are no claims; without it such a benefit is refused.
    leverage : bool
        Also reprice at grown cost (claims in memory).
    replicates, seed : int
        Of the bootstrap.

    Raises
    ------
    InputError
        If a gap is not read, the claims lack a column or a word, the fund paid nothing, or a new benefit has no use assumption.

    Warns
    -----
    DataWarning
        If there are claims without a rule, or the old rules differ from what was paid by more than 1%.

    Examples
    --------
    >>> import warnings
    >>> from actuarial.samples import sample_path
    >>> from actuarial.tables import read_claims
    >>> claims = read_claims(sample_path("synthetic/claims.csv"))
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DataWarning)
    ...     found = policy_factor(claims, old="china/jeminay/ncms/basic@2011-01-01",
    ...         new="china/jeminay/ncms/basic@2011-04-26", recode={"level": {"outside": "prefecture"}})
    >>> bool(1.03 < found.coefficient < 1.10)
    True
    """
    before, after = as_schedules(old), as_schedules(new)
    if isinstance(claims, ClaimsTable) and claims.rows <= RESIDENT_ROWS:
        claims = Resident.of(claims)
    steps = rule_changes(before[0], after[-1])
    variants = [before, after, *each_alone(before, steps), *in_order(before, steps)]
    found = tally(claims, variants, accounts, recode=recode)
    warn_uncovered(found.programs[0], found.claims)
    fit = fit_of(found)
    if abs(fit.calibration - 1) > BY_CHANCE:
        equal = f"{100 * fit.equal_share:.1f}"
        warn(DataWarning, "benefits.fit_differs", ratio=f"{fit.calibration:.4f}", equal=equal)
    by_group = found.paid if found.paid.sum() > 0 else found.fund[0]
    paid, priced = by_group.sum(axis=0), found.fund.sum(axis=1)
    if not paid.sum() > 0:
        raise InputError([Fault("benefits.nothing_paid")])
    use = use_response(found, elasticity)
    added = added_cost(before[-1], after[-1], found, new_use or {}, accounts)
    new = use * priced_at(paid, priced[0], priced[1])
    draws = _bootstrap(by_group, found.fund[0], found.fund[1], use, replicates, seed)
    ratio = draws["new"].sum(axis=1) / draws["paid"].sum(axis=1) + added / paid.sum()
    cells = pd.DataFrame(list(found.combos), columns=list(DEFAULTS))
    cells["claims"], cells["persons"] = found.claims.astype(np.int64), found.persons
    cells["paid"], cells["by_rules"] = paid, priced[0]
    cells["new"], cells["use"] = new, use
    months = pd.period_range(month_name(found.first_month), periods=found.months.shape[1], freq="M")
    with np.errstate(divide="ignore", invalid="ignore"):
        cells["factor"] = cells["new"] / cells["paid"].where(cells["paid"] > 0)
        by_month = pd.Series(found.months[1] / found.months[0], index=months, name="factor")
    sources = (*found.sources, *(s for x in (*before, *after) for s in x.sources))
    return RepricedFactor(
        float(new.sum() + added) / float(paid.sum()), float(ratio.std(ddof=1)), "repriced", cells=cells,
        changes=change_effects(steps, paid, priced), fit=fit, replicates=ratio, draws=draws, by_month=by_month,
        leverage=find_leverage(claims, before, after, accounts, recode or {}) if leverage else None,
        static=float(priced_at(paid, priced[0], priced[1]).sum() / paid.sum()), schedules=(before, after),
        sources=(*sources, *use_sources(elasticity, new_use or {})),
    )  # fmt: skip


def month_weighted_factor(
    full: PolicyFactor,
    *,
    full_from: str,
    year_starts: str | None = None,
    weights: Sequence[float] | None = None,
) -> PolicyFactor:
    """The fallback for a change within the base year: the full change, weighted by the months that had the old rules.

    It ignores what accumulates over the year (ceilings, yearly deductibles) and is labelled ``month_weights``; with claims at
    hand, ``policy_factor(old=[before, after], new=after)`` reprices by date of effect instead.

    Parameters
    ----------
    full : PolicyFactor
        The new rules over the old, as if the old had held all year.
    full_from : str
        Day from which the new rules held in the base year (``2011-04-26``).
    year_starts : str, optional
        First day of the base year; 1 January if not given.
    weights : sequence of float, optional
        Shares of the year's cost by month (12); even if not given.

    Examples
    --------
    >>> from actuarial.benefits.stated import stated_policy_factor
    >>> round(month_weighted_factor(stated_policy_factor(1.10), full_from="2011-07-01").coefficient, 4)
    1.0476
    """
    day = pd.Timestamp(full_from)
    start = pd.Timestamp(year_starts) if year_starts else pd.Timestamp(day.year, 1, 1)
    shares = np.full(12, 1 / 12) if weights is None else np.asarray(weights, dtype=np.float64)
    if not start <= day < start + pd.DateOffset(years=1) or len(shares) != 12 or not shares.sum() > 0:
        raise InputError([Fault("benefits.month_weights", params={"value": full_from})])
    months = [start + pd.DateOffset(months=m) for m in range(13)]
    spans = [(b - a).days for a, b in pairwise(months)]
    old = [min(max((day - a).days / n, 0.0), 1.0) for a, n in zip(months[:-1], spans, strict=True)]
    share = float(np.dot(old, shares) / shares.sum())  # of the year at the old rules, at the old rules' cost
    paid = share + (1 - share) * full.coefficient
    sd = full.sd * share / paid**2
    return PolicyFactor(full.coefficient / paid, sd, "month_weights", sources=full.sources)


def _bootstrap(
    paid: Floats, old: Floats, new: Floats, use: Floats, replicates: int, seed: int
) -> dict[str, Floats]:
    """Groups of members redrawn with replacement."""
    groups = len(paid)
    rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(BOOTSTRAP,))))
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), size=replicates).astype(np.float64)
    p, o, n = (weights @ x for x in (paid, old, new))
    return {"paid": p, "new": use * priced_at(p, o, n)}


BOOTSTRAP = 71
"""First part of the spawn key of the bootstrap's random numbers."""
