"""No bar lost or doubled: joins the history of a gap to the stream that goes on."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pyrt.adapters.alpaca.core.events import BarEvent


class Stitcher:
    """Holds back a symbol's bars while its gap is being filled; lets each minute pass once."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._held: dict[str, list[BarEvent]] = {}

    def last_open(self, symbol: str) -> int | None:
        """Return when the last bar that passed had opened, ns UTC; None before the first."""
        return self._last.get(symbol)

    @property
    def waiting(self) -> Iterable[str]:
        """Symbols whose bars are held back."""
        return self._held

    def hold(self, symbol: str) -> None:
        """Hold the symbol's bars back from now on."""
        self._held.setdefault(symbol, [])

    def take(self, bar: BarEvent) -> list[BarEvent]:
        """Take a bar from the stream; return what may pass.

        An update of a minute that has passed goes on as what it is, and feeds nothing; of a minute
        that had no bar of its own, because its only trades were late, it is that bar.
        """
        if bar.symbol in self._held:
            self._held[bar.symbol].append(bar)
            return []
        if bar.ts_open <= self._last.get(bar.symbol, -1):
            return [bar] if bar.kind == "updated" else []
        self._last[bar.symbol] = bar.ts_open
        return [bar if bar.kind == "bar" else msgspec.structs.replace(bar, kind="bar")]

    def join(self, symbol: str, past: Iterable[BarEvent]) -> tuple[BarEvent, ...]:
        """Take bars that were there before the stream; return those that it has not brought.

        The stream goes on behind the last of them.
        """
        held = self._held.get(symbol, ())
        first = min((bar.ts_open for bar in held), default=1 << 62)
        bars = tuple(bar for bar in past if bar.ts_open < first)
        if bars:
            self._last[symbol] = max(bars[-1].ts_open, self._last.get(symbol, -1))
        return bars

    def fill(self, symbol: str, history: Iterable[BarEvent]) -> list[BarEvent]:
        """Take the gap's bars, release what was held, and return what may pass, in order."""
        held = self._held.pop(symbol, [])
        # At the same minute the history's bar comes first: it has the late trades.
        both = sorted([*history, *held], key=lambda bar: (bar.ts_open, bar.kind == "updated"))
        return [passed for bar in both for passed in self.take(bar)]
