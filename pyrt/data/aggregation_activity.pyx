"""Bars by market activity: ticks, volume, value, their imbalances and their runs.

The rules are those of M. Lopez de Prado, Advances in Financial Machine Learning (2018), sections
2.3.1 and 2.3.2, with what he leaves open stated in each class. A print is never split: the one
that reaches the threshold belongs to the bar it completes, and the surplus is not carried over.
A bar is stamped with its first and its last event.
"""
cimport cython
from libc.math cimport NAN, fabs, fmax
from libc.stdint cimport int64_t

from pyrt.data.aggregation cimport clear, fold, settle_vwap, typical_value

from pyrt.data.aggregation import check_positive
from pyrt.errors import ConfigError

_MEASURES = {"tick": TICK, "volume": VOLUME, "value": VALUE}


cdef class ActivityBars(Aggregator):
    """Base of the bars that one event completes: keeps the bar under way."""

    cdef int _begin_event(self, int64_t ts_open, int64_t ts_close) except -1:
        """Forget the bars completed before; start a bar if none is under way."""
        self.completed.n = 0
        if self._bar.count == 0:
            clear(&self._bar, ts_open, ts_close)
        self._bar.ts_close = ts_close
        return 0

    cdef double _weigh(self, double size, double value) noexcept:
        if self._measure == TICK:
            return 1.0
        return size if self._measure == VOLUME else value

    cdef int _complete(self) except -1:
        cdef BarRow* row = self.completed.append()
        row[0] = self._bar
        settle_vwap(row)
        self._bar.count = 0
        return 0

    cdef int finish(self) except -1:
        """Complete the bar under way though its threshold is not reached."""
        self.completed.n = 0
        if self._bar.count:
            self._complete()
        return self.completed.n


cdef class ThresholdBars(ActivityBars):
    """Base of the bars completed by a sum of ticks, volume or value."""

    cdef int add_trade(self, int64_t ts, double price, double size, int aggressor) except -1:
        self._begin_event(ts, ts)
        fold(&self._bar, price, price, price, price, size, price * size)
        return self._count(self._weigh(size, price * size))

    cdef int add_bar(
        self, int64_t ts_open, int64_t ts_close,
        double o, double h, double l, double c, double v,
    ) except -1:
        """Take a smaller bar whole: one tick, its volume, its value at the typical price."""
        cdef double value = typical_value(h, l, c, v)
        self._begin_event(ts_open, ts_close)
        fold(&self._bar, o, h, l, c, v, value)
        return self._count(self._weigh(v, value))

    cdef int _count(self, double weight) except -1:
        self._sum += weight
        if self._sum >= self.threshold:
            self._complete()
            self._sum = 0.0
        return self.completed.n

    cdef int finish(self) except -1:
        self._sum = 0.0
        return ActivityBars.finish(self)


@cython.final
cdef class TickBars(ThresholdBars):
    """A bar every `ticks` trades, quotes or smaller bars.

    Parameters
    ----------
    ticks : int
        At least 1.
    quote_price : {"mid", "bid", "ask"}, optional
        The price of a quote that counts.

    Examples
    --------
    >>> bars = TickBars(2).batch_trades([1, 2, 3], [10.0, 12.0, 11.0], [1, 1, 1])
    >>> bars[["open", "close"]].tolist()
    [(10.0, 12.0)]
    """

    def __init__(self, int64_t ticks, *, str quote_price not None="mid"):
        super().__init__(quote_price=quote_price)
        self.threshold = check_positive("ticks", ticks)
        self._measure = TICK


@cython.final
cdef class VolumeBars(ThresholdBars):
    """A bar as soon as `volume` units have traded in it.

    Parameters
    ----------
    volume : float
        Above 0, in the unit of the sizes. Quotes have none: they complete no bar.
    """

    def __init__(self, double volume):
        super().__init__()
        self.threshold = check_positive("volume", volume)
        self._measure = VOLUME


@cython.final
cdef class ValueBars(ThresholdBars):
    """A bar as soon as price x size adds up to `value` ("dollar bars").

    Parameters
    ----------
    value : float
        Above 0, in the quote currency. Quotes have none: they complete no bar.
    """

    def __init__(self, double value):
        super().__init__()
        self.threshold = check_positive("value", value)
        self._measure = VALUE


cdef class SignedBars(ActivityBars):
    """Base of imbalance and runs bars.

    A tick is signed by its aggressor; where that is unknown, by the tick rule: the sign of the
    price change, after no change the sign before, and 0 until the first change.

    The first bar completes after `expected_ticks` ticks. At each completion the averages move to
    the bar's own figures by 2 / (span + 1); the first bar's figures start them. Thresholds made of
    such averages are known to run away to single ticks or to bars without end, so `ticks_min`
    and `ticks_max` bound each bar.
    """

    def __init__(
        self,
        str measure not None,
        int64_t expected_ticks,
        *,
        int64_t span=20,
        ticks_min=None,
        ticks_max=None,
        str quote_price not None="mid",
    ):
        super().__init__(quote_price=quote_price)
        if measure not in _MEASURES:
            raise ConfigError(
                f"measure is {measure!r}; expected one of {sorted(_MEASURES)}", measure=measure
            )
        self._measure = _MEASURES[measure]
        self.measure = measure
        self.expected_ticks = check_positive("expected_ticks", expected_ticks)
        self.ticks_min = max(1, expected_ticks // 10) if ticks_min is None else ticks_min
        self.ticks_max = 10 * expected_ticks if ticks_max is None else ticks_max
        if not 1 <= self.ticks_min <= expected_ticks <= self.ticks_max:
            raise ConfigError(
                f"ticks_min {self.ticks_min}, expected_ticks {expected_ticks} and ticks_max "
                f"{self.ticks_max} are not in order",
                remedy="Give 1 <= ticks_min <= expected_ticks <= ticks_max",
            )
        self._alpha = 2.0 / (check_positive("span", span) + 1.0)
        self._last_price = NAN

    cdef int add_trade(self, int64_t ts, double price, double size, int aggressor) except -1:
        cdef int sign = self._sign_of(price, aggressor)
        self._begin_event(ts, ts)
        fold(&self._bar, price, price, price, price, size, price * size)
        self._accumulate(sign, self._weigh(size, price * size))
        if self._is_due():
            self._learn()
            self.expected_ticks = self._moved(self.expected_ticks, <double> self._bar.count)
            self._restart()
            self._complete()
        return self.completed.n

    cdef int finish(self) except -1:
        """Complete the bar under way; it teaches the averages nothing."""
        self._restart()
        return ActivityBars.finish(self)

    cdef int _sign_of(self, double price, int aggressor) noexcept:
        cdef int sign = (aggressor > 0) - (aggressor < 0)
        if sign == 0:
            sign = (price > self._last_price) - (price < self._last_price)
            if sign == 0:
                sign = self._last_sign
        self._last_price = price
        self._last_sign = sign
        return sign

    cdef bint _is_due(self) except -1:
        cdef int64_t ticks = self._bar.count
        cdef double threshold
        if ticks >= self.ticks_max:
            return True
        if ticks < self.ticks_min:
            return False
        threshold = self._threshold()
        if threshold != threshold:  # NaN: no bar to learn from yet
            return ticks >= self.expected_ticks
        return self._reach() >= threshold

    cdef double _moved(self, double average, double observed) noexcept:
        """The average after one more observation; the first one starts it."""
        if average != average:
            return observed
        return average + self._alpha * (observed - average)

    cdef int _accumulate(self, int sign, double weight) except -1:
        raise NotImplementedError

    cdef double _reach(self) except? -1.0:
        """What is compared with the threshold."""
        raise NotImplementedError

    cdef double _threshold(self) except? -1.0:
        """What was to be expected; NaN before the first bar."""
        raise NotImplementedError

    cdef int _learn(self) except -1:
        """Move the averages to the figures of the bar under way."""
        raise NotImplementedError

    cdef int _restart(self) except -1:
        """Zero the sums of the bar under way."""
        raise NotImplementedError


@cython.final
cdef class ImbalanceBars(SignedBars):
    """A bar as soon as buying and selling differ by more than was to be expected.

    With s the sign and w the weight of a tick (1, its size, or price x size), the imbalance is
    the sum of s w over the bar, and the bar completes when

        |imbalance| >= E[ticks] x |E[s w]|

    where both expectations are moving averages over the bars before.

    Parameters
    ----------
    measure : {"tick", "volume", "value"}
        The weight. Quotes, which have no size, need "tick".
    expected_ticks : int
        Ticks of the first bar, and where the average of ticks starts.
    span : int, optional
        Bars that the moving averages span.
    ticks_min, ticks_max : int, optional
        Bounds on the ticks of a bar; default a tenth and ten times `expected_ticks`.
    quote_price : {"mid", "bid", "ask"}, optional
        The price of a quote that counts.

    Raises
    ------
    ConfigError
        If the measure is unknown or the numbers are not in order.
    """

    def __cinit__(self):
        self.expected_imbalance = NAN

    cdef int _accumulate(self, int sign, double weight) except -1:
        self.imbalance += sign * weight
        return 0

    cdef double _reach(self) except? -1.0:
        return fabs(self.imbalance)

    cdef int _learn(self) except -1:
        self.expected_imbalance = self._moved(
            self.expected_imbalance, self.imbalance / <double> self._bar.count
        )
        return 0

    cdef double _threshold(self) except? -1.0:
        return self.expected_ticks * fabs(self.expected_imbalance)

    cdef int _restart(self) except -1:
        self.imbalance = 0.0
        return 0


@cython.final
cdef class RunsBars(SignedBars):
    """A bar as soon as one side has traded more than was to be expected.

    With w the weight of a tick (1, its size, or price x size), `bought` and `sold` are the sums of
    w over up and over down ticks, which need not follow on each other, and the bar completes when

        max(bought, sold) >= E[ticks] x max(E[bought per tick], E[sold per tick])

    where the expectations are moving averages over the bars before. The book averages the share
    of up ticks and the weight of an up tick apart; here their product is averaged as one series.

    Parameters
    ----------
    measure, expected_ticks, span, ticks_min, ticks_max, quote_price
        As for `ImbalanceBars`.

    Raises
    ------
    ConfigError
        If the measure is unknown or the numbers are not in order.
    """

    def __cinit__(self):
        self.expected_bought = self.expected_sold = NAN

    cdef int _accumulate(self, int sign, double weight) except -1:
        if sign > 0:
            self.bought += weight
        elif sign < 0:
            self.sold += weight
        return 0

    cdef double _reach(self) except? -1.0:
        return fmax(self.bought, self.sold)

    cdef int _learn(self) except -1:
        cdef double ticks = <double> self._bar.count
        self.expected_bought = self._moved(self.expected_bought, self.bought / ticks)
        self.expected_sold = self._moved(self.expected_sold, self.sold / ticks)
        return 0

    cdef double _threshold(self) except? -1.0:
        return self.expected_ticks * fmax(self.expected_bought, self.expected_sold)

    cdef int _restart(self) except -1:
        self.bought = self.sold = 0.0
        return 0
