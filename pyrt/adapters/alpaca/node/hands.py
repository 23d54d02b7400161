"""What people ask of a node by its page, carried over into the thread that trades."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyrt.adapters.alpaca.node.companions import carry_out
from pyrt.errors import ConfigError, PyrtError
from pyrt.live.process.control import Request

if TYPE_CHECKING:
    from pyrt.adapters.alpaca.node.live import LiveNode

LOG = logging.getLogger("pyrt.live.node")
PATIENCE_S, AGAIN_S = 10.0, 0.5
"""A node that has done nothing by then does not answer; a second kill waits less."""
SILENT = "the node does not answer"
WAITING_MAX = 4
"""Actions that may wait for the node at a time: a browser has six connections to a host."""
LETS_GO = frozenset({"resume", "reset_breaker"})
"""Actions after which more orders may leave."""
Outcome = dict[str, Any]


class Hands:
    """Hands requests to a node's loop and waits for what comes of them; in the page's own loop.

    Nothing here holds that loop up, so that a kill gets through whatever else waits.

    Parameters
    ----------
    patience_s : float
        How long to wait for the node's loop.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._waiting: dict[Future[Outcome], Request] = {}
        self._kills = 0

    async def carry(self, node: LiveNode, request: Request) -> dict[str, Any]:
        """Carry a checked request over, and return what came of it.

        Raises
        ------
        PyrtError
            If the node refuses, does not run, or does not answer: the text says whether it may
            still be done. A kill is never withdrawn.
        """
        is_kill = request.action == "halt" and not (request.symbol or request.strategy)
        blocked = self._block(node, request) if is_kill else ""
        loop = node.loop
        if loop is None or loop.is_closed():
            raise ConfigError(f"the node does not run{blocked}", code="not_running")
        if node.core is None:
            raise ConfigError(f"the node is starting{blocked}", code="not_running")
        if is_kill:
            return await self._kill(hand_over(loop, lambda: carry_out(node, request)))
        if len(self._waiting) >= WAITING_MAX:
            raise PyrtError(
                f"{len(self._waiting)} requests wait for the node; {request.action} was not asked",
                code="busy",
            )
        asked = hand_over(loop, lambda: carry_out(node, request))
        return await self._wait(asked, request)

    def _block(self, node: LiveNode, request: Request) -> str:
        """Close the latch at once, whatever the node's loop is busy with."""
        if node.driver is None:
            return ""
        node.driver.latch.set(f"{request.actor}: {request.reason}")
        for asked, other in self._waiting.items():
            if other.action in LETS_GO:
                asked.cancel()
        return "; orders are blocked"

    async def _kill(self, asked: Future[Outcome]) -> dict[str, Any]:
        # Another click says nothing new, and must not take the page's connections up.
        patience_s = min(AGAIN_S, self._patience_s) if self._kills else self._patience_s
        self._kills += 1
        try:
            if not await _is_done(asked, patience_s):
                raise PyrtError(
                    f"{SILENT}; orders are blocked, and what works is canceled as soon as it does",
                    code="no_answer",
                )
        finally:
            self._kills -= 1
        return {"message": asked.result()["done"]}

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


async def _is_done(asked: Future[Outcome], patience_s: float) -> bool:
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
