"""Algorithms that react to the market: a share of its volume, and slices shown one at a time."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pyrt.errors import ConfigError
from pyrt.execution.algorithms import ExecutionAlgorithm, positive, require, span

if TYPE_CHECKING:
    from pyrt.core.clock import TimerEvent
    from pyrt.core.data import Bar, Trade
    from pyrt.core.orders import Order

__all__ = ["POV", "Iceberg"]


def rescaled(quantity: Decimal, ratio: Fraction) -> Decimal:
    """Return what a split makes of a quantity."""
    return quantity * ratio.numerator / ratio.denominator


class POV(ExecutionAlgorithm):
    """A share of the volume that trades: percentage of volume.

    After each trade (each bar, where no trades come in) it sends what is missing to `rate` times
    the volume since the start; never more.

    Parameters
    ----------
    rate : number
        Share of the volume, above 0 to 1.
    minimum : number
        Least quantity of one order; smaller amounts wait for more volume.
    duration : int, str or timedelta, optional
        When to give up what remains; without one, when the order's time in force ends.

    Examples
    --------
    >>> POV(0.1, minimum=100)
    POV(0.1, minimum=100)
    """

    def __init__(self, rate: Any, *, minimum: Any = 0, duration: Any = None) -> None:
        self._rate = positive("rate", rate)
        if self._rate > 1:
            raise ConfigError(f"rate is {rate!r}; expected a share, above 0 to 1")
        self._minimum = Decimal(str(minimum))
        self._duration = None if duration is None else span("duration", duration)

    def on_start(self) -> None:
        """Begin to count."""
        self._volume = self._before = Decimal(0)
        if self._duration is not None:
            self.set_timer("end", at=self.now + self._duration)

    def on_trade(self, trade: Trade) -> None:
        """Count a print."""
        self._take(trade.size)

    def on_bar(self, bar: Bar) -> None:
        """Count a bar that began after the order."""
        if bar.ts_open >= self.order.ts_init:
            self._take(bar.volume)

    def on_split(self, ratio: Fraction) -> None:
        """Count anew: what was sent before went by a volume of other units."""
        self._volume, self._before = Decimal(0), self.sent
        self._minimum = rescaled(self._minimum, ratio)

    def on_timer(self, event: TimerEvent) -> None:
        """The time is over."""
        self.finish("algorithm: its duration is over")

    def _listen(self, kinds: list[str]) -> bool:
        """Listen to trades, or else to bars: bars made of trades count once."""
        return any(super(POV, self)._listen([kind]) for kind in kinds)

    def _take(self, volume: float) -> None:
        self._volume += Decimal(repr(volume))
        due = min(self._rate * self._volume - (self.sent - self._before), self.remaining)
        if due > 0 and (due >= self._minimum or due == self.remaining):
            self.send(due)

    def __repr__(self) -> str:
        return f"POV({self._rate}, minimum={self._minimum})"


class Iceberg(ExecutionAlgorithm):
    """Shows a part at a time: when one has filled, the next is sent; with one that has not it ends.

    Parameters
    ----------
    display : number
        Units of each part; the order needs a limit price.

    Examples
    --------
    >>> Iceberg(100)
    Iceberg(100)
    """

    def __init__(self, display: Any) -> None:
        self._display = positive("display", display)

    def bound_to(self, order: Order) -> Iceberg:
        """Return a copy for an order; OrderError if it has no limit price."""
        require(order.limit_price is not None, "an iceberg needs a limit_price")
        return super().bound_to(order)

    def on_start(self) -> None:
        """Show the first part."""
        self._show()

    def on_fill(self, child: Order) -> None:
        """Show the next part when one has filled."""
        if not self.children:
            self._show()

    def on_split(self, ratio: Fraction) -> None:
        """Show as much in new units; at least one step."""
        one = Decimal(self.instrument.step).scaleb(-self.instrument.decimals)
        self._display = max(self.whole(rescaled(self._display, ratio)), one)

    def on_end(self, child: Order) -> None:
        """End with a part that is canceled, expires or is refused: nothing would send the next."""
        super().on_end(child)
        self.finish(f"algorithm: {child.client_order_id} is {child.status} and not filled")

    def _show(self) -> None:
        self.send(min(self._display, self.remaining))

    def __repr__(self) -> str:
        return f"Iceberg({self._display})"
