"""Measure what the stage probes cost a node: the same frames with them and without, in pairs."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from pyrt import Strategy
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.node.inbox import TIMED, Inbox
from pyrt.core.instruments import Instrument
from pyrt.indicators import EMA
from pyrt.live.driver.driver import Driver
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.observe.metrics import Metrics
from pyrt.live.observe.stages import StageProbe
from pyrt.live.observe.traces import TraceIds
from pyrt.live.plan import Plan, Policies
from pyrt.risk.engine import RiskEngine
from scripts.comeback_figures import BEGIN, SYMBOL, state_of

PER_FRAME = 20
FRAMES = 250
"""Frames of a side of a pair: 5,000 quotes."""
PER_SECOND = 10
"""So many sides with probes are a second of 50,000 quotes; once in one the probes are asked."""
QUOTE = {
    "T": "q", "S": SYMBOL, "t": "2023-11-14T22:13:20Z", "bp": 99.99, "bs": 1, "ap": 100.01,
    "as": 1, "bx": "V", "ax": "V", "c": ["R"], "z": "B",
}  # fmt: skip


class Watches(Strategy):
    """Takes each quote, with an indicator on it."""

    def on_start(self) -> None:
        quotes = self.subscribe_quotes(SYMBOL)
        self.mean = self.attach(EMA(50), quotes, input="bid_price")
        self.quotes = 0

    def on_quote(self, quote: Any) -> None:
        self.quotes += 1


def begun(folder: Path) -> Driver:
    """Return a driver that runs."""
    client = AlpacaClient("pyrt-one-", symbols=(SYMBOL,))
    driver = Driver(
        client,
        Journal(RealFiles(folder)),
        RiskEngine(),
        [Instrument(SYMBOL)],
        [Watches()],
        Plan(run_id="one", prefix="pyrt-one-", policies=Policies(looks=1, warmup=0)),
    )
    driver.begin(BEGIN)
    driver.take(BEGIN, [state_of(BEGIN)])
    return driver


def overhead(pairs: int) -> tuple[float, float]:
    """Return by what share a message is slower with probes, and its time without them, in ns."""
    with TemporaryDirectory(dir=".") as name:
        driver = begun(Path(name) / "state")
        assert driver.core is not None
        kernel = driver.core.kernel
        inbox, stages = Inbox(TraceIds("one")), Metrics().stages
        probe, frame = StageProbe(stages), msgspec.json.encode([QUOTE] * PER_FRAME)
        take = driver.client.receive_market_data

        def run(*, probed: bool) -> float:
            inbox.stages = stages if probed else None
            kernel.measure(probe if probed else None)
            began = time.process_time()
            for _ in range(FRAMES):
                inbox.put(lambda now: take(frame, now), 1)
                inbox.hand_over(driver, BEGIN, lambda: False)
            used = time.process_time() - began
            driver.flush_tape()
            driver.journal.commit()
            return used

        ratios, bare = [], []
        for number in range(pairs + 1):
            if number % PER_SECOND == 0:
                probe.tell()
                inbox.timed = TIMED
            # Whoever goes first meets another cache: they take turns.
            first, second = run(probed=bool(number % 2)), run(probed=not number % 2)
            on, off = (first, second) if number % 2 else (second, first)
            if number:
                ratios.append(on / off)
                bare.append(off / (FRAMES * PER_FRAME))
        assert kernel.strategies[0].quotes == 2 * (pairs + 1) * FRAMES * PER_FRAME
        driver.journal.close()
    return statistics.median(ratios) - 1, statistics.median(bare) * 1e9


def main() -> int:
    """Print what they cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40)
    share, bare = overhead(parser.parse_args().pairs)
    print(f"stage probes: {share:+.2%} of {bare:,.0f} ns a message")
    return 0


if __name__ == "__main__":
    sys.exit(main())
