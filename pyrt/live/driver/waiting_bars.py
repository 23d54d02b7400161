"""Bars that wait for those of a gap: what is made of them waits, too."""

from __future__ import annotations

from pyrt.live.driver.run import Run


class WaitingBars:
    """Keeps bars made of a symbol's bars from ending by time while some of these are missing.

    They would be handed on without what history is about to bring: a line that is away for some
    seconds as a 5-minute bar ends would cost it its last minute.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._held: frozenset[str] = frozenset()

    def hold(self) -> None:
        """Hold what has begun to wait, before time goes on."""
        waiting = self._run.client.waiting_bars
        if waiting - self._held and self._run.core is not None:
            self._tell(waiting - self._held, waits=True)
            self._held |= waiting

    def release(self) -> None:
        """Let go what waits no more, once the kernel has what it waited for."""
        gone = self._held - self._run.client.waiting_bars if self._held else self._held
        if gone:
            self._tell(gone, waits=False)
            self._held -= gone

    def _tell(self, symbols: frozenset[str], *, waits: bool) -> None:
        for symbol in sorted(symbols):
            self._run.live_core.let_wait(symbol, waits=waits)
