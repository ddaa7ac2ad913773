"""Back-test: forecast each past year from the years before it, and count how the forecasts did.

For every year that has enough history the model is fitted to what was known then (a rolling origin) and its
distribution is scored at the level that came: continuous ranked probability score (CRPS), log score, absolute
error of the median, bias, interval scores and coverage. Funds of one year share its shocks, so coverage has an
interval **clustered by year**: five years of thirty-one funds are not 155 trials. References 15 and 16.

Peers are computed on the same origins: ``naive`` (no growth), ``drift`` (random walk with drift, normal, as
forecasting packages do it), and on request ``ets`` and ``arima`` (statsmodels, with its own intervals).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from actuarial.errors import Fault, InputError
from actuarial.growth.fit import fit_growth
from actuarial.growth.levels import read_history
from actuarial.growth.predictive import Predictive
from actuarial.growth.prior import Prior
from actuarial.results import COLOURS, Result, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
PEERS = ("naive", "drift", "ets", "arima")
Z80, Z95 = (float(stats.norm.ppf(q)) for q in (0.9, 0.975))


@dataclass(frozen=True, eq=False)
class Backtest(Result):
    """Scores of past forecasts.

    Parameters
    ----------
    frame : DataFrame
        One row a forecast: ``model`` (`model` below or a peer), ``column``, ``origin``, ``horizon``, ``actual`` (log growth since the last level),
        ``median``, ``crps``, ``log_score``, ``interval_score_80``, ``interval_score_95``, ``covered_80``,
        ``covered_95``, ``pit``.
    points : int or None
        Years of history that each forecast was given; None for all.
    model : str
        What the rows of the model under test are called: its name, after ``fit_`` where a peer has the same name.
    """

    frame: pd.DataFrame
    points: int | None
    model: str = "pooled"

    @property
    def table(self) -> pd.DataFrame:
        """By model and horizon: number, CRPS (and over that of ``drift``), log score, MAE, bias, coverage with its interval."""
        rows = []
        for (model, horizon), part in self.frame.groupby(["model", "horizon"], sort=False):
            row: dict[str, Any] = {
                "model": model,
                "horizon": horizon,
                "forecasts": len(part),
                "years": part["origin"].nunique(),
            }
            for name in ("crps", "log_score", "interval_score_80", "interval_score_95"):
                row[name] = float(part[name].mean())
            error = part["median"] - part["actual"]
            row |= {"mae": float(error.abs().mean()), "bias": float(error.mean())}
            for level in (80, 95):
                row[f"coverage_{level}"] = float(part[f"covered_{level}"].mean())
                low, high = coverage_interval(part, level)
                row |= {f"coverage_{level}_low": low, f"coverage_{level}_high": high}
            rows.append(row)
        table = pd.DataFrame(rows)
        drift = table[table["model"] == "drift"].set_index("horizon")["crps"]
        table.insert(
            5, "crps_over_drift", table["crps"] / table["horizon"].map(drift) if len(drift) else np.nan
        )
        return table

    def verdict(self, lang: str | None = None) -> str:
        """One sentence on whether the model did better than drift and its intervals held."""
        table = self.table
        ours = table[(table["model"] == self.model) & (table["horizon"] == table["horizon"].min())].iloc[0]
        gain, score = 100 * (1 - ours["crps_over_drift"]), ""
        if np.isfinite(gain):  # drift is among the peers
            which = "growth_words.verdict_better" if gain >= 0 else "growth_words.verdict_worse"
            score = text(which, lang, gain=f"{abs(gain):.0f}")
        held = (
            ours["coverage_80_low"] <= 0.80 <= ours["coverage_80_high"]
            and ours["coverage_95_low"] <= 0.95 <= ours["coverage_95_high"]
        )
        code = "growth_words.verdict_held" if held else "growth_words.verdict_not_held"
        enough = (
            ""
            if ours["years"] >= 5
            else " " + text("growth_words.verdict_few", lang, years=int(ours["years"]))
        )
        return text(
            code, lang, score=score, c80=f"{100 * ours['coverage_80']:.0f}", c95=f"{100 * ours['coverage_95']:.0f}",
            forecasts=int(ours["forecasts"]), years=int(ours["years"]),
        ) + enough  # fmt: skip

    def summary(self, lang: str | None = None) -> str:
        """The table and the verdict."""
        return f"{self.table.round(4).to_string(index=False)}\n{self.verdict(lang)}"

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Histogram of the probability integral transform of the one-year forecasts: flat where they are honest."""
        with figure_style():
            ax = ax or new_axes()
            first = self.frame["horizon"] == self.frame["horizon"].min()
            edges = np.linspace(0, 1, 11)
            for model, colour in ((self.model, "main"), ("drift", "accent")):
                pit = self.frame.loc[first & (self.frame["model"] == model), "pit"]
                if len(pit):
                    share = np.histogram(pit, edges)[0] / len(pit)
                    ax.stairs(share, edges, color=COLOURS[colour], linewidth=2, fill=model == self.model,
                              alpha=0.85 if model == self.model else 1.0, label=_label(model, lang))  # fmt: skip
            ax.axhline(0.1, color=COLOURS["ink"], linestyle="--", linewidth=1)
            ax.set_xlabel(text("growth_words.pit", lang))
            ax.set_ylabel(text("growth_words.pit_share", lang))
            ax.legend()
        return ax


def _label(model: str, lang: str | None) -> str:
    """A model's name in a legend."""
    if model in {"pooled", "drift"}:
        return text(f"growth_words.peer_{model}", lang)
    name = text(f"growth_words.model_{model.removeprefix('fit_')}", lang)
    return text("growth_words.peer_own", lang, model=name)


def coverage_interval(part: pd.DataFrame, level: int) -> tuple[float, float]:
    """95% interval of a coverage, its years taken as the independent trials (Student, clustered standard error).

    With one year nothing can be said: the interval is 0 to 1. Where every forecast was covered, or none, the bound is
    that of a binomial with as many trials as years.
    """
    years = part.groupby("origin")[f"covered_{level}"].agg(["sum", "size"])
    share, count, n = float(part[f"covered_{level}"].mean()), len(years), float(years["size"].sum())
    if count < 2:
        return 0.0, 1.0
    if share in {0.0, 1.0}:
        bound = 0.025 ** (1 / count)
        return (bound, 1.0) if share == 1.0 else (0.0, 1 - bound)
    error = math.sqrt(count / (count - 1) * float(((years["sum"] - share * years["size"]) ** 2).sum())) / n
    half = float(stats.t(count - 1).ppf(0.975)) * error
    return max(0.0, share - half), min(1.0, share + half)


def backtest(
    series: pd.Series | pd.DataFrame,
    *,
    points: int | None = None,
    horizons: Sequence[int] = (1,),
    peers: Iterable[str] = ("naive", "drift"),
    prior: Prior | str | None = None,
    shared: bool = True,
    least: int = 3,
    **options: Any,
) -> Backtest:
    """Forecast each past year of a series or a panel from the years before it.

    Parameters
    ----------
    series : Series or DataFrame
        As for :func:`fit_growth`.
    points : int, optional
        Years of history each forecast is given (all without a gap); without it all years there are, at least `least`.
    horizons : sequence of int
        Years ahead, from 1 to 10.
    peers : iterable of {"naive", "drift", "ets", "arima"}
    prior : Prior or str, optional
    shared : bool
        Whether the columns of a panel lend each other experience; False fits each alone.
    least : int
        Fewest points, at least 3.
    **options
        Passed on to :func:`fit_growth` (``breaks``, ``model``).

    Raises
    ------
    InputError
        If no year has enough history, or an option is out of range.

    Examples
    --------
    >>> years = range(2003, 2013)
    >>> levels = pd.Series([100.0, 108, 118, 125, 139, 147, 160, 178, 190, 207], index=years)
    >>> test = backtest(levels, points=4)
    >>> int(test.table.query("model == 'pooled'")["forecasts"].iloc[0])
    6
    """
    horizons, peers = tuple(horizons), tuple(peers)
    if (
        not set(peers) <= set(PEERS)
        or not horizons
        or not all(1 <= h <= 10 for h in horizons)
        or least < 3
        or (points or 3) < 3
    ):
        raise InputError([Fault("growth.backtest_options")])
    model = str(options.get("model", "pooled"))
    called = f"fit_{model}" if model in PEERS else model
    levels = read_history(series).on_level
    rows: list[dict[str, Any]] = []
    for origin, past, columns in _origins(levels, points, least, max(1, min(horizons))):
        groups = [columns] if shared else [[c] for c in columns]
        for group in groups:
            part: Any = past[group]
            fit = fit_growth(part if len(group) > 1 else part[group[0]], prior=prior, **options)
            rows += _score_fit(called, fit, levels, origin, group, horizons)
        for peer in peers:
            rows += _score_peer(peer, past, levels, origin, columns, horizons)
    if not rows:
        raise InputError([Fault("growth.backtest_short", params={"points": points or least})])
    return Backtest(pd.DataFrame(rows), points, called)


def _origins(
    levels: pd.DataFrame, points: int | None, least: int, first: int
) -> Iterator[tuple[int, pd.DataFrame, list[Any]]]:
    """Origin, what was known then, and the columns that have enough history and a level to be scored at."""
    for origin in levels.index:
        past = levels.loc[:origin] if points is None else levels.loc[origin - points + 1 : origin]
        if points is not None and len(past) < points:
            continue
        seen = past.notna().sum()
        enough = (seen == points) if points is not None else (seen >= least) & past.loc[origin].notna()
        later = levels.loc[origin + first :].notna().any()
        names: list[Any] = list(levels)
        columns = [c for c in names if enough[c] and later[c] and (origin + first in levels.index)]
        columns = [c for c in columns if not math.isnan(levels.loc[origin + first, c])]
        if columns:
            yield int(origin), past[columns], columns


def _score_fit(
    model: str, fit: Any, levels: pd.DataFrame, origin: int, group: list[Any], horizons: tuple[int, ...]
) -> list[dict[str, Any]]:
    rows = []
    for h in horizons:
        if origin + h not in levels.index:
            continue
        forecast = fit.forecast(h)
        for column, last, part in zip(group, forecast.last, forecast.parts, strict=True):
            level = levels.loc[origin + h, column]
            if not math.isnan(level):
                rows.append(
                    _row(
                        model,
                        column,
                        origin,
                        h,
                        math.log(level / last),
                        _student(part, math.log(level / last)),
                    )
                )
    return rows


def _student(part: Predictive, x: float) -> dict[str, float]:
    q = part.quantile([0.025, 0.1, 0.5, 0.9, 0.975])
    return {"crps": part.crps(x), "log_score": -part.log_density(x), "pit": float(part.cdf(x)[0]), "q": q}  # type: ignore[dict-item]


def _row(model: str, column: Any, origin: int, h: int, x: float, found: dict[str, Any]) -> dict[str, Any]:
    low95, low80, median, high80, high95 = found.pop("q")
    row = {
        "model": model,
        "column": column,
        "origin": origin,
        "horizon": h,
        "actual": x,
        "median": float(median),
        **found,
    }
    for level, low, high in ((80, low80, high80), (95, low95, high95)):
        penalty = 2 / (1 - level / 100) * (max(low - x, 0.0) + max(x - high, 0.0))
        row[f"interval_score_{level}"] = float(high - low + penalty)
        row[f"covered_{level}"] = bool(low <= x <= high)
    return row


def _score_peer(
    peer: str,
    past: pd.DataFrame,
    levels: pd.DataFrame,
    origin: int,
    columns: list[Any],
    horizons: tuple[int, ...],
) -> list[dict[str, Any]]:
    rows = []
    for column in columns:
        logs = np.log(past[column].dropna().to_numpy())
        for h in horizons:
            level = levels.loc[origin + h, column] if origin + h in levels.index else math.nan
            if math.isnan(level):
                continue
            centre, scale = _normal_peer(peer, logs, h)
            x = float(np.log(level) - logs[-1])
            rows.append(_row(peer, column, origin, h, x, normal_scores(centre, scale, x)))
    return rows


def normal_scores(centre: float, scale: float, x: float) -> dict[str, Any]:
    """CRPS (closed form), log score, PIT and quantiles of a normal forecast; a point where it has no spread."""
    scale = max(scale, 1e-9)
    z = (x - centre) / scale
    crps = scale * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi))
    q = centre + scale * np.array([-Z95, -Z80, 0.0, Z80, Z95])
    return {
        "crps": float(crps),
        "log_score": -float(stats.norm.logpdf(z) - math.log(scale)),
        "pit": float(stats.norm.cdf(z)),
        "q": q,
    }


def _normal_peer(peer: str, logs: Array, h: int) -> tuple[float, float]:
    """Centre and scale of log growth over `h` years, as the peer gives them."""
    growth = np.diff(logs)
    n = len(growth)
    if peer == "naive":
        return 0.0, math.sqrt(h * float((growth**2).mean()))
    if peer == "drift":
        return h * float(growth.mean()), float(growth.std(ddof=1)) * math.sqrt(h * (1 + h / n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if peer == "ets":
            from statsmodels.tsa.exponential_smoothing.ets import ETSModel

            fit = ETSModel(
                pd.Series(logs),
                error="add",
                trend="add",
                initialization_method="heuristic" if len(logs) >= 10 else "estimated",
            ).fit(disp=0)
            found = fit.get_prediction(start=len(logs), end=len(logs) + h - 1)
            return float(np.asarray(found.predicted_mean)[-1] - logs[-1]), math.sqrt(
                float(np.asarray(found.forecast_variance)[-1])
            )
        from statsmodels.tsa.arima.model import ARIMA

        ahead = ARIMA(logs, order=(1, 1, 0), trend="t").fit().get_forecast(h)
        return float(np.asarray(ahead.predicted_mean)[-1] - logs[-1]), float(np.asarray(ahead.se_mean)[-1])
