"""A live node's loop: take what came in, let what is due happen, send what follows from it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from pyrt.adapters.alpaca.core.client import AlpacaClient
from pyrt.adapters.alpaca.node.connections import Connections
from pyrt.adapters.alpaca.node.garbage import Garbage
from pyrt.adapters.alpaca.node.inbox import ANSWERS, Inbox, Take
from pyrt.adapters.alpaca.node.lockstep import Lockstep
from pyrt.adapters.alpaca.node.sending import Sender
from pyrt.adapters.alpaca.shell.http import Http
from pyrt.adapters.alpaca.shell.shadow import Shadow, ShadowHttp
from pyrt.live.config import NodeConfig
from pyrt.live.driver.driver import Driver
from pyrt.live.driver.run import STOPPED
from pyrt.live.journal.writer import JournalWriter
from pyrt.live.observe.traces import TraceIds
from pyrt.live.process.wall import WallClock

NAP_S = 1.0
"""The longest sleep: dead lines are looked for this often."""
STOP_NAP_S = 0.02
HANGS_AFTER_S = 5.0
"""A loop that has not gone round for longer hangs: it naps for a second at most."""
INPUTS_S = 0.25
"""How long inputs wait for the disk at most while the node takes some; it does not sync them."""
TURNS_OF_A_REQUEST = 8
"""So many rounds of the loop a request takes, from here to its bytes."""


class Turns:
    """What a node does over and over, in its one thread.

    Parameters
    ----------
    config : NodeConfig
    client : AlpacaClient
    run_id : str

    Attributes
    ----------
    driver : Driver
        Set, as the four below are, before the first turn.
    sender : Sender
    lockstep : Lockstep, optional
        Where a simulator owns time.
    writer : JournalWriter, optional
        Where commits are another thread's; without one each turn commits.
    shadow : Shadow, optional
    stopping : str
        Why the node is to stop; "" while it is not.
    """

    def __init__(self, config: NodeConfig, client: AlpacaClient, run_id: str) -> None:
        self._config = config
        self._client = client
        self._wall = WallClock()
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: Connections | None = None
        self._write_at = 0.0
        self._leaving = 0
        self._fault: Exception | None = None
        self.inbox = Inbox(TraceIds(run_id))
        self.garbage = Garbage()
        self.driver: Driver
        self.sender: Sender | None = None
        self.lockstep: Lockstep | None = None
        self.writer: JournalWriter | None = None
        self.shadow: Shadow | None = None
        self.stopping = ""
        self._turned_at = -math.inf

    def begin(self, loop: asyncio.AbstractEventLoop, http: Http | ShadowHttp) -> None:
        """Take the loop that turns happen in, and what requests leave by."""
        self._loop = loop
        self.sender = Sender(http, self._client, self.receive)

    def clock(self) -> int:
        """Return the time, ns UTC: the simulator's in lockstep."""
        return self._wall.now() if self.lockstep is None else self.lockstep.now

    # -- waking --------------------------------------------------------------------------------

    def stop(self, reason: str) -> None:
        """Let the loop come to its end."""
        self.stopping = reason
        self._woken.set()

    def wake(self) -> None:
        """Let the loop go round, now; may be called from another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def receive(self, take: Take, rank: int) -> None:
        """Take a message in; it is looked at in the next turn."""
        self.inbox.put(take, rank)
        self._woken.set()

    def receive_from_thread(self, take: Take) -> None:
        """Take a result in that another thread has come to."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.receive, take, ANSWERS)

    @property
    def has_turned(self) -> bool:
        """Whether the loop has gone round lately; in lockstep the simulator says when it does."""
        return self.lockstep is not None or time.monotonic() - self._turned_at <= HANGS_AFTER_S

    @property
    def is_sending(self) -> bool:
        """Whether an order waits for the disk, or is on its way to the socket."""
        return self._leaving > 0 or bool(self.driver.held_back)

    # -- going round ---------------------------------------------------------------------------

    def look(self) -> None:
        """Go round once, while the account has not been looked at yet."""
        self._woken.clear()
        self._turn(self.clock())

    async def serve(self) -> None:
        """Go round until the node is to stop, or a simulator's data are over."""
        assert self.sender is not None
        self._connections = Connections(
            self._config,
            self._client,
            self.receive,
            self._woken.set,
            self.clock,
            self.sender.spawn,
            self.shadow,
        )
        if self.lockstep is not None:
            await self.lockstep.serve(self, lambda: bool(self.stopping))
            return
        while not self.stopping:
            self._woken.clear()
            now = self.clock()
            self._tell_of_jump(now)
            self.keep_connected(now)
            self._turn(now)
            await self.flush()
            await self.sleep()

    async def finish(self) -> None:
        """Stop in order: strategies, orders by policy, then answers to what is on its way."""
        driver = self.driver
        driver.stop(self.clock(), self.stopping or "the data are over")
        until = time.monotonic() + self._config.policies().stop_patience_ns / 1e9
        while driver.phase != STOPPED:
            self._woken.clear()
            now = self.clock()
            if self.lockstep is None:
                self.keep_connected(now)
            elif time.monotonic() > until:
                driver.finish(now)
            self._turn(now)
            await self.flush()
            if driver.phase != STOPPED:
                await self.sleep(longest_s=STOP_NAP_S)
        self._commit()

    async def sleep(self, longest_s: float = NAP_S) -> None:
        """Wait for something to do; with messages left over, let the loop go round once."""
        if self.inbox:
            self._leaving = max(0, self._leaving - 1)
            await asyncio.sleep(0)
            return
        self._leaving = 0
        self.garbage.collect()
        now = self.clock()
        due = self.driver.next_due(now)
        seconds = longest_s if due is None else (due - now) / 1e9
        try:
            # `wait_for` of 3.11 forgets that it is canceled where a message comes at that moment.
            async with asyncio.timeout(min(max(seconds, 0.001), longest_s)):
                await self._woken.wait()
        except TimeoutError:
            return

    def _tell_of_jump(self, now: int) -> None:
        """Raise an alarm where somebody has set the machine's clock; the node keeps its own."""
        jump = self._wall.take_jump()
        if jump is not None:
            text = f"the machine's clock jumped by {jump:+.3f} s"
            self.driver.scribe.alarm("clock", text, now)

    def _turn(self, now: int) -> None:
        """Take what came in, let what is due happen, send what follows from it.

        While an order is on its way to the socket, the messages behind it wait for the next turn.
        """
        self._raise_fault()
        self._turned_at = time.monotonic()
        driver = self.driver

        def after() -> bool:
            # In a burst neither the disk nor an order's bytes wait for the messages behind.
            if driver.has_requests:
                self._send_due(now)
            return self._leaving > 0

        if not after():
            self.inbox.hand_over(driver, now, after)
        driver.turn(now)
        self._send_due(now)

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    # -- sending -------------------------------------------------------------------------------

    def _send_due(self, now: int) -> int:
        driver = self.driver
        driver.flush_tape()
        self._commit()
        began = time.perf_counter_ns()
        requests = driver.take_requests(now)
        stages = self.inbox.stages
        if stages is not None and requests:
            stages["encode"].observe(time.perf_counter_ns() - began)
        assert self.sender is not None
        self.sender.send(requests)
        if self.sender.make_ready(driver.unrecorded) or requests:
            self._leaving = TURNS_OF_A_REQUEST
        return len(requests)

    def on_commit(self) -> None:
        """Let what has become durable leave; called from the writer's thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        """Send what has waited for the disk alone: it does not queue behind market data."""
        self._woken.set()
        if not self.driver.held_back or self._fault is not None:
            return
        try:
            self._send_due(self.clock())
        except Exception as error:
            self.fail(error)

    def fail(self, error: Exception) -> None:
        """End the node for what went wrong outside of a turn, as it would in one."""
        self._fault = error
        self._woken.set()

    def _commit(self) -> None:
        """Make durable what was recorded: by the writer, or here where there is no need of one."""
        journal = self.driver.journal
        if self.writer is None:
            journal.commit()
        elif journal.wants_commit:
            self.writer.wake()
        elif journal.has_inputs:
            # What led to nothing is written all the same: a restart goes on from it.
            now = time.monotonic()
            if now >= self._write_at:
                self._write_at = now + INPUTS_S
                self.writer.wake()

    # -- connections, and what lockstep asks ---------------------------------------------------

    def streams(self) -> Iterable[tuple[str, Any]]:
        """Return (name, stream) of the connections there are."""
        return () if self._connections is None else self._connections.streams()

    def frames(self) -> dict[str, int]:
        """Return name of a stream → frames received since the connection was opened."""
        return {} if self._connections is None else self._connections.frames()

    def keep_connected(self, now: int) -> None:
        """Open and close connections as their streams want it."""
        if self._connections is not None:
            self._connections.keep(now, is_lockstep=self.lockstep is not None)

    async def flush(self) -> None:
        """Send what the streams have to say."""
        if self._connections is not None:
            await self._connections.flush()

    def is_connected(self) -> bool:
        """Return whether all streams are through their handshakes."""
        return self._connections is None or self._connections.are_active

    def received(self) -> Mapping[str, int]:
        """Return URL → frames received since the connection was opened."""
        return {} if self._connections is None else self._connections.received()

    def step(self, now: int, *, timers: bool) -> bool:
        """Take all that came in at `now`, send what follows; return whether there was anything."""
        self._raise_fault()
        # What the venue did comes before the bars that it did it in; one instant is one take.
        received = self.inbox.take(by_rank=True)
        events = [event for take in received for event in take(now)]
        self.driver.take(now, events)
        self.driver.turn(now, timers=timers and not events)
        return self._send_due(now) + len(received) > 0

    def outstanding(self) -> int:
        """Return how many requests have left without an answer."""
        return self._client.queue.outstanding

    async def answered(self) -> None:
        """Wait until something has come in."""
        if not self.inbox:
            self._woken.clear()
            await self._woken.wait()

    def next_due(self, now: int) -> int | None:
        """Return when something is due next, later than `now`."""
        due = self.driver.next_due(now)
        return due if due is not None and due > now else None
