"""Leaving positions: protective stops, the kill switch, and the orders that do it."""
from libc.stdint cimport int64_t

from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.orders cimport Order
from pyrt.core.positions cimport Position
from pyrt.core.types cimport is_final
from pyrt.risk.states cimport HALTED, REDUCING
from pyrt.risk.stops cimport Guard
from pyrt.risk.warden cimport Warden

from pyrt.risk.states import ENGINE, check_named

cdef int64_t SECOND = 1_000_000_000
cdef int64_t PAUSE_MAX = 10_000_000_000


cdef class Leaver(Warden):
    """Takes positions back by market orders, whatever their strategies do."""

    cdef int protect(self, Py_ssize_t index, int64_t now) except -1:
        """Leave positions whose protective stop is reached."""
        cdef Position position
        cdef str reason
        for position in <list>self.cache.by_instrument[index]:
            if position.units == 0:
                continue
            reason = self.stops.judge(position, now)
            if reason is not None:
                self.leave(position, reason, now)
        return 0

    cdef int leave(self, Position position, str reason, int64_t now, int64_t rest=0,
                   bint at_once=False) except -1:
        """Cancel a position's exits and send a market order for all but `rest` of it, once.

        Where that came to nothing (denied, refused by the venue) it is sent again, after a second,
        then two, up to ten: not with every price. With `at_once` there is no waiting.
        """
        cdef Guard guard = self.stops.guard(position)
        owner = self.strategies[position.strategy]
        self.stops.follow(guard, position)
        if self.is_halted(position):
            if not guard.is_barred and self.states.everywhere != HALTED:
                guard.is_barred = True
                self.states.note(now, f"position {position.symbol}", "held", "barred", ENGINE, (
                    f"{reason}; but no order leaves while HALTED"
                ))
            return 0
        guard.is_barred = False
        if guard.exit is not None and not is_final(guard.exit.status_):
            return 0
        if now < guard.retry_at and not at_once:
            return 0
        if guard.pause == 0:
            self.states.note(now, f"position {position.symbol}", "held", "leaving", ENGINE, reason)
        guard.pause = min(max(2 * guard.pause, SECOND), PAUSE_MAX)
        guard.retry_at = now + guard.pause
        guard.exit = self.desk.target(
            owner, position.instrument.id,
            decimal_from_scaled(rest, position.instrument.decimals), ENGINE,
        )
        return 0

    cdef bint is_halted(self, Position position) except -1:
        """Whether no order for a position may leave."""
        owner = self.strategies[position.strategy]
        return self.states.over(owner.name, position.instrument.id) == HALTED

    def stays(self, Position position not None):
        """Return whether nothing of a symbol is left, since all that holds it is halted by name.

        Exits that rest would count against others' orders in it, or have them refused.
        """
        cdef Position each
        for each in self.cache.by_instrument[position.instrument.index]:
            if each.units != 0 and not self.is_halted(each):
                return False
        return bool(self.is_halted(position))

    cdef int flatten(self, int64_t now, bint at_once) except -1:
        """Leave what is held; halt when nothing is left, and nothing works that could fill yet."""
        cdef bint holds = False
        cdef Position position
        for position in self.cache.positions():
            holds |= self.flatten_one(position, now, at_once)
        if not holds and not self.cache.orders_open():
            self.put_state(HALTED, ENGINE, "kill switch: everything is flat", None, None)
        return 0

    cdef bint flatten_one(self, Position position, int64_t now, bint at_once) except -1:
        """Leave one position as far as that takes the account nearer to nothing; False if not.

        What other strategies hold on the other side goes after it; what they make up for stays,
        where leaving it would make the account's position larger than it is.
        """
        cdef int64_t net = self.account.holdings[position.instrument.index].units
        cdef int64_t own = position.units, rest = own - net
        if net == 0 or (net > 0) != (own > 0):
            return False
        self.leave(
            position, "kill switch", now, rest if abs(rest) > abs(net) else 0, at_once
        )
        return True

    def kill(self, actor, reason, *, bint flatten=False):
        """Block at once and cancel all that works.

        With `flatten`, positions are left by market orders first: REDUCING until all are flat,
        HALTED from then on. What a symbol or strategy that is HALTED by name holds waits until that
        is lifted, and keeps its exits where nobody else is to leave the same symbol.

        Parameters
        ----------
        actor, reason : str
            Who, and why; on record.
        flatten : bool
        """
        check_named("all", actor, reason)
        self.names_of(None, None)
        self.tell("kill", {"actor": actor, "reason": reason, "flatten": bool(flatten)})
        self.stop_all(actor, reason, flatten)

    cdef int stop_all(self, object actor, object reason, bint flatten) except -1:
        cdef Order order
        self.put_state(REDUCING if flatten else HALTED, actor, reason, None, None)
        for owner in self.strategies:
            for order in self.cache.orders_open(owner.number, None):
                # What is halted by name is not left: its exits go on guarding it.
                if not (flatten and order.is_exit and self.stays(order.position)):
                    self.desk.cancel(order.strategy, order)
        if flatten:
            self.flattening = True
            self.look()
            self.flatten(self.clock.now, True)
        return 0
