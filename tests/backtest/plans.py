"""Random plans that two engines carry out alike: what to do at each bar, drawn beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Action:
    """One decision at a bar's close; prices are absolute, `side` is 1 or -1."""

    kind: str
    side: int = 0
    size: int = 0
    price: float = 0.0
    take_profit: float | None = None
    stop_loss: float | None = None


class Plan:
    """Decides from the bar's number, its close and what is held; draws nothing while it runs.

    Parameters
    ----------
    family : {"market", "flip", "bracket", "limit", "stop", "resting"}
    seed : int
    bars : int
    decimals : int
        Of the prices.
    wide : float
        Typical distance of limits, stops and targets, as a share of the price.
    """

    def __init__(self, family: str, seed: int, bars: int, decimals: int, wide: float) -> None:
        self.family = family
        self.decimals = decimals
        self.wide = wide
        self.draws = np.random.default_rng(seed).random((bars, 6))

    def decide(self, bar: int, close: float, held: int, pending: int) -> Action | None:
        """Return what to do at the close of `bar`; `pending` counts entries at work."""
        draw = self.draws[bar]
        side = 1 if draw[0] < 0.5 else -1
        size = 1 + int(draw[1] * 100)
        if self.family == "flip":
            return Action("market", side, size) if draw[2] < 0.3 else None
        if held:
            leave = self.family in ("market", "resting") and draw[2] < 0.2
            return Action("close", -1 if held > 0 else 1, abs(held)) if leave else None
        if pending:
            return Action("cancel") if draw[3] < 0.15 else None
        if draw[2] > 0.4:
            return None
        return self._entry(close, side, size, draw)

    def _entry(self, close: float, side: int, size: int, draw: Any) -> Action:
        away = self.wide * (0.2 + 0.8 * draw[3])
        if self.family == "market":
            return Action("market", side, size)
        kind = {"bracket": "market", "limit": "limit", "resting": "limit", "stop": "stop"}[
            self.family
        ]
        at = {
            "market": close,
            "limit": close * (1 - side * away),
            "stop": close * (1 + side * away),
        }
        price = self._round(at[kind])
        if self.family == "resting":
            return Action(kind, side, size, price)
        target = self._round(at[kind] * (1 + side * self.wide * (0.6 + draw[4])))
        stop = self._round(at[kind] * (1 - side * self.wide * (0.6 + draw[5])))
        return Action(kind, side, size, price, target, stop)

    def _round(self, price: float) -> float:
        return round(float(price), self.decimals)


class UnderExits(Plan):
    """Opens with a stop-loss and a target, then sells parts by hand, closes, or turns around.

    Nothing is done before a bar that reaches an exit: there one engine takes the open first, the
    other the exit.

    Parameters
    ----------
    seed, decimals, wide :
        As of `Plan`.
    lows, highs : sequence of float
        Of the bars.
    """

    def __init__(self, seed: int, lows: Any, highs: Any, decimals: int, wide: float) -> None:
        super().__init__("under_exits", seed, len(lows), decimals, wide)
        self._lows, self._highs = lows, highs
        self._exits: tuple[float, ...] = ()

    def decide(self, bar: int, close: float, held: int, pending: int) -> Action | None:
        """Return what to do at the close of `bar`."""
        draw = self.draws[bar]
        exits = self._exits if held else ()
        if bar + 1 == len(self._lows) or any(self._reaches(bar + 1, price) for price in exits):
            return None
        side, size = (1 if draw[0] < 0.5 else -1), 1 + int(draw[1] * 50)
        if draw[2] < 0.2 and held * side <= 0:
            self._exits = (
                self._round(close * (1 + 1.5 * side * self.wide)),
                self._round(close * (1 - side * self.wide)),
            )
            return Action("market", side, size + abs(held), 0.0, *self._exits)
        away = -1 if held > 0 else 1
        if held and draw[2] < 0.35:
            return Action("market", away, min(size, abs(held)))
        return Action("close", away, abs(held)) if held and draw[2] < 0.4 else None

    def _reaches(self, bar: int, price: float) -> bool:
        return bool(self._lows[bar] <= price <= self._highs[bar])
