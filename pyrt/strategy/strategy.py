"""What users subclass: parameters by annotation, handlers by name."""

from __future__ import annotations

from typing import Any

from pyrt.core.clock import TimerEvent
from pyrt.core.data import Bar, Quote, Status, Trade
from pyrt.core.orders import Fill, OrderEvent
from pyrt.core.positions import Position
from pyrt.core.suggest import did_you_mean, suggest
from pyrt.errors import ConfigError
from pyrt.strategy import parameters
from pyrt.strategy.core import StrategyCore

HANDLERS = (
    "on_bar",
    "on_quote",
    "on_trade",
    "on_book",
    "on_status",
    "on_timer",
    "on_order",
    "on_fill",
    "on_accept",
    "on_reject",
    "on_deny",
    "on_cancel",
    "on_expire",
    "on_trigger",
    "on_modify",
    "on_position",
)
"""Handlers that are called only where a subclass defines them."""


class Strategy(StrategyCore):
    """A trading strategy: subclass it, annotate parameters, define the handlers you need.

    Annotated class attributes are the parameters: typed, given by keyword, fixed after
    construction. The same object runs in a backtest and live.

    Parameters
    ----------
    capital : float, optional
        What fractions refer to, in the account's currency; by default the strategies of a run
        share the account equally.
    **params
        Values for the annotated attributes.

    Raises
    ------
    UnknownName
        For a parameter that is not declared, with a suggestion.
    ConfigError
        For a value of the wrong type.

    Examples
    --------
    >>> class Hold(Strategy):
    ...     symbol: str = "SPY"
    ...     size: float = 10
    >>> Hold(size=5).size
    5.0
    """

    def __init__(self, *, capital: float | None = None, **params: Any) -> None:
        if capital is not None and not 0 < capital < float("inf"):
            raise ConfigError(f"capital is {capital!r}; expected a positive amount")
        _check_handlers(type(self))
        self._freeze(parameters.resolve(type(self), Strategy, params), capital, COMMANDS)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters by name, in the order they are declared."""
        return {name: getattr(self, name) for name in parameters.declared(type(self), Strategy)}

    def fresh(self, **changes: Any) -> Strategy:
        """Return a new strategy of the same class and parameters, with `changes` applied."""
        return type(self)(capital=self.capital, **{**self.params, **changes})

    def handles(self, name: str) -> bool:
        """Return whether the class defines the handler `name` itself."""
        return getattr(type(self), name, None) is not getattr(Strategy, name)

    def on_start(self) -> None:
        """Called once before the first event: subscribe, attach indicators, set timers."""

    def on_stop(self) -> None:
        """Called once after the last event, or when the node stops."""

    def on_bar(self, bar: Bar) -> None:
        """Called at the close of each subscribed bar, after its indicators."""

    def on_quote(self, quote: Quote) -> None:
        """Called for each change of the best bid or offer."""

    def on_trade(self, trade: Trade) -> None:
        """Called for each print."""

    def on_book(self, book: Any) -> None:
        """Called after each batch of changes of a subscribed order book."""

    def on_status(self, status: Status) -> None:
        """Called when a symbol halts or resumes."""

    def on_timer(self, event: TimerEvent) -> None:
        """Called for timers and alerts set without a handler of their own."""

    def on_order(self, event: OrderEvent) -> None:
        """Called for everything that happens to this strategy's orders, before narrower ones."""

    def on_fill(self, fill: Fill) -> None:
        """Called for each execution, after position and account have taken it in."""

    def on_accept(self, event: OrderEvent) -> None:
        """Called when the venue acknowledges an order."""

    def on_reject(self, event: OrderEvent) -> None:
        """Called when the venue refuses an order; `event.reason` says why."""

    def on_deny(self, event: OrderEvent) -> None:
        """Called when our own risk gate refuses an order; it never left."""

    def on_cancel(self, event: OrderEvent) -> None:
        """Called when an order is canceled, by us or by the venue."""

    def on_expire(self, event: OrderEvent) -> None:
        """Called when an order's time in force ends."""

    def on_trigger(self, event: OrderEvent) -> None:
        """Called when a stop's trigger is reached and its limit rests."""

    def on_modify(self, event: OrderEvent) -> None:
        """Called when new terms are in force, or were refused."""

    def on_position(self, position: Position) -> None:
        """Called after each change of a position, following the order's event."""

    def on_save(self) -> dict[str, Any]:
        """Return state worth keeping over a restart; msgpack-able values, of at most 1 MiB."""
        return {}

    def on_load(self, state: dict[str, Any]) -> None:
        """Take back what `on_save` returned."""


def _check_handlers(cls: type[Strategy]) -> None:
    """Raise ConfigError for a method that looks like a handler and would never be called."""
    known = [name for name in dir(Strategy) if name.startswith("on_")]
    for name in vars(cls):
        unknown = name.startswith("on_") and name not in known
        if unknown and suggest(name, known, 1, cutoff=0.85):
            raise ConfigError(
                f"{cls.__name__}.{name} is no handler and would never be called",
                remedy=did_you_mean(name, known),
            )


COMMANDS = frozenset(
    name
    for name in dir(Strategy)
    if not name.startswith(("_", "on_")) and callable(getattr(Strategy, name))
)
"""What an attribute of the same name would hide from the strategy that sets it."""
