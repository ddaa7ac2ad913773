"""Loss distributions with heavy tails: moments, limited expected values, draws, fits to amounts and to bands."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from actuarial.severity.base import Severity
    from actuarial.severity.compound import compound_cumulants, log_sd
    from actuarial.severity.fit import SeverityFit, fit_severity
    from actuarial.severity.laws import Gamma, Lognormal, LognormalMixture, SplicedPareto

__all__ = [
    "Gamma",
    "Lognormal",
    "LognormalMixture",
    "Severity",
    "SeverityFit",
    "SplicedPareto",
    "compound_cumulants",
    "fit_severity",
    "log_sd",
]

_HOMES = {
    "Severity": "base", "compound_cumulants": "compound", "log_sd": "compound", "SeverityFit": "fit",
    "fit_severity": "fit", "Gamma": "laws", "Lognormal": "laws", "LognormalMixture": "laws", "SplicedPareto": "laws",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Loaded when first used: most callers need one function, not SciPy."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"actuarial.severity.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'actuarial.severity' has no attribute {name!r}")
