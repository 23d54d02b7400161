"""What an order gets at a simulated venue: its price, its size, and what the account can bear."""
from libc.stdint cimport INT64_MAX

from pyrt.core.events cimport Event
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport (
    TOWARD_ZERO, i128_add, i128_muldiv, i128_neg, i128_notional, i128_to_i64, int128,
)
from pyrt.core.numbers cimport decimal_from_scaled, nano_from_object
from pyrt.core.types cimport (
    EV_CANCELED, EV_FILL, EV_REJECTED, FOK, LIMIT, MARKET, MARKET_IF_TOUCHED, STOP, TRAILING_STOP,
)


cdef class VenueFills(VenueFamilies):
    """Executes orders at prices that matchers find; `SimVenue` sets its fields."""

    # -- prices --------------------------------------------------------------------------------

    cdef int turn(self, VenueOrder order) except -1:
        """Let an order be what its trigger makes of it: a market or a limit order."""
        if order.type not in (STOP, TRAILING_STOP, MARKET_IF_TOUCHED):
            order.type = LIMIT
            return 0
        if (order.type == STOP and order.side > 0 and self.stop_limit is not None
                and order.instrument.kind == "equity"):
            limit = self.stop_limit(decimal_from_scaled(order.stop_price, 9))
            if limit is not None:
                order.limit_price = nano_from_object(limit)
                order.type = LIMIT
                return 0
        order.type = MARKET
        return 0

    cdef int64_t worsened(self, VenueOrder order, int64_t price, int64_t range,
                          double volume) except? -1:
        """Return the price at which an order takes liquidity, after slippage.

        A stop that has turned into a limit order slips up to its limit; other limits do not.
        """
        if order.type == LIMIT and order.ordered != STOP:
            return price
        price = self.slippage.apply(
            order.instrument, order.side, price, order.leaves(), range, volume
        )
        return min(price, order.limit_price) if order.type == LIMIT else price

    # -- execution -----------------------------------------------------------------------------

    cdef int execute(self, VenueBook book, VenueOrder order, int64_t price, int64_t ts,
                     int liquidity, int64_t ts_open) except -1:
        """Fill as much as size, volume and the account allow, or end the order with the reason."""
        cdef int64_t quantity = self.size_of(book, order, price)
        cdef int currency = self.account.holdings[order.index].currency
        cdef int64_t taken = 0, net, held
        cdef int128 fee
        cdef Event* event
        if book.bars(price):
            order.blocked = True
            return 0
        if quantity == 0 or not self.may_sell(order, quantity):
            return 0
        quantity = self.cut_to_account(order, quantity, price, liquidity, ts)
        if quantity == 0:
            return 0
        fee = self.fees.fee(
            order.instrument, order.side, quantity, price, liquidity, ts, order.filled
        )
        if self.fees.in_kind:
            # What is taken in kind is bought, paid and given away: a purchase of the rest, and the
            # price of what was taken as its fee.
            taken = self.fees.taken(order.instrument, order.side, quantity, price, liquidity, ts)
            fee = i128_add(fee, i128_notional(price, taken, order.instrument.factor))
        net = quantity - taken
        self.account.trade(order.index, order.side, net, price)
        self.account.pay(currency, i128_neg(fee))
        self.fees.book(order.instrument, order.side, quantity, price, liquidity, ts)
        held = book.add_units(order.owner, order.side * net)
        if book.budget != INT64_MAX:
            book.budget -= quantity
        order.filled += quantity
        event = self.emit(order, EV_FILL, ts)
        event.quantity = quantity
        event.price = price
        event.cumulative = order.filled
        event.fee = fee
        event.taken = taken
        event.fee_currency = currency
        event.liquidity = liquidity
        event.ts_open = ts_open
        self.after_fill(book, order, quantity, net)
        if order.side * held < net:
            self.end_exits(book, order.owner, held)
        return 0

    cdef int64_t size_of(self, VenueBook book, VenueOrder order, int64_t price) except? -1:
        """Units to fill at this price now; 0 where there are none, or the order has ended."""
        cdef int64_t quantity
        if order.units == 0 and order.notional != 0 and self.settle_notional(order, price) == 0:
            return 0
        quantity = order.leaves()
        if order.reduce_only or order.guards:
            quantity = self.reducible(book, order, quantity)
        if quantity > book.budget:
            order.blocked = True
            if order.tif == FOK and not order.assured:
                return 0
            quantity = order.instrument.round_quantity_raw(book.budget)
        return quantity

    cdef int64_t settle_notional(self, VenueOrder order, int64_t price) except? -1:
        """Turn an order by value into units, rounded down to the step; 0 ends it."""
        cdef VenueOrder child
        cdef int64_t quantity = i128_to_i64(i128_muldiv(
            order.notional, 1, i128_notional(price, 1, order.instrument.factor), TOWARD_ZERO
        ))
        order.units = order.instrument.round_quantity_raw(quantity)
        if order.units == 0:
            self.finish(order, EV_REJECTED, "notional: too small for one step at this price")
        else:
            self.say_terms(order)
            for child in (order.take_profit, order.stop_loss):
                # Until now nobody knew how much they would have to leave.
                if child is not None and not child.done:
                    child.units = order.units
                    self.say_terms(child)
        return order.units

    cdef int64_t reducible(self, VenueBook book, VenueOrder order, int64_t quantity) except? -1:
        """What of `quantity` still reduces its owner's position; 0 ends the order.

        An exit is cut to what is held, so that it ends with it. While its entry can still fill,
        it stays: it will have something to guard then.
        """
        cdef int64_t held = -order.side * book.held_by(order.owner)
        if held <= 0:
            if order.room == INT64_MAX or order.reduce_only:
                self.finish(order, EV_CANCELED, "reduce_only: nothing is left to reduce")
            return 0
        if held < quantity and order.guards and order.room == INT64_MAX:
            order.units = order.filled + held
            self.say_terms(order)
        return min(held, quantity)

    cdef bint may_sell(self, VenueOrder order, int64_t quantity) except -1:
        """Whether the account holds what is sold, where short selling is barred."""
        cdef Instrument instrument = order.instrument
        cdef int64_t held = self.account.holdings[order.index].units
        cdef int64_t available
        if order.side > 0 or held >= quantity:
            return True
        if instrument.shortable:
            available = (<VenueBook>self.books[order.index]).available
            if quantity - held <= available:
                return True
            self.finish(
                order, EV_REJECTED if order.filled == 0 else EV_CANCELED,
                f"borrow_unavailable: selling {instrument.quantity_float(quantity):g} "
                f"{instrument.id} with {instrument.quantity_float(held):g} held, and "
                f"{instrument.quantity_float(available):g} can be borrowed",
            )
            return False
        self.finish(
            order, EV_REJECTED if order.filled == 0 else EV_CANCELED,
            f"not_shortable: {instrument.id} cannot be sold short, and "
            f"{instrument.quantity_float(held):g} are held",
        )
        return False

    cdef int64_t cut_to_account(self, VenueOrder order, int64_t quantity, int64_t price,
                                int liquidity, int64_t ts) except? -1:
        """What of `quantity` the account can cover: all, or the order is resized or refused."""
        cdef int64_t less = 0
        if self.means.missing(order, quantity, price, liquidity, ts) <= 0:
            return quantity
        if order.resizes:
            less = self.means.affordable(order, quantity, price, liquidity, ts)
        if less > 0:
            order.units = order.filled + less
            self.say_terms(order)
        else:
            self.finish(
                order, EV_REJECTED if order.filled == 0 else EV_CANCELED,
                self.means.refusal(order, quantity, price, liquidity, ts),
            )
        return less
