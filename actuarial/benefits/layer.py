"""A second layer (critical illness) by itself, as a function of the year's counted cost."""

from __future__ import annotations

import math

from actuarial.errors import Fault, InputError
from actuarial.law import Law, load_law
from actuarial.layers import Piecewise


def load_benefit_layer(law_id: str) -> Piecewise:
    """A second layer (critical illness) as a function of the year's counted cost.

    Raises
    ------
    InputError
        If there is no such law, or a gap that matters has no reading.

    Examples
    --------
    >>> f = load_benefit_layer("china/jieshou/layer/critical_illness@2013-10-23")
    >>> f([15_000.0, 20_000.0, 115_000.0]).tolist()
    [0.0, 2500.0, 50000.0]
    """
    law = load_law(law_id, "layer")
    for gap in law.envelope.gaps:
        if law.envelope.gaps[gap].choices and law.reading(gap) is None:
            raise InputError([_unread(law, gap)])
    terms = law.payload
    edges = [terms.deductible + s.over for s in terms.segments]
    slopes = [0.0, *(s.pay_ratio for s in terms.segments)]
    if terms.ceiling is not None:
        paid, last = 0.0, edges[0]
        for edge, slope, nxt in zip(edges, slopes[1:], [*edges[1:], math.inf], strict=True):
            last = edge + (terms.ceiling - paid) / slope if slope else math.inf
            if last <= nxt:
                break
            paid += slope * (nxt - edge)
        if math.isfinite(last):  # else the ceiling is never reached
            keep = [e for e in edges if e < last]
            edges, slopes = [*keep, last], [*slopes[: len(keep) + 1], 0.0]
    return Piecewise(edges, slopes)


def _unread(law: Law, gap: str) -> Fault:
    found = law.envelope.gaps[gap]
    params = {"gap": gap, "what": found.what, "choices": "、".join(found.choices)}
    return Fault("law.gap", file=law.file, params=params)
