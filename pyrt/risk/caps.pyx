"""Limits compiled: one row of raw numbers for each set of symbols that share them."""
cimport cython
from libc.stdint cimport int64_t
from libc.stdlib cimport free, realloc

from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_from_int, int128
from pyrt.risk.checks cimport CONTROLS, N_CONTROLS, Caps

from decimal import ROUND_FLOOR, Decimal

from pyrt.risk.checks import CODES

cdef object INT64_LARGEST = (1 << 63) - 1
# Controls without a limit of their own name are on where this is set.
cdef dict SOURCES = {
    "stale_data": "stale_data_after", "bad_tick": "max_tick_jump_bps", "halted": None,
    "limit_state": "deny_limit_state",
}
cdef tuple VALUED = (
    "max_order_notional", "max_position_notional", "max_concentration",
    "max_sector_concentration", "max_gross_exposure", "max_net_exposure", "max_leverage",
    "max_daily_notional", "require_buying_power", "max_beta_exposure",
)


cdef object scaled(object value, int exponent, object share):
    """Return value × share in 10^-exponent, rounded down; -1 where the limit is off."""
    if value is None:
        return -1
    return int((value * share).scaleb(exponent).to_integral_value(ROUND_FLOOR))


cdef int64_t small(object value, int exponent, object share) except? -2:
    return min(scaled(value, exponent, share), INT64_LARGEST)


cdef int128 money(object value, object share) except? -2:
    return i128_from_int(scaled(value, 18, share))


@cython.final
cdef class CapsTable:
    """What `Limits` say, in the units in which the checks compare.

    Parameters
    ----------
    limits : Limits
    share : Decimal
        Share of sizes and exposures that applies now: the ramp.
    """

    def __init__(self, limits, share=Decimal(1)):
        self.limits = limits
        self.share = share
        self.numbers = {}
        self.enable()

    def __dealloc__(self):
        free(self.rows)

    cdef int enable(self) except -1:
        """List the controls that some symbol has a limit for, in their order."""
        cdef int i
        own = {name for limits in self.limits.symbols.values() for name in limits}
        for i in range(N_CONTROLS):
            name = SOURCES.get(CODES[CONTROLS[i].code], CODES[CONTROLS[i].code])
            # What has no limit is always on.
            value = True if name is None else getattr(self.limits, name)
            if (value is not None and value is not False) or name in own:
                self.enabled[self.n_enabled] = CONTROLS[i]
                self.n_enabled += 1
                if name in VALUED:
                    self.needs_value = True
                    self.value_code = self.value_code or name
        return 0

    cdef int number(self, Instrument instrument) except -1:
        """Return the row that applies to an instrument, from 1 on; the row is made if needed."""
        cdef Caps* rows
        allowed = self.limits.allowed_symbols
        is_allowed = (
            allowed is None or instrument.symbol in allowed or instrument.id in allowed
        )
        symbol = instrument.id if instrument.id in self.limits.symbols else instrument.symbol
        if symbol not in self.limits.symbols:
            symbol = None
        key = (instrument.decimals, is_allowed, symbol)
        found = self.numbers.get(key)
        if found is not None:
            return found
        rows = <Caps*>realloc(self.rows, (self.count + 1) * sizeof(Caps))
        if rows == NULL:
            raise MemoryError
        self.rows = rows
        self.fill(&rows[self.count], symbol, instrument.decimals, is_allowed)
        self.count += 1
        self.numbers[key] = self.count
        return <int>self.count

    cdef int fill(self, Caps* row, symbol, int decimals, bint is_allowed) except -1:
        limits = self.limits
        share = self.share
        own = {} if symbol is None else limits.symbols[symbol]

        def of(name):
            return own.get(name, getattr(limits, name))

        one = Decimal(1)
        row.allowed = is_allowed
        row.order_quantity = small(of("max_order_quantity"), decimals, share)
        row.position_quantity = small(of("max_position_quantity"), decimals, share)
        row.daily_quantity = small(of("max_daily_quantity"), decimals, share)
        row.order_notional = money(of("max_order_notional"), share)
        row.position_notional = money(of("max_position_notional"), share)
        row.daily_notional = money(limits.max_daily_notional, share)
        row.gross_exposure = money(limits.max_gross_exposure, share)
        row.net_exposure = money(limits.max_net_exposure, share)
        row.leverage = small(limits.max_leverage, 9, share)
        row.concentration = small(of("max_concentration"), 9, share)
        row.sector_concentration = small(limits.max_sector_concentration, 9, share)
        row.collar = small(of("price_collar_bps"), 5, one)
        row.slippage = small(of("max_slippage_bps"), 5, one)
        row.protection = small(of("market_protection_bps"), 5, one)
        row.value_at_risk = money(limits.max_value_at_risk, one)
        row.shortfall = money(limits.max_expected_shortfall, one)
        row.beta_exposure = money(limits.max_beta_exposure, one)
        row.volatility = small(limits.max_volatility, 9, one)
        row.correlation = small(limits.max_correlation, 9, one)
        row.risk_age = none_or(limits.max_risk_age)
        row.open_orders = none_or(limits.max_open_orders)
        row.open_positions = none_or(limits.max_open_positions)
        row.daily_orders = none_or(limits.max_daily_orders)
        row.stale_ns = none_or(limits.stale_data_after)
        row.buying_power = limits.require_buying_power
        row.shortable = limits.require_shortable
        row.open_session = limits.require_open_session
        return 0


cdef object none_or(object value):
    return -1 if value is None else value
