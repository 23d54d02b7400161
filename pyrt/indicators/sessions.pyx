# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Prices averaged since the start of a session, and the clock that says when one starts.

A time belongs to the session in (start, end]: a bar is known by its close, so the bar that closes
at the session's end is its last one.
"""

cimport cython
from libc.math cimport NAN, sqrt

from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyrt.errors import ConfigError

from pyrt.indicators.base cimport HighLowCloseVolumeTime, number
from pyrt.indicators.window cimport Running, running_step, running_zero

ANCHORS = ("day", "week", "month")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


cdef class Clock:
    """Where sessions begin and end, in ns UTC, at a local time of day.

    Parameters
    ----------
    anchor : {"day", "week", "month"}
        Weeks start on Monday, months on the first.
    start : str
        Local time of day at which a session starts, such as "18:00".
    tz : str
        Name of the time zone; changes of its clocks are followed.
    """

    cdef object zone
    cdef object begins
    cdef str anchor
    cdef double opens
    """Start and end of the session in hand; nothing lies in the first one."""
    cdef double closes

    def __init__(self, anchor, start, tz):
        if anchor not in ANCHORS:
            raise ConfigError(f"anchor is {anchor!r}; expected one of {', '.join(ANCHORS)}")
        try:
            self.begins = time.fromisoformat(start)
        except (TypeError, ValueError):
            raise ConfigError(f"start is {start!r}; expected a time of day such as '18:00'")
        try:
            self.zone = ZoneInfo(tz)
        except (ZoneInfoNotFoundError, TypeError, ValueError):
            raise ConfigError(f"there is no time zone {tz!r}", remedy='Such as "America/New_York"')
        self.anchor = anchor
        self.opens = self.closes = 0.0

    cdef bint turns(self, double ts) noexcept nogil:
        """Whether `ts` lies outside the session in hand; then its own is in hand."""
        if self.opens < ts <= self.closes:
            return False
        self.find(ts)
        return True

    cdef void find(self, double ts) noexcept with gil:
        """Take the session of `ts` in hand; a time no calendar has is a session by itself."""
        try:
            self.opens, self.closes = self.bounds(ts)
        except (OverflowError, ValueError):
            self.opens = self.closes = ts

    def bounds(self, double ts):
        """Return (start, end] of the session of `ts`, in ns UTC."""
        moment = EPOCH + timedelta(microseconds=(int(ts) - 1) // 1000)
        moment = moment.astimezone(self.zone)
        day = moment.date()
        if moment.time() < self.begins:
            day -= timedelta(days=1)
        if self.anchor == "week":
            day -= timedelta(days=day.weekday())
            end = day + timedelta(days=7)
        elif self.anchor == "month":
            day = day.replace(day=1)
            end = (day + timedelta(days=31)).replace(day=1)
        else:
            end = day + timedelta(days=1)
        return self.instant(day), self.instant(end)

    def instant(self, day):
        """Return when the session of a local day starts, in ns UTC."""
        local = datetime.combine(day, self.begins, tzinfo=self.zone)
        return float((local.astimezone(timezone.utc) - EPOCH) // timedelta(microseconds=1) * 1000)


@cython.final
cdef class SESSIONVWAP(HighLowCloseVolumeTime):
    """Volume-weighted average price since the session's start: `vwap`, `upperband`, `lowerband`.

    Of typical prices; the bands lie `nbdev` volume-weighted standard deviations off it. NaN until
    the session has volume. No warm-up.

    Parameters
    ----------
    nbdev : float, default 1.0
        Deviations up and down.
    anchor : {"day", "week", "month"}
        What a session is; weeks start on Monday, months on the first.
    start : str, default "00:00"
        Local time of day at which sessions start: "18:00" for futures, "09:30" without early trade.
    tz : str, default "America/New_York"
        Time zone of `start`; changes of its clocks are followed.
    """

    cdef Clock clock
    cdef Running volume
    cdef Running money
    cdef Running square
    cdef double origin
    cdef double width

    def __init__(self, nbdev=1.0, anchor="day", start="00:00", tz="America/New_York"):
        self.width = number("nbdev", nbdev, 0.0, 3e37)
        self.clock = Clock(anchor, start, tz)
        self.begin(
            ("nbdev", "anchor", "start", "tz"),
            (nbdev, anchor, start, tz),
            0,
            ("vwap", "upperband", "lowerband"),
        )

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double price, volume, mean, spread
        cdef Py_ssize_t i
        for i in range(n):
            price = (x[0][i] + x[1][i] + x[2][i]) / 3.0
            if self.clock.turns(x[4][i]):
                self.volume = self.money = self.square = running_zero()
                self.origin = price  # deviations are taken from the first price, to keep digits
            price -= self.origin
            volume = running_step(&self.volume, x[3][i])
            mean = running_step(&self.money, price * x[3][i])
            spread = running_step(&self.square, price * price * x[3][i])
            if volume > 0.0:
                mean /= volume
                spread = spread / volume - mean * mean
                spread = self.width * sqrt(spread if spread > 0.0 else 0.0)
            else:
                mean = NAN
            y[0][i] = self.origin + mean
            y[1][i] = self.origin + mean + spread
            y[2][i] = self.origin + mean - spread

    @property
    def vwap(self):
        """Volume-weighted average price of the session so far."""
        return self.out[0]

    @property
    def upperband(self):
        """Upper band."""
        return self.out[1]

    @property
    def lowerband(self):
        """Lower band."""
        return self.out[2]
