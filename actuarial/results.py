"""What all results share: sources, a tidy table, showing, safe writing, fonts.

Decisions
---------
* Files are written to a temporary file in the same folder and renamed, so that a reader sees
  the old file or the new one, never half of one.
* The same content gives the same bytes: no time of day, no random identifiers.
* Cells that rest on fewer than :data:`SMALL_CELL` persons are blanked in anything written.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import io
import math
import os
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from actuarial.errors import Fault, InputError
from actuarial.safe import cell_text, sheet_names, width
from actuarial.texts import language, text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALL_CELL = 5
"""Fewest persons a written cell may rest on (house rule on privacy)."""


@dataclass(frozen=True)
class Source:
    """Where a figure comes from.

    Parameters
    ----------
    what : str
        What the figure is (a code or a short name).
    document : str
        File, law or publication.
    locator : str
        Table and cells, clause or page.
    quote : str
        The words of the source, where it is a text.
    status : str
        ``stated``, ``enacted``, ``draft``, ``derived`` or ``assumed``.

    Examples
    --------
    >>> Source("base", "plan.yaml", "321").status
    'stated'
    """

    what: str
    document: str
    locator: str = ""
    quote: str = ""
    status: str = "stated"


@dataclass(frozen=True, eq=False)
class Result:
    """Base of every result: frozen, with a tidy table and its sources."""

    sources: tuple[Source, ...] = field(default=(), kw_only=True)

    @property
    @abstractmethod
    def table(self) -> pd.DataFrame:
        """The result as a tidy frame with named columns."""

    def summary(self, lang: str | None = None) -> str:
        """A few lines of text."""
        return self.table.to_string()

    def to_excel(self, path: str | os.PathLike[str], lang: str | None = None) -> Path:
        """Write :attr:`table` as a workbook of one sheet; returns the path."""
        return write_frames(path, {text("label.result", lang): self.table})

    def _repr_html_(self) -> str:
        return f"<pre>{_escape(self.summary())}</pre>{self.table.to_html(border=0)}"


def _escape(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --------------------------------------------------------------------------- figures as text

Kind = Literal["text", "money", "yuan", "percent", "count", "number", "signed_money"]
"""How a value is shown."""


@dataclass(frozen=True)
class Unit:
    """How large amounts are shown: 万元 in Chinese, million yuan in English."""

    scale: float
    label: str

    @classmethod
    def of(cls, lang: str | None = None) -> Unit:
        """The unit of a language.

        Examples
        --------
        >>> Unit.of("zh").scale
        10000.0
        """
        return (
            cls(1e4, text("label.wan", lang))
            if language(lang) == "zh"
            else cls(1e6, text("label.million", lang))
        )

    def show(self, yuan: float) -> str:
        """An amount with its unit.

        Examples
        --------
        >>> Unit.of("zh").show(65_020_000)
        '6,502.00 万元'
        """
        return f"{shown(yuan, 'money', self)} {self.label}"


DECIMALS: dict[str, int] = {"money": 2, "signed_money": 2, "yuan": 2, "percent": 2, "count": 0, "number": 4}


def scaled(value: Any, kind: Kind, unit: Unit) -> Any:
    """A value as it is shown: money in the unit, fractions in percent; None for what is not there."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NA:
        return None
    if kind == "text":
        return str(value)
    number = float(value)
    if kind in {"money", "signed_money"}:
        return number / unit.scale
    return number * 100 if kind == "percent" else number


def shown(value: Any, kind: Kind, unit: Unit) -> str:
    """A value as text: ``1,234.50``, ``—`` for nothing, ``∞`` for what no amount reaches."""
    number = scaled(value, kind, unit)
    if number is None:
        return "—"
    if kind == "text":
        return str(number)
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-DECIMALS[kind]), rounding=ROUND_HALF_UP)
    plain = f"{abs(rounded):,.{DECIMALS[kind]}f}"
    if kind == "number":
        plain = plain.rstrip("0").rstrip(".")
    sign = "−" if rounded < 0 else ("+" if kind == "signed_money" and rounded > 0 else "")
    return sign + plain


# --------------------------------------------------------------------------- writing


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path`; renamed onto it when the block ends well, else removed.

    Raises
    ------
    InputError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     with atomic_path(Path(d) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     [p.name for p in Path(d).iterdir()]
    ['a.txt']
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise InputError(
            [Fault("file.not_writable", file=str(target), params={"reason": error.strerror})]
        ) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as done:
            os.fsync(done.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    except Exception as error:
        cause = error if isinstance(error, OSError) else next(iter(error.args), None)
        if not isinstance(cause, OSError):  # XlsxWriter wraps what the disk said in an exception of its own
            raise
        reason = cause.strerror or str(cause)
        raise InputError([Fault("file.not_writable", file=str(target), params={"reason": reason})]) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_lock(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Within the block no other run writes its set of files into `folder`, so that two runs do not mix.

    A lock of the system on the folder itself: it leaves no file behind and ends with the process. Where the system has
    none (Windows) or the folder cannot be opened, the block runs without.
    """
    try:
        import fcntl

        Path(folder).mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_text(path: str | os.PathLike[str], content: str) -> Path:
    """Write `content` as UTF-8 with Unix line ends, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.encode("utf-8"))
    return Path(path)


def file_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, for the manifest."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write_frames(path: str | os.PathLike[str], frames: Mapping[str, pd.DataFrame]) -> Path:
    """Write frames as sheets of one workbook; text stays text, whatever it begins with.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    import xlsxwriter

    with atomic_path(path) as temporary:
        book = xlsxwriter.Workbook(str(temporary), WORKBOOK_OPTIONS)
        book.set_properties({"created": _EPOCH})
        amounts = book.add_format({"num_format": "#,##0.00"})
        for name, frame in zip(sheet_names(frames), frames.values(), strict=True):
            sheet = book.add_worksheet(name)
            flat = frame.reset_index() if frame.index.names != [None] else frame
            for column, heading in enumerate(flat.columns):
                sheet.write_string(0, column, cell_text(str(heading)))
                large = pd.api.types.is_float_dtype(flat[heading]) and flat[heading].abs().max() >= 1000
                for row, value in enumerate(flat[heading], 1):
                    write_cell(sheet, row, column, value, amounts if large else None)
                asked = [
                    f"{v:,.2f}" if large else str(v)[: 10 if isinstance(v, float) else 60]
                    for v in flat[heading]
                ]
                sheet.set_column(column, column, max(map(width, [str(heading), *asked])) + 2)
            sheet.set_landscape()
            sheet.set_paper(9)
            sheet.fit_to_pages(1, 0)
            sheet.freeze_panes(1, 0)
        book.close()
    return Path(path)


WORKBOOK_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
    "in_memory": True,
}
_EPOCH = pd.Timestamp("2000-01-01").to_pydatetime()


def write_cell(sheet: Any, row: int, column: int, value: Any, style: Any = None) -> None:
    """Write one value with its own type: never a formula, a link or an invalid number."""
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        sheet.write_string(row, column, "∞" if value > 0 else "-∞", style)
    elif isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "dtype")):
        sheet.write_string(row, column, cell_text(str(value)), style)
    else:
        sheet.write_number(row, column, float(value), style)


def suppress_small_cells(
    frame: pd.DataFrame, persons: str, values: Sequence[str], *, fewest: int = SMALL_CELL
) -> pd.DataFrame:
    """Blank `values` in the rows whose count in `persons` is from 1 to ``fewest - 1``.

    Returns a new frame; nothing of the caller's is changed.

    Examples
    --------
    >>> f = pd.DataFrame({"persons": [3, 9], "cost": [10.0, 20.0]})
    >>> suppress_small_cells(f, "persons", ["cost"])["cost"].tolist()
    [nan, 20.0]
    """
    small = frame[persons].between(1, fewest - 1)
    safe = frame.copy()
    for column in {persons, *values}:
        safe[column] = safe[column].astype("float64").mask(small)
    return safe


# --------------------------------------------------------------------------- figures

COLOURS = {
    "main": "#1f5f8b",
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
