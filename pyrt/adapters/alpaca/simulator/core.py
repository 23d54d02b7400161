"""The simulator core: Alpaca's paper exchange as a state machine without I/O."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pyrt.adapters.alpaca.simulator.faults import FaultBox
from pyrt.adapters.alpaca.simulator.history.api import MarketDataApi
from pyrt.adapters.alpaca.simulator.interventions import Interventions
from pyrt.adapters.alpaca.simulator.market.actions import Actions
from pyrt.adapters.alpaca.simulator.market.fake import FakeFeed
from pyrt.adapters.alpaca.simulator.market.playback import Market
from pyrt.adapters.alpaca.simulator.market.series import Series
from pyrt.adapters.alpaca.simulator.protocol.http import Response
from pyrt.adapters.alpaca.simulator.protocol.router import Router
from pyrt.adapters.alpaca.simulator.streams.frames import Bar, Message, encode
from pyrt.adapters.alpaca.simulator.trading.api import TradingApi
from pyrt.adapters.alpaca.simulator.trading.days import Calendar
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.adapters.alpaca.simulator.trading.updates import Publisher
from pyrt.backtest.exchange import Exchange
from pyrt.venues.alpaca import AlpacaRules

__all__ = ["Response", "SimulatorCore"]

BATCH = 2_000
"""Rows that `run` takes before it lets what they brought about be sent."""


class SimulatorCore:
    """Takes requests and the time, returns responses and messages to push.

    Parameters
    ----------
    exchange : Exchange
        Matching, account and recorded data.
    rules : AlpacaRules, optional
        Judges orders, replacements and cancels; without it whatever the exchange can carry passes.
    series : dict of str to Series, optional
        All that is recorded of each symbol; by default the exchange's tables.
    actions : Actions, optional
        Splits and dividends of these symbols.
    seed : int
        Of ids: the same seed and requests give the same.
    start : int, optional
        Begin here (ns UTC) instead of at the first row: what is known by then is history.
    """

    def __init__(
        self,
        exchange: Exchange,
        rules: AlpacaRules | None = None,
        *,
        series: dict[str, Series] | None = None,
        actions: Actions | None = None,
        seed: int = 0,
        start: int | None = None,
    ) -> None:
        self._exchange = exchange
        self.faults = FaultBox()
        self.market = Market(exchange, series)
        if start is not None:
            self.market.skip_to(start)
        self.desk = Desk(
            exchange,
            self.market,
            rules,
            faults=self.faults,
            actions=actions or Actions(),
            start=int(exchange.now),
            seed=seed,
        )
        Calendar(self.desk).begin()
        self.fake = FakeFeed(self.market, self.desk.agenda)
        self.interventions = Interventions(self.desk)
        self.publisher = Publisher(self.desk)
        self.timers: dict[str, int] = {}
        self.phase = 0
        """Phases of instants worked through one by one."""
        self._router = Router()
        TradingApi(self.desk, self.publisher).install(self._router)
        MarketDataApi(self.desk).install(self._router)

    @property
    def now(self) -> int:
        """The simulator's time, ns UTC: it owns it."""
        return int(self._exchange.now)

    # -- time ----------------------------------------------------------------------------------

    def next_instant(self) -> int | None:
        """Return when anything is due next: data, the venue, a client's timer; None at the end."""
        due = self._exchange.next_instant()
        book = self.market.next_book
        if due is None and book is None:
            return None
        own = (due, book, self.desk.agenda.next_ts)
        timers = [ts for ts in self.timers.values() if ts > self.now]
        return max(min([*timers, *(ts for ts in own if ts is not None)]), self.now)

    def instants(self) -> Iterator[int]:
        """Yield every instant, once for each of its phases; settle all clients before the next.

        Phases follow a backtest's ranks: what ends, the calendar, what happens.
        """
        while (due := self.next_instant()) is not None:
            for work in (partial(self._begin, due), self._calendar, self._happen):
                self.phase += 1
                work()
                yield self.now

    def run(self, until: int) -> bool:
        """Let time pass up to `until`, as far as a batch goes; return whether more is due."""
        taken = 0
        while (due := self.next_instant()) is not None and due <= until:
            if taken >= BATCH:
                return True
            stops = [until, *(ts for ts in (self.market.next_book, self.desk.agenda.next_ts) if ts)]
            rows = self.market.happen(min(stops), BATCH)
            if rows:
                taken += rows
                self.publisher.publish()
                continue
            self._begin(due)
            self._calendar()
            self._happen()
            taken += 1
        self._exchange.move_to(until)
        return False

    def _begin(self, due: int) -> None:
        self._exchange.move_to(due)
        if self.market.end_bars():
            self.publisher.publish()
            self.desk.note_equity()

    def _calendar(self) -> None:
        self._exchange.calendar()
        self.market.interrupt(self._exchange.take_actions())
        self.publisher.publish()
        self.desk.agenda.run(self.now)
        self.publisher.publish()

    def _happen(self) -> None:
        self._exchange.open_bars()
        self.market.happen()
        self.market.change_books()
        self.publisher.publish()

    def move_to(self, ts: int) -> None:
        """Let time pass up to `ts`, at which nothing is due before the next instant."""
        self._exchange.move_to(ts)

    def pass_to(self, ts: int) -> None:
        """Let time pass up to `ts` where nothing is recorded: orders end, and days do."""
        self._exchange.move_to(ts)
        self._calendar()
        self._exchange.open_bars()
        self.publisher.publish()

    # -- what is pushed ------------------------------------------------------------------------

    def take_trade_updates(self) -> list[bytes]:
        """Return frames to push on the trade-updates stream, oldest first."""
        return self.publisher.take()

    def take_messages(self) -> list[Message]:
        """Return messages of the market-data streams, oldest first."""
        return self.market.take()

    def take_market_data(self) -> list[bytes]:
        """Return the bars among these messages as JSON frames, for clients in this process."""
        bars = [message for message in self.take_messages() if type(message) is Bar]
        return [encode(bars, packed=False)] if bars else []

    # -- requests ------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: bytes) -> Response:
        """Answer one request of the trading or the market-data API; `path` has its query."""
        return self._router.route(method, path, body)
