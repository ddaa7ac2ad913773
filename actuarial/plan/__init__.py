"""The plan file: one bureau's year, checked, with every figure's source and status.

``load_plan`` reads ``plan.yaml``; paths in it are relative to its folder and cannot leave it
(``sample:`` names a reference table that comes with the package). A :class:`Patch` changes one
place by its dotted path, with a source; scenarios are lists of patches.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from actuarial.errors import Fault, InputError
from actuarial.law import line_of, load_law, read_yaml, validate
from actuarial.plan.schema import (
    AggregatesPolicy,
    ExpertGrowthSpec,
    Patch,
    PlanModel,
    RepricedPolicy,
    Scenario,
    ScenarioFile,
    SimplePolicy,
    TableSpec,
)
from actuarial.results import Source, file_hash
from actuarial.samples import sample_path, says_synthetic
from actuarial.tables import (
    ClaimsTable,
    Table,
    labels,
    read_claims,
    read_exposure,
    read_table,
    term_id,
    terms,
)
from actuarial.texts import LANGUAGES, pick, text

SCHEMA_VERSION = 1
PLACEHOLDERS = tuple(text("starter.placeholder", lang) for lang in LANGUAGES)
"""What the starter writes where a person has to."""

TABLE_KINDS = {
    "experience": "experience",
    "claims": "claims",
    "exposure": "exposure",
    "payers": "payers",
    "calendar": "calendar",
    "reimbursement": "reimbursement",
    "providers": "providers",
    "facts": "facts",
    "history": "history",
    "raw_history": "history",
    "season": "monthly_history",
    "own_season": "monthly_history",
    "bands": "bands",
}
"""Which kind of table each name in ``tables:`` is; ``neighbour_…`` is the history of another fund."""
NEIGHBOUR = "neighbour_"
REQUIRED_TABLES = ("payers", "calendar")
CLAIM_TABLES = ("claims", "exposure")
"""Tables of single claims and spells; read by :attr:`Plan.claims`."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A plan, checked against its schema; its tables are read when asked for.

    Parameters
    ----------
    model : PlanModel
        The content.
    folder : Path
        Folder that its paths start from.
    file : str
        Name for messages.
    data : dict
        The raw content, for patches.
    lines : dict
        Line of each key, for messages.
    """

    model: PlanModel
    folder: Path
    file: str
    data: dict[str, Any]
    lines: dict[tuple[str | int, ...], int]
    scenario: Path | None = None
    """The scenario file that changed it, if it was read from one."""

    def name(self, lang: str | None = None) -> str:
        """The fund's name."""
        return pick(self.model.name, lang)

    @property
    def base_year(self) -> pd.Period:
        """First month of the base year."""
        return pd.Period(self.model.fiscal_year_start, freq="M")

    @property
    def observed_months(self) -> int:
        """Months of the base year that the tables cover, 1 to 12."""
        return (pd.Period(self.model.valuation_date, freq="M") - self.base_year).n + 1

    def table_path(self, name: str) -> Path:
        """Where a table lies.

        Raises
        ------
        InputError
            If the path leaves the plan's folder or names no sample.
        """
        line = line_of(self.lines, ("tables", name, "path"))
        return _inside(self.folder, self.model.tables[name].path, self.file, line)

    def contract_reference(self) -> str | Path | None:
        """The contract's law id, or the path of the plan's own contract file.

        Raises
        ------
        InputError
            If the path leaves the plan's folder.
        """
        spec = self.model.contract
        if spec is None or not spec.law.endswith((".yaml", ".yml")):
            return spec.law if spec else None
        return _inside(self.folder, spec.law, self.file, line_of(self.lines, ("contract", "law")))

    def rule_reference(self, rules: str) -> str | Path:
        """The law id of benefit rules, or the path of the plan's own file of them.

        Raises
        ------
        InputError
            If the path leaves the plan's folder.
        """
        if not rules.endswith((".yaml", ".yml")):
            return rules
        return _inside(self.folder, rules, self.file, line_of(self.lines, ("policy",)))

    @cached_property
    def tables(self) -> dict[str, Table]:
        """All tables, read and checked; the faults of all of them are raised together.

        Raises
        ------
        InputError
            With every fault of every table.
        """
        found: dict[str, Table] = {}
        faults: list[Fault] = []
        for name in REQUIRED_TABLES:
            if name not in self.model.tables:
                line = line_of(self.lines, ("tables",))
                faults.append(Fault("plan.missing_table", file=self.file, line=line, params={"name": name}))
        for name, spec in self.model.tables.items():
            kind = "history" if name.startswith(NEIGHBOUR) else TABLE_KINDS.get(name)
            if kind is None:
                line = line_of(self.lines, ("tables", name))
                params = {"name": name, "known": "、".join(TABLE_KINDS)}
                faults.append(Fault("plan.unknown_table", file=self.file, line=line, params=params))
                continue
            if name in CLAIM_TABLES:
                continue
            try:
                table = read_table(self.table_path(name), kind, sheet=spec.sheet, unit=spec.unit)
                found[name] = table
            except InputError as error:
                faults += error.faults
        if not {"experience", "claims"} & set(self.model.tables):
            line = line_of(self.lines, ("tables",))
            faults.append(
                Fault("plan.missing_table", file=self.file, line=line, params={"name": "experience"})
            )
        try:
            _ = self.claims
        except InputError as error:
            faults += error.faults
        faults += self._cross_faults(found)
        if faults:
            raise InputError(faults)
        return found

    @cached_property
    def claims(self) -> ClaimsTable | None:
        """The plan's claims, checked against its exposure, or None where it has aggregates.

        Raises
        ------
        InputError
            With every fault of both tables.
        """
        if "claims" not in self.model.tables:
            return None
        spec = self.model.tables["claims"]
        exposure = None
        if "exposure" in self.model.tables:
            exposure = read_exposure(self.table_path("exposure"), sheet=self.model.tables["exposure"].sheet)
        return read_claims(self.table_path("claims"), unit=spec.unit, sheet=spec.sheet, exposure=exposure)

    @cached_property
    def synthetic(self) -> bool:
        """Whether one of the plan's tables says that it is synthetic; then every page of a report says so."""
        return any(says_synthetic(self.table_path(name)) for name in self.model.tables)

    def _cross_faults(self, found: dict[str, Table]) -> Iterable[Fault]:
        """What only two inputs together show."""
        for place, key in (("growth", "table"), ("annualise", "table"), ("annualise", "reference")):
            name = getattr(getattr(self.model, place), key, None)
            if name is not None and name not in self.model.tables:
                line = line_of(self.lines, (place, key))
                yield Fault("plan.missing_table", file=self.file, line=line, params={"name": name})
        for neighbour in getattr(self.model.growth, "neighbours", ()):
            if neighbour.table not in self.model.tables:
                line = line_of(self.lines, ("growth", "pool"))
                yield Fault("plan.missing_table", file=self.file, line=line, params={"name": neighbour.table})
        if self.model.identities and "facts" not in self.model.tables:
            line = line_of(self.lines, ("identities",))
            yield Fault("plan.missing_table", file=self.file, line=line, params={"name": "facts"})
        if self.model.cii.terms is not None:
            try:
                load_law(self.model.cii.terms, "layer")
            except InputError as error:
                yield from error.faults
        yield from self._policy_faults()
        yield from self._severity_faults(found)
        yield from self._risk_faults(found)
        if "payers" in found:
            payers = found["payers"]
            if payers.frame["per_capita"].sum() <= 0:
                yield Fault("plan.no_financing", file=payers.file)
            has_income = {"due", "received"} <= set(payers.frame.columns)
            strange = sorted(set(self.model.financing.amounts) - set(payers.frame["payer"]))
            if strange:
                line = line_of(self.lines, ("financing", "amounts"))
                names = {"payers": labels(strange), "known": labels(payers.frame["payer"].tolist())}
                yield Fault("plan.amounts_payer", file=self.file, line=line, params=names)
            if not has_income and self.model.financing.base_year is None:
                line = line_of(self.lines, ("financing",))
                yield Fault("plan.no_income", file=self.file, line=line)
            shares = payers.frame.get("share_of_rise")
            if shares is not None and abs(shares.sum() - 1) > 0.005:
                params = {"value": f"{shares.sum():.4f}"}
                yield Fault("plan.shares_of_rise", file=payers.file, params=params)
        if {"payers", "calendar"} <= set(found):
            yield from _calendar_faults(found["payers"], found["calendar"])

    def _policy_faults(self) -> Iterable[Fault]:
        """A policy factor to be repriced needs claims, and benefit rules that can be read."""
        spec = self.model.policy
        if not isinstance(spec, RepricedPolicy | AggregatesPolicy):
            return
        line = line_of(self.lines, ("policy",))
        if isinstance(spec, RepricedPolicy) and "claims" not in self.model.tables:
            yield Fault("plan.policy_claims", file=self.file, line=line)
        if isinstance(spec, AggregatesPolicy) and "bands" not in self.model.tables:
            yield Fault("plan.missing_table", file=self.file, line=line, params={"name": "bands"})
        for rules in (*([spec.old] if isinstance(spec.old, str) else spec.old), spec.new):
            try:
                load_law(self.rule_reference(rules), "benefit")
            except InputError as error:
                yield from error.faults

    def _risk_faults(self, found: dict[str, Table]) -> Iterable[Fault]:
        """Shocks and dated policies on categories that the experience does not have; providers without budgets or a rule."""
        known = set(found["experience"].frame["category"]) if "experience" in found else None
        for part in ("shocks", "policy_starts"):
            for name, spec in getattr(self.model, part).items():
                strange = {term_id(c) for c in spec.categories} - (known or set())
                if strange and known is not None:
                    params = {
                        "key": f"{part}.{name}",
                        "name": labels(sorted(strange)),
                        "known": labels(sorted(known)),
                    }
                    line = line_of(self.lines, (part, name))
                    yield Fault("risks.category", file=self.file, line=line, params=params)
        if self.model.providers is not None:
            line = line_of(self.lines, ("providers",))
            if self.model.providers.budget == "table" and "providers" not in self.model.tables:
                yield Fault("risks.no_budgets", file=self.file, line=line)
            try:
                load_law(self.rule_reference(self.model.providers.rule), "contract")
            except InputError as error:
                yield from error.faults

    def _severity_faults(self, found: dict[str, Table]) -> Iterable[Fault]:
        """Coefficients of variation for categories that the experience does not have."""
        if "experience" not in found:
            return
        known = set(found["experience"].frame["category"])
        for name in (*self.model.process.severity_cv, *self.model.process.severity):
            if name != "default" and term_id(name) not in known | set(terms()):
                line = line_of(self.lines, ("process", "severity_cv", name))
                params = {"name": name, "known": labels(sorted(known))}
                yield Fault("plan.cv_category", file=self.file, line=line, params=params)

    def hashes(self) -> dict[str, str]:
        """SHA-256 of the plan and of each of its tables, by name."""
        paths = {name: self.table_path(name) for name in self.model.tables}
        own: dict[str, str] = {"scenario": file_hash(self.scenario)} if self.scenario else {}
        return {"plan": file_hash(self.folder / self.file), **own} | {
            n: file_hash(p) for n, p in sorted(paths.items())
        }

    def patched(self, changes: Iterable[Patch]) -> Plan:
        """The plan with changes made; the plan itself stays as it is.

        Raises
        ------
        InputError
            If a path names no place of the plan, or the new value does not fit.

        Examples
        --------
        >>> from actuarial.samples import sample_path, says_synthetic
        >>> plan = load_plan(sample_path("jieshou/plan.yaml"))
        >>> new = plan.patched([Patch(path="growth.value", value=0.2366, source="001.jiande")])
        >>> plan.model.growth.value, new.model.growth.value
        (0.12, 0.2366)
        """
        data = copy.deepcopy(self.data)
        for change in changes:
            *parents, last = change.path.split(".")
            place: Any = data
            for part in parents:
                place = place.get(part) if isinstance(place, dict) else None
            known = isinstance(place, dict) and (last in place or _optional(self.model, parents, last))
            if not known:
                raise InputError([Fault("plan.patch", file=self.file, params={"path": change.path})])
            place[last] = copy.deepcopy(change.value)
        new = Plan(validate(PlanModel, data, self.lines, self.file), self.folder, self.file, data, self.lines)
        if new.model.tables == self.model.tables and "tables" in self.__dict__:
            new.__dict__["tables"] = self.tables  # read once: the files are the same
            new.__dict__["claims"] = self.claims
            faults = list(new._cross_faults(self.tables))
            if faults:
                raise InputError(faults)
        return new

    def line(self, key: str) -> int | None:
        """Line of the file at which a dotted path stands, or its nearest parent."""
        return line_of(self.lines, tuple(key.split(".")))

    def source(self, key: str, entry: Any) -> Source:
        """The source of one entry of the plan."""
        line = line_of(self.lines, tuple(key.split(".")))
        locator = f"{key}" + (f" (line {line})" if line else "")
        quote = getattr(entry, "quote", "")
        return Source(key, f"{entry.source}", f"{self.file}: {locator}", quote, entry.status)


def _optional(model: Any, parents: list[str], last: str) -> bool:
    """Whether the schema has a key there that the plan leaves out."""
    for part in parents:
        model = getattr(model, part, None)
    return last in getattr(type(model), "model_fields", ())


def _calendar_faults(payers: Table, calendar: Table) -> Iterable[Fault]:
    known = set(payers.frame["payer"])
    for payer in sorted(set(calendar.frame["payer"]) - known):
        params = {"payer": labels([payer]), "known": labels(sorted(known))}
        yield Fault("plan.calendar_payer", file=calendar.file, params=params)
    for payer in sorted(known - set(calendar.frame["payer"])):
        yield Fault("plan.calendar_missing", file=calendar.file, params={"payer": labels([payer])})
    ordered = calendar.frame.sort_values(["payer", "month"])
    falls = ordered.groupby("payer")["cumulative_share"].diff() < 0
    for payer in ordered.loc[falls, "payer"].unique():
        yield Fault("plan.calendar_falls", file=calendar.file, params={"payer": labels([str(payer)])})


def load_plan(path: str | os.PathLike[str]) -> Plan:
    """Read and check a plan file; its tables are read on first use.

    Parameters
    ----------
    path : path
        A ``plan.yaml``, or the folder that holds one.

    Raises
    ------
    InputError
        With every fault, each with its line.
    """
    file = Path(path)
    file = file / "plan.yaml" if file.is_dir() else file
    faults: list[Fault] = []
    data, lines = read_yaml(file, found=faults)
    if data.get("kind") == "scenario" and not faults:
        return _load_scenario(validate(ScenarioFile, data, lines, file.name), file)
    if "schema_version" in data and data["schema_version"] != SCHEMA_VERSION:
        params = {"value": data["schema_version"], "supported": SCHEMA_VERSION}
        line = lines.get(("schema_version",))
        raise InputError([*faults, Fault("plan.schema_version", file=file.name, line=line, params=params)])
    faults += _not_filled_in(data, lines, file.name)
    try:
        model = validate(PlanModel, data, lines, file.name)
    except InputError as error:
        faults += error.faults
    faults.sort(key=lambda f: f.line or 0)
    if faults:
        raise InputError([*faults, *_table_faults(data.get("tables"), file.parent, file.name, data, lines)])
    return Plan(model, file.parent, file.name, data, lines)


def _load_scenario(scenario: ScenarioFile, file: Path) -> Plan:
    """The plan that a scenario file names, beside it, with the scenario's changes."""
    beside = _inside(file.parent, scenario.plan, file.name, None)
    if scenario.plan.startswith("sample:"):
        beside = sample_path(scenario.plan.removeprefix("sample:"))
    plan = load_plan(beside)
    if plan.scenario is not None:
        raise InputError([Fault("plan.scenario_chain", file=file.name, params={"plan": scenario.plan})])
    unknown = set(plan.model.tables) and [c for c in scenario.changes if c.path.startswith("tables.")]
    if unknown:
        raise InputError(
            [Fault("plan.scenario_tables", file=file.name, params={"path": c.path}) for c in unknown]
        )
    name = {lang: f"{plan.name(lang)} · {pick(dict(scenario.name), lang)}" for lang in LANGUAGES}
    changed = plan.patched([*scenario.changes, Patch(path="name", value=name, source=file.name)])
    return replace(changed, scenario=file.resolve())


def _not_filled_in(data: Any, lines: Any, file: str, at: tuple[str | int, ...] = ()) -> list[Fault]:
    """Places that still hold what the starter wrote to be replaced."""
    if isinstance(data, dict):
        return [f for k, v in data.items() for f in _not_filled_in(v, lines, file, (*at, k))]
    if isinstance(data, list):
        return [f for n, v in enumerate(data) for f in _not_filled_in(v, lines, file, (*at, n))]
    if isinstance(data, str) and any(mark in data for mark in PLACEHOLDERS):
        params = {"key": ".".join(map(str, at)), "value": data}
        return [Fault("plan.fill_in", file=file, line=line_of(lines, at), params=params)]
    return []


def _table_faults(specs: Any, folder: Path, file: str, data: dict[str, Any], lines: Any) -> list[Fault]:
    """The faults of the tables that a faulty plan names, so that all are told at once."""
    faults: list[Fault] = []
    for name, raw in specs.items() if isinstance(specs, dict) else ():
        try:
            spec = TableSpec.model_validate(raw)
            path = _inside(folder, spec.path, file, line_of(lines, ("tables", name, "path")))
            if name not in CLAIM_TABLES:
                read_table(path, TABLE_KINDS[name], sheet=spec.sheet, unit=spec.unit)
        except InputError as error:
            faults += error.faults
        except (ValidationError, KeyError):
            continue  # told with the plan's own faults, or when the plan is whole
    needed = (
        REQUIRED_TABLES if isinstance(specs, dict) and "claims" in specs else ("experience", *REQUIRED_TABLES)
    )
    for name in needed:
        if isinstance(specs, dict) and name not in specs:
            faults.append(
                Fault(
                    "plan.missing_table", file=file, line=line_of(lines, ("tables",)), params={"name": name}
                )
            )
    return faults


def _inside(folder: Path, raw: str, file: str, line: int | None) -> Path:
    """A path of a plan: a sample, or inside the plan's folder."""
    if raw.startswith("sample:"):
        return sample_path(raw.removeprefix("sample:"))
    if not raw.strip() or any(ord(c) < 32 for c in raw):
        raise InputError([Fault("plan.path_outside", file=file, line=line, params={"value": repr(raw)})])
    path = (folder / raw).resolve()
    if "://" in raw or not path.is_relative_to(folder.resolve()):
        raise InputError([Fault("plan.path_outside", file=file, line=line, params={"value": raw})])
    return path


__all__ = [
    "AggregatesPolicy",
    "ExpertGrowthSpec",
    "Patch",
    "Plan",
    "RepricedPolicy",
    "Scenario",
    "SimplePolicy",
    "load_plan",
]
