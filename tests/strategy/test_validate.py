"""Orders that are judged and not sent: the verdict is what sending would have met."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt import BacktestEngine, Strategy, backtest
from pyrt.errors import ConfigError, OrderError
from pyrt.risk import Limits, RiskEngine

ORDERS: dict[str, dict[str, Any]] = {
    "plain": {"side": "buy", "quantity": 10},
    "too large": {"side": "buy", "quantity": 600},
    "too dear": {"side": "buy", "quantity": 490, "limit_price": 101},
    "off the penny": {"side": "buy", "quantity": 10, "limit_price": 99.999},
    "short in a fraction": {"side": "sell", "quantity": 1.5},
    "bracket": {"side": "buy", "quantity": 5, "take_profit": 110, "stop_loss": 90},
    "half a bracket on the wrong side": {
        "side": "buy",
        "quantity": 5,
        "limit_price": 100,
        "time_in_force": "opg",
        "take_profit": 110,
        "stop_loss": 90,
    },
    "emulated": {"side": "buy", "quantity": 5, "trigger_price": 90},
    "closing auction": {"side": "buy", "quantity": 5, "time_in_force": "cls"},
    "by notional": {"side": "buy", "notional": 500},
    "too little": {"side": "buy", "notional": 0.5},
    "no such price": {"side": "buy", "quantity": 10, "limit_price": 300},
}
LIMITS = Limits(max_order_quantity=500, price_collar_bps=500, max_orders_per_minute=3)


def bars() -> pd.DataFrame:
    index = pd.date_range("2024-03-04 14:30", periods=12, freq="1min", tz="UTC")
    return pd.DataFrame(
        {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 1e6}, index=index
    )


class Asking(Strategy):
    """Asks about one order at the third bar, and sends it if told to."""

    name_of: str = "plain"
    sends: bool = True
    asks: int = 1

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.count = 0
        self.verdict: Any = None
        self.reason = ""

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count == 3:
            described = {**ORDERS[self.name_of], "symbol": "SPY"}
            for _ in range(self.asks):
                self.verdict = self.validate(described)
            if self.sends:
                self.submit(described)

    def on_deny(self, event: Any) -> None:
        self.reason = event.reason

    def on_reject(self, event: Any) -> None:
        self.reason = event.reason


def run(limits: Limits | None = LIMITS, cash: float = 50_000, **parameters: Any) -> Any:
    strategy = Asking(**parameters)
    result = backtest(
        strategy,
        bars(),
        symbol="SPY",
        label="open",
        venue="alpaca",
        limits=limits,
        cash=cash,
        progress=False,
    )
    return strategy, result


@pytest.mark.parametrize("name", ORDERS)
def test_the_verdict_is_what_sending_meets(name: str) -> None:
    strategy, _ = run(name_of=name)
    assert strategy.verdict.reason == strategy.reason
    assert bool(strategy.verdict) == (strategy.reason == "")


def test_both_refusals_are_among_those_tried() -> None:
    found = {name: run(name_of=name)[0].verdict for name in ORDERS}
    assert {verdict.by for verdict in found.values()} == {"", "risk", "venue"}
    assert (found["too large"].by, found["too large"].code) == ("risk", "max_order_quantity")
    assert (found["off the penny"].by, found["off the penny"].code) == ("venue", "42210000")
    assert found["plain"].code == ""


@pytest.mark.parametrize("name", ORDERS)
def test_asking_changes_nothing(name: str) -> None:
    """Not the rates, not the records, not what becomes of the order itself."""
    _, silent = run(name_of=name, asks=0)
    _, asked = run(name_of=name, asks=7)
    assert asked.orders.equals(silent.orders)
    assert asked.fills.equals(silent.fills)
    assert asked.equity.equals(silent.equity)
    assert len(asked.risk().verdicts) == len(silent.risk().verdicts)


def test_nothing_is_sent() -> None:
    strategy, result = run(sends=False)
    assert strategy.verdict.is_accepted
    assert len(result.orders) == 0


def test_a_market_order_that_would_leave_protected_is_judged_as_that_limit_order() -> None:
    strategy, result = run(LIMITS.replace(market_protection_bps=50), sends=False)
    assert strategy.verdict.order.order_type == "limit"
    assert strategy.verdict.order.limit_price == 100.5
    assert len(result.orders) == 0


class Listing(Strategy):
    """Asks about several at once, and nonsense."""

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.asked: Any = None

    def on_bar(self, bar: Any) -> None:
        two = [{"side": "buy", "symbol": "SPY", "quantity": q} for q in (10, 600)]
        self.asked = self.validate(two, tag="t")
        with pytest.raises(OrderError, match="no term 'limit'"):
            self.validate(two[0], limit=5)
        with pytest.raises(ConfigError, match="side is None"):
            self.validate({"symbol": "SPY", "quantity": 1})
        with pytest.raises(OrderError, match="quantity or a notional"):
            self.validate({"side": "buy", "symbol": "SPY"})


def test_a_list_is_answered_by_a_list_and_mistakes_raise() -> None:
    strategy = Listing()
    options: dict[str, Any] = {"symbol": "SPY", "label": "open", "progress": False}
    backtest(strategy, bars(), limits=LIMITS, **options)
    assert [bool(verdict) for verdict in strategy.asked] == [True, False]


class Overriding(Strategy):
    """Asks with an override in force; only the order that is sent may use it up."""

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.count = 0
        self.verdicts: list[bool] = []
        self.large = {"side": "buy", "symbol": "SPY", "quantity": 501}

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count == 2:
            gate: Any = self.kernel_gate
            gate.allow_once("max_order_quantity", "Ann", "rebalance")
            self.verdicts = [bool(self.validate(self.large)) for _ in range(3)]
            self.submit(self.large)
        if self.count == 4:
            self.verdicts.append(bool(self.validate(self.large)))


def test_an_override_is_not_used_up_by_asking() -> None:
    engine = BacktestEngine(cash=1_000_000, gate=(gate := RiskEngine(LIMITS)))
    engine.add_data(bars(), symbol="SPY", label="open")
    strategy = Overriding()
    strategy.kernel_gate = gate
    engine.add_strategy(strategy)
    engine.run()
    assert strategy.verdicts == [True, True, True, False]
    used = [change for change in gate.changes if change.after == "let pass"]
    assert len(used) == 1
