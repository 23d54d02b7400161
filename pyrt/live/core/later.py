"""What strategies ask for and get later: history from the broker, results of slow work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pyrt.core.data import Bar
from pyrt.data.timeframe import parse_timeframe
from pyrt.live.core.results import decode_result, encode_result

LOG = logging.getLogger("pyrt.live")
AskHistory = Callable[[int, str, str, int], object]
RunSlow = Callable[[int, Callable[..., Any], tuple[Any, ...]], object]


@dataclass(frozen=True, slots=True)
class _Pending:
    owner: Any
    handler: Callable[[Any], object]
    symbol: str = ""
    timeframe: str = ""
    bars: int = 0
    fn: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()


class Later:
    """Keeps what was asked for under a number, until the answer comes.

    Parameters
    ----------
    core : NodeCore
    ask_history : callable, optional
        (number, symbol, timeframe, bars): asks the broker.
    run_slow : callable, optional
        (number, function, arguments): runs it off the trading thread. Without one, work is done
        inline, as in a backtest.
    """

    def __init__(self, core: Any) -> None:
        self._core = core
        self._count = 0
        self._pending: dict[int, _Pending] = {}
        self._parts: dict[int, list[Sequence[Any]]] = {}
        self.ask_history: AskHistory | None = None
        self.check_timeframe: Callable[[str], object] = parse_timeframe
        """Raises where there are no bars of a timeframe, played as live."""
        self.run_slow: RunSlow | None = None
        self.waits_for_slow = False
        self.recorded: dict[int, tuple[int, bytes]] | None = None
        """Number of work done inline → when, and what it came to; None unless a tape is played."""
        self._done = 0
        self._made: dict[int, tuple[int, bytes]] = {}

    def __len__(self) -> int:
        return len(self._pending)

    # -- what the kernel calls -----------------------------------------------------------------

    def request_history(
        self, owner: Any, symbol: str, timeframe: str, bars: int, handler: Callable[[Any], object]
    ) -> None:
        """Ask for past bars; `handler` gets a list of Bar, oldest first."""
        # Whoever is refused has not asked: a run that is played has nobody else to refuse it.
        self.check_timeframe(timeframe)
        self._count += 1
        self._pending[self._count] = _Pending(owner, handler, symbol, timeframe, bars)
        if self.ask_history is not None:
            self.ask_history(self._count, symbol, timeframe, bars)

    def compute(
        self, owner: Any, fn: Callable[..., Any], args: tuple[Any, ...], then: Callable[..., Any]
    ) -> None:
        """Run `fn(*args)` elsewhere, or inline where there is no elsewhere."""
        if self.run_slow is None and not self.waits_for_slow:
            result = self._do_now(fn, args)
            kernel = self._core.kernel
            kernel.later(owner, kernel.compute_latency_ns, lambda event: then(result))
            return
        self._count += 1
        self._pending[self._count] = _Pending(owner, then, fn=fn, args=args)
        if self.run_slow is not None:
            self.run_slow(self._count, fn, args)

    def _do_now(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Do work inline and keep what it comes to for the tape; played, take it from there."""
        self._done += 1
        number, now = self._done, self._core.kernel.clock.timestamp_ns
        if self.recorded is not None:
            ts, data = self.recorded.pop(number, (0, b""))
            if ts != now:
                # It has no form on the tape, or other limits have led elsewhere.
                return fn(*args)
            self._made[number] = ts, data
            result = decode_result(data)
            if isinstance(result, Exception):
                raise result
            return result
        try:
            result = fn(*args)
        except Exception as error:
            self._keep(number, now, error)
            raise
        return self._keep(number, now, result)

    def _keep(self, number: int, now: int, result: Any) -> Any:
        """Keep what work came to; return it as it comes back from the tape."""
        data = None if self._core.inputs.tape is None else encode_result(result)
        if data is None:
            return result
        self._made[number] = now, data
        return decode_result(data)

    def take_made(self) -> list[tuple[int, int, bytes]]:
        """Return what work done inline has come to, and is on no tape yet: number, when, result."""
        made, self._made = self._made, {}
        return [(number, ts, data) for number, (ts, data) in made.items()]

    def is_on_tape(self, number: int) -> None:
        """Note that what work done inline has come to is on this run's tape already."""
        self._made.pop(number, None)

    def ask_again(self) -> list[int]:
        """Ask for all that has not been answered: whoever was asked is gone.

        Returns the numbers of history that is refused: its strategy has been told so before.
        """
        refused = []
        for number, asked in self._pending.items():
            if asked.fn is None and self.ask_history is not None:
                try:
                    self.ask_history(number, asked.symbol, asked.timeframe, asked.bars)
                except Exception as error:
                    LOG.warning("history of %s is not asked for again: %s", asked.symbol, error)
                    refused.append(number)
            elif asked.fn is not None and self.run_slow is not None:
                self.run_slow(number, asked.fn, asked.args)
        return refused

    # -- answers -------------------------------------------------------------------------------

    def keep_part(self, number: int, at: int, rows: Sequence[Sequence[Any]]) -> None:
        """Keep rows of an answer, from its row `at` on, until `deliver_history` brings the last.

        What was kept behind that place is of an answer that a crash has broken off.
        """
        self._parts.setdefault(number, [])[at:] = rows

    def deliver_history(self, number: int, rows: Sequence[Sequence[Any]], at: int = 0) -> None:
        """Hand past bars to whoever asked: rows of start, end, open, high, low, close, volume.

        As many as `at` says are kept from before.
        """
        asked = self._pending.pop(number, None)
        rows = [*self._parts.pop(number, [])[:at], *rows]
        if asked is None:
            return
        bars = [
            Bar(
                symbol=asked.symbol,
                timeframe=asked.timeframe,
                open=row[2],
                high=row[3],
                low=row[4],
                close=row[5],
                volume=row[6],
                ts_open=row[0],
                ts_event=row[1],
                ts_init=row[1],
            )
            for row in rows
        ]
        self._call(asked, bars)

    def deliver_result(self, number: int, result: Any) -> None:
        """Hand the result of slow work to whoever asked; an exception stops the strategy."""
        asked = self._pending.pop(number, None)
        if asked is not None:
            self._call(asked, result)

    def run_again(self, number: int) -> None:
        """Do slow work now and deliver its result: a replay has nowhere else to do it."""
        asked = self._pending.get(number)
        if asked is None or asked.fn is None:
            return
        try:
            result = asked.fn(*asked.args)
        except Exception as error:
            result = error
        self.deliver_result(number, result)

    def _call(self, asked: _Pending, value: Any) -> None:
        if not asked.owner.running:
            return
        kernel = self._core.kernel
        kernel.bus.begin()
        try:
            if isinstance(value, Exception):
                raise value
            asked.handler(value)
        except Exception as error:
            kernel.calls.take_failure(asked.owner, asked.handler, value, error)
        finally:
            kernel.bus.end()
