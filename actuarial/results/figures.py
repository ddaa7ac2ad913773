"""Colours, fonts and axes of all charts; nothing global is changed."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

COLOURS = {
    "main": "#1f5f8b",
    "middle": "#6ea6c9",
    "light": "#9cc3dd",
    "lighter": "#d5e6f1",
    "accent": "#c2571a",
    "good": "#2e7d5b",
    "bad": "#a63a3a",
    "ink": "#22303c",
    "grid": "#d9dee3",
}
"""Colours that stay apart for colour-blind readers and in grey print."""


def chinese_font() -> Path | None:
    """The Noto Sans SC file that the package zhplot ships (OFL), or None without it."""
    spec = importlib.util.find_spec("zhplot")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        font = Path(folder) / "fonts" / "NotoSansSC-Regular.ttf"
        if font.is_file():
            return font
    return None


@contextlib.contextmanager
def figure_style() -> Iterator[None]:
    """Within the block, figures have the project's fonts and colours; nothing global is left changed."""
    import matplotlib as mpl
    from matplotlib import font_manager

    families = ["DejaVu Sans"]
    font = chinese_font()
    if font is not None:
        if not any(f.fname == str(font) for f in font_manager.fontManager.ttflist):
            font_manager.fontManager.addfont(str(font))
        families.insert(0, "Noto Sans SC")
    style: dict[Any, Any] = {
        "font.family": families,
        "font.size": 10,
        "axes.unicode_minus": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "actuarial",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": COLOURS["ink"],
        "axes.labelcolor": COLOURS["ink"],
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": COLOURS["grid"],
        "grid.linewidth": 0.8,
        "xtick.color": COLOURS["ink"],
        "ytick.color": COLOURS["ink"],
        "text.color": COLOURS["ink"],
        "legend.frameon": False,
        "figure.facecolor": "white",
    }
    with mpl.rc_context(style):
        yield


def fill_fan(ax: Axes, x: ArrayLike, fan: pd.DataFrame, scale: float = 1.0) -> None:
    """Bands of 95, 80 and 50% of a fan chart.

    Parameters
    ----------
    ax : Axes
    x : array-like
    fan : DataFrame
        Columns ``q0.025``, ``q0.1``, ``q0.25``, ``q0.75``, ``q0.9``, ``q0.975``.
    scale : float
        By which the columns are divided.
    """
    for low, high, colour, name in (
        ("q0.025", "q0.975", COLOURS["lighter"], "95%"),
        ("q0.1", "q0.9", COLOURS["light"], "80%"),
        ("q0.25", "q0.75", COLOURS["middle"], "50%"),
    ):
        ax.fill_between(x, fan[low] / scale, fan[high] / scale, color=colour, linewidth=0, label=name)


def thousands(value: float, _: object = None) -> str:
    """A tick label with thousands separators and a real minus.

    Examples
    --------
    >>> thousands(-7500.0)
    '−7,500'
    """
    return f"{value:,.10g}".replace("-", "−")


def new_axes(width: float = 8.0, height: float = 4.2) -> Axes:
    """Axes of a new figure that is not registered with pyplot (nothing to close, no window).

    As the last line of a notebook's cell they show their figure, as a chart of pyplot would.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.subplots(subplot_kw={"axes_class": _shown_axes()})


@cache
def _shown_axes() -> type[Axes]:
    """Axes that a notebook shows as a picture."""
    from matplotlib.axes import Axes as Plain

    class ShownAxes(Plain):
        def _repr_png_(self) -> bytes:
            figure = self.get_figure(root=True)
            assert figure is not None
            buffer = io.BytesIO()
            with figure_style():
                figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
            return buffer.getvalue()

    return ShownAxes


def figure_svg(axes: Axes) -> str:
    """The figure of some axes as SVG text, the same bytes each time, without the XML head."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    buffer = io.StringIO()
    with figure_style():  # identifiers and text are decided when the figure is saved
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]
