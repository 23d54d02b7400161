"""Rows taken by the column: what conditions say, and all that is left behind, as row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt import Strategy
from pyrt.indicators import (
    ATR,
    BBANDS,
    EMA,
    RSI,
    SMA,
    becomes,
    column,
    cross_above,
    cross_below,
    exit_condition,
    falling,
    holding,
    hysteresis,
    is_flat,
    is_long,
    output,
    rising,
    time_of_day,
    within,
)
from pyrt.risk import Limits, gate_for
from tests.backtest.test_calm import both_ways, walk

ROWS = 3_000


class Quiet(Strategy):
    """Declares what it waits for; its handlers note what they can see."""

    kind: str = "levels"
    meddle: str = "nothing"

    def on_start(self):
        self.heard = []
        self.stream = self.subscribe_bars("A", "1m")
        self.fast = self.attach(SMA(5), self.stream)
        self.slow = self.attach(EMA(30), self.stream)
        self.range = self.attach(ATR(14), self.stream)
        self.bands = self.attach(BBANDS(20), self.stream)
        self.rsi = self.attach(RSI(14), self.stream, input="high")
        enter, leave = getattr(self, self.kind)()
        self.when(enter, self.enter, stream=self.stream)
        self.when(leave, self.leave, stream=self.stream)

    def levels(self):
        return (self.fast > self.slow) & is_flat("A"), (self.fast < self.slow) & is_long("A")

    def crosses(self):
        return (
            cross_above(self.fast, self.slow) & is_flat("A"),
            cross_below(column("close"), output(self.bands, "lowerband"))
            | cross_below(self.rsi, 30),
        )

    def always(self):
        return ~is_long("A") & (self.fast >= 90), self.range > 0.3

    def never(self):
        return self.fast > 1e9, (self.slow < -1e9) & is_long("A")

    def slowly(self):
        return rising(self.fast, 3) & is_flat("A"), (self.rsi < 40) & is_long("A")

    def exits(self):
        return (
            exit_condition("A", stop=0.004, target=0.01, trail=0.006) | (self.rsi < 35),
            exit_condition("A", bars=37) & within(self.fast < self.slow, 5),
        )

    def memories(self):
        crossed = cross_above(self.fast, self.slow)
        return (
            within(crossed, 7) & becomes(rising("close", 2)) & is_flat("A"),
            (within(crossed, 3) | hysteresis(self.rsi, 60, 45)) & ~crossed & is_long("A"),
        )

    def shared(self):
        up = rising(self.fast, 2)
        return within(up, 3) & becomes(up) & is_flat("A"), becomes(~within(up, 4)) & ~up

    def clock(self):
        return (
            time_of_day("09:45", "15:30") & becomes(self.fast > self.slow),
            time_of_day("22:00", "02:15", "Europe/Berlin") & is_long("A"),
        )

    def numbers(self):
        return (
            (holding("A") < 30) & cross_above(self.fast, self.slow),
            cross_below("close", holding("A", "average_price")) | falling(self.slow, 9),
        )

    def by_volume(self):
        mean = self.attach(SMA(4), self.stream, input="volume")
        return cross_above(column("volume"), mean) & is_flat("A"), ~(column("volume") > mean)

    def note(self, what):
        numbers = [
            (one.ready, repr(one.values)) for one in (self.fast, self.slow, self.range, self.bands)
        ]
        self.heard.append((what, self.now, self.stream.count, self.account.equity, numbers))

    def enter(self, bar):
        self.note(("enter", bar.close))
        self.buy("A", 10)
        if self.meddle == "reset" and len(self.heard) > 4:
            self.fast.reset()
        if self.meddle == "update":
            self.slow.update(bar.close)
        if self.meddle == "attach" and len(self.heard) == 1:
            late = self.attach(SMA(3), self.stream)
            self.when((late > self.fast) & is_long("A"), self.late)
        if self.meddle == "listen" and len(self.heard) > 4:
            self.set_alert("x", self.now + 7_000_000_000_000, self.alarm)

    def leave(self):
        self.note("leave")
        self.close("A")

    def late(self):
        self.note("late")

    def alarm(self, event):
        self.note("alarm")

    def on_stop(self):
        self.note("stop")
        self.heard.append((repr(self.rsi.value), self.position("A").quantity))


def check(table, **options):
    strategies, result = both_ways([table], lambda: [Quiet(**options)])
    return strategies[0], result


@pytest.mark.parametrize(
    "kind",
    [
        "levels",
        "crosses",
        "always",
        "never",
        "slowly",
        "exits",
        "memories",
        "shared",
        "clock",
        "numbers",
    ],
)
def test_conditions_come_true_at_the_same_rows(kind):
    quiet, result = check(walk("A", 7, rows=ROWS), kind=kind)
    assert (len(result.fills) > 10) == (kind != "never")
    assert quiet.heard[-2][2] == ROWS


@pytest.mark.parametrize("meddle", ["reset", "update", "attach", "listen"])
def test_what_a_handler_does_to_indicators_counts(meddle):
    quiet, _ = check(walk("A", 8, rows=ROWS), meddle=meddle)
    assert len(quiet.heard) > 10


class Keeping(Quiet):
    """Looks back on the last bars."""

    def on_start(self):
        self.bars = self.keep_bars("A", "1m", 7)
        super().on_start()

    def note(self, what):
        super().note(what)
        self.heard.append([bar.to_dict() for bar in self.bars])


def test_what_keeps_the_last_bars_has_them_all():
    (keeping,), result = both_ways([walk("A", 7, rows=ROWS)], lambda: [Keeping()])
    assert len(result.fills) > 10
    assert all(len(heard) == 7 for heard in keeping.heard[1:-2:2])


def test_gaps_are_undefined():
    table = walk("A", 9, rows=ROWS)
    volume = np.random.default_rng(9).uniform(1e5, 1e6, ROWS)
    volume[::7] = np.nan
    _, result = check(replace(table, volume=volume), kind="by_volume")
    assert len(result.fills) > 10


def test_rows_that_share_an_instant_are_one():
    table = walk("A", 10, rows=400)
    ts = table.ts_init.copy()
    ts[50:400:10] = ts[49:399:10]
    check(replace(table, ts_init=ts, ts_close=ts), kind="levels")


def test_a_gate_that_follows_equity_hears_every_row():
    table = walk("A", 11, rows=ROWS)
    limits = Limits(max_drawdown=0.00005)
    _, result = both_ways([table], lambda: [Quiet()], gate=lambda: gate_for(limits))
    assert (result.orders["status"] == "DENIED").any()


def test_rows_before_the_start_feed_and_call_nobody():
    table = walk("A", 12, rows=ROWS)
    start = int(table.ts_close[500])
    quiet, _ = both_ways([table], lambda: [Quiet(kind="crosses")], start=start)
    assert quiet[0].heard[0][1] > start


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(
        ["levels", "crosses", "always", "slowly", "exits", "memories", "shared", "clock", "numbers"]
    ),
    rows=st.integers(1, 2_300),
    meddle=st.sampled_from(["nothing", "nothing", "reset", "update", "attach", "listen"]),
)
def test_by_the_column_as_row_by_row(seed, kind, rows, meddle):
    check(walk("A", seed, rows=rows), kind=kind, meddle=meddle)
