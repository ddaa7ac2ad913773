r"""What would narrow the answer most: Shapley shares of the variance of the planned year's claims.

Claims are cost per head (base × completion × policy × growth) times heads times one plus their own randomness. The
factors are independent, so with :math:`c_j` the squared coefficient of variation of each, that of the whole is
:math:`\prod_j(1+c_j)-1`; a factor's share is its mean contribution over all orders, and the shares sum to 1. The randomness
of claims enters as what is left of their variance given cost and heads, over the mean square of the cost; that it
shrinks with the heads of a path is neglected (of second order in their spread).
"""

from __future__ import annotations

import numpy as np

from actuarial.cost import VarianceShares, shapley_product
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
        Factors ``base``, ``completion``, ``policy``, ``growth``, ``enrolment``, ``process``; the shares sum to 1.

    Examples
    --------
    >>> import actuarial as act
    >>> from actuarial.fund.shares import variance_shares
    >>> answer = act.run(act.load_plan(act.sample_path("jieshou/plan.yaml")), paths=2000)
    >>> shares = variance_shares(answer.simulation).table
    >>> round(float(shares["share"].sum()), 9)
    1.0
    """
    cost = simulation.cost.variance_shares()
    squares = dict(cost.single)
    heads, claims = simulation.arrays.heads, simulation.claims.sum(axis=1)
    systemic = simulation.arrays.cost_per_capita
    expected = float(heads.mean())
    squares["enrolment"] = 0.0 if per_head else float(np.var(heads)) / expected**2
    # claims over their expectation given the path: what is left is their own randomness
    noise = claims / heads - systemic
    squares["process"] = float(np.mean(noise**2) / np.mean(systemic**2))
    return VarianceShares(shapley_product(squares), cost.mean, squares, sources=simulation.sources)
