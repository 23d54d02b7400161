"""Calm stretches: the same as instant by instant, and views that nobody else has are used again.

A paced run looks at every instant by itself; an unpaced one takes what it can in stretches. Both
have to hand out the same, in the same order, and to leave the same behind.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pyrt import BacktestEngine, Strategy
from pyrt.data.columns import TradeColumns
from pyrt.data.tables import Loaded
from pyrt.errors import StrategyError
from pyrt.indicators import EMA, SMA, cross_above, is_flat, is_long
from tests.kernel.test_one_instant import MINUTE, START, bars, quotes

ROWS = 400


def walk(symbol, seed, *, rows=ROWS, start=START):
    """Bars of a walk, their opens where the last close was."""
    rng = np.random.default_rng(seed)
    close = 100 + np.cumsum(rng.integers(-10, 11, rows)) / 10
    first = np.concatenate(([100.0], close[:-1]))
    return replace(
        bars(symbol, rows, start=start),
        open=first,
        high=np.maximum(first, close) + 0.1,
        low=np.minimum(first, close) - 0.1,
        close=close,
    )


def trades(symbol, times, seed=3):
    rng = np.random.default_rng(seed)
    ts = np.array(times)
    return TradeColumns(
        symbol=symbol,
        ts_event=ts,
        ts_init=ts,
        price=50 + rng.integers(-5, 6, len(ts)) / 100,
        size=np.full(len(ts), 10.0),
        aggressor=np.ones(len(ts), np.int8),
    )


def run(tables, *strategies, paced=False, gate=None, **options):
    engine = BacktestEngine(cash=1_000_000, gate=gate and gate(), **options)
    engine.add_loaded(Loaded(tuple(tables), tuple(0 for _ in tables), {}))
    for strategy in strategies:
        engine.add_strategy(strategy)
    if paced:
        engine.pace = lambda ts: None
    return engine.run()


def both_ways(tables, make, **options):
    """Run in stretches and instant by instant; return the strategies of both, results compared."""
    found = []
    for paced in (False, True):
        strategies = make()
        found.append((strategies, run(tables, *strategies, paced=paced, **options)))
    (fast, quick), (slow, patient) = found
    assert quick.run_hash == patient.run_hash
    assert quick.events_processed == patient.events_processed
    assert quick.equity.equals(patient.equity)
    assert quick.messages == patient.messages
    for one, other in zip(fast, slow, strict=True):
        assert one.heard == other.heard
    return fast, quick


class Ear(Strategy):
    """Writes down all it is given, and trades now and then."""

    symbols: list[str] = ["A"]
    kinds: list[str] = ["bars"]
    every: int = 17

    def on_start(self):
        self.heard, self.kept = [], []
        for symbol in self.symbols:
            for kind in self.kinds:
                if kind == "bars":
                    self.subscribe_bars(symbol, "1m")
                elif kind == "quotes":
                    self.subscribe_quotes(symbol)
                else:
                    self.subscribe_trades(symbol)

    def take(self, view):
        self.heard.append((self.now, self.account.equity, view.to_dict()))
        if len(self.heard) % 3 == 0:
            self.kept.append((view, view.to_dict()))
        if len(self.heard) % self.every == 0:
            side = self.buy if self.position(view.symbol).is_flat else self.sell
            side(view.symbol, 10)

    on_bar = on_quote = on_trade = take


class Faulty(Ear):
    """Raises now and then."""

    fault_every: int = 13

    def take(self, view):
        super().take(view)
        if len(self.heard) % self.fault_every == 0:
            raise ValueError("a fault")

    on_bar = on_quote = on_trade = take


def test_a_view_that_was_kept_stays_as_it_was():
    (ear,), _ = both_ways([walk("A", 1)], lambda: [Ear()])
    assert len(ear.kept) == ROWS // 3
    assert all(view.to_dict() == fields for view, fields in ear.kept)
    assert len({id(view) for view, _ in ear.kept}) == len(ear.kept)


@pytest.mark.parametrize("kind", ["quotes", "trades"])
def test_ticks_go_the_same_way(kind):
    times = START + np.cumsum(np.random.default_rng(1).integers(0, 3, ROWS)) * 250_000_000
    table = quotes("A", times) if kind == "quotes" else trades("A", times)
    (ear,), _ = both_ways([table], lambda: [Ear(kinds=[kind])])
    assert len(ear.heard) == ROWS
    assert all(view.to_dict() == fields for view, fields in ear.kept)


def test_streams_of_one_strategy_interleave():
    tables = [walk(name, seed) for seed, name in enumerate("ABCDE")]
    (ear,), result = both_ways(tables, lambda: [Ear(symbols=list("ABCDE"))])
    assert result.events_processed == len(ear.heard) == 5 * ROWS
    assert all(view.to_dict() == fields for view, fields in ear.kept)


def test_strategies_on_one_stream_and_on_others_are_called_in_their_order():
    tables = [walk("A", 1), walk("B", 2, start=START + MINUTE // 2)]
    both_ways(
        tables, lambda: [Ear(), Ear(every=5), Ear(symbols=["B"]), Ear(symbols=["A", "B"], every=7)]
    )


@pytest.mark.parametrize("policy", ["halt", "log"])
def test_what_a_handler_raises_is_judged_the_same_way(policy):
    tables = [walk("A", 1), walk("B", 2)]
    made = both_ways(tables, lambda: [Faulty(), Ear(symbols=["B"], every=9)], on_error=policy)
    (faulty, ear), result = made
    assert len(faulty.heard) == (13 if policy == "halt" else ROWS)
    assert len(ear.heard) == ROWS
    assert sum("a fault" in one for one in result.messages) == (1 if policy == "halt" else 30)
    assert all(view.to_dict() == fields for view, fields in faulty.kept)


def test_an_error_that_ends_the_run_names_handler_and_event():
    with pytest.raises(StrategyError, match=r"Faulty\.take raised ValueError: a fault") as caught:
        run([walk("A", 1)], Faulty())
    assert isinstance(caught.value.__cause__, ValueError)


class Interrupted(Ear):
    def on_bar(self, bar):
        super().take(bar)
        if len(self.heard) == 50:
            raise KeyboardInterrupt


def test_an_interrupt_ends_the_run_and_no_policy_judges_it():
    result = run([walk("A", 1)], Interrupted(), on_error="log")
    assert result.events_processed == 50
    assert "interrupted after 50 events" in result.messages


class Publisher(Ear):
    """Publishes from its handler, and listens to its own stream's topic over the bus."""

    def on_start(self):
        super().on_start()
        self.subscribe("said", lambda text: self.heard.append((self.now, "said", text)))
        self.subscribe("data.bars.*", lambda bar: self.heard.append(("bus", bar.to_dict())))

    def on_bar(self, bar):
        self.take(bar)
        self.publish("said", f"{bar.close}")


def test_messages_of_a_handler_follow_after_it():
    (publisher,), _ = both_ways([walk("A", 1)], lambda: [Publisher()])
    assert [entry[0] == "bus" for entry in publisher.heard[:3]] == [False, False, True]
    assert publisher.heard[1][1] == "said"


class Coarse(Ear):
    """Hears the bars of a minute and those of five made from them, and late in the run others."""

    def on_start(self):
        super().on_start()
        self.subscribe_bars("A", "5m")

    def on_bar(self, bar):
        self.take(bar)
        if len(self.heard) == 100:
            self.subscribe_bars("A", "15m")
            self.set_alert("later", self.now + 7 * MINUTE + 1, self.alarm)

    def alarm(self, event):
        self.heard.append((self.now, "alarm"))


def test_bars_made_on_the_way_and_timers_end_a_stretch():
    (coarse,), _ = both_ways([walk("A", 1)], lambda: [Coarse()])
    assert {entry[2]["timeframe"] for entry in coarse.heard if len(entry) == 3} == {
        "1m", "5m", "15m",
    }  # fmt: skip
    assert sum(entry[1] == "alarm" for entry in coarse.heard) == 1


class Signaled(Ear):
    """Has conditions beside its handler, one of which is given the bar."""

    def on_start(self):
        super().on_start()
        stream = self.subscribe_bars("A", "1m")
        self.fast, self.slow = self.attach(SMA(5), stream), self.attach(EMA(20), stream)
        self.when(cross_above(self.fast, self.slow) & is_flat("A"), self.enter)
        self.when((self.fast < self.slow) & is_long("A"), self.leave)

    def enter(self, bar):
        self.heard.append((self.now, "enter", self.fast.value, bar.to_dict()))
        self.kept.append((bar, bar.to_dict()))
        self.buy("A", 1)

    def leave(self):
        self.heard.append((self.now, "leave", self.slow.value))
        self.close("A")


def test_signals_beside_a_handler():
    (signaled,), result = both_ways([walk("A", 1)], lambda: [Signaled(every=1000)])
    assert len(result.fills) > 4
    assert all(view.to_dict() == fields for view, fields in signaled.kept)


class Holds(Strategy):
    """Buys a unit at the first print and keeps it."""

    def on_start(self):
        self.subscribe_trades("T")
        self.bought = False

    def on_trade(self, trade):
        if not self.bought:
            self.bought = True
            self.buy("T", 1)


def printed(*rows):
    """Prints given as (nanoseconds, price)."""
    ts = np.array([START + row[0] for row in rows])
    return replace(trades("T", ts), price=np.array([float(row[1]) for row in rows]))


TENTH = 100_000_000
NIGHT = 86_400_000_000_000 - START % 86_400_000_000_000


@pytest.mark.parametrize("paced", [False, True])
@pytest.mark.parametrize(
    ("rows", "equities"),
    [
        # The second print of a second is no point of the curve, unless it is the last of all,
        ([(0, 100), (10 * TENTH, 100), (13 * TENTH, 90), (15 * TENTH, 50)], [0, 0, -50]),
        # or the last of a day: what is lost overnight is no loss of the evening's.
        (
            [(0, 100), (NIGHT - 9 * TENTH, 100), (NIGHT - 5 * TENTH, 60), (NIGHT + 5 * TENTH, 30)],
            [0, 0, -40, -70],
        ),
    ],
)
def test_the_last_prints_of_days_and_of_the_run_are_in_the_curve(rows, equities, paced):
    result = run([printed(*rows)], Holds(), paced=paced)
    assert (result.equity - 1_000_000).tolist() == equities
    assert result.equity.index.is_monotonic_increasing
    assert result.equity.index.is_unique
    assert result.summary["final_equity"] == 1_000_000 + equities[-1]
    assert result.positions["unrealized_pnl"].tolist() == [equities[-1]]


def test_a_day_of_prints_ends_before_a_timer_of_the_next_one():
    class Wakes(Holds):
        def on_start(self):
            super().on_start()
            self.set_timer("morning", "6h", self.wake, start=START + NIGHT + NIGHT // 2)

        def wake(self, event):
            pass

    rows = [(0, 100), (NIGHT - 9 * TENTH, 100), (NIGHT - 5 * TENTH, 60), (2 * NIGHT, 30)]
    result = run([printed(*rows)], Wakes())
    assert (result.equity - 1_000_000).tolist() == [0, 0, -40, -70]
    assert result.equity.index[2].value == START + NIGHT - 5 * TENTH


def test_an_interrupted_run_says_what_the_account_had():
    class Breaks(Holds):
        def on_trade(self, trade):
            super().on_trade(trade)
            if trade.price == 50:
                raise KeyboardInterrupt

    rows = [(0, 100), (10 * TENTH, 100), (13 * TENTH, 90), (15 * TENTH, 50), (30 * TENTH, 70)]
    result = run([printed(*rows)], Breaks())
    assert result.summary["final_equity"] == 999_950
    assert result.positions["unrealized_pnl"].tolist() == [-50]
