"""Benefit schedules from law files, their gaps read or refused by name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from actuarial.benefits.schedule import BenefitSchedule
from actuarial.errors import Fault, InputError
from actuarial.law import Law, load_law
from actuarial.law.benefit import payload_choices, payload_gaps
from actuarial.tables import labels
from actuarial.texts import LANGUAGES, text


def load_schedule(
    id_or_file: str | os.PathLike[str] | BenefitSchedule, *, readings: Mapping[str, Any] | None = None
) -> BenefitSchedule:
    """Load a benefit schedule and fill its gaps.

    Parameters
    ----------
    id_or_file : str, path or BenefitSchedule
        An id (``china/jeminay/ncms/basic@2011-04-26``) or a YAML file of one's own.
    readings : mapping, optional
        How gaps are read: a number, the name of a choice, or ``{value|choice, status, source}``; they go before
        the readings in the file.

    Raises
    ------
    InputError
        If there is no such law, a reading does not fit, or a gap that the terms name is not read (all at once).

    Examples
    --------
    >>> schedule = load_schedule("china/jieshou/cii/critical_illness@2013-10-23")
    >>> [layer.id for layer in schedule.layers]
    ['basic', 'critical_illness']
    """
    given = id_or_file.law if isinstance(id_or_file, BenefitSchedule) else load_law(id_or_file, "benefit")
    law = given.with_readings(readings or {})
    open_gaps = unread_gaps(law)
    if open_gaps:
        raise InputError([_unread(law, g) for g in open_gaps])
    return BenefitSchedule(law)


def load_schedules(
    names: Sequence[str | os.PathLike[str]], *, readings: Mapping[str, Any] | None = None
) -> list[BenefitSchedule]:
    """Load several schedules; each reading goes to those that have the gap.

    Raises
    ------
    InputError
        As :func:`load_schedule`, for all of them at once; and if a reading is of a gap that none of them has.
    """
    readings = readings or {}
    found: list[BenefitSchedule] = []
    faults: dict[str, Fault] = {}
    laws = []
    for name in names:
        try:
            laws.append(load_law(name, "benefit"))
        except InputError as error:
            faults |= {f.message("en"): f for f in error.faults}
    known = {g for law in laws for g in law.envelope.gaps}
    for gap in readings:
        if gap not in known and len(laws) == len(names):
            params = {"gap": gap, "value": str(readings[gap]), "known": labels(sorted(known))}
            faults[gap] = Fault("law.reading", params=params)
    for law in laws:
        own = {g: r for g, r in readings.items() if g in law.envelope.gaps}
        try:
            found.append(load_schedule(BenefitSchedule(law), readings=own))
        except InputError as error:
            faults |= {f.message("en"): f for f in error.faults}
    if faults:
        raise InputError(faults.values())
    return found


def unread_gaps(law: Law) -> list[str]:
    """The gaps that the terms of a benefit schedule name and no reading fills with what is asked for."""
    numbers, choices = payload_gaps(law.payload), payload_choices(law.payload)
    readings = law.envelope.readings
    missing = [g for g in numbers if g not in readings or readings[g].value is None]
    return [*missing, *(g for g in choices if g not in readings or readings[g].choice is None)]


def _unread(law: Law, gap: str) -> Fault:
    found = law.envelope.gaps[gap]
    bounds = f"{found.range[0]:g}–{found.range[1]:g}" if found.range else ""
    choices = {
        k: text("claim_words.comma", k).join(found.choices) or bounds or text("law.any_number", k)
        for k in LANGUAGES
    }
    return Fault("law.gap", file=law.file, params={"gap": gap, "what": found.what, "choices": choices})
