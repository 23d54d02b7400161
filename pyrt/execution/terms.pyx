"""The terms of an order as a strategy writes them: read, checked, made codes of."""
from libc.stdint cimport INT64_MAX, int64_t

from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport money_from_object, nano_from_object
from pyrt.core.orders cimport Order, no_price
from pyrt.core.ports cimport Command
from pyrt.core.types cimport (
    FOK, GTD, IOC, LIMIT, LIMIT_IF_TOUCHED, MARKET, MARKET_IF_TOUCHED, MARKET_TO_LIMIT, STOP,
    STOP_LIMIT, TRAILING_STOP, TRAILING_STOP_LIMIT,
)

from pyrt.core.times import format_ns, timestamp_ns
from pyrt.core.types import TIF_NAMES
from pyrt.errors import OrderError

TERMS = frozenset((
    "notional", "limit_price", "stop_price", "trail_amount", "trail_percent", "trigger_price",
    "take_profit", "stop_loss", "time_in_force", "expires_at", "post_only", "reduce_only",
    "extended_hours", "queue", "tag", "oco", "resizes", "algorithm", "display_quantity",
    "market_to_limit", "partial",
))
EXIT_TERMS = frozenset((
    "limit_price", "stop_price", "trail_amount", "trail_percent", "trigger_price",
))
CHANGES = frozenset(("quantity", "limit_price", "stop_price", "trail_amount", "trail_percent"))


cdef int64_t units_of(Instrument instrument, object quantity) except? -1:
    cdef int64_t units = 0
    try:
        units = instrument.quantity_raw(quantity)
    except OverflowError:
        pass
    if units <= 0:
        raise OrderError(
            f"quantity is {quantity!r}; expected a positive number, at most "
            f"{instrument.quantity_float(INT64_MAX):.3g}"
        )
    return units


cdef int64_t signed_units(Instrument instrument, object quantity) except? -1:
    """Units of a quantity of either sign."""
    try:
        return instrument.quantity_raw(quantity)
    except OverflowError:
        raise OrderError(
            f"quantity is {quantity!r}; expected a number, at most "
            f"{instrument.quantity_float(INT64_MAX):.3g}"
        ) from None


cdef int64_t positive_price(dict terms, str name) except? -1:
    cdef int64_t raw = 0
    try:
        raw = nano_from_object(terms[name])
    except OverflowError:
        pass
    if raw <= 0:
        raise OrderError(
            f"{name} is {terms[name]!r}; expected a positive price, below 9.22e+09", name=name
        )
    if name == "trail_percent" and raw >= 100_000_000_000:
        raise OrderError(f"trail_percent is {terms[name]!r}; expected < 100", name=name)
    return raw


cdef dict exit_terms(dict terms, str name):
    """What describes an exit: a price, (stop, limit), or terms of its own."""
    value = terms[name]
    if isinstance(value, dict):
        unknown = value.keys() - EXIT_TERMS
        if unknown or not value:
            wrong = repr(sorted(unknown)[0]) if unknown else "nothing"
            raise OrderError(
                f"{name} is described by {wrong}", remedy=f"Use {', '.join(sorted(EXIT_TERMS))}"
            )
        return value
    if name == "take_profit":
        return {"limit_price": value}
    if isinstance(value, tuple):
        if len(value) != 2:
            raise OrderError(f"stop_loss is {value!r}; expected a price, or (stop, limit)")
        return {"stop_price": value[0], "limit_price": value[1]}
    return {"stop_price": value}


cdef int64_t exit_price(Order exit) except? -1:
    """The price at which an exit begins to leave; no_price() where it moves, or there is none."""
    if exit is None:
        return no_price()
    return exit.limit_price_raw if exit.stop_price_raw == no_price() else exit.stop_price_raw


cdef int read_terms(Order order, dict terms, dict default_tif, int64_t now) except -1:
    """Let an order be what the terms say; `default_tif` is kind of instrument → code."""
    if terms:
        for name in terms:
            if name not in TERMS:
                raise OrderError(f"orders have no term {name!r}")
        if "notional" in terms:
            order.notional_raw = money_from_object(terms["notional"])
            if order.notional_raw <= 0:
                raise OrderError(f"notional is {terms['notional']!r}; expected > 0")
        order.post_only = terms.get("post_only", False)
        order.reduce_only = terms.get("reduce_only", False)
        order.extended_hours = terms.get("extended_hours", False)
        order.queue = terms.get("queue", False)
        order.resizes = terms.get("resizes", False)
        read_type(order, terms)
        if "display_quantity" in terms:
            read_display(order, terms["display_quantity"])
    read_tif(order, terms, default_tif, now)
    if order.notional_raw != 0 and order.type != MARKET:
        raise OrderError("an order by notional is a market order; give a quantity for others")
    if order.post_only and order.type != LIMIT:
        raise OrderError(f"post_only needs a limit order, this is a {order.order_type} order")
    if order.post_only and (order.tif == IOC or order.tif == FOK):
        raise OrderError(f"a post_only order rests, and {TIF_NAMES[order.tif]!r} does not")
    return 0


cdef int read_type(Order order, dict terms) except -1:
    """Read prices, and the type that follows from which of them are given."""
    limit, stop = "limit_price" in terms, "stop_price" in terms
    trail = ("trail_amount" in terms) + ("trail_percent" in terms)
    touch = "trigger_price" in terms
    if trail + stop + touch > 1:
        given = [n for n in ("stop_price", "trail_amount", "trail_percent", "trigger_price")
                 if n in terms]
        raise OrderError(f"{' and '.join(given)} exclude each other")
    if limit:
        order.limit_price_raw = positive_price(terms, "limit_price")
    if stop or touch:
        order.stop_price_raw = positive_price(terms, "stop_price" if stop else "trigger_price")
    if "trail_amount" in terms:
        order.trail_amount_raw = positive_price(terms, "trail_amount")
    if "trail_percent" in terms:
        order.trail_percent_raw = positive_price(terms, "trail_percent")
    if terms.get("market_to_limit"):
        if limit or stop or touch or trail:
            raise OrderError("a market-to-limit order has no price of its own")
        order.type = MARKET_TO_LIMIT
    elif trail:
        order.type = TRAILING_STOP_LIMIT if limit else TRAILING_STOP
    elif touch:
        order.type = LIMIT_IF_TOUCHED if limit else MARKET_IF_TOUCHED
    elif stop:
        order.type = STOP_LIMIT if limit else STOP
    elif limit:
        order.type = LIMIT
    return 0


cdef int read_display(Order order, object quantity) except -1:
    """Show a limit order in parts; OrderError where that makes no sense."""
    order.display = units_of(order.instrument, quantity)
    if order.type not in (LIMIT, STOP_LIMIT, LIMIT_IF_TOUCHED, MARKET_TO_LIMIT):
        raise OrderError(
            f"display_quantity needs a limit price, this is a {order.order_type} order"
        )
    if order.display >= order.units:
        order.display = 0
    return 0


cdef int read_tif(Order order, dict terms, dict default_tif, int64_t now) except -1:
    if not terms or not ("time_in_force" in terms or "expires_at" in terms):
        order.tif = default_tif.get(order.instrument.kind, default_tif[""])
        return 0
    name = terms.get("time_in_force")
    if name is None:
        name = "gtd"
    elif name not in TIF_NAMES:
        raise OrderError(
            f"time_in_force is {name!r}; expected one of {', '.join(TIF_NAMES)}", value=name
        )
    order.tif = TIF_NAMES.index(name)
    if (order.tif == GTD) != ("expires_at" in terms):
        raise OrderError("time_in_force 'gtd' and expires_at go together")
    if order.tif == GTD:
        order.expires_ns = timestamp_ns(terms["expires_at"])
        if order.expires_ns <= now:
            raise OrderError(
                f"expires_at {format_ns(order.expires_ns)} has passed already: "
                f"it is {format_ns(now)}"
            )
    return 0


cdef int read_changes(Command command, dict changes) except -1:
    """Let a command ask for new terms of its order; OrderError for what that does not have."""
    cdef Order order = command.order
    unknown = changes.keys() - CHANGES
    if unknown or not changes:
        wrong = f"{sorted(unknown)[0]!r}" if unknown else "nothing"
        known = ", ".join(sorted(CHANGES))
        raise OrderError(f"cannot change {wrong}; expected some of {known}")
    command.limit_price = command.stop_price = command.trail = no_price()
    if "quantity" in changes:
        command.units = signed_units(order.instrument, changes["quantity"])
        if command.units <= order.filled:
            raise OrderError(
                f"quantity is {changes['quantity']!r}; expected more than the "
                f"{order.filled_quantity:g} filled (cancel the order to stop it there)"
            )
        if order.origin is not None and command.units > order.units:
            raise OrderError(
                f"quantity is {changes['quantity']!r}; expected no more than the "
                f"{order.quantity:g} of this part of {order.origin.client_order_id} (its "
                "algorithm sends what is left)"
            )
    for name, has in (
        ("limit_price", order.limit_price_raw != no_price()),
        ("stop_price", order.stop_price_raw != no_price()),
        ("trail_amount", order.trail_amount_raw != no_price()),
        ("trail_percent", order.trail_percent_raw != no_price()),
    ):
        if name in changes and not has:
            raise OrderError(f"a {order.order_type} order has no {name} to change")
    if "stop_price" in changes and (
            order.trail_amount_raw != no_price() or order.trail_percent_raw != no_price()):
        raise OrderError(
            f"stop_price is {changes['stop_price']!r}, and the trigger of a {order.order_type} "
            "order follows the price; expected trail_amount or trail_percent, whichever it has"
        )
    if "limit_price" in changes:
        command.limit_price = positive_price(changes, "limit_price")
    if "stop_price" in changes:
        command.stop_price = positive_price(changes, "stop_price")
    for name in ("trail_amount", "trail_percent"):
        # An order has one of them at most.
        if name in changes:
            command.trail = positive_price(changes, name)
    return 0
