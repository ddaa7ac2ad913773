"""Risk-sharing contracts: terms as data, compiled to a deal, split, settled to the cent, evaluated.

==================  ================================================================================
module              holds
==================  ================================================================================
``terms``           :class:`Contract` and :func:`load_contract`: a law file with its gaps and readings
``readings``        :class:`Basis`; terms to yuan; the refusal of an open gap
``tables``          bands with known amounts; curves over the outcome
``deal``            :class:`Deal`: the steps that split an outcome among the parties
``split``           :class:`Split`, :class:`State`, :class:`LayerAmounts`
``money``           the two arithmetics: float64 yuan, int64 cents
``ledger``          double entries in cents; balances
``cash``            the words of the cash rule, month by month
``year``            what a contract year brought; which heads the target is counted by
``settlement``      :class:`YearSettlement`: twelve months settled, the true-up, the cash need
``actual``          the tables of a contract year: months, events, points
``saved``           a settlement kept for the next year
``points``          payment of providers by points (DRG, DIP)
``annual``          one year settled by its bands
``provider``        how a provider with a budget is paid
``evaluation``      a contract over simulated years
``words``           a contract in words, a line a term; ``cash_words``: its cash, points and duties
==================  ================================================================================

The words of the files are in :mod:`actuarial.law.contract_terms` and ``docs/contracts.md``.
"""

from __future__ import annotations

from actuarial.contract.annual import Settlement
from actuarial.contract.deal import Deal
from actuarial.contract.evaluation import Evaluation
from actuarial.contract.readings import Basis
from actuarial.contract.settlement import YearSettlement
from actuarial.contract.split import LayerAmounts, Split, State
from actuarial.contract.terms import Contract, load_contract

__all__ = [
    "Basis",
    "Contract",
    "Deal",
    "Evaluation",
    "LayerAmounts",
    "Settlement",
    "Split",
    "State",
    "YearSettlement",
    "load_contract",
]
