"""Past bars: what indicators are warmed up with, what strategies ask for, and gaps of the stream.

**A gap whose history does not come.** The symbol's bars wait, so that no handler and no indicator
sees a minute after one that is missing. The history is asked for again, later each time up to the
policy's cap, until it is whole. After `STALE_AFTER` attempts in vain the symbol is *stale*: that is
told, and told again every `TOLD_AGAIN_NS`, and what could raise exposure in it does not leave. It
ends by itself with the history. Only where the broker refuses the request do bars go on without it.

**What history has, and when.** The stream sends a minute's bar within a tenth of a second, history
has it two or three seconds later: a gap is not asked for in the first `LATE_NS` of a minute, or the
minute that has just ended would be in neither, and what a strategy asks for not in that time after
the end of such a bar. And history shows the running minute as far as it
has come: bars that had not ended when they were asked for come from the stream, when they have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from pyrt.adapters.alpaca.core.events import Alarm, BarEvent, Event, HistoryEvent, WarmEvent
from pyrt.adapters.alpaca.core.history import BarHistory
from pyrt.adapters.alpaca.core.market_data import MarketData
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.rest import HttpRequest, RequestQueue, outcome
from pyrt.data.timeframe import parse_timeframe

MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
WARM_ATTEMPTS = 3
STALE_AFTER = 3
"""Attempts in vain after which a symbol whose bars wait is stale."""
TOLD_AGAIN_NS = 300 * SECOND
LATEST = 1 << 62
HISTORY_FEEDS = {"delayed_sip": "sip", "test": ""}
"""Feeds of streams that history has by another name, or not at all."""
DELAY_NS = 15 * MINUTE
"""How far ``delayed_sip`` is behind; younger history is for subscribers of ``sip`` only."""
IN_UNITS_NOW = "split"
"""What is looked back on is in units of today, as what the stream goes on with.

Of a split inside the span raw bars would have a jump that no price has made. A gap's bars are those
that the stream would have sent.
"""
LATE_NS = 5 * SECOND
"""How long after its minute a bar may come to be in history."""
OTHER_DAYS_NS = 10 * DAY
"""No gap is as long: bars so old, or of the future, are of a simulator with days of its own."""


@dataclass(slots=True)
class Gap:
    """A gap being filled: under which purpose, and how that goes.

    Attributes
    ----------
    told_at : int
        When it was told that the symbol is stale; 0 while it is not.
    until : int
        Bars that end later come from the stream.
    """

    purpose: str
    since: int
    until: int
    failures: int = 0
    told_at: int = 0


class PastBars:
    """Asks for bars of the past and joins them to those of the streams.

    Parameters
    ----------
    queue : RequestQueue
    stream_of : callable
        Symbol → the stream that carries it.
    feed : str
        Of the stream of stocks.
    """

    def __init__(
        self, queue: RequestQueue, stream_of: Callable[[str], MarketData], feed: str
    ) -> None:
        self._queue = queue
        self._stream_of = stream_of
        self._feed = feed
        self._asked: dict[str, BarHistory] = {}
        self._gaps: dict[str, Gap] = {}
        self._serial = 0
        self.stale: dict[str, str] = {}
        """Symbol → why nothing that could raise exposure in it should leave."""

    # -- asking --------------------------------------------------------------------------------

    def warm(self, symbol: str, start: int, end: int, now: int) -> list[Event]:
        """Ask for minute bars of [start, end]; the stream's bars wait meanwhile."""
        if not self._has_past(symbol):
            return [WarmEvent(symbol, ())]
        self._stream_of(symbol).stitcher.hold(symbol)
        end = self._youngest(symbol, start, end)
        purpose = f"warm:{symbol}"
        self._ask(BarHistory((symbol,), start, end, purpose=purpose, adjustment=IN_UNITS_NOW), now)
        return []

    def history(
        self, number: int, symbol: str, timeframe: str, start: int, end: int, bars: int, now: int
    ) -> list[Event]:
        """Ask for the last `bars` of a span on a strategy's behalf, once history has them all.

        A handler of a bar asks right after its end, and looks for that bar among them.
        """
        if not self._has_past(symbol):
            return [HistoryEvent(number, ())]
        purpose = f"history:{number}"
        length = parse_timeframe(timeframe)
        since = end % (length if DAY % length == 0 else MINUTE) + self._delay_of(symbol)
        end = self._youngest(symbol, start, end)
        history = BarHistory(
            (symbol,),
            start,
            end,
            timeframe,
            adjustment=IN_UNITS_NOW,
            purpose=purpose,
            keep=bars,
        )
        self._ask(history, now + max(0, LATE_NS - since))
        return []

    def fill_gap(self, symbol: str, last: int, now: int) -> list[Event]:
        """Ask for the bars after the one opened at `last`; an earlier asking is given up.

        Each has a purpose of its own: an answer that was on its way when the line broke again
        knows nothing of what came after it. It is asked for when history has all that the stream
        has sent by `now`.
        """
        stitcher = self._stream_of(symbol).stitcher
        if not self._has_past(symbol):
            return list[Event](stitcher.fill(symbol, []))
        if f"warm:{symbol}" in self._asked:
            # What its answer leaves open is asked for then.
            return []
        failed = self._gaps.get(symbol)
        self._give_up(symbol)
        stitcher.hold(symbol)
        self._serial += 1
        gap = Gap(f"gap:{symbol}:{self._serial}", now, LATEST)
        if failed is not None:
            gap.since, gap.failures, gap.told_at = failed.since, failed.failures, failed.told_at
        self._gaps[symbol] = gap
        self._ask_gap(gap, symbol, last, now)
        return []

    def _ask_gap(self, gap: Gap, symbol: str, last: int, now: int) -> None:
        """Ask for a gap's bars as soon as history has them."""
        history = BarHistory((symbol,), last + MINUTE, purpose=gap.purpose)
        due, delay = now, self._delay_of(symbol)
        if 0 <= now - last < OTHER_DAYS_NS:
            if delay:
                # Clocks may differ by seconds, and younger bars are refused.
                due, history.end = now + LATE_NS, max(history.start, now - delay)
                gap.until = now - delay
            else:
                gap.until = due = max(now, now // MINUTE * MINUTE + LATE_NS)
        self._ask(history, due)

    def drop_gap(self, symbol: str) -> None:
        """Want a symbol's missing bars no longer, nor those that wait for them."""
        self._give_up(symbol)
        self.stale.pop(symbol, None)
        self._stream_of(symbol).stitcher.fill(symbol, [])

    def _has_past(self, symbol: str) -> bool:
        return "/" in symbol or HISTORY_FEEDS.get(self._feed, self._feed) != ""

    def _delay_of(self, symbol: str) -> int:
        return DELAY_NS if self._feed == "delayed_sip" and "/" not in symbol else 0

    def _youngest(self, symbol: str, start: int, end: int) -> int:
        """Return the end of a span that reaches up to now, as far as history gives it."""
        delay = self._delay_of(symbol)
        return max(start, end - delay - LATE_NS) if delay else end

    def _ask(self, history: BarHistory, now: int) -> None:
        history.feed = HISTORY_FEEDS.get(self._feed, self._feed)
        history.asked_at = now
        self._asked[history.purpose] = history
        self._queue.add(history.request(), now)

    def _give_up(self, symbol: str) -> None:
        gap = self._gaps.pop(symbol, None)
        if gap is not None:
            self._asked.pop(gap.purpose, None)
            self._queue.drop(gap.purpose)

    # -- what came -----------------------------------------------------------------------------

    def receive(self, request: HttpRequest, status: int, body: bytes, now: int) -> list[Event]:
        """Take an answer; one that is not wanted any more tells nothing."""
        history = self._asked.get(request.purpose)
        if history is None:
            return []
        try:
            if status != 200:
                raise msgspec.DecodeError(outcome(status, body))
            following = history.receive(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refused = 400 <= status < 500 and status != 429
            return self._on_failure(request, history, str(error), now, refused=refused)
        if following is not None:
            self._queue.add(following)
            return []
        del self._asked[request.purpose]
        kind, symbol = request.purpose.partition(":")[0], history.symbols[0]
        if kind == "warm":
            return self._warmed(history, now)
        if kind == "history":
            return [_found(history)]
        until = self._gaps[symbol].until
        return self._filled(symbol, [bar for bar in history.bars if bar.ts_close <= until], now)

    def _on_failure(
        self, request: HttpRequest, history: BarHistory, text: str, now: int, *, refused: bool
    ) -> list[Event]:
        kind, symbol = request.purpose.partition(":")[0], history.symbols[0]
        alarm = Alarm("query_failed", f"{request.purpose}: {text}", now)
        gives_up = refused or (kind != "gap" and request.attempt >= WARM_ATTEMPTS)
        if not gives_up:
            self._queue.retry(request, now)
            if kind != "gap":
                return [alarm]
            gap = self._gaps[symbol]
            gap.until = max(gap.until, now - self._delay_of(symbol))
            return self._in_vain(symbol, alarm, now)
        del self._asked[request.purpose]
        if kind == "history":
            return [alarm, HistoryEvent(int(request.purpose.partition(":")[2]), ())]
        if kind == "warm":
            # Better cold indicators than a strategy that hears nothing.
            held = self._stream_of(symbol).stitcher.fill(symbol, [])
            return [alarm, WarmEvent(symbol, ()), *held]
        # Asked again it would be refused again: the hole is told, and bars go on behind it.
        return [alarm, *self._filled(symbol, [], now)]

    def _in_vain(self, symbol: str, alarm: Alarm, now: int) -> list[Event]:
        """Count an attempt for a gap's bars; tell of the first ones, then of the state."""
        gap = self._gaps[symbol]
        gap.failures += 1
        if gap.failures < STALE_AFTER:
            return [alarm]
        waited = (now - gap.since) // SECOND
        why = f"bars of {symbol} wait for {gap.failures} requests and {waited} s for those before"
        self.stale[symbol] = f"{symbol} is stale: the bars of a gap have not come"
        if gap.told_at and now - gap.told_at < TOLD_AGAIN_NS:
            return []
        gap.told_at = now
        text = f"{why} ({alarm.text}); nothing that could raise exposure in it leaves"
        return [Alarm("stale_bars", text, now)]

    def _filled(self, symbol: str, bars: list[BarEvent], now: int) -> list[Event]:
        """The gap is whole, or will never be: let the symbol's bars go on."""
        gap = self._gaps.pop(symbol)
        passed = list[Event](self._stream_of(symbol).stitcher.fill(symbol, bars))
        if self.stale.pop(symbol, None) is None:
            return passed
        seconds = (now - gap.since) // SECOND
        return [Alarm("bars_resumed", f"{symbol} goes on after {seconds} s", now), *passed]

    def _warmed(self, history: BarHistory, now: int) -> list[Event]:
        """Return past bars to warm up with, then what the stream has brought meanwhile.

        What lies between both, because the stream began to send the symbol's bars after the history
        had been asked for, is a gap like any other.
        """
        symbol = history.symbols[0]
        stream = self._stream_of(symbol)
        end = LATEST if history.end is None else history.end
        past = stream.stitcher.join(symbol, (bar for bar in history.bars if bar.ts_close <= end))
        warm = WarmEvent(symbol, past)
        last = stream.stitcher.last_open(symbol)
        if last is None:
            # Of no bar: the last minute that history could have had, and that was asked for.
            last = max((end - LATE_NS) // MINUTE * MINUTE, history.start) - MINUTE
        # A line may stand long before a symbol is asked for on it; what has ended in the seconds
        # before neither has. Of a delayed feed history leaves some seconds out in any case.
        since = stream.served_since(symbol)
        if since is None or not stream.is_active:
            # Its bars wait on: minutes that end until it is served are missing.
            stream.owe_gap(symbol, last)
            return [warm]
        if since > history.asked_at or self._delay_of(symbol) > 0:
            return [warm, *self.fill_gap(symbol, last, now)]
        return [warm, *stream.stitcher.fill(symbol, [])]


def _found(history: BarHistory) -> HistoryEvent:
    """Return the last bars that were asked for; one that has not ended yet is none."""
    number = int(history.purpose.partition(":")[2])
    ended = [bar for bar in history.bars if history.end is None or bar.ts_close <= history.end]
    return HistoryEvent(number, tuple(ended[-history.keep :] if history.keep else ended))
