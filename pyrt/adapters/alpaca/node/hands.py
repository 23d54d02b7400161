"""What people ask of a node by its page, carried over into the thread that trades."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pyrt.adapters.alpaca.node.companions import carry_out, take_halts
from pyrt.errors import ConfigError, PyrtError
from pyrt.live.core.notes import by_hand
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.halts import Halts
from pyrt.live.process.control import LIFTS, Request

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode
    from pyrt.live.driver.driver import Driver

LOG = logging.getLogger("pyrt.live.node")
PATIENCE_S, AGAIN_S = 10.0, 0.5
"""A node that has done nothing by then does not answer; a second kill waits less."""
SILENT = "the node does not answer"
WAITING_MAX = 4
"""Actions that may wait for the node at a time: a browser has six connections to a host."""
Outcome = dict[str, Any]


class Hands:
    """Hands requests to a node's loop and waits for what comes of them; in the page's own loop.

    Nothing here holds that loop up, so that a kill gets through whatever else waits.

    Parameters
    ----------
    patience_s : float
        How long to wait for the node's loop.
    folder : Path, optional
        The state folder, where a kill is kept for a node that has not opened it yet.
    """

    def __init__(self, patience_s: float = PATIENCE_S, folder: Path | None = None) -> None:
        self._patience_s = patience_s
        self._folder = folder
        self._early: Halts | None = None
        self._waiting: dict[Future[Outcome], Request] = {}
        self._kills = 0

    async def carry(self, node: LiveNode, request: Request) -> dict[str, Any]:
        """Carry a checked request over, and return what came of it.

        Raises
        ------
        PyrtError
            If the node refuses, does not run, or does not answer: the text says whether it may
            still be done. A kill is never withdrawn, and a restart knows of it.
        """
        if request.action == "halt" and not (request.symbol or request.strategy):
            return await self._kill(node, request)
        loop = _open_loop(node)
        if loop is None or node.core is None:
            raise ConfigError(f"the node {_stands(node)}", code="not_running")
        if len(self._waiting) >= WAITING_MAX:
            raise PyrtError(
                f"{len(self._waiting)} requests wait for the node; {request.action} was not asked",
                code="busy",
            )
        asked = hand_over(loop, lambda: carry_out(node, request))
        return await self._wait(asked, request)

    # -- kill ----------------------------------------------------------------------------------

    async def _kill(self, node: LiveNode, request: Request) -> dict[str, Any]:
        # Another click says nothing new, and must not take the page's connections up.
        patience_s = min(AGAIN_S, self._patience_s) if self._kills else self._patience_s
        self._kills += 1
        try:
            return await self._press(node, request, patience_s)
        finally:
            self._kills -= 1

    async def _press(self, node: LiveNode, request: Request, patience_s: float) -> dict[str, Any]:
        # As it will be on record: what is kept in the node's own name leaves exits.
        request = msgspec.structs.replace(request, actor=by_hand(request.actor))
        early = self._open_early(node)
        if early is not None:
            kept = early.keep(request.actor, request.reason, time.time_ns())
            await _is_done(kept, patience_s)
            if node.driver is None:
                text = f"the node is starting; it starts HALTED{_doubt(kept)}"
                raise ConfigError(text, code="not_running")
        if node.driver is None:
            raise ConfigError(f"the node {_stands(node)}", code="not_running")
        kept = self._block(node.driver, request)
        loop = _open_loop(node)
        if loop is None or node.core is None:
            if loop is not None:
                loop.call_soon_threadsafe(take_halts, node)
            await _is_done(kept, patience_s)
            text = f"the node {_stands(node)}; orders are blocked{_doubt(kept)}"
            raise ConfigError(text, code="not_running")
        asked = hand_over(loop, lambda: carry_out(node, request))
        if not await _is_done(asked, patience_s):
            text = f"{SILENT}; orders are blocked, and what works is canceled as soon as it does"
            raise PyrtError(text + _doubt(kept), code="no_answer")
        return {"message": asked.result()["done"]}

    def _open_early(self, node: LiveNode) -> Halts | None:
        """Return where a kill is kept that comes before the node has opened its folder."""
        if node.driver is not None or self._folder is None or _open_loop(node) is None:
            return None
        if self._early is None:
            self._early = Halts(RealFiles(self._folder))
        return self._early

    def hand_kills_over(self, driver: Driver) -> None:
        """Let a driver that is there now know of the kills before, wherever they are kept.

        It may have read its folder before they were in there, or the disk has taken none.
        """
        if self._early is not None:
            driver.journal.halts.take_over(self._early)

    def _block(self, driver: Driver, request: Request) -> Future[None]:
        """Close the latch at once, whatever the node's loop is busy with, and keep that."""
        driver.latch.set(f"{request.actor}: {request.reason}", time.monotonic_ns())
        for asked, other in self._waiting.items():
            if other.action in LIFTS:
                asked.cancel()
        self.hand_kills_over(driver)
        return driver.journal.halts.keep(request.actor, request.reason, time.time_ns())

    async def _wait(self, asked: Future[Outcome], request: Request) -> dict[str, Any]:
        self._waiting[asked] = request
        try:
            is_done = await _is_done(asked, self._patience_s)
        finally:
            del self._waiting[asked]
        if asked.cancel():
            # By now, or by a kill before.
            why, code = ("Kill was pressed", "killed") if is_done else (SILENT, "no_answer")
            raise PyrtError(f"{why}; {request.action} is withdrawn and was not done", code=code)
        if not asked.done():
            raise PyrtError(
                f"the node has begun with {request.action} and does not answer; it may be done",
                code="no_answer",
            )
        return {"message": asked.result()["done"]}


def hand_over(loop: asyncio.AbstractEventLoop, what: Callable[[], Outcome]) -> Future[Outcome]:
    """Let the loop of another thread do something, unless its future is canceled before.

    A coroutine that is canceled from here would be begun all the same by a loop that comes back
    late: the cancel waits behind it in the loop's queue.
    """
    asked: Future[Outcome] = Future()

    def carry() -> None:
        if not asked.set_running_or_notify_cancel():
            return
        try:
            asked.set_result(what())
        except Exception as error:
            if not isinstance(error, PyrtError):
                # Whoever asked may have stopped waiting.
                LOG.error("what the page asked for went wrong", exc_info=error)
            asked.set_exception(error)

    loop.call_soon_threadsafe(carry)
    return asked


def _open_loop(node: LiveNode) -> asyncio.AbstractEventLoop | None:
    return None if node.loop is None or node.loop.is_closed() else node.loop


def _stands(node: LiveNode) -> str:
    """Return in words why nothing can be asked of a node."""
    return "does not run" if _open_loop(node) is None else "is starting"


def _doubt(kept: Future[None]) -> str:
    """Return in words what keeps a restart from knowing of a kill; "" where it knows."""
    error = kept.exception() if kept.done() else "the disk does not answer"
    return "" if error is None else f"; a restart would not know of it: {error}"


async def _is_done(asked: Future[Any], patience_s: float) -> bool:
    ends = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(_: object) -> None:
        # The page may be closed by the time the node comes back.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(ends.set)

    asked.add_done_callback(tell)
    with suppress(TimeoutError):
        await asyncio.wait_for(ends.wait(), patience_s)
    return asked.done()
