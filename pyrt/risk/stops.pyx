"""Protective stops: positions left whatever their strategy does."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport (
    FLOOR, HALF_EVEN, i128_muldiv, i128_notional, i128_sub, i128_to_double, i128_to_i64, int128,
)
from pyrt.core.numbers cimport (
    money_from_object, nano_from_double, nano_from_object, nano_to_double,
)
from pyrt.core.positions cimport Position
from pyrt.core.types cimport is_final
from pyrt.risk.claims cimport magnitude

from pyrt.errors import ConfigError

cdef int64_t ONE = 1_000_000_000


def check_range(str symbol, double value):
    """Raise ConfigError for an average true range that cannot be one."""
    if not 0.0 < value < 1e9:
        raise ConfigError(f"the range of {symbol} is {value}; expected a positive price")


@cython.final
cdef class Guard:
    """What is remembered of one position."""


@cython.final
cdef class ProtectiveStops:
    """Says when a position has lost what it may lose; the engine then sends its exit.

    Losses are unrealized, at the last price, in the quote currency. A trailing fall is measured
    from the best price since the position was first seen on its side. A range is what somebody
    stated, else what `daily_range` knows: the average of the sessions that have ended.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits):
        self.guards = {}
        self.atr = {}
        self.configure(limits)

    def configure(self, limits):
        """Take new limits; best prices stay."""
        def share(value):
            return -1 if value is None else nano_from_object(value)

        self.loss_max = -1
        if limits.max_position_loss is not None:
            self.loss_max = money_from_object(limits.max_position_loss)
        self.loss_share = share(limits.max_position_loss_fraction)
        self.fall_share = share(limits.max_position_drawdown)
        self.atr_multiple = share(limits.max_position_loss_atr)
        self.is_on = (
            self.loss_max >= 0 or self.loss_share >= 0 or self.fall_share >= 0
            or self.atr_multiple >= 0
        )

    def set_atr(self, str symbol, double value):
        """State the average true range of a symbol, in price; used from the next price on."""
        check_range(symbol, value)
        self.atr[symbol] = value

    cdef double range_of(self, Instrument instrument, int64_t now) except? -1.0:
        """The average true range of an instrument, in price; 0.0 where nobody knows it."""
        found = self.atr.get(instrument.id, self.atr.get(instrument.symbol))
        if found is None and self.daily_range is not None:
            found = self.daily_range.average(instrument, now)
        return 0.0 if found is None else found

    cdef bint needs_range(self, Instrument instrument, int64_t now) except -1:
        """Whether a stop would go by a range that nobody knows."""
        return self.atr_multiple >= 0 and not self.range_of(instrument, now) > 0.0

    def split(self, Instrument instrument not None, int64_t new, int64_t old, int64_t now):
        """Turn what is known of prices into those of `new` units for `old` ones."""
        cdef Guard guard
        if new == old:
            return
        for guard in self.guards.values():
            if guard.position.instrument is instrument:
                guard.best = i128_to_i64(i128_muldiv(guard.best, old, new, HALF_EVEN))
        for name in {instrument.id, instrument.symbol} & self.atr.keys():
            self.atr[name] *= <double>old / <double>new
        if self.daily_range is not None:
            self.daily_range.split(instrument, now, <double>old / <double>new)

    cdef Guard guard(self, Position position):
        found = self.guards.get(position)
        if found is None:
            found = Guard.__new__(Guard)
            (<Guard>found).position = position
            self.guards[position] = found
        return <Guard>found

    cdef int follow(self, Guard guard, Position position) except -1:
        """Take in the last price, and whether the position is another one; after each fill too."""
        cdef int side = (position.units > 0) - (position.units < 0)
        if side != guard.side:
            guard.side = side
            guard.best = position.mark
            guard.exit = None
            guard.pause = guard.retry_at = 0
            guard.is_barred = False
        elif side * (position.mark - guard.best) > 0:
            guard.best = position.mark
        return 0

    def save(self):
        """Return the best prices since positions were opened, as plain rows."""
        cdef Guard guard
        rows = []
        for guard in self.guards.values():
            if guard.side != 0:
                rows.append([
                    guard.position.instrument.id, guard.position.strategy, guard.side, guard.best
                ])
        return rows

    def restore(self, saved, position_of):
        """Take over what `save` returned; `position_of(symbol, strategy)` finds a position."""
        cdef Guard guard
        for symbol, strategy, side, best in saved:
            position = position_of(symbol, strategy)
            if position is not None:
                guard = self.guard(position)
                guard.side = side
                guard.best = best

    cdef str judge(self, Position position, int64_t now):
        """Return why a position that is held has to be left at its last price, or None."""
        cdef Guard guard = self.guard(position)
        self.follow(guard, position)
        if guard.exit is not None and not is_final(guard.exit.status_):
            return None
        return self.breach(guard, position, now)

    cdef str breach(self, Guard guard, Position position, int64_t now):
        cdef double range
        cdef int128 loss = i128_sub(position.open_cost, position.value())
        cdef int128 bound
        cdef int64_t fall
        if self.loss_max >= 0 and loss > self.loss_max:
            return described("max_position_loss", loss, self.loss_max)
        if self.loss_share >= 0:
            bound = i128_muldiv(magnitude(position.open_cost), self.loss_share, ONE, FLOOR)
            if loss > bound:
                return described("max_position_loss_fraction", loss, bound)
        range = self.range_of(position.instrument, now) if self.atr_multiple >= 0 else 0.0
        if range > 0.0:
            bound = i128_muldiv(
                magnitude(i128_notional(
                    nano_from_double(range), position.units, position.instrument.factor,
                )), self.atr_multiple, ONE, FLOOR,
            )
            if loss > bound:
                return described("max_position_loss_atr", loss, bound)
        if self.fall_share >= 0:
            fall = guard.side * (guard.best - position.mark)
            bound = i128_muldiv(guard.best, self.fall_share, ONE, FLOOR)
            if fall > bound:
                return (
                    f"max_position_drawdown: {nano_to_double(fall):g} from the best price "
                    f"{nano_to_double(guard.best):g} is over the limit of "
                    f"{nano_to_double(i128_to_i64(bound)):g}"
                )
        return None


cdef str described(str code, int128 loss, int128 bound):
    return (
        f"{code}: loss {i128_to_double(loss):.2f} is over the limit of {i128_to_double(bound):.2f}"
    )
