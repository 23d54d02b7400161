"""Conditions on the time of an event: the time of day somewhere, and the session.

The time of a bar is its close, when it becomes known. Spans are half-open: the bar that ends at
16:00 is not within 09:30 to 16:00, since an order sent on it meets the next session.
"""
cimport cython

from pyrt.core.conditions cimport FALSE, UNDEFINED
from pyrt.core.panel cimport Panel

from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyrt.core.times import duration_ns
from pyrt.errors import ConfigError

cdef int64_t DAY_NS = 86_400_000_000_000
# Changes of clocks fall on whole quarters of an hour UTC.
cdef int64_t QUARTER_NS = 900_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


cdef class OfTheClock(Condition):
    """A condition on the time of an event alone."""

    cdef int at(self, int64_t ts) except -1:
        """Return the verdict on an instant."""
        raise NotImplementedError(f"{type(self).__name__} judges no instant")

    cdef int test(self, const Event* event, int64_t tick) except -1:
        return self.at(event.ts_event)

    cdef bint lay(self, Panel panel) except -1:
        self.times = panel.times
        return True

    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1:
        cdef Py_ssize_t i
        for i in range(n):
            verdicts[i] = self.at(self.times[start + i])
        return True


@cython.final
cdef class TimeOfDay(OfTheClock):
    """True while the local time of the event lies in [start, stop).

    Parameters
    ----------
    start, stop : datetime.time or str
        "09:30" or "09:30:15"; with `stop` before `start` the span goes over midnight.
    tz : str
        Name of the time zone; clock changes are followed.
    """

    def __init__(self, start, stop, tz):
        self.start = nanoseconds_of(start)
        self.stop = nanoseconds_of(stop)
        if self.start == self.stop:
            raise ConfigError(f"the span from {start} to {stop} is empty")
        try:
            self.zone = ZoneInfo(tz)
        except (ZoneInfoNotFoundError, TypeError, ValueError):
            raise ConfigError(f"there is no time zone {tz!r}", remedy='Such as "America/New_York"')

    cdef int look_up(self, int64_t ts) except -1:
        """Find the offset at `ts`, and for how long it is good."""
        cdef int64_t day = ts - ts % DAY_NS, quarter = ts - ts % QUARTER_NS
        cdef int64_t start = offset_of(self.zone, day), stop = offset_of(self.zone, day + DAY_NS)
        if start == stop:
            self.offset, self.known_from, self.known_to = start, day, day + DAY_NS
        else:
            self.offset = offset_of(self.zone, quarter)
            self.known_from, self.known_to = quarter, quarter + QUARTER_NS
        return 0

    cdef int at(self, int64_t ts) except -1:
        """Return the verdict on an instant."""
        cdef int64_t local
        if not self.known_from <= ts < self.known_to:
            self.look_up(ts)
        local = (ts + self.offset) % DAY_NS
        if self.start < self.stop:
            return self.start <= local < self.stop
        return local >= self.start or local < self.stop

    def __repr__(self):
        return (
            f"time_of_day({clock_text(self.start)!r}, {clock_text(self.stop)!r}, "
            f"{self.zone.key!r})"
        )


def time_of_day(start, stop, tz="America/New_York"):
    """Return the condition that it is from `start` to before `stop` in the time zone `tz`.

    Parameters
    ----------
    start, stop : datetime.time or str
        "09:30" or "09:30:15"; with `stop` before `start` the span goes over midnight.
    tz : str
        Name of the time zone.

    Examples
    --------
    >>> time_of_day("09:35", "15:55")
    time_of_day('09:35:00', '15:55:00', 'America/New_York')
    """
    return TimeOfDay(start, stop, tz)


@cython.final
cdef class InSession(OfTheClock):
    """True while the event lies in its instrument's session, or in one end of it.

    Parameters
    ----------
    first : timedelta, str or int, optional
        Only this long after the open.
    last : timedelta, str or int, optional
        Only this long before the close.
    """

    def __init__(self, first=None, last=None):
        self.first = -1 if first is None else duration_ns(first)
        self.last = -1 if last is None else duration_ns(last)

    def bind(self, place):
        """Take the sessions of the stream's instrument; see `Condition.bind`.

        Raises
        ------
        ConfigError
            If it trades around the clock, so has none.
        """
        sessions = place.sessions()
        if sessions is None:
            raise ConfigError(
                f"{place.stream!r} has no sessions: its calendar is 24/7",
                remedy="Use time_of_day(), or an instrument with a calendar",
            )
        Condition.bind(self, place)
        self.opens, self.closes = sessions

    cdef int seek(self, int64_t ts) except -1:
        """Move to the last session that opened at or before `ts`; time mostly goes forward."""
        cdef Py_ssize_t n = self.opens.shape[0]
        while self.row + 1 < n and self.opens[self.row + 1] <= ts:
            self.row += 1
        while self.row > 0 and self.opens[self.row] > ts:
            self.row -= 1
        return 0

    cdef int at(self, int64_t ts) except -1:
        """Return the verdict on an instant."""
        cdef int64_t since, left
        if self.opens.shape[0] == 0:
            return UNDEFINED
        self.seek(ts)
        since = ts - self.opens[self.row]
        left = self.closes[self.row] - ts
        if since < 0 or left <= 0:
            return FALSE
        if self.first >= 0 and since >= self.first:
            return FALSE
        return self.last < 0 or left <= self.last

    def __repr__(self):
        if self.first >= 0:
            return f"after_open({self.first // 1_000_000_000}s)"
        return "in_session()" if self.last < 0 else f"before_close({self.last // 1_000_000_000}s)"


def in_session():
    """Return the condition that the event lies in its instrument's session, [open, close)."""
    return InSession()


def after_open(span):
    """Return the condition that the session opened less than `span` ago ("30m", timedelta, ns)."""
    return InSession(first=span)


def before_close(span):
    """Return the condition that the session is on and closes within `span`."""
    return InSession(last=span)


cdef int64_t nanoseconds_of(object given) except -1:
    """Read a time of day."""
    try:
        moment = time.fromisoformat(given) if isinstance(given, str) else given
        seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
        return seconds * 1_000_000_000 + moment.microsecond * 1_000
    except (AttributeError, ValueError):
        raise ConfigError(f"{given!r} is no time of day", remedy='Such as "09:30"')


cdef int64_t offset_of(object zone, int64_t ts) except? -1:
    """Return local time minus UTC at `ts`, in ns."""
    utc = EPOCH + timedelta(seconds=ts // 1_000_000_000)
    return int(utc.astimezone(zone).utcoffset().total_seconds()) * 1_000_000_000


cdef str clock_text(int64_t ns):
    return (EPOCH + timedelta(microseconds=ns // 1_000)).time().isoformat()
