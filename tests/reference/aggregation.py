"""Aggregation rules as slow and obvious code: lists of events, sums made anew, exact fractions."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

DAY = 86_400 * 10**9


class Row(NamedTuple):
    """A completed bar; in order the fields of BAR_DTYPE (a tuple has its own `count`)."""

    ts_open: int
    ts_close: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float
    n_events: int


class Event(NamedTuple):
    """A trade (all prices equal, ts_open == ts_close) or a smaller bar."""

    ts_open: int
    ts_close: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    value: float


def trade(ts: int, price: float, size: float) -> Event:
    return Event(ts, ts, price, price, price, price, size, price * size)


def bar(ts_open: int, ts_close: int, o: float, h: float, lo: float, c: float, v: float) -> Event:
    return Event(ts_open, ts_close, o, h, lo, c, v, (h + lo + c) / 3.0 * v)


def total(numbers: Sequence[float]) -> float:
    """Add from left to right, as a running sum does."""
    result = 0.0
    for number in numbers:
        result += number
    return result


def row(ts_open: int, ts_close: int, events: Sequence[Event]) -> Row:
    volume = total([e.volume for e in events])
    value = total([e.value for e in events])
    return Row(
        ts_open,
        ts_close,
        events[0].open,
        max(e.high for e in events),
        min(e.low for e in events),
        events[-1].close,
        volume,
        value / volume if volume > 0 else math.nan,
        len(events),
    )


# Time

Interval = tuple[int, int]
Sessions = Sequence[tuple[int, int]]


def session_date(session: tuple[int, int]) -> dt.date:
    middle = (session[0] + session[1]) // 2
    return dt.date(1970, 1, 1) + dt.timedelta(days=middle // DAY)


def session_intervals(step: int, sessions: Sessions) -> list[tuple[Interval, Sessions]]:
    """All intervals in order, each with the parts of it that are open."""
    result: list[tuple[Interval, Sessions]] = []
    if step < DAY:
        for opens, closes in sessions:
            for start in range(opens, closes, step):
                end = min(start + step, closes)
                result.append(((start, end), [(start, end)]))
        return result
    groups: dict[int, list[tuple[int, int]]] = {}
    for session in sessions:
        day = session_date(session)
        if step % (7 * DAY) == 0:
            monday = day - dt.timedelta(days=day.weekday())
            number = (monday - dt.date(1970, 1, 5)).days // 7 // (step // (7 * DAY))
        else:
            number = (day - dt.date(1970, 1, 1)).days // (step // DAY)
        groups.setdefault(number, []).append(session)
    return [((parts[0][0], parts[-1][1]), parts) for parts in groups.values()]


def utc_interval(step: int, ts: int) -> Interval:
    origin = 4 * DAY if step % (7 * DAY) == 0 else 0
    start = origin + math.floor(Fraction(ts - origin, step)) * step
    return start, start + step


class SlowTimeBars:
    """Keep every event; on asking, sort them into intervals and show those that are over."""

    def __init__(
        self,
        step: int,
        sessions: Sessions | None = None,
        grace: int = 0,
        fill_gaps: bool = False,
    ) -> None:
        self.step, self.sessions, self.grace, self.fill_gaps = step, sessions, grace, fill_gaps
        self.table = None if sessions is None else session_intervals(step, sessions)
        self.events: dict[Interval, list[Event]] = {}
        self.now: int | None = None
        self.late = self.outside = 0

    def interval_of(self, event: Event) -> Interval | None:
        """The one interval the event has open time in; None if it has none."""
        last = max(event.ts_open, event.ts_close - 1)
        if self.table is None:
            first, after = utc_interval(self.step, event.ts_open), utc_interval(self.step, last)
            if first != after:
                raise ValueError("straddles")
            return first
        found = [
            interval
            for interval, parts in self.table
            if any(opens <= last and event.ts_open < closes for opens, closes in parts)
        ]
        if len(found) > 1:
            raise ValueError("straddles")
        return found[0] if found else None

    def add(self, event: Event) -> None:
        interval = self.interval_of(event)
        if interval is None:
            self.outside += 1
        elif self.now is not None and interval[1] + self.grace <= self.now:
            self.late += 1
        else:
            self.events.setdefault(interval, []).append(event)
        self.advance(event.ts_close)

    def advance(self, ts: int) -> None:
        self.now = ts if self.now is None else max(ts, self.now)

    def finish(self) -> None:
        if self.events:
            self.advance(max(self.events)[1] + self.grace)

    def following(self, interval: Interval) -> Iterator[Interval]:
        if self.table is None:
            while True:
                interval = (interval[1], interval[1] + self.step)
                yield interval
        else:
            yield from (i for i, _ in self.table if i > interval)

    def rows(self) -> list[Row]:
        """All bars that are complete by now."""
        now = self.now
        if now is None:
            return []
        rows = [row(*i, self.events[i]) for i in sorted(self.events) if i[1] + self.grace <= now]
        return self.filled(rows, now) if self.fill_gaps and rows else rows

    def filled(self, rows: list[Row], now: int) -> list[Row]:
        by_interval = {(r.ts_open, r.ts_close): r for r in rows}
        result = [rows[0]]
        for interval in self.following((rows[0].ts_open, rows[0].ts_close)):
            if interval[1] + self.grace > now:
                break
            price = result[-1].close
            flat = Row(*interval, price, price, price, price, 0.0, math.nan, 0)
            result.append(by_interval.get(interval, flat))
        return result


# Activity

Weight = Callable[[Event], float]
WEIGHTS: dict[str, Weight] = {
    "tick": lambda event: 1.0,
    "volume": lambda event: event.volume,
    "value": lambda event: event.value,
}


def stamped(events: Sequence[Event]) -> Row:
    return row(events[0].ts_open, events[-1].ts_close, events)


def threshold_bars(measure: str, threshold: float, events: Sequence[Event]) -> list[Row]:
    rows, part = [], []
    for event in events:
        part.append(event)
        if total([WEIGHTS[measure](e) for e in part]) >= threshold:
            rows.append(stamped(part))
            part = []
    return rows


def signs(events: Sequence[Event], aggressors: Sequence[int]) -> list[int]:
    result: list[int] = []
    for i, event in enumerate(events):
        before = events[i - 1].close if i else event.close
        if aggressors[i]:
            result.append(aggressors[i])
        elif event.close != before:
            result.append(1 if event.close > before else -1)
        else:
            result.append(result[-1] if result else 0)
    return result


def signed_bars(
    kind: str,
    measure: str,
    expected_ticks: float,
    span: int,
    ticks_min: int,
    ticks_max: int,
    events: Sequence[Event],
    aggressors: Sequence[int],
) -> list[Row]:
    """Imbalance or runs bars: sums over the bar made anew at every tick."""
    alpha = 2.0 / (span + 1.0)
    averages: list[float] = []
    rows, part = [], []
    for event, sign in zip(events, signs(events, aggressors)):
        part.append((event, sign, WEIGHTS[measure](event)))
        if kind == "imbalance":
            sums = [total([s * w for _, s, w in part])]
        else:
            sums = [total([w for _, s, w in part if s == side]) for side in (1, -1)]
        reach = max(abs(s) for s in sums)
        ticks = len(part)
        threshold = expected_ticks * max((abs(a) for a in averages), default=0.0)
        over = ticks >= expected_ticks if not averages else reach >= threshold
        if ticks < ticks_max and (ticks < ticks_min or not over):
            continue
        means = [s / ticks for s in sums]
        averages = [a + alpha * (m - a) for a, m in zip(averages, means)] or means
        expected_ticks += alpha * (ticks - expected_ticks)
        rows.append(stamped([e for e, _, _ in part]))
        part = []
    return rows


# Price


def nano(price: float) -> int:
    return round(Fraction(price) * 10**9)


def range_bars(size: float, events: Sequence[Event]) -> list[Row]:
    rows, part = [], []
    for event in events:
        part.append(event)
        prices = [nano(e.close) for e in part]
        if max(prices) - min(prices) >= nano(size):
            rows.append(stamped(part))
            part = []
    return rows


def renko_bars(size: float, events: Sequence[Event]) -> list[Row]:
    """Count bricks above and below the last one, in whole brick heights."""
    rows: list[Row] = []
    part: list[Event] = []
    brick, bottom = nano(size), nano(events[0].close) if events else 0
    top = bottom
    for event in events:
        part.append(event)
        price = nano(event.close)
        up, down = (price - top) // brick, (bottom - price) // brick
        for _ in range(max(up, down)):
            edge = top if up > 0 else bottom
            far = edge + brick if up > 0 else edge - brick
            bottom, top = min(edge, far), max(edge, far)
            laid = stamped(part) if part else empty(event.ts_close)
            low, high = bottom / 1e9, top / 1e9
            rows.append(laid._replace(open=edge / 1e9, close=far / 1e9, low=low, high=high))
            part = []
    return rows


def empty(ts: int) -> Row:
    return Row(ts, ts, 0.0, 0.0, 0.0, 0.0, 0.0, math.nan, 0)


def heikin_ashi_bars(events: Sequence[Event]) -> list[Row]:
    rows: list[Row] = []
    for e in events:
        opens = (rows[-1].open + rows[-1].close) / 2 if rows else (e.open + e.close) / 2
        closes = (e.open + e.high + e.low + e.close) / 4
        high, low = max(e.high, opens, closes), min(e.low, opens, closes)
        vwap = e.value / e.volume if e.volume > 0 else math.nan
        rows.append(Row(e.ts_open, e.ts_close, opens, high, low, closes, e.volume, vwap, 1))
    return rows
