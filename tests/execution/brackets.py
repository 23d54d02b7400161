"""Brackets in a state that several tests begin with."""

from __future__ import annotations

from typing import Any

from pyrt.testing.gates import GateRig


def held_in_part(made: GateRig, **exits: Any) -> Any:
    """Return an entry for ten with exits, of which six filled before it was canceled."""
    entry = made.order("buy", 10, limit_price=100, **exits)
    made.answer("accept", entry)
    made.fill(entry, 6)
    made.cancel(entry)
    made.answer("cancel", entry)
    return entry
