"""Offers side by side on the same paths, with the errors of their differences.

What a higher target gives the insurer the fund pays: so that offers with different targets can be compared, the fund's side of
every offer is measured against one target, the base offer's. With the same claims, what one side gains the other then gives, whatever the
terms; what can be better for both is only the saving that an offer makes worth its while (:mod:`actuarial.contract.effort`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from actuarial.contract.costs import Costs
from actuarial.contract.effort import Effort, Saving, rational_saving
from actuarial.contract.evaluation import COLUMNS, Evaluation, draw_outcomes, measures_row
from actuarial.contract.measures import Measures, changes, measure
from actuarial.contract.outcomes import claims_of
from actuarial.contract.terms import Contract
from actuarial.contract.words import sharer_in_words, terms_in_words
from actuarial.errors import Fault, InputError
from actuarial.results import COLOURS, Result, Unit, figure_style, new_axes, shown, thousands
from actuarial.texts import text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
LINES = (("accent", "-"), ("main", "--"), ("good", "-."), ("bad", ":"), ("ink", (0, (5, 1, 1, 1, 1, 1))))
"""Colour and dash of each offer's curve: apart in grey print too."""
CLEAR = 2.0
"""Standard errors from which on a difference is told as one."""


@dataclass(frozen=True, eq=False)
class Comparison(Result):
    """Offers on the same paths.

    Parameters
    ----------
    evaluations : dict
        Each offer by its name, in order.
    base : str
        The offer that others are compared with.
    effort : Effort or None
        How dear it is to save claims: an assumption.
    """

    evaluations: dict[str, Evaluation]
    base: str
    effort: Effort | None = None

    # ------------------------------------------------------------------ path by path

    @property
    def target(self) -> float:
        """The target against which the fund's side of every offer is measured: the base offer's [yuan]."""
        return self.evaluations[self.base].target

    def evaluation(self, offer: str) -> Evaluation:
        """One offer.

        Raises
        ------
        InputError
            If there is none such.
        """
        if offer not in self.evaluations:
            params = {"name": offer, "known": "、".join(self.evaluations)}
            raise InputError([Fault("bargain.no_offer", params=params)])
        return self.evaluations[offer]

    def result(self, offer: str, side: str) -> Array:
        """What ``insurer`` (after costs where they are stated) or ``fund`` gets under an offer, on each path [yuan]."""
        found = self.evaluation(offer)
        if side == "fund":
            return self.target - found.claims - found.insurer
        return found.insurer_after_costs if self.after_costs else found.insurer

    def party(self, lang: str | None = None) -> str:
        """Who shares with the fund, in words."""
        return sharer_in_words(self.evaluations[self.base].contract, lang)

    @property
    def after_costs(self) -> bool:
        """Whether the insurer's side is told after its costs."""
        return any(e.costs.stated for e in self.evaluations.values())

    # ------------------------------------------------------------------ tables

    @cached_property
    def measures(self) -> dict[tuple[str, str], Measures]:
        """Measures by offer and side."""
        return {(o, s): measure(self.result(o, s)) for o in self.evaluations for s in ("insurer", "fund")}

    @property
    def table(self) -> pd.DataFrame:
        """One row an offer and side: target, measures with errors [yuan]."""
        return pd.DataFrame(
            [
                {"offer": o, "target": self.evaluations[o].target, "side": s, **measures_row(m)}
                for (o, s), m in self.measures.items()
            ]
        )

    @cached_property
    def changes(self) -> dict[tuple[str, str], Measures]:
        """Measures of each other offer less the base's, by offer and side, with the errors of the differences."""
        return {
            (o, s): changes(self.result(o, s), self.result(self.base, s))
            for o in self.evaluations
            if o != self.base
            for s in ("insurer", "fund")
        }

    @property
    def differences(self) -> pd.DataFrame:
        """:attr:`changes` as a table [yuan]."""
        return pd.DataFrame(
            [{"offer": o, "side": s, **measures_row(m)} for (o, s), m in self.changes.items()]
        )

    def better_for(self, offer: str) -> str:
        """For whom an offer is better than the base in the mean: ``insurer``, ``fund``, ``both``, ``neither`` or ``same``.

        A difference within two standard errors counts as none.
        """
        signs = []
        for side in ("insurer", "fund"):
            gap = self.changes[offer, side].expected
            clear = abs(gap.value) > CLEAR * (gap.error if np.isfinite(gap.error) else 0.0) + 0.005
            signs.append(int(np.sign(gap.value)) if clear else 0)
        words = {
            (1, -1): "insurer",
            (1, 0): "insurer",
            (0, 1): "fund",
            (-1, 1): "fund",
            (1, 1): "both",
            (0, 0): "same",
        }
        return words.get((signs[0], signs[1]), "neither")

    @cached_property
    def savings(self) -> dict[str, Saving]:
        """What the insurer would rationally save under each offer; empty without :attr:`effort`."""
        if self.effort is None:
            return {}
        return {
            o: rational_saving(e.curve, e.outcomes, self.effort, mean_claims=float(e.claims.mean()))
            for o, e in self.evaluations.items()
        }

    @property
    def incentives(self) -> pd.DataFrame:
        """Under each offer: what the insurer keeps of the next yuan, and, with effort, what it would save [yuan]."""
        rows = []
        for o, e in self.evaluations.items():
            table = e.incentive
            row: dict[str, Any] = {"offer": o, "insurer_keeps": float((table["insurer_keeps"] * table["probability"]).sum()),
                                   "no_incentive": float(table.loc[table["insurer_keeps"] == 0, "probability"].sum())}  # fmt: skip
            saved = self.savings.get(o)
            if saved is not None:
                row |= {
                    "saving": saved.saving,
                    "cost": saved.cost,
                    "insurer_gain": saved.insurer_gain,
                    "fund_gain": saved.fund_gain,
                }
            rows.append(row)
        return pd.DataFrame(rows)

    # ------------------------------------------------------------------ words and picture

    def summary(self, lang: str | None = None) -> str:
        """Each offer in a line, and for whom it is better."""
        money = Unit.fine(lang)
        after = text("comparison.after" if self.after_costs else "comparison.contractual", lang)
        lines = [
            text(
                "comparison.head",
                lang,
                party=self.party(lang),
                base=self.base,
                after=after,
                paths=f"{len(self.result(self.base, 'fund')):,}",
            )
        ]
        for o, e in self.evaluations.items():
            mine, fund = self.measures[o, "insurer"], self.measures[o, "fund"]
            lines.append(
                text("comparison.offer", lang, party=self.party(lang), offer=o, target=money.show(e.target), unit=money.label,
                     insurer=shown(mine.expected.value, "signed_money", money), loss=shown(mine.loss_probability.value, "percent", money),
                     fund=shown(fund.expected.value, "signed_money", money), tail=shown(fund.tail_95.value, "signed_money", money))
            )  # fmt: skip
        for o in self.evaluations:
            if o != self.base:
                lines.append(self.verdict(o, lang))
        if self.effort is None:
            lines.append(text("comparison.no_effort", lang, party=self.party(lang)))
        return "\n".join(lines)

    def verdict(self, offer: str, lang: str | None = None) -> str:
        """For whom an offer is better than the base, and by how much."""
        money = Unit.fine(lang)
        gaps = {s: self.changes[offer, s].expected for s in ("insurer", "fund")}
        said = {
            s + end: shown(getattr(g, k), kind, money)  # type: ignore[arg-type]
            for s, g in gaps.items()
            for end, k, kind in (("", "value", "signed_money"), ("_error", "error", "money"))
        }
        party = self.party(lang)
        who = text(f"comparison.better_{self.better_for(offer)}", lang, party=party)
        return text(
            "comparison.verdict",
            lang,
            party=party,
            offer=offer,
            base=self.base,
            who=who,
            unit=money.label,
            **said,
        )

    def differs(self, offer: str, lang: str | None = None) -> tuple[str, ...]:
        """What an offer says otherwise than the base: its target, then a line a term."""
        base, found = terms_in_words(self.evaluations[self.base].contract, lang), self.evaluation(offer)
        other = Unit.fine(lang).show(found.target)
        moved = () if found.target == self.target else (text("comparison.other_target", lang, target=other),)
        return (*moved, *(w for w in terms_in_words(found.contract, lang) if w not in base))

    def to_dict(self, lang: str | None = None) -> dict[str, Any]:
        """Plain data for ``--json``."""

        def plain(found: Measures) -> dict[str, Any]:
            return {COLUMNS[n]: getattr(found, n).to_dict() for n in COLUMNS}

        return {
            "base": self.base, "after_costs": self.after_costs,
            "offers": {
                o: {"contract": e.contract.law.id, "target": e.target, "insurer": plain(self.measures[o, "insurer"]),
                    "fund": plain(self.measures[o, "fund"]), "cautions": [c.to_dict(lang) for c in e.cautions]}
                for o, e in self.evaluations.items()
            },
            "differences": {
                o: {"better_for": self.better_for(o), "insurer": plain(self.changes[o, "insurer"]), "fund": plain(self.changes[o, "fund"])}
                for o in self.evaluations if o != self.base
            },
            "incentives": self.incentives.to_dict("records"),
        }  # fmt: skip

    def plot(self, ax: Axes | None = None, lang: str | None = None) -> Axes:
        """Every offer's payoff to the insurer over the distribution of the base offer's outcome."""
        money = Unit.of(lang)
        base = self.evaluations[self.base]
        with figure_style():
            ax = ax or new_axes()
            low, high = np.quantile(base.outcome, [0.0005, 0.9995])
            edge = 1.15 * max(abs(low), abs(high))
            draw_outcomes(ax, base.outcome, edge, lang)
            ax.set_xlabel(text("comparison.axis_outcome", lang, base=self.base, unit=money.label))
            over = ax.twinx()
            x = np.linspace(-edge, edge, 801)
            for n, (o, e) in enumerate(self.evaluations.items()):
                colour, dash = LINES[n % len(LINES)]
                y = e.curve(x + e.target - self.target) / money.scale
                over.plot(x / money.scale, y, color=COLOURS[colour], linestyle=dash, linewidth=2, label=o)
            over.axhline(0, color=COLOURS["ink"], linewidth=0.8)
            over.axvline(0, color=COLOURS["ink"], linewidth=0.8)
            over.set_ylabel(text("comparison.axis_insurer", lang, party=self.party(lang), unit=money.label))
            over.spines["right"].set_visible(True)
            over.grid(visible=False)
            over.yaxis.set_major_formatter(thousands)
            over.legend(loc="upper left", fontsize=9)
        return ax


def compare_offers(
    offers: Mapping[str, Contract | Evaluation],
    *,
    claims: ArrayLike | None = None,
    target: float | None = None,
    targets: Mapping[str, float] | None = None,
    costs: Costs | None = None,
    effort: Effort | None = None,
    base: str | None = None,
    **given: Any,
) -> Comparison:
    """Compare offers on the same paths.

    Parameters
    ----------
    offers : mapping
        Contracts by name, in order; or what :meth:`Contract.evaluate` gave on the same paths.
    claims : array_like, shape (n,) or (n, 12)
        Claims of the contract year [yuan]; not needed where all offers are evaluated already.
    target : float, optional
        Of the offers that `targets` does not name [yuan]; or ``heads=…``.
    targets : mapping, optional
        Target of single offers by name [yuan].
    costs : Costs, optional
        The insurer's own.
    effort : Effort, optional
        Adds what the insurer would rationally save under each offer.
    base : str, optional
        The offer that others are compared with; the first.
    **given
        As for :meth:`Contract.evaluate`: ``heads``, ``premium``, ``events``, ``quality``, ``readings`` …

    Raises
    ------
    InputError
        If there are fewer than two offers, their numbers of paths differ, a name is unknown, or one cannot be evaluated.

    Examples
    --------
    >>> import actuarial as act
    >>> plan = act.load_contract("china/jiande/contract/cooperation@2012-01-01")
    >>> asked = plan.changed({"sharing.0.bands.0.insurer": 0.5})
    >>> claims = act.SimpleClaims(183e6, 0.05).claims(20_000)
    >>> found = compare_offers({"2012": plan, "insurer's": asked}, claims=claims, target=185.6e6)
    >>> found.better_for("insurer's")
    'insurer'
    """
    own = dict(targets or {})
    unknown = [n for n in (*own, *([base] if base else [])) if n not in offers]
    if unknown:
        raise InputError([Fault("bargain.no_offer", params={"name": unknown[0], "known": "、".join(offers)})])
    paid = None if claims is None else claims_of(claims)
    made: dict[str, Evaluation] = {}
    for name, offer in offers.items():
        if isinstance(offer, Evaluation):
            made[name] = offer
            continue
        if paid is None:
            raise InputError([Fault("bargain.shape", params={"shape": "0"})])
        made[name] = offer.evaluate(claims=paid, target=own.get(name, target), costs=costs, **given)
    sizes = {len(e.outcome) for e in made.values()}
    if len(made) < 2 or len(sizes) != 1:
        params = {"count": len(made), "paths": "、".join(f"{n:,}" for n in sorted(sizes)) or "0"}
        raise InputError([Fault("bargain.offers", params=params)])
    sources = tuple(dict.fromkeys(s for e in made.values() for s in e.sources))
    return Comparison(made, base or next(iter(made)), effort, sources=sources)
