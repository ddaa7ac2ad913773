"""Commands on benefit rules: repricing claims under old and new rules."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from actuarial.cli.data import say_synthetic
from actuarial.cli.shared import common, help_text, print_json, say
from actuarial.errors import Fault, InputError
from actuarial.safe import formula_safe

if TYPE_CHECKING:
    import pandas as pd

    from actuarial.benefits import RepricedFactor


@click.command(help=help_text("reprice_help"), short_help=help_text("reprice_short"))
@click.argument("file", type=click.Path())
@click.option("--old", "old", multiple=True, required=True, help=help_text("old_help"))
@click.option("--new", "new", required=True, help=help_text("new_help"))
@click.option("--reading", "readings", multiple=True, help=help_text("reading_help"))
@click.option("--recode", "recodes", multiple=True, help=help_text("recode_help"))
@click.option("--elasticity", type=click.FloatRange(max=0), default=None, help=help_text("elasticity_help"))
@click.option("--growth", type=click.FloatRange(-0.3, 1.0), default=None, help=help_text("trend_help"))
@click.option("--unit", default=None, help=help_text("unit_help"))
@click.option("--out", type=click.Path(), default=None, help=help_text("reprice_out_help"))
@common
def reprice(
    file: str, old: tuple[str, ...], new: str, readings: tuple[str, ...], recodes: tuple[str, ...],
    elasticity: float | None, growth: float | None, unit: str | None, out: str | None, lang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """The policy factor of a claim file, and what the rules pay."""
    from actuarial.benefits import UseAssumption, policy_factor
    from actuarial.benefits.loading import load_schedules
    from actuarial.errors import ActuarialWarning
    from actuarial.samples import says_synthetic

    if out and Path(out).suffix.lower() not in {".xlsx", ".csv", ".parquet"}:
        raise InputError([Fault("file.out_type", file=out, params={"suffix": Path(out).suffix or out})])
    claims = _claims(file, unit)
    recode = _recode(recodes)
    *before, after = load_schedules([*old, new], readings=_readings(readings))
    use = UseAssumption(elasticity, "--elasticity") if elasticity else None
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", ActuarialWarning)
        found = policy_factor(
            claims,
            old=before,
            new=after,
            recode=recode,
            elasticity=use,
            leverage=growth is not None,
        )
    notes = list(dict.fromkeys(str(w.message) for w in heard))
    synthetic = says_synthetic(Path(file))
    if out:
        _write(out, found, claims, after, recode, lang)
    if as_json:
        print_json(
            _plain(found, growth, lang) | {"file": Path(file).name, "synthetic": synthetic, "warnings": notes}
        )
        return
    say_synthetic(synthetic)
    click.echo(found.summary(lang))
    if growth is not None:
        for row in found.at_growth(growth).to_dict("records"):
            click.echo(say(f"step_{row['step']}", factor=f"{row['factor']:.4f}"))
    for note in notes:
        click.echo(say("check_note", note=note))
    if out:
        click.echo(say("wrote", path=out))


def _claims(file: str, unit: str | None) -> Any:
    from actuarial.benefits.sorted_file import is_sorted_file
    from actuarial.tables import read_claims

    return Path(file) if is_sorted_file(file) else read_claims(file, unit=unit)


def _readings(given: tuple[str, ...]) -> dict[str, Any]:
    """``gap=value`` or ``gap=choice``."""
    out: dict[str, Any] = {}
    for entry in given:
        name, mark, value = entry.partition("=")
        if not mark or not name or not value:
            raise InputError([Fault("benefits.reading_option", params={"value": entry})])
        try:
            said: dict[str, Any] = {"value": float(value)}
        except ValueError:
            said = {"choice": value}
        out[name] = said | {"status": "assumed", "source": "--reading"}
    return out


def _recode(given: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """``level:outside=prefecture``."""
    from actuarial.law.terms import ATTRIBUTES, word_of

    out: dict[str, dict[str, str]] = {}
    for entry in given:
        attribute, mark, words = entry.partition(":")
        before, equals, after = words.partition("=")
        if not mark or not equals or attribute not in ATTRIBUTES or not before or not after:
            raise InputError(
                [Fault("benefits.recode_option", params={"value": entry, "known": "、".join(ATTRIBUTES)})]
            )
        out.setdefault(attribute, {})[word_of(before)] = word_of(after)
    return out


def _worded(frame: pd.DataFrame, lang: str | None) -> pd.DataFrame:
    """A table with headings and words as a reader has them."""
    from actuarial.tables import term_label
    from actuarial.texts import text

    shown = frame.copy()
    for name in {"category", "level"} & set(frame.columns):
        shown[name] = [term_label(str(w), lang) for w in frame[name]]
    return shown.rename(columns={c: text(f"cli.factor_col_{c}", lang) for c in frame.columns})


def _safe(frame: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    from actuarial.results import suppress_small_cells

    return suppress_small_cells(frame, "persons", ["claims", *values])


def _plain(found: RepricedFactor, growth: float | None, lang: str | None) -> dict[str, Any]:
    """The factor as plain data; the keys are documented in ``docs/cli.md``."""
    low, high = found.interval()
    cells = _safe(found.table, ["paid", "by_rules", "new", "factor", "se"]).iloc[:-1]
    fit = _safe(found.fit.table, ["by_rules", "paid", "calibration", "equal_share"])
    changes = [
        {"change": c if isinstance(c, str) else c.label(lang), "alone": a, "in_order": o}
        for c, a, o in found.changes[["change", "alone_share", "in_order_share"]].itertuples(index=False)
    ]
    return {
        "policy_factor": found.coefficient, "standard_error": found.sd, "interval_95": [low, high],
        "without_use_response": found.static, "old": [s.id for s in found.schedules[0]],
        "new": found.schedules[1][-1].id, "cells": _records(cells), "changes": changes,
        "fit": {"calibration": found.fit.calibration, "equal_share": found.fit.equal_share, "cells": _records(fit)},
        "steps": None if growth is None else dict(found.at_growth(growth).itertuples(index=False)),
    }  # fmt: skip


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _json(v) for k, v in r.items()} for r in frame.to_dict("records")]


def _json(value: Any) -> Any:
    """A cell as JSON knows it: NaN is null, NumPy's numbers are Python's."""
    plain = value.item() if hasattr(value, "item") else value
    return None if plain != plain else plain


def _write(out: str, found: RepricedFactor, claims: Any, new: Any, recode: Any, lang: str | None) -> None:
    """The factor's tables as a workbook; or, as CSV or Parquet, what the new rules pay of every claim."""
    from actuarial.benefits import reprice as reprice_claims
    from actuarial.results import atomic_path, write_frames
    from actuarial.texts import text

    if Path(out).suffix.lower() == ".xlsx":
        changes = found.changes.copy()
        changes["change"] = [
            text(f"benefits.{c}", lang) if isinstance(c, str) else c.label(lang) for c in changes["change"]
        ]
        sheets = {
            text("cli.sheet_factor", lang): _safe(found.table, ["paid", "by_rules", "new", "factor", "se"]),
            text("cli.sheet_changes", lang): changes,
            text("cli.sheet_fit", lang): _safe(
                found.fit.table, ["by_rules", "paid", "calibration", "equal_share"]
            ),
            text("cli.sheet_bands", lang): _safe(
                found.fit.bands, ["by_rules", "paid", "calibration", "equal_share"]
            ),
        }
        write_frames(out, {name: _worded(frame, lang) for name, frame in sheets.items()})
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said already with the factor
        payments = reprice_claims(claims, new, recode=recode, per_claim=True).payments
    assert payments is not None  # asked for
    with atomic_path(out) as temporary:
        if Path(out).suffix.lower() == ".csv":
            payments = payments.assign(claim_id=payments["claim_id"].map(formula_safe))
            payments.to_csv(
                temporary, index=False, lineterminator="\n", float_format="%.2f", encoding="utf-8-sig"
            )
        else:
            payments.to_parquet(temporary, index=False)
