"""A shadow node trades on the market's data and sends the broker nothing."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from pyrt import LiveNode, Strategy, load
from pyrt.adapters.alpaca.core.events import NewsGapEvent
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.node.shadow import ShadowBroker
from pyrt.adapters.alpaca.shell.shadow import ReadOnlyHttp
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.cli.days import parity_of
from pyrt.core.instruments import equity
from pyrt.core.times import timestamp_ns
from pyrt.errors import PyrtError
from pyrt.live.config import NodeConfig
from pyrt.live.journal.files import RealFiles
from pyrt.live.replay.replay import find_recording, replay
from tests.live.wire import Run, Served, run_on_the_wire
from tests.live.worlds import fills_of

pytest.importorskip("uvicorn")
SECOND = 1_000_000_000


class Quoted(Strategy):
    """Buys at the market, rests above it, and closes when a ten-second bar falls."""

    symbol: str = "SPY"

    def on_start(self):
        self.subscribe_quotes(self.symbol)
        self.count = 0

    def on_quote(self, quote):
        self.count += 1
        position = self.position(self.symbol)
        if self.count % 20 == 3 and position.is_flat:
            self.buy(self.symbol, 30)
        elif self.count % 20 == 9 and position.is_long:
            self.sell(self.symbol, 10, limit_price=round(quote.ask_price + 0.02, 2))
        elif self.count % 20 == 17:
            self.close(self.symbol)


def market(count=240, seed=4):
    """Return quotes and prints of a random walk, a second apart, inside one session."""
    rng = np.random.default_rng(seed)
    mid = (100 + np.cumsum(rng.normal(0, 0.02, count))).round(2)
    stamps = pd.date_range("2013-10-07T14:00:00Z", periods=count, freq="1s")
    quotes = pd.DataFrame({
        "ts_event": stamps, "symbol": "SPY",
        "bid_price": mid - 0.01, "bid_size": 300.0, "ask_price": mid + 0.01, "ask_size": 200.0,
    })  # fmt: skip
    prints = pd.DataFrame({
        "ts_event": stamps + pd.Timedelta("400ms"), "symbol": "SPY",
        "price": mid + rng.choice([-0.01, 0.01], count), "size": 100.0,
    })  # fmt: skip
    return [
        *load(quotes, symbol="SPY").columns,
        *load(prints, symbol="SPY").columns,
    ]


def shadow_run(tmp_path, strategy, data, **changes):
    """Run a strategy in the shadow of a served market; return the run and the market's core."""
    core = make_core(data, fees="alpaca")
    with Served(core) as served:
        config = served.config(("SPY",), shadow=True, state_dir=str(tmp_path / "state"), **changes)
        node = LiveNode(config, served.keys, source=f"{__file__}:{type(strategy).__name__}")
        node.add_strategy(strategy)
        run = Run(served, node)
        run.to_the_end()
    return run, core


def test_a_shadow_fills_as_the_venue_would_and_sends_it_nothing(tmp_path):
    data = market()
    paper = run_on_the_wire(make_core(data, fees="alpaca"), [Quoted()], ("SPY",))
    expected = fills_of(paper.node.core.kernel)
    assert len(expected) > 12
    run, core = shadow_run(tmp_path, Quoted(), data)
    assert fills_of(run.node.core.kernel) == expected
    # The account that the run prints is the simulated venue's; the broker's has not moved.
    assert Decimal(run.account.equity) == Decimal(paper.account.equity) != 100_000
    assert core.desk.orders == {}
    assert core.desk.cash == 100_000


def test_a_shadow_keeps_a_journal_of_its_own_that_replays_and_compares(tmp_path):
    data = market(400)
    run, _core = shadow_run(tmp_path, Quoted(), data, shadow_cash=50_000.0)
    folder = tmp_path / "state" / "shadow" / run.node.run_id
    files = RealFiles(folder)
    recording = find_recording(files)
    assert recording.start.mode == "shadow"
    assert recording.start.opening.cash == "50000"
    result = replay(files, [Quoted()])
    assert result.is_exact, result.difference
    assert result.commands > 12
    report = parity_of(folder, data, venue="alpaca")
    assert (report.orders, report.differences) == (report.matched, [])
    assert report.matched > 12


def test_a_shadow_s_links_are_beside_those_of_the_node_that_trades(tmp_path):
    links = {"publish": "ipc:///run/pyrt/spy/feed", "signals": "tcp://127.0.0.1:5555"}
    config = NodeConfig(symbols=("SPY",), state_dir=str(tmp_path), shadow=True, **links)
    shadow = LiveNode(config, Credentials("PK1", "canary-1f")).config
    # A port has nothing beside it that could be known.
    assert (shadow.publish, shadow.signals) == ("ipc:///run/pyrt/spy/feed.shadow", "")
    trading = LiveNode(replace(config, shadow=False), Credentials("PK1", "canary-1f")).config
    assert (trading.publish, trading.signals) == tuple(links.values())


def test_a_shadow_node_s_connections_refuse_to_send_anything():
    http = ReadOnlyHttp.__new__(ReadOnlyHttp)
    for method in ("POST", "PATCH", "DELETE"):
        with pytest.raises(PyrtError, match="shadow"):
            http.send(HttpRequest(method, "/v2/orders", b"")).send(None)


class Quote:
    WHAT = "quote"

    def __init__(self, ts, bid, ask):
        self.symbol, self.ts_event = "SPY", ts
        self.bid_price, self.bid_size, self.ask_price, self.ask_size = bid, 100.0, ask, 100.0


class Status:
    WHAT = "status"

    def __init__(self, status):
        self.symbol, self.status = "SPY", status


def _order(broker, **fields):
    body = {"symbol": "SPY", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
    status, answer = broker.request("POST", "/v2/orders", json.dumps({**body, **fields}).encode())
    return status, json.loads(answer)


@pytest.mark.parametrize("end", [Status("trading"), NewsGapEvent(0)])
def test_orders_meet_the_next_quote_not_while_halted_and_end_with_the_day(end):
    start = timestamp_ns("2013-10-07T19:59:00Z")
    broker = ShadowBroker([equity("SPY")], start)
    broker.see([Quote(start, 99.99, 100.01)])
    status, order = _order(broker)
    assert (status, order["filled_qty"]) == (200, "0")
    broker.see([Status("halted")])
    broker.pass_to(start + SECOND)
    broker.see([Quote(start + SECOND, 100.01, 100.03)])
    assert (
        json.loads(broker.request("GET", f"/v2/orders/{order['id']}", b"")[1])["filled_qty"] == "0"
    )
    broker.see([end])
    broker.pass_to(start + 2 * SECOND)
    broker.see([Quote(start + 2 * SECOND, 100.03, 100.05)])
    filled = json.loads(broker.request("GET", f"/v2/orders/{order['id']}", b"")[1])
    assert (filled["filled_qty"], filled["filled_avg_price"]) == ("10", "100.05")
    _, resting = _order(broker, type="limit", limit_price="90")
    broker.pass_to(start + 61 * SECOND)
    ended = json.loads(broker.request("GET", f"/v2/orders/{resting['id']}", b"")[1])
    assert ended["status"] == "expired"
    assert any(b"expired" in frame for frame in broker.frames())


def test_orders_that_alpaca_would_refuse_are_refused():
    start = timestamp_ns("2013-10-07T15:00:00Z")
    broker = ShadowBroker([equity("SPY")], start, cash=1_000)
    broker.see([Quote(start, 99.99, 100.01)])
    status, answer = _order(broker, qty="1000")
    assert (status, answer["code"]) == (403, 40310000)
