"""A paper exchange inside the node, on the market as the node hears it: nothing is sent anywhere.

Orders meet the quotes and prints of the live streams, by the same matching, rules and account as in
the simulator and in backtests. Whether they would have moved the market is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.trading.memo import RememberingRules
from pyrt.backtest.exchange import Exchange
from pyrt.backtest.fees import fee_model
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.core.accounts import Account
from pyrt.core.cache import Cache
from pyrt.core.instruments import Instrument
from pyrt.venues.sessions import sessions

DAY = 86_400_000_000_000


class Heard:
    """What was heard of one symbol; stands where a simulator has a symbol's recorded series."""

    bars = book = trades = quotes = None

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.is_pair = "/" in symbol
        self._sides: tuple[float, float] | None = None

    def hear(self, bid: float, ask: float) -> None:
        """Note the best prices; 0 for a side that is empty."""
        self._sides = (bid, ask) if bid > 0 and ask > 0 else None

    def quote(self, now: int) -> tuple[float, float] | None:
        """Return bid and ask; None where a side is missing."""
        return self._sides

    def close_before(self, ts: int) -> float | None:
        """Return None: days before this run were not heard."""
        return None


class ShadowBroker:
    """Takes the node's orders, and the market as it happens.

    Parameters
    ----------
    instruments : sequence of Instrument
        What may be traded.
    start : int
        The present, ns UTC.
    cash : number
    fees : str
        As `pyrt.backtest` takes them.
    seed : int
        Of ids.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        start: int,
        *,
        cash: Any = 100_000,
        fees: str = "alpaca",
        seed: int = 0,
    ) -> None:
        venue = SimVenue(
            Account(cash, rules="alpaca"), fee_model(fees), slippage_model(None), participation=0.0
        )
        cache = Cache()
        days = sessions("XNYS", start - 5 * DAY, start + 100 * DAY)
        # The kernel numbers the instruments it has: the venue's are copies.
        own = [Instrument(**instrument.to_dict()) for instrument in instruments]
        for instrument in own:
            cache.add_instrument(instrument)
            is_pair = "/" in instrument.symbol
            venue.add_instrument(instrument, None if is_pair else (days.open, days.close))
        self._exchange = Exchange(venue, [])
        for index in range(len(own)):
            venue.follow(index, "quotes", prints=True)
        self._exchange.move_to(start)
        self._heard = {i.symbol: Heard(i.symbol) for i in own}
        series: dict[str, Any] = dict(self._heard)
        rules = RememberingRules()
        venue.stop_limit = rules.stop_limit
        self._core = SimulatorCore(self._exchange, rules, series=series, seed=seed)

    @property
    def now(self) -> int:
        """The present of this venue, ns UTC."""
        return self._core.now

    def pass_to(self, now: int) -> None:
        """Let time pass: days end, and orders with them."""
        if now > self._core.now:
            self._core.pass_to(now)

    def see(self, events: Iterable[Any]) -> None:
        """Let orders meet what has happened on the market, at the present."""
        for event in events:
            if event.WHAT == "news_gap":
                # The end of a halt may have been told meanwhile; the node's gate still keeps it.
                for symbol in self._heard:
                    self._exchange.resume(symbol)
                continue
            heard = self._heard.get(getattr(event, "symbol", ""))
            if heard is None:
                continue
            if event.WHAT == "quote":
                heard.hear(event.bid_price, event.ask_price)
                sides = (event.bid_price, event.bid_size, event.ask_price, event.ask_size)
                self._exchange.see(event.symbol, "quotes", event.ts_event, sides)
            elif event.WHAT == "trade":
                printed = (event.price, event.size, float(event.aggressor))
                self._exchange.see(event.symbol, "trades", event.ts_event, printed)
            elif event.WHAT == "status":
                self._halt(event.symbol, event.status)
            else:
                continue
            self._core.market.version += 1
        self._core.publisher.publish()

    def _halt(self, symbol: str, status: str) -> None:
        if status in ("halted", "quoting"):
            self._exchange.halt(symbol)
        elif status == "trading":
            self._exchange.resume(symbol)

    def request(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Answer a request of the trading API: status and body."""
        response = self._core.request(method, path, body)
        self._core.publisher.publish()
        return response.status, response.body

    def frames(self) -> list[bytes]:
        """Return the frames of trade updates since the last call."""
        return self._core.take_trade_updates()
