"""Past bars: what indicators are warmed up with, and what strategies have asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyrt.data.timeframe import parse_timeframe
from pyrt.live.core.node import COMPLETE_NS
from pyrt.live.core.results import decode_result, encode_result
from pyrt.live.driver.aftermath import Aftermath
from pyrt.live.driver.run import Run
from pyrt.live.plan import DAY, MINUTE

SESSION_MINUTES = 390
ROWS_MAX = 50_000
"""Bars in one note of the tape, about 3 MiB: what a record of the journal holds is limited."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer to history that nobody can be asked for."""

    WHAT: ClassVar[str] = "history"
    number: int
    bars: tuple[Any, ...] = ()


class History:
    """Asks the broker for bars, and hands over what came.

    Parameters
    ----------
    run : Run
    aftermath : Aftermath
    """

    def __init__(self, run: Run, aftermath: Aftermath) -> None:
        self._run = run
        self._aftermath = aftermath
        self._warming: dict[str, int] = {}

    @property
    def is_warm(self) -> bool:
        """Whether all bars asked for to warm indicators up have come."""
        return not self._warming

    def warm_up(self, now: int) -> None:
        """Ask for past bars of every symbol of which there are bars."""
        run, inputs = self._run, self._run.live_core.inputs
        if not run.plan.policies.warmup:
            self._let_bars_end()
            return
        # The broker's time: a simulator of other days has its own.
        there = now if run.last_look is None else run.last_look.server_ts or now
        known = {
            stream.symbol: inputs.last_bars[stream.index]
            for stream in run.live_core.kernel.cache.streams
            if stream.kind == "bars" and stream.index in inputs.last_bars
        }
        for symbol in run.live_core.bar_symbols:
            self._warming[symbol] = there
            # After a crash only the bars that nobody has heard are missing.
            run.client.warm(symbol, known.get(symbol, there - self._span(symbol)), there)
        if not self._warming:
            self._let_bars_end()

    def _let_bars_end(self) -> None:
        """Let bars that others are made into end by time again; none of their parts is missing.

        What was over long before now is past: no handler hears yesterday's bar in the morning.
        """
        inputs = self._run.live_core.inputs
        if inputs.holds_bars:
            until = self._run.scribe.now - COMPLETE_NS
            self._run.note("bars", until=until)
            inputs.release_bars(until)

    def _span(self, symbol: str) -> int:
        """Return how far back history is asked for, so that enough bars are in it."""
        least = self._run.plan.policies.warmup
        bars = least
        for stream in self._run.live_core.kernel.cache.streams:
            if stream.kind == "bars" and stream.symbol == symbol:
                longest = max(stream.lookbacks, default=0)
                each = max(stream.timeframe_ns // MINUTE, 1)
                if "/" not in symbol:
                    each = _session_minutes(each)
                bars = max(bars, max(4 * longest, least) * each)
        if "/" in symbol:
            return bars * MINUTE
        return _days_with(bars // SESSION_MINUTES) * DAY

    def on_warm(self, event: Any) -> None:
        """Feed indicators with bars that were asked for."""
        run, asked_at = self._run, self._warming.pop(event.symbol, 0)
        *before, last = _parts(event.bars)
        for part in before:
            run.live_core.warm(event.symbol, part)
            run.flush_tape()
        run.live_core.warm(event.symbol, last, asked_at=asked_at)
        run.flush_tape()
        if not self._warming:
            self._let_bars_end()

    def ask(self, number: int, symbol: str, timeframe: str, bars: int) -> None:
        """Ask for bars that a strategy wants."""
        run, look = self._run, self._run.last_look
        there = 0 if look is None else look.server_ts - look.ts if look.server_ts else 0
        end = run.scribe.now + there
        each = parse_timeframe(timeframe)
        span = each * bars
        if "/" not in symbol:
            span = _days_with(span // (SESSION_MINUTES * MINUTE if each % DAY else DAY)) * DAY
        run.client.history(number, symbol, timeframe, end - span, end, bars)

    def on_answer(self, now: int, event: Any) -> None:
        """Hand over what a strategy has asked for."""
        run, core = self._run, self._run.live_core
        core.take(now, [])
        # Whoever has asked is watched as other handlers are.
        core.enter()
        if event.WHAT == "history":
            rows = [(b.ts_open, b.ts_close, *b.prices) for b in event.bars]
            *before, last = _parts(rows)
            for i, part in enumerate(before):
                at = i * ROWS_MAX
                run.note("history_part", number=event.number, at=at, rows=part)
                core.later.keep_part(event.number, at, part)
                run.flush_tape()
            at = len(rows) - len(last)
            run.note("history", number=event.number, at=at, rows=last)
            core.later.deliver_history(event.number, last, at)
        else:
            self._take_result(event.number, event.result)
        core.inputs.settle()
        core.leave()
        self._aftermath.settle(now)

    def _take_result(self, number: int, result: Any) -> None:
        """Write down what slow work came to, and hand it over as a replay will."""
        run, data = self._run, encode_result(result)
        if data is None:
            # It has no form on the tape: whoever plays this does the work again.
            run.note("computed", number=number)
        else:
            run.note("computed", number=number, result=data)
            if not isinstance(result, Exception):
                result = decode_result(data)
        run.live_core.later.deliver_result(number, result)


def _parts(rows: Sequence[Any]) -> list[Sequence[Any]]:
    """Return rows in parts that a note of the tape holds each; one of none where there are none."""
    return [rows[at : at + ROWS_MAX] for at in range(0, max(len(rows), 1), ROWS_MAX)]


def _session_minutes(minutes: int) -> int:
    """Return how many minutes of sessions a bar of so many minutes has at most."""
    days, rest = divmod(minutes, DAY // MINUTE)
    return days * SESSION_MINUTES + min(rest, SESSION_MINUTES)


def _days_with(sessions: int) -> int:
    """Return in how many days there are so many sessions of 390 minutes, and some to spare."""
    # A year of 365 days has 250 of them: 104 days are weekends, and up to eleven are holidays.
    return sessions * 3 // 2 + 5
