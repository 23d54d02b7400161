"""What the page is given: the state of a kernel as plain values, and the gauges beside it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from pyrt import Strategy
from pyrt.core.bus import MessageBus
from pyrt.core.data import Bar
from pyrt.core.instruments import Instrument
from pyrt.live.dashboard.history import FILLS_MAX, POINTS_MAX, History
from pyrt.live.dashboard.limits import limits_used
from pyrt.live.dashboard.view import Connection, NodeView, masked
from pyrt.live.observe.health import Health
from pyrt.live.observe.metrics import Metrics
from pyrt.live.process.control import Request
from pyrt.risk import Limits, RiskEngine
from tests.backtest.harness import START, Probe, frame

T = START
ASKED = Request(token="", action="halt", actor="a", reason="b")
MINUTE = 60_000_000_000


class Trader(Strategy):
    """Buys ten at the first bar, leaves a sell resting, and looks at itself at every bar."""

    def on_start(self) -> None:
        self.subscribe_bars("AAA", "1m")
        self.views: list[dict[str, Any]] = []
        self.view: NodeView | None = None
        self.seen = 0

    def on_bar(self, bar: Any) -> None:
        if self.view is None:
            self.view = view_of(self.kernel_of())
        self.seen += 1
        if self.seen == 1:
            self.buy("AAA", 10)
        if self.seen == 3:
            self.sell("AAA", 10, limit_price=150)
        self.view.refresh()
        self.views.append(self.view.state())

    def kernel_of(self) -> Any:
        return self.probe.kernel  # type: ignore[attr-defined]


async def carried_out(control: Request) -> dict[str, Any]:
    return {"message": control.action}


def view_of(kernel: Any) -> NodeView:
    view = NodeView(
        Health(), Metrics(), control=carried_out,
        clock=lambda: T, name="n1", mode="paper",
        connections=lambda: [Connection("trade_updates", "up", True, T, 2)],
        log_lines=lambda: ["line"],
    )  # fmt: skip
    state = view.state()
    assert (state["trading_state"], state["ready"], state["orders"]) == ("STARTING", False, [])
    view.attach(kernel, "PA3XYZ12AB4C")
    assert state.keys() == view.state().keys()
    return view


@pytest.fixture(scope="module")
def trader() -> Trader:
    limits = Limits(
        max_open_orders=4, max_gross_exposure=5_000, max_drawdown=0.5, max_position_notional=2_000,
        symbols={"AAA": {"max_position_quantity": 20}},
    )  # fmt: skip
    probe = Probe(cash=10_000, gate=RiskEngine(limits))
    probe.add_venue("sim")
    probe.add_instrument(Instrument("AAA", decimals=2))
    probe.add_data(frame([(100, 101, 99, 100)] * 2 + [(101, 103, 100, 102)] * 4),
                   symbol="AAA", timeframe="1m", label="open")  # fmt: skip
    strategy = Trader()
    strategy.__dict__["probe"] = probe
    probe.add_strategy(strategy)
    probe.execute()
    return strategy


def test_positions_orders_fills_and_account_are_shown(trader: Trader) -> None:
    state = trader.views[3]
    (position,) = state["positions"]
    assert (position["symbol"], position["quantity"], position["average_price"]) == ("AAA", 10, 100)
    assert position["unrealized_pnl"] == 20
    assert position["state"] == "ACTIVE"
    (order,) = state["orders"]
    assert (order["side"], order["limit_price"], order["status"]) == ("sell", 150, "ACCEPTED")
    (fill,) = state["fills"]
    assert (fill["side"], fill["quantity"], fill["price"]) == ("buy", 10, 100)
    assert state["account"]["equity"] == 10_020
    assert (state["trading_state"], state["breaker"]) == ("ACTIVE", "closed")
    assert state["account_masked"] == "…AB4C"
    assert "PA3XYZ12" not in msgspec.json.encode(state).decode()


def test_limits_are_shown_by_their_use(trader: Trader) -> None:
    # Ten are held and a sell of ten works: ten or none, never twenty.
    assert [list(row.values()) for row in trader.views[3]["limits"]] == [
        ["max_position_notional", "AAA", "", 1020.0, 2000.0, 0.51],
        ["max_position_quantity", "AAA", "", 10.0, 20.0, 0.5],
        ["max_open_orders", "", "", 1, 4.0, 0.25],
        ["max_gross_exposure", "", "", 1020.0, 5000.0, 0.204],
        ["max_drawdown", "", "", 0.0, 0.5, 0.0],
    ]


def test_of_each_strategy_what_it_has_and_may_is_shown(trader: Trader) -> None:
    (row,) = trader.views[3]["strategies"]
    assert row == {
        "name": "Trader", "running": True, "stopped": "", "state": "ACTIVE", "open_orders": 1,
        "market_value": 1020.0, "unrealized_pnl": 20.0, "realized_pnl": 0.0,
    }  # fmt: skip


def test_a_halt_of_everything_is_the_state_of_each_position_and_strategy(trader: Trader) -> None:
    """Nothing of theirs leaves, so ACTIVE beside them would be read as if something did."""
    kernel = trader.__dict__["probe"].kernel
    view = view_of(kernel)
    kernel.gate.set_state("halted", "anna", "test")
    try:
        view.refresh()
        state = view.state()
        assert [p["state"] for p in state["positions"]] == ["HALTED"]
        assert [s["state"] for s in state["strategies"]] == ["HALTED"]
    finally:
        kernel.gate.set_state("active", "anna", "test")


def used_by_name(kernel: Any, strategy: str = "") -> dict[str, tuple[float, float]]:
    rows = limits_used(kernel, kernel.portfolio.metrics())
    return {r["name"]: (r["used"], r["limit"]) for r in rows if r["strategy"] == strategy}


def test_a_ramp_leaves_a_share_of_sizes_and_exposures_and_flow_is_counted(trader: Trader) -> None:
    """Whoever looks at the page sees what the gate compares with, not what the settings say."""
    kernel = trader.__dict__["probe"].kernel
    gate = kernel.gate
    limits = gate.limits.replace(max_daily_orders=50, max_orders_per_minute=9, max_duplicates=3)
    gate.set_limits(limits, "anna", "test")
    gate.set_ramp("0.25", "anna", "test")
    used = used_by_name(kernel)
    assert used["max_gross_exposure"][1] == 1_250
    assert used["max_position_notional"][1] == 500
    assert used["max_position_quantity"][1] == 5
    # Counts and losses have no ramp.
    assert used["max_open_orders"][1] == 4
    assert used["max_daily_orders"] == (2, 50)
    assert used["max_orders_per_minute"][1] == 9
    assert used_by_name(kernel, "Trader") == {"max_duplicates": (0, 3)}
    assert "max_value_at_risk" not in used


def test_of_a_limit_of_each_symbol_the_gauge_has_the_one_that_is_nearest(trader: Trader) -> None:
    assert trader.view is not None
    rows = [("max_position_notional", "AAA", 0.9), ("max_position_notional", "BBB", 0.2)]
    keys = ("name", "symbol", "share")
    state = trader.view.state() | {"limits": [dict(zip(keys, row, strict=True)) for row in rows]}
    trader.view._set_gauges(state)
    assert trader.view.metrics.value("limit_used_ratio", "max_position_notional") == 0.9
    trader.view._set_gauges(trader.view.state())


def test_prices_come_with_the_fills_on_them(trader: Trader) -> None:
    assert trader.view is not None
    prices = trader.view.prices("AAA")
    # The view began to listen at the first bar, while that bar was being delivered.
    assert prices["close"][-4:] == [102, 102, 102, 102]
    assert [fill["price"] for fill in prices["fills"]] == [100]
    assert trader.view.prices("ZZZ") == {"symbol": "ZZZ", "ts": [], "close": [], "fills": []}


def test_gauges_follow_the_state(trader: Trader) -> None:
    assert trader.view is not None
    value = trader.view.metrics.value
    assert value("equity", "USD") == 10_020
    assert value("position_quantity", "AAA") == 10
    assert value("open_orders") == 1
    assert value("limit_used_ratio", "max_open_orders") == 0.25
    assert value("connection_up", "trade_updates") == 1
    assert value("trading_state") == value("breaker_state") == value("ready") == 0


class Holder(Strategy):
    """Buys `quantity` at the first bar, and closes at the third."""

    quantity: int = 10

    def on_start(self) -> None:
        self.subscribe_bars("AAA", "1m")
        self.seen = 0

    def on_bar(self, bar: Any) -> None:
        self.seen += 1
        if self.seen == 1:
            self.buy("AAA", self.quantity)
        if self.seen == 3:
            self.close("AAA")


class Another(Holder):
    """Holds in the same symbol, under a name of its own."""


class Looker(Strategy):
    """Notes what the gauges of a view are at every bar."""

    def on_start(self) -> None:
        self.subscribe_bars("AAA", "1m")
        self.view: NodeView | None = None
        self.seen: list[tuple[float, float]] = []

    def on_bar(self, bar: Any) -> None:
        if self.view is None:
            self.view = view_of(self.probe.kernel)  # type: ignore[attr-defined]
        self.view.refresh()
        value = self.view.metrics.value
        used = value("limit_used_ratio", "max_position_notional")
        self.seen.append((value("position_quantity", "AAA"), round(used, 3)))


def test_gauges_sum_what_strategies_hold_and_fall_to_nothing_with_it() -> None:
    probe = Probe(cash=10_000, gate=RiskEngine(Limits(max_position_notional=2_000)))
    probe.add_venue("sim")
    probe.add_instrument(Instrument("AAA", decimals=2))
    probe.add_data(frame([(100, 101, 99, 100)] * 6), symbol="AAA", timeframe="1m", label="open")
    looker = Looker()
    looker.__dict__["probe"] = probe
    for strategy in (Holder(), Another(quantity=5), looker):
        probe.add_strategy(strategy)
    probe.execute()
    # Bought after the first bar, sold after the third.
    assert looker.seen == [(0, 0), (15, 0.75), (15, 0.75), (0, 0), (0, 0), (0, 0)]


class Halting(Strategy):
    """Halts its symbol, then itself, then lets both go on; notes the gauges after each."""

    def on_start(self) -> None:
        self.subscribe_bars("AAA", "1m")
        self.seen: list[tuple[float, float, float]] = []

    def on_bar(self, bar: Any) -> None:
        kernel = self.__dict__["probe"].kernel
        view, who = view_of(kernel), {"actor": "desk", "reason": "a look"}
        for change in (
            {"state": "halted", "symbol": "AAA"},
            {"state": "halted", "strategy": self.name},
            {"state": "active", "symbol": "AAA"},
            {"state": "active", "strategy": self.name},
        ):
            kernel.gate.set_state(**change, **who)
            view.refresh()
            value = view.metrics.value
            self.seen.append((
                value("trading_state"), value("symbol_state", "AAA"),
                value("strategy_state", self.name),
            ))  # fmt: skip


def test_gauges_tell_of_a_symbol_and_of_a_strategy_that_are_halted_alone() -> None:
    probe = Probe(cash=10_000, gate=RiskEngine(Limits()))
    probe.add_venue("sim")
    probe.add_instrument(Instrument("AAA", decimals=2))
    probe.add_data(frame([(100, 101, 99, 100)]), symbol="AAA", timeframe="1m", label="open")
    strategy = Halting()
    strategy.__dict__["probe"] = probe
    probe.add_strategy(strategy)
    probe.execute()
    assert strategy.seen == [(0, 2, 0), (0, 2, 2), (0, 0, 2), (0, 0, 0)]


def test_the_view_hands_controls_on(trader: Trader) -> None:
    assert trader.view is not None
    assert asyncio.run(trader.view.control(ASKED)) == {"message": "halt"}
    assert trader.view.log_lines() == ["line"]
    assert trader.view.now() == T


def test_history_is_bounded_and_has_one_equity_point_a_minute() -> None:
    bus = MessageBus()
    history = History()
    history.attach(bus)
    for i in range(POINTS_MAX + 10):
        ts = T + i * MINUTE
        bus.publish("data.bars.A.1m", Bar("A", "1m", 1, 1, 1, i, 1, ts - MINUTE, ts))
        bus.publish("data.bars.A.5m", Bar("A", "5m", 1, 1, 1, -1, 1, ts - 5 * MINUTE, ts))
        history.add_equity(ts, i)
        history.add_equity(ts + 1, i + 0.5)
    assert len(history.prices("A")["close"]) == POINTS_MAX
    assert -1 not in history.prices("A")["close"]
    assert history.equity()["equity"][-1] == POINTS_MAX + 9.5
    assert len(history.equity()["ts"]) == POINTS_MAX
    assert history.fills.maxlen == FILLS_MAX


def test_what_has_no_bars_is_drawn_by_its_last_price_once_a_minute() -> None:
    history, minute = History(), 60_000_000_000
    for ts, price in ((minute, 5.0), (minute + 1, 6.0), (3 * minute, 7.0)):
        history.add_price("BTC", ts, price)
    prices = history.prices("BTC")
    assert (prices["ts"], prices["close"]) == ([minute + 1, 3 * minute], [6.0, 7.0])
    assert history.symbols == ["BTC"]
    # Before the first fill had told what day it is there.
    history.add_price("BTC", 2 * minute, 8.0)
    assert history.prices("BTC")["close"] == [6.0, 8.0]
    history._on_bar(Bar("BTC", "1m", 9.0, 9.0, 9.0, 9.0, 1.0, 3 * minute, 4 * minute))
    history.add_price("BTC", 5 * minute, 10.0)
    assert history.prices("BTC")["close"] == [9.0]


def test_equity_is_drawn_on_the_time_of_prices_where_a_simulator_has_its_own() -> None:
    bus = MessageBus()
    history = History()
    history.attach(bus)
    now = T + 400 * 24 * 60 * MINUTE
    assert history.market_time(now) == now
    bus.publish("data.bars.A.1m", Bar("A", "1m", 1, 1, 1, 1, 1, T - MINUTE, T))
    assert history.market_time(now) == T
    history.add_equity(now, 1.0)
    history.add_equity(history.market_time(now), 2.0)
    assert history.equity() == {"ts": [T], "equity": [2.0]}
    # A weekend without prices is no other day's recording.
    assert history.market_time(T + 3 * 24 * 60 * MINUTE) == T + 3 * 24 * 60 * MINUTE


def test_an_account_is_shown_by_its_end() -> None:
    assert masked("") == "–"
    assert masked("123456789") == "…6789"
