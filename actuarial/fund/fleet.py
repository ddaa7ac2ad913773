r"""Many funds in one world: common shocks, one fund at a time, finished results kept.

Path i is the same world for every fund. Each systemic column is

.. math:: z = \sqrt{\rho}\,z_{\text{common}} + \sqrt{1-\rho}\,z_{\text{own}}

with :math:`\rho` stated by factor (``base``, ``policy``, ``growth``, ``completion``, ``category``, ``enrolment``, ``shocks``, ``arrears`` (of the same payer); what is not named
is a fund's own). A fund's own streams hang on its name, so neither its place in the list nor the other funds move a draw, and
threads, processes and Spark give the same bytes.

Per fund one file of results is written whole: figures, and by path the closing balance and whether the criterion was broken.
Work that was interrupted goes on where it stopped; a file counts only if the hash of inputs, options and versions is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
import warnings
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actuarial.cost import FACTORS
from actuarial.errors import ActuarialWarning, Fault, InputError
from actuarial.fund import Fund
from actuarial.fund.arrivals import ARREARS
from actuarial.fund.chunks import Progress, closing_at, collect, need
from actuarial.fund.forecast import plan_cost
from actuarial.fund.needs import CRITERIA
from actuarial.fund.paths import ENROLMENT, Setting, normals
from actuarial.fund.switches import PROVIDER, SHOCK, START
from actuarial.fund.target import premium_target
from actuarial.plan import Patch, Plan, load_plan
from actuarial.results import COLOURS, Result, atomic_path, figure_style, new_axes
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARED = (*FACTORS, "category", "enrolment", "shocks", "arrears")
"""Factors whose correlation between funds can be stated."""
FIGURES = (
    "heads", "standard", "financing", "premium_target", "premium_target_low", "premium_target_high",
    "deficit_probability", "expected_closing_balance",
)  # fmt: skip


@dataclass(frozen=True)
class Shared:
    """Streams of which a stated part is common to all funds.

    Parameters
    ----------
    correlation : tuple of (factor, float)
        See the module.
    """

    correlation: tuple[tuple[str, float], ...]
    weighted: bool = False

    def draw(self, s: Setting, seed: int, number: int, rows: int) -> tuple[NDArray[np.float64], None]:
        """See :class:`actuarial.fund.paths.Sampler`."""
        stated, columns = dict(self.correlation), []
        for place, (part, column) in enumerate(s.columns):
            if place in s.idle:
                columns.append(np.zeros((rows, 1)))
                continue
            if part == ENROLMENT:
                factor, common = "enrolment", column
            elif part == ARREARS:  # the same payer's in every fund
                factor, common = "arrears", column
            elif part == SHOCK and s.risk is not None:  # the same event in every fund that names it
                name = s.risk.shocks[column // 2].name
                factor, common = "shocks", 2 * zlib.crc32(name.encode()) + column % 2
            elif part == START and s.risk is not None:
                factor, common = "policy", zlib.crc32(s.risk.starts[column].name.encode())
            elif part == PROVIDER:  # a fund's providers are its own
                factor, common = "", column
            elif column < len(FACTORS):
                factor, common = FACTORS[column], column
            else:  # the same category in every fund, wherever it stands
                factor = "category"
                common = zlib.crc32(str(s.cost.categories[column - len(FACTORS)]).encode())
            rho = stated.get(factor, 0.0)
            z = np.zeros((rows, 1))
            if rho < 1:
                z += np.sqrt(1 - rho) * normals(seed, part, [column], s.year, number, rows, fund=s.fund)
            if rho > 0:
                z += np.sqrt(rho) * normals(seed, part, [common], s.year, number, rows)
            columns.append(z)
        return np.concatenate(columns, axis=1), None


@dataclass(frozen=True)
class Member:
    """One fund of a fleet.

    Parameters
    ----------
    name : str
        Its key; own streams and the file of results hang on it.
    path : str
        Its plan file.
    pool : str
        City or province that it is pooled in.
    changes : tuple of (dotted path, value, source)
        Made to the plan.
    """

    name: str
    path: str
    pool: str = ""
    changes: tuple[tuple[str, Any, str], ...] = ()

    @property
    def key(self) -> int:
        """Number of its streams; never that of the common ones."""
        return 1 + int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big") % (2**32 - 1)

    def plan(self) -> Plan:
        """The plan with its changes."""
        plan = load_plan(self.path)
        patches = [Patch(path=p, value=v, source=s) for p, v, s in self.changes]
        return plan.patched(patches) if patches else plan


@dataclass(frozen=True)
class Job:
    """What one worker needs to simulate one fund; plain data, so that any worker can take it."""

    member: Member
    paths: int
    seed: int
    correlation: tuple[tuple[str, float], ...]
    folder: str

    @property
    def file(self) -> Path:
        """Where the result lies."""
        return Path(self.folder) / f"{self.member.key:08x}.npz"


def job_hash(job: Job, plan: Plan) -> str:
    """Hash of everything that decides a fund's result: inputs, options and versions."""
    import scipy

    from actuarial import __version__

    said = [
        job.member.name, job.member.pool, job.member.changes, job.paths, job.seed, job.correlation, plan.hashes(),
        __version__, np.__version__, scipy.__version__, platform.python_version(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def finished(job: Job, mark: str) -> bool:
    """Whether a whole result of the same inputs lies there."""
    try:
        with job.file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return str(kept["hash"]) == mark and len(kept["closing"]) == job.paths
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False


def run_job(job: Job) -> str:
    """Simulate one fund and write its result whole; returns its name. Skips what is finished."""
    plan = job.member.plan()
    mark = job_hash(job, plan)
    if finished(job, mark):
        return job.member.name
    fund, cost = Fund(plan), plan_cost(plan)
    s = replace(fund.setting(cost), fund=job.member.key)
    use, alpha = plan.model.criterion.use, plan.model.criterion.accepted_probability
    standard = fund.financing.standard
    asked = [need(use), closing_at(standard)]
    kept = collect(s, asked, paths=job.paths, seed=job.seed, sampler=Shared(job.correlation))
    closing = kept["closing_balance"]
    target = premium_target(kept[use], alpha, use)
    short = kept[use] > standard
    figures = [
        s.heads, standard, s.heads * standard, target.value, *target.interval,
        float(short.mean()), float(closing.mean()),
    ]  # fmt: skip
    with atomic_path(job.file) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream, hash=np.array(mark), figures=np.array(figures), closing=closing, short=np.packbits(short)
        )
    return job.member.name


def _quiet_job(job: Job) -> str:
    """The same in a process of its own."""
    warnings.simplefilter("ignore", ActuarialWarning)
    return run_job(job)


class Fleet:
    """Funds from a folder of plans or a table.

    Parameters
    ----------
    source : path or sequence of Member
        A plan file, alone; a folder whose subfolders hold a ``plan.yaml`` each; a CSV or Excel table with the columns ``fund`` and ``plan``
        (a path beside the table), and, where wanted, ``pool``, ``source`` and columns named by a dotted path of the plan
        (``opening.free.value``), each a change of that fund's plan; or members.

    Raises
    ------
    InputError
        If there is no plan, a column is missing, or a name stands twice.

    Examples
    --------
    >>> import actuarial as act
    >>> fleet = Fleet(act.sample_path("jieshou/plan.yaml").parent.parent)
    >>> sorted(m.name for m in fleet.members)
    ['anhui_county', 'jieshou']
    """

    def __init__(self, source: str | os.PathLike[str] | Sequence[Member]) -> None:
        found = list(source) if isinstance(source, Sequence) and not isinstance(source, str) else None
        self.members: list[Member] = found if found is not None else list(_members(Path(str(source))))
        if not self.members:
            raise InputError([Fault("fleet.no_plans", file=str(source) if found is None else None)])
        names = [m.name for m in self.members]
        twice = sorted({n for n in names if names.count(n) > 1}) if len(set(names)) < len(names) else []
        keys = len({m.key for m in self.members})
        if twice or keys < len(names):
            raise InputError([Fault("fleet.twice", params={"names": "、".join(twice) or "—"})])

    def simulate(
        self,
        *,
        shared: Mapping[str, float],
        paths: int = 100_000,
        seed: int = 2012,
        workers: int = 2,
        engine: str | Any = "threads",
        folder: str | os.PathLike[str] | None = None,
        progress: Progress | None = None,
    ) -> FleetResult:
        """Simulate every fund in the same worlds.

        Parameters
        ----------
        shared : mapping
            Correlation between funds by factor (see the module), each from 0 to 1; what is not named is a fund's own.
        paths, seed : int
        workers : int
            Threads or processes.
        engine : str or SparkSession
            ``threads``, ``processes``, or a Spark session (its workers must see `folder`).
        folder : path, optional
            Where finished funds are kept, 0.8 MB a fund and 100,000 paths; a run that was broken off goes on there. A temporary one
            otherwise.
        progress : callable, optional
            Called with funds done and in all. An exception in it, or an interruption, leaves what is finished in `folder`.

        Raises
        ------
        InputError
            For an unknown factor, a correlation outside 0…1, or faulty plans (those of the first faulty fund).
        """
        wrong = {k: v for k, v in shared.items() if k not in SHARED or not 0 <= v <= 1}
        if wrong:
            params = {"value": "、".join(f"{k}: {v:g}" for k, v in wrong.items()), "known": "、".join(SHARED)}
            raise InputError([Fault("fleet.shared", params=params)])
        for name, value, least in (("paths", paths, 1), ("seed", seed, 0), ("workers", workers, 1)):
            if value < least:
                raise InputError(
                    [Fault("fund.number", params={"name": name, "value": value, "least": least})]
                )
        place = Path(tempfile.mkdtemp(prefix="fleet-") if folder is None else folder)
        place.mkdir(parents=True, exist_ok=True)
        stated = tuple(sorted((k, float(v)) for k, v in shared.items()))
        jobs = [Job(m, paths, seed, stated, str(place.resolve())) for m in self.members]
        result = FleetResult(tuple(self.members), paths, seed, dict(stated), place)
        if folder is None:
            weakref.finalize(result, shutil.rmtree, place, ignore_errors=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ActuarialWarning)  # told when a fund is looked at alone
            for done, _ in enumerate(_work(jobs, engine, workers), 1):
                if progress is not None:
                    progress(done, len(jobs))
        return result


def _work(jobs: list[Job], engine: str | Any, workers: int) -> Iterator[str]:
    """Names of funds as they are finished."""
    if not isinstance(engine, str):
        yield from _spark(jobs, engine)
    elif engine not in ("threads", "processes"):
        raise InputError([Fault("fleet.engine", params={"value": engine})])
    elif workers == 1:
        yield from map(run_job, jobs)
    else:
        pool: Executor
        if engine == "threads":
            pool, task = ThreadPoolExecutor(workers), run_job
        else:  # processes begin afresh: a copy of one that has threads may hang
            pool, task = ProcessPoolExecutor(workers, mp_context=get_context("spawn")), _quiet_job
        with pool:
            try:
                yield from pool.map(task, jobs)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)  # what runs ends; what waits does not begin
                raise


def _spark(jobs: list[Job], session: Any) -> Iterator[str]:
    """The same function inside Spark's workers: funds as rows, one name back for each."""
    import pickle

    from actuarial.tables.engine import quiet_spark

    rows = [(i, pickle.dumps(job)) for i, job in enumerate(jobs)]

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        for batch in batches:
            names = [_quiet_job(pickle.loads(b)) for b in batch.column("job").to_pylist()]
            yield pa.RecordBatch.from_pydict({"fund": pa.array(names, pa.string())})

    with quiet_spark():
        frame = session.createDataFrame(rows, "number long, job binary")
        parts = min(len(jobs), max(4 * session.sparkContext.defaultParallelism, 1))
        done = frame.repartition(parts).mapInArrow(work, "fund string").collect()
    yield from (r["fund"] for r in done)


def _members(source: Path) -> Iterator[Member]:
    if source.is_dir():
        for file in sorted(source.glob("*/plan.yaml")):
            yield Member(file.parent.name, str(file.resolve()))
        return
    if not source.is_file():
        raise InputError([Fault("file.not_found", file=str(source))])
    if source.suffix.lower() in {".yaml", ".yml"}:
        yield Member(source.resolve().parent.name, str(source.resolve()))
        return
    try:
        excel = source.suffix.lower() != ".csv"
        table = pd.read_excel(source, engine="calamine") if excel else pd.read_csv(source)
    except Exception as error:  # the readers have errors of their own for every way a file can be wrong
        params = {"names": "fund、plan"}
        raise InputError([Fault("fleet.columns", file=source.name, params=params)]) from error
    missing = [c for c in ("fund", "plan") if c not in table.columns]
    if missing:
        raise InputError([Fault("fleet.columns", file=source.name, params={"names": "、".join(missing)})])
    dotted = [str(c) for c in table.columns if "." in str(c)]
    for row in table.to_dict("records"):
        path = (source.parent / str(row["plan"])).resolve()
        if not path.is_relative_to(source.parent.resolve()):
            raise InputError(
                [Fault("plan.path_outside", file=source.name, params={"value": str(row["plan"])})]
            )
        file = path / "plan.yaml" if path.is_dir() else path
        said = str(row.get("source") or source.name)
        changes = tuple((c, row[c], said) for c in dotted if not pd.isna(row[c]))
        pool = "" if pd.isna(row.get("pool", "")) else str(row.get("pool", ""))
        yield Member(str(row["fund"]), str(file), pool, changes)


@dataclass(frozen=True, eq=False)
class FleetResult(Result):
    """What every fund needs and risks, in the same worlds.

    Parameters
    ----------
    members : tuple of Member
    paths, seed : int
    shared : dict
        Correlation between funds by factor.
    folder : Path
        Where the funds' results lie.
    """

    members: tuple[Member, ...]
    paths: int
    seed: int
    shared: dict[str, float]
    folder: Path

    def outcome(self, member: Member) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """A fund's closing balance by path at its present standard [yuan], and whether its criterion was broken."""
        with np.load(self.folder / f"{member.key:08x}.npz", allow_pickle=False) as kept:
            return kept["closing"], np.unpackbits(kept["short"], count=self.paths).astype(bool)

    @cached_property
    def _frame(self) -> pd.DataFrame:
        rows = []
        for member in self.members:
            with np.load(self.folder / f"{member.key:08x}.npz", allow_pickle=False) as kept:
                figures = dict(zip(FIGURES, kept["figures"].tolist(), strict=True))
            rows.append({"fund": member.name, "pool": member.pool, **figures})
        return pd.DataFrame(rows)

    @property
    def table(self) -> pd.DataFrame:
        """One row a fund; money in yuan."""
        return self._frame.copy()

    @cached_property
    def any_deficit(self) -> float:
        """Probability that at least one fund breaks its own criterion at its present standard."""
        broken = np.zeros(self.paths, dtype=bool)
        for member in self.members:
            broken |= self.outcome(member)[1]
        return float(broken.mean())

    @property
    def expected_deficits(self) -> float:
        """Mean number of funds that break their criterion."""
        return float(self._frame["deficit_probability"].sum())

    def summary(self, lang: str | None = None) -> str:
        """Funds, and the probability that any is short."""
        return text(
            "fleet_words.line", lang, funds=len(self.members), any=f"{100 * self.any_deficit:.1f}",
            mean=f"{self.expected_deficits:.2f}",
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Deficit probability by fund, the highest on top (at most thirty funds)."""
        rows = self._frame.sort_values("deficit_probability").tail(30)
        with figure_style():
            ax = ax or new_axes(8.0, 1.2 + 0.3 * len(rows))
            ax.barh(rows["fund"].tolist(), 100 * rows["deficit_probability"], color=COLOURS["main"])
            ax.set_xlabel(text("chart.deficit_probability", lang))
            ax.set_xlim(0, 100)
        return ax


__all__ = ["CRITERIA", "SHARED", "Fleet", "FleetResult", "Member", "Shared"]
