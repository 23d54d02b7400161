"""Memory of a process: how much of it there is, and that it goes back when it is free."""

from __future__ import annotations

import ctypes
import resource
import sys
from pathlib import Path

M_MMAP_THRESHOLD = -3
"""glibc's name for the size from which a block gets pages of its own."""
LARGE_BYTES = 128 * 1024


def give_back_large_blocks() -> bool:
    """Let large blocks return to the system when they are freed; return whether the C library can.

    glibc raises the size that it calls large to that of any block once freed. Buffers of market
    data, which grow and go, then lie among small things that stay, and their holes are lost.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGE_BYTES))


def resident_bytes() -> int:
    """Return the memory that the process has in RAM; the most it has had where that is unknown."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * resource.getpagesize()
