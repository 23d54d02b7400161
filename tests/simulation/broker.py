"""The exchange of a simulation, and the ledger of what it really did, kept from its own words.

The ledger reads the bytes that the exchange sends, before any fault: it shares no code with the
node, and so can judge it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.simulator.core import Response, SimulatorCore
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.backtest.exchange import Exchange
from pyrt.backtest.fees import fee_model
from pyrt.backtest.slippage import slippage_model
from pyrt.backtest.venue import SimVenue
from pyrt.core.accounts import Account
from pyrt.core.instruments import Instrument
from pyrt.data.columns import BarColumns
from tests.live.lockstep import _bind
from tests.simulation.chances import STRICT_FROM

MINUTE = 60_000_000_000
START = 1_381_175_160_000_000_000  # 2013-10-07 19:46 UTC: the session ends when the data have
MORNING = 1_381_239_000_000_000_000  # the next one begins, 13:30
BEFORE_NIGHT = 14
AFTER_NIGHT = 8
"""Minutes of data up to the close and from the open, where a night lies between."""
CASH = 1_000_000
PARTICIPATION = (0.0, 0.0, 0.01)
PRICE_MIN = Decimal(90)
"""No walk gets there."""
REPLACEMENT = re.compile(r"-r\d+$")
ENDED = frozenset({"filled", "canceled", "expired", "rejected", "replaced", "held"})


def stem_of(client_order_id: str) -> str:
    """Return the name of an order, of which replacements have their own."""
    return REPLACEMENT.sub("", client_order_id)


def units_of(order: dict[str, Any]) -> Decimal:
    """Return what an order could fill; of one by notional, no more than that."""
    if order["qty"] is not None:
        return Decimal(order["qty"])
    return max(Decimal(order["notional"]) / PRICE_MIN, Decimal(order["filled_qty"]))


@dataclass
class Placed:
    """An order as the exchange told of it."""

    client_order_id: str
    symbol: str
    side: str
    filled: Decimal = Decimal(0)
    carried: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    status: str = "new"
    quantity: Decimal = Decimal(0)
    most: Decimal = Decimal(0)
    """The largest quantity it has had: half a pair loses what the other half fills."""
    parent: str = ""
    pair: str = ""
    """Of a pair's other half: the client order id of the half that it was sent with."""

    @property
    def is_working(self) -> bool:
        """Whether it can fill: what is held waits for its entry."""
        return self.status not in ENDED

    @property
    def total(self) -> Decimal:
        """What it shows as filled."""
        return self.carried + self.filled


@dataclass
class OracleLedger:
    """Orders, positions and cash by the exchange's own frames."""

    orders: dict[str, Placed] = field(default_factory=dict)
    cash: Decimal = Decimal(CASH)
    positions: dict[str, Decimal] = field(default_factory=dict)
    _parents: dict[str, str] = field(default_factory=dict)
    _pairs: dict[str, str] = field(default_factory=dict)

    def read(self, frame: bytes) -> None:
        """Take one frame of order news."""
        data = json.loads(frame)["data"]
        order = data["order"]
        placed = self.orders.get(order["id"])
        if placed is None:
            placed = Placed(order["client_order_id"], order["symbol"], order["side"])
            self.orders[order["id"]] = placed
            if order.get("replaces"):
                # A replacement counts what the order before it has filled.
                placed.carried = self.orders[order["replaces"]].total
        placed.status, placed.quantity = order["status"], units_of(order)
        placed.most = max(placed.most, placed.quantity)
        legs = self._pairs if order["order_class"] == "oco" else self._parents
        for leg in order["legs"] or ():
            # Entry or half may have been replaced by now; they keep their first names.
            legs.setdefault(leg["id"], stem_of(order["client_order_id"]))
        for known in (self._parents, self._pairs):
            if order["replaces"] in known:
                # With other terms it still belongs where it did.
                known[order["id"]] = known[order["replaces"]]
        placed.parent = self._parents.get(order["id"], "")
        placed.pair = self._pairs.get(order["id"], "")
        if data["event"] in ("fill", "partial_fill"):
            quantity, price = Decimal(data["qty"]), Decimal(data["price"])
            sign = 1 if order["side"] == "buy" else -1
            placed.filled += quantity
            placed.value += quantity * price
            self.cash -= sign * quantity * price
            held = self.positions.get(order["symbol"], Decimal(0))
            self.positions[order["symbol"]] = held + sign * quantity
            assert placed.total == Decimal(order["filled_qty"]), "the exchange miscounts"

    def filled_of(self, prefixes: str | tuple[str, ...], symbol: str) -> Decimal:
        """Return the signed units that orders with these prefixes have brought."""
        total = Decimal(0)
        for placed in self.orders.values():
            if placed.symbol == symbol and placed.client_order_id.startswith(prefixes):
                total += placed.filled if placed.side == "buy" else -placed.filled
        return total


def opens_of(seed: int, minutes: int) -> Any:
    """Return when the bars of a schedule open; one strict one in sixteen goes on after a night.

    A night is long, and little happens in it: more of them would leave less to find by day.
    """
    if seed < STRICT_FROM or seed % 16:
        return START + MINUTE * np.arange(minutes)
    return np.concatenate(
        (START + MINUTE * np.arange(BEFORE_NIGHT), MORNING + MINUTE * np.arange(AFTER_NIGHT))
    )


def walk(symbol: str, ts_open: Any, seed: int) -> BarColumns:
    """Return minute bars of a random walk, on cents."""
    minutes = len(ts_open)
    draw = np.random.default_rng([seed, len(symbol), ord(symbol[0])])
    close = np.round(100 + np.cumsum(draw.choice((-0.3, -0.1, 0.0, 0.1, 0.3), minutes)), 2)
    opens = np.round(np.concatenate((close[:1], close[:-1])) + draw.choice((0.0, 0.05)), 2)
    spread = draw.choice((0.02, 0.1, 0.3), minutes)
    return BarColumns(
        symbol=symbol,
        timeframe="1m",
        timeframe_ns=MINUTE,
        ts_open=ts_open,
        ts_close=ts_open + MINUTE,
        ts_init=ts_open + MINUTE,
        open=opens,
        high=np.maximum(opens, close) + spread,
        low=np.minimum(opens, close) - spread,
        close=close,
        volume=np.full(minutes, 1_000.0),
    )


def _plain_core(bars: list[BarColumns], seed: int) -> SimulatorCore:
    """Return an exchange that takes whatever it is sent, at any time."""
    draw = Random(f"{seed}:broker")
    venue = SimVenue(
        Account(CASH), fee_model(None), slippage_model(None),
        participation=draw.choice(PARTICIPATION), children="next_bar",
    )  # fmt: skip
    for index, table in enumerate(bars):
        instrument = Instrument(table.symbol)
        _bind(instrument, index)
        venue.add_instrument(instrument)
    return SimulatorCore(Exchange(venue, bars), seed=seed)


def _strict_core(bars: list[BarColumns], seed: int) -> SimulatorCore:
    """Return an exchange with Alpaca's rules: wash trades, held quantities, sessions, margin."""
    draw = Random(f"{seed}:broker")
    return make_core(bars, cash=CASH, participation=draw.choice(PARTICIPATION), seed=seed)


class Broker:
    """One account at the exchange; outlives the nodes that trade it."""

    def __init__(self, seed: int, *, symbols: tuple[str, ...], minutes: int) -> None:
        opens = opens_of(seed, minutes)
        self.bars = [walk(symbol, opens, seed) for symbol in symbols]
        self.symbols = symbols
        self.core = (_strict_core if seed >= STRICT_FROM else _plain_core)(self.bars, seed)
        self.venue = self.core.desk.exchange.venue
        self.ledger = OracleLedger()
        self.accepted: dict[str, int] = {}
        """Client order id → how many orders were placed under it."""
        self.on_the_way: dict[int, HttpRequest] = {}
        """Submits and replaces that will arrive, whether or not their senders believe it."""
        self._serial = 0
        self.end = int(self.bars[0].ts_close[-1])

    def is_open(self, now: int) -> bool:
        """Return whether it has bars around this time."""
        bars = self.bars[0]
        at = int(np.searchsorted(bars.ts_open, now, side="right")) - 1
        return at < 0 or now < bars.ts_close[at] + MINUTE

    def run_to(self, ts: int) -> None:
        """Let the exchange's time pass."""
        while self.core.run(ts):
            continue

    def request(self, method: str, path: str, body: bytes) -> Response:
        """Answer a request."""
        answer = self.core.request(method, path, body)
        if method == "POST" and path == "/v2/orders" and answer.status == 200:
            name = json.loads(body)["client_order_id"]
            self.accepted[name] = self.accepted.get(name, 0) + 1
        return answer

    def expect(self, request: HttpRequest) -> int:
        """Note that a request is on its way; returns its ticket."""
        self._serial += 1
        if request.method in ("POST", "PATCH"):
            self.on_the_way[self._serial] = request
        return self._serial

    def arrived(self, ticket: int, request: HttpRequest) -> Response:
        """Carry out a request that was on its way."""
        self.on_the_way.pop(ticket, None)
        return self.request(request.method, request.path, request.body)

    def take_updates(self) -> list[bytes]:
        """Return frames of order news; the ledger has read them first."""
        frames = self.core.take_trade_updates()
        for frame in frames:
            self.ledger.read(frame)
        return frames

    def get(self, path: str) -> Any:
        """Return what a GET answers, decoded."""
        answer = self.core.request("GET", path, b"")
        assert answer.status == 200, (path, answer)
        return json.loads(answer.body)

    def price(self, symbol: str, now: int) -> float:
        """Return the close of the last bar that has ended; 0.0 before the first has."""
        bars = self.bars[self.symbols.index(symbol)]
        at = int(np.searchsorted(bars.ts_close, now, side="right")) - 1
        return float(bars.close[at]) if at >= 0 else 0.0

    def positions(self) -> dict[str, Decimal]:
        """Return what the account holds, as the exchange states it."""
        return {row["symbol"]: Decimal(row["qty"]) for row in self.get("/v2/positions")}
