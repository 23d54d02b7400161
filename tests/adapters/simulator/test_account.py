"""Account, positions, activities, calendar and the other tables of the trading API."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from pyrt.adapters.alpaca.simulator.session import make_core
from tests.adapters.simulator.exchange import Bench
from tests.minutes import minute_bars

JUNE_3 = 1_717_423_200_000_000_000
"""2024-06-03T14:00:00Z."""


def holding_ten() -> Bench:
    bench = Bench()
    bench.buy(10)
    bench.step()
    return bench


def test_a_position_shows_its_cost_and_its_profit() -> None:
    bench = holding_ten()
    bench.step()
    body = bench.ask("GET", "/v2/positions/SPY")[1]
    assert (body["qty"], body["avg_entry_price"], body["cost_basis"]) == ("10", "100", "1000")
    assert (body["current_price"], body["unrealized_pl"], body["side"]) == ("102", "20", "long")
    account = bench.ask("GET", "/v2/account")[1]
    assert (account["cash"], account["equity"]) == ("99000", "100020")
    assert bench.ask("GET", "/v2/positions/QQQ")[0] == 404


def test_a_position_closes_by_share_and_orders_hold_units() -> None:
    bench = holding_ten()
    bench.buy(4, side="sell", type="limit", limit_price=200)
    assert bench.ask("GET", "/v2/positions/SPY")[1]["qty_available"] == "6"
    status, body = bench.ask("DELETE", "/v2/positions/SPY")
    assert (status, body["code"], body["available"]) == (403, 40310000, "6")
    status, order = bench.ask("DELETE", "/v2/positions/SPY?percentage=50")
    assert (status, order["qty"], order["side"]) == (200, "5", "sell")
    bench.step()
    assert bench.ask("GET", "/v2/positions/SPY")[1]["qty"] == "5"
    status, rows = bench.ask("DELETE", "/v2/positions?cancel_orders=True")
    assert (status, rows[0]["status"], rows[0]["body"]["qty"]) == (207, 200, "5")
    bench.step()
    assert bench.ask("GET", "/v2/positions") == (200, [])


def test_selling_everything_returns_the_cash_exactly() -> None:
    bench = holding_ten()
    bench.ask("DELETE", "/v2/positions")
    bench.step()
    account = bench.ask("GET", "/v2/account")[1]
    assert account["cash"] == account["equity"] == "100010"


@pytest.mark.parametrize(("fees", "tier"), [("alpaca", 3), ("us+alpaca", 3), (None, 1)])
def test_an_account_states_the_tier_of_the_coins_traded_on_the_days_before(fees, tier) -> None:
    two_days = minute_bars("BTC/USD", [20_000.0] * 1_500, JUNE_3)
    core = make_core([two_days], fees=fees, cash=10_000_000)
    instants = core.instants()
    next(instants)
    order = {
        "symbol": "BTC/USD", "side": "buy", "type": "market", "time_in_force": "gtc", "qty": "9",
    }  # fmt: skip
    stated = set()
    for at in range(len(two_days)):
        if at < 3:
            core.request("POST", "/v2/orders", msgspec.json.encode(order))
        for _ in range(3):
            next(instants, None)
        if at in (10, len(two_days) - 1):
            body = msgspec.json.decode(core.request("GET", "/v2/account", b"").body)
            stated.add(body["crypto_tier"])
    # 540,000 dollars, which count from midnight on.
    assert stated == {1, tier}


def test_activities_page_by_the_last_id() -> None:
    bench = holding_ten()
    bench.buy(1)
    bench.step()
    rows = bench.ask("GET", "/v2/account/activities/FILL?direction=asc")[1]
    assert [(row["qty"], row["price"], row["cum_qty"]) for row in rows] == [
        ("10", "100", "10"),
        ("1", "101", "1"),
    ]
    assert rows[0]["id"].startswith("20131007093100000::")
    page = bench.ask("GET", f"/v2/account/activities?page_size=1&page_token={rows[1]['id']}")[1]
    assert page == rows[:1]
    (deposit,) = bench.ask("GET", "/v2/account/activities?category=non_trade_activity")[1]
    assert (deposit["activity_type"], deposit["net_amount"]) == ("JNLC", "100000")


def test_configurations_change_what_is_accepted() -> None:
    bench = Bench()
    assert bench.ask("PATCH", "/v2/account/configurations", {"suspend_trade": True})[0] == 200
    order = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day", "qty": 1}
    assert bench.ask("POST", "/v2/orders", order)[0] in (403, 422)
    assert bench.ask("PATCH", "/v2/account/configurations", {"no_shorting": "maybe"})[0] == 422


def test_clock_and_calendar_speak_new_york_time() -> None:
    bench = Bench()
    clock = bench.ask("GET", "/v2/clock")[1]
    assert clock == {
        "is_open": True,
        "next_close": "2013-10-07T16:00:00-04:00",
        "next_open": "2013-10-08T09:30:00-04:00",
        "timestamp": "2013-10-07T09:31:00-04:00",
    }
    days = bench.ask("GET", "/v2/calendar?start=2013-11-27&end=2013-12-02")[1]
    assert [(day["date"], day["close"]) for day in days] == [
        ("2013-11-27", "16:00"),
        ("2013-11-29", "13:00"),
        ("2013-12-02", "16:00"),
    ]
    assert days[0]["settlement_date"] == "2013-12-03"


@pytest.mark.parametrize(
    ("query", "dates"),
    [
        ("start=2029-12-27", ["2029-12-27", "2029-12-28", "2029-12-31"]),
        ("end=1970-01-06", ["1970-01-02", "1970-01-05", "1970-01-06"]),
        ("start=2029-12-31&end=2035-01-01", ["2029-12-31"]),
        ("start=2013-10-06&end=2013-10-05", []),
    ],
)
def test_the_calendar_goes_from_1970_to_2029(query: str, dates: list[str]) -> None:
    days = Bench().ask("GET", f"/v2/calendar?{query}")[1]
    assert [day["date"] for day in days] == dates


def test_assets_are_found_by_symbol_and_id() -> None:
    bench = Bench()
    assert [row["symbol"] for row in bench.ask("GET", "/v2/assets")[1]] == ["QQQ", "SPY"]
    coin = bench.ask("GET", "/v2/assets/BTC%2FUSD")[1]
    assert (coin["class"], coin["marginable"]) == ("crypto", False)
    assert bench.ask("GET", f"/v2/assets/{coin['id']}")[1] == coin
    assert bench.ask("GET", "/v2/assets/XYZ")[0] == 404


def test_coins_are_ordered_with_the_slash_and_held_without() -> None:
    bench = Bench()
    bench.buy("2.5", symbol="BTC/USD", time_in_force="gtc")
    bench.step()
    position = bench.ask("GET", "/v2/positions/BTCUSD")[1]
    assert (position["symbol"], position["qty"], position["asset_class"]) == (
        "BTCUSD",
        "2.5",
        "crypto",
    )


def test_the_fee_of_coins_bought_is_taken_off_them_and_is_an_activity() -> None:
    bench = Bench(fees="alpaca")
    cash = Decimal(bench.ask("GET", "/v2/account")[1]["cash"])
    bench.buy("2.5", symbol="BTC/USD", time_in_force="gtc")
    bench.step()
    # 25 bps of 2.5 coins; the 50 dollars they cost are all that is paid.
    assert Decimal(bench.ask("GET", "/v2/positions/BTCUSD")[1]["qty"]) == Decimal("2.49375")
    assert cash - Decimal(bench.ask("GET", "/v2/account")[1]["cash"]) == 50
    (row,) = bench.ask("GET", "/v2/account/activities/CFEE")[1]
    assert (row["symbol"], Decimal(row["qty"]), Decimal(row["net_amount"])) == (
        "BTCUSD",
        Decimal("-0.00625"),
        0,
    )


def test_portfolio_history_ends_with_the_equity_of_now() -> None:
    bench = holding_ten()
    history = bench.ask("GET", "/v2/account/portfolio/history?timeframe=1Min")[1]
    equity = Decimal(bench.ask("GET", "/v2/account")[1]["equity"])
    assert history["equity"][-1] == float(equity) == 100_010.0
    assert len(history["timestamp"]) == len(history["profit_loss"]) == len(history["equity"])


def test_watchlists_keep_their_assets() -> None:
    bench = Bench()
    made = bench.ask("POST", "/v2/watchlists", {"name": "one", "symbols": ["SPY"]})[1]
    path = f"/v2/watchlists/{made['id']}"
    more = bench.ask("POST", path, {"symbol": "QQQ"})[1]
    assert [asset["symbol"] for asset in more["assets"]] == ["SPY", "QQQ"]
    assert len(bench.ask("DELETE", f"{path}/SPY")[1]["assets"]) == 1
    assert bench.ask("DELETE", path) == (204, None)
    assert bench.ask("GET", path)[0] == 404
