"""Cautions that a good actuary would give, found by the program: each a code, a severity and its figures.

==========================  ===========================================================================================
code                        found when
==========================  ===========================================================================================
``gap_in_bands``            a table as written leaves amounts between two bands to nobody
``overlap_of_bands``        two bands claim the same amounts
``rewards_loss``            the insurer's result jumps up where claims rise by one more yuan
``cliff``                   one yuan more of saving earns the insurer a jump, and costs the fund the same
``negative_share``          the insurer's result falls where claims fall
``share_above_one``         the fund's result falls where claims fall
``no_incentive``            the insurer keeps nothing of the next yuan saved: the region and the probability of being in it
``asymmetric``              shares of a surplus and of a deficit of the same size differ, and what that is worth
``target_outside``          the target lies outside the predictive interval of claims
``worst_month``             a month's claims ask for more than the target's money to date and the reserve together
``reward_above_reserve``    the insurer's reward is greater than the reserve that pays it
``bands_cross``             the target is so low that an edge set as a share of it meets one set as an amount
``bands_near_crossing``     a somewhat lower target would make edges cross
==========================  ===========================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from actuarial.contract.crossing import crossings
from actuarial.contract.effort import masses
from actuarial.contract.outcomes import Outcomes
from actuarial.contract.words import sharer_in_words
from actuarial.layers import Piecewise
from actuarial.results import Unit
from actuarial.texts import LANGUAGES, pick, text

if TYPE_CHECKING:
    from actuarial.contract.evaluation import Evaluation
    from actuarial.contract.terms import Contract

Array = NDArray[np.float64]
SEVERITIES = ("serious", "notable", "note")


@dataclass(frozen=True)
class Caution:
    """One thing that both sides should know before they sign.

    Parameters
    ----------
    code : str
        See the table above.
    severity : {"serious", "notable", "note"}
    params : dict
        What the text needs; amounts as ``{zh: …, en: …}``.
    probability : float
        Of the years in which it matters; NaN where it is no matter of chance.

    Examples
    --------
    >>> Caution("cliff", "note", {"amount": "1", "edge": "2", "probability": "3"}).message("en")[:12]
    'At a result '
    """

    code: str
    severity: str
    params: dict[str, Any] = field(default_factory=dict)
    probability: float = math.nan

    def message(self, lang: str | None = None) -> str:
        """The sentence."""
        shown = {k: pick(v, lang) if isinstance(v, dict) else v for k, v in self.params.items()}
        insurer = text("contract_words.party_insurer", lang)
        return text(f"caution.{self.code}", lang, **{"party": insurer, **shown})

    def to_dict(self, lang: str | None = None) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {
            "code": self.code,
            "severity": self.severity,
            "probability": self.probability if math.isfinite(self.probability) else None,
            "message": self.message(lang),
        }


@cache
def rules() -> dict[str, float]:
    """The sizes at which cautions are given (``caution_rules.yaml``)."""
    raw = files(__package__).joinpath("caution_rules.yaml").read_text(encoding="utf-8")
    return {k: v for k, v in yaml.safe_load(raw).items() if isinstance(v, float)}


def ranked(found: Iterable[Caution]) -> tuple[Caution, ...]:
    """The gravest first, then the likeliest."""
    return tuple(sorted(found, key=lambda c: (SEVERITIES.index(c.severity), -_chance(c.probability))))


def _chance(probability: float) -> float:
    return probability if math.isfinite(probability) else 1.0


def _severity(probability: float) -> str:
    limits = rules()
    if probability >= limits["serious_probability"]:
        return "serious"
    return "notable" if probability >= limits["notable_probability"] else "note"


# --------------------------------------------------------------------------- a table as written


def band_cautions(rows: Sequence[tuple[float, float, float]]) -> tuple[Caution, ...]:
    """Gaps and overlaps of a table as a counterpart writes it.

    Parameters
    ----------
    rows : sequence of (from, to, share)
        Sizes of the outcome [yuan], the last `to` infinite; any order.

    Examples
    --------
    >>> [c.code for c in band_cautions([(0, 3e6, 0.4), (4e6, 9e6, 0.5), (8e6, np.inf, 0.0)])]
    ['gap_in_bands', 'overlap_of_bands']
    """
    found = []
    ordered = sorted(rows)
    starts = [(0.0, 0.0, 0.0), *ordered]
    reached = 0.0
    for (_, _, _), (low, high, _) in pairwise(starts):
        if low > reached:
            found.append(Caution("gap_in_bands", "serious", {"low": yuan(reached), "high": yuan(low)}))
        elif low < reached:
            found.append(
                Caution("overlap_of_bands", "serious", {"low": yuan(low), "high": yuan(min(reached, high))})
            )
        reached = max(reached, high)
    if math.isfinite(reached):
        found.append(Caution("gap_in_bands", "serious", {"low": yuan(reached), "high": yuan(math.inf)}))
    return tuple(found)


# --------------------------------------------------------------------------- the curve over the outcome


def curve_cautions(curve: Piecewise, outcomes: Outcomes, *, target: float) -> tuple[Caution, ...]:
    """What the insurer's result as a function of the outcome gives cause to.

    Parameters
    ----------
    curve : Piecewise
    outcomes : Outcomes
    target : float
        [yuan]; sizes "within reach" are shares of it.

    Examples
    --------
    >>> half = Piecewise([-10.0, 10.0], [0.0, 0.5, 0.0])
    >>> [(c.code, c.probability) for c in curve_cautions(half, Outcomes([-20.0, 1.0, 2.0, 3.0]), target=100.0)]
    [('no_incentive', 0.25), ('no_incentive', 0.0)]
    """
    return (*_jumps(curve, outcomes, target), *_slopes(curve, outcomes), *_no_incentive(curve, outcomes),
            *_asymmetry(curve, outcomes))  # fmt: skip


def _jumps(curve: Piecewise, outcomes: Outcomes, target: float) -> list[Caution]:
    reach = rules()["near_share_of_target"] * target
    found = []
    for edge, jump in zip(curve.edges, curve.jumps, strict=True):
        if abs(jump) < 0.005:  # less than half a cent is rounding
            continue
        p = outcomes.probability(edge - reach, edge + reach)
        params = {"edge": yuan(edge), "amount": yuan(abs(jump)), "probability": percent(p)}
        if jump < 0:
            severity = "serious" if p >= rules()["notable_probability"] else "notable"
            found.append(Caution("rewards_loss", severity, params, p))
        else:
            found.append(Caution("cliff", _severity(p), params, p))
    return found


def _slopes(curve: Piecewise, outcomes: Outcomes) -> list[Caution]:
    found = []
    ends = [-math.inf, *curve.edges, math.inf]
    for slope, p, (low, high) in zip(curve.slopes, masses(curve, outcomes), pairwise(ends), strict=True):
        params = {"region": of_outcome(low, high), "share": percent(slope), "probability": percent(p)}
        if slope < 0:
            found.append(Caution("negative_share", _severity(p), params, p))
        elif slope > 1:
            found.append(Caution("share_above_one", _severity(p), params, p))
    return found


def _no_incentive(curve: Piecewise, outcomes: Outcomes) -> list[Caution]:
    """Neighbouring segments of slope 0 are one region."""
    found: list[Caution] = []
    ends = [-math.inf, *curve.edges, math.inf]
    weights = masses(curve, outcomes)
    k = 0
    while k < len(curve.slopes):
        if curve.slopes[k] != 0:
            k += 1
            continue
        last = k
        while last + 1 < len(curve.slopes) and curve.slopes[last + 1] == 0:
            last += 1
        p = sum(weights[k : last + 1])
        params = {"region": of_outcome(ends[k], ends[last + 1]), "probability": percent(p)}
        found.append(Caution("no_incentive", _severity(p), params, p))
        k = last + 1
    return found


def _asymmetry(curve: Piecewise, outcomes: Outcomes) -> list[Caution]:
    """Shares of surplus and deficit of one size that differ, and what the difference is worth to the insurer."""
    sizes = sorted({abs(e) for e in curve.edges} | {0.0})
    inner = [(a + b) / 2 for a, b in pairwise(sizes)] + [sizes[-1] + max(1.0, sizes[-1])]
    at = np.array(inner)
    up, down = curve.slope_at(at), curve.slope_at(-at)
    gaps = np.abs(up - down)
    if gaps.max() < 1e-12:
        return []
    k = int(gaps.argmax())
    low, high = sizes[k], sizes[k + 1] if k + 1 < len(sizes) else math.inf
    p = outcomes.probability(low, high) + outcomes.probability(-high, -low)
    mirror = Outcomes(-outcomes.sorted)
    worth = (float(outcomes.mean(curve)) + float(mirror.mean(curve))) / 2
    params = {"region": region(low, high), "surplus": percent(float(up[k])), "deficit": percent(float(down[k])),
              "worth": signed(worth), "probability": percent(p)}  # fmt: skip
    return [Caution("asymmetric", "notable" if p >= rules()["notable_probability"] else "note", params, p)]


# --------------------------------------------------------------------------- target, months, reserve


def target_caution(target: float, year: Array) -> list[Caution]:
    """A target outside the central interval of simulated claims."""
    level = rules()["predictive_level"]
    low, high = np.quantile(year, [(1 - level) / 2, (1 + level) / 2])
    if low <= target <= high:
        return []
    above = float((year > target).mean())
    params = {"target": yuan(target), "low": yuan(float(low)), "high": yuan(float(high)),
              "level": percent(level), "above": percent(above)}  # fmt: skip
    return [Caution("target_outside", "serious", params)]


def month_caution(peak: Array, reserve: float, month: int) -> list[Caution]:
    """A worst month that asks for more than the reserve.

    Parameters
    ----------
    peak : ndarray, shape (n,)
        Each path's worst need [yuan].
    reserve : float
        [yuan]
    month : int
        The month in which the mean need is greatest.
    """
    p = float((peak > reserve).mean())
    if p <= 0:
        return []
    params = {"reserve": yuan(reserve), "probability": percent(p), "month": month,
              "need": yuan(float(np.quantile(peak, 0.95)))}  # fmt: skip
    return [Caution("worst_month", _severity(p), params, p)]


def reward_caution(result: Array, reserve: float) -> list[Caution]:
    """A reward above the reserve from which it is paid."""
    p = float((result > reserve).mean())
    if p <= 0:
        return []
    params = {"reserve": yuan(reserve), "probability": percent(p), "most": yuan(float(result.max()))}
    return [Caution("reward_above_reserve", _severity(p), params, p)]


def crossing_cautions(contract: Contract, target: float) -> list[Caution]:
    """A target at which edges cross, or from which a little less would make them cross.

    This is known from the terms alone: it can be said before a year is split, and where the split would be refused.

    Parameters
    ----------
    contract : Contract
    target : float
        [yuan]

    Examples
    --------
    >>> from actuarial.contract import load_contract
    >>> jiande = load_contract("china/jiande/contract/cooperation@2012-01-01")
    >>> [[c.severity for c in crossing_cautions(jiande, t)] for t in (80e6, 100e6, 185.6e6)]
    [['serious'], ['notable'], []]
    """
    found = []
    for c in crossings(contract):
        if target > c.target * (1 + rules()["near_crossing"]):
            continue
        crossed = target <= c.target
        code = "bands_cross" if crossed else "bands_near_crossing"
        params = {
            "target": yuan(target),
            "limit": yuan(c.target),
            "fixed": yuan(c.fixed),
            "share": percent(c.share),
        }
        severity = (
            ("notable" if c.answered else "serious") if crossed else ("note" if c.answered else "notable")
        )
        found.append(Caution(code, severity, params))
    return found


def evaluation_cautions(found: Evaluation) -> tuple[Caution, ...]:
    """All that an evaluated contract gives cause to, the gravest first."""
    said = [*crossing_cautions(found.contract, found.target),
            *curve_cautions(found.curve, found.outcomes, target=found.target),
            *target_caution(found.target, found.claims)]  # fmt: skip
    reserve = found.reserve
    if reserve is not None:
        said += reward_caution(found.insurer, reserve)
        if found.cash is not None:
            said += month_caution(found.cash.peak, reserve, found.cash.month)
    party = {lang: sharer_in_words(found.contract, lang) for lang in LANGUAGES}
    return ranked(replace(c, params=c.params | {"party": party}) for c in said)


# --------------------------------------------------------------------------- figures in sentences


def yuan(value: float) -> dict[str, str]:
    """An amount in both languages' units."""
    if math.isinf(value):
        return dict.fromkeys(LANGUAGES, "∞" if value > 0 else "−∞")
    return {lang: Unit.of(lang).show(value) for lang in LANGUAGES}


def signed(value: float) -> dict[str, str]:
    """The same with its sign."""
    return {lang: ("+" if value > 0 else "") + words for lang, words in yuan(value).items()}


def percent(p: float) -> str:
    """A probability or share in per cent.

    Examples
    --------
    >>> percent(0.123), percent(0.00001), percent(0.0)
    ('12.3%', '<0.1%', '0%')
    """
    if 0 < p < 0.0005:
        return "<0.1%"
    return f"{100 * p:.1f}%".replace(".0%", "%").replace("-", "−")


def of_outcome(low: float, high: float) -> dict[str, str]:
    """A stretch of the outcome as a surplus, a deficit, or both.

    Examples
    --------
    >>> of_outcome(-math.inf, -1.856e7)["zh"], of_outcome(0.0, 3e6)["en"]
    ('超支超过1,856.00 万元', 'a surplus between 0.00 million yuan and 3.00 million yuan')
    """
    if low >= 0:
        side, a, b = "surplus", low, high
    elif high <= 0:
        side, a, b = "deficit", -high + 0.0, -low
    else:
        side, a, b = "any", -low, high
    if side == "any":
        ends = {(True, True): "at_all", (True, False): "below", (False, True): "above"}
        kind = ends.get((math.isinf(a), math.isinf(b)), "between")
    else:
        kind = "above" if math.isinf(b) else "between"
    return {
        lang: text(f"caution.{side}_{kind}", lang, low=yuan(a)[lang], high=yuan(b)[lang])
        for lang in LANGUAGES
    }


def region(low: float, high: float) -> dict[str, str]:
    """A stretch of the outcome in words."""
    out = {}
    for lang in LANGUAGES:
        a, b = yuan(low)[lang], yuan(high)[lang]
        kind = "below" if math.isinf(low) else "above" if math.isinf(high) else "between"
        out[lang] = text(f"caution.region_{kind}", lang, low=a, high=b)
    return out
