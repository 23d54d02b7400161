"""Keeps the market data that a node receives, beside its trading."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyrt.live.process.market_log import MarketLog, compact

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode

WRITE_S = 60.0
WRITE_ROWS = 250_000
"""So many rows are written before the minute is over."""
COMPACT_S = 86_400.0
GIVE_WAY = 20
GIVE_WAY_S = 0.01
"""A write waits so often, and so long each time, while orders are on their way."""


class Recorder:
    """Writes what came each minute, and makes one file of each old day, in threads of its own.

    Parameters
    ----------
    folder : Path
        The state folder; the data lie in ``market`` below it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "market"
        self._log: MarketLog | None = None
        self._task: asyncio.Task[None] | None = None
        self._told = 0
        self._due = asyncio.Event()

    async def prepare(self, node: LiveNode) -> None:
        """Load what writes, now and not in the middle of trading."""
        await asyncio.to_thread(import_module, "pyarrow.parquet")

    async def begin(self, node: LiveNode) -> None:
        """Listen."""
        assert node.driver is not None
        log = self._log = MarketLog(self._folder, node.run_id)
        driver = node.driver
        before = driver.listener

        def listener(event: Any, core: Any) -> None:
            log.take(event, core.kernel.clock.timestamp_ns)
            if log.count >= WRITE_ROWS:
                self._due.set()
            if before is not None:
                before(event, core)

        driver.listener = listener
        self._task = asyncio.create_task(self._run(node))

    async def end(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._log is not None:
            self._log.write(self._log.cut())

    async def _run(self, node: LiveNode) -> None:
        assert self._log is not None
        compacted = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_S):
                    await self._due.wait()
            self._due.clear()
            await self._give_way(node)
            try:
                await asyncio.to_thread(self._log.write, self._log.cut())
                if time.monotonic() - compacted > COMPACT_S or not compacted:
                    compacted = time.monotonic()
                    await asyncio.to_thread(compact, self._folder, datetime.now(UTC).date())
            except Exception as error:
                # Whatever it is: a task that has ended would keep nothing more, and tell nobody.
                self._alarm(node, f"market data could not be written: {error}")
            if self._log.dropped > self._told:
                self._told = self._log.dropped
                self._alarm(node, f"{self._told} rows of market data were not kept")

    @staticmethod
    async def _give_way(node: LiveNode) -> None:
        """Let orders leave first: what makes a strategy trade makes rows as well."""
        for _ in range(GIVE_WAY):
            if not node.is_sending:
                return
            await asyncio.sleep(GIVE_WAY_S)

    @staticmethod
    def _alarm(node: LiveNode, text: str) -> None:
        if node.driver is not None:
            node.driver.scribe.alarm("market_log", text, time.time_ns())
