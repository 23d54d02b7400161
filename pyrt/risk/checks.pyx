"""The numeric controls: one small function each, over the facts of one order.

A check returns True when the order goes past its limit, having left what it saw and the limit in
the case. A value at the limit passes; a limit of -1 is off.
"""
from libc.stdint cimport int64_t

from pyrt.core.int128 cimport int128

# Every control's code; the limit of the same name where it has one. The first is no control.
CODES = (
    "approved", "allowed_symbols", "require_shortable", "require_open_session", "bad_tick",
    "stale_data", "max_order_quantity", "max_order_notional", "price_collar_bps",
    "max_slippage_bps", "max_position_quantity", "max_position_notional", "max_concentration",
    "max_sector_concentration", "max_open_positions", "max_open_orders", "max_gross_exposure",
    "max_net_exposure", "max_leverage", "require_buying_power", "max_daily_orders",
    "max_daily_quantity", "max_daily_notional", "fat_finger", "duplicate_order", "self_match",
    "max_orders_per_second", "max_orders_per_minute", "max_messages_per_minute", "trading_state",
    "circuit_breaker", "no_reference", "overflow", "missing_limit", "reduce_only",
    "unknown_request", "price_tick", "quantity_step", "min_notional", "tradable",
    "halted", "max_value_at_risk", "max_expected_shortfall", "max_volatility", "max_correlation",
    "max_beta_exposure", "max_risk_age", "market_protection_bps", "margin_call",
    "max_adv_share", "exit_quantity", "limit_state", "pair_quantity",
)
LABELS = {
    "allowed_symbols": "the symbol is not among those allowed",
    "require_shortable": "the position would be short, and the instrument cannot be borrowed",
    "require_open_session": "the session is closed",
    "bad_tick": "the last price jumped and is not confirmed yet",
    "halted": "trading in the symbol is halted",
    "limit_state": "the symbol stands at a price band, and a pause may follow",
    "max_value_at_risk": "value at risk",
    "max_expected_shortfall": "expected shortfall",
    "max_volatility": "volatility",
    "max_correlation": "mean correlation",
    "max_beta_exposure": "beta-weighted exposure",
    "max_risk_age": "age of the portfolio risk in seconds,",
    "stale_data": "age of the last price in seconds,",
    "max_order_quantity": "quantity",
    "max_order_notional": "order value",
    "price_collar_bps": "distance of the limit price in basis points,",
    "max_slippage_bps": "expected slippage in basis points,",
    "max_position_quantity": "worst-case position",
    "max_position_notional": "worst-case position value",
    "max_concentration": "worst-case position value",
    "max_sector_concentration": "worst-case sector value",
    "max_open_positions": "number of open positions",
    "max_open_orders": "number of open orders",
    "max_gross_exposure": "worst-case gross exposure",
    "max_net_exposure": "worst-case net exposure",
    "max_leverage": "worst-case gross exposure",
    "require_buying_power": "cash missing",
    "max_daily_orders": "number of orders today",
    "max_daily_quantity": "quantity ordered today",
    "max_daily_notional": "value ordered today",
}


cdef inline bint over(Case* case, int64_t observed, int64_t limit) noexcept:
    if limit < 0 or observed <= limit:
        return False
    case.observed = observed
    case.limit = limit
    return True


cdef inline bint over_money(Case* case, int128 observed, int128 limit) noexcept:
    if limit < 0 or observed <= limit:
        return False
    case.observed = observed
    case.limit = limit
    return True


cdef bint not_allowed(const Caps* caps, Case* case) noexcept:
    return not caps.allowed


cdef bint not_shortable(const Caps* caps, Case* case) noexcept:
    return caps.shortable and case.goes_short and not case.shortable


cdef bint session_closed(const Caps* caps, Case* case) noexcept:
    return caps.open_session and case.is_closed


cdef bint bad_tick(const Caps* caps, Case* case) noexcept:
    return case.is_suspect


cdef bint stale_data(const Caps* caps, Case* case) noexcept:
    return over(case, case.age_ns, caps.stale_ns)


cdef bint order_quantity(const Caps* caps, Case* case) noexcept:
    return over(case, case.units, caps.order_quantity)


cdef bint order_notional(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.value, caps.order_notional)


cdef bint price_collar(const Caps* caps, Case* case) noexcept:
    return over(case, case.collar_distance, caps.collar)


cdef bint slippage(const Caps* caps, Case* case) noexcept:
    return over(case, case.slippage, caps.slippage)


cdef bint position_quantity(const Caps* caps, Case* case) noexcept:
    return over(case, case.position_units, caps.position_quantity)


cdef bint position_notional(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.position_value, caps.position_notional)


cdef bint concentration(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.position_value, case.concentration_bound)


cdef bint sector_concentration(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.sector_value, case.sector_bound)


cdef bint open_positions(const Caps* caps, Case* case) noexcept:
    return over(case, case.open_positions, caps.open_positions)


cdef bint open_orders(const Caps* caps, Case* case) noexcept:
    return over(case, case.open_orders, caps.open_orders)


cdef bint gross_exposure(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.gross, caps.gross_exposure)


cdef bint net_exposure(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.net, caps.net_exposure)


cdef bint leverage(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.gross, case.leverage_bound)


cdef bint buying_power(const Caps* caps, Case* case) noexcept:
    return caps.buying_power and over_money(case, case.missing_cash, 0)


cdef bint daily_orders(const Caps* caps, Case* case) noexcept:
    return over(case, case.daily_orders, caps.daily_orders)


cdef bint daily_quantity(const Caps* caps, Case* case) noexcept:
    return over(case, case.daily_units, caps.daily_quantity)


cdef bint daily_notional(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.daily_value, caps.daily_notional)


cdef bint halted(const Caps* caps, Case* case) noexcept:
    return case.is_halted


cdef bint limited(const Caps* caps, Case* case) noexcept:
    return case.is_limited


cdef bint value_at_risk(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.value_at_risk, caps.value_at_risk)


cdef bint expected_shortfall(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.shortfall, caps.shortfall)


cdef bint volatility(const Caps* caps, Case* case) noexcept:
    return over(case, case.volatility, caps.volatility)


cdef bint correlation(const Caps* caps, Case* case) noexcept:
    return over(case, case.correlation, caps.correlation)


cdef bint beta_exposure(const Caps* caps, Case* case) noexcept:
    return over_money(case, case.beta_exposure, caps.beta_exposure)


cdef bint risk_age(const Caps* caps, Case* case) noexcept:
    return over(case, case.risk_age, caps.risk_age)


cdef int place = 0


cdef int add(Check check, str code, Unit unit, bint always) except -1:
    global place
    if place == N_CONTROLS:
        raise ImportError(f"there is no room for {code}: N_CONTROLS is {N_CONTROLS}")
    CONTROLS[place].check = check
    CONTROLS[place].code = CODES.index(code)
    CONTROLS[place].unit = unit
    CONTROLS[place].always = always
    place += 1
    return 0


# In the order in which they are asked: permissions, data, the order itself, then what it makes.
add(not_allowed, "allowed_symbols", FLAG, False)
add(not_shortable, "require_shortable", FLAG, False)
add(session_closed, "require_open_session", FLAG, False)
add(halted, "halted", FLAG, False)
add(limited, "limit_state", FLAG, False)
add(bad_tick, "bad_tick", FLAG, False)
add(stale_data, "stale_data", NANOSECONDS, False)
add(order_quantity, "max_order_quantity", UNITS, False)
add(order_notional, "max_order_notional", MONEY, False)
add(price_collar, "price_collar_bps", BPS, True)
add(slippage, "max_slippage_bps", BPS, False)
add(position_quantity, "max_position_quantity", UNITS, False)
add(position_notional, "max_position_notional", MONEY, False)
add(concentration, "max_concentration", MONEY, False)
add(sector_concentration, "max_sector_concentration", MONEY, False)
add(open_positions, "max_open_positions", COUNT, False)
add(open_orders, "max_open_orders", COUNT, False)
add(gross_exposure, "max_gross_exposure", MONEY, False)
add(net_exposure, "max_net_exposure", MONEY, False)
add(leverage, "max_leverage", MONEY, False)
add(buying_power, "require_buying_power", MONEY, False)
add(daily_orders, "max_daily_orders", COUNT, False)
add(daily_quantity, "max_daily_quantity", UNITS, False)
add(daily_notional, "max_daily_notional", MONEY, False)
add(risk_age, "max_risk_age", NANOSECONDS, False)
add(value_at_risk, "max_value_at_risk", MONEY, False)
add(expected_shortfall, "max_expected_shortfall", MONEY, False)
add(volatility, "max_volatility", RATIO, False)
add(correlation, "max_correlation", RATIO, False)
add(beta_exposure, "max_beta_exposure", MONEY, False)

NUMERIC = tuple(CODES[CONTROLS[place].code] for place in range(N_CONTROLS))
