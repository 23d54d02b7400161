"""Alpaca's wire: frames decoded and handed to handlers; from bytes in to an order's bytes out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from benchmarks.risk import all_limits
from benchmarks.timing import Row, median, rounds, row
from pyrt import Bar, Strategy
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.messages import OrderView
from pyrt.adapters.alpaca.simulator.streams.frames import Stamp, encode
from pyrt.core.data import Quote, Trade
from pyrt.core.instruments import equity
from pyrt.live.core.node import NodeCore
from pyrt.risk import RiskEngine

SECOND = 1_000_000_000
START = 1_784_904_120 * SECOND
SYMBOLS = ("SPY", "QQQ", "AAPL", "MSFT")
FRAMES = 20_000
REPEATS = 5
ORDERS = 5_000
PREFIX = "bench-"


class Listener(Strategy):
    """Hears everything and does nothing."""

    def on_start(self) -> None:
        for symbol in SYMBOLS:
            self.subscribe_quotes(symbol)
            self.subscribe_trades(symbol)
            self.subscribe_bars(symbol, "1m")

    def on_quote(self, quote: Quote) -> None:
        """Take a quote."""

    def on_trade(self, trade: Trade) -> None:
        """Take a print."""

    def on_bar(self, bar: Bar) -> None:
        """Take a bar."""


class Crosser(Listener):
    """Buys one share at each quote of a symbol, or sells it again."""

    def on_quote(self, quote: Quote) -> None:
        if quote.symbol != "SPY":
            return
        if self.position("SPY").is_flat:
            self.buy("SPY", 1)
        else:
            self.close("SPY")


def message(number: int) -> dict[str, Any]:
    """Return one message of the mix: seven quotes to three prints, with all their fields."""
    symbol = SYMBOLS[number % len(SYMBOLS)]
    common = {"S": symbol, "t": Stamp(START + number * 7_919_000), "z": "B"}
    if number % 10 < 7:
        sides = {"bx": "V", "bp": 737.91, "bs": 100, "ax": "Q", "ap": 737.93, "as": 200}
        return {"T": "q", **sides, "c": ["R"], **common}
    return {"T": "t", "i": 10**15 + number, "x": "V", "p": 737.92, "s": 10, "c": ["@"], **common}


def frames(*, packed: bool) -> tuple[list[bytes], int]:
    """Return frames of 1 to 3 messages, each hundredth of bars, and how many messages they hold."""
    made: list[list[dict[str, Any]]] = []
    number = 0
    for frame in range(FRAMES):
        count = 1 + frame % 3
        made.append([message(number + i) for i in range(count)])
        number += count
        if frame % 100 == 99:
            stamp = Stamp(START + 60 * SECOND * (frame // 100))
            prices = {"o": 1.5, "h": 2.5, "l": 1.25, "c": 2.0, "v": 1000, "n": 3, "vw": 1.75}
            made[-1] = [{"T": "b", "S": symbol, **prices, "t": stamp} for symbol in SYMBOLS[:3]]
    return [encode(each, packed=packed) for each in made], sum(map(len, made))


def world(strategy: Strategy, gate: Any) -> tuple[AlpacaClient, NodeCore]:
    """Return a client and a node core that has started."""
    client = AlpacaClient(PREFIX)
    instruments = [equity(symbol) for symbol in SYMBOLS]
    core = NodeCore(client, gate, instruments, [strategy], cash=1e6, prefix=PREFIX)
    core.start(START)
    return client, core


def rate(wire: Sequence[bytes], messages: int) -> float:
    """Return messages a second, decoded and handed to handlers."""
    client, core = world(Listener(), RiskEngine())
    start = time.perf_counter()
    for frame in wire:
        core.take(START, client.receive_market_data(frame, START))
    return messages / (time.perf_counter() - start)


def order_latencies() -> list[float]:
    """Return µs from the bytes of a quote to the bytes of the order sent upon it."""
    # It sends the same two orders again and again, a second apart.
    gate = RiskEngine(all_limits().replace(duplicate_window="1s"))
    client, core = world(Crosser(), gate)
    gate.readings.take(START, value_at_risk=1e6, betas=dict.fromkeys(SYMBOLS, 1.1))
    now, found = START, []
    # A first print: risk values orders at the last price.
    core.take(now, client.receive_market_data(encode([message(8)], packed=False), now))
    for number in range(ORDERS):
        now += SECOND
        quote = {"T": "q", "S": "SPY", "bp": 737.91, "bs": 100, "ap": 737.93, "as": 200}
        frame = encode([{**quote, "t": Stamp(now)}], packed=False)
        start = time.perf_counter_ns()
        core.take(now, client.receive_market_data(frame, now))
        client.poll(now)
        (request,) = client.take_requests(now)
        found.append((time.perf_counter_ns() - start) / 1e3)
        body = msgspec.json.encode(filled(number, msgspec.json.decode(request.body)))
        core.take(now, client.receive_response(request, 200, body, now))
    return found


def filled(number: int, order: dict[str, Any]) -> OrderView:
    """Return the broker's answer to an order: taken and filled."""
    named = {name: order[name] for name in ("client_order_id", "symbol", "side", "type")}
    terms = {"time_in_force": "day", "status": "filled", "qty": order["qty"]}
    return OrderView(
        id=f"id-{number}", **named, **terms, filled_qty=order["qty"], filled_avg_price="737.92"
    )


def p99(values: Sequence[float]) -> float:
    """Return the value that 99 in 100 do not pass."""
    return sorted(values)[int(len(values) * 0.99)]


def measure() -> list[Row]:
    """Measure both codecs in turn, then single orders."""
    plain, packed = frames(packed=False), frames(packed=True)
    found = rounds({"json": lambda: rate(*plain), "packed": lambda: rate(*packed)}, REPEATS)
    order_latencies()
    latencies = [order_latencies() for _ in range(3)]
    return [
        row("alpaca_messages", median(found["json"]), "messages/s"),
        row("alpaca_messages_packed", median(found["packed"]), "messages/s"),
        row("wire_to_wire", median([median(each) for each in latencies]), "us"),
        row("wire_to_wire_p99", median([p99(each) for each in latencies]), "us"),
    ]
