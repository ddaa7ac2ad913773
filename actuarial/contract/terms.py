"""A contract: its law file, and the ways into it."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from actuarial.contract.annual import Settlement
from actuarial.contract.costs import Costs
from actuarial.contract.deal import Deal
from actuarial.contract.evaluation import Evaluation, evaluated
from actuarial.contract.points import PointSettlement, settled_by_points
from actuarial.contract.readings import Basis, Reader
from actuarial.contract.settlement import YearSettlement, settled
from actuarial.contract.split import State
from actuarial.contract.year import MOST, Year
from actuarial.errors import Fault, InputError
from actuarial.law import Law, load_law, payload_of
from actuarial.law.contract_terms import ContractPayload, Quality, ShareOf
from actuarial.law.terms import Fixed
from actuarial.layers import Piecewise, to_cents
from actuarial.results import Result


@dataclass(frozen=True, eq=False)
class Contract(Result):
    """A contract loaded from its law file.

    Parameters
    ----------
    law : Law
        Of kind ``contract``.
    """

    law: Law

    @property
    def terms(self) -> ContractPayload:
        """The terms as the file writes them."""
        payload: ContractPayload = self.law.payload
        return payload

    @property
    def table(self) -> pd.DataFrame:
        """The bands as written: side, upper edge as an amount or a share of the target, each party's share.

        What is written in other words (a gap, a share of another base, a share that moves with quality) is NaN here;
        ``contract.law`` shows it in words.
        """
        rows = []
        for sharing in self.terms.sharing:
            for band in sharing.bands:
                edge = band.up_to
                share_edge = (
                    edge.share.value
                    if isinstance(edge, ShareOf) and edge.base == "target" and isinstance(edge.share, Fixed)
                    else np.nan
                )
                row = {
                    "side": sharing.side,
                    "up_to": edge.value if isinstance(edge, Fixed) else np.nan,
                    "up_to_share_of_target": share_edge,
                }
                for party in self.terms.parties:
                    if party != "fund":
                        share = getattr(band, party)
                        row[f"{party}_share"] = share.value if isinstance(share, Fixed) else np.nan
                rows.append(row)
        return pd.DataFrame(rows)

    # ------------------------------------------------------------------ other readings, other terms

    def with_readings(self, readings: Mapping[str, Any]) -> Contract:
        """The contract with gaps read as stated here; see :meth:`actuarial.law.Law.with_readings`."""
        return replace(self, law=self.law.with_readings(readings)) if readings else self

    def changed(self, changes: Mapping[str, Any]) -> Contract:
        """The contract with terms changed, checked anew.

        Parameters
        ----------
        changes : mapping
            By place in the payload, with dots and numbers from 0 (``sharing.0.bands.3.insurer``): the new value as a file
            would write it. None removes the key.

        Raises
        ------
        InputError
            If there is no such place, or the new terms have faults.

        Examples
        --------
        >>> deal = load_contract("china/jiande/contract/cooperation@2012-01-01")
        >>> float(deal.changed({"sharing.0.bands.0.insurer": 0.5}).bands(2e8)(1e6))
        500000.0
        """
        data = copy.deepcopy(self.law.envelope.payload)
        for place, value in changes.items():
            at: Any = data
            *parents, last = place.split(".")
            try:
                for part in parents:
                    at = at[int(part) if isinstance(at, list) else part]
                key: Any = int(last) if isinstance(at, list) else last
                if value is None:
                    del at[key]
                else:
                    at[key] = value
            except (KeyError, IndexError, ValueError, TypeError) as error:
                params = {"path": place}
                raise InputError([Fault("contract.no_place", file=self.law.file, params=params)]) from error
        envelope = self.law.envelope.model_copy(update={"payload": data})
        return replace(self, law=replace(self.law, envelope=envelope, payload=payload_of(envelope, data, {}, self.law.file)))  # fmt: skip

    # ------------------------------------------------------------------ a year

    def basis(
        self, *, target: float | None = None, heads: float | Fraction | None = None, premium: float | None = None,
        financing: float | None = None, revenue: float | None = None,
    ) -> Basis:  # fmt: skip
        """The amounts of a year; the target by the file's rule (464 yuan × heads) where it is not given.

        Raises
        ------
        InputError
            If neither the target nor what its rule needs is given.
        """
        rest: dict[str, Any] = {
            "heads": heads,
            "premium": premium,
            "financing": financing,
            "revenue": revenue,
        }
        if target is None:
            rule = self.terms.target.amount
            if rule is None:
                params = {"base": "target"}
                raise InputError([Fault("contract.base_needed", file=self.law.file, params=params)])
            target = Reader(self.law, Basis(1.0, **rest)).yuan(rule)
        return Basis(target, **rest)

    def for_year(
        self,
        basis: Basis | None = None,
        *,
        readings: Mapping[str, Any] | None = None,
        **amounts: float | None,
    ) -> Deal:
        """The contract with the amounts of one year.

        Parameters
        ----------
        basis : Basis, optional
            Or its amounts by name: ``target``, ``heads``, ``premium``, ``financing``, ``revenue``.
        readings : mapping, optional
            Gaps read as stated here.

        Examples
        --------
        >>> deal = load_contract("china/jiande/contract/cooperation@2012-01-01").for_year(heads=400_000)
        >>> deal.basis.target, deal.split([173_600_000.0]).insurer.tolist(), deal.monotone
        (185600000.0, [6300000.0], {'insurer': True, 'fund': True})
        """
        mine = self.with_readings(readings or {})
        return Deal.of(mine, basis or mine.basis(**amounts))

    def bands(self, target: float) -> Piecewise:
        """The insurer's result (the provider's, where no insurer shares) over the outcome, for one target.

        Parameters
        ----------
        target : float
            Contract target, above 0 [yuan].

        Raises
        ------
        InputError
            If the target is not positive, or so low that the bands are undefined and the file states
            no reading.

        Examples
        --------
        >>> f = load_contract("china/jiande/contract/cooperation@2012-01-01").bands(185_600_000)
        >>> f([1_500_000, 20_000_000, -2_000_000]).tolist()
        [675000.0, 10236000.0, -900000.0]
        """
        return self.for_year(target=target).curve(self.main_party)

    @property
    def main_party(self) -> str:
        """Who shares with the fund: the insurer, else the providers."""
        return "insurer" if "insurer" in self.terms.parties else "provider"

    @property
    def needs_quality(self) -> bool:
        """Whether a share moves with a quality score."""
        shares = (s for t in self.terms.sharing for b in t.bands for _, s in b.shares())
        return any(isinstance(s, Quality) for s in shares)

    def settle(self, *, claims: float, target: float | None = None, **amounts: float | None) -> Settlement:
        """Settle one year by its bands, in whole cents.

        Parameters
        ----------
        claims : float
            The year's cash claims [yuan].
        target : float, optional
            Contract target [yuan].
        **amounts : float, optional
            ``heads``, ``premium``, ``financing``, ``revenue``, as for :meth:`for_year`; heads give the target where it is not told.

        Raises
        ------
        InputError
            If an amount is negative or not a number, or the bands are undefined.

        Examples
        --------
        >>> deal = load_contract("china/jiande/contract/cooperation@2012-01-01")
        >>> deal.settle(target=185_600_000, claims=187_600_000).insurer_result
        -900000.0
        """
        for name, value in {"target": target, "claims": claims, **amounts}.items():
            if value is not None and not 0 <= value <= MOST:
                raise InputError([Fault("contract.amount", params={"name": name, "value": value})])
        deal = Deal.of(self, self.basis(target=target, **amounts))
        outcome = int(to_cents(deal.basis.target)) - int(to_cents(claims))
        insurer = int(deal.cents([outcome]).party(self.main_party)[0])
        return Settlement(self, deal, deal.basis.target, claims, outcome / 100, insurer / 100, (outcome - insurer) / 100,
                          sources=(self.law.source("bands"), self.law.source("band_rule")))  # fmt: skip

    def settle_months(
        self, *, claims: ArrayLike, events: Mapping[str, int] | None = None, late_claims: float = 0.0,
        readings: Mapping[str, Any] | None = None, target: float | None = None,
        heads: float | Sequence[float] | None = None, premium: float | None = None, financing: float | None = None,
        revenue: float | None = None, policy_loss: float = 0.0, earlier_claims: float = 0.0,
        opening: State | None = None, **given: Any,
    ) -> YearSettlement:  # fmt: skip
        """Settle a year month by month: a double-entry ledger in whole cents.

        Parameters
        ----------
        claims : array_like, shape (12,)
            Cash claims of each month of the contract year [yuan].
        events : mapping, optional
            Number of events by the id of their deduction.
        late_claims : float
            Claims of the year that arrive after the cut-off [yuan].
        readings : mapping, optional
            Gaps read as stated here.
        target, premium, financing, revenue : float, optional
            As for :meth:`for_year`.
        heads : float or sequence of 12, optional
            Counted heads, or the insured persons by month: then the target is counted anew as the terms state.
        policy_loss : float
            Claims caused by a change of policy within the year [yuan].
        earlier_claims : float
            Late claims of last year that belong to this year and are not in its months [yuan]; they are paid in month 1.
        opening : State, optional
            What last year left: its :attr:`YearSettlement.state` [cents].
        **given
            ``quality``, ``indicators``, and in yuan ``expenses``, ``excess``, as for :meth:`Deal.split`.

        Returns
        -------
        YearSettlement
            Contracts without a monthly cash rule settle at the year's end only.

        Raises
        ------
        InputError
            If there are not twelve amounts, an amount is negative or not a number, or a gap is open on which an entry depends.

        Examples
        --------
        >>> contract = load_contract("china/jiande/contract/cooperation@2012-01-01")
        >>> read = {"later_instalments": "twelfth", "presettlement_base": "month"}
        >>> year = contract.settle_months(target=185_600_000, claims=[14_000_000] * 12, readings=read)
        >>> year.insurer_result, year.provisional, year.true_up_amount
        (9660000.0, 6453333.35, 3206666.65)
        """
        mine = self.with_readings(readings or {})
        by_month = heads if isinstance(heads, Sequence | np.ndarray) else None
        alone = None if isinstance(heads, Sequence | np.ndarray) else heads
        amounts = {"target": target, "heads": alone, "premium": premium, "financing": financing,
                   "revenue": revenue}  # fmt: skip
        year = Year.of(claims, heads=by_month, events=events, late_claims=late_claims, policy_loss=policy_loss,
                       earlier_claims=earlier_claims, opening=opening, given=given)  # fmt: skip
        return settled(mine, year, amounts)

    def settle_points(self, points: pd.DataFrame, *, budget: float) -> PointSettlement:
        """Settle a year with providers by points (DRG, DIP).

        Parameters
        ----------
        points : DataFrame
            ``provider``, ``points``, optional ``prepaid`` [yuan].
        budget : float
            The area's budget [yuan].

        Raises
        ------
        InputError
            If the contract has no terms of points, a gap is open, or there are no points.

        Examples
        --------
        >>> rule = load_contract("china/zhejiang/contract/drg_points@2020-01-01")
        >>> year = rule.settle_points(pd.DataFrame({"provider": ["a", "b"], "points": [9e3, 1.1e4]}), budget=2e6)
        >>> year.point_value, year.frame["payment"].tolist()
        (95.0, [855000.0, 1045000.0])
        """
        return settled_by_points(self, points, budget)

    def evaluate(
        self, *, claims: ArrayLike, target: float | None = None, costs: Costs | None = None, policy_loss: ArrayLike | None = None,
        readings: Mapping[str, Any] | None = None, heads: float | None = None, premium: float | None = None,
        financing: float | None = None, revenue: float | None = None, **given: Any,
    ) -> Evaluation:  # fmt: skip
        """Both sides' results over simulated years.

        Parameters
        ----------
        claims : array_like, shape (n,) or (n, 12)
            Cash claims of the contract year, or by month [yuan].
        target, heads, premium, financing, revenue : float, optional
            As for :meth:`basis` [yuan; persons].
        costs : Costs, optional
            The insurer's own: staff, expenses, capital, cash advanced.
        policy_loss : array_like, optional
            Claims under actual rules less the same claims under the rules of the target; `claims` holds them [yuan].
        readings : mapping, optional
            Gaps read as stated here.
        **given
            ``events``, ``quality``, ``indicators``, ``expenses``, ``excess``, ``state``, as for :meth:`Deal.split`.

        Raises
        ------
        InputError
            If claims have another shape or are not numbers, a term needs what is not given, or a gap is open that is reached.

        Examples
        --------
        >>> import actuarial as act
        >>> found = load_contract("china/jiande/contract/cooperation@2012-01-01").evaluate(
        ...     heads=400_000, claims=act.SimpleClaims(183e6, 0.05).claims(20_000), costs=act.Costs(people=14, cost_per_person=1e5))
        >>> found.table["party"].tolist(), round(found.measures["insurer"].expected.value / 1e5)
        (['insurer', 'insurer_after_costs', 'fund'], 13)
        """
        mine = self.with_readings(readings or {})
        basis = mine.basis(target=target, heads=heads, premium=premium, financing=financing, revenue=revenue)
        return evaluated(Deal.of(mine, basis), claims, costs=costs, policy_loss=policy_loss, given=given)


def load_contract(id_or_file: str | os.PathLike[str]) -> Contract:
    """Load a contract by id or from a file.

    Raises
    ------
    InputError
        If there is none such, the file has faults, or it is of another kind.
    """
    law = load_law(id_or_file, "contract")
    return Contract(law, sources=(law.source(),))
