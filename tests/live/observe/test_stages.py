"""Books, indicators, handlers and risk are timed apart, and only when somebody asks."""

from __future__ import annotations

import numpy as np

from pyrt import Strategy
from pyrt.indicators import SMA
from pyrt.kernel.probe import Stage
from pyrt.live.observe.latency import STAGES, LatencyHistogram
from pyrt.live.observe.stages import StageProbe
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.whole import Node, World


def histograms() -> dict[str, LatencyHistogram]:
    return {stage: LatencyHistogram() for stage in STAGES}


def test_what_a_probe_counts_is_what_a_histogram_would() -> None:
    stages, plain = histograms(), LatencyHistogram()
    probe = StageProbe(stages)
    durations = np.random.default_rng(2).lognormal(12, 2, 300).astype(int)
    for part in np.split(durations, 3):
        for duration in part:
            probe.note(Stage.RISK, int(duration))
            plain.observe(int(duration))
        probe.tell()
    found = stages["risk"]
    assert found.count == plain.count == 300
    # A probe reads the clock once more: a duration near a bound may be in the next bucket.
    assert sum(abs(a - b) for a, b in zip(found.counts, plain.counts)) <= 12
    assert found.total_ns >= plain.total_ns
    assert found.max_ns >= plain.max_ns
    probe.tell()
    assert found.count == 300
    assert stages["book"].count == 0


class Trades(Strategy):
    def on_start(self) -> None:
        self.mean = self.attach(SMA(3), self.subscribe_bars("SPY", "1m"))
        self.count = 0

    def on_bar(self, bar) -> None:
        self.count += 1
        if self.count % 4 == 1:
            self.order = self.buy("SPY", 1, limit_price=round(bar.close - 5, 2))
        elif self.count % 4 == 2:
            self.modify(self.order, limit_price=round(bar.close - 6, 2))
        elif self.count % 4 == 3:
            self.cancel(self.order)


def test_each_stage_of_a_run_is_counted_once_a_message_and_once_an_order() -> None:
    node = Node(World([walk(3, "SPY", 24)]), MemoryFiles(), [Trades()], run_id="one")
    node.start()
    stages = histograms()
    probe = StageProbe(stages)
    node.kernel.measure(probe)
    node.run()
    node.kernel.measure(None)
    strategy = node.kernel.strategies[0]
    strategy.buy("SPY", 1)
    node.driver.core.inputs.settle()
    probe.tell()
    assert strategy.count > 20
    assert stages["indicators"].count == stages["handler"].count == strategy.count
    # Orders and changes are judged; cancels are not, and nothing was measured after the end.
    orders = sum(n % 4 in (1, 2) for n in range(1, strategy.count + 1))
    assert stages["risk"].count == orders
    assert stages["book"].count == 0


class Counts(Strategy):
    def on_start(self) -> None:
        self.subscribe_quotes("SPY")
        self.count = 0

    def on_quote(self, quote) -> None:
        self.count += 1


def test_of_a_flood_the_first_are_measured_and_then_some() -> None:
    node = Node(World([walk(3, "SPY", 4)]), MemoryFiles(), [Counts()], run_id="one")
    node.start()
    stages = histograms()
    probe = StageProbe(stages)
    node.kernel.measure(probe)
    inputs, now = node.driver.core.inputs, node.world.now
    stream = next(s for s in node.kernel.cache.streams if s.kind == "quotes")

    def flood(count: int) -> int:
        for _ in range(count):
            inputs.quote(stream, now, 99.0, 1.0, 101.0, 1.0)
        probe.tell()
        return stages["handler"].count

    assert flood(200) == 200
    most = flood(6_600)
    # Two hundred, and one in 64 of 6,400: a hundred, give or take five deviations.
    assert 250 < most - 200 < 350
    assert flood(200) == most + 200
    assert node.kernel.strategies[0].count == 7_000
