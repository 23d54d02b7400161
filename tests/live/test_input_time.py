"""Time in a core: what is due on the way, what waits while a node was down, and who runs away."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import (
    AnswerEvent,
    BandsEvent,
    BarEvent,
    BookGapEvent,
    CorrectionEvent,
    FillEvent,
    QuoteEvent,
    StatusEvent,
    TradeEvent,
)
from pyrt.backtest.fees import fee_model
from pyrt.errors import RunawayError
from pyrt.indicators import SMA
from pyrt.live.core.broker import BrokerAdjustment
from pyrt.live.core.node import COMMANDS_MAX, ROUNDS_MAX, NodeCore
from pyrt.live.core.notes import decode_note
from pyrt.live.core.player import play
from pyrt.live.core.tape import Tape
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.gate import BasicGate
from tests.live.cores import COIN, NOW, SECOND, core_of, taken, trade

MINUTE = 60 * SECOND


class Timed(Strategy):
    """Notes timers, and bars of one minute and of two."""

    def on_start(self) -> None:
        self.heard: list[Any] = []
        self.average = self.attach(SMA(2), self.subscribe_bars("SPY", "1m"))
        self.coarse = self.attach(SMA(1), self.subscribe_bars("SPY", "2m"))
        self.set_timer("often", "30s")

    def on_timer(self, event: Any) -> None:
        self.heard.append(("timer", (self.now - NOW) // SECOND))
        self.buy("SPY", 1, limit_price=50)

    def on_bar(self, bar: Any) -> None:
        self.heard.append((bar.timeframe, bar.close, (self.now - NOW) // SECOND))


def bar(minute: int, close: float) -> BarEvent:
    opened = NOW + minute * MINUTE
    return BarEvent("SPY", opened, opened + MINUTE, (close, close + 1, close - 1, close, 10.0))


def timed(**options: Any) -> tuple[NodeCore, Any, Timed]:
    strategy = Timed()
    core, wire = core_of(BasicGate(), [strategy], tape=Tape(), **options)
    taken(core)
    return core, wire, strategy


def by_the_wall(core: NodeCore) -> NodeCore:
    """Let a core live by a clock that goes on while its process stands still."""
    core.kernel.grace_ns = 1
    return core


def last_order(core: NodeCore) -> Any:
    return core.kernel.cache.orders_open()[-1]


def test_what_is_due_at_the_present_fires_when_it_is_asked_to_and_on_the_way_at_its_time() -> None:
    core, wire, strategy = timed()
    inputs = core.inputs
    assert inputs.next_timer == NOW + 30 * SECOND
    core.take(NOW + 30 * SECOND, [])
    assert strategy.heard == []
    count = inputs.count
    core.fire_timers()
    assert inputs.count == count + 1
    assert strategy.heard == [("timer", 30)]
    # What it has sent has left with it.
    assert [what for what, _ in wire.take()] == ["submit"]
    core.fire_timers()
    assert inputs.count == count + 1
    core.take(NOW + 74 * SECOND, [])
    assert strategy.heard == [("timer", 30), ("timer", 60)]
    assert [what for what, _ in wire.take()] == ["submit"]
    assert last_order(core).ts_init == NOW + 60 * SECOND


def test_all_that_waited_for_a_process_that_stood_still_comes_before_timers() -> None:
    core, _, strategy = timed()
    by_the_wall(core).take(NOW + MINUTE, [bar(0, 10.0)])
    strategy.heard.clear()
    for minute in (1, 2, 3):
        core.take(NOW + 245 * SECOND, [bar(minute, 10.0 * minute)])
    core.fire_timers()
    heard = [(kind, at) for kind, *_, at in strategy.heard if kind != "2m"]
    assert heard == [("1m", 245)] * 3 + [("timer", 245)]


def test_after_the_process_stood_still_what_was_due_happens_now_and_once() -> None:
    core, wire, strategy = timed()
    by_the_wall(core).take(NOW + MINUTE, [bar(0, 10.0)])
    strategy.heard.clear()
    wire.take()
    # Bars that have waited for it come before the end of what is made of them.
    core.take(NOW + 245 * SECOND, [bar(1, 20.0)])
    assert strategy.heard == [("1m", 20.0, 245), ("2m", 20.0, 245)]
    assert wire.take() == []
    core.fire_timers()
    assert strategy.heard[2:] == [("timer", 245)]
    assert [what for what, _ in wire.take()] == ["submit"]
    assert last_order(core).ts_init == NOW + 245 * SECOND
    # What is made of bars has its grace once more; timers go on as they were set.
    assert core.inputs.next_timer == NOW + 245 * SECOND + 1
    core.take(NOW + 246 * SECOND, [])
    assert core.inputs.next_timer == NOW + 270 * SECOND
    piece, heard = taken(core), strategy.heard
    other, _, again = timed()
    play(by_the_wall(other).inputs, piece, pytest.fail, pytest.fail)
    assert again.heard[-len(heard) :] == heard
    assert last_order(other).ts_init == NOW + 245 * SECOND


def test_orders_of_a_process_that_stood_still_are_counted_at_one_time() -> None:
    class Often(Strategy):
        def on_start(self) -> None:
            for n in range(4):
                self.set_alert(f"alert {n}", self.now + (n + 1) * 10 * SECOND)

        def on_timer(self, event: Any) -> None:
            self.buy("SPY", 1, limit_price=50)

    core, wire = core_of(RiskEngine(Limits(max_orders_per_second=2)), [Often()])
    by_the_wall(core).take(NOW + MINUTE, [])
    core.fire_timers()
    assert len(wire.take()) == 2


def test_in_lockstep_time_may_leave_out_any_span() -> None:
    core, _, strategy = timed()
    core.take(NOW + 95 * SECOND, [])
    assert strategy.heard == [("timer", 30), ("timer", 60), ("timer", 90)]


def test_what_was_due_and_what_was_settled_is_played_at_its_place() -> None:
    core, wire, strategy = timed()
    core.take(NOW + 30 * SECOND, [])
    core.fire_timers()
    core.take(NOW + 60 * SECOND, [bar(0, 10.0)])
    core.fire_timers()
    strategy.buy("SPY", 7, limit_price=50)
    count = core.inputs.count
    core.inputs.settle()
    assert core.inputs.count == count + 1
    core.inputs.sample()
    assert core.inputs.count == count + 2
    piece, sent = taken(core), wire.take()
    assert sent == [("submit", 1), ("submit", 2), ("submit", 3)]
    other, heard, again = timed()
    # What the test has sent is no input: who plays sends it where that was.
    places: list[int] = []
    played: list[Any] = []

    def on_place(number: int) -> None:
        places.append(number)
        again.buy("SPY", 7, limit_price=50)

    place = other.inputs.count + core.inputs.count - timed()[0].inputs.count - 2
    assert play(other.inputs, piece, played.append, pytest.fail, place=place, on_place=on_place)
    assert again.heard == strategy.heard == [("timer", 30), ("1m", 10.0, 60), ("timer", 60)]
    assert heard.take() == sent
    assert places == [place]
    assert taken(other) == piece
    assert other.kernel.records.equity.count == core.kernel.records.equity.count == 2


def test_while_it_is_held_time_passes_and_fires_what_was_due_once_when_it_is_released() -> None:
    core, _, strategy = timed()
    inputs = core.inputs
    core.take(NOW + MINUTE, [bar(0, 10.0)])
    strategy.heard.clear()
    inputs.hold()
    assert inputs.holds_timers
    assert inputs.holds_bars
    assert inputs.next_timer is None
    core.take(NOW + 200 * SECOND, [])
    core.fire_timers()
    assert strategy.heard == []
    inputs.release_timers()
    assert (inputs.holds_timers, inputs.holds_bars) == (False, True)
    core.fire_timers()
    assert [each for each in strategy.heard if each[0] == "timer"] == [("timer", 200)]
    # A bar made of others waits for those that come from history.
    assert not [each for each in strategy.heard if each[0] == "2m"]
    inputs.release_bars()
    assert not inputs.holds_bars
    core.take(NOW + 201 * SECOND, [])
    assert [each for each in strategy.heard if each[0] == "2m"] == [("2m", 10.0, 200)]


def test_nothing_is_to_be_done_only_where_time_stands_and_nothing_waits() -> None:
    core, _, strategy = timed()
    inputs, now = core.inputs, NOW
    assert inputs.is_idle(now)
    assert inputs.is_idle(now - 1)
    assert not inputs.is_idle(now + 1)
    strategy.buy("SPY", 1, limit_price=50)
    assert not inputs.is_idle(now)
    inputs.settle()
    assert inputs.is_idle(now)
    count = inputs.count
    core.take(now, [])
    assert inputs.count == count
    core.take(NOW + 30 * SECOND, [])
    # A timer is due at the present.
    assert not inputs.is_idle(NOW + 30 * SECOND)


def test_past_bars_warm_indicators_up_and_nobody_hears_or_is_valued_by_them() -> None:
    core, _, strategy = timed()
    trade(core, 0, "buy", "SPY", 10, 100)
    taken(core)
    position = strategy.position("SPY")
    past = [bar(-2, 30.0), bar(-1, 40.0)]
    core.warm("QQQ", past)
    assert not strategy.average.ready
    count = core.inputs.count
    core.warm("SPY", past)
    assert core.inputs.count == count + 1
    # Bars that are made of these are past as well.
    assert (strategy.average.value, strategy.coarse.value) == (35.0, 40.0)
    assert strategy.heard == []
    assert position.last_price == 100
    (stream,) = (s for s in core.kernel.cache.streams if s.topic.endswith("1m"))
    assert core.inputs.last_bars[stream.index] == NOW
    piece = taken(core)
    core.take(NOW + MINUTE, [bar(0, 50.0)])
    assert strategy.average.value == 45.0
    assert position.last_price == 50
    assert ("1m", 50.0, 60) in strategy.heard
    other, _, again = timed()
    play(
        other.inputs, piece,
        lambda data: other.inputs.feed_past(
            other.kernel.cache.streams[decode_note(data)["stream"]], decode_note(data)["rows"]
        ),
        pytest.fail,
    )  # fmt: skip
    assert again.average.value == 35.0
    assert core.bar_symbols == ["SPY"]


class Loops(Strategy):
    """Answers its orders' denials, or its timer, with orders without end."""

    at_timer: bool = False

    def on_start(self) -> None:
        self.set_timer("once", "10s")
        self.loops = True

    def on_timer(self, event: Any) -> None:
        for _ in range(COMMANDS_MAX + 5 if self.at_timer else 1):
            self.buy("SPY", 1, limit_price=50)

    def on_deny(self, event: Any) -> None:
        self.buy("SPY", 1, limit_price=50)


class Calm(Strategy):
    def on_start(self) -> None:
        self.heard = 0
        self.set_timer("once", "10s")

    def on_timer(self, event: Any) -> None:
        self.heard += 1


class Many(Strategy):
    """Issues so many orders, at once or each when the one before is denied."""

    count: int
    at_once: bool

    def on_start(self) -> None:
        self.issued = 0
        self.set_timer("once", "10s")

    def on_timer(self, event: Any) -> None:
        for _ in range(self.count if self.at_once else 1):
            self.issue()

    def on_deny(self, event: Any) -> None:
        if not self.at_once and self.issued < self.count:
            self.issue()

    def issue(self) -> None:
        self.issued += 1
        self.buy("SPY", 1, limit_price=50)


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("count", "is_stopped"), [(1_000, False), (1_001, True)])
def test_a_thousand_orders_may_be_issued_at_one_instant(
    count: int, is_stopped: bool, at_once: bool
) -> None:
    strategy = Many(count=count, at_once=at_once)
    core, _ = core_of(RiskEngine(Limits(max_order_notional=1)), [strategy])
    core.take(NOW + 15 * SECOND, [])
    assert strategy.running != is_stopped


@pytest.mark.parametrize("at_timer", [False, True])
def test_who_issues_without_end_is_stopped_halted_and_told_and_others_go_on(at_timer: bool) -> None:
    gate = RiskEngine(Limits(max_order_notional=1))
    core, wire = core_of(gate, [Calm(), Loops(at_timer=at_timer), Calm()])
    assert core.kernel.rounds_max == ROUNDS_MAX
    core.take(NOW + 15 * SECOND, [])
    core.take(NOW + 25 * SECOND, [])
    running = [strategy.running for strategy in core.kernel.strategies]
    assert running == [True, False, True]
    assert gate.state(strategy="Loops").name == "HALTED"
    assert gate.state(strategy="Calm").name == "ACTIVE"
    assert [error.values["strategy"] for error in core.kernel.errors] == ["Loops"]
    (change,) = gate.changes
    assert (change.actor, change.scope) == ("node", "strategy Loops")
    assert [s.heard for s in core.kernel.strategies if isinstance(s, Calm)] == [2, 2]
    assert wire.take() == []


def test_who_runs_away_and_is_nobody_here_ends_it() -> None:
    core, _ = core_of(BasicGate(), [Calm()])
    error = RunawayError("without end", strategy="Nobody")
    with pytest.raises(RunawayError, match="without end"):
        core.inputs.stop_runaway(error)
    with pytest.raises(RunawayError, match="without end"):
        core.inputs.stop_runaway(RunawayError("without end"))
    assert core.kernel.strategies[0].running
    core.inputs.stop_runaway(RunawayError("too much", strategy="Calm"))
    (strategy,) = core.kernel.strategies
    assert (strategy.running, strategy.stop_reason) == (False, "too much")
    # Once it is stopped there is nothing more that could end it.
    with pytest.raises(RunawayError):
        core.inputs.stop_runaway(RunawayError("too much", strategy="Calm"))


class Ticks(Strategy):
    def on_start(self) -> None:
        self.subscribe_quotes("SPY")
        self.subscribe_trades("SPY")
        self.subscribe_bars("QQQ", "1m")
        self.subscribe_book(COIN)
        self.buy("SPY", 10)


STILL = [
    AnswerEvent("accepted", 1, NOW), FillEvent(1, NOW, "1", "100", "1"),
    StatusEvent("SPY", NOW, "halted"), CorrectionEvent("SPY", NOW, "canceled", 1.0, 1.0),
    BookGapEvent(COIN, NOW), SimpleNamespace(WHAT="cash"), BandsEvent("SPY", NOW, 90.0, 110.0),
    # Put aside: it is more than the order can fill.
    FillEvent(1, NOW, "11", "100", "12"),
    BarEvent("QQQ", NOW, NOW, (1.0, 1.0, 1.0, 1.0, 1.0), "updated"),
]  # fmt: skip


def test_equity_has_a_point_a_second_on_ticks_and_none_for_what_moves_no_price() -> None:
    core, _ = core_of(BasicGate(), [Ticks()])
    core.on_bad_event = lambda event, error: None
    points = core.kernel.records.equity
    quote = QuoteEvent("SPY", NOW, 99.0, 1.0, 101.0, 1.0)
    other = TradeEvent("IBM", NOW, 9.0, 1.0)
    for after, events, count in (
        (0, STILL[:1], 0), (0, [quote], 1), (0, [quote, quote], 1), (0.999, [quote], 1),
        (1, [other], 2), (1.5, [quote], 2), (2.25, [quote, other], 3), (2.9, [other], 3),
        (3, [quote], 4), (3.1, STILL[1:], 4), (4, STILL[3:], 4), (4.2, [quote], 5),
        (5, [BarEvent("QQQ", NOW, NOW, (1.0, 1.0, 1.0, 1.0, 1.0))] * 2, 6),
    ):  # fmt: skip
        ts = NOW + int(after * SECOND)
        core.take(ts, events)
        assert points.count == count, (after, events)


def test_a_monitor_is_told_before_and_after_whatever_runs_handlers() -> None:
    core, _ = core_of(BasicGate(), [Ticks()])
    told: list[str] = []
    core.enter, core.leave = lambda: told.append("enter"), lambda: told.append("leave")
    quote = QuoteEvent("SPY", NOW, 99.0, 1.0, 101.0, 1.0)
    core.take(NOW + SECOND, [quote, quote])
    # As it begins, at each event, and before what follows from all of them.
    assert told == ["enter", "enter", "enter", "enter", "leave"]
    told.clear()
    core.fire_timers()
    assert told == ["enter", "leave"]
    told.clear()
    core.take(NOW + SECOND, [])
    assert told == []


def test_a_run_without_a_tape_has_no_count_and_stops_its_strategies() -> None:
    core, _ = core_of(BasicGate(), [Calm()])
    core.take(NOW + SECOND, [])
    assert core.inputs.count == 0
    assert core.inputs.order(1) is None
    core.stop()
    assert not core.kernel.strategies[0].running


def test_a_fill_that_comes_after_its_order_has_ended_is_taken_all_the_same() -> None:
    core, _ = core_of(BasicGate(), [Ticks()])
    core.take(NOW, [])
    core.take(NOW + 1, [AnswerEvent("canceled", 1, NOW)])
    core.take(NOW + 2, [FillEvent(1, NOW, "4", "100", "4")])
    assert core.kernel.strategies[0].position("SPY").quantity == 4


def test_what_a_fill_cost_by_the_brokers_word_counts_and_else_the_rules() -> None:
    core, _ = core_of(BasicGate(), [Calm()], fees=fee_model("alpaca"))
    order = core.kernel.strategies[0].sell("SPY", 10)
    core.inputs.settle()
    stated = core.inputs.fill(order.number, NOW, 4, 100, 4, fee="0.75")
    assert stated == 0.75
    assert core.kernel.account.cash == 100_400 - 0.75
    # The rules charge what is new; what was seen costs nothing.
    assert core.inputs.fill(order.number, NOW, 4, 100, 4) == 0
    assert core.inputs.fill(order.number, NOW, 6, 100, 10) > 0


def test_what_is_taken_in_kind_is_no_cash_that_is_charged_later() -> None:
    core, _ = core_of(BasicGate(), [Calm()], fees=fee_model("alpaca"))
    (strategy,) = core.kernel.strategies
    order = strategy.buy(COIN, 2, limit_price=100)
    core.inputs.settle()
    assert core.inputs.fill(order.number, NOW, 2, 100, 2) == 0
    assert 1.9 < strategy.position(COIN).quantity < 2
    assert core.kernel.account.cash == 100_000 - 200


@pytest.mark.parametrize(
    "sides", [(99.5, 300.0, 0.0, 0.0), (0.0, 0.0, 100.5, 200.0), (99.5, 300.0, 100.5, 200.0)]
)
def test_a_quote_has_one_side_or_both_and_each_with_its_size(sides: tuple[float, ...]) -> None:
    heard: list[tuple[float, ...]] = []

    class Sees(Strategy):
        def on_start(self) -> None:
            self.subscribe_quotes("SPY")

        def on_quote(self, q: Any) -> None:
            heard.append((q.bid_price, q.bid_size, q.ask_price, q.ask_size))

    core, _ = core_of(RiskEngine(Limits(max_order_quantity=10)), [Sees()])
    core.take(NOW + SECOND, [QuoteEvent("SPY", NOW, *sides)])
    # As data have it: a side without anybody has no price.
    known = [math.nan if i % 2 == 0 and not side else side for i, side in enumerate(sides)]
    assert heard == [pytest.approx(known, rel=0, nan_ok=True)]
    assert core.kernel.strategies[0].running


def test_what_the_broker_has_booked_is_taken_at_the_time_it_was_heard_of() -> None:
    core, _ = core_of(BasicGate(), [Calm()])
    booking = BrokerAdjustment(
        activity_id="a", kind="dividend", symbol="SPY", quantity=Decimal(0), amount=Decimal(5),
        text="", ts_event=NOW,
    )  # fmt: skip
    core.settle_cash(NOW + 15 * SECOND, [replace(booking, amount=Decimal(0))])
    assert core.kernel.clock.timestamp_ns == NOW
    core.settle_cash(NOW + 15 * SECOND, [booking])
    assert core.kernel.clock.timestamp_ns == NOW + 15 * SECOND
    assert core.kernel.strategies[0].heard == 1
    assert core.kernel.account.cash_exact == 100_005
