"""What becomes of orders and of the account over time: events, sessions, fees, days, actions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.adapters.alpaca.simulator.market.actions import read_table
from pyrt.adapters.alpaca.simulator.session import make_core
from tests.adapters.simulator import contract
from tests.adapters.simulator.exchange import Bench
from tests.adapters.simulator.joined import joined
from tests.minutes import MINUTE, START, minute_bars

DAY = 1440 * MINUTE
HOUR = 60 * MINUTE
OPEN = START  # 09:30 New York
CLOSE = START + 390 * MINUTE


def ask(core: SimulatorCore, method: str, path: str, body: Any = None) -> Any:
    data = b"" if body is None else msgspec.json.encode(body)
    answer = core.request(method, path, data)
    contract.check(method, path, answer.status, answer.body)
    assert answer.status in (200, 204, 207), answer.body
    return msgspec.json.decode(answer.body) if answer.body else None


def place(core: SimulatorCore, **terms: Any) -> Any:
    order = {"symbol": "SPY", "side": "buy", "type": "market", "time_in_force": "day", "qty": 10}
    return ask(core, "POST", "/v2/orders", {**order, **terms})


def updates(core: SimulatorCore) -> list[Any]:
    return [msgspec.json.decode(frame)["data"] for frame in core.take_trade_updates()]


def two_days(**settings: Any) -> SimulatorCore:
    """A few minutes of two sessions, with a price that doubles overnight."""
    first = minute_bars("SPY", [100.0] * 5)
    second = minute_bars("SPY", [200.0] * 5, start=START + DAY)
    return make_core([joined(first, second)], **settings)


def test_a_fill_tells_what_alpaca_tells() -> None:
    bench = Bench()
    bench.buy(10)
    bench.step()
    waiting, new, fill = updates(bench.core)
    assert [data["event"] for data in (waiting, new, fill)] == ["pending_new", "new", "fill"]
    assert list(waiting) == ["at", "event_id", "event", "timestamp", "order"]
    assert "execution_id" in new
    assert (fill["price"], fill["qty"], fill["position_qty"]) == ("100", "10", "10")
    assert fill["settle_date"] == "2013-10-10"
    assert fill["order"]["cancel_requested_at"] is None
    assert "subtag" not in fill["order"]
    assert sorted(data["event_id"] for data in (fill, new, waiting)) == [
        data["event_id"] for data in (waiting, new, fill)
    ]


def test_an_order_sent_before_the_open_waits_for_it() -> None:
    core = make_core([minute_bars("SPY", [100.0] * 300, start=OPEN - 3 * HOUR)])
    order = place(core)
    assert order["status"] == "accepted"
    assert order["expires_at"] == "2013-10-07T20:00:00Z"
    core.run(OPEN - 1)
    assert [data["event"] for data in updates(core)] == ["accepted"]
    core.run(OPEN + MINUTE)
    told = updates(core)
    assert [data["event"] for data in told] == ["new", "fill"]
    assert told[-1]["timestamp"] == "2013-10-07T13:30:00Z"


def test_only_extended_hours_orders_trade_before_the_open() -> None:
    core = make_core([minute_bars("SPY", [100.0] * 300, start=OPEN - 3 * HOUR)])
    early = place(core, type="limit", limit_price=101, extended_hours=True)
    late = place(core, type="limit", limit_price=101)
    core.run(OPEN - HOUR)
    states = [ask(core, "GET", f"/v2/orders/{order['id']}")["status"] for order in (early, late)]
    assert states == ["filled", "accepted"]


def test_day_orders_expire_at_the_close_and_others_live_on() -> None:
    core = two_days()
    core.run(START + 2 * MINUTE)
    day = place(core, type="limit", limit_price=90)
    longer = place(core, type="limit", limit_price=91, time_in_force="gtc")
    core.take_trade_updates()
    core.run(START + DAY)
    assert ask(core, "GET", f"/v2/orders/{day['id']}")["expired_at"] == "2013-10-07T20:00:00Z"
    assert [data["event"] for data in updates(core)] == ["expired"]
    assert [o["id"] for o in ask(core, "GET", "/v2/orders")] == [longer["id"]]


def test_a_replacement_ends_by_its_own_time_in_force() -> None:
    core = two_days()
    core.run(START + 2 * MINUTE)
    day = place(core, type="limit", limit_price=90)
    longer = place(core, type="limit", limit_price=91, time_in_force="gtc")
    kept = ask(core, "PATCH", f"/v2/orders/{day['id']}", {"time_in_force": "gtc"})
    ended = ask(core, "PATCH", f"/v2/orders/{longer['id']}", {"time_in_force": "day"})
    core.run(START + DAY)
    assert ask(core, "GET", f"/v2/orders/{ended['id']}")["expired_at"] == "2013-10-07T20:00:00Z"
    assert [o["id"] for o in ask(core, "GET", "/v2/orders")] == [kept["id"]]


def test_the_account_is_alpacas_margin_account() -> None:
    core = two_days()
    before = ask(core, "GET", "/v2/account")
    assert (before["multiplier"], before["buying_power"]) == ("4", "400000")
    assert (before["regt_buying_power"], before["non_marginable_buying_power"]) == (
        "200000",
        "100000",
    )
    core.run(START + MINUTE)
    place(core, qty=2000)
    core.run(START + 3 * MINUTE)
    account = ask(core, "GET", "/v2/account")
    assert (account["cash"], account["long_market_value"]) == ("-100000", "200000")
    assert (account["initial_margin"], account["maintenance_margin"]) == ("100000", "60000")
    core.run(START + DAY + 2 * MINUTE)
    account = ask(core, "GET", "/v2/account")
    assert (account["equity"], account["last_equity"]) == ("300000", "100000")
    position = ask(core, "GET", "/v2/positions/SPY")
    assert (position["lastday_price"], position["change_today"]) == ("100", "1")
    assert position["unrealized_intraday_pl"] == "200000"


def test_coins_are_paid_in_full() -> None:
    core = make_core([minute_bars("BTC/USD", [20.0] * 5)])
    core.run(START + MINUTE)
    body = {"symbol": "BTC/USD", "side": "buy", "type": "market", "time_in_force": "gtc"}
    answer = core.request("POST", "/v2/orders", msgspec.json.encode({**body, "qty": 6000}))
    assert answer.status == 403
    assert ask(core, "POST", "/v2/orders", {**body, "qty": 4000})["status"] == "pending_new"


def test_a_lower_multiplier_is_kept() -> None:
    core = two_days()
    ask(core, "PATCH", "/v2/account/configurations", {"max_margin_multiplier": "1"})
    account = ask(core, "GET", "/v2/account")
    assert (account["multiplier"], account["buying_power"]) == ("1", "100000")


def test_fees_are_activities_and_cash_is_the_sum_of_all() -> None:
    core = make_core([minute_bars("SPY", [100.0, 101.0, 102.0, 103.0])], fees="alpaca")
    place(core)
    core.run(START + MINUTE)
    place(core, side="sell")
    core.run(START + 3 * MINUTE)
    rows = ask(core, "GET", "/v2/account/activities")
    fills = sum(
        Decimal(r["qty"]) * Decimal(r["price"]) * (-1 if r["side"] == "buy" else 1)
        for r in rows
        if r["activity_type"] == "FILL"
    )
    bookings = [row for row in rows if row["activity_type"] != "FILL"]
    assert [row["activity_type"] for row in bookings] == ["FEE", "JNLC"]
    total = fills + sum(Decimal(row["net_amount"]) for row in bookings)
    assert Decimal(ask(core, "GET", "/v2/account")["cash"]) == total < 100_010


@pytest.mark.parametrize(
    ("kind", "terms", "quantity", "cash", "activity"),
    [
        ("split", {"split_ratio": 2.0}, "20", "99000", ("SPLIT", "10", "0")),
        ("cash_dividend", {"cash_amount": 0.5}, "10", "99005", ("DIV", "10", "5")),
    ],
)
def test_splits_and_dividends_reach_what_is_held(
    kind: str, terms: Any, quantity: str, cash: str, activity: tuple[str, str, str]
) -> None:
    row = {"symbol": "SPY", "ex_date": "2013-10-08", "kind": kind, "prev_close": 100.0, **terms}
    core = two_days(actions=read_table([row], ["SPY"]))
    place(core)
    core.run(START + DAY + MINUTE)
    assert ask(core, "GET", "/v2/positions/SPY")["qty"] == quantity
    assert ask(core, "GET", "/v2/account")["cash"] == cash
    booked = ask(core, "GET", f"/v2/account/activities/{activity[0]}")[0]
    assert (booked["activity_type"], booked["qty"], booked["net_amount"]) == activity


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2013-10-01", "2013-10-20", ["forward_splits"]),
        ("2013-10-10", "2013-10-30", ["cash_dividends"]),
        ("2013-10-22", "2013-10-22", ["cash_dividends"]),
        ("2013-10-09", "2013-10-21", []),
    ],
)
def test_actions_are_asked_for_by_the_date_of_their_processing(
    start: str, end: str, expected: list[str]
) -> None:
    """A dividend is paid, and listed, two weeks after its ex-date."""
    rows = [
        {"symbol": "SPY", "ex_date": "2013-10-08", "kind": "cash_dividend", "cash_amount": 0.5},
        {"symbol": "SPY", "ex_date": "2013-10-08", "kind": "split", "split_ratio": 2.0},
    ]
    core = two_days(actions=read_table(rows, ["SPY"]))
    core.run(START + DAY)
    found = ask(core, "GET", f"/v1/corporate-actions?symbols=SPY&start={start}&end={end}")
    assert list(found["corporate_actions"]) == expected
    for (row,) in found["corporate_actions"].values():
        assert row["ex_date"] == "2013-10-08"
        assert start <= row["process_date"] == row["payable_date"] <= end
    span = f"ca_types=dividend&since={start}&until={end}"
    path = f"/v2/corporate_actions/announcements?{span}&date_type="
    dates = {"ex_date": "2013-10-08", "payable_date": "2013-10-22"}
    for name, date in dates.items():
        assert len(ask(core, "GET", f"{path}{name}")) == (start <= date <= end)


def test_history_is_adjusted_when_asked_for() -> None:
    row = {"symbol": "SPY", "ex_date": "2013-10-08", "kind": "split", "split_ratio": 2.0}
    core = two_days(actions=read_table([row], ["SPY"]))
    core.run(START + DAY + 2 * MINUTE)
    path = "/v2/stocks/SPY/bars?timeframe=1Day&start=2013-10-01"
    raw, split = (
        [(bar["c"], bar["v"]) for bar in ask(core, "GET", f"{path}&adjustment={how}")["bars"]]
        for how in ("raw", "split")
    )
    assert raw == [(100.0, 5000), (200.0, 2000)]
    assert split == [(50.0, 10000), (200.0, 2000)]


def test_portfolio_history_shows_days_and_minutes() -> None:
    core = two_days()
    core.run(START + MINUTE)
    place(core, qty=100)
    core.run(START + DAY + 3 * MINUTE)
    days = ask(core, "GET", "/v2/account/portfolio/history?period=1A&timeframe=1D")
    assert days["equity"] == [100_000.0, 110_000.0]
    assert days["profit_loss"] == [0.0, 10_000.0]
    assert days["profit_loss_pct"] == [0.0, 0.1]
    flows = "/v2/account/portfolio/history?period=1A&timeframe=1D&cashflow_types=ALL"
    assert ask(core, "GET", flows)["cashflow"] == {"JNLC": [0.0, 0.0]}
    reset = "/v2/account/portfolio/history?period=2D&timeframe=1Min&pnl_reset=per_day"
    assert ask(core, "GET", reset)["profit_loss"][-1] == 10_000.0
    answer = core.request("GET", "/v2/account/portfolio/history?timeframe=2Min", b"")
    assert answer.status == 422


def test_old_events_are_forgotten_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyrt.adapters.alpaca.simulator.trading.updates.LOG_MAX", 5)
    bench = Bench()
    for _ in range(20):
        bench.buy(1, type="limit", limit_price=90)
    publisher = bench.core.publisher
    assert len(publisher.log) <= 10
    assert publisher.forgotten + len(publisher.log) == len(updates(bench.core)) == 40
    assert publisher.forgotten % 5 == 0
