"""What is due at one time happens in the order of its ranks: a row for each pair."""

from __future__ import annotations

import numpy as np
import pytest

from pyrt import BacktestEngine, Strategy
from pyrt.data.columns import BarColumns, QuoteColumns
from pyrt.data.tables import Loaded
from pyrt.errors import RunawayError, StrategyError

MINUTE = 60_000_000_000
START = 1_381_152_600_000_000_000
MIDNIGHT = 1_381_190_400_000_000_000  # 2013-10-08 00:00 UTC


def bars(symbol, n, *, start=START, step=MINUTE, price=100.0):
    ts = start + step * np.arange(n)
    p = np.full(n, price) + 0.01 * np.arange(n)
    return BarColumns(
        symbol=symbol,
        timeframe=f"{step // MINUTE}m",
        timeframe_ns=step,
        ts_open=ts,
        ts_close=ts + step,
        ts_init=ts + step,
        open=p,
        high=p + 0.5,
        low=p - 0.5,
        close=p,
        volume=np.full(n, 1e6),
    )


def quotes(symbol, times, price=50.0):
    n = len(times)
    ts = np.array(times)
    return QuoteColumns(
        symbol=symbol,
        ts_event=ts,
        ts_init=ts,
        bid_price=np.full(n, price),
        bid_size=np.full(n, 100.0),
        ask_price=np.full(n, price + 0.01),
        ask_size=np.full(n, 100.0),
    )


def run(strategy, *tables, **options):
    engine = BacktestEngine(cash=10_000_000, **options)
    engine.add_loaded(Loaded(tuple(tables), tuple(0 for _ in tables), {}))
    engine.add_strategy(strategy)
    return engine.run()


class Log(Strategy):
    """Writes down what it is told at the instant under test."""

    def on_start(self):
        self.at = MIDNIGHT
        self.log_ = []
        self.subscribe_bars("A", "1m")
        self.subscribe_quotes("Q")
        self.set_alert("alarm", MIDNIGHT)
        self.set_alert("order", MIDNIGHT - 3 * MINUTE, self.place)

    def place(self, event):
        self.buy("A", 1, limit_price=1, time_in_force="day")  # expires at midnight

    def note(self, what):
        if self.now == self.at:
            self.log_.append(what)

    def on_bar(self, bar):
        self.note("bar")
        if self.now == MIDNIGHT:
            self.buy("A", 1)

    def on_expire(self, event):
        self.note("expiry")

    def on_fill(self, fill):
        self.note("open fill")

    def on_quote(self, quote):
        self.note("quote")

    def on_timer(self, event):
        self.note("timer")


@pytest.fixture(scope="module")
def log():
    strategy = Log()
    start = MIDNIGHT - 5 * MINUTE
    run(strategy, bars("A", 10, start=start), quotes("Q", [start, MIDNIGHT, MIDNIGHT + 1]))
    return strategy.log_


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("bar", "expiry"),
        ("bar", "open fill"),
        ("bar", "quote"),
        ("bar", "timer"),
        ("expiry", "open fill"),
        ("expiry", "quote"),
        ("expiry", "timer"),
        ("open fill", "quote"),
        ("open fill", "timer"),
        ("quote", "timer"),
    ],
)
def test_ranks_of_one_instant(log, first, second):
    assert log.index(first) < log.index(second)


def test_the_instant_held_each_thing_once(log):
    assert sorted(log) == ["bar", "expiry", "open fill", "quote", "timer"]


def test_finer_bars_come_before_coarser_ones_that_end_with_them():
    seen = []

    class Two(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "5m")
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            seen.append((bar.timeframe, bar.ts_event))

    start = START - START % (5 * MINUTE)
    run(Two(), bars("A", 11, start=start))
    ends = [tf for tf, ts in seen if ts == start + 5 * MINUTE]
    assert ends == ["1m", "5m"]
    assert [tf for tf, _ in seen].count("5m") == 2


def test_timers_of_earlier_times_fire_at_their_own_time():
    seen = []

    class Timed(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")
            self.set_timer("beat", "20s")

        def on_bar(self, bar):
            seen.append(("bar", self.now - START))

        def on_timer(self, event):
            seen.append(("timer", self.now - START))

    run(Timed(), bars("A", 2))
    second = 10**9
    assert seen == [
        ("timer", 20 * second),
        ("timer", 40 * second),
        ("bar", 60 * second),
        ("timer", 60 * second),
        ("timer", 80 * second),
        ("timer", 100 * second),
        ("bar", 120 * second),
        ("timer", 120 * second),
    ]


def test_timers_due_together_fire_in_the_order_they_were_set():
    seen = []

    class Many(Strategy):
        def on_start(self):
            for name in "cab":
                self.set_alert(name, START + MINUTE)

        def on_timer(self, event):
            seen.append(event.name)

    run(Many(), bars("A", 3))
    assert seen == ["c", "a", "b"]


def test_messages_published_in_handlers_follow_the_dispatch():
    seen = []

    class First(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")
            self.subscribe("word.*", lambda word: seen.append(word))

        def on_bar(self, bar):
            self.publish("word.first", "said by the first")
            seen.append("first handler")

    class Second(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            seen.append("second handler")

    engine = BacktestEngine()
    engine.add_loaded(Loaded((bars("A", 1),), (0,), {}))
    engine.add_strategy(First())
    engine.add_strategy(Second())
    engine.run()
    assert seen == ["first handler", "second handler", "said by the first"]


def test_an_exception_names_strategy_event_and_time():
    class Broken(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            raise ZeroDivisionError("oops")

    with pytest.raises(
        StrategyError,
        match=r"Broken.on_bar raised ZeroDivisionError: oops .*Bar\(.* at 2013-10-07T13:31:00Z",
    ) as raised:
        run(Broken(), bars("A", 3))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_halting_stops_one_strategy_and_not_the_run():
    calls = []

    class Broken(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            calls.append("broken")
            raise ValueError("enough")

    class Sound(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            calls.append("sound")

    engine = BacktestEngine(on_error="halt")
    engine.add_loaded(Loaded((bars("A", 3),), (0,), {}))
    broken = engine.add_strategy(Broken())
    engine.add_strategy(Sound())
    result = engine.run()
    assert calls == ["broken", "sound", "sound", "sound"]
    assert "ValueError: enough" in broken.stop_reason
    assert any("ValueError: enough" in text for text in result.record.messages)


def test_logging_goes_on_with_the_strategy():
    calls = []

    class Broken(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            calls.append(1)
            raise ValueError("again")

    run(Broken(), bars("A", 3), on_error="log")
    assert len(calls) == 3


def test_a_strategy_that_never_comes_to_rest_is_named():
    class Runaway(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            self.buy("A", 1, limit_price=1)

        def on_accept(self, event):
            self.cancel(event.order)

        def on_cancel(self, event):
            self.buy("A", 1, limit_price=1)

    with pytest.raises(RunawayError, match="Runaway still issues commands"):
        run(Runaway(), bars("A", 2))


def test_results_of_computations_come_back_as_events():
    seen = []

    class Computes(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            self.compute(pow, 2, 10, then=lambda result: seen.append((result, self.now)))

    run(Computes(), bars("A", 1))
    assert seen == [(1024, START + MINUTE)]


def test_history_holds_what_is_known_and_nothing_later():
    seen = []

    class Looks(Strategy):
        def on_start(self):
            self.subscribe_bars("A", "1m")

        def on_bar(self, bar):
            self.request_history("A", "1m", 2, lambda found: seen.append((self.now, found)))

    run(Looks(), bars("A", 5))
    assert [len(found) for _, found in seen] == [1, 2, 2, 2, 2]
    assert all(found[-1].ts_event == now for now, found in seen)
