"""How a provider with a budget is paid: the contract files that say who keeps savings and bears overspending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actuarial.contract.terms import Contract
from actuarial.law.contract_terms import Requires
from actuarial.law.terms import Fixed
from actuarial.layers import Piecewise
from actuarial.texts import pick


@dataclass(frozen=True)
class ProviderRule:
    """A contract file by which savings and overspending are shared with providers, its gaps read.

    Parameters
    ----------
    contract : Contract
    """

    contract: Contract

    @property
    def name(self) -> str:
        """What the rule is called."""
        return pick(self.contract.law.envelope.name)

    @property
    def monthly(self) -> float:
        """Share of the budget that is paid by month, the rest at settlement."""
        cash = self.contract.terms.cash
        share = cash.monthly_share if cash is not None else Fixed(1.0)
        return share.value if isinstance(share, Fixed) else 1.0

    def provider(self, quota: float, indicators: Mapping[str, float]) -> Piecewise:
        """The provider's gain over the budget less the spending [yuan]."""
        asked = [t.requires for t in self.contract.terms.sharing if t.requires is not None]
        met = {r.indicator: _bound(r) for r in asked}
        return self.contract.for_year(target=quota).curve("provider", indicators={**met, **indicators})

    def sharing(self, quota: float, indicators: Mapping[str, float] | None = None) -> Piecewise:
        """What the fund pays less the budget, as a function of spending less the budget [yuan].

        Parameters
        ----------
        quota : float
            The provider's budget, above 0 [yuan].
        indicators : mapping, optional
            What a rule's conditions look at; a condition that is not told of counts as met.
        """
        gain = self.provider(quota, indicators or {})
        return Piecewise([-e for e in reversed(gain.edges)], [1.0 - slope for slope in reversed(gain.slopes)])


def _bound(condition: Requires) -> float:
    """The value at which a condition is just met."""
    return float(condition.at_most if condition.at_most is not None else condition.at_least or 0.0)
