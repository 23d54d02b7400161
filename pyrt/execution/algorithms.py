"""Execution algorithms: one order worked through smaller ones.

Subclass `ExecutionAlgorithm` to write your own; `TWAP`, `VWAP`, `POV` and `Iceberg` are here.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pyrt.core.times import duration_ns
from pyrt.errors import ConfigError, OrderError

if TYPE_CHECKING:
    from typing import Self

    from pyrt.core.clock import TimerEvent
    from pyrt.core.data import Bar, Quote, Trade
    from pyrt.core.instruments import Instrument
    from pyrt.core.orders import Order
    from pyrt.execution.parents import Parents

__all__ = ["ExecutionAlgorithm"]


class ExecutionAlgorithm:
    """Works an order through smaller ones.

    What is given to ``buy(..., algorithm=...)`` is a recipe: each order gets a copy of its own, so
    attributes set in `on_start` belong to that order. Handlers are called like a strategy's, and an
    exception in one is treated like one in the strategy that sent the order.

    Examples
    --------
    >>> class Halves(ExecutionAlgorithm):
    ...     def on_start(self):
    ...         self.send(self.remaining / 2)
    ...         self.set_timer("rest", "5m")
    ...     def on_timer(self, event):
    ...         self.send()
    """

    _order: Order
    _parents: Parents

    # -- what a subclass writes ----------------------------------------------------------------

    def on_start(self) -> None:
        """Called once, when risk has let the order through."""

    def on_timer(self, event: TimerEvent) -> None:
        """Called for each timer set with `set_timer`."""

    def on_bar(self, bar: Bar) -> None:
        """Called for bars of the symbol, where no trades come in."""

    def on_trade(self, trade: Trade) -> None:
        """Called for each print of the symbol."""

    def on_quote(self, quote: Quote) -> None:
        """Called for each quote of the symbol."""

    def on_fill(self, child: Order) -> None:
        """Called after each execution of one of the orders sent."""

    def on_end(self, child: Order) -> None:
        """Called when an order sent has ended without filling: what it had left can be sent anew.

        By default an order that is denied or rejected ends the whole.
        """
        if child.status in ("DENIED", "REJECTED"):
            self.finish(f"algorithm: {child.client_order_id} was refused, {child.reason}")

    def on_split(self, ratio: Fraction) -> None:
        """Called when a split has restated the order: `ratio` new units for an old one.

        What it has filled stays on record in old units, so `quantity` and `sent` are sums of both.
        """

    # -- what it can ask -----------------------------------------------------------------------

    @property
    def order(self) -> Order:
        """The order that is worked."""
        return self._order

    @property
    def symbol(self) -> str:
        """Symbol of the order."""
        return self._order.symbol

    @property
    def instrument(self) -> Instrument:
        """Instrument of the order."""
        return self._order.instrument

    @property
    def quantity(self) -> Decimal:
        """Units of the whole order."""
        return self._order.quantity_exact

    @property
    def remaining(self) -> Decimal:
        """Units that have neither filled nor work now: the most that can be sent."""
        return self._parents.left(self._order)

    @property
    def sent(self) -> Decimal:
        """Units that have filled or work now."""
        return self.quantity - self.remaining

    @property
    def children(self) -> list[Order]:
        """Orders sent that are still open, oldest first."""
        return self._parents.children(self._order)

    @property
    def now(self) -> int:
        """Time of the event being handled, ns UTC."""
        return int(self._parents.world.clock.timestamp_ns)

    # -- what it can do ------------------------------------------------------------------------

    def send(self, quantity: Any = None, **terms: Any) -> Order | None:
        """Send a part of the order and return it; None where it is less than one step.

        Parameters
        ----------
        quantity : number, optional
            Units, rounded down to the instrument's step, and to whole shares where the order is of
            whole shares; by default all that remain.
        **terms
            As for `Strategy.buy`: `limit_price`, `time_in_force`, `post_only`, ... The order's own
            limit price, time in force and hours are taken where none is given.

        Raises
        ------
        OrderError
            If it is more than remains; nothing is sent.
        """
        wanted = self.remaining if quantity is None else quantity
        if not isinstance(wanted, (Decimal, Fraction)):
            wanted = Decimal(str(wanted))
        units = self.whole(wanted)
        if not units:
            return None
        return self._parents.spawn(self._order, units, {**self._inherited(), **terms})

    def whole(self, quantity: Decimal | Fraction) -> Decimal:
        """Return a quantity rounded down to the step; to whole shares where the order is whole."""
        step = Decimal(self.instrument.step).scaleb(-self.instrument.decimals)
        if self.instrument.kind != "crypto" and self.quantity % 1 == 0:
            step = max(step, Decimal(1))
        return Fraction(quantity) // Fraction(step) * step

    def cancel(self, child: Order | None = None) -> None:
        """Cancel one of the orders sent, or all of them."""
        strategy = self._order.strategy
        for one in self.children if child is None else [child]:
            strategy.cancel(one)

    def finish(self, reason: str = "") -> None:
        """End the order: what works is canceled, what remains is given up."""
        self._parents.finish(self._order, reason)

    def set_timer(self, name: str, interval: Any = None, *, at: int | None = None) -> None:
        """Have `on_timer` called every `interval` from now, or once `at` an instant (ns UTC)."""
        if (interval is None) == (at is None):
            raise ConfigError("a timer has either an interval or an instant")
        clock = self._parents.world.clock
        label = f"algorithm-{self._order.number}-{name}"
        owner = self._order.strategy
        if interval is not None:
            clock.set_timer(label, duration_ns(interval), self.on_timer, owner=owner)
        else:
            clock.set_alert(label, at, self.on_timer, owner=owner)

    # -- life ----------------------------------------------------------------------------------

    def bound_to(self, order: Order) -> Self:
        """Return a copy that works an order."""
        bound = copy(self)
        bound._order = order
        return bound

    def begin(self, parents: Parents) -> None:
        """Start working the order."""
        self._parents = parents
        wanted = self._wanted()
        if wanted and not self._listen(wanted):
            self.finish(f"algorithm: no market data of {self.symbol} come in")
            return
        self.on_start()

    def stop(self) -> None:
        """Take back timers and subscriptions; the order has ended."""
        if not hasattr(self, "_parents"):
            return
        world, owner = self._parents.world, self._order.strategy
        world.unlisten(self._order, [getattr(self, f"on_{kind[:-1]}") for kind in self._wanted()])
        prefix = f"algorithm-{self._order.number}-"
        for name in world.clock.names(owner=owner):
            if name.startswith(prefix):
                world.clock.cancel(name, owner=owner)

    def _listen(self, kinds: list[str]) -> bool:
        """Subscribe to the kinds of market data there are; return whether there are any."""
        listen = self._parents.world.listen
        heard = [listen(self._order, kind, getattr(self, f"on_{kind[:-1]}")) for kind in kinds]
        return any(heard)

    def _wanted(self) -> list[str]:
        """Kinds of market data that the class handles."""
        base = ExecutionAlgorithm
        return [
            kind
            for kind in ("trades", "bars", "quotes")
            if getattr(type(self), f"on_{kind[:-1]}") is not getattr(base, f"on_{kind[:-1]}")
        ]

    def _inherited(self) -> dict[str, Any]:
        order = self._order
        terms: dict[str, Any] = {}
        if order.limit_price is not None:
            terms["limit_price"] = order.limit_price
        if order.time_in_force not in ("gtd", "opg", "cls"):
            terms["time_in_force"] = order.time_in_force
        if order.extended_hours:
            terms["extended_hours"] = True
        return terms


def positive(name: str, value: Any) -> Decimal:
    """Return a positive number as a Decimal; ConfigError otherwise."""
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        number = Decimal(0)
    if not number > 0 or not number.is_finite():
        raise ConfigError(f"{name} is {value!r}; expected a positive number")
    return number


def span(name: str, value: Any) -> int:
    """Return a duration in ns, above zero; ConfigError otherwise."""
    length = duration_ns(value)
    if length <= 0:
        raise ConfigError(f"{name} is {value!r}; expected a duration above zero")
    return length


def shares_of(weights: Iterable[Any]) -> list[Fraction]:
    """Return the running sum of weights as shares of their total, exactly."""
    values = [Fraction(str(weight)) for weight in weights]
    total = sum(values, Fraction(0))
    if not values or min(values) < 0 or total <= 0:
        given = [float(value) for value in values]
        raise ConfigError(f"{given} is no profile", remedy="Give weights >= 0, not all zero")
    shares, reached = [], Fraction(0)
    for value in values:
        reached += value
        shares.append(reached / total)
    return shares


def require(condition: bool, message: str) -> None:
    """Raise OrderError where an order does not fit its algorithm."""
    if not condition:
        raise OrderError(message)
