"""Orders, what happened to them and their fills, read back from plain values."""
from libc.stdint cimport int64_t

from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.numbers cimport money_from_object, nano_from_object
from pyrt.core.orders cimport Fill, Order, OrderEvent, no_price
from pyrt.core.types import STATUS_NAMES, TIF_NAMES, TYPE_NAMES


cdef int64_t price_from(object text) except? -1:
    return no_price() if text is None else nano_from_object(text)


cdef int64_t units_from(Instrument instrument, object text) except? -1:
    return 0 if text is None else instrument.quantity_raw(text)


cdef int128 money_from(object text) except? -1:
    return 0 if text is None else money_from_object(text)


def order_from_dict(values, Instrument instrument not None, orders=None):
    """Return a detached Order from `Order.to_dict`: to look at, not to send.

    Its parent and the other of its pair are those of `orders` (by client order id), where they are
    there; else orders of which no more is known than the id.
    """
    cdef Order order = Order.__new__(Order)
    order.instrument = instrument
    order.own_id = values["client_order_id"]
    order.number = values["number"]
    order.side_sign = 1 if values["side"] == "buy" else -1
    order.type = TYPE_NAMES.index(values["order_type"])
    order.tif = TIF_NAMES.index(values["time_in_force"])
    order.status_ = STATUS_NAMES.index(values["status"])
    order.units = instrument.quantity_raw(values["quantity"])
    order.notional_raw = money_from(values["notional"])
    order.display = units_from(instrument, values["display_quantity"])
    order.filled = instrument.quantity_raw(values["filled_quantity"])
    order.filled_notional = money_from(values["filled_notional"])
    order.taken = units_from(instrument, values["taken"])
    order.limit_price_raw = price_from(values["limit_price"])
    order.stop_price_raw = price_from(values["stop_price"])
    order.trail_amount_raw = price_from(values["trail_amount"])
    order.trail_percent_raw = price_from(values["trail_percent"])
    order.expires_ns = values["expires_at"] or 0
    order.post_only = values["post_only"]
    order.reduce_only = values["reduce_only"]
    order.extended_hours = values["extended_hours"]
    order.queue = values["queue"]
    order.is_exit = values["is_exit"]
    order.parent = found(orders, values["parent"], instrument, -order.side_sign)
    order.sibling = found(orders, values["sibling"], instrument, order.side_sign)
    order.tag = values["tag"]
    order.reason_ = values["reason"]
    order.submit_request, order.modify_request, order.cancel_request = values["requests"]
    order.venue_order_id = values["venue_order_id"]
    order.ts_init = values["ts_init"]
    order.ts_last = values["ts_last"]
    return order


def event_from_dict(values, Order order not None):
    """Return an OrderEvent from `OrderEvent.to_dict` and its order."""
    cdef OrderEvent event = OrderEvent.__new__(OrderEvent)
    event.order = order
    event.kind = values["kind"]
    event.status = values["status"]
    event.reason = values["reason"]
    event.ts_event = values["ts_event"]
    event.ts_init = values["ts_init"]
    return event


def fill_from_dict(values, Instrument instrument not None, orders=None):
    """Return a Fill from `Fill.to_dict`.

    Its order is that of `orders` (by client order id), where it is there; else one of which no
    more is known than the id, the side and the instrument.
    """
    cdef Fill fill = Fill(
        instrument, values["side"], values["quantity"], values["price"], fee=values["fee"],
        fee_currency=values["fee_currency"], ts_event=values["ts_event"],
        liquidity=values["liquidity"], execution_id=values["execution_id"],
    )
    fill.ts_init = values["ts_init"]
    fill.ts_open = values["ts_open"]
    fill.is_last = values["is_last"]
    fill.order = found(orders, values["client_order_id"] or None, instrument, fill.side_sign)
    return fill


cdef Order found(object orders, object client_order_id, Instrument instrument, int side):
    """Return an order by its id, one that has nothing but its id, or None for no id."""
    cdef Order order
    if client_order_id is None:
        return None
    if orders is not None and client_order_id in orders:
        return orders[client_order_id]
    order = Order.__new__(Order)
    order.instrument = instrument
    order.own_id = client_order_id
    order.side_sign = side
    order.limit_price_raw = order.stop_price_raw = no_price()
    order.trail_amount_raw = order.trail_percent_raw = no_price()
    order.tag = ""
    return order
