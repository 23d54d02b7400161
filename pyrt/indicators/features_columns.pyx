# cython: cdivision=True
# IEEE division is what is wanted: x / 0 is an infinity or NaN, and both become NaN in `take`.
"""What one bar offers to features: its prices, and what follows from it and the bar before.

A bar with NaN in a price or its volume is a gap: its row is NaN but for the calendar, and the bar
before the gap stays the bar before. A column that is not finite (a logarithm of 0, a ratio over no
volume) is NaN.
"""
from libc.math cimport NAN, exp, fabs, isfinite, log, sqrt

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyrt.errors import ConfigError

COLUMN_NAMES = (
    "open", "high", "low", "close", "volume",
    "log_range", "range_squared", "body", "location", "upper_wick", "lower_wick",
    "dollar_volume", "garman_klass",
    "return", "previous_return", "absolute_return", "gap", "signed_volume", "illiquidity",
    "downside", "bipower", "corwin_schultz",
    "minute", "weekday", "monthday", "month", "seconds_since",
)

cdef int64_t DAY_NS = 86_400_000_000_000
cdef int64_t MINUTE_NS = 60_000_000_000
# Changes of clocks fall on whole quarters of an hour UTC.
cdef int64_t QUARTER_NS = 900_000_000_000
cdef double GARMAN_KLASS = 2.0 * log(2.0) - 1.0
cdef double CORWIN_SCHULTZ = 3.0 - 2.0 * sqrt(2.0)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


cdef class BarColumns:
    """The columns of the latest bar; `tz` is the clock that calendar columns are read from."""

    def __init__(self, str tz):
        if len(COLUMN_NAMES) != N_COLUMNS:
            raise AssertionError(f"{len(COLUMN_NAMES)} names for {N_COLUMNS} columns")
        try:
            self.zone = ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError):
            raise ConfigError(f"there is no time zone {tz!r}", remedy='Such as "America/New_York"')
        self.clear()

    cdef int clear(self) except -1:
        """Forget every bar."""
        cdef int k
        for k in range(N_COLUMNS):
            self.at[k] = NAN
        self.known_from = self.known_to = 0
        self.before_ts = -1
        self.before_close = self.before_high = self.before_low = self.before_return = NAN
        return 0

    cdef int take(self, int64_t ts, double first, double high, double low, double close,
                  double volume) except -1:
        """Take one bar; `ts` is its close, ns UTC."""
        cdef int k
        self.calendar(ts)
        self.before_ts = ts
        if first != first or high != high or low != low or close != close or volume != volume:
            for k in range(22):
                self.at[k] = NAN
            return 0
        self.prices(first, high, low, close, volume)
        self.returns(first, high, low, close, volume)
        for k in range(22):
            if not isfinite(self.at[k]):
                self.at[k] = NAN
        self.before_return = self.at[13]
        self.before_close, self.before_high, self.before_low = close, high, low
        return 0

    cdef int prices(self, double first, double high, double low, double close,
                    double volume) except -1:
        """Columns that the bar alone gives."""
        cdef double span = high - low
        cdef double* at = self.at
        at[0], at[1], at[2], at[3], at[4] = first, high, low, close, volume
        at[5] = log(high / low)
        at[6] = at[5] * at[5]
        at[7] = log(close / first)
        at[8] = (close - low) / span if span > 0.0 else 0.5
        at[9] = (high - max(first, close)) / span if span > 0.0 else 0.0
        at[10] = (min(first, close) - low) / span if span > 0.0 else 0.0
        at[11] = close * volume
        at[12] = 0.5 * at[6] - GARMAN_KLASS * at[7] * at[7]
        return 0

    cdef int returns(self, double first, double high, double low, double close,
                     double volume) except -1:
        """Columns that look back at the bar before; NaN on the first."""
        cdef double* at = self.at
        cdef double step = log(close / self.before_close)
        at[13] = step
        at[14] = self.before_return
        at[15] = fabs(step)
        at[16] = log(first / self.before_close)
        at[17] = volume * ((step > 0.0) - (step < 0.0)) if step == step else NAN
        at[18] = fabs(step) / at[11]
        at[19] = (step * step if step < 0.0 else 0.0) if step == step else NAN
        at[20] = fabs(step) * fabs(self.before_return)
        at[21] = corwin_schultz(high, low, self.before_high, self.before_low)
        return 0

    cdef int calendar(self, int64_t ts) except -1:
        """Columns of the local clock at the close."""
        cdef int64_t local, days, day, month
        cdef double* at = self.at
        if not self.known_from <= ts < self.known_to:
            self.look_up(ts)
        local = ts + self.offset
        # Python's modulo and floor are wanted for times before 1970, which C's are not.
        days = local / DAY_NS - (local % DAY_NS < 0)
        at[22] = <double>((local - days * DAY_NS) / MINUTE_NS)
        at[23] = <double>(((days + 3) % 7 + 7) % 7)
        civil(days, &month, &day)
        at[24] = <double>day
        at[25] = <double>month
        at[26] = (ts - self.before_ts) / 1e9 if self.before_ts >= 0 else NAN
        return 0

    def look_up(self, int64_t ts):
        """Find the offset at `ts`, and for how long it is good."""
        cdef int64_t day = ts - ts % DAY_NS, quarter = ts - ts % QUARTER_NS
        start, stop = offset_of(self.zone, day), offset_of(self.zone, day + DAY_NS)
        if start == stop:
            self.offset, self.known_from, self.known_to = start, day, day + DAY_NS
        else:
            self.offset = offset_of(self.zone, quarter)
            self.known_from, self.known_to = quarter, quarter + QUARTER_NS


cdef double corwin_schultz(double high, double low, double before_high, double before_low):
    """Estimate the relative spread from two bars; negative estimates are set to 0.

    Corwin and Schultz, A simple way to estimate bid-ask spreads from daily high and low prices,
    Journal of Finance 67 (2012), equations 14 and 18.
    """
    cdef double now = log(high / low), before = log(before_high / before_low)
    cdef double both = log(max(high, before_high) / min(low, before_low))
    cdef double beta = now * now + before * before
    cdef double alpha = (sqrt(2.0 * beta) - sqrt(beta)) / CORWIN_SCHULTZ
    alpha -= sqrt(both * both / CORWIN_SCHULTZ)
    if alpha != alpha:
        return NAN
    return max(0.0, 2.0 * (exp(alpha) - 1.0) / (1.0 + exp(alpha)))


cdef void civil(int64_t days, int64_t* month, int64_t* day) noexcept:
    """Month and day of the month of a day since 1970-01-01, Gregorian; years begin in March."""
    cdef int64_t shifted = days + 719_468
    cdef int64_t era = (shifted if shifted >= 0 else shifted - 146_096) / 146_097
    cdef int64_t day_of_era = shifted - era * 146_097
    cdef int64_t year = (
        day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096
    ) / 365
    cdef int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100)
    cdef int64_t march = (5 * day_of_year + 2) / 153
    day[0] = day_of_year - (153 * march + 2) / 5 + 1
    month[0] = march + 3 if march < 10 else march - 9


cdef int64_t offset_of(object zone, int64_t ts) except? -1:
    """Return local time minus UTC at `ts`, in ns."""
    utc = EPOCH + timedelta(seconds=ts / 1_000_000_000)
    return int(utc.astimezone(zone).utcoffset().total_seconds()) * 1_000_000_000
