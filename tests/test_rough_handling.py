"""Rough handling: a full disk, a read-only folder, killed runs, two runs at once, numbers at their edges."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import actuarial as act
from actuarial.cli.licences import licences
from actuarial.errors import InputError, ModelWarning
from actuarial.plan import Plan
from actuarial.results import write_frames, write_text

POSIX = pytest.mark.skipif(os.name != "posix", reason="SKIPPED: needs POSIX limits and signals")

# --------------------------------------------------------------------------- disk and folder

FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from actuarial.cli import main
import actuarial.report, actuarial.pipeline, matplotlib.font_manager
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
main(["run", sys.argv[1], "--out", sys.argv[2], "--paths", "300", "--lang", "en", "--format", sys.argv[3]])
"""


@POSIX
@pytest.mark.parametrize("form", ["html", "xlsx", "docx", "pdf"])
def test_full_disk_is_reported(tmp_path: Path, form: str) -> None:
    """Where no more than 40 kB can be written, each format ends with status 2 and one sentence, and leaves nothing."""
    plan = str(act.sample_path("anhui_county/plan.yaml"))
    done = subprocess.run([sys.executable, "-c", FULL, plan, str(tmp_path / "out"), form], capture_output=True, text=True, timeout=240)  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_full_disk_in_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No space left: an InputError that says so, the old file as it was, nothing temporary left."""
    target = write_text(tmp_path / "a.txt", "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left"):
        write_text(target, "new")
    with pytest.raises(InputError, match="No space left"):
        write_frames(tmp_path / "b.xlsx", {})
    assert target.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


# --------------------------------------------------------------------------- killed runs, two runs

WORK = """
import os, sys, time
from pathlib import Path
import actuarial as act
from actuarial.cli.report import FORMATS
import actuarial.report, actuarial.report.word, actuarial.report.pdf, docx, typst, xlsxwriter, jinja2
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
answer = act.run(act.load_plan(act.sample_path("anhui_county/plan.yaml")), paths=300, seed=seed, threads=1)
claims = act.sample_path("synthetic/claims.csv")
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            if line.split()[1] == "report":
                act.build_report(answer, folder, formats=("html", "xlsx"), name="r")
            else:
                act.sort_claims(act.read_claims(claims), folder / "sorted.parquet")
        finally:
            os._exit(0)
    time.sleep(float(line.split()[0]))
    os.kill(child, 9)
    os.waitpid(child, 0)
    print("killed", flush=True)
"""


def digests(folder: Path) -> dict[str, str]:
    """What a reader would take for whole files, by name: no hidden, temporary ones."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.name[0] != "."}


@POSIX
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_hundred_kills_leave_no_half_file(tmp_path: Path) -> None:
    """kill −9 at a hundred random moments of writing reports and sorting claims: every file that has a name is whole; a rerun completes."""
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    for name in (whole, folder):
        name.mkdir()
    answer = act.run(act.load_plan(act.sample_path("anhui_county/plan.yaml")), paths=300, seed=5, threads=1)
    took = time.perf_counter()
    act.build_report(answer, whole, name="r")
    took = time.perf_counter() - took
    act.sort_claims(act.read_claims(act.sample_path("synthetic/claims.csv")), whole / "sorted.parquet")
    expected = digests(whole)
    assert len(expected) == 3
    worker = subprocess.Popen([sys.executable, "-c", WORK, str(folder), "5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert worker.stdout.readline().strip() == "ready"
    moments = np.random.default_rng(7).uniform(0.01, 1.3 * took, 100)
    seen: set[str] = set()
    for n, moment in enumerate(moments):
        worker.stdin.write(f"{moment:.3f} {'report' if n % 2 else 'sort'}\n")
        worker.stdin.flush()
        assert worker.stdout.readline().strip() == "killed"
        for name, digest in digests(folder).items():
            assert digest == expected[name], (n, moment, name)
            seen.add(name)
            (folder / name).unlink()
    worker.stdin.close()
    worker.wait(60)
    act.build_report(answer, folder, name="r")
    act.sort_claims(act.read_claims(act.sample_path("synthetic/claims.csv")), folder / "sorted.parquet")
    assert digests(folder) == expected
    assert seen, "no run was let finish: the moments are too early to show anything"


TWO = """
import sys
import actuarial as act
seed = int(sys.argv[2])
answer = act.run(act.load_plan(act.sample_path("anhui_county/plan.yaml")), paths=200, seed=seed, threads=1)
for _ in range(4):
    act.build_report(answer, sys.argv[1], name="r")
"""


@POSIX
@pytest.mark.slow
def test_two_runs_into_one_folder_do_not_mix(tmp_path: Path) -> None:
    """Page and workbook that two processes write over each other's are of one run: they name the same seed."""
    import openpyxl

    workers = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", TWO, str(tmp_path), str(seed)]) for seed in (111_111, 222_222)]  # fmt: skip
    assert [w.wait(300) for w in workers] == [0, 0]
    page = (tmp_path / "r_zh.html").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(tmp_path / "r_zh.xlsx")
    cells = {str(c.value) for sheet in book for row in sheet.iter_rows() for c in row}
    seeds = [seed for seed in ("111111", "222222") if f">{seed}<" in page]
    assert len(seeds) == 1
    assert seeds[0] in cells
    assert {p.name for p in tmp_path.iterdir()} == {"r_zh.html", "r_zh.xlsx"}


# --------------------------------------------------------------------------- numbers at their edges


@pytest.mark.parametrize(
    ("change", "value"),
    [("growth.value", -0.99), ("growth.value", 5.0), ("insured.next_year", 1), ("insured.next_year", 1e9), ("opening.free.value", 1e13),
     ("opening.free.value", -1e13), ("criterion.accepted_probability", 1e-6), ("criterion.accepted_probability", 0.999)],
)  # fmt: skip
def test_plan_at_its_edges(plan_with: Callable[..., Plan], change: str, value: float, tmp_path: Path) -> None:
    """The whole way to the report holds: balances conserve, nothing is NaN, the target is a number or said to be none."""
    changes = {change: value}
    if change == "growth.value":
        changes["growth.uncertainty.value"] = (
            0.0005  # five points about a cost of one hundredth would rule its mean
        )
    plan = plan_with("anhui_county", changes, None, ("scenarios",))
    answer = act.run(plan, paths=2_000)
    found = answer.to_dict()
    assert not any(isinstance(v, float) and np.isnan(v) for v in found.values())
    assert np.isfinite(answer.simulation.balances()).all()
    target = answer.target
    if np.isfinite(target.value):
        assert float(target.probability(target.value)) <= target.alpha
    if change == "criterion.accepted_probability" and value < 1e-3:
        assert target.interval[1] == np.inf
        assert any("2000" in w or "2,000" in w for w in answer.warnings)
    if change == "growth.value":
        ratio = answer.simulation.expected_cost_per_capita() / answer.simulation.cost.base.per_capita
        assert ratio == pytest.approx(1 + value, rel=0.02)
    files = act.build_report(answer, tmp_path / "out")
    assert not re.search(r">\s*nan|nan\s*<", files.page.read_text(encoding="utf-8"))


def test_nobody_insured_is_refused(plan_with: Callable[..., Plan]) -> None:
    """Zero insured is an error that names the place, not a division by zero."""
    for value in (0, -1):
        with pytest.raises(InputError, match="next_year"):
            plan_with("anhui_county", {"insured.next_year": value})


def test_one_path_says_what_it_is(anhui: Plan) -> None:
    """One path gives an answer and the warning that it says nothing of risk."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        answer = act.run(anhui, paths=1)
    assert act.text("model.one_path") in answer.warnings
    assert answer.target.interval == (-np.inf, np.inf) or answer.target.interval[1] == np.inf


def test_infinite_variance_is_said() -> None:
    """A Pareto tail of index 1.25 is fitted, and what cannot be trusted is said; one of index 4 is not complained of."""
    uniform = np.random.default_rng(5).random(20_000)
    with pytest.warns(ModelWarning, match=r"infinite|无穷大"):
        act.fit_severity(100 * (1 - uniform) ** -0.8, family="spliced_pareto")
    act.fit_severity(100 * (1 - uniform) ** -0.25, family="spliced_pareto")


# --------------------------------------------------------------------------- licences


def test_licences_are_permissive() -> None:
    """Every dependency of a user names a licence that asks for nothing but its notice."""
    rows = licences()
    names = {r["package"].lower() for r in rows}
    assert {"fund-actuarial", "numpy", "pandas", "duckdb", "numba", "python-docx", "typst"} <= names
    assert "pytest" not in names
    for row in rows:
        assert row["licence"] != "—", row
        assert "AGPL" not in row["licence"].upper()
        assert "GNU GENERAL" not in row["licence"].upper(), row


def test_signal_is_not_swallowed(tmp_path: Path) -> None:
    """An interrupt in the middle of writing goes on to the caller and leaves nothing behind."""
    from actuarial.results import atomic_path

    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "never.txt"):
        signal.raise_signal(signal.SIGINT)
    assert list(tmp_path.iterdir()) == []
