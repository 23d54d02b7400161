"""The feed `test`: FAKEPACA trades around the clock, as long as somebody listens."""

from __future__ import annotations

import math

from pyrt.adapters.alpaca.simulator.market.agenda import Agenda
from pyrt.adapters.alpaca.simulator.market.playback import Market
from pyrt.adapters.alpaca.simulator.protocol.wires import SECOND
from pyrt.adapters.alpaca.simulator.streams.feeds import FAKE
from pyrt.adapters.alpaca.simulator.streams.frames import Bar, Quote, Stamp, Trade

MINUTE_S = 60
MIDDLE, SWING, PERIOD_S = 130.0, 5.0, 900.0


class FakeFeed:
    """A quote and a print each second, a bar each minute; the same at the same time in every run.

    Parameters
    ----------
    market : Market
        Gets the messages.
    agenda : Agenda
    """

    def __init__(self, market: Market, agenda: Agenda) -> None:
        self._market = market
        self._agenda = agenda
        self._is_due = False
        self.is_heard = False

    def listen(self, now: int, *, is_heard: bool) -> None:
        """Go on while somebody listens."""
        self.is_heard = is_heard
        if is_heard and not self._is_due:
            self._schedule(now)

    def _schedule(self, now: int) -> None:
        self._is_due = True
        later = (now // SECOND + 1) * SECOND
        self._agenda.add(later, lambda: self._tick(later))

    def _tick(self, ts: int) -> None:
        self._is_due = False
        if not self.is_heard:
            return
        second, stamp = ts // SECOND, Stamp(ts)
        price = price_at(second)
        self._market.add([
            Quote(S=FAKE, bp=round(price - 0.01, 2), bs=100, ap=price, ask_size=100, t=stamp),
            Trade(S=FAKE, i=second, p=price, s=10, t=stamp),
        ])  # fmt: skip
        if second % MINUTE_S == 0:
            self._market.add([bar_of(second - MINUTE_S)])
        self._schedule(ts)


def price_at(second: int) -> float:
    """Return the price of FAKEPACA in a second."""
    return round(MIDDLE + SWING * math.sin(2 * math.pi * second / PERIOD_S), 2)


def bar_of(start: int) -> Bar:
    """Return the bar of the minute that starts at a second."""
    prices = [price_at(second) for second in range(start + 1, start + MINUTE_S + 1)]
    return Bar(
        S=FAKE,
        o=prices[0],
        h=max(prices),
        l=min(prices),
        c=prices[-1],
        v=10 * MINUTE_S,
        t=Stamp(start * SECOND),
        n=MINUTE_S,
        vw=round(sum(prices) / MINUTE_S, 6),
    )
