"""Forecasts of statsforecast on the growth panels, stored: run in an environment of its own.

``python -m venv .venv-peers && .venv-peers/bin/pip install statsforecast && .venv-peers/bin/python benchmarks/growth_peers.py``
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from growth_panels import PEERS, POINTS, panels, windows


def main() -> None:
    """Forecast every window by every peer; write the answers."""
    from statsforecast import StatsForecast
    from statsforecast.models import AutoARIMA, AutoETS, AutoTheta, Naive, RandomWalkWithDrift

    out = []
    for name, frame in panels().items():
        for points in POINTS:
            rows = [
                (f"{column}|{origin}", pd.Timestamp(year, 12, 31), float(np.log(frame.loc[year, column])))
                for column, origin in windows(frame, points)
                for year in range(origin - points + 1, origin + 1)
            ]
            if not rows:
                continue
            data = pd.DataFrame(rows, columns=["unique_id", "ds", "y"])
            for model in (RandomWalkWithDrift(), Naive(), AutoETS(model="ZZN"), AutoARIMA(), AutoTheta()):
                engine = StatsForecast([model], freq="YE", fallback_model=RandomWalkWithDrift())
                found = engine.forecast(df=data, h=1, level=[80, 95])
                label = next(
                    c for c in found if c not in {"unique_id", "ds"} and "-lo-" not in c and "-hi-" not in c
                )
                part = (
                    found["unique_id"]
                    .str.rsplit("|", n=1, expand=True)
                    .set_axis(["column", "origin"], axis=1)
                )
                part.insert(0, "panel", name)
                part.insert(1, "points", points)
                part["model"], part["mean"] = label, found[label]
                for level in (80, 95):
                    part[f"low_{level}"], part[f"high_{level}"] = (
                        found[f"{label}-lo-{level}"],
                        found[f"{label}-hi-{level}"],
                    )
                out.append(part)
                print(name, points, label, len(part), flush=True)
    pd.concat(out).round(5).to_csv(PEERS, index=False, compression={"method": "gzip", "mtime": 0})


if __name__ == "__main__":
    main()
