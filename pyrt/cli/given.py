"""Files that a command line names, and what to say where the system refuses one of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

RUNS = ("live", "watchdog")
"""What an error of the disk ends is to be started again; code 2 would keep a service from it."""


def refused(error: OSError, words: Sequence[str]) -> str | None:
    """Return what to say of a file that the system refuses; None if the user has not named it.

    An error of another file, or of none, is no mistake of the user.

    Parameters
    ----------
    error : OSError
    words : sequence of str
        The command line.

    Examples
    --------
    >>> refused(PermissionError(13, "Permission denied", "out.db.new"), ["export", "out.db"])
    'out.db: Permission denied'
    >>> refused(PermissionError(13, "Permission denied", "/etc/other"), ["export", "out.db"])
    """
    if words and words[0] in RUNS and "--init" not in words:
        return None
    name = error.filename if error.filename2 is None else error.filename2
    if not isinstance(name, str | bytes | os.PathLike):
        return None
    file = Path(os.fsdecode(name))
    for word in words:
        # As --option=PATH, or SYMBOL=PATH.
        for text in (word, word.partition("=")[2]):
            if text and _is_of(file, Path(text)):
                return f"{text}: {_why(error, Path(text))}"
    return None


def _is_of(file: Path, given: Path) -> bool:
    """Return whether a file is the given one, a first version beside it, above or below it."""
    if file == given or file in given.parents:
        return True
    if file.parent == given.parent and file.name.lstrip(".").startswith(f"{given.name}."):
        return True
    return given in file.parents and given.name != ""


def _why(error: OSError, given: Path) -> str:
    if isinstance(error, FileNotFoundError) and not given.parent.is_dir():
        return f"there is no directory {given.parent}"
    return error.strerror or str(error)
