"""Measure a restart after a crash: a run's inputs played again into a fresh core."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyrt import Strategy
from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.core.events import BarEvent
from pyrt.core.instruments import Instrument
from pyrt.indicators import EMA, SMA
from pyrt.live.core.broker import BrokerState
from pyrt.live.driver.driver import Driver
from pyrt.live.driver.run import RUNNING
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.plan import MINUTE, Plan, Policies
from pyrt.risk.engine import RiskEngine

SYMBOL = "SPY"
BEGIN = 1_700_000_000_000_000_000


class Counts(Strategy):
    """Two averages, and a count of the bars; it saves nothing."""

    def on_start(self) -> None:
        bars = self.subscribe_bars(SYMBOL, "1m")
        self.fast = self.attach(SMA(20), bars)
        self.slow = self.attach(EMA(50), bars)
        self.bars = self.above = 0

    def on_bar(self, bar: Any) -> None:
        self.bars += 1
        self.above += self.fast.value > self.slow.value


def begun(folder: Path, run_id: str, now: int) -> Driver:
    """Return a driver that runs, on what is in a folder."""
    prefix = f"pyrt-{run_id}-"
    driver = Driver(
        AlpacaClient(prefix, symbols=(SYMBOL,)),
        Journal(RealFiles(folder)),
        RiskEngine(),
        [Instrument(SYMBOL)],
        [Counts()],
        Plan(run_id=run_id, prefix=prefix, policies=Policies(looks=1, warmup=0)),
    )
    driver.begin(now)
    driver.take(now, [state_of(now)])
    assert driver.phase == RUNNING
    return driver


def state_of(now: int) -> BrokerState:
    """Return an account without orders or positions, as a broker states it."""
    return BrokerState(
        ts=now,
        account="A",
        may_trade=True,
        status="ACTIVE",
        cash=Decimal(100_000),
        equity=Decimal(100_000),
        positions={},
        orders=(),
        fills=(),
        adjustments=(),
    )


def restart_s(inputs: int) -> tuple[float, float, int]:
    """Return seconds and CPU seconds until a killed node runs again, and the inputs played."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name) / "state"
        now = BEGIN
        first = begun(folder, "one", now)
        assert first.core is not None
        price = 100.0
        while first.core.inputs.count < inputs:
            now += MINUTE
            price += 0.01 if (now // MINUTE) % 3 else -0.02
            first.take(now, [BarEvent(SYMBOL, now - MINUTE, now, (price,) * 4 + (100.0,))])
            first.flush_tape()
        played = first.core.inputs.count
        first.journal.commit()
        before = (first.core.kernel.strategies[0].bars, first.core.kernel.strategies[0].above)
        began, used = time.perf_counter(), time.process_time()
        second = begun(folder, "two", now)
        elapsed, used = time.perf_counter() - began, time.process_time() - used
        assert second.core is not None
        strategy = second.core.kernel.strategies[0]
        assert (strategy.bars, strategy.above) == before, "it is not what it was"
        second.journal.close()
        first.journal.close()
    return elapsed, used, played


def main() -> int:
    """Print how long it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    elapsed, used, played = restart_s(parser.parse_args().inputs)
    print(f"{played:,} inputs played again in {elapsed:.2f} s ({used:.2f} s of processor)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
