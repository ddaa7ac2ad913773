"""Collecting what is wrong with a claim table: counts in one pass, places only where there is something."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import narwhals.stable.v2 as nw

from actuarial.errors import Fault
from actuarial.tables.claim_columns import Pick
from actuarial.tables.engine import count, gather, total
from actuarial.tables.sources import PLACES, Opened, place_words, spoken
from actuarial.tables.table import Note
from actuarial.texts import text

FLAGS = {
    "empty": "claims.empty",
    "bad": "claims.not_a_number",
    "huge": "claims.too_large",
    "impossible": "claims.impossible_date",
    "lost": "claims.lost_id",
}
"""Faults by the flag's prefix; a bad date and a number that is not finite have codes of their own."""
NOTES = {"fine": "claim_words.fine", "odd": "claim_words.odd"}
UNREADABLE = {"claims.empty", "claims.not_a_number", "claims.not_finite", "claims.too_large", "claims.bad_date",
              "claims.impossible_date", "claims.lost_id", "claims.total_row",
              "claims.unmatched_reversal"}  # fmt: skip
"""Faults whose rows can be left out (`drop`), never kept (`accept`): there is no value to keep."""


@dataclass
class Checks:
    """What is found in one source, as it is found.

    Parameters
    ----------
    opened : Opened
    picks : dict
        The columns in use.
    accept, drop : collection of str
        Codes of faults whose rows are kept, or left out, with a note in place of the fault.
    """

    opened: Opened
    picks: dict[str, Pick]
    accept: Collection[str] = ()
    drop: Collection[str] = ()
    faults: list[Fault] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)

    def flagged(self, frame: nw.LazyFrame[Any], conditions: dict[str, nw.Expr]) -> nw.LazyFrame[Any]:
        """Count every flag of the frame and every condition in one pass; report; leave out what is dropped.

        Parameters
        ----------
        frame : LazyFrame
            With the flags of :mod:`actuarial.tables.normal`.
        conditions : dict
            0/1 expressions over the row, by code.
        """
        flags = [c for c in frame.columns if c.partition("_")[0] in {*FLAGS, *NOTES}]
        named = {f"check_{n}": e for n, e in enumerate(conditions.values())}
        full = frame.with_columns(**named) if named else frame
        found = total(full, [*flags, *named])
        for flag in (f for f in flags if found[f]):
            prefix, _, name = flag.partition("_")
            full = self._report(full, self._code(prefix, name, frame), flag, found[flag], name)
        for code, flag in zip(conditions, named, strict=True):
            if found[flag]:
                full = self._report(full, code, flag, found[flag], None)
        return full.select(frame.columns)

    def _code(self, prefix: str, name: str, frame: nw.LazyFrame[Any]) -> str:
        if prefix in NOTES:
            return NOTES[prefix]
        if prefix == "bad" and f"{name}_day" in frame.columns:
            return "claims.bad_date"
        return (
            "claims.not_finite" if prefix == "bad" and f"raw_{name}" not in frame.columns else FLAGS[prefix]
        )

    def _report(
        self, full: nw.LazyFrame[Any], code: str, flag: str, number: int, name: str | None
    ) -> nw.LazyFrame[Any]:
        hits = full.filter(nw.col(flag) == 1)
        raw = f"raw_{name}" if f"raw_{name}" in full.columns and code != "claims.empty" else None
        self.report(code, number, hits.select("row_", *([raw] if raw else [])), name, raw)
        return full.filter(nw.col(flag) == 0) if code in self.drop else full

    def report(
        self, code: str, number: int, hits: nw.LazyFrame[Any], name: str | None, raw: str | None = None
    ) -> None:
        """Add the fault, or the note where its rows are accepted or dropped.

        Parameters
        ----------
        code : str
        number : int
            Rows concerned.
        hits : LazyFrame
            Their ``row_``, and what was read there in the column `raw`.
        name : str or None
            The column concerned.
        """
        pick = self.picks.get(name) if name else None
        first = gather(hits.sort("row_").head(PLACES))
        rows = [int(r) for r in first["row_"]]
        places, marks = place_words(self.opened, rows, pick.at if pick else None)
        values = list(dict.fromkeys(str(v)[:20] for v in first[raw].head(5) if str(v))) if raw else []
        read = {
            lang: text("claim_words.read", lang, values=text("claim_words.comma", lang).join(values))
            if values
            else ""
            for lang in ("zh", "en")
        }
        params = {"count": number, "places": places, "read": read, "marks": marks, **self.limits}
        self._add(code, params, pick)

    def _add(self, code: str, params: dict[str, Any], pick: Pick | None) -> None:
        fault = Fault(
            code, self.opened.name, self.opened.sheet, column=pick.heading if pick else None, params=params
        )
        told = {k: v for k, v in params.items() if k != "marks"}
        if code.startswith("claim_words."):
            self.notes.append(Note(code, told, fault.where()))
        elif code in self.drop or (code in self.accept and code not in UNREADABLE):
            way = "dropped" if code in self.drop else "accepted"
            short = Fault(code, params={**params, "places": spoken("rows", [])})
            reason = {lang: short.message(lang) for lang in ("zh", "en")}
            told = {"count": params["count"], "places": params["places"], "reason": reason}
            self.notes.append(Note(f"claim_words.{way}", told, fault.where()))
        else:
            self.faults.append(fault)

    def joined(
        self, frame: nw.LazyFrame[Any], code: str, hits: nw.LazyFrame[Any], name: str | None = None
    ) -> nw.LazyFrame[Any]:
        """Report rows found by a join; leave them out where that is asked."""
        number = count(hits)
        if not number:
            return frame
        self.report(code, number, hits, name)
        return frame.join(hits.select("row_"), on="row_", how="anti") if code in self.drop else frame
