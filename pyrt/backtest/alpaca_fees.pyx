"""What Alpaca takes: nothing but regulatory fees on shares, maker and taker fees on coins.

Alpaca adds up a day's fees of one kind (New York date) and rounds the sum up to the cent. Each
execution is charged what it adds to the rounded sum, so that the day's total is Alpaca's.
"""
from libc.stdint cimport int64_t
from libc.string cimport memset

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np

from pyrt.core.int128 cimport (
    AWAY_FROM_ZERO, i128_add, i128_from_int, i128_mul, i128_muldiv, i128_notional, i128_sub,
    i128_to_i64, i128_to_int,
)
from pyrt.core.numbers cimport POWERS_OF_TEN
from pyrt.core.types cimport MAKER
from pyrt.venues.alpaca.fees import CAT, CRYPTO_SCHEDULES
from pyrt.venues.fees import SEC_SECTION_31, TAF
from pyrt.venues.rates import days_since_epoch

cdef int128 CENT = 10_000_000_000_000_000
cdef int64_t DAY_NS = 86_400_000_000_000
cdef int64_t HOUR_NS = 3_600_000_000_000
NEW_YORK = ZoneInfo("America/New_York")
VOLUME_DAYS = 30


def dated_rows(rates):
    """Return (first ns in force, rate, cap) rows of a dated table; a day begins in New York."""
    starts = [_midnight(day) for day in rates.days.tolist()]
    return np.column_stack((np.array(starts, np.int64), rates.rate_e9, rates.cap_e9))


def tier_rows():
    """Return (first ns in force, volume from, maker, taker) rows, oldest schedule first."""
    return np.array([
        (_midnight(days_since_epoch(date)), tier.volume_from, tier.maker_bps, tier.taker_bps)
        for date, tiers in CRYPTO_SCHEDULES for tier in tiers
    ], np.int64)


def _midnight(int day):
    date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
    moment = dt.datetime.combine(date, dt.time(), tzinfo=NEW_YORK)
    return int(moment.timestamp()) * 1_000_000_000


cdef int64_t new_york_day(int64_t ts) except? -1:
    """The New York date of an instant, in days since 1970."""
    cdef int64_t early = (ts - 5 * HOUR_NS) // DAY_NS
    # Only in the hour after midnight, summer time, are New York and UTC-5 on different dates.
    if (ts - 4 * HOUR_NS) // DAY_NS == early:
        return early
    date = dt.datetime.fromtimestamp(ts // 1_000_000_000, NEW_YORK).date()
    return (date - dt.date(1970, 1, 1)).days


cdef Py_ssize_t row_in_force(const int64_t[:, ::1] table, int64_t ts) except? -1:
    """Index of the last row whose first column is <= ts; -1 before the first."""
    cdef Py_ssize_t row = table.shape[0] - 1
    while row >= 0 and table[row, 0] > ts:
        row -= 1
    return row


cdef class AlpacaFees(FeeModel):
    """Alpaca's charges, by the dated tables of `pyrt.venues`.

    Sales of shares pay SEC Section 31 and TAF, both sides pay CAT; coins pay the maker or taker
    rate of the account's tier, set by the dollars traded on the 30 days before. That is taken in
    what is received: of a purchase in coins, of a sale in its currency, dollars rounded up to the
    cent and others to 1e-9. A model serves one run at a time: a run begins by clearing what it has
    accrued.

    Parameters
    ----------
    paper : bool
        Paper accounts pay no regulatory fees.
    """

    def __init__(self, *, bint paper=False):
        self.sec = dated_rows(SEC_SECTION_31)
        self.taf = dated_rows(TAF)
        self.cat = dated_rows(CAT)
        self.tiers = tier_rows()
        self.is_paper = paper
        self.in_kind = True
        self.begin()

    cdef int begin(self) except -1:
        self.day = self.volume_day = -1
        self.volume = 0
        self.volumes = {}
        memset(self.accrued, 0, sizeof(self.accrued))
        return 0

    cdef int128 fee(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int liquidity, int64_t ts, int64_t filled_before) except? -1:
        cdef int128[3] more
        cdef int128 total = 0, grid
        cdef int64_t day
        cdef int kind
        if instrument.kind == "crypto":
            if side > 0:
                return 0
            grid = CENT if instrument.currency == "USD" else 1_000_000_000
            total = i128_muldiv(
                i128_notional(price, quantity, instrument.factor), self.coin_bps(liquidity, ts),
                10_000, AWAY_FROM_ZERO,
            )
            return i128_mul(grid, i128_muldiv(total, 1, grid, AWAY_FROM_ZERO))
        if instrument.kind != "equity" or self.is_paper:
            return 0
        day = new_york_day(ts)
        self.accrue(instrument, side, quantity, price, ts, more)
        for kind in range(3):
            total = i128_add(total, self.charge(kind, day, more[kind]))
        return total

    cdef int book(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                  int liquidity, int64_t ts) except -1:
        cdef int128[3] more
        cdef int64_t day = new_york_day(ts)
        cdef int kind
        if instrument.kind == "crypto":
            self.volumes[day] = self.volumes.get(day, 0) + i128_to_int(
                i128_notional(price, quantity, instrument.factor))
            return 0
        if instrument.kind != "equity":
            return 0
        if day != self.day:
            self.day = day
            memset(self.accrued, 0, sizeof(self.accrued))
        self.accrue(instrument, side, quantity, price, ts, more)
        for kind in range(3):
            self.accrued[kind] = i128_add(self.accrued[kind], more[kind])
        return 0

    cdef int accrue(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int64_t ts, int128* out) except -1:
        """What one execution adds to the day's three fees, unrounded, in 1e-18 dollars."""
        cdef Py_ssize_t row
        cdef int128 cap, shares
        cdef int64_t unit = POWERS_OF_TEN[instrument.decimals]
        out[0] = out[1] = out[2] = 0
        row = row_in_force(self.cat, ts)
        if row >= 0:
            # Charged on whole shares: a started one counts.
            shares = i128_muldiv(quantity, 1, unit, AWAY_FROM_ZERO)
            out[2] = i128_mul(i128_mul(shares, self.cat[row, 1]), 1_000_000_000)
        if side > 0:
            return 0
        row = row_in_force(self.sec, ts)
        if row >= 0:
            out[0] = i128_muldiv(
                i128_notional(price, quantity, instrument.factor), self.sec[row, 1],
                1_000_000_000, AWAY_FROM_ZERO,
            )
        row = row_in_force(self.taf, ts)
        if row >= 0:
            out[1] = i128_muldiv(
                i128_mul(self.taf[row, 1], 1_000_000_000), quantity, unit, AWAY_FROM_ZERO
            )
            cap = i128_mul(self.taf[row, 2], 1_000_000_000)
            if cap and out[1] > cap:
                out[1] = cap
        return 0

    cdef int128 charge(self, int kind, int64_t day, int128 more) except? -1:
        """What `more` adds to the day's sum rounded up to the cent."""
        cdef int128 before = self.accrued[kind] if day == self.day else 0
        cdef int128 after = i128_add(before, more)
        return i128_mul(CENT, i128_sub(
            i128_muldiv(after, 1, CENT, AWAY_FROM_ZERO),
            i128_muldiv(before, 1, CENT, AWAY_FROM_ZERO),
        ))

    cdef int64_t taken(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                       int liquidity, int64_t ts) except? -1:
        """Coins off a purchase: the tier's share of it, rounded up to 1e-9 or the coin's unit."""
        if instrument.kind != "crypto" or side < 0:
            return 0
        return i128_to_i64(i128_muldiv(
            quantity, self.coin_bps(liquidity, ts), 10_000, AWAY_FROM_ZERO
        ))

    cdef int64_t coin_bps(self, int liquidity, int64_t ts) except? -1:
        """The rate of the account's tier."""
        # Before the first schedule on record, the first one stands in.
        cdef Py_ssize_t row = max(row_in_force(self.tiers, ts), <Py_ssize_t>7)
        cdef int128 volume = i128_from_int(self.volume_before(new_york_day(ts)))
        while row > 0 and self.tiers[row - 1, 0] == self.tiers[row, 0] and (
                volume < i128_mul(i128_mul(self.tiers[row, 1], 1_000_000_000), 1_000_000_000)):
            row -= 1
        return self.tiers[row, 2 if liquidity == MAKER else 3]

    def volume_before(self, int64_t day):
        """Return the dollars of coins traded on the 30 days before a day, in 1e-18."""
        if day != self.volume_day:
            self.volumes = {d: v for d, v in self.volumes.items() if d >= day - VOLUME_DAYS}
            self.volume_day = day
            self.volume = i128_from_int(sum(v for d, v in self.volumes.items() if d < day))
        return i128_to_int(self.volume)

    def __repr__(self):
        return f"AlpacaFees(paper={self.is_paper})"
