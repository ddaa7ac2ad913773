"""Growth one year ahead from 4, 6 and 8 points, against statsforecast's stored answers: accuracy, coverage, speed.

``python benchmarks/growth.py`` prints the tables of docs/growth.md; ``--priors default oecd us_states`` judges the priors
that were fitted on one panel on the others; ``--alone`` fits every series without its neighbours, ``--groups`` in groups; ``--speed`` only times;
``--stacked 6`` compares stacking with the average by evidence.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from growth_panels import PEERS, POINTS, grouped, panels, windows

import actuarial as act
from actuarial.growth.backtest import Backtest, coverage_interval, normal_scores
from actuarial.growth.jumps import history_jumps

ORDER = ["RWD", "Naive", "AutoETS", "AutoARIMA", "AutoTheta"]


def peers(frame: pd.DataFrame, panel: str, points: int) -> pd.DataFrame:
    """Stored forecasts of the peers, scored; CRPS and log score as normal with the sd of their 95% interval."""
    found = pd.read_csv(PEERS).query("panel == @panel and points == @points")
    rows = []
    for row in found.itertuples():
        x = float(np.log(frame.loc[row.origin + 1, row.column]))
        one = normal_scores(row.mean, (row.high_95 - row.low_95) / (2 * 1.959964), x)
        one.pop("q")
        for level in (80, 95):
            low, high = getattr(row, f"low_{level}"), getattr(row, f"high_{level}")
            penalty = 2 / (1 - level / 100) * (max(low - x, 0.0) + max(x - high, 0.0))
            one |= {f"interval_score_{level}": high - low + penalty, f"covered_{level}": low <= x <= high}
        rows.append(
            {
                "model": row.model,
                "column": row.column,
                "origin": row.origin,
                "horizon": 1,
                "actual": x,
                "median": row.mean,
                **one,
            }
        )
    return pd.DataFrame(rows)


def compare(
    panel: str, frame: pd.DataFrame, points: int, prior: str, *, alone: bool, groups: bool = False
) -> dict[str, object]:
    """One line of the table; merger years are left out of the scores and counted apart."""
    levels = grouped(panel, frame) if groups else frame
    test = act.backtest(levels, points=points, peers=(), prior=prior, shared=not alone)
    if groups:
        test.frame["column"] = [c[-1] for c in test.frame["column"]]
    jumps = (
        {(b.series, int(b.period)) for b in history_jumps(frame)} if panel.startswith("provinces") else set()
    )
    ours, theirs = (
        part[[(c, o + 1) not in jumps for c, o in zip(part["column"], part["origin"], strict=True)]]
        for part in (test.frame, peers(frame, panel, points))
    )
    mean = theirs.groupby("model")[["crps", "interval_score_80", "interval_score_95"]].mean()
    table = Backtest(ours, points).table.iloc[0]
    best = mean["crps"].drop("RWD").idxmin()
    line: dict[str, object] = {
        "panel": panel, "points": points, "prior": prior, "n": len(ours), "years": int(table["years"]), "merger years": len(test.frame) - len(ours),
        "CRPS": table["crps"], "÷ drift": table["crps"] / mean.loc["RWD", "crps"], "÷ best other": table["crps"] / mean.loc[best, "crps"],
        "IS80 ÷ best": table["interval_score_80"] / mean["interval_score_80"].min(),
        "IS95 ÷ best": table["interval_score_95"] / mean["interval_score_95"].min(),
    }  # fmt: skip
    for level in (80, 95):
        low, high = coverage_interval(ours, level)
        line[f"cover {level}"] = f"{100 * table[f'coverage_{level}']:.1f} ({100 * low:.0f}–{100 * high:.0f})"
        drift = theirs.loc[theirs["model"] == "RWD", f"covered_{level}"].mean()
        line[f"drift {level}"] = f"{100 * drift:.0f}"
    pit = np.histogram(ours["pit"], np.linspace(0, 1, 6))[0] / len(ours)
    line["PIT fifths"] = " ".join(f"{100 * p:.0f}" for p in pit)
    return line


def stacked(names: list[str], points: int, every: int, columns: int | None) -> None:
    """CRPS of stacking over that of the average by evidence, on some origins; some series only, if asked for."""
    for name in names:
        frame = (
            panels()[name].iloc[:, :: max(1, panels()[name].shape[1] // columns)]
            if columns
            else panels()[name]
        )
        found = windows(frame, points)
        scores = []
        for origin in sorted({o for _, o in found})[::every]:
            part = frame.loc[origin - points + 1 : origin, [c for c, o in found if o == origin]]
            came = np.log(frame.loc[origin + 1, part.columns] / part.iloc[-1])
            fits = [act.fit_growth(part, model=m, raw=False).forecast(1).parts for m in ("pooled", "stacked")]
            scores.append([np.mean([p.crps(x) for p, x in zip(f, came, strict=True)]) for f in fits])
        ours, theirs = np.array(scores).T
        away = theirs - ours
        t = away.mean() / (away.std(ddof=1) / np.sqrt(len(away))) if len(away) > 1 else np.nan
        print(
            f"{name} {points}: {len(away)} years, ÷ evidence {theirs.mean() / ours.mean():.3f} (t {t:.1f})",
            flush=True,
        )


def speed() -> None:
    """A panel of 31 series, eight points, all origins, against a loop of statsmodels fits on the same windows;
    processor time on one thread, so that other work on the machine does not count.
    """
    frame = panels()["oecd"].loc[1985:2015].dropna(axis=1, thresh=20).iloc[:, :31]
    act.fit_growth(frame.loc[2000:2007].dropna(axis=1)).forecast(1)
    start = time.process_time()
    count = 0
    for origin in range(1992, 2015):
        part = frame.loc[origin - 7 : origin].dropna(axis=1)
        act.fit_growth(part).forecast(1).quantile([0.025, 0.1, 0.5, 0.9, 0.975])
        count += part.shape[1]
    ours = time.process_time() - start
    sample = windows(frame, 8)[::25]
    print(
        f"{frame.shape[1]} series, {count} forecasts from 8 points: {ours:.1f} s ({1000 * ours / count:.1f} ms each)"
    )
    whole = 0.0
    for name, work in statsmodels_fits().items():
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for column, origin in sample:
                work(np.log(frame.loc[origin - 7 : origin, column].to_numpy()))
        theirs = (time.process_time() - start) / len(sample) * count
        whole += theirs
        print(f"a loop of statsmodels {name}: {theirs:.0f} s, {theirs / ours:.0f} times ours")
    print(f"all of them, as one that averages models must run: {whole / ours:.0f} times ours")


def statsmodels_fits() -> dict[str, Callable[[np.ndarray], object]]:
    """Fit and one forecast of each model."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel
    from statsmodels.tsa.statespace.sarimax import SARIMAX
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    def ets(x: np.ndarray) -> object:
        fit = ETSModel(pd.Series(x), trend="add", damped_trend=True, initialization_method="estimated").fit(
            disp=0
        )
        return fit.get_prediction(start=len(x), end=len(x))

    return {
        "damped ETS": ets,
        "ARIMA(1,1,0) with drift": lambda x: (
            SARIMAX(x, order=(1, 1, 0), trend="c").fit(disp=0).get_forecast(1)
        ),
        "local linear trend": lambda x: (
            UnobservedComponents(x, level="local linear trend").fit(disp=0).get_forecast(1)
        ),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--priors", nargs="+", default=["default"])
    parser.add_argument(
        "--panels",
        nargs="+",
        default=["oecd", "states", "provinces 2002-2006", "provinces 2011-2016", "ncms"],
    )
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--groups", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--stacked", type=int, metavar="POINTS", help="against the average by evidence")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--columns", type=int)
    options = parser.parse_args()
    if options.speed:
        speed()
        return
    if options.stacked:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stacked(options.panels, options.stacked, options.every, options.columns)
        return
    lines = []
    for prior in options.priors:
        for name in options.panels:
            for points in POINTS:
                frame = panels()[name]
                if windows(frame, points):
                    lines.append(
                        compare(name, frame, points, prior, alone=options.alone, groups=options.groups)
                    )
    table = pd.DataFrame(lines)
    print(
        table.round(4).to_markdown(index=False)
        if hasattr(table, "to_markdown") and _has_tabulate()
        else table.round(4).to_string(index=False)
    )
    print(f"mean of CRPS ÷ drift: {table['÷ drift'].mean():.3f}")


def _has_tabulate() -> bool:
    from importlib.util import find_spec

    return find_spec("tabulate") is not None


if __name__ == "__main__":
    main()
