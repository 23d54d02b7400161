"""The equity curve: points of the account in time, and what a strategy calls its own of it."""
cimport cython
from libc.stdint cimport INT64_MIN, int64_t

from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_add, i128_neg, i128_notional, i128_sub, i128_to_double, int128
from pyrt.core.margin cimport Holding
from pyrt.core.numbers cimport nano_from_double
from pyrt.core.positions cimport Position
from pyrt.core.records cimport EquityRow
from pyrt.strategy.core cimport StrategyCore

from pyrt.errors import OrderError

cdef int64_t DAY_NS = 86_400_000_000_000


@cython.final
cdef class EquityCurve:
    """Samples the account's equity, cash and exposure.

    Parameters
    ----------
    account : Account
    cache : Cache
    records : Records
        The points go to its `equity`.
    strategies : list of StrategyCore
        By their numbers.
    watcher : Watcher, optional
        The risk gate, where it wants to hear of equity.
    """

    def __init__(self, Account account, Cache cache, Records records, list strategies,
                 Watcher watcher=None):
        self.account = account
        self.cache = cache
        self.rows = records.equity
        self.strategies = strategies
        self.watcher = watcher
        self.next_day = INT64_MIN
        self.booked = True
        self.initial = self.last = self.day = account.equity

    cdef int measure(self, int64_t ts) except -1:
        """Write one point where the day may have changed, or the account."""
        cdef EquityRow* row
        if ts >= self.next_day:
            self.next_day = ts - ts % DAY_NS + DAY_NS
            self.day = self.last
            if self.quiet:
                return self.sample(ts)
        self.last = i128_to_double(self.account.equity_raw())
        if self.booked:
            self.last_cash = i128_to_double(self.account.cash_raw())
            self.booked = not self.account.single
        self.last_exposure = i128_to_double(self.account.exposure_raw())
        row = <EquityRow*>self.rows.extend()
        row.ts_event = ts
        row.equity = self.last
        row.cash = self.last_cash
        row.exposure = self.last_exposure
        self.quiet = self.account.open_holdings == 0
        if self.watcher is not None and self.watcher.watches_equity:
            self.watcher.on_equity(ts)
        return 0

    cdef int shift(self, double amount) except -1:
        """Take what was paid in for neither profit nor loss."""
        self.paid_in += amount
        self.day += amount
        self.last += amount
        return 0

    cdef bint can_follow(self, Py_ssize_t index) except -1:
        """Whether nothing but the price of one instrument can move equity."""
        return (
            self.account.single and not self.booked and self.account.holdings[index].units != 0
            and self.account.holdings[index].currency == 0
        )

    cdef int follow(self, Py_ssize_t index, const int64_t* ts, const double* prices,
                    Py_ssize_t n) except -1:
        """Write the points of `n` instants that each bring a price of `index`, and only that.

        What `sample` finds after each of these marks; the account's own mark is left where it is.
        The last point has been computed at that mark.
        """
        cdef Holding* holding = &self.account.holdings[index]
        cdef int128 equity = self.account.equity_raw(), exposure = self.account.exposure_raw()
        cdef int128 change
        cdef EquityRow* row
        cdef Py_ssize_t i
        for i in range(n):
            if ts[i] >= self.next_day:
                self.next_day = ts[i] - ts[i] % DAY_NS + DAY_NS
                self.day = self.last
            change = i128_notional(
                nano_from_double(prices[i]) - holding.mark, holding.units, holding.factor
            )
            self.last = i128_to_double(i128_add(equity, change))
            if holding.units < 0:
                change = i128_neg(change)
            self.last_exposure = i128_to_double(i128_add(exposure, change))
            row = <EquityRow*>self.rows.extend()
            row.ts_event = ts[i]
            row.equity = self.last
            row.cash = self.last_cash
            row.exposure = self.last_exposure
        return 0

    def rebase(self):
        """Go on from holdings of an earlier run: what they have made since is no capital.

        The account's cash has it already, and a strategy's equity would count it twice.
        """
        cdef Position position
        self.last = self.day = self.initial = self.account.equity
        for slots in self.cache.slots:
            for position in (<list>slots):
                if position is not None:
                    self.initial -= profit_of(self.account, position)
        self.touch()

    def of_strategy(self, int number, Instrument instrument=None):
        """Return a strategy's capital plus its profit and loss, as a float.

        In base currency, or in that of an instrument; OrderError where that has no rate.
        """
        cdef Position position
        cdef StrategyCore strategy = <StrategyCore>self.strategies[number]
        share = strategy.capital
        if share is None:
            share = self.initial / len(self.strategies)
        total = share
        for position in (<list>self.cache.slots[number]):
            if position is not None:
                total += profit_of(self.account, position)
        return total if instrument is None else total / worth_of(self.account, instrument.currency)


cdef double worth_of(Account account, str currency) except? -1.0:
    """What one unit of a currency is worth in base currency."""
    cdef int64_t rate = account.rate[account.currency_number(currency)]
    if rate <= 0:
        raise OrderError(
            f"{currency} has no rate yet, so no fraction of the capital is a quantity",
            remedy="State what it is worth with `add_rates`, from before the first order",
        )
    return rate / 1e9


cdef double profit_of(Account account, Position position) except? -1.0:
    """Profit or loss of a position so far, marked, in base currency."""
    cdef int128 profit = i128_sub(
        i128_add(position.realized, position.value()), position.open_cost
    )
    if not account.single:
        profit = account.to_base(account.currency_number(position.instrument.currency), profit)
    return i128_to_double(profit)
