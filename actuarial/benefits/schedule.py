"""A benefit schedule with its gaps read, and what it says of one kind of claim.

A **cell** is what one layer says of the claims with the same attributes (category, level, place, referral, group,
disease): a deductible, segments, ceilings, all in whole cents and millionths, so that every payment is exact.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.law import Law, load_law
from actuarial.law.benefit import BenefitPayload, Layer, Rule, Tilt, payload_choices, payload_gaps
from actuarial.law.terms import WAGE, Fixed, Share, Term, Unread
from actuarial.layers import Piecewise
from actuarial.results import Source
from actuarial.tables import labels
from actuarial.texts import LANGUAGES, text

PPM = 1_000_000
"""Ratios are whole numbers of millionths."""
NONE = -1
PATIENT = "patient"
DEFAULTS = {
    "category": "",
    "level": "",
    "place": "in_area",
    "referral": "unknown",
    "group": "general",
    "disease": "",
}
"""What a claim is taken for where its table has no such column."""

Attributes = Mapping[str, str]


@dataclass(frozen=True)
class Money:
    """An amount: whole cents, and millionths of the member's yearly wage."""

    cents: int
    wage_ppm: int = 0

    def of(self, wage: int) -> int:
        """In cents, for a wage in cents; half up."""
        return self.cents + (self.wage_ppm * wage + PPM // 2) // PPM


@dataclass(frozen=True)
class Cell:
    """What one layer says of one kind of claim.

    Parameters
    ----------
    kind : str
        ``rules``, ``fixed``, ``as_paid``, ``balance``, ``mutual_aid`` or ``none`` (no rule fits).
    edges, ratios : tuple of int
        Starts of the segments [cents] and their ratios [millionths].
    from_zero : bool
        Whether the segments start at 0 and not above the deductible.
    deductible, fixed, claim_ceiling : Money or None
    repeat : tuple of int
        Share of the deductible at the first, second, … claim of the year [millionths]; the last goes on.
    accumulator : str
        Name of the running total of the year; empty where every claim stands by itself.
    ceilings : tuple of (str, Money)
        Yearly ceilings that count this claim.
    stop_loss : Money or None
    first_b, first_c : int
        Share of class B and class C cost that is not counted [millionths].
    less : Money or None
        Amount of each claim that is not counted.
    """

    kind: str
    edges: tuple[int, ...] = ()
    ratios: tuple[int, ...] = ()
    from_zero: bool = False
    deductible: Money = Money(0)
    fixed: Money | None = None
    claim_ceiling: Money | None = None
    repeat: tuple[int, ...] = ()
    accumulator: str = ""
    ceilings: tuple[tuple[str, Money], ...] = ()
    stop_loss: Money | None = None
    first_b: int = 0
    first_c: int = PPM
    less: Money | None = None


@dataclass(frozen=True, eq=False)
class BenefitSchedule:
    """A benefit schedule that can be computed with.

    Parameters
    ----------
    law : Law
        Of kind ``benefit``; its readings fill all gaps that the terms name.
    """

    law: Law

    @property
    def payload(self) -> BenefitPayload:
        """The terms."""
        return self.law.payload

    @property
    def id(self) -> str:
        """Id of the law file."""
        return self.law.id

    @property
    def effective_day(self) -> int:
        """Day from which it is in force, in days since 1970-01-01."""
        return (dt.date.fromisoformat(self.law.envelope.effective) - dt.date(1970, 1, 1)).days

    @property
    def layers(self) -> list[Layer]:
        """The layers in the order in which they pay."""
        return self.payload.layers

    @property
    def main_layer(self) -> str:
        """The layer that claims without a rule stay with: the first of the basic fund, else the first."""
        return next((x.id for x in self.layers if x.bearer == "basic_fund"), self.layers[0].id)

    @property
    def carried(self) -> bool:
        """Whether the year's accumulators of an earlier schedule go on when this one takes its place."""
        return self._read_choice(self.payload.transition.accumulators) == "carried"

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Categories that some rule names, sorted."""
        named = {w for layer in self.layers for r in layer.rules for w in r.when.get("category", ())}
        return tuple(sorted(named))

    @property
    def order_free(self) -> bool:
        """Whether the order of a member's claims can play no part in what each is paid.

        True where nothing accumulates over the year: no running totals, repeat deductibles, yearly ceilings, stop-loss
        or accounts. Where it is False the order may still not matter for some claims.
        """
        return not any(
            layer.ceilings or layer.stop_loss or layer.pays == "balance"
            or any(r.accumulate == "year" or r.deductible_share_at_repeat for r in layer.rules)
            for layer in self.layers
        )  # fmt: skip

    @property
    def sources(self) -> tuple[Source, ...]:
        """The law, and the readings that fill its gaps."""
        e = self.law.envelope
        named = {g for g in e.readings if g in e.gaps}
        read = [
            Source(g, f"{r.source} ({e.id})", f"readings.{g}", str(r.choice or r.value), r.status)
            for g, r in e.readings.items()
            if g in named
        ]
        return (self.law.source(), *read)

    # ------------------------------------------------------------------ cells

    def covers(self, attributes: Attributes) -> bool:
        """Whether some layer has a rule for such claims; others stay as they were paid."""
        return any(self.cell(layer, attributes).kind in {"rules", "fixed"} for layer in self.layers)

    def cell(self, layer: Layer, attributes: Attributes) -> Cell:
        """What `layer` says of claims with these attributes.

        Raises
        ------
        InputError
            If a term depends on a word that the claims do not have (``law.no_word``).
        """
        if layer.pays != "rules":
            return self._with_year(Cell(layer.pays), layer, attributes)
        found = next(((n, r) for n, r in enumerate(layer.rules) if fits(r.when, attributes)), None)
        if found is None:
            return Cell("none")
        number, rule = found
        read = self.law.reading
        tilts = [
            t
            for t in layer.tilts
            if fits(t.when, attributes) and all(read(g) == c for g, c in t.if_reading.items())
        ]
        first = layer.counted.item_self_payment_first
        cell = Cell(
            "rules",
            first_b=self._ppm(first["class_b"], attributes) if "class_b" in first else 0,
            first_c=self._ppm(first["class_c"], attributes) if "class_c" in first else PPM,
            less=self._money(layer.counted.less_per_claim, attributes)
            if layer.counted.less_per_claim is not None
            else None,
        )
        if rule.fixed is not None:
            cell = replace(cell, kind="fixed", fixed=self._money(rule.fixed, attributes))
        else:
            cell = self._segments(cell, rule, tilts, attributes)
        deductible = next(
            (t.deductible for t in reversed(tilts) if t.deductible is not None), rule.deductible
        )
        name = accumulator_of(layer.id, number, rule)
        cell = replace(
            cell,
            deductible=self._money(deductible, attributes),
            claim_ceiling=self._money(rule.claim_ceiling, attributes)
            if rule.claim_ceiling is not None
            else None,
            repeat=tuple(round(s * PPM) for s in rule.deductible_share_at_repeat or ()),
            accumulator=name
            if self._read_choice(rule.accumulate) == "year" or rule.deductible_share_at_repeat
            else "",
        )
        return self._with_year(cell, layer, attributes)

    def _segments(self, cell: Cell, rule: Rule, tilts: list[Tilt], attributes: Attributes) -> Cell:
        written = [(0.0, rule.ratio)] if rule.segments is None else [(s.over, s.ratio) for s in rule.segments]
        pairs = [(round(over * 100), self._ppm(ratio, attributes)) for over, ratio in written]
        for tilt in tilts:
            if tilt.ratio is not None:
                pairs = [(0, self._ppm(tilt.ratio, attributes))]
            if tilt.ratio_points is not None:
                points = round(tilt.ratio_points * PPM)
                pairs = [(edge, min(max(ratio + points, 0), PPM)) for edge, ratio in pairs]
        from_zero = self._read_choice(rule.segment_origin) == "zero"
        return replace(
            cell, edges=tuple(e for e, _ in pairs), ratios=tuple(r for _, r in pairs), from_zero=from_zero
        )

    def _with_year(self, cell: Cell, layer: Layer, attributes: Attributes) -> Cell:
        ceilings = tuple(
            (f"{layer.id}.{c.id}", self._money(c.amount, attributes))
            for c in layer.ceilings
            if fits(c.when, attributes)
        )
        stops = [s for s in layer.stop_loss if fits(s.when, attributes)]
        return replace(
            cell,
            ceilings=ceilings,
            stop_loss=self._money(stops[0].amount, attributes) if stops else None,
        )

    # ------------------------------------------------------------------ terms

    def _read_choice(self, written: str | Mapping[Any, str]) -> str:
        """A word, or the choice by which its gap is read."""
        if isinstance(written, str):
            return written
        choice = self.law.reading(written["gap"])
        assert choice is not None  # load_schedule sees to it
        return choice

    def _value(self, term: Term, attributes: Attributes) -> tuple[float, float]:
        """A term as a number and a share of the member's wage."""
        if isinstance(term, Fixed):
            return term.value, 0.0
        if isinstance(term, Unread):
            return float(self.law.envelope.readings[term.gap].value or 0.0), 0.0
        if isinstance(term, Share):
            share, _ = self._value(term.share, attributes)
            if term.of == WAGE:
                return 0.0, share
            amount, wage = self._value(self.payload.parameters[term.of], attributes)
            return share * amount, share * wage
        word = attributes.get(term.key, DEFAULTS[term.key])
        inner = term.table.get(word, term.otherwise)
        if inner is None:
            params = {"attribute": term.key, "word": labels([word or "?"]), "known": labels(term.table)}
            raise InputError([Fault("law.no_word", file=self.law.file, params=params)])
        return self._value(inner, attributes)

    def _money(self, term: Any, attributes: Attributes) -> Money:
        yuan, wage = self._value(_term(term), attributes)
        return Money(round(yuan * 100), round(wage * PPM))

    def _ppm(self, term: Any, attributes: Attributes) -> int:
        return round(self._value(_term(term), attributes)[0] * PPM)

    # ------------------------------------------------------------------ views

    def piecewise(self, layer: str, *, annual_wage: float = 0.0, **attributes: str) -> Piecewise:
        """What a layer pays within one accumulator, as a function of the counted cost [yuan].

        Claim and yearly ceilings are counted, stop-loss and fixed amounts are not; the first deductible is taken.

        Parameters
        ----------
        layer : str
            Its id.
        annual_wage : float
            Of the member [yuan/year].
        **attributes : str
            Of the claims: ``category``, ``level``, ``place``, ``referral``, ``group``, ``disease``.

        Raises
        ------
        InputError
            If there is no such layer, or it has no rule for such claims.

        Examples
        --------
        >>> from actuarial.benefits import load_schedule
        >>> qinzhou = load_schedule("china/qinzhou/cii/critical_illness@2017-01-01")
        >>> f = qinzhou.piecewise("critical_illness", category="inpatient")
        >>> float(f(50_000.0))
        24800.0
        """
        found = next((x for x in self.layers if x.id == layer), None)
        cell = self.cell(found, {**DEFAULTS, **attributes}) if found else Cell("none")
        if cell.kind != "rules":
            params = {"layer": layer, "known": "、".join(x.id for x in self.layers)}
            raise InputError([Fault("benefits.no_layer", file=self.law.file, params=params)])
        return piecewise_of(cell, round(annual_wage * 100))

    @property
    def table(self) -> pd.DataFrame:
        """The rules one by one: layer, bearer, conditions, deductible, ratios, ceilings as written."""
        rows = []
        for layer in self.layers:
            for rule in (*layer.rules, *(() if layer.rules else (None,))):
                row = {"layer": layer.id, "bearer": layer.bearer, "counted": layer.counted.of}
                row |= {"pays": layer.pays, "when": "", "accumulate": "", "deductible": "", "ratio": ""}
                if rule is not None:
                    ratios = [(0.0, rule.ratio)] if rule.ratio is not None else []
                    ratios += [(s.over, s.ratio) for s in rule.segments or []]
                    row |= {
                        "when": _words(rule.when),
                        "accumulate": self._written_choice(rule.accumulate),
                        "deductible": self._written(rule.deductible),
                        "ratio": "; ".join(f">{o:g}: {self._written(r)}" for o, r in ratios)
                        or self._written(rule.fixed),
                    }
                row["ceilings"] = "; ".join(
                    f"{c.id}: {self._written(c.amount)} {_words(c.when)}".strip() for c in layer.ceilings
                )
                rows.append(row)
        return pd.DataFrame(rows)

    def _written_choice(self, written: str | Mapping[Any, str]) -> str:
        if isinstance(written, str):
            return written
        found = self.law.envelope.readings.get(written["gap"])
        return f"{{{written['gap']}}}" if found is None else f"{found.choice} ({found.status})"

    def _written(self, term: Any) -> str:
        term = _term(term)
        if isinstance(term, Fixed):
            return f"{term.value:g}"
        if isinstance(term, Unread):
            found = self.law.envelope.readings.get(term.gap)
            return f"{{{term.gap}}}" if found is None else f"{found.value:g} ({found.status})"
        if isinstance(term, Share):
            return f"{self._written(term.share)} × {term.of}"
        words = [f"{w}: {self._written(t)}" for w, t in term.table.items()]
        return ", ".join([*words, *([f"…: {self._written(term.otherwise)}"] if term.otherwise else [])])


def accumulator_of(layer: str, number: int, rule: Rule) -> str:
    """Name of a rule's running total: rules that name the same one share it."""
    return f"{layer}.{rule.accumulator or f'rule{number}'}"


def _words(when: Attributes | Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(f"{k}={'/'.join(v)}" for k, v in when.items())


def _term(value: Any) -> Term:
    return Fixed(float(value)) if isinstance(value, int | float) else value


def fits(when: Mapping[str, tuple[str, ...]], attributes: Attributes) -> bool:
    """Whether a claim with these attributes meets all conditions."""
    return all(attributes.get(key, DEFAULTS[key]) in words for key, words in when.items())


def piecewise_of(cell: Cell, wage: int = 0) -> Piecewise:
    """A cell within one accumulator as a function of the counted cost [yuan], ceilings included."""
    d = cell.deductible.of(wage) / 100
    start = 0.0 if cell.from_zero else d
    edges = [start + e / 100 for e in cell.edges]
    ratios = [r / PPM for r in cell.ratios]
    if cell.from_zero:
        kept = [
            (max(e, d), r)
            for e, r, nxt in zip(edges, ratios, [*edges[1:], float("inf")], strict=True)
            if nxt > d
        ]
        edges, ratios = [e for e, _ in kept], [r for _, r in kept]
    limits = [m.of(wage) / 100 for _, m in cell.ceilings]
    limits += (
        [cell.claim_ceiling.of(wage) / 100] if cell.claim_ceiling is not None and not cell.accumulator else []
    )
    return Piecewise(*capped(edges, [0.0, *ratios], min(limits, default=None)))


def capped(edges: list[float], slopes: list[float], ceiling: float | None) -> tuple[list[float], list[float]]:
    """Edges and slopes of a function that stops at `ceiling`."""
    if ceiling is None:
        return edges, slopes
    paid = 0.0
    for n, edge in enumerate(edges):
        nxt = edges[n + 1] if n + 1 < len(edges) else float("inf")
        slope = slopes[n + 1]
        reach = edge + (ceiling - paid) / slope if slope else float("inf")
        if reach <= nxt and reach < float("inf"):
            if reach <= edge:  # a ceiling of 0
                return edges[: n + 1], [*slopes[: n + 1], 0.0]
            return [*edges[: n + 1], reach], [*slopes[: n + 2], 0.0]
        paid += slope * (nxt - edge) if slope else 0.0
    return edges, slopes


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
