"""Alpaca as a simulated venue: its rules between the kernel and the matching.

Each order, replacement and cancel that reaches the venue is judged by `AlpacaRules` with the
account's state at that moment; what Alpaca would refuse is rejected with its code and message.
"""
cimport cython
from libc.stdint cimport int64_t

from decimal import Decimal

from pyrt.backtest.port cimport with_exits
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_to_int
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.ports cimport ApprovedOrder, Command
from pyrt.venues.alpaca.requests cimport Terms, class_of, open_order_of_terms
from pyrt.venues.alpaca.facts import (
    AccountFacts, AssetFacts, MarketFacts, PositionFacts, market_facts,
)
from pyrt.venues.alpaca.intake import Intake, refusal_text
from pyrt.venues.alpaca.requests import change_of, request_of
from pyrt.venues.alpaca.rules import AlpacaRules
from pyrt.venues.extended_hours import hours_around


class Filed:
    """What Alpaca remembers of an order it took, beyond the terms the venue keeps."""

    __slots__ = ("is_leg", "opens", "order_class")

    def __init__(self, order_class, is_leg, opens):
        self.order_class = order_class
        self.is_leg = is_leg
        self.opens = opens


@cython.final
cdef class SimBooks:
    """The state of a simulated venue's account, as Alpaca's rules ask for it.

    Parameters
    ----------
    sim : SimVenue
    """

    def __init__(self, SimVenue sim):
        self.sim = sim
        self.filed = {}
        self.client_ids = frozenset()
        self.markets = {}

    @property
    def free_funds(self):
        """Dollars that new positions may cost, before what open orders reserve."""
        return decimal_from_scaled(i128_to_int(self.sim.account.power_raw()), 18)

    @property
    def unmargined_funds(self):
        """Dollars that coins and what else nothing is lent on may cost."""
        return decimal_from_scaled(i128_to_int(self.sim.account.unmargined_raw()), 18)

    def account_facts(self):
        """Return the account's equity; it may trade, and short unless its broker lends nothing."""
        return AccountFacts(
            buying_power=Decimal(0), non_marginable_buying_power=Decimal(0),
            equity=self.sim.account.equity_exact,
            is_shorting_enabled=bool(self.sim.account.shorts()),
        )

    def asset_facts(self, str symbol):
        """Return what the instrument says of an asset; None if there is none."""
        cdef VenueBook book
        cdef Instrument instrument
        for book in self.sim.books:
            instrument = book.instrument
            if instrument.symbol == symbol:
                return AssetFacts(
                    symbol=symbol, asset_class=class_of(instrument),
                    is_tradable=instrument.tradable, is_shortable=instrument.shortable,
                    is_fractionable=instrument.fractionable,
                )
        return None

    def market(self, str symbol):
        """Return hours and last price of a symbol."""
        if self.markets_at != self.now:
            self.markets.clear()
            self.markets_at = self.now
        facts = self.markets.get(symbol)
        if facts is None:
            facts = self.markets[symbol] = self.look_up(symbol)
        return facts

    def look_up(self, str symbol):
        """Read hours and last price of a symbol."""
        cdef VenueBook book
        for book in self.sim.books:
            if book.instrument.symbol == symbol:
                book.read_close()
                last = None if book.last_price == 0 else decimal_from_scaled(book.last_price, 9)
                return market_facts(hours_around(self.now), self.now, last=last)
        return MarketFacts()

    def positions(self):
        """Return what the account holds, by symbol; coins without the slash."""
        cdef VenueBook book
        cdef int64_t units
        held = {}
        for book in self.sim.books:
            units = self.sim.account.holdings[book.instrument.index].units
            if units != 0:
                symbol = book.instrument.symbol.replace("/", "")
                held[symbol] = PositionFacts(
                    symbol=symbol, quantity=decimal_from_scaled(units, book.instrument.decimals)
                )
        return held

    def open_orders(self):
        """Return all orders that are not final, oldest first."""
        return [self.open_order(order) for order in self.sim.live.values()]

    cdef object open_order(self, VenueOrder order):
        filed = self.filed[order.number]
        return open_order_of_terms(
            order.instrument,
            str(order.number),
            "",
            self.status_of(order, filed),
            filed.order_class,
            Terms(
                order.side, order.ordered, order.tif, order.units, order.notional, order.filled,
                order.limit_price, order.stop_price, order.trail_amount, order.trail_percent,
                order.extended_hours,
            ),
            filed.is_leg,
            "" if order.sibling is None else str(min(order.number, order.sibling.number)),
        )

    def status_of(self, VenueOrder order not None, filed):
        """Return the status Alpaca would show."""
        if order.held:
            return "held"
        if order.arrival > self.now:
            return "pending_new"
        if order.filled:
            return "partially_filled"
        return "accepted" if filed.opens > self.now else "new"

    def forget(self):
        """Drop what is filed of orders that are final."""
        if len(self.filed) > 2 * len(self.sim.live) + 16:
            self.filed = {n: f for n, f in self.filed.items() if n in self.sim.live}


@cython.final
cdef class AlpacaVenue(Venue):
    """Hands approved orders to a SimVenue if Alpaca's rules take them, and rejects the others.

    Parameters
    ----------
    sim : SimVenue
    rules : AlpacaRules, optional
    """

    def __init__(self, SimVenue sim, rules=None):
        self.sim = sim
        self.inner = BacktestVenue(sim)
        self.books = SimBooks(sim)
        rules = AlpacaRules() if rules is None else rules
        self.intake = Intake(rules, self.books)
        sim.stop_limit = rules.stop_limit
        self.refused = {}

    cdef int arrive(self, int64_t now) except -1:
        """Turn to the instant at which a command sent now is judged."""
        self.sim.now = now
        self.books.now = now + self.sim.latency_ns
        return 0

    cdef int submit(self, ApprovedOrder approved, int64_t now) except -1:
        cdef Order order = approved.order
        cdef VenueOrder copy = with_exits(order)
        cdef str reason = self.refused.pop(order.number, None)
        self.arrive(now)
        if reason is not None:
            return self.sim.refuse(copy, reason)
        if order.number in self.books.filed:
            # The second of a pair: one request brought both.
            return self.inner.place(copy, order)
        request = request_of(order)
        refusal = self.intake.check(request)
        if refusal is None:
            self.file(copy, request)
            if request.order_class == "oco":
                self.books.filed[order.sibling.number] = Filed("oco", True, 0)
            return self.inner.place(copy, order)
        reason = refusal_text(refusal)
        if request.order_class == "oco":
            self.refused[order.sibling.number] = reason
        return self.sim.refuse(copy, reason)

    cdef int file(self, VenueOrder copy, object request) except -1:
        """Remember what Alpaca does beyond the venue's terms: group, opening, end."""
        cdef VenueOrder leg
        market = self.books.market(request.symbol)
        waits = self.intake.starts_as(request) == "accepted"
        opens = market.next_open_ns if waits and market.next_open_ns is not None else 0
        self.books.forget()
        self.books.filed[copy.number] = Filed(request.order_class, False, opens)
        for leg in (copy.take_profit, copy.stop_loss):
            if leg is not None:
                self.books.filed[leg.number] = Filed(request.order_class, True, 0)
        if request.time_in_force != "opg":
            # Orders of the opening auction end by what the first bar or quote makes of them.
            ends = self.intake.ends_at(request)
            copy.ends = 0 if ends is None else ends
        return 0

    cdef int change(self, Command command, int64_t now) except -1:
        cdef VenueOrder order = self.sim.live.get(command.order.number)
        self.arrive(now)
        if order is not None:
            refusal = self.intake.check_change(
                self.books.open_order(order), change_of(command)
            )
            if refusal is not None:
                self.sim.refuse_change(order.number, refusal_text(refusal))
                return 0
        return self.inner.change(command, now)

    cdef str refusal(self, Order order, int64_t now):
        self.arrive(now)
        refusal = self.intake.check(request_of(order))
        return None if refusal is None else refusal_text(refusal)

    cdef int withdraw(self, Order order, int64_t now) except -1:
        # What is final has said so already; everything else that a backtest can have may be
        # canceled at any time.
        return self.inner.withdraw(order, now)
