"""News of the market beside prices: halts, price bands, corrections; told, and kept on the tape."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from pyrt.core.data import Status
from pyrt.kernel.kernel import Kernel
from pyrt.kernel.subscriptions import topic_of
from pyrt.live.core.gate_changes import unrecorded
from pyrt.live.core.notes import encode_note
from pyrt.live.core.tape import Tape
from pyrt.risk.engine import RiskEngine
from pyrt.venues.luld import LuldWatch

BANDS = "price bands"
"""The reason of a state that was read off bands and touch."""
TRADES = "trades came"
"""The reason where a halt's end was never told."""
HALTS = {"halted": True, "quoting": True, "trading": False}
"""What a status says of whether there is trading; others say nothing about it."""


class News:
    """Tells risk and strategies of halts, limit states and bands, and strategies of the rest.

    Parameters
    ----------
    kernel : Kernel
    tape : Tape, optional
        What is told is recorded on it, before anybody hears of it.
    """

    def __init__(self, kernel: Kernel, tape: Tape | None) -> None:
        self._kernel = kernel
        self._tape = tape
        self.watches: dict[str, LuldWatch] = {}
        """Symbol → its bands and touch, once bands have come."""
        self._halted: dict[str, int] = {}
        """Symbol → when its trading was halted."""
        self.doubted: set[str] = set()
        """Halted symbols whose halt may be over: news were missed since it was told."""

    # -- as it comes ---------------------------------------------------------------------------

    def status(self, event: Any) -> None:
        """Take a change of a symbol's trading state."""
        self._follow(event.symbol, event.status, event.ts_event)
        self._tell(event.symbol, event.status, event.reason, event.ts_event)

    def bands(self, event: Any) -> None:
        """Take price bands; 0 and 0 for none."""
        watch = self._watch(event.symbol)
        state = watch.set_bands(event.lower, event.upper)
        terms = (event.symbol, watch.lower, watch.upper, event.ts_event)
        self._note("bands", terms=terms)
        self._kernel.tell_bands(*terms)
        if state is not None:
            self._tell(event.symbol, state, BANDS, event.ts_event)

    def touch(self, event: Any) -> None:
        """Take a best bid and offer, before any handler sees it."""
        watch = self.watches.get(event.symbol)
        if watch is None:
            return
        state = watch.set_touch(event.bid_price, event.ask_price)
        if state is not None:
            self._tell(event.symbol, state, BANDS, event.ts_event)

    def doubt_halts(self) -> None:
        """Take it that the end of any halt may have been told while nobody listened.

        The broker tells each change once, to those who listen.
        """
        self.doubted = set(self._halted)

    def traded(self, symbol: str, ts: int) -> None:
        """Take it that there was trading from `ts` on: it ends a halt that is in doubt."""
        if symbol in self.doubted and ts > self._halted[symbol]:
            self._follow(symbol, "trading", ts)
            self._tell(symbol, "trading", TRADES, ts)

    def publish(self, kind: str, event: Any) -> None:
        """Take what only those hear of who have subscribed to ``data.KIND.SYMBOL``."""
        self._note("news", kind=kind, fields=msgspec.to_builtins(event))
        self._kernel.bus.publish(topic_of(kind, event.symbol), event)

    # -- from a tape ---------------------------------------------------------------------------

    def take_note(self, note: dict[str, Any]) -> bool:
        """Do again what a note of the tape says; False if it is none of these.

        A run that goes on after it knows bands and states; the touch is new to it.
        """
        what = note["what"]
        if what == "status":
            symbol, status, reason, ts_event = note["terms"]
            if reason == BANDS and symbol in self.watches:
                self.watches[symbol].state = status
            else:
                self._follow(symbol, status, ts_event)
            self._pass_on(*note["terms"])
        elif what == "bands":
            symbol, lower, upper, _ = note["terms"]
            watch = self._watch(symbol)
            watch.lower, watch.upper = lower, upper
            self._kernel.tell_bands(*note["terms"])
        elif what == "news":
            message = SimpleNamespace(**note["fields"])
            self._kernel.bus.publish(topic_of(note["kind"], message.symbol), message)
        else:
            return False
        return True

    # -- inside --------------------------------------------------------------------------------

    def _watch(self, symbol: str) -> LuldWatch:
        """Return what follows a symbol's bands, from now on if nothing has."""
        if symbol not in self.watches:
            self.watches[symbol] = LuldWatch()
            self.watches[symbol].set_halted(symbol in self._halted)
        return self.watches[symbol]

    def _follow(self, symbol: str, status: str, ts_event: int) -> None:
        """Keep a halt, or its end, and let what follows the symbol's bands know."""
        watch, halted = self.watches.get(symbol), HALTS.get(status)
        if halted is None:
            return
        self.doubted.discard(symbol)
        self._halted.pop(symbol, None)
        if halted:
            self._halted[symbol] = ts_event
        if watch is not None:
            watch.set_halted(halted)

    def _tell(self, symbol: str, status: str, reason: str, ts_event: int) -> None:
        terms = (symbol, status, reason, ts_event)
        self._note("status", terms=terms)
        self._pass_on(*terms)

    def _pass_on(self, symbol: str, status: str, reason: str, ts_event: int) -> None:
        if isinstance(self._kernel.gate, RiskEngine) and self._knows(symbol):
            # It is on the tape as news already.
            with unrecorded(self._kernel) as gate:
                gate.set_status(symbol, status)
        told = Status(symbol, status, reason, ts_event, self._kernel.clock.timestamp_ns)
        self._kernel.bus.publish(topic_of("status", symbol), told)

    def _knows(self, symbol: str) -> bool:
        return any(one.symbol == symbol for one in self._kernel.cache.instruments)

    def _note(self, what: str, **arguments: Any) -> None:
        if self._tape is not None:
            self._tape.note(encode_note(what, **arguments))
