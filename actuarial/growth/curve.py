r"""A smooth function of a standard normal as a table: cubics on a fine, even grid.

Inverse distribution functions take hundreds of nanoseconds a value, a table a few. On cells of :math:`h=1/128` from −10 to 10 the cubic
through four neighbouring nodes errs by at most :math:`\tfrac{3}{128}h^4\,|f''''|`, for growth with a spread of 30 points less than
:math:`10^{-12}` of it. The compiled loop and NumPy do the same additions and multiplications, so they give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
REACH, CELLS = 10, 128
_COUNT = 2 * REACH * CELLS
_LAST = float(np.nextafter(_COUNT, 0))
_loop: list[Any] = []  # compiled, once it is asked for; it changes no result


def use_compiled(jit: Callable[..., Any]) -> None:
    """Let large arrays be read by a compiled loop."""
    if not _loop:
        _loop.append(jit()(_read))


class Curve:
    """A function of a standard normal, tabulated; constant beyond ten standard deviations.

    Parameters
    ----------
    function : callable
        Smooth, of an array.

    Examples
    --------
    >>> z = np.linspace(-6, 6, 1001)
    >>> bool(np.abs(Curve(lambda z: np.exp(0.1 * z))(z) - np.exp(0.1 * z)).max() < 1e-13)
    True
    """

    def __init__(self, function: Callable[[Array], Array]) -> None:
        y = np.asarray(function(np.arange(-1, _COUNT + 2) / CELLS - REACH), dtype=np.float64)
        before, here, after, beyond = y[:-3], y[1:-2], y[2:-1], y[3:]
        third = (beyond - before + 3 * (here - after)) / 6
        second = (before + after) / 2 - here
        first = after - here - second - third
        self._table = np.ascontiguousarray(np.stack([here, first, second, third], axis=1))

    def __call__(self, z: Array) -> Array:
        """Values for standard normals, shape (n,)."""
        if _loop:
            out = np.empty(len(z))
            _loop[0](self._table, z, out)
            return out
        t = np.minimum(np.maximum((z + REACH) * CELLS, 0.0), _LAST)
        cell = t.astype(np.int64)
        u, c = t - cell, self._table[cell]
        return np.asarray(c[:, 0] + u * (c[:, 1] + u * (c[:, 2] + u * c[:, 3])))


def _read(table: Array, z: Array, out: Array) -> None:
    for i in range(len(z)):
        t = min(max((z[i] + REACH) * CELLS, 0.0), _LAST)
        cell = np.int64(t)
        u = t - cell
        out[i] = table[cell, 0] + u * (table[cell, 1] + u * (table[cell, 2] + u * table[cell, 3]))
