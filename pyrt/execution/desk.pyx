"""The order desk: a strategy's wishes become orders and queued commands."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.int128 cimport TOWARD_ZERO, i128_muldiv, i128_to_i64, int128
from pyrt.core.numbers cimport POWERS_OF_TEN
from pyrt.core.orders cimport no_price
from pyrt.core.ports cimport CANCEL, MODIFY, SUBMIT
from pyrt.core.records cimport OrderRow
from pyrt.core.types cimport DAY, GTC, GTD, LIMIT, MARKET, NONE, OPEN, REFUSED, is_final
from pyrt.execution.groups cimport check_exits, check_pair, leaves_position
from pyrt.execution.targets cimport distance, only_leaves, share, units_of_share
from pyrt.execution.terms cimport (
    exit_terms, read_changes, read_terms, read_type, signed_units, units_of,
)

from pyrt.core.types import TIF_NAMES
from pyrt.core.times import format_ns
from pyrt.errors import OrderError, RunawayError

ALONE = ("take_profit", "stop_loss", "oco", "algorithm", "notional")
"""Terms that an order of a pair, or a part of a worked order, cannot have."""
# No handler issues so many at one instant and comes back.
cdef Py_ssize_t COMMANDS_MAX = 1_000_000
# a billion whole units: sums of such orders stay within 64 bits
cdef int64_t COUNTED_MAX = 1_000_000_000_000_000_000


def is_no_limit(Order order not None):
    """Return whether an order is of another type than limit."""
    return order.type != LIMIT


def never(Order order not None):
    """Return that nothing halts an order."""
    return False


def always(Instrument instrument not None):
    """Return that fractions of an instrument can be sold short."""
    return True


@cython.final
cdef class Desk(OrderDesk):
    """Makes orders, numbers them, counts what works, and queues commands for the kernel.

    Parameters
    ----------
    cache, clock, records
        Of the kernel.
    prefix : str
        Begins every client order id; unique to the run.
    default_tif : dict
        Kind of instrument → name of the default time in force; key "" serves all others.
    """

    def __init__(self, Cache cache, Clock clock, Records records, *, str prefix="bt-",
                 dict default_tif=None, capital_of=None):
        self.cache = cache
        self.clock = clock
        self.records = records
        self.prefix = prefix
        self.commands = []
        self.waiting = []
        self.default_tif = {"": "gtc"} if default_tif is None else dict(default_tif)
        self.default_codes = {k: TIF_NAMES.index(name) for k, name in self.default_tif.items()}
        self.capital_of = capital_of
        self.halts = never
        self.shorts_fractions = always
        self.keeps_back = never
        self.commands_max = COMMANDS_MAX
        self.runaway = None

    cdef Position position_of(self, Owner owner, str symbol):
        return self.cache.position(owner.number, symbol)

    # -- making orders -------------------------------------------------------------------------

    cdef Order describe(self, Owner owner, str symbol, int side, object quantity, dict terms):
        """Make the order that the terms describe, without exits and unknown to all."""
        cdef Position position = self.cache.position(owner.number, symbol)
        cdef Order order = self.new_order(owner, position, side, terms)
        if quantity is None and "notional" not in terms:
            raise OrderError(f"an order for {symbol} needs a quantity or a notional")
        if quantity is not None and "notional" in terms:
            raise OrderError(
                f"an order for {symbol} has quantity={quantity!r} and "
                f"notional={terms['notional']!r}; give one of them"
            )
        if quantity is not None:
            order.units = units_of(order.instrument, quantity)
        read_terms(order, terms, self.default_codes, self.clock.now)
        order.is_exit = only_leaves(self.cache, order)
        return order

    cdef Order draft(self, Owner owner, str symbol, int side, object quantity, dict terms):
        cdef Order order = self.describe(owner, symbol, side, quantity, terms)
        if "oco" in terms:
            raise OrderError("a pair of exits cannot be judged before it is sent")
        if "algorithm" in terms:
            self.read_algorithm(order, terms)
        self.add_exits(order, terms)
        return order

    cdef Order place(self, Owner owner, str symbol, int side, object quantity, dict terms):
        cdef Order order = self.describe(owner, symbol, side, quantity, terms)
        if terms:
            if "algorithm" in terms:
                self.read_algorithm(order, terms)
            if "take_profit" in terms or "stop_loss" in terms or "oco" in terms:
                return self.place_with_exits(order, terms)
        self.enlist(order)
        self.send(order)
        return order

    def read_algorithm(self, Order order not None, dict terms not None):
        """Tie an order to a copy of the algorithm that works it."""
        algorithm = terms["algorithm"]
        if "take_profit" in terms or "stop_loss" in terms or "oco" in terms:
            raise OrderError("an order that an algorithm works takes no exits")
        if not callable(getattr(algorithm, "bound_to", None)):
            raise OrderError(
                f"algorithm is {algorithm!r}; expected an ExecutionAlgorithm, such as TWAP('30m')"
            )
        if order.notional_raw != 0:
            raise OrderError("an algorithm works a quantity, not a notional")
        order.algorithm = algorithm.bound_to(order)
        if order.type == MARKET:
            # Where its strategy ends nobody works it: it is no way out that could be left alone.
            order.is_exit = order.reduce_only

    def spawn(self, Order origin not None, int64_t units, dict terms):
        """Send a part of an order that an algorithm works; the part counts in its place."""
        cdef Order order
        if units <= 0 or units > origin.leaves() - origin.allotted:
            raise OrderError(
                f"{origin.instrument.quantity_float(units):g} of {origin.client_order_id} are to "
                f"be sent, and "
                f"{origin.instrument.quantity_float(origin.leaves() - origin.allotted):g} are left",
                code="beyond_parent",
            )
        for name in ALONE:
            if name in terms:
                raise OrderError(f"a part of an order takes no {name}")
        terms = {"tag": origin.tag, **terms}
        order = self.new_order(origin.strategy, origin.position, origin.side_sign, terms)
        order.units = units
        order.origin = origin
        read_terms(order, terms, self.default_codes, self.clock.now)
        order.reduce_only = order.reduce_only or origin.reduce_only
        order.is_exit = origin.is_exit
        origin.allotted += units
        self.settle(origin)
        self.enlist(order)
        self.send(order)
        return order

    def place_with_exits(self, Order order, dict terms):
        """Send an entry with the exits held for it, or a pair of exits."""
        if terms.get("oco"):
            return self.place_pair(order, terms)
        self.add_exits(order, terms)
        self.enlist(order)
        if order.take_profit is not None:
            self.enlist(order.take_profit)
        if order.stop_loss is not None:
            self.enlist(order.stop_loss)
        self.send(order)
        return order

    def add_exits(self, Order order not None, dict terms not None):
        """Give an entry the exits that its terms describe; OrderError if they make no sense."""
        if "take_profit" in terms:
            order.take_profit = self.child(order, exit_terms(terms, "take_profit"))
        if "stop_loss" in terms:
            order.stop_loss = self.child(order, exit_terms(terms, "stop_loss"))
        if order.take_profit is not None or order.stop_loss is not None:
            check_exits(order)
            # It is to open something, whatever is held when it is made.
            order.is_exit = order.reduce_only
        if order.take_profit is not None and order.stop_loss is not None:
            order.take_profit.sibling = order.stop_loss
            order.stop_loss.sibling = order.take_profit

    def place_pair(self, Order order, dict terms):
        """Send a one-cancels-the-other pair of exits; return the take-profit order."""
        cdef Position position = order.position
        cdef Order stop
        if position.units == 0 or (order.side_sign > 0) == (position.units > 0):
            raise OrderError(f"nothing is held in {order.symbol} that a pair could leave")
        read_type(order, exit_terms(terms, "take_profit"))
        stop = self.new_order(order.strategy, position, order.side_sign, terms)
        stop.units = order.units
        stop.tif = order.tif
        stop.expires_ns = order.expires_ns
        read_type(stop, exit_terms(terms, "stop_loss"))
        check_pair(order, stop)
        order.cancels_pair = stop.cancels_pair = terms.get("partial") == "cancel"
        order.sibling = stop
        stop.sibling = order
        order.is_exit = order.is_child = stop.is_exit = stop.is_child = True
        self.enlist(order)
        self.enlist(stop)
        self.send(order)
        self.send(stop)
        return order

    def pair(self, Owner owner, first, second, str partial):
        """Send two orders of which a fill of one cancels or shrinks the other.

        Each is (side, symbol, quantity, terms).
        """
        cdef list made = []
        cdef Order order
        for side, symbol, quantity, terms in (first, second):
            for name in ALONE:
                if name in terms:
                    raise OrderError(f"an order of a pair takes no {name}")
            order = self.new_order(owner, self.cache.position(owner.number, symbol), side, terms)
            order.units = units_of(order.instrument, quantity)
            read_terms(order, terms, self.default_codes, self.clock.now)
            order.is_exit = only_leaves(self.cache, order)
            order.cancels_pair = partial == "cancel"
            made.append(order)
        self.tie(made[0], made[1])
        # Venues that know pairs of exits want the limit order first.
        for order in sorted(made, key=is_no_limit):
            self.enlist(order)
        for order in made:
            self.settle(order)
        for order in sorted(made, key=is_no_limit):
            self.send(order)
        return tuple(made)

    cdef int tie(self, Order one, Order other) except -1:
        """Make a pair of two orders: of exits, where they guard what is held."""
        if one.instrument is not other.instrument:
            raise OrderError("the orders of a pair are of one symbol")
        one.sibling, other.sibling = other, one
        if leaves_position(one, other) or leaves_position(other, one):
            one.is_exit = one.is_child = other.is_exit = other.is_child = True
        return 0

    cdef Order new_order(self, Owner owner, Position position, int side, dict terms):
        self.check_room(owner)
        cdef Order order = Order.__new__(Order)
        order.instrument = position.instrument
        order.position = position
        order.strategy = owner
        order.prefix = self.prefix
        order.side_sign = side
        order.limit_price_raw = order.stop_price_raw = no_price()
        order.trail_amount_raw = order.trail_percent_raw = no_price()
        order.tag = terms.get("tag") or ""
        order.tag_number = self.records.texts.number(order.tag) if order.tag else 0
        order.ts_init = self.clock.now
        order.ts_last = self.clock.now
        return order

    cdef Order child(self, Order parent, dict exit):
        """Make an exit that the venue holds until its parent fills."""
        cdef Order order = self.new_order(
            parent.strategy, parent.position, -parent.side_sign, {"tag": parent.tag}
        )
        order.units = parent.units
        # An exit waits, also for the price of an entry that does not.
        order.tif = parent.tif if parent.tif in (DAY, GTC, GTD) else GTC
        order.expires_ns = parent.expires_ns
        read_type(order, exit)
        order.parent = parent
        order.is_exit = True
        order.is_child = True
        return order

    cdef int enlist(self, Order order) except -1:
        """Number the order and make it known; from here on it works."""
        cdef OrderRow* row = <OrderRow*>self.records.orders.append()
        order.number = self.records.orders.count
        row.instrument = order.instrument.index
        row.strategy = order.position.strategy
        row.parent = 0 if order.parent is None else order.parent.number
        if order.origin is not None:
            row.parent = order.origin.number
        row.tag = order.tag_number
        row.side = order.side_sign
        row.type = order.type
        row.time_in_force = order.tif
        row.ts_init = order.ts_init
        self.write_row(order)
        self.cache.add_order(order)
        order.position.orders_working += 1
        if not order.is_child:
            self.count(order, self.estimate(order) if order.notional_raw else order.units)
        return 0

    cdef int write_row(self, Order order) except -1:
        """Bring the order's record up to date."""
        cdef OrderRow* row = <OrderRow*>self.records.orders.at(order.number - 1)
        row.ts_last = order.ts_last
        row.quantity = order.units
        row.filled = order.filled
        row.limit_price = order.limit_price_raw
        if order.stop_price_raw != no_price() or row.stop_price == 0:
            # A released order has lost its trigger; the record keeps it.
            row.stop_price = order.stop_price_raw
        row.status = order.status_
        if order.reason_ is not None:
            row.reason = self.records.texts.number(order.reason_)
        return 0

    def estimate(self, Order order):
        """Return the units an order by notional would buy at the last price.

        0 without one, and with one at which they could not be counted: that is no price.
        """
        cdef int128 units
        if order.position.mark <= 0:
            return 0
        units = i128_muldiv(
            order.notional_raw, 1, <int128>order.position.mark * order.instrument.factor,
            TOWARD_ZERO,
        )
        return i128_to_i64(units) if units < COUNTED_MAX else 0

    cdef int count(self, Order order, int64_t units) except -1:
        """Let `units` of the order be part of the position's working quantity."""
        if order.side_sign > 0:
            order.position.buy_working += units - order.counted
        else:
            order.position.sell_working += units - order.counted
        order.counted = units
        return 0

    cdef int settle(self, Order order) except -1:
        """Bring counts and records up to date after an event of the order."""
        if is_final(order.status_):
            # Nothing more will be answered: what was asked meanwhile came too late.
            if order.cancel_request == OPEN:
                order.cancel_request = REFUSED
            if order.modify_request == OPEN:
                order.modify_request = REFUSED
            # A fill may come after the end: the order left the counts when it ended.
            if self.cache.is_open(order):
                self.count(order, 0)
                order.position.orders_working -= 1
                self.cache.drop_order(order)
        elif not order.is_child and order.units:
            # An order by notional keeps its estimate until the venue says what it comes to.
            self.count(order, share(order))
        if order.sibling is not None and not order.is_child and self.cache.is_open(order.sibling):
            self.count(order.sibling, share(order.sibling))
        return self.write_row(order)

    # -- commands ------------------------------------------------------------------------------

    cdef int issue(self, Command command) except -1:
        command.ts = self.clock.now
        self.commands.append(command)
        return 0

    cdef int check_room(self, Owner owner) except -1:
        """Break off whoever issues commands in a loop that does not end."""
        if len(self.commands) < self.commands_max:
            return 0
        name = (<object>owner).name
        self.runaway = RunawayError(
            f"{name} has issued {len(self.commands)} commands at {format_ns(self.clock.now)} "
            f"and not come back",
            remedy="A handler has a loop without end",
            strategy=name,
        )
        raise self.runaway

    def send(self, Order order):
        """Queue the submission of an order."""
        cdef Command command = Command.__new__(Command)
        command.kind = SUBMIT
        command.order = order
        order.submit_request = OPEN
        self.issue(command)

    cdef int cancel(self, Owner owner, Order order) except -1:
        self.check_owner(owner, order)
        if is_final(order.status_) or order.cancel_request == OPEN:
            return 0
        cdef Command command = Command.__new__(Command)
        command.kind = CANCEL
        command.order = order
        order.cancel_request = OPEN
        return self.issue(command)

    def check_owner(self, Owner owner, Order order):
        """Raise OrderError for an order of another strategy, or one that was never sent."""
        if order.number == 0:
            raise OrderError(
                f"the order for {order.symbol} was judged and not sent: there is nothing to cancel "
                "or change",
                remedy="Submit it, and keep the order that is returned",
            )
        if order.position.strategy != owner.number:
            raise OrderError(f"order {order.client_order_id} belongs to another strategy")

    cdef int modify(self, Owner owner, Order order, dict changes) except -1:
        cdef Command command = Command.__new__(Command)
        self.check_owner(owner, order)
        self.check_room(owner)
        if is_final(order.status_):
            raise OrderError(f"order {order.client_order_id} is {order.status} and cannot change")
        command.kind = MODIFY
        command.order = order
        read_changes(command, changes)
        order.modify_request = OPEN
        return self.issue(command)

    def set_quantity(self, Order order not None, int64_t units):
        """Ask for a new total quantity on our own behalf."""
        cdef Command command = Command.__new__(Command)
        command.kind = MODIFY
        command.order = order
        command.units = units
        command.limit_price = command.stop_price = command.trail = no_price()
        order.modify_request = OPEN
        self.issue(command)

    cdef int cancel_all(self, Owner owner, str symbol) except -1:
        for order in self.cache.orders_open(owner.number, symbol):
            # Children go with their parent while the venue still holds them.
            self.cancel(owner, order)
        return 0

    # -- targets -------------------------------------------------------------------------------

    cdef Order target(self, Owner owner, str symbol, object quantity, str tag):
        cdef Position position = self.cache.position(owner.number, symbol)
        cdef int64_t wanted = signed_units(position.instrument, quantity)
        return self.move(owner, position, wanted, tag, False)

    cdef Order target_percent(self, Owner owner, str symbol, double fraction):
        cdef Position position = self.cache.position(owner.number, symbol)
        cdef int64_t wanted = units_of_share(position, fraction, self.capital_of, owner.number)
        cdef int64_t whole = POWERS_OF_TEN[position.instrument.decimals]
        if wanted < 0 and not self.shorts_fractions(position.instrument):
            wanted = -(-wanted // whole * whole)
        return self.move(owner, position, wanted, None, True)

    def move(self, Owner owner, Position position, int64_t wanted, tag, bint resizes):
        """Send what takes held plus working quantity to `wanted`; None if that is nothing."""
        cdef int64_t delta
        cdef Command command
        cdef Order order
        for command in self.waiting:
            order = command.order
            if command.kind != SUBMIT or order.position is not position:
                continue
            # What has not left need not be undone by a trade; of a target the newest counts.
            if (wanted == 0) if not order.moves else (command.units and order.target != wanted):
                self.cancel(owner, order)
        delta = distance(self.cache, position, wanted, self.records.orders.count + 1)
        if delta == 0:
            if wanted == 0 and position.orders_working:
                self.cancel_resting(self.new_order(owner, position, 1, {}))
            return None
        terms = {"resizes": resizes} if tag is None else {"resizes": resizes, "tag": tag}
        order = self.new_order(owner, position, 1 if delta > 0 else -1, terms)
        order.units = delta if delta > 0 else -delta
        order.moves = True
        order.target = wanted
        if wanted == 0 and position.orders_working:
            self.cancel_resting(order)
        order.is_exit = only_leaves(self.cache, order)
        read_terms(order, terms, self.default_codes, self.clock.now)
        self.enlist(order)
        self.send(order)
        return order

    def cancel_resting(self, Order order not None):
        """Cancel what rests in a symbol that an order is to leave: exits hold what is to be sold.

        True if one of them had not been asked before.
        In a halt it is going to be denied, and exits go on guarding.
        """
        cdef Order other
        cdef bint spares_exits = self.halts(order), is_new = False
        for other in self.cache.orders_open(order.position.strategy, order.instrument.id):
            if (other.type != MARKET or other.algorithm is not None) and not (
                    spares_exits and other.is_exit):
                is_new = is_new or other.cancel_request == NONE
                self.cancel(order.strategy, other)
        return is_new
