"""Strategies' slow work, in threads of its own; results come in like messages."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from pyrt.adapters.alpaca.core.events import ComputedEvent, Event

THREADS = 2


class SlowWork:
    """Runs functions off the node's thread.

    Parameters
    ----------
    receive : callable
        Called in the worker's thread with what makes the event of a result.
    """

    def __init__(self, receive: Callable[[Callable[[int], list[Event]]], None]) -> None:
        self._receive = receive
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="pyrt-slow")

    def run(self, number: int, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Run a function; its result, or what it raised, is told under `number`."""

        def done(future: Future[Any]) -> None:
            try:
                result = future.exception() or future.result()
            except Exception:
                # The node stops, and the work was never begun.
                return
            self._receive(lambda now: [ComputedEvent(number, result)])

        self._pool.submit(fn, *args).add_done_callback(done)

    def close(self) -> None:
        """Begin nothing more; what runs is left to itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)
