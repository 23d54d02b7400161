"""Every public method of the official SDK's clients, unmodified, against the simulator.

The methods are listed by introspection: one that is neither called here nor named with a reason
fails the suite.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pyrt.adapters.alpaca.simulator.market.actions import read_table
from tests.adapters.simulator.ticks import trades
from tests.adapters.simulator.world import World, wait_for
from tests.minutes import START, minute_bars

pytest.importorskip("alpaca")
pytest.importorskip("uvicorn")

from alpaca.data import requests as data
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.live import CryptoDataStream, StockDataStream
from alpaca.data.timeframe import TimeFrame
from alpaca.trading import requests as ask
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import CorporateActionType, QueryOrderStatus
from alpaca.trading.stream import TradingStream

PRINTS = [(20.0 + 30 * n, 100.0 + n, 100 + n) for n in range(20)]
ACTIONS = [
    {"symbol": "SPY", "ex_date": "2013-10-04", "kind": "split", "split_ratio": 2.0},
    {"symbol": "SPY", "ex_date": "2013-10-03", "kind": "cash_dividend", "cash_amount": 0.5},
]
TRANSPORT = "sends any request: the methods above it are its users"
NOT_APPLICABLE = {
    TradingClient: {
        **dict.fromkeys(("get", "post", "put", "patch", "delete", "response_wrapper"), TRANSPORT),
        "get_option_contract": "options are not traded here: there is none to get",
        "exercise_options_position": "options are not traded here",
    },
    StockHistoricalDataClient: dict.fromkeys(
        ("get", "post", "put", "patch", "delete", "response_wrapper"), TRANSPORT
    ),
    CryptoHistoricalDataClient: dict.fromkeys(
        ("get", "post", "put", "patch", "delete", "response_wrapper"), TRANSPORT
    ),
    CorporateActionsClient: dict.fromkeys(
        ("get", "post", "put", "patch", "delete", "response_wrapper"), TRANSPORT
    ),
}
SINCE = datetime(2013, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    tables = [
        minute_bars("SPY", [100.0 + n for n in range(12)]),
        trades("QQQ", PRINTS),
        minute_bars("BTC/USD", [20.0 + n for n in range(12)]),
    ]
    made = World(tables, actions=read_table(ACTIONS, ["SPY"]))
    made.advance(2)
    yield made
    made.close()


def public(kind: type) -> set[str]:
    names = (name for name, _ in inspect.getmembers(kind, callable))
    return {name for name in names if not name.startswith("_")}


def check_complete(kind: type, called: set[str]) -> None:
    """Fail if a method of a client is neither called nor excused, or excused and called."""
    excused = set(NOT_APPLICABLE.get(kind, {}))
    assert public(kind) == called | excused
    assert not called & excused


# -- trading ---------------------------------------------------------------------------------------


def market(symbol: str = "SPY", quantity: float = 10, **terms: Any) -> Any:
    side = terms.pop("side", "buy")
    force = "gtc" if "/" in symbol else "day"
    return ask.MarketOrderRequest(
        symbol=symbol, qty=quantity, side=side, time_in_force=force, **terms
    )


def limit(price: float, quantity: float = 1) -> Any:
    return ask.LimitOrderRequest(
        symbol="SPY", qty=quantity, side="buy", time_in_force="day", limit_price=price
    )


def test_every_method_of_the_trading_client(world: World) -> None:
    client = TradingClient(*world.keys, paper=True, url_override=world.urls["rest_url"])
    called: set[str] = set()

    def use(name: str, *args: Any, **more: Any) -> Any:
        called.add(name)
        return getattr(client, name)(*args, **more)

    assert use("get_account").buying_power == "400000"
    order = use("submit_order", market(client_order_id="mine/1"))
    use("submit_order", market("BTC/USD", 2))
    waiting = use("submit_order", limit(90))
    world.advance()
    assert use("get_order_by_id", order.id).filled_qty == "10"
    assert use("get_order_by_client_id", "mine/1").id == order.id
    everything = ask.GetOrdersRequest(status=QueryOrderStatus.ALL, limit=10)
    assert len(use("get_orders", everything)) == 3
    new = use("replace_order_by_id", waiting.id, ask.ReplaceOrderRequest(qty=2, limit_price=91))
    assert str(new.replaces) == str(waiting.id)
    assert use("cancel_order_by_id", new.id) is None
    use("submit_order", limit(92))
    assert [row.status for row in use("cancel_orders")] == [200]
    assert {p.symbol for p in use("get_all_positions")} == {"SPY", "BTCUSD"}
    assert use("get_open_position", "SPY").qty == "10"
    assert use("close_position", "SPY", ask.ClosePositionRequest(qty="4")).side.value == "sell"
    world.advance()
    assert {row.status for row in use("close_all_positions", cancel_orders=True)} == {200}
    world.advance()
    assert client.get_all_positions() == []
    settings = use("get_account_configurations")
    settings.no_shorting = True
    assert use("set_account_configurations", settings).no_shorting
    _read_tables(world, use)
    check_complete(TradingClient, called)


def _read_tables(world: World, use: Callable[..., Any]) -> None:
    """Call what shows assets, days, watchlists, announcements."""
    assert [a.symbol for a in use("get_all_assets")] == ["QQQ", "SPY"]
    assert use("get_asset", "BTC/USD").symbol == "BTC/USD"
    assert use("get_clock").is_open
    days = use("get_calendar", ask.GetCalendarRequest(start=date(2013, 10, 7)))
    assert days[0].date == date(2013, 10, 7)
    history = ask.GetPortfolioHistoryRequest(period="1D", timeframe="1Min")
    assert use("get_portfolio_history", history).base_value == 100_000
    made = use("create_watchlist", ask.CreateWatchlistRequest(name="w", symbols=["SPY"]))
    assert [w.name for w in use("get_watchlists")] == ["w"]
    assert use("get_watchlist_by_id", made.id).name == "w"
    assert len(use("add_asset_to_watchlist_by_id", made.id, "QQQ").assets) == 2
    assert len(use("remove_asset_from_watchlist_by_id", made.id, "SPY").assets) == 1
    changed = use("update_watchlist_by_id", made.id, ask.UpdateWatchlistRequest(name="v"))
    assert changed.name == "v"
    assert use("delete_watchlist_by_id", made.id) is None
    query = ask.GetCorporateAnnouncementsRequest(
        ca_types=[CorporateActionType.SPLIT], since=date(2013, 10, 1), until=date(2013, 10, 30)
    )
    (split,) = use("get_corporate_announcements", query)
    assert use("get_corporate_announcement_by_id", split.id).new_rate == 2
    contracts = use(
        "get_option_contracts", ask.GetOptionContractsRequest(underlying_symbols=["SPY"])
    )
    assert contracts.option_contracts == []


# -- data ------------------------------------------------------------------------------------------


def test_every_method_of_the_stock_data_client(world: World) -> None:
    client = StockHistoricalDataClient(*world.keys, url_override=world.urls["data_url"])
    span: dict[str, Any] = {"symbol_or_symbols": ["SPY", "QQQ"], "start": SINCE}
    latest: dict[str, Any] = {"symbol_or_symbols": ["SPY", "QQQ"]}
    minute = TimeFrame.Minute
    calls = {
        "get_stock_bars": data.StockBarsRequest(timeframe=minute, **span),
        "get_stock_quotes": data.StockQuotesRequest(**span),
        "get_stock_trades": data.StockTradesRequest(**span),
        "get_stock_latest_bar": data.StockLatestBarRequest(**latest),
        "get_stock_latest_quote": data.StockLatestQuoteRequest(**latest),
        "get_stock_latest_trade": data.StockLatestTradeRequest(**latest),
        "get_stock_snapshot": data.StockSnapshotRequest(**latest),
    }
    for name, request in calls.items():
        found = getattr(client, name)(request)
        assert set(getattr(found, "data", found)) == {"SPY", "QQQ"}, name
    check_complete(StockHistoricalDataClient, set(calls))


def test_every_method_of_the_crypto_data_client(world: World) -> None:
    client = CryptoHistoricalDataClient(*world.keys, url_override=world.urls["data_url"])
    span: dict[str, Any] = {"symbol_or_symbols": "BTC/USD", "start": SINCE}
    latest: dict[str, Any] = {"symbol_or_symbols": "BTC/USD"}
    calls = {
        "get_crypto_bars": data.CryptoBarsRequest(timeframe=TimeFrame.Minute, **span),
        "get_crypto_quotes": data.CryptoQuoteRequest(**span),
        "get_crypto_trades": data.CryptoTradesRequest(**span),
        "get_crypto_latest_bar": data.CryptoLatestBarRequest(**latest),
        "get_crypto_latest_quote": data.CryptoLatestQuoteRequest(**latest),
        "get_crypto_latest_trade": data.CryptoLatestTradeRequest(**latest),
        "get_crypto_latest_orderbook": data.CryptoLatestOrderbookRequest(**latest),
        "get_crypto_snapshot": data.CryptoSnapshotRequest(**latest),
    }
    for name, request in calls.items():
        found = getattr(client, name)(request)
        assert set(getattr(found, "data", found)) == {"BTC/USD"}, name
    check_complete(CryptoHistoricalDataClient, set(calls))


def test_every_method_of_the_corporate_actions_client(world: World) -> None:
    client = CorporateActionsClient(*world.keys, url_override=world.urls["data_url"])
    request = data.CorporateActionsRequest(symbols=["SPY"], start=SINCE.date())
    found = client.get_corporate_actions(request).data
    assert found["forward_splits"][0].new_rate == 2
    assert found["cash_dividends"][0].rate == 0.5
    check_complete(CorporateActionsClient, {"get_corporate_actions"})


# -- streams ---------------------------------------------------------------------------------------


class Heard:
    """What handlers got, by subscription."""

    def __init__(self) -> None:
        self.of: dict[str, list[Any]] = {}

    def handler(self, name: str) -> Any:
        self.of[name] = []

        async def handle(item: Any) -> None:
            self.of[name].append(item)

        return handle


@pytest.fixture
def fresh() -> Iterator[World]:
    tables = [
        minute_bars("SPY", [100.0 + n for n in range(12)]),
        trades("QQQ", PRINTS),
        minute_bars("BTC/USD", [20.0 + n for n in range(12)]),
    ]
    made = World(tables)
    yield made
    made.close()


def run(stream: Any) -> None:
    threading.Thread(target=stream.run, daemon=True).start()


def test_every_method_of_the_trading_stream(fresh: World) -> None:
    stream, heard = (
        TradingStream(*fresh.keys, url_override=fresh.urls["trading_stream_url"]),
        Heard(),
    )
    stream.subscribe_trade_updates(heard.handler("updates"))
    run(stream)
    wait_for(lambda: fresh.server._trades.is_heard)
    client = TradingClient(*fresh.keys, paper=True, url_override=fresh.urls["rest_url"])
    fresh.advance()
    client.submit_order(market())
    fresh.advance()
    wait_for(lambda: len(heard.of["updates"]) == 3)
    assert [u.event for u in heard.of["updates"]] == ["pending_new", "new", "fill"]
    stream.stop()
    wait_for(lambda: not fresh.server._trades.outlets)
    # `stop` calls `stop_ws`, and the stream's own loop calls `close` then.
    check_complete(TradingStream, {"subscribe_trade_updates", "run", "stop", "stop_ws", "close"})


def test_every_method_of_the_stock_data_stream(fresh: World) -> None:
    stream, heard = (
        StockDataStream(*fresh.keys, url_override=fresh.urls["stock_stream_url"]),
        Heard(),
    )
    kinds = ("trades", "quotes", "bars", "updated_bars", "daily_bars", "trading_statuses")
    for kind in kinds:
        getattr(stream, f"subscribe_{kind}")(heard.handler(kind), "SPY", "QQQ")
    stream.register_trade_corrections(heard.handler("corrections"))
    stream.register_trade_cancels(heard.handler("cancels"))
    run(stream)
    wait_for(lambda: fresh.server._stocks.is_heard)
    fresh.advance(2)
    fresh.control("halt", symbol="SPY", seconds=30)
    fresh.control("correct", symbol="QQQ", id=1, price=101.5)
    fresh.control("bust", symbol="QQQ", id=2)
    fresh.advance(2)
    wait_for(lambda: all(heard.of.values()))
    assert (heard.of["corrections"][0].corrected_price, heard.of["cancels"][0].id) == (101.5, 2)
    assert [s.status_code for s in heard.of["trading_statuses"][:2]] == ["2", "3"]
    updated = heard.of["updated_bars"][0]
    assert (updated.symbol, updated.open, updated.volume) == ("QQQ", 101.5, 100)
    for kind in kinds:
        getattr(stream, f"unsubscribe_{kind}")("SPY", "QQQ")
    wait_for(lambda: not fresh.server._stocks.is_heard)
    stream.stop()
    wait_for(lambda: not fresh.server._stocks.outlets)
    names = {f"{verb}_{kind}" for kind in kinds for verb in ("subscribe", "unsubscribe")}
    names |= {"register_trade_corrections", "register_trade_cancels"}
    check_complete(StockDataStream, names | {"run", "stop", "stop_ws", "close"})


def test_every_method_of_the_crypto_data_stream(fresh: World) -> None:
    stream = CryptoDataStream(*fresh.keys, url_override=fresh.urls["crypto_stream_url"])
    heard = Heard()
    kinds = ("trades", "quotes", "bars", "updated_bars", "daily_bars", "orderbooks")
    for kind in kinds:
        getattr(stream, f"subscribe_{kind}")(heard.handler(kind), "BTC/USD")
    run(stream)
    wait_for(lambda: fresh.server._coins.is_heard)
    fresh.advance(2)
    late = {"T": "u", "S": "BTC/USD", "o": 1.0, "h": 1.0, "l": 1.0, "c": 1.0, "v": 1.0, "n": 1}
    assert fresh.control("publish", messages=[{**late, "vw": 1.0}])["ts"] == fresh.core.now
    wait_for(lambda: all(heard.of.values()))
    assert heard.of["bars"][0].timestamp == datetime.fromtimestamp(START // 10**9, UTC)
    assert heard.of["orderbooks"][-1].bids[0].price == 21.0
    for kind in kinds:
        getattr(stream, f"unsubscribe_{kind}")("BTC/USD")
    wait_for(lambda: not fresh.server._coins.is_heard)
    stream.stop()
    wait_for(lambda: not fresh.server._coins.outlets)
    names = {f"{verb}_{kind}" for kind in kinds for verb in ("subscribe", "unsubscribe")}
    check_complete(CryptoDataStream, names | {"run", "stop", "stop_ws", "close"})
