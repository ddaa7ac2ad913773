"""A benefit schedule with its gaps read, and what it says of one kind of claim.

See :mod:`actuarial.benefits.cell` for what a layer says of one kind of claim, :mod:`actuarial.benefits.loading` for how
schedules are loaded and their gaps read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from actuarial.benefits.cell import PPM, Cell, Money, piecewise_of
from actuarial.errors import Fault, InputError
from actuarial.law import Law
from actuarial.law.benefit import BenefitPayload, Layer, Rule, Tilt
from actuarial.law.terms import WAGE, Fixed, Share, Term, Unread
from actuarial.layers import Piecewise
from actuarial.results import Source
from actuarial.tables import labels

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
