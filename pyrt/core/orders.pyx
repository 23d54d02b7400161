"""Orders: one state machine, one table of transitions, and the requests about them."""
cimport cython

from pyrt.core.int128 cimport (
    CEILING, i128_muldiv, i128_notional, i128_to_double, i128_to_i64, i128_to_int,
)
from pyrt.core.numbers cimport (
    decimal_from_scaled, money_from_object, nano_from_object, nano_to_double,
)
from pyrt.core.types cimport (
    EV_ACCEPTED, EV_BUST, EV_CANCEL_REJECTED, EV_CANCELED, EV_CORRECTION, EV_DENIED, EV_EMULATED,
    EV_EXPIRED, EV_FILL, EV_HELD, EV_LOST, EV_MODIFIED, EV_MODIFY_REJECTED, EV_REJECTED,
    EV_RELEASED, EV_SENT, EV_TRIGGERED, EV_UNKNOWN, ACCEPTED, CANCELED, DENIED, EMULATED, EXPIRED,
    FILLED, HELD, INITIALIZED, LOST, PARTIALLY_FILLED, REJECTED, RELEASED, SENT, TRIGGERED,
    UNKNOWN,
)
from pyrt.core.types import (
    EVENT_NAMES, STATUS_NAMES, TIF_NAMES, TYPE_NAMES, EventKind, OrderStatus, Side,
)
from pyrt.errors import ConfigError, InstrumentMismatch, InvalidTransition

cdef dict SIDES = {"buy": 1, "sell": -1, Side.BUY: 1, Side.SELL: -1}

# Every transition there is. PARTIALLY_FILLED stands for any fill; the last one leads to FILLED.
TRANSITIONS = (
    (INITIALIZED, EV_DENIED, DENIED),
    (INITIALIZED, EV_EMULATED, EMULATED),
    (INITIALIZED, EV_SENT, SENT),
    (EMULATED, EV_RELEASED, RELEASED),
    (EMULATED, EV_MODIFIED, EMULATED),
    # What the orders of an execution algorithm fill, its order has filled.
    (EMULATED, EV_FILL, EMULATED),
    (EMULATED, EV_CANCELED, CANCELED),
    (EMULATED, EV_EXPIRED, EXPIRED),
    (RELEASED, EV_SENT, SENT),
    (RELEASED, EV_DENIED, DENIED),
    (SENT, EV_ACCEPTED, ACCEPTED),
    (SENT, EV_HELD, HELD),
    (SENT, EV_REJECTED, REJECTED),
    (SENT, EV_TRIGGERED, TRIGGERED),
    (SENT, EV_FILL, PARTIALLY_FILLED),
    (SENT, EV_CANCELED, CANCELED),
    (SENT, EV_EXPIRED, EXPIRED),
    (SENT, EV_LOST, LOST),
    (HELD, EV_ACCEPTED, ACCEPTED),
    (HELD, EV_MODIFIED, HELD),
    (HELD, EV_TRIGGERED, TRIGGERED),
    (HELD, EV_FILL, PARTIALLY_FILLED),
    (HELD, EV_REJECTED, REJECTED),
    (HELD, EV_CANCELED, CANCELED),
    (HELD, EV_EXPIRED, EXPIRED),
    (HELD, EV_LOST, LOST),
    (ACCEPTED, EV_MODIFIED, ACCEPTED),
    (ACCEPTED, EV_TRIGGERED, TRIGGERED),
    (ACCEPTED, EV_FILL, PARTIALLY_FILLED),
    # Alpaca refuses some orders only after it has acknowledged them.
    (ACCEPTED, EV_REJECTED, REJECTED),
    (ACCEPTED, EV_CANCELED, CANCELED),
    (ACCEPTED, EV_EXPIRED, EXPIRED),
    (ACCEPTED, EV_LOST, LOST),
    (TRIGGERED, EV_MODIFIED, TRIGGERED),
    (TRIGGERED, EV_FILL, PARTIALLY_FILLED),
    (TRIGGERED, EV_REJECTED, REJECTED),
    (TRIGGERED, EV_CANCELED, CANCELED),
    (TRIGGERED, EV_EXPIRED, EXPIRED),
    (TRIGGERED, EV_LOST, LOST),
    (PARTIALLY_FILLED, EV_MODIFIED, PARTIALLY_FILLED),
    (PARTIALLY_FILLED, EV_FILL, PARTIALLY_FILLED),
    (PARTIALLY_FILLED, EV_CANCELED, CANCELED),
    (PARTIALLY_FILLED, EV_EXPIRED, EXPIRED),
    (PARTIALLY_FILLED, EV_LOST, LOST),
    # Late fills are money: applied, and alarmed by whoever watches.
    (CANCELED, EV_FILL, CANCELED),
    (EXPIRED, EV_FILL, EXPIRED),
    (LOST, EV_FILL, LOST),
    # A later sighting reopens what was given up.
    (LOST, EV_ACCEPTED, ACCEPTED),
    (LOST, EV_CANCELED, CANCELED),
    (LOST, EV_EXPIRED, EXPIRED),
    (LOST, EV_REJECTED, REJECTED),
    (PARTIALLY_FILLED, EV_BUST, PARTIALLY_FILLED),
    (FILLED, EV_BUST, FILLED),
    (CANCELED, EV_BUST, CANCELED),
    (EXPIRED, EV_BUST, EXPIRED),
    (PARTIALLY_FILLED, EV_CORRECTION, PARTIALLY_FILLED),
    (FILLED, EV_CORRECTION, FILLED),
    (CANCELED, EV_CORRECTION, CANCELED),
    (EXPIRED, EV_CORRECTION, EXPIRED),
)
# Answers about requests and changes of what is known leave the state as it is.
NEUTRAL_EVENTS = (EV_MODIFY_REJECTED, EV_CANCEL_REJECTED, EV_UNKNOWN)


cdef void fill_table():
    cdef int status, kind
    for status in range(N_STATUS):
        for kind in range(N_EVENTS):
            NEXT_STATUS[status][kind] = -1
        for kind in NEUTRAL_EVENTS:
            NEXT_STATUS[status][kind] = status
    for before, event, after in TRANSITIONS:
        NEXT_STATUS[<int>before][<int>event] = after

fill_table()


cdef int next_status(int status, int kind) noexcept:
    """The table's answer; -1 where the event is not admitted."""
    if not (0 <= status < N_STATUS and 0 <= kind < N_EVENTS):
        return -1
    return NEXT_STATUS[status][kind]


cdef inline object price_or_none(int64_t raw):
    return None if raw == no_price() else nano_to_double(raw)


cdef inline object price_text(int64_t raw):
    return None if raw == no_price() else str(decimal_from_scaled(raw, 9))


cdef inline object units_text(Order order, int64_t units):
    return str(decimal_from_scaled(units, order.instrument.decimals)) if units else None


cdef inline object money_text(int128 raw):
    return None if raw == 0 else str(decimal_from_scaled(i128_to_int(raw), 18))


cdef int64_t trailing_stop_price(Instrument instrument, int side, int64_t amount,
                                 int64_t percent, int64_t price) except? -1:
    """The trigger that trails `price`: on the tick, never closer than the distance.

    `amount` is in 1e-9 or no_price(), `percent` in 1e-9 percent.
    """
    cdef int64_t distance = amount
    if amount == no_price():
        distance = i128_to_i64(i128_muldiv(price, percent, 100_000_000_000, CEILING))
    # A sell trails below: rounding down keeps the distance; a buy trails above.
    return instrument.round_price_raw(price + side * distance, -side)


@cython.final
@cython.freelist(16)
cdef class Order:
    """One intent to trade, from `buy`, `sell` or `submit`, and what has become of it.

    Orders are made by a strategy's commands. `status` is what the venue has last shown; what was
    asked and not answered yet is in `is_pending` and `is_unknown`.
    """

    cdef int transition(self, int kind) except -1:
        """Move to the next state; InvalidTransition, and no change, if the table has none."""
        cdef int after = next_status(self.status_, kind)
        if after < 0:
            raise InvalidTransition(
                f"order {self.client_order_id} is {self.status} and cannot take "
                f"{EVENT_NAMES.get(kind, kind)!r}",
                order=self.client_order_id, status=self.status, event=kind,
            )
        if kind == EV_FILL and self.filled == self.units:
            after = FILLED
        self.status_ = after
        return 0

    cdef bint unknown(self) noexcept:
        return UNKNOWN in (self.submit_request, self.modify_request, self.cancel_request)

    @property
    def client_order_id(self):
        """Our id, unique for ever: prefix of the run and sequence number."""
        return f"{self.prefix}{self.number}" if self.own_id is None else self.own_id

    @property
    def symbol(self):
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def side(self):
        """Side.BUY or Side.SELL."""
        return Side(self.side_sign)

    @property
    def order_type(self):
        """Such as "market" or "stop_limit"."""
        return TYPE_NAMES[self.type]

    @property
    def time_in_force(self):
        """Such as "day" or "gtc"."""
        return TIF_NAMES[self.tif]

    @property
    def status(self):
        """Name of the state, such as "ACCEPTED"."""
        return STATUS_NAMES[self.status_]

    @property
    def reason(self):
        """Why it was denied, rejected, canceled or expired; "" where nothing was said."""
        return self.reason_ or ""

    @property
    def quantity(self):
        """Total quantity, unsigned; 0.0 for an order given as notional and not filled yet."""
        return self.instrument.quantity_float(self.units)

    @property
    def quantity_exact(self):
        """Total quantity, unsigned, as a Decimal."""
        return decimal_from_scaled(self.units, self.instrument.decimals)

    @property
    def filled_quantity(self):
        """Quantity executed so far, unsigned."""
        return self.instrument.quantity_float(self.filled)

    @property
    def filled_quantity_exact(self):
        """Quantity executed so far, unsigned, as a Decimal."""
        return decimal_from_scaled(self.filled, self.instrument.decimals)

    @property
    def leaves_quantity(self):
        """Quantity still to be executed, unsigned."""
        return self.instrument.quantity_float(self.leaves())

    @property
    def display_quantity(self):
        """Quantity of an iceberg that is shown at a time; None where all of it is."""
        return None if self.display == 0 else self.instrument.quantity_float(self.display)

    @property
    def notional(self):
        """Ordered value where the order was given as money, else None."""
        return None if self.notional_raw == 0 else i128_to_double(self.notional_raw)

    @property
    def notional_exact(self):
        """Ordered value as a Decimal where the order was given as money, else None."""
        if self.notional_raw == 0:
            return None
        return decimal_from_scaled(i128_to_int(self.notional_raw), 18)

    @property
    def limit_price(self):
        """Limit price, or None."""
        return price_or_none(self.limit_price_raw)

    @property
    def stop_price(self):
        """Trigger price, or None; trailing orders show their current trigger."""
        return price_or_none(self.stop_price_raw)

    @property
    def trail_amount(self):
        """Trailing distance in the quote currency, or None."""
        return price_or_none(self.trail_amount_raw)

    @property
    def trail_percent(self):
        """Trailing distance in percent, or None."""
        return price_or_none(self.trail_percent_raw)

    @property
    def expires_at(self):
        """When a gtd order expires, ns UTC; None for others."""
        return self.expires_ns or None

    @property
    def average_price(self):
        """Average price of the executions so far; NaN without any."""
        if self.filled == 0:
            return float("nan")
        return (
            i128_to_double(self.filled_notional) / self.filled_quantity
            / self.instrument.multiplier
        )

    @property
    def is_open(self):
        """Not in a final state."""
        return self.status_ < DENIED

    @property
    def is_closed(self):
        """In a final state."""
        return self.status_ >= DENIED

    @property
    def is_pending(self):
        """A submit, modify or cancel is waiting for its answer."""
        return 1 in (self.submit_request, self.modify_request, self.cancel_request)

    @property
    def is_unknown(self):
        """The outcome of a request is not known; it counts in full against every limit."""
        return self.unknown()

    @property
    def legs(self):
        """The children of a bracket or OTO, take-profit first."""
        return tuple(leg for leg in (self.take_profit, self.stop_loss) if leg is not None)

    def to_dict(self):
        """Return the order as plain values; exact numbers as text."""
        return {
            "client_order_id": self.client_order_id, "number": self.number,
            "symbol": self.instrument.id, "side": self.side.name.lower(), "type": self.order_type,
            "quantity": str(self.quantity_exact), "notional": money_text(self.notional_raw),
            "display_quantity": units_text(self, self.display),
            "filled_quantity": str(self.filled_quantity_exact),
            "filled_notional": money_text(self.filled_notional),
            "taken": units_text(self, self.taken),
            "limit_price": price_text(self.limit_price_raw),
            "stop_price": price_text(self.stop_price_raw),
            "trail_amount": price_text(self.trail_amount_raw),
            "trail_percent": price_text(self.trail_percent_raw),
            "time_in_force": self.time_in_force, "expires_at": self.expires_at,
            "post_only": self.post_only, "reduce_only": self.reduce_only,
            "extended_hours": self.extended_hours, "queue": self.queue, "is_exit": self.is_exit,
            "parent": None if self.parent is None else self.parent.client_order_id,
            "sibling": None if self.sibling is None else self.sibling.client_order_id,
            "tag": self.tag, "status": self.status, "reason": self.reason,
            "requests": [self.submit_request, self.modify_request, self.cancel_request],
            "venue_order_id": self.venue_order_id, "ts_init": self.ts_init, "ts_last": self.ts_last,
        }

    def __repr__(self):
        price = "".join(
            f" {name} {value:g}" for name, value in
            (("limit", self.limit_price), ("stop", self.stop_price)) if value is not None
        )
        size = f"{self.quantity:g}" if self.notional is None else f"notional {self.notional:g}"
        return (
            f"Order({self.client_order_id} {self.side.name.lower()} {size} {self.symbol} "
            f"{self.order_type}{price} {self.time_in_force}: {self.status}, "
            f"filled {self.filled_quantity:g})"
        )


@cython.final
@cython.freelist(16)
cdef class OrderEvent:
    """Something that happened to an order, as `on_order` and the narrower handlers get it."""

    @property
    def symbol(self):
        """The order's symbol."""
        return self.order.instrument.symbol

    @property
    def client_order_id(self):
        """The order's id."""
        return self.order.client_order_id

    def to_dict(self):
        """Return the event as plain values."""
        return {
            "kind": self.kind, "client_order_id": self.client_order_id, "symbol": self.symbol,
            "status": self.status, "reason": self.reason, "ts_event": self.ts_event,
            "ts_init": self.ts_init,
        }

    def __repr__(self):
        why = f": {self.reason}" if self.reason else ""
        return f"OrderEvent({self.kind} {self.client_order_id} {self.symbol}{why})"


@cython.final
@cython.freelist(16)
cdef class Fill:
    """One execution of our order.

    Parameters
    ----------
    instrument : Instrument
    side : Side or {"buy", "sell"}
    quantity, price, fee : number
        `quantity` is unsigned; `fee` is positive when paid, in `fee_currency`: by default that of
        the instrument; of a pair it may be the asset that is bought.
    ts_event : int
        ns UTC.
    """

    def __init__(self, Instrument instrument, side, quantity, price, *, fee=0, int64_t ts_event=0,
                 str liquidity="", str execution_id="", fee_currency=None):
        self.instrument = instrument
        if side not in SIDES:
            raise ConfigError(f"side is {side!r}; expected 'buy' or 'sell'", side=side)
        self.side_sign = SIDES[side]
        self.units = instrument.quantity_raw(quantity)
        self.price_raw = nano_from_object(price)
        self.fee_currency = fee_currency or instrument.currency
        if self.fee_currency == instrument.base_currency:
            self.taken = instrument.quantity_raw(fee)
            self.fee_raw = i128_notional(self.price_raw, self.taken, instrument.factor)
        else:
            self.fee_raw = money_from_object(fee)
        self.liquidity = liquidity
        self.execution_id = execution_id
        self.ts_event = ts_event
        self.ts_init = ts_event
        self.ts_open = ts_event
        self.is_last = True

    def raw_for(self, Instrument instrument):
        """Return (side, units that change hands, raw price, value of the fee as Decimal).

        InstrumentMismatch for another instrument.
        """
        if instrument is not self.instrument:
            raise InstrumentMismatch(
                f"a fill of {self.instrument.id} cannot be applied to {instrument.id}",
                fill=self.instrument.id, position=instrument.id,
            )
        return self.side_sign, self.units - self.taken, self.price_raw, self.fee_value_exact

    @property
    def symbol(self):
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def side(self):
        """Side.BUY or Side.SELL."""
        return Side(self.side_sign)

    @property
    def client_order_id(self):
        """The order's id, "" for a fill made by hand."""
        return "" if self.order is None else self.order.client_order_id

    @property
    def quantity(self):
        """Executed quantity, unsigned."""
        return self.instrument.quantity_float(self.units)

    @property
    def quantity_exact(self):
        """Executed quantity, unsigned, as a Decimal."""
        return decimal_from_scaled(self.units, self.instrument.decimals)

    @property
    def price(self):
        """Execution price."""
        return nano_to_double(self.price_raw)

    @property
    def price_exact(self):
        """Execution price, as a Decimal."""
        return decimal_from_scaled(self.price_raw, 9)

    @property
    def fee(self):
        """Fee in `fee_currency`; positive when paid, negative for a rebate."""
        return self.instrument.quantity_float(self.taken) if self.taken else (
            i128_to_double(self.fee_raw))

    @property
    def fee_exact(self):
        """Fee in `fee_currency`, as a Decimal."""
        if self.taken:
            return decimal_from_scaled(self.taken, self.instrument.decimals)
        return self.fee_value_exact

    @property
    def fee_value_exact(self):
        """Fee in the instrument's currency, as a Decimal; one taken in kind at the fill's price."""
        return decimal_from_scaled(i128_to_int(self.fee_raw), 18)

    def to_dict(self):
        """Return the fill as plain values; exact numbers as text."""
        return {
            "symbol": self.instrument.id, "side": self.side.name.lower(),
            "quantity": str(self.quantity_exact), "price": str(self.price_exact),
            "fee": str(self.fee_exact), "fee_currency": self.fee_currency,
            "liquidity": self.liquidity, "client_order_id": self.client_order_id,
            "execution_id": self.execution_id, "ts_event": self.ts_event,
            "ts_init": self.ts_init, "ts_open": self.ts_open, "is_last": self.is_last,
        }

    def __repr__(self):
        return (
            f"Fill({self.side.name.lower()} {self.quantity:g} {self.symbol} @ {self.price:g}, "
            f"fee {self.fee:g} {self.fee_currency})"
        )


def transition(status, event):
    """Return the OrderStatus that `event` leads to from `status`, or None if the table has none."""
    after = next_status(int(status), int(event))
    return None if after < 0 else OrderStatus(after)


def transitions():
    """Return the table as a list of (status, event, next status)."""
    return [(OrderStatus(a), EventKind(e), OrderStatus(b)) for a, e, b in TRANSITIONS]
