"""Booking executions: order, position, account, ledger and round trip move together."""
cimport cython
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from pyrt.core.int128 cimport (
    HALF_EVEN, TOWARD_ZERO, i128_add, i128_muldiv, i128_neg, i128_notional, i128_sub,
    i128_to_i64,
)
from pyrt.core.ledger cimport ADJUSTMENTS, BORROW, CAPITAL, DIVIDENDS, Ledger
from pyrt.core.ledger cimport INTEREST as LEDGER_INTEREST
from pyrt.core.positions cimport RoundTrip
from pyrt.core.records cimport FillRow, TripRow
from pyrt.core.types cimport EV_DAY_END, EV_RATE


cdef int64_t scaled(int64_t units, Event* split) except? -1:
    return i128_to_i64(i128_muldiv(units, split.quantity, split.price, TOWARD_ZERO))


@cython.final
cdef class Booking:
    """Applies executions and corporate actions to what the kernel keeps."""

    def __init__(self, Account account, Records records):
        self.account = account
        self.records = records

    def __dealloc__(self):
        free(self.bars)

    cdef int add_instrument(self, Instrument instrument) except -1:
        cdef int32_t* bars
        if instrument.index >= self.n_bars:
            bars = <int32_t*>realloc(self.bars, (instrument.index + 1) * sizeof(int32_t))
            if bars == NULL:
                raise MemoryError
            memset(&bars[self.n_bars], 0, (instrument.index + 1 - self.n_bars) * sizeof(int32_t))
            self.bars = bars
            self.n_bars = instrument.index + 1
        return self.account.add_instrument(instrument)

    # -- fills ---------------------------------------------------------------------------------

    cdef int fill(self, Order order, Event* event) except -1:
        """Book one execution that the order's state has already admitted."""
        cdef Position position = order.position
        cdef int side = order.side_sign
        cdef int64_t before = position.units
        cdef int128 cost = position.open_cost, result, notional
        # What the venue keeps in kind never arrives: the rest was bought, and its price is the fee.
        cdef int64_t net = event.quantity - event.taken
        result = position.fill(side, net, event.price, event.fee)
        notional = i128_notional(event.price, net, order.instrument.factor)
        order.filled_notional = i128_add(order.filled_notional, notional)
        if event.taken:
            order.taken += event.taken
            order.filled_notional = i128_add(order.filled_notional, i128_notional(
                event.price, event.taken, order.instrument.factor
            ))
        if self.ledger is not None:
            self.ledger.fill(
                event.ts_event, order.instrument.index, position.strategy,
                self.account.holdings[order.instrument.index].currency,
                i128_neg(notional) if side > 0 else notional, i128_sub(position.open_cost, cost),
                i128_add(result, event.fee), event.fee, event.fee_currency,
            )
        self.account.trade(order.instrument.index, side, net, event.price)
        self.account.pay(event.fee_currency, i128_neg(event.fee))
        self.follow_trip(position, before, side, event, order)
        return self.record(order, event)

    cdef int record(self, Order order, Event* event) except -1:
        cdef FillRow* row = <FillRow*>self.records.fills.append()
        row.ts_event = event.ts_event
        row.order = order.number
        row.instrument = order.instrument.index
        row.strategy = order.position.strategy
        row.side = order.side_sign
        row.quantity = event.quantity
        row.price = event.price
        row.fee = event.fee
        row.taken = event.taken
        row.flags = event.fee_currency | (event.liquidity << 4)
        row.position = order.position.units
        row.bar = self.bars[order.instrument.index]
        return 0

    # -- round trips ---------------------------------------------------------------------------

    cdef int follow_trip(self, Position position, int64_t before, int side, Event* event,
                         Order order) except -1:
        """Extend, end or begin the round trip: from flat to flat, ended by a flip as well."""
        cdef RoundTrip* trip = &position.trip
        cdef int64_t held = before if before >= 0 else -before
        cdef int64_t net = event.quantity - event.taken
        cdef int64_t closing = 0, opening
        cdef int64_t factor = position.instrument.factor
        cdef int128 closing_fee, entry
        if before != 0 and (side > 0) != (before > 0):
            closing = min(held, net)
        opening = net - closing
        closing_fee = event.fee
        if opening and closing:
            closing_fee = i128_muldiv(event.fee, closing, net, HALF_EVEN)
        if closing:
            trip.exit_notional = i128_add(
                trip.exit_notional, i128_notional(event.price, closing, factor)
            )
            trip.fees = i128_add(trip.fees, closing_fee)
            if closing == held:
                self.end_trip(position, event.ts_event)
        if opening:
            if trip.entered == 0:
                trip.entry_time = event.ts_event
                trip.entry_bar = self.bars[position.instrument.index]
                trip.side = side
                trip.tag = order.tag_number
            entry = i128_notional(event.price, opening, factor)
            trip.entered += opening
            trip.entry_notional = i128_add(trip.entry_notional, entry)
            position.entered_notional = i128_add(position.entered_notional, entry)
            if closing:
                trip.fees = i128_add(trip.fees, i128_sub(event.fee, closing_fee))
            else:
                trip.fees = i128_add(trip.fees, event.fee)
        return 0

    cdef int end_trip(self, Position position, int64_t ts) except -1:
        cdef RoundTrip* trip = &position.trip
        cdef TripRow* row = <TripRow*>self.records.trips.append()
        cdef int128 gross = i128_sub(trip.exit_notional, trip.entry_notional)
        if trip.side < 0:
            gross = i128_neg(gross)
        row.entry_notional = trip.entry_notional
        row.exit_notional = trip.exit_notional
        row.fees = trip.fees
        row.pnl = i128_add(i128_sub(gross, trip.fees), trip.carried)
        row.entry_time = trip.entry_time
        row.exit_time = ts
        row.quantity = trip.entered
        row.instrument = position.instrument.index
        row.strategy = position.strategy
        row.bars = self.bars[position.instrument.index] - trip.entry_bar
        row.tag = trip.tag
        row.side = trip.side
        memset(trip, 0, sizeof(RoundTrip))
        return 0

    # -- corporate actions ---------------------------------------------------------------------

    cdef int split(self, Position position, Event* event) except -1:
        """Turn old units into new ones; what does not fill a step is paid out at the new price."""
        cdef Py_ssize_t index = position.instrument.index
        cdef int64_t before = position.units, stub
        cdef int128 cost
        if before == 0:
            return 0
        cost = position.open_cost
        stub = position.split(event.quantity, event.price)
        if self.ledger is not None and position.open_cost != cost:
            # Nothing is left of the units; what they cost is lost.
            self.ledger.fill(
                event.ts_event, index, position.strategy, self.account.holdings[index].currency,
                0, i128_neg(cost), i128_neg(cost), 0, 0,
            )
        position.trip.entered = scaled(position.trip.entered, event)
        self.account.set_units(
            index, self.account.holdings[index].units - before + position.units, position.mark
        )
        if stub:
            self.pay_out(position, stub, event.ts_event)
        if position.units == 0:
            self.end_trip(position, event.ts_event)
        return 0

    cdef int pay_out(self, Position position, int64_t stub, int64_t ts) except -1:
        """Exchange signed units for cash at the last price; to the round trip it is an exit."""
        cdef Py_ssize_t index = position.instrument.index
        cdef int currency = self.account.holdings[index].currency
        cdef int64_t units = stub if stub > 0 else -stub
        cdef int128 cash = i128_notional(position.mark, stub, position.instrument.factor)
        cdef int128 cost = position.open_cost
        cdef int128 gross = position.fill(-1 if stub > 0 else 1, units, position.mark, 0)
        if self.ledger is not None:
            self.ledger.fill(
                ts, index, position.strategy, currency, cash,
                i128_sub(position.open_cost, cost), gross, 0, 0,
            )
        position.trip.exit_notional = i128_add(
            position.trip.exit_notional, cash if stub > 0 else i128_neg(cash)
        )
        self.account.set_units(index, self.account.holdings[index].units - stub, position.mark)
        self.account.pay(currency, cash)
        return self.records.entry(ts, CASH_IN_LIEU, index, currency, cash)

    cdef int dividend(self, Position position, Event* event) except -1:
        """Credit cash per unit held before the ex-date; a short position pays it."""
        cdef Py_ssize_t index = position.instrument.index
        cdef int currency = self.account.holdings[index].currency
        cdef int128 cash
        if position.units == 0:
            return 0
        cash = i128_notional(event.price, position.units, position.instrument.factor)
        if self.ledger is not None:
            self.ledger.movement(
                event.ts_event, DIVIDENDS, index, position.strategy, currency, cash
            )
        self.account.pay(currency, cash)
        position.realized = i128_add(position.realized, cash)
        position.trip.carried = i128_add(position.trip.carried, cash)
        return self.records.entry(event.ts_event, DIVIDEND, index, currency, cash)

    cdef int share_dividend(self, list positions, Event* event) except -1:
        """Credit one sum to those who hold the units, each by how many; `event.fee` is the sum.

        Where nobody holds any more, it is that of the one who did; of several, nobody's.
        """
        cdef Position position
        cdef int128 part, left = event.fee
        cdef int64_t units = 0, shared = 0
        for position in positions:
            units += position.units
        if units == 0:
            if len(positions) == 1:
                self.credit(<Position>positions[0], event, left)
            else:
                self.credit(None, event, left)
            return 0
        for position in positions:
            if position.units == 0:
                continue
            # What rounding leaves goes along: parts of the sum are parts of all units so far.
            shared += position.units
            part = i128_sub(left, i128_sub(event.fee, i128_muldiv(
                event.fee, shared, units, HALF_EVEN
            )))
            left = i128_sub(left, part)
            self.credit(position, event, part)
        return 0

    cdef int credit(self, Position position, Event* event, int128 cash) except -1:
        """Add a dividend to what a position has realized; without one, to the account only."""
        cdef int strategy = -1, account = ADJUSTMENTS
        if position is not None:
            strategy, account = position.strategy, DIVIDENDS
            position.realized = i128_add(position.realized, cash)
            if position.units != 0:
                position.trip.carried = i128_add(position.trip.carried, cash)
        if self.ledger is not None:
            self.ledger.movement(
                event.ts_event, account, event.instrument, strategy, event.fee_currency, cash
            )
        self.account.pay(event.fee_currency, cash)
        return self.records.entry(
            event.ts_event, DIVIDEND, event.instrument, event.fee_currency, cash
        )

    # -- the account ---------------------------------------------------------------------------

    cdef int on_account(self, Event* event) except -1:
        """Take in what happens to the account as a whole."""
        if event.kind == EV_DAY_END:
            self.account.end_day(0)
            return 0
        if event.kind == EV_RATE:
            return self.account.take_rate(event.fee_currency, event.price)
        return self.move_cash(event)

    cdef int move_cash(self, Event* event) except -1:
        """Cash that came or went without a trade: `quantity` is its `EntryKind`."""
        cdef int kind = <int>event.quantity
        cdef int account = ADJUSTMENTS
        if kind == DEPOSIT:
            account = CAPITAL
            self.account.day_deposits = i128_add(
                self.account.day_deposits, self.account.to_base(event.fee_currency, event.fee)
            )
        elif kind == INTEREST:
            account = LEDGER_INTEREST
        elif kind == BORROW_FEE:
            account = BORROW
        if self.ledger is not None:
            self.ledger.movement(
                event.ts_event, account, event.instrument, -1, event.fee_currency, event.fee
            )
        self.account.pay(event.fee_currency, event.fee)
        return self.records.entry(
            event.ts_event, kind, event.instrument, event.fee_currency, event.fee
        )

    def keep_ledger(self, int64_t ts=0):
        """Keep a ledger from here on; what the account holds now is its capital."""
        cdef int c
        self.ledger = Ledger()
        for c in range(len(self.account.currencies)):
            self.ledger.movement(ts, CAPITAL, -1, -1, c, self.account.balance[c])
        return self.ledger
