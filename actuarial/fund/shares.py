r"""What would narrow the answer most: Shapley shares of the variance of the planned year's claims.

Claims are cost per head (base × completion × policy × growth) times heads times one plus their own randomness. The
factors are independent, so with :math:`c_j` the squared coefficient of variation of each, that of the whole is
:math:`\prod_j(1+c_j)-1`; a factor's share is its mean contribution over all orders, and the shares sum to 1. The randomness
of claims enters as what is left of their variance given cost and heads, over the mean square of the cost; that it
shrinks with the heads of a path is neglected (of second order in their spread).

Shocks and dated policies multiply the year by a factor weighted over categories and months; the spread of a dated policy counts as
policy. A rule by which providers share savings and overspending leaves the part :math:`\rho` of the variance, whatever
sources make it; over all orders it comes before a source as often as after it, so each share is times :math:`(1+\rho)/2` and the
rule's own is :math:`(\rho-1)/2`, negative where it takes risk off. The shares are those of claims incurred; a payment lag is no
source of randomness.

Where the plan states how much of its income may come late, the quantity is claims less receipts at the present standard: arrears are a
term of their own, independent of claims, and their part is their variance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from actuarial.cost import VarianceShares, shapley_product
from actuarial.errors import Fault, InputError
from actuarial.fund import Simulation


def variance_shares(simulation: Simulation, *, per_head: bool = False) -> VarianceShares:
    """Shapley shares of the variance of the planned year's claims, with enrolment and the randomness of claims.

    Parameters
    ----------
    simulation : Simulation
    per_head : bool
        Shares of claims per insured person instead of claims in all over the expected heads: enrolment then has none.

    Returns
    -------
    VarianceShares
        Factors ``base``, ``completion``, ``policy``, ``growth``, ``enrolment``, ``process``, where stated ``shocks`` and
        ``providers``; the shares sum to 1.

    Raises
    ------
    InputError
        If paths carry weights, or months have been seen: the shares are those of the whole year.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.shares import variance_shares
    >>> answer = act.run(act.load_plan(act.sample_path("jieshou/plan.yaml")), paths=2000)
    >>> shares = variance_shares(answer.simulation).table
    >>> round(float(shares["share"].sum()), 9)
    1.0
    """
    if simulation.arrays.weight is not None:
        raise InputError([Fault("trouble.weighted")])
    if simulation.observed is not None:
        raise InputError([Fault("fund.shares_seen")])
    cost = simulation.cost.variance_shares()
    squares, mean = dict(cost.single), cost.mean
    heads, claims = simulation.arrays.heads, simulation.claims.sum(axis=1)
    systemic = simulation.arrays.cost_per_capita
    expected = float(heads.mean())
    if simulation.setting.risk is not None:
        mean *= _added(simulation, squares)
    if simulation.arrays.noise is not None:
        claims = heads * systemic + simulation.arrays.noise.sum(axis=1)
    squares["enrolment"] = 0.0 if per_head else float(np.var(heads)) / expected**2
    # claims over their expectation given the path: what is left is their own randomness
    noise = claims / heads - systemic
    squares["process"] = float(np.mean(noise**2) / np.mean(systemic**2))
    parts = shapley_product(squares)
    if simulation.setting.risk is not None and simulation.setting.risk.providers is not None:
        before, after = np.var(claims), np.var(simulation.incurred.sum(axis=1))
        left = float(after / before) if before > 0 else 1.0
        whole = float(parts.sum())
        parts = parts * (1 + left) / 2
        parts["providers"] = (left - 1) / 2 * whole
    income, real = simulation.setting.income, simulation.arrays.income
    if income is not None and real is not None and income.columns:
        received = simulation.standard * income.slope(real)[:, -1]
        squares["arrears"] = parts["arrears"] = float(np.var(received)) / mean**2
    return VarianceShares(parts, mean, squares, sources=simulation.sources)


def _added(
    simulation: Simulation, squares: dict[str, float], *, paths: int = 20_000, seed: int = 2012
) -> float:
    """What shocks and dated policies make of the mean; their squared coefficients of variation go into `squares`."""
    s, cost = simulation.setting, simulation.cost
    assert s.risk is not None
    weights = cost.table["next_year_per_capita"].to_numpy()
    weights = weights / weights.sum()
    generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
    systemic = generator.standard_normal((paths, len(s.columns)))
    mean = 1.0
    for name, part in (
        ("shocks", replace(s.risk, starts=())),
        ("policy", replace(s.risk, shocks=())),
    ):
        if not (part.shocks or part.starts):
            continue
        year = part.annual(s, systemic) @ weights
        square = float(np.var(year) / np.mean(year) ** 2)
        squares[name] = (1 + squares.get(name, 0.0)) * (1 + square) - 1
        mean *= float(year.mean())
    return mean
