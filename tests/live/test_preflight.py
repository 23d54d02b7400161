"""Asking inside of a node: limits and Alpaca's rules answer, and no byte leaves."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.core.instruments import equity
from pyrt.live.core.node import NodeCore
from pyrt.live.core.preflight import KernelBooks, Preflight
from pyrt.risk import Limits
from pyrt.risk.gate import BasicGate
from pyrt.testing.files import MemoryFiles
from tests.adapters.client.exchange import bars
from tests.live.cores import COIN, NOW, SECOND, Wire, core_of, trade
from tests.live.whole import Node, World

LIMITS = Limits(
    max_order_quantity=100,
    max_position_notional=50_000,
    max_gross_exposure=90_000,
    max_daily_loss=5_000,
    max_open_orders=10,
    max_orders_per_minute=30,
    price_collar_bps=1_000,
    stale_data_after="10m",
)


class Idle(Strategy):
    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.buy_at = 2
        self.count = 0

    def on_bar(self, bar: Any) -> None:
        self.count += 1
        if self.count == self.buy_at:
            self.buy("SPY", 10)
        if self.count == self.buy_at + 2:
            self.buy("SPY", 5, limit_price=95)


@pytest.fixture
def node():
    world = World([bars([100.0 + i / 10 for i in range(8)])])
    made = Node(world, MemoryFiles(), [Idle()], run_id="pre", limits=LIMITS)
    made.start()
    made.run()
    yield made
    made.journal.close()


@pytest.mark.parametrize(
    ("terms", "by", "code"),
    [
        ({"side": "buy", "quantity": 10}, "", ""),
        ({"side": "buy", "quantity": 101}, "risk", "max_order_quantity"),
        ({"side": "buy", "quantity": 10, "limit_price": 50}, "risk", "price_collar_bps"),
        ({"side": "buy", "quantity": 10, "limit_price": "100.123"}, "venue", "42210000"),
        ({"side": "buy", "quantity": 10, "stop_price": 95}, "venue", "42210000"),
        # Ten are held, and a cash account may not turn.
        ({"side": "sell", "quantity": 11}, "venue", "40310000"),
        # A buy rests at 95: a market sell could meet it.
        ({"side": "sell", "quantity": 10}, "venue", "40310000"),
    ],
)
def test_limits_and_rules_answer_and_nothing_leaves(node, terms, by, code):
    posted = len(node.world.posted)
    (strategy,) = node.kernel.strategies
    verdict = strategy.validate({"symbol": "SPY", **terms})
    assert (verdict.by, verdict.code) == (by, code)
    node.settle(node.world.now)
    assert len(node.world.posted) == posted == 2


def test_the_books_are_those_of_the_kernel(node):
    books = KernelBooks(node.kernel)
    (held,) = books.positions().values()
    (resting,) = books.open_orders()
    assert (held.symbol, held.quantity) == ("SPY", 10)
    assert (resting.side, resting.quantity, resting.limit_price) == ("buy", 5, 95)
    assert (resting.status, resting.is_leg) == ("new", False)
    assert books.free_funds == node.kernel.account.cash_exact
    assert books.market("SPY").last is not None
    assert books.asset_facts("QQQ") is None


# -- a core by itself ------------------------------------------------------------------------------


class Plain(Strategy):
    """Does what the test does for it."""


def test_funds_are_cash_or_what_the_margin_leaves_before_what_waits() -> None:
    for account, free, plain in (("cash", 99_000, 99_000), ("alpaca:2", 198_500, 99_250)):
        core, _ = core_of(BasicGate(), [Plain()], account=account)
        trade(core, 0, "buy", "SPY", 10, 100)
        books = KernelBooks(core.kernel)
        before = books.free_funds, books.unmargined_funds
        order = core.kernel.strategies[0].buy("QQQ", 10, limit_price=50)
        core.inputs.settle()
        core.inputs.order_event("accepted", order.number, NOW)
        # The rules reserve for what waits by themselves.
        assert (books.free_funds, books.unmargined_funds) == before
        if account == "cash":
            assert before == (free, plain)
        else:
            state = core.kernel.account.margin_state()
            assert state["reserved"] > 0
            assert before[0] == state["buying_power"] + state["reserved"]
            assert before[1] == state["non_marginable_buying_power"] + state["reserved"]
            assert before[0] > before[1]


def test_cash_that_is_owed_is_no_funds() -> None:
    core, _ = core_of(BasicGate(), [Plain()], cash=10)
    core.inputs.cash(NOW, -15)
    books = KernelBooks(core.kernel)
    assert (books.free_funds, books.unmargined_funds) == (-5, -5)


def test_an_asset_is_what_its_instrument_is() -> None:
    wire = Wire()
    instruments = [
        equity("SPY"),
        equity("ODD", tradable=False),
        equity("HARD", shortable=False),
        equity("WHOLE", step_size=1),
    ]
    core = NodeCore(wire, BasicGate(), instruments, [Plain()], cash=1, prefix="t-")
    books = KernelBooks(core.kernel)
    for symbol, expected in (
        ("SPY", (True, True, True)), ("ODD", (False, True, True)),
        ("HARD", (True, False, True)), ("WHOLE", (True, True, False)),
    ):  # fmt: skip
        facts = books.asset_facts(symbol)
        assert facts is not None
        assert (facts.symbol, facts.asset_class) == (symbol, "us_equity")
        assert (facts.is_tradable, facts.is_shortable, facts.is_fractionable) == expected
    assert books.asset_facts("IBM") is None
    coins = KernelBooks(core_of(BasicGate(), [Plain()])[0].kernel).asset_facts(COIN)
    assert coins is not None
    assert (coins.symbol, coins.asset_class) == (COIN, "crypto")


def test_holdings_of_all_are_one_and_coins_have_no_slash() -> None:
    core, _ = core_of(BasicGate(), [Plain(), Plain()])
    books = KernelBooks(core.kernel)
    assert books.positions() == {}
    trade(core, 0, "buy", "SPY", 10, 100)
    trade(core, 1, "sell", "SPY", 4, 100)
    trade(core, 0, "buy", COIN, "0.5", 100)
    trade(core, 0, "buy", "QQQ", 3, 10)
    trade(core, 1, "sell", "QQQ", 3, 10)
    held = books.positions()
    assert {symbol: float(each.quantity) for symbol, each in held.items()} == {
        "SPY": 6, "BTCUSD": 0.5,
    }  # fmt: skip
    assert {symbol: each.symbol for symbol, each in held.items()} == {
        "SPY": "SPY", "BTCUSD": "BTCUSD",
    }  # fmt: skip


def test_a_market_has_the_last_price_of_its_own_symbol_and_the_present() -> None:
    core, _ = core_of(BasicGate(), [Plain()])
    books = KernelBooks(core.kernel)
    trade(core, 0, "buy", "SPY", 1, "100.25")
    trade(core, 0, "buy", "QQQ", 1, "0.5")
    assert [str(books.market(s).last) for s in ("SPY", "QQQ")] == ["100.25", "0.5"]
    for _ in range(2):
        assert books.market(COIN).last is None
        # A position that has no price yet changes nothing.
        assert math.isnan(core.kernel.strategies[0].position(COIN).last_price)
    assert books.market("IBM").last is None
    assert books.now == NOW
    core.take(NOW + 3 * SECOND, [])
    assert books.now == NOW + 3 * SECOND
    # Half past nine: the session is under way.
    assert books.market("SPY") != KernelBooks(later().kernel).market("SPY")


def later() -> NodeCore:
    core, _ = core_of(BasicGate(), [Plain()])
    core.take(NOW + 12 * 3600 * SECOND, [])
    return core


def test_an_account_says_what_it_is_worth_and_whether_it_may_sell_short() -> None:
    for account, may in (("cash", False), ("alpaca", True)):
        core, _ = core_of(BasicGate(), [Plain()], account=account)
        trade(core, 0, "buy", "SPY", 10, 100)
        core.inputs.cash(NOW, 5)
        facts = KernelBooks(core.kernel).account_facts()
        assert facts.equity == 100_005
        assert facts.is_shorting_enabled == core.kernel.account.can_short
        assert may <= facts.is_shorting_enabled
        assert (facts.buying_power, facts.non_marginable_buying_power) == (0, 0)
    assert len(list(KernelBooks(core.kernel).client_ids)) == 0  # type: ignore[call-overload]


def test_orders_are_those_that_the_broker_has_and_what_it_refuses_is_told() -> None:
    core, _ = core_of(BasicGate(), [Plain()], cash=1_000)
    (strategy,) = core.kernel.strategies
    trade(core, 0, "buy", "SPY", 1, 100)
    books, preflight = KernelBooks(core.kernel), Preflight(core.kernel)
    kept = strategy.buy("SPY", 1, limit_price=50)
    assert [each.id for each in books.open_orders()] in ([], [kept.client_order_id])
    core.inputs.settle()
    core.inputs.order_event("accepted", kept.number, NOW)
    assert [each.id for each in books.open_orders()] == [kept.client_order_id]
    assert preflight(strategy.buy("SPY", 1, limit_price=60)) is None
    refused = preflight(strategy.buy("SPY", 100, limit_price=60))
    assert refused is not None
    assert refused.startswith("40310000: ")
