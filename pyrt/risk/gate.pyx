"""The gate every order passes: is it well-formed for its instrument and this position?"""
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.orders cimport no_price
from pyrt.core.pairs cimport is_venue_pair
from pyrt.core.types cimport is_final

# A venue takes a new quantity as it is: what the other of a pair has filled, and nobody has told
# yet, would come on top of it.
cdef str PAIR = (
    "pair_quantity: the venue takes what one of a pair fills off the other; cancel both and send a "
    "pair of another quantity"
)


cdef str off_grid(str code, str what, int64_t raw, int64_t step, int decimals):
    """Say which two neighbors on the grid `raw` lies between."""
    cdef int64_t below = raw - raw % step
    return (
        f"{code}: {what} {plain(raw, decimals)} is not a multiple of {plain(step, decimals)}; "
        f"the neighbors are {plain(below, decimals)} and {plain(below + step, decimals)}"
    )


cdef str plain(int64_t raw, int decimals):
    """A number with all of its digits: two that differ are told apart."""
    return f"{decimal_from_scaled(raw, decimals):f}"


cdef class BasicGate(RiskGate):
    """Grid, permission and consistency checks; no limits of size or exposure."""

    def halts(self, Order order not None):
        """Return whether nothing but cancels leaves for an order: never, without trading states."""
        return False

    cdef str judge(self, Order order, int64_t now):
        cdef Instrument instrument = order.instrument
        cdef str reason
        if not instrument.tradable:
            return f"tradable: {instrument.id} cannot be traded"
        reason = self.judge_grid(order, order.units, order.limit_price_raw, order.stop_price_raw)
        if reason is not None:
            return reason
        reason = self.judge_leg(order.take_profit)
        if reason is None:
            reason = self.judge_leg(order.stop_loss)
        if reason is not None:
            return reason
        if order.notional_raw != 0 and order.notional_raw < instrument.min_notional_raw:
            return (
                f"min_notional: {order.notional_exact:f} is below the smallest order of "
                f"{instrument.min_notional:f} {instrument.currency}"
            )
        if (order.position.unknown_buys if order.side_sign > 0 else order.position.unknown_sells):
            return (
                f"unknown_request: the outcome of an earlier {order.side.name.lower()} in "
                f"{instrument.id} is not known yet"
            )
        return self.judge_reduce_only(order)

    cdef str judge_reduce_only(self, Order order):
        cdef int64_t held = order.position.units
        cdef int decimals = order.instrument.decimals
        if not order.reduce_only:
            return None
        if held == 0 or (held > 0) == (order.side_sign > 0):
            return f"reduce_only: no position in {order.symbol} that this order could reduce"
        held = abs(held)
        if order.units > held:
            return (
                f"reduce_only: quantity {plain(order.units, decimals)} is more than the "
                f"{plain(held, decimals)} held"
            )
        return None

    cdef str judge_leg(self, Order leg):
        if leg is None:
            return None
        return self.judge_grid(leg, leg.units, leg.limit_price_raw, leg.stop_price_raw)

    cdef str judge_grid(self, Order order, int64_t units, int64_t limit_price, int64_t stop_price):
        cdef Instrument instrument = order.instrument
        if units % instrument.step:
            return off_grid(
                "quantity_step", "quantity", units, instrument.step, instrument.decimals
            )
        if instrument.tick > 1 and instrument.strict_tick:
            if limit_price != no_price() and limit_price % instrument.tick:
                return off_grid("price_tick", "limit_price", limit_price, instrument.tick, 9)
            if stop_price != no_price() and stop_price % instrument.tick:
                return off_grid("price_tick", "stop_price", stop_price, instrument.tick, 9)
        return None

    cdef str judge_change(self, Command command, int64_t now):
        cdef str reason = self.judge_grid(
            command.order, command.units, command.limit_price, command.stop_price
        )
        if reason is None and command.order.parent is not None:
            reason = self.judge_exit(command.order, command.units)
        if reason is None and command.units != 0 and is_venue_pair(command.order):
            reason = PAIR
        return reason

    cdef str judge_exit(self, Order order, int64_t units):
        """An exit takes back what its entry brings: it cannot be made larger than that.

        Worst cases count on it. A venue that has woken an exit does not hold it to its entry any
        more, so a larger one would turn the position round.
        """
        cdef Order entry = order.parent
        cdef int64_t most = entry.filled if is_final(entry.status_) else entry.units
        cdef int decimals = order.instrument.decimals
        if order.sibling is not None:
            most -= order.sibling.filled
        if units <= most:
            return None
        return (
            f"exit_quantity: quantity {plain(units, decimals)} is more than the "
            f"{plain(most, decimals)} of the entry {entry.client_order_id} that "
            "this exit leaves; send an order of its own for the rest"
        )
