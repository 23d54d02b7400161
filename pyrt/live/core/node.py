"""The node's core: kernel and client joined without I/O; shells bring bytes and the time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.core.ports import FeeModel
from pyrt.data.timeframe import parse_timeframe
from pyrt.errors import PyrtError
from pyrt.execution.reserves import reserved
from pyrt.kernel.kernel import Kernel
from pyrt.kernel.subscriptions import topic_of
from pyrt.live.core.broker import BrokerAdjustment
from pyrt.live.core.coins import KeptCoins
from pyrt.live.core.fees import CashEntry, FeeLedger
from pyrt.live.core.inputs import Inputs
from pyrt.live.core.later import Later
from pyrt.live.core.news import News
from pyrt.live.core.outlet import Outlet
from pyrt.live.core.preflight import Preflight
from pyrt.live.core.tape import Tape
from pyrt.strategy.strategy import Strategy
from pyrt.venues.capabilities import Capabilities

STREAM_TIMEFRAME = "1m"
STREAM_TIMEFRAME_NS = 60_000_000_000
SECOND_NS = 1_000_000_000
COMMANDS_MAX = 1_000
"""So many orders and changes at one instant are a loop without end: a broker takes 200 a minute."""
ROUNDS_MAX = 1_000
"""So often may handlers answer with orders what came of their orders, at one instant."""
STATUS_TOPICS = "data.status.*"
COMPLETE_NS = 30 * STREAM_TIMEFRAME_NS
"""What had ended so long before history was asked has all its parts there: a delayed feed leaves
out a quarter of an hour, and what lies between history and the stream comes as a gap."""


class Client(Protocol):
    """What the node asks of an adapter's client core."""

    def submit(self, order: Any) -> None: ...
    def change(self, order: Any, changes: dict[str, Any]) -> None: ...
    def withdraw(self, order: Any) -> None: ...
    def subscribe(self, channel: str, symbol: str) -> None: ...


class NodeCore:
    """Strategies, kernel and one client core; everything comes in through its methods.

    Parameters
    ----------
    client : Client
        Commands go to it; its events come back through `take`.
    gate : RiskGate
    instruments : sequence of Instrument
    strategies : sequence of Strategy
    cash : number
        The account's cash as the broker states it.
    prefix : str
        Begins the client order ids of this run.
    account : AccountRules, str or mapping, optional
        How the account is judged; a cash account by default.
    default_tif : dict, optional
        Kind of instrument → default time in force.
    capabilities : mapping, optional
        Kind of instrument → what the venue can do itself; the rest is emulated.
    fees : FeeModel, optional
        What fills are taken to cost until the broker says it.
    tape : Tape, optional
        Every input is recorded on it.
    """

    def __init__(
        self,
        client: Client,
        gate: Any,
        instruments: Sequence[Instrument],
        strategies: Sequence[Strategy],
        *,
        cash: Any,
        prefix: str,
        account: Any = None,
        default_tif: dict[str, str] | None = None,
        capabilities: Mapping[str, Capabilities] | None = None,
        fees: FeeModel | None = None,
        tape: Tape | None = None,
    ) -> None:
        self.kernel = Kernel(
            Account(cash, rules=account),
            gate,
            prefix=prefix,
            on_error="halt",
            keep_closed=True,
            default_tif=default_tif,
            capabilities=None if capabilities is None else dict(capabilities),
        )
        # What a handler issues without end would hold the loop up long before it fills the memory.
        self.kernel.rounds_max = ROUNDS_MAX
        self.kernel.desk.commands_max = COMMANDS_MAX
        self._client = client
        self.inputs = Inputs(self.kernel, tape, fees)
        self.news = News(self.kernel, tape)
        self.enter: Callable[[], object] = _nothing
        """Called whenever the kernel is about to run handlers; a monitor replaces it."""
        self.leave: Callable[[], object] = _nothing
        self.on_bad_event: Callable[[Any, Exception], object] | None = None
        self._streams: dict[tuple[str, str], Any] = {}
        self._sample_at = 0
        self._fees: dict[int, dict[str, Decimal]] = {}
        self.fee_ledger = FeeLedger()
        self.coins = KeptCoins(self.kernel)
        self._takers: dict[str, Callable[[Any], bool]] = {
            "bar": self._bar,
            "quote": self._quote,
            "trade": self._trade,
            "book": self._book,
            "book_gap": self._book_gap,
            "status": self._status,
            "news_gap": self._news_gap,
            "bands": self._bands,
            "correction": self._correction,
            "fill": self._fill,
            "answer": self._answer,
        }
        self._outlet = Outlet(client, Preflight(self.kernel))
        self.kernel.connect(self._outlet)
        self.kernel.open_stream = self._open_stream
        self.later = self.kernel.world = Later(self)
        for instrument in instruments:
            self.kernel.add_instrument(instrument)
        for strategy in strategies:
            self.kernel.add_strategy(strategy)
        self.watch_reserves()

    def watch_reserves(self) -> None:
        """Let working orders take buying power of an account that borrows."""
        kernel = self.kernel
        kernel.account.waiting = (lambda: reserved(kernel)) if kernel.account.margin else None

    def speak_to(self, client: Client) -> None:
        """Let commands go to another client from now on."""
        self._client = self._outlet.client = client

    def start(self, ts: int) -> None:
        """Let the strategies start at `ts`."""
        for strategy in self.kernel.strategies:
            if strategy.handles("on_status"):
                self.kernel.subscribe_topic(strategy, STATUS_TOPICS, strategy.on_status, 0)
        self.kernel.start(ts)

    def take(self, ts: int, events: Sequence[Any]) -> None:
        """Take events that reached us at `ts`, in order; then send what they led to."""
        if self.inputs.is_idle(ts) and not events:
            return
        self.enter()
        self.inputs.advance(ts)
        sampled = False
        for event in events:
            taker = self._takers.get(event.WHAT)
            if taker is not None:
                sampled |= self._guarded(taker, event)
        self.enter()
        self.inputs.end_bars()
        if sampled:
            self.inputs.sample()
        self.leave()

    def _guarded(self, taker: Callable[[Any], bool], event: Any) -> bool:
        """Take an event; one that the state of its order does not admit is put aside and told."""
        self.enter()
        if self.on_bad_event is None:
            return taker(event)
        try:
            return taker(event)
        except (PyrtError, ArithmeticError) as error:
            # What no number of ours can hold is as impossible as what no state admits.
            self.on_bad_event(event, error)
            return False

    def doubt_halts(self) -> None:
        """Take it that any halt may have ended unheard, and see to it that trading shows it.

        Quotes come in a halt too: where nothing else is heard, bars are asked for, which no plan
        limits.
        """
        self.news.doubt_halts()
        for symbol in sorted(self.news.doubted):
            if not any((kind, symbol) in self._streams for kind in ("bars", "trades")):
                self._client.subscribe("bars", symbol)

    # -- one event; each returns whether prices may have moved ---------------------------------

    def _bar(self, event: Any) -> bool:
        if event.kind != "bar":
            self.news.publish(f"{event.kind}_bars", event)
            return False
        if self.news.doubted:
            self.news.traded(event.symbol, event.ts_open)
        stream = self._streams.get(("bars", event.symbol))
        if stream is not None:
            self.inputs.bar(stream, event.ts_open, event.ts_close, *event.prices)
        return True

    def _quote(self, event: Any) -> bool:
        if self.news.watches:
            self.news.touch(event)
        stream = self._streams.get(("quotes", event.symbol))
        if stream is not None:
            bid = _side(event.bid_price, event.bid_size)
            self.inputs.quote(stream, event.ts_event, *bid, *_side(event.ask_price, event.ask_size))
        return self._is_next_second()

    def _trade(self, event: Any) -> bool:
        if self.news.doubted:
            self.news.traded(event.symbol, event.ts_event)
        stream = self._streams.get(("trades", event.symbol))
        if stream is not None:
            self.inputs.trade(stream, event.ts_event, event.price, event.size, event.aggressor)
        return self._is_next_second()

    def _book(self, event: Any) -> bool:
        stream = self._streams.get(("book", event.symbol))
        if stream is not None:
            self.inputs.book(stream, event.ts_event, event.bids, event.asks, event.is_full)
        return self._is_next_second()

    def _book_gap(self, event: Any) -> bool:
        stream = self._streams.get(("book", event.symbol))
        if stream is not None:
            self.inputs.lose_book(stream, event.ts_event)
        return False

    def _status(self, event: Any) -> bool:
        self.news.status(event)
        return False

    def _news_gap(self, event: Any) -> bool:
        self.doubt_halts()
        return False

    def _bands(self, event: Any) -> bool:
        self.news.bands(event)
        return False

    def _correction(self, event: Any) -> bool:
        self.news.publish("corrections", event)
        return False

    def _fill(self, event: Any) -> bool:
        order = self.inputs.order(event.number) if event.keeps else None
        if order is None:
            fee = self._book_fill(event)
        else:
            fee = self.coins.take(order, event, self._book_fill)
        # One that was seen before is told at no cost, and had one.
        self._fees.setdefault(event.number, {}).setdefault(event.cumulative, fee)
        self.fee_ledger.accrue(event.ts_event, fee)
        return False

    def _book_fill(self, event: Any, liquidity: str = "", **known: Decimal) -> Decimal:
        return self.inputs.fill(
            event.number,
            event.ts_event,
            event.quantity,
            event.price,
            event.cumulative,
            liquidity=liquidity or event.liquidity,
            **known,
        )

    def _answer(self, event: Any) -> bool:
        quantity, limit_price, stop_price = event.terms
        self.inputs.order_event(
            event.kind,
            event.number,
            event.ts_event,
            event.reason,
            quantity=quantity,
            limit_price=limit_price,
            stop_price=stop_price,
        )
        return False

    def settle_cash(self, ts: int, adjustments: Iterable[BrokerAdjustment]) -> list[CashEntry]:
        """Take what the broker has booked without a fill; return the entries that came of it."""
        entries = self.fee_ledger.entries(adjustments)
        if entries:
            self.inputs.advance(ts)
        for entry in entries:
            if entry.amount:
                self.inputs.cash(entry.ts_event, entry.amount, entry.kind, entry.symbol)
        return entries

    @property
    def stated_cash(self) -> Decimal:
        """Cash as the broker is to state it: less no fee that it has still to charge."""
        return self.kernel.account.cash_exact + self.fee_ledger.accrued

    def fee_of(self, event: Any) -> Decimal:
        """Return what an execution was taken to cost; 0 for one that was not taken."""
        return self._fees.get(event.number, {}).get(event.cumulative, Decimal(0))

    def forget(self, number: int) -> None:
        """Drop what is kept here of an order that has ended."""
        self._fees.pop(number, None)

    @property
    def _now(self) -> int:
        return self.kernel.clock.timestamp_ns

    def _is_next_second(self) -> bool:
        """Return whether equity is due again: on ticks it has a point a second, as in backtests."""
        if self._now < self._sample_at:
            return False
        self._sample_at = self._now - self._now % SECOND_NS + SECOND_NS
        return True

    def warm(self, symbol: str, bars: Sequence[Any], *, asked_at: int = 0) -> None:
        """Feed indicators with past bars: no handler hears of them, nothing is valued at them.

        Nor of what is made of them and had ended with the last one, or well before `asked_at`:
        handlers would hear yesterday's bar in the morning.
        """
        stream = self._streams.get(("bars", symbol))
        if stream is not None:
            until = bars[-1].ts_close + self.kernel.grace_ns if bars else 0
            rows = [(b.ts_open, b.ts_close, *b.prices) for b in bars]
            self.inputs.warm(stream, rows, max(until, asked_at - COMPLETE_NS))

    def let_wait(self, symbol: str, *, waits: bool) -> None:
        """Let what is made of a symbol's bars wait for those that are late, or no longer."""
        stream = self._streams.get(("bars", symbol))
        if stream is not None:
            self.inputs.hold_made(stream, waits)

    @property
    def bar_symbols(self) -> list[str]:
        """Symbols of which bars have been subscribed to."""
        return [symbol for kind, symbol in self._streams if kind == "bars"]

    # -- time ----------------------------------------------------------------------------------

    def fire_timers(self) -> None:
        """Fire timers that are due at the present."""
        self.enter()
        self.inputs.fire_timers()
        self.leave()

    def stop(self) -> None:
        """Let the strategies stop."""
        self.kernel.stop()

    # -- streams -------------------------------------------------------------------------------

    def _open_stream(self, kind: str, symbol: str, timeframe: str) -> bool:
        """Open what comes from the broker: ticks, books of coins, bars that others are made of."""
        if kind == "book" and self.kernel.cache.instrument(symbol).kind == "crypto":
            self._open(kind, symbol)
            return True
        if kind in ("quotes", "trades"):
            self._open(kind, symbol)
            return True
        if kind != "bars":
            return False
        if parse_timeframe(timeframe) % STREAM_TIMEFRAME_NS:
            # No number of whole minutes: made from prints.
            self._open("trades", symbol)
            return False
        self._open("bars", symbol)
        return timeframe == STREAM_TIMEFRAME

    def _open(self, kind: str, symbol: str) -> None:
        instrument = self.kernel.cache.instrument(symbol)
        if (kind, instrument.symbol) in self._streams:
            return
        timeframe = (STREAM_TIMEFRAME, STREAM_TIMEFRAME_NS) if kind == "bars" else ("", 0)
        topic = topic_of(kind, instrument.id, timeframe[0])
        stream = self.kernel.add_stream(kind, instrument, topic, *timeframe)
        self._streams[kind, instrument.symbol] = stream
        self._client.subscribe(kind, instrument.symbol)


def _side(price: float, size: float) -> tuple[float, float]:
    """Return a side of a quote as strategies know it from data: without anybody it has no price."""
    return (price, size) if price > 0.0 else (math.nan, 0.0)


def _nothing() -> None:
    """Stand in for a monitor."""
