"""Second tiers, warnings, old orders, daily volumes: by hand, on both sides of each limit."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt import BacktestEngine, Strategy
from pyrt.errors import ConfigError
from pyrt.risk import CircuitBreaker, Limits, RiskEngine, TradingState
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code

DAY = 86_400_000_000_000


def rig(*, strict: bool = False, **limits: Any) -> GateRig:
    return GateRig(RiskEngine(Limits(**limits), strict=strict), cash=100_000, prices=100)


def held(quantity: float = 100, **limits: Any) -> GateRig:
    """A rig that holds units bought at 100."""
    made = rig(**limits)
    made.hold(quantity)
    made.sample()
    return made


def scopes(made: GateRig) -> list[str]:
    return [change.scope for change in made.gate.changes]


# 100 units bought at 100 with 100,000: a fall of the price by 1 loses 100.
HALTS = [
    ({"halt_daily_loss": 500}, 95.0, False),
    ({"halt_daily_loss": 500}, 94.99, True),
    ({"halt_daily_loss": None, "max_daily_loss": 100}, 50.0, False),
    ({"halt_daily_loss_fraction": 0.005}, 95.0, False),
    ({"halt_daily_loss_fraction": 0.005}, 94.99, True),
    # The first tier has opened the breaker; the second strikes all the same.
    ({"max_daily_loss": 100, "halt_daily_loss": 500}, 94.99, True),
]


@pytest.mark.parametrize(("limits", "price", "halts"), HALTS)
def test_the_second_tier_halts_past_its_limit_only(
    limits: dict[str, Any], price: float, halts: bool
) -> None:
    made = held(**limits)
    resting = made.order("sell", 100, limit_price=150)
    made.answer("accept", resting)
    if "max_daily_loss" in limits:
        made.price(98.0)
        made.sample()
    made.price(price)
    made.sample()
    made.settle()
    expected = TradingState.HALTED if halts else TradingState.ACTIVE
    assert made.gate.state() == expected
    assert (resting in made.venue.withdrawn) == halts
    if halts:
        (change,) = [c for c in made.gate.changes if c.after == "HALTED"]
        assert change.reason.startswith(next(n for n in limits if n.startswith("halt_")))
        assert code(made.order("sell", 10)) == "trading_state"


def test_it_may_leave_positions_first() -> None:
    made = held(halt_daily_loss=500, halt_flattens=True)
    made.price(90.0)
    made.sample()
    made.settle()
    exit = made.venue.submitted[-1]
    assert (exit.side.name, exit.quantity) == ("SELL", 100)
    assert made.gate.state() == TradingState.REDUCING


def test_it_strikes_once_a_day_so_that_a_person_can_let_trading_go_on() -> None:
    made = held(halt_daily_loss=500)
    made.price(90.0)
    made.sample()
    made.gate.set_state("active", "Ann", "looked into it")
    made.price(89.0)
    made.sample()
    assert made.gate.state() == TradingState.ACTIVE
    made.wait(DAY)
    made.sample()
    made.price(80.0)
    made.sample()
    assert made.gate.state() == TradingState.HALTED


def test_that_it_has_struck_survives_a_restart() -> None:
    first = CircuitBreaker(Limits(halt_daily_loss=500))
    first.note_equity(0, 100_000)
    first.note_equity(1, 99_000)
    assert first.take_halt() == "halt_daily_loss: loss 1000.00 is over the limit of 500.00"
    assert first.take_halt() is None
    second = CircuitBreaker(Limits(halt_daily_loss=500))
    second.restore(first.save())
    second.note_equity(2, 98_000)
    assert second.take_halt() is None


def test_the_second_tier_may_not_lie_before_the_first() -> None:
    Limits(max_daily_loss=500, halt_daily_loss=500)
    with pytest.raises(ConfigError, match="no less than max_daily_loss"):
        Limits(max_daily_loss=500, halt_daily_loss=499)


# A day's loss of 1,000 at most, told of from 70 % on.
@pytest.mark.parametrize(
    ("warn_at", "price", "told"), [(0.7, 93.01, False), (0.7, 93, True), (None, 91, False)]
)
def test_a_loss_is_told_of_when_it_comes_near(warn_at: Any, price: float, told: bool) -> None:
    made = held(max_daily_loss=1_000, warn_at=warn_at)
    for _ in range(3):
        made.price(price)
        made.sample()
    assert scopes(made).count("warning max_daily_loss") == told


@pytest.mark.parametrize(
    ("limits", "quantity", "told"),
    [
        ({"max_gross_exposure": 10_000}, 69.9, ""),
        ({"max_gross_exposure": 10_000}, 70, "warning max_gross_exposure"),
        ({"max_net_exposure": 10_000}, 70, "warning max_net_exposure"),
        ({"max_leverage": 0.1}, 69.9, ""),
        ({"max_leverage": 0.1}, 70, "warning max_leverage"),
        ({"max_open_orders": 1}, 1, "warning max_open_orders"),
        ({"max_open_orders": 2}, 1, ""),
    ],
)
def test_exposure_is_told_of_when_it_comes_near(
    limits: dict[str, Any], quantity: float, told: str
) -> None:
    made = rig(**limits, warn_at=0.7)
    assert code(made.order("buy", quantity)) == ""
    assert scopes(made) == ([told] if told else [])


@pytest.mark.parametrize("share", [None, 1])
def test_without_a_share_to_warn_at_nothing_is_told(share: Any) -> None:
    made = rig(
        max_gross_exposure=10_000, max_net_exposure=10_000, max_leverage="0.1", max_open_orders=2,
        max_daily_loss=1_000, warn_at=share,
    )  # fmt: skip
    made.hold(99)
    made.sample()
    made.price(91)
    made.sample()
    made.order("buy", "0.5")
    assert scopes(made) == []


def test_a_warning_comes_once_a_day() -> None:
    made = rig(max_gross_exposure=10_000, warn_at=0.7)
    for _ in range(3):
        made.order("buy", 75)
        made.wait(DAY // 4)
    assert scopes(made) == ["warning max_gross_exposure"]
    made.wait(DAY)
    made.order("buy", 1)
    assert scopes(made) == ["warning max_gross_exposure"] * 2


def test_an_order_that_works_for_too_long_is_told_of_once() -> None:
    made = rig(max_order_age="60s")
    made.answer("accept", made.order("buy", 1, limit_price=90))
    made.wait("60s")
    made.price(100)
    assert scopes(made) == []
    for _ in range(3):
        made.wait("61s")
        made.price(100)
    assert len(scopes(made)) == 1
    assert made.gate.changes[0].reason.startswith("max_order_age: ")


@pytest.mark.parametrize("news", ["price", "order"])
@pytest.mark.parametrize("limits", [{"max_order_age": "60s"}, {"max_order_quantity": 9}])
def test_whatever_comes_an_old_order_is_told_of_by_the_limit_of_now(
    limits: dict[str, Any], news: str
) -> None:
    made = rig(**limits)
    order = made.order("buy", 1, limit_price=90)
    made.answer("accept", order)
    made.price(100)
    made.gate.set_limits(Limits(max_order_age="60s"), "Ann", "watch them")
    made.wait("60.000000001s")
    if news == "price":
        made.price(100)
    else:
        made.order("buy", 1, limit_price=80)
    assert scopes(made)[1:] == [f"order {order.client_order_id}"]
    assert made.gate.changes[-1].reason == "max_order_age: it works for 60 s, more than 60 s"


@pytest.mark.parametrize("news", ["price", "order"])
def test_old_orders_are_looked_for_once_a_minute(news: str) -> None:
    made = rig(max_order_age="30s")
    made.order("buy", 1, limit_price=90)
    made.price(100)
    for wait, told in (("59.999999999s", 0), (1, 1), ("30s", 1)):
        made.wait(wait)
        if news == "price":
            made.price(100)
        else:
            made.answer("reject", made.order("buy", 1, limit_price=80))
        assert len(scopes(made)) == told


def test_an_order_is_old_past_its_age_only() -> None:
    made = rig(max_order_age="60s")
    made.wait("5s")
    made.order("buy", 1, limit_price=90)
    for wait, told in (("60s", 0), ("60s", 1)):
        made.wait(wait)
        made.price(100)
        assert len(scopes(made)) == told


# A symbol that trades 10,000 a day; no more than one per cent of it.
@pytest.mark.parametrize(
    ("limit", "quantity", "denied"),
    [(0.01, 99.9, False), (0.01, 100, False), (0.01, 100.1, True), (None, 9_999, False)],
)
def test_an_order_may_be_no_more_than_a_share_of_the_daily_volume(
    limit: Any, quantity: float, denied: bool
) -> None:
    made = rig(max_adv_share=limit)
    made.gate.set_adv("AAA", 10_000)
    assert code(made.order("buy", quantity)) == ("max_adv_share" if denied else "")


def test_without_a_stated_volume_only_a_strict_gate_denies() -> None:
    assert code(rig(max_adv_share=0.01).order("buy", 500)) == ""
    strict: dict[str, Any] = {
        "max_order_quantity": 1_000,
        "max_position_quantity": 1_000,
        "max_gross_exposure": 100_000,
        "max_daily_loss": 1_000,
        "max_open_orders": 10,
        "max_orders_per_minute": 10,
        "price_collar_bps": 500,
        "stale_data_after": "1h",
    }
    made = rig(strict=True, max_adv_share=0.01, **strict)
    assert code(made.order("buy", 5)) == "max_adv_share"
    for volume in (0, -1, float("nan"), "much", None):
        with pytest.raises(ConfigError, match=r"the volume of AAA is .*number"):
            made.gate.set_adv("AAA", volume)


def test_an_order_by_value_is_held_to_the_units_that_it_buys() -> None:
    made = rig(max_adv_share=0.01)
    made.gate.set_adv("AAA", 1_000)
    assert code(made.order("buy", notional=1_000.01)) == "max_adv_share"
    assert code(made.order("buy", notional=1_000)) == ""


def test_a_change_is_held_to_the_share_of_volume_by_its_whole_quantity() -> None:
    made = rig(max_adv_share=0.01)
    made.gate.set_adv("AAA", 1_000)
    order = made.order("buy", 8, limit_price=100)
    made.answer("accept", order)
    made.fill(order, 3)
    assert not made.modify(order, quantity=10.5)
    assert made.modify(order, quantity=10)


def test_reductions_pass_the_share_of_volume() -> None:
    made = held(100)
    made.gate.set_limits(Limits(max_adv_share=0.01), "Ann", "smaller")
    made.gate.set_adv("AAA", 1_000)
    assert code(made.order("sell", 100)) == ""


class Looking(Strategy):
    def on_start(self) -> None:
        self.subscribe_book("AAA")
        self.sent: Any = None

    def on_book(self, book: Any) -> None:
        if self.sent is None and len(book.asks(5)) == 2:
            self.sent = (self.buy("AAA", 10), self.buy("AAA", 30))


def test_the_guard_looks_into_the_books_that_strategies_follow() -> None:
    """10 at 100.1 cost 10 bps against 100; 30 reach the level at 105 and cost 337 bps."""
    levels = [("bid", 99.9, 10), ("ask", 100.1, 10), ("ask", 105.0, 50)]
    stamps = [1_709_562_600_000_000_000 + 1_000_000_000 * i for i in range(3)]
    table = pd.DataFrame(
        {
            "ts_event": stamps,
            "side": [side for side, *_ in levels],
            "price": [price for _, price, _ in levels],
            "size": [float(size) for *_, size in levels],
            "action": "set",
            "flags": 2,
            "sequence": range(3),
        }
    )
    gate = RiskEngine(Limits(max_slippage_bps=50))
    # A gate that is used again looks into the books of its new run.
    for _ in range(2):
        engine = BacktestEngine(cash=1_000_000, gate=gate)
        engine.add_data(table, symbol="AAA")
        strategy = Looking()
        engine.add_strategy(strategy)
        engine.run()
        small, large = strategy.sent
        assert small.status != "DENIED"
        assert large.reason.startswith("max_slippage_bps: ")


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_without_quote_and_book_only_a_strict_gate_denies_for_slippage(side: str) -> None:
    """Nothing is known of the cost: neither that it is none nor that it is all."""
    assert code(rig(max_slippage_bps=10).order(side, 1)) == ""
    strict: dict[str, Any] = {
        "max_order_quantity": 1_000,
        "max_position_quantity": 1_000,
        "max_gross_exposure": 100_000,
        "max_daily_loss": 1_000,
        "max_open_orders": 10,
        "max_orders_per_minute": 10,
        "price_collar_bps": 500,
        "stale_data_after": "1h",
    }
    made = rig(strict=True, max_slippage_bps=10, **strict)
    made.price(100)
    order = made.order(side, 1)
    assert code(order) == "max_slippage_bps"
    assert "no price or quote" in order.reason


@pytest.mark.parametrize("how", ["halted", "trading_state"])
def test_what_switches_the_gate_on_counts_what_works_already(how: str) -> None:
    made = rig()
    made.hold(100)
    first = made.order("sell", 100, limit_price=150)
    assert code(first) == ""
    if how == "halted":
        made.gate.set_halted("AAA", True)
    else:
        made.gate.set_state("reducing", "Ann", "odd prices")
    # All that is held is on sale: a second sale would go short, which only raises exposure.
    assert code(made.order("sell", 100)) == how
