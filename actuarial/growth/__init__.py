"""Growth of per-capita cost at constant policy: next year's level, with its uncertainty.

Two ways. **An expert's value** (:func:`expert_growth`): a median and a standard deviation in points.
**A history** (:func:`fit_growth`): three to eight yearly levels of one fund, or of a fund and its neighbours,
fitted by the hierarchy of :mod:`actuarial.growth.hierarchy` under the documented prior of ``prior.yaml``.

Modules, in the order of the data's way: ``levels`` (what is handed in), ``jumps``, ``prior``, ``hierarchy`` (the
model), ``trend`` (models of one series), ``predictive`` (one distribution), ``fitted``, ``forecast``, ``result`` and ``fit``; ``credibility``, ``drivers`` and ``backtest`` beside them; ``history`` for plans.
"""

from __future__ import annotations

from actuarial.growth.expert import ExpertGrowth, expert_growth
from actuarial.growth.fit import fit_growth
from actuarial.growth.forecast import Forecast
from actuarial.growth.history import RawGrowth, growth_has_base, per_capita_history, plan_growth, raw_growth
from actuarial.growth.prior import Prior, growth_bounds, load_prior
from actuarial.growth.result import GrowthFit

__all__ = [
    "ExpertGrowth", "Forecast", "GrowthFit", "Prior", "RawGrowth", "expert_growth", "fit_growth", "growth_bounds",
    "growth_has_base",
    "load_prior", "per_capita_history", "plan_growth", "raw_growth",
]  # fmt: skip
