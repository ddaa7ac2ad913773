r"""A deal: a contract with the amounts of one year, which splits outcomes.

The outcome :math:`x` = target − claims passes eight steps in a fixed order; each moves money between named parties:

1. *individual*: what persons cost beyond their attachment is one party's;
2. *policy_loss*: what a change of policy caused is left out of the outcome and shared by its own rule;
3. *expense*: the allowance comes first;
4. *bands*: with edges :math:`e_k` and shares :math:`s_k` of a party, on :math:`|x|`,
   :math:`\sum_k s_k\,(\min(|x|,e_k)-e_{k-1})^+` where the gate is passed and conditions hold; the rest is the fund's;
5. *cap*: what a party gets (or bears) beyond its cap is the fund's;
6. *overflow*: balances that carry over keep within their floor and ceiling;
7. *deductions* for events; 8. *fees*.

The same steps run on float64 yuan (paths) and on int64 cents (settlements), where each share is rounded half away from zero
and the fund takes what is left, so that parties sum to the outcome exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from actuarial.contract.money import Cents, Money, Yuan
from actuarial.contract.readings import Basis, Reader
from actuarial.contract.split import LayerAmounts, Split, State
from actuarial.contract.tables import Table, compiled, joined, ray
from actuarial.errors import Fault, InputError
from actuarial.law.contract_terms import Pool
from actuarial.layers import Piecewise, to_cents

if TYPE_CHECKING:
    from actuarial.contract.terms import Contract

Parts = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Given:
    """What a year brings beside its claims; scalars or arrays of the paths' length."""

    events: Mapping[str, Any]
    policy_loss: Any
    indicators: Mapping[str, Any]
    expenses: Any
    excess: Any
    state: State


@dataclass(frozen=True, eq=False)
class Deal:
    """A contract with the amounts of one year.

    Parameters
    ----------
    contract : Contract
    basis : Basis
    surplus, deficit : Table or None
        The tables of the two sides.
    asked : set of str
        Gaps whose readings were applied so far.
    """

    contract: Contract
    basis: Basis
    surplus: Table | None
    deficit: Table | None
    asked: set[str] = field(default_factory=set, repr=False)

    @classmethod
    def of(cls, contract: Contract, basis: Basis) -> Deal:
        """Compile the tables for a year's basis; other amounts are read when they are reached.

        Raises
        ------
        InputError
            For an open gap or crossing edges in a table.
        """
        read = Reader(contract.law, basis)
        sides: dict[str, Table] = {}
        for sharing in contract.terms.sharing:
            table = compiled(sharing, read)
            for side in ("surplus", "deficit") if sharing.side == "both" else (sharing.side,):
                sides[side] = table
        return cls(contract, basis, sides.get("surplus"), sides.get("deficit"), read.asked)

    @property
    def read(self) -> Reader:
        """Reads terms with this year's basis."""
        return Reader(self.contract.law, self.basis, self.asked)

    @property
    def parties(self) -> tuple[str, ...]:
        """Who takes part."""
        return self.contract.terms.parties

    # ------------------------------------------------------------------ splitting

    def split(
        self, claims: ArrayLike, *, events: Mapping[str, ArrayLike] | None = None, policy_loss: ArrayLike | None = None,
        quality: ArrayLike | None = None, indicators: Mapping[str, ArrayLike] | None = None,
        expenses: ArrayLike | None = None, excess: ArrayLike | None = None, state: State | None = None,
    ) -> Split:  # fmt: skip
        """Split simulated years among the parties.

        Parameters
        ----------
        claims : array_like, shape (n,) or (n, 12)
            Cash claims of the contract year, or by month [yuan].
        events : mapping, optional
            Number of events by the id of their deduction; scalars or shape (n,).
        policy_loss : array_like, optional
            Actual claims less the same claims under the rules of the target [yuan].
        quality : array_like, optional
            Quality score, 0 to 1.
        indicators : mapping, optional
            Other indicators by name.
        expenses : array_like, optional
            Actual expenses, where the terms allow them [yuan].
        excess : array_like, optional
            What persons cost beyond their attachment, from :meth:`individual_cover` [yuan].
        state : State, optional
            Balances at the start of the year [yuan].

        Returns
        -------
        Split
            float64 yuan; parties sum to the outcome within 1e-9 of the amounts.

        Raises
        ------
        InputError
            If an amount is not a number, an event is unknown, or a term needs what is not given.
        """
        paid = np.asarray(claims, dtype=np.float64)
        year = np.atleast_1d(paid.sum(axis=1) if paid.ndim == 2 else paid)
        if not np.isfinite(year).all():
            raise InputError([Fault("contract.amount", params={"name": "claims", "value": "NaN"})])
        given = self._given(Yuan(), events, policy_loss, quality, indicators, expenses, excess, state)
        return self._steps(self.basis.target - year, given, Yuan())

    def cents(
        self, outcome: ArrayLike, *, events: Mapping[str, int] | None = None, policy_loss: int | None = None,
        quality: float | None = None, indicators: Mapping[str, float] | None = None,
        expenses: int | None = None, excess: int | None = None, state: State | None = None,
    ) -> Split:  # fmt: skip
        """Split outcomes in whole cents, exactly; amounts, state and result are int64 cents.

        Raises
        ------
        InputError
            As :meth:`split`.
        """
        x = np.atleast_1d(np.asarray(outcome))
        if x.dtype.kind not in "iu":
            raise TypeError("cents takes integers; use split for floats")
        given = self._given(Cents(), events, policy_loss, quality, indicators, expenses, excess, state)
        return self._steps(x.astype(np.int64), given, Cents())

    def _given(
        self, money: Money, events: Any, policy_loss: Any, quality: Any, indicators: Any, expenses: Any,
        excess: Any, state: Any,
    ) -> Given:  # fmt: skip
        told = {k: np.asarray(v, dtype=np.float64) for k, v in (indicators or {}).items()}
        if quality is not None:
            told["quality"] = np.asarray(quality, dtype=np.float64)
        known = {d.id for d in self.contract.terms.deductions}
        unknown = [e for e in (events or {}) if e not in known]
        if unknown:
            params = {"event": unknown[0], "known": "、".join(sorted(known)) or "-"}
            raise InputError([Fault("contract.unknown_event", file=self.contract.law.file, params=params)])
        for name, value in {**(events or {}), "expenses": expenses, "excess": excess}.items():
            if value is not None and not (np.asarray(value, dtype=np.float64) >= 0).all():
                raise InputError([Fault("contract.amount", params={"name": name, "value": str(value)})])
        if policy_loss is not None and not np.isfinite(np.asarray(policy_loss, dtype=np.float64)).all():
            raise InputError([Fault("contract.amount", params={"name": "policy_loss", "value": "NaN"})])
        return Given(events or {}, policy_loss, told, expenses, excess, state or State())

    def _steps(self, outcome: NDArray[Any], given: Given, money: Money) -> Split:
        parts: Parts = {}
        x = self._individual(outcome, given, money, parts)
        x = self._policy(x, given, money, parts)
        x = self._expense(x, given, money, parts)
        self._bands(x, given, money, parts)
        self._caps(x, money, parts)
        state = self._pools(given.state, money, parts, outcome)
        for d in self.contract.terms.deductions:
            count = given.events.get(d.id)
            if count is not None and np.any(count):
                amount = money.times(self.read.yuan(d.amount), count)
                _move(parts, "deductions", d.party, "fund", amount, outcome)
        for f in self.contract.terms.fees:
            _move(parts, "fees", "fund", f.to, money.amount(self.read.yuan(f.amount)), outcome)
        return Split(self, outcome, parts, state, sources=self.contract.sources)

    def _individual(self, x: NDArray[Any], given: Given, money: Money, parts: Parts) -> NDArray[Any]:
        terms = self.contract.terms.individual
        if terms is None or given.excess is None:
            return x
        ceded = np.broadcast_to(money.given(given.excess), x.shape)
        parts["individual"] = {terms.party: -ceded}
        return x + ceded

    def _policy(self, x: NDArray[Any], given: Given, money: Money, parts: Parts) -> NDArray[Any]:
        if given.policy_loss is None or not np.any(given.policy_loss):
            return x
        terms = self.contract.terms.policy_loss
        if terms is None:
            raise InputError([Fault("contract.no_policy_rule", file=self.contract.law.file)])
        loss = np.broadcast_to(money.given(given.policy_loss), x.shape)
        if terms.of == "deficit":
            loss = np.minimum(np.maximum(-x, 0), np.maximum(loss, 0))
        if not np.any(loss):  # no deficit that it could have caused: its rule is not reached
            return x
        rule = self.read.word(terms.rule)
        if rule == "as_claims":
            return x
        shares = {} if rule == "fund_bears" else {"insurer": terms.insurer, "provider": terms.provider}
        quality = given.indicators.get("quality")
        mine = {
            p: money.share(-loss, self.read.ratio(s, quality)) for p, s in shares.items() if p in self.parties
        }
        parts["policy_loss"] = {**mine, "fund": -loss - sum(mine.values())}
        return x + loss

    def _expense(self, x: NDArray[Any], given: Given, money: Money, parts: Parts) -> NDArray[Any]:
        terms = self.contract.terms.expense
        if terms is None:
            return x
        if terms.amount == "actual":
            if given.expenses is None:
                raise InputError([Fault("contract.expenses_needed", file=self.contract.law.file)])
            allowed = money.given(given.expenses)
        else:
            allowed = money.amount(self.read.yuan(terms.amount))
        if terms.at_most is not None:
            allowed = np.minimum(allowed, money.amount(self.read.yuan(terms.at_most)))
        parts["expense"] = {terms.party: np.broadcast_to(allowed, x.shape).copy()}
        return x - allowed

    def _bands(self, x: NDArray[Any], given: Given, money: Money, parts: Parts) -> None:
        found: dict[str, Any] = {p: np.zeros_like(x) for p in self.parties}
        for table, sign in ((self.surplus, 1), (self.deficit, -1)):
            size = np.maximum(sign * x, 0)
            if table is None or not np.any(size) or not self._holds(table, given).any():
                continue  # what no outcome reaches is not asked for
            open_ = table.opens(size, money.amount(table.gate)) & self._holds(table, given)
            quality = given.indicators.get("quality")
            bands = money.bands(table, size, lambda term: self.read.ratio(term, quality))  # noqa: B023
            for party, amount in bands.items():
                found[party] = found[party] + np.where(open_, sign * amount, 0)
        found["fund"] = x - sum(a for p, a in found.items() if p != "fund")
        parts["bands"] = found

    def _holds(self, table: Table, given: Given) -> NDArray[np.bool_]:
        need = table.requires
        if need is None:
            return np.asarray(True)
        value = given.indicators.get(need.indicator)
        if value is None:
            params = {"indicator": need.indicator, "what": need.what}
            raise InputError([Fault("contract.indicator_needed", file=self.contract.law.file, params=params)])
        return np.asarray(value >= need.at_least if need.at_least is not None else value <= need.at_most)

    def _caps(self, x: NDArray[Any], money: Money, parts: Parts) -> None:
        for cap in self.contract.terms.caps:
            most = money.amount(self.read.yuan(cap.amount))
            now = parts["bands"][cap.party]
            beyond = np.maximum(now - most, 0) if cap.side == "surplus" else np.minimum(now + most, 0)
            _move(parts, "cap", cap.party, "fund", beyond, x)

    def _pools(self, state: State, money: Money, parts: Parts, x: NDArray[Any]) -> State:
        """Balances after the year; what does not fit moves on."""
        after = {"reserve": state.reserve, "carried": state.carried}
        for name in ("reserve", "carried"):
            if name not in self.parties:
                continue
            pool = self.contract.terms.pools.get(name, Pool(may_be_negative=name == "carried"))
            flow = parts["bands"].get(name, np.zeros_like(x)) + parts.get("overflow", {}).get(name, 0)
            before = np.asarray(after[name])
            ceiling = np.inf if pool.ceiling is None else money.amount(self.read.yuan(pool.ceiling))
            balance = before + flow
            low = balance if pool.may_be_negative else np.minimum(before, 0)
            kept = np.maximum(np.minimum(balance, np.maximum(before, ceiling)), low).astype(x.dtype)
            if np.any(kept != balance):
                _move(parts, "overflow", name, self.read.word(pool.overflow), balance - kept, x)
            after[name] = kept
        return replace(state, **after)

    # ------------------------------------------------------------------ views

    def layers(self, outcome: ArrayLike, *, quality: ArrayLike | None = None) -> LayerAmounts:
        """The outcome cut into the bands of both tables, and the shares that apply to them.

        Other tables with the same edges give ``shares @ amounts`` without cutting again. Gates, conditions, caps and
        pools are not in it.
        """
        x = np.atleast_1d(np.asarray(outcome, dtype=np.float64))
        blocks, shares, edges = [], {p: [] for p in self.parties}, []  # type: ignore[var-annotated]
        for side, table, sign in (("surplus", self.surplus, 1.0), ("deficit", self.deficit, -1.0)):
            table = table or Table((), ({},))
            blocks.append(sign * table.layers(np.maximum(sign * x, 0)))
            edges += [(side, a, b) for a, b in zip((0.0, *table.edges), (*table.edges, np.inf), strict=True)]
            for band in table.shares:
                mine = {p: self.read.ratio(s, quality) for p, s in band.items()}
                mine["fund"] = 1.0 - sum(mine.values())
                for p in self.parties:
                    shares[p].append(mine.get(p, 0.0))
        return LayerAmounts(np.concatenate(blocks), shares, edges)

    def curve(
        self, party: str = "insurer", *, quality: float | None = None,
        indicators: Mapping[str, float] | None = None, expenses: float | None = None,
    ) -> Piecewise:  # fmt: skip
        """A party's result as a function of the year's outcome: expense, bands, gates and caps; no events, no pools.

        Raises
        ------
        InputError
            If the terms need a quality score, an indicator or expenses that are not given.
        """
        if party == "fund":
            others = [
                self.curve(p, quality=quality, indicators=indicators, expenses=expenses)
                for p in self.parties
                if p != "fund"
            ]
            return _remainder(others)
        given = self._given(Yuan(), None, None, quality, indicators, expenses, None, None)
        parts: Parts = {}
        shift = -float(self._expense(np.zeros(1), given, Yuan(), parts)[0])
        level = float(parts.get("expense", {}).get(party, np.zeros(1))[0])
        rays = {}
        for side, table in (("surplus", self.surplus), ("deficit", self.deficit)):
            cap = [
                self.read.yuan(c.amount)
                for c in self.contract.terms.caps
                if (c.party, c.side) == (party, side)
            ]
            if table is None or not bool(self._holds(table, given).all()):
                rays[side] = ray((), (0.0,))
                continue
            slopes = table.slopes(party, lambda term: float(self.read.ratio(term, quality)))
            rays[side] = ray(table.edges, slopes, table.gate, min(cap) if cap else None)
        return joined(
            rays["surplus"], rays["deficit"], shift, level, closed=self._closed, mirrored_differs=self._gated
        )

    @property
    def _gated(self) -> bool:
        return any(t is not None and t.gate > 0 and t.gate_included for t in (self.surplus, self.deficit))

    @property
    def _closed(self) -> str:
        table = self.surplus or self.deficit
        if self._gated:
            return "left"
        return table.closed if table is not None else "right"

    @cached_property
    def insurer_curve(self) -> Piecewise:
        """The insurer's result over the year's outcome."""
        return self.curve("insurer")

    def monotone_for(self, **given: Any) -> dict[str, bool]:
        """For each party, whether a better outcome never gives it less: verified on its curve."""
        found = {}
        for party in self.parties:
            f = self.curve(party, **given)
            found[party] = min(f.slopes) >= -1e-12 and min(f.jumps, default=0.0) >= -1e-9
        return found

    @cached_property
    def monotone(self) -> dict[str, bool]:
        """:meth:`monotone_for` without a quality score or indicators."""
        return self.monotone_for()

    def individual_cover(self, costs: ArrayLike) -> float:
        """What persons' yearly costs pass to the party that covers them (stop-loss) [yuan].

        Parameters
        ----------
        costs : array_like
            One person's yearly cost each [yuan].
        """
        terms = self.contract.terms.individual
        if terms is None:
            return 0.0
        over = self.read.yuan(terms.over)
        edges = [over] if terms.up_to is None else [over, self.read.yuan(terms.up_to)]
        share = float(self.read.ratio(terms.share))
        cover = Piecewise(edges, [0.0, share] if len(edges) == 1 else [0.0, share, 0.0])
        return float(cover.cents(to_cents(costs)).sum()) / 100


def _move(parts: Parts, cause: str, payer: str, payee: str, amount: Any, like: NDArray[Any]) -> None:
    """Move an amount from one party to another."""
    flow = np.broadcast_to(amount, like.shape).astype(like.dtype)
    if not np.any(flow):
        return
    book = parts.setdefault(cause, {})
    book[payer] = book.get(payer, np.zeros_like(like)) - flow
    book[payee] = book.get(payee, np.zeros_like(like)) + flow


def _remainder(others: list[Piecewise]) -> Piecewise:
    """``x`` less all the others."""
    edges = sorted({e for f in others for e in f.edges})
    inside = ((a + b) / 2 for a, b in pairwise(edges))
    points = [edges[0] - 1, *inside, edges[-1] + 1] if edges else [0.0]
    slopes = [1.0 - sum(float(f.slope_at(p)) for f in others) for p in points]
    jumps = [-sum(f.jumps[f.edges.index(e)] for f in others if e in f.edges) for e in edges]
    anchor = float(points[0])
    level = anchor - sum(float(f(anchor)) for f in others)
    slopes = [round(s, 12) for s in slopes]
    closed = others[0].closed if others else "right"
    return Piecewise(edges, slopes, jumps, closed=closed, anchor=(anchor, level))
