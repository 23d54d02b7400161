"""Our orders in Alpaca's words: exact decimals, made from what an order holds."""
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_to_int
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.orders cimport Order, no_price
from pyrt.core.ports cimport Command
from pyrt.core.types cimport (
    ACCEPTED, HELD, PARTIALLY_FILLED, SENT, TRIGGERED, is_final,
)

from pyrt.core.types import TIF_NAMES, TYPE_NAMES
from pyrt.venues.alpaca.facts import OpenOrder, OrderRequest, ReplaceRequest


cdef object price_of(int64_t raw):
    return None if raw == no_price() else decimal_from_scaled(raw, 9)


cdef str class_of(Instrument instrument):
    return "crypto" if instrument.kind == "crypto" else "us_equity"


cdef str group_of(Order order):
    """The class of an order: what goes to Alpaca in one request."""
    if order.keeps_exits:
        return "simple"
    if order.sibling is not None and order.parent is None:
        return "oco"
    return ("simple", "oto", "bracket")[
        (order.take_profit is not None) + (order.stop_loss is not None)
    ]


def request_of(Order order not None):
    """Return an order, with its exits, as the body Alpaca would get."""
    cdef Instrument instrument = order.instrument
    cdef Order profit = order.take_profit, loss = order.stop_loss
    cdef str group = group_of(order)
    limit = price_of(order.limit_price_raw)
    if group == "simple":
        profit = loss = None
    elif group == "oco":
        profit, loss = order, order.sibling
        limit = None
    return OrderRequest(
        symbol=instrument.symbol,
        side="buy" if order.side_sign > 0 else "sell",
        type=TYPE_NAMES[order.type],
        time_in_force=TIF_NAMES[order.tif],
        asset_class=class_of(instrument),
        order_class=group,
        quantity=None if order.notional_raw != 0 else decimal_from_scaled(
            order.units, instrument.decimals),
        notional=None if order.notional_raw == 0 else decimal_from_scaled(
            i128_to_int(order.notional_raw), 18).normalize(),
        limit_price=limit,
        stop_price=price_of(order.stop_price_raw),
        trail_price=price_of(order.trail_amount_raw),
        trail_percent=price_of(order.trail_percent_raw),
        extended_hours=order.extended_hours,
        take_profit_limit=None if profit is None else price_of(profit.limit_price_raw),
        stop_loss_stop=None if loss is None else price_of(loss.stop_price_raw),
        stop_loss_limit=None if loss is None else price_of(loss.limit_price_raw),
        client_order_id=order.client_order_id,
    )


def change_of(Command command not None):
    """Return a change of terms as the body Alpaca would get: each has an id of its own."""
    return ReplaceRequest(
        client_order_id=f"{command.order.client_order_id}-r{command.ts}",
        quantity=None if command.units == 0 else decimal_from_scaled(
            command.units, command.order.instrument.decimals),
        limit_price=price_of(command.limit_price),
        stop_price=price_of(command.stop_price),
        trail=price_of(command.trail),
    )


cdef str status_of(Order order):
    """What Alpaca would show of an order; None for one that is not there, or no longer."""
    if is_final(order.status_):
        return None
    if order.status_ == SENT:
        return "pending_new"
    if order.status_ == HELD:
        return "held"
    if order.status_ == PARTIALLY_FILLED:
        return "partially_filled"
    return "new" if order.status_ in (ACCEPTED, TRIGGERED) else None


def open_order_of(Order order not None):
    """Return an order as Alpaca knows it; None for one that is on our side only, or final."""
    status = status_of(order)
    if status is None:
        return None
    return open_order_of_terms(
        order.instrument,
        order.client_order_id,
        order.client_order_id,
        status,
        group_of(order if order.parent is None else order.parent),
        Terms(
            order.side_sign, order.type, order.tif, order.units, order.notional_raw, order.filled,
            order.limit_price_raw, order.stop_price_raw, order.trail_amount_raw,
            order.trail_percent_raw, order.extended_hours,
        ),
        order.parent is not None or (
            # Of a pair, the second hangs on the first.
            order.is_child and not order.keeps_exits and order.number > order.sibling.number
        ),
        "" if order.sibling is None else str(min(order.number, order.sibling.number)),
    )


cdef object open_order_of_terms(
    Instrument instrument, str name, object client_order_id, str status, str order_class,
    Terms terms, bint is_leg, str pair,
):
    """Return an order that is not final, as Alpaca's rules read it."""
    cdef int decimals = instrument.decimals
    cdef bint by_value = terms.notional != 0
    return OpenOrder(
        id=name,
        symbol=instrument.symbol,
        side="buy" if terms.side > 0 else "sell",
        type=TYPE_NAMES[terms.type],
        time_in_force=TIF_NAMES[terms.tif],
        status=status,
        asset_class=class_of(instrument),
        order_class=order_class,
        quantity=None if by_value else decimal_from_scaled(terms.units, decimals),
        notional=None if not by_value else decimal_from_scaled(i128_to_int(terms.notional), 18),
        filled_quantity=decimal_from_scaled(terms.filled, decimals),
        limit_price=price_of(terms.limit_price),
        stop_price=price_of(terms.stop_price),
        trail_price=price_of(terms.trail_amount),
        trail_percent=price_of(terms.trail_percent),
        extended_hours=terms.extended_hours,
        client_order_id=client_order_id,
        is_leg=is_leg,
        pair=pair,
    )
