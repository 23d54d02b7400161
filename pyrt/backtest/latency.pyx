"""Latency models: how long a message takes to the venue, and its answer back.

Messages of a run travel over one connection: none overtakes another, so a delay drawn too short
is lengthened to that of the message before.
"""
cimport cython
from libc.math cimport exp, log

from hashlib import blake2b

import numpy as np

from pyrt.core.times import duration_ns
from pyrt.errors import ConfigError, DataError

KIND_NAMES = ("submit", "modify", "cancel", "response")
DISTRIBUTIONS = ("uniform", "normal", "lognormal", "exponential")


cdef class LatencyModel:
    """How long messages take; subclass it and define `on_message` for one of your own.

    Examples
    --------
    >>> class SlowCancels(LatencyModel):
    ...     def on_message(self, kind, ts):
    ...         return 50_000_000 if kind == "cancel" else 5_000_000
    """

    def on_message(self, kind, ts):
        """Return the delay of one message in ns, 0 or more.

        Parameters
        ----------
        kind : {"submit", "modify", "cancel", "response"}
            On its way to the venue, or back from it.
        ts : int
            When it leaves, ns UTC.
        """
        raise TypeError(f"{type(self).__name__} does not define on_message(kind, ts)")

    cdef int64_t delay(self, int kind, int64_t ts, int32_t instrument) except? -1:
        cdef int64_t found = self.on_message(KIND_NAMES[kind], ts)
        if found < 0:
            raise ConfigError(f"{type(self).__name__} gave a latency of {found} ns; expected >= 0")
        return found


@cython.final
cdef class ConstantLatency(LatencyModel):
    """The same delay for every message of a kind.

    Parameters
    ----------
    submit, modify, cancel, response : int, str or timedelta
        `modify` and `cancel` are as `submit` unless given; `response` is 0: then the sender
        learns of an event when it happens.
    """

    def __init__(self, submit=0, modify=None, cancel=None, response=0):
        cdef int kind
        given = (submit, submit if modify is None else modify,
                 submit if cancel is None else cancel, response)
        for kind, (name, value) in enumerate(zip(KIND_NAMES, given)):
            self.delays[kind] = duration_ns(value)
            if self.delays[kind] < 0:
                raise ConfigError(f"latency of {name} is {value!r}; expected 0 or more")

    cdef int64_t delay(self, int kind, int64_t ts, int32_t instrument) except? -1:
        return self.delays[kind]

    @property
    def delays_ns(self):
        """The delays as a tuple: submit, modify, cancel, response."""
        return tuple(self.delays[i] for i in range(4))

    def __repr__(self):
        parts = (f"{name}={ns}" for name, ns in zip(KIND_NAMES, self.delays_ns))
        return f"ConstantLatency({', '.join(parts)})"


@cython.final
cdef class RandomLatency(LatencyModel):
    """Delays drawn from a distribution.

    Parameters
    ----------
    distribution : {"uniform", "normal", "lognormal", "exponential"}
    first, second : int, str or timedelta; for lognormal `second` is a number
        uniform: least and largest; normal: mean and deviation (below 0 counts as 0); lognormal:
        median, and deviation of the logarithm; exponential: least, and mean above it.
    seed : int
    response : bool
        Whether answers take such a delay too; otherwise none.
    """

    def __init__(self, str distribution, first, second, *, seed=0, bint response=False):
        if distribution not in DISTRIBUTIONS:
            raise ConfigError(
                f"latency of distribution {distribution!r}",
                remedy=f"It is one of {', '.join(DISTRIBUTIONS)}",
            )
        self.distribution = distribution
        self.first = <double><int64_t>duration_ns(first)
        self.second = float(second) if distribution == "lognormal" else (
            <double><int64_t>duration_ns(second))
        if self.first < 0 or self.second < 0 or (
                distribution == "uniform" and self.second < self.first) or (
                distribution == "lognormal" and self.first == 0):
            raise ConfigError(f"latency {distribution}:{first}/{second} describes no distribution")
        self.draws = Draws(seed, "latency")
        self.answers = response

    cdef int64_t delay(self, int kind, int64_t ts, int32_t instrument) except? -1:
        cdef double found
        if kind == ANSWER and not self.answers:
            return 0
        if self.distribution == "uniform":
            found = self.first + (self.second - self.first) * self.draws.uniform(instrument)
        elif self.distribution == "normal":
            found = self.first + self.second * self.draws.normal(instrument)
        elif self.distribution == "lognormal":
            found = self.first * exp(self.second * self.draws.normal(instrument))
        else:
            found = self.first - self.second * log(self.draws.uniform(instrument))
        return <int64_t>found if found > 0.0 else 0

    def __repr__(self):
        return (f"RandomLatency({self.distribution!r}, {self.first:.17g}, {self.second:.17g}, "
                f"response={bool(self.answers)})")


@cython.final
cdef class RecordedLatency(LatencyModel):
    """Delays as they were measured; between two records they are interpolated.

    Parameters
    ----------
    table : DataFrame or mapping
        Columns ``ts_event`` (when the message left, ns UTC, ascending), ``entry_ns`` and,
        if it was recorded, ``response_ns``. Before the first and after the last record the
        nearest one holds.
    """

    def __init__(self, table):
        columns = {}
        for name in ("ts_event", "entry_ns", "response_ns"):
            values = table[name] if name in table else None
            columns[name] = np.ascontiguousarray(
                np.zeros(len(table["ts_event"])) if values is None else values, np.int64
            )
        self.stamps = columns["ts_event"]
        self.entries = columns["entry_ns"]
        self.answers = columns["response_ns"]
        if not len(self.stamps) or (np.diff(columns["ts_event"]) < 0).any():
            raise DataError("recorded latencies need rows, in order of ts_event")
        if (columns["entry_ns"] < 0).any() or (columns["response_ns"] < 0).any():
            raise DataError("a recorded latency is negative")
        content = b"".join(column.tobytes() for column in columns.values())
        self.digest = blake2b(content, digest_size=8).hexdigest()

    cdef int64_t delay(self, int kind, int64_t ts, int32_t instrument) except? -1:
        cdef const int64_t[::1] values = self.answers if kind == ANSWER else self.entries
        cdef Py_ssize_t after = np.searchsorted(self.stamps, ts, side="right")
        cdef int64_t span
        if after == 0:
            return values[0]
        if after == values.shape[0]:
            return values[after - 1]
        span = self.stamps[after] - self.stamps[after - 1]
        # Delays are below a day and spans too, but their product may leave 64 bits.
        return values[after - 1] + <int64_t>(
            <double>(values[after] - values[after - 1])
            * (<double>(ts - self.stamps[after - 1]) / <double>span)
        )

    def __repr__(self):
        return f"RecordedLatency({self.digest})"


def latency_model(value, seed=0):
    """Return a LatencyModel from what users write.

    Parameters
    ----------
    value : None, int, str, timedelta, dict, table or LatencyModel
        A duration (``"50ms"``) for every message to the venue; a dict with some of ``submit``,
        ``modify``, ``cancel``, ``response``; a distribution, ``"uniform:1ms/5ms"``,
        ``"normal:5ms/1ms"``, ``"lognormal:5ms/0.3"``, ``"exponential:1ms/2ms"``; a table of
        recorded latencies (see `RecordedLatency`).
    seed : int
        Of the distribution.

    Raises
    ------
    ConfigError
        If the value means none.
    """
    if value is None:
        return ConstantLatency()
    if isinstance(value, LatencyModel):
        return value
    if isinstance(value, str) and value.partition(":")[0] in DISTRIBUTIONS:
        name, _, rest = value.partition(":")
        numbers = rest.split("/")
        if len(numbers) != 2:
            raise ConfigError(f"latency is {value!r}", remedy=f'Write "{name}:FIRST/SECOND"')
        return RandomLatency(name, *numbers, seed=seed)
    if hasattr(value, "keys") and "ts_event" in value.keys():
        return RecordedLatency(value)
    if isinstance(value, dict):
        unknown = value.keys() - set(KIND_NAMES)
        if unknown:
            raise ConfigError(
                f"latency has no part {sorted(unknown)[0]!r}",
                remedy=f"It has {', '.join(KIND_NAMES)}",
            )
        return ConstantLatency(**value)
    return ConstantLatency(value)
