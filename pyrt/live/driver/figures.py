"""Daily volumes and ranges from the broker's history, for the limits that go by them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from pyrt.live.core.terms import NEW_YORK
from pyrt.live.driver.acts import state_range, state_volume
from pyrt.live.driver.run import Run
from pyrt.live.plan import DAY, MINUTE, SECOND
from pyrt.risk.ranges import true_ranges

SETTLED_NS = 60 * MINUTE
"""How long after a session's end its daily bar is taken to be whole."""
AGAIN_NS = 10 * MINUTE
"""When a symbol of which nothing came is asked for again: the broker may not have answered."""


class DailyFigures:
    """Asks for daily bars when the node has started, and again after each day of the account.

    Bars of days that have not ended are left out. What was stated before stays until an answer
    comes; a strict gate denies what it cannot judge meanwhile. Where nothing came, that symbol is
    asked for again.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked: dict[int, str] = {}
        self._last: dict[str, int] = {}
        self._number = 0
        self._day_due: int | None = None
        self._again_due: int | None = None
        self._missing: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    @property
    def due(self) -> int | None:
        """When to ask, ns UTC."""
        return min((at for at in (self._day_due, self._again_due) if at is not None), default=None)

    @property
    def _limits(self) -> Any:
        limits = getattr(self._run.gate, "limits", None)
        if limits is None or limits.max_adv_share is limits.max_position_loss_atr is None:
            return None
        return limits

    def ask_after_day(self, now: int) -> None:
        """Ask again, once the bar of the day that has just ended is whole."""
        self._day_due = now + SETTLED_NS

    def turn(self, now: int) -> None:
        """Ask when it is time to."""
        if self._day_due is not None and now >= self._day_due:
            self._day_due = None
            self.ask(now)
        elif self._again_due is not None and now >= self._again_due:
            self.ask(now, frozenset(self._missing))

    def ask(self, now: int, symbols: frozenset[str] | None = None) -> None:
        """Ask for the daily bars of all instruments, or of some, where a limit reads them."""
        self._again_due = None
        self._missing.clear()
        run, limits = self._run, self._limits
        if limits is None:
            return
        there = self._there(now)
        # A year has 250 sessions. The range of one reaches from the close before it.
        sessions = max(limits.adv_sessions, limits.atr_sessions + 1)
        start = there - (sessions * 3 // 2 + 10) * DAY
        for instrument in run.live_core.kernel.cache.instruments:
            if symbols is not None and instrument.symbol not in symbols:
                continue
            # Below zero: strategies' own askings count from one. Each has its own, and the last
            # counts: an answer to one before, for fewer sessions, may be on its way.
            self._number -= 1
            self._asked[self._number] = instrument.symbol
            self._last[instrument.symbol] = self._number
            # To the end of the day under way: the bar of a session ends at midnight, long after it.
            end = there + DAY
            run.client.history(self._number, instrument.symbol, "1d", start, end, sessions + 1)

    def _there(self, now: int) -> int:
        look = self._run.last_look
        return now if look is None or not look.server_ts else now + look.server_ts - look.ts

    def takes(self, event: Any) -> bool:
        """Return whether an answer is one to us."""
        return event.WHAT == "history" and event.number in self._asked

    def take(self, now: int, event: Any) -> None:
        """State the averages of the days that have ended."""
        symbol, limits = self._asked.pop(event.number), self._limits
        if limits is None or event.number != self._last[symbol]:
            return
        bars = [bar for bar in event.bars if self._has_ended(now, symbol, bar)]
        if limits.max_adv_share is not None:
            volumes = [bar.prices[4] for bar in bars[-limits.adv_sessions :]]
            self._state(now, "volume", symbol, sum(volumes) / max(len(volumes), 1))
        if limits.max_position_loss_atr is not None:
            # Of a bar's prices: open, high, low, close, volume.
            ranges = true_ranges(bar.prices[1:4] for bar in bars)[-limits.atr_sessions :]
            self._state(now, "range", symbol, sum(ranges) / max(len(ranges), 1))

    def _state(self, now: int, what: str, symbol: str, mean: float) -> None:
        """State a figure to the gate; tell of one that is not there."""
        run = self._run
        if not mean > 0:
            self._missing.add(symbol)
            self._again_due = now + AGAIN_NS
            if (what, symbol) in self._told:
                return
            self._told.add((what, symbol))
            limit = {"volume": "max_adv_share", "range": "max_position_loss_atr"}[what]
            text = f"the broker has no daily {what} of {symbol}: {limit} cannot be judged"
            run.scribe.alarm(f"no_{what}", text, now)
            return
        self._told.discard((what, symbol))
        figure = f"{Decimal(repr(mean)):f}"
        run.note(what, symbol=symbol, **{what: figure})
        {"volume": state_volume, "range": state_range}[what](run.live_core, symbol, figure)

    def _has_ended(self, now: int, symbol: str, bar: Any) -> bool:
        there = self._there(now)
        if "/" in symbol:
            return bool(bar.ts_close <= there)
        day = str(datetime.fromtimestamp(bar.ts_open // SECOND, NEW_YORK).date())
        last = self._run.balance_date
        if last:
            # While its bar is waited for the last day has none that is whole.
            return day <= last if self._day_due is None else day < last
        return day < str(datetime.fromtimestamp(there // SECOND, NEW_YORK).date())
