"""The same strategy in a backtest and in a node gives the same fills; and this can fail.

Node, client and simulator cores exchange bytes in one process. What is planted here into the node
has to show in the comparison: a comparison that finds nothing proves nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from pyrt import load
from pyrt.core.times import timestamp_ns
from pyrt.errors import StrategyError
from tests.live.lockstep import Lockstep
from tests.live.strategies import Busy, Cross, Hasty, Ladder, Pairs, walk
from tests.live.worlds import backtested, lived
from tests.minutes import MINUTE

CASES = [
    pytest.param(Cross, ("SPY",), {}, id="cross"),
    pytest.param(Ladder, ("SPY",), {}, id="ladder"),
    pytest.param(Hasty, ("SPY",), {}, id="hasty"),
    pytest.param(Busy, ("SPY", "QQQ"), {}, id="busy"),
    pytest.param(Busy, ("SPY", "QQQ"), {"participation": 0.02}, id="busy_in_parts"),
    pytest.param(Pairs, ("SPY",), {}, id="pairs"),
    pytest.param(Pairs, ("SPY",), {"participation": 0.02}, id="pairs_in_parts"),
    pytest.param(
        lambda: Pairs(partial="cancel"), ("SPY",), {"participation": 0.02}, id="pairs_canceled"
    ),
]


@pytest.mark.parametrize(("kind", "symbols", "options"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_both_worlds_trade_alike(kind, symbols, options, seed):
    data = [walk(seed + i, symbol) for i, symbol in enumerate(symbols)]
    backtest = backtested([kind()], data, **options)
    assert len(backtest.fills) > 15
    assert backtest.differs_in(lived([kind()], data, **options)) == ""


def test_the_busy_strategy_is_busy():
    data = [walk(7, "SPY"), walk(8, "QQQ")]
    fills = backtested([Busy()], data).fills
    symbols_and_sides = {(symbol, side) for _, symbol, side, *_ in fills}
    assert symbols_and_sides == {(s, side) for s in ("SPY", "QQQ") for side in (1, -1)}
    sizes = {quantity for *_, quantity, _, _ in fills}
    # The bracket's 40, the timer's 3 and 5, each on its own.
    assert {Decimal(40), Decimal(3), Decimal(5)} <= sizes
    in_parts = backtested([Busy()], data, participation=0.02).fills
    assert Decimal(20) in {quantity for *_, quantity, _, _ in in_parts}
    assert {fee for *_, fee in fills} - {Decimal(0)}


def recorded(shared_data: Any, day: str, minutes: int) -> list[Any]:
    """Return SPY's minute bars from the open of a day on."""
    import pandas as pd

    frame = pd.read_parquet(shared_data / "eq_bars_1m.parquet")
    start = timestamp_ns(f"{day}T13:30:00Z")
    of_day = frame.ts_event.between(start, start + (minutes - 1) * MINUTE)
    return load(frame[(frame.symbol == "SPY") & of_day], symbol="SPY").columns


@pytest.mark.parametrize("day", ["2013-10-07", "2013-10-08", "2013-10-11"])
def test_recorded_bars_trade_alike(shared_data, day):
    data = recorded(shared_data, day, 390)
    assert len(data[0]) == 390
    for kind, options in ((Cross, {}), (Ladder, {"participation": 0.0005})):
        backtest = backtested([kind()], data, **options)
        assert len(backtest.fills) > 20
        assert backtest.differs_in(lived([kind()], data, **options)) == ""


# -- planted faults: each has to show ----------------------------------------------------------


def of_bars(change: Any) -> Any:
    """Plant a change into what the client makes of market data: `change(bar, number) → bars`."""

    def plant(world: Lockstep) -> None:
        plain, count = world.client.receive_market_data, iter(range(1 << 30))

        def planted(frame, now=None):
            found = []
            for event in plain(frame, now):
                found.extend(change(event, next(count)) if event.WHAT == "bar" else [event])
            return found

        world.client.receive_market_data = planted

    return plant


def of_fills(change: Any) -> Any:
    """Plant a change into what the client makes of executions: `change(fill) → fills`."""

    def plant(world: Lockstep) -> None:
        plain = world.client.ledger.apply

        def planted(*args, **named):
            found = []
            for event in plain(*args, **named):
                found.extend(change(event) if event.WHAT == "fill" else [event])
            return found

        world.client.ledger.apply = planted

    return plant


def bar_shifted_by_one():
    """Each bar is told when the next one is over."""
    held = []

    def change(bar, number):
        held.append(bar)
        if number == 0:
            return []
        late = held[-2]
        return [replace(late, ts_open=bar.ts_open, ts_close=bar.ts_close)]

    return of_bars(change)


def once(number: int, change: Any) -> Any:
    """Spoil the execution of this number only."""
    count = iter(range(1 << 30))
    return lambda fill: change(fill) if next(count) == number else [fill]


def doubled(fill: Any) -> list[Any]:
    more = Decimal(fill.cumulative) + Decimal(fill.quantity)
    return [fill, replace(fill, cumulative=f"{more:f}")]


def in_single_precision(fill: Any) -> list[Any]:
    return [replace(fill, price=f"{np.float32(fill.price):.9f}")]


def stop_loss_lost(world: Lockstep) -> None:
    plain = world.simulator.request

    def planted(method, path, body):
        if method == "POST":
            body = body.replace(b'"order_class":"bracket"', b'"order_class":"oto"')
            start = body.find(b',"stop_loss"')
            body = body if start < 0 else body[:start] + b"}"
        return plain(method, path, body)

    world.simulator.request = planted


def sent_twice(world: Lockstep) -> None:
    plain = world.simulator.request

    def planted(method, path, body):
        if method == "POST" and b"bracket" not in body:
            plain(method, path, body.replace(b'"pyrt-', b'"again-'))
        return plain(method, path, body)

    world.simulator.request = planted


FAULTS = {
    "bar_shifted_by_one": bar_shifted_by_one(),
    "bar_dropped": of_bars(lambda bar, n: [] if n % 20 == 4 else [bar]),
    "close_moved_by_a_tick": of_bars(
        lambda bar, n: [replace(bar, prices=(*bar.prices[:3], bar.prices[3] + 0.01 * (n % 2), 1))]
    ),
    "fill_dropped": of_fills(once(3, lambda fill: [])),
    "fill_doubled": of_fills(once(3, doubled)),
    "fill_halved": of_fills(
        lambda fill: [replace(fill, quantity=f"{Decimal(fill.quantity) / 2:f}")]
    ),
    "fill_stamped_late": of_fills(lambda fill: [replace(fill, ts_event=fill.ts_event + MINUTE)]),
    "price_through_float32": of_fills(in_single_precision),
    "stop_loss_lost": stop_loss_lost,
    "sent_twice_under_another_id": sent_twice,
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name):
    data = [walk(7, "SPY"), walk(8, "QQQ")]
    backtest = backtested([Busy()], data)
    assert backtest.differs_in(lived([Busy()], data)) == ""
    if name == "fill_doubled":
        # The kernel finds it first.
        with pytest.raises(StrategyError, match="filled beyond that"):
            lived([Busy()], data, FAULTS[name])
        return
    assert backtest.differs_in(lived([Busy()], data, FAULTS[name])) != ""


def test_a_forgotten_fee_is_found():
    data = [walk(7, "SPY")]
    live = lived([Cross()], data, node_fees="none")
    assert "fill" in backtested([Cross()], data).differs_in(live)


def test_a_timer_before_its_bars_is_found():
    data = [walk(7, "SPY"), walk(8, "QQQ")]
    live = lived([Busy()], data, timers_first=True)
    assert backtested([Busy()], data).differs_in(live) != ""


def test_a_bar_that_keeps_its_open_stamp_is_found():
    data = [walk(7, "SPY")]
    strategy = {"timeframe": "5m", "fast": 2, "slow": 3}
    kept = of_bars(
        lambda bar, n: [replace(bar, ts_open=bar.ts_open - MINUTE, ts_close=bar.ts_open)]
    )
    backtest = backtested([Cross(**strategy)], data)
    assert backtest.differs_in(lived([Cross(**strategy)], data)) == ""
    assert backtest.differs_in(lived([Cross(**strategy)], data, kept)) != ""
