r"""Choosing a severity: all families by maximum likelihood, the one of least AIC, and the plots to doubt it by.

For single amounts the likelihood is of the density given that the claim is seen, :math:`f(x)/S(d)` with claims at or
below :math:`d` unseen. For bands with counts :math:`n_j` it is multinomial,
:math:`\sum n_j\ln\{[S(a_j)-S(b_j)]/S(d)\}`, and a band's mean :math:`\bar x_j`, where its sum is given, adds a normal term
with the law's own conditional mean and variance, :math:`\sigma_j^2/n_j` (iterated; an open band without variance counts
weakly). A sum says much about the shape inside its band: it should be given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.layers import Piecewise
from actuarial.results import COLOURS, Result, figure_style, new_axes, thousands
from actuarial.severity.base import Array, Severity
from actuarial.severity.families import FAMILIES
from actuarial.severity.likelihood import LawFit, fit_family
from actuarial.severity.observed import Observed, from_amounts, from_bands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class SeverityFit(Result):
    """A fitted severity, with the families that were tried.

    Parameters
    ----------
    fits : tuple of LawFit
        All families that could be fitted, best AIC first.
    chosen : LawFit
    observed : Observed
    asked : str or None
        The family that was asked for, where the choice was not left to AIC.
    """

    fits: tuple[LawFit, ...]
    chosen: LawFit
    observed: Observed
    asked: str | None = None

    @property
    def law(self) -> Severity:
        """The chosen distribution [yuan]."""
        return self.chosen.law

    @property
    def cost_gap(self) -> float:
        """Mean of the law over the mean seen, less 1; NaN where sums are missing."""
        return _cost_gap(self.chosen, self.observed)

    @property
    def seen_share(self) -> float:
        """Share of all claims that lie above the truncation, by the law."""
        return self.law.survival(self.observed.truncated_at * self.observed.unit)

    def expected(self, payment: Piecewise) -> tuple[float, float]:
        """``E[F(X)]`` and its standard error (error of the fit only) [yuan/claim]."""
        value, covariance = self.chosen.delta(lambda law: law.expected(payment))
        return float(value[0]), math.sqrt(max(float(covariance[0, 0]), 0.0))

    @property
    def table(self) -> pd.DataFrame:
        """One row a family.

        ``family``, ``parameters``, ``log_likelihood``, ``aic``, ``aic_above_best``, ``distance`` (largest gap between
        observed and fitted shares above an amount), ``cost_gap`` (mean of the law over the mean seen, less 1), ``layer_gap``
        (miss of the cost above high amounts over what chance allows; at most 1 is good), ``mean``, ``q99`` [yuan], ``threshold`` and ``xi`` of
        a tail, ``chosen``.
        """
        best = self.fits[0].aic
        rows = []
        for fit in self.fits:
            law = fit.law
            rows.append(
                {
                    "family": fit.family.name,
                    "parameters": fit.family.size,
                    "log_likelihood": fit.log_likelihood,
                    "aic": fit.aic,
                    "aic_above_best": fit.aic - best,
                    "distance": self._distance(law),
                    "cost_gap": _cost_gap(fit, self.observed),
                    "layer_gap": excess_gap(fit, self.observed),
                    "mean": law.mean,
                    "q99": float(law.quantile(0.99)),
                    "threshold": getattr(law, "threshold", math.nan),
                    "xi": getattr(law, "xi", math.nan),
                    "chosen": fit is self.chosen,
                }
            )
        return pd.DataFrame(rows)

    def _distance(self, law: Severity) -> float:
        at, above = self.observed.survival()
        fitted = law.survivals(at * self.observed.unit)
        return float(
            np.abs(fitted / law.survival(self.observed.truncated_at * self.observed.unit) - above).max()
        )

    def summary(self, lang: str | None = None) -> str:
        """Which law was chosen and why, and the table."""
        why = "asked" if self.asked else "by_aic"
        name = text(f"severity_words.{self.chosen.family.name}", lang)
        head = text(f"severity_words.{why}", lang, law=name, count=f"{self.observed.count:,.0f}")
        return f"{head}\n{self.table.to_string(index=False)}"

    def plot(
        self,
        ax: Axes | None = None,
        *,
        kind: Literal["survival", "mean_excess"] = "survival",
        lang: str | None = None,
    ) -> Axes:
        """Observed against fitted: share of claims above an amount (both axes logarithmic), or mean excess.

        A straight line of mean excess is a Pareto tail, a level one an exponential; a curve that bends below the
        points understates the dear cases.
        """
        at, values = self._observed_curve(kind)
        grid = np.geomspace(max(at[at > 0].min(), at.max() * 1e-5), at.max() * 1.5, 200)
        with figure_style():
            ax = ax or new_axes()
            colours = dict(zip(FAMILIES, ("accent", "good", "main", "ink"), strict=True))
            for fit in self.fits:
                law, name = fit.law, fit.family.name
                seen = law.survival(self.observed.truncated_at * self.observed.unit)
                curve = law.survivals(grid) / seen if kind == "survival" else [law.excess(g) for g in grid]
                label = text(f"severity_words.{name}", lang)
                ax.plot(
                    grid, curve, color=COLOURS[colours[name]], lw=2.2 if fit is self.chosen else 1.0,
                    ls="-" if fit is self.chosen else "--", label=label, zorder=3,
                )  # fmt: skip
            ax.plot(
                at,
                values,
                ".",
                color=COLOURS["ink"],
                ms=5,
                alpha=0.6,
                label=text("severity_words.observed", lang),
            )
            ax.set_xscale("log")
            if kind == "survival":
                ax.set_yscale("log")
                ax.set_ylim(bottom=max(values[values > 0].min() / 5, 1e-12), top=1.3)
            else:
                ax.set_ylim(0, 2 * np.nanmax(values))
                ax.yaxis.set_major_formatter(thousands)
            ax.set_xlabel(text("severity_words.amount", lang))
            ax.set_ylabel(text(f"severity_words.{kind}", lang))
            ax.legend()
        return ax

    def _observed_curve(self, kind: str) -> tuple[Array, Array]:
        data = self.observed
        at, above = data.survival()
        if kind == "survival":
            keep = (at > 0) & (above > 0)
            return at[keep] * data.unit, above[keep]
        points = data.points
        count = data.weights[::-1].cumsum()[::-1]
        total = (data.weights * points)[::-1].cumsum()[::-1]
        if data.low is None:  # excess over each amount, over those above it; at least ten of them
            with np.errstate(divide="ignore", invalid="ignore"):
                excess = (total - data.weights * points) / (count - data.weights) - points
            keep = count - data.weights >= 10
            return points[keep] * data.unit, excess[keep] * data.unit
        known = np.isfinite(data.means) | (data.weights == 0)
        keep = (count > 0) & np.logical_and.accumulate(known[::-1])[::-1] & (at > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = total / count - at
        return at[keep] * data.unit, excess[keep] * data.unit


def fit_severity(
    amounts: ArrayLike | None = None,
    *,
    bands: pd.DataFrame | None = None,
    truncated_at: float = 0.0,
    families: Iterable[str] = tuple(FAMILIES),
    family: str | None = None,
    threshold: float | None = None,
) -> SeverityFit:
    """Fit loss distributions to single amounts or to bands; choose the least AIC that reproduces the cost of layers.

    Parameters
    ----------
    amounts : array_like, optional
        Amounts above 0 [yuan]. Zeros belong to the frequency.
    bands : DataFrame, optional
        ``band_from``, ``band_to`` [yuan] (empty: open), ``visits``, and ``in_scope_cost`` where sums are known.
    truncated_at : float
        Claims at or below are not in the data (a deductible below which nobody claims) [yuan].
    families : iterable of str
        Which to try: ``lognormal``, ``gamma``, ``spliced_pareto``, ``lognormal_mixture``.
    family : str, optional
        Take this one whatever its AIC.
    threshold : float, optional
        Where the tail of ``spliced_pareto`` begins [yuan]; of highest likelihood if not given.

    Raises
    ------
    InputError
        For amounts or bands that cannot be used, or too few for any family.

    Warns
    -----
    ModelWarning
        Where the chosen law's information matrix is not positive definite, so that its error is not known in full.

    Examples
    --------
    >>> from actuarial.severity import Lognormal
    >>> fit = fit_severity(Lognormal(8000, 2).draw(2000, seed=7), family="lognormal")
    >>> abs(fit.law.mean / 8000 - 1) < 0.1
    True
    """
    if (amounts is None) == (bands is None):
        raise InputError([Fault("severity.one_of")])
    wanted = [family] if family else list(families)
    unknown = [f for f in wanted if f not in FAMILIES]
    if unknown or not wanted:
        raise InputError([Fault("severity.family", params={"name": unknown, "known": list(FAMILIES)})])
    data = from_amounts(amounts, truncated_at) if bands is None else from_bands(bands, truncated_at)  # type: ignore[arg-type]
    at = None if threshold is None else threshold / data.unit
    fits = [f for name in wanted if (f := fit_family(FAMILIES[name], data, threshold=at)) is not None]
    if not fits:
        raise InputError([Fault("severity.too_few_bands", params={"numbers": data.information})])
    return choose(fits, data, family)


def choose(fits: list[LawFit], data: Observed, asked: str | None = None) -> SeverityFit:
    """The fit of least AIC among those that reproduce the mean cost, with the rest beside it.

    AIC is ruled by the many ordinary claims; a law may win by them and miss the total by a tenth, or the cost of a
    layer by half. A law that misses the cost above 0 or above a high amount by more than chance allows
    (:meth:`~actuarial.severity.observed.Observed.excess_gap` above 1) is passed over. Where none is left,
    the one that misses least is taken, and said; of a family that was asked for the table tells.
    """
    ordered = tuple(sorted(fits, key=lambda f: f.aic))
    gaps = {id(f): excess_gap(f, data) for f in ordered}
    sound = [f for f in ordered if not gaps[id(f)] > 1]
    chosen = sound[0] if sound else min(ordered, key=lambda f: gaps[id(f)])
    name = text(f"severity_words.{chosen.family.name}")
    if not sound and asked is None:
        warn(ModelWarning, "severity.cost_gap", stacklevel=4, law=name, gap=gaps[id(chosen)])
    if not chosen.regular:
        warn(ModelWarning, "severity.flat", stacklevel=4, law=name)
    if not math.isfinite(float(chosen.law.partial(2, math.inf))):
        warn(ModelWarning, "severity.no_variance", stacklevel=4, law=name)
    return SeverityFit(ordered, chosen, data, asked)


def excess_gap(fit: LawFit, data: Observed) -> float:
    """:meth:`Observed.excess_gap` of a fit; at most 1 where it reproduces the cost of all layers."""
    return data.excess_gap(fit.family.law(fit.theta, fit.threshold))


def _cost_gap(fit: LawFit, data: Observed) -> float:
    law, d = fit.law, data.truncated_at * data.unit
    seen = (law.mean - float(law.partial(1, d))) / law.survival(d)
    return seen / (data.total / data.count) - 1
