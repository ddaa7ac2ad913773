"""Sample data: found in the wheel or in a checkout.

The real public figures lie in ``data_samples/`` of the project, each with its source; the wheel
carries them as package data.
"""

from __future__ import annotations

from pathlib import Path

from actuarial.errors import Fault, InputError
from actuarial.texts import text

_HERE = Path(__file__).resolve().parent


def sample_root() -> Path:
    """The folder of the samples.

    Raises
    ------
    InputError
        If this installation has none.
    """
    for folder in (_HERE / "data", _HERE.parent.parent / "data_samples"):
        if folder.is_dir():
            return folder
    raise InputError([Fault("file.no_samples")])


def says_synthetic(path: Path) -> bool:
    """Whether a table says of itself that it is synthetic (模拟数据), in its first or last bytes.

    The generator of this package writes so into the first line of text files and the metadata of Parquet files.

    Examples
    --------
    >>> says_synthetic(sample_path("synthetic/claims.csv")), says_synthetic(sample_path("jieshou/experience.csv"))
    (True, False)
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(4096)
        stream.seek(max(size - 65_536, 0))
        seen = head + stream.read()
    word = text("report.synthetic", "zh")
    return any(mark in seen for mark in (word.encode(), word.encode("gb18030"), b"synthetic"))


def sample_path(name: str) -> Path:
    """Path of a sample.

    Parameters
    ----------
    name : str
        Such as ``jieshou/plan.yaml``.

    Raises
    ------
    InputError
        If there is no such sample, or the name leads out of the samples.

    Examples
    --------
    >>> sample_path("jieshou/plan.yaml").name
    'plan.yaml'
    """
    root = sample_root()
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()) or not path.exists():
        raise InputError([Fault("file.no_sample", params={"name": name})])
    return path
