r"""The policy factor where a bureau has only totals by level and band of cost.

For each level :math:`l` a severity is fitted to the bands (shapes drawn together over levels), and with the rules as
piecewise-linear functions of the in-scope cost of one claim, or of one member-year,

.. math:: f = \frac{\sum_l c_l n_l\,E[F^{new}_l(X_l)]}{\sum_l c_l n_l\,E[F^{old}_l(X_l)]},\qquad
          c_l = \frac{\text{paid}_l}{n_l E[F^{old}_l(X_l)]},

where :math:`c_l`, the calibrated effective ratio, is 1 if nothing is known of the payments. It carries what the rules as
written do not explain (exclusions, audits, other terms) and is assumed to hold under the new rules.

Three uncertainties are kept apart: sampling (the larger of the fit's error and of the error of a year's own claims, so
that it holds for the population's factor and for last year's), the spread between distributions, and :func:`~actuarial.benefits.attainable.factor_range`, what the bands allow
whatever the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from actuarial.benefits.bands_error import Cell, Rules, bounds, payments, total
from actuarial.benefits.stated import PolicyFactor
from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.layers import Piecewise
from actuarial.results import COLOURS, Source, figure_style, new_axes
from actuarial.severity.families import FAMILIES
from actuarial.severity.likelihood import LawFit
from actuarial.severity.observed import Observed, from_bands
from actuarial.severity.pooling import Pooling, fit_levels
from actuarial.tables import Table, term_label
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COUNTS = {"claim": "visits", "member_year": "persons"}


@dataclass(frozen=True, eq=False)
class BandsFactor(PolicyFactor):
    """A policy factor from banded totals.

    Parameters
    ----------
    per : str
        ``claim`` or ``member_year``: what the rules were applied to.
    cells : DataFrame
        One row a category and level: ``count``, ``old_cost``, ``new_cost`` [yuan], ``factor``, ``se``, ``low``, ``high``
        (what the bands allow), ``paid``, ``effective_ratio`` (paid over expected).
    spread : DataFrame
        One row a family: ``factor``, ``aic``, ``cost_gap``, ``plausible``, ``chosen``.
    fit_check : DataFrame
        One row a band: expected and paid under the old rules [yuan], where payments are given.
    sampling_sd, model_sd : float
        Sampling error, and spread between plausible distributions; :attr:`sd` joins them.
    attainable : (float, float)
        Smallest and largest factor that the bands allow.
    calibrated : bool
        Whether levels are weighted by what was paid.
    """

    per: str = "claim"
    cells: pd.DataFrame = None  # type: ignore[assignment]
    spread: pd.DataFrame = None  # type: ignore[assignment]
    fit_check: pd.DataFrame = None  # type: ignore[assignment]
    sampling_sd: float = 0.0
    model_sd: float = 0.0
    attainable: tuple[float, float] = (0.0, math.inf)
    calibrated: bool = False

    @property
    def table(self) -> pd.DataFrame:
        """The cells and their total."""
        sums = self.cells[["count", "old_cost", "new_cost", "paid"]].sum(skipna=False)
        low, high = self.attainable
        ratio = sums["paid"] / sums["old_cost"] if not self.calibrated else 1.0
        row = {
            "category": "", "level": "total", **sums, "factor": self.coefficient, "se": self.sampling_sd,
            "low": low, "high": high, "effective_ratio": ratio,
        }  # fmt: skip
        return pd.concat([self.cells, pd.DataFrame([row])], ignore_index=True)[list(self.cells.columns)]

    def summary(self, lang: str | None = None) -> str:
        """The factor and its three uncertainties, how payments were reproduced, and the table."""
        low, high = self.attainable
        chosen = self.spread.loc[self.spread["chosen"], "family"].iloc[0]
        lines = [
            text(
                "bands_words.factor", lang, factor=f"{self.coefficient:.4f}", sd=f"{self.sd:.4f}",
                sampling=f"{self.sampling_sd:.4f}", model=f"{self.model_sd:.4f}", low=f"{low:.4f}",
                high=f"{high:.4f}", law=text(f"severity_words.{chosen}", lang),
                per=text(f"bands_words.per_{self.per}", lang),
            )
        ]  # fmt: skip
        if self.calibrated:
            ratios = ", ".join(
                f"{term_label(level, lang)} {ratio:.4f}"
                for level, ratio in zip(self.cells["level"], self.cells["effective_ratio"], strict=True)
            )
            lines.append(text("bands_words.calibrated", lang, ratios=ratios))
        return "\n".join([*lines, self.table.to_string(index=False)])

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Factor by level with two standard errors, over what the bands allow."""
        frame = self.table
        with figure_style():
            ax = ax or new_axes()
            y = np.arange(len(frame))[::-1]
            finite = np.isfinite(frame["high"]).to_numpy()
            ax.hlines(
                y[finite], frame["low"][finite], frame["high"][finite], color=COLOURS["light"], lw=9,
                label=text("bands_words.attainable", lang),
            )  # fmt: skip
            se = np.append(self.cells["se"].to_numpy(), self.sd)
            ax.errorbar(
                frame["factor"], y, xerr=2 * se, fmt="o", color=COLOURS["main"], capsize=3,
                label=text("bands_words.two_se", lang),
            )  # fmt: skip
            names = [
                " ".join(term_label(p, lang) for p in (c, v) if p and p != "total")
                or text("label.total", lang)
                for c, v in zip(frame["category"], frame["level"], strict=True)
            ]
            ax.set_yticks(y, names)
            ax.axvline(1.0, color=COLOURS["grid"], lw=1.5, zorder=0)
            ax.set_xlabel(text("bands_words.axis", lang))
            ax.set_ylim(-0.6, len(frame) - 0.4)
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)
        return ax


def policy_factor_from_bands(
    table: Table | pd.DataFrame,
    old: Mapping[str | Cell, Piecewise],
    new: Mapping[str | Cell, Piecewise],
    *,
    per: Literal["claim", "member_year"] = "claim",
    truncated_at: Mapping[str, float] | float = 0.0,
    families: Iterable[str] = tuple(FAMILIES),
    pooling: Pooling = "partial",
    calibrate: bool | None = None,
    tolerance: float = 0.05,
) -> BandsFactor:
    """The policy factor from totals by level and band of in-scope cost.

    Parameters
    ----------
    table : Table or DataFrame
        Kind ``bands``: ``level``, ``category`` (optional), ``band_from``, ``band_to`` (empty: open) [yuan], ``visits``
        (or ``persons``), and where known ``in_scope_cost`` and ``fund_payment`` [yuan].
    old, new : mapping
        By level, or by (category, level): what is paid for the in-scope cost of one claim, or one member-year.
    per : {"claim", "member_year"}
        What a count of the table is, and what the rules apply to. A rule on the year's total needs
        ``member_year``: bands of single claims say nothing of it.
    truncated_at : float or mapping by level
        Claims at or below are not in the table; they are added back by the fitted law [yuan].
    families, pooling
        As in :func:`actuarial.severity.pooling.fit_levels`.
    calibrate : bool, optional
        Weight levels by what was paid; by default where every level's payments are given.
    tolerance : float
        An effective ratio farther from 1 than this is said in a warning.

    Raises
    ------
    InputError
        For a missing column or rule, bands that cannot be, or too few numbers.

    Warns
    -----
    ModelWarning
        Where an open band's sum is missing, so that no error covers what its claims may cost. Where the old rules do not reproduce what was paid, or the fitted factor lies outside what the bands allow by
        more than two sampling errors. It is moved to the nearer end in any case.

    Examples
    --------
    >>> bands = pd.DataFrame({"level": "township", "band_from": [0, 500, 1000, 3000],
    ...     "band_to": [500, 1000, 3000, None], "visits": [400, 300, 250, 50],
    ...     "in_scope_cost": [120e3, 210e3, 400e3, 230e3]})
    >>> rule = lambda ratio: Piecewise([100.0], [0.0, ratio])
    >>> f = policy_factor_from_bands(bands, {"township": rule(0.80)}, {"township": rule(0.85)})
    >>> round(f.coefficient, 6), f.attainable[0] < 0.85 / 0.80 < f.attainable[1] + 1e-9
    (1.0625, True)
    """
    frame, source = _frame(table, per)
    cells = _cells(frame, old, new, per, truncated_at)
    paid_known = all(math.isfinite(c.paid) and c.paid > 0 for c in cells.values())
    calibrated = paid_known if calibrate is None else calibrate and paid_known
    fits, spread = _families(cells, families, pooling, calibrated)
    name = spread.loc[spread["chosen"], "family"].iloc[0]
    rows, ends = _rows(cells, fits[name], calibrated)
    coefficient, sampling = total(cells, fits[name], calibrated)
    value, (low, high) = coefficient, ends
    value = min(max(value, low), high)
    if abs(value - coefficient) > 2 * sampling + 1e-6:  # by more than chance
        warn(ModelWarning, "bands.outside", factor=coefficient, low=low, high=high)
    if any(_tail_unseen(c.data) for c in cells.values()):
        warn(ModelWarning, "bands.no_sums")
    near = spread.loc[spread["plausible"], "factor"]
    model = float(np.sqrt(((near - coefficient) ** 2).sum() / max(len(near) - 1, 1)))
    _say_effective(rows, tolerance)
    return BandsFactor(
        value, math.hypot(sampling, model), "aggregates", per=per, cells=rows, spread=spread,
        fit_check=_fit_check(frame, cells, fits[name]), sampling_sd=sampling, model_sd=model, attainable=ends,
        calibrated=calibrated, sources=source,
    )  # fmt: skip


# --------------------------------------------------------------------------- input


def _frame(table: Table | pd.DataFrame, per: str) -> tuple[pd.DataFrame, tuple[Source, ...]]:
    if per not in COUNTS:
        raise InputError([Fault("bands.per", params={"per": per, "known": list(COUNTS)})])
    frame = (table.frame if isinstance(table, Table) else table).copy()
    file = table.file if isinstance(table, Table) else None
    missing = [c for c in ("level", "band_from", COUNTS[per]) if c not in frame]
    numbers = ("band_from", "band_to", COUNTS[per], "in_scope_cost", "fund_payment")
    missing += [c for c in numbers if c in frame and not _numeric(frame[c])]
    missing += ["level"] if "level" in frame and frame["level"].isna().any() else []
    if missing:
        raise InputError([Fault("bands.column", file=file, params={"name": missing, "per": per})])
    if not len(frame):
        raise InputError([Fault("table.empty", file=file)])
    if "category" not in frame:
        frame["category"] = ""
    return frame, table.sources if isinstance(table, Table) else ()


def _numeric(column: pd.Series) -> bool:
    return bool(pd.to_numeric(column, errors="coerce").notna().eq(column.notna()).all())


def _cells(
    frame: pd.DataFrame, old: Mapping[str | Cell, Piecewise], new: Mapping[str | Cell, Piecewise],
    per: str, truncated_at: Mapping[str, float] | float,
) -> dict[Cell, Rules]:  # fmt: skip
    faults: list[Fault] = []
    cells: dict[Cell, Rules] = {}
    for (category, level), part in frame.groupby(["category", "level"], sort=False, observed=True):
        cell = (str(category), str(level))
        rules = [r.get(cell, r.get(cell[1])) for r in (old, new)]
        d = truncated_at if isinstance(truncated_at, int | float) else truncated_at.get(cell[1], 0.0)
        try:
            data = from_bands(part, float(d), count=COUNTS[per], where=" ".join(cell).strip())
        except InputError as error:
            faults += error.faults
            continue
        if rules[0] is None or rules[1] is None:
            faults.append(Fault("bands.no_rule", params={"cell": " ".join(cell).strip()}))
            continue
        paid = float(part["fund_payment"].sum(skipna=False)) if "fund_payment" in part else math.nan
        cells[cell] = Rules(data, rules[0], rules[1], paid)
    if faults:
        raise InputError(faults)
    return cells


# --------------------------------------------------------------------------- fit and choice


def _families(
    cells: Mapping[Cell, Rules], families: Iterable[str], pooling: Pooling, calibrated: bool
) -> tuple[dict[str, dict[Cell, LawFit]], pd.DataFrame]:
    """All families on all cells, and the one chosen: least AIC among those that reproduce the cost.

    Plausible are the chosen one and those whose factor the bands allow and whose cost is as near.
    """
    by_category: dict[str, dict[Cell, Observed]] = {}
    for cell, rules in cells.items():
        by_category.setdefault(cell[0], {})[cell] = rules.data
    found: dict[str, dict[Cell, LawFit]] = {}
    names = list(families)
    parts = [fit_levels(data, families=names, pooling=pooling) for data in by_category.values()]
    for name in names:
        if all(name in part for part in parts):
            found[name] = {cell: fit for part in parts for cell, fit in part[name].items()}
    if not found:
        fewest = min(c.data.information for c in cells.values())
        raise InputError([Fault("severity.too_few_bands", params={"numbers": fewest})])
    low, high = bounds(cells, calibrated)
    rows = []
    for name, fits in found.items():
        factor, _ = total(cells, fits, calibrated)
        rows.append(
            {
                "family": name,
                "factor": factor,
                "aic": sum(f.aic for f in fits.values()),
                "cost_gap": _gap(cells, fits),
                "attainable": low - 1e-9 <= factor <= high + 1e-9,
            }
        )
    frame = pd.DataFrame(rows)
    allowed = max(0.02, 2 * _relative_error(cells))
    good = ~(frame["cost_gap"].abs() > allowed) & frame["attainable"]
    pool = frame[good] if good.any() else frame
    best = pool["aic"].idxmin()
    frame["chosen"] = frame.index == best
    frame["plausible"] = good | frame["chosen"]
    return found, frame


def _gap(cells: Mapping[Cell, Rules], fits: Mapping[Cell, LawFit]) -> float:
    """Cost by the laws over the cost seen, less 1; NaN where sums are missing."""
    fitted = seen = 0.0
    for cell, rules in cells.items():
        law, d = fits[cell].law, rules.data.truncated_at * rules.data.unit
        fitted += rules.data.count * (law.mean - float(law.partial(1, d))) / law.survival(d)
        seen += rules.data.total
    return fitted / seen - 1


def _relative_error(cells: Mapping[Cell, Rules]) -> float:
    sums = np.array([c.data.count * c.data.unit for c in cells.values()])
    errors = np.array([c.data.relative_error for c in cells.values()])
    return float(np.sqrt(((sums * errors) ** 2).sum()) / sums.sum())


def _rows(
    cells: Mapping[Cell, Rules], fits: Mapping[Cell, LawFit], calibrated: bool
) -> tuple[pd.DataFrame, tuple[float, float]]:
    rows = []
    for cell, rules in cells.items():
        one = {cell: rules}
        factor, se = total(one, fits, calibrated)
        low, high = bounds(one, calibrated)
        expected = rules.data.count * float(payments(rules, fits[cell].law)[0])
        old = rules.paid if calibrated else expected
        rows.append(
            {
                "category": cell[0], "level": cell[1], "count": rules.data.count, "old_cost": old,
                "new_cost": old * factor, "factor": factor, "se": se, "low": low, "high": high, "paid": rules.paid,
                "effective_ratio": rules.paid / expected if expected > 0 else math.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(rows), bounds(cells, calibrated)


def _fit_check(frame: pd.DataFrame, cells: Mapping[Cell, Rules], fits: Mapping[Cell, LawFit]) -> pd.DataFrame:
    """Expected and paid by band, under the old rules."""
    rows = []
    for (category, level), part in frame.groupby(["category", "level"], sort=False, observed=True):
        rules, law = cells[str(category), str(level)], fits[str(category), str(level)].law
        data = rules.data
        assert data.low is not None
        assert data.high is not None
        paid = part.sort_values("band_from", kind="stable").get("fund_payment")
        for j in range(len(data.weights)):
            low, high = data.low[j] * data.unit, data.high[j] * data.unit
            mass = max(float(law.survivals(low) - law.survivals(high)), 1e-300)
            expected = data.weights[j] * law.expected(rules.old, above=low, below=high) / mass
            got = math.nan if paid is None else float(paid.iloc[j])
            rows.append(
                {
                    "category": category, "level": level, "band_from": low, "band_to": high,
                    "count": data.weights[j], "expected": expected, "paid": got,
                    "ratio": got / expected if expected > 0 else math.nan,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _tail_unseen(data: Observed) -> bool:
    """Whether an open band holds claims whose sum is not known."""
    assert data.high is not None
    return bool((np.isinf(data.high) & (data.weights > 0) & ~np.isfinite(data.means)).any())


def _say_effective(rows: pd.DataFrame, tolerance: float) -> None:
    off = rows[(rows["effective_ratio"] - 1).abs() > tolerance]
    if len(off):
        cells = ", ".join(
            f"{term_label(level)} {ratio:.3f}"
            for level, ratio in zip(off["level"], off["effective_ratio"], strict=True)
        )
        warn(ModelWarning, "bands.effective", stacklevel=4, cells=cells)
