"""The official SDK, unmodified, against the simulator on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.adapters.simulator.exchange import CLOSES
from tests.adapters.simulator.world import World, wait_for

pytest.importorskip("alpaca")
pytest.importorskip("uvicorn")

from alpaca.data.historical import (
    CryptoHistoricalDataClient,
    StockHistoricalDataClient,
)
from alpaca.data.live import StockDataStream
from alpaca.data.requests import (
    CryptoBarsRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading import requests as ask
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.stream import TradingStream


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.advance()
    yield made
    made.close()


def trading_client(world: World) -> TradingClient:
    return TradingClient(*world.keys, paper=True, url_override=world.urls["rest_url"])


def market(quantity: float, side: OrderSide = OrderSide.BUY) -> Any:
    return ask.MarketOrderRequest(
        symbol="SPY", qty=quantity, side=side, time_in_force=TimeInForce.DAY
    )


def test_the_trading_client_places_replaces_cancels_and_closes(world: World) -> None:
    client = trading_client(world)
    order = client.submit_order(market(10))
    assert order.status is OrderStatus.PENDING_NEW
    world.advance()
    assert client.get_order_by_id(order.id).status is OrderStatus.FILLED
    assert client.get_order_by_client_id(order.client_order_id).id == order.id
    assert client.get_open_position("SPY").qty == "10"
    limit = client.submit_order(
        ask.LimitOrderRequest(
            symbol="SPY", qty=5, side="sell", time_in_force="day", limit_price=150
        )
    )
    new = client.replace_order_by_id(limit.id, ask.ReplaceOrderRequest(qty=4, limit_price=151.0))
    assert new.replaces == limit.id
    client.cancel_order_by_id(new.id)
    everything = ask.GetOrdersRequest(status=QueryOrderStatus.ALL)
    assert len(client.get_orders(everything)) == 3
    assert client.cancel_orders() == []
    assert client.close_position("SPY", ask.ClosePositionRequest(percentage="50")).qty == "5"
    world.advance()
    assert [row.status for row in client.close_all_positions(cancel_orders=True)] == [200]
    world.advance()
    assert client.get_all_positions() == []


def test_the_trading_client_reads_account_and_tables(world: World) -> None:
    client = trading_client(world)
    assert client.get_account().cash == "100000"
    settings = client.get_account_configurations()
    settings.no_shorting = True
    assert client.set_account_configurations(settings).no_shorting
    assert client.get_clock().is_open
    days = client.get_calendar(ask.GetCalendarRequest(start="2013-10-07", end="2013-10-08"))
    assert [day.close.hour for day in days] == [16, 16]
    assert [asset.symbol for asset in client.get_all_assets()] == ["SPY"]
    assert client.get_asset("BTC/USD").fractionable
    assert client.get_portfolio_history().equity[-1] == 100_000
    made = client.create_watchlist(ask.CreateWatchlistRequest(name="w", symbols=["SPY"]))
    assert client.get_watchlist_by_id(made.id).name == "w"
    assert client.delete_watchlist_by_id(made.id) is None


def test_the_data_clients_page_through_history_up_to_now(world: World) -> None:
    world.advance(5)
    client = StockHistoricalDataClient(*world.keys, url_override=world.urls["data_url"])
    start = datetime(2013, 10, 7, tzinfo=UTC)
    found = client.get_stock_bars(
        StockBarsRequest(symbol_or_symbols="SPY", timeframe=TimeFrame.Minute, start=start)
    )
    assert [bar.close for bar in found.data["SPY"]] == CLOSES[:6]
    five = TimeFrame(5, TimeFrameUnit.Minute)
    first = client.get_stock_bars(
        StockBarsRequest(symbol_or_symbols=["SPY"], timeframe=five, start=start)
    ).data["SPY"][0]
    assert (first.open, first.high, first.low, first.close) == (100, 104.25, 99.75, 104)
    trades = client.get_stock_trades(StockTradesRequest(symbol_or_symbols="SPY", start=start))
    assert len(trades.data["SPY"]) == 6
    quote = client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="SPY"))
    assert quote["SPY"].ask_price == CLOSES[5]
    snapshot = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="SPY"))
    assert snapshot["SPY"].daily_bar.high == 105.25
    coins = CryptoHistoricalDataClient(url_override=world.urls["data_url"])
    rows = coins.get_crypto_bars(
        CryptoBarsRequest(symbol_or_symbols="BTC/USD", timeframe=TimeFrame.Minute, start=start)
    )
    assert len(rows.data["BTC/USD"]) == 6


def test_the_streams_bring_updates_and_bars(world: World) -> None:
    updates: list[Any] = []
    seen: list[Any] = []

    async def on_update(update: Any) -> None:
        updates.append(update)

    async def on_bar(bar: Any) -> None:
        seen.append(bar)

    trading = TradingStream(*world.keys, url_override=world.urls["trading_stream_url"])
    trading.subscribe_trade_updates(on_update)
    data = StockDataStream(*world.keys, url_override=world.urls["stock_stream_url"])
    data.subscribe_bars(on_bar, "SPY")
    data.subscribe_trades(on_bar, "SPY")
    for stream in (trading, data):
        threading.Thread(target=stream.run, daemon=True).start()
    server = world.server
    wait_for(lambda: server.is_heard)
    trading_client(world).submit_order(market(3))
    world.advance()
    wait_for(lambda: len(updates) >= 3 and len(seen) >= 2)
    assert [update.event for update in updates] == ["pending_new", "new", "fill"]
    # Sent after this minute's opens, so it met the next one's.
    assert (updates[-1].qty, updates[-1].price, updates[-1].position_qty) == (3, 101, 3)
    assert [type(item).__name__ for item in seen[:2]] == ["Trade", "Bar"]
    assert (seen[1].close, seen[1].timestamp.minute) == (101, 31)
    for stream in (trading, data):
        stream.stop()


def test_faults_are_drawn_on_request_and_keys_are_checked(world: World) -> None:
    url, headers = f"{world.urls['rest_url']}/v2/account", {}
    assert httpx.get(url).status_code == 401
    names = ("APCA-API-KEY-ID", "APCA-API-SECRET-KEY")
    headers = dict(zip(names, world.keys, strict=True))
    fine = httpx.get(url, headers=headers)
    assert fine.headers["x-ratelimit-limit"] == "200"
    for fault, status in (("throttle", 429), ("fail", 500), ("html", 502), ("lost_response", 504)):
        world.control("faults", **{fault: 1.0})
        assert httpx.get(url, headers=headers).status_code == status
        world.control("faults", **{fault: 0.0})
    assert httpx.get(url, headers=headers).status_code == 200
    assert "invalid fault" in world.control("faults", nonsense=1)["message"]
