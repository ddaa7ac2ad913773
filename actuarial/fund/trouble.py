r"""When trouble begins, how bad the worst years are, and what the year costs by category.

Read from the paths of a simulation at an amount per head. The value at risk of the closing balance at :math:`\alpha` is the balance below
which at most :math:`\lfloor\alpha n\rfloor` paths end (the same count as the premium target's); the tail mean is that of the worst part
:math:`\alpha` of the paths, the path at the edge counted in part. For claims both are taken from above.

The indicators are those of the budget: ratios of means, with the spread of the same ratio over paths, and the limits of the law files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.errors import Fault, InputError
from actuarial.fund import Simulation
from actuarial.fund.categories import category_paths
from actuarial.fund.needs import spending_of
from actuarial.fund.target import allowed
from actuarial.law import list_laws, load_law
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EDGES = [0.025, 0.5, 0.975]


@dataclass(frozen=True, eq=False)
class Trouble(Result):
    """When a fund runs short, and how short.

    Parameters
    ----------
    months : DataFrame
        By ``month`` of the planned year: ``first`` (probability that the balance is below 0 there for the first time), ``by_then`` (by the
        end of this month), ``short`` (below 0 in this month).
    tail : DataFrame
        ``closing_balance`` (from below) and ``claims`` (from above): ``quantity``, ``mean``, ``var``, ``tvar`` [yuan].
    indicators : DataFrame
        ``indicator``, ``value`` (of the means), ``low``, ``median``, ``high`` (95% of paths), ``limit``, ``beyond`` (probability above it),
        ``law``, ``document``, ``status``.
    premium : float
        Amount per head [yuan/person/year].
    alpha : float
    """

    months: pd.DataFrame
    tail: pd.DataFrame
    indicators: pd.DataFrame
    premium: float
    alpha: float

    @property
    def table(self) -> pd.DataFrame:
        """One row a month."""
        return self.months.copy()

    @property
    def probability(self) -> float:
        """Probability that the balance is below 0 in any month."""
        return float(self.months["first"].sum())

    @property
    def likeliest_month(self) -> int | None:
        """The month in which trouble most often begins; None where no path has any."""
        first = self.months["first"]
        return int(self.months["month"][int(first.to_numpy().argmax())]) if first.any() else None

    def summary(self, lang: str | None = None) -> str:
        """What happens at this amount, and the limits."""
        money = Unit.of(lang)
        var, tvar = (float(self.tail[c].iloc[0]) for c in ("var", "tvar"))  # of the closing balance
        words = {
            "premium": f"{self.premium:g}",
            "probability": f"{100 * self.probability:.1f}",
            "alpha": f"{100 * self.alpha:g}",
            "month": self.likeliest_month or "—",
            "var": money.show(var),
            "tvar": money.show(tvar),
        }
        lines = [text(f"trouble_words.{'line' if self.likeliest_month else 'none_line'}", lang, **words)]
        for row in self.indicators[self.indicators["limit"].notna()].to_dict("records"):
            percent = {k: f"{100 * row[k]:.1f}".replace("-", "−") for k in ("value", "limit", "beyond")}
            name = text(f"trouble_words.{row['indicator']}", lang)
            lines.append(
                text("trouble_words.limit_line", lang, name=name, document=row["document"], **percent)
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; the keys are documented in ``docs/cli.md``."""
        rows = [{str(k): v for k, v in row.items()} for row in self.months.to_dict("records")]
        tail = {
            str(r["quantity"]): {k: float(r[k]) for k in ("mean", "var", "tvar")}
            for r in self.tail.to_dict("records")
        }
        return {"first_month": self.likeliest_month, "months_below_zero": rows, "worst": tail}

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Where trouble begins, by month, and the probability that it has begun."""
        with figure_style():
            ax = ax or new_axes(8.0, 3.6)
            m = self.months
            ax.bar(
                m["month"], 100 * m["first"], color=COLOURS["bad"], label=text("trouble_words.first", lang)
            )
            ax.step(m["month"], 100 * m["by_then"], where="mid", color=COLOURS["main"], linewidth=2,
                    label=text("trouble_words.by_then", lang))  # fmt: skip
            ax.set_xticks(m["month"])
            ax.set_ylim(0, max(1.0, 108 * float(m["by_then"].iloc[-1])))
            ax.set_xlabel(text("trouble_words.month", lang))
            ax.set_ylabel(text("trouble_words.probability", lang))
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
        return ax


def trouble(sim: Simulation, premium: float | None = None, *, alpha: float | None = None) -> Trouble:
    """When trouble begins at an amount per head, the worst years, and the indicators with their limits.

    Parameters
    ----------
    sim : Simulation
        Paths without weights.
    premium : float, optional
        All payers together; the present standard unless given [yuan/person/year].
    alpha : float, optional
        Part of the paths that the tail means; the plan's accepted probability unless given.

    Raises
    ------
    InputError
        If alpha is not between 0 and 1, or the paths carry weights.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.forecast import plan_cost
    >>> from actuarial.fund.trouble import trouble
    >>> plan = act.load_plan(act.sample_path("anhui_county/plan.yaml"))
    >>> sim = act.Fund(plan).simulate(plan_cost(plan), paths=2000)
    >>> found = trouble(sim)
    >>> bool(found.probability == sim.deficit_probability()["any_month"])
    True
    """
    level = sim.fund.plan.model.criterion.accepted_probability if alpha is None else float(alpha)
    if not 0 < level < 1:
        raise InputError([Fault("trouble.alpha", params={"value": f"{level:g}"})])
    _plain(sim)
    p = sim.standard if premium is None else float(premium)
    short = sim.balances(p) < 0
    starts = np.where(short.any(axis=1), short.argmax(axis=1), 12)
    first = np.bincount(starts, minlength=13)[:12] / sim.paths
    months = pd.DataFrame(
        {"month": np.arange(1, 13), "first": first, "by_then": np.cumsum(first), "short": short.mean(axis=0)}
    )
    closing, claims = sim.closing(p), sim.claims.sum(axis=1)
    rows = []
    for name, values, sign in (("closing_balance", closing, 1.0), ("claims", claims, -1.0)):
        var, tvar = worst(sign * values, level)
        rows.append({"quantity": name, "mean": values.mean(), "var": sign * var, "tvar": sign * tvar})
    return Trouble(months, pd.DataFrame(rows), _indicators(sim, closing), p, level, sources=sim.sources)


def worst(values: NDArray[np.float64], alpha: float) -> tuple[float, float]:
    """Value at risk and tail mean of the lowest part alpha of equally likely values.

    Examples
    --------
    >>> import numpy as np
    >>> worst(np.arange(1.0, 11.0), 0.25)  # 1, 2 and half of 3
    (3.0, 1.8)
    """
    ordered, n = np.sort(values), len(values)
    whole = allowed(alpha, n)
    edge = float(ordered[whole])
    rest = max(alpha * n - whole, 0.0)
    return edge, float((ordered[:whole].sum() + rest * edge) / (whole + rest))


def _indicators(sim: Simulation, closing: NDArray[np.float64]) -> pd.DataFrame:
    """Use and surplus rates and months payable, as the budget has them, with their spread over paths."""
    spending = spending_of(sim.setting, sim.arrays)
    gain = closing - sim.opening
    income = gain + spending  # with interest
    parts = {
        "fund_use_ratio": (spending, income),
        "current_balance_ratio": (gain, income),
        "cumulative_balance_ratio": (closing, income),
        "payable_months": (closing, spending / 12),
    }
    limits = {law.payload.indicator: law for law in map(load_law, list_laws("threshold"))}
    rows = []
    for name, (above, below) in parts.items():
        law = limits.get(name)
        limit = np.nan if law is None else float(law.payload.at_most)
        each = above / below
        low, median, high = np.quantile(each, EDGES).tolist()
        rows.append(
            {
                "indicator": name,
                "value": float(above.mean() / below.mean()),
                "low": low,
                "median": median,
                "high": high,
                "limit": limit,
                "beyond": np.nan if law is None else float((each > limit).mean()),
                "law": law.id if law else "",
                "document": law.envelope.source.document if law else "",
                "status": law.envelope.status if law else "",
            }
        )
    return pd.DataFrame(rows)


def category_costs(sim: Simulation) -> pd.DataFrame:
    """Expected cost of the planned year by category, with its spread.

    Parameters
    ----------
    sim : Simulation
        Without months seen: those tell the year's claims as a whole, not by category. The systemic factors are drawn again from its
        plain streams.

    Returns
    -------
    DataFrame
        ``category``, ``expected``, ``systemic_sd``, ``random_sd`` (of the claims themselves), ``sd`` (both), ``low``, ``high`` (95% of the
        systemic cost) [yuan], ``expected_per_capita`` [yuan/person/year], ``share``; the last row, ``all``, holds the sums with
        their own spread. A category without visits has no ``random_sd`` (0).

    Raises
    ------
    InputError
        If the paths carry weights or months have been seen.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.forecast import plan_cost
    >>> from actuarial.fund.trouble import category_costs
    >>> plan = act.load_plan(act.sample_path("jieshou/plan.yaml"))
    >>> found = category_costs(act.Fund(plan).simulate(plan_cost(plan), paths=2000))
    >>> found["category"].iloc[-1], round(float(found["share"].iloc[:-1].sum()), 9)
    ('all', 1.0)
    """
    _plain(sim)
    if sim.observed is not None:
        raise InputError([Fault("trouble.seen")])
    s = sim.setting
    amount = category_paths(sim)
    each = amount / sim.arrays.heads[:, None]
    severity = np.divide(each, s.counts, out=np.zeros_like(each), where=s.counts > 0)
    variance = (sim.arrays.heads[:, None] * s.counts * s.spread[0] * severity**2).mean(axis=0)
    amount = np.column_stack([amount, amount.sum(axis=1)])
    variance = np.append(variance, variance.sum())
    edges = np.quantile(amount, [EDGES[0], EDGES[-1]], axis=0)
    expected, systemic = amount.mean(axis=0), amount.std(axis=0)
    return pd.DataFrame(
        {
            "category": [*s.cost.categories, "all"],
            "expected": expected,
            "systemic_sd": systemic,
            "random_sd": np.sqrt(variance),
            "sd": np.sqrt(systemic**2 + variance),
            "low": edges[0],
            "high": edges[1],
            "expected_per_capita": np.append(each.mean(axis=0), each.sum(axis=1).mean()),
            "share": expected / expected[-1],
        }
    )


def _plain(sim: Simulation) -> None:
    if sim.arrays.weight is not None:
        raise InputError([Fault("trouble.weighted")])
