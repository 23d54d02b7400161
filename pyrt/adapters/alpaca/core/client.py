"""The client core: orders out as requests, bytes in as events; a state machine without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import msgspec

from pyrt.adapters.alpaca.core.account import account_request
from pyrt.adapters.alpaca.core.activity import Activity
from pyrt.adapters.alpaca.core.adoption import adopt, apply_state
from pyrt.adapters.alpaca.core.doubt import OrderPathPolicy
from pyrt.adapters.alpaca.core.events import (
    Alarm,
    Event,
    NoLookEvent,
)
from pyrt.adapters.alpaca.core.known import Part
from pyrt.adapters.alpaca.core.ledger import Ledger
from pyrt.adapters.alpaca.core.market_data import CRYPTO_CHANNELS, MarketData
from pyrt.adapters.alpaca.core.messages import OrderView
from pyrt.adapters.alpaca.core.order_path import OrderPath
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.past import PastBars
from pyrt.adapters.alpaca.core.rest import HttpRequest, RequestQueue, outcome
from pyrt.adapters.alpaca.core.snapshot import PURPOSE as SNAPSHOT
from pyrt.adapters.alpaca.core.snapshot import SnapshotReader
from pyrt.adapters.alpaca.core.trade_updates import TradeUpdates
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.core.orders import Order
from pyrt.live.core.broker import CLOCKS_APART_NS, BrokerState
from pyrt.live.journal.records import OrderState

RESYNC_NS = 60 * SECOND
RESYNC_LIVE_NS = 8 * SECOND
"""By the wall's clock: a fill of which the stream does not tell is found within ten seconds."""
READ_BACK_NS = 600_000_000
PROBE_NS = 5 * SECOND
PROBE = "probe"
FOR_EVER = 1 << 62
NEWS = ("statuses", "lulds")
"""Of stocks of which anything is subscribed to: halts, and price bands."""
NAMED = {"book": "orderbooks"}
"""Our kinds of data that the stream has another word for."""
ORDER_PURPOSES = frozenset({"submit", "replace", "cancel", "read_back"})


class AlpacaClient:
    """Speaks Alpaca's protocol for one account: commands and bytes in, requests and events out.

    Times are handed in, ns UTC; `next_due` says when `poll` wants to be called again.

    Parameters
    ----------
    prefix : str
        Begins the client order ids of this run; others' orders are not ours to report.
    credentials : Credentials, optional
        For the streams' handshakes.
    seed : int
        Jitter is drawn from it.
    feed : str
        Of the stream of stocks; history is asked for the one that it has of it.
    symbols : tuple of str
        As the node writes them; a broker may leave out a slash.
    checks_clock : bool
        Put prices aside that are stamped later than it is; a simulator's time is its own.
    resync_ns : int
        Open orders are read back this often, or as often as the broker's grant of requests lets
        us: what a stream has lost in silence is found so.
    codec : {"json", "msgpack"}
        What the market-data streams are asked for.
    """

    def __init__(
        self,
        prefix: str,
        credentials: Credentials | None = None,
        *,
        seed: int = 0,
        feed: str = "iex",
        policy: OrderPathPolicy | None = None,
        symbols: tuple[str, ...] = (),
        codec: str = "json",
        resync_ns: int = RESYNC_NS,
        checks_clock: bool = False,
    ) -> None:
        random = Random(seed)
        keys = credentials or Credentials("", "")
        self.queue = RequestQueue(random)
        self.ledger = Ledger(prefix)
        self.orders = OrderPath(self.ledger, self.queue, policy)
        self.trade_updates = TradeUpdates(random, keys, self.ledger)
        self.market_data = MarketData(random, keys, codec=codec)
        self.crypto_data = MarketData(
            random, keys, CRYPTO_CHANNELS, Activity(lambda now: (0, FOR_EVER)), codec
        )
        if checks_clock:
            self.market_data.ahead_ns = self.crypto_data.ahead_ns = CLOCKS_APART_NS
        self.past = PastBars(self.queue, self.stream_of, feed)
        self.snapshots = SnapshotReader(symbols)
        self._resync_ns = resync_ns
        self._now = 0
        self._told: list[Event] = []
        self._resync_at: int | None = None
        self._others_traded = False
        self._wants_resync = False
        self._may_resync = 0
        """When news of the stream may have orders read back again, ns UTC."""

    @property
    def now(self) -> int:
        """The latest time it was told, ns UTC."""
        return self._now

    # -- commands out --------------------------------------------------------------------------

    def submit(self, order: Order) -> None:
        """Queue the request that places an order; its id is minted once and never changes."""
        self.orders.submit(order)

    def change(self, order: Order, changes: dict[str, str]) -> None:
        """Queue the request that replaces an order's terms, given as decimal texts."""
        self._told.extend(self.orders.change(order, changes, self._now))

    def withdraw(self, order: Order) -> None:
        """Cancel an order, trying again until its outcome is known."""
        self._told.extend(self.orders.withdraw(order.number, self._now))

    def give_up(self, number: int) -> None:
        """Place an order no more, which somebody has declared lost; a later sighting is told."""
        self.orders.give_up(number, self._now)

    def forget(self, number: int) -> None:
        """Drop what is kept here of an order that has ended."""
        self.queue.drop("read_back", number)
        self.orders.forget(number)
        self.ledger.forget(number)

    def adopt(self, order: Order, state: OrderState) -> None:
        """Take over an order that an earlier run has sent."""
        adopt(self, order, state)

    def read_doubts(self) -> None:
        """Ask the broker by its name for each order that may or may not have arrived."""
        self.orders.read_doubts()

    def subscribe(self, channel: str, symbol: str) -> None:
        """Want a symbol's ``bars``, ``quotes`` or ``trades``; of coins also the ``book``.

        News of halts, price bands and late trades come with it.
        """
        stream = self.stream_of(symbol)
        stream.subscribe(NAMED.get(channel, channel), [symbol])
        for news in NEWS:
            stream.subscribe(news, [symbol])
        if channel == "bars":
            stream.subscribe("updatedBars", [symbol])

    def unsubscribe(self, channel: str, symbol: str) -> None:
        """Want them no longer."""
        stream = self.stream_of(symbol)
        stream.unsubscribe(NAMED.get(channel, channel), [symbol])
        if channel == "bars":
            stream.unsubscribe("updatedBars", [symbol])
            self.past.drop_gap(symbol)
        if not any(
            symbol in stream.wanted.get(c, ()) for c in ("bars", "quotes", "trades", "orderbooks")
        ):
            for news in NEWS:
                stream.unsubscribe(news, [symbol])

    def stream_of(self, symbol: str) -> MarketData:
        """Return the connection that carries a symbol: coins have one of their own."""
        return self.crypto_data if "/" in symbol else self.market_data

    def ask(self, request: HttpRequest) -> None:
        """Queue a query."""
        self.queue.add(request)

    def look(self, orders_age: int = 0, activities_after: str = "") -> bool:
        """Ask for the whole account; a ``broker_state`` event comes of it. False while one is."""
        if self.snapshots.is_busy:
            return False
        self.queue.add(self.snapshots.begin(orders_age, activities_after))
        return True

    def apply(self, state: BrokerState) -> list[Event]:
        """Return what orders and executions of a look tell that was not known."""
        return apply_state(self, state)

    def is_moot(self, request: HttpRequest) -> bool:
        """Return whether a submit that was to be repeated need not leave any more."""
        return request.purpose == "submit" and self.orders.is_moot(request.order_number)

    def not_sent(self, request: HttpRequest, reason: str, now: int) -> list[Event]:
        """Take back a request of which no byte has left: it is refused here, for certain."""
        body = msgspec.json.encode({"code": 0, "message": f"not sent: {reason}"})
        return self._take_back(request, self.orders.receive(request, 400, body, now), now)

    def not_needed(self, request: HttpRequest, now: int) -> list[Event]:
        """Take back a moot submit of which no byte has left."""
        if self.orders.is_nowhere(request.order_number):
            return self._take_back(request, self.orders.end_unsent(request.order_number, now), now)
        return self.not_sent(request, "its outcome is known", now)

    def _take_back(self, request: HttpRequest, events: list[Event], now: int) -> list[Event]:
        self.queue.outstanding -= 1
        return [*events, *self._settle(request.order_number, now)]

    def warm(self, symbol: str, start: int, end: int) -> None:
        """Ask for a symbol's past one-minute bars; a ``warm`` event comes of it.

        The stream's bars wait meanwhile, so that none is doubled and none is missing.
        """
        self._told.extend(self.past.warm(symbol, start, end, self._now))

    def history(
        self, number: int, symbol: str, timeframe: str, start: int, end: int, bars: int
    ) -> None:
        """Ask for past bars on a strategy's behalf; a ``history`` event comes of it."""
        asked = (number, symbol, timeframe, start, end, bars)
        self._told.extend(self.past.history(*asked, self._now))

    @property
    def waiting_bars(self) -> frozenset[str]:
        """Symbols whose bars wait for those before them, or would: their line is away."""
        return frozenset((*self.market_data.stitcher.waiting, *self.crypto_data.stitcher.waiting))

    def stale_reason(self, symbol: str) -> str:
        """Return why nothing that could raise exposure in a symbol should leave; "" if nothing."""
        return self.past.stale.get(symbol, "")

    def knows(self, venue_order_id: str) -> bool:
        """Return whether an id of the broker's is of an order of ours."""
        return self.ledger.by_venue_id(venue_order_id) is not None

    def take_others_trade(self) -> bool:
        """Return, once, whether somebody else has traded one of our symbols on this account."""
        traded, self._others_traded = self._others_traded, False
        return traded

    def _is_strange(self, view: OrderView) -> bool:
        if self.ledger.find(view) is not None or self.ledger.is_ours(view.client_order_id):
            return False
        return view.symbol.replace("/", "") in self.snapshots.names

    def venue_of(self, number: int) -> tuple[str, str, str]:
        """Return (id, executed quantity, its value) of the venue order in force; texts."""
        known = self.ledger.get(number)
        if known is None or not known.venue_id:
            return "", "", ""
        part = known.parts.get(known.venue_id, Part())
        return known.venue_id, f"{part.filled:f}", f"{part.cost:f}"

    def parts_of(self, number: int) -> tuple[tuple[str, str, str], ...]:
        """Return the same of venue orders that replaces have ended, in their order.

        Under the id "" comes what no venue order accounts for yet.
        """
        known = self.ledger.get(number)
        if known is None:
            return ()
        parts = {name: part for name, part in known.parts.items() if name != known.venue_id}
        if known.unplaced.filled:
            parts[""] = known.unplaced
        return tuple((name, f"{part.filled:f}", f"{part.cost:f}") for name, part in parts.items())

    # -- time ----------------------------------------------------------------------------------

    def poll(self, now: int) -> list[Event]:
        """Let time pass: what is due is queued; return what commands were answered at once."""
        self._now = max(self._now, now)
        self._resync(now)
        for symbol, last in (*self.market_data.take_gaps(), *self.crypto_data.take_gaps()):
            self._told.extend(self.past.fill_gap(symbol, last, now))
        self._probe(now)
        told, self._told = self._told, []
        return [*told, *self.crypto_data.take_lost_books()]

    def take_requests(self, now: int | None = None) -> list[HttpRequest]:
        """Return the requests to send now, most urgent first."""
        return self.queue.take(self._now if now is None else now)

    def take_late(self, until: int) -> list[HttpRequest]:
        """Return orders that an outage of the broker's has kept since `until`: too old to leave."""
        return self.queue.take_late(until)

    def next_due(self, now: int) -> int | None:
        """Return when `poll` or `take_requests` may have something next, ns UTC."""
        due = [d for d in (self.queue.next_due(now), self._resync_at) if d is not None]
        return min(due, default=None)

    def _probe(self, now: int) -> None:
        """While the breaker holds submits back, ask something harmless: an answer closes it."""
        if self.queue.breaker.is_open and not self.queue.has_query():
            self.queue.add(replace(account_request(), purpose=PROBE), now + PROBE_NS)

    def _resync(self, now: int) -> None:
        """Read open orders back on schedule, and earlier where the stream has told of others.

        Read-backs may take no more than half of the requests that the broker grants: a stranger's
        order that fills in a hundred parts is told of a hundred times.
        """
        if self.trade_updates.take_resync():
            self._wants_resync = True
            soon = max(now, self._may_resync)
            self._resync_at = soon if self._resync_at is None else min(soon, self._resync_at)
        if self._resync_at is None or now < self._resync_at:
            return
        is_news, begins = self._wants_resync, not self.orders.is_amid_round
        rest = self.orders.resync(now) * READ_BACK_NS
        # What has come amid a round asks for another one after it.
        self._wants_resync = is_news and not begins
        is_over = not (self.orders.is_amid_round or self._wants_resync)
        if is_news or not is_over:
            self._may_resync = now + rest
        self._resync_at = now + (max(self._resync_ns, rest) if is_over else rest)

    # -- bytes in ------------------------------------------------------------------------------

    def receive_response(
        self,
        request: HttpRequest,
        status: int,
        body: bytes,
        now: int,
        headers: Mapping[str, str] | None = None,
    ) -> list[Event]:
        """Take the answer to a request; status 0 says that there was none.

        A refusal by the broker is an event. What is ambiguous (no answer, 5xx, bodies that make
        no sense) is ``unknown`` until a read-back has shown what happened.
        """
        self._now = max(self._now, now)
        self.queue.answered(status, headers or {}, now, request.host)
        if request.purpose in ORDER_PURPOSES:
            if self.ledger.get(request.order_number) is None:
                # The order ended, and was forgotten, while this answer was on its way.
                return []
            events = self.orders.receive(request, status, body, now)
            events.extend(self._settle(request.order_number, now))
            return events
        return self._on_query(request, status, body, now)

    def receive_trade_update(self, frame: bytes | str, now: int | None = None) -> list[Event]:
        """Take a frame of the trade-updates stream."""
        self._now = max(self._now, now or 0)
        events = self.trade_updates.receive(frame, self._now)
        for update in self.trade_updates.take_seen():
            self._others_traded |= update.is_fill and self._is_strange(update.order)
            events.extend(self.orders.note_view(update.order, self._now))
            events.extend(self.settle(update.order, self._now))
        return events

    def receive_market_data(self, frame: bytes | str, now: int | None = None) -> list[Event]:
        """Take a frame of the stocks' stream; its bars come stamped at their open."""
        self._now = max(self._now, now or 0)
        return self.market_data.receive(frame, self._now)

    def receive_crypto_data(self, frame: bytes | str, now: int | None = None) -> list[Event]:
        """Take a frame of the coins' stream."""
        self._now = max(self._now, now or 0)
        return self.crypto_data.receive(frame, self._now)

    def settle(self, view: OrderView, now: int) -> list[Event]:
        """Return what ends with an order that was seen, where it has ended."""
        known = self.ledger.find(view)
        return [] if known is None else self._settle(known.number, now)

    def _settle(self, number: int, now: int) -> list[Event]:
        """A final order needs no further look; return what it ends with it."""
        if not self.ledger.of(number).final:
            return []
        self.queue.drop("read_back", number)
        return self.orders.end_legs(number, now)

    def _on_query(self, request: HttpRequest, status: int, body: bytes, now: int) -> list[Event]:
        if request.purpose.startswith(SNAPSHOT):
            return self._on_snapshot(request, status, body, now)
        return self.past.receive(request, status, body, now)

    def _on_snapshot(self, request: HttpRequest, status: int, body: bytes, now: int) -> list[Event]:
        try:
            if status != 200:
                raise msgspec.DecodeError(outcome(status, body))
            found = self.snapshots.receive(request, body, now)
        except (msgspec.DecodeError, ArithmeticError, ValueError, RecursionError) as error:
            text = f"{request.purpose}: {error}"
            alarm = Alarm("query_failed", text, now)
            if request.attempt < self.queue.policy.attempts:
                self.queue.retry(request, now)
                return [alarm]
            # Pages that are minutes apart are not one look: whoever looks begins anew.
            self.snapshots.is_busy = False
            return [alarm, NoLookEvent(now, text)]
        if isinstance(found, HttpRequest):
            self.queue.add(found)
            return []
        self._compare_clocks(found)
        return [found]

    def _compare_clocks(self, state: BrokerState) -> None:
        """Take stamps by the broker's clock where ours is behind it: they are not ahead then."""
        behind = max(0, state.server_ts - state.ts)
        for stream in (self.market_data, self.crypto_data):
            if stream.ahead_ns is not None:
                stream.ahead_ns = CLOCKS_APART_NS + behind
