"""The loop that calls a handler: the one loop over events that is left to the interpreter.

CPython runs a Python function that Python calls within the loop it is in; one that compiled code
calls has to enter the interpreter anew, which takes as long again as the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def drive(handler: Callable[[Any], Any], views: Iterable[Any]) -> None:
    """Call `handler` with each of `views`, made one at a time as it asks for them."""
    for view in views:
        handler(view)
