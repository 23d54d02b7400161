"""What a program asks of a node's gate from outside, and what the node itself makes of its tape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyrt.kernel.kernel import Kernel
from pyrt.risk.limits import Limits

GATE_METHODS = (
    *("set_limits", "set_ramp", "set_state", "kill", "reset_breaker", "allow_once", "set_status"),
    *("set_adv", "set_atr"),
)
"""What a program in the node's process may ask of the gate."""


@contextmanager
def unrecorded(kernel: Kernel) -> Iterator[Any]:
    """Give the gate, to be changed by what is on the tape already."""
    gate: Any = kernel.gate
    kept = getattr(gate, "recorder", None)
    if kept is not None:
        gate.recorder = None
    try:
        yield gate
    finally:
        if kept is not None:
            gate.recorder = kept


def change_gate(kernel: Kernel, method: str, arguments: dict[str, Any]) -> None:
    """Do with the gate what a program in the node's process did: one of `GATE_METHODS`."""
    if method not in GATE_METHODS:
        return
    if method == "set_limits":
        arguments = arguments | {"limits": Limits.from_dict(arguments["limits"])}
    with unrecorded(kernel) as gate:
        getattr(gate, method)(**arguments)
