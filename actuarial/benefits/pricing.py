r"""The price of a layer: pure premium per person, its error, its segments, loadings and leverage.

Critical-illness layers pay on one amount a member-year (the year's counted cost), or on one claim; both are
:class:`~actuarial.layers.Piecewise`. By claims the pure premium is :math:`\sum F(x_i)/N`; by a fitted distribution
:math:`\lambda\sum_i s_i\{E[\min(X,e_{i+1})]-E[\min(X,e_i)]\}`, which also says what lies beyond the largest claim seen. Claims
alone understate a layer that a pool of this size seldom reaches; the two stand side by side.

A trend :math:`t` on all amounts moves a layer's cost by more than :math:`t`, because the deductible stays: the *leverage* is
the layer's growth over the trend.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from actuarial.benefits.layer import load_benefit_layer
from actuarial.benefits.layer_views import (
    AnyView,
    ByClaims,
    ByLaw,
    Per,
    deductible_of,
    segment_costs,
    with_deductible,
)
from actuarial.benefits.loadings import Loading, loaded, printed_financing, take_loadings
from actuarial.errors import Fault, InputError, ModelWarning, warn
from actuarial.law import load_law
from actuarial.layers import Piecewise
from actuarial.results import (
    COLOURS,
    Result,
    Source,
    figure_style,
    new_axes,
    suppress_small_cells,
    thousands,
    write_frames,
)
from actuarial.severity import Severity, SeverityFit, fit_severity
from actuarial.texts import pick, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRENDS = (0.05, 0.10, 0.15, 0.20, 0.25)
"""Trends of amounts at which leverage is shown."""


@dataclass(frozen=True, eq=False)
class LayerPrice(Result):
    """A layer, priced.

    Parameters
    ----------
    layer : Piecewise
    views : tuple
        By claims, by the fitted distribution: those that are there, at the trend asked for.
    base_views : tuple
        The same before the trend.
    frame : DataFrame
        See :attr:`table`.
    loadings : tuple of Loading
    trend : float
    financing_standard : float or None
        [yuan/person/year]
    largest : float
        Largest amount seen, after the trend [yuan]; NaN without claims.
    """

    layer: Piecewise
    views: tuple[AnyView, ...]
    base_views: tuple[AnyView, ...]
    frame: pd.DataFrame
    loadings: tuple[Loading, ...]
    trend: float
    financing_standard: float | None
    largest: float

    @property
    def table(self) -> pd.DataFrame:
        """One row a method.

        ``method`` (claims, fitted), ``persons`` (or claims) in the layer, ``pure_premium``, ``se``, ``low``, ``high``
        (95%), ``beyond_largest`` (part above the largest amount seen), ``process_sd`` (next year's, on as many persons),
        ``loaded_premium`` [yuan/person/year], ``share_of_standard``.
        """
        return self.frame.copy()

    @property
    def segments(self) -> pd.DataFrame:
        """Loss cost by segment: ``over``, ``up_to`` [yuan], ``pay_ratio``, cost and reach by each method."""
        return pd.DataFrame(segment_costs(self.layer, self.views))

    @property
    def fit(self) -> SeverityFit | None:
        """The fitted severity, before the trend."""
        return next((v.fit for v in self.base_views if isinstance(v, ByLaw)), None)

    def leverage(self, trends: Iterable[float] = TRENDS) -> pd.DataFrame:
        """Growth of the layer's cost against growth of all amounts, from the untrended data.

        ``trend``, then by method the pure premium [yuan/person/year], its growth, and growth over trend.
        """
        rows = []
        for trend in trends:
            row: dict[str, float] = {"trend": float(trend)}
            for view in self.base_views:
                before, after = view.pure(self.layer), view.scaled(1 + trend).pure(self.layer)
                growth = after / before - 1 if before > 0 else math.nan
                row |= {
                    view.name: after,
                    f"{view.name}_growth": growth,
                    f"{view.name}_leverage": growth / trend if trend else math.nan,
                }
            rows.append(row)
        return pd.DataFrame(rows)

    def premium_at(self, deductible: float, method: Literal["claims", "fitted"] = "fitted") -> float:
        """Loaded premium with the whole layer moved to another deductible [yuan/person/year]."""
        return _loaded(self._view(method), with_deductible(self.layer, deductible), self.loadings)

    def affordable_deductible(
        self, premium: float, method: Literal["claims", "fitted"] = "fitted"
    ) -> tuple[float, float]:
        """The deductible at which the loaded premium is `premium`, and its standard error [yuan].

        The premium falls as the deductible rises, so there is one answer; 0 where even that is affordable.

        Raises
        ------
        InputError
            If the premium is not positive, or there is no such method.
        """
        if not (premium > 0 and math.isfinite(premium)):
            raise InputError([Fault("pricing.premium", params={"premium": premium})])
        from scipy.optimize import brentq

        view = self._view(method)

        def gap(deductible: float) -> float:
            return _loaded(view, with_deductible(self.layer, deductible), self.loadings) - premium

        if gap(0.0) <= 0:
            return 0.0, 0.0
        high = max(deductible_of(self.layer), 1000.0)
        while gap(high) > 0:
            high *= 2
        found = float(brentq(gap, 0.0, high, xtol=1e-6))
        step = max(1e-3 * found, 0.01)
        slope = (gap(found + step) - gap(max(found - step, 0.0))) / (found + step - max(found - step, 0.0))
        moved = with_deductible(self.layer, found)
        error = view.error(moved) * premium / view.pure(moved) if view.pure(moved) > 0 else 0.0
        return found, error / abs(slope) if slope else math.inf

    def references(self, lang: str | None = None) -> pd.DataFrame:
        """Printed premiums and shares of financing beside the price.

        ``place``, ``premium`` [yuan/person/year], and by method the loaded premium over it and the deductible that it
        would pay for [yuan]. Shares need the financing standard.
        """
        rows = []
        for printed in printed_financing().values():
            amount = printed.amount(self.financing_standard)
            if amount is None:
                continue
            row: dict[str, object] = {
                "place": pick(printed.name, lang),
                "premium": amount,
                "share": printed.share,
            }
            for view in self.views:
                row[f"{view.name}_over"] = _loaded(view, self.layer, self.loadings) / amount
                row[f"{view.name}_deductible"] = self.affordable_deductible(amount, view.name)[0]  # type: ignore[arg-type]
            rows.append(row)
        return pd.DataFrame(rows)

    def summary(self, lang: str | None = None) -> str:
        """The price in words, by claims and fitted; then the table and the segments."""
        lines = []
        for row in self.frame.itertuples(index=False):
            lines.append(
                text(
                    "pricing_words.line", lang, method=text(f"pricing_words.{row.method}", lang),
                    pure=f"{row.pure_premium:,.2f}", se=f"{row.se:,.2f}", low=f"{row.low:,.2f}",
                    high=f"{row.high:,.2f}", beyond=f"{row.beyond_largest:,.2f}", loaded=f"{row.loaded_premium:,.2f}",
                )
            )  # fmt: skip
        if self.fit is not None:
            lines.append(self.fit.summary(lang).split("\n")[0])
        return "\n".join([*lines, self.frame.to_string(index=False), self.segments.to_string(index=False)])

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Price, segments, leverage and printed premiums as four sheets; fewer than 5 persons are blanked."""
        segments, price = self.segments, self.table
        for view in self.views:
            if view.name == "claims":
                segments = suppress_small_cells(segments, "claims_reach", ["claims"])
                values = [c for c in price.columns if c not in {"method", "persons"}]
                price = suppress_small_cells(price, "persons", values)
        sheets = {
            "price": price,
            "segments": segments,
            "leverage": self.leverage(),
            "references": self.references(lang),
        }
        return write_frames(path, {text(f"pricing_words.{k}", lang): f for k, f in sheets.items()})

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Loaded premium against the deductible, with the printed premiums as lines."""
        start = deductible_of(self.layer)
        grid = np.linspace(0.25, 2.5, 46) * (start or 10_000.0)
        with figure_style():
            ax = ax or new_axes()
            for view, colour in zip(self.views, ("accent", "main"), strict=False):
                premium = [_loaded(view, with_deductible(self.layer, d), self.loadings) for d in grid]
                ax.plot(
                    grid, premium, color=COLOURS[colour], lw=2, label=text(f"pricing_words.{view.name}", lang)
                )
            ax.axvline(start, color=COLOURS["ink"], lw=1, ls=":", label=text("pricing_words.present", lang))
            self._draw_printed(ax, float(grid[-1]), lang)
            ax.set_ylim(bottom=0)
            ax.xaxis.set_major_formatter(thousands)
            ax.set_xlabel(text("pricing_words.deductible", lang))
            ax.set_ylabel(text("pricing_words.loaded", lang))
            ax.legend()
        return ax

    def _draw_printed(self, ax: Axes, right: float, lang: str | None) -> None:
        """Printed premiums as lines; those too near for two labels share one."""
        top = ax.get_ylim()[1]
        amounts = [
            (p.amount(self.financing_standard), pick(p.name, lang)) for p in printed_financing().values()
        ]
        label, last = "", -math.inf
        for amount, name in sorted((a, n) for a, n in amounts if a is not None and a < top):
            ax.axhline(amount, color=COLOURS["light"], lw=1, zorder=1)
            if amount - last > 0.045 * top and label:
                ax.text(right, last, label, ha="right", va="bottom", fontsize=8)
                label = ""
            label += f"{'; ' if label else ''}{name} {amount:,.0f}"
            last = last if amount - last <= 0.045 * top and "; " in label else amount
        if label:
            ax.text(right, last, label, ha="right", va="bottom", fontsize=8)

    def _view(self, method: str) -> AnyView:
        for view in self.views:
            if view.name == method:
                return view
        raise InputError(
            [Fault("pricing.method", params={"name": method, "known": [v.name for v in self.views]})]
        )


def _loaded(view: AnyView, layer: Piecewise, loadings: tuple[Loading, ...]) -> float:
    needs = {x.base for x in loadings if x.share}
    process = math.sqrt(view.person_variance(layer) / view.insured) if "process_sd" in needs else 0.0
    estimate = view.error(layer) if "estimate_sd" in needs else 0.0
    return loaded(view.pure(layer), process, estimate, loadings)


def price_layer(
    layer: Piecewise | str,
    *,
    insured: float,
    amounts: ArrayLike | None = None,
    severity: SeverityFit | Severity | None = None,
    frequency: float | None = None,
    per: Per = "member_year",
    dispersion: float = 1.0,
    trend: float = 0.0,
    loadings: str | Iterable[Loading] = (),
    financing_standard: float | None = None,
    seed: int = 2012,
    resamples: int = 2000,
) -> LayerPrice:
    """Price a layer by the claims that were and by a fitted distribution.

    Parameters
    ----------
    layer : Piecewise or str
        What is paid for one amount, or the id of a layer's law file.
    insured : float
        Persons behind the data, those without claims included [person-years].
    amounts : array_like, optional
        The year's counted cost of each member (``per="member_year"``) or each claim [yuan]; zeros do not matter.
    severity : SeverityFit or Severity, optional
        Fitted to `amounts` if not given.
    frequency : float, optional
        Amounts above 0 a person and year; from `amounts`, or from the fit, if not given.
    per : {"member_year", "claim"}
        What one amount is.
    dispersion : float
        Variance over mean of the number of claims (``per="claim"``), at least 1.
    trend : float
        Growth of all amounts to the year that is priced (0.21 is 21%).
    loadings : str or iterable of Loading
        A place whose text prints them (``hainan``, ``shanghai``, ``shandong``, ``guangdong_draft``), or one's own.
    financing_standard : float, optional
        What all payers give a person and year [yuan], for the premium's share of it.
    seed, resamples : int
        Of the resampled interval by claims.

    Raises
    ------
    InputError
        For amounts, numbers or loadings that cannot be; a layer that pays at 0 or falls; neither claims nor severity.

    Warns
    -----
    ModelWarning
        Where no claim reaches the layer, or no distribution can be fitted, or the layer's variance is infinite.

    Examples
    --------
    >>> from actuarial.severity import Lognormal
    >>> price = price_layer(Piecewise([10_000, 40_000], [0, 1, 0]), insured=1.0, severity=Lognormal(8000, 2),
    ...                     frequency=100.0, per="claim")
    >>> float(price.table["pure_premium"].iloc[0].round(6))
    236175.465423
    """
    function, sources = _layer(layer)
    _check_numbers(insured, trend, dispersion, frequency, resamples)
    taken = take_loadings(loadings)
    claims = None if amounts is None else _amounts(amounts, insured, per)
    if claims is None and severity is None:
        raise InputError([Fault("pricing.nothing")])
    base: list[AnyView] = []
    if claims is not None and len(claims):
        base.append(ByClaims(insured, per, dispersion, claims))
    law = _by_law(severity, claims, frequency, insured, per, dispersion)
    base += [law] if law is not None else []
    if not base:
        raise InputError([Fault("pricing.nothing")])
    if claims is not None and not (function(claims * (1 + trend)) > 0).any():
        warn(ModelWarning, "pricing.no_claims", largest=float(claims.max(initial=0.0)) * (1 + trend))
    views = tuple(v.scaled(1 + trend) for v in base)
    largest = float(claims.max(initial=0.0)) * (1 + trend) if claims is not None else math.nan
    rows = [_row(v, function, taken, largest, financing_standard, seed, resamples) for v in views]
    if any(math.isinf(r["process_sd"]) for r in rows):
        warn(ModelWarning, "pricing.no_variance")
    return LayerPrice(
        function, views, tuple(base), pd.DataFrame(rows), taken, trend, financing_standard, largest,
        sources=(*sources, *(x.source for x in taken)),
    )  # fmt: skip


def _row(
    view: AnyView, layer: Piecewise, loadings: tuple[Loading, ...], largest: float, standard: float | None,
    seed: int, resamples: int,
) -> dict[str, float]:  # fmt: skip
    low, high = view.interval(layer, seed=seed, resamples=resamples)
    premium = _loaded(view, layer, loadings)
    return {
        "method": view.name,  # type: ignore[dict-item]
        "persons": view.reach(deductible_of(layer)) * view.insured,
        "pure_premium": view.pure(layer),
        "se": view.error(layer),
        "low": low,
        "high": high,
        "beyond_largest": view.beyond(layer, largest) if largest == largest else math.nan,
        "process_sd": math.sqrt(view.person_variance(layer) / view.insured),
        "loaded_premium": premium,
        "share_of_standard": premium / standard if standard else math.nan,
    }


# --------------------------------------------------------------------------- input


def _layer(layer: Piecewise | str) -> tuple[Piecewise, tuple[Source, ...]]:
    if isinstance(layer, str):
        return load_benefit_layer(layer), (load_law(layer, "layer").source("deductible"),)
    if float(layer(0.0)) != 0 or min(layer.slopes) < 0 or min(layer.jumps, default=0.0) < 0:
        raise InputError([Fault("pricing.layer", params={"at_zero": float(layer(0.0))})])
    return layer, ()


def _check_numbers(
    insured: float, trend: float, dispersion: float, frequency: float | None, resamples: int
) -> None:
    limits = {
        "insured": (insured, 0 < insured < math.inf),
        "trend": (trend, -1 < trend < math.inf),
        "dispersion": (dispersion, 1 <= dispersion < math.inf),
        "frequency": (frequency, frequency is None or 0 < frequency < math.inf),
        "resamples": (resamples, resamples >= 100),
    }
    bad = [
        Fault("pricing.number", params={"name": k, "value": v}) for k, (v, good) in limits.items() if not good
    ]
    if bad:
        raise InputError(bad)


def _amounts(amounts: ArrayLike, insured: float, per: Per) -> np.ndarray:
    x = np.asarray(amounts, dtype=np.float64).ravel()
    bad = x[~(np.isfinite(x) & (x >= 0))]
    if bad.size:
        raise InputError([Fault("pricing.amounts", params={"count": bad.size, "first": float(bad[0])})])
    x = np.sort(x[x > 0])
    if per == "member_year" and len(x) > insured:
        raise InputError([Fault("pricing.insured", params={"members": len(x), "insured": insured})])
    return x


def _by_law(
    severity: SeverityFit | Severity | None, claims: np.ndarray | None, frequency: float | None, insured: float,
    per: Per, dispersion: float,
) -> ByLaw | None:  # fmt: skip
    if severity is None:
        try:
            severity = fit_severity(claims)
        except InputError as error:
            warn(ModelWarning, "pricing.not_fitted", stacklevel=4, reason=error.message())
            return None
    if isinstance(severity, Severity):
        if frequency is None and claims is None:
            raise InputError([Fault("pricing.frequency")])
        rate = frequency if frequency is not None else len(claims) / insured  # type: ignore[arg-type]
        return ByLaw(insured, per, dispersion, severity, rate)
    rate = frequency if frequency is not None else severity.observed.count / insured / severity.seen_share
    return ByLaw(insured, per, dispersion, severity.law, rate, severity)
