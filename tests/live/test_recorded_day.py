"""A recorded day's ticks from the simulator through node and journal to replay and parity."""

from __future__ import annotations

import pytest

from pyrt import LiveNode, Strategy
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.cli.days import parity_of
from pyrt.live.journal.files import RealFiles
from pyrt.live.replay.replay import replay
from tests.live.test_parity_ticks import recorded
from tests.live.wire import Run, Served

pytest.importorskip("uvicorn")
SYMBOLS = ("SPY", "BAC")
TIDY_NS = 7_000_000_000
SPAN = "eq_trades_{}_20131007_20131011"


class Both(Strategy):
    """Trades two symbols on their prints: rests, leaves by bars, tidies up by a timer."""

    every: int = 60

    def on_start(self):
        self.counts = dict.fromkeys(SYMBOLS, 0)
        for symbol in SYMBOLS:
            self.subscribe_trades(symbol)
            self.subscribe_bars(symbol, "10s")
        # A timer without a start counts from the run's: a backtest's is its first event.
        self.set_timer("tidy", "7s", start=self.now - self.now % TIDY_NS + TIDY_NS)

    def on_trade(self, trade):
        count = self.counts[trade.symbol] = self.counts[trade.symbol] + 1
        if count % self.every == 50 and self.position(trade.symbol).is_flat:
            self.buy(trade.symbol, 30, limit_price=round(trade.price - 0.01, 2))

    def on_bar(self, bar):
        if self.position(bar.symbol).is_long:
            self.close(bar.symbol)

    def on_timer(self, event):
        for symbol in SYMBOLS:
            self.cancel_all(symbol)

    def on_save(self):
        return {"counts": self.counts}

    def on_load(self, state):
        self.counts = state["counts"]


def follow_the_day(shared_data, tmp_path, start, seconds, every):
    """Let recorded ticks go all the way; return what replay and parity say."""
    data = [
        table
        for symbol in SYMBOLS
        for table in recorded(shared_data, SPAN.format(symbol), start, seconds)
    ]
    folder = tmp_path / "state"
    with Served(make_core(data, fees="alpaca")) as served:
        config = served.config(SYMBOLS, state_dir=str(folder))
        node = LiveNode(config, served.keys, source=f"{__file__}:Both")
        node.add_strategy(Both(every=every))
        Run(served, node).to_the_end()
    result = replay(RealFiles(folder), [Both(every=every)])
    return result, parity_of(folder, data, venue="alpaca", fees="alpaca")


@pytest.mark.parametrize("start", ["2013-10-07T13:35:00Z"])
def test_a_slice_of_recorded_ticks_has_no_difference(shared_data, tmp_path, start):
    result, report = follow_the_day(shared_data, tmp_path, start, 45, 60)
    assert result.is_exact, result.difference
    assert result.beyond == 0
    assert report.orders > 6
    assert (report.matched, report.differences) == (report.orders, [])


@pytest.mark.nightly
@pytest.mark.timeout(10_800)
def test_a_whole_recorded_day_has_no_difference(shared_data, tmp_path):
    result, report = follow_the_day(shared_data, tmp_path, "2013-10-07T13:30:00Z", 23_400, 2_000)
    assert result.is_exact, result.difference
    assert report.orders > 100
    assert (report.matched, report.differences) == (report.orders, [])
