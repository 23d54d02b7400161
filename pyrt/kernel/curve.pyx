"""The equity curve: points of the account in time, and what a strategy calls its own of it."""
cimport cython
from libc.stdint cimport INT64_MIN

from pyrt.core.int128 cimport i128_to_double
from pyrt.core.positions cimport Position
from pyrt.core.records cimport EquityRow
from pyrt.strategy.core cimport StrategyCore

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

    def of_strategy(self, int number):
        """Return a strategy's capital plus its profit and loss, in base currency, as a float."""
        cdef Position position
        cdef StrategyCore strategy = <StrategyCore>self.strategies[number]
        share = strategy.capital
        if share is None:
            share = self.initial / len(self.strategies)
        total = share
        for position in (<list>self.cache.slots[number]):
            if position is not None:
                total += position.realized_pnl + position.unrealized_pnl
        return total
