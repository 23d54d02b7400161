"""What Alpaca takes: nothing but regulatory fees on shares, maker and taker fees on coins."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.ports cimport FeeModel

cdef class AlpacaFees(FeeModel):
    cdef const int64_t[:, ::1] sec
    cdef const int64_t[:, ::1] taf
    cdef const int64_t[:, ::1] cat
    """Dated rows: (first ns in force, rate in 1e-9, cap in 1e-9)."""
    cdef const int64_t[:, ::1] tiers
    """Dated rows: (first ns in force, volume from, maker, taker in bps), tiers rising."""
    cdef bint is_paper
    cdef int64_t day
    """New York date, days since 1970, of the accruals."""
    cdef int128[3] accrued
    """SEC, TAF and CAT fees of the day, unrounded."""
    cdef dict volumes
    """Day → dollars of coins traded, 1e-18, over the last 30 days."""
    cdef int128 volume
    """Dollars of coins traded on the 30 days before `volume_day`."""
    cdef int64_t volume_day

    cdef int accrue(self, Instrument instrument, int side, int64_t quantity, int64_t price,
                    int64_t ts, int128* out) except -1
    cdef int128 charge(self, int kind, int64_t day, int128 more) except? -1
    cdef int64_t coin_bps(self, int liquidity, int64_t ts) except? -1
