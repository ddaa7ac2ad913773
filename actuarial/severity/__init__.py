"""Loss distributions with heavy tails: moments, limited expected values, draws, fits to amounts and to bands."""

from __future__ import annotations

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
