"""Files that a command line names, and what to say where the system refuses one of them."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

RUNS = ("live", "watchdog")
"""What an error of the disk ends is to be started again; code 2 would keep a service from it."""

DISK = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE})
"""Errors of the machine: no other command line would have spared them."""


def refused(error: OSError, words: Sequence[str]) -> str | None:
    """Return what to say of a file that the system refuses; None if the user has not named it.

    An error of another file, or of none, is not told of in one line: it is ours. Of a file below a
    folder that was named its own name is told.

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
            if not text:
                continue
            given = Path(text)
            if given.name and given in file.parents:
                return f"{file}: {_why(error, file)}"
            if _is_of(file, given):
                return f"{text}: {_why(error, given)}"
    return None


def is_mistake(error: OSError) -> bool:
    """Return whether the user can name something else; with a failing or full disk not."""
    return error.errno not in DISK


def _is_of(file: Path, given: Path) -> bool:
    """Return whether a file is the given one, a first version beside it, or above it."""
    if file == given or file in given.parents:
        return True
    return file.parent == given.parent and file.name.lstrip(".").startswith(f"{given.name}.")


def _why(error: OSError, given: Path) -> str:
    if isinstance(error, FileNotFoundError) and not given.parent.is_dir():
        return f"there is no directory {given.parent}"
    return error.strerror or str(error)
