"""The panels of the growth benchmarks, from ``data_samples``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

SAMPLES = Path(__file__).parent.parent / "data_samples"
PEERS = Path(__file__).parent / "data" / "growth_peers.csv.gz"
POINTS = (4, 6, 8)


def panels() -> dict[str, pd.DataFrame]:
    """Levels by year × column, one frame a panel.

    The provinces' totals are fund expenditure, not cost per insured, and change scope in 2007 and 2011: two panels.
    """
    oecd = pd.read_csv(SAMPLES / "international/oecd_health_expenditure_per_capita.csv")
    states = pd.read_csv(SAMPLES / "international/us_states_health_expenditure_1991_2014.csv")
    province = pd.read_csv(SAMPLES / "national/province_fund_expenditure_2002_2016.csv")
    hospital = pd.read_csv(SAMPLES / "national/hospital_cost_per_visit_1990_2006.csv").set_index("year")
    ncms = pd.read_csv(SAMPLES / "national/ncms_national.csv").set_index("年份")
    whole = province.pivot(index="year", columns="province", values="fund_expenditure_10k_yuan")
    found = {
        "oecd": oecd.pivot(index="year", columns="country", values=oecd.columns[2]),
        "states": states.pivot(index="year", columns="state", values="health_expenditure_million_usd").astype(
            float
        ),
        "provinces 2002-2006": whole.loc[2002:2006],
        "provinces 2011-2016": whole.loc[2011:2016],
        "hospital": hospital.iloc[:, :2].set_axis(["outpatient", "inpatient"], axis=1),
        "ncms": (ncms["基金支出（亿元）"] / ncms["参合人数（亿人）"]).to_frame("ncms"),
    }
    return {name: frame.rename_axis(columns="fund") for name, frame in found.items()}


def grouped(panel: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The panel with its columns in the groups of ``growth_groups.csv`` (census divisions, UN regions, areas of the NBS)."""
    table = pd.read_csv(PEERS.parent / "growth_groups.csv")
    group = table[table["panel"] == panel.split()[0]].set_index("column")["group"]
    return frame.set_axis(
        pd.MultiIndex.from_arrays([group[frame.columns], frame.columns], names=["group", "fund"]), axis=1
    )


def windows(frame: pd.DataFrame, points: int) -> list[tuple[str, int]]:
    """Column and origin of every stretch of `points` years without a gap that is followed by another year."""
    there = frame.notna().reindex(range(int(frame.index[0]), int(frame.index[-1]) + 1), fill_value=False)
    whole = (there.rolling(points).sum() == points) & there.shift(-1, fill_value=False)
    return [(str(c), int(y)) for c in frame for y in there.index[whole[c]]]
