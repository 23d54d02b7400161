"""Large blocks of memory go back to the system, whatever was freed before."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from pyrt.live.process.memory import give_back_large_blocks

MAPPED = """
import ctypes
from pyrt.live.process.memory import give_back_large_blocks

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
if {asked}:
    assert give_back_large_blocks()
large = bytearray(24_000_000)
del large
before = libc.mallinfo2().hblkhd
held = bytearray(4_000_000)
print(libc.mallinfo2().hblkhd - before)
"""


def mapped(asked: bool) -> int:
    """Return how much of a block of 4 MB has pages of its own, after a larger one was freed."""
    done = subprocess.run(
        [sys.executable, "-c", MAPPED.format(asked=asked)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="no glibc that tells")
def test_a_large_block_has_pages_of_its_own() -> None:
    assert mapped(asked=False) == 0
    assert mapped(asked=True) >= 4_000_000


def test_a_c_library_without_the_setting_is_left_alone(monkeypatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert give_back_large_blocks() is False
