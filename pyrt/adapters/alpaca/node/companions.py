"""What lives beside a running node: control interface, handler monitor, heartbeat."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pyrt.adapters.alpaca.account.canceling import cancel_everything
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.errors import ConfigError
from pyrt.live.core.notes import MONITOR
from pyrt.live.driver.driver import Driver
from pyrt.live.driver.run import LOOKING, RUNNING, STOPPED, STOPPING
from pyrt.live.driver.status import PHASES, status_of
from pyrt.live.journal.backup import backup_if_due, drill
from pyrt.live.journal.files import RealFiles
from pyrt.live.process.control import LIFTS, ControlServer, Request
from pyrt.live.process.heartbeat import (
    BEAT_S,
    NODE_BEAT,
    NODE_SILENCE_S,
    WATCHDOG_BEAT,
    WATCHDOG_SILENCE_S,
    silence_s,
    write_beat,
)
from pyrt.live.process.monitor import Monitor
from pyrt.live.process.wall import steady_ns

LOG = logging.getLogger("pyrt.live.node")
WATCHDOG_LOG, WATCHDOG_LOG_MAX = "watchdog.log", 1 << 20
"""What it says, in the folder of logs; one that is larger is put aside when the next one starts."""
BACKUP_LOOK_S = 60.0
START_TIMES = 10
"""So many times as long a handler may run while strategies start: there models are loaded."""
START_S = 300.0
"""A start that has not come to its end by then hangs, and beats no more."""

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode


class Control:
    """The control interface of a node with a state folder."""

    def __init__(self, folder: Path) -> None:
        self._server = ControlServer(folder, self._answer)
        self._node: LiveNode | None = None

    async def prepare(self, node: LiveNode) -> None:
        """Take the socket; nobody is answered yet."""
        await self._server.prepare()

    async def begin(self, node: LiveNode) -> None:
        """Listen."""
        self._node = node
        await self._server.start()

    async def end(self) -> None:
        """Listen no longer."""
        await self._server.stop()

    def _answer(self, request: Request) -> dict[str, Any]:
        assert self._node is not None
        assert self._node.driver is not None
        if request.action in LIFTS and 0 < request.asked_ns < self._node.driver.latch.asked_ns:
            # The page's kill goes another way, and may be heard of first. Who does not say when
            # may have seen it: refused, they could never lift it.
            raise ConfigError(
                f"Kill was pressed after {request.action} was asked for; it was not done",
                code="killed",
                remedy="Look why, and ask again",
            )
        return carry_out(self._node, request)


def carry_out(node: LiveNode, request: Request) -> dict[str, Any]:
    """Do what a checked request asks of a node; in the node's own thread.

    Raises
    ------
    ConfigError
        If it cannot be done.
    """
    driver = node.driver
    assert driver is not None
    if request.action == "status":
        return status_of(driver)
    if request.action == "stop":
        node.stop(f"{request.actor}: {request.reason}")
        return {"done": "the node stops"}
    if request.action == "lost":
        driver.resolve_lost(request.order, request.actor, request.reason)
        node.wake()
        return {"done": f"{request.order} is lost"}
    if request.action == "accept":
        whose = {"symbol": request.symbol, "strategy": request.strategy}
        done = driver.accept(request.actor, request.reason, **whose)
        node.wake()
        return {"done": done}
    if request.action in ("set_limit", "set_ramp"):
        done = _set_limits(driver, request)
        # What was asked is made durable in the next turn.
        node.wake()
        return {"done": done}
    if request.action == "halt" and not (request.symbol or request.strategy):
        # Before anything else: nothing may leave while the kernel is busy with it.
        asked_ns = request.asked_ns or time.monotonic_ns()
        driver.latch.set(f"{request.actor}: {request.reason}", asked_ns)
    done = driver.operate(
        request.action,
        request.actor,
        request.reason,
        symbol=request.symbol,
        strategy=request.strategy,
        order=node.client_order_id(request.order),
    )
    node.wake()
    return {"done": done}


def take_halts(node: LiveNode) -> None:
    """Carry out halts that were asked for beside the node's thread; in that."""
    assert node.driver is not None
    node.driver.take_halts()
    # What follows is on its way, and made durable, without delay.
    node.wake()


def _set_limits(driver: Driver, request: Request) -> str:
    value, actor, reason = request.value, request.actor, request.reason
    if request.action == "set_ramp":
        return driver.set_ramp(value, actor, reason, typed=request.typed)
    return driver.set_limit(
        request.limit, value, actor, reason, symbol=request.symbol, typed=request.typed
    )


class HandlerMonitor:
    """Stops strategies whose handlers do not come back; kills trading where that fails."""

    def __init__(self, timeout_s: float, trading_url: str, credentials: Credentials) -> None:
        self._timeout_s = timeout_s
        self._url = trading_url
        self._credentials = credentials
        self._monitor: Monitor | None = None
        self._driver: Driver | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: Callable[[], object] = lambda: None

    def watch(self, node: LiveNode) -> None:
        """Watch the calling thread, where signals can reach it."""
        core, self._driver, self._wake = node.core, node.driver, node.wake
        assert core is not None
        self._loop = asyncio.get_running_loop()
        monitor = Monitor(self._timeout_s, self._on_stuck, lambda: len(core.kernel.errors))
        monitor.times = START_TIMES
        if monitor.start():
            self._monitor = monitor
            core.enter, core.leave = monitor.enter, monitor.leave

    async def begin(self, node: LiveNode) -> None:
        """From here on handlers have no longer than they are given."""
        if self._monitor is not None:
            self._monitor.times = 1

    async def end(self) -> None:
        """Stop watching."""
        if self._monitor is not None:
            self._monitor.stop()

    def _on_stuck(self, text: str) -> None:
        """Latch, keep that, and cancel everything by a connection of this thread's own.

        The loop tells of it once the handler has come back; until then the watchdog does.
        """
        assert self._driver is not None
        assert self._loop is not None
        self._driver.latch.set(text, time.monotonic_ns())
        # The node may be ended before its loop comes back.
        self._driver.journal.halts.keep(MONITOR, text, time.time_ns())
        self._loop.call_soon_threadsafe(self._tell, text)
        if self._url:
            threading.Thread(target=self._cancel, daemon=True).start()

    def _cancel(self) -> None:
        """Cancel everything, and tell where orders are left: in the log now, by the loop later."""
        assert self._loop is not None
        problem = cancel_everything(self._url, self._credentials)
        if not problem:
            return
        text = f"the account's orders are not all canceled: {problem}"
        LOG.critical("a handler hangs, and %s", text)
        with suppress(RuntimeError):
            # The node may have ended meanwhile.
            self._loop.call_soon_threadsafe(self._alarm, text)

    def _tell(self, text: str) -> None:
        assert self._driver is not None
        self._alarm(text)
        self._driver.take_halts()
        self._wake()

    def _alarm(self, text: str) -> None:
        assert self._driver is not None
        self._driver.scribe.alarm("stuck", text, time.time_ns())


class Heart:
    """Beats while the node lives, and hears whether its watchdog does.

    Parameters
    ----------
    folder : Path
    watchdog : sequence of str, optional
        The command that starts one, beside the node.
    is_watched : bool
        One is to watch, whoever starts it: it is an alarm when none does.
    """

    def __init__(
        self, folder: Path, watchdog: list[str] | None = None, *, is_watched: bool = False
    ) -> None:
        self._folder = folder
        self._command = watchdog
        self._is_watched = is_watched
        self._is_lost = False
        self._started_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._node: LiveNode | None = None
        self._has_started = threading.Event()
        self._starting = threading.Thread(target=self._beat_alone, name="pyrt-heart", daemon=True)

    def watch(self, node: LiveNode) -> None:
        """Beat while strategies start, and start the watchdog.

        The loop stands still then, however well they do: the beats are another thread's.
        """
        self._node = node
        self._beat(PHASES[LOOKING])
        # One that watches already, a service's or an earlier run's, needs no other beside it.
        if self._command is not None and not self._has_watchdog():
            self._start_watchdog()
        self._starting.start()

    async def begin(self, node: LiveNode) -> None:
        """Beat as long as the loop goes round."""
        self._node = node
        self._leave_start()
        self._beat(PHASES[RUNNING])
        self._task = asyncio.create_task(self._run(node))

    async def end(self) -> None:
        """Say whether the node has stopped in order; the watchdog then leaves by itself."""
        self._leave_start()
        if self._task is not None:
            self._task.cancel()
        if self._node is not None:
            # After an error, or a stop that was cut off, the orders are the watchdog's case.
            driver = self._node.driver
            in_order = driver is not None and driver.phase == STOPPED
            self._beat("stopped" if in_order else "failed")

    def _beat_alone(self) -> None:
        assert self._node is not None
        until = time.monotonic() + START_S
        while not self._has_started.wait(BEAT_S) and time.monotonic() < until:
            with suppress(OSError):
                # Whoever may tell of it stands still.
                write_beat(self._folder, NODE_BEAT, phase=PHASES[LOOKING], run_id=self._node.run_id)

    def _leave_start(self) -> None:
        self._has_started.set()
        if self._starting.is_alive():
            self._starting.join()

    def _beat(self, phase: str) -> None:
        run_id = "" if self._node is None else self._node.run_id
        try:
            write_beat(self._folder, NODE_BEAT, phase=phase, run_id=run_id)
        except OSError as error:
            driver = None if self._node is None else self._node.driver
            if driver is not None:
                text = f"the heartbeat cannot be written, and the watchdog may act: {error}"
                driver.scribe.alarm("watchdog_lost", text, time.time_ns())

    async def _run(self, node: LiveNode) -> None:
        driver = node.driver
        assert driver is not None
        # A suspended machine has stood still too, which its monotonic clock would not show.
        started = last = steady_ns() / 1e9
        while True:
            await asyncio.sleep(BEAT_S)
            now = steady_ns() / 1e9
            if driver.phase <= STOPPING and not node.has_turned:
                # One whose loop hangs in a wait is no living node, though this task goes on.
                continue
            if now - last > NODE_SILENCE_S:
                text = (
                    f"the node stood still for {now - last:.0f} s, "
                    "and its orders may have been canceled meanwhile"
                )
                # By the machine's clock, which may have been set, no later look might be due.
                driver.scribe.alarm("frozen", text, node.now)
                driver.look(node.now)
            last = now
            self._beat(PHASES[driver.phase])
            # From the beat that says `stopped` on the watchdog may leave, and nobody needs it.
            may_lack_it = not self._is_watched or driver.phase > STOPPING
            if not may_lack_it and now - started > 2 * WATCHDOG_SILENCE_S:
                self._check_watchdog(driver)

    def _has_watchdog(self) -> bool:
        return silence_s(self._folder, WATCHDOG_BEAT) <= WATCHDOG_SILENCE_S

    def _check_watchdog(self, driver: Driver) -> None:
        if self._has_watchdog():
            self._is_lost = False
            return
        if not self._is_lost:
            text = "no watchdog lives: nobody cancels orders if the node dies"
            if self._command is None:
                text += "; start `pyrt watchdog` beside it"
            driver.scribe.alarm("watchdog_lost", text, time.time_ns())
        self._is_lost = True
        is_ours_gone = self._process is None or self._process.poll() is not None
        # Where a frozen one holds the lock, another cannot start: no reason to try every beat.
        may_start = self._command is not None and is_ours_gone
        if may_start and time.monotonic() - self._started_at > 2 * WATCHDOG_SILENCE_S:
            try:
                self._start_watchdog()
            except OSError as error:
                # Without the beats of this task there would soon be nothing to watch.
                text = f"the watchdog cannot be started: {error}"
                driver.scribe.alarm("watchdog_lost", text, time.time_ns())

    def _start_watchdog(self) -> None:
        assert self._command is not None
        self._started_at = time.monotonic()
        # In a session of its own: a terminal that is closed, or Ctrl-C there, is the node's. Nor
        # does it keep open what whoever reads the node's output waits for the end of.
        with watchdog_output(self._folder) as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
            )


def watchdog_output(folder: Path) -> AbstractContextManager[BinaryIO | None]:
    """Return the file for what a watchdog says, below a state folder; None where it has no place.

    It outlives a node that failed. With the node's standard error, whoever reads that would wait
    for the watchdog's end.
    """
    path = folder / "logs" / WATCHDOG_LOG
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > WATCHDOG_LOG_MAX:
            path.replace(path.with_name(f"{WATCHDOG_LOG}.1"))
        return os.fdopen(os.open(path, flags, 0o600), "ab")
    except OSError as error:
        LOG.warning("the watchdog speaks where the node does: %s: %s", path, error)
        return nullcontext()


class Backups:
    """Copies the journal every so often, in a thread of its own.

    Parameters
    ----------
    folder, to : Path
        The state folder, and where copies go.
    hours : float
        Between copies.
    kept : int
        Older ones are removed.
    """

    def __init__(self, folder: Path, to: Path, hours: float, kept: int) -> None:
        self._folder = folder
        self._to = to
        self._every_ns = int(hours * 3600 * 1e9)
        self._kept = kept
        self._task: asyncio.Task[None] | None = None

    async def begin(self, node: LiveNode) -> None:
        """Take the first copy that is due, and go on."""
        self._task = asyncio.create_task(self._run(node))

    async def end(self) -> None:
        """Take no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, node: LiveNode) -> None:
        while True:
            try:
                await asyncio.to_thread(self._copy)
            except Exception as error:
                # Whatever it was: the next copy is tried all the same.
                if node.driver is not None:
                    node.driver.scribe.alarm("backup", f"no backup: {error}", time.time_ns())
            await asyncio.sleep(BACKUP_LOOK_S)

    def _copy(self) -> None:
        files = RealFiles(self._folder)
        taken = backup_if_due(
            files,
            self._to,
            now=time.time_ns(),
            every_ns=self._every_ns,
            keep=self._kept,
        )
        if taken is not None:
            # A backup that cannot be brought back is none.
            drill(taken, files)


def watchdog_command(
    config_file: str, *, env_file: str = "", profile: str = "", run_id: str = ""
) -> list[str]:
    """Return the command that watches the node of a configuration, and leaves with a run of it."""
    command = [sys.executable, "-m", "pyrt.cli", "watchdog", "--config", config_file]
    if run_id:
        command += ["--run", run_id]
    if env_file:
        command += ["--env-file", env_file]
    return [*command, "--profile", profile] if profile else command
