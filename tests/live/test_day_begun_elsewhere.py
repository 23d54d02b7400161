"""The loss of a day that no run has seen begin counts from what the account had then."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from pyrt import Strategy
from pyrt.core.times import timestamp_ns
from pyrt.data.columns import BarColumns
from pyrt.live.core.broker import BrokerAdjustment
from pyrt.live.core.terms import gained_today
from pyrt.live.replay.replay import replay
from pyrt.risk import BreakerState
from pyrt.risk.breaker import CircuitBreaker
from pyrt.testing.files import MemoryFiles
from tests.live.test_account_days import CLOSE, state
from tests.live.test_breaker_reset import LIMITS
from tests.live.test_ways_out import killed
from tests.live.whole import PHASES, Node, World, policies
from tests.minutes import MINUTE, START

DAY = 86_400_000_000_000
TIERS = LIMITS.replace(max_daily_loss=100, halt_daily_loss=200, halt_flattens=True)


def days(*closes: list[float]) -> BarColumns:
    """Return minute bars that begin anew each day."""
    close = np.concatenate([np.array(each, float) for each in closes])
    opens = [START + day * DAY + MINUTE * np.arange(len(each)) for day, each in enumerate(closes)]
    ts_open = np.concatenate(opens)
    return BarColumns(
        symbol="SPY", timeframe="1m", timeframe_ns=MINUTE,
        ts_open=ts_open, ts_close=ts_open + MINUTE, ts_init=ts_open + MINUTE,
        open=close, high=close + 0.1, low=close - 0.1, close=close,
        volume=np.full(len(close), 1_000.0),
    )  # fmt: skip


class Holds(Strategy):
    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_save(self):
        return {"seen": self.seen}

    def on_load(self, saved):
        self.seen = saved["seen"]

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 30)


def moved(when: str, amount: int, kind: str = "cash") -> BrokerAdjustment:
    ts = timestamp_ns(f"{when}:00:00Z")
    return BrokerAdjustment(
        activity_id=when, kind=kind, symbol="", quantity=Decimal(0), amount=Decimal(amount),
        text="", ts_event=ts,
    )  # fmt: skip


def started(world: World, files: MemoryFiles, name: str, way: str) -> Node:
    made = Node(world, files, [Holds()], run_id=name, limits=TIERS, policies=policies(way))
    made.start()
    return made


def skip(world: World, count: int) -> None:
    for _ in range(count):
        next(world.instants)
        world.step += 1
        world.simulator.take_trade_updates()
        world.simulator.take_market_data()


@pytest.mark.parametrize("way", ["saved", "played"])
@pytest.mark.parametrize(
    ("monday", "tuesday", "lost"),
    [
        # What Monday has lost after the node had stopped is no loss of Tuesday's: all was sold.
        (90, [90] * 40, 0),
        # What it had gained hid as large a loss of Tuesday's.
        (120, [120] * 4 + [110] * 30, 300),
        # Tuesday's loss before the start is one, too.
        (100, [94] * 40, 180),
    ],
)
def test_the_days_loss_counts_from_the_close_before(monday, tuesday, lost, way):
    world, files = World([days([100] * 5 + [monday] * 15, tuesday)]), MemoryFiles()
    first = started(world, files, "one", way)
    first.run(4 * PHASES)
    if way == "saved":
        first.stop()
    else:
        files = killed(first)
    skip(world, 18 * PHASES)
    second = started(world, files, "two", way)
    second.run(14 * PHASES)
    breaker = second.kernel.gate.breaker
    assert breaker.day_loss == pytest.approx(lost, abs=5)
    assert breaker.state == (BreakerState.OPEN if lost else BreakerState.CLOSED)
    assert second.kernel.strategies[0].position("SPY").quantity == (0 if lost > 200 else 30)
    second.stop()
    assert replay(second.files, [Holds()], run_id="two").is_exact


@pytest.mark.parametrize(
    ("changes", "gained"),
    [
        ({}, 7),
        ({"adjustments": (moved("2024-01-03T10", 4), moved("2024-01-02T12", 9))}, 3),
        # A dividend is a gain.
        ({"adjustments": (moved("2024-01-03T10", 4, kind="dividend"),)}, 7),
        # At night and on days without a session nothing says what was gained since.
        ({"next_close": CLOSE + DAY}, 0),
        ({"next_close": 0}, 0),
        ({"balance_date": "2024-01-03"}, 0),
        ({"positions": {"SPY": Decimal(1), "GME": Decimal(1)}}, 0),
        ({"positions": {"SPY": Decimal(1)}}, 7),
    ],
)
def test_what_a_day_has_gained_is_known_where_it_is_the_accounts_own(changes, gained):
    values = {"equity": Decimal(107), "last_equity": Decimal(100)}
    assert gained_today(state(**{**values, **changes}), {"SPY"}) == gained


def test_a_day_begins_once_and_only_where_another_was_known():
    breaker = CircuitBreaker(TIERS)
    breaker.begin_day(DAY, 500)
    breaker.note_equity(DAY, 1_000)
    assert breaker.day_loss == 0
    breaker.begin_day(DAY + 5, 2_000)
    breaker.note_equity(DAY + 6, 990)
    assert breaker.day_loss == 10
    breaker.begin_day(2 * DAY, 1_200)
    breaker.note_equity(2 * DAY + 1, 1_150)
    assert breaker.day_loss == 50
    assert breaker.drawdown == pytest.approx(50 / 1_200)
