"""Average daily volume out of a run's data: sessions that are over, and never a later one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt import Strategy, backtest
from pyrt.core.times import timestamp_ns
from pyrt.risk import Limits
from pyrt.risk.trailing import GRACE_NS
from pyrt.risk.volumes import TrailingVolumes

MINUTE = 60_000_000_000
DAY = 24 * 60 * MINUTE
HOUR = 60 * MINUTE
OPENS = np.array([day * DAY + 9 * HOUR for day in range(8)])
CLOSES = OPENS + 7 * HOUR


def volumes(count: int = 2) -> TrailingVolumes:
    return TrailingVolumes(lambda calendar: None if calendar == "24/7" else (OPENS, CLOSES), count)


def test_the_average_is_of_the_last_sessions_that_have_ended() -> None:
    made = volumes()
    # Three sessions: 30, 50 and 7; what lies outside of them counts for none.
    rows = [
        (OPENS[0] + MINUTE, 10), (CLOSES[0], 20), (CLOSES[0] + MINUTE, 900), (OPENS[1], 900),
        (OPENS[1] + HOUR, 50), (OPENS[2] + HOUR, 7),
    ]  # fmt: skip
    made.add("A", "XNYS", *zip(*rows, strict=True))
    asked = [
        (CLOSES[0], None),
        (CLOSES[0] + GRACE_NS - 1, None),
        (CLOSES[0] + GRACE_NS, 30),
        (CLOSES[1] + GRACE_NS - 1, 30),
        (CLOSES[1] + GRACE_NS, 40),
        (CLOSES[2] + GRACE_NS, "28.5"),
        # A session without rows is one without volume.
        (CLOSES[3] + GRACE_NS, "3.5"),
        (CLOSES[4] + GRACE_NS, None),
    ]
    for now, mean in (*asked, *reversed(asked)):
        expected = None if mean is None else Decimal(mean)
        assert made.average("A", "XNYS", int(now)) == expected
    assert made.average("B", "XNYS", int(CLOSES[2])) is None


def test_prints_at_the_close_are_of_no_session_and_bars_that_end_there_are() -> None:
    for labels_end, mean in ((True, 5), (False, None)):
        made = volumes()
        made.add("A", "XNYS", [CLOSES[0]], [5.0], labels_end=labels_end)
        found = made.average("A", "XNYS", int(CLOSES[0] + GRACE_NS))
        assert found == (None if mean is None else Decimal(mean))
    made = volumes()
    made.add("A", "XNYS", [OPENS[0]], [5.0], labels_end=False)
    assert made.average("A", "XNYS", int(CLOSES[0] + GRACE_NS)) == 5


def test_rows_that_reach_us_after_the_day_was_counted_are_left_out() -> None:
    made = volumes()
    ts = [CLOSES[0] - MINUTE, CLOSES[0]]
    made.add("A", "XNYS", ts, [3.0, 4.0], known=[ts[0] + DAY, CLOSES[0] + GRACE_NS])
    assert made.average("A", "XNYS", int(CLOSES[0] + GRACE_NS)) == 4


def test_rows_of_the_last_session_and_of_days_are_held_to_when_they_were_known() -> None:
    for calendar, ts, end in (
        ("XNYS", CLOSES[-1], CLOSES[-1]), ("24/7", 3 * DAY + HOUR, 4 * DAY),
    ):  # fmt: skip
        for late, mean in ((0, 7), (1, 3)):
            made = volumes(1)
            known = [ts, end + GRACE_NS + late]
            made.add("A", calendar, [ts - 1, ts], [3.0, 4.0], known=known)
            assert made.average("A", calendar, int(end + GRACE_NS)) == mean


def test_what_is_added_after_an_answer_changes_the_next() -> None:
    made, now = volumes(), int(CLOSES[1] + GRACE_NS)
    for symbol in ("A", "B"):
        assert made.average(symbol, "XNYS", now) is None
    made.add("A", "XNYS", [OPENS[1] + HOUR], [4.0])
    assert made.average("A", "XNYS", now) == 4
    made.add("A", "XNYS", [OPENS[1] + 2 * HOUR], [6.0])
    assert made.average("A", "XNYS", now) == 10
    assert made.average("B", "XNYS", now) is None


def test_rows_without_a_volume_are_none() -> None:
    made = volumes()
    ts = [OPENS[0] + HOUR, *(OPENS[1] + hour * HOUR for hour in (1, 2, 3))]
    made.add("A", "XNYS", ts, [0.0, 4.0, float("nan"), -1.0])
    # The first session that has some is the second.
    assert made.average("A", "XNYS", int(CLOSES[0] + GRACE_NS)) is None
    assert made.average("A", "XNYS", int(CLOSES[1] + GRACE_NS)) == 4


def test_days_of_coins_are_those_of_utc() -> None:
    made = volumes(1)
    made.add("A", "24/7", [MINUTE, DAY, DAY + MINUTE], [1.0, 2.0, 9.0])
    assert made.average("A", "24/7", DAY + GRACE_NS) == 3
    assert made.average("A", "24/7", 2 * DAY + GRACE_NS) == 9


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 8 * DAY), st.integers(0, 3 * HOUR)), min_size=1, max_size=60),
    st.integers(0, 8 * DAY),
    st.integers(1, 4),
)
def test_what_comes_later_changes_no_answer(rows: list[tuple[int, int]], now: int, n: int) -> None:
    rows.sort()
    ts = np.array([row[0] for row in rows])
    known = ts + np.array([row[1] for row in rows])
    size = np.arange(1.0, len(rows) + 1)
    seen = known <= now
    for calendar in ("XNYS", "24/7"):
        whole, cut = volumes(n), volumes(n)
        whole.add("A", calendar, ts, size, known=known)
        cut.add("A", calendar, ts[seen], size[seen], known=known[seen])
        assert whole.average("A", calendar, now) == cut.average("A", calendar, now)


@pytest.mark.parametrize(
    ("now", "mean"),
    [(DAY - 1, 6.0), (DAY, 1.5), (2 * DAY - 1, 1.5), (2 * DAY, 0.6), (3 * DAY, 0.6)],
)
def test_a_split_restates_the_days_that_are_over_and_no_others(now: int, mean: float) -> None:
    """Days of 10 and 2, one new unit for ten old: none is restated in part."""
    made = volumes()
    made.add("A", "24/7", [DAY // 2, DAY, DAY + DAY // 2, 2 * DAY], [4.0, 6.0, 1.0, 1.0])
    made.rescale("A", now, 0.1)
    assert float(made.average("A", "24/7", 2 * DAY + GRACE_NS)) == pytest.approx(mean)


def test_a_day_that_goes_on_after_its_split_gets_new_units_on_top() -> None:
    made = volumes(1)
    made.add("A", "24/7", [5 * MINUTE], [1_000.0])
    assert made.average("A", "24/7", DAY + GRACE_NS) == 1_000
    made.rescale("A", 5 * MINUTE, 0.1)
    made.add("A", "24/7", [6 * MINUTE], [50.0])
    assert made.average("A", "24/7", DAY + GRACE_NS) == 150


def test_a_print_at_the_instant_of_a_split_is_of_new_units() -> None:
    made = volumes(1)
    made.add("A", "24/7", [MINUTE], [1_000.0], labels_end=False)
    made.rescale("A", MINUTE, 0.1)
    assert made.average("A", "24/7", DAY + GRACE_NS) == 1_000
    made.rescale("A", MINUTE + 1, 0.1)
    assert made.average("A", "24/7", DAY + GRACE_NS) == 100


# -- in a backtest ---------------------------------------------------------------------------------

FIRST = timestamp_ns("2024-01-02T14:30:00Z")


def days(count: int, minutes: int = 390) -> pd.DataFrame:
    """Return minute bars of whole sessions; the volume of a minute grows from day to day."""
    frames = []
    for day in range(count):
        stamps = FIRST + day * DAY + MINUTE * np.arange(minutes)
        index = pd.DatetimeIndex(stamps.astype("M8[ns]"), tz="UTC", name="timestamp")
        flat = {name: np.full(minutes, 100.0) for name in ("open", "high", "low", "close")}
        frames.append(pd.DataFrame({**flat, "volume": 100.0 * (day + 1)}, index=index))
    return pd.concat(frames)


class Asks(Strategy):
    """Buys a quantity in the third minute of each session."""

    quantity: float = 1000

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")

    def on_bar(self, bar: Any) -> None:
        if bar.ts_event % DAY == (14 * 60 + 33) * MINUTE:
            self.buy("SPY", self.quantity)


def verdicts(data: Any, quantity: float, **limits: Any) -> list[str]:
    result = backtest(
        Asks(quantity=quantity),
        data,
        symbol="SPY",
        venue="alpaca",
        cash=10_000_000,
        progress=False,
        limits=Limits(max_adv_share="0.01", **limits),
    )
    return [reason.split(":")[0] for reason in result.orders["reason"]]


def test_a_backtest_holds_orders_to_the_volume_of_the_sessions_before() -> None:
    # 39,000, 78,000 and 117,000 a session; averages of what has ended: -, 39,000, 58,500, 78,000.
    data = days(4)
    assert verdicts(data, 390) == ["", "", "", ""]
    assert verdicts(data, 391) == ["", "max_adv_share", "", ""]
    assert verdicts(data, 585) == ["", "max_adv_share", "", ""]
    assert verdicts(data, 586) == ["", "max_adv_share", "max_adv_share", ""]
    assert verdicts(data, 781) == ["", "max_adv_share", "max_adv_share", "max_adv_share"]
    # Of one session only: 39,000, 78,000, 117,000.
    assert verdicts(data, 1_170, adv_sessions=1) == ["", "max_adv_share", "max_adv_share", ""]


@pytest.mark.parametrize("cut", ["2024-01-04T14:34:00Z", "2024-01-05T14:34:00Z"])
def test_data_that_come_later_change_no_verdict(cut: str) -> None:
    data = days(4)
    shorter = data[data.index < pd.Timestamp(cut)]
    for quantity in (390, 391, 585, 586, 781):
        before = verdicts(shorter, quantity)
        assert before == verdicts(data, quantity)[: len(before)]
        assert before


def test_what_somebody_states_goes_before_the_data() -> None:
    from pyrt import BacktestEngine
    from pyrt.risk import RiskEngine

    gate = RiskEngine(Limits(max_adv_share="0.01"))
    gate.set_adv("SPY", 50_000)
    engine = BacktestEngine(cash=10_000_000, gate=gate)
    engine.add_venue("alpaca")
    engine.add_data(days(2), symbol="SPY")
    engine.add_strategy(Asks(quantity=500))
    assert set(engine.run().orders["reason"]) == {""}


SPLIT_DAY = 3


def over_a_reverse_split(**index: Any) -> pd.DataFrame:
    """Return days at 10 and 1,000,000 units, then at 100 and 100,000: one new for ten old."""
    days = pd.date_range("2024-01-02", periods=6, **index)
    old = np.arange(6) < SPLIT_DAY
    names = ("open", "high", "low", "close")
    prices = dict.fromkeys(names, np.where(old, 10.0, 100.0))
    return pd.DataFrame({**prices, "volume": np.where(old, 1e6, 1e5)}, index=days)


class Daily(Strategy):
    """Buys a quantity at the bars before the split and after."""

    quantity: float = 1000

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1d")
        self.seen = 0

    def on_bar(self, bar: Any) -> None:
        self.seen += 1
        if self.seen > SPLIT_DAY:
            self.buy("SPY", self.quantity)


@pytest.mark.parametrize("states", [False, True])
@pytest.mark.parametrize("tz", ["UTC", "America/New_York"])
@pytest.mark.parametrize(("quantity", "reason"), [(1_000, ""), (1_001, "max_adv_share")])
def test_the_share_of_a_day_is_in_new_units_after_a_split(
    quantity: int, reason: str, tz: str, states: bool
) -> None:
    from pyrt import BacktestEngine
    from pyrt.risk import RiskEngine

    gate = RiskEngine(Limits(max_adv_share="0.01"))
    if states:
        gate.set_adv("SPY", 1_000_000)
    engine = BacktestEngine(cash=10_000_000, gate=gate)
    engine.add_venue()
    engine.add_data(over_a_reverse_split(tz=tz), symbol="SPY", timeframe="1d", label="open")
    engine.add_corporate_actions(
        [{"symbol": "SPY", "ex_date": "2024-01-05", "kind": "split", "split_ratio": 0.1}]
    )
    engine.add_strategy(Daily(quantity=quantity))
    reasons = [each.split(":")[0] for each in engine.run().orders["reason"]]
    assert reasons[:2] == [reason] * 2
