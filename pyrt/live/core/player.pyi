"""Inputs that were recorded, fed to a kernel again."""

from collections.abc import Callable

from typing_extensions import Buffer

from pyrt.live.core.inputs import Inputs

def play(
    inputs: Inputs,
    piece: Buffer,
    on_note: Callable[[bytes], object],
    on_error: Callable[[Exception], object],
    *,
    place: int | None = None,
    on_place: Callable[[int], int | None] | None = None,
) -> bool: ...
