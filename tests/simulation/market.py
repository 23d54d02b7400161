"""What goes wrong in the market and at the broker: bad ticks, halts, bookings without a fill."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.streams.frames import encode
from pyrt.adapters.alpaca.simulator.trading.activities import add_booking
from tests.simulation.broker import Broker
from tests.simulation.chances import Chances

BOOKINGS = (
    ("FEE", Decimal("-0.37")),
    ("DIV", Decimal("12.50")),
    ("CSD", Decimal("1000")),
    ("CSW", Decimal("-250")),
)
BAD_PRICES = (0, -1, 1e308, 1e-9, None, "NaN", 10_000)
"""What a price of a bad frame becomes; the last stands for a hundred times the true one."""
TOLD = frozenset({"Bar", "Status"})


def take_frames(broker: Broker, chances: Chances, spoiled: set[bytes]) -> list[bytes]:
    """Return what the exchange has to say of the market; what of it is spoiled joins `spoiled`."""
    frames = []
    for message in broker.core.take_messages():
        if type(message).__name__ in TOLD:
            frame = encode([message], packed=False)
            if type(message).__name__ == "Bar" and chances.strikes("F39", 0.3):
                frame = _spoiled(frame, chances)
                spoiled.add(frame)
            frames.append(frame)
    return frames


def _spoiled(frame: bytes, chances: Chances) -> bytes:
    """Return a frame whose prices no market has made."""
    rows: list[dict[str, Any]] = json.loads(frame)
    price = chances.one_of(BAD_PRICES)
    for row in rows:
        for name in chances.one_of((("c",), ("o", "h", "l", "c"), ("h",))):
            if name in row:
                row[name] = price
    return json.dumps(rows, separators=(",", ":")).encode()


def book(broker: Broker, chances: Chances) -> None:
    """Let the broker take a fee, pay a dividend, or money come and go."""
    kind, amount = chances.one_of(BOOKINGS)
    broker.venue.account.deposit(amount)
    add_booking(broker.core.desk, kind, amount, "of this schedule")
    broker.ledger.book(kind, amount)


def halt(broker: Broker, symbol: str, seconds: float) -> None:
    """Halt a symbol for a time: the exchange tells of it, and fills nothing meanwhile."""
    broker.core.interventions.act("halt", {"symbol": symbol, "seconds": seconds, "rc": "LUDP"})
