"""Jieshou's plan with synthetic members' claims in place of the printed aggregates."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from actuarial.samples import sample_path
from actuarial.samples.claims import synthetic_claims


def plan_of_claims(folder: Path, members: int, **process: Any) -> Path:
    """Write the plan into a new folder; returns its file.

    Parameters
    ----------
    folder : Path
    members : int
        Of whom claims are made.
    process
        Put into the plan's `process`.
    """
    shutil.copytree(sample_path("jieshou"), folder)
    synthetic_claims(members).to_csv(folder, "zh")
    file = folder / "plan.yaml"
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    data["tables"].pop("experience")
    data["tables"] |= {
        "claims": {"path": "claims.csv", "basis": "incurred"},
        "exposure": {"path": "exposure.csv"},
    }
    data["insured"] |= {"count": members, "next_year": members}
    data |= {"scenarios": [], "identities": []}
    del data["contract"]
    data["process"] |= process
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file
