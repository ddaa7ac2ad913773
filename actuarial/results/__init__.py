"""What all results share: sources, a tidy table, showing, safe writing, fonts.

Decisions
---------
* Files are written to a temporary file in the same folder and renamed, so that a reader sees
  the old file or the new one, never half of one.
* The same content gives the same bytes: no time of day, no random identifiers.
* Cells that rest on fewer than :data:`SMALL_CELL` persons are blanked in anything written.
"""

from actuarial.results.base import DECIMALS, Kind, Result, Source, Unit, scaled, shown
from actuarial.results.figures import (
    COLOURS,
    chinese_font,
    figure_style,
    figure_svg,
    fill_fan,
    new_axes,
    thousands,
)
from actuarial.results.writing import (
    SMALL_CELL,
    WORKBOOK_OPTIONS,
    atomic_path,
    file_hash,
    folder_lock,
    new_workbook,
    suppress_small_cells,
    write_cell,
    write_frames,
    write_text,
    write_together,
)

__all__ = [
    "COLOURS",
    "DECIMALS",
    "SMALL_CELL",
    "WORKBOOK_OPTIONS",
    "Kind",
    "Result",
    "Source",
    "Unit",
    "atomic_path",
    "chinese_font",
    "figure_style",
    "figure_svg",
    "file_hash",
    "fill_fan",
    "folder_lock",
    "new_axes",
    "new_workbook",
    "scaled",
    "shown",
    "suppress_small_cells",
    "thousands",
    "write_cell",
    "write_frames",
    "write_text",
    "write_together",
]
