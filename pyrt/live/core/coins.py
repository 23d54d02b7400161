"""Coins that a venue keeps of what was bought: as its positions show them, or in doubt until then.

A venue charges a purchase one of few amounts, and does not say which. The position that it states
with the execution tells, where it is the one that exactly one of them leads to. Else the fee model
is believed, and the next look at the account tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

from pyrt.core.instruments import Instrument
from pyrt.core.orders import Order
from pyrt.kernel.kernel import Kernel

DOUBTS_MAX = 8
"""So many purchases of a coin can be in doubt at once: of more, any sum would explain anything."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A purchase of which it is not known what the venue has kept.

    Attributes
    ----------
    booked : Decimal
        What it was taken to keep.
    options : tuple of Decimal
        What it may have kept.
    """

    strategy: str
    booked: Decimal
    options: tuple[Decimal, ...]


class KeptCoins:
    """Decides what was kept of each purchase, and remembers those that are in doubt.

    Parameters
    ----------
    kernel : Kernel
        Its positions are what is held here.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._doubts: dict[str, list[Doubt]] = {}

    @property
    def in_doubt(self) -> tuple[str, ...]:
        """Symbols of which a purchase is in doubt."""
        return tuple(self._doubts)

    def take(self, order: Order, event: Any, book: Callable[..., Decimal]) -> Decimal:
        """Book a purchase: `book` takes the event and, where they are known, how it was charged."""
        if Decimal(event.cumulative) <= order.filled_quantity_exact:
            return book(event)
        before = self._held(order.instrument)
        options = {units: liquidity for liquidity, units in reversed(event.keeps)}
        gained = self._gained(event, order.symbol, before)
        for text, liquidity in options.items():
            if Decimal(event.quantity) - Decimal(text) == gained:
                # Where both would have kept as much, nobody can tell which it was.
                told = liquidity if len(options) == len(event.keeps) else ""
                return book(event, told, taken=Decimal(text))
        fee = book(event)
        booked = before + Decimal(event.quantity) - self._held(order.instrument)
        doubts = self._doubts.setdefault(order.symbol, [])
        if len(doubts) <= DOUBTS_MAX:
            doubts.append(Doubt(order.strategy.name, booked, tuple(map(Decimal, options))))
        return fee

    def _gained(self, event: Any, symbol: str, before: Decimal) -> Decimal | None:
        """Return what an execution has brought by the position stated with it; None if untold."""
        # While another purchase is in doubt, the position before this one is.
        if not event.position or symbol in self._doubts:
            return None
        return Decimal(event.position) - before

    def settle(self, symbol: str, there: Decimal) -> dict[str, Decimal]:
        """Return what strategies hold more than was booked, by the venue's position of a symbol.

        Nothing, unless what may have been kept of the purchases in doubt makes their positions that
        one exactly, and shares it out among them in one way only.
        """
        doubts = self._doubts[symbol]
        missing = there - self._held(self._kernel.cache.instrument(symbol))
        if not missing:
            del self._doubts[symbol]
            return {}
        found = [] if len(doubts) > DOUBTS_MAX else _explanations(doubts, missing)
        if len(found) != 1:
            return {}
        del self._doubts[symbol]
        return found[0]

    def _held(self, instrument: Instrument) -> Decimal:
        positions = self._kernel.cache.positions_in(instrument)
        return sum((Decimal(each.quantity_exact) for each in positions), Decimal(0))


def _explanations(doubts: list[Doubt], missing: Decimal) -> list[dict[str, Decimal]]:
    """Return each way in which strategies may share `missing` out among them."""
    found: list[dict[str, Decimal]] = []
    for kept in product(*(doubt.options for doubt in doubts)):
        gains: dict[str, Decimal] = {}
        for doubt, units in zip(doubts, kept, strict=True):
            gains[doubt.strategy] = gains.get(doubt.strategy, Decimal(0)) + doubt.booked - units
        gains = {strategy: gain for strategy, gain in gains.items() if gain}
        if sum(gains.values()) == missing and gains not in found:
            found.append(gains)
    return found
