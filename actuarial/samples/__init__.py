"""Sample data: found in the wheel or in a checkout.

The real public figures lie in ``data_samples/`` of the project, each with its source; the wheel
carries them as package data.
"""

from __future__ import annotations

from pathlib import Path

from actuarial.errors import Fault, InputError

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
