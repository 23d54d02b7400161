"""Average true ranges out of a run's data: sessions that are over, and never a later one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt import Strategy, backtest
from pyrt.core.times import timestamp_ns
from pyrt.risk import Limits
from pyrt.risk.ranges import TrailingRanges
from pyrt.risk.trailing import GRACE_NS
from tests.risk.test_volumes import CLOSES, DAY, HOUR, MINUTE, OPENS


def ranges(count: int = 2) -> TrailingRanges:
    return TrailingRanges(lambda calendar: None if calendar == "24/7" else (OPENS, CLOSES), count)


def test_the_average_is_of_the_last_sessions_that_have_ended() -> None:
    made = ranges()
    # When, high, low, close: 12-9, then 11-8.5 with 10 before, then 20-15 with 9 before it.
    rows = [
        (OPENS[0] + MINUTE, 12, 10, 11), (CLOSES[0], 11, 9, 10), (CLOSES[0] + MINUTE, 99, 1, 50),
        (OPENS[1] + HOUR, 11, 8.5, 9), (OPENS[2] + HOUR, 20, 15, 16),
    ]  # fmt: skip
    made.add("A", "XNYS", *zip(*rows, strict=True))
    asked = [
        (CLOSES[0] + GRACE_NS - 1, None),
        (CLOSES[0] + GRACE_NS, 3.0),
        (CLOSES[1] + GRACE_NS, (3.0 + 2.5) / 2),
        (CLOSES[2] + GRACE_NS, (2.5 + 11.0) / 2),
        # A session without rows has no range.
        (CLOSES[3] + GRACE_NS, (2.5 + 11.0) / 2),
    ]
    for now, mean in (*asked, *reversed(asked)):
        assert made.average("A", "XNYS", int(now)) == mean
    assert made.average("B", "XNYS", int(CLOSES[2])) is None


def test_of_pieces_the_highest_the_lowest_and_the_last_price_count() -> None:
    highs, lows, closes = [5.0, 9.0, 6.0], [4.0, 5.0, 3.0], [4.5, 6.0, 5.0]
    for order in ([0, 1, 2], [1, 0, 2], [1, 2, 0], [2, 1, 0]):
        made = ranges(1)
        for place, each in enumerate(order):
            row = [OPENS[0] + (place + 1) * MINUTE], [highs[each]], [lows[each]], [closes[each]]
            made.add("A", "XNYS", *row)
        assert made.average("A", "XNYS", int(CLOSES[0] + GRACE_NS)) == 9.0 - 3.0
        # From the last close up to 10.
        made.add("A", "XNYS", [OPENS[1] + HOUR], [10.0], [10.0], [10.0])
        mean = made.average("A", "XNYS", int(CLOSES[1] + GRACE_NS))
        assert mean == 10.0 - closes[order[-1]]


def test_rows_of_one_session_may_come_in_pieces() -> None:
    whole, pieces = ranges(), ranges()
    ts = np.array([OPENS[0] + MINUTE, OPENS[0] + HOUR, OPENS[1] + MINUTE, OPENS[1] + HOUR])
    prices = np.array([[5.0, 9, 4, 7], [3.0, 8, 2, 6], [4.0, 8, 3, 7]])
    whole.add("A", "XNYS", ts, *prices)
    for piece in (slice(0, 1), slice(1, 3), slice(3, 4)):
        pieces.add("A", "XNYS", ts[piece], *prices[:, piece])
    for close in CLOSES:
        now = int(close + GRACE_NS)
        assert whole.average("A", "XNYS", now) == pieces.average("A", "XNYS", now)


def test_an_average_that_was_asked_for_before_a_split_is_rescaled_too() -> None:
    made = ranges(1)
    made.add("A", "24/7", [DAY], [104.0], [100.0], [102.0])
    now = 2 * DAY + GRACE_NS
    assert made.average("A", "24/7", now) == 4.0
    made.rescale("A", "24/7", now, 0.5)
    assert made.average("A", "24/7", now) == 2.0


@pytest.mark.parametrize(
    ("now", "mean"), [(DAY + GRACE_NS - 1, 4.0), (DAY + GRACE_NS, 2.0), (DAY - 1, 4.0)]
)
def test_a_session_that_is_not_counted_yet_is_not_rescaled(now: int, mean: float) -> None:
    made = ranges(1)
    made.add("A", "24/7", [DAY], [104.0], [100.0], [102.0])
    made.rescale("A", "24/7", now, 0.5)
    assert made.average("A", "24/7", DAY + GRACE_NS) == mean


def test_a_split_rescales_the_sessions_before_it_only() -> None:
    made = ranges(1)
    made.add("A", "24/7", [DAY, 2 * DAY], [104.0, 51.0], [100.0, 49.0], [102.0, 50.0])
    made.rescale("A", "24/7", DAY + GRACE_NS, 0.5)
    assert made.average("A", "24/7", DAY + GRACE_NS) == 2.0
    # From 51, where the day before ended after the split, to 49.
    assert made.average("A", "24/7", 2 * DAY + GRACE_NS) == 2.0


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 8 * DAY), st.integers(1, 90)), min_size=1, max_size=60),
    st.integers(0, 8 * DAY),
)
def test_what_comes_later_changes_no_answer(rows: list[tuple[int, int]], now: int) -> None:
    rows.sort()
    ts = np.array([row[0] for row in rows])
    low = np.array([float(row[1]) for row in rows])
    seen = ts <= now
    for calendar in ("XNYS", "24/7"):
        whole, cut = ranges(), ranges()
        whole.add("A", calendar, ts, low + 3, low, low + 1)
        cut.add("A", calendar, ts[seen], low[seen] + 3, low[seen], low[seen] + 1)
        assert whole.average("A", calendar, now) == cut.average("A", calendar, now)


# -- in a backtest ---------------------------------------------------------------------------------

FIRST = timestamp_ns("2024-01-02T14:30:00Z")


def session(day: int, low: float, high: float, end: float) -> pd.DataFrame:
    """Return hourly-looking minute bars: up to a high, down to a low, and on to the end."""
    stamps = FIRST + day * DAY + MINUTE * np.arange(390)
    index = pd.DatetimeIndex(stamps.astype("M8[ns]"), tz="UTC", name="timestamp")
    prices = np.full(390, end)
    prices[:130] = high
    prices[130:260] = low
    flat = dict.fromkeys(("open", "high", "low", "close"), prices)
    return pd.DataFrame({**flat, "volume": 1e6}, index=index)


class Holds(Strategy):
    """Buys ten in the first minutes of the third session."""

    day: int = 2

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.is_sent = False

    def on_bar(self, bar: Any) -> None:
        if not self.is_sent and bar.ts_event > FIRST + self.day * DAY:
            self.is_sent = True
            self.buy("SPY", 10)


def left(data: pd.DataFrame, actions: Any = None, **limits: Any) -> list[tuple[str, str]]:
    result = backtest(
        Holds(), data, symbol="SPY", venue="alpaca", cash=1e6, progress=False,
        limits=Limits(**limits), **({} if actions is None else {"corporate_actions": actions}),
    )  # fmt: skip
    return [(row.side, row.tag) for row in result.orders.itertuples()]


@pytest.mark.parametrize(
    ("multiple", "low", "leaves"),
    # True ranges of the first two sessions: 4 and 6; their mean is 5.
    [(1, 95.0, False), (1, 94.99, True), (2, 90.0, False), (2, 89.99, True)],
)
def test_a_backtest_leaves_past_the_multiple_of_what_its_data_say(
    multiple: float, low: float, leaves: bool
) -> None:
    data = pd.concat(
        [session(0, 98, 102, 100), session(1, 97, 103, 100), session(2, low, 100, 100)]
    )
    orders = left(data, max_position_loss_atr=multiple, atr_sessions=2)
    assert orders == [("buy", "")] + [("sell", "risk engine")] * leaves


@pytest.mark.parametrize("limit", [{"max_position_drawdown": 0.1}, {"max_position_loss_atr": 1}])
@pytest.mark.parametrize("falls", [False, True])
def test_a_split_is_no_fall(limit: dict[str, Any], falls: bool) -> None:
    """Held at 100 with a range of 5, two for one: at 50 nothing is lost, at 44 it is."""
    low = 44.0 if falls else 49.0
    data = pd.concat(
        [session(0, 98, 102, 100), session(1, 97, 103, 100), session(2, 100, 100, 100),
         session(3, low, 50, 50)]
    )  # fmt: skip
    actions = [{"symbol": "SPY", "ex_date": "2024-01-05", "kind": "split", "split_ratio": 2.0}]
    orders = left(data, pd.DataFrame(actions), atr_sessions=2, **limit)
    assert orders == [("buy", "")] + [("sell", "risk engine")] * falls
