"""Orders and positions to plain values and back into a kernel, bit for bit."""
from libc.stdint cimport int64_t
from libc.string cimport memset

from pyrt.core.int128 cimport i128_from_int, i128_to_int
from pyrt.core.numbers cimport decimal_from_scaled, money_from_object, nano_from_object
from pyrt.core.orders cimport Order, no_price
from pyrt.core.positions cimport Position, RoundTrip
from pyrt.core.ports cimport SUBMIT, Command
from pyrt.core.types cimport FILLED, INITIALIZED, NONE, OPEN, RELEASED, SENT, UNKNOWN, is_final
from pyrt.execution.desk cimport Desk
from pyrt.kernel.kernel cimport Kernel

from decimal import Decimal

from pyrt.core.types import STATUS_NAMES, TIF_NAMES, TYPE_NAMES
from pyrt.errors import JournalError
from pyrt.live.journal.records import OrderState, PositionState


cdef str price_text(int64_t raw):
    return "" if raw == no_price() else f"{decimal_from_scaled(raw, 9):f}"


cdef int64_t price_raw(str text) except? -1:
    return nano_from_object(text) if text else no_price()


def order_state(Order order not None, *, str venue_order_id="", str venue_filled="",
                str venue_cost=""):
    """Return an order as plain values; what the broker calls it comes from the client."""
    flags = [
        name for name, is_set in (
            ("post_only", order.post_only), ("reduce_only", order.reduce_only),
            ("extended_hours", order.extended_hours), ("queue", order.queue),
            ("is_exit", order.is_exit), ("is_child", order.is_child), ("resizes", order.resizes),
            ("keeps_exits", order.keeps_exits),
        ) if is_set
    ]
    unknown = [
        name for name, request in (
            ("submit", order.submit_request), ("modify", order.modify_request),
            ("cancel", order.cancel_request),
        ) if request == UNKNOWN or (request == OPEN and not is_final(order.status_))
    ]
    return OrderState(
        client_order_id=order.client_order_id,
        strategy=order.strategy.name,
        symbol=order.instrument.id,
        side="buy" if order.side_sign > 0 else "sell",
        order_type=TYPE_NAMES[order.type],
        quantity=f"{order.quantity_exact:f}",
        time_in_force=TIF_NAMES[order.tif],
        status=STATUS_NAMES[order.status_],
        filled=f"{order.filled_quantity_exact:f}",
        limit_price=price_text(order.limit_price_raw),
        stop_price=price_text(order.stop_price_raw),
        trail_amount=price_text(order.trail_amount_raw),
        trail_percent=price_text(order.trail_percent_raw),
        notional="" if order.notional_raw == 0 else f"{order.notional_exact:f}",
        expires_at=order.expires_ns,
        flags=tuple(flags),
        tag=order.tag,
        parent="" if order.parent is None else order.parent.client_order_id,
        entry_filled=entry_filled(order.parent),
        sibling="" if order.sibling is None else order.sibling.client_order_id,
        reason=order.reason_ or "",
        unknown=",".join(unknown),
        ts_init=order.ts_init,
        filled_notional=str(i128_to_int(order.filled_notional)),
        venue_order_id=venue_order_id,
        venue_filled=venue_filled,
        venue_cost=venue_cost,
        number=order.number,
        cancel_wanted=order.cancel_request in (OPEN, UNKNOWN),
    )


cdef str entry_filled(Order entry):
    """What an entry that has ended has filled; "" while there is none."""
    if entry is None or not is_final(entry.status_):
        return ""
    return f"{entry.filled_quantity_exact:f}"


def position_of(Order order not None):
    """Return the position that an order's fills go to."""
    return order.position


def position_state(Position position not None, str strategy):
    """Return a position as plain values."""
    return PositionState(
        strategy=strategy,
        symbol=position.instrument.id,
        units=position.units,
        open_cost=str(i128_to_int(position.open_cost)),
        realized=str(i128_to_int(position.realized)),
        fees=str(i128_to_int(position.fees)),
        mark=position.mark,
        entered=str(i128_to_int(position.entered_notional)),
    )


cdef int number_of(Kernel kernel, str name) except -1:
    for strategy in kernel.strategies:
        if strategy.name == name:
            return strategy.number
    raise JournalError(
        f"the journal has orders or holdings of {name}, which is not in this run",
        code="orphan",
        remedy="Run that strategy too, or close what it holds first",
        strategy=name,
    )


cdef int check_symbol(Kernel kernel, str symbol) except -1:
    if symbol not in kernel.cache.by_name:
        raise JournalError(
            f"the journal has orders or holdings in {symbol}, which is not among the symbols "
            "of this run",
            code="orphan",
            remedy="Name it in `symbols` of the settings too, or close what is held in it first",
            symbol=symbol,
        )


def restore_positions(Kernel kernel not None, states):
    """Give strategies the holdings of an earlier run; the account's units follow, cash does not.

    Raises
    ------
    JournalError
        If a strategy that holds something, or a symbol that is held, is not in this run.
    """
    cdef Position position
    cdef Py_ssize_t index
    names = {strategy.name for strategy in kernel.strategies}
    for state in states:
        is_known = state.strategy in names and state.symbol in kernel.cache.by_name
        if state.units == 0 and not is_known:
            continue
        check_symbol(kernel, state.symbol)
        position = kernel.cache.position(number_of(kernel, state.strategy), state.symbol)
        position.units = state.units
        position.open_cost = i128_from_int(int(state.open_cost))
        position.realized = i128_from_int(int(state.realized))
        position.fees = i128_from_int(int(state.fees))
        position.mark = state.mark
        position.entered_notional = i128_from_int(int(state.entered))
        index = position.instrument.index
        kernel.account.set_units(
            index, kernel.account.holdings[index].units + state.units, state.mark
        )
        if state.units:
            begin_trip(position)


def replace_position(Kernel kernel not None, object state):
    """Give a strategy's holding the values of an earlier run, in place of those it has."""
    cdef Position position = kernel.cache.position(number_of(kernel, state.strategy), state.symbol)
    cdef Py_ssize_t index = position.instrument.index
    kernel.account.set_units(
        index, kernel.account.holdings[index].units - position.units, position.mark
    )
    # What the trip had sold before is in the state's cost and profit.
    memset(&position.trip, 0, sizeof(RoundTrip))
    restore_positions(kernel, [state])


def take_prefix(Kernel kernel not None, str prefix not None):
    """Let client order ids begin otherwise from now on; orders that exist keep theirs."""
    kernel.desk.prefix = prefix


def waiting_submits(Kernel kernel not None):
    """Return numbers of orders that a command waits to send, and of those that go with them."""
    cdef Command command
    cdef Order order
    found = {}
    for command in (*kernel.desk.commands, *kernel.desk.waiting):
        if command.kind != SUBMIT:
            continue
        order = command.order
        for each in (order, order.take_profit, order.stop_loss, order.sibling):
            if each is not None and (<Order>each).status_ in (INITIALIZED, RELEASED):
                found[(<Order>each).number] = None
    return list(found)


def ways_out(Kernel kernel not None):
    """Return numbers of orders that leave a position, and wait for what they count on."""
    cdef Order order
    return [
        order.number for order in kernel.cache.orders_open()
        if order.moves and (order.target == 0 or order.is_exit) and order.status_ == INITIALIZED
        and order.cancel_request == NONE
    ]


def send_again(Kernel kernel not None, Order order not None):
    """Queue an order that has not left as if it were asked for now, under an id of this run."""
    order.own_id = f"{kernel.desk.prefix}{order.number}"
    kernel.desk.send(order)


def drop_commands(Kernel kernel not None):
    """Forget commands that wait: whoever issued them was cut off before they were carried out."""
    kernel.desk.commands.clear()
    kernel.desk.waiting.clear()


def rename_order(Order order not None, str name not None):
    """Give an order that nobody has heard of another id: its own may be taken."""
    order.own_id = name


def drop_change(Order order not None):
    """Forget that a change of an open order was asked for: whoever waits for its answer is gone."""
    if order.modify_request in (OPEN, UNKNOWN):
        if order.modify_request == UNKNOWN and order.submit_request != UNKNOWN \
                and order.cancel_request != UNKNOWN:
            if order.side_sign > 0:
                order.position.unknown_buys -= 1
            else:
                order.position.unknown_sells -= 1
        order.modify_request = NONE


def drop_cancel(Order order not None):
    """Forget that a cancel was asked for, and never left."""
    if order.cancel_request == OPEN:
        order.cancel_request = NONE


def is_canceling(Order order not None):
    """Return whether a cancel was asked for and not answered."""
    return order.cancel_request in (OPEN, UNKNOWN)


def is_in_doubt(Order order not None):
    """Return whether nobody has said yet that an order that left has arrived."""
    return order.status_ == SENT and order.submit_request == OPEN and leaves_by_itself(order)


cdef bint leaves_by_itself(Order order) noexcept:
    """Whether no other order brings it: what does is the first of a pair, or an entry its exits."""
    return order.keeps_exits or (
        order.parent is None
        and (order.sibling is None or order.number < order.sibling.number)
    )


cdef int begin_trip(Position position) except -1:
    """Let the round trip go on from what is held, at its cost."""
    cdef int side = 1 if position.units > 0 else -1
    position.trip.side = side
    position.trip.entered = side * position.units
    position.trip.entry_notional = side * position.open_cost
    return 0


def restore_orders(Kernel kernel not None, states):
    """Give strategies the open orders of an earlier run, under their old ids.

    A submit without a known outcome is UNKNOWN here. Returns the orders, in the order given.

    Raises
    ------
    JournalError
        If a strategy that owns one, or the symbol of one, is not in this run.
    """
    cdef Order order, entry
    made = {}
    ended = {}
    for state in states:
        check_symbol(kernel, state.symbol)
        made[state.client_order_id] = restore_order(kernel, state)
    for state in states:
        order = made[state.client_order_id]
        order.sibling = made.get(state.sibling)
        # What another order was to bring is where that one is; its entry may be gone by now.
        if "submit" in state.unknown and leaves_by_itself(order) and (
            order.keeps_exits or not state.parent
        ):
            mark_unknown(order)
        if not state.parent:
            continue
        entry = made.get(state.parent) or ended.get(state.parent)
        if entry is None:
            entry = ended[state.parent] = ended_entry(order, state)
        if not state.entry_filled and is_final(entry.status_):
            # What it has filled is not known any more: no less than what either exit leaves.
            entry.units = entry.filled = max(entry.filled, order.units)
        order.parent = entry
        if state.order_type == "limit":
            entry.take_profit = order
        else:
            entry.stop_loss = order
    return list(made.values())


cdef Order ended_entry(Order order, object state):
    """Make what is left of an entry: what its exits are held to. No run of this kernel knows it."""
    cdef Order entry = Order.__new__(Order)
    entry.instrument = order.instrument
    entry.position = order.position
    entry.strategy = order.strategy
    entry.own_id = state.parent
    entry.side_sign = -order.side_sign
    entry.status_ = FILLED
    entry.limit_price_raw = entry.stop_price_raw = no_price()
    entry.trail_amount_raw = entry.trail_percent_raw = no_price()
    entry.units = entry.filled = order.instrument.quantity_raw(state.entry_filled or "0")
    return entry


cdef Order restore_order(Kernel kernel, object state):
    cdef int owner = number_of(kernel, state.strategy)
    cdef Position position = kernel.cache.position(owner, state.symbol)
    cdef Desk desk = kernel.desk
    cdef Order order = desk.new_order(
        kernel.strategies[owner], position, 1 if state.side == "buy" else -1,
        {"tag": state.tag},
    )
    flags = frozenset(state.flags)
    order.own_id = state.client_order_id
    order.type = TYPE_NAMES.index(state.order_type)
    order.tif = TIF_NAMES.index(state.time_in_force)
    order.status_ = STATUS_NAMES.index(state.status)
    if order.status_ < SENT:
        order.status_ = SENT
    order.units = order.instrument.quantity_raw(state.quantity)
    order.filled = order.instrument.quantity_raw(state.filled)
    order.filled_notional = i128_from_int(int(state.filled_notional))
    order.limit_price_raw = price_raw(state.limit_price)
    order.stop_price_raw = price_raw(state.stop_price)
    order.trail_amount_raw = price_raw(state.trail_amount)
    order.trail_percent_raw = price_raw(state.trail_percent)
    order.notional_raw = money_from_object(Decimal(state.notional)) if state.notional else 0
    order.expires_ns = state.expires_at
    order.post_only = "post_only" in flags
    order.reduce_only = "reduce_only" in flags
    order.extended_hours = "extended_hours" in flags
    order.queue = "queue" in flags
    order.is_exit = "is_exit" in flags
    order.is_child = "is_child" in flags
    order.resizes = "resizes" in flags
    order.keeps_exits = "keeps_exits" in flags
    order.reason_ = state.reason
    order.ts_init = state.ts_init
    desk.enlist(order)
    desk.settle(order)
    kernel.sink.emulator.resume(order)
    return order


cdef int mark_unknown(Order order) except -1:
    """Let a submit be of unknown outcome."""
    order.submit_request = UNKNOWN
    if order.side_sign > 0:
        order.position.unknown_buys += 1
    else:
        order.position.unknown_sells += 1
    return 0
