"""The last hours of a node as the page draws them: closes, fills and equity, each bounded."""

from __future__ import annotations

from collections import deque
from typing import Any

from pyrt.core.bus import MessageBus
from pyrt.core.data import Bar
from pyrt.core.orders import Fill

POINTS_MAX = 1_440
FILLS_MAX = 500
MINUTE_NS = 60_000_000_000
OTHER_DAY_NS = 4 * 24 * 3600 * 1_000_000_000
"""Longer than a market is ever closed: prices this old are a recording's."""


class History:
    """Listens to a bus, from `attach` on, and keeps what charts show."""

    def __init__(self) -> None:
        self.fills: deque[dict[str, Any]] = deque(maxlen=FILLS_MAX)
        self.alarms: deque[dict[str, Any]] = deque(maxlen=100)
        self._closes: dict[str, deque[tuple[int, float]]] = {}
        self._sampled: set[str] = set()
        self._equity: deque[tuple[int, float]] = deque(maxlen=POINTS_MAX)
        self._market_ts = 0

    def attach(self, bus: MessageBus) -> None:
        """Listen to bars and fills."""
        bus.subscribe("data.bars.*", self._on_bar, priority=-900)
        bus.subscribe("fill.*", self._on_fill, priority=-900)

    def market_time(self, now: int) -> int:
        """Return the present on the time axis of prices and fills.

        A simulator of another day has a time of its own, of which the last bar or fill tells.
        """
        return self._market_ts if 0 < self._market_ts < now - OTHER_DAY_NS else now

    def add_equity(self, ts: int, equity: float) -> None:
        """Keep a point of the equity curve, one a minute; a later one of a minute replaces it."""
        while self._equity and self._equity[-1][0] > ts:
            # Drawn before the first price had told what day it is there.
            self._equity.pop()
        if self._equity and self._equity[-1][0] // MINUTE_NS == ts // MINUTE_NS:
            self._equity.pop()
        self._equity.append((ts, equity))

    def add_price(self, symbol: str, ts: int, price: float) -> None:
        """Keep the last price of what has no bars, one a minute; bars take the place of all."""
        if symbol in self._closes and symbol not in self._sampled:
            return
        self._sampled.add(symbol)
        points = self._closes.setdefault(symbol, deque(maxlen=POINTS_MAX))
        while points and (points[-1][0] > ts or points[-1][0] // MINUTE_NS == ts // MINUTE_NS):
            points.pop()
        points.append((ts, price))

    def add_alarm(self, ts: int, code: str, text: str) -> None:
        """Keep an alarm."""
        self.alarms.append({"ts_event": ts, "code": code, "text": text})

    @property
    def symbols(self) -> list[str]:
        """Symbols of which there are prices, sorted."""
        return sorted(self._closes)

    def equity(self) -> dict[str, list[Any]]:
        """Return the equity curve as columns, oldest first."""
        points = list(self._equity)
        return {"ts": [ts for ts, _ in points], "equity": [value for _, value in points]}

    def prices(self, symbol: str) -> dict[str, Any]:
        """Return one symbol's closes and our fills in it, oldest first."""
        points = list(self._closes.get(symbol, ()))
        return {
            "symbol": symbol,
            "ts": [ts for ts, _ in points],
            "close": [close for _, close in points],
            "fills": [fill for fill in list(self.fills) if fill["symbol"] == symbol],
        }

    def _on_bar(self, bar: Bar) -> None:
        self._market_ts = max(self._market_ts, bar.ts_event)
        points = self._closes.get(bar.symbol)
        if points is None or bar.symbol in self._sampled:
            self._sampled.discard(bar.symbol)
            points = self._closes[bar.symbol] = deque(maxlen=POINTS_MAX)
        # Several timeframes may be heard: the finest is the first to end at a time.
        if not points or points[-1][0] < bar.ts_event:
            points.append((bar.ts_event, bar.close))

    def _on_fill(self, fill: Fill) -> None:
        self._market_ts = max(self._market_ts, fill.ts_event)
        self.fills.append(
            {
                "ts_event": fill.ts_event,
                "symbol": fill.symbol,
                "side": fill.side.name.lower(),
                "quantity": fill.quantity,
                "price": fill.price,
                "fee": fill.fee,
                "client_order_id": fill.client_order_id,
            }
        )
