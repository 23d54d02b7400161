"""Reads the wire's times: RFC 3339 text with any offset and 0 to 9 digits, to the nanosecond."""
from cpython.unicode cimport PyUnicode_1BYTE_DATA, PyUnicode_GET_LENGTH, PyUnicode_KIND
from libc.stdint cimport int64_t, uint8_t, uint64_t

from pyrt.core.times import timestamp_ns
from pyrt.errors import ConfigError, DataError

cdef int64_t SECOND = 1_000_000_000
# In 2262: what lies at or beyond it does not fit 64 bits of nanoseconds.
cdef int64_t LAST_SECOND = 9_223_372_036
cdef int TIMESTAMP = -1


cdef inline int digits(const uint8_t* at, int count) noexcept:
    """The number of `count` digits; -1 if one is none."""
    cdef int i, value = 0
    for i in range(count):
        if at[i] < c'0' or at[i] > c'9':
            return -1
        value = value * 10 + (at[i] - c'0')
    return value


cdef inline int64_t days_of(int year, int month, int day) noexcept:
    """Days since 1970-01-01 of the Gregorian calendar (years counted from March)."""
    cdef int y = year - (month <= 2)
    cdef int era = y // 400
    cdef int of_era = y - era * 400
    cdef int of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * <int64_t>146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


cdef int64_t parsed(const uint8_t* at, Py_ssize_t length) noexcept:
    """The instant in ns; -1 if the text is not in the wire's usual form or before 1970."""
    cdef int year, month, day, hour, minute, second, sign
    cdef int64_t nanos = 0, scale = SECOND, offset = 0
    cdef Py_ssize_t i = 19
    if length < 20 or at[4] != c'-' or at[7] != c'-' or (at[10] != c'T' and at[10] != c' '):
        return -1
    if at[13] != c':' or at[16] != c':':
        return -1
    year, month, day = digits(at, 4), digits(at + 5, 2), digits(at + 8, 2)
    hour, minute, second = digits(at + 11, 2), digits(at + 14, 2), digits(at + 17, 2)
    if year < 1970 or year > 2261 or month < 1 or month > 12 or day < 1 or day > 28:
        # The ends of months are left to the slow way, which knows how long each is.
        if day < 29 or day > 31 or year < 1970 or year > 2261 or month < 1 or month > 12:
            return -1
        if day > (29 if month == 2 and (year % 4 == 0 and (year % 100 or year % 400 == 0)) else
                  28 if month == 2 else 30 if month in (4, 6, 9, 11) else 31):
            return -1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1
    if at[i] == c'.':
        i += 1
        while i < length and c'0' <= at[i] <= c'9':
            if scale == 1:
                return -1
            scale //= 10
            nanos += (at[i] - c'0') * scale
            i += 1
        if at[i - 1] == c'.':
            return -1
    if i + 1 == length and (at[i] == c'Z' or at[i] == c'z'):
        offset = 0
    elif i + 6 == length and (at[i] == c'+' or at[i] == c'-') and at[i + 3] == c':':
        sign = 1 if at[i] == c'+' else -1
        if digits(at + i + 1, 2) < 0 or digits(at + i + 1, 2) > 23 or (
                digits(at + i + 4, 2) < 0 or digits(at + i + 4, 2) > 59):
            return -1
        offset = sign * (digits(at + i + 1, 2) * 3600 + digits(at + i + 4, 2) * 60)
    else:
        return -1
    return (
        (days_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset) * SECOND
        + nanos
    )


def text_ns(str text not None):
    """Return the instant of an RFC 3339 text, in ns since 1970, UTC.

    Raises
    ------
    DataError
        If it is no time.

    Examples
    --------
    >>> text_ns("2013-10-07T09:30:00.000000001-04:00")
    1381152600000000001
    """
    cdef int64_t ns = -1
    if PyUnicode_KIND(text) == 1:
        ns = parsed(<const uint8_t*>PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text))
    if ns >= 0:
        return ns
    try:
        value = timestamp_ns(text)
    except (ConfigError, OverflowError) as error:
        raise DataError(f"{text[:40]!r} is no time", code="no_time") from error
    if not -LAST_SECOND * SECOND < value < LAST_SECOND * SECOND:
        raise DataError(f"{text[:40]!r} is too far away", code="no_time")
    return value


def stamp_ns(value not None):
    """Return a wire time in ns since 1970, UTC, to the nanosecond in both codecs.

    Parameters
    ----------
    value : str or msgspec.msgpack.Ext
        RFC 3339 text, or MessagePack's timestamp extension (type -1).

    Raises
    ------
    DataError
        If it is no time.
    """
    cdef bytes data
    cdef const uint8_t* at
    cdef Py_ssize_t length
    cdef uint64_t both
    cdef int64_t seconds, nanos
    if type(value) is str:
        return text_ns(<str>value)
    data = bytes(value.data)
    at = data
    length = len(data)
    if value.code != TIMESTAMP or length not in (4, 8, 12):
        raise DataError(f"extension {value.code} of {length} bytes is no time", code="no_time")
    if length == 12:
        seconds = <int64_t>big_endian(at + 4, 8)
        nanos = <int64_t>big_endian(at, 4)
    else:
        both = big_endian(at, <int>length)
        seconds = <int64_t>(both & 0x3FFFFFFFF)
        nanos = <int64_t>(both >> 34) if length == 8 else 0
    if not -LAST_SECOND < seconds < LAST_SECOND or nanos >= SECOND:
        raise DataError(f"{seconds} s and {nanos} ns since 1970 is no time", code="no_time")
    return seconds * SECOND + nanos


cdef inline uint64_t big_endian(const uint8_t* at, int count) noexcept:
    cdef uint64_t value = 0
    cdef int i
    for i in range(count):
        value = value << 8 | at[i]
    return value
