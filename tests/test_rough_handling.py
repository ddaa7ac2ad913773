"""Rough handling: a full disk, a read-only folder, killed runs, two runs at once, numbers at their edges."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import actuarial as act
from actuarial.cli import main
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


def test_read_only_folder_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that takes no file ends every command that writes with status 2 and one sentence, in both languages.

    Permissions do not bind root, so the system's refusal is put in the place where temporary files are made.
    """

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    plan = str(act.sample_path("anhui_county/plan.yaml"))
    simulated = ["--paths", "200", "--lang"]
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    for lang, words in (("zh", "无法写入"), ("en", "cannot be written")):
        for command in (
            ["run", plan, "--out", str(tmp_path / "out"), *simulated, lang],
            ["budget", plan, "--out", str(tmp_path / "out"), *simulated, lang],
            ["app", plan, "--snapshot", str(tmp_path / "s.html"), *simulated, lang],
            ["init", str(tmp_path / "new"), "--lang", lang],
        ):
            with pytest.raises(SystemExit) as end:
                main(command)
            told = capsys.readouterr().err
            assert end.value.code == 2, (command, told)
            assert words in told
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@POSIX
@pytest.mark.skipif(sys.platform != "linux", reason="SKIPPED: needs Linux mounts")
def test_read_only_mount_is_reported(tmp_path: Path) -> None:
    """The same on a file system that is mounted read-only, where the system itself refuses, root or not."""
    mount = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    tool = shutil.which("unshare")
    trial = f"mount -t tmpfs -o ro none {tmp_path} && "
    if (
        tool is None
        or subprocess.run([*mount, trial + "true"], capture_output=True, check=False).returncode != 0
    ):
        pytest.skip("SKIPPED: this machine does not let a test mount a read-only file system")
    plan = act.sample_path("anhui_county/plan.yaml")
    command = f"{sys.executable} -W ignore -m actuarial run {plan} --out {tmp_path}/out --paths 200 --lang en"
    done = subprocess.run([*mount, trial + command], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


# --------------------------------------------------------------------------- killed runs, two runs

WORK = """
import contextlib, io, os, sys, time
from pathlib import Path
import actuarial as act
from actuarial.cli import main
import actuarial.app.session, actuarial.report.word, actuarial.report.pdf, docx, typst, xlsxwriter, jinja2
plan, fleet = sys.argv[2] + "/fund0", sys.argv[2]
claims = act.sample_path("synthetic/claims.csv")  # read in the child: threads of DuckDB do not outlive a fork
simulated = ["--paths", "300", "--seed", "5", "--threads", "1"]

def work(kind, folder):
    if kind == "run":
        main(["run", plan, "--out", folder, *simulated])
    elif kind == "fleet":
        main(["fleet", fleet, "--keep", folder + "/kept", "--out", folder + "/fleet.csv", *simulated])
    else:
        act.sort_claims(act.read_claims(claims), folder + "/sorted.parquet")

print("ready", flush=True)
for line in sys.stdin:
    kind, folder, moment = line.split()
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                work(kind, folder)
        finally:
            os._exit(0)
    if float(moment) > 0:
        time.sleep(float(moment))
        os.kill(child, 9)
    os.waitpid(child, 0)
    print(time.perf_counter() - started, flush=True)
"""


def digests(folder: Path) -> dict[str, str]:
    """What a reader would take for whole files, by name: no hidden, temporary ones."""
    whole = (p for p in folder.rglob("*") if p.is_file() and p.name[0] != ".")
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in whole}


@POSIX
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "kills"), [("run", 40), ("fleet", 30), ("sort", 30)])
def test_a_hundred_kills_leave_no_half_file(
    tmp_path: Path, plan_with: Callable[..., Plan], kind: str, kills: int
) -> None:
    """kill −9 at random moments of ``run``, ``fleet`` and ingest: every file that has a name is whole; a rerun completes."""
    whole, killed, funds = tmp_path / "whole", tmp_path / "killed", tmp_path / "funds"
    for name in (whole, killed, funds):
        name.mkdir()
    for n in range(3):
        Path(plan_with("anhui_county", {"opening.free.value": 1e6 * n}, None, ("scenarios",)).folder).rename(
            funds / f"fund{n}"
        )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORK, "-", str(funds)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as worker:  # fmt: skip
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "ready"

        def at(folder: Path, moment: float) -> float:
            """Work until a moment [s]; until the end where it is 0. The seconds that it took."""
            assert worker.stdin is not None
            assert worker.stdout is not None
            worker.stdin.write(f"{kind} {folder} {moment:.3f}\n")
            worker.stdin.flush()
            return float(worker.stdout.readline())

        took = at(whole, 0.0)
        expected = digests(whole)
        assert expected
        seen: set[str] = set()
        for moment in np.random.default_rng(7).uniform(0.01, 1.5 * took, kills):
            at(killed, moment)
            found = digests(killed)
            for name, digest in found.items():
                assert digest == expected[name], (moment, name)
            seen |= set(found)
            if found == expected:  # finished: once more from nothing
                shutil.rmtree(killed)
                killed.mkdir()
        at(killed, 0.0)
        worker.stdin.close()
    assert digests(killed) == expected
    assert seen, "no work was let finish: the moments are too early to show anything"


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
