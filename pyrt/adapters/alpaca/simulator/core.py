"""The simulator core: Alpaca's paper exchange as a state machine without I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pyrt.adapters.alpaca.messages import BarMessage
from pyrt.adapters.alpaca.simulator.desk import Desk
from pyrt.adapters.alpaca.simulator.http import Response
from pyrt.adapters.alpaca.simulator.market_data import MarketDataApi
from pyrt.adapters.alpaca.simulator.router import Router
from pyrt.adapters.alpaca.simulator.trading import TradingApi
from pyrt.adapters.alpaca.simulator.updates import Publisher
from pyrt.backtest.exchange import Exchange
from pyrt.core.times import format_ns
from pyrt.venues.alpaca import AlpacaRules

__all__ = ["Response", "SimulatorCore"]

DAY = 86_400_000_000_000


class SimulatorCore:
    """Takes requests and the time, returns responses and messages to push.

    Parameters
    ----------
    exchange : Exchange
        Matching, account and recorded bars.
    rules : AlpacaRules, optional
        Judges orders, replacements and cancels; without it whatever the exchange can carry passes.
    """

    def __init__(self, exchange: Exchange, rules: AlpacaRules | None = None) -> None:
        self._exchange = exchange
        self.desk = Desk(exchange, rules, start=int(exchange.now))
        self._publisher = Publisher(self.desk)
        self._market_data: list[bytes] = []
        self.timers: dict[str, int] = {}
        self._router = Router()
        TradingApi(self.desk, self._publisher).install(self._router)
        MarketDataApi(self.desk).install(self._router)

    @property
    def now(self) -> int:
        """The simulator's time, ns UTC: it owns it."""
        return int(self._exchange.now)

    # -- time ----------------------------------------------------------------------------------

    def next_instant(self) -> int | None:
        """Return when anything is due next: data, the venue, a client's timer; None at the end."""
        due = self._exchange.next_instant()
        if due is None:
            return None
        later = [ts for ts in self.timers.values() if ts > self.now]
        return max(min([due, *later]), self.now)

    def instants(self) -> Iterator[int]:
        """Yield every instant, once for each of its phases; settle all clients before the next.

        Phases follow a backtest's ranks: what ends, the calendar, what happens.
        """
        while (due := self.next_instant()) is not None:
            self._begin(due)
            yield self.now
            self._exchange.calendar()
            self._publisher.publish()
            yield self.now
            self._exchange.open_bars()
            self._publisher.publish()
            yield self.now

    def _begin(self, due: int) -> None:
        desk, before = self.desk, self.now // DAY
        if due // DAY != before:
            desk.equity_curve.append((self.now, desk.equity))
        self._exchange.move_to(due)
        self._publisher.wake()
        ended = self._exchange.end_bars()
        self._publisher.publish()
        if ended:
            self._market_data.append(self._bar_frame(ended))

    def move_to(self, ts: int) -> None:
        """Let time pass up to `ts`, at which nothing is due before the next instant."""
        self._exchange.move_to(ts)

    def take_trade_updates(self) -> list[bytes]:
        """Return frames to push on the trade-updates stream, oldest first."""
        return self._publisher.take()

    def take_market_data(self) -> list[bytes]:
        """Return frames to push on the market-data stream, oldest first."""
        taken, self._market_data = self._market_data, []
        return taken

    # -- requests ------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: bytes) -> Response:
        """Answer one request of the trading or the market-data API; `path` has its query."""
        return self._router.route(method, path, body)

    # -- messages ------------------------------------------------------------------------------

    @staticmethod
    def _bar_frame(ended: Sequence[tuple[Any, int]]) -> bytes:
        """One frame with the bars that ended, stamped at their open as Alpaca's are."""
        return msgspec.json.encode(
            [
                BarMessage(
                    symbol=columns.symbol,
                    open=float(columns.open[row]),
                    high=float(columns.high[row]),
                    low=float(columns.low[row]),
                    close=float(columns.close[row]),
                    volume=float(columns.volume[row]),
                    time=format_ns(int(columns.ts_open[row])),
                )
                for columns, row in ended
            ]
        )
