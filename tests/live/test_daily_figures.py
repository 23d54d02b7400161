"""The broker's daily bars tell a node what a day's volume and range are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pyrt import Strategy
from pyrt.data.columns import BarColumns
from pyrt.live.replay.replay import replay
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.test_margin import DAY
from tests.live.test_walking_skeleton import MINUTE, START
from tests.live.whole import SECOND, Node, World

LIMITS = Limits(
    max_adv_share="0.01",
    adv_sessions=2,
    max_order_quantity=100_000,
    max_position_notional=10_000_000,
    max_gross_exposure=10_000_000,
    max_daily_loss=500_000,
    max_open_orders=10,
    max_orders_per_minute=1_000,
    price_collar_bps=1_000,
    stale_data_after="30d",
)


def three_days(minutes: int = 60) -> BarColumns:
    """Return the last minutes of three sessions; volumes grow by the day: 100, 200, 300 each."""
    ends = [START + day * DAY + 390 * MINUTE for day in range(3)]
    ts_open = np.concatenate([end - MINUTE * np.arange(minutes, 0, -1) for end in ends])
    close = np.full(3 * minutes, 100.0)
    return BarColumns(
        symbol="SPY", timeframe="1m", timeframe_ns=MINUTE,
        ts_open=ts_open, ts_close=ts_open + MINUTE, ts_init=ts_open + MINUTE,
        open=close, high=close, low=close, close=close,
        volume=np.repeat([100.0, 200.0, 300.0], minutes),
    )  # fmt: skip


class Asks(Strategy):
    """Buys every ten minutes, and notes what becomes of it."""

    quantity: float = 75

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.answers: list[str] = []

    def on_bar(self, bar: Any) -> None:
        if bar.ts_event // MINUTE % 10 == 5:
            self.buy("SPY", self.quantity)

    def on_order(self, event: Any) -> None:
        if event.kind in ("denied", "accepted"):
            self.answers.append(event.reason.split(":")[0] or event.kind)


def begun(world: World, quantity: float, run_id: str = "one", files: Any = None) -> Node:
    strategy = Asks(quantity=quantity)
    node = Node(world, files or MemoryFiles(), [strategy], run_id=run_id, limits=LIMITS)
    node.start()
    return node


NO, YES = ["max_adv_share"] * 6, ["accepted"] * 6


@pytest.mark.parametrize(
    ("quantity", "expected"),
    # Nothing is known on the first day, 6,000 on the second, 9,000 on average on the third.
    [(60, NO + YES + YES), (61, NO + NO + YES), (90, NO + NO + YES), (91, NO + NO + NO)],
)
def test_the_days_that_have_ended_decide_and_a_replay_decides_alike(quantity, expected):
    node = begun(World([three_days()]), quantity)
    node.run()
    node.stop()
    assert node.kernel.strategies[0].answers == expected
    again = Asks(quantity=quantity)
    assert replay(node.files, [again]).is_exact
    assert again.answers == expected


def test_a_session_counts_an_hour_after_its_end_though_its_bar_ends_at_midnight():
    world = World([three_days()])
    node = begun(world, 1)
    node.run(3 * 60)
    end = START + 390 * MINUTE + 5 * SECOND
    order = {"symbol": "SPY", "side": "buy", "quantity": 60}
    for ts, code in ((end, "max_adv_share"), (end + 60 * MINUTE, "")):
        node.settle(ts)
        assert node.kernel.strategies[0].validate(order).code == code
    order["quantity"] = 61
    assert "6000" in node.kernel.strategies[0].validate(order).reason


def test_the_day_under_way_has_no_part_in_it():
    world = World([three_days()])
    first = begun(world, 1)
    first.run(3 * 150)
    node = begun(world, 1, "two", first.crash())
    node.run(3)
    verdict = node.kernel.strategies[0].validate({"symbol": "SPY", "side": "buy", "quantity": 90})
    assert verdict.code == ""
    verdict = node.kernel.strategies[0].validate({"symbol": "SPY", "side": "buy", "quantity": 91})
    assert (verdict.by, verdict.code) == ("risk", "max_adv_share")
    assert "9000" in verdict.reason


def test_without_history_nothing_is_let_through_and_somebody_is_told():
    world = World([three_days()])
    node = Node(world, MemoryFiles(), [Asks()], run_id="one", limits=LIMITS)
    node.start()
    assert "no_volume" in {code for code, _ in node.alarms}


# -- ranges ----------------------------------------------------------------------------------------

RANGED = LIMITS.replace(max_adv_share=None, max_position_loss_atr=1, atr_sessions=2)


def ranged_days(last: float, minutes: int = 60) -> BarColumns:
    """Return the last minutes of three sessions: 98 to 102, 97 to 103, and a fall to `last`."""
    data, close = three_days(minutes), np.full(3 * minutes, 100.0)
    for day, (low, high) in enumerate(((98.0, 102.0), (97.0, 103.0), (last, 100.0))):
        for row, price in ((10, high), (40, low)):
            close[day * minutes + row] = price
    return replace(data, open=close, high=close, low=close, close=close)


class Holds(Asks):
    """Tries to buy on the first day, and buys on the third."""

    def on_bar(self, bar: Any) -> None:
        if bar.ts_event // MINUTE % 60 == 5 and self.position("SPY").is_flat:
            self.buy("SPY", 10)


@pytest.mark.parametrize(("last", "leaves"), [(95.0, False), (94.99, True)])
def test_a_position_is_left_past_the_multiple_of_what_the_broker_says(last, leaves):
    node = Node(World([ranged_days(last)]), MemoryFiles(), [Holds()], run_id="one", limits=RANGED)
    node.start()
    assert "no_range" in {code for code, _ in node.alarms}
    node.run()
    node.stop()
    assert node.kernel.gate.stops.atr == {"SPY": 5.0}
    assert node.kernel.strategies[0].answers[0] == "max_position_loss_atr"
    changes = [change for change in node.kernel.gate.changes if change.after == "leaving"]
    assert len(changes) == int(leaves)
    assert replay(node.files, [Holds()]).is_exact
