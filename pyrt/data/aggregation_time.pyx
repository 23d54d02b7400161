"""Time bars from trades, quotes or smaller bars."""
cimport cython
from libc.math cimport isnan
from libc.stdint cimport INT64_MAX, INT64_MIN

from pyrt.data.aggregation cimport clear, fold, settle_vwap, typical_value

from pyrt.data.timeframe import DAY_NS as _DAY_NS
from pyrt.errors import ConfigError


@cython.final
cdef class TimeBars(Aggregator):
    """Bars over intervals [start, end) of time, stamped with both.

    An interval is over, and its bar complete, when the time reaches its end plus `grace_ns`; the
    stamps of events and `update_time` both tell the time. An event at the very end belongs to the
    next interval. Intervals without events give no bar unless `fill_gaps` is set. Open and close
    are the first and last event in the order of arrival. An event whose interval was over before
    it came changes nothing and is counted in `late`; one outside all sessions in `outside`.

    The VWAP of bars made from bars takes each at its typical price (high + low + close) / 3.

    Parameters
    ----------
    timeframe : str
        `<n>s|m|h|d|w`.
    sessions : tuple of (opens, closes), optional
        int64 arrays, shape (n_sessions,), ns UTC: intervals count from each open and never reach
        past a close. Default: multiples from the Unix epoch, weeks from Monday.
    grace_ns : int, optional
        0 where events come in order of their stamps; live, the wait for late ones. At most a day.
    fill_gaps : bool, optional
        Make a flat bar (volume and count 0, VWAP NaN) at the last close of each interval without
        events, from the first bar on and inside sessions only.
    quote_price : {"mid", "bid", "ask"}, optional
        The price of a quote that counts.

    Raises
    ------
    ConfigError
        If the timeframe, the sessions or the grace make no sense.

    Examples
    --------
    >>> bars = TimeBars("1m")
    >>> bars.update_trade(0, 10.0, 5), bars.update_trade(59_999_999_999, 11.0, 5)
    (0, 0)
    >>> bars.update_trade(60_000_000_000, 12.0, 1)
    1
    >>> bars.bars[["open", "close", "volume", "vwap"]].tolist()
    [(10.0, 11.0, 10.0, 10.5)]
    """

    def __init__(
        self,
        str timeframe not None,
        *,
        sessions=None,
        int64_t grace_ns=0,
        bint fill_gaps=False,
        str quote_price not None="mid",
    ):
        super().__init__(quote_price=quote_price)
        if not 0 <= grace_ns <= _DAY_NS:
            raise ConfigError(
                f"grace_ns is {grace_ns}; expected 0 to one day ({_DAY_NS})", grace_ns=grace_ns
            )
        self._grid = TimeGrid(timeframe, sessions)
        self._open = BarRows()
        self.timeframe = timeframe
        self.grace_ns = grace_ns
        self.fill_gaps = fill_gaps
        self._now = self._filled_to = INT64_MIN
        self._last_close = float("nan")

    cdef int add_trade(self, int64_t ts, double price, double size, int aggressor) except -1:
        self.completed.n = 0
        cdef BarRow* row = self._row_at(ts)
        if row != NULL:
            fold(row, price, price, price, price, size, price * size)
        return self._come_to(ts)

    cdef int add_bar(
        self, int64_t ts_open, int64_t ts_close,
        double o, double h, double l, double c, double v,
    ) except -1:
        """Take a smaller bar; it may complete the interval that ends with it.

        Raises DataError, with nothing changed, if it has parts in two intervals.
        """
        self.completed.n = 0
        cdef BarRow* row = self._last_if_holds(ts_open, ts_close)
        if row == NULL and self._grid.find_span(ts_open, ts_close):
            row = self._row_of_interval()
        elif row == NULL:
            self.outside += 1
        if row != NULL:
            fold(row, o, h, l, c, v, typical_value(h, l, c, v))
        return self._come_to(ts_close)

    cdef int advance(self, int64_t ts) except -1:
        self.completed.n = 0
        return self._come_to(ts)

    cdef int finish(self) except -1:
        self.completed.n = 0
        if self._open.n == 0:
            return 0
        return self._come_to(self._open.at[self._open.n - 1].ts_close + self.grace_ns)

    cdef BarRow* _row_at(self, int64_t ts) except? NULL:
        """The row under way that `ts` belongs to, made if need be; NULL if late or outside."""
        cdef BarRow* row = self._last_if_holds(ts, ts)
        if row != NULL:
            return row
        if not self._grid.find(ts):
            self.outside += 1
            return NULL
        return self._row_of_interval()

    cdef BarRow* _last_if_holds(self, int64_t ts_open, int64_t ts_close) noexcept:
        """The latest row under way if all of [ts_open, ts_close) is surely its, else NULL."""
        if self._open.n == 0 or self._grid.has_pauses:
            return NULL
        cdef BarRow* last = &self._open.at[self._open.n - 1]
        if last.ts_open <= ts_open < last.ts_close and ts_close <= last.ts_close:
            return last
        return NULL

    cdef BarRow* _row_of_interval(self) except? NULL:
        """The row under way of the interval the grid has found; NULL if that is over."""
        cdef int64_t start = self._grid.start, end = self._grid.end
        cdef Py_ssize_t i = self._open.n
        if end + self.grace_ns <= self._now:
            self.late += 1
            return NULL
        while i > 0 and self._open.at[i - 1].ts_open >= start:
            i -= 1
            if self._open.at[i].ts_open == start:
                return &self._open.at[i]
        self._open.append()
        for j in range(self._open.n - 1, i, -1):
            self._open.at[j] = self._open.at[j - 1]
        clear(&self._open.at[i], start, end)
        self._set_next_due()
        return &self._open.at[i]

    cdef int _come_to(self, int64_t ts) except -1:
        """Complete all that is over at `ts`, oldest first."""
        if ts > self._now:
            self._now = ts
        if self._now < self.next_due:
            return self.completed.n
        while self._open.n and self._open.at[0].ts_close + self.grace_ns <= self._now:
            if self.fill_gaps:
                self._fill_to(self._open.at[0].ts_open)
            self._complete_first()
        if self.fill_gaps:
            self._fill_to(self._open.at[0].ts_open if self._open.n else INT64_MAX)
        self._set_next_due()
        return self.completed.n

    cdef int _complete_first(self) except -1:
        cdef BarRow* row = self.completed.append()
        row[0] = self._open.at[0]
        settle_vwap(row)
        self._last_close = row.close
        self._filled_to = row.ts_close
        return self._open.drop_first()

    cdef int _fill_to(self, int64_t limit) except -1:
        """Make flat bars of the intervals that are over and start before `limit`."""
        cdef BarRow* row
        if isnan(self._last_close):
            return 0
        while self._grid.find_from(self._filled_to):
            if self._grid.start >= limit or self._grid.end + self.grace_ns > self._now:
                break
            row = self.completed.append()
            clear(row, self._grid.start, self._grid.end)
            row.open = row.high = row.low = row.close = self._last_close
            settle_vwap(row)
            self._filled_to = row.ts_close
        return 0

    cdef int _set_next_due(self) except -1:
        self.next_due = INT64_MAX
        if self._open.n:
            self.next_due = self._open.at[0].ts_close + self.grace_ns
        if self.fill_gaps and not isnan(self._last_close):
            if self._grid.find_from(self._filled_to):
                self.next_due = min(self.next_due, self._grid.end + self.grace_ns)
        return 0
